"""A mask of 98 organs written as DICOM SEG, against highdicom's plain use. Run on a quiet machine: python benchmarks/seg.py [slices]
Both write alternately in one process, by processor time, best of `n`; the pixel data must be the same, byte for byte."""
import platform, sys, tempfile, time, warnings
from functools import partial
from pathlib import Path
import numpy as np
import pydicom
from radnb.data.dicom import load_series
from radnb.data.phantom import write_dicom
from radnb.data.volume import Volume
from radnb.share.seg import save_seg
from segments import organs


def theirs(headers, labels, n, path, kind):
    "As highdicom's documentation does it."
    import highdicom as hd
    from pydicom.sr.codedict import codes
    how = hd.AlgorithmIdentificationSequence('benchmark', codes.cid7162.ArtificialIntelligence, '1')
    described = [hd.seg.SegmentDescription(i, f'organ {i}', codes.SCT.Tissue, codes.SCT.Tissue, 'AUTOMATIC', how) for i in range(1, n+1)]
    seg = hd.seg.Segmentation(headers(), labels, kind.upper(), described, hd.UID(), 100, hd.UID(), 1, 'radnb', 'benchmark', '1', '0')
    seg.save_as(path)
    return path


def alternately(writers, n):
    "Best processor seconds of each."
    best = dict.fromkeys(writers, np.inf)
    for _ in range(n):
        for name,f in writers.items():
            t = time.process_time(); f(); best[name] = min(best[name], time.process_time()-t)
    return best


def main(slices=300, n=98, times=2):
    with tempfile.TemporaryDirectory() as d, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        d = Path(d); labels = organs((slices,512,512), n)
        vol = Volume(np.zeros(labels.shape, np.int16), np.array([[0,0,-.8,200], [0,-.8,0,200], [1.,0,0,-100], [0,0,0,1]]), 'HU')
        files = write_dicom(vol, d/'ct', patient_id='SYNTHETIC')
        ct = load_series(d/'ct', lazy=True)
        mask = ct.like(labels, 'label', {i: f'organ {i}' for i in range(1, n+1)})
        headers = lambda: [pydicom.dcmread(f, stop_before_pixels=True) for f in files]
        print(f'{platform.machine()}, {platform.python_version()}; {n} organs on {slices} slices of 512 x 512 (synthetic); seconds of one core')
        for kind in ('binary', 'labelmap'):
            best = alternately({'radnb': partial(save_seg, mask, ct, d/'ours.dcm', kind=kind), 'highdicom': partial(theirs, headers, labels, n, d/'theirs.dcm', kind)}, times)
            ours, other = pydicom.dcmread(d/'ours.dcm'), pydicom.dcmread(d/'theirs.dcm')
            assert ours.PixelData == other.PixelData
            size = (d/'ours.dcm').stat().st_size/1e6
            print(f'{kind}: {ours.NumberOfFrames} frames, {size:.0f} MB: radnb {best["radnb"]:.2f} s, highdicom {best["highdicom"]:.2f} s, '
                  f'{best["highdicom"]/best["radnb"]:.1f} times')


if __name__ == '__main__': main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
