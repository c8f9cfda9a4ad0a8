// Stored values as grey levels.
import type { Slice } from './types';

/** Paint a slice into a canvas of its own size: black at `low`, white at `high`. */
export function paint(canvas: HTMLCanvasElement, s: Slice, low: number, high: number, values = s.values): void {
  if (canvas.width !== s.cols || canvas.height !== s.rows) [canvas.width, canvas.height] = [s.cols, s.rows];
  const image = new ImageData(s.cols, s.rows);
  const out = new Uint32Array(image.data.buffer);
  if (s.channels > 1) colour(out, values, s.channels);
  else grey(out, values, low, high);
  canvas.getContext('2d')!.putImageData(image, 0, 0);
}

function colour(out: Uint32Array, v: Slice['values'], channels: number): void {
  const k = v instanceof Float32Array ? 255 : 1;
  for (let p = 0, q = 0; p < out.length; p++, q += channels) out[p] = 0xff000000 | ((v[q + 2] * k) << 16) | ((v[q + 1] * k) << 8) | (v[q] * k);
}

function grey(out: Uint32Array, values: Slice['values'], low: number, high: number): void {
  const scale = 255 / Math.max(high - low, 1e-9);
  for (let p = 0; p < out.length; p++) {
    const v = (values[p] - low) * scale;
    const g = v > 0 ? (v < 255 ? (v + 0.5) | 0 : 255) : 0; // NaN is black
    out[p] = 0xff000000 | (g * 0x010101);
  }
}

/** A round length of at most a fifth of the width, mm. */
export function barLength(mm: number): number {
  const fits = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].filter(v => v <= mm / 5);
  return fits[fits.length - 1] ?? 0.1;
}
