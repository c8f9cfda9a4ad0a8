// Where a classifier's line is drawn: scores, ROC, precision and recall, decision curve, all with one mark that is dragged; and what it costs, in patients.
// Every number comes from a table made beforehand (`threshold_table` in measure/stats), or from one of its columns by the formulas named below.

import { h } from '../dom';
import { Chart, type Numbers } from './chart';
import { type Model, Sender, floats, interval, numeric, percent, rowAt, share, write } from './model';

interface Population {
  name: string;
  flag: string;
  n: number;
  patients: number;
  P: number;
  N: number;
}

interface Spec {
  labels: [string, string];
  questions: string[];
  populations: Population[];
  columns: string[];
  rows: number;
  /** Are there more thresholds than rows? */
  thinned: boolean;
  lo: number;
  hi: number;
  z: number;
  prevalence: number;
  probability: boolean;
  auc: string;
  hist: { edges: number[]; well: number[]; ill: number[] };
  bands: { x: number[]; tpr_low: number[]; tpr_high: number[]; fpr_low: number[]; fpr_high: number[] };
}

interface Estimate {
  value: number;
  low: number;
  high: number;
}

const NOTHING: Estimate = { value: NaN, low: NaN, high: NaN };

/** PPV where a share `prior` is ill (Mercaldo et al. 2007, logit interval; adjusted where a share is 0 or 1): `predictive` of Confusion.at_prevalence. */
export function predictive(a: number, b: number, na: number, nb: number, prior: number, z: number): Estimate {
  if (!(na > 0 && nb > 0) || (a === 0 && b === 1)) return NOTHING;
  const value = (a * prior) / (a * prior + (1 - b) * (1 - prior));
  if (a === 0 || a === 1 || b === 0 || b === 1) {
    a = (a * na + (z * z) / 2) / (na + z * z);
    b = (b * nb + (z * z) / 2) / (nb + z * z);
    [na, nb] = [na + z * z, nb + z * z];
  }
  const logit = Math.log((a * prior) / ((1 - b) * (1 - prior)));
  const half = z * Math.sqrt((1 - a) / (a * na) + b / ((1 - b) * nb));
  const limit = (v: number) => 1 / (1 + Math.exp(-v));
  return { value, low: Math.min(limit(logit - half), value), high: Math.max(limit(logit + half), value) };
}

/** Net benefit at a prevalence taken as known: Confusion.net_benefit_at. */
export function netBenefit(a: number, b: number, na: number, nb: number, prior: number, risk: number, z: number): Estimate {
  if (!(risk >= 0 && risk < 1 && na > 0 && nb > 0)) return NOTHING;
  const w = ((1 - prior) * risk) / (1 - risk);
  const spread = (v: number, n: number) => {
    const adjusted = (v * n + (z * z) / 2) / (n + z * z);
    return v === 0 || v === 1 ? (adjusted * (1 - adjusted)) / (n + z * z) : (v * (1 - v)) / n;
  };
  const value = a * prior - (1 - b) * w;
  const half = z * Math.sqrt(prior ** 2 * spread(a, na) + w ** 2 * spread(b, nb));
  return { value, low: value - half, high: value + half };
}

/** One population (all, or a subgroup) at every threshold. */
class Table {
  constructor(readonly of: Population, private readonly columns: Record<string, Float64Array>, private readonly z: number) {}

  count(k: number) {
    const [tp, fp] = [this.columns.tp[k], this.columns.fp[k]];
    return { tp, fp, fn: this.of.P - tp, tn: this.of.N - fp };
  }

  sensitivity(k: number): number {
    return this.of.P ? this.columns.tp[k] / this.of.P : NaN;
  }

  specificity(k: number): number {
    return this.of.N ? 1 - this.columns.fp[k] / this.of.N : NaN;
  }

  estimate(name: string, k: number): Estimate {
    const { tp, fp, fn, tn } = this.count(k);
    const values: Record<string, number> = {
      sensitivity: tp / (tp + fn), specificity: tn / (tn + fp), ppv: tp / (tp + fp), npv: tn / (tn + fn),
      accuracy: (tp + tn) / (tp + fp + fn + tn), f1: (2 * tp) / (2 * tp + fp + fn)
    };
    return { value: values[name], low: this.columns[`${name}_low`][k], high: this.columns[`${name}_high`][k] };
  }

  private parts(k: number): [number, number, number, number] {
    return [this.sensitivity(k), this.specificity(k), this.columns.effective_sick[k], this.columns.effective_well[k]];
  }

  ppvAt(k: number, prior: number): Estimate {
    return predictive(...this.parts(k), prior, this.z);
  }

  npvAt(k: number, prior: number): Estimate {
    const [a, b, na, nb] = this.parts(k);
    return predictive(b, a, nb, na, 1 - prior, this.z);
  }

  benefit(k: number, prior: number, risk: number): Estimate {
    return netBenefit(...this.parts(k), prior, risk, this.z);
  }
}

/** What happens to a thousand people, in whole persons (Gigerenzer's natural frequencies). */
export function inAThousand(sensitivity: number, specificity: number, prevalence: number, n: number): string {
  const even = (v: number) => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v)); // as Python rounds
  const ill = even(n * prevalence);
  const [found, alarms] = [even(ill * sensitivity), even((n - ill) * (1 - specificity))];
  const missed = ill - found;
  return `Of ${n.toLocaleString('en')} people, ${ill} are ill. ${found + alarms} are called positive: ${found} of them rightly, ${alarms} falsely. ` +
    `${missed || 'None'} of the ill ${missed < 2 ? 'is' : 'are'} missed.`;
}

const RULES: [string, string][] = [['youden', 'Youden'], ['sensitivity', 'Sensitivity ≥'], ['specificity', 'Specificity ≥'], ['cost', 'Cost'], ['manual', 'By hand']];
const ROWS: [string, string][] = [['sensitivity', 'Sensitivity'], ['specificity', 'Specificity'], ['ppv', 'PPV'], ['npv', 'NPV'], ['f1', 'F1'], ['accuracy', 'Accuracy']];
const MOST = 500; // corners of a curve on a chart of 200 pixels

function ciBar(e: Estimate): HTMLElement | null {
  if (!isFinite(e.low)) return null;
  const at = (v: number) => 100 * Math.min(Math.max(v, 0), 1);
  const bar = h('i', { style: `left:${at(e.low)}%;width:${at(e.high) - at(e.low)}%` });
  return h('span', { className: 'ci', 'aria-hidden': 'true' }, bar, h('b', { style: `left:${at(e.value)}%` }));
}

export class Classify {
  private readonly spec: Spec;
  private readonly scores: Float64Array;
  private readonly cuts: Float64Array;
  private readonly tables: Table[];
  private readonly sender: Sender;
  private readonly shown: number[];
  private hist!: Chart;
  private roc!: Chart;
  private pr!: Chart;
  private decision: Chart | null = null;
  private readonly charts = h('div', { className: 'charts' });
  private readonly numbers = h('div', { className: 'numbers' });
  private readonly thousand = h('div', { className: 'thousand' });

  constructor(private readonly model: Model) {
    this.spec = model.get('spec') as Spec;
    const all = floats(model.get('data') as DataView);
    const { rows, columns } = this.spec;
    const part = (i: number) => all.subarray(i * rows, (i + 1) * rows);
    [this.scores, this.cuts] = [part(0), part(1)];
    this.tables = this.spec.populations.map((of, j) =>
      new Table(of, Object.fromEntries(columns.map((c, i) => [c, part(2 + j * columns.length + i)])), this.spec.z));
    this.sender = new Sender(model);
    const step = Math.max(1, Math.ceil(rows / MOST));
    this.shown = Array.from({ length: rows }, (_, k) => k).filter(k => k % step === 0 || k === rows - 1);
    this.drawStill();
  }

  get parts(): HTMLElement[] {
    const [no, yes] = this.spec.labels;
    const key = h('div', { className: 'key soft' }, h('span', { className: 'well' }, `${no}   `), h('span', { className: 'ill' }, yes),
      '   Drag in any chart, or use the arrow keys (Page: 20 steps).');
    return [this.charts, key, this.numbers, this.thousand];
  }

  private get prevalence(): number {
    return this.model.get('prevalence') as number;
  }

  private curve(f: (k: number) => number): number[] {
    return this.shown.map(f);
  }

  /** What does not depend on the threshold. */
  private drawStill(): void {
    const { spec } = this;
    const all = this.tables[0];
    const { edges, well, ill } = spec.hist;
    const top = 1.08 * Math.max(...well, ...ill);
    this.hist = new Chart({ title: 'Scores', x: 'score', y: 'share of the class', xlim: [spec.lo, spec.hi], ylim: [0, top] });
    this.hist.begin('still').bars(edges, well, 'well').bars(edges, ill, 'ill');
    this.roc = new Chart({ title: `ROC, AUC ${spec.auc}`, x: '1 − specificity', y: 'sensitivity' });
    const b = spec.bands;
    this.roc.begin('still').line([0, 1], [0, 1], 'dash').band(b.x, b.tpr_low, b.tpr_high);
    this.roc.line(this.curve(k => 1 - all.specificity(k)), this.curve(k => all.sensitivity(k)));
    this.drawPrevalence();
    this.listen(this.hist, x => this.tidy(x), 1);
    this.listen(this.roc, (x, y) => this.nearest(x, y, k => 1 - all.specificity(k), k => all.sensitivity(k)), -1);
  }

  /** What depends on the prevalence: precision and decision curve. */
  drawPrevalence(): void {
    const { spec, prevalence } = this;
    const all = this.tables[0];
    const b = spec.bands;
    const ppv = (se: Numbers, fpr: Numbers) => Array.from(se, (s, i) => (s + fpr[i] > 0 ? (s * prevalence) / (s * prevalence + fpr[i] * (1 - prevalence)) : NaN));
    const pr = new Chart({ title: `Precision–recall at ${percent(prevalence)} ill`, x: 'recall (sensitivity)', y: 'precision (PPV)' });
    pr.begin('still').line([0, 1], [prevalence, prevalence], 'dash').band(b.x, ppv(b.x, b.fpr_high), ppv(b.x, b.fpr_low));
    const [se, fpr] = [this.curve(k => all.sensitivity(k)), this.curve(k => 1 - all.specificity(k))];
    pr.line(se, ppv(se, fpr));
    this.listen(pr, (x, y) => this.nearest(x, y, k => all.sensitivity(k), k => all.ppvAt(k, this.prevalence).value), -1);
    if (this.pr) this.pr.el.replaceWith(pr.el);
    this.pr = pr;
    if (spec.probability) this.drawDecision();
    if (!this.charts.childElementCount) this.charts.append(...[this.hist, this.roc, this.pr, this.decision].filter(c => c !== null).map(c => c.el));
  }

  private drawDecision(): void {
    const { prevalence: prior } = this;
    const all = this.tables[0];
    const ks = this.shown.filter(k => this.cuts[k] < 0.995 && this.cuts[k] >= 0);
    const x = ks.map(k => this.cuts[k]);
    const nb = ks.map(k => all.benefit(k, prior, this.cuts[k]));
    const chart = new Chart({ title: `Decision curve at ${percent(prior)} ill`, x: 'threshold as risk', y: 'net benefit', ylim: [-0.3 * prior, 1.1 * prior] });
    const grid = Array.from({ length: 100 }, (_, i) => i / 100);
    chart.begin('still').line(grid, grid.map(t => prior - ((1 - prior) * t) / (1 - t)), 'grey').line([0, 1], [0, 0], 'dash');
    chart.band(x, nb.map(e => e.low), nb.map(e => e.high)).line(x, nb.map(e => e.value));
    this.listen(chart, t => this.tidy(t), 1);
    if (this.decision) this.decision.el.replaceWith(chart.el);
    this.decision = chart;
  }

  /** A threshold set by the mouse: as round as the chart can tell, but never rounded across a case. */
  private tidy(t: number): number {
    const { lo, hi, rows } = { ...this.spec };
    const digits = Math.max(0, 3 - Math.floor(Math.log10(hi - lo)));
    const round = +t.toFixed(digits);
    if (this.spec.thinned) return this.cuts[rowAt(this.scores, t)];
    return rows > 0 && rowAt(this.scores, round) === rowAt(this.scores, t) ? round : t;
  }

  private nearest(x: number, y: number, fx: (k: number) => number, fy: (k: number) => number): number {
    let [best, least] = [0, Infinity];
    for (let k = 0; k < this.spec.rows; k++) {
      const v = fy(k);
      const d = (fx(k) - x) ** 2 + (isFinite(v) ? (v - y) ** 2 : 1);
      if (d < least) [best, least] = [k, d];
    }
    return this.cuts[best];
  }

  /** `towards`: does the threshold rise (1) or fall (-1) to the right of this chart? */
  private listen(chart: Chart, at: (x: number, y: number) => number, towards: number): void {
    chart.onDrag((x, y) => this.move(at(x, y)), () => this.sender.flush());
    chart.slider('Operating point', (by, toEnd) => {
      const last = this.spec.rows - 1;
      const k = toEnd ? (by * towards > 0 ? 0 : last) : rowAt(this.scores, this.model.get('threshold') as number) - by * towards;
      this.move(this.cuts[Math.min(Math.max(k, 0), last)]);
    });
  }

  private move(t: number): void {
    if (t !== this.model.get('threshold')) this.sender.set({ threshold: t });
  }

  /** Move the mark, and fill in what it means. */
  draw(): void {
    const t = this.model.get('threshold') as number;
    const k = rowAt(this.scores, t);
    const [all, prior, { lo, hi }] = [this.tables[0], this.prevalence, this.spec];
    const [se, sp] = [all.estimate('sensitivity', k), all.estimate('specificity', k)];
    const ppv = all.ppvAt(k, prior);
    this.hist.begin('moving').rule(Math.min(Math.max(t, lo), hi));
    this.roc.begin('moving').line([1 - sp.high, 1 - sp.low], [se.value, se.value], 'cross').line([1 - sp.value, 1 - sp.value], [se.low, se.high], 'cross');
    this.roc.dot(1 - sp.value, se.value);
    this.pr.begin('moving').line([se.value, se.value], [ppv.low, ppv.high], 'cross').dot(se.value, ppv.value);
    if (this.decision) {
      const nb = all.benefit(k, prior, t);
      this.decision.begin('moving').rule(t).line([t, t], [nb.low, nb.high], 'cross').dot(t, nb.value);
    }
    const text = `threshold ${share(t)}, sensitivity ${share(se.value)}, specificity ${share(sp.value)}`;
    for (const c of [this.hist, this.roc, this.pr, this.decision]) c?.says(t, text, lo, hi);
    this.numbers.replaceChildren(this.matrix(k), this.metrics(k, t));
    this.thousand.textContent = inAThousand(se.value, sp.value, prior, prior >= 0.005 ? 1000 : 100_000);
  }

  private matrix(k: number): HTMLElement {
    const { tp, fp, tn, fn } = this.tables[0].count(k);
    const [no, yes] = this.spec.labels;
    const cell = (kind: string, n: number, row: number, word: string, color: string) =>
      h('td', { className: `radnb-${kind}`, style: `background:color-mix(in srgb, var(--${color}) ${(8 + 50 * (row ? n / row : 0)).toFixed(0)}%, transparent) !important` },
        h('b', {}, String(n)), h('small', {}, `${word}, ${row ? Math.round((100 * n) / row) : 0} %`));
    const head = (name: string, n: number) => h('th', { scope: 'row' }, name, h('small', {}, `n = ${n}`));
    const [P, N] = [tp + fn, tn + fp];
    return h('table', { className: 'confusion', 'aria-label': 'Confusion matrix: rows truth, columns call' },
      h('thead', {}, h('tr', {}, h('td', {}), h('th', { scope: 'col' }, `called ${no}`), h('th', { scope: 'col' }, `called ${yes}`))),
      h('tbody', {}, h('tr', {}, head(yes, P), cell('fn', fn, P, 'missed', 'orange'), cell('tp', tp, P, 'found', 'blue')),
        h('tr', {}, head(no, N), cell('tn', tn, N, 'left alone', 'blue'), cell('fp', fp, N, 'false alarm', 'orange'))));
  }

  private metrics(k: number, t: number): HTMLElement {
    const prior = this.prevalence;
    const at = ` at ${percent(prior)} ill`;
    const row = (label: string, name: string, f: (table: Table) => Estimate, bar = true) =>
      h('tr', { 'data-metric': name }, h('th', { scope: 'row' }, label), ...this.tables.map(table => {
        const e = f(table);
        return h('td', {}, interval(e.value, e.low, e.high), bar && ciBar(e));
      }));
    const rows = ROWS.map(([name, label]) => row(label, name, table => table.estimate(name, k)));
    rows.push(row(`PPV${at}`, 'ppv_at', table => table.ppvAt(k, prior)), row(`NPV${at}`, 'npv_at', table => table.npvAt(k, prior)));
    if (this.spec.probability) rows.push(row(`Net benefit${at}`, 'benefit', table => table.benefit(k, prior, t), false));
    const heads = this.tables.map(({ of }) => h('th', { scope: 'col' }, of.name, h('br'),
      h('small', { className: of.flag ? 'flag' : 'soft', title: of.flag }, `${of.flag ? '⚠ ' : ''}${of.P} of ${of.n} ill${of.patients < of.n ? `, ${of.patients} patients` : ''}`)));
    return h('table', { className: 'metrics' }, h('thead', {}, h('tr', {}, h('td', {}), ...heads)), h('tbody', {}, ...rows));
  }

  /** The row of controls. */
  controls(): { el: HTMLElement; fill: () => void } {
    const { model, sender } = this;
    const set = (values: Record<string, unknown>) => {
      sender.set(values);
      sender.flush();
    };
    const number = (trait: string, props: Record<string, unknown>, scale = 1) => numeric(v => set({ [trait]: v }), props, scale);
    const rules = RULES.map(([rule, label]) => h('button', { type: 'button', 'data-rule': rule, onclick: () => set({ rule }) }, label));
    const minimum = number('minimum', { min: 0, max: 1, step: 0.01, 'aria-label': 'at least' });
    const cost = h('label', {}, 'a miss is as bad as', number('cost', { min: 0, 'aria-label': 'false alarms per miss' }), 'false alarms');
    const threshold = number('threshold', { 'aria-label': 'Threshold', className: 'radnb-threshold', style: 'width:190px' });
    const log = (v: number) => Math.log10(v);
    const slider = h('input', { type: 'range', min: log(Math.min(0.001, this.spec.prevalence)), max: log(0.99), step: 0.01, 'aria-label': 'Prevalence',
      oninput: (e: Event) => sender.set({ prevalence: +(10 ** (e.target as HTMLInputElement).valueAsNumber).toPrecision(3) }) });
    const prevalence = number('prevalence', { 'aria-label': 'Prevalence in percent', min: 0, max: 100 }, 100);
    const own = h('button', { type: 'button', title: 'The prevalence of these data', onclick: () => set({ prevalence: this.spec.prevalence }) }, `as here: ${percent(this.spec.prevalence)}`);
    const { questions } = this.spec;
    const classes = h('select', { 'aria-label': 'Class', onchange: (e: Event) => set({ positive: (e.target as HTMLSelectElement).value }) },
      ...questions.map(q => h('option', { value: q }, q)));
    const el = h('div', {},
      h('div', { className: 'row' }, questions.length > 1 && h('label', {}, 'Class', classes), h('span', { className: 'segments', role: 'group', 'aria-label': 'Rule' }, ...rules),
        minimum, cost, h('label', {}, 'Threshold', threshold)),
      h('div', { className: 'row' }, h('label', {}, 'Prevalence where it will be used', slider, prevalence, '%'), own));
    const fill = () => {
      const rule = model.get('rule') as string;
      for (const b of rules) b.setAttribute('aria-pressed', String(b.dataset.rule === rule));
      minimum.style.display = rule === 'sensitivity' || rule === 'specificity' ? '' : 'none';
      cost.style.display = rule === 'cost' ? '' : 'none';
      write(minimum, model.get('minimum') as number);
      write(cost.querySelector('input')!, model.get('cost') as number);
      classes.value = model.get('positive') as string;
      write(threshold, model.get('threshold') as number);
      slider.value = String(log(this.prevalence));
      write(prevalence, 100 * this.prevalence, 3);
    };
    return { el, fill };
  }
}
