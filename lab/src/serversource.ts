// Full-resolution slices from the Jupyter server.
import { KeptSlices } from './source';
import { Query, slice, volume } from './server';
import type { Engine, PlaneName, Scan, Slice, Solid } from './types';

export class ServerSource extends KeptSlices {
  constructor(
    readonly query: Query,
    scan: Scan
  ) {
    super(scan);
  }

  protected fetch(plane: PlaneName, i: number, time: number): Promise<Slice> {
    return slice({ ...this.query, plane, i, time }, this.stop.signal);
  }

  async solids(stop: AbortSignal): Promise<Solid[]> {
    return [{ kind: 'image', name: 'image.nii.gz', data: await volume(this.query, stop) }];
  }

  engine(): Promise<Engine> {
    return import('@niivue/niivue');
  }
}
