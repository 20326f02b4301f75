"""Small DICOM series made on the spot; nothing here comes from a patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SIDE = 40

WriteSlice = Callable[..., Path]
WriteSeries = Callable[..., list[Path]]


def dataset(pixels: NDArray[Any], **values: Any) -> FileDataset:
    """Make a CT slice; a value of None leaves the element out."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    meta.MediaStorageSOPInstanceUID = "1.2.3.4.1"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    shape = pixels.shape[:2] if colour else pixels.shape[-2:]
    standard: dict[str, Any] = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
        "SOPInstanceUID": "1.2.3.4.1",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "FrameOfReferenceUID": "1.2.3.5",
        "Modality": "CT",
        "PatientID": "P",
        "PatientName": "Nobody^At^All",
        "SeriesNumber": 2,
        "SeriesDescription": "made up",
        "SliceThickness": 2.0,
        "ImagePositionPatient": [-10.0, -20.0, -30.0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [0.8, 0.6],
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "SamplesPerPixel": 3 if colour else 1,
        "Rows": shape[0],
        "Columns": shape[1],
        "BitsAllocated": pixels.dtype.itemsize * 8,
        "BitsStored": pixels.dtype.itemsize * 8,
        "HighBit": pixels.dtype.itemsize * 8 - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    if colour:
        standard["PlanarConfiguration"] = 0
    for keyword, value in (standard | values).items():
        if value is not None:
            setattr(ds, keyword, value)
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    return ds


@pytest.fixture
def make_dataset() -> Callable[..., FileDataset]:
    """`dataset`, as a fixture."""
    return dataset


@pytest.fixture
def write_slice(tmp_path: Path) -> WriteSlice:
    """Return a function that writes one slice and returns its path."""

    def write(name: str = "a.dcm", pixels: NDArray[Any] | None = None, **values: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            pixels = np.full((SIDE, SIDE), 24, np.uint16)
            pixels[5, 7] = 1064
        dataset(pixels, **values).save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def write_series(write_slice: WriteSlice) -> WriteSeries:
    """Return a function that writes slices at the given positions, value 24 + slice number.

    File names are shuffled, and instance numbers run against the positions.
    """

    def write(
        positions: Sequence[float | Sequence[float]], folder: str = "ct", uid: str = "1.2.3.4",
        **values: Any,
    ) -> list[Path]:  # fmt: skip
        names = np.random.default_rng(0).permutation(len(positions))
        paths = []
        for i, position in enumerate(positions):
            xyz = [-10.0, -20.0, position] if isinstance(position, float | int) else position
            own = {
                "ImagePositionPatient": list(xyz),
                "SOPInstanceUID": f"{uid}.{i + 1}",
                "SeriesInstanceUID": uid,
                "InstanceNumber": len(positions) - i,
            }
            pixels = np.full((SIDE, SIDE), 24 + i, np.uint16)
            paths.append(write_slice(f"{folder}/{names[i]:03d}", pixels, **(own | values)))
        return paths

    return write
