"""The header of MetaImage: lines of ``Name = Value`` that end with where the voxels are.

Source: ``itk.org/Wiki/MetaIO/Documentation``, and MetaIO where that is silent: a colon may stand
for the equals sign, and spaces before a name count for nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.studies.find import UnreadableError
from inference.studies.regular import beside, open_regular
from inference.studies.stored import (
    Encoding,
    Stored,
    Voxels,
    axes_of,
    checked,
    cut_off,
    no_such_format,
    numbers,
    wholes,
)

__all__ = ["read_meta"]

_MAX_HEADER: Final = 1 << 16
_MAX_FIELD: Final = 2048
_LAST: Final = "ElementDataFile"
_TYPES: Final = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    # Of four bytes in every file, however long a C compiler's may be.
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_SPACING: Final = ("ElementSpacing", "ElementSize")
_ORIGIN: Final = ("Offset", "Position", "Origin")
_AXES: Final = ("TransformMatrix", "Orientation", "Rotation")
_UNIT: Final = 0.01
"""How far the length of an axis may be from one (rounding)."""


@dataclass(frozen=True, slots=True)
class _Header:
    """The fields by name, and where the header ends."""

    path: Path
    fields: dict[str, str]
    end: int

    def first(self, *names: str) -> tuple[str, str] | None:
        """The first of these fields that is there: its name and its text."""
        for name in names:
            text = self.fields.get(name)
            if text is not None:
                return name, text
        return None

    def need(self, name: str) -> str:
        """A field's text, which must be there."""
        if name not in self.fields:
            raise UnreadableError(f"“{self.path.name}” does not say its {name}; write it again.")
        return self.fields[name]

    def says(self, *names: str) -> bool:
        """Whether the first of these is true; false where none is there."""
        found = self.first(*names)
        if found is None or found[1].lower() in {"false", "f", "0"}:
            return False
        if found[1].lower() not in {"true", "t", "1"}:
            raise self.refused(found[0], "not True or False; write it again")
        return True

    def number(self, name: str, default: float) -> float:
        """A field's only number."""
        text = self.fields.get(name)
        return default if text is None else numbers(self.path, name, text, 1)[0]

    def refused(self, name: str, what: str) -> UnreadableError:
        """The refusal of a field's value."""
        return UnreadableError(
            f"“{self.path.name}” has “{self.fields[name][:40]}” for its {name}, {what}."
        )


def read_meta(path: Path) -> Stored:
    """Read and check the header of a MetaImage.

    Raises
    ------
    UnreadableError
        When it is none, is damaged, promises what cannot be, or names a file that is not beside it.
    """
    with open_regular(path) as stream:
        header = _parsed(path, stream.read(_MAX_HEADER))
    if header.fields.get("ObjectType", "Image") != "Image":
        raise header.refused("ObjectType", "which is no image; save an image")
    (dimension,) = wholes(path, "NDims", header.need("NDims"), 1)
    if not 2 <= dimension <= 4:
        raise UnreadableError(
            f"“{path.name}” has {dimension} dimensions; save one 3D volume alone."
        )
    if header.number("ElementNumberOfChannels", 1.0) != 1.0:
        raise UnreadableError(f"“{path.name}” holds vectors or colours; save it as grey values.")
    size = tuple(wholes(path, "DimSize", header.need("DimSize"), dimension))
    steps, origin, measured, oriented = _axes(header, dimension)
    stored = Stored(
        size,
        steps,
        origin,
        measured=measured,
        oriented=oriented,
        voxels=_voxels(header, size),
    )
    return checked(path, stored)


def _parsed(path: Path, head: bytes) -> _Header:
    fields: dict[str, str] = {}
    at = 0
    while (end := head.find(b"\n", at)) >= 0 or at < len(head):
        line, at = (head[at:], len(head)) if end < 0 else (head[at:end], end + 1)
        text = line.decode("utf-8", "surrogateescape").strip()
        if not text:
            continue
        name, value = _halves(text)
        if not name or not name.isprintable() or len(name) > 80 or len(value) > _MAX_FIELD:
            raise no_such_format(path, "MetaImage")
        if name in fields:
            raise UnreadableError(f"“{path.name}” says its {name} twice; write it again.")
        fields[name] = value
        if name == _LAST:
            return _Header(path, fields, at)
    raise no_such_format(path, "MetaImage")


def _halves(line: str) -> tuple[str, str]:
    """Split a line at its first equals sign or colon; the name is empty when there is none."""
    places = [place for place in (line.find("="), line.find(":")) if place >= 0]
    if not places:
        return "", line
    return line[: min(places)].strip(), line[min(places) + 1 :].strip()


def _axes(
    header: _Header, dimension: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool, bool]:
    """Return steps and origin in LPS mm, and whether sizes and sides are known."""
    path, spatial = header.path, min(dimension, 3)
    found = header.first(*_SPACING)
    edges = [1.0] * spatial if found is None else numbers(path, *found, dimension)[:spatial]
    if dimension == 2:
        return axes_of([abs(edge) for edge in edges]), np.zeros(3), found is not None, False
    place, turn = header.first(*_ORIGIN), header.first(*_AXES)
    if found is None:
        return np.eye(3), np.zeros(3), False, False
    origin = np.zeros(3) if place is None else np.array(numbers(path, *place, dimension)[:3])
    axes = np.eye(3)
    if turn is not None:
        # Written axis by axis.
        axes = np.array(numbers(path, *turn, dimension**2)).reshape(dimension, -1)[:3, :3].T
        if np.abs(np.linalg.norm(axes, axis=0) - 1.0).max() > _UNIT:
            raise header.refused(turn[0], "whose axes are not 1 long; write it again")
    elif min(edges) < 0.0:
        raise header.refused(found[0], "which must be above 0; write it again")
    # Where spacing is below 0 the axis leads the other way, and so it is taken.
    return axes * edges, origin, True, turn is not None


def _voxels(header: _Header, size: tuple[int, ...]) -> Voxels:
    path = header.path
    binary = header.says("BinaryData") if "BinaryData" in header.fields else True
    packed = header.says("CompressedData")
    dtype = _dtype(header)
    source = header.need(_LAST)
    own = source.upper() == "LOCAL"
    file = path if own else beside(path, "" if source.split()[:1] == ["LIST"] else source)
    slope = header.number("ElementToIntensityFunctionSlope", 1.0)
    intercept = header.number("ElementToIntensityFunctionOffset", 0.0)
    encoding = Encoding.RAW if binary else Encoding.TEXT
    compressed = 0
    if packed:
        if not binary:
            raise header.refused("BinaryData", "but its voxels are compressed; write it again")
        encoding = Encoding.DEFLATED
        (compressed,) = wholes(
            path, "CompressedDataSize", header.fields.get("CompressedDataSize", "0"), 1
        )
    offset = _offset(header, file, size, dtype, encoding, own=own)
    return Voxels(
        file, offset, encoding, dtype, 0, compressed, slope=slope, intercept=intercept, own=own
    )


def _offset(
    header: _Header,
    file: Path,
    size: tuple[int, ...],
    dtype: np.dtype[Any],
    encoding: Encoding,
    *,
    own: bool,
) -> int:
    """Return the byte at which voxels begin; -1 says that they are the end of the file."""
    (skip,) = wholes(header.path, "HeaderSize", header.fields.get("HeaderSize", "0"), 1)
    least = header.end if own else 0
    if skip == 0:
        return least
    if skip > 0:
        if skip < least:
            raise header.refused("HeaderSize", "which ends in the header; write it again")
        return skip
    if skip != -1 or encoding is not Encoding.RAW or min(size) < 1:
        raise header.refused("HeaderSize", "which cannot be; write it again")
    needed = math.prod(size) * dtype.itemsize
    with open_regular(file, follow=own) as stream:
        there = stream.seek(0, 2)
    if there - needed < least:
        raise cut_off(file, least + needed, there)
    return there - needed


def _dtype(header: _Header) -> np.dtype[Any]:
    name = header.need("ElementType")
    if name.upper() not in _TYPES:
        raise header.refused("ElementType", "which cannot be read; save it as grey values")
    big = header.says("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    return np.dtype(_TYPES[name.upper()]).newbyteorder(">" if big else "<")
