"""The kernels of `Volume.resample`: an array on another grid, tile by tile.

`M` (3, 3) and `t` (3,) take an index of the new grid to a (fractional) index of the old one: `old = M @ new + t`.
Each tile copies the box of old voxels it needs into a small float32 buffer that fits the cache (which takes care of any dtype, stride or
axis order), and a compiled kernel interpolates there. Python threads share the tiles; the kernels run without the interpreter lock.

Edges are those of ITK: a point counts as inside up to half a voxel beyond the outermost voxel centres, and the edge value holds there.
Points that lie within `EPS` voxels of that border count as inside, too.
"""
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import permutations, product
import numpy as np
from ..core import BadInput, GeometryError, _in_kernel

#: Voxels: differences below this are rounding noise.
EPS = 1e-6
_ONE = 1 << 32   # positions in the general kernels are 32.32 fixed point: exact steps, and the fraction by a mask

# ---------------------------------------------------------------- compiled kernels (plain Python here, compiled at first use)

def _linear_axes(buf, out, zl, zh, zw, yl, yh, yw, xl, xh, xw, row):
    "Trilinear where the axes of both grids run alike: rows are blended first (vectorised), then columns."
    one = np.float32(1)
    for k in range(out.shape[0]):
        for i in range(out.shape[1]):
            w00, w01, w10, w11 = (one-zw[k])*(one-yw[i]), (one-zw[k])*yw[i], zw[k]*(one-yw[i]), zw[k]*yw[i]
            a, b, c, d = buf[zl[k],yl[i]], buf[zl[k],yh[i]], buf[zh[k],yl[i]], buf[zh[k],yh[i]]
            for x in range(row.shape[0]): row[x] = w00*a[x] + w01*b[x] + w10*c[x] + w11*d[x]
            for j in range(out.shape[2]):
                v = row[xl[j]]
                out[k,i,j] = v + xw[j]*(row[xh[j]]-v)

def _linear_affine(buf, out, P, lo, hi, outside):
    "Trilinear under any affine. `P` (3, 4): fixed-point position in `buf` of an index of `out`; inside is lo <= position < hi."
    flat, shift, mask, scale, one = buf.reshape(-1), np.int64(32), np.int64(0xffffffff), np.float32(2.**-32), np.uint64(1)
    sy, sz = np.uint64(buf.shape[2]), np.uint64(buf.shape[1]*buf.shape[2])
    dz, dy, dx = P[0,2], P[1,2], P[2,2]
    for k in range(out.shape[0]):
        for i in range(out.shape[1]):
            z0, y0, x0 = P[0,0]*k+P[0,1]*i+P[0,3], P[1,0]*k+P[1,1]*i+P[1,3], P[2,0]*k+P[2,1]*i+P[2,3]
            first, last = 0, out.shape[2]
            while first < last:   # a line enters and leaves a box once
                z, y, x = z0+first*dz, y0+first*dy, x0+first*dx
                if lo[0] <= z < hi[0] and lo[1] <= y < hi[1] and lo[2] <= x < hi[2]: break
                out[k,i,first] = outside
                first += 1
            while last > first:
                z, y, x = z0+(last-1)*dz, y0+(last-1)*dy, x0+(last-1)*dx
                if lo[0] <= z < hi[0] and lo[1] <= y < hi[1] and lo[2] <= x < hi[2]: break
                last -= 1
                out[k,i,last] = outside
            row = out[k,i]
            for j in range(first, last):   # unsigned indices: a signed one would be checked for counting from the end
                z, y, x = z0+j*dz, y0+j*dy, x0+j*dx
                p = np.uint64(z>>shift)*sz + np.uint64(y>>shift)*sy + np.uint64(x>>shift)
                q = p+sz
                fz, fy, fx = np.float32(z&mask)*scale, np.float32(y&mask)*scale, np.float32(x&mask)*scale
                a, b, c, d = flat[p], flat[p+sy], flat[q], flat[q+sy]
                a += fx*(flat[p+one]-a); b += fx*(flat[p+sy+one]-b); c += fx*(flat[q+one]-c); d += fx*(flat[q+sy+one]-d)
                a += fy*(b-a); c += fy*(d-c)
                row[np.uint64(j)] = a + fz*(c-a)

def _nearest_affine(buf, out, P, lo, hi, outside):
    "Nearest neighbour under any affine; `P` holds positions plus one half, so that the integer part is the nearest voxel."
    flat, shift = buf.reshape(-1), np.int64(32)
    sy, sz = np.uint64(buf.shape[2]), np.uint64(buf.shape[1]*buf.shape[2])
    dz, dy, dx = P[0,2], P[1,2], P[2,2]
    for k in range(out.shape[0]):
        for i in range(out.shape[1]):
            z0, y0, x0 = P[0,0]*k+P[0,1]*i+P[0,3], P[1,0]*k+P[1,1]*i+P[1,3], P[2,0]*k+P[2,1]*i+P[2,3]
            first, last = 0, out.shape[2]
            while first < last:
                z, y, x = z0+first*dz, y0+first*dy, x0+first*dx
                if lo[0] <= z < hi[0] and lo[1] <= y < hi[1] and lo[2] <= x < hi[2]: break
                out[k,i,first] = outside
                first += 1
            while last > first:
                z, y, x = z0+(last-1)*dz, y0+(last-1)*dy, x0+(last-1)*dx
                if lo[0] <= z < hi[0] and lo[1] <= y < hi[1] and lo[2] <= x < hi[2]: break
                last -= 1
                out[k,i,last] = outside
            row = out[k,i]
            for j in range(first, last):
                row[np.uint64(j)] = flat[np.uint64((z0+j*dz)>>shift)*sz + np.uint64((y0+j*dy)>>shift)*sy + np.uint64((x0+j*dx)>>shift)]

def _majority_axes(buf, out, za, zn, zw, ya, yn, yw, xa, xn, xw, share):
    """The label (code 0 to n-1) that fills most of each new voxel, the lowest of equals; code n is "nothing known" and has no vote.
    Along each axis the new voxel `k` covers `zn[k]` old ones from `za[k]` on, to the parts `zw[k, :zn[k]]`."""
    n = share.shape[0]-1
    for k in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                first, alike = buf[za[k],ya[i],xa[j]], True
                for z in range(zn[k]):
                    for y in range(yn[i]):
                        for x in range(xn[j]): alike &= buf[za[k]+np.uint64(z),ya[i]+np.uint64(y),xa[j]+np.uint64(x)] == first
                if alike:
                    out[k,i,j] = first
                    continue
                share[:] = 0
                for z in range(zn[k]):
                    for y in range(yn[i]):
                        part = zw[k,z]*yw[i,y]
                        for x in range(xn[j]): share[buf[za[k]+np.uint64(z),ya[i]+np.uint64(y),xa[j]+np.uint64(x)]] += part*xw[j,x]
                best = 0
                for code in range(1, n):
                    if share[code] > share[best]+1e-9: best = code
                out[k,i,j] = best

#: Argument types, so that a kernel is compiled once, ahead of its first call.
_F, _TABLE = 'float32[:,:,::1], float32[:,:,:], ', 'uint64[::1], uint64[::1], float32[::1], '
_PLACE = 'int64[:,::1], int64[::1], int64[::1], '
_COVER = 'uint64[::1], int64[::1], float64[:,::1], '
_SIGNATURES = {_linear_axes: f'void({_F}{_TABLE*3}float32[::1])', _linear_affine: f'void({_F}{_PLACE}float32)',
               _majority_axes: f'void(uint16[:,:,::1], uint16[:,:,:], {_COVER*3}float64[::1])'}
_COMPILING = threading.RLock()

@lru_cache(None)
def _say(): (sys.stdout if _in_kernel() else sys.stderr).write('radnb: preparing the resampler (its loops are compiled once on each machine)\n')

@lru_cache(None)
def _compiled(kernel, signature):
    from numba import njit
    options = dict(nogil=True, error_model='numpy', fastmath={'contract'})
    timer = threading.Timer(1., _say)   # a kernel from the cache loads in milliseconds, and nothing is said
    timer.start()
    try: return njit(signature, cache=True, **options)(kernel)
    except RuntimeError: return njit(signature, **options)(kernel)   # no folder to keep it in: neither the package's nor the user's can be written
    finally: timer.cancel()

def _kernel(kernel, dtype=None):
    "The compiled form of a kernel; `_nearest_affine` exists once per item size."
    t = f'uint{8*np.dtype(dtype).itemsize}' if dtype is not None else ''
    with _COMPILING: return _compiled(kernel, _SIGNATURES.get(kernel) or f'void({t}[:,:,::1], {t}[:,:,:], {_PLACE}{t})')

# ---------------------------------------------------------------- sharing the work

def _workers():
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1

def _tiles(shape, size, step=(1,1,1)):
    "All tiles of a grid, as tuples of slices; smaller ones where a step of the new grid spans several old voxels."
    size = [max(1, int(s/max(1, t))) for s,t in zip(size, step)]
    return [tuple(slice(a, min(a+s, n)) for a,s,n in zip(start, size, shape)) for start in product(*[range(0, n, s) for n,s in zip(shape, size)])]

def _share(work, tiles):
    "Do `work(tiles)` in as many threads as there are processors; little work stays in this one."
    n = min(_workers(), len(tiles))
    if n < 2: return work(tiles)
    with ThreadPoolExecutor(n) as pool:
        queue = iter(tiles)   # next() on a list iterator is atomic: each thread takes the next tile when it is done with one
        for f in [pool.submit(work, queue) for _ in range(n)]: f.result()

# ---------------------------------------------------------------- grids whose axes run alike

def _alike(M, t, shape):
    "The old axis that each new axis runs along and the positions there, `[(axis, positions)]`; None for an oblique grid."
    reach = np.abs(M)*(np.array(shape)-1)
    off = {p: max(reach[a].sum()-reach[a,b] for b,a in enumerate(p)) for p in permutations(range(3))}
    order = min(off, key=off.get)
    if off[order] > EPS: return None
    return [(a, M[a,b]*np.arange(shape[b])+t[a]) for b,a in enumerate(order)]

def _inside(p, n):
    "The range of new indices whose positions `p` lie inside an axis of `n` voxels."
    ok = np.flatnonzero((p >= -.5-EPS) & (p < n-.5+EPS))
    return slice(int(ok[0]), int(ok[-1])+1) if len(ok) else slice(0, 0)

def _between(p, n):
    "Both neighbours of positions and the weight of the second. On a voxel centre both are that voxel, so a NaN next to it stays away."
    whole = np.rint(p)
    p = np.clip(np.where(np.abs(p-whole) < EPS, whole, p), 0, n-1)
    lo = np.floor(p)
    w = (p-lo).astype(np.float32)
    return lo.astype(np.int64), np.where(w > 0, np.minimum(lo+1, n-1), lo).astype(np.int64), w

def _inner(src, axes, out, outside):
    "The part of `out` that lies inside `src` (the rest is set to `outside`) and its positions, both with axes in the order of `src`."
    order = np.argsort([a for a,_ in axes])
    out, positions = out.transpose(order), [axes[b][1] for b in order]
    keep = tuple(_inside(p, n) for p,n in zip(positions, src.shape))
    if any(s.stop-s.start < n for s,n in zip(keep, out.shape)): out[...] = outside
    return out[keep], [p[s] for p,s in zip(positions, keep)]

def _steps(positions): return [abs(p[1]-p[0]) if len(p) > 1 else 1 for p in positions]

def _compact(out): return out.strides[2] != min(out.strides)   # lines of the two grids cross: compact tiles, else long ones

def _box(tables, tile):
    "The box of old voxels that a tile needs, and its tables counted from there."
    lows = [int(min(lo[s].min(), hi[s].min())) for (lo,hi,_),s in zip(tables, tile)]
    highs = [int(max(lo[s].max(), hi[s].max()))+1 for (lo,hi,_),s in zip(tables, tile)]
    local = [((lo[s]-m).astype(np.uint64), (hi[s]-m).astype(np.uint64), w[s]) for (lo,hi,w),s,m in zip(tables, tile, lows)]
    return tuple(slice(a,b) for a,b in zip(lows, highs)), [v for table in local for v in table]

def _linear_alike(src, axes, out, outside):
    out, positions = _inner(src, axes, out, outside)
    if 0 in out.shape: return
    tables, kernel = [_between(p, n) for p,n in zip(positions, src.shape)], _kernel(_linear_axes)
    def work(tiles):
        for tile in tiles:
            box, local = _box(tables, tile)
            buf = np.ascontiguousarray(src[box], dtype=np.float32)
            kernel(buf, out[tile], *local, np.empty(buf.shape[2], np.float32))
    _share(work, _tiles(out.shape, (32, 32, 64) if _compact(out) else (8, 64, 1<<30), _steps(positions)))

def _nearest_alike(src, axes, out, outside):
    out, positions = _inner(src, axes, out, outside)
    near = [np.clip(np.floor(p+(.5+EPS)), 0, n-1).astype(np.intp) for p,n in zip(positions, src.shape)]
    def work(tiles):
        for tile in tiles:
            z, y, x = (n[s] for n,s in zip(near, tile))
            for k,o in zip(z, out[tile]): o[...] = src[k][y].take(x, axis=1)
    _share(work, _tiles(out.shape, (32, 64, 1<<30) if _compact(out) else (8, 1<<30, 1<<30)))

# ---------------------------------------------------------------- any grid

def _fixed(M, t, n, shape):
    "Fixed-point `[M | t]`. Raises `GeometryError` for grids so far apart that it would overflow."
    far = np.abs(M)@np.array(shape) + np.abs(t) + np.array(n)
    if far.max() > 2**30: raise GeometryError('The two grids lie too far apart', remedy='check both affines')
    return np.rint(np.c_[M, t]*_ONE).astype(np.int64)

def _fill(src, lo, hi, buf):
    "The box `lo` to `hi` of `src` into `buf`; beyond the edge the edge is repeated."
    a, b = [max(l, 0) for l in lo], [min(h, n) for h,n in zip(hi, src.shape)]
    core = [slice(x-l, y-l) for x,y,l in zip(a, b, lo)]
    buf[tuple(core)] = src[tuple(slice(x, y) for x,y in zip(a, b))]
    for ax,s in enumerate(core):
        v = np.moveaxis(buf, ax, 0)
        v[:s.start], v[s.stop:] = v[s.start:s.start+1], v[s.stop-1:s.stop]

def _affine(src, M, t, out, outside, kernel, size, half):
    "Run `kernel` over the tiles of `out`; `half` of a voxel is added to positions (nearest neighbour)."
    P, n = _fixed(M, t, src.shape, out.shape), np.array(src.shape)
    eps, dtype = int(EPS*_ONE), np.float32 if half == 0 else src.dtype
    outside = out.dtype.type(outside)
    def one(tile, scratch):
        start, stop = np.array([[s.start, s.stop] for s in tile]).T
        here, ext = P.copy(), P[:,:3]*(stop-start-1)
        here[:,3] += P[:,:3]@start
        low, high = here[:,3]+np.minimum(ext, 0).sum(1), here[:,3]+np.maximum(ext, 0).sum(1)
        lo, hi = np.maximum((low-_ONE//2) >> 32, -1), np.minimum(((high+_ONE//2) >> 32)+2, n+1)
        if (lo >= n).any() or (hi <= 0).any():
            out[tile] = outside
            return scratch
        if scratch.size < (hi-lo).prod(): scratch = np.empty((hi-lo).prod(), dtype)
        buf = scratch[:(hi-lo).prod()].reshape(hi-lo)
        _fill(src, lo.tolist(), hi.tolist(), buf)
        if half and (low >= -half).all() and (high < n*_ONE-half).all() and buf.min() == buf.max():   # most of a label map is one label
            out[tile] = buf[0,0,0]
            return scratch
        here[:,3] += half-lo*_ONE
        border = half-_ONE//2-lo*_ONE
        kernel(buf, out[tile], here, border-eps, border+n*_ONE+eps, outside)
        return scratch
    def work(tiles):
        scratch = np.empty(0, dtype)
        for tile in tiles: scratch = one(tile, scratch)
    _share(work, _tiles(out.shape, size, np.linalg.norm(M, axis=0)))

# ---------------------------------------------------------------- what the verb calls

def linear(
    src, # (slice, row, column), any real dtype
    M, t, # New index to old index
    shape, # Of the new grid
    outside # Value beyond the old grid
): # float32
    "Trilinear interpolation."
    out = np.empty(shape, np.float32)
    axes = _alike(M, t, shape)
    if axes: _linear_alike(src, axes, out, outside)
    else: _affine(src, M, t, out, outside, _kernel(_linear_affine), (32,48,64), 0)
    return out

def nearest(src, M, t, shape, outside): # dtype of `src`
    "The nearest voxel; a point halfway between two takes the one with the higher index."
    out, axes = np.empty(shape, src.dtype), _alike(M, t, shape)
    if axes: _nearest_alike(src, axes, out, outside)
    else:
        bits = np.dtype(f'u{src.dtype.itemsize}')
        fill = np.array(outside, src.dtype).view(bits)[()]
        _affine(src.view(bits), M, t, out.view(bits), fill, _kernel(_nearest_affine, bits), (48,64,128), _ONE//2)
    return out

def _codes(src):
    "The labels that occur, sorted, and a function that turns a piece of `src` into their numbers (uint16)."
    small, bits = src.dtype.itemsize <= 2, np.dtype(f'u{src.dtype.itemsize}')
    if small:
        seen = np.zeros(1 << 8*src.dtype.itemsize, bool)
        for s in src: seen[s.view(bits)] = True
        labels = np.sort(np.flatnonzero(seen).astype(bits).view(src.dtype))
    else: labels = np.unique(np.concatenate([np.unique(s) for s in src]))
    if len(labels) > 65534: raise BadInput(f'{len(labels)} different labels are too many for a majority', remedy="method='nearest'")
    if not small: return labels, lambda a: np.searchsorted(labels, a).astype(np.uint16)
    table = np.zeros(1 << 8*src.dtype.itemsize, np.uint16)
    table[labels.view(bits)] = np.arange(len(labels))
    return labels, lambda a: table[a.view(bits)]

def _cover(p, width, n):
    "Which old voxels new ones of a `width` at positions `p` cover along an axis of `n`: the first, how many, and the parts."
    a, b = np.clip(p-width/2+.5, 0, n), np.clip(p+width/2+.5, 0, n)   # in edges: old voxel i spans i to i+1
    first = np.minimum(np.floor(a+EPS), n-1)
    count = np.maximum(np.ceil(b-EPS)-first, 1).astype(np.int64)
    edges = first[:,None]+np.arange(count.max()+1)
    parts = np.maximum(np.minimum(edges[:,1:], b[:,None])-np.maximum(edges[:,:-1], a[:,None]), 0)
    return first.astype(np.int64), count, np.ascontiguousarray(parts)

def _vote(code, covers, n, out):
    "Majority in every voxel of `out`. `code(box)` gives the label numbers of a box of old voxels; `n` labels."
    kernel = _kernel(_majority_axes)
    def work(tiles):
        share = np.empty(n+1)
        for tile in tiles:
            here = [(first[s], count[s], parts[s]) for (first,count,parts),s in zip(covers, tile)]
            low = [int(first.min()) for first,_,_ in here]
            box = tuple(slice(a, int((first+count).max())) for a,(first,count,_) in zip(low, here))
            codes = np.ascontiguousarray(code(box))
            if (codes == codes[0,0,0]).all():   # most of a body is one organ
                out[tile] = codes[0,0,0]
                continue
            local = [v for a,(first,count,parts) in zip(low, here) for v in ((first-a).astype(np.uint64), count, parts)]
            kernel(codes, out[tile], *local, share)
    _share(work, _tiles(out.shape, (16,16,32), [count.max()-1 for _,count,_ in covers]))

def _vote_oblique(codes, M, t, n, out):
    "The same on an oblique grid: new voxels are sampled at least twice per old voxel, slab by slab."
    parts = np.maximum(1, np.ceil(2*np.linalg.norm(M, axis=0)-EPS)).astype(int)
    fine, start = M/parts, t+M@((1/parts-1)/2)
    step = max(1, int(3e7/np.prod(out.shape[1:]*parts[1:])/parts[0]))
    for k in range(0, len(out), step):
        slab = out[k:k+step]
        samples = nearest(codes, fine, start+M[:,0]*k, tuple(slab.shape*parts), n)
        covers = [(np.arange(m)*p, np.full(m, p), np.ones((m,p))) for m,p in zip(slab.shape, parts)]
        _vote(samples.__getitem__, covers, n, slab)
    out[nearest(np.broadcast_to(np.uint8(0), codes.shape), M, t, out.shape, 1) == 1] = n

def majority(src, M, t, shape, outside): # dtype of `src`
    """The label that fills most of each new voxel; the lowest number of equals. Exact where the axes of both grids run alike,
    else by samples at most half an old voxel apart. What lies outside has no vote; a new voxel whose centre lies there is `outside`."""
    labels, encode = _codes(src)
    n, out = len(labels), np.empty(shape, np.uint16)
    axes = _alike(M, t, np.maximum(shape, 2))
    if axes:
        inner, positions = _inner(src, [(a, p[:m]) for (a,p),m in zip(axes, shape)], out, n)
        covers = [_cover(p, width, m) for p,width,m in zip(positions, np.abs(M).max(1), src.shape)]
        if inner.size: _vote(lambda box: encode(src[box]), covers, n, inner)
    else: _vote_oblique(encode(src), M, t, n, out)
    return np.append(labels, np.array(outside, src.dtype))[out]

def _blur_axis(src, sigma, axis):
    from scipy.ndimage import gaussian_filter1d
    done = np.empty(src.shape, np.float32)
    def work(parts):
        for a in parts:
            at = np.s_[a:a+32] if axis else np.s_[:, a:a+32]
            gaussian_filter1d(src[at], sigma, axis, output=done[at], mode='nearest')
    _share(work, range(0, src.shape[axis == 0], 32))
    return done

def blur(src, M): # float32 where anything is smoothed
    """Gaussian smoothing against aliasing, before going to a coarser grid: as much as the new voxel's point spread is wider than the old
    one's along each old axis (Cardoso et al., MICCAI 2015: variance (k^2-1)/(8 ln 2) for voxels k times as large)."""
    for axis,k2 in enumerate((M**2).sum(1)):
        if k2 > 1+EPS and src.shape[axis] > 1: src = _blur_axis(src, np.sqrt((k2-1)/(8*np.log(2))), axis)
    return src
