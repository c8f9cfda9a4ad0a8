// A volume to scroll in a published page: planes, window, mask, crosshair. It reads what the page holds and asks for nothing else.
const make = (tag, props = {}, ...inside) => { const e = Object.assign(document.createElement(tag), props); e.append(...inside); return e; };
const clamp = (v, lo, hi) => Math.min(hi, Math.max(lo, v));
const TYPES = { uint8: Uint8Array, int16: Int16Array, uint16: Uint16Array };

async function unpack(text, type) {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
  const raw = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new TYPES[type](await new Response(raw).arrayBuffer());
}

/** One plane. `p` says how its (slice, row, column) lie in the array: place = p.turn * index + p.start. */
class Plane {
  constructor(name, p, owner) {
    Object.assign(this, { name, p, owner });
    const [rows, cols] = [p.shape[1], p.shape[2]];
    this.size = [cols * p.mm[2], rows * p.mm[1]];
    this.canvas = make('canvas', { tabIndex: 0 });
    this.canvas.setAttribute('role', 'img');
    this.canvas.picture = make('canvas', { width: cols, height: rows });   // one pixel a voxel
    this.slider = make('input', { type: 'range', min: 1, max: p.shape[0], step: 1 });
    this.slider.setAttribute('aria-label', `${name} slice`);
    this.slider.oninput = () => this.go(this.slider.value - 1);
    this.words = make('span');
    this.node = make('div', { className: 'plane' }, this.canvas, make('div', { className: 'step' }, this.slider, this.words));
    this.listen();
  }
  /** slice, row, column at the crosshair */
  get index() { const d = this.owner.at.map((v, a) => v - this.p.start[a]); return [0, 1, 2].map(c => this.p.turn.reduce((s, row, a) => s + row[c] * d[a], 0)); }
  move(index) {
    const i = index.map((v, a) => clamp(Math.round(v), 0, this.p.shape[a] - 1));
    this.owner.at = this.p.turn.map((row, a) => row[0] * i[0] + row[1] * i[1] + row[2] * i[2] + this.p.start[a]);
    this.owner.draw();
  }
  go(k) { const [, r, c] = this.index; this.move([k, r, c]); }

  listen() {
    const c = this.canvas, scale = () => this.owner.scale;
    let from = null;
    const point = e => { const b = c.getBoundingClientRect(); this.move([this.index[0], (e.clientY - b.top) / scale() / this.p.mm[1] - 0.5, (e.clientX - b.left) / scale() / this.p.mm[2] - 0.5]); };
    c.onpointerdown = e => { c.focus({ preventScroll: true }); c.setPointerCapture(e.pointerId); from = e.button === 2 || e.shiftKey ? [e.clientX, e.clientY, this.owner.low, this.owner.high] : []; if (!from.length) point(e); };
    c.onpointermove = e => { if (from) from.length ? this.owner.drag(e.clientX - from[0], e.clientY - from[1], from[2], from[3]) : point(e); };
    c.onpointerup = c.onpointercancel = () => (from = null);
    c.oncontextmenu = e => e.preventDefault();
    // the wheel turns slices only of the picture that was clicked: else the page scrolls
    c.addEventListener('wheel', e => { if (document.activeElement !== c || e.ctrlKey) return; e.preventDefault(); this.go(this.index[0] + Math.sign(e.deltaY)); }, { passive: false });
    c.onkeydown = e => {
      const step = { ArrowUp: -1, ArrowLeft: -1, PageUp: -5, ArrowDown: 1, ArrowRight: 1, PageDown: 5 }[e.key];
      if (step) { e.preventDefault(); this.go(this.index[0] + step); }
    };
  }

  get where() { const [axis, first, step] = this.p.position ?? [], mm = first + step * this.index[0]; return this.p.position ? `${(mm >= 0 ? 'RAS' : 'LPI')[axis]} ${Math.abs(mm).toFixed(1)} mm` : ''; }

  paint() {
    const { p, owner } = this, [, rows, cols] = p.shape, [sk, si, sj] = p.strides, ctx = this.canvas.picture.getContext('2d');
    const image = new ImageData(cols, rows), out = new Uint32Array(image.data.buffer), v = owner.voxels;
    const gain = owner.slope * 255 / Math.max(owner.high - owner.low, 1e-9), bias = (owner.inter - owner.low) * 255 / Math.max(owner.high - owner.low, 1e-9) + 0.5;
    const base = p.offset + this.index[0] * sk;
    for (let i = 0, q = 0; i < rows; i++) for (let j = 0, a = base + i * si; j < cols; j++, a += sj) {
      const g = clamp(Math.floor(v[a] * gain + bias), 0, 255);
      out[q++] = 0xff000000 | (g * 0x010101);
    }
    ctx.putImageData(image, 0, 0);
  }
  outlines() {
    const { p, owner } = this, [, rows, cols] = p.shape, [sk, si, sj] = p.strides, m = owner.mask, paths = new Map();
    const base = p.offset + this.index[0] * sk, at = (i, j) => (i < 0 || j < 0 || i >= rows || j >= cols ? 0 : m[base + i * si + j * sj]);
    for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
      const l = at(i, j);
      if (!l || owner.hidden.has(l)) continue;
      if (!paths.has(l)) paths.set(l, new Path2D());
      const path = paths.get(l), line = (a, b, c, d) => { path.moveTo(a, b); path.lineTo(c, d); };
      if (at(i - 1, j) !== l) line(j, i, j + 1, i);
      if (at(i + 1, j) !== l) line(j, i + 1, j + 1, i + 1);
      if (at(i, j - 1) !== l) line(j, i, j, i + 1);
      if (at(i, j + 1) !== l) line(j + 1, i, j + 1, i + 1);
    }
    return paths;
  }

  draw(first) {
    const { canvas: c, p, owner } = this, s = owner.scale, dpr = devicePixelRatio || 1, [w, h] = this.size.map(v => v * s);
    Object.assign(c.style, { width: `${w}px`, height: `${h}px` });
    [c.width, c.height] = [Math.round(w * dpr), Math.round(h * dpr)];
    this.node.style.width = `${w}px`;
    const ctx = c.getContext('2d'), [k, i, j] = this.index, [x1, y1] = [p.mm[2] * s, p.mm[1] * s];
    this.paint();
    ctx.scale(dpr, dpr);
    ctx.imageSmoothingQuality = 'high';
    ctx.drawImage(c.picture, 0, 0, w, h);
    if (owner.mask) for (const [l, path] of this.outlines()) {
      const scaled = new Path2D();
      scaled.addPath(path, new DOMMatrix([x1, 0, 0, y1, 0, 0]));
      ctx.strokeStyle = owner.colours.get(l) ?? '#E69F00'; ctx.lineWidth = 1.5; ctx.stroke(scaled);
    }
    if (owner.cross) {
      ctx.strokeStyle = 'rgba(87,181,232,.75)'; ctx.lineWidth = 1; ctx.beginPath();
      ctx.moveTo((j + 0.5) * x1, 0); ctx.lineTo((j + 0.5) * x1, h); ctx.moveTo(0, (i + 0.5) * y1); ctx.lineTo(w, (i + 0.5) * y1); ctx.stroke();
    }
    this.write(ctx, w, h, first);
    this.slider.value = k + 1;
    this.words.textContent = [`${k + 1}/${p.shape[0]}`, this.where].filter(Boolean).join(' · ');
    const text = [`${k + 1} of ${p.shape[0]}`, this.where].filter(Boolean).join(', ');
    this.slider.setAttribute('aria-valuetext', text);
    c.setAttribute('aria-label', `${this.name} slice ${text}`);
  }
  write(ctx, w, h, first) {
    const ink = (text, x, y, align, base, font) => {
      Object.assign(ctx, { font, textAlign: align, textBaseline: base, lineWidth: 3, strokeStyle: '#000', fillStyle: '#fff', lineJoin: 'round' });
      ctx.strokeText(text, x, y); ctx.fillText(text, x, y);
    };
    const bold = 'bold 14px system-ui, sans-serif', small = '11px system-ui, sans-serif', l = this.p.letters;
    if (l.left) { ink(l.left, 5, h / 2, 'left', 'middle', bold); ink(l.right, w - 5, h / 2, 'right', 'middle', bold); }
    if (l.top && h > 60) { ink(l.top, w / 2, 5, 'center', 'top', bold); ink(l.bottom, w / 2, h - 5, 'center', 'bottom', bold); }
    if (!first || !this.owner.sized) return;
    const mm = [200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2].find(v => v <= this.size[0] / 4) ?? 0.1, px = mm * this.owner.scale;
    ctx.fillStyle = '#000'; ctx.fillRect(7, h - 12, px + 2, 5); ctx.fillStyle = '#fff'; ctx.fillRect(8, h - 11, px, 3);
    ink(`${mm} mm`, 8, h - 14, 'left', 'bottom', small);
  }
}

class Volume {
  constructor(about, voxels, mask) {
    Object.assign(this, { voxels, mask, slope: about.slope, inter: about.inter, at: about.at, low: about.low, high: about.high, unit: about.unit, sized: about.sized, cross: true, scale: 1, hidden: new Set() });
    this.strides = [about.shape[1] * about.shape[2], about.shape[2], 1];
    this.colours = new Map(about.labels.map(l => [l.value, l.colour]));
    this.planes = Object.entries(about.planes).map(([name, p]) => new Plane(name, p, this));
    this.stage = make('div', { className: 'planes' }, ...this.planes.map(p => p.node));
    this.readout = make('output');
    this.node = make('div', { className: 'view' }, this.bar(about), this.stage);
    new ResizeObserver(() => this.fit()).observe(this.node);
  }
  bar(about) {
    const windows = this.windows = make('select', {}, make('option', { textContent: 'own window', value: '' }), ...about.windows.map((w, n) => make('option', { value: n, textContent: w.name })));
    windows.setAttribute('aria-label', 'Grey scale');
    this.choices = about.windows;
    windows.onchange = () => { const w = about.windows[windows.value]; if (w) this.setWindow(w.low, w.high); };
    const box = (text, on, change, colour) => { const i = make('input', { type: 'checkbox', checked: on, onchange: () => { change(i.checked); this.draw(); } }); const l = make('label', {}, i, ' ', text); if (colour) l.style.color = colour; return l; };
    const number = (name, get, set) => { const i = make('input', { type: 'number', step: 'any', onchange: () => set(+i.value) }); i.setAttribute('aria-label', `window ${name}`); this[name] = i; return make('label', {}, name[0].toUpperCase(), ' ', i); };
    const level = number('level', null, v => this.setWindow(v - (this.high - this.low) / 2, v + (this.high - this.low) / 2));
    const width = number('width', null, v => { const c = (this.low + this.high) / 2; this.setWindow(c - v / 2, c + v / 2); });
    const labels = about.labels.slice(0, 12).map(l => box(`■ ${l.name}`, true, on => (on ? this.hidden.delete(l.value) : this.hidden.add(l.value)), l.colour));
    const help = 'Click: crosshair. Wheel or arrow keys over the clicked picture: slices. Shift and drag, or drag with the right button: window.';
    const bar = make('div', { className: 'bar', title: help }, windows, level, width, box('crosshair', true, on => (this.cross = on)), ...labels, this.readout);
    bar.setAttribute('role', 'group'); bar.setAttribute('aria-label', 'Viewer: ' + help);
    return bar;
  }
  setWindow(low, high) { if (!(high > low)) high = low + 1e-6; Object.assign(this, { low, high }); this.draw(); }
  drag(dx, dy, low, high) { const step = Math.max(high - low, 1e-6) / 300, c = (low + high) / 2 + dy * step, w = Math.max((high - low) + dx * step * 2, step); this.setWindow(c - w / 2, c + w / 2); }
  /** all planes at one scale: in a row, or the first beside the two others, whichever is larger; above each other where it is narrow */
  fit() {
    const room = this.node.clientWidth - 2, w = this.planes.map(p => p.size[0]), h = this.planes.map(p => p.size[1]), tallest = Math.max(...h);
    const [row, column] = [Math.min((room - 8 * (w.length - 1)) / w.reduce((a, b) => a + b), 480 / tallest), Math.min(room / Math.max(...w), 480 / tallest)];
    const two = w.length === 3 ? Math.min((room - 8) / (w[0] + Math.max(w[1], w[2])), 560 / Math.max(h[0], h[1] + h[2])) : 0;
    const narrow = room < 560 && w.length > 1;
    this.stage.classList.toggle('two', !narrow && two > row);
    const scale = narrow ? column : Math.max(row, two);
    if (scale > 0) { this.scale = scale; this.draw(); }
  }
  draw() {
    this.planes.forEach((p, n) => p.draw(n === 0));
    const short = v => +v.toPrecision(4);
    [this.level.value, this.width.value] = [short((this.low + this.high) / 2), short(this.high - this.low)];
    const named = this.choices.findIndex(w => w.low === this.low && w.high === this.high);
    this.windows.value = named < 0 ? '' : named;
    this.readout.textContent = `${short(this.voxels[this.at.reduce((s, v, a) => s + v * this.strides[a], 0)] * this.slope + this.inter)} ${this.unit}`;
  }
}

for (const place of document.querySelectorAll('[data-volume]')) {
  const about = JSON.parse(document.getElementById(place.dataset.volume).textContent), still = place.parentElement.querySelector('img');
  try {
    const view = new Volume(about, await unpack(about.voxels, about.type), about.mask && (await unpack(about.mask, about.maskType)));
    place.append(view.node);
    place.hidden = false;
    still?.classList.add('volume-still');   // it comes back in print
  } catch (e) { place.remove(); console.warn('The volume cannot be shown here; its picture stays.', e); }   // an old browser
}
