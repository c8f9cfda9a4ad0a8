"A sealed test set from sealing to report: with a learner, with files on disk, and with two people at the same time."
import json, threading, warnings
import numpy as np, pandas as pd, pytest
from radnb.core import PatientLeak, SealBroken
from radnb.train.sealed import SealedTest, model_fingerprint, opening_notes, seal_test

@pytest.fixture
def table():
    "Synthetic squares, two per patient, bright where the patient is ill."
    rng = np.random.default_rng(0)
    return pd.DataFrame([dict(PatientID=f'S{i:02d}', label=int(i%2), pixels=(rng.normal(60, 20, (16,16))+(80 if i%2 else 0)).clip(0, 255).astype(np.uint8))
                         for i in range(30) for _ in range(2)])

def learner(df, **kw):
    from radnb.train.classify import classify_dls, classify_learner
    return classify_learner(classify_dls(df, 'label', bs=8, aug=False, **kw), 'small')

def test_from_sealing_to_report(table, tmp_path):
    from radnb.explain.evaluate import evaluate
    sealed,dev = seal_test(table, tmp_path/'seal', label='label')
    with pytest.raises(PatientLeak, match='sealed test set'): learner(table)
    with pytest.raises(PatientLeak, match='sealed test set'): learner(pd.DataFrame(table.to_dict('list')), sealed=sealed)
    learn = learner(dev, sealed=sealed)
    with pytest.raises(PatientLeak): evaluate(learn, table)
    test = sealed.open_test('final model', learn=learn)
    report = evaluate(learn, test)
    assert report.openings[0].endswith('opened once.') and f'final model, model {model_fingerprint(learn)}.' in report.openings[-1]
    assert 'opened once' in repr(report) and 'opened once' in report._repr_html_() and 'sealed test data' in repr(report)
    assert sealed.openings.training[0] == '24 patients, none of them sealed'
    assert evaluate(learn).openings == []

def test_a_learner_that_has_seen_the_patients(table, tmp_path):
    forgetful = learner(pd.DataFrame(table.to_dict('list')))
    sealed,_ = seal_test(table, tmp_path/'seal', label='label')
    with pytest.raises(PatientLeak): sealed.open_test('final model', learn=forgetful)
    assert len(sealed.openings) == 0                      # a refused opening shows nobody anything

def test_another_model_than_the_one_on_record(table, tmp_path):
    sealed,dev = seal_test(table, tmp_path/'seal', label='label')
    one,two = learner(dev), learner(dev, seed=5)
    test = sealed.open_test('final model', learn=one)
    assert 'not opened for this model' in ' '.join(opening_notes(test, two)) and 'not opened for' not in ' '.join(opening_notes(test, one))

def test_files_may_move_but_not_change(table, tmp_path):
    def at(folder):
        folder.mkdir(exist_ok=True)
        for i,p in enumerate(table.pixels): np.save(folder/f'{i}.npy', p)
        return table.drop(columns='pixels').assign(image=[str(folder/f'{i}.npy') for i in range(len(table))])
    here,there = at(tmp_path/'here'), at(tmp_path/'there')
    sealed,_ = seal_test(here, tmp_path/'seal', label='label')
    moved,_ = seal_test(there, tmp_path/'seal', label='label')
    assert moved.fingerprint == sealed.fingerprint and len(moved.open_test('moved')) == 12
    victim = moved._rows.image.iloc[0]
    np.save(victim, np.load(victim)+1)
    with pytest.raises(SealBroken, match='1 images were changed'): seal_test(there, tmp_path/'seal', label='label')[0].open_test('again')

def test_every_image_another_patient(table, tmp_path):
    twins = pd.concat([table, table.head(10)], ignore_index=True).drop(columns='PatientID')
    sealed,dev = seal_test(twins, tmp_path/'seal', label='label', patient=None)
    key = lambda d: {p.tobytes() for p in d.pixels}
    assert not key(dev) & key(sealed._rows) and len(dev)+len(sealed._rows) == 70    # copies stay together
    assert len(seal_test(twins.sample(frac=1, random_state=0), tmp_path/'seal', label='label', patient=None)[1]) == len(dev)
    with pytest.raises(PatientLeak): sealed.refuse(twins)

def test_the_opened_table_survives_a_csv_file(table, tmp_path):
    sealed,dev = seal_test(table, tmp_path/'seal', label='label')
    sealed.open_test('final model').drop(columns='pixels').to_csv(tmp_path/'test.csv', index=False)
    back = pd.read_csv(tmp_path/'test.csv')
    assert not back.attrs and 'opened once' in opening_notes(back)[0]
    with pytest.raises(PatientLeak): sealed.refuse(back)

def test_two_at_the_same_time(table, tmp_path):
    sealed,_ = seal_test(table, tmp_path/'seal', label='label')
    threads = [threading.Thread(target=sealed.open_test, args=('in a hurry',)) for _ in range(6)]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for t in threads: t.start()
        for t in threads: t.join()
    assert SealedTest(sealed.folder).openings.number.tolist() == [1,2,3,4,5,6]

@pytest.mark.parametrize('line', [0,1,2])
@pytest.mark.parametrize('field', ['time','reason','number','before','sha256'])
def test_any_change_of_the_record_is_seen(table, tmp_path, line, field):
    sealed,_ = seal_test(table, tmp_path/'seal', label='label')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for _ in range(2): sealed.open_test('final')
    ledger = sealed.folder/'openings.jsonl'
    entries = [json.loads(o) for o in ledger.read_text().splitlines()]
    entries[line][field] = 7 if field == 'number' else 'x'
    ledger.write_text('\n'.join(map(json.dumps, entries))+'\n')
    with pytest.raises(SealBroken): SealedTest(sealed.folder)

def test_a_kill_between_record_and_seal_is_mended(table, tmp_path):
    sealed,_ = seal_test(table, tmp_path/'seal', label='label')
    before = (sealed.folder/'seal.json').read_text()
    sealed.open_test('final')
    (sealed.folder/'seal.json').write_text(before)        # the record was written, the seal not yet
    assert len(SealedTest(sealed.folder).openings) == 1
    with pytest.warns(UserWarning, match='opened twice'): seal_test(table, tmp_path/'seal', label='label')[0].open_test('again')
