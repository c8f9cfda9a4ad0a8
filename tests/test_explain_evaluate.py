"The report's numbers equal scikit-learn's; gaps between groups are found where they are and not where they are not; what is written can be read again, offline."
import json, math, re
from types import SimpleNamespace
import numpy as np, pandas as pd, pytest
from sklearn import metrics as sk
from radnb.core import BadInput, GeometryError
from radnb.data.volume import Volume
from radnb.explain.evaluate import evaluate
from radnb.explain.reports import _beside, _from_predictions
from radnb.measure.comparison import adjust_p, delong_test, mcnemar
from radnb.measure.stats import bootstrap
from radnb.view.compare import compare

def cohort(n=120, gap=0., seed=0, per=1):
    "Synthetic patients of three sites; at the last the model is worse by `gap`."
    rng = np.random.default_rng(seed)
    sick, site, sex = rng.integers(0, 2, n), rng.choice(['A','B','C'], n), rng.choice(['F','M'], n)
    signal = np.where(site == 'C', 2-gap, 2)*(sick-.5)
    who = np.repeat(np.arange(n), per)
    p = 1/(1+np.exp(-(signal+rng.normal(0, 1, n))[who]-rng.normal(0, .3, n*per)))
    return pd.DataFrame(dict(y=sick[who], prob=p, patient=who, site=site[who], sex=sex[who], age=rng.integers(18, 90, n)[who]))

def test_numbers_equal_scikit_learns():
    t = cohort(200)
    r = evaluate(t, operating_point=.5)
    called, e = t.prob >= .5, {k: v.value for k, v in r.estimates.items()}
    tn, fp, fn, tp = sk.confusion_matrix(t.y, called).ravel()
    expected = {'AUC': sk.roc_auc_score(t.y, t.prob), 'average precision': sk.average_precision_score(t.y, t.prob), 'sensitivity': tp/(tp+fn), 'specificity': tn/(tn+fp),
                'PPV': tp/(tp+fp), 'NPV': tn/(tn+fn), 'accuracy': sk.accuracy_score(t.y, called), 'Brier score': sk.brier_score_loss(t.y, t.prob)}
    assert {k: e[k] for k in expected} == pytest.approx(expected, abs=1e-12)

def test_many_classes_and_numbers_equal_scikit_learns():
    rng = np.random.default_rng(1)
    y, P = rng.integers(0, 3, 90), rng.dirichlet((1,1,1), 90)
    e = evaluate(y=y, prob=P, classes=list('abc')).estimates
    assert e['accuracy'].value == sk.accuracy_score(y, P.argmax(1))
    assert np.mean([e[f'AUC {c}'].value for c in 'abc']) == pytest.approx(sk.roc_auc_score(y, P, multi_class='ovr'))
    assert e['sensitivity b'].value == sk.recall_score(y, P.argmax(1), labels=[1], average=None)[0]
    truth, said = rng.normal(50, 10, 60), rng.normal(50, 10, 60)
    e = evaluate(y=truth, pred=said).estimates
    assert (e['MAE'].value, e['R2'].value) == pytest.approx((sk.mean_absolute_error(truth, said), sk.r2_score(truth, said)))

def test_patients_by_mean_max_and_noisy_or():
    t = cohort(60, per=3)
    by = lambda rule: evaluate(t, per_patient=rule, operating_point=.5).by_patient['AUC']
    g = t.groupby('patient')
    scores = dict(mean=g.prob.mean(), max=g.prob.max()) | {'noisy-or': 1-(1-t.prob).groupby(t.patient).prod()}
    for rule, s in scores.items(): assert by(rule).value == pytest.approx(sk.roc_auc_score(g.y.first(), s)) and by(rule).n == 60
    r = evaluate(t)
    assert r.estimates['AUC'].n == 60 and any('times narrower, and wrong' in n for n in r.notes)

def test_a_planted_gap_is_found_and_its_place_named():
    found = [evaluate(cohort(400, gap=2., seed=s)).subgroups(['site','sex'], n_perm=499).found for s in range(3)]
    assert sum(((f.column == 'site') & (f.group == 'C') & (f.difference < 0)).any() for f in found) == 3

def test_no_gap_is_cried_where_there_is_none():
    "30 cohorts without a gap: were the family-wise rate 5 %, more than 5 alarms would come by chance in 0.3 % (binomial). Seen over 300 seeds: 13 (4.3 %)."
    alarms = 0
    for seed in range(100, 130):
        t = cohort(100, seed=seed)
        s = _from_predictions(t.y, t.prob, t.patient, None, .5, '', None, rows=t).subgroups(['site','sex'], n_perm=499)
        assert s.tested >= 3
        alarms += len(s.found) > 0
    assert alarms <= 5

def test_small_groups_are_flagged_and_not_tested():
    t = cohort(100).assign(device=np.where(np.arange(100) < 9, 'old', 'new'))
    s = evaluate(t).subgroups('device')
    assert s.tested == 0 and (s.table[s.table.group == 'old'].few.str.startswith('only')).all() and (s.table[s.table.group == 'new'].few == '').all()
    age = evaluate(t, subgroups='age').asked.table
    assert age.group.drop_duplicates().tolist() == ['18 to 39','40 to 59','60 to 74','75 and more']

def test_gaps_are_corrected_together():
    s = evaluate(cohort(150)).subgroups(['site','sex'])
    np.testing.assert_array_equal(s.gaps.p_holm, adjust_p(s.gaps.p_value))
    big = evaluate(cohort(3300, gap=1.5, seed=3)).subgroups('site', measures='AUC')
    assert set(big.gaps.test) == {'unpaired DeLong'} and 'C' in set(big.found.group)

def test_paired_tests_are_those_of_measure():
    a = cohort(120)
    b = a.assign(prob=np.random.default_rng(5).permutation(a.prob))
    ra, rb = evaluate(a, operating_point=.5), evaluate(b, operating_point=.5)
    d = compare([ra, rb]).differences.set_index('measure')
    t = delong_test(a.y, a.prob, b.prob)
    assert (d.difference['AUC'], d.p_value['AUC']) == pytest.approx((t.difference.value, t.p_value))
    m = mcnemar(a.y, a.prob >= .5, b.prob >= .5, 'sensitivity')
    assert (d.difference['sensitivity'], d.low['sensitivity'], d.p_value['sensitivity']) == pytest.approx((m.difference.value, m.difference.low, m.p_value))
    np.testing.assert_array_equal(d.p_holm, adjust_p(d.p_value))
    assert compare({'x': ra, 'y': ra}).differences.difference.abs().max() == 0

def test_other_cases_are_refused_by_name():
    t = cohort(30)
    with pytest.raises(BadInput, match=r'1 \(29\) only in model 1'): compare(evaluate(t), evaluate(t.iloc[:29]))
    with pytest.raises(BadInput, match=r'another truth in 1 \(0\)'): compare(evaluate(t), evaluate(t.assign(y=t.y.where(t.index > 0, 1-t.y))))
    shuffled = t.sample(frac=1, random_state=0)
    assert compare(evaluate(t), evaluate(shuffled)).differences.difference.abs().max() == 0

def test_csv_goes_round(tmp_path):
    t = cohort(40, per=2)
    r = evaluate(t, operating_point=.5, classes=['well','sick'])
    again = evaluate(r.to_csv(tmp_path/'c.csv'), operating_point=.5)
    assert again.estimates == r.estimates and again.by_patient == r.by_patient and again.patients.tolist() == r.patients.tolist()
    n = evaluate(y=t.age, pred=t.age+t.prob, patients=t.patient)
    assert evaluate(n.to_csv(tmp_path/'n.csv')).estimates == n.estimates
    f = evaluate(y=t[['y','y']].to_numpy(float), prob=t[['prob','prob']].to_numpy(), patients=t.patient, classes=['fluid','mass'])
    assert evaluate(f.to_csv(tmp_path/'f.csv')).estimates == f.estimates

def test_html_needs_no_network_and_json_is_json(tmp_path):
    t = cohort(60)
    r = evaluate(t, subgroups=['site'], data='synthetic <b>', images=lambda i: Volume(np.eye(8)[None]+i))
    page = r.to_html(tmp_path/'r.html', cases=2).read_text(encoding='utf-8')
    assert not re.search(r'(src|href)\s*=\s*["\'](?!data:)|@import|url\(|https?:|<script|<link', page)
    assert 'not for diagnostic use' in page and 'synthetic &lt;b&gt;' in page and page.count('<img') == 4
    d = json.loads(r.to_json(), parse_constant=lambda c: pytest.fail(c))
    assert d['estimates']['AUC']['value'] == r.estimates['AUC'].value and len(d['subgroups']['gaps']) == len(r.asked.gaps)
    assert r.to_pdf(tmp_path/'r.pdf').read_bytes().startswith(b'%PDF')

@pytest.mark.parametrize('change,words', [
    (dict(prob=[.2,1.4,.3,.4]), 'apply the sigmoid'), (dict(y=[0,1,2,1]), r'y holds \[2\]'), (dict(cases=list('abca')), 'more than once: a'),
    (dict(patients=['A','B',None,'C']), '1 of 4 cases have no patient'), (dict(y=[0,1,np.nan,1]), '1 of 4 cases have no label'), (dict(prob=[.2,.4,np.nan,.4]), 'missing or infinite'),
    (dict(patients=list('ABC')), '3 patients are given for 4'), (dict(per_patient='median'), 'No rule called')])
def test_bad_input_is_named(change, words):
    good = dict(y=[0,1,0,1], prob=[.2,.8,.3,.6], patients=list('ABCD'))
    with pytest.raises(BadInput, match=words): evaluate(**{**good, **change})

def test_missing_patients_are_told():
    assert any('take every row for another patient' in n for n in evaluate(y=[0,1,0,1], prob=[.2,.8,.3,.6]).notes)

def test_masks_in_pairs():
    m = np.zeros((3,8,8), np.uint8); m[1,2:6,2:6] = 1
    r = evaluate(y=[m, m], pred=[m, np.roll(m, 2, 1)], patients=['A','B'], classes={1:'cyst'})
    assert r.dice.tolist() == [1, .5] and r.measures['Dice cyst'].estimate().value == .75
    here, there = Volume(m, np.diag([1.,1,1,1]), 'label'), Volume(m, np.diag([1.,1,2,1]), 'label')
    with pytest.raises(GeometryError): evaluate(y=[here], pred=[there])

def test_the_segmentation_says_that_the_baseline_is_better():
    rng, cases = np.random.default_rng(0), []
    for _ in range(12):
        m = np.zeros((2,12,12), np.uint8); m[:,3:9,3:9] = 1
        cases.append((m, np.roll(m, int(rng.integers(2, 5)), 1)))
    r = evaluate(y=[a for a,_ in cases], pred=[b for _,b in cases], patients=np.arange(12), classes={1:'liver'})
    d = np.full((12,1), .9)
    r.baseline = SimpleNamespace(task='segment', prob=d, at=np.arange(12), estimate=bootstrap(d[:,0]), line='Conventional baseline: mean Dice 0.90')
    assert 'the model is worse' in _beside(r)[0] and math.isfinite(r.estimates['Dice liver'].low)


def test_a_threshold_from_these_very_cases_is_flagged_whatever_they_are_called():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80)
    p = np.clip(.3*y+.7*rng.random(80), 0, 1)
    flagged = lambda r: any('chosen on these same cases' in n for n in r.notes)
    first = evaluate(y=y, prob=p)
    assert flagged(first) and flagged(evaluate(y=y, prob=p, ds='test'))
    assert not flagged(evaluate(y=y[::-1], prob=p, operating_point=first.operating_point)) # other cases
    assert not flagged(evaluate(y=y, prob=p, operating_point=.5))
