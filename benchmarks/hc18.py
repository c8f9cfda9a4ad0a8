"""Head circumference from ultrasound: outline the head, fit an ellipse, compare with the sonographer's circumference in mm.

    RADNB_DATA=... python benchmarks/hc18.py [epochs=90] [folds=5] [threads=2] [only=0]

84 images of 70 subjects of HC18 (CC BY 4.0); five folds, no subject on both sides, every image predicted once by a network that has not seen its subject. The annotations
are filled outlines whose line has a width; by how many pixels that makes the head too large is estimated on the training images of each fold and taken off.
"""
import os, sys, time, warnings
from pathlib import Path
import numpy as np, pandas as pd, torch

def table(data):
    from PIL import Image
    df = pd.read_csv(data/'index.csv').rename(columns={'pixel size(mm)': 'mm', 'head circumference (mm)': 'hc'})
    mask = lambda f: (np.asarray(Image.open(data/f.replace('.png','_Annotation.png')).convert('L')) > 0).astype(np.uint8)
    return df.assign(PatientID=df.subject.astype(str), image=[str(data/f) for f in df.filename], mask=[mask(f) for f in df.filename])

def fold(df, k, folds, epochs):
    "Predicted circumferences (mm) and Dice of the held-out rows."
    from radnb.all import PatientKFold, dice, fit_ellipse, segment_dls, segment_learner
    dls = segment_dls(df, ndim=2, size=(96,144), names={1: 'head'}, splitter=PatientKFold(folds, k, seed=0), flips=('LR',), aug=2, bs=4, foreground=0., passes=1)
    learn = segment_learner(dls, channels=(16,24,48,96,128,128))
    learn._do_epoch_validate = lambda *args, **kwargs: None
    with learn.no_bar(), learn.no_logging(): learn.fit_flat_cos(epochs, 3e-3, pct_start=.5)
    train,held = dls.train_ds.items, dls.valid_ds.items
    line = np.mean([(fit_ellipse(r['mask'], r.mm).circumference-r.hc)/r.mm for _,r in train.iterrows()])
    masks = [learn.predict_mask(r).data[0] for _,r in held.iterrows()]
    return held.assign(predicted=[fit_ellipse(m, mm).circumference-line*mm for m,mm in zip(masks, held.mm)], dice=[float(dice(m, t)) for m,t in zip(masks, held['mask'])])

def interval(values, groups, n=5000):
    "Mean and 95 % interval over subjects, percentile bootstrap."
    by = pd.DataFrame(dict(v=np.asarray(values), g=np.asarray(groups))).groupby('g').v.agg(['sum','count']).to_numpy()
    some = by[np.random.default_rng(0).integers(0, len(by), (n, len(by)))].sum(1)
    return f'{np.mean(values):.2f} (95 % CI {np.percentile(some[:,0]/some[:,1], 2.5):.2f} to {np.percentile(some[:,0]/some[:,1], 97.5):.2f})'

def main(epochs='90', folds='5', threads='2', only=None):
    torch.set_num_threads(int(threads))
    warnings.filterwarnings('ignore', message='Left and right')   # a head is a head from either side
    df,start,wall,parts = table(Path(os.environ.get('RADNB_DATA', '../shared/data'))/'hc18'), time.process_time(), time.perf_counter(), []
    for k in range(int(folds)) if only is None else [int(only)]:
        parts.append(fold(df, k, int(folds), int(epochs)))
        print(f'fold {k+1}: {len(parts[-1])} images, mean absolute error {abs(parts[-1].predicted-parts[-1].hc).mean():.2f} mm, {(time.process_time()-start)/60:.1f} min of processor time', flush=True)
    found = pd.concat(parts)
    error = found.predicted-found.hc
    print(f'{len(found)} images of {found.PatientID.nunique()} subjects, each predicted by a network that has not seen its subject')
    for what,v in {'mean absolute error, mm': abs(error), 'mean error, mm': error, 'mean absolute error, %': 100*abs(error)/found.hc, 'Dice': found.dice}.items():
        print(f'{what}: {interval(v, found.PatientID)}')
    print(f'largest error {abs(error).max():.1f} mm; {(time.process_time()-start)/60:.1f} min of processor time, {(time.perf_counter()-wall)/60:.1f} by the clock')

if __name__ == '__main__': main(**dict(a.split('=') for a in sys.argv[1:]))
