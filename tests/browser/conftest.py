"One JupyterLab server and one Chromium for all browser tests."
import sys
from pathlib import Path
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import driver

def pytest_collection_modifyitems(items):
    "On a loaded machine a browser now and then misses a click: each of these tests may fail once, which pytest reports; twice is a failure."
    for item in items:
        if item.path.parent == Path(__file__).parent: item.add_marker(pytest.mark.flaky(reruns=1))

@pytest.fixture(scope='session')
def chromium_path():
    path = driver.find_chromium()
    if path is None: pytest.skip('no Chromium: apt-get install chromium, or set RADNB_CHROMIUM')
    return path

@pytest.fixture(scope='session')
def playwright_(chromium_path):
    api = pytest.importorskip('playwright.sync_api')
    with api.sync_playwright() as p: yield p

@pytest.fixture(scope='session')
def browser(playwright_, chromium_path):
    "Chromium with WebGL2 in software."
    b = playwright_.chromium.launch(executable_path=chromium_path, args=driver.QUIET+driver.WEBGL)
    yield b
    b.close()

@pytest.fixture(scope='session')
def browser_without_webgl(playwright_, chromium_path):
    b = playwright_.chromium.launch(executable_path=chromium_path, args=[*driver.QUIET, '--disable-3d-apis'])
    yield b
    b.close()

@pytest.fixture(scope='session')
def lab(tmp_path_factory, chromium_path):
    server = driver.Lab(tmp_path_factory.mktemp('lab'))
    server.wait()
    yield server
    server.stop()
