// A tab with a scan: series strip, toolbar, picture, status line, header.
import type { TranslationBundle } from '@jupyterlab/translation';
import { PathExt } from '@jupyterlab/coreutils';
import { Message } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { h, round, sentence, size } from './dom';
import { tilted } from './foot';
import { words } from './geometry';
import { HeaderTable } from './headertable';
import { OverlayBar } from './overlaybar';
import { Entry, list, Listing, Meta, meta, Query, stopJob, Trouble } from './server';
import { ServerSource } from './serversource';
import { Stage } from './stage';
import { Layout, Part, State } from './state';
import { isTroubled, Strip } from './strip';
import { Toolbar } from './toolbar';

export class ScanPanel extends Widget {
  readonly titled = new Signal<ScanPanel, string>(this);
  /** the volume shown */
  entry?: Entry;
  listing?: Listing;
  private stage?: Stage;
  private toolbar?: Toolbar;
  private strip?: Strip;
  private header?: HeaderTable;
  private state?: State;
  private source?: ServerSource;
  private over?: OverlayBar;
  /** what is to be said of the segmentation: a note, or why it cannot be shown */
  private maskNote = '';
  private bar = h('div', { className: 'radnb-Bar' });
  private middle = h('div', { className: 'radnb-Middle' });
  private foot = h('div', { className: 'radnb-Foot' });
  private where = h('span', { className: 'radnb-Where' });
  private turn = 0;
  /** which segmentation was asked for last */
  private maskTurn = 0;
  private wanted = '';

  constructor(
    /** a file or folder, below the server's root */
    readonly path: string,
    readonly trans: TranslationBundle,
    private insert?: (e: Entry, mask: string) => void
  ) {
    super();
    this.addClass('radnb-Panel');
    this.node.append(this.bar, this.middle, this.foot);
    void this.start();
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.clear();
    super.dispose();
  }

  protected onResize(msg: Widget.ResizeMessage): void {
    const width = msg.width < 0 ? this.node.offsetWidth : msg.width;
    if (width) this.toggleClass('radnb-mod-narrow', width < 700);
  }

  protected onAfterShow(_: Message): void {
    this.stage?.arrange();
  }

  protected onAfterAttach(_: Message): void {
    this.stage?.arrange();
  }

  protected onActivateRequest(_: Message): void {
    (this.stage?.node ?? this.node.querySelector<HTMLElement>('button, input'))?.focus();
  }

  private async start(): Promise<void> {
    const t = this.trans;
    this.wait(t.__('Reading headers …'));
    try {
      const found = (this.listing = await list(this.path, p => this.wait(t.__('Reading headers: %1 of %2', p.done, p.total), p.total ? p.done / p.total : undefined, true)));
      if (this.isDisposed) return;
      if (found.entries.length > 1) {
        this.strip = new Strip(this.path, found.entries, t, e => void this.open(e), found.single ? '' : found.note);
        this.node.prepend(this.strip.node);
        this.addClass('radnb-mod-strip');
      }
      const any = found.entries.find(e => !isTroubled(e)) ?? found.entries[0];
      const first = found.entries.find(e => e.id === (this.wanted || found.selected)) ?? (found.single ? undefined : any);
      if (first) await this.open(first, first.id === found.selected && first.n_files > 1 ? found.at : undefined);
      else this.nothing(found);
    } catch (e) {
      this.fail(e as Trouble);
    }
  }

  /** Neither picture nor series: say what the file is, and show its header. */
  private nothing(found: Listing): void {
    const t = this.trans;
    if (found.single) {
      this.fail(new Trouble(found.note || t.__('There is no scan here.'), found.remedy));
      if (!/not a DICOM file|is gone/.test(found.note)) this.toggleHeader(true);
    } else {
      const what = found.note ? t.__('There is no scan here that can be shown: %1.', found.note) : t.__('There is no scan in this folder, nor in those below it.');
      this.fail(new Trouble(what, t.__('DICOM (with or without an extension), NIfTI, NRRD and MetaImage files are looked for.')));
    }
  }

  /** Show a volume; `start` is the number of the slice that was asked for. */
  async open(e: Entry, start?: number, regular?: string): Promise<void> {
    const turn = ++this.turn;
    const t = this.trans;
    this.clear();
    this.entry = e;
    if (this.header) this.toggleHeader(true, start); // that of this series
    if (this.strip) this.strip.current = e.id;
    this.titled.emit(e.title);
    this.wait(t._n('Reading %1 file …', 'Reading %1 files …', e.n_files));
    const query: Query = { path: this.path, series: e.id, regular };
    try {
      const about = await meta(query);
      if (turn !== this.turn || this.isDisposed) return;
      this.present(new State(about, about.times === 1 ? start : undefined), about, query);
    } catch (err) {
      if (turn === this.turn && !this.isDisposed) this.fail(err as Trouble, e, regular);
    }
  }

  private present(state: State, about: Meta, query: Query): void {
    this.state = state;
    this.source = new ServerSource(query, state.meta);
    const stage = (this.stage = new Stage(state, this.source, this.trans, () => {
      this.toolbar?.refresh();
      this.tell();
    }));
    const insert = this.insert && (() => this.insert!(this.entry!, this.source?.mask ?? ''));
    this.toolbar = new Toolbar(state, stage, this.trans, { header: () => this.toggleHeader(), insert });
    this.over = new OverlayBar(state, this.trans);
    this.bar.replaceChildren(this.toolbar.node, h('div', { className: 'radnb-Masks' }, ...this.maskMenu(about, query), this.over.node));
    this.middle.replaceChildren(stage.node);
    this.middle.dataset.entry = this.entry!.id;
    this.toolbar.header = !!this.header;
    state.changed.connect(this.follow, this);
    this.tell();
    stage.arrange();
    if (this.isVisible) stage.node.focus({ preventScroll: true });
    if (about.unit === 'label') this.showLabels(about);
    else if (this.listing?.mask && this.entry?.id === this.listing.selected) void this.showMask(this.listing.mask, query);
  }

  // Segmentations

  /** A menu of the segmentations drawn on this volume, if there are any. */
  private maskMenu(about: Meta, query: Query): HTMLElement[] {
    const t = this.trans;
    const { mask, selected } = this.listing!;
    const known = [...about.masks];
    if (mask && this.entry?.id === selected && !known.some(m => m.path === mask)) known.unshift({ path: mask, title: PathExt.basename(mask) });
    if (!known.length) return [];
    const menu = h('select', { className: 'jp-mod-styled', title: t.__('Segmentations drawn on this series'), 'data-radnb': 'mask' }, h('option', { value: '' }, t.__('none')));
    menu.append(...known.map(m => h('option', { value: m.path, title: m.path }, m.title)));
    menu.value = mask && this.entry?.id === selected ? mask : '';
    menu.addEventListener('change', () => void this.showMask(menu.value, query));
    return [h('div', { className: 'radnb-Toolbar radnb-MaskMenu' }, h('label', { className: 'radnb-Field' }, t.__('Segmentation'), menu))];
  }

  /** Put a segmentation onto the volume; '' takes it off. */
  private async showMask(path: string, query: Query): Promise<void> {
    const { state, source } = this;
    const turn = ++this.maskTurn;
    try {
      const about = path ? await meta({ ...query, mask: path }) : undefined;
      if (state !== this.state || turn !== this.maskTurn) return; // another volume or segmentation by now
      source!.setMask(path);
      this.maskNote = about?.mask_note ?? '';
      state!.setOverlay({ labels: about?.labels ?? [], off: [] });
      if (about?.mask_at) state!.setAt(about.mask_at); // a structure is rarely in the middle slice
    } catch (e) {
      if (state !== this.state || turn !== this.maskTurn) return;
      source!.setMask('');
      this.maskNote = this.trans.__('The segmentation cannot be shown: %1', [(e as Trouble).message, (e as Trouble).remedy].filter(Boolean).map(sentence).join(' '));
      state!.setOverlay({ labels: [], off: [] });
    }
    state!.changed.emit('slices');
    this.tell();
  }

  /** Labels by themselves: in their colours over nothing. */
  private showLabels(about: Meta): void {
    this.state!.setWindow(1e6, 1e6 + 1);
    this.state!.setOverlay({ labels: about.labels, outline: false, maskOpacity: 0.9 });
    if (about.mask_at) this.state!.setAt(about.mask_at);
  }

  private follow(_: State, part: Part): void {
    if (part === 'at' || part === 'value') this.place();
    else if (part === 'layout' || part === 'window') this.tell();
  }

  /** Where the crosshair is, and what lies there. */
  private place(): void {
    const { at, value, meta } = this.state!;
    this.where.textContent = [meta.placed && meta.located ? words(at) : '', value].filter(Boolean).join(': ');
  }

  /** The line below the picture: place and value, window, size, convention, and what is not as in the file. */
  private tell(): void {
    const [t, state] = [this.trans, this.state!];
    const m = state.meta;
    const level = m.windows.length ? `L ${round((state.low + state.high) / 2)} W ${round(state.high - state.low)}${m.unit === 'HU' ? ' HU' : ''}` : '';
    const side = m.placed ? t.__('Radiological convention: patient right on the left') : t.__('Orientation unknown: shown as stored');
    const coarse = state.layout === '3d' && m.factors.some(f => f > 1);
    const shrunk = coarse ? t.__('3D is %1 coarser than stored (slice × row × column); slices are shown in full resolution', m.factors.join(' × ')) : '';
    const alone = m.unit === 'label' ? [t.__('Labels by themselves, without the image on which they were drawn.'), this.entry?.kind === 'seg' ? this.entry.verdict : ''].filter(Boolean).join(' ') : '';
    const warn = m.note && /stacked as they are|not right/.test(m.note);
    const tilt = tilted(m, t);
    const parts = [this.where, tilt && h('span', { className: 'radnb-Warn', title: tilt }, tilt), level && h('span', {}, level), h('span', {}, size(m.shape, m.spacing)), h('span', {}, side), shrunk && h('span', { className: 'radnb-Full' }, shrunk),
      m.note && h('span', { className: warn ? 'radnb-Warn' : '', title: m.note }, m.note),
      alone && h('span', {}, alone), this.maskNote && h('span', { className: 'radnb-Warn radnb-Clamp', role: 'alert', title: this.maskNote }, this.maskNote)]; // prettier-ignore
    this.foot.replaceChildren(...(parts.filter(Boolean) as Node[]));
    this.place();
  }

  toggleHeader(on = !this.header, start = 0): void {
    this.header?.node.remove();
    this.header = undefined;
    if (on) {
      const series = this.entry?.id;
      this.header = new HeaderTable({ path: this.path, series }, this.trans, series && start ? start : 0);
      this.node.append(this.header.node);
      if (this.isVisible) this.header.focus();
    } else this.stage?.node.focus();
    this.toggleClass('radnb-mod-header', on);
    if (this.toolbar) this.toolbar.header = on;
  }

  /** Show the volume with this id, once the list is there. */
  openSeries(id: string): void {
    const e = this.listing?.entries.find(e => e.id === id);
    if (e) void this.open(e);
    else this.wanted = id;
  }

  // What the commands do

  setLayout(layout: Layout): void {
    if (this.stage?.offers(layout)) this.state!.set('layout', layout);
  }

  nextWindow(): void {
    this.toolbar?.nextWindow();
  }

  reset(): void {
    this.state?.reset();
  }

  toggleCrosshair(): void {
    this.state?.set('crosshair', !this.state.crosshair);
  }

  toggleOutline(): void {
    this.state?.setOverlay({ outline: !this.state.overlay.outline });
  }

  snapshot(): void {
    void this.stage?.snapshot();
  }

  help(): void {
    this.stage?.toggleHelp();
  }

  private clear(): void {
    this.state?.changed.disconnect(this.follow, this);
    this.toolbar?.dispose();
    this.over?.dispose();
    this.stage?.dispose();
    this.source?.dispose();
    this.state = this.stage = this.toolbar = this.over = this.source = undefined;
    this.maskNote = '';
    this.bar.replaceChildren();
    this.foot.replaceChildren();
  }

  private wait(text: string, part?: number, stoppable = false): void {
    const bar = h('progress', { max: 1, 'aria-label': text });
    if (part !== undefined) bar.value = part;
    const stop = stoppable && h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', onclick: () => void stopJob(this.path) }, this.trans.__('Stop'));
    this.middle.replaceChildren(h('div', { className: 'radnb-Wait', role: 'status' }, h('p', {}, text), bar, stop));
  }

  /** What is wrong, what to do, and the way to see the slices all the same where there is one. */
  private fail(e: Trouble, entry?: Entry, regular?: string): void {
    const t = this.trans;
    const stackable = entry && !regular && ['NotOneVolume', 'MissingSlices', 'GeometryError'].includes(e.kind);
    const buttons = [
      stackable && h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', onclick: () => void this.open(entry, undefined, 'as-is') }, t.__('Show the slices all the same')),
      e.kind === 'Stopped' && h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', onclick: () => void this.start() }, t.__('Go on')),
      entry && h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', onclick: () => this.toggleHeader() }, t.__('Header'))
    ];
    this.middle.replaceChildren(
      h(
        'div',
        { className: 'radnb-Trouble', role: 'alert' },
        h('p', {}, sentence(e.message)),
        e.remedy && !stackable ? h('p', { className: 'radnb-Remedy' }, sentence(e.remedy)) : '',
        stackable ? h('p', { className: 'radnb-Small' }, t.__('Stacked as they are, lengths across the slices are wrong.')) : '',
        h('p', { className: 'radnb-Buttons' }, ...buttons)
      )
    );
  }
}
