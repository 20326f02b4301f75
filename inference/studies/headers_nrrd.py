"""The header of NRRD: lines of text before the voxels, or in a file beside them.

Source: ``teem.sourceforge.net/nrrd/format.html``. A field has a length, a number of values and a
range here, and a file of voxels may be named but not led to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

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

__all__ = ["read_nrrd"]

_MAGIC: Final = re.compile(rb"NRRD000[1-6]\r?\n")
_MAX_HEADER: Final = 1 << 20
"""Longest header: a few thousand lines of notes, as diffusion tables are kept."""
_MAX_LINE_SKIP: Final = 10_000
_MAX_FIELD: Final = 2048
"""Longest field of those that are read here."""

_TYPES: Final = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int",
           "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}  # fmt: skip
_ENCODINGS: Final = {
    "raw": Encoding.RAW,
    "txt": Encoding.TEXT, "text": Encoding.TEXT, "ascii": Encoding.TEXT,
    "gz": Encoding.DEFLATED, "gzip": Encoding.DEFLATED,
}  # fmt: skip
_SPACES: Final = {
    "left-posterior-superior": (1.0, 1.0, 1.0), "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0), "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0), "las": (1.0, -1.0, 1.0),
}  # fmt: skip
"""The patient's spaces, by their signs in LPS; all others are of a scanner or of nobody."""
_DIMENSIONS: Final = {
    "scanner-xyz": 3, "3d-right-handed": 3, "3d-left-handed": 3,
    "scanner-xyz-time": 4, "3d-right-handed-time": 4, "3d-left-handed-time": 4,
}  # fmt: skip
_ALIASES: Final = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}
_LISTS: Final = frozenset({"domain", "space", "time", "list", "none", "???"})
"""Kinds of axis along which each voxel is a single number."""
_UNITS: Final = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001}


@dataclass(frozen=True, slots=True)
class _Header:
    """The fields by name, and where the header ends."""

    path: Path
    fields: dict[str, str]
    end: int

    def get(self, name: str) -> str | None:
        """A field's text; None where there is none."""
        text = self.fields.get(name)
        if text is not None and len(text) > _MAX_FIELD:
            raise UnreadableError(
                f"“{self.path.name}” has {len(text)} letters for its {name}, far too many; write "
                "the file again."
            )
        return text

    def need(self, name: str) -> str:
        """A field's text, which must be there."""
        text = self.get(name)
        if text is None:
            raise UnreadableError(f"“{self.path.name}” does not say its {name}; write it again.")
        return text

    def refused(self, name: str, what: str) -> UnreadableError:
        """The refusal of a field's value."""
        return UnreadableError(
            f"“{self.path.name}” has “{self.fields[name][:40]}” for its {name}, {what}."
        )


def read_nrrd(path: Path) -> Stored:
    """Read and check the header of a NRRD file.

    Raises
    ------
    UnreadableError
        When it is none, is damaged, promises what cannot be, or names a file that is not beside it.
    """
    with open_regular(path) as stream:
        header = _parsed(path, stream.read(_MAX_HEADER))
    (dimension,) = wholes(path, "dimension", header.need("dimension"), 1)
    if not 2 <= dimension <= 4:
        raise UnreadableError(
            f"“{path.name}” has {dimension} dimensions; save one 3D volume alone."
        )
    size = wholes(path, "sizes", header.need("sizes"), dimension)
    spatial = min(dimension, 3)
    _check_kinds(header, dimension)
    steps, origin, measured, oriented = _axes(header, dimension, spatial)
    stored = Stored(
        tuple(size),
        steps,
        origin,
        measured=measured,
        oriented=oriented and dimension > 2,
        voxels=_voxels(header),
    )
    return checked(path, stored)


def _parsed(path: Path, head: bytes) -> _Header:
    magic = _MAGIC.match(head)
    if magic is None:
        raise no_such_format(path, "NRRD")
    fields: dict[str, str] = {}
    at = magic.end()
    while True:
        end = head.find(b"\n", at)
        if end < 0:
            if len(head) == _MAX_HEADER:
                raise UnreadableError(f"“{path.name}” has a header without end; write it again.")
            # Of a header alone, which needs no empty line.
            line, at, last = head[at:], len(head), True
        else:
            line, at, last = head[at:end], end + 1, False
        text = line.decode("utf-8", "surrogateescape").rstrip("\r")
        if text and not text.startswith("#"):
            _take(path, text, fields)
        if last or not text:
            return _Header(path, fields, at)


def _take(path: Path, line: str, fields: dict[str, str]) -> None:
    name, colon, rest = line.partition(":")
    if colon and rest.startswith("="):
        # Somebody's own key and value.
        return
    if not colon or not (rest.startswith(" ") or not rest):
        raise UnreadableError(
            f"“{path.name}” has the line “{line[:40]}” in its header, which is none of NRRD; it "
            "may be damaged, so copy it again."
        )
    name = _ALIASES.get(name.strip().lower(), name.strip().lower())
    if name in fields:
        raise UnreadableError(f"“{path.name}” says its {name[:40]} twice; write it again.")
    fields[name] = rest.strip()


def _check_kinds(header: _Header, dimension: int) -> None:
    kinds = (header.get("kinds") or "").lower().split()
    if any(kind not in _LISTS for kind in kinds) or "list" in kinds[:3]:
        raise UnreadableError(
            f"“{header.path.name}” holds vectors or colours; save it as grey values."
        )
    if kinds and len(kinds) != dimension:
        raise header.refused("kinds", f"not {dimension} of them; write it again")


def _axes(
    header: _Header, dimension: int, spatial: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool, bool]:
    """Return steps and origin in LPS mm, and whether sizes and sides are known."""
    path, directions = header.path, header.get("space directions")
    if directions is None:
        spacings = header.get("spacings")
        if spacings is None:
            return np.eye(3), np.zeros(3), False, False
        # The last of four is a time, of which nothing need be known.
        words = spacings.split()
        if len(words) != dimension or any(word.lower() == "nan" for word in words[:spatial]):
            numbers(path, "spacings", spacings, dimension)
        edges = numbers(path, "spacings", " ".join(words[:spatial]), spatial)
        _check_positive(header, "spacings", edges)
        return axes_of(edges), np.zeros(3), True, False
    space = (header.get("space") or "").lower()
    patient = space.removesuffix("-time")
    if patient not in _SPACES and len(patient) == 4 and patient.endswith("t"):
        patient = patient[:3]
    inside = _space_dimension(header, space, patient)
    vectors = _vectors(header, "space directions", directions, dimension, inside)
    if any(vector is None for vector in vectors[:spatial]):
        raise UnreadableError(
            f"“{path.name}” holds several numbers for each voxel; save it as grey values."
        )
    origin = header.get("space origin")
    first = _vectors(header, "space origin", origin, 1, inside)[0] if origin else None
    scale = _scale(header)
    signs = np.array(_SPACES.get(patient, (1.0, 1.0, 1.0)))
    if spatial == 2:
        edges = [float(np.linalg.norm(vector or 0.0)) * scale for vector in vectors[:2]]
        return axes_of(edges), np.zeros(3), True, False
    steps = signs[:, None] * scale * np.array(vectors[:3])[:, :3].T
    there = np.zeros(3) if first is None else signs * scale * np.array(first)[:3]
    return steps, there, True, patient in _SPACES


def _space_dimension(header: _Header, space: str, patient: str) -> int:
    if patient in _SPACES:
        return 4 if space != patient else 3
    if space:
        if space not in _DIMENSIONS:
            raise header.refused("space", "which is none of NRRD; write it again")
        return _DIMENSIONS[space]
    (inside,) = wholes(header.path, "space dimension", header.need("space dimension"), 1)
    if not 2 <= inside <= 4:
        raise header.refused("space dimension", "not 2, 3 or 4; write it again")
    return inside


def _vectors(
    header: _Header, name: str, text: str, count: int, inside: int
) -> list[list[float] | None]:
    """Read the vectors of a field: ``(1,0,0) none (0,1,0)``."""
    found = re.findall(r"\([^()]*\)|none|\S+", text)
    if len(found) != count:
        raise header.refused(name, f"not {count} in brackets; write it again")
    vectors: list[list[float] | None] = []
    for word in found:
        if word == "none":
            vectors.append(None)
        elif word.startswith("(") and word.endswith(")"):
            vectors.append(numbers(header.path, name, word[1:-1].replace(",", " "), inside))
        else:
            raise header.refused(name, f"not {count} in brackets; write it again")
    return vectors


def _scale(header: _Header) -> float:
    """Return the mm of the space's unit; nearly every file means millimetres."""
    units = re.findall(r'"([^"]*)"', header.get("space units") or "")
    return _UNITS.get(units[0].strip(), 1.0) if units else 1.0


def _check_positive(header: _Header, name: str, edges: list[float]) -> None:
    if min(edges) <= 0.0:
        raise header.refused(name, "which must be above 0; write it again")


def _voxels(header: _Header) -> Voxels:
    path, name = header.path, header.need("encoding").lower()
    if name not in _ENCODINGS:
        raise header.refused("encoding", "which cannot be read; save it raw or with gzip")
    encoding = _ENCODINGS[name]
    dtype = _dtype(header, encoding)
    named = header.get("data file")
    if named is None and path.suffix.lower() == ".nhdr":
        raise UnreadableError(
            f"“{path.name}” does not name the file that holds its voxels; copy or write it again."
        )
    file = path if named is None else _data_file(header, named)
    (lines,) = wholes(path, "line skip", header.get("line skip") or "0", 1)
    (skip,) = wholes(path, "byte skip", header.get("byte skip") or "0", 1)
    offset = 0 if named is not None else header.end
    with open_regular(file, follow=named is None) as stream:
        offset = _after_lines(header, stream, offset, lines)
        if skip == -1 and encoding is Encoding.RAW:
            # The voxels are the end of the file.
            sizes = wholes(path, "sizes", header.need("sizes"), len(header.need("sizes").split()))
            needed, there = int(np.prod(sizes, dtype=object)) * dtype.itemsize, stream.seek(0, 2)
            if not 0 <= needed <= there - offset:
                raise cut_off(file, offset + needed, there)
            return Voxels(file, there - needed, encoding, dtype, own=named is None)
    if skip < 0:
        raise header.refused("byte skip", "which cannot be; write it again")
    if encoding is Encoding.DEFLATED:
        return Voxels(file, offset, encoding, dtype, skip, own=named is None)
    return Voxels(file, offset + skip, encoding, dtype, own=named is None)


def _dtype(header: _Header, encoding: Encoding) -> np.dtype[Any]:
    name = header.need("type").lower()
    code = next((code for code, names in _TYPES.items() if name in names), None)
    if code is None:
        raise header.refused("type", "which cannot be read; save it as grey values")
    dtype = np.dtype(code)
    if dtype.itemsize == 1 or encoding is Encoding.TEXT:
        return dtype
    endian = header.need("endian").lower()
    if endian not in {"little", "big"}:
        raise header.refused("endian", "not little or big; write it again")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def _data_file(header: _Header, named: str) -> Path:
    # "LIST" and "LIST 2" are followed by names; a pattern has numbers after it.
    several = named.split()[:1] == ["LIST"]
    return beside(header.path, "" if several else named)


def _after_lines(header: _Header, stream: BinaryIO, offset: int, lines: int) -> int:
    if not 0 <= lines <= _MAX_LINE_SKIP:
        raise header.refused("line skip", "which cannot be; write it again")
    stream.seek(offset)
    for _ in range(lines):
        line = stream.readline(_MAX_HEADER)
        if not line.endswith(b"\n"):
            raise header.refused("line skip", "more lines than there are; copy the file again")
    return stream.tell()
