// Where the picture is: one plane or three as slices at full resolution, or 3D with NiiVue.
import { h } from './dom';
import { SliceView } from './sliceview';
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
  private loading = false;
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
    this.source.dispose();
    for (const v of this.views.values()) v.dispose();
    this.volume?.dispose();
  }

  /** Can this layout be had? */
  offers(layout: Layout): boolean {
    const { planes } = this.state;
    return layout === '3d' ? planes.length === 3 && !this.without : layout === 'mpr' ? planes.length === 3 : layout === 'grid' ? false : planes.includes(layout);
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
    if (layout === '3d') return [];
    if (layout === 'grid') return [this.state.native];
    return layout === 'mpr' ? [this.state.native, ...PLANES.filter(p => p !== this.state.native)] : [layout];
  }

  /** Put the layout's views into the grid and fill them. */
  arrange(): void {
    const { layout } = this.state;
    const views = this.shown(layout).map(p => this.view(p));
    this.grid.replaceChildren(...views.map(v => v.node));
    this.grid.classList.toggle('radnb-mod-three', views.length === 3);
    this.grid.hidden = layout === '3d';
    if (views.length && !views.some(v => v.name === this.active)) this.activate(views[0].name);
    else this.activate(this.active);
    for (const v of views) void v.update();
    if (layout === '3d') void this.show3D();
    else if (this.volume) this.volume.node.hidden = true;
  }

  /** Other voxels have come: draw them. */
  private reload(): void {
    if (!this.loading) {
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
    this.loading = true;
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
  }

  /** Do without 3D. */
  private give(why: string): void {
    this.without = why;
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
    if (e.ctrlKey || e.altKey || e.metaKey || this.state.layout === '3d') return;
    const view = this.view(this.active);
    const acts: Record<string, () => void> = {
      ArrowUp: () => view.step(-1), ArrowDown: () => view.step(1), PageUp: () => view.step(-10), PageDown: () => view.step(10), Home: () => view.step(-1e9), End: () => view.step(1e9),
      '+': () => view.magnify(1.25), '-': () => view.magnify(0.8), Backspace: () => view.undo(), Delete: () => view.undo()
    }; // prettier-ignore
    if (!acts[e.key]) return;
    acts[e.key]();
    e.preventDefault();
    e.stopPropagation();
  }
}
