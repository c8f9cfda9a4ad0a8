"""A network at work: onnxruntime against torch for a 3D U-Net seen window by window, and how long the first answer takes after the start of Python.

    OMP_NUM_THREADS=1 python benchmarks/deploy.py [--size 96] [--rounds 3]

Times are processor seconds of one thread, measured in turns, and the smallest counts: what is told are ratios. The scan and the network are synthetic."""
import argparse, subprocess, sys, tempfile, textwrap, warnings
from pathlib import Path
import numpy as np
from seg import alternately

def learner(size):
    import pandas as pd
    from radnb.data.volume import Volume
    from radnb.train.segment import segment_dls, segment_learner
    rng = np.random.default_rng(0)
    def scan(i):
        x = rng.normal(0, .1, (size,)*3).astype(np.float32); y = np.zeros(x.shape, np.uint8); y[size//4:size//2, size//4:size//2, size//4:size//2] = 1
        vol = Volume(x+.5*y, np.diag([-1.,-1,1,1])[:,[2,1,0,3]])
        return dict(PatientID=f'S{i}', volume=vol, mask=vol.like(y, 'label', {1: 'lesion'}))
    df = pd.DataFrame([scan(i) for i in range(4)])
    learn = segment_learner(segment_dls(df, window=(.5,1.), spacing=1., patch=(48,48,48), aug=False, bs=2))
    learn.model.max_voxels = 48**3                    # so that it goes through in windows
    return learn, df.volume[0]

_START = dict(load_predictor='''
    import warnings; warnings.simplefilter('ignore')
    from radnb.share.predictor import load_predictor
    load_predictor(PATH, threads=1).predict(SCAN).probability
''', load_learner='''
    import warnings; warnings.simplefilter('ignore')
    from radnb.all import load_learner
    import torch; torch.set_num_threads(1)
    load_learner(PATH).predict_probability(SCAN)
''')

def started(kind, path, scan):
    "Processor seconds of a Python that starts, loads and answers once."
    code = textwrap.dedent(_START[kind]).replace('PATH', repr(str(path))).replace('SCAN', repr(str(scan)))+'\nimport time; print(time.process_time())'
    return float(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.split()[-1])

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--size', type=int, default=96); p.add_argument('--rounds', type=int, default=3)
    a = p.parse_args()
    warnings.simplefilter('ignore')
    import torch
    from radnb.share.onnx_export import export_onnx
    from radnb.share.predictor import load_predictor
    torch.set_num_threads(1)
    learn,vol = learner(a.size)
    with tempfile.TemporaryDirectory() as tmp:
        folder = export_onnx(learn, Path(tmp)/'model', rows=1)
        predictor = load_predictor(folder, threads=1)
        differs = np.abs(predictor.predict(vol).probability.data-learn.predict_probability(vol).data).max()
        t = alternately(dict(torch=lambda: learn.predict_probability(vol), onnx=lambda: predictor.predict(vol)), a.rounds)
        print(f'{a.size}^3 in windows of 48^3: torch {t["torch"]:.2f} s, onnxruntime {t["onnx"]:.2f} s, ratio {t["torch"]/t["onnx"]:.2f}; largest difference {differs:.1e}')
        learn.export(Path(tmp)/'learner.pkl')
        small = vol.crop((0,0,0), (32,32,32)); small.to_nifti(Path(tmp)/'scan.nii.gz')
        files = dict(load_predictor=folder, load_learner=Path(tmp)/'learner.pkl')
        s = {k: min(started(k, files[k], Path(tmp)/'scan.nii.gz') for _ in range(a.rounds)) for k in _START}
        a,b = s['load_learner'], s['load_predictor']
        print(f'from the start of Python to the first answer (32^3): load_learner {a:.2f} s, load_predictor {b:.2f} s, ratio {a/b:.1f}')

if __name__ == '__main__': main()
