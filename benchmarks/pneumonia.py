"""PneumoniaMNIST, 28 x 28 pixels, from scratch: two small networks, strong augmentation, the mean of their probabilities.

    python benchmarks/pneumonia.py pneumonia.pkl [--data FOLDER] [--epochs 18] [--members 2] [--seed 0]

Trained on the training images less those that also occur in validation; the operating point is chosen on the validation images; the official test set is not touched. One process per member.
Prints processor time and one line for the table of results, and writes a learner:
`load_learner('pneumonia.pkl').predict_proba(images)` takes an `(n, 28, 28)` uint8 array."""
import argparse, multiprocessing as mp, os, resource, tempfile, time, warnings
from pathlib import Path
import numpy as np, pandas as pd

def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('out', type=Path)
    p.add_argument('--data', type=Path, default=Path(os.environ.get('RADNB_DATA', Path(__file__).parents[2]/'shared'/'data'))/'pneumoniamnist')
    p.add_argument('--epochs', type=int, default=18)
    p.add_argument('--members', type=int, default=2)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--keep', type=Path, help='folder for the weights of the members; those that are there are not trained again')
    return p.parse_args()

def read(data):
    "Table and images; training images that are also in validation are left out."
    d = np.load(data/'pneumoniamnist_trainval.npz')
    held = {i.tobytes() for i in d['val_images']}
    keep = np.array([i.tobytes() not in held for i in d['train_images']])
    images = np.concatenate([d['train_images'][keep], d['val_images']])
    y = np.concatenate([d['train_labels'][keep], d['val_labels']]).ravel()
    return pd.DataFrame(dict(finding=np.where(y == 1, 'pneumonia', 'normal'), split=np.r_[['train']*keep.sum(), ['validation']*len(held)])), images

def make_dls(data, seed):
    from radnb.train.augment import Affine, Augment, Blur, Contrast, Gamma, Noise
    from radnb.train.classify import classify_dls
    table,images = read(data)
    given = lambda df: (list(np.flatnonzero(df.split == 'train')), list(np.flatnonzero(df.split == 'validation')))
    aug = Augment(Affine(12, 0, .15, shear=.05, shift=.08, p=.9), Gamma(.5), Contrast(.4, .15, p=.7), Blur(.8, p=.3), Noise(.06), seed=seed)
    return classify_dls(table, 'finding', given, images=images, patient=None, classes=['normal','pneumonia'], bs=64, aug=[aug], seed=seed)

def member(data, epochs, seed, path):
    "Train one network."
    warnings.filterwarnings('ignore')
    import torch
    torch.set_num_threads(1)
    from radnb.train.average import AverageWeights
    from radnb.train.classify import classify_learner
    from radnb.train.models import save_weights
    learn = classify_learner(make_dls(data, seed), 'small', balance='weights', smoothing=.05, seed=seed, cbs=AverageWeights(.99))
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, 4e-3)
    learn.history.to_csv(path.with_suffix('.csv'), index=False)
    save_weights(learn.model, path)

def assemble(data, paths, out):
    "One learner of all members, with its operating point; the report on validation."
    from radnb.explain.evaluate import evaluate
    from radnb.measure.stats import youden
    from radnb.train.classify import classify_learner
    from radnb.train.ensemble import ensemble
    dls = make_dls(data, 0)
    members = [classify_learner(dls, 'small', weights=p) for p in paths]
    learn = ensemble(members) if len(members) > 1 else members[0]
    report = evaluate(learn)
    report.set_operating_point(youden(report.y, report.prob, chosen_on='validation'))
    learn.path = out.parent
    learn.export(out.name)
    return report

def used():
    "Processor seconds of this process and of those it started."
    return sum(r.ru_utime+r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))

def main():
    o,start = options(), time.perf_counter()
    with tempfile.TemporaryDirectory() as tmp:
        folder = o.keep or Path(tmp)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder/f'member{o.seed+i}.safetensors' for i in range(o.members)]
        jobs = [mp.get_context('spawn').Process(target=member, args=(o.data, o.epochs, o.seed+i, p)) for i,p in enumerate(paths) if not p.exists()]
        for j in jobs: j.start()
        for j in jobs: j.join()
        if any(j.exitcode for j in jobs): raise SystemExit('A member could not be trained')
        trained = used()
        report = assemble(o.data, paths, o.out.resolve())
    print(report)
    e = report.estimates
    print(f'| `pneumoniamnist` (28 px), validation | AUC {e["AUC"]:.4f}; sensitivity {e["sensitivity"]}, specificity {e["specificity"]}, accuracy {e["accuracy"]} | '
          f'{len(jobs)} x {o.epochs} epochs, {trained/60:.1f} processor minutes of training, {(time.perf_counter()-start)/60:.1f} minutes |')

if __name__ == '__main__': main()
