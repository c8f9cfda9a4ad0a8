"Fixtures shared by the tests that notebooks cannot hold."
import os, shutil
from pathlib import Path
import pytest

ROOT = Path(__file__).resolve().parent.parent

@pytest.fixture(scope='session')
def real():
    "The folder of real development data (`RADNB_DATA`); tests that need it are skipped where it is absent."
    folder = Path(os.environ.get('RADNB_DATA', ROOT.parent/'shared'/'data'))
    if not folder.is_dir(): pytest.skip(f'no real data at {folder}: set RADNB_DATA')
    return folder

@pytest.fixture(scope='session')
def tool():
    "Find a program of the operating system, or skip."
    def find(name):
        path = shutil.which(name)
        if path is None: pytest.skip(f'{name} is not installed (apt-get install {name})')
        return path
    return find

@pytest.fixture(scope='session')
def cohort(tmp_path_factory):
    "Eight synthetic patients with CT, truth segmentation and labels: (folder, truth table)."
    from radnb.data.phantom import make_cohort
    folder = tmp_path_factory.mktemp('cohort')/'SYNTHETIC'
    return folder, make_cohort(folder, n=8, size=(16,64,64), seed=0)

def pytest_collection_modifyitems(items):
    "Browser tests last: Playwright's event loop stays open until the session ends, and other tests start loops of their own."
    items.sort(key=lambda item: 'browser' in item.path.parts)

# pytest-jupyter gives every test an event loop and a server to clean up, which Playwright's own loop does not bear: only tests/test_lab.py takes them
@pytest.fixture
def jp_asyncio_loop(): yield

@pytest.fixture
def jp_server_cleanup(): yield
