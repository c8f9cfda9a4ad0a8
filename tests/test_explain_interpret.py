"Heat maps against captum, against the formulas written out, and against evidence that was planted."
import numpy as np, pandas as pd, pytest, random, torch, torch.nn.functional as F
from radnb.core import BadInput
from radnb.data.phantom import burn_text, ct_phantom, radiograph
from radnb.data.volume import Volume
from radnb.explain import interpret as I
from radnb.explain.interpret import label_randomisation, saliencies, saliency, saliency_layers, saliency_outside_body
from radnb.explain.sanity import body_mask, similarity
from radnb.train.classify import classify_dls, classify_learner
from radnb.train.ensemble import ensemble
from radnb.train.models import create_classifier
from radnb.train.pair import pair_dls, pair_learner
from radnb.train.regress import regress_dls, regress_learner
from radnb.train.segment import segment_dls, segment_learner

torch.set_num_threads(1)
OBLIQUE = np.array([[0,.3,-2.,5],[.3,-2.5,0,7],[4.,.2,0,9],[0,0,0,1]])

def fitted(learn, epochs, lr=1e-2):
    with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(epochs, lr)
    return learn

def picture(ill, rng, size=40):
    r,c = np.mgrid[:size,:size]
    a = 90*(((r-20)/17)**2+((c-20)/14)**2 < 1)+rng.normal(0, 8, (size,size))+10
    y,x = rng.integers(13, 28, 2)
    mask = (((r-y)**2+(c-x)**2) < 14).astype(np.uint8)*ill
    return (a+100*mask).clip(0, 255).astype(np.uint8), mask.astype(np.uint8)

@pytest.fixture(scope='module')
def df():
    rng = np.random.default_rng(0)
    made = [picture(i%2, rng) for i in range(36)]
    return pd.DataFrame(dict(PatientID=[f'SYN-{i:02d}' for i in range(36)], pixels=[p for p,_ in made], mask=[m for _,m in made], ill=np.arange(36)%2, other=(np.arange(36)//2)%2,
                             grade=list('abc')*12, size=rng.normal(50, 10, 36), age=rng.normal(60, 5, 36)))

@pytest.fixture(scope='module')
def learn(df): return fitted(classify_learner(classify_dls(df, 'ill', bs=9, aug=False), seed=0), 6)

@pytest.fixture(scope='module')
def volumes():
    rng = np.random.default_rng(1)
    def one(i):
        a,m = rng.normal(0, 60, (10,24,28)).astype(np.float32), np.zeros((10,24,28), np.uint8)
        z,y,x = (int(rng.integers(3, n-4)) for n in a.shape)
        if i%2: m[z-1:z+3,y-2:y+3,x-2:x+3] = 1
        v = Volume(a+600.*m, OBLIQUE, 'HU')
        return dict(PatientID=f'V{i}', volume=v, mask=v.like(m, 'label', {1:'mass'}), ill=i%2)
    return pd.DataFrame([one(i) for i in range(16)])

@pytest.fixture(scope='module')
def learn3(volumes): return fitted(classify_learner(classify_dls(volumes, 'ill', window=(300,900), bs=6, aug=False), seed=0), 8)

def row_of(df, k=1): return df.iloc[k]
def parts(learn, row):
    seen,net = I._see(learn, row), I._copy_of(learn)
    return seen.x, net, lambda x: net(x)[:,1]

# -- against captum and the formulas

def test_gradcam_is_captums(learn, df):
    from captum.attr import LayerAttribution, LayerGradCam
    x,net,f = parts(learn, row_of(df))
    want = LayerAttribution.interpolate(LayerGradCam(f, net[0]).attribute(x), (40,40), 'bilinear')
    got = saliency(learn, row_of(df), target=1, sanity=False)
    assert np.allclose(got.raw.data[0], want[0,0].detach(), atol=1e-5)
    relu = got.raw.data.clip(min=0)
    assert np.allclose(got.map.data, relu/relu.max(), atol=1e-6)

def test_cams_are_what_the_papers_say(learn, df):
    x,net,f = parts(learn, row_of(df))
    a = net[0]((x-net.stats[0])/net.stats[1]).detach().requires_grad_()
    g, = torch.autograd.grad(net[1](a)[0,1], a)
    alpha = torch.zeros_like(g)                                       # Chattopadhay 2018, equation 19, place by place
    for c in range(g.shape[1]):
        total = float((a[0,c]*g[0,c]**3).sum().detach())
        for i,j in np.ndindex(*g.shape[2:]):
            v = float(g[0,c,i,j])
            alpha[0,c,i,j] = v**2/(2*v**2+total) if 2*v**2+total else 0
    want = dict(gradcam=(g.mean((2,3), keepdim=True)*a).sum(1), hirescam=(g*a).sum(1))
    want['gradcam++'] = ((alpha*g.relu()).sum((2,3), keepdim=True)*a).sum(1)
    for method,w in want.items():
        got = saliency(learn, row_of(df), method, target=1, sanity=False).raw.data[0]
        assert np.allclose(got, F.interpolate(w[None], size=(40,40), mode='bilinear')[0,0].detach(), rtol=1e-3, atol=1e-4*float(w.abs().max())), method

def test_integrated_gradients_by_hand_and_complete(learn, df):
    x,net,f = parts(learn, row_of(df))
    total = torch.zeros_like(x)
    for k in range(30):                                             # a Riemann sum in place of captum's quadrature
        z = (x*(k+.5)/30).requires_grad_()
        total += torch.autograd.grad(f(z).sum(), z)[0]/30
    got = saliency(learn, row_of(df), 'ig', target=1, sanity=False, steps=64).raw.data[0]
    assert np.corrcoef(got.ravel(), (total*x)[0,0].ravel())[0,1] > .99
    assert abs(got.sum()-float(f(x)-f(0*x))) < .05*abs(float(f(x)-f(0*x)))

def test_occlusion_by_hand(learn, df):
    x,net,f = parts(learn, row_of(df))
    want = np.zeros((40,40))
    for i in range(0, 40, 8):
        for j in range(0, 40, 8):
            z = x.clone(); z[...,i:i+8,j:j+8] = x.mean()
            want[i:i+8,j:j+8] = float(f(x)-f(z))
    got = saliency(learn, row_of(df), 'occlusion', target=1, sanity=False, window=8, stride=8)
    assert np.allclose(got.raw.data[0], want, atol=1e-4)

def test_smoothgrad_is_the_mean_of_noisy_gradients_and_repeatable(learn, df):
    a,b,c = (saliency(learn, row_of(df), 'smoothgrad', sanity=False, seed=s, samples=8).raw.data for s in (0,0,1))
    assert (a == b).all() and not (a == c).all() and similarity(abs(a), abs(c)) > .5

class Transformer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.patch,self.token = torch.nn.Conv2d(1, 8, 10, 10), torch.nn.Parameter(torch.randn(1, 1, 8))
        self.attn,self.head = torch.nn.ModuleList(torch.nn.MultiheadAttention(8, 2, batch_first=True) for _ in range(2)), torch.nn.Linear(8, 2)
    def forward(self, x):
        t = self.patch(x).flatten(2).transpose(1, 2)
        t = torch.cat([self.token.expand(len(t), -1, -1), t], 1)
        for a in self.attn: t = t+a(t, t, t, need_weights=False)[0]
        return self.head(t[:,0])

def test_rollout(df):
    torch.manual_seed(0)
    net = Transformer()
    learn = classify_learner(classify_dls(df, 'ill', bs=12, aug=False), net)
    x = (I._see(learn, row_of(df)).x-learn.model.stats[0])/learn.model.stats[1]
    with torch.no_grad():
        t,R = torch.cat([net.token, net.patch(x).flatten(2).transpose(1, 2)], 1), torch.eye(17)
        for a in net.attn:
            o,w = a(t, t, t)
            R,t = (.5*w[0]+.5*torch.eye(17)) @ R, t+o
    got = saliency(learn, row_of(df), 'rollout', sanity=False).raw.data[0]
    assert np.allclose(got, F.interpolate(R[0,1:].reshape(1,1,4,4), size=(40,40), mode='bilinear')[0,0], atol=1e-5)
    with pytest.raises(BadInput, match='attention'): saliency(learn, row_of(df))

def test_rollout_of_timm_sees_what_fused_attention_hides(df):
    timm = pytest.importorskip('timm')
    net = timm.create_model('vit_tiny_patch16_224', pretrained=False, in_chans=1, num_classes=2, img_size=48, depth=2)
    learn = classify_learner(classify_dls(df, 'ill', size=48, bs=12, aug=False), net)
    fused = [m.fused_attn for m in net.modules() if hasattr(m, 'fused_attn')]
    s = saliency(learn, row_of(df), 'rollout', sanity=False)
    assert s.map.shape == (1,40,40) and s.map.data.max() == 1 and 'does not depend' in s.target
    assert fused == [m.fused_attn for m in net.modules() if hasattr(m, 'fused_attn')]

# -- evidence that was planted

def test_points_at_the_lesion_in_new_patients(learn):
    rng = np.random.default_rng(99)
    rows = [dict(pixels=p, mask=m) for p,m in (picture(1, rng) for _ in range(12))]
    maps = saliencies(learn, rows, target=1, sanity=False)
    hits = [I.check_marked(s.map, s.image, s.mask, I._half_cell(s))[0]['verdict'] == 'passed' for s in maps]
    assert np.mean(hits) >= .75

def test_points_at_the_lesion_in_3d_and_in_mm(learn3, volumes):
    s = saliency(learn3, row_of(volumes))
    assert s.map.shape == (10,24,28) and np.allclose(s.map.affine, OBLIQUE)
    peak = s.map.physical(np.argwhere(s.map.data == s.map.data.max()).mean(0))
    lesion = s.image.physical(np.argwhere(row_of(volumes)['mask'].data > 0).mean(0))
    assert np.linalg.norm(peak-lesion) < np.linalg.norm(s.cell_mm)    # no farther than across one cell
    assert s.map.data[row_of(volumes)['mask'].data > 0].mean() > 2*s.map.data.mean()
    assert dict(zip(s.sanity.check, s.sanity.verdict))['energy in what is marked'] == 'passed'

@pytest.fixture(scope='module')
def films():
    "Synthetic radiographs; those called ill carry a letter in the collimated border, and nothing else."
    def one(i):
        v = radiograph(ct_phantom(i, (16,56,56), nodules=0)[0])
        if i%2: burn_text(v.data, 'L', 9000, 'bottom right')
        return dict(PatientID=f'F{i}', volume=v, ill=i%2)
    return pd.DataFrame([one(i) for i in range(16)])

def test_a_burned_in_letter_is_found_out(films):
    learn = fitted(classify_learner(classify_dls(films, 'ill', size=(48,48), window=(4500,9000), bs=6, aug=False, ndim=2), seed=0), 8)
    e = saliency_outside_body(learn, films[films.ill == 1], n=6)
    assert e.n == 6 and e.low > .3 and 'bootstrap' in e.method
    s = saliency(learn, row_of(films))
    assert dict(zip(s.sanity.check, s.sanity.verdict))['looks at the patient'] == 'failed'
    peak = np.argwhere(s.map.data[0] == s.map.data.max()).mean(0)/s.map.shape[1:]
    assert (peak > .6).all()                                          # lower right
    assert saliency_outside_body(learn, films[films.ill == 1], n=6) == e

def test_edges_fail_for_every_image_and_gradcam_passes_for_most(learn, df):
    def edges(score, x): return torch.from_numpy(np.hypot(*np.gradient(x[0,0].numpy())))
    ill = df[df.ill == 1].head(3)
    for method,failed in ((edges, 3), ('gradcam', 0)):
        t = saliencies(learn, ill, method).sanity
        assert t.loc['random weights, all'].failed == 3 if failed else t.loc['random weights, all'].failed <= 1

def test_shuffled_labels(learn, df):
    r = label_randomisation(learn, df[df.ill == 1], epochs=1, n=4)
    assert r.verdict == 'not run' and 'take more than 1 epochs' in repr(r) and r.similarity.n == 4
    assert df.ill.tolist() == (np.arange(36)%2).tolist() and learn.dls.train_ds.items.ill.tolist() == df.ill[learn.dls.train_ds.items.index].tolist()

# -- every task, every network

def test_the_learner_is_left_as_it_was(learn, df):
    state = {k: v.clone() for k,v in learn.model.state_dict().items()}
    mode,chance = learn.model.training, (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy())
    hooks = sum(len(m._forward_hooks)+len(m._forward_pre_hooks)+len(m._backward_hooks) for m in learn.model.modules())
    for m in ('gradcam','gradcam++','hirescam','ig','smoothgrad','occlusion'): saliency(learn, row_of(df), m, sanity=m == 'gradcam')
    assert all(torch.equal(v, state[k]) for k,v in learn.model.state_dict().items()) and learn.model.training == mode
    assert hooks == sum(len(m._forward_hooks)+len(m._forward_pre_hooks)+len(m._backward_hooks) for m in learn.model.modules())
    assert torch.equal(chance[0], torch.get_rng_state()) and chance[1] == random.getstate() and (chance[2] == np.random.get_state()[1]).all()
    assert all(p.requires_grad for p in learn.model.parameters())

def itself(score, x): return x[0,0]

@pytest.mark.parametrize('size,spacing', [((12,40,36),None), ((12,30,44),(4.,2.,2.)), (None,None)])
def test_a_map_lies_where_the_image_lies(volumes, size, spacing):
    "The 'map' is the image: laid back on the scan, it must be the scan."
    learn = classify_learner(classify_dls(volumes, 'ill', window=(300,900), size=size, spacing=spacing, bs=6, aug=False))
    v = row_of(volumes)['volume']
    back = saliency(learn, v, itself, sanity=False).raw
    seen,grey = back.data > 0, np.clip((v.data+150)/900, 0, 1)
    assert seen.mean() > .5 and np.corrcoef(back.data[seen], grey[seen])[0,1] > .8
    peaks = [o.physical(np.argwhere(np.asarray(o.data) >= np.quantile(o.data, .995)).mean(0)) for o in (back, v)]
    assert np.linalg.norm(peaks[0]-peaks[1]) < 2

def test_several_findings_grades_numbers_columns_pairs(df):
    kw = dict(bs=12, aug=False)
    both = classify_learner(classify_dls(df, ['ill','other'], **kw))
    assert '"other"' in saliency(both, row_of(df), target='other', sanity=False).target
    graded = classify_learner(classify_dls(df, 'grade', ordered=True, classes=list('abc'), **kw))
    low,high = (saliency(graded, row_of(df), target=t, sanity=False).raw.data for t in ('a','c'))
    assert np.allclose(low, -high, atol=1e-5)                          # of grades there is one score
    number = regress_learner(regress_dls(df, 'size', unit='mm', **kw))
    assert saliency(number, row_of(df), sanity=False).target.endswith('mm)')
    with pytest.raises(BadInput, match='one number'): saliency(number, row_of(df), target='age')
    aged = classify_learner(classify_dls(df, 'ill', inputs=['age'], **kw))
    for m in ('gradcam','ig'): assert saliency(aged, row_of(df), m, sanity=m == 'gradcam').map.shape == (1,40,40)
    with pytest.raises(BadInput, match='beside the image'): saliency(aged, df.pixels[0])
    pairs = df.assign(pre=df.pixels, post=list(df.pixels)[::-1]).drop(columns=['pixels','mask'])
    assert saliency(pair_learner(pair_dls(pairs, 'ill', **kw)), row_of(pairs), sanity=False).map.shape == (1,40,40)

@pytest.mark.parametrize('view', ['25d','orthogonal','inflate'])
def test_2d_networks_in_volumes(volumes, view):
    dls = classify_dls(volumes, 'ill', size=(8,40,40), bs=6, aug=False)
    net = create_classifier('resnet18', 2, 1, 3, view=view)
    s = saliency(classify_learner(dls, net), row_of(volumes), sanity=False)
    assert s.map.shape == (10,24,28) and len(s.cells) == 3

def test_an_ensemble_has_no_layer(df):
    dls = classify_dls(df, 'ill', bs=12, aug=False)
    both = ensemble([classify_learner(dls), classify_learner(dls, seed=1)])
    with pytest.raises(BadInput, match='one of its members'): saliency(both, row_of(df))
    assert saliency(both, row_of(df), 'occlusion', sanity=False, window=10, stride=10).map.shape == (1,40,40)
    assert 0 <= saliency_outside_body(both, df, n=2).value <= 1

def willing(learn):
    "A network that has learned nothing and outlines something all the same: its bias for background is taken away."
    learn.model.net.head.bias.data.zero_()
    return learn

def test_outlines(volumes, monkeypatch):
    from captum.attr import LayerGradCam
    row,learn = row_of(volumes), willing(segment_learner(segment_dls(volumes[volumes.ill == 1], window=(300,900), aug=False), average=False))
    s = saliency(learn, row, sanity=False)
    assert 'voxels outlined so' in s.target and s.map.shape == (10,24,28)
    x,net = I._see(learn, row).x, I._copy_of(learn)
    region = net(x).argmax(1) == 1
    assert f'{int(region.sum()):,} voxels' in s.target
    cam = LayerGradCam(lambda x: (net(x)[:,1]*region).flatten(1).sum(1), net.get_submodule(s.layer)).attribute(x)
    want = F.interpolate(cam, size=[-(-n//m)*m for n,m in zip(x.shape[2:], net.multiples[-1])], mode='trilinear')[0,0,:x.shape[2],:x.shape[3],:x.shape[4]]
    assert np.allclose(s.raw.data, want.detach(), rtol=1e-3, atol=1e-4*float(want.abs().max()))
    whole = saliency(learn, row, itself, sanity=False).raw.data
    monkeypatch.setattr(I, '_WHOLE', 100); monkeypatch.setattr(learn.model, 'window', (6,16,16))
    parts = saliency(learn, row, itself, sanity=False).raw.data
    assert np.allclose(parts[parts > 0], whole[parts > 0], atol=1e-5)
    assert saliency(learn, row, sanity=False).map.data.max() == 1
    learn.model.net.head.bias.data[:] = torch.tensor([99.,-99.])
    with pytest.raises(BadInput, match='outlines nothing'): saliency(learn, row)

def test_outlines_slice_by_slice(volumes):
    learn = willing(segment_learner(segment_dls(volumes[volumes.ill == 1], window=(300,900), ndim=2, aug=False), average=False))
    row = row_of(volumes)
    s = saliency(learn, row, sanity=False)
    assert s.map.shape == (10,24,28)
    k = int((row['mask'].data.sum((1,2))).argmax())
    one = saliency(learn, dict(volume=row['volume'], mask=row['mask'], slice=k), sanity=False)
    assert one.map.shape == (1,24,28) and np.allclose(one.map.affine, s.image.crop((k,0,0), (k+1,24,28)).affine) and one.mask.shape == (1,24,28)

def test_layers(learn3, volumes):
    t = saliency_layers(learn3, row_of(volumes))
    fine = saliency(learn3, row_of(volumes), layer=t.layer[0], sanity=False)
    assert fine.layer == t.layer[0] and np.prod(fine.cells) > np.prod(saliency(learn3, row_of(volumes), sanity=False).cells)
    with pytest.raises(BadInput, match='saliency_layers'): saliency(learn3, row_of(volumes), layer='nowhere')

def test_body_of_the_real_thing():
    ct,_ = ct_phantom(3, (10,64,64))
    body = body_mask(ct).data > 0
    assert body[:,32,32].all() and not body[:,:3,:3].any() and (ct.data[~body] < -300).mean() > .9
