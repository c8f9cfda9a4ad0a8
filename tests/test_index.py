"index_dicom: whatever lies in a folder is a row; what it has read it remembers, whatever becomes of the process."
import os, shutil, signal, socket, subprocess, sys, tempfile, time
from pathlib import Path
import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.fileset import FileSet
from radnb.core import BadInput, NoDicomFound
from radnb.data import index, scan
from radnb.data.dicom import load_series
from radnb.data.index import index_dicom
from radnb.data.phantom import tiny_ct
from radnb.data.scan import COLUMNS, read_dicom, scan_files
from radnb.data.series import series_table

@pytest.fixture
def ward(tmp_path):
    "Three series of eight slices, in folders of their own."
    for i in range(3): tiny_ct(tmp_path/'ward'/f'p{i}')
    return tmp_path/'ward'

#: what a DICOMDIR needs to know of an image
FOR_A_DISC = dict(PatientName='X', StudyInstanceUID='1.2.3', StudyDate='20240101', StudyTime='120000', StudyID='1', SeriesNumber=1)

def by_name(files): return {Path(r.path).name: r for r in files.itertuples()}

def fresh(folder):
    "The table of a folder without memory, and without the files of the memory."
    files = index_dicom(folder)
    return files[~files.path.str.contains('index.parquet', regex=False)].reset_index(drop=True)

def no_reading(*args, **kw): raise AssertionError('a header was read again')

@pytest.fixture
def remembered(monkeypatch):
    "Fail if any header is read from here on."
    return lambda: monkeypatch.setattr(index, '_tables', no_reading)

# --- what lies in a folder --------------------------------------------------------------------------------------------------------------------------
def test_same_rows_as_scan_files(ward):
    files = index_dicom(ward)
    assert files.path.tolist() == [str(p) for p in sorted(ward.rglob('*')) if p.is_file()]
    pd.testing.assert_frame_equal(files, scan_files(files.path))

def test_names_do_not_matter(ward):
    "Without extension, with a wrong one, hidden, with blanks and umlauts: DICOM is DICOM."
    slices = sorted((ward/'p0').iterdir())
    for p,name in zip(slices, ('IM1', 'photo.jpg', '.hidden', 'a b ü.dcm', '1.2.840.1', 'x'*200)): p.rename(p.with_name(name))
    files = index_dicom(ward)
    assert (files.status == 'ok').all() and len(files) == 24

def test_a_name_that_is_no_text(ward):
    "Latin 1 from an old disc: read, and read again although a cache cannot hold it."
    strange = os.path.join(os.fsencode(ward), b'p0', b'Sch\xe4del')
    os.rename(os.fsencode(sorted((ward/'p0').iterdir())[0]), strange)
    for _ in range(2):
        files = index_dicom(ward, cache=ward/'index.parquet')
        assert (files.status == 'ok').all() and os.fsdecode(strange) in list(files.path) and len(files) == 24

def test_hidden_folders_are_said_not_searched(ward):
    tiny_ct(ward/'.Trash')
    files = index_dicom(ward)
    assert len(files) == 25 and files.reason[files.path == str(ward/'.Trash')].tolist() == ['a hidden folder: not looked into']

def test_disc(tmp_path):
    "A CD as a hospital hands it over: DICOMDIR, viewer, autorun, an archive; two images lost, the others under lower-case names."
    fs = FileSet()
    for p in tiny_ct(tmp_path/'ct', **FOR_A_DISC): fs.add(p)
    fs.write(tmp_path/'cd')
    cd = tmp_path/'cd'
    (cd/'VIEWER.EXE').write_bytes(b'MZ' + bytes(1000)); (cd/'AUTORUN.INF').write_text('[autorun]\nopen=VIEWER.EXE')
    shutil.make_archive(cd/'report', 'zip', tmp_path/'ct')
    images = sorted(p for p in cd.rglob('*') if p.is_file() and 'IM' in p.name)
    for p in images[:2]: p.unlink()
    for p in images[2:]: p.rename(p.with_name(p.name.lower()))
    for _ in range(2):   # the second time from memory
        files = index_dicom(cd, cache=tmp_path/'index.parquet')
        rows = by_name(files)
        assert files.status.value_counts().to_dict() == {'ok':6, 'not DICOM':3, 'missing':2, 'DICOMDIR':1}
        assert rows['report.zip'].reason == 'Not a DICOM file (an archive (zip): unpack it)'
        assert rows['VIEWER.EXE'].reason == 'Not a DICOM file (a Windows program)'
        assert set(files[files.status == 'missing'].path) == {str(p) for p in images[:2]}
        assert len(series_table(files)) == 1

def test_a_directory_of_nonsense_leads_nowhere(tmp_path):
    "Names in a DICOMDIR are only compared: they open nothing outside of the folder."
    fs = FileSet()
    for p in tiny_ct(tmp_path/'ct', n=2, **FOR_A_DISC): fs.add(p)
    fs.write(tmp_path/'cd')
    ds = pydicom.dcmread(tmp_path/'cd'/'DICOMDIR')
    records = [r for r in ds.DirectoryRecordSequence if 'ReferencedFileID' in r]
    records[0].ReferencedFileID, records[1].ReferencedFileID = ['..','..','etc','passwd'], ['/etc/passwd']
    ds.save_as(tmp_path/'cd'/'DICOMDIR')
    lost = index_dicom(tmp_path/'cd').query("status == 'missing'")
    assert len(lost) == 2 and lost.path.str.startswith(str(tmp_path/'cd')).all() and lost.Modality.isna().all()

def test_pydicoms_discs_are_complete():
    files = index_dicom(Path(pydicom.__file__).parent/'data'/'test_files'/'dicomdirtests')
    assert (files.status == 'DICOMDIR').sum() >= 5 and not (files.status == 'missing').any()

# --- links and things that are no files -------------------------------------------------------------------------------------------------------------
def test_links_stay_in_the_folder(ward, tmp_path):
    outside = tiny_ct(tmp_path/'outside', n=2)
    links = {'loop': ward, 'p0/up': '..', 'to file': outside[0], 'to folder': tmp_path/'outside', 'broken': 'nowhere', 'me': 'me',
             'copy': sorted((ward/'p1').iterdir())[0]}
    for name,target in links.items(): (ward/name).symlink_to(target)
    files = index_dicom(ward)
    rows = {os.path.relpath(r.path, ward): r for r in files.itertuples()}
    assert (files.status == 'ok').sum() == 24 and (files.status == 'skipped').sum() == 7
    assert 'leads out of the folder' in rows['to file'].reason and 'leads out of the folder' in rows['to folder'].reason
    assert rows['broken'].reason == rows['me'].reason == 'a link to nothing'
    assert rows['loop'].reason == rows['p0/up'].reason == rows['copy'].reason == 'a link to what is in the table already'
    followed = index_dicom(ward, follow_links=True)
    assert (followed.status == 'ok').sum() == 24 + 3 and str(ward/'to folder'/outside[0].name) in list(followed.path)

def test_a_folder_of_links(tmp_path):
    "A table of links into an archive: an error that names the remedy, and the volume with it."
    for p in tiny_ct(tmp_path/'archive'): (tmp_path/'study').mkdir(exist_ok=True); (tmp_path/'study'/p.name).symlink_to(p)
    with pytest.raises(NoDicomFound, match='follow_links=True'): index_dicom(tmp_path/'study')
    assert load_series(series_table(index_dicom(tmp_path/'study', follow_links=True)).iloc[0]).shape == (8,6,8)

def test_a_link_into_a_hidden_folder_is_read(tmp_path):
    "Version control for data keeps the files in a hidden folder, and links to them."
    hidden = tiny_ct(tmp_path/'data'/'.store', n=2)
    (tmp_path/'data'/'a.dcm').symlink_to(hidden[0])
    files = index_dicom(tmp_path/'data')
    assert sorted(files.status) == ['ok', 'skipped']

def test_pipes_sockets_and_devices_are_not_opened(ward):
    os.mkfifo(ward/'pipe')
    with socket.socket(socket.AF_UNIX) as s:
        here = os.getcwd(); os.chdir(ward)
        try: s.bind('socket')
        finally: os.chdir(here)
        (ward/'null').symlink_to('/dev/zero')
        rows = by_name(index_dicom(ward, follow_links=True))
    assert all(rows[n].status == 'skipped' for n in ('pipe','socket','null'))

AS_NOBODY = '''
import os, sys
from radnb.data.index import index_dicom
if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)
files = index_dicom(sys.argv[1])
for r in files[files.status != 'ok'].itertuples(): sys.stdout.write(f'{r.status}|{r.reason}\\n')
'''

def test_what_may_not_be_read_is_a_row(ward):
    "Files and folders of somebody else."
    for p in (*ward.parents, ward, *ward.rglob('*')):
        if Path(tempfile.gettempdir()) in p.parents: p.chmod(0o755)
    os.chmod(sorted((ward/'p0').iterdir())[0], 0); os.chmod(ward/'p1', 0)
    try: run = subprocess.run([sys.executable, '-c', AS_NOBODY, str(ward)], capture_output=True, text=True,
                              env={**os.environ, 'HOME': '/nonexistent'})
    finally: os.chmod(ward/'p1', 0o755)
    if 'PermissionError' in run.stderr and 'site-packages' in run.stderr: pytest.skip('another user cannot use this Python')
    expected = ['unreadable|Cannot be opened (Permission denied)', 'unreadable|The folder cannot be listed (Permission denied)']
    assert sorted(run.stdout.splitlines()) == expected, run.stderr[-500:]

# --- memory -----------------------------------------------------------------------------------------------------------------------------------------
def test_unchanged_files_are_not_read_again(ward, remembered):
    first = index_dicom(ward, cache=ward/'index.parquet')
    before = (ward/'index.parquet').stat()
    remembered()
    pd.testing.assert_frame_equal(index_dicom(ward, cache=ward/'index.parquet'), first)
    assert (ward/'index.parquet').stat().st_mtime_ns == before.st_mtime_ns   # nor written

def test_new_changed_and_removed_files(ward, monkeypatch):
    cache = ward/'index.parquet'
    index_dicom(ward, cache=cache)
    a,b,c = sorted((ward/'p0').iterdir())[:3]
    a.unlink(); b.write_bytes(b.read_bytes()[:-10]); shutil.copy(c, ward/'new')
    read, tables = [], index._tables
    monkeypatch.setattr(index, '_tables', lambda paths, workers: read.extend(paths) or tables(paths, workers))
    files = index_dicom(ward, cache=cache)
    assert sorted(read) == sorted(map(str, (ward/'new', b)))
    pd.testing.assert_frame_equal(files, fresh(ward))
    assert len(pd.read_parquet(cache)) == len(files)

def test_a_file_rewritten_with_the_same_size(ward):
    cache, p = ward.parent/'index.parquet', sorted((ward/'p0').iterdir())[0]
    index_dicom(ward, cache=cache)
    old = p.read_bytes()
    p.write_bytes(old.replace(b'ORIGINAL', b'DERIVED ').replace(b'AXIAL', b'OTHER') if b'ORIGINAL' in old else old.replace(b'CT', b'MR'))
    os.utime(p, ns=(p.stat().st_atime_ns, p.stat().st_mtime_ns+1))
    pd.testing.assert_frame_equal(index_dicom(ward, cache=cache), index_dicom(ward))

def test_what_could_not_be_opened_is_tried_again(ward, monkeypatch):
    "Permissions and sick drives get better without a change of the file."
    cache, victim = ward/'index.parquet', str(sorted((ward/'p0').iterdir())[0])
    read_at = scan._scan.read_at
    def sick(path, *args):
        if path == victim: raise OSError(5, 'Input/output error')
        return read_at(path, *args)
    opener = scan._open
    with monkeypatch.context() as m:
        m.setattr(scan._scan, 'read_at', sick)
        m.setattr(scan, '_open', lambda p: sick(str(p)) and opener(p))
        assert (index_dicom(ward, cache=cache).status == 'unreadable').sum() == 1
    assert (index_dicom(ward, cache=cache).status == 'ok').all()

@pytest.mark.parametrize('content', [b'', b'PAR1 but not really PAR1', os.urandom(3000), 'foreign', 'older', 'half'])
def test_a_cache_that_cannot_be_used_is_made_again(ward, content):
    cache = ward/'index.parquet'
    expected = index_dicom(ward, cache=cache)
    if content == 'foreign': pd.DataFrame(dict(path=['a'], row=['{}'])).to_parquet(cache)
    elif content == 'older':
        import pyarrow.parquet as pq
        pq.write_table(pq.read_table(cache).replace_schema_metadata({b'radnb': b'0'}), cache)
    elif content == 'half': cache.write_bytes(cache.read_bytes()[:len(cache.read_bytes())//2])
    else: cache.write_bytes(content)
    for _ in range(2): pd.testing.assert_frame_equal(index_dicom(ward, cache=cache), expected)

def test_the_cache_moves_with_the_folder(ward, remembered):
    "A disk mounted elsewhere, a folder renamed: the same files."
    index_dicom(ward, cache=ward/'index.parquet')
    moved = ward.rename(ward.with_name('moved'))
    remembered()
    files = index_dicom(moved, cache=moved/'index.parquet')
    assert len(files) == 24 and files.path.str.startswith(str(moved)).all()

def test_relative_and_absolute_paths_share_a_cache(ward, remembered, monkeypatch):
    index_dicom(ward, cache=ward/'index.parquet')
    remembered(); monkeypatch.chdir(ward.parent)
    assert index_dicom('ward', cache='ward/index.parquet').path.str.startswith('ward/p').all()
    monkeypatch.chdir(ward)
    assert set(index_dicom('.', cache='index.parquet').path) == {os.path.join('.', p.relative_to(ward)) for p in ward.rglob('*.dcm')}

def test_folders_share_a_cache(ward, tmp_path, remembered):
    other = tmp_path/'other'; tiny_ct(other)
    cache = tmp_path/'index.parquet'
    for folder in (ward, other, ward/'p0'): index_dicom(folder, cache=cache)
    remembered()
    assert [len(index_dicom(f, cache=cache)) for f in (ward, other, ward/'p1')] == [24, 8, 8]

def test_the_cache_is_not_a_file_of_the_ward(ward):
    (ward/'.index.parquet.1-1.part').write_bytes(b'left by a kill'); (ward/'.index.parquet.7.new').write_bytes(b'left by a kill')
    for _ in range(2): assert (index_dicom(ward, cache=ward/'index.parquet').status == 'ok').all()

def test_rows_of_removed_files_go(ward):
    "A cache names patients: those that left the folder leave it too."
    cache = ward/'index.parquet'
    index_dicom(ward, cache=cache)
    shutil.rmtree(ward/'p2')
    assert len(index_dicom(ward, cache=cache)) == len(pd.read_parquet(cache)) == 16

def test_a_cache_that_cannot_be_written_costs_no_table(ward, monkeypatch):
    "On a CD, on a full disk."
    def full(*args): raise OSError(28, 'No space left on device')
    monkeypatch.setattr(index.os, 'replace', full)
    monkeypatch.setattr(index, '_SAVE_SECONDS', 0)
    with pytest.warns(UserWarning, match='could not be written .No space left'): files = index_dicom(ward, cache=ward/'index.parquet')
    assert len(files) == 24 and len(list(ward.iterdir())) == 3
    (ward.parent/'file').write_text('x')
    with pytest.warns(UserWarning, match='could not be written'): assert len(index_dicom(ward, cache=ward.parent/'file'/'index.parquet')) == 24
    with pytest.raises(BadInput, match='is a folder') as e: index_dicom(ward, cache=ward)
    assert e.value.remedy

def test_what_a_killed_process_left_for_another_folder_stays(ward, tmp_path, remembered):
    other = tmp_path/'other'; tiny_ct(other)
    cache = tmp_path/'index.parquet'
    index._Cache(cache, other).add(index_dicom(other).assign(names=None))
    index_dicom(ward, cache=cache)
    remembered()
    assert len(index_dicom(other, cache=cache)) == 8 and len(index_dicom(ward, cache=cache)) == 24

# --- accidents --------------------------------------------------------------------------------------------------------------------------------------
#: A process that reads slowly, saves often, is slow in putting files in place, and interrupts itself after some files if told to.
SLOW = '''
import os, signal, sys, time
from radnb.data import _scan, index, scan
signal.signal(signal.SIGINT, signal.default_int_handler)   # a shell's background job begins with it ignored
read, replace, count = _scan.read_at, os.replace, []
def slow_read(*a):
    time.sleep(float(sys.argv[3])); count.append(1)
    if len(count) == int(sys.argv[4]): os.kill(os.getpid(), signal.SIGINT)
    return read(*a)
def slow_replace(*a): time.sleep(.03); replace(*a); time.sleep(.03)
_scan.read_at, os.replace, index._SAVE_SECONDS = slow_read, slow_replace, .02
scan._pace = lambda paths: (2, 16)
sys.stdout.write('ready\\n'); sys.stdout.flush()
index.index_dicom(sys.argv[1], cache=sys.argv[2])
sys.stdout.write(f'{len(count)}\\n')
'''

def slowly(folder, cache, seconds=.004, interrupt=-1):
    return subprocess.Popen([sys.executable, '-c', SLOW, str(folder), str(cache), str(seconds), str(interrupt)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

@pytest.fixture
def many(tmp_path):
    paths = tiny_ct(tmp_path/'many'/'p')
    for i in range(30): shutil.copytree(tmp_path/'many'/'p', tmp_path/'many'/f'p{i}')
    return tmp_path/'many', len(paths)*31

def test_killed_at_any_moment_the_next_run_goes_on(many, monkeypatch):
    "SIGKILL while it reads, saves and merges, again and again: what was saved is not read again, and the table is right."
    folder, n = many
    cache = folder/'index.parquet'
    saved = lambda: {p.name for p in folder.glob('.index.parquet.*.part')}
    for wait in (0, .02, .05, .09):
        p, before = slowly(folder, cache), saved()
        while p.poll() is None and not saved()-before: time.sleep(.002)   # until it has saved something
        time.sleep(wait); p.kill()
        assert p.wait() == -signal.SIGKILL and saved()-before
    read, tables = [], index._tables
    monkeypatch.setattr(index, '_tables', lambda paths, workers: read.extend(paths) or tables(paths, workers))
    files = index_dicom(folder, cache=cache)
    assert len(files) == n and len(read) <= n-4*16
    read.clear(); expected = fresh(folder)
    pd.testing.assert_frame_equal(files, expected)
    read.clear(); pd.testing.assert_frame_equal(index_dicom(folder, cache=cache), expected)
    assert not read and not list(folder.glob('.index.parquet.*.part'))

def test_ctrl_c_keeps_what_was_done(many, monkeypatch):
    folder, n = many
    cache = folder/'index.parquet'
    p = slowly(folder, cache, .03, interrupt=n//2)
    assert p.wait() != 0
    assert 16 <= len(pd.read_parquet(cache)) < n and not list(folder.glob('.index.parquet.*.part'))
    pd.testing.assert_frame_equal(index_dicom(folder, cache=cache), fresh(folder))

def test_two_processes_at_once(many, remembered):
    "On one folder and one cache, and a third on another folder with the same cache."
    folder, n = many
    cache, other = folder/'index.parquet', folder.parent/'other'
    tiny_ct(other)
    runs = [slowly(folder, cache), slowly(folder, cache), slowly(other, cache)]
    for p in runs: p.stdout.read(); assert p.wait() == 0
    remembered()
    assert len(index_dicom(folder, cache=cache)) == n and len(index_dicom(other, cache=cache)) == 8
    assert not list(folder.glob('.index.parquet.*'))

def test_a_process_that_hangs_with_the_lock_is_not_waited_for(tmp_path):
    fcntl = pytest.importorskip('fcntl')
    fd = os.open(tmp_path, os.O_RDONLY); fcntl.flock(fd, fcntl.LOCK_EX)
    start = time.monotonic()
    with index._lock(tmp_path, patience=.1): pass
    assert .05 < time.monotonic()-start < 5
    os.close(fd)

def test_columns_and_types(ward):
    "What others build on: the columns, tuples for places, None for none, numbers as numbers."
    files = index_dicom(ward, cache=ward/'index.parquet')
    for table in (files, index_dicom(ward, cache=ward/'index.parquet')):
        assert list(table.columns) == COLUMNS
        row = table.iloc[0]
        assert [len(row[k]) for k in ('ipp','iop','pixel_spacing')] == [3, 6, 2]
        assert all(isinstance(row[k], tuple) and isinstance(row[k][0], float) for k in ('ipp','iop','pixel_spacing'))
        assert table.Rows.dtype == np.float64 and table['size'].dtype == np.int64 and table.pixel_offset.dtype == np.int64
    stripped = read_dicom(files.path[0]); del stripped.PixelData, stripped.Rows; stripped.SOPClassUID = '1.2.840.10008.5.1.4.1.1.88.11'
    stripped.save_as(ward/'report.dcm')
    assert by_name(index_dicom(ward, cache=ward/'index.parquet'))['report.dcm'].ipp is None
