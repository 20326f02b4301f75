"""Stored values of one DICOM frame: read as they lie in the file, or decoded."""

from __future__ import annotations

from threading import Lock
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options, get_j2k_parameters
from pydicom.uid import JPEG2000, UID, JPEG2000Lossless, RLELossless

from inference.studies import elsewhere
from inference.studies.dicom_file import DicomFile, open_dicom
from inference.studies.dicom_header import Frame
from inference.studies.dicom_values import printable
from inference.studies.find import UnreadableError
from inference.studies.pixels import to_grey

__all__ = ["PIXEL_TAGS", "decoded", "plain", "plain_type"]

PIXEL_TAGS: Final = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
"""Elements that the decoders want to know."""

_PLUGINS: Final[dict[str, str]] = {RLELossless: "pydicom"}
"""Decoders that are chosen; pylibjpeg's for RLE panics on damage, which no handler catches."""

_JPEG_2000: Final = (JPEG2000Lossless, JPEG2000)

_JPEG: Final = "1.2.840.10008.1.2.4."
"""Begins the transfer syntaxes whose decoders are compiled code."""

_SHORT_PIXELS: Final = 640 * 640
"""A frame of so many is decoded in some 10 ms; with more the interpreter is kept for too long."""

_one_at_a_time = Lock()
"""pydicom's decoders keep the interpreter to themselves until a frame is done. Several threads of
them would win nothing, and a window would wait for all of them instead of for one."""


def plain_type(frame: Frame) -> np.dtype[Any]:
    """Return the type of values that lie in the file as they are."""
    return np.dtype(f"<{'i' if frame.signed else 'u'}{frame.bits // 8}")


def plain(frame: Frame, out: NDArray[np.generic]) -> None:
    """Read stored values that lie in the file as they are (`Frame.offset`), without a copy.

    Parameters
    ----------
    frame
        Which.
    out
        Shape (rows, columns), C order, of `plain_type`; unused high bits are cleared, or hold the
        sign (DICOM PS3.5, 8.1.1).

    Raises
    ------
    UnreadableError
        When the file has changed or may not be read.
    """
    left = memoryview(cast(Any, out)).cast("B")
    try:
        with frame.path.open("rb", buffering=0) as file:
            file.seek(frame.offset or 0)
            while left and (count := file.readinto(left)):
                left = left[count:]
    except OSError as error:
        raise UnreadableError(
            f"“{frame.path.name}” may not be read; check its permissions."
        ) from error
    if left:
        raise UnreadableError(f"“{frame.path.name}” is cut off; copy the file again.")
    if unused := frame.bits - frame.bits_stored:
        values = cast("NDArray[np.integer[Any]]", out)
        np.left_shift(values, unused, out=values)
        np.right_shift(values, unused, out=values)


def decoded(file: DicomFile, frame: Frame) -> NDArray[np.generic]:
    """Decode the stored values of one frame.

    Parameters
    ----------
    file
        Opened with `PIXEL_TAGS`.
    frame
        Which.

    Returns
    -------
    ndarray
        Shape (rows, columns), integers.

    Raises
    ------
    UnreadableError
        When the pixels are damaged or their compression is not known.
    """
    options = as_pixel_options(file.dataset)
    stored = _jpeg_2000(file, frame, options)
    if stored is None:
        stored = _by_another_process(file, frame)
    if stored is None:
        with _one_at_a_time:
            stored = _by_pydicom(file, frame, options)
    if stored.shape != (frame.rows, frame.columns):
        raise UnreadableError(f"The pixels of “{frame.path.name}” have another size than declared.")
    return stored


def _by_another_process(file: DicomFile, frame: Frame) -> NDArray[np.generic] | None:
    """Decode where it holds nobody up; None where it is better done here."""
    there = elsewhere.current()
    if there is None or not file.transfer_syntax.startswith(_JPEG):
        return None
    # The first process takes half a second to come, and the first slice is waited for.
    if not there.is_warm() and frame.rows * frame.columns <= _SHORT_PIXELS:
        return None
    try:
        return there.run(_decoded_alone, frame)
    except elsewhere.LostError as error:
        if there.works():
            raise UnreadableError(_damaged(frame)) from error
    except OSError:
        pass
    # There are no such processes here: what can be decoded is worth the wait.
    return None


def _decoded_alone(frame: Frame) -> NDArray[np.generic]:
    """In another process: nothing is shared with this one but the file."""
    with open_dicom(frame.path, PIXEL_TAGS) as file:
        return _by_pydicom(file, frame, as_pixel_options(file.dataset))


def _damaged(frame: Frame) -> str:
    name = frame.path.name
    return f"The pixels of “{name}” are damaged and cannot be decoded; copy the file again."


def _by_pydicom(file: DicomFile, frame: Frame, options: dict[str, Any]) -> NDArray[np.generic]:
    name = frame.path.name
    try:
        decoder = get_decoder(UID(file.transfer_syntax))
    except NotImplementedError as error:
        syntax = printable(UID(file.transfer_syntax).name)
        raise UnreadableError(
            f"“{name}” is compressed as {syntax}, which cannot be decoded; export it uncompressed."
        ) from error
    file.stream.seek(file.start or 0)
    defaults = {
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "pixel_representation": 0,
        "bits_stored": frame.bits,
        "planar_configuration": 0,
    }
    options = defaults | {key: value for key, value in options.items() if value is not None}
    options["pixel_keyword"] = "PixelData"
    if file.pixel_vr:
        options["pixel_vr"] = file.pixel_vr
    try:
        stored, _ = decoder.as_array(
            file.stream,
            index=frame.index,
            decoding_plugin=_PLUGINS.get(file.transfer_syntax, ""),
            **cast(Any, options),
        )
    except Exception as error:
        # Each decoder has its own exceptions, and all mean the same here.
        raise UnreadableError(_damaged(frame)) from error
    return to_grey(stored) if stored.ndim == 3 else stored


def _jpeg_2000(
    file: DicomFile, frame: Frame, options: dict[str, Any]
) -> NDArray[np.generic] | None:
    """Decode unsigned grey JPEG 2000 by OpenCV, which lets other threads run; None if it is other.

    OpenCV takes no signed values, and what else is unusual is better left to pydicom, too: damage
    then has its one sentence.
    """
    usual = (
        file.transfer_syntax in _JPEG_2000
        and options.get("samples_per_pixel", 1) == 1
        and "extended_offsets" not in options
        and frame.bits == 16
        and not frame.signed
    )
    if not usual:
        return None
    file.stream.seek(file.start or 0)
    try:
        stream = get_frame(
            file.stream, frame.index, number_of_frames=options.get("number_of_frames") or 1
        )
        known = get_j2k_parameters(stream)
        if known.get("is_signed", True) or known.get("precision") != frame.bits_stored:
            return None
        _silence_opencv()
        picture = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_UNCHANGED)
    except Exception:  # noqa: BLE001 - pydicom tries next, and says what is wrong
        return None
    if picture is None or picture.shape != (frame.rows, frame.columns):
        return None
    return picture if picture.dtype == np.uint16 else None


def _silence_opencv() -> None:
    """Keep from the terminal that a picture names no colour space, or is damaged."""
    logging = cv2.utils.logging
    if logging.getLogLevel() != logging.LOG_LEVEL_SILENT:
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
