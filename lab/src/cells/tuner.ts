// The browser's side of `tune_threshold`: it moves the mark and shows the numbers by itself; the kernel is told, and answers to rules.

import { h } from '../dom';
import { Classify } from '../tune/classify';
import { Segment } from '../tune/segment';
import { Intensity } from '../tune/intensity';
import { type Model, Sender, typed } from '../tune/model';
import { CSS } from '../tune/style';

interface Part {
  parts: HTMLElement[];
  draw(): void;
  controls(): { el: HTMLElement; fill: () => void };
  drawPrevalence?(): void;
}

const KINDS: Record<string, new (model: Model) => Part> = { classify: Classify, segment: Segment, intensity: Intensity };

/** The line that says what is chosen, by whom, and how to choose it again in code. */
function choice(model: Model): { el: HTMLElement; fill: () => void } {
  const sender = new Sender(model);
  const [cut, where, code] = [h('b', { className: 'radnb-choice' }), h('span'), h('code')];
  const who = h('input', { 'aria-label': 'Chosen by', placeholder: 'your name, for the record', style: 'width:190px',
    ...typed(input => {
      sender.set({ chosen_by: input.value });
      sender.flush();
    }) });
  const message = h('div', { className: 'message', role: 'alert' });
  const el = h('div', {}, h('div', { className: 'row choice' }, h('span', {}, cut, where), h('label', { className: 'soft' }, 'chosen by', who)),
    h('div', { className: 'code' }, 'the same again in code: ', code), message);
  const fill = () => {
    const c = model.get('choice') as { cut: string; where: string; code: string };
    cut.textContent = c.cut;
    where.textContent = c.where;
    code.textContent = c.code;
    message.textContent = model.get('message') as string;
    if (document.activeElement !== who) who.value = model.get('chosen_by') as string;
  };
  return { el, fill };
}

/** Keys pressed here are not the notebook's commands (which are looked up at the focused element); Ctrl+S and the like still are. */
function guardKeys(root: HTMLElement): () => void {
  const guard = (e: KeyboardEvent) => {
    if (!(e.target instanceof Element) || !root.contains(e.target)) return;
    e.target.toggleAttribute('data-lm-suppress-shortcuts', !(e.ctrlKey || e.metaKey || e.altKey || (e.key === 'Enter' && e.shiftKey) || e.key === 'Escape'));
  };
  window.addEventListener('keydown', guard, { capture: true });
  return () => window.removeEventListener('keydown', guard, { capture: true });
}

function build(model: Model, el: HTMLElement): () => void {
  const part = new KINDS[model.get('kind') as string](model);
  const [top, controls] = [choice(model), part.controls()];
  el.replaceChildren(h('style', {}, CSS), h('div', { className: 'radnb-tuner', 'data-kind': model.get('kind') }, top.el, controls.el, ...part.parts));
  const root = el.lastElementChild as HTMLElement;
  const unguard = guardKeys(root);
  const fill = () => {
    top.fill();
    controls.fill();
  };
  const moved = () => {
    const start = performance.now();
    part.draw();
    root.dataset.ms = (performance.now() - start).toFixed(2); // how long the browser takes to answer a move: benchmarks/tuner.py reads it
    fill();
  };
  const prevalence = () => {
    part.drawPrevalence?.();
    moved();
  };
  moved();
  const on: [string, () => void][] = [['change:threshold change:band change:case', moved], ['change:prevalence', prevalence],
    ['change:choice change:message change:positive change:rule change:minimum change:cost change:chosen_by change:found change:live change:fill_holes change:min_mm3 change:within change:box_mm', fill]];
  for (const [events, f] of on) for (const e of events.split(' ')) model.on(e, f);
  return () => {
    for (const [events, f] of on) for (const e of events.split(' ')) model.off(e, f);
    unguard();
  };
}

export default {
  render({ model, el }: { model: Model; el: HTMLElement }): () => void {
    let stop = build(model, el);
    const again = () => {
      stop();
      stop = build(model, el);
    };
    model.on('change:spec', again); // another class: another table
    return () => {
      stop();
      model.off('change:spec', again);
    };
  }
};
