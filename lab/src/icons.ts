// Icons that take the theme's colours.
import { LabIcon } from '@jupyterlab/ui-components';

const svg = (inside: string) => `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><g class="jp-icon3 radnb-Stroke" style="fill: none" stroke="#616161" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${inside}</g></svg>`;
const icon = (name: string, inside: string) => new LabIcon({ name: `radnb:${name}`, svgstr: svg(inside) });

/** a body in the ring of a scanner */
export const scanIcon = icon('scan', '<circle cx="12" cy="12" r="9.5"/><ellipse cx="12" cy="12.5" rx="5.5" ry="4"/><path d="M12 10.8v3.4M9.3 12.5h.01M14.7 12.5h.01"/>');
export const exploreIcon = icon('explore', '<circle cx="10.5" cy="10.5" r="7"/><path d="M15.8 15.8 21 21"/><path d="M7.5 10.5h6M10.5 7.5v6"/>');
export const classifyIcon = icon('classify', '<path d="M3 20V4"/><path d="M3 20h18"/><path d="M4 18C6 9 11 6.5 20 6"/><path d="m4 18 14-12" stroke-dasharray="1.5 3"/>');
export const segmentIcon = icon('segment', '<circle cx="12" cy="12" r="9.5"/><path d="M8 14.5c-1.5-3 .5-6.500 3.500-6.500s5.500 1.500 5 4.500-2.500 2-4 3.500-3.300 1-4.500-1.500z"/>');
