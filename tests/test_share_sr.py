"Structured reports as others read them: highdicom, pydicom, dciodvfy, dcmtk; and the measurements in them against brute force and analytic shapes."
import math
import numpy as np
import pydicom
import pytest
from dicom_checks import dciodvfy_errors, dcmtk_dump, impoverish
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.distance import pdist
from radnb.data.contours import read_mask_file
from radnb.data.dicom import load_series
from radnb.data.phantom import write_dicom
from radnb.data.segments import read_seg
from radnb.data.sr import read_sr
from radnb.data.volume import Volume
from radnb.measure.shapes import measure_mask
from radnb.measure.stats import Estimate, OperatingPoint
from radnb.share.seg import save_seg
from radnb.share.sr import save_sr

def face_centres(m):
    "Centres of the faces between mask and background, in voxels."
    at, padded = [], np.pad(m, 1)
    for axis in range(m.ndim): at.append(np.argwhere(np.diff(padded, axis=axis))-1+np.eye(m.ndim)[axis]/2)
    return np.concatenate(at)


AXIAL = np.array([[0,0,-1.],[0,-1,0],[1,0,0]])


def grid(shape, spacing=(3.,.7,.9), turn=(0,0,0), tilt=0.):
    "An affine, turned by Euler angles (degrees); `tilt`: every slice slides that many mm further along its columns."
    from scipy.spatial.transform import Rotation
    m = np.eye(4)
    m[:3,:3] = Rotation.from_euler('xyz', turn, degrees=True).as_matrix()@AXIAL*spacing
    m[:3,0] += m[:3,1]/np.linalg.norm(m[:3,1])*tilt
    m[:3,3] = (-20,30,70)
    return m


# ---------------------------------------------------------------- measurements

@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(2, 4), st.integers(1, 7), st.integers(1, 7))), st.sampled_from([((0,0,0),0.), ((20,-35,10),0.), ((0,0,0),1.7), ((5,70,10),-2.)]))
def test_diameters_against_every_pair_of_points(data, how):
    "The longest of all lines between two points of the outline, in each connected section and in space; the perpendicular is one, and stays within the extent."
    mask = Volume(data.astype(np.uint8), grid(data.shape, (3.,.7,.9), *how), 'label', names={1:'it'})
    row = measure_mask(mask).iloc[0]
    if not data.any():
        assert row.note == 'nothing is marked' and math.isnan(row.diameter_mm) and row.volume_ml == 0
        return
    longest = 0.
    for k,m in enumerate(data):
        parts,n = ndimage.label(m, np.ones((3,3)))
        for i in range(1, n+1):
            points = face_centres(parts == i)
            longest = max(longest, pdist(mask.physical(np.c_[np.full(len(points), k), points])).max())
    assert row.diameter_mm == pytest.approx(longest, abs=1e-6)
    everything = pdist(mask.physical(face_centres(data))).max()
    assert row.diameter_3d_mm == pytest.approx(everything, abs=1e-6)
    a,b = np.array(row.ends), np.array(row.perpendicular_ends)
    assert np.linalg.norm(a[1]-a[0]) == pytest.approx(row.diameter_mm) and np.linalg.norm(b[1]-b[0]) == pytest.approx(row.perpendicular_mm)
    assert abs((a[1]-a[0])@(b[1]-b[0])) < 1e-6*row.diameter_mm*max(row.perpendicular_mm, 1) and row.perpendicular_mm <= row.diameter_mm+1e-6
    assert row.volume_ml == pytest.approx(data.sum()*3*.7*.9/1000)
    np.testing.assert_allclose([row.x, row.y, row.z], mask.physical(np.argwhere(data)).mean(0), atol=1e-9)


@pytest.mark.parametrize('turn,tilt', [((0,0,0),0.), ((20,-35,10),0.), ((0,0,0),1.)])
def test_ellipsoids_to_the_millimetre(turn, tilt):
    "Sampled at 1 mm and finer, in any orientation: axes within a voxel, volume within 1 %."
    shape, spacing, axes = (50,80,90), (1.,.7,.8), np.array([40.,30.,24.])
    vol = Volume(np.zeros(shape, np.uint8), grid(shape, spacing, turn, tilt), 'label')
    mm = vol.physical(np.stack(np.indices(shape), -1))-vol.physical(np.array(shape)/2-.3)
    right,down = (vol.affine[:3,i]/np.linalg.norm(vol.affine[:3,i]) for i in (2,1))
    normal = np.cross(right, down)
    inside = (mm@right/(axes[0]/2))**2+(mm@down/(axes[1]/2))**2+(mm@normal/(axes[2]/2))**2 <= 1
    row = measure_mask(vol.like(inside.astype(np.uint8), 'label')).iloc[0]
    assert abs(row.diameter_mm-40) < .8 and abs(row.perpendicular_mm-30) < .8 and abs(row.diameter_3d_mm-40) < 1.2
    assert row.volume_ml == pytest.approx(math.pi/6*axes.prod()/1000, rel=.01)


# ---------------------------------------------------------------- reports

@pytest.fixture(scope='module')
def tumours(real, tmp_path_factory):
    "A real CT with two labels, its SEG and its table."
    folder = real/'dicom'/'sarcoma'/'STS_002'/'CT'
    vol = load_series(folder/'image')
    data = (read_mask_file(folder/'mask'/'RS.dcm', like=vol).data > 0).astype(np.uint8)
    data[10:14,60:70,100:120] = 2; data[20:22,20:24,20:30] = 2
    mask = vol.like(data, 'label', {1:'tumour', 2:'left kidney', 3:'metastasis'})
    return vol, mask, save_seg(mask, vol, tmp_path_factory.mktemp('seg'))


def check(path):
    assert dciodvfy_errors(path) == []
    assert 'Comprehensive 3D SR' in dcmtk_dump(path, 'dsrdump')
    return pydicom.dcmread(path)


def test_numbers_come_back(tumours, tmp_path):
    "radnb and highdicom read what was measured, to the last digit; the end points lie where they were."
    import highdicom as hd
    vol,mask,seg = tumours
    table = measure_mask(mask, vol)
    path = save_sr(table, vol, tmp_path, seg=seg, observer='Example^Ada')
    check(path)
    back = read_sr(path).set_index(['tracking_id','name','derivation']).value
    for _,row in table[:2].iterrows():
        for column,name in (('volume_ml','Volume'), ('diameter_mm','Long Axis'), ('perpendicular_mm','Short Axis'), ('diameter_3d_mm','Maximum 3D Diameter of a Mesh'), ('area_mm2','Area')):
            assert back[row['name']].xs(name, level='name').iloc[0] == row[column]
        for column,name in (('mean','Mean'), ('sd','Standard Deviation'), ('median','Median'), ('min','Minimum'), ('max','Maximum'), ('p90','90th Percentile Value')):
            assert back[row['name'],'Attenuation Coefficient',name] == row[column]
    theirs = hd.sr.srread(path).content
    groups = theirs.get_volumetric_roi_measurement_groups()
    assert [g.get_measurements(name=hd.sr.CodedConcept('118565006','SCT','Volume'))[0].value for g in groups] == table.volume_ml.tolist()
    assert [g.tracking_identifier for g in groups] == table.name.tolist()
    assert {o.observer_type.meaning for o in theirs.get_observer_contexts()} == {'Device','Person'}
    long = [m for g in theirs.get_image_measurement_groups() for m in g.get_measurements() if m.name.meaning == 'Long Axis'][0]
    at = long.referenced_coordinates[0]
    src = next(s for s in (pydicom.dcmread(p, stop_before_pixels=True) for p in vol.meta['paths'])
               if s.SOPInstanceUID == at.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID)
    transform = hd.spatial.ImageToReferenceTransformer(src.ImagePositionPatient, src.ImageOrientationPatient, src.PixelSpacing)
    np.testing.assert_allclose(transform(at.value)*(-1,-1,1), table.ends[0], atol=1e-3)


def test_segments_are_the_ones_in_the_seg(tumours, tmp_path):
    "A row refers to the segment of its name and shares its tracking UID; a lesion that is only part of a segment refers to none."
    vol,mask,seg = tumours
    segments = {s['name']: s for s in read_seg(seg, like=vol).meta['segments']}
    back = read_sr(save_sr(measure_mask(mask, vol), vol, tmp_path/'a.dcm', seg=seg))
    whole = back[back.name == 'Volume'].set_index('tracking_id')
    assert whole.segment.astype(int).to_dict() == {n: s['number'] for n,s in segments.items()}
    assert whole.tracking_uid.to_dict() == {n: s['tracking_uid'] for n,s in segments.items()}
    lesions = read_sr(save_sr(measure_mask(mask, vol, per='lesion'), vol, tmp_path/'b.dcm', seg=seg))
    part = lesions[lesions.name == 'Volume'].set_index('tracking_id')
    assert part.loc[['left kidney 1','left kidney 2']].segment.isna().all() and part.loc['tumour'].segment == '1'
    assert part.loc['left kidney 2', ['finding','laterality']].tolist() == ['Kidney','Left']


def test_classification_and_operating_points(tumours, tmp_path):
    "Each class against its own threshold; what nobody decided is not called present or absent."
    vol,_,_ = tumours
    e = lambda v: Estimate(v, v-.05, v+.05, 'Clopper-Pearson', 60)
    op = OperatingPoint(.6, 'Youden', 'Dr Example', 'validation', 120, metrics=dict(sensitivity=e(.91), specificity=e(.8)), positive='benign',
                        others=dict(malignant=OperatingPoint(.2, 'sensitivity >= 0.95', positive='malignant')))
    path = save_sr(None, vol, tmp_path, classification=dict(benign=.55, malignant=.3, other=.15), operating_point=op)
    check(path)
    said = read_sr(path, ['CODE','NUM'])
    assert said[said.name == 'Presence of property'].set_index('tracking_id').text.to_dict() == dict(benign='Absent', malignant='Present')
    assert said[said.name == 'Threshold Value'].set_index('tracking_id').value.to_dict() == dict(benign=60., malignant=20.)
    assert said[said.name == 'Certainty of Finding'].set_index('tracking_id').value.to_dict() == pytest.approx(dict(benign=55., malignant=30., other=15.))


@pytest.mark.parametrize('kind', ['PET','MR_T1'])
def test_other_units(real, tmp_path, kind):
    folder = real/'dicom'/'sarcoma'/'STS_003'/kind
    vol = load_series(folder/'image')
    mask = read_mask_file(folder/'mask'/'RS.dcm', like=vol)
    path = save_sr(measure_mask(mask, vol), vol, tmp_path, seg=save_seg(mask, vol, tmp_path/'seg'))
    check(path)
    back = read_sr(path).set_index('derivation')
    expected = dict(PET=('SUVbw','g/ml{SUVbw}'), MR_T1=('MR signal intensity','1'))
    assert (back.name['Mean'], back.unit['Mean']) == expected[kind]


def test_poor_headers_do_not_make_poor_files(tmp_path):
    "Sources without patient, study details or frame of reference, values that are not allowed, names in Unicode; a radiograph without a place."
    write_dicom(Volume(np.zeros((4,16,16), np.int16), grid((4,16,16)), 'HU'), tmp_path/'ct')
    impoverish(tmp_path/'ct')
    vol = load_series(tmp_path/'ct')
    data = np.zeros(vol.shape, np.uint8); data[1:3,4:9,4:9] = 1
    table = measure_mask(vol.like(data, 'label', {1:'Läsion des linken, sehr langen Namens'}), vol)
    for plane in (None,'sagittal'):
        path = save_sr(table if plane is None else measure_mask(vol.like(data, 'label', {1:'x'}), vol, plane=plane), vol, tmp_path/f'{plane}.dcm', classification={'a\\b': .5})
        check(path)
        assert read_sr(path).set_index('name').value['Volume'] == table.volume_ml[0]


def test_a_radiograph(tmp_path):
    "One picture: a probability and an area, no volume."
    write_dicom(Volume(np.zeros((1,40,30), np.uint16), np.diag([1,.2,.2,1]), 'a.u.'), tmp_path/'cr')
    vol = load_series(next((tmp_path/'cr').rglob('*.dcm')))
    data = np.zeros(vol.shape, np.uint8); data[0,5:15,5:25] = 1
    path = save_sr(measure_mask(vol.like(data, 'label', {1:'opacity'}), vol), vol, tmp_path, classification=dict(pneumonia=.87))
    check(path)
    back = read_sr(path).set_index('name').value
    assert 'Volume' not in back and back['Area'] == pytest.approx(200*.04) and back['Certainty of Finding'] == 87.
