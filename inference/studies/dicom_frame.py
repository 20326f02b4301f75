"""One picture of a DICOM file: all that its place, its values and its making depend on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from inference.studies.dicom_file import DicomFile
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
from inference.studies.model import SliceSource, VoiFunction, Window

__all__ = ["DETECTOR", "FILM", "PATIENT", "SECONDARY_CAPTURE", "Frame", "frame_of"]

PATIENT: Final = "patient"
DETECTOR: Final = "detector"
FILM: Final = "film"
"""The planes for which a pixel spacing may hold (DICOM PS3.3, 10.7.1)."""

SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
"""Screen shots and scans; the multi-frame classes begin alike."""

_LOSSY: Final = (
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53",
    "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.81",
)  # fmt: skip
_MAYBE_LOSSY: Final = ("1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203")
"""JPEG 2000 syntaxes that also carry lossless streams; a file may say so."""

_PLAIN: Final = (
    (ImplicitVRLittleEndian, ExplicitVRLittleEndian) if sys.byteorder == "little" else ()
)
"""Syntaxes whose pixels lie in the file as this machine holds them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a DICOM file and all that its place and values depend on.

    Lengths are in mm, positions in LPS; None where the file does not say or says nonsense.
    `spacing` is (between rows, between columns) in the plane `plane`; `aspect` is the height of a
    pixel over its width. `bits_stored` bits of a word of `bits` end at `high_bit` (PS3.5, 8.1.1),
    or all are a float's. `padding` spans stored values, both included (PS3.3, C.7.5.1.1.2).
    `offset` is where in the file the frame's grey
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
    plane: str
    aspect: float | None
    thickness: float | None
    kernel: str
    frame_of_reference: str
    localizer: bool
    colour: bool
    echo: str
    acquisition: str
    temporal: str
    stack: str
    phase: str
    image_type: str
    voltage: str
    acquired: str
    created: str
    instance: int | None
    location: float | None
    slope: float
    intercept: float
    rescaled: bool
    rescale_type: str
    modality_lut: bool
    windows: tuple[Window, ...]
    voi_lut: bool
    padding: tuple[float, float] | None
    bits: int
    bits_stored: int
    high_bit: int
    signed: bool
    floating: bool
    inverted: bool
    lossy: bool
    offset: int | None

    @property
    def source(self) -> SliceSource:
        """What is remembered of it once it is a slice."""
        return SliceSource(
            self.path, self.index, self.sop_instance_uid, self.sop_class_uid, self.instance
        )


def frame_of(
    path: Path,
    file: DicomFile,
    index: int,
    *,
    count: int,
    sop_class: str,
    modality: str,
) -> Frame:
    """Read what a file says of one of its pictures.

    Parameters
    ----------
    path, file
        The file, opened with `dicom_header.TAGS`.
    index, count
        Which picture, from 0, of how many.
    sop_class, modality
        Of the file.
    """
    ds = file.dataset
    look = FrameLookup(ds, index)
    position = floats(look("PlanePositionSequence", "ImagePositionPatient"), 3)
    if count > 1 and "PerFrameFunctionalGroupsSequence" not in ds:
        # One position for many frames says where none but the first lies.
        position = None
    orientation = direction_cosines(look("PlaneOrientationSequence", "ImageOrientationPatient"))
    spacing, plane = _spacing(look("PixelMeasuresSequence", "PixelSpacing"), ds, modality)
    slope = number(look("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = number(look("PixelValueTransformationSequence", "RescaleIntercept"))
    rescale_type = str(look("PixelValueTransformationSequence", "RescaleType") or "")
    windows, voi_lut = _windows(look)
    lossy_flag = text(ds, "LossyImageCompression")
    floating = file.pixel_keyword != "PixelData"
    signed = not floating and integer(ds, "PixelRepresentation") == 1
    bits = integer(ds, "BitsAllocated") or 0
    bits_stored, high_bit = _stored_bits(ds, bits, floating)
    types = _image_type(look, ds)
    return Frame(
        path=path,
        index=index,
        sop_instance_uid=text(ds, "SOPInstanceUID"),
        sop_class_uid=sop_class,
        modality=modality,
        secondary_capture=sop_class.startswith(SECONDARY_CAPTURE),
        rows=integer(ds, "Rows") or 0,
        columns=integer(ds, "Columns") or 0,
        position=position,
        orientation=orientation,
        spacing=spacing,
        plane=plane,
        aspect=_aspect(ds),
        thickness=positive(look("PixelMeasuresSequence", "SliceThickness")),
        kernel=_words(look("CTReconstructionSequence", "ConvolutionKernel")),
        frame_of_reference=text(ds, "FrameOfReferenceUID"),
        localizer="LOCALIZER" in types,
        colour=(integer(ds, "SamplesPerPixel") or 1) > 1,
        echo=text(ds, "EchoNumbers"),
        acquisition=_words(look("FrameContentSequence", "FrameAcquisitionNumber"))
        or text(ds, "AcquisitionNumber"),
        temporal=text(ds, "TemporalPositionIdentifier")
        or _words(look("FrameContentSequence", "TemporalPositionIndex")),
        stack=_words(look("FrameContentSequence", "StackID")),
        phase=_words(look("CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"))
        or text(ds, "TriggerTime"),
        image_type=" ".join(types),
        voltage=_words(look("CTXRayDetailsSequence", "KVP")),
        acquired=_words(look("FrameContentSequence", "FrameAcquisitionDateTime"))
        or text(ds, "AcquisitionDateTime")
        or text(ds, "AcquisitionDate") + text(ds, "AcquisitionTime"),
        created=text(ds, "ContentDate") + text(ds, "ContentTime"),
        instance=integer(ds, "InstanceNumber"),
        location=number(get(ds, "SliceLocation")),
        slope=slope if slope else 1.0,
        intercept=intercept or 0.0,
        # A slope of 0 makes all values one, and is none.
        rescaled=bool(slope) and intercept is not None,
        rescale_type=rescale_type.strip().upper(),
        modality_lut=bool(get(ds, "ModalityLUTSequence")),
        windows=windows,
        voi_lut=voi_lut,
        padding=_padding(ds, bits, signed) if not floating else _float_padding(ds),
        bits=bits,
        bits_stored=bits_stored,
        high_bit=high_bit,
        signed=signed,
        floating=floating,
        inverted=photometric(ds) == "MONOCHROME1",
        lossy=lossy_flag == "01"
        or file.transfer_syntax in _LOSSY
        or (file.transfer_syntax in _MAYBE_LOSSY and lossy_flag != "00"),
        offset=_offset(file, index),
    )


def _words(value: Any) -> str:
    """One line of all values of an attribute."""
    return printable(" ".join(str(each) for each in sequence(value)))


def _offset(file: DicomFile, index: int) -> int | None:
    ds = file.dataset
    bits = integer(ds, "BitsAllocated") or 0
    floating = file.pixel_keyword != "PixelData"
    plain = file.transfer_syntax in _PLAIN and file.fragments == 0 and not file.inflated
    if not plain or file.start is None or bits not in ({32, 64} if floating else {8, 16}):
        return None
    if (integer(ds, "SamplesPerPixel") or 1) != 1 or not photometric(ds).startswith("MONOCHROME"):
        return None
    size = (integer(ds, "Rows") or 0) * (integer(ds, "Columns") or 0) * bits // 8
    return file.start + index * size


def _stored_bits(ds: Dataset, bits: int, floating: bool) -> tuple[int, int]:
    """Return how many bits are used, and which is the highest (DICOM PS3.5, 8.1.1)."""
    stored = integer(ds, "BitsStored") or bits
    if floating or not 0 < stored <= bits:
        return bits, bits - 1
    high = integer(ds, "HighBit")
    if high is None or not stored - 1 <= high < bits:
        # The only place that DICOM allows today.
        high = stored - 1
    return stored, high


def _spacing(value: Any, ds: Dataset, modality: str) -> tuple[tuple[float, ...] | None, str]:
    """Return the spacing, and the plane for which it holds (DICOM PS3.3, 10.7.1)."""
    own, imager, film = (
        spacing if spacing is not None and min(spacing) > 0 else None
        for spacing in (
            floats(value, 2),
            floats(get(ds, "ImagerPixelSpacing"), 2),
            floats(get(ds, "NominalScannedPixelSpacing"), 2),
        )
    )
    if own is not None:
        calibrated = text(ds, "PixelSpacingCalibrationType").upper() in {"GEOMETRY", "FIDUCIAL"}
        # Equal values of a projection are the detector's, corrected for nothing (10.7.1.3).
        uncorrected = modality in {"CR", "DX"} and own == imager and not calibrated
        return own, DETECTOR if uncorrected else PATIENT
    if imager is not None:
        return imager, DETECTOR
    return film, FILM if film is not None else PATIENT


def _aspect(ds: Dataset) -> float | None:
    """Return the height of a pixel over its width (DICOM PS3.3, C.7.6.3.1.7)."""
    ratio = floats(get(ds, "PixelAspectRatio"), 2)
    return ratio[0] / ratio[1] if ratio is not None and min(ratio) > 0 else None


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
    function = _function(look(group, "VOILUTFunction"))
    windows: list[Window] = []
    for i, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        c, w = number(centre), positive(width)
        if c is None or w is None or any((c, w) == (x.centre, x.width) for x in windows):
            continue
        name = str(names[i]).strip() if i < len(names) else ""
        windows.append(Window(c, w, name or f"File {len(windows) + 1}", function))
    if windows:
        return tuple(windows), False
    table = look(group, "VOILUTSequence")
    descriptor = floats(get(table[0], "LUTDescriptor"), 3) if table else None
    if descriptor is None:
        return (), False
    entries, first = descriptor[0] or 65536.0, descriptor[1]
    return (Window(first + entries / 2.0, entries, "File LUT"),), True


def _function(value: Any) -> VoiFunction:
    """How the file's windows make grey; linear where it does not say, or says nonsense."""
    said = str(value or "").strip().upper()
    return next((each for each in VoiFunction if each.value == said), VoiFunction.LINEAR)


def _padding(ds: Dataset, bits: int, signed: bool) -> tuple[float, float] | None:
    """Return the stored values from and to which pixels are none (DICOM PS3.3, C.7.5.1.1.2)."""
    ends = [integer(ds, word) for word in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    # Signed pixels may have it written as unsigned.
    known = [
        end - (1 << bits) if signed and end >= 1 << (bits - 1) else end
        for end in ends
        if end is not None
    ]
    # A limit without a value says nothing.
    return None if ends[0] is None else (float(min(known)), float(max(known)))


def _float_padding(ds: Dataset) -> tuple[float, float] | None:
    """Return the same of pixels that are floats."""
    for word in ("Float", "DoubleFloat"):
        first = number(get(ds, f"{word}PixelPaddingValue"))
        if first is not None:
            last = number(get(ds, f"{word}PixelPaddingRangeLimit"))
            last = first if last is None else last
            return min(first, last), max(first, last)
    return None
