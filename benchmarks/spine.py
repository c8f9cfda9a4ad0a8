"What the spine promises in seconds: imports, a synthetic cohort, indexing and loading. Run on a quiet machine: python benchmarks/spine.py"
import os, platform, subprocess, sys, tempfile, time
from pathlib import Path

def seconds(code, n=5):
    "Best of `n` fresh interpreters."
    cmd = [sys.executable, '-c', f'import time; t=time.perf_counter(); {code}; print(time.perf_counter()-t)']
    return min(float(subprocess.run(cmd, capture_output=True, text=True, check=True).stdout) for _ in range(n))

def timed(f, *args, **kw):
    t = time.perf_counter(); out = f(*args, **kw)
    return time.perf_counter()-t, out

def main():
    rows = [('import radnb', seconds('import radnb')), ('from radnb.explore import *', seconds('from radnb.explore import *')),
            ('from radnb.all import *', seconds('from radnb.all import *', 3))]
    from radnb.data.dicom import load_series
    from radnb.data.index import index_dicom, series_table
    from radnb.data.phantom import make_cohort
    with tempfile.TemporaryDirectory() as d:
        t,_ = timed(make_cohort, Path(d)/'c', n=64); rows.append(('make_cohort, 64 patients of 32 x 96 x 96', t))
        t,files = timed(index_dicom, Path(d)/'c', cache=Path(d)/'i.parquet'); rows.append((f'index_dicom, {len(files)} files, cold', t))
        t,_ = timed(index_dicom, Path(d)/'c', cache=Path(d)/'i.parquet'); rows.append((f'index_dicom, {len(files)} files, from its cache', t))
        t,series = timed(series_table, files); rows.append((f'series_table, {len(series)} volumes', t))
        t,_ = timed(lambda: [load_series(r) for _,r in series.iterrows()]); rows.append((f'load_series, {len(series)} volumes', t))
    print(f'Python {platform.python_version()}, {os.cpu_count()} cores\n\n| what | seconds |\n|---|---|')
    for what,t in rows: print(f'| {what} | {t:.2f} |')

if __name__ == '__main__': main()
