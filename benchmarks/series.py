"""From the table of files to the table of volumes: 20,000 files as 100 series, as films of many moments, and as single radiographs.

    python benchmarks/series.py

The headers are made up from those of one small CT, so that only the sorting is timed."""
import platform, tempfile, time
import numpy as np
import pandas as pd
from radnb.data.phantom import tiny_ct
from radnb.data.scan import scan_files
from radnb.data.series import series_table

def index(n=20000, per=200):
    "An index of `n` files in series of `per` slices."
    with tempfile.TemporaryDirectory() as folder: one = scan_files(tiny_ct(folder, n=per))
    files = pd.concat([one]*(n//per), ignore_index=True)
    at = np.arange(n)
    return files.assign(SeriesInstanceUID=[f'1.2.{i//per}' for i in at], PatientID=[f'P{i//per//4}' for i in at],
                        SOPInstanceUID=[f'1.2.{i}' for i in at], path=[f'{i//per}/{i%per}' for i in at])

def films(files, slices=20, times=50):
    "The same number of files as time series."
    at, per = np.arange(len(files)), slices*times
    return files.assign(SeriesInstanceUID=[f'1.2.{i//per}' for i in at], PatientID='P0', ipp=[(0.,0.,float(i % slices)) for i in at],
                        TemporalPositionIdentifier=at % per//slices*1., InstanceNumber=at % per*1.)

if __name__ == '__main__':
    files = index()
    radiographs = files.assign(SeriesInstanceUID=[f'1.3.{i}' for i in range(len(files))], ipp=None, iop=None, Modality='DX')
    cases = (('100 CT series of 200 slices', files), ('20 films of 20 slices at 50 times', films(files)), ('20,000 radiographs', radiographs))
    for what,table in cases:
        seconds = []
        for _ in range(5):
            t = time.perf_counter(); volumes = series_table(table); seconds.append(time.perf_counter()-t)
        print(f'{what}: {len(volumes)} volumes, {volumes.verdict[0]!r}, {min(seconds):.3f} s (of 5)')
    print(platform.platform(), platform.python_version(), 'pandas', pd.__version__)
