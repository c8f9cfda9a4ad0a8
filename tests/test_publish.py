"radnb.share.publish: the page needs no network, the source stays as it is, and no identifier gets out."
import asyncio, re, shutil
import nbformat, pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from radnb.core import BadInput, NotebookFailed, PHIFound
from radnb.data.phi import find_phi_text, redact_text
from radnb.share.publish import publish

PLOT = 'import matplotlib.pyplot as plt\nplt.plot([0, 1], [0, 1])\nplt.show()'


def write(path, *cells):
    made = [new_markdown_cell(c[3:]) if c.startswith('md:') else new_code_cell(c) for c in cells]
    nbformat.write(new_notebook(cells=made), path)
    return path


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    d = tmp_path_factory.mktemp('publish')
    widget = 'import ipywidgets as w\nfrom IPython.display import display\ndisplay(w.IntSlider())'
    html = ('from IPython.display import HTML\nHTML(\'<script src="https://cdn.example/x.js"></script><img src="https://example.org/a.png">'
            '<b id="kept">kept</b>\')')
    nb = write(d/'journey.ipynb', 'md:# The journey\n\nDice $\\frac{2}{3}$', '#| parameters\nseed = 0', 'md:## Figure', PLOT, 'md:## Widget', widget,
               html, 'from tqdm import tqdm\nfor _ in tqdm(range(4)): pass\nprint("SYNTHETIC", seed)', '#| hide\nprint("not shown")')
    before = nb.read_bytes()
    done = publish(nb, d/'out', params=dict(seed=41), stream=None)
    assert nb.read_bytes() == before
    return done


def test_self_contained(page):
    text = page.html.read_text()
    assert not re.search(r'''<(script|link|img|iframe|style)[^>]*(src|href)=["']?(https?:)?//''', text)
    assert 'data:image/png;base64,' in text and 'id="kept"' in text and 'require.js' not in text
    assert 'SYNTHETIC 41' in text and 'SYNTHETIC DATA' in text and 'not shown' not in text
    assert '4/4' not in text and 'widget-view' not in text
    nb = nbformat.read(page.notebook, 4)
    nbformat.validate(nb)
    assert 'widgets' not in nb.metadata and nb.cells[2].source == 'seed = 41'


@pytest.mark.browser
def test_opens_without_network(page):
    sync_api = pytest.importorskip('playwright.sync_api')
    chromium = shutil.which('chromium') or shutil.which('chromium-browser') or shutil.which('google-chrome')
    if chromium is None: pytest.skip('no Chromium on this machine (apt-get install chromium)')
    asked, errors = [], []
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=['--no-sandbox'])
        context = browser.new_context(viewport=dict(width=1280, height=900))

        def route(r):
            if r.request.url.startswith(('file:', 'data:')): return r.continue_()
            asked.append(r.request.url)
            r.abort()
        context.route('**/*', route)
        tab = context.new_page()
        tab.on('console', lambda m: errors.append(m.text) if m.type == 'error' else None)
        tab.on('pageerror', lambda e: errors.append(str(e)))
        tab.goto(page.html.as_uri())
        sizes = tab.eval_on_selector_all('img', 'imgs => imgs.map(i => i.naturalWidth)')
        assert tab.title() == 'The journey' and sizes and min(sizes) > 100
        assert tab.eval_on_selector_all('nav a', 'a => a.map(x => x.textContent)') == ['Figure', 'Widget']
        code = tab.locator('details.code .highlight').first
        assert not code.is_visible()
        tab.click('#codes')
        assert code.is_visible()
        for width in (390, 1280):
            tab.set_viewport_size(dict(width=width, height=900))
            assert tab.evaluate('document.documentElement.scrollWidth') <= width
        browser.close()
    assert not asked and not errors


def test_failing_cell_is_named(tmp_path):
    nb = write(tmp_path/'a.ipynb', 'print("before")', '# a remark\nraise KeyError("PixelSpacing")')
    with pytest.raises(NotebookFailed) as e: publish(nb, tmp_path/'out', stream=None)
    assert '''Cell 2 ("raise KeyError("PixelSpacing")") failed: KeyError: 'PixelSpacing\'''' in str(e.value) and '\x1b' not in str(e.value)
    assert nbformat.read(tmp_path/'out'/'a.failed.ipynb', 4).cells[0].outputs[0].text == 'before\n'
    assert not (tmp_path/'out'/'a.html').exists()


def test_dead_kernel_and_timeout(tmp_path):
    dies, sleeps = write(tmp_path/'a.ipynb', 'import os; os._exit(1)'), write(tmp_path/'b.ipynb', 'import time; time.sleep(30)')
    with pytest.raises(NotebookFailed, match='its Python stopped'): publish(dies, stream=None)
    with pytest.raises(NotebookFailed, match='longer than 1 s'): publish(sleeps, timeout=1, stream=None)


def test_works_inside_a_running_event_loop(tmp_path):
    "As when called from a notebook."
    async def main(): return publish(write(tmp_path/'a.ipynb', '6*7'), stream=None)
    assert '42' in asyncio.run(main()).html.read_text()


LEAKS = [('print("reading /archive/4711902/ct1.dcm")', 'known identifier'),
         ('patients.iloc[:1]', 'known identifier'),
         ('print("Anna Miller, born on 31.01.1950")', 'birth date'),
         ('from IPython.display import Markdown\nMarkdown("**Miller, Anna**")', 'known identifier'),
         ('print("1.2.840.113619.2.55.3.604688119.868.1")', 'UID'),
         ('print("(0008,0050) Accession Number    SH: \'A88231\'")', 'accession number'),
         ('try: raise ValueError("no slice for WEISS^JÖRG")\nexcept ValueError as e: print(repr(e))', 'patient name'),
         ('from IPython.display import HTML\nHTML("<td>4711902</td>")', 'known identifier')]


@pytest.mark.slow
def test_planted_leaks_are_found_and_redacted(tmp_path):
    cells = ['import pandas as pd\npatients = pd.read_csv("patients.csv", dtype=str)', *(c for c, _ in LEAKS)]
    (tmp_path/'patients.csv').write_text('PatientID,PatientName,age\n4711902,MILLER^ANNA,70\n12,LI^WEI,60\n')
    nb = write(tmp_path/'leaks.ipynb', *cells)
    with pytest.raises(PHIFound) as e: publish(nb, tmp_path/'out', cwd=tmp_path, stream=None)
    for number, (_, kind) in enumerate(LEAKS, 2): assert re.search(rf'cell {number}, (output|printed|source): {kind}', str(e.value)), (number, kind)
    assert not list((tmp_path/'out').glob('*')) and '4711902' not in str(e.value)
    done = publish(nb, tmp_path/'out', cwd=tmp_path, redact=True, stream=None)
    for text in (done.html.read_text(), done.notebook.read_text()):
        for secret in ('4711902', 'MILLER', 'Miller', '31.01.1950', '1.2.840.1136', 'A88231', 'WEISS', 'JÖRG'): assert secret not in text, secret
        assert '▇▇▇' in text
    assert done.findings


def test_ordinary_text_raises_no_alarm():
    text = '''AUC 0.87 (95 % CI 0.68 to 1.00, DeLong, n=21); R^2 = 0.9; x^T A^T; cm^2; version 1.2.3.4; transfer syntax 1.2.840.10008.1.2.4.90
    PatientID column; PatientID: str; 2020-01-01; StudyDate 20200101; IP 127.0.0.1; 0.4711902; 4711902.5; SYNTHETIC^0001, SYN-0001; born in 1950'''
    assert find_phi_text(text, known=['4711902', '12', '60', 'SYN-0001']) == []


def test_redaction_spares_pictures():
    text = '<img src="data:image/png;base64,AAAA/4711902+AAAA=="> 4711902'
    found = find_phi_text(text, known=['4711902'])
    assert redact_text(text, found) == '<img src="data:image/png;base64,AAAA/4711902+AAAA=="> ▇▇▇'


def test_outputs_as_they_are(tmp_path):
    nb = new_notebook(cells=[new_code_cell('1/0', outputs=[new_output('execute_result', {'text/plain': '3'})])])
    text = publish(nb, tmp_path, execute=False, stream=None).html.read_text()
    assert 'not executed again' in text and '<pre class="result">3</pre>' in text


def test_bad_input(tmp_path):
    with pytest.raises(BadInput, match='no such notebook'): publish(tmp_path/'x.ipynb')
    with pytest.raises(BadInput, match='no parameter sed'): publish(write(tmp_path/'a.ipynb', '#| parameters\nseed = 0'), params=dict(sed=1))
    with pytest.raises(PHIFound, match='file name'): publish(write(tmp_path/'case_4711902.ipynb', 'md:# A case'), execute=False, known=['4711902'])
