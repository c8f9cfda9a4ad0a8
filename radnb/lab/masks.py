"Segmentations: which image they are drawn on, what their labels are, and which files are label maps."
import os, re, warnings
from pathlib import Path
import numpy as np
from ..core import RadnbError
from ..data.contours import list_rois, read_mask_file
from ..data.volume import Volume
from ..view.figures import label_colour, label_names
from .paths import Guard, check_data_file

KINDS = ('SEG', 'RTSTRUCT')   # DICOM objects that are drawn on an image
_MOST_LABELS = 64

def drawn_on(
    table, # Of files, from `scan`
    uid:str # SeriesInstanceUID of an image
) -> list: # of (path, what to call it)
    "The segmentations and structure sets that refer to a series."
    seg = table[table.Modality.isin(KINDS) & table.status.isin(('ok','no image')) & (table.ReferencedSeriesUID == uid)]
    return [(r.path, f'{r.SeriesDescription if isinstance(r.SeriesDescription, str) else Path(r.path).name} ({r.Modality})') for r in seg.itertuples()]

def regions(
    path # An RTSTRUCT file
) -> str:
    "The names of its regions, in words; '' if they cannot be read."
    try: names = list(list_rois(path).name)
    except RadnbError: return ''
    return ', '.join(names[:8]) + (f' and {len(names)-8} more' if len(names) > 8 else '')

# Label maps: NIfTI, NRRD and MetaImage do not say whether they hold an image or labels

_NAMED = re.compile(r'(?:^|[^a-z])(?:mask|masks|label|labels|labelmap|seg|segm|segmentation|roi|gt|truth|contour|annotation)(?:[^a-z]|$)', re.I)
_FOLDER = re.compile(r'label|mask|seg|truth|annot', re.I)

def sounds_like_labels(
    path # A file
) -> bool:
    "Does the name of a file, or of its folder, say that it holds labels?"
    return bool(_NAMED.search(Path(path).name) or _FOLDER.search(Path(path).parent.name))

def is_labelmap(
    vol:Volume,
    named:bool=False # Does its name say so?
) -> bool:
    "Does a volume hold labels: few whole numbers, none below 0, most of them 0?"
    a = vol.data
    if vol.unit in ('RGB','label') or vol.n_times > 1 or not a.size: return vol.unit == 'label'
    few = a.ravel()[::max(1, a.size//100_000)]   # what is no label map shows in a sample
    if a.dtype == bool: return True
    if not np.isfinite(few).all() or few.min() < 0 or few.max() > 65535 or not np.array_equal(few, np.rint(few)): return False
    values,n = np.unique(few, return_counts=True)
    if len(values) > (_MOST_LABELS if named else 12) or values[n.argmax()] != 0: return False
    top = a.max()
    return bool(0 < top <= 65535 and a.min() >= 0 and (a.dtype.kind in 'iu' or np.array_equal(a, np.rint(a))) and len(np.unique(a)) <= (_MOST_LABELS if named else 12))

def as_labels(vol:Volume) -> Volume:
    "The same voxels as labels."
    return vol if vol.unit == 'label' else Volume(vol.data.astype(np.uint8 if vol.data.max() < 256 else np.uint16), vol.affine, 'label', vol.meta, vol.names)

def _stem(path): return re.sub(r'\.(nii(\.gz)?|nrrd|nhdr|mha|mhd)$', '', Path(path).name, flags=re.I).lower()

def _kin(label, image):
    "How close two names are: 3 the same name in another folder, 2 one is the beginning of the other, 1 alike but for words such as `label` and `image`; 0 strangers."
    a,b = _stem(label), _stem(image)
    if a == b: return 3
    if a.startswith(b) or b.startswith(a): return 2
    bare = lambda s: re.sub(r'mask|labels?|seg(mentation)?|image|img|roi|gt|truth|_0000|[^a-z0-9]', '', s)
    return int(bare(a) == bare(b) and bare(a) != '')

def candidates(
    path, # A label map
    files:list # Paths of pictures that lie around it
) -> list:
    "The files that may be its image by their names, the likeliest first."
    kin = {f: _kin(path, f) for f in files if str(f) != str(path) and not (_NAMED.search(Path(f).name) or _FOLDER.search(Path(f).parent.name))}
    near = lambda f: os.path.dirname(f) != os.path.dirname(path)
    return sorted((f for f,k in kin.items() if k), key=lambda f: (near(f), -kin[f], str(f)))

def described(mask:Volume) -> list: # of dicts: value, name, colour '#rrggbb', ml
    "The labels of a mask, for the browser."
    names,own = label_names(mask), {s.get('number'): s for s in mask.meta.get('segments') or () if isinstance(s, dict)}
    n = np.bincount(mask.data.ravel().astype(np.int64), minlength=max(names, default=0)+1) if names else []
    ml = float(np.prod(mask.spacing))/1000
    return [dict(value=k, name=str(v), colour=_hex(own.get(k, {}).get('color')) or label_colour(k), ml=float(n[k]*ml)) for k,v in names.items()]

def fullest(mask:Volume): # RAS+ mm, or None if the mask is empty
    "A point of the mask in the slice that shows most of it: the one nearest to the middle of what is seen there."
    n = np.count_nonzero(mask.data, axis=(1,2))
    if not n.any(): return None
    k = int(n.argmax())
    at = np.argwhere(mask.data[k])
    i,j = at[((at-at.mean(0))**2).sum(1).argmin()]
    return mask.physical((k,i,j)).tolist()

def _hex(color):
    "#rrggbb of a colour that a file gives, '' if it gives none that can be seen on black."
    try: rgb = [int(c) for c in color]
    except (TypeError, ValueError): return ''
    return '#{:02x}{:02x}{:02x}'.format(*rgb) if len(rgb) == 3 and all(0 <= c <= 255 for c in rgb) and max(rgb) > 60 else ''

def mask_of(
    path, # A segmentation of any kind that may be shown
    image:Volume, # What it was drawn on
    guard:Guard
) -> Volume: # of unit 'label', on the grid of `image`; what is to be said of it is in `meta['note']`
    "A segmentation on its image. Raises `NotServed`, `GeometryError`, `BadInput`, `UnreadableFile`."
    guard.check([path])
    if re.search(r'\.(nrrd|nhdr|mha|mhd)$', str(path), re.I): check_data_file(path, guard)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        mask = read_mask_file(path, image)
    note = '; '.join(dict.fromkeys(str(w.message).partition(" (overlap=")[0] for w in said if issubclass(w.category, UserWarning)))
    return as_labels(Volume(mask.data, mask.affine, mask.unit, dict(mask.meta, note=note), mask.names))
