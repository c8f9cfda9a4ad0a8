// Where the picture is: one plane or three as slices at full resolution, or 3D with NiiVue.
import { h } from './dom';
import { help } from './help';
import { LightBox } from './lightbox';
import { MarkList } from './marklist';
import { SliceView } from './sliceview';
import { compose, keep } from './snapshot';
import { Layout, Part, PLANES, State } from './state';
import type { PlaneName, Source, Words } from './types';
import { hasWebGL2, VolumeView } from './volumeview';

export class Stage {
  readonly node: HTMLElement;
  /** why there is no 3D; empty if there is */
  without = '';
  private views = new Map<PlaneName, SliceView>();
  private grid = h('div', { className: 'radnb-Grid' });
  private active: PlaneName;
  private volume?: VolumeView;
  private box?: LightBox;
  private list: MarkList;
  private guide?: HTMLElement;
  private loading = false;
  /** did other voxels come while 3D was loading? */
  private stale = false;
  private stop = new AbortController();
  private notice = h('div', { className: 'radnb-Notice', role: 'status', hidden: true });

  constructor(
    readonly state: State,
    readonly source: Source,
    readonly trans: Words,
    readonly told: () => void
  ) {
    this.active = state.native;
    this.node = h('div', { className: 'radnb-Stage', tabIndex: 0, 'aria-label': state.meta.title, role: 'application' }, this.grid, this.notice);
    this.list = new MarkList(state, trans);
    this.node.append(this.list.node);
    this.node.addEventListener('contextmenu', e => {
      e.preventDefault(); // the right button works on the picture
      e.stopPropagation();
    });
    this.node.addEventListener('keydown', e => this.key(e));
    if (!hasWebGL2()) this.without = trans.__('This browser offers no WebGL2: no 3D.');
    state.changed.connect(this.follow, this);
    this.arrange();
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
    this.stop.abort();
    for (const v of this.views.values()) v.dispose();
    this.volume?.dispose();
    this.box?.dispose();
    this.list.dispose();
  }

  /** Can this layout be had? */
  offers(layout: Layout): boolean {
    const { planes } = this.state;
    return layout === '3d' ? planes.length === 3 && !this.without : layout === 'mpr' ? planes.length === 3 : layout === 'grid' ? this.state.plane(this.state.native).slices > 1 : planes.includes(layout);
  }

  private view(plane: PlaneName): SliceView {
    let v = this.views.get(plane);
    if (!v) {
      const fail = (e: Error) => this.say(this.trans.__('This slice cannot be shown: %1', e.message));
      const waits = (on: boolean) => this.say(on ? this.trans.__('Coarse for now: waiting for the kernel …') : '');
      v = new SliceView(plane, this.state, this.source, this.trans, () => this.active === plane, fail, waits);
      v.node.addEventListener('pointerdown', () => this.activate(plane), { capture: true });
      v.node.addEventListener('wheel', () => this.activate(plane), { capture: true, passive: true });
      this.views.set(plane, v);
    }
    return v;
  }

  private activate(plane: PlaneName): void {
    this.active = plane;
    for (const [p, v] of this.views) v.node.classList.toggle('radnb-mod-active', p === plane);
  }

  /** The planes of a layout; in three planes the acquired one comes first and largest. */
  private shown(layout: Layout): PlaneName[] {
    if (layout === '3d' || layout === 'grid') return [];
    return layout === 'mpr' ? [this.state.native, ...PLANES.filter(p => p !== this.state.native)] : [layout];
  }

  /** Put the layout's views into the grid and fill them. */
  arrange(): void {
    const { layout } = this.state;
    const views = this.shown(layout).map(p => this.view(p));
    this.grid.replaceChildren(...views.map(v => v.node));
    this.grid.classList.toggle('radnb-mod-three', views.length === 3);
    this.grid.hidden = layout === '3d' || layout === 'grid';
    this.lightBox(layout === 'grid');
    if (views.length && !views.some(v => v.name === this.active)) this.activate(views[0].name);
    else this.activate(this.active);
    for (const v of views) void v.update();
    if (layout === '3d') void this.show3D();
    else if (this.volume) this.volume.node.hidden = true;
  }

  /** Many slices side by side, or not. */
  private lightBox(on: boolean): void {
    if (on && !this.box) {
      const fail = (e: Error) => this.say(this.trans.__('This slice cannot be shown: %1', e.message));
      this.box = new LightBox(this.state.native, this.state, this.source, this.trans, fail);
      this.node.prepend(this.box.node);
    }
    if (!this.box) return;
    this.box.node.hidden = !on;
    if (on) this.box.fill();
  }

  /** What the keys do; again, and it is gone. */
  toggleHelp(): void {
    const close = () => {
      this.guide?.remove();
      this.guide = undefined;
      this.node.focus({ preventScroll: true });
    };
    if (this.guide) return close();
    this.guide = help(this.trans, close);
    this.node.append(this.guide);
    this.guide.focus({ preventScroll: true });
  }

  /** What is seen, as a picture: to the clipboard, or as a file. */
  async snapshot(asFile = false): Promise<void> {
    const t = this.trans;
    const { layout } = this.state;
    const flat = layout === 'grid' ? this.box!.drawn : this.shown(layout).map(p => this.view(p).drawn);
    const picture = compose(this.node, layout === '3d' ? [this.volume?.drawn].filter(c => !!c) : flat, layout === 'grid' ? this.box!.words : []);
    const where = await keep(picture, asFile);
    this.say(where === 'clipboard' ? t.__('The picture is in the clipboard. It names no patient but for what is burned into the pixels.') : t.__('The picture is saved as a file. It names no patient but for what is burned into the pixels.'));
    setTimeout(() => this.say(''), 4000);
  }

  /** Other voxels have come: draw them. */
  private reload(): void {
    if (this.loading) this.stale = true;
    else {
      this.volume?.dispose();
      this.volume = undefined;
    }
    this.arrange();
  }

  private async show3D(): Promise<void> {
    if (this.volume) {
      if (this.loading) return;
      this.volume.node.hidden = false;
      return this.volume.wake();
    }
    const lost = () => this.give(this.trans.__('The browser closed the 3D view to save memory.'));
    const view = (this.volume = new VolumeView(this.state, lost));
    this.node.prepend(view.node);
    this.say(this.trans.__('Loading the volume …'));
    [this.loading, this.stale] = [true, false];
    try {
      const [engine, solids] = await Promise.all([this.source.engine(), this.source.solids(this.stop.signal)]);
      await view.load(engine, solids);
      this.say('');
      this.told();
    } catch (e) {
      if (!this.stop.signal.aborted) this.give(this.trans.__('The volume cannot be shown in 3D: %1', (e as Error).message));
    } finally {
      this.loading = false;
    }
    if (this.stale && this.volume) this.reload();
  }

  /** Do without 3D for now; whoever asks again gets another try. */
  private give(why: string): void {
    this.volume?.dispose();
    this.volume = undefined;
    this.say(why);
    if (this.state.layout === '3d') this.state.set('layout', 'mpr');
    this.told();
  }

  private say(text: string): void {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  private follow(_: State, part: Part): void {
    if (part === 'layout') this.arrange();
    if (part === 'slices') this.reload();
    if (part === 'at' || part === 'time') this.say('');
  }

  private key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.altKey || e.metaKey || (e.target as HTMLElement).closest('input, select')) return;
    const always: Record<string, () => void> = { '?': () => this.toggleHelp(), p: () => void this.snapshot(), P: () => void this.snapshot(true) };
    const acts = { ...always, ...(this.state.layout === '3d' ? {} : this.state.layout === 'grid' ? this.boxKeys() : this.sliceKeys()) };
    if (!acts[e.key] || (e.key === 'Enter' && (e.target as HTMLElement).closest('button, summary'))) return;
    acts[e.key]();
    e.preventDefault();
    e.stopPropagation();
  }

  private boxKeys(): Record<string, () => void> {
    const box = this.box!;
    const k = () => this.state.slice(box.plane);
    return {
      ArrowUp: () => box.row(-1), ArrowDown: () => box.row(1), ArrowLeft: () => box.go(k() - 1), ArrowRight: () => box.go(k() + 1), PageUp: () => box.turn(-1), PageDown: () => box.turn(1),
      Home: () => box.go(0), End: () => box.go(1e9), Enter: () => this.state.set('layout', box.plane)
    }; // prettier-ignore
  }

  private sliceKeys(): Record<string, () => void> {
    const view = this.view(this.active);
    return {
      ArrowUp: () => view.step(-1), ArrowDown: () => view.step(1), PageUp: () => view.step(-10), PageDown: () => view.step(10), Home: () => view.step(-1e9), End: () => view.step(1e9),
      '+': () => view.magnify(1.25), '-': () => view.magnify(0.8), Backspace: () => view.undo(), Delete: () => view.undo()
    }; // prettier-ignore
  }
}
