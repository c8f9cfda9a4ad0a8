// Distances, angles and regions drawn on a slice: what they measure, and how they look.
import { round } from './dom';
import { cross, dot, Point, slicePosition, steps } from './geometry';
import type { Plane, PlaneName, Scan, Slice, Words } from './types';

export type XY = [number, number];
export type MarkKind = 'distance' | 'angle' | 'region';

/** A line, an angle (its vertex is the second point), or an ellipse in the rectangle between two corners. Points are row and column. */
export interface Mark {
  kind: MarkKind;
  plane: PlaneName;
  k: number;
  time: number;
  points: XY[];
  /** what it measures, once it has been drawn */
  text: string;
}

const INK = '#F0E442';

/** Is the size of a pixel known? If not, lengths are in pixels. */
export const isSized = (scan: Scan, plane: Plane) => scan.placed || plane.spacing[1] !== 1 || plane.spacing[2] !== 1;

/** What a mark measures, in words: 42.1 mm; 31.5°; mean, SD and area. Measured in the patient: right also where the plane is sheared. */
export function measured(m: Mark, slice: Slice, plane: Plane, unit: string, sized = true): string {
  const mm = sized ? 'mm' : 'px';
  const [down, right] = steps(plane.affine);
  const by = (a: XY, b: XY) => down.map((d, c) => (b[0] - a[0]) * d + (b[1] - a[1]) * right[c]) as Point;
  const [p, q, r] = m.points;
  if (!q) return '';
  if (m.kind === 'angle') return r ? `${angle(by(q, p), by(q, r)).toFixed(1)}°` : '';
  if (m.kind === 'distance') return `${Math.hypot(...by(p, q)).toFixed(1)} ${mm}`;
  const area = `${round((Math.PI / 4) * Math.abs((q[0] - p[0]) * (q[1] - p[1])) * Math.hypot(...cross(down, right)), 3)} ${mm}²`;
  const inside = region(m, slice);
  if (!inside.length || slice.channels > 1 || unit === 'label') return area;
  const mean = inside.reduce((a, v) => a + v, 0) / inside.length;
  const sd = Math.sqrt(inside.reduce((a, v) => a + (v - mean) ** 2, 0) / Math.max(inside.length - 1, 1));
  return `${slice.coarse ? '≈ ' : ''}${round(mean, 4)} ± ${round(sd, 3)} ${unit}, ${area}`;
}

/** Degrees between two directions, 0 to 180. */
export function angle(a: Point, b: Point): number {
  return (Math.atan2(Math.hypot(...cross(a, b)), dot(a, b)) * 180) / Math.PI;
}

/** The stored values of the pixels whose centres lie in the ellipse; those without a value (NaN) are left out. */
export function region(m: Mark, s: Slice): number[] {
  const [from, to] = m.points;
  const [ci, cj] = [0, 1].map(a => (from[a] + to[a]) / 2);
  const [ri, rj] = [0, 1].map(a => Math.abs(to[a] - from[a]) / 2);
  const out: number[] = [];
  for (let i = Math.max(0, Math.ceil(ci - ri)); i <= Math.min(s.rows - 1, ci + ri); i++)
    for (let j = Math.max(0, Math.ceil(cj - rj)); j <= Math.min(s.cols - 1, cj + rj); j++)
      if (((i - ci) / ri) ** 2 + ((j - cj) / rj) ** 2 <= 1) out.push(s.values[(i * s.cols + j) * s.channels]);
  return out.filter(v => !Number.isNaN(v));
}

/** Where a mark lies: axial slice 12 of 20 (S 35.0 mm). */
export function place(m: Mark, scan: Scan, t: Words): string {
  const p = scan.planes[m.plane]!;
  const where = scan.placed && scan.located ? ` (${slicePosition(p.affine, m.k, p.rows, p.cols)})` : '';
  const when = scan.times > 1 ? `, ${scan.dimension?.name ?? t.__('time')} ${m.time + 1}` : '';
  return p.slices > 1 ? t.__('%1 slice %2 of %3', m.plane, m.k + 1, p.slices) + where + when : t.__('image') + when;
}

/** Draw a mark between points of the canvas, with its words. */
export function drawMark(c: CanvasRenderingContext2D, m: Mark, points: XY[], dpr: number): void {
  const [a, b] = points;
  [c.strokeStyle, c.fillStyle, c.lineWidth, c.lineJoin] = [INK, INK, 1.5 * dpr, 'round'];
  c.beginPath();
  if (m.kind === 'region') c.ellipse((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, Math.abs(b[0] - a[0]) / 2, Math.abs(b[1] - a[1]) / 2, 0, 0, 2 * Math.PI);
  else points.forEach((p, i) => (i ? c.lineTo(...p) : c.moveTo(...p)));
  c.stroke();
  if (m.kind !== 'region') for (const p of points) c.fillRect(p[0] - 2 * dpr, p[1] - 2 * dpr, 4 * dpr, 4 * dpr);
  if (m.text) write(c, m.text, beside(m, points, dpr), dpr);
}

/** Where the words go: right of the rightmost end, of the vertex, or of the ellipse. */
function beside(m: Mark, points: XY[], dpr: number): XY {
  const right = points.reduce((p, q) => (q[0] > p[0] ? q : p));
  const at = m.kind === 'angle' ? points[1] : right;
  return [at[0] + 7 * dpr, m.kind === 'region' ? (points[0][1] + points[1][1]) / 2 : at[1] + (m.kind === 'angle' ? 14 * dpr : 0)];
}

function write(c: CanvasRenderingContext2D, text: string, at: XY, dpr: number): void {
  c.font = `600 ${13 * dpr}px system-ui, sans-serif`;
  [c.textAlign, c.textBaseline, c.lineWidth, c.strokeStyle] = ['left', 'middle', 3 * dpr, 'black'];
  const over = at[0] + c.measureText(text).width + 4 * dpr - c.canvas.width;
  if (over > 0) at[0] -= over;
  c.strokeText(text, ...at);
  c.fillText(text, ...at);
}
