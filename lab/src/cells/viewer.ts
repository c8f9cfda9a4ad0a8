// The browser's side of `view`: radnb's canvas viewer in a notebook's cell.
import '../../style/base.css';
import '../../style/cell.css';
import { CompareBar } from '../comparebar';
import { Foot } from '../foot';
import { KernelSource, LAYERS, Layer, Line, Sent } from '../kernelsource';
import { OverlayBar } from '../overlaybar';
import type { Point } from '../geometry';
import type { Wrapped } from '../packed';
import { Stage } from '../stage';
import { Compare, Layout, Part, State } from '../state';
import { Toolbar } from '../toolbar';
import { ENGLISH, Scan } from '../types';

/** A widget's model, as anywidget gives it. */
export interface Model {
  get(key: string): any;
  set(key: string, value: unknown): void;
  save_changes(): void;
  send(content: object): void;
  on(event: string, f: (...args: any[]) => void): void;
  off(event: string, f: (...args: any[]) => void): void;
}

/** Which trait is which part of what is looked at. */
const TRAITS: Record<string, [Part, (s: State) => unknown, (s: State, v: any, m: Model) => void]> = {
  at: ['at', s => s.at, (s, v) => s.setAt(v as Point)],
  low: ['window', s => s.low, (s, _, m) => s.setWindow(m.get('low'), m.get('high'))],
  high: ['window', s => s.high, (s, _, m) => s.setWindow(m.get('low'), m.get('high'))],
  view_layout: ['layout', s => s.layout, (s, v) => s.has(v) && s.set('layout', v as Layout)],
  time: ['time', s => s.time, (s, v) => s.set('time', v)],
  zoom: ['zoom', s => s.zoom, (s, v, m) => s.setView(v, point(m.get('centre')))],
  centre: ['zoom', s => s.centre ?? [], (s, v, m) => s.setView(m.get('zoom'), point(v))],
  mask_opacity: ['overlay', s => s.overlay.maskOpacity, (s, v) => s.setOverlay({ maskOpacity: v })],
  mask_outline: ['overlay', s => s.overlay.outline, (s, v) => s.setOverlay({ outline: v })],
  prob_opacity: ['overlay', s => s.overlay.probOpacity, (s, v) => s.setOverlay({ probOpacity: v })],
  threshold: ['overlay', s => s.overlay.threshold, (s, v) => s.setOverlay({ threshold: v })],
  band: ['overlay', s => s.overlay.band, (s, v) => s.setOverlay({ band: v?.length === 2 ? v : null })],
  hidden: ['overlay', s => s.overlay.off, (s, v) => s.setOverlay({ off: v })],
  blend: ['compare', s => s.compare?.blend ?? 0, (s, v) => s.setCompare({ blend: v })],
  swipe: ['compare', s => s.compare?.at ?? 0.5, (s, v) => s.setCompare({ at: v })]
};

const point = (v: number[] | null) => (v?.length === 3 ? (v as Point) : undefined);
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

/** One view of one volume: its state tied to the widget's traits, and its slices. */
class Session {
  readonly state: State;
  readonly source: KernelSource;
  private ties: [string, () => void][] = [];
  private timer = 0;
  here = false;
  /** who wants to hear that the volume has come */
  readonly noted = new Set<() => void>();
  private had = new Map<Layer, Wrapped>();
  private taking = false;
  private telling = false;

  constructor(readonly model: Model) {
    const scan = model.get('scan') as Scan;
    this.state = new State(scan);
    this.state.wheelNeedsFocus = true;
    this.source = new KernelSource(scan, line(model));
    for (const s of model.get('first') as (Sent & { data: DataView[] })[]) this.source.put(s, s.data);
    this.takeAll();
    this.state.changed.connect(this.tell, this);
    for (const [key, [, , put]] of Object.entries(TRAITS)) this.tie(`change:${key}`, () => this.take(() => put(this.state, model.get(key), model)));
    this.tie('change:labels', () => this.relabel());
    for (const layer of LAYERS) this.tie(`change:${layer}`, () => void this.load(layer));
    this.tie('change:revision', () => {
      this.source.forget();
      this.state.changed.emit('slices');
    });
    void Promise.all(LAYERS.filter(l => model.get(l)?.data).map(l => this.fetch(l))).then(() => this.shown());
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const [event, f] of this.ties) this.model.off(event, f);
    this.state.changed.disconnect(this.tell, this);
    this.source.dispose();
  }

  private tie(event: string, f: () => void): void {
    this.model.on(event, f);
    this.ties.push([event, f]);
  }

  /** Take over what a trait says, without telling it back. */
  private take(f: () => void): void {
    if (this.telling) return;
    this.taking = true;
    f();
    this.taking = false;
  }

  /** All that the traits say. */
  private takeAll(): void {
    const { state, model } = this;
    const compare = model.get('compare') as Partial<Compare>;
    if (compare.names) state.compare = { mode: 'swipe', window: compare.window ?? null, names: compare.names, at: model.get('swipe'), blend: model.get('blend') };
    for (const [key, [, , put]] of Object.entries(TRAITS)) put(state, model.get(key), model);
    this.relabel();
  }

  private relabel(): void {
    this.state.setOverlay({ labels: this.model.get('labels'), prob: this.model.get('has_prob') });
  }

  /** Take over a layer, unless it is the one that we have. */
  private async fetch(layer: Layer): Promise<boolean> {
    const w = this.model.get(layer) as Wrapped;
    if (w === this.had.get(layer)) return false;
    this.had.set(layer, w);
    await this.source.set(layer, w?.data ? w : null);
    return true;
  }

  private async load(layer: Layer): Promise<void> {
    if (await this.fetch(layer)) this.shown();
  }

  /** Show what has come. */
  private shown(): void {
    this.relabel();
    this.source.arrived();
    this.here = true;
    this.noted.forEach(f => f());
    this.state.changed.emit('slices');
  }

  /** Tell the traits what was done here: the page at once, the kernel at most 12 times a second. */
  private tell(_: State, part: Part): void {
    if (this.taking) return;
    let told = false;
    this.telling = true;
    for (const [key, [of, get]] of Object.entries(TRAITS))
      if (part === of && !same(this.model.get(key), get(this.state))) {
        this.model.set(key, get(this.state));
        told = true;
      }
    this.telling = false;
    if (told && !this.timer) this.timer = window.setTimeout(() => ((this.timer = 0), this.model.save_changes()), 80);
  }
}

function line(model: Model): Line {
  return {
    send: content => model.send(content),
    hear: f => {
      const heard = (content: Record<string, any>, buffers: DataView[]) => f(content, buffers);
      model.on('msg:custom', heard);
      return () => model.off('msg:custom', heard);
    }
  };
}

/** Keys that JupyterLab's tab has as commands. */
function keys(state: State, stage: Stage, toolbar: Toolbar): (e: KeyboardEvent) => void {
  const layout = (l: Layout) => () => stage.offers(l) && state.set('layout', l);
  const acts: Record<string, () => void> = {
    m: layout('mpr'), a: layout('axial'), c: layout('coronal'), s: layout('sagittal'), d: layout('3d'), g: layout('grid'), r: () => state.reset(), w: () => toolbar.nextWindow(),
    x: () => state.set('crosshair', !state.crosshair), o: () => state.setOverlay({ outline: !state.overlay.outline }), f: () => state.flicker()
  }; // prettier-ignore
  return e => {
    if (e.ctrlKey || e.altKey || e.metaKey || (e.target as HTMLElement).closest('input, select, button')) return;
    const act = acts[e.key.toLowerCase()];
    if (!act) return;
    act();
    e.preventDefault();
    e.stopPropagation();
  };
}

/** The still picture in the output above, once we stand in the page: it comes back when the widget is closed. */
function hideStill(el: HTMLElement): () => void {
  let hidden: HTMLElement | undefined;
  new ResizeObserver((_, watch) => {
    if (!el.isConnected) return;
    watch.disconnect();
    const before = el.closest('.jp-OutputArea-child')?.previousElementSibling as HTMLElement | null;
    if (!before?.querySelector('.jp-RenderedImage')) return;
    hidden = before;
    before.style.display = 'none';
  }).observe(el);
  return () => hidden && (hidden.style.display = '');
}

/** Single keys pressed here are not the notebook's commands; Ctrl+S and the like still are. */
function guardKeys(el: HTMLElement): () => void {
  const guard = (e: KeyboardEvent) => el.toggleAttribute('data-lm-suppress-shortcuts', !(e.ctrlKey || e.metaKey || e.altKey || (e.key === 'Enter' && e.shiftKey)));
  window.addEventListener('keydown', guard, { capture: true });
  return () => window.removeEventListener('keydown', guard, { capture: true });
}

/** Outside JupyterLab its colours have no names. */
const bare = () => !getComputedStyle(document.documentElement).getPropertyValue('--jp-layout-color1') && !getComputedStyle(document.body).getPropertyValue('--jp-layout-color1');

/** Put a view into the page; returns how to take it out. */
function mount(session: Session, el: HTMLElement, height: number): () => void {
  const { state, source, model } = session;
  let toolbar: Toolbar | undefined;
  const stage = new Stage(state, source, ENGLISH, () => toolbar?.refresh());
  toolbar = new Toolbar(state, stage, ENGLISH, {});
  const compare = new CompareBar(state, ENGLISH);
  const over = new OverlayBar(state, ENGLISH);
  const foot = new Foot(state, ENGLISH, (model.get('image')?.factors ?? []).some((f: number) => f > 1) || !!model.get('on_demand'));
  const middle = document.createElement('div');
  middle.className = 'radnb-Middle';
  middle.style.height = `${height}px`;
  middle.append(stage.node);
  el.replaceChildren(toolbar.node, compare.node, over.node, middle, foot.node);
  stage.node.addEventListener('keydown', keys(state, stage, toolbar));
  stage.node.addEventListener('pointerdown', () => stage.node.focus({ preventScroll: true }));
  stage.node.setAttribute('aria-label', model.get('alt'));
  const note = () => void (session.here && (el.dataset.volume = 'here'));
  session.noted.add(note);
  note();
  stage.arrange();
  const seen = new ResizeObserver(() => stage.arrange()); // once it has a size
  seen.observe(middle);
  return () => {
    seen.disconnect();
    session.noted.delete(note);
    for (const part of [toolbar, compare, over, foot, stage]) part.dispose();
  };
}

export default () => {
  let session: Session | undefined;
  const back = new Set<() => void>();
  const mounted = new Set<() => void>();
  return {
    initialize({ model }: { model: Model }) {
      session = new Session(model);
      const change = () => {
        session?.dispose();
        session = new Session(model);
        for (const again of mounted) again();
      };
      model.on('change:scan', change);
      return () => {
        session?.dispose();
        back.forEach(f => f());
      };
    },
    render({ model, el }: { model: Model; el: HTMLElement }) {
      el.classList.add('radnb-Cell');
      el.classList.toggle('radnb-mod-bare', bare());
      const unguard = guardKeys(el);
      if (model.get('hides_still')) back.add(hideStill(el));
      let unmount = mount(session!, el, model.get('height'));
      const again = () => {
        unmount();
        unmount = mount(session!, el, model.get('height'));
      };
      mounted.add(again);
      return () => {
        mounted.delete(again);
        unguard();
        unmount();
      };
    }
  };
};
