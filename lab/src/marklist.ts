// The measurements as a list on the picture: gone to, deleted, copied as text.
import { h } from './dom';
import { Mark, place } from './measure';
import type { Part, State } from './state';
import type { Words } from './types';

export class MarkList {
  readonly node = h('details', { className: 'radnb-Marks', open: true, hidden: true });
  private rows = h('ol', {});
  private said = h('span', { role: 'status' });

  constructor(
    readonly state: State,
    readonly trans: Words
  ) {
    const t = trans;
    const button = (text: string, title: string, act: () => void) => h('button', { type: 'button', className: 'radnb-Link', title, onclick: act }, text);
    const foot = h(
      'p',
      {},
      button(t.__('Copy'), t.__('Copy the measurements as text'), () => this.copy()),
      button(t.__('Delete all'), t.__('Delete all measurements'), () => state.setMarks([])),
      this.said
    );
    this.node.append(h('summary', {}, t.__('Measurements')), this.rows, foot);
    this.node.setAttribute('aria-label', t.__('Measurements'));
    state.changed.connect(this.follow, this);
    this.show();
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
  }

  private follow(_: State, part: Part): void {
    if (part === 'marks' || part === 'layout') this.show();
  }

  private get done(): Mark[] {
    return this.state.marks.filter(m => m.text);
  }

  private show(): void {
    const { state, trans: t } = this;
    this.said.textContent = '';
    this.node.hidden = !this.done.length || state.layout === 'grid' || state.layout === '3d';
    const row = (m: Mark) => {
      const where = place(m, state.meta, t);
      const go = h('button', { type: 'button', className: 'radnb-Link', title: t.__('Go to %1', where), onclick: () => this.go(m) }, m.text);
      const away = h('button', { type: 'button', className: 'radnb-Link', 'aria-label': t.__('Delete %1', m.text), title: t.__('Delete'), onclick: () => state.setMarks(state.marks.filter(o => o !== m)) }, '×');
      return h('li', {}, go, h('span', {}, where), away);
    };
    this.rows.replaceChildren(...this.done.map(row));
  }

  private go(m: Mark): void {
    const { state } = this;
    if (state.layout !== 'mpr' && state.layout !== m.plane) state.set('layout', m.plane);
    state.set('time', m.time);
    state.setSlice(m.plane, m.k);
  }

  /** One line each: where it lies and what it says. The patient is not named. */
  get text(): string {
    const names = { distance: this.trans.__('distance'), angle: this.trans.__('angle'), region: this.trans.__('mean ± SD, area') };
    return this.done.map(m => [place(m, this.state.meta, this.trans), names[m.kind], m.text].join('\t')).join('\n');
  }

  private copy(): void {
    const say = (text: string) => () => void (this.said.textContent = text);
    navigator.clipboard.writeText(this.text).then(say(this.trans.__('copied')), say(this.trans.__('the browser does not allow it')));
  }
}
