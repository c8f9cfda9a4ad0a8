// The cell of `view(..., backend='itk')`: the still picture at once, itk-vtk-viewer over it as soon as the kernel and JupyterLab's host (itk.ts) have made one.
import { h } from '../dom';
import type {} from '../itk'; // declares window.connectPlugin

interface Model {
  get(name: 'still'): DataView;
  get(name: 'alt' | 'kernel' | 'caption'): string;
  get(name: 'height'): number;
  on(event: 'msg:custom', handler: (message: FromKernel) => void): void;
  off(event: 'msg:custom', handler: (message: FromKernel) => void): void;
  send(message: { event: 'ready' | 'failed'; place: string; why?: string }): void;
}

/** What the kernel says about one place in the page where the viewer may stand. */
interface FromKernel {
  event: 'connect' | 'drawn' | 'failed';
  place: string;
  plugin?: string; // id of the element that ImJoy will look for
  why?: string;
}

const NO_HOST = "The live viewer needs JupyterLab or Notebook 7 with radnb's extension: a still picture instead.";
const NO_WEBGL = 'This browser offers no WebGL2: a still picture instead of the viewer.';
const WAITING = 'A still picture, until the viewer has loaded; it starts as soon as the kernel is free.';

function hasWebGL2(): boolean {
  const gl = document.createElement('canvas').getContext('webgl2');
  gl?.getExtension('WEBGL_lose_context')?.loseContext();
  return !!gl;
}

/** The picture, a sentence about it, and the room that the viewer will get. */
class Cell {
  readonly place = crypto.randomUUID();
  private still = h('img', { className: 'radnb-still' });
  private note = h('p', { className: 'radnb-note', role: 'status' });
  private room = h('div', { className: 'radnb-itk' });
  private url: string;

  constructor(
    private model: Model,
    private el: HTMLElement
  ) {
    this.url = URL.createObjectURL(new Blob([model.get('still') as DataView<ArrayBuffer>], { type: 'image/png' }));
    Object.assign(this.still, { src: this.url, alt: model.get('alt') });
    this.still.style.cssText = 'display:block;max-width:100%';
    this.note.style.cssText = 'margin:4px 0;color:var(--jp-ui-font-color2, #555);font:var(--jp-ui-font-size1, 13px) var(--jp-ui-font-family, sans-serif)';
    el.append(this.still, this.note, this.room);
  }

  readonly hear = (message: FromKernel): void => {
    if (message.place !== this.place) return;
    if (message.event === 'connect') void this.connect(message.plugin ?? '');
    if (message.event === 'drawn') this.live();
    if (message.event === 'failed') this.stay(message.why ?? '');
  };

  start(): void {
    if (!window.connectPlugin?.radnb) return this.stay(NO_HOST);
    if (!hasWebGL2()) return this.stay(NO_WEBGL);
    this.note.textContent = WAITING;
    this.model.on('msg:custom', this.hear);
    this.seen.observe(this.el);
  }

  /** Browsers do not draw what is scrolled away, so the viewer is asked for when its cell comes into sight. */
  private seen = new IntersectionObserver(entries => {
    if (!entries.some(e => e.isIntersecting)) return;
    this.seen.disconnect();
    this.model.send({ event: 'ready', place: this.place });
  });

  /** Make room below the picture, clipped, where the viewer can find its size before it is seen. */
  private async connect(plugin: string): Promise<void> {
    this.el.style.cssText = `height:${this.el.offsetHeight}px;overflow:hidden`;
    this.room.replaceChildren();
    this.room.id = plugin;
    this.room.style.cssText = `height:${this.model.get('height')}px;position:relative;overflow:hidden`;
    try {
      await window.connectPlugin?.(this.model.get('kernel'));
    } catch (error) {
      this.model.send({ event: 'failed', place: this.place, why: String(error) });
    }
  }

  private live(): void {
    this.still.style.display = 'none';
    this.note.textContent = this.model.get('caption');
    this.el.append(this.note); // below the viewer (which must not be moved: a frame that is moved loads again)
    this.el.style.cssText = '';
    this.el.dataset.radnb = 'drawn';
  }

  private stay(why: string): void {
    this.room.replaceChildren();
    this.room.removeAttribute('id');
    this.room.style.cssText = this.el.style.cssText = '';
    delete this.el.dataset.radnb;
    this.still.style.display = 'block';
    this.still.after(this.note);
    this.note.textContent = why;
  }

  readonly close = (): void => {
    this.seen.disconnect();
    this.model.off('msg:custom', this.hear);
    URL.revokeObjectURL(this.url);
  };
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    const cell = new Cell(model, el);
    cell.start();
    return cell.close;
  }
};
