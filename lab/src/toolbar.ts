// The row above the picture.
import { h, round } from './dom';
import { Drag, Layout, Part, State } from './state';
import type { Stage } from './stage';
import type { Words } from './types';

const LAYOUTS: Layout[] = ['mpr', 'axial', 'coronal', 'sagittal', 'grid', '3d'];

export interface Actions {
  header?: () => void;
  insert?: () => void;
}

/** Layout, window, right drag, time, reset, header. */
export class Toolbar {
  readonly node: HTMLElement;
  private layouts: HTMLButtonElement[] = [];
  private window?: HTMLSelectElement;
  private own?: HTMLOptionElement;
  private drag?: HTMLSelectElement;
  private clock?: (time: number) => void;
  private headerButton?: HTMLButtonElement;

  constructor(
    readonly state: State,
    readonly stage: Stage,
    readonly trans: Words,
    actions: Actions
  ) {
    const button = (text: string, title: string, act: () => void) =>
      h('button', { className: 'radnb-Button jp-mod-styled', type: 'button', title, onclick: act }, text);
    this.node = h('div', { className: 'radnb-Toolbar', role: 'toolbar', 'aria-label': trans.__('Viewer') });
    if (state.planes.length > 1) this.node.append(this.layoutButtons());
    if (state.meta.windows.length) this.node.append(this.windowMenu());
    this.node.append(this.dragMenu());
    if (state.meta.times > 1) this.node.append(this.timeSlider());
    this.node.append(button(trans.__('Reset'), trans.__('Window, zoom and position as at first (R)'), () => state.reset()), h('span', { className: 'radnb-Space' }));
    const snap = button(trans.__('Snapshot'), trans.__('The picture to the clipboard (P); with Shift, as a file'), () => undefined);
    snap.addEventListener('click', e => void stage.snapshot(e.shiftKey));
    const ask = button('?', trans.__('Keys and mouse (?)'), () => stage.toggleHelp());
    ask.setAttribute('aria-label', trans.__('Keys and mouse'));
    this.node.append(snap);
    if (actions.insert) this.node.append(button(trans.__('Insert code'), trans.__('Put the line that loads this volume into the active notebook'), actions.insert));
    if (actions.header) {
      this.headerButton = button(trans.__('Header'), trans.__('Everything the file says (H)'), actions.header);
      this.headerButton.setAttribute('aria-pressed', 'false');
      this.node.append(this.headerButton);
    }
    this.node.append(ask);
    state.changed.connect(this.follow, this);
    this.refresh();
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
  }

  /** Is the header shown? */
  set header(on: boolean) {
    this.headerButton?.setAttribute('aria-pressed', String(on));
  }

  /** Show what may be chosen now. */
  refresh(): void {
    this.layouts.forEach((b, i) => {
      b.setAttribute('aria-pressed', String(LAYOUTS[i] === this.state.layout));
      b.disabled = !this.stage.offers(LAYOUTS[i]);
      if (b.disabled) b.title = LAYOUTS[i] === '3d' ? this.stage.without : '';
    });
    this.showWindow();
  }

  private follow(_: State, part: Part): void {
    if (part === 'layout') this.refresh();
    if (part === 'window') this.showWindow();
    if (part === 'time') this.clock?.(this.state.time);
    if (part === 'drag' && this.drag) this.drag.value = this.state.drag;
  }

  private layoutButtons(): HTMLElement {
    const t = this.trans;
    const names: Record<Layout, [string, string]> = {
      mpr: ['MPR', t.__('Three planes (M)')],
      axial: [t.__('Axial'), t.__('Axial (A)')],
      coronal: [t.__('Coronal'), t.__('Coronal (C)')],
      sagittal: [t.__('Sagittal'), t.__('Sagittal (S)')],
      '3d': ['3D', t.__('Volume rendering (D)')],
      grid: [t.__('Grid'), t.__('Light box (G)')]
    };
    this.layouts = LAYOUTS.map(l => {
      const [text, title] = names[l];
      return h('button', { className: 'radnb-Button jp-mod-styled', type: 'button', title, 'data-layout': l, onclick: () => this.state.set('layout', l) }, text);
    });
    return h('span', { className: 'radnb-Group', role: 'group', 'aria-label': t.__('Layout') }, ...this.layouts);
  }

  private windowMenu(): HTMLElement {
    const { state, trans } = this;
    const options = state.meta.windows.map((w, i) => h('option', { value: String(i) }, w.name));
    this.own = h('option', { value: 'own', hidden: true });
    this.window = h('select', { className: 'jp-mod-styled', title: trans.__('Grey scale; or drag with the right button (W: next)') }, ...options, this.own);
    this.window.addEventListener('change', () => {
      const w = state.meta.windows[Number(this.window!.value)];
      if (w) state.setWindow(w.low, w.high);
    });
    return h('label', { className: 'radnb-Field' }, trans.__('Window'), this.window);
  }

  /** Select the preset in use, or say what the window is. */
  private showWindow(): void {
    if (!this.window || !this.own) return;
    const { low, high, meta } = this.state;
    const i = meta.windows.findIndex(w => w.low === low && w.high === high);
    this.own.textContent = `L ${round((low + high) / 2, 3)} W ${round(high - low, 3)}`;
    this.own.hidden = i >= 0;
    this.window.value = i >= 0 ? String(i) : 'own';
  }

  private dragMenu(): HTMLElement {
    const t = this.trans;
    const names: Record<Drag, string> = { window: t.__('window'), distance: t.__('distance'), angle: t.__('angle'), region: t.__('mean in a region'), move: t.__('move') };
    const offered = (Object.keys(names) as Drag[]).filter(d => (d !== 'window' || this.state.meta.windows.length));
    if (!offered.includes(this.state.drag)) this.state.drag = offered[0];
    this.drag = h('select', { className: 'jp-mod-styled', title: t.__('What dragging with the right button does') }, ...offered.map(d => h('option', { value: d }, names[d])));
    this.drag.addEventListener('change', () => this.state.set('drag', this.drag!.value as Drag));
    return h('label', { className: 'radnb-Field' }, t.__('Right drag'), this.drag);
  }

  /** A slider for the fourth axis: time, b-value, echo, ... */
  private timeSlider(): HTMLElement {
    const { state, trans } = this;
    const { times: n, dimension } = state.meta;
    const name = dimension?.name ?? trans.__('time');
    const say = (i: number) => {
      const v = dimension?.values[i];
      return `${i + 1}/${n}` + (v === undefined || v === null ? '' : ` (${typeof v === 'number' ? round(v) : v}${dimension!.unit ? ' ' + dimension!.unit : ''})`);
    };
    const shown = h('output', {});
    const slider = h('input', { type: 'range', min: '0', max: String(n - 1), 'aria-label': name });
    slider.addEventListener('input', () => state.set('time', Number(slider.value)));
    this.clock = time => {
      slider.value = String(time);
      shown.textContent = say(time);
    };
    this.clock(state.time);
    return h('label', { className: 'radnb-Field' }, name, slider, shown);
  }

  /** The next preset. */
  nextWindow(): void {
    const { low, high, meta } = this.state;
    if (!meta.windows.length) return;
    const i = meta.windows.findIndex(w => w.low === low && w.high === high);
    const w = meta.windows[(i + 1) % meta.windows.length];
    this.state.setWindow(w.low, w.high);
  }
}
