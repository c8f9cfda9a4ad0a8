// Slices from a Jupyter kernel: resliced here from the whole volume where it was small enough to send, else asked for one by one.
import { bytes, nifti, Packed, reslice, typed, TypeName, unwrap, Wrapped } from './packed';
import { KeptSlices } from './source';
import type { Engine, PlaneName, Scan, Slice, Solid } from './types';

export const LAYERS = ['image', 'mask', 'prob', 'other'] as const;
export type Layer = (typeof LAYERS)[number];

/** A slice as the kernel sends it: a type for every layer that is there, and the bytes in the same order. */
export interface Sent {
  plane: PlaneName;
  i: number;
  time: number;
  rows: number;
  cols: number;
  channels: number;
  types: Partial<Record<Layer, TypeName>>;
}

/** The widget's line to the kernel. */
export interface Line {
  send(content: object): void;
  /** hear what the kernel says; returns how to stop hearing */
  hear(f: (content: Record<string, any>, buffers: DataView[]) => void): () => void;
}

/** A slice of what the kernel sent. */
export function unpack(s: Sent, buffers: DataView[]): Slice {
  const found = {} as Record<Layer, any>;
  LAYERS.filter(l => s.types[l]).forEach((l, n) => (found[l] = typed(s.types[l]!, bytes(buffers[n]))));
  return { rows: s.rows, cols: s.cols, channels: s.channels, values: found.image, mask: found.mask, prob: found.prob, other: found.other };
}

let engine: Promise<Engine> | undefined; // one copy in a page

export class KernelSource extends KeptSlices {
  private whole: Partial<Record<Layer, Packed>> = {};
  private asked = new Map<number, (c: Record<string, any>, b: DataView[]) => void>();
  private deaf: () => void;
  private count = 0;
  /** how often each layer was set: of several that are being unpacked, the last one counts */
  private turns: Partial<Record<Layer, number>> = {};
  private come!: () => void;
  private here = new Promise<void>(r => (this.come = r));

  constructor(
    scan: Scan,
    readonly line: Line
  ) {
    super(scan);
    this.deaf = line.hear((content, buffers) => this.asked.get(content.n)?.(content, buffers));
  }

  /** Slices sent ahead of the volume. */
  put(s: Sent, buffers: DataView[]): void {
    this.kept.set(`${s.plane} ${s.i} ${s.time}`, Promise.resolve(unpack(s, buffers)));
  }

  /** A layer has come, or gone. */
  async set(layer: Layer, w: Wrapped | null): Promise<void> {
    const turn = (this.turns[layer] = (this.turns[layer] ?? 0) + 1);
    const packed = w?.data ? await unwrap(w) : undefined;
    if (turn !== this.turns[layer]) return;
    if (packed) this.whole[layer] = packed;
    else delete this.whole[layer];
    if (layer !== 'image') this.forget();
  }

  /** All layers that were announced are here. */
  arrived(): void {
    if (this.whole.image) this.come();
  }

  /** What was kept shows other layers than there are now. */
  forget(): void {
    this.kept.clear();
    this.version++;
  }

  /** Is all of it here, not shrunk and with every stored value? */
  get complete(): boolean {
    const exact = (p?: Packed) => !p || (p.factors.every(f => f === 1) && p.slope === 1 && p.inter === 0);
    return !!this.whole.image && exact(this.whole.image) && exact(this.whole.other);
  }

  has(plane: PlaneName, i: number, time: number): boolean {
    return this.complete || super.has(plane, i, time);
  }

  get(plane: PlaneName, i: number, time: number): Promise<Slice> {
    return this.complete ? Promise.resolve(this.resliced(plane, i, time)) : super.get(plane, i, time);
  }

  meanwhile(plane: PlaneName, i: number, time: number): Slice | undefined {
    return this.whole.image && { ...this.resliced(plane, i, time), coarse: true };
  }

  private resliced(plane: PlaneName, i: number, time: number): Slice {
    const p = this.scan.planes[plane]!;
    const of = (l: Layer) => this.whole[l] && (reslice(this.whole[l], this.scan.affine, p, i, time) as any);
    return { rows: p.rows, cols: p.cols, channels: this.whole.image!.channels, values: of('image'), mask: of('mask'), prob: of('prob'), other: of('other') };
  }

  /** Ask the kernel and wait for its answer. */
  private ask(what: object): Promise<[Record<string, any>, DataView[]]> {
    const n = ++this.count + Math.random(); // several views of one widget hear each other's answers
    const { signal } = this.stop;
    return new Promise((resolve, reject) => {
      const closed = () => {
        this.asked.delete(n);
        reject(new DOMException('closed', 'AbortError'));
      };
      if (signal.aborted) return closed();
      signal.addEventListener('abort', closed, { once: true });
      this.asked.set(n, (content, buffers) => {
        this.asked.delete(n);
        signal.removeEventListener('abort', closed); // it would keep the slice
        if (content.error) reject(new Error(content.error));
        else resolve([content, buffers]);
      });
      this.line.send({ ...what, n });
    });
  }

  protected async fetch(plane: PlaneName, i: number, time: number): Promise<Slice> {
    const [sent, buffers] = await this.ask({ want: 'slice', plane, i, time });
    return unpack(sent as Sent, buffers);
  }

  async solids(): Promise<Solid[]> {
    await this.here;
    return (['image', 'mask', 'prob'] as const).filter(l => this.whole[l]).map(l => nifti(this.whole[l]!, l));
  }

  engine(): Promise<Engine> {
    engine ??= this.ask({ want: 'niivue' }).then(([, [program]]) => {
      const url = URL.createObjectURL(new Blob([bytes(program) as BlobPart], { type: 'text/javascript' }));
      return import(/* webpackIgnore: true */ url);
    });
    engine.catch(() => (engine = undefined));
    return engine;
  }

  dispose(): void {
    this.deaf();
    super.dispose();
  }
}
