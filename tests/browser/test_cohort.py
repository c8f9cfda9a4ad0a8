"The cohort browser in JupyterLab: the list in the browser and the table in the kernel say the same, whoever of them changes it."
import json, re
import pytest
from driver import Notebook

pytestmark = pytest.mark.browser

COHORT = '''import pandas as pd
from radnb.data.index import index_dicom
from radnb.data.series import join_labels, series_table
from radnb.data.phantom import make_cohort
from radnb.view.cohort import cohort
folder = 'ward7'
truth = make_cohort(folder, n=6, size=(16,64,64), seed=0)
series = join_labels(series_table(index_dicom(folder)), truth[['PatientID','nodule','diameter_mm']])
broken = series.iloc[:1].assign(PatientID='SYN-9999', SeriesInstanceUID='2.25.9', verdict='slices missing', action='raises MissingSlices', PatientAge=None, StudyDate=None, Manufacturer=None,
    dimension='time 0 to 30 s', paths=[['gone.dcm']])
series = pd.concat([series, broken], ignore_index=True)
c = cohort(series)
c'''

MANY = '''n = 5000
many = pd.concat([series]*(n//len(series)+1), ignore_index=True)[:n]
many['PatientID'] = [f'SYN-{i//4:05d}' for i in range(n)]
many['StudyInstanceUID'] = [f'2.25.{i//2}' for i in range(n)]
big = cohort(many)
big'''

def status(nb, k=0): return nb.page.locator('.rc-status').nth(k).inner_text()
def lines(nb, kind='series', k=0): return nb.page.locator('.rc').nth(k).locator(f'.rc-space .rc-{kind}')

def follows(nb, expression, wanted):
    nb.wait_until(lambda: nb.ask(expression) == wanted, f'{expression} is not {wanted}')

def test_cohort_is_browsed_and_picked_from(browser, lab):
    with Notebook(browser, lab, 'cohort.ipynb', [COHORT]) as nb:
        nb.run_all(120)
        page = nb.page
        page.locator('.rc-list img[alt="middle slice"]').nth(1).wait_for()
        assert status(nb) == '7 series · 7 patients · 0 selected'
        assert lines(nb, 'patient').count() >= 3 and 'study, 1 series: 1 CT' in lines(nb, 'patient').first.inner_text()

        lines(nb).nth(0).click()                                             # a click picks, and Python knows
        follows(nb, 'sorted(c.picked)', [0])
        lines(nb).nth(2).click(modifiers=['Shift'])                          # a range
        follows(nb, 'sorted(c.picked)', [0, 1, 2])
        nb.execute('c.selected = series[series.nodule == 1]')                # Python picks, and the list knows
        n = nb.ask('int((series.nodule == 1).sum())')
        nb.wait_until(lambda: f'{n} selected' in status(nb), 'the list does not follow Python')

        page.locator('[data-bar="nodule 1"]').click()                        # a bar filters
        follows(nb, '[len(c.found), c.filters]', [n, dict(nodule=['1'])])
        nb.wait_until(lambda: f'{n} of 7 series found' in status(nb), 'the list does not filter')
        nb.execute('c.filters = {}')
        nb.wait_until(lambda: status(nb).startswith('7 series'), 'the list does not follow')
        page.locator('[data-bar="Manufacturer not stated"]').click()         # what is missing is a value to filter by
        follows(nb, 'list(c.found.PatientID)', ['SYN-9999'])
        page.locator('.rc-facets button:has-text("clear")').click()
        follows(nb, 'c.filters', {})

        page.locator('.rc input[type=search]').fill('syn-9999')
        nb.wait_until(lambda: status(nb).startswith('1 of 7 series found'), 'no search')
        follows(nb, 'list(c.found.PatientID)', ['SYN-9999'])
        line = lines(nb).first
        nb.wait_until(lambda: 'Not found' in line.inner_text() or 'No such file' in line.inner_text() or line.locator('.rc-thumb').inner_text() not in ('…', ''), 'no reason for the missing picture')
        assert '⚠ slices missing' in line.inner_text() and '4D: time 0 to 30 s' in line.inner_text() and line.inner_text().count('not stated') == 1

        line.locator('.rc-info').click()                                     # all that is known, and the line that loads it
        detail = page.locator('.rc-detail')
        nb.wait_until(lambda: 'vol = load_series(series.iloc[6])' in detail.inner_text(), 'no code')
        assert re.search(r'Study date\s*not stated', detail.inner_text()) and 'paths' not in detail.inner_text()
        page.keyboard.press('Escape')
        assert not detail.is_visible()

        page.locator('.rc input[type=search]').fill('')
        nb.wait_until(lambda: status(nb).startswith('7 series'), 'the search does not end')
        page.locator('.rc-head button:has-text("Scanner")').click()          # sorted by a column, either way: the same in both
        page.locator('.rc-head button:has-text("Scanner")').click()
        follows(nb, '[c.sort, c.descending]', ['Manufacturer', True])
        page.locator('.rc-top button:has-text("Series")').click()
        nb.wait_until(lambda: lines(nb, 'patient').count() == 0, 'headings remain')
        shown = [re.search(r'SYN-\d+', t).group() for t in lines(nb).all_inner_texts()]
        ids = nb.ask('list(c.found.PatientID)')
        assert shown == ids[:len(shown)] and ids[-1] == 'SYN-9999'

        page.locator('.rc-list').focus()                                     # by keyboard alone, and the notebook's own keys keep still
        for key in ('Home', 'Control+a'): page.keyboard.press(key)
        follows(nb, 'len(c.picked)', 7)
        for key in ('ArrowDown', ' '): page.keyboard.press(key)
        follows(nb, 'len(c.picked)', 6)
        assert len(nb.cells()) == 1
        page.locator('button:has-text("Clear selection")').click()
        follows(nb, 'len(c.picked)', 0)

        nb.wait_until(lambda: 'patient 1' in json.dumps([cell['outputs'] for cell in nb.cells()]), 'the still picture does not follow')
        ids = nb.ask('list(series.PatientID) + list(series.StudyInstanceUID)')
        text = json.dumps([cell.outputs for cell in nb.save().cells])
        assert not [i for i in ids if i in text]                             # what is saved names nobody
        assert (nb.blocked, nb.errors) == ([], [])

def test_5000_series_scroll_and_a_busy_kernel_freezes_nothing(browser, lab):
    with Notebook(browser, lab, 'many.ipynb', [COHORT, MANY]) as nb:
        nb.run_all(120)
        scroller = nb.page.locator('.rc').nth(1).locator('.rc-list')
        lines(nb, k=1).first.wait_for()
        scroller.scroll_into_view_if_needed()
        assert status(nb, 1).startswith('5,000 series · 1,250 patients')
        most = scroller.evaluate('''async el => {
            let most = 0;
            for (let y = 0; y <= el.scrollHeight; y += 40000) { el.scrollTop = y; await new Promise(requestAnimationFrame); most = Math.max(most, el.querySelectorAll('.rc-line').length) }
            el.scrollTop = el.scrollHeight; await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
            return most }''')
        assert 5 < most < 60                                                 # only the lines in sight exist
        assert nb.ask('len(big._thumbs)') < 500                             # and only where the list stood still were pictures read
        pinned = nb.page.locator('.rc').nth(1).locator('.rc-sticky .rc-patient')
        assert 'SYN-0124' in pinned.inner_text()                            # its heading stays in sight

        nb.page.locator('.rc').nth(1).get_by_label('Close all headings').click()
        nb.wait_until(lambda: lines(nb, k=1).count() == 0 and lines(nb, 'patient', 1).count() > 5, 'the headings do not close')
        scroller.evaluate('el => { el.scrollTop = 0 }')
        scroller.locator('.rc-space [data-i="1"]').click()
        nb.wait_until(lambda: lines(nb, k=1).count() == 4, 'the patient does not open')
        lines(nb, k=1).nth(0).click()                                        # a range takes what it spans: a study that it ends in is not picked whole
        lines(nb, k=1).nth(2).click(modifiers=['Shift'])
        follows(nb, 'len(big.picked)', 3)
        nb.execute('big.clear()')
        nb.wait_until(lambda: '0 selected' in status(nb, 1), 'the list does not follow')
        nb.page.locator('.rc').nth(1).get_by_label('Open all headings').click()

        busy = '''import time, pathlib
end = time.time()+120
while not pathlib.Path('go').exists() and time.time() < end: pass
pathlib.Path('ended').touch()'''
        nb.page.evaluate("code => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code}) }", busy)
        scroller.evaluate('el => { el.scrollTop = 90000 }')
        nb.page.locator('.rc').nth(1).locator('input[type=search]').fill('syn-0042')
        nb.wait_until(lambda: '40 of 5,000 series found' in status(nb, 1), 'a busy kernel stops the search', 20)
        lines(nb, k=1).nth(1).click()
        nb.wait_until(lambda: '1 selected' in status(nb, 1), 'a busy kernel stops the picking', 20)
        assert not (nb.lab.root/'ended').exists()                            # all that while the kernel had no time
        (nb.lab.root/'go').touch()
        follows(nb, 'len(big.picked)', 1)                                    # heard when the cell has ended
        follows(nb, 'len(big.found)', 40)
        scroller.locator('img').first.wait_for()
        assert (nb.blocked, nb.errors) == ([], [])
