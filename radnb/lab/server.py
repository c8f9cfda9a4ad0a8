"Jupyter Server's routes below /radnb: what lies at a path, headers, volumes, slices, segmentations and thumbnails. The work is done in threads, so that the server never waits."
import asyncio, functools, json, queue, threading
from collections import OrderedDict
from concurrent.futures import Executor, Future
from pathlib import Path
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web
from traitlets import Float, Int, List, Unicode
from traitlets.config import LoggingConfigurable
from ..core import BadInput, RadnbError
from .paths import Guard, NotServed

TEMPLATES = Path(__file__).parents[1]/'templates'

class Workers(Executor):
    "Threads that do not keep the server from ending, as those of a ThreadPoolExecutor would: all they do is read."
    def __init__(self, n, name):
        self._todo = queue.SimpleQueue()
        for i in range(n): threading.Thread(target=self._run, name=f'{name}-{i}', daemon=True).start()

    def _run(self):
        while True:
            future,work = self._todo.get()
            if not future.set_running_or_notify_cancel(): continue
            try: result = work()
            except BaseException as e: future.set_exception(e)  # noqa: BLE001 (whoever waits for it hears)
            else: future.set_result(result)

    def submit(self, f, /, *args, **kwargs):
        future = Future()
        self._todo.put((future, functools.partial(f, *args, **kwargs)))
        return future

class RadnbServer(LoggingConfigurable):
    "Settings (`c.RadnbServer...` in jupyter_server_config.py) and what the routes share."
    cache_mb = Int(2000, config=True, help='Opened volumes are kept up to this size, MB.')
    max_volume_mb = Int(8000, config=True, help='Larger volumes are not opened, MB.')
    links = List(Unicode(), config=True, help="Folders outside the server's own into which links may lead.")
    patience = Float(2., config=True, help='Seconds after which the browser is told how far the reading of headers is.')

    def __init__(self, app):
        super().__init__(parent=app)
        contents = app.contents_manager
        self.guard = Guard(getattr(contents, 'root_dir', None) or app.root_dir, contents.allow_hidden, self.links)
        # neither thumbnails nor the headers of twenty thousand files stand in a volume's way
        self.work,self.small,self.index = Workers(4, 'radnb'), Workers(2, 'radnb-small'), Workers(2, 'radnb-index')
        self._listings,self._jobs,self._read,self._shelf,self._lock = OrderedDict(), {}, {}, None, threading.Lock()   # _read: listings of running jobs, by path

    @property
    def shelf(self):
        from .opening import Shelf
        with self._lock:
            if self._shelf is None: self._shelf = Shelf(self.guard, self.cache_mb, self.max_volume_mb)
        return self._shelf

    def _look(self, path, job=None):
        "The listing of `path`, brought up to date; `job` tells how far it is, and whether it shall end. Runs in a thread."
        from .listing import Listing
        full = self.guard.open(path)
        with self._lock:
            listing = self._listings[full] = self._listings.pop(full, None) or Listing(self.guard, full, max_mb=self.max_volume_mb)
            while len(self._listings) > 12: self._listings.popitem(last=False)
        self._read[path] = listing
        return listing.read(job)

    def job(self, path):
        "The task that lists `path`, started if need be: two who ask share it, and it waits a minute to be collected."
        task = self._jobs.get(path)
        if task is None:
            from .listing import Job
            loop,job = asyncio.get_running_loop(), Job()
            task = self._jobs[path] = asyncio.ensure_future(loop.run_in_executor(self.index, self._look, path, job))
            task.job = job   # can be stopped before a thread is free for it
            task.add_done_callback(lambda t: (t.exception(), loop.call_later(60, self.collect, path, t)))
        return task

    def collect(self, path, task):
        "The result of a finished task, which is then forgotten: whoever asks next has the files looked at again."
        if self._jobs.get(path) is task: del self._jobs[path]; self._read.pop(path, None)
        return task

    def progress(self, path):
        "(done, total) of the headers at `path`, as far as known."
        listing = self._read.get(path)
        return (listing.job.done, listing.job.total) if listing else (0, 0)

    def running(self):
        "The folders whose headers are being read."
        out = []
        for path in [p for p,t in self._jobs.items() if not t.done()]:
            done,total = self.progress(path)
            out.append(dict(path=path, done=done, total=total))
        return out

    def stop(self, path):
        "Ask the reading of headers at `path` to end; whoever waits for it hears that it was stopped. Returns whether there was any."
        self.guard.open(path)
        task = self._jobs.get(path)
        if task is None or task.done(): return False
        task.job.stop = True
        return True

    def entry(self, path, series):
        "The entry `series` at `path`: the one asked for by its file, or the first, if `series` is empty. Runs in a thread."
        full = self.guard.open(path)
        listing = self._listings.get(full)
        if listing is None or not (series and any(e.id == series for e in listing.entries)): listing = self._look(path)
        if series: found = next((e for e in listing.entries if e.id == series), None)
        else: found = listing.selected[0] if listing.selected else None if listing.single else next(iter(listing.entries), None)
        if found is None: raise NotServed(listing.note or 'No such volume here', path, listing.remedy or 'list the folder again: its files may have changed')
        return found

def _error(e):
    "A radnb error as JSON: what is wrong, where, what to do."
    return dict(error=type(e).__name__, what=e.what, where=Path(e.path).name if e.path is not None else None, remedy=e.remedy)

class _Route(APIHandler):
    "A GET route whose answer is made by `answer`, in a thread."
    auth_resource, pool = 'contents', 'work'

    @property
    def radnb(self): return self.settings['radnb']

    def set_default_headers(self):
        super().set_default_headers()
        self.set_header('Cache-Control', 'no-store')   # patients' images do not stay on the disk of the browser
        self.set_header('X-Content-Type-Options', 'nosniff')

    @web.authenticated
    @authorized
    async def get(self):
        try: await self.reply()
        except RadnbError as e: self.fail(e)

    def fail(self, e):
        self.set_status(404 if isinstance(e, NotServed) else 409 if type(e).__name__ == 'Stopped' else 422)
        self.finish(json.dumps(_error(e)))

    async def reply(self):
        self.send(await self.thread(self.answer))

    def thread(self, f, *args):
        return asyncio.get_running_loop().run_in_executor(getattr(self.radnb, self.pool), functools.partial(f, *args))

    def send(self, body, kind='application/json', **headers):
        for k,v in headers.items(): self.set_header(k.replace('_', '-'), v)
        self.finish(body if isinstance(body, bytes) else json.dumps(body), set_content_type=kind)

    @property
    def path(self): return self.get_query_argument('path', '', strip=False)

    def entry(self): return self.radnb.entry(self.path, self.get_query_argument('series', ''))

    @property
    def regular(self):
        how = self.get_query_argument('regular', 'raise')
        if how not in ('raise', 'as-is'): raise BadInput(f'regular={how!r}', remedy='raise or as-is')
        return how

    def opened(self): return self.radnb.shelf.get(self.entry(), self.regular)

    def drawn(self):
        "The segmentation named in the query, on its image; None if none is named."
        path = self.get_query_argument('mask', '', strip=False)
        return self.radnb.shelf.mask(self.entry(), self.regular, self.radnb.guard.open(path)) if path else None

    def number(self, name, default, kind=int, low=0, high=10**9):
        "A number of the query. Raises `BadInput`."
        text = self.get_query_argument(name, str(default))
        try: value = kind(text)
        except ValueError as e: raise BadInput(f'{name}={text!r} is no number') from e
        if not low <= value <= high: raise BadInput(f'{name}={text} is not between {low:g} and {high:g}')
        return value

class Series(_Route):
    "Which volumes lie at a path. While headers are still being read: status 202 and how many are done."
    async def reply(self):
        path, radnb = self.path, self.radnb
        await self.thread(radnb.guard.open, path)   # a network folder may be slow to answer
        task = radnb.job(path)
        done,_ = await asyncio.wait([task], timeout=radnb.patience)
        if done: return self.send(await self.thread(self.tell, radnb.collect(path, task).result()))
        n,total = radnb.progress(path)
        self.set_status(202); self.send(dict(done=n, total=total))

    def tell(self, listing):
        found = listing.selected
        entries = [dict(e.row, id=e.id, kind=e.kind, code=e.code, file=self.radnb.guard.name(e.paths[0])) for e in listing.entries]
        return dict(path=self.radnb.guard.name(listing.path), folder=self.radnb.guard.name(listing.folder), single=listing.single, entries=entries, note=listing.note,
                    remedy=listing.remedy, mask=self.radnb.guard.name(listing.mask) if listing.mask else None, selected=found[0].id if found else None, at=found[1] if found else 0)

class Header(_Route):
    "The header of one file: of a path, or of file number `i` of a series."
    def answer(self):
        from .header import header_rows
        from .listing import kind_of
        guard, full = self.radnb.guard, self.radnb.guard.open(self.path)
        series = self.get_query_argument('series', '')
        if full.is_dir() or series:
            entry = self.entry()
            i = self.number('i', 0, high=len(entry.paths)-1)
            path,n = entry.paths[i], len(entry.paths)
            guard.check([path])
        else: path,i,n = full, 0, 1
        if kind_of(path) == 'itk':
            from .paths import check_data_file
            check_data_file(path, guard)
        return dict(file=guard.name(path), i=i, n=n, rows=header_rows(path, kind_of(path)))

class Meta(_Route):
    "Shape, spacing, planes and windows of a volume."
    def answer(self):
        from .opening import describe
        return describe(self.opened(), self.number('max_mb', 64., float, .01, 1000), self.drawn())

class Volume(_Route):
    "The packed volume, or segmentation: gzipped NIfTI."
    def packed(self):
        from .opening import packed
        return packed(self.drawn() or self.opened(), self.number('max_mb', 64., float, .01, 1000))

    async def reply(self): self.send(await self.thread(self.packed), 'application/octet-stream')

class Slice(_Route):
    "One slice with every stored value, or of a segmentation, its description in the header X-Radnb-Slice."
    def slice(self):
        from .opening import raw_slice
        mask = self.drawn()   # has no time
        return raw_slice(mask or self.opened(), self.get_query_argument('plane', 'axial'), self.number('i', 0), 0 if mask else self.number('time', 0))

    async def reply(self):
        body,about = await self.thread(self.slice)
        self.send(body, 'application/octet-stream', X_Radnb_Slice=json.dumps(about))

class Thumbnail(_Route):
    "The middle slice, small: PNG."
    pool = 'small'
    def png(self):
        from .reading import thumbnail
        e = self.entry()
        self.radnb.shelf.check_size(e)
        return thumbnail(e.kind, e.paths, self.radnb.guard, e.row.get('part') or '', self.number('size', 96, low=16, high=512))

    async def reply(self): self.send(await self.thread(self.png), 'image/png')

class Jobs(_Route):
    "Folders whose headers are being read; DELETE stops one. Tornado and Jupyter refuse a DELETE without the token or the XSRF cookie."
    async def reply(self): self.send(dict(jobs=self.radnb.running()))

    @web.authenticated
    @authorized
    async def delete(self):
        try: self.send(dict(stopped=await self.thread(self.radnb.stop, self.path)))
        except NotServed as e: self.fail(e)

class Template(_Route):
    "A notebook to start from."
    def answer(self):
        name = self.get_query_argument('name', '')
        known = sorted(p.stem for p in TEMPLATES.glob('*.ipynb'))
        if name not in known: raise NotServed(f'No template called {name!r}', remedy=f'one of: {", ".join(known)}')
        return json.loads((TEMPLATES/f'{name}.ipynb').read_text(encoding='utf-8'))

ROUTES = dict(series=Series, header=Header, meta=Meta, volume=Volume, slice=Slice, thumbnail=Thumbnail, jobs=Jobs, template=Template)

def add_routes(app):
    "Give a Jupyter server the routes."
    app.web_app.settings['radnb'] = RadnbServer(app)
    base = app.web_app.settings['base_url']
    app.web_app.add_handlers('.*$', [(url_path_join(base, 'radnb', name), route) for name,route in ROUTES.items()])
