"""Execute the notebooks once, for two uses: as tests (any exception fails), and, with their outputs, as the pages of the documentation.

    python tests/notebooks.py                          # all of nbs/
    python tests/notebooks.py nbs/measure nbs/cli.ipynb

What is executed, how, and what an error looks like is nbdev's own `test_nb`; only the executed notebook is kept, in _build/executed, instead of being dropped."""
import argparse, importlib, multiprocessing, os, sys, time
from multiprocessing import connection
from pathlib import Path
from fastcore.nbio import write_nb
from nbdev import test as nbdev_test
from nbdev.config import get_config

ROOT = Path(__file__).resolve().parent.parent
NBS, EXECUTED = ROOT/'nbs', ROOT/'_build'/'executed'
CELL_TIMEOUT = 600  # seconds

def find(
    paths=(), # Notebooks and folders; none: everything
    skip=() # Names (or parts of them) that are left out
):
    "The notebooks to execute, the slow ones first, so that no worker is left alone with a long one at the end."
    paths = [Path(p).resolve() for p in paths] or [NBS]
    found = {nb for p in paths for nb in (p.rglob('*.ipynb') if p.is_dir() else [p])}
    return sorted((nb for nb in found if not any(part.startswith(('.', '_')) for part in nb.parts[-3:]) and not any(s in nb.name for s in skip)), key=_quickness)

def _quickness(nb):
    "Nobody knows beforehand; but what trains networks is slower than what does not, and a long notebook slower than a short one."
    return -sum(w in nb.read_text(encoding='utf-8') for w in ('fit_one_cycle', 'fine_tune', 'fit_until', '.fit(', 'radnb.all')), -nb.stat().st_size

def execute(
    nb, # A notebook
    out=EXECUTED # Where it goes, with its outputs, under the name it has in `nbs`
):
    "Execute one notebook as `nbdev-test` does, and save what came of it. Returns (passed, seconds)."
    nb, out = Path(nb), Path(out)
    target = out/(nb.relative_to(NBS) if nb.is_relative_to(NBS) else nb.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    nbdev_test.write_nb = lambda executed, _: write_nb(executed, target)
    config = get_config(nb.parent)
    flags = config.tst_flags
    return nbdev_test.test_nb(nb, skip_flags=flags.split() if isinstance(flags, str) else flags, basepath=config.config_path, save=True, cell_timeout=CELL_TIMEOUT)

def _child(nb, out, pipe):
    pipe.send(execute(nb, out))
    os._exit(0)  # a thread that a notebook left behind keeps nobody waiting

def preload():
    "Import what takes long, once; the processes of the notebooks are copies of this one. A copy for each keeps what one notebook patches from the next."
    for name in ('radnb.all', 'matplotlib.pyplot', 'sklearn.linear_model', 'scipy.stats', 'captum.attr', 'monai.losses', 'monai.networks.nets', 'monai.inferers', 'timm', 'torchvision', 'highdicom'):
        try: importlib.import_module(name)
        except ModuleNotFoundError: pass  # optional: the notebooks say what they miss

def execute_all(
    notebooks, # As `find` gives them
    out=EXECUTED, # Folder of the executed notebooks
    workers=2, # So many at a time, each in a process of its own. 0: one after the other in this process
    say=lambda line: sys.stdout.write(line+'\n') # Where progress goes
):
    "Execute many notebooks. Returns the names of those that failed."
    failed, count = [], 0
    def done(nb, passed, seconds, why='FAILED'):
        nonlocal count
        count, name = count+1, str(nb.relative_to(ROOT) if nb.is_relative_to(ROOT) else nb)
        if not passed: failed.append(name)
        say(f'[{count}/{len(notebooks)}] {name}: {seconds:.1f} s{"" if passed else ", "+why}')
    if not workers:
        for nb in notebooks: done(nb, *execute(nb, out))
        return failed
    preload()
    fork, waiting, running = multiprocessing.get_context('fork'), list(notebooks), {}
    while waiting or running:
        while waiting and len(running) < workers:
            here, there = fork.Pipe(duplex=False)
            process = fork.Process(target=_child, args=(waiting[0], out, there))
            process.start(); there.close()
            running[here] = waiting.pop(0), process, time.time()
        for pipe in connection.wait(list(running)):
            nb, process, start = running.pop(pipe)
            try: result = pipe.recv()
            except EOFError: result = None  # the process is gone without a word
            process.join(); pipe.close()
            done(nb, *(result or (False, time.time()-start, f'the process died with exit status {process.exitcode}')))
    return failed

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('paths', nargs='*', help='notebooks or folders (default: nbs)')
    p.add_argument('--out', default=EXECUTED, help='where the executed notebooks go')
    p.add_argument('--workers', type=int, default=2)
    p.add_argument('--skip', action='append', default=[], help='leave out notebooks with this in their name')
    args = p.parse_args()
    start, notebooks = time.time(), find(args.paths, args.skip)
    if not notebooks: raise SystemExit(f'No notebooks in {args.paths or NBS}')
    failed = execute_all(notebooks, args.out, args.workers if len(notebooks) > 1 else 0)
    if failed: raise SystemExit(f'{len(failed)} of {len(notebooks)} notebooks failed:\n  ' + '\n  '.join(sorted(failed)))
    sys.stdout.write(f'{len(notebooks)} notebooks passed in {time.time()-start:.0f} s\n')

if __name__ == '__main__':
    sys.stdout.reconfigure(line_buffering=True)
    main()
