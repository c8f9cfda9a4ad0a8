"Paths that come from a browser: confined to the folder that the server serves."
import os, re, stat
from pathlib import Path
from jupyter_core.paths import is_hidden
from ..core import BadInput, RadnbError, UnreadableFile

class NotServed(RadnbError):
    "A path outside the server's folder, hidden, or not there."

def _is_below(path, roots):
    return any(path == r or r in path.parents for r in roots)

class Guard:
    "What a server may show: files below `root` that are not hidden, and no link that leads out of it."
    def __init__(self,
        root, # The server's folder
        allow_hidden=False, # Names that begin with a dot too?
        links=() # Folders outside `root` into which links may lead
    ):
        self.root,self.allow_hidden = Path(os.path.abspath(root)), allow_hidden
        self.links = [Path(p).resolve() for p in links]
        self.real = [self.root.resolve(), *self.links]

    def shown(self,
        path # Absolute, below `root`
    ) -> bool:
        "Does it stay inside once links are followed, and is nothing on the way hidden?"
        try:
            real = Path(path).resolve(strict=True)
            if not _is_below(real, self.real): return False
            if self.allow_hidden: return True
            home = next(r for r in self.real if _is_below(real, [r]))
            return not (is_hidden(path, self.root) or is_hidden(real, home))
        except (OSError, RuntimeError): return False   # not there, not ours to read, or a loop of links

    def open(self,
        path:str # As the file browser names it: below `root`, with slashes
    ) -> Path: # Absolute; a regular file or a folder
        "The file or folder that a browser asks for. Raises `NotServed`, in the same words whatever the reason unless it is a link."
        there = NotServed('No such file or folder here', path, "give a path below the server's folder, as the file browser shows it")
        parts = [p for p in re.split(r'[/\\]' if os.sep == '\\' else '/', path) if p not in ('', '.')]
        if '\0' in path or '..' in parts: raise there
        full = self.root.joinpath(*parts)
        if not _is_below(full, [self.root]): raise there   # e.g. a drive letter
        if not self.shown(full):
            if _leads_out(full, self.root, self.real):
                raise NotServed("A link that leads out of the server's folder", path, 'allow its target in jupyter_server_config.py: c.RadnbServer.links = ["/its/target"]')
            raise there
        if not (full.is_dir() or is_regular(full)): raise there
        return full

    def name(self, path) -> str:
        "The path as the file browser names it."
        return Path(path).relative_to(self.root).as_posix().removeprefix('.')

    def check(self, paths):
        "Raise `NotServed` unless all of `paths` (absolute) may be shown."
        for p in paths:
            if not self.shown(p): raise NotServed('No longer there, or no longer to be shown', Path(p).name, 'reload the folder')

def _leads_out(full, root, real):
    "Is there a link below `root` on the way to `full` whose target exists elsewhere?"
    steps = [full, *[p for p in full.parents if _is_below(p, [root]) and p != root]]
    try: return any(p.is_symlink() for p in steps) and not _is_below(full.resolve(strict=True), real)
    except (OSError, RuntimeError): return False

def is_regular(path) -> bool:
    "A file that can be read to its end: no pipe, socket or device."
    try: return stat.S_ISREG(os.stat(path).st_mode)
    except OSError: return False

def list_files(
    folder, guard:Guard,
    deep=True, # Folders below it too? A number: so many levels, itself included
    most:int=None # Stop when so many have been found
) -> list: # of str, sorted
    "The regular files of a folder that may be shown. Links to folders are not followed."
    out, levels = [], float('inf') if deep is True else int(deep) or 1
    for where,dirs,names in os.walk(folder):
        keep = lambda n: guard.allow_hidden or not n.startswith('.')
        dirs[:] = sorted(d for d in dirs if keep(d)) if len(Path(where).relative_to(folder).parts)+1 < levels else []
        if most and len(out) >= most: break
        paths = [os.path.join(where, n) for n in sorted(names) if keep(n)]
        out += [p for p in paths if is_regular(p) and (not os.path.islink(p) or guard.shown(p))]
    return out[:most]

_MAX_HEADER = 1 << 20
# anywhere in a line, whatever ends the line: a reader of voxels may see a field where a strict reading of the header would not
_DATA_FILE = dict(mha=re.compile(rb'ElementDataFile[\s\0]*[=:][\s\0]*([^\r\n]*)', re.I), nrrd=re.compile(rb'data[ \t]*file[\s\0]*:=?[ \t\0]*([^\r\n]*)', re.I))

def check_data_file(path, guard:Guard):
    """NRRD and MetaImage headers can name another file that holds the voxels: see that it may be shown.
    Raises `NotServed`, `BadInput` for voxels spread over many files, `UnreadableFile`."""
    path = Path(path)
    meta = path.suffix.lower() in ('.mha', '.mhd')
    with open(path, 'rb') as f: head = f.read(_MAX_HEADER)
    if not meta: head = re.split(rb'\r?\n\r?\n', head, maxsplit=1)[0]   # a blank line ends the header of NRRD
    names = [n.decode(errors='replace').strip() for n in _DATA_FILE['mha' if meta else 'nrrd'].findall(head)]
    if meta and not names or len(head) == _MAX_HEADER and not meta: raise UnreadableFile('The header has no end', path, 'copy the file again from its source')
    for n in names:
        if meta and n.upper() == 'LOCAL': continue
        if '\0' in n: raise UnreadableFile('The header has a NUL in it', path, 'copy the file again from its source')
        if n.upper().startswith('LIST') or '%' in n: raise BadInput('The voxels are spread over many files', path, 'convert it to one file, e.g. NIfTI')
        data = Path(os.path.normpath(path.parent/n))
        if not (_is_below(data, [guard.root]) and guard.shown(data) and is_regular(data)):
            raise NotServed('The header names a file of voxels that is not there or may not be shown', path, 'put both files into one folder')
