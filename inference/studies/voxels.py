"""Voxels out of a file, plane by plane: NumPy for numbers, zlib for what was compressed.

Nothing is mapped into memory: a file that is cut short meanwhile would end the process.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np
from numpy.typing import NDArray

from inference.studies.find import UnreadableError
from inference.studies.regular import open_regular
from inference.studies.stored import Encoding, Stored, Voxels, cut_off

__all__ = ["GZIP_MAGIC", "inflated", "planes", "value_type"]

GZIP_MAGIC: Final = b"\x1f\x8b"
_CHUNK: Final = 1 << 20
_EITHER: Final = 47
"""zlib's windowBits that take the header of gzip as well as its own, and check the sum."""
_MAX_DIGITS: Final = 64
"""Longest number in text."""


class _Inflated(io.RawIOBase):
    """What was compressed by zlib or by gzip, there in one member or several."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._pending = b""
        self._ended = False
        self._inflater = zlib.decompressobj(_EITHER)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ended:
            pending = self._pending or self._stream.read(_CHUNK)
            data = self._inflater.decompress(pending, len(buffer))
            self._pending = self._inflater.unconsumed_tail
            if self._inflater.eof:
                self._next()
            elif not data and not pending:
                raise EOFError
            if data:
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _next(self) -> None:
        rest = self._inflater.unused_data
        if len(rest) < len(GZIP_MAGIC):
            rest += self._stream.read(_CHUNK)
        self._ended = not rest.startswith(GZIP_MAGIC)
        if not self._ended:
            self._inflater, self._pending = zlib.decompressobj(_EITHER), rest


def inflated(path: Path, stream: BinaryIO, count: int) -> bytes:
    """Return the first bytes of what a stream holds compressed; fewer when there are no more.

    Raises
    ------
    UnreadableError
        When it is damaged.
    """
    try:
        return io.BufferedReader(_Inflated(stream)).read(count)
    except (EOFError, zlib.error) as error:
        raise _damaged(path) from error


def value_type(voxels: Voxels) -> np.dtype[Any]:
    """Return the type of the values in memory."""
    scaled = (voxels.slope, voxels.intercept) != (1.0, 0.0)
    return np.dtype(np.float32) if scaled else voxels.dtype.newbyteorder("=")


def planes(stored: Stored, time: int, first: int = 0) -> Iterator[NDArray[np.generic]]:
    """Read the planes of a volume as they follow one another in the file.

    Parameters
    ----------
    stored
        The header.
    time
        Which of its volumes, from 0.
    first
        The plane to begin with. What comes before is not read where voxels are plain, and what
        comes after the last plane that is taken is never looked at.

    Yields
    ------
    ndarray
        Shape (rows, columns) as stored, `value_type`: values, of which some may be no numbers.

    Raises
    ------
    UnreadableError
        When the file is damaged or cut off; after the last plane, also when its checksum is wrong.
    """
    voxels = stored.voxels
    slices, rows, columns = stored.shape
    before = time * slices + first
    with open_regular(voxels.path, follow=voxels.own) as stream:
        try:
            if voxels.encoding is Encoding.TEXT:
                read = _from_text(voxels, stream, before, rows * columns)
            else:
                rest = (stored.times - time) * slices - first
                read = _from_bytes(voxels, stream, before, rows * columns, rest)
            for _ in range(first, slices):
                plane = next(read).reshape(rows, columns)
                yield _scaled(plane, voxels)
            if voxels.encoding is Encoding.DEFLATED:
                # The checksum comes last.
                for _ in read:
                    pass
        except (EOFError, zlib.error, ValueError, OverflowError) as error:
            raise _damaged(voxels.path) from error
        except OSError as error:
            raise UnreadableError(
                f"“{voxels.path.name}” cannot be read from its disk ({error.strerror}); copy the "
                "file again."
            ) from error


def _scaled(plane: NDArray[np.generic], voxels: Voxels) -> NDArray[np.generic]:
    native = plane.astype(voxels.dtype.newbyteorder("="), copy=False)
    if (voxels.slope, voxels.intercept) == (1.0, 0.0):
        return native
    values = native.astype(np.float64)
    # Signalling numbers that are none warn of nothing here.
    with np.errstate(all="ignore"):
        return (values * voxels.slope + voxels.intercept).astype(np.float32)


def _from_bytes(
    voxels: Voxels, stream: BinaryIO, before: int, count: int, rest: int
) -> Iterator[NDArray[np.generic]]:
    """Read planes of `count` voxels; `rest` of them are left in the file with the first."""
    bytes_each = count * voxels.dtype.itemsize
    stream.seek(voxels.offset)
    source, skip = stream, voxels.skip + before * bytes_each
    if voxels.encoding is Encoding.DEFLATED:
        source = cast(BinaryIO, io.BufferedReader(_Inflated(stream), _CHUNK))
        while skip > 0:
            skipped = len(source.read(min(skip, _CHUNK)))
            if not skipped:
                raise EOFError
            skip -= skipped
    else:
        stream.seek(skip, io.SEEK_CUR)
    for _ in range(rest):
        data = source.read(bytes_each)
        if len(data) < bytes_each:
            raise cut_off(voxels.path, bytes_each, len(data)) if source is stream else EOFError
        yield np.frombuffer(data, voxels.dtype)
    if source is not stream:
        # At the end the checksum is checked; of what there is too much, no more is unpacked.
        source.read(_CHUNK)


def _from_text(
    voxels: Voxels, stream: BinaryIO, before: int, count: int
) -> Iterator[NDArray[np.generic]]:
    stream.seek(voxels.offset)
    words = _words(stream)
    for _ in range(before * count):
        next(words)
    while True:
        plane = [next(words, None) for _ in range(count)]
        if None in plane:
            raise EOFError
        if voxels.dtype.kind == "f":
            yield np.array([float(cast(bytes, word)) for word in plane], voxels.dtype)
        else:
            # Out of the type's range is an OverflowError.
            yield np.array([_whole(cast(bytes, word)) for word in plane], voxels.dtype)


def _whole(word: bytes) -> int:
    try:
        return int(word)
    except ValueError:
        # Some write whole numbers as 12.0.
        number = float(word)
        if not number.is_integer():
            raise
        return int(number)


def _words(stream: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(_CHUNK):
        words = (rest + chunk).split()
        rest = b"" if chunk[-1:].isspace() else words.pop()
        # Python would read 1_000 as a number.
        if len(rest) > _MAX_DIGITS or b"_" in chunk:
            raise ValueError
        yield from words
    if rest:
        yield rest


def _damaged(path: Path) -> UnreadableError:
    return UnreadableError(f"“{path.name}” is damaged or cut off; copy the file again.")
