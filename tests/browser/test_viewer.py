"The viewer in JupyterLab, in a real browser, with the network off."
import base64, io
from pathlib import Path
import nbformat
import numpy as np
import pytest
from PIL import Image
from driver import Notebook, grey_levels, open_page

pytestmark = pytest.mark.browser

PHANTOM = '''from radnb.data.phantom import ct_phantom
from radnb.view.viewer import view
vol, mask = ct_phantom(seed=1, size=(24,64,64))'''
SHOW = 'v = view(vol, mask, window="lung"); v'

def still(cell):
    "The PNG that a cell's output holds, as an array."
    png = next(o.data['image/png'] for o in cell['outputs'] if 'image/png' in o.get('data', {}))
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert('RGB'))

def test_real_series_draw_offline(browser, lab, real):
    folders = [real/'dicom'/s for s in ('mprage_sagittal', 'ct_jpeg2000')]
    if missing := [f for f in folders if not f.is_dir()]: pytest.skip(f'no {missing[0]}')
    cells = ['from radnb.data.dicom import load_series\nfrom radnb.view.viewer import view', *[f'view(load_series({str(f)!r}))' for f in folders]]
    with Notebook(browser, lab, 'real.ipynb', cells) as nb:
        nb.run_all()
        canvases = nb.wait_drawn(2)
        for i in range(2):
            picture = nb.pixels(canvases.nth(i))
            assert grey_levels(picture) > 60 and picture.std() > 20   # a scan, not an empty box
        assert nb.draws() > 0
        assert nb.page.get_by_text('Radiological convention').count() == 2
        assert (nb.blocked, nb.errors) == ([], [])                   # nothing was even asked for outside this machine

def test_mask_opacity_and_window_are_live(browser, lab):
    with Notebook(browser, lab, 'phantom.ipynb', [PHANTOM, SHOW]) as nb:
        nb.run_all()
        canvas = nb.wait_drawn()
        first, start = nb.pixels(canvas), nb.page.locator('.jp-OutputArea code').first.inner_text()
        orange = lambda a: ((a[...,0] > a[...,2].astype(int)+60) & (a[...,0] > 90)).sum()
        assert orange(first) > 30                                     # the nodule's mask

        slider = nb.page.locator('.widget-slider .noUi-handle').first
        slider.focus()
        nb.page.keyboard.press('Home')                                # opacity 0, by keyboard
        nb.wait_until(lambda: orange(nb.pixels(canvas)) < orange(first)/4, 'the opacity slider does nothing')

        lung = nb.pixels(canvas)
        nb.page.locator('.widget-dropdown select').first.select_option(label='bone (L 400 W 1800)')
        nb.wait_until(lambda: np.abs(nb.pixels(canvas).astype(int)-lung).mean() > 10, 'the window menu does nothing')

        box, value = canvas.bounding_box(), nb.page.locator('.jp-OutputArea code').first
        nb.page.mouse.click(box['x']+box['width']*.15, box['y']+box['height']*.4)
        nb.wait_until(lambda: ' HU' in value.inner_text() and value.inner_text() != start, 'no value under the crosshair')
        clicked = value.inner_text()
        nb.page.mouse.wheel(0, 300)
        nb.wait_until(lambda: value.inner_text() != clicked, 'the wheel does not scroll the slices')
        assert (nb.blocked, nb.errors) == ([], [])

        nb.execute('v.close()')                                       # frees the kernel's memory; the still picture comes back
        nb.page.locator('.jp-RenderedImage img').wait_for(state='visible')
        assert nb.page.locator('[data-radnb=drawn]').count() == 0

def test_saved_notebook_keeps_the_picture(browser, lab):
    with Notebook(browser, lab, 'saved.ipynb', [PHANTOM, SHOW]) as nb:
        nb.run_all(); nb.wait_drawn()
        assert not nb.page.locator('.jp-RenderedImage').first.is_visible()     # the live view has taken the picture's place
        saved = nb.save()
    assert grey_levels(still(saved.cells[1])) > 40
    assert 'widgets' not in saved.metadata
    with Notebook(browser, lab, 'saved.ipynb') as nb:                          # reopened: a new kernel that knows nothing
        img = nb.page.locator('.jp-RenderedImage img')
        img.wait_for(state='visible')
        assert grey_levels(nb.pixels(img)) > 40

def test_without_webgl_the_picture_shows(browser_without_webgl, lab):
    with Notebook(browser_without_webgl, lab, 'no_webgl.ipynb', [PHANTOM, SHOW]) as nb:
        nb.run_all()
        img = nb.page.locator('img.radnb-still')
        img.wait_for(state='visible')
        assert grey_levels(nb.pixels(img)) > 40
        assert 'no WebGL2' in nb.page.locator('.radnb-note').inner_text()
        assert nb.page.locator('.jp-OutputArea img:visible').count() == 1      # once, not twice
        assert (nb.blocked, nb.errors) == ([], [])

def test_published_page_shows_the_picture(lab, browser):
    "nbconvert's HTML of a run notebook: the picture is there, without a kernel and without scripts from elsewhere."
    from nbconvert import HTMLExporter
    path = lab.root/'saved.ipynb'
    if not path.exists(): pytest.skip('needs the notebook of test_saved_notebook_keeps_the_picture')
    html,_ = HTMLExporter().from_notebook_node(nbformat.read(path, as_version=4))
    page = open_page(browser)
    page.set_content(html, wait_until='domcontentloaded')
    img = page.locator('.jp-RenderedImage img')
    assert img.count() == 1 and img.bounding_box()['width'] > 300
    page.close()

def test_tutorial_runs_top_to_bottom(browser, lab):
    "`Look at anything` with Run All pressed at once: both viewers draw, with the scans that are there, real or synthetic."
    tutorial = Path(__file__).resolve().parents[2]/'nbs'/'tutorials'/'05_look.ipynb'
    nb = nbformat.read(tutorial, as_version=4)
    nb.metadata.kernelspec = dict(name='python3', display_name='Python 3', language='python')
    nb.cells = [c for c in nb.cells if not c.source.startswith('#| eval: false')]
    nbformat.write(nb, lab.root/'05_look.ipynb')
    with Notebook(browser, lab, '05_look.ipynb') as page:
        page.run_all(150)
        page.wait_drawn(2)
        assert (page.blocked, page.errors) == ([], [])
