"""Small synthetic DICOM objects from plain values, for the documentation and the tests: structure sets, maps and reports that any program can read."""
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

def dataset(values):
    "A data set from keywords; a list of dicts becomes a sequence."
    ds = Dataset()
    for k,v in values.items(): setattr(ds, k, [dataset(item) for item in v] if isinstance(v, list) and v and isinstance(v[0], dict) else v)
    return ds

def save(ds, path):
    "Write `ds` as a DICOM file; returns the path."
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID,ds.file_meta.MediaStorageSOPClassUID,ds.file_meta.MediaStorageSOPInstanceUID = ExplicitVRLittleEndian, ds.SOPClassUID, ds.SOPInstanceUID
    ds.save_as(path, enforce_file_format=True)
    return path

def code(value, meaning, scheme='SCT'): return dict(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)

def _lps(v): return [float(x)+0. for x in np.ravel(np.asarray(v)*[-1,-1,1])]

# ---------------------------------------------------------------- contours

def circle(k, center, radius, n=120):
    "A circle on slice `k`, centre (row, column) and radius in voxels: (n, 3) of slice, row, column."
    t = np.linspace(0, 2*np.pi, n, endpoint=False)
    return np.c_[np.full(n, float(k)), center[0]+radius*np.sin(t), center[1]+radius*np.cos(t)]

def _contour(vol, points, kind):
    return dict(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=[f'{v:.6f}'[:16] for v in _lps(vol.physical(points))])

def structure_set(vol, rois, kind='CLOSED_PLANAR'):
    "An RTSTRUCT in the frame of reference of `vol`; `rois`: name to a list of (n, 3) arrays of slice, row, column."
    uid = vol.meta.get('FrameOfReferenceUID')
    frame,mine = ({'FrameOfReferenceUID': uid}, {'ReferencedFrameOfReferenceUID': uid}) if uid else ({}, {})
    drawn = [[_contour(vol, p, kind) for p in polygons] for polygons in rois.values()]
    return dataset(dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.481.3', SOPInstanceUID=generate_uid(), Modality='RTSTRUCT', PatientID='SYNTHETIC', **frame,
        StructureSetROISequence=[dict(ROINumber=n, ROIName=name, **mine) for n,name in enumerate(rois, 1)],
        ROIContourSequence=[dict(ReferencedROINumber=n, ROIDisplayColor=[255,64*n%256,0], **({'ContourSequence': c} if c else {})) for n,c in enumerate(drawn, 1)]))

# ---------------------------------------------------------------- parametric maps

def value_map(label, unit, slope, last=4000.):
    "An item of a RealWorldValueMappingSequence."
    return dict(LUTLabel=label, LUTExplanation=label, RealWorldValueSlope=slope, RealWorldValueIntercept=0., DoubleFloatRealWorldValueFirstValueMapped=0.,
                DoubleFloatRealWorldValueLastValueMapped=last, MeasurementUnitsCodeSequence=[code(unit, unit, 'UCUM')],
                QuantityDefinitionSequence=[dict(ValueType='CODE', ConceptNameCodeSequence=[code('246205007','Quantity')], ConceptCodeSequence=[code('1', label, '99TEST')])])

def parametric_map(stored, vol, maps):
    "A float parametric map; `stored`: (frames, rows, columns), frame n on slice n modulo the slices of `vol`, with the list of `value_map`s at `maps[n]`."
    frames = [dict(PlanePositionSequence=[dict(ImagePositionPatient=_lps(vol.physical((i % vol.shape[0],0,0))))], RealWorldValueMappingSequence=m) for i,m in enumerate(maps)]
    a = vol.affine[:3,:3]/vol.spacing
    shared = dict(PlaneOrientationSequence=[dict(ImageOrientationPatient=_lps(a[:,2])+_lps(a[:,1]))],
                  PixelMeasuresSequence=[dict(PixelSpacing=list(vol.spacing[1:]), SliceThickness=vol.spacing[0])])
    return dataset(dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.30', SOPInstanceUID=generate_uid(), Modality='MR', PatientID='SYNTHETIC', NumberOfFrames=len(stored),
        Rows=stored.shape[1], Columns=stored.shape[2], SamplesPerPixel=1, PhotometricInterpretation='MONOCHROME2', BitsAllocated=32,
        FloatPixelData=np.asarray(stored, '<f4').tobytes(), SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=frames))

# ---------------------------------------------------------------- structured reports

def content(kind, name, relation='CONTAINS', children=(), **value):
    "A content item."
    return dict(RelationshipType=relation, ValueType=kind, ConceptNameCodeSequence=[name], **value, **({'ContentSequence': list(children)} if children else {}))

def number(name, value, unit, children=()):
    "A NUM content item; without a value, one that was left empty."
    measured = [dict(NumericValue=str(value), MeasurementUnitsCodeSequence=[code(unit, unit, 'UCUM')])] if value is not None else []
    return content('NUM', name, children=children, MeasuredValueSequence=measured)

def report(children):
    "An Imaging Measurement Report with the given content items."
    return dataset(dict(SOPClassUID='1.2.840.10008.5.1.4.1.1.88.33', SOPInstanceUID=generate_uid(), Modality='SR', PatientID='SYNTHETIC', ValueType='CONTAINER',
        ConceptNameCodeSequence=[code('126000','Imaging Measurement Report','DCM')],
        ContentSequence=[content('CONTAINER', code('126010','Imaging Measurements','DCM'), children=children)]))
