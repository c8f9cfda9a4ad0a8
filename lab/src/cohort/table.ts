// The table of series as the kernel sends it once: every column as its different values, in their order, and one code a row. A question is answered here, in
// the browser, in the time between two frames; the kernel answers the same question for `.found` with the same codes.

export interface ColumnSpec { name: string; label: string; values: string[]; searched?: boolean; hidden?: boolean }
export interface Spec { n: number; columns: ColumnSpec[]; facets: ColumnSpec[]; extras: string[] }
export interface Column extends ColumnSpec { codes: Int32Array }
export interface Query { search: string; filters: Record<string, unknown>; sort: string; descending: boolean }

/** What a facet calls a value that no header states. */
export const MISSING = 'not stated';

const list = (v: unknown): string[] => (Array.isArray(v) ? v : [v]).map(x => (x === null || x === undefined ? MISSING : String(x)));

export class Table {
  readonly n: number;
  readonly columns: Column[];
  readonly facets: Column[];
  readonly extras: string[];
  private named: Map<string, Column>;
  private facet: Map<string, Column>;
  private hay?: string[];

  constructor(spec: Spec, codes: DataView) {
    this.n = spec.n;
    const all = new Int32Array(codes.buffer.slice(codes.byteOffset, codes.byteOffset + codes.byteLength));
    const cut = (c: ColumnSpec, i: number): Column => ({ ...c, codes: all.subarray(i * spec.n, (i + 1) * spec.n) });
    this.columns = spec.columns.map(cut);
    this.facets = spec.facets.map((c, i) => cut(c, i + spec.columns.length));
    this.extras = spec.extras;
    this.named = new Map(this.columns.map(c => [c.name, c]));
    this.facet = new Map(this.facets.map(c => [c.name, c]));
  }

  has(name: string): boolean { return this.named.has(name); }
  label(name: string): string { return this.named.get(name)?.label ?? name; }

  /** The words of a cell; '' where nothing is stated. */
  text(name: string, row: number): string {
    const c = this.named.get(name);
    return c ? c.values[c.codes[row]] ?? '' : '';
  }

  code(name: string, row: number): number { return this.named.get(name)?.codes[row] ?? -1; }

  /** Positions of the rows asked for, in the order asked for; without the filter on the column `except`. */
  find(q: Query, except?: string): Int32Array {
    const tests = Object.entries(q.filters).filter(([name]) => name !== except).map(([name, v]) => this.filter(name, list(v)));
    const words = q.search.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) tests.push(row => words.every(w => this.haystack[row].includes(w)));
    const rows: number[] = [];
    for (let r = 0; r < this.n; r++) if (tests.every(t => t(r))) rows.push(r);
    return this.sorted(Int32Array.from(rows), q);
  }

  /** How often each value of a facet occurs in `rows`, and last how often none is stated. */
  counts(facet: Column, rows: Int32Array): Int32Array {
    const n = new Int32Array(facet.values.length + 1);
    for (const r of rows) n[facet.codes[r] < 0 ? facet.values.length : facet.codes[r]]++;
    return n;
  }

  private filter(name: string, wanted: string[]): (row: number) => boolean {
    const parts = [this.facet.get(name), this.named.get(name)].filter(c => c !== undefined).map(c => {
      const codes = new Set(wanted.map(w => (w === MISSING ? -1 : c.values.indexOf(w))).filter((code, i) => code >= 0 || wanted[i] === MISSING));
      return (row: number) => codes.has(c.codes[row]);
    });
    return row => parts.some(p => p(row));
  }

  private sorted(rows: Int32Array, q: Query): Int32Array {
    const codes = this.named.get(q.sort)?.codes;
    if (!codes) return q.descending ? rows.reverse() : rows;
    const sign = q.descending ? -1 : 1;
    const last = 2 ** 31;
    const rank = (r: number) => (codes[r] < 0 ? last : sign * codes[r]);
    return rows.sort((a, b) => rank(a) - rank(b) || a - b);
  }

  private get haystack(): string[] {
    if (this.hay) return this.hay;
    const parts = this.columns.filter(c => c.searched).map(c => ({ codes: c.codes, words: c.values.map(v => searchable(v)) }));
    this.hay = Array.from({ length: this.n }, (_, r) => parts.map(p => p.words[p.codes[r]] ?? '').join(' '));
    return this.hay;
  }
}

/** A date is found as 2019-05 and as 201905. */
function searchable(v: string): string {
  return (/^\d{4}-\d\d-\d\d$/.test(v) ? `${v} ${v.replace(/-/g, '')}` : v).toLowerCase();
}

export interface Item {
  kind: 'patient' | 'study' | 'series';
  row: number;        // the first of its series
  rows: number[];     // all series below it that were found
  key: string;        // of a heading, for folding
  level: number;      // 1 is outermost
  parent: number;     // item of the heading above, or -1
  end: number;        // one after the last item below it
}

const HEADINGS = { patient: ['PatientID', 'StudyInstanceUID'], study: ['StudyInstanceUID'], series: [] } as Record<string, string[]>;

/** The lines of the list: headings and series, without what lies folded below a closed heading. */
export function tree(table: Table, found: Int32Array, level: string, closed: Set<string>): Item[] {
  const out: Item[] = [];
  const add = (rows: ArrayLike<number>, columns: string[], key: string, depth: number, parent: number): void => {
    if (!columns.length) {
      for (let i = 0; i < rows.length; i++) out.push({ kind: 'series', row: rows[i], rows: [rows[i]], key: '', level: depth, parent, end: out.length + 1 });
      return;
    }
    for (const [code, mine] of groups(table, rows, columns[0])) {
      const kind = columns[0] === 'PatientID' ? 'patient' : 'study';
      const item: Item = { kind, row: mine[0], rows: mine, key: `${key}${kind[0]}${code}`, level: depth, parent, end: 0 };
      out.push(item);
      if (!closed.has(item.key)) add(mine, columns.slice(1), item.key, depth + 1, out.length - 1);
      item.end = out.length;
    }
  };
  add(found, HEADINGS[level] ?? [], '', 1, -1);
  return out;
}

/** The outermost headings. */
export function headings(table: Table, found: Int32Array, level: string): string[] {
  return tree(table, found, level, new Set()).filter(i => i.kind !== 'series' && i.level === 1).map(i => i.key);
}

function groups(table: Table, rows: ArrayLike<number>, column: string): Map<number, number[]> {
  const by = new Map<number, number[]>();
  for (let i = 0; i < rows.length; i++) {
    const code = table.code(column, rows[i]);
    const mine = by.get(code);
    if (mine) mine.push(rows[i]);
    else by.set(code, [rows[i]]);
  }
  return by;
}

/** 3 CT, 2 MR */
export function tally(table: Table, rows: number[], column: string): string {
  const n = new Map<string, number>();
  for (const r of rows) { const v = table.text(column, r) || MISSING; n.set(v, (n.get(v) ?? 0) + 1); }
  return [...n].sort((a, b) => b[1] - a[1]).map(([v, k]) => `${k} ${v}`).join(', ');
}

export function plural(n: number, word: string): string {
  if (word === 'series') return `${count(n)} series`;
  return n === 1 ? `1 ${word}` : `${count(n)} ${word === 'study' ? 'studies' : word + 's'}`;
}

/** 5000 as 5,000, the same in every browser. */
export function count(n: number): string { return String(n).replace(/\B(?=(\d{3})+$)/g, ','); }
