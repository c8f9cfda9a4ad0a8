// From which probability on a voxel counts: every case and the cohort at any threshold of a grid, from curves made beforehand; the viewer beside it cuts
// its probability by itself (their thresholds are linked).

import { h, round } from '../dom';
import { Chart } from './chart';
import { type Model, Sender, floats, numeric, write } from './model';

interface Spec {
  questions: string[];
  thresholds: number[];
  present: boolean[];
  lesions_true: number[];
  true_ml: number[];
  n: number[][];
  viewer: boolean;
}

const CASE = ['dice', 'volume_ml', 'error_ml', 'lesions', 'found', 'false', 'hd95_mm'] as const;
const COHORT = ['dice', 'error_ml', 'hd95_mm', 'false'] as const;
type Measure = (typeof CASE)[number];

const MEANS: Record<string, [string, string, number]> = {
  dice: ['Mean Dice', '', 3], error_ml: ['Volume error', 'mL', 2], hd95_mm: ['HD95', 'mm', 2], false: ['False lesions per case', '', 2]
};
const RULES: [string, string][] = [['dice', 'Best mean Dice'], ['volume', 'Least volume error'], ['manual', 'By hand']];
const HEADS: [string, string][] = [['case', 'Case'], ['dice', 'Dice'], ['volume_ml', 'Volume / mL'], ['true_ml', 'truth / mL'], ['error_ml', 'error / mL'],
  ['lesions', 'Lesions'], ['found', 'found'], ['false', 'false'], ['hd95_mm', 'HD95 / mm']];

const fixed = (v: number, digits: number) => (Number.isNaN(v) ? '–' : isFinite(v) ? v.toFixed(digits) : '∞');

export class Segment {
  private readonly spec: Spec;
  private readonly curves: Record<Measure, Float64Array>;
  private readonly cohort: Record<string, [Float64Array, Float64Array, Float64Array]>;
  private readonly sender: Sender;
  private readonly charts: { name: 'dice' | 'error_ml' | 'hd95_mm'; chart: Chart }[];
  private readonly cells: HTMLTableCellElement[][] = [];
  private readonly rows: HTMLTableRowElement[] = [];
  private readonly means = h('tbody', {});
  private readonly body = h('tbody', {});
  private order: number[];
  private sorted: [string, number] = ['case', 1];
  readonly parts: HTMLElement[];

  constructor(private readonly model: Model) {
    this.spec = model.get('spec') as Spec;
    const all = floats(model.get('data') as DataView);
    const [n, T] = [this.spec.present.length, this.spec.thresholds.length];
    this.curves = Object.fromEntries(CASE.map((name, i) => [name, all.subarray(i * n * T, (i + 1) * n * T)])) as Record<Measure, Float64Array>;
    const from = CASE.length * n * T;
    this.cohort = Object.fromEntries(COHORT.map((name, i) => [name, [0, 1, 2].map(j => all.subarray(from + (3 * i + j) * T, from + (3 * i + j + 1) * T))])) as typeof this.cohort;
    this.sender = new Sender(model);
    this.order = this.spec.present.map((_, i) => i);
    this.charts = [this.chart('dice', 'Dice', 'Dice'), this.chart('error_ml', 'Volume error', 'called − true / mL'), this.chart('hd95_mm', 'Surface distance', 'HD95 / mm')];
    const lists = h('div', { className: 'numbers' }, h('table', { className: 'means' }, this.means), this.table());
    const key = h('div', { className: 'soft' }, `Thin: each case. Thick: the mean, with its interval over patients. Drag in any chart, or use the arrow keys.${this.spec.viewer ? ' A click on a case shows it below: the outline is the truth.' : ''}`);
    this.parts = [h('div', { className: 'charts' }, ...this.charts.map(c => c.chart.el)), key, lists];
  }

  private at(t: number): number {
    const { thresholds } = this.spec;
    return thresholds.reduce((best, v, i) => (Math.abs(v - t) < Math.abs(thresholds[best] - t) ? i : best), 0);
  }

  private one(name: Measure, row: number, i: number): number {
    return this.curves[name][row * this.spec.thresholds.length + i];
  }

  private chart(name: 'dice' | 'error_ml' | 'hd95_mm', title: string, y: string): { name: typeof name; chart: Chart } {
    const { thresholds, present } = this.spec;
    const T = thresholds.length;
    const [mean, low, high] = this.cohort[name];
    const finite = [...low, ...high].filter(isFinite);
    const pad = (Math.max(...finite) - Math.min(...finite)) * 0.6;
    const ylim: [number, number] = name === 'dice' ? [0, 1] : [name === 'hd95_mm' ? 0 : Math.min(...finite, 0) - pad, Math.max(...finite, 0) + pad];
    const chart = new Chart({ title, x: 'probability threshold', y, xlim: [thresholds[0], thresholds[T - 1]], ylim, size: [304, 222] });
    chart.begin('still');
    present.forEach((there, row) => there && row < 200 && chart.line(thresholds, this.curves[name].subarray(row * T, (row + 1) * T), 'thin'));
    if (name === 'error_ml') chart.line([thresholds[0], thresholds[T - 1]], [0, 0], 'dash');
    chart.band(thresholds, low, high).line(thresholds, mean);
    chart.onDrag(x => this.move(x), () => this.sender.flush());
    chart.slider('Probability threshold', (by, toEnd) => this.moveTo(toEnd ? (by > 0 ? T - 1 : 0) : this.at(this.threshold) + Math.sign(by) * Math.min(Math.abs(by), 10)));
    return { name, chart };
  }

  private get threshold(): number {
    return this.model.get('threshold') as number;
  }

  private moveTo(i: number): void {
    const { thresholds } = this.spec;
    const t = thresholds[Math.min(Math.max(i, 0), thresholds.length - 1)];
    if (t !== this.threshold) this.sender.set({ threshold: t });
  }

  private move(x: number): void {
    this.moveTo(this.at(x));
  }

  private table(): HTMLElement {
    const heads = HEADS.map(([name, words]) => h('th', { scope: 'col', title: 'sort', onclick: () => this.sort(name) }, words));
    this.order.forEach(row => {
      const cells = HEADS.map(() => h('td', {}));
      cells[0].textContent = String(row);
      const pick = () => {
        this.sender.set({ case: row });
        this.sender.flush();
      };
      const keyed = (e: KeyboardEvent) => (e.key === 'Enter' || e.key === ' ') && (e.preventDefault(), pick());
      this.cells.push(cells);
      this.rows.push(h('tr', { tabindex: 0, 'data-case': row, onclick: pick, onkeydown: keyed }, ...cells));
    });
    this.body.append(...this.rows);
    return h('div', { className: 'cases' }, h('table', { 'aria-label': 'Cases at this threshold' }, h('thead', {}, h('tr', {}, ...heads)), this.body));
  }

  private sort(name: string): void {
    this.sorted = [name, this.sorted[0] === name ? -this.sorted[1] : 1];
    const i = this.at(this.threshold);
    const value = (row: number) => (name === 'case' ? row : name === 'true_ml' ? this.spec.true_ml[row] : this.one(name as Measure, row, i));
    const key = (row: number) => (Number.isNaN(value(row)) ? Infinity : value(row) * this.sorted[1]);
    this.order.sort((a, b) => (key(a) === key(b) ? a - b : key(a) - key(b)));
    this.body.append(...this.order.map(row => this.rows[row]));
  }

  draw(): void {
    const i = this.at(this.threshold);
    const t = this.spec.thresholds[i];
    for (const { name, chart } of this.charts) {
      const [mean, low, high] = this.cohort[name];
      const [words, unit, digits] = MEANS[name];
      chart.title(`${words} ${fixed(mean[i], digits)}${unit && ` ${unit}`}`);
      chart.begin('moving').rule(t).line([t, t], [low[i], high[i]], 'cross').dot(t, this.one(name, this.model.get('case') as number, i), 'picked', 4).dot(t, mean[i]);
      chart.says(t, `threshold ${round(t)}, ${words} ${fixed(mean[i], digits)} ${unit}`, this.spec.thresholds[0], this.spec.thresholds[this.spec.thresholds.length - 1]);
    }
    this.means.replaceChildren(...COHORT.map((name, k) => {
      const [words, unit, digits] = MEANS[name];
      const [mean, low, high] = this.cohort[name].map(a => a[i]);
      const limits = isFinite(low) ? `${fixed(low, digits)} to ${fixed(high, digits)}` : '';
      const missed = name === 'hd95_mm' ? this.missed(i) : 0;
      const n = `n=${this.spec.n[k][i]}${missed ? `, ${missed} missed, not counted` : ''}`;
      return h('tr', { 'data-metric': name }, h('th', { scope: 'row' }, words), h('td', {}, `${fixed(mean, digits)} ${unit}`), h('td', { className: 'soft' }, limits), h('td', { className: 'soft' }, n));
    }));
    this.cells.forEach((cells, row) => this.fillRow(cells, row, i));
    const picked = this.model.get('case') as number;
    this.rows.forEach((row, k) => row.setAttribute('aria-selected', String(k === picked)));
  }

  /** Cases with something to find of which nothing is called: they have no surface distance. */
  private missed(i: number): number {
    return this.spec.present.filter((there, row) => there && !isFinite(this.one('hd95_mm', row, i))).length;
  }

  private fillRow(cells: HTMLTableCellElement[], row: number, i: number): void {
    const v = (name: Measure) => this.one(name, row, i);
    const { present, true_ml, lesions_true } = this.spec;
    const words = [present[row] ? fixed(v('dice'), 3) : '–', fixed(v('volume_ml'), 2), fixed(true_ml[row], 2), fixed(v('error_ml'), 2), String(v('lesions')),
      `${v('found')} of ${lesions_true[row]}`, String(v('false')), fixed(v('hd95_mm'), 1)];
    words.forEach((text, k) => {
      if (cells[k + 1].textContent !== text) cells[k + 1].textContent = text;
    });
  }

  controls(): { el: HTMLElement; fill: () => void } {
    const { model, sender, spec } = this;
    const set = (values: Record<string, unknown>) => {
      sender.set(values);
      sender.flush();
    };
    const rules = RULES.map(([rule, label]) => h('button', { type: 'button', 'data-rule': rule, onclick: () => set({ rule }) }, label));
    const labels = h('select', { 'aria-label': 'Label', onchange: (e: Event) => set({ positive: (e.target as HTMLSelectElement).value }) }, ...spec.questions.map(q => h('option', { value: q }, q)));
    const slider = h('input', { type: 'range', min: 0, max: spec.thresholds.length - 1, step: 1, 'aria-label': 'Threshold', style: 'width:260px',
      oninput: (e: Event) => this.moveTo((e.target as HTMLInputElement).valueAsNumber) });
    const threshold = numeric(v => this.move(v), { 'aria-label': 'Probability', className: 'radnb-threshold', min: 0, max: 1 });
    const el = h('div', { className: 'row' }, spec.questions.length > 1 && h('label', {}, 'Label', labels),
      h('span', { className: 'segments', role: 'group', 'aria-label': 'Rule' }, ...rules), h('label', {}, 'Threshold', slider, threshold));
    const fill = () => {
      for (const b of rules) b.setAttribute('aria-pressed', String(b.dataset.rule === model.get('rule')));
      labels.value = model.get('positive') as string;
      slider.value = String(this.at(this.threshold));
      write(threshold, this.threshold, 3);
    };
    return { el, fill };
  }
}
