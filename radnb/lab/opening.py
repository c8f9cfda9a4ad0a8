"Volumes opened once and kept for a while; what the browser is told of them, and their slices and packed copies."
import sys, threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
import numpy as np
from ..core import BadInput
from ..data.volume import Volume
from ..view.figures import is_placed
from ..view import planes
from .listing import Entry, plain
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
        key = entry.id, regular
        with self._lock:
            mine = key not in self._open
            future = self._open.setdefault(key, Future())
            self._open.move_to_end(key)
        if mine:
            try: future.set_result(self._read(entry, regular))
            finally:
                if not future.done():   # those who wait for it hear the same
                    with self._lock: del self._open[key]
                    future.set_exception(sys.exc_info()[1])
            self._trim()
        return future.result()

    def _read(self, entry, regular):
        mb = np.prod([float(n) for n in entry.row.get('shape') or (0,)])*4/1e6
        if mb > self.max_volume_mb:
            raise BadInput(f'{mb/1000:.1f} GB of voxels are too many to open here', entry.paths[0], f'raise c.RadnbServer.max_volume_mb (now {self.max_volume_mb})')
        try: vol = read_volume(entry.kind, entry.paths, self.guard, entry.row.get('part') or '', regular)
        except MemoryError as e: raise BadInput('Not enough memory for this volume', entry.paths[0], 'close other volumes and notebooks') from e
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
    max_mb:float=64. # What `packed` is allowed
) -> dict:
    "All that a viewer needs to know before it has a voxel."
    v,row = o.vol, o.entry.row
    about = planes.describe(v, o.placed, factors=_factors(v, max_mb))
    words = dict(id=o.entry.id, title=row['title'], modality=v.meta.get('Modality'), verdict=row.get('verdict', ''), code=o.entry.code)
    return plain({**about, **words, 'located': o.placed and row.get('located', True), 'stored': str(v.data.dtype), 'mb': v.data.nbytes/1e6})

def _factors(vol, max_mb): return planes.shrink_factors(vol.shape, vol.spacing, planes.packed_bytes(vol), max_mb)

def packed(
    o:Opened,
    max_mb:float=64. # Voxels are averaged until they take no more than this
) -> bytes:
    "The volume as gzipped NIfTI, in the smallest type that shows no difference on screen."
    return planes.nifti_bytes(planes.shrink(o.vol, _factors(o.vol, max_mb)), compress=True)

def raw_slice(
    o:Opened,
    plane:str, # 'axial', 'coronal', 'sagittal'
    i:int, # Slice of the hung stack
    time:int=0
) -> tuple: # bytes (little endian), and their description
    "One slice with every stored value: whole numbers as uint8, int16 or uint16 where they fit, else float32. Raises `BadInput`."
    if not 0 <= time < o.vol.n_times: raise BadInput(f'Time point {time} of {o.vol.n_times}')
    a = planes.hung_slice(o.vol, plane, i, time)
    data,kind = planes.slice_bytes(a)
    return data, dict(rows=a.shape[0], cols=a.shape[1], channels=a.shape[2] if a.ndim > 2 else 1, type=kind)
