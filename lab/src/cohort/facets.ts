// Small bar charts of the columns by which people sort out a cohort. A bar is a button: it filters by its value, and the other charts follow.
import { h } from '../dom';
import { count, MISSING } from './table';
import type { Column, Query, Table } from './table';

const FIRST = 7;   // bars shown before "more"

export class Facets {
  readonly el = h('div', { className: 'rc-facets', role: 'group', 'aria-label': 'Filters' });
  private open = new Set<string>();

  constructor(private table: Table, private choose: (column: string, values: string[]) => void) {}

  show(q: Query): void {
    const kept = this.el.scrollTop, focused = (document.activeElement as HTMLElement | null)?.dataset?.bar;
    this.el.replaceChildren(...this.table.facets.map(f => this.chart(f, q)));
    this.el.scrollTop = kept;
    if (focused) this.el.querySelector<HTMLElement>(`[data-bar="${CSS.escape(focused)}"]`)?.focus();
  }

  private chart(f: Column, q: Query): HTMLElement {
    const wanted = chosen(q.filters[f.name]);
    const n = this.table.counts(f, this.table.find({ ...q, sort: '', descending: false }, f.name));
    const bars = [...f.values, MISSING].map((value, i) => ({ value, n: n[i] })).filter(b => b.n > 0 || wanted.includes(b.value));
    const largest = Math.max(1, ...bars.map(b => b.n));
    const all = this.open.has(f.name) || bars.length <= FIRST + 1;
    const shown = bars.filter((b, i) => all || i < FIRST || wanted.includes(b.value));
    return h('section', {},
      h('h4', {}, f.label, wanted.length > 0 && h('button', { className: 'rc-link', onclick: () => this.choose(f.name, []) }, 'clear')),
      ...shown.map(b => this.bar(f, b.value, b.n, largest, wanted)),
      !all && h('button', { className: 'rc-link', onclick: () => { this.open.add(f.name); this.show(q); } }, `${bars.length - shown.length} more`));
  }

  private bar(f: Column, value: string, n: number, largest: number, wanted: string[]): HTMLElement {
    const on = wanted.includes(value);
    const toggle = () => this.choose(f.name, on ? wanted.filter(v => v !== value) : [...wanted, value]);
    return h('button', { className: `rc-bar${on ? ' rc-on' : ''}${value === MISSING ? ' rc-missing' : ''}`, 'aria-pressed': String(on), title: `${value}: ${plainly(n)}`,
      'data-bar': `${f.name} ${value}`, onclick: toggle },
    h('span', { className: 'rc-fill', style: `width:${(100 * n) / largest}%` }), h('span', { className: 'rc-word' }, value), h('span', { className: 'rc-n' }, count(n)));
  }
}

const plainly = (n: number) => `${count(n)} series`;

export function chosen(filter: unknown): string[] {
  if (filter === undefined) return [];
  return (Array.isArray(filter) ? filter : [filter]).map(v => (v === null ? MISSING : String(v)));
}
