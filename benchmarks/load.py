"""A CT series from disk to calibrated values: radnb against SimpleITK, MONAI, TorchIO, dicom2nifti and pydicom, turn and turn about in one run.

    python benchmarks/load.py [--slices 300] [--rounds 7] [--compressed 100] [--only radnb,SimpleITK]

Every reader starts from the folder and ends with an array of HU; the files lie in the page cache. Each is used as its documentation says. All results are
compared with the values that were written. A reader that is not installed is left out, and said so."""
import argparse, importlib.util, json, os, platform, subprocess, sys, tempfile, time, warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
import numpy as np

# ---------------------------------------------------------------------------------------------- the readers, each: folder -> array in HU

def radnb(folder):
    from radnb.data.dicom import load_series
    return load_series(folder).data

def radnb_float(folder):
    from radnb.data.dicom import load_series
    return load_series(folder).data.astype(np.float32)

def radnb_stack(folder):
    "Scanning and reading without the checks of geometry."
    from radnb.data.pixels import read_stack
    from radnb.data.scan import scan_files
    rows = scan_files([e.path for e in os.scandir(folder)])
    rows = rows.iloc[np.argsort([p[2] for p in rows.ipp])]
    return read_stack(rows.path.tolist(), rows)

def simpleitk(folder):
    import SimpleITK as sitk
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayFromImage(reader.Execute())

def monai_itk(folder):
    from monai.data import ITKReader
    from monai.transforms import LoadImage
    return np.asarray(LoadImage(reader=ITKReader(), image_only=True)(folder))

def monai_pydicom(folder):
    from monai.data import PydicomReader
    from monai.transforms import LoadImage
    return np.asarray(LoadImage(reader=PydicomReader(), image_only=True)(folder))

def torchio(folder):
    import torchio as tio
    return tio.ScalarImage(folder).data.numpy()[0]

def dicom2nifti(folder):
    import dicom2nifti
    return np.asanyarray(dicom2nifti.dicom_series_to_nifti(folder, None, reorient_nifti=False)['NII'].dataobj)

def pydicom(folder):
    "Sorted by position, into an array set aside beforehand."
    from pydicom import dcmread
    slices = sorted((dcmread(e.path) for e in os.scandir(folder)), key=lambda ds: float(ds.ImagePositionPatient[2]))
    out = np.empty((len(slices), slices[0].Rows, slices[0].Columns), np.float32)
    for to,ds in zip(out, slices): np.add(ds.pixel_array*np.float32(ds.RescaleSlope), np.float32(ds.RescaleIntercept), out=to)
    return out

#: name in the table: (function, packages it needs)
READERS = {'radnb': (radnb, 'radnb'), 'radnb, to float32': (radnb_float, 'radnb'), 'radnb read_stack': (radnb_stack, 'radnb'), 'SimpleITK': (simpleitk, 'SimpleITK'),
           'MONAI ITKReader': (monai_itk, 'monai itk'), 'MONAI PydicomReader': (monai_pydicom, 'monai'), 'TorchIO': (torchio, 'torchio'),
           'dicom2nifti': (dicom2nifti, 'dicom2nifti'), 'pydicom, stacked': (pydicom, 'pydicom')}

# ---------------------------------------------------------------------------------------------- the series

def make_values(n, size=512, seed=0):
    "A body with air, lungs, soft tissue and bone, and a scanner's noise: int16 HU, -1024 to 3071."
    rng, hu = np.random.default_rng(seed), np.empty((n,size,size), np.int16)
    y,x = (np.mgrid[:size,:size]-size/2)/(size/2)
    noise = rng.normal(0, 18, (size+64,size+64)).astype(np.float32)
    for k in range(n):
        grow = 1+.1*np.sin(k/40)
        im = np.where((x/.9)**2+(y/.65)**2 < grow, 40., -1000.)
        for side in (-.42,.42): im[((x-side)/.3)**2+((y+.02)/.42)**2 < grow-.15] = -850
        im[(x/.09)**2+((y-.42)/.09)**2 < 1] = 700
        dy,dx = rng.integers(0, 64, 2)
        hu[k] = np.clip(np.rint(im+noise[dy:dy+size,dx:dx+size]), -1024, 3071)
    return hu

def encoder(syntax):
    "Stored pixels (uint16) to compressed bytes, without loss."
    import imagecodecs
    from pydicom.pixels.encoders.native import _encode_frame   # run lengths, as pydicom writes them
    def rle(a):
        from types import SimpleNamespace
        return _encode_frame(a.tobytes(), SimpleNamespace(get_option=lambda k,d=None: d, bits_allocated=16, columns=a.shape[1], rows=a.shape[0], samples_per_pixel=1,
                                                          byteorder='<'))
    return {'JPEG lossless': lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=1, bitspersample=16), 'JPEG-LS': imagecodecs.jpegls_encode,
            'JPEG 2000': lambda a: imagecodecs.jpeg2k_encode(a, level=0, reversible=True, codecformat='j2k', bitspersample=12), 'RLE': rle}[syntax]

UIDS = {'JPEG lossless': '1.2.840.10008.1.2.4.70', 'JPEG-LS': '1.2.840.10008.1.2.4.80', 'JPEG 2000': '1.2.840.10008.1.2.4.90', 'RLE': '1.2.840.10008.1.2.5'}

def write_series(hu, folder, syntax=None):
    "One file a slice with the header of the synthetic cohort; 12 of 16 bits, slope 1, intercept -1024."
    from pydicom import dcmread
    from pydicom.encaps import encapsulate
    from pydicom.uid import UID
    from radnb.data.phantom import ct_phantom, write_dicom
    small,_ = ct_phantom('bench', (8,40,40))
    ds = dcmread(write_dicom(small, folder.with_name(folder.name+'.template'))[0])
    folder.mkdir()
    uid, position = str(ds.SOPInstanceUID), [float(v) for v in ds.ImagePositionPatient]
    ds.Rows, ds.Columns = hu.shape[1:]
    ds.PixelSpacing, ds.SliceThickness, ds.SpacingBetweenSlices = [.7,.7], 1, 1
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.RescaleSlope, ds.RescaleIntercept = 12, 11, 0, 1, -1024
    if syntax: ds.file_meta.TransferSyntaxUID = UID(UIDS[syntax])
    encode = encoder(syntax) if syntax else None
    for k in range(len(hu)):
        stored = (hu[k].astype(np.int32)+1024).astype(np.uint16)
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f'{uid[:56]}.{k+1}'
        ds.InstanceNumber, ds.ImagePositionPatient, ds.SliceLocation = k+1, [*position[:2], position[2]+k], position[2]+k
        ds.PixelData = encapsulate([encode(stored)]) if syntax else stored.tobytes()
        ds['PixelData'].VR = 'OB' if syntax else 'OW'
        ds['PixelData'].is_undefined_length = bool(syntax)
        ds.save_as(folder/f'IM{k:05d}.dcm', enforce_file_format=True)

# ---------------------------------------------------------------------------------------------- measuring

def agrees(found, truth):
    "Are these the values that were written, whatever the order of axes and their direction?"
    found = np.asarray(found)
    if found.shape != truth.shape: found = found.transpose(2,1,0)
    if found.shape != truth.shape: return False
    for flip in range(8):
        look = tuple(slice(None, None, -1) if flip >> a & 1 else slice(None) for a in range(3))
        if np.array_equal(found[look][::37], truth[::37]) and np.array_equal(found[look], truth): return True
        turned = found[look].transpose(0,2,1)
        if turned.shape == truth.shape and np.array_equal(turned[::37], truth[::37]) and np.array_equal(turned, truth): return True
    return False

def missing(packages): return [p for p in packages.split() if importlib.util.find_spec(p) is None]

def timed(reader, folder):
    t = time.perf_counter(); out = reader(folder)
    return time.perf_counter()-t, out

def rounds(names, folder, truth, n):
    "Seconds of each reader in each round, A B C ... A B C ...; and the type that each yields. The first round warms up and is checked."
    seconds, kinds = {k: [] for k in names}, {}
    for r in range(n+1):
        for k in names:
            s, out = timed(READERS[k][0], folder)
            if r: seconds[k].append(s)
            else: kinds[k] = f'{out.dtype}' if agrees(out, truth) else f'{out.dtype}, VALUES DIFFER'
            del out
    return seconds, kinds

def peak(name, folder):
    "Most memory that a fresh process takes for reading, over what it had taken with everything imported; in final arrays."
    code = f"""
import sys, json; sys.path.insert(0, {str(Path(__file__).parent)!r})
import load
read = load.READERS[{name!r}][0]
load.warm(read, {str(folder)!r})
before = load.resident_peak()
out = read({str(folder)!r})
print(json.dumps([load.resident_peak()-before, int(out.nbytes)]))"""
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', code], capture_output=True, text=True, check=True)
    taken, final = json.loads(done.stdout.strip().splitlines()[-1])
    return taken/final

def resident_peak():
    "Most bytes that this process has had in memory (Linux)."
    return int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])*1024

def warm(reader, folder):
    "Import what a reader needs, by letting it read the small series next to the large one."
    reader(str(Path(folder).with_name('tiny')))

def table(title, seconds, kinds, against, peaks=None):
    head = f'\n**{title}**\n\n| reader | seconds (median) | as many times as {against} | type{" | memory peak / result" if peaks else ""} |\n|---|---|---|---{"|---" if peaks else ""}|'
    lines = [head]
    for k,s in seconds.items():
        ratio = np.median(np.divide(s, seconds[against]))
        lines.append(f'| {k} | {np.median(s):.3f} | {ratio:.2f} | {kinds[k]}{f" | {peaks[k]:.2f}" if peaks else ""} |')
    return '\n'.join(lines)

def versions():
    def one(p):
        try: return f'{p} {version(p)}'
        except PackageNotFoundError: return None
    return ', '.join(filter(None, map(one, 'numpy pydicom imagecodecs SimpleITK itk monai torchio dicom2nifti'.split())))

def main():
    arg = argparse.ArgumentParser()
    arg.add_argument('--slices', type=int, default=300); arg.add_argument('--compressed', type=int, default=100)
    arg.add_argument('--rounds', type=int, default=7); arg.add_argument('--only', default='')
    arg.add_argument('--against', default='radnb')
    arg = arg.parse_args()
    warnings.simplefilter('ignore')
    chosen = [k for k in READERS if not arg.only or any(k.startswith(o) for o in arg.only.split(','))]
    here, absent = [k for k in chosen if not missing(READERS[k][1])], [k for k in chosen if missing(READERS[k][1])]
    hu = make_values(arg.slices)
    with tempfile.TemporaryDirectory() as d:
        write_series(hu[:4,:64,:64], Path(d)/'tiny'); write_series(hu, Path(d)/'plain')
        seconds, kinds = rounds(here, str(Path(d)/'plain'), hu, arg.rounds)
        out = [table(f'{len(hu)} x 512 x 512, not compressed', seconds, kinds, arg.against, {k: peak(k, Path(d)/'plain') for k in here})]
        for syntax in UIDS:
            part = hu[:arg.compressed]
            write_series(part, Path(d)/syntax.replace(' ', '_'), syntax)
            names = [k for k in ('radnb', 'radnb read_stack', 'SimpleITK') if k in here]
            out.append(table(f'{len(part)} x 512 x 512, {syntax}', *rounds(names, str(Path(d)/syntax.replace(' ', '_')), part, arg.rounds), arg.against))
    sys.stdout.write(f'Python {platform.python_version()}, {os.cpu_count()} cores; {versions()}\n' + '\n'.join(out) + '\n')
    if absent: sys.stdout.write(f'\nNot installed here, left out: {", ".join(absent)}\n')

if __name__ == '__main__': main()
