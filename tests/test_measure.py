"radnb.measure against scikit-learn, scipy, MONAI and published values, and what must hold for any input."
import json, math
import numpy as np
import pytest
from hypothesis import given as any_given, settings, strategies as st
from radnb.core import BadInput, OneClass
from radnb.data.volume import Volume
from radnb.measure import calibration as K, comparison as C, detection as D, metrics as M, stats as S
from radnb.measure.shapes import measure_mask

def given(*a): return lambda f: settings(deadline=None, max_examples=60, derandomize=True)(any_given(*a)(f))


# ---- truth and scores with many ties and small numbers, both classes present

@st.composite
def truth_and_scores(draw, both=True, low=2, high=40):
    n = draw(st.integers(low, high))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    if both: y[:2] = [True,False]
    steps = draw(st.integers(1, 30)) # few steps: many ties
    p = np.array(draw(st.lists(st.integers(0, steps), min_size=n, max_size=n)))/steps
    return y, p

@st.composite
def with_groups(draw):
    y,p = draw(truth_and_scores())
    return y, p, np.array(draw(st.lists(st.integers(0, 8), min_size=len(y), max_size=len(y))))


# ---- published values

# aSAH data of R's pROC (Robin et al. 2011; Turck et al. 2010): patients with good and poor outcome at or below each S100B cut
# (the cuts are pROC's, halfway between values), from the table of coordinates that pROC's own test suite publishes.
S100B = [(.035,0,1), (.045,5,1), (.055,8,1), (.065,10,1), (.075,16,4), (.085,22,5), (.095,28,7), (.105,35,9), (.115,39,10), (.125,39,11),
         (.135,42,13), (.145,46,14), (.155,50,14), (.165,53,15), (.175,55,15), (.185,56,15), (.205,58,15), (.225,58,16), (.235,58,17), (.245,59,17),
         (.255,59,18), (.265,59,19), (.275,59,20), (.29,60,20), (.31,60,21), (.325,61,22), (.335,62,23), (.345,63,23), (.365,63,24), (.395,64,24),
         (.42,64,25), (.435,65,25), (.445,65,27), (.455,66,27), (.465,67,27), (.475,69,27), (.485,70,28), (.495,70,29), (.51,72,29), (.54,72,30),
         (.57,72,31), (.64,72,32), (.705,72,33), (.725,72,35), (.755,72,36), (.795,72,37), (.84,72,38), (.91,72,39), (1.515,72,40), (9,72,41)]

@pytest.fixture(scope='module')
def asah():
    cuts,good,poor = np.array(S100B).T
    values = [.03]
    for c in cuts[:-1]: values.append(2*c-values[-1])
    per_value = [np.diff(np.r_[0,k]).astype(int) for k in (good,poor)]
    return np.repeat([0,1], [72,41]), np.round(np.r_[np.repeat(values, per_value[0]), np.repeat(values, per_value[1])], 2)

def test_auc_of_asah_s100b_is_procs(asah):
    e = S.auc(*asah)
    assert e.value == pytest.approx(0.7314, abs=5e-5) # pROC and Stata, to the digits they print
    assert (e.low, e.high) == pytest.approx((0.63012,0.83262), abs=5e-6)
    assert ((e.high-e.low)/2/1.959963984540054)**2 == pytest.approx(0.00266868245717244, rel=1e-9)

def test_best_threshold_of_asah_s100b_is_procs(asah):
    op = S.youden(*asah)
    assert op.threshold == pytest.approx(.205)
    assert op.metrics['specificity'].value == pytest.approx(0.8055556, abs=1e-7)
    assert op.metrics['sensitivity'].value == pytest.approx(0.6341463, abs=1e-7)
    assert op.metrics['npv'].value == pytest.approx(0.794520547945206) and op.metrics['ppv'].value == pytest.approx(.65)

def test_newcombes_other_examples():
    "Newcombe 1998, table I, 95 %: Wilson (method 3) and Clopper-Pearson (method 5)."
    for k,n,w,c in [(81,263,(.2553,.3662),(.2527,.3676)), (15,148,(.0624,.1605),(.0578,.1617)),
                    (0,20,(0,.1611),(0,.1684)), (1,29,(.0061,.1718),(.0009,.1776))]:
        for f,want in ((S.wilson,w), (S.clopper_pearson,c)):
            e = f(k,n); assert (e.low,e.high) == pytest.approx(want, abs=5e-5)
            e = f(n-k,n); assert (1-e.high,1-e.low) == pytest.approx(want, abs=5e-5)


# ---- AUC and its tests

def kernel_components(y, p):
    "DeLong's definition, pair by pair."
    x,z = p[y], p[~y]
    psi = (x[:,None]>z).astype(float) + .5*(x[:,None]==z)
    return psi.mean(1), psi.mean(0), psi.mean()

@given(truth_and_scores())
def test_auc_equals_scikit_learn(yp):
    from sklearn.metrics import roc_auc_score
    y,p = yp
    assert S.auc(y,p).value == pytest.approx(roc_auc_score(y,p), abs=1e-12)

@given(truth_and_scores())
def test_auc_interval_is_delongs(yp):
    y,p = yp
    v10,v01,a = kernel_components(y,p)
    e = S.auc(y,p)
    assert 0 <= e.low <= e.value <= e.high <= 1 and e.high > e.low
    if min(len(v10),len(v01)) > 1 and (var := v10.var(ddof=1)/len(v10)+v01.var(ddof=1)/len(v01)) > 1e-12:
        z = 1.959963984540054
        assert e.method == 'DeLong' and (e.low,e.high) == pytest.approx((max(0,a-z*var**.5), min(1,a+z*var**.5)), abs=1e-9)
    else: assert e.method == 'Newcombe score'

@given(truth_and_scores())
def test_auc_of_flipped_truth_mirrors(yp):
    y,p = yp
    a,b = S.auc(y,p), S.auc(~y,p)
    assert (a.value,a.low,a.high) == pytest.approx((1-b.value,1-b.high,1-b.low), abs=1e-9)

@given(with_groups())
def test_clustered_auc_is_obuchowskis(ypg):
    "Obuchowski 1997, written out patient by patient."
    y,p,g = ypg
    v10,v01,a = kernel_components(y,p)
    ids,m,n = np.unique(g), y.sum(), (~y).sum()
    X = np.array([(v10[g[y]==i]-a).sum() for i in ids]); Y = np.array([(v01[g[~y]==i]-a).sum() for i in ids])
    I10,I01,I = len(set(g[y])), len(set(g[~y])), len(ids)
    if min(I10,I01,I) < 2: return
    var = I10/(I10-1)*(X@X)/m**2 + I01/(I01-1)*(Y@Y)/n**2 + 2*I/(I-1)*(X@Y)/(m*n)
    e = S.auc(y,p,g)
    assert e.n == I and e.value == pytest.approx(a)
    if var > 1e-12: assert (e.low,e.high) == pytest.approx((max(0,a-1.959963984540054*var**.5), min(1,a+1.959963984540054*var**.5)), abs=1e-9)

def test_paired_test_is_delongs():
    rng = np.random.default_rng(0)
    y = rng.random(150) < .4
    p1 = np.round(rng.normal(y,1), 1); p2 = np.round(p1*.5+rng.normal(.6*y,1), 1)
    parts = [kernel_components(y,p) for p in (p1,p2)]
    cov = sum(np.cov(parts[0][i], parts[1][i])/len(parts[0][i]) for i in (0,1))
    d,var = parts[0][2]-parts[1][2], cov[0,0]+cov[1,1]-2*cov[0,1]
    from scipy.stats import norm
    c = C.delong_test(y, p1, p2)
    assert c.difference.value == pytest.approx(d)
    assert c.p_value == pytest.approx(2*norm.sf(abs(d)/var**.5), rel=1e-9)
    assert c.difference.high-c.difference.low == pytest.approx(2*norm.ppf(.975)*var**.5)

def test_paired_test_keeps_its_level():
    "Two equally good models: about 5 % of the tests are significant."
    rng = np.random.default_rng(0)
    ps = []
    for _ in range(300):
        y = np.arange(120) < 50
        common = rng.normal(y, 1)
        ps.append(C.delong_test(y, common+rng.normal(size=120), common+rng.normal(size=120)).p_value)
    assert .02 < np.mean(np.array(ps)<.05) < .09

def test_paired_test_clusters_patients():
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 5)
    y = (who%2).astype(bool)
    base = rng.normal(size=40)[who]+y
    p1,p2 = base+rng.normal(size=40)[who]+rng.normal(0,.1,200), base+rng.normal(size=40)[who]+rng.normal(0,.1,200)
    naive,honest = C.delong_test(y,p1,p2), C.delong_test(y,p1,p2,who)
    assert honest.difference.high-honest.difference.low > 1.5*(naive.difference.high-naive.difference.low)
    assert honest.difference.n == 40

def test_newcombes_interval_covers_at_perfect_separation():
    "With a true AUC of 0.9 and 6 against 6 patients, seeing a perfect 1.0 must not exclude 0.9."
    e = S.auc([0]*6+[1]*6, range(12))
    assert e.value == e.high == 1 and .6 < e.low < .9

def test_large_auc_is_fast_and_precise():
    import time
    rng = np.random.default_rng(0)
    y = rng.random(100_000) < .3
    p = rng.normal(y, 1).astype(np.float32)
    from sklearn.metrics import roc_auc_score
    start = time.perf_counter(); e = S.auc(y,p); took = time.perf_counter()-start
    assert took < 1 and e.value == pytest.approx(roc_auc_score(y,p), abs=1e-10)


# ---- proportions

@given(st.integers(1,200).flatmap(lambda n: st.tuples(st.integers(0,n), st.just(n))), st.sampled_from([.8,.9,.95,.99]))
def test_proportions_equal_scipy(kn, level):
    from scipy.stats import binomtest
    k,n = kn
    test = binomtest(k,n)
    for ours,method in ((S.wilson,'wilson'), (S.clopper_pearson,'exact')):
        e,want = ours(k,n,level), test.proportion_ci(level, method)
        assert (e.low,e.high) == pytest.approx((want.low,want.high), abs=1e-9)

def test_clustered_proportion_covers():
    "30 patients, 8 slices each, read right or wrong together: nominal 95 %, near it when patients are counted."
    rng,who,inside = np.random.default_rng(0), np.repeat(np.arange(30), 8), {'rows':0, 'patients':0}
    for _ in range(300):
        hits = rng.random(240) < rng.beta(.8*1.5, .2*1.5, 30)[who]
        for name,e in (('rows',S.proportion(hits)), ('patients',S.proportion(hits,who))): inside[name] += e.low <= .8 <= e.high
    assert inside['rows']/300 < .8 and inside['patients']/300 > .9


# ---- bootstrap

def test_bca_equals_scipy():
    from scipy.stats import bootstrap
    x = np.random.default_rng(0).beta(8, 1.2, 40)
    for stat in (np.mean, np.median):
        ours = S.bootstrap(x, stat=stat, n_boot=20_000)
        want = bootstrap((x,), stat, n_resamples=20_000, method='BCa', rng=1).confidence_interval
        assert (ours.low,ours.high) == pytest.approx(tuple(want), abs=.004)
        want = bootstrap((x,), stat, n_resamples=20_000, method='percentile', rng=1).confidence_interval
        ours = S.bootstrap(x, stat=stat, n_boot=20_000, kind='percentile')
        assert (ours.low,ours.high) == pytest.approx(tuple(want), abs=.004)

@given(with_groups(), st.integers(0,5))
def test_weights_do_what_resampling_rows_does(ypg, seed):
    "Every replicate of AUC, average precision and mean equals the value of the resampled table."
    from sklearn.metrics import average_precision_score, roc_auc_score
    y,p,g = ypg
    g,G = S._codes(g, len(y))
    fs = S._auc_of_weights(y,p,g), S._ap_of_weights(y,p,g), S._weighted_mean(p,g,G)
    for W in S._draws(G, 5, seed):
        for w,a,ap,mean in zip(W, *(f(W) for f in fs)):
            rows = np.repeat(np.arange(len(y)), w[g])
            assert mean == pytest.approx(p[rows].mean())
            if y[rows].any() and not y[rows].all(): assert a == pytest.approx(roc_auc_score(y[rows],p[rows]))
            else: assert math.isnan(a)
            if y[rows].any(): assert ap == pytest.approx(average_precision_score(y[rows],p[rows]))

def test_clustered_bootstrap_is_far_faster_than_a_loop():
    import time
    from sklearn.metrics import roc_auc_score
    rng = np.random.default_rng(0)
    n,who = 10_000, rng.integers(0,1000,10_000)
    y = rng.random(n) < .3; p = rng.normal(y,1)
    start = time.perf_counter(); S.bootstrap_auc(y, p, who, kind='percentile'); ours = time.perf_counter()-start
    rows = [np.flatnonzero(who==i) for i in range(1000)]
    start = time.perf_counter()
    for _ in range(20):
        r = np.concatenate([rows[i] for i in rng.integers(0,1000,1000)])
        roc_auc_score(y[r], p[r])
    assert (time.perf_counter()-start)*100 > 10*ours # about 40 x on a quiet machine

def test_bootstrap_states_what_it_left_out():
    e = S.bootstrap_auc([1]+[0]*9, range(10,0,-1))
    assert 'undefined ones left out' in e.method or e.method.startswith('no interval')
    e = S.bootstrap([.5,.6,.7], groups=['a']*3)
    assert e.method == 'no interval: only one patient' and math.isnan(e.low)


# ---- curves and thresholds

@given(truth_and_scores())
def test_curves_equal_scikit_learn(yp):
    from sklearn import metrics as sk
    y,p = yp
    fpr,tpr,thr = S.roc_curve(y,p)
    f,t,h = sk.roc_curve(y,p,drop_intermediate=False)
    assert np.array_equal(fpr,f) and np.array_equal(tpr,t) and np.array_equal(thr[1:],h[1:]) and np.isfinite(thr).all()
    prec,rec,thr = S.pr_curve(y,p)
    P,R,T = sk.precision_recall_curve(y,p)
    assert np.allclose(prec[::-1],P) and np.allclose(rec[::-1],R) and np.array_equal(thr[:0:-1],T)
    assert S.average_precision(y,p,n_boot=2).value == pytest.approx(sk.average_precision_score(y,p))

@given(truth_and_scores(), st.booleans())
def test_each_point_of_a_curve_is_what_its_threshold_gives(yp, single):
    y,p = yp
    if single: p = p.astype(np.float32)
    for fpr,tpr,thr in zip(*S.roc_curve(y,p)):
        called = p >= float(thr)
        assert (called[~y].mean(), called[y].mean()) == pytest.approx((fpr,tpr))
    for tp,fp,cut in zip(*S._cuts(y,p)):
        c = S.confusion(y, p, float(cut))
        assert (c.tp,c.fp) == (tp,fp)

@given(truth_and_scores(), st.floats(0,1))
def test_rules_keep_their_word(yp, want):
    "No threshold at all does better than the rule's choice."
    y,p = yp
    se = lambda t: (p>=t)[y].mean()
    sp = lambda t: (p<t)[~y].mean()
    every = np.r_[np.unique(p), np.nextafter(p.max(),9)]
    j = S.youden(y,p).threshold
    assert se(j)+sp(j) >= max(se(t)+sp(t) for t in every)-1e-12
    for rule,good,other in ((S.at_sensitivity,se,sp), (S.at_specificity,sp,se)):
        able = [other(t) for t in every if good(t)>=want-1e-12 and other(t)>0]
        if able:
            t = rule(y,p,want).threshold
            assert good(t) >= want-1e-12 and other(t) >= max(able)-1e-12
        else:
            with pytest.raises(BadInput, match='ask for at most'): rule(y,p,want)
    t = S.at_cost(y,p,1,3).threshold
    cost = lambda t: ((p>=t)&~y).sum() + 3*((p<t)&y).sum()
    assert cost(t) <= min(map(cost,every))

@given(truth_and_scores(both=False), st.floats(0,1))
def test_confusion_equals_scikit_learn(yp, t):
    from sklearn.metrics import confusion_matrix, f1_score
    y,p = yp
    c = S.confusion(y,p,t)
    assert [[c.tn,c.fp],[c.fn,c.tp]] == confusion_matrix(y, p>=t, labels=[False,True]).tolist()
    if not math.isnan(c.f1.value): assert c.f1.value == pytest.approx(f1_score(y, p>=t, zero_division=0))
    for e in c.metrics.values(): assert math.isnan(e.value) or e.low <= e.value <= e.high

@given(truth_and_scores(), st.floats(.001,.999))
def test_predictive_values_follow_bayes(yp, prev):
    y,p = yp
    c = S.confusion(y,p,.5)
    v = c.at_prevalence(prev)
    se,sp = c.sensitivity.value, c.specificity.value
    if se*prev+(1-sp)*(1-prev) > 0: assert v.ppv.value == pytest.approx(se*prev/(se*prev+(1-sp)*(1-prev)))
    if (1-se)*prev+sp*(1-prev) > 0: assert v.npv.value == pytest.approx(sp*(1-prev)/((1-se)*prev+sp*(1-prev)))
    for e in v[:2]: assert math.isnan(e.value) or 0 <= e.low <= e.value <= e.high <= 1

def test_predictive_values_have_mercaldos_interval():
    "Equations 8 to 11 of Mercaldo 2007, on a table without zeros."
    tp,fn,tn,fp,prev,z = 240,178,288,87,.03,1.959963984540054
    v = S.Confusion(tp,fp,tn,fn).at_prevalence(prev)
    se,sp,n1,n0 = tp/(tp+fn), tn/(tn+fp), tp+fn, tn+fp
    for e,odds,var in ((v.ppv, se*prev/((1-sp)*(1-prev)), (1-se)/se/n1+sp/(1-sp)/n0), (v.npv, sp*(1-prev)/((1-se)*prev), se/(1-se)/n1+(1-sp)/sp/n0)):
        limits = [1/(1+math.exp(-(math.log(odds)+s*z*var**.5))) for s in (-1,1)]
        assert (e.low,e.high) == pytest.approx(limits)

def test_predictive_values_count_patients():
    rng,who = np.random.default_rng(0), np.repeat(np.arange(40), 6)
    y = (who%2).astype(bool)
    p = rng.normal(size=40)[who]+1.5*y
    naive,honest = S.confusion(y,p,.7).at_prevalence(.1), S.confusion(y,p,.7,who).at_prevalence(.1)
    for a,b in zip(naive[:2], honest[:2]): assert a.value == b.value and b.high-b.low > 1.5*(a.high-a.low) and b.n == 40

def test_operating_points_survive_json():
    op = S.youden([0,0,1,1], [.1,.4,.35,.8], chosen_by='me', chosen_on='validation')
    assert S.OperatingPoint.from_dict(json.loads(json.dumps(op.to_dict()))) == op


# ---- calibration and net benefit

@given(truth_and_scores(both=False))
def test_brier_and_reliability_equal_scikit_learn(yp):
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss
    y,p = yp
    c = K.calibration(y,p,n_boot=2)
    assert c.brier.value == pytest.approx(brier_score_loss(y,p,pos_label=True), abs=1e-12)
    t = c.table[c.table.n>0]
    if y.any() and not y.all():
        observed,said = calibration_curve(y,p,n_bins=10)
        assert np.allclose(t.observed,observed) and np.allclose(t.predicted,said)
    assert t.n.sum() == len(y) and c.ece.value == pytest.approx((t.n*(t.observed-t.predicted).abs()).sum()/len(y))

def test_calibration_slope_equals_scikit_learn():
    from sklearn.linear_model import LogisticRegression
    rng = np.random.default_rng(0)
    logit = rng.normal(0,2,500)
    y = rng.random(500) < 1/(1+np.exp(-(.3+.7*logit)))
    fit = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(logit[:,None], y)
    c = K.calibration(y, 1/(1+np.exp(-logit)), n_boot=2)
    assert c.slope.value == pytest.approx(fit.coef_[0,0], rel=1e-4)
    mean = lambda a: (1/(1+np.exp(-(logit+a)))).mean() # the intercept makes mean probability equal prevalence
    assert mean(c.intercept.value) == pytest.approx(y.mean(), abs=1e-9)

def test_calibration_intervals_cover():
    rng,inside = np.random.default_rng(0), 0
    for _ in range(200):
        logit = rng.normal(0,1.5,150)
        y = rng.random(150) < 1/(1+np.exp(-logit))
        c = K._wald(np.stack([np.ones(150),logit],1), y, np.arange(150), 150, 0., .95)
        inside += c.low <= 1 <= c.high
    assert .9 < inside/200 <= .99

def test_net_benefit_is_vickers():
    y,p = np.array([1,1,0,0,0]), np.array([.9,.4,.6,.2,.1])
    nb = K.net_benefit(y,p,[.5,.25])
    assert nb.model.tolist() == pytest.approx([1/5-1/5*1, 2/5-1/5/3]) and nb.treat_all.tolist() == pytest.approx([2/5-3/5, 2/5-3/5/3])


# ---- bad input

@pytest.mark.parametrize('f', [S.auc, S.bootstrap_auc, S.average_precision, S.roc_curve, S.pr_curve, S.youden, S.confusion, K.calibration,
                               K.net_benefit])
def test_bad_input_is_refused_everywhere(f):
    for y,p in [([0,1,math.nan],[.1,.2,.3]), ([0,1,None],[.1,.2,.3]), ([0,1,2],[.1,.2,.3]), (['a','b'],[.1,.2]), ([0,1],[.1,math.nan]),
                ([0,1],[.1]), ([0,1],[[.1,.2],[.3,.4]]), ([0,1],['x','y'])]:
        with pytest.raises(BadInput): f(y,p)

@pytest.mark.parametrize('f', [S.auc, S.bootstrap_auc, S.average_precision, S.roc_curve, S.pr_curve, S.youden, lambda y,p: S.at_cost(y,p,1,1)])
def test_one_class_is_named(f):
    with pytest.raises(OneClass, match='no positive cases'): f([0,0,0], [.1,.2,.3])
    with pytest.raises(OneClass): f([], [])

def test_pandas_and_torch_are_welcome():
    import pandas as pd, torch
    y,p = pd.Series([0,1,1,0], dtype='Int64'), torch.tensor([.1,.9,.4,.5])
    assert S.auc(y,p).value == S.auc([0,1,1,0],[.1,.9,.4,.5]).value
    with pytest.raises(BadInput, match='no label'): S.auc(pd.Series([0,1,None,0], dtype='Int64'), p)
    assert S.auc(y, p, groups=pd.Series(list('aabb'))).n == 2


# ---- segmentation

@pytest.fixture(scope='module')
def masks():
    "Pairs of blobby masks, some of them touching the edge."
    from scipy.ndimage import gaussian_filter
    def pairs(shape, n):
        rng = np.random.default_rng(0)
        for _ in range(n):
            a = gaussian_filter(rng.normal(size=shape), 2)
            b = a+.7*gaussian_filter(rng.normal(size=shape), 2)
            yield a>.03, b>.05
    return pairs

@pytest.mark.parametrize('shape,spacing', [((14,24,22),(3.,.8,.7)), ((20,20,20),(1.,1.,1.)), ((40,36),(.5,.9))])
def test_surface_metrics_equal_monai(masks, shape, spacing):
    torch = pytest.importorskip('torch')
    monai = pytest.importorskip('monai.metrics')
    for p,t in masks(shape, 4):
        one_hot = lambda m: torch.tensor(np.stack([~m,m])[None])
        kw = dict(include_background=False, spacing=list(spacing))
        a,b,d = one_hot(p), one_hot(t), M.surface_distances(p, t, spacing, surface='voxels')
        assert d.hausdorff() == pytest.approx(float(monai.compute_hausdorff_distance(a,b,**kw)), rel=1e-5)
        assert d.hausdorff(95) == pytest.approx(float(monai.compute_hausdorff_distance(a,b,percentile=95,**kw)), rel=1e-5)
        assert d.assd() == pytest.approx(float(monai.compute_average_surface_distance(a,b,symmetric=True,**kw)), rel=1e-5)
        for tolerance in (0., .75, 1.5):
            want = monai.compute_surface_dice(a, b, [tolerance], **kw)
            assert d.nsd(tolerance) == pytest.approx(float(want), rel=1e-5)
        assert M.dice(p,t) == pytest.approx(float(monai.compute_dice(a,b,include_background=False)), rel=1e-6)
        assert M.iou(p,t) == pytest.approx(float(monai.compute_iou(a,b,include_background=False)), rel=1e-6)
        for s in ('voxels','surfels'): # cut out of the volume first: the same values
            row = M.segment_metrics(p, t, spacing, tolerance=.75, surface=s).iloc[0]
            assert (row.dice,row.hd95_mm,row.assd_mm,row.nsd) == (M.dice(p,t), M.hd95(p,t,spacing,surface=s), M.assd(p,t,spacing,surface=s), M.nsd(p,t,.75,spacing,surface=s))
        assert len(d.pred_to_true) and len(d.true_to_pred)

def test_distances_equal_a_distance_map(masks):
    "An independent way: the Euclidean distance transform of the other surface (scipy)."
    from scipy.ndimage import binary_erosion, distance_transform_edt
    for p,t in masks((12,20,18), 4):
        border = lambda m: m & ~binary_erosion(m)
        d = M.surface_distances(p, t, (2.5,.7,.7), surface='voxels')
        assert np.allclose(d.pred_to_true, distance_transform_edt(~border(t), (2.5,.7,.7))[border(p)])
        assert np.allclose(d.true_to_pred, distance_transform_edt(~border(p), (2.5,.7,.7))[border(t)])

def speckles(seed):
    r = np.random.default_rng(seed)
    return r.random((3,5,6)) < r.random(), r.random((3,5,6)) < r.random()
small_masks = st.integers(0,2**32-1).map(speckles)

@given(small_masks, st.tuples(*[st.floats(.3,4)]*3))
def test_laws_of_overlap_and_distance(pair, spacing):
    p,t = pair
    for g in (M.dice, M.iou, lambda a,b: M.hd95(a,b,spacing), lambda a,b: M.assd(a,b,spacing), lambda a,b: M.nsd(a,b,1.,spacing)):
        assert g(p,t) == pytest.approx(g(t,p), nan_ok=True) # symmetric
    assert M.dice(p,p) == 1 and 0 <= M.iou(p,t) <= M.dice(p,t) <= 1
    if p.any() and t.any():
        hd = M.hausdorff(p,t,spacing)
        assert M.hd95(p,t,spacing) <= hd and M.assd(p,t,spacing) <= hd and M.hausdorff(p,p,spacing) == 0
        assert M.hausdorff(p,t,np.array(spacing)*2) == pytest.approx(2*hd)
        assert M.nsd(p,t,hd+1e-9,spacing) == 1
        assert M.hausdorff(np.pad(p,2),np.pad(t,2),spacing) == pytest.approx(hd) # room around the masks changes nothing

@given(small_masks, st.sampled_from([np.float64,np.float32,np.float16]))
def test_dice_curve_is_dice_at_each_threshold(pair, dtype):
    p,t = pair
    prob = np.random.default_rng(int(p.sum())).integers(0,11,p.shape).astype(dtype)/dtype(10) # scores that fall on thresholds
    thresholds = np.r_[0, .1, .3, .7, .95, 1.]
    assert np.allclose(M.dice_curve(prob,t,thresholds), [M.dice(prob>=float(c),t) for c in thresholds])

def test_lesions_equal_components():
    from scipy.ndimage import label
    for seed in range(20):
        rng = np.random.default_rng(seed)
        p,t = rng.random((2,8,9,10)) < .04
        (lp,n_p),(lt,n_t) = (label(m, np.ones((3,3,3))) for m in (p,t))
        found = sum(p[lt==i].any() for i in range(1,n_t+1))
        false = sum(not t[lp==i].any() for i in range(1,n_p+1))
        d = D.lesion_detection(p,t)
        assert (d.tp, d.fn, d.fp) == (found, n_t-found, false)

def test_largest_diameter_is_ibsis(real):
    "IBSI-1 digital phantom: maximum 3D diameter 13.1 mm (consensus, tolerance 0.1)."
    nib = pytest.importorskip('nibabel')
    img = nib.load(real/'ibsi'/'digital_phantom'/'nifti'/'mask'/'mask.nii.gz')
    mask = Volume(np.asarray(img.dataobj).astype(int), np.diag([*img.header.get_zooms(), 1.]), 'label')
    assert measure_mask(mask).diameter_3d_mm[0] == pytest.approx(13.1, abs=.1)

def test_real_hippocampus(real):
    "A real mask moved by one voxel, 1 mm: it costs this small organ a tenth of its Dice, and every surface voxel stays within 1 mm."
    path = sorted((real/'msd_hippocampus'/'labels').glob('*.nii*'))[0]
    true = Volume.from_nifti(path, mask=True)
    t = M.segment_metrics(true.like(np.roll(true.data,1,axis=1)), true)
    assert t.label.tolist() == [1,2] and (t.dice > .7).all() and (t.dice < .97).all()
    assert (t.hd95_mm <= 1.001).all() and (t.nsd == 1).all() and (t.volume_difference_ml == 0).all()
    assert 0.5 < t.volume_true_ml.sum() < 10

def test_torch_masks_are_welcome():
    import torch
    a = torch.tensor([[0,1,1],[0,1,0]])
    assert M.dice(a,a) == 1 and M.dice(a.bool(), a) == 1 and M.dice(a.float(), a) == 1


# ---- weight

def test_measure_imports_nothing_heavy():
    import subprocess, sys
    code = "import sys, radnb.measure.stats, radnb.measure.metrics; print(*({'torch','sklearn','scipy','matplotlib','monai'} & set(sys.modules)))"
    assert subprocess.run([sys.executable,'-c',code], capture_output=True, text=True, check=True).stdout.strip() == ''
