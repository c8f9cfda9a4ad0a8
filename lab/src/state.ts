// What is being looked at: shared by the renderers, the toolbar and the status line.
import { Signal } from '@lumino/signaling';
import { index, physical, Point } from './geometry';
import type { Mark, MarkKind } from './measure';
import type { Label, Plane, PlaneName, Scan } from './types';

export type Layout = 'mpr' | PlaneName | '3d' | 'grid';
export type Drag = 'window' | MarkKind | 'move';
export type Part = 'layout' | 'window' | 'at' | 'time' | 'drag' | 'value' | 'crosshair' | 'reset' | 'zoom' | 'overlay' | 'compare' | 'slices' | 'marks';

export const PLANES: PlaneName[] = ['axial', 'coronal', 'sagittal'];

/** What lies on the picture, and how it is shown. */
export interface Overlay {
  labels: Label[];
  /** structures that are switched off */
  off: number[];
  /** of the mask and the band, 0 to 1 */
  maskOpacity: number;
  outline: boolean;
  /** is there a probability map? */
  prob: boolean;
  probOpacity: number;
  /** probabilities below it are clear */
  threshold: number;
  /** values of the picture that are painted */
  band: [number, number] | null;
}

/** Two pictures in one: a divider (`at`, 0 to 1 of the width), or the second over the first (`blend`, 0 to 1). */
export interface Compare {
  mode: 'swipe' | 'blend';
  at: number;
  blend: number;
  /** the second picture's window; that of the first if it has none */
  window: [number, number] | null;
  names: [string, string];
}

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
  zoom = 1;
  /** RAS+ mm in the middle of the views; the middle of the volume if there is none */
  centre?: Point;
  overlay: Overlay = { labels: [], off: [], maskOpacity: 0.5, outline: true, prob: false, probOpacity: 0.6, threshold: 0.5, band: null };
  compare?: Compare;
  /** what was measured, in the order in which it was drawn */
  marks: Mark[] = [];
  /** in a page that scrolls, the wheel turns slices only where somebody has clicked */
  wheelNeedsFocus = false;

  constructor(
    readonly meta: Scan,
    /** the acquired slice to start with, if a file was opened */
    start?: number
  ) {
    this.planes = PLANES.filter(p => meta.planes[p]);
    this.layout = this.planes.length < 3 ? this.planes[0] : isThick(meta) ? this.native : 'mpr';
    const middle = meta.shape.map(n => Math.floor(n / 2)) as Point;
    if (start !== undefined && start < meta.shape[0]) middle[0] = start;
    this.at = physical(meta.affine, middle);
    this.centre = meta.centre;
    if (meta.windows.length) ({ low: this.low, high: this.high } = meta.windows[0]);
  }

  /** The plane in which the slices were acquired. */
  get native(): PlaneName {
    const n = Math.max(...this.planes.map(p => this.meta.planes[p]!.spacing[0]));
    const own = this.meta.orientation as PlaneName;
    return this.planes.includes(own) ? own : this.planes.find(p => this.meta.planes[p]!.spacing[0] === n)!;
  }

  /** Does the volume have the planes of a layout? */
  has(layout: Layout): boolean {
    return layout === 'grid' || (layout === 'mpr' || layout === '3d' ? this.planes.length === 3 : this.planes.includes(layout));
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

  /** Zoom, and the point in the middle. */
  setView(zoom: number, centre?: Point): void {
    const same = centre === this.centre || (centre && this.centre && centre.every((c, i) => Math.abs(c - this.centre![i]) < 1e-4));
    if (zoom === this.zoom && same) return;
    [this.zoom, this.centre] = [zoom, centre];
    this.changed.emit('zoom');
  }

  setOverlay(change: Partial<Overlay>): void {
    if ((Object.keys(change) as (keyof Overlay)[]).every(k => JSON.stringify(change[k]) === JSON.stringify(this.overlay[k]))) return;
    this.overlay = { ...this.overlay, ...change };
    this.changed.emit('overlay');
  }

  /** The first picture, then the second: what has changed moves. */
  flicker(): void {
    const c = this.compare;
    if (c) this.setCompare(c.mode === 'blend' ? { blend: c.blend < 0.5 ? 1 : 0 } : { at: c.at > 0.5 ? 0 : 1 });
  }

  setMarks(marks: Mark[]): void {
    this.marks = marks;
    this.changed.emit('marks');
  }

  setCompare(change: Partial<Compare>): void {
    if (!this.compare) return;
    this.compare = { ...this.compare, ...change };
    this.changed.emit('compare');
  }

  reset(): void {
    this.setView(1, this.meta.centre);
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
function isThick(meta: Scan): boolean {
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
