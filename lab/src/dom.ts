// A small way to write elements down.

type Child = Node | string | null | undefined | false;
type Props = Record<string, unknown>;

/** An element: `on...` props are listeners, props that the element has are set, all others become attributes. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null) continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v as EventListener);
    else if (k in e) (e as any)[k] = v;
    else e.setAttribute(k, String(v));
  }
  e.append(...(children.filter(c => c !== null && c !== undefined && c !== false) as (Node | string)[]));
  return e;
}

/** A number with at most `digits` significant digits, without an exponent for everyday sizes. */
export function round(v: number, digits = 4): string {
  if (!isFinite(v)) return String(v);
  return String(Math.abs(v) >= 10 ** digits ? Math.round(v) : +v.toPrecision(digits));
}

/** With a capital at the beginning and a full stop at the end. */
export function sentence(text: string): string {
  const t = text.trim();
  return t && t[0].toUpperCase() + t.slice(1) + (/[.!?…)]$/.test(t) ? '' : '.');
}

/** 20061219 as 2006-12-19. */
export function date(text: string): string {
  return /^\d{8}$/.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : text;
}

/** The facts of an entry in one line: 20 × 512 × 512 · 5 × 0.7 × 0.7 mm. */
export function size(shape?: number[] | null, spacing?: number[] | null): string {
  const parts = [];
  if (shape) parts.push(shape.join(' × '));
  if (spacing) parts.push(spacing.map(s => round(s, 3)).join(' × ') + ' mm');
  return parts.join(' · ');
}
