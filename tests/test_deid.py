"""radnb.data.phi and radnb.data.deid against the whole of table E.1-1, real files, another de-identifier, and interrupted work."""
import copy, hashlib, json, re, subprocess, warnings
from pathlib import Path
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from radnb.core import BadInput
from radnb.data.deid import OPTIONS, _asked, _one_file, clean_pixels, clean_text, date_shift, deidentify, deidentify_dataset, make_profile, move_date, new_uid, why_held
from radnb.data.phi import _table, confidentiality_table, find_phi, identifiers, read_text
from radnb.data.scan import read_dicom

KEY = 'a key for the tests only'
CT = '1.2.840.10008.5.1.4.1.1.2'
pytestmark = pytest.mark.filterwarnings('ignore::UserWarning')


def secret(vr, n):
    "A value of a VR that stands nowhere else."
    return {'PN': f'SECRETQ{n}^PERSON', 'UI': f'1.2.276.0.7230010.77.{n}', 'DA': f'{1900+n//300}{n%300//28+1:02}{n%28+1:02}', 'TM': f'17{n//60%60:02}{n%60:02}', 'AS': '093Y',
            'DT': f'{1900+n//300}{n%300//28+1:02}{n%28+1:02}17{n//60%60:02}{n%60:02}', 'DS': f'8{n:04}.5', 'IS': f'88{n:04}', 'AE': f'SECRETQ{n}', 'UR': f'http://secretq{n}.org',
            'CS': f'SECRETQ{n}', 'AT': 0x00100010, 'OB': f'SECRETQ{n:04}xyz'.encode(), 'OW': f'SECRETQ{n:04}xyz'.encode(), 'UN': f'SECRETQ{n:04}xyz'.encode(),
            'US': 47000+n, 'UL': 4700000+n, 'FD': 47.5+n, 'FL': 47.5, 'SS': 1000+n, 'SL': 470000+n}.get(vr, f'SECRETQ{n}')


def planted(rows, offset=0):
    "A data set with a secret in every attribute of `rows`."
    ds = Dataset()
    for n, r in enumerate(rows, offset):
        if r['vr'] == 'SQ':
            item = Dataset(); item.CodeValue, item.CodeMeaning, item.EvaluatorName = f'SECRETQ{n}', f'SECRETQ{n} meaning', f'SECRETQ{n}^PERSON'
            ds.add_new(int(r['tag'], 16), 'SQ', Sequence([item]))
        else: ds.add_new(int(r['tag'], 16), r['vr'], secret(r['vr'], n))
    return ds


def full_data_set():
    "All attributes of table E.1-1 at the top, in a sequence, and in a sequence of that; private attributes, curves and overlays at all three."
    rows = [r for t, r in _table().items() if re.fullmatch('[0-9A-F]{8}', t) and t[:4] not in ('0000', '0002', '0004')]
    levels = []
    for depth in range(3):
        ds = planted(rows, depth*1000)
        block = ds.private_block(0x0029, 'SECRETQ MAKER', create=True)
        block.add_new(1, 'LO', f'SECRETQ{depth}'); block.add_new(2, 'OB', b'SECRETQ in bytes'); block.add_new(3, 'SQ', Sequence([planted(rows[:3], 5000)]))
        ds.add_new(0x50000022, 'LO', 'SECRETQ curve'); ds.add_new(0x60004000, 'LT', 'SECRETQ overlay'); ds.add_new(0x60000022, 'LO', 'SECRETQ drawn')
        ds.add_new(0x0048EEEE, 'UN', b'SECRETQ unknown')
        levels.append(ds)
    levels[1].SharedFunctionalGroupsSequence = Sequence([levels[2]])
    levels[0].SegmentSequence = Sequence([levels[1]])
    top = levels[0]
    top.SOPClassUID, top.Modality, top.Rows, top.Columns = CT, 'CT', 4, 4
    top.BitsAllocated, top.BitsStored, top.HighBit, top.PixelRepresentation, top.SamplesPerPixel, top.PhotometricInterpretation = 16, 16, 15, 0, 1, 'MONOCHROME2'
    top.PixelData = bytes(range(32)); top['PixelData'].VR = 'OW'
    top.file_meta = FileMetaDataset(); top.file_meta.TransferSyntaxUID, top.file_meta.SourceApplicationEntityTitle = '1.2.840.10008.1.2.1', 'SECRETQMETA'
    top.file_meta.MediaStorageSOPClassUID, top.file_meta.MediaStorageSOPInstanceUID = CT, top.SOPInstanceUID
    top.preamble = b'SECRETQ'.ljust(128, b'\0')
    return top


@pytest.fixture(scope='module')
def original(): return full_data_set()


def written(ds, path):
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter('ignore')
        ds.save_as(path, enforce_file_format=True)
    return path.read_bytes()


def level(ds, depth):
    for k in ('SegmentSequence', 'SharedFunctionalGroupsSequence')[:depth]: ds = ds[k].value[0]
    return ds


def test_the_table_is_the_standards():
    "Against the copy of table E.1-1 (2026c) that dicom-anonymizer carries."
    db = pytest.importorskip('dicomanonymizer.dicom_anonymization_databases.dicomfields_2026c')
    names = dict(D='D', Z='Z', X='X', U='U', Z_D='Z/D', X_Z='X/Z', X_D='X/D', X_Z_D='X/Z/D', X_Z_U_STAR='X/Z/U*')
    theirs = {f'{t[0]:04X}{t[1]:04X}': code for group, code in names.items() for t in getattr(db, f'{group}_TAGS') if len(t) == 2}
    ours = {t: r['basic'] for t, r in _table().items() if 'x' not in t and t != 'private'}
    assert ours == theirs and len(ours) == 652
    table = confidentiality_table()
    assert (table.full_dates.ne('') == table.modified_dates.ne('')).all() and set(table.full_dates) == {'', 'K'} and set(table.modified_dates) == {'', 'C'}
    for r in _table().values():
        if re.fullmatch('[0-9A-F]{8}', r['tag']) and pydicom.datadict.dictionary_has_tag(r['tag']):
            assert r['vr'] in pydicom.datadict.dictionary_VR(r['tag']), r


def test_no_secret_survives_the_basic_profile(original, tmp_path):
    ds = copy.deepcopy(original)
    before = written(copy.deepcopy(original), tmp_path/'before.dcm')
    assert before.count(b'SECRETQ') > 1500
    deidentify_dataset(ds, make_profile(KEY))
    data = written(ds, tmp_path/'after.dcm')
    assert b'SECRETQ' not in data.upper() and b'1.2.276.0.7230010.77' not in data
    new = pydicom.dcmread(tmp_path/'after.dcm')
    for depth in range(3):
        old_level, new_level = level(original, depth), level(new, depth)
        for r in _table().values():
            if not re.fullmatch('[0-9A-F]{8}', r['tag']) or int(r['tag'], 16) not in old_level: continue
            t = int(r['tag'], 16)
            if r['basic'] == 'X': assert t not in new_level, r
            elif t in new_level and r['vr'] != 'SQ': assert new_level[t].value != old_level[t].value, r
            if r['basic'] in ('D', 'U'): assert t in new_level and new_level[t].value not in (None, '', b''), r
            if r['basic'] == 'Z': assert t in new_level, r
    assert new.file_meta.get('SourceApplicationEntityTitle') is None and new.preamble == b'\0'*128
    assert not [e for e in new.iterall() if e.tag.is_private]
    assert new.PixelData == original.PixelData


@pytest.mark.parametrize('option', [o for o in OPTIONS if o != 'pixels'])
def test_each_option_keeps_what_it_should_and_nothing_else(original, option, tmp_path):
    ds = copy.deepcopy(original)
    profile = make_profile(KEY, option)
    days = date_shift(original, profile)
    deidentify_dataset(ds, profile)
    written(ds, tmp_path/'a.dcm')
    new, kept, cleaned = pydicom.dcmread(tmp_path/'a.dcm'), 0, 0
    for depth in range(3):
        old_level, new_level = level(original, depth), level(new, depth)
        for r in _table().values():
            if not re.fullmatch('[0-9A-F]{8}', r['tag']) or (t := int(r['tag'], 16)) not in old_level: continue
            code, old, now = _asked(r, (option,)), old_level[t].value, new_level[t].value if t in new_level else None
            if code == 'K' and r['vr'] == 'SQ': assert now[0].CodeValue == old[0].CodeValue and not now[0].EvaluatorName, r; kept += 1
            elif code == 'K': assert now == ('090Y' if r['vr'] == 'AS' else old), r; kept += 1
            elif code == 'C' and r['vr'] in ('DA', 'DT'): assert now == move_date(old, days) != old, r; cleaned += 1
            elif code == 'C' and r['vr'] == 'TM': assert now == old, r; cleaned += 1
            elif code == 'C': assert b'SECRETQ' not in (now if isinstance(now, bytes) else str(now).encode()) or r['vr'] == 'SQ', r; cleaned += 1
            elif r['vr'] != 'SQ': assert now is None or now != old, r
    n = {c: 3*sum(_asked(r, (option,)) == c for t, r in _table().items() if re.fullmatch('[0-9A-F]{8}', t) and t[:4] not in ('0000', '0002', '0004')) for c in 'KC'}
    assert (kept, cleaned) == (n['K'], n['C'])
    codes = [i.CodeValue for i in new.DeidentificationMethodCodeSequence]
    assert codes[0] == '113100' and len(codes) == 2
    assert new.LongitudinalTemporalInformationModified == dict(full_dates='UNMODIFIED', modified_dates='MODIFIED').get(option, 'REMOVED')


def test_every_option_at_once_still_names_nobody(original, tmp_path):
    ds = copy.deepcopy(original)
    deidentify_dataset(ds, make_profile(KEY, [o for o in OPTIONS if o not in ('full_dates', 'uids', 'device', 'institution')]))
    new = written(ds, tmp_path/'a.dcm')
    for r in _table().values():
        if r['vr'] == 'PN' and re.fullmatch('[0-9A-F]{8}', r['tag']): assert b'^PERSON' not in new, r
    assert b'SECRETQ MAKER' not in new and b'SECRETQ curve' not in new and b'SECRETQ in bytes' not in new


def test_types_decide_what_becomes_of_an_attribute_that_must_be_there():
    def after(sop, **kw):
        ds = Dataset(); ds.SOPClassUID, ds.SOPInstanceUID = sop, '1.2.3.4.5.6.7'
        for k, v in kw.items(): setattr(ds, k, v)
        deidentify_dataset(ds, make_profile(KEY))
        return ds
    enhanced_mr, seg = '1.2.840.10008.5.1.4.1.1.4.1', '1.2.840.10008.5.1.4.1.1.66.4'
    assert after(CT, ContentDate='20200131').ContentDate in (None, '') and after(enhanced_mr, ContentDate='20200131').ContentDate == '19000101'
    ds = Dataset(); ds.SOPClassUID, ds.SOPInstanceUID, ds.PatientID, ds.StudyDate, ds.StudyTime, ds.AcquisitionDateTime = CT, '1.2.3.4.5.6.7', '1', '20200131', '1015', '20200131101500'
    deidentify_dataset(ds, make_profile(KEY, 'modified_dates', times=False))
    assert not ds.StudyTime and len(ds.StudyDate) == 8 and ds.AcquisitionDateTime == ds.StudyDate
    assert 'DeviceSerialNumber' not in after(CT, DeviceSerialNumber='S1') and after(seg, DeviceSerialNumber='S1').DeviceSerialNumber == 'REMOVED'
    assert after('1.2.840.10008.5.1.4.1.1.999.1', SeriesDate='20200131').SeriesDate == '19000101'  # unknown object: what is always valid
    ref = Dataset(); ref.ReferencedSOPClassUID, ref.ReferencedSOPInstanceUID = CT, '1.2.3.4.5.6.8'
    step = Dataset(); step.ReferencedImageSequence = Sequence([ref])
    gone, stays = after(CT, ReferencedImageSequence=Sequence([ref])), after(seg, ReferencedSeriesSequence=Sequence([step]))
    assert 'ReferencedImageSequence' not in gone
    item = stays.ReferencedSeriesSequence[0].ReferencedImageSequence[0]
    assert item.ReferencedSOPInstanceUID == new_uid('1.2.3.4.5.6.8', make_profile(KEY)) and item.ReferencedSOPClassUID == CT


def test_dicom_anonymizer_leaves_nothing_out_that_we_keep(real):
    "On real files: wherever dicom-anonymizer (2026c) removes or changes a value, the original value is gone here too."
    anonymizer = pytest.importorskip('dicomanonymizer.simpledicomanonymizer')
    files = [next((real/'ct_contrast_age').rglob('*.dcm')), *sorted((real/'dicom'/'sarcoma').rglob('*.dcm'))[::40][:12], next((real/'dicom'/'mprage_sagittal').glob('*.dcm'))]
    compared = 0
    for f in files:
        old, theirs, ours = (pydicom.dcmread(f, stop_before_pixels=True) for _ in range(3))
        anonymizer.anonymize_dataset(theirs, base_rules_gen=lambda: anonymizer.initialize_actions('dicomfields_2026c'), delete_private_tags=True)
        deidentify_dataset(ours, make_profile(KEY))
        for e in old:
            changed = e.tag not in theirs or theirs[e.tag].value != e.value
            if not changed or e.value in (None, '', []) or e.VR == 'SQ': continue
            compared += 1
            assert e.tag not in ours or ours[e.tag].value != e.value, (f.name, e.keyword)
    assert compared > 200


def digest(folder): return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in Path(folder).rglob('*') if p.is_file()}


def raw_pixels(ds): return {k: ds[k].value for k in ('PixelData', 'FloatPixelData', 'DoubleFloatPixelData') if k in ds}


GEOMETRY = ('Rows Columns NumberOfFrames PixelSpacing ImagePositionPatient ImageOrientationPatient SliceThickness SpacingBetweenSlices PixelRepresentation BitsAllocated BitsStored '
            'HighBit SamplesPerPixel PhotometricInterpretation RescaleSlope RescaleIntercept WindowCenter WindowWidth').split()


def test_every_transfer_syntax_keeps_its_pixels_and_geometry(tmp_path, tool):
    done, syntaxes, n = make_profile(KEY, ('safe_private', 'graphics')), set(), 0
    for f in sorted((Path(pydicom.__file__).parent/'data'/'test_files').glob('*.dcm')):
        old, new = pydicom.dcmread(f, force=True), pydicom.dcmread(f, force=True)
        if not old.get('SOPClassUID') or 'truncated' in f.name: continue
        deidentify_dataset(new, done)
        written(new, tmp_path/f.name)
        new = pydicom.dcmread(tmp_path/f.name); n += 1
        assert raw_pixels(old) == raw_pixels(new), f.name
        for k in GEOMETRY: assert str(old.get(k)) == str(new.get(k)), (f.name, k)
        syntax = getattr(old, 'file_meta', {}).get('TransferSyntaxUID')
        assert syntax is None or new.file_meta.TransferSyntaxUID == syntax
        syntaxes.add(str(new.file_meta.TransferSyntaxUID))
        if n % 8 == 0: subprocess.run([tool('dcmdump'), '-q', tmp_path/f.name], check=True, capture_output=True)
    assert n > 60 and len(syntaxes) >= 9 and {'1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99'} <= syntaxes


def test_pydicoms_files_all_pass_or_are_held_back_and_the_source_is_not_touched(tmp_path):
    src = Path(pydicom.__file__).parent/'data'/'test_files'
    before = digest(src)
    report = deidentify(src, tmp_path/'new', key=KEY)
    assert digest(src) == before
    assert set(report.files.status) <= {'done', 'held back', 'duplicate', 'not DICOM'}, report.files[report.files.status == 'failed'][['path', 'reason']].values
    done = report.files[report.files.status == 'done']
    assert len(done) > 80 and all(pydicom.dcmread(tmp_path/'new'/o, stop_before_pixels=True).PatientIdentityRemoved == 'YES' for o in done.out)


def test_real_folders_pass(real, tmp_path):
    "RTSTRUCT and its images stay linked; PET keeps what SUV needs; no file fails."
    src = sorted(p for p in (real/'dicom'/'sarcoma').iterdir() if p.is_dir())[0]
    every = sorted(src.rglob('*.dcm'))
    structure = [f for f in every if read_dicom(f, pixels=False, tags=['Modality']).get('Modality') == 'RTSTRUCT'][:1]
    images = [f for f in every if f not in structure][::30]
    report = deidentify([*structure, *images], tmp_path/'new', key=KEY, options=('modified_dates', 'patient', 'safe_private', 'descriptors'))
    assert set(report.files.status) == {'done'} and report.files.out.str.startswith(report.mapping.pseudonym[0]).all()
    p = make_profile(KEY)
    for _, r in report.files.iterrows():
        old, new = read_dicom(r.path, pixels=False), read_dicom(tmp_path/'new'/r.out, pixels=False)
        assert new.SOPInstanceUID == new_uid(old.SOPInstanceUID, p) and new.SeriesInstanceUID == new_uid(old.SeriesInstanceUID, p)
        assert find_phi(tmp_path/'new'/r.out, known=[k for k in identifiers(old) if len(k) > 5], pixels='none').kind.tolist() == []
        if old.Modality == 'PT':
            of = lambda d, k: d.RadiopharmaceuticalInformationSequence[0].get(k)
            assert of(new, 'RadionuclideTotalDose') == of(old, 'RadionuclideTotalDose') and of(new, 'RadiopharmaceuticalStartTime') == of(old, 'RadiopharmaceuticalStartTime')
            assert new.PatientWeight == old.PatientWeight and new.AcquisitionTime == old.AcquisitionTime
        if old.Modality == 'RTSTRUCT':
            refs = [e.value for e in new.iterall() if e.keyword == 'ReferencedSOPInstanceUID']
            assert new_uid(read_dicom(images[0], pixels=False).FrameOfReferenceUID, p) in {e.value for e in new.iterall() if e.keyword in ('FrameOfReferenceUID', 'ReferencedFrameOfReferenceUID')}
            assert refs and all(u.startswith('2.25.') for u in refs)


# Work that is cut short, goes wrong, or is asked for wrongly

def slice_of(n, patient='4711902', name='MILLER^ANNA', **kw):
    ds = Dataset(); ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = CT, f'1.2.276.0.7230010.5.{patient}.{n}', 'CT'
    ds.PatientID, ds.PatientName, ds.StudyDate, ds.StudyInstanceUID, ds.SeriesInstanceUID = patient, name, '20200131', f'1.2.276.0.7230010.6.{patient}', f'1.2.276.0.7230010.7.{patient}'
    ds.Rows = ds.Columns = 8; ds.BitsAllocated = ds.BitsStored = 16; ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel, ds.PhotometricInterpretation = 15, 0, 1, 'MONOCHROME2'
    ds.PixelData = np.arange(64, dtype='<u2').tobytes(); ds['PixelData'].VR = 'OW'
    for k, v in kw.items(): setattr(ds, k, v)
    ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = '1.2.840.10008.1.2.1'
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


@pytest.fixture
def ward(tmp_path):
    folder = tmp_path/'ward7'/'MILLER'; folder.mkdir(parents=True)
    for n in range(6): slice_of(n).save_as(folder/f'{n}.dcm', enforce_file_format=True)
    for n in range(3): slice_of(n, '4711903', 'JONES^BOB').save_as(folder/f'b{n}.dcm', enforce_file_format=True)
    return folder.parent


def test_the_same_key_gives_the_same_files_in_one_process_or_two(ward, tmp_path):
    a = deidentify(ward, tmp_path/'a', key=KEY, options='modified_dates')
    b = deidentify(ward, tmp_path/'b', key=KEY, options='modified_dates', workers=2)
    files = lambda d: {p.relative_to(d): p.read_bytes() for p in d.rglob('*.dcm')}
    assert files(tmp_path/'a') == files(tmp_path/'b') and len(files(tmp_path/'a')) == 9 and a.files.out.tolist() == b.files.out.tolist()
    c = deidentify(ward, tmp_path/'c', key=KEY+'!', options='modified_dates')
    assert not set(a.files.out) & set(c.files.out) and a.files.out.str.split('/').str[0].nunique() == 2
    dates = [read_dicom(tmp_path/'a'/o).StudyDate for o in a.files.out]
    assert len(set(dates)) == 2 and '20200131' not in dates
    d = deidentify(ward, tmp_path/'d', key=KEY, options='modified_dates', times=False)
    assert [read_dicom(tmp_path/'d'/o).StudyDate for o in d.files.out] == dates
    with pytest.raises(BadInput, match='other options'): deidentify(ward, tmp_path/'d', key=KEY, options='modified_dates')


def test_cut_short_and_called_again(ward, tmp_path):
    whole = deidentify(ward, tmp_path/'a', key=KEY)
    kept = {p: p.stat().st_mtime_ns for p in (tmp_path/'a').rglob('*.dcm')}
    journal = tmp_path/'a'/'deid_journal.jsonl'
    lines = journal.read_text().splitlines()
    journal.write_text('\n'.join(lines[:5]) + '\n' + lines[5][:20])          # killed while writing line 6
    lost = tmp_path/'a'/json.loads(lines[2])['out']; lost.unlink()           # and a file was deleted
    again = deidentify(ward, tmp_path/'a', key=KEY)
    assert again.files.equals(whole.files) and again.actions.equals(whole.actions)
    untouched = [p for p, t in kept.items() if p.stat().st_mtime_ns == t]
    assert len(untouched) == 4 and lost.exists() and not (tmp_path/'a'/'.unfinished').exists()
    assert '4711902' not in journal.read_text() and 'MILLER' not in journal.read_text()


def test_a_bad_file_is_a_row(ward, tmp_path):
    (ward/'viewer.exe').write_bytes(b'MZ\0\0' + bytes(300))
    good = (ward/'MILLER'/'0.dcm').read_bytes()
    (ward/'cut.dcm').write_bytes(good[:700])
    (ward/'copy.dcm').write_bytes(good)
    slice_of(9, patient='4711902', ImageComments='x').save_as(ward/'z.dcm', enforce_file_format=True)
    (ward/'DICOMDIR').write_bytes((Path(pydicom.__file__).parent/'data'/'test_files'/'dicomdirtests'/'DICOMDIR').read_bytes())
    (ward/'link.dcm').symlink_to(ward/'MILLER'/'1.dcm')
    report = deidentify(ward, tmp_path/'a', key=KEY)
    status = {Path(r.path).name: r.status for r in report.files.itertuples()}
    assert status['viewer.exe'] == 'not DICOM' and status['z.dcm'] == 'done' and status['DICOMDIR'] == 'held back' and 'link.dcm' not in status
    assert 'duplicate' in (status['copy.dcm'], status['0.dcm']) and status['cut.dcm'] in ('failed', 'duplicate', 'done', 'not DICOM', 'held back')
    report_text = (tmp_path/'a'/'deid_report.csv').read_text() + (tmp_path/'a'/'deid_actions.csv').read_text() + (tmp_path/'a'/'deid_method.json').read_text()
    assert not re.search('4711902|miller|jones|ward7|20200131', report_text, re.I)
    assert not any(re.search('4711902|miller|jones', str(p.relative_to(tmp_path/'a')), re.I) for p in (tmp_path/'a').rglob('*'))


@pytest.mark.parametrize('name', ['CT_small.dcm', 'MR_small_implicit.dcm', 'ExplVR_BigEnd.dcm'])
def test_a_damaged_file_is_a_row_and_never_leaks(name, tmp_path):
    "Flipped bytes and cuts: wrong tags, VRs and lengths; a value may swallow the rest of the header."
    source = (Path(pydicom.__file__).parent/'data'/'test_files'/name).read_bytes()
    names = [k.encode() for k in identifiers(pydicom.dcmread(Path(pydicom.__file__).parent/'data'/'test_files'/name)) if len(k) > 5 and not k.endswith('8.498')]
    profile, rng, seen = make_profile(KEY, ('modified_dates', 'patient', 'safe_private', 'descriptors', 'graphics')), np.random.default_rng(0), set()
    for i in range(60):
        data = bytearray(source[:int(rng.integers(200, 4000))] if i % 2 else source)
        for at in rng.integers(132, min(len(data), 3000), int(rng.integers(1, 8))): data[at] = int(rng.integers(256))
        (tmp_path/'a.dcm').write_bytes(data)
        row = _one_file(tmp_path/'a.dcm', tmp_path/'new', profile)
        seen.add(row['status'])
        if row['status'] != 'done': continue
        new = (tmp_path/'new'/row['out']).read_bytes()
        assert not [n for n in names if n in data and re.search(rb'(?<![\w.])' + re.escape(n) + rb'(?![\w.])', new)], i
    assert {'done', 'failed'} <= seen and not list((tmp_path/'new').rglob('.unfinished/*'))


def test_what_stands_where_nobody_looks_is_found(tmp_path):
    "The name in the remark of another file, in an attribute outside the table, in the stream of the pixels."
    src = tmp_path/'src'; src.mkdir()
    slice_of(1, SegmentDescription='seen with Mrs. Miller').save_as(src/'1.dcm', enforce_file_format=True)
    slice_of(2, name='', ContrastBolusAgentSequence=Sequence([Dataset()]), ProtocolName='x', FrameComments='MILLER').save_as(src/'2.dcm', enforce_file_format=True)
    hidden = slice_of(3); hidden.PixelData = b'MILLER^ANNA 4711902'.ljust(128, b'\0'); hidden['PixelData'].VR = 'OW'
    hidden.save_as(src/'3.dcm', enforce_file_format=True)
    slice_of(4, SeriesNumber='4711902', Manufacturer='ACME for Miller').save_as(src/'4.dcm', enforce_file_format=True)
    report = deidentify(src, tmp_path/'new', key=KEY, options='descriptors')
    assert report.files.status.tolist() == ['done', 'done', 'failed', 'done']
    assert report.files.reason[2].startswith('an identifier remained (byte') and not list((tmp_path/'new').rglob('.unfinished/*'))
    one, four = (read_dicom(tmp_path/'new'/report.files.out[i]) for i in (0, 3))
    assert one.SegmentDescription == 'seen with XXX' and four.SeriesNumber is None


def test_embedded_overlay_bits_are_cleared():
    ds = slice_of(1, BitsStored=12, HighBit=11)
    words = np.arange(64, dtype='<u2') | 0x1000
    ds.PixelData = words.tobytes()
    for element, vr, v in ((0x0010, 'US', 8), (0x0011, 'US', 8), (0x0040, 'CS', 'G'), (0x0050, 'SS', [1, 1]), (0x0100, 'US', 16), (0x0102, 'US', 12), (0x0022, 'LO',
        'MILLER')): ds.add_new((0x6000, element), vr, v)
    deidentify_dataset(ds, make_profile(KEY))
    assert (np.frombuffer(ds.PixelData, '<u2') == np.arange(64)).all() and not [t for t in ds.keys() if t.group == 0x6000]


def test_asked_wrongly(ward, tmp_path):
    with pytest.raises(BadInput, match='secret key'): deidentify(ward, tmp_path/'x')
    with pytest.raises(BadInput, match='No profile'): deidentify(ward, tmp_path/'x', key=KEY, profile='full')
    for dst in (ward, ward/'new', ward.parent):
        with pytest.raises(BadInput, match='would lie in the source|not empty'): deidentify(ward, dst, key=KEY)
    (tmp_path/'full').mkdir(); (tmp_path/'full'/'a.txt').write_text('x')
    with pytest.raises(BadInput, match='not empty'): deidentify(ward, tmp_path/'full', key=KEY)
    with pytest.raises(BadInput, match='nothing to read'): deidentify(tmp_path/'nothing', tmp_path/'x', key=KEY)
    assert not (tmp_path/'x').exists()


@pytest.mark.parametrize('change, words', [(dict(Modality='US'), 'burned-in'), (dict(BurnedInAnnotation='YES'), 'burned in'), (dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.7'), 'secondary capture'),
    (dict(ImageType=['DERIVED', 'SECONDARY', 'SCREEN SAVE']), 'capture'), (dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.104.1'), 'document'),
        (dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.88.67'), 'report'),
    (dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.11.1'), 'drawings'), (dict(SOPClassUID='1.3.12.2.1107.5.9.1'), 'nobody can say'), (dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.66'), 'raw data'),
    (dict(ImageType=['ORIGINAL', 'PRIMARY', 'LABEL'], Modality='SM'), 'slide'), (dict(Modality='XC'), 'photograph'), (dict(ImageType=['ORIGINAL', 'PRIMARY', 'ASL', 'LABEL'], Modality='MR'), ''),
    ({}, '')])
def test_held_back(change, words):
    why = why_held(slice_of(1, **change), make_profile(KEY))
    assert (words in why) if words else why == ''


# Text

@pytest.mark.parametrize('text', ['Miller', 'Thorax Jones', 'ref. Dr. Weber, 31.01.2020', 'Anna 4711902', 'T2_TSE_MILLER', 'thorax^jones', 'KUB (Schmidt)', 'Lung-Jones 5mm'])
def test_clean_text_keeps_no_word_that_is_not_of_imaging(text):
    left = clean_text(text, known=['MILLER^ANNA']).lower()
    assert not re.search('miller|jones|weber|anna|schmidt|4711902|2020', left)


@pytest.mark.parametrize('text', ['T1 MPRAGE SAG', 'Thorax 5.0 B31f', 'AX T2 FLAIR FS', 'CT Abdomen portal venous', 't2_tse_tra 3mm', 'DWI b1000 ADC', 'Chest PA and lateral',
    'Schädel nativ', 'PET CT WB'])
def test_clean_text_keeps_what_is_of_imaging(text): assert clean_text(text) == text


def test_find_phi_sees_what_a_notebook_shows(tmp_path):
    from nbformat.v4 import new_code_cell, new_notebook, new_output
    from nbformat import write
    nb = new_notebook(cells=[new_code_cell('x', outputs=[new_output('error', ename='E', evalue='no slice', traceback=['in /home/amiller/4711902/ct.py'])])])
    write(nb, tmp_path/'a.ipynb')
    found = find_phi(tmp_path, known=['4711902'], reveal=True)
    assert found.text.tolist() == ['4711902'] and found['where'].tolist() == ['a.ipynb cell 1, error']


def test_find_phi_in_odd_files_is_a_row(tmp_path):
    import nibabel as nib
    header = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)); header.header['descrip'] = b'MILLER^ANNA 31.01.2020'
    nib.save(header, tmp_path/'a.nii.gz')
    (tmp_path/'b.nii').write_bytes(b'\0'*400); (tmp_path/'c.ipynb').write_text('{'); (tmp_path/'d.png').write_bytes(b'\x89PNG\r\n'); (tmp_path/'e.bin').write_bytes(b'\0\1MILLER^ANNA')
    (tmp_path/'f.zip').write_bytes(b'PK\3\4'); (tmp_path/'4711902.txt').write_text(''); (tmp_path/'g.parquet').write_bytes(b'PAR1')
    found = find_phi(tmp_path, known=['MILLER^ANNA', '4711902'], pixels='none')
    kinds = found.assign(file=found['where'].str.split().str[0]).groupby('file').kind.agg(set).to_dict()
    assert {'date'} < kinds['a.nii.gz'] <= {'date', 'patient name', 'known identifier'}
    for f in ('b.nii', 'c.ipynb', 'd.png', 'f.zip', 'g.parquet'): assert kinds[f] == {'not looked into'}, f
    assert kinds['e.bin'] == {'known identifier', 'not looked into'} and kinds['4711902.txt'] == {'known identifier'}


def test_find_phi_shows_shapes_only(tmp_path):
    (tmp_path/'a.txt').write_text('Miller, 4711902, born on 31.01.1950')
    found = find_phi(tmp_path/'a.txt', known=['MILLER', '4711902'])
    assert len(found) == 3 and not found.astype(str).apply(lambda c: c.str.contains('Miller|4711902|1950', case=False)).any().any()


# Pixels

def drawn(shape, lines, size=16, value=255):
    "A grey picture with lines of text in a usual font."
    import matplotlib
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path())/'fonts'/'ttf'/'DejaVuSans.ttf'), size)
    grey = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 97
    picture = Image.fromarray(grey.astype(np.uint8)); draw = ImageDraw.Draw(picture)
    for (x, y), text in lines: draw.text((x, y), text, value, font)
    return np.asarray(picture)


@pytest.fixture(scope='module')
def reader(): return pytest.importorskip('rapidocr_onnxruntime', reason="pip install 'radnb[ocr]'")


def test_burned_in_names_are_blacked_out_in_every_frame(reader, tmp_path):
    frames = np.stack([drawn((240, 320), [((8, 6), 'MILLER ANNA'), ((8, 210), 'ID 4711902'), ((296, 110), 'R')])]*2)
    frames[1, 100:130, 100:200] = 200
    us = slice_of(1, Modality='US', SOPClassUID='1.2.840.10008.5.1.4.1.1.3.1', Rows=240, Columns=320, NumberOfFrames=2, BitsAllocated=8, BitsStored=8, HighBit=7)
    us.PixelData = frames.tobytes(); us['PixelData'].VR = 'OB'
    (tmp_path/'src').mkdir(); us.save_as(tmp_path/'src'/'us.dcm', enforce_file_format=True)
    report = deidentify(tmp_path/'src', tmp_path/'new', key=KEY, options='pixels')
    assert report.files.status[0] == 'done' and report.files.text_boxes[0] >= 2
    new = pydicom.dcmread(tmp_path/'new'/report.files.out[0])
    after = new.pixel_array
    assert new.BurnedInAnnotation == 'NO' and '113101' in [i.CodeValue for i in new.DeidentificationMethodCodeSequence]
    assert (after[:, 110:130, 296:312] == frames[:, 110:130, 296:312]).all(), 'the side marker stays'
    assert (after[1, 100:130, 100:200] == 200).all() and not [b for b in read_text(after[0]) if len(b.text) > 2]
    assert (after[:, 8:20, 8:80] == 0).all() and (after[:, 60:90] == frames[:, 60:90]).all()


def test_colour_and_compressed_images_are_cleaned(reader):
    src = Path(pydicom.__file__).parent/'data'/'test_files'/'SC_rgb_rle.dcm'
    ds = pydicom.dcmread(src)
    before = ds.pixel_array.copy()
    found = clean_pixels(ds)
    assert ds.BurnedInAnnotation == 'NO' and (found or ds.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless)
    text = np.repeat(drawn((200, 300), [((10, 10), 'MILLER ANNA 4711902')])[..., None], 3, 2)
    ds.Rows, ds.Columns, ds.PixelData, ds.PlanarConfiguration = 200, 300, text.tobytes(), 0
    ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.compress(pydicom.uid.RLELossless)
    assert clean_pixels(ds) and ds.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    after = ds.pixel_array
    assert after.shape == text.shape and not read_text(after) and (after[100:] == text[100:]).all() and before.ndim == 3


def test_a_palette_image_keeps_its_colours(reader):
    ds = pydicom.dcmread(Path(pydicom.__file__).parent/'data'/'test_files'/'examples_palette.dcm')
    before, header = ds.pixel_array.copy(), {k: str(ds.get(k)) for k in GEOMETRY}
    found = clean_pixels(ds)
    changed = ds.pixel_array != before
    assert len(found) > 8 and .005 < changed.mean() < .1 and header == {k: str(ds.get(k)) for k in GEOMETRY}
    assert (pydicom.pixels.apply_color_lut(ds.pixel_array, ds)[changed].max(-1) == 0).all()


def test_a_look_at_every_picture_holds_back_what_nobody_suspected(reader, tmp_path):
    ct = slice_of(1, Rows=200, Columns=300); ct.PixelData = (drawn((200, 300), [((10, 10), 'MILLER ANNA')]).astype('<u2')*8).tobytes(); ct['PixelData'].VR = 'OW'
    (tmp_path/'src').mkdir(); ct.save_as(tmp_path/'src'/'ct.dcm', enforce_file_format=True)
    assert deidentify(tmp_path/'src', tmp_path/'a', key=KEY).files.status[0] == 'done'
    report = deidentify(tmp_path/'src', tmp_path/'b', key=KEY, look='all')
    assert report.files.status[0] == 'held back' and 'text found in the pixels' in report.files.reason[0]
    found = find_phi(tmp_path/'src', known=['MILLER^ANNA'], pixels='all')
    assert 'known identifier in picture' in found.kind.tolist() and found.box.notna().any()
