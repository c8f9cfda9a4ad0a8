// The line below the picture: where the crosshair is and what lies there, the window, the convention, and what is not as stored.
import { h, round, size } from './dom';
import { isSheared, words } from './geometry';
import type { Part, State } from './state';
import type { Scan, Words } from './types';

/** What is to be said of planes whose rows and columns are not at right angles; '' if there are none. */
export function tilted(m: Scan, t: Words): string {
  const planes = Object.entries(m.planes).filter(([, p]) => isSheared(p.affine)).map(([name]) => name); // prettier-ignore
  return planes.length ? t.__('Sheared (tilted gantry): shapes are not right in: %1; measurements are', planes.join(', ')) : '';
}

export class Foot {
  readonly node = h('div', { className: 'radnb-Foot' });
  private where = h('span', { className: 'radnb-Where' });

  constructor(
    readonly state: State,
    readonly trans: Words,
    /** are the slices more than can be sent at once? */
    readonly large: boolean
  ) {
    state.changed.connect(this.follow, this);
    this.tell();
  }

  dispose(): void {
    this.state.changed.disconnect(this.follow, this);
  }

  private follow(_: State, part: Part): void {
    if (part === 'at' || part === 'value') this.place();
    else if (part === 'layout' || part === 'window') this.tell();
  }

  private place(): void {
    const { at, value, meta } = this.state;
    this.where.textContent = [meta.placed && meta.located ? words(at) : '', value].filter(Boolean).join(': ');
  }

  private tell(): void {
    const { state, trans: t } = this;
    const m = state.meta;
    const level = m.windows.length ? `L ${round((state.low + state.high) / 2)} W ${round(state.high - state.low)}${m.unit === 'HU' ? ' HU' : ''}` : '';
    const side = m.placed ? t.__('Radiological convention: patient right on the left') : t.__('Orientation unknown: shown as stored');
    const shrunk = m.factors.join(' × ');
    const coarse = !this.large ? '' : state.layout === '3d' ? t.__('3D is %1 coarser than stored (slice × row × column)', shrunk) : t.__('Slices in full resolution come from the kernel; until then %1 coarser', shrunk);
    const tilt = tilted(m, t);
    const spans = [level, size(m.shape, m.spacing), side, coarse, m.note].filter(Boolean).map(text => h('span', {}, text));
    this.node.replaceChildren(this.where, ...(tilt ? [h('span', { className: 'radnb-Warn' }, tilt)] : []), ...spans);
    this.place();
  }
}
