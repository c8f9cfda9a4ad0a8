// One plugin per file; a new one (for instance a host for itkwidgets in itk.ts) is imported here and put into the list.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { launcher } from './launcher';
import { scans } from './scans';
import { sidebar } from './sidebar';
import { stills } from './stills';

const plugins: JupyterFrontEndPlugin<any>[] = [scans, sidebar, launcher, stills];

export default plugins;
