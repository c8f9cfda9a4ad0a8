// The volumes beside the picture, each with its middle slice.
import type { TranslationBundle } from '@jupyterlab/translation';
import { h, size } from './dom';
import { Entry, thumbnail } from './server';

/** A thumbnail that is fetched when it comes into sight. */
export function picture(path: string, e: Entry, trans: TranslationBundle): HTMLElement {
  const box = h('span', { className: 'radnb-Thumb', 'aria-hidden': 'true' });
  const watch = new IntersectionObserver(seen => {
    if (!seen.some(s => s.isIntersecting)) return;
    watch.disconnect();
    thumbnail(path, e.id).then(
      src => box.replaceChildren(h('img', { src, alt: '', draggable: false })),
      err => {
        box.append(h('span', { className: 'radnb-Small' }, trans.__('no picture')));
        box.title = err.message;
      }
    );
  });
  watch.observe(box);
  return box;
}

/** Will it not load as it is? */
export const isTroubled = (e: Entry) => !!e.action?.startsWith('raises');

/** Title, facts and verdict of an entry. */
export function facts(e: Entry, trans: TranslationBundle): HTMLElement {
  const head = [e.Modality, e.title].filter(Boolean).join(' · ');
  const files = e.n_files > 1 ? trans._n('%1 file', '%1 files', e.n_files) : '';
  const verdict = e.verdict && e.verdict !== 'regular' ? e.verdict : '';
  return h(
    'span',
    { className: 'radnb-Facts' },
    h('span', { className: 'radnb-Title', title: head }, head),
    h('span', { className: 'radnb-Small' }, ...between([size(e.shape, null), e.orientation, files].filter(Boolean) as string[])),
    verdict && h('span', { className: `radnb-Small radnb-Verdict${isTroubled(e) ? ' radnb-Warn' : ''}`, title: verdict }, verdict)
  );
}

/** Facts that are not torn apart where the line is too short for all of them. */
function between(words: string[]): Node[] {
  return words.flatMap((w, i) => [h('span', { className: 'radnb-Fact' }, w + (i < words.length - 1 ? ' ·' : '')), document.createTextNode(' ')]);
}

export class Strip {
  readonly node: HTMLElement;
  private buttons = new Map<string, HTMLButtonElement>();

  constructor(path: string, entries: Entry[], trans: TranslationBundle, open: (e: Entry) => void, left = '') {
    this.node = h('nav', { className: 'radnb-Strip', 'aria-label': trans.__('Series') });
    for (const e of entries) {
      const b = h('button', { type: 'button', className: 'radnb-Series', onclick: () => open(e) }, picture(path, e, trans), facts(e, trans));
      this.buttons.set(e.id, b);
      this.node.append(b);
    }
    if (left) this.node.append(h('p', { className: 'radnb-Left radnb-Small' }, trans.__('Not shown: %1', left)));
    this.node.addEventListener('keydown', e => this.key(e));
  }

  /** Mark the one that is shown. */
  set current(id: string) {
    for (const [k, b] of this.buttons) b.setAttribute('aria-current', String(k === id));
    this.buttons.get(id)?.scrollIntoView({ block: 'nearest' });
  }

  private key(e: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const all = [...this.buttons.values()];
    all[all.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus();
    e.preventDefault();
  }
}
