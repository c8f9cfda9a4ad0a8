"DICOM to volume against other people's readers: dcm2niix, SimpleITK, and reference NIfTI files. Same voxels, same place in the patient."
import random, shutil, sys
from pathlib import Path
import nibabel as nib
import numpy as np
import pydicom
import pytest
from radnb.data.dicom import load_series
from radnb.data.index import index_dicom
from radnb.data.pixels import decode
from radnb.data.scan import read_dicom
from radnb.data.series import series_table
from radnb.data.volume import same_grid

sys.path.insert(0, str(Path(__file__).resolve().parent.parent/'benchmarks'))
import conformance as conf  # noqa: E402

@pytest.fixture(scope='module')
def table(real, tool):
    "Every volume of the real data, compared with dcm2niix and SimpleITK."
    return conf.table(real/'dicom', tool('dcm2niix'))

def unexplained(table, reader):
    differ = table[table[reader].str.contains('differ')]
    return [(r.volume, r[reader]) for _,r in differ.iterrows() if not conf.explain(r.volume, reader, r[reader])]

def test_agrees_with_dcm2niix(table):
    "0.01 mm at every corner and equal values on every series that both read, mosaics and enhanced objects included; or a reason."
    assert unexplained(table, 'dcm2niix') == []
    agreed = table[table.dcm2niix == 'agrees'].volume
    assert len(agreed) >= 40
    for folder in ('mprage_sagittal','ct_jpeg2000','agfa/Agfa','enhanced/Siemens','enhanced/Philips','transfer_syntaxes','sarcoma/STS_001/PET'):
        assert agreed.str.startswith(folder).any(), folder

def test_agrees_with_simpleitk(table):
    assert unexplained(table, 'simpleitk') == []
    assert (table.simpleitk == 'agrees').sum() >= 30

def test_mosaic_that_runs_the_other_way(real, tool, tmp_path):
    "The slice normal of the private header turned round: the slices run the other way, as in dcm2niix."
    ds = pydicom.dcmread(real/'dicom'/'transfer_syntaxes'/'In'/'1.dcm')
    element = ds[0x0029,0x1010]
    turned = element.value.replace(b'0.10799944', b'-0.1079994').replace(b'0.99415095', b'-0.9941509')
    assert turned != element.value
    element.value = turned
    ds.save_as(tmp_path/'turned.dcm')
    vol = load_series(tmp_path/'turned.dcm')
    mm, values = conf.by_dcm2niix(vol, [tmp_path/'turned.dcm'], tool('dcm2niix'), tmp_path)
    assert mm < .01 and values <= 1
    assert not same_grid(vol, load_series(real/'dicom'/'transfer_syntaxes'/'In'/'1.dcm'), 1)

@pytest.mark.parametrize('shear', [0, .5, -1.2])
def test_gantry_tilt_as_dcm2niix(tool, tmp_path, shear):
    "SYNTHETIC: the affine keeps the tilt. (dcm2niix goes by InstanceNumber, so it gets an honest one.)"
    from radnb.data.phantom import tiny_ct
    paths = tiny_ct(tmp_path/'ct', shear=shear, StudyInstanceUID='1.2.3', SeriesNumber=3, AcquisitionNumber=1, Manufacturer='SIEMENS',
                    ImageType=['ORIGINAL','PRIMARY','AXIAL'], AcquisitionDate='20200101', AcquisitionTime='101010', PatientPosition='HFS')
    for p in paths:
        ds = pydicom.dcmread(p)
        ds.InstanceNumber = round((ds.ImagePositionPatient[2]-30)/2.5)+1
        ds.save_as(p)
    mm, values = conf.by_dcm2niix(load_series(paths), paths, tool('dcm2niix'), tmp_path)
    assert mm < .01 and values <= 1

@pytest.mark.parametrize('kind', ['CT', 'MR_T1', 'PET'])
def test_agrees_with_the_publishers_grid(real, kind):
    "The sarcoma masks were published as NIfTI on the grid of their images."
    for patient in sorted((real/'dicom'/'sarcoma').glob('STS_*')):
        mask = conf.canonical(nib.load(patient/'reference_mask_nifti'/f'{kind}_mask.nii.gz'))
        vol = conf.canonical(load_series(patient/kind/'image').to_nifti(None))
        assert vol.shape == mask.shape and same_grid(vol, mask, tol_mm=0.05), patient.name

@pytest.mark.parametrize('folder', ['transfer_syntaxes', 'twelve_bit'])
def test_agrees_with_the_publishers_nifti(real, folder):
    "Mosaics in nine encodings, and of twelve bits signed and unsigned, each with the NIfTI that its publisher calls right."
    files = sorted((real/'dicom'/folder/'In').glob('*.dcm'))
    assert len(files) == {'transfer_syntaxes': 9, 'twelve_bit': 3}[folder]
    for f in files:
        ref = real/'dicom'/folder/'Ref'/f'{read_dicom(f, pixels=False).SeriesNumber}.nii'
        mm, values = conf.compare(conf.canonical(load_series(f).to_nifti(None)), conf.canonical(nib.load(ref)))
        assert mm < .01 and values <= 1, f.name

def test_transfer_syntaxes_hold_the_same_pixels(real):
    "One MR slice stored uncompressed (three ways), RLE, JPEG lossless, JPEG-LS and JPEG 2000."
    files = sorted((real/'dicom'/'transfer_syntaxes'/'In').glob('*.dcm'))
    images = {read_dicom(f, pixels=False).file_meta.TransferSyntaxUID.name: decode(read_dicom(f), f)[0] for f in files}
    assert len(images) >= 6, list(images)
    first = next(iter(images.values()))
    for name,px in images.items(): np.testing.assert_array_equal(px, first, err_msg=name)

def test_file_order_and_names_do_not_matter(real, tmp_path):
    "A series copied under random names, in random order, is the same volume."
    files = sorted((real/'dicom'/'ct_jpeg2000').iterdir())
    names = [f'{i:03d}' for i in range(len(files))]; random.Random(0).shuffle(names)
    for f,n in zip(files, names): shutil.copy(f, tmp_path/n)
    a,b = load_series(real/'dicom'/'ct_jpeg2000'), load_series(tmp_path)
    assert same_grid(a, b, 1e-6) and np.array_equal(a.data, b.data)

def test_monochrome1_is_turned_round(real):
    "A real radiograph stored MONOCHROME1 and its own negative come out alike."
    path = next(p for p in series_table(index_dicom(real/'dicom'/'objects')).query("Modality=='DX'").paths.iloc[0])
    ds = pydicom.dcmread(path)
    other = pydicom.dcmread(path)
    top = 2**ds.BitsStored-1
    other.PhotometricInterpretation = {'MONOCHROME1':'MONOCHROME2', 'MONOCHROME2':'MONOCHROME1'}[ds.PhotometricInterpretation]
    other.PixelData = (top-ds.pixel_array).astype(ds.pixel_array.dtype).tobytes()
    if other.file_meta.TransferSyntaxUID.is_compressed: other.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    np.testing.assert_array_equal(decode(ds)[0], decode(other)[0])
