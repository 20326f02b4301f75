"""A DICOM file in parts that can be changed, and written however wrong they are."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Dicom", "Element", "Fragments", "parse"]

_UNDEFINED: Final = 0xFFFFFFFF
_LONG: Final = frozenset(
    (b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV")
)
"""Representations whose length has four bytes (PS3.5, 7.1.2)."""
_WORDS: Final = {
    b"US": 2, b"SS": 2, b"OW": 2, b"AT": 2, b"UL": 4, b"SL": 4, b"OL": 4, b"FL": 4, b"OF": 4,
    b"FD": 8, b"OD": 8,
}  # fmt: skip
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_PREAMBLE: Final = bytes(128)


class Fragments(list[bytes]):
    """Encapsulated pixels: the table of offsets, then what is compressed."""


@dataclass(slots=True)
class Element:
    """One element; `length` is what is declared, None the truth and -1 an undefined one."""

    tag: int
    vr: bytes
    value: bytes | list[list[Element]] | Fragments
    length: int | None = None

    def copy(self) -> Element:
        """Return a copy of which nothing is shared."""
        value = self.value
        if isinstance(value, Fragments):
            return Element(self.tag, self.vr, Fragments(value), self.length)
        if isinstance(value, list):
            items = [[each.copy() for each in item] for item in value]
            return Element(self.tag, self.vr, items, self.length)
        return Element(self.tag, self.vr, value, self.length)


@dataclass(slots=True)
class Dicom:
    """A file: meta information and body.

    Parameters
    ----------
    meta, body
        Their elements in order.
    order
        ``"<"`` or ``">"``, of the body.
    implicit
        The body's representations are not written.
    deflated
        The body is.
    preamble
        What stands before all; None where nothing does.
    """

    meta: list[Element]
    body: list[Element]
    order: str = "<"
    implicit: bool = False
    deflated: bool = False
    preamble: bytes | None = _PREAMBLE + b"DICM"
    tail: bytes = field(default=b"")

    def copy(self) -> Dicom:
        """Return a copy of which nothing is shared."""
        return Dicom(
            [each.copy() for each in self.meta], [each.copy() for each in self.body],
            self.order, self.implicit, self.deflated, self.preamble, self.tail,
        )  # fmt: skip

    def lists(self) -> Iterator[list[Element]]:
        """Every list of elements: the meta information, the body, each item of a sequence."""
        yield self.meta
        yield from _inside(self.body)

    def find(self, tag: int) -> Element | None:
        """The body's first element of a tag."""
        return next((each for each in self.body if each.tag == tag), None)

    def put(self, tag: int, vr: bytes, value: bytes) -> None:
        """Give the body's, or the meta information's, element a value."""
        elements = self.meta if tag >> 16 == 2 else self.body
        for each in elements:
            if each.tag == tag:
                each.vr, each.value, each.length = vr, value, None
                return
        at = next((i for i, each in enumerate(elements) if each.tag > tag), len(elements))
        elements.insert(at, Element(tag, vr, value))

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        head = b"".join(_written(each, "<", implicit=False) for each in self.meta)
        if self.meta and not any(each.tag == 0x00020000 for each in self.meta):
            length = Element(0x00020000, b"UL", struct.pack("<I", len(head)))
            head = _written(length, "<", implicit=False) + head
        body = b"".join(_written(e, self.order, implicit=self.implicit) for e in self.body)
        body += self.tail
        if self.deflated:
            packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
            body = packer.compress(body) + packer.flush()
        return (self.preamble or b"") + head + body


def _inside(elements: list[Element]) -> Iterator[list[Element]]:
    waiting = [elements]
    while waiting:
        some = waiting.pop()
        yield some
        for each in some:
            if isinstance(each.value, list) and not isinstance(each.value, Fragments):
                waiting += each.value


def _written(element: Element, order: str, *, implicit: bool) -> bytes:
    value, undefined = element.value, False
    if isinstance(value, Fragments):
        data = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(f)) + f for f in value)
        data += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        undefined = True
    elif isinstance(value, list):
        data = b"".join(_item(item, order, implicit=implicit) for item in value)
    else:
        data = value + b"\0" * (len(value) % 2)
        if order == ">" and (size := _WORDS.get(element.vr)):
            data = b"".join(data[i : i + size][::-1] for i in range(0, len(data), size))
    length = len(data) if element.length is None else element.length % 2**32
    length = _UNDEFINED if undefined and element.length is None else length
    if length == _UNDEFINED and not undefined and isinstance(value, list):
        data += struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD, 0)
    tag = struct.pack(f"{order}HH", element.tag >> 16 & 0xFFFF, element.tag & 0xFFFF)
    if implicit:
        return tag + struct.pack(f"{order}I", length) + data
    if element.vr in _LONG:
        return tag + element.vr + bytes(2) + struct.pack(f"{order}I", length) + data
    return tag + element.vr + struct.pack(f"{order}H", length % 2**16) + data


def _item(item: list[Element], order: str, *, implicit: bool) -> bytes:
    inside = b"".join(_written(each, order, implicit=implicit) for each in item)
    return struct.pack(f"{order}HHI", 0xFFFE, 0xE000, len(inside)) + inside


def parse(data: bytes) -> Dicom:
    """Take a sound file in explicit VR little endian apart."""
    (length,) = struct.unpack_from("<I", data, 140)
    meta = _elements(data[144 : 144 + length])
    return Dicom(meta, _elements(data[144 + length :]), deflated=_is_deflated(meta))


def _is_deflated(meta: list[Element]) -> bool:
    return any(each.value == _DEFLATED.encode() for each in meta)


def _elements(data: bytes) -> list[Element]:
    found = []
    at = 0
    while at < len(data):
        element, at = _element(data, at)
        found.append(element)
    return found


def _element(data: bytes, at: int) -> tuple[Element, int]:
    group, number, vr = struct.unpack_from("<HH2s", data, at)
    tag = group << 16 | number
    if vr in _LONG:
        (length,), at = struct.unpack_from("<I", data, at + 8), at + 12
    else:
        (length,), at = struct.unpack_from("<H", data, at + 6), at + 8
    if vr == b"SQ" or length == _UNDEFINED:
        parts, at = _parts(data, at, length)
        if vr == b"SQ":
            return Element(tag, vr, [_elements(part) for part in parts]), at
        return Element(tag, vr, Fragments(parts)), at
    return Element(tag, vr, data[at : at + length]), at + length


def _parts(data: bytes, at: int, length: int) -> tuple[list[bytes], int]:
    """The items of a sequence or of encapsulated pixels, and where what follows begins."""
    end = len(data) if length == _UNDEFINED else at + length
    parts = []
    while at < end:
        _, number, size = struct.unpack_from("<HHI", data, at)
        at += 8
        if number == 0xE0DD:
            return parts, at
        if size == _UNDEFINED:
            start = at
            while data[at : at + 4] != b"\xfe\xff\x0d\xe0":
                _, at = _element(data, at)
            parts.append(data[start:at])
            at += 8
        else:
            parts.append(data[at : at + size])
            at += size
    return parts, end
