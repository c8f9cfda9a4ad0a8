"""Make the README's pictures in JupyterLab: python tests/browser/screenshot.py [--out nbs/images] [--only viewer tab ...].
Real scans from RADNB_DATA if they are there, else synthetic ones; the scores of the threshold tuner are synthetic in either case, and say so."""
import argparse, io, os, shutil, tempfile
from pathlib import Path
from PIL import Image
from playwright.sync_api import sync_playwright
import driver

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get('RADNB_DATA', ROOT.parent/'shared'/'data'))/'dicom'
REAL = (DATA/'mprage_sagittal').is_dir()

LOAD = 'from radnb.explore import *\n'
SCORES = LOAD+'''rng = np.random.default_rng(1)   # SYNTHETIC scores of 600 patients
ill = rng.random(600) < .2
score = np.clip(rng.beta(2, 4, 600) + .33*ill, 0, 1)'''
#: What is shown in a notebook, and how high the page is
CELLS = dict(
    viewer=(1120, [LOAD+"head = load_series('scans/mprage_sagittal')\nct = load_series('scans/ct_jpeg2000').crop((0,140,16), (20,420,496))", 'view(head, height=400)',
                   "view(ct, ct > 180, window='soft tissue', layout='axial', height=330)"] if REAL else
                  [LOAD+'head = mr_phantom(size=(64,160,160))[0]\nchest, nodule = ct_phantom(size=(48,160,160))', 'view(head, height=400)',
                   "view(chest, nodule, window='lung', layout='axial', height=330)"]),
    tuner=(1060, [SCORES, "tune_threshold(ill, score, chosen_on='SYNTHETIC scores', prevalence=.05)"]),
    intensity=(1180, [LOAD+("ct = load_series('scans/ct_jpeg2000').crop((0,140,16), (20,420,496))" if REAL else 'ct = ct_phantom(size=(48,160,160))[0]'), 'tune_threshold(ct, low=180, min_mm3=50)']),
    cohort=(900, [LOAD+("series = series_table(index_dicom('scans/sarcoma'))" if REAL else "make_cohort('ward', n=8)\nseries = series_table(index_dicom('ward'))"), 'cohort(series)']))

def keep(png, path, shown):
    "Write a picture at the size `shown`, in at most 256 colours."
    img = Image.open(io.BytesIO(png)).convert('RGB').resize(shown, Image.Resampling.LANCZOS)
    img.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)
    return path

def bare(page):
    "Nothing but the document: no file browser, no bars."
    for bar in ('application:toggle-left-area', 'statusbar:toggle', 'application:toggle-header'):
        page.evaluate(f"async () => {{ await window.jupyterapp.commands.execute('{bar}') }}")

def settle(page):
    "Until the page has stopped changing."
    before = None
    for _ in range(40):
        page.wait_for_timeout(500)
        now = page.screenshot()
        if now == before: return now
        before = now
    return now

def shoot_notebook(browser, lab, name, out):
    height,cells = CELLS[name]
    with driver.Notebook(browser, lab, f'{name}.ipynb', cells, (1680,height)) as nb:
        bare(nb.page)
        nb.run_all(200); nb.save()
        nb.page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; document.activeElement.blur() }")
        nb.page.mouse.move(5, 5)
        return keep(settle(nb.page), out/f'{name}.png', (1400, round(height*1400/1680)))

def shoot_tab(browser, lab, out):
    "A scan opened from the file browser: with real data an RTSTRUCT, which opens on top of its images."
    if REAL: shutil.copytree(DATA/'sarcoma'/'STS_001'/'CT', lab.root/'STS_001'); path = next((lab.root/'STS_001'/'mask').rglob('*.dcm')).relative_to(lab.root).as_posix()
    else:
        from radnb.data.phantom import make_cohort
        make_cohort(lab.root/'ward', n=1); path = next((lab.root/'ward').rglob('*.dcm')).relative_to(lab.root).as_posix()
    page = driver.open_page(browser, (1680,1000))
    page.goto(f'{lab.url}/lab/tree/{path}?token={driver.TOKEN}')
    page.locator('[data-radnb=drawn]').first.wait_for(timeout=60_000)
    page.keyboard.press('h')
    png = settle(page)
    page.close()
    return keep(png, out/'tab.png', (1400,833))

def main(out, only):
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as p:
        lab = driver.Lab(tmp)
        try:
            lab.wait()
            if REAL: (lab.root/'scans').symlink_to(DATA)
            browser = p.chromium.launch(executable_path=driver.find_chromium(), args=driver.QUIET+driver.WEBGL)
            for name in only or [*CELLS, 'tab']: (shoot_tab(browser, lab, out) if name == 'tab' else shoot_notebook(browser, lab, name, out))
            browser.close()
        finally: lab.stop()

if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=ROOT/'nbs'/'images')
    parser.add_argument('--only', nargs='*')
    args = parser.parse_args()
    main(args.out, args.only)
