// What the tuners share: the kernel's side of a widget, values that are sent while the mouse moves, and small pieces of page.

import { h } from '../dom';

export interface Model {
  get(key: string): any; // eslint-disable-line @typescript-eslint/no-explicit-any -- traits are whatever Python put there
  set(key: string, value: unknown): void;
  save_changes(): void;
  on(event: string, f: () => void): void;
  off(event: string, f: () => void): void;
}

/** Sends traits at most every `ms`, the last values always: a moving mouse must not queue hundreds of messages. */
export class Sender {
  private timer = 0;
  private last = 0;
  constructor(private readonly model: Model, private readonly ms = 60) {}

  set(values: Record<string, unknown>): void {
    for (const [k, v] of Object.entries(values)) this.model.set(k, v);
    if (this.timer) return;
    const wait = Math.max(0, this.last + this.ms - performance.now());
    this.timer = window.setTimeout(() => this.flush(), wait);
  }

  flush(): void {
    if (this.timer) window.clearTimeout(this.timer);
    this.timer = 0;
    this.last = performance.now();
    this.model.save_changes();
  }
}

/** The numbers of a trait of bytes, as 64-bit floats. */
export function floats(bytes: DataView): Float64Array {
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Three decimals where the number is a share, and what is not known as a dash. */
export function share(v: number, digits = 3): string {
  return isFinite(v) ? v.toFixed(digits) : '–';
}

export function interval(v: number, low: number, high: number, digits = 3): string {
  if (!isFinite(v)) return '–';
  const between = low < 0 ? ' to ' : '–'; // "-0.18–-0.12" cannot be read
  return isFinite(low) ? `${v.toFixed(digits)} (${low.toFixed(digits - 1)}${between}${high.toFixed(digits - 1)})` : v.toFixed(digits);
}

export function percent(v: number): string {
  return `${+(100 * v).toPrecision(3)} %`;
}

/** `value` of a row of the table of thresholds: the last row whose lowest called score is still at or above `t`. `scores` falls. */
export function rowAt(scores: Float64Array, t: number): number {
  let [lo, hi] = [0, scores.length - 1];
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (scores[mid] >= t) lo = mid;
    else hi = mid - 1;
  }
  return lo;
}

/** Listeners for an input that is done being typed in: left, or Enter (which some browsers do not call a change). */
export function typed(f: (input: HTMLInputElement) => void): Record<string, unknown> {
  return {
    onchange: (e: Event) => f(e.target as HTMLInputElement),
    onkeydown: (e: KeyboardEvent) => {
      if (e.key === 'Enter') f(e.target as HTMLInputElement);
    }
  };
}

/** A number that is typed in, `scale` times the value of the trait. Told only of what somebody wrote: the number shown may be a rounded one. */
export function numeric(f: (v: number) => void, props: Record<string, unknown>, scale = 1): HTMLInputElement {
  const take = (input: HTMLInputElement) => {
    const v = input.valueAsNumber / scale;
    if (!isFinite(v) || input.value === input.dataset.written) return;
    input.dataset.written = input.value; // Enter, and then leaving the field, are one change
    f(v);
  };
  return h('input', { type: 'number', step: 'any', ...props, ...typed(take) });
}

/** Write a number into an input, unless somebody is typing there; in full without `digits`. */
export function write(input: HTMLInputElement, v: number, digits?: number): void {
  if (document.activeElement === input && input.value !== input.dataset.written) return;
  input.value = input.dataset.written = String(digits ? +v.toPrecision(digits) : v);
}
