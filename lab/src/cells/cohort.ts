// The browser's side of `cohort`.
import { h } from '../dom';

export default {
  render({ el }: { el: HTMLElement }): void {
    el.append(h('div', {}));
  }
};
