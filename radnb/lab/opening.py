"Volumes opened once and kept for a while; what the browser is told of them, and their slices and packed copies."
import os, sys, threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
import numpy as np
from ..core import BadInput
from ..data.volume import Volume
from ..view.figures import is_placed
from ..view import planes
from .listing import Entry, plain, voxels
from .masks import as_labels, described, fullest, is_labelmap, mask_of, sounds_like_labels
from .paths import Guard
from .reading import read_volume

@dataclass
class Opened:
    "A volume in memory, placed so that it can be hung in three planes."
    vol: Volume
    placed: bool   # do we know how it lies in the patient?
    entry: Entry

class Shelf:
    "The volumes opened last, up to `max_mb` of voxels; each is read once, however many ask for it at the same time."
    def __init__(self, guard:Guard, max_mb=2000, max_volume_mb=8000):
        self.guard,self.max_mb,self.max_volume_mb = guard, max_mb, max_volume_mb
        self._lock, self._open = threading.Lock(), OrderedDict()

    def get(self, entry:Entry, regular:str='raise') -> Opened:
        "The volume of an entry. Raises what `read_volume` raises, and `BadInput` if it would not fit."
        return self._once((entry.id, regular), lambda: self._read(entry, regular))

    def _once(self, key, read):
        with self._lock:
            mine = key not in self._open
            future = self._open.setdefault(key, Future())
            self._open.move_to_end(key)
        if mine:
            try: future.set_result(read())
            finally:
                if not future.done():   # those who wait for it hear the same
                    with self._lock: del self._open[key]
                    future.set_exception(sys.exc_info()[1])
            self._trim()
        return future.result()

    def check_size(self, entry:Entry):
        "Raise `BadInput` if the voxels of an entry would not fit: known from its header, before any is read."
        self._fits(entry.row.get('voxels') or np.prod([float(n) for n in entry.row.get('shape') or (0,)]), entry.paths[0])

    def _fits(self, voxels, path):
        if (mb:=voxels*4/1e6) > self.max_volume_mb:
            raise BadInput(f'{mb/1000:.1f} GB of voxels are too many to open here', path, f'raise c.RadnbServer.max_volume_mb (now {self.max_volume_mb}) in jupyter_server_config.py')

    def mask(self, entry:Entry, regular:str, path) -> Opened:
        "The segmentation at `path`, on the volume of an entry. Raises what `mask_of` raises."
        s = os.stat(path)
        return self._once((entry.id, regular, str(path), s.st_size, s.st_mtime_ns), lambda: self._read_mask(entry, regular, path))

    def _read_mask(self, entry, regular, path):
        image = self.get(entry, regular)
        self._fits(voxels(path, self.guard), path)
        return Opened(mask_of(path, image.vol, self.guard), image.placed, entry)

    def _read(self, entry, regular):
        self.check_size(entry)
        try: vol = read_volume(entry.kind, entry.paths, self.guard, entry.row.get('part') or '', regular)
        except MemoryError as e: raise BadInput('Not enough memory for this volume', entry.paths[0], 'close other volumes and notebooks') from e
        if entry.kind in ('nifti','itk') and is_labelmap(vol, sounds_like_labels(entry.paths[0])): vol = as_labels(vol)
        return Opened(planes.shown_as(vol), is_placed(vol) and entry.row.get('oriented', True), entry)

    @property
    def mb(self):
        "What the opened volumes take, MB."
        return sum(f.result().vol.data.nbytes for f in list(self._open.values()) if f.done())/1e6

    def _trim(self):
        "Drop the volumes looked at longest ago; the last one stays, however large."
        with self._lock:
            done = [k for k,f in self._open.items() if f.done()]
            while len(done) > 1 and self.mb > self.max_mb: del self._open[done.pop(0)]

# What the browser is told

def describe(
    o:Opened,
    max_mb:float=64., # What `packed` is allowed
    mask:Opened=None # A segmentation on it
) -> dict:
    "All that a viewer needs to know before it has a voxel."
    v,row = o.vol, o.entry.row
    about = planes.describe(v, o.placed, factors=_factors(v, max_mb))
    words = dict(id=o.entry.id, title=row['title'], modality=v.meta.get('Modality'), verdict=row.get('verdict', ''), code=o.entry.code)
    drawn = mask or (o if v.unit == 'label' else None)
    labels = dict(labels=described(drawn.vol) if drawn else [], mask_at=fullest(drawn.vol) if drawn else None, mask_note=mask.vol.meta.get('note', '') if mask else '', masks=row.get('masks', []))
    return plain({**about, **words, **labels, 'located': o.placed and row.get('located', True), 'stored': str(v.data.dtype), 'mb': v.data.nbytes/1e6})

def _factors(vol, max_mb): return planes.shrink_factors(vol.shape, vol.spacing, planes.packed_bytes(vol), max_mb)

def packed(
    o:Opened,
    max_mb:float=64. # Voxels are averaged until they take no more than this
) -> bytes:
    "The volume as gzipped NIfTI, in the smallest type that shows no difference on screen."
    return planes.nifti_bytes(planes.shrink(o.vol, _factors(o.vol, max_mb)), compress=True)

_MOST_BYTES = 256_000_000   # of one slice

def raw_slice(
    o:Opened,
    plane:str, # 'axial', 'coronal', 'sagittal'
    i:int, # Slice of the hung stack
    time:int=0
) -> tuple: # bytes (little endian), and their description
    "One slice with every stored value: whole numbers as uint8, int16 or uint16 where they fit, else float32. Raises `BadInput`."
    if not 0 <= time < o.vol.n_times: raise BadInput(f'Time point {time} of {o.vol.n_times}')
    a = planes.hung_slice(o.vol, plane, i, time)
    if a.nbytes > _MOST_BYTES: raise BadInput(f'A slice of {a.shape[1]} x {a.shape[0]} pixels is too large to be shown', remedy='crop it in a notebook: load_series(...).crop(...)')
    data,kind = planes.slice_bytes(a)
    return data, dict(rows=a.shape[0], cols=a.shape[1], channels=a.shape[2] if a.ndim > 2 else 1, type=kind)
