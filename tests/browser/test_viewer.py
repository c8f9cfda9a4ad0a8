"The viewer in JupyterLab, in a real browser, with the network off."
import base64, io, json, os, signal
from pathlib import Path
import nbformat
import numpy as np
import pytest
from PIL import Image
from driver import Notebook, grey_levels, open_page

pytestmark = pytest.mark.browser

PHANTOM = '''import json, time
from pathlib import Path
from radnb.data.phantom import ct_phantom
from radnb.view.viewer import view
vol, mask = ct_phantom(seed=1, size=(24,64,64))'''
SHOW = 'v = view(vol, mask, window="lung"); v'

def still(cell):
    "The PNG that a cell's output holds, as an array."
    png = next(o.data['image/png'] for o in cell['outputs'] if 'image/png' in o.get('data', {}))
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert('RGB'))

def plane(nb, name, nth=0): return nb.page.locator(f'.radnb-SliceView[data-plane={name}]').nth(nth)
def number(view): return int(view.get_attribute('data-slice'))
def foot(nb, nth=0): return nb.page.locator('.radnb-Cell .radnb-Foot').nth(nth).inner_text()
def orange(a): return int(((a[...,0] > a[...,2].astype(int)+60) & (a[...,0] > 90)).sum())

def ask(nb, code):
    "The value of an expression in the kernel."
    path = nb.lab.root/'answer.json'
    path.unlink(missing_ok=True)
    nb.execute(f'import json; from pathlib import Path; Path("answer.tmp").write_text(json.dumps({code})); Path("answer.tmp").rename("answer.json")')
    nb.wait_until(path.exists, f'no answer to {code}')
    return json.loads(path.read_text())

def slide(nb, name, key):
    "Press a key on an overlay's slider."
    nb.page.locator(f'input[data-overlay={name}]').first.focus()
    nb.page.keyboard.press(key)

def test_real_series_draw_offline(browser, lab, real):
    folders = [real/'dicom'/s for s in ('mprage_sagittal', 'ct_jpeg2000')]
    if missing := [f for f in folders if not f.is_dir()]: pytest.skip(f'no {missing[0]}')
    cells = ['from radnb.data.dicom import load_series\nfrom radnb.view.viewer import view', *[f'view(load_series({str(f)!r}))' for f in folders]]
    with Notebook(browser, lab, 'real.ipynb', cells) as nb:
        nb.run_all()
        canvases = nb.wait_drawn(6)
        for i in (0,3):
            picture = nb.pixels(canvases.nth(i))
            assert grey_levels(picture) > 60 and picture.std() > 20   # a scan, not an empty box
        assert plane(nb, 'sagittal').bounding_box()['width'] > plane(nb, 'axial').bounding_box()['width']   # the acquired plane is the large one
        assert nb.page.get_by_text('Radiological convention').count() == 2
        assert (nb.blocked, nb.errors) == ([], [])                   # nothing was even asked for outside this machine

def test_what_lies_on_the_picture_is_live(browser, lab):
    cells = [PHANTOM + '\nprob = mask.data*.7', 'v = view(vol, mask, prob=prob, window="lung"); v']
    with Notebook(browser, lab, 'overlays.ipynb', cells) as nb:
        nb.run_all(); nb.wait_drawn(3)
        axial = plane(nb, 'axial')
        glow = lambda: orange(nb.pixels(axial))
        start = glow()
        assert start > 100 and 'nodule' in foot(nb) and 'p 0.70' in foot(nb)     # it opens where the mask is largest, and says what is there

        slide(nb, 'threshold', 'End')                                 # nothing has probability 1
        nb.wait_until(lambda: glow() < start/2, 'the threshold does nothing')
        outline = glow()
        assert outline > 10                                           # the mask's border is still there
        nb.page.get_by_role('button', name='Filled').click()
        nb.wait_until(lambda: glow() > 2*outline, 'the mask is not filled')
        slide(nb, 'maskOpacity', 'Home')
        nb.wait_until(lambda: glow() == 0, 'the opacity slider does nothing')
        slide(nb, 'maskOpacity', 'End')
        nb.wait_until(lambda: glow() > outline, 'the mask does not come back')
        nb.page.locator('.radnb-Chip', has_text='nodule').click()
        nb.wait_until(lambda: glow() == 0, 'a structure cannot be switched off')
        seen = '[v.canvas.threshold, v.canvas.mask_outline, v.canvas.mask_opacity, v.canvas.hidden]'
        nb.wait_until(lambda: ask(nb, seen) == [1, False, 1, [1]], 'Python does not hear of it')

        before = nb.pixels(axial)
        nb.execute('v.canvas.band = [-100, 100]')                     # soft tissue is painted
        nb.wait_until(lambda: np.abs(nb.pixels(axial).astype(int)-before).mean() > 3, 'the band is not painted')
        assert '-100 to 100 HU' in nb.page.locator('.radnb-Overlays').inner_text()
        nb.execute('v.canvas.band = None; v.set_mask(vol > 200)')
        nb.page.locator('.radnb-Chip', has_text='> 200 HU').wait_for()
        assert (nb.blocked, nb.errors) == ([], [])

def test_hands_on_the_picture(browser, lab):
    "Mouse, wheel and keys do what they do in JupyterLab's tab, Python hears of it, and the notebook does not."
    with Notebook(browser, lab, 'hands.ipynb', [PHANTOM, SHOW]) as nb:
        nb.run_all(); nb.wait_drawn(3)
        axial, mouse = plane(nb, 'axial'), nb.page.mouse
        axial.scroll_into_view_if_needed()
        box = axial.bounding_box()
        x,y = box['x']+box['width']*.4, box['y']+box['height']*.45
        mouse.move(x, y); k = number(axial)
        nb.page.evaluate("() => document.activeElement.blur()")
        mouse.wheel(0, 100); nb.page.wait_for_timeout(300)
        assert number(axial) == k                                     # the page scrolls, until somebody has clicked
        before = foot(nb)
        axial.click(position=dict(x=box['width']*.4, y=box['height']*.45))
        nb.wait_until(lambda: foot(nb) != before and ' HU' in foot(nb), 'no value under the crosshair')
        mouse.wheel(0, 100)
        nb.wait_until(lambda: number(axial) == k+1, 'the wheel does not scroll the slices')
        nb.page.keyboard.press('PageDown')
        nb.wait_until(lambda: number(axial) > k+1, 'the keyboard does not scroll the slices')

        lung = nb.pixels(axial)
        nb.page.get_by_label('Window').first.select_option(label='bone (L 400 W 1800)')
        nb.wait_until(lambda: np.abs(nb.pixels(axial).astype(int)-lung).mean() > 10 and 'L 400 W 1800 HU' in foot(nb), 'the window menu does nothing')
        box = axial.bounding_box(); x,y = box['x']+box['width']*.4, box['y']+box['height']*.45
        mouse.move(x, y); mouse.down(button='right'); mouse.move(x+80, y+40); mouse.up(button='right')
        nb.wait_until(lambda: 'L 400 W 1800' not in foot(nb), 'the right button does not window')
        assert nb.page.locator('.lm-Menu:visible').count() == 0       # and opens no menu

        cells = len(nb.cells())
        axial.click()
        for key,shown in (('a',1), ('m',3), ('c',1), ('m',3)):        # A and M are commands of the notebook, too
            nb.page.keyboard.press(key)
            nb.wait_until(lambda shown=shown: nb.page.locator('.radnb-SliceView:visible').count() == shown, f'{key} does not change the layout')
        assert len(nb.cells()) == cells and nb.cells()[1]['cell_type'] == 'code'
        nb.wait_until(lambda: ask(nb, 'v.canvas.view_layout') == 'mpr', 'Python does not hear of the layout')
        at,low = ask(nb, '[v.canvas.at, v.canvas.low]')
        assert low != -500 and foot(nb).startswith('R' if at[0] >= 0 else 'L')
        assert f'L {(low+ask(nb, "v.canvas.high"))/2:.4g}' in ask(nb, 'repr(v.snapshot())')   # the picture is of what is seen

        nb.execute('v.set_window("lung"); v.go((0,0,0))')
        nb.wait_until(lambda: 'L -600 W 1500 HU' in foot(nb) and 'R 0.0, A 0.0, S 0.0 mm' in foot(nb), 'Python does not steer the view')
        nb.execute('v.go((0,0,900))')
        nb.wait_until(lambda: 'S 900.0 mm: outside' in foot(nb), 'a value is reported for a point beyond the volume')
        nb.execute('v.go((0,0,0))')
        nb.execute('v.close()')                                       # frees the kernel's memory; the still picture comes back
        nb.page.locator('.jp-RenderedImage img').wait_for(state='visible')
        assert nb.page.locator('.radnb-SliceView').count() == 0
        assert (nb.blocked, nb.errors) == ([], [])

def test_a_busy_kernel_does_not_stop_the_reader(browser, lab):
    "Run All with a long cell after the viewer: all planes scroll while the kernel computes."
    with Notebook(browser, lab, 'busy.ipynb', [PHANTOM, SHOW, 'while not Path("stop").exists(): time.sleep(.1)']) as nb:
        nb.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        nb.wait_drawn(3)
        axial = plane(nb, 'axial'); axial.click(); k = number(axial)
        for d in range(1, 9):
            nb.page.keyboard.press('ArrowDown')
            nb.wait_until(lambda d=d: number(axial) == k+d, 'scrolling waits for the kernel')
        assert axial.get_attribute('data-sharp') == 'true'
        box = axial.bounding_box()
        cut = number(plane(nb, 'coronal'))
        nb.page.mouse.click(box['x']+box['width']*.5, box['y']+box['height']*.35)
        nb.wait_until(lambda: number(plane(nb, 'coronal')) != cut, 'the other planes wait for the kernel')
        assert nb.cells()[2]['execution_count'] is None               # still computing
        (nb.lab.root/'stop').write_text('')
        nb.page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'", timeout=30_000)
        assert nb.errors == []

LARGE = '''import numpy as np
from radnb.data.volume import Volume
from radnb.view.viewer import view
k, i, j = np.ogrid[:600,:512,:512]
ct = Volume((((i//2+j//2) % 2)*400 + k).astype(np.int16), [[0,0,-.7,180],[0,-.7,0,180],[.8,0,0,-240],[0,0,0,1]], "HU", dict(Modality="CT", WindowCenter=400, WindowWidth=800, note="synthetic"))
v = view(ct, layout="axial", height=400)'''

def test_a_large_ct_is_sharp_on_demand(browser, lab):
    "512 x 512 x 600: never sent whole; slices at full resolution follow, and while the kernel does not answer a coarse one shows and says so."
    with Notebook(browser, lab, 'large.ipynb', [LARGE, 'v']) as nb:
        nb.run_all()
        axial = plane(nb, 'axial')
        axial.and_(nb.page.locator('[data-radnb=drawn]')).wait_for(timeout=60_000)
        assert axial.get_attribute('data-sharp') == 'true'            # the first slice came with the widget
        nb.page.wait_for_function("document.querySelector('.radnb-Cell').dataset.volume === 'here'", timeout=60_000)
        axial.click(); k = number(axial)
        kernel = ask(nb, '__import__("os").getpid()')
        os.kill(kernel, signal.SIGSTOP)                               # a running cell would not do: JupyterLab 4.4 and ipykernel 7 answer beside it
        try:
            nb.page.keyboard.press('PageDown')
            nb.wait_until(lambda: number(axial) == k+10, 'a busy kernel stops the scrolling')
            nb.wait_until(lambda: axial.get_attribute('data-sharp') == 'false', 'a coarse slice passes for a sharp one')
            nb.page.locator('.radnb-Notice').get_by_text('waiting for the kernel').wait_for()
        finally: os.kill(kernel, signal.SIGCONT)
        nb.wait_until(lambda: axial.get_attribute('data-sharp') == 'true' and number(axial) == k+10, 'the sharp slice does not come')
        assert nb.page.locator('.radnb-Notice:visible').count() == 0
        nb.page.keyboard.press('c')
        coronal = plane(nb, 'coronal')
        nb.wait_until(lambda: coronal.count() and coronal.get_attribute('data-sharp') == 'true', 'the other plane does not come')
        value = int(foot(nb).split(' mm: ')[1].split(' HU')[0])
        assert value == ask(nb, 'int(ct.data[tuple(np.rint(ct.index(v.canvas.at)).astype(int))])')   # not of the shrunk copy
        assert 'full resolution come from the kernel' in foot(nb) and (nb.blocked, nb.errors) == ([], [])

def test_of_two_views_one_may_close(browser, lab):
    "One viewer shown by two cells: when the output of one is cleared, the other still gets its sharp slices."
    cells = [PHANTOM, 'v = view(vol, max_mb=.05, layout="axial", height=300); v', 'v']
    with Notebook(browser, lab, 'twice.ipynb', cells) as nb:
        nb.run_all(); nb.wait_drawn(2)
        nb.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; window.jupyterapp.commands.execute('notebook:clear-cell-output') }")
        nb.wait_until(lambda: nb.page.locator('.radnb-SliceView').count() == 1, 'the first view stays')
        axial = plane(nb, 'axial'); axial.click(); k = number(axial)
        for _ in range(9): nb.page.keyboard.press('ArrowDown')
        nb.wait_until(lambda: number(axial) == k+9 and axial.get_attribute('data-sharp') == 'true', 'it stays coarse')
        assert (nb.blocked, nb.errors) == ([], [])

FOUR = PHANTOM + '''
import numpy as np
from radnb.data.volume import Volume
four = Volume(np.stack([vol.data, vol.data+100, vol.data+200]), vol.affine, "HU", vol.meta)'''

def test_time_and_3d(browser, lab):
    with Notebook(browser, lab, 'four.ipynb', [FOUR, 'v = view(four, mask, window="lung", height=320); v'], size=(1000,800)) as nb:
        nb.run_all(); nb.wait_drawn(3)
        value = lambda: int(foot(nb).split(' mm: ')[1].split(' HU')[0])
        first = value()
        nb.page.get_by_label('time', exact=True).focus(); nb.page.keyboard.press('End')
        nb.wait_until(lambda: value() == first+200, 'the time slider does nothing')
        nb.wait_until(lambda: ask(nb, 'v.canvas.time') == 2, 'the kernel does not hear of the time')
        nb.execute('v.canvas.time = 1')
        nb.wait_until(lambda: value() == first+100 and nb.page.get_by_label('time', exact=True).input_value() == '1', 'the slider does not follow')
        draws = nb.draws()
        nb.page.get_by_role('button', name='3D').click()
        canvas = nb.page.locator('.radnb-VolumeView[data-radnb=drawn] canvas')
        canvas.wait_for(timeout=60_000)
        nb.wait_until(lambda: grey_levels(nb.pixels(canvas)) > 20, '3D stays blank', 60)
        assert nb.draws() > draws
        nb.wait_until(lambda: orange(nb.pixels(canvas)) > 10, 'the mask is not in the 3D picture')
        nb.page.get_by_role('button', name='MPR').click()
        nb.wait_until(lambda: nb.page.locator('.radnb-SliceView:visible').count() == 3, 'the planes do not come back')
        assert (nb.blocked, nb.errors) == ([], [])

OBLIQUE = '''import numpy as np
from radnb.data.volume import Volume
from radnb.view.viewer import view
t = np.deg2rad(17); turn = np.array([[np.cos(t),-np.sin(t),0],[np.sin(t),np.cos(t),0],[0,0,1]]) @ np.array([[1,0,0],[0,np.cos(.2),-np.sin(.2)],[0,np.sin(.2),np.cos(.2)]])
A = np.eye(4); A[:3,:3] = turn @ (np.array([[0,0,1],[1,0,0],[0,-1,0.]])[:, [1,0,2]] * [1.5,.9,1.2]); A[:3,3] = (-20,30,12)
vol = Volume(np.random.default_rng(0).integers(0, 30000, (30,40,50), dtype=np.int16), A)
mask = vol.like((vol.data > 20000).astype(np.uint8), "label", {1:"bright"})
v = view(vol, mask); v'''

def test_an_oblique_volume_hangs_right(browser, lab):
    "Tilted, its axes swapped and flipped: what stands under the crosshair in each plane is the voxel at that point of the patient, and so is its label."
    with Notebook(browser, lab, 'oblique.ipynb', [OBLIQUE]) as nb:
        nb.run_all(); nb.wait_drawn(3)
        nb.page.wait_for_function("document.querySelector('.radnb-Cell').dataset.volume === 'here'")
        for name in ('axial','coronal','sagittal'):
            view = plane(nb, name); box = view.bounding_box()
            for fx,fy in ((.45,.4), (.56,.57)):
                before = foot(nb)
                view.click(position=dict(x=box['width']*fx, y=box['height']*fy))
                nb.wait_until(lambda before=before: foot(nb) != before and ' a.u.' in foot(nb), 'a click does nothing')
                words = lambda: ', '.join(f'{("RAS" if c >= 0 else "LPI")[a]} {abs(c):.1f}' for a,c in enumerate(ask(nb, 'v.canvas.at')))
                nb.wait_until(lambda words=words: foot(nb).startswith(words()), 'Python does not hear of the place')
                at, shown = ask(nb, 'v.canvas.at'), foot(nb).split(' mm: ')[1].split('\n')[0]
                value, label = ask(nb, f'(lambda i: [int(vol.data[i]), int(mask.data[i])])(tuple(np.rint(vol.index({at})).astype(int)))')
                assert shown.startswith(f'{value} a.u.') and ('bright' in shown) == bool(label), (name, shown, value, label)
        assert (nb.blocked, nb.errors) == ([], [])

TILTED = '''import numpy as np
from radnb.data.volume import Volume
from radnb.view.viewer import view
A = np.array([[0,0,-1,32.], [1.8,-1,0,20], [5,0,0,-60], [0,0,0,1]])     # 20 degrees: each slice lies 1.8 mm further to the front
hu = np.random.default_rng(0).normal(0, 30, (24,64,64)).astype(np.float32); hu[:,:,20] = np.nan
v = view(Volume(hu, A, "HU", dict(Modality="CT", note="synthetic")), layout="sagittal", height=500); v'''

def test_a_tilted_gantry_is_measured_right(browser, lab):
    "Across sheared slices a line is as long as in the patient, and it is said that shapes are not right; what has no value has none."
    with Notebook(browser, lab, 'tilted.ipynb', [TILTED]) as nb:
        nb.run_all(); nb.wait_drawn(1)
        view = plane(nb, 'sagittal'); box = view.bounding_box()
        assert 'Sheared' in foot(nb)
        nb.page.get_by_label('Right drag').select_option('distance')
        x,y,mouse = box['x']+box['width']/2, box['y']+box['height']/2, nb.page.mouse
        mouse.move(x-60, y-70); mouse.down(button='right'); mouse.move(x+60, y+70, steps=4); mouse.up(button='right')
        mark = nb.page.locator('.radnb-Marks li button').first
        mark.wait_for()
        p = ask(nb, 'v.canvas.scan["planes"]["sagittal"]')
        scale = min(box['height']/(p['rows']*p['spacing'][1]), box['width']/(p['cols']*p['spacing'][2]))
        a = np.array(p['affine'])[:3]
        true = np.linalg.norm(a[:,1]*140/scale/p['spacing'][1] + a[:,2]*120/scale/p['spacing'][2])
        assert abs(float(mark.inner_text().split()[0]) - true) < .02*true and abs(true - np.hypot(140,120)/scale) > .05*true
        nb.execute('v.go((12, 0, 0))')
        nb.wait_until(lambda: 'no value' in foot(nb), 'NaN has a value')
        assert (nb.blocked, nb.errors) == ([], [])

COMPARE = PHANTOM.replace('viewer import view', 'compare import compare') + '\nother, _ = ct_phantom(seed=1, size=(36,80,80), nodules=0)'

def test_two_scans_are_compared(browser, lab):
    "The same point in millimetres, zoom and window in both, and a divider that is dragged."
    with Notebook(browser, lab, 'compare.ipynb', [COMPARE, 'c = compare(vol, other, mask, window="lung", names=("before","after")); c']) as nb:
        nb.run_all(); nb.wait_drawn(2)
        one,two = plane(nb, 'axial', 0), plane(nb, 'axial', 1)
        assert abs(one.bounding_box()['y']-two.bounding_box()['y']) < 2
        assert nb.page.get_by_label('Window').first.bounding_box()['width'] > 100
        one.click(position=dict(x=one.bounding_box()['width']*.4, y=200))
        nb.page.keyboard.press('ArrowDown'); nb.page.keyboard.press('+')
        where = lambda n: foot(nb, n).split(' mm')[0]
        nb.wait_until(lambda: where(0) == where(1) and ask(nb, '[v.canvas.zoom for v in c.views]') == [1.25, 1.25], 'the views are not linked')
        mm = ask(nb, '[v.canvas.at for v in c.views]')
        assert np.allclose(mm[0], mm[1])
        nb.page.get_by_label('Window').first.select_option(label='bone (L 400 W 1800)')
        nb.wait_until(lambda: 'L 400 W 1800' in foot(nb, 1), 'the window is not linked')

        nb.page.locator('.jp-OutputArea .lm-TabBar-tabLabel', has_text='Swipe').click()
        swipe = plane(nb, 'axial', 2)
        nb.wait_until(lambda: swipe.is_visible() and swipe.get_attribute('data-radnb') == 'drawn' and where(2) == where(0), 'no swipe')
        box, before = swipe.bounding_box(), nb.pixels(swipe)
        x,y = box['x']+box['width']/2, box['y']+box['height']*.7
        nb.page.mouse.move(x, y); nb.page.mouse.down(); nb.page.mouse.move(x-150, y); nb.page.mouse.up()
        nb.wait_until(lambda: ask(nb, 'c.swipe.canvas.swipe') < .45 and np.abs(nb.pixels(swipe).astype(int)-before).mean() > .2, 'the divider is not dragged')
        nb.page.get_by_role('button', name='Flicker').click()
        nb.wait_until(lambda: ask(nb, 'c.swipe.canvas.swipe') == 1, 'no flicker')
        assert (nb.blocked, nb.errors) == ([], [])

def test_saved_notebook_keeps_the_picture(browser, lab):
    with Notebook(browser, lab, 'saved.ipynb', [PHANTOM, SHOW]) as nb:
        nb.run_all(); nb.wait_drawn(3)
        assert not nb.page.locator('.jp-RenderedImage').first.is_visible()     # the live view has taken the picture's place
        saved = nb.save()
    assert grey_levels(still(saved.cells[1])) > 40
    assert 'widgets' not in saved.metadata
    with Notebook(browser, lab, 'saved.ipynb') as nb:                          # reopened: a new kernel that knows nothing
        img = nb.page.locator('.jp-RenderedImage img')
        img.wait_for(state='visible')
        assert grey_levels(nb.pixels(img)) > 40

def test_without_webgl_the_planes_are_live(browser_without_webgl, lab):
    with Notebook(browser_without_webgl, lab, 'no_webgl.ipynb', [PHANTOM, SHOW]) as nb:
        nb.run_all(); nb.wait_drawn(3)
        axial = plane(nb, 'axial'); axial.click(); k = number(axial)
        nb.page.keyboard.press('ArrowUp')
        nb.wait_until(lambda: number(axial) == k-1, 'the planes are not live')
        three = nb.page.get_by_role('button', name='3D')
        assert three.is_disabled() and 'WebGL2' in three.get_attribute('title')
        assert (nb.blocked, nb.errors) == ([], [])

def test_the_dark_theme_is_dark(browser, lab):
    with Notebook(browser, lab, 'dark.ipynb', [PHANTOM, 'v = view(vol, mask, prob=mask.data*.7); v']) as nb:
        theme = lambda name: nb.page.evaluate("async name => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}) }", name)
        theme('JupyterLab Dark')
        try:
            nb.run_all(); nb.wait_drawn(3)
            colours = lambda s: nb.page.evaluate("""s => { const e = document.querySelector(s), sum = v => v.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
                let b = e; while (getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
                return [sum(getComputedStyle(b).backgroundColor), sum(getComputedStyle(e).color)] }""", f'.radnb-Cell {s}')
            for part in ('.radnb-Button:not([aria-pressed=true])', '.radnb-Field', 'select', '.radnb-Chip', '.radnb-Foot'):
                back,ink = colours(part)
                assert back < 250 < 330 < ink, (part, back, ink)
        finally: theme('JupyterLab Light')

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
    "`Look at anything` with Run All pressed at once: the viewers draw, with the scans that are there, real or synthetic."
    tutorial = Path(__file__).resolve().parents[2]/'nbs'/'tutorials'/'05_look.ipynb'
    nb = nbformat.read(tutorial, as_version=4)
    nb.metadata.kernelspec = dict(name='python3', display_name='Python 3', language='python')
    nb.cells = [c for c in nb.cells if not c.source.startswith('#| eval: false')]
    nbformat.write(nb, lab.root/'05_look.ipynb')
    with Notebook(browser, lab, '05_look.ipynb') as page:
        page.run_all(150)
        page.wait_drawn(6)
        assert (page.blocked, page.errors) == ([], [])
