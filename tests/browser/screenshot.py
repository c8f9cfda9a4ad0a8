"Make the README's picture of the viewer: python tests/browser/screenshot.py [--out nbs/images]. Real scans from RADNB_DATA if there, else synthetic ones."
import argparse, io, os, tempfile
from pathlib import Path
from PIL import Image
from playwright.sync_api import sync_playwright
import driver

ROOT = Path(__file__).resolve().parents[2]

REAL = ["from radnb.explore import *\nhead = load_series('scans/mprage_sagittal')\nct = load_series('scans/ct_jpeg2000').crop((0,140,16), (20,420,496))",
        "view(head, height=330)", "dense = ct.like(ct.data > 180, 'label', {1: 'above 180 HU'})\nview(ct, dense, window='soft tissue', layout='axial', height=280)"]
SYNTHETIC = ["from radnb.explore import *\nhead = mr_phantom(size=(64,160,160))[0]", "view(head, height=330)",
             "chest, nodule = ct_phantom(size=(48,160,160))\nview(chest, nodule, window='lung', height=280)"]

def shoot(out, size=(1680,1080), shown=(1400,900)):
    "Write `viewer.png` (1400 x 900, at most 256 colours) into `out`; returns its path."
    data = Path(os.environ.get('RADNB_DATA', ROOT.parent/'shared'/'data'))/'dicom'
    with tempfile.TemporaryDirectory() as tmp, sync_playwright() as p:
        lab = driver.Lab(tmp)
        try:
            lab.wait()
            real = (data/'mprage_sagittal').is_dir()
            if real: (lab.root/'scans').symlink_to(data)
            browser = p.chromium.launch(executable_path=driver.find_chromium(), args=driver.QUIET+driver.WEBGL)
            with driver.Notebook(browser, lab, 'Look.ipynb', REAL if real else SYNTHETIC, size) as nb:
                for bar in ('application:toggle-left-area', 'statusbar:toggle', 'application:toggle-header'):
                    nb.page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{bar}') }}")
                nb.run_all()
                nb.wait_drawn(2)
                nb.save()
                nb.page.evaluate("() => { document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0; document.activeElement.blur() }")
                nb.page.mouse.move(5, 5)
                nb.page.wait_for_timeout(1500)
                png = nb.page.screenshot()
            browser.close()
        finally: lab.stop()
    out.mkdir(parents=True, exist_ok=True)
    img = Image.open(io.BytesIO(png)).convert('RGB').resize(shown, Image.Resampling.LANCZOS)
    img.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE).save(out/'viewer.png', optimize=True)
    return out/'viewer.png'

if __name__ == '__main__':
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument('--out', type=Path, default=ROOT/'nbs'/'images')
    shoot(args.parse_args().out)
