"Structure sets as others read them: radnb's reader, rt-utils, shapely, dciodvfy, dcmtk; on masks of every shape and images of every orientation."
import subprocess
import numpy as np
import pydicom
import pytest
from dicom_checks import dciodvfy_errors, dcmtk_dump, impoverish
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp
from radnb.data.contours import _fill, read_mask_file
from radnb.data.dicom import load_series
from radnb.data.phantom import write_dicom
from radnb.data.volume import Volume
from radnb.share.rtstruct import _contours, save_rtstruct


def series(folder, data, spacing=(3.,1.,1.), turn=(0,0,0), tilt=0.):
    "A CT of zeros in the shape of `data`, turned by Euler angles (degrees); `tilt`: every slice slides that many mm further along its columns."
    from scipy.spatial.transform import Rotation
    m = np.eye(4)
    m[:3,:3] = Rotation.from_euler('xyz', turn, degrees=True).as_matrix()@np.array([[0,0,-1.],[0,-1,0],[1,0,0]])*spacing
    m[:3,3] = (-90,-80,-70)
    write_dicom(Volume(np.zeros(data.shape, np.int16), m, 'HU'), folder)
    for path in sorted(folder.rglob('*.dcm')) if tilt else ():
        ds = pydicom.dcmread(path)
        iop, ipp = (np.array(ds[k].value, float) for k in ('ImageOrientationPatient','ImagePositionPatient'))
        k = (ipp-m[:3,3]*(-1,-1,1))@np.cross(iop[:3], iop[3:])/spacing[0]
        ds.ImagePositionPatient = [round(float(v), 6) for v in ipp+iop[3:]*tilt*k]
        ds.save_as(path)
    return load_series(folder)


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_lines_enclose_the_mask_under_either_rule(m):
    "Even-odd and non-zero winding agree on every pixel, also with shapely's own test; no centre comes near a line."
    import shapely
    lines = _contours(m)
    np.testing.assert_array_equal(_fill(lines, m.shape) if lines else np.zeros_like(m), m)
    centres = np.argwhere(np.ones_like(m)).astype(float)
    if not lines: return
    winding, filled = np.zeros(m.size, int), np.zeros(m.size, bool)
    for line in lines:
        a,b = line, np.roll(line, -1, 0)
        y,x = centres[:,:1], centres[:,1:]
        side = (b[:,1]-a[:,1])*(y-a[:,0])-(x-a[:,1])*(b[:,0]-a[:,0])
        winding += ((a[:,0] <= y) & (b[:,0] > y) & (side < 0)).sum(1)-((a[:,0] > y) & (b[:,0] <= y) & (side > 0)).sum(1)
        filled |= shapely.contains_xy(shapely.make_valid(shapely.Polygon(line)), centres[:,0], centres[:,1])
    np.testing.assert_array_equal((winding != 0).reshape(m.shape), m)
    np.testing.assert_array_equal(filled.reshape(m.shape), m)
    apart = min(shapely.LinearRing(line).distance(shapely.MultiPoint(centres)) for line in lines)
    assert apart > .33


@pytest.mark.parametrize('patient', ['STS_001','STS_002','STS_003','STS_010'])
@pytest.mark.parametrize('kind', ['CT','PET','MR_T1'])
def test_clinical_contours_survive(real, tmp_path, patient, kind):
    "Contours of a clinic -> mask -> our contours -> the same mask, the publisher's; and a hole made in it stays a hole."
    folder = real/'dicom'/'sarcoma'/patient
    image = load_series(folder/kind/'image')
    mask = read_mask_file(folder/kind/'mask'/'RS.dcm', like=image)
    theirs = Volume.from_nifti(folder/'reference_mask_nifti'/f'{kind}_mask.nii.gz', mask=True).reorient(mask.axcodes)
    path = save_rtstruct(mask, image, tmp_path, types=dict.fromkeys(mask.names.values(), 'GTV'))
    np.testing.assert_array_equal(read_mask_file(path, like=image).data > 0, theirs.data > 0)
    assert dciodvfy_errors(path) == []


@pytest.fixture
def tumour(real):
    "A clinic's tumour on MR with two holes made in it: (folder of the images, image, mask)."
    folder = real/'dicom'/'sarcoma'/'STS_003'/'MR_T1'
    image = load_series(folder/'image')
    data = (read_mask_file(folder/'mask'/'RS.dcm', like=image).data > 0).astype(np.uint8)
    at = np.argwhere(data); k = int(np.median(at[:,0])); i,j = at[at[:,0] == k].mean(0).astype(int)[1:]
    data[k,i,j] = data[k,i+2:i+4,j-1] = 0
    return folder/'image', image, image.like(data, 'label', {1:'tumour'})


def test_rt_utils_reads_the_same_voxels(tumour, tmp_path):
    "It rounds corners to pixels and fills with OpenCV, edges included."
    rt_utils = pytest.importorskip('rt_utils')
    folder,image,mask = tumour
    path = save_rtstruct(mask, image, tmp_path)
    found = np.moveaxis(rt_utils.RTStructBuilder.create_from(str(folder), str(path)).get_roi_mask_by_name('tumour'), 2, 0)
    square = tuple(slice(0, min(a, b)) for a,b in zip(found.shape, mask.shape))      # it takes every image to be square
    assert mask.data.sum() == mask.data[square].sum()
    found = min((found[square], found[::-1][square]), key=lambda f: (f != mask.data[square]).sum())
    np.testing.assert_array_equal(found, mask.data[square] > 0)


def test_plastimatch_reads_the_same_voxels(tumour, tmp_path, tool):
    folder,image,mask = tumour
    path = save_rtstruct(mask, image, tmp_path)
    subprocess.run([tool('plastimatch'), 'convert', '--input', path, '--referenced-ct', folder, '--output-prefix', tmp_path/'out', '--prefix-format', 'nii.gz'],
                   check=True, capture_output=True, timeout=60)
    found = Volume.from_nifti(next((tmp_path/'out').glob('*.nii.gz')), mask=True).reorient(image.axcodes)
    np.testing.assert_array_equal(found.data > 0, mask.data > 0)


@pytest.mark.parametrize('turn,tilt', [((0,0,0),0.), ((0,0,0),1.3), ((90,0,0),0.), ((0,90,0),0.), ((20,-35,10),0.), ((20,-35,10),-.9)])
def test_stacks_of_every_orientation(tmp_path, turn, tilt):
    "Axial, tilted gantry, coronal, sagittal, oblique, oblique and tilted; several labels, holes, single voxels, the corners of the image."
    rng = np.random.default_rng(0)
    data = rng.choice(4, (5,12,14), p=(.3,.4,.2,.1)).astype(np.uint8)
    data[0] = 0; data[3,0,0] = data[4,11,13] = 3
    vol = series(tmp_path/'ct', data, (3.,.7,.9), turn, tilt)
    assert abs(vol.voxel_ml*1000-3*.7*.9) < 1e-3 and (abs(vol.spacing[0]-3) > .1) == (tilt != 0)
    mask = vol.like(data, 'label', {1:'liver', 2:'tumour', 3:'crumbs'})
    path = save_rtstruct(mask, vol, tmp_path)
    np.testing.assert_array_equal(read_mask_file(path, like=vol).data, data)
    assert dciodvfy_errors(path) == [] and 'RT Structure Set' in dcmtk_dump(path, 'drtdump')
    ds = pydicom.dcmread(path)
    uids = {s.SOPInstanceUID: s for s in map(pydicom.dcmread, vol.meta['paths'])}
    for roi in ds.ROIContourSequence:
        for c in roi.ContourSequence:                                # each line lies in the plane of the image it names
            src = uids[c.ContourImageSequence[0].ReferencedSOPInstanceUID]
            normal = np.cross(src.ImageOrientationPatient[:3], src.ImageOrientationPatient[3:])
            assert np.abs((np.reshape(c.ContourData, (-1,3)).astype(float)-np.array(src.ImagePositionPatient, float))@normal).max() < 1e-3


def test_poor_headers_do_not_make_poor_files(tmp_path):
    "Sources without patient, study details or frame of reference, and one with values that are not allowed."
    series(tmp_path/'ct', np.zeros((4,16,16)))
    impoverish(tmp_path/'ct')
    vol = load_series(tmp_path/'ct')
    data = np.zeros(vol.shape, np.uint8); data[1:3,4:9,4:9] = 1
    path = save_rtstruct(vol.like(data, 'label', {1:'läsion'}), vol, tmp_path)
    assert dciodvfy_errors(path) == []
    back = read_mask_file(path, like=vol)
    np.testing.assert_array_equal(back.data, data)
    assert back.names == {1:'läsion'}


def test_a_long_line_needs_no_short_length(tmp_path):
    "A contour of more than 64 KB of text, which an explicit length could not hold."
    vol = series(tmp_path/'ct', np.zeros((2,160,160)))
    data = np.zeros(vol.shape, np.uint8); data[0] = np.random.default_rng(0).random((160,160)) < .9     # one part with thousands of holes
    path = save_rtstruct(vol.like(data, 'label', {1:'sieve'}), vol, tmp_path)
    np.testing.assert_array_equal(read_mask_file(path, like=vol).data, data)
    assert max(len(c.ContourData) for c in pydicom.dcmread(path).ROIContourSequence[0].ContourSequence)*8 > 65536
