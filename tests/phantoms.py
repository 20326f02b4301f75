"""A CT on which a swap of axes, a wrong spacing, slope or sign would show: written as DICOM.

Its pixels are 0.8 × 0.7 mm, its slices 5 mm apart, it has more columns than rows than slices,
stored values are not HU, and files are named in another order than that of the slices.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

__all__ = [
    "COLUMN_MM",
    "INTERCEPT",
    "ROW_MM",
    "SLICE_MM",
    "SLOPE",
    "VOXEL_ML",
    "chest",
    "slice_paths",
    "trunk",
    "write_phantom",
]

ROW_MM: Final = 0.8
"""From one row to the next."""
COLUMN_MM: Final = 0.7
SLICE_MM: Final = 5.0
VOXEL_ML: Final = ROW_MM * COLUMN_MM * SLICE_MM / 1000.0
SLOPE: Final = 2.0
INTERCEPT: Final = -1031.0
ORIGIN: Final = (-161.0, -143.5, 412.0)
"""Of the first voxel, LPS in mm."""


def chest(slices: int = 12, rows: int = 360, columns: int = 460) -> NDArray[np.float64]:
    """A body with two lungs, vessels in them, and haze, dense blocks and fluid in the left one.

    Returns
    -------
    ndarray
        HU, of shape (slices, rows, columns).
    """
    rng = np.random.default_rng(5)
    z, y, x = np.ogrid[:slices, :rows, :columns]
    y, x = (y / rows - 0.5) * 2.0, (x / columns - 0.5) * 2.0
    shape = (slices, rows, columns)
    hu = np.full(shape, -1000.0)
    hu[np.broadcast_to((y / 0.86) ** 2 + (x / 0.94) ** 2 < 1, shape)] = -100.0
    hu[np.broadcast_to((y / 0.80) ** 2 + (x / 0.89) ** 2 < 1, shape)] = 45.0
    hu[np.broadcast_to((y - 0.56) ** 2 * 1.6 + x**2 < 0.016, shape)] = 300.0
    lungs = np.zeros(shape, bool)
    for side in (-0.45, 0.45):
        lungs |= np.broadcast_to(((y + 0.02) / 0.62) ** 2 + ((x - side) / 0.31) ** 2 < 1, shape)
    hu[lungs] = -860.0
    for _ in range(160):
        cy, cx, r = rng.uniform(-0.6, 0.6), rng.uniform(-0.75, 0.75), rng.uniform(0.006, 0.018)
        vessel = np.broadcast_to((y - cy) ** 2 + (x - cx) ** 2 < r**2, shape)
        hu[vessel & lungs] = 20.0
    middle = (z - slices / 2) / (slices / 2)
    haze = ((y - 0.2) / 0.26) ** 2 + ((x - 0.52) / 0.17) ** 2 + (middle / 0.8) ** 2 < 1
    hu[haze & lungs] = -560.0
    dense = ((y + 0.3) / 0.14) ** 2 + ((x - 0.5) / 0.12) ** 2 + (middle / 0.5) ** 2 < 1
    hu[dense & lungs] = 35.0
    return hu + rng.normal(0.0, 15.0, shape)


def trunk(slices: int = 20, side: int = 128) -> NDArray[np.int16]:
    """A trunk on a table, for 10 × 3 × 3 mm: two lungs that end inside it, the right one larger.

    In the right lung lie haze and a dense block, which no turn of the picture leaves in place. The
    table is a thin shell filled with foam that measures nearly what a lung does.

    Returns
    -------
    ndarray
        HU, int16, of shape (slices, side, side), LPS: the patient's right is on the left.
    """
    rng = np.random.default_rng(11)
    z, y, x = np.mgrid[:slices, :side, :side] / np.array([slices, side, side])[:, None, None, None]
    hu = np.full(z.shape, -1000.0)
    hu[((y - 0.45) / 0.34) ** 2 + ((x - 0.5) / 0.45) ** 2 < 1] = 40.0
    across = ((z - 0.5) / 0.45) ** 2
    for centre, wide, deep in ((0.29, 0.15, 0.24), (0.72, 0.12, 0.20)):
        hu[((x - centre) / wide) ** 2 + ((y - 0.44) / deep) ** 2 + across < 1] = -860.0
    lung = hu == -860.0
    haze = ((x - 0.27) / 0.08) ** 2 + ((y - 0.34) / 0.06) ** 2 + ((z - 0.6) / 0.2) ** 2 < 1
    hu[haze & lung] = -560.0
    dense = ((x - 0.33) / 0.05) ** 2 + ((y - 0.55) / 0.05) ** 2 + ((z - 0.4) / 0.2) ** 2 < 1
    hu[dense & lung] = 35.0
    table = (abs(y - 0.87) < 0.06) & (abs(x - 0.5) < 0.42)
    inner = (abs(y - 0.87) < 0.05) & (abs(x - 0.5) < 0.41)
    hu[table] = 0.0
    hu[inner] = -920.0
    return np.rint(hu + rng.normal(0.0, 12.0, hu.shape)).astype(np.int16)


def write_phantom(folder: Path, hu: NDArray[np.float64] | None = None) -> Path:
    """Write a chest, or what is given, one slice a file, and return the folder.

    Values are rounded to what `SLOPE` and `INTERCEPT` can say; see the pixels for those written.
    """
    hu = chest() if hu is None else hu
    folder.mkdir(parents=True)
    stored = np.rint((hu - INTERCEPT) / SLOPE).astype(np.int16)
    count, rows, columns = stored.shape
    study, series, frame = (generate_uid(entropy_srcs=["phantom", part]) for part in "abc")
    for index in range(count):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["phantom", str(index)])
        ds = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID = CTImageStorage
        ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PatientName, ds.PatientID = "Doe^Jane", "ID-77"
        ds.PatientBirthDate, ds.PatientSex = "", ""
        ds.StudyDate, ds.StudyTime, ds.AccessionNumber = "20200312", "101112", ""
        ds.ReferringPhysicianName, ds.StudyID = "", "1"
        # Numbered from the head down, while positions rise.
        ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "CT", 3, count - index
        ds.Manufacturer = "Test"
        ds.StudyDescription, ds.SeriesDescription = "Chest", "Thorax"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SLICE_MM * index]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.SliceThickness = [ROW_MM, COLUMN_MM], 3.0
        ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = SLOPE, INTERCEPT, "HU"
        ds.Rows, ds.Columns = rows, columns
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
        ds.PixelData = stored[index].tobytes()
        name = f"{(index * 5 + 3) % 997:03}-{index}.dcm"
        pydicom.dcmwrite(folder / name, ds, enforce_file_format=True)
    return folder


def slice_paths(folder: Path) -> list[Path]:
    """The files from the lowest position to the highest."""
    at = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in folder.glob("*.dcm")}
    return sorted(at, key=lambda path: float(at[path].ImagePositionPatient[2]))
