"Calibration, recalibration and conformal prediction against scikit-learn, statsmodels and scipy, and by simulation."
import json, math
import numpy as np, pytest
from radnb.core import BadInput, OneClass
from radnb.measure import calibration as C

Z = 1.959963984540054

def study(seed=0, n=400, slope=1.):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-.3, 1.5, n)
    return rng.random(n) < 1/(1+np.exp(-logit)), 1/(1+np.exp(-slope*logit))

# ---- slope, intercept

def test_slope_and_intercept_are_statsmodels():
    sm = pytest.importorskip('statsmodels.api')
    y,p = study(1, slope=1.7)
    L,c = np.log(p/(1-p)), C.calibration(y, p, n_boot=2)
    fit = sm.Logit(y.astype(float), sm.add_constant(L)).fit(disp=0)
    assert (c.slope.value, c.slope.low, c.slope.high) == pytest.approx((fit.params[1], *fit.conf_int()[1]), abs=1e-6)
    fit = sm.GLM(y.astype(float), np.ones((len(y),1)), family=sm.families.Binomial(), offset=L).fit()
    assert (c.intercept.value, c.intercept.low, c.intercept.high) == pytest.approx((fit.params[0], *fit.conf_int()[0]), abs=1e-6)

def test_clustered_slope_is_the_sandwich_of_statsmodels():
    sm = pytest.importorskip('statsmodels.api')
    y,p = study(2, 200)
    who = np.repeat(np.arange(50), 4)
    fit = sm.GLM(y.astype(float), sm.add_constant(np.log(p/(1-p))), family=sm.families.Binomial()).fit(cov_type='cluster', cov_kwds=dict(groups=who, use_correction=False))
    c = C.calibration(y, p, groups=who, n_boot=2)
    assert (c.slope.high-c.slope.value)/Z == pytest.approx(fit.bse[1]*math.sqrt(50/49), rel=1e-5) and c.slope.n == 50

# ---- Brier and its parts

@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('bins,strategy', [(10,'uniform'), (7,'quantile'), (1,'uniform'), (None,'uniform')])
def test_brier_parts_add_up(seed, bins, strategy):
    from sklearn.metrics import brier_score_loss
    y,p = study(seed, 80, 2.); p = np.round(p, 2)
    b = {k: e.value for k,e in C.brier(y, p, bins, strategy, n_boot=2).metrics.items()}
    assert b['score'] == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert b['score'] == pytest.approx(b['reliability']-b['resolution']+b['uncertainty']+b['within'], abs=1e-12)
    assert b['score'] == pytest.approx(b['reliability_debiased']-b['resolution_debiased']+b['uncertainty_debiased']+b['within'], abs=1e-12)
    assert b['scaled'] == pytest.approx(1-b['score']/(y.mean()*(1-y.mean()))) and b['uncertainty'] == pytest.approx(y.mean()*(1-y.mean()))
    if bins is None: assert b['within'] == pytest.approx(0, abs=1e-12)

def test_ferro_and_fricker_by_hand():
    y,p = np.array([0,1,1,0,1,1,1,0,0,1], bool), np.array([.1]*4+[.6]*3+[.9]*3)
    b = C.brier(y, p, None, n_boot=2)
    o,n = np.array([.5,2/3,2/3]), np.array([4,3,3])
    o[1],o[2] = y[4:7].mean(), y[7:].mean()
    bias = (n/(n-1)*o*(1-o)).sum()/10
    assert b.reliability.value == pytest.approx((n*(np.array([.1,.6,.9])-o)**2).sum()/10) and b.reliability_debiased.value == pytest.approx(b.reliability.value-bias)
    assert b.resolution_debiased.value == pytest.approx(b.resolution.value-bias+.6*.4/9) and b.uncertainty_debiased.value == pytest.approx(.6*.4*10/9)
    assert C.calibration(y, p, n_boot=2).squared_calibration_error.value == pytest.approx(b.reliability_debiased.value)

def test_squared_calibration_error_is_unbiased_and_its_interval_covers():
    held,found = 0, []
    for s in range(120):
        rng = np.random.default_rng(s)
        p = rng.choice([.05,.15,.35,.55,.75,.95], 150); true = .5+.6*(p-.5)
        c = C.calibration(rng.random(150) < true, p, n_boot=200)
        want = np.mean([(.4*(q-.5))**2 for q in (.05,.15,.35,.55,.75,.95)])
        found.append(c.squared_calibration_error.value); held += c.squared_calibration_error.low <= want <= c.squared_calibration_error.high
    assert abs(np.mean(found)-want) < 2.5*np.std(found)/120**.5 and held >= 105

def test_debiased_ece_is_kumars_resampling():
    y,p = study(4, 300, 2.)
    c = C.calibration(y, p, n_boot=2)
    t = c.table[c.table.n>1]
    rng,w = np.random.default_rng(0), (t.n/t.n.sum()).to_numpy()
    sd = np.sqrt(t.observed*(1-t.observed)/(t.n-1)).to_numpy()
    drawn = rng.normal(t.observed, sd, (20_000,len(t)))
    assert c.ece_debiased.value == pytest.approx(2*c.ece.value-(np.abs(drawn-t.predicted.to_numpy())@w).mean(), abs=1e-3)

def test_rows_of_one_patient_tell_nothing_new():
    y,p = study(5, 120, 1.6)
    who = np.arange(120).repeat(3)
    once,often = C.calibration(y, p, n_boot=200), C.calibration(y.repeat(3), p.repeat(3), groups=who, n_boot=200)
    for k,e in once.metrics.items():
        assert (often.metrics[k].value, often.metrics[k].n) == (pytest.approx(e.value), 120) and often.metrics[k].high == pytest.approx(e.high, abs=.04)

# ---- tests of fit

def test_hosmer_lemeshow_by_hand():
    from scipy.stats import chi2
    y,p = study(6, 500)
    order = np.argsort(p); want = 0
    for part in np.array_split(order, 10):                                  # no ties: ten groups of fifty
        for obs,exp in ((y[part].sum(), p[part].sum()), ((~y[part]).sum(), (1-p[part]).sum())): want += (obs-exp)**2/exp
    h = C.hosmer_lemeshow(y, p)
    assert h.statistic == pytest.approx(want) and h.p_value == pytest.approx(chi2.sf(want, 10)) and C.hosmer_lemeshow(y, p, fitted=True).p_value == pytest.approx(chi2.sf(want, 8))

def test_hosmer_lemeshow_keeps_ties_together():
    y,p = study(7, 300)
    t = C.hosmer_lemeshow(y, np.round(p, 1)).table
    assert (t['from'].to_numpy()[1:] > t['to'].to_numpy()[:-1]).all() and t.n.sum() == 300

def test_tests_of_fit_hold_their_level():
    z,h = [], []
    for s in range(150):
        y,p = study(s, 300)
        z.append(C.spiegelhalter(y, p).p_value < .05); h.append(C.hosmer_lemeshow(y, p).p_value < .05)
    assert .01 <= np.mean(z) <= .1 and .01 <= np.mean(h) <= .1

def test_spiegelhalter_by_hand():
    y,p = study(8, 60)
    want = ((y-p)*(1-2*p)).sum()/math.sqrt(((1-2*p)**2*p*(1-p)).sum())
    s = C.spiegelhalter(y, p)
    assert s.statistic == pytest.approx(want) and s.p_value == pytest.approx(math.erfc(abs(want)/math.sqrt(2)))

# ---- recalibration

def test_temperature_is_the_most_likely_one():
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax
    rng = np.random.default_rng(0)
    z = rng.normal(0, 1, (300,4)); y = np.array([rng.choice(4, p=np.exp(v)/np.exp(v).sum()) for v in z])
    P = np.exp(log_softmax(2.5*z, axis=1))
    best = minimize_scalar(lambda t: -log_softmax(2.5*z/t, axis=1)[range(300),y].sum(), bounds=(.1,10), method='bounded', options=dict(xatol=1e-9)).x
    r = C.recalibrate(y, P)
    assert r.params['temperature'].value == pytest.approx(best, rel=1e-5) and r.apply(P) == pytest.approx(np.exp(log_softmax(2.5*z/best, axis=1)), abs=1e-5)
    b,p = study(1, slope=2.)
    assert C.recalibrate(b, p).apply(p) == pytest.approx(C.recalibrate(b.astype(int), np.stack([1-p,p], 1)).apply(np.stack([1-p,p], 1))[:,1], abs=1e-9)

def test_temperature_interval_covers():
    held = 0
    for s in range(200):
        y,p = study(s, 250, 2.)
        e = C.recalibrate(y, p).params['temperature']; held += e.low <= 2 <= e.high
    assert 182 <= held <= 198

def test_platt_is_scikit_learns():
    sk = pytest.importorskip('sklearn.calibration')
    y,p = study(2, slope=1.8)
    fit = sk._SigmoidCalibration().fit(np.log(p/(1-p)), y.astype(int))
    r = C.recalibrate(y, p, 'platt')
    assert (r.params['slope'].value, r.params['intercept'].value) == pytest.approx((-fit.a_, -fit.b_), abs=1e-3)
    assert r.apply(p) == pytest.approx(fit.predict(np.log(p/(1-p))), abs=1e-3)

@pytest.mark.parametrize('seed', range(5))
def test_isotonic_is_scikit_learns(seed):
    from sklearn.isotonic import IsotonicRegression
    y,p = study(seed, 150); p = np.round(p, 2 if seed%2 else 6)                # with ties, and without
    new = np.random.default_rng(seed).random(400)
    want = IsotonicRegression(out_of_bounds='clip').fit(p, y.astype(float)).predict(new)
    assert C.recalibrate(y, p, 'isotonic').apply(new) == pytest.approx(want, abs=1e-7)

def test_beta_is_kulls():
    from sklearn.linear_model import LogisticRegression
    y,p = study(3, 600, 2.)
    X = np.stack([np.log(p), -np.log(1-p)], 1)
    fit = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000).fit(X, y)
    r = C.recalibrate(y, p, 'beta')
    assert (fit.coef_ > 0).all() and [r.params[k].value for k in 'abc'] == pytest.approx([*fit.coef_[0], fit.intercept_[0]], rel=1e-3)
    assert r.apply(p) == pytest.approx(fit.predict_proba(X)[:,1], abs=1e-4)
    bent = C.recalibrate(y, np.where(p>.5, .5+(1-p), p), 'beta')                # where one end falls, its exponent is held at 0
    assert all(bent.params[k].value >= 0 for k in 'ab') and any('held at 0' in bent.params[k].method for k in 'ab')

@pytest.mark.parametrize('method', ['temperature','platt','beta','isotonic'])
def test_recalibration_survives_json_and_extremes(method):
    y,p = study(4, 300, 3.); p[:3],p[3:6] = 0., 1.
    r = C.recalibrate(y, p, method, fitted_on='validation')
    back = C.Recalibration.from_dict(json.loads(json.dumps(r.to_dict())))
    q = back.apply(p)
    assert np.array_equal(q, r.apply(p)) and np.isfinite(q).all() and q.min() >= 0 and q.max() <= 1
    assert (np.diff(q[np.argsort(p, kind='stable')]) >= -1e-12).all()            # nobody overtakes anybody
    with pytest.raises(BadInput): r.apply([.1, math.nan])
    with pytest.raises(BadInput): C.recalibrate(y, np.where(p>.9, math.nan, p), method)
    with pytest.raises(OneClass): C.recalibrate(np.ones(5), [.1,.2,.3,.4,.5], method)

# ---- net benefit

def test_net_benefit_elsewhere_is_sensitivity_and_specificity():
    y,p = study(9)
    t = np.array([.1,.25,.6])
    nb = C.net_benefit(y, p, t, prevalence=.03)
    sens,fpr = np.array([(p[y]>=c).mean() for c in t]), np.array([(p[~y]>=c).mean() for c in t])
    assert nb.model.to_numpy() == pytest.approx(.03*sens-.97*fpr*t/(1-t)) and nb.treat_all.to_numpy() == pytest.approx(.03-.97*t/(1-t))
    assert nb.avoided.to_numpy() == pytest.approx(100*(nb.model-nb.treat_all)*(1-t)/t)
    whole = C.net_benefit(y, p, t)
    true_neg,false_neg = np.array([(p[~y]<c).sum() for c in t]), np.array([(p[y]<c).sum() for c in t])
    assert whole.avoided.to_numpy() == pytest.approx(100*(true_neg-false_neg*(1-t)/t)/len(y))   # Vickers 2008: true negatives less false negatives at their price

@pytest.mark.parametrize('prevalence', [None, .1])
def test_bands_of_net_benefit_agree(prevalence):
    y,p = study(10, 300); who = np.arange(300)//3
    for groups in (None, who):
        a,b = (C.net_benefit(y, p, [.2,.5], groups, prevalence=prevalence, n_boot=n) for n in (0,1500))
        assert (a.high-a.low).to_numpy() == pytest.approx((b.high-b.low).to_numpy(), rel=.12)
    once,often = C.net_benefit(y, p, [.2,.5], prevalence=prevalence), C.net_benefit(y.repeat(3), p.repeat(3), [.2,.5], np.arange(300).repeat(3), prevalence=prevalence)
    assert often.low.to_numpy() == pytest.approx(once.low.to_numpy())

# ---- bad input

@pytest.mark.parametrize('f', [C.brier, C.hosmer_lemeshow, C.spiegelhalter, C.recalibrate])
def test_bad_input_is_refused_everywhere(f):
    for y,p in [([0,1,math.nan],[.1,.2,.3]), ([0,1,2],[.1,.2,.3]), (['a','b'],[.1,.2]), ([0,1],[.1,math.nan]), ([0,1],[.1]), ([0,1],['x','y']), ([0,1],[-1.,2.])]:
        with pytest.raises(BadInput): f(y, p)

def test_several_classes_are_checked():
    P = np.array([[.2,.8],[.5,.5],[.9,.1]])
    for y,Q in (([0,1,2],P), ([0,1,None],P), ([0,1],P), ([0,1,1],2*P), ([0,1,1],P[:,0])):
        with pytest.raises(BadInput): C.calibration_ovr(y, Q)
    two = C.calibration_ovr([0,1,1], P, ['a','b'], n_boot=2)
    assert two.brier.value == pytest.approx(2*np.mean((P[:,1]-[0,1,1])**2)) and two.classwise_ece.value == pytest.approx(two.classes['b'].ece.value)
