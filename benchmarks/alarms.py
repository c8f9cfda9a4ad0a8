"""How often does an audit cry wolf, and how often does it find the wolf? SYNTHETIC cohorts (radnb.data.phantom), 20 seeds: on clean ones the share of false alarms of every check, on
ones with a planted trap the share that is found, with Wilson's intervals. About five minutes of one core. Run: nice -n 10 python benchmarks/alarms.py [seeds [first seed]]
Seeds 0 and 1 served to tune the checks: the figures reported are of seeds from 100 on."""
import sys, time, warnings
from types import SimpleNamespace
import numpy as np, pandas as pd
from radnb.data.phantom import burn_text, ct_phantom
from radnb.data.volume import Volume
from radnb.explain.audit import audit
from radnb.explain.evaluate import evaluate
from radnb.explain.imaging import check_lesions
from radnb.explain.checks import cohort_of_table
from radnb.explain.judging import check_calibration, check_subgroups
from radnb.measure.stats import wilson
from radnb.data.prepare import Preprocess
from radnb.train.reading import ScanReader
from radnb.train.splits import PatientSplitter

SIZE, N, NEW = (16, 44, 44), 48, 20
STATES_A_NEED = ('numbers',)  # a cohort of 48 patients is too small to judge a model well: true, and no false alarm


def cohort(seed, n=N, what=''):
    "Synthetic patients: every other one has a nodule, sites by chance."
    r = np.random.default_rng([seed, len(what)])
    site, nodule, mm = r.choice(list('AB'), n), r.permutation(np.arange(n)%2), np.full(n, 24.)
    drawn = [ct_phantom(f'{seed}{what}/{i}', SIZE, nodules=int(nodule[i]), site=site[i]) for i in range(n)]
    df = pd.DataFrame(dict(volume=[v for v,_ in drawn], mask=[m for _,m in drawn], PatientID=[f'SYN-{what}{i:04d}' for i in range(n)], nodule=nodule, site=site,
                           age=r.integers(30, 85, n), sex=r.choice(list('FM'), n)))
    df['split'] = 'train'
    df.loc[PatientSplitter(.3, seed, stratify='nodule')(df)[1], 'split'] = 'valid'
    return df


def changed(df, rows, change):
    "The table with some of its volumes changed."
    volumes = list(df.volume)
    for i in rows: volumes[i] = volumes[i].like(change(volumes[i].data).astype(np.int16), unit=volumes[i].unit)
    return df.assign(volume=volumes)


def visible(df):
    "A finding that any model sees: the positives' lungs are filled."
    return changed(df, np.flatnonzero(df.nodule), lambda a: np.where((a<-600)&(np.arange(a.shape[2])<a.shape[2]//2)&(np.arange(a.shape[1])>a.shape[1]//3)[:,None], a+500, a))


def letters(a):
    a = a.copy()
    burn_text(a, 'ONC', 300, 'bottom right')
    return a


def judged(seed, gap=False, n=300):
    "A calibrated model's report, in which the scanner makes a difference or not; and its rows."
    r = np.random.default_rng(seed)
    y, site = r.integers(0, 2, n), r.choice(list('AB'), n)
    logit = r.normal(1.5*(2*y-1)*np.where((site=='B')&gap, .1, 1), 3**.5)
    return evaluate(y=y, prob=1/(1+np.exp(-logit))), pd.DataFrame(dict(site=site, sex=r.choice(list('FM'), n), age=r.integers(20, 90, n)))


def network(size): return SimpleNamespace(reader=ScanReader(Preprocess((SIZE[0], size, size))))


def clean(seed, df, new):
    "Level of every check on what has no fault."
    found = {c.key: c.level for c in audit(df, label='nodule', split='split', new=new).checks}
    seen = audit(visible(df), label='nodule', split='split', only=['noise', 'shuffled', 'shift', 'windows', 'inverted', 'laterality'])
    report, rows = judged(seed)
    return found | {f'{c.key} (visible finding)': c.level for c in seen.checks} | dict(
        subgroups=check_subgroups(report, rows).level, calibration=check_calibration(report).level, lesions=check_lesions(cohort_of_table(df), network(88)).level)


def traps(seed, df, new):
    "(trap, check that should find it, table, more arguments)."
    r = np.random.default_rng(seed)
    train, valid = np.flatnonzero(df.split=='train'), np.flatnonzero(df.split=='valid')
    twice, copy = df.copy(), df.copy()
    twice.loc[valid[0], 'PatientID'] = twice.PatientID[train[0]]
    copy.at[valid[0], 'volume'] = copy.volume[train[0]]
    noisy = changed(copy, valid[:1], lambda a: a+r.normal(0, 10, a.shape))
    told = df.assign(nodule=np.where(r.random(N)<.95, df.site=='B', df.site=='A').astype(int))
    seen = visible(df)
    turned = seen.nodule.to_numpy().copy(); turned[r.choice(N, N//10, replace=False)] ^= 1
    some = r.choice(N, N//5, replace=False)
    plain = df.assign(volume=[Volume(v.data, v.affine) for v in df.volume])
    yield 'patient on both sides', 'patients', twice, {}
    yield 'image twice', 'identical', copy, {}
    yield 'image twice, noise of 10 HU added', 'near', noisy, {}
    yield 'letters on every positive', 'margin', changed(df, np.flatnonzero(df.nodule), letters), {}
    yield 'site predicts label (95 %), in the table', 'acquisition', told, {}
    yield 'site predicts label (95 %), in the image', 'site', told, {}
    yield 'one label in ten is wrong', 'noise', seen.assign(nodule=turned), {}
    yield 'rescale lost in one of five', 'rescale', changed(df, some, lambda a: a+1024), {}
    yield 'MONOCHROME1 in one of five', 'inverted', changed(plain, some, lambda a: -a), {}
    yield 'one of five mirrored', 'laterality', changed(df, some, lambda a: a[...,::-1]), {}
    yield 'new batch from another scanner', 'new', df, dict(new=new)
    yield 'sides by site', 'shift', df.assign(split=np.where(df.site=='A', 'train', 'valid')), {}


def found(seed, df):
    "Was each trap found, by the check that should?"
    strange = cohort(seed, NEW, 'strange').drop(columns='site')
    strange['volume'] = [v.like((v.data+np.random.default_rng(i).normal(0, 60, v.shape)).astype(np.int16), unit='HU') for i, v in enumerate(strange.volume)]
    out = {}
    for trap, key, table, more in traps(seed, df, strange): out[f'{trap} [{key}]'] = audit(table, label='nodule', split='split', only=key, **more)[key].level in ('warn', 'fail')
    out['lesion lost by resizing [lesions]'] = check_lesions(cohort_of_table(df), network(8)).level=='fail'
    out['AUC falls on one site [subgroups]'] = check_subgroups(*judged(seed, gap=True)).level in ('warn', 'fail')
    return out


def lines(table):
    for name, hits in sorted(table.items(), key=lambda o: -np.mean(o[1])):
        e = wilson(int(sum(hits)), len(hits))
        print(f'{name:48} {int(sum(hits)):3d} of {len(hits):2d}   {e.value:4.0%} ({e.low:.0%} to {e.high:.0%})')


if __name__=='__main__':
    warnings.simplefilter('ignore')
    seeds, first, levels, hits = int(sys.argv[1]) if len(sys.argv)>1 else 20, int(sys.argv[2]) if len(sys.argv)>2 else 100, [], []
    began = time.process_time()
    for seed in range(first, first+seeds):
        df = cohort(seed)
        levels.append(clean(seed, df, cohort(seed, NEW, 'new')))
        hits.append(found(seed, df))
        print(f'seed {seed}: alarms {[k for k, v in levels[-1].items() if v in ("warn", "fail") and k not in STATES_A_NEED]}, missed {[k for k, v in hits[-1].items() if not v]}', flush=True)
    alarms = {k: [l[k] in ('warn', 'fail') for l in levels if l[k]!='not run'] for k in levels[0]}
    print(f'False alarms on {seeds} clean cohorts of {N} patients ({", ".join(STATES_A_NEED)} left out: it states a need)')
    lines({k: v for k, v in alarms.items() if v and k not in STATES_A_NEED})
    each = [x for k, v in alarms.items() if k not in STATES_A_NEED for x in v]
    lines({'all checks together': each, 'cohorts with any false alarm': [any(v in ('warn', 'fail') for k, v in l.items() if k not in STATES_A_NEED) for l in levels]})
    print('not run:', ', '.join(k for k, v in alarms.items() if not v))
    print(f'\nPlanted traps found, {seeds} cohorts')
    lines({k: [h[k] for h in hits] for k in hits[0]})
    print(f'\n{time.process_time()-began:.0f} s of processor time')
