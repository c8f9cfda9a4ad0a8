"radnb's JupyterLab extension in a real browser, with the network off: files open, pictures are right, windows move, code lands in notebooks."
import json, os, re, time
from pathlib import Path
import numpy as np
import pytest
import driver
from driver import Notebook, grey_levels, open_page

pytestmark = pytest.mark.browser

@pytest.fixture(scope='module')
def lab(tmp_path_factory, chromium_path):
    "A server that has the extension whether or not this environment does: linked into a folder of its own. With scans of every kind."
    from radnb.lab.__main__ import link
    prefix = tmp_path_factory.mktemp('prefix')
    link(prefix)
    leave_out_others(prefix)
    extra = dict(JUPYTER_PATH=str(prefix/'share'/'jupyter'), JUPYTER_CONFIG_PATH=str(prefix/'etc'/'jupyter'))
    before = {k: os.environ.get(k) for k in extra}
    os.environ.update(extra)
    try: server = driver.Lab(tmp_path_factory.mktemp('lab-extension'))
    finally: [os.environ.pop(k) if v is None else os.environ.update({k: v}) for k,v in before.items()]
    make_scans(server.root)
    server.wait()
    yield server
    server.stop()

def leave_out_others(prefix):
    "Extensions that somebody else put into this environment are turned off: what they ask the network for is not ours."
    import glob, sys
    from jupyter_core.paths import jupyter_path
    ours = ('radnb', '@jupyter-widgets/jupyterlab-manager', 'anywidget', 'jupyterlab_pygments')
    found = [p for d in [*jupyter_path('labextensions'), f'{sys.prefix}/share/jupyter/labextensions'] for p in glob.glob(f'{d}/**/package.json', recursive=True)]
    names = {json.loads(Path(p).read_text())['name'] for p in found}
    config = prefix/'etc'/'jupyter'/'labconfig'/'page_config.json'
    config.parent.mkdir(parents=True); config.write_text(json.dumps(dict(disabledExtensions={n: True for n in names if n not in ours})))

def make_scans(root):
    "Two synthetic patients as DICOM, a head in every other format, a series with a gap, a slice without an extension, and a file that is no scan."
    import shutil
    import SimpleITK as sitk
    from radnb.data.phantom import make_cohort, mr_phantom
    from radnb.data.volume import to_sitk
    make_cohort(root/'ward', n=2, size=(24,96,96), seed=0)
    head = mr_phantom(size=(48,64,64))[0]
    for name in ('head.nii', 'head.nii.gz'): head.to_nifti(root/name)
    for name in ('head.nrrd', 'head.mha'): sitk.WriteImage(to_sitk(head), str(root/name))
    ct = root/'ward'/'SYN-0001'/'ct'
    for name in ('IM000007', 'slice.dcm', 'scan.bin'): (root/'loose').mkdir(exist_ok=True); shutil.copy(ct/'IM0007.dcm', root/'loose'/name)
    (root/'mixed').mkdir()
    for patient in ('SYN-0001','SYN-0002'):
        for f in (root/'ward'/patient/'ct').iterdir(): shutil.copy(f, root/'mixed'/f'{patient}-{f.name}')
    (root/'labelled').mkdir()
    labels = mr_phantom(size=(48,64,64))[1]
    head.to_nifti(root/'labelled'/'head.nii.gz')
    for name in ('head_mask', 'alone_mask'): labels.to_nifti(root/'labelled'/f'{name}.nii.gz')
    contours(root/'rt'/'contours.dcm')
    shutil.copytree(ct, root/'gap')
    for i in (9,10): (root/'gap'/f'IM{i:04d}.dcm').unlink()
    (root/'loose'/'00000001').write_text('not a scan')

def contours(path):
    "A structure set whose images are not here."
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid
    ds = Dataset(); ds.file_meta = FileMetaDataset(); ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID, ds.Modality, ds.SeriesInstanceUID = RTStructureSetStorage, generate_uid(), 'RTSTRUCT', generate_uid()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    path.parent.mkdir(); ds.save_as(path, enforce_file_format=True)

class App:
    "JupyterLab in one page."
    def __init__(self, browser, lab, size=(1400,900)):
        self.lab,self.blocked,self.errors,self.asked,self.page = lab, [], [], [], open_page(browser, size)
        self.page.on('pageerror', lambda e: self.errors.append(str(e)))
        self.page.on('request', self.request)
        self.page.goto(f'{lab.url}/lab/workspaces/x{time.time_ns()}?token={driver.TOKEN}', wait_until='domcontentloaded')
        self.page.wait_for_function('window.jupyterapp?.restored.then(() => true)', timeout=60_000)

    def request(self, r):
        self.asked.append(r.url)
        if not r.url.startswith((self.lab.url, 'data:', 'blob:')): self.blocked.append(r.url)

    def command(self, name, **args): return self.page.evaluate('async ([name, args]) => { await window.jupyterapp.commands.execute(name, args) }', [name, args])
    def open(self, path): self.command('docmanager:open', path=path); return self.drawn()
    def folder(self, path): self.command('radnb:open-folder', path=path); return self.drawn()

    @property
    def panel(self): return self.page.locator('.radnb-Panel:visible').last
    def view(self, plane=None): return self.panel.locator(f'.radnb-SliceView{f"[data-plane={plane}]" if plane else ""}:visible').first
    def foot(self): return self.panel.locator('.radnb-Foot').inner_text()

    def drawn(self, seconds=40):
        "Until the first view shows a scan; returns it."
        view = self.panel.locator('.radnb-SliceView[data-radnb=drawn]').first
        view.wait_for(timeout=seconds*1000)
        self.until(lambda: grey_levels(self.pixels(view)) > 20, 'the view stays blank')
        return view

    pixels, until = Notebook.pixels, Notebook.wait_until

    def dragged(self, view, button, dx, dy):
        "Drag the mouse from the middle of a view."
        box = view.bounding_box()
        x,y = box['x']+box['width']/2, box['y']+box['height']/2
        self.page.mouse.move(x, y); self.page.mouse.down(button=button)
        for i in range(1, 6): self.page.mouse.move(x+dx*i/5, y+dy*i/5)
        self.page.mouse.up(button=button)

    def shoot(self, name):
        "Keep a screenshot if `RADNB_SHOTS` names a folder."
        if out := os.environ.get('RADNB_SHOTS'): self.page.wait_for_timeout(800); self.page.screenshot(path=str(Path(out)/f'{name}.png'))

    def clean(self):
        "Nothing was asked for outside this machine, and nothing went wrong."
        assert (self.blocked, self.errors) == ([], [])

    def __enter__(self): return self
    def __exit__(self, *args): self.page.close()

@pytest.fixture
def app(browser, lab):
    with App(browser, lab) as a: yield a

def different(a, b): return a.shape != b.shape or np.abs(a.astype(int)-b).mean() > 1

# Every kind opens

@pytest.mark.parametrize('path', ['head.nii', 'head.nii.gz', 'head.nrrd', 'head.mha', 'loose/slice.dcm', 'loose/IM000007'])
def test_a_double_click_opens(app, path):
    folder,_,name = path.rpartition('/')
    app.command('filebrowser:open-path', path=folder or '/')
    app.page.locator('.jp-DirListing-itemText').get_by_text(name, exact=True).dblclick()
    app.drawn()
    assert app.page.evaluate('window.jupyterapp.shell.currentWidget.title.label') == name
    whole = [u for u in app.asked if f'/api/contents/{path}' in u and 'content=0' not in u and '/checkpoints' not in u]
    assert whole == [], 'the file was asked for as a whole'
    app.clean()

def test_a_scan_is_never_written(app, lab):
    "Neither saving nor opening touches the file, and no copy of it is left in a folder of checkpoints."
    before = (lab.root/'head.nii.gz').read_bytes()
    app.open('head.nii.gz').click()
    app.page.keyboard.press('Control+s')
    app.page.wait_for_timeout(1000)
    app.page.evaluate("async () => { try { await window.jupyterapp.shell.currentWidget.context.save() } catch (e) { return String(e) } }")
    if (dialog:=app.page.locator('.jp-Dialog')).count(): dialog.locator('button').last.click()
    assert (lab.root/'head.nii.gz').read_bytes() == before and not list(lab.root.rglob('.ipynb_checkpoints/*head*'))

def test_any_file_opens_as_scan_from_the_menu(app):
    app.command('filebrowser:open-path', path='loose')
    app.page.locator('.jp-DirListing-itemText').get_by_text('scan.bin', exact=True).click(button='right')
    app.page.locator('.lm-Menu-itemLabel').get_by_text('Open as scan', exact=True).click()
    app.drawn()
    app.clean()

def test_a_folder_opens_as_series(app):
    app.command('filebrowser:open-path', path='/')
    app.page.locator('.jp-DirListing-itemText').get_by_text('ward', exact=True).click(button='right')
    app.page.locator('.lm-Menu-itemLabel').get_by_text('Open as series', exact=True).click()
    first = app.pixels(app.drawn())
    strip = app.panel.locator('.radnb-Strip .radnb-Series')
    assert strip.count() == 2 and 'CT' in strip.first.inner_text()
    app.until(lambda: strip.locator('img').count() == 2, 'no thumbnails')
    assert strip.nth(0).get_attribute('aria-current') == 'true'
    strip.nth(1).click()
    app.until(lambda: strip.nth(1).get_attribute('aria-current') == 'true' and app.view().count() and app.view().get_attribute('data-radnb') == 'drawn', 'the other series does not open')
    app.until(lambda: different(app.pixels(app.view()), first), 'the other series looks the same')
    app.shoot('lab-folder'); app.clean()

def test_a_slice_opens_its_series_where_it_lies(app):
    view = app.open('ward/SYN-0001/ct/IM0007.dcm')
    from radnb.data.dicom import load_series
    vol = load_series(app.lab.root/'ward'/'SYN-0001'/'ct')
    k = [Path(p).name for p in vol.meta['paths']].index('IM0007.dcm')
    hung = vol.physical((k, 0, 0))[2]
    assert f'{"S" if hung >= 0 else "I"} {abs(hung):.1f} mm' in app.foot() and view.get_attribute('data-slice') is not None

def test_what_is_no_scan_says_so(app):
    app.command('docmanager:open', path='loose/00000001')
    app.panel.locator('.radnb-Trouble').get_by_text('This is not a DICOM file').wait_for()
    assert 'NIfTI' in app.panel.locator('.radnb-Remedy').inner_text()
    app.page.route('**/radnb/series?*', lambda route: route.fulfill(status=404, body='<h1>404</h1>'))     # radnb is not enabled in the server
    app.command('docmanager:open', path='loose/slice.dcm')
    app.panel.locator('.radnb-Remedy').get_by_text('jupyter server extension enable radnb.lab').wait_for()

def test_a_series_with_a_gap_says_so_and_can_be_shown(app):
    app.command('radnb:open-folder', path='gap')
    trouble = app.panel.locator('.radnb-Trouble')
    trouble.get_by_text('missing').first.wait_for()
    app.shoot('lab-trouble')
    trouble.get_by_role('button', name='Show the slices all the same').click()
    app.drawn()
    assert 'stacked as they are' in app.foot() and app.panel.locator('.radnb-Foot .radnb-Warn').is_visible()   # the warning stays

# Looking

def truth(lab): from radnb.data.volume import Volume; return Volume.from_nifti(lab.root/'head.nii')

def read_out(text):
    "Millimetres (RAS+) and value of the status line."
    m = re.match(r'([LR]) ([\d.]+), ([AP]) ([\d.]+), ([SI]) ([\d.]+) mm: (-?[\d.]+)', text)
    assert m, text
    mm = [float(m[2])*(1 if m[1] == 'R' else -1), float(m[4])*(1 if m[3] == 'A' else -1), float(m[6])*(1 if m[5] == 'S' else -1)]
    return np.array(mm), float(m[7])

def test_the_readout_is_the_stored_value_at_that_place(app, lab):
    "At several points of three planes: the value is that of the voxel there, to the last digit shown."
    app.open('head.nii')
    app.command('radnb:mpr')
    vol = truth(lab)
    for plane in ('axial','coronal','sagittal'):
        view = app.view(plane)
        app.until(lambda view=view: view.get_attribute('data-radnb') == 'drawn', f'{plane} is not drawn')
        box = view.bounding_box()
        for fx,fy in ((.45,.4), (.55,.52), (.5,.6)):
            before = app.foot()
            app.page.mouse.click(box['x']+box['width']*fx, box['y']+box['height']*fy)
            app.until(lambda before=before: app.foot() != before and ' mm: ' in app.foot(), 'a click does nothing')
            mm,value = read_out(app.foot())
            i = vol.index(mm)
            around = vol.data[tuple(slice(max(int(np.floor(c-.1)), 0), int(np.ceil(c+.1))+1) for c in i)]   # mm are shown to 0.1
            assert np.isclose(around, value, rtol=5e-4).any(), (plane, mm, value, around)
    app.clean()

def test_three_planes_are_linked(app):
    app.open('head.nii')
    app.command('radnb:mpr')
    for p in ('axial','coronal','sagittal'): app.until(lambda p=p: app.view(p).get_attribute('data-radnb') == 'drawn', f'{p} is not drawn')
    before = {p: app.view(p).get_attribute('data-slice') for p in ('axial','coronal','sagittal')}
    box = app.view('axial').bounding_box()
    app.page.mouse.click(box['x']+box['width']*.42, box['y']+box['height']*.6)
    app.until(lambda: all(app.view(p).get_attribute('data-slice') != before[p] for p in ('coronal','sagittal')), 'the other planes do not follow')
    assert app.view('axial').get_attribute('data-slice') == before['axial']
    app.page.mouse.wheel(0, 100)
    app.until(lambda: app.view('axial').get_attribute('data-slice') != before['axial'], 'the wheel does not scroll')
    app.shoot('lab-mpr'); app.clean()

def test_left_is_left(app, lab):
    "Radiological convention: what is shown on the left of the axial picture lies on the patient's right."
    app.open('head.nii')
    app.command('radnb:axial')
    box = app.view('axial').bounding_box()
    app.page.mouse.click(box['x']+box['width']*.45, box['y']+box['height']*.4)
    app.until(lambda: ' mm: ' in app.foot(), 'no readout')
    left,_ = read_out(app.foot())
    before = app.foot()
    app.page.mouse.click(box['x']+box['width']*.55, box['y']+box['height']*.6)
    app.until(lambda: app.foot() != before and ' mm: ' in app.foot(), 'a click does nothing')
    right,_ = read_out(app.foot())
    assert left[0] > right[0] and left[1] > right[1] and 'patient right on the left' in app.foot()   # right before left, front before back

def test_the_window_is_dragged_and_chosen(app):
    view = app.folder('ward')
    first, level = app.pixels(view), re.search(r'L \S+ W \S+', app.foot())[0]
    app.dragged(view, 'right', 120, -60)
    app.until(lambda: level not in app.foot() and different(app.pixels(view), first), 'the right button does not window')
    menu = app.panel.locator('.radnb-Field select').first
    assert menu.input_value() == 'own'
    label = next(o for o in menu.locator('option').all_inner_texts() if o.startswith('lung'))
    menu.select_option(label=label)
    app.until(lambda: 'L -600 W 1500 HU' in app.foot(), 'the window menu does nothing')
    lung = app.pixels(view)
    view.click(); app.page.keyboard.press('w')
    app.until(lambda: 'L -600 W 1500' not in app.foot() and different(app.pixels(view), lung), 'W does not take the next window')
    app.page.keyboard.press('r')
    app.until(lambda: level in app.foot(), 'R does not reset')
    assert app.page.locator('.lm-Menu:visible').count() == 0    # the right button opens no menu on the picture
    app.clean()

def test_keys_scroll_and_change_the_layout(app):
    view = app.folder('ward')
    view.click()
    k = lambda: int(app.view().get_attribute('data-slice'))
    start = k()
    for key,d in (('ArrowDown',1), ('ArrowUp',0), ('PageDown',10), ('Home',-start), ('End',23-start)):
        app.page.keyboard.press(key)
        app.until(lambda d=d: k() == min(start+d, 23), f'{key} does not scroll')
    app.page.keyboard.press('c'); app.until(lambda: app.view('coronal').count(), 'C shows no coronal plane')
    app.page.keyboard.press('m'); app.until(lambda: app.panel.locator('.radnb-SliceView:visible').count() == 3, 'M does not show three planes')
    app.page.keyboard.press('h'); app.panel.locator('.radnb-Header').wait_for()
    app.page.keyboard.type('mac')     # in the search field letters are letters
    assert app.panel.locator('.radnb-SliceView:visible').count() == 3 and app.panel.locator('.radnb-Header input').input_value() == 'mac'
    app.clean()

def test_measurements(app, browser, lab):
    "A line is as long as its pixels, angles are what was drawn (with drags and with clicks), a region tells mean, SD and area; all are listed, copied, deleted."
    browser.contexts[0].grant_permissions(['clipboard-read', 'clipboard-write'])
    view = app.open('head.nii')
    app.command('radnb:axial')
    tool, marks = app.panel.get_by_label('Right drag'), app.panel.locator('.radnb-Marks li')
    box = view.bounding_box()
    x0,y0 = box['x']+box['width']/2, box['y']+box['height']/2
    def drag(*points):
        "With the right button from the first point to the last, relative to the middle."
        app.page.mouse.move(x0+points[0][0], y0+points[0][1]); app.page.mouse.down(button='right')
        for x,y in points[1:]: app.page.mouse.move(x0+x, y0+y, steps=3)
        app.page.mouse.up(button='right')
    n = lambda k: app.until(lambda: marks.count() == k, f'{marks.count()} measurements instead of {k}')
    shown = lambda k: marks.nth(k).locator('button').first.inner_text()
    tool.select_option('distance')
    drag((-150,0), (150,0)); n(1)
    vol = truth(lab)
    rows,cols = vol.shape[1]*vol.spacing[1], vol.shape[2]*vol.spacing[2]
    expected = 300/min(box['width']/cols, box['height']/rows)                            # the picture fits the view
    assert abs(float(shown(0).split()[0])-expected) < .02*expected+.2
    tool.select_option('angle')
    drag((0,-100), (0,0)); drag((20,0), (100,0)); n(2)
    assert abs(float(shown(1)[:-1])-90) < 1
    for x,y in ((-100,100), (0,0), (100,100)): app.page.mouse.click(x0+x, y0+y, button='right')
    n(3)
    assert abs(float(shown(2)[:-1])-90) < 1
    app.page.mouse.click(x0+30, y0+30, button='right')                                   # half an angle is no measurement
    n(3)
    tool.select_option('region')
    drag((-60,-60), (60,60)); n(4)
    assert re.fullmatch(r'[\d.]+ ± [\d.]+ a\.u\., [\d.]+ mm²', shown(3))
    yellow = lambda a: ((a[...,0] > 200) & (a[...,1] > 190) & (a[...,2] < 120)).sum()
    app.until(lambda: yellow(app.pixels(view)) > 300, 'the measurements are not drawn')
    app.shoot('lab-measure')
    app.panel.locator('.radnb-Marks').get_by_text('Copy').click()
    app.until(lambda: app.page.evaluate('navigator.clipboard.readText()').count('axial slice') == 4, 'nothing was copied')
    k = view.get_attribute('data-slice')
    view.click(position=dict(x=5, y=5)); app.page.keyboard.press('PageDown')
    app.until(lambda: view.get_attribute('data-slice') != k, 'does not scroll')
    marks.first.locator('button').first.click()                                          # back to where it was drawn
    app.until(lambda: view.get_attribute('data-slice') == k, 'the list does not go to the slice')
    marks.first.get_by_title('Delete').click(); n(3)
    view.click(position=dict(x=5, y=5)); app.page.keyboard.press('Delete')
    app.panel.locator('.radnb-Marks').get_by_text('Delete all').click(); n(0)
    app.until(lambda: yellow(app.pixels(view)) == 0, 'the measurements stay')
    app.clean()

def test_light_box_snapshot_and_help(app, browser):
    "Slices side by side, a page at a time; a click opens one; the picture goes to the clipboard; `?` tells the keys."
    from PIL import Image
    import base64, io
    browser.contexts[0].grant_permissions(['clipboard-read', 'clipboard-write'])
    app.folder('ward').click()
    app.page.keyboard.press('g')
    tiles = app.panel.locator('.radnb-Tile:visible')
    app.until(lambda: tiles.count() > 5 and app.panel.locator('.radnb-Tile[data-radnb=drawn]:visible').count() == tiles.count(), 'the light box stays empty')
    assert grey_levels(app.pixels(tiles.nth(1))) > 20 and 'R' in tiles.nth(1).inner_text()
    app.shoot('lab-grid')
    current = lambda: app.panel.locator('.radnb-Tile[aria-current=true]:visible').inner_text().split()[0]
    for key,k in (('End','24'), ('Home','1'), ('ArrowRight','2')):
        app.page.keyboard.press(key)
        app.until(lambda k=k: current() == k, f'{key} does not go to slice {k}')
    tiles.nth(2).click()
    app.until(lambda: app.view().count() and app.view().get_attribute('data-slice') == '2', 'a click does not open the slice')
    app.drawn().click()
    app.page.keyboard.press('p')
    app.panel.get_by_text('in the clipboard').wait_for()
    png = app.page.evaluate("""async () => { const b = await (await navigator.clipboard.read())[0].getType('image/png');
        return new Promise(done => { const r = new FileReader(); r.onload = () => done(r.result.split(',')[1]); r.readAsDataURL(b) }) }""")
    picture, seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert('RGB')), app.pixels(app.panel.locator('.radnb-Stage'))
    assert abs(picture.shape[0]-seen.shape[0]) <= 1 and np.abs(picture[:-60].astype(int)-seen[:len(picture)-60, :picture.shape[1]]).mean() < 2   # all but the notice below
    app.page.keyboard.press('?')
    dialog = app.panel.get_by_role('dialog')
    dialog.wait_for()
    app.shoot('lab-keys')
    app.page.keyboard.press('Escape')
    app.until(lambda: dialog.count() == 0 and app.page.evaluate("document.activeElement.classList.contains('radnb-Stage')"), 'Esc does not close it')
    app.clean()

def test_segmentations(app, lab):
    "DICOM SEG and a label map open on their image, in colour, and can be taken off; alone, they are shown alone."
    app.command('docmanager:open', path='ward/SYN-0002/seg/ct.dcm')
    view = app.drawn()
    chips = app.panel.locator('.radnb-Chip')
    chips.first.wait_for()
    assert 'nodule' in chips.first.inner_text() and 'HU' in app.foot()
    app.panel.get_by_role('button', name='Filled').click()
    orange = lambda a: ((a[...,0].astype(int) > a[...,2].astype(int)+60) & (a[...,0] > 90)).sum()
    app.until(lambda: orange(app.pixels(view)) > 20, 'the nodule is not seen')            # the view went where it is
    app.shoot('lab-seg')
    app.panel.locator('select[data-radnb=mask]').select_option('')
    app.until(lambda: orange(app.pixels(view)) == 0 and chips.count() == 0, 'the segmentation stays')
    app.command('docmanager:open', path='labelled/head_mask.nii.gz')
    view = app.drawn()
    app.until(lambda: app.panel.locator('.radnb-Chip').count() > 1, 'no structures')
    assert app.panel.locator('.radnb-Strip .radnb-Series').count() == 2
    app.command('docmanager:open', path='labelled/alone_mask.nii.gz')
    app.panel.locator('.radnb-Foot').get_by_text('Labels by themselves').wait_for()
    app.until(lambda: (np.ptp(app.pixels(app.view()).astype(int), axis=-1) > 80).sum() > 500, 'no colours')
    app.command('docmanager:open', path='rt/contours.dcm')
    app.panel.get_by_text('Contours (RTSTRUCT)').wait_for()
    assert 'into the folder of its images' in app.panel.locator('.radnb-Remedy').inner_text()
    app.clean()

def test_a_job_is_seen_and_stopped(app, lab):
    "While headers are read the sidebar says how far it is; Stop ends it, and the folder says so."
    import shutil
    many = lab.root/'many'; many.mkdir()
    one = next((lab.root/'ward'/'SYN-0001'/'ct').iterdir())
    for i in range(20_000): os.link(one, many/f'{i:05d}.dcm')
    try:
        app.command('filebrowser:open-path', path='/many'); app.command('radnb:index-here')
        job, folder = app.page.locator('.radnb-Job'), app.page.locator('.radnb-Folder', has_text='many')
        app.until(lambda: job.count(), 'no job is shown')
        app.shoot('lab-job')
        ended = lambda: job.get_by_role('button').evaluate_all('bs => (bs.forEach(b => b.click()), !bs.length)')
        app.until(lambda: ended() and re.search(r'Stopped after|\d volume', folder.inner_text()), 'the job does not end, or the folder does not say so', 90)   # or it was done before
        app.clean()
    finally: shutil.rmtree(many)

def test_3d_draws_offline(app):
    app.page.set_viewport_size(dict(width=900, height=600))   # it is drawn in software here
    app.open('head.nii')
    draws = app.page.evaluate('window.__draws')
    app.panel.get_by_role('button', name='3D').click()
    canvas = app.panel.locator('.radnb-VolumeView[data-radnb=drawn] canvas')
    canvas.wait_for(timeout=60_000)
    app.until(lambda: grey_levels(app.pixels(canvas)) > 20, '3D stays blank', 60)
    assert app.page.evaluate('window.__draws') > draws
    before = app.pixels(canvas)
    app.dragged(canvas, 'left', 80, 0)
    app.until(lambda: different(app.pixels(canvas), before), '3D does not turn')
    app.panel.get_by_role('button', name='MPR').click()
    app.drawn()
    app.clean()

def test_without_webgl_the_planes_are_there(browser_without_webgl, lab):
    with App(browser_without_webgl, lab) as app:
        app.open('head.nii')
        app.command('radnb:mpr')
        for p in ('axial','coronal','sagittal'): app.until(lambda p=p: grey_levels(app.pixels(app.view(p))) > 20, f'{p} stays blank')
        three = app.panel.get_by_role('button', name='3D')
        assert three.is_disabled() and 'WebGL2' in three.get_attribute('title')
        app.command('radnb:3d')
        assert app.panel.locator('.radnb-VolumeView').count() == 0 and app.view('axial').is_visible()
        app.clean()

# Header

def test_the_header_is_searched_and_copied(app, browser):
    browser.contexts[0].grant_permissions(['clipboard-read', 'clipboard-write'])
    app.folder('ward')
    app.panel.get_by_role('button', name='Header').click()
    rows = app.panel.locator('.radnb-Header tbody tr')
    app.until(lambda: rows.count() > 30, 'no header')
    search = app.panel.get_by_label('Search the header')
    for text in ('0008,0060', '00080060', 'modality'):
        search.fill(text)
        app.until(lambda: rows.count() and 'CT' in rows.first.inner_text() and 'Modality' in rows.first.inner_text(), f'{text} finds nothing')
    app.panel.get_by_role('button', name='Copy').click()
    app.until(lambda: '(0008,0060)\tModality\tCS\tCT' in app.page.evaluate('navigator.clipboard.readText()'), 'nothing was copied')
    search.fill('')
    name = app.panel.locator('.radnb-Which').inner_text()
    app.panel.get_by_title('Next file').click()
    app.until(lambda: app.panel.locator('.radnb-Which').inner_text() != name, 'no next file')
    app.shoot('lab-header'); app.clean()

# Around it

def test_the_dark_theme_is_dark(app):
    app.command('apputils:change-theme', theme='JupyterLab Dark')
    try:
        app.folder('ward')
        app.panel.get_by_role('button', name='Header').click()
        app.until(lambda: app.panel.locator('.radnb-Header tbody tr').count() > 30, 'no header')
        dark = lambda selector: app.page.evaluate("""s => { const e = document.querySelector(s), c = getComputedStyle(e);
            const sum = v => v.match(/\\d+/g).slice(0, 3).map(Number).reduce((a, b) => a + b);
            let b = e; while (getComputedStyle(b).backgroundColor === 'rgba(0, 0, 0, 0)') b = b.parentElement;
            return [sum(getComputedStyle(b).backgroundColor), sum(c.color)] }""", selector)
        for part in ('.radnb-Toolbar', '.radnb-Foot', '.radnb-Strip .radnb-Title', '.radnb-Header td', '.radnb-Button:not([aria-pressed=true])', '.radnb-Field select'):
            back,ink = dark(f'.radnb-Panel {part}')
            assert back < 250 < 350 < ink, (part, back, ink)
        app.shoot('lab-dark')
        app.clean()
    finally: app.command('apputils:change-theme', theme='JupyterLab Light')

def test_the_sidebar_inserts_code_that_runs(browser, lab):
    with Notebook(browser, lab, 'insert.ipynb', ['']) as nb:
        nb.page.wait_for_function('window.jupyterapp.restored.then(() => true)')
        nb.page.evaluate("async () => { await window.jupyterapp.commands.execute('filebrowser:open-path', {path: '/ward'}); await window.jupyterapp.commands.execute('radnb:index-here') }")
        folder = nb.page.locator('.radnb-Folder')
        folder.get_by_text(re.compile(r'\d+ volumes')).first.wait_for(timeout=40_000)
        item = folder.locator('.radnb-Patient', has_text='SYN-0002').locator('.radnb-Item').first
        item.locator('img').wait_for()
        if out := os.environ.get('RADNB_SHOTS'): nb.page.screenshot(path=str(Path(out)/'lab-sidebar.png'))
        item.locator('.radnb-Insert').click()
        nb.wait_until(lambda: 'load_series' in nb.cells()[0]['source'], 'no code in the notebook')
        assert nb.cells()[0]['source'] == "from radnb.explore import *\n\nvol = load_series('ward/SYN-0002/ct')\nview(vol)"
        nb.run_all()
        nb.execute("assert vol.shape == (24,96,96)")
        nb.page.evaluate("async () => { await window.jupyterapp.commands.execute('radnb:sidebar') }")
        item.locator('.radnb-Series').click()
        nb.page.locator('.radnb-Panel .radnb-SliceView[data-radnb=drawn]').first.wait_for()
        assert nb.blocked == []
        nb.page.evaluate("() => window.jupyterapp.shell.currentWidget.dispose()")

def test_inserted_code_loads_every_kind(browser, lab):
    "What the sidebar writes for NIfTI, NRRD and for one of several series in a folder, from a notebook in a folder of its own, runs and loads the same volume."
    (lab.root/'work').mkdir(exist_ok=True)
    with Notebook(browser, lab, 'work/kinds.ipynb', ['','','']) as nb:
        nb.page.wait_for_function('window.jupyterapp.restored.then(() => true)')
        command = lambda name, **args: nb.page.evaluate('async ([n, a]) => { await window.jupyterapp.commands.execute(n, a) }', [name, args])
        command('filebrowser:open-path', path='/mixed'); command('radnb:index-here')
        command('filebrowser:open-path', path='/'); command('radnb:index-here')
        mixed, everything = nb.page.locator('.radnb-Folder').nth(0), nb.page.locator('.radnb-Folder').nth(1)
        for f in (mixed, everything): f.get_by_text(re.compile(r'\d+ volumes')).first.wait_for(timeout=40_000)
        def insert(row, cell):
            row.wait_for()
            nb.page.evaluate(f'() => {{ window.jupyterapp.shell.currentWidget.content.activeCellIndex = {cell} }}')
            row.locator('.radnb-Insert').click()
            nb.wait_until(lambda: nb.cells()[cell]['source'], 'no code in the notebook')
        insert(mixed.locator('.radnb-Item').nth(1), 0)
        search = everything.get_by_label('Search series')
        for cell,name in ((1,'head.nii.gz'), (2,'head.nrrd')):
            search.fill(name)
            insert(everything.locator('.radnb-Item', has_text=name).first, cell)
        sources = [c['source'] for c in nb.cells()]
        assert "series_table(index_dicom('../mixed'))" in sources[0] and "from_nifti('../head.nii.gz')" in sources[1]
        for s,shape in zip(sources, ((24,96,96), (48,64,64), (48,64,64))): nb.execute(f"{s.replace('view(vol)', '')}\nassert vol.shape == {shape}, vol\nseen = globals().get('seen', []) + [vol]")
        same = 'same_grid(seen[1], seen[2], .01) and np.array_equal(seen[1].data, seen[2].data)'
        nb.execute(f"from radnb.data.volume import same_grid\nok = len(seen) == 3 and {same}\nPath('ok.txt').write_text(str(ok))")
        nb.wait_until(lambda: (lab.root/'work'/'ok.txt').exists() and (lab.root/'work'/'ok.txt').read_text() == 'True', 'the code does not load the volumes')

def test_a_launcher_card_makes_a_notebook(app, lab):
    app.command('filebrowser:open-path', path='/')
    app.command('launcher:create')
    section = app.page.locator('.jp-Launcher:visible .jp-Launcher-section', has_text='radnb')
    section.locator('.jp-LauncherCard').nth(2).wait_for()
    assert {t.strip() for t in section.locator('.jp-LauncherCard').all_inner_texts()} == {'Explore','Classify','Segment'}
    app.shoot('lab-launcher')
    section.locator('.jp-LauncherCard', has_text='Explore').click()
    app.page.wait_for_function("window.jupyterapp.shell.currentWidget?.context?.path === 'Explore.ipynb'")
    made = json.loads((lab.root/'Explore.ipynb').read_text())
    assert 'What is in this folder?' in ''.join(made['cells'][0]['source'])
    app.command('radnb:new-explore')
    app.page.wait_for_function("window.jupyterapp.shell.currentWidget?.context?.path === 'Explore-1.ipynb'")
    for name in ('Explore.ipynb','Explore-1.ipynb'): (lab.root/name).unlink()
    app.clean()

PHANTOM = 'from radnb.data.phantom import ct_phantom\nfrom radnb.view.viewer import view\nvol, mask = ct_phantom(seed=1, size=(24,64,64))\nview(vol, mask)'

def test_a_reopened_notebook_shows_the_picture_alone(browser, lab):
    "Without its kernel a live view is not to be had: the picture is shown, and no error line beside it."
    with Notebook(browser, lab, 'reopened.ipynb', [PHANTOM]) as nb:
        nb.run_all(); nb.wait_drawn(); nb.save()
    with Notebook(browser, lab, 'reopened.ipynb') as nb:
        nb.page.locator('.jp-RenderedImage img').wait_for(state='visible')
        nb.page.wait_for_timeout(1500)
        shown = nb.page.locator('.jp-OutputArea-child:visible')
        assert shown.count() == 1 and 'model not found' not in nb.page.locator('.jp-Notebook').inner_text() and 'Loading widget' not in nb.page.locator('.jp-Notebook').inner_text()
        nb.run_all(); nb.wait_drawn()                                     # and with a kernel the live view is back

def test_notebook_7(browser, lab):
    "In Notebook 7 a file opens in a page of its own, and a folder opens its first volume with the others beside it."
    pytest.importorskip('notebook', reason="pip install 'notebook>=7'")
    page = open_page(browser)
    page.goto(f'{lab.url}/tree?token={driver.TOKEN}', wait_until='domcontentloaded')
    opened = []
    item = lambda name: page.locator('.jp-DirListing-itemText').get_by_text(name, exact=True)
    item('head.nii').wait_for(timeout=60_000)
    try:
        with browser.contexts[0].expect_page() as new: item('head.nii').dblclick()
        opened.append(new.value)
        item('ward').click(button='right')
        with browser.contexts[0].expect_page() as new: page.locator('.lm-Menu-itemLabel').get_by_text('Open as series', exact=True).click()
        opened.append(new.value)
        for p in opened:
            view = p.locator('.radnb-SliceView[data-radnb=drawn]').first
            view.wait_for(timeout=60_000)
            assert p.locator('.radnb-Toolbar').count() and p.get_by_text('Insert code').count() == 0
        opened[1].get_by_role('button', name='Header').click()
        opened[1].locator('.radnb-Header tbody tr').nth(30).wait_for()
        if out := os.environ.get('RADNB_SHOTS'): opened[1].screenshot(path=str(Path(out)/'notebook7.png'))
    finally:
        for p in (*opened, page): p.close()

def test_the_tab_comes_back_after_a_reload(app):
    app.folder('ward'); app.command('docmanager:open', path='head.nii'); app.drawn()
    app.page.wait_for_timeout(1500)                                        # the layout is saved with a delay
    app.page.reload(wait_until='domcontentloaded')
    app.page.wait_for_function('window.jupyterapp?.restored.then(() => true)', timeout=60_000)
    app.drawn()
    assert {'ward', 'head.nii'} <= set(app.page.evaluate('[...window.jupyterapp.shell.widgets("main")].map(w => w.title.label)'))
