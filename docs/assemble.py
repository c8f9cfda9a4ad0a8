"""Put the source of the site together: `assemble(executed, dst)`."""
import base64, io, json, re
from pathlib import Path
import nbformat, yaml
import api
import pages
from pages import ABOUT, LAYERS, ROOT

DOCS, NBS = ROOT/'docs', ROOT/'nbs'
PERSONAS = dict(radiologist='For radiologists', researcher='For researchers', engineer='For engineers')

def put(path, content):
    "Write a file only if it changes: Sphinx reads anew what is younger than its last look."
    content = content.encode() if isinstance(content, str) else content
    if path.exists() and path.read_bytes() == content: return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

def read_notebooks(executed):
    "Every notebook of nbs/, by its path there without the suffix: as executed if it was, else as it is."
    found = {}
    for p in sorted(NBS.rglob('*.ipynb')):
        rel = p.relative_to(NBS)
        if any(part.startswith(('.', '_')) for part in rel.parts) or rel == Path('index.ipynb'): continue  # the README
        done = next((q for q in (executed/rel, ROOT/'radnb-demo'/'journey.ipynb') if q.exists() and (q.name == rel.name or rel.name == '01_journey.ipynb')), None)
        found[rel.with_suffix('').as_posix()] = nbformat.read(done or p, as_version=4)
        found[rel.with_suffix('').as_posix()].metadata['was_executed'] = done is not None
    return found

def thumbnail(nb, path, width=640):
    "The picture of the cell marked `#| cover`, else the first of some size, as a small PNG with the shape of a card; False if it has none."
    from PIL import Image, ImageOps
    shown = sorted((c for c in nb.cells if c.cell_type == 'code'), key=lambda c: '#| cover' not in c.source)
    pngs = [o.data['image/png'] for c in shown for o in c.get('outputs', []) if 'image/png' in o.get('data', {})]
    for png in pngs:
        image = Image.open(io.BytesIO(base64.b64decode(png))).convert('RGB')
        if image.width < 200 or image.height < 100: continue
        image.thumbnail((width, 2*width))
        small = io.BytesIO()
        ImageOps.pad(image, (width, width*10//16), color=image.getpixel((2, 2))).quantize(128).save(small, 'PNG', optimize=True)
        put(path, small.getvalue())
        return True
    return False

# ---- lists

def _card(title, text, link, footer='', image=None):
    lines = [f'::::{{grid-item-card}} {title}', f':link: /{link}', ':link-type: doc', ':class-card: shown']
    if image: lines.append(f':img-top: /{image}')
    return '\n'.join([*lines, '', text, *(['', ':::{card-footer}', footer, ':::'] if footer else []), '::::'])

def _grid(cards): return '\n'.join([':::::{grid} 1 2 2 3', ':gutter: 3', '', '\n\n'.join(cards), ':::::'])

def _toctree(docs, caption='', hidden=True, depth=1):
    lines = ['```{toctree}', *([':hidden:'] if hidden else []), *([f':caption: {caption}'] if caption else []), f':maxdepth: {depth}', '', *docs, '```']
    return '\n'.join(lines)

def _took(nb):
    seconds = pages.seconds_of(nb)
    return f'{pages.minutes_of(nb)} minutes to read'+(f' · ran in {max(1, round(seconds))} s' if nb.metadata['was_executed'] and seconds else '')

def _shown(key, nb, dst):
    image = f'images/thumbs/{Path(key).name}.png'
    return image if thumbnail(nb, dst/image) else None

def _known(named, notebooks, where):
    "A list that sends readers to a notebook which is not there is wrong, not short."
    if lost := sorted(set(named)-set(notebooks)): raise SystemExit(f'docs/{where} names notebooks that are not there: {", ".join(lost)}')

def tutorials(notebooks, dst):
    "The page that lists the tutorials, by who is asking."
    told = yaml.safe_load((DOCS/'tutorials.yml').read_text(encoding='utf-8'))
    here = {k: nb for k,nb in notebooks.items() if k.startswith('tutorials/')}
    listed = {f'tutorials/{name}': (persona, needs) for persona,rows in told.items() for name,needs in rows.items()}
    _known(listed, here, 'tutorials.yml')
    by = {p: [k for k in listed if listed[k][0] == p] for p in PERSONAS}
    by['researcher'] += [k for k in here if k not in listed]
    text = [(DOCS/'tutorials.md').read_text(encoding='utf-8')]
    for persona,keys in by.items():
        cards = []
        for k in keys:
            title,says = pages.title_of(here[k])
            needs = listed.get(k, ('', ''))[1]
            cards.append(_card(title, says, k, ' · '.join(filter(None, (_took(here[k]), needs))), _shown(k, here[k], dst)))
        text += [f'## {PERSONAS[persona]}', _grid(cards), _toctree([f'/{k}' for k in keys], PERSONAS[persona])]
    rest = [k for k,nb in notebooks.items() if not k.startswith(('tutorials/', 'recipes/')) and not pages.module_of(nb)]
    if rest:
        cards = [_card(*pages.title_of(notebooks[k]), k) for k in rest]
        text += ['## Notebooks to start from', 'What `radnb new` puts into your folder.', _grid(cards), _toctree([f'/{k}' for k in rest], 'To start from')]
    return '\n\n'.join(text)

def _called(nb):
    "A module by its name, anything else by its title."
    module = pages.module_of(nb)
    return f'`{module.removeprefix("radnb.")}`' if module else pages.title_of(nb)[0]

def recipes(notebooks, dst):
    "The gallery of recipes, and the table of the systems that users expect to be able to build."
    here = {k: nb for k,nb in notebooks.items() if k.startswith('recipes/')}
    cards = [_card(*pages.title_of(nb), k, _took(nb), _shown(k, nb, dst)) for k,nb in here.items()]
    told = yaml.safe_load((DOCS/'recipes.yml').read_text(encoding='utf-8'))
    _known([k for r in told['systems'] for k in r.get('see', [])], notebooks, 'recipes.yml')
    def row(r):
        links = ' · '.join(f'[{_called(notebooks[k])}](/{k}.ipynb)' for k in r.get('see', []))
        return f'| **{r["system"]}**<br>{r["task"]} | {r.get("published") or "–"} | {" ".join(filter(None, (r.get("note"), links)))} |'
    tables = []
    for state,title in (('works', 'What works'), ('partly', 'What works in part'), ('not yet', 'What does not work yet')):
        rows = [row(r) for r in told['systems'] if r['state'] == state]
        tables.append('\n'.join([f'### {title}', '', '| system | published, as published | with radnb |', '|---|---|---|', *rows]))
    text = (DOCS/'recipes.md').read_text(encoding='utf-8')
    return '\n\n'.join([text.replace('%CARDS%', _grid(cards) if cards else '').replace('%SYSTEMS%', '\n\n'.join(tables)), _toctree([f'/{k}' for k in here])])

def reference(notebooks, modules, link):
    "One page a layer with its modules, and the page that lists the layers. name of the page -> text"
    out, order = {}, re.findall(r'^from (radnb\S+) import', ''.join((ROOT/'radnb'/f'{d}.py').read_text() for d in ('explore', 'all')), flags=re.M)
    key_of = {m: k for k,m in modules.items()}
    place = lambda m: (order.index(m), m) if m in order else (len(order), m)
    layers = {}
    for m in sorted(key_of, key=place): layers.setdefault(m.split('.')[1], []).append(m)
    cards = []
    for layer in [*LAYERS, *sorted(set(layers)-set(LAYERS))]:
        mods = layers.get(layer, [])
        if not mods: continue
        single = mods == [f'radnb.{layer}']
        page = key_of[mods[0]] if single else f'reference/{layer}'
        cards.append((_card(LAYERS.get(layer, layer), ABOUT.get(layer, ''), page, f'{len(mods)} module{"s" if len(mods) != 1 else ""}'), page, LAYERS.get(layer, layer)))
        if single: continue
        rows = []
        for m in mods:
            names = [i.name for c in pages.exported(notebooks[key_of[m]]) for i in api.items(c.source) if '.' not in i.name]
            shown = link(', '.join(f'`{n}`' for n in dict.fromkeys(names)))
            rows += [f'## [{m.split(".")[-1]}](/{key_of[m]}.ipynb)', pages.title_of(notebooks[key_of[m]])[1], shown]
        out[page] = '\n\n'.join([f'# {LAYERS.get(layer, layer)}', f'> {ABOUT.get(layer, "")}', *rows, _toctree([f'/{key_of[m]}' for m in mods])])
    text = (DOCS/'reference.md').read_text(encoding='utf-8')
    out['reference/index'] = '\n\n'.join([text.replace('%LAYERS%', _grid([c for c,*_ in cards])), _toctree([f'{t} </{p}>' for _,p,t in cards])])
    return out

# ---- texts from elsewhere in the repository

def _one_title(text):
    "Only the first heading stays at the first level."
    head,_,rest = text.partition('\n')
    out, fence = [], False
    deeper = re.search(r'^# ', re.sub(r'^```.*?^```', '', rest, flags=re.M|re.S), flags=re.M)
    for line in rest.split('\n'):
        fence ^= line.startswith('```')
        out.append('#'+line if deeper and not fence and re.match(r'#+ ', line) else line)
    return '\n'.join([head, *out])

def repository_text(path, link):
    "A Markdown file of the repository as a page."
    text = re.sub(r'<!--.*?-->\n*', '', (ROOT/path).read_text(encoding='utf-8'), flags=re.S)
    text = re.sub(r'\]\(nbs/([^)]+)\)', r'](/\1)', text)
    return pages.prose(_one_title(text), link)

# ---- all of it

def assemble(
    executed:Path, # Folder of executed notebooks (tests/notebooks.py writes it)
    dst:Path # The source folder of Sphinx
) -> dict: # Page -> the file to edit for it
    "Write the source of the whole site. What was in `dst` and is no longer made goes."
    notebooks = read_notebooks(Path(executed))
    modules = {k: m for k,nb in notebooks.items() if (m := pages.module_of(nb))}
    link = pages.linker(pages.public_names({m: notebooks[k] for k,m in modules.items()}))
    edit = {}
    def write(page, text, source):
        put(dst/page, text)
        edit[Path(page).with_suffix('').as_posix()] = source
    for k,nb in notebooks.items(): write(f'{k}.ipynb', nbformat.writes(pages.page(nb, link)), f'nbs/{k}.ipynb')
    for name in ('index', 'install', 'concepts'): write(f'{name}.md', link((DOCS/f'{name}.md').read_text(encoding='utf-8')), f'docs/{name}.md')
    write('tutorials/index.md', tutorials(notebooks, dst), 'docs/tutorials.md')
    write('recipes/index.md', link(recipes(notebooks, dst)), 'docs/recipes.md')
    for page,text in reference(notebooks, modules, link).items(): write(f'{page}.md', text, 'docs/reference.md')
    for page,path in dict(benchmarks='benchmarks/RESULTS.md', changelog='CHANGELOG.md', contributing='CONTRIBUTING.md').items(): write(f'{page}.md', repository_text(path, link), path)
    for p in (NBS/'images').iterdir(): put(dst/'images'/p.name, p.read_bytes())
    put(dst/'edit.json', json.dumps(edit))
    for p in dst.rglob('*'):
        if p.suffix in ('.md', '.ipynb') and p.relative_to(dst).with_suffix('').as_posix() not in edit: p.unlink()
    return edit

