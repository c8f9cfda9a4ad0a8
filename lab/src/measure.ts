// Distances and regions drawn on a slice: what they measure, and how they look.
import { round } from './dom';
import type { PlaneName, Slice } from './types';

export type XY = [number, number];

/** A line, or an ellipse in the rectangle between two corners; row and column of both ends. */
export interface Mark {
  kind: 'distance' | 'region';
  plane: PlaneName;
  k: number;
  time: number;
  from: XY;
  to: XY;
}

const INK = '#F0E442';

/** What a mark measures, in words: 42.1 mm, or mean, SD and area. */
export function measured(m: Mark, slice: Slice, spacing: number[], unit: string): string {
  const [, mmY, mmX] = spacing;
  const [dy, dx] = [(m.to[0] - m.from[0]) * mmY, (m.to[1] - m.from[1]) * mmX];
  if (m.kind === 'distance') return `${Math.hypot(dy, dx).toFixed(1)} mm`;
  const area = (Math.PI / 4) * Math.abs(dx * dy);
  const inside = region(m, slice);
  if (!inside.length || slice.channels > 1) return `${round(area, 3)} mm²`;
  const mean = inside.reduce((a, v) => a + v, 0) / inside.length;
  const sd = Math.sqrt(inside.reduce((a, v) => a + (v - mean) ** 2, 0) / Math.max(inside.length - 1, 1));
  return `${round(mean, 4)} ± ${round(sd, 3)} ${unit}, ${round(area, 3)} mm²`;
}

/** The stored values of the pixels whose centres lie in the ellipse. */
export function region(m: Mark, s: Slice): number[] {
  const [ci, cj] = [0, 1].map(a => (m.from[a] + m.to[a]) / 2);
  const [ri, rj] = [0, 1].map(a => Math.abs(m.to[a] - m.from[a]) / 2);
  const out: number[] = [];
  for (let i = Math.max(0, Math.ceil(ci - ri)); i <= Math.min(s.rows - 1, ci + ri); i++)
    for (let j = Math.max(0, Math.ceil(cj - rj)); j <= Math.min(s.cols - 1, cj + rj); j++)
      if (((i - ci) / ri) ** 2 + ((j - cj) / rj) ** 2 <= 1) out.push(s.values[(i * s.cols + j) * s.channels]);
  return out;
}

/** Draw a mark between two points of the canvas, with its words. */
export function drawMark(c: CanvasRenderingContext2D, m: Mark, a: XY, b: XY, text: string, dpr: number): void {
  [c.strokeStyle, c.fillStyle, c.lineWidth] = [INK, INK, 1.5 * dpr];
  c.beginPath();
  if (m.kind === 'distance') {
    c.moveTo(...a);
    c.lineTo(...b);
  } else c.ellipse((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, Math.abs(b[0] - a[0]) / 2, Math.abs(b[1] - a[1]) / 2, 0, 0, 2 * Math.PI);
  c.stroke();
  c.font = `600 ${13 * dpr}px system-ui, sans-serif`;
  [c.textAlign, c.textBaseline, c.lineWidth, c.strokeStyle] = ['left', 'middle', 3 * dpr, 'black'];
  const at: XY = [Math.max(a[0], b[0]) + 7 * dpr, m.kind === 'distance' ? (a[0] > b[0] ? a[1] : b[1]) : (a[1] + b[1]) / 2];
  if (at[0] + c.measureText(text).width > c.canvas.width) at[0] -= at[0] + c.measureText(text).width - c.canvas.width + 4 * dpr;
  c.strokeText(text, ...at);
  c.fillText(text, ...at);
}
