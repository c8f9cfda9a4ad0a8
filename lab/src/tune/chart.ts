// A small SVG chart with one part that stays and one that moves: drawn once, then only the mark is moved, so that it follows the mouse at once.

const NS = 'http://www.w3.org/2000/svg';

type Attributes = Record<string, string | number>;
export type Numbers = ArrayLike<number>;

function shape(tag: string, attributes: Attributes, text?: string): SVGElement {
  const e = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, String(v));
  if (text !== undefined) e.textContent = text;
  return e;
}

/** Round numbers (1, 2 or 5 times a power of ten) between `lo` and `hi`. */
export function ticks(lo: number, hi: number, n = 5): number[] {
  const raw = (hi - lo) / n;
  if (!(raw > 0 && isFinite(raw))) return [lo];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(m => m * power).reduce((a, b) => (Math.abs(b - raw) < Math.abs(a - raw) ? b : a));
  const out = [];
  for (let i = Math.ceil(lo / step - 1e-9); i <= Math.floor(hi / step + 1e-9); i++) out.push(+(i * step).toPrecision(12));
  return out;
}

export interface Frame {
  title: string;
  x: string;
  y: string;
  xlim?: [number, number];
  ylim?: [number, number];
  size?: [number, number];
  format?: (tick: number) => string;
}

let made = 0;

export class Chart {
  readonly el: SVGSVGElement;
  private readonly still = shape('g', {});
  private readonly moving = shape('g', {});
  private readonly heading: SVGElement;
  private readonly left = 46;
  private readonly top = 24;
  private readonly width: number;
  private readonly height: number;
  private readonly xlim: [number, number];
  private readonly ylim: [number, number];
  /** Where shapes are put: what stays, or what moves. */
  private layer = this.still;

  constructor(frame: Frame) {
    const [w, h] = frame.size ?? [250, 222];
    this.xlim = frame.xlim ?? [0, 1];
    this.ylim = frame.ylim ?? [0, 1];
    [this.width, this.height] = [w - this.left - 10, h - this.top - 36];
    this.el = shape('svg', { viewBox: `0 0 ${w} ${h}`, width: w, height: h, class: 'radnb-chart' }) as SVGSVGElement;
    this.heading = shape('text', { x: this.left + this.width / 2, y: 13, class: 'title' }, frame.title);
    const clip = `radnb-clip-${++made}`;
    const defs = shape('clipPath', { id: clip });
    defs.append(shape('rect', { x: this.left - 7, y: this.top - 7, width: this.width + 14, height: this.height + 14 }));
    for (const g of [this.still, this.moving]) g.setAttribute('clip-path', `url(#${clip})`);
    this.el.append(defs, this.axes(frame), this.still, this.moving, this.heading);
  }

  px(x: number): number {
    return this.left + (this.width * (x - this.xlim[0])) / (this.xlim[1] - this.xlim[0] || 1);
  }

  py(y: number): number {
    return this.top + this.height * (1 - (y - this.ylim[0]) / (this.ylim[1] - this.ylim[0] || 1));
  }

  private axes(frame: Frame): SVGElement {
    const g = shape('g', { class: 'axes' });
    const [right, bottom] = [this.left + this.width, this.top + this.height];
    const words = frame.format ?? ((t: number) => String(t));
    for (const t of ticks(...this.xlim)) {
      g.append(shape('line', { x1: this.px(t), x2: this.px(t), y1: this.top, y2: bottom }));
      g.append(shape('text', { x: this.px(t), y: bottom + 13, 'text-anchor': 'middle' }, words(t)));
    }
    for (const t of ticks(...this.ylim)) {
      g.append(shape('line', { x1: this.left, x2: right, y1: this.py(t), y2: this.py(t) }));
      g.append(shape('text', { x: this.left - 5, y: this.py(t) + 3.5, 'text-anchor': 'end' }, String(t)));
    }
    g.append(shape('text', { x: this.left + this.width / 2, y: bottom + 29, 'text-anchor': 'middle' }, frame.x));
    g.append(shape('text', { transform: `translate(11 ${this.top + this.height / 2}) rotate(-90)`, 'text-anchor': 'middle' }, frame.y));
    return g;
  }

  title(text: string): void {
    this.heading.textContent = text;
  }

  /** What follows is drawn anew: all of it (`'still'`) or the part that moves. */
  begin(which: 'still' | 'moving'): this {
    this.layer = which === 'still' ? this.still : this.moving;
    this.layer.replaceChildren();
    return this;
  }

  private add(e: SVGElement): this {
    this.layer.append(e);
    return this;
  }

  private points(x: Numbers, y: Numbers): string[] {
    const out = [];
    for (let i = 0; i < x.length; i++) if (isFinite(x[i]) && isFinite(y[i])) out.push(`${this.px(x[i]).toFixed(1)},${this.py(y[i]).toFixed(1)}`);
    return out;
  }

  line(x: Numbers, y: Numbers, kind = 'main'): this {
    return this.add(shape('polyline', { points: this.points(x, y).join(' '), class: `line ${kind}` }));
  }

  band(x: Numbers, low: Numbers, high: Numbers): this {
    const corners = [...this.points(x, high), ...this.points(x, low).reverse()];
    return this.add(shape('polygon', { points: corners.join(' '), class: 'band' }));
  }

  /** An area between two heights of a column, or two lines: a range along x. */
  range(x0: number, x1: number): this {
    return this.add(shape('rect', { x: this.px(x0), width: Math.max(this.px(x1) - this.px(x0), 0), y: this.top, height: this.height, class: 'range' }));
  }

  dot(x: number, y: number, kind = 'mark', r = 6): this {
    return isFinite(x) && isFinite(y) ? this.add(shape('circle', { cx: this.px(x), cy: this.py(y), r, class: kind })) : this;
  }

  rule(x: number, kind = 'rule'): this {
    return this.add(shape('line', { x1: this.px(x), x2: this.px(x), y1: this.top, y2: this.top + this.height, class: kind }));
  }

  bars(edges: Numbers, heights: Numbers, kind: string): this {
    for (let i = 0; i < heights.length; i++) {
      if (!(heights[i] > 0)) continue;
      const [a, b, y] = [this.px(edges[i]), this.px(edges[i + 1]), this.py(Math.min(heights[i], this.ylim[1]))];
      this.add(shape('rect', { x: a, width: Math.max(b - a, 0.5), y, height: this.py(this.ylim[0]) - y, class: `bar ${kind}` }));
    }
    return this;
  }

  /** Drag (or click) anywhere in the chart: told where, in the chart's units; `end` when the button is let go. */
  onDrag(move: (x: number, y: number, start: boolean) => void, end: () => void): void {
    const at = (e: PointerEvent, start: boolean) => {
      const box = this.el.getBoundingClientRect();
      const scale = this.el.viewBox.baseVal.width / box.width;
      const x = ((e.clientX - box.left) * scale - this.left) / this.width;
      const y = 1 - ((e.clientY - box.top) * scale - this.top) / this.height;
      const place = (v: number, [lo, hi]: [number, number]) => lo + Math.min(Math.max(v, 0), 1) * (hi - lo);
      move(place(x, this.xlim), place(y, this.ylim), start);
    };
    let down = false;
    const stop = () => {
      if (down) end();
      down = false;
    };
    this.el.addEventListener('pointerdown', e => {
      if (e.button !== 0) return;
      down = true;
      this.el.setPointerCapture(e.pointerId);
      this.el.focus({ preventScroll: true });
      e.preventDefault();
      at(e, true);
    });
    this.el.addEventListener('pointermove', e => down && at(e, false));
    this.el.addEventListener('pointerup', stop);
    this.el.addEventListener('pointercancel', stop);
  }

  /** Make it a slider for the keyboard and for screen readers. `step` is told by how many steps to the right (or up), and whether to an end. */
  slider(label: string, step: (by: number, toEnd: boolean) => void): void {
    const keys: Record<string, [number, boolean]> = {
      ArrowRight: [1, false], ArrowUp: [1, false], ArrowLeft: [-1, false], ArrowDown: [-1, false],
      PageUp: [20, false], PageDown: [-20, false], End: [1, true], Home: [-1, true]
    };
    for (const [k, v] of Object.entries({ tabindex: 0, role: 'slider', 'aria-label': label })) this.el.setAttribute(k, String(v));
    this.el.addEventListener('keydown', e => {
      const found = keys[e.key];
      if (!found || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      e.stopPropagation(); // the notebook would scroll
      step(found[0] * (e.shiftKey ? 10 : 1), found[1]);
    });
  }

  says(value: number, text: string, lo: number, hi: number): void {
    for (const [k, v] of Object.entries({ valuenow: value, valuemin: lo, valuemax: hi, valuetext: text })) this.el.setAttribute(`aria-${k}`, String(v));
  }
}
