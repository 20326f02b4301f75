"""Changes inside compressed pixels: JPEG, JPEG-LS, JPEG 2000 by their markers, RLE by its header.

JPEG: ITU-T T.81, annex B; JPEG-LS: T.87, annex C; JPEG 2000: T.800, annex A; RLE: DICOM PS3.5, G.
"""

from __future__ import annotations

import random
import struct
from typing import Final

from tests.fuzz.odd import damage, mix, odd_bytes, odd_int, put

__all__ = ["change_stream"]

_ALONE: Final = frozenset((0xD8, 0xD9, 0x01, 0x4F, 0x93, *range(0xD0, 0xD8)))
"""Markers without a length."""
_FRAMES: Final = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), 0xF7))
_SIZE, _CODING, _QUANTA, _TILE = 0x51, 0x52, 0x5C, 0x90
_TABLES: Final = frozenset((0xC4, 0xDB, 0xDD, 0xDA, 0xF8, _CODING, _QUANTA, _TILE))
_END: Final = frozenset((0xDA, 0x93))
"""After them there are compressed pixels."""

_FRAME_FIELDS: Final = ((0, "B"), (1, ">H"), (3, ">H"), (5, "B"), (6, "B"), (7, "B"), (8, "B"))
"""Precision, rows, columns, components; identifier, sampling and table of the first."""
_SIZE_FIELDS: Final = (
    (0, ">H"), (2, ">I"), (6, ">I"), (10, ">I"), (14, ">I"), (18, ">I"), (22, ">I"), (26, ">I"),
    (30, ">I"), (34, ">H"), (36, "B"), (37, "B"), (38, "B"),
)  # fmt: skip
"""Capabilities, size, offset, tiles, components; depth and sampling of the first."""


def change_stream(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    """Change a stream where it matters."""
    if data[:1] != b"\xff":
        return _rle(rng, data)
    parts, rest = _taken_apart(data)
    what = rng.choice(("frame", "frame", "frame", "table", "mix", "marker", "length", "pixels"))
    if what == "frame":
        what = _frame(rng, parts)
    elif what == "table":
        what = _table(rng, parts)
    elif what == "mix":
        what = mix(rng, parts)
    elif what == "marker" and parts:
        at = rng.randrange(len(parts))
        parts[at] = (rng.randrange(256), parts[at][1], None)
        what = f"marker {at} exchanged"
    elif what == "length" and parts:
        at = rng.randrange(len(parts))
        parts[at] = (*parts[at][:2], odd_int(rng, 65535))
        what = f"length of marker {at}"
    else:
        rest, what = damage(rng, rest)
    return b"".join(map(_joined, parts)) + rest, what


_Part = tuple[int, bytes | None, int | None]
"""A marker, what belongs to it, and the length that is declared if it is not the true one."""


def _taken_apart(data: bytes) -> tuple[list[_Part], bytes]:
    parts: list[_Part] = []
    at = 0
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _ALONE:
            parts.append((marker, None, None))
            at += 2
        else:
            (length,) = struct.unpack_from(">H", data, at + 2)
            parts.append((marker, data[at + 4 : at + 2 + length], None))
            at += 2 + length
        if marker in _END:
            break
    return parts, data[at:]


def _joined(part: _Part) -> bytes:
    marker, inside, length = part
    if inside is None:
        return bytes((0xFF, marker))
    length = len(inside) + 2 if length is None else length
    return struct.pack(">BBH", 0xFF, marker, length & 0xFFFF) + inside


def _frame(rng: random.Random, parts: list[_Part]) -> str:
    """Let the frame's header say something else: precision, rows, columns, components."""
    for at, (marker, inside, length) in enumerate(parts):
        if inside is None or not (marker in _FRAMES or marker == _SIZE):
            continue
        offset, code = rng.choice(_SIZE_FIELDS if marker == _SIZE else _FRAME_FIELDS)
        most = 2 ** (8 * struct.calcsize(code)) - 1
        value = rng.choice((rng.randrange(65), odd_int(rng, most)))
        parts[at] = (marker, put(inside, offset, code, value & most), length)
        return f"frame header, {value & most} at {offset}"
    return "no frame header"


def _table(rng: random.Random, parts: list[_Part]) -> str:
    tables = [at for at, part in enumerate(parts) if part[0] in _TABLES and part[1]]
    if not tables:
        return "no table"
    at = rng.choice(tables)
    marker, inside, length = parts[at]
    changed, what = damage(rng, inside or b"")
    parts[at] = (marker, changed[:65533], length)
    return f"table {marker:02X}: {what}"


def _rle(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    what = rng.choice(("segments", "offset", "offset", "run", "cut", "damage"))
    if what == "segments":
        return put(data, 0, "<I", odd_int(rng, 2**32 - 1)), "number of segments"
    if what == "offset":
        value = rng.choice((odd_int(rng, 2**32 - 1), rng.randrange(len(data) + 70)))
        return put(data, 4 * rng.randrange(1, 16), "<I", value), f"offset {value}"
    if what == "run":
        at = rng.randrange(64, max(65, len(data)))
        return data[:at] + odd_bytes(rng) + data[at + 1 :], "runs"
    if what == "cut":
        return data[: rng.randrange(len(data) + 1)], "cut off"
    return damage(rng, data)
