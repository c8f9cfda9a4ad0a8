"The commands as a shell sees them: status, what is on which stream, what Ctrl-C and a kill leave behind."
import getpass, io, json, os, platform, shlex, shutil, signal, stat, subprocess, sys, time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
import nbformat, pandas as pd, pytest
from dicom_checks import dciodvfy_errors, dcmtk_dump
from radnb import cli
from radnb.core import MissingPackage
from radnb.data.phantom import make_cohort

SHELL = [sys.executable, '-W', 'ignore', '-c', 'import sys; from radnb.cli import main; sys.exit(main())']

def run(*argv):
    "Status, standard output and standard error of a command, in this process."
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err: status = cli.main([str(a) for a in argv])
    return status, out.getvalue(), err.getvalue()

@pytest.fixture(scope='module')
def ward(tmp_path_factory):
    "Ten synthetic patients."
    folder = tmp_path_factory.mktemp('ward')
    make_cohort(folder, n=10, size=(16,40,40), seed=1)
    return folder

def train_arguments(ward, out, epochs=3):
    return ['train', ward, '--task', 'classify', '--labels', ward/'labels.csv', '--label', 'nodule', '--size', '8,16,16', '--valid', '0.4', '--epochs', epochs, '--out', out]

# ---------------------------------------------------------------- what is promised of every command

def test_every_command_has_help_and_an_example_that_parses():
    parser = cli._parser()
    for name,c in cli.COMMANDS.items():
        words = shlex.split(c.example)
        assert words[:2] == ['radnb', name]
        parser.parse_args(words[1:])
        assert c.run.__doc__ and c.group in cli._GROUPS and all(kw.get('help') for _,kw in c.arguments), name

def test_the_help_of_all_commands(capsys):
    with pytest.raises(SystemExit) as done: cli.main(['--help'])
    said = ' '.join(capsys.readouterr().out.split())
    assert done.value.code == 0 and all(f' {name} ' in said for name in cli.COMMANDS) and '95 % confidence' in said

def test_help_costs_nothing():
    "The overview loads neither numpy nor anything larger."
    code = "import sys, json; from radnb.cli import main; main([]); sys.stderr.write(json.dumps([m for m in ('numpy','pandas','torch','pydicom','matplotlib') if m in sys.modules]))"
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == [] and 'radnb index' in done.stdout

def test_a_shell_sees_status_and_streams(tmp_path):
    done = subprocess.run([*SHELL, 'index', str(tmp_path/'nowhere'), '--json'], capture_output=True, text=True)
    assert done.returncode == 1 and 'Traceback' not in done.stderr and 'No such folder' in done.stderr
    assert json.loads(done.stdout)['error']['kind'] == 'NoDicomFound'
    assert subprocess.run([*SHELL, 'index'], capture_output=True).returncode == 2

def test_what_a_command_prints_on_the_way_is_not_its_result(monkeypatch):
    "fastai's bars and whatever a package prints go to standard error; quiet silences them, and not the errors."
    def noisy():
        "Says much."
        sys.stdout.write('a bar'); sys.stderr.write('a warning')
        return cli.Outcome(['the result'], dict(n=1, nothing=float('nan')))
    monkeypatch.setitem(cli.COMMANDS, 'doctor', cli.Command(noisy, 'Begin', [], 'radnb doctor', ''))
    assert run('doctor') == (0, 'the result\n', 'a bara warning')
    status,out,err = run('doctor', '--json', '--quiet')
    assert (status, err) == (0, '') and json.loads(out)['nothing'] is None
    def full():
        "Finds no room."
        raise OSError(28, 'No space left on device', 'results.csv')
    monkeypatch.setitem(cli.COMMANDS, 'doctor', cli.Command(full, 'Begin', [], 'radnb doctor', ''))
    status,out,err = run('doctor', '--quiet')
    assert status == 1 and 'No space left on device' in err and 'results.csv' in err and 'Traceback' not in err

# ---------------------------------------------------------------- Ctrl-C and kills

@pytest.mark.skipif(os.name == 'nt', reason='signals of a POSIX system')
def test_ctrl_c_leaves_cleanly(tmp_path):
    "In the middle of a cell: status 130, a word on what to do, no page, and the kernel is gone."
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"import os, time\nopen({str(tmp_path/'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(120)")])
    nbformat.write(nb, tmp_path/'slow.ipynb')
    p = subprocess.Popen([*SHELL, 'publish', str(tmp_path/'slow.ipynb'), '--out', str(tmp_path/'out')], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))   # what was started in the background ignores it
    for _ in range(600):
        if (tmp_path/'pid').exists() and (tmp_path/'pid').read_text(): break
        time.sleep(.1)
    p.send_signal(signal.SIGINT)
    out,err = p.communicate(timeout=60)
    assert p.returncode == 130 and out == '' and 'interrupted' in err and 'Traceback' not in err
    assert not list((tmp_path/'out').glob('*.html'))
    kernel = int((tmp_path/'pid').read_text())
    for _ in range(100):
        if not Path(f'/proc/{kernel}').exists() or 'Z' in Path(f'/proc/{kernel}/stat').read_text().split()[2]: break
        time.sleep(.1)
    else: pytest.fail('the kernel lives on')

@pytest.mark.filterwarnings('ignore')
def test_a_training_that_was_cut_off_goes_on(ward, tmp_path, monkeypatch):
    "With the same command, after its last whole epoch; that it ends as if nothing had happened, test_training.py tests to the last bit."
    from radnb.share import recipe
    from radnb.train.checkpoint import Checkpoint
    monkeypatch.setattr(recipe, '_write_onnx', lambda learn, out: '')    # the model of the tests below has one
    keep, trained = Checkpoint.after_epoch, []
    def cut(self):
        keep(self)
        if self.call is not None: trained.append(self.epoch)
        if trained == [0,1]: raise KeyboardInterrupt
    monkeypatch.setattr(Checkpoint, 'after_epoch', cut)
    status,out,err = run(*train_arguments(ward, tmp_path/'cut'))
    assert status == 130 and out == '' and 'run the same command again' in err and not (tmp_path/'cut'/'learner.pkl').exists()
    status,again,_ = run(*train_arguments(ward, tmp_path/'cut'), '--json')
    assert status == 0 and trained == [0,1,2] and 'AUC' in json.loads(again)['estimates']
    assert len(pd.read_csv(tmp_path/'cut'/'private'/'history.csv')) == 3
    other = run(*train_arguments(ward, tmp_path/'cut', epochs=4))
    assert other[0] == 1 and 'another recipe' in other[2]
    assert run('train', '--config', tmp_path/'cut'/'train.json', '--task', 'segment', '--out', tmp_path/'cut')[0] == 1     # arguments come before the file's settings

# ---------------------------------------------------------------- what must be settled: status 3

def test_a_page_that_would_name_a_patient_is_not_written(tmp_path):
    said = nbformat.v4.new_output('execute_result', data={'text/plain': 'Patient: Beispiel^Berta'}, execution_count=1)
    cell = nbformat.v4.new_code_cell('ds', execution_count=1, outputs=[said])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path/'named.ipynb')
    status,out,err = run('publish', tmp_path/'named.ipynb', '--as-it-is', '--out', tmp_path/'out', '--json')
    assert status == 3 and json.loads(out)['error']['kind'] == 'PHIFound' and not list((tmp_path/'out').glob('*.html'))
    assert run('publish', tmp_path/'named.ipynb', '--as-it-is', '--out', tmp_path/'out', '--redact')[0] == 0
    assert 'Berta' not in (tmp_path/'out'/'named.html').read_text()

def test_an_audit_that_fails_stops_a_pipeline(tmp_path):
    make_cohort(tmp_path/'in', n=6, size=(16,40,40), traps=('duplicate_patient',), seed=2)
    args = ['audit', tmp_path/'in', '--labels', tmp_path/'in'/'labels.csv', '--label', 'nodule', '--out', tmp_path/'audit.html', '--json']
    status,out,_ = run(*args)
    told = json.loads(out)
    assert status == (3 if told['failed'] else 0) and (tmp_path/'audit.html').exists() and {c['level'] for c in told['checks']} <= {'pass','warn','fail','not run','accepted'}
    assert told['failed'], 'one patient under two names is found'

def test_deid_keeps_its_secret_and_goes_on(ward, tmp_path):
    few = ward/'SYN-0001'         # images and their segmentation
    key = tmp_path/'keys'/'ward.key'
    first = run('deid', few, tmp_path/'out', '--key-file', key, '--json')
    assert first[0] == 0 and json.loads(first[1])['files'].keys() <= {'done','duplicate'}
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 and key.read_text() not in first[1]+first[2]
    before = {p: p.stat().st_mtime_ns for p in (tmp_path/'out').rglob('*.dcm')}
    assert run('deid', few, tmp_path/'out', '--key-file', key)[0] == 0 and before == {p: p.stat().st_mtime_ns for p in (tmp_path/'out').rglob('*.dcm')}
    key.write_text('another secret of sixteen')
    assert run('deid', few, tmp_path/'out', '--key-file', key)[0] == 1

# ---------------------------------------------------------------- the commands one by one

def test_index_writes_tables_and_remembers(ward, tmp_path):
    args = ['index', ward, '--out', tmp_path/'s.parquet', '--files', tmp_path/'f.csv', '--cache', tmp_path/'c.parquet', '--json', '-q']
    status,out,err = run(*args)
    assert (status, err) == (0, '') and json.loads(out)['volumes'] == 10
    assert len(pd.read_parquet(tmp_path/'s.parquet')) == 10 and 'status' in pd.read_csv(tmp_path/'f.csv') and (tmp_path/'c.parquet').exists()
    assert run(*args)[1] == out

def test_predictions_from_elsewhere_are_judged(tmp_path):
    pd.DataFrame(dict(PatientID=[f'p{i}' for i in range(40)], truth=[i % 2 for i in range(40)], prob=[((i*7) % 40)/40 for i in range(40)])).to_csv(tmp_path/'p.csv', index=False)
    status,out,_ = run('evaluate', tmp_path/'p.csv', '--json', '--out', tmp_path/'r.html')
    told = json.loads(out)
    assert status == 0 and {'value','low','high','n'} <= told['estimates']['AUC'].keys() and (tmp_path/'r.html').exists()

def test_view_writes_a_page(ward, tmp_path):
    status,out,err = run('view', next(p for p in ward.iterdir() if p.is_dir())/'ct', '--out', tmp_path/'scan.html', '--redact', '--json')
    assert status == 0, err
    page = (tmp_path/'scan.html').read_text()
    assert 'SYNTHETIC' in page and 'data:image/png' in page
    assert run('view', ward/'nobody')[0] == 1

def test_new_begins_with_a_notebook(tmp_path):
    status,out,err = run('new', 'explore', tmp_path/'mine', '--title', 'Ward 7', '--json')
    assert status == 0, err
    assert 'Ward 7' in Path(json.loads(out)['notebook']).read_text()
    assert run('new', 'explore', tmp_path/'mine')[0] == 1      # never overwrites

def test_the_doctor_tells_nothing_of_the_user(monkeypatch):
    from radnb import doctor
    def none(): raise MissingPackage('none was found')
    monkeypatch.setattr(doctor, 'find_browser', none)
    monkeypatch.setattr(doctor, 'check_gpu', lambda: [doctor.Finding('graphics card', 'note', 'none')])
    monkeypatch.setattr(doctor, 'CHECKS', {g: [getattr(doctor, f.__name__) for f in fs] for g,fs in doctor.CHECKS.items()})
    status,out,_ = run('doctor', '--json')
    told = json.loads(out)
    assert status == (0 if told['healthy'] else 1) and {f['group'] for f in told['findings']} == set(doctor.CHECKS)
    assert all(f['remedy'] for f in told['findings'] if f['status'] in ('missing','broken'))
    private = {platform.node(), str(Path.home()), os.getcwd()} | ({getpass.getuser()} if len(getpass.getuser()) > 4 else set())
    assert not any(p and p in out for p in private if p != '/')

# ---------------------------------------------------------------- the one command: a folder of DICOM in; SEG, SR, a table and a page out

@pytest.fixture(scope='module')
def model(ward, tmp_path_factory):
    "A small network that outlines nodules, trained by the command."
    out = tmp_path_factory.mktemp('model')/'model'
    status,told,err = run('train', ward, '--task', 'segment', '--size', '16,40,40', '--epochs', '1', '--out', out, '--json')
    assert status == 0, err
    assert not json.loads(told)['notes'] and {'model.onnx','model.json','model_card.html'} <= set(json.loads(told)['files'])
    return out

@pytest.mark.filterwarnings('ignore')
def test_one_command_and_every_file_is_read_by_strangers(ward, model, tmp_path, monkeypatch):
    import highdicom, pydicom
    import radnb.share.results as results
    few = tmp_path/'few'
    for name in ('SYN-0001','SYN-0002','SYN-0003'): shutil.copytree(ward/name/'ct', few/name)
    keep, calls = results.save_sr, []
    def cut(*args, **kw):
        calls.append(1)
        if len(calls) == 2: raise KeyboardInterrupt
        return keep(*args, **kw)
    monkeypatch.setattr(results, 'save_sr', cut)
    monkeypatch.chdir(tmp_path)
    args = ['predict', 'few', '--model', model, '--out', tmp_path/'out', '--no-page']     # named from where we are; tutorial 08 makes the page
    status,out,err = run(*args)
    assert status == 130 and 'run the same command again' in err
    left = sorted(p.name for p in (tmp_path/'out'/'dicom').iterdir())
    assert len(left) == 2 and not (tmp_path/'out'/'results.csv').exists()        # one whole case, and nothing of the second
    stamps = {p.name: p.stat().st_mtime_ns for p in (tmp_path/'out'/'dicom').iterdir()}
    monkeypatch.setattr(results, 'save_sr', keep)
    status,out,err = run(*args, '--json')
    told = json.loads(out)
    assert status == 0 and told['counts'] == {'done': 3}, (told, err)
    files = sorted((tmp_path/'out'/'dicom').iterdir())
    assert len(files) == 6 and all(stamps.get(p.name, p.stat().st_mtime_ns) == p.stat().st_mtime_ns for p in files) and not (tmp_path/'out'/'.unfinished').exists()
    for path in files:
        assert dciodvfy_errors(path) == [], path
        dcmtk_dump(path, 'dsrdump' if path.name.endswith('_sr.dcm') else 'dcmdump')
    seg = highdicom.seg.segread(next(p for p in files if p.name.endswith('_seg.dcm')))
    assert seg.get_segment_description(1).algorithm_identification is not None and not seg.get_source_image_uids() == []
    sr = highdicom.sr.srread(next(p for p in files if p.name.endswith('_sr.dcm')))
    assert sr.content.get_volumetric_roi_measurement_groups() or sr.content.get_planar_roi_measurement_groups() or sr.content.get_image_measurement_groups()
    table = pd.read_csv(tmp_path/'out'/'results.csv')
    assert set(table.PatientID) == {'SYN-0001','SYN-0002','SYN-0003'} and any(c.endswith('volume_ml') for c in table)
    assert {str(pydicom.dcmread(p).PatientID) for p in files} == set(table.PatientID)
    told = results.read_results(tmp_path/'out').about_model()
    assert 'no medical device' in told and 'Dice' in told      # the model's card, beside it, says what it is for and where it ends

@pytest.mark.filterwarnings('ignore')
def test_a_model_is_judged_elsewhere_and_leaves_for_other_programs(ward, model, tmp_path):
    status,out,err = run('evaluate', model, ward, '--json', '--cases', tmp_path/'cases.csv')
    assert status == 0, err
    assert any('ice' in k for k in json.loads(out)['estimates']) and len(pd.read_csv(tmp_path/'cases.csv')) >= 3
    status,out,err = run('export', model, '--out', tmp_path/'out', '--torchscript', '--json')
    assert status == 0 and (tmp_path/'out'/'torchscript'/'model.ts').exists(), err
    assert run('export', tmp_path, '--out', tmp_path/'out')[0] == 1
