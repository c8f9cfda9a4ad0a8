"The three forms of tune_threshold in JupyterLab, in a real browser, with the network off: drag, keys, presets, numbers that agree with Python's."
import base64, io, os
from pathlib import Path
import pytest
from driver import Notebook

pytestmark = pytest.mark.browser
SHOTS = os.environ.get('RADNB_SHOTS') # a folder for pictures to look at

def shoot(nb, name):
    if not SHOTS: return
    for theme in ('Light','Dark'):
        nb.page.evaluate(f"async () => {{ await window.jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}}) }}")
        nb.page.wait_for_function(f"document.body.dataset.jpThemeLight === '{str(theme=='Light').lower()}'")
        nb.page.wait_for_timeout(600)
        nb.page.locator('.radnb-tuner').first.screenshot(path=str(Path(SHOTS)/f'{name}_{theme}.png'.lower()))
    nb.page.evaluate("async () => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'}) }")

def drag(nb, chart, x, y):
    "Press in the middle of a chart and let go at a place given as shares of its drawing area."
    chart.scroll_into_view_if_needed()
    b = chart.bounding_box()
    W, H = map(int, chart.get_attribute('viewBox').split()[2:])
    at = lambda x, y: (b['x']+(46+x*(W-56))*b['width']/W, b['y']+(24+(1-y)*(H-60))*b['height']/H)
    nb.page.mouse.move(*at(.5, .5)); nb.page.mouse.down()
    nb.page.mouse.move(*at(x, y), steps=6); nb.page.mouse.up()

REPORT = '''import numpy as np, pandas as pd
from radnb.view.threshold import tune_threshold
from radnb.measure.stats import confusion
class Report:
    task, ds, classes, patients = 'classify', 'valid', ['normal', 'pneumonia'], None
    def set_operating_point(self, op): self.operating_point = op
rng = np.random.default_rng(0)
report = Report()
report.y = (rng.random(400) < .2).astype(int)
report.prob = np.where(report.y, rng.beta(4,2,400), rng.beta(2,4,400))
report.rows = pd.DataFrame(dict(scanner=np.where(rng.random(400) < .95, 'A', 'B'), sex=np.where(rng.random(400) < .5, 'F', 'M')))
def short(e): return f'{e.value:.3f} ({e.low:.2f}{" to " if e.low < 0 else "–"}{e.high:.2f})'
def expected(t):
    c = confusion(report.y, report.prob, t.threshold)
    there = c.at_prevalence(t.prevalence)
    return [str(c.tp), str(c.fp), short(c.sensitivity), short(c.specificity), short(c.f1), short(there.ppv), short(there.npv), short(c.net_benefit_at(t.prevalence))]
'''
BINARY = REPORT + '''t = tune_threshold(report, prevalence=.05, subgroups=['sex', 'scanner'])
t'''

def shown(nb):
    "The same numbers as `expected`, as the browser shows them."
    cell = lambda k: nb.page.locator(f'.radnb-{k} b').inner_text()
    metric = lambda k: nb.page.locator(f'tr[data-metric={k}] td').first.inner_text().strip()
    return [cell('tp'), cell('fp'), *map(metric, ('sensitivity','specificity','f1','ppv_at','npv_at','benefit'))]

def agrees(nb, what):
    nb.wait_until(lambda: shown(nb) == nb.ask('expected(t)'), f'after {what} the browser does not show what Python counts')

def test_operating_point_is_dragged(browser, lab):
    with Notebook(browser, lab, 'tuner.ipynb', [BINARY]) as nb:
        nb.run_all()
        nb.page.locator('.radnb-tp').wait_for()
        agrees(nb, 'the start')
        number = nb.page.get_by_label('Threshold', exact=True)
        assert float(number.input_value()) == nb.ask('t.threshold')      # in full
        number.press('Enter')                                            # nothing was written: nothing is set by hand
        assert nb.ask('[t.rule, report.operating_point.rule]') == ['youden', "Youden's index"]
        hist, roc, pr, decision = (nb.page.locator('.radnb-chart').nth(i) for i in range(4))
        heads = nb.page.locator('.metrics thead th').all_inner_texts()
        assert [h.split('\n')[0] for h in heads] == ['all', 'scanner: A', 'scanner: B', 'sex: F', 'sex: M'] and '⚠' in heads[2] and '⚠' not in heads[1]

        drag(nb, hist, .3, .5)
        nb.wait_until(lambda: abs(nb.ask('report.operating_point.threshold')-.3) < .01, 'the histogram does not move the threshold')
        nb.wait_until(lambda: nb.ask('[report.operating_point.rule, t.rule]') == ['set by hand', 'manual'], 'who chose it is not recorded')
        agrees(nb, 'dragging the histogram')
        drag(nb, roc, .05, .75)
        agrees(nb, 'dragging on the ROC curve')
        assert nb.ask('confusion(report.y, report.prob, t.threshold).specificity.value') > .85
        drag(nb, pr, .95, .2)
        agrees(nb, 'dragging on the precision-recall curve')
        assert nb.ask('confusion(report.y, report.prob, t.threshold).sensitivity.value') > .88
        drag(nb, decision, .6, .5)
        nb.wait_until(lambda: abs(nb.ask('t.threshold')-.6) < .01, 'the decision curve does not move the threshold')

        hist.focus()
        before = nb.ask('t.threshold')
        for _ in range(3): nb.page.keyboard.press('ArrowLeft')
        nb.page.keyboard.press('PageDown')
        more = f'int(((report.prob >= t.threshold) & (report.prob < {before!r})).sum())'
        nb.wait_until(lambda: nb.ask(more) == 23, '3 keys and a page are not 23 cases')
        agrees(nb, 'the arrow keys')
        shoot(nb, 'classify')

        nb.page.locator('[data-rule=sensitivity]').click()
        nb.wait_until(lambda: 'sensitivity at least 0.9' in nb.page.locator('.choice').inner_text(), 'the rule does not apply')
        number = nb.page.get_by_label('at least')
        number.fill('1'); number.press('Enter')
        nb.wait_until(lambda: nb.page.locator('.radnb-fn b').inner_text() == '0', 'the minimum does not apply')
        nb.page.locator('[data-rule=cost]').click()
        cost = nb.page.get_by_label('false alarms per miss')
        cost.fill('1000'); cost.press('Enter')
        nb.wait_until(lambda: 'a miss costs 1000' in nb.ask('report.operating_point.rule'), 'the cost does not apply')
        prevalence = nb.page.get_by_label('Prevalence in percent')
        prevalence.fill('30'); prevalence.press('Enter')
        nb.wait_until(lambda: nb.ask('t.prevalence') == .3, 'the prevalence is not heard')
        agrees(nb, 'another prevalence')
        who = nb.page.get_by_label('Chosen by')
        who.fill('Dr Example'); who.press('Enter')
        nb.wait_until(lambda: nb.ask('report.operating_point.chosen_by') == 'Dr Example', 'who chose is not recorded')
        assert float(nb.page.locator('.radnb-tuner').get_attribute('data-ms')) < 50
        assert (nb.blocked, nb.errors) == ([], [])

MULTI = '''import numpy as np
from radnb.view.threshold import tune_threshold
rng = np.random.default_rng(1)
y = rng.integers(0, 3, 300)
p = rng.dirichlet((1,1,1), 300)*.5 + .5*np.eye(3)[y]*rng.random((300,1))
t = tune_threshold(y, p, classes=['normal', 'bacterial', 'viral'], positive='viral')
t'''

def test_class_is_switched_and_the_saved_notebook_shows_the_choice(browser, lab):
    from PIL import Image
    with Notebook(browser, lab, 'tuner2.ipynb', [MULTI]) as nb:
        nb.run_all()
        nb.page.locator('.radnb-tp').wait_for()
        assert not nb.page.locator('.jp-RenderedImage').is_visible()      # hidden by the live widget
        def still(): return next(o['data']['image/png'] for o in nb.cells()[0]['outputs'] if 'image/png' in o.get('data', {}))
        first = still()
        nb.page.get_by_label('Class').select_option('bacterial')
        nb.wait_until(lambda: 'called bacterial' in nb.page.locator('.confusion').inner_text(), 'the class does not change')
        assert 'no threshold chosen' in nb.page.locator('.choice').inner_text() and nb.ask('list(t.operating_point.per_class())') == ['viral']
        nb.page.locator('[data-rule=specificity]').click()
        nb.wait_until(lambda: nb.ask('sorted(t.operating_point.per_class())') == ['bacterial', 'viral'], 'the second class gets no operating point')
        nb.wait_until(lambda: still() != first, 'the still picture does not follow')
        saved = nb.save()
    assert 'widgets' not in saved.metadata
    png = next(o.data['image/png'] for c in saved.cells for o in c.get('outputs', []) if 'image/png' in o.get('data', {}))
    assert Image.open(io.BytesIO(base64.b64decode(png))).size[0] > 600
    if SHOTS: (Path(SHOTS)/'still_classify.png').write_bytes(base64.b64decode(png))
    with Notebook(browser, lab, 'tuner2.ipynb') as nb:                     # reopened, with a kernel that knows nothing
        img = nb.page.locator('.jp-RenderedImage img')
        img.wait_for(state='visible')
        assert img.bounding_box()['width'] > 600

SEGMENT = '''import numpy as np
from types import SimpleNamespace
from radnb.data.volume import Volume
from radnb.measure.metrics import dice, volume_ml, hd95
from radnb.view.threshold import tune_threshold
rng = np.random.default_rng(0)
def case(i, size=(14,48,48)):
    z,y,x = np.ogrid[:size[0],:size[1],:size[2]]
    away = lambda s: np.sqrt(((z-7)*3)**2+(y-24)**2+(x-24-s)**2)
    noise = rng.normal(0, .5, size)
    prob = (1/(1+np.exp((away(i%4)-9+noise)/1.5))).astype(np.float32)
    image = Volume((1000*np.exp(-away(0)/12)+60*rng.normal(size=size)).astype(np.int16), np.diag([1.,1.,3.,1.])[:, [2,1,0,3]], 'a.u.')
    return image, SimpleNamespace(prob=prob, true=(away(0)<9).astype(np.uint8), label=np.ones(size, np.uint8), spacing=(3.,1.,1.), box=(slice(None),)*3)
class Report:
    task,ds,names,thresholds = 'segment','valid',{1:'lesion'},np.linspace(.02,.98,49)
    def __init__(self, n):
        self.scenes,self.segmented = zip(*[case(i) for i in range(n)])
        self.patients = np.arange(n).astype(str)
    def images(self, i): return self.scenes[i]
    def set_operating_point(self, op): self.operating_point = op
def judged(i, t):
    c = report.segmented[i]
    p = c.prob >= np.float32(t)
    return [dice(p, c.true), volume_ml(p, (3.,1.,1.)), hd95(p, c.true, (3.,1.,1.))]
report = Report(12)
t = tune_threshold(report)
t'''

def test_every_case_follows_the_threshold_of_a_segmentation(browser, lab):
    with Notebook(browser, lab, 'tune_segment.ipynb', [SEGMENT]) as nb:
        nb.run_all(120)
        nb.page.locator('.radnb-tuner[data-kind=segment]').wait_for()
        row = lambda i: nb.page.locator(f'tr[data-case="{i}"] td').all_inner_texts()
        def expected(i):
            d, ml, mm = nb.ask(f'judged({i}, t.threshold)')
            return [f'{d:.3f}', f'{ml:.2f}', f'{mm:.1f}']
        seen = lambda i: [row(i)[k] for k in (1, 2, 8)]
        assert seen(3) == expected(3)
        first = row(5)
        slider = nb.page.get_by_label('Threshold', exact=True)
        for _ in range(8): slider.press('ArrowRight')
        nb.wait_until(lambda: nb.ask('report.operating_point.rule') == 'set by hand', 'the slider is not heard')
        nb.wait_until(lambda: row(5) != first and seen(3) == expected(3) and seen(5) == expected(5), 'the cases do not follow the slider')
        mean = lambda: nb.page.locator('tr[data-metric=dice] td').first.inner_text().strip()
        chosen = "t.operating_point.metrics['dice'].value"
        nb.wait_until(lambda: mean() == f'{nb.ask(chosen):.3f}', 'the mean Dice is not that of the choice')
        assert float(nb.page.locator('.radnb-tuner').get_attribute('data-ms')) < 50
        linked = lambda: nb.ask('t.viewer.canvas.threshold') == pytest.approx(nb.ask('t.threshold'))
        nb.wait_until(linked, 'the picture has another threshold')     # linked in the browser
        nb.page.locator('tr[data-case="7"]').click()
        nb.wait_until(lambda: nb.ask('t.case') == 7 and nb.ask('t.viewer.vol is report.scenes[7]'), 'the case is not shown')
        drag(nb, nb.page.locator('.radnb-chart').nth(1), .2, .5)
        nb.wait_until(lambda: abs(nb.ask('t.threshold')-.212) < .02, 'the chart does not move the threshold')
        nb.page.locator('[data-rule=volume]').click()
        nb.wait_until(lambda: nb.ask('report.operating_point.rule') == 'least volume error', 'the rule does not apply')
        nb.page.wait_for_timeout(1500)
        if SHOTS: nb.page.screenshot(path=str(Path(SHOTS)/'segment_page.png'))
        shoot(nb, 'segment')
        assert (nb.blocked, nb.errors) == ([], [])

INTENSITY = '''import numpy as np
from radnb.data.phantom import ct_phantom
from radnb.view.threshold import tune_threshold
from radnb.view.tune_intensity import threshold_mask
vol, nodule = ct_phantom(size=(40,96,96))
t = tune_threshold(vol, rule='lung', window='lung')
t'''

def test_band_of_grey_values_becomes_a_mask(browser, lab):
    with Notebook(browser, lab, 'tune_intensity.ipynb', [INTENSITY]) as nb:
        nb.run_all(120)
        nb.page.locator('.radnb-tuner[data-kind=intensity]').wait_for()
        ml = lambda: nb.page.locator('.radnb-volume').inner_text()
        counted = lambda: nb.ask("f'{((vol.data >= t.band[0]) & (vol.data <= t.band[1])).sum()*vol.voxel_ml:.2f} mL'")
        assert ml() == counted()
        nb.wait_until(lambda: nb.page.locator('.radnb-mask-ml').count() == 1, 'no mask')
        drag(nb, nb.page.locator('.radnb-chart'), .2, .5)                 # pressed in the middle: the upper end, dragged down
        nb.wait_until(lambda: nb.ask('t.rule') == 'manual' and ml() == counted(), 'the histogram does not move the band')
        low = nb.page.get_by_label('Lowest value')
        low.fill('-900'); low.press('Enter')
        nb.wait_until(lambda: nb.ask('t.band[0]') == -900 and ml() == counted(), 'the number is not heard')
        high = nb.page.get_by_label('Highest value')
        high.fill('-600'); high.press('Enter')
        nb.wait_until(lambda: nb.ask('t.band') == [-900, -600], 'the number is not heard')
        nb.page.get_by_text('fill holes').click()
        smallest = nb.page.get_by_label('Smallest part in mm3')
        smallest.fill('2000'); smallest.press('Enter')
        nb.wait_until(lambda: nb.ask('t.code') == 'threshold_mask(vol, -900, -600, fill_holes=True, min_mm3=2000)', 'holes and specks are not heard')
        nb.wait_until(lambda: nb.page.locator('.radnb-mask-ml').count() and nb.page.locator('.radnb-mask-ml').inner_text() == nb.ask("f'{t.mask.volume_ml():.2f} mL'"), 'the mask does not follow')
        assert nb.ask('bool(np.array_equal(t.mask.data, eval(t.code).data)) and t.viewer.mask is t.mask and t.viewer.canvas.band is None')
        nb.page.locator('[data-rule=bone]').click()
        nb.wait_until(lambda: nb.ask("[t.rule, t.operating_point.rule]") == ['bone', 'preset bone'] and ml() == counted(), 'the preset does not apply')
        nb.page.locator('[data-rule=lung]').click()
        nb.wait_until(lambda: nb.ask('t.rule') == 'lung' and ml() == counted(), 'the preset does not apply')
        nb.page.wait_for_timeout(1500)
        if SHOTS: nb.page.screenshot(path=str(Path(SHOTS)/'intensity_page.png'))
        shoot(nb, 'intensity')
        assert float(nb.page.locator('.radnb-tuner').get_attribute('data-ms')) < 50
        assert (nb.blocked, nb.errors) == ([], [])
