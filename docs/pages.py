"""The source of the site, put together in one folder: notebooks as pages, with their outputs, and the lists that are made from them."""
import ast, copy, os, re
from collections import defaultdict
from pathlib import Path
import nbformat
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
import api

ROOT = Path(__file__).resolve().parent.parent
LAYERS = dict(core='Core', data='Data', measure='Measure', view='View', train='Train', explain='Explain', share='Share', lab='In JupyterLab', doctor='Doctor', cli='Command line')
ABOUT = dict(core='Errors that say what to do, progress, provenance.', data='What the pixels are: DICOM, volumes in millimetres, indexes, de-identification, synthetic patients.',
             measure='Numbers from images and predictions, each with its interval.', view='What a person sees: pictures, the viewer, thresholds, cohorts, the training dashboard.',
             train='What learns: splits, batches, networks, and one learner per task.', explain='Judging a model: reports, saliency with its checks, the audit, robustness.',
             share='What leaves the notebook: DICOM objects, models, pages that name no patient.', lab='Magics, the server extension and the JupyterLab extension.',
             doctor='What works on this machine, and how to mend what does not.', cli='The `radnb` command.')

# ---- names

_EXPORT, _DIRECTIVE = re.compile(r'^#\|\s*exports?\b', re.M), re.compile(r'^\s*#\|.*\n?', re.M)

def _said(source, directive): return re.search(rf'^\s*#\|\s*{directive}\s*$', source, flags=re.M) is not None

def module_of(nb):
    "`radnb.data.volume`, or None for a notebook that is no module."
    for c in nb.cells:
        if c.cell_type == 'code' and (m := re.search(r'^#\|\s*default_exp\s+(\S+)', c.source, flags=re.M)): return 'radnb.'+m[1]

def exported(nb): return [c for c in nb.cells if c.cell_type == 'code' and _EXPORT.search(c.source)]

def public_names(
    modules # Module -> notebook
) -> dict: # Name as one writes it, `view` or `Volume.show` -> full name
    "Where each public name is described. Of a name that several modules have, the one that the front doors give wins; without one, nobody does."
    doors = re.findall(r'^from (radnb\S+) import', ''.join((ROOT/'radnb'/f'{d}.py').read_text() for d in ('explore', 'all')), flags=re.M)
    where = defaultdict(list)
    for module,nb in modules.items():
        for item in (i for c in exported(nb) for i in api.items(c.source)):
            for o in (item, *item.members): where[o.name].append(f'{module}.{o.name}')
    def best(found):
        found = list(dict.fromkeys(found))
        behind = [f for f in found if any(f.startswith(d+'.') for d in doors)]
        return found[0] if len(found) == 1 else behind[0] if len(behind) == 1 else None
    return {name: full for name,found in where.items() if (full := best(found))}

_TICKED = re.compile(r'(?<![`\[\w])`([A-Za-z_][\w.]*)(\([^`]*\))?`(?![`\]])')

def linker(
    names # As `public_names` gives them
):
    "A function that turns `name` and `name(...)` in Markdown into links to where they are described; fences, headings, tables of links and links are left alone."
    def link(m):
        full = names.get(m[1].removeprefix('radnb.')) or (m[1] if m[1] in names.values() else None)
        return f'{{py:obj}}`{m[1]}{m[2] or ""} <{full}>`' if full and '<' not in m[0] else m[0]
    def apply(text):
        lines, fence = text.split('\n'), None
        for i,line in enumerate(lines):
            mark = re.match(r'\s*(`{3,}|~{3,})', line)
            if mark: fence = mark[1][0]*len(mark[1]) if fence is None else None if line.strip().startswith(fence) else fence
            elif fence is None and not re.match(r'#|    \S', line): lines[i] = _TICKED.sub(link, line)
        return '\n'.join(lines)
    return apply

# ---- cells

_PLACES = [(str(ROOT), 'radnb'), (str(Path(os.environ.get('RADNB_DATA', ROOT.parent/'shared'/'data')).resolve()), 'RADNB_DATA'), (str(Path.home()), '~')]

def no_places(text):
    "Text without the folders of the machine on which the notebook was executed."
    for place,short in _PLACES: text = text.replace(place, short)
    return re.sub(r'/tmp/[\w.-]+(/tmp[\w.-]+)*', '/tmp/…', text)

def _walk(o):
    if isinstance(o, str): return no_places(o)
    if isinstance(o, list): return [_walk(v) for v in o]
    return o

#: A link in an output to a file of the machine, which is not there any more
_LOCAL_LINK = re.compile(r'<a\b[^>]*\bhref=["\']?(?!https?:|#|mailto:|data:)[^>]*>(.*?)</a>', re.S)

def outputs(cell):
    "What a reader sees of a cell's outputs: no standard error, no live widgets, no folders of the machine."
    kept = []
    for o in cell.get('outputs', []):
        if o.output_type == 'stream' and o.name == 'stdout' and o.text.strip(): kept.append({**o, 'text': no_places(o.text)})
        elif o.output_type == 'error': kept.append(o)
        elif o.output_type in ('display_data', 'execute_result'):
            data = {k: v if k.startswith('image/png') else _walk(v) for k,v in o.data.items() if 'widget' not in k and 'javascript' not in k}
            if 'text/html' in data: data['text/html'] = _LOCAL_LINK.sub(r'\1', data['text/html'])
            if data.get('text/html', '').strip().startswith('<!--') and len(data['text/html']) < 60: data.pop('text/html')
            if set(data)-{'text/plain'} or data.get('text/plain', '').strip(): kept.append({**o, 'data': data, 'metadata': {}})
    return [nbformat.from_dict(o) for o in kept]

def _markdown(text): return nbformat.v4.new_markdown_cell(text)

def raw_html(text):
    "HTML for a Markdown cell."
    return f'```{{raw}} html\n{text}\n```'

def source_toggle(source, module, what='Source'):
    "The source of an exported cell, folded."
    code = highlight(_DIRECTIVE.sub('', source).strip('\n'), PythonLexer(), HtmlFormatter(nowrap=True))
    path = module.replace('.', '/')+'.py'
    return raw_html(f'<details class="source"><summary>{what} <span class="where">{path}</span></summary><div class="highlight"><pre>{code}</pre></div></details>')

def _only_imports(source):
    return all(isinstance(n, (ast.Import, ast.ImportFrom)) or isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in ast.parse(source).body)

def _formulas(text):
    "`$...$` as a picture that needs neither scripts nor fonts."
    from radnb.share.page import _formula
    return re.sub(r'(?<![\\$\w`])\$(?=[^\s$`])([^$\n`]+?)(?<=[^\s\\])\$(?![\w$])', lambda m: _formula(m[1]), text)

def prose(text, link):
    "A Markdown cell: names linked, formulas drawn, links to notebooks kept as links to pages."
    if re.search(r'(?<!\\)\$[^\s$]', text): text = _formulas(text)
    text = re.sub(r'\]\((?!https?:)([\w./-]+)\.html(#[\w.-]+)?\)', r'](\1.ipynb\2)', text)
    for file,page in dict(RESULTS='benchmarks', CHANGELOG='changelog', CONTRIBUTING='contributing').items(): text = re.sub(rf'\]\([\w./-]*\b{file}\.md', f'](/{page}.md', text)
    return link(text)

def described(cell, module, link, known):
    "Instead of an exported cell: what it offers, and the source folded; of a cell of imports nothing at all."
    if _only_imports(cell.source): return []
    found = api.items(cell.source)
    text = [api.myst(i, module, link, known) for i in found]
    what = 'Source' if found else 'Source of what happens inside'
    return [_markdown('\n\n'.join([*text, source_toggle(cell.source, module, what)]))]

def page(
    nb, # A notebook, executed or not
    link=lambda text: text, # As `linker` makes it
    seconds=True # Is the time of long cells kept?
):
    "The notebook as a reader of the site sees it."
    module, known, cells = module_of(nb), set(), []
    for c in copy.deepcopy(nb.cells):
        if c.cell_type == 'markdown': cells.append(_markdown(prose(c.source, link))); continue
        if c.cell_type != 'code' or _said(c.source, 'hide') or _said(c.source, 'include: false') or not c.source.strip(): continue
        if module and _EXPORT.search(c.source):
            cells += described(c, module, link, known)
            shown = outputs(c)
            if not shown: continue
            c.source = ''
        elif re.search(r'^#\|\s*default_exp', c.source, flags=re.M) and not _DIRECTIVE.sub('', c.source).strip(): continue
        tags = [f'remove-{part}' for part,word in dict(input='echo: false', output='output: false').items() if _said(c.source, word)]
        if 'injected-parameters' in c.metadata.get('tags', []): continue
        cell = nbformat.v4.new_code_cell(_DIRECTIVE.sub('', c.source).strip('\n'), outputs=outputs(c), metadata=dict(tags=tags) if tags else {})
        if cell.source or cell.outputs: cells.append(cell)
    site = nbformat.v4.new_notebook(cells=_heading(cells, module, link), metadata={k: nb.metadata[k] for k in ('kernelspec', 'language_info') if k in nb.metadata})
    for i,c in enumerate(site.cells): c['id'] = f'c{i}'
    return site

def _heading(cells, module, link):
    "Beneath a module's title: what to import."
    if not module or not cells or cells[0].cell_type != 'markdown': return cells
    doors = {d: (ROOT/'radnb'/f'{d}.py').read_text() for d in ('explore', 'all')}
    door = next((d for d,text in doors.items() if re.search(rf'^from {re.escape(module)} import', text, flags=re.M)), None)
    how = f'from radnb.{door} import *' if door else f'from {module} import *'
    title,_,rest = cells[0].source.partition('\n')
    line = raw_html(f'<p class="module-line"><code>{module}</code><code>{how}</code></p>')
    cells[0].source = f'{title}\n\n{line}\n{rest}'
    return cells

# ---- titles

def title_of(nb):
    "(title, the sentence beneath it: the quoted one, else the first)"
    first = next((c.source for c in nb.cells if c.cell_type == 'markdown' and c.source.startswith('# ')), '# Untitled')
    title,_,rest = first.partition('\n')
    says = re.match(r'\s*((?:>.*\n?)+)', rest)
    if says: return title[2:].strip(), ' '.join(re.sub(r'^>\s?', '', says[1], flags=re.M).split())
    said = next((t for t in (' '.join(t.split()) for t in rest.split('\n\n')) if re.search(r'[.?!]$', t)), '')
    return title[2:].strip(), re.split(r'(?<=[.?!])\s', said)[0]

def seconds_of(nb):
    "How long the cells took when they were executed; 0 if they were not."
    return sum(c.metadata.get('execution', {}).get('total', 0) or c.metadata.get('radnb', {}).get('seconds', 0) for c in nb.cells if c.cell_type == 'code')

def minutes_of(nb):
    "How long it takes to read: 180 words a minute, half a minute a cell of code."
    words = sum(len(c.source.split()) for c in nb.cells if c.cell_type == 'markdown')
    return max(5, 5*round((words/180 + sum(c.cell_type == 'code' for c in nb.cells)/2)/5))
