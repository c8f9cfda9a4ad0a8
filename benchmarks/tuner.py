"""What a move of the threshold costs: `python benchmarks/tuner.py [--browser] [--json FILE]`. Kernel: the time until the choice with its intervals is made, per move.
Browser (`--browser`, needs Chromium): the time until all numbers and marks on the page are changed, as the page itself measures it. Synthetic cases."""
import argparse, json, sys, tempfile, time
from pathlib import Path
from types import SimpleNamespace
import numpy as np
from radnb.view.threshold import tune_threshold

def classified(n=10_000, patients=4_000, seed=0):
    "A report of many cases, several of each patient."
    rng = np.random.default_rng(seed)
    y = rng.random(n) < .2
    return SimpleNamespace(task='classify', ds='valid', classes=['normal','ill'], patients=np.arange(n)%patients, y=y.astype(int),
                           prob=np.where(y, rng.beta(4,2,n), rng.beta(2,4,n)), set_operating_point=lambda op: None)

def segmented(n=60, size=(24,64,64), seed=0):
    "A report of `n` segmented cases: a lesion of 20 mm, its probability a little beside."
    rng, cases = np.random.default_rng(seed), []
    z,y,x = np.ogrid[:size[0],:size[1],:size[2]]
    away = lambda s: np.sqrt(((z-size[0]//2)*2.5)**2+(y-32)**2+(x-32-s)**2)
    for i in range(n):
        prob = (1/(1+np.exp((away(i%4)-10+rng.normal(0, .8, size))/2))).astype(np.float32)
        cases.append(SimpleNamespace(prob=prob, true=(away(0) < 10).astype(np.uint8), label=np.ones(size, np.uint8), spacing=(2.5,1.,1.), box=(slice(None),)*3))
    return SimpleNamespace(task='segment', ds='valid', names={1:'lesion'}, images=None, thresholds=np.linspace(.02,.98,49), segmented=cases,
                           patients=np.arange(n)//2, set_operating_point=lambda op: None)

def moves(tuner, n=200):
    "Milliseconds of each of `n` moves in the kernel."
    took = []
    for t in np.random.default_rng(1).uniform(.1, .9, n):
        start = time.perf_counter()
        tuner.threshold = float(t)
        took.append(1000*(time.perf_counter()-start))
    return took

def in_kernel():
    out = {}
    for name,make in (('10,000 classified cases', classified), ('60 segmented cases', segmented)):
        report, start = make(), time.perf_counter()
        tuner = tune_threshold(report)
        tuner._live_cell()
        ready = time.perf_counter()-start
        took = moves(tuner)
        out[name] = dict(ready_s=round(ready, 2), median_ms=round(float(np.median(took)), 2), p95_ms=round(float(np.percentile(took, 95)), 2))
    return out

CELL = "import sys; sys.path.insert(0, {here!r})\nfrom tuner import *\nt = tune_threshold({make}())\nt"

def in_browser(n=60):
    "The same moves by keyboard in JupyterLab: how long the page takes for each."
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]/'tests'/'browser'))
    import driver
    from playwright.sync_api import sync_playwright
    out = {}
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as p:
        lab = driver.Lab(tmp)
        lab.wait()
        browser = p.chromium.launch(executable_path=driver.find_chromium(), args=driver.QUIET+driver.WEBGL)
        try:
            for make in ('classified','segmented'):
                with driver.Notebook(browser, lab, f'{make}.ipynb', [CELL.format(here=str(Path(__file__).resolve().parent), make=make)]) as nb:
                    nb.run_all(300)
                    root = nb.page.locator('.radnb-tuner')
                    root.wait_for()
                    took = []
                    for k in range(n):
                        nb.page.locator('.radnb-chart').first.press('ArrowLeft' if k < n//2 else 'ArrowRight')
                        took.append(float(root.get_attribute('data-ms')))
                    out[make] = dict(median_ms=round(float(np.median(took)), 2), p95_ms=round(float(np.percentile(took, 95)), 2))
        finally:
            browser.close(); lab.stop()
    return out

if __name__ == '__main__':
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument('--browser', action='store_true'); args.add_argument('--json', type=Path)
    args = args.parse_args()
    found = dict(kernel=in_kernel(), **(dict(browser=in_browser()) if args.browser else {}))
    print(json.dumps(found, indent=1))
    if args.json: args.json.write_text(json.dumps(found))
