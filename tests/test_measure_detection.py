"radnb.measure.detection against the rules of LUNA16, MONAI, published examples, and what must hold for any input."
import math
import numpy as np
import pandas as pd
import pytest
from hypothesis import given as any_given, settings, strategies as st
from radnb.measure import detection as D
from radnb.measure.stats import _draws

def given(*a): return lambda f: settings(deadline=None, max_examples=3, derandomize=True)(any_given(*a)(f))

RATES = (.125, .25, .5, 1, 2, 4, 8)

def marks_and_truths(seed, n=12, steps=8, patients=5, most=9):
    "Points in a small space, scores with many ties, findings to ignore, cases with nothing."
    rng = np.random.default_rng(seed)
    cases = pd.DataFrame(dict(case=[f's{i}' for i in range(n)], PatientID=[f'p{i%patients}' for i in range(n)]))
    def points(k): return pd.DataFrame(rng.integers(0, 14, (k,3)).astype(float), columns=['x','y','z']).assign(case=rng.choice(cases.case[:-2], k))
    marks = points(int(rng.integers(1, n*most))).assign(score=lambda t: rng.integers(0, steps, len(t))/steps)
    truths = points(int(rng.integers(1, 20))).assign(diameter_mm=lambda t: rng.choice([-1., 4, 7, 11], len(t)), ignore=lambda t: rng.random(len(t))<.3)
    return marks, truths, cases


# ---- LUNA16: a slow re-telling of the rules, one nodule and one mark at a time

def luna_lists(marks, truths, cases):
    "For each case: scores of nodules found, how many were missed, scores of false positives."
    out = {}
    for case in cases:
        left,hit,missed = marks[marks.case==case], [], 0
        free = set(left.index)
        for _,t in truths[truths.case==case].iterrows():
            r = (10. if t.diameter_mm<0 else t.diameter_mm)/2
            on = [i for i,m in left.iterrows() if (m.x-t.x)**2+(m.y-t.y)**2+(m.z-t.z)**2 < r**2]
            free -= set(on)
            if t.ignore: continue
            if on: hit.append(max(left.score[i] for i in on))
            else: missed += 1
        out[case] = hit, missed, [left.score[i] for i in free]
    return out

def luna_froc(lists, cases):
    "fps and sensitivity at every distinct score, for a list of cases that may repeat."
    hit,fp = (np.array([s for c in cases for s in lists[c][k]]) for k in (0,2))
    n = len(hit)+sum(lists[c][1] for c in cases)
    if n==0: return None
    u = sorted({*hit.tolist(), *fp.tolist()}, reverse=True)
    return [0.]+[(fp>=t).sum()/len(cases) for t in u], [0.]+[(hit>=t).sum()/n for t in u]

@pytest.mark.parametrize('seed', range(12))
def test_froc_follows_luna16(seed):
    marks,truths,cases = marks_and_truths(seed)
    d,lists = D.match_candidates(marks, truths, cases), luna_lists(marks, truths, cases.case)
    if (~truths.ignore).sum()==0: return
    fps,sens = luna_froc(lists, cases.case)
    curve = d.froc()
    assert np.allclose(curve.fp_per_case, fps) and np.allclose(curve.sensitivity, sens)
    assert d.cpm(n_boot=2).value == pytest.approx(np.interp(RATES, fps, sens).mean(), abs=1e-12)
    for r in (*RATES, .3, 0): assert d.sensitivity_at(r, n_boot=2).value == pytest.approx(np.interp(r, fps, sens), abs=1e-12)

@pytest.mark.parametrize('seed', range(6))
def test_each_resample_is_luna16s(seed):
    "Weights of patients give what sorting the repeated cases anew gives, ties and all."
    marks,truths,cases = marks_and_truths(seed)
    d,lists = D.match_candidates(marks, truths, cases), luna_lists(marks, truths, cases.case)
    W = next(_draws(d.n_patients, 60, seed))
    names = pd.factorize(cases.PatientID)[1]
    got = D._froc_of_weights(d, RATES)(W)
    for w,g in zip(W, got):
        curve = luna_froc(lists, [c for p,k in zip(names, w) for c in list(cases.case[cases.PatientID==p])*k])
        assert np.isnan(g).all() if curve is None else np.allclose(g, np.interp(RATES, *curve), atol=1e-12)

def test_a_deep_list_of_marks_is_read_only_as_far_as_needed():
    rng = np.random.default_rng(0)
    cases = [f'c{i}' for i in range(30)]
    marks = pd.DataFrame(rng.uniform(0, 500, (20000,3)), columns=list('xyz')).assign(case=rng.choice(cases, 20000), score=rng.random(20000))
    truths = marks.sample(40, random_state=0).drop(columns='score').assign(diameter_mm=10.)
    d = D.match_candidates(marks, truths, cases, max_marks=None)
    c,W = d.froc(), next(_draws(30, 20, 0))
    assert np.allclose(D._froc_of_weights(d, [.5,8,300])(np.ones((1,30), int))[0], np.interp([.5,8,300], c.fp_per_case, c.sensitivity))
    assert np.allclose(D._froc_of_weights(d, [.5,8,300])(W)[:,:2], D._froc_of_weights(d, [.5,8])(W))

def test_monais_froc_agrees():
    "MONAI drops the point of the lowest score and gives missed lesions probability 0: compare below that, with probabilities above 0."
    froc = pytest.importorskip('monai.metrics.froc')
    for seed in range(5):
        marks,truths,cases = marks_and_truths(seed, steps=10**6)
        d = D.match_candidates(marks, truths, cases)
        fp,tp = d.false_alarms.score.to_numpy(), d.counted.score.fillna(0).to_numpy()
        x,y = froc.compute_froc_curve_data(fp, tp, len(d.counted), len(cases))
        ours,inside = d.froc(), [r for r in RATES if r<=x.max()]
        assert np.allclose(np.interp(inside, ours.fp_per_case, ours.sensitivity), np.interp(inside, x[::-1], y[::-1]))
        if inside: assert d.cpm(inside, n_boot=2).value == pytest.approx(froc.compute_froc_score(x, y, tuple(inside)))

@given(st.integers(0, 10_000))
def test_order_of_the_rows_does_not_matter(seed):
    marks,truths,cases = marks_and_truths(seed)
    a = D.match_candidates(marks, truths, cases, max_marks=5)
    b = D.match_candidates(marks.sample(frac=1, random_state=seed), truths.sample(frac=1, random_state=seed+1), cases, max_marks=5)
    assert all(np.array_equal(x, y, equal_nan=True) for x,y in zip(a.froc(), b.froc()))
    assert a.candidates.verdict.value_counts().to_dict() == b.candidates.verdict.value_counts().to_dict()

@given(st.integers(0, 10_000))
def test_sensitivity_only_rises(seed):
    d = D.match_candidates(*marks_and_truths(seed))
    if len(d.counted)==0: return
    s = [d.sensitivity_at(r, n_boot=2).value for r in (0,.1,.5,1,3,9)]
    assert (np.diff(s)>=-1e-12).all()
    cut = [d.at(t)['sensitivity'].value for t in (0,.3,.6,1.1)]
    assert (np.diff(cut)<=0).all()


# ---- average precision

def boxes(seed, dims=2, ties=False, classes=('a','b')):
    rng = np.random.default_rng(seed)
    cases,n = [f's{i}' for i in range(6)], int(rng.integers(3, 25))
    columns = [f'{c}{k}' for k in '01' for c in 'xyz'[:dims]]
    lo = rng.integers(0, 20, (n,dims)).astype(float)
    truths = pd.DataFrame(np.c_[lo, lo+rng.integers(2, 12, (n,dims))], columns=columns).assign(**{'case': rng.choice(cases, n), 'class': rng.choice(classes, n)})
    marks = pd.concat([truths.sample(frac=.8, random_state=seed)]*2, ignore_index=True)
    marks[columns] += rng.integers(-1, 2, marks[columns].shape)*rng.integers(0, 2, (len(marks),1))
    wild = truths.sample(frac=.5, random_state=seed+1)
    wild[columns] += 3
    marks = pd.concat([marks, wild], ignore_index=True)
    return marks.assign(score=rng.integers(1, 4, len(marks))/4 if ties else rng.permutation(len(marks))/len(marks)), truths, cases

def monai_ap(marks, truths, cases, ignore, dims):
    from monai.apps.detection.metrics.coco import COCOMetric
    from monai.apps.detection.metrics.matching import matching_batch
    metric = COCOMetric(['a','b'], iou_list=(.5,.75), iou_range=(.5,.95,.05), max_detection=(100,))
    columns,number = [c for c in marks if c[-1] in '01'], {'a': 0, 'b': 1}
    def of(t, what): return [what(t[t.case==c]) for c in cases]
    place,label = (lambda t: t[columns].to_numpy()), (lambda t: t['class'].map(number).to_numpy())
    m = matching_batch(D.box_iou, metric.iou_thresholds, of(marks, place), of(marks, label), of(marks, lambda t: t.score.to_numpy()),
                       of(truths, place), of(truths, label), of(truths.assign(i=ignore), lambda t: t.i.to_numpy().astype(float)))
    return metric(m)[0]

@pytest.mark.parametrize('dims', (2,3))
def test_coco_equals_monais(dims):
    pytest.importorskip('monai')
    for seed in range(4):
        marks,truths,cases = boxes(seed, dims)
        ignore = np.random.default_rng(seed).random(len(truths))<.2
        if any(ignore[(truths['class']==c).to_numpy()].all() for c in 'ab'): continue # MONAI counts such a class as -1
        theirs,ours = monai_ap(marks, truths, cases, ignore, dims), D.detection_ap(marks, truths.assign(ignore=ignore), cases, n_boot=2)
        for name,key in (('AP','mAP_IoU_0.50_0.95_0.05_MaxDet_100'), ('AP50','AP_IoU_0.50_MaxDet_100'), ('AP75','AP_IoU_0.75_MaxDet_100'), ('AR','mAR_IoU_0.50_0.95_0.05_MaxDet_100')):
            assert ours.estimates[name].value == pytest.approx(theirs[key], abs=1e-6), (seed, name)
        for c in 'ab': assert ours.by_class[c].value == pytest.approx(theirs[f'{c}_mAP_IoU_0.50_0.95_0.05_MaxDet_100'], abs=1e-6)

#: 24 boxes in 7 images with 15 objects, and which of them are right: the worked example of Padilla et al. (IWSSIP 2020), 11 points 26.84 %, area 24.56 %.
PADILLA = '''5 95 1, 7 95 0, 3 91 1, 1 88 0, 6 84 0, 1 80 0, 4 78 0, 2 74 0, 2 71 0, 1 70 1, 3 67 0, 5 62 1, 2 54 1, 7 48 1, 4 45 0, 6 45 0, 3 44 0, 5 44 0, 6 43 0, 3 38 0, 4 35 0,
5 23 0, 2 18 1, 4 14 0'''

def test_padillas_example():
    rows = [tuple(map(int, r.split())) for r in PADILLA.split(',')]
    box = lambda i, case, right: dict(case=f'image {case}', x0=20*i, y0=0 if right else 100, x1=20*i+10, y1=10 if right else 110)
    marks = pd.DataFrame([box(i, case, right) | dict(score=s/100) for i,(case,s,right) in enumerate(rows)])
    truths = pd.DataFrame([box(i, case, 1) for i,(case,_,right) in enumerate(rows) if right] + [box(50+i, 1+i%7, 1) for i in range(8)])
    ap = lambda rule: D.detection_ap(marks, truths, [f'image {k}' for k in range(1,8)], rule=rule, iou=.3, n_boot=2).estimates['AP'].value
    assert len(truths)==15 and ap('voc2007') == pytest.approx(.2684, abs=1e-4) and ap('voc2010') == pytest.approx(.2456, abs=1e-4)

def voc_ap(marks, truths, cases, metric, order):
    "The VOC devkit's rules, one box at a time."
    place = ['x0','y0','x1','y1']
    t = marks.iloc[order]
    taken,right,wrong = set(), [], []
    for _,m in t.iterrows():
        there = truths[truths.case==m.case]
        o = D.box_iou([m[place].astype(float)], there[place])[0] if len(there) else np.zeros(0)
        hit = len(o) and o.max()>=.5
        j = there.index[o.argmax()] if hit else None
        if hit and there.difficult[j]: continue
        right.append(bool(hit and j not in taken)); wrong.append(not right[-1])
        if hit: taken.add(j)
    n = (~truths.difficult).sum()
    tp,fp = np.cumsum(right), np.cumsum(wrong)
    rec,prec = tp/n, tp/np.maximum(tp+fp, 1)
    if metric=='voc2007': return sum(max([p for p,k in zip(prec, tp) if 10*k>=i*n], default=0) for i in range(11))/11
    r,p = np.r_[0,rec,1], np.r_[0,prec,0]
    for i in range(len(p)-2, -1, -1): p[i] = max(p[i], p[i+1])
    return sum((r[1:]-r[:-1])*p[1:])

@pytest.mark.parametrize('rule', ('voc2007','voc2010'))
def test_voc_follows_the_devkit(rule):
    for seed in range(2):
        marks,truths,cases = boxes(seed, classes=('a',))
        truths['difficult'] = np.random.default_rng(seed).random(len(truths))<.2
        if truths.difficult.all(): continue
        want = voc_ap(marks, truths, cases, rule, np.argsort(-marks.score.to_numpy()))
        got = D.detection_ap(marks, truths.assign(ignore=truths.difficult), cases, rule=rule, n_boot=2).estimates['AP'].value
        assert got == pytest.approx(want, abs=1e-12), seed

@pytest.mark.parametrize('rule', ('coco','voc2007','voc2010'))
def test_weights_are_repeated_images(rule):
    "A patient drawn twice is two patients with the same images."
    for seed in range(5):
        marks,truths,cases = boxes(seed, classes=('a',))
        w = np.random.default_rng(seed).integers(0, 3, len(cases))
        g = np.arange(len(cases))
        lined = D._line_up(*(D._marks(t, 'x', D._known_cases(cases), s)[0] for t,s in ((marks,True),(truths,False))), ['x0','y0','x1','y1'], 6, rule, np.array([.5]), None, (0,1e10), False)
        got = D._ap_of_weights(lined, g, 6, rule)(w[None])[0,0]
        copies = [(c, f'{c}/{k}') for c,n in zip(cases, w) for k in range(n)]
        more,there = (pd.concat([t[t.case==c].assign(case=name) for c,name in copies]) for t in (marks,truths))
        want = D.detection_ap(more, there, [name for _,name in copies], rule=rule, iou=.5, n_boot=2, max_marks=None).estimates['AP'].value
        assert got == pytest.approx(want, nan_ok=True, abs=1e-12)

@given(st.integers(0, 10_000), st.sampled_from(('coco','voc2007','voc2010')))
def test_ap_whatever_the_order_and_with_a_worst_false_alarm(seed, rule):
    marks,truths,cases = boxes(seed, ties=True, classes=('a',))
    ap = lambda m,t: D.detection_ap(m, t, cases, rule=rule, n_boot=2).estimates['AP'].value
    first = ap(marks, truths)
    assert 0<=first<=1 and ap(marks.sample(frac=1, random_state=seed), truths.sample(frac=1, random_state=seed)) == first
    worst = marks[:1].assign(score=0., x0=900., x1=910.)
    assert ap(pd.concat([marks, worst]), truths) == pytest.approx(first, abs=1e-12)
    best = worst.assign(score=2.)
    assert ap(pd.concat([marks, best]), truths) <= first+1e-12

def test_voc_pixels_and_areas():
    t = pd.DataFrame(dict(case=['a','a'], x0=[0,50], y0=[0,50], x1=[9,149], y1=[9,149]))
    m = t.assign(score=[.9,.8])
    m.loc[0,'x1'] = 4 # 5 of 10 columns, if the last belongs to the box
    assert D.detection_ap(m, t, ['a'], rule='voc2010', inclusive=True, n_boot=2).estimates['AP'].value == 1
    assert D.detection_ap(m, t, ['a'], rule='voc2010', n_boot=2).estimates['AP'].value == .25
    area = lambda a: D.detection_ap(m, t, ['a'], area=a, iou=.5, n_boot=2).estimates['AP'].value
    assert area('large')==1 and math.isnan(area('medium'))


# ---- lesions in masks

def two_masks(seed, shape=(7,12,12)):
    from scipy.ndimage import gaussian_filter
    rng = np.random.default_rng(seed)
    a = gaussian_filter(rng.normal(size=shape), 1)
    b = .6*a+.4*gaussian_filter(rng.normal(size=shape), 1)
    return b>np.quantile(b, .85), a>np.quantile(a, .85)

def lesions_apart(mask, s):
    from scipy.ndimage import label
    parts,n = label(mask, np.ones((3,)*mask.ndim))
    return [parts==i for i in range(1,n+1)]

@pytest.mark.parametrize('match,threshold', (('iou',.05), ('iou',.3), ('centroid',4.), ('centroid',9.)))
def test_optimal_pairs_are_the_best_of_all(match, threshold):
    "Against every way to pair them up: as many pairs as possible, then the largest sum."
    from itertools import permutations
    s = np.array([3,1,1.])
    for seed in range(5):
        p,t = two_masks(seed)
        P,T = lesions_apart(p, s)[:5], lesions_apart(t, s)[:5]
        p,t = (np.any([np.zeros_like(p), *x], axis=0) for x in (P,T))
        centre = lambda m: np.argwhere(m).mean(0)*s
        worth = np.full((5,5), np.nan)
        for i,a in enumerate(T):
            for j,b in enumerate(P):
                v = (a&b).sum()/(a|b).sum() if match=='iou' else 1-np.linalg.norm(centre(a)-centre(b))/threshold
                if (v>=threshold) if match=='iou' else v>=0: worth[i,j] = v
        best = max((np.isfinite(w := worth[range(5),o]).sum(), np.nansum(w)) for o in permutations(range(5)))
        d = D.lesion_detection(p, t, match=match, threshold=threshold, spacing=s, assign='optimal')
        got = d.true[d.true.found]
        total = got.iou.sum() if match=='iou' else (1-got.distance_mm/threshold).sum()
        assert d.tp == best[0] and total == pytest.approx(best[1]) and d.fp == len(P)-d.tp
        greedy = D.lesion_detection(p, t, match=match, threshold=threshold, spacing=s)
        assert greedy.tp <= d.tp and greedy.tp >= d.tp/2
        if match=='iou' and threshold>.5: assert greedy.tp == d.tp

def test_panoptic_quality_by_hand():
    "Two true lesions of 4 and 9 pixels; the model has the first but for one pixel, and one more elsewhere."
    t,p = np.zeros((12,12), bool), np.zeros((12,12), bool)
    t[0:2,0:2] = t[5:8,5:8] = True
    p[0:2,0:2] = p[10,10] = True
    p[1,1] = False
    d = D.lesion_detection(p, t, match='iou', threshold=.5)
    assert (d.tp, d.fn, d.fp) == (1,1,1) and d.true.iou[1] == .75
    es = D.lesion_estimates([d, D.lesion_detection(t, t, match='iou')])
    assert es['RQ (F1)'].value == pytest.approx(3/(3+.5+.5)) and es['SQ'].value == pytest.approx((.75+2)/3)
    assert es['PQ'].value == pytest.approx((.75+2)/4) and es['false alarms per case'].value == .5
    assert D.lesion_estimates([D.lesion_detection(0*t, 0*t, match='iou')])['PQ'].method.startswith('undefined')

@given(st.integers(0, 10_000))
def test_finding_is_symmetric_and_stricter_is_less(seed):
    p,t = two_masks(seed)
    for match,ts in (('iou',(.1,.3,.6)), ('centroid',(9,4,1))):
        a = [D.lesion_detection(p, t, match=match, threshold=v, spacing=(3,1,1), assign='optimal').tp for v in ts]
        b = [D.lesion_detection(t, p, match=match, threshold=v, spacing=(3,1,1), assign='optimal').tp for v in ts]
        assert a==b and a==sorted(a, reverse=True)
    o = D.lesion_detection(p, t)
    assert o.tp >= D.lesion_detection(p, t, match='iou', threshold=1e-9).tp
    assert (o.merged, o.split) == (D.lesion_detection(t, p).split, D.lesion_detection(t, p).merged)

def test_marks_of_a_map():
    rng = np.random.default_rng(0)
    prob = np.zeros((8,30,30))
    at = [(1,5,5), (4,15,20), (6,25,8), (6,25,12)]
    for k,(z,y,x) in enumerate(at): prob[z,y,x] = .9-.1*k
    c = D.find_candidates(prob, .1, (5,1,1))
    assert c[['z','y','x']].to_numpy().tolist() == [[5*z,y,x] for z,y,x in at] and c.score.tolist() == pytest.approx([.9,.8,.7,.6])
    assert len(D.find_candidates(prob, .1, (5,1,1), min_distance_mm=4)) == 4 # just 4 mm apart: both stay
    assert len(D.find_candidates(prob, .1, (5,1,1), min_distance_mm=4.01)) == 3
    assert len(D.find_candidates(prob, .1, (5,1,1), min_mm3=5)) == 4 and len(D.find_candidates(prob, .1, (5,1,1), min_mm3=5.1)) == 0
    noise = rng.random((6,20,20)).astype(np.float32)
    peaks = D.find_candidates(noise, .5, (5,1,1), how='peaks', min_distance_mm=6)
    away = np.linalg.norm(peaks[list('xyz')].to_numpy()[:,None]-peaks[list('xyz')].to_numpy(), axis=-1)+np.eye(len(peaks))*99
    assert away.min()>=6 and peaks.score.is_monotonic_decreasing and peaks.score[0]==noise.max()


# ---- what is wrong is said

def test_bad_tables():
    from radnb.core import BadInput
    marks,truths,cases = marks_and_truths(0)
    wrong = [lambda: D.match_candidates(marks.drop(columns='x'), truths, cases), lambda: D.match_candidates(marks, truths.assign(y=np.nan), cases),
             lambda: D.match_candidates(marks.drop(columns='z'), truths, cases), lambda: D.match_candidates(marks, truths, ['s0','s0']),
             lambda: D.match_candidates(marks, truths, []), lambda: D.match_candidates(marks, truths, cases, hit='near'), lambda: D.match_candidates(marks, truths, cases, within=0),
             lambda: D.match_candidates(marks.to_dict(), truths, cases), lambda: D.match_candidates(marks, truths, cases, groups=[1]),
             lambda: D.match_candidates(marks.assign(score='high'), truths, cases), lambda: D.match_candidates(marks.assign(case='elsewhere'), truths, cases)]
    b,t,c = boxes(0)
    wrong += [lambda: D.detection_ap(b, t, c, rule='coca'), lambda: D.detection_ap(b, t, c, iou=0), lambda: D.detection_ap(b, t, c, area='tiny'), lambda: D.detection_ap(b, t.drop(columns='class'), c)]
    for f in wrong:
        with pytest.raises(BadInput): f()

def test_intervals_cover():
    "95 % intervals of the sensitivity at one false alarm per case, in 40 programmes of 40 patients whose true value is known."
    def programme(seed, n):
        rng = np.random.default_rng(seed)
        cases = [f'c{i}' for i in range(n)]
        easy = rng.normal(0, .5, n) # lesions of a patient are alike
        k = rng.integers(0, n, n)
        truths = pd.DataFrame(dict(case=np.array(cases)[k], x=np.arange(n)*50., y=0., z=0.))
        hits = truths.assign(score=rng.normal(1.5, 1, n)+easy[k])
        false = pd.DataFrame(dict(case=rng.choice(cases, 3*n), x=-100., y=0., z=0., score=rng.normal(0, 1, 3*n)))
        return D.match_candidates(pd.concat([hits,false]), truths, cases, max_marks=None)
    true = programme(0, 2000).froc()
    value = np.interp(1, true.fp_per_case, true.sensitivity)
    es = [programme(i+1, 40).sensitivity_at(1, n_boot=200) for i in range(40)]
    assert .85 <= np.mean([e.low<=value<=e.high for e in es]) <= 1

@pytest.mark.parametrize('weighted', (True,False))
def test_jafroc_is_the_share_of_pairs(weighted):
    for seed in range(4):
        d = D.match_candidates(*marks_and_truths(seed, most=2))
        top = [max([-math.inf, *d.false_alarms.score[d.false_alarms['_case']==i]]) for i in range(12)]
        sick = [d.counted[d.counted['_case']==i] for i in range(12)]
        normals,total,weight = [top[i] for i in range(12) if len(sick[i])==0], 0., 0.
        for t in sick:
            for s in t.score.fillna(-math.inf):
                w = 1/len(t) if weighted else 1
                total += w*np.mean([(s>n)+.5*(s==n) for n in normals]); weight += w
        assert d.jafroc(weighted, n_boot=2).value == pytest.approx(total/weight, nan_ok=True)

def test_only_some_cases():
    marks,truths,cases = marks_and_truths(3)
    which = np.arange(len(cases))%3>0
    some = cases.case[which]
    a,b = D.match_candidates(marks, truths, cases).only(which), D.match_candidates(marks[marks.case.isin(some)], truths[truths.case.isin(some)], cases[which])
    assert all(np.array_equal(x, y, equal_nan=True) for x,y in zip(a.froc(), b.froc())) and a.cpm(n_boot=50) == b.cpm(n_boot=50)

def test_lesions_of_a_real_mask_have_its_volume(real):
    "Both parts of a hippocampus (MSD): volumes add up, and the centroid is that of the voxels in patient coordinates."
    nib = pytest.importorskip('nibabel')
    from radnb.data.volume import Volume
    from radnb.measure.metrics import volume_ml
    path = sorted((real/'msd_hippocampus').rglob('labels*/*.nii*'))
    if not path: pytest.skip('no labels of msd_hippocampus here')
    img = nib.load(path[0])
    vol = Volume(np.asarray(img.dataobj).astype(np.uint8), img.affine)
    t = D.find_lesions(vol)
    assert t.volume_mm3.sum()/1000 == pytest.approx(volume_ml(vol))
    at = (np.argwhere(vol.data>0)@img.affine[:3,:3].T+img.affine[:3,3]).mean(0)
    assert np.average(t[list('xyz')], weights=t.volume_mm3, axis=0) == pytest.approx(at)
