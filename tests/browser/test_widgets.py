"The training dashboard in JupyterLab, in a real browser, with the network off."
import ast, json
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
