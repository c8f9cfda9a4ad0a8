"""`python -m radnb.lab`: let this environment's Jupyter find radnb's extension in the source tree. An ordinary `pip install` does not need it; an editable one does,
because pip then leaves out the files that belong into share/jupyter and etc/jupyter."""
import json, os, shutil, sys
from pathlib import Path

CONFIG = Path('etc/jupyter/jupyter_server_config.d/radnb.json')
EXTENSION = Path('share/jupyter/labextensions/radnb')

def link(
    prefix=sys.prefix # The environment
) -> list: # of the two paths made
    "Link the labextension and enable the server extension."
    config,there = Path(prefix)/CONFIG, Path(prefix)/EXTENSION
    config.parent.mkdir(parents=True, exist_ok=True); there.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(dict(ServerApp=dict(jpserver_extensions={'radnb.lab': True})), indent=1)+'\n')
    unlink_old(there)
    os.symlink(Path(__file__).parent/'labextension', there, target_is_directory=True)
    return [config, there]

def unlink_old(there):
    "Remove an earlier link or copy."
    if there.is_symlink(): there.unlink()
    elif there.is_dir(): shutil.rmtree(there)

if __name__ == '__main__':
    for p in link(): sys.stdout.write(f'{p}\n')
