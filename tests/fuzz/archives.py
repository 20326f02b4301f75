"""ZIP archives whose records contradict each other, or that are to do harm (PKWARE's APPNOTE)."""

from __future__ import annotations

import bz2
import random
import struct
import zlib
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from tests.fuzz.cases import Case
from tests.fuzz.dicom_seeds import ct_series
from tests.fuzz.odd import damage, mix, odd_bytes, odd_int
from tests.fuzz.pictures import png_file

__all__ = ["CHANGES", "begin"]

_STORED, _DEFLATED, _BZIPPED = 0, 8, 12
_BOMB_BYTES: Final = 24 << 20
_NAMES: Final = (
    b"../a.dcm", b"a/../../b.dcm", b"/etc/a.dcm", b"C:\\a.dcm", b"a\\..\\..\\b", b"a\0.dcm", b"",
    b".", b"..", b"a/", b"a//b.dcm", b"./a.dcm", b"CON", b"a" * 300 + b".dcm",
    b"a/" * 40 + b"b.dcm", b"\xff.dcm", b"caf\xc3\xa9.dcm", b"cafe\xcc\x81.dcm", b"0.DCM",
    b"0.dcm", b"0.dcm.", b".hidden", b"__MACOSX/0.dcm", b"DICOMDIR", b"a/DICOMDIR", b"0.dcm/b.dcm",
    b"\xe2\x80\xaegpj.dcm", b"a\n.dcm", b"\x1b[2J.dcm", b" ", b".. /a.dcm", b"a:b", b"a.png",
    b"a.nii.gz", b"a.zip", b"/" * 600,
)  # fmt: skip
_FIELDS: Final = ("version", "flags", "method", "time", "crc", "packed", "plain", "attributes",
                  "offset", "disk")  # fmt: skip
_MODES: Final = (0o120777, 0o010644, 0o020644, 0o060644, 0o140777, 0o040755, 0o100644, 0o100000)


@dataclass(slots=True)
class Member:
    """A member; what `said` and `said_first` hold is declared in its two headers instead."""

    name: bytes
    data: bytes
    method: int = _DEFLATED
    said: dict[str, int] = field(default_factory=dict)
    said_first: dict[str, int] = field(default_factory=dict)
    extra: bytes = b""
    first_name: bytes | None = None
    packed: bytes | None = None

    def copy(self) -> Member:
        """Return a copy of which nothing is shared."""
        return Member(self.name, self.data, self.method, dict(self.said), dict(self.said_first),
                      self.extra, self.first_name, self.packed)  # fmt: skip

    def compressed(self) -> bytes:
        """The data as they are written."""
        if self.packed is not None:
            return self.packed
        if self.method == _DEFLATED:
            packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
            return packer.compress(self.data) + packer.flush()
        return bz2.compress(self.data, 1) if self.method == _BZIPPED else self.data


@dataclass(slots=True)
class Archive:
    """An archive, and how its end is said."""

    members: list[Member]
    before: bytes = b""
    comment: bytes = b""
    end: dict[str, int] = field(default_factory=dict)
    damaged: random.Random | None = None

    def finish(self) -> Case:
        """Write it."""
        data = self.encode()
        if self.damaged is not None:
            data, _ = damage(self.damaged, data)
        return Case({"a.zip": data}, "a.zip")

    def encode(self) -> bytes:
        """Return its bytes."""
        body, directory = bytearray(self.before), bytearray()
        for each in self.members:
            packed, offset = each.compressed(), len(body)
            true = {
                "version": 20, "flags": 0, "method": each.method, "time": 0x21 << 16,
                "crc": zlib.crc32(each.data), "packed": len(packed), "plain": len(each.data),
                "attributes": 0o100644 << 16, "offset": offset, "disk": 0,
            }  # fmt: skip
            first, later = true | each.said | each.said_first, true | each.said
            name = each.name if each.first_name is None else each.first_name
            body += b"PK\3\4" + _numbers("<HHHIIIIHH", *map(first.get, _FIELDS[:7]), len(name), 0)
            body += name + packed
            directory += b"PK\1\2\x14\3" + _numbers(
                "<HHHIIIIHHHHHII", *map(later.get, _FIELDS[:7]), len(each.name), len(each.extra), 0,
                later["disk"], 0, later["attributes"], later["offset"],
            )  # fmt: skip
            directory += each.name + each.extra
        count = len(self.members)
        end = {"disk": 0, "first": 0, "here": count, "all": count, "length": len(directory),
               "offset": len(body), "comment": len(self.comment)} | self.end  # fmt: skip
        return (
            bytes(body + directory) + b"PK\5\6" + _numbers("<HHHHIIH", *end.values()) + self.comment
        )


def _numbers(code: str, *values: int | None) -> bytes:
    sizes = [8 * struct.calcsize(f"<{each}") for each in code[1:]]
    kept = [(each or 0) % 2**size for each, size in zip(values, sizes, strict=True)]
    return struct.pack(code, *kept)


def begin(rng: random.Random) -> Archive:
    """An archive of three slices, a picture and a text."""
    archive = Archive([each.copy() for each in _members()])
    for each in archive.members:
        each.method = rng.choice((_STORED, _DEFLATED, _DEFLATED, _BZIPPED))
    return archive


@cache
def _members() -> tuple[Member, ...]:
    found = [Member(f"{i}.dcm".encode(), each.encode()) for i, each in enumerate(ct_series())]
    return (*found, Member(b"b/picture.png", png_file()), Member(b"notes.txt", b"Nothing."))


def _change_name(rng: random.Random, archive: Archive) -> str:
    member = rng.choice(archive.members)
    name = rng.choice(_NAMES) if rng.random() < 0.9 else odd_bytes(rng)
    if rng.random() < 0.2:
        member.first_name = name
    else:
        member.name = name
    if rng.random() < 0.3:
        member.said["flags"] = 0x800
    return repr(name[:60])


def _contradict(rng: random.Random, archive: Archive) -> str:
    member, name = rng.choice(archive.members), rng.choice(_FIELDS)
    where = rng.choice((member.said, member.said_first, member.said))
    true = {"packed": len(member.compressed()), "plain": len(member.data), "method": member.method}
    base = true.get(name, 0)
    where[name] = rng.choice((base + 1, max(0, base - 1), 2 * base, 0, odd_int(rng, 2**32 - 1)))
    if name == "flags":
        where[name] = 1 << rng.randrange(16)
    if name == "method":
        where[name] = rng.choice((0, 1, 6, 8, 9, 12, 14, 93, 95, 98, 99))
    return f"{name} is {where[name]}"


def _mode(rng: random.Random, archive: Archive) -> str:
    member = rng.choice(archive.members)
    member.said["attributes"] = rng.choice(_MODES) << 16 | rng.choice((0, 0x10))
    if rng.random() < 0.5:
        member.data = rng.choice((b"/etc/passwd", b"../..", b"0.dcm"))
    return f"attributes {member.said['attributes']:o}"


def _overlap(rng: random.Random, archive: Archive) -> str:
    """Members that share their bytes (as in "a better zip bomb")."""
    member = rng.choice(archive.members)
    if rng.random() < 0.5:
        member.said["offset"] = odd_int(rng, len(archive.encode()))
        return "another offset"
    for number in range(rng.choice((3, 200))):
        twin = member.copy()
        twin.name, twin.packed = f"t{number}.dcm".encode(), b""
        twin.said |= {"offset": 0, "packed": len(member.compressed())}
        archive.members.append(twin)
    return "members that share bytes"


def _bomb(rng: random.Random, archive: Archive) -> str:
    member = rng.choice(archive.members)
    member.method, member.packed = _DEFLATED, _bomb_bytes()
    member.said |= {"plain": rng.choice((_BOMB_BYTES + len(member.data), len(member.data), 10)),
                    "crc": odd_int(rng, 2**32 - 1)}  # fmt: skip
    return f"{_BOMB_BYTES >> 20} MB of zeros"


@cache
def _bomb_bytes() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(_members()[0].data + bytes(_BOMB_BYTES)) + packer.flush()


def _nest(rng: random.Random, archive: Archive) -> str:
    for _ in range(rng.choice((1, 1, 4))):
        inside = archive.encode()
        archive.members.append(Member(rng.choice((b"in.zip", b"in.dcm", b"in.png")), inside, 0))
    return "an archive inside"


def _zip64(rng: random.Random, archive: Archive) -> str:
    member = rng.choice(archive.members)
    sizes = [rng.choice((len(member.data), odd_int(rng))) for _ in range(rng.choice((1, 2, 3)))]
    inside = struct.pack(f"<{len(sizes)}Q", *sizes) + bytes(rng.choice((0, 0, 1, 4)))
    member.extra = struct.pack("<HH", 1, rng.choice((len(inside), 8, 65535))) + inside
    for name in rng.sample(("plain", "packed", "offset"), len(sizes)):
        member.said[name] = 2**32 - 1
    return "ZIP64"


def _extra(rng: random.Random, archive: Archive) -> str:
    identifier = rng.choice((1, 0x7075, 0x5455, 0x9901, 0xFFFF))
    inside = odd_bytes(rng)
    declared = rng.choice((len(inside), odd_int(rng, 65535)))
    rng.choice(archive.members).extra = struct.pack("<HH", identifier, declared) + inside
    return f"extra field {identifier:04x}"


def _change_end(rng: random.Random, archive: Archive) -> str:
    what = rng.choice(("comment", "before", "here", "all", "length", "offset", "disk", "many"))
    if what == "comment":
        archive.comment = odd_bytes(rng) + rng.choice((b"", b"PK\5\6" + bytes(18), b"PK\5\6" * 9))
    elif what == "before":
        archive.before = rng.choice((b"MZ", bytes(128) + b"DICM", b"PK\3\4", odd_bytes(rng)))
    elif what == "many":
        archive.end |= {"here": 65535, "all": 65535, "length": 2**32 - 1, "offset": 2**32 - 1}
    else:
        archive.end[what] = odd_int(rng, 2**32 - 1)
    return what


def _pack(rng: random.Random, archive: Archive) -> str:
    member = rng.choice(archive.members)
    member.packed, what = damage(rng, member.compressed())
    return what


def _mix(rng: random.Random, archive: Archive) -> str:
    said = mix(rng, archive.members)
    archive.members = archive.members or [Member(b"0.dcm", b"")]
    return said


def _damage(rng: random.Random, archive: Archive) -> str:
    archive.damaged = random.Random(rng.random())  # noqa: S311
    return "the whole"


CHANGES: Final = (
    _change_name, _change_name, _change_name, _contradict, _contradict, _contradict, _mode,
    _overlap, _bomb, _nest, _zip64, _extra, _change_end, _change_end, _pack, _mix, _damage,
)  # fmt: skip
