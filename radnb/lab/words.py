"What a file that is no picture is, in a sentence, and what to do."
import pandas as pd

_OBJECTS = dict(
    SR=('A structured report (SR): text and measurements, no picture.', 'Its content is in the header, below ContentSequence.'),
    RTPLAN=('A radiotherapy plan (RTPLAN): beams and doses, no picture.', 'Its content is in the header.'),
    RTDOSE=('A radiotherapy dose without its grid.', 'Copy the file again from its source.'),
    PR=('A presentation state (PR): how a picture was shown, no picture itself.', 'Open the series that it names in its header.'),
    KO=('A list of key images (KO), no picture itself.', 'Open the series that it names in its header.'),
    RWV=('A table that turns stored values into units (RWV), no picture.', 'Open the series that it names in its header.'),
    REG=('A registration (REG): how one series lies on another, no picture.', 'Open the series that it names in its header.'),
    ANN=('Annotations of a microscopy slide (ANN), no picture.', 'Slices of patients are read here; highdicom reads slides.'),
    SEG=('A segmentation (SEG).', 'Open it beside the series on which it was drawn.'))
_COPY = 'Copy the file again from its source: it is not complete.'

def what_it_is(
    row # Of the table that `scan` makes
) -> tuple: # what it is and what to do: two sentences
    "Why a file is not shown as a picture."
    status, why = row.status, str(row.reason or '')
    if status == 'ok': return _OBJECTS.get(row.Modality, (f'A DICOM object of kind {row.Modality or "unknown"}, no picture.', 'Its content is in the header.'))
    if status == 'no image': return _OBJECTS.get(row.Modality, ('A DICOM file without pixels: there is nothing to see.', 'Its content is in the header.'))
    if status == 'truncated': return f'The file is cut off: {why}.', _COPY
    if status == 'DICOMDIR': return 'The table of contents of a disc (DICOMDIR).', 'Open the folder that it lies in: right click, "Open as series".'
    if status == 'not DICOM':
        inside = why.partition('(')[2].removesuffix(')')
        if inside == 'no SOP class': inside = 'the beginning of the file is not that of an image'
        return f'This is not a DICOM file{": "+inside if inside else ""}.', 'What can be shown: DICOM (with or without an extension), NIfTI, NRRD, MetaImage.'
    return f'The file cannot be read: {why}.', _COPY

_FEW = dict(truncated='cut off', unreadable='unreadable', DICOMDIR='DICOMDIR')

def left_out(
    table:pd.DataFrame # From `scan`
) -> str: # '' if nothing was
    "Which files of a folder are in no volume: `2 cut off, 1 unreadable, 3 without a picture (RTSTRUCT, SR)`; files that are not DICOM are not mentioned."
    n = table.status.value_counts()
    words = [f'{n[s]} {w}' for s,w in _FEW.items() if s in n]
    without = table[table.status == 'no image']
    kinds = ', '.join(sorted(without.Modality.dropna().unique()))
    if len(without): words.append(f'{len(without)} without a picture'+(f' ({kinds})' if kinds else ''))
    return ', '.join(words)
