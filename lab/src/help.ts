// What the keys and the mouse do, on the picture, when somebody asks with `?`.
import { h } from './dom';
import type { Words } from './types';

/** The overlay; `close` is called when it is left. */
export function help(t: Words, close: () => void): HTMLElement {
  const parts: [string, [string, string][]][] = [
    [t.__('Layout'), [['M', t.__('three planes')], ['A  C  S', t.__('axial, coronal, sagittal')], ['G', t.__('light box')], ['D', t.__('3D')]]],
    [t.__('Picture'), [['W', t.__('next window')], ['X', t.__('crosshair on or off')], ['O', t.__('mask as outline or filled')], ['+  −', t.__('larger, smaller')], ['R', t.__('reset')], ['P', t.__('snapshot to the clipboard; Shift+P: as a file')]]],
    [t.__('Slices'), [['↑  ↓', t.__('one slice; in the light box one row')], ['PgUp  PgDn', t.__('ten slices; in the light box one page')], ['Home  End', t.__('first, last')], ['Enter', t.__('in the light box: open the slice')]]],
    [t.__('Mouse'), [[t.__('click, left drag'), t.__('crosshair')], [t.__('right drag'), t.__('window, or what the menu says')], [t.__('Shift + left drag'), t.__('move the picture')], [t.__('wheel'), t.__('slices; with Ctrl: larger, smaller')]]],
    [t.__('Measure'), [[t.__('right drag'), t.__('distance, or a region')], [t.__('two right drags'), t.__('angle: the first leg to the vertex, then the second')], ['Delete', t.__('take the last one back')]]],
    [t.__('Around'), [['H', t.__('header (in JupyterLab)')], ['?', t.__('this list')], ['Esc', t.__('close it')]]]
  ];
  const section = ([title, rows]: [string, [string, string][]]) =>
    h('section', {}, h('h3', {}, title), h('dl', {}, ...rows.flatMap(([key, what]) => [h('dt', {}, ...key.split('  ').flatMap((k, i) => [i ? ' ' : '', h('kbd', {}, k)])), h('dd', {}, what)])));
  const button = h('button', { type: 'button', className: 'radnb-Link', 'aria-label': t.__('Close'), onclick: close }, '×');
  const box = h('div', { className: 'radnb-Help', role: 'dialog', tabIndex: -1, 'aria-modal': 'true', 'aria-label': t.__('Keys and mouse') }, h('header', {}, h('h2', {}, t.__('Keys and mouse')), button), h('div', { className: 'radnb-HelpParts' }, ...parts.map(section)));
  box.addEventListener('keydown', e => {
    if (e.key === 'Tab') e.preventDefault(), button.focus(); // it has one thing to go to
    if (e.key !== 'Escape' && e.key !== '?') return;
    close();
    e.preventDefault();
    e.stopPropagation();
  });
  return box;
}
