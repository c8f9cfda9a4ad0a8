// Slices kept for a while, wherever they come from.
import type { Engine, PlaneName, Scan, Slice, Solid, Source } from './types';

const KEEP_MB = 300;

export abstract class KeptSlices implements Source {
  version = 0;
  protected kept = new Map<string, Promise<Slice>>();
  protected stop = new AbortController();

  constructor(readonly scan: Scan) {}

  protected abstract fetch(plane: PlaneName, i: number, time: number): Promise<Slice>;
  abstract solids(stop: AbortSignal): Promise<Solid[]>;
  abstract engine(): Promise<Engine>;

  /** A slice, fetched unless it was lately. */
  get(plane: PlaneName, i: number, time: number): Promise<Slice> {
    const key = `${plane} ${i} ${time}`;
    const known = this.kept.get(key);
    this.kept.delete(key);
    const asked = known ?? this.fetch(plane, i, time);
    this.kept.set(key, asked); // the last ones looked at come last
    if (!known) asked.catch(() => this.kept.delete(key));
    while (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value!);
    return asked;
  }

  has(plane: PlaneName, i: number, time: number): boolean {
    return this.kept.has(`${plane} ${i} ${time}`);
  }

  /** How many slices may be kept. */
  private get most(): number {
    const p = Object.values(this.scan.planes);
    const mb = Math.max(...p.map(p => (p.rows * p.cols * 4) / 1e6));
    return Math.max(24, Math.floor(KEEP_MB / mb));
  }

  dispose(): void {
    this.stop.abort();
    this.kept.clear();
  }
}
