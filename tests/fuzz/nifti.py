"""NIfTI-1 and NIfTI-2, alone, compressed or in pairs, whose headers say what cannot be."""

from __future__ import annotations

import random
import struct
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from tests.fuzz.cases import Case
from tests.fuzz.odd import gzipped, odd_bytes, odd_float, odd_int, put
from tests.unit.studies.cases.written_volumes import RAS, nifti, nifti_2, nifti_head, truth

__all__ = ["CHANGES", "begin"]

_SHAPE: Final = (4, 34, 36)

_FIRST: Final[dict[str, tuple[int, str]]] = {
    "sizeof_hdr": (0, "i"), "dim": (40, "8h"), "intent": (56, "3f"), "intent_code": (68, "h"),
    "datatype": (70, "h"), "bitpix": (72, "h"), "slice_start": (74, "h"), "pixdim": (76, "8f"),
    "vox_offset": (108, "f"), "scl": (112, "2f"), "slice_end": (120, "h"), "units": (123, "B"),
    "codes": (252, "2h"), "quatern": (256, "3f"), "qoffset": (268, "3f"), "srow": (280, "12f"),
    "magic": (344, "4B"), "extension": (348, "4B"),
}  # fmt: skip
"""Fields of NIfTI-1 (nifti1.h): where and of which type."""
_SECOND: Final[dict[str, tuple[int, str]]] = {
    "sizeof_hdr": (0, "i"), "magic": (4, "8B"), "datatype": (12, "h"), "bitpix": (14, "h"),
    "dim": (16, "8q"), "pixdim": (104, "8d"), "vox_offset": (168, "q"), "scl": (176, "2d"),
    "codes": (344, "2i"), "quatern": (352, "3d"), "qoffset": (376, "3d"), "srow": (400, "12d"),
    "units": (500, "i"),
}  # fmt: skip
_SIDES: Final = (
    (1,), (2,), (3, 36, 34, 4, 2), (7, 36, 34, 4, 1, 1, 1, 1), (3, 36, 34, -4), (4, 36, 34, 4, 600),
    (3, 32767, 32767, 32767), (3, 36, 34, 0), (3, 34, 36, 4), (3, 1, 1, 1), (5, 36, 34, 1, 1, 3),
    (-3, 36, 34, 4), (3, 36, 34, 5),
)  # fmt: skip
_TYPES: Final = (
    0,
    1,
    2,
    4,
    8,
    16,
    32,
    64,
    128,
    255,
    256,
    512,
    768,
    1024,
    1280,
    1536,
    1792,
    2048,
    2304,
)


@dataclass(slots=True)
class Nifti:
    """A file, or a pair, and how it is compressed."""

    name: str
    data: bytes
    second: bool
    order: str
    pair: bytes | None = None
    packer: random.Random | None = None

    @property
    def fields(self) -> dict[str, tuple[int, str]]:
        """Those of its version."""
        return _SECOND if self.second else _FIRST

    def finish(self) -> Case:
        """Write it."""
        data = self.data
        if self.packer is not None:
            data, _ = gzipped(self.packer, data)
        if self.pair is None:
            return Case({self.name: data}, self.name)
        return Case({"a.hdr": data, "a.img": self.pair}, "a.hdr")


def begin(rng: random.Random) -> Nifti:
    """One of the forms."""
    data, second, order, pair = rng.choice(_forms())
    name = rng.choice(("a.nii", "a.nii", "a.nii.gz"))
    made = Nifti(name, data, second, order, pair)
    if name.endswith(".gz") and pair is None and rng.random() < 0.5:
        made.packer = random.Random(rng.random())  # noqa: S311
    return made


@cache
def _forms() -> tuple[tuple[bytes, bool, str, bytes | None], ...]:
    values = truth(_SHAPE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.nii")
        found: list[tuple[bytes, bool, str, bytes | None]] = []
        for dtype, order in (("i2", "<"), ("f4", "<"), ("i2", ">"), ("f8", "<"), ("u1", "<")):
            kept = values % 256 if dtype == "u1" else values
            found.append((nifti(path, kept, dtype, order).read_bytes(), False, order, None))
        turned = nifti(path, values, affine=RAS * [[1, 1, 1, 1], [1, -1, 1, 1], [1, 1, -1, 1]], q=1)
        found.append((turned.read_bytes(), False, "<", None))
        times = nifti(path, np.stack([values, values + 1]))
        found.append((times.read_bytes(), False, "<", None))
        found.append((nifti_2(path, values).read_bytes(), True, ">", None))
    head = nifti_head(_SHAPE, offset=0, magic=b"ni1\0")
    found.append((bytes(head), False, "<", values.astype("<i2").tobytes()))
    return tuple(found)


def _change_field(rng: random.Random, made: Nifti) -> str:
    name = rng.choice(sorted(made.fields))
    offset, code = made.fields[name]
    kind, size = code[-1], struct.calcsize(f"<{code[-1]}")
    count = int(code[:-1] or 1)
    for number in range(count) if rng.random() < 0.2 else [rng.randrange(count)]:
        if kind in "fd":
            value: float = odd_float(rng)
        else:
            value = odd_int(rng, 2 ** (8 * size) - 1)
            value -= 2 ** (8 * size) if kind in "hiq" and value >= 2 ** (8 * size - 1) else 0
        made.data = put(made.data, offset + number * size, made.order + kind, value)
    return name


def _change_dims(rng: random.Random, made: Nifti) -> str:
    """Numbers of voxels near those that there are, and products that overflow."""
    offset, code = made.fields["dim"]
    kind, size = code[-1], struct.calcsize(f"<{code[-1]}")
    sides = rng.choice(_SIDES)
    for number, side in enumerate(sides):
        made.data = put(made.data, offset + number * size, made.order + kind, side)
    return str(sides)


def _change_type(rng: random.Random, made: Nifti) -> str:
    value = rng.choice(_TYPES)
    made.data = put(made.data, made.fields["datatype"][0], f"{made.order}h", value)
    if rng.random() < 0.7:
        bits = rng.choice((0, 1, 8, 16, 24, 32, 64, 128, -16))
        made.data = put(made.data, made.fields["bitpix"][0], f"{made.order}h", bits)
    return str(value)


def _change_affine(rng: random.Random, made: Nifti) -> str:
    """Axes that are turned, sheared, flat or of no length."""
    offset, code = made.fields["srow"]
    kind, size = code[-1], struct.calcsize(f"<{code[-1]}")
    scale = rng.choice((1.0, 1.0, 1e-4, 1e4, 0.0))
    for number in range(12):
        value = scale * rng.choice((0.0, 0.7, -0.7, rng.uniform(-3, 3)))
        made.data = put(made.data, offset + number * size, made.order + kind, value)
    codes, kind = made.fields["codes"][0], made.fields["codes"][1][-1]
    for number in range(2):
        step = number * struct.calcsize(f"<{kind}")
        made.data = put(made.data, codes + step, made.order + kind, rng.choice((0, 1, 2, 4, 9, -1)))
    return f"times {scale:g}"


def _extend(rng: random.Random, made: Nifti) -> str:
    """Extensions between header and voxels."""
    start = 544 if made.second else 352
    size = rng.choice((0, 8, 16, 15, -16, odd_int(rng, 2**31 - 1)))
    extension = struct.pack(f"{made.order}2i", size, 6) + odd_bytes(rng)
    offset = start + rng.choice((0, len(extension), odd_int(rng, 100_000)))
    place, code = made.fields["vox_offset"]
    made.data = made.data[: start - 4] + b"\1\0\0\0" + extension + made.data[start:]
    made.data = put(made.data, place, made.order + code, offset)
    return f"of {size} bytes, voxels at {offset}"


def _change_values(rng: random.Random, made: Nifti) -> str:
    """Voxels that are no numbers, or the largest there are."""
    pattern = rng.choice((b"\xff\xff\xff\xff\xff\xff\xff\x7f", b"\0\0\xc0\x7f", b"\xff\xff\x7f\x7f",
                          b"\0\0\x80\xff", bytes(8), b"\0\x80"))  # fmt: skip
    start = 544 if made.second else 352
    count = rng.choice((1, 30, 10**6))
    length = max(0, len(made.data) - start)
    made.data = made.data[:start] + ((pattern * count)[:length] + made.data[start:])[:length]
    return repr(pattern)


def _compress(rng: random.Random, made: Nifti) -> str:
    if made.pair is not None:
        made.pair = made.pair[: rng.randrange(len(made.pair))] + odd_bytes(rng)
        return "the other half"
    made.packer = random.Random(rng.random())  # noqa: S311
    made.name = rng.choice(("a.nii.gz", "a.nii", "a.nrrd"))
    return made.name


CHANGES: Final = (
    _change_field, _change_field, _change_field, _change_field, _change_dims, _change_type,
    _change_affine, _extend, _change_values, _compress,
)  # fmt: skip
