// 3D with NiiVue (WebGL2), which is fetched when somebody asks for it.
import type { Niivue, NVImage } from '@niivue/niivue';
import { h } from './dom';
import { dragWindow, Part, State } from './state';

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
  private frame = 0;
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

  /** Load NiiVue and the packed volume, and draw. */
  async load(data: ArrayBuffer): Promise<void> {
    const { Niivue, NVImage } = await import('@niivue/niivue');
    if (this.gone) return;
    const { state } = this;
    const options = {
      isRadiologicalConvention: true, sliceType: 4, dragMode: 0, dragAndDropEnabled: false, show3Dcrosshair: false, isOrientCube: state.meta.placed, backColor: [0, 0, 0, 1],
      fontSizeScaling: 0.35, loadingText: '', logLevel: 'error', scrollRequiresFocus: false, viewModeHotKey: '', clipPlaneHotKey: '', cycleClipPlaneHotKey: ''
    }; // prettier-ignore
    const nv = (this.nv = new Niivue(options as any));
    await nv.attachToCanvas(this.canvas);
    const window = state.meta.windows.length ? { cal_min: state.low, cal_max: state.high } : {};
    this.image = await NVImage.loadFromUrl({ url: 'image.nii.gz', name: 'image.nii.gz', buffer: data, colormap: 'gray', trustCalMinMax: false, ...window } as any);
    nv.addVolume(this.image);
    nv.setSliceType(4);
    nv.setRenderAzimuthElevation(110, 10);
    this.rewindow();
    this.node.dataset.radnb = 'drawn';
  }

  dispose(): void {
    this.gone = true;
    this.state.changed.disconnect(this.follow, this);
    cancelAnimationFrame(this.frame);
    this.nv?.cleanup();
    this.nv?.gl?.getExtension('WEBGL_lose_context')?.loseContext(); // browsers allow few of these
    this.node.remove();
  }

  private follow(_: State, part: Part): void {
    const { nv, image, state } = this;
    if (!nv || !image || this.node.hidden) return;
    if (part === 'window') this.rewindow();
    else if (part === 'time') nv.setFrame4D(image.id, state.time);
    else if (part === 'reset') {
      nv.setScale(1);
      nv.setRenderAzimuthElevation(110, 10);
    }
  }

  /** After having been out of sight. */
  wake(): void {
    if (!this.nv || !this.image) return;
    this.nv.resizeListener();
    if (this.image.frame4D !== this.state.time) this.nv.setFrame4D(this.image.id, this.state.time);
    this.rewindow();
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
