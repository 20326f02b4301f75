"""DICOM files that other programs might write, or enemies: one alone, or among sound slices."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import AllTransferSyntaxes

from inference.studies.dicom_header import TAGS
from tests.fuzz.cases import Case
from tests.fuzz.codestreams import change_stream
from tests.fuzz.dicom_model import Dicom, Element, Fragments
from tests.fuzz.dicom_seeds import SYNTAX, ct_series, one_file, real_file
from tests.fuzz.odd import mix, number_text, odd_bytes, odd_float, odd_int, odd_text

__all__ = ["CHANGES", "ELEMENT_CHANGES", "Files", "begin"]

_PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_VRS: Final = (
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"OB",
    b"OD", b"OF", b"OL", b"OV", b"OW", b"PN", b"SH", b"SL", b"SQ", b"SS", b"ST", b"SV", b"TM",
    b"UC", b"UI", b"UL", b"UN", b"UR", b"US", b"UT", b"UV", b"XX", b"??", b"\0\0", b"  ", b"ox",
)  # fmt: skip
_CHARSETS: Final = (
    b"", b"ISO_IR 192", b"ISO_IR 13", b"ISO 2022 IR 87", b"\\ISO 2022 IR 87", b"GB18030", b"GBK",
    b"\\ISO 2022 IR 149", b"ISO 2022 IR 58", b"ISO_IR 999", b"utf-8", b"\\\\\\", b"nonsense", b"\0",
    b"ISO_IR 192\\ISO_IR 100", b"idna", b"punycode", b"undefined", b"rot13", b"base64",
)  # fmt: skip
_BINARY: Final = {
    b"US": "<H", b"SS": "<h", b"UL": "<I", b"SL": "<i", b"FL": "<f", b"FD": "<d", b"UV": "<Q",
    b"SV": "<q", b"AT": "<I",
}  # fmt: skip
_KEYWORDS: Final = (
    *TAGS, "SpecificCharacterSet", "PlanarConfiguration", "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths", "SmallestImagePixelValue", "GantryDetectorTilt",
    "RedPaletteColorLookupTableData", "PixelMeasuresSequence", "PlanePositionSequence",
    "OverlayData", "IconImageSequence", "DataSetTrailingPadding",
)  # fmt: skip
_SYNTAXES: Final = (*map(str, AllTransferSyntaxes), "1.2.3", "", "1.2.840.10008.1.2.4.999", "x")
_COUNTS: Final = (
    0x00280002, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
    0x00280103, 0x00280004,
)  # fmt: skip
"""What says how pixels are written."""
_PLACES: Final = (
    0x00200032, 0x00200037, 0x00280030, 0x00180050, 0x00200013, 0x00200011, 0x00281052, 0x00281053,
    0x00281050, 0x00281051, 0x00280120, 0x00280121, 0x00201041, 0x00181164, 0x00280034,
)  # fmt: skip
"""What says where they lie, and what they mean."""


@dataclass(slots=True)
class Files:
    """Files of one folder, of which one is changed."""

    files: list[Dicom]
    changed: Dicom
    opened: str

    def finish(self) -> Case:
        """Write them."""
        return Case({f"{i}.dcm": each.encode() for i, each in enumerate(self.files)}, self.opened)


def begin(rng: random.Random) -> Files:
    """One file of any kind, or a series of three."""
    if rng.random() < 0.3:
        series = ct_series()
        return Files(series, rng.choice(series), "")
    file = (real_file(rng) if rng.random() < 0.1 else None) or one_file(rng)
    return Files([file], file, rng.choice(("0.dcm", "")))


def _any(rng: random.Random, file: Dicom) -> tuple[list[Element], int]:
    """Some element, and the list that it is in; those of pictures more often."""
    lists = list(file.lists())
    if rng.random() < 0.4:
        wanted = rng.choice((_COUNTS, _PLACES))
        found = [(some, at) for some in lists for at, each in enumerate(some) if each.tag in wanted]
        if found:
            return rng.choice(found)
    some = rng.choice([each for each in lists if each] or [[Element(0x00080008, b"CS", b"")]])
    return some, rng.randrange(len(some))


def _odd_value(rng: random.Random, vr: bytes) -> bytes:
    count = rng.choice((1, 1, 1, 2, 3, 6, 16))
    if vr in _BINARY:
        code = _BINARY[vr]
        if code in ("<f", "<d"):
            values = [odd_float(rng) for _ in range(count)]
            return b"".join(struct.pack("<d", each) if code == "<d" else _single(each)
                            for each in values)  # fmt: skip
        size = struct.calcsize(code)
        return b"".join(odd_int(rng, 2 ** (8 * size) - 1).to_bytes(size, "little")
                        for _ in range(count))  # fmt: skip
    roll = rng.random()
    if roll < 0.15:
        return odd_bytes(rng)
    text = number_text if vr in (b"DS", b"IS") or roll < 0.3 else odd_text
    return "\\".join(text(rng) for _ in range(count)).encode("utf-8", "surrogatepass")[:65000]


def _single(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return b"\xff\xff\x7f\x7f"


def _change_value(rng: random.Random, files: Files) -> str:
    some, at = _any(rng, files.changed)
    element = some[at]
    if isinstance(element.value, list):
        return f"{element.tag:08X}: {mix(rng, element.value)}"  # type: ignore[arg-type]
    element.value = _odd_value(rng, element.vr)
    return f"{element.tag:08X} {element.vr!r} = {element.value[:40]!r}"


def _change_number(rng: random.Random, files: Files) -> str:
    """A value of what says how pixels are written, near those that there are."""
    tag = rng.choice(_COUNTS)
    element = files.changed.find(tag)
    if element is None or not isinstance(element.value, bytes):
        return "nothing to change"
    if element.vr == b"US":
        (before,) = struct.unpack_from("<H", element.value.ljust(2, b"\0"))
        value = rng.choice(
            (before + 1, before - 1, 2 * before, before // 2, 0, 1, 3, 8, 12, 16, 32)
        )
        element.value = struct.pack("<H", value & 0xFFFF)
    else:
        texts = (
            b"MONOCHROME1",
            b"MONOCHROME2",
            b"RGB",
            b"YBR_FULL",
            b"YBR_FULL_422",
            b"YBR_RCT",
            b"YBR_ICT",
            b"YBR_PARTIAL_420",
            b"PALETTE COLOR",
            b"2",
            b"3",
            b"10000",
            b"-1",
        )
        element.value = rng.choice(texts)
    return f"{tag:08X} = {element.value!r}"


def _mix(rng: random.Random, files: Files) -> str:
    return mix(rng, rng.choice(list(files.changed.lists())))


def _insert(rng: random.Random, files: Files) -> str:
    tag = tag_for_keyword(rng.choice(_KEYWORDS)) or 0
    if rng.random() < 0.15:
        tag = rng.randrange(2**32)
        vr = rng.choice(_VRS)
    else:
        vr = dictionary_VR(tag)[:2].encode()
    some = rng.choice(list(files.changed.lists()))
    value = _odd_value(rng, vr)
    made = Element(tag, vr, [[]] * rng.choice((0, 1, 3)) if vr == b"SQ" else value)
    at = next((i for i, each in enumerate(some) if each.tag >= tag), len(some))
    some.insert(at if rng.random() < 0.8 else rng.randrange(len(some) + 1), made)
    return f"{tag:08X} {vr!r} = {value[:40]!r}"


def _change_vr(rng: random.Random, files: Files) -> str:
    some, at = _any(rng, files.changed)
    some[at].vr = rng.choice(_VRS)
    return f"{some[at].tag:08X} is {some[at].vr!r}"


def _change_length(rng: random.Random, files: Files) -> str:
    some, at = _any(rng, files.changed)
    value = some[at].value
    true = len(value) if isinstance(value, bytes) else 100
    some[at].length = rng.choice((-1, 0, 1, true + 1, true + 2, max(0, true - 2), 0xFFFFFFFE,
                                  0x7FFFFFFF, 0x10000, odd_int(rng, 2**32 - 1)))  # fmt: skip
    return f"{some[at].tag:08X} has a length of {some[at].length}"


def _nest(rng: random.Random, files: Files) -> str:
    """Sequences inside sequences, as deep as may be, of known or unknown length."""
    depth = rng.choice((5, 20, 300, 1200))
    inside = b""
    if rng.random() < 0.5:
        open_ = struct.pack(
            "<HH2sHIHHI", 0x0040, 0xA730, b"SQ", 0, 2**32 - 1, 0xFFFE, 0xE000, 2**32 - 1
        )
        shut = struct.pack("<HHIHHI", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        inside = open_ * depth + shut * rng.choice((depth, depth, 0))
    else:
        for _ in range(depth):
            item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
            inside = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, len(item)) + item
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
    tag = rng.choice((0x0040A730, 0x00400275, 0x00081140, 0x52009230, 0x00283000))
    files.changed.put(tag, b"SQ", item)
    return f"{depth} deep in {tag:08X}"


def _charset(rng: random.Random, files: Files) -> str:
    name = rng.choice(_CHARSETS)
    files.changed.put(0x00080005, b"CS", name)
    for tag in (0x00100010, 0x0008103E, 0x00081030):
        if rng.random() < 0.7:
            files.changed.put(tag, b"PN" if tag == 0x00100010 else b"LO", odd_bytes(rng))
    return repr(name)


def _syntax(rng: random.Random, files: Files) -> str:
    name = rng.choice(_SYNTAXES)
    files.changed.put(SYNTAX, b"UI", name.encode())
    return name


def _written(rng: random.Random, files: Files) -> str:
    """How the body is written, and not what is declared."""
    file = files.changed
    what = rng.choice(("implicit", "order", "deflated", "preamble", "meta", "tail"))
    if what == "implicit":
        file.implicit = not file.implicit
    elif what == "order":
        file.order = ">" if file.order == "<" else "<"
    elif what == "deflated":
        file.deflated = not file.deflated
    elif what == "preamble":
        file.preamble = rng.choice((None, b"DICM", bytes(128), b"\0" * 127 + b"DICM"))
    elif what == "meta":
        file.meta = []
    else:
        file.tail = odd_bytes(rng, 300)
    return what


def _stream(rng: random.Random, files: Files) -> str:
    fragments = _fragments(files.changed)
    if not fragments or len(fragments) < 2:
        return _change_number(rng, files)
    at = rng.randrange(1, len(fragments))
    fragments[at], what = change_stream(rng, fragments[at])
    return what


def _fragment(rng: random.Random, files: Files) -> str:
    """The table of offsets, and how a stream is divided."""
    file = files.changed
    fragments = _fragments(file)
    if not fragments:
        element = next((each for each in file.body if each.tag in _PIXELS), None)
        if element is not None and isinstance(element.value, bytes):
            element.value = Fragments((b"", element.value))
        return "plain pixels as a fragment"
    what = rng.choice(("table", "table", "split", "mix", "empty", "extended", "odd"))
    if what == "table":
        size = rng.choice((0, 1, 4, 8, 4 * len(fragments), 400))
        fragments[0] = b"".join(
            struct.pack("<I", odd_int(rng, 2**32 - 1)) for _ in range(size // 4)
        )
        fragments[0] += bytes(size % 4)
    elif what == "split":
        last = fragments.pop()
        at = 2 * rng.randrange(len(last) // 2 + 1)
        fragments += [last[:at], last[at:]]
    elif what == "mix":
        return mix(rng, fragments)
    elif what == "empty":
        fragments.insert(rng.randrange(1, len(fragments) + 1), b"")
    elif what == "odd":
        fragments[-1] += b"\0"
    else:
        count = rng.choice((1, len(fragments) - 1, 9))
        for tag in (0x7FE00001, 0x7FE00002):
            numbers = [rng.choice((0, 8, odd_int(rng))) for _ in range(count)]
            file.put(tag, b"OV", struct.pack(f"<{count}Q", *numbers))
    return what


def _fragments(file: Dicom) -> Fragments | None:
    return next((each.value for each in file.body if isinstance(each.value, Fragments)), None)


def _twin(rng: random.Random, files: Files) -> str:
    """The changed file once more, with another number, place or nothing changed."""
    twin = files.changed.copy()
    tag, vr, value = rng.choice((
        (0x00200013, b"IS", b"9"), (0x00080018, b"UI", b"1.2.3.9"), (0x00080018, b"UI", b""),
        (0x00200032, b"DS", b"1\\2\\3"), (0x0020000E, b"UI", b"1.9"),
        (0x00280010, b"US", b"0\0"),
    ))  # fmt: skip
    twin.put(tag, vr, value)
    files.files.append(twin)
    files.opened = ""
    return f"{tag:08X} = {value!r}"


ELEMENT_CHANGES: Final[tuple[Callable[[random.Random, Files], str], ...]] = (
    _change_value, _change_value, _change_value, _mix, _insert, _change_vr, _change_length, _nest,
    _charset, _syntax, _written,
)  # fmt: skip
CHANGES: Final = (
    *ELEMENT_CHANGES, _change_value, _insert, _change_number, _change_number, _stream, _stream,
    _stream, _fragment, _twin, _syntax,
)  # fmt: skip
