"""Dice, HD95, NSD at 1 mm and ASSD of two masks of 256 x 256 x 256 voxels, radnb against MONAI and DeepMind's surface-distance, in interleaved rounds.

Run on a quiet machine: python benchmarks/surface.py [rounds]. Peers that are not installed are left out. All run in one thread; ratios are of processor time,
which suffers least from whatever else is running. Values are compared: with surfels to DeepMind's, with border voxels to MONAI's.
"""
import os
for k in ('OMP_NUM_THREADS','MKL_NUM_THREADS'): os.environ.setdefault(k, '1')
import sys, time, warnings
from importlib.util import find_spec
from pathlib import Path
from statistics import median
import numpy as np
from radnb.measure.metrics import segment_metrics

SPACING, TOLERANCE, SIZE = (1.2,.8,.8), 1., 256

def organs():
    "Two outlines of two organs, a few voxels off (synthetic)."
    z,y,x = np.ogrid[:SIZE,:SIZE,:SIZE]
    ball = lambda c,r: ((z-c[0])/r[0])**2+((y-c[1])/r[1])**2+((x-c[2])/r[2])**2 <= 1
    return (ball((120,110,90),(55,45,50)) | ball((150,160,180),(30,35,28)), ball((122,109,93),(53,47,49)) | ball((150,158,182),(31,34,30)))

def hippocampus(folder):
    "A real hippocampus, zoomed until it fills the volume, and the same moved by 1, 2 and 3 voxels."
    import nibabel as nib
    from scipy.ndimage import zoom
    m = np.asarray(nib.load(sorted(folder.glob('*.nii*'))[0]).dataobj) > 0
    m = m[tuple(slice(i.min(), i.max()+1) for i in np.nonzero(m))]
    m = zoom(m.astype(np.float32), 200/max(m.shape), order=1) > .5
    out = np.zeros((SIZE,)*3, bool)
    out[tuple(slice((SIZE-n)//2, (SIZE-n)//2+n) for n in m.shape)] = m
    return out, np.roll(out, (1,2,3), (0,1,2))

def radnb(p, t, surface):
    row = segment_metrics(p, t, SPACING, tolerance=TOLERANCE, surface=surface).iloc[0]
    return row.dice, row.hd95_mm, row.nsd, row.assd_mm

def deepmind(p, t):
    import surface_distance as sd
    s = sd.compute_surface_distances(t, p, SPACING)
    a,b = s['surfel_areas_gt'], s['surfel_areas_pred']
    d = sd.compute_average_surface_distance(s)
    return (sd.compute_dice_coefficient(t, p), sd.compute_robust_hausdorff(s, 95), sd.compute_surface_dice_at_tolerance(s, TOLERANCE),
            (d[0]*a.sum()+d[1]*b.sum())/(a.sum()+b.sum()))    # both averages pooled

def monai(p, t):
    import torch
    from monai.metrics import compute_average_surface_distance, compute_dice, compute_hausdorff_distance, compute_surface_dice
    a,b = (torch.from_numpy(m)[None,None] for m in (p,t))
    f = dict(include_background=True, spacing=SPACING)
    return tuple(float(v) for v in (compute_dice(a, b), compute_hausdorff_distance(a, b, percentile=95, **f), compute_surface_dice(a, b, [TOLERANCE], **f),
                                    compute_average_surface_distance(a, b, symmetric=True, **f)))

def main(rounds=5):
    warnings.filterwarnings('ignore')
    tools = {'radnb, surfels': lambda p,t: radnb(p, t, 'surfels'), 'radnb, voxels': lambda p,t: radnb(p, t, 'voxels')}
    if find_spec('surface_distance'): tools['DeepMind'] = deepmind
    if find_spec('monai'):
        import torch
        torch.set_num_threads(1); tools['MONAI'] = monai
    real = Path(os.environ.get('RADNB_DATA', 'data'))/'msd_hippocampus'/'labels'
    pairs = {'two organs (synthetic)': organs()} | ({'hippocampus, zoomed': hippocampus(real)} if real.is_dir() else {})
    for title,(p,t) in pairs.items():
        values, seconds = {name: f(p, t) for name,f in tools.items()}, {name: [] for name in tools}    # once to warm up
        for _ in range(rounds):
            for name,f in tools.items():
                start = time.process_time(); f(p, t); seconds[name].append(time.process_time()-start)
        print(f'{title}: {p.sum()} and {t.sum()} voxels, {rounds} rounds')
        for name in tools:
            ours = 'radnb, voxels' if name=='MONAI' else 'radnb, surfels'
            ratio = median(a/b for a,b in zip(seconds[name], seconds[ours]))
            far = max(abs(a-b) for a,b in zip(values[name], values[ours])) if name in ('MONAI','DeepMind') else 0
            print(f'  {name:15} {median(seconds[name]):6.3f} s   Dice %.6f  HD95 %.6f  NSD %.6f  ASSD %.6f' % values[name] +
                  (f'   {ratio:5.1f} x {ours}; values differ by at most {far:.1e}' if name in ('MONAI','DeepMind') else ''))
        if 'MONAI' in seconds: print(f"  MONAI takes {median(a/b for a,b in zip(seconds['MONAI'], seconds['radnb, surfels'])):.1f} x radnb with surfels")

if __name__ == '__main__': main(*map(int, sys.argv[1:]))
