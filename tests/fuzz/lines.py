"""NRRD and MetaImage: headers of lines, whose fields are changed, lost, doubled or led astray."""

from __future__ import annotations

import gzip
import random
import zlib
from dataclasses import dataclass
from typing import Final

from tests.fuzz.cases import Case
from tests.fuzz.odd import damage, gzipped, mix, number_text, odd_bytes, odd_int, odd_text
from tests.unit.studies.cases.written_volumes import truth

__all__ = ["META_CHANGES", "NRRD_CHANGES", "begin_meta", "begin_nrrd"]

_SHAPE: Final = (4, 34, 36)
_RAW: Final = truth(_SHAPE).astype("<i2").tobytes()
_TEXT: Final = " ".join(map(str, truth(_SHAPE).ravel())).encode()

_NRRD: Final = {
    "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "36 34 4",
    "space directions": "(0.7,0,0) (0,0.9,0) (0,0,3)", "kinds": "domain domain domain",
    "endian": "little", "encoding": "raw", "space origin": "(-15,-25,4)",
}  # fmt: skip
_META: Final = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "-15 -25 4",
    "ElementSpacing": "0.7 0.9 3", "DimSize": "36 34 4", "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}  # fmt: skip
_NRRD_VALUES: Final = (
    "uchar", "double", "block", "float", "longlong", "2", "4", "16", "-1",
    "right-anterior-superior", "scanner-xyz", "LAST", "none none none", "(1,0,0) (0,1,0)",
    "(0,0,0) (0,0,0) (0,0,0)", "vector", "(nan,0,0) (0,1,0) (0,0,1)", "(1e30,0,0) (0,1,0) (0,0,1)",
    "big", "gzip", "ascii", "bzip2", "hex", "36 34 4 1", "36 34", "1 36 34 4",
    "2147483647 2147483647 4", "-36 34 4", "0 0 0", "3-color list", "domain domain list",
    "RGB-color", "a.raw", "/etc/passwd", "../a.raw", "-", "%03d.raw 1 3 1", "LIST", "LIST 2",
    "skip.txt", '"mm" "mm" "mm"', '"m" "" ""', "left-posterior-superior-time",
)  # fmt: skip
_META_VALUES: Final = (
    "True", "False", "0", "1", "yes", "2", "4", "-1", "999999999", "36 34 4 2", "36 34",
    "-36 34 4", "0 0 0", "2147483647 2147483647 4", "nan nan nan", "1e-30 1 1", "1 1", "-1 -1 -1",
    "0 0 0 0 0 0 0 0 0", "1 0 0 0 1 0 0 0", "0 1 0 1 0 0 0 0 1", "MET_FLOAT", "MET_DOUBLE",
    "MET_UCHAR", "MET_NONE", "MET_USHORT_ARRAY", "MET_STRING", "a.raw", "LIST", "LIST 2D", "LOCAL",
    "Local", "/etc/passwd", "../a.raw", "%03d.raw 1 4 1", "a.raw b.raw", "Tube", "RAI", "???",
)  # fmt: skip
_NRRD_NAMES: Final = (
    *_NRRD, "spacings", "space units", "space dimension", "units", "line skip", "lineskip",
    "byte skip", "data file", "datafile", "thicknesses", "axis mins", "labels", "min", "max",
    "number", "block size", "content", "measurement frame", "centerings", "old min",
    "sample units",
)  # fmt: skip
_META_NAMES: Final = (
    *_META, "ElementSize", "Position", "Origin", "Orientation", "Rotation", "HeaderSize",
    "Modality", "CompressedDataSize", "ElementNumberOfChannels", "ElementByteOrderMSB",
    "AnatomicalOrientation", "ElementMin", "ElementMax", "Comment", "CenterOfRotation",
    "BinaryDataBytes", "DistanceUnits", "ElementToIntensityFunctionSlope",
    "ElementToIntensityFunctionOffset",
)  # fmt: skip


@dataclass(slots=True)
class Lines:
    """A header in lines, and the voxels after it or in `beside`."""

    meta: bool
    lines: list[tuple[str, str]]
    data: bytes
    beside: str = ""
    first: bytes = b"NRRD0004"
    end: bytes = b"\n"
    between: bytes = b"\n"

    def finish(self) -> Case:
        """Write them."""
        sign = " = " if self.meta else ": "
        head = [f"{name}{sign}{text}".encode("utf-8", "surrogatepass") for name, text in self.lines]
        head = head if self.meta else [self.first, *head]
        name = (
            ("a.mhd" if self.beside else "a.mha")
            if self.meta
            else "a.nhdr"
            if self.beside
            else "a.nrrd"
        )
        text = self.end.join(head) + self.end
        if self.beside:
            return Case({name: text, self.beside: self.data}, name)
        return Case({name: text + (b"" if self.meta else self.between) + self.data}, name)

    def set(self, name: str, text: str) -> None:
        """Give a field a value, in its place or before the last."""
        for at, (known, _) in enumerate(self.lines):
            if known == name:
                self.lines[at] = (name, text)
                return
        self.lines.insert(max(0, len(self.lines) - 1), (name, text))


def begin_nrrd(rng: random.Random) -> Lines:
    """NRRD in one of its encodings."""
    made = Lines(False, list(_NRRD.items()), _RAW)
    encoding = rng.choice(("raw", "raw", "gzip", "ascii"))
    made.set("encoding", encoding)
    made.data = {"gzip": gzip.compress(_RAW, 1, mtime=0), "ascii": _TEXT}.get(encoding, _RAW)
    if rng.random() < 0.25:
        made.beside = "a.raw"
        made.set("data file", "a.raw")
    return made


def begin_meta(rng: random.Random) -> Lines:
    """MetaImage, binary, compressed or text."""
    made = Lines(True, list(_META.items()), _RAW)
    what = rng.choice(("binary", "binary", "compressed", "text"))
    if what == "compressed":
        made.data = zlib.compress(_RAW, 1)
        made.set("CompressedData", "True")
        if rng.random() < 0.5:
            made.set("CompressedDataSize", str(len(made.data)))
    elif what == "text":
        made.data = _TEXT
        made.set("BinaryData", "False")
    if rng.random() < 0.25:
        made.beside = "a.raw"
        made.set("ElementDataFile", "a.raw")
    return made


def _change_field(rng: random.Random, made: Lines) -> str:
    names, values = (_META_NAMES, _META_VALUES) if made.meta else (_NRRD_NAMES, _NRRD_VALUES)
    name, text = rng.choice(names), rng.choice(values)
    made.set(name, text)
    return f"{name}: {text}"


def _change_number(rng: random.Random, made: Lines) -> str:
    """One number among those of a line."""
    at = rng.randrange(len(made.lines) or 1)
    if not made.lines:
        return "no lines"
    name, text = made.lines[at]
    words = text.replace("(", "( ").replace(")", " )").replace(",", " , ").split(" ")
    numbers = [i for i, word in enumerate(words) if word[-1:].isdigit()] or list(range(len(words)))
    words[rng.choice(numbers)] = new = number_text(rng)
    made.lines[at] = (
        name,
        " ".join(words).replace("( ", "(").replace(" )", ")").replace(" , ", ","),
    )
    return f"{name}: {new[:40]}"


def _change_text(rng: random.Random, made: Lines) -> str:
    names = _META_NAMES if made.meta else _NRRD_NAMES
    name, text = rng.choice(names), odd_text(rng)
    if rng.random() < 0.2:
        name, text = text, name
    made.set(name, text)
    return f"{name[:40]!r}: {text[:40]!r}"


def _lengthen(rng: random.Random, made: Lines) -> str:
    names = _META_NAMES if made.meta else _NRRD_NAMES
    name, part = (
        rng.choice(names),
        rng.choice(("1 ", "9", "(1,0,0) ", "domain ", "A", "\u00e9", "(")),
    )
    count = rng.choice((10, 100, 700, 3000, 40_000))
    made.set(name, part * count)
    return f"{name}: {part!r} {count} times"


def _mix(rng: random.Random, made: Lines) -> str:
    return mix(rng, made.lines)


def _lay_out(rng: random.Random, made: Lines) -> str:
    """Ends of lines, remarks, the first line, and what parts header and voxels."""
    what = rng.choice(("end", "between", "first", "remark", "key"))
    if what == "end":
        made.end = rng.choice((b"\r\n", b"\r", b"\n\n", b" \n", b"\0\n", b""))
    elif what == "between":
        made.between = rng.choice((b"", b"\r\n", b"\n\n", b"\0", b" \n"))
    elif what == "first":
        made.first = rng.choice((b"NRRD0001", b"NRRD0006", b"NRRD0009", b"NRRD", b"NRRD0004 ", b""))
    elif what == "remark":
        made.lines.insert(rng.randrange(len(made.lines) + 1), ("# " + odd_text(rng), odd_text(rng)))
    else:
        made.lines.insert(rng.randrange(len(made.lines) + 1), (odd_text(rng) + ":=", odd_text(rng)))
    return what


def _change_data(rng: random.Random, made: Lines) -> str:
    what = rng.choice(("damage", "cut", "bomb", "packed", "text", "empty", "longer"))
    if what == "damage":
        made.data, what = damage(rng, made.data)
    elif what == "cut":
        made.data = made.data[: rng.randrange(len(made.data) + 1)]
    elif what == "bomb":
        made.data = (
            zlib.compress(bytes(30 << 20)) if made.meta else gzip.compress(bytes(30 << 20), mtime=0)
        )
        made.set("CompressedData" if made.meta else "encoding", "True" if made.meta else "gzip")
    elif what == "packed":
        made.data, what = gzipped(rng, _RAW)
        made.set("CompressedData" if made.meta else "encoding", "True" if made.meta else "gzip")
    elif what == "text":
        words = [number_text(rng) for _ in range(36 * 34 * 4)]
        made.data = " ".join(words).encode("utf-8", "surrogatepass")
    elif what == "empty":
        made.data = b""
    else:
        made.data += odd_bytes(rng, 9000)
    return what


def _move(rng: random.Random, made: Lines) -> str:
    """Voxels in another place than is said."""
    name = (
        rng.choice(("HeaderSize", "CompressedDataSize"))
        if made.meta
        else rng.choice(("line skip", "byte skip"))
    )
    value = rng.choice((-2, -1, 0, 1, 9, 10_000, len(made.data), odd_int(rng)))
    made.set(name, str(value))
    if rng.random() < 0.3:
        made.beside = rng.choice(("a.raw", "b.raw", "sub/a.raw"))
    return f"{name}: {value}"


_CHANGES: Final = (
    _change_field, _change_field, _change_field, _change_number, _change_number, _change_number,
    _change_text, _lengthen, _mix, _lay_out, _change_data, _move,
)  # fmt: skip
NRRD_CHANGES: Final = _CHANGES
META_CHANGES: Final = _CHANGES
