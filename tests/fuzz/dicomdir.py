"""Discs: a DICOMDIR and the files that it lists, or says that it does (DICOM PS3.3, F)."""

from __future__ import annotations

import gc
import io
import random
import struct
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pydicom
from pydicom.fileset import FileSet

from tests.fuzz.cases import Case
from tests.fuzz.dicom import ELEMENT_CHANGES
from tests.fuzz.dicom_model import Dicom, Element, parse
from tests.fuzz.dicom_seeds import ct_series
from tests.fuzz.odd import mix, odd_bytes, odd_int

__all__ = ["CHANGES", "begin"]

_RECORDS: Final = 0x00041220
_OFFSETS: Final = (0x00041400, 0x00041420, 0x00041200, 0x00041202, 0x00041410)
_NAMES: Final = (
    b"", b" ", b"..", b"..\\..\\etc\\passwd", b"/etc/passwd", b"\\", b"\\\\", b"DICOMDIR",
    b"IM000000", b"PT000000/ST000000/SE000000/IM000000", b"pt000000\\st000000\\se000000\\im000000",
    b".", b"~", b"PT000000\\ST000000", b"C:\\X", b"a:b", b"\xff\xfe",
    b"PT000000\\ST000000\\SE000000\\IM000000\\X", b"A\\" * 300, b"*", b"PT000000\\*", b"\0",
    b"PT000000\\ST000000\\SE000000\\IM000001;1", b"\x1b$B",
)  # fmt: skip
_TYPES: Final = (
    b"PATIENT", b"STUDY", b"SERIES", b"IMAGE", b"PRIVATE", b"HANGING PROTOCOL", b"", b"image",
    b"X" * 40,
)  # fmt: skip


@dataclass(slots=True)
class Disc:
    """A DICOMDIR, the files of its folder, and which of both is opened."""

    changed: Dicom
    files: dict[str, bytes]
    opened: str

    def finish(self) -> Case:
        """Write them."""
        return Case({**self.files, "DICOMDIR": self.changed.encode()}, self.opened)


def begin(rng: random.Random) -> Disc:
    """A disc of three slices."""
    listing, files = _sound()
    return Disc(listing.copy(), dict(files), rng.choice(("DICOMDIR", "DICOMDIR", "")))


@cache
def _sound() -> tuple[Dicom, dict[str, bytes]]:
    with tempfile.TemporaryDirectory() as place:
        disc = FileSet()
        disc.UID = "1.2.3.4"
        for each in ct_series():
            disc.add(pydicom.dcmread(io.BytesIO(each.encode())))
        disc.write(place)
        with warnings.catch_warnings():
            # pydicom leaves a temporary folder to the collector, which complains.
            warnings.simplefilter("ignore", ResourceWarning)
            del disc
            gc.collect()
        root = Path(place)
        files = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
    return parse(files.pop("DICOMDIR")), files


def _records(disc: Disc) -> list[list[Element]]:
    found = disc.changed.find(_RECORDS)
    return found.value if found and isinstance(found.value, list) else []


def _set(record: list[Element], tag: int, vr: bytes, value: bytes) -> None:
    record[:] = [each for each in record if each.tag != tag]
    at = next((i for i, each in enumerate(record) if each.tag > tag), len(record))
    record.insert(at, Element(tag, vr, value))


def _change_name(rng: random.Random, disc: Disc) -> str:
    records = _records(disc)
    if not records:
        return "no records"
    name = rng.choice(_NAMES) if rng.random() < 0.9 else odd_bytes(rng)
    for record in records if rng.random() < 0.3 else [rng.choice(records)]:
        _set(record, 0x00041500, b"CS", name)
    return repr(name[:60])


def _change_offset(rng: random.Random, disc: Disc) -> str:
    """Let records point at themselves, at each other, or nowhere."""
    offsets = [0, 132, 376, len(disc.changed.encode()), odd_int(rng, 2**32 - 1)]
    places = [each for record in _records(disc) for each in record if each.tag in _OFFSETS]
    places += [each for each in disc.changed.body if each.tag in _OFFSETS]
    known = [each.value for each in places if isinstance(each.value, bytes) and any(each.value)]
    for place in places if rng.random() < 0.3 else places[: rng.randrange(len(places) + 1)][-1:]:
        value = struct.pack("<I", rng.choice(offsets))
        place.value = rng.choice(known) if known and rng.random() < 0.6 else value
    return "offsets"


def _change_record(rng: random.Random, disc: Disc) -> str:
    records = _records(disc)
    if not records:
        return "no records"
    record = rng.choice(records)
    if rng.random() < 0.5:
        _set(record, 0x00041430, b"CS", name := rng.choice(_TYPES))
        return f"type {name!r}"
    value = rng.choice((0, 1, 0xFFFF, odd_int(rng, 65535)))
    _set(record, 0x00041410, b"US", struct.pack("<H", value))
    return f"in use: {value}"


def _mix_records(rng: random.Random, disc: Disc) -> str:
    return mix(rng, _records(disc))


def _change_files(rng: random.Random, disc: Disc) -> str:
    """Files that are not there, have other names, or are listed nowhere."""
    name = rng.choice(sorted(disc.files))
    what = rng.choice(("gone", "suffix", "lower", "beside", "itself", "empty"))
    if what == "gone":
        del disc.files[name]
    elif what == "suffix":
        disc.files[f"{name}{rng.choice(('.dcm', '.DCM', ';1', '.', '.png'))}"] = disc.files.pop(
            name
        )
    elif what == "lower":
        disc.files[name.lower()] = disc.files.pop(name)
    elif what == "beside":
        disc.files["OTHER/IM9"] = disc.files[name]
    elif what == "itself":
        disc.files["SUB/DICOMDIR"] = disc.changed.encode()
    else:
        disc.files[name] = b""
    disc.files.setdefault("README.TXT", b"A disc.")
    return f"{name}: {what}"


CHANGES: Final = (
    *ELEMENT_CHANGES, _change_name, _change_name, _change_name, _change_offset, _change_offset,
    _change_record, _mix_records, _change_files, _change_files,
)  # fmt: skip
