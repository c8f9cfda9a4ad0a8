"""What a published page costs: seconds and bytes beside nbconvert's HTML, requests it would make, and a volume's way into the page.

python benchmarks/publish.py       Processor time, interleaved; no kernel is started."""
import base64, io, re, time
import numpy as np
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from radnb.data.phantom import ct_phantom
from radnb.share.page import notebook_html
from radnb.view.embed import embed_volume


def notebook(n=60):
    "Prose with a formula, code, a table and a picture, `n` times."
    rng, cells = np.random.default_rng(0), []
    for i in range(n):
        buf = io.BytesIO()
        Image.fromarray(rng.integers(0, 255, (60, 80), dtype=np.uint8)).save(buf, format='png')
        table = '<table class="dataframe"><tr><th>a</th></tr>' + '<tr><td>0.123</td></tr>'*20 + '</table>'
        cells += [new_markdown_cell(f'## Part {i}\n\nDice is $\\frac{{2|A \\cap B|}}{{|A|+|B|}}$.'),
                  new_code_cell('x = measure(a, b)\nx', outputs=[new_output('display_data', {'text/html': table}),
                                                                new_output('display_data', {'image/png': base64.b64encode(buf.getvalue()).decode()})])]
    return new_notebook(cells=cells)


def fetched(text): return len(re.findall(r'<(?:script|link|img)\b[^>]*(?:src|href)=["\'](?:https?:)?//', text)) + len(re.findall(r'url\(["\']?https?:', text))


def timed(f, *args):
    start = time.process_time()
    return f(*args), time.process_time()-start


def main():
    nb, ours, theirs = notebook(), [], []
    exporter = HTMLExporter()
    for _ in range(5):
        page, t = timed(notebook_html, nb, 'A page')
        ours.append(t)
        (other, _), u = timed(exporter.from_notebook_node, nb)
        theirs.append(u)
    held = sum(len(o.data['image/png']) for c in nb.cells if c.cell_type == 'code' for o in c.outputs if 'image/png' in o.data)
    print(f'120 cells: radnb {np.median(ours):.2f} s, nbconvert {np.median(theirs):.2f} s, ratio {np.median(np.array(ours)/np.array(theirs)):.2f}')
    print(f'bytes beside the pictures: radnb {(len(page)-held)/1e3:.0f} kB, nbconvert {(len(other)-held)/1e3:.0f} kB; an empty page {len(notebook_html(new_notebook(), "x"))/1e3:.0f} kB')
    print(f'things fetched from the network when opened: radnb {fetched(page)}, nbconvert {fetched(other)}')
    ct, mask = ct_phantom(size=(64, 256, 256))
    about, t = timed(embed_volume, ct, mask)
    print(f'a CT of 64 x 256 x 256 with a mask: {t:.2f} s, {(len(about["voxels"])+len(about["mask"]))/1e6:.1f} MB of text; {about["note"] or "whole"}')


if __name__ == '__main__': main()
