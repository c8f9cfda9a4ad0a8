"""How much of a graphics card's time `learn.fit` leaves unused: images and volumes per second of a training, against the bare step (forward, loss, backward, optimizer) of the same
network on one batch that lies on the card. Synthetic images: noise with a bright square or cube. Goal: at least 90 %.

    python benchmarks/gpu.py [--workers 8] [--rounds 5] [--compile]

Without a graphics card it runs small sizes on the CPU, to be tried out."""
import argparse, platform, tempfile, time, warnings
from contextlib import nullcontext
from itertools import product
import numpy as np, pandas as pd, torch
from fastai.callback.core import Callback
from radnb.train.classify import classify_dls, classify_learner
from radnb.train.fitting import half_type
from radnb.train.learner import keep_memory
from radnb.train.segment import segment_dls, segment_learner

GPU = torch.cuda.is_available()

def wait():
    if GPU: torch.cuda.synchronize()

def images(folder, n, shape):
    "Files of noise with a bright middle in every second one, and of its mask."
    def one(i):
        rng,name = np.random.default_rng(i), f'{folder}/{len(shape)}d{i}'
        a,m = rng.integers(0, 200, shape, dtype=np.uint8), np.zeros(shape, np.uint8)
        if i%2 or len(shape) == 3: m[tuple(slice(k//3, 2*k//3) for k in shape)] = 1
        np.save(f'{name}.npy', a+55*m); np.save(f'{name}m.npy', m)
        return dict(PatientID=f'P{i}', path=f'{name}.npy', mask=f'{name}m.npy', label=i%2)
    return pd.DataFrame([one(i) for i in range(n)])

def flat(folder, aug, workers):
    size,bs,n = (224,64,1600) if GPU else (32,8,120)
    dls = classify_dls(images(folder, n, (size,size)), 'label', size=size, bs=bs, aug=aug, valid=.1, num_workers=workers)
    return classify_learner(dls, arch='resnet18'), f'2D resnet18, {size} px, batch {bs}'

def deep(folder, aug, workers):
    size,patch,bs,n,channels = (112,96,4,16,(16,32,64,128)) if GPU else (24,16,2,8,(4,8,16))
    dls = segment_dls(images(folder, n, (size,)*3), names={1: 'cube'}, patch=(patch,)*3, bs=bs, aug=aug, passes=6, num_workers=workers)
    return segment_learner(dls, channels=channels), f'3D U-Net, {patch}^3, batch {bs}'

class Stopwatch(Callback):
    "Images per second of each training epoch, from its first batch asked for to its last step done."
    order = 70
    def __init__(self): self.rates = []
    def before_train(self): wait(); self.start,self.n = time.perf_counter(), 0
    def after_batch(self):
        if self.training: self.n += len(self.x)
    def after_train(self): wait(); self.rates.append(self.n/(time.perf_counter()-self.start))

def bare(learn, batch, steps):
    "Images per second of the step alone."
    *xb,y = [t.as_subclass(torch.Tensor) for t in batch]
    net,opt,half = learn.model.train(), learn.opt, torch.autocast('cuda', half_type('cuda')) if GPU else nullcontext()
    wait(); start = time.perf_counter()
    for _ in range(steps):
        with half: pred = net(*xb)
        learn.loss_func(pred.float(), y).backward()
        opt.step(); opt.zero_grad()
    wait()
    return steps*len(y)/(time.perf_counter()-start)

def measure(make, folder, aug, args):
    learn,name = make(folder, aug, args.workers)
    if args.compile: learn.model.compile()
    watch = Stopwatch()
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)                                             # warm: images cached, algorithms chosen
        learn.add_cb(watch)
        batch,rates = learn.dls.train.one_batch(), []
        bare(learn, batch, 3)
        for _ in range(args.rounds):                             # in turns: whatever else the machine does concerns both
            learn.fit(1)
            rates.append((watch.rates[-1], bare(learn, batch, len(learn.dls.train))))
    ours,alone = np.median(rates, axis=0)
    share = np.median([a/b for a,b in rates])
    return f'| {name} | {"on" if aug else "off"} | {ours:,.1f} | {alone:,.1f} | {share:.0%} |'

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--workers', type=int, default=0); p.add_argument('--rounds', type=int, default=3); p.add_argument('--compile', action='store_true')
    args = p.parse_args()
    warnings.filterwarnings('ignore')
    if not GPU: keep_memory()
    where = f'{torch.cuda.get_device_name()}, {half_type("cuda")}' if GPU else f'{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, float32'
    print(f'{where}; torch {torch.__version__}; {args.workers} workers; median of {args.rounds} rounds\n')
    print('| task | augmentation | learn.fit, images/s | bare step, images/s | share |\n|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        for make,aug in product((flat, deep), (False, True)): print(measure(make, folder, aug, args), flush=True)

if __name__ == '__main__': main()
