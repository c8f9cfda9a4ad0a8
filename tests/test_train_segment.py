"""Segmentation: resuming with averaged weights, regions through the report, ellipses of any kind."""
import numpy as np, pandas as pd, pytest, torch
from fastai.callback.core import Callback
from hypothesis import given, settings, strategies as st
from radnb.core import BadInput
from radnb.data.volume import Volume
from radnb.explain.evaluate import evaluate
from radnb.measure.shapes import Ellipse, ellipse_mask, fit_ellipse
from radnb.train.plan import Fingerprint, plan
from radnb.train.segment import segment_dls, segment_learner

def patient(i):
    z,y,x = np.indices((8,16,16))
    ball = (z-4)**2+(y-8)**2+(x-6-i%4)**2
    vol = Volume((np.random.default_rng(i).normal(0, 1, ball.shape)+4*(ball < 16)).astype(np.float32))
    return dict(PatientID=f'P{i}', volume=vol, mask=vol.like(((ball < 16)+(ball < 6)*1).astype(np.uint8), 'label', {1: 'shell', 2: 'core'}))

table = pd.DataFrame([patient(i) for i in range(6)])

def make(folder=None, **kwargs):
    dls = segment_dls(table, patch=(8,16,16), bs=2, passes=1, **kwargs)
    return segment_learner(dls, channels=(4,8), checkpoint=folder)

class Cut(Callback):
    order = 90
    def before_epoch(self):
        if self.epoch == 2: raise KeyboardInterrupt

def test_a_training_with_averaged_weights_goes_on_as_if_it_had_not_been_cut_off(tmp_path):
    whole = make()
    with whole.no_bar(), whole.no_logging(): whole.fit(3, 1e-2)
    cut = make(tmp_path/'c')
    with cut.no_bar(), cut.no_logging(), pytest.raises(KeyboardInterrupt): cut.fit(3, 1e-2, cbs=Cut())
    back = make(tmp_path/'c')
    with back.no_bar(), back.no_logging(): back.resume(cbs=[])
    for k,v in whole.model.state_dict().items(): assert torch.equal(v, back.model.state_dict()[k]), k

def test_each_region_has_a_report_and_all_together_have_none():
    learn = make(regions={'ball': (1,2), 'core': 2})
    with learn.no_bar(), learn.no_logging(): learn.fit(1)
    report = evaluate(learn.region('core'))
    assert report.names == {1: 'core'}
    assert all(set(np.unique(c.true)) <= {0,1} and (c.true > 0).sum() == (table['mask'][0].data == 2).sum() for c in report.segmented)
    with pytest.raises(BadInput, match='one at a time'): evaluate(learn)

@settings(max_examples=25, deadline=None)
@given(st.floats(20, 60), st.floats(.4, 1.), st.floats(-89, 89), st.sampled_from([(1.,1.), (.5,1.), (1.3,.7)]))
def test_an_ellipse_on_pixels_is_found_again(long, ratio, angle, mm):
    e = Ellipse((40.,42.), (long,long*ratio), angle)
    found = fit_ellipse(ellipse_mask(e, (int(80/mm[0]),int(84/mm[1])), mm), mm)
    assert abs(found.circumference/e.circumference-1) < .03
    assert np.abs(np.array(found.center)-e.center).max() < .3

@settings(max_examples=40, deadline=None)
@given(st.tuples(st.integers(4, 400), st.integers(16, 600), st.integers(16, 600)), st.tuples(st.floats(.3, 6), st.floats(.2, 2)), st.booleans(), st.floats(2, 40))
def test_a_plan_fits_the_images_and_the_memory(shape, mm, gpu, gb):
    p = plan(Fingerprint(50, shape, (mm[0],mm[1],mm[1]), volumes_ml={1: 1.}, extent=tuple(n//2 for n in shape)), gb=gb, gpu=gpu)
    patch,channels,strides = p.data['patch'], p.learner['channels'], p.learner['strides']
    assert all(0 < n <= s for n,s in zip(patch, shape)) and p.data['bs'] >= 2 and len(strides) == len(channels)-1
    assert (np.prod(strides, axis=0) <= patch).all()
