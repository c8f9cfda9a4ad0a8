"Which volumes lie at a path: DICOM series with their verdict, NIfTI, NRRD and MetaImage files, and the segmentations drawn on them."
import math, os, re, threading, time
from dataclasses import dataclass, field
from pathlib import Path
import numpy as np
import pandas as pd
from ..core import NoDicomFound, RadnbError, fingerprint
from ..data.scan import COLUMNS, scan_file, scan_files
from ..data.series import series_table
from .masks import KINDS, candidates, drawn_on, is_labelmap, regions, sounds_like_labels
from .paths import Guard, list_files
from .reading import grid, itk_reader, nifti_header, read_volume
from .words import left_out, what_it_is

_KINDS = (('nifti', r'\.nii(\.gz)?$'), ('itk', r'\.(nrrd|nhdr|mha|mhd)$'))

def kind_of(
    path # A file
) -> str: # 'nifti', 'itk' or 'dicom'
    "How a file is to be read, by its name; what is neither NIfTI nor NRRD nor MetaImage may be DICOM, whatever it is called."
    return next((k for k,pattern in _KINDS if re.search(pattern, str(path), re.I)), 'dicom')

@dataclass
class Entry:
    "One volume that can be opened."
    kind: str                # 'dicom', 'nifti', 'itk', or 'seg': a segmentation without its image
    paths: list              # its files, in slice order
    row: dict                # what is told about it
    stamp: str = ''          # changes with the files
    code: dict = field(default_factory=dict)   # how `load_series` finds it again

    @property
    def id(self): return fingerprint([self.kind, *self.paths, self.stamp, self.row.get('part', '')])

class Stopped(RadnbError):
    "Somebody stopped the reading of headers."

@dataclass
class Job:
    "Headers being read: how far it is, and whether somebody wants it to end."
    done: int = 0
    total: int = 0
    stop: bool = False

def plain(v):
    "A value as JSON knows it: NaN and NA become None, numpy's numbers Python's."
    if isinstance(v, dict): return {str(k): plain(x) for k,x in v.items()}
    if isinstance(v, (list, tuple, np.ndarray)): return [plain(x) for x in v]
    if isinstance(v, (np.integer, np.floating, np.bool_)): v = v.item()
    return None if v is None or v is pd.NA or (isinstance(v, float) and not math.isfinite(v)) else v

_CHUNK_S = .4   # seconds between two signs of progress

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
    i,n = 0, 50
    while i < len(new) and not job.stop:
        began = time.perf_counter()
        parts.append(scan_files(new[i:i+n]))
        job.done += len(parts[-1]); i += n
        n = int(np.clip(n*_CHUNK_S/max(time.perf_counter()-began, 1e-3), 20, 4*n))   # a network folder may need a second for twenty
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
        row['masks'] = [dict(path=guard.name(p), title=t) for p,t in drawn_on(files, r.SeriesInstanceUID)]
        row.update(folder=guard.name(os.path.dirname(r.paths[0])), located=r.paths[0] in placed, oriented=r.paths[0] in placed or r.paths[0] in oriented)
        out.append(Entry('dicom', [str(p) for p in r.paths], row, _stamp(r.paths), _code(r, files, folder, table, guard)))
    return out

def _picture_entry(path, kind, guard):
    "A NIfTI, NRRD or MetaImage file as an entry; its grid from the header."
    row = dict(title=Path(path).name, part='', n_files=1, located=True, folder=guard.name(os.path.dirname(path)))
    try: row.update(dict(nifti=_nifti_grid, itk=_itk_grid)[kind](path, guard))
    except RadnbError as e: row.update(verdict=e.what, action='raises an error')
    return Entry(kind, [str(path)], row, _stamp([path]), dict(load=guard.name(path), kind=kind))

def _seg_entry(row, note, guard):
    "A DICOM segmentation by itself, on the grid of its own frames."
    told = {k: plain(getattr(row, k, None)) for k in _TOLD}
    told.update(part='', n_files=1, located=True, title=told['SeriesDescription'] or Path(row.path).name,
                voxels=_frames(row), folder=guard.name(os.path.dirname(row.path)), verdict=note, action='loads as it is', shape=None, spacing=None, orientation=None)
    return Entry('seg', [str(row.path)], told, _stamp([row.path]), dict(load=guard.name(row.path), kind='seg'))

def _same(a, b):
    "Are two grids, (shape, affine), the same to a tenth of a millimetre?"
    return a is not None and b is not None and a[0] == b[0] and np.allclose(a[1], b[1], atol=.1)

def _nifti_grid(path, guard):
    header = nifti_header(path)
    n = (*(int(v) for v in header.get_data_shape()), 1, 1)[:3]
    spacing = plain([round(float(z), 4) for z in (*header.get_zooms(), 1, 1)[:3][::-1]])
    return dict(voxels=math.prod(int(v) for v in header.get_data_shape()), shape=list(n[::-1]), spacing=spacing, verdict='', action='loads as it is')

def _itk_grid(path, guard):
    r = itk_reader(path, guard)
    spacing = plain([round(float(v), 4) for v in (*r.GetSpacing(), 1, 1)[:3][::-1]])
    return dict(voxels=math.prod(r.GetSize())*r.GetNumberOfComponents(), shape=list((*r.GetSize(), 1, 1)[:3][::-1]), spacing=spacing, verdict='', action='loads as it is')

def _frames(row):
    "Pixels of all frames of a DICOM file; 0 if it has none."
    return math.prod(int(plain(row.get(k)) or d) for k,d in (('Rows', 0), ('Columns', 0), ('NumberOfFrames', 1)))

def voxels(
    path, # A picture or segmentation of any kind
    guard:Guard
) -> int:
    "How many voxels a file holds, from its header; contours have none. Raises `UnreadableFile`, `NotServed`."
    kind = kind_of(path)
    return _frames(scan_file(path)) if kind == 'dicom' else dict(nifti=_nifti_grid, itk=_itk_grid)[kind](path, guard)['voxels']

class Listing:
    "What lies at one path: entries, the one asked for, and what became of the other files."
    def __init__(self, guard:Guard, path, deep=True, max_mb=8000):
        self.guard,self.path,self.deep,self.max_mb = guard, Path(path), deep, max_mb   # larger label maps are not looked into
        self.single = not self.path.is_dir()
        self.folder = self.path.parent if self.single else self.path
        self.job,self.table,self.entries,self.note,self.remedy,self.mask,self._lock = Job(), None, [], '', '', None, threading.Lock()

    def read(self,
        job:Job=None # Is told how far it is, and says whether to end
    ):
        "Look (again) at the files; only what has changed is read. Returns itself. Raises `Stopped`: what has been read by then is kept."
        with self._lock:
            self.job = job or Job()
            if self.job.stop: raise Stopped('Stopped before it began', self.path, 'look again')
            self._read()
        return self

    def _read(self):
        kind = kind_of(self.path) if self.single else None
        if kind in ('nifti', 'itk'): return self._read_picture(kind)
        files = list_files(self.folder, self.guard, deep=self.deep and not self.single)
        kinds = {f: kind_of(f) for f in files}
        entries = self._dicom([f for f in files if kinds[f] == 'dicom'], self.folder)
        self.entries = entries if self.single else entries + [_picture_entry(f, k, self.guard) for f,k in kinds.items() if k != 'dicom']
        if self.single: self._asked_for()
        else: self.note = left_out(self.table)

    def _dicom(self, files, folder):
        "The volumes of DICOM files. Raises `Stopped`."
        self.table = scan(files, self.table, self.job)
        if self.job.stop: raise Stopped(f'Stopped after {self.job.done:,} of {self.job.total:,} files', folder, 'look again to go on from there')
        return _dicom_entries(self.table, folder, self.guard)

    def _read_picture(self, kind):
        "A NIfTI, NRRD or MetaImage file; labels with the image that they are drawn on, if it lies beside them."
        self.entries,self.mask = [_picture_entry(self.path, kind, self.guard)], None
        try: image = self._image_of(kind) if sounds_like_labels(self.path) else None
        except RadnbError: return   # what is wrong with the file is said when it is opened
        if image: self.entries,self.mask = [_picture_entry(image, kind_of(image), self.guard), *self.entries], str(self.path)

    def _image_of(self, kind):
        "The image that a label map is drawn on, or None: a kindred name, in its folder or one beside it, on the same grid."
        around = list_files(self.folder.parent, self.guard, deep=2, most=5000) if self.folder != self.guard.root else list_files(self.folder, self.guard, deep=False)
        likely = candidates(self.path, [f for f in around if kind_of(f) != 'dicom'])[:20]
        own = grid(kind, self.path, self.guard) if likely else None
        image = next((f for f in likely if _same(own, grid(kind_of(f), f, self.guard))), None)
        if image is None or voxels(self.path, self.guard)*4/1e6 > self.max_mb: return None
        return image if is_labelmap(read_volume(kind, [str(self.path)], self.guard), named=True) else None

    def _asked_for(self):
        "What is to be said of the DICOM file asked for: a segmentation goes onto its series, others that are no picture are explained."
        self.note = self.remedy = ''; self.mask = None
        own = self.table[self.table.path == str(self.path)]
        if not len(own): self.note,self.remedy = 'The file is gone.', 'Reload the folder in the file browser.'; return
        row = own.iloc[0]
        if row.Modality in KINDS and row.status in ('ok','no image'): self._on_its_series(row)
        elif not self.selected: self.note,self.remedy = what_it_is(row)

    def _on_its_series(self, row):
        "Find the image of a segmentation: in its folder, else anywhere in the folder above; a SEG without it is shown by itself."
        uid = row.ReferencedSeriesUID
        of = lambda entries: [e for e in entries if uid and e.row['SeriesInstanceUID'] == uid]
        found = of(self.entries)
        if not found and self.folder != self.guard.root:
            files = list_files(self.folder.parent, self.guard, most=5000)
            found = of(self._dicom([f for f in files if kind_of(f) == 'dicom'], self.folder.parent))
        if found: self.entries,self.mask = [*found, *[e for e in self.entries if e.id not in {f.id for f in found}]], str(self.path); return
        whose = f'It was drawn on the series {uid}, which is neither in this folder nor in the one above.' if uid else 'It does not say on which series it was drawn.'
        if row.Modality == 'SEG': self.entries = [_seg_entry(row, whose, self.guard), *self.entries]; return
        names = regions(self.path)
        self.note = f'Contours (RTSTRUCT){" of "+names if names else ""}. {whose}'
        self.remedy = 'Put the file into the folder of its images and open it again: contours have no picture of their own.'

    @property
    def selected(self):
        "(entry, position of the file in it) of the file asked for, or None. Of copies in one folder only one is in the table: it stands for the others."
        if not self.single: return None
        if self.mask: return self.entries[0], 0
        same = {str(self.path)}
        if self.table is not None:
            uid = self.table.SOPInstanceUID[self.table.path == str(self.path)]
            same |= set(self.table.path[self.table.SOPInstanceUID.isin(uid.dropna())])
        return next(((e, i) for e in self.entries for i,p in enumerate(e.paths) if p in same), None)
