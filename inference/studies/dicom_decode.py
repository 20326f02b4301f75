"""Stored values of one DICOM frame: read as they lie in the file, or decoded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.pixels.utils import as_pixel_options, get_j2k_parameters
from pydicom.uid import JPEG2000, UID, JPEG2000Lossless, RLELossless

from inference.studies import elsewhere
from inference.studies.dicom_encoding import picture_of
from inference.studies.dicom_file import DicomFile, open_dicom, pixel_digest
from inference.studies.dicom_frame import Frame
from inference.studies.dicom_header import NotAnImageError, read_header
from inference.studies.dicom_retired import RETIRED, retired_decoder
from inference.studies.dicom_values import printable
from inference.studies.find import UnreadableError
from inference.studies.limits import decoding_bounds
from inference.studies.pixels import to_grey

__all__ = ["PIXEL_TAGS", "decoded", "plain", "plain_type", "values_digest"]

PIXEL_TAGS: Final = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
"""Elements that the decoders want to know."""

_PLUGINS: Final[dict[str, str]] = {RLELossless: "pydicom"}
"""Decoders that are chosen; pylibjpeg's for RLE panics on damage, which no handler catches."""

_FORGIVING: Final = "pylibjpeg"
"""The decoder whose errors are exceptions, whatever a header says."""

_FEWEST_BITS: Final = 8
"""Of a picture; a header that says that fewer are stored is of no picture that can be shown."""

_JPEG_2000: Final = (JPEG2000Lossless, JPEG2000)

_JPEG: Final = "1.2.840.10008.1.2.4."
"""Begins the transfer syntaxes whose decoders are compiled code."""

_one_at_a_time = Lock()
"""pydicom's decoders keep the interpreter to themselves until a frame is done. Several threads of
them would win nothing, and a window would wait for all of them instead of for one."""


def plain_type(frame: Frame) -> np.dtype[Any]:
    """Return the type of values that lie in the file as they are."""
    kind = "f" if frame.floating else "i" if frame.signed else "u"
    return np.dtype(f"<{kind}{frame.bits // 8}")


def plain(frame: Frame, out: NDArray[np.generic]) -> None:
    """Read stored values that lie in the file as they are (`Frame.offset`), without a copy.

    Parameters
    ----------
    frame
        Which.
    out
        Shape (rows, columns), C order, of `plain_type`; what is stored is moved to the lowest
        bits, and unused bits are cleared, or hold the sign (DICOM PS3.5, 8.1.1).

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
    _keep_stored_bits(frame, out)


def _keep_stored_bits(frame: Frame, words: NDArray[np.generic]) -> None:
    """Make the value of each word, in place: the bits below `high_bit`, as many as are stored."""
    if frame.bits_stored < frame.bits:
        values = cast("NDArray[np.integer[Any]]", words)
        np.left_shift(values, frame.bits - 1 - frame.high_bit, out=values)
        np.right_shift(values, frame.bits - frame.bits_stored, out=values)


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
        Shape (rows, columns), integers, or floats where the file holds such.

    Raises
    ------
    UnreadableError
        When the pixels are damaged or their compression is not known.
    """
    stored = _by_another_process(file, frame)
    if stored is None:
        stored = _by_this_process(file, frame)
    if stored.shape != (frame.rows, frame.columns):
        raise UnreadableError(f"The pixels of “{frame.path.name}” have another size than declared.")
    if not _are_words(file, frame):
        return stored
    words = np.array(stored, plain_type(frame).newbyteorder("="))
    _keep_stored_bits(frame, words)
    return words


def _are_words(file: DicomFile, frame: Frame) -> bool:
    """Say whether decoding gives words as they were written; other decoders give their values."""
    native = file.fragments == 0 or file.transfer_syntax == RLELossless
    return native and not frame.colour and not frame.floating


def values_digest(path: Path) -> str:
    """Return a digest of all values of a file: equal for copies, however they are compressed.

    Parameters
    ----------
    path
        A file with a header that can be read.
    """
    digest = hashlib.sha256()
    try:
        header = read_header(path)
        with open_dicom(path, PIXEL_TAGS) as file:
            for frame in header.frames:
                digest.update(f"{frame.rows} {frame.slope} {frame.intercept} ".encode())
                digest.update(np.ascontiguousarray(decoded(file, frame), np.float64).data)
    except (UnreadableError, NotAnImageError):
        # What cannot be decoded may still be a copy of something.
        return pixel_digest(path)
    return digest.hexdigest()


def _options(file: DicomFile, frame: Frame) -> dict[str, Any]:
    try:
        return as_pixel_options(file.dataset)
    except Exception as error:
        # Values are parsed here, and a malformed one raises nearly anything.
        raise UnreadableError(_damaged(frame)) from error


def _by_another_process(file: DicomFile, frame: Frame) -> NDArray[np.generic] | None:
    """Decode where a decoder may die of damage; None where there is no such place, or no need."""
    there = elsewhere.current()
    if there is None or not file.transfer_syntax.startswith(_JPEG):
        return None
    try:
        return there.run_within(decoding_bounds(frame.rows, frame.columns), _decoded_alone, frame)
    except elsewhere.LostError as error:
        raise UnreadableError(
            f"The decoder stopped at “{frame.path.name}”, whose pixels are damaged or need too "
            "much memory or time; export it again, uncompressed."
        ) from error
    except elsewhere.NoProcessError:
        # What can be decoded is worth the risk.
        return None


def _decoded_alone(frame: Frame) -> NDArray[np.generic]:
    """In another process: nothing is shared with this one but the file."""
    with open_dicom(frame.path, PIXEL_TAGS) as file:
        return _by_this_process(file, frame)


def _by_this_process(file: DicomFile, frame: Frame) -> NDArray[np.generic]:
    options = _options(file, frame)
    stored = _jpeg_2000(file, frame, options)
    if stored is None:
        with _one_at_a_time:
            stored = _by_pydicom(file, frame, options)
    return stored


def _damaged(frame: Frame) -> str:
    name = frame.path.name
    return f"The pixels of “{name}” are damaged and cannot be decoded; copy the file again."


def _by_pydicom(file: DicomFile, frame: Frame, options: dict[str, Any]) -> NDArray[np.generic]:
    name = frame.path.name
    try:
        decoder = _decoder(file.transfer_syntax, options)
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
    if _are_words(file, frame):
        # pydicom would take the lowest bits for those that are stored.
        options["bits_stored"] = frame.bits
    options["pixel_keyword"] = file.pixel_keyword
    if file.pixel_vr:
        options["pixel_vr"] = file.pixel_vr
    agrees, bits = _agrees(file, frame, options)
    if not agrees and bits is not None:
        # What the stream holds was written; the header may be of another picture.
        options["bits_stored"] = min(bits, frame.bits)
    plugin = _PLUGINS.get(file.transfer_syntax, "") if agrees else _FORGIVING
    try:
        stored, _ = decoder.as_array(
            file.stream, index=frame.index, decoding_plugin=plugin, **cast(Any, options)
        )
    except Exception as error:
        # Each decoder has its own exceptions, and all mean the same here.
        if agrees:
            raise UnreadableError(_damaged(frame)) from error
        raise UnreadableError(
            f"The header of “{name}” and its compressed pixels contradict each other; export it "
            "again."
        ) from error
    if stored.ndim == 3:
        return to_grey(stored)
    if bits == frame.bits and frame.bits_stored >= _FEWEST_BITS and stored.ndim == 2:
        # Whole words were compressed, and what is stored lies in them as in words of a file.
        words = np.array(stored, plain_type(frame).newbyteorder("="))
        _keep_stored_bits(frame, words)
        return words
    return stored


def _agrees(file: DicomFile, frame: Frame, options: dict[str, Any]) -> tuple[bool, int | None]:
    """Say whether header and stream tell the same of the pixels, and the bits of the stream.

    True where it does not matter, and None where that is not known.

    GDCM, which is asked first, ends the whole process over some contradictions.
    """
    syntax = file.transfer_syntax
    if not file.fragments or not syntax.startswith(_JPEG) or syntax in RETIRED:
        return True, None
    start = file.stream.tell()
    try:
        stream = get_frame(
            file.stream,
            frame.index,
            number_of_frames=options.get("number_of_frames") or 1,
            extended_offsets=options.get("extended_offsets"),
        )
    except Exception as error:
        raise UnreadableError(_damaged(frame)) from error
    file.stream.seek(start)
    held = picture_of(stream)
    if held is None:
        return False, None
    samples = options["samples_per_pixel"]
    grey = str(options["photometric_interpretation"]).startswith(("MONOCHROME", "PALETTE"))
    same = held == (frame.bits_stored, frame.rows, frame.columns, samples)
    fits = grey == (samples == 1) and frame.bits == (8 if held.bits <= 8 else 16)
    return same and fits, held.bits


def _decoder(syntax: str, options: dict[str, Any]) -> Decoder:
    if syntax in RETIRED and options.get("samples_per_pixel", 1) == 1:
        return retired_decoder(syntax)
    return get_decoder(UID(syntax))


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
