"""Speed of the statistics: 2,000 bootstrap replicates of an AUC over patients, average precision, DeLong's test and permutations, each beside the loop one would write with scikit-learn.

Run: python benchmarks/stats.py [rounds]. Made-up scores of 10,000 images of 1,000 patients. Both sides are timed in turns, by processor time of one thread. The loop does what a careful user does: draws
patients, gathers their rows (by a table made beforehand), calls scikit-learn. It is run 100 times a round and scaled to 2,000, which flatters it, as nothing is kept. Ours is the whole call: input
checked, replicates drawn, BCa correction with its jackknife over patients.
"""
import os
for name in ('OMP_NUM_THREADS','OPENBLAS_NUM_THREADS','MKL_NUM_THREADS'): os.environ[name] = '1'
import sys, time
import numpy as np

def cases(n=10_000, patients=1_000, seed=0):
    "Truth, scores of two models, and the patient of each row"
    rng = np.random.default_rng(seed)
    who = rng.integers(0, patients, n)
    sick,base = rng.random(patients) < .3, rng.normal(0, .7, patients)
    y = sick[who]
    return y, base[who]+rng.normal(1.2*y), base[who]+rng.normal(y), who

def seconds(f):
    start = time.process_time()
    f()
    return time.process_time()-start

def loop(metric, y, p, who, times, seed=0):
    "The replicates of a metric, one by one"
    rng,rows = np.random.default_rng(seed), [np.flatnonzero(who==i) for i in range(who.max()+1)]
    for _ in range(times):
        k = np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
        metric(y[k], p[k])

def in_turns(ours, theirs, rounds, scale):
    "Median seconds of both, and the median of the ratios, round by round"
    a,b = np.array([(seconds(ours), seconds(theirs)*scale) for _ in range(rounds)]).T
    return np.median(a), np.median(b), np.median(b/a)

def main(rounds=5):
    from sklearn.metrics import average_precision_score, roc_auc_score
    from radnb.measure.comparison import compare_aucs, delong_test, permutation_test
    from radnb.measure.stats import auc, average_precision, bootstrap_auc
    y,p,q,who = cases()
    bootstrap_auc(y, p, who, n_boot=20), loop(roc_auc_score, y, p, who, 2)
    lines = [('2,000 replicates of AUC, BCa', lambda: bootstrap_auc(y, p, who), roc_auc_score), ('the same, percentile', lambda: bootstrap_auc(y, p, who, kind='percentile'), roc_auc_score),
             ('2,000 replicates of average precision, BCa', lambda: average_precision(y, p, who), average_precision_score)]
    for name,ours,metric in lines:
        a,b,ratio = in_turns(ours, lambda metric=metric: loop(metric, y, p, who, 100), rounds, 20)
        print(f'{name}, n = 10,000 of 1,000 patients: {a:.3f} s, scikit-learn loop {b:.1f} s (100 replicates, scaled), {ratio:.0f} x')
    y,p,q,who = cases(100_000, 10_000)
    for name,f in (('auc with DeLong interval', lambda: auc(y, p)), ('the same, clustered by patient', lambda: auc(y, p, who)), ('delong_test of two models', lambda: delong_test(y, p, q)),
                   ('delong_test, clustered', lambda: delong_test(y, p, q, who)), ('compare_aucs of three', lambda: compare_aucs(y, [p,q,p+q]))):
        print(f'{name}, n = 100,000: {np.median([seconds(f) for _ in range(rounds)]):.3f} s')
    y,p,q,who = cases(1_000, 1_000)
    print(f'permutation_test of two AUCs, 9,999 ways and 2,000 replicates, n = 1,000: {np.median([seconds(lambda: permutation_test(p, q, y)) for _ in range(rounds)]):.2f} s')

if __name__ == '__main__': main(*map(int, sys.argv[1:]))
