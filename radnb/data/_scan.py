"""Where the values lie in the headers of many DICOM files: the byte work under `radnb.data.scan`.

All files of a batch are walked together, element by element, with array operations: after `k` steps each file stands at its `k`-th element. A step
costs about the same for one file and for a thousand, and no element of any file becomes a Python object. What is not plain (an unknown VR, a length
beyond the file, nesting that does not close) is marked `ODD` and left to a full parser.

Sources: DICOM PS3.5 section 7 (elements, sequences) and PS3.10 section 7 (file meta information)."""
import os, stat
import numpy as np

HEAD = 8192                       #: bytes read from each file at first
_WINDOWS = (8192, 16384, 32768, 65536, 131072)   # what is read further on, where the head was not enough
_LONGEST = 65536                  # bytes; a longer value of a wanted tag is not plain
_ALONE = 100                       # steps by fewer than four files together: from here on a full parser is faster
_DEEPEST = 64                     # two per level of nesting; deeper is not plain
UNDEFINED = 0xFFFFFFFF

PIXELS, END, MORE, ODD, DATASET = 1, 2, 3, 4, 5   # a walk ended: at the pixels, with the file, with its window, oddly, after the meta group
EXPLICIT, IMPLICIT, BIG = 0, 1, 2                 # how elements are written

# --- reading -------------------------------------------------------------------------------------------------------------------------------------
FLAGS = os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0) | getattr(os, 'O_BINARY', 0)   # a FIFO must not hang

def read_at(path, start=0, n=HEAD):
    "(size, mtime_ns, bytes) of a regular file; raises `OSError`."
    fd = os.open(path, FLAGS)
    try:
        s = os.fstat(fd)
        if not stat.S_ISREG(s.st_mode): raise OSError(0, 'a folder' if stat.S_ISDIR(s.st_mode) else 'a device, pipe or socket, not a file')
        if start: os.lseek(fd, start, os.SEEK_SET)
        return s.st_size, s.st_mtime_ns, os.read(fd, n)
    finally: os.close(fd)

# --- elements ------------------------------------------------------------------------------------------------------------------------------------
_SHORT, _LONG, _SQ, _UN = 1, 2, 3, 4

def _vr_kinds(order):
    "A table of 65,536: what each pair of VR letters means for the length that follows (PS3.5 7.1.2)."
    kinds = np.zeros(65536, np.uint8)
    names = {_SHORT: 'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US',
             _LONG: 'OB OD OF OL OV OW SV UC UR UT UV', _SQ: 'SQ', _UN: 'UN'}
    for kind,vrs in names.items(): kinds[[vr_code(vr, order) for vr in vrs.split()]] = kind
    return kinds

def vr_code(name, order='little'): return int.from_bytes(name.encode(), order)

_KINDS = [_vr_kinds('little'), None, _vr_kinds('big')]
_ITEM, _ITEM_END, _SEQ_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

class Tags:
    "The wanted tags as a perfect hash: `columns(tags)` gives the column of each, -1 for the others."
    def __init__(self,
        tags, # Numbers, one per column
        vrs, # The VR that each must have where it is written down; '' for any
        odd=() # Tags that call for a full parser
    ):
        self.n = len(tags)
        code = lambda order: np.array([vr_code(v, order) if v else 0 for v in vrs], np.int64)
        self.vrs = [code('little'), np.zeros(len(vrs), np.int64), code('big')]   # by how it is written
        every = np.array([*tags, *odd], np.int64)
        for self.factor in range(0x9E3779B1, 0x9E3779B1+200000, 2):
            slots = self._slot(every)
            if len(np.unique(slots)) == len(every): break
        self.tag, self.col = np.full(1<<14, -1, np.int64), np.full(1<<14, -1, np.int16)
        self.tag[slots], self.col[slots] = every, [*range(len(tags)), *[len(tags)]*len(odd)]

    def _slot(self, tags): return (tags*self.factor & 0xFFFFFFFF) >> 18

    def columns(self, tags):
        "Column of each tag; -1 not wanted, `n` odd."
        slot = self._slot(tags)
        return np.where(self.tag[slot] == tags, self.col[slot], -1)

# --- the walk ------------------------------------------------------------------------------------------------------------------------------------
class Part:
    "Bytes of many files in a row, to be loaded eight at a time from any position."
    def __init__(self,
        chunks, # The bytes of each file
        origin # Where this part begins in all that was read
    ):
        self.bytes, self.origin = b''.join(chunks) + bytes(16), origin   # so that loading 12 bytes at the last element stays inside
        self.starts = np.cumsum([0, *map(len, chunks)])[:-1]
        self.ends = np.array([len(c) for c in chunks], np.int64)

    def loader(self, dtype):
        "The number that begins at each byte."
        flat = np.frombuffer(self.bytes, np.uint8)
        return np.ndarray((len(flat)-np.dtype(dtype).itemsize+1,), dtype, flat, strides=(1,))

class Walk:
    "What was found in `n` files: column `c` of file `i` is the `size[c,i]` bytes (-1: not there) at `data[at[c,i]:]`."
    def __init__(self, n, tags):
        self.tags, self.n = tags, n
        self.at, self.size = np.zeros((tags.n, n), np.int64), np.full((tags.n, n), -1, np.int64)
        self.pos, self.depth, self.state = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, ODD, np.uint8)
        self.pixel_at, self.pixel_size = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
        self.parts = []

    def add(self, chunks):
        "Keep the bytes of files; the part that holds them."
        self.parts.append(Part(chunks, sum(len(p.bytes) for p in self.parts)))
        return self.parts[-1]

    def data(self):
        "All bytes read."
        return self.parts[0].bytes if len(self.parts) == 1 else b''.join(p.bytes for p in self.parts)

    def step(self, part, rows, which, bases, sizes, how, meta=False, fresh=False):
        """Walk `rows` from `self.pos` until each is at its pixels, at the end of its window, or odd. The windows are numbers `which` of `part` and
        begin at byte `bases` of files of `sizes` bytes. `meta`: until the first element after group 2. `fresh`: they stand at the first element."""
        if not len(rows): return
        code = _Code(part, how)
        shift = part.starts[which]-bases            # position in the file + shift = position in `part`
        r, p, d, end, eof = rows, self.pos[rows]+shift, self.depth[rows], part.starts[which]+part.ends[which], sizes+shift
        alone = 0
        while len(r):
            if not (meta or fresh or d.any()) and self._together(code, part, r, p, end, eof): continue
            alone += len(r) < 4
            if alone > _ALONE: self.state[r] = ODD; return
            inside = (p+12 <= end) | ((end == eof) & (p+8 <= end))
            tag, vr, kind, length, header, undefined, odd = code.elements(np.where(inside, p, 0), fresh)
            fresh = False
            state = np.where(inside, 0, np.where((p == eof) & (d == 0), END, np.where(end < eof, MORE, ODD))).astype(np.uint8)   # 0: goes on
            if meta: state[inside & (tag>>16 != 2)] = DATASET
            top, value = d == 0, p+header
            pixels = (state == 0) & top & ~odd & (value <= eof) & ((tag == 0x7FE00010) | (tag == 0x7FE00008) | (tag == 0x7FE00009))
            state[pixels] = PIXELS
            down, up, bad = _nesting(d, tag, kind, undefined)
            after = value + np.where(down | up, 0, length)
            go = state == 0
            state[go & (odd | bad | (after > eof) | (d >= _DEEPEST))] = ODD
            self._found(part, r, p, value, after, end, tag, vr, length, undefined, how, (state == 0) & top, state)
            self.pixel_at[r[pixels]], self.pixel_size[r[pixels]] = (value-shift)[pixels], np.where(undefined, -1, length)[pixels]
            going = state == 0
            d = d + (going & down) - (going & up)
            p = np.where(going, after, p)
            if going.all(): continue
            out = ~going
            self.pos[r[out]], self.depth[r[out]], self.state[r[out]] = (p-shift)[out], d[out], state[out]
            r, p, d, end, eof, shift = (x[going] for x in (r, p, d, end, eof, shift))

    def _found(self, part, r, p, value, after, end, tag, vr, length, undefined, how, here, state):
        "Note the wanted values among elements `here`; those that are not as they must be are odd, those that reach out of the window come again."
        col = np.where(here, self.tags.columns(tag), -1)
        hit = np.flatnonzero(col >= 0)
        if not len(hit): return
        known = col[hit] < self.tags.n
        c = np.where(known, col[hit], 0)
        want = self.tags.vrs[how][c]
        bad = np.where(known, undefined[hit] | (length[hit] > _LONGEST) | ((want != 0) & (vr[hit] != want)), length[hit] != 0)
        out = after[hit] > end[hit]
        state[hit[bad]] = ODD; state[hit[~bad & out]] = MORE
        ok = known & ~bad & ~out
        i = r[hit[ok]]
        self.at[c[ok],i], self.size[c[ok],i] = value[hit[ok]]+part.origin, length[hit[ok]]

    def _together(self, code, part, r, p, end, eof):
        """One step of the files that stand at the same plain element, if they are most: one look-up for all of them. As tags ascend, the ones with
        the lowest tag go first, and files with an element more or less fall into step again. False where there is no such majority."""
        if (p+12 > end).any(): return False
        word = code.load8[p]
        same = code.same(word, word[0])
        if not same.all():
            tag = code.tag(word)
            lead = int(tag.argmin())
            same = code.same(word, word[lead])
            if same.sum()*2 < len(r): return False
            i = np.flatnonzero(same)
            w, q = word[i], p[i]
        else: lead, i, w, q = 0, slice(None), word, p
        tag, vr, kind = code.one(word[lead])
        if kind == 0 or tag>>16 in (0xFFFE, 0x7FE0): return False
        length, header = code.lengths(w, q, kind)
        after = q+header+length
        if (after > eof[i]).any() or kind != _SHORT and (length == UNDEFINED).any(): return False
        c = int(self.tags.columns(np.int64(tag)))
        if c >= 0:
            want = self.tags.vrs[code.how][c] if c < self.tags.n else -1
            if want not in (0, vr) or (length > _LONGEST).any() or (after > end[i]).any(): return False
            self.at[c,r[i]], self.size[c,r[i]] = q+header+part.origin, length
        p[i] = after
        return True

def _nesting(d, tag, kind, undefined):
    "(down, up, bad) of elements at depth `d`: even depth is in a data set, odd depth in a sequence, where there are only items (PS3.5 7.5)."
    fence = tag>>16 == 0xFFFE
    if not (d.any() or fence.any() or undefined.any()): return fence, fence, fence
    within = d & 1 == 1
    down = undefined & np.where(within, tag == _ITEM, kind == _SQ)
    up = np.where(within, tag == _SEQ_END, (tag == _ITEM_END) & (d > 0))
    bad = np.where(within, (tag != _ITEM) & (tag != _SEQ_END), fence & ~up) | (undefined & ~down)
    return down, up, bad

class _Code:
    "How the elements of a part are written: explicit or implicit VR, little or big endian."
    def __init__(self, part, how):
        self.how, e = how, '>' if how == BIG else '<'
        self.load8, self.load4 = part.loader(e+'u8'), part.loader(e+'u4')

    def tag(self, word):
        if self.how == BIG: return (word>>32).astype(np.int64)
        return ((word & 0xFFFF)<<16 | word>>16 & 0xFFFF).astype(np.int64)

    def vr(self, word): return (word>>16 if self.how == BIG else word>>32) & 0xFFFF

    def same(self, word, one):
        "Same tag and, where it is written, same VR."
        if self.how == IMPLICIT: return (word ^ one) & 0xFFFFFFFF == 0
        return (word ^ one) >> 16 == 0 if self.how == BIG else (word ^ one) << 16 == 0

    def one(self, word):
        "(tag, VR, kind) of a single element."
        vr = 0 if self.how == IMPLICIT else int(self.vr(word))
        return int(self.tag(word)), vr, _LONG if self.how == IMPLICIT else int(_KINDS[self.how][vr])

    def lengths(self, word, p, kind):
        "Length of the values and of what is in front of them, for elements of one kind."
        if self.how == IMPLICIT: return (word>>32).astype(np.int64), 8
        if kind == _SHORT: return (word & 0xFFFF if self.how == BIG else word>>48).astype(np.int64), 8
        return self.load4[p+8].astype(np.int64), 12

    def elements(self, p, fresh):
        "(tag, VR, kind, length, header, undefined length, odd) of the elements at `p`."
        word = self.load8[p].astype(np.uint64)
        tag = self.tag(word)
        wide = (word & 0xFFFFFFFF if self.how == BIG else word>>32).astype(np.int64)
        if self.how == IMPLICIT:   # letters where a VR would be, in the first element: it is explicit after all
            undefined = wide == UNDEFINED
            return tag, wide*0, np.where(undefined, _SQ, _SHORT), wide, 8, undefined, _letters(word) & fresh
        fence, vr = tag>>16 == 0xFFFE, self.vr(word).astype(np.int64)
        kind = np.where(fence, _LONG, _KINDS[self.how][vr])
        far = (kind >= _LONG) & ~fence
        short = (word & 0xFFFF if self.how == BIG else word>>48).astype(np.int64)
        length = np.where(fence, wide, np.where(far, self.load4[np.minimum(p+8, len(self.load4)-1)], short))
        return tag, vr, kind, length, np.where(far, 12, 8), (length == UNDEFINED) & (far | fence), kind == 0

def _letters(word):
    "Bytes 5 and 6 of each word are capital letters."
    a, b = word>>32 & 0xFF, word>>40 & 0xFF
    return (a > 0x40) & (a < 0x5B) & (b > 0x40) & (b < 0x5B)

# --- many files ----------------------------------------------------------------------------------------------------------------------------------
def locate(heads, paths, tags, syntax):
    """The walk through `paths`, of which `heads` (size, mtime_ns, bytes; or an `OSError`) were read, and how each is written (-1: not known).
    `syntax(value, head)` says how, from the value of column 0, the transfer syntax (None if there is none), and the first bytes of the data set."""
    walk, zero = Walk(len(heads), tags), np.zeros(len(heads), np.int64)
    plain = [() if isinstance(h, Exception) else h for h in heads]
    part = walk.add([h[2] if h else b'' for h in plain])
    sizes = np.array([h[0] if h else 0 for h in plain], np.int64)
    meta = np.array([bool(h) and h[2][128:132] == b'DICM' for h in plain], bool)
    walk.pos[meta] = 132
    rows = np.flatnonzero(meta)
    walk.step(part, rows, rows, zero[rows], sizes[rows], EXPLICIT, meta=True)
    how = _how(walk, plain, meta, syntax)
    for h in (EXPLICIT, IMPLICIT, BIG):
        rows = np.flatnonzero(how == h)
        walk.step(part, rows, rows, zero[rows], sizes[rows], h, fresh=True)
        for window in _WINDOWS:
            rows = rows[walk.state[rows] == MORE]
            if not len(rows): break
            chunks = [_more(paths[i], int(walk.pos[i]), window, plain[i]) for i in rows]
            more = np.flatnonzero([len(c) > 0 for c in chunks])
            walk.step(walk.add(chunks), rows[more], more, walk.pos[rows[more]], sizes[rows[more]], h)
    return walk, how

def _how(walk, heads, meta, syntax):
    "How each file is written."
    data, how, known = walk.data(), np.full(len(heads), -1), {}
    for i,h in enumerate(heads):
        if not h or meta[i] and walk.state[i] != DATASET: continue
        at, size = walk.at[0,i], walk.size[0,i]
        key = (data[at:at+size],) if size >= 0 else (None, h[2][walk.pos[i]:walk.pos[i]+6])
        if key not in known: known[key] = syntax(*key)
        how[i] = known[key]
    return how

def _more(path, start, n, head):
    "A later window; nothing if the file has changed or gone meanwhile."
    try: size, mtime, data = read_at(path, start, n)
    except OSError: return b''
    return data if (size, mtime) == head[:2] else b''

# --- values --------------------------------------------------------------------------------------------------------------------------------------
_TAILS = np.array([(1 << 8*k)-1 for k in range(8)] + [(1<<64)-1], np.uint64)   # the first k bytes of eight

class Found:
    "The values that a walk found in `rows`."
    def __init__(self, walk, rows):
        self.bytes, self.at, self.sizes = walk.data(), walk.at[:, rows], walk.size[:, rows]
        flat = np.frombuffer(self.bytes, np.uint8)
        self.load8 = np.ndarray((max(len(flat)-7, 0),), '<u8', flat, strides=(1,))

    def raw(self, c, j):
        "The bytes of column `c` in row `j`, None if the file does not have it."
        n = self.sizes[c,j]
        return None if n < 0 else self.bytes[self.at[c,j]:self.at[c,j]+n]

    def raws(self, c, rows):
        "The bytes of column `c` in each of `rows`."
        data, at, size = self.bytes, self.at[c,rows], self.sizes[c,rows]
        return [data[a:b] if b >= a else None for a,b in zip(at.tolist(), (at+size).tolist())]

    def has(self, c): return self.sizes[c] >= 0

    def any(self, cols): return (self.sizes[cols] >= 0).any()

    def changes(self, cols):
        "Rows whose bytes in any of the columns differ from those of the row before; the first row always does."
        same = np.ones(self.at.shape[1], bool)
        same[:1] = False
        for c in cols:
            at, size = self.at[c], self.sizes[c]
            same[1:] &= size[1:] == size[:-1]
            i, k = np.flatnonzero(same & (size > 0)), 0
            while len(i):
                left = size[i]-k
                differ = (self.load8[at[i]+k] ^ self.load8[at[i-1]+k]) & _TAILS[np.minimum(left, 8)] != 0
                same[i[differ]] = False
                i, k = i[~differ & (left > 8)], k+8
        return ~same
