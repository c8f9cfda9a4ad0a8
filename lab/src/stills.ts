// A notebook reopened without its kernel: where a live view of radnb's cannot be had, its picture is enough, and "model not found" need not be said.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { CodeCell } from '@jupyterlab/cells';
import { INotebookTracker } from '@jupyterlab/notebook';
import type { Notebook } from '@jupyterlab/notebook';
import type { OutputArea } from '@jupyterlab/outputarea';

const WIDGET = 'application/vnd.jupyter.widget-view+json';
const LIVE = /^\s*<!-- (the )?live /; // what radnb puts beside a live view that has its own picture

/** Mark the outputs that are live views of radnb's; the style sheet hides those that stay without a widget. */
function mark(area: OutputArea): void {
  const { model } = area;
  for (let i = 0; i < Math.min(model.length, area.widgets.length); i++) {
    const data = model.get(i).data;
    area.widgets[i].toggleClass('radnb-LiveOutput', WIDGET in data && LIVE.test(String(data['text/html'] ?? '')));
  }
}

/** Look at a notebook's outputs, and again whenever some are put into the page. */
function watch(notebook: Notebook): void {
  let timer = 0;
  const look = () => {
    timer = 0;
    for (const cell of notebook.widgets) {
      const area = (cell as CodeCell).outputArea as OutputArea | undefined; // other cells have none
      if (area) mark(area);
    }
  };
  const isOutput = (n: Node) => n instanceof HTMLElement && (n.matches('.jp-OutputArea-child, .jp-OutputArea-output') || !!n.querySelector('.jp-OutputArea-child'));
  const observer = new MutationObserver(records => {
    if (!timer && records.some(r => [...r.addedNodes].some(isOutput))) timer = window.setTimeout(look, 50);
  });
  observer.observe(notebook.node, { childList: true, subtree: true });
  notebook.disposed.connect(() => observer.disconnect());
  look();
}

export const stills: JupyterFrontEndPlugin<void> = {
  id: 'radnb:stills',
  description: "Hides 'model not found' where radnb's own picture stands beside it.",
  autoStart: true,
  optional: [INotebookTracker],
  activate: (_: JupyterFrontEnd, tracker: INotebookTracker | null) => {
    tracker?.widgetAdded.connect((_, panel) => void panel.context.ready.then(() => watch(panel.content)));
  }
};
