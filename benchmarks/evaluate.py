"Processor time of a report on 10,000 cases, and of what can be asked of it: python benchmarks/evaluate.py"
import time, warnings
import numpy as np
import pandas as pd
from radnb.explain.evaluate import evaluate
from radnb.view.compare import compare

def seconds(f):
    start = time.process_time()
    out = f()
    return out, time.process_time()-start

def cohort(n, per, seed=0):
    "Synthetic: `n` images, `per` a patient."
    rng = np.random.default_rng(seed)
    who = np.arange(n)//per
    y = rng.integers(0, 2, n//per)[who]
    t = pd.DataFrame(dict(y=y, patient=who, prob=1/(1+np.exp(-(rng.normal(0, 1, n//per)[who]+rng.normal(0, .5, n)+2*y-1)))))
    return t.assign(sex=rng.choice(['F','M'], n//per)[who], site=rng.choice(list('ABCD'), n//per)[who], age=rng.integers(18, 90, n//per)[who])

if __name__ == '__main__':
    warnings.filterwarnings('ignore')
    for per in (1, 5):
        t = cohort(10_000, per)
        report,s = seconds(lambda: evaluate(t))
        other = evaluate(t.assign(prob=t.prob.sample(frac=1, random_state=0).to_numpy()*.3+t.prob*.7))
        steps = dict(subgroups=lambda: report.subgroups(['sex','site','age']), compare=lambda: compare([report, other]), page=lambda: report.page(), html=lambda: report.to_html())
        print(f'10,000 images of {10_000//per:,} patients: evaluate {s:.1f} s, '+', '.join(f'{k} {seconds(f)[1]:.1f} s' for k,f in steps.items()))
