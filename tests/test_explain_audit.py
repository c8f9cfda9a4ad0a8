"radnb.explain: the planted traps are found, a clean cohort raises no alarm, and real data give up their real leak."
import os, warnings
from pathlib import Path
import numpy as np, pandas as pd, pytest
from radnb.core import RadnbError
from radnb.explain.audit import audit, check_identical, cohort_of_table, read_thumbs
from radnb.explain.evaluate import evaluate

SCANNER, MARGIN, IDENTICAL = 'label from the scanner', 'label from the margin of the image', 'identical images'


def phantoms(d, *traps):
    "The audit of 32 synthetic patients with these traps planted in them."
    from radnb.data.index import index_dicom
    from radnb.data.series import join_labels, series_table
    from radnb.data.phantom import make_cohort
    from radnb.train.splits import PatientSplitter
    make_cohort(d, n=32, kinds=('ct',), seed=0, traps=traps, size=(20, 40, 40))
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
    assert set(found.failed) <= {SCANNER, MARGIN, IDENTICAL}
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
    c = cohort_of_table(df, 'label')
    found = check_identical(c, read_thumbs(c))
    assert found.verdict == 'fail' and '8 identical pairs across the split' in found.evidence
    for i, j in found.cases[['row 0', 'row 1']].values:
        assert np.array_equal(df.pixels[i], df.pixels[j]) and {df.split[i], df.split[j]} == {'train', 'valid'}


def test_strict_raises():
    df = pd.DataFrame(dict(PatientID=['A', 'A'], split=['train', 'valid'], label=[0, 1]))
    with pytest.raises(RadnbError, match='patients on both sides'): audit(df=df, label='label', strict=True)


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
