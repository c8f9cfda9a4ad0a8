"Classification as a whole: findings with gaps, grades, exported learners, and input that cannot be learned from. All data synthetic."
import numpy as np, pandas as pd, pytest, torch
from radnb.share.safe_load import load_learner
from radnb.core import BadInput, BadLabels, OneClass, TooFewPatients
from radnb.explain.audit import audit
from radnb.explain.evaluate import evaluate
from radnb.explain.reports import FindingsReport, OrdinalReport
from radnb.measure.agreement import kappa
from radnb.measure.stats import auc
from radnb.train.classify import classify_dls, classify_learner
from radnb.train.models import create_classifier, save_weights
from radnb.view.threshold import tune_threshold

def films(n=48, seed=0):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n,2)) < .4).astype(float)
    images = rng.integers(0, 100, (n,24,24)).astype(np.uint8)
    images[Y[:,0] == 1,3:9,3:9] += 120; images[Y[:,1] == 1,14:20,14:20] += 120
    Y[rng.random(Y.shape) < .25] = np.nan
    return pd.DataFrame(dict(PatientID=[f'P{i//2}' for i in range(n)], effusion=Y[:,0], nodule=Y[:,1])), images

@pytest.fixture(scope='module')
def findings():
    df,images = films()
    learn = classify_learner(classify_dls(df, ['effusion','nodule'], images=images, bs=12, aug=False))
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(3, 1e-2)
    return learn, df, images

@pytest.mark.parametrize('weights', [None, 'linear', 'quadratic'])
def test_kappa_agrees_with_scikit_learn(weights):
    from sklearn.metrics import cohen_kappa_score
    rng = np.random.default_rng(1)
    for _ in range(20):
        a,b = rng.integers(0, 4, (2, rng.integers(4, 40)))
        want = cohen_kappa_score(a, b, weights=weights, labels=range(4))
        assert kappa(a, b, 4, weights or 'none', n_boot=10).value == pytest.approx(want, nan_ok=True)

def test_a_patient_is_on_one_side_and_both_sides_have_every_finding(findings):
    dls = findings[0].dls
    train,valid = dls.train_ds.items, dls.valid_ds.items
    assert not set(train.PatientID) & set(valid.PatientID)
    assert all(side[l].nunique() == 2 for side in (train, valid) for l in dls.vocab)

def test_a_missing_label_changes_no_weight_of_the_network(findings):
    learn,_,_ = findings
    x,y = learn.dls.valid.one_batch()
    def gradient(rows):
        learn.model.eval(); learn.model.zero_grad()
        learn.loss_func(learn.model(x[rows]), y[rows]).backward()
        return torch.cat([p.grad.flatten() for p in learn.model.parameters()])
    y[0] = float('nan')
    assert torch.allclose(gradient(slice(None)), gradient(slice(1, None)), atol=1e-6)

def test_metric_and_report_count_known_labels_only(findings):
    learn,_,_ = findings
    report = evaluate(learn)
    assert isinstance(report, FindingsReport)
    rows = learn.dls.valid_ds.items
    known = rows.nodule.notna().to_numpy()
    want = auc(rows.nodule[known].astype(int).to_numpy(), learn.predict_proba(rows)[known,1], rows.PatientID[known].to_numpy())
    assert report['nodule'].estimates['AUC'].value == pytest.approx(want.value)
    assert learn.history['auc nodule'].iloc[-1] == pytest.approx(want.value, abs=1e-6)

def test_each_finding_has_its_operating_point_and_takes_it_along(findings, tmp_path):
    learn,_,images = findings
    report = evaluate(learn)
    with pytest.raises(BadInput, match="one finding at a time"): tune_threshold(report)
    with pytest.raises(BadInput, match='one by one'): audit(learn, report)
    report['nodule'].set_operating_point(.9)
    report.set_operating_point(dict(effusion=.05))
    p = learn.predict_proba(images)
    learn.path = tmp_path
    learn.export()
    called = load_learner(tmp_path/'export.pkl').predict_label(images)
    assert (called.to_numpy() == (p.astype(float) >= [.05,.9])).all()
    learn.operating_point = None

def test_an_exported_learner_takes_an_array_of_images(findings, tmp_path):
    df,images = films(seed=3)
    df = df[df.nodule.notna()]
    learn = classify_learner(classify_dls(df.assign(nodule=df.nodule.map({0: 'no', 1: 'yes'})), 'nodule', images=images[df.index], bs=12))
    learn.path = tmp_path
    learn.export()
    back = load_learner(tmp_path/'export.pkl')
    p = back.predict_proba(images)
    assert p.shape == (len(images),) and back.balance.counts == learn.balance.counts
    assert back.predict_proba(images[3]) == pytest.approx(p[3], abs=1e-6)
    assert set(back.predict_label(images)) <= {'no','yes'}

def test_uncertain_labels_mean_the_same_in_training_and_in_the_report():
    df,images = films()
    df.loc[df.nodule.isna(), 'nodule'] = -1
    with pytest.raises(BadLabels, match="uncertain='missing'"): classify_dls(df, ['effusion','nodule'], images=images)
    dls = classify_dls(df, ['effusion','nodule'], images=images, uncertain='positive', bs=12)
    assert dls.train_ds.items.nodule.notna().all()
    report = evaluate(classify_learner(dls), df.assign(pixels=list(images)))
    assert (report.y[:,1] == df.nodule.abs()).all()

def test_grades_are_reported_as_grades():
    rng = np.random.default_rng(0)
    grade = rng.integers(0, 3, 48)
    images = (rng.integers(0, 60, (48,24,24))+60*grade[:,None,None]).astype(np.uint8)
    df = pd.DataFrame(dict(PatientID=[f'P{i}' for i in range(48)], stage=np.array(['mild','moderate','severe'])[grade]))
    learn = classify_learner(classify_dls(df, 'stage', images=images, ordered=True, classes=['mild','moderate','severe'], bs=12, aug=False))
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(4, 1e-2)
    report = evaluate(learn)
    assert isinstance(report, OrdinalReport)
    assert [report.classes[i] for i in report.called] == list(learn.predict_label(learn.dls.valid_ds.items))
    assert report.estimates['kappa (quadratic)'].value == pytest.approx(learn.history.kappa.iloc[-1])
    above = report.prob[:,::-1].cumsum(1)[:,::-1]
    assert (np.diff(above) <= 1e-6).all() and np.allclose(above[:,0], 1, atol=1e-5)

def test_age_beside_the_image_of_several_findings():
    df,images = films()
    df['age'] = np.where(df.nodule == 1, 70., 40.)
    df.loc[3, 'age'] = np.nan
    with pytest.warns(UserWarning): dls = classify_dls(df, ['effusion','nodule'], images=images, inputs=['age'], bs=12)
    learn = classify_learner(dls)
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    assert evaluate(learn).prob.shape == (len(dls.valid_ds),2)

def test_what_cannot_be_learned_from_is_named():
    df,images = films()
    names = ['effusion','nodule']
    for bad,error,told in [(df.assign(nodule=np.nan), BadLabels, 'nodule is missing in all 48 rows'), (df.assign(nodule=0), OneClass, 'nodule is 0 in all 48 rows'),
                           (df.assign(nodule=7), BadLabels, r'nodule holds \[7\]'), (df.assign(PatientID='P1'), TooFewPatients, '1 patient'),
                           (df.drop(columns='nodule'), BadLabels, "no column 'nodule'")]:
        with pytest.raises(error, match=told): classify_dls(bad, names, images=images)
    finding = df.assign(finding=['a','b']*24)
    with pytest.raises(BadLabels, match='not among the classes'): classify_dls(finding, 'finding', images=images, classes=['a','c'])
    with pytest.raises(OneClass, match='All 48 rows'): classify_dls(finding.assign(finding='a'), 'finding', images=images)

def test_weights_of_another_network_and_images_of_another_kind(tmp_path):
    df,images = films()
    dls = classify_dls(df.assign(finding=['a','b']*24), 'finding', images=images)
    colour = save_weights(create_classifier('small', in_ch=3), tmp_path/'colour.safetensors')
    volume = save_weights(create_classifier('small', ndim=3), tmp_path/'volume.safetensors')
    for path in (colour, volume):
        with pytest.raises(BadInput, match='another network'): classify_learner(dls, weights=path)
    with pytest.raises(BadInput, match='slices where a 2D image'): classify_learner(dls).predict_proba([images])
    with pytest.raises(BadInput, match='is for 2D images'): classify_learner(classify_dls(df.assign(finding=['a','b']*24, pixels=[np.zeros((4,16,16))]*48), 'finding'), 'resnet18')
