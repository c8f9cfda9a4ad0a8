// Folders whose headers the server is reading: how far it is, and a button that stops it.
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { h } from './dom';
import { Job, jobs, started, stopJob } from './server';

const EVERY_MS = 700;

/** The list of jobs; empty and hidden where nothing is going on. */
export class JobList {
  readonly node = h('section', { className: 'radnb-Jobs', hidden: true });
  private rows = new Map<string, Row>();
  private timer = 0;

  constructor(readonly trans: TranslationBundle) {
    this.node.setAttribute('aria-label', trans.__('Jobs in progress'));
    this.node.append(h('h3', { className: 'radnb-Small' }, trans.__('Jobs in progress')));
    started.connect(this.look, this);
    this.look();
  }

  dispose(): void {
    started.disconnect(this.look, this);
    clearTimeout(this.timer);
  }

  /** Ask the server now and then, as long as it has something to do. */
  look(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), EVERY_MS);
  }

  private async ask(): Promise<void> {
    try {
      const found = await jobs();
      this.show(found);
      if (found.length) this.look();
    } catch {
      this.show([]); // the server is away: JupyterLab says so itself
    }
  }

  private show(found: Job[]): void {
    for (const [path, row] of this.rows) {
      if (found.some(j => j.path === path)) continue;
      row.node.remove();
      this.rows.delete(path);
    }
    for (const job of found) {
      let row = this.rows.get(job.path);
      if (!row) {
        row = new Row(job.path, this.trans);
        this.rows.set(job.path, row);
        this.node.append(row.node);
      }
      row.show(job);
    }
    this.node.hidden = !found.length;
  }
}

class Row {
  readonly node: HTMLElement;
  private bar = h('progress', { max: 1 });
  private count = h('span', { className: 'radnb-Small' });

  constructor(
    path: string,
    readonly trans: TranslationBundle
  ) {
    const name = PathExt.basename(path) || trans.__('all scans');
    const stop = h('button', { type: 'button', className: 'radnb-Button jp-mod-styled', 'aria-label': trans.__('Stop reading %1', name) }, trans.__('Stop'));
    stop.addEventListener('click', () => {
      stop.disabled = true;
      void stopJob(path);
    });
    this.bar.setAttribute('aria-label', trans.__('Reading headers of %1', name));
    this.node = h('div', { className: 'radnb-Job' }, h('span', { className: 'radnb-Title', title: path || '/' }, name), this.count, this.bar, stop);
  }

  show({ done, total }: Job): void {
    if (total) this.bar.value = done / total;
    this.count.textContent = total ? this.trans.__('%1 of %2 files', done, total) : this.trans.__('looking for files …');
  }
}
