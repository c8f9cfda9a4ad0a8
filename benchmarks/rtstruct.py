"""A mask of organs written as RTSTRUCT, against rt-utils; and measured, against SimpleITK and scikit-image. Run on a quiet machine: python benchmarks/rtstruct.py [slices]
Both work alternately in one process, by processor time, best of `n`. What each writer wrote is read back with radnb: voxels that are not those of the mask are counted."""
import platform, sys, tempfile, warnings
from pathlib import Path
import numpy as np
from radnb.data.contours import read_rtstruct
from radnb.data.dicom import load_series
from radnb.data.phantom import write_dicom
from radnb.data.volume import Volume, to_sitk
from radnb.measure.shapes import measure_mask
from radnb.share.rtstruct import save_rtstruct
from seg import alternately
from segments import organs


def rt_utils(folder, mask, path):
    "As its documentation does it: a region a call, holes by 'pin hole'."
    from rt_utils import RTStructBuilder
    out = RTStructBuilder.create_new(dicom_series_path=str(folder))
    for n,name in mask.names.items(): out.add_roi(mask=np.moveaxis(mask.data == n, 0, 2), name=name, use_pin_hole=True)
    out.save(str(path))


def itk(mask, vol):
    "Volumes, Feret diameters and intensities by SimpleITK."
    import SimpleITK as sitk
    shapes, values, m = sitk.LabelShapeStatisticsImageFilter(), sitk.LabelStatisticsImageFilter(), to_sitk(mask)
    shapes.ComputeFeretDiameterOn(); shapes.Execute(m)
    values.Execute(to_sitk(vol), m)
    return {n: (shapes.GetPhysicalSize(n)/1000, shapes.GetFeretDiameter(n), values.GetMean(n)) for n in shapes.GetLabels()}


def main(slices=100, n=20, times=2):
    with tempfile.TemporaryDirectory() as d, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        d = Path(d); labels = organs((slices,512,512), n)
        vol = Volume(np.random.default_rng(0).integers(-50, 150, labels.shape).astype(np.int16), np.array([[0,0,-.8,200], [0,-.8,0,200], [1.,0,0,-100], [0,0,0,1]]), 'HU')
        write_dicom(vol, d/'ct', patient_id='SYNTHETIC')
        folder = next((d/'ct').rglob('*.dcm')).parent
        ct = load_series(d/'ct')
        mask = ct.like(labels, 'label', {i: f'organ {i}' for i in range(1, n+1)})
        print(f'{platform.machine()}, {platform.python_version()}; {n} organs on {slices} slices of 512 x 512 (synthetic); seconds of one core')
        best = alternately({'radnb': lambda: save_rtstruct(mask, ct, d/'ours.dcm'), 'rt-utils': lambda: rt_utils(folder, mask, d/'theirs.dcm')}, times)
        off = {f: int(np.count_nonzero(read_rtstruct(d/f'{f}.dcm', ct).data != mask.data)) for f in ('ours','theirs')}
        print(f'written: radnb {best["radnb"]:.2f} s, {off["ours"]} voxels off; rt-utils {best["rt-utils"]:.2f} s, {off["theirs"]} voxels off')
        best = alternately({'radnb': lambda: measure_mask(mask, ct), 'SimpleITK': lambda: itk(mask, ct)}, times)
        ours, theirs = measure_mask(mask, ct).set_index('label'), itk(mask, ct)
        apart = max(abs(ours.volume_ml[k]/v[0]-1)+abs(ours['mean'][k]-v[2]) for k,v in theirs.items())
        print(f'measured: radnb {best["radnb"]:.2f} s (axial, perpendicular and 3D diameters, percentiles), SimpleITK {best["SimpleITK"]:.2f} s (3D diameter); volumes and means differ by {apart:.1e}')


if __name__ == '__main__': main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
