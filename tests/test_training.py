"A training that is killed and resumed, and a kernel that hears its buttons while it trains: in processes of their own, as it happens."
import json, subprocess, sys
import pytest

TRAIN = '''
import os, sys
import numpy as np, pandas as pd, torch
from fastai.callback.core import Callback
from radnb.train.segment import segment_dls, segment_learner
from radnb.data.volume import Volume

def patient(i, shape=(6,24,24)):
    rng = np.random.default_rng(i)
    ball = np.zeros(shape, np.uint8); y,x = rng.integers(4, 14, 2); ball[2:4,y:y+6,x:x+6] = 1
    vol = Volume((rng.normal(0, 1, shape)+3*ball).astype(np.float32), np.diag([1.,-1,3,1])[:, [2,1,0,3]])
    return dict(PatientID=f'P{i:02d}', volume=vol, mask=vol.like(ball, unit='label', names={1: 'nodule'}))

class Die(Callback):
    "The power fails in the second epoch of the second stage."
    def after_batch(self):
        if self.training and self.epoch == 1 and self.opt.frozen_idx == 0: os._exit(9)

what,folder = sys.argv[1:]
torch.set_num_threads(1)
dls = segment_dls(pd.DataFrame([patient(i) for i in range(8)]), patch=(4,16,16), passes=2, bs=4)     # patches and augmentation draw from generators of their own
learn = segment_learner(dls, channels=(4,8), checkpoint=None if what == 'whole' else folder, cbs=Die() if what == 'killed' else None)
if what == 'resumed': learn.resume()
else: learn.fine_tune(3, 1e-2)
sums = [float(p.detach().double().abs().sum()) for p in learn.model.parameters()]
import json; open(f'{folder}/{what}.json', 'w').write(json.dumps([sums, learn.history.drop(columns='seconds').values.tolist()]))
'''

@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_network(tmp_path):
    def run(what): return subprocess.run([sys.executable, '-c', TRAIN, what, str(tmp_path)], capture_output=True, text=True)
    assert run('whole').returncode == 0
    assert run('killed').returncode == 9 and (tmp_path/'last.pt').is_file()
    resumed = run('resumed')
    assert resumed.returncode == 0, resumed.stderr
    whole,again = (json.loads((tmp_path/f'{w}.json').read_text()) for w in ('whole','resumed'))
    assert again == whole and len(whole[1]) == 4

CELL = '''
import ipywidgets as w, time
from radnb.view._pump import Pump
button,heard = w.Button(), []
button.on_click(lambda _: heard.append(ran))
pump,ran = Pump(get_ipython().kernel, [button.comm.comm_id]), 'during the cell'
'''
LOOP = '''
end = time.monotonic()+60
while not heard and time.monotonic() < end:
    pump()
    time.sleep(.02)
order = ['loop']
'''

CTRL_C = '''
presses = []
def ctrl_c(_):
    presses.append(1)
    if len(presses) == 1: raise KeyboardInterrupt
button.on_click(ctrl_c)
time.sleep(1)
end = time.monotonic()+60
while not presses and time.monotonic() < end:
    try: pump()
    except KeyboardInterrupt: order.append('Ctrl-C')
    time.sleep(.02)
'''

def test_clicks_are_heard_in_a_busy_kernel_and_nothing_else_is_lost():
    "Without a second thread for widgets: the way of VS Code, of Notebook, and of ipykernel 6."
    from jupyter_client.manager import start_new_kernel
    manager,client = start_new_kernel(kernel_name='python3')
    def result(msg_id):
        reply = client.get_shell_msg(timeout=90)
        while reply['parent_header'].get('msg_id') != msg_id: reply = client.get_shell_msg(timeout=90)
        return reply['content']
    try:
        setup = client.execute(CELL, user_expressions=dict(id='button.comm.comm_id'), store_history=False)
        button = result(setup)['user_expressions']['id']['data']['text/plain'].strip("'")
        client.execute(LOOP)
        for i in range(3): client.execute(f'order.append({i})')                      # the next cells of "Run all"
        info = client.kernel_info()
        click = client.session.msg('comm_msg', dict(comm_id=button, data=dict(method='custom', content=dict(event='click'))))
        client.shell_channel.send(click)
        answers = [client.get_shell_msg(timeout=90)['msg_type'] for _ in range(2)]
        assert answers[0] == 'kernel_info_reply', info                               # a page that opens is answered at once
        after = client.execute('ran = "after the cell"', user_expressions=dict(heard='heard', order='order'))
        said = {k: v['data']['text/plain'] for k,v in result(after)['user_expressions'].items()}
        assert said == dict(heard="['during the cell']", order="['loop', 0, 1, 2]")

        client.execute(CTRL_C)                                                       # Ctrl-C while messages are looked through
        client.execute('order.append(3)')
        client.shell_channel.send(client.session.msg('comm_msg', dict(comm_id=button, data=dict(method='custom', content=dict(event='click')))))
        after = client.execute('', user_expressions=dict(order='order'))
        assert result(after)['user_expressions']['order']['data']['text/plain'] == "['loop', 0, 1, 2, 'Ctrl-C', 3]"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
