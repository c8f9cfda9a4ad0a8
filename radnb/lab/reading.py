"Volumes from files of every kind, and their thumbnails."
import gzip, io, zlib
import numpy as np
from ..core import BadInput, RadnbError, UnreadableFile
from ..data.dicom import load_series
from ..data.segments import read_seg
from ..data.volume import PLANES, Volume, plane_name
from ..view.figures import PALETTE, hang, is_placed
from .header import last_line
from .paths import Guard, check_data_file

def nifti_header(path):
    "The header of a NIfTI file. Raises `UnreadableFile`."
    return _nifti(path).header

def _nifti(path):
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    try: return (nib.Nifti2Image if _magic(path) == b'n+2' else nib.Nifti1Image).from_filename(str(path), mmap=False)
    except (ImageFileError, nib.spatialimages.HeaderDataError, OSError, EOFError, ValueError, zlib.error) as e:
        raise UnreadableFile(f'Not a readable NIfTI file: {e}', path, 'check that it was copied completely') from e

def _magic(path):
    with (gzip.open if str(path).lower().endswith('.gz') else open)(path, 'rb') as f: return f.read(7)[4:7]

def itk_reader(path, guard:Guard):
    "ITK's reader of an NRRD or MetaImage file, its header read. Raises `UnreadableFile`, `NotServed`."
    import SimpleITK as sitk
    check_data_file(path, guard)
    r = sitk.ImageFileReader(); r.SetFileName(str(path))
    try: r.ReadImageInformation()
    except RuntimeError as e: raise UnreadableFile(f'Not a readable image: {last_line(e)}', path, 'check that it was copied completely') from e
    return r

def grid(
    kind:str, # 'nifti' or 'itk'
    path, # A file
    guard:Guard
): # (shape, affine), or None
    "Shape and affine of a file, from its header; None if it has none that can be read."
    try:
        if kind == 'nifti': img = _nifti(path); return (*img.shape, 1, 1)[:3][::-1], img.affine[:, [2,1,0,3]]
        r = itk_reader(path, guard)
        if r.GetDimension() != 3: return None
        return r.GetSize()[::-1], _itk_affine(r)
    except (RadnbError, *_PARSE): return None

def _itk_affine(img):
    "Index (slice, row, column) to RAS+ mm, of whatever of SimpleITK's has spacing, direction and origin."
    n = img.GetDimension(); m = min(n, 3)
    direction,spacing,origin = np.eye(3), np.ones(3), np.zeros(3)
    direction[:m,:m] = np.array(img.GetDirection()).reshape(n,n)[:m,:m]; spacing[:m] = img.GetSpacing()[:m]; origin[:m] = img.GetOrigin()[:m]
    affine = np.eye(4)
    affine[:3,:3],affine[:3,3] = (direction*spacing)[:, ::-1], origin
    return _LPS@affine

def _nifti_volume(img, data, path):
    "A `Volume` of (part of) a NIfTI image: axes reversed, real numbers as float32."
    while data.ndim > 4 and data.shape[-1] == 1: data = data[...,0]
    rgb = data.dtype.names is not None
    if rgb: data = np.stack([data[c] for c in data.dtype.names[:3]], -1)
    axes = data.ndim-rgb
    if data.dtype.kind == 'c': raise BadInput('Complex numbers cannot be shown', path, 'save magnitude or phase')
    if axes > 4: raise BadInput(f'{axes} dimensions cannot be shown', path, 'split it into volumes of at most four')
    data = data.transpose([*range(axes)[::-1], *([axes] if rgb else [])])
    if data.dtype.kind == 'f': data = data.astype(np.float32)
    return Volume(data, img.affine[:, [2,1,0,3]], 'RGB' if rgb else 'a.u.', dict(paths=[str(path)]))

_LPS = np.diag([-1,-1,1,1.])

def _itk_volume(img, path):
    "A `Volume` of a SimpleITK image; millimetres turned from LPS to RAS."
    import SimpleITK as sitk
    n,data,rgb = img.GetDimension(), sitk.GetArrayFromImage(img), img.GetNumberOfComponentsPerPixel() > 1
    if rgb and img.GetNumberOfComponentsPerPixel() not in (3,4): raise BadInput(f'{img.GetNumberOfComponentsPerPixel()} numbers in a voxel cannot be shown', path, 'save one of them')
    if data.dtype.kind == 'c': raise BadInput('Complex numbers cannot be shown', path, 'save magnitude or phase')
    if rgb: data = data[..., :3] if n > 2 else data[None, ..., :3]
    return Volume(data.astype(np.float32) if data.dtype.kind == 'f' else data, _itk_affine(img), 'RGB' if rgb else 'a.u.', dict(paths=[str(path)]))

_PARSE = (ValueError, TypeError, IndexError, KeyError, RuntimeError, EOFError, OSError, zlib.error)

def read_volume(
    kind:str, # 'dicom', 'nifti' or 'itk'
    paths:list, # Its files, in slice order
    guard:Guard,
    part:str='', # DICOM: which volume of a series with several
    regular:str='raise' # As in `load_series`: 'as-is' stacks slices that are unevenly spaced
) -> Volume:
    "All voxels. Raises what `load_series` raises, `UnreadableFile`, `BadInput`, `NotServed`."
    guard.check(paths)
    path = paths[0]
    if kind == 'dicom': return load_series(dict(paths=paths, part=part), regular=regular)
    if kind == 'seg': return read_seg(path)
    try:
        if kind == 'nifti': img = _nifti(path); return _nifti_volume(img, np.asanyarray(img.dataobj), path)
        return _itk_volume(itk_reader(path, guard).Execute(), path)
    except _PARSE as e: raise UnreadableFile(f'The voxels cannot be read: {last_line(e)}', path, 'check that it was copied completely') from e

def _middle_nifti(path):
    img = _nifti(path)
    if len(img.shape) > 2 and img.shape[2] > 1: img = img.slicer[(slice(None), slice(None), slice(k:=img.shape[2]//2, k+1), *[slice(0, 1)]*(len(img.shape)-3))]
    return _nifti_volume(img, np.asanyarray(img.dataobj), path)

def _middle_itk(path, guard):
    r = itk_reader(path, guard)
    size = list(r.GetSize())
    if len(size) == 3: r.SetExtractIndex([0, 0, size[2]//2]); r.SetExtractSize([*size[:2], 1])
    return _itk_volume(r.Execute(), path)

def middle_slice(
    kind:str, paths:list, guard:Guard, part:str='' # As in `read_volume`
) -> Volume:
    "The middle slice as a volume of one slice, without reading the others where the format allows it."
    guard.check(paths)
    path = paths[len(paths)//2]
    if kind == 'dicom': return load_series(dict(paths=[path], part=part if len(paths) == 1 else ''))
    if kind == 'seg': return read_seg(path)
    try: return _middle_nifti(path) if kind == 'nifti' else _middle_itk(path, guard)
    except _PARSE as e: raise UnreadableFile(f'The voxels cannot be read: {last_line(e)}', path, 'check that it was copied completely') from e

def _upright(vol, alone):
    "Hung; a slice taken out of a stack is turned as the stack would be."
    return hang(vol) if alone or not is_placed(vol) else vol.reorient(PLANES[plane_name(vol.affine, tol_deg=90)])

def _coloured(a):
    "Labels in their colours, on black."
    palette = np.array([[0,0,0], *[[int(c[p:p+2], 16) for p in (1,3,5)] for c in PALETTE]], np.uint8)
    return palette[np.where(a > 0, (a.astype(np.int64)-1) % len(PALETTE) + 1, 0)]

def _grey(vol):
    "The middle picture of a hung volume as uint8 (rows, columns[, 3])."
    data = vol.data[0] if vol.n_times > 1 else vol.data
    a = data[len(data)//2]
    if vol.unit == 'label': return _coloured(a)
    if vol.unit != 'RGB': return np.uint8(255*np.nan_to_num(Volume(a, unit=vol.unit, meta=vol.meta).window()[0]))
    return a if a.dtype == np.uint8 else np.uint8(255*np.clip(np.nan_to_num(a/max(float(np.nanmax(a)), 1e-9)), 0, 1))

def thumbnail(
    kind:str, paths:list, guard:Guard, part:str='', # As in `read_volume`
    size:int=96 # Longest side, pixels
) -> bytes: # PNG
    "The middle slice in its window, the right way round and to scale. Raises what `read_volume` raises."
    from PIL import Image
    from .masks import as_labels, is_labelmap, sounds_like_labels
    vol = middle_slice(kind, paths, guard, part)
    if kind in ('nifti','itk') and sounds_like_labels(paths[0]) and is_labelmap(vol, named=True): vol = as_labels(vol)
    try:
        v = _upright(vol, alone=kind == 'dicom' and len(paths) == 1)
        grey = _grey(v)
    except _PARSE as e: raise UnreadableFile(f'No picture can be made of it: {last_line(e)}', paths[0]) from e
    mm = np.array(grey.shape[:2])*v.spacing[1:]
    rows,cols = np.maximum(1, np.rint(mm/mm.max()*size)).astype(int)
    buf = io.BytesIO()
    Image.fromarray(grey).resize((int(cols), int(rows)), Image.Resampling.BILINEAR, reducing_gap=2.).save(buf, 'PNG')
    return buf.getvalue()
