// The present view as a picture. It names no patient; what is burned into the pixels stays in them.

/** Compose what stands in `frame` from its canvases, and from words that stand on them as elements. */
export function compose(frame: HTMLElement, canvases: HTMLCanvasElement[], words: HTMLElement[] = []): HTMLCanvasElement {
  const dpr = window.devicePixelRatio || 1;
  const box = frame.getBoundingClientRect();
  const out = document.createElement('canvas');
  [out.width, out.height] = [Math.round(box.width * dpr), Math.round(box.height * dpr)];
  const c = out.getContext('2d')!;
  c.fillStyle = 'black';
  c.fillRect(0, 0, out.width, out.height);
  for (const canvas of canvases) {
    const b = canvas.getBoundingClientRect();
    if (b.width && b.height) c.drawImage(canvas, (b.left - box.left) * dpr, (b.top - box.top) * dpr, b.width * dpr, b.height * dpr);
  }
  [c.textBaseline, c.lineWidth, c.lineJoin, c.strokeStyle, c.fillStyle] = ['middle', 3 * dpr, 'round', 'black', 'white'];
  for (const word of words) {
    const [b, style] = [word.getBoundingClientRect(), getComputedStyle(word)];
    c.font = `${style.fontWeight} ${parseFloat(style.fontSize) * dpr}px ${style.fontFamily}`;
    const at: [number, number] = [(b.left - box.left) * dpr, (b.top + b.height / 2 - box.top) * dpr];
    c.strokeText(word.textContent!, ...at);
    c.fillText(word.textContent!, ...at);
  }
  return out;
}

const png = (canvas: HTMLCanvasElement) => new Promise<Blob>((done, fail) => canvas.toBlob(b => (b ? done(b) : fail(new Error('no picture'))), 'image/png'));

/** To the clipboard; where the browser does not allow that, as a file. Says which it was. */
export async function keep(canvas: HTMLCanvasElement, asFile: boolean): Promise<'clipboard' | 'file'> {
  const blob = await png(canvas);
  if (!asFile && 'ClipboardItem' in window && navigator.clipboard?.write) {
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
      return 'clipboard';
    } catch {
      // not allowed: as a file
    }
  }
  const link = document.createElement('a');
  [link.href, link.download] = [URL.createObjectURL(blob), 'snapshot.png'];
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  return 'file';
}
