// Launcher cards and commands that make a notebook from a template.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { LabIcon } from '@jupyterlab/ui-components';
import { classifyIcon, exploreIcon, segmentIcon } from './icons';
import { template } from './server';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'radnb:launcher',
  description: 'Notebooks to start from: Explore, Classify, Segment.',
  autoStart: true,
  optional: [ITranslator, ILauncher, ICommandPalette, IDefaultFileBrowser],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null, cards: ILauncher | null, palette: ICommandPalette | null, browser: IDefaultFileBrowser | null) => {
    const trans = (translator ?? nullTranslator).load('radnb');
    const kinds: [string, string, string, LabIcon][] = [
      ['explore', trans.__('Explore'), trans.__('Look through a folder of scans'), exploreIcon],
      ['classify', trans.__('Classify'), trans.__('From DICOM and a table of labels to a judged classifier'), classifyIcon],
      ['segment', trans.__('Segment'), trans.__('From DICOM with segmentations to a judged network'), segmentIcon]
    ];
    kinds.forEach(([name, label, caption, icon], rank) => {
      const command = `radnb:new-${name}`;
      app.commands.addCommand(command, {
        label: args => (args.isPalette ? trans.__('New Notebook: %1', label) : label),
        caption,
        icon,
        execute: args => create(app, name, label, (args.cwd as string) ?? browser?.model.path ?? '').catch(e => showErrorMessage(trans.__('No notebook could be made'), e))
      });
      cards?.add({ command, category: 'radnb', rank });
      palette?.addItem({ command, category: 'radnb', args: { isPalette: true } });
    });
  }
};

/** A new notebook `Explore.ipynb` (or `Explore-1.ipynb`, ...) in the folder `cwd`, opened. */
async function create(app: JupyterFrontEnd, name: string, label: string, cwd: string): Promise<void> {
  const { contents } = app.serviceManager;
  const content = await template(name);
  const taken = new Set((await contents.get(cwd)).content.map((f: { name: string }) => f.name));
  const names = function* () {
    yield `${label}.ipynb`;
    for (let i = 1; ; i++) yield `${label}-${i}.ipynb`;
  };
  let file = '';
  for (file of names()) if (!taken.has(file)) break;
  const path = PathExt.join(cwd, file);
  await contents.save(path, { type: 'notebook', format: 'json', content });
  await app.commands.execute('docmanager:open', { path });
}
