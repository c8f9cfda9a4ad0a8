"Surfaces of masks against DeepMind's surface-distance (its own published cases, and random masks), MONAI and scipy."
import math
import numpy as np
import pytest
from hypothesis import given as any_given, settings, strategies as st
from radnb.measure import metrics as M

def given(*a): return lambda f: settings(deadline=None, max_examples=50, derandomize=True)(any_given(*a)(f))

def dot(shape, *at):
    m = np.zeros(shape, bool)
    if at: m[at] = True
    return m

def judged(true, pred, spacing):
    "In the order of DeepMind's tests: average surface distance both ways, HD, HD95, surface overlap at 1 mm both ways, surface Dice at 1 mm, Dice."
    s = M.surface_distances(pred, true, spacing)
    return (*s.average()[::-1], s.hausdorff(), s.hausdorff(95), *s.overlap(1)[::-1], s.nsd(1), M.dice(pred, true))

# ---- the cases of surface_distance_test.py. Where both masks are empty its HD is infinite and its Dice NaN; ours say so if asked to

OFF_BY_ONE = dot((6,6)), dot((6,6))
OFF_BY_ONE[0][1:3,1:3] = OFF_BY_ONE[1][1:4,1:3] = True
CUBES = dot((100,)*3), dot((100,)*3)
CUBES[0][:50] = CUBES[1][:51] = True
inf,nan = math.inf, math.nan
PUBLISHED = [
    (dot((128,128),50,70), dot((128,128),50,72), (2,1), (1.5,1.5,2,2,.5,.5,.5,0)),
    (dot((128,128),50,60), dot((128,128)), (3,2), (inf,nan,inf,inf,0,nan,0,0)),
    (dot((128,128)), dot((128,128),50,60), (3,2), (nan,inf,inf,inf,nan,0,0,0)),
    (dot((128,)*3,50,60,70), dot((128,)*3,50,60,72), (3,2,1), (1.5,1.5,2,2,.5,.5,.5,0)),
    (*CUBES, (2,1,1), (.322,.339,2,2,.842,.830,.836,.990)),
    (dot((128,)*3,50,60,70), dot((128,)*3), (3,2,1), (inf,nan,inf,inf,0,nan,0,0)),
    (dot((128,)*3), dot((128,)*3,50,60,72), (3,2,1), (nan,inf,inf,inf,nan,0,0,0)),
]

@pytest.mark.parametrize('true,pred,spacing,want', PUBLISHED)
def test_published_cases(true, pred, spacing, want):
    places = 1e-3 if true is CUBES[0] else 1e-12    # three digits are published of that one
    assert judged(true, pred, spacing) == pytest.approx(want, abs=places, rel=0, nan_ok=True)

def test_published_surfels_of_two_pixels():
    s = M.surface_distances(dot((128,128),50,72), dot((128,128),50,70), (2,1))
    for d,area in ((s.pred_to_true,s.pred_area), (s.true_to_pred,s.true_area)):
        assert sorted(d) == [1,1,2,2] and np.array_equal(area, [math.hypot(2,1)/2]*4)

def test_published_surfels_of_two_squares():
    true,pred = OFF_BY_ONE
    s, vertical, horizontal, corner = M.surface_distances(pred, true, (2,1)), 2., 1., math.hypot(2,1)/2
    assert sorted(zip(s.true_to_pred, s.true_area)) == sorted(zip([0]*5+[horizontal]+[0]*2, [corner,horizontal,corner,vertical]*2))
    assert sorted(zip(s.pred_to_true, s.pred_area)) == sorted(zip([0]*5+[vertical]*3+[0]*2, [
        corner,horizontal,corner,vertical,vertical,corner,horizontal,corner,vertical,vertical]))

@pytest.mark.parametrize('shape', [(128,128), (128,128,128)])
def test_published_both_empty(shape):
    m, s = dot(shape), (3,2,1)[:len(shape)]
    d = M.surface_distances(m, m, s)
    assert all(map(math.isnan, (*d.average(), *d.overlap(1), M.nsd(m,m,1,s,empty=nan), M.dice(m,m,empty=nan))))
    assert M.hausdorff(m,m,s,empty=inf) == M.hd95(m,m,s,empty=inf) == inf
    assert math.isnan(M.hd95(m,m,s)) and M.nsd(m,m,1,s) == M.dice(m,m) == 1


# ---- the installed package

def theirs(true, pred, spacing, tolerance):
    sd = pytest.importorskip('surface_distance')
    s = sd.compute_surface_distances(true, pred, spacing)
    return (*sd.compute_average_surface_distance(s), *(sd.compute_robust_hausdorff(s, q) for q in (100,95,50)),
            *sd.compute_surface_overlap_at_tolerance(s, tolerance), sd.compute_surface_dice_at_tolerance(s, tolerance)), s

def ours(true, pred, spacing, tolerance):
    s = M.surface_distances(pred, true, spacing)
    return (*s.average()[::-1], s.hausdorff(), s.hausdorff(95), s.hausdorff(50), *s.overlap(tolerance)[::-1], s.nsd(tolerance)), s

def agree(true, pred, spacing, tolerance):
    (want,w),(got,g) = theirs(true, pred, spacing, tolerance), ours(true, pred, spacing, tolerance)
    assert got == pytest.approx(want, abs=1e-9)
    for d,a,way,whose in ((g.pred_to_true,g.pred_area,'pred_to_gt','pred'), (g.true_to_pred,g.true_area,'gt_to_pred','gt')):
        assert np.sort(d) == pytest.approx(w['distances_'+way], abs=1e-9) and np.sort(a) == pytest.approx(np.sort(w['surfel_areas_'+whose]), abs=1e-9)

@pytest.mark.parametrize('spacing', [(1,1,1), (3,.7,.7), (5.,.33,2.1), (.2,.9,4.)])
def test_area_of_each_of_256_cases_is_deepminds(spacing):
    tables = pytest.importorskip('surface_distance.lookup_tables')
    bits = tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL.ravel()
    code = [sum(int(bits[k]) for k in range(8) if ours>>k & 1) for ours in range(256)]
    assert M._areas(spacing) == pytest.approx(tables.create_table_neighbour_code_to_surface_area(spacing)[code], abs=1e-12)
    flat,bits = spacing[1:], tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL.ravel()
    code = [sum(int(bits[k]) for k in range(4) if ours>>k & 1) for ours in range(16)]
    assert M._areas(flat) == pytest.approx(tables.create_table_neighbour_code_to_contour_length(flat)[code], abs=1e-12)

def blobs(seed):
    "Two masks, ragged or smooth, apart or overlapping, not empty; in 2D or 3D."
    from scipy.ndimage import gaussian_filter
    r = np.random.default_rng(seed)
    shape = tuple(r.integers(2, 14, r.integers(2, 4)))
    a = gaussian_filter(r.normal(size=shape), r.choice([0,1,2]))
    b = r.choice([0,.8,1])*a+gaussian_filter(r.normal(size=shape), 1)
    p,t = a>np.quantile(a, r.uniform(.05,.98)), b>np.quantile(b, r.uniform(.05,.98))
    return p, t, tuple(r.uniform(.3, 4, len(shape))) if r.random()<.5 else tuple(map(float, r.choice([.7,1,1.4,3], len(shape))))

@pytest.mark.filterwarnings('ignore::DeprecationWarning')
@given(st.integers(0,2**32-1).map(blobs))
def test_random_masks_are_judged_as_deepmind_does(pts):
    p,t,spacing = pts
    for tolerance in (0., 1.4, 2.): agree(t, p, spacing, tolerance)    # with spacings of 0.7 and 1.4 many distances are just the tolerance

def test_a_real_hippocampus_is_judged_as_deepmind_does(real):
    from radnb.data.volume import Volume
    t = Volume.from_nifti(sorted((real/'msd_hippocampus'/'labels').glob('*.nii*'))[0], mask=True)
    for label in (1,2):
        true, pred = t.data==label, np.roll(t.data, (1,0,2), (0,1,2))==label
        agree(true, pred, tuple(t.spacing), 1.)
        want = theirs(true, pred, tuple(t.spacing), 1.)[0]
        row = M.segment_metrics(t.like(np.roll(t.data, (1,0,2), (0,1,2))), t).set_index('label').loc[label]
        assert (row.hd_mm, row.hd95_mm, row.nsd) == pytest.approx((want[2], want[3], want[7]), abs=1e-9)


# ---- far away, flat and empty

def test_far_apart_is_exact():
    "Too far for the looks around: the k-d tree has them."
    m, far = dot((60,60,60), 3, 3, 3), dot((60,60,60), 50, 58, 41)
    far[50:53,50:58,41] = True
    agree(m, far, (2.,.7,1.1), 3.)

def test_a_single_slice_is_an_outline():
    r = np.random.default_rng(0).random((2,1,20,20)) < .3
    for f in (M.hd95, M.assd, lambda *a, **k: M.nsd(*a[:2], 1., *a[2:], **k)):
        for surface in ('surfels','voxels'): assert f(*r, (5,.7,.9), surface=surface) == f(r[0,0], r[1,0], (.7,.9), surface=surface)

@given(st.integers(0,2**32-1).map(blobs), st.sampled_from(['surfels','voxels']))
def test_laws_of_surfaces(pts, surface):
    p,t,spacing = pts
    s = M.surface_distances(p, t, spacing, surface=surface)
    swapped = M.surface_distances(t, p, spacing, surface=surface)
    assert s.average() == swapped.average()[::-1] and s.overlap(1) == swapped.overlap(1)[::-1]
    assert s.assd() == pytest.approx(swapped.assd()) and s.hausdorff(95) == swapped.hausdorff(95)
    assert s.hausdorff(50) <= s.hausdorff(95) <= s.hausdorff() and s.assd() <= s.hausdorff() and s.nsd(s.hausdorff()) == 1
    turned = M.surface_distances(np.moveaxis(p,0,-1), np.moveaxis(t,0,-1), (*spacing[1:],spacing[0]), surface=surface)
    assert turned.assd() == pytest.approx(s.assd()) and turned.nsd(1.05) == pytest.approx(s.nsd(1.05))

@pytest.mark.parametrize('shape,spacing', [((14,24,22),(3.,.8,.7)), ((40,36),(.5,.9))])
def test_voxel_metrics_equal_counts(shape, spacing):
    from sklearn.metrics import precision_score, recall_score
    p,t = np.random.default_rng(0).random((2,*shape)) < .3
    row = M.segment_metrics(p, t, spacing).iloc[0]
    assert row.sensitivity == M.voxel_sensitivity(p,t) == pytest.approx(recall_score(t.ravel(), p.ravel()))
    assert row.precision == M.voxel_precision(p,t) == pytest.approx(precision_score(t.ravel(), p.ravel()))
    assert row.volume_similarity == M.volume_similarity(p,t) == pytest.approx(1-abs(int(p.sum())-int(t.sum()))/(p.sum()+t.sum()))

def test_empty_masks_are_scored_as_asked():
    none, some, s = dot((4,5,6)), dot((4,5,6),1,2,3), (3,1,1)
    rule = M.EmptyMasks(score=.1, one_score=.2, mm=.3, one_mm=.4, rate=.5)
    scores, mm = ['dice','iou','nsd','volume_similarity'], ['hd_mm','hd95_mm','assd_mm']
    both = M.segment_metrics(none, none, s, [1], empty=rule).iloc[0]
    assert [both[k] for k in (*scores,*mm,'sensitivity','precision')] == [.1]*4+[.3]*3+[.5]*2
    for p,t,rates in ((some,none,[.5,0]), (none,some,[0,.5])):
        one = M.segment_metrics(p, t, s, [1], empty=rule).iloc[0]
        assert [one[k] for k in (*scores,*mm,'sensitivity','precision')] == [.2]*4+[.4]*3+rates
