// Two pictures in one: a divider to drag, or the second shining through the first.
import { h } from './dom';
import type { Part, State } from './state';
import type { Words } from './types';

export class CompareBar {
  readonly node: HTMLElement;
  private slider: HTMLInputElement;
  private modes: HTMLButtonElement[];

  constructor(
    readonly state: State,
    readonly trans: Words
  ) {
    const t = trans;
    const mode = (text: string, title: string, mode: 'swipe' | 'blend') =>
      h('button', { className: 'radnb-Button jp-mod-styled', type: 'button', title, 'data-mode': mode, onclick: () => state.setCompare({ mode }) }, text);
    this.modes = [mode(t.__('Swipe'), t.__('A divider to drag'), 'swipe'), mode(t.__('Blend'), t.__('The second shines through the first'), 'blend')];
    this.slider = h('input', { type: 'range', min: '0', max: '1', step: '0.01', 'aria-label': t.__('First or second picture') });
    this.slider.addEventListener('input', () => state.setCompare(state.compare?.mode === 'blend' ? { blend: Number(this.slider.value) } : { at: 1 - Number(this.slider.value) }));
    const flicker = h('button', { className: 'radnb-Button jp-mod-styled', type: 'button', title: t.__('The one, then the other: what differs moves (F)'), onclick: () => state.flicker() }, t.__('Flicker'));
    const names = state.compare?.names ?? ['', ''];
    this.node = h('div', { className: 'radnb-Toolbar', role: 'group', 'aria-label': t.__('Compare') },
      h('span', { className: 'radnb-Group' }, ...this.modes), h('label', { className: 'radnb-Field' }, names[0], this.slider, names[1]), flicker); // prettier-ignore
    this.node.hidden = !state.compare;
    state.changed.connect(this.follow, this);
    this.show();
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
  }

  private follow(_: State, part: Part): void {
    if (part === 'compare') this.show();
  }

  private show(): void {
    const c = this.state.compare;
    if (!c) return;
    for (const b of this.modes) b.setAttribute('aria-pressed', String(b.dataset.mode === c.mode));
    this.slider.value = String(c.mode === 'blend' ? c.blend : 1 - c.at);
  }
}
