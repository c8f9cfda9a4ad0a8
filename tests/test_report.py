"radnb.view.report: what is planted is found, a clean cohort raises no alarm, real data give up their real copies, and a page names nobody."
import html.parser, re, shutil, time
from datetime import date
import numpy as np, pandas as pd, pytest
from pydicom import dcmread, dcmwrite
from pydicom.uid import RLELossless, generate_uid
from radnb.data.index import index_dicom
from radnb.data.phantom import make_cohort, tiny_ct
from radnb.data.series import join_labels, series_table
from radnb.view.report import cohort_report, cramers_v, mad_outliers


def report_on(folder, by=None, **kw):
    files = index_dicom(folder)
    series = series_table(files)
    if by: series = join_labels(series, folder/'labels.csv')
    return cohort_report(files, series, by=by, **kw)

def about(report, text, severity=None):
    "Findings whose sentence contains `text`."
    f = report.findings
    return f[f.sentence.str.contains(text, regex=False) & ((f.severity == severity) if severity else True)]

def change(path, **fields):
    ds = dcmread(path)
    for k,v in fields.items(): setattr(ds, k, v)
    if 'SOPInstanceUID' in fields: ds.file_meta.MediaStorageSOPInstanceUID = fields['SOPInstanceUID']
    ds.save_as(path)

def slices(folder, patient, kind='ct'): return sorted((folder/patient/kind).glob('*.dcm'))

@pytest.fixture(scope='module')
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp('report')/'clean'
    make_cohort(folder, n=20, kinds=('ct','cr','mr'), size=(12,48,48), seed=1, sites=2)
    return folder

@pytest.fixture
def spoilt(clean, tmp_path):
    "A copy of the clean cohort, to be spoilt."
    return shutil.copytree(clean, tmp_path/'spoilt')


def test_clean_cohort_raises_no_alarm(clean):
    r = report_on(clean, by='nodule', pixels=True, today=date(2025, 1, 1))
    assert set(r.findings.severity) <= {'note'} and len(r.severe) == 0
    assert not any(isinstance(n, str) for n in r.checked.values())   # every check has run
    assert r.tables['overview'].set_index('modality').loc[['all','CT','MR','CR'], 'patients'].tolist() == [20]*4
    assert set(r.tables['patients'].sex) <= {'female','male'} and len(r.tables['duplicates']) == 0

def test_planted_traps_are_found(tmp_path):
    truth = make_cohort(tmp_path/'traps', n=24, size=(12,48,48), seed=0, traps=('duplicate_patient','site_predicts_label'))
    r = report_on(tmp_path/'traps', by='nodule', pixels=True)
    twins = {truth.copy_of.dropna().item(), truth.PatientID.iloc[-1]}
    same, = about(r, 'pixel for pixel', 'severe').index
    assert set(r.concerned(same).PatientID) == twins and len(r.concerned(same)) == 2*12
    assert len(about(r, 'nodule goes along with scanner', 'severe')) == 1 and len(r.severe) == 2
    counts = r.tables['crosstabs'].query('factor == "InstitutionName"')
    assert counts.patients.sum() == 24
    without = cohort_report(index_dicom(tmp_path/'traps'))
    assert len(without.severe) == 0 and without.checked['identical pixels'].startswith('not run')   # headers alone cannot tell

def test_site_trap_with_other_modalities(tmp_path):
    make_cohort(tmp_path/'mr', n=24, kinds=('mr',), size=(12,48,48), seed=3, traps='site_predicts_label')
    r = report_on(tmp_path/'mr', by='lesion')
    assert len(about(r, 'lesion goes along with', 'severe')) == 1 and 'field strength' in r.severe.sentence.iloc[0]


def test_damage_is_found(spoilt):
    cut, gone = slices(spoilt, 'SYN-0001')[0], slices(spoilt, 'SYN-0002')
    cut.write_bytes(cut.read_bytes()[:-500])
    middle = sorted(gone, key=lambda p: dcmread(p, stop_before_pixels=True).ImagePositionPatient[2])[6]
    middle.unlink()
    (spoilt/'rest.zip').write_bytes(b'PK\3\4'+bytes(300))
    r = report_on(spoilt)
    assert len(about(r, 'damaged: 1 truncated', 'warning')) == 1 and len(about(r, 'archive', 'warning')) == 1
    missing, = about(r, 'slice missing after', 'warning').index
    assert 'SYN-0002' in set(r.concerned(missing).PatientID) <= {'SYN-0001','SYN-0002'} and 'load_series raises' in r.findings.remedy[missing]
    assert len(about(r, 'unlike the others')) == 0 and len(about(r, 'with gaps')) == 0   # the distance of slices is not known, not odd

def test_many_damaged_files_are_severe(spoilt):
    for k in range(1, 9):
        for p in slices(spoilt, f'SYN-000{k}'): p.write_bytes(p.read_bytes()[:900])
    assert len(about(report_on(spoilt), 'damaged', 'severe')) == 1

def test_one_examination_under_two_patients(spoilt):
    for p in slices(spoilt, 'SYN-0003')[:4]: change(p, PatientID='SYN-0099')
    r = report_on(spoilt)
    found, = about(r, 'filed under more than one PatientID', 'severe').index
    assert set(r.concerned(found).PatientID) == {'SYN-0003','SYN-0099'} and r.findings.sentence[found].startswith('1 study')

def test_shared_frame_of_reference(spoilt):
    frame = dcmread(slices(spoilt, 'SYN-0004')[0]).FrameOfReferenceUID
    for p in slices(spoilt, 'SYN-0005'): change(p, FrameOfReferenceUID=frame)
    r = report_on(spoilt)
    assert len(about(r, '1 frame of reference', 'warning')) == 1 and len(r.severe) == 0

def test_identifiers(spoilt):
    for p in slices(spoilt, 'SYN-0006'): change(p, PatientID='')
    for p in slices(spoilt, 'SYN-0007'): change(p, PatientID='ANONYMOUS')
    for p in slices(spoilt, 'SYN-0008'): change(p, PatientID='syn 8', StudyInstanceUID='1.2.3', FrameOfReferenceUID='1.2.4')
    r = report_on(spoilt)
    assert len(about(r, f'12 files of {len(r._c.dicom):,} without a PatientID', 'severe')) == 1
    assert len(about(r, 'looks like a placeholder', 'warning')) == 1

@pytest.mark.parametrize('ids', [('0012','12'), ('AB-1','ab1'), ('X 7','X7')])
def test_ids_that_differ_by_little(ids, tmp_path):
    for k,i in enumerate(ids): tiny_ct(tmp_path/str(k), n=3, PatientID=i, StudyInstanceUID=f'1.2.{k}', PixelData=bytes(range(96)))
    assert len(about(report_on(tmp_path), '2 PatientIDs that differ only in', 'warning')) == 1

def test_people_and_dates(spoilt):
    for p in slices(spoilt, 'SYN-0001'): change(p, PatientSex={'F':'M','M':'F'}[dcmread(p).PatientSex])
    for p in slices(spoilt, 'SYN-0002'): change(p, PatientAge='004Y')
    for p in slices(spoilt, 'SYN-0003'): change(p, StudyDate='20990101')
    for p in slices(spoilt, 'SYN-0004'): change(p, StudyDate='19000101')
    for p in slices(spoilt, 'SYN-0005'): change(p, PatientAge='44')
    r = report_on(spoilt, today=date(2025, 1, 1))
    who = {s: set(r.concerned(i).PatientID) for i,s in enumerate(r.findings.sentence)}
    of = lambda text: next(ids for s,ids in who.items() if text in s)
    assert of('female in one place') == {'SYN-0001'} and of('under 18 among adults') == {'SYN-0002'}
    assert of('do not fit together') >= {'SYN-0002'} and of('in the future') == {'SYN-0003'}
    assert of('before such images could be made') == {'SYN-0004'} and of('written as DICOM wants it') == {'SYN-0005'}


def test_copies_and_false_copies(spoilt):
    a,b,*_ = slices(spoilt, 'SYN-0001')
    shutil.copy(a, spoilt/'again.dcm')
    change(b, SOPInstanceUID=dcmread(slices(spoilt, 'SYN-0001')[2]).SOPInstanceUID)
    r = report_on(spoilt, pixels=True)
    assert len(about(r, '1 further copy of an image', 'note')) == 1 and len(about(r, '1 SOPInstanceUID used for different', 'warning')) == 1
    assert r.tables['duplicates'].kind.tolist() == ['same SOPInstanceUID']*4

def test_same_place_other_pixels_is_no_copy(spoilt):
    a,b,*_ = slices(spoilt, 'SYN-0001')
    shutil.copy(a, spoilt/'again.dcm')
    change(spoilt/'again.dcm', PixelData=dcmread(b).PixelData)
    assert len(about(report_on(spoilt, pixels=True), 'used for different images', 'warning')) == 1
    assert len(about(report_on(spoilt), 'used for different images')) == 0    # headers alone cannot tell

def test_same_pixels_in_one_patient(spoilt):
    for k,p in enumerate(slices(spoilt, 'SYN-0001')):
        shutil.copy(p, spoilt/f'{k}.dcm')
        change(spoilt/f'{k}.dcm', SOPInstanceUID=generate_uid(), SeriesInstanceUID='1.2.3.4')
    r = report_on(spoilt, pixels=True)
    assert len(about(r, '12 images found several times in one patient', 'warning')) == 1 and len(r.severe) == 0

def test_compressed_copies(tmp_path):
    "Compressed pixels are compared as they are stored; identical empty slices prove nothing, compressed or not."
    rng = np.random.default_rng(0)
    image, empty = rng.integers(0, 4000, 48, dtype=np.uint16).tobytes(), bytes(96)
    for who in 'AB':
        a, = tiny_ct(tmp_path/who/'a', n=1, PatientID=who, PixelData=image)
        b, = tiny_ct(tmp_path/who/'b', n=1, PatientID=who, PixelData=empty)
        tiny_ct(tmp_path/who/'c', n=1, PatientID=who, PixelData=empty)
        for p in (a, b):
            ds = dcmread(p)
            ds.compress(RLELossless, generate_instance_uid=False)
            ds.save_as(p)
    r = report_on(tmp_path, pixels=True)
    found, = about(r, '1 image found pixel for pixel', 'severe').index
    assert all('/a/' in p for p in r.concerned(found).path) and len(r.severe) == 1
    assert len(about(r, 'image of a single value', 'note')) == 1

def test_signed_big_and_overlaid_values(tmp_path):
    "The range of values is that of pydicom, whatever the coding; bits above the stored ones are no values."
    from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian
    values = np.random.default_rng(0).integers(-1000, 3000, 48).astype(np.int16)
    tiny_ct(tmp_path/'signed', n=1, PixelData=values.tobytes(), PixelRepresentation=1, BitsStored=16, HighBit=15, RescaleIntercept=0)
    overlaid = ((values+1024).astype(np.uint16) | 0x8000)
    tiny_ct(tmp_path/'overlaid', n=1, PixelData=overlaid.tobytes())
    for name,syntax in (('big', ExplicitVRBigEndian), ('implicit', ImplicitVRLittleEndian)):
        p, = tiny_ct(tmp_path/name, n=1, PixelData=(values+1024).astype(np.uint16).tobytes())
        ds = dcmread(p)
        ds.file_meta.TransferSyntaxUID = syntax
        if name == 'big': ds.PixelData = (values+1024).astype('>u2').tobytes(); ds['PixelData'].VR = 'OW'
        dcmwrite(p, ds, little_endian=name != 'big', implicit_vr=name == 'implicit', force_encoding=True)
    c = report_on(tmp_path, pixels=True)._c
    assert c.pixels[['low','high']].drop_duplicates().values.tolist() == [[values.min(), values.max()]]

def test_lost_hounsfield_units(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(3): tiny_ct(tmp_path/f'{k}', n=3, RescaleIntercept=0, PatientID=f'P{k}', PixelData=rng.integers(0, 255, 48, dtype=np.uint16).tobytes())
    tiny_ct(tmp_path/'soft', n=3, PatientID='Q', PixelData=(1024+rng.integers(0, 255, 48)).astype(np.uint16).tobytes())
    r = report_on(tmp_path, pixels=True)
    lost,airless = about(r, 'without rescale intercept', 'warning').index[0], about(r, '1 CT series without air', 'warning').index[0]
    assert set(r.concerned(lost).PatientID) == {'P0','P1','P2'} and set(r.concerned(airless).PatientID) == {'Q'}

def test_outliers_are_judged_by_their_own_kind(tmp_path):
    for k in range(12): tiny_ct(tmp_path/f'a{k}', n=6, gap=2.5 if k else 9., PatientID=f'A{k}', SeriesDescription='thorax')
    for k in range(12): tiny_ct(tmp_path/f'b{k}', n=6, gap=5., PatientID=f'B{k}', SeriesDescription='abdomen')
    r = report_on(tmp_path)
    t = r.tables['outliers']
    assert set(t.value) == {9.} and set(r._c.volumes.PatientID[t.row]) == {'A0'}
    assert len(about(r, 'slice distance unlike the others', 'warning')) == 1

def test_lossy_half_and_letters(spoilt):
    for p in slices(spoilt, 'SYN-0001'): change(p, LossyImageCompression='01')
    for p in slices(spoilt, 'SYN-0002'): change(p, BurnedInAnnotation='YES')
    r = report_on(spoilt)
    assert len(about(r, 'compressed with loss', 'warning')) == 1 and len(about(r, 'letters in the picture', 'warning')) == 1


def test_labels_dealt_by_chance_are_never_severe(clean):
    "Thirty times coins for labels: no severe finding, and a warning in one of ten at most."
    series = series_table(index_dicom(clean)).query('Modality == "CT"')
    patients, levels = sorted(series.PatientID.unique()), []
    for seed in range(30):
        coin = dict(zip(patients, np.random.default_rng(seed).permutation(len(patients)) % 2))
        f = cohort_report(series.assign(coin=series.PatientID.map(coin)), by='coin').findings
        levels += f[f.about == 'label'].severity.tolist()
    assert 'severe' not in levels and levels.count('warning') <= 3

def test_label_as_number_name_and_missing(clean):
    series = join_labels(series_table(index_dicom(clean)), clean/'labels.csv')
    series['grade'] = np.where(series.nodule == 1, 'malignant', 'benign')
    series.loc[:10, 'grade'] = None
    for by in ('age', 'grade', 'sex', 'nodule'):
        r = cohort_report(series, by=by)
        assert r.tables['label'].patients.sum() <= 20 and len(r.severe) == 0
    assert len(about(cohort_report(series, by='grade'), '11 volumes of 60 without grade')) == 1
    assert len(about(cohort_report(series.assign(grade='x'), by='grade'), 'nothing can be told apart', 'severe')) == 1

def test_interval_of_cramers_v_covers():
    "Of a thousand samples of 120 from a table with V 0.4, nine in ten intervals or more contain 0.4; where V is 0, they start at 0."
    rng = np.random.default_rng(0)
    true = np.array([[.35,.15],[.15,.35]])
    es = [cramers_v(rng.multinomial(120, true.ravel()).reshape(2,2)) for _ in range(300)]
    assert np.mean([e.low <= .4 <= e.high for e in es]) > .9 and abs(np.mean([e.value for e in es])-.4) < .03
    zero = [cramers_v(rng.multinomial(120, np.full(12, 1/12)).reshape(4,3)) for _ in range(300)]
    assert np.mean([e.low == 0 for e in zero]) > .9 and np.mean([e.value for e in zero]) < .1

def test_mad_outliers_does_not_mind_scale_or_missing():
    x = np.r_[np.random.default_rng(0).normal(10, 1, 50), 30., np.nan]
    far = mad_outliers(x)
    assert np.flatnonzero(far).tolist() == [50] and (mad_outliers(1000*x+7) == far).all() and not mad_outliers(np.full(20, np.nan)).any()


class Page(html.parser.HTMLParser):
    "Notes what is opened and closed, and every address."
    def __init__(self, text):
        super().__init__(); self.open, self.links, self.tags, self.wrong = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [v for k,v in attrs if k in ('src','href')]
        if tag not in ('meta','img','br'): self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag: self.wrong.append(tag)

def test_a_page_is_whole_offline_and_names_nobody(clean, tmp_path):
    for p in slices(shutil.copytree(clean, tmp_path/'ward of Dr Doe'), 'SYN-0001'): change(p, SeriesDescription='CT for DOE JANE', StationName='DOEROOM')
    r = report_on(tmp_path/'ward of Dr Doe', by='nodule', pixels=True)
    text = r.to_html(tmp_path/'page.html').read_text()
    page = Page(text)
    assert not page.open and not page.wrong and 'script' not in page.tags and all(a.startswith('data:image/png;base64,') for a in page.links)
    assert len(page.links) == 1 and 'rows are numbered' in text
    words = re.sub(r'data:image/png;base64,[^"]*', '', text)
    uids = set(r._c.files.SOPInstanceUID.dropna()) | set(r._c.files.StudyInstanceUID.dropna()) | set(r._c.files.SeriesInstanceUID.dropna())
    assert not re.search(r'SYN-\d|DOE|Doe|Site [AB]|SYNCT|http|url\(', words) and not any(u in words for u in uids)
    assert not re.search(r'\b20\d\d-\d\d\b(?!-)', words)                  # no month of a study
    told = r.to_html(tmp_path/'ids.html', ids=True).read_text()
    assert 'SYN-0001' in told and 'CT for DOE JANE' in told and 'Site A' in told
    assert Page(r._repr_html_()).wrong == [] and 'SYN-0001' in r._repr_html_()

def test_csv_names_nobody(clean, tmp_path):
    r = report_on(clean, by='nodule', pixels=True)
    text = ''.join(p.read_text() for p in r.to_csv(tmp_path/'out').glob('*.csv'))
    assert not re.search(r'SYN-\d|Site [AB]|1\.2\.826|\.dcm', text) and (tmp_path/'out'/'findings.csv').exists()
    assert 'SYN-0001' in ''.join(p.read_text() for p in r.to_csv(tmp_path/'ids', ids=True).glob('*.csv'))

def test_nothing_is_needed_beyond_a_few_columns(clean):
    files = index_dicom(clean)
    for table in (files.head(1), files.query('Modality == "CT"').head(1), files.query('Modality == "SEG"'), files.query('status != "ok"'), files.head(0),
                  files[['path','status','Modality','PatientID','StudyInstanceUID','SeriesInstanceUID','SOPClassUID','SOPInstanceUID']].query('Modality == "SEG"')):
        r = cohort_report(table, pixels=True)
        assert repr(r) and r._repr_html_() and r.plot().png()[:4] == b'\x89PNG'

def test_the_table_is_left_alone(clean):
    files = index_dicom(clean)
    series, before = series_table(files), files.copy()
    columns = list(series.columns)
    cohort_report(files.iloc[::-1], series, pixels=True)
    pd.testing.assert_frame_equal(files, before)
    assert list(series.columns) == columns

def test_rows_are_positions_in_the_table_that_was_passed(clean):
    files = index_dicom(clean).sample(frac=1, random_state=0)          # index labels out of order
    files.iloc[17, files.columns.get_loc('PatientID')] = None
    r = cohort_report(files, series_table(files))
    i, = about(r, 'without a PatientID').index
    assert [files.path.iloc[k] for k in r.findings.rows[i]] == r.concerned(i).path.tolist()
    assert 17 in r.findings.rows[i] or files.iloc[17].status != 'ok'

def test_twenty_thousand_files(clean):
    "Seconds, not minutes: nothing in it loops over files."
    one = index_dicom(clean).query('Modality == "CT"')
    keys = ['path','PatientID','StudyInstanceUID','SeriesInstanceUID','SOPInstanceUID','FrameOfReferenceUID']
    big = pd.concat([one.assign(**{k: one[k].astype(str)+f'.{i}' for k in keys}) for i in range(20000//len(one)+1)], ignore_index=True).head(20000)
    series = series_table(big).assign(label=lambda s: np.arange(len(s)) % 2)
    start = time.perf_counter()
    r = cohort_report(big, series, by='label')
    assert time.perf_counter()-start < 12 and r.tables['overview'].files.max() == 20000


def test_real_copies(real):
    "Four files of the contrast set are others again; one image is there under two UIDs. No patient shares an image with another."
    r = cohort_report(index_dicom(real/'ct_contrast_age'), pixels=True)
    copies, = about(r, '4 further copies of an image', 'note').index
    assert len(r.concerned(copies)) == 8 and len(about(r, 'pixel for pixel')) == 0 and len(r.severe) == 0
    t = r.tables['duplicates']
    assert (t.kind == 'same SOPInstanceUID').sum() == 8 and r.tables['overview'].patients.max() == 21
    again = r.concerned(about(r, 'several times in one patient', 'warning').index[0])
    assert again.SOPInstanceUID.nunique() == len(again) == 2 and len({dcmread(p).PixelData for p in again.path}) == 1

def test_real_mess(real, tmp_path):
    r = cohort_report(index_dicom(real/'dicom'), pixels=True)
    assert len(r.tables['overview']) > 8 and len(about(r, 'without a PatientID', 'severe')) == 1
    assert len(Page(r.to_html(tmp_path/'mess.html').read_text()).wrong) == 0
    ids = set(r._c.files.PatientID.dropna()) - {'123456','1234','0010','crlab'}   # these are words elsewhere
    text = re.sub(r'data:image/png;base64,[^"]*', '', (tmp_path/'mess.html').read_text())
    assert not [i for i in ids if i in text]
