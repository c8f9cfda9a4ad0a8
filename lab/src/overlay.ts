// What lies on the picture: structures of a mask, a probability map, a range of values. One pass over the slice, no kernel.
import type { Overlay } from './state';
import type { Label, Slice } from './types';

/** inferno (matplotlib, CC0), every sixteenth of the way */
const INFERNO = '000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 d24644 e45a31 f1731d f98e09 fcac11 f9cb35 f2ea69 fcffa4'.split(' ').map(rgb);
export const BAND = '#CC79A7';

function rgb(hex: string): [number, number, number] {
  const v = parseInt(hex.replace('#', ''), 16);
  return [v >> 16, (v >> 8) & 255, v & 255];
}

const pixel = ([r, g, b]: number[], opacity: number) => ((Math.round(opacity * 255) << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** The colour of a probability from 0 to 1. */
function inferno(p: number): [number, number, number] {
  const i = Math.min(Math.floor(p * 16), 15);
  return [0, 1, 2].map(c => Math.round(INFERNO[i][c] + (INFERNO[i + 1][c] - INFERNO[i][c]) * (p * 16 - i))) as [number, number, number];
}

/** A colour for every label number; those not shown are clear. */
function labelColours(o: Overlay, largest: number): Uint32Array {
  const out = new Uint32Array(largest + 1);
  for (const l of o.labels) if (l.value <= largest && !o.off.includes(l.value)) out[l.value] = pixel(rgb(l.colour), o.maskOpacity);
  return out;
}

/** A colour for every hundredth of probability. */
function probColours(opacity: number): Uint32Array {
  return Uint32Array.from({ length: 101 }, (_, i) => pixel(inferno(i / 100), opacity));
}

/** Paint what is filled into a canvas of the slice's size. Is there anything? */
export function paintOverlay(canvas: HTMLCanvasElement, s: Slice, o: Overlay): boolean {
  const { mask, prob } = s;
  const filled = mask && !o.outline && o.maskOpacity > 0;
  const glows = prob && o.probOpacity > 0;
  const band = s.channels === 1 && o.maskOpacity > 0 ? o.band : null;
  if (!filled && !glows && !band) return false;
  if (canvas.width !== s.cols || canvas.height !== s.rows) [canvas.width, canvas.height] = [s.cols, s.rows];
  const image = new ImageData(s.cols, s.rows);
  const out = new Uint32Array(image.data.buffer);
  if (band) paintBand(out, s, band, pixel(rgb(BAND), o.maskOpacity));
  if (glows) paintProb(out, prob, o);
  if (filled) paintMask(out, mask, o);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
  return true;
}

function paintBand(out: Uint32Array, s: Slice, [low, high]: [number, number], ink: number): void {
  const v = s.values;
  if (v instanceof Float32Array) [low, high] = [Math.fround(low), Math.fround(high)]; // as the values are: an edge of 0.1 lies on a stored 0.1
  for (let p = 0; p < out.length; p++) if (v[p] >= low && v[p] <= high) out[p] = ink;
}

function paintProb(out: Uint32Array, prob: Uint16Array, o: Overlay): void {
  const colours = probColours(o.probOpacity);
  const from = Math.max(Math.ceil(o.threshold * 10000 - 1e-6), 1); // probability 0 is never painted
  for (let p = 0; p < out.length; p++) if (prob[p] >= from) out[p] = colours[(prob[p] / 100) | 0];
}

function paintMask(out: Uint32Array, mask: Uint8Array | Uint16Array, o: Overlay): void {
  const colours = labelColours(o, mask instanceof Uint8Array ? 255 : 65535);
  for (let p = 0; p < out.length; p++) if (colours[mask[p]]) out[p] = colours[mask[p]];
}

const traced = new WeakMap<object, Map<number, Path2D>>();

/** The borders of the structures along the edges of their voxels, in columns and rows from the corner. Kept with the slice. */
function outlines(s: Slice): Map<number, Path2D> {
  const known = traced.get(s.mask!);
  if (known) return known;
  const paths = new Map<number, Path2D>();
  const { rows, cols } = s;
  const at = (i: number, j: number) => (i >= 0 && j >= 0 && i < rows && j < cols ? s.mask![i * cols + j] : 0);
  const border = (a: number, b: number, line: (p: Path2D) => void) => {
    for (const v of a === b ? [] : [a, b]) {
      if (!v) continue;
      if (!paths.has(v)) paths.set(v, new Path2D());
      line(paths.get(v)!);
    }
  };
  for (let i = 0; i <= rows; i++)
    for (let j = 0; j < cols; ) {
      const [a, b, from] = [at(i - 1, j), at(i, j), j];
      while (++j < cols && at(i - 1, j) === a && at(i, j) === b);
      border(a, b, p => (p.moveTo(from, i), p.lineTo(j, i)));
    }
  for (let j = 0; j <= cols; j++)
    for (let i = 0; i < rows; ) {
      const [a, b, from] = [at(i, j - 1), at(i, j), i];
      while (++i < rows && at(i, j - 1) === a && at(i, j) === b);
      border(a, b, p => (p.moveTo(j, from), p.lineTo(j, i)));
    }
  traced.set(s.mask!, paths);
  return paths;
}

/** Draw the borders of the structures onto a canvas where a voxel takes sx times sy pixels and the picture's corner lies at x0, y0. */
export function drawOutlines(c: CanvasRenderingContext2D, s: Slice, o: Overlay, at: { sx: number; sy: number; x0: number; y0: number }, dpr: number): void {
  if (!s.mask || !o.outline || !o.maskOpacity) return;
  const place = new DOMMatrix([at.sx, 0, 0, at.sy, at.x0, at.y0]);
  for (const l of o.labels) {
    const path = o.off.includes(l.value) ? undefined : outlines(s).get(l.value);
    if (!path) continue;
    const placed = new Path2D();
    placed.addPath(path, place);
    [c.globalAlpha, c.strokeStyle, c.lineWidth, c.lineCap] = [Math.min(0.3 + o.maskOpacity, 1), l.colour, 1.5 * dpr, 'round'];
    c.stroke(placed);
  }
  c.globalAlpha = 1;
}

/** What lies on a pixel, in words: the structure and the probability, rounded down, so that 0.4999 does not read as a painted 0.50. */
export function overlayAt(s: Slice, p: number, labels: Label[]): string[] {
  const v = s.mask?.[p];
  const name = v ? labels.find(l => l.value === v)?.name ?? `label ${v}` : '';
  return [name, s.prob ? `p ${(Math.floor(s.prob[p] / 100) / 100).toFixed(2)}` : ''].filter(Boolean);
}
