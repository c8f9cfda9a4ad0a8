"Series to volumes: a known point lands at its place whatever the stack looks like; every kind of object; every real row does what its table says."
import warnings
from pathlib import Path
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from radnb.core import BadInput, MissingSlices, NotOneVolume, RadnbError
from radnb.data.dicom import load_series
from radnb.data.scan import scan_files
from radnb.data.series import series_table
from radnb.data.volume import Volume

CT, MR, PT, NM, US, DX = (f'1.2.840.10008.5.1.4.1.1.{n}' for n in ('2','4','128','20','3.1','1.1'))
ENHANCED_CT, DOSE = '1.2.840.10008.5.1.4.1.1.2.1', '1.2.840.10008.5.1.4.1.1.481.2'
ENHANCED_MR, AXIAL = '1.2.840.10008.5.1.4.1.1.4.1', [1,0,0,0,1,0]
RAS = np.array([-1,-1,1])

def placed(x=0, y=0, z=0): return dict(ImageOrientationPatient=AXIAL, ImagePositionPatient=[x,y,z], PixelSpacing=[1,1], SliceThickness=2)

def numbered(n): return np.arange(n)[:,None,None]*np.ones((n,4,4))

def item(**kw):
    ds = Dataset()
    for k,v in kw.items(): setattr(ds, k, v)
    return ds

def write(path, pixels, sop=CT, modality='CT', **kw):
    "One DICOM file of unsigned 16-bit (or RGB) pixels."
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID, ds.Modality, ds.PatientID = sop, generate_uid(), '1.2.3', modality, 'SYN-1'
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = sop, ds.SOPInstanceUID
    pixels = np.asarray(pixels, np.uint16)
    if pixels.ndim == 3: ds.NumberOfFrames = len(pixels)
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, 'MONOCHROME2'
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    for k,v in kw.items(): setattr(ds, k, v)
    ds.PixelData = pixels.tobytes()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return Path(path)

# --- a known point ----------------------------------------------------------------------------------------------------------------------------------

def rotation(angles):
    "Three angles to a rotation matrix."
    a, b, c = angles
    x = np.array([[1,0,0],[0,np.cos(a),-np.sin(a)],[0,np.sin(a),np.cos(a)]])
    y = np.array([[np.cos(b),0,np.sin(b)],[0,1,0],[-np.sin(b),0,np.cos(b)]])
    return x @ y @ np.array([[np.cos(c),-np.sin(c),0],[np.sin(c),np.cos(c),0],[0,0,1]])

@st.composite
def stack(draw):
    "A stack in any direction, sheared or not, its files in any order."
    number = lambda lo,hi: draw(st.floats(lo, hi, allow_nan=False))
    n = draw(st.integers(2, 6))
    return dict(R=rotation([number(-np.pi, np.pi) for _ in range(3)]), origin=np.array([number(-300,300) for _ in range(3)]),
                spacing=(number(.2,3), number(.2,3)), gap=number(.4,8), shear=np.array([number(-2,2), number(-2,2)])*draw(st.booleans()), n=n,
                order=draw(st.permutations(range(n))), marker=(draw(st.integers(0,n-1)), draw(st.integers(0,4)), draw(st.integers(0,6))))

@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(s=stack())
def test_known_point_lands_at_its_place(s, tmp_path_factory):
    "To a thousandth of a millimetre, in any orientation, tilted or not; the row of the table says the same."
    folder = tmp_path_factory.mktemp('stack')
    along, down = s['R'][:,0], s['R'][:,1]
    step = np.cross(along, down)*s['gap'] + along*s['shear'][0] + down*s['shear'][1]
    for k in range(s['n']):
        pixels = np.zeros((5,7)); pixels[s['marker'][1:]] = 100*(s['marker'][0] == k)
        write(folder/f'{s["order"][k]}.dcm', pixels, ImageOrientationPatient=[*along, *down], ImagePositionPatient=list(s['origin']+step*k),
              PixelSpacing=list(s['spacing']), SliceThickness=1, InstanceNumber=s['order'][-1-k])
    k,i,j = s['marker']
    truth = (s['origin']+step*k + down*s['spacing'][0]*i + along*s['spacing'][1]*j)*RAS
    row = series_table(scan_files(sorted(folder.iterdir()))).iloc[0]
    vol = load_series(row)
    found = np.argwhere(vol.data == 100)
    assert len(found) == 1 and np.abs(vol.physical(found[0])-truth).max() < 1e-3
    assert vol.shape == row['shape']
    np.testing.assert_allclose(vol.spacing, row.spacing, atol=1e-3)
    assert row.verdict == 'regular' or row.verdict.startswith('gantry tilt')

@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gaps=st.lists(st.sampled_from([2., 2., 2., 4., 6., 3.1]), min_size=3, max_size=7), shear=st.sampled_from([0., .7]))
def test_resampling_keeps_measured_slices(gaps, shear, tmp_path_factory):
    "Where a slice was measured, the even grid holds its values at its place; everything else is listed as made up."
    folder, z = tmp_path_factory.mktemp('uneven'), np.cumsum([0, *gaps])
    for k,h in enumerate(z):
        write(folder/f'{k}.dcm', np.full((6,6), 100+10*k), **placed(0, shear*h, h))
    vol = load_series(folder, regular='resample')
    made = set(vol.meta.get('interpolated', []))
    assert abs(vol.physical((vol.shape[0]-1,0,0))[2]-z[-1]) < 1e-3
    for k in range(vol.shape[0]):
        at = vol.physical((k,0,0))[2]
        near = np.abs(z-at).min() < .02
        assert near == (k not in made)
        if near: assert vol.data[k].max() == pytest.approx(100+10*np.abs(z-at).argmin(), abs=.2)

# --- files with many images -----------------------------------------------------------------------------------------------------------------------

def test_enhanced_ct_with_two_stacks(tmp_path):
    "Two directions in one enhanced file: two rows, chosen by name; each frame with its own scale."
    planes = [('axial', [1,0,0,0,1,0], (0,0,1)), ('sagittal', [0,1,0,0,0,-1], (1,0,0))]
    frames = [item(FrameContentSequence=[item(StackID=str(s+1), InStackPositionNumber=k+1)],
                   PlanePositionSequence=[item(ImagePositionPatient=[float(v) for v in np.array(step)*3*k])],
                   PlaneOrientationSequence=[item(ImageOrientationPatient=iop)],
                   PixelValueTransformationSequence=[item(RescaleSlope=1, RescaleIntercept=-1000-100*s)])
              for s,(_,iop,step) in enumerate(planes) for k in range(3)]
    shared = item(PixelMeasuresSequence=[item(PixelSpacing=[.5,.5], SliceThickness=3)])
    f = write(tmp_path/'mf.dcm', numbered(6), ENHANCED_CT, SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames)
    table = series_table(scan_files([f]))
    assert len(table) == 2 and set(table.verdict) == {'regular'}
    with pytest.raises(NotOneVolume, match='2 volumes in one series'): load_series(f)
    for row,low in zip((table[table.orientation == p].iloc[0] for p,_,_ in planes), (-1000,-1097)):
        vol = load_series(row)
        assert vol.shape == row['shape'] == (3,4,4) and vol.orientation == row.orientation and vol.unit == 'HU'
        assert sorted(vol.data[:,0,0]) == [low, low+1, low+2]
    with pytest.raises(BadInput, match='No part called'): load_series(f, part='coronal')

def test_parts_are_found_among_fewer_files(tmp_path):
    "Two kinds of image in one enhanced file, a localizer in another: the names of the whole series also find the parts of the one file."
    kinds = ['ORIGINAL','PRIMARY','M'], ['ORIGINAL','PRIMARY','P']
    frames = [item(PlanePositionSequence=[item(ImagePositionPatient=[0,0,2.*k])], MRImageFrameTypeSequence=[item(FrameType=kind)])
              for kind in kinds for k in range(3)]
    shared = item(PixelMeasuresSequence=[item(PixelSpacing=[1,1], SliceThickness=2)], PlaneOrientationSequence=[item(ImageOrientationPatient=AXIAL)])
    f = write(tmp_path/'mp.dcm', numbered(6), ENHANCED_MR, 'MR', SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames)
    sagittal = dict(placed(), ImageOrientationPatient=[0,1,0,0,0,-1])
    scout = write(tmp_path/'scout.dcm', np.zeros((4,4)), MR, 'MR', **sagittal, ImageType=['ORIGINAL','PRIMARY','LOCALIZER'])
    table = series_table(scan_files([f, scout]))
    assert set(table.part) == {'axial ImageType M', 'axial ImageType P', 'localizer sagittal'}
    rows_do_what_they_say(table)
    row = table[table.part == 'axial ImageType P'].iloc[0]
    assert load_series(row).data[:,0,0].tolist() == [3,4,5]

def test_enhanced_mr_with_b_values(tmp_path):
    "Three b-values, the last in two directions, in one file: one volume in 4D."
    bs = [0., 500., 1000., 1000.]
    frames = [item(PlanePositionSequence=[item(ImagePositionPatient=[0,0,2.*k])], MRDiffusionSequence=[item(DiffusionBValue=b)])
              for b in bs for k in (2,0,1)]
    shared = item(PixelMeasuresSequence=[item(PixelSpacing=[1,1], SliceThickness=2)], PlaneOrientationSequence=[item(ImageOrientationPatient=AXIAL)])
    f = write(tmp_path/'dwi.dcm', numbered(12), ENHANCED_MR, 'MR', SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames)
    vol = load_series(f)
    assert vol.meta['dimension'] == dict(name='b-value', unit='s/mm2', values=bs, keyword='DiffusionBValue')
    assert vol.data[:,:,0,0].tolist() == [[1,2,0], [4,5,3], [7,8,6], [10,11,9]]

def test_gated_nuclear_tomogram_stacked_downwards(tmp_path):
    "A negative slice distance stacks towards the feet; the gates are a fourth dimension."
    detector = item(ImagePositionPatient=[-100,-100,50], ImageOrientationPatient=[1,0,0,0,1,0])
    f = write(tmp_path/'nm.dcm', numbered(6), NM, 'NM', ImageType=['ORIGINAL','PRIMARY','RECON GATED TOMO','EMISSION'],
              DetectorInformationSequence=[detector], SliceVector=[1,2,3,1,2,3], TimeSlotVector=[1,1,1,2,2,2],
              SpacingBetweenSlices=-4.8, PixelSpacing=[6.4,6.4])
    vol = load_series(f)
    assert (vol.shape, vol.n_times, vol.meta['dimension']['name']) == ((3,4,4), 2, 'cardiac phase')
    first = vol.index(np.array([-100,-100,50])*RAS)   # the first frame lies at the given position, the others below it
    assert vol.data[0][tuple(np.rint(first).astype(int))] == 0 and vol.data[0].max() == 2
    assert vol.physical((2,0,0))[2] == pytest.approx(50) and vol.physical((0,0,0))[2] == pytest.approx(50-9.6)

def test_dose_grid(tmp_path):
    f = write(tmp_path/'dose.dcm', 1000*(numbered(3)+1), DOSE, 'RTDOSE', ImageOrientationPatient=AXIAL, ImagePositionPatient=[0,0,-30],
              PixelSpacing=[2.5,2.5], GridFrameOffsetVector=[0,3,6], DoseGridScaling=.001, DoseUnits='GY')
    vol = load_series(f)
    assert (vol.unit, vol.spacing) == ('Gy', (3.,2.5,2.5))
    np.testing.assert_allclose(vol.data[:,0,0], [1,2,3], rtol=1e-6)

def test_film_loop_knows_its_times(tmp_path):
    "Frames of an ultrasound loop are time points, with a scale from their region."
    region = item(RegionSpatialFormat=1, RegionDataType=1, PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3, PhysicalDeltaX=.02,
                  PhysicalDeltaY=.02, RegionLocationMinX0=0, RegionLocationMinY0=0, RegionLocationMaxX1=8, RegionLocationMaxY1=6)
    f = write(tmp_path/'us.dcm', np.arange(5)[:,None,None]*np.ones((5,6,8)), US, 'US', FrameTime=33.3, SequenceOfUltrasoundRegions=[region])
    vol = load_series(f)
    assert (vol.data.shape, vol.spacing[1:]) == ((5,1,6,8), (.2,.2))
    np.testing.assert_allclose(vol.meta['times'], np.arange(5)*.0333)
    assert '5 frames loaded as time points' in vol.meta['note'] and 'outside it do not measure' in vol.meta['note']
    row = series_table(scan_files([f])).iloc[0]
    assert (row['shape'], row.n_times, row.spacing) == ((1,6,8), 5, (1.,.2,.2))

def test_frames_nobody_describes(tmp_path):
    vol = load_series(write(tmp_path/'sc.dcm', np.zeros((3,4,4)), '1.2.840.10008.5.1.4.1.1.7.2', 'OT'))
    assert vol.meta['dimension']['name'] == 'frame' and 'times' not in vol.meta and 'do not measure' in vol.meta['note']

# --- what the header says beside the pixels -------------------------------------------------------------------------------------------------------

def test_windows_padding_overlays(tmp_path):
    ds = dict(placed(), RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=[40,-600], WindowWidth=[400,1500],
              WindowCenterWidthExplanation=['SOFT','LUNG'], PixelPaddingValue=0)
    f = write(tmp_path/'ct.dcm', np.full((4,4), 1024), **ds)
    full = pydicom.dcmread(f)
    overlay = ((0x0010,'US',4), (0x0011,'US',4), (0x0040,'CS','G'), (0x0050,'SS',[1,1]), (0x0100,'US',1), (0x0102,'US',0), (0x3000,'OW',b'\x01\x00'))
    for e,vr,v in overlay: full.add_new((0x6000,e), vr, v)
    full.save_as(f)
    vol = load_series(f)
    assert [(w['center'], w['width'], w['name']) for w in vol.meta['windows']] == [(40,400,'SOFT'), (-600,1500,'LUNG')]
    assert (vol.meta['WindowCenter'], vol.meta['padding'], vol.meta['overlays']) == (40, (-1024,-1024), 1)
    assert '-1024 HU is padding' in vol.meta['note'] and '1 overlay not drawn in' in vol.meta['note']

def test_negative_film_turns_its_window(tmp_path):
    "MONOCHROME1: the values are turned round, and the window and the padding with them."
    f = write(tmp_path/'cr.dcm', np.full((4,4), 1000), DX, 'DX', PhotometricInterpretation='MONOCHROME1', BitsStored=12, HighBit=11,
              WindowCenter=1000, WindowWidth=500, PixelPaddingValue=4095, ImagerPixelSpacing=[.2,.2], EstimatedRadiographicMagnificationFactor=1.3)
    vol = load_series(f)
    assert (vol.data.max(), vol.meta['WindowCenter'], vol.meta['padding'], vol.meta['magnification']) == (3095, 3095, (0,0), 1.3)
    assert vol.spacing[1:] == (.2,.2) and 'not corrected for magnification (about 1.30 times)' in vol.meta['note']

def test_real_world_values_frame_by_frame(tmp_path):
    "Slices whose real-world slopes differ, applied on request."
    for k in range(3):
        m = item(RealWorldValueFirstValueMapped=0, RealWorldValueLastValueMapped=4095, RealWorldValueSlope=float(k+1), RealWorldValueIntercept=0.,
                 LUTLabel='T1', MeasurementUnitsCodeSequence=[item(CodeValue='ms', CodingSchemeDesignator='UCUM', CodeMeaning='millisecond')])
        write(tmp_path/f'{k}.dcm', np.full((4,4), 100), MR, 'MR', **placed(z=2*k), RescaleSlope=2, RescaleIntercept=5,
              RealWorldValueMappingSequence=[m])
    plain, t1 = load_series(tmp_path), load_series(tmp_path, real_world='T1')
    assert plain.data.max() == 205 and plain.meta['real_world'][0]['unit'] == 'ms'
    assert t1.unit == 'ms' and t1.data[:,0,0].tolist() == [100,200,300]
    with pytest.raises(BadInput, match="'T1'"): load_series(tmp_path, real_world='T2')

# --- PET ------------------------------------------------------------------------------------------------------------------------------------------

def as_becquerels(folder, out, how):
    "A PET stored as SUV, written again as another scanner would have: in becquerels or counts, with a header from which the SUV follows."
    for i,f in enumerate(sorted(folder.iterdir())):
        ds = pydicom.dcmread(f)
        info = ds.RadiopharmaceuticalInformationSequence[0]
        dose, half = float(info.RadionuclideTotalDose), float(info.RadionuclideHalfLife)
        ds.SeriesTime = ds.AcquisitionTime = '150000'
        ds.AcquisitionDate = ds.SeriesDate
        info.RadiopharmaceuticalStartTime = '140000'
        if 'RadiopharmaceuticalStartDateTime' in info: del info.RadiopharmaceuticalStartDateTime
        left = dose if how == 'ADMIN' else dose*2**(-3600/half)
        factor = float(ds.PatientWeight)*1000/left   # SUV per Bq/mL
        ds.Units, ds.DecayCorrection = 'BQML', 'ADMIN' if how == 'ADMIN' else 'START'
        if how == 'GE later':
            ds.SeriesTime = '190000'
            ds.private_block(0x0009, 'GEMS_PETD_01', create=True).add_new(0x0D, 'DT', f'{ds.SeriesDate}150000.00')
        if how == 'Philips':
            ds.Units, factor = 'CNTS', .0123
            ds.private_block(0x7053, 'Philips PET Private Group', create=True).add_new(0x00, 'DS', '0.0123')
        ds.RescaleSlope = f'{float(ds.RescaleSlope)/factor:.9g}'
        out.mkdir(exist_ok=True); ds.save_as(out/f'{i}.dcm')
    return out

@pytest.mark.parametrize('how', ['START', 'ADMIN', 'GE later', 'Philips'])
@pytest.mark.parametrize('patient', ['STS_001', 'STS_002', 'STS_003'])
def test_suv_of_real_pet(real, tmp_path, patient, how):
    "Three PETs that their scanner stored as SUV, written again as Bq/mL or counts: the SUV comes back."
    folder = real/'dicom'/'sarcoma'/patient/'PET'/'image'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        pet = load_series(as_becquerels(folder, tmp_path/'pet', how))
    truth = load_series(folder)
    assert (pet.unit, truth.unit, pet.meta['suv']['kind']) == ('SUV', 'SUV', 'bw') and 'SUVbw' in pet.meta['note']
    np.testing.assert_allclose(pet.data, truth.data, rtol=1e-5, atol=1e-6)

def test_pet_without_suv_says_why(real, tmp_path):
    folder = as_becquerels(real/'dicom'/'sarcoma'/'STS_001'/'PET'/'image', tmp_path/'pet', 'START')
    for f in folder.iterdir():
        ds = pydicom.dcmread(f); ds.PatientWeight = None; ds.save_as(f)
    pet = load_series(folder)
    assert pet.unit == 'Bq/mL' and "no SUV: the patient's weight" in pet.meta['note']
    assert load_series(folder, suv=None).meta.get('suv') is None

# --- tables ---------------------------------------------------------------------------------------------------------------------------------------

def stacked(tmp_path, name, n=4, **kw):
    for k in range(n):
        write(tmp_path/name/f'{k}.dcm', np.full((4,4), k), **{**placed(z=3*k), 'InstanceNumber': k+1, **kw})

def test_a_stopped_bolus(tmp_path):
    "The last pass lacks a slice: an error that says so, or the whole passes."
    for i in range(3): stacked(tmp_path, str(i), 4-(i == 2), TemporalPositionIdentifier=i+1)
    files = sorted(tmp_path.rglob('*.dcm'))
    row = series_table(scan_files(files)).iloc[0]
    assert row.verdict == '1 of 3 time points incomplete; regular; 2 time points' and row.action.startswith('raises')
    with pytest.raises(MissingSlices, match='1 of 3 time points incomplete'): load_series(row)
    vol = load_series(row, regular='as-is')
    assert (vol.n_times, vol.shape) == (2, (4,4,4)) and '1 of 3 time points incomplete, left out' in vol.meta['note']

def test_localizer_apart(tmp_path):
    stacked(tmp_path, 'axial', ImageType=['ORIGINAL','PRIMARY','AXIAL'])
    stacked(tmp_path, 'scout', 2, ImageType=['ORIGINAL','PRIMARY','LOCALIZER'], ImageOrientationPatient=[0,1,0,0,0,-1], ImagePositionPatient=[0,0,0])
    table = series_table(scan_files(sorted(tmp_path.rglob('*.dcm'))))
    assert table[table.part == 'axial'].iloc[0]['shape'] == (4,4,4) and table.part.str.startswith('localizer').sum() == 1

def rows_do_what_they_say(table):
    for _,row in table.iterrows():
        if row.action.startswith('raises'):
            with pytest.raises((NotOneVolume, MissingSlices)) as e: load_series(row)
            assert e.value.path and e.value.remedy and row.verdict.split(';')[0] in str(e.value)
            continue
        vol = load_series(row)
        assert (vol.shape, vol.n_times) == (row['shape'], row.n_times), row.paths[0]
        np.testing.assert_allclose(vol.spacing, row.spacing, atol=1e-4)
        assert (vol.orientation == row.orientation) if row.orientation else 'position in the patient is not in the file' in vol.meta['note']

def test_every_real_row_does_what_it_says(real):
    "All of the real DICOM: each row loads with its shape and spacing, or raises what its action says."
    table = series_table(scan_files(sorted(str(p) for p in (real/'dicom').rglob('*') if p.is_file())))
    assert len(table) > 50
    rows_do_what_they_say(table)

def test_every_row_of_pydicoms_files():
    "Pydicom's own test files: ultrasound, colour, palettes, dose, localizers, a rotating projection. (One of them has a broken compressed stream.)"
    folder = Path(pydicom.__file__).parent/'data'/'test_files'
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        table = series_table(scan_files(sorted(str(p) for p in folder.rglob('*') if p.is_file() and 'embedded' not in p.name)))
        assert {'mixed orientation', 'regular', 'single image', 'single slice'} <= set(table.verdict.str.split(';').str[0])
        rows_do_what_they_say(table)

def test_lazy_is_the_same(real):
    "Pixels left on the disk give the same volume."
    folder = real/'dicom'/'mprage_sagittal'
    now, later = load_series(folder), load_series(folder, lazy=True)
    assert isinstance(later, Volume) and later.shape == now.shape and later.meta['note'] == now.meta['note']
    np.testing.assert_array_equal(np.asarray(later), now.data)

def test_segmentations_and_stripped_mosaics_are_refused(real, tmp_path):
    "A SEG is not an image; a mosaic without its private header cannot be placed, and the table says so."
    with pytest.raises(BadInput, match='read_seg'): load_series(real/'dicom'/'objects'/'highdicom'/'seg_image_ct_binary.dcm')
    ds = pydicom.dcmread(real/'dicom'/'twelve_bit'/'In'/'12bitUnsigned.dcm')
    del ds[0x0029,0x1010]
    ds.save_as(tmp_path/'mosaic.dcm')
    row = series_table(scan_files([tmp_path/'mosaic.dcm'])).iloc[0]
    assert 'does not say how many slices' in row.verdict and row.action.startswith('raises')
    with pytest.raises(NotOneVolume, match='private header'): load_series(row)

@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(132, 40000), st.integers(0, 255)), min_size=1, max_size=12), which=st.integers(0, 3))
def test_flipped_bytes_of_files_with_frames(real, tmp_path, flips, which):
    "Enhanced objects, mosaics and tiles with bytes overwritten: a volume or an error of ours, and always a table."
    names = ['enhanced/Siemens/XA10/6_1.dcm', 'transfer_syntaxes/In/1.dcm', 'objects/highdicom/sm_image_grayscale.dcm', 'odd/CTImage.dcm']
    src = real/'dicom'/names[which]
    data = bytearray(src.read_bytes())
    for at,value in flips: data[at % len(data)] = value
    (tmp_path/'f.dcm').write_bytes(data)
    try: assert np.isfinite(load_series(tmp_path/'f.dcm').affine).all()
    except RadnbError as e: assert e.what
    try: assert len(series_table(scan_files([tmp_path/'f.dcm'])))
    except RadnbError as e: assert e.what

def test_errors_are_ours(tmp_path):
    "A row whose files have gone."
    stacked(tmp_path, 'a')
    row = series_table(scan_files(sorted(tmp_path.rglob('*.dcm')))).iloc[0]
    Path(row.paths[1]).unlink()
    with pytest.raises(RadnbError): load_series(row)
