// One plane at full resolution on an ordinary canvas: every stored value, no WebGL needed.
import { h, round } from './dom';
import { index, physical, slicePosition } from './geometry';
import { drawMark, isSized, Mark, MarkKind, measured, XY } from './measure';
import { drawOutlines, overlayAt, paintOverlay } from './overlay';
import { barLength, paint } from './paint';
import { clamp, Compare, dragWindow, Part, State } from './state';
import type { Plane, PlaneName, Slice, Source, Words } from './types';

const CROSSHAIR = 'rgba(87, 181, 232, 0.7)';

/** What was fetched and is on the canvas. */
interface Shown {
  slice: Slice;
  k: number;
  time: number;
  version: number;
}

/** Milliseconds after which a coarse slice is shown, and after which it is said that we wait. */
const [SOON, LONG] = [40, 700];

export class SliceView {
  readonly node: HTMLElement;
  private canvas = h('canvas');
  private picture = document.createElement('canvas');
  private second = document.createElement('canvas');
  private top = document.createElement('canvas');
  private covered = false;
  private shown?: Shown;
  private busy = false;
  /** has the slice that is asked for been long in coming? */
  private late = false;
  /** are neighbours being fetched? */
  private looking = false;
  /** an angle whose second leg has not been drawn */
  private pending?: Mark;
  /** what is being drawn */
  private drawing?: Mark;
  private wheel = 0;
  private frame = 0;
  private watch = new ResizeObserver(() => this.draw());

  constructor(
    readonly name: PlaneName,
    readonly state: State,
    readonly source: Source,
    readonly trans: Words,
    /** is this the view that the keyboard moves? */
    readonly isActive: () => boolean,
    readonly failed: (e: Error) => void,
    /** says that a slice is waited for, or no longer */
    readonly waits: (on: boolean) => void = () => undefined
  ) {
    this.node = h('div', { className: 'radnb-SliceView', 'data-plane': name }, this.canvas);
    this.canvas.addEventListener('pointerdown', e => this.down(e));
    this.canvas.addEventListener('wheel', e => this.scroll(e), { passive: false });
    state.changed.connect(this.follow, this);
    this.watch.observe(this.node);
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
    this.watch.disconnect();
  }

  private get plane(): Plane {
    return this.state.plane(this.name);
  }

  private follow(_: State, part: Part): void {
    if (part === 'window') this.repaint();
    else if (part === 'overlay') this.recover();
    else if (part === 'compare') this.repaint();
    else if (part === 'crosshair' || part === 'zoom' || part === 'marks') this.draw();
    else if (part !== 'value' && part !== 'drag' && part !== 'layout') void this.update();
  }

  /** Is what is wanted now on the canvas, sharp? */
  private get right(): boolean {
    const s = this.shown;
    return !!s && !s.slice.coarse && s.k === this.state.slice(this.name) && s.time === this.state.time && s.version === this.source.version;
  }

  /** Bring the right slice onto the canvas: at once if it is here, else one request at a time, then the one wanted by then. */
  async update(): Promise<void> {
    this.draw();
    if (!this.node.isConnected || this.node.hidden) return;
    const here = this.source.has(this.name, this.state.slice(this.name), this.state.time);
    if (this.busy && !here) return this.late ? this.coarsen() : undefined;
    const first = !this.busy;
    if (first) this.busy = true;
    try {
      if (!first && !this.right) await this.fetch();
      while (first && !this.right) await this.fetch();
    } catch (e) {
      if ((e as Error).name !== 'AbortError') this.failed(e as Error);
    } finally {
      if (first) this.busy = false;
    }
    if (this.isActive() && this.right) void this.ahead();
  }

  /** Get the slice that is wanted now; a coarse one fills the time. */
  private async fetch(): Promise<void> {
    const [k, time, version] = [this.state.slice(this.name), this.state.time, this.source.version];
    const soon = setTimeout(() => ((this.late = true), this.coarsen()), SOON);
    const long = setTimeout(() => this.waits(true), LONG);
    try {
      const slice = await this.source.get(this.name, k, time);
      const outrun = this.right || (this.source.meanwhile && k !== this.state.slice(this.name)); // something better is on the canvas by now
      if (!outrun) this.show({ slice, k, time, version });
    } finally {
      clearTimeout(soon);
      clearTimeout(long);
      if (this.late) this.waits(false);
      this.late = false;
    }
  }

  private coarsen(): void {
    const [k, time] = [this.state.slice(this.name), this.state.time];
    if (this.shown?.k === k && this.shown.time === time && this.shown.version === this.source.version) return;
    const slice = this.source.meanwhile?.(this.name, k, time);
    if (slice) this.show({ slice, k, time, version: this.source.version });
  }

  private show(s: Shown): void {
    this.shown = s;
    this.repaint();
  }

  /** Fetch what comes next in either direction; nobody waits for it. */
  private async ahead(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      for (let next = this.next(); next !== undefined; next = this.next()) await this.source.get(this.name, next, this.state.time);
    } catch (e) {
      if ((e as Error).name !== 'AbortError') console.warn(e); // it is said when the slice itself is asked for
    } finally {
      this.looking = false;
    }
  }

  /** The nearest neighbour that is not here yet. */
  private next(): number | undefined {
    const k = this.state.slice(this.name);
    return [1, -1, 2, -2, 3, -3].map(d => k + d).find(n => n >= 0 && n < this.plane.slices && !this.source.has(this.name, n, this.state.time));
  }

  private repaint(): void {
    const { shown, state } = this;
    if (shown) paint(this.picture, shown.slice, state.low, state.high);
    const [low, high] = state.compare?.window ?? [state.low, state.high];
    if (shown?.slice.other && state.compare) paint(this.second, shown.slice, low, high, shown.slice.other);
    this.recover();
  }

  /** Paint anew what lies on the picture. */
  private recover(): void {
    this.covered = !!this.shown && paintOverlay(this.top, this.shown.slice, this.state.overlay);
    this.draw();
  }

  private draw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  /** Canvas pixels of a voxel, and where the picture's corner lies. */
  private place(): { sx: number; sy: number; x0: number; y0: number } {
    const { rows, cols, spacing } = this.plane;
    const [, mmY, mmX] = spacing;
    const { width, height } = this.canvas;
    const [fitY, fitX] = this.state.meta.fit?.[this.name] ?? [rows * mmY, cols * mmX];
    const scale = Math.min(width / fitX, height / fitY) * this.state.zoom;
    const [sx, sy] = [scale * mmX, scale * mmY];
    const [ci, cj] = this.middle;
    return { sx, sy, x0: width / 2 - (cj + 0.5) * sx, y0: height / 2 - (ci + 0.5) * sy };
  }

  /** Row and column in the middle of the canvas. */
  private get middle(): XY {
    const { rows, cols, affine } = this.plane;
    if (!this.state.centre) return [(rows - 1) / 2, (cols - 1) / 2];
    const [, i, j] = index(affine, this.state.centre);
    return [i, j];
  }

  /** Put another point of the plane into the middle, at some zoom; the other planes follow. */
  private look(zoom: number, [i, j]: XY): void {
    const { affine, slices } = this.plane;
    const k = this.state.centre ? index(affine, this.state.centre)[0] : (slices - 1) / 2;
    this.state.setView(zoom, physical(affine, [k, i, j]));
  }

  /** Row and column on the canvas. */
  private onCanvas([i, j]: XY): XY {
    const { sx, sy, x0, y0 } = this.place();
    return [x0 + (j + 0.5) * sx, y0 + (i + 0.5) * sy];
  }

  private drawNow(): void {
    const dpr = window.devicePixelRatio || 1;
    const [width, height] = [this.node.clientWidth, this.node.clientHeight].map(v => Math.round(v * dpr));
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
    const c = this.canvas.getContext('2d')!;
    c.fillStyle = 'black';
    c.fillRect(0, 0, width, height);
    if (!this.shown) return;
    const { slice, k, time } = this.shown;
    const { sx, sy, x0, y0 } = this.place();
    c.imageSmoothingEnabled = this.state.zoom < 4 || sx < 12 * dpr; // magnified, single pixels are shown as such
    c.imageSmoothingQuality = 'high';
    const { compare } = this.state;
    c.drawImage(this.picture, x0, y0, slice.cols * sx, slice.rows * sy);
    if (compare && slice.other) this.compared(c, compare, [x0, y0, slice.cols * sx, slice.rows * sy], dpr);
    c.imageSmoothingEnabled = false; // what is painted is what is in the mask
    if (this.covered) c.drawImage(this.top, x0, y0, slice.cols * sx, slice.rows * sy);
    drawOutlines(c, slice, this.state.overlay, { sx, sy, x0, y0 }, dpr);
    const [n, i, j] = index(this.plane.affine, this.state.at);
    const within = n > -0.501 && n < this.plane.slices - 0.499;
    if (this.state.crosshair && within) this.lines(c, this.onCanvas([i, j]), dpr);
    this.labels(c, dpr, sx);
    for (const m of this.state.marks.filter(m => m.plane === this.name && m.k === k && m.time === time)) {
      if (!slice.coarse || !m.text || m === this.drawing) this.tell(m, slice);
      drawMark(c, m, m.points.map(p => this.onCanvas(p)), dpr);
    }
    if (!within) this.state.set('value', this.trans.__('outside'));
    else if (this.isActive() && k === this.state.slice(this.name)) this.say(i, j);
    this.node.dataset.radnb = 'drawn';
    this.node.dataset.slice = String(k);
    this.node.dataset.sharp = String(!slice.coarse);
  }

  /** What a mark measures on its slice. */
  private tell(m: Mark, slice: Slice): void {
    const { meta, marks } = this.state;
    const text = measured(m, slice, this.plane, meta.unit, isSized(meta, this.plane));
    if (text === m.text) return;
    m.text = text;
    if (m !== this.drawing) this.state.setMarks([...marks]); // the list shows it, too
  }

  /** The second picture: right of the divider, or shining through. */
  private compared(c: CanvasRenderingContext2D, { mode, at, blend }: Compare, box: [number, number, number, number], dpr: number): void {
    const { width, height } = this.canvas;
    const x = Math.round(at * width);
    c.save();
    c.beginPath();
    if (mode === 'swipe') c.rect(x, 0, width - x, height), c.clip();
    else c.globalAlpha = blend;
    c.drawImage(this.second, ...box);
    c.restore();
    if (mode === 'swipe') (c.fillStyle = '#F0E442'), c.fillRect(x - dpr, 0, 2 * dpr, height), c.fillRect(x - 4 * dpr, height / 2 - 16 * dpr, 8 * dpr, 32 * dpr);
  }

  private lines(c: CanvasRenderingContext2D, [x, y]: XY, dpr: number): void {
    const { width, height } = this.canvas;
    const gap = 14 * dpr; // the point itself stays free
    [c.strokeStyle, c.lineWidth] = [CROSSHAIR, dpr];
    c.beginPath();
    for (const [a, b] of [[0, x - gap], [x + gap, width]]) if (b > a) c.moveTo(a, y), c.lineTo(b, y); // prettier-ignore
    for (const [a, b] of [[0, y - gap], [y + gap, height]]) if (b > a) c.moveTo(x, a), c.lineTo(x, b); // prettier-ignore
    c.stroke();
  }

  /** Letters at the edges, slice number and position, scale bar. */
  private labels(c: CanvasRenderingContext2D, dpr: number, sx: number): void {
    const { slices, affine, rows, cols, letters: l, spacing } = this.plane;
    const k = this.shown!.k;
    const { width, height } = this.canvas;
    const m = 10 * dpr;
    const write = (text: string, x: number, y: number, align: CanvasTextAlign, base: CanvasTextBaseline, size = 13, weight = 400) => {
      c.font = `${weight} ${size * dpr}px system-ui, sans-serif`;
      [c.textAlign, c.textBaseline, c.lineWidth, c.strokeStyle, c.fillStyle, c.lineJoin] = [align, base, 3 * dpr, 'black', 'white', 'round'];
      c.strokeText(text, x, y);
      c.fillText(text, x, y);
    };
    if (l.left) write(l.left, m, height / 2, 'left', 'middle', 16, 600);
    if (l.right) write(l.right, width - m, height / 2, 'right', 'middle', 16, 600);
    if (l.top) write(l.top, width / 2, m, 'center', 'top', 16, 600);
    if (l.bottom) write(l.bottom, width / 2, height - m, 'center', 'bottom', 16, 600);
    if (slices > 1) {
      write(`${k + 1} / ${slices}`, m, m, 'left', 'top');
      if (this.state.meta.placed && this.state.meta.located) write(slicePosition(affine, k, rows, cols), m, m + 18 * dpr, 'left', 'top');
    }
    if (!this.state.meta.placed && spacing[1] === 1 && spacing[2] === 1) return; // no size known
    const mmPx = sx / spacing[2];
    const mm = barLength(width / mmPx);
    for (const [w, style] of [[5, 'black'], [2.5, 'white']] as [number, string][]) { // prettier-ignore
      [c.lineWidth, c.strokeStyle] = [w * dpr, style];
      c.beginPath();
      c.moveTo(m, height - m);
      c.lineTo(m + mm * mmPx, height - m);
      c.stroke();
    }
    write(`${mm} mm`, m, height - m - 6 * dpr, 'left', 'bottom', 12);
  }

  /** The stored value under the crosshair. */
  private say(i: number, j: number): void {
    const { slice } = this.shown!;
    const { rows, cols, channels, values: v, coarse } = slice;
    const [r, col] = [Math.round(i), Math.round(j)];
    if (r < 0 || col < 0 || r >= rows || col >= cols) return this.state.set('value', this.trans.__('outside'));
    const at = (r * cols + col) * channels;
    const { unit } = this.state.meta;
    const none = Number.isNaN(v[at]) && this.trans.__('no value');
    const value = channels > 1 ? `RGB ${v[at]}, ${v[at + 1]}, ${v[at + 2]}` : unit === 'label' ? '' : none || `${coarse ? '≈ ' : ''}${round(v[at])} ${unit}`;
    const second = slice.other && channels === 1 && this.state.compare ? `${this.state.compare.names[1]} ${round(slice.other[at])}` : '';
    this.state.set('value', [value, second, ...overlayAt(slice, r * cols + col, this.state.overlay.labels)].filter(Boolean).join(' · '));
  }

  // Mouse and keys

  /** Row and column under the mouse. */
  private under(e: MouseEvent): XY {
    const box = this.canvas.getBoundingClientRect();
    const f = this.canvas.width / box.width;
    const { sx, sy, x0, y0 } = this.place();
    return [((e.clientY - box.top) * f - y0) / sy - 0.5, ((e.clientX - box.left) * f - x0) / sx - 0.5];
  }

  private go(e: MouseEvent): void {
    const { rows, cols, affine } = this.plane;
    const [i, j] = this.under(e);
    this.state.setAt(physical(affine, [this.shown!.k, clamp(i, 0, rows - 1), clamp(j, 0, cols - 1)]));
  }

  /** Is it the divider that is dragged? */
  private grabs(e: PointerEvent): boolean {
    const { compare } = this.state;
    const box = this.canvas.getBoundingClientRect();
    const at = (m: PointerEvent) => clamp((m.clientX - box.left) / box.width, 0, 1);
    if (compare?.mode !== 'swipe' || Math.abs(at(e) - compare.at) * box.width > 8) return false;
    const move = (m: PointerEvent) => this.state.setCompare({ at: at(m) });
    this.canvas.setPointerCapture(e.pointerId);
    this.canvas.addEventListener('pointermove', move);
    this.canvas.addEventListener('lostpointercapture', () => this.canvas.removeEventListener('pointermove', move), { once: true });
    return true;
  }

  private down(e: PointerEvent): void {
    if (!this.shown || (e.button === 0 && this.grabs(e))) return;
    const mode = e.button === 2 ? this.state.drag : e.button === 0 && !e.shiftKey ? 'go' : 'move';
    if (mode === 'distance' || mode === 'region' || mode === 'angle') return this.measure(e, mode);
    if (mode === 'go') this.go(e);
    this.canvas.setPointerCapture(e.pointerId);
    let [x, y] = [e.clientX, e.clientY];
    const move = (m: PointerEvent) => {
      const [dx, dy] = [m.clientX - x, m.clientY - y];
      [x, y] = [m.clientX, m.clientY];
      if (mode === 'go') this.go(m);
      else if (mode === 'window') this.state.setWindow(...dragWindow(this.state.low, this.state.high, dx, dy));
      else this.shift(dx, dy);
      this.draw();
    };
    const up = () => this.canvas.removeEventListener('pointermove', move);
    this.canvas.addEventListener('pointermove', move);
    this.canvas.addEventListener('lostpointercapture', up, { once: true });
  }

  /** Draw a distance or a region with one drag; an angle with two, or with three clicks. */
  private measure(e: PointerEvent, kind: MarkKind): void {
    const { k, time } = this.shown!;
    const here = this.under(e);
    const going = this.pending?.kind === kind && this.pending.k === k && this.pending.time === time ? this.pending : undefined;
    const mark: Mark = going ?? { kind, plane: this.name, k, time, points: [here], text: '' };
    mark.points.push(here);
    if (!going) this.state.setMarks([...this.state.marks.filter(m => m !== this.pending), mark]);
    this.pending = undefined;
    this.drawing = mark;
    const last = mark.points.length - 1;
    const move = (m: PointerEvent) => {
      mark.points[last] = this.under(m);
      this.draw();
    };
    const up = () => {
      this.canvas.removeEventListener('pointermove', move);
      const [[ay, ax], [by, bx]] = [mark.points[last - 1], mark.points[last]].map(p => this.onCanvas(p));
      const moved = Math.hypot(by - ay, bx - ax) > 4 * devicePixelRatio;
      if (!moved) mark.points.pop(); // a click, not a drag
      this.drawing = undefined;
      void this.settle(mark);
    };
    this.canvas.setPointerCapture(e.pointerId);
    this.canvas.addEventListener('pointermove', move);
    this.canvas.addEventListener('lostpointercapture', up, { once: true });
    this.draw();
  }

  /** A mark with all its points stays; an angle without them waits; all else was no more than a click. */
  private async settle(mark: Mark): Promise<void> {
    const { state } = this;
    const whole = mark.points.length === (mark.kind === 'angle' ? 3 : 2);
    if (!whole && mark.kind === 'angle') this.pending = mark;
    const s = this.shown!;
    if (whole && s.k === mark.k && s.time === mark.time) mark.text = measured(mark, s.slice, this.plane, state.meta.unit, isSized(state.meta, this.plane));
    state.setMarks(whole || mark === this.pending ? [...state.marks] : state.marks.filter(m => m !== mark));
    if (!whole) return;
    try {
      this.tell(mark, await this.source.get(this.name, mark.k, mark.time)); // its own slice, sharp, whatever is on the canvas by now
    } catch (e) {
      if ((e as Error).name !== 'AbortError') this.failed(e as Error);
    }
  }

  /** Move the picture with the mouse. */
  private shift(dx: number, dy: number): void {
    const { sx, sy } = this.place();
    const f = this.canvas.width / this.canvas.getBoundingClientRect().width;
    const [i, j] = this.middle;
    this.look(this.state.zoom, [i - (dy * f) / sy, j - (dx * f) / sx]);
  }

  private scroll(e: WheelEvent): void {
    if (this.state.wheelNeedsFocus && !this.node.closest('.radnb-Stage')?.contains(document.activeElement)) return;
    e.preventDefault();
    if (e.ctrlKey) return this.magnify(Math.exp(-e.deltaY / 300), e);
    this.wheel += e.deltaMode === 1 ? e.deltaY * 40 : e.deltaY; // trackpads send many small steps
    if (Math.abs(this.wheel) < 40) return;
    this.step(Math.sign(this.wheel));
    this.wheel = 0;
  }

  /** Go some slices on. */
  step(by: number): void {
    this.state.setSlice(this.name, clamp(this.state.slice(this.name) + by, 0, this.plane.slices - 1));
  }

  /** Larger or smaller, around the mouse or the middle. */
  magnify(by: number, e?: MouseEvent): void {
    const zoom = clamp(this.state.zoom * by, 0.5, 40);
    const middle = this.middle;
    const still = e ? this.under(e) : middle; // this point stays where it is
    this.look(zoom, still.map((s, a) => s + ((middle[a] - s) * this.state.zoom) / zoom) as XY);
  }

  /** Take back the last measurement. */
  undo(): void {
    this.pending = undefined;
    this.state.setMarks(this.state.marks.slice(0, -1));
  }

  /** The picture as it is now. */
  get drawn(): HTMLCanvasElement {
    this.drawNow();
    return this.canvas;
  }
}
