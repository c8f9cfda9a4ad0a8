"""Pixels that are still in their files: a reader, and which part of it a volume shows, read when somebody asks for the values."""
import threading
import numpy as np

class Source:
    "A reader, read completely at most once, whoever asks."
    def __init__(self, reader): self.reader,self.array,self.lock = reader, None, threading.Lock()
    def __getstate__(self): return dict(reader=self.reader, array=self.array)
    def __setstate__(self, state): self.__dict__.update(state, lock=threading.Lock())

    def all(self):
        with self.lock:
            if self.array is None: self.array = np.asarray(self.reader)
        return self.array

def is_reader(x):
    "Does `x` promise pixels (shape, dtype, indexing) without being an array?"
    return (not isinstance(x, (np.ndarray, np.generic, str, bytes)) and isinstance(getattr(x, 'dtype', None), np.dtype)
            and hasattr(x, 'shape') and hasattr(x, '__getitem__'))

class LazyPixels:
    """A part of a reader, its axes flipped or in another order; `np.asarray` reads it.

    Only what is needed is asked of the reader: all of it (`np.asarray(reader)`, kept), or some slices: `reader[a:b]` along the slice axis,
    in 4D `reader[s:t, a:b]`. Rows and columns are cut afterwards."""
    def __init__(self,
        source, # `Source`, or a reader
        spans=None, # `(start, stop, step)` per axis of the reader; step 1 or -1 (flipped after reading start to stop)
        order=None, # Axis `k` here is axis `order[k]` of the reader
        lead:int=1 # How many leading axes the reader can cut: 1, with time 2
    ):
        self.source = source if isinstance(source, Source) else Source(source)
        self.spans = spans or tuple((0, n, 1) for n in self.source.reader.shape)
        self.order,self.lead = order or tuple(range(len(self.spans))), lead

    @property
    def dtype(self): return self.source.reader.dtype
    @property
    def shape(self): return tuple(self.spans[a][1]-self.spans[a][0] for a in self.order)
    @property
    def ndim(self): return len(self.order)
    def __len__(self): return self.shape[0]

    def cut(self, ranges):
        "The block of `(start, stop)` per axis; nothing is read."
        spans = list(self.spans)
        for a,(i,j) in zip(self.order, ranges):
            start,stop,step = spans[a]
            spans[a] = (start+i, start+j, step) if step > 0 else (stop-j, stop-i, step)
        return LazyPixels(self.source, tuple(spans), self.order, self.lead)

    def turn(self, order, flips):
        "Axes in another order, then those in `flips` reversed; nothing is read."
        order, spans = tuple(self.order[a] for a in order), list(self.spans)
        for k in flips: spans[order[k]] = (*spans[order[k]][:2], -spans[order[k]][2])
        return LazyPixels(self.source, tuple(spans), order, self.lead)

    def _block(self):
        "What the spans enclose, in the reader's own order"
        full = self.source.reader.shape
        lead = tuple(slice(a, b) for a,b,_ in self.spans[:self.lead])
        whole = all((a,b) == (0,n) for (a,b,_),n in zip(self.spans[:self.lead], full))
        if whole or self.source.array is not None: data = self.source.all()[lead]
        else: data = np.asarray(self.source.reader[lead if self.lead > 1 else lead[0]])
        return data[(slice(None),)*self.lead + tuple(slice(a, b) for a,b,_ in self.spans[self.lead:])]

    def __array__(self, dtype=None, copy=None):
        data = self._block()[tuple(slice(None, None, step) for _,_,step in self.spans)].transpose(self.order)
        return np.array(data, dtype=dtype) if copy else np.asarray(data, dtype=dtype)
