"The training dashboard in JupyterLab: its buttons are heard while the kernel trains, and a page that is opened again shows it going on."
import pytest
from driver import Notebook

pytestmark = pytest.mark.browser

TRAINING = '''import numpy as np, pandas as pd, time
from fastai.callback.core import Callback
from radnb.train.classify import classify_dls, classify_learner
rng = np.random.default_rng(0)
df = pd.DataFrame([dict(PatientID=f'P{i:02d}', pixels=rng.integers(0, 200, (32,32)).astype(np.uint8) + np.uint8(50*(i%2)), label=['normal','ill'][i%2]) for i in range(48)])
class Slow(Callback):
    def after_batch(self): time.sleep(.05)
learn = classify_learner(classify_dls(df, 'label', classes=['normal','ill'], bs=8), cbs=Slow())'''
FIT = 'learn.fit(400)'

#: Nothing can be asked of a kernel that trains, so that the training writes down where it is
SPY = '''class Spy(Callback):
    def after_batch(self): open('spy.txt', 'w').write(f'{self.epoch} {self.iter} {self.training}')
learn.add_cb(Spy())'''

def start(nb, cell):
    nb.page.evaluate("i => { const nb = window.jupyterapp.shell.currentWidget.content; nb.activeCellIndex = i; window.jupyterapp.commands.execute('notebook:run-cell') }", cell)

def runs(nb): return nb.page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.some(c => c.model.type === 'code' && c.model.executionState === 'running')")
def text(nb): return nb.page.locator('.jp-OutputArea').last.inner_text() if nb.page.locator('.jp-OutputArea').count() else ''
def spied(nb): return (nb.lab.root/'spy.txt').read_text()

def test_buttons_are_heard_while_the_kernel_trains(browser, lab):
    with Notebook(browser, lab, 'training.ipynb', [TRAINING, SPY]) as nb:
        nb.run_all(120)
        nb.page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:insert-cell-below') }")
        nb.page.evaluate("code => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(code)", FIT)
        start(nb, 2)
        nb.wait_until(lambda: 'epoch 3 of 400' in text(nb), 'no live progress', 60)
        assert 'images/s' in text(nb) and 'Held-out images after epoch' in text(nb) and 'truth: ' in text(nb)

        button = nb.page.locator('button:has-text("Pause"):visible')
        button.click()
        go_on = nb.page.locator('button:has-text("Go on"):visible')
        go_on.wait_for()
        assert 'paused' in text(nb) and runs(nb)
        held = spied(nb)
        nb.page.wait_for_timeout(1000)
        assert spied(nb) == held                                              # nothing is trained meanwhile
        go_on.click()
        nb.wait_until(lambda: spied(nb) != held, 'the training does not go on')

        nb.page.evaluate("() => { window.later = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code: 'waited = learn.dashboard.finished'}).done }")
        nb.page.locator('button:has-text("Stop after this batch"):visible').click()
        nb.wait_until(lambda: not runs(nb), 'the training did not stop')
        nb.page.evaluate('async () => { await window.later }')
        assert nb.ask('[waited, learn.dashboard.stop_requested, learn.dashboard.finished]') == [True]*3  # what was asked meanwhile waited, and was not lost
        assert 'stopped by request' in nb.ask('learn.dashboard.notes[-1]')
        assert nb.ask('learn.dashboard.paused_s') > .9
        nb.page.locator('.jp-RenderedImage img').last.wait_for(state='visible')   # the final curves take the widget's place
        assert sorted(nb.cells()[2]['outputs'][-1]['data']) == ['image/png', 'text/plain']
        nb.execute('learn.fit(1)')                                            # and the learner can be used
        assert nb.ask('len(learn.history) > 1')
        assert (nb.blocked, nb.errors) == ([], [])

def test_reloaded_page_shows_the_training_going_on(browser, lab):
    with Notebook(browser, lab, 'reload.ipynb', [TRAINING, FIT]) as nb:
        nb.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        nb.wait_until(lambda: 'epoch 2 of 400' in text(nb), 'no live progress', 90)
        nb.save()
        nb.page.reload(wait_until='domcontentloaded')
        nb.page.wait_for_function('window.jupyterapp?.shell.currentWidget?.content?.widgets?.length', timeout=60_000)
        panel = nb.page.locator('.widget-html:visible').last
        panel.wait_for(timeout=60_000)
        before = panel.inner_text()
        nb.wait_until(lambda: panel.inner_text() != before, 'the panel stands still after the reload', 60)
        nb.page.locator('button:has-text("Stop after this batch"):visible').click()
        nb.wait_until(lambda: not runs(nb), 'the button is not heard after the reload', 60)
        assert nb.ask('[learn.dashboard.stop_requested, learn.dashboard.finished]') == [True, True]
        assert nb.blocked == []
