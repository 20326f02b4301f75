"""The header of NIfTI-1 and NIfTI-2: 348 or 540 bytes, of either byte order.

Sources: ``nifti1.h`` and ``nifti2.h`` (nifti.nimh.nih.gov). Which of two affines is used follows
nibabel: the sform wherever its code is not zero, else the qform, else sizes alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import numpy as np
from numpy.typing import NDArray

from inference.studies.codes import Code
from inference.studies.find import UnreadableError
from inference.studies.model import Problem
from inference.studies.regular import beside, open_regular
from inference.studies.stored import (
    Encoding,
    Stored,
    Voxels,
    axes_of,
    checked,
    no_such_format,
)
from inference.studies.voxels import GZIP_MAGIC, inflated

__all__ = ["read_nifti"]

_LENGTHS: Final = {348: 1, 540: 2}
_FIELDS: Final = (
    "dim", "datatype", "bitpix", "pixdim", "vox_offset", "slope", "intercept", "units",
    "qform", "sform", "quaternion", "shift", "affine", "magic",
)  # fmt: skip
_FORMATS: Final = {
    1: ("8i2", "i2", "i2", "8f4", "f4", "f4", "f4", "u1", "i2", "i2", "3f4", "3f4", "(3,4)f4",
        "S4"),
    2: ("8i8", "i2", "i2", "8f8", "i8", "f8", "f8", "i4", "i4", "i4", "3f8", "3f8", "(3,4)f8",
        "S4"),
}  # fmt: skip
_OFFSETS: Final = {
    1: (40, 70, 72, 76, 108, 112, 116, 123, 252, 254, 256, 268, 280, 344),
    2: (16, 12, 14, 104, 168, 176, 184, 500, 344, 348, 352, 376, 400, 4),
}
_TYPES: Final = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
    1280: "u8",
}  # fmt: skip
_COLOURS: Final = {32, 128, 1792, 2304}
"""RGB, RGBA and complex numbers."""
_UNITS: Final = {1: 1000.0, 2: 1.0, 3: 0.001}
"""Metres, millimetres, micrometres; nearly every file without a unit means millimetres."""
_TO_LPS: Final = np.array([-1.0, -1.0, 1.0])
"""NIfTI's axes go to the right, to the front and up."""
_SAME_SIZE: Final = 0.01
"""Greatest relative difference of two statements of the same size (rounding)."""


def read_nifti(path: Path) -> Stored:
    """Read and check the header of a NIfTI file, compressed or not, whatever its name says.

    A pair keeps its voxels in the ``.img`` beside its ``.hdr``.

    Raises
    ------
    UnreadableError
        When it is none, is damaged, or promises what cannot be.
    """
    with open_regular(path) as stream:
        packed = stream.read(2) == GZIP_MAGIC
        stream.seek(0)
        head = _head(path, stream, packed=packed)
    fields = _fields(path, head)
    size = _size(path, fields)
    # What is no number is found afterwards.
    with np.errstate(all="ignore"):
        steps, origin, oriented, problems = _axes(path, fields, size)
    stored = Stored(
        size,
        steps,
        origin,
        measured=True,
        oriented=oriented and len(size) > 2,
        voxels=_voxels(path, fields, packed=packed),
        problems=problems,
    )
    return checked(path, stored)


def _head(path: Path, stream: BinaryIO, *, packed: bool) -> bytes:
    if not packed:
        return stream.read(max(_LENGTHS))
    return inflated(path, stream, max(_LENGTHS))


def _fields(path: Path, head: bytes) -> Any:
    """Return the named fields of a header, in the machine's byte order."""
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    for order in orders:
        length = int(np.frombuffer(head[:4].ljust(4, b"\0"), f"{order}i4")[0])
        if length in _LENGTHS and len(head) >= length:
            version = _LENGTHS[length]
            break
    else:
        raise no_such_format(path, "NIfTI")
    layout = np.dtype(
        {
            "names": list(_FIELDS),
            "formats": list(_FORMATS[version]),
            "offsets": list(_OFFSETS[version]),
            "itemsize": length,
        }
    ).newbyteorder(order)
    fields = np.frombuffer(head[:length], layout)[0]
    if fields["magic"] not in (b"n+%d" % version, b"ni%d" % version):
        raise UnreadableError(
            f"“{path.name}” is no NIfTI file but seems to be one of Analyze, which does not say "
            "where left is; save it as NIfTI."
        )
    return fields


def _size(path: Path, fields: Any) -> tuple[int, ...]:
    dim = [int(value) for value in fields["dim"]]
    if not 2 <= dim[0] <= 7:
        raise UnreadableError(f"“{path.name}” has {dim[0]} dimensions; save one 3D volume alone.")
    size = dim[1 : dim[0] + 1]
    while len(size) > 3 and size[-1] == 1:
        size.pop()
    return tuple(size)


def _voxels(path: Path, fields: Any, *, packed: bool) -> Voxels:
    dtype = _dtype(path, fields)
    pair = fields["magic"].startswith(b"ni")
    offset = float(fields["vox_offset"])
    least = 0 if pair else int(fields.dtype.itemsize)
    if offset == 0.0 and not pair:
        # Where a header says nothing, voxels follow it and the four bytes that tell of more.
        offset = least + 4.0
    # Written so that what is no number fails. No extension is longer than a file may be.
    if not (least <= offset < 2**53 and offset.is_integer()):
        raise UnreadableError(
            f"“{path.name}” declares its voxels to begin at byte {offset:g}, which cannot be; "
            "write it again."
        )
    slope, intercept = float(fields["slope"]), float(fields["intercept"])
    if slope == 0.0:
        # "If the scl_slope field is nonzero" (nifti1.h); else values are as stored.
        slope, intercept = 1.0, 0.0
    file, start, skip, encoding = path, int(offset), 0, Encoding.RAW
    if pair:
        file = _image_of(path)
        with open_regular(file, follow=False) as stream:
            packed = stream.read(2) == GZIP_MAGIC
    if packed:
        start, skip, encoding = 0, int(offset), Encoding.DEFLATED
    return Voxels(
        file, start, encoding, dtype, skip, slope=slope, intercept=intercept, own=not pair
    )


def _image_of(path: Path) -> Path:
    name = path.name[: -len(path.suffix)]
    for suffix in (".img", ".IMG"):
        if path.with_name(name + suffix).exists():
            return beside(path, name + suffix)
    return beside(path, f"{name}.img")


def _dtype(path: Path, fields: Any) -> np.dtype[Any]:
    code, bits = int(fields["datatype"]), int(fields["bitpix"])
    if code in _COLOURS:
        raise UnreadableError(f"“{path.name}” holds vectors or colours; save it as grey values.")
    if code not in _TYPES:
        raise UnreadableError(
            f"“{path.name}” holds values of NIfTI's type {code}, which cannot be read; save it as "
            "16-bit integers or 32-bit floats."
        )
    dtype = np.dtype(_TYPES[code]).newbyteorder(fields.dtype["datatype"].byteorder)
    if bits != dtype.itemsize * 8:
        raise UnreadableError(
            f"“{path.name}” declares voxels of {bits} bits and of a type of {dtype.itemsize * 8}; "
            "write it again."
        )
    return dtype


def _axes(
    path: Path, fields: Any, size: tuple[int, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool, tuple[Problem, ...]]:
    """Return steps and origin in LPS mm, whether they are the patient's, and what is doubtful."""
    scale = _UNITS.get(int(fields["units"]) & 0x07, 1.0)
    edges = fields["pixdim"][1:4].astype(np.float64) * scale
    if len(size) == 2:
        return axes_of(edges[:2]), np.zeros(3), False, ()
    turned = _quaternion_axes(fields, edges)
    shift = fields["shift"].astype(np.float64) * scale * _TO_LPS
    if int(fields["sform"]) > 0:
        affine = fields["affine"].astype(np.float64) * scale * _TO_LPS[:, None]
        steps, origin = affine[:, :3], affine[:, 3]
        doubts: tuple[Problem, ...] = ()
        if int(fields["qform"]) > 0 and _apart(size, (steps, origin), (turned, shift)):
            doubts = (_twice("where it lies (qform and sform)", "the sform was used"),)
        elif not np.allclose(np.linalg.norm(steps, axis=0), edges, rtol=_SAME_SIZE, atol=0.0):
            doubts = (_twice("how large its voxels are", "the sizes of the sform were used"),)
        return steps, origin, True, doubts
    if not (edges > 0.0).all():
        sizes = " × ".join(f"{edge:g}" for edge in edges)
        raise UnreadableError(
            f"“{path.name}” declares voxels of {sizes} mm, which cannot be; write it again."
        )
    if int(fields["qform"]) > 0:
        if not np.isfinite(turned).all():
            raise UnreadableError(
                f"“{path.name}” declares axes that are not numbers; write it again."
            )
        return turned, shift, True, ()
    return axes_of(edges), np.zeros(3), False, ()


def _quaternion_axes(fields: Any, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the steps of the qform in LPS mm; not numbers where its fields are none."""
    b, c, d = (float(value) for value in fields["quaternion"])
    length = b * b + c * c + d * d
    if length > 1.0:
        # Rounding; the turn is by half a circle.
        b, c, d = (value / np.sqrt(length) for value in (b, c, d))
    a = np.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    turn = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )
    signs = np.array([1.0, 1.0, -1.0 if float(fields["pixdim"][0]) < 0.0 else 1.0])
    steps: NDArray[np.float64] = _TO_LPS[:, None] * turn * (edges * signs)
    return steps


def _apart(
    size: tuple[int, ...],
    first: tuple[NDArray[np.float64], NDArray[np.float64]],
    second: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> bool:
    """Say whether two affines put any corner more than half a voxel apart."""
    corners = np.array(np.meshgrid(*((0, n - 1) for n in size[:3]), indexing="ij")).reshape(3, -1)
    steps, origin = first[0] - second[0], first[1] - second[1]
    away = np.linalg.norm(steps @ corners + origin[:, None], axis=0)
    smallest = float(np.linalg.norm(first[0], axis=0).min())
    # Written so that what is no number is apart.
    return not bool((away <= smallest / 2.0).all())


def _twice(what: str, used: str) -> Problem:
    return Problem(
        Code.GEOMETRY_TWICE,
        f"The file says twice {what}, and not the same; {used}, so make sure of sides and "
        "distances.",
    )
