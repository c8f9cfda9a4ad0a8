"Every bad input that users bring is a typed error or a table row, naming the file and the remedy."
import shutil
from pathlib import Path
import numpy as np
import pandas as pd
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from radnb.core import (MissingSlices, NaNLoss, NoDicomFound, NoPixelData, NotOneVolume, OneClass, RadnbError, TooFewPatients, UnknownPatients,
                        UnreadableFile)
from radnb.data.dicom import load_series
from radnb.data.index import index_dicom
from radnb.data.scan import scan_file
from radnb.data.series import find_masks, join_labels, series_table

def names_where_and_remedy(e, path):
    assert str(path) in str(e.value) and e.value.remedy, str(e.value)

@pytest.fixture
def patient(cohort, tmp_path):
    "A copy of one patient's CT folder, free to be damaged."
    folder,truth = cohort
    return shutil.copytree(folder/truth.PatientID[0]/'ct', tmp_path/'ct')

@pytest.fixture(scope='module')
def table(cohort):
    folder,_ = cohort
    files = index_dicom(folder)
    return find_masks(join_labels(series_table(files), folder/'labels.csv'), files)

def test_empty_folder(tmp_path):
    for verb in (index_dicom, load_series):
        with pytest.raises(NoDicomFound) as e: verb(tmp_path)
        names_where_and_remedy(e, tmp_path)

def test_folder_of_other_files(tmp_path):
    for n in ('report.pdf','photo.jpg'): (tmp_path/n).write_bytes(b'%PDF-1.4 or so')
    for verb in (index_dicom, load_series):
        with pytest.raises(NoDicomFound) as e: verb(tmp_path)
        names_where_and_remedy(e, tmp_path)

def test_truncated_file_is_a_row_and_an_error(patient):
    victim = sorted(patient.iterdir())[3]
    victim.write_bytes(victim.read_bytes()[:-500])
    files = index_dicom(patient)
    row = files[files.path == str(victim)].iloc[0]
    assert (row.status, row.reason) == ('truncated', '500 bytes of pixels are missing')
    verdict = series_table(files).verdict[0]
    assert '1 damaged files left out' in verdict
    with pytest.raises(UnreadableFile) as e: load_series(patient)
    names_where_and_remedy(e, victim)

def test_missing_pixel_data(patient):
    victim = sorted(patient.iterdir())[0]
    ds = pydicom.dcmread(victim); del ds.PixelData; ds.save_as(victim)
    assert scan_file(victim)['status'] == 'no image'
    with pytest.raises(NoPixelData) as e: load_series(victim)
    names_where_and_remedy(e, victim)

def test_two_series_in_one_folder(cohort, tmp_path):
    folder,truth = cohort
    for i,p in enumerate(truth.PatientID[:2]):
        for f in (folder/p/'ct').iterdir(): shutil.copy(f, tmp_path/f'{i}_{f.name}')
    with pytest.raises(NotOneVolume) as e: load_series(tmp_path)
    assert '2 series' in str(e.value); names_where_and_remedy(e, tmp_path)
    assert len(series_table(index_dicom(tmp_path))) == 2

def test_missing_slices(patient):
    paths = series_table(index_dicom(patient)).paths[0]
    for p in paths[5:7]: Path(p).unlink()
    table = series_table(index_dicom(patient))
    assert table.verdict[0] == '2 slices missing after 5'
    with pytest.raises(MissingSlices) as e: load_series(table.iloc[0])
    names_where_and_remedy(e, patient)
    assert load_series(table.iloc[0], regular='resample').shape[0] == len(paths)

def test_labels_of_unknown_patients(table, cohort, tmp_path):
    labels = pd.read_csv(cohort[0]/'labels.csv')
    labels.loc[0, 'PatientID'] = 'SYN-9999'
    labels.to_csv(tmp_path/'labels.csv', index=False)
    with pytest.raises(UnknownPatients) as e: join_labels(table.drop(columns='nodule'), tmp_path/'labels.csv')
    names_where_and_remedy(e, tmp_path/'labels.csv')

def test_one_class_training_set(table):
    from radnb.train.classify import classify_dls
    with pytest.raises(OneClass) as e: classify_dls(table.assign(nodule=1), label='nodule', size=(16,32,32))
    assert e.value.remedy

def test_one_patient(table):
    from radnb.train.classify import classify_dls
    with pytest.raises((TooFewPatients, OneClass)) as e: classify_dls(table.iloc[:1], label='nodule', size=(16,32,32))
    assert e.value.remedy

def test_nan_loss_stops_and_says_where(table):
    import torch
    from radnb.train.classify import classify_dls, classify_learner
    learn = classify_learner(classify_dls(table, label='nodule', size=(16,32,32), bs=2, seed=0), 'small')
    with torch.no_grad(): next(learn.model.parameters()).fill_(float('nan'))
    with pytest.raises(NaNLoss) as e, learn.no_bar(), learn.no_logging(): learn.fit(1)
    assert e.value.remedy

@pytest.fixture(scope='module')
def small_file(cohort):
    return next((cohort[0]/cohort[1].PatientID[0]/'ct').glob('*.dcm')).read_bytes()

def test_cut_at_every_length(small_file, tmp_path):
    "A file that ends anywhere is a row with a reason, and loading it raises an error of ours."
    f = tmp_path/'cut.dcm'
    for n in [*range(0, 2600, 13), len(small_file)-1]:
        f.write_bytes(small_file[:n])
        row = scan_file(f)
        assert row['status'] in ('not DICOM','truncated','unreadable','no image') and row['reason'], n
        with pytest.raises(RadnbError): load_series(f)

@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(132, 2200), st.integers(0, 255)), min_size=1, max_size=8))
def test_flipped_bytes_never_crash(small_file, tmp_path, flips):
    "Bytes overwritten at random in the header: always a row; loading gives a volume or an error of ours."
    damaged = bytearray(small_file)
    for at,value in flips: damaged[at] = value
    f = tmp_path/'damaged.dcm'
    f.write_bytes(damaged)
    assert scan_file(f)['status']
    try: assert np.isfinite(load_series(f).affine).all()
    except RadnbError as e: assert e.what
