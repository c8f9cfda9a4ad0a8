"The ITK viewer in JupyterLab, in a real browser, with the network off."
import base64, io, os
import numpy as np
import pytest
from PIL import Image
from driver import Notebook, grey_levels

pytest.importorskip('itkwidgets', reason="pip install 'radnb[itk]'")
pytestmark = pytest.mark.browser

# A head whose bleed lies left, in front and high up
PHANTOM = '''import numpy as np
import radnb.view.itk as itk
from radnb.data.volume import Volume, to_sitk
i = np.moveaxis(np.indices((40,64,60)), 0, -1)
A = np.array([[0,0,-1,30.], [0,-1,0,32], [1.5,0,0,-30], [0,0,0,1]])
x,y,z = np.moveaxis(i @ A[:3,:3].T + A[:3,3], -1, 0)
hu = np.where((x/24)**2 + (y/30)**2 + (z/28)**2 < .8, 40, -1000).astype(np.int16)
bleed = (x+10)**2 + (y-12)**2 + z**2 < 49
hu[bleed] = 80
vol = Volume(hu, A, 'HU', dict(Modality='CT'))
mask = vol.like(bleed.astype(np.uint8), 'label', {1:'bleed'})'''
NEXT = "import sys; print('next', 'itkwidgets' in sys.modules)"
SEEN = '''() => {
    const view = plugin.viewer.getStore().itkVtkView, camera = view.getCamera(), image = view.getRepresentations()[0].getInputDataSet();
    return { mode: view.getViewMode(), up: camera.getViewUp(), from: camera.getPosition(), at: camera.getFocalPoint(),
             corners: [[0,0,0], [59,0,0], [0,63,0], [0,0,39]].map(p => [...image.indexToWorld(p)]),
             spacing: [...image.getSpacing()], size: [...image.getDimensions()] } }'''

def viewers(nb):
    "The frames in which viewers run"
    return [f for f in nb.page.frames if '/static/itk/' in f.url]

def wait_drawn(nb, n, seconds): nb.wait_until(lambda: nb.page.locator('[data-radnb=drawn]').count() >= n, f'{n} viewers are not drawn', seconds)
def notes(nb): return nb.page.locator('.radnb-note').all_inner_texts()

A = np.array([[0,0,-1,30.], [0,-1,0,32], [1.5,0,0,-30], [0,0,0,1]])

def corners(affine):
    "First voxel, and the last along column, row and slice, in LPS mm, as SimpleITK has them"
    from radnb.data.volume import Volume, to_sitk
    image = to_sitk(Volume(np.zeros((40,64,60), np.uint8), affine))
    return [image.TransformIndexToPhysicalPoint(p) for p in ([0,0,0],[59,0,0],[0,63,0],[0,0,39])]

def shot(nb):
    "A screenshot, where `RADNB_SHOTS` says"
    folder = os.environ.get('RADNB_SHOTS')
    if folder: nb.page.screenshot(path=f'{folder}/{nb.path.stem}.png', timeout=120_000)

def run_cells(nb, *cells):
    "Append cells, run them at once, and give the text that the last one printed"
    nb.page.evaluate("""async cells => {
        const content = window.jupyterapp.shell.currentWidget.content, n = content.widgets.length;
        for (const source of cells) content.model.sharedModel.addCell({ cell_type: 'code', source });
        content.activeCellIndex = n;
        await window.jupyterapp.commands.execute('notebook:run-all-below') }""", list(cells))
    last = lambda: nb.cells()[-1]
    nb.wait_until(lambda: last()['execution_count'] is not None and last()['outputs'], f'the cells do not run: {nb.cells()[-len(cells):]}', 150)
    return ''.join(''.join(o.get('text', o.get('traceback', ''))) for o in last()['outputs'])

def test_it_draws_offline_and_answers(browser, lab):
    cells = [PHANTOM+'\nitk.WAIT, itk.DRAW = 60, 120   # a slow computer may take its time', 'v = itk.view_itk(vol, mask, window=(40,100)); v', NEXT]
    with Notebook(browser, lab, 'itk.ipynb', cells, size=(1300,1000)) as nb:
        asked = []
        nb.page.on('request', lambda r: asked.append(r.url))
        assert nb.page.evaluate('window.connectPlugin.radnb') is True            # our host, not the stock one
        assert not any('imjoy' in u or '/static/itk/' in u for u in asked)        # nothing costs before a viewer is asked for
        nb.run_all(120)
        assert 'next False' in str(nb.cells()[2]['outputs'])                     # Run All was not held up; itkwidgets was not even imported
        wait_drawn(nb, 1, 180)
        shot(nb)
        first, = viewers(nb)
        assert first.evaluate('window.__draws') > 0
        assert (nb.blocked, nb.errors) == ([], [])

        # what lies where: as SimpleITK says, and hung as a radiologist hangs it
        seen = first.evaluate(SEEN)
        assert seen['mode'] == 'ZPlane' and np.allclose(seen['up'], [0,-1,0]) and seen['from'][2] < seen['at'][2]   # from the feet, front up: patient right on the left
        assert np.allclose(seen['spacing'], [1,1,1.5], atol=1e-4) and seen['size'] == [60,64,40]
        assert np.allclose(seen['corners'], corners(np.eye(4)@A), atol=.01)
        picture = nb.pixels(nb.page.locator('[data-radnb=drawn] .radnb-itk').first).astype(int)
        rows,columns = np.nonzero((picture[...,0]-picture[...,1] > 40) | (picture[...,2]-picture[...,1] > 40))   # the label is the only thing in colour
        assert len(rows) > 50

        # the numbers go to the browser and come back; the next cells wait for the answer, no longer
        text = run_cells(nb, 'limits, blend, names = v.viewer.get_image_color_range(), v.viewer.get_label_image_blend(), v.viewer.get_label_image_label_names()',
                         'print(limits, blend, dict(names)[1])')
        assert text.strip() == '[-10, 90] 0.5 bleed'
        run_cells(nb, "v.set_window((50,20)); limits = v.viewer.get_image_color_range(); print()")
        assert run_cells(nb, 'print(limits)').strip() == '[40, 60]'

        saved = nb.save()
    for cell in saved.cells[1:2]:                                                # what is left in the notebook: radnb's own picture
        png = next(o.data['image/png'] for o in cell.outputs if 'image/png' in o.get('data', {}))
        assert grey_levels(np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert('RGB'))) > 10

DEAF = "window.connectPlugin = Object.assign(async () => {}, { radnb: true })"

@pytest.mark.parametrize('page,why', [(DEAF, 'could not start'), ('delete window.connectPlugin', "needs JupyterLab or Notebook 7 with radnb's extension")], ids=['deaf','absent'])
def test_without_a_viewer_nothing_waits(browser, lab, page, why):
    "A host that never makes a viewer, and no host at all: cells run on at once, the picture stays and says why."
    name = f'itk_{"deaf" if "Object" in page else "absent"}.ipynb'
    with Notebook(browser, lab, name, [PHANTOM+'\nitk.WAIT = 1', 'v = itk.view_itk(vol, mask); v', NEXT], size=(1300,1000)) as nb:
        nb.page.evaluate(f'() => {{ {page} }}')
        nb.run_all(60)
        assert 'next' in str(nb.cells()[2]['outputs'])
        nb.wait_until(lambda: any(why in n for n in notes(nb)), 'nothing says why', 60)
        assert nb.page.locator('img.radnb-still').is_visible()
        assert run_cells(nb, 'a = 1', 'print(a)').strip() == '1'                 # the kernel is as free as before
        shot(nb)
