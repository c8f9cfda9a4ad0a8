"""How much gets past the gate of `publish`: identifiers of every kind planted in every corner of a notebook, one at a time, and alarms on notebooks
with nothing in them. Run: nice -n 10 python benchmarks/gate.py [--ocr] [--per 2]"""
import argparse, base64, gzip, html, io, json, os, pickle, time, unicodedata, zipfile, zlib
from pathlib import Path
from urllib.parse import quote
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin
from radnb.core import PHIFound
from radnb.share.gate import check_phi

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get('RADNB_DATA', ROOT.parent/'shared'/'data'))
FAMILY = 'Miller Weber O\'Neil García Müller Nowak Yilmaz Svensson Rossi Dubois Kowalska Haddad Tanaka Okafor Lindqvist Fernandez'.split()
GIVEN = 'Anna Karl Maria José Jörg Ayşe Lars Giulia Chloé Zofia Omar Yuki Chidi Elsa Pablo Ruth'.split()


# ---- what is planted: kind -> (text, what the notebook knows)

def _check(digits, good): return next(d for d in map(str, range(10)) if good(digits+d))


def _nhs(r):
    while True:
        d = ''.join(map(str, r.integers(0, 10, 9)))
        c = 11-sum(int(a)*w for a, w in zip(d, range(10, 1, -1))) % 11
        if c != 10: return f'{d[:3]} {d[3:6]} {d[6:]}{c % 11}'


def _person(r): return FAMILY[r.integers(len(FAMILY))], GIVEN[r.integers(len(GIVEN))]
def _day(r): return int(r.integers(1925, 2010)), int(r.integers(1, 13)), int(r.integers(13, 29))


def _known_name(r):
    f, g = _person(r)
    way = [f'{g} {f}', f'{f}, {g}', f'{f} {g}', f'{f}, {g[0]}.', f'{g[0]}. {f}', f'{g.upper()} {f.upper()}', f'{f}_{g}'.lower()][r.integers(7)]
    return way, [f'{f}^{g}'.upper()]


def _known_date(r):
    y, m, d = _day(r)
    month = pd.Timestamp(y, m, d).strftime('%B')
    return [f'{y}{m:02}{d:02}', f'{d:02}.{m:02}.{y}', f'{y}-{m:02}-{d:02}', f'{m}/{d}/{y}', f'{d} {month} {y}', f'{month} {d}, {y}', f'{d}.{m}.{y%100:02}'][r.integers(7)], [f'{y}{m:02}{d:02}']


def _born(r):
    y, m, d = _day(r)
    return [f'DOB: {d:02}/{m:02}/{y}', f'born on {d} {pd.Timestamp(y, m, d):%B} {y}', f'geb. {d:02}.{m:02}.{y}', f'née le {d:02}/{m:02}/{y}', f'Fecha de nacimiento: {d:02}/{m:02}/{y}',
            f'PatientBirthDate={y}{m:02}{d:02}', f'Date of birth {m:02}/{d:02}/{y}', f'Geburtsdatum: {d}.{m}.{y}'][r.integers(8)], []


def _mrn(r):
    n = r.integers(10**6, 10**7)
    return [f'MRN {n}', f'Patient ID: P{n}', f'Fallnummer {n}', f'hospital number: {n}', f'patient_id={n}', f'PatientID: K-{n}', f'MRN: {n}'][r.integers(7)], []


def _accession(r):
    n = r.integers(10**4, 10**8)
    return [f'accession number A{n}', f'Accession: {n}', f'Acc. No. R{n}', f'AccessionNumber={n}', f'Acc# {n}'][r.integers(5)], []


def _pn(r):
    f, g = _person(r)
    return [f'{f}^{g}'.upper(), f'{f}^{g}^^Dr', f'{f}^{g}^M^^'.upper(), f'{f}^{g[0]}^^'.upper(), 'Yamada^Tarou=山田^太郎=やまだ^たろう', '王^小東'][r.integers(6)], []


def _phone(r):
    n = str(r.integers(10**6, 10**7))
    return [f'phone 030 {n}', f'+49 30 {n}', f'tel. ({r.integers(200, 999)}) 555-{n[:4]}', f'(212) 555-{n[:4]}'][r.integers(4)], []


def _age(r): return [f'{r.integers(90, 105)}-year-old', f'aged {r.integers(90, 100)}', f'0{r.integers(90, 100)}Y', f'{r.integers(90, 105)} Jahre alt'][r.integers(4)], []
def _uid(r): return '1.2.840.113619.2.55.3.' + '.'.join(str(n) for n in r.integers(1, 10**9, 4)), []
def _fresh(r): return '2.25.' + str(r.integers(10**17, 10**18)) + str(r.integers(10**17, 10**18)), []


def _ssn(r):
    n = r.integers(0, 10, 9)
    return [f'{r.integers(101, 660)}-{r.integers(10, 99)}-{r.integers(1000, 9999)}', _nhs(r), f'756.9217.0769.85' if n[0] > 4 else 'RSSMRA85T10A562S', '44051401359', '529.982.247-25'][r.integers(5)], []


KINDS = {'name, known': _known_name, 'number, known': lambda r: ((n := str(r.integers(10**6, 10**8))), [n]), 'code, known': lambda r: ((n := f'K{r.integers(10**4, 10**6)}'), [n]),
         'birth date, known': _known_date, 'DICOM name': _pn, 'patient number, labelled': _mrn, 'accession number': _accession, 'birth date, labelled': _born, 'UID': _uid, 'UID 2.25': _fresh,
         'national number': _ssn, 'telephone': _phone, 'e-mail': lambda r: (f'{"".join(_person(r))}@mail-{r.integers(99)}.org'.replace("'", '').encode('ascii', 'ignore').decode(), []),
         'address': lambda r: ([f'{r.integers(1, 999)} Maple Street', f'Lindenstraße {r.integers(1, 99)}', f'{r.integers(1, 99)} Old Mill Road'][r.integers(3)], []),
         'age over 89': _age, 'path': lambda r: ([f'/home/{_ascii(_person(r)[0])}/ct', f'C:\\Users\\{_ascii(_person(r)[0])}\\ct', '\\\\pacs01\\archive\\ward7'][r.integers(3)], []),
         'title': lambda r: (f'{["Mrs", "Mr", "Frau", "Mme"][r.integers(4)]} {_person(r)[0]}', []), 'serial number': lambda r: (f'DeviceSerialNumber: {r.integers(10**4, 10**6)}', [])}


def _ascii(s): return unicodedata.normalize('NFKD', s).encode('ascii', 'ignore').decode().replace("'", '').lower()


# ---- where it is planted: place -> function(text, r) -> cells

def _out(**data): return [new_code_cell('show()', outputs=[new_output('display_data', {k.replace('__', '/'): v for k, v in data.items()})])]
def _html(s): return _out(**{'text__html': s, 'text__plain': '<HTML>'})
def _b64(b): return base64.b64encode(b).decode()
def _esc(t): return html.escape(t)
def _pixels(n=40): return Image.fromarray(np.random.default_rng(0).integers(0, 255, (n, n, 3)).astype('u1'))


def _file(kind, **kw):
    out = io.BytesIO()
    _pixels().save(out, kind, **kw)
    return out.getvalue()


def _chunk(t, how):
    info = PngImagePlugin.PngInfo()
    {'tEXt': lambda: info.add_text('Description', t) if t.isascii() else info.add_itxt('Description', t), 'zTXt': lambda: info.add_text('Description', t, zip=True) if t.isascii() else
     info.add_itxt('Description', t, zip=True), 'iTXt': lambda: info.add_itxt('Description', t), 'iTXtz': lambda: info.add_itxt('Description', t, zip=True)}[how]()
    return _file('png', pnginfo=info)


def _exif(t):
    exif = Image.Exif()
    if t.isascii(): exif[0x010E] = t
    else: exif[0x9C9B] = t.encode('utf-16-le')   # as Windows writes a title
    return exif


def _split(t):
    i = max(1, len(t)//2)
    return f'<p>{_esc(t[:i])}<b>{_esc(t[i:])}</b></p>'


def _zero_width(t): return '\u200b'.join(t)
def _entities(t): return ''.join(f'&#{ord(c)};' for c in t)
def _wide(t): return ''.join(chr(ord(c)+0xFEE0) if '!' <= c <= '~' and c.isalnum() else c for c in t)
def _svg(inner): return f'<svg xmlns="http://www.w3.org/2000/svg">{inner}</svg>'
def _glyphs(t): return _svg('<g>' + '\n'.join(f'<use xlink:href="#DejaVuSans-{ord(c):x}" x="{i}"/>' for i, c in enumerate(t)) + '</g>')


def _meta(t, where):
    cell = _out(**{'text__plain': 'x'})[0]
    if where == 'cell': cell.metadata['note'] = t
    if where == 'tags': cell.metadata['tags'] = [t]
    if where == 'output': cell.outputs[0].metadata = dict(note=dict(deep=[t]))
    return [cell]


def _attachment(t, name):
    cell = new_markdown_cell('see ![](attachment:a.png)')
    cell['attachments'] = {t if name else 'a.png': {'image/png': _b64(_file('png') if name else _chunk(t, 'iTXt'))}}
    return [cell]


def _zip(t):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('note.txt', 'This is a note about something else entirely. ' + t + ' and no more.')
    return out.getvalue()


def _dicom():
    return bytes(128) + b'DICM' + bytes(200)


PLACES = {
    'printed': lambda t, r: [new_code_cell('run()', outputs=[new_output('stream', name='stdout', text=f'reading {t} now\n')])],
    'stderr': lambda t, r: [new_code_cell('run()', outputs=[new_output('stream', name='stderr', text=f'warning: {t}\n')])],
    'ANSI colours': lambda t, r: [new_code_cell('run()', outputs=[new_output('stream', name='stdout', text=f'\x1b[31m{t[:2]}\x1b[0m{t[2:]}\n')])],
    'traceback': lambda t, r: [new_code_cell('run()', outputs=[new_output('error', ename='ValueError', evalue='bad', traceback=['\x1b[0;31mValueError\x1b[0m', f'  cannot read {t}'])])],
    'error value': lambda t, r: [new_code_cell('run()', outputs=[new_output('error', ename='ValueError', evalue=f'cannot read {t}', traceback=[])])],
    'plain repr': lambda t, r: _out(**{'text__plain': repr([t, 3])}),
    'DataFrame repr': lambda t, r: _out(**{'text__plain': str(pd.DataFrame(dict(note=[t, 'b'], age=[70, 60])))}),
    'DataFrame html': lambda t, r: _html(pd.DataFrame(dict(note=[t, 'b'], age=[70, 60])).to_html()),
    'DataFrame index': lambda t, r: _html(pd.DataFrame(dict(age=[70, 60]), index=[t, 'b']).to_html()),
    'DataFrame column': lambda t, r: _html(pd.DataFrame({t: [70, 60]}).to_html()),
    'html hidden': lambda t, r: _html(f'<div style="display:none">{_esc(t)}</div>'),
    'html comment': lambda t, r: _html(f'<p>ok</p><!-- {t} -->'),
    'html title attribute': lambda t, r: _html(f'<p title="{_esc(t)}">ok</p>'),
    'html alt': lambda t, r: _html(f'<img alt="{_esc(t)}" src="data:image/png;base64,{_b64(_file("png"))}">'),
    'html data attribute': lambda t, r: _html(f'<p data-case="{_esc(t)}">ok</p>'),
    'html entities': lambda t, r: _html(f'<p>{_entities(t)}</p>'),
    'html split by tags': lambda t, r: _html(_split(t)),
    'html letters in spans': lambda t, r: _html('<p>' + ''.join(f'<span>{_esc(c)}</span>' for c in t) + '</p>'),
    'html script': lambda t, r: _html(f'<script>const x = {json.dumps(t)}</script>'),
    'soft hyphens': lambda t, r: _html('<p>' + _esc(t).replace('e', 'e&shy;') + '</p>'),
    'zero-width spaces': lambda t, r: [new_code_cell('x', outputs=[new_output('stream', name='stdout', text=_zero_width(t))])],
    'wide letters': lambda t, r: _out(**{'text__plain': _wide(t)}),
    'decomposed accents': lambda t, r: _out(**{'text__plain': unicodedata.normalize('NFD', t)}),
    'markdown cell': lambda t, r: [new_markdown_cell(f'# Case\n\nWe saw {t} again.')],
    'markdown heading': lambda t, r: [new_markdown_cell(f'# {t}')],
    'markdown bold': lambda t, r: [new_markdown_cell(f'the **{t}** case')],
    'markdown link': lambda t, r: [new_markdown_cell(f'[scan](files/{quote(t)}.png)')],
    'markdown output': lambda t, r: _out(**{'text__markdown': f'![{t}](fig.png)'}),
    'code': lambda t, r: [new_code_cell(f'df = load({t!r})')],
    'code comment': lambda t, r: [new_code_cell(f'x = 1  # {t}')],
    'raw cell': lambda t, r: [dict(new_code_cell('x')) and new_markdown_cell(f'raw {t}')],
    'cell metadata': lambda t, r: _meta(t, 'cell'), 'tags': lambda t, r: _meta(t, 'tags'), 'output metadata': lambda t, r: _meta(t, 'output'),
    'attachment name': lambda t, r: _attachment(t, True), 'attachment PNG text': lambda t, r: _attachment(t, False),
    'plotly json': lambda t, r: _out(**{'application__vnd.plotly.v1+json': dict(data=[dict(type='scatter', x=[1, 2], customdata=[[t], ['b']])], layout={})}),
    'vega json': lambda t, r: _out(**{'application__vnd.vegalite.v5+json': dict(data=dict(values=[dict(a=t, b=1)]))}),
    'json key': lambda t, r: _out(**{'application__json': {t: 1}}),
    'latex': lambda t, r: _out(**{'text__latex': '$\\text{' + t + '}$'}),
    'svg text': lambda t, r: _out(**{'image__svg+xml': _svg(f'<text>{_esc(t)}</text>')}),
    'svg title': lambda t, r: _out(**{'image__svg+xml': _svg(f'<title>{_esc(t)}</title>')}),
    'svg metadata': lambda t, r: _out(**{'image__svg+xml': _svg(f'<metadata><rdf>{_esc(t)}</rdf></metadata>')}),
    'svg tspans': lambda t, r: _out(**{'image__svg+xml': _svg('<text>' + ''.join(f'<tspan x="{i}">{_esc(c)}</tspan>' for i, c in enumerate(t)) + '</text>')}),
    'svg glyphs': lambda t, r: _out(**{'image__svg+xml': _glyphs(t)}),
    'PNG tEXt': lambda t, r: _out(**{'image__png': _b64(_chunk(t, 'tEXt'))}), 'PNG zTXt': lambda t, r: _out(**{'image__png': _b64(_chunk(t, 'zTXt'))}),
    'PNG iTXt': lambda t, r: _out(**{'image__png': _b64(_chunk(t, 'iTXtz'))}), 'PNG EXIF': lambda t, r: _out(**{'image__png': _b64(_file('png', exif=_exif(t)))}),
    'PNG trailing bytes': lambda t, r: _out(**{'image__png': _b64(_file('png') + t.encode())}),
    'JPEG EXIF': lambda t, r: _out(**{'image__jpeg': _b64(_file('jpeg', exif=_exif(t)))}), 'JPEG comment': lambda t, r: _out(**{'image__jpeg': _b64(_file('jpeg', comment=t.encode()))}),
    'JPEG XMP': lambda t, r: _out(**{'image__jpeg': _b64(_file('jpeg', xmp=f'<x:xmpmeta><dc:description>{_esc(t)}</dc:description></x:xmpmeta>'.encode()))}),
    'WebP EXIF': lambda t, r: _out(**{'image__webp': _b64(_file('webp', exif=_exif(t)))}), 'WebP XMP': lambda t, r: _out(**{'image__webp': _b64(_file('webp', xmp=f'<d>{_esc(t)}</d>'.encode()))}),
    'GIF comment': lambda t, r: _out(**{'image__gif': _b64(_file('gif', comment=t.encode()))}),
    'ICC name': lambda t, r: _out(**{'image__png': _b64(_file('png', icc_profile=bytes(128) + t.encode() + bytes(64)))}),
    'picture in html': lambda t, r: _html(f'<img src="data:image/png;base64,{_b64(_chunk(t, "iTXt"))}">'),
    'picture in markdown': lambda t, r: [new_markdown_cell(f'![](data:image/png;base64,{_b64(_chunk(t, "iTXt"))})')],
    'data uri, svg': lambda t, r: _html(f'<img src="data:image/svg+xml;base64,{_b64(_svg(f"<text>{_esc(t)}</text>").encode())}">'),
    'data uri, percent': lambda t, r: _html(f'<img src="data:image/svg+xml,{quote(_svg(f"<text>{_esc(t)}</text>"))}">'),
    'gzip in html': lambda t, r: _html(f'<script id="volume">{_b64(gzip.compress(json.dumps(dict(name=t, kind="a volume of voxels")).encode()))}</script>'),
    'zlib in html': lambda t, r: _html(f'<div data-x="{_b64(zlib.compress(f"the text of a report, {t}, is packed".encode()))}"></div>'),
    'zip in html': lambda t, r: _html(f'<a href="data:application/zip;base64,{_b64(_zip(t))}">x</a>'),
    'pickle': lambda t, r: _out(**{'text__plain': _b64(pickle.dumps(dict(a=1, note=t, many=list(range(9)))))}),
    'DICOM bytes': lambda t, r: _html(f'<a href="data:application/dicom;base64,{_b64(_dicom())}">{""}</a>'),
    'url, percent': lambda t, r: _html(f'<a href="https://pacs/view?q={quote(t)}">x</a>'),
    'json escapes': lambda t, r: _out(**{'text__plain': json.dumps(dict(note='ü '+t))}),
    'several lines': lambda t, r: _out(**{'text__plain': repr(f'a\n{t}\nb')}),
}
CANNOT = {('DICOM bytes', k) for k in list(KINDS)[1:]} | {(p, k) for p in ('pickle', 'ICC name') for k in ()}   # a DICOM file counts once, whatever it holds


# ---- notebooks without anything in them

EPONYMS = '''Hounsfield units, the Dice coefficient, Youden's index, Bland-Altman limits, Hodgkin lymphoma, Cohen's kappa, the Hausdorff distance, Otsu threshold, Gleason 7, Fleischner
criteria, Mr. Bayes was right, Kerley B lines, Crohn's disease, an Adam optimizer (Kingma and Ba, 2015), U-Net (Ronneberger et al. 2015), Schwannoma, Swan-Ganz catheter, Dr. Weber, Prof. Jones, Siemens
SOMATOM Force, GE Discovery MI, Philips Ingenia 3.0T, Gadovist 0.1 mmol/kg, Iomeprol 400, Xarelto, St. Jude valve, Port-A-Cath, the van der Waals force, Ms, 5 Latin Square designs, 2 Way ANOVA'''
CITATION = '''## References\n1. Miller A, Weber K, García J. Deep learning in chest CT. Radiology 2021;298(3):123-134. doi:10.1148/radiol.2021201234
2. DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845. PMID 3203132. https://doi.org/10.2307/2531595 arXiv:1505.04597v1 ISBN 978-3-16-148410-0
Corresponding author: Anna Miller, a.miller@radiology-clinic.org, ORCID 0000-0002-1825-0097. © 2026 The Authors. Version 2.31.4, 2026-01-31, commit 1a2b3c4d5e6f7a8b.'''
UIDS = 'SOP class 1.2.840.10008.5.1.4.1.1.2, transfer syntax 1.2.840.10008.1.2.4.90, SNOMED 2.16.840.1.113883.6.96, implementation 1.2.826.0.1.3680043.8.498.1, dcmtk 1.2.276.0.7230010.3.0.3.6.8'
SYNTHETIC = pd.DataFrame(dict(PatientID=['SYN-0001', 'SYN-0002'], PatientName=['SYNTHETIC^0001', 'SYNTHETIC^0002'], age=[70, 60]))


def clean(seeds=8, own=True, reports=1000):
    "(name, notebook) with nothing that identifies anybody."
    r = np.random.default_rng(1)
    book = lambda *cells: new_notebook(cells=list(cells))
    printed = lambda text: new_code_cell('run()', outputs=[new_output('stream', name='stdout', text=text)])
    yield 'eponyms, drugs, devices', book(new_markdown_cell(EPONYMS), printed(EPONYMS))
    yield 'citations', book(new_markdown_cell(CITATION))
    yield 'public UIDs', book(printed(UIDS), new_code_cell(f'x = {UIDS.split()[2]!r}'))
    yield 'synthetic patients', book(*_html(SYNTHETIC.to_html()), *_out(**{'text__plain': str(SYNTHETIC)}))
    for seed in range(seeds):
        r = np.random.default_rng(seed)
        t = pd.DataFrame(dict(label=r.integers(0, 9, 60), volume_ml=r.random(60)*100, mean_HU=r.normal(40, 20, 60), n=r.integers(0, 10**7, 60), date=pd.date_range('2020-01-01', periods=60),
                              p=r.random(60)*1e-6, case=[f'case_{i:03}' for i in range(60)], diameter=r.random(60)*30))
        yield f'measurements {seed}', book(*_html(t.to_html()), *_out(**{'text__plain': str(t)}), printed(t.to_csv()), printed(t.describe().to_string()), printed(str(r.integers(0, 10**9, (50, 12)))))
        plot = dict(data=[dict(x=r.random(2000).tolist(), y=r.integers(0, 10**8, 2000).tolist())])
        yield f'plot {seed}', book(*_out(**{'application__vnd.plotly.v1+json': plot}), *_out(**{'image__png': _b64(_chunk('Matplotlib version3.10, https://matplotlib.org/', 'tEXt'))}),
                                   *_html(f'<div data-volume="{_b64(gzip.compress(r.integers(0, 255, 10**6).astype("u1").tobytes()))}"></div>'))
    if own: yield from _own()
    yield from _reports(reports)


def _own():
    "The notebooks of radnb itself: their text and code."
    import nbformat
    for path in sorted((ROOT/'nbs').rglob('*.ipynb')):
        nb = nbformat.read(path, 4)
        planted = any('MILLER^' in c.source or '4711902' in c.source or 'DOE^' in c.source or 'WEISS^' in c.source or 'Doe^' in c.source or 'national_numbers' in c.source for c in nb.cells)
        if not planted: yield f'nbs/{path.relative_to(ROOT/"nbs")}', nb


def _reports(most):
    "Real radiology reports, de-identified (XXXX where something stood), twenty to a notebook."
    if not (DATA/'reports').exists(): return
    t = pd.read_csv(DATA/'reports'/'openi_reports.csv', dtype=str).fillna('')
    texts = [' '.join(row) for row in t.iloc[:, 1:].values.tolist()]
    for i in range(0, min(len(texts), most), 20): yield f'reports {i}', new_notebook(cells=[new_code_cell('x', outputs=[new_output('stream', name='stdout', text='\n'.join(texts[i:i+20]))])])


# ---- the measurement

def cases(per=1, seed=0):
    "(kind, place, text, known, notebook) of every kind in every place."
    for kind, make in KINDS.items():
        for place, plant in PLACES.items():
            if (place, kind) in CANNOT: continue
            for i in range(per):
                r = np.random.default_rng([seed, i, list(KINDS).index(kind), list(PLACES).index(place)])
                text, known = make(r)
                yield kind, place, text, known, new_notebook(cells=[new_markdown_cell('# A study'), new_code_cell('x = 1'), *plant(text, r)])


def missed(nb, known):
    "Whether nothing is found in `nb`."
    try: check_phi(nb, known)
    except PHIFound: return False
    return True


def mended(nb, known):
    "'mended', 'blocked', or the text of an error if it is neither."
    try: check_phi(nb, known, redact=True)
    except PHIFound: return 'blocked'
    check_phi(nb, known)
    return 'mended'


BURNED = ('MILLER ANNA', '4711902', 'DOB 31.01.1950', 'ACC A88231')


def burned(r, text):
    "A notebook with a picture in which `text` stands."
    import matplotlib
    image = Image.fromarray((np.kron(r.random((8, 8)), np.ones((64, 64)))*90).astype('u1'))
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path())/'fonts'/'ttf'/'DejaVuSans.ttf'), int(r.integers(14, 30)))
    ImageDraw.Draw(image).text((int(r.integers(5, 150)), int(r.integers(5, 460))), text, 230, font)
    out = io.BytesIO()
    image.save(out, 'png')
    return new_notebook(cells=_out(**{'image__png': _b64(out.getvalue())}))


def speed():
    "Processor seconds for a notebook of 5 MB without and with tables."
    r = np.random.default_rng(0)
    rows = '\n'.join(f'{a:.6f} {b} {c:.3e}' for a, b, c in zip(r.random(60000), r.integers(0, 9999, 60000), r.random(60000)))
    t = pd.DataFrame(r.random((9000, 8))).to_html()
    plot = dict(data=[dict(x=r.random(90000).tolist())])
    nb = new_notebook(cells=[new_code_cell('x', outputs=[new_output('stream', name='stdout', text=rows)]), *_html(t), *_out(**{'application__json': plot}),
                             *_out(**{'image__png': _b64(_file('png'))})])
    size = len(json.dumps(nb))
    start = time.process_time()
    check_phi(nb, [f'{n:07d}' for n in range(4_000_000, 4_001_000)] + ['MILLER^ANNA'])
    return size/1e6, time.process_time()-start


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument('--per', type=int, default=1, help='cases per kind and place')
    args.add_argument('--ocr', action='store_true', help='pictures with burned-in text, too (needs radnb[ocr])')
    args = args.parse_args()
    rows, outcomes = [], {}
    for kind, place, text, known, nb in cases(args.per):
        miss = missed(nb, known)
        rows.append((kind, place, miss, text))
        if not miss:
            o = mended(nb, known)
            outcomes[o] = outcomes.get(o, 0) + 1
    t = pd.DataFrame(rows, columns='kind place missed text'.split())
    print(f'{len(t)} planted, {t.missed.sum()} missed; of those found: {outcomes}')
    for by in ('kind', 'place'):
        g = t.groupby(by).missed.agg(['sum', 'size'])
        print(g[g['sum'] > 0].sort_values('sum', ascending=False).to_string() if (g['sum'] > 0).any() else f'none missed by {by}')
    print(t[t.missed].to_string(max_rows=80) if t.missed.any() else '')
    alarms, n = [], 0
    for name, nb in clean():
        n += 1
        try: check_phi(nb)
        except PHIFound as e: alarms += [(name, f.kind, f.text, str(f.where)) for f in e.findings]
    a = pd.DataFrame(alarms, columns='notebook kind text where'.split())
    print(f'{n} clean notebooks, {a.notebook.nunique()} with a false alarm ({len(a)} alarms)')
    print(a.to_string(max_rows=100))
    size, seconds = speed()
    print(f'{size:.1f} MB checked in {seconds:.2f} s of processor time')
    if args.ocr:
        r = np.random.default_rng(0)
        hits = [not_missed(burned(r, text)) for text in BURNED for _ in range(5)]
        print(f'burned-in text: {sum(hits)} of {len(hits)} found')


def not_missed(nb):
    try: check_phi(nb, ['MILLER^ANNA', '4711902', '19500131', 'A88231'], pixels=True)
    except PHIFound: return True
    return False


if __name__ == '__main__': main()
