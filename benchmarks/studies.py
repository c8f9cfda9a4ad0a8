"""Baseline, arbitration queue and learning curve on real data: PneumoniaMNIST (MedMNIST v2, CC BY 4.0), 28 x 28 pixels.

    RADNB_DATA=... python benchmarks/studies.py [--train 1000] [--epochs 4] [--curve]

The published validation set judges everything; the official test set is not used. Training images that also occur in the validation set are left out. The files do not
say which child an image shows, so intervals count images. Under three minutes of processor time without --curve.
"""
import argparse, hashlib, os, time
from pathlib import Path
import numpy as np, pandas as pd, torch
from radnb.train.baseline import baseline
from radnb.train.classify import classify_dls, classify_learner
from radnb.train.ensemble import arbitrate, ensemble, left_over, needed, settle
from radnb.measure.stats import auc


def cases(n=None):
    "Table and images: training rows first (the first `n`), then validation."
    d = np.load(Path(os.environ['RADNB_DATA'])/'pneumoniamnist'/'pneumoniamnist_trainval.npz')
    seen = {hashlib.sha256(i.tobytes()).digest() for i in d['val_images']}
    keep = [k for k,i in enumerate(d['train_images']) if hashlib.sha256(i.tobytes()).digest() not in seen][:n]
    images = np.concatenate([d['train_images'][keep], d['val_images']])
    y = np.concatenate([d['train_labels'][keep], d['val_labels']]).ravel()
    return pd.DataFrame(dict(pneumonia=y, side=['train']*len(keep)+['validation']*len(d['val_images']))), images


def loaders(n=None, seed=0):
    table,images = cases(n)
    given = lambda df: (list(np.flatnonzero(df.side == 'train')), list(np.flatnonzero(df.side == 'validation')))
    return classify_dls(table, label='pneumonia', images=images, splitter=given, patient=None, bs=64, aug=False, window=(127.5,255), seed=seed)


def timed(what, f):
    start = time.process_time()
    out = f()
    print(f'[{what}: {time.process_time()-start:.1f} s of processor time]')
    return out


def baselines(sizes):
    for n in sizes:
        for model in ('logistic','svm'):
            dls = loaders(n)
            print(timed(f'{model}, {len(dls.train_ds)} images', lambda: baseline(dls, model=model)))


def trained(dls, epochs, seed):
    learn = classify_learner(dls, seed=seed)
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 3e-3)
    return learn


def arbitration(n, epochs):
    dls = loaders(n)
    members = timed(f'3 small networks, {n} images, {epochs} epochs', lambda: [trained(dls, epochs, seed) for seed in range(3)])
    rows = dls.valid_ds.items.reset_index(drop=True)
    y = rows.pneumonia.to_numpy()
    for i,m in enumerate(members): print(f'  member {i}: AUC {auc(y, m.predict_proba(rows)):.3f}')
    together = ensemble(members)
    print(f'  together: AUC {auc(y, together.predict_proba(rows)):.3f}')
    print(members[0].baseline)
    print('together against the baseline:', members[0].baseline.compare(together.predict_proba(rows)).difference)
    for by in ('sd','entropy','mutual_information'):
        queue = timed(f'queue by {by}', lambda: arbitrate(together, rows, by=by))
        print(queue)
        for share in (0,.05,.1,.2): print(f'  {100*share:.0f} % read: accuracy of the others {left_over(queue, round(share*len(rows)))}')
        for target,sure in ((.97,False), (.97,True), (.99,False)): print(' ', needed(queue, target, sure=sure))
    queue = arbitrate(together, rows)
    split = queue.table[queue.table.split]
    print('if a reader who is always right settled the split cases:\n', settle(queue, dict(zip(split.case, split.truth))))


def curve(epochs):
    from radnb.train.studies import learning_curve
    table,images = cases()
    table = table.assign(pixels=list(images))
    c = timed('learning curve', lambda: learning_curve(table, sizes=(50,100,200,400), repeats=2, fit=lambda l: l.fit_one_cycle(epochs, 3e-3), label='pneumonia', patient=None,
                                                       bs=32, aug=False, window=(127.5,255)))
    print(c, c.table, c.reach(.99), sep='\n')


if __name__ == '__main__':
    p = argparse.ArgumentParser()
    p.add_argument('--train', type=int, default=1000)
    p.add_argument('--epochs', type=int, default=4)
    p.add_argument('--curve', action='store_true')
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', torch.get_num_threads())))
    baselines((500, None))
    arbitration(a.train, a.epochs)
    if a.curve: curve(a.epochs)
