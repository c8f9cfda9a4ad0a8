"""From the bytes of `PixelData` to stored values: every pixel layout and compression of DICOM PS3.5 (section 8, annexes A, F and G).

Nothing here knows files, units or patients: `pixels` calls it and turns its errors into `UnreadableFile`. A frame is decoded outside
Python's global lock, so that threads decode frames side by side. `ValueError` or `RuntimeError`: the bytes do not hold what the
header says. `NotImplementedError`: nobody here can read that compression.
"""
import struct, zlib
from typing import NamedTuple
import numpy as np

RLE, DEFLATED_FRAMES, NATIVE_FRAMES = '1.2.840.10008.1.2.5', '1.2.840.10008.1.2.8.1', '1.2.840.10008.1.2.1.98'
#: pixels not compressed: which of them are big endian (the last: a private syntax of GE, little-endian header and big-endian pixels)
NATIVE = {'1.2.840.10008.1.2': False, '1.2.840.10008.1.2.1': False, '1.2.840.10008.1.2.1.99': False, '1.2.840.10008.1.2.2': True,
          '1.2.840.113619.5.2': True}
_NOT_PICTURES = {'1.2.840.10008.1.2.4.94': 'a link to a JPIP server', '1.2.840.10008.1.2.4.95': 'a link to a JPIP server',
                 '1.2.840.10008.1.2.4.204': 'a link to a JPIP server', '1.2.840.10008.1.2.4.205': 'a link to a JPIP server'}
_VIDEO = ('1.2.840.10008.1.2.4.10', '1.2.840.10008.1.2.7.')   # MPEG-2, MPEG-4, HEVC (.100 to .108); SMPTE ST 2110
_LOSSY = ('1.2.840.10008.1.2.4.81', '1.2.840.10008.1.2.4.91', '1.2.840.10008.1.2.4.93', '1.2.840.10008.1.2.4.203')
_JPEG_XL = ('1.2.840.10008.1.2.4.110', '1.2.840.10008.1.2.4.111', '1.2.840.10008.1.2.4.112')

class Layout(NamedTuple):
    "How an image's numbers lie in its bytes (the Image Pixel module, PS3.3 C.7.6.3)."
    rows:int
    columns:int
    samples:int = 1 # 3 for colour
    frames:int = 1
    allocated:int = 16 # Bits of a number in the file
    stored:int = 16 # Bits that count
    high:int = 15 # Place of the highest bit that counts
    signed:bool = False
    photometric:str = 'MONOCHROME2'
    planar:bool = False # Colour by plane: all red, all green, all blue
    real:bool = False # FloatPixelData or DoubleFloatPixelData

    @property
    def dtype(self):
        "The type that holds one number of the file."
        if self.real: return np.dtype(f'f{self.allocated//8}')
        size = next((s for s in (1,2,4,8) if 8*s >= self.allocated), None)
        if size is None: raise ValueError(f'numbers of {self.allocated} bits')
        return np.dtype(f'{"i" if self.signed else "u"}{size}')
    @property
    def shape(self): return (self.frames, self.rows, self.columns) + ((self.samples,) if self.samples > 1 else ())
    @property
    def is_422(self): return '422' in self.photometric and self.samples == 3
    @property
    def nbytes(self):
        "Bytes of all frames, not compressed."
        samples = 2 if self.is_422 else self.samples   # 4:2:2: two pixels share one pair of colour differences
        return (self.frames*self.rows*self.columns*samples*self.allocated+7)//8

#: A few bytes may rightly stand for a large empty image, but not for one without end.
_EXPANSION, _ALLOWANCE = 10_000, 2**28

def check_size(
    lay:Layout, # What the header says
    nbytes:int, # Bytes that hold all frames
    compressed:bool
):
    "Raise `ValueError`, before anything is allocated, if so few bytes cannot hold so large an image."
    if min(lay.rows, lay.columns, lay.samples, lay.frames) < 1: raise ValueError(f'an image of {"x".join(map(str, lay.shape))} pixels')
    if lay.samples not in (1,3) or lay.photometric in ('HSV', 'CMYK', 'ARGB'):
        raise NotImplementedError(f'colour as {lay.samples} samples of {lay.photometric}, which has left the standard')
    if not compressed and nbytes < lay.nbytes: raise ValueError(f'{lay.nbytes-nbytes} bytes of pixels are missing')
    if compressed and lay.nbytes > _EXPANSION*nbytes+_ALLOWANCE:
        raise ValueError(f'{nbytes} bytes cannot hold {"x".join(map(str, lay.shape))} pixels of {lay.allocated} bits')

# ---------------------------------------------------------------------------------------------- bits and colours

def fit_bits(a, lay:Layout, precision:int):
    """Keep, in place, the bits that count, and give them their sign (PS3.5 8.1.1: the others may hold anything, overlays for example).
    `precision`: bits of a number as it came from the file or from its decoder."""
    stored = min(lay.stored, precision)
    down = min(max(lay.high+1-lay.stored, 0), precision-stored) if precision > lay.stored else 0
    up = 8*a.itemsize-stored-down
    if up == 0 and down == 0: return a
    if a.dtype.kind == 'u' and down == 0: a &= a.dtype.type(2**stored-1)
    else:
        a <<= up
        a >>= up+down
    return a

def clip_range(a, lay:Layout):
    "Hold, in place, numbers within the range of the stored bits: lossy compression overshoots, and an overshoot cut to its bits would turn white into black."
    lo, hi = (-2**(lay.stored-1), 2**(lay.stored-1)-1) if lay.signed else (0, 2**lay.stored-1)
    return np.clip(a, lo, hi, out=a)

#: Y, Cb, Cr to R, G, B (PS3.3 C.7.6.3.1.2; PARTIAL: ITU-R BT.601 with head and foot room)
_YBR_FULL = np.array([[1, 0, 1.402], [1, -.114*1.772/.587, -.299*1.402/.587], [1, 1.772, 0]], np.float32)
_YBR_PARTIAL = np.array([[255/219, 0, 1.402*255/224], [255/219, -.114*1.772/.587*255/224, -.299*1.402/.587*255/224], [255/219, 1.772*255/224, 0]], np.float32)

def ybr_to_rgb(a, lay:Layout):
    "Luminance and colour differences (last axis) to red, green, blue."
    top = np.float32(2**lay.stored-1)
    partial = 'PARTIAL' in lay.photometric
    zero = np.array([16/256*(top+1) if partial else 0, (top+1)/2, (top+1)/2], np.float32)
    rgb = (a.astype(np.float32)-zero)@(_YBR_PARTIAL if partial else _YBR_FULL).T
    return np.clip(np.floor(rgb+np.float32(.5)), 0, top).astype(a.dtype)

def to_rgb(a, lay:Layout):
    "Colour as RGB, by the header's PhotometricInterpretation."
    if lay.samples == 1: return a
    name = lay.photometric
    return ybr_to_rgb(a, lay) if name in ('YBR_FULL', 'YBR_FULL_422', 'YBR_PARTIAL_422', 'YBR_PARTIAL_420') else a

def expand_segments(data:bytes, bits:int, big:bool=False) -> bytes:
    "The values of a segmented palette: discrete, linear and repeated runs (PS3.3 C.7.9.2), as an unsegmented table holds them."
    words = np.frombuffer(data[:len(data)//(bits//8)*(bits//8)], ('>' if big else '<')+f'u{bits//8}').tolist()
    out = []
    def run(at, segments, depth):
        while at+1 < len(words) and segments > 0:
            kind, n = words[at:at+2]
            at, segments = at+2, segments-1
            if kind == 0: out.extend(words[at:at+n]); at += n
            elif kind == 1 and out:
                out.extend(np.rint(np.linspace(out[-1], words[at], n+1)[1:]).astype(int).tolist()); at += 1
            elif kind == 2 and depth == 0:
                places = words[at:at+32//bits]
                place = sum(v << (bits*i) for i,v in enumerate(places))
                at += len(places)
                run(place//(bits//8), n, 1)
            else: raise ValueError(f'a segmented palette with a segment of kind {kind}')
            if len(out) > 65536: raise ValueError('a segmented palette without end')
    run(0, len(words), 0)
    return np.array(out, '>u2' if big else '<u2').tobytes()

# ---------------------------------------------------------------------------------------------- not compressed

def _unpack(raw, lay, n):
    "`n` numbers of 1, 2, 4, 12 ... bits, packed without gaps from the lowest bit of each byte upwards."
    if lay.allocated == 1: return np.unpackbits(raw, count=n, bitorder='little')
    wide = np.zeros((n, 8*lay.dtype.itemsize), np.uint8)
    wide[:, :lay.allocated] = np.unpackbits(raw, count=n*lay.allocated, bitorder='little').reshape(n, -1)
    return np.packbits(wide, axis=1, bitorder='little').reshape(-1).view(lay.dtype)

def _spread_422(a, lay):
    "Y1 Y2 B R to Y1 B R, Y2 B R."
    if lay.columns % 2: raise ValueError(f'4:2:2 colour in rows of {lay.columns} pixels')
    four = a.reshape(-1, 4)
    return four[:, [0,2,3,1,2,3]].reshape(lay.shape)

def native_frames(data, lay:Layout, big:bool=False, words:bool=False):
    """Frames that are not compressed: (frames, rows, columns[, 3]).
    `big`: big endian. `words`: single bytes were written as 16-bit words (VR OW), so that big-endian files hold them swapped in pairs."""
    if lay.is_422 and len(data) >= lay._replace(photometric='YBR_FULL').nbytes: lay = lay._replace(photometric='YBR_FULL')   # said 4:2:2, is not
    check_size(lay, len(data), compressed=False)
    n = lay.nbytes
    raw = np.frombuffer(data, np.uint8, count=min(n + n%2 if big and words else n, len(data)))
    if big and words and lay.allocated == 8:
        if len(raw) % 2: raise ValueError('1 byte of pixels is missing')
        raw = raw.reshape(-1, 2)[:, ::-1].reshape(-1)[:n]
    count = int(np.prod(lay.shape))
    if lay.allocated != 8*lay.dtype.itemsize: a = _unpack(raw, lay, count)
    else: a = raw[:n].view(lay.dtype.newbyteorder('>' if big else '<')).astype(lay.dtype, copy=True)
    if not lay.real: a = fit_bits(a, lay, lay.allocated)
    if lay.is_422: a = _spread_422(a, lay)
    elif lay.samples > 1 and lay.planar: a = np.moveaxis(a.reshape(lay.frames, lay.samples, lay.rows, lay.columns), 1, -1)
    return to_rgb(a.reshape(lay.shape), lay)

# ---------------------------------------------------------------------------------------------- encapsulation

_ITEM, _END = b'\xfe\xff\x00\xe0', b'\xfe\xff\xdd\xe0'

def fragments(data):
    "Offset table and fragments of encapsulated pixels (PS3.5 A.4): (bytes, list of (position, memoryview))."
    view, at, found = memoryview(data), 0, []
    while at+8 <= len(view):
        tag, length = bytes(view[at:at+4]), int.from_bytes(view[at+4:at+8], 'little')
        if tag == _END: break
        if tag != _ITEM: raise ValueError(f'no fragment of compressed pixels where one should begin (byte {at})')
        if at+8+length > len(view): raise ValueError('the compressed pixels end early')
        found.append((at, view[at+8:at+8+length]))
        at += 8+length
    if not found: raise ValueError('no fragments of compressed pixels')
    first = found[0][0]+8+len(found[0][1])
    return bytes(found[0][1]), [(at-first, part) for at,part in found[1:]]

_STARTS = (b'\xff\xd8\xff', b'\xff\x4f\xff\x51', b'\0\0\0\x0cjP  ', b'\xff\x0a', b'\0\0\0\x0cJXL ')

def _groups(starts, parts):
    return [[p for at,p in parts if a <= at < b] for a,b in zip(starts, [*starts[1:], float('inf')])]

def split_frames(data, frames:int, extended=None):
    """The compressed bytes of each frame, in order: a list of bytes. By the extended offset table (`extended`: offsets, lengths) or the basic
    one if they fit, else by the marks with which JPEG streams begin or end. Raises `ValueError` if the frames cannot be told apart."""
    table, parts = fragments(data)
    join = lambda groups: [bytes(g[0]) if len(g) == 1 else b''.join(g) for g in groups]
    if frames == 1: return join([[p for _,p in parts]])
    if len(parts) == frames: return join([[p] for _,p in parts])
    if len(parts) < frames: raise ValueError(f'{len(parts)} compressed frames where the header says {frames}')
    places = {at for at,_ in parts}
    tables = [extended[0]] if extended else []
    tables.append(np.frombuffer(table[:len(table)//4*4], '<u4'))
    for t in tables:
        starts = [int(v) for v in t]
        if len(starts) >= frames and starts == sorted(set(starts)) and places.issuperset(starts): return join(_groups(starts, parts)[:frames])
    starts = [at for at,p in parts if bytes(p[:12]).startswith(_STARTS)]
    if len(starts) != frames:
        ends = [i for i,(_,p) in enumerate(parts) if b'\xff\xd9' in bytes(p[-10:])]
        starts = [parts[i][0] for i in [0, *(e+1 for e in ends)] if i < len(parts)]
    if len(starts) < frames: raise ValueError(f'{len(parts)} fragments that cannot be told apart into {frames} frames')
    return join(_groups(starts, parts)[:frames])

# ---------------------------------------------------------------------------------------------- compressed streams

class Stream(NamedTuple):
    "What a compressed stream says about itself."
    codec:str # The function of imagecodecs
    rows:int
    columns:int
    samples:int
    precision:int # Bits
    signed:bool = False
    colour:str = '' # 'RGB' or 'YBR' where the stream is sure of it
    lossless:bool = True

def _jpeg(data):
    "Markers of a JPEG or JPEG-LS stream up to its frame header (ISO 10918-1 annex B)."
    at, colour = 2, ''
    while at+4 <= len(data):
        if data[at] != 0xff: raise ValueError('a JPEG stream with a broken header')
        mark = data[at+1]
        if mark == 0xff: at += 1; continue
        length = int.from_bytes(data[at+2:at+4], 'big')
        body = data[at+4:at+2+length]
        if mark == 0xe0 and body[:4] == b'JFIF': colour = colour or 'YBR'
        if mark == 0xee and body[:5] == b'Adobe' and len(body) > 11: colour = {0:'RGB', 1:'YBR'}.get(body[11], '')
        if 0xc0 <= mark <= 0xcf and mark not in (0xc4, 0xc8, 0xcc) or mark == 0xf7:
            if len(body) < 6 or len(body) < 6+3*body[5]: raise ValueError('a JPEG stream with a broken header')
            bits, rows, columns, n = struct.unpack('>BHHB', body[:6])
            ids = bytes(body[6:6+3*n:3])
            if ids in (b'RGB', b'rgb'): colour = 'RGB'
            if mark == 0xf7: return Stream('jpegls', rows, columns, n, bits)
            return Stream('jpeg8', rows, columns, n, bits, colour=colour, lossless=mark in (0xc3, 0xc7, 0xcb, 0xcf))
        at += 2+length
    raise ValueError('a JPEG stream without an image')

def _jpeg2000(data):
    "SIZ and COD of a JPEG 2000 codestream (ISO 15444-1 A.5), bare or in a JP2 file."
    at = data.find(b'\xff\x4f\xff\x51')
    if at < 0 or len(data) < at+45: raise ValueError('a JPEG 2000 stream without an image')
    x1,y1,x0,y0 = struct.unpack('>4I', data[at+8:at+24])
    samples, depth = int.from_bytes(data[at+40:at+42], 'big'), data[at+42]
    at += 2
    while at+9 <= len(data) and data[at+1] not in (0x52, 0x90): at += 2+int.from_bytes(data[at+2:at+4], 'big')
    cod = data[at:at+14] if len(data) >= at+14 and data[at+1] == 0x52 else bytes(14)
    colour = 'RGB' if samples == 3 and cod[8] == 1 else ''   # the decoder turns mixed components into RGB
    return Stream('jpeg2k', y1-y0, x1-x0, samples, (depth & 127)+1, bool(depth & 128), colour, lossless=cod[13] == 1)

def _jpegxl(data):
    "The size at the head of a JPEG XL codestream (ISO 18181-1), bare or in boxes; the decoder knows the rest."
    at = 0 if data[:2] == b'\xff\x0a' else max(data.find(b'jxlc')+4, data.find(b'jxlp')+8)
    if data[at:at+2] != b'\xff\x0a': raise ValueError('a JPEG XL stream without an image')
    bits, used = int.from_bytes(data[at+2:at+16], 'little'), 0
    def take(n):
        nonlocal used
        used += n
        return bits >> (used-n) & (1 << n)-1
    small = take(1)
    side = lambda: 8*(1+take(5)) if small else 1+take((9,13,18,30)[take(2)])
    rows = side()
    ratio = take(3)
    columns = rows*(0,1,12,4,3,16,5,2)[ratio]//(1,1,10,3,2,9,4,1)[ratio] if ratio else side()
    return Stream('jpegxl', rows, columns, 0, 0, colour='RGB')

def stream_info(data:bytes) -> Stream:
    "What kind of stream this is, by its first bytes and not by what the header calls it. Raises `ValueError` for none that is known."
    if data[:3] == b'\xff\xd8\xff': return _jpeg(data)
    if data[:4] == b'\xff\x4f\xff\x51' or data[4:8] == b'jP  ': return _jpeg2000(data)
    if data[:2] == b'\xff\x0a' or data[4:8] == b'JXL ': return _jpegxl(data)
    raise ValueError('compressed pixels of no kind that is known')

def _rle(data, lay):
    "One frame of PS3.5 annex G: byte planes, most significant first, colour by plane."
    import imagecodecs
    size = lay.allocated//8 or 1
    n = (lay.rows*lay.columns*lay.samples*lay.allocated+7)//8
    if len(data) < 64: raise ValueError('the compressed pixels end early')
    segments, *starts = struct.unpack('<16I', data[:64])
    if segments != size*lay.samples: raise ValueError(f'{segments} run-length segments where {size*lay.samples} are needed')
    starts = [*starts[:segments], len(data)]
    if starts[0] < 64 or starts != sorted(starts): raise ValueError('run-length segments that lie outside of the pixels')
    out = np.frombuffer(bytearray(imagecodecs.dicomrle_decode(data, f'u{size}')), np.uint8)
    if len(out) < n: raise ValueError(f'{n-len(out)} bytes of pixels are missing')
    a = _unpack(out, lay, lay.rows*lay.columns) if lay.allocated == 1 else out[:n].view(lay.dtype)
    return np.moveaxis(a.reshape(lay.samples, lay.rows, lay.columns), 0, -1)[..., 0 if lay.samples == 1 else slice(None)]

def _decode_stream(data, s, lay, threads):
    import imagecodecs
    if s.codec == 'jpeg2k': return imagecodecs.jpeg2k_decode(data, numthreads=threads)   # OpenJPEG reads HTJ2K as well
    if s.codec == 'jpegxl': return imagecodecs.jpegxl_decode(data)
    # without the mark of the end, libjpeg would make up the rest, and CharLS look for it for seconds
    if b'\xff\xd9' not in data.rstrip(b'\0')[-64:]: raise ValueError('the compressed pixels end early')
    if s.codec == 'jpegls': return imagecodecs.jpegls_decode(data)
    if s.samples != 3: return imagecodecs.jpeg8_decode(data)
    ybr = (s.colour or ('YBR' if lay.photometric.startswith('YBR') else 'RGB')) == 'YBR' and not s.lossless
    return imagecodecs.jpeg8_decode(data, colorspace='YCBCR' if ybr else 'RGB', outcolorspace='RGB')

def _check_stream(s, lay):
    "The stream's own account of the image against the header's, before anything is allocated."
    if (s.rows, s.columns, s.samples or lay.samples) != (lay.rows, lay.columns, lay.samples):
        raise ValueError(f'the header says {lay.rows}x{lay.columns}x{lay.samples} pixels, the compressed stream {s.rows}x{s.columns}x{s.samples}')
    if s.precision > 8*lay.dtype.itemsize: raise ValueError(f'the header allows {lay.allocated} bits, the compressed stream has {s.precision}')

def decode_frame(
    data:bytes, # The compressed bytes of one frame
    syntax:str, # TransferSyntaxUID
    lay:Layout,
    threads:int=1 # For codecs that can split one frame (JPEG 2000)
) -> np.ndarray: # (rows, columns[, 3]) stored values; colour as RGB
    "Decode one frame. What the stream says of itself (kind, signedness, colour) goes before what the header says of it."
    one = lay._replace(frames=1)
    if syntax == RLE: return to_rgb(fit_bits(np.ascontiguousarray(_rle(data, one)), lay, lay.allocated), lay)
    if syntax == NATIVE_FRAMES: return native_frames(data, one)[0]
    if syntax == DEFLATED_FRAMES: return native_frames(zlib.decompressobj(-15).decompress(data, one.nbytes), one)[0]
    if syntax in _NOT_PICTURES: raise NotImplementedError(_NOT_PICTURES[syntax])
    if syntax.startswith(_VIDEO) and syntax not in _JPEG_XL: raise NotImplementedError('video')
    s = stream_info(data)
    _check_stream(s, lay)
    a = _decode_stream(data, s, lay, threads)
    if a.shape != one.shape[1:]: raise ValueError(f'the header says {one.shape[1:]} pixels, the compressed stream holds {a.shape}')
    precision = s.precision or 8*a.itemsize
    a = np.ascontiguousarray(a).astype(lay.dtype, copy=False)
    # JPEG knows no sign, and one of fewer bits than the header's holds plain positive numbers; the other two cut negative numbers to their bits
    turned = s.signed != lay.signed and (s.codec != 'jpeg8' or precision >= lay.stored)
    exact = s.lossless and syntax not in _LOSSY
    if turned or precision > lay.stored: a = fit_bits(a, lay if exact else lay._replace(stored=precision, high=precision-1), precision)
    if not exact and precision > lay.stored: a = clip_range(a, lay)
    return a if s.colour == 'RGB' or (s.codec == 'jpeg8' and not s.lossless) else to_rgb(a, lay)
