"""What every test gets: no file of the user is read or written, and a small CT to read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from tests.skips import (  # noqa: F401 - hooks
    pytest_collectreport,
    pytest_runtest_logreport,
    pytest_sessionfinish,
    pytest_terminal_summary,
)

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True, scope="session")
def _private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep settings, logs and caches of the tests in folders of their own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("STATE", "CACHE", "CONFIG", "DATA"):
            patch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
        patch.setenv("XDG_DOCUMENTS_DIR", str(home / "documents"))
        yield


@pytest.fixture
def write_ct(tmp_path: Path) -> Callable[..., Path]:
    """Write a DICOM CT: a body with two lungs, one slice a file, and return its folder."""

    def write(name: str = "ct", slices: int = 12, size: int = 64, seed: str = "one") -> Path:
        folder = tmp_path / name
        folder.mkdir()
        rows, columns = np.mgrid[0:size, 0:size] / size - 0.5
        stored = np.full((size, size), 24, np.int16)
        stored[(rows / 0.40) ** 2 + (columns / 0.46) ** 2 < 1] = 1064
        for side in (-0.2, 0.2):
            stored[(rows / 0.28) ** 2 + ((columns - side) / 0.14) ** 2 < 1] = 174
        study, series, frame = (generate_uid(entropy_srcs=[seed, part]) for part in "abc")
        for index in range(slices):
            meta = FileMetaDataset()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            meta.MediaStorageSOPClassUID = CTImageStorage
            meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[seed, str(index)])
            ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
            ds.SOPClassUID = CTImageStorage
            ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
            ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
            ds.PatientName, ds.PatientID = "Doe^Jane", "ID-77"
            ds.PatientBirthDate, ds.PatientSex = "", ""
            ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20200312", "101112", ""
            ds.ReferringPhysicianName, ds.StudyID = "", "1"
            ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 3, index + 1
            ds.Manufacturer = "Test"
            ds.StudyDescription, ds.SeriesDescription = "Chest", "Thorax"
            ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
            ds.ImagePositionPatient = [0.0, 0.0, 5.0 * index]
            ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            ds.PixelSpacing, ds.SliceThickness = [5.0, 5.0], 5.0
            ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, -1024, "HU"
            ds.Rows = ds.Columns = size
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
            ds.PixelData = stored.tobytes()
            pydicom.dcmwrite(folder / f"{index:03}.dcm", ds, enforce_file_format=True)
        return folder

    return write
