"What `radnb.explain.robust` promises: the identity at no severity, the analytic answer on linear networks, exact balls, and a learner left alone."
import numpy as np, pandas as pd, pytest, torch
from torch import nn
from radnb.core import BadInput
from radnb.data.volume import Volume
from radnb.explain.robust import (attack, corruptions, case_loss, deepfool, fgsm, first_shown, pgd, into_ball, random_change, robustness, shifts, universal,
                                  universal_perturbation)
from radnb.train.classify import classify_dls, classify_learner

ALL = {**corruptions(1.5, hu=True), **shifts(1.5, hu=True)}
SMOOTH = torch.from_numpy(np.kron(np.random.default_rng(0).random((1,8,8)), np.ones((4,4)))).float()

@pytest.mark.parametrize('name', ALL)
@pytest.mark.parametrize('shape', [(1,32,32), (2,32,32), (1,6,32,32)])
def test_clean_is_identity_and_worse_is_worse(name, shape):
    c = ALL[name]
    x = (SMOOTH[:,None] if len(shape) == 4 else SMOOTH).expand(shape).contiguous()
    assert (c(x, c.clean, 1.5, 2000)-x).abs().max() <= 1e-6
    off = [float((c(x, s, 1.5, 2000, seed=4)-x).norm()) for s in c.severities]
    assert 0 < off[0] and off[0] <= off[-1]
    assert torch.equal(c(x, c.severities[-1], 1.5, 2000, seed=4), c(x, c.severities[-1], 1.5, 2000, seed=4))

@pytest.mark.parametrize('name', ['blur','resolution','motion'])
def test_averaging_keeps_flat_regions(name):
    flat = torch.full((1,24,24), .37)
    assert torch.allclose(ALL[name](flat, ALL[name].severities[-1], 1.5), flat, atol=1e-5)

def test_mask_moves_with_the_image():
    x = torch.zeros(1, 33, 33); x[0,10:20,8:22] = 1
    for name in ('shift','rotation','mirror'):
        y,m = ALL[name](x, ALL[name].severities[-1], 1., mask=(x[0] > .5).long())
        inter = ((y[0] > .5) & (m > 0)).sum()
        assert 2*inter/((y[0] > .5).sum()+(m > 0).sum()) > .95

def linear(n=64, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(n, 3)).eval()

def test_linear_model_degrades_monotonically():
    "A template matcher on a template: the more blur, contrast loss and motion, the smaller its score."
    w = SMOOTH-SMOOTH.mean()
    for name in ('blur','motion','contrast'):
        c = ALL[name]
        score = [float((w*c(SMOOTH, s, 1.5)).sum()) for s in (c.clean, *c.severities)]
        assert score == sorted(score, reverse=True), name

@pytest.mark.parametrize('norm,q', [('inf',1), (2,2)])
def test_fgsm_is_the_analytic_answer_for_two_classes(norm, q):
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2)).eval()
    w = (net[1].weight[1]-net[1].weight[0]).detach()
    x,y = .3+.4*torch.rand(4, 1, 8, 8), torch.ones(4, dtype=torch.long)
    got = fgsm(net, x, y, .1, norm)
    way = -w.sign() if norm == 'inf' else -w/w.norm()
    assert torch.allclose(got, x+.1*way.view(1,1,8,8), atol=1e-5)
    margin = lambda v: net(v)[:,1]-net(v)[:,0]
    assert torch.allclose(margin(x)-margin(got), .1*w.norm(q).expand(4), atol=1e-4)   # the dual norm
    assert torch.allclose(fgsm(net, x, 1-y, .1, norm, targeted=True), got, atol=1e-5) # towards the other is away from this one

@pytest.mark.parametrize('norm,eps', [('inf',.07), (2,.8)])
def test_balls_and_strength(norm, eps):
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4*36, 3)).eval()
    x,y = torch.rand(16, 1, 8, 8), torch.randint(3, (16,))
    grads = [p.grad for p in net.parameters()]
    a,b = fgsm(net, x, y, eps, norm), pgd(net, x, y, eps, norm, steps=8, seed=3)
    size = (lambda d: d.abs().amax()) if norm == 'inf' else (lambda d: d.flatten(1).norm(dim=1).max())
    for z in (a, b, (x+random_change(x, eps, norm)).clamp(0, 1)):
        assert size(z-x) <= eps*(1+1e-5) and z.min() >= 0 and z.max() <= 1
    assert (case_loss(net(b), y) >= case_loss(net(a), y)-1e-6).all()
    assert case_loss(net(b), y).mean() > case_loss(net((x+random_change(x, eps, norm)).clamp(0, 1)), y).mean()
    assert torch.equal(b, pgd(net, x, y, eps, norm, steps=8, seed=3))
    assert [p.grad for p in net.parameters()] == grads
    d = torch.randn(6, 1, 8, 8)
    assert torch.allclose(into_ball(into_ball(d, eps, norm), eps, norm), into_ball(d, eps, norm)) and size(random_change(x, eps, norm)) == pytest.approx(eps, rel=1e-5)

@pytest.mark.parametrize('norm,q', [('inf',1), (2,2)])
def test_deepfool_goes_to_the_nearest_of_several_borders(norm, q):
    net = linear()
    x = torch.rand(1, 1, 8, 8)
    s = net(x)[0].detach(); k = int(s.argmax())
    far = min(float((s[k]-s[j]).abs()/(net[1].weight[j]-net[1].weight[k]).norm(q)) for j in range(3) if j != k)
    r = deepfool(net, x, norm)
    reach = float(r.abs().max() if norm == 'inf' else r.norm())
    assert reach == pytest.approx(1.02*far, rel=.02, abs=1e-3) and net(x+r).argmax() != k

def test_universal_stays_in_its_ball_and_is_replayable():
    net,X = linear(), torch.rand(12, 1, 8, 8)
    u = universal(net, X, .2, seed=2)
    assert u.abs().max() <= .2*(1+1e-6) and torch.equal(u, universal(net, X, .2, seed=2))

def test_first_shown_needs_all_worse_ones():
    assert [first_shown(w) for w in ([], [True], [True,False], [False,True,True])] == [None, 0, None, 1]

@pytest.fixture(scope='module')
def learn():
    "A small network that tells a bright half from a dark one (SYNTHETIC), at little contrast."
    rng,rows = np.random.default_rng(0), []
    for p in range(48):
        a = rng.normal(0, 60, (24,24)); a[:12] += 25*(1 if p%2 else -1)
        rows += [dict(PatientID=f'P{p}', half='top' if p%2 else 'bottom', volume=Volume((a+rng.normal(0, 20, a.shape)).astype(np.float32)[None], np.diag([5,2,2,1.]), 'HU')) for _ in range(2)]
    learn = classify_learner(classify_dls(pd.DataFrame(rows), 'half', bs=16, window=(0,600), aug=False, valid=.4), 'small', lr=1e-2)
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(6)
    return learn

def state(learn):
    return ({k: v.clone() for k,v in learn.model.state_dict().items()}, [m.training for m in learn.model.modules()], learn.operating_point, len(learn.reader.cache.kept),
            torch.get_rng_state(), np.random.get_state()[1].copy())

def same(a, b):
    return (all(torch.equal(v, b[0][k]) for k,v in a[0].items()) and a[1:4] == b[1:4] and torch.equal(a[4], b[4]) and (a[5] == b[5]).all())

def test_learner_untouched_and_replayable(learn):
    before = state(learn)
    one,two = (robustness(learn, corruptions={'noise': (50,200), 'blur': (4,)}, seed=7, n=30) for _ in range(2))
    hit = attack(learn, eps=(.02,.05), steps=3, n=12, seed=7)
    assert same(before, state(learn))
    pd.testing.assert_frame_equal(one.table, two.table)
    pd.testing.assert_frame_equal(hit.table, attack(learn, eps=(.02,.05), steps=3, n=12, seed=7).table)
    assert np.allclose(one.P['clean'][:,1], learn.predict_proba(one.rows), atol=1e-5)
    assert one.estimates['noise',200]['value'].n == one.n_patients == one.rows.PatientID.nunique()

def test_universal_fools_more_than_noise_of_its_size(learn):
    before = state(learn)
    u = universal_perturbation(learn, eps=.12, n=24, passes=2)
    assert u.fooled.value > u.by_chance.value and u.difference.low > 0
    assert same(before, state(learn))

def test_wrong_calls_are_refused(learn):
    for wrong in (lambda: robustness(learn, corruptions=['fog']), lambda: attack(learn, kind='magic'), lambda: attack(learn, target='middle'), lambda: attack(learn, norm=1)):
        with pytest.raises(BadInput): wrong()
