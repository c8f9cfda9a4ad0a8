"radnb.measure.comparison and the AUC family against R's pROC, scikit-learn, scipy, statsmodels and published values, and what must hold for any input."
import itertools, math, warnings
import numpy as np
import pytest
from hypothesis import given as any_given, settings, strategies as st
from scipy.stats import norm
from radnb.core import BadInput, OneClass
from radnb.measure import comparison as C, planning as P, stats as S

def given(*a): return lambda f: settings(deadline=None, max_examples=40, derandomize=True)(any_given(*a)(f))

Z = norm.ppf(.975)

@st.composite
def truth_and_scores(draw, models=1, low=4, high=40):
    "Both classes, and many ties."
    n = draw(st.integers(low, high))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    y[:2] = [True,False]
    steps = draw(st.integers(1, 30))
    scores = [np.array(draw(st.lists(st.integers(0, steps), min_size=n, max_size=n)))/steps for _ in range(models)]
    return y, *scores


# ---- aSAH of R's pROC (Robin et al. 2011): all values at the digits of its own test suite

# Patients in the order of their NDKA: g good outcome, p poor, b one of each and G two good at the same value
NDKA = 'gpggpppgggggggggpggggggppggpgGgpbggggpggpggggggpppgpggpgggggpgbggpggppgppggbppgggpggggppppggpgggppppggpgpgpgp'
GOOD_POOR = dict(g='0', p='1', b='01', G='00')
# S100B: patients with good and poor outcome at or below each cut
S100B = [(0,1), (5,1), (8,1), (10,1), (16,4), (22,5), (28,7), (35,9), (39,10), (39,11), (42,13), (46,14), (50,14), (53,15), (55,15), (56,15), (58,15), (58,16),
         (58,17), (59,17), (59,18), (59,19), (59,20), (60,20), (60,21), (61,22), (62,23), (63,23), (63,24), (64,24), (64,25), (65,25), (65,27), (66,27), (67,27),
         (69,27), (70,28), (70,29), (72,29), (72,30), (72,31), (72,32), (72,33), (72,35), (72,36), (72,37), (72,38), (72,39), (72,40), (72,41)]

@pytest.fixture(scope='module')
def ndka():
    rows = [(int(k),i) for i,c in enumerate(NDKA) for k in GOOD_POOR[c]]
    return np.array(rows).T

@pytest.fixture(scope='module')
def s100b():
    new = np.diff(np.array([(0,0),*S100B]), axis=0)
    values = np.arange(len(new))
    return np.repeat([0,1], [72,41]), np.r_[np.repeat(values, new[:,0]), np.repeat(values, new[:,1])]

def test_unpaired_delong_is_procs(ndka, s100b):
    c = C.delong_unpaired(*ndka, *s100b)
    assert c.first.value == pytest.approx(0.611957994579946, rel=1e-12) and c.second.value == pytest.approx(0.731368563685637, rel=1e-12)
    assert c.p_value == pytest.approx(0.120192832430845, rel=1e-9)
    half = c.difference.high-c.difference.value
    from scipy.stats import t
    df = 113-1
    assert 2*t.sf(1.55995743389685, 2*df) == pytest.approx(c.p_value, abs=1e-3) and half > Z*abs(c.difference.value)/1.55995743389685

@pytest.mark.parametrize('specificity,area,corrected', [((.9,1), 0.0107046070460705, 0.530024247610897), ((.8,.9), 0.0277777777777778, 0.575163398692811),
                                                        ((0,.5), 0.416836043360434, 0.667344173441734), ((0,1), 0.611957994579946, 0.611957994579946)])
def test_partial_auc_of_specificities_is_procs(ndka, specificity, area, corrected):
    fpr = 1-specificity[1], 1-specificity[0]
    assert S.partial_auc(*ndka, fpr, corrected=False, n_boot=2).value == pytest.approx(area, rel=1e-12)
    assert S.partial_auc(*ndka, fpr, n_boot=2).value == pytest.approx(corrected, rel=1e-12)

@pytest.mark.parametrize('sensitivity,area,corrected', [((.9,1), 0.0037940379403794, None), ((.8,.9), 0.0242547425474255, 0.554439662043679),
                                                        ((0,.5), 0.428523035230352, 0.714092140921409), ((0,1), 0.611957994579946, 0.611957994579946)])
def test_partial_auc_of_sensitivities_is_procs(ndka, sensitivity, area, corrected):
    assert S.partial_auc(*ndka, sensitivity=sensitivity, corrected=False, n_boot=2).value == pytest.approx(area, rel=1e-12)
    ours = S.partial_auc(*ndka, sensitivity=sensitivity, n_boot=2).value
    if corrected: assert ours == pytest.approx(corrected, rel=1e-12)
    else: assert ours < .5 # below the diagonal, where pROC gives no value


# ---- the AUC family

@given(truth_and_scores(), st.sampled_from([.05,.1,.3,.77]))
def test_partial_auc_equals_scikit_learn(yp, most):
    from sklearn.metrics import roc_auc_score
    y,p = yp
    assert S.partial_auc(y, p, (0,most), n_boot=2).value == pytest.approx(roc_auc_score(y, p, max_fpr=most), abs=1e-12)

@given(truth_and_scores(), st.integers(0,5))
def test_partial_auc_of_weights_is_that_of_resampled_rows(yp, seed):
    y,p = yp
    g = np.arange(len(y))//2
    f,G = S._partial_auc_of_weights(y, p, g, .1, .6), g.max()+1
    for W in S._draws(G, 4, seed):
        for w,a in zip(W, f(W)):
            rows = np.repeat(np.arange(len(y)), w[g])
            if y[rows].any() and not y[rows].all(): assert a == pytest.approx(S.partial_auc(y[rows], p[rows], (.1,.6), corrected=False, n_boot=2).value)
            else: assert math.isnan(a)

def test_hand_till_equals_scikit_learn():
    from sklearn.metrics import roc_auc_score
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 90)
    P = np.round(rng.dirichlet(np.ones(4), 90)+.4*np.eye(4)[y], 1)+.1
    P /= P.sum(1, keepdims=True)
    assert S.hand_till(y, P, 'abcd', n_boot=2).value == pytest.approx(roc_auc_score(y, P, multi_class='ovo'), abs=1e-12)

def test_hanley_mcneil_by_hand():
    "AUC 0.8 of 50 and 50: Q1 = 0.8/1.2, Q2 = 1.28/1.8, variance (0.16 + 49 (2/3 - 0.64) + 49 (0.711.. - 0.64)) / 2500."
    e = S.hanley_mcneil(.8, 50, 50)
    assert ((e.high-e.low)/2/Z)**2 == pytest.approx((.16+49*(2/3-.64)+49*(1.28/1.8-.64))/2500, rel=1e-12)
    assert (e.high-e.low)/2/Z == pytest.approx(.0445, abs=5e-5)

def test_stratified_resamples_keep_the_classes():
    rng = np.random.default_rng(0)
    y = np.arange(30) < 3
    e = S.bootstrap_auc(y, rng.normal(y), stratified=True, n_boot=500)
    assert 'stratified' in e.method and 'left out' not in e.method and e.low < e.value <= e.high
    assert 'left out' in S.bootstrap_auc(y, rng.normal(y), n_boot=500).method

def test_average_precisions_intervals_cover():
    "12 positive of 60, true value known from a large sample: all three intervals hold it about as often as they say."
    rng,kinds = np.random.default_rng(0), ('bca','percentile','logit')
    draw = lambda n: (np.arange(n) < n//5, rng.normal(1.2*(np.arange(n) < n//5)))
    truth,inside = S.average_precision(*draw(200_000), n_boot=1, kind='logit').value, dict.fromkeys(kinds, 0)
    for _ in range(120):
        y,p = draw(60)
        for k in kinds:
            e = S.average_precision(y, p, n_boot=300, kind=k)
            inside[k] += e.low <= truth <= e.high
    assert all(.86 <= v/120 <= 1 for v in inside.values()), inside


# ---- DeLong of several

def kernel_cov(y, P):
    "DeLong's covariance, pair by pair."
    parts = [((p[y][:,None]>p[~y])+.5*(p[y][:,None]==p[~y])) for p in P]
    V10,V01 = np.array([k.mean(1) for k in parts]), np.array([k.mean(0) for k in parts])
    return V10.mean(1), np.cov(V10)/V10.shape[1]+np.cov(V01)/V01.shape[1]

@given(truth_and_scores(models=3, low=8))
def test_overall_test_is_delongs(yps):
    y,*P = yps
    if min(y.sum(), (~y).sum()) < 2: return
    A,cov = kernel_cov(y, P)
    r = C.compare_aucs(y, P)
    for L in (np.array([[1,-1,0],[0,1,-1]]), np.array([[1,0,-1],[1,-1,0.]])): # whatever the contrast
        V = L@cov@L.T
        if np.linalg.eigvalsh(V)[0] > 1e-6:
            assert r.df == 2 and r.chi2 == pytest.approx((L@A)@np.linalg.solve(V, L@A), rel=1e-6)

def test_overall_test_counts_patients():
    rng = np.random.default_rng(0)
    y = np.arange(60) < 25
    P = [rng.normal(y) for _ in range(3)]
    once,thrice = C.compare_aucs(y, P), C.compare_aucs(np.repeat(y,3), [np.repeat(p,3) for p in P], np.repeat(np.arange(60),3))
    assert thrice.chi2 == pytest.approx(once.chi2) and np.allclose(thrice.pairs.p_value, once.pairs.p_value)

def test_tests_of_aucs_keep_their_level():
    rng,overall,unpaired = np.random.default_rng(0), 0, 0
    y = np.arange(100) < 40
    for _ in range(200):
        common = rng.normal(y)
        overall += C._all_equal(*S._auc_cov(y, common+rng.normal(size=(4,100)), np.arange(100), 100)[:2])[2] < .05
        unpaired += C.delong_unpaired(y, rng.normal(y), y[:70], rng.normal(y[:70])).p_value < .05
    assert .01 < overall/200 < .1 and .01 < unpaired/200 < .1

def test_degenerate_comparisons_say_so():
    c = C.delong_unpaired([0,1], [1,2], [0,1], [2,1])
    assert .05 < c.p_value < 1 and c.difference.low <= c.difference.value <= c.difference.high and 'Newcombe' in c.first.method
    assert math.isnan(C.compare_aucs([0,0,1,1], [[1,2,3,4],[1,2,3,4],[1,1,1,1]]).p_value)
    for c in (C.delong_test([0,1], [1,2], [2,1]), C.delong_test([0,0,1], [1,2,3], [2,1,3])):
        assert math.isnan(c.p_value) and c.difference.method == 'no interval: only one patient in a class'
    assert math.isnan(C.compare_aucs([0,1,1], [[1,2,3],[2,1,3],[3,2,1]]).p_value)
    ties = C.compare_aucs([0,0,1,1], [[1]*4,[1,2,3,3]])
    assert ties.aucs['model 1'].value == .5 and ties.aucs['model 2'].value == 1
    with pytest.raises(BadInput, match='both y1 and y2'): C.permutation_unpaired([1,2], [2,1], [0,1])
    for f in (C.delong_test, C.permutation_test):
        with pytest.raises(BadInput): f([0,1,math.nan], [1,2,3], [1,2,3])
    with pytest.raises(OneClass): C.compare_aucs([1,1], [[1,2],[2,1]])
    with pytest.raises(OneClass): C.permutation_test([1,2], [2,1], [1,1])


def test_estimates_are_compared_as_newcombe_compares_shares():
    sm = pytest.importorskip('statsmodels.stats.proportion')
    for a,n,b,m in [(56,70,48,80), (9,10,3,10), (6,7,2,7), (5,56,0,29), (0,10,0,20), (10,10,0,10)]: # Newcombe 1998, table II
        e = C.compare_estimates(S.wilson(a,n), S.wilson(b,m)).difference
        assert (e.low,e.high) == pytest.approx(sm.confint_proportions_2indep(a,n,b,m,method='newcomb'), abs=1e-9)
    for a,b in ((S.wilson(56,70),S.wilson(48,80)), (S.wilson(50,70),S.wilson(48,80))):
        c = C.compare_estimates(a, b)
        assert (c.p_value < .05) == (c.difference.low > 0)
    assert math.isnan(C.compare_estimates(S._undefined('no cases'), S.wilson(1,2)).p_value)


# ---- McNemar

def pairs(a, b, c, d): return np.repeat([1,1,0,0], [a,b,c,d]), np.repeat([1,0,1,0], [a,b,c,d])

def test_mcnemar_equals_statsmodels():
    sm = pytest.importorskip('statsmodels.stats.contingency_tables')
    for a,b,c,d in [(59,6,16,80), (1,1,7,12), (794,86,150,570), (3,0,5,2), (10,1,0,10)]:
        first,second = pairs(a,b,c,d)
        y = np.ones(len(first))
        for test,exact,correction in (('exact',True,False), ('asymptotic',False,False), ('corrected',False,True)):
            ours = C.mcnemar(y, first, second, 'sensitivity', test).p_value
            assert ours == pytest.approx(sm.mcnemar([[a,b],[c,d]], exact=exact, correction=correction).pvalue, rel=1e-9)

def test_mcnemar_of_agresti():
    "Presidential approval in two surveys (Agresti, Categorical Data Analysis, section 10.1): z = (86 - 150)/sqrt(86 + 150) = -4.17."
    first,second = pairs(794, 150, 86, 570)
    c = C.mcnemar(np.ones(1600), first, second, test='asymptotic')
    assert c.p_value == pytest.approx(2*norm.sf(4.17), rel=.03) and c.difference.value == pytest.approx(.04)

def test_mcnemars_published_interval_and_mid_p():
    "Cavo et al. 2012 and Bentur et al. 2009, in Fagerland, Lydersen & Laake."
    first,second = pairs(59, 6, 16, 80)
    e = C.mcnemar(np.ones(161), first, second).difference
    assert (e.value,e.low,e.high) == pytest.approx((-.0621,-.1186,-.0046), abs=5e-5)
    first,second = pairs(1, 1, 7, 12)
    assert C.mcnemar(np.ones(21), first, second).p_value == pytest.approx(.0391, abs=5e-5)
    first,second = pairs(4, 3, 3, 5)
    assert C.mcnemar(np.ones(15), first, second).p_value == pytest.approx(1-.5*20/64) # as many either way

def test_clustered_mcnemar_written_out():
    rng = np.random.default_rng(0)
    g,r1,r2 = rng.integers(0,12,50), rng.random(50)<.8, rng.random(50)<.6
    d,n = np.array([(r1[g==i].astype(int)-r2[g==i]).sum() for i in range(12)]), np.bincount(g)
    K = len(n)
    for test,chi2 in (('obuchowski', (K-1)/K*d.sum()**2/(d**2).sum()), ('durkalski', (d/n).sum()**2/((d/n)**2).sum())):
        assert C.mcnemar(np.ones(50), r1, r2, test=test, groups=g).p_value == pytest.approx(2*norm.sf(chi2**.5))
    e = C.mcnemar(np.ones(50), r1, r2, groups=g).difference
    assert e.n == 12 and e.high-e.low == pytest.approx(2*Z*math.sqrt(K/(K-1)*((d-n*d.sum()/50)**2).sum())/50)

def test_clustered_mcnemar_keeps_its_level():
    "Lesions of a patient are read alike: counted as independent, equal readers differ far too often."
    rng,who,false = np.random.default_rng(0), np.repeat(np.arange(40),6), {'rows':0, 'patients':0}
    for _ in range(300):
        r1,r2 = (rng.random(40)[who] < .7+.1*rng.random(240) for _ in (1,2))
        false['rows'] += C.mcnemar(np.ones(240), r1, r2).p_value < .05
        false['patients'] += C.mcnemar(np.ones(240), r1, r2, groups=who).p_value < .05
    assert false['rows']/300 > .25 and .01 < false['patients']/300 < .1

def test_paired_interval_covers():
    rng,inside = np.random.default_rng(0), 0
    for _ in range(400):
        first = rng.random(40) < .9
        second = np.where(rng.random(40) < .7, first, rng.random(40) < .75)
        e = C.mcnemar(np.ones(40), first, second).difference
        inside += e.low <= .3*(.9-.75) <= e.high
    assert .92 < inside/400 <= .99


# ---- many tests

@given(st.lists(st.floats(0,1), min_size=1, max_size=12), st.booleans())
def test_corrections_equal_statsmodels(p, rounded):
    sm = pytest.importorskip('statsmodels.stats.multitest')
    p = np.round(p, 1) if rounded else np.array(p)
    for ours,theirs in (('bonferroni','bonferroni'), ('holm','holm'), ('hochberg','simes-hochberg'), ('fdr_bh','fdr_bh'), ('fdr_by','fdr_by')):
        assert np.allclose(C.adjust_p(p, ours), sm.multipletests(p, method=theirs)[1], atol=1e-12)


# ---- permutation and bootstrap

def test_all_permutations_equal_scipy():
    from scipy.stats import permutation_test
    rng = np.random.default_rng(0)
    for n in (2,5,9):
        a,b = np.round(rng.normal(size=(2,n)), 1)
        want = permutation_test((a-b,), np.mean, permutation_type='samples', n_resamples=np.inf).pvalue
        assert C.permutation_test(a, b, n_boot=2).p_value == pytest.approx(want)

def test_permuted_aucs_are_those_of_exchanged_scores():
    "Each of the 2^6 ways by hand, with ranks, patients of two rows."
    from scipy.stats import rankdata
    from sklearn.metrics import roc_auc_score
    rng,g = np.random.default_rng(1), np.repeat(np.arange(6),2)
    y = np.arange(12)%3==0
    p1,p2 = np.round(rng.normal(y,1),1), np.round(rng.normal(size=12),1)
    r,d = [rankdata(p) for p in (p1,p2)], []
    for s in itertools.product((0,1), repeat=6):
        x = np.array(s)[g]==1
        d.append(roc_auc_score(y, np.where(x,r[1],r[0]))-roc_auc_score(y, np.where(x,r[0],r[1])))
    assert C.permutation_test(p1, p2, y, groups=g, n_boot=2).p_value == pytest.approx(np.mean(np.abs(d) >= abs(d[0])-1e-12))

def test_permutation_tests_keep_their_level():
    rng,false = np.random.default_rng(0), np.zeros(3)
    y = np.arange(40) < 16
    for i in range(150):
        common = rng.normal(y)
        p = (C.permutation_test(common+rng.normal(size=40), common+rng.normal(size=40), y, n_perm=199, n_boot=2, seed=i).p_value,
             C.permutation_unpaired(rng.normal(y), rng.normal(y[5:]), y, y[5:], n_perm=199, n_boot=2, seed=i).p_value,
             C.permutation_unpaired(rng.normal(size=12), rng.normal(size=20), n_perm=199, n_boot=2, seed=i).p_value)
        assert min(p) >= 1/200
        false += np.array(p) <= .05
    assert (false/150 < .1).all() and (false/150 > .01).all()

def test_unpaired_permutation_agrees_with_scipy():
    from scipy.stats import permutation_test
    rng = np.random.default_rng(3)
    a,b = rng.normal(.8,1,8), rng.normal(0,1,9)
    want = permutation_test((a,b), lambda u,v: u.mean()-v.mean(), permutation_type='independent', n_resamples=np.inf).pvalue
    assert C.permutation_unpaired(a, b, n_perm=20_000, n_boot=2).p_value == pytest.approx(want, abs=.01)

def test_bootstrap_difference_covers_and_is_paired():
    rng,inside = np.random.default_rng(0), 0
    y = np.arange(80) < 35
    for i in range(150):
        common = rng.normal(1.2*y)
        e = C.bootstrap_difference(common+rng.normal(0,.5,80), common+rng.normal(0,.5,80), y, n_boot=400, seed=i)
        inside += e.low <= 0 <= e.high
    assert .88 < inside/150 <= .99
    d = C.delong_test(y, p1 := common+rng.normal(0,.5,80), p2 := common+rng.normal(0,.5,80)).difference
    e = C.bootstrap_difference(p1, p2, y)
    assert e.value == pytest.approx(d.value) and (e.low,e.high) == pytest.approx((d.low,d.high), abs=.02)

def test_any_metric_gives_what_the_fast_way_gives():
    from sklearn.metrics import average_precision_score, roc_auc_score
    rng = np.random.default_rng(0)
    y = np.arange(50) < 25
    p1,p2 = np.round(rng.normal(y),1), np.round(rng.normal(y),1)
    for name,f in (('auc',roc_auc_score), ('average precision',average_precision_score)):
        fast,slow = (C.bootstrap_difference(p1, p2, y, m, n_boot=30) for m in (name,f))
        assert (fast.value,fast.low,fast.high) == pytest.approx((slow.value,slow.low,slow.high))
    assert C.bootstrap_difference(p1, p2, n_boot=30).low == pytest.approx(C.bootstrap_difference(p1, p2, metric=np.mean, n_boot=30).low)


# ---- margins

@given(st.floats(-.2,.2), st.floats(.005,.1), st.floats(.01,.2), st.sampled_from([.01,.025,.05]))
def test_margins_by_the_normal_formula(d, se, margin, alpha):
    e = S.Estimate(d, d-Z*se, d+Z*se, 'normal', 100)
    n,t = C.noninferiority(e, margin, alpha), C.equivalence(e, margin, alpha)
    below,above = norm.sf((d+margin)/se), norm.sf((margin-d)/se)
    assert n.p_value == pytest.approx(below, rel=1e-6, abs=1e-12) and t.p_value == pytest.approx(max(below,above), rel=1e-6, abs=1e-12)
    assert n.shown == (n.p_value<alpha) and t.shown == (t.p_value<alpha)
    lower = C.noninferiority(e, margin, alpha, higher_is_better=False)
    assert lower.p_value == pytest.approx(above, rel=1e-6, abs=1e-12) and lower.shown == (lower.p_value<alpha)


# ---- sample sizes

def test_an_auc_comes_out_as_precise_as_planned():
    rng,shift = np.random.default_rng(0), math.sqrt(2)*norm.ppf(.8)
    def half(s):
        y = np.repeat([1,0], [s.positives,s.negatives])
        return np.mean([(e.high-e.low)/2 for e in (S.auc(y, rng.normal(shift*y)) for _ in range(100))])
    for prevalence in (.2,.5,.7): assert half(P.size_for_auc(.8, .06, prevalence, 'binormal')) == pytest.approx(.06, rel=.04)
    assert half(P.size_for_auc(.8, .06)) == pytest.approx(.06, rel=.05) and half(P.size_for_auc(.8, .06, method='obuchowski')) < .06

def test_a_difference_is_found_as_often_as_planned():
    rng = np.random.default_rng(0)
    def draw(y): # two models with AUCs of 0.85 and 0.75 that share half of their noise
        shared = rng.normal(size=len(y))
        return [math.sqrt(2)*norm.ppf(a)*y+math.sqrt(.5)*(shared+rng.normal(size=len(y))) for a in (.85,.75)]
    big = np.arange(20_000)%2
    A,cov,*_ = S._auc_cov(big==1, np.array(draw(big)), np.arange(20_000), 20_000)
    r = cov[0,1]/math.sqrt(cov[0,0]*cov[1,1])
    s = P.size_for_auc_difference(.85, .75, r, power=.8, method='binormal')
    y = np.repeat([1,0], [s.positives,s.negatives])
    found = np.mean([C.delong_test(y, *draw(y)).p_value < .05 for _ in range(300)])
    assert .74 < found < .87, (s.n, r, found)

def test_sizes_for_shares_are_the_smallest():
    for p,half in ((.5,.1), (.9,.05), (.8,.04)):
        n = P.size_for_proportion(p, half).n
        assert P._half_width(p, n, 'wilson', .95) <= half < P._half_width(p, n-1, 'wilson', .95)
    for k,n in ((18,20), (45,50), (8,10)): # where the share is whole, the interval is the one reported
        for kind,f in (('wilson',S.wilson), ('exact',S.clopper_pearson)):
            e = f(k, n)
            assert P._half_width(k/n, n, kind, .95) == pytest.approx((e.high-e.low)/2)

def test_assurance_is_binomial():
    from scipy.stats import binom
    s,cases = P.size_for_proportion(.9, .05, share=.1, assurance=.9), P.size_for_proportion(.9, .05).n
    assert binom.sf(cases-1, s.n, .1) >= .9 > binom.sf(cases-1, s.n-1, .1)
    assert P.size_for_proportion(.9, .05, share=1., assurance=.9).n == cases

def test_buderer_by_hand():
    "Sensitivity 0.9 to 0.05 at a prevalence of 0.2: 1.96^2 * 0.09 / 0.0025 = 138.3, so 139 sick of 695."
    s = P.size_for_proportion(.9, .05, share=.2, kind='normal')
    assert s.n == 695 and '139 patients' in s.assumptions[0]


# ---- optimism

def test_optimism_is_what_is_lost_elsewhere():
    "40 small studies: on average the corrected index is much nearer to the true one of the threshold chosen than the apparent one is."
    rng,apparent,corrected,inside = np.random.default_rng(0), [], [], 0
    y,j = np.arange(50) < 20, "Youden's index"
    for i in range(40):
        p = rng.normal(.8*y)
        o = S.optimism(y, p, n_boot=60, seed=i)
        true = norm.sf(o.point.threshold-.8)+norm.cdf(o.point.threshold)-1
        apparent.append(o.apparent[j].value-true); corrected.append(o.corrected[j].value-true)
        inside += o.corrected[j].low <= true <= o.corrected[j].high
    assert np.mean(apparent) > .08 and abs(np.mean(corrected)) < .5*np.mean(apparent) and inside >= 30

def test_optimism_counts_patients_and_names_what_it_left_out():
    who = np.repeat(np.arange(10),5)
    y = who%2==0
    p = np.random.default_rng(0).normal(size=10)[who]+y
    o = S.optimism(y, p, groups=who, n_boot=40)
    assert o.corrected['sensitivity'].n == 10 and 'clustered by patient' in o.corrected['sensitivity'].method
    few = S.optimism([0,0,0,1], [.1,.2,.4,.3], n_boot=40)
    assert 'without a threshold left out' in few.corrected['sensitivity'].method
    assert S.optimism([0,1,1], [.1,.2,.3], groups=['a']*3, n_boot=5).corrected['sensitivity'].method.startswith('undefined')

def test_a_sample_of_one_patient_is_compared_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert C.permutation_unpaired([1.], [2.,3.], n_perm=99).difference.value == -1.5
