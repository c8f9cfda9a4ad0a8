"Segmentations, maps and pictures as strangers read them: dciodvfy, dcmtk, highdicom; on real images, and on headers as bad as real ones."
import copy, os, re
from pathlib import Path
import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from dicom_checks import dciodvfy_errors, dcmtk_dump
from radnb.core import BadInput, GeometryError
from radnb.data.dicom import load_series
from radnb.data.parametric import read_parametric
from radnb.data.phantom import write_dicom
from radnb.data.segments import read_seg
from radnb.data.volume import Volume
from radnb.share.codes import SegmentCode, find_code, segment_codes
from radnb.share.maps import save_parametric_map, save_secondary_capture
from radnb.share.seg import _cielab, save_seg
from radnb.share.stored import stored_images

REAL = Path(os.environ.get('RADNB_DATA', '../shared/data'))/'dicom'
NAMES = {1: 'liver', 2: 'left kidney', 3: 'liver cyst'}
KINDS = ('binary', 'labelmap', 'fractional')


@pytest.fixture(scope='module')
def ct(tmp_path_factory):
    "A synthetic CT whose slices are no multiple of eight pixels."
    rng = np.random.default_rng(0)
    vol = Volume(rng.integers(-1000, 1000, (7,9,11)).astype(np.int16), np.array([[0,0,-.8,20], [0,-.7,0,30], [2.5,0,0,-10], [0,0,0,1.]]), 'HU', dict(Modality='CT'))
    folder = tmp_path_factory.mktemp('ct')
    write_dicom(vol, folder)
    return load_series(folder)


def labels(vol, seed=1):
    "Three labels, some slices without any."
    data = np.random.default_rng(seed).integers(0, 4, vol.shape).astype(np.uint8)
    data[0] = 0
    data[-1][data[-1] == 2] = 0
    return vol.like(data, 'label', NAMES)


def checked(path):
    "The file as pydicom reads it, once the validator and dcmtk have found nothing wrong."
    assert dciodvfy_errors(as_fractional(path)) == []
    dcmtk_dump(path)
    return pydicom.dcmread(path)


def as_fractional(path):
    "A label map as the nearest kind of object that the validator knows; any other file as it is."
    ds = pydicom.dcmread(path)
    if ds.get('SegmentationType') != 'LABELMAP': return path
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = '1.2.840.10008.5.1.4.1.1.66.4'
    ds.SegmentationType, ds.SegmentationFractionalType, ds.MaximumFractionalValue = 'FRACTIONAL', 'OCCUPANCY', 255
    ds.SegmentSequence = [s for s in ds.SegmentSequence if s.SegmentNumber]
    of = pydicom.Dataset()
    of.ReferencedSegmentNumber = 1
    ds.SharedFunctionalGroupsSequence[0].SegmentIdentificationSequence = [of]
    ds.save_as(path.with_suffix('.known.dcm'))
    return path.with_suffix('.known.dcm')


def differences(ours, theirs, where=''):
    "Attributes in which two data sets differ, by path."
    for tag in sorted(set(ours.keys()) | set(theirs.keys())):
        name = f'{where}/{pydicom.datadict.keyword_for_tag(tag)}'
        if tag not in ours or tag not in theirs: yield f'{name} only {"here" if tag in ours else "there"}'
        elif ours[tag].VR != 'SQ':
            if ours[tag].value != theirs[tag].value: yield name
        elif len(ours[tag].value) != len(theirs[tag].value): yield f'{name} length'
        else:
            for i,(a,b) in enumerate(zip(ours[tag].value, theirs[tag].value)): yield from differences(a, b, f'{name}[{i}]')


#: what differs by intention: fresh identity and time; who made it; that highdicom names the scanner, and calls a gapless label map 3D
FRESH = ('InstanceCreationTime', 'InstanceCreationDate', 'ContentTime', 'ContentDate', 'SOPInstanceUID', 'SeriesInstanceUID', 'DimensionOrganizationUID', 'SeriesDate only here',
         'SeriesTime only here', 'SeriesDescription only here', 'ContentCreatorName only here', 'ContributingEquipmentSequence only there', 'TrackingID only here',
         'TrackingUID only here', 'DimensionOrganizationType only there', 'SpecificCharacterSet only here', 'SpecificCharacterSet')


@pytest.mark.parametrize('kind', KINDS)
def test_equal_to_highdicom(ct, tmp_path, kind):
    "Byte for byte the pixels, and attribute for attribute the header, that highdicom writes."
    from radnb import __version__
    mask, plain = labels(ct), (codes.SCT.Organ, codes.SCT.Liver)
    lab = [hd.color.CIELabColor.from_dicom_value(tuple(_cielab(c))) for c in ('#E69F00', '#56B4E9', '#009E73')]
    described = [hd.seg.SegmentDescription(i, n, *plain, 'MANUAL', display_color=c) for (i,n),c in zip(NAMES.items(), lab)]
    shares = {n: ct.like((mask.data == i)*np.float32(.7), 'probability') for i,n in NAMES.items()}
    theirs = hd.seg.Segmentation(stored_images(ct), mask.data if kind != 'fractional' else np.stack([v.data for v in shares.values()], -1), kind.upper(), described,
                                 hd.UID(), 1000, hd.UID(), 1, 'radnb', 'radnb', __version__, '0')
    theirs.save_as(tmp_path/'theirs.dcm')
    organ = SegmentCode(*((c.value, 'SCT', c.meaning) for c in plain))
    path = save_seg(mask if kind != 'fractional' else shares, ct, tmp_path/'ours.dcm', dict.fromkeys(NAMES.values(), organ), algorithm_type='MANUAL', kind=kind)
    ours, theirs = pydicom.dcmread(path), pydicom.dcmread(tmp_path/'theirs.dcm')
    n = (ours.NumberOfFrames*99*ours.BitsAllocated+7)//8   # highdicom pads an odd length with '0', PS3.5 8.1.1 with zero
    assert ours.PixelData[:n] == theirs.PixelData[:n] and len(ours.PixelData) == len(theirs.PixelData)
    odd = [d for d in differences(ours, theirs) if not d.rpartition('/')[2].startswith(FRESH) and not d.endswith('/PixelData')]
    assert odd == []


def test_colours_as_highdicom_reads_them(ct, tmp_path):
    path = save_seg(labels(ct), ct, tmp_path/'x.dcm')
    rgb = [hd.color.CIELabColor.from_dicom_value(s.RecommendedDisplayCIELabValue).to_rgb() for s in pydicom.dcmread(path).SegmentSequence]
    shown = [(230,159,0), (86,180,233), (0,158,115)]
    assert [s['color'] for s in read_seg(path).meta['segments']] == shown
    assert np.abs(np.array(rgb)-shown).max() <= 12   # highdicom takes the white of ICC profiles


SOURCES = {'sagittal': 'mprage_sagittal', 'jpeg2000': 'ct_jpeg2000', 'dx': 'objects/highdicom/dx_image.dcm', 'multiframe': 'objects/dcmqi/segmentations/24x38x3/multiframe/mf.dcm',
           'enhanced': 'enhanced/Siemens/XA10', 'ultrasound': 'odd/US-YBR_FULL_422-EVRLE.dcm', 'no spacing': 'odd/no-pixel-spacing.dcm', 'tilted': 'tilted'}


@pytest.fixture(scope='module', params=SOURCES)
def source(request, tmp_path_factory):
    if request.param == 'tilted':
        files = write_dicom(Volume(np.zeros((5,16,16), np.int16), np.array([[0,0,-1,0], [0,-1,0,0], [2,0,0,0], [0,0,0,1.]]), 'HU', dict(Modality='CT')), tmp_path_factory.mktemp('tilt'))
        for k,f in enumerate(files):   # a gantry tilt shifts each slice
            ds = pydicom.dcmread(f)
            ds.ImagePositionPatient = [float(v)+.6*k*(i == 1) for i,v in enumerate(ds.ImagePositionPatient)]
            ds.save_as(f)
        vol = load_series(files)
        assert 'tilt' in vol.meta['note']
        return vol
    path = REAL/SOURCES[request.param]
    if not path.exists(): pytest.skip(f'{path} is not here: set RADNB_DATA')
    return load_series(next(path.rglob('*.dcm')) if request.param == 'enhanced' else path)


@pytest.mark.parametrize('kind', KINDS)
def test_real_images(source, tmp_path, kind):
    "Every kind of segmentation of every kind of image: valid, and read back voxel for voxel by radnb and highdicom."
    data, (rows,columns) = np.zeros(source.shape, np.uint8), source.shape[1:]
    data[:3, rows//4:rows//2, columns//3:columns//2], data[-1:, :5, :7] = 1, 2
    path = save_seg(source.like(data, 'label', {1: 'liver', 2: 'left kidney'}), source, tmp_path/'x.dcm', kind=kind)
    ds = checked(path)
    assert source.meta.get('StudyInstanceUID') in (None, ds.StudyInstanceUID) and ds.SeriesInstanceUID != source.meta.get('SeriesInstanceUID')
    assert np.array_equal(read_seg(path, like=source).data, data)
    seg = hd.seg.segread(path)
    stored = seg.pixel_array.reshape(-1, rows, columns)
    assert seg.segment_numbers[-1] == 2 and (stored > 0).sum() == (data > 0).sum()


def _as_real(ds):
    "A header as bad as those of real archives."
    ds.PatientSex, ds.PatientBirthDate, ds.StudyDate, ds.AccessionNumber, ds.StudyID = 'female', '????', '20231399', 'X'*40, 'a\\b'
    ds.StudyInstanceUID, ds.PatientName, ds.PatientID, ds.StudyTime = '1.2.abc', 'A'*90, '', '25:61'
    ds.FrameOfReferenceUID, ds.ReferringPhysicianName, ds.PatientAge, ds.Laterality = 'none', 'x\ny', 'old', 'B'
    for k in ('SeriesNumber', 'SliceThickness', 'PositionReferenceIndicator'):
        if k in ds: del ds[k]


def _deidentified(ds):
    ds.PatientName, ds.PatientID, ds.PatientIdentityRemoved, ds.DeidentificationMethod = '', 'ANON1', 'YES', 'By hand'
    ds.private_block(0x0009, 'PRIVATE', create=True).add_new(1, 'LO', 'Secret^Name')
    for k in ('PatientSex', 'PatientBirthDate', 'AccessionNumber', 'StudyDate', 'StudyTime', 'ReferringPhysicianName', 'StudyID', 'FrameOfReferenceUID'):
        if k in ds: del ds[k]


def _no_references(ds): ds.SOPInstanceUID, ds.SeriesInstanceUID = '1.2.x', 'y'


@pytest.mark.parametrize('spoil', [_as_real, _deidentified, _no_references])
def test_bad_headers(ct, tmp_path, spoil):
    "What is illegal in the source does not become illegal in the result, and nothing private is handed on."
    files = []
    with pydicom.config.disable_value_validation():
        for i,f in enumerate(ct.meta['paths']):
            ds = pydicom.dcmread(f)
            spoil(ds)
            ds.save_as(tmp_path/f'{i}.dcm')
            files.append(str(tmp_path/f'{i}.dcm'))
    vol, data = Volume(ct.data, ct.affine, 'HU', dict(ct.meta, paths=files)), labels(ct).data
    mask = vol.like(data, 'label', NAMES)
    for kind in KINDS:
        path = save_seg(mask, vol, tmp_path/'seg.dcm', kind=kind)
        ds = checked(path)
        assert np.count_nonzero(read_seg(path).data) == np.count_nonzero(data) and not any(e.tag.is_private for e in ds.iterall())
    checked(save_parametric_map(vol.like(vol.data/1000, 'probability'), vol, tmp_path/'map.dcm'))
    checked(save_secondary_capture(np.zeros((5,5), np.uint8), vol, tmp_path/'shot.dcm'))
    two = [pydicom.dcmread(save_seg(mask, vol, tmp_path/f'{i}', kind='labelmap')) for i in range(2)]
    assert two[0].StudyInstanceUID == two[1].StudyInstanceUID == ds.StudyInstanceUID and pydicom.uid.UID(ds.StudyInstanceUID).is_valid
    assert two[0].FrameOfReferenceUID == two[1].FrameOfReferenceUID
    if spoil is _deidentified: assert (ds.PatientID, ds.PatientIdentityRemoved, ds.DeidentificationMethod) == ('ANON1', 'YES', 'By hand')


def test_overlap_and_empty(ct, tmp_path):
    a, b = np.zeros(ct.shape, np.uint8), np.zeros(ct.shape, np.uint8)
    a[2:5], b[4:6] = 1, 1
    both = {'liver': ct.like(a, 'label'), 'liver cyst': ct.like(b, 'label')}
    path = save_seg(both, ct, tmp_path/'both.dcm')
    assert checked(path).SegmentsOverlap == 'YES'
    back = read_seg(path, like=ct, overlap='separate')
    assert np.array_equal(back[1].data > 0, a > 0) and np.array_equal(back[2].data > 0, b > 0)
    again = save_seg(back, ct, tmp_path/'again.dcm')
    assert pydicom.dcmread(again).PixelData == pydicom.dcmread(path).PixelData
    assert [s.TrackingUID for s in pydicom.dcmread(again).SegmentSequence] == [s.TrackingUID for s in pydicom.dcmread(path).SegmentSequence]
    with pytest.raises(BadInput, match='overlap'): save_seg(both, ct, tmp_path, kind='labelmap')
    for kind in KINDS:
        nothing = save_seg(ct.like(np.zeros(ct.shape, np.uint8), 'label', NAMES), ct, tmp_path/'nothing.dcm', kind=kind)
        assert checked(nothing).NumberOfFrames == (1 if kind == 'labelmap' else 3)
        assert read_seg(nothing, like=ct).data.sum() == 0 and read_seg(nothing, like=ct).names == NAMES
    with pytest.raises(GeometryError): save_seg(labels(ct).crop((0,0,0), (7,9,10)), ct, tmp_path)
    with pytest.raises(BadInput): save_seg({'p': ct.like(a*2., 'probability')}, ct, tmp_path, kind='fractional')


def test_many_segments(ct, tmp_path):
    "More than 255 labels, and labels with gaps, which a label map keeps and a binary segmentation counts anew."
    data = (np.arange(ct.data.size).reshape(ct.shape) % 300).astype(np.uint16)
    flat = save_seg(ct.like(data, 'label'), ct, tmp_path/'flat.dcm', kind='labelmap')
    assert (pydicom.dcmread(flat).BitsAllocated, len(hd.seg.segread(flat).segment_numbers)) == (16, 299)
    assert np.array_equal(read_seg(flat, like=ct).data, data)
    gaps = ct.like((data > 290).astype(np.uint8)*9 + (data < 5)*4, 'label', {9: 'liver', 4: 'spleen'})
    assert read_seg(save_seg(gaps, ct, tmp_path/'gaps.dcm', kind='labelmap'), like=ct).names == {4: 'spleen', 9: 'liver'}
    assert read_seg(save_seg(gaps, ct, tmp_path/'none.dcm'), like=ct).names == {1: 'spleen', 2: 'liver'}


def test_terminology_in_the_file(ct, tmp_path):
    ds = checked(save_seg(labels(ct), ct, tmp_path/'x.dcm', creator='Doe^Jane', algorithm_type='SEMIAUTOMATIC'))
    liver,kidney,cyst = ds.SegmentSequence
    assert kidney.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == 'Left'
    assert cyst.AnatomicRegionSequence[0].CodeMeaning == 'Liver' and cyst.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == 'Cyst'
    assert (liver.SegmentAlgorithmType, ds.ContentCreatorName) == ('SEMIAUTOMATIC', 'Doe^Jane')
    found = hd.seg.segread(tmp_path/'x.dcm').get_segment_description(2)
    assert found.segmented_property_type == codes.SCT.Kidney and found.segmented_property_category == codes.SCT.AnatomicalStructure


TOTAL = '''spleen:Spleen kidney_right:Kidney gallbladder:Gallbladder liver:Liver stomach:Stomach aorta:Aorta inferior_vena_cava:Inferior vena cava pancreas:Pancreas
adrenal_gland_left:Adrenal gland lung_upper_lobe_left:Upper lobe of lung lung_middle_lobe_right:Middle lobe of right lung vertebrae_L5:L5 vertebra vertebrae_C1:C1 vertebra
esophagus:Esophagus trachea:Trachea heart_atrium_left:Left atrium heart_ventricle_right:Right ventricle pulmonary_artery:Pulmonary artery brain:Brain iliac_vena_left:Iliac vein
small_bowel:Small intestine duodenum:Duodenum colon:Colon rib_left_1:Rib humerus_left:Humerus clavicula_right:Clavicle femur_left:Femur sacrum:Sacrum urinary_bladder:Bladder
portal_vein_and_splenic_vein:Tissue gluteus_maximus_left:Tissue autochthon_left:Tissue heart_myocardium:Tissue femur_head:Tissue kidney_cyst_left:Cyst'''


@pytest.mark.parametrize('name,meaning', re.findall(r'(\w+):(.+?)(?= \w+:|$)', TOTAL.replace('\n', ' ')))
def test_segment_names_of_a_common_model(name, meaning): assert segment_codes(name).type[2] == meaning


def test_codes_are_those_of_pydicom():
    "What is found is what the standard's own dictionary says."
    for text,code in (('liver', codes.SCT.Liver), ('oedema', codes.SCT.Edema), ('renal artery', codes.SCT.RenalArtery), ('probability', codes.DCM.Probability)):
        best = find_code(text, 1).iloc[0]
        assert (best.value, best.scheme) == (code.value, code.scheme_designator), text


@pytest.mark.parametrize('dtype', ['float32', 'uint16'])
def test_parametric_map(ct, tmp_path, dtype):
    values = np.random.default_rng(0).random(ct.shape).astype(np.float32)
    path = save_parametric_map(ct.like(values, 'probability'), ct, tmp_path/'x.dcm', dtype=dtype)
    checked(path)
    step = 0 if dtype == 'float32' else .51/65534
    assert np.abs(read_parametric(path).data-values).max() <= step
    theirs = hd.imread(path).get_volume(apply_real_world_transform=True)
    assert np.abs(theirs.array[::-1]-values).max() <= step


@pytest.mark.parametrize('source', ['jpeg2000', 'dx', 'multiframe', 'enhanced', 'tilted'], indirect=True)
def test_parametric_map_of_real_images(source, tmp_path):
    if 'the position in the patient is not in the file' in source.meta.get('note', ''):
        with pytest.raises(GeometryError): save_parametric_map(Volume(source.window()[...,0] if source.unit == 'RGB' else source.data, source.affine, 'a.u.', source.meta), source, tmp_path)
        return
    path = save_parametric_map(Volume(source.data, source.affine, 'a.u.', source.meta), source, tmp_path/'x.dcm', dtype='uint16')
    checked(path)
    assert np.abs(read_parametric(path).data-source.data).max() <= np.ptp(source.data)/65000


@pytest.mark.parametrize('several', [False, True])
@pytest.mark.parametrize('colour', [False, True])
def test_secondary_capture(ct, tmp_path, several, colour):
    picture = np.random.default_rng(0).integers(0, 256, (9,11,3) if colour else (9,11)).astype(np.uint8)
    ds = checked(save_secondary_capture([picture, picture[::-1]] if several else picture, ct, tmp_path/'x.dcm'))
    assert np.array_equal(ds.pixel_array[0] if several else ds.pixel_array, picture)
    assert (ds.SeriesDescription, ds.BurnedInAnnotation, ds.PatientID) == ('Not for diagnostic use', 'YES', ct.meta['PatientID'])


def test_header_is_left_alone(ct, tmp_path):
    "Writing does not touch the files that it refers to, nor the volumes it was given."
    before, mask = [Path(p).read_bytes() for p in ct.meta['paths']], labels(ct)
    data, meta = mask.data.copy(), copy.deepcopy(mask.meta)
    save_seg(mask, ct, tmp_path)
    assert np.array_equal(mask.data, data) and mask.meta == meta and before == [Path(p).read_bytes() for p in ct.meta['paths']]
