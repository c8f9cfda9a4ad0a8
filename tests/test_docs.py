"How the documentation is put together: pages from notebooks, and the check for dead links. The site itself is built by tests/all.sh."
import subprocess, sys
from pathlib import Path
import nbformat, nbformat.v4 as v4, pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT/'docs'
sys.path.append(str(DOCS))
import api, links, pages  # noqa: E402

EXPORTED = '''#| export
class Ruler:
    "Measures."
    def __init__(self,
        step:float=.5 # mm between two marks
    ): self.step = step
    def read(self, x): "In marks."; return x/self.step

@patch
def sum(self:Ruler,
    *parts, # mm
    unit:str='mm', # 'mm' or 'mL|cm'
) -> float: # The whole
    "As `Ruler` says; raises `BadInput`."

def _inside(): pass
'''

def code(source, *outputs): return v4.new_code_cell(source, outputs=list(outputs))

@pytest.fixture
def notebook():
    return v4.new_notebook(cells=[
        v4.new_markdown_cell('# ruler\n\n> Lengths.\n\nSee `Ruler.sum` and `nothing`.\n\n```\n`Ruler` stays\n```'),
        code('#| default_exp measure.ruler'), code('#| export\nimport os\nfrom math import pi'),
        code(EXPORTED), code('#| hide\nfrom fastcore.test import *'),
        code('#| eval: false\nRuler().read(3)', v4.new_output('stream', name='stderr', text='a warning'), v4.new_output('stream', name='stdout', text=f'{ROOT}/x /tmp/tmpab12/y'),
             v4.new_output('display_data', data={'text/html': '<a href="/tmp/z.html">the page</a>', 'text/plain': 'z', 'application/vnd.jupyter.widget-view+json': {}}))])

def test_what_a_cell_offers():
    ruler, total = api.items(EXPORTED)
    assert (ruler.kind, ruler.call, [m.name for m in ruler.members]) == ('class', '(step=0.5)', ['Ruler.read'])
    assert ruler.params == [api.Param('step', 'float', '0.5', 'mm between two marks')]
    assert (total.kind, total.name, total.call) == ('method', 'Ruler.sum', "(*parts, unit='mm')")
    assert total.returns.meaning == 'The whole' and "'mm' or 'mL\\|cm'" in api.myst(total, 'radnb.measure.ruler')

def test_a_page(notebook):
    names = pages.public_names({'radnb.measure.ruler': notebook})
    assert names['Ruler.sum'] == 'radnb.measure.ruler.Ruler.sum' and 'Ruler._inside' not in names
    page = pages.page(notebook, pages.linker(names))
    title, described, call = page.cells
    assert '{py:obj}`Ruler.sum <radnb.measure.ruler.Ruler.sum>` and `nothing`' in title.source and '`Ruler` stays' in title.source and 'radnb.measure.ruler' in title.source
    assert '{py:class} Ruler(step=0.5)' in described.source and 'mm between two marks' in described.source and '<details class="source">' in described.source
    assert call.source == 'Ruler().read(3)'
    stream, shown = call.outputs
    assert stream.text == 'radnb/x /tmp/…/y'
    assert shown.data == {'text/html': 'the page', 'text/plain': 'z'}

def test_planted_dead_links(tmp_path):
    (tmp_path/'b').mkdir()
    (tmp_path/'b'/'there.html').write_text('<h1 id="a%20b" name="x">t</h1><a href="../index.html#top">up</a>')
    (tmp_path/'index.html').write_text('<a href="b/there.html">1</a><a href="b/there.html#gone">2</a><a href="b/gone.html">3</a><a href="https://example.org/gone">4</a><a href="mailto:x">5</a>'
                                       '<img src="gone.png"><img src="data:,"><script src="https://example.org/x.js"></script><a href="../outside.html">6</a><a href="#here">7</a><p id="here">')
    assert links.dead(tmp_path) == [('index.html', 'b/there.html#gone', 'no such anchor'), ('index.html', 'b/gone.html', 'no such file'), ('index.html', '../outside.html', 'no such file'),
                                    ('index.html', 'gone.png', 'no such file'), ('index.html', 'https://example.org/x.js', 'would be fetched from the network')]

def test_a_notebook_that_fails_is_named(tmp_path):
    bad, good, out = tmp_path/'bad.ipynb', tmp_path/'good.ipynb', tmp_path/'out'
    nb = v4.new_notebook(cells=[code('1+1'), code('#| eval: false\n1/0')], metadata=dict(kernelspec=dict(language='python', name='python3', display_name='python3')))
    nbformat.write(nb, good)
    nb.cells.append(code("assert 1 == 2, 'planted'")); nbformat.write(nb, bad)
    ran = subprocess.run([sys.executable, ROOT/'tests'/'notebooks.py', bad, good, '--workers', '0', '--out', out], capture_output=True, text=True)
    assert ran.returncode == 1 and 'AssertionError: planted' in ran.stderr and f'1 of 2 notebooks failed:\n  {bad}' in ran.stderr
    done = nbformat.read(out/'good.ipynb', as_version=4)
    assert done.cells[0].outputs[0].data['text/plain'] == '2' and not done.cells[1].outputs and not (out/'bad.ipynb').exists()
