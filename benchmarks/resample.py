"""Resampling a CT of 300 x 512 x 512 voxels, radnb against its peers, in interleaved rounds, with their results compared.

Run on a quiet machine: python benchmarks/resample.py [rounds]. Peers that are not installed are left out.
Every tool gets the same array and the same target grid (TorchIO rounds its result to the image's own int16, the others give float32). All use all
processors as they see fit; processor time counts those of all threads and suffers least from whatever else is running.
"""
import os, platform, subprocess, sys, tempfile, time
from importlib.util import find_spec
import numpy as np
from radnb.data.volume import Volume, to_sitk

def body(shape, seed=0):
    "Something with the texture of a CT (int16 HU) and organs (uint8 labels)"
    rng = np.random.default_rng(seed)
    z,y,x = np.ogrid[-1:1:shape[0]*1j, -1:1:shape[1]*1j, -1:1:shape[2]*1j]
    labels = np.zeros(shape, np.uint8)
    for l in range(1, 21):
        c, r = rng.uniform(-.6, .6, 3), rng.uniform(.1, .3, 3)
        labels[((z-c[0])/r[0])**2+((y-c[1])/r[1])**2+((x-c[2])/r[2])**2 < 1] = l
    hu = (rng.standard_normal(shape, np.float32)*30+labels*20-500).astype(np.int16)
    return hu, labels

def peers(vol, grid, label):
    "{tool: function that resamples `vol` onto `grid` and returns (slice, row, column)}"
    import SimpleITK as sitk
    out = {'radnb': lambda: vol.resample(like=grid, outside=0).data}
    src, ref = to_sitk(vol), to_sitk(grid)
    how, kind = (sitk.sitkNearestNeighbor, sitk.sitkUInt8) if label else (sitk.sitkLinear, sitk.sitkFloat32)
    out['SimpleITK'] = lambda: sitk.GetArrayFromImage(sitk.Resample(src, ref, sitk.Transform(), how, 0., kind))
    M = np.linalg.inv(vol.affine)@grid.affine
    from scipy.ndimage import affine_transform
    order, dtype = (0, np.uint8) if label else (1, np.float32)
    out['scipy'] = lambda: affine_transform(vol.data, M[:3,:3], M[:3,3], grid.shape, dtype, order=order)
    if find_spec('torchio'):
        import torch, torchio
        image = (torchio.LabelMap if label else torchio.ScalarImage)(tensor=torch.from_numpy(vol.data)[None], affine=vol.affine)
        resample = torchio.Resample((grid.shape, grid.affine), image_interpolation='linear')
        out['TorchIO'] = lambda: resample(image).numpy()[0]
    if find_spec('monai'):
        import torch
        from monai.data import MetaTensor
        from monai.transforms import SpatialResample
        tensor = MetaTensor(torch.from_numpy(vol.data)[None], affine=torch.from_numpy(vol.affine))
        again = SpatialResample(mode='nearest' if label else 'bilinear', padding_mode='border', align_corners=True, dtype=torch.float32)
        out['MONAI'] = lambda: again(tensor, dst_affine=torch.from_numpy(grid.affine), spatial_size=grid.shape).numpy()[0].astype(dtype)
    if find_spec('torch') and np.allclose(M[:3,:3], np.diag(np.diag(M))[:3,:3]):
        import torch
        t, scale = torch.from_numpy(vol.data)[None,None], tuple((1/np.diag(M)[:3]).tolist())
        mode = dict(mode='nearest-exact') if label else dict(mode='trilinear', align_corners=False)
        interpolate = torch.nn.functional.interpolate
        out['torch interpolate (no affine)'] = lambda: interpolate(t if label else t.float(), scale_factor=scale, **mode)[0,0].numpy()
    return out

def decided(vol, grid, label, margin=.5):
    "New voxels well inside the image (edge rules differ), and not halfway between two voxels (labels)"
    lo, hi, ok = margin, np.array(vol.shape)-1-margin, np.ones(grid.shape, bool)
    M = np.linalg.inv(vol.affine)@grid.affine
    for a in range(3):
        p = M[a,3]+sum(M[a,b]*np.arange(n).reshape([-1 if b == c else 1 for c in range(3)]) for b,n in enumerate(grid.shape))
        ok &= (p >= lo) & (p <= hi[a])
        if label: ok &= np.abs(p-np.floor(p)-.5) > 1e-3
    return ok

def compare(name, vol, grid, label, rounds):
    tools = peers(vol, grid, label); wall, cpu, results = {t: [] for t in tools}, {t: [] for t in tools}, {}
    for warm_up in (True, *[False]*rounds):
        for tool,f in tools.items():
            results.pop(tool, None)   # the memory of the round before may be used again
            t,c = time.perf_counter(), time.process_time()
            results[tool] = f()
            if warm_up: continue   # imports, compiled loops from the disk
            wall[tool].append(time.perf_counter()-t); cpu[tool].append(time.process_time()-c)
    ok, ours = decided(vol, grid, label), results['radnb'].astype(np.float32)
    print(f'\n{name}: {" x ".join(map(str, vol.shape))} to {" x ".join(map(str, grid.shape))}, {rounds} rounds\n')
    print('| tool | best, s | median, s | processor time (best), s | times radnb: best, processor | against radnb |\n|---|---|---|---|---|---|')
    for tool in tools:
        w,c = min(wall[tool]), min(cpu[tool])
        diff = np.abs(results[tool].astype(np.float32)-ours)[ok]
        agree = f'{(diff > 0).sum()} of {diff.size} voxels differ' if label else f'largest difference {diff.max():.2g} HU'
        ratios = f'{w/min(wall["radnb"]):.1f}, {c/min(cpu["radnb"]):.1f}'
        print(f'| {tool} | {w:.3f} | {np.median(wall[tool]):.3f} | {c:.2f} | {ratios} | {"" if tool == "radnb" else agree} |', flush=True)

_FIRST = """import time, numpy as np
from radnb.data.volume import Volume
v = Volume(np.zeros((40,40,40), np.int16), unit='HU')
t = time.perf_counter(); v.resample(1.1); print(time.perf_counter()-t)"""

def first_call():
    "Seconds that a first call takes: on a new machine (the loops are compiled), and in a new process (they are on disk)."
    with tempfile.TemporaryDirectory() as d:
        env = dict(os.environ, NUMBA_CACHE_DIR=d)
        run = lambda: float(subprocess.run([sys.executable, '-c', _FIRST], env=env, capture_output=True, text=True, check=True).stdout)
        cold, warm = run(), min(run() for _ in range(3))
    print(f'\nThe first call of a process takes {cold:.1f} s on a new machine (compiling), {warm:.2f} s later on (importing numba).')

def main(rounds=3):
    print(f'Python {platform.python_version()}, {os.cpu_count()} cores')
    hu, labels = body((300,512,512))
    affine = np.array([[0,0,-.7421875,180.], [0,-.7421875,0,200], [1.28,0,0,-500], [0,0,0,1]])
    ct, seg = Volume(hu, affine, 'HU'), Volume(labels, affine, 'label')
    straight = ct.resample(1.); straight = Volume(np.broadcast_to(np.uint8(0), straight.shape), straight.affine)
    turn, middle = np.eye(4), np.append(ct.physical((np.array(ct.shape)-1)/2), 1)
    c,s = np.cos(.2), np.sin(.2); turn[:3,:3] = np.array([[c,-s,0],[s,c,0],[0,0,1]])@np.array([[1,0,0],[0,c,-s],[0,s,c]])
    turn[:,3] += middle-turn@middle
    oblique = Volume(straight.data, turn@straight.affine)
    for what,grid in (('to 1 mm', straight), ('to 1 mm, full affine (turned by 11 degrees twice)', oblique)):
        compare(f'CT linear {what}', ct, grid, False, rounds)
        compare(f'labels nearest {what}', seg, grid, True, rounds)
    took = {}
    seg.crop((0,0,0), (20,20,20)).resample(2., method='majority')
    for method in ('nearest','majority')*rounds:
        t = time.perf_counter(); seg.resample(2., method=method); took[method] = min(took.get(method, 9e9), time.perf_counter()-t)
    print('\nLabels to 2 mm, radnb: ' + ', '.join(f'{m} {t:.3f} s' for m,t in took.items()))
    first_call()

if __name__ == '__main__': main(*map(int, sys.argv[1:2]))
