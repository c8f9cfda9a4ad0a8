"What notebooks cannot hold: the same batches however they are read, two runs alike, and a cache that meets a full disk and damaged files."
import os, warnings
import numpy as np, pandas as pd, pytest, torch
from radnb.core import UnreadableFile
from radnb.data.volume import Volume
from radnb.train.classify import classify_dls
from radnb.data.prepare import Preprocess
from radnb.train.reading import ArrayCache, ScanReader
from radnb.train.segment import segment_dls

AFFINE = np.diag([1.,-1,3,1])[:, [2,1,0,3]]

def patient(i, folder, shape=(6,24,24)):
    rng = np.random.default_rng(i)
    ball = np.zeros(shape, np.uint8)
    y,x = rng.integers(4, 14, 2)
    ball[2:4,y:y+6,x:x+6] = 1
    vol = Volume((rng.normal(0, 1, shape)+3*ball).astype(np.float32), AFFINE)
    return dict(PatientID=f'P{i:02d}', path=str(vol.to_nifti(folder/f'{i}.nii.gz')), ball=i % 2,
                mask=str(vol.like(ball, unit='label', names={1: 'nodule'}).to_nifti(folder/f'{i}m.nii.gz')))

@pytest.fixture
def table(tmp_path): return pd.DataFrame([patient(i, tmp_path) for i in range(8)])

def two_epochs(table, **kw):
    dls = segment_dls(table, patch=(4,16,16), passes=2, bs=4, seed=3, **kw)
    return [[torch.cat([t.as_subclass(torch.Tensor).flatten(1).float() for t in b], 1) for b in dls.train] for _ in range(2)]

def test_batches_are_the_same_with_one_process_or_two_and_from_disk(table, tmp_path):
    first = two_epochs(table)
    assert not torch.equal(torch.cat(first[0]), torch.cat(first[1]))
    for kw in (dict(), dict(num_workers=2), dict(cache=tmp_path/'kept'), dict(cache=tmp_path/'kept', num_workers=2)):
        for a,b in zip(first, two_epochs(table, **kw)): assert torch.equal(torch.cat(a), torch.cat(b))

def test_a_folder_is_a_cache_for_the_next_session_and_notices_a_change(table, tmp_path):
    def read(**kw):
        reader = ScanReader(Preprocess(**kw), cache=tmp_path/'kept')
        seen = []
        volumes = reader.volumes
        reader.volumes = lambda row: seen.append(row) or volumes(row)
        x = reader.image(table.iloc[0])
        return x,len(seen)
    first,n = read()
    again,m = read()
    assert (n,m) == (1,0) and torch.equal(first, again)
    assert read(spacing=2.)[1] == 1 and read(window=(0,1))[1] == 1
    Volume(np.zeros((6,24,24), np.float32), AFFINE).to_nifti(table.path[0])
    changed,n = read()
    assert n == 1 and not torch.equal(first, changed)

@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='needs a device that is always full')
def test_a_full_disk_is_said_once_and_costs_nothing_else(tmp_path, monkeypatch):
    cache = ArrayCache(folder=tmp_path)
    monkeypatch.setattr('builtins.open', lambda p, mode='r', real=open, **kw: real('/dev/full' if str(p).endswith('.new') else p, mode, **kw))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter('always')
        for k in 'abc': assert (cache.get(k, lambda: np.arange(70_000)) == np.arange(70_000)).all()
    assert len(said) == 1 and 'No space left' in str(said[0].message) and not list(tmp_path.glob('*.npy'))

def test_any_damage_to_a_kept_file_is_repaired(tmp_path):
    cache = ArrayCache(folder=tmp_path)
    cache.get('a', lambda: np.arange(50, dtype=np.float16).view([('{"spacing": []}', np.float16)]))
    whole = (tmp_path/'a.npy').read_bytes()
    for n in range(0, len(whole), 7):
        (tmp_path/'a.npy').write_bytes(whole[:n])
        assert len(cache.get('a', lambda: np.arange(50))) == 50
    for n in range(0, 100, 9):
        (tmp_path/'a.npy').write_bytes(whole[:n]+b'\xff\x00'+whole[n+2:])
        assert len(cache.get('a', lambda: np.arange(50))) == 50

@pytest.mark.parametrize('num_workers', [0,2])
def test_an_image_torn_in_the_middle_of_training(table, num_workers):
    "Raised with file and patient, or replaced in training and left out of validation."
    made = {how: classify_dls(table, 'ball', size=(4,16,16), bs=2, num_workers=num_workers, aug=False, on_error=how) for how in ('raise','skip')}
    torn = [made['skip'].train_ds.items.iloc[1], made['skip'].valid_ds.items.iloc[0]]
    for row in torn: open(row.path, 'wb').write(b'torn')
    with pytest.raises(UnreadableFile) as e: list(made['raise'].train)
    assert torn[0].PatientID in str(e.value) and torn[0].path in str(e.value)
    dls = made['skip']
    with pytest.warns(UserWarning, match='Left out'): seen = [x for x,_ in dls.train]
    assert sum(map(len, seen)) == len(dls.train)*2
    used = pd.concat([dls.train.rows(i) for i in range(len(seen))])
    assert torn[0].PatientID not in set(used.PatientID)
    with pytest.warns(UserWarning, match='left out of validation'): judged = sum(len(x) for x,_ in dls.valid)
    assert judged == len(dls.valid_ds)-1
    with pytest.warns(UserWarning, match='left out of validation'): assert sum(len(x) for x,_ in dls.valid) == judged   # every epoch says so
    assert len(dls.valid.get_idxs()) == judged      # what fastai orders its predictions by
    assert set(dls.skipped.patient) == {r.PatientID for r in torn}
