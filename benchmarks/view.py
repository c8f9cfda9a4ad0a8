"""How soon is the first picture there? `python benchmarks/view.py [--slices 300] [--browser]`

A synthetic CT of 512 x 512 x 300 (int16 HU, 157 MB) with a mask. Measured from the call of `view()`:

- kernel: until the display messages are handed over: the still picture (PNG), and the widget with the first slices of three planes. The packed
  volume follows afterwards and is timed by itself. IPython's publishing is replaced by a recorder; nothing else is left out.
- browser (`--browser`): from Run to the first canvas that shows a scan, in JupyterLab in headless Chromium, imports done in a cell before. This holds kernel, server,
  browser and the browser's drawing in software (which a graphics card would do); planes are drawn on 2D canvases, so that share is small.

The first run in a process also pays for imports (matplotlib, anywidget): 'first' is that run, 'again' the median of the others. A yardstick that depends on the machine is
printed beside: a copy of the volume and gzip level 1 of its first 16 MB. On a machine that does other work at the same time, look at the seconds of processor time (cpu).
"""
import argparse, gzip, json, os, statistics, sys, tempfile, time
from pathlib import Path
import numpy as np

ROOT = Path(__file__).resolve().parents[1]

CT = '''
import numpy as np
from radnb.data.volume import Volume
def large_ct(slices, rows=512):
    "A body with lungs and noise; synthetic."
    k,i,j = np.ogrid[:slices,:rows,:rows]
    r = ((i-rows/2)/(rows*.35))**2 + ((j-rows/2)/(rows*.45))**2
    lungs = ((np.abs(j-rows/2)-rows*.2)/(rows*.14))**2 + ((i-rows/2)/(rows*.22))**2 < 1
    noise = np.random.default_rng(0).integers(-30, 31, (8,rows,rows), dtype=np.int16)
    plane = np.where(r[0] < 1, np.where(lungs[0], -850, 40), -1000).astype(np.int16)
    data = np.tile(plane+noise, (-(-slices//8),1,1))[:slices]
    ball = ((k-slices/2)*.8)**2 + ((i-rows*.5)*.7)**2 + ((j-rows*.7)*.7)**2 < 15**2
    data[ball] = 60
    vol = Volume(data, [[0,0,-.7,180],[0,-.7,0,180],[.8,0,0,-.4*slices],[0,0,0,1]], 'HU', dict(Modality='CT', WindowCenter=-600, WindowWidth=1500, note='synthetic'))
    return vol, vol.like(ball.astype(np.uint8), 'label', {1:'nodule'})
'''

def kernel_side(vol, mask, repeats):
    "Seconds until the display messages are handed over, and until the volume is; first and median of the rest."
    import IPython.display as display
    from radnb.view import fallback, viewer
    handed = []
    display.publish_display_data = lambda data, **kw: handed.append((time.perf_counter(), time.process_time(), data))
    viewer.widgets_live = fallback.widgets_live = lambda: True
    shown, sent, cpu, size = [], [], [], {}
    for _ in range(repeats):
        handed.clear()
        start, busy = time.perf_counter(), time.process_time()
        v = viewer.view(vol, mask)
        v._ipython_display_()
        sent.append(time.perf_counter()-start); shown.append(handed[-1][0]-start); cpu.append(handed[-1][1]-busy)
        c = v.canvas
        size = dict(png_kB=len(handed[0][2]['image/png'])*3/4/1e3, first_slices_MB=sum(len(b) for s in c.first for b in s['data'])/1e6, volume_MB=len(c.image['data'])/1e6, shrunk=list(v.factors))
        v.close()
    again = lambda t: statistics.median(t[1:]) if len(t) > 1 else None
    return dict(messages_first_s=shown[0], messages_again_s=again(shown), messages_first_cpu_s=cpu[0], messages_again_cpu_s=again(cpu), with_volume_first_s=sent[0], with_volume_again_s=again(sent), **size)

def yardstick(vol):
    "Seconds for work whose speed is known: copying the volume, and packing 16 MB."
    t = time.perf_counter(); vol.data.copy(); copied = time.perf_counter()-t
    t = time.perf_counter(); gzip.compress(vol.data[:32].tobytes(), 1)
    return dict(copy_s=copied, gzip16MB_s=time.perf_counter()-t)

def browser_side(slices):
    "Seconds from Run to the first canvas that shows a scan."
    sys.path.insert(0, str(ROOT/'tests'/'browser'))
    import driver
    from playwright.sync_api import sync_playwright
    cells = [CT+f'\nfrom radnb.view.viewer import view\nimport anywidget, ipywidgets, matplotlib.figure\nvol, mask = large_ct({slices})', 'view(vol, mask)']
    watch = """() => new Promise(done => { const look = () => { const c = document.querySelector('[data-radnb=drawn] canvas');
        const seen = c && c.width && new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size > 20;
        seen ? done(performance.now()) : setTimeout(look, 10) }; look() })"""
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as p:
        lab = driver.Lab(tmp)
        try:
            lab.wait()
            b = p.chromium.launch(executable_path=driver.find_chromium(), args=driver.QUIET+driver.WEBGL)
            with driver.Notebook(b, lab, 'bench.ipynb', cells) as nb:
                run = lambda i: nb.page.evaluate("""async i => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = i; const t = performance.now();
                    window.jupyterapp.commands.execute('notebook:run-cell'); return t }""", i)
                run(0)
                nb.page.wait_for_function("() => { const m = window.jupyterapp.shell.currentWidget.content.widgets[0].model; return m.executionCount && m.executionState !== 'running' }", timeout=120_000)
                start = run(1)
                drawn = nb.page.evaluate(watch)
                nb.page.wait_for_function("document.querySelector('.radnb-Cell')?.dataset.volume === 'here'", timeout=120_000)
                here = nb.page.evaluate('performance.now()')
                return dict(run_to_picture_s=(drawn-start)/1000, run_to_volume_s=(here-start)/1000, page_errors=len(nb.errors), asked_elsewhere=len(nb.blocked))
        finally: lab.stop()

if __name__ == '__main__':
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--slices', type=int, default=300)
    ap.add_argument('--repeats', type=int, default=4)
    ap.add_argument('--browser', action='store_true')
    args = ap.parse_args()
    exec(CT)
    vol, mask = globals()['large_ct'](args.slices)
    out = dict(volume=repr(vol), load=os.getloadavg()[0], kernel=kernel_side(vol, mask, args.repeats), yardstick=yardstick(vol))
    if args.browser: out['browser'] = browser_side(args.slices)
    sys.stdout.write(json.dumps(out, indent=1)+'\n')
