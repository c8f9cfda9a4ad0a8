"radnb in a Jupyter server: every route, what it refuses, and that the committed bundle is made of the committed sources."
import gzip, io, json, os, runpy, subprocess, sys, threading, time
from pathlib import Path
import numpy as np
import pytest

pytest.importorskip('pytest_jupyter', reason="pip install 'pytest-jupyter[server]'")
from tornado.httpclient import HTTPClientError
from radnb.core import BadInput, RadnbError
from radnb.data.phantom import make_cohort, mr_phantom
from radnb.data.volume import Volume, to_sitk
from radnb.lab.listing import Listing, scan
from radnb.lab.opening import Shelf, describe, raw_slice
from radnb.lab.paths import Guard, NotServed, check_data_file
from radnb.lab.reading import read_volume, thumbnail

pytest_plugins = ['pytest_jupyter.jupyter_server']
from pytest_jupyter.jupyter_core import jp_asyncio_loop  # noqa: E402, F401
from pytest_jupyter.jupyter_server import jp_server_cleanup  # noqa: E402, F401

@pytest.fixture
def jp_server_config(): return {'ServerApp': {'jpserver_extensions': {'radnb.lab': True}}}

@pytest.fixture(scope='session')
def scans(tmp_path_factory):
    "One volume as NIfTI (two ways), NRRD and MetaImage (attached and detached), and two synthetic patients as DICOM."
    import SimpleITK as sitk
    root = tmp_path_factory.mktemp('scans')
    vol = mr_phantom(size=(12,40,48))[0]
    for name in ('head.nii', 'head.nii.gz'): vol.to_nifti(root/name)
    for name in ('head.nrrd', 'head.nhdr', 'head.mha', 'head.mhd'): sitk.WriteImage(to_sitk(vol), str(root/name))
    make_cohort(root/'ward', n=2, size=(16,64,64), seed=1)
    (root/'notes.txt').write_text('not a scan')
    return root

@pytest.fixture
def root(jp_root_dir, scans):
    "The server's folder, with the scans in it."
    import shutil
    shutil.copytree(scans, jp_root_dir, dirs_exist_ok=True)
    return jp_root_dir

@pytest.fixture
def get(jp_fetch, root):
    "GET a route: (body or JSON, headers); errors come back as (status, JSON)."
    async def fetch(route, **query):
        try: r = await jp_fetch('radnb', route, params={k: str(v) for k,v in query.items()})
        except HTTPClientError as e: return e.code, json.loads(e.response.body)
        is_json = r.headers['Content-Type'].startswith('application/json')
        return (json.loads(r.body) if is_json else r.body), r.headers
    return fetch

# What lies at a path

SLICE = 'ward/SYN-0001/ct/IM0004.dcm'
FILES = ('head.nii', 'head.nii.gz', 'head.nrrd', 'head.nhdr', 'head.mha', 'head.mhd')

async def test_a_folder_lists_its_volumes(get):
    found,_ = await get('series', path='')
    by_kind = {k: [e for e in found['entries'] if e['kind'] == k] for k in ('dicom','nifti','itk')}
    assert {k: len(v) for k,v in by_kind.items()} == dict(dicom=2, nifti=2, itk=4)
    assert {e['title'] for e in by_kind['nifti']+by_kind['itk']} == set(FILES)
    for e in by_kind['dicom']:
        assert e['shape'] == [16,64,64] and e['Modality'] == 'CT' and e['verdict'] == 'regular' and e['code']['load'].startswith('ward/')

async def test_a_slice_brings_its_whole_series(get, root):
    found,_ = await get('series', path=SLICE)
    chosen = next(e for e in found['entries'] if e['id'] == found['selected'])
    assert found['single'] and chosen['n_files'] == 16 and 0 <= found['at'] < 16

async def test_extensionless_dicom_is_opened_by_what_it_is(get, root):
    (root/'loose').mkdir(); (root/'loose'/'IM0001').write_bytes((root/SLICE).read_bytes())
    found,_ = await get('series', path='loose/IM0001')
    assert len(found['entries']) == 1
    meta,_ = await get('meta', path='loose/IM0001', series=found['selected'])
    assert meta['unit'] == 'HU' and meta['shape'] == [1,64,64]

async def test_each_of_two_copies_opens(get, root):
    (root/'copies').mkdir()
    for n in ('a.dcm','b.dcm','c'): (root/'copies'/n).write_bytes((root/SLICE).read_bytes())
    for n in ('a.dcm','b.dcm','c'):
        found,_ = await get('series', path=f'copies/{n}')
        assert found['selected'] and (await get('meta', path=f'copies/{n}'))[0]['shape'] == [1,64,64], n

async def test_what_is_no_scan_says_so(get):
    found,_ = await get('series', path='notes.txt')
    assert found['entries'] == [] and found['note'].startswith('This is not a DICOM file') and found['remedy']
    assert (await get('meta', path='notes.txt'))[0] == 404

def test_only_what_has_changed_is_read_again(scans, tmp_path):
    import shutil
    shutil.copytree(scans/'ward', tmp_path/'w')
    listing = Listing(Guard(tmp_path), tmp_path/'w').read()
    n = listing.job.total
    assert n and listing.read().job.total == n
    table = listing.table
    victim = table.path[0]
    os.utime(victim, ns=(1,1))
    again = scan(list(table.path), table)
    assert again.mtime[list(again.path).index(victim)] == 1 and len(again) == n
    os.unlink(victim)
    assert len(scan([p for p in table.path if p != victim], table)) == n-1

async def test_progress_while_headers_are_read(get, jp_serverapp, monkeypatch):
    "A folder that takes its time answers 202 with the count, then the table."
    import radnb.lab.listing as listing
    real, go = listing.scan_files, threading.Event()
    monkeypatch.setattr(listing, 'scan_files', lambda files: (go.wait(20), real(files))[1])
    jp_serverapp.web_app.settings['radnb'].patience = .05
    first,headers = await get('series', path='ward')
    assert set(first) == {'done','total'}
    go.set()
    for _ in range(50):
        found,_ = await get('series', path='ward')
        if 'entries' in found: break
    assert len(found['entries']) == 2

async def test_the_reading_of_headers_is_a_job_that_can_be_stopped(get, jp_fetch, jp_serverapp, root, monkeypatch):
    "It is listed while it runs, ends when asked to, says so, and goes on from there when it is asked for again."
    import asyncio
    import radnb.lab.listing as listing
    real, go, seen = listing.scan_files, threading.Event(), []
    monkeypatch.setattr(listing, 'scan_files', lambda files: (seen.extend(files), real(files), go.wait(20))[1])
    monkeypatch.setattr(listing, '_CHUNK_S', 1e-9)
    for i in range(60): (root/'ward'/f'x{i:02d}').write_bytes(b'no scan')
    jp_serverapp.web_app.settings['radnb'].patience = .05
    assert 'total' in (await get('series', path='ward'))[0]
    assert [j['path'] for j in (await get('jobs'))[0]['jobs']] == ['ward']
    stop = lambda path: jp_fetch('radnb', 'jobs', params=dict(path=path), method='DELETE')
    for outside in ('../x', '/etc', 'ward/../..'):
        with pytest.raises(HTTPClientError) as e: await stop(outside)
        assert e.value.code == 404
    assert json.loads((await stop('ward')).body) == dict(stopped=True)
    go.set()
    for _ in range(50):
        found,said = await get('series', path='ward')
        if found == 409: break
        await asyncio.sleep(.05)
    assert found == 409 and said['error'] == 'Stopped' and 'again' in said['remedy']
    first = len(seen)
    assert first < 90 and (await get('jobs'))[0] == dict(jobs=[]) and json.loads((await stop('ward')).body) == dict(stopped=False)
    jp_serverapp.web_app.settings['radnb'].patience = 20
    assert len((await get('series', path='ward'))[0]['entries']) == 2 and len(seen) == len(set(seen))   # nothing is read twice

# Segmentations

def segmented(root):
    "A CT with its SEG in the folder beside it, and a head with its labels, named as people name them."
    from radnb.data.phantom import make_cohort
    truth = make_cohort(root/'seg', n=4, size=(16,64,64), seed=3)
    who = truth.PatientID[truth.nodule == 1].iloc[0]
    head, labels = mr_phantom(size=(12,40,48))
    (root/'imagesTr').mkdir(); (root/'labelsTr').mkdir()
    head.to_nifti(root/'imagesTr'/'case_1_0000.nii.gz'); labels.to_nifti(root/'labelsTr'/'case_1.nii.gz')
    labels.to_nifti(root/'labelsTr'/'alone_mask.nii.gz')
    return root/'seg'/who/'seg'/'ct.dcm'

async def test_a_segmentation_opens_on_its_image(get, root):
    seg = segmented(root).relative_to(root).as_posix()
    found,_ = await get('series', path=seg)
    image = next(e for e in found['entries'] if e['id'] == found['selected'])
    assert found['mask'] == seg and image['Modality'] == 'CT' and image['n_files'] == 16 and seg in {m['path'] for m in image['masks']}
    meta,_ = await get('meta', path=seg, series=image['id'], mask=seg)
    assert meta['unit'] == 'HU' and meta['labels'] and all(l['name'] and l['colour'][0] == '#' and l['ml'] > 0 for l in meta['labels'])
    on = 0
    for i in range(meta['planes']['axial']['slices']):
        raw,headers = await get('slice', path=seg, series=image['id'], mask=seg, plane='axial', i=i)
        about = json.loads(headers['X-Radnb-Slice'])
        assert about['type'] == 'uint8' and (about['rows'], about['cols']) == (64,64)
        on += np.count_nonzero(np.frombuffer(raw, 'uint8'))
    assert np.isclose(on*np.prod(meta['spacing'])/1000, sum(l['ml'] for l in meta['labels']))
    packed,_ = await get('volume', path=seg, series=image['id'], mask=seg)
    assert packed[:2] == b'\x1f\x8b'
    whole,_ = await get('series', path='seg')                                            # in the folder, the series knows its segmentations
    assert all(e['masks'] for e in whole['entries']) and len(whole['entries']) == 4 and 'SEG' not in {e['Modality'] for e in whole['entries']}

async def test_a_segmentation_without_its_image_is_shown_alone(get, root):
    (root/'alone').mkdir(); (root/'alone'/'seg.dcm').write_bytes(segmented(root).read_bytes())
    import shutil; shutil.rmtree(root/'seg')
    found,_ = await get('series', path='alone/seg.dcm')
    assert found['mask'] is None and found['entries'][0]['kind'] == 'seg' and 'drawn on the series' in found['entries'][0]['verdict']
    meta,_ = await get('meta', path='alone/seg.dcm')
    assert meta['unit'] == 'label' and meta['labels'] and meta['windows'] == []
    assert (await get('thumbnail', path='alone/seg.dcm', series=found['selected']))[0][:4] == b'\x89PNG'

async def test_label_maps_are_recognised(get, root):
    segmented(root)
    found,_ = await get('series', path='labelsTr/case_1.nii.gz')
    image = next(e for e in found['entries'] if e['id'] == found['selected'])
    assert found['mask'] == 'labelsTr/case_1.nii.gz' and image['file'] == 'imagesTr/case_1_0000.nii.gz'
    found,_ = await get('series', path='labelsTr/alone_mask.nii.gz')
    meta,_ = await get('meta', path='labelsTr/alone_mask.nii.gz')
    assert found['mask'] is None and meta['unit'] == 'label' and len(meta['labels']) > 1
    meta,_ = await get('meta', path='head.nii')
    assert meta['unit'] == 'a.u.' and meta['labels'] == []

@pytest.mark.parametrize('values,labels', [([0,0,0,1], True), ([0,0,1,2.], True), ([0,0,.5,1], False), ([-1,0,0,1], False), ([0,1,1,1], False), ([0,0,0,70000], False), ([0,0,float('nan'),1], False)])
def test_what_is_a_label_map(values, labels):
    from radnb.lab.masks import is_labelmap
    assert is_labelmap(Volume(np.array(values)[None,None]), named=True) is labels

async def test_a_mask_elsewhere_or_on_another_grid_is_refused(get, root):
    (root.parent/'secret.nii').write_bytes((root/'head.nii').read_bytes())
    Volume(np.ones((3,4,5), np.uint8), unit='label').to_nifti(root/'other.nii')
    for mask in OUTSIDE[:-1]:
        status,error = await get('slice', path='head.nii', mask=mask)
        assert status == 404 and error['error'] == 'NotServed', mask
    status,error = await get('meta', path='head.nii', mask='other.nii')
    assert status == 422 and error['what'] and error['remedy']
    status,error = await get('meta', path='head.nii', mask='notes.txt')
    assert status in (404, 422) and error['what']

@pytest.mark.parametrize('row,says', [(dict(status='truncated', reason='9 bytes are missing', Modality='CT'), 'cut off'), (dict(status='no image', reason='', Modality='SR'), 'structured report'),
    (dict(status='not DICOM', reason='Not a DICOM file (an empty file)', Modality=None), 'not a DICOM file: an empty file'), (dict(status='DICOMDIR', reason='', Modality=None), 'DICOMDIR'),
    (dict(status='unreadable', reason='Cannot be opened', Modality=None), 'cannot be read'), (dict(status='ok', reason='', Modality='XYZ'), 'XYZ')])
def test_what_is_no_picture_is_explained(row, says):
    import pandas as pd
    from radnb.lab.words import what_it_is
    what,todo = what_it_is(pd.Series(row))
    assert says in what and what.endswith('.') and todo.endswith('.')

# Headers

async def test_header_of_dicom(get, root):
    found,_ = await get('header', path=SLICE)
    rows = {r['keyword']: r for r in found['rows']}
    assert rows['Modality'] == dict(tag='(0008,0060)', keyword='Modality', vr='CS', depth=0, value='CT')
    assert 'bytes' in rows['PixelData']['value'] and rows['TransferSyntaxUID']['tag'] == '(0002,0010)'

@pytest.mark.parametrize('name', FILES)
async def test_header_of_other_formats(get, name):
    found,_ = await get('header', path=name)
    keys = {r['keyword'] for r in found['rows']}
    assert 'spacing' in keys if 'nii' not in name else 'pixdim' in keys

async def test_header_of_a_series_by_number(get):
    found,_ = await get('series', path='ward')
    a,b = [(await get('header', path='ward', series=found['entries'][0]['id'], i=i))[0] for i in (0,15)]
    assert a['n'] == b['n'] == 16 and a['file'] != b['file']
    status,error = await get('header', path='ward', series=found['entries'][0]['id'], i=16)
    assert status == 422 and 'not between' in error['what']

def test_sequences_are_nested_and_binary_is_a_length(tmp_path):
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from radnb.lab.header import header_rows
    item = Dataset(); item.CodeMeaning = 'Chest'
    ds = Dataset(); ds.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage; ds.AnatomicRegionSequence = [item]; ds.PatientName = 'Öz^Ayşe'; ds.SpecificCharacterSet = 'ISO_IR 192'
    ds.private_block(0x11, 'RADNB', create=True).add_new(1, 'OB', b'\x00'*70)
    ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.SOPInstanceUID = pydicom.uid.generate_uid()
    ds.save_as(tmp_path/'a.dcm', enforce_file_format=True)
    rows = header_rows(tmp_path/'a.dcm', 'dicom')
    by = {r['keyword']: r for r in rows}
    assert by['AnatomicRegionSequence']['value'] == '1 item' and by['Item 1']['depth'] == 1 and by['CodeMeaning']['depth'] == 2
    assert by['PatientName']['value'] == 'Öz^Ayşe' and any(r['value'] == '70 bytes' for r in rows)

def test_an_endless_header_is_cut(tmp_path, monkeypatch):
    from radnb.lab import header
    import SimpleITK as sitk
    img = sitk.Image(4, 4, sitk.sitkUInt8)
    for i in range(50): img.SetMetaData(f'k{i}', 'x'*1000)
    sitk.WriteImage(img, str(tmp_path/'a.nrrd'))
    monkeypatch.setattr(header, '_MOST_TEXT', 5000)
    rows = header.header_rows(tmp_path/'a.nrrd', 'itk')
    assert len(rows) < 20 and 'only the first' in rows[-1]['value']

# Volumes and slices

@pytest.mark.parametrize('name', FILES)
async def test_every_format_is_the_same_volume(get, scans, name):
    "Shape, spacing, place and values agree with what was written."
    import nibabel as nib
    truth = Volume.from_nifti(scans/'head.nii')
    meta,_ = await get('meta', path=name)
    assert meta['shape'] == [12,40,48] and meta['placed'] and meta['factors'] == [1,1,1]
    body,_ = await get('volume', path=name)
    img = nib.Nifti1Image.from_bytes(gzip.decompress(body))
    np.testing.assert_allclose(img.affine, truth.affine[:, [2,1,0,3]], atol=1e-3)
    np.testing.assert_allclose(np.asarray(img.dataobj).T, truth.data, atol=(truth.data.max()-truth.data.min())/60000)
    plane = meta['planes']['axial']
    i = plane['slices']//3
    raw,headers = await get('slice', path=name, plane='axial', i=i)
    about = json.loads(headers['X-Radnb-Slice'])
    a = np.frombuffer(raw, about['type']).reshape(about['rows'], about['cols'])
    np.testing.assert_allclose(a, truth.slice(i, 'axial'), rtol=1e-6)                   # every stored value
    at = np.array(plane['affine']) @ [i, 3, 5, 1]
    k = tuple(np.rint(truth.index(at[:3])).astype(int))
    assert np.isclose(truth.data[k], a[3,5])                                            # and where it lies

async def test_a_large_volume_is_shrunk_and_says_so(get):
    meta,_ = await get('meta', path='head.nii', max_mb=.01)
    assert meta['factors'] != [1,1,1]
    small,_ = await get('volume', path='head.nii', max_mb=.01)
    assert len(gzip.decompress(small)) <= 10_000+352+12*40
    raw,headers = await get('slice', path='head.nii', plane='sagittal', i=0)
    about = json.loads(headers['X-Radnb-Slice'])
    assert (about['rows'], about['cols']) == (12,40)                                    # slices are never shrunk

async def test_ct_has_the_presets(get):
    meta,_ = await get('meta', path='ward')
    names = [w['name'] for w in meta['windows']]
    assert meta['modality'] == 'CT' and any(n.startswith('lung') for n in names) and any(n.startswith('bone') for n in names)
    assert meta['planes']['axial']['letters'] == dict(left='R', right='L', top='A', bottom='P')

async def test_thumbnails_are_small_pictures(get):
    from PIL import Image
    found,_ = await get('series', path='')
    for e in found['entries']:
        png,headers = await get('thumbnail', path='', series=e['id'], size=64)
        img = Image.open(io.BytesIO(png))
        assert headers['Content-Type'] == 'image/png' and max(img.size) == 64 and np.asarray(img).std() > 5, e['title']

def test_a_thumbnail_hangs_as_the_viewer_does(scans):
    "The middle slice alone is turned as in the stack: the thumbnail of NIfTI is its axial slice, shrunk."
    from PIL import Image
    guard, vol = Guard(scans), Volume.from_nifti(scans/'head.nii')
    img = np.asarray(Image.open(io.BytesIO(thumbnail('nifti', [str(scans/'head.nii')], guard, size=48))), float)
    hung = vol.slice(6, 'axial').astype(float)
    assert np.corrcoef(img.ravel(), np.asarray(Image.fromarray(hung).resize(img.shape[::-1])).ravel())[0,1] > .95

async def test_nothing_stays_on_the_browsers_disk(get):
    for route,query in dict(series={}, meta=dict(path='head.nii'), volume=dict(path='head.nii'), slice=dict(path='head.nii'), thumbnail=dict(path='head.nii')).items():
        _,headers = await get(route, **query)
        assert headers['Cache-Control'] == 'no-store' and headers['X-Content-Type-Options'] == 'nosniff', route

@pytest.mark.parametrize('name', ['explore','classify','segment'])
async def test_templates_are_notebooks(get, name):
    import nbformat
    nb,_ = await get('template', name=name)
    nbformat.validate(nbformat.from_dict(nb))
    assert all(not c.get('outputs') for c in nb['cells']) and 'radnb' in json.dumps(nb)

# Bad input

BAD = dict(i=['-1','99','x','1e9'], plane=['oblique',''], time=['1','-1'])

@pytest.mark.parametrize('name,value', [(k,v) for k,vs in BAD.items() for v in vs])
async def test_bad_numbers_are_refused_in_words(get, name, value):
    status,error = await get('slice', path='head.nii', **{name: value})
    assert status == 422 and error['what'] and set(error) == {'error','what','where','remedy'}

async def test_broken_files_say_what_to_do(get, root):
    (root/'cut.nii.gz').write_bytes((root/'head.nii.gz').read_bytes()[:300])
    (root/'cut.nii').write_bytes((root/'head.nii').read_bytes()[:2000])
    (root/'cut.mha').write_bytes((root/'head.mha').read_bytes()[:-5000])
    (root/'not.nrrd').write_bytes(b'rubbish')
    for name in ('cut.nii.gz','cut.nii','cut.mha','not.nrrd'):
        status,error = await get('meta', path=name)
        assert status == 422 and error['error'] == 'UnreadableFile' and error['remedy'] and error['where'] == name, error

async def test_missing_slices_raise_and_can_be_stacked(get, root):
    folder = (root/SLICE).parent
    files = sorted(folder.glob('*.dcm'))
    os.unlink(files[2]); os.unlink(files[3])
    path = folder.relative_to(root).as_posix()
    status,error = await get('meta', path=path)
    assert status == 422 and error['error'] == 'MissingSlices'
    meta,_ = await get('meta', path=path, regular='as-is')
    assert meta['shape'][0] == 14 and 'stacked as they are' in meta['note']

async def test_a_volume_too_large_is_refused_before_it_is_read(scans):
    guard = Guard(scans)
    entry = Listing(guard, scans/'head.nii').read().entries[0]
    with pytest.raises(BadInput, match='too many'): Shelf(guard, max_volume_mb=0).get(entry)

# Paths

OUTSIDE = ['..', '../', '../secret.nii', 'ward/../../secret.nii', '/etc/passwd', '//etc/passwd', '%2e%2e/secret.nii', '%2e%2e%2fsecret.nii', '%252e%252e/secret.nii',
           '..%2fsecret.nii', '..\\secret.nii', '....//secret.nii', '．．/secret.nii', 'head.nii\0.txt', '~/x', 'C:/windows', 'file:///etc/passwd', 'a'*5000, 'ward/\u202e', 'head.nii/']
ROUTES = ('series','header','meta','volume','slice','thumbnail')

@pytest.mark.parametrize('route', ROUTES)
async def test_paths_outside_are_not_there(get, root, route):
    (root.parent/'secret.nii').write_bytes((root/'head.nii').read_bytes())
    for path in OUTSIDE[:-1]:
        status,error = await get(route, path=path)
        assert status == 404 and error['error'] == 'NotServed' and error['remedy'], (path, error)

async def test_encoded_paths_on_the_wire(jp_fetch, http_server_client, jp_base_url, jp_auth_header, root):
    "The same, encoded by hand, in the query and in the route itself."
    (root.parent/'secret.nii').write_bytes((root/'head.nii').read_bytes())
    for query in ('path=%2e%2e%2fsecret.nii', 'path=..%2Fsecret.nii', 'path=%252e%252e%252fsecret.nii', 'path=head.nii%00', 'path=%c0%ae%c0%ae/secret.nii', 'path=head.nii&path=../secret.nii',
                  'path=%2Fetc%2Fpasswd', 'path=..%5csecret.nii'):
        with pytest.raises(HTTPClientError) as e: await http_server_client.fetch(f'{jp_base_url}radnb/meta?{query}', headers=jp_auth_header)
        assert e.value.code in (400, 404), query
    for url in ('radnb/../../secret.nii', 'radnb/%2e%2e/meta', 'radnb/meta/../../x', 'radnb/nothing'):
        with pytest.raises(HTTPClientError) as e: await http_server_client.fetch(jp_base_url+url, headers=jp_auth_header)
        assert e.value.code in (403, 404), url

def test_a_time_series_too_large_is_refused_before_it_is_read(tmp_path):
    "All of its time points count, and the thumbnail is not made either."
    import nibabel as nib
    nib.Nifti1Image(np.zeros((8,8,8,50), np.int16), np.eye(4)).to_filename(tmp_path/'t.nii.gz')
    guard = Guard(tmp_path)
    entry = Listing(guard, tmp_path/'t.nii.gz').read().entries[0]
    with pytest.raises(BadInput, match='too many'): Shelf(guard, max_volume_mb=.05).get(entry)
    with pytest.raises(BadInput, match='too many'): Shelf(guard, max_volume_mb=.05).check_size(entry)

def test_a_mask_too_large_is_refused_before_it_is_read(scans, tmp_path, monkeypatch):
    "By its header: as a mask on an image, as a label map while its folder is listed, and as a DICOM segmentation."
    import nibabel as nib
    from radnb.lab import listing as mod
    nib.Nifti1Image(np.ones((8,8,8), np.int16), np.eye(4)).to_filename(tmp_path/'case.nii')
    nib.Nifti1Image(np.ones((8,8,8), np.uint8), np.eye(4)).to_filename(tmp_path/'case_mask.nii.gz')
    guard = Guard(tmp_path)
    entry = Listing(guard, tmp_path/'case.nii').read().entries[0]
    shelf = Shelf(guard)
    shelf.get(entry); shelf.max_volume_mb = .001
    with pytest.raises(BadInput, match='too many'): shelf.mask(entry, 'raise', tmp_path/'case_mask.nii.gz')
    monkeypatch.setattr(mod, 'read_volume', lambda *a, **kw: pytest.fail('was read'))
    assert Listing(guard, tmp_path/'case_mask.nii.gz', max_mb=.001).read().mask is None
    assert mod._frames(dict(Rows=8., Columns=4., NumberOfFrames=np.nan)) == 32 and mod._frames(dict(Rows=8., Columns=4., NumberOfFrames=3.)) == 96

async def test_links_that_lead_out_are_refused(get, root, tmp_path):
    out = tmp_path/'elsewhere'; out.mkdir()
    (out/'head.nii').write_bytes((root/'head.nii').read_bytes())
    (root/'inside').symlink_to(root/'ward'); (root/'out').symlink_to(out); (root/'out.nii').symlink_to(out/'head.nii'); (root/'loop').symlink_to('loop')
    for path in ('out', 'out/head.nii', 'out.nii', 'loop', 'out/nothing'):
        for route in ROUTES:
            status,error = await get(route, path=path)
            assert status == 404 and error['error'] == 'NotServed', (path, error)
    assert 'link' in (await get('meta', path='out.nii'))[1]['what']
    assert len((await get('series', path='inside'))[0]['entries']) == 2                 # a link that stays inside is a folder like others
    assert 'out.nii' not in json.dumps((await get('series', path=''))[0])               # nor do they appear in their folder's list

def test_links_can_be_allowed(scans, tmp_path):
    (tmp_path/'root').mkdir(); (tmp_path/'root'/'pacs').symlink_to(scans)
    with pytest.raises(NotServed, match='link'): Guard(tmp_path/'root').open('pacs/head.nii')
    guard = Guard(tmp_path/'root', links=[scans])
    assert guard.name(guard.open('pacs/head.nii')) == 'pacs/head.nii'
    assert len(Listing(guard, guard.open('pacs')).read().entries) == 8
    with pytest.raises(NotServed): guard.open('pacs/../../x')

async def test_hidden_files_follow_the_servers_setting(get, root, jp_serverapp):
    (root/'.hidden').mkdir(); (root/'.hidden'/'head.nii').write_bytes((root/'head.nii').read_bytes()); (root/'.head.nii').write_bytes((root/'head.nii').read_bytes())
    for path in ('.hidden', '.hidden/head.nii', '.head.nii'): assert (await get('series', path=path))[0] == 404
    assert 'hidden' not in json.dumps((await get('series', path=''))[0]['entries'])
    assert Guard(root, allow_hidden=True).open('.hidden/head.nii').exists()

def test_pipes_and_devices_are_not_opened(tmp_path):
    os.mkfifo(tmp_path/'pipe.dcm')
    guard = Guard(tmp_path)
    with pytest.raises(NotServed): guard.open('pipe.dcm')
    assert Listing(guard, tmp_path).read().entries == []                                # and the list does not wait for one

@pytest.mark.parametrize('text', ['../secret.raw', '/etc/passwd', 'link.raw', 'LIST', 'slice%03d.raw 1 3 1', '.hidden.raw', 'gone.raw'])
def test_headers_cannot_name_files_elsewhere(scans, tmp_path, text):
    "A detached header that names another file as its voxels opens it only where that file itself could be opened."
    root = tmp_path/'root'; root.mkdir()
    for p in (tmp_path/'secret.raw', root/'.hidden.raw'): p.write_bytes(b'\0'*100_000)
    (root/'link.raw').symlink_to(tmp_path/'secret.raw')
    guard = Guard(root)
    mhd = (scans/'head.mhd').read_text().replace('head.raw', text)
    nhdr = '\n'.join(f'data file: {text}' if l.startswith('data file') else l for l in (scans/'head.nhdr').read_text().splitlines())+'\n\n'
    sly = {'d.mhd': mhd.replace('ElementDataFile', 'Comment = x ElementDataFile'), 'e.nhdr': nhdr.replace('data file:', '\rdata file:')}
    for name,content in {**sly, 'a.mhd': mhd, 'a.mha': mhd, 'b.nhdr': nhdr, 'b.nrrd': nhdr, 'c.nrrd': nhdr.replace('data file:', 'datafile:')}.items():
        (root/name).write_text(content)
        with pytest.raises((NotServed, BadInput)): check_data_file(root/name, guard)
        with pytest.raises(RadnbError): read_volume('itk', [str(root/name)], guard)
        entry = Listing(guard, root/name).read().entries[0]
        assert entry.row['action'] == 'raises an error'

# Who may ask

@pytest.mark.parametrize('route', [*ROUTES, 'jobs', 'template'])
async def test_who_is_not_logged_in_gets_nothing(http_server_client, jp_base_url, root, route):
    for headers in ({}, {'Authorization': 'token wrong'}):
        with pytest.raises(HTTPClientError) as e: await http_server_client.fetch(f'{jp_base_url}radnb/{route}?path=head.nii&name=explore', headers=headers, follow_redirects=False)
        assert e.value.code == 403 and 'head' not in e.value.response.body.decode()

async def test_other_sites_get_nothing(http_server_client, jp_base_url, jp_serverapp, root):
    "A page from elsewhere, in the browser of somebody who is logged in."
    login = await http_server_client.fetch(f'{jp_base_url}tree?token={jp_serverapp.identity_provider.token}', follow_redirects=False, raise_error=False)
    cookie = '; '.join(c.split(';')[0] for c in login.headers.get_list('Set-Cookie'))
    url = f'{jp_base_url}radnb/meta?path=head.nii'
    assert (await http_server_client.fetch(url, headers={'Cookie': cookie})).code == 200
    with pytest.raises(HTTPClientError) as e: await http_server_client.fetch(url, headers={'Cookie': cookie, 'Origin': 'https://evil.example'})
    assert e.value.code in (403, 404)
    for headers in ({}, {'X-XSRFToken': 'guessed'}):                                    # nor can one that rides on the cookie stop anything
        with pytest.raises(HTTPClientError) as e: await http_server_client.fetch(f'{jp_base_url}radnb/jobs?path=', method='DELETE', headers={'Cookie': cookie, **headers})
        assert e.value.code == 403

async def test_what_is_sent_runs_nowhere(get):
    "A browser that is shown an answer as a page runs nothing of it and guesses no other type."
    for route,query in dict(series={}, header=dict(path='head.nii'), slice=dict(path='head.nii'), volume=dict(path='head.nii'), template=dict(name='explore')).items():
        _,headers = await get(route, **query)
        assert headers['X-Content-Type-Options'] == 'nosniff' and "default-src 'none'" in headers['Content-Security-Policy'], route
        assert headers['Content-Type'].split(';')[0] in ('application/json', 'application/octet-stream'), route

@pytest.mark.parametrize('method', ['POST','PUT','DELETE','PATCH'])
async def test_routes_only_read(jp_fetch, root, method):
    with pytest.raises(HTTPClientError) as e: await jp_fetch('radnb', 'meta', params=dict(path='head.nii'), method=method, allow_nonstandard_methods=True)
    assert e.value.code in (403, 405)

# What is shipped

ROOT = Path(__file__).resolve().parent.parent

def test_the_bundle_is_made_of_these_sources():
    "The committed labextension was built from the committed TypeScript, and nobody has edited it since."
    seal = runpy.run_path(str(ROOT/'lab'/'seal.py'))
    known = json.loads((seal['BUNDLE']/'sources.json').read_text())
    assert known['sources'] == seal['sources'](), 'the sources in lab/ have changed: run bash lab/build.sh and commit what it makes'
    assert known['bundle'] == seal['bundle'](), 'the bundle is not what lab/build.sh made: run it again'

def test_the_bundle_is_small_and_needs_no_internet():
    bundle = ROOT/'radnb'/'lab'/'labextension'
    files = [p for p in bundle.rglob('*') if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 12e6
    assert 'BSD 2-Clause' in (bundle/'static'/'niivue-licenses.txt').read_text()
    package = json.loads((bundle/'package.json').read_text())
    assert (bundle/package['jupyterlab']['_build']['load']).exists() and package['version'] == json.loads((ROOT/'lab'/'package.json').read_text())['version']

def test_what_pip_installs(monkeypatch):
    "setup.py puts the labextension and the server's configuration where Jupyter looks for them."
    import setuptools
    given = {}
    monkeypatch.chdir(ROOT); monkeypatch.setattr(setuptools, 'setup', lambda **kw: given.update(kw))
    runpy.run_path('setup.py')
    placed = {f'{folder}/{Path(f).name}' for folder,files in given['data_files'] for f in files}
    bundle = ROOT/'radnb'/'lab'/'labextension'
    for p in bundle.rglob('*'): assert p.is_dir() or f'share/jupyter/labextensions/radnb/{p.relative_to(bundle).as_posix()}' in placed
    assert {'share/jupyter/labextensions/radnb/install.json', 'etc/jupyter/jupyter_server_config.d/radnb.json'} <= placed
    assert 'radnb.lab' in given['packages']

def test_an_editable_install_is_linked(tmp_path):
    from radnb.lab.__main__ import CONFIG, EXTENSION, link
    for _ in range(2): link(tmp_path)   # again is no harm
    assert json.loads((tmp_path/CONFIG).read_text()) == json.loads((ROOT/'lab'/'radnb.json').read_text())
    assert (tmp_path/EXTENSION/'package.json').exists()

# In IPython

def test_magics_and_their_completion(tmp_path):
    "In IPython's own shell: both magics are there after `%load_ext radnb`, and Tab completes scans behind one and notebooks behind the other."
    from IPython.core.interactiveshell import InteractiveShell
    (tmp_path/'ward').mkdir(); (tmp_path/'wards.csv').touch(); (tmp_path/'work.ipynb').touch()
    shell = InteractiveShell()
    shell.run_line_magic('load_ext', 'radnb')
    assert 'dicom' in shell.magics_manager.magics['line'] and 'radnb_publish' in shell.magics_manager.magics['cell']
    complete = lambda text: {Path(c).name for c in shell.complete(text.rsplit(' ', 1)[-1], text, len(text))[1]}
    assert complete(f'%dicom {tmp_path}/w') == {'ward'}
    assert complete(f'%radnb_publish {tmp_path}/w') == {'ward', 'work.ipynb'}

# Weight and order

def test_the_server_extension_is_light():
    "Loaded by every Jupyter server of the environment, so it must cost nothing; torch never comes in, not even when a volume is opened."
    code = '''
import time; t = time.perf_counter()
import radnb.lab; radnb.lab._jupyter_server_extension_points()
seconds = time.perf_counter()-t
import sys; early = [m for m in ("numpy","pandas","pydicom","torch","matplotlib") if m in sys.modules]
import radnb.lab.server; early += [m for m in ("numpy","pandas","pydicom","torch","matplotlib") if m in sys.modules]
import radnb.lab.opening, radnb.lab.reading, radnb.lab.header
print(seconds < 1, early, "torch" in sys.modules, "fastai" in sys.modules)'''
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.strip() == 'True [] False False'

async def test_the_server_answers_while_a_volume_is_read(get, jp_fetch, monkeypatch):
    import asyncio
    import radnb.lab.opening as opening
    real, go = opening.read_volume, threading.Event()
    monkeypatch.setattr(opening, 'read_volume', lambda *a: (go.wait(20), real(*a))[1])
    slow = [asyncio.ensure_future(get('meta', path='head.nii')) for _ in range(3)]
    await asyncio.sleep(.2)
    t = time.perf_counter()
    await jp_fetch('api', 'status')
    assert time.perf_counter()-t < 2 and not any(s.done() for s in slow)
    go.set()
    assert all(meta['shape'] == [12,40,48] for meta,_ in await asyncio.gather(*slow))

async def test_volumes_and_stop_never_wait_for_headers(get, jp_fetch, jp_serverapp, root, monkeypatch):
    "With more folders being read than there are threads for them, a volume still opens, and a job still stops."
    import radnb.lab.listing as listing
    real, go = listing.scan_files, threading.Event()
    await get('meta', path='head.nii')
    monkeypatch.setattr(listing, 'scan_files', lambda files: (go.wait(20), real(files))[1])
    jp_serverapp.web_app.settings['radnb'].patience = .05
    for i in range(6):
        (root/f'd{i}').mkdir(); (root/f'd{i}'/'a.dcm').write_bytes(b'x')
        await get('series', path=f'd{i}')
    t = time.perf_counter()
    meta,_ = await get('meta', path='head.nii')
    assert meta['shape'] == [12,40,48] and len((await get('jobs'))[0]['jobs']) == 6
    for path in ('d0', 'd5'): assert json.loads((await jp_fetch('radnb', 'jobs', params=dict(path=path), method='DELETE')).body) == dict(stopped=True)
    assert time.perf_counter()-t < 10
    go.set()
    jp_serverapp.web_app.settings['radnb'].patience = 20
    assert (await get('series', path='d5'))[1]['error'] == 'Stopped'                       # though no thread had begun with it

def test_a_volume_is_read_once_and_old_ones_go(scans, monkeypatch):
    import radnb.lab.opening as opening
    from concurrent.futures import ThreadPoolExecutor
    guard, reads, real = Guard(scans), [], opening.read_volume
    monkeypatch.setattr(opening, 'read_volume', lambda *a: (reads.append(a[1]), time.sleep(.1), real(*a))[2])
    entries = [Listing(guard, scans/n).read().entries[0] for n in FILES]
    shelf = Shelf(guard, max_mb=.05)
    with ThreadPoolExecutor(8) as pool: list(pool.map(shelf.get, [entries[0]]*8))
    assert len(reads) == 1
    for e in entries: shelf.get(e)
    assert shelf.mb <= .05 and len(reads) == len(entries)
    shelf.get(entries[0])
    assert len(reads) == len(entries)+1

def test_a_file_that_changed_is_another_volume(scans, tmp_path):
    path = tmp_path/'v.nii'
    guard = Guard(tmp_path)
    Volume(np.zeros((3,4,5), np.int16)).to_nifti(path)
    a = Listing(guard, path).read().entries[0].id
    Volume(np.ones((3,4,5), np.int16)).to_nifti(path); os.utime(path, ns=(5,5))
    assert Listing(guard, path).read().entries[0].id != a

def test_values_are_never_rounded(scans):
    guard = Guard(scans)
    o = Shelf(guard).get(Listing(guard, scans/'head.nii').read().entries[0])
    cases = [([[0,255]],'uint8'), ([[True,False]],'uint8'), ([[-1024,3071]],'int16'), ([[0.,40000.]],'uint16'), ([[-1,40000]],'float32'), ([[.5,1.]],'float32')]
    for values,kind in [*cases, ([[float('nan'),1.]],'float32')]:
        o.vol = Volume(np.array(values))
        raw,about = raw_slice(o, 'axial', 0)
        assert about['type'] == kind
        np.testing.assert_array_equal(np.frombuffer(raw, kind), np.array(values, kind).ravel())

@pytest.mark.parametrize('n', [2,3])
def test_two_and_four_dimensions_and_colour(tmp_path, n):
    "2D pictures, time series and colour through SimpleITK's formats."
    import SimpleITK as sitk
    guard = Guard(tmp_path)
    rgb = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 255, (4,)*n+(3,), np.uint8), isVector=True)
    sitk.WriteImage(rgb, str(tmp_path/'rgb.mha'))
    o = Shelf(guard).get(Listing(guard, tmp_path/'rgb.mha').read().entries[0])
    assert o.vol.unit == 'RGB' and describe(o)['windows'] == [] and raw_slice(o, next(iter(describe(o)['planes'])), 0)[1]['channels'] == 3
    assert thumbnail('itk', [str(tmp_path/'rgb.mha')], guard)
    four = sitk.GetImageFromArray(np.arange(2*3*4*5, dtype=np.int16).reshape(2,3,4,5), isVector=False)
    sitk.WriteImage(four, str(tmp_path/'four.nrrd'))
    o = Shelf(guard).get(Listing(guard, tmp_path/'four.nrrd').read().entries[0])
    assert o.vol.n_times == 2 and o.vol.shape == (3,4,5) and thumbnail('itk', [str(tmp_path/'four.nrrd')], guard)

def test_every_real_volume_opens_or_says_why(real):
    "All of the real data's folder: thumbnail, description, packed copy, slice; what cannot be opened raises one of radnb's errors."
    from radnb.lab.opening import packed
    guard = Guard(real)
    listing = Listing(guard, guard.open('dicom')).read()
    shelf, failed = Shelf(guard), []
    for e in listing.entries:
        try:
            o = shelf.get(e)
            d = describe(o, 8)
            assert thumbnail(e.kind, e.paths, guard, e.row['part'])[:4] == b'\x89PNG' and packed(o, 8)[:2] == b'\x1f\x8b'
            for plane,p in d['planes'].items():
                raw,about = raw_slice(o, plane, p['slices']-1)
                assert (about['rows'], about['cols']) == (p['rows'], p['cols']) and len(raw)
            if e.row.get('Modality') == 'US': assert not d['placed'] and not any(p['letters'] for p in d['planes'].values())   # no R and L where nobody said so
        except RadnbError as err: failed.append((e.row['title'], err))
    assert len(listing.entries) > 80 and len(failed) <= 5, failed
    assert shelf.mb <= 2000
