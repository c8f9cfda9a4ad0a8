"Model cards of every task, templates, and documents that are run again."
import base64, copy, importlib.util, json, os, re, shlex
from io import BytesIO
from pathlib import Path
import nbformat, numpy as np, pandas as pd, pytest
from hypothesis import given, settings, strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from radnb.core import BadInput, PHIFound
from radnb.explain.detection_report import evaluate_detection
from radnb.explain.evaluate import evaluate
from radnb.share.card import ModelCard, claim_checklist, model_card
from radnb.share.publish import publish
from radnb.share.recheck import _compare_text, _steady, _Tolerance, compare_notebooks, recheck
from radnb.share.templates import NOTEBOOKS, new, template_kinds

ROOT = Path(__file__).parents[1]

# Cards

def _masks(n=6, seed=0):
    "Truths and predictions of a ball, as label arrays."
    rng = np.random.default_rng(seed)
    z,r,c = np.ogrid[:8,:24,:24]
    ball = lambda k: (((z-4)*2)**2+(r-12)**2+(c-12)**2 < k**2).astype(np.uint8)
    return [ball(k) for k in rng.integers(5, 9, n)], [ball(k) for k in rng.integers(5, 9, n)]

def reports():
    rng = np.random.default_rng(0)
    y = np.tile([0,1], 30)
    p = np.clip(.5+.3*(y-.5)+rng.normal(0, .2, 60), .01, .99)
    Y = np.c_[y, rng.integers(0, 2, 60)].astype(float); Y[:5,1] = np.nan
    three = rng.dirichlet([1,1,1], 60)
    who = [f'MRN{i:05d}' for i in range(60)]
    t,s = _masks()
    marks = pd.DataFrame(dict(case=[0,0,1,2], score=[.9,.3,.8,.2], x=[1.,40.,1.,9.], y=0., z=0.))
    truths = pd.DataFrame(dict(case=[0,1], x=[1.,1.], y=0., z=0., diameter_mm=8.))
    return dict(classify=evaluate(y=y, prob=p, patients=who), several=evaluate(y=rng.integers(0, 3, 60), prob=three, patients=who),
                ordinal=evaluate(y=rng.integers(0, 3, 60), prob=three, ordered=True),
                multilabel=evaluate(y=Y, prob=np.c_[p, p[::-1]], patients=who, classes=['effusion','nodule']),
                regress=evaluate(y=rng.normal(50, 9, 60), pred=rng.normal(50, 9, 60), unit='years', patients=who),
                segment=evaluate(y=t, pred=s, classes={1: 'ball'}, patients=who[:6]), detect=evaluate_detection(marks, truths, [0,1,2], n_boot=50))

@pytest.fixture(scope='module')
def judged(): return reports()

@pytest.mark.parametrize('task', ['classify','several','ordinal','multilabel','regress','segment','detect'])
def test_a_card_of_every_task_comes_back_and_names_nobody(judged, task, tmp_path):
    card = model_card(report=judged[task])
    card.save(tmp_path)
    assert ModelCard.from_json(tmp_path/'model_card.json').to_json() == card.to_json()
    text,page = (tmp_path/'model_card.md').read_text(), (tmp_path/'model_card.html').read_text()
    assert 'MRN0' not in text+page and 'not for diagnostic use' in text and 'not for diagnostic use' in page
    assert not re.search(r'(?:src|href)=["\']?(?!data:)', page) and '<script' not in page
    assert all(f'| {e} |' in text for e in judged[task].estimates)
    assert len(claim_checklist(card)) == 44

def test_what_is_not_stated_is_said_to_be_so(judged):
    bare,told = model_card(report=judged['classify']), model_card(report=judged['classify'], licence='MIT', intended_use='Research', authors='Ada Example')
    gone = set(bare.not_stated)-set(told.not_stated)
    assert gone == {'Authors, licence, citation: Licence', 'Intended use: Intended use', 'Authors, licence, citation: Authors'}

@pytest.mark.parametrize('leak', ['DOE^JANE was the hardest', 'see 1.2.840.113619.2.55.3.604688119', 'MRN00012 was left out'])
def test_a_patient_in_a_free_text_stops_the_card(judged, leak, tmp_path):
    for field in ('intended_use','data_description','limits','citation'):
        with pytest.raises(PHIFound): model_card(report=judged['classify'], **{field: leak}).save(tmp_path/'card')
    assert not (tmp_path/'card').exists()

def test_markup_in_a_text_stays_text(judged):
    card = model_card(report=judged['classify'], name='<script>x</script>', limits=['a | b', '<img src=x>'], licence='a|b')
    assert '<script>' not in card.to_html() and '<img src=x' not in card.to_html() and '| a\\|b |' in card.to_markdown()

DATA = Path(os.environ.get('RADNB_DATA', 'no'))/'pneumoniamnist'/'pneumoniamnist_trainval.npz'

@pytest.mark.skipif(not DATA.exists(), reason='PneumoniaMNIST is not here')
def test_a_card_of_real_radiographs(tmp_path):
    from radnb.explain.audit import audit
    from radnb.train.classify import classify_dls, classify_learner
    d = np.load(DATA)
    images,y = d['train_images'][:200], d['train_labels'][:200].ravel()
    table = pd.DataFrame(dict(finding=np.where(y==1, 'pneumonia', 'normal')))
    learn = classify_learner(classify_dls(table, 'finding', images=images, patient=None, classes=['normal','pneumonia'], bs=64))
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(1)
    report = evaluate(learn, data='PneumoniaMNIST')
    card = model_card(learn, report, audit(learn, report, only=['numbers','calibration']), data_licence='CC BY 4.0')
    card.save(tmp_path)
    rows = {r['side']: r for r in card['data'].table}
    assert rows['training']['images']+rows['validation']['images'] == 200 and rows['training']['patients'] == 'not known' and not card.synthetic
    assert 'Tells normal and pneumonia apart' in card.summary and any('Whose the images are is not known' in n for n in card['limits'].notes)

# Templates

def test_every_template_is_shipped_and_begins_with_parameters():
    for kind in template_kinds():
        name = f'{kind}.ipynb' if kind!='paper' else 'paper/paper.ipynb'
        assert (ROOT/'radnb'/'templates'/name).samefile(ROOT/'nbs'/'templates'/name)
        nb = nbformat.read(NOTEBOOKS/name, 4)
        assert sum('#| parameters' in c.source for c in nb.cells) == 1 and not any(c.get('outputs') for c in nb.cells)
    here = lambda root: {p.relative_to(root) for p in root.rglob('*') if p.is_file() and not any(o.startswith(('.','results')) for o in p.relative_to(root).parts)}
    assert here(ROOT/'nbs'/'templates'/'paper') == here(NOTEBOOKS/'paper')

GUARDS = dict(classify='seal_test PatientSplitter evaluate subgroups tune_threshold audit model_card', segment='seal_test evaluate tune_threshold audit model_card',
              explore='index_dicom series_table find_phi cohort',
              paper='seal_test open_test tune_threshold audit model_card claim_checklist')

@pytest.mark.parametrize('kind', GUARDS)
def test_no_trap_is_left_unguarded(kind, tmp_path):
    source = '\n'.join(c.source for c in nbformat.read(new(kind, tmp_path/kind), 4).cells if c.cell_type=='code')
    assert [g for g in GUARDS[kind].split() if g not in source] == []

STUDY = [new_markdown_cell('# A study\n\n## Result'), new_code_cell('n = 12\nprint(f"AUC {0.9:.2f} of {n} patients")')]

def test_the_workflow_of_a_paper_does_what_it_says(tmp_path, monkeypatch):
    "The very commands of check.yml, on a small paper: fine as published, and not fine when a number has changed."
    yaml = pytest.importorskip('yaml')
    from radnb.cli import main
    monkeypatch.chdir(new('paper', tmp_path/'repo', title='T: a "quoted" title', authors='Ada Example').parent)
    steps = yaml.safe_load(Path('.github/workflows/check.yml').read_text())['jobs']['check']['steps']
    commands = [shlex.split(s['run'])[1:] for s in steps if s.get('run', '').startswith('radnb ')]
    assert [c[:2] for c in commands] == [['publish','--check'], ['publish','paper.ipynb']]
    assert yaml.safe_load(Path('CITATION.cff').read_text())['title'] == 'T: a "quoted" title'
    nbformat.write(new_notebook(cells=copy.deepcopy(STUDY)), 'paper.ipynb')
    if '--check' not in _help(main): pytest.skip('this radnb has no publish --check')
    assert main(['publish', 'paper.ipynb']) == 0 and main(commands[0]) == 0
    changed = new_notebook(cells=copy.deepcopy(STUDY)); changed.cells[1].source = changed.cells[1].source.replace('12', '13')
    nbformat.write(changed, 'paper.ipynb')
    assert main(commands[0]) != 0

def _help(main):
    import contextlib, io
    out = io.StringIO()
    with contextlib.redirect_stdout(out), pytest.raises(SystemExit): main(['publish', '--help'])
    return out.getvalue()

# Run again

def benchmark():
    spec = importlib.util.spec_from_file_location('recheck_benchmark', ROOT/'benchmarks'/'recheck.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

def test_no_planted_change_is_missed_and_no_noise_is_reported():
    t = benchmark().measure(seeds=[7])
    assert t[t.real & ~t.found].kind.tolist() == [] and t[~t.real & t.found].kind.tolist() == []
    assert t.real.sum() > 30 and (~t.real).sum() > 14

@given(st.floats(-1e6, 1e6, allow_nan=False), st.floats(-1e6, 1e6, allow_nan=False))
@settings(max_examples=60, deadline=None)
def test_a_number_is_a_change_exactly_when_it_is_beyond_tolerance(a, b):
    said = lambda v: f'mean {v:.4f} HU'
    found = _compare_text(said(a), said(b), _Tolerance())
    x,y = (float(f'{v:.4f}') for v in (a, b))
    assert bool(found) == (abs(x-y) > max(1e-9, 1e-3*max(abs(x), abs(y))))

@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_text_is_like_itself(s):
    assert _compare_text(s, s+'\n', _Tolerance()) == [] and _steady(_steady(s)) == _steady(s)

def test_a_published_notebook_is_run_with_its_parameters_and_its_failure_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv('PYTHONWARNINGS', raising=False)
    cells = [new_code_cell('#| parameters\nn = 3\nbroken = False'), new_markdown_cell('## Count'), new_code_cell('print(n, "patients of", 1234567890123)'),
             new_code_cell('import warnings\nassert not broken\nprint("done")')]
    nbformat.write(new_notebook(cells=cells), tmp_path/'s.ipynb')
    page = publish(tmp_path/'s.ipynb', params=dict(n=5), stream=None)
    assert recheck(page.html).ok
    nb = nbformat.read(tmp_path/'s.ipynb', 4)
    nb.cells[-1].source = nb.cells[-1].source.replace('not broken', 'broken')
    nb.cells[2].source += '\nwarnings = __import__("warnings"); warnings.warn("mind")'
    nbformat.write(nb, tmp_path/'s.ipynb')
    found = recheck(tmp_path/'s.ipynb')
    assert [(c.kind, c.heading) for c in found.changes] == [('warning', 'Count'), ('failed', 'Count')] and 'AssertionError' in found.changes[1].new
    assert json.loads(found.to_json())['ok'] is False and found.exit_code == 1

def test_cells_put_in_and_taken_out_shift_nothing():
    cell = lambda s, text: new_code_cell(s, outputs=[new_output('stream', name='stdout', text=text)])
    old = new_notebook(cells=[cell('a()', 'x 1.5'), cell('b()', 'x 2.5'), cell('c()', 'x 3.5')])
    assert [(c.kind, c.cell) for c in compare_notebooks(old, new_notebook(cells=[old.cells[0], cell('new()', 'x 9.5'), *old.cells[1:]])).changes] == [('new', 2)]
    assert [(c.kind, c.cell) for c in compare_notebooks(old, new_notebook(cells=old.cells[1:])).changes] == [('vanished', 1)]

def test_an_identifier_of_the_new_run_does_not_get_into_the_log(tmp_path):
    "Neither by its shape, nor because a table of the notebook holds it, nor cut off at the end of what is shown."
    code = "from pathlib import Path\nclass Dataset(dict): pass\nds = Dataset(PatientID='SECRET77', PatientName='DOE^JANE')\nprint('worst:', Path('who.txt').read_text())"
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), tmp_path/'s.ipynb')
    (tmp_path/'who.txt').write_text('none')
    publish(tmp_path/'s.ipynb', stream=None, allow=['SECRET77', 'DOE^JANE'])
    (tmp_path/'who.txt').write_text('DOE^JANE, SECRET77 '+'x'*150+' SECRET77 '+'y'*30+' DOE^JANE')
    found = recheck(tmp_path/'s.ipynb')
    told = repr(found)+found.to_json()+found._repr_html_()
    assert not found.ok and 'worst' in told and not re.search('DOE|JANE|SECRET', told)

def test_pictures_inside_of_html_and_volatile_cells():
    from PIL import Image
    def img(v):
        out = BytesIO(); Image.fromarray(np.full((40,40), v, np.uint8)).save(out, 'png')
        return f'<img src="data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}">'
    nb = lambda v, s='show()': new_notebook(cells=[new_code_cell(s, outputs=[new_output('display_data', {'text/html': img(v)})])])
    assert [c.kind for c in compare_notebooks(nb(10), nb(90)).changes] == ['picture'] and compare_notebooks(nb(10), nb(12)).ok
    again = compare_notebooks(nb(10, '#| volatile\nshow()'), nb(90, '#| volatile\nshow()'))
    assert again.ok and again.volatile == 1

def test_nothing_to_compare_with(tmp_path):
    nbformat.write(new_notebook(cells=STUDY), tmp_path/'s.ipynb')
    with pytest.raises(BadInput, match='no outputs'): recheck(tmp_path/'s.ipynb')
