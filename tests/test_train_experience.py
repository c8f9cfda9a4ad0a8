"Two processes that train one network, and a training killed for good (SIGKILL) between its last checkpoint and its end."
import json, os, signal, socket, subprocess, sys, warnings
import pytest, torch

HEAD = '''
import json, os, sys, warnings
warnings.filterwarnings('ignore')
import numpy as np, pandas as pd, torch
from fastai.callback.core import Callback
from fastai.losses import CrossEntropyLossFlat
from fastai.metrics import accuracy
from radnb.train.classify import AUC, classify_dls
from radnb.train.fitting import join_cards, set_seed
from radnb.train.learner import scan_learner
torch.set_num_threads(1)
what,folder = sys.argv[1:]
rng = np.random.default_rng(0)
images = rng.integers(0, 200, (40,8,8), dtype=np.uint8); images[::2,2:6,2:6] += 55
df = pd.DataFrame([dict(PatientID=f'P{i:02d}', label=i%2) for i in range(40)])

def learner(bs, **kwargs):
    set_seed(0)
    dls = classify_dls(df, 'label', images=images, bs=bs, aug=False)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2))
    return scan_learner(dls, net, 'classify', loss_func=CrossEntropyLossFlat(), metrics=[AUC(), accuracy], **kwargs)

class Seen(Callback):
    "Whose images were trained on, and judged."
    def __init__(self): self.who = {True: [], False: []}
    def after_batch(self): self.who[self.training] += list(self.dl.rows(self.iter).PatientID)

def told(learn, **more):
    sums = [p.detach().flatten().tolist() for p in learn.model.parameters()]
    json.dump(dict(weights=sums, history=learn.history.drop(columns='seconds').values.tolist(), **more), open(f'{folder}/{what}.json', 'w'))
'''

TOGETHER = HEAD+'''
me = join_cards()
seen = Seen()
learn = learner(8 if what == 'alone' else 4, cbs=seen, checkpoint=f'{folder}/{what}')
learn.fit(2, 1e-2)
probs = learn.get_preds()[0]
told(learn, trained=seen.who[True], judged=seen.who[False], predicted=len(probs), again=len(learn.dls.train))
if what != 'alone':                                                      # one clock for both, whichever is slower
    done = learn.fit_until(minutes=.005)
    json.dump([p.detach().flatten().tolist() for p in learn.model.parameters()]+[done.batches], open(f'{folder}/{what}_timed.json', 'w'))
'''

KILLED = HEAD+'''
import signal
from fastai.callback.tracker import SaveModelCallback

class Die(Callback):
    "The power fails after the last checkpoint, before the best weights are put back."
    order = 70
    def after_epoch(self):
        if self.epoch == 2: os.kill(os.getpid(), signal.SIGKILL)

def make(name, *cbs):
    kept = SaveModelCallback(monitor='train_loss', min_delta=9)              # nothing after the first epoch is so much better
    return learner(8, cbs=[kept, *cbs], checkpoint=f'{folder}/{name}', path=f'{folder}/{name}')

if what == 'killed': make('cut', Die()).fit(3, 1e-2)
again,whole = make('cut'), make('whole')
again.resume()
whole.fit(3, 1e-2)
told(again, whole=[p.detach().flatten().tolist() for p in whole.model.parameters()], last=torch.load(f'{folder}/cut/last.pt')['model']['1.bias'].tolist())
'''

def start(code, folder, name, **env):
    return subprocess.Popen([sys.executable, '-c', code, name, str(folder)], env={**os.environ, 'OMP_NUM_THREADS': '1', **env}, stderr=subprocess.PIPE, text=True)

def here(code, folder, name, monkeypatch):
    "In this process, which has imported torch before."
    monkeypatch.setattr(sys, 'argv', ['-c', name, str(folder)])
    threads = torch.get_num_threads()
    with warnings.catch_warnings(): exec(code, {'__name__': 'training'})
    torch.set_num_threads(threads)

def read(folder, name): return json.loads((folder/f'{name}.json').read_text())

@pytest.mark.slow
def test_two_processes_train_as_one_with_batches_twice_as_large(tmp_path, monkeypatch):
    with socket.socket() as s: s.bind(('127.0.0.1', 0)); port = s.getsockname()[1]
    jobs = [start(TOGETHER, tmp_path, name, RANK=str(r), LOCAL_RANK=str(r), WORLD_SIZE='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port)) for r,name in enumerate(('first','second'))]
    here(TOGETHER, tmp_path, 'alone', monkeypatch)
    said = [j.communicate(timeout=500)[1] for j in jobs]
    assert [j.returncode for j in jobs] == [0,0], said
    alone,first,second = (read(tmp_path, n) for n in ('alone','first','second'))
    assert first['weights'] == second['weights']
    for a,b in zip(first['weights'], alone['weights']): assert a == pytest.approx(b, abs=1e-5)
    for a,b in zip(first['history'], alone['history']): assert a == pytest.approx(b, abs=1e-4)                # loss, AUC, accuracy
    assert sorted(first['trained']+second['trained']) == sorted(alone['trained'])                              # each image once
    assert first['judged'] == second['judged'] == alone['judged'] and first['predicted'] == alone['predicted']
    assert (tmp_path/'first'/'last.pt').is_file() and not (tmp_path/'second').exists()
    assert read(tmp_path, 'first_timed') == read(tmp_path, 'second_timed')
    assert first['again'] == 7                                                                                # the loader is whole again: 30 images, batches of 4

@pytest.mark.slow
def test_a_kill_before_the_best_weights_are_put_back(tmp_path, monkeypatch):
    assert start(KILLED, tmp_path, 'killed').wait(timeout=500) == -signal.SIGKILL
    here(KILLED, tmp_path, 'resumed', monkeypatch)
    found = read(tmp_path, 'resumed')
    assert found['weights'] == found['whole'] and found['weights'][1] != found['last'] and len(found['history']) == 3
