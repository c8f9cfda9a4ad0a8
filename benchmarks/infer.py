"""Sliding-window inference on the CPU: radnb against MONAI and against the bare network on the same windows.

Run on a quiet machine: python benchmarks/infer.py [rounds] [voxels along a side]; one round of 256 takes two to three minutes on two quiet cores, most of it MONAI's.
Each measurement is a process of its own, because radnb tells the C library to keep freed memory (`keep_memory`, as its learners do), which would help the others too.
The same small U-Net with the same weights for everyone; 256^3 and a quarter of overlap make 64 windows of 96^3. 'bare' runs the network on as many windows, in batches of
four, with radnb's memory setting and channels last, and does nothing else.
"""
import os, platform, subprocess, sys, time
import torch

W = 96

def setting(side):
    from radnb.train.models import UNet, _starts
    torch.manual_seed(0)
    return UNet(2, 1, 3, (8,16,32)).eval(), torch.rand(1, 1, side, side, side), len(_starts(side, W, .25))**3

def last(net, x): return net.to(memory_format=torch.channels_last_3d), x.to(memory_format=torch.channels_last_3d)

def one(tool, side):
    "Seconds of the second of two runs, and a checksum"
    net,x,n = setting(side)
    if tool in ('radnb','bare'):
        from radnb.train.learner import keep_memory
        from radnb.train.models import sliding_window
        keep_memory(); net,x = last(net, x)
    if tool == 'radnb': run = lambda: sliding_window(net, x, (W,W,W), .25)
    elif tool == 'bare':
        batch = last(net, x[..., :W, :W, :W].repeat(4,1,1,1,1))[1]
        run = lambda: [net(batch) for _ in range(n//4)][-1]
    else:
        from monai.inferers import sliding_window_inference
        bs, mode = tool.split()[1:]
        run = lambda: sliding_window_inference(x, (W,W,W), int(bs), net, .25, mode=mode)
    with torch.inference_mode():
        for _ in range(2): t = time.perf_counter(); y = run(); t = time.perf_counter()-t
    print(t, float(y.float().mean()), n)

def main(rounds=3, side=256):
    tools = dict([('radnb','radnb'), ('the bare network','bare'), ('MONAI, default (windows one by one)','monai 1 constant'), ('MONAI, batches of four, Gaussian','monai 4 gaussian')])
    best = {}
    for _ in range(rounds):
        for name,tool in tools.items():
            t,mean,n = map(float, subprocess.run([sys.executable, __file__, 'one', tool, str(side)], capture_output=True, text=True, check=True).stdout.split())
            best[name] = min(best.get(name, (9e9,0)), (t,mean))
    print(f'Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores; {side}^3, {n:.0f} windows of {W}^3, best of {rounds} rounds\n')
    print('| | s | times radnb | mean score |\n|---|---|---|---|')
    for name,(t,mean) in best.items(): print(f'| {name} | {t:.2f} | {t/best["radnb"][0]:.2f} | {mean:.5f} |')
    (ours,ours_mean),(bare,_),(default,their_mean) = (best[n] for n in list(tools)[:3])
    print(f'\nMONAI\'s default takes {default/ours:.2f} times as long as radnb (goal: at least 2.5); radnb {ours/bare:.2f} times as long as the bare network (goal: at most 1.15)')
    if abs(ours_mean-their_mean) > .02*abs(their_mean): sys.exit('the scores differ by more than the weighting of windows explains')

if __name__ == '__main__':
    if sys.argv[1:2] == ['one']: one(sys.argv[2], int(sys.argv[3]))
    else: main(*map(int, sys.argv[1:3]))
