"Which volumes lie at a path: DICOM series with their verdict, NIfTI, NRRD and MetaImage files."
import math, os, re, threading
from dataclasses import dataclass, field
from pathlib import Path
import numpy as np
import pandas as pd
from ..core import NoDicomFound, RadnbError, fingerprint
from ..data.scan import COLUMNS, scan_files
from ..data.series import series_table
from .paths import Guard, list_files
from .reading import itk_reader, nifti_header

_KINDS = (('nifti', r'\.nii(\.gz)?$'), ('itk', r'\.(nrrd|nhdr|mha|mhd)$'))

def kind_of(
    path # A file
) -> str: # 'nifti', 'itk' or 'dicom'
    "How a file is to be read, by its name; what is neither NIfTI nor NRRD nor MetaImage may be DICOM, whatever it is called."
    return next((k for k,pattern in _KINDS if re.search(pattern, str(path), re.I)), 'dicom')

@dataclass
class Entry:
    "One volume that can be opened."
    kind: str                # 'dicom', 'nifti' or 'itk'
    paths: list              # its files, in slice order
    row: dict                # what is told about it
    stamp: str = ''          # changes with the files
    code: dict = field(default_factory=dict)   # how `load_series` finds it again

    @property
    def id(self): return fingerprint([self.kind, *self.paths, self.stamp, self.row.get('part', '')])

@dataclass
class Job:
    "Headers being read: how far it is."
    done: int = 0
    total: int = 0

def plain(v):
    "A value as JSON knows it: NaN and NA become None, numpy's numbers Python's."
    if isinstance(v, dict): return {str(k): plain(x) for k,x in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)): return [plain(x) for x in v]
    if isinstance(v, (np.integer, np.floating, np.bool_)): v = v.item()
    return None if v is None or v is pd.NA or (isinstance(v, float) and not math.isfinite(v)) else v

_CHUNK = 500   # files between two signs of progress

def scan(
    files:list, # Paths
    known:pd.DataFrame=None, # An earlier table: rows of files that have not changed since are taken from it
    job:Job=None # Is told how far it is
) -> pd.DataFrame:
    "The header table of `files`, sorted by path."
    job,parts = job or Job(), []
    stamps = {f: (s.st_size, s.st_mtime_ns) for f in files if (s:=_stat(f))}
    if known is not None: parts.append(known[[stamps.get(p) == (s,m) for p,s,m in zip(known.path, known['size'], known.mtime)]])
    new = sorted(set(stamps).difference(*(p.path for p in parts)))
    job.total,job.done = len(stamps), len(stamps)-len(new)
    for i in range(0, len(new), _CHUNK):
        parts.append(scan_files(new[i:i+_CHUNK]))
        job.done += len(parts[-1])
    parts = [p for p in parts if len(p)] or [pd.DataFrame(columns=list(COLUMNS))]
    return pd.concat(parts, ignore_index=True).sort_values('path', kind='stable', ignore_index=True)

def _stat(path):
    try: return os.stat(path)
    except OSError: return None

def _stamp(paths): return fingerprint([f'{p} {s.st_size} {s.st_mtime_ns}' for p in paths if (s:=_stat(p))])

# What a file or folder holds

_TOLD = ('PatientID PatientSex PatientAge StudyInstanceUID SeriesInstanceUID Modality SeriesDescription BodyPartExamined Manufacturer ManufacturerModelName '
         'StudyDate part n_files shape spacing orientation verdict action').split()

def _code(r, files, folder, table, guard):
    "How the volume of row `r` is found again in Python: a file, a whole folder, or a row of the folder's table."
    where = {os.path.dirname(p) for p in r.paths}
    if len(r.paths) == 1: return dict(load=guard.name(r.paths[0]), part=r.part if r.part and sum(list(p) == list(r.paths) for p in table.paths) > 1 else '')
    if len(where) == 1:
        here = files[(files.path.map(os.path.dirname) == (one:=where.pop())) & (files.status != 'not DICOM')]
        if set(here.path) == set(r.paths): return dict(load=guard.name(one))
    twins = table[(table.SeriesInstanceUID == r.SeriesInstanceUID) & (table.part == r.part)]
    return dict(folder=guard.name(folder), uid=r.SeriesInstanceUID, part=r.part if (table.SeriesInstanceUID == r.SeriesInstanceUID).sum() > 1 else '',
                nth=list(twins.index).index(r.Index))

def _dicom_entries(files, folder, guard):
    "The rows of `series_table` as entries."
    try: table = series_table(files)
    except NoDicomFound: return []
    placed, oriented, out = set(files.path[files.ipp.map(lambda p: isinstance(p, tuple))]), set(files.path[files.PatientOrientation.fillna('') != '']), []
    for r in table.itertuples():
        row = {k: plain(getattr(r, k, None)) for k in _TOLD}
        row['title'] = ' · '.join(str(v) for v in (row['SeriesDescription'], row['part']) if v) or Path(r.paths[0]).name
        row.update(folder=guard.name(os.path.dirname(r.paths[0])), located=r.paths[0] in placed, oriented=r.paths[0] in placed or r.paths[0] in oriented)
        out.append(Entry('dicom', [str(p) for p in r.paths], row, _stamp(r.paths), _code(r, files, folder, table, guard)))
    return out

def _picture_entry(path, kind, guard):
    "A NIfTI, NRRD or MetaImage file as an entry; its grid from the header."
    row = dict(title=Path(path).name, part='', n_files=1, located=True, folder=guard.name(os.path.dirname(path)))
    try: row.update(dict(nifti=_nifti_grid, itk=_itk_grid)[kind](path, guard))
    except RadnbError as e: row.update(verdict=e.what, action='raises an error')
    return Entry(kind, [str(path)], row, _stamp([path]), dict(load=guard.name(path), kind=kind))

def _nifti_grid(path, guard):
    header = nifti_header(path)
    n = (*(int(v) for v in header.get_data_shape()), 1, 1)[:3]
    return dict(shape=list(n[::-1]), spacing=plain([round(float(z), 4) for z in (*header.get_zooms(), 1, 1)[:3][::-1]]), verdict='', action='loads as it is')

def _itk_grid(path, guard):
    r = itk_reader(path, guard)
    return dict(shape=list((*r.GetSize(), 1, 1)[:3][::-1]), spacing=plain([round(float(v), 4) for v in (*r.GetSpacing(), 1, 1)[:3][::-1]]), verdict='', action='loads as it is')

class Listing:
    "What lies at one path: entries, the one asked for, and what became of the other files."
    def __init__(self, guard:Guard, path, deep=True):
        self.guard,self.path,self.deep = guard, Path(path), deep
        self.single = not self.path.is_dir()
        self.folder = self.path.parent if self.single else self.path
        self.job,self.table,self.entries,self.note,self._lock = Job(), None, [], '', threading.Lock()

    def read(self):
        "Look (again) at the files; only what has changed is read. Returns itself."
        with self._lock: self._read()
        return self

    def _read(self):
        kind = kind_of(self.path) if self.single else None
        if kind in ('nifti', 'itk'): self.entries = [_picture_entry(self.path, kind, self.guard)]; return
        files = list_files(self.folder, self.guard, deep=self.deep and not self.single)
        kinds = {f: kind_of(f) for f in files}
        self.table = scan([f for f in files if kinds[f] == 'dicom'], self.table, self.job)
        entries = _dicom_entries(self.table, self.folder, self.guard)
        self.entries = entries if self.single else entries + [_picture_entry(f, k, self.guard) for f,k in kinds.items() if k != 'dicom']
        self.note = self._left_out()

    def _left_out(self):
        "What is wrong with the file asked for, or with files of the folder; '' if nothing."
        if self.single:
            own = self.table[self.table.path == str(self.path)]
            if not len(own): return 'The file is gone.'
            if own.status.iloc[0] == 'ok': return '' if self.selected else f'A {own.Modality.iloc[0]} object is no picture by itself.'
            return f'{own.status.iloc[0]}: {own.reason.iloc[0]}'
        counts = self.table.status.value_counts()
        return ', '.join(f'{n} {s}' for s,n in counts.items() if s not in ('ok','not DICOM'))

    @property
    def selected(self):
        "(entry, position of the file in it) of the file asked for, or None. Of copies in one folder only one is in the table: it stands for the others."
        if not self.single: return None
        same = {str(self.path)}
        if self.table is not None:
            uid = self.table.SOPInstanceUID[self.table.path == str(self.path)]
            same |= set(self.table.path[self.table.SOPInstanceUID.isin(uid.dropna())])
        return next(((e, i) for e in self.entries for i,p in enumerate(e.paths) if p in same), None)
