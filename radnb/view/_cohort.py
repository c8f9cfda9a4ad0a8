"The widget of `cohort`: what the browser is told, and what it asks for. Its browser's side is lab/src/cells/cohort.ts."
import threading
from pathlib import Path
import anywidget
from traitlets import Bool, Bytes, Dict, Int, List, Unicode, link
from radnb.core import RadnbError

ESM = Path(__file__).parent/'static'/'cohort.js'
SYNCED = ('search','sort','descending','level','filters') # traits that Cohort and widget share as they are

def serve_while_busy(widget):
    """Let the kernel's second thread answer the widget's questions while a cell runs, where there is one (ipykernel >= 7 with JupyterLab >= 4.4). What
    changes the state waits for its turn in the main thread, as all else does."""
    route = getattr(widget.comm, '_reply_subshell_for', None)
    if route is None: return
    def choose(data, asked): return asked if (data or {}).get('method')=='custom' else route(data, asked)
    widget.comm._reply_subshell_for = choose

class CohortWidget(anywidget.AnyWidget):
    "The list, with the whole table's words sent once; pictures follow on demand."
    _esm = ESM.read_text()
    spec = Dict(help='columns and facets: name, label, values in their order').tag(sync=True)
    codes = Bytes(help='int32, one row per column, then one per facet: position in its values, -1 where nothing is stated').tag(sync=True)
    search,sort,level = (Unicode('').tag(sync=True) for _ in range(3))
    descending = Bool(False).tag(sync=True)
    filters = Dict().tag(sync=True)
    picked = List(Int(), help='positions, ascending').tag(sync=True)
    closed = List(Unicode(), help='headings that are folded').tag(sync=True)
    height = Int(520, help='of the list, CSS pixels').tag(sync=True)

    def __init__(self, cohort, spec, codes, height):
        super().__init__(spec=spec, codes=codes, height=height, picked=sorted(cohort.picked), **{k: getattr(cohort, k) for k in SYNCED})
        self.cohort,self._reading = cohort,threading.Lock()
        for k in SYNCED: link((cohort, k), (self, k))
        link((cohort, 'picked'), (self, 'picked'), transform=(sorted, set))
        self.on_msg(self._asked)
        serve_while_busy(self)

    def _asked(self, _, content, buffers):
        if content['kind']=='thumbs': self._thumbs(content['rows'])
        elif content['kind']=='detail': self._detail(content['row'])

    def _thumbs(self, rows):
        "Send each picture as soon as it is read; `done` follows whatever happens, as the browser asks for no more before it."
        try:
            for row in rows:
                with self._reading: jpeg,why,tip = self.cohort._thumb(row)
                self.send(dict(kind='thumb', row=row, why=why, tip=tip), [jpeg or b''])
        finally: self.send(dict(kind='done'))

    def _detail(self, row):
        try: jpeg,why = self.cohort._jpeg(row, 340),''
        except RadnbError as e: jpeg,why = b'',e.what
        self.send(dict(kind='detail', row=row, why=why, code=self.cohort.code(row)), [jpeg])
