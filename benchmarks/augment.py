"""Affine + elastic + noise on 96^3 patches with their masks: radnb's batch augmentation against TorchIO and MONAI, in interleaved rounds on the CPU, and on a GPU where there is one.

Run on a quiet machine: python benchmarks/augment.py [rounds]. Every tool rotates by up to 15 degrees about all axes, scales by up to 10 %, bends with the same spacing of control points
where it lets one choose, adds Gaussian noise, and moves the mask by nearest neighbour. Each changes every patch. MONAI's `Rand3DElastic` does affine and bend in one resampling, as radnb does;
TorchIO has two transforms, which its `Compose` applies one after the other. All may use all cores.
"""
import os, platform, sys, time, warnings
import numpy as np, torch
warnings.filterwarnings('ignore')

BATCH, N = 4, 96

def patches(seed=0):
    "A batch of synthetic patches (n, 1, 96, 96, 96), 0 to 1, and masks with three labels"
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.linspace(-1, 1, N)]*3, indexing='ij')
    r = sum(a**2 for a in axes)
    mask = (r < .7).astype(np.int64)+(r < .4)+(r < .1)
    image = np.stack([mask*.3+rng.normal(.05, .02, mask.shape) for _ in range(BATCH)])
    return torch.from_numpy(image).float().clamp(0, 1)[:,None], torch.from_numpy(np.repeat(mask[None], BATCH, 0))

def radnb(device='cpu'):
    from radnb.train.augment import Affine, Augment, Elastic, Noise
    from radnb.train.reading import MaskVolume3d, TensorVolume3d
    aug = Augment(Affine(15, 15, .1, shift=0, p=1.), Elastic(8, points=7, p=1.), Noise(.05, p=1.))
    def run(x, y):
        out = aug((TensorVolume3d(x.to(device)), MaskVolume3d(y.to(device))), split_idx=0)
        if device != 'cpu': torch.cuda.synchronize()
        return out
    return run

def torchio():
    import torchio as tio
    aug = tio.Compose([tio.RandomAffine(scales=.1, degrees=15, default_pad_value=0), tio.RandomElasticDeformation(7, 8), tio.RandomNoise(std=(0,.05))])
    return lambda x, y: [aug(tio.Subject(image=tio.ScalarImage(tensor=i), mask=tio.LabelMap(tensor=m[None]))) for i,m in zip(x, y)]

def monai():
    from monai.transforms import Compose, Rand3DElasticd, RandGaussianNoised
    aug = Compose([Rand3DElasticd(('image','mask'), sigma_range=(8,10), magnitude_range=(50,100), prob=1., rotate_range=[np.pi/12]*3, scale_range=[.1]*3,
                                  mode=('bilinear','nearest'), padding_mode='zeros'), RandGaussianNoised('image', prob=1., std=.05)])
    return lambda x, y: [aug(dict(image=i, mask=m[None])) for i,m in zip(x, y)]

def main(rounds=5):
    print(f'Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores, batches of {BATCH} patches of {N}^3 with masks, {rounds} rounds\n')
    tools = dict(radnb=radnb(), TorchIO=torchio(), MONAI=monai())
    if torch.cuda.is_available(): tools[f'radnb on {torch.cuda.get_device_name()}'] = radnb('cuda')
    x,y = patches()
    wall, cpu = {t: [] for t in tools}, {t: [] for t in tools}
    for warm_up in (True, *[False]*rounds):
        for tool,f in tools.items():
            t,c = time.perf_counter(), time.process_time()
            f(x, y)
            if not warm_up: wall[tool].append(time.perf_counter()-t); cpu[tool].append(time.process_time()-c)
    print('| tool | patches per second (best) | median | radnb is faster by: best, processor time |\n|---|---|---|---|')
    for tool in tools:
        w,c = min(wall[tool]), min(cpu[tool])
        print(f'| {tool} | {BATCH/w:.1f} | {BATCH/np.median(wall[tool]):.1f} | {w/min(wall["radnb"]):.1f}, {c/min(cpu["radnb"]):.1f} |')

if __name__ == '__main__': main(*map(int, sys.argv[1:2]))
