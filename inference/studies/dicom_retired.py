"""Grey JPEG of two retired processes, which GDCM decodes but pydicom does not ask it for.

They are transfer syntaxes that DICOM withdrew in 2004 and that old archives still hold: spectral
selection and full progression, 8 or 12 bits deep (PS3.5, annex A.4.1; PS3.6, table A-1).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple, cast

import gdcm
from pydicom.pixels.decoders.base import Decoder, DecodeRunner
from pydicom.uid import UID

__all__ = ["DECODER_DEPENDENCIES", "RETIRED", "decode_frame", "is_available", "retired_decoder"]

RETIRED: Final = ("1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55")
"""Transfer syntaxes: processes 6 and 8, and 10 and 12."""

DECODER_DEPENDENCIES: Final[dict[str, tuple[str, ...]]] = dict.fromkeys(RETIRED, ("gdcm>=3.0.10",))
"""What pydicom says is missing where the decoder is not available."""

_START: Final = b"\xff\xd8"
_PROGRESSIVE: Final = 0xC2
_FIRST_SCAN: Final = 0xDA
_APP0: Final = 0xE0
_HARMLESS: Final = frozenset((0xC4, 0xDB, 0xDD, _APP0, *range(0xE1, 0xF0), 0xFE))
"""Segments that may stand before the first scan: tables, remarks, and what applications add."""


class _Picture(NamedTuple):
    """What a JPEG stream says of itself."""

    bits: int
    rows: int
    columns: int
    samples: int


@cache
def retired_decoder(syntax: str) -> Decoder:
    """Return a decoder of one of `RETIRED`, to be used as one of pydicom's."""
    decoder = Decoder(UID(syntax))
    decoder.add_plugin("gdcm", (__name__, decode_frame.__name__))
    return decoder


def is_available(syntax: str) -> bool:
    """Tell pydicom whether frames of this syntax can be decoded here."""
    return syntax in RETIRED


def decode_frame(source: bytes, runner: DecodeRunner) -> bytes:
    """Decode one grey frame.

    Parameters
    ----------
    source
        The JPEG stream.
    runner
        What the header says of it.

    Raises
    ------
    ValueError
        When the stream is damaged or is no such picture as the header says.
    """
    picture = _picture(source)
    deep = picture.bits <= 8 if runner.bits_allocated == 8 else 8 < picture.bits <= 12
    if not deep or (picture.rows, picture.columns, picture.samples) != (
        runner.rows, runner.columns, 1,
    ):  # fmt: skip
        raise ValueError("the stream and the header disagree")
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(source)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(
        gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2)
    )
    image.SetTransferSyntax(
        gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str.__str__(runner.transfer_syntax)))
    )
    image.SetPixelFormat(
        gdcm.PixelFormat(
            1, runner.bits_allocated, picture.bits, picture.bits - 1, runner.pixel_representation
        )
    )
    decoded = cast(Any, image.GetBuffer())
    if decoded is None:
        raise ValueError("the stream is damaged")
    # GDCM gives bytes as text.
    return cast(bytes, decoded.encode("utf-8", "surrogateescape"))


def _picture(source: bytes) -> _Picture:
    """Walk through the segments before the first scan, strictly.

    GDCM ends the whole process over a stream that makes its JPEG library warn of the header.
    """
    picture: _Picture | None = None
    at = len(_START)
    if source[:at] != _START:
        raise ValueError("no JPEG stream")
    while at + 4 <= len(source) and source[at] == 0xFF:
        marker, length = source[at + 1], int.from_bytes(source[at + 2 : at + 4], "big")
        segment = source[at + 4 : at + 2 + length]
        if marker == _FIRST_SCAN and picture is not None:
            return picture
        if marker == _PROGRESSIVE and len(segment) >= 6 and picture is None:
            rows, columns = (int.from_bytes(segment[i : i + 2], "big") for i in (1, 3))
            picture = _Picture(segment[0], rows, columns, segment[5])
        elif marker not in _HARMLESS or (marker == _APP0 and segment[:6] != b"JFIF\0\x01"):
            break
        at += 2 + length
    raise ValueError("the header of the JPEG stream is damaged")
