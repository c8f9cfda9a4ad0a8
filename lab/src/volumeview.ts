// 3D with NiiVue (WebGL2), which is fetched when somebody asks for it.
import type { Niivue, NVImage } from '@niivue/niivue';
import { h } from './dom';
import { dragWindow, Part, State } from './state';
import type { Engine, Label, Solid } from './types';

let webgl2: boolean | undefined;

/** Can this browser draw with WebGL2? */
export function hasWebGL2(): boolean {
  if (webgl2 === undefined) {
    const gl = document.createElement('canvas').getContext('webgl2');
    webgl2 = !!gl;
    gl?.getExtension('WEBGL_lose_context')?.loseContext();
  }
  return webgl2;
}

export class VolumeView {
  readonly node = h('div', { className: 'radnb-VolumeView' });
  private canvas = h('canvas');
  private nv?: Niivue;
  private image?: NVImage;
  private over = new Map<Solid['kind'], NVImage>();
  private frame = 0;
  private coverFrame = 0;
  private gone = false;

  constructor(
    readonly state: State,
    /** what to do if the browser takes the canvas away */
    readonly lost: () => void
  ) {
    this.node.append(this.canvas);
    this.node.addEventListener('mousedown', e => this.down(e), { capture: true });
    this.canvas.addEventListener('webglcontextlost', () => !this.gone && this.lost());
    state.changed.connect(this.follow, this);
  }

  /** Draw volumes with NiiVue: the image, and what lies in it. */
  async load({ Niivue, NVImage }: Engine, solids: Solid[]): Promise<void> {
    if (this.gone) return;
    const { state } = this;
    const options = {
      isRadiologicalConvention: true, sliceType: 4, dragMode: 0, dragAndDropEnabled: false, show3Dcrosshair: false, isOrientCube: state.meta.placed, backColor: [0, 0, 0, 1],
      fontSizeScaling: 0.35, loadingText: '', logLevel: 'error', scrollRequiresFocus: false, viewModeHotKey: '', clipPlaneHotKey: '', cycleClipPlaneHotKey: ''
    }; // prettier-ignore
    const nv = (this.nv = new Niivue(options as any));
    await nv.attachToCanvas(this.canvas);
    const window = state.meta.windows.length ? { cal_min: state.low, cal_max: state.high } : {};
    for (const { kind, name, data } of solids) {
      const look = kind === 'image' ? { colormap: 'gray', ...window } : kind === 'prob' ? { colormap: 'inferno', cal_max: 1 } : {};
      const loaded = await NVImage.loadFromUrl({ url: name, name, buffer: data, trustCalMinMax: false, ...look } as any);
      if (this.gone) return;
      if (kind === 'image') this.image = loaded;
      else this.over.set(kind, loaded);
      if (kind === 'mask') loaded.setColormapLabel(colourTable(state.overlay.labels, state.overlay.off) as any);
      nv.addVolume(loaded);
    }
    this.frames();
    this.cover();
    nv.setSliceType(4);
    nv.setRenderAzimuthElevation(110, 10);
    this.rewindow();
    this.node.dataset.radnb = 'drawn';
  }

  dispose(): void {
    this.gone = true;
    this.state.changed.disconnect(this.follow, this);
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.coverFrame);
    this.nv?.cleanup();
    this.nv?.gl?.getExtension('WEBGL_lose_context')?.loseContext(); // browsers allow few of these
    this.node.remove();
  }

  private follow(_: State, part: Part): void {
    const { nv, image } = this;
    if (!nv || !image || this.node.hidden) return;
    if (part === 'window') this.rewindow();
    else if (part === 'overlay') this.cover();
    else if (part === 'time') this.frames();
    else if (part === 'reset') {
      nv.setScale(1);
      nv.setRenderAzimuthElevation(110, 10);
    }
  }

  /** The time point, of all that has more than one. */
  private frames(): void {
    const { nv, image, state } = this;
    for (const v of [image, ...this.over.values()])
      if (nv && v && (v.nFrame4D ?? 1) > 1 && v.frame4D !== state.time) nv.setFrame4D(v.id, state.time);
  }

  /** How strongly mask and probability show, at most once a frame. */
  private cover(): void {
    cancelAnimationFrame(this.coverFrame);
    this.coverFrame = requestAnimationFrame(() => {
      const { nv, over, state } = this;
      if (!nv || !over.size) return;
      const { maskOpacity, probOpacity, threshold, labels, off } = state.overlay;
      over.get('mask')?.setColormapLabel(colourTable(labels, off) as any);
      if (over.has('prob')) over.get('prob')!.cal_min = Math.max(threshold, 0.0001);
      for (const [kind, image] of over) nv.setOpacity(nv.volumes.indexOf(image), kind === 'mask' ? maskOpacity : probOpacity);
      nv.updateGLVolume();
    });
  }

  /** The picture as it is now: WebGL forgets it once it is in the page. */
  get drawn(): HTMLCanvasElement {
    this.nv?.drawScene();
    return this.canvas;
  }

  /** After having been out of sight. */
  wake(): void {
    if (!this.nv || !this.image) return;
    this.nv.resizeListener();
    this.frames();
    this.rewindow();
    this.cover();
  }

  /** The grey scale, at most once a frame. */
  private rewindow(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const { nv, image, state } = this;
      if (!nv || !image || !state.meta.windows.length || (image.cal_min === state.low && image.cal_max === state.high)) return;
      [image.cal_min, image.cal_max] = [state.low, state.high];
      nv.updateGLVolume();
    });
  }

  /** The right button windows, as it does on slices; the left one turns the volume. */
  private down(e: MouseEvent): void {
    if (e.button !== 2 || this.state.drag !== 'window' || !this.state.meta.windows.length) return;
    e.stopPropagation();
    e.preventDefault();
    let [x, y] = [e.clientX, e.clientY];
    const move = (m: MouseEvent) => {
      this.state.setWindow(...dragWindow(this.state.low, this.state.high, m.clientX - x, m.clientY - y));
      [x, y] = [m.clientX, m.clientY];
    };
    document.addEventListener('mousemove', move, { capture: true });
    document.addEventListener('mouseup', () => document.removeEventListener('mousemove', move, { capture: true }), { once: true, capture: true });
  }
}

/** NiiVue's table of label colours; those switched off are clear. */
function colourTable(labels: Label[], off: number[]): object {
  const channel = (shift: number) => [0, ...labels.map(l => (parseInt(l.colour.slice(1), 16) >> shift) & 255)];
  const A = [0, ...labels.map(l => (off.includes(l.value) ? 0 : 255))];
  return { R: channel(16), G: channel(8), B: channel(0), A, I: [0, ...labels.map(l => l.value)], labels: ['', ...labels.map(l => l.name)] };
}
