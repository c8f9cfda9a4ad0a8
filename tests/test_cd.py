"A CD as a hospital hands it over: a DICOMDIR with its tree, and around it a viewer, its helpers, an archive, pictures and a letter."
import io, os, shutil, struct, warnings, zipfile
import numpy as np, pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from radnb.core import NoDicomFound
from radnb.data.dicom import load_series
from radnb.data.index import index_dicom
from radnb.data.phantom import make_cohort
from radnb.data.segments import read_seg
from radnb.data.series import find_masks, join_labels, series_table
from radnb.view.report import cohort_report

PATIENTS = 3
AUTORUN = b'[autorun]\r\nopen=VIEWER\\START.EXE\r\nicon=VIEWER\\LOGO.ICO\r\nlabel=Radiology\r\n'

def program(size=70_000):
    "Bytes as a Windows program begins: a DOS stub, then the PE header; with DICM where a careless search would find it."
    head = bytearray(b'MZ'.ljust(60, b'\0') + struct.pack('<I', 256) + b'This program cannot be run in DOS mode.\r\n$'.ljust(64, b'\0'))
    body = bytes(head).ljust(256, b'\0') + b'PE\0\0\x4c\x01' + np.random.default_rng(0).bytes(size)
    return body[:5000] + b'DICM' + body[5000:]

def picture(kind):
    from PIL import Image
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (80,120), dtype=np.uint8)).save(out, kind)
    return out.getvalue()

def around(cd, inside):
    "What a hospital's burning software adds: programs, autorun, letters, pictures, an archive with `inside` in it."
    put = lambda name, data: ((cd/name).parent.mkdir(parents=True, exist_ok=True), (cd/name).write_bytes(data))
    put('AUTORUN.INF', AUTORUN); put('VIEWER/START.EXE', program()); put('VIEWER/CODEC.DLL', program(9000)); put('VIEWER/LOGO.ICO', picture('ICO'))
    put('VIEWER/JRE/lib/rt.jar', b'PK\x03\x04'+bytes(500)); put('README.TXT', 'Befund für Frau Müller\r\n'.encode('latin-1')); put('INDEX.HTM', b'<html></html>')
    put('REPORT.PDF', b'%PDF-1.4\n'+bytes(400)); put('KEYIMG/KEY1.JPG', picture('JPEG')); put('KEYIMG/KEY2.PNG', picture('PNG'))
    put('VIEWER/EMPTY.DAT', b''); put('VIEWER/SHORT.DAT', b'\x08\0'); put('Thumbs.db', b'\xd0\xcf\x11\xe0'+bytes(600)); put('.DS_Store', bytes(600))
    with zipfile.ZipFile(cd/'IMAGES.ZIP', 'w') as outer:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, 'w') as z: z.write(inside, 'PACKED')
        outer.writestr('more/inner.zip', inner.getvalue())

FOREIGN = ('AUTORUN.INF', 'VIEWER/START.EXE', 'VIEWER/CODEC.DLL', 'VIEWER/LOGO.ICO', 'VIEWER/JRE/lib/rt.jar', 'README.TXT', 'INDEX.HTM', 'REPORT.PDF',
           'KEYIMG/KEY1.JPG', 'KEYIMG/KEY2.PNG', 'VIEWER/EMPTY.DAT', 'VIEWER/SHORT.DAT', 'Thumbs.db', 'IMAGES.ZIP')

@pytest.fixture(scope='module')
def burnt(tmp_path_factory):
    "(the folder of the CD, the folder that was exported to it)."
    source, cd = tmp_path_factory.mktemp('export')/'ward', tmp_path_factory.mktemp('mount')/'CD 1'
    make_cohort(source, n=PATIENTS, kinds=('ct','mr','cr'), size=(16,48,48), seed=0)
    fs = FileSet()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')     # pydicom tells which optional keys of a record are empty
        for p in sorted(source.rglob('*.dcm')): fs.add(p)
        fs.write(cd)
    around(cd, next(source.rglob('*.dcm')))
    return cd, source

@pytest.fixture
def cd(burnt, tmp_path):
    "A copy, to be scratched."
    return shutil.copytree(burnt[0], tmp_path/'CD 1')

def names(files, cd, status): return {os.path.relpath(p, cd).replace(os.sep, '/') for p in files.path[files.status == status]}


def test_every_file_has_its_row_and_none_is_an_error(burnt):
    cd, source = burnt
    files = index_dicom(cd)
    assert names(files, cd, 'DICOMDIR') == {'DICOMDIR'}
    assert names(files, cd, 'not DICOM') >= set(FOREIGN)
    assert set(files.status) <= {'ok','not DICOM','DICOMDIR','skipped'}
    assert (files.status == 'ok').sum() == len(list(source.rglob('*.dcm'))) and files.path.is_unique
    assert files.reason[files.status != 'ok'].str.len().min() > 0                      # each says why
    reason = {os.path.relpath(p, cd).replace(os.sep, '/'): why for p,why in zip(files.path, files.reason)}
    assert 'zip' in reason['IMAGES.ZIP'] and 'JPEG' in reason['KEYIMG/KEY1.JPG'] and 'PNG' in reason['KEYIMG/KEY2.PNG']

def test_the_archive_is_not_opened(burnt):
    cd, _ = burnt
    files = index_dicom(cd)
    assert not files.path.str.contains('PACKED').any() and files.SOPInstanceUID.dropna().is_unique

def test_series_are_those_of_the_export(burnt):
    cd, source = burnt
    keys = ['PatientID','Modality','SeriesInstanceUID','shape','spacing','orientation','verdict','n_files']
    there,here = (series_table(index_dicom(d))[keys].sort_values('SeriesInstanceUID').reset_index(drop=True) for d in (source, cd))
    assert len(here) == 3*PATIENTS and here.equals(there) and set(here.verdict) == {'regular','single image'}

def test_volumes_are_those_of_the_export(burnt):
    cd, source = burnt
    there,here = (series_table(index_dicom(d)).set_index('SeriesInstanceUID') for d in (source, cd))
    for uid,row in here.iterrows():
        a,b = load_series(row), load_series(there.loc[uid])
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(a.affine, b.affine)
        assert a.unit == b.unit and a.data.shape == row['shape']

def test_a_volume_is_what_its_files_say(burnt):
    "Against pydicom alone: sorted by position, rescaled."
    cd, _ = burnt
    row = series_table(index_dicom(cd)).query('Modality == "CT"').iloc[0]
    slices = sorted((dcmread(p) for p in row.paths), key=lambda d: d.ImagePositionPatient[2])
    truth = np.stack([d.pixel_array*d.RescaleSlope+d.RescaleIntercept for d in slices])
    vol = load_series(row)
    np.testing.assert_array_equal(vol.data, truth)
    x,y,z = slices[5].ImagePositionPatient
    np.testing.assert_allclose(vol.physical((5,0,0)), (-x,-y,z), atol=1e-3)

def test_masks_find_their_images(burnt):
    cd, source = burnt
    files = index_dicom(cd)
    series = join_labels(find_masks(series_table(files), files), source/'labels.csv')
    assert series[series.Modality.isin(['CT','MR'])]['mask'].notna().all() and series[series.Modality == 'CR']['mask'].isna().all()
    for _,row in series[series.Modality == 'CT'].iterrows():
        vol = load_series(row)
        mask = read_seg(row['mask'], like=vol)
        assert mask.data.shape == vol.data.shape and mask.data.any() == bool(row.nodule)

def test_the_report_reads_as_it_should(burnt):
    cd, _ = burnt
    files = index_dicom(cd)
    r = cohort_report(files, series_table(files), pixels=True)
    assert len(r.severe) == 0 and r.tables['overview'].patients.max() == PATIENTS
    warned = r.findings[r.findings.severity == 'warning']
    assert len(warned) == 1 and 'archive' in warned.sentence.iloc[0]                   # what is inside IMAGES.ZIP is not counted
    assert [os.path.basename(p) for p in r.concerned(warned.index[0]).path] == ['IMAGES.ZIP']
    status = r.tables['status'].set_index('status').files
    assert status['DICOMDIR'] == 1 and status['ok'] == (files.status == 'ok').sum()
    page = r._repr_html_()
    assert 'SYN-0001' in page and len(page) > 10_000


def test_a_file_that_the_disc_lost(cd):
    "A scratched disc: the DICOMDIR names a file that is not there, another is cut short."
    files = index_dicom(cd)
    gone,cut,*_ = series_table(files).query('Modality == "CT"').paths.iloc[0][4:]
    os.remove(gone)
    with open(cut, 'r+b') as f: f.truncate(2500)
    again = index_dicom(cd)
    status = again.set_index('path').status
    assert status[cut] == 'truncated' and (again.status == 'missing').sum() == 1
    assert os.path.basename(again.path[again.status == 'missing'].item()) == os.path.basename(gone)
    series = series_table(again).query('Modality == "CT"')
    assert series.verdict.str.contains('missing').sum() == 1
    r = cohort_report(again)
    damaged = r.findings[r.findings.sentence.str.contains('damaged')]
    assert len(damaged) == 1 and '1 missing' in damaged.sentence.item() and '1 truncated' in damaged.sentence.item()

def test_a_disc_that_shows_its_names_otherwise(cd):
    "Linux mounts some discs in lower case, others with the version behind the name: nothing is missing for that."
    tree = [p for p in sorted(cd.rglob('*'), reverse=True) if p.name.isupper() or p.name[:2] in ('PT','ST','SE','IM')]
    for k,p in enumerate(tree): p.rename(p.with_name(p.name.lower() + (';1' if k % 2 and p.is_file() else '')))
    files = index_dicom(cd)
    assert (files.status == 'missing').sum() == 0 and (files.status == 'DICOMDIR').sum() == 1
    assert len(series_table(files)) == 3*PATIENTS

def test_two_discs_in_one_folder(burnt, tmp_path):
    "The same CD copied twice: the copies are known as copies."
    for name in ('CD 1', 'CD 2'): shutil.copytree(burnt[0], tmp_path/'all'/name)
    files = index_dicom(tmp_path/'all')
    assert (files.status == 'DICOMDIR').sum() == 2 and (files.status == 'missing').sum() == 0
    assert len(series_table(files)) == 3*PATIENTS
    r = cohort_report(files, pixels=True)
    assert len(r.severe) == 0 and r.findings.sentence.str.contains('further copies of an image').sum() == 1

def test_a_disc_without_its_dicomdir(cd):
    (cd/'DICOMDIR').unlink()
    files = index_dicom(cd)
    assert 'missing' not in set(files.status) and len(series_table(files)) == 3*PATIENTS

def test_a_dicomdir_cut_short(cd):
    data = (cd/'DICOMDIR').read_bytes()
    for n in (200, 600, len(data)//2, len(data)-3):
        (cd/'DICOMDIR').write_bytes(data[:n])
        files = index_dicom(cd)
        row = files[files.path == str(cd/'DICOMDIR')].iloc[0]
        assert row.status in ('DICOMDIR','unreadable','truncated') and (files.status == 'ok').sum() > 100
        assert len(series_table(files)) == 3*PATIENTS

def test_the_index_of_a_disc_is_remembered(cd, tmp_path):
    "From a read-only disc into a cache elsewhere; the second time nothing is read, and missing files are still missing."
    first = index_dicom(cd, cache=tmp_path/'cd.parquet')
    os.remove(series_table(first).paths.iloc[0][0])
    second, third = (index_dicom(cd, cache=tmp_path/'cd.parquet') for _ in range(2))
    assert (second.status == 'missing').sum() == 1
    assert second.astype(str).equals(third.astype(str))

def test_a_disc_of_programs_only(tmp_path):
    (tmp_path/'x').write_bytes(AUTORUN)
    around(tmp_path/'CD', tmp_path/'x')
    with pytest.raises(NoDicomFound): index_dicom(tmp_path/'CD')
