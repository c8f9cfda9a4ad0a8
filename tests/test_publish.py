"radnb.share.publish: the page needs no network, the source stays as it is, and no identifier gets out."
import asyncio, os, re, shutil, signal, subprocess, sys, time
import nbformat, pytest
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from radnb.core import BadInput, NotebookFailed, PHIFound
from radnb.data.phantom import ct_phantom
from radnb.data.phi import find_phi_text, redact_text
from radnb.share.publish import publish
from radnb.view.figures import hang

VOLUME = """from radnb.data.phantom import ct_phantom
from radnb.view.viewer import view
ct, mask = ct_phantom(size=(20, 64, 80))
view(ct, mask, window='lung')"""
PLOT = 'import matplotlib.pyplot as plt\nplt.plot([0, 1], [0, 1])\nplt.show()'


def write(path, *cells):
    made = [new_markdown_cell(c[3:]) if c.startswith('md:') else new_code_cell(c) for c in cells]
    nbformat.write(new_notebook(cells=made), path)
    return path


def chromium(): return next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    d = tmp_path_factory.mktemp('publish')
    widget = 'import ipywidgets as w\nfrom IPython.display import display\ndisplay(w.IntSlider())'
    html = ('from IPython.display import HTML\nHTML(\'<script src="https://cdn.example/x.js"></script><img src="https://example.org/a.png">'
            '<b id="kept">kept</b>\')')
    nb = write(d/'journey.ipynb', 'md:# The journey\n\nDice $\\frac{2}{3}$', '#| parameters\nseed = 0', 'md:## Figure', PLOT, 'md:## Widget', widget,
               html, 'from tqdm import tqdm\nfor _ in tqdm(range(4)): pass\nprint("SYNTHETIC", seed)', '#| hide\nprint("not shown")', 'md:## Volume', VOLUME)
    before = nb.read_bytes()
    formats = ('html', 'ipynb', 'md', *(['pdf'] if chromium() else []))
    done = publish(nb, d/'out', params=dict(seed=41), stream=None, volumes=True, formats=formats)
    assert nb.read_bytes() == before and sorted(p.name for p in (d/'out').iterdir() if p.name.startswith('.')) == []
    return done


def test_self_contained(page):
    text = page.html.read_text()
    assert not re.search(r'''<(script|link|img|iframe|style)[^>]*(src|href)=["']?(https?:)?//''', text)
    assert 'data:image/png;base64,' in text and 'id="kept"' in text and 'require.js' not in text
    assert 'SYNTHETIC 41' in text and 'SYNTHETIC DATA' in text and 'not shown' not in text
    assert '4/4 [' not in text and 'widget-view' not in text
    nb = nbformat.read(page.notebook, 4)
    nbformat.validate(nb)
    assert 'widgets' not in nb.metadata and nb.cells[2].source == 'seed = 41'
    assert 'vnd.radnb' not in page.notebook.read_text() and text.count('type="application/json"') == 1
    facts = dict(re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td>', text))
    assert {'Executed', 'Run time', 'Notebook', 'Parameters', 'Hardware', 'Versions', 'Volumes inside'} <= set(facts)
    assert os.uname().nodename not in facts['Hardware'] and '@misc{' in text


def test_markdown_and_pdf(page):
    text = page.markdown.read_text()
    pictures = re.findall(r'!\[[^]]+\]\(([^)]+)\)', text)
    assert len(pictures) == 2 and all((page.markdown.parent/p).read_bytes().startswith(b'\x89PNG') for p in pictures)
    assert text.startswith('---\ntitle: "The journey"\n') and 'not shown' not in text and 'SYNTHETIC DATA' in text and '(picture not included)' in text
    if page.pdf is None: pytest.skip('no Chromium on this machine')
    pdf = page.pdf.read_bytes()
    assert pdf.startswith(b'%PDF') and b'/Title' in pdf and str(page.pdf.parent).encode() not in pdf


# texts that are harder to read than WCAG 2.1 AA allows (contrast below 4.5)
CONTRAST = """() => {
  const parse = s => { const m = s.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126*r + .7152*g + .0722*b; };
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > .5) return c; } return [255, 255, 255]; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), bad = [];
  for (let n; (n = walk.nextNode());) {
    const e = n.parentElement, s = getComputedStyle(e);
    if (!n.textContent.trim() || !e.offsetParent || e.closest('svg,script,style,#kept') || s.visibility === 'hidden' || +s.opacity === 0) continue;
    const [a, b] = [light(parse(s.color)), light(ground(e))], ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) bad.push([e.className || e.tagName, n.textContent.trim().slice(0, 30), ratio.toFixed(2)]);
  }
  return bad; }"""

# every plane: its slice as grey levels, and its size on screen
PLANES = """() => [...document.querySelectorAll('.volume .plane')].map(p => { const c = p.querySelector('canvas'), n = c.picture, box = c.getBoundingClientRect();
  return { rows: n.height, cols: n.width, grey: [...n.getContext('2d').getImageData(0, 0, n.width, n.height).data].filter((_, i) => i % 4 === 0),
           w: box.width, h: box.height, label: c.getAttribute('aria-label'), k: +p.querySelector('input').value - 1 }; })"""


def scrolls_a_volume(tab):
    "The page's viewer shows what the Python figure shows: the same grey values, in the same place, to scale."
    ct, mask = ct_phantom(size=(20, 64, 80))
    hung = {p: hang(ct, p) for p in ('axial', 'coronal', 'sagittal')}
    tab.wait_for_selector('.volume canvas')

    def agree(low, high):
        shown = tab.evaluate(PLANES)
        for (name, v), s in zip(hung.items(), shown):
            want = np.clip((v.data[s['k']].astype(float)-low)/(high-low), 0, 1)*255
            assert s['label'].startswith(name) and (s['rows'], s['cols']) == v.shape[1:]
            assert np.abs(np.array(s['grey']).reshape(v.shape[1:])-want).max() <= .5 + 1e-6
            assert s['w']/s['h'] == pytest.approx(v.shape[2]*v.spacing[2]/(v.shape[1]*v.spacing[1]), rel=.01)
        scales = [s['w']/(v.shape[2]*v.spacing[2]) for v, s in zip(hung.values(), shown)]
        assert max(scales) == pytest.approx(min(scales), rel=.01)
        return [s['k'] for s in shown]
    start = agree(-1350, 150)
    assert start[0] == hang(mask, 'axial').data.sum((1, 2)).argmax()
    box = tab.locator('.volume canvas').nth(1).bounding_box()
    v = hung['coronal']
    tab.locator('.volume canvas').nth(1).click(position=dict(x=box['width']*.307, y=box['height']*.628))
    row, col = int(v.shape[1]*.628), int(v.shape[2]*.307)
    assert tab.locator('.volume output').text_content() == f'{v.data[start[1], row, col]} HU'
    k = agree(-1350, 150)
    assert k[1] == start[1] and np.allclose(v.physical((k[1], row, col)), [hung['sagittal'].physical((k[2], 0, 0))[0], v.physical((k[1], 0, 0))[1], hung['axial'].physical((k[0], 0, 0))[2]])
    tab.keyboard.press('ArrowDown')
    assert agree(-1350, 150)[1] == start[1]+1
    tab.locator('.volume input[type=number]').nth(1).fill('400')
    tab.locator('.volume input[type=number]').nth(1).blur()
    agree(-800, -400)
    before = tab.evaluate('document.querySelectorAll(".volume canvas")[0].toDataURL()')
    tab.locator('.volume input[type=checkbox]').nth(0).uncheck()
    assert tab.evaluate('document.querySelectorAll(".volume canvas")[0].toDataURL()') != before


@pytest.mark.browser
def test_opens_without_network(page):
    sync_api = pytest.importorskip('playwright.sync_api')
    if chromium() is None: pytest.skip('no Chromium on this machine (apt-get install chromium)')
    asked, errors = [], []
    with sync_api.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium(), args=['--no-sandbox'])
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
        assert tab.eval_on_selector_all('nav a', 'a => a.map(x => x.textContent)') == ['Figure', 'Widget', 'Volume']
        code = tab.locator('details.code .highlight').first
        assert not code.is_visible()
        tab.click('#codes')
        assert code.is_visible()
        for width in (390, 1280):
            tab.set_viewport_size(dict(width=width, height=900))
            assert tab.evaluate('document.documentElement.scrollWidth') <= width
        for _ in range(2):
            assert tab.evaluate(CONTRAST) == []
            tab.click('#theme')
        tab.click('#theme')
        before = tab.evaluate('document.documentElement.dataset.theme')
        tab.reload()
        assert before == tab.evaluate('document.documentElement.dataset.theme') == 'dark'
        scrolls_a_volume(tab)
        tab.emulate_media(media='print')
        assert tab.locator('img.volume-still').is_visible() and not tab.locator('.volume').is_visible()
        browser.close()
    assert not asked and not errors


def test_failing_cell_is_named(tmp_path):
    nb = write(tmp_path/'a.ipynb', 'print("before")', '# a remark\nraise KeyError("PixelSpacing")')
    with pytest.raises(NotebookFailed) as e: publish(nb, tmp_path/'out', stream=None)
    assert '''Cell 2 ("raise KeyError("PixelSpacing")") failed: KeyError: 'PixelSpacing\'''' in str(e.value) and '\x1b' not in str(e.value)
    assert nbformat.read(tmp_path/'out'/'a.failed.ipynb', 4).cells[0].outputs[0].text == 'before\n'
    assert not (tmp_path/'out'/'a.html').exists()


def test_dead_kernel_and_timeout(tmp_path):
    dies, sleeps = write(tmp_path/'a.ipynb', 'import os, signal; os.kill(os.getpid(), signal.SIGKILL)'), write(tmp_path/'b.ipynb', 'import time; time.sleep(30)')
    with pytest.raises(NotebookFailed, match='its Python stopped'): publish(dies, stream=None)
    with pytest.raises(NotebookFailed, match='longer than 1 s'): publish(sleeps, timeout=1, stream=None)


def test_ctrl_c_leaves_nothing(tmp_path):
    nb = write(tmp_path/'a.ipynb', 'open("started", "w").close()\nimport time; time.sleep(600)')
    child = subprocess.Popen([sys.executable, '-c', f'from radnb.share.publish import publish; publish({str(nb)!r}, {str(tmp_path/"out")!r}, stream=None)'],
                             stderr=subprocess.PIPE, start_new_session=True)
    while not (tmp_path/'out'/'started').exists():
        assert child.poll() is None, child.stderr.read()
        time.sleep(.05)
    child.send_signal(signal.SIGINT)
    assert b'KeyboardInterrupt' in child.communicate(timeout=180)[1]     # a busy machine is slow to take a kernel down
    assert [p.name for p in (tmp_path/'out').iterdir()] == ['started']


def test_template_that_breaks_leaves_the_old_page(tmp_path):
    nb = write(tmp_path/'a.ipynb', 'md:# A')
    page = publish(nb, tmp_path/'out', execute=False).html
    before = page.read_bytes()
    (tmp_path/'own.html').write_text('<html><head></head>{{ nothing.at.all }}</html>')
    with pytest.raises(BadInput, match='does not work'): publish(nb, tmp_path/'out', execute=False, template=tmp_path/'own.html')
    assert page.read_bytes() == before and sorted(p.name for p in (tmp_path/'out').iterdir()) == ['a.html', 'a.ipynb']


def test_folder_publishes_what_it_can(tmp_path):
    write(tmp_path/'a.ipynb', 'md:# First\n\nSee [more](sub/b.ipynb).')
    (tmp_path/'sub').mkdir()
    write(tmp_path/'sub'/'b.ipynb', 'md:# Second')
    write(tmp_path/'c.ipynb', 'md:# Case of MILLER^ANNA')
    with pytest.raises(PHIFound, match='1 of 3 notebooks were not published'): publish(tmp_path, tmp_path/'out', execute=False, stream=None)
    first, index = (tmp_path/'out'/'a.html').read_text(), (tmp_path/'out'/'index.html').read_text()
    assert 'href="sub/b.html">more' in first and 'href="../a.html"' in (tmp_path/'out'/'sub'/'b.html').read_text()
    assert '1 of 3 notebooks are not published' in index and 'MILLER' not in first+index and not (tmp_path/'out'/'c.html').exists()


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
