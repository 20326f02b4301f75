"""The sample as a DICOM CT series."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid

from inference.sample.grid import COLUMNS, PIXEL_MM, ROWS, SLICE_MM, z_of

__all__ = ["write_series"]

_INTERCEPT: Final = -1024


def _uid(*what: str) -> UID:
    """A UID that depends on nothing but what it names."""
    return generate_uid(entropy_srcs=["SecondRead sample 1", *what])


def write_series(hu: NDArray[np.int16], target: Path) -> None:
    """Write one file a slice.

    Parameters
    ----------
    hu
        Shape (slices, rows, columns), the most caudal slice first, -1024 to 3071.
    target
        An existing folder.
    """
    for index, slice_ in enumerate(hu):
        _dataset(slice_, index).save_as(
            target / f"slice_{index + 1:03d}.dcm", enforce_file_format=True
        )


def _dataset(slice_: NDArray[np.int16], index: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = _uid("instance", str(index))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    _identify(ds, index)
    _place(ds, index)
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = slice_.shape
    ds.PixelSpacing = [PIXEL_MM, PIXEL_MM]
    ds.BitsAllocated = 16
    ds.BitsStored = 12
    ds.HighBit = 11
    ds.PixelRepresentation = 0
    ds.WindowCenter = [-600, 40]
    ds.WindowWidth = [1500, 400]
    ds.WindowCenterWidthExplanation = ["LUNG", "MEDIASTINUM"]
    ds.RescaleIntercept = _INTERCEPT
    ds.RescaleSlope = 1
    ds.RescaleType = "HU"
    stored = (slice_.astype(np.int32) - _INTERCEPT).astype("<u2")
    ds.PixelData = stored.tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def _identify(ds: FileDataset, index: int) -> None:
    """Patient, study, series and equipment."""
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID = CTImageStorage
    ds.SOPInstanceUID = _uid("instance", str(index))
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20200317"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "120000"
    ds.AccessionNumber = ""
    ds.Modality = "CT"
    ds.Manufacturer = "SecondRead"
    ds.ManufacturerModelName = "Synthetic chest"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "Synthetic chest CT (SecondRead sample)"
    ds.SeriesDescription = "Chest 4.5 mm, synthetic"
    ds.PatientName = "Sample^Synthetic"
    ds.PatientID = "SAMPLE"
    ds.PatientBirthDate = ""
    ds.PatientSex = "O"
    ds.BodyPartExamined = "CHEST"
    ds.SliceThickness = SLICE_MM
    ds.KVP = 120
    ds.ConvolutionKernel = "SYNTHETIC"
    ds.PatientPosition = "HFS"
    ds.StudyInstanceUID = _uid("study")
    ds.SeriesInstanceUID = _uid("series")
    ds.StudyID = "1"
    ds.SeriesNumber = 1
    ds.AcquisitionNumber = 1
    ds.InstanceNumber = index + 1


def _place(ds: FileDataset, index: int) -> None:
    """Where the slice lies in the patient."""
    ds.ImagePositionPatient = [
        -(COLUMNS - 1) / 2 * PIXEL_MM, -(ROWS - 1) / 2 * PIXEL_MM, z_of(index),
    ]  # fmt: skip
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.FrameOfReferenceUID = _uid("frame of reference")
    ds.PositionReferenceIndicator = ""
