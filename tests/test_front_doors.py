"What a user meets first: how long the imports take, what they pull in, and that every verb of the journey is there."
import json, subprocess, sys
import pytest

def run(code, *flags):
    return subprocess.run([sys.executable, *flags, '-c', code], capture_output=True, text=True, check=True).stdout

def best_of(n, code):
    "Processor seconds, the best of `n` runs: a busy machine only ever makes it slower."
    return min(float(run(f'import time; t=time.process_time(); {code}; print(time.process_time()-t)')) for _ in range(n))

def test_import_radnb_is_light():
    assert best_of(3, 'import radnb') < 1
    loaded = json.loads(run("import radnb, sys, json; print(json.dumps([m for m in ('torch','fastai','numpy','pandas') if m in sys.modules]))"))
    assert loaded == []

def test_explore_needs_no_torch():
    heavy = ('torch','fastai','torchvision','monai')
    assert json.loads(run(f"from radnb.explore import *; import sys, json; print(json.dumps([m for m in {heavy} if m in sys.modules]))")) == []
    assert best_of(3, 'from radnb.explore import *') < 3   # about a second on a quiet machine: benchmarks/RESULTS.md has the figure

JOURNEY = '''index_dicom series_table join_labels find_masks cohort load_series view classify_dls PatientSplitter classify_learner segment_dls segment_learner
evaluate tune_threshold audit save_seg publish make_cohort Volume Estimate montage'''.split()

ASK = '''
import importlib, inspect, json, pkgutil, re, radnb
from pathlib import Path
bare, seen, hidden, given = [], {}, [], {}
exec("from radnb.all import *", given)
for m in pkgutil.walk_packages(radnb.__path__, "radnb."):
    mod = importlib.import_module(m.name)
    for name in getattr(mod, "__all__", []):
        obj = getattr(mod, name, None)
        if (inspect.isfunction(obj) or inspect.isclass(obj)) and not (obj.__doc__ or "").strip(): bare.append(f"{m.name}.{name}")
        if inspect.isfunction(obj) and obj.__code__.co_names[-1:] == ("NotImplementedError",): bare.append(f"{m.name}.{name} is a stub")
for door in ("explore", "all"):
    for module in re.findall(r"^from (radnb[.]\\S+) import [*]", Path(radnb.__file__).with_name(door+".py").read_text(), re.M):
        mod = importlib.import_module(module)
        for name in getattr(mod, "__all__", []):
            obj = getattr(mod, name)
            if seen.setdefault(name, obj) is not obj: hidden.append(name)
print(json.dumps(dict(given=list(given), bare=bare, n=len(seen), hidden=hidden)))'''

@pytest.fixture(scope='module')
def doors(): return json.loads(run(ASK))

def test_the_journeys_verbs_exist(doors): assert set(JOURNEY) <= set(doors['given'])

def test_everything_exported_is_documented(doors):
    "Every public name of every module has a docstring, and none of them says it is not done."
    assert doors['bare'] == []

#: Values that verbs return and constants of figures: nobody calls these by name.
UNNAMED = {'Comparison', 'Cohort', 'TRUTH', 'PREDICTED'}

def test_no_verb_hides_another(doors):
    "What `from radnb.all import *` gives is what each module means by the name."
    assert doors['n'] > 300 and set(doors['hidden']) <= UNNAMED
