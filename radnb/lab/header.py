"Everything a file's header says, as rows to search in: tag, keyword, VR, value."
import re
import numpy as np
from ..core import UnreadableFile
from ..data.scan import read_dicom, scan_file

_BINARY = {'OB','OD','OF','OL','OV','OW','UN'}
_LONGEST = 2000   # characters of a value that are shown
_MOST = 20_000    # rows: enhanced objects of a thousand frames have more
_MOST_TEXT = 4_000_000   # characters of all values together

def _short(text): return text if len(text) <= _LONGEST else f'{text[:_LONGEST]} … ({len(text)} characters)'

def _value(e):
    "An element's value in words."
    if e.VR in _BINARY or isinstance(e.value, bytes): return f'{len(e.value or b"")} bytes'
    if e.is_empty: return ''
    if e.VR == 'UI' and e.VM == 1 and e.value.name != e.value: return f'{e.value} ({e.value.name})'
    return _short('\\'.join(map(str, e.value)) if e.VM > 1 else str(e.value))

def _element(ds, tag, depth, path):
    "Rows of one element; those of a sequence's items below it."
    try:
        e = ds[tag]
        row = dict(tag=f'({tag.group:04X},{tag.element:04X})', keyword=e.keyword or e.name, vr=e.VR, depth=depth)
        if e.VR != 'SQ': yield dict(row, value=_value(e)); return
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, OverflowError, LookupError) as err:   # one broken value must not hide the others
        yield dict(tag=f'({tag.group:04X},{tag.element:04X})', keyword='', vr='', depth=depth, value=f'cannot be read: {err}'); return
    yield dict(row, value=f'{len(e.value)} item{"s" if len(e.value) != 1 else ""}')
    for i,item in enumerate(e.value):
        yield dict(tag='', keyword=f'Item {i+1}', vr='', value='', depth=depth+1)
        yield from _dataset(item, depth+2, path)

def _dataset(ds, depth, path):
    for tag in sorted(ds.keys()): yield from _element(ds, tag, depth, path)

def _dicom(path):
    ds = read_dicom(path, pixels=False)
    yield from _dataset(getattr(ds, 'file_meta', {}), 0, path)
    yield from _dataset(ds, 0, path)
    row = scan_file(path)
    start,length,size = (row.get(k) or -1 for k in ('pixel_offset','pixel_length','size'))
    if start > 0: yield dict(tag='(7FE0,0010)', keyword='PixelData', vr='', value=f'{length} bytes' if length > 0 else f'compressed, {size-start} bytes', depth=0)

def _text(v):
    if isinstance(v, bytes): v = v.split(b'\0')[0].decode('latin-1')
    return _short(str(v.tolist() if isinstance(v, np.ndarray) else v))

def _nifti(path):
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    try: header = nib.load(str(path)).header
    except (ImageFileError, OSError, EOFError, ValueError) as e: raise UnreadableFile(f'Not a readable NIfTI file: {e}', path, 'check that it was copied completely') from e
    for k in header: yield dict(tag='', keyword=k, vr='', value=_text(header[k].tolist() if header[k].ndim == 0 else header[k]), depth=0)

def _itk(path):
    import SimpleITK as sitk
    r = sitk.ImageFileReader(); r.SetFileName(str(path))
    try: r.ReadImageInformation()
    except RuntimeError as e: raise UnreadableFile(f'Not a readable image: {last_line(e)}', path, 'check that it was copied completely') from e
    facts = dict(size=r.GetSize(), spacing=r.GetSpacing(), origin=r.GetOrigin(), direction=r.GetDirection(), components=r.GetNumberOfComponents(),
                 pixel=sitk.GetPixelIDValueAsString(r.GetPixelID()))
    for k,v in [*facts.items(), *((k, r.GetMetaData(k)) for k in r.GetMetaDataKeys())]: yield dict(tag='', keyword=k, vr='', value=_text(v), depth=0)

def last_line(e):
    "What ITK says in the last line of its message, without the place in its source."
    last = re.sub(r'^\S*itk\S*\s*\([^)]*\):\s*', '', str(e).strip().splitlines()[-1])
    return re.sub(r'\[\w+\]\s+\w+:\s*', '', last)[:300]   # [nrrd] _nrrdFormatNRRD_read: ...

def header_rows(
    path, # A file
    kind:str # 'dicom', 'nifti' or 'itk'
) -> list: # of dicts: tag, keyword, vr, value, depth (of nesting); binary values by their length only
    "What the header says. Raises `UnreadableFile`, `NotDicom`."
    rows, text = [], 0
    for row in dict(dicom=_dicom, nifti=_nifti, itk=_itk)[kind](path):
        rows.append(row)
        text += len(row['value'])
        if len(rows) == _MOST or text > _MOST_TEXT: return [*rows, dict(tag='', keyword='', vr='', value=f'… only the first {len(rows)} rows are shown', depth=0)]
    return rows
