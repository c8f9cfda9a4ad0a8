"""Masks in: a SEG of 98 organs against highdicom's reader, and contours against rt_utils. Run on a quiet machine: python benchmarks/segments.py
Both readers run alternately in one process, best of 3; the masks must agree."""
import platform, tempfile, time, warnings
from pathlib import Path
import numpy as np
import pydicom
from radnb.data.contours import read_rtstruct
from radnb.data.dicom import load_series
from radnb.data.phantom import write_dicom
from radnb.data.segments import read_seg
from radnb.data.volume import Volume

def organs(shape, n, seed=0):
    "`n` ellipsoids, each in its own label where they overlap the later one."
    rng, out = np.random.default_rng(seed), np.zeros(shape, np.uint8)
    k,i,j = (np.arange(s) for s in shape)
    for label in range(1, n+1):
        c,r = rng.uniform(.2, .8, 3)*shape, rng.uniform(.04, .14, 3)*shape
        inside = (((k-c[0])/r[0])**2)[:,None,None] + (((i-c[1])/r[1])**2)[None,:,None] + (((j-c[2])/r[2])**2)[None,None,:] < 1
        out[inside] = label
    return out

def alternately(readers, n=3):
    "Best seconds of each reader and what it gave."
    best, gave = dict.fromkeys(readers, np.inf), {}
    for _ in range(n):
        for name,f in readers.items():
            t = time.perf_counter(); gave[name] = f(); best[name] = min(best[name], time.perf_counter()-t)
    return best, gave

def write_seg(folder, labels, n):
    import highdicom as hd
    from pydicom.sr.codedict import codes
    vol = Volume(np.zeros(labels.shape, np.int16), np.array([[0,0,-.8,200], [0,-.8,0,200], [1.,0,0,-100], [0,0,0,1]]), 'HU')
    files = write_dicom(vol, folder/'ct', patient_id='SYNTHETIC')
    headers = [pydicom.dcmread(f) for f in files]
    how = hd.AlgorithmIdentificationSequence('benchmark', codes.cid7162.ArtificialIntelligence, '1')
    described = [hd.seg.SegmentDescription(i, f'organ {i}', codes.SCT.Tissue, codes.SCT.Tissue, 'AUTOMATIC', how) for i in range(1, n+1)]
    seg = hd.seg.Segmentation(headers, labels, 'BINARY', described, hd.UID(), 100, hd.UID(), 1, 'radnb', 'benchmark', '1', '0')
    seg.save_as(folder/'seg.dcm')
    return folder/'seg.dcm', seg.NumberOfFrames

def main(n=98, shape=(150,512,512)):
    import highdicom as hd
    from rt_utils import RTStructBuilder
    rows = []
    with tempfile.TemporaryDirectory() as d, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        d = Path(d); labels = organs(shape, n)
        file, frames = write_seg(d, labels, n)
        ct = load_series(d/'ct')
        best,gave = alternately({'radnb': lambda: read_seg(file, like=ct).data,
                                 'highdicom': lambda: hd.seg.segread(file).get_volume(combine_segments=True, skip_overlap_checks=False, allow_missing_positions=True).array})
        assert np.array_equal(gave['radnb'], labels)
        rows.append((f'SEG, {n} segments, {frames} frames of {shape[1]} x {shape[2]}', best['radnb'], 'highdicom', best['highdicom']))
        rt = RTStructBuilder.create_new(dicom_series_path=str(d/'ct'))
        for label in range(1, 21): rt.add_roi(mask=np.moveaxis(labels == label, 0, -1), name=f'organ {label}')
        rt.save(str(d/'rs'))
        rs = d/'rs.dcm'
        def theirs():
            r = RTStructBuilder.create_from(dicom_series_path=str(d/'ct'), rt_struct_path=str(rs))
            return {name: np.moveaxis(r.get_roi_mask_by_name(name), -1, 0) for name in r.get_roi_names()}
        best,gave = alternately({'radnb': lambda: read_rtstruct(rs, load_series(d/'ct'), overlap='separate', on_line=True), 'rt_utils': theirs})
        for v in gave['radnb'].values():
            name, = v.names.values(); a,b = v.data > 0, gave['rt_utils'][name]
            assert 2*(a & b).sum()/max(1, a.sum()+b.sum()) > .99, name
        rows.append((f'RTSTRUCT, 20 regions, image of {shape[0]} slices loaded too', best['radnb'], 'rt_utils', best['rt_utils']))
    print(f'Python {platform.python_version()}\n\n| what | radnb s | other | s | ratio |\n|---|---|---|---|---|')
    for what,a,name,b in rows: print(f'| {what} | {a:.2f} | {name} | {b:.2f} | {b/a:.1f} |')

if __name__ == '__main__': main()
