"Write which sources the bundle was made of (tests/test_lab.py compares): `python lab/seal.py`, at the end of build.sh."
import hashlib, json
from pathlib import Path

LAB = Path(__file__).resolve().parent
BUNDLE = LAB.parent/'radnb'/'lab'/'labextension'
CELLS = LAB.parent/'radnb'/'view'/'static'

def digest(paths, root):
    "SHA-256 of each file by its name below `root`; line ends do not matter in text."
    return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes().replace(b'\r\n', b'\n')).hexdigest() for p in sorted(paths)}

def sources():
    "What the bundle is made of."
    return digest([p for d in ('src', 'style', 'schema', 'itk') for p in (LAB/d).rglob('*') if p.is_file()] + [LAB/n for n in ('package.json', 'package-lock.json', 'tsconfig.json')], LAB)

def bundle():
    "What was made."
    return digest([p for d in (BUNDLE, CELLS) for p in d.rglob('*') if p.is_file() and p != BUNDLE/'sources.json'], LAB.parent/'radnb')

if __name__ == '__main__':
    (BUNDLE/'sources.json').write_text(json.dumps(dict(sources=sources(), bundle=bundle()), indent=1)+'\n')
