// ImJoy, which lets the kernel call the viewer and the viewer call the kernel; fetched when the first viewer is asked for. No request leaves the server that
// JupyterLab came from: ImJoy's default plugins are not loaded, and the viewer's page is our own copy.
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { Kernel } from '@jupyterlab/services';
import { CommConnection } from './itkcomm';

// What we use of imjoy-core, which has no types of its own.

interface Plugin {
  id: string;
  api: { run(context: { config: object; data: object }): Promise<void> };
}

/** What a plugin asks for when it wants a window. */
interface WindowRequest {
  src?: string;
  window_id: string;
}

/** A window that ImJoy has made. */
interface Frame {
  api: { show?: () => void };
  show?: () => void;
}

interface ImJoy {
  init(): Promise<void>;
  readonly event_bus: { on(event: 'add_window', handler: (frame: Frame) => void): void };
  readonly pm: {
    connectPlugin(connection: object): Promise<Plugin>;
    createWindow(plugin: Plugin, request: WindowRequest, extra?: object): Promise<object>;
  };
}

declare global {
  interface Window {
    imjoyCore?: { ImJoy: new (options: object) => ImJoy };
  }
}

const HEIGHT = 600; // px, where nothing has set a height

/** Where copy.sh has put the viewer. */
function assets(): string {
  const extensions = PageConfig.getOption('fullLabextensionsUrl') || URLExt.join(PageConfig.getBaseUrl(), 'lab/extensions');
  return new URL(URLExt.join(extensions, 'radnb/static/itk') + '/', location.href).href;
}

/** ImJoy keeps a list of workspaces in the browser; here there is one, and nothing is kept. */
const noDatabase = {
  get: async (name: string) => {
    if (name !== 'workspace_list') throw { name: 'not_found' };
    return { list: ['default'] };
  },
  put: async () => undefined
};

/** An element with the id that ImJoy will look for, in the output of the cell whose plugin asks. */
function makeRoom(plugin: Plugin, request: WindowRequest): void {
  const output = document.getElementById(plugin.id);
  if (!output || document.getElementById(request.window_id)) return;
  const room = document.createElement('div');
  room.id = request.window_id;
  room.style.width = '100%';
  room.style.height = output.style.height || `${HEIGHT}px`;
  output.append(room);
}

/** imjoy-core comes as an old-fashioned script, which leaves one global name. */
async function loadCore(url: string): Promise<new (options: object) => ImJoy> {
  const script = Object.assign(document.createElement('script'), { src: url });
  await new Promise((loaded, failed) => {
    script.onload = loaded;
    script.onerror = () => failed(new Error(`${url} is missing`));
    document.head.append(script);
  });
  if (!window.imjoyCore) throw new Error(`${url} is not imjoy-core`);
  return window.imjoyCore.ImJoy;
}

async function start(): Promise<ImJoy> {
  const base = assets();
  const ImJoy = await loadCore(`${base}imjoy-core.min.js`);
  const quiet = () => undefined;
  const imjoy: ImJoy = new ImJoy({
    default_base_frame: `${base}index.html`,
    default_rpc_base_url: base,
    config_db: noDatabase,
    imjoy_api: {
      createWindow(plugin: Plugin, request: WindowRequest, extra?: object) {
        makeRoom(plugin, request);
        return imjoy.pm.createWindow(plugin, { ...request, src: `${base}index.html` }, extra);
      },
      showMessage: quiet, showStatus: quiet, showProgress: quiet, showSnackbar: quiet
    }
  }); // prettier-ignore
  imjoy.event_bus.on('add_window', frame => {
    frame.api.show = frame.show = quiet; // it stands in the notebook already
  });
  await imjoy.init();
  return imjoy;
}

let host: Promise<ImJoy> | undefined;

/** Let the plugin that the kernel has exported last make its window in this page. */
export async function connectPlugin(kernel: Kernel.IKernelConnection): Promise<void> {
  host ??= start();
  const plugin = await (await host).pm.connectPlugin(new CommConnection(kernel));
  await plugin.api.run({ config: {}, data: {} });
}
