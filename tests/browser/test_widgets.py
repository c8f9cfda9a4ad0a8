<<<<<<< HEAD
"The training dashboard in JupyterLab, in a real browser, with the network off."
import ast, json
=======
"The threshold tuner in JupyterLab, in a real browser, with the network off."
import ast, base64, io, json
>>>>>>> cohort
import pytest
from driver import Notebook

pytestmark = pytest.mark.browser

def ask(nb, expression):
    "The value of a Python expression in the notebook's kernel, without running a cell."
    reply = nb.page.evaluate("""async e => {
        const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
        const code = `__import__('json').dumps(${e})`;
        return (await kernel.requestExecute({code: '', user_expressions: {v: code}, store_history: false}).done).content.user_expressions.v }""", expression)
    assert reply['status'] == 'ok', reply
    return json.loads(ast.literal_eval(reply['data']['text/plain']))

def outputs(saved): return [o for c in saved.cells for o in c.get('outputs', [])]

<<<<<<< HEAD
DASHBOARD = '''import time
from radnb.view.dashboard import Dashboard
d = Dashboard(1000, 'Nodule yes/no')
for epoch in range(1000):
    for batch in range(10):
        time.sleep(.02)
        d.update(dict(epoch=epoch, batch=batch, n_batches=10, loss=1/(epoch+1), lr=1e-3, eta_s=9., samples_per_s=50.))
        if d.stop_requested: break
    if d.stop_requested or epoch > 200: break
    d.update(dict(epoch=epoch, metrics=dict(valid_loss=1.2/(epoch+1), auc=.8)))
d.finish('stopped by hand' if d.stop_requested else 'ran to the end')'''

def test_dashboard_stops_a_running_cell(browser, lab):
    with Notebook(browser, lab, 'dashboard.ipynb', [DASHBOARD]) as nb:
        nb.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        area = nb.page.locator('.jp-OutputArea')
        nb.wait_until(lambda: area.count() and 'epoch 3 of 1000' in area.first.inner_text(), 'no live progress')
        nb.page.locator('button:has-text("Stop after this batch")').click()
        nb.wait_until(lambda: nb.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status") == 'idle', 'the training did not stop')
        assert ask(nb, '[d.stop_requested, d.notes[-1]]') == [True, 'stopped by hand']
        nb.page.locator('.jp-RenderedImage img').wait_for(state='visible')   # the final curves take the widget's place
        assert [sorted(o['data']) for o in nb.cells()[0]['outputs']] == [['image/png', 'text/plain']]
        assert (nb.blocked, nb.errors) == ([], [])
=======
TUNER = '''import numpy as np
from radnb.view.threshold import tune_threshold
class Report:
    task, ds, classes, patients = 'classify', 'valid', ['normal', 'pneumonia'], None
    def set_operating_point(self, op): self.operating_point = op
rng = np.random.default_rng(0)
report = Report()
report.y = (rng.random(400) < .2).astype(int)
report.prob = np.where(report.y, rng.beta(4,2,400), rng.beta(2,4,400))
t = tune_threshold(report, prevalence=.05)
t'''

def test_threshold_slider(browser, lab):
    with Notebook(browser, lab, 'tuner.ipynb', [TUNER]) as nb:
        nb.run_all()
        found = nb.page.locator('.radnb-tp')
        found.wait_for()
        nb.page.wait_for_timeout(1500)                                   # the browser rounds the slider to its step: nobody's choice
        assert ask(nb, 't.rule') == 'youden'
        before, first = found.inner_text(), ask(nb, 'report.operating_point.threshold')

        nb.page.locator('.noUi-handle').first.focus()
        for _ in range(100): nb.page.keyboard.press('ArrowRight')
        nb.wait_until(lambda: found.inner_text() != before, 'the confusion matrix does not follow the slider')
        nb.wait_until(lambda: abs(ask(nb, 'report.operating_point.threshold') - first - .1) < .005, 'the kernel does not follow the slider')
        assert ask(nb, '[report.operating_point.rule, t.rule]') == ['set by hand', 'manual']
        assert ask(nb, "int(((report.prob >= t.threshold) & (report.y == 1)).sum())") == int(found.inner_text().split()[0])

        nb.page.locator('.widget-dropdown select:visible').first.select_option(label='sensitivity at least')
        nb.wait_until(lambda: 'sensitivity at least 0.9' in nb.page.locator('.jp-OutputArea').inner_text(), 'the rule does not apply')
        number = nb.page.locator('input[type=number]:visible')
        number.fill('1'); number.press('Enter')
        nb.wait_until(lambda: nb.page.locator('.radnb-fn').inner_text().split()[0] == '0', 'the minimum does not apply')
        assert ask(nb, "t.operating_point.metrics['sensitivity'].value") == 1
        assert (nb.blocked, nb.errors) == ([], [])

def test_saved_tuner_shows_the_last_choice(browser, lab):
    from PIL import Image
    with Notebook(browser, lab, 'tuner2.ipynb', [TUNER]) as nb:
        nb.run_all()
        nb.page.locator('.radnb-tp').wait_for()
        assert not nb.page.locator('.jp-RenderedImage').is_visible()      # hidden by the live widget
        def still(): return next(o['data']['image/png'] for o in nb.cells()[0]['outputs'] if 'image/png' in o.get('data', {}))
        first = still()
        nb.page.locator('.noUi-handle').first.focus()
        for _ in range(5): nb.page.keyboard.press('PageUp')
        nb.wait_until(lambda: still() != first, 'the still picture does not follow the slider')
        saved = nb.save()
    assert 'widgets' not in saved.metadata
    png = next(o.data['image/png'] for o in outputs(saved) if 'image/png' in o.get('data', {}))
    assert Image.open(io.BytesIO(base64.b64decode(png))).size[0] > 600
    with Notebook(browser, lab, 'tuner2.ipynb') as nb:                     # reopened, with a kernel that knows nothing
        img = nb.page.locator('.jp-RenderedImage img')
        img.wait_for(state='visible')
        assert img.bounding_box()['width'] > 600
>>>>>>> cohort
