"Write README.md from nbs/index.ipynb (nbconvert; nbdev's own command needs Quarto). With --check: only say whether they agree."
import re, sys
from pathlib import Path
import nbformat
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parent.parent

def readme():
    "The README's text: hidden cells left out, cells marked `#| eval: false` shown without that mark, image paths as seen from the root."
    nb = nbformat.read(ROOT/'nbs'/'index.ipynb', as_version=4)
    nb.cells = [c for c in nb.cells if not re.match(r'#\|\s*hide', c.source)]
    for c in nb.cells:
        c.source = re.sub(r'^#\|.*\n', '', c.source, flags=re.M)
        if c.cell_type == 'code': c.outputs = []
    text,_ = MarkdownExporter().from_notebook_node(nb)
    text = re.sub(r'\]\((images|tutorials|recipes)/', r'](nbs/\1/', text).replace('](../', '](')
    note = '<!-- Made from nbs/index.ipynb by tests/make_readme.py: edit the notebook, not this file. -->\n\n'
    return note + re.sub(r'\n{3,}', '\n\n', text).strip() + '\n'

if __name__ == '__main__':
    target, text = ROOT/'README.md', readme()
    if '--check' in sys.argv: sys.exit(0 if target.read_text(encoding='utf-8') == text else 'README.md is not what nbs/index.ipynb makes: run python tests/make_readme.py')
    target.write_text(text, encoding='utf-8')
