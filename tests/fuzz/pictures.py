"""PNG by its chunks, with the check sums of what was changed, and JPEG by its markers."""

from __future__ import annotations

import io
import random
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from PIL import Image

from tests.fuzz.cases import Case
from tests.fuzz.codestreams import change_stream
from tests.fuzz.odd import damage, mix, odd_bytes, odd_int, put

__all__ = ["JPEG_CHANGES", "PNG_CHANGES", "begin_jpeg", "begin_png", "png_file"]

_SIDE: Final = 40
_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_TYPES: Final = (
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"tEXt",
    b"zTXt", b"iTXt", b"bKGD", b"pHYs", b"sBIT", b"hIST", b"tIME", b"eXIf", b"acTL", b"fcTL",
    b"fdAT", b"prVW", b"CgBI", b"\0\0\0\0", b"abcd", b"ABCD",
)  # fmt: skip
_APPLICATIONS: Final = (
    b"JFIF\0", b"Exif\0\0II*\0", b"Exif\0\0MM\0*", b"ICC_PROFILE\0", b"MPF\0II*\0", b"Adobe\0",
    b"Photoshop 3.0\0", b"FPXR\0", b"http://ns.adobe.com/xap/1.0/\0", b"",
)  # fmt: skip
_HEADERS: Final = ((0, ">I"), (4, ">I"), (8, "B"), (9, "B"), (10, "B"), (11, "B"), (12, "B"))


@dataclass(slots=True)
class Png:
    """Chunks; of those in `wrong` the check sum is not mended."""

    chunks: list[tuple[bytes, bytes]]
    wrong: int = -1
    length: tuple[int, int] | None = None
    tail: bytes = b""

    def finish(self) -> Case:
        """Write them."""
        data = bytearray(_HEAD)
        for at, (kind, inside) in enumerate(self.chunks):
            length = len(inside)
            if self.length is not None and self.length[0] == at:
                length = self.length[1]
            check = zlib.crc32(kind + inside) ^ (at == self.wrong)
            data += struct.pack(">I", length) + kind + inside + struct.pack(">I", check)
        return Case({"a.png": bytes(data) + self.tail}, "a.png")


@dataclass(slots=True)
class Jpeg:
    """A stream of markers."""

    data: bytes

    def finish(self) -> Case:
        """Write it."""
        return Case({"a.jpg": self.data}, "a.jpg")


def _grey(most: int = 250) -> np.ndarray:
    return (np.indices((_SIDE, _SIDE)).sum(axis=0) * 7 % most).astype(np.uint8)


def _picture(mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(_grey().astype(np.uint16) * 200)
    if mode == "P":
        picture = Image.fromarray(_grey(16)).convert("P")
        picture.info["transparency"] = bytes(range(16))
        return picture
    return Image.fromarray(_grey()).convert(mode)


@cache
def _pngs() -> tuple[bytes, ...]:
    found = []
    for mode in ("L", "LA", "RGB", "RGBA", "P", "1", "I;16"):
        stream = io.BytesIO()
        picture = _picture(mode)
        picture.save(
            stream, "PNG", **{k: v for k, v in picture.info.items() if k == "transparency"}
        )
        found.append(stream.getvalue())
    return tuple(found)


@cache
def _jpegs() -> tuple[bytes, ...]:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a picture"
    found = []
    for mode, options in (("L", {}), ("RGB", {}), ("CMYK", {}), ("L", {"progressive": True}),
                          ("RGB", {"subsampling": 2, "exif": exif.tobytes()}),
                          ("L", {"exif": exif.tobytes(), "comment": b"x", "dpi": (72, 72)}),
                          ("RGB", {"restart_marker_rows": 1, "optimize": True})):  # fmt: skip
        stream = io.BytesIO()
        _picture(mode).save(stream, "JPEG", **options)  # type: ignore[arg-type]
        found.append(stream.getvalue())
    return tuple(found)


def png_file() -> bytes:
    """A sound picture."""
    return _pngs()[0]


def begin_png(rng: random.Random) -> Png:
    """A picture of one of the modes."""
    data = rng.choice(_pngs())
    chunks, at = [], len(_HEAD)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append((kind, data[at + 8 : at + 8 + length]))
        at += 12 + length
    return Png(chunks)


def begin_jpeg(rng: random.Random) -> Jpeg:
    """A picture of one of the modes."""
    return Jpeg(rng.choice(_jpegs()))


def _header(rng: random.Random, made: Png) -> str:
    offset, code = rng.choice(_HEADERS)
    most = 2 ** (8 * struct.calcsize(code)) - 1
    value = rng.choice((rng.randrange(18), odd_int(rng, most), 16384, 16385)) & most
    made.chunks = [(kind, put(inside, offset, code, value) if kind == b"IHDR" else inside)
                   for kind, inside in made.chunks]  # fmt: skip
    return f"{value} at {offset}"


def _mix(rng: random.Random, made: Png) -> str:
    return mix(rng, made.chunks)


def _insert(rng: random.Random, made: Png) -> str:
    kind = rng.choice(_TYPES)
    what = rng.choice(("bytes", "numbers", "bomb", "exif", "text"))
    if what == "bytes":
        inside = odd_bytes(rng, 300)
    elif what == "numbers":
        inside = b"".join(
            struct.pack(">I", odd_int(rng, 2**32 - 1)) for _ in range(rng.randrange(9))
        )
    elif what == "bomb":
        inside = b"x\0\0" + zlib.compress(bytes(rng.choice((10, 20 << 20))), 9)
    elif what == "exif":
        value = rng.choice((0, 3, 5, 6, 8, 9, 65535))
        inside = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, value, 0, 0)
        inside = damage(rng, inside)[0] if rng.random() < 0.5 else inside
    else:
        inside = b"x" * rng.choice((1, 79, 80, 200)) + b"\0" + odd_bytes(rng)
    made.chunks.insert(rng.randrange(len(made.chunks) + 1), (kind, inside))
    return f"{kind!r} with {what}"


def _inside(rng: random.Random, made: Png) -> str:
    if not made.chunks:
        return "no chunks"
    at = rng.randrange(len(made.chunks))
    kind, inside = made.chunks[at]
    changed, what = damage(rng, inside)
    made.chunks[at] = (kind, changed)
    if rng.random() < 0.1:
        made.wrong = at
    return f"{kind!r}: {what}"


def _pixels(rng: random.Random, made: Png) -> str:
    """What is compressed, changed before it was: filters, too little, far too much."""
    packed = b"".join(inside for kind, inside in made.chunks if kind == b"IDAT")
    try:
        plain = zlib.decompress(packed)
    except zlib.error:
        plain = b""
    what = rng.choice(("damage", "short", "long", "filter", "empty"))
    if what == "damage":
        plain, what = damage(rng, plain)
    elif what == "short":
        plain = plain[: len(plain) // 2]
    elif what == "long":
        plain += bytes(rng.choice((1, 20 << 20)))
    elif what == "filter":
        plain = bytes([rng.randrange(256)]) + plain[1:]
    else:
        plain = b""
    at = next((i for i, (kind, _) in enumerate(made.chunks) if kind == b"IDAT"), 1)
    made.chunks = [each for each in made.chunks if each[0] != b"IDAT"]
    made.chunks.insert(at, (b"IDAT", zlib.compress(plain, 1)))
    return what


def _kind(rng: random.Random, made: Png) -> str:
    if not made.chunks:
        return "no chunks"
    at = rng.randrange(len(made.chunks))
    if rng.random() < 0.5:
        made.chunks[at] = (rng.choice(_TYPES), made.chunks[at][1])
        return f"chunk {at} is {made.chunks[at][0]!r}"
    made.length = (at, odd_int(rng, 2**32 - 1))
    return f"chunk {at} has a length of {made.length[1]}"


def _tail(rng: random.Random, made: Png) -> str:
    made.tail = odd_bytes(rng, 500)
    return f"{len(made.tail)} bytes"


def _markers(rng: random.Random, made: Jpeg) -> str:
    made.data, what = change_stream(rng, made.data)
    return what


def _application(rng: random.Random, made: Jpeg) -> str:
    """What programs put between: JFIF, EXIF, profiles, Photoshop's, Adobe's, several pictures."""
    head = rng.choice(_APPLICATIONS)
    inside = head + rng.choice((odd_bytes(rng, 200), bytes((0, 0, 0, 8)) + rng.randbytes(40)))
    marker = 0xE0 + rng.choice((0, 1, 2, 13, 14, rng.randrange(16)))
    made.data = (
        made.data[:2] + struct.pack(">BBH", 0xFF, marker, len(inside) + 2) + inside + made.data[2:]
    )
    return f"{head!r} as {marker:02X}"


def _exif(rng: random.Random, made: Jpeg) -> str:
    at = made.data.find(b"Exif\0\0")
    if at < 0:
        return _application(rng, made)
    end = min(len(made.data), at + 80)
    changed, what = damage(rng, made.data[at + 6 : end])
    made.data = (
        made.data[: at + 6] + changed[: end - at - 6].ljust(end - at - 6, b"\0") + made.data[end:]
    )
    return what


PNG_CHANGES: Final = (_header, _header, _header, _mix, _insert, _insert, _inside, _pixels, _pixels,
                      _kind, _tail)  # fmt: skip
JPEG_CHANGES: Final = (_markers, _markers, _markers, _markers, _application, _exif)
