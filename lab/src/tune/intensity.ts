// A band of grey values: its ends are dragged in the histogram, its volume is counted here, exactly, while the viewer paints it; the kernel makes the mask
// (holes, specks) when the mouse has rested.

import { h, round } from '../dom';
import { Chart } from './chart';
import { type Model, Sender, floats, numeric, write } from './model';

interface Spec {
  unit: string;
  presets: string[];
  voxel_ml: number;
  lo: number;
  hi: number;
  top: number;
  whole: boolean;
  mask: boolean;
}

const BINS = 128;

/** How many of the rising `values` are below `v`. */
function below(values: Float64Array, v: number): number {
  let [lo, hi] = [0, values.length];
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (values[mid] < v) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

export class Intensity {
  private readonly spec: Spec;
  private readonly values: Float64Array;
  private readonly counts: Float64Array;
  private readonly sender: Sender;
  private readonly chart: Chart;
  private readonly volume = h('b', { className: 'radnb-volume', style: 'font-size:19px' });
  private readonly share = h('span', { className: 'soft' });
  private readonly parts_ = h('div', { className: 'radnb-parts' });
  private dragged = 0;
  readonly parts: HTMLElement[];

  constructor(private readonly model: Model) {
    this.spec = model.get('spec') as Spec;
    const all = floats(model.get('data') as DataView);
    const n = (all.length - 1) / 2;
    [this.values, this.counts] = [all.subarray(0, n), all.subarray(n)];
    this.sender = new Sender(model, 40);
    this.chart = this.histogram();
    const side = h('div', {}, h('div', {}, this.volume, ' ', this.share), this.parts_);
    this.parts = [h('div', { className: 'numbers', style: 'align-items:center' }, this.chart.el, side)];
  }

  private histogram(): Chart {
    const { lo, hi, unit } = this.spec;
    const edges = Array.from({ length: BINS + 1 }, (_, i) => lo + ((hi - lo) * i) / BINS);
    const heights = edges.slice(1).map((e, i) => Math.log10(1 + this.count(edges[i], e, i < BINS - 1)));
    const chart = new Chart({ title: 'How many voxels have which value', x: unit || 'value', y: 'voxels (log10)', xlim: [lo, hi], ylim: [0, 1.05 * Math.max(...heights)], size: [520, 190] });
    chart.begin('still').bars(edges, heights, 'plain');
    chart.onDrag((x, _, start) => this.drag(x, start), () => this.sender.flush());
    chart.slider('Band of grey values: moves both ends', (by, toEnd) => {
      const [low, high] = this.band;
      const step = this.spec.whole ? 1 : (hi - lo) / 400;
      const shift = toEnd ? (by > 0 ? this.spec.top - high : this.values[0] - low) : by * step;
      this.move(low + shift, high + shift);
    });
    return chart;
  }

  private get band(): [number, number] {
    return this.model.get('band') as [number, number];
  }

  /** Voxels with low <= value <= high (or < high). */
  private count(low: number, high: number, without = false): number {
    const from = below(this.values, low);
    let to = below(this.values, high);
    if (!without && this.spec.whole && this.values[to] === high) to++;
    if (!without && !this.spec.whole && high >= this.spec.top) to = this.values.length;
    return Math.max(this.counts[to] - this.counts[from], 0);
  }

  /** An end of the band that the counts know: a whole number, or an edge of a bin (the upper end stays just below it). */
  private known(v: number, upper: boolean): number {
    const { top, whole } = this.spec;
    if (v >= top) return top;
    if (whole) return Math.min(Math.max(Math.round(v), this.values[0]), top);
    const i = Math.min(below(this.values, v), this.values.length - 1);
    return upper ? this.values[i] * (1 - Math.sign(this.values[i]) * 2 ** -52) : this.values[i];
  }

  /** Fractions are counted in bins: an end that was set in code, or by a preset, may lie within one. */
  private exact(low: number, high: number): boolean {
    return this.spec.whole || ((low <= this.values[0] || this.known(low, false) === low) && this.known(high, true) === Math.min(high, this.spec.top));
  }

  private drag(x: number, start: boolean): void {
    const band = this.band;
    if (start) this.dragged = Math.abs(x - band[0]) <= Math.abs(x - Math.min(band[1], this.spec.hi)) ? 0 : 1;
    const { lo, hi, top } = this.spec;
    const end = x <= lo ? this.values[0] : x >= hi ? top : x; // at the edge of the chart the band is open
    if (this.dragged === 0) this.move(Math.min(end, band[1]), band[1]);
    else this.move(band[0], Math.max(end, band[0]));
  }

  private move(low: number, high: number): void {
    const band = [this.known(low, false), this.known(high, true)];
    if (band[0] <= band[1] && (band[0] !== this.band[0] || band[1] !== this.band[1])) this.sender.set({ band, live: band });
  }

  draw(): void {
    const [low, high] = this.band;
    const { lo, hi, unit, voxel_ml } = this.spec;
    const [a, b] = [Math.max(low, lo), Math.min(high, hi)];
    this.chart.begin('moving').range(a, b).rule(a).rule(b);
    const n = this.count(low, high);
    const text = `${this.exact(low, high) ? '' : '≈ '}${(n * voxel_ml).toFixed(2)} mL`;
    this.volume.textContent = text;
    this.share.textContent = `${n.toLocaleString('en')} voxels, ${((100 * n) / this.counts[this.counts.length - 1]).toPrecision(3)} %`;
    this.chart.says(low, `${round(low)} to ${round(high)} ${unit}, ${text}`, lo, hi);
  }

  private found(): void {
    const f = this.model.get('found') as { ml?: number; n?: number; largest?: number[] };
    if (this.model.get('live') !== null || f.n === undefined) this.parts_.replaceChildren(h('span', { className: 'soft' }, 'the mask follows when the mouse rests'));
    else {
      const largest = (f.largest ?? []).map(v => v.toFixed(2)).join(', ');
      this.parts_.replaceChildren(h('div', {}, 'Mask: ', h('b', { className: 'radnb-mask-ml' }, `${f.ml!.toFixed(2)} mL`), ` in ${f.n} part${f.n === 1 ? '' : 's'}`),
        h('div', { className: 'soft' }, largest && `largest: ${largest} mL`));
    }
  }

  controls(): { el: HTMLElement; fill: () => void } {
    const { model, sender, spec } = this;
    const set = (values: Record<string, unknown>) => {
      sender.set(values);
      sender.flush();
    };
    const rules = [...spec.presets, 'manual'].map(rule =>
      h('button', { type: 'button', 'data-rule': rule, onclick: () => set({ rule }) }, rule === 'manual' ? 'By hand' : rule === 'otsu' ? 'Otsu' : rule[0].toUpperCase() + rule.slice(1)));
    const low = numeric(v => this.move(v, this.band[1]), { 'aria-label': 'Lowest value' });
    const high = numeric(v => this.move(this.band[0], v), { 'aria-label': 'Highest value' });
    const fill_holes = h('input', { type: 'checkbox', onchange: (e: Event) => set({ fill_holes: (e.target as HTMLInputElement).checked }) });
    const smallest = numeric(v => set({ min_mm3: v }), { min: 0, 'aria-label': 'Smallest part in mm3' });
    const places: [string, string][] = [['', 'everywhere'], ['box', 'box around the crosshair'], ...(spec.mask ? [['mask', 'the mask given'] as [string, string]] : [])];
    const within = h('select', { 'aria-label': 'Where', onchange: (e: Event) => set({ within: (e.target as HTMLSelectElement).value }) },
      ...places.map(([value, words]) => h('option', { value }, words)));
    const box = h('label', {}, numeric(v => set({ box_mm: v }), { min: 1, 'aria-label': 'Edge of the box in mm' }), 'mm');
    const el = h('div', {},
      h('div', { className: 'row' }, h('span', { className: 'segments', role: 'group', 'aria-label': 'Preset' }, ...rules), h('label', {}, low, 'to', high, spec.unit)),
      h('div', { className: 'row' }, h('label', {}, fill_holes, 'fill holes'), h('label', {}, 'parts of at least', smallest, 'mm³'), h('label', {}, 'only', within), box));
    const fill = () => {
      for (const b of rules) b.setAttribute('aria-pressed', String(b.dataset.rule === model.get('rule')));
      write(low, this.band[0], 7);
      write(high, this.band[1], 7);
      fill_holes.checked = model.get('fill_holes') as boolean;
      write(smallest, model.get('min_mm3') as number);
      within.value = model.get('within') as string;
      box.style.display = model.get('within') === 'box' ? '' : 'none';
      write(box.querySelector('input')!, model.get('box_mm') as number);
      this.found();
    };
    return { el, fill };
  }
}
