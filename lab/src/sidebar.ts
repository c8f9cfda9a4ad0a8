// The sidebar: folders that were indexed, their patients and series, and the code that loads one.
import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, codeIcon, LabIcon, refreshIcon } from '@jupyterlab/ui-components';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { insertCode, loadCode } from './code';
import { date, h, sentence } from './dom';
import { scanIcon } from './icons';
import { JobList } from './jobs';
import { Entry, list, Listing, Trouble } from './server';
import { facts, picture } from './strip';

const STATE = 'radnb:folders';

interface Actions {
  open: (path: string, e: Entry) => void;
  insert: (e: Entry) => void;
  code: (e: Entry) => string;
  here: () => string | undefined;
  save: (folders: string[]) => void;
}

export class Sidebar extends Widget {
  private folders = new Map<string, Folder>();
  private list = h('div', { className: 'radnb-Folders' });
  private empty: HTMLElement;
  private jobs: JobList;

  constructor(
    readonly trans: TranslationBundle,
    readonly actions: Actions
  ) {
    super();
    this.id = 'radnb-sidebar';
    this.title.icon = scanIcon;
    this.title.caption = trans.__('Scans');
    this.addClass('radnb-Sidebar');
    const t = trans;
    const add = h(
      'button',
      { type: 'button', className: 'radnb-Button jp-mod-styled', title: t.__('Index the folder that the file browser shows'), onclick: () => this.addHere() },
      t.__('Index current folder')
    );
    this.jobs = new JobList(t);
    this.empty = h('p', { className: 'radnb-Small radnb-Empty' }, t.__('Go to a folder with scans in the file browser, then index it here: its patients and series appear in this list.'));
    this.node.append(h('div', { className: 'radnb-SidebarBar' }, h('h2', {}, t.__('Scans')), add), this.jobs.node, this.empty, this.list);
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.jobs.dispose();
    super.dispose();
  }

  protected onAfterShow(_: Message): void {
    this.jobs.look(); // another window may have started some
  }

  addHere(): void {
    const path = this.actions.here();
    if (path !== undefined) this.addFolder(path);
  }

  /** Index a folder and show it; again, if it is there already. */
  addFolder(path: string, save = true): void {
    let folder = this.folders.get(path);
    if (!folder) {
      folder = new Folder(path, this.trans, this.actions, () => this.remove(path));
      this.folders.set(path, folder);
      this.list.append(folder.node);
      this.empty.hidden = true;
    }
    void folder.index();
    if (save) this.actions.save([...this.folders.keys()]);
  }

  private remove(path: string): void {
    this.folders.get(path)?.node.remove();
    this.folders.delete(path);
    this.empty.hidden = this.folders.size > 0;
    this.actions.save([...this.folders.keys()]);
  }
}

/** One indexed folder. */
class Folder {
  readonly node: HTMLDetailsElement;
  private about = h('span', { className: 'radnb-Small', role: 'status' });
  private progress = h('progress', { max: 1, hidden: true });
  private search: HTMLInputElement;
  private tree = h('div', { className: 'radnb-Tree' });
  private listing?: Listing;
  private turn = 0;

  constructor(
    readonly path: string,
    readonly trans: TranslationBundle,
    readonly actions: Actions,
    remove: () => void
  ) {
    const t = trans;
    const small = (icon: LabIcon, title: string, act: () => void) =>
      h('button', { type: 'button', className: 'radnb-Icon', title, 'aria-label': title, onclick: (e: Event) => (e.preventDefault(), act()) }, icon.element({ tag: 'span' }));
    this.search = h('input', { type: 'search', className: 'jp-mod-styled', placeholder: t.__('Search series'), 'aria-label': t.__('Search series'), hidden: true });
    this.search.addEventListener('input', () => this.show());
    const name = h('span', { className: 'radnb-Title', title: path || '/' }, PathExt.basename(path) || t.__('all scans'));
    const tools = h('span', { className: 'radnb-Tools' }, small(refreshIcon, t.__('Look again'), () => void this.index()), small(closeIcon, t.__('Take off this list'), remove));
    this.node = h('details', { open: true, className: 'radnb-Folder' }, h('summary', {}, name, tools), this.about, this.progress, this.search, this.tree);
  }

  async index(): Promise<void> {
    const turn = ++this.turn;
    const t = this.trans;
    this.progress.hidden = false;
    this.progress.removeAttribute('value');
    this.about.textContent = t.__('Reading headers …');
    try {
      const found = await list(this.path, p => {
        if (p.total) this.progress.value = p.done / p.total;
        this.about.textContent = t.__('Reading headers: %1 of %2', p.done, p.total);
      });
      if (turn !== this.turn) return;
      this.listing = found;
      this.search.hidden = found.entries.length < 6;
      this.show();
    } catch (e) {
      if (turn !== this.turn) return;
      const { message, remedy } = e as Trouble;
      this.about.textContent = [message, remedy].filter(Boolean).map(sentence).join(' ');
    } finally {
      if (turn === this.turn) this.progress.hidden = true;
    }
  }

  private show(): void {
    const { entries, note } = this.listing!;
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = (e: Entry) => [e.title, e.Modality, e.PatientID, e.StudyDate, e.Manufacturer, e.verdict, e.folder].join(' ').toLowerCase();
    const found = entries.filter(e => words.every(w => text(e).includes(w)));
    const t = this.trans;
    const count = t._n('%1 volume', '%1 volumes', entries.length);
    this.about.textContent = [found.length < entries.length ? t.__('%1 of %2', found.length, count) : count, note && t.__('not shown: %1', note)].filter(Boolean).join(' · ');
    const groups = new Map<string, Entry[]>();
    for (const e of found) {
      const key = e.kind === 'dicom' ? `p ${e.PatientID ?? ''}` : `f ${e.folder}`;
      groups.set(key, [...(groups.get(key) ?? []), e]);
    }
    const few = found.length <= 12 || groups.size <= 3 || words.length > 0;
    this.tree.replaceChildren(...[...groups].map(([, members], i) => this.group(members, few && i < 20)));
  }

  /** A patient, or a folder of files; its series are made when it is opened. */
  private group(members: Entry[], open: boolean): HTMLElement {
    const t = this.trans;
    const e = members[0];
    const dicom = e.kind === 'dicom';
    const inner = PathExt.relative(this.path, e.folder);
    const title = dicom ? e.PatientID || t.__('no patient ID') : inner && inner !== '.' ? `${inner}/` : t.__('in this folder');
    const about = [dicom && e.PatientSex, dicom && age(e.PatientAge), t._n('%1 volume', '%1 volumes', members.length)].filter(Boolean).join(' · ');
    const inside = h('ul', { className: 'radnb-List' });
    const node = h('details', { className: 'radnb-Patient' }, h('summary', {}, h('span', { className: dicom ? 'radnb-Title' : 'radnb-Title radnb-mod-path', title }, title), h('span', { className: 'radnb-Small' }, about)), inside);
    node.addEventListener('toggle', () => node.open && !inside.childElementCount && inside.append(...this.studies(members)));
    node.open = open;
    return node;
  }

  private studies(members: Entry[]): HTMLElement[] {
    const out: HTMLElement[] = [];
    let study: string | null | undefined = '';
    for (const e of members) {
      if (e.kind === 'dicom' && e.StudyInstanceUID !== study) {
        study = e.StudyInstanceUID;
        out.push(h('li', { className: 'radnb-Study radnb-Small' }, e.StudyDate ? this.trans.__('Study of %1', date(e.StudyDate)) : this.trans.__('Study')));
      }
      out.push(this.series(e));
    }
    return out;
  }

  private series(e: Entry): HTMLElement {
    const t = this.trans;
    const open = h('button', { type: 'button', className: 'radnb-Series', title: t.__('Open; or drag into a notebook'), onclick: () => this.actions.open(this.path, e) }, picture(this.path, e, t), facts(e, t));
    open.draggable = true;
    open.addEventListener('dragstart', d => d.dataTransfer!.setData('text/plain', this.actions.code(e)));
    const insert = h(
      'button',
      { type: 'button', className: 'radnb-Icon radnb-Insert', title: t.__('Insert code: the line that loads it, into the active notebook'), 'aria-label': t.__('Insert code for %1', e.title), onclick: () => this.actions.insert(e) },
      codeIcon.element({ tag: 'span' })
    );
    return h('li', { className: 'radnb-Item' }, open, insert);
  }
}

/** 061Y as 61 y. */
function age(text?: string | null): string {
  const m = /^0*(\d+)([YMWD])$/.exec(text ?? '');
  return m ? `${m[1]} ${m[2].toLowerCase()}` : '';
}

export const sidebar: JupyterFrontEndPlugin<void> = {
  id: 'radnb:sidebar',
  description: 'Indexed folders of scans, and code that loads them.',
  autoStart: true,
  optional: [ITranslator, IDefaultFileBrowser, INotebookTracker, IStateDB, ILayoutRestorer, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    browser: IDefaultFileBrowser | null,
    notebooks: INotebookTracker | null,
    db: IStateDB | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null
  ) => {
    if (PageConfig.getOption('notebookPage')) return; // Notebook 7 shows one document a page and has no sidebar for it
    const trans = (translator ?? nullTranslator).load('radnb');
    const local = (path: string) => app.serviceManager.contents.localPath(path);
    const panel = new Sidebar(trans, {
      open: (path, e) => void app.commands.execute('radnb:open-folder', { path, series: e.id }),
      insert: e => {
        if (notebooks && insertCode(notebooks, e)) app.shell.activateById(notebooks.currentWidget!.id);
        else Notification.warning(trans.__('Open a notebook first: the code goes into its active cell.'), { autoClose: 5000 });
      },
      code: e => loadCode(e, notebooks?.currentWidget ? PathExt.dirname(notebooks.currentWidget.context.localPath) : ''),
      here: () => browser && local(browser.model.path),
      save: folders => void db?.save(STATE, folders)
    } as Actions);
    app.shell.add(panel, 'left', { rank: 620, type: 'radnb' });
    restorer?.add(panel, 'radnb-sidebar');
    void db?.fetch(STATE).then(known => (known as string[] | undefined)?.forEach(f => panel.addFolder(f, false)));
    const show = () => app.shell.activateById(panel.id);
    app.commands.addCommand('radnb:sidebar', { label: trans.__('Show Scans'), icon: scanIcon, execute: show });
    app.commands.addCommand('radnb:index-here', { label: trans.__('Index the Current Folder'), icon: scanIcon, isEnabled: () => !!browser, execute: () => (show(), panel.addHere()) });
    app.commands.addCommand('radnb:index-selected', {
      label: trans.__('Index scans'),
      icon: scanIcon,
      execute: () => {
        show();
        for (const f of browser?.selectedItems() ?? []) if (f.type === 'directory') panel.addFolder(local(f.path));
      }
    });
    app.contextMenu.addItem({ command: 'radnb:index-selected', selector: '.jp-DirListing-item[data-isdir="true"]', rank: 2.1 });
    for (const command of ['radnb:sidebar', 'radnb:index-here']) palette?.addItem({ command, category: 'radnb' });
  }
};
