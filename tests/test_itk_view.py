"The ITK view without a browser: where voxels lie, what is sent, what happens where no page can show it."
import asyncio, json, re, subprocess, sys
from pathlib import Path
import numpy as np
import nbformat
import pytest

pytest.importorskip('zarr', reason="pip install 'radnb[itk]'")
import zarr
from radnb.core import MissingPackage
from radnb.data.volume import Volume, to_sitk
from radnb.view.itk import _labels, itk_geometry, patient_order, view_itk, zarr_store

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT/'radnb'/'lab'/'labextension'/'static'/'itk'

def rotation(*angles):
    "About x, y and z"
    out = np.eye(4)
    for axis,a in enumerate(angles):
        i,j = [(1,2),(2,0),(0,1)][axis]
        turn = np.eye(4); turn[[i,j],[i,j]] = np.cos(a); turn[i,j], turn[j,i] = -np.sin(a), np.sin(a)
        out = turn @ out
    return out

@pytest.fixture(params=['SPL','LIP','RIA','AIL','PSR'])
def turned(request):
    "A noise volume in many orientations, slightly oblique"
    A = rotation(.1, -.2, .15) @ np.array([[0,0,-.8,30.], [0,-.7,0,32], [1.5,0,0,-30], [0,0,0,1]])
    return Volume(np.random.default_rng(0).integers(-1000, 1000, (6,7,8)).astype(np.int16), A, 'HU').reorient(request.param)

def test_geometry_is_that_of_simpleitk(turned):
    g, witness = itk_geometry(turned), to_sitk(turned)
    np.testing.assert_allclose(g['spacing'], witness.GetSpacing())
    np.testing.assert_allclose(g['origin'], witness.GetOrigin())
    np.testing.assert_allclose(g['direction'].ravel(), witness.GetDirection(), atol=1e-12)

def test_each_voxel_is_sent_to_its_place(turned):
    "Read the store as the viewer does, and ask SimpleITK what lies there."
    store, witness = zarr_store(patient_order(turned)), to_sitk(turned)
    meta, data = json.loads(store['.zattrs'])['multiscales'][0], zarr.open(store)['0'][:]
    scale, shift = (np.array(t[k]) for t,k in zip(meta['datasets'][0]['coordinateTransformations'], ('scale','translation')))
    direction = np.array(meta['direction'])                                      # axes z, y, x
    assert (np.diag(direction) > .9).all()                                       # Z, Y and X planes are axial, coronal and sagittal
    for index in np.ndindex(data.shape):
        z,y,x = shift + direction @ (scale*index)
        assert witness.GetPixel(*witness.TransformPhysicalPointToIndex((x,y,z))) == data[index]

def test_a_mask_on_another_grid_finds_its_place():
    vol = Volume(np.zeros((10,12,14), np.int16), np.diag([2.,2,2,1]) @ rotation(0,0,.2), 'HU')
    fine = vol.resample(spacing=1.)
    label = Volume((np.indices(fine.shape)[0] > 9).astype(np.uint8), fine.affine, 'label', names={1:'upper'})
    out = _labels(vol, label, None)
    assert out.shape == vol.shape and out.names == {1:'upper'}
    assert (out.data[6:] == 1).mean() > .9 and (out.data[:4] == 0).all()

def test_a_tilted_stack_keeps_landmarks():
    hu = np.zeros((20,40,40), np.int16); hu[9:12,17:20,22:25] = 500
    tilted = Volume(hu, np.array([[0,0,-1,20.], [.6,-1,0,20], [2,0,0,-20], [0,0,0,1]]), 'HU')
    straight = patient_order(tilted)
    d = itk_geometry(straight)['direction']
    np.testing.assert_allclose(d.T@d, np.eye(3), atol=1e-9)
    centre = lambda v: v.physical(np.average(np.argwhere(v.data > 0), axis=0, weights=v.data[v.data > 0]))
    np.testing.assert_allclose(centre(straight), centre(tilted), atol=.05)
    np.testing.assert_allclose(straight.spacing, (2,1,1), atol=1e-9)

def test_the_command_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, 'itkwidgets', None)
    with pytest.raises(MissingPackage, match=r"pip install 'radnb\[itk\]'"): view_itk(np.zeros((2,3,4)))

def test_where_nobody_looks_nothing_waits(tmp_path):
    "nbclient has a kernel and no page: the picture, at once, and itkwidgets stays out."
    from nbclient import NotebookClient
    cells = ['import numpy as np, sys\nfrom radnb.view.itk import view_itk\nfrom radnb.data.volume import Volume\nv = view_itk(Volume(np.arange(4096.).reshape(16,16,16), unit="HU"))\nv',
             'print("itkwidgets" in sys.modules)']
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(nb, timeout=100, kernel_name='python3', resources=dict(metadata=dict(path=str(tmp_path)))).execute()
    assert any('image/png' in o.get('data', {}) for o in nb.cells[0].outputs)
    assert nb.cells[1].outputs[0].text == 'False\n'

def test_the_viewer_is_served_from_here():
    "All that the page asks for lies beside it, with the licences; imjoy-core is not part of what JupyterLab loads at its start."
    page = (STATIC/'index.html').read_text()
    assert 'http' not in page
    for name in (*re.findall(r'src="([^"]+)"', page), 'imjoy-core.min.js', 'imjoy-rpc.min.js', 'bootstrapUIMachineOptions.js.es.js', 'itk/pipeline/BloscZarr.wasm'):
        assert (STATIC/name).stat().st_size > 1000, name
    licences = (STATIC/'LICENSES.txt').read_text()
    for words in ('== itk-vtk-viewer', 'Kitware', '== imjoy-core', '== imjoy-rpc', 'ImJoy-Team', '== itk-viewer-bootstrap-ui', 'Apache License'): assert words in licences
    package = json.loads((STATIC.parent.parent/'package.json').read_text())
    assert package['jupyterlab']['disabledExtensions'] == ['imjoy-jupyterlab-extension']
    assert not any('PouchDB' in p.read_text(errors='ignore') for p in STATIC.parent.glob('*.js'))

def test_closing_frees_the_widgets():
    from radnb.view.fallback import hiding_still
    async def open_and_close():
        v = view_itk(np.random.default_rng(0).random((4,8,8)), height=200)
        v._live = hiding_still(v._widget())
        assert v.frame.still[:4] == b'\x89PNG' and v.frame.height == 200
        v.close(); v.close()
        return v
    assert asyncio.run(open_and_close())._live is None

def test_radnb_does_not_bring_itkwidgets_in():
    code = "import sys, radnb.explore, radnb.view.itk; sys.exit(any(m in sys.modules for m in ('itkwidgets','zarr','imjoy_rpc')))"
    assert subprocess.run([sys.executable, '-c', code], cwd=ROOT).returncode == 0
