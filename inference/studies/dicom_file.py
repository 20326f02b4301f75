"""Open one DICOM file: its header, and where its pixels lie; nothing is trusted, little is read."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import pydicom
from pydicom.dataset import FileDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    AllTransferSyntaxes,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from inference.studies.dicom_encoding import encoding_of
from inference.studies.find import UnreadableError
from inference.studies.limits import MAX_INFLATED_BYTES

__all__ = ["DicomFile", "open_dicom", "pixel_digest"]

_UNDEFINED: Final = 0xFFFFFFFF
_ITEM: Final = (0xFFFE, 0xE000)
_SEQUENCE_END: Final = (0xFFFE, 0xE0DD)
_PIXEL_GROUP: Final = 0x7FE0
_PIXELS_OF: Final = {0x0008: "FloatPixelData", 0x0009: "DoubleFloatPixelData", 0x0010: "PixelData"}
"""Elements of the group whose values are pixels (DICOM PS3.5, 8)."""
_PIXEL_VRS: Final = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"))
"""As the length of a value, each would be an odd number, which no length may be (PS3.5, 7.1.1)."""
_NATIVE: Final = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_STANDARD: Final = frozenset(AllTransferSyntaxes)
"""DICOM's own transfer syntaxes; others may put pixels as they like."""
_SMALL_READ: Final = 1 << 16
"""Reads up to this size are allowed before the file size is asked for."""


class _Pixels(NamedTuple):
    """Offset of the value, bytes of native pixels, fragments, how they are written, and where."""

    start: int | None = None
    length: int = 0
    fragments: int = 0
    vr: str = ""
    syntax: str = ""
    keyword: str = "PixelData"


_CHUNK: Final = _SMALL_READ


@dataclass(frozen=True, slots=True)
class DicomFile:
    """An open DICOM file.

    Parameters
    ----------
    dataset
        The wanted elements before the pixels, and the file meta information.
    transfer_syntax
        Its UID, as the bytes of the pixels are; the file's own word where they do not tell.
    stream
        Positioned anywhere; see `start`.
    start
        Offset of the pixel data's value in `stream`, or None when there are no pixels.
    length
        Bytes of native pixels (the encapsulated ones have been walked through instead).
    fragments
        Number of encapsulated fragments; 0 for native pixels.
    pixel_vr
        Value representation of the pixels, or "" where the file does not say (implicit VR).
    pixel_keyword
        Which element they are: ``"PixelData"``, or one of those that hold floats.
    cut_off
        The file ends inside an element before any pixels.
    inflated
        `stream` is not the file but what it was unpacked to.
    """

    dataset: FileDataset
    transfer_syntax: str
    stream: BinaryIO
    start: int | None
    length: int
    fragments: int
    pixel_vr: str
    pixel_keyword: str
    cut_off: bool
    inflated: bool


class _BoundedFile(io.BufferedReader):
    """A file that refuses to read more than it holds, *before* memory is allocated for it."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._bytes = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _SMALL_READ and size > self._bytes - self.tell():
            raise EOFError("the declared length is larger than the bytes left")
        return super().read(size)


@contextmanager
def open_dicom(path: Path, tags: tuple[str, ...]) -> Iterator[DicomFile]:
    """Open a DICOM file and read the wanted elements of its header.

    Parameters
    ----------
    path
        The file.
    tags
        Keywords of the elements wanted.

    Raises
    ------
    UnreadableError
        When the file is damaged or its lengths cannot be true.
    """
    with _open(path) as stream:
        try:
            dataset = pydicom.dcmread(
                stream, stop_before_pixels=True, force=True, specific_tags=_known(tags)
            )
            reached = stream.tell()
            end = stream.seek(0, io.SEEK_END)
            stream.seek(reached)
        except Exception as error:
            # A damaged header makes pydicom raise nearly anything, from struct.error to KeyError.
            raise UnreadableError(
                f"The header of “{path.name}” is damaged or cut off; copy the file again."
            ) from error
        try:
            syntax = _transfer_syntax(dataset)
            pixels = _find_pixels(path, stream, syntax, end) if reached < end else _Pixels()
        except UnreadableError:
            raise
        except Exception as error:
            raise UnreadableError(
                f"The file meta information of “{path.name}” is damaged; export it again."
            ) from error
        inflated = isinstance(stream, io.BytesIO)
        yield DicomFile(
            dataset=dataset,
            transfer_syntax=pixels.syntax or syntax,
            stream=stream,
            start=pixels.start,
            length=pixels.length,
            fragments=pixels.fragments,
            pixel_vr=pixels.vr,
            pixel_keyword=pixels.keyword,
            cut_off=reached > end,
            inflated=inflated,
        )


@cache
def _known(keywords: tuple[str, ...]) -> list[BaseTag]:
    """Look keywords up once: headers are read by the thousand."""
    return [Tag(keyword) for keyword in keywords]


def pixel_digest(path: Path) -> str:
    """Return a digest of the encoded pixels, equal for copies whatever their headers say."""
    with open_dicom(path, ("TransferSyntaxUID",)) as file:
        file.stream.seek(file.start or 0)
        digest = hashlib.sha256()
        while chunk := file.stream.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()


def _open(path: Path) -> BinaryIO:
    try:
        stream = _BoundedFile(path)
    except OSError as error:
        raise UnreadableError(f"“{path.name}” may not be read; check its permissions.") from error
    deflated = DeflatedExplicitVRLittleEndian.encode()
    head = stream.peek(1024)[:1024]
    if deflated not in head:
        return stream
    with stream:
        return _inflate(path, stream.read(), deflated)


def _inflate(path: Path, data: bytes, syntax: bytes) -> BinaryIO:
    """Return the file as if it had never been deflated; pydicom would unpack without a ceiling."""
    try:
        group_length = struct.unpack_from("<HH2sHL", data, 132)
        if group_length[:2] != (0x0002, 0x0000):
            raise UnreadableError(f"The header of “{path.name}” is damaged; copy the file again.")
        start = 144 + group_length[4]
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        plain = unpacker.decompress(data[start:], MAX_INFLATED_BYTES)
    except (struct.error, zlib.error) as error:
        raise UnreadableError(
            f"“{path.name}” is deflated and damaged; copy the file again."
        ) from error
    if unpacker.unconsumed_tail:
        raise UnreadableError(
            f"“{path.name}” would unpack to more than {MAX_INFLATED_BYTES >> 20} MB and was "
            "refused; export it uncompressed."
        )
    explicit = ExplicitVRLittleEndian.encode().ljust(len(syntax), b"\0")
    return io.BytesIO(data[:start].replace(syntax, explicit) + plain)


def _transfer_syntax(dataset: FileDataset) -> str:
    declared = dataset.file_meta.get("TransferSyntaxUID")
    if declared:
        return str(declared)
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _find_pixels(path: Path, stream: BinaryIO, syntax: str, end: int) -> _Pixels:
    """Return where the pixels are; the stream stands at their element.

    How they are written is told by the bytes, not by the syntax that was declared: exporters
    write one and declare another.
    """
    at = stream.tell()
    head = stream.read(12)
    if len(head) < 12:
        return _Pixels()
    endian = ">" if struct.unpack_from(">H", head)[0] == _PIXEL_GROUP else "<"
    group, element = struct.unpack_from(f"{endian}HH", head)
    if group != _PIXEL_GROUP or element not in _PIXELS_OF:
        return _Pixels()
    keyword = _PIXELS_OF[element]
    explicit = head[4:6] in _PIXEL_VRS
    vr, start = (head[4:6].decode("ascii"), at + 12) if explicit else ("", at + 8)
    (length,) = struct.unpack_from(f"{endian}L", head, 8 if explicit else 4)
    if length == _UNDEFINED:
        fragments = _count_fragments(path, stream, start, end)
        found = encoding_of(stream, start) if syntax in _NATIVE else ""
        return _Pixels(start, 0, fragments, vr, found, keyword)
    if start + length > end:
        raise UnreadableError(
            f"“{path.name}” is cut off: {length} bytes of pixels are declared and "
            f"{end - start} are there; copy the file again."
        )
    found = ""
    if syntax in _STANDARD:
        # Of a known length they are not compressed (PS3.5, A.4), whatever is declared.
        found = ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian
        found = ExplicitVRBigEndian if endian == ">" else found
    return _Pixels(start, length, 0, vr, found, keyword)


def _count_fragments(path: Path, stream: BinaryIO, start: int, end: int) -> int:
    """Walk through encapsulated pixels by their lengths alone (DICOM PS3.5, A.4)."""
    position = start
    items = 0
    while position + 8 <= end:
        stream.seek(position)
        group, element, length = struct.unpack("<HHL", stream.read(8))
        if (group, element) == _SEQUENCE_END:
            return items - 1
        if (group, element) != _ITEM or position + 8 + length > end:
            break
        position += 8 + length
        items += 1
    if position == end and items > 1:
        # Only the end mark is missing; every fragment is whole.
        return items - 1
    raise UnreadableError(f"The pixels of “{path.name}” are cut off; copy the file again.")
