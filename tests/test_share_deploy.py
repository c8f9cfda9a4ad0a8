"Networks that leave: ONNX answers as the learner does for every task, on a machine without torch too; bundles that MONAI runs; learners from strangers that cannot run code."
import json, pickle, subprocess, sys, textwrap, types, zipfile
import numpy as np, pandas as pd, pytest, torch
import torch.nn.functional as F
from radnb.core import BadInput
from radnb.data.phantom import write_dicom
from radnb.data.prepare import _resize
from radnb.data.volume import Volume
from radnb.measure.stats import OperatingPoint
from radnb.share.bundle import export_bundle, export_torch
from radnb.share.onnx_export import export_onnx
from radnb.share.predictor import load_predictor
from radnb.share.safe_load import load_learner
from radnb.train.classify import classify_dls, classify_learner
from radnb.train.ensemble import ensemble
from radnb.train.pair import pair_dls, pair_learner
from radnb.train.regress import regress_dls, regress_learner
from radnb.train.segment import segment_dls, segment_learner

rng = np.random.default_rng(0)
pytestmark = pytest.mark.filterwarnings('ignore')

def shaken(learn, seed=0):
    "Every weight and statistic moved, so that nothing is zero or one by design."
    g = torch.Generator().manual_seed(seed)
    for k,t in learn.model.state_dict().items():
        if t.is_floating_point() and t.ndim: t.add_(.03*(torch.rand(t.shape, generator=g) if k.endswith('var') else torch.randn(t.shape, generator=g)))
    return learn

def films(n=16, **kw):
    return pd.DataFrame(dict(PatientID=[f'P{i:02d}' for i in range(n)], pixels=[rng.random((24,28), np.float32) for _ in range(n)], **kw))

def scan(i, shape=(10,20,24), codes='LSA'):
    y = np.zeros(shape, np.uint8); y[3:8,5:12,6+i:13+i] = 1; y[4:6,7:10,8+i:11+i] = 2
    vol = Volume(rng.normal(.2, .1, shape).astype(np.float32)+.3*y, np.diag([-1.,-1,2,1])[:,[2,1,0,3]])
    mask = vol.like(y, 'label', {1: 'oedema', 2: 'core'})
    return dict(PatientID=f'S{i}', volume=vol.reorient(codes), mask=mask.reorient(codes))

def torch_resize(x, shape):
    c,d,h,w = x.shape
    lin = dict(mode='bilinear', align_corners=False, antialias=True)
    x = F.interpolate(x.reshape(1, c*d, h, w), size=tuple(shape[1:]), **lin).reshape(c, d, *shape[1:])
    return F.interpolate(x.reshape(1, c, d, -1), size=(shape[0], shape[1]*shape[2]), **lin).reshape(c, *shape)

def test_resampling_is_torchs():
    for _ in range(60):
        old,new = rng.integers(1, (2,20,90,90), 4)+(0,0,1,1), rng.integers(1, (24,100,100))+1
        x = rng.random(old, np.float32)
        assert np.abs(_resize(x, tuple(new))-torch_resize(torch.from_numpy(x), new).numpy()).max() < 1e-6

def same_answers(learn, row, folder, **kw):
    predictor = load_predictor(export_onnx(learn, folder, **{**dict(dynamo=False), **kw}))
    said = predictor.predict(row)
    p = np.asarray(list(said.probabilities.values()))
    assert ((p > .001) & (p < .999)).any() or folder.name == 'vote'     # nothing saturated: a difference would show
    want = np.atleast_1d(learn.predict_proba(row))
    assert np.abs((p[1:] if len(want) == 1 else p)-want).max() < 1e-4
    label = learn.predict_label(row)
    assert said.label == ([n for n in label.index if label[n]] if learn.task == 'multilabel' else label)
    return predictor, said

@pytest.mark.parametrize('kind', ['binary','classes','findings','grades','columns','attention'])
def test_classes(kind, tmp_path):
    df,label,kw,net = films(finding=['normal','ill']*8), 'finding', {}, {}
    if kind == 'classes': df['finding'] = (['a','b','c']*6)[:16]
    if kind == 'findings': df,label = df.assign(effusion=[0,1]*8, nodule=[0,0,1,1]*4), ['effusion','nodule']
    if kind == 'grades': df['finding'],kw = [0,1,2,3]*4, dict(ordered=True)
    if kind == 'columns': df,kw = df.assign(age=['045Y','061Y','018M','070Y']*4, sex=['F','M','F',None]*4), dict(inputs=['age','sex'])
    if kind == 'attention': df,kw,net = df.assign(pixels=[rng.random((4,40,40), np.float32) for _ in range(16)]), dict(size=(4,40,40)), dict(arch='resnet18', view='25d')
    learn = shaken(classify_learner(classify_dls(df, label, aug=False, **kw), **net))
    if kind == 'binary': learn.operating_point = OperatingPoint(.2, 'by hand')
    if kind == 'classes': learn.operating_point = OperatingPoint(.3, 'by hand', positive='b')
    predictor,said = same_answers(learn, df.iloc[3].drop(label), tmp_path)
    assert predictor.operating_point == learn.operating_point and list(said.probabilities) == list(map(str, learn.dls.vocab))

def test_pairs_and_ensembles(tmp_path):
    pairs = films(finding=['stable','growing']*8).rename(columns=dict(pixels='pre')).assign(post=[rng.random((24,28), np.float32) for _ in range(16)])
    learn = shaken(pair_learner(pair_dls(pairs, 'finding', aug=False, window=(.5,1.))))
    same_answers(learn, pairs.iloc[2], tmp_path/'pair')
    dls = classify_dls(films(finding=['normal','ill']*8), 'finding', aug=False)
    for how in ('mean','vote'): same_answers(ensemble([shaken(classify_learner(dls), i) for i in range(3)], how, [1,2,4]), films(1).iloc[0], tmp_path/how)

def test_numbers_with_intervals(tmp_path):
    df = films(40, age=rng.normal(50, 9, 40))
    learn = shaken(regress_learner(regress_dls(df, 'age', 'years', aug=False)))
    for level in (.9,.8):
        if level == .8: learn.calibrate(level=.8)
        said,want = load_predictor(export_onnx(learn, tmp_path, dynamo=False)).predict(df.pixels[0]).number, learn.predict_number(df.pixels[0])
        assert np.allclose([said[k] for k in ('value','low','high','level')], [want.value, want.low, want.high, want.level], rtol=1e-5)
        assert said['unit'] == 'years' and said['calibrated'] == want.calibrated

def same_masks(learn, vol, folder, **kw):
    predictor = load_predictor(export_onnx(learn, folder, **{**dict(dynamo=False), **kw}))
    said,want = predictor.predict(vol), learn.predict_probability(vol)
    assert said.probability.shape == want.shape and np.abs(said.probability.data-want.data).max() < 1e-4
    assert np.array_equal(said.probability.affine, vol.affine)
    return predictor, said

@pytest.mark.parametrize('kind', ['labels','windows','slices','ensemble','windows of an ensemble'])
def test_masks(kind, tmp_path):
    df = pd.DataFrame([scan(i) for i in range(4)])
    dls = segment_dls(df, window=(.5,1.), spacing=(2.2,1.1) if kind == 'slices' else (2.2,1.1,1.), ndim=2 if kind == 'slices' else 3, aug=False, flips=('LR',) if kind != 'labels' else (),
                      patch=(16,16) if kind == 'slices' else (8,16,16), bs=2)
    learn = shaken(segment_learner(dls, channels=(4,8)))
    if 'ensemble' in kind: learn = ensemble([learn, shaken(segment_learner(dls, channels=(4,8,8)), 1)], weights=[1,3])
    for m in getattr(learn.model, 'nets', [learn.model]): m.max_voxels = 1000 if 'windows' in kind else m.max_voxels
    learn.operating_point = float(np.median(1-learn.predict_probability(df.volume[1]).data[0]))
    _,said = same_masks(learn, df.volume[1], tmp_path)
    assert (said.mask.data != learn.predict_mask(df.volume[1]).data).mean() < 1e-3 and 0 < (said.mask.data > 0).mean() < 1

def test_regions_that_overlap(tmp_path):
    df = pd.DataFrame([scan(i) for i in range(4)])
    learn = shaken(segment_learner(segment_dls(df, window=(.5,1.), regions={'whole': (1,2), 'core': (2,)}, patch=(8,16,16), aug=False, bs=2), channels=(4,8)))
    _,said = same_masks(learn, df.volume[1], tmp_path/'both')
    assert said.mask is None and np.array_equal(said.region('core').data, learn.region('core').predict_mask(df.volume[1]).data)
    one,alone = same_masks(learn.region('core'), df.volume[1], tmp_path/'one')
    assert one.names == {1: 'core'} and np.array_equal(alone.mask.data, said.region('core').data)

def test_torch_export_writes_the_same(tmp_path):
    df = pd.DataFrame([scan(i) for i in range(4)])
    learn = shaken(segment_learner(segment_dls(df, window=(.5,1.), patch=(8,16,16), aug=False, bs=2), channels=(4,8)))
    predictor,_ = same_masks(learn, df.volume[1], tmp_path, dynamo=True)
    assert predictor.info['graph']['exporter'] == 'torch.export' and predictor.info['graph']['opset'] >= 18

_ALONE = '''
    import sys
    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.split('.')[0] in ('torch','fastai','torchvision','monai','fasttransform','timm','onnx','onnxscript'): raise ModuleNotFoundError(f'{name} is blocked', name=name)
    sys.meta_path.insert(0, Blocked())
    import radnb.share.predictor
    assert not {'pandas','scipy','pydicom','onnxruntime'} & set(sys.modules), sorted({'pandas','scipy','pydicom','onnxruntime'} & set(sys.modules))
    predictor = radnb.share.predictor.load_predictor(sys.argv[1], threads=1)
    said = predictor.predict(sys.argv[2])
    import numpy as np
    np.save(sys.argv[3], said.probability.data)
    assert said.mask.meta['PatientID'] == 'SYN-0001' and not said.warnings, said.warnings
    assert not any(m in sys.modules for m in ('torch','fastai'))
'''

def test_a_folder_of_dicom_on_a_machine_without_torch(tmp_path):
    vol = Volume(rng.normal(0, 200, (10,20,24)).astype(np.int16), np.diag([-1.,-1,2,1])[:,[2,1,0,3]], 'HU', dict(Modality='CT', SeriesDescription='SYNTHETIC'))
    write_dicom(vol, tmp_path/'ct')
    df = pd.DataFrame([dict(PatientID=f'P{i}', path=tmp_path/'ct', mask=vol.like((vol.data > 100).astype(np.uint8), 'label', {1: 'lesion'})) for i in range(4)])
    learn = shaken(segment_learner(segment_dls(df, patch=(8,16,16), aug=False, bs=2), channels=(4,8)))
    export_onnx(learn, tmp_path/'model', dynamo=False)
    run = subprocess.run([sys.executable, '-c', textwrap.dedent(_ALONE), str(tmp_path/'model'), str(tmp_path/'ct'), str(tmp_path/'p.npy')], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert np.abs(np.load(tmp_path/'p.npy')-learn.predict_probability(tmp_path/'ct').data).max() < 1e-4

def test_a_bundle_runs_in_monai(tmp_path):
    ConfigWorkflow = pytest.importorskip('monai.bundle').ConfigWorkflow
    df = pd.DataFrame([scan(i) for i in range(4)])
    dls = segment_dls(df, window=(.5,1.), spacing=(2.2,1.1,1.), aug=False, flips=('LR',), patch=(8,16,16), bs=2)
    learn = ensemble([shaken(segment_learner(dls, channels=(4,8))), shaken(segment_learner(dls, channels=(4,8,8)), 1)], weights=[1,3])
    for m in learn.model.nets: m.max_voxels = 1000                                   # seen window by window
    learn.operating_point = float(np.median(1-learn.predict_probability(df.volume[1]).data[0]))
    there = export_bundle(learn, tmp_path/'bundle')
    (tmp_path/'nifti').mkdir()
    df.volume[1].to_nifti(tmp_path/'nifti'/'scan.nii.gz')
    meta = json.loads((there/'configs'/'metadata.json').read_text())
    for k in ('schema','version','changelog','monai_version','pytorch_version','numpy_version','task','description','authors','copyright','network_data_format'): assert meta[k], k
    assert not any(f'S{i}' in json.dumps(meta) for i in range(4))
    try:
        configs = [str(there/'configs'/n) for n in ('inference.json','metadata.json')]
        work = ConfigWorkflow(*configs, logging_file=False, workflow_type='infer', bundle_root=str(there), dataset_dir=str(tmp_path/'nifti'))
        work.initialize()
        (answer,), = work.run()
    finally: torch.set_grad_enabled(True)
    want = Volume.from_nifti(tmp_path/'nifti'/'scan.nii.gz')
    prob = learn.predict_probability(want).data
    assert np.abs(np.asarray(answer['pred']).transpose(0,3,2,1)-prob).max() < 1e-4
    mask = Volume.from_nifti(next((there/'eval').iterdir()), mask=True)
    assert (mask.data != learn.predict_mask(want).data).mean() < 1e-3 and 0 < (mask.data > 0).mean() < 1

@pytest.mark.parametrize('kind', ['pt2','ts'])
def test_programs_for_torch(kind, tmp_path):
    learn = shaken(classify_learner(classify_dls(films(finding=['normal','ill']*8, age=['045Y','061Y','018M','070Y']*4), 'finding', aug=False, inputs=['age'])))
    info = json.loads((export_torch(learn, tmp_path, kind)/'model.json').read_text())
    assert info['graph']['file'] == f'model.{kind}' and info['graph']['max_difference'] < 1e-4

# ---------------------------------------------------------------- learners from strangers

class Trap:
    def __init__(self, func, *args): self.call = func, args
    def __reduce__(self): return self.call

def archive(path, data):
    "A file of torch.save with other instructions in it."
    torch.save({}, path)
    with zipfile.ZipFile(path) as z: parts = {n: z.read(n) for n in z.namelist()}
    with zipfile.ZipFile(path, 'w') as z:
        for n,b in parts.items(): z.writestr(n, data if n.endswith('data.pkl') else b)
    return path

_HIT = []
def hit(*args): _HIT.append(args); return {}

def _name(module, name): return b'\x80\x04\x8c'+bytes([len(module)])+module.encode()+b'\x8c'+bytes([len(name)])+name.encode()+b'\x93'

_FORBIDDEN = """os:system posix:system builtins:eval builtins:exec builtins:__import__ subprocess:Popen numpy:load pickle:loads torch:load torch.hub:load torch.jit:load importlib:import_module
    functools:partial operator:attrgetter fastcore.xtras:run fastai.imports:os fastai.imports:os.system fastai.learner:load_learner fastai.learner:Learner.load fastai.data.external:untar_data
    radnb.train.models:Path radnb.train.weights:nn.Module torch.nn.modules.module:torch.load types:CodeType types:FunctionType builtins:type builtins:object.__subclasshook__
    cloudpickle.cloudpickle:_make_function cloudpickle.cloudpickle:subimport shutil:rmtree webbrowser:open runpy:run_path code:interact pandas:read_pickle torch.serialization:load
    copyreg:_reconstructor radnb.share.publish:publish""".split()

@pytest.mark.parametrize('module,name', [f.split(':') for f in _FORBIDDEN])
def test_names_that_no_learner_needs(module, name, tmp_path):
    with pytest.raises(BadInput, match='asks for'): load_learner(archive(tmp_path/'x.pkl', _name(module, name)+b'.'))

def test_calls_are_refused_even_of_what_may_be_found(tmp_path):
    from radnb.train.models import UNet
    from radnb.train.weights import read_weights
    tricks = dict(function=Trap(read_weights, str(tmp_path/'w.pt')), of_tensors=Trap(torch._tensor._rebuild_from_type_v2, hit, torch.Tensor, (), {}), attribute=Trap(getattr, UNet, '__init__'),
                  codec=Trap(__import__('_codecs').encode, 'x', 'rot13'), made=Trap(UNet), array=Trap(np._core.multiarray._reconstruct, np.matrix, (0,), b'b'))
    for name,t in tricks.items():
        torch.save(dict(model=t), tmp_path/f'{name}.pkl')
        with pytest.raises(BadInput, match='asks for'): load_learner(tmp_path/f'{name}.pkl')
    assert not _HIT

def test_instructions_that_change_classes(tmp_path):
    linear = _name('torch.nn.modules.linear', 'Linear')
    build = linear+b'}\x8c\x07forward'+_name('builtins', 'print')[2:]+b'sb.'             # Linear.forward = print
    old = b'(ios\nsystem\n.'
    for data in (build, old, b'(cos\nsystem\no.'):
        with pytest.raises(BadInput, match='asks for'): load_learner(archive(tmp_path/'x.pkl', data))
    assert torch.nn.Linear.forward is not print

class AsMethod(pickle._Pickler):
    "Writes bound methods as a file of a stranger might."
    dispatch = dict(pickle._Pickler.dispatch)
    def save_global(self, obj, name=None):
        if obj is types.MethodType: self.write(b'ctypes\nMethodType\n'); self.memoize(obj)
        else: super().save_global(obj, name)
    dispatch[type] = dispatch[types.FunctionType] = lambda self, o: self.save_global(o)

def test_harmless_things_put_together(tmp_path):
    "A log whose file and words the file chooses, where fastai calls `dls.cpu()`: nothing is written, even if the log is trusted."
    from fastai.callback.progress import CSVLogger
    from radnb.train.learner import EpochLog
    def bag(cls, **kw): (o := object.__new__(cls)).__dict__.update(kw); return o
    log = bag(CSVLogger, path=tmp_path/'home', fname='profile', append=True, recorder=bag(EpochLog, metric_names=['a command']), logger=None, learn=bag(EpochLog))
    method = Trap(types.MethodType, Trap(getattr, CSVLogger, 'before_fit'), log)
    torch.save(bag(EpochLog, dls=bag(EpochLog, cpu=method)), tmp_path/'x.pkl', pickle_module=types.SimpleNamespace(Pickler=AsMethod, __name__='pickle'))
    for trust in ((), ['fastai.callback.progress']):
        with pytest.raises(BadInput, match='asks for'): load_learner(tmp_path/'x.pkl', trust=trust)
    assert not (tmp_path/'home').exists()

def test_learners_of_pairs_and_of_numbers_come_back_whole(tmp_path):
    pairs = films(finding=['stable','growing']*8).rename(columns=dict(pixels='pre')).assign(post=[rng.random((24,28), np.float32) for _ in range(16)])
    df = films(40, age=rng.normal(50, 9, 40))
    two,number = pair_learner(pair_dls(pairs, 'finding')), regress_learner(regress_dls(df, 'age', 'years'))
    number.calibrate(level=.8); two.operating_point = .3
    for learn,name in ((two, 'two'), (number, 'number')): shaken(learn).export(tmp_path/name)
    again = load_learner(tmp_path/'two')
    assert np.abs(again.predict_proba(pairs.head(4))-two.predict_proba(pairs.head(4))).max() < 1e-6 and again.operating_point == two.operating_point
    said,want = (l.predict_number(df.pixels[0]) for l in (load_learner(tmp_path/'number'), number))
    assert np.allclose([said.value, said.low, said.high], [want.value, want.low, want.high], rtol=1e-5) and said.level == .8 and said.calibrated == want.calibrated

def test_learners_come_back_whole(tmp_path):
    dls = classify_dls(films(finding=['normal','ill']*8, age=['045Y','061Y','018M','070Y']*4), 'finding', inputs=['age'])
    df,asked = pd.DataFrame([scan(i) for i in range(4)]), films(1, age='045Y').iloc[0]
    many = [classify_learner(dls), ensemble([classify_learner(classify_dls(films(finding=['normal','ill']*8), 'finding')) for _ in range(2)]),
            segment_learner(segment_dls(df, patch=(8,16,16), bs=2, flips=('LR',), modality='MR'), channels=(4,8), deep=True)]
    for learn in many:
        shaken(learn).export(tmp_path/'x.pkl')
        again = load_learner(tmp_path/'x.pkl')
        a,b = (l.predict_probability(df.volume[0]).data if l.task == 'segment' else l.predict_proba(asked) for l in (learn, again))
        assert np.abs(a-b).max() < 1e-6
