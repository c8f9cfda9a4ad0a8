// Full-resolution slices from the server: kept for a while, neighbours fetched ahead.
import { Query, Slice, slice } from './server';
import type { Meta, PlaneName } from './server';

const KEEP_MB = 300;

export class SliceSource {
  private kept = new Map<string, Promise<Slice>>();
  private stop = new AbortController();

  constructor(
    readonly query: Query,
    readonly meta: Meta
  ) {}

  /** A slice, from the server unless it was fetched lately. */
  get(plane: PlaneName, i: number, time: number): Promise<Slice> {
    const key = `${plane} ${i} ${time}`;
    const known = this.kept.get(key);
    this.kept.delete(key);
    const asked = known ?? slice({ ...this.query, plane, i, time }, this.stop.signal);
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
    const p = Object.values(this.meta.planes);
    const mb = Math.max(...p.map(p => (p.rows * p.cols * 4) / 1e6));
    return Math.max(24, Math.floor(KEEP_MB / mb));
  }

  dispose(): void {
    this.stop.abort();
    this.kept.clear();
  }
}
