"Numbers, table columns and pairs: against scikit-learn and the textbook, and with bad input."
import math
import numpy as np, pandas as pd, pytest
from hypothesis import given, settings, strategies as st
from radnb.core import BadInput, BadLabels, RadnbError
from radnb.measure.agreement import agreement

def frame(n=24, seed=0, size=12):
    rng = np.random.default_rng(seed)
    return pd.DataFrame([dict(PatientID=f'P{i//2}', pixels=rng.integers(0, 255, (size,size), dtype=np.uint8), age=float(rng.uniform(20, 90)), sex='FM'[i%2]) for i in range(n)])

def test_agreement_is_scikit_learns():
    from scipy.stats import pearsonr
    from sklearn.metrics import mean_absolute_error, r2_score
    rng = np.random.default_rng(1)
    y = rng.normal(1e4, 3, 50); p = y+rng.normal(1, 2, 50)          # far from zero: sums of squares must not cancel
    a = agreement(y, p)
    for name,f in (('MAE',mean_absolute_error), ('R2',r2_score), ('Pearson r',lambda a,b: pearsonr(a, b)[0])):
        assert a[name].value == pytest.approx(f(y, p), rel=1e-6)

def test_limits_of_agreement_cover():
    "Of 200 studies of 40 patients, about 95 % of the intervals of the upper limit hold the true one."
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        y = rng.uniform(0, 100, 40)
        e = agreement(y, y+rng.normal(2, 5, 40), n_boot=400)['upper limit of agreement']
        held += e.low <= 2+1.96*5 <= e.high
    assert 170 <= held <= 199

@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=9, max_size=60), st.floats(.5, .9))
def test_one_image_each_is_plain_split_conformal(scores, level):
    "The factor is the ceil((n+1) level)-th smallest score (Lei et al. 2018)."
    from radnb.train.regress import Conformal
    n = len(scores)
    c = Conformal(np.array(scores), np.column_stack([np.zeros(n), np.ones(n)]), np.arange(n), level)
    k = math.ceil((n+1)*level-1e-6)
    assert c.factor() == sorted(scores)[k-1]

def test_images_of_a_patient_do_not_make_intervals_narrower():
    from radnb.train.regress import Conformal
    rng = np.random.default_rng(3)
    y = rng.normal(0, 1, 12)
    said = np.column_stack([np.zeros(12), np.ones(12)])
    once = Conformal(y, said, np.arange(12))
    often = Conformal(np.repeat(y, 5), np.repeat(said, 5, 0), np.repeat(np.arange(12), 5))
    assert often.n == 12 and often.factor() == once.factor() and often.coverage.n == 12

@pytest.fixture(scope='module')
def learner():
    from radnb.train.regress import regress_dls, regress_learner
    learn = regress_learner(regress_dls(frame(48), 'age', 'years', inputs='sex', valid=.5, bs=12))
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    return learn

def test_report_on_a_learner(learner):
    from radnb.explain.evaluate import evaluate
    report = evaluate(learner)
    assert report.estimates['MAE'].n == 12 and report.estimates['MAE'].unit == 'years'
    assert 'median of the training patients' in repr(report)          # noise: nothing was learned
    guess = abs(report.y-learner.dls.train_ds.items.age.median()).mean()
    assert report.estimates['MAE of the training median'].value == pytest.approx(guess)
    assert report.summary().measure.tolist()[0] == 'MAE' and 'Bland-Altman' in repr(report.plot())
    assert report.cases.loss.idxmax() == int(abs(report.y-report.prob).argmax())
    assert 'worst' in repr(report.show_cases(n=2))
    with pytest.raises(BadInput): report.set_operating_point(.5)

def test_report_after_calibration_judges_each_patient_by_the_others(learner):
    from radnb.explain.evaluate import evaluate
    c = learner.calibrate(level=.8)
    e = evaluate(learner).estimates['truth inside the 80 % interval']
    assert e.value == pytest.approx(c.coverage.value) and e.n == 12
    learner.conformal = None

def test_an_interrupted_training_of_numbers_goes_on(tmp_path):
    from fastai.callback.core import Callback
    from radnb.train.regress import regress_dls, regress_learner
    class Cut(Callback):
        def before_epoch(self):
            if self.epoch == 1: raise KeyboardInterrupt
    make = lambda **kw: regress_learner(regress_dls(frame(24), 'age', inputs='sex', bs=6), **kw)
    whole = make()
    with whole.no_bar(), whole.no_logging(): whole.fit(2)
    first = make(checkpoint=tmp_path)
    with first.no_bar(), first.no_logging(), pytest.raises(KeyboardInterrupt): first.fit(2, cbs=[Cut()])
    second = make(checkpoint=tmp_path)
    with second.no_bar(), second.no_logging(): second.resume(cbs=[])
    rows = frame(24).head(4)
    assert second.predict_number(rows).to_numpy() == pytest.approx(whole.predict_number(rows).to_numpy(), abs=1e-4)

@pytest.mark.parametrize('change, words', [
    (dict(age=np.nan), '24 of 24 rows have no age'), (dict(age='61'), 'holds text'), (dict(age=61.), 'nothing to learn'), (dict(PatientID='P0'), '1 patient'),
    (dict(sex=None), 'missing in all'), (dict(pixels=[None]*24), 'names no image')])
def test_bad_tables_are_named(change, words):
    from radnb.train.regress import regress_dls
    with pytest.raises(RadnbError, match=words): regress_dls(frame().assign(**change), 'age', inputs='sex')

@settings(max_examples=60, deadline=None)
@given(st.one_of(st.none(), st.floats(0, 120), st.sampled_from(['045Y','006M','','x'])), st.one_of(st.none(), st.text(max_size=3), st.integers()))
def test_any_row_is_encoded_or_refused(age, sex):
    from radnb.data.columns import TableEncoder
    enc = TableEncoder(['age','sex']).fit(frame())
    try: x = enc.encode(dict(age=age, sex=sex))
    except BadInput: return
    assert x.shape == (5,) and np.isfinite(x).all() and x[2:].sum() == 1 and enc.words(x).startswith('age ')

def test_pairs_are_judged_like_classes():
    from radnb.explain.evaluate import evaluate
    from radnb.train.pair import pair_dls, pair_learner
    df = frame(24).assign(pre=lambda d: d.pixels, post=lambda d: d.pixels.values[::-1], response=lambda d: np.arange(24)//2 % 2).drop(columns='pixels')
    learn = pair_learner(pair_dls(df, 'response', bs=6))
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    report = evaluate(learn)
    assert report.estimates['AUC'].n == len(set(learn.dls.valid_ds.items.PatientID))
    report.set_operating_point(.4)
    assert learn.operating_point.threshold == .4 and learn.predict_label(df.head(2)) is not None
    with pytest.raises(BadLabels): pair_dls(df.assign(response=np.nan), 'response')
