// The line that loads a volume, and its way into the active notebook.
import { PathExt } from '@jupyterlab/coreutils';
import { NotebookActions } from '@jupyterlab/notebook';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Entry } from './server';

const quote = (s: string) => `'${s.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;

const NRRD = (path: string) => [
  'import SimpleITK as sitk',
  `img = sitk.ReadImage(${path})`,
  'affine = np.eye(4)',
  'affine[:3,:3], affine[:3,3] = (np.array(img.GetDirection()).reshape(3,3)*img.GetSpacing())[:, ::-1], img.GetOrigin()',
  'vol = Volume(sitk.GetArrayFromImage(img), np.diag([-1,-1,1,1])@affine)'
];

/** Python that loads a volume, and a segmentation on it (its path) if one is given, run from a notebook in the folder `from`. */
export function loadCode(e: Entry, from: string, mask = ''): string {
  const { load, kind, part, folder, uid, nth } = e.code;
  const path = (p: string) => quote(PathExt.relative(from, p) || '.');
  const lines = ['from radnb.explore import *', ''];
  if (load !== undefined) {
    if (kind === 'seg') lines.push(`vol = read_seg(${path(load)})`);
    else if (kind === 'nifti') lines.push(`vol = Volume.from_nifti(${path(load)})`);
    else if (kind === 'itk') lines.push(...NRRD(path(load)));
    else lines.push(`vol = load_series(${path(load)}${part ? `, part=${quote(part)}` : ''})`);
  } else {
    lines.push(`series = series_table(index_dicom(${path(folder!)}))`);
    const which = `(series.SeriesInstanceUID == ${quote(uid!)})` + (part ? ` & (series.part == ${quote(part)})` : '');
    lines.push(`vol = load_series(series[${which}].iloc[${nth}])`);
  }
  if (mask) lines.push(`mask = read_mask_file(${path(mask)}, like=vol)`);
  return [...lines, mask ? 'view(vol, mask)' : 'view(vol)'].join('\n');
}

/** Put code into the active cell if that is empty, else into a new one below; false if no notebook is open. */
export function insertCode(tracker: INotebookTracker, e: Entry, mask = ''): boolean {
  const panel = tracker.currentWidget;
  if (!panel) return false;
  const code = loadCode(e, PathExt.dirname(panel.context.localPath), mask);
  let cell = panel.content.activeCell;
  if (!cell || cell.model.type !== 'code' || cell.model.sharedModel.getSource().trim()) {
    NotebookActions.insertBelow(panel.content);
    cell = panel.content.activeCell!;
  }
  cell.model.sharedModel.setSource(code);
  return true;
}
