"Losses against MONAI's and torch's, over random shapes; gradients of what nobody looked at; what fastai asks of a loss."
import pickle
import pytest, torch, torch.nn.functional as F
from hypothesis import given, settings, strategies as st
from radnb.train.losses import (BoundaryLoss, CELoss, DeepSupervision, DiceBCELoss, DiceCELoss, DiceLoss, FocalLoss, GaussianNLL, GeneralisedDiceLoss,
                                MaskedBCE, OrdinalLoss, TverskyLoss)

monai = pytest.importorskip('monai.losses', reason="pip install 'radnb[monai]'")

def case(seed, n, classes, shape):
    g = torch.Generator().manual_seed(seed)
    return 3*torch.randn(n, classes, *shape, generator=g), torch.randint(0, classes, (n,*shape), generator=g)

cases = st.builds(case, st.integers(0, 99), st.integers(1, 3), st.integers(2, 4), st.sampled_from([(6,7),(3,4,5)]))
some = settings(max_examples=15, deadline=None)

@some
@given(cases, st.booleans(), st.booleans())
def test_dice_equals_monai(xy, batch, background):
    pred,y = xy
    theirs = monai.DiceLoss(include_background=background, to_onehot_y=True, softmax=True, batch=batch, smooth_nr=1, smooth_dr=1)
    torch.testing.assert_close(DiceLoss(batch, background)(pred, y), theirs(pred, y[:,None]))
    both = monai.DiceCELoss(include_background=background, to_onehot_y=True, softmax=True, batch=batch, smooth_nr=1, smooth_dr=1)
    torch.testing.assert_close(DiceCELoss(batch, background)(pred, y), both(pred, y[:,None]))

@some
@given(cases, st.floats(.1, .9))
def test_tversky_equals_monai(xy, alpha):
    pred,y = xy
    theirs = monai.TverskyLoss(include_background=False, to_onehot_y=True, softmax=True, alpha=alpha, beta=1-alpha, batch=True, smooth_nr=.5, smooth_dr=.5)
    torch.testing.assert_close(TverskyLoss(alpha, 1-alpha)(pred, y), theirs(pred, y[:,None]))

@some
@given(cases)
def test_generalised_dice_equals_monai(xy):
    pred,y = xy
    theirs = monai.GeneralizedDiceLoss(to_onehot_y=True, softmax=True)
    torch.testing.assert_close(GeneralisedDiceLoss()(pred, y), theirs(pred, y[:,None]), rtol=1e-4, atol=1e-5)

@some
@given(cases, st.floats(0, 4), st.booleans())
def test_focal_equals_monai(xy, gamma, weighted):
    pred,y = xy
    w = torch.arange(1., pred.shape[1]+1) if weighted else None
    theirs = monai.FocalLoss(to_onehot_y=True, use_softmax=True, gamma=gamma, weight=w, reduction='none')(pred, y[:,None])
    torch.testing.assert_close(FocalLoss(gamma, w)(pred, y), theirs.sum(1).mean(), rtol=1e-4, atol=1e-5)

@some
@given(cases, st.floats(0, 4))
def test_focal_of_several_findings_equals_monai(xy, gamma):
    pred = xy[0]
    y = (torch.roll(pred, 1, 0)+pred > 0).float()
    torch.testing.assert_close(MaskedBCE(gamma=gamma)(pred, y), monai.FocalLoss(gamma=gamma)(pred, y), rtol=1e-4, atol=1e-5)

@some
@given(cases)
def test_regions_equal_monai(xy):
    pred = xy[0]
    y = (torch.roll(pred, 1, -1) > 0).float()
    theirs = monai.DiceLoss(sigmoid=True, batch=True, smooth_nr=1, smooth_dr=1)(pred, y)+F.binary_cross_entropy_with_logits(pred, y)
    torch.testing.assert_close(DiceBCELoss()(pred, y), theirs)

@some
@given(cases, st.floats(0, .3))
def test_cross_entropy_equals_torch(xy, smoothing):
    pred,y = xy
    w = torch.linspace(.5, 2, pred.shape[1])
    torch.testing.assert_close(CELoss(w, smoothing)(pred, y), F.cross_entropy(pred, y, w, label_smoothing=smoothing))

@some
@given(st.integers(0, 99), st.floats(0, .9))
def test_missing_labels_have_no_gradient_and_no_influence(seed, missing):
    g = torch.Generator().manual_seed(seed)
    pred,y = torch.randn(8, 5, generator=g).requires_grad_(), (torch.rand(8, 5, generator=g) > .5).float()
    y[torch.rand(8, 5, generator=g) < missing] = float('nan')
    for loss in (MaskedBCE(), MaskedBCE(gamma=2, pos_weight=[2.]*5, smoothing=.1)):
        pred.grad = None
        loss(pred, y).backward()
        assert (pred.grad[y.isnan()] == 0).all() and pred.grad.isfinite().all()
        with torch.no_grad(): assert loss(pred, y) == loss(torch.where(y.isnan(), 99., pred), y)

EXCLUSIVE = [CELoss(), FocalLoss(), DiceLoss(), DiceCELoss(), TverskyLoss(gamma=2), GeneralisedDiceLoss(), BoundaryLoss(), DeepSupervision(DiceCELoss())]

@pytest.mark.parametrize('loss', EXCLUSIVE, ids=lambda l: type(l).__name__)
def test_one_value_per_image_and_pickled_the_same(loss):
    "One value per image does not depend on the others in the batch; an exported learner keeps its loss."
    pred,y = case(0, 3, 3, (8,8))
    again = pickle.loads(pickle.dumps(loss))
    again.reduction = 'none'
    each = again(pred, y)
    assert each.shape == (3,)
    for i in range(3): torch.testing.assert_close(again(pred[i:i+1], y[i:i+1])[0], each[i])
    assert again.decodes(again.activation(pred)).shape == y.shape

@pytest.mark.parametrize('loss', [DiceCELoss(), FocalLoss(.5), TverskyLoss(gamma=4/3), GeneralisedDiceLoss(), DiceCELoss()+.1*BoundaryLoss()])
def test_half_precision_scores_give_finite_gradients(loss):
    y = torch.zeros(1, 16, 16, 16).long(); y[:,4:8] = 1
    pred = (20_000.*torch.stack([1-2.*y, 2.*y-1], 1)).half().requires_grad_()
    loss(pred, y).backward()
    assert pred.grad.isfinite().all()

def test_gaussian_likelihood_equals_torch():
    pred,y = torch.randn(10, 2), torch.randn(10)
    torch.testing.assert_close(GaussianNLL(beta=0)(pred, y), F.gaussian_nll_loss(pred[:,0], y, pred[:,1].exp()))

def test_ordinal_probabilities_add_up_and_the_median_is_near():
    x = 3*torch.randn(50, 4)
    p = OrdinalLoss().activation(x)
    assert (p >= 0).all() and torch.allclose(p.sum(1), torch.ones(50))
    above = x.sigmoid().cummin(1).values
    assert (OrdinalLoss().decodes(p) == (above > .5).sum(1)).all()
