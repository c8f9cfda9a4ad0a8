"Volumes keep their place: properties that must hold for any affine, agreement with SimpleITK and nibabel, files that are broken."
import copy, gzip, pickle, warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations, product
from pathlib import Path
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings, strategies as st
from radnb.core import BadInput, GeometryError, RadnbError, UnreadableFile
from radnb.data import _resample
from radnb.data.volume import Volume, same_grid, to_sitk

settings.register_profile('volume', max_examples=40, deadline=None)
settings.load_profile('volume')
CODES = [''.join(c) for order in permutations(('RL','AP','SI')) for c in product(*order)]

def some_affine(rng, shear=.3, oblique=True):
    "Any affine a scanner could produce, and then some: rotated, sheared, flipped, anisotropic"
    Q = np.linalg.qr(rng.normal(size=(3,3)))[0] if oblique else np.eye(3)[rng.permutation(3)]*rng.choice([-1,1], 3)
    S = np.eye(3); S[np.triu_indices(3, 1)] = rng.uniform(-shear, shear, 3)
    affine = np.eye(4)
    affine[:3,:3] = Q@S@np.diag(rng.uniform(.4, 4, 3))
    affine[:3,3] = rng.uniform(-300, 300, 3)
    return affine

def some_volume(rng, shape=None, affine=None, unit='HU'):
    shape = shape or tuple(rng.integers(2, 12, 3))
    data = rng.integers(0, 5, shape).astype(np.uint8) if unit == 'label' else rng.normal(0, 500, shape).astype(np.float32)
    return Volume(data, some_affine(rng) if affine is None else affine, unit)

def grid_across(rng, vol, shape=None, **kw):
    "A grid whose middle lies somewhere in `vol`"
    shape, affine = shape or tuple(rng.integers(1, 15, 3)), some_affine(rng, **kw)
    affine[:3,3] = vol.physical(rng.uniform(0, vol.shape)) - affine[:3,:3]@(np.array(shape)/2)
    return Volume(np.zeros(shape, np.uint8), affine)

rngs = st.integers(0, 2**32-1).map(np.random.default_rng)

# ---------------------------------------------------------------- properties

@given(rngs, st.sampled_from(CODES))
def test_reorient_there_and_back(rng, codes):
    vol = some_volume(rng)
    turned = vol.reorient(codes)
    assert turned.axcodes == codes
    again = turned.reorient(vol.axcodes)
    np.testing.assert_array_equal(again.data, vol.data)
    np.testing.assert_allclose(again.affine, vol.affine, atol=1e-9)
    idx = rng.integers(0, vol.shape)
    assert turned.data[tuple(np.rint(turned.index(vol.physical(idx))).astype(int))] == vol.data[tuple(idx)]

@given(rngs)
def test_physical_and_index_are_inverse(rng):
    vol, p = some_volume(rng), rng.uniform(-400, 400, (7,3))
    np.testing.assert_allclose(vol.physical(vol.index(p)), p, atol=1e-8)
    np.testing.assert_allclose(vol.index(vol.physical(p)), p, atol=1e-8)

@given(rngs)
def test_crop_and_pad_keep_physical_positions(rng):
    vol = some_volume(rng)
    start = np.array([rng.integers(0, n) for n in vol.shape]); stop = np.array([rng.integers(a+1, n+1) for a,n in zip(start, vol.shape)])
    part, width = vol.crop(start, stop), rng.integers(0, 4, (3,2))
    np.testing.assert_allclose(part.physical((0,0,0)), vol.physical(start), atol=1e-9)
    wide = part.pad(width, value=7)
    np.testing.assert_allclose(wide.physical(width[:,0]), part.physical((0,0,0)), atol=1e-9)
    back = wide.crop(width[:,0], width[:,0]+part.shape)
    assert same_grid(back, part, 1e-6)
    np.testing.assert_array_equal(back.data, part.data)
    assert (wide.data == 7).sum() == np.prod(wide.shape)-np.prod(part.shape)

@given(rngs, st.floats(0, 30))
def test_crop_to_keeps_the_mask_and_its_margin(rng, margin):
    vol = some_volume(rng, (9,10,11)); mask = np.zeros(vol.shape, bool); mask[tuple(rng.integers(0, vol.shape))] = True
    part = vol.like(mask, 'label').crop_to(mask, margin_mm=margin)
    assert part.data.sum() == 1
    at, low, high = np.argwhere(mask)[0], *vol.index([part.physical((0,0,0)), part.physical(np.array(part.shape)-1)])
    for a in range(3):
        assert low[a] < 1e-6 or (at[a]-low[a])*vol.spacing[a] >= margin-1e-3
        assert high[a] > vol.shape[a]-1-1e-6 or (high[a]-at[a])*vol.spacing[a] >= margin-1e-3

@given(rngs, st.sampled_from(['HU','label']))
def test_resample_onto_itself_is_identity(rng, unit):
    vol = some_volume(rng, unit=unit)
    if unit == 'HU': vol.data[tuple(rng.integers(0, vol.shape))] = np.nan    # a hole stays where it is and grows no further
    for method in (None,) if unit == 'HU' else ('nearest','majority'):
        np.testing.assert_array_equal(vol.resample(like=vol, method=method).data, vol.data)

@given(rngs)
def test_a_linear_ramp_is_exact_inside(rng):
    affine, slope = some_affine(rng), rng.normal(0, 5, 3)
    index = np.stack(np.meshgrid(*map(np.arange, (14,13,12)), indexing='ij'), -1)
    vol = Volume(Volume(np.zeros((14,13,12)), affine).physical(index)@slope, affine)
    grid = grid_across(rng, vol)
    p = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing='ij'), -1)
    at = vol.index(grid.physical(p))
    inside = ((at >= 0) & (at <= np.array(vol.shape)-1)).all(-1)
    got, true = vol.resample(like=grid).data, grid.physical(p)@slope
    np.testing.assert_allclose(got[inside], true[inside], atol=np.ptp(vol.data)*1e-6+1e-3)

# ---------------------------------------------------------------- agreement with SimpleITK

def simpleitk(vol, grid, how, outside):
    src = to_sitk(vol if vol.is_mask else Volume(vol.data.astype(np.float32), vol.affine))
    return sitk.GetArrayFromImage(sitk.Resample(src, to_sitk(grid), sitk.Transform(), how, float(outside)))

def undecided(vol, grid, ties):
    "New voxels that lie, but for rounding, on the border of the old image (and, for nearest, halfway between two voxels)"
    p = vol.index(grid.physical(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing='ij'), -1)))
    border = (np.abs(p+.5) < 1e-5) | (np.abs(p-np.array(vol.shape)+.5) < 1e-5)
    return (border | (np.abs(p-np.floor(p)-.5) < 1e-5) if ties else border).any(-1)

@given(rngs, st.booleans())
def test_linear_agrees_with_simpleitk(rng, oblique):
    vol = Volume(rng.integers(-1000, 2000, tuple(rng.integers(1, 40, 3))).astype(np.int16), some_affine(rng, oblique=True), 'HU')
    grid = grid_across(rng, vol, tuple(rng.integers(1, 60, 3)))
    if not oblique:   # the same axes, permuted and flipped
        affine = vol.affine.copy(); affine[:3,:3] = affine[:3,:3][:,rng.permutation(3)]*rng.uniform(.3, 3, 3)*rng.choice([-1,1], 3)
        affine[:3,3] = vol.physical(rng.uniform(0, vol.shape)) - affine[:3,:3]@(np.array(grid.shape)/2)
        grid = Volume(grid.data, affine)
        M = np.linalg.inv(vol.affine[:3,:3])@affine[:3,:3]
        assert _resample._alike(M, np.zeros(3), grid.shape) is not None
    ours, theirs = vol.resample(like=grid, outside=-3000).data, simpleitk(vol, grid, sitk.sitkLinear, -3000)
    sure = ~undecided(vol, grid, ties=False)
    assert np.abs(ours-theirs)[sure].max(initial=0) <= 2e-3      # HU, in noise of 3000 HU

@given(rngs, st.sampled_from([np.uint8, np.int16, np.uint16, np.int32, np.int64, bool]))
def test_nearest_is_identical_to_simpleitk(rng, dtype):
    vol = Volume(rng.integers(0, 2 if dtype is bool else 100, tuple(rng.integers(1, 30, 3))).astype(dtype), some_affine(rng), 'label')
    grid = grid_across(rng, vol, tuple(rng.integers(1, 60, 3)))
    ours, theirs = vol.resample(like=grid, outside=1), simpleitk(vol, grid, sitk.sitkNearestNeighbor, 1)
    sure = ~undecided(vol, grid, ties=True)
    assert ours.dtype == dtype
    np.testing.assert_array_equal(ours.data[sure], theirs[sure])

@pytest.mark.parametrize('spacing', [1., (2.5,1.3,.7), (3,3,3)])
def test_spacing_agrees_with_simpleitk(spacing):
    rng = np.random.default_rng(0)
    vol = Volume(rng.integers(-1000, 2000, (31,64,65)).astype(np.int16), np.diag([1.21,.71,-.73,1]), 'HU')
    new = vol.resample(spacing, outside=-1000)
    theirs = simpleitk(vol, Volume(np.zeros(new.shape, np.uint8), new.affine), sitk.sitkLinear, -1000)
    assert np.abs(new.data-theirs)[~undecided(vol, new, ties=False)].max() <= 2e-3

def test_the_last_slice_is_never_lost_to_rounding():
    "21 slices of 1 mm are 10.5 new ones of 2 mm: whatever the rounding, the new voxels lie in the image"
    for n,old,new in ((21,1.,2.), (23,1.,2.), (7,.1,.2), (33,.3,.2)):
        vol = Volume(np.full((n,3,3), 100.), np.diag([old,1,1,1]), 'HU')
        assert vol.resample((new,1,1), outside=-1000).data.min() > 99.999

# ---------------------------------------------------------------- labels going coarser

def shares(vol, grid_shape, M, t):
    "Exact volume of each label in each new voxel, for grids with parallel axes: {label: array}"
    cover = [np.maximum(0, np.minimum(np.arange(n)[None]+.5, c[:,None]+w/2)-np.maximum(np.arange(n)[None]-.5, c[:,None]-w/2))
             for n,c,w in zip(vol.shape, [M[a]*np.arange(grid_shape[a])+t[a] for a in range(3)], M)]
    return {l: np.einsum('ak,bi,cj,kij->abc', *cover, (vol.data == l).astype(float)) for l in np.unique(vol.data)}

@given(rngs)
def test_majority_is_the_label_with_most_volume(rng):
    vol = some_volume(rng, unit='label', affine=np.eye(4))
    grid = vol.resample(rng.uniform(.5, 4, 3))
    M, t = np.diag(grid.affine)[:3], grid.affine[:3,3]
    share = shares(vol, grid.shape, M, t)
    labels, parts = np.array(list(share)), np.array(list(share.values()))
    got = vol.resample(like=grid, method='majority').data
    best = np.take_along_axis(parts, np.searchsorted(labels, got)[None], 0)[0]
    np.testing.assert_allclose(best, parts.max(0), atol=1e-6)
    first = labels[(parts >= parts.max(0)-1e-10).argmax(0)]      # lowest of equals
    clear = np.ptp(np.sort(parts, 0)[-2:], 0) > 1e-6 if len(parts) > 1 else np.ones(got.shape, bool)
    np.testing.assert_array_equal(got[clear], first[clear])

def test_majority_ties_take_the_lowest_label_whichever_way_the_axes_run():
    vol = Volume(np.random.default_rng(0).integers(0, 3, (8,8,8)).astype(np.uint8), unit='label')
    grid = vol.resample(2, method='majority')
    parts = np.array(list(shares(vol, grid.shape, np.full(3,2.), np.full(3,.5)).values()))
    np.testing.assert_array_equal(grid.data, parts.argmax(0))
    assert ((parts == parts.max(0)).sum(0) > 1).any()            # there were ties
    for codes in ('LPI','SAR','PIL'):
        np.testing.assert_array_equal(vol.reorient(codes).resample(2, method='majority').reorient(vol.axcodes).data, grid.data)

@given(rngs)
def test_majority_on_an_oblique_grid_is_close_to_dense_sampling(rng):
    z,y,x = np.mgrid[:24,:24,:24]
    vol = Volume(((z-12)**2+(y-12)**2+(x-12)**2 < 81).astype(np.uint8)+((x > 12) & (y > 12)), np.eye(4), 'label')
    Q = np.linalg.qr(rng.normal(size=(3,3)))[0]
    affine = np.eye(4); affine[:3,:3] = Q*1.6; affine[:3,3] = 12-affine[:3,:3]@np.full(3, 3.5)
    got = vol.resample(like=Volume(np.zeros((8,8,8), np.uint8), affine), method='majority')
    off = (np.stack(np.meshgrid(*[(np.arange(16)+.5)/16-.5]*3, indexing='ij'), -1)).reshape(-1,3)
    p = np.stack(np.meshgrid(*[np.arange(8)]*3, indexing='ij'), -1)[...,None,:]+off
    at = np.floor(got.physical(p)+.5).astype(int)
    votes = np.stack([(vol.data[tuple(np.moveaxis(at, -1, 0))] == l).mean(-1) for l in (0,1,2)])
    won = np.take_along_axis(votes, got.data[None].astype(int), 0)[0]
    assert (votes.max(0)-won).max() <= .25 and (won == votes.max(0)).mean() > .9      # samples lie in layers of a quarter of a voxel

def test_many_labels_large_numbers_and_negative_ones():
    for dtype,labels in ((np.int32, [-70000, 0, 5, 2_000_000]), (np.int16, [-5, 0, 300]), (np.uint16, [0, 65535]), (np.int8, [-1, 0, 1])):
        vol = Volume(np.random.default_rng(0).choice(np.array(labels, dtype), (6,7,8)), unit='label')
        for affine in (np.eye(4), some_affine(np.random.default_rng(1))):
            out = vol.resample(like=Volume(np.zeros((4,4,4)), affine), method='majority')
            assert out.dtype == dtype and set(np.unique(out.data)) <= set(labels)

# ---------------------------------------------------------------- what else goes in

@pytest.mark.parametrize('oblique', [False, True])
def test_time_colour_and_strides(oblique):
    rng = np.random.default_rng(0)
    frames, affine = rng.normal(size=(3,6,7,8)).astype(np.float32), some_affine(rng)
    grid = grid_across(rng, Volume(frames[0], affine), (9,8,7)) if oblique else Volume(frames[0], affine).resample(1.1)
    each = [Volume(f, affine).resample(like=grid, outside=0).data for f in frames]
    np.testing.assert_array_equal(Volume(frames, affine).resample(like=grid, outside=0).data, each)
    colour = rng.integers(0, 256, (6,7,8,3)).astype(np.uint8)
    got = Volume(colour, affine, 'RGB').resample(like=grid)
    each = [np.rint(Volume(colour[...,c].astype(float), affine).resample(like=grid, outside=0).data) for c in range(3)]
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got.data, np.stack(each, -1))
    odd = np.asfortranarray(frames[0])[::-1].astype('>f8')
    plain = np.ascontiguousarray(odd, dtype=float)
    np.testing.assert_allclose(Volume(odd, affine).resample(like=grid).data, Volume(plain, affine).resample(like=grid).data)

def test_far_apart():
    vol = Volume(np.ones((4,4,4), np.int16), unit='HU')
    beside = np.eye(4); beside[:3,3] = 50
    assert (vol.resample(like=Volume(np.zeros((3,3,3)), beside), outside=-1000).data == -1000).all()
    turned = some_affine(np.random.default_rng(0)); turned[:3,3] = 1e12
    with pytest.raises(GeometryError, match='too far apart'): vol.resample(like=Volume(np.zeros((3,3,3)), turned))

def test_outside_of_an_image_with_holes():
    vol = Volume(np.array([[[np.nan, 5.], [7., 9.]]]), unit='SUV')
    assert vol.pad(1).data[0,0,0] == 5
    assert Volume(np.full((1,2,2), np.nan)).pad(1).data[0,0,0] == 0

def test_antialias_keeps_the_mean_and_follows_its_formula():
    vol = Volume(np.random.default_rng(0).normal(0, 100, (40,40,40)), unit='HU')
    plain, smooth = vol.resample(4), vol.resample(4, antialias=True)
    sigma = np.sqrt((16-1)/(8*np.log(2)))
    assert smooth.data.std() < plain.data.std()/5 and abs(smooth.data.mean()) < 3
    from scipy.ndimage import gaussian_filter
    expected = Volume(gaussian_filter(vol.data.astype(np.float32), sigma, mode='nearest'), unit='HU').resample(4)
    np.testing.assert_allclose(smooth.data, expected.data, atol=.01)
    np.testing.assert_array_equal(vol.resample(.5, antialias=True).data, vol.resample(.5).data)     # nothing to do going finer

def test_many_threads_at_once():
    rng = np.random.default_rng(0)
    vol = Volume(rng.normal(size=(40,64,64)).astype(np.float32), some_affine(rng)); grids = [grid_across(rng, vol, (40,64,70)) for _ in range(8)]
    alone = [vol.resample(like=g).data for g in grids]
    with ThreadPoolExecutor(8) as pool: together = list(pool.map(lambda g: vol.resample(like=g).data, grids))
    for a,b in zip(alone, together): np.testing.assert_array_equal(a, b)

# ---------------------------------------------------------------- arithmetic

@given(rngs, st.sampled_from([np.uint8, np.int8, np.int16, np.uint16]))
def test_small_integers_do_not_wrap_around(rng, dtype):
    info = np.iinfo(dtype)
    a,b = (Volume(rng.integers(info.min, info.max, (2,3,4), endpoint=True).astype(dtype), unit='HU') for _ in range(2))
    x,y = a.data.astype(np.int64), b.data.astype(np.int64)
    for got,true in ((a+b, x+y), (a-b, x-y), (3-a, 3-x), (-a, -x), (a*3, x*3), (abs(a), abs(x))): np.testing.assert_array_equal(got.data, true)

def test_units_masks_and_plain_arrays():
    ct = Volume(np.arange(24.).reshape(2,3,4), unit='HU', meta=dict(WindowCenter=40, WindowWidth=400, PatientID='x'))+1
    on = ct > 10
    assert on.unit == 'label' and on.data.dtype == bool and on.meta['PatientID'] == 'x'
    assert ct.meta['WindowCenter'] == 40 and 'WindowCenter' not in on.meta
    assert (ct*on).unit == (on*ct).unit == 'HU' and (ct/2).unit == 'HU' and (2/ct).unit == 'a.u.' and (ct*ct).unit == 'a.u.'
    assert (np.ones((2,3,4))*ct).unit == 'HU' and isinstance(np.float64(2)*ct, Volume)
    np.testing.assert_array_equal((on & ~(ct > 20)).data, (ct.data > 10) & (ct.data <= 20))
    organs = ct.like(np.arange(24).reshape(2,3,4) % 3, 'label', {1:'a', 2:'b'})
    np.testing.assert_array_equal((organs & on).data, (organs.data > 0) & on.data)
    np.testing.assert_array_equal((organs >= 2).data, organs.data >= 2)
    assert organs.names == {1:'a', 2:'b'} and (organs | on).names == {}
    for shape in ((5,3,4), (2,3,4,1)):
        with pytest.raises(GeometryError): ct + np.ones(shape)
    for wrong in (lambda: organs-organs, lambda: organs/2, lambda: np.sqrt(organs), lambda: ct/organs, lambda: ct & on, lambda: ct == 3):
        with pytest.raises(BadInput): wrong()

# ---------------------------------------------------------------- pixels still in their files

class Reader:
    "Counts slices read; `times` and slices are cut as a reader must"
    def __init__(self, a): self.a,self.shape,self.dtype,self.read,self.whole = a, a.shape, a.dtype, 0, 0
    def __getitem__(self, s):
        out = self.a[s]; self.read += out[...,0,0].size
        return out
    def __array__(self, dtype=None, copy=None):
        self.whole += 1
        return self.a

@given(rngs, st.sampled_from(CODES), st.booleans())
def test_lazy_is_as_eager_is(rng, codes, timed):
    shape = tuple(rng.integers(2, 9, 3)); a = rng.normal(size=(3,*shape) if timed else shape)
    affine, reader = some_affine(rng), Reader(a)
    eager, lazy = Volume(a, affine), Volume(reader, affine)
    start = np.array([rng.integers(0, n) for n in shape]); stop = np.array([rng.integers(s+1, n+1) for s,n in zip(start, shape)])
    steps = [lambda v: v.crop(start, stop).reorient(codes), lambda v: v.reorient(codes).reorient(v.axcodes).crop(start, stop)]
    for step in steps:
        e,z = step(eager), step(lazy)
        assert (z.shape, z.n_times, z.spacing, z.nbytes, z.dtype) == (e.shape, e.n_times, e.spacing, e.nbytes, e.dtype)
        assert repr(z).startswith(repr(e))
        assert reader.read == reader.whole == 0
    for step in steps: np.testing.assert_array_equal(step(lazy).data, step(eager).data)
    for plane in (None,'axial','coronal','sagittal'): np.testing.assert_array_equal(lazy.slice(0, plane), eager.slice(0, plane))
    assert reader.whole <= 1

def test_lazy_reads_what_it_needs_and_everything_once():
    a = np.random.default_rng(0).normal(size=(20,8,9)); A = np.eye(4)[[2,1,0,3]]; A[0,2] = A[1,1] = -1
    reader = Reader(a); vol = Volume(reader, A, 'HU')
    assert vol.orientation == 'axial' and 'not read yet' in repr(vol)
    np.testing.assert_array_equal(vol.slice(3), a[3]); assert (reader.read, reader.whole) == (1, 0)
    np.testing.assert_array_equal(vol.mip(0, slab_mm=4, i=5), a[3:8].max(0)); assert (reader.read, reader.whole) == (6, 0)
    kept, flipped, twin = vol.crop((2,0,0), (4,8,9)), vol.reorient('IPL'), copy.copy(vol)
    for _ in range(3): assert vol.data is vol.data
    np.testing.assert_array_equal(flipped.data, a[::-1])
    np.testing.assert_array_equal(twin.data, a)
    np.testing.assert_array_equal(kept.data, a[2:4])
    assert (reader.read, reader.whole) == (6, 1)
    assert 'not read yet' not in repr(vol)
    timed = Reader(np.zeros((5,20,8,9))); Volume(timed, A).slice(2); assert (timed.read, timed.whole) == (1, 0)

def test_lazy_in_threads_copies_pickles_and_assignments():
    a = np.random.default_rng(0).normal(size=(6,7,8)); reader = Reader(a); vol = Volume(reader)
    with ThreadPoolExecutor(8) as pool: assert all(np.array_equal(d, a) for d in pool.map(lambda _: copy.copy(vol).data, range(16)))
    assert reader.whole == 1
    fresh = Volume(Reader(a))
    for twin in (pickle.loads(pickle.dumps(fresh)), copy.deepcopy(fresh)):
        assert 'not read yet' in repr(twin); np.testing.assert_array_equal(twin.data, a)
    fresh.data = a+1
    np.testing.assert_array_equal(fresh.data, a+1); np.testing.assert_array_equal(fresh.like(Reader(a)).data, a)
    with pytest.raises(GeometryError): fresh.like(Reader(np.zeros((6,7,9))))
    with pytest.raises(BadInput): Volume(Reader(np.zeros((2,2,2,2,2))))

# ---------------------------------------------------------------- files

TYPES = [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64, np.int64]

@settings(max_examples=25)
@given(rng=rngs, dtype=st.sampled_from(TYPES), ext=st.sampled_from(['.nii','.nii.gz','.nrrd','.mha','.mhd']))
def test_round_trip(tmp_path_factory, rng, dtype, ext):
    shape = tuple(rng.integers(1, 9, 3))
    vol = Volume(rng.integers(0, 100, shape).astype(dtype), some_affine(rng), 'HU')
    f = vol.write(tmp_path_factory.mktemp('io')/f'x{ext}')
    again = Volume.read(f)
    assert again.unit == 'HU' and same_grid(again, vol, tol_mm=1e-4)
    np.testing.assert_array_equal(again.data, vol.data)
    assert again.dtype == (np.int32 if dtype is np.int64 else dtype)

@settings(max_examples=25)
@given(rng=rngs, shear=st.sampled_from([0., .3]))
def test_nifti_agrees_with_nibabel_and_simpleitk(tmp_path_factory, rng, shear):
    vol = Volume(rng.integers(-1000, 1000, (5,6,7)).astype(np.int16), some_affine(rng, shear), 'HU')
    f = vol.to_nifti(tmp_path_factory.mktemp('nii')/'x.nii')
    img, corners = nib.load(f), np.array(np.meshgrid([0,4],[0,5],[0,6])).reshape(3,-1).T
    assert (int(img.header['sform_code']), int(img.header['qform_code'])) == (1, 1 if shear == 0 else 0)
    np.testing.assert_array_equal(np.asarray(img.dataobj).T, vol.data)
    np.testing.assert_allclose(nib.affines.apply_affine(img.affine, corners[:,::-1]), vol.physical(corners), atol=1e-4)
    assert img.header.get_xyzt_units() == ('mm','sec')
    if shear: return      # ITK reads no sheared NIfTI
    theirs = sitk.ReadImage(str(f))
    for c in corners:
        at = np.array(theirs.TransformIndexToPhysicalPoint(c[::-1].tolist()))
        np.testing.assert_allclose(at*[-1,-1,1], vol.physical(c), atol=1e-3)
    assert same_grid(Volume.from_sitk(theirs), vol, tol_mm=1e-3)

@pytest.mark.parametrize('ext', ['.nrrd','.mha'])
def test_simpleitk_files_agree(tmp_path, ext):
    rng = np.random.default_rng(0); vol = Volume(rng.normal(size=(5,6,7)).astype(np.float32), some_affine(rng, 0), 'a.u.')
    sitk.WriteImage(to_sitk(vol), str(tmp_path/f'x{ext}'))
    again = Volume.read(tmp_path/f'x{ext}')
    np.testing.assert_array_equal(again.data, vol.data)
    assert same_grid(again, vol, tol_mm=1e-6) and again.unit == 'a.u.'
    theirs = sitk.ReadImage(str(again.write(tmp_path/f'y{ext}')))
    np.testing.assert_allclose(theirs.TransformIndexToPhysicalPoint((6,5,4)), vol.physical((4,5,6))*[-1,-1,1], atol=1e-6)

def test_nifti_details(tmp_path):
    rng = np.random.default_rng(0)
    timed = Volume(rng.normal(size=(3,4,5,6)).astype(np.float32), some_affine(rng), meta=dict(time_step_s=2.5))
    again = Volume.read(timed.write(tmp_path/'t.nii'))
    assert again.meta['time_step_s'] == 2.5 and nib.load(tmp_path/'t.nii').shape == (6,5,4,3)
    np.testing.assert_array_equal(again.data, timed.data)
    again = Volume.read(timed.write(tmp_path/'t.nrrd')); assert again.meta['time_step_s'] == 2.5
    np.testing.assert_array_equal(again.data, timed.data)
    colour = Volume(rng.integers(0, 256, (4,5,6,3)).astype(np.uint8), some_affine(rng), 'RGB')
    for ext in ('.nii','.nii.gz','.nrrd','.mha'):
        again = Volume.read(colour.write(tmp_path/f'c{ext}')); assert again.unit == 'RGB'; np.testing.assert_array_equal(again.data, colour.data)
    rgba = np.zeros((2,3,4), [(c,'u1') for c in 'RGBA']); rgba['G'] = 7
    nib.save(nib.Nifti1Image(rgba, np.eye(4)), tmp_path/'a.nii'); assert Volume.read(tmp_path/'a.nii').data[0,0,0].tolist() == [0,7,0]
    bits = Volume(np.ones((2,3,4), bool), unit='label', names={1:'Läsion "A"'})
    for ext in ('.nii.gz','.nrrd','.seg.nrrd','.mha','.mhd'):
        again = Volume.read(bits.write(tmp_path/f'b{ext}'), mask=True)
        assert again.names == bits.names and again.dtype == np.uint8 and again.is_mask, ext
    big = Volume(np.array([[[2**40, -3]]]), unit='a.u.'); np.testing.assert_array_equal(Volume.read(big.write(tmp_path/'big.nii')).data, big.data)
    with pytest.raises(BadInput, match='8 bit'): Volume(np.zeros((1,2,2,3)), unit='RGB').to_nifti(None)

def test_nifti_headers_of_others(tmp_path):
    a = np.arange(24, dtype=np.int16).reshape(2,3,4)
    img = nib.Nifti1Image(a, np.diag([2,3,4,1])); img.header.set_slope_inter(.5, -10)
    nib.save(img, tmp_path/'s.nii')
    raw = nib.load(tmp_path/'s.nii'); scaled = Volume.read(tmp_path/'s.nii')
    np.testing.assert_allclose(scaled.data, np.asarray(raw.dataobj).T, rtol=1e-6); assert scaled.dtype == np.float32
    nowhere = nib.Nifti1Image(a, None); nowhere.header['pixdim'][1:4] = 2
    nib.save(nowhere, tmp_path/'n.nii'); assert 'left and right are a guess' in Volume.read(tmp_path/'n.nii').meta['note']
    torn = nib.Nifti1Image(a, np.diag([2,3,4,1.])); torn.set_sform(np.diag([2,3,4,1.]), 1); torn.set_qform(np.diag([-2,3,4,1.]), 1)
    nib.save(torn, tmp_path/'q.nii'); assert 'disagree by up to 4.0 mm' in Volume.read(tmp_path/'q.nii').meta['note']
    metre = nib.Nifti1Image(a, np.diag([.002,.003,.004,1])); metre.header.set_xyzt_units('meter'); nib.save(metre, tmp_path/'m.nii')
    np.testing.assert_allclose(Volume.read(tmp_path/'m.nii').spacing, (4,3,2), rtol=1e-6)
    swapped = nib.Nifti1Image(a.astype('>i2'), np.eye(4), nib.Nifti1Header(endianness='>')); nib.save(swapped, tmp_path/'e.nii')
    assert Volume.read(tmp_path/'e.nii').dtype.isnative; np.testing.assert_array_equal(Volume.read(tmp_path/'e.nii').data, a.T)
    nib.save(nib.Nifti1Image(a.reshape(2,3,4,1,1), np.eye(4)), tmp_path/'5.nii'); assert Volume.read(tmp_path/'5.nii').shape == (4,3,2)
    nib.save(nib.Nifti1Image(np.zeros((2,3,4,1,3), np.float32), np.eye(4)), tmp_path/'v.nii')
    with pytest.raises(UnreadableFile, match='5 dimensions'): Volume.read(tmp_path/'v.nii')
    nib.save(nib.Nifti1Image(np.zeros((2,3,4), np.complex64), np.eye(4)), tmp_path/'x.nii')
    with pytest.raises(UnreadableFile, match='complex'): Volume.read(tmp_path/'x.nii')
    nib.save(nib.Nifti1Image(np.full((2,3,4), .5, np.float32), np.eye(4)), tmp_path/'h.nii')
    with pytest.raises(UnreadableFile, match='whole numbers'): Volume.read(tmp_path/'h.nii', mask=True)

def test_writing_over_the_file_it_came_from(tmp_path):
    f = Volume(np.arange(60_000, dtype=np.int16).reshape(10,60,100)).to_nifti(tmp_path/'x.nii')
    vol = Volume.read(f); vol.crop((2,0,0), (4,60,100)).to_nifti(f)
    assert vol.data.sum() == np.arange(60_000, dtype=np.int16).sum() and Volume.read(f).shape == (2,60,100)

def test_segments_of_slicer_in_layers(tmp_path):
    layers = np.zeros((3,4,5,2), np.uint8); layers[0,...,0] = 1; layers[1,...,0] = 2; layers[0,0,:,1] = 1
    img = sitk.GetImageFromArray(layers, isVector=True)
    for i,(name,layer,value) in enumerate((('liver',0,1), ('spleen',0,2), ('lesion',1,1))):
        for k,v in dict(Name=name, Layer=layer, LabelValue=value).items(): img.SetMetaData(f'Segment{i}_{k}', str(v))
    sitk.WriteImage(img, str(tmp_path/'s.seg.nrrd'))
    with pytest.warns(UserWarning, match='5 voxels belong to several'): seg = Volume.read(tmp_path/'s.seg.nrrd')
    assert seg.names == {1:'liver', 2:'spleen', 3:'lesion'} and seg.shape == (3,4,5)
    assert [(seg.data == l).sum() for l in (1,2,3)] == [15, 20, 5]

EXTENSIONS = ['.nii','.nii.gz','.nrrd','.mha']

@pytest.fixture(scope='module')
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp('good')
    vol = Volume(np.arange(60, dtype=np.int16).reshape(3,4,5), some_affine(np.random.default_rng(0), 0), 'HU')
    return {ext: vol.write(folder/f'x{ext}').read_bytes() for ext in EXTENSIONS}

def survives(path):
    "Either a volume or a typed error that names the file"
    try: Volume.read(path)
    except RadnbError as e: assert str(path) in str(e), str(e)

@pytest.mark.parametrize('ext', EXTENSIONS)
def test_cut_off_anywhere(good, tmp_path, ext):
    f, whole = tmp_path/f'x{ext}', good[ext]
    for n in [*range(0, len(whole)-8, max(1, len(whole)//60)), *range(len(whole)-8, len(whole))]:
        f.write_bytes(whole[:n])
        try: vol = Volume.read(f)
        except UnreadableFile as e: assert str(f) in str(e) and e.remedy
        else:   # ITK forgives a missing checksum after the last voxel of a NRRD
            assert ext == '.nrrd' and n >= len(whole)-8
            np.testing.assert_array_equal(vol.data.ravel(), np.arange(60))

@settings(max_examples=150)
@given(st.sampled_from(EXTENSIONS), st.data())
def test_flipped_bytes(good, tmp_path_factory, ext, data):
    raw = bytearray(gzip.decompress(good[ext]) if ext == '.nii.gz' else good[ext])
    for _ in range(data.draw(st.integers(1, 4))): raw[data.draw(st.integers(0, len(raw)-1))] = data.draw(st.integers(0, 255))
    f = tmp_path_factory.mktemp('flip')/f'x{ext}'; f.write_bytes(gzip.compress(raw, 1) if ext == '.nii.gz' else raw)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        survives(f)

def test_headers_that_promise_gigabytes(good, tmp_path):
    raw = bytearray(good['.nii']); raw[42:48] = np.array([30000,30000,3000], '<i2').tobytes()
    (tmp_path/'x.nii').write_bytes(raw); (tmp_path/'y.nii.gz').write_bytes(gzip.compress(raw))
    header = b'NRRD0004\ntype: short\ndimension: 3\nsizes: 30000 30000 3000\nendian: little\nencoding: gzip\n\n'
    (tmp_path/'z.nrrd').write_bytes(header+gzip.compress(b'0'*100))
    for n in ('x.nii','y.nii.gz','z.nrrd'):
        with pytest.raises(UnreadableFile, match='promises'): Volume.read(tmp_path/n)

@pytest.mark.parametrize('name', ['gone.nii','gone.nrrd','text.nii','text.nii.gz','text.mha','empty.nrrd'])
def test_not_an_image(tmp_path, name):
    if not name.startswith('gone'): (tmp_path/name).write_bytes(b'Dear colleague, ' if name.startswith('text') else b'')
    with pytest.raises(UnreadableFile) as e: Volume.read(tmp_path/name)
    assert name in str(e.value) and e.value.remedy

# ---------------------------------------------------------------- real files

def test_real_nifti_agrees_with_nibabel_and_simpleitk(real):
    for f in sorted((real/'msd_hippocampus').rglob('*.nii*'))[:12]:
        vol, img, theirs = Volume.read(f), nib.load(f), sitk.ReadImage(str(f))
        np.testing.assert_allclose(vol.data, np.asarray(img.dataobj).T, rtol=1e-6)
        np.testing.assert_allclose(vol.affine[:,[2,1,0,3]], img.affine, atol=1e-9)
        assert same_grid(vol, Volume.from_sitk(theirs), tol_mm=1e-3), f
        assert Path(vol.meta['paths'][0]) == f

def test_real_volumes_resample_like_simpleitk(real):
    from radnb.data.dicom import load_series
    vol = load_series(real/'dicom'/'ct_jpeg2000')
    for grid in (vol.resample((vol.spacing[0], 1.3, 1.1)), grid_across(np.random.default_rng(0), vol, (40,50,60))):
        ours, theirs = vol.resample(like=grid, outside=-1024).data, simpleitk(vol, grid, sitk.sitkLinear, -1024)
        assert np.abs(ours-theirs)[~undecided(vol, grid, ties=False)].max() <= 2e-3
