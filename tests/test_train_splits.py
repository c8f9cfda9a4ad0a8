"Splitters, for any table: no patient on two sides, every row once, fractions and strata as asked for, and nobody moved needlessly."
import numpy as np, pandas as pd, pytest
from hypothesis import given, settings, strategies as st
from radnb.core import BadInput, PatientLeak, TooFewPatients
from radnb.train.splits import GivenSplitter, LeaveOneSiteOut, NestedSplitter, PatientKFold, PatientSplitter, TemporalSplitter, check_split, split_table

quick = settings(max_examples=12, deadline=None)

@st.composite
def tables(draw, least=6, most=60):
    "One to four images per patient, in any order; class, site and date by image."
    n = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    own = [dict(PatientID=f'S{draw(st.integers(0, 9))}-{i}', label=int(rng.random() < .3), site='abc'[rng.integers(3)]) for i in range(n)]
    days = pd.date_range('2015-01-01', '2022-12-31')
    rows = [dict(o, StudyDate=f'{days[rng.integers(len(days))]:%Y%m%d}') for o in own for _ in range(rng.integers(1, 5))]
    return pd.DataFrame(rows).sample(frac=1, random_state=int(rng.integers(1000))).reset_index(drop=True)

def sides(df, splits): return [set(df.PatientID.iloc[s]) for s in splits]
def per_patient(df, column): return df.groupby('PatientID')[column].first()

@quick
@given(tables(), st.floats(.05, .95), st.integers(0, 99), st.sampled_from([None, 'label', ['label','site']]))
def test_holdout(df, valid, seed, stratify):
    splits = PatientSplitter(valid, seed, stratify)(df)
    check_split(df, splits)
    assert sorted(splits[0]+splits[1]) == list(range(len(df)))
    n,held = df.PatientID.nunique(), len(sides(df, splits)[1])
    want = min(max(round(n*valid), 1), n-1)
    assert held == want if stratify is None else abs(held-want) <= 1
    if stratify:
        label = per_patient(df, 'label')
        for who in (label.index[label == v] for v in label.unique() if label.nunique() > 1):
            if len(who) > 1: assert 0 < len(set(who) & sides(df, splits)[1]) < len(who)

@quick
@given(tables(20), st.integers(0, 99))
def test_strata_are_in_proportion(df, seed):
    held = sides(df, PatientSplitter(.3, seed, ['label','site'])(df))[1]
    for column,slack in (('label',1.5), ('site',2.5)):
        for v,who in per_patient(df, column).groupby(per_patient(df, column)): assert abs(len(set(who.index) & held)-.3*len(who)) <= slack, v

@quick
@given(tables(), st.integers(0, 99))
def test_a_newcomer_moves_at_most_one(df, seed):
    held = lambda d: sides(d, PatientSplitter(.25, seed)(d))[1]
    more = pd.concat([df, df.head(1).assign(PatientID='newcomer')], ignore_index=True)
    assert len((held(df) ^ held(more))-{'newcomer'}) <= 1

@quick
@given(tables(8), st.integers(2, 6), st.sampled_from([None, 'label', ['site','label']]))
def test_folds(df, k, stratify):
    held = [sides(df, f(df))[1] for f in PatientKFold(k, seed=3, stratify=stratify).folds(df)]
    assert sorted(i for f in PatientKFold(k, seed=3, stratify=stratify).folds(df) for i in f(df)[1]) == list(range(len(df)))
    assert sum(map(len, held)) == df.PatientID.nunique() and max(map(len, held))-min(map(len, held)) <= 1
    if stratify:
        first = stratify if isinstance(stratify, str) else stratify[0]
        for _,who in per_patient(df, first).groupby(per_patient(df, first)):
            each = [len(set(who.index) & h) for h in held]
            assert max(each)-min(each) <= 1

@quick
@given(tables(16), st.integers(2, 4), st.integers(2, 4))
def test_nested(df, outer, inner):
    for f in NestedSplitter(PatientKFold(outer), PatientKFold(inner, seed=1, stratify='label')).folds(df):
        splits = f(df)
        check_split(df, splits)
        assert sorted(sum(splits, [])) == list(range(len(df)))

@quick
@given(tables(12))
def test_sites(df):
    own = df.assign(site=[('ab' if i % 2 else 'bc')[i // 2 % 2] for i in range(len(df))])  # patients are seen at several sites
    folds = LeaveOneSiteOut('site').folds(own)
    assert sorted(i for f in folds for i in f(own)[1]) == list(range(len(own)))
    for f in folds:
        train,valid = f(own)
        assert not sides(own, (train,))[0] & sides(own, (valid,))[0]
        assert set(own.site.iloc[valid]) == {f.held} and f.held not in set(own.site.iloc[train])

@quick
@given(tables(12), st.integers(2016, 2021))
def test_time(df, year):
    try: splits = TemporalSplitter(cut=f'{year}0101')(df)
    except TooFewPatients: assert df.groupby('PatientID').StudyDate.max().ge(f'{year}').nunique() == 1; return
    check_split(df, splits)
    assert sorted(splits[0]+splits[1]) == list(range(len(df)))
    assert (df.StudyDate.iloc[splits[0]] < f'{year}0101').all()
    as_times = df.assign(StudyDate=pd.to_datetime(df.StudyDate)+pd.Timedelta('13h'))
    assert TemporalSplitter(cut=f'{year}-01-01')(as_times) == splits

def test_a_leak_between_any_two_sides():
    df = pd.DataFrame(dict(PatientID=list('aabbccdd'), split=['train','train','val','val','test','test','train','test']))
    splits = GivenSplitter()(df)
    with pytest.raises(PatientLeak, match='training and test: d'): check_split(df, splits)
    assert split_table(df, splits).patients.tolist() == [2,1,2]
    with pytest.raises(BadInput, match='holds fold 1'): GivenSplitter('fold')(df.assign(fold='fold 1'))

def test_nothing_is_guessed_about_missing_labels():
    df = pd.DataFrame(dict(PatientID=[f'P{i}' for i in range(40)], label=[None, 0., 1., None]*10))
    held = df.label.iloc[PatientSplitter(.5, stratify='label')(df)[1]]
    assert split_table(df, PatientSplitter(), by='label')['label = missing'].between(.2, .8).all()
    assert held.isna().sum() == 10 and (held == 1).sum() == 5   # a missing label is a stratum of its own

def test_nested_folds_train_without_the_outer_patients():
    from radnb.train.classify import classify_dls
    rng = np.random.default_rng(0)
    df = pd.DataFrame([dict(PatientID=f'S{i}', label=i%2, site='ab'[i%4 > 1], pixels=rng.integers(0, 255, (8,8)).astype(np.uint8)) for i in range(24) for _ in range(2)])
    fold = NestedSplitter(LeaveOneSiteOut('site'), PatientKFold(3, stratify='label')).folds(df)[4]
    dls = classify_dls(df, 'label', splitter=fold, aug=False)
    assert len(dls.loaders) == 2 and set(dls.train_ds.items.site) == set(dls.valid_ds.items.site) == {'a'}
    assert set(dls.valid_ds.items.PatientID) == sides(df, fold(df))[1]
