"""Every real volume against other people's readers, dcm2niix and SimpleITK. Same place, same values?

    python benchmarks/conformance.py [folder of DICOM]        prints the table

Needs the real development data (`RADNB_DATA`) and, for its column, the program dcm2niix (`apt-get install dcm2niix`). Agreement means 0.01 mm at
every corner (SimpleITK: 0.02 mm, as it takes the slice distance from the first two slices alone) and values equal to the last digit that
both store."""
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

RTOL, ATOL = 1e-5, 1e-3
TOL_MM = dict(dcm2niix=.01, simpleitk=.02)

#: Where others differ, and why: a pattern of the path, the reader, what the comparison says, and who is right.
KNOWN = [
    ('twelve_bit/In/12bitSigned', 'dcm2niix', 'values differ',
     "the sign of 12 bits is bit 11 (PS3.5 8.1.1): radnb equals the publishers' NIfTI, the dcm2niix of 2022 does not"),
    ('(transfer_syntaxes|twelve_bit)/In', 'simpleitk', 'shape', 'a mosaic is one picture to SimpleITK'),
    ('enhanced/Philips', 'simpleitk', 'shape', 'SimpleITK stacks both kinds of image on top of each other'),
    ('enhanced/Siemens|agfa', 'simpleitk', 'shape', 'SimpleITK does not sort time points'),
]

def canonical(img):
    "A NIfTI image as a volume with axes towards right, front and head."
    img = nib.as_closest_canonical(img)
    data = np.asarray(img.dataobj)
    return Volume(data.transpose(range(data.ndim)[::-1]), img.affine[:, [2,1,0,3]])

def compare(ours, theirs):
    "(largest distance between corners in mm, largest difference of values as a multiple of the tolerance), or why they cannot be compared."
    if ours.data.shape != theirs.data.shape: return f'shape {theirs.data.shape}'
    corners = np.array(np.meshgrid(*[(0,n-1) for n in ours.shape])).reshape(3,-1).T
    mm = np.abs(ours.physical(corners)-theirs.physical(corners)).max()
    a, b = ours.data.astype(np.float64), theirs.data.astype(np.float64)
    return float(mm), float((np.abs(a-b)/(ATOL+RTOL*np.abs(b))).max())

def run_dcm2niix(program, paths, folder):
    "The NIfTI images that dcm2niix makes of some files, without those that it has interpolated; empty if it refuses."
    src, out = Path(folder)/'in', Path(folder)/'out'
    for d in (src, out): shutil.rmtree(d, ignore_errors=True); d.mkdir()
    for i,p in enumerate(paths): os.symlink(os.path.abspath(p), src/f'{i:05d}.dcm')
    subprocess.run([program, '-z', 'n', '-b', 'n', '-p', 'n', '-f', 'out_%s', '-o', out, src], capture_output=True, timeout=120)
    return [nib.load(p) for p in sorted(out.glob('*.nii')) if not re.search(r'_(Eq|Tilt)', p.name)]

def by_dcm2niix(vol, paths, program, folder):
    "The best match among what dcm2niix makes of the same files. (-p n: Philips values as displayed, not as floats in private units.)"
    images = run_dcm2niix(program, paths, folder)
    if not images: return 'not read'
    ours = canonical(vol.to_nifti(None))
    found = [compare(ours, canonical(i)) for i in images]
    pairs = [f for f in found if isinstance(f, tuple)]
    return min(pairs, key=max) if pairs else found[0]

def by_simpleitk(vol, paths):
    "SimpleITK on the same files in the same order."
    import SimpleITK as sitk
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try: img = sitk.ReadImage([str(p) for p in paths] if len(paths) > 1 else str(paths[0]))
    except RuntimeError: return 'not read'
    data = sitk.GetArrayFromImage(img)
    if data.shape != vol.data.shape or data.ndim != 3: return f'shape {data.shape}'
    lps = np.eye(4)
    lps[:3,:3] = (np.array(img.GetDirection()).reshape(3,3)*img.GetSpacing())[:, ::-1]
    lps[:3,3] = img.GetOrigin()
    return compare(vol.reorient('SAR'), Volume(data, np.diag([-1,-1,1,1.])@lps).reorient('SAR'))   # SimpleITK's frames may run the other way

def in_words(found, reader):
    "A comparison in a word or two."
    if isinstance(found, str): return found
    mm, value = found
    differ = [*([f'place differs by {mm:.3f} mm'] if mm > TOL_MM[reader] else []), *(['values differ'] if value > 1 else [])]
    return ' and '.join(differ) or 'agrees'

def explain(path, reader, words):
    "Why another reader differs, '' if that is not known."
    return next((why for pattern,who,what,why in KNOWN if who == reader and what in words and re.search(pattern, path)), '')

def table(root, program=None, series=None):
    "One row per volume: what it is, what `load_series` does, how it compares with others, and why if it does not."
    series = series_table(scan_files(sorted(str(p) for p in Path(root).rglob('*') if p.is_file()))) if series is None else series
    rows = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for _,r in series.iterrows():
            shape = (r.n_times, *r['shape']) if r.n_times > 1 else r['shape']
            row = dict(volume=Path(os.path.relpath(r.paths[0], root)).as_posix(), part=r.part, modality=r.Modality, shape=shape, verdict=r.verdict)
            try: vol = load_series(r)
            except RadnbError as e: rows.append(dict(row, radnb=f'{type(e).__name__}: {e.what}', dcm2niix='', simpleitk='', why='')); continue
            if vol.unit == 'RGB' or not r.orientation: found = dict.fromkeys(TOL_MM, 'not compared: colour or no place')
            else:
                niix = by_dcm2niix(vol, r.paths, program, folder) if program else 'not installed'
                found = dict(dcm2niix=niix, simpleitk=by_simpleitk(vol, r.paths))
            words = {k: in_words(v, k) for k,v in found.items()}
            why = '; '.join(filter(None, (explain(row['volume'], k, w) for k,w in words.items())))
            rows.append(dict(row, radnb='loads', **words, why=why))
    return pd.DataFrame(rows)

if __name__ == '__main__':
    root = sys.argv[1] if len(sys.argv) > 1 else Path(os.environ.get('RADNB_DATA', '../shared/data'))/'dicom'
    made = table(root, shutil.which('dcm2niix'))
    with pd.option_context('display.width', 300, 'display.max_colwidth', 70): print(made.to_string(index=False))
    for reader in TOL_MM:
        both = made[~made[reader].str.startswith(('not', 'shape')) & (made[reader] != '')]
        print(f'{reader}: {(both[reader] == "agrees").sum()} of {len(both)} that both read agree')
