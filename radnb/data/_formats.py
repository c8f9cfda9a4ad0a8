"""Volumes in research files: NIfTI through nibabel; NRRD, MHA and MHD through SimpleITK. Plain values in and out; `Volume` is built by the caller.

Readers return `(data, affine, unit, names, meta)`: data (slice, row, column), time first, colour last; `unit` None if the file does not say.
"""
import json, warnings, zlib
from pathlib import Path
import numpy as np
from ..core import BadInput, UnreadableFile

NIFTI, ITK = ('.nii','.nii.gz'), ('.nrrd','.nhdr','.mha','.mhd')
UNITS = ('HU','SUV','a.u.','label','probability','RGB')
LPS = np.diag([-1,-1,1,1.])  # DICOM and ITK count to the patient's left and back; radnb to the right and front
_COPY = 'check that it was copied completely'
#: deflate cannot shrink further than this, so a header that promises more than this from a file lies
_MOST_DEFLATED = 1032
#: Okabe & Ito, as 3D Slicer writes colours
_COLOURS = ('0.902 0.624 0', '0.337 0.706 0.914', '0 0.62 0.451', '0.941 0.894 0.259', '0.835 0.369 0', '0.8 0.475 0.655', '0 0.447 0.698')

def suffix(path):
    "The extension that tells the format, in lower case: '.nii.gz', '.seg.nrrd', '.mha', ..."
    name = Path(path).name.lower()
    return next((s for s in ('.nii.gz','.seg.nrrd') if name.endswith(s)), Path(name).suffix)

def _there(path):
    if not Path(path).is_file(): raise UnreadableFile('No such file', path, 'check the path')

def whole_numbers(data, path):
    "A label map in the smallest usual type. Raises `UnreadableFile` for fractions."
    if data.dtype.kind == 'f' and not np.array_equal(data, np.rint(data)):
        raise UnreadableFile('A label map must hold whole numbers', path, 'read it as an image (mask=False)')
    return data.astype(np.uint8 if data.min() >= 0 and data.max() < 256 else np.int32, copy=False)

# ---------------------------------------------------------------- NIfTI-1 and -2

def _nifti_values(img, path):
    "The values as `(..., slice, row, column)`, scaled as the header says"
    size, promised = Path(path).stat().st_size, int(np.prod(img.shape, dtype=object))*img.get_data_dtype().itemsize
    if min(img.shape, default=0) < 1: raise UnreadableFile(f'The header gives the shape {img.shape}', path, _COPY)
    packed = not str(path).lower().endswith(('.nii','.img','.hdr'))
    if promised > size*(_MOST_DEFLATED if packed else 1):
        raise UnreadableFile(f'The header promises {promised} bytes of voxels, the file has {size}', path, _COPY)
    obj = img.dataobj
    scaled = (getattr(obj, 'slope', 1), getattr(obj, 'inter', 0)) != (1, 0)
    data = np.asarray(obj, dtype=np.float32) if scaled else np.asanyarray(obj)
    if data.dtype.names: data = np.stack([data[c] for c in 'RGB'], -1)
    if data.dtype.kind not in 'biuf': raise UnreadableFile(f'Values of type {data.dtype} are not an image', path, 'save magnitude or phase')
    return data.astype(data.dtype.newbyteorder('='), copy=False), bool(img.get_data_dtype().names)

def _nifti_place(img):
    "Affine in mm, and what is doubtful about it"
    h = img.header
    if not hasattr(h, 'get_sform'): return img.affine, ''
    mm = dict(meter=1000., micron=.001).get(h.get_xyzt_units()[0], 1.)
    affine = np.diag([mm,mm,mm,1.]) @ img.affine
    s,q = (int(h[k]) for k in ('sform_code','qform_code'))
    if not s and not q: return affine, 'the file does not say where it lies in the patient: left and right are a guess'
    if s and q:
        ends = np.array(np.meshgrid(*[(0, n-1) for n in img.shape[:3]])).reshape(len(img.shape[:3]), -1)
        ends = np.vstack([ends, *[0*ends[:1]]*(3-len(ends)), 0*ends[:1]+1])
        off = np.abs((h.get_sform()-h.get_qform())@ends).max()*mm
        if off > 1: return affine, f'its two affines disagree by up to {off:.1f} mm; the sform is used'
    return affine, ''

def _our_names(text):
    "Label names from a JSON object with the key label_names (number to name); {} if it is somebody else's text."
    try: names = json.loads(text)['label_names']
    except (ValueError, TypeError, KeyError): return {}
    return {int(k): str(v) for k,v in names.items() if k.lstrip('-').isdigit()} if isinstance(names, dict) else {}

def _names_text(names): return json.dumps({'label_names': {str(int(k)): str(v) for k,v in names.items()}})

def _nifti_names(img):
    "Label names that `nifti_image` left in a comment extension"
    found = [_our_names(e.get_content()) for e in getattr(img.header, 'extensions', ()) if e.get_code() == 6]
    return next(filter(None, found), {})

def read_nifti(path):
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError, SpatialImage
    _there(path)
    try:
        img = nib.load(str(path), mmap=False)   # a mapped file that is written again would pull the voxels from under a volume
        if not isinstance(img, SpatialImage): raise UnreadableFile(f'A {type(img).__name__} is not a volume', path, 'give NIfTI')
        data, colour = _nifti_values(img, path)
        affine, note = _nifti_place(img)
        names, h = _nifti_names(img), img.header
        step, tunit = (float(h['pixdim'][4]), h.get_xyzt_units()[1]) if 'pixdim' in h and hasattr(h, 'get_xyzt_units') else (0, '')
        intent = h.get_intent() if hasattr(h, 'get_intent') else ('none', (), '')
    except (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, TypeError, KeyError, OverflowError, MemoryError, zlib.error) as e:
        raise UnreadableFile(f'Not a readable NIfTI file: {e}', path, _COPY) from e
    lead = data.ndim-colour
    while lead > 4 and data.shape[lead-1] == 1: data, lead = np.squeeze(data, lead-1), lead-1
    if not 2 <= lead <= 4: raise UnreadableFile(f'{lead} dimensions ({data.shape}) are not one volume or one time series', path, 'split it')
    data = data.transpose(*range(lead)[::-1], *([lead] if colour else []))
    meta = dict(paths=[str(path)], **({'note': note} if note else {}))
    if lead == 4 and step > 0 and tunit in ('sec','msec','usec'): meta['time_step_s'] = step*dict(sec=1, msec=1e-3, usec=1e-6)[tunit]
    unit = 'RGB' if colour else 'label' if intent[0] == 'label' else intent[2] if intent[2] in UNITS else None
    return np.ascontiguousarray(data), affine[:, [2,1,0,3]], unit, names, meta

def _storable(data):
    "The values in a type that NIfTI and ITK know"
    if data.dtype == bool: return data.astype(np.uint8)
    if data.dtype == np.float16: return data.astype(np.float32)
    if data.dtype in (np.int64, np.uint64) and data.min() >= -2**31 and data.max() < 2**31: return data.astype(np.int32)
    return data

def nifti_image(vol):
    "The nibabel image of a Volume: sform always, qform where it can hold the affine (rotations and spacing, no shear)."
    import nibabel as nib
    data = _storable(vol.data)
    if vol.unit == 'RGB':
        if data.dtype != np.uint8: raise BadInput('NIfTI holds colour as 8 bit only', remedy='vol.clip(0, 255).astype(np.uint8)')
        data = np.ascontiguousarray(data).view([('R','u1'),('G','u1'),('B','u1')])[...,0]
    affine = vol.affine[:, [2,1,0,3]]
    img = nib.Nifti1Image(data.transpose(range(data.ndim)[::-1]), affine, dtype=data.dtype)
    h = img.header
    h.set_xyzt_units('mm', 'sec')
    if data.ndim == 4: h['pixdim'][4] = vol.meta.get('time_step_s', 0)
    img.set_sform(affine, 1)
    img.set_qform(affine, 1)
    ends = np.array(np.meshgrid(*[(0, n-1) for n in img.shape[:3]], [1])).reshape(4,-1)
    if np.abs((img.get_qform()-affine)@ends).max() > .001: img.set_qform(affine, 0)
    if vol.is_mask: h.set_intent('label', name='label')
    elif vol.unit in ('HU','SUV','probability'): h.set_intent('none', name=vol.unit)
    if vol.names: h.extensions.append(nib.nifti1.Nifti1Extension('comment', _names_text(vol.names).encode()))
    return img

# ---------------------------------------------------------------- NRRD, MHA, MHD

def itk_image(vol):
    "The SimpleITK image of a Volume (axes x, y, z[, t] = column, row, slice[, time]; LPS); colour as a vector image."
    import SimpleITK as sitk
    img = sitk.GetImageFromArray(np.ascontiguousarray(_storable(vol.data)), isVector=vol.unit == 'RGB')
    lps, spacing, n = LPS@vol.affine, np.array(vol.spacing), img.GetDimension()
    direction = np.eye(n); direction[:3,:3] = (lps[:3,:3]/spacing)[:,::-1]
    img.SetSpacing([*spacing[::-1].tolist(), float(vol.meta.get('time_step_s', 1))][:n])
    img.SetOrigin([*lps[:3,3].tolist(), 0.][:n])
    img.SetDirection(direction.ravel().tolist())
    return img

def from_itk(img):
    "`(data, affine, unit, note)` of a SimpleITK image of 2 to 4 dimensions."
    import SimpleITK as sitk
    n, parts = img.GetDimension(), img.GetNumberOfComponentsPerPixel()
    data, lps, m = sitk.GetArrayFromImage(img), np.eye(4), min(n, 3)
    lps[:m,:m] = (np.array(img.GetDirection()).reshape(n,n)*np.array(img.GetSpacing()))[:m,:m]
    lps[:m,3] = img.GetOrigin()[:m]
    unit, note = None, ''
    if parts == 3 and data.dtype == np.uint8: unit = 'RGB'
    elif parts > 1: data, note = np.moveaxis(data, -1, 0), f'{parts} values a voxel, read as time points'
    if n == 2: data = data[None] if parts == 1 or unit else data[:,None]
    return data, (LPS@lps)[:, [2,1,0,3]], unit, note

def _segments(img):
    "3D Slicer's segments: `[(name, layer, value)]` from the keys Segment0_Name, Segment0_Layer, Segment0_LabelValue, ..."
    keys, out = set(img.GetMetaDataKeys()), []
    while (k := f'Segment{len(out)}_') and k+'LabelValue' in keys:
        get = lambda what, default='', k=k: img.GetMetaData(k+what) if k+what in keys else default
        out.append((get('Name', f'segment {len(out)+1}'), int(get('Layer', 0)), int(get('LabelValue'))))
    return out

def _flatten(data, segments, path):
    "Layers of segments as one label map, numbered 1, 2, ...; where they overlap the last one counts."
    out, overlap = np.zeros(data.shape[1:], np.uint8 if len(segments) < 256 else np.int32), 0
    for number,(_,layer,value) in enumerate(segments, 1):
        on = data[layer] == value
        overlap += int((on & (out > 0)).sum())
        out[on] = number
    if overlap: warnings.warn(f'{Path(path).name}: {overlap} voxels belong to several segments; each keeps the last one', stacklevel=4)
    return out, {number: name for number,(name,_,_) in enumerate(segments, 1)}

def read_itk(path):
    import SimpleITK as sitk
    _there(path)
    try:
        reader = sitk.ImageFileReader(); reader.SetFileName(str(path)); reader.ReadImageInformation()
        promised = int(np.prod(reader.GetSize(), dtype=object))*reader.GetNumberOfComponents()
        if suffix(path) in ('.nrrd','.seg.nrrd','.mha') and promised > Path(path).stat().st_size*_MOST_DEFLATED:
            raise UnreadableFile(f'The header promises {promised} voxels, the file has {Path(path).stat().st_size} bytes', path, _COPY)
        img = reader.Execute()
        data, affine, unit, note = from_itk(img)
        segments = _segments(img)
    except (RuntimeError, ValueError, MemoryError) as e:
        raise UnreadableFile(f'Not a readable image file: {str(e).splitlines()[-1]}', path, _COPY) from e
    names, meta = {}, dict(paths=[str(path)], **({'note': note} if note else {}))
    if img.HasMetaDataKey('radnb_unit') and img.GetMetaData('radnb_unit') in UNITS: unit = img.GetMetaData('radnb_unit')
    if img.HasMetaDataKey('radnb_names'): names = _our_names(img.GetMetaData('radnb_names'))
    if segments:
        unit, names = 'label', {value: name for name,_,value in segments}
        if data.ndim == 4: data, names = _flatten(data, segments, path); meta.pop('note', None)
    if data.ndim == 4 and not note and img.GetDimension() == 4: meta['time_step_s'] = img.GetSpacing()[3]
    return data, affine, unit, names, meta

def _segment_keys(vol):
    "The keys with which 3D Slicer describes the labels of a mask"
    found = {int(v) for s in vol.data for v in np.unique(s)} | set(vol.names)
    for i,label in enumerate(sorted(found-{0})):
        name = ' '.join(vol.names.get(label, f'label {label}').split())
        values = dict(ID=f'Segment_{label}', Name=name, LabelValue=label, Layer=0, Color=_COLOURS[(label-1) % len(_COLOURS)])
        yield from ((f'Segment{i}_{k}', str(v)) for k,v in values.items())
    yield 'Segmentation_SourceRepresentation', 'Binary labelmap'

def write_itk(vol, path):
    import SimpleITK as sitk
    img = itk_image(vol)
    img.SetMetaData('radnb_unit', vol.unit)
    if vol.is_mask and suffix(path) in ('.nrrd','.nhdr','.seg.nrrd'):
        for k,v in _segment_keys(vol): img.SetMetaData(k, v)
    elif vol.names: img.SetMetaData('radnb_names', _names_text(vol.names))   # MetaImage keys hold ASCII only
    sitk.WriteImage(img, str(path), useCompression=True)
