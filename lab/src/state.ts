// What is being looked at: shared by the renderers, the toolbar and the status line.
import { Signal } from '@lumino/signaling';
import { index, physical, Point } from './geometry';
import type { Meta, Plane, PlaneName } from './server';

export type Layout = 'mpr' | PlaneName | '3d';
export type Drag = 'window' | 'distance' | 'region' | 'move';
export type Part = 'layout' | 'window' | 'at' | 'time' | 'drag' | 'value' | 'crosshair' | 'reset';

export const PLANES: PlaneName[] = ['axial', 'coronal', 'sagittal'];

export class State {
  readonly changed = new Signal<State, Part>(this);
  readonly planes: PlaneName[];
  layout: Layout;
  drag: Drag = 'window';
  crosshair = true;
  low = 0;
  high = 255;
  time = 0;
  /** RAS+ mm */
  at: Point;
  /** what lies at `at`, in words */
  value = '';

  constructor(
    readonly meta: Meta,
    /** the acquired slice to start with, if a file was opened */
    start?: number
  ) {
    this.planes = PLANES.filter(p => meta.planes[p]);
    this.layout = this.planes.length < 3 ? this.planes[0] : isThick(meta) ? this.native : 'mpr';
    const middle = meta.shape.map(n => Math.floor(n / 2)) as Point;
    if (start !== undefined && start < meta.shape[0]) middle[0] = start;
    this.at = physical(meta.affine, middle);
    if (meta.windows.length) ({ low: this.low, high: this.high } = meta.windows[0]);
  }

  /** The plane in which the slices were acquired. */
  get native(): PlaneName {
    const n = Math.max(...this.planes.map(p => this.meta.planes[p]!.spacing[0]));
    const own = this.meta.orientation as PlaneName;
    return this.planes.includes(own) ? own : this.planes.find(p => this.meta.planes[p]!.spacing[0] === n)!;
  }

  set<K extends 'layout' | 'drag' | 'time' | 'value' | 'crosshair'>(key: K, value: this[K]): void {
    if (this[key] === value) return;
    (this as any)[key] = value;
    this.changed.emit(key as Part);
  }

  setWindow(low: number, high: number): void {
    if (!(high > low) || (low === this.low && high === this.high)) return;
    [this.low, this.high] = [low, high];
    this.changed.emit('window');
  }

  setAt(p: Point): void {
    if (p.every((c, i) => Math.abs(c - this.at[i]) < 1e-4)) return;
    this.at = p;
    this.value = ''; // until the slice there has been seen
    this.changed.emit('at');
  }

  reset(): void {
    if (this.meta.windows.length) this.setWindow(this.meta.windows[0].low, this.meta.windows[0].high);
    this.changed.emit('reset');
  }

  /** Slice number of `at` in a plane, kept inside. */
  slice(plane: PlaneName): number {
    const p = this.meta.planes[plane]!;
    return clamp(Math.round(index(p.affine, this.at)[0]), 0, p.slices - 1);
  }

  /** Go to slice `k` of a plane; the place in the slice stays. */
  setSlice(plane: PlaneName, k: number): void {
    const p = this.meta.planes[plane]!;
    const [, i, j] = index(p.affine, this.at);
    this.setAt(physical(p.affine, [clamp(k, 0, p.slices - 1), i, j]));
  }

  plane(name: PlaneName): Plane {
    return this.meta.planes[name]!;
  }
}

export const clamp = (v: number, low: number, high: number) => Math.min(Math.max(v, low), high);

/** Few or thick slices read best in the plane they were made in. */
function isThick(meta: Meta): boolean {
  const s = meta.spacing;
  return Math.min(...meta.shape) < 24 || Math.max(...s) > 3 * Math.min(...s);
}

/** How far the window moves with the mouse: across the window's own width, or the presets', in 300 pixels. */
export function dragWindow(low: number, high: number, dx: number, dy: number): [number, number] {
  const step = (high - low) / 300;
  const centre = (low + high) / 2 + dy * step;
  const width = Math.max((high - low) * Math.exp(dx / 200), 1e-6);
  return [centre - width / 2, centre + width / 2];
}
