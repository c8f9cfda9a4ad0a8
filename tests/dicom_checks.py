"What strangers say of the DICOM files that radnb writes: dicom3tools' dciodvfy and dcmtk."
import shutil, subprocess
import pydicom
import pytest


def _run(*command):
    if shutil.which(command[0]) is None: pytest.skip(f'{command[0]} is not on this machine: bash install.sh dev')
    return subprocess.run(command, capture_output=True, text=True, errors='replace', timeout=120)


def dciodvfy_errors(path):
    """Errors that David Clunie's validator finds, one a line; it must have recognised the kind of object, which its other lines name
    (Debian's of 2022 does not know label maps, for example: it says 'Information Object Not found')."""
    said = _run('dciodvfy', '-new', str(path)).stderr.splitlines()
    assert said and not any('not recognized' in line or 'Information Object Not found' in line for line in said), said
    return [line for line in said if line.startswith('Error')]


def dcmtk_dump(path, tool='dcmdump'):
    "What dcmtk's `dcmdump`, `dsrdump` or `drtdump` reads in the file; asserts that it reads it without a complaint."
    done = _run(tool, str(path))
    assert done.returncode == 0 and not any(line.startswith(('E:', 'F:')) for line in done.stderr.splitlines()), done.stderr
    return done.stdout


def impoverish(folder):
    "Take patient, study details and frame of reference out of the DICOM files in a folder, and put a value in that is not allowed."
    for path in folder.rglob('*.dcm'):
        ds = pydicom.dcmread(path)
        for k in ('PatientName','PatientID','PatientBirthDate','StudyID','AccessionNumber','ReferringPhysicianName','FrameOfReferenceUID','StudyDate','StudyTime'):
            if k in ds: del ds[k]
        ds.PatientSex = 'X'
        ds.save_as(path)
