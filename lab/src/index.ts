// One plugin per file; a new one is imported here and put into the list.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { itk } from './itk';
import { launcher } from './launcher';
import { scans } from './scans';
import { sidebar } from './sidebar';
import { stills } from './stills';

const plugins: JupyterFrontEndPlugin<any>[] = [scans, sidebar, launcher, stills, itk];

export default plugins;
