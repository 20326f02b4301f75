"""What one DICOM file says about itself: one `Frame` a picture, nothing decoded."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from inference.studies.dicom_file import DicomFile, open_dicom
from inference.studies.dicom_values import (
    FrameLookup,
    direction_cosines,
    floats,
    get,
    integer,
    number,
    photometric,
    positive,
    printable,
    sequence,
    text,
)
from inference.studies.find import UnreadableError
from inference.studies.limits import MAX_SIDE, MAX_VOXELS, MIN_SIDE
from inference.studies.model import Window
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin

__all__ = ["TAGS", "Frame", "Header", "NotAnImageError", "read_header", "study_uid"]

TAGS: Final = (
    "ImageType", "SOPClassUID", "SOPInstanceUID", "StudyDate", "Modality", "StudyDescription",
    "SeriesDescription", "PatientName", "PatientID", "BodyPartExamined", "SliceThickness",
    "ImagerPixelSpacing", "ViewPosition", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "AcquisitionNumber", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "FrameOfReferenceUID", "TemporalPositionIdentifier", "SliceLocation", "EchoNumbers",
    "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames",
    "Rows", "Columns", "PixelSpacing", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "PixelPaddingValue", "WindowCenter", "WindowWidth", "RescaleIntercept", "RescaleSlope",
    "RescaleType", "WindowCenterWidthExplanation", "LossyImageCompression", "ModalityLUTSequence",
    "VOILUTSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
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

_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
"""Screen shots and scans; the multi-frame classes begin alike."""
_LOSSY: Final = (
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81",
)  # fmt: skip
_MAYBE_LOSSY: Final = ("1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203")
"""JPEG 2000 syntaxes that also carry lossless streams; a file may say so."""

_PLAIN: Final = (
    (ImplicitVRLittleEndian, ExplicitVRLittleEndian) if sys.byteorder == "little" else ()
)
"""Syntaxes whose pixels lie in the file as this machine holds them."""

_REMEMBERED: Final = 8192
"""Files whose headers are kept, so that a series is not parsed again to be read."""

_SETTLED_SECONDS: Final = 2.0
"""A file changed less than this ago may change again without a new time stamp."""

_Stamp = tuple[int, int, int, int]
"""What changes when a file does: its size, times and place on the disk."""


class NotAnImageError(Exception):
    """A sound DICOM object that is no CT or X-ray image; the text is its modality or kind."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a DICOM file and all that its place and values depend on.

    Lengths are in mm, positions in LPS; None where the file does not say or says nonsense.
    `spacing` is (between rows, between columns). `offset` is where in the file the frame's grey
    values lie as they are to be read, little-endian; None where they have to be decoded.
    """

    path: Path
    index: int
    sop_instance_uid: str
    sop_class_uid: str
    modality: str
    secondary_capture: bool
    rows: int
    columns: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing: tuple[float, ...] | None
    imager_spacing: bool
    thickness: float | None
    frame_of_reference: str
    localizer: bool
    colour: bool
    echo: str
    acquisition: str
    temporal: str
    instance: float
    location: float | None
    slope: float
    intercept: float
    rescaled: bool
    rescale_type: str
    modality_lut: bool
    windows: tuple[Window, ...]
    voi_lut: bool
    padding: int | None
    bits: int
    bits_stored: int
    signed: bool
    inverted: bool
    lossy: bool
    offset: int | None


@dataclass(frozen=True, slots=True)
class Header:
    """One DICOM file: to which study and series it belongs, and its frames."""

    study_uid: str
    study_description: str
    study_date: str
    patient_name: str
    patient_id: str
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
        return _parse(path, file)


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
        patient_name=text(ds, "PatientName"),
        patient_id=text(ds, "PatientID"),
        series_uid=text(ds, "SeriesInstanceUID"),
        series_description=text(ds, "SeriesDescription"),
        series_number=integer(ds, "SeriesNumber"),
        body_part=text(ds, "BodyPartExamined"),
        view=text(ds, "ViewPosition"),
        frames=tuple(
            _frame(path, file, index, count=count, sop_class=sop_class, modality=modality)
            for index in range(count)
        ),
    )


def _modality(path: Path, file: DicomFile, sop_class: str) -> str:
    ds = file.dataset
    declared = text(ds, "Modality").upper() or _CLASS_MODALITY.get(sop_class, "")
    is_image = sop_class in _CLASS_MODALITY or "Rows" in ds
    if file.start is None and (is_image or file.cut_off or declared in {"CT", "CR", "DX"}):
        raise UnreadableError(f"“{path.name}” is cut off before its pixels; copy the file again.")
    if file.start is None and not declared and not sop_class:
        raise UnreadableError(f"“{path.name}” is no DICOM file, or its header is damaged.")
    if not declared and sop_class.startswith(_SECONDARY_CAPTURE):
        declared = "OT"
    if file.start is None or declared not in _MODALITIES:
        raise NotAnImageError(declared or "unknown kind")
    return _MODALITIES[declared]


def _check_size(path: Path, file: DicomFile, rows: int, columns: int, count: int) -> None:
    ds = file.dataset
    bits = integer(ds, "BitsAllocated") or 0
    samples = integer(ds, "SamplesPerPixel") or 1
    size = f"{columns} × {rows} pixels"
    if min(rows, columns) < MIN_SIDE:
        raise UnreadableError(
            f"“{path.name}” has {size}, too few to show a chest (at least {MIN_SIDE} × {MIN_SIDE})."
        )
    if max(rows, columns) > MAX_SIDE or rows * columns * count > MAX_VOXELS:
        raise UnreadableError(f"“{path.name}” declares {count} pictures of {size}, too many.")
    if bits not in {8, 16, 32} or samples not in {1, 3} or "PALETTE" in photometric(ds):
        raise UnreadableError(
            f"“{path.name}” holds {bits}-bit {photometric(ds) or 'unnamed'} pixels, which cannot "
            "be shown; export it as 8 or 16-bit grey."
        )
    encapsulated = file.fragments > 0
    expected = rows * columns * count * samples * bits // 8
    if (encapsulated and file.fragments < count) or (not encapsulated and file.length < expected):
        raise UnreadableError(
            f"“{path.name}” holds fewer pixels than the declared {count} × {size}; copy it again."
        )


def _frame(
    path: Path,
    file: DicomFile,
    index: int,
    *,
    count: int,
    sop_class: str,
    modality: str,
) -> Frame:
    ds = file.dataset
    look = FrameLookup(ds, index)
    position = floats(look("PlanePositionSequence", "ImagePositionPatient"), 3)
    if count > 1 and "PerFrameFunctionalGroupsSequence" not in ds:
        # One position for many frames says where none but the first lies.
        position = None
    orientation = direction_cosines(look("PlaneOrientationSequence", "ImageOrientationPatient"))
    spacing, imager = _spacing(look("PixelMeasuresSequence", "PixelSpacing"), ds)
    slope = number(look("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = number(look("PixelValueTransformationSequence", "RescaleIntercept"))
    rescale_type = str(look("PixelValueTransformationSequence", "RescaleType") or "")
    windows, voi_lut = _windows(look)
    lossy_flag = text(ds, "LossyImageCompression")
    signed = integer(ds, "PixelRepresentation") == 1
    bits = integer(ds, "BitsAllocated") or 0
    return Frame(
        path=path,
        index=index,
        sop_instance_uid=text(ds, "SOPInstanceUID"),
        sop_class_uid=sop_class,
        modality=modality,
        secondary_capture=sop_class.startswith(_SECONDARY_CAPTURE),
        rows=integer(ds, "Rows") or 0,
        columns=integer(ds, "Columns") or 0,
        position=position,
        orientation=orientation,
        spacing=spacing,
        imager_spacing=imager,
        thickness=positive(look("PixelMeasuresSequence", "SliceThickness")),
        frame_of_reference=text(ds, "FrameOfReferenceUID"),
        localizer="LOCALIZER" in _image_type(look, ds),
        colour=(integer(ds, "SamplesPerPixel") or 1) > 1,
        echo=text(ds, "EchoNumbers"),
        acquisition=text(ds, "AcquisitionNumber"),
        temporal=text(ds, "TemporalPositionIdentifier")
        or printable(str(look("FrameContentSequence", "TemporalPositionIndex") or "")),
        instance=number(get(ds, "InstanceNumber")) or 0.0,
        location=number(get(ds, "SliceLocation")),
        slope=slope if slope else 1.0,
        intercept=intercept or 0.0,
        rescaled=slope is not None and intercept is not None,
        rescale_type=rescale_type.strip().upper(),
        modality_lut=bool(get(ds, "ModalityLUTSequence")),
        windows=windows,
        voi_lut=voi_lut,
        padding=_padding(ds, bits, signed),
        bits=bits,
        bits_stored=min(bits, integer(ds, "BitsStored") or bits),
        signed=signed,
        inverted=photometric(ds) == "MONOCHROME1",
        lossy=lossy_flag == "01"
        or file.transfer_syntax in _LOSSY
        or (file.transfer_syntax in _MAYBE_LOSSY and lossy_flag != "00"),
        offset=_offset(file, index),
    )


def _offset(file: DicomFile, index: int) -> int | None:
    ds = file.dataset
    bits = integer(ds, "BitsAllocated") or 0
    plain = file.transfer_syntax in _PLAIN and file.fragments == 0 and not file.inflated
    if not plain or file.start is None or bits not in {8, 16}:
        return None
    if (integer(ds, "SamplesPerPixel") or 1) != 1 or not photometric(ds).startswith("MONOCHROME"):
        return None
    size = (integer(ds, "Rows") or 0) * (integer(ds, "Columns") or 0) * bits // 8
    return file.start + index * size


def _spacing(value: Any, ds: Dataset) -> tuple[tuple[float, ...] | None, bool]:
    for declared, imager in ((value, False), (get(ds, "ImagerPixelSpacing"), True)):
        spacing = floats(declared, 2)
        if spacing is not None and min(spacing) > 0:
            return spacing, imager
    return None, False


def _image_type(look: FrameLookup, ds: Dataset) -> list[str]:
    types = sequence(look("CTImageFrameTypeSequence", "FrameType")) or sequence(
        get(ds, "ImageType")
    )
    return [str(item).upper() for item in types]


def _windows(look: FrameLookup) -> tuple[tuple[Window, ...], bool]:
    """Return the file's windows, and whether they stand in for a look-up table."""
    group = "FrameVOILUTSequence"
    centres = sequence(look(group, "WindowCenter"))
    widths = sequence(look(group, "WindowWidth"))
    names = sequence(look(group, "WindowCenterWidthExplanation"))
    windows: list[Window] = []
    for i, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        c, w = number(centre), positive(width)
        if c is None or w is None or any((c, w) == (x.centre, x.width) for x in windows):
            continue
        name = str(names[i]).strip() if i < len(names) else ""
        windows.append(Window(c, w, name or f"File {len(windows) + 1}"))
    if windows:
        return tuple(windows), False
    table = look(group, "VOILUTSequence")
    descriptor = floats(get(table[0], "LUTDescriptor"), 3) if table else None
    if descriptor is None:
        return (), False
    entries, first = descriptor[0] or 65536.0, descriptor[1]
    return (Window(first + entries / 2.0, entries, "File LUT"),), True


def _padding(ds: Dataset, bits: int, signed: bool) -> int | None:
    value = integer(ds, "PixelPaddingValue")
    if value is not None and signed and value >= 1 << (bits - 1):
        # Written as unsigned although the pixels are signed.
        value -= 1 << bits
    return value
