"Networks of MONAI, timm and torchvision as radnb builds them; weights files that attack; volumes from slices; stages that fastai can freeze."
import json, os, pickle
import pytest, torch
from fastai.learner import Learner
from fastai.data.core import DataLoaders
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from radnb.core import BadInput, WeightsUnavailable
from radnb.train.losses import DeepSupervision, DiceCELoss
from radnb.train.models import Padded, UNet, _monai_classifier, create_classifier, create_segmenter, inflate, param_stages, save_weights, split_params
from radnb.train.weights import bundle_net, find_weights, load_weights, weights

nets = pytest.importorskip('monai.networks.nets', reason="pip install 'radnb[monai]'")

@pytest.fixture(autouse=True)
def no_files(tmp_path, monkeypatch):
    "No real file of weights is looked at, and none is fetched."
    monkeypatch.setenv('RADNB_WEIGHTS', str(tmp_path/'weights'))
    monkeypatch.setenv('HF_HOME', str(tmp_path/'hf'))
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path/'hub'))
    def refuse(*args, **kwargs): raise AssertionError('a download without download=True')
    monkeypatch.setattr(torch.hub, 'download_url_to_file', refuse)
    (tmp_path/'weights').mkdir()

def whole(net):
    "Every parameter in exactly one stage."
    stages = param_stages(net)
    assert sorted(id(p) for s in stages for p in s) == sorted(id(p) for p in net.parameters())
    return stages

@pytest.mark.parametrize('arch', ['monai_unet','monai_segresnet','monai_dynunet','monai_swinunetr'])
def test_monai_segmenters_take_any_size(arch):
    net = create_segmenter(arch, 3, 2, 3, (32,32,32)).eval()
    with torch.no_grad(): assert net(torch.rand(1,2,9,33,20)).shape == (1,3,9,33,20)
    whole(net)

def test_weights_of_a_monai_network_come_back(tmp_path):
    net = create_segmenter('monai_segresnet', 2, ndim=2)
    again = create_segmenter('monai_segresnet', 2, ndim=2, weights=save_weights(net, tmp_path/'own.safetensors', (.4,.2)))
    assert again.stats == (.4,.2) and torch.equal(again.net.convInit.conv.weight, net.net.convInit.conv.weight)
    torch.save(net.net.state_dict(), tmp_path/'theirs.pt')
    assert isinstance(create_segmenter('monai_segresnet', 2, ndim=2, weights=tmp_path/'theirs.pt'), Padded)

@pytest.mark.parametrize('depth', [10])
def test_medicalnet_names_fit_and_the_grey_filters_stay(depth, tmp_path, monkeypatch):
    "A file with MedicalNet's names (its own writes 'module.' before each and has no last layer)."
    plain = _monai_classifier(f'monai_resnet{depth}', 3)
    file = tmp_path/'weights'/f'resnet_{depth}_23dataset.pth'
    torch.save(dict(state_dict={f'module.{k}': v for k,v in plain.state_dict().items() if not k.startswith('fc.')}), file)
    net = create_classifier(f'monai_resnet{depth}', 2, 2, 3, f'medicalnet/resnet{depth}')
    assert net.pretrained and net.stats is None and len(split_params(net)) == 2 and len(whole(net)) == 6
    torch.testing.assert_close(net[0][0].weight.sum(1), plain.conv1.weight[:,0])
    assert net(torch.rand(2,2,16,32,32)).shape == (2,2)

def test_shortcut_that_pads_equals_monais_and_lets_gradients_through():
    theirs = nets.resnet18(spatial_dims=3, n_input_channels=1, num_classes=2, conv1_t_stride=2, shortcut_type='A', bias_downsample=False).eval()
    ours = _monai_classifier('monai_resnet18', 3).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.rand(1,1,16,16,16)
    torch.testing.assert_close(ours(x), theirs(x))
    assert pickle.loads(pickle.dumps(ours))(x).shape == (1,2)

@pytest.mark.parametrize('arch,n', [('resnet18',6),('efficientnet_b0',10),('timm/resnet10t',6),('timm/vit_tiny_patch16_224',14)])
def test_stages_of_libraries_nets(arch, n):
    if 'vit' in arch:
        timm = pytest.importorskip('timm')
        net = timm.create_model(arch[5:], num_classes=2)
    else: net = create_classifier(arch)
    assert len(whole(net)) == n

@pytest.mark.parametrize('arch', ['efficientnet_b0','densenet121'])
def test_inflated_answers_as_its_slice_does(arch):
    flat = create_classifier(arch)[0].eval()
    x = torch.rand(1,1,64,64)
    with torch.no_grad():
        want,got = flat(x), inflate(flat).eval()(x[:,:,None].repeat(1,1,16,1,1))
    for k in range(got.shape[2]): torch.testing.assert_close(got[:,:,k], want, rtol=1e-3, atol=1e-4)

@pytest.mark.parametrize('view,pool', [('25d','mean'),('orthogonal','attention'),('inflate',None)])
def test_a_2d_network_learns_from_volumes(view, pool):
    net = create_classifier('resnet18', 2, 2, 3, view=view, pool=pool)
    net(torch.rand(2,2,6,24,32)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    whole(net)

def test_freezing_stage_by_stage_in_fastai():
    net = create_classifier('small', 2)
    data = TensorDataset(torch.rand(4,1,16,16), torch.tensor([0,1,0,1]))
    learn = Learner(DataLoaders(DataLoader(data, 2), DataLoader(data, 2)), net, loss_func=nn.CrossEntropyLoss(), splitter=param_stages)
    learn.freeze_to(-2)
    trained = [any(p.requires_grad and p.ndim > 1 for p in s) for s in learn.splitter(net)]
    assert trained[-2:] == [True,True] and not any(trained[:-2])

def test_deep_supervision_trains_and_exports_without_it():
    net = create_segmenter('unet', 2, deep_supervision=True, channels=(4,8,8), shape=(16,16,16))
    loss = DeepSupervision(DiceCELoss())
    opt,x = torch.optim.Adam(net.parameters(), .02), torch.rand(2,1,16,16,16)
    y = (x[:,0] > .7).long()
    first = float(loss(net(x), y).detach())
    for _ in range(25): opt.zero_grad(); loss(net(x), y).backward(); opt.step()
    assert float(loss(net(x), y).detach()) < .7*first
    assert isinstance(net.eval()(x), torch.Tensor)

class Attack:
    def __init__(self, target): self.target = target
    def __reduce__(self): return (os.mkdir, (self.target,))

@pytest.mark.parametrize('wrap', [lambda a: a, lambda a: dict(state_dict=dict(w=torch.zeros(1), evil=a)), lambda a: [a]])
@pytest.mark.parametrize('legacy', [False,True])
def test_a_file_that_would_execute_code_is_refused_by_every_door(wrap, legacy, tmp_path):
    owned,file = tmp_path/'owned', tmp_path/'evil.pth'
    torch.save(wrap(Attack(str(owned))), file, _use_new_zipfile_serialization=not legacy)
    for door in (lambda: load_weights('small', file), lambda: create_classifier('small', weights=file), lambda: create_segmenter(weights=file)):
        with pytest.raises(BadInput, match='program code'): door()
    assert not owned.exists()

def test_bundle(tmp_path):
    (tmp_path/'configs').mkdir(); (tmp_path/'models').mkdir()
    args = dict(spatial_dims=3, in_channels=1, out_channels=2, channels=[4,8], strides=[2])
    (tmp_path/'configs'/'inference.json').write_text(json.dumps(dict(imports=['$import os'], net_args=3, network_def=dict(_target_='monai.networks.nets.UNet', **args))))
    with pytest.raises(WeightsUnavailable, match='no weights'): bundle_net(tmp_path)
    plain = nets.UNet(**args)
    torch.save(plain.state_dict(), tmp_path/'models'/'model.pt')
    net = create_segmenter(bundle_net(tmp_path))
    x = torch.rand(1,1,16,16,16)
    torch.testing.assert_close(net.eval()(x), plain.eval()(x))
    (tmp_path/'configs'/'inference.json').write_text(json.dumps(dict(network_def=dict(_target_='os.mkdir', path='x'))))
    with pytest.raises(BadInput, match='no network'): bundle_net(tmp_path)

def test_hash_of_a_known_file(tmp_path):
    w = weights('imagenet/resnet34')
    (tmp_path/'weights'/w.file).write_bytes(b'not it')
    with pytest.raises(BadInput, match='not the file it should be'): find_weights('imagenet/resnet34')

def test_torchxrayvision_layout_and_range(tmp_path):
    "Their DenseNet is torchvision's with one channel and 18 outputs; grey from 0 to 1 must reach it as -1024 to 1024."
    import torchvision
    plain = torchvision.models.densenet121(num_classes=18)
    plain.features.conv0 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    torch.save(plain.state_dict(), tmp_path/'weights'/weights('xrv/all').file)
    net = create_classifier('densenet121', 2, weights='xrv/all').eval()
    x = torch.rand(1,1,64,64)
    with torch.no_grad(): seen = []; net[0].register_forward_pre_hook(lambda m, a: seen.append(a[0])); net(x)
    torch.testing.assert_close(seen[0], (2*x-1)*1024)
    assert torch.equal(net[0][0].weight, plain.features.conv0.weight)

def test_unet_strides_that_do_not_fit_are_named():
    with pytest.raises(BadInput, match='3 strides for 3 levels'): UNet(channels=(4,8,16), strides=[1,2,2])
