// What lies on the picture, under the hand: how strongly the mask shows, as lines or filled, which structures; the probability and its threshold.
import { h } from './dom';
import { BAND } from './overlay';
import type { Overlay, Part, State } from './state';
import type { Label, Words } from './types';

export class OverlayBar {
  readonly node: HTMLElement;
  private parts: (() => void)[] = [];

  constructor(
    readonly state: State,
    readonly trans: Words
  ) {
    this.node = h('div', { className: 'radnb-Toolbar radnb-Overlays', role: 'group', 'aria-label': trans.__('Overlays') });
    state.changed.connect(this.follow, this);
    this.build();
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
  }

  private kind = '';

  /** Anew when other structures have come; else only the values. */
  private follow(_: State, part: Part): void {
    if (part !== 'overlay' && part !== 'slices') return;
    if (this.kind !== this.wanted()) this.build();
    else this.parts.forEach(f => f());
  }

  private wanted(): string {
    const { labels, prob, band } = this.state.overlay;
    return JSON.stringify([labels, prob, !!band]);
  }

  private build(): void {
    const { overlay: o } = this.state;
    const t = this.trans;
    this.kind = this.wanted();
    this.parts = [];
    const rows: Node[] = [];
    if (o.labels.length) rows.push(this.slider(t.__('Mask'), t.__('How strongly the mask shows'), 'maskOpacity'), this.style(), this.chips(o.labels));
    if (o.prob) rows.push(this.slider(t.__('Probability'), t.__('How strongly the probability shows'), 'probOpacity'), this.slider(t.__('from'), t.__('Probabilities below it are not shown'), 'threshold'));
    if (o.band) rows.push(this.range());
    this.node.replaceChildren(...rows);
    this.node.hidden = !rows.length;
  }

  private slider(name: string, title: string, key: 'maskOpacity' | 'probOpacity' | 'threshold'): HTMLElement {
    const input = h('input', { type: 'range', min: '0', max: '1', step: '0.01', 'aria-label': title, 'data-overlay': key });
    const shown = h('output', {});
    const show = () => {
      const v = this.state.overlay[key];
      input.value = String(v);
      shown.textContent = key === 'threshold' ? v.toFixed(2) : `${Math.round(v * 100)} %`;
    };
    input.addEventListener('input', () => this.state.setOverlay({ [key]: Number(input.value) } as Partial<Overlay>));
    this.parts.push(show);
    show();
    return h('label', { className: 'radnb-Field', title }, name, input, shown);
  }

  /** Lines or filled. */
  private style(): HTMLElement {
    const t = this.trans;
    const button = (text: string, outline: boolean) => {
      const b = h('button', { className: 'radnb-Button jp-mod-styled', type: 'button', onclick: () => this.state.setOverlay({ outline }) }, text);
      const show = () => b.setAttribute('aria-pressed', String(this.state.overlay.outline === outline));
      this.parts.push(show);
      show();
      return b;
    };
    return h('span', { className: 'radnb-Group', role: 'group', 'aria-label': t.__('Mask as') }, button(t.__('Outline'), true), button(t.__('Filled'), false));
  }

  /** A switch for every structure. */
  private chips(labels: Label[]): HTMLElement {
    const chip = (l: Label) => {
      const b = h('button', { className: 'radnb-Chip', type: 'button', title: this.trans.__('Show or hide %1', l.name), onclick: () => this.toggle(l.value) });
      b.append(h('span', { className: 'radnb-Swatch', style: `background:${l.colour}` }), l.name);
      const show = () => b.setAttribute('aria-pressed', String(!this.state.overlay.off.includes(l.value)));
      this.parts.push(show);
      show();
      return b;
    };
    return h('span', { className: 'radnb-Chips', role: 'group', 'aria-label': this.trans.__('Structures') }, ...labels.map(chip));
  }

  private toggle(value: number): void {
    const { off } = this.state.overlay;
    this.state.setOverlay({ off: off.includes(value) ? off.filter(v => v !== value) : [...off, value] });
  }

  /** Which values are painted. */
  private range(): HTMLElement {
    const text = h('span', {});
    const show = () => {
      const { band } = this.state.overlay;
      text.textContent = band ? this.trans.__('%1 to %2 %3', band[0], band[1], this.state.meta.unit) : '';
    };
    this.parts.push(show);
    show();
    return h('span', { className: 'radnb-Field' }, h('span', { className: 'radnb-Swatch', style: `background:${BAND}` }), text);
  }
}
