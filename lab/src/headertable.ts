// The header beside the picture: searchable, to be copied.
import type { TranslationBundle } from '@jupyterlab/translation';
import { h } from './dom';
import { Header, header, HeaderRow, Query, Trouble } from './server';

const SHOWN = 500; // rows in the page at a time

export class HeaderTable {
  readonly node: HTMLElement;
  private search: HTMLInputElement;
  private body = h('tbody');
  private count = h('span', { className: 'radnb-Small', role: 'status' });
  private which = h('span', { className: 'radnb-Which' });
  private known?: Header;
  private asked = 0;

  constructor(
    readonly query: Query,
    readonly trans: TranslationBundle,
    private i = 0
  ) {
    const t = trans;
    this.search = h('input', { type: 'search', className: 'jp-mod-styled', placeholder: t.__('Search: tag, keyword, value'), 'aria-label': t.__('Search the header') });
    this.search.addEventListener('input', () => this.show());
    const copy = h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', title: t.__('Copy the rows found, as a table'), onclick: () => this.copy() }, t.__('Copy'));
    const heads = [t.__('Tag'), t.__('Keyword'), 'VR', t.__('Value')].map(n => h('th', { scope: 'col' }, n));
    this.node = h(
      'section',
      { className: 'radnb-Header', 'aria-label': t.__('Header') },
      h('div', { className: 'radnb-HeaderBar' }, this.search, copy),
      h('div', { className: 'radnb-HeaderBar' }, this.which, this.count),
      h('div', { className: 'radnb-Scroll', tabIndex: 0 }, h('table', {}, h('thead', {}, h('tr', {}, ...heads)), this.body))
    );
    this.node.append(this.divider());
    void this.load(this.i);
  }

  /** The line between picture and header: dragged, or moved with the arrow keys. */
  private divider(): HTMLElement {
    const line = h('div', { className: 'radnb-Divider', role: 'separator', tabIndex: 0, 'aria-orientation': 'vertical', 'aria-label': this.trans.__('Width of the header') });
    const widen = (by: number) => {
      const panel = this.node.parentElement!;
      const width = Math.min(Math.max(this.node.offsetWidth + by, 220), panel.offsetWidth - 220);
      panel.style.setProperty('--radnb-header', `${width}px`);
    };
    line.addEventListener('pointerdown', e => {
      line.setPointerCapture(e.pointerId);
      e.preventDefault();
    });
    line.addEventListener('pointermove', e => line.hasPointerCapture(e.pointerId) && widen(this.node.getBoundingClientRect().left - e.clientX));
    line.addEventListener('keydown', e => {
      const by = { ArrowLeft: 30, ArrowRight: -30 }[e.key];
      if (by) widen(by), e.preventDefault();
    });
    return line;
  }

  focus(): void {
    this.search.focus();
  }

  private async load(i: number): Promise<void> {
    const turn = ++this.asked;
    try {
      const known = await header({ ...this.query, i });
      if (turn !== this.asked) return;
      [this.known, this.i] = [known, i];
      this.files();
      this.show();
    } catch (e) {
      this.body.replaceChildren(h('tr', {}, h('td', { colSpan: 4 }, [(e as Trouble).message, (e as Trouble).remedy].filter(Boolean).join(' '))));
    }
  }

  /** Which of the files this is, and the way to the others. */
  private files(): void {
    const { file, i, n } = this.known!;
    const name = file.split('/').pop()!;
    const go = (to: number, text: string, title: string) =>
      h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', title, disabled: to < 0 || to >= n, onclick: () => void this.load(to) }, text);
    const t = this.trans;
    this.which.replaceChildren(...(n > 1 ? [go(i - 1, '‹', t.__('Previous file')), go(i + 1, '›', t.__('Next file'))] : []), h('span', { title: file }, n > 1 ? t.__('%1 (%2 of %3)', name, i + 1, n) : name));
  }

  private get found(): HeaderRow[] {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const bare = (s: string) => s.toLowerCase().replace(/[(),\s]/g, ''); // 00080060 finds (0008,0060)
    return (this.known?.rows ?? []).filter(r => words.every(w => `${r.tag} ${r.keyword} ${r.vr} ${r.value}`.toLowerCase().includes(w) || bare(r.tag).includes(bare(w) || ' ')));
  }

  private show(): void {
    const found = this.found;
    this.body.replaceChildren(
      ...found.slice(0, SHOWN).map(r => {
        const key = h('td', {}, r.keyword);
        key.style.paddingLeft = `${r.depth * 12 + 4}px`;
        return h('tr', {}, h('td', { className: 'radnb-Tag' }, r.tag), key, h('td', { className: 'radnb-Tag' }, r.vr), h('td', { className: 'radnb-Value' }, r.value));
      })
    );
    const n = this.known?.rows.length ?? 0;
    const more = found.length > SHOWN ? this.trans.__(', the first %1 shown', SHOWN) : '';
    this.count.textContent = (found.length === n ? this.trans._n('%1 row', '%1 rows', n) : this.trans.__('%1 of %2 rows', found.length, n)) + more;
  }

  private copy(): void {
    const text = this.found.map(r => [r.tag, '  '.repeat(r.depth) + r.keyword, r.vr, r.value].join('\t')).join('\n');
    void navigator.clipboard.writeText(text).then(() => (this.count.textContent = this.trans._n('%1 row copied', '%1 rows copied', this.found.length)));
  }
}
