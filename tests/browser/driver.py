"Drive JupyterLab in headless Chromium: start a server, open notebooks, run them, and see what was drawn. Used by the tests and by screenshot.py."
import ast, io, json, os, shutil, socket, subprocess, sys, time, urllib.error, urllib.request
from pathlib import Path
import nbformat
import numpy as np

#: Software WebGL2, so that the viewer draws on a machine without a graphics card
WEBGL = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist']
#: No name but localhost resolves: whatever a page asks for elsewhere fails (and is recorded by `Notebook.blocked`)
QUIET = ['--no-sandbox', '--disable-quic', '--disable-background-networking', '--force-color-profile=srgb',
         '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost']
TOKEN = 'radnb-test'

COUNT_DRAWS = """
window.__draws = 0;
for (const k of ['drawArrays','drawElements','drawArraysInstanced','drawElementsInstanced']) {
  const P = window.WebGL2RenderingContext?.prototype; if (!P) break;
  const f = P[k]; P[k] = function(...a) { window.__draws++; return f.apply(this, a) };
}"""

def find_chromium():
    "Chromium's path: `RADNB_CHROMIUM`, or a browser of the system; None if there is none."
    names = [os.environ.get('RADNB_CHROMIUM'), 'chromium', 'chromium-browser', 'google-chrome']
    return next((p for n in names if n and (p := shutil.which(n))), None)

def write_notebook(path, cells):
    "A notebook of code cells."
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nb.metadata.kernelspec = dict(name='python3', display_name='Python 3', language='python')
    nbformat.write(nb, path)
    return Path(path)

class Lab:
    "A JupyterLab server in a folder of its own, on a free port."
    def __init__(self, root):
        self.root = Path(root)/'notebooks'; self.root.mkdir(parents=True)
        with socket.socket() as s: s.bind(('127.0.0.1', 0)); self.port = s.getsockname()[1]
        self.url, conf = f'http://localhost:{self.port}', Path(root)/'jupyter'
        note = conf/'settings'/'@jupyterlab'/'apputils-extension'/'notification.jupyterlab-settings'
        note.parent.mkdir(parents=True); note.write_text(json.dumps(dict(fetchNews='false', checkForUpdates=False, doNotDisturbMode=True)))
        env = dict(os.environ, JUPYTER_CONFIG_DIR=str(conf), JUPYTERLAB_SETTINGS_DIR=str(conf/'settings'), JUPYTERLAB_WORKSPACES_DIR=str(conf/'workspaces'),
                   IPYTHONDIR=str(conf/'ipython'))
        for k in ('MPLBACKEND','PYTHONWARNINGS','RADNB_STATIC'): env.pop(k, None)
        env['RADNB_DATA'] = os.environ.get('RADNB_DATA', str(Path(__file__).resolve().parents[3]/'shared'/'data'))
        self.log = open(Path(root)/'lab.log', 'w')
        self.process = subprocess.Popen([sys.executable, '-m', 'jupyterlab', '--no-browser', '--allow-root', f'--port={self.port}', '--ServerApp.ip=127.0.0.1',
            f'--IdentityProvider.token={TOKEN}', f'--ServerApp.root_dir={self.root}', '--LabApp.expose_app_in_browser=True'],
            stdout=self.log, stderr=subprocess.STDOUT, env=env)

    def wait(self, seconds=60):
        "Until the server answers."
        end = time.time()+seconds
        while time.time() < end:
            if self.process.poll() is not None: raise RuntimeError(f'JupyterLab ended: {Path(self.log.name).read_text()[-2000:]}')
            try: return json.load(urllib.request.urlopen(f'{self.url}/api/status?token={TOKEN}', timeout=5))
            except (urllib.error.URLError, ConnectionError, TimeoutError): time.sleep(.2)
        raise TimeoutError('JupyterLab did not start')

    def stop(self):
        self.process.terminate()
        self.process.wait(20); self.log.close()

def open_page(browser, size=(1400,900)):
    "A page in the browser's one context, so that JupyterLab's own files are loaded once and then cached."
    if not browser.contexts:
        context = browser.new_context(viewport=dict(width=size[0], height=size[1]), service_workers='block')
        context.add_init_script(COUNT_DRAWS)
    page = browser.contexts[0].new_page()
    page.set_viewport_size(dict(width=size[0], height=size[1]))
    return page

class Notebook:
    "One notebook in one browser page."
    def __init__(self, browser, lab, name, cells=None, size=(1400,900)):
        self.lab, self.path, self.blocked, self.errors, self.page = lab, lab.root/name, [], [], open_page(browser, size)
        if cells: write_notebook(self.path, cells)
        self.page.on('pageerror', lambda e: self.errors.append(str(e)))
        self.page.on('request', lambda r: r.url.startswith((lab.url, 'data:', 'blob:')) or self.blocked.append(r.url))
        self.page.goto(f'{lab.url}/lab/workspaces/{self.path.stem}-{time.time_ns()}/tree/{name}?token={TOKEN}', wait_until='domcontentloaded')
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'", timeout=60_000)

    def run_all(self, seconds=60):
        "Run every cell, wait until the last is done, and raise if one failed."
        self.page.evaluate("async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        self.page.wait_for_function("""() => {
            const code = window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type === 'code').map(c => c.model);
            return code.some(m => m.outputs.toJSON().some(o => o.output_type === 'error')) || code.every(m => m.executionCount && m.executionState !== 'running') }""",
            timeout=seconds*1000)
        self.page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'", timeout=seconds*1000)
        failed = [o for c in self.cells() for o in c.get('outputs', []) if o['output_type'] == 'error']
        if failed: raise RuntimeError('\n'.join(failed[0]['traceback']))

    def cells(self):
        "The cells as they now stand in the page, with their outputs."
        return self.page.evaluate("window.jupyterapp.shell.currentWidget.content.model.toJSON().cells")

    def execute(self, code):
        "Run code in the notebook's kernel, without a cell."
        self.page.evaluate("""async code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            await kernel.requestExecute({code, store_history: false}).done }""", code)

    def ask(self, expression):
        "The value of a Python expression in the notebook's kernel, without running a cell."
        reply = self.page.evaluate("""async e => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const code = `__import__('json').dumps(${e})`;
            return (await kernel.requestExecute({code: '', user_expressions: {v: code}, store_history: false}).done).content.user_expressions.v }""", expression)
        if reply['status'] != 'ok': raise RuntimeError(f'{expression}: {reply}')
        return json.loads(ast.literal_eval(reply['data']['text/plain']))

    def save(self):
        "Save, and read what is on disk."
        self.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.context.save() }")
        return nbformat.read(self.path, as_version=4)

    def wait_drawn(self, n=1, seconds=60):
        "Until `n` viewers have drawn; returns their canvases."
        self.page.wait_for_function(f"document.querySelectorAll('[data-radnb=drawn] canvas').length >= {n}", timeout=seconds*1000)
        found = self.page.locator('[data-radnb=drawn] canvas')
        for i in range(n): self.wait_until(lambda i=i: grey_levels(self.pixels(found.nth(i))) > 20, f'canvas {i} stays blank', seconds)
        return found

    def pixels(self, locator):
        "What an element looks like: uint8 (rows, columns, 3)."
        from PIL import Image
        locator.scroll_into_view_if_needed()
        return np.asarray(Image.open(io.BytesIO(locator.screenshot(animations='disabled'))).convert('RGB'))

    def wait_until(self, condition, message, seconds=30):
        end = time.time()+seconds
        while not condition():
            if time.time() > end: raise AssertionError(f'{message}; page errors: {self.errors}')
            self.page.wait_for_timeout(100)

    def draws(self): return self.page.evaluate('window.__draws')

    def __enter__(self): return self
    def __exit__(self, *args): self.close()

    def close(self):
        "Close the page and end its kernel."
        self.page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }")
        self.page.close()

def grey_levels(pixels):
    "How many different grey values cover more than a few pixels: 1 or 2 on a blank canvas, dozens on a scan."
    return int((np.bincount(pixels.mean(-1).astype(int).ravel(), minlength=256) > 20).sum())
