"""What compressed pixels say of themselves, for files whose headers say otherwise."""

from __future__ import annotations

import struct
from typing import BinaryIO, Final, NamedTuple

from pydicom.uid import (
    JPEG2000,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSNearLossless,
    RLELossless,
)

__all__ = ["Picture", "encoding_of", "picture_of"]

_LOOKED_AT: Final = 1 << 16
_JPEG: Final = b"\xff\xd8"
_JPEG_2000: Final = b"\xff\x4f\xff\x51"
_RLE_HEADER: Final = 64
_MOST_SEGMENTS: Final = 15
_FRAMES: Final = {
    0xC0: JPEGBaseline8Bit, 0xC1: JPEGExtended12Bit, 0xC3: JPEGLossless, 0xF7: JPEGLSNearLossless
}  # fmt: skip
"""Marker that begins a JPEG frame, and a syntax of that process (ITU-T T.81, B.1)."""

_OTHER_FRAMES: Final = frozenset({0xC2, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
"""Of processes that are told by no first bytes."""


def encoding_of(stream: BinaryIO, start: int) -> str:
    """Return the transfer syntax of encapsulated pixels, or "" when their bytes do not tell it.

    Parameters
    ----------
    stream
        The file.
    start
        Where the value of the pixels begins: at the item of the offset table (DICOM PS3.5, A.4).
    """
    stream.seek(start + 4)
    (table,) = struct.unpack("<L", stream.read(4))
    stream.seek(start + 8 + table + 8)
    data = stream.read(_LOOKED_AT)
    if data.startswith(_JPEG_2000):
        return str(JPEG2000)
    if data.startswith(_JPEG):
        return _jpeg(data)
    if len(data) >= _RLE_HEADER:
        segments, first = struct.unpack_from("<LL", data)
        if 1 <= segments <= _MOST_SEGMENTS and first == _RLE_HEADER:
            return str(RLELossless)
    return ""


class Picture(NamedTuple):
    """What a code stream holds."""

    bits: int
    rows: int
    columns: int
    samples: int


def picture_of(stream: bytes) -> Picture | None:
    """Return what a JPEG, JPEG-LS or JPEG 2000 stream says that it holds, or None.

    Parameters
    ----------
    stream
        One frame (ITU-T T.81, B.2.2; T.87, C.2.2; T.800, A.5.1).
    """
    try:
        if stream.startswith(_JPEG_2000):
            right, down, left, up = struct.unpack_from(">4L", stream, 8)
            (samples,) = struct.unpack_from(">H", stream, 40)
            return Picture((stream[42] & 0x7F) + 1, down - up, right - left, samples)
        at = _frame_marker(stream) if stream.startswith(_JPEG) else None
        return None if at is None else Picture(*struct.unpack_from(">BHHB", stream, at + 4))
    except (struct.error, IndexError):
        return None


def _jpeg(data: bytes) -> str:
    at = _frame_marker(data)
    return "" if at is None else str(_FRAMES.get(data[at + 1], ""))


def _frame_marker(data: bytes) -> int | None:
    """Walk through the segments to the one that begins the frame."""
    at = len(_JPEG)
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAMES or data[at + 1] in _OTHER_FRAMES:
            return at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
