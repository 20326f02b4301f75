"""Odd values, and what can be done to bytes of any format."""

from __future__ import annotations

import gzip
import random
import struct
from collections.abc import MutableSequence
from typing import Final, TypeVar

__all__ = [
    "damage",
    "gzipped",
    "mix",
    "number_text",
    "odd_bytes",
    "odd_float",
    "odd_int",
    "odd_text",
    "put",
]

_T = TypeVar("_T")

_INTS: Final = (
    0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 127, 128, 255, 256, 257, 512, 1024, 4095,
    4096, 16384, 16385, 32767, 32768, 65534, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 2,
    2**32 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1,
)  # fmt: skip
_FLOATS: Final = (
    0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, 1e-9, 1e-30, 1e-300, 5e-324, 1e3, 1e5, 1e9, 1e30, 3.4e38,
    1e39, 1.7e308, float("inf"), float("-inf"), float("nan"), 1024.0, -1024.0, 32768.0, 1e-7,
)  # fmt: skip
_NUMBERS: Final = (
    "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e400", "1e-400", "", " ", "-", "+", ".",
    "0", "-0", "00", "1e", "1,5", "1.000,5", "1_000", "0x10", "١٢", "1 2", "1\\2", "\\", "\\\\",
    "1.5.2", "--1", "1e+05", "True", "None", "½", "9" * 400, "0." + "3" * 300, "1\0", "\t1", "1\n2",
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "\0", "\\", "\\" * 50, "^^^^", "=", "a=b=c", "\x1b$B", "\x1b(J\\", "%s%n%d", "..",
    "/", "../../x", "C:\\x", "\n\r\n", "\x7f\x1b[2J", "A" * 5000, "né", "漢字", "\U0001f600",
    "\u202e", "<b>x</b>", "&amp;", "{}", "'", '"', "20201301", "99999999", "000000", "240000",
    "999Y", "\ufeff",
)  # fmt: skip


def odd_int(rng: random.Random, most: int = 2**64 - 1) -> int:
    """A whole number from 0 to `most`, likely at an edge of some type."""
    if rng.random() < 0.25:
        return rng.randrange(most + 1)
    near = rng.choice(_INTS) + rng.choice((0, 0, 0, 1, -1))
    return near & most if most & (most + 1) == 0 else min(max(0, near), most)


def odd_float(rng: random.Random) -> float:
    """A number that may be none, or as large or small as there are."""
    if rng.random() < 0.3:
        return rng.choice((-1, 1)) * 10 ** rng.uniform(-12, 12)
    return rng.choice(_FLOATS)


def number_text(rng: random.Random) -> str:
    """A number as text, or what stands in place of one."""
    roll = rng.random()
    if roll < 0.35:
        return rng.choice(_NUMBERS)
    if roll < 0.6:
        return str(rng.choice((-1, 1)) * odd_int(rng))
    return f"{odd_float(rng):.12g}"


def odd_text(rng: random.Random) -> str:
    """Text as no program should write it."""
    if rng.random() < 0.2:
        return number_text(rng)
    return rng.choice(_TEXTS)


def odd_bytes(rng: random.Random, most: int = 64) -> bytes:
    """Some bytes: noise, zeros, ones or text."""
    length = rng.choice((0, 1, 2, 3, 4, 7, 8, 16, most, rng.randrange(most + 1)))
    roll = rng.random()
    if roll < 0.4:
        return rng.randbytes(length)
    if roll < 0.7:
        return rng.choice((b"\0", b"\xff", b" ", b"\\", b"\x80")) * length
    return odd_text(rng).encode("utf-8", "surrogatepass")[: max(1, most)]


def put(data: bytes, at: int, code: str, *values: float) -> bytes:
    """Write numbers into bytes, as far as their type takes them and as there is room."""
    length = struct.calcsize(code)
    if not 0 <= at <= len(data) - length:
        return data
    try:
        new = struct.pack(code, *values)
    except (struct.error, OverflowError):
        new = b"\xff" * length
    return data[:at] + new + data[at + length :]


def mix(rng: random.Random, items: MutableSequence[_T]) -> str:
    """Remove one of several parts, put one twice, or exchange two."""
    if not items:
        return "nothing to mix"
    at = rng.randrange(len(items))
    what = rng.choice(("remove", "twice", "exchange", "many"))
    if what == "remove":
        del items[at]
    elif what == "twice":
        items.insert(rng.randrange(len(items) + 1), items[at])
    elif what == "exchange":
        other = rng.randrange(len(items))
        items[at], items[other] = items[other], items[at]
    else:
        for _ in range(rng.choice((5, 50, 300))):
            items.insert(at, items[at])
    return f"{what} part {at}"


def damage(rng: random.Random, data: bytes) -> tuple[bytes, str]:
    """Damage bytes that nobody understands: cut, flip, lose, insert or repeat some."""
    if not data:
        return b"\0", "a byte where there was none"
    # Headers, which lie at the start, are small; else most would be done to pixels.
    end = len(data) if rng.random() < 0.5 else min(len(data), 1200)
    at = rng.randrange(end)
    length = min(len(data) - at, rng.choice((1, 2, 4, 8, 16, 100, 1000)))
    what = rng.choice(("flip", "flip", "flip", "cut", "lose", "insert", "repeat", "edge", "tail"))
    if what == "flip":
        new = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            new[rng.randrange(end)] ^= 1 << rng.randrange(8)
        data = bytes(new)
    elif what == "cut":
        data = data[:at]
    elif what == "lose":
        data = data[:at] + data[at + length :]
    elif what == "insert":
        data = data[:at] + odd_bytes(rng) + data[at:]
    elif what == "repeat":
        data = data[:at] + data[at : at + length] * rng.choice((1, 2, 10)) + data[at:]
    elif what == "edge":
        code = rng.choice(("<B", "<H", ">H", "<I", ">I", "<Q"))
        data = put(data, at, code, odd_int(rng, 2 ** (8 * struct.calcsize(code)) - 1))
    else:
        data += odd_bytes(rng, 600)
    return data, f"{what} at {at}"


def gzipped(rng: random.Random, plain: bytes) -> tuple[bytes, str]:
    """Compress as gzip does, in one of the ways that it may be, or may not."""
    packed = gzip.compress(plain, 1, mtime=0)
    what = rng.choice(("cut", "members", "flags", "crc", "rubbish", "bomb", "damage"))
    if what == "cut":
        packed = packed[: rng.randrange(len(packed))]
    elif what == "members":
        half = rng.randrange(len(plain) + 1)
        packed = gzip.compress(plain[:half], 1, mtime=0) + gzip.compress(plain[half:], 1, mtime=0)
    elif what == "flags":
        packed = put(packed, 3, "<B", rng.randrange(256))
    elif what == "crc":
        packed = packed[:-8] + rng.randbytes(8)
    elif what == "rubbish":
        packed += odd_bytes(rng)
    elif what == "bomb":
        packed = gzip.compress(plain + bytes(rng.choice((1, 30)) << 20), 1, mtime=0)
    else:
        packed, _ = damage(rng, packed)
    return packed, f"gzip: {what}"
