"""`cohort` with 5,000 series in Chromium: time to the first lines, time between frames while scrolling from top to bottom, lines in the page at any time.

    python benchmarks/cohort.py [rows]

The rows are synthetic and share the files of one small CT, so that pictures cost what they cost on a fast disk. The browser draws in software."""
import json, platform, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]/'tests'/'browser'))
import driver

CELL = '''import pandas as pd, time
from radnb.data.phantom import make_cohort
from radnb.data.index import index_dicom
from radnb.data.series import series_table
from radnb.view.cohort import cohort
make_cohort('ward', n=4, size=(16,64,64), seed=0)
one = series_table(index_dicom('ward'))
n = {n}
many = pd.concat([one]*(n//len(one)+1), ignore_index=True)[:n]
many['PatientID'] = [f'SYN-{{i//6:05d}}' for i in range(n)]
many['StudyInstanceUID'] = [f'2.25.{{i//3}}' for i in range(n)]
many['SeriesInstanceUID'] = [f'2.25.1.{{i}}' for i in range(n)]
'''
SHOW = '''t = time.perf_counter()
c = cohort(many)
w = c._widget()
python_s = time.perf_counter()-t
t0 = time.time()
c'''
FIRST = '''() => { new MutationObserver((_, o) => { if (document.querySelector('.rc-space .rc-series')) { window.__first = Date.now(); o.disconnect() } })
    .observe(document.body, {childList: true, subtree: true}) }'''
SCROLL = '''async ([el, step]) => {
    const long = []; const watch = new PerformanceObserver(l => long.push(...l.getEntries().map(e => e.duration))); watch.observe({entryTypes: ['longtask']});
    const times = []; let most = 0, last = performance.now();
    for (let y = 0; y < el.scrollHeight - el.clientHeight; y += step) {
        el.scrollTop = y;
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last); last = now;
        most = Math.max(most, el.querySelectorAll('.rc-line').length) }
    await new Promise(r => setTimeout(r, 200)); watch.disconnect();
    times.sort((a, b) => a - b);
    const q = p => times[Math.min(times.length - 1, Math.floor(p * times.length))];
    return {frames: times.length, median_ms: q(.5), p95_ms: q(.95), worst_ms: q(1), long_tasks: long.length, longest_ms: Math.max(0, ...long), most_lines: most} }'''

def ask(nb, name):
    nb.execute(f'_ = __import__("pathlib").Path("answer.json").write_text(__import__("json").dumps({name}))')
    return json.loads((nb.lab.root/'answer.json').read_text())

def main(n=5000):
    from playwright.sync_api import sync_playwright
    lab = driver.Lab(Path(tempfile.mkdtemp())); lab.wait()
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=driver.find_chromium(), args=driver.QUIET)
        with driver.Notebook(browser, lab, 'cohort.ipynb', [CELL.format(n=n), SHOW]) as nb:
            nb.page.evaluate(FIRST)
            nb.run_all(300)
            nb.page.locator('.rc-space .rc-series').first.wait_for()
            size = ask(nb, 'dict(python_s=python_s, json_kb=len(__import__("json").dumps(w.spec))//1000, codes_kb=len(w.codes)//1000)')
            first = nb.page.evaluate('window.__first')/1000-ask(nb, 't0')
            print(f'{n} series: {size}; from display to the first lines {first:.2f} s')
            el = nb.page.locator('.rc-list').element_handle()
            el.scroll_into_view_if_needed()
            for what,step in (('reading pace, 60 pixels a frame (first 60,000)', 60), ('a fast pull, 1,000 pixels a frame', 1000)):
                if step==60: el.evaluate('e => { e.__h = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight"); Object.defineProperty(e, "scrollHeight", {value: 60000, configurable: true}) }')
                print(f'{what}: {nb.page.evaluate(SCROLL, [el, step])}')
                if step==60: el.evaluate('e => { delete e.scrollHeight }')
            search = nb.page.locator('.rc input[type=search]')
            start = time.perf_counter(); search.fill('syn-0042'); nb.page.locator('.rc-status:has-text("found")').wait_for()
            print(f'from the key to the answer of a search: {time.perf_counter()-start:.2f} s, of which 0.12 s wait for the next key')
            print(f"pictures read: {ask(nb, 'len(c._thumbs)')} of {n}")
        browser.close()
    lab.stop()
    print(platform.platform(), platform.python_version(), 'software drawing')

if __name__ == '__main__': main(*(int(a) for a in sys.argv[1:]))
