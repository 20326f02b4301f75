"""What one DICOM file says about itself: one `Frame` a picture, nothing decoded."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from inference.studies.dicom_file import DicomFile, open_dicom
from inference.studies.dicom_frame import SECONDARY_CAPTURE, Frame, frame_of
from inference.studies.dicom_values import age_between, integer, photometric, text
from inference.studies.find import UnreadableError
from inference.studies.limits import MAX_SIDE, MAX_VOXELS, MIN_SIDE
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin

__all__ = ["TAGS", "Header", "NotAnImageError", "read_header", "study_uid"]

TAGS: Final = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "StudyTime", "Modality",
    "InstitutionName", "StudyDescription", "SeriesDescription", "PatientName", "PatientID",
    "PatientBirthDate", "PatientSex", "PatientAge", "BodyPartExamined", "SliceThickness",
    "ConvolutionKernel", "KVP", "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime",
    "ContentDate", "ContentTime", "TriggerTime",
    "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio",
    "PixelSpacingCalibrationType", "ViewPosition", "StudyInstanceUID", "SeriesInstanceUID",
    "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "ImagePositionPatient",
    "ImageOrientationPatient", "FrameOfReferenceUID", "TemporalPositionIdentifier",
    "SliceLocation", "EchoNumbers", "SamplesPerPixel", "PhotometricInterpretation",
    "NumberOfFrames", "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit", "DoubleFloatPixelPaddingValue",
    "DoubleFloatPixelPaddingRangeLimit", "WindowCenter", "WindowWidth", "RescaleIntercept",
    "RescaleSlope", "RescaleType", "WindowCenterWidthExplanation", "VOILUTFunction",
    "LossyImageCompression", "ModalityLUTSequence", "VOILUTSequence",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
)  # fmt: skip

_CLASS_MODALITY: Final = {
    "1.2.840.10008.5.1.4.1.1.1": "CR",
    "1.2.840.10008.5.1.4.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.1.1.1": "DX",
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
}
"""SOP class to modality (DICOM PS3.4, B.5), for files that do not say the modality."""

_MODALITIES: Final = {"CT": "CT", "CR": "CR", "DX": "DX", "RG": "CR", "OT": "OT", "SC": "OT"}
"""Modalities that are opened, and as what; RG is an X-ray film put through a scanner."""

_REMEMBERED: Final = 8192
"""Files whose headers are kept, so that a series is not parsed again to be read."""

_SETTLED_SECONDS: Final = 2.0
"""A file changed less than this ago may change again without a new time stamp."""

_Stamp = tuple[int, int, int, int]
"""What changes when a file does: its size, times and place on the disk."""


class NotAnImageError(Exception):
    """A sound DICOM object that is no CT or X-ray image; the text is its modality or kind."""


@dataclass(frozen=True, slots=True)
class Header:
    """One DICOM file: to which study and series it belongs, and its frames."""

    study_uid: str
    study_description: str
    study_date: str
    study_time: str
    institution: str
    patient_name: str
    patient_id: str
    patient_sex: str
    patient_age: str
    series_uid: str
    series_description: str
    series_number: int | None
    body_part: str
    view: str
    frames: tuple[Frame, ...]


def read_header(path: Path) -> Header:
    """Read the header of one DICOM file.

    Raises
    ------
    UnreadableError
        When the file is damaged, cut off, too small or too large.
    NotAnImageError
        When it is another kind of object.

    Notes
    -----
    A series is read soon after it was scanned; headers of files that have not changed since are
    remembered.
    """
    try:
        seen = path.stat()
    except OSError:
        return _read(path)
    if time.time() - seen.st_mtime < _SETTLED_SECONDS:
        return _read(path)
    return _remembered(path, (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino))


@lru_cache(maxsize=_REMEMBERED)
def _remembered(path: Path, _stamp: _Stamp) -> Header:
    return _read(path)


def _read(path: Path) -> Header:
    with open_dicom(path, TAGS) as file:
        try:
            return _parse(path, file)
        except (UnreadableError, NotAnImageError):
            raise
        except Exception as error:
            # Values are parsed when they are asked for, and a malformed one raises nearly anything.
            raise UnreadableError(
                f"The header of “{path.name}” holds values that break the rules of DICOM; export "
                "it again."
            ) from error


def study_uid(path: Path, header: Header) -> str:
    """Return the file's study UID, or one made of what is known where it has none."""
    return header.study_uid or derived_uid(
        "study", header.patient_id, header.patient_name, header.study_date, origin(path).parent
    )


def _parse(path: Path, file: DicomFile) -> Header:
    ds = file.dataset
    sop_class = text(ds, "SOPClassUID") or str(
        ds.file_meta.get("MediaStorageSOPClassUID", "") or ""
    )
    modality = _modality(path, file, sop_class)
    rows, columns = integer(ds, "Rows") or 0, integer(ds, "Columns") or 0
    count = max(1, integer(ds, "NumberOfFrames") or 1)
    _check_size(path, file, rows, columns, count)
    return Header(
        study_uid=text(ds, "StudyInstanceUID"),
        study_description=text(ds, "StudyDescription"),
        study_date=text(ds, "StudyDate"),
        study_time=text(ds, "StudyTime"),
        institution=text(ds, "InstitutionName"),
        patient_name=text(ds, "PatientName"),
        patient_id=text(ds, "PatientID"),
        patient_sex=text(ds, "PatientSex").upper(),
        patient_age=text(ds, "PatientAge")
        or age_between(text(ds, "PatientBirthDate"), text(ds, "StudyDate")),
        series_uid=text(ds, "SeriesInstanceUID"),
        series_description=text(ds, "SeriesDescription"),
        series_number=integer(ds, "SeriesNumber"),
        body_part=text(ds, "BodyPartExamined"),
        view=text(ds, "ViewPosition"),
        frames=tuple(
            frame_of(path, file, index, count=count, sop_class=sop_class, modality=modality)
            for index in range(count)
        ),
    )


def _modality(path: Path, file: DicomFile, sop_class: str) -> str:
    ds = file.dataset
    declared = text(ds, "Modality").upper() or _CLASS_MODALITY.get(sop_class, "")
    is_image = sop_class in _CLASS_MODALITY or "Rows" in ds
    if file.start is None and (is_image or file.cut_off or declared in {"CT", "CR", "DX"}):
        # A header alone and a file that ends between two elements look the same.
        raise UnreadableError(
            f"“{path.name}” holds no pixels: it is cut off before them, or was written without "
            "them; copy or export it again."
        )
    if file.start is None and not declared and not sop_class:
        raise UnreadableError(f"“{path.name}” is no DICOM file, or its header is damaged.")
    if not declared and sop_class.startswith(SECONDARY_CAPTURE):
        declared = "OT"
    if file.start is None or declared not in _MODALITIES:
        raise NotAnImageError(declared or "unknown kind")
    return _MODALITIES[declared]


def _check_size(path: Path, file: DicomFile, rows: int, columns: int, count: int) -> None:
    ds = file.dataset
    bits = integer(ds, "BitsAllocated") or 0
    samples = integer(ds, "SamplesPerPixel") or 1
    floats = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(file.pixel_keyword)
    size = f"{columns} × {rows} pixels"
    if min(rows, columns) < MIN_SIDE:
        raise UnreadableError(
            f"“{path.name}” has {size}, too few to show a chest (at least {MIN_SIDE} × {MIN_SIDE})."
        )
    if max(rows, columns) > MAX_SIDE or rows * columns * count > MAX_VOXELS:
        raise UnreadableError(f"“{path.name}” declares {count} pictures of {size}, too many.")
    if floats is not None and (bits != floats or samples != 1 or file.fragments):
        raise UnreadableError(
            f"“{path.name}” holds floating-point pixels of a form that cannot be read; export it "
            "as 16-bit grey."
        )
    if (
        (floats is None and bits not in {8, 16, 32})
        or samples not in {1, 3}
        or "PALETTE" in photometric(ds)
    ):
        raise UnreadableError(
            f"“{path.name}” holds {bits}-bit {photometric(ds) or 'unnamed'} pixels, which cannot "
            "be shown; export it as 8 or 16-bit grey."
        )
    encapsulated = file.fragments > 0
    # Two pixels share their colour (PS3.3, C.7.6.3.1.2).
    shared = samples == 3 and photometric(ds) in {"YBR_FULL_422", "YBR_PARTIAL_422"}
    expected = rows * columns * count * (2 if shared else samples) * bits // 8
    if (encapsulated and file.fragments < count) or (not encapsulated and file.length < expected):
        raise UnreadableError(
            f"“{path.name}” holds fewer pixels than the declared {count} × {size}; copy it again."
        )
