"Baseline, ensemble and studies: against scikit-learn and SciPy, and that nothing of the validation patients gets into what is trained or exported."
import numpy as np, pandas as pd, pytest, torch
from scipy.optimize import curve_fit
from sklearn.metrics import roc_auc_score
from radnb.core import BadInput
from radnb.train.baseline import _folds, _mean_auc, _rank_auc, baseline
from radnb.train.classify import classify_dls, classify_learner
from radnb.train.ensemble import disagreement_of, ensemble, pairwise_dice
from radnb.train.studies import fit_power, nested_order


def table(n=40, per=2, seed=0):
    rng = np.random.default_rng(seed)
    image = lambda i: (rng.normal(90, 20, (16,16))+25*(i%2)*(np.arange(16) > 9)).clip(0, 255).astype(np.uint8)
    return pd.DataFrame([dict(PatientID=f'SECRET{i:03d}', pixels=image(i), sick=i%2) for i in range(n) for _ in range(per)])


@pytest.mark.parametrize('seed', range(5))
def test_auc_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    y,s = rng.integers(0, 2, 60), rng.normal(size=60).round(1)      # with ties
    assert _rank_auc(y == 1, s) == pytest.approx(roc_auc_score(y, s))
    y3,S = rng.integers(0, 3, 90), rng.dirichlet([1,1,1], 90)
    assert _mean_auc(y3, S) == pytest.approx(roc_auc_score(y3, S, multi_class='ovr'))


@pytest.mark.parametrize('seed', range(5))
def test_inner_folds_share_no_patient(seed):
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 25, 120)
    y = (who%3 == 0).astype(int)
    folds = _folds(y, who, 'logistic')
    assert len(folds) > 1 and sorted(np.concatenate([b for _,b in folds])) == list(range(120))
    assert all(not set(who[a]) & set(who[b]) for a,b in folds)


def test_validation_labels_do_not_reach_the_baseline():
    df = table()
    splits = (list(range(50)), list(range(50, 80)))
    dls = classify_dls(df, label='sick', splitter=lambda _: splits, aug=False)
    df.loc[50:, 'sick'] = 1-df.sick[50:]
    other = classify_dls(df, label='sick', splitter=lambda _: splits, aug=False)
    a,b = baseline(dls), baseline(other)
    assert np.allclose(a.prob, b.prob) and a.estimate.value == pytest.approx(1-b.estimate.value)


def test_export_takes_no_patient_along(tmp_path):
    dls = classify_dls(table(), label='sick', aug=False)
    together = ensemble([classify_learner(dls, seed=s) for s in (0,1)])
    assert 'AUC' in repr(together.baseline)
    together.export(tmp_path/'model.pkl')
    assert b'SECRET' not in (tmp_path/'model.pkl').read_bytes()


def test_power_law_is_scipys():
    n,rng = np.array([10,20,40,80,160,320.]), np.random.default_rng(0)
    err = .04+.7*n**-.5+rng.normal(0, .002, 6)
    a,b,c = fit_power(n, err)
    law = lambda n, a, b, c: a+b*n**-c
    best,_ = curve_fit(law, n, err, (.1,.5,.7), bounds=([0,0,.1], [1,5,2]))
    assert ((law(n, a, b, c)-err)**2).sum() <= 1.05*((law(n, *best)-err)**2).sum()+1e-9


def test_nested_subsets_keep_the_classes_share():
    ids = [f'{i}' for i in range(100)]
    order = nested_order(ids, [i%4 == 0 for i in range(100)])
    assert sorted(order, key=int) == ids
    assert all(abs(sum(int(p)%4 == 0 for p in order[:n])-n/4) <= 1 for n in range(1, 101))


def test_disagreement_is_zero_exactly_when_all_agree():
    P = np.random.default_rng(0).dirichlet([1,1,1], (4,50))
    same = np.repeat(P[:1], 4, 0)
    assert disagreement_of(same)[['sd','mutual_information']].abs().max().max() < 1e-9
    d = disagreement_of(P)
    assert (d.sd > 0).all() and (d.mutual_information > 0).all() and (d.mutual_information <= d.entropy+1e-9).all()
    m = np.random.default_rng(1).integers(0, 3, (8,8))
    assert pairwise_dice([m, m, m]) == 1


def test_members_of_other_classes_are_refused():
    one = classify_learner(classify_dls(table(), label='sick', aug=False))
    other = classify_learner(classify_dls(table().assign(sick=lambda t: t.sick.map({0: 'no', 1: 'yes'})), label='sick', aug=False))
    with pytest.raises(BadInput, match='answers'): ensemble([one, other])
    with torch.no_grad(): assert ensemble([one, one]).model.members(torch.rand(1, 1, 16, 16)).shape == (2,1,2)
