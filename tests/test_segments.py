"Segmentations, contours, parametric maps and reports against other people's readers: highdicom, dcmqi's NRRDs, publishers' masks, matplotlib, shapely, dsrdump."
import copy, io, re, subprocess, warnings
from collections import Counter
from pathlib import Path
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings, strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from radnb.core import BadInput, GeometryError, NotOneVolume, RadnbError, UnreadableFile
from radnb.data._examples import circle, dataset, save, structure_set
from radnb.data.contours import _area, _fill, _inside, _on_line, list_rois, read_contours, read_mask_file, read_rtstruct
from radnb.data.dicom import load_series
from radnb.data.parametric import read_parametric, read_value_maps
from radnb.data.phantom import write_dicom
from radnb.data.quantity import apply_map
from radnb.data.segments import _describe, read_seg
from radnb.data.sr import read_sr
from radnb.data.volume import Volume, same_grid

LPS = np.diag([-1,-1,1,1.])

def quiet(f, *args, **kw):
    "The result and the warnings."
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        out = f(*args, **kw)
    return out, ' | '.join(str(w.message) for w in said if w.category is UserWarning)

def affine(spacing, turn=(0,0,0), tilt=0., origin=(-90,-80,-70)):
    "Axial, turned by Euler angles (degrees); `tilt`: the slices slide that many mm a slice along the rows' direction."
    from scipy.spatial.transform import Rotation
    m = np.eye(4)
    m[:3,:3] = Rotation.from_euler('xyz', turn, degrees=True).as_matrix()@np.array([[0,0,-1.],[0,-1,0],[1,0,0]])*spacing
    m[:3,0] += m[:3,1]/np.linalg.norm(m[:3,1])*tilt
    m[:3,3] = origin
    return m

# ---------------------------------------------------------------- SEG

SEGS = ['dcmqi/segmentations/liver.dcm', 'dcmqi/segmentations/partial_overlaps.dcm', 'dcmqi/segmentations/23x38x3/seg/label.seg', 'dcmqi/segmentations/24x38x3/seg/label.seg',
        'dcmqi/segmentations/sparse-labelmap-noppv.dcm', 'dcmqi/sr-example/seg.dcm', 'highdicom/seg_image_ct_binary.dcm', 'highdicom/seg_image_ct_binary_overlap.dcm',
        'highdicom/seg_image_ct_binary_fractional.dcm', 'highdicom/seg_image_ct_true_fractional.dcm', 'highdicom/seg_image_ct_binary_single_frame.dcm']

@pytest.mark.parametrize('name', SEGS)
def test_seg_agrees_with_highdicom(real, name):
    "Every segment's voxels, in place, and colours; probabilities too."
    import highdicom as hd
    file = real/'dicom'/'objects'/name
    seg = hd.seg.segread(file)
    theirs = seg.get_volume(rescale_fractional=True, allow_missing_positions=True)
    fractional = seg.segmentation_type.value == 'FRACTIONAL'
    numbers = [n for n in seg.segment_numbers if n]
    grid = Volume(np.zeros(theirs.array.shape[:3]), LPS@theirs.affine)
    for like in (None, grid):
        ours = read_seg(file, like, overlap='separate', fractional=fractional)
        assert list(ours) == numbers
        for i,n in enumerate(seg.segment_numbers):
            if not n: continue
            v = ours[n] if like is not None else read_mask_volume(ours[n], grid)
            got = v.data if fractional else v.data == n
            np.testing.assert_allclose(got, theirs.array[...,i], atol=1e-6)

def read_mask_volume(mask, grid):
    "`mask` on `grid`, through its millimetres only: no code of the reader under test."
    out = np.zeros(grid.shape, mask.data.dtype)
    at = np.argwhere(mask.data != 0)
    where = grid.index(mask.physical(at))
    assert np.abs(where-np.rint(where)).max(initial=0) < .01
    out[tuple(np.rint(where).astype(int).T)] = mask.data[tuple(at.T)]
    return Volume(out, grid.affine, mask.unit)

NRRDS = [('liver.dcm', 'liver_seg.nrrd'), ('23x38x3/seg/label.seg', '23x38x3/nrrd/label.nrrd'), ('24x38x3/seg/label.seg', '24x38x3/nrrd/label.nrrd'),
         ('partial_overlaps.dcm', 'partial_overlaps-1.nrrd'), ('partial_overlaps.dcm', 'partial_overlaps-2.nrrd'), ('partial_overlaps.dcm', 'partial_overlaps-3.nrrd'),
         ('sparse-labelmap-noppv.dcm', 'sparse_labelmap_noppv_seg.nrrd'), ('sparse-labelmap-ppv5.dcm', 'sparse_labelmap_ppv5_seg.nrrd')]

@pytest.mark.parametrize('seg,nrrd', NRRDS)
def test_seg_agrees_with_dcmqi(real, seg, nrrd):
    "The masks that dcmqi's own converter gives for the same files (its padding label 5 is nobody's segment)."
    import SimpleITK as sitk
    folder = real/'dicom'/'objects'/'dcmqi'/'segmentations'
    img = sitk.ReadImage(str(folder/nrrd))
    m = np.eye(4); m[:3,:3] = (np.array(img.GetDirection()).reshape(3,3)*img.GetSpacing())[:, ::-1]; m[:3,3] = img.GetOrigin()
    theirs = Volume(sitk.GetArrayFromImage(img), LPS@m)
    ours = read_seg(folder/seg, like=Volume(np.zeros(theirs.shape), theirs.affine), overlap='separate')
    for n in set(np.unique(theirs.data))-{0}:
        if n in ours: np.testing.assert_array_equal(ours[n].data == n, theirs.data == n)
        else: assert n == 5 and 'ppv5' in seg

def tilt_gantry(files, mm):
    "Let each slice slide `mm` further along its columns than the one before."
    for k,f in enumerate(files):
        ds = pydicom.dcmread(f)
        ds.ImagePositionPatient = [float(p)+k*mm*float(d) for p,d in zip(ds.ImagePositionPatient, ds.ImageOrientationPatient[3:])]
        ds.save_as(f)

@pytest.fixture(scope='module')
def oblique(tmp_path_factory):
    "Images in several planes, each with a SEG of two overlapping segments written by highdicom: name to (folder, SEG file, truth, image)."
    import highdicom as hd
    from pydicom.sr.codedict import codes
    how = hd.AlgorithmIdentificationSequence('test', codes.cid7162.ManualProcessing, '1')
    segments = [hd.seg.SegmentDescription(n, name, codes.SCT.Organ, codes.SCT.Liver, 'MANUAL', how, display_color=hd.color.CIELabColor.from_rgb(200,30*n,90))
                for n,name in ((1,'one'),(2,'two'))]
    out = {}
    for name,m in {'axial': affine((3,.8,.8)), 'sagittal': affine((1.2,1,1), (0,-90,0)), 'oblique': affine((2.5,.7,.7), (17,-23,41)), 'tilted': affine((5,.9,.9))}.items():
        rng = np.random.default_rng(0)
        vol = Volume(rng.integers(-500, 500, (7,20,24)).astype(np.int16), m, 'HU')
        folder = tmp_path_factory.mktemp(name)
        files = write_dicom(vol, folder/'ct', patient_id='SYNTHETIC')
        if name == 'tilted': tilt_gantry(files, 1.7)
        truth = np.zeros((7,20,24,2), np.uint8); truth[2:5,4:12,3:9,0] = 1; truth[4:6,8:16,6:20,1] = 1   # slices 0, 1 and 6 stay empty
        seg = hd.seg.Segmentation([pydicom.dcmread(f) for f in files], truth, 'BINARY', segments, hd.UID(), 2, hd.UID(), 1, 'radnb', 'test', '1', '0')
        seg.save_as(folder/'seg.dcm')
        out[name] = folder, folder/'seg.dcm', truth, load_series(folder/'ct')
    return out

@pytest.mark.parametrize('plane', ['axial','sagittal','oblique','tilted'])
def test_seg_of_any_plane(oblique, plane):
    folder, file, truth, vol = oblique[plane]
    for like in (vol, vol.reorient('RAS'), vol.reorient('IPR')):
        each = read_seg(file, like, overlap='separate')
        for n in (1,2): np.testing.assert_array_equal(each[n].reorient(vol.axcodes).data == n, truth[...,n-1] > 0)
    alone = read_seg(file, overlap='separate')
    for n in (1,2): np.testing.assert_array_equal(read_mask_volume(alone[n], vol).data == n, truth[...,n-1] > 0)
    mask,said = quiet(read_seg, file, vol)
    assert f'{(truth.all(-1)).sum()} voxels belong to several: one and two' in said
    np.testing.assert_array_equal(mask.data, np.where(truth[...,1], 2, truth[...,0]))
    assert [s['color'] for s in mask.meta['segments']] == [(200,30,90),(200,60,90)] and mask.meta['segments'][0]['type_code'] == 'SCT:10200004'

def test_seg_on_part_of_its_image(oblique):
    _, file, truth, vol = oblique['oblique']
    part = vol.crop((1,2,2), (6,18,22))
    np.testing.assert_array_equal(read_seg(file, part, segments='two').data > 0, truth[1:6,2:18,2:22,1] > 0)
    with pytest.raises(GeometryError, match='lie outside the image'): read_seg(file, vol.crop((0,0,0), (7,20,8)))

def test_seg_between_slices(oblique):
    "Half a slice off: refused, or resampled on request."
    _, file, truth, vol = oblique['axial']
    shifted = Volume(vol.data, vol.affine, vol.unit, {'paths': []}); shifted.affine[:3,3] += vol.affine[:3,0]*.4
    with pytest.raises(GeometryError, match='slice -?[0-9.]+, row'): read_seg(file, shifted)
    moved = read_seg(file, shifted, segments=1, resample=True)
    np.testing.assert_array_equal(moved.data, truth[...,0])   # the nearest slice is the same one
    assert same_grid(moved, shifted) and moved.names == {1: 'one'}

@pytest.mark.parametrize('keep', ['uid', 'neither'])
def test_seg_frames_that_only_name_their_image(oblique, tmp_path, keep):
    _, file, truth, vol = oblique['oblique']
    ds = pydicom.dcmread(file)
    for g in ds.PerFrameFunctionalGroupsSequence:
        del g.PlanePositionSequence
        if keep == 'neither': del g.DerivationImageSequence
    ds.save_as(tmp_path/'s.dcm')
    if keep == 'neither':
        with pytest.raises(GeometryError, match='neither where they lie nor'): read_seg(tmp_path/'s.dcm', vol)
    else: np.testing.assert_array_equal(read_seg(tmp_path/'s.dcm', vol, segments=1).data, truth[...,0])

def test_seg_of_an_uneven_stack(oblique, tmp_path):
    "Slices missing, stacked as they are: frames find their slice by its own position."
    folder, file, truth, vol = oblique['axial']
    files = [f for n,f in enumerate(vol.meta['paths']) if n != 1]
    stack = load_series(files, regular='as-is')
    np.testing.assert_array_equal(read_seg(file, stack, segments=1).data, truth[[0,2,3,4,5,6],...,0])

def test_contours_on_an_uneven_stack(oblique, tmp_path):
    folder, _, _, vol = oblique['axial']
    file = save(structure_set(vol, {'a': [circle(k, (9,9), 3+k/2) for k in range(7)]}), tmp_path/'r.dcm')
    stack = load_series([f for n,f in enumerate(vol.meta['paths']) if n not in (1,2)], regular='as-is')
    whole,_ = quiet(read_rtstruct, file, vol)
    got,_ = quiet(read_rtstruct, file, stack)
    np.testing.assert_array_equal(got.data, whole.data[[0,3,4,5,6]])

def test_seg_of_a_multiframe_image(real):
    for size in ('23x38x3','24x38x3'):
        folder = real/'dicom'/'objects'/'dcmqi'/'segmentations'/size
        slices = read_seg(folder/'seg'/'label.seg', load_series(folder/'image'))
        frames = read_seg(folder/'seg'/'label.seg', load_series(folder/'multiframe'/'mf.dcm'))
        np.testing.assert_array_equal(slices.data, frames.data)
        assert slices.data.any()

def test_seg_of_a_radiograph(real):
    file = real/'dicom'/'objects'/'highdicom'/'seg_image_cr_binary.dcm'
    mask = read_seg(file)
    np.testing.assert_array_equal(mask.data[0], pydicom.dcmread(file).pixel_array)
    film = Volume(np.zeros((1,16,16)), np.diag([-1,.2,.2,1]))
    np.testing.assert_array_equal(read_seg(file, film).data, mask.data)
    with pytest.raises(GeometryError, match='not one picture'): read_seg(file, Volume(np.zeros((3,16,16))))

def test_seg_compressed_and_broken(oblique, tmp_path):
    _, file, truth, vol = oblique['axial']
    ds = pydicom.dcmread(file)
    cut = copy.deepcopy(ds); cut.PixelData = cut.PixelData[:-200]; cut.save_as(tmp_path/'cut.dcm')
    with pytest.raises(UnreadableFile, match='bytes of its frames are missing'): read_seg(tmp_path/'cut.dcm', vol)
    twice = copy.deepcopy(ds)
    for g in twice.PerFrameFunctionalGroupsSequence: g.PlanePositionSequence = ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    twice.save_as(tmp_path/'twice.dcm')
    with pytest.raises(NotOneVolume, match='over time'): read_seg(tmp_path/'twice.dcm', vol)
    bare = copy.deepcopy(ds); del bare.SegmentSequence; bare.save_as(tmp_path/'bare.dcm')
    with pytest.raises(UnreadableFile, match='missing or broken'): read_seg(tmp_path/'bare.dcm', vol)

def test_label_map_and_rle(oblique, tmp_path):
    "A label map, as it is and RLE-compressed, is the same as the binary segmentation where nothing overlaps."
    import highdicom as hd
    from pydicom.sr.codedict import codes
    folder, _, truth, vol = oblique['sagittal']
    labels = np.where(truth[...,1], 2, truth[...,0]).astype(np.uint8)
    how = hd.AlgorithmIdentificationSequence('test', codes.cid7162.ManualProcessing, '1')
    described = [hd.seg.SegmentDescription(n, name, codes.SCT.Organ, codes.SCT.Liver, 'MANUAL', how) for n,name in ((1,'one'),(2,'two'))]
    for syntax in (ExplicitVRLittleEndian, pydicom.uid.RLELossless):
        seg = hd.seg.Segmentation([pydicom.dcmread(f) for f in vol.meta['paths']], labels, 'LABELMAP', described, hd.UID(), 2, hd.UID(), 1, 'radnb', 'test', '1', '0',
                                  transfer_syntax_uid=syntax)
        seg.save_as(tmp_path/'l.dcm')
        np.testing.assert_array_equal(read_seg(tmp_path/'l.dcm', vol).data, labels)
        np.testing.assert_array_equal(read_seg(tmp_path/'l.dcm', vol, segments='two').data, (labels == 2)*2)

def test_labels_that_nobody_describes(real, oblique, tmp_path):
    file = real/'dicom'/'objects'/'dcmqi'/'segmentations'/'sparse-labelmap-noppv.dcm'
    ds = pydicom.dcmread(file)
    ds.PixelData = bytes(7 if b else 0 for b in ds.PixelData); ds.save_as(tmp_path/'seven.dcm')
    with pytest.raises(BadInput, match=r'labels that it does not describe: \[7\]'): read_seg(tmp_path/'seven.dcm')
    assert not read_seg(tmp_path/'seven.dcm', segments='Liver').data.any()
    ds.add_new('PixelPaddingValue', 'US', 7); ds.save_as(tmp_path/'padding.dcm')
    assert not read_seg(tmp_path/'padding.dcm').data.any()
    ds = pydicom.dcmread(oblique['axial'][1])
    ds.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9; ds.save_as(tmp_path/'nine.dcm')
    with pytest.raises(BadInput, match=r'segments that it does not describe: \[9\]'): read_seg(tmp_path/'nine.dcm')

def test_slides_are_refused_and_palettes_read(real):
    folder = real/'dicom'/'objects'/'highdicom'
    with pytest.raises(BadInput, match='microscopy slide'): read_seg(folder/'seg_image_sm_dots.dcm')
    ds = pydicom.dcmread(folder/'seg_image_sm_control_labelmap_palette_color.dcm')
    for s in _describe(ds): assert s['color'] == tuple(pydicom.pixels.apply_color_lut(np.array([[s['number']]], np.uint8), ds)[0,0])

def test_wrong_frame_of_reference(real):
    objects = real/'dicom'/'objects'/'dcmqi'/'segmentations'
    with pytest.raises(GeometryError, match='another frame of reference'): read_seg(objects/'liver.dcm', load_series(objects/'24x38x3'/'image'))
    sarcoma = real/'dicom'/'sarcoma'
    with pytest.raises(GeometryError, match='another frame of reference'): read_rtstruct(sarcoma/'STS_002'/'CT'/'mask'/'RS.dcm', load_series(sarcoma/'STS_003'/'CT'/'image'))

# ---------------------------------------------------------------- RTSTRUCT

@pytest.mark.parametrize('patient', ['STS_001','STS_002','STS_003','STS_010'])
@pytest.mark.parametrize('kind', ['CT','PET','MR_T1'])
def test_contours_agree_with_the_publisher(real, patient, kind):
    "Voxel for voxel (0.5 % volume was asked for); and the volume without voxels agrees with both to the coarseness of the voxels."
    folder = real/'dicom'/'sarcoma'/patient
    mask,said = quiet(read_rtstruct, folder/kind/'mask'/'RS.dcm', load_series(folder/kind/'image'))
    theirs = Volume.from_nifti(folder/'reference_mask_nifti'/f'{kind}_mask.nii.gz', mask=True).reorient(mask.axcodes)
    assert same_grid(mask, theirs, tol_mm=.05) and not said
    np.testing.assert_array_equal(mask.data > 0, theirs.data > 0)
    assert abs(list_rois(folder/kind/'mask'/'RS.dcm').volume_ml[0]/mask.volume_ml()-1) < (.025 if kind == 'PET' else .001)

def test_a_whole_plan(real):
    "Ten regions of a breast plan on its CT slice, against matplotlib's point in polygon; areas against shapely."
    from matplotlib.path import Path as Polygon
    from shapely.geometry import Polygon as Shape
    folder = real/'dicom'/'objects'/'dicompyler_rt'
    ct = load_series(folder/'ct.0.dcm')
    masks,said = quiet(read_rtstruct, folder/'rtss.dcm', ct, overlap='separate')
    assert 'Areola: no contours in the file' in said and 'contour planes outside the image' in said
    points = read_contours(folder/'rtss.dcm', like=ct)
    k,i,j = np.meshgrid(*(np.arange(n) for n in ct.shape), indexing='ij')
    for m in masks.values():
        name, = m.names.values()
        here = points[(points.name == name) & (points['slice'].abs() < .5)]
        want = np.zeros(ct.shape, bool)
        for _,c in here.groupby('contour'): want[0] ^= Polygon(c[['row','column']].values).contains_points(np.c_[i.ravel(), j.ravel()]).reshape(ct.shape[1:])
        assert want.any() == (m.data > 0).any()
        assert np.count_nonzero(want != (m.data > 0)) <= 2, name   # centres exactly on a line may differ
    table = list_rois(folder/'rtss.dcm').set_index('name')
    for name in ('Heart','Tumor Bed'):
        area = sum(Shape(c[['x','y']].values).area for _,c in points[points.name == name].groupby('contour'))
        np.testing.assert_allclose(table.volume_ml[name], area*3/1000, rtol=1e-6)

def test_known_files(real):
    patient = list_rois(get_testdata_file('rtstruct.dcm')).set_index('name')
    assert patient.volume_ml['patient'] == pytest.approx(400*300*30/1000) and patient.kinds['Isocenter 1'] == 'POINT'
    folder = real/'dicom'/'objects'/'rt_utils'
    ct = load_series([folder/'mock_data'/'ct_1.dcm', folder/'mock_data'/'ct_2.dcm'])
    for name in ('invalid_reference_rt','non_existent_reference_rt'):   # it names images that are not there; its millimetres are right all the same
        mask,said = quiet(read_rtstruct, folder/'mock_data'/f'{name}.dcm', ct)
        assert said.count('1 contour planes outside the image') == 4 and set(mask.names.values()) == {'ROI-1','ROI-2','ROI-3','ROI-4'}
    mask,_ = quiet(read_rtstruct, folder/'mock_data'/'rt.dcm', ct)   # a frame of reference of its own, but it names the series
    assert mask.data.any()

def test_the_frame_that_a_region_names(real):
    "A structure set on two scans: a region belongs to the scan whose frame of reference it names, not to the other one listed."
    folder = real/'dicom'/'objects'/'rt_utils'/'mock_data'
    ct = load_series([folder/'ct_1.dcm', folder/'ct_2.dcm'])
    ds = pydicom.dcmread(folder/'rt.dcm')
    ours,other = ds.ReferencedFrameOfReferenceSequence[0], dataset(dict(FrameOfReferenceUID='1.2.3'))
    ds.ReferencedFrameOfReferenceSequence = [other, ours]
    ds.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = '1.2.3'
    out = io.BytesIO(); ds.save_as(out); out.seek(0)
    with pytest.raises(GeometryError, match='ROI ROI-1 was drawn in another frame'): read_rtstruct(out, ct)

def random_region(rng, n=9, holes=2, size=40):
    "A star-shaped polygon with star-shaped holes around the same centre, and perhaps an island in them."
    out, r = [], rng.uniform(.35, .48)*size
    for _ in range(holes+1):
        t = np.sort(rng.uniform(0, 2*np.pi, n)); radius = r*rng.uniform(.8, 1, n)
        out.append(np.c_[size/2+radius*np.sin(t), size/2+radius*np.cos(t)]); r *= .5
    return out

@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32-1), holes=st.integers(0, 3), n=st.integers(3, 40))
def test_fill_against_other_libraries(seed, holes, n):
    "Random polygons with holes: matplotlib for the voxels, shapely for the area, and our own two ways of asking."
    from matplotlib.path import Path as Polygon
    rng = np.random.default_rng(seed)
    polygons = random_region(rng, n, holes)
    points = np.argwhere(np.ones((40,41)))
    want = np.bitwise_xor.reduce([Polygon(p).contains_points(points) for p in polygons])
    mine = _fill(polygons, (40,41))
    np.testing.assert_array_equal(mine.ravel(), want)
    np.testing.assert_array_equal(_inside(points.astype(float), polygons), want)
    assert mine.sum() == sum(_fill([p], (40,41)).sum()*(-1)**i for i,p in enumerate(polygons)) or not nested(polygons)

def nested(polygons):
    from shapely.geometry import Polygon
    shapes = [Polygon(p) for p in polygons]
    return all(s.is_valid for s in shapes) and all(a.contains(b) for a,b in zip(shapes, shapes[1:]))

@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32-1))
def test_area_against_shapely(seed):
    from shapely.geometry import Polygon
    polygons = random_region(np.random.default_rng(seed), 12, 2)
    if nested(polygons):
        outer,hole,island = (Polygon(p).area for p in polygons)
        assert _area(polygons) == pytest.approx(outer-hole+island)

@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32-1))
def test_neighbours_share_no_voxel(seed):
    "A polygon with corners on voxel centres, cut in two along any line: each voxel belongs to exactly one part."
    rng = np.random.default_rng(seed)
    box = np.array([[2,2],[2,30],[25,30],[25,2.]])
    a,b = rng.integers(3, 29, 2)
    left,right = np.array([[2,2],[2,a],[25,b],[25,2.]]), np.array([[2,a],[2,30],[25,30],[25,b]])
    assert not (_fill([left], (40,40)) & _fill([right], (40,40))).any()
    np.testing.assert_array_equal(_fill([left], (40,40)) | _fill([right], (40,40)), _fill([box], (40,40)))
    closed = _fill([box], (40,40)) | _on_line([box], (40,40))
    assert closed.sum() == 24*29

def ball_contours(vol, center, radius):
    "Circles of a ball in the slices of `vol` (equal pixel spacing), in voxels."
    step = vol.spacing
    normal = np.cross(vol.affine[:3,1], vol.affine[:3,2]); normal /= np.linalg.norm(normal)
    out = []
    for k in range(vol.shape[0]):
        foot = vol.physical((k,0,0)); d = (np.asarray(center)-foot)@normal
        if abs(d) < radius*.995: out.append(circle(k, vol.index(center-d*normal)[1:], np.sqrt(radius**2-d**2)/step[1]))
    return out

@pytest.mark.parametrize('plane,turn,tilt', [('axial',(0,0,0),0), ('sagittal',(0,-90,0),0), ('oblique',(17,-23,41),0), ('tilted',(0,0,0),1.1)])
def test_ball_in_any_plane(tmp_path, plane, turn, tilt):
    "The volume of a ball, contoured in one plane, asked for on that image, on the image reoriented, and on an axial one."
    m = affine((2,.8,.8), turn, tilt, (0,0,0)); m[:3,3] = -m[:3,:3]@[19.5,39.5,39.5]
    vol = Volume(np.zeros((40,80,80), np.int8), m)
    center, radius = np.array([1.3,-2.1,.7]), 21.
    file = save(structure_set(vol, {'ball': ball_contours(vol, center, radius)}), tmp_path/'ball.dcm')
    true = 4/3*np.pi*radius**3/1000
    own,said = quiet(read_rtstruct, file, vol)
    assert not said and abs(own.volume_ml()/true-1) < .006
    assert abs(list_rois(file).volume_ml[0]/true-1) < .006
    for codes in ('RAS','IPR'):
        back = quiet(read_rtstruct, file, vol.reorient(codes))[0].reorient(own.axcodes)
        assert 2*(back.data & own.data).sum()/(back.data.sum()+own.data.sum()) > .9995
    axial = Volume(np.zeros((60,60,60), np.int8), affine((1,1,1), origin=(30,30,-30)))
    got,_ = quiet(read_rtstruct, file, axial, reach=1.)   # contours every 2 mm
    truth = np.linalg.norm(axial.physical(np.moveaxis(np.indices((60,60,60)), 0, -1))-center, axis=-1) <= radius
    assert abs(got.volume_ml()/true-1) < .01
    assert 2*(truth & (got.data > 0)).sum()/(truth.sum()+(got.data > 0).sum()) > .97

def test_dense_contours_do_not_cancel(tmp_path):
    "Contours every 0.5 mm on slices of 2 mm: each slice takes the nearest plane, and nothing becomes a ring."
    fine = Volume(np.zeros((80,40,40)), affine((.5,1,1), origin=(0,0,0)))
    file = save(structure_set(fine, {'node': [circle(k, (20,20), 10) for k in range(20, 60)]}), tmp_path/'r.dcm')
    coarse = Volume(np.zeros((20,40,40)), affine((2,1,1), origin=(0,0,0)))
    mask,said = quiet(read_rtstruct, file, coarse)
    assert '29 contour planes between slices, another one being nearer' in said   # of 10.0, 10.5, ... 29.5 mm; slices at 0, 2, 4, ... mm
    assert mask.data.sum(axis=(1,2)).tolist() == [0]*5+[_fill([circle(0, (20,20), 10)[:,1:]], (40,40)).sum()]*11+[0]*4

def test_holes_and_repeats(tmp_path):
    vol = Volume(np.zeros((5,60,60)), affine((3,1,1)))
    outer,hole = circle(2, (30,30), 20.2), circle(2, (30,30), 9.1)
    keyhole = np.concatenate([outer, outer[:1], hole[:1], hole[::-1]])
    ring = np.pi*(20.2**2-9.1**2)
    for contours in ([outer,hole], [keyhole], [outer,hole[::-1]], [outer,outer,hole]):
        mask,said = quiet(read_rtstruct, save(structure_set(vol, {'wall': contours}), tmp_path/'r.dcm'), vol)
        assert abs(mask.data.sum()/ring-1) < .01
        assert ('stored twice' in said) == (len(contours) == 3)
    _,said = quiet(read_rtstruct, save(structure_set(vol, {'two': [outer, outer+[0,5,0]]}), tmp_path/'r.dcm'), vol)
    assert 'contours that cross: the overlap is left out' in said
    _,said = quiet(read_rtstruct, save(structure_set(vol, {'cut': [outer+[0,20,0]]}), tmp_path/'r.dcm'), vol)
    assert 'beyond the image' in said

def test_round_trip_through_rt_utils(real, tmp_path, monkeypatch):
    "rt_utils draws lines through voxel centres: with on_line=True its masks come back whole, holes included."
    RTStructBuilder = pytest.importorskip('rt_utils').RTStructBuilder
    monkeypatch.chdir(tmp_path)
    vol = Volume(np.zeros((4,64,64), np.int16), affine((3,.9,.9)), 'HU')
    write_dicom(vol, tmp_path/'ct', patient_id='SYNTHETIC')
    ct = load_series(tmp_path/'ct')
    truth = np.zeros(ct.shape, bool); truth[1:3,10:40,12:50] = True; truth[1:3,20:30,20:35] = False; truth[2,50:55,50:55] = True
    rt = RTStructBuilder.create_new(dicom_series_path=str(tmp_path/'ct'))
    rt.add_roi(mask=np.moveaxis(truth, 0, -1), name='organ')
    rt.save(str(tmp_path/'rs.dcm'))
    whole,said = quiet(read_rtstruct, tmp_path/'rs.dcm', ct, on_line=True)
    np.testing.assert_array_equal(whole.data > 0, truth)
    less,said = quiet(read_rtstruct, tmp_path/'rs.dcm', ct)
    assert 'on_line=True counts them' in said and less.data.sum() < truth.sum()

def test_a_stray_point_far_away(tmp_path):
    "Coordinates of a million kilometres neither hang nor fill the memory."
    vol = Volume(np.zeros((4,40,40)), affine((3,1,1), origin=(20,20,0)))
    far,square = circle(1, (20,20), 8), np.array([[1,10,10],[1,10,20],[1,20,20],[1,20,10.]])
    far[5,1:] = 1e12, -1e12
    wide = (square-[0,15,0])*(1,1e11,1)
    for contours in ([far], [square, far, far+[0,1,0]], [wide, wide+[0,0,3]]):
        for on_line in (False, True):
            mask,said = quiet(read_rtstruct, save(structure_set(vol, {'a': contours}), tmp_path/'far.dcm'), vol, on_line=on_line)
            assert 'beyond the image' in said

def broken_plans(vol):
    good = lambda: structure_set(vol, {'a': [circle(1, (20,20), 8)]})
    def contour(ds): return ds.ROIContourSequence[0].ContourSequence[0]
    ds = good(); contour(ds).ContourData = list(contour(ds).ContourData)[:-2]; yield 'cut', ds, UnreadableFile, '358 coordinates for 120 points'
    ds = good(); contour(ds).NumberOfContourPoints = 100; yield 'count', ds, UnreadableFile, 'for 100 points'
    ds = good(); contour(ds).ContourData = ['nan','1','2']*120; yield 'nan', ds, UnreadableFile, 'ROI a, contour 1'
    ds = good(); del ds.StructureSetROISequence; yield 'empty', ds, BadInput, 'lists no ROI'
    ds = good(); contour(ds).ContourData = [str(v) for v in np.random.default_rng(0).uniform(-30, 30, 360).round(3)]; yield 'wild', ds, GeometryError, 'not flat'
    ds = good(); contour(ds).ContourGeometricType = 'OPEN_PLANAR'; yield 'open', ds, GeometryError, 'points or open lines enclose nothing'
    ds = good(); ds.ROIContourSequence[0].ContourSequence = []; yield 'none', ds, None, 'no contours in the file'
    ds = good(); ds.Modality = 'RTPLAN'; yield 'plan', ds, BadInput, 'RTPLAN object is not a structure set'

def test_broken_plans(tmp_path):
    vol = Volume(np.zeros((4,40,40)), affine((3,1,1), origin=(20,20,0)))
    for name,ds,error,words in broken_plans(vol):
        file = save(ds, tmp_path/f'{name}.dcm')
        if error is None: assert words in quiet(read_rtstruct, file, vol)[1]
        else:
            with pytest.raises(error, match=words) as e: quiet(read_rtstruct, file, vol)
            assert e.value.remedy and str(file) in str(e.value)

# ---------------------------------------------------------------- parametric maps

@pytest.mark.parametrize('dtype', [np.float32, np.float64, np.uint16])
def test_parametric_maps_written_by_highdicom(oblique, tmp_path, dtype):
    import highdicom as hd
    folder, _, _, vol = oblique['oblique']
    pixels = np.random.default_rng(0).uniform(0, 4000, vol.shape).astype(dtype)
    unit,adc = hd.sr.CodedConcept('mm2/s', 'UCUM', 'square millimetre per second'), hd.sr.CodedConcept('113041', 'DCM', 'Apparent Diffusion Coefficient')
    mapping = hd.pm.RealWorldValueMapping('ADC', 'diffusion', unit, (0, 4000) if dtype == np.uint16 else (0., 4000.), slope=1e-6, intercept=.25, quantity_definition=adc)
    pm = hd.pm.ParametricMap([pydicom.dcmread(f) for f in vol.meta['paths']], pixels, hd.UID(), 3, hd.UID(), 1, 'radnb', 'test', '1', '0', contains_recognizable_visual_features=False,
                             real_world_value_mappings=[mapping], window_center=2000, window_width=4000)
    pm.save_as(tmp_path/'pm.dcm')
    got = read_parametric(tmp_path/'pm.dcm')
    assert same_grid(got, vol, tol_mm=1e-3) and got.meta['quantity'] == 'Apparent Diffusion Coefficient' and got.unit == 'mm2/s'
    np.testing.assert_allclose(got.data, pixels.astype(float)*1e-6+.25, rtol=1e-6)
    assert read_parametric(tmp_path/'pm.dcm', 'adc').shape == vol.shape
    with pytest.raises(BadInput, match='it has: ADC'): read_parametric(tmp_path/'pm.dcm', 'T2')

def test_an_adc_map_in_place(real, tmp_path):
    "dcmqi's ADC example, an oblique MR of 20 slices: as images and as a map written by highdicom, read back against the NRRD."
    import highdicom as hd
    import SimpleITK as sitk
    from pydicom.sr.codedict import codes
    img = sitk.ReadImage(str(real/'dicom'/'objects'/'dcmqi'/'paramaps'/'pm-example.nrrd'))
    m = np.eye(4); m[:3,:3] = (np.array(img.GetDirection()).reshape(3,3)*img.GetSpacing())[:, ::-1]; m[:3,3] = img.GetOrigin()
    truth = Volume(sitk.GetArrayFromImage(img), LPS@m)
    files = write_dicom(Volume(truth.data, truth.affine, 'HU'), tmp_path/'mr', patient_id='SYNTHETIC')
    mapping = hd.pm.RealWorldValueMapping('ADC', 'ADC', codes.UCUM.NoUnits, (-1e6, 1e6), slope=2., intercept=0.)
    hd.pm.ParametricMap([pydicom.dcmread(f) for f in files], truth.data.astype(np.float32), hd.UID(), 3, hd.UID(), 1, 'radnb', 'test', '1', '0', False, [mapping],
                        1, 1).save_as(tmp_path/'pm.dcm')
    got = read_parametric(tmp_path/'pm.dcm')
    assert same_grid(got, truth, tol_mm=.01) and got.data.max() > 1000
    np.testing.assert_array_equal(got.data, truth.data*2.)

def test_mapping_object_for_pet(real):
    file = real/'dicom'/'objects'/'dcmqi'/'sr-example'/'rwvm.dcm'
    suv, = read_value_maps(file)
    assert (suv['unit'], suv['first'], suv['last'], suv['quantity']) == ('{SUVbw}g/ml', 0, 32761, 'Standardized Uptake Value')
    np.testing.assert_allclose(apply_map(np.array([0,10000,32761]), suv), [0, 3.75125, 12.28947], rtol=1e-5)
    image = pydicom.dcmread(file).ReferencedImageRealWorldValueMappingSequence[0].ReferencedImageSequence[7].ReferencedSOPInstanceUID
    assert read_value_maps(file, uid=image) == [suv] and read_value_maps(file, uid='1.2.3') == []

# ---------------------------------------------------------------- structured reports

REPORTS = ['dcmqi/sr-example/sr.dcm', 'highdicom/sr_document.dcm', 'highdicom/sr_document_with_multiple_groups.dcm']

@pytest.mark.parametrize('name', REPORTS)
def test_numbers_of_reports_agree_with_dsrdump(real, tool, name):
    file = real/'dicom'/'objects'/name
    text = subprocess.run([tool('dsrdump'), '-q', file], capture_output=True, text=True, errors='replace').stdout
    theirs = Counter((meaning, float(v), unit) for meaning,v,unit in re.findall(r'NUM:\([^"]*"([^"]*)"\)="([^"]*)" \(([^,]*),', text))
    df = read_sr(file)
    short = lambda v: float(f'{v:.12g}')   # a decimal string holds fewer digits than the double beside it
    assert theirs and Counter((n, short(v), u) for n,v,u in zip(df.name, df.value, df.unit)) == Counter({(n,short(v),u): c for (n,v,u),c in theirs.items()})
    everything = read_sr(file, kinds=None)
    lines = [line for line in text.splitlines() if re.match(r'\s*<(contains|has|inferred|selected)', line)]
    assert len(everything) == len(lines)
    assert Counter(everything.kind) == Counter(re.match(r'\s*<[a-z ]+([A-Z0-9]+):', line)[1] for line in lines)

def test_context_of_measurements(real):
    folder = real/'dicom'/'objects'
    df = read_sr(folder/'highdicom'/'sr_document_with_multiple_groups.dcm').set_index('tracking_id')
    assert df.finding.dropna().to_dict() == {'LungNodule0001': 'Nodule', 'Aorta0001': 'Aorta', 'Vertebra0001': 'Vertebra'}
    assert (df.site['LungNodule0001'], df.site_code['LungNodule0001'], df.region['LungNodule0001']) == ('Lung', 'SCT:39607008', 'CIRCLE')
    assert df.group.nunique() == 4 and df.image_uids['Aorta0001'] and df.value['Vertebra0001'] == 200
    tumour = read_sr(folder/'dcmqi'/'sr-example'/'sr.dcm')
    tumour = tumour[tumour.name == 'SUVbw']
    assert tumour.derivation.tolist()[:3] == ['Mean','Minimum','Maximum'] and set(tumour.site) == {'pharyngeal tonsil (adenoid)'}
    seg = pydicom.dcmread(folder/'dcmqi'/'sr-example'/'seg.dcm', stop_before_pixels=True)
    assert set(tumour.segmentation_uid) == {str(seg.SOPInstanceUID)} and set(tumour.series_uid) == {str(seg.ReferencedSeriesSequence[0].SeriesInstanceUID)}
    assert set(tumour.value_map_uid) == {str(pydicom.dcmread(folder/'dcmqi'/'sr-example'/'rwvm.dcm').SOPInstanceUID)}

def test_other_reports():
    "pydicom's own: cross references, empty numbers, dates."
    df = read_sr(get_testdata_file('test-SR.dcm'), kinds=None)
    assert df[df.kind == 'NUM'].value.tolist() == [3,3] and '20001206' in set(df.text.dropna())
    words = read_sr(get_testdata_file('reportsi.dcm'), kinds=None)
    assert len(words) == 8 and words.path.iloc[-1] == 'Section Heading > Image Reference' and read_sr(get_testdata_file('reportsi.dcm')).empty

def test_report_nested_absurdly_deep(tmp_path):
    item = dataset(dict(ValueType='CONTAINER', RelationshipType='CONTAINS'))
    for _ in range(100):
        item, below = Dataset(), item
        item.ValueType,item.RelationshipType,item.ContentSequence = 'CONTAINER', 'CONTAINS', [below]
    item.SOPClassUID,item.SOPInstanceUID,item.Modality = '1.2.840.10008.5.1.4.1.1.88.33', generate_uid(), 'SR'
    with pytest.raises(UnreadableFile, match='nested more than 64 deep'): read_sr(save(item, tmp_path/'deep.dcm'))

# ---------------------------------------------------------------- any file, any damage

def test_any_mask_file(oblique, real, tmp_path):
    _, file, truth, vol = oblique['oblique']
    mask = read_seg(file, vol, segments=1)
    nifti = mask.reorient('LPI').crop((1,0,0), mask.reorient('LPI').shape).to_nifti(tmp_path/'m.nii.gz')
    np.testing.assert_array_equal(read_mask_file(nifti, vol).data, mask.data)
    np.testing.assert_array_equal(read_mask_file(file, vol, 'one').data, mask.data)
    half = Volume(vol.data, vol.affine); half.affine[:3,3] += .5*vol.affine[:3,1]
    with pytest.raises(GeometryError, match='row'): read_mask_file(nifti, half)
    assert read_mask_file(nifti, half, resample=True).data.any()
    with pytest.raises(GeometryError, match='outside the image'): read_mask_file(nifti, vol.crop((0,0,0), (3,20,24)))

@pytest.mark.parametrize('kind', ['seg','rtstruct','sr'])
def test_damaged_files_raise_typed_errors(oblique, real, tmp_path, kind):
    "Bytes flipped and files cut short: a result or one of radnb's own errors, nothing else."
    _, seg, _, vol = oblique['axial']
    if kind == 'seg': file, read = seg, lambda f: read_seg(f, vol)
    elif kind == 'sr': file, read = real/'dicom'/'objects'/'highdicom'/'sr_document_with_multiple_groups.dcm', lambda f: read_sr(f, kinds=None)
    else: file, read = save(structure_set(vol, {'a': [circle(2, (9,9), 5), circle(3, (9,9), 4)]}), tmp_path/'rt.dcm'), lambda f: (read_rtstruct(f, vol), list_rois(f))
    whole, rng, bad = Path(file).read_bytes(), np.random.default_rng(0), tmp_path/'bad.dcm'
    outcomes = Counter()
    for n in range(80):
        data = bytearray(whole)
        if n % 3 == 0: data = data[:rng.integers(140, len(data))]
        for _ in range(rng.integers(1, 6)): data[rng.integers(132, len(data))] = rng.integers(256)
        bad.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try: read(bad); outcomes['read'] += 1
            except RadnbError as e: outcomes[type(e).__name__] += 1; assert str(e)
    assert len(outcomes) > 1, outcomes
