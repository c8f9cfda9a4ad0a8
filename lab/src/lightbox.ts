// A light box: many slices of one plane side by side, a page at a time.
import { h } from './dom';
import { slicePosition } from './geometry';
import { drawOutlines, paintOverlay } from './overlay';
import { paint } from './paint';
import { clamp, dragWindow, Part, State } from './state';
import type { PlaneName, Slice, Source, Words } from './types';

const TILE = 190; // pixels, at least

export class LightBox {
  readonly node = h('div', { className: 'radnb-LightBox', role: 'group' });
  private tiles: Tile[] = [];
  private cols = 1;
  private first = 0;
  private wheel = 0;
  private watch = new ResizeObserver(() => this.fill());
  private frame = 0;

  constructor(
    readonly plane: PlaneName,
    readonly state: State,
    readonly source: Source,
    readonly trans: Words,
    readonly failed: (e: Error) => void
  ) {
    this.node.setAttribute('aria-label', trans.__('Light box'));
    this.node.addEventListener('wheel', e => this.scroll(e), { passive: false });
    this.node.addEventListener('pointerdown', e => this.down(e));
    state.changed.connect(this.follow, this);
    this.watch.observe(this.node);
  }

  dispose(): void {
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    this.state.changed.disconnect(this.follow, this);
  }

  private get slices(): number {
    return this.state.plane(this.plane).slices;
  }

  private follow(_: State, part: Part): void {
    if (this.node.hidden) return;
    if (part === 'window' || part === 'overlay') this.soon();
    else if (part === 'at' || part === 'time' || part === 'slices' || part === 'layout') this.fill();
  }

  private soon(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.tiles.forEach(t => t.draw()));
  }

  /** As many tiles as there is room for, showing the page with the slice in question. */
  fill(): void {
    const { clientWidth: w, clientHeight: height } = this.node;
    if (!w || !height || this.node.hidden) return;
    const { rows, cols, spacing } = this.state.plane(this.plane);
    const tall = clamp((rows * spacing[1]) / (cols * spacing[2]), 0.4, 2.5);
    let across = clamp(Math.floor(w / TILE), 2, 12);
    while (across > 1 && across * Math.max(1, Math.floor(height / ((w / across) * tall))) > this.slices && (across - 1) * Math.floor(height / ((w / (across - 1)) * tall)) >= this.slices) across--;
    const down = Math.max(1, Math.floor(height / ((w / across) * tall)));
    const n = Math.min(across * down, this.slices);
    this.cols = across;
    this.node.style.gridTemplate = `repeat(${down}, minmax(0, 1fr)) / repeat(${across}, minmax(0, 1fr))`;
    if (this.tiles.length !== n) this.make(n);
    const k = this.state.slice(this.plane);
    if (k < this.first || k >= this.first + n) this.first = Math.floor(k / n) * n;
    this.first = clamp(this.first, 0, Math.max(0, this.slices - 1));
    this.tiles.forEach((tile, i) => void tile.show(this.first + i, this.first + i === k));
  }

  private make(n: number): void {
    const open = (k: number) => {
      this.state.setSlice(this.plane, k);
      this.state.set('layout', this.plane);
    };
    this.tiles = Array.from({ length: n }, () => new Tile(this.plane, this.state, this.source, this.trans, open, this.failed));
    this.node.replaceChildren(...this.tiles.map(t => t.node));
  }

  private get visible(): HTMLElement[] {
    return this.tiles.map(t => t.node).filter(n => n.style.visibility !== 'hidden');
  }

  /** What is seen: the pictures, and what is written on them. */
  get drawn(): HTMLCanvasElement[] {
    return this.visible.map(n => n.querySelector('canvas')!);
  }

  get words(): HTMLElement[] {
    return this.visible.flatMap(n => [...n.querySelectorAll('span')]);
  }

  /** Pages on, or back. */
  turn(by: number): void {
    this.go(this.state.slice(this.plane) + by * this.tiles.length);
  }

  /** Rows on, or back: the slice in question moves. */
  row(by: number): void {
    this.go(this.state.slice(this.plane) + by * this.cols);
  }

  go(k: number): void {
    this.state.setSlice(this.plane, clamp(k, 0, this.slices - 1));
  }

  private scroll(e: WheelEvent): void {
    if (this.state.wheelNeedsFocus && !this.node.closest('.radnb-Stage')?.contains(document.activeElement)) return;
    e.preventDefault();
    this.wheel += e.deltaMode === 1 ? e.deltaY * 40 : e.deltaY;
    if (Math.abs(this.wheel) < 40) return;
    this.turn(Math.sign(this.wheel));
    this.wheel = 0;
  }

  /** The right button windows here, too. */
  private down(e: PointerEvent): void {
    if (e.button !== 2 || !this.state.meta.windows.length) return;
    this.node.setPointerCapture(e.pointerId);
    let [x, y] = [e.clientX, e.clientY];
    const move = (m: PointerEvent) => {
      this.state.setWindow(...dragWindow(this.state.low, this.state.high, m.clientX - x, m.clientY - y));
      [x, y] = [m.clientX, m.clientY];
    };
    this.node.addEventListener('pointermove', move);
    this.node.addEventListener('lostpointercapture', () => this.node.removeEventListener('pointermove', move), { once: true });
  }
}

/** One slice of the light box. */
class Tile {
  readonly node: HTMLButtonElement;
  private canvas = h('canvas');
  private picture = document.createElement('canvas');
  private top = document.createElement('canvas');
  private number = h('span', { className: 'radnb-TileNumber' });
  private slice?: Slice;
  private k = -1;
  /** slice, time and what lies on it */
  private key = '';

  constructor(
    readonly plane: PlaneName,
    readonly state: State,
    readonly source: Source,
    readonly trans: Words,
    open: (k: number) => void,
    readonly failed: (e: Error) => void
  ) {
    this.node = h('button', { type: 'button', className: 'radnb-Tile', tabIndex: -1, onclick: () => open(this.k) }, this.canvas, this.number);
    const { left, right } = state.plane(plane).letters;
    if (left) this.node.append(h('span', { className: 'radnb-TileSide' }, left));
    if (right) this.node.append(h('span', { className: 'radnb-TileSide radnb-mod-right' }, right));
  }

  /** Show slice `k`; is it the one in question? Beyond the last there is nothing. */
  async show(k: number, current: boolean): Promise<void> {
    const { slices } = this.state.plane(this.plane);
    this.node.style.visibility = k < slices ? '' : 'hidden';
    this.node.setAttribute('aria-current', String(current));
    this.k = k;
    const { time } = this.state;
    const key = `${k} ${time} ${this.source.version}`;
    if (key !== this.key) this.clear(); // no number stands on another slice's pixels
    this.key = key;
    if (k >= slices) return;
    this.node.setAttribute('aria-label', this.trans.__('Open slice %1 of %2', k + 1, slices));
    const { affine, rows, cols } = this.state.plane(this.plane);
    this.number.textContent = this.state.meta.placed && this.state.meta.located ? `${k + 1} · ${slicePosition(affine, k, rows, cols)}` : String(k + 1);
    try {
      const slice = await this.source.get(this.plane, k, time);
      if (this.key !== key) return;
      this.slice = slice;
      this.node.dataset.radnb = 'drawn';
      this.draw();
    } catch (e) {
      if ((e as Error).name !== 'AbortError') this.failed(e as Error);
    }
  }

  private clear(): void {
    this.slice = undefined;
    delete this.node.dataset.radnb;
    this.canvas.getContext('2d')!.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  draw(): void {
    const { slice, canvas, state } = this;
    if (!slice || this.k < 0) return;
    const dpr = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [this.node.clientWidth, this.node.clientHeight].map(v => Math.max(1, Math.round(v * dpr)));
    const [, mmY, mmX] = state.plane(this.plane).spacing;
    const scale = Math.min(canvas.width / (slice.cols * mmX), canvas.height / (slice.rows * mmY));
    const [sx, sy] = [scale * mmX, scale * mmY];
    const [x0, y0] = [(canvas.width - slice.cols * sx) / 2, (canvas.height - slice.rows * sy) / 2];
    const c = canvas.getContext('2d')!;
    paint(this.picture, slice, state.low, state.high);
    c.imageSmoothingQuality = 'high';
    c.drawImage(this.picture, x0, y0, slice.cols * sx, slice.rows * sy);
    c.imageSmoothingEnabled = false;
    if (paintOverlay(this.top, slice, state.overlay)) c.drawImage(this.top, x0, y0, slice.cols * sx, slice.rows * sy);
    drawOutlines(c, slice, state.overlay, { sx, sy, x0, y0 }, dpr);
  }
}
