// Hosts itkwidgets offline, in the place of imjoy-jupyterlab-extension (which package.json switches off: it loads its parts from public servers).
// The kernel, or the cell of `view(..., backend='itk')`, calls window.connectPlugin; nothing is loaded before that.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';

/** Connect a kernel's newest plugin to this page. `radnb` says that this is our host and not another extension's. */
export type Connect = ((kernelId: string) => Promise<void>) & { radnb?: true };

declare global {
  interface Window {
    connectPlugin?: Connect;
  }
}

/** The page's own connection to a kernel: that of the notebook or console that runs it. */
function kernelConnection(app: JupyterFrontEnd, id: string): Kernel.IKernelConnection | undefined {
  for (const widget of app.shell.widgets('main')) {
    const { sessionContext } = widget as { sessionContext?: ISessionContext };
    const kernel = sessionContext?.session?.kernel;
    if (kernel?.id === id) return kernel;
  }
  return undefined;
}

export const itk: JupyterFrontEndPlugin<void> = {
  id: 'radnb:itk',
  description: 'Runs itkwidgets without the internet.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => {
    const connect: Connect = async kernelId => {
      const kernel = kernelConnection(app, kernelId);
      if (!kernel) throw new Error('no notebook of this page runs that kernel');
      const { connectPlugin } = await import('./itkhost');
      await connectPlugin(kernel);
    };
    connect.radnb = true;
    window.connectPlugin = connect;
  }
};
