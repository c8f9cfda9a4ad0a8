// Full-resolution slices from the Jupyter server, with the segmentation that lies on them.
import { KeptSlices } from './source';
import { Query, slice, volume } from './server';
import type { Engine, PlaneName, Scan, Slice, Solid, Values } from './types';

export class ServerSource extends KeptSlices {
  /** path of a segmentation drawn on the volume; '' for none */
  mask = '';

  constructor(
    readonly query: Query,
    scan: Scan
  ) {
    super(scan);
  }

  /** Show another segmentation, or none. */
  setMask(path: string): void {
    if (path === this.mask) return;
    this.mask = path;
    this.kept.clear();
    this.version++;
  }

  protected async fetch(plane: PlaneName, i: number, time: number): Promise<Slice> {
    const { query, mask } = this;
    const { signal } = this.stop;
    const [image, drawn] = await Promise.all([slice({ ...query, plane, i, time }, signal), mask ? slice({ ...query, mask, plane, i }, signal) : undefined]);
    const labels = drawn?.values ?? (this.scan.unit === 'label' ? image.values : undefined);
    return labels ? { ...image, mask: numbers(labels) } : image;
  }

  async solids(stop: AbortSignal): Promise<Solid[]> {
    const { query, mask } = this;
    const labels = mask || this.scan.unit === 'label';
    const [image, drawn] = await Promise.all([volume(query, stop), labels ? volume({ ...query, mask }, stop) : undefined]);
    const solids: Solid[] = [{ kind: 'image', name: 'image.nii.gz', data: image }];
    return drawn ? [...solids, { kind: 'mask', name: 'mask.nii.gz', data: drawn }] : solids;
  }

  engine(): Promise<Engine> {
    return import('@niivue/niivue');
  }
}

/** Label numbers as the overlay wants them. */
function numbers(v: Values): Uint8Array | Uint16Array {
  return v instanceof Uint8Array || v instanceof Uint16Array ? v : Uint16Array.from(v);
}
