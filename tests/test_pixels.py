"Stored pixels of every kind against other people's decoders; stacks read straight from files; bytes that lie."
import os, subprocess, sys, zlib
from pathlib import Path
import imagecodecs
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.filebase import DicomFileLike
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID
from radnb.core import BadInput, NoPixelData, NotOneVolume, RadnbError, UnreadableFile
from radnb.data.pixels import StackReader, decode, overlays, pixel_layout, read_stack, stored_frames, voi_lut
from radnb.data.scan import read_dicom, scan_files

LE, BE, DEFLATED, RLE = '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2', '1.2.840.10008.1.2.1.99', '1.2.840.10008.1.2.5'
JPEG, JPEG12, JPEG_LOSSLESS, JPEG_LS, JPEG_NEAR, J2K, J2K_LOSSY, HTJ2K, JXL = (
    f'1.2.840.10008.1.2.4.{n}' for n in (50, 51, 70, 80, 81, 90, 91, 201, 110))
NATIVE_FRAMES, DEFLATED_FRAMES, MPEG4 = '1.2.840.10008.1.2.1.98', '1.2.840.10008.1.2.8.1', '1.2.840.10008.1.2.4.102'

def picture(bits=12, signed=False, shape=(48,56), seed=0):
    "A smooth picture with noise that uses all of its bits."
    y,x = np.mgrid[:shape[0],:shape[1]]
    im = np.sin(x/9)+np.cos(y/7)+np.random.default_rng(seed).normal(0, .05, shape)
    im = np.rint((im-im.min())/np.ptp(im)*(2**bits-1)).astype(np.int64) - (2**(bits-1) if signed else 0)
    return im.astype(f'{"i" if signed else "u"}{1 if bits <= 8 else 2 if bits <= 16 else 4}')

def colours(shape=(48,56)):
    y,x = np.mgrid[:shape[0],:shape[1]]
    return np.stack([x*4, y*5, 255-(x+y)*2], -1).astype(np.uint8)

def dataset(data, like, syntax=LE, frames=1, **change):
    "An object with these pixel bytes; its header describes the array `like` (one frame)."
    ds = Dataset()
    ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality = '1.2.840.10008.5.1.4.1.1.7', '1.2.3', 'OT'
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    ds.Rows, ds.Columns, ds.SamplesPerPixel = *like.shape[:2], 3 if like.ndim == 3 else 1
    ds.PhotometricInterpretation = 'RGB' if like.ndim == 3 else 'MONOCHROME2'
    ds.BitsAllocated = ds.BitsStored = like.itemsize*8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored-1, int(like.dtype.kind == 'i')
    if like.ndim == 3: ds.PlanarConfiguration = 0
    if frames > 1: ds.NumberOfFrames = frames
    ds.PixelData = data
    for k,v in change.items(): setattr(ds, k, v)
    if 'BitsStored' in change and 'HighBit' not in change: ds.HighBit = ds.BitsStored-1
    ds['PixelData'].VR = 'OB' if syntax != BE and (syntax not in (LE, DEFLATED) or like.itemsize == 1) else 'OW'
    return ds

def packed(a, syntax, stream, **change):
    "One frame in one fragment, whatever is in it."
    stream += b'\0'*(len(stream) % 2)
    data = b'\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0' + len(stream).to_bytes(4, 'little') + stream + b'\xfe\xff\xdd\xe0\0\0\0\0'
    return dataset(data, a, syntax, **change)

def run_lengths(a):
    "One frame of PS3.5 annex G."
    planes = np.moveaxis(np.atleast_3d(a), -1, 0)
    segments = []
    for p in planes:
        raw = np.ascontiguousarray(p).astype(p.dtype.newbyteorder('>')).view(np.uint8).reshape(*p.shape, p.itemsize)
        segments += [imagecodecs.packbits_encode(raw[...,k].tobytes()) for k in range(p.itemsize)]
    segments = [s+b'\0'*(len(s)%2) for s in segments]
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    return np.array([len(segments), *starts]+[0]*(15-len(segments)), '<u4').tobytes()+b''.join(segments)

# ---------------------------------------------------------------------------------------------- against pydicom and dcmtk, on real files

def with_pixels(folder, each=7):
    "Files with pixels, at most `each` of one folder and transfer syntax."
    seen = {}
    for p in sorted(Path(folder).rglob('*')):
        if not p.is_file(): continue
        try: ds = read_dicom(p)
        except RadnbError: continue
        key = (p.parent, ds.file_meta.get('TransferSyntaxUID'))
        if not ds.get('Rows') or not {'PixelData','FloatPixelData','DoubleFloatPixelData'} & set(ds.dir()): continue
        seen[key] = seen.get(key, 0)+1
        if seen[key] <= each: yield p, ds

def same_as_pydicom(folder, each):
    "How many files give the same as pydicom; what pydicom can read and we cannot, or read otherwise."
    same, wrong, more = 0, [], []
    for p,ds in with_pixels(folder, each):
        try: theirs = ds.pixel_array
        except (AttributeError, ValueError, RuntimeError, NotImplementedError): theirs = None
        try: ours = stored_frames(ds, p)
        except RadnbError as e: ours = e
        if theirs is None: more += [p.name] if isinstance(ours, np.ndarray) else []
        elif isinstance(ours, Exception) or ours.dtype != theirs.dtype.newbyteorder('=') or not np.array_equal(ours if pixel_layout(ds).frames > 1 else ours[0], theirs):
            wrong.append((p.name, ours if isinstance(ours, Exception) else ours.dtype))
        else: same += 1
    return same, wrong, more

@pytest.mark.filterwarnings('ignore')
def test_same_as_pydicom_on_its_own_files():
    same, wrong, more = same_as_pydicom(Path(pydicom.__file__).parent/'data', 100)
    assert not wrong and same > 40, wrong
    assert {'JPEG-lossy.dcm', 'JPGExtended.dcm'} <= set(more)   # 12-bit JPEG

@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('part', ['odd', 'transfer_syntaxes', 'twelve_bit', 'agfa', 'objects'])
def test_same_as_pydicom_on_real_files(real, part):
    same, wrong, more = same_as_pydicom(real/'dicom'/part, 20 if part == 'odd' else 2)
    assert not wrong and same >= 2, wrong
    if part == 'odd': assert len(more) >= 4   # 12-bit JPEG of processes 2+4, 6+8 and 10+12, one of them in fragments

@pytest.mark.parametrize('name', ['JPEGProcess2_4', 'JPEGProcess6_8', 'JPEGProcess10_12', 'JPEGProcess14Transfer', 'fragmented_no_bot'])
def test_same_as_dcmtk(real, tool, tmp_path, name):
    "Lossy 12-bit JPEG, which hardly anybody reads: to the last digit what dcmtk makes of it."
    path = next(p for p in (real/'dicom'/'odd').iterdir() if name in p.name)
    subprocess.run([tool('dcmdjpeg'), path, tmp_path/'plain.dcm'], check=True, capture_output=True)
    np.testing.assert_array_equal(stored_frames(read_dicom(path)).squeeze(), pydicom.dcmread(tmp_path/'plain.dcm').pixel_array)

def test_colour_jpeg_same_as_dcmtk(tool, tmp_path):
    "Baseline JPEG as RGB, as YBR, subsampled, with and without markers that say which."
    files = [p for p in (Path(pydicom.__file__).parent/'data'/'test_files').glob('SC*') if read_dicom(p).file_meta.TransferSyntaxUID == JPEG]
    compared = 0
    for p in files:
        if subprocess.run([tool('dcmdjpeg'), p, tmp_path/'plain.dcm'], capture_output=True).returncode: continue
        np.testing.assert_array_equal(stored_frames(read_dicom(p))[0], pydicom.dcmread(tmp_path/'plain.dcm').pixel_array, err_msg=p.name)
        compared += 1
    assert compared >= 10

def test_twelve_bit_reference(real):
    "Noise above 12 bits, unsigned and signed, against the reference NIfTI files: as sets of values, since those hold the tiles of the mosaic as slices."
    import nibabel as nib
    folder = real/'dicom'/'twelve_bit'
    values = lambda a: np.sort(a[a != 0]).astype(int)   # one tile of the mosaic is empty
    refs = [values(np.asarray(nib.load(p).dataobj)) for p in sorted((folder/'Ref').glob('*.nii'))]
    for p in sorted((folder/'In').iterdir()):
        ours = values(stored_frames(read_dicom(p)))
        assert sum(np.array_equal(ours, r) for r in refs) == 1, p.name

# ---------------------------------------------------------------------------------------------- every layout

@pytest.mark.parametrize('bits,signed', [(8,False), (8,True), (10,False), (12,True), (16,False), (16,True), (32,False), (32,True)])
@pytest.mark.parametrize('syntax', [LE, BE, DEFLATED, RLE, NATIVE_FRAMES, DEFLATED_FRAMES])
def test_uncompressed_numbers(bits, signed, syntax):
    "Bits, sign and byte order; what is above the stored bits does not count."
    a = picture(bits, signed)
    noise = 0 if bits in (8,16,32) else np.random.default_rng(0).integers(0, 2**(16-bits), a.shape) << bits
    raw = (a.astype(np.int64) & 2**bits-1 | noise).astype(a.dtype.str.replace('i', 'u'))
    if syntax == RLE: data = encapsulate([run_lengths(raw)])
    elif syntax == NATIVE_FRAMES: data = encapsulate([raw.tobytes()])
    elif syntax == DEFLATED_FRAMES: data = encapsulate([zlib.compress(raw.tobytes(), wbits=-15)])
    else: data = raw.astype(raw.dtype.newbyteorder('>' if syntax == BE else '<')).tobytes()
    if syntax == BE and bits == 8: data = raw.reshape(-1,2)[:, ::-1].tobytes()   # 8 bits as big-endian words
    ds = dataset(data, a, syntax, BitsStored=bits)
    out = stored_frames(ds)[0]
    np.testing.assert_array_equal(out, a)
    assert out.dtype == a.dtype and out.dtype.isnative

def test_high_bit_says_where_the_number_lies():
    a = picture(10)
    np.testing.assert_array_equal(stored_frames(dataset((a << 4 | 5).tobytes(), a, BitsStored=10, HighBit=13))[0], a)
    s = picture(10, signed=True)
    np.testing.assert_array_equal(stored_frames(dataset((s.astype(np.int16) << 6).tobytes(), s, BitsStored=10, HighBit=15))[0], s)

def test_files_from_before_the_standard_and_beside_it(tmp_path):
    "No transfer syntax at all (ACR-NEMA), and GE's private one: a little-endian header in front of big-endian pixels."
    a = picture(12, signed=True)
    plain = dataset(a.tobytes(), a, BitsStored=12)
    with open(tmp_path/'acr', 'wb') as f:
        to = DicomFileLike(f); to.is_implicit_VR, to.is_little_endian = True, True
        write_dataset(to, plain)
    np.testing.assert_array_equal(stored_frames(read_dicom(tmp_path/'acr'))[0], a)
    np.testing.assert_array_equal(read_stack([tmp_path/'acr'])[0], a)
    ge = dataset(a.astype('>i2').tobytes(), a, '1.2.840.113619.5.2', BitsStored=12)
    np.testing.assert_array_equal(stored_frames(ge)[0], a)

@pytest.mark.parametrize('signed', [False, True])
def test_twelve_bits_packed(signed):
    "Two numbers in three bytes, as in files of the ACR-NEMA age."
    a = picture(12, signed)
    even, odd = (a.reshape(-1,2).astype(np.int64) & 0xfff).T
    data = np.stack([even & 255, even >> 8 | (odd & 15) << 4, odd >> 4], 1).astype(np.uint8).tobytes()
    np.testing.assert_array_equal(stored_frames(dataset(data, a, BitsAllocated=12, BitsStored=12))[0], a)

def test_one_bit_frames_follow_each_other_without_a_gap():
    masks = np.random.default_rng(0).integers(0, 2, (5,7,9)).astype(np.uint8)
    ds = dataset(np.packbits(masks, bitorder='little').tobytes()+b'\0', masks[0], frames=5, BitsAllocated=1, BitsStored=1)
    np.testing.assert_array_equal(stored_frames(ds), masks)

@pytest.mark.parametrize('key,kind', [('FloatPixelData','f4'), ('DoubleFloatPixelData','f8')])
def test_real_numbers(key, kind):
    a = np.random.default_rng(0).normal(size=(6,8)).astype(kind)
    ds = dataset(b'', a); del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    setattr(ds, key, a.tobytes())
    values,_ = decode(ds)
    np.testing.assert_array_equal(values, a)
    assert values.dtype == a.dtype

@pytest.mark.parametrize('planar', [0,1])
@pytest.mark.parametrize('syntax', [LE, RLE])
def test_colour_by_pixel_and_by_plane(planar, syntax):
    rgb = colours()
    data = encapsulate([run_lengths(rgb)]) if syntax == RLE else (np.moveaxis(rgb, -1, 0) if planar else rgb).tobytes()
    np.testing.assert_array_equal(stored_frames(dataset(data, rgb, syntax, PlanarConfiguration=planar))[0], rgb)

def to_ybr(rgb):
    r,g,b = np.moveaxis(rgb.astype(float), -1, 0)
    return np.stack([.299*r+.587*g+.114*b, 128-.168736*r-.331264*g+.5*b, 128+.5*r-.418688*g-.081312*b], -1)

@pytest.mark.parametrize('name', ['YBR_FULL', 'YBR_FULL_422', 'YBR_PARTIAL_422'])
def test_uncompressed_brightness_and_colour_differences(name):
    rgb = np.repeat(colours()[:, ::2], 2, axis=1)   # pairs of one colour, as 4:2:2 wants it
    ybr = to_ybr(rgb)
    if 'PARTIAL' in name: ybr = (ybr-[0,128,128])*[219/255,224/255,224/255]+[16,128,128]
    ybr = np.rint(ybr).clip(0, 255).astype(np.uint8)
    data = ybr if name == 'YBR_FULL' else np.stack([ybr[:, ::2,0], ybr[:,1::2,0], ybr[:, ::2,1], ybr[:, ::2,2]], -1)
    out = stored_frames(dataset(data.tobytes(), rgb, PhotometricInterpretation=name))[0]
    assert np.abs(out.astype(int)-rgb).max() <= 2
    if name == 'YBR_FULL_422':   # said to be 4:2:2, and is not
        out = stored_frames(dataset(ybr.tobytes(), rgb, PhotometricInterpretation=name))[0]
        assert np.abs(out.astype(int)-rgb).max() <= 2

def test_colours_that_left_the_standard_are_refused_by_name():
    for name in ('HSV', 'CMYK', 'ARGB'):
        with pytest.raises(UnreadableFile, match=name): stored_frames(dataset(colours().tobytes(), colours(), PhotometricInterpretation=name), 'old.dcm')

# ---------------------------------------------------------------------------------------------- every compression

def lossless(a, predictor=1): return imagecodecs.jpeg8_encode(a, lossless=True, predictor=predictor, bitspersample=16 if a.itemsize == 2 else 8)

LOSSLESS = {'JPEG-LS': (JPEG_LS, imagecodecs.jpegls_encode), 'HTJ2K': (HTJ2K, imagecodecs.htj2k_encode), 'RLE': (RLE, run_lengths),
            'JPEG XL': (JXL, lambda a: imagecodecs.jpegxl_encode(a, lossless=True)),
            'JPEG 2000': (J2K, lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True, codecformat='J2K')),
            'JP2 file': (J2K, lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True, codecformat='JP2')),
            **{f'JPEG lossless {p}': (JPEG_LOSSLESS, lambda a,p=p: lossless(a, p)) for p in range(1,8)}}

@pytest.mark.parametrize('kind', LOSSLESS)
@pytest.mark.parametrize('like', ['u1', 'u2', 'colour'])
def test_lossless_compression_gives_the_same_numbers(kind, like):
    syntax, encode = LOSSLESS[kind]
    a = colours() if like == 'colour' else picture(8 if like == 'u1' else 16)
    np.testing.assert_array_equal(stored_frames(packed(a, syntax, encode(a)))[0], a)

@pytest.mark.parametrize('kind', ['JPEG-LS', 'JPEG 2000', 'HTJ2K', 'JPEG lossless 1', 'RLE'])
def test_sign_comes_back(kind):
    "Negative numbers, whether the stream knows of signs (JPEG 2000) or not, and whether all bits or only the stored ones were encoded."
    syntax, encode = LOSSLESS[kind]
    a = picture(12, signed=True)
    for raw in (a.view(np.uint16), (a & 0xfff).astype(np.uint16)):
        np.testing.assert_array_equal(stored_frames(packed(a, syntax, encode(raw), BitsStored=12))[0], a)
    if kind in ('JPEG 2000', 'HTJ2K'):
        np.testing.assert_array_equal(stored_frames(packed(a, syntax, encode(a), BitsStored=12))[0], a)
        positive = picture(12)
        np.testing.assert_array_equal(stored_frames(packed(positive, syntax, encode(positive.astype(np.int16)), BitsStored=12))[0], positive)

@pytest.mark.parametrize('syntax,encode,worst', [
    (JPEG, lambda a: imagecodecs.jpeg8_encode((a >> 4).astype(np.uint8), 95), 12), (JPEG12, lambda a: imagecodecs.jpeg8_encode(a, 95, bitspersample=12), 120),
    (JPEG_NEAR, lambda a: imagecodecs.jpegls_encode(a, 3), 3), (J2K_LOSSY, lambda a: imagecodecs.jpeg2k_encode(a, level=60, reversible=False, bitspersample=12), 250)])
def test_lossy_compression_comes_close(syntax, encode, worst):
    a = picture(12)
    like = (a >> 4).astype(np.uint8) if syntax == JPEG else a
    out = stored_frames(packed(like, syntax, encode(a), BitsStored=8 if syntax == JPEG else 12))[0]
    assert np.abs(out.astype(int)-like).max() <= worst

@pytest.mark.parametrize('said', ['RGB', 'YBR_FULL', 'YBR_FULL_422'])
def test_the_stream_knows_its_colours_better_than_the_header(said):
    "JFIF and Adobe markers go before PhotometricInterpretation."
    rgb = colours()
    jfif, adobe = imagecodecs.jpeg8_encode(rgb, 98, subsampling='444'), imagecodecs.jpeg8_encode(rgb, 98, colorspace='RGB', outcolorspace='RGB')
    assert b'JFIF' in jfif and b'JFIF' not in adobe
    for stream in (jfif, adobe):
        out = stored_frames(packed(rgb, JPEG, stream, PhotometricInterpretation=said))[0]
        assert np.abs(out.astype(int)-rgb).mean() < 3

def test_jpeg2000_colour_transform_is_in_the_stream():
    rgb = colours()
    for said,mct in (('YBR_RCT',True), ('RGB',True), ('RGB',False)):
        stream = imagecodecs.jpeg2k_encode(rgb, level=0, reversible=True, mct=mct, codecformat='J2K')
        np.testing.assert_array_equal(stored_frames(packed(rgb, J2K, stream, PhotometricInterpretation=said))[0], rgb)
    ybr = np.rint(to_ybr(rgb)).clip(0, 255).astype(np.uint8)
    stream = imagecodecs.jpeg2k_encode(ybr, level=0, reversible=True, mct=False, codecformat='J2K')
    assert np.abs(stored_frames(packed(rgb, J2K, stream, PhotometricInterpretation='YBR_FULL'))[0].astype(int)-rgb).max() <= 2

def test_overshoot_stays_white():
    "Lossy streams of 16 bits around numbers of 12: what shoots over the top is the top, not black."
    a = np.where(picture(12) > 2000, 4095, 0).astype(np.uint16)
    stream = imagecodecs.jpeg2k_encode(a, level=40, reversible=False, codecformat='J2K')
    raw = imagecodecs.jpeg2k_decode(stream)
    assert raw.max() > 4095
    np.testing.assert_array_equal(stored_frames(packed(a, J2K_LOSSY, stream, BitsStored=12))[0], np.minimum(raw, 4095))
    s, low = a.astype(np.int16)-2048, imagecodecs.jpeg2k_encode(a.astype(np.int16)-2048, level=40, reversible=False, codecformat='J2K')
    np.testing.assert_array_equal(stored_frames(packed(s, J2K_LOSSY, low, BitsStored=12))[0], imagecodecs.jpeg2k_decode(low).clip(-2048, 2047))

def test_a_wrong_transfer_syntax_does_not_matter():
    "Archives relabel; the first bytes of a stream say what it is."
    a = picture(12)
    np.testing.assert_array_equal(stored_frames(packed(a, JPEG, imagecodecs.jpegls_encode(a), BitsStored=12))[0], a)
    np.testing.assert_array_equal(stored_frames(packed(a, JPEG_LS, lossless(a), BitsStored=12))[0], a)

def test_what_is_no_picture_is_refused_in_words():
    for syntax,why in ((MPEG4,'video'), ('1.2.840.10008.1.2.4.94','JPIP')):
        with pytest.raises(UnreadableFile, match=why) as e: stored_frames(packed(picture(8), syntax, b'\0'*64), 'film.dcm')
        assert e.value.path == 'film.dcm' and e.value.remedy

# ---------------------------------------------------------------------------------------------- frames and fragments

@pytest.fixture(scope='module')
def cine():
    frames = [picture(12, seed=k) for k in range(4)]
    return np.stack(frames), [imagecodecs.jpegls_encode(f) for f in frames]

@pytest.mark.parametrize('pieces', [1, 3])
@pytest.mark.parametrize('table', ['none', 'basic', 'extended', 'basic, wrong'])
def test_frames_in_fragments(cine, pieces, table):
    frames, streams = cine
    if table == 'extended':
        if pieces > 1: pytest.skip('the extended offset table allows one fragment a frame')
        data, offsets, lengths = encapsulate_extended(streams)
        ds = dataset(data, frames[0], JPEG_LS, frames=4, BitsStored=12, ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths)
    else:
        data = encapsulate(streams, fragments_per_frame=pieces, has_bot=table != 'none')
        if table == 'basic, wrong': data = data[:8]+np.array([0,7,9,11], '<u4').tobytes()+data[24:]
        ds = dataset(data, frames[0], JPEG_LS, frames=4, BitsStored=12)
    np.testing.assert_array_equal(stored_frames(ds), frames)
    np.testing.assert_array_equal(stored_frames(ds, workers=1), frames)

def test_missing_frames_are_not_made_up(cine):
    frames, streams = cine
    with pytest.raises(UnreadableFile, match='3 compressed frames'): stored_frames(dataset(encapsulate(streams[:3]), frames[0], JPEG_LS, frames=4, BitsStored=12), 'a')

# ---------------------------------------------------------------------------------------------- tables, windows, overlays

def lut(first, values, bits=16):
    item = Dataset(); item.LUTDescriptor, item.LUTData = [len(values),first,bits], list(values)
    item['LUTDescriptor'].VR, item['LUTData'].VR = 'US', 'US'
    return item

def test_modality_lut_instead_of_slope():
    a = picture(8)
    ds = dataset(a.tobytes(), a, ModalityLUTSequence=[lut(10, range(1000, 1200))], RescaleSlope=7)
    values, total = decode(ds)
    np.testing.assert_array_equal(values, np.clip(a.astype(int)-10, 0, 199)+1000)
    assert total == 0

def test_voi_like_pydicom():
    from pydicom.pixels import apply_voi_lut
    a = picture(12)
    for change in (dict(WindowCenter=900, WindowWidth=700), dict(WindowCenter=900, WindowWidth=700, VOILUTFunction='LINEAR_EXACT'),
                   dict(WindowCenter=900, WindowWidth=700, VOILUTFunction='SIGMOID'), dict(VOILUTSequence=[lut(100, range(0, 4000), 12)])):
        ds = dataset(a.tobytes(), a, BitsStored=12, **change)
        np.testing.assert_allclose(voi_lut(ds), apply_voi_lut(a, ds)/4095, atol=1e-3)
        ds.PhotometricInterpretation = 'MONOCHROME1'
        np.testing.assert_allclose(voi_lut(ds), 1-apply_voi_lut(a, ds)/4095, atol=1e-3)

def palette(ds, tables, bits=16, segmented=''):
    for name,t in zip(('Red','Green','Blue'), tables):
        ds.add_new(f'{name}PaletteColorLookupTableDescriptor', 'US', [256,0,bits])
        ds.add_new(f'{segmented}{name}PaletteColorLookupTableData', 'OW', t)
    ds.PhotometricInterpretation = 'PALETTE COLOR'
    return ds

def test_palettes():
    a = picture(8)
    tables = np.random.default_rng(0).integers(0, 65536, (3,256)).astype('<u2')
    rgb,_ = decode(palette(dataset(a.tobytes(), a), [t.tobytes() for t in tables]))
    np.testing.assert_array_equal(rgb, (tables >> 8)[:, a].transpose(1,2,0))
    rgb,_ = decode(palette(dataset(a.tobytes(), a), [(t >> 8).astype(np.uint8).tobytes() for t in tables], bits=8))   # packed 8-bit entries
    np.testing.assert_array_equal(rgb, (tables >> 8)[:, a].transpose(1,2,0))

@pytest.mark.parametrize('bits', [8, 16])
def test_segmented_palette_like_pydicom(bits):
    "A discrete run, a line up, a line down: what pydicom makes of it."
    from pydicom.pixels import apply_color_lut
    a, top = picture(8), 2**bits-1
    words = np.array([0,2,top//3,top//2, 1,154,top, 1,100,0], f'<u{bits//8}').tobytes()
    ds = palette(dataset(a.tobytes(), a), [words]*3, bits, 'Segmented')
    expected = apply_color_lut(a, ds)
    np.testing.assert_array_equal(decode(ds)[0], expected >> 8 if bits == 16 else expected)

def test_overlays_like_pydicom_and_off_the_edge():
    a, mask = picture(8), np.random.default_rng(0).integers(0, 2, (48,56)).astype(bool)
    ds = dataset(a.tobytes(), a)
    for group,origin in ((0x6000,[1,1]), (0x6002,[-9,41])):
        for element,vr,value in ((0x0010,'US',48), (0x0011,'US',56), (0x0050,'SS',origin), (0x0100,'US',1), (0x0102,'US',0), (0x3000,'OW',np.packbits(mask, bitorder='little').tobytes())):
            ds.add_new((group,element), vr, value)
    ds.add_new((0x6000,0x1500), 'LO', 'lesion')
    found = overlays(ds)
    assert list(found) == ['lesion', 'overlay 2']
    np.testing.assert_array_equal(found['lesion'], ds.overlay_array(0x6000))
    np.testing.assert_array_equal(found['overlay 2'][:38,40:], mask[10:,:16])
    assert not found['overlay 2'][38:].any() and not found['overlay 2'][:, :40].any()
    ds[0x6000,0x3000].value = b'\1\2'
    with pytest.raises(UnreadableFile, match='overlay'): overlays(ds, 'x.dcm')

def test_padding_value_is_left_alone():
    a = np.array([[-2000,0],[100,200]], np.int16)
    values,_ = decode(dataset(a.tobytes(), a, PixelPaddingValue=-2000, RescaleSlope=1, RescaleIntercept=-24))
    assert values[0,0] == -2024

# ---------------------------------------------------------------------------------------------- stacks

def save(ds, path):
    "Write a file in any explicit little-endian transfer syntax, also one that pydicom has not heard of."
    with open(path, 'wb') as f:
        to = DicomFileLike(f); to.is_implicit_VR, to.is_little_endian = False, True
        to.write(bytes(128)+b'DICM')
        write_file_meta_info(to, ds.file_meta)
        ds['PixelData'].is_undefined_length = ds.PixelData[:4] == b'\xfe\xff\0\xe0'
        write_dataset(to, ds)

def write_stack(folder, stack, syntax=LE, encode=None, slopes=None, **change):
    folder.mkdir()
    for k,a in enumerate(stack):
        data = encapsulate([encode(a)]) if encode else np.ascontiguousarray(a).tobytes()
        ds = dataset(data, a, syntax, RescaleSlope=1 if slopes is None else slopes[k], RescaleIntercept=-1024 if slopes is None else 0, **change)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f'1.2.3.{k}'
        save(ds, folder/f'{k:03d}.dcm')
    return sorted(folder.iterdir())

@pytest.mark.parametrize('kind', [None, *LOSSLESS])
@pytest.mark.parametrize('bits,signed', [(8,False), (12,False), (16,True)])
def test_stack_is_what_decode_gives(tmp_path, kind, bits, signed):
    if signed and kind in ('JPEG XL',): pytest.skip('JPEG XL holds no negative whole numbers')
    stack = np.stack([picture(bits, signed, seed=k) for k in range(5)])
    syntax, encode = LOSSLESS[kind] if kind else (LE, None)
    if signed and encode and kind not in ('JPEG 2000','JP2 file','HTJ2K'): encode = lambda a, e=encode: e(a.view(np.uint16))
    paths = write_stack(tmp_path/'s', stack, syntax, encode, BitsStored=bits)
    out = read_stack(paths)
    np.testing.assert_array_equal(out, stack.astype(int)-1024)
    assert out.dtype == (np.int32 if bits == 16 else np.int16) == decode(read_dicom(paths[0]))[0].dtype
    np.testing.assert_array_equal(read_stack(paths[::-1], scan_files(paths[::-1]), workers=1), out[::-1])
    np.testing.assert_array_equal(read_stack(paths, dtype=np.float32), out.astype(np.float32))

def test_every_slice_its_own_slope(tmp_path):
    stack = np.stack([picture(16, seed=k) for k in range(4)])
    paths = write_stack(tmp_path/'pet', stack, slopes=[.5, 2, 1.25, .037])
    out = read_stack(paths)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, np.stack([(s.astype(float)*a).astype(np.float32) for s,a in zip(stack, [.5, 2, 1.25, .037])]))

@pytest.mark.parametrize('series', ['mprage_sagittal', 'ct_jpeg2000', 'sarcoma/STS_001/CT/image', 'sarcoma/STS_003/PET/image', 'sarcoma/STS_002/MR_T1/image'])
def test_real_stacks(real, series):
    paths = sorted((real/'dicom'/series).iterdir())[:24]
    lazy, out = StackReader(paths), read_stack(paths)
    np.testing.assert_array_equal(out, np.stack([decode(read_dicom(p), p)[0] for p in paths]))
    assert {s.way for s in lazy.slices} == {'stream' if 'jpeg2000' in series else 'bytes'}
    assert (lazy.shape, lazy.dtype, len(lazy)) == (out.shape, out.dtype, len(out))

def test_kinds_that_are_not_plain(tmp_path):
    "Big endian, deflated, colour, palette, MONOCHROME1 and a modality LUT come out as from decode."
    a, rgb = picture(8), colours()
    kinds = [dataset(a[:, ::-1].tobytes(), a, BE), dataset(a.tobytes(), a, DEFLATED), dataset(rgb.tobytes(), rgb), dataset(a.tobytes(), a, PhotometricInterpretation='MONOCHROME1'),
             palette(dataset(a.tobytes(), a), [np.arange(256).astype('<u2').tobytes()]*3), dataset(a.tobytes(), a, ModalityLUTSequence=[lut(10, range(1000, 1200))])]
    for k,ds in enumerate(kinds):
        ds.save_as(tmp_path/f'{k}.dcm', enforce_file_format=True)
        np.testing.assert_array_equal(read_stack([tmp_path/f'{k}.dcm'])[0], decode(read_dicom(tmp_path/f'{k}.dcm'))[0], err_msg=str(k))

def test_lazy_reads_only_what_is_asked_for(tmp_path):
    stack = np.stack([picture(12, seed=k) for k in range(6)])
    paths = write_stack(tmp_path/'s', stack, BitsStored=12)
    lazy, whole = StackReader(paths), stack.astype(np.int16)-1024
    for k in (0,1,5): os.unlink(paths[k])
    for key in (3, -2, slice(2,5), (slice(2,4), slice(None), 7), (3, slice(1,9)), [4,2], (2,...,3)):
        np.testing.assert_array_equal(lazy[key], whole[key])
    with pytest.raises(UnreadableFile, match='000.dcm'): lazy[0]
    with pytest.raises(IndexError): lazy[6]
    with pytest.raises(UnreadableFile): np.asarray(lazy)

def test_type_is_known_before_a_byte_is_read(tmp_path):
    for bits,signed,slope,kind in ((12,False,1,np.int16), (16,False,1,np.int32), (16,True,1,np.int16), (16,True,2,np.int32), (12,False,.5,np.float32), (12,False,100,np.int32)):
        a = picture(bits, signed)
        paths = write_stack(tmp_path/f'{bits}{signed}{slope}', [a], slopes=[slope], BitsStored=bits)
        lazy = StackReader(paths)
        assert lazy.dtype == lazy[0].dtype == decode(read_dicom(paths[0]))[0].dtype == kind

@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='the peak is read from /proc')
def test_memory_stays_near_the_result(tmp_path):
    "Reading takes at most 1.3 of the final array at its peak, uncompressed and compressed: measured in a process of its own."
    stack = np.stack([picture(12, shape=(512,512), seed=k) for k in range(4)])
    for name,syntax,encode in (('plain',LE,None), ('packed',JPEG_LS,imagecodecs.jpegls_encode)):
        four = write_stack(tmp_path/name, stack, syntax, encode, BitsStored=12)
        code = f'''
from pathlib import Path
from radnb.data.pixels import read_stack
peak = lambda: int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])*1024
paths = {[str(p) for p in four]!r}
read_stack(paths)
before = peak()
out = read_stack(paths*30)
assert peak()-before > .8*out.nbytes, 'the measure does not measure'
print((peak()-before)/out.nbytes)'''
        done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert float(done.stdout) < 1.3, (name, done.stdout)

# ---------------------------------------------------------------------------------------------- bytes that lie

def test_damaged_slices_are_named(tmp_path):
    stack = np.stack([picture(12, seed=k) for k in range(3)])
    for name,syntax,encode in (('plain',LE,None), ('jpegls',JPEG_LS,imagecodecs.jpegls_encode), ('rle',RLE,run_lengths), ('jpeg',JPEG_LOSSLESS,lossless)):
        paths = write_stack(tmp_path/name, stack, syntax, encode, BitsStored=12)
        rows, whole = scan_files(paths), paths[1].read_bytes()
        for n in (len(whole)-20, len(whole)-700, len(whole)//2, 200, 0):
            paths[1].write_bytes(whole[:n])
            for table in (None, rows):   # scanned after the damage, and before it
                with pytest.raises((UnreadableFile, NoPixelData)) as e: read_stack(paths, table)
                assert '001.dcm' in str(e.value) and e.value.remedy, (name, n)

def test_a_file_that_changed_after_it_was_scanned(tmp_path):
    paths = write_stack(tmp_path/'s', [picture(12), picture(12)], BitsStored=12)
    rows = scan_files(paths)
    ds = read_dicom(paths[1]); ds.PatientComments = 'longer'; ds.save_as(paths[1])
    with pytest.raises(UnreadableFile, match='changed'): read_stack(paths, rows)
    assert read_stack(paths).shape == (2,48,56)

def test_stacks_that_are_none(tmp_path):
    paths = write_stack(tmp_path/'s', [picture(12), picture(12, shape=(20,30))], BitsStored=12)
    with pytest.raises(NotOneVolume) as e: read_stack(paths)
    assert '001.dcm' in str(e.value)
    with pytest.raises(BadInput): read_stack([])
    with pytest.raises(BadInput): read_stack(paths[:1], scan_files(paths))
    with pytest.raises(BadInput): read_stack(paths, scan_files(paths[::-1]))
    with pytest.raises(BadInput): read_stack(paths[:1], dtype=np.int8)
    no_image = read_dicom(paths[0], pixels=False); no_image.save_as(tmp_path/'none.dcm')
    with pytest.raises(NoPixelData): read_stack([tmp_path/'none.dcm'])
    many = dataset(np.zeros((3,6,8), np.uint8).tobytes(), np.zeros((6,8), np.uint8), frames=3); many.save_as(tmp_path/'many.dcm', enforce_file_format=True)
    with pytest.raises(NotOneVolume, match='multi-frame'): read_stack([tmp_path/'many.dcm'])

@pytest.mark.parametrize('syntax,encode', [(LE,None), (JPEG_LS,imagecodecs.jpegls_encode), (J2K,LOSSLESS['JPEG 2000'][1]), (RLE,run_lengths), (DEFLATED_FRAMES,None)])
def test_a_header_that_boasts_allocates_nothing(tmp_path, syntax, encode):
    "65535 x 65535 pixels in a million frames, said a file of some kilobytes."
    import tracemalloc
    a = picture(12)
    stream = encode(a) if encode else a.tobytes() if syntax == LE else zlib.compress(a.tobytes(), wbits=-15)
    for change in (dict(Rows=65535, Columns=65535), dict(NumberOfFrames=10**6), dict(NumberOfFrames=2**31-1, Rows=65535), dict(Rows=0), dict(SamplesPerPixel=60000), dict(BitsAllocated=65535)):
        ds = dataset(stream if syntax == LE else encapsulate([stream]), a, syntax, **{'BitsStored': 12, **change})
        tracemalloc.start()
        with pytest.raises(UnreadableFile): stored_frames(ds, 'boast.dcm')
        assert tracemalloc.get_traced_memory()[1] < 2**24, change
        tracemalloc.stop()
    paths = write_stack(tmp_path/'s', [a]*2, syntax, (lambda _: stream) if syntax != LE else None, BitsStored=12, Rows=65535, Columns=65535)
    with pytest.raises(UnreadableFile): read_stack(paths)

def test_a_deflated_bomb_is_not_inflated():
    bomb = zlib.compress(bytes(10**8), 9, wbits=-15)
    a = picture(12)
    np.testing.assert_array_equal(stored_frames(dataset(encapsulate([bomb]), a, DEFLATED_FRAMES, BitsStored=12))[0], np.zeros_like(a))

STREAMS = {k: (syntax, encode(picture(8)), 8) for k,(syntax,encode) in LOSSLESS.items() if not k.startswith('JPEG lossless') or k.endswith('1')} | {
    'JPEG': (JPEG, imagecodecs.jpeg8_encode(picture(8)), 8), 'JPEG, 12 bits': (JPEG12, imagecodecs.jpeg8_encode(picture(12), bitspersample=12), 12),
    'deflated': (DEFLATED_FRAMES, zlib.compress(picture(8).tobytes(), wbits=-15), 8)}

@pytest.mark.parametrize('kind', STREAMS)
@settings(max_examples=60, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 4000), flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=5), early=st.booleans())
def test_damaged_streams_never_crash(kind, cut, flips, early):
    "Bytes overwritten or cut off anywhere in a compressed frame: an image of the right size, or an error of ours; soon."
    syntax, stream, bits = STREAMS[kind]
    bad = bytearray(stream)
    for at,value in flips: bad[at % (min(len(bad), 200) if early else len(bad))] = value
    if not flips: bad = bad[:cut % len(bad)]
    a = picture(bits)
    try: out = stored_frames(packed(a, syntax, bytes(bad), BitsStored=bits), 'x')
    except UnreadableFile as e: assert e.path == 'x'
    else: assert out.shape == (1,48,56) and (flips or kind in ('JPEG 2000', 'JP2 file', 'RLE', 'HTJ2K'))   # what is cut off is missed (a last, empty byte may not be)
