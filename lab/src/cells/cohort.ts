// The browser's side of `cohort`: search, charts that filter, and a list of patients, studies and series of which only the lines in sight exist.
import { h } from '../dom';
import { Detail } from '../cohort/detail';
import { Facets } from '../cohort/facets';
import { VirtualList } from '../cohort/list';
import type { Line, Owner } from '../cohort/list';
import { CSS } from '../cohort/style';
import { count, headings, plural, Table, tally, tree } from '../cohort/table';
import type { Item, Query, Spec } from '../cohort/table';
import { Thumbs } from '../cohort/thumbs';

interface State { spec: Spec; codes: DataView; search: string; filters: Record<string, unknown>; sort: string; descending: boolean; level: string; picked: number[]; closed: string[]; height: number }
interface Model {
  get<K extends keyof State>(key: K): State[K];
  set<K extends keyof State>(key: K, value: State[K]): void;
  save_changes(): void;
  send(content: object): void;
  on(event: string, callback: (...args: any[]) => void): void;
  off(event: string, callback: (...args: any[]) => void): void;
}

const HEAD = [['', 'Series', 'SeriesDescription'], ['date', 'Date', 'StudyDate'], ['scanner', 'Scanner', 'Manufacturer'], ['plane', 'Plane', 'orientation'],
  ['verdict', 'Verdict', 'verdict']];

let views = 0;

class Browser implements Owner {
  readonly name = 'Patients, studies and series';
  readonly el: HTMLElement;
  private table: Table;
  private list: VirtualList;
  private facets: Facets;
  private thumbs: Thumbs;
  private detail: Detail;
  private found: Int32Array = new Int32Array(0);
  private picked: Set<number>;
  private closed: Set<string>;
  private anchor = -1;
  private waiting = 0;
  private timers: number[] = [];
  private id = `rc${++views}`;
  private search = h('input', { type: 'search', placeholder: 'Search: id, description, date, scanner …', 'aria-label': 'Search' });
  private levels = h('span', { className: 'rc-level', role: 'group', 'aria-label': 'Group by' });
  private sorts = h('select', { 'aria-label': 'Sort by' });
  private down = h('button', { className: 'rc-button', 'aria-label': 'Descending', title: 'Descending' }, '↓');
  private head = h('div', { className: 'rc-head', role: 'presentation' });
  private status = h('div', { className: 'rc-status', role: 'status', 'aria-live': 'polite' });
  private empty = h('div', { className: 'rc-empty' }, 'Nothing matches. Take a filter or a word of the search away.');

  constructor(private model: Model) {
    this.table = new Table(model.get('spec'), model.get('codes'));
    this.picked = new Set(model.get('picked'));
    this.closed = new Set(model.get('closed'));
    this.thumbs = new Thumbs(c => model.send(c), row => this.pictured(row), since => this.wait(since));
    this.detail = new Detail(this.table, c => model.send(c), () => this.list.el.focus());
    this.facets = new Facets(this.table, (column, values) => this.choose(column, values));
    this.list = new VirtualList(this);
    const body = h('div', { className: 'rc-body', style: `height:${model.get('height')}px` }, this.facets.el,
      h('div', { className: 'rc-right' }, this.head, this.empty, this.list.el), this.detail.el);
    this.el = h('div', { className: 'rc', 'data-lm-suppress-shortcuts': 'true' }, h('style', { textContent: CSS }), this.toolbar(), body, this.bottom());
    this.list.el.addEventListener('click', e => this.click(e));
    this.list.el.addEventListener('dblclick', e => { const i = this.indexOf(e.target); if (i >= 0 && this.list.items[i].kind === 'series') this.detail.show(this.list.items[i].row); });
    this.list.el.addEventListener('keydown', e => this.key(e));
    this.size.observe(this.el);
    this.ask();
  }

  /** The headings of the columns stand above their columns, scroll bar or not; in a narrow cell the charts wait behind their button. */
  private size = new ResizeObserver(() => {
    this.head.style.paddingRight = `${8 + this.list.el.offsetWidth - this.list.el.clientWidth}px`;
    const narrow = this.el.clientWidth > 0 && this.el.clientWidth < 600;
    if (narrow !== this.narrow) this.facets.el.hidden = this.narrow = narrow;
  });
  private narrow = false;

  // What the kernel says

  listen(): () => void {
    const events: [string, (...args: any[]) => void][] = [
      ...['search', 'filters', 'sort', 'descending', 'level'].map(k => [`change:${k}`, () => this.ask()] as [string, () => void]),
      ['change:picked', () => { this.picked = new Set(this.model.get('picked')); this.list.refresh(); this.say(); }],
      ['change:closed', () => { this.closed = new Set(this.model.get('closed')); this.fold(); }],
      ['msg:custom', (msg: any, buffers: DataView[]) => this.hear(msg, buffers)]
    ];
    for (const [name, f] of events) this.model.on(name, f);
    return () => {
      for (const [name, f] of events) this.model.off(name, f);
      this.thumbs.dispose(); this.detail.dispose(); this.list.dispose(); this.size.disconnect();
      this.timers.forEach(clearTimeout);
    };
  }

  private hear(msg: any, buffers: DataView[]): void {
    if (msg.kind === 'thumb') this.thumbs.hear(msg, buffers?.[0]);
    else if (msg.kind === 'done') this.thumbs.done();
    else if (msg.kind === 'detail') this.detail.hear(msg, buffers?.[0]);
  }

  /** After two seconds without an answer, say what is going on. */
  private wait(since: number): void {
    this.waiting = 0;
    clearTimeout(this.timers[1]);
    if (since) this.timers[1] = window.setTimeout(() => { this.waiting = since; this.say(); }, 2000);
    else this.say();
  }

  private query(): Query {
    const m = this.model;
    return { search: m.get('search'), filters: m.get('filters'), sort: m.get('sort'), descending: m.get('descending') };
  }

  /** Another question: find, and show the answer from its beginning. */
  private ask(): void {
    const q = this.query();
    if (document.activeElement !== this.search) this.search.value = q.search;
    this.found = this.table.find(q);
    this.controls(q);
    this.facets.show(q);
    this.list.el.scrollTop = 0;
    this.anchor = -1;
    this.fold();
  }

  private fold(): void {
    this.list.set(tree(this.table, this.found, this.model.get('level'), this.closed));
    this.empty.style.display = this.found.length ? 'none' : '';
    this.list.el.style.display = this.found.length ? '' : 'none';
    this.say();
  }

  // What the user does

  private tell<K extends keyof State>(key: K, value: State[K]): void {
    this.model.set(key, value);
    this.model.save_changes();
  }

  private choose(column: string, values: string[]): void {
    const { [column]: _, ...others } = this.model.get('filters');
    this.tell('filters', values.length ? { ...others, [column]: values } : others);
  }

  private pick(rows: Iterable<number>, on: boolean): void {
    for (const r of rows) { if (on) this.picked.add(r); else this.picked.delete(r); }
    this.tell('picked', [...this.picked].sort((a, b) => a - b));
  }

  private toggle(i: number): void {
    const { rows } = this.list.items[i];
    this.pick(rows, !rows.every(r => this.picked.has(r)));
    this.anchor = i;
  }

  /** All series between the line picked last and this one. An open heading stands for none: those in sight have lines of their own. */
  private range(i: number): void {
    if (this.anchor < 0) { this.toggle(i); return; }
    const [a, b] = [Math.min(i, this.anchor), Math.max(i, this.anchor)];
    const lines = this.list.items.slice(a, b + 1).filter(o => o.kind === 'series' || this.closed.has(o.key));
    this.pick(lines.flatMap(o => o.rows), true);
  }

  private unfold(i: number, open: boolean): void {
    const { key } = this.list.items[i];
    if (open === !this.closed.has(key)) return;
    if (open) this.closed.delete(key);
    else this.closed.add(key);
    this.anchor = -1;
    this.tell('closed', [...this.closed]);
    this.fold();
  }

  private indexOf(target: EventTarget | null): number {
    const line = (target as HTMLElement | null)?.closest<HTMLElement>('[data-i]');
    return line ? Number(line.dataset.i) : -1;
  }

  private click(e: MouseEvent): void {
    const i = this.indexOf(e.target), target = e.target as HTMLElement;
    if (i < 0) return;
    const item = this.list.items[i], heading = item.kind !== 'series';
    if (target.closest('.rc-info')) { this.detail.show(item.row); this.detail.el.focus(); return; }
    this.list.active = i;
    if (heading && !target.closest('.rc-tick')) {
      if (target.closest('.rc-sticky')) this.list.scrollTo(i);
      this.unfold(i, this.closed.has(item.key));
    } else if (e.shiftKey) this.range(i);
    else this.toggle(i);
    this.list.refresh();
  }

  private key(e: KeyboardEvent): void {
    const { list } = this, i = list.active, item = list.items[i];
    const heading = item && item.kind !== 'series';
    const moves: Record<string, () => number> = { ArrowDown: () => i + 1, ArrowUp: () => i - 1, PageDown: () => i + list.page, PageUp: () => i - list.page,
      Home: () => 0, End: () => list.items.length - 1 };
    if (e.key in moves) {
      if (e.shiftKey && this.anchor < 0) this.anchor = Math.max(i, 0);
      list.go(moves[e.key]());
      if (e.shiftKey) this.range(list.active);
    } else if (e.key === 'a' && (e.ctrlKey || e.metaKey)) this.pick(this.found, true);
    else if (!item) return;
    else if (e.key === ' ') this.toggle(i);
    else if (e.key === 'Enter') { if (heading) this.unfold(i, this.closed.has(item.key)); else { this.detail.show(item.row); this.detail.el.focus(); } }
    else if (e.key === 'ArrowRight' && heading) { if (this.closed.has(item.key)) this.unfold(i, true); else list.go(i + 1); }
    else if (e.key === 'ArrowLeft' && heading && !this.closed.has(item.key)) this.unfold(i, false);
    else if (e.key === 'ArrowLeft' && item.parent >= 0) list.go(item.parent);
    else if (e.key === 'Escape') this.detail.hide();
    else return;
    e.preventDefault();
    list.refresh();
  }

  // The parts

  private toolbar(): HTMLElement {
    const wait = () => { clearTimeout(this.timers[0]); this.timers[0] = window.setTimeout(() => this.tell('search', this.search.value), 120); };
    this.search.addEventListener('input', wait);
    this.levels.append(...[['patient', 'Patients'], ['study', 'Studies'], ['series', 'Series']].map(([level, word]) =>
      h('button', { className: 'rc-button', 'data-level': level, onclick: () => this.tell('level', level) }, word)));
    const shown = this.table.columns.filter(c => !c.hidden);
    this.sorts.append(h('option', { value: '' }, 'Sort: as in the table'), ...shown.map(c => h('option', { value: c.name }, `Sort: ${c.label}`)));
    this.sorts.addEventListener('change', () => this.tell('sort', this.sorts.value));
    this.down.addEventListener('click', () => this.tell('descending', !this.model.get('descending')));
    const foldAll = (on: boolean) => { this.closed = new Set(on ? headings(this.table, this.found, this.model.get('level')) : []); this.tell('closed', [...this.closed]); this.fold(); };
    return h('div', { className: 'rc-top' },
      h('button', { className: 'rc-button', onclick: () => { this.facets.el.hidden = !this.facets.el.hidden; } }, 'Filters'), this.search, this.levels,
      h('button', { className: 'rc-button', title: 'Close all headings', 'aria-label': 'Close all headings', onclick: () => foldAll(true) }, '⊟'),
      h('button', { className: 'rc-button', title: 'Open all headings', 'aria-label': 'Open all headings', onclick: () => foldAll(false) }, '⊞'), this.sorts, this.down);
  }

  private controls(q: Query): void {
    for (const b of this.levels.children) b.setAttribute('aria-pressed', String((b as HTMLElement).dataset.level === this.model.get('level')));
    this.sorts.value = q.sort;
    this.down.setAttribute('aria-pressed', String(q.descending));
    this.head.replaceChildren(h('span', {}), h('span', {}), ...HEAD.map(([cls, word, column]) => this.heading(cls, word, column, q)), h('span', {}));
  }

  private heading(cls: string, word: string, column: string, q: Query): HTMLElement {
    const on = q.sort === column;
    const sort = () => { this.model.set('descending', on && !q.descending); this.tell('sort', column); };
    return h('button', { className: cls && `rc-c-${cls}`, title: `Sort by ${this.table.label(column)}`, 'data-on': on ? '1' : undefined, disabled: !this.table.has(column), onclick: sort },
      word + (on ? (q.descending ? ' ↓' : ' ↑') : ''));
  }

  private bottom(): HTMLElement {
    return h('div', { className: 'rc-bottom' }, this.status,
      h('button', { className: 'rc-button', onclick: () => this.pick(this.found, true) }, 'Select all found'),
      h('button', { className: 'rc-button', onclick: () => this.pick([...this.picked], false) }, 'Clear selection'));
  }

  private say(): void {
    const patients = new Set<number>();
    for (const r of this.found) patients.add(this.table.code('PatientID', r));
    const n = this.found.length === this.table.n ? plural(this.table.n, 'series') : `${count(this.found.length)} of ${plural(this.table.n, 'series')} found`;
    this.status.replaceChildren(`${n} · ${plural(patients.size, 'patient')} · `, h('b', {}, `${count(this.picked.size)} selected`),
      this.waiting ? ' · the kernel is busy, pictures follow' : '');
  }

  // Lines

  make(kind: Item['kind']): Line { return kind === 'series' ? this.seriesLine() : this.headingLine(kind); }

  private mark(el: HTMLElement, item: Item, i: number): void {
    const n = item.rows.reduce((k, r) => k + Number(this.picked.has(r)), 0);
    el.dataset.i = String(i);
    el.id = `${this.id}-${i}`;
    el.setAttribute('aria-level', String(item.level));
    el.setAttribute('aria-selected', String(n === item.rows.length));
    el.classList.toggle('rc-some', n > 0 && n < item.rows.length);
    el.classList.toggle('rc-active', i === this.list.active);
  }

  private headingLine(kind: 'patient' | 'study'): Line {
    const fold = h('button', { className: 'rc-fold', tabIndex: -1, 'aria-hidden': 'true' }), first = h('b', {}), rest = h('span', {});
    const el = h('div', { className: `rc-line rc-${kind}`, role: 'treeitem' }, fold, h('div', { className: 'rc-tick' }), h('div', { className: 'rc-words' }, first, rest));
    const fill = (item: Item, i: number) => {
      const open = !this.closed.has(item.key);
      fold.textContent = open ? '▼' : '▶';
      const [a, b] = this.words(item);
      first.textContent = a;
      rest.textContent = b && ` · ${b}`;
      el.setAttribute('aria-expanded', String(open));
      this.mark(el, item, i);
    };
    return { el, kind, fill };
  }

  private words(item: Item): [string, string] {
    const t = (name: string) => this.table.text(name, item.row);
    const id = t('PatientID') || 'no patient ID', inside = `${plural(item.rows.length, 'series')}: ${tally(this.table, item.rows, 'Modality')}`;
    if (item.kind === 'patient') {
      const studies = new Set(item.rows.map(r => this.table.code('StudyInstanceUID', r))).size;
      return [id, join([t('PatientSex'), t('PatientAge'), t('InstitutionName'), `${plural(studies, 'study')}, ${inside}`])];
    }
    const who = item.level === 1 ? [id, t('PatientSex'), t('PatientAge')] : [];
    return [t('StudyDate') || 'no date', join([...who, t('StudyDescription'), inside])];
  }

  private seriesLine(): Line {
    const thumb = h('div', { className: 'rc-thumb' }), title = h('div', { className: 'rc-title' });
    const subs = [h('div', { className: 'rc-sub' }), h('div', { className: 'rc-sub' })];
    const cells = ['date', 'scanner', 'plane', 'verdict'].map(c => h('div', { className: `rc-cell rc-c-${c}` }));
    const el = h('div', { className: 'rc-line rc-series', role: 'treeitem' }, h('div', { className: 'rc-tick' }), thumb, h('div', { style: 'min-width:0' }, title, ...subs), ...cells,
      h('button', { className: 'rc-info', tabIndex: -1, title: 'All that is known of this series (Enter)', 'aria-label': 'Details' }, 'i'));
    const fill = (item: Item, i: number) => {
      const r = item.row, t = (name: string) => this.table.text(name, r);
      const who = item.level === 1 ? t('PatientID') || 'no patient ID' : '';
      title.textContent = join([t('Modality'), t('SeriesDescription') || 'no description', t('part')]);
      title.title = title.textContent;
      subs[0].textContent = join([who, t('shape'), t('spacing')]);
      subs[1].textContent = join([t('dimension') && `4D: ${t('dimension')}`, plural(Number(t('n_files') || 1), 'file'), ...this.table.extras.filter(e => t(e)).map(e => `${e} ${t(e)}`)]);
      for (const s of subs) s.title = s.textContent ?? '';
      const words = [t('StudyDate'), join([t('Manufacturer'), t('ManufacturerModelName')]), t('orientation'), t('verdict')];
      words.forEach((w, k) => { cells[k].textContent = w || 'not stated'; cells[k].classList.toggle('rc-none', !w); cells[k].title = w; });
      const bad = t('action').startsWith('raises');
      cells[3].classList.toggle('rc-bad', bad);
      if (bad) cells[3].textContent = `⚠ ${words[3]}`;
      this.show(thumb, r);
      this.mark(el, item, i);
    };
    return { el, kind: 'series', fill };
  }

  private show(thumb: HTMLElement, row: number): void {
    const p = this.thumbs.get(row);
    thumb.title = p?.tip ?? '';
    if (p?.url) thumb.replaceChildren(h('img', { src: p.url, alt: 'middle slice', draggable: false }));
    else thumb.replaceChildren(p ? p.why ?? '' : '…');
  }

  private pictured(row: number): void {
    const thumb = this.list.lineOf(row)?.el.querySelector<HTMLElement>('.rc-thumb');
    if (thumb) this.show(thumb, row);
  }

  seen(items: Item[]): void { this.thumbs.want(items.filter(i => i.kind === 'series').map(i => i.row)); }
}

const join = (parts: string[]) => parts.filter(Boolean).join(' · ');

/** Is the page dark? JupyterLab says so on its body; elsewhere the background does. */
function isDark(el: HTMLElement): boolean {
  if (document.body.dataset.jpThemeLight) return document.body.dataset.jpThemeLight === 'false';
  const [r, g, b] = (getComputedStyle(el).color.match(/\d+/g) ?? ['0', '0', '0']).map(Number);
  return r + g + b > 384;
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const browser = new Browser(model);
    el.append(browser.el);
    const theme = () => browser.el.classList.toggle('rc-dark', isDark(el));
    const watch = new MutationObserver(theme);
    watch.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name'] });
    theme();
    const deaf = browser.listen();
    return () => { watch.disconnect(); deaf(); };
  }
};

