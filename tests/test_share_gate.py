"radnb.share.gate: identifiers planted in every corner of a notebook do not get out, and a clean notebook raises no alarm."
import base64, importlib.util, io, json
from pathlib import Path
import nbformat, numpy as np, pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from radnb.core import BadInput, PHIFound
from radnb.share.gate import check_phi
from radnb.share.publish import publish

ROOT = Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location('gate_corpus', ROOT/'benchmarks'/'gate.py')
corpus = importlib.util.module_from_spec(spec)
spec.loader.exec_module(corpus)
KINDS = ('name, known', 'number, known', 'DICOM name', 'patient number, labelled', 'birth date, labelled', 'UID')


@pytest.mark.parametrize('place', list(corpus.PLACES))
def test_planted_in_every_corner(place):
    for i, kind in enumerate(KINDS if place != 'DICOM bytes' else KINDS[:1]):
        r = np.random.default_rng([7, i])
        text, known = corpus.KINDS[kind](r)
        nb = new_notebook(cells=[new_code_cell('x = 1'), *corpus.PLACES[place](text, r)])
        with pytest.raises(PHIFound) as e: check_phi(nb, known)
        assert text not in str(e.value) and text not in repr(e.value.findings) + str(e.value.findings.table), kind
        try: check_phi(nb, known, redact=True)
        except PHIFound as e: assert 'Not everything can be blacked out' in str(e)
        else:
            assert text not in json.dumps(nb, ensure_ascii=False) and not check_phi(nb, known), kind
            nbformat.validate(nb)


def test_clean_notebooks_raise_no_alarm():
    alarms = [(name, str(f)) for name, nb in corpus.clean(1, False, 40) if not name.startswith('eponyms') for f in _found(nb)]
    assert alarms == []


def _found(nb):
    try: return check_phi(nb)
    except PHIFound as e: return e.findings


def test_identifiers_that_are_gone_at_the_end(tmp_path):
    "Deleted, overwritten, memory cleared: what a variable once held is remembered; nothing is written."
    cells = ['import pandas as pd\nfiles = pd.DataFrame(dict(PatientID=["4711902"], n=[1]))', 'del files', 'cases = [dict(info=dict(mrn="K-2231"))]', 'cases = None',
             'def ward():\n    "Reads a table, and keeps nothing of it."\n    pd.read_csv("ward.csv")\nward()', '%reset -f', 'print("slice of 4711902"); print("see K-2231"); print("Lovelace Ada")']
    (tmp_path/'ward.csv').write_text('patient name,dose\nLovelace^Ada,3\n')
    nb = new_notebook(cells=[new_markdown_cell('# Cases'), *map(new_code_cell, cells)])
    nb.cells[1].source = nb.cells[1].source.replace('"4711902"', '"47" + "11902"')
    nb.cells[3].source = nb.cells[3].source.replace('"K-2231"', '"K-" + "2231"')
    with pytest.raises(PHIFound) as e: publish(nb, tmp_path/'out', cwd=tmp_path, stream=None)
    assert [(f.where.cell, f.kind) for f in e.value.findings if 'printed' in f.where] == [(7, 'known identifier')]*3
    assert not list((tmp_path/'out').glob('*'))


def test_override_is_printed_and_names_nobody(tmp_path):
    nb = new_notebook(cells=[new_markdown_cell('# Phantom\n\nMILLER^ANNA')])
    with pytest.raises(BadInput, match='says nothing'): publish(nb, tmp_path, execute=False, override='ok', stream=None)
    page = publish(nb, tmp_path, execute=False, override='A phantom of that name, no patient.', stream=None)
    text = page.html.read_text()
    assert 'Published in spite of findings' in text and 'A phantom of that name, no patient.' in text and 'patient name (1)' in text
    assert 'spite of findings' not in publish(new_notebook(cells=[new_markdown_cell('# Fine')]), tmp_path/'b', execute=False, override='A phantom, not a patient.', stream=None).html.read_text()


def test_pictures_from_disk_and_file_names(tmp_path):
    "What only the finished page holds is checked, too."
    (tmp_path/'fig.png').write_bytes(corpus._chunk('MILLER^ANNA', 'tEXt'))
    nb = new_notebook(cells=[new_markdown_cell('# Study\n\n![](fig.png)')])
    with pytest.raises(PHIFound, match='finished page'): publish(nb, tmp_path/'out', cwd=tmp_path, execute=False, stream=None)
    assert not list((tmp_path/'out').glob('*'))


def test_redacted_pictures_keep_what_they_are():
    out = io.BytesIO()
    Image.new('RGBA', (40, 30), (10, 200, 30, 60)).save(out, 'png', exif=corpus._exif('MILLER^ANNA'))
    nb = new_notebook(cells=[new_code_cell('x', outputs=[new_output('display_data', {'image/png': base64.b64encode(out.getvalue()).decode()})])])
    assert [f.kind for f in check_phi(nb, redact=True)] == ['patient name']
    kept = Image.open(io.BytesIO(base64.b64decode(nb.cells[0].outputs[0].data['image/png'])))
    assert kept.mode == 'RGBA' and kept.getpixel((5, 5)) == (10, 200, 30, 60) and not kept.getexif()
