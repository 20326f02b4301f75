"""NIfTI, NRRD and MetaImage written byte by byte, so that a header can say what no library writes.

No library stands between a case and the reader, and none would put right what is wrong on purpose.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.studies import Volume, load, scan

SHAPE = (5, 38, 44)
SPACING = (0.7, 0.9, 3.0)
PLACE = (-15.0, -25.0, 4.0)
"""Columns, rows, slices; where the first voxel lies, in LPS mm."""

RAS = np.array([[-0.7, 0, 0, 15.0], [0, -0.9, 0, 25.0], [0, 0, 3.0, 4.0]])
"""The same in NIfTI's axes."""

_CODES = {
    "u1": 2,
    "i2": 4,
    "i4": 8,
    "f4": 16,
    "f8": 64,
    "i1": 256,
    "u2": 512,
    "u4": 768,
    "i8": 1024,
}


def truth(shape: Sequence[int] = SHAPE) -> NDArray[np.int16]:
    """HU of which each says where it belongs."""
    z, y, x = np.indices(shape)
    return (-990 + 60 * z + 5 * y + x).astype(np.int16)


HU = truth()
RAW = HU.astype("<i2").tobytes()
LAST = tuple(n - 1 for n in reversed(SHAPE))
END = tuple(at + step * n for at, step, n in zip(PLACE, SPACING, LAST, strict=True))
"""The last voxel, and where it lies."""


def opened(path: Path) -> Volume:
    """The only volume at a path."""
    (series,) = scan(path)[0].series
    return load(series)


def refusal(path: Path) -> str:
    """The sentence with which a file is refused; it names the file."""
    with pytest.raises(BadInputError) as caught:
        opened(path)
    text = str(caught.value)
    assert "“" in text
    assert text.endswith(".")
    return text


def check_truth(volume: Volume) -> None:
    """Check that each value lies where it says that it belongs."""
    np.testing.assert_array_equal(volume.array, HU)
    np.testing.assert_allclose(volume.position(0, 0, 0), PLACE, atol=1e-4)
    np.testing.assert_allclose(volume.position(*LAST), END, atol=1e-4)


def nifti_head(shape: Sequence[int], dtype: str = "i2", order: str = "<", **said: Any) -> bytearray:
    """NIfTI-1's 348 bytes; `said` are its fields, as far as they are not the plain ones."""
    head = bytearray(348)

    def put(offset: int, code: str, *values: float) -> None:
        struct.pack_into(order + code, head, offset, *values)

    put(0, "i", 348)
    put(40, "8h", len(shape), *shape[::-1], *[1] * (7 - len(shape)))
    put(70, "2h", said.get("code", _CODES[dtype]), said.get("bits", 8 * np.dtype(dtype).itemsize))
    put(76, "8f", *said.get("pixdim", (1, *SPACING)), 1, 1, 1, 1)
    put(108, "3f", said.get("offset", 352), said.get("slope", 1), said.get("intercept", 0))
    put(123, "B", said.get("units", 2))
    put(252, "2h", said.get("q", 0), said.get("s", 1))
    put(256, "6f", *said.get("qform", (0, 0, 1, 15, 25, 4)))
    put(280, "12f", *np.ravel(said.get("affine", RAS)))
    head[344:348] = said.get("magic", b"n+1\0")
    return head


def nifti(
    path: Path, values: NDArray[Any], dtype: str = "i2", order: str = "<", **said: Any
) -> Path:
    """Write one file; its name decides nothing but whether it is compressed."""
    data = bytes(nifti_head(values.shape, dtype, order, **said)) + bytes(4)
    data += values.astype(order + dtype).tobytes()
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path


def nifti_2(path: Path, values: NDArray[Any]) -> Path:
    """Write NIfTI-2, of big-endian int32."""
    head = bytearray(540)
    struct.pack_into(">i", head, 0, 540)
    head[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(">2h", head, 12, 8, 32)
    struct.pack_into(">8q", head, 16, 3, *values.shape[::-1], 1, 1, 1, 1)
    struct.pack_into(">8d", head, 104, 1, *SPACING, 1, 1, 1, 1)
    struct.pack_into(">q2d", head, 168, 544, 1, 0)
    struct.pack_into(">2i", head, 344, 0, 1)
    struct.pack_into(">12d", head, 400, *RAS.ravel())
    struct.pack_into(">i", head, 500, 2)
    path.write_bytes(bytes(head) + bytes(4) + values.astype(">i4").tobytes())
    return path


def nrrd(path: Path, data: bytes, shape: Sequence[int] = SHAPE, **said: str | None) -> Path:
    """Write NRRD; `said` are fields with _ for a space, and None leaves one out."""
    fields: dict[str, str | None] = {
        "type": "short",
        "dimension": str(len(shape)),
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, shape[::-1])),
        "space directions": "(0.7,0,0) (0,0.9,0) (0,0,3)",
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": "raw",
        "space origin": "(-15,-25,4)",
    }
    fields |= {name.replace("_", " "): text for name, text in said.items()}
    lines = [f"{name}: {text}" for name, text in fields.items() if text is not None]
    path.write_bytes("\n".join(["NRRD0004", *lines, "", ""]).encode() + data)
    return path


def meta(
    path: Path, data: bytes, shape: Sequence[int] = SHAPE, *, first: str = "", **said: str | None
) -> Path:
    """Write MetaImage; `first` are lines before all others, and None leaves a field out."""
    fields: dict[str, str | None] = {
        "ObjectType": "Image",
        "NDims": str(len(shape)),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "-15 -25 4",
        "ElementSpacing": "0.7 0.9 3",
        "DimSize": " ".join(map(str, shape[::-1])),
        "ElementType": "MET_SHORT",
    }
    fields |= {name: text for name, text in said.items() if name != "ElementDataFile"}
    fields["ElementDataFile"] = said.get("ElementDataFile", "LOCAL")
    lines = [f"{name} = {text}" for name, text in fields.items() if text is not None]
    path.write_bytes((first + "\n".join([*lines, ""])).encode() + data)
    return path
