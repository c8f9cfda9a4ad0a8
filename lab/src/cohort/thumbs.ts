// Pictures of series, asked of the kernel in small batches, and only for rows in sight: one batch is on its way at a time, so a row that has left before its
// turn is never asked for. How many make a batch follows from how long the last one took; a disk that is slow or a kernel that is busy gets one at a time.

export interface Picture { url?: string; why?: string; tip?: string }
type Send = (content: object) => void;

const KEPT = 3000;      // pictures held, about 10 MB
const TARGET_MS = 150;  // how long a batch should take

export class Thumbs {
  private have = new Map<number, Picture>();
  private asked = new Set<number>();
  private wanted: number[] = [];
  private size = 4;
  private since = 0;
  private timer = 0;

  constructor(private send: Send, private changed: (row: number) => void, private waiting: (since: number) => void) {}

  get(row: number): Picture | undefined { return this.have.get(row); }

  /** The rows in sight, now. */
  want(rows: number[]): void {
    this.wanted = rows.filter(r => !this.have.has(r));
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.next(), 60);   // not while the list flies past
  }

  /** An answer of the kernel. */
  hear(msg: { row: number; why: string; tip: string }, buffer?: DataView): void {
    this.asked.delete(msg.row);
    const url = buffer?.byteLength ? URL.createObjectURL(new Blob([buffer as DataView<ArrayBuffer>], { type: 'image/jpeg' })) : undefined;
    this.keep(msg.row, { url, why: msg.why, tip: msg.tip });
    this.changed(msg.row);
  }

  /** The batch is done; whatever it left out has no picture. */
  done(): void {
    const ms = performance.now() - this.since;
    this.size = Math.max(1, Math.min(12, Math.round(this.size * Math.min(2, TARGET_MS / Math.max(ms, 1)))));
    for (const row of this.asked) { this.keep(row, { why: 'no picture' }); this.changed(row); }
    this.asked.clear();
    this.since = 0;
    this.waiting(0);
    this.next();
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const p of this.have.values()) if (p.url) URL.revokeObjectURL(p.url);
    this.have.clear();
    this.wanted = [];
  }

  private next(): void {
    if (this.asked.size) return;
    const rows = this.wanted.filter(r => !this.have.has(r)).slice(0, this.size);
    if (!rows.length) return;
    this.asked = new Set(rows);
    this.since = performance.now();
    this.waiting(this.since);
    this.send({ kind: 'thumbs', rows });
  }

  private keep(row: number, picture: Picture): void {
    this.have.set(row, picture);
    if (this.have.size <= KEPT) return;
    for (const [old, p] of this.have) {     // oldest first; never one in sight
      if (this.wanted.includes(old)) continue;
      if (p.url) URL.revokeObjectURL(p.url);
      this.have.delete(old);
      return;
    }
  }
}
