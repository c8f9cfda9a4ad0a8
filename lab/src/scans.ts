// Scans open from the file browser: file types, the viewer's tab, commands.
import { ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import { ABCWidgetFactory, DocumentModel, DocumentRegistry, DocumentWidget, IDocumentWidget, TextModelFactory } from '@jupyterlab/docregistry';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator, TranslationBundle } from '@jupyterlab/translation';
import { insertCode } from './code';
import { scanIcon } from './icons';
import { ScanPanel } from './panel';
import { Entry, list } from './server';
import type { Layout } from './state';

const FACTORY = 'Scan viewer';

/** The document's model holds nothing: the file never travels as a whole, the panel gets its path. It can neither be saved nor checkpointed: JupyterLab would write an empty file or a copy. */
class PathModel extends DocumentModel {
  get collaborative(): boolean {
    return true; // to JupyterLab: not mine to save
  }
  toString(): string {
    throw new Error('Scans are looked at and never written.');
  }
}

class PathModelFactory extends TextModelFactory {
  get name(): string {
    return 'radnb-path';
  }
  get fileFormat(): any {
    return null;
  }
  get collaborative(): boolean {
    return false;
  }
  createNew(): PathModel {
    return new PathModel();
  }
}

const text = (name: string, displayName: string, mime: string, extensions: string[], pattern?: string): Partial<DocumentRegistry.IFileType> & { name: string } => ({
  name, displayName, mimeTypes: [mime], extensions, pattern, contentType: 'file', fileFormat: 'text', icon: scanIcon
}); // prettier-ignore

/** Names as scanners and CDs give them to files without an extension: IM000001, I10, 00000001, A1B2C3D4, 1.2.840.113619.2.55. */
const EXTENSIONLESS = '^(IM[-_]?\\d+|IMG[-_]?\\d+|I\\d+|MR[-_.]?\\d+|CT[-_.]?\\d+|\\d{8}|[0-9A-F]{8}|\\d+(\\.\\d+){6,})$';

const FILE_TYPES = [
  text('radnb-dicom', 'DICOM', 'application/dicom', ['.dcm', '.dicom', '.ima']),
  text('radnb-dicom-media', 'DICOM', 'application/dicom', [], EXTENSIONLESS),
  text('radnb-nifti', 'NIfTI', 'application/x-nifti', ['.nii', '.nii.gz']),
  text('radnb-nrrd', 'NRRD', 'application/x-nrrd', ['.nrrd', '.nhdr']),
  text('radnb-meta', 'MetaImage', 'application/x-metaimage', ['.mha', '.mhd'])
];

type ScanDocument = IDocumentWidget<ScanPanel>;

class ScanFactory extends ABCWidgetFactory<ScanDocument> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<ScanDocument>,
    private make: (path: string) => ScanPanel
  ) {
    super(options);
  }

  protected createNewWidget(context: DocumentRegistry.Context): ScanDocument {
    const panel = this.make(context.localPath);
    const doc = new DocumentWidget({ content: panel, context });
    doc.title.icon = scanIcon;
    doc.toolbar.hide();
    return doc;
  }
}

export const scans: JupyterFrontEndPlugin<void> = {
  id: 'radnb:scans',
  description: 'Opens DICOM, NIfTI, NRRD and MetaImage from the file browser.',
  autoStart: true,
  optional: [ITranslator, ICommandPalette, IFileBrowserFactory, ILayoutRestorer, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    browsers: IFileBrowserFactory | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null
  ) => {
    const trans = (translator ?? nullTranslator).load('radnb');
    const insert = notebooks && !ONE_DOCUMENT ? (e: Entry, mask: string) => say(insertCode(notebooks, e, mask), trans) : undefined;
    const make = (path: string) => new ScanPanel(path, trans, insert);
    const documents = documentTracker(app, make, trans, restorer);
    const folders = folderTracker(app, make, trans, restorer);
    const current = () => {
      const widget = app.shell.currentWidget;
      if (widget && documents.has(widget)) return (widget as ScanDocument).content;
      return widget && folders.has(widget) ? (widget as MainAreaWidget<ScanPanel>).content : undefined;
    };
    addOpenCommands(app, trans, browsers);
    addViewCommands(app, trans, current);
    if (palette) for (const command of PALETTE) palette.addItem({ command, category: 'radnb' });
  }
};

function say(done: boolean, trans: TranslationBundle): void {
  if (done) Notification.success(trans.__('The code is in the active notebook.'), { autoClose: 2500 });
  else Notification.warning(trans.__('Open a notebook first: the code goes into its active cell.'), { autoClose: 5000 });
}

type Make = (path: string) => ScanPanel;

/** Files: a document factory, so that a double click opens them. */
function documentTracker(app: JupyterFrontEnd, make: Make, trans: TranslationBundle, restorer: ILayoutRestorer | null): WidgetTracker<ScanDocument> {
  const tracker = new WidgetTracker<ScanDocument>({ namespace: 'radnb-scans' });
  for (const type of FILE_TYPES) app.docRegistry.addFileType(type);
  app.docRegistry.addModelFactory(new PathModelFactory());
  const names = FILE_TYPES.map(t => t.name);
  const factory = new ScanFactory(
    { name: FACTORY, label: trans.__('Scan viewer'), modelName: 'radnb-path', fileTypes: [...names, '*'], defaultFor: names, readOnly: true },
    make
  );
  factory.widgetCreated.connect((_, doc) => {
    doc.context.pathChanged.connect(() => void tracker.save(doc));
    void tracker.add(doc);
  });
  app.docRegistry.addWidgetFactory(factory as any);
  void restorer?.restore(tracker, { command: 'docmanager:open', args: doc => ({ path: doc.context.path, factory: FACTORY }), name: doc => doc.context.path });
  return tracker;
}

/** Notebook 7 shows one document a page. */
const ONE_DOCUMENT = !!PageConfig.getOption('notebookPage');

/** Where a folder cannot be shown, the first volume in it can: the others that lie beside it are in its strip. */
async function openFirst(app: JupyterFrontEnd, path: string): Promise<void> {
  const found = await list(path);
  if (found.entries.length) await app.commands.execute('docmanager:open', { path: found.entries[0].file, factory: FACTORY });
}

/** Folders are no documents to JupyterLab: they get a tab of their own. */
function folderTracker(app: JupyterFrontEnd, make: Make, trans: TranslationBundle, restorer: ILayoutRestorer | null): WidgetTracker<MainAreaWidget<ScanPanel>> {
  const tracker = new WidgetTracker<MainAreaWidget<ScanPanel>>({ namespace: 'radnb-folders' });
  const open = async (path: string, series?: string) => {
    if (ONE_DOCUMENT) return openFirst(app, path);
    let widget = tracker.find(w => w.content.path === path);
    if (!widget) {
      const content = make(path);
      widget = new MainAreaWidget({ content });
      widget.id = `radnb-folder-${Date.now()}`;
      widget.title.label = PathExt.basename(path) || trans.__('all scans');
      widget.title.caption = path;
      widget.title.icon = scanIcon;
      widget.title.closable = true;
      widget.toolbar.hide();
      app.shell.add(widget, 'main');
      void tracker.add(widget);
    }
    app.shell.activateById(widget.id);
    if (series) widget.content.openSeries(series);
  };
  app.commands.addCommand('radnb:open-folder', {
    label: trans.__('Open as series'),
    caption: trans.__('Look at all scans of a folder'),
    icon: scanIcon,
    execute: args => open((args.path as string) ?? '', args.series as string | undefined),
    describedBy: { args: { type: 'object', properties: { path: { type: 'string' }, series: { type: 'string' } } } }
  });
  void restorer?.restore(tracker, { command: 'radnb:open-folder', args: w => ({ path: w.content.path }), name: w => w.content.path });
  return tracker;
}

const PALETTE = ['radnb:open-here', 'radnb:open-selected', 'radnb:mpr', 'radnb:axial', 'radnb:coronal', 'radnb:sagittal', 'radnb:grid', 'radnb:3d', 'radnb:snapshot', 'radnb:outline', 'radnb:keys', 'radnb:next-window', 'radnb:reset', 'radnb:crosshair', 'radnb:header'];

/** What the file browser's menu offers. */
function addOpenCommands(app: JupyterFrontEnd, trans: TranslationBundle, browsers: IFileBrowserFactory | null): void {
  const chosen = () => [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])];
  const local = (path: string) => app.serviceManager.contents.localPath(path);
  app.commands.addCommand('radnb:open-selected', {
    label: trans.__('Open as scan'),
    caption: trans.__('Open the selected file as a scan, whatever it is called'),
    icon: scanIcon,
    isEnabled: () => chosen().some(f => f.type !== 'directory'),
    execute: () => chosen().filter(f => f.type !== 'directory').forEach(f => void app.commands.execute('docmanager:open', { path: f.path, factory: FACTORY })) // prettier-ignore
  });
  app.commands.addCommand('radnb:open-selected-folder', {
    label: trans.__('Open as series'),
    icon: scanIcon,
    isEnabled: () => chosen().some(f => f.type === 'directory'),
    execute: () => chosen().filter(f => f.type === 'directory').forEach(f => void app.commands.execute('radnb:open-folder', { path: local(f.path) })) // prettier-ignore
  });
  app.commands.addCommand('radnb:open-here', {
    label: trans.__('Open the Current Folder as Series'),
    icon: scanIcon,
    isEnabled: () => !!browsers?.tracker.currentWidget,
    execute: () => app.commands.execute('radnb:open-folder', { path: local(browsers!.tracker.currentWidget!.model.path) })
  });
  app.contextMenu.addItem({ command: 'radnb:open-selected', selector: '.jp-DirListing-item[data-isdir="false"]', rank: 2 });
  app.contextMenu.addItem({ command: 'radnb:open-selected-folder', selector: '.jp-DirListing-item[data-isdir="true"]', rank: 2 });
}

/** What the keys do in the viewer (their bindings are in the settings, to be changed there). */
function addViewCommands(app: JupyterFrontEnd, trans: TranslationBundle, current: () => ScanPanel | undefined): void {
  const add = (id: string, label: string, act: (p: ScanPanel) => void) =>
    app.commands.addCommand(`radnb:${id}`, { label, isEnabled: () => !!current(), execute: () => act(current()!) });
  const layouts: [Layout, string][] = [
    ['mpr', trans.__('Show Three Planes')],
    ['axial', trans.__('Show Axial Slices')],
    ['coronal', trans.__('Show Coronal Slices')],
    ['sagittal', trans.__('Show Sagittal Slices')],
    ['grid', trans.__('Show the Light Box')],
    ['3d', trans.__('Show in 3D')]
  ];
  for (const [layout, label] of layouts) add(layout, label, p => p.setLayout(layout));
  add('next-window', trans.__('Next Window'), p => p.nextWindow());
  add('reset', trans.__('Reset the View'), p => p.reset());
  add('crosshair', trans.__('Show or Hide the Crosshair'), p => p.toggleCrosshair());
  add('outline', trans.__('Mask as Outline or Filled'), p => p.toggleOutline());
  add('snapshot', trans.__('Copy a Snapshot'), p => p.snapshot());
  add('keys', trans.__('Keys and Mouse of the Viewer'), p => p.help());
  add('header', trans.__('Show or Hide the Header'), p => p.toggleHeader());
}
