"""Build the documentation: python docs/build.py [--executed _build/executed] [--out docs/_build/html]

Puts the source together from the executed notebooks, runs Sphinx on it with warnings as errors, and looks for dead links. What comes out works from its folder, without a server and
without the network."""
import argparse, sys, time
from pathlib import Path
from sphinx.cmd.build import build_main

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))
from assemble import assemble  # noqa: E402
from links import dead  # noqa: E402

def build(executed, out, jobs=1):
    "Returns the exit status: 0 if there is nothing to complain about."
    start, source = time.process_time(), out.parent/'source'
    assemble(executed, source)
    status = build_main(['-W', '--keep-going', '-n', '-q', '-j', str(jobs), '-c', str(DOCS), '-d', str(out.parent/'doctrees'), str(source), str(out)])
    lost = dead(out) if not status else []
    for page,url,why in lost: sys.stderr.write(f'{page}: {url}: {why}\n')
    if status or lost: return 1
    sys.stdout.write(f'{out/"index.html"}: {sum(1 for _ in out.rglob("*.html"))} pages, no dead link, {time.process_time()-start:.0f} s\n')
    return 0

if __name__ == '__main__':
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('--executed', type=Path, default=DOCS.parent/'_build'/'executed')
    p.add_argument('--out', type=Path, default=DOCS/'_build'/'html')
    p.add_argument('--jobs', type=int, default=1, help='processes')
    args = p.parse_args()
    sys.exit(build(args.executed.resolve(), args.out.resolve(), args.jobs))
