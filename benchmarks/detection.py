"""FROC with its bootstrap, at the size of LUNA16: `python benchmarks/detection.py [--n-boot 1000] [--repeats 3] [--json FILE]`.
radnb's CPM with its interval against a loop that sorts every resample anew with scikit-learn's roc_curve, as LUNA16's script does (each resample is put together in one go here,
which is faster than the script). Average precision by COCO's rules without a bootstrap, against MONAI. Processor time, interleaved. Synthetic marks."""
import argparse, json, time
import numpy as np
import pandas as pd
from radnb.measure import detection as D
from radnb.measure.stats import _draws

def screening(n=888, nodules=1186, marks=60, seed=0):
    "As many scans and nodules as LUNA16, each scan of another patient."
    rng = np.random.default_rng(seed)
    cases = np.array([f's{i:04d}' for i in range(n)])
    truths = pd.DataFrame(rng.uniform(0, 300, (nodules,3)), columns=list('xyz')).assign(case=rng.choice(cases, nodules), diameter_mm=rng.gamma(4, 2, nodules)+3)
    hits = truths[rng.random(nodules)<.95][['case','x','y','z']].assign(score=lambda t: rng.beta(4, 2, len(t)))
    false = pd.DataFrame(rng.uniform(0, 300, (n*marks,3)), columns=list('xyz')).assign(case=rng.choice(cases, n*marks), score=rng.beta(1, 6, n*marks))
    return pd.concat([hits, false], ignore_index=True), truths, cases

def looped(d, n_boot):
    "CPM of the same resamples (scans), one after the other: (n_boot,)."
    from sklearn.metrics import roc_curve
    t,f,n = d.counted, d.false_alarms, len(d.cases)
    per = {i: (np.zeros(0), 0, np.zeros(0)) for i in range(n)}
    for i,g in t.groupby('_case'): per[i] = (g.score[g.found].to_numpy(), len(g), per[i][2])
    for i,g in f.groupby('_case'): per[i] = (*per[i][:2], g.score.to_numpy())
    out = []
    for W in _draws(n, n_boot, 0):
        for w in W:
            who = np.repeat(np.arange(n), w)
            tp,fp = (np.concatenate([per[i][k] for i in who]) for k in (0,2))
            fpr,tpr,_ = roc_curve(np.r_[np.ones(len(tp)), np.zeros(len(fp))], np.r_[tp,fp])
            # whole counts again: the rounding of fpr*len(fp)/n may fall beside a step that lies just at one of the rates
            out.append(np.interp(D.CPM_RATES, np.rint(fpr*len(fp))/n, tpr*len(tp)/sum(per[i][1] for i in who)).mean())
    return np.array(out)

def timed(f):
    start = time.process_time()
    value = f()
    return time.process_time()-start, value

def froc(n_boot, repeats):
    marks,truths,cases = screening()
    match_s,d = timed(lambda: D.match_candidates(marks, truths, cases))
    pairs = [(timed(lambda: d.cpm(n_boot=n_boot)), timed(lambda: looped(d, n_boot))) for _ in range(repeats)]
    ours,theirs = (min(p[k][0] for p in pairs) for k in (0,1))
    f = D._froc_of_weights(d, D.CPM_RATES)
    apart = np.abs(np.concatenate([f(W).mean(1) for W in _draws(len(cases), n_boot, 0)])-pairs[0][1][1]).max()
    return dict(scans=len(cases), nodules=len(truths), marks=len(marks), resamples=n_boot, match_s=round(match_s, 2), radnb_s=round(ours, 3), loop_s=round(theirs, 2),
                ratio=round(theirs/ours, 1), largest_difference=float(apart), cpm=str(pairs[0][0][1]))

def boxes(n=400, seed=0):
    rng = np.random.default_rng(seed)
    cases,columns = np.array([f's{i:04d}' for i in range(n)]), ['x0','y0','x1','y1']
    at,size = rng.uniform(0, 900, (6*n,2)), rng.uniform(30, 120, (6*n,2))
    truths = pd.DataFrame(np.c_[at, at+size], columns=columns).assign(**{'case': rng.choice(cases, 6*n), 'class': rng.choice(['a','b'], 6*n)})
    marks = pd.concat([truths.sample(frac=.8, random_state=i) for i in range(3)], ignore_index=True)
    marks[columns] += rng.normal(0, 4, marks[columns].shape)
    return marks.assign(score=rng.permutation(len(marks))/len(marks)), truths, cases

def coco(repeats):
    from monai.apps.detection.metrics.coco import COCOMetric
    from monai.apps.detection.metrics.matching import matching_batch
    marks,truths,cases = boxes()
    metric,place,number = COCOMetric(['a','b'], iou_list=(.5,.75), iou_range=(.5,.95,.05), max_detection=(100,), verbose=False), ['x0','y0','x1','y1'], {'a': 0, 'b': 1}
    def theirs():
        of = lambda t, what: [what(g) for g in (t[t.case==c] for c in cases)] # noqa: E731
        box,kind = (lambda t: t[place].to_numpy()), (lambda t: t['class'].map(number).to_numpy())
        m = matching_batch(D.box_iou, metric.iou_thresholds, of(marks, box), of(marks, kind), of(marks, lambda t: t.score.to_numpy()), of(truths, box), of(truths, kind))
        return metric(m)[0]['mAP_IoU_0.50_0.95_0.05_MaxDet_100']
    pairs = [(timed(lambda: D.detection_ap(marks, truths, cases, n_boot=2).estimates['AP'].value), timed(theirs)) for _ in range(repeats)]
    ours,slow = min(p[0][0] for p in pairs), min(p[1][0] for p in pairs)
    return dict(images=len(cases), boxes=len(marks), truths=len(truths), radnb_s=round(ours, 2), monai_s=round(slow, 2), ratio=round(slow/ours, 1),
                difference=abs(pairs[0][0][1]-pairs[0][1][1]), with_1000_resamples_s=round(timed(lambda: D.detection_ap(marks, truths, cases))[0], 2))

if __name__ == '__main__':
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument('--n-boot', type=int, default=1000)
    a.add_argument('--repeats', type=int, default=3)
    a.add_argument('--json')
    a = a.parse_args()
    out = dict(froc=froc(a.n_boot, a.repeats), coco=coco(a.repeats))
    print(json.dumps(out, indent=1))
    if a.json: open(a.json, 'w').write(json.dumps(out))
