"""What a heat map costs: `saliency` beside captum's Grad-CAM alone, and the checks, in processor seconds. Usage: python benchmarks/saliency.py

One thread, a random 224 x 224 picture, ResNet-18, the variants in turn; the median of 7."""
import time
import numpy as np, pandas as pd, torch
from captum.attr import LayerGradCam
from radnb.explain import interpret as I
from radnb.train.classify import classify_dls, classify_learner

def seconds(f):
    t = time.process_time(); f()
    return time.process_time()-t

torch.set_num_threads(1)
rng = np.random.default_rng(0)
df = pd.DataFrame(dict(PatientID=range(8), pixels=list(rng.integers(0, 255, (8,224,224), dtype=np.uint8)), y=[0,1]*4))
learn = classify_learner(classify_dls(df, 'y', bs=2, aug=False), 'resnet18')
row = df.iloc[0]
seen,net = I._see(learn, row), I._copy_of(learn)
ways = {'captum alone': lambda: LayerGradCam(lambda x: net(x)[:,1], net[0]).attribute(seen.x), 'saliency': lambda: I.saliency(learn, row, sanity=False), 'with checks': lambda: I.saliency(learn, row)}
took = [{k: seconds(f) for k,f in ways.items()} for _ in range(7)]
mid = {k: float(np.median([t[k] for t in took])) for k in ways}
for k,v in mid.items(): print(f'{k:>14} {v:6.3f} s')
print(f"saliency beyond captum's forward and backward pass: {mid['saliency']-mid['captum alone']:.3f} s; the checks cost {mid['with checks']/mid['saliency']:.1f} maps")
