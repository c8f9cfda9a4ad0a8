// All that is known of one series, with a larger picture and the line of Python that loads it.
import { h } from '../dom';
import { MISSING } from './table';
import type { Table } from './table';

export class Detail {
  readonly el = h('div', { className: 'rc-detail', role: 'dialog', 'aria-label': 'Details of the series', hidden: true, tabIndex: -1 });
  row = -1;
  private image = h('img', { alt: 'middle slice', hidden: true });
  private why = h('div', { className: 'rc-why' });
  private code = h('code', {}, '…');
  private copied = h('button', { className: 'rc-button', onclick: () => this.copy() }, 'Copy code');
  private url = '';

  constructor(private table: Table, private send: (content: object) => void, private closed: () => void) {
    this.el.addEventListener('keydown', e => { if (e.key === 'Escape') this.hide(); });
  }

  show(row: number): void {
    this.row = row;
    this.code.textContent = '… the kernel is asked';
    this.why.textContent = '';
    this.image.hidden = true;
    const facts = this.table.columns.filter(c => !c.hidden).flatMap(c => {
      const text = this.table.text(c.name, row);
      return [h('dt', { title: c.name }, c.label), h('dd', { className: text ? '' : 'rc-none' }, text || MISSING)];
    });
    this.el.replaceChildren(
      h('button', { className: 'rc-close', title: 'Close (Esc)', 'aria-label': 'Close', onclick: () => this.hide() }, '×'),
      h('div', { className: 'rc-big' }, this.image, this.why), h('div', { className: 'rc-code' }, this.code, this.copied), h('dl', {}, ...facts));
    this.el.hidden = false;
    this.el.scrollTop = 0;
    this.send({ kind: 'detail', row });
  }

  hear(msg: { row: number; why: string; code: string }, buffer?: DataView): void {
    if (msg.row !== this.row) return;
    this.code.textContent = msg.code;
    this.why.textContent = msg.why;
    if (!buffer?.byteLength) return;
    this.dispose();
    this.url = URL.createObjectURL(new Blob([buffer as DataView<ArrayBuffer>], { type: 'image/jpeg' }));
    this.image.src = this.url;
    this.image.hidden = false;
  }

  hide(): void {
    if (this.el.hidden) return;
    this.el.hidden = true;
    this.row = -1;
    this.closed();
  }

  dispose(): void { if (this.url) URL.revokeObjectURL(this.url); }

  private async copy(): Promise<void> {
    await toClipboard(this.code.textContent ?? '', this.el);
    this.copied.textContent = 'Copied';
    window.setTimeout(() => { this.copied.textContent = 'Copy code'; }, 1500);
  }
}

/** A page that is not served over https has no clipboard of its own: there the old way is taken. */
async function toClipboard(text: string, host: HTMLElement): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    try { await navigator.clipboard.writeText(text); return; } catch { /* not allowed: the old way */ }
  }
  const area = h('textarea', { value: text, style: 'position:absolute;left:-9999px' });
  host.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
