"Image quality against scikit-image (where it is installed), MONAI, and the formulas written out."
import math
import numpy as np
import pytest
from radnb.core import BadInput
from radnb.data.volume import Volume
from radnb.measure import quality as Q

def pair(shape, seed=0):
    from scipy.ndimage import gaussian_filter
    r = np.random.default_rng(seed)
    a = gaussian_filter(r.normal(size=shape), 2)
    a = 100*(a-a.min())/np.ptp(a)
    return a+r.normal(0, 5, shape), a

SHAPES = [(40,33), (16,21,18)]

@pytest.mark.parametrize('shape', SHAPES)
def test_equal_scikit_image(shape):
    sk = pytest.importorskip('skimage.metrics')
    a,b = pair(shape)
    assert Q.ssim(a, b, 100) == pytest.approx(sk.structural_similarity(a, b, data_range=100, gaussian_weights=True, use_sample_covariance=False), abs=1e-12)
    assert Q.ssim(a, b, 100, window='uniform') == pytest.approx(sk.structural_similarity(a, b, data_range=100), abs=1e-12)
    full = sk.structural_similarity(a, b, data_range=100, gaussian_weights=True, use_sample_covariance=False, full=True)[1]
    assert np.allclose(Q.ssim_map(a, b, 100), full, atol=1e-12)
    assert Q.psnr(a, b, 100) == pytest.approx(sk.peak_signal_noise_ratio(b, a, data_range=100))
    for ours,theirs in dict(norm='euclidean', range='min-max', mean='mean').items():
        assert Q.nrmse(a, b, relative_to=ours) == pytest.approx(sk.normalized_root_mse(b, a, normalization=theirs))

@pytest.mark.parametrize('shape', SHAPES)
def test_ssim_is_the_formula(shape):
    "Wang's equation 13, window by window."
    a,b = pair(shape)
    w = np.exp(-.5*(np.arange(-5, 6)/1.5)**2)
    w = np.prod(np.meshgrid(*[w/w.sum()]*len(shape), indexing='ij'), axis=0)
    values = []
    for at in np.ndindex(*[n-10 for n in shape]):
        x,y = (m[tuple(slice(i,i+11) for i in at)] for m in (a,b))
        mx,my = (w*x).sum(), (w*y).sum()
        vx,vy,xy = (w*(x-mx)**2).sum(), (w*(y-my)**2).sum(), (w*(x-mx)*(y-my)).sum()
        values.append((2*mx*my+1)*(2*xy+9)/((mx**2+my**2+1)*(vx+vy+9)))
    assert Q.ssim(a, b, 100) == pytest.approx(np.mean(values), abs=1e-10)
    core = (slice(5,-5),)*len(shape)
    mask = np.zeros(shape, bool); mask[tuple(slice(4, 12) for _ in shape)] = True
    assert Q.ssim(a, b, 100, mask) == pytest.approx(np.array(values).reshape(mask[core].shape)[mask[core]].mean(), abs=1e-10)

@pytest.mark.parametrize('shape', [*SHAPES, (190,180)])
def test_equal_monai(shape):
    "MONAI computes in single precision."
    monai, torch = pytest.importorskip('monai.metrics'), pytest.importorskip('torch')
    a,b = pair(shape)
    x,y = (torch.tensor(m)[None,None] for m in (a,b))
    assert Q.ssim(a, b, 100) == pytest.approx(monai.SSIMMetric(len(shape), data_range=100.)(x, y).item(), abs=1e-5)
    assert Q.psnr(a, b, 100) == pytest.approx(monai.PSNRMetric(100.)(x, y).item(), rel=1e-5)
    assert Q.mean_absolute_error(a, b) == pytest.approx(monai.MAEMetric()(x, y).item(), rel=1e-5)
    if min(shape) >= 176: assert Q.ms_ssim(a, b, 100) == pytest.approx(monai.MultiScaleSSIMMetric(len(shape), data_range=100.)(x, y).item(), abs=1e-5)

def test_ms_ssim_in_3d_equals_monai():
    monai, torch = pytest.importorskip('monai.metrics'), pytest.importorskip('torch')
    a,b = pair((48,45,50))
    w = np.array(Q._SCALES[:3])/sum(Q._SCALES[:3])
    want = monai.MultiScaleSSIMMetric(3, data_range=100., weights=tuple(w))(*(torch.tensor(m)[None,None] for m in (a,b))).item()
    assert Q.ms_ssim(a, b, 100, scales=3) == pytest.approx(want, abs=1e-5)

def test_fastmris_definitions():
    "evaluate.py of fastMRI: NMSE, PSNR by the largest value of the volume, and the mean of SSIM over slices with the uniform window."
    a,b = pair((5,32,30))
    assert Q.nmse(a, b) == pytest.approx(np.linalg.norm(b-a)**2/np.linalg.norm(b)**2)
    assert Q.psnr(a, b, 'max') == pytest.approx(10*math.log10(b.max()**2/((a-b)**2).mean()))
    each = [Q.ssim(x, y, b.max(), window='uniform') for x,y in zip(a, b)]
    assert Q.ssim(a, b, 'max', window='uniform', within='slice') == pytest.approx(np.mean(each))

def test_a_mask_is_all_that_counts():
    a,b = pair((40,40))
    mask = np.zeros((40,40), bool); mask[10:30,12:28] = True
    elsewhere = np.where(mask, a, a+50)
    for f in (Q.mean_absolute_error, Q.nmse, Q.nrmse): assert f(a, b, mask) == f(elsewhere, b, mask) == f(a[mask], b[mask])
    assert Q.psnr(a, b, 100, mask) == Q.psnr(elsewhere, b, 100, mask)
    assert Q.ssim(a, b, 100, mask) != Q.ssim(a, b, 100)
    assert Q.ssim(a, b, 100, np.ones_like(mask)) == Q.ssim(a, b, 100)

def test_noise_is_found():
    "Three ways to the same SNR of a magnitude image, over 50 draws: each is right on average."
    found = []
    for seed in range(50):
        r = np.random.default_rng(seed)
        signal = np.zeros((40,40)); signal[10:30,10:30] = 300
        scan = lambda: np.hypot(signal+r.normal(0, 10, signal.shape), r.normal(0, 10, signal.shape))    # noqa: B023
        one,two,roi,air = scan(), scan(), signal>0, np.zeros_like(signal, bool)
        air[:8] = True
        found.append([Q.snr(one, roi), Q.snr(one, roi, two), Q.snr(one, roi, air=air), Q.cnr(one, roi, air, noise=roi)+Q.snr(one, air)*0])
    assert np.mean(found, 0)[:3] == pytest.approx([30]*3, rel=.02)
    assert np.mean(found, 0)[3] == pytest.approx(30-10*math.sqrt(math.pi/2)/10, rel=.02)

def test_the_table_counts_patients():
    r = np.random.default_rng(0)
    ref = Volume(r.normal(0, 100, (12,20,20)).astype(np.float32), np.diag([3,1,1,1]), 'HU')
    pairs = [(ref.like(ref.data+p+r.normal(0, 1, ref.shape).astype(np.float32)), ref) for p in (1,1,1,1,8,8,8,8)]
    rows, patients = Q.quality_metrics(pairs), Q.quality_metrics(iter(pairs), list('aabbccdd'))
    narrow,wide = rows.estimates['mae'], patients.estimates['mae']
    assert narrow.value == wide.value and wide.n == 4 and narrow.n == 8 and wide.unit == 'HU' and 'clustered by patient' in wide.method
    assert patients.cases.ssim.tolist() == [Q.ssim(*p) for p in pairs]
    with pytest.raises(BadInput, match='no mean error'): Q.quality_metrics([pairs[0], (ref.data, ref.data)], data_range=100)
