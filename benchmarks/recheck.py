"""`recheck` against a planted corpus: how many real changes it misses, and how often it cries wolf over noise.

    python benchmarks/recheck.py
"""
import base64, copy, random, sys, time
from io import BytesIO
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from radnb.measure.stats import auc, estimates_table, proportion
from radnb.share.recheck import compare_notebooks

def png(x=.5, y=.3, noise=0, dpi=100, label='model', seed=0):
    "A figure as a notebook shows it; `noise` in grey levels, as another version of a library draws."
    from matplotlib.figure import Figure
    from PIL import Image
    fig = Figure(figsize=(5,3.5), dpi=dpi); ax = fig.subplots()
    ax.plot(np.linspace(0, 1, 50), np.linspace(0, 1, 50)**.4, label=label); ax.plot(x, y, 'o', ms=7); ax.legend(); ax.set(xlabel='1 - specificity', ylabel='sensitivity')
    out = BytesIO(); fig.savefig(out, format='png')
    if noise:
        im = np.asarray(Image.open(out).convert('RGB'), np.int16)
        out = BytesIO(); Image.fromarray(np.clip(im+np.random.default_rng(seed).integers(-noise, noise+1, im.shape), 0, 255).astype(np.uint8)).save(out, 'png')
    return base64.b64encode(out.getvalue()).decode()

def ct(radius=12, noise=0):
    "A picture of a disc in noise, as an image cell shows it."
    from PIL import Image
    r,c = np.ogrid[:256,:256]
    a = 60+8*np.random.default_rng(1).standard_normal((256,256))+120*(((r-128)**2+(c-140)**2)<radius**2)
    a += noise*np.random.default_rng(2).standard_normal(a.shape)
    out = BytesIO(); Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).save(out, 'png')
    return base64.b64encode(out.getvalue()).decode()

def shown(text, **data): return [new_output('execute_result', {'text/plain': text, **data})]
def printed(text, name='stdout'): return [new_output('stream', name=name, text=text)]

def outputs(seed=0):
    "Outputs of a study, cell by cell: name to outputs."
    rng = np.random.default_rng(seed)
    y,p = np.tile([0,1], 60), np.clip(np.tile([.4,.6], 60)+rng.normal(0, .15, 120), 0, 1)
    e,s = auc(y, p), proportion((p>.5)[y==1])
    table = pd.DataFrame(dict(dice=rng.uniform(.7, .95, 6).round(3), hd95_mm=rng.uniform(1, 6, 6).round(2), n=rng.integers(5, 40, 6), seconds=rng.uniform(1, 9, 6).round(2)),
                         index=[f'structure {c}' for c in 'ABCDEF'])
    wide = estimates_table({'AUC': e, 'sensitivity': s})
    return {'estimate': shown(repr(e), **{'text/html': e._repr_html_()}), 'printed': printed(f'AUC {e.value:.3f} of {len(y)} images\nloss 0.43211\nWall time: 3.21 s\n'),
            'table': shown(repr(table), **{'text/html': table.to_html()}), 'estimates': shown('', **{'text/html': wide.to_html()}),
            'sentence': shown('<Markdown>', **{'text/markdown': f'The sensitivity was {s} in 60 patients; the median volume was 12.4 mL (range 3.1 to 48.9 mL).'}),
            'figure': shown('<Figure size 500x350>', **{'image/png': png()}), 'image': shown('<Image>', **{'image/png': ct()}),
            'verdict': printed('the model is not shown to be better (p = 0.21)\n'), 'counts': shown('{"train": 300, "valid": 100}'),
            'object': shown('<radnb.Thing at 0x7fa23c0b10> made 2026-11-21 10:02:11 in /home/ada/scans/case.dcm, 1.2.826.0.1.3680043.8.498.12'),
            'bar': printed('reading: 100%|##########| 80/80 [00:03<00:00, 25.1it/s]\n', 'stderr'), 'drawing': shown('', **{'text/html': '<svg viewBox="0 0 10 10"><path d="M0 0L10 10L3 7"/></svg>'})}

def document(out): return new_notebook(cells=[c for k,o in out.items() for c in (new_markdown_cell(f'## {k}'), new_code_cell(f'show({k!r})', outputs=copy.deepcopy(o)))])

def edited(out, name, old, new):
    "With a text replaced in every form of an output."
    o = copy.deepcopy(out)
    for x in o[name]:
        if x.output_type=='stream': x.text = x.text.replace(old, new, 1)
        else: x.data = {k: v.replace(old, new, 1) for k,v in x.data.items()}
    assert o!=out, (name, old)
    return o

def numbers_of(out, name):
    "(numbers of an output as they are written, those in its column of seconds)"
    import re
    text = next((x.data.get('text/html') or x.data.get('text/markdown') or x.data['text/plain']) if x.output_type!='stream' else x.text for x in out[name])
    found = re.findall(r'(?<=[> (])\d+\.\d{1,3}(?![\d.])', text.split('Wall')[0])
    return [v for i,v in enumerate(found) if i%3!=2 or name!='table'], [v for i,v in enumerate(found) if i%3==2]   # the third column holds seconds

def planted(out, rng):
    "(kind, changed outputs) of every kind of real change."
    for name in ('estimate','printed','estimates','sentence','table'):
        values = numbers_of(out, name)[0]
        for v in rng.sample(values, min(4, len(values))):
            d = len(v.split('.')[1])
            step = 10**-d if name!='estimates' else .01
            yield f'number in {name}', edited(out, name, v, f'{float(v)+step*rng.choice([1, 3, 10]):.{d}f}')
    yield 'count in text', edited(out, 'printed', '120 images', '121 images')
    yield 'count in a dict', edited(out, 'counts', '300', '301')
    yield 'count in a sentence', edited(out, 'sentence', '60 patients', '59 patients')
    yield 'verdict', edited(out, 'verdict', 'not shown to be ', '')
    yield 'sign', edited(out, 'verdict', 'p = 0.21', 'p = -0.21')
    yield 'nan', edited(out, 'verdict', '0.21', 'nan')
    yield 'unit', edited(out, 'sentence', '12.4 mL', '12.4 mm')
    yield 'row gone', edited(out, 'table', 'structure C', 'structure X')
    yield 'column renamed', edited(out, 'table', 'hd95_mm', 'hd_mm')
    yield 'output gone', {**out, 'sentence': []}
    yield 'figure gone', {**out, 'figure': []}
    for x,y in ((.52,.3), (.5,.34), (.7,.3)): yield 'point moved in a figure', {**out, 'figure': shown('', **{'image/png': png(x, y)})}
    yield 'point moved in a figure a pixel larger', {**out, 'figure': shown('', **{'image/png': png(.6, .3, dpi=100.4)})}
    yield 'legend', {**out, 'figure': shown('', **{'image/png': png(label='baseline')})}
    for r in (13, 16): yield 'larger lesion in a picture', {**out, 'image': shown('', **{'image/png': ct(r)})}
    yield 'drawing', edited(out, 'drawing', 'L3 7', 'L3 9')
    yield 'warning', {**out, 'counts': out['counts']+printed('/x/y.py:3: RuntimeWarning: invalid value encountered\n', 'stderr')}
    yield 'error', {**out, 'counts': [new_output('error', ename='ValueError', evalue='no', traceback=[])]}

def noise(out, rng):
    "(kind, outputs that only look different)"
    yield 'nothing', out
    yield 'timing', edited(out, 'printed', '3.21 s', f'{rng.uniform(1, 9):.2f} s')
    yield 'digits beyond tolerance', edited(out, 'printed', '0.43211', '0.43212')
    yield 'address', edited(out, 'object', '7fa23c0b10', '7fb00000c8')
    yield 'date', edited(out, 'object', '2026-11-21 10:02:11', '2027-01-02 23:59:00')
    yield 'path', edited(out, 'object', '/home/ada/scans/case.dcm', '/builds/runner/0/study/other.dcm')
    yield 'UID', edited(out, 'object', '1.2.826.0.1.3680043.8.498.12', '1.2.826.0.1.3680043.8.498.99771')
    yield 'progress bar', edited(out, 'bar', '25.1it/s', '3.7it/s')
    yield 'progress bar gone', {**out, 'bar': []}
    yield 'seconds column', edited(out, 'table', numbers_of(out, 'table')[1][0], '77.77')
    for n in (3, 9): yield 'noise in a figure', {**out, 'figure': shown('', **{'image/png': png(noise=n)})}
    yield 'noise in a picture', {**out, 'image': shown('', **{'image/png': ct(noise=3)})}
    yield 'figure a pixel larger', {**out, 'figure': shown('', **{'image/png': png(dpi=100.4)})}
    yield 'figure a pixel smaller', {**out, 'figure': shown('', **{'image/png': png(dpi=99.7)})}
    yield 'html attributes', edited(out, 'table', '<table border="1"', '<table id="T_a1b2" border="0"')

def measure(seeds=range(5)):
    "(kind, is it a change?, was it found?) of every plant."
    rows = []
    for seed in seeds:
        rng,out = random.Random(seed), outputs(seed)
        old = document(out)
        for real,plants in ((True, planted(out, rng)), (False, noise(out, rng))):
            rows += [dict(kind=kind, real=real, found=not compare_notebooks(old, document(o)).ok) for kind,o in plants]
    return pd.DataFrame(rows)

if __name__=='__main__':
    start = time.process_time()
    t = measure()
    print(t.groupby(['real','kind']).found.agg(['sum','size']).rename(columns=dict(sum='reported')).to_string())
    real,fake = t[t.real],t[~t.real]
    print(f'\n{(~real.found).sum()} of {len(real)} changes missed; {fake.found.sum()} false alarms in {len(fake)}; {(time.process_time()-start)/len(t):.3f} s of processor a comparison of {len(outputs())} cells')
    sys.exit(int((~real.found).any() or fake.found.any()))
