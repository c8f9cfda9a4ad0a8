"""Dice against minutes of training: radnb and a plain MONAI U-Net on the same 160 hippocampi, judged on the same 40 patients.

    RADNB_DATA=... python benchmarks/hippocampus.py both minutes=40 [threads=2] [out=hippocampus]

A minute is a minute of two cores: processor time / 2, so that a busy machine does not count (`wall` is kept beside it). Judging, reading and imports are outside the clock of both; the time that
radnb takes to choose the number of epochs is inside. MONAI's arm is plain: a residual U-Net of 16 to 128 channels, AdamW at 1e-3, batches of four random patches of the same size, z-scores, Dice +
cross-entropy. radnb's is `segment_dls` and `segment_learner` with one call of fit. Arms that were run before are read back from OUT.json for the table and the figure.
"""
import json, os, sys, time, warnings
from pathlib import Path
import numpy as np, pandas as pd, torch

MARKS = (.25,.5,.75,1,1.5,2,3,4,5,6,8,10,12,15,20,25,30,35,40)
NAMES = {1: 'anterior', 2: 'posterior'}
DATA = Path(os.environ.get('RADNB_DATA', '../shared/data'))/'msd_hippocampus'

def table():
    images = sorted((DATA/'images').glob('*.nii.gz'))
    return pd.DataFrame(dict(PatientID=[p.name[:-7] for p in images], image=[str(p) for p in images], mask=[str(DATA/'labels'/p.name) for p in images]))

def dice(called, true): return [2*float(((called == l) & (true == l)).sum())/max(float((called == l).sum()+(true == l).sum()), 1) for l in NAMES]

def judge(net, valid):
    "Dice of every patient: (patients, labels)."
    net.eval()
    with torch.no_grad(): return [dice(net(x).argmax(1), y) for x,y in valid]

class Curve:
    "Minutes of two cores, without judging; at each mark the Dice of every patient."
    def __init__(self, tool, minutes, judge):
        self.tool,self.judge,self.rows = tool, judge, []
        self.marks = sorted({m for m in MARKS if m < minutes} | {minutes})
        self.skip,self.wall_skip,self.start,self.wall_start = 0, 0, time.process_time(), time.perf_counter()
    def minutes(self): return (time.process_time()-self.start-self.skip)/120
    def due(self): return bool(self.marks) and self.minutes() >= self.marks[0]

    def mark(self, steps):
        now,wall,t,w = self.minutes(), (time.perf_counter()-self.wall_start-self.wall_skip)/60, time.process_time(), time.perf_counter()
        each = self.judge()
        self.rows.append(dict(minutes=now, wall=wall, steps=steps, dice=each))
        while self.marks and self.marks[0] <= now: self.marks.pop(0)
        print(f'{self.tool}: {now:5.2f} min ({wall:.1f} by the clock), {steps} steps, Dice {np.mean(each, 0).round(4).tolist()}', flush=True)
        self.skip += time.process_time()-t; self.wall_skip += time.perf_counter()-w

def radnb(minutes):
    from fastai.callback.core import Callback, CancelFitException
    from radnb.all import PatientSplitter, evaluate, segment_dls, segment_learner
    warnings.filterwarnings('ignore', message='Left and right')   # these hippocampi come from both sides, and no label has a side
    dls = segment_dls(table(), names=NAMES, splitter=PatientSplitter(.2, 0), flips=('LR',), bs=4, passes=1)
    valid = [tuple(t.as_subclass(torch.Tensor) for t in b) for b in dls.valid]
    make = lambda: segment_learner(dls, channels=(16,32,64,128))

    class Marks(Callback):
        order = 70
        def judge(self):
            mean,model = self.learn.average_weights, self.learn.model
            mean._hold(True)
            each = judge(model, valid)
            mean._hold(False); model.train()
            return each
        def before_fit(self): self.steps = 0; curve.judge = self.judge
        def after_batch(self):
            if not self.training: return
            self.steps += 1
            if curve.due(): curve.mark(self.steps)
            if not curve.marks: raise CancelFitException()

    curve = Curve('radnb', minutes, None)
    trial,t = make(), time.process_time()
    batches = iter(dls.train)
    for _ in range(4):
        x,y = next(batches)
        trial.model.train(); trial.loss_func(trial.model(x), y).backward()
    epoch = (time.process_time()-t)/4/120*len(dls.train)
    n = max(int(minutes/epoch), 1)
    print(f'radnb: an epoch takes about {epoch:.2f} min: {n} epochs', flush=True)
    learn = make()
    learn._do_epoch_validate = lambda *args, **kwargs: None          # judged at the marks instead
    marks = Marks()
    with learn.no_bar(), learn.no_logging(): learn.fit_flat_cos(n, 3e-3, pct_start=.5, cbs=marks)
    if curve.marks:
        curve.judge = lambda: judge(learn.model, valid)
        curve.mark(marks.steps)
    print(evaluate(learn))
    return curve.rows

def monai(minutes):
    from monai.losses import DiceCELoss
    from monai.networks.nets import UNet
    from monai.transforms import Compose, DivisiblePad, EnsureChannelFirstd, LoadImaged, NormalizeIntensityd, RandCropByPosNegLabeld, SpatialPadd
    from radnb.train.splits import PatientSplitter
    df,keys,patch = table(), ['image','label'], (32,48,32)
    load = Compose([LoadImaged(keys), EnsureChannelFirstd(keys), NormalizeIntensityd('image')])
    items = [load(dict(image=r.image, label=r['mask'])) for _,r in df.iterrows()]
    train,held = PatientSplitter(.2, 0)(df)
    cut = Compose([SpatialPadd(keys, patch), RandCropByPosNegLabeld(keys, 'label', patch, pos=4, neg=1, num_samples=1)])
    cut.set_random_state(0); torch.manual_seed(0)
    net = UNet(spatial_dims=3, in_channels=1, out_channels=3, channels=(16,32,64,128), strides=(2,2,2), num_res_units=2)
    opt,loss_func,rng = torch.optim.AdamW(net.parameters(), 1e-3), DiceCELoss(to_onehot_y=True, softmax=True), np.random.default_rng(0)
    pad = DivisiblePad(8)
    valid = [(pad(items[i]['image'])[None].as_tensor(), pad(items[i]['label']).as_tensor()) for i in held]

    def judged():
        each = judge(net, valid)
        net.train()
        return each

    curve,steps = Curve('monai', minutes, judged), 0
    while curve.marks:
        for chosen in rng.permutation(train).reshape(-1, 4):
            parts = [cut(items[i])[0] for i in chosen]
            x,y = (torch.stack([p[k].as_tensor() for p in parts]) for k in keys)
            opt.zero_grad(); loss_func(net(x), y).backward(); opt.step()
            steps += 1
            if curve.due(): curve.mark(steps)
            if not curve.marks: break
    return curve.rows

def interval(v, n=2000):
    "Mean and 95 % interval over patients, percentile bootstrap."
    v = np.asarray(v)
    means = v[np.random.default_rng(0).integers(0, len(v), (n, len(v)))].mean(1)
    return v.mean(), *np.percentile(means, (2.5,97.5))

def report(runs, png):
    from matplotlib.figure import Figure
    for tool,rows in runs.items():
        print(f'\n| {tool}: minutes | steps | anterior | posterior |\n|---|---|---|---|')
        for r in rows: print(f'| {r["minutes"]:.2f} | {r["steps"]} | ' + ' | '.join('{:.3f} ({:.3f} to {:.3f})'.format(*interval(np.array(r['dice'])[:,k])) for k in (0,1)) + ' |')
    fig = Figure(figsize=(9,3.2), layout='constrained')
    for k,(ax,name,goal) in enumerate(zip(fig.subplots(1, 2, sharey=True), NAMES.values(), (.885,.875))):
        for (tool,rows),c in zip(runs.items(), ('#0072B2','#D55E00')):
            m,lo,hi = np.array([interval(np.array(r['dice'])[:,k]) for r in rows]).T
            x = [r['minutes'] for r in rows]
            ax.plot(x, m, marker='.', color=c, label=tool); ax.fill_between(x, lo, hi, color=c, alpha=.15, lw=0)
        ax.axhline(goal, color='grey', lw=.8, ls=':')
        ax.set(xscale='log', ylim=(.6,.92), xlabel='minutes on two cores', ylabel='Dice, 40 patients' if k == 0 else None, title=name)
        ax.legend(frameon=False, loc='lower right')
    fig.savefig(png, dpi=80)

def main(which='both', minutes='40', threads='2', out='hippocampus'):
    torch.set_num_threads(int(threads))
    path = Path(out).with_suffix('.json')
    runs = json.loads(path.read_text()) if path.exists() else {}
    for tool,run in dict(radnb=radnb, monai=monai).items():
        if which in ('both',tool): runs[tool] = run(float(minutes)); path.write_text(json.dumps(runs))
    report(runs, path.with_suffix('.png'))

if __name__ == '__main__': main(*[a for a in sys.argv[1:] if '=' not in a], **dict(a.split('=') for a in sys.argv[1:] if '=' in a))
