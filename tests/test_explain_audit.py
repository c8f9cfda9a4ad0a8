"radnb.explain: the planted traps are found, a clean cohort raises no alarm, and real data give up their real leak."
import os, warnings
from pathlib import Path
import numpy as np, pandas as pd, pytest
from scipy.ndimage import gaussian_filter
from radnb.core import AuditFailed, BadInput
from radnb.data.volume import Volume
from radnb.explain.audit import AUDIT_CHECKS, audit, check_identical, cohort_of_table, read_thumbs
from radnb.explain.evaluate import evaluate

SCANNER, MARGIN, IDENTICAL = 'label from the scanner', 'label from the margin of the image', 'identical images'


def phantoms(d, *traps):
    "The audit of 32 synthetic patients with these traps planted in them."
    from radnb.data.index import index_dicom
    from radnb.data.series import join_labels, series_table
    from radnb.data.phantom import make_cohort
    from radnb.train.splits import PatientSplitter
    make_cohort(d, n=32, kinds=('ct',), seed=0, traps=traps, size=(12, 40, 40))
    series = series_table(index_dicom(d))
    series = join_labels(series[series.Modality == 'CT'], d/'labels.csv')
    return audit(df=series, label='nodule', split=PatientSplitter(valid=.4, seed=0))


def test_clean_cohort_raises_no_alarm(tmp_path):
    clean = phantoms(tmp_path)
    assert clean.failed == [] and clean['patients on both sides'].verdict == 'pass'
    assert all(clean[check].level in ('pass', 'warn') for check in (SCANNER, MARGIN, IDENTICAL))


def test_planted_traps_are_found(tmp_path):
    found = phantoms(tmp_path, 'duplicate_patient', 'burned_in_text', 'site_predicts_label')
    assert set(found.failed) | set(found.warned) >= {SCANNER, MARGIN, IDENTICAL} and set(found.failed) >= {SCANNER, MARGIN}
    assert set(found.failed) <= {SCANNER, MARGIN, IDENTICAL, 'site read off the image'}  # which is another side of the scanner's trap
    assert len(found[IDENTICAL].cases) == 1 and found[IDENTICAL].cases['patient 1'][0] == 'SYN-0032'
    for check in found.failed: assert found[check].remedy and found[check].consequence and check in found._repr_html_()


def pneumonia():
    file = Path(os.environ.get('RADNB_DATA', Path(__file__).parents[2]/'shared'/'data'))/'pneumoniamnist'/'pneumoniamnist_trainval.npz'
    if not file.exists(): pytest.skip(f'no real data at {file}: set RADNB_DATA')
    z = np.load(file)
    sides = {s: (z[f'{k}_images'], z[f'{k}_labels'].ravel()) for s, k in (('train', 'train'), ('valid', 'val'))}
    return pd.concat([pd.DataFrame(dict(pixels=list(x), label=y, split=s)) for s, (x, y) in sides.items()], ignore_index=True)


def test_the_eight_images_that_pneumoniamnist_has_twice():
    df = pneumonia()
    df = df.iloc[np.union1d(found_in_training(df), np.flatnonzero(df.split == 'valid'))].reset_index(drop=True)
    c = cohort_of_table(df, 'label')
    found = check_identical(c, read_thumbs(c))
    assert found.verdict == 'fail' and '8 identical pairs across the split' in found.evidence
    for i, j in found.cases[['row 0', 'row 1']].values:
        assert np.array_equal(df.pixels[i], df.pixels[j]) and {df.split[i], df.split[j]} == {'train', 'valid'}


def test_the_hash_finds_the_eight_too():
    from radnb.explain.leaks import _hash_pairs, perceptual_hash
    df = pneumonia()
    thumbs = read_thumbs(cohort_of_table(pd.concat([df[df.split=='valid'], df.iloc[found_in_training(df)]], ignore_index=True)))
    bits = perceptual_hash(np.stack([t.small.reshape(32, 3, 32, 3).mean((1, 3)) for t in thumbs]))
    pairs, digests = set(_hash_pairs(bits)), np.array([t.digest for t in thumbs])
    i, j = np.nonzero(digests[:, None] == digests)
    same = {(a, b) for a, b in zip(i.tolist(), j.tolist()) if a < b}
    assert len(same) >= 8 and same <= pairs and len(pairs-same) < 30  # of 150,000


def found_in_training(df):
    "The training images that are validation images too, and 24 others."
    valid = {x.tobytes() for x in df.pixels[df.split == 'valid']}
    train = np.flatnonzero(df.split == 'train')
    return [i for i in train if df.pixels[i].tobytes() in valid] + train[:24].tolist()


def test_strict_raises():
    df = pd.DataFrame(dict(PatientID=['A', 'A'], split=['train', 'valid'], label=[0, 1]))
    with pytest.raises(AuditFailed, match='patients on both sides'): audit(df=df, label='label', strict=True, only=['patients', 'numbers'])
    settled = audit(df, label='label', strict=True, only='patients', accept=dict(patients='two eyes of one patient'))
    assert settled['patients'].level == 'accepted' and 'two eyes' in settled._repr_html_() and settled.failed == []
    with pytest.raises(BadInput, match='without a reason'): audit(df, accept=dict(patients=' '))
    with pytest.raises(BadInput, match='no check'): audit(df, only='nothing')


def chests(seed, n=48):
    "SYNTHETIC slices through chests in HU, one a patient, in a table; half of them sick, which nobody can see; split by chance."
    r = np.random.default_rng(seed)
    y, x = np.mgrid[-1:1:40j, -1:1:40j]
    def one():
        w, h = 1+.08*r.normal(size=2)
        inside = lambda cx, cy, a, b: ((x-cx)/(a*w))**2+((y-cy)/(b*h))**2 < 1
        hu = np.full((40, 40), -1000.); hu[inside(0, 0, .85, .65)] = 40
        hu[inside(-.42, -.05, .3, .45)] = -850; hu[inside(.42, -.05, .3, .45)] = -850; hu[inside(.2, .05, .3, .28)] = 50
        own = gaussian_filter(r.normal(size=hu.shape), 2)  # what makes a patient individual
        return hu+150*own/own.std()*(hu > -990)+r.normal(0, 15, hu.shape)
    images = [one() for _ in range(n)]
    split = np.where(r.permutation(np.arange(n) % 3 == 0), 'valid', 'train')
    return pd.DataFrame(dict(volume=[Volume(a, np.diag([5, 8, 8, 1]), 'HU') for a in images], PatientID=[f'SYN-{i:04d}' for i in range(n)], sick=r.permutation(np.arange(n) % 2),
                             site=r.choice(list('AB'), n), age=r.integers(30, 80, n), split=split))


def changed(df, rows, change, unit='HU'):
    return df.assign(volume=[Volume(change(v.data) if i in rows else v.data, v.affine, unit) for i, v in enumerate(df.volume)])


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_a_clean_cohort_is_left_in_peace(seed):
    found = audit(chests(seed), label='sick', new=chests(seed+100, 16), skip='numbers')  # that 48 patients are few is true
    assert found.failed == found.warned == [], found
    assert sum(c.level == 'pass' for c in found.checks) >= 15


def test_each_trap_is_found_by_its_check():
    df, few = chests(0), range(5)
    copy, twice = df.copy(), df.copy()
    valid, train = np.flatnonzero(df.split == 'valid'), np.flatnonzero(df.split == 'train')
    copy.at[valid[0], 'volume'] = df.volume[train[0]]
    twice.loc[valid[0], 'PatientID'] = df.PatientID[train[0]]
    big = changed(df, np.flatnonzero(df.sick), lambda a: np.where(np.indices(a.shape)[2] < 18, a.clip(-300), a))
    wrong = big.sick.to_numpy().copy(); wrong[[1, 9, 20, 33, 40]] ^= 1
    planted = dict(
        patients=twice, identical=copy, near=changed(copy, valid[:1], lambda a: a+np.random.default_rng(0).normal(0, 10, a.shape)),
        margin=changed(df, np.flatnonzero(df.sick), lambda a: np.where((np.indices(a.shape)[1:] > 35).all(0), 300, a)),
        acquisition=df.assign(site=np.where(df.sick, 'B', 'A')), metadata=df.assign(age=40+30*df.sick), person=df.assign(age=40+30*df.sick),
        noise=big.assign(sick=wrong), rescale=changed(df, few, lambda a: a+1024), clipping=changed(df, range(40), lambda a: a.clip(-160, 40)),
        inverted=changed(df, few, lambda a: -a, 'a.u.').assign(volume=lambda t: [Volume(v.data, unit='a.u.') for v in t.volume]),
        laterality=changed(df, few, lambda a: a[..., ::-1]), shift=df.assign(age=30+40*(df.split == 'valid')+np.arange(48)/48), conflicts=copy.assign(sick=np.arange(48) == valid[0]))
    for key, table in planted.items(): assert audit(table, label='sick', only=key)[key].level in ('warn', 'fail'), key
    other = changed(chests(7, 16), range(16), lambda a: a+np.random.default_rng(0).normal(0, 60, a.shape))
    assert audit(df, label='sick', new=other, only='new').failed == ['a new batch']
    assert audit(df, label='sick', intended=dict(prevalence=.02), only='prevalence').warned == ['prevalence']


def test_what_cannot_be_asked_says_why():
    bare = audit(pd.DataFrame(dict(note=['a', 'b'])))
    assert len(bare) == len(AUDIT_CHECKS) and all(c.level == 'not run' and len(c.verdict) > len('not run: ')+8 for c in bare.checks)
    assert 'split=' in bare['patients'].verdict and 'label=' in bare['noise'].verdict+bare['numbers'].verdict and 'learner' in bare['occlusion'].verdict


def test_the_page_shows_no_patient(tmp_path):
    df = chests(0)
    df.loc[np.flatnonzero(df.split == 'valid')[0], 'PatientID'] = df.PatientID[np.flatnonzero(df.split == 'train')[0]]
    page = audit(df, label='sick', only=['patients', 'identical', 'noise']).to_html(tmp_path/'a.html').read_text(encoding='utf-8')
    assert '1 of 47 patients' in page and 'SYN-' not in page and '<script' not in page and 'http' not in page


@pytest.fixture(scope='module')
def learner():
    "A classifier of small pictures with a bright square or none; three of each patient."
    from radnb.train.classify import classify_dls, classify_learner
    rng = np.random.default_rng(0)
    y = np.repeat(rng.integers(0, 2, 40), 3)
    x = rng.normal(90, 30, (120, 28, 28))
    x[y == 1, 10:16, 10:16] += 60
    df = pd.DataFrame(dict(PatientID=np.repeat([f'SYN-{i:04d}' for i in range(40)], 3), finding=np.where(y, 'sick', 'well'),
                           pixels=list(x.clip(0, 255).astype(np.uint8))))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        learn = classify_learner(classify_dls(df, 'finding', classes=['well', 'sick'], bs=16))
        with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(3)
    return learn


def test_report_of_a_learner(learner, tmp_path):
    report = evaluate(learner)
    rows = learner.dls.valid_ds.items
    assert report.task == 'classify' and report.classes == ['well', 'sick'] and len(report.y) == len(rows)
    assert report.y.tolist() == (rows.finding == 'sick').astype(int).tolist()
    assert report.estimates['AUC'].n == rows.PatientID.nunique() < len(rows)  # patients are counted
    assert report.by_patient['AUC'].n == rows.PatientID.nunique()
    report.set_operating_point(.3)
    assert learner.operating_point.threshold == .3 and report.cases.called.eq('sick').sum() == (report.prob >= .3).sum()
    assert len(pd.read_csv(report.to_csv(tmp_path/'cases.csv'))) == len(rows)
    assert 'SYN-' not in report._repr_html_()  # what is shown names no patient
    for picture in (report.plot(), report.show_cases('worst', 4)): assert picture.png().startswith(b'\x89PNG')


def test_audit_of_a_learner(learner):
    found = audit(learner)
    assert 'patients on both sides' not in found.failed and found['patients on both sides'].verdict == 'pass'
    assert found['training against validation'].level in ('pass', 'warn') and found[SCANNER].level == 'not run'
    assert '95 %' in repr(evaluate(learner)) and set(found.table.columns) == {'check', 'verdict', 'evidence', 'consequence', 'remedy'}
