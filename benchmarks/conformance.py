"""Every real volume against other people's readers: dcm2niix, SimpleITK, and the NIfTI files that the publishers of the data made. Same place, same values?

    python benchmarks/conformance.py [folder of DICOM]        prints the table

Needs the real development data (`RADNB_DATA`) and, for its column, the program dcm2niix (`apt-get install dcm2niix`)."""
import os, re, shutil, subprocess, sys, tempfile, warnings
from pathlib import Path
import nibabel as nib
import numpy as np
import pandas as pd
from radnb.core import RadnbError
from radnb.data.dicom import load_series
from radnb.data.scan import scan_files
from radnb.data.series import series_table
from radnb.data.volume import Volume

TOL_MM, RTOL, ATOL = .01, 1e-5, 1e-3

#: Where others differ, and why. (What the row must contain, which reader, what the comparison says, who is right.)
KNOWN = [
    ('single image', 'dcm2niix', 'place', 'a picture without a position: dcm2niix makes one up; the spacing of ultrasound regions (PS3.3 C.8.5.5) it does not read'),
    ('microscopy', 'dcm2niix', 'shape', 'tiles of a slide: dcm2niix stacks them as if they were slices'),
]

def canonical(img):
    "A NIfTI image as a volume with axes towards right, front and head."
    img = nib.as_closest_canonical(img)
    data = np.asarray(img.dataobj)
    return Volume(data.transpose(range(data.ndim)[::-1]), img.affine[:, [2,1,0,3]])

def compare(ours, theirs):
    "(largest distance between corners in mm, largest difference of values relative to tolerance), or the reason why they cannot be compared."
    if ours.data.shape != theirs.data.shape: return f'shape {ours.data.shape} and {theirs.data.shape}'
    corners = np.array(np.meshgrid(*[(0,n-1) for n in ours.shape])).reshape(3,-1).T
    mm = np.abs(ours.physical(corners)-theirs.physical(corners)).max()
    a, b = ours.data.astype(np.float64), theirs.data.astype(np.float64)
    return float(mm), float((np.abs(a-b)/(ATOL+RTOL*np.abs(b))).max())

def run_dcm2niix(program, paths, folder):
    "The NIfTI images that dcm2niix makes of some files; empty if it refuses."
    src, out = Path(folder)/'in', Path(folder)/'out'
    for d in (src, out): shutil.rmtree(d, ignore_errors=True); d.mkdir()
    for i,p in enumerate(paths): os.symlink(os.path.abspath(p), src/f'{i:05d}.dcm')
    subprocess.run([program, '-z', 'n', '-b', 'n', '-p', 'n', '-f', 'out_%s', '-o', out, src], capture_output=True, timeout=120)
    return [nib.load(p) for p in sorted(out.glob('*.nii')) if not re.search(r'_(Eq|Tilt)_?\d*', p.name)]

def by_dcm2niix(vol, paths, program, folder):
    "The best match among what dcm2niix makes of the same files."
    images = run_dcm2niix(program, paths, folder)
    if not images: return 'not read'
    if vol.unit == 'RGB': return 'colour, not compared'
    found = [compare(canonical(vol.to_nifti(None)), canonical(i)) for i in images]
    pairs = [f for f in found if isinstance(f, tuple)]
    return min(pairs, key=max) if pairs else found[0]

def by_simpleitk(vol, paths):
    "SimpleITK's series reader on the same files in the same order."
    import SimpleITK as sitk
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try: img = sitk.ReadImage([str(p) for p in paths] if len(paths) > 1 else str(paths[0]))
    except RuntimeError: return 'not read'
    data = sitk.GetArrayFromImage(img)
    if vol.unit == 'RGB' or img.GetNumberOfComponentsPerPixel() > 1: return 'colour, not compared'
    lps = np.eye(4)
    lps[:3,:3] = (np.array(img.GetDirection()).reshape(3,3)*img.GetSpacing())[:, ::-1] if img.GetDimension() == 3 else np.eye(3)
    lps[:3,3] = np.r_[img.GetOrigin(), 0, 0][:3]
    if data.ndim == 2: data = data[None]
    return compare(vol, Volume(data, np.diag([-1,-1,1,1.])@lps)) if data.ndim == 3 else f'shape {vol.data.shape} and {data.shape}'

def in_words(found):
    "A comparison in a word or two."
    if isinstance(found, str): return found
    mm, value = found
    same = [*(['place'] if mm > TOL_MM else []), *(['values'] if value > 1 else [])]
    return 'agrees' if not same else f'{" and ".join(same)} differ ({mm:.3f} mm)'

def table(root, program=None, series=None):
    "One row per volume: what it is, what `load_series` does, and how it compares."
    series = series_table(scan_files(sorted(str(p) for p in Path(root).rglob('*') if p.is_file()))) if series is None else series
    program, rows = program or shutil.which('dcm2niix'), []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for _,r in series.iterrows():
            row = dict(volume=os.path.relpath(r.paths[0], root), part=r.part, modality=r.Modality, shape=r['shape'], n_times=r.n_times, verdict=r.verdict)
            try: vol = load_series(r)
            except RadnbError as e: rows.append(dict(row, radnb=e.what)); continue
            rows.append(dict(row, radnb='loads', dcm2niix=in_words(by_dcm2niix(vol, r.paths, program, folder)) if program else 'not installed',
                             simpleitk=in_words(by_simpleitk(vol, r.paths))))
    return pd.DataFrame(rows)

if __name__ == '__main__':
    root = sys.argv[1] if len(sys.argv) > 1 else Path(os.environ.get('RADNB_DATA', '../shared/data'))/'dicom'
    with pd.option_context('display.width', 250, 'display.max_rows', None, 'display.max_colwidth', 60, 'display.max_columns', None):
        print(table(root).to_string())
