// A list of thousands of lines of which only those in sight exist. Headings stay at the top while their series pass below.
import { h } from '../dom';
import type { Item } from './table';

export const HEIGHT = { patient: 34, study: 28, series: 74 };
const SPARE = 300;   // pixels drawn above and below what is seen

export interface Line { el: HTMLElement; kind: Item['kind']; fill(item: Item, index: number): void }

export interface Owner {
  make(kind: Item['kind']): Line;
  seen(items: Item[]): void;                                     // these are in sight
  name: string;
}

export class VirtualList {
  readonly el: HTMLElement;
  items: Item[] = [];
  active = -1;
  private tops = new Float64Array(1);
  private space: HTMLElement;
  private sticky: HTMLElement;
  private lines = new Map<number, Line>();
  private spare: Record<string, Line[]> = { patient: [], study: [], series: [] };
  private pinned: { patient: Line; study: Line };
  private frame = 0;
  private size: ResizeObserver;

  constructor(private owner: Owner) {
    this.pinned = { patient: owner.make('patient'), study: owner.make('study') };
    for (const l of Object.values(this.pinned)) { l.el.removeAttribute('role'); l.el.removeAttribute('id'); }
    this.sticky = h('div', { className: 'rc-sticky', 'aria-hidden': 'true' }, this.pinned.patient.el, this.pinned.study.el);
    this.space = h('div', { className: 'rc-space', role: 'presentation' });
    this.el = h('div', { className: 'rc-list', tabIndex: 0, role: 'tree', 'aria-multiselectable': 'true', 'aria-label': owner.name }, this.sticky, this.space);
    this.el.addEventListener('scroll', () => this.soon(), { passive: true });
    this.size = new ResizeObserver(() => this.soon());
    this.size.observe(this.el);
  }

  /** Show other items; the line at the top stays where it is if it is still there. */
  set(items: Item[]): void {
    this.items = items;
    this.tops = new Float64Array(items.length + 1);
    for (let i = 0; i < items.length; i++) this.tops[i + 1] = this.tops[i] + HEIGHT[items[i].kind];
    this.space.style.height = `${this.tops[items.length]}px`;
    if (this.active >= items.length) this.active = items.length - 1;
    for (const [i, line] of this.lines) this.drop(i, line);
    this.draw();
  }

  /** Fill the lines in sight again. */
  refresh(): void {
    for (const [i, line] of this.lines) line.fill(this.items[i], i);
    this.pin();
  }

  lineOf(row: number): Line | undefined {
    for (const [i, line] of this.lines) if (line.kind === 'series' && this.items[i].row === row) return line;
    return undefined;
  }

  /** Make a line the active one and bring it into sight, below the headings. */
  go(i: number): void {
    this.active = Math.max(0, Math.min(i, this.items.length - 1));
    const top = this.tops[this.active];
    const above = this.above(this.items[this.active]);
    if (top - above < this.el.scrollTop) this.el.scrollTop = Math.max(0, top - above);
    else if (this.tops[this.active + 1] > this.el.scrollTop + this.el.clientHeight) this.el.scrollTop = this.tops[this.active + 1] - this.el.clientHeight;
    this.draw();
    this.refresh();
    this.el.setAttribute('aria-activedescendant', this.lines.get(this.active)?.el.id ?? '');
  }

  /** How many lines a page holds. */
  get page(): number { return Math.max(1, Math.floor(this.el.clientHeight / HEIGHT.series) - 1); }

  scrollTo(i: number): void { this.el.scrollTop = this.tops[i]; }
  dispose(): void { this.size.disconnect(); cancelAnimationFrame(this.frame); }

  private above(item: Item): number {
    let sum = 0;
    for (let p = item?.parent ?? -1; p >= 0; p = this.items[p].parent) sum += HEIGHT[this.items[p].kind];
    return sum;
  }

  private soon(): void {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  /** The item at a height of the list. */
  private at(y: number): number {
    let lo = 0, hi = this.items.length - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (this.tops[mid] <= y) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  }

  private draw(): void {
    const t = this.el.scrollTop, height = this.el.clientHeight;
    if (!this.items.length || !height) { for (const [i, line] of this.lines) this.drop(i, line); this.pin(); return; }
    const first = this.at(Math.max(0, t - SPARE)), last = this.at(t + height + SPARE);
    for (const [i, line] of this.lines) if (i < first || i > last) this.drop(i, line);
    const before: HTMLElement[] = [], after: HTMLElement[] = [];      // in the page's order too, for those who hear it read
    const kept = Math.min(...this.lines.keys());
    for (let i = first; i <= last; i++) if (!this.lines.has(i)) (i < kept ? before : after).push(this.line(i));
    if (kept === Infinity) this.space.append(...before);
    else { if (before.length) this.space.prepend(...before); if (after.length) this.space.append(...after); }
    this.pin();
    this.owner.seen(this.items.slice(this.at(t), this.at(t + height) + 1));
  }

  private line(i: number): HTMLElement {
    const { kind } = this.items[i];
    const line = this.spare[kind].pop() ?? this.owner.make(kind);
    line.el.style.transform = `translateY(${this.tops[i]}px)`;
    line.fill(this.items[i], i);
    this.lines.set(i, line);
    return line.el;
  }

  private drop(i: number, line: Line): void {
    line.el.remove();
    this.lines.delete(i);
    this.spare[line.kind].push(line);
  }

  /** The headings of the series at the top stay in sight; the next one pushes them out. */
  private pin(): void {
    const t = this.el.scrollTop;
    const patient = this.items.length ? this.heading('patient', this.at(t)) : -1;
    const below = patient < 0 ? 0 : HEIGHT.patient;
    let study = this.items.length ? this.heading('study', this.at(t + below)) : -1;
    if (study >= 0 && patient >= 0 && this.items[study].parent !== patient) study = -1;
    let end = Infinity;
    for (const [kind, i] of [['patient', patient], ['study', study]] as const) {
      const el = this.pinned[kind].el;
      const shown = i >= 0 && this.tops[i] < t + (kind === 'study' ? below : 0);
      el.style.display = shown ? '' : 'none';
      if (!shown) continue;
      this.pinned[kind].fill(this.items[i], i);
      end = Math.min(end, this.tops[this.items[i].end] - t - (kind === 'study' ? below : 0) - HEIGHT[kind]);
    }
    this.sticky.style.transform = `translateY(${Math.min(0, end)}px)`;
  }

  private heading(kind: Item['kind'], i: number): number {
    while (i >= 0 && this.items[i].kind !== kind) i = this.items[i].parent;
    return i;
  }
}
