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

function watch(notebook: Notebook): void {
  const seen = new WeakSet<OutputArea>();
  const look = () => {
    for (const cell of notebook.widgets) {
      const area = (cell as CodeCell).outputArea as OutputArea | undefined; // other cells have none
      if (!area) continue;
      if (!seen.has(area)) {
        seen.add(area);
        area.model.changed.connect(() => mark(area));
        area.outputLengthChanged.connect(() => mark(area));
      }
      mark(area);
    }
  };
  notebook.modelContentChanged.connect(look);
  notebook.cellInViewportChanged.connect(look);
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
