"The header scanner: the same table as pydicom's for every file, and a row with a reason for whatever is not DICOM as it should be."
import os, struct, zlib
from io import BytesIO
from pathlib import Path
import numpy as np
import pandas as pd
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian,
                         JPEG2000Lossless, RLELossless)
from radnb.core import UnreadableFile
from radnb.data import _scan, scan
from radnb.data.dicom import load_series
from radnb.data.scan import COLUMNS, read_dicom, scan_file, scan_files

STATUSES = {'ok', 'no image', 'truncated', 'unreadable', 'not DICOM', 'DICOMDIR'}
PYDICOM = Path(pydicom.__file__).parent/'data'
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]

def equal(a, b):
    "A cell of the table and a value of `scan_file`: both missing, or of one kind and the same."
    if b is None: return a is None or isinstance(a, float) and np.isnan(a)
    return type(a) is type(b) and a == b or isinstance(b, (int,float)) and float(a) == float(b)

def assert_like_pydicom(paths):
    "Every cell of `scan_files` is what pydicom says. Returns the table."
    table = scan_files(paths)
    assert list(table.columns) == COLUMNS and len(table) == len(paths)
    for row,path in zip(table.to_dict('records'), paths):
        reference = scan_file(path)
        differ = {k: (row[k], reference[k]) for k in COLUMNS if not equal(row[k], reference[k])}
        assert not differ, (path, differ)
    return table

@pytest.fixture
def plain_only(monkeypatch):
    "Fail where the scanner hands a file over to pydicom."
    def never(path): raise AssertionError(f'not read by the scanner itself: {path}')
    monkeypatch.setattr(scan, 'scan_file', never)

def image(**keywords):
    "A small CT image with sequences in it, one of them with pixels of its own."
    ds = Dataset()
    for k,v in dict(SpecificCharacterSet='ISO_IR 100', ImageType=['ORIGINAL','PRIMARY','AXIAL'], SOPClassUID=CTImageStorage, SOPInstanceUID='1.2.3.4',
                    Modality='CT', PatientID='P1 ', StudyInstanceUID='1.2.3', SeriesInstanceUID='1.2.3.1', FrameOfReferenceUID='1.2.9',
                    SeriesDescription='Thorax', Manufacturer='Simulacra', KVP='120', InstanceNumber='7', SliceThickness='2.5 ',
                    ImagePositionPatient=['-10.5','2E1','+3'], ImageOrientationPatient=['1','0','0','0','1','0'], PixelSpacing=['.8','0.75'],
                    Rows=6, Columns=8, BitsAllocated=16, BitsStored=12, HighBit=11, PixelRepresentation=0, SamplesPerPixel=1,
                    PhotometricInterpretation='MONOCHROME2', RescaleSlope='1', RescaleIntercept='-1024', WindowCenter=['40','-600'],
                    WindowWidth=['400','1500']).items(): setattr(ds, k, v)
    icon, inner = Dataset(), Dataset()
    inner.Rows, inner.PatientID = 99, 'WRONG'
    icon.Rows, icon.Columns, icon.BitsAllocated, icon.PixelRepresentation, icon.PixelData, icon.Modality = 2, 2, 8, 0, b'\x01\x02\x03\x04', 'XX'
    icon.ReferencedImageSequence = [inner]
    ds.IconImageSequence = [icon]
    ds.PixelData = np.arange(48, dtype=np.uint16).tobytes()
    for k,v in keywords.items(): setattr(ds, k, v)
    return ds

def encode(ds, syntax=ExplicitVRLittleEndian, undefined=False, meta=True):
    "Bytes of the file."
    for e in ds:
        if e.VR == 'SQ':
            e.is_undefined_length = undefined
            for item in e.value: item.is_undefined_length_sequence_item = undefined
    ds['PixelData'].VR = 'OW'
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID, ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = syntax, CTImageStorage, '1.2.3.4'
    ds.preamble, out = bytes(128), BytesIO()
    pydicom.dcmwrite(out, ds, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=syntax != ExplicitVRBigEndian, force_encoding=True)
    data = out.getvalue()
    return data if meta else data[data.index(b'\x00\x08\x00\x05' if syntax == ExplicitVRBigEndian else b'\x08\x00\x05\x00'):]

def save(folder, files):
    "Write bytes to numbered files."
    paths = [folder/f'{i:03d}' for i in range(len(files))]
    for p,data in zip(paths, files): p.write_bytes(data)
    return paths

# --- the same as pydicom ----------------------------------------------------------------------------------------------------------------------------
def test_every_real_file_like_pydicom(real):
    table = assert_like_pydicom([p for p in sorted((real/'dicom').rglob('*')) if p.is_file()])
    assert len(table) > 1000 and set(table.status) <= STATUSES

def test_pydicoms_own_test_files_like_pydicom():
    table = assert_like_pydicom([p for p in sorted(PYDICOM.rglob('*')) if p.is_file()])
    assert len(table) > 150 and set(table.status) <= STATUSES

@pytest.mark.parametrize('undefined', [False, True])
@pytest.mark.parametrize('syntax', SYNTAXES)
def test_syntaxes(tmp_path, plain_only, syntax, undefined):
    "Explicit and implicit, little and big endian, sequences with a length and without: one table, and the place of the pixels."
    data = encode(image(), syntax, undefined)
    rows = scan_files(save(tmp_path, [data]*5))
    assert (rows.status == 'ok').all(), rows.reason[0]
    row = rows.iloc[3]
    assert (row.PatientID, row.Rows, row.Columns, row.Modality, row.KVP, row.SliceThickness, row.WindowCenter) == ('P1', 6, 8, 'CT', 120, 2.5, 40)
    assert (row.ipp, row.iop, row.pixel_spacing, row.spacing_kind) == ((-10.5,20.,3.), (1.,0,0,0,1,0), (.8,.75), 'PixelSpacing')
    assert (row.TransferSyntaxUID, row.ImageType, row['size']) == (syntax, 'ORIGINAL\\PRIMARY\\AXIAL', len(data))
    pixels = data[row.pixel_offset:row.pixel_offset+row.pixel_length]
    assert np.array_equal(np.frombuffer(pixels, '<u2'), np.arange(48))   # written as they are, whatever the syntax

@pytest.mark.parametrize('syntax', SYNTAXES)
def test_without_preamble_and_meta(tmp_path, plain_only, syntax):
    rows = scan_files(save(tmp_path, [encode(image(), syntax, meta=False)]*5))
    assert (rows.status == 'ok').all() and (rows.PatientID == 'P1').all() and rows.TransferSyntaxUID.isna().all()

def test_all_of_them_in_one_batch_like_pydicom(tmp_path):
    kinds = [(s, u, m) for s in SYNTAXES for u in (False,True) for m in (False,True)]
    files = [encode(image(InstanceNumber=str(i), SeriesDescription=f'S{i%3}'), *k) for i in range(5) for k in kinds]
    assert (assert_like_pydicom(save(tmp_path, files)).status == 'ok').all()

@pytest.mark.parametrize('size', [100, 9000, 70000, 3_000_000])
def test_long_private_elements_in_front_of_the_pixels(tmp_path, plain_only, size):
    "Vendors put tens of kilobytes between the keywords and the pixels; keywords behind them count."
    ds = image()
    block = ds.private_block(0x0011, 'VENDOR', create=True)
    for n in range(3): block.add_new(n, 'OB', bytes(size))
    item = Dataset(); item.SeriesDescription = 'x'*60
    ds.SourceImageSequence = [item]*min(size//100, 1000)
    paths = save(tmp_path, [encode(ds, s, size < 10000) for s in SYNTAXES]*4)
    rows = scan_files(paths)
    assert (rows.status == 'ok').all() and (rows.Rows == 6).all() and (rows.InstanceNumber == 7).all()
    for p,r in zip(paths, rows.itertuples()): assert np.array_equal(np.frombuffer(p.read_bytes()[r.pixel_offset:][:96], '<u2'), np.arange(48))

@pytest.mark.parametrize('charset,text', [
    ('ISO_IR 100','Schädel'), ('ISO_IR 192','Schädel 頭部'), ('GB18030','头部'), ('ISO_IR 144','Голова'), (['','ISO 2022 IR 87'],'頭部'),
    (['','ISO 2022 IR 149'],'머리'), ('ISO_IR 166','ศีรษะ')])
def test_texts_in_their_character_set(tmp_path, plain_only, charset, text):
    kinds = [(i, s) for i in range(4) for s in SYNTAXES]
    files = [encode(image(SpecificCharacterSet=charset, SeriesDescription=text, InstitutionName=f'{text} {i%2}'), s) for i,s in kinds]
    rows = scan_files(save(tmp_path, files))
    assert (rows.SeriesDescription == text).all() and rows.InstitutionName.tolist() == [f'{text} {i%2}' for i,_ in kinds]

def test_equal_bytes_in_two_character_sets(tmp_path):
    "The same bytes mean different texts; a value is not carried over from the file before."
    raw, files = 'Sch\xe4del'.encode('latin1'), []
    for charset in ('ISO_IR 100','ISO_IR 144','ISO_IR 100'):
        ds = image(SpecificCharacterSet=charset, SeriesDescription='XXXXXXX')
        files.append(encode(ds).replace(b'XXXXXXX', raw))
    assert assert_like_pydicom(save(tmp_path, files)).SeriesDescription.tolist() == ['Schädel', 'Schфdel', 'Schädel']

def test_group_lengths_and_group_length_of_meta_wrong(tmp_path, plain_only):
    data = encode(image())
    first = data.index(b'\x08\x00\x05\x00CS')
    with_length = data[:first] + b'\x08\x00\x00\x00UL\x04\x00\x99\x00\x00\x00' + data[first:]
    wrong_meta = data[:140] + b'\x01\x00\x00\x00' + data[144:]
    assert (scan_files(save(tmp_path, [with_length, wrong_meta]*3)).status == 'ok').all()

@pytest.mark.parametrize('creator,tag,vr,value,b', [
    ('SIEMENS MR HEADER', 0x0019100C, 'IS', '800', 800), ('GEMS_PARM_01', 0x00431039, 'IS', ['1000000700','8','0','0'], 700),
    ('Philips Imaging DD 001', 0x20011003, 'FL', 1000., 1000), ('SOMEBODY ELSE', 0x0019100C, 'IS', '800', None)])
@pytest.mark.parametrize('syntax', SYNTAXES)
def test_private_b_values(tmp_path, syntax, creator, tag, vr, value, b):
    ds = image()
    ds.private_block(tag>>16, creator, create=True).add_new(tag & 0xFF, vr, value)
    rows = assert_like_pydicom(save(tmp_path, [encode(ds, syntax)]*4 + [encode(image(DiffusionBValue=50.), syntax)]))
    assert [equal(v, b) for v in rows.DiffusionBValue[:4]] == [True]*4 and rows.DiffusionBValue[4] == 50

def test_pixel_offsets_of_real_files(real):
    "Where the table says that uncompressed pixels are, pydicom has them too."
    folders = [real/'dicom'/d for d in ('agfa','odd','transfer_syntaxes','twelve_bit','enhanced')]
    table = scan_files([p for d in folders for p in sorted(d.rglob('*')) if p.is_file()])
    some = table[(table.status == 'ok') & (table.pixel_length > 0)]
    assert len(some) > 10
    for r in some.itertuples():
        value = pydicom.dcmread(r.path, force=True).PixelData
        with open(r.path, 'rb') as f: f.seek(r.pixel_offset); assert f.read(r.pixel_length) == value, r.path

def test_types_do_not_depend_on_the_files(tmp_path):
    "A table of letters has the same columns and types as one of images: tables can be put together."
    (tmp_path/'letter').write_text('Dear colleague')
    letters, images = scan_files([tmp_path/'letter']), scan_files(save(tmp_path, [encode(image())]))
    assert letters.dtypes.equals(images.dtypes) and scan_files([]).dtypes.equals(images.dtypes) and len(scan_files([])) == 0

def test_many_threads_and_slow_disks_give_the_same(tmp_path, monkeypatch):
    paths = save(tmp_path, [encode(image(InstanceNumber=str(i))) for i in range(40)])
    expected, read_at = scan_files(paths), _scan.read_at
    def slow(*args):
        import time; time.sleep(.005)
        return read_at(*args)
    monkeypatch.setattr(_scan, 'read_at', slow)
    assert scan._pace(list(map(str, paths[:4]))) == (16, 256)
    pd.testing.assert_frame_equal(scan_files(paths), expected)
    pd.testing.assert_frame_equal(scan_files(paths, workers=3), expected)

# --- verdicts ---------------------------------------------------------------------------------------------------------------------------------------
#: Every file of the folder `odd`: its status, and words of the reason.
ODD = {
    'CT0012.fragmented_no_bot_jpeg_baseline.51.dcm': 'ok', 'CT1_J2KR': 'ok', 'CT2_J2KR': 'ok', 'CTImage.dcm': 'ok',
    'CTImage.dcm_BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2.dcm': 'ok',
    'CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm': 'ok',
    'CTImage.dcm_JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90.dcm': 'ok',
    'CTImage.dcm_JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm': 'ok',
    'CTImage.dcm_JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80.dcm': 'ok',
    'CTImage.dcm_JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81.dcm': 'ok',
    'CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm': 'ok',
    'CTImage.dcm_JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70.dcm': 'ok',
    'CTImage.dcm_JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57.dcm': 'ok',
    'CTImage.dcm_JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50.dcm': 'ok',
    'CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm': 'ok',
    'CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm': 'ok',
    'CTImage.dcm_LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1.dcm': 'ok',
    'CTImage.dcm_LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm': 'ok',
    'CTImage.dcm_RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm': 'ok', 'US-YBR_FULL_422-EVRLE.dcm': 'ok',
    'no-pixel-data.dcm': 'no image: a SR object',
    'no-pixel-spacing.dcm': 'ok', 'wadors/CTImageEvenAligned.dat': 'not DICOM', 'wadors/CTImageOddAligned.dat': 'not DICOM',
    'wadors/metadata': 'not DICOM'}

def test_verdict_on_every_odd_file(real):
    folder = real/'dicom'/'odd'
    table = scan_files([p for p in sorted(folder.rglob('*')) if p.is_file()])
    found = {os.path.relpath(r.path, folder): (r.status, r.reason) for r in table.itertuples()}
    assert set(found) == set(ODD)
    for name,expected in ODD.items():
        status,_,reason = expected.partition(': ')
        assert found[name][0] == status and reason in found[name][1], (name, found[name])

#: Those of pydicom's own test files that are not whole images, and what they are instead.
PYDICOM_ODD = {'test_files/'+k: v for k,v in {
    'badVR.dcm': 'unreadable: header is broken',   # NumberOfFrames '1A'
    'MR_truncated.dcm': 'truncated: bytes of pixels are missing', 'rtplan_truncated.dcm': 'truncated: in the middle of its header',
    'rtplan.dcm': 'no image: RTPLAN', 'rtstruct.dcm': 'no image: RTSTRUCT', 'test-SR.dcm': 'no image: SR', 'reportsi.dcm': 'no image: SR',
    'reportsi_with_empty_number_tags.dcm': 'no image: SR', 'waveform_ecg.dcm': 'no image: ECG', 'zipMR.gz': 'not DICOM: gzip',
    'README.txt': 'not DICOM', 'test1.json': 'not DICOM', 'test_PN.json': 'not DICOM', 'rtplan.dump': 'not DICOM', 'rtstruct.dump': 'not DICOM',
    'crayons.icc': 'not DICOM', 'dicomdirtests/DICOMDIR': 'DICOMDIR', 'dicomdirtests/DICOMDIR-bigEnd': 'DICOMDIR',
    'dicomdirtests/DICOMDIR-empty.dcm': 'DICOMDIR'}.items()}

def independent(path):
    "What is in a file, found without radnb: the name of its SOP class, and whether pydicom finds all of the pixels that the header promises."
    try: ds = pydicom.dcmread(path, force=True)
    except (OSError, ValueError, AttributeError, struct.error, zlib.error): return 'not DICOM'
    if ds.file_meta.get('MediaStorageSOPClassUID') == '1.2.840.10008.1.3.10': return 'DICOMDIR'
    if 'SOPClassUID' not in ds and 'MediaStorageSOPClassUID' not in ds.file_meta: return 'not DICOM'
    if 'Rows' not in ds: return 'truncated' if 'SOPClassUID' in ds and 'Image Storage' in ds.SOPClassUID.name else 'no image'
    pixels = next((ds[k].value for k in ('PixelData','FloatPixelData','DoubleFloatPixelData') if k in ds), None)
    if pixels is None: return 'no image'
    samples = 2 if '422' in ds.PhotometricInterpretation else ds.SamplesPerPixel
    whole = len(pixels)*8 >= ds.Rows*ds.Columns*samples*int(ds.get('NumberOfFrames') or 1)*ds.BitsAllocated
    return 'ok' if whole or ds.file_meta.get('TransferSyntaxUID') and ds.file_meta.TransferSyntaxUID.is_encapsulated else 'truncated'

def test_verdict_on_every_test_file_of_pydicom():
    table = scan_files([p for p in sorted(PYDICOM.rglob('*')) if p.is_file()])
    found = {os.path.relpath(r.path, PYDICOM): (r.status, r.reason) for r in table.itertuples()}
    for name,expected in PYDICOM_ODD.items():
        if name not in found: continue   # another version of pydicom
        status,_,reason = expected.partition(': ')
        assert found[name][0] == status and reason in found[name][1], (name, found[name])
    rest = {n: s for n,(s,_) in found.items() if n not in PYDICOM_ODD}
    wrong = {n: (s, independent(PYDICOM/n)) for n,s in rest.items() if s != independent(PYDICOM/n)}
    assert not wrong and sum(s == 'ok' for s in rest.values()) > 80

def test_what_is_not_dicom_is_named(tmp_path):
    kinds = {'a.exe': (b'MZ'+bytes(500), 'a Windows program'), 'b.zip': (b'PK\x03\x04'+bytes(500), 'an archive (zip): unpack it'),
             'c.pdf': (b'%PDF-1.4', 'a PDF document'), 'd': (b'', 'an empty file'), 'f.txt': (b'Dear colleague', 'no SOP class'),
             'e.tar': (bytes(257)+b'ustar'+bytes(300), 'an archive (tar): unpack it'), 'g.bin': (bytes(5000), 'no SOP class'),
             'h.inf': (b'[autorun]\r\nopen=viewer.exe', 'no SOP class')}
    for name,(data,_) in kinds.items(): (tmp_path/name).write_bytes(data)
    table = assert_like_pydicom([tmp_path/n for n in kinds])
    assert (table.status == 'not DICOM').all() and table.reason.tolist() == [f'Not a DICOM file ({what})' for _,what in kinds.values()]

def test_what_cannot_be_opened_is_a_row(tmp_path):
    os.mkfifo(tmp_path/'pipe')
    names = [tmp_path/'gone', tmp_path, tmp_path/'pipe', 'a\0b', '/dev/null']
    table = scan_files(names)
    assert (table.status == 'unreadable').all() and table.reason.str.contains('Cannot be opened|embedded null').all(), table.reason.tolist()

def test_names_that_are_no_text(tmp_path):
    "Discs of old have file names in Latin 1."
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b'/Sch\xe4del.dcm')
    Path(path).write_bytes(encode(image()))
    assert scan_files([path]).path[0] == path and scan_files([path]).status[0] == 'ok'

def test_compressed_pixels_need_an_end(tmp_path):
    ds = image(PixelData=encapsulate([b'\x00\x01'*40]))
    ds['PixelData'].is_undefined_length = True
    data = encode(ds, JPEG2000Lossless)
    rows = assert_like_pydicom(save(tmp_path, [data, data[:-8], data[:-20], encode(ds, RLELossless)]))
    assert rows.status.tolist() == ['ok', 'truncated', 'truncated', 'ok'] and rows.pixel_length.tolist() == [-1]*4

# --- damage -----------------------------------------------------------------------------------------------------------------------------------------
def deflated(inside, syntax=b'1.2.840.10008.1.2.1.99'):
    "A deflated file around the bytes of a data set, given in pieces."
    z = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return meta(syntax) + b''.join(z.compress(b) for b in inside) + z.flush()

def meta(syntax=b'1.2.840.10008.1.2.1'):
    element = lambda tag, value: tag + b'UI' + struct.pack('<H', len(value)+len(value)%2) + value + b'\0'*(len(value)%2)
    return bytes(128) + b'DICM' + element(b'\x02\0\x02\0', CTImageStorage.encode()) + element(b'\x02\0\x10\0', syntax)

SOP = b'\x08\0\x16\0UI\x1a\0' + CTImageStorage.encode() + b'\0'
SIZE = b'\x28\0\x10\0US\2\0\x10\0\x28\0\x11\0US\2\0\x10\0'
OPEN = b'\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff'
CLOSE = b'\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0'
PIXELS = b'\xe0\x7f\x10\0OW\0\0'
HEADER_ENDS, IMPLICIT, NOISE = 'truncated: in the middle of its header', b'1.2.840.10008.1.2', np.random.default_rng(0).bytes(512)
BAD = {
    'zeros': (meta() + bytes(3<<20), 'unreadable'),
    'zeros, implicit': (meta(IMPLICIT) + bytes(3<<20), 'unreadable'),
    'empty items': (meta() + OPEN[:12] + b'\xfe\xff\0\xe0\0\0\0\0'*200_000, 'unreadable'),
    'nested without end': (meta() + SOP + OPEN*5000, 'unreadable'),
    'nested deep': (meta() + SOP + OPEN*5000 + CLOSE*5000, 'unreadable'),
    'nested, but in reason': (meta() + SOP + OPEN*20 + CLOSE*20, 'truncated: before the image'),
    'a length of 4 GB': (meta() + SOP + b'\x09\0\x10\0UN\0\0\xf0\xff\xff\xff' + bytes(1000), HEADER_ENDS),
    'a length of 4 GB, implicit': (meta(IMPLICIT) + SOP[:4] + b'\x1a\0\0\0' + SOP[8:] + b'\x09\0\x10\0\xf0\xff\xff\xff' + bytes(1000), HEADER_ENDS),
    'pixels of 4 GB': (meta() + SOP + SIZE + PIXELS + b'\xf0\xff\xff\xff' + bytes(100), 'truncated: bytes of pixels are missing'),
    'no end of a value': (meta() + SOP + b'\x09\0\x10\0UN\0\0\xff\xff\xff\xff' + b'x'*100_000, HEADER_ENDS),
    'a bomb': (deflated([SOP, SIZE, PIXELS + b'\0\x02\0\0', *[bytes(1<<20)]*60]), 'unreadable'),
    'a bomb in the header': (deflated([SOP, b'\x09\0\x10\0UN\0\0\0\0\0\x7f', *[bytes(1<<20)]*40]), 'unreadable'),
    'deflated, cut': (deflated([SOP, SIZE, PIXELS + b'\0\x02\0\0', NOISE])[:-100], 'truncated: the deflated data have no end'),
    'not deflated': (meta(b'1.2.840.10008.1.2.1.99') + b'\xff'*300, 'unreadable'),
    'no syntax': (bytes(128) + b'DICM' + SOP, 'truncated: before the image'),
    'only DICM': (bytes(128) + b'DICM', 'not DICOM: no SOP class'),
    'DICM and a piece': (bytes(128) + b'DICM\2\0', HEADER_ENDS)}

@pytest.mark.parametrize('name', BAD)
def test_bad_on_purpose(tmp_path, monkeypatch, name):
    "A row with the right status within seconds and within bounds; reading it raises an error of ours."
    import resource
    monkeypatch.setattr(scan, '_INFLATE_ALL', 1<<25)
    data, expected = BAD[name]
    status,_,reason = expected.partition(': ')
    path, = save(tmp_path, [data])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    table = assert_like_pydicom([path])
    assert table.status[0] == status and reason in table.reason[0], table.reason[0]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000   # KB
    if status == 'unreadable':
        with pytest.raises(UnreadableFile) as e: read_dicom(path)
        assert str(path) in str(e.value) and e.value.remedy
        with pytest.raises(UnreadableFile): load_series(path)

@pytest.mark.parametrize('syntax', [*SYNTAXES, DeflatedExplicitVRLittleEndian])
def test_cut_at_every_offset(tmp_path, syntax):
    "A small file that ends anywhere: one row each, as pydicom would have it, and never 'ok' before its last byte."
    data = encode(image(), syntax, undefined=True)
    paths = save(tmp_path, [data[:n] for n in range(len(data))])
    table = scan_files(paths)
    assert not (table.status == 'ok').any() and (table.reason != '').all()
    assert_like_pydicom(paths[::7])

BASES = [encode(image(), s, u) for s in SYNTAXES for u in (False,True)]

FLIPS = st.lists(st.tuples(st.integers(0, 1500), st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF]) | st.integers(0, 255)), min_size=1, max_size=6)

@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(BASES), FLIPS, st.integers(0, 1500), st.binary(max_size=6), st.integers(0, 6)), min_size=1, max_size=8))
def test_damage_like_pydicom(tmp_path, damage):
    "Bytes overwritten, put in and taken out at random: never an exception, and always the row that pydicom gives."
    files = []
    for base,flips,at,insert,remove in damage:
        data = bytearray(base)
        for i,value in flips: data[i % len(data)] = value
        at %= len(data); data[at:at+remove] = insert
        files.append(bytes(data))
    assert set(assert_like_pydicom(save(tmp_path, files)).status) <= STATUSES

def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    "What is read of a header must be of one file: the second window of a file that was replaced meanwhile is not used."
    ds = image(); ds.private_block(0x0011, 'VENDOR', create=True).add_new(1, 'OB', bytes(20000))
    paths = list(map(str, save(tmp_path, [encode(ds)]*6)))
    read_at = _scan.read_at
    def replaced(path, start=0, n=_scan.HEAD):
        size, mtime, data = read_at(path, start, n)
        return size, mtime+start, data
    expected = scan_files(paths)
    monkeypatch.setattr(_scan, 'read_at', replaced)
    calls = []
    monkeypatch.setattr(scan, 'scan_file', lambda p: calls.append(p) or scan_file(p))
    pd.testing.assert_frame_equal(scan_files(paths), expected)
    assert calls == paths
