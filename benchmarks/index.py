"""Reading the headers of a ward: the same table made by radnb, pydicom and dicomsdl, in one interleaved run.

python benchmarks/index.py [files=20000] [folder]. The files are small CT images, written to a temporary folder or to `folder`: 200 series of 100,
explicit VR, about 100 elements each, with sequences and private elements. The readers take turns, 2,000 files at a time, so that whatever else the
machine does falls on all of them alike."""
import os, platform, sys, tempfile, time
from collections import defaultdict
from pathlib import Path
import numpy as np
import pandas as pd
import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from radnb.data.index import index_dicom
from radnb.data.scan import KEYWORDS, scan_files

PIECE = 2000
#: columns that all readers fill; the others (size, offsets, verdict on completeness) are radnb's own
SHARED = ['path', *KEYWORDS, 'TransferSyntaxUID', 'ipp', 'iop', 'pixel_spacing']
#: where a number of a fixed width stands in the template, and what it becomes: series and slice
FIELDS = [b'9.1000000001', b'P9100001', b'9100002', b'-91003.25', b'910004.25']

HEADER = r'''
SpecificCharacterSet=ISO_IR 100 | ImageType=ORIGINAL\PRIMARY\AXIAL | InstanceCreationDate=20240102 | InstanceCreationTime=101112.250000
SOPClassUID=1.2.840.10008.5.1.4.1.1.2 | SOPInstanceUID=1.2.826.0.1.3680043.2.1125.9.1000000001.9100002 | StudyDate=20240102 | SeriesDate=20240102
AcquisitionDate=20240102 | ContentDate=20240102 | StudyTime=101000 | SeriesTime=101100 | AcquisitionTime=910004.25 | ContentTime=910004.25
AccessionNumber=A12345 | Modality=CT | Manufacturer=Simulacra | InstitutionName=Universitätsklinikum | ReferringPhysicianName=Doe^Jane
StationName=CT01 | StudyDescription=CT Thorax/Abdomen | SeriesDescription=Abdomen 5.0 B30f | ManufacturerModelName=PHANTOM SCANNER A
PatientName=Name^Some | PatientID=P9100001 | PatientBirthDate=19500101 | PatientSex=F | PatientAge=074Y | PatientSize=1.7 | PatientWeight=70
ContrastBolusAgent=Iodine | BodyPartExamined=ABDOMEN | ScanOptions=HELICAL MODE | SliceThickness=5 | KVP=120 | DataCollectionDiameter=500
DeviceSerialNumber=1234 | SoftwareVersions=V1.0 | ProtocolName=Thorax Abdomen | ReconstructionDiameter=400 | DistanceSourceToDetector=1040
DistanceSourceToPatient=570 | GantryDetectorTilt=0 | TableHeight=150 | RotationDirection=CW | ExposureTime=500 | XRayTubeCurrent=200
Exposure=100 | FilterType=BODY | GeneratorPower=60 | FocalSpots=1.2 | DateOfLastCalibration=20240101 | TimeOfLastCalibration=080000
ConvolutionKernel=B30f | PatientPosition=HFS | StudyInstanceUID=1.2.826.0.1.3680043.2.1125.8.9.1000000001 | StudyID=1 | SeriesNumber=3
AcquisitionNumber=2 | SeriesInstanceUID=1.2.826.0.1.3680043.2.1125.7.9.1000000001 | InstanceNumber=9100002
ImagePositionPatient=-200\-200\-91003.25 | ImageOrientationPatient=1\0\0\0\1\0 | FrameOfReferenceUID=1.2.826.0.1.3680043.2.1125.6.9.1000000001
PositionReferenceIndicator=SN | SliceLocation=-91003.25 | SamplesPerPixel=1 | PhotometricInterpretation=MONOCHROME2 | Rows=16 | Columns=16
PixelSpacing=0.78125\0.78125 | BitsAllocated=16 | BitsStored=12 | HighBit=11 | PixelRepresentation=0 | WindowCenter=40\-600 | WindowWidth=400\1200
RescaleIntercept=-1024 | RescaleSlope=1 | RescaleType=HU | RequestingPhysician=Doe^John | RequestedProcedureDescription=CT Thorax/Abdomen
PerformedProcedureStepStartDate=20240102'''

def code(value, scheme, meaning):
    item = Dataset(); item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item

def template():
    "Bytes of one CT image, with `FIELDS` for what changes."
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID, ds.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = '1.2.826.0.1.3680043.2.1125.9.1000000001.9100002'
    for pair in HEADER.replace('\n', ' | ').strip(' |').split(' | '):
        keyword,_,value = pair.strip().partition('=')
        setattr(ds, keyword, int(value) if dictionary_VR(keyword) == 'US' else value.split('\\') if '\\' in value else value)
    ds.ProcedureCodeSequence = [code('CT123', 'LOCAL', 'CT of thorax and abdomen')]
    ds.RequestAttributesSequence = [Dataset()]
    ds.RequestAttributesSequence[0].ScheduledProcedureStepDescription = 'CT Thorax/Abdomen'
    private = ds.private_block(0x0019, 'SIMULACRA CT', create=True)
    for n in range(8): private.add_new(n, 'LO', f'private value {n}')
    ds.PixelData = np.full((16,16), 1024, np.uint16).tobytes()
    with tempfile.TemporaryDirectory() as d:
        ds.save_as(Path(d)/'one.dcm', enforce_file_format=True)
        return (Path(d)/'one.dcm').read_bytes()

def write(folder, n):
    "`n` files, 100 to a series."
    data, paths = template(), []
    for i in range(n):
        s,k = divmod(i, 100)
        new = [b'9.1%09d' % s, b'P9%06d' % s, b'91%05d' % k, b'-%08.2f' % (k*5), b'1012%05.2f' % (k % 60)]
        if i % 100 == 0: (folder/f'{s:04d}').mkdir(parents=True)
        one = data
        for a,b in zip(FIELDS, new): assert len(a) == len(b); one = one.replace(a, b)
        paths.append(str(folder/f'{s:04d}'/f'{k:04d}.dcm'))
        Path(paths[-1]).write_bytes(one)
    return paths

NUMBERS = {k for k in KEYWORDS if dictionary_VR(k) in ('DS','IS','US','SS','FD','FL')}
PLACES = dict(ipp='ImagePositionPatient', iop='ImageOrientationPatient', pixel_spacing='PixelSpacing')

def plain(value, keyword):
    "A value as the table has it."
    many = isinstance(value, (list, pydicom.multival.MultiValue))
    if value is None or value == '': return None
    if keyword in NUMBERS: return float(value[0] if many else value)
    return '\\'.join(value) if many else str(value)

def pydicom_row(path):
    "What one writes with pydicom."
    ds = pydicom.dcmread(path, stop_before_pixels=True)
    row = dict(path=path, TransferSyntaxUID=str(ds.file_meta.TransferSyntaxUID))
    for k in KEYWORDS: row[k] = plain(ds.get(k), k)
    for k,keyword in PLACES.items(): row[k] = tuple(map(float, ds[keyword].value))
    return row

SDL = [*KEYWORDS, 'TransferSyntaxUID', *PLACES.values()]

def dicomsdl_row(path):
    "The same with dicomsdl, all values in one call: ten times faster than one by one."
    import dicomsdl
    values = dict(zip(SDL, dicomsdl.open(path, load_until=0x7FE00000).getValues(SDL)))
    row = dict(path=path, TransferSyntaxUID=values['TransferSyntaxUID'])
    for k in KEYWORDS: row[k] = plain(values[k], k)
    for k,keyword in PLACES.items(): row[k] = tuple(map(float, values[keyword]))
    return row

def raw(paths):
    "No table: only the first 8 KB of each file, to see what is left to gain."
    for p in paths:
        with open(p, 'rb', buffering=0) as f: f.read(8192)

READERS = {'radnb scan_files': scan_files, 'pydicom': lambda paths: pd.DataFrame([pydicom_row(p) for p in paths]),
           'dicomsdl': lambda paths: pd.DataFrame([dicomsdl_row(p) for p in paths]), 'only reading the bytes': raw}

def differences(a, b):
    "Cells of the shared columns that differ."
    return sum(not (x == y or pd.isna(x) is True and pd.isna(y) is True) for k in SHARED for x,y in zip(a[k], b[k]))

def main(n=20000, folder=None):
    with tempfile.TemporaryDirectory() as d:
        ward = Path(folder or d)/'ward'
        paths = sorted(map(str, ward.rglob('*.dcm'))) or write(ward, n)
        n, clock, cpu, differ = len(paths), defaultdict(float), defaultdict(float), defaultdict(int)
        def timed(name, f, *args, **kw):
            t, c = time.perf_counter(), time.process_time(); out = f(*args, **kw)
            clock[name] += time.perf_counter()-t; cpu[name] += time.process_time()-c
            return out
        for turn,i in enumerate(range(0, n, PIECE)):
            names = list(READERS); names = names[turn%len(names):] + names[:turn%len(names)]
            tables = {name: timed(name, READERS[name], paths[i:i+PIECE]) for name in names}
            for name in ('pydicom','dicomsdl'): differ[name] += differences(tables['radnb scan_files'], tables[name])
        for what in ('index_dicom, no cache yet', 'index_dicom, all unchanged'): timed(what, index_dicom, ward, cache=Path(d)/'index.parquet')
    say, ours = sys.stdout.write, 'radnb scan_files'
    say(f'{n} files, Python {platform.python_version()}, {os.cpu_count()} cores, pydicom {pydicom.__version__}\n\n')
    say('| reader | seconds | processor seconds | radnb is faster by (clock, processor) | cells that differ from radnb |\n|---|---|---|---|---|\n')
    for name in clock:
        ratios = f'{clock[name]/clock[ours]:.1f}, {cpu[name]/cpu[ours]:.1f}'
        say(f'| {name} | {clock[name]:.2f} | {cpu[name]:.2f} | {ratios} | {differ.get(name, "")} |\n')

if __name__ == '__main__': main(*map(int, sys.argv[1:2]), *sys.argv[2:3])
