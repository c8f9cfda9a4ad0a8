"Every number that a tuner shows equals measure's at that threshold; the choice is kept by predict, evaluate, export and publish."
import json, pickle, warnings
from types import SimpleNamespace
import numpy as np, pandas as pd, pytest
from hypothesis import given, settings, strategies as st
from radnb.core import BadInput, OneClass
from radnb.data.volume import Volume
from radnb.explain.evaluate import evaluate
from radnb.explain.report_masks import SegmentCase, SegmentReport
from radnb.measure import metrics as M
from radnb.measure.calibration import net_benefit
from radnb.measure.detection import lesion_detection
from radnb.measure.stats import OperatingPoint, at_cost, at_sensitivity, confusion, curve_bands, roc_curve, threshold_table, youden
from radnb.view.threshold import _COLUMNS, _Classify, tune_threshold
from radnb.view.tune_intensity import threshold_mask
from radnb.view.tune_segment import case_curves

METRICS = ('sensitivity','specificity','ppv','npv','accuracy','f1')

@st.composite
def cases(draw):
    "Truth, scores with ties, and patients of uneven weight."
    n = draw(st.integers(2, 40))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    p = np.array(draw(st.lists(st.integers(0, 6), min_size=n, max_size=n)))/6
    who = np.array(draw(st.lists(st.integers(0, n//2), min_size=n, max_size=n)))
    return y, p, draw(st.sampled_from((None, who)))

@settings(max_examples=150, deadline=None)
@given(cases(), st.floats(-.1, 1.1))
def test_the_table_of_thresholds_is_confusion_at_each(c, extra):
    y, p, who = c
    for at in (None, [extra]):
        for _,row in threshold_table(y, p, who, at=at).iterrows():
            one = confusion(y, p, row.threshold, who)
            assert [one.tp, one.fp, one.tn, one.fn] == [row.tp, row.fp, row.tn, row.fn]
            for k in METRICS:
                e = getattr(one, k)
                np.testing.assert_allclose([row[k], row[f'{k}_low'], row[f'{k}_high']], [e.value, e.low, e.high], atol=1e-9, err_msg=f'{k} of {one}')

@settings(max_examples=60, deadline=None)
@given(cases(), st.floats(0, 1))
def test_what_the_browser_is_given_holds_at_any_threshold(c, t):
    y, p, who = c
    if y.all() or not y.any():
        with pytest.raises(OneClass): _Classify(y, p, who)
        return
    job = _Classify(y, p, who)
    half = np.arange(len(y))%2==0
    spec, data = job.payload([('half', half)], t)
    numbers = np.frombuffer(data).reshape(-1, spec['rows'])
    k = int(np.searchsorted(-numbers[0], -t, 'right'))-1          # rowAt of lab/src/tune/model.ts
    for j,rows in enumerate((np.ones(len(y), bool), half)):
        one = confusion(y[rows], p[rows], t, None if who is None else who[rows])
        shown = dict(zip(_COLUMNS, numbers[2+j*len(_COLUMNS):, k]))
        assert (shown['tp'], shown['fp']) == (one.tp, one.fp)
        for m in METRICS: np.testing.assert_allclose([shown[f'{m}_low'], shown[f'{m}_high']], [getattr(one, m).low, getattr(one, m).high], atol=1e-9)
    assert confusion(y, p, numbers[1,k]).tp == confusion(y, p, t).tp     # the threshold of that row calls the same cases

def test_thinned_tables_stay_exact():
    rng = np.random.default_rng(0)
    y, p = rng.random(3000) < .3, rng.random(3000)
    job = _Classify(y, p)
    keep = job._kept(.4321, most=200)
    assert len(keep) <= 201 and confusion(y, p, job.cuts[keep][np.searchsorted(-job.scores[keep], -.4321, 'right')-1]).tp == confusion(y, p, .4321).tp

def test_bands_are_the_percentiles_of_resampled_curves():
    rng = np.random.default_rng(1)
    y = rng.random(80) < .4
    p = np.round(rng.normal(y*1., 1), 1)
    b = curve_bands(y, p, n_boot=300, seed=3, points=11)
    draws, rates = np.random.default_rng(3).integers(80, size=(300,80)), []
    for who in draws:
        fpr, tpr, _ = roc_curve(y[who], p[who])
        rates.append(tpr[np.searchsorted(fpr, b.x, 'right')-1])
    np.testing.assert_allclose([b.tpr_low, b.tpr_high], np.quantile(rates, (.025,.975), axis=0), atol=1e-12)

def test_net_benefit_at_the_data_s_prevalence_is_the_decision_curve():
    rng = np.random.default_rng(2)
    y, p = rng.random(300) < .3, rng.random(300)
    for t in (.1, .35, .8):
        e = confusion(y, p, t).net_benefit_at(y.mean())
        assert e.value == pytest.approx(net_benefit(y, p, t).model[0]) and e.low < e.value < e.high
    perfect = confusion([0,1]*20, [0.,1.]*20, .5).net_benefit_at(.1)
    assert perfect.value == pytest.approx(.1) and perfect.low < .1          # never wrong in 40 cases is not never wrong

@pytest.mark.parametrize('p,words', [([.2,np.nan,.9], 'missing or infinite'), ([.2,np.inf,.9], 'missing or infinite'), ([.2,.9], '2 rows for 3')])
def test_bad_scores_are_refused(p, words):
    with pytest.raises(BadInput, match=words): tune_threshold([0,1,1], p)

def test_rules_are_those_of_stats():
    rng = np.random.default_rng(4)
    y = rng.random(200) < .3
    p = rng.normal(y*1., 1)
    assert tune_threshold(y, p).threshold == youden(y, p).threshold
    assert tune_threshold(y, p, rule='sensitivity', minimum=.8).threshold == at_sensitivity(y, p, .8).threshold
    assert tune_threshold(y, p, rule='cost', cost=5, prevalence=.05).threshold == at_cost(y, p, 1, 5, .05).threshold

# segmentation

@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(((6,9,8), (1,9,8), (5,1,7))))
def test_curves_of_a_case_are_the_metrics_at_each_threshold(seed, shape):
    from scipy.ndimage import gaussian_filter
    rng = np.random.default_rng(seed)
    smooth = lambda: (lambda a: (a-a.min())/np.ptp(a))(gaussian_filter(rng.normal(size=shape), 1))
    prob, true, spacing, grid = smooth().astype(np.float32), smooth()>.6, (2.5,.7,.9), np.linspace(.02,.98,13)
    c = case_curves(prob, true, spacing, grid)
    for i,t in enumerate(grid):
        mask = prob >= np.float32(t)
        d = lesion_detection(mask, true)
        shown = [c[k][i] for k in ('dice','volume_ml','found','false','hd95_mm')]
        np.testing.assert_allclose(shown, [M.dice(mask, true), M.volume_ml(mask, spacing), d.tp, d.fp, M.hd95(mask, true, spacing)], rtol=1e-9)

def segment_report(n=10):
    rng, cases, (z,y,x) = np.random.default_rng(0), [], np.ogrid[:10,:24,:24]
    away = lambda s: np.sqrt(((z-5)*3)**2+(y-12)**2+(x-12-s)**2)
    for i in range(n):
        prob = 1/(1+np.exp((away(i%3)-6+rng.normal(0, .5, (10,24,24)))/1.5))
        cases.append(SegmentCase.from_arrays((away(0)<6)*(i!=4), prob, (3,1,1)))
    return SegmentReport(cases, [f'P{i//2}' for i in range(n)], {1:'lesion'}, ds='validation')

def test_the_tuner_and_the_report_tell_the_same(monkeypatch):
    report = segment_report()
    t = tune_threshold(report, threshold=.3)
    e = t.operating_point.metrics
    assert e['dice'] == report.estimates['Dice lesion'] and report.operating_point is t.operating_point
    for k,name in (('hd95_mm','HD95 lesion'), ('error_ml','volume difference lesion')):
        np.testing.assert_allclose([e[k].value, e[k].low, e[k].high], [report.estimates[name].value, report.estimates[name].low, report.estimates[name].high], rtol=1e-9)
    i = t.cases.at(.3)
    np.testing.assert_allclose(t.cases.curves['hd95_mm'][t.cases.present,i], report.cases['hd95_mm'][report.y==1], rtol=1e-9)
    again = tune_threshold(report, rule='volume')
    assert again.cases is t.cases                                           # computed once
    report.segmented[0].prob[:] *= .6                                       # from 0.6 on, this case is missed
    report._tuned.clear()
    missed = tune_threshold(report)
    n, d = dict(zip(missed.cases.cohort, missed._spec()[0]['n']))['hd95_mm'], missed.cases.curves['hd95_mm'][0]
    assert np.isinf(d[missed.cases.at(.9)]) and n[0] == 5 and n == [e.n for e in missed.cases.cohort['hd95_mm']]

def test_a_report_is_measured_when_somebody_looks():
    report = segment_report(4)
    before, count = report.estimates['Dice lesion'], []
    report._measure, measure = (lambda: (count.append(1), measure())), report._measure
    for t in (.2, .4, .9): report.set_operating_point(t)
    assert count == [] and report.estimates['Dice lesion'] != before and report.notes is not None and count == [1]

# the choice is kept

def test_old_files_of_operating_points_are_read():
    old = dict(threshold=.4, rule='r', chosen_by='', chosen_on='validation', n=3, time='', metrics={})
    assert OperatingPoint.from_dict(old).threshold == .4
    new = OperatingPoint(-150, 'fat', high=-50., unit='HU', data='ab', others={'x': OperatingPoint(.1, 'y')})
    assert OperatingPoint.from_dict(json.loads(json.dumps(new.to_dict()))) == new and pickle.loads(pickle.dumps(new)) == new

def test_nobody_is_guessed(monkeypatch):
    monkeypatch.setenv('USER', 'drhouse'); monkeypatch.setenv('LOGNAME', 'drhouse')
    op = tune_threshold([0,1,0,1], [.1,.8,.3,.6]).operating_point
    assert op.chosen_by == '' and 'drhouse' not in repr(op) and op.data and op.time and op.n == 4

def test_a_choice_per_class_is_honoured_by_the_report():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 150)
    prob = rng.dirichlet((1,1,1), 150)*.5+.5*np.eye(3)[y]
    prob /= prob.sum(1, keepdims=True)
    report = evaluate(y=y, prob=prob, classes=['normal','bacterial','viral'])
    likeliest = report.called
    tune_threshold(report, positive='viral', threshold=.05)
    assert (report.called == 2).sum() == (prob[:,2] >= .05).sum() > (likeliest == 2).sum()
    assert report.estimates['sensitivity viral'].value == (prob[y==2,2] >= .05).mean()
    judged = evaluate(y=y, prob=prob, classes=['normal','bacterial','viral'], operating_point=report.operating_point)
    assert (judged.called == report.called).all()
    with pytest.raises(BadInput, match='two classes'): report.set_operating_point(.3)

def three_classes(seed=0, n=150):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    prob = rng.dirichlet((1,1,1), n)*.7+.3*np.eye(3)[y]
    return evaluate(y=y, prob=prob/prob.sum(1, keepdims=True), classes=['normal','bacterial','viral'], patients=np.arange(n)//2)

def test_what_is_recorded_of_several_classes_is_what_is_called():
    report = three_classes()
    likeliest = report.called
    t = tune_threshold(report, positive='viral', threshold=.1)
    t.positive, t.threshold = 'bacterial', .1
    again = tune_threshold(three_classes(), positive='viral', threshold=.1).report    # the lines of code one after the other
    tune_threshold(again, positive='bacterial', threshold=.1)
    for r in (report, again):
        assert {q: o.threshold for q,o in r.operating_point.per_class().items()} == dict(viral=.1, bacterial=.1)
        for i,q in ((1,'bacterial'), (2,'viral')):
            m = r.operating_point.per_class()[q].metrics
            called, alone = confusion(r.y==i, r.called==i, .5, r.patients), confusion(r.y==i, r.prob[:,i], .1, r.patients)
            assert (m['sensitivity'], m['sensitivity, one against the rest']) == (called.sensitivity, alone.sensitivity)
            assert called.sensitivity.value < alone.sensitivity.value and m['sensitivity'].value == r.estimates[f'sensitivity {q}'].value
    report.learn = SimpleNamespace(operating_point=report.operating_point)
    t.forget('viral')
    assert list(report.operating_point.per_class()) == ['bacterial'] and 'against the rest' not in repr(report.operating_point)
    t.forget()
    assert report.operating_point is None and report.learn.operating_point is None and (report.called == likeliest).all()
    assert report.estimates['sensitivity viral'].value == (likeliest == 2)[report.y == 2].mean()

def test_a_class_with_one_kind_of_case_is_not_turned_to():
    rng = np.random.default_rng(0)
    y, prob = rng.integers(0, 2, 60), rng.dirichlet((1,1,1), 60)
    report = evaluate(y=y, prob=prob, classes=['a','b','c'])
    t = tune_threshold(report, positive='a')
    cell = t._live_cell()
    with pytest.raises(OneClass): t.positive = 'c'
    assert (t.positive, cell.positive) == ('a', 'a')
    cell.threshold = .3
    assert list(t.points) == ['a'] and t.points['a'].metrics['sensitivity'] == confusion(y==0, prob[:,0], .3).sensitivity

def test_looking_at_a_class_and_signing_change_no_choice():
    report = three_classes()
    t = tune_threshold(report, positive='viral', rule='cost', cost=1/3, prevalence=1/7)
    assert eval(t.code.replace('report', 'three_classes()')).operating_point.rule == t.operating_point.rule and '0.14285714285714285' in t.code
    kept = t.points['viral']
    t.positive = 'normal'
    t.minimum, t.cost, t.chosen_by = .7, 2., 'Dr Example'
    assert list(report.operating_point.per_class()) == ['viral']
    t.positive = 'viral'
    assert t.points['viral'] is kept and (t.rule, t.cost, t.prevalence, t.threshold) == ('cost', 1/3, 1/7, kept.threshold)

def test_a_threshold_between_two_scores_stays_there():
    p = np.float32([.1, .43211874, .43211877, .9])
    t = float(p[1])/2+float(p[2])/2
    c = confusion([0,0,1,1], p, t)
    assert (c.tp, c.fp) == (2, 0) and OperatingPoint(t, '').apply(p).tolist() == [False,False,True,True]
    assert float(OperatingPoint(t, '').cut.split()[-1]) == t

def test_many_scores_are_thinned_and_stay_exact():
    rng = np.random.default_rng(0)
    y = rng.random(21_000) < .3
    t = tune_threshold(y, rng.random(21_000)+.3*y)
    cell = t._live_cell()
    for threshold in (t.threshold, .4321, .70001, .98765):
        t.threshold = threshold
        numbers = np.frombuffer(cell.data).reshape(-1, cell.spec['rows'])
        k = int(np.searchsorted(-numbers[0], -threshold, 'right'))-1
        one = confusion(y, t.job.p, threshold)
        assert cell.spec['thinned'] and (numbers[2,k], numbers[3,k]) == (one.tp, one.fp)

@pytest.fixture(scope='module')
def learner():
    from radnb.train.classify import classify_dls, classify_learner
    rng = np.random.default_rng(0)
    y = np.repeat([0,1,2], 12)
    images = rng.normal(0, .3, (36,32,32)).astype(np.float32)
    for im,k in zip(images, y): im[4+8*k:10+8*k, 8:24] += 1
    df = pd.DataFrame(dict(PatientID=[f'P{i}' for i in range(36)], finding=np.array(['normal','bacterial','viral'])[y], sex=np.tile(['F','M'], 18), pixels=list(images)))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        learn = classify_learner(classify_dls(df, 'finding', classes=['normal','bacterial','viral'], bs=8, valid=.5))
        with learn.no_bar(), learn.no_logging(): learn.fit(1)
    return learn

def test_predictions_and_a_saved_learner_keep_the_choice(learner, tmp_path):
    from radnb.share.safe_load import load_learner
    report = evaluate(learner)
    t = tune_threshold(report, positive='viral', threshold=0., chosen_by='Dr Example', subgroups=['sex'])
    assert [name for name,_ in t.groups] == ['sex: F', 'sex: M']
    rows = report.rows
    assert set(learner.predict_label(rows)) == {'viral'}                     # everybody reaches 0
    learner.export(tmp_path/'learner.pkl')
    again = load_learner(tmp_path/'learner.pkl')
    assert repr(again.operating_point) == repr(learner.operating_point) == repr(t.operating_point) and again.operating_point.chosen_by == 'Dr Example'
    assert set(again.predict_label(rows)) == {'viral'}
    learner.operating_point = None

def test_a_published_page_names_the_choice(tmp_path):
    import nbformat
    from radnb.core import PHIFound
    from radnb.share.publish import publish
    code = "from radnb.view.threshold import tune_threshold\nt = tune_threshold([0,1,0,1,1,0], [.1,.8,.3,.6,.9,.2], threshold=.45, chosen_by='reader 2', chosen_on={0!r})"
    cells = lambda on: nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code.format(on))])
    page = publish(cells('validation'), tmp_path/'page.html', stream=None).html.read_text()
    assert 'Operating point' in page and 'p &gt;= 0.45 (set by hand, chosen by reader 2, on validation, n=6, data ' in page
    with pytest.raises(PHIFound): publish(cells('MILLER^ANNA'), tmp_path/'other.html', stream=None, known=['MILLER^ANNA'])

# grey values

@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(-50, 50), st.integers(0, 60), st.booleans(), st.sampled_from((0., 4., 30.)))
def test_a_band_is_what_it_says(seed, low, width, holes, least):
    from scipy.ndimage import binary_fill_holes, label
    vol = Volume(np.random.default_rng(seed).integers(-60, 60, (4,9,9)).astype(np.int16), np.diag([1.,1.,2.,1.]), 'HU')
    mask = threshold_mask(vol, low, low+width, holes, least)
    want = (vol.data >= low) & (vol.data <= low+width)
    if holes: want = np.stack([binary_fill_holes(s) for s in want])
    if least:
        parts, n = label(want, np.ones((3,3,3)))
        want = np.isin(parts, [k for k in range(1, n+1) if (parts==k).sum()*2. >= least])
    assert (mask.data == want).all() and mask.is_mask and (mask.affine == vol.affine).all()

@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(-2, 2), st.floats(0, 3))
def test_the_browser_s_counts_are_the_mask_s(seed, low, width):
    "`known` and `count` of lab/src/tune/intensity.ts, in Python."
    from radnb.view.tune_intensity import tune_intensity
    vol = Volume(np.random.default_rng(seed).normal(size=(4,12,12)).astype(np.float32))
    t = tune_intensity(vol, -1.)
    below = lambda v: int(np.searchsorted(t.at, v))
    def known(v, upper):
        if v >= t.top: return t.top
        e = float(t.at[min(below(v), len(t.at)-1)])
        return e*(1-np.sign(e)*2**-52) if upper else e
    lo, hi = known(low, False), known(low+width, True)
    if lo > hi: return
    count = t.below[len(t.at) if hi >= t.top else below(hi)]-t.below[below(lo)]
    assert count == threshold_mask(vol, lo, hi).data.sum()

def test_twelve_bits_are_counted_one_by_one():
    from radnb.view.tune_intensity import tune_intensity
    vol = Volume(np.arange(-1024, 3072, dtype=np.int16).reshape(4,32,32), np.eye(4), 'HU')
    t = tune_intensity(vol, -150, -50)
    spec, data = t._spec()
    assert spec['whole'] and t.top == 3071 and len(np.frombuffer(data)) == 2*4096+1 and t.code == 'threshold_mask(vol, -150, -50)'

def test_volumes_over_time_and_colours_are_refused():
    with pytest.raises(BadInput, match='one per voxel'): tune_threshold(Volume(np.zeros((3,4,5,6))))
