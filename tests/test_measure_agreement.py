"Agreement against statsmodels, scikit-learn and the examples that were published with the methods, and with what readers really hand in."
import math
import numpy as np, pandas as pd, pytest
from radnb.core import BadInput
from radnb.measure import agreement as A

Z = 1.959963984540054
def half(e): return (e.high-e.low)/2

# ---- kappa

@pytest.mark.parametrize('weights', ['none','linear','quadratic'])
@pytest.mark.parametrize('seed', range(4))
def test_kappa_and_its_interval_are_those_of_statsmodels(weights, seed):
    irr = pytest.importorskip('statsmodels.stats.inter_rater')
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, 80); b = np.where(rng.random(80) < .6, a, rng.integers(0, 4, 80))
    T = np.zeros((4,4)); np.add.at(T, (a,b), 1)
    want = irr.cohens_kappa(T, wt=None if weights=='none' else weights)
    e = A.kappa(a, b, 4, weights, interval='asymptotic')
    assert (e.value, e.low, e.high) == pytest.approx((want.kappa, want.kappa_low, want.kappa_upp), abs=1e-9)
    sk = pytest.importorskip('sklearn.metrics').cohen_kappa_score(a, b, weights=None if weights=='none' else weights)
    assert e.value == pytest.approx(sk, abs=1e-12)

def test_fleiss_cohen_everitt_1969():
    "Their table 1: kappa .429, standard error .054."
    T = np.array([[.53,.05,.02],[.11,.14,.05],[.01,.06,.03]])*200
    a,b = (np.repeat(i.ravel(), T.round().astype(int).ravel()) for i in np.indices((3,3)))
    e = A.kappa(a, b, 3, 'none', interval='asymptotic')
    assert e.value == pytest.approx(.429, abs=5e-4) and half(e)/Z == pytest.approx(.054, abs=5e-4)
    boot = A.kappa(a, b, 3, 'none', n_boot=1000)
    assert half(boot) == pytest.approx(half(e), rel=.15)

def test_a_constant_reader_and_one_grade():
    assert A.kappa([0,0,0,0], [0,1,0,1], 2, 'none', n_boot=20).value == 0
    assert math.isnan(A.kappa([2,2], [2,2], 3).value) and math.isnan(A.kappa([], [], 3).value)
    with pytest.raises(BadInput): A.kappa([0,1,np.nan], [0,1,1], 2)

# ---- several readers

def ratings(seed=0, n=40, r=4, q=3, missing=0.):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, q, n)
    x = np.where(rng.random((n,r)) < .6, truth[:,None], rng.integers(0, q, (n,r))).astype(float)
    x[rng.random((n,r)) < missing] = np.nan
    return x

@pytest.mark.parametrize('seed', range(4))
def test_fleiss_kappa_is_statsmodels(seed):
    irr = pytest.importorskip('statsmodels.stats.inter_rater')
    x = ratings(seed)
    counts,_ = irr.aggregate_raters(x.astype(int))
    for method,f in (('fleiss', A.fleiss_kappa), ('uniform', A.pabak)):
        want = irr.fleiss_kappa(counts, method=method)
        assert f(x, n_boot=5).value == pytest.approx(want) and f(counts, counts=True, n_boot=5).value == pytest.approx(want)

def test_conger_of_two_is_cohen_and_of_many_the_mean_of_chances():
    x = ratings(1, r=2)
    assert A.conger_kappa(x, n_boot=5).value == pytest.approx(A.kappa(*x.T.astype(int), 3, 'none', n_boot=5).value)
    x = ratings(2).astype(int)
    pairs = [(i,j) for i in range(4) for j in range(4) if i<j]
    po = np.mean([(x[:,i]==x[:,j]).mean() for i,j in pairs])
    pe = np.mean([sum((x[:,i]==k).mean()*(x[:,j]==k).mean() for k in range(3)) for i,j in pairs])
    assert A.conger_kappa(x, n_boot=5).value == pytest.approx((po-pe)/(1-pe))

def test_gwets_own_example():
    "Gwet 2002, 125 subjects, 118 both positive: kappa -.0234, AC1 .9407."
    x = np.repeat([[1,1],[1,0],[0,1]], [118,5,2], axis=0)
    assert A.kappa(*x.T, 2, 'none', n_boot=5).value == pytest.approx(-.0234, abs=1e-4)
    assert A.gwet_ac(x, n_boot=5).value == pytest.approx(.9407, abs=1e-4)

def alpha_by_pairs(x, delta):
    "Krippendorff's definition, pair by pair."
    units = [[v for v in row if not np.isnan(v)] for row in x]
    units = [u for u in units if len(u) > 1]
    everyone = [v for u in units for v in u]
    n = len(everyone)
    seen = sum(delta(a, b)/(len(u)-1) for u in units for i,a in enumerate(u) for j,b in enumerate(u) if i!=j)/n
    chance = sum(delta(a, b) for a in everyone for b in everyone)/(n*(n-1))
    return 1-seen/chance

@pytest.mark.parametrize('seed', range(3))
def test_alpha_is_krippendorffs_definition(seed):
    x = ratings(seed, missing=.3)+1
    u = x[(~np.isnan(x)).sum(1) > 1]
    c = {v: (u==v).sum() for v in np.unique(u[~np.isnan(u)])}
    rank = {v: sum(c[w] for w in c if w < v)+c[v]/2 for v in c}
    for scale,delta in (('nominal', lambda a,b: a!=b), ('interval', lambda a,b: (a-b)**2), ('ratio', lambda a,b: ((a-b)/(a+b))**2), ('ordinal', lambda a,b: (rank[a]-rank[b])**2)):
        assert A.krippendorff_alpha(x, scale, n_boot=5).value == pytest.approx(alpha_by_pairs(x, delta))

def test_alpha_of_continuous_readings_is_quick_and_near_the_icc():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 2, (300,1))+rng.normal(0, 1, (300,3))
    e = A.krippendorff_alpha(x, 'interval', n_boot=50)
    assert e.value == pytest.approx(A.icc(x)['ICC(1,1)'].value, abs=.01) and e.low < .8 < e.high

def test_readers_of_one_patient_do_not_make_intervals_narrower():
    x = ratings(3, missing=.1)
    for f in (A.fleiss_kappa, A.gwet_ac, A.pabak, A.conger_kappa, A.krippendorff_alpha):
        once,often = f(x, n_boot=300), f(x.repeat(4,0), groups=np.arange(40).repeat(4), n_boot=300)
        assert often.n == 40 and (often.low, often.high) == pytest.approx((once.low, once.high), abs=.02)   # alpha itself has a small-sample term

# ---- ICC

JUDGES = np.array([[9,2,5,8],[6,1,3,2],[8,4,6,8],[7,1,2,6],[10,5,6,9],[6,2,4,7]])

def test_shrout_and_fleiss_1979():
    "Their table; intervals and F as R's psych::ICC prints them."
    r = A.icc(JUDGES)
    want = {'ICC(1,1)':(.17,-.13,.72), 'ICC(2,1)':(.29,.019,.76), 'ICC(3,1)':(.71,.34,.95), 'ICC(1,k)':(.44,-.88,.91), 'ICC(2,k)':(.62,.071,.93), 'ICC(3,k)':(.91,.68,.99)}
    for form,v in want.items():
        e = r[form]; assert (e.value, e.low, e.high) == pytest.approx(v, abs=5.1e-3)
    assert r.tests.F.tolist() == pytest.approx([1.79,11.03,11.03]*2, abs=5e-3)
    assert r.tests.p_value['ICC(1,1)'] == pytest.approx(.1648, abs=5e-4) and r.tests.p_value['ICC(3,1)'] == pytest.approx(.000135, rel=.01)
    assert (r.tests.df1['ICC(1,1)'], r.tests.df2['ICC(1,1)'], r.tests.df2['ICC(2,1)']) == (5,18,15)

def test_icc_is_the_anova_of_statsmodels():
    ols = pytest.importorskip('statsmodels.formula.api').ols
    from statsmodels.stats.anova import anova_lm
    rng = np.random.default_rng(0)
    x = rng.normal(1e4, 3, (25,1))+rng.normal([0,2,1], 1, (25,3))        # far from zero: sums of squares must not cancel
    long = pd.DataFrame(x).stack().reset_index(name='v').set_axis(['s','r','v'], axis=1)
    t = anova_lm(ols('v ~ C(s)+C(r)', long).fit())
    ms = t.sum_sq/t.df
    r,c,e = ms['C(s)'], ms['C(r)'], ms['Residual']
    got = A.icc(x)
    assert got['ICC(C,1)'].value == pytest.approx((r-e)/(r+2*e)) and got['ICC(A,1)'].value == pytest.approx((r-e)/(r+2*e+3*(c-e)/25))
    assert got.tests.F['ICC(3,1)'] == pytest.approx(t.F['C(s)'])

def test_icc_intervals_cover():
    rng,held = np.random.default_rng(1), {f: 0 for f in A._ICC}
    for _ in range(300):                                                    # random readers: sd 1 of 3 patients, .5 readers, 1 error
        x = rng.normal(0, 2, (20,1))+rng.normal(0, .7, (1,4))+rng.normal(0, 1, (20,4))
        one = 4/(4+.49+1)
        r = A.icc(x)
        held['ICC(2,1)'] += r['ICC(2,1)'].low <= one <= r['ICC(2,1)'].high
        held['ICC(3,1)'] += r['ICC(3,1)'].low <= .8 <= r['ICC(3,1)'].high
    assert .91 < held['ICC(2,1)']/300 <= .99 and .92 < held['ICC(3,1)']/300 <= .985

# ---- Bland and Altman, Lin, repeatability

def test_exact_limits_are_tolerance_factors():
    "The upper interval of a limit is a one-sided normal tolerance limit (NIST handbook 7.2.6.3: 95 % of the values at 95 % confidence)."
    for n,k in ((10,2.911), (20,2.396), (30,2.220)):
        d = np.random.default_rng(n).normal(size=n)
        r = A.bland_altman(d, np.zeros(n), sds=1.6448536269514722, level=.9)
        assert (r.upper.high-d.mean())/d.std(ddof=1) == pytest.approx(k, abs=6e-4) and (d.mean()-r.lower.low)/d.std(ddof=1) == pytest.approx(k, abs=6e-4)

def test_approximate_limits_are_bland_altman_1999():
    d = np.random.default_rng(0).normal(2, 3, 50)
    r,s,t = A.bland_altman(d, np.zeros(50), interval='approximate'), d.std(ddof=1), 2.0095752344892093
    assert half(r.upper) == pytest.approx(t*s*math.sqrt(1/50+1.96**2/(2*49))) and half(r.bias) == pytest.approx(t*s/50**.5)

def test_slope_is_statsmodels():
    sm = pytest.importorskip('statsmodels.api')
    rng = np.random.default_rng(3)
    a = rng.normal(50, 10, 60); b = .9*a+rng.normal(0, 3, 60)
    r,fit = A.bland_altman(a, b), sm.OLS(a-b, sm.add_constant((a+b)/2)).fit()
    assert (r.slope.value, r.slope.low, r.slope.high) == pytest.approx((fit.params[1], *fit.conf_int()[1])) and r.slope_p == pytest.approx(fit.pvalues[1])

@pytest.mark.parametrize('true_value', ['varies','constant'])
def test_limits_of_repeated_measurements_cover(true_value):
    rng,held,naive = np.random.default_rng(5), 0, 0
    who = np.repeat(np.arange(25), 4)
    for _ in range(200):
        truth = rng.normal(50, 10, 25)[who]+(rng.normal(0, 5, 100) if true_value=='varies' else 0)
        a,b = truth+rng.normal(0, 1, 25)[who]+rng.normal(0, 1, 100), truth+rng.normal(0, 1, 25)[who]+rng.normal(0, 1, 100)
        r,want = A.bland_altman(a, b, who, true_value), 1.96*2
        held += r.upper.low <= want <= r.upper.high
        n = A.bland_altman(a, b); naive += n.upper.low <= want <= n.upper.high
    assert 182 <= held <= 199 and naive < held

def lin_by_the_book(x, y):
    "As the correction of 2000 prints it, dividing by r."
    n,r = len(x), np.corrcoef(x, y)[0,1]
    sx,sy = x.std(), y.std()
    c = 2*r*sx*sy/(sx**2+sy**2+(x.mean()-y.mean())**2)
    u = (x.mean()-y.mean())/math.sqrt(sx*sy)
    var = ((1-r**2)*c**2/((1-c**2)*r**2)+2*c**3*(1-c)*u**2/(r*(1-c**2)**2)-c**4*u**4/(2*r**2*(1-c**2)**2))/(n-2)
    z = .5*math.log((1+c)/(1-c))
    return c, math.tanh(z-Z*var**.5), math.tanh(z+Z*var**.5)

def test_lin_is_lins():
    rng = np.random.default_rng(0)
    for shift,stretch in ((0,1), (1,1), (0,2), (-.5,.6)):
        x = rng.normal(size=40); y = shift+stretch*x+rng.normal(0, .5, 40)
        e = A.lin_ccc(x, y); assert (e.value, e.low, e.high) == pytest.approx(lin_by_the_book(x, y))
        assert A.lin_ccc(x+1e6, y+1e6).value == pytest.approx(e.value, abs=1e-6)
    assert A.lin_ccc([1,2,1,2.], [1,1,2,2.]).value == pytest.approx(0)      # r = 0: nothing to divide by

def test_repeatability_is_within_subject_anova():
    x = np.random.default_rng(1).normal(20, 2, (30,3))
    r = A.repeatability(x, unit='mm')
    s = math.sqrt(np.var(x, axis=1, ddof=1).mean())
    assert r['within-case SD'].value == pytest.approx(s) and r['repeatability coefficient'].value == pytest.approx(1.96*math.sqrt(2)*s)
    from scipy.stats import chi2
    assert r['within-case SD'].high == pytest.approx(s*math.sqrt(60/chi2.ppf(.025, 60))) and r['within-case SD'].unit == 'mm'

@pytest.mark.parametrize('call', [lambda: A.bland_altman([1,2],[1]), lambda: A.bland_altman([],[]), lambda: A.bland_altman([1,2],[1,math.inf]), lambda: A.bland_altman([1,2],[2,1], scale='x'),
                                  lambda: A.bland_altman([1,2],[2,1], sds=0), lambda: A.icc([1,2,3]), lambda: A.icc([[1],[2]]), lambda: A.lin_ccc([],[]), lambda: A.repeatability([1,2]),
                                  lambda: A.krippendorff_alpha([[1,2]], 'cardinal'), lambda: A.fleiss_kappa([[1,-1]], counts=True), lambda: A.kappa([0],[1],2,interval='x')])
def test_wrong_calls_are_refused(call):
    with pytest.raises(BadInput): call()
