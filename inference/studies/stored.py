"""What the header of a volume file says, once it has been checked: all that reading needs.

The headers of NIfTI, NRRD and MetaImage are read by modules of their own, each into a `Stored`.
No library is asked that would guess, fall back on something, or believe what a header says.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.studies.codes import Code
from inference.studies.find import UnreadableError
from inference.studies.limits import (
    MAX_DEFLATE_RATIO,
    MAX_ORIGIN_MM,
    MAX_SCALE,
    MAX_SIDE,
    MAX_SPACING_MM,
    MAX_TIME_POINTS,
    MAX_VOXELS,
    MIN_SCALE,
    MIN_SPACING_MM,
    TILT_TOLERANCE_DEGREES,
)
from inference.studies.model import Problem

__all__ = [
    "Encoding",
    "Stored",
    "Voxels",
    "axes_of",
    "checked",
    "cut_off",
    "no_such_format",
    "numbers",
    "wholes",
]

_FLATTEST: Final = 0.1
"""Least volume of a voxel as a share of the box with the same edges: a shear of 84 degrees."""
_MAX_DIGITS: Final = 64
"""Longest number in a text header."""


class Encoding(Enum):
    """How voxels are written."""

    RAW = "raw"
    DEFLATED = "deflated"
    """By zlib or gzip, which their first bytes tell apart."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Voxels:
    """Where the voxels are and how they are written.

    Parameters
    ----------
    path
        The file: the header's own or the one beside it.
    offset
        The byte of the file at which voxels begin, or what they were compressed to.
    encoding
        See there.
    dtype
        Type of one voxel, with its byte order.
    skip
        Bytes before the first voxel after decompression.
    compressed
        Bytes that the header says they were compressed to; 0 where it says nothing.
    slope, intercept
        A value is ``stored × slope + intercept``.
    own
        They are in the header's own file, which the reader chose, and which may be a link.
    """

    path: Path
    offset: int
    encoding: Encoding
    dtype: np.dtype[Any]
    skip: int = 0
    compressed: int = 0
    slope: float = 1.0
    intercept: float = 0.0
    own: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """A volume as its file describes it.

    Parameters
    ----------
    size
        Two to four numbers: columns, rows, slices and times as stored, the fastest first.
    steps
        Shape (3, 3), float64: its columns are the LPS mm from one column, row and slice to the
        next. The identity where `measured` is False.
    origin
        Shape (3,), LPS mm of the first voxel.
    measured, oriented
        Whether the file says how large voxels are, and how they lie in the patient.
    voxels
        Where and how.
    problems
        What is doubtful.
    """

    size: tuple[int, ...]
    steps: NDArray[np.float64]
    origin: NDArray[np.float64]
    measured: bool
    oriented: bool
    voxels: Voxels
    problems: tuple[Problem, ...] = ()

    @property
    def flat(self) -> bool:
        """One slice that lies nowhere."""
        return len(self.size) == 2

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns) as stored."""
        x, y, z = (*self.size, 1)[:3]
        return z, y, x

    @property
    def times(self) -> int:
        """How many volumes follow one another."""
        return (*self.size, 1, 1)[3]


def checked(path: Path, stored: Stored) -> Stored:
    """Return what a header says if all of it is plausible, with what is doubtful about its axes.

    Raises
    ------
    UnreadableError
        When it is not, or when the file cannot hold what it promises.
    """
    _check_size(path, stored.size)
    _check_scale(path, stored.voxels)
    problems = stored.problems
    if stored.measured:
        _check_axes(path, stored.steps, stored.origin)
        problems += _shear(stored.steps)
    else:
        problems += (
            Problem(
                Code.NO_SPACING,
                "The file does not say how large its voxels are, so nothing can be measured in mm.",
            ),
        )
    _check_room(stored)
    return replace(stored, problems=problems)


def numbers(path: Path, field: str, text: str, count: int) -> list[float]:
    """Read the finite numbers of a header's field, with spaces between them.

    Raises
    ------
    UnreadableError
        When there are more, fewer, or others.
    """
    words = text[: (count + 1) * _MAX_DIGITS].split()
    try:
        values = [float(word) for word in words if len(word) <= _MAX_DIGITS and "_" not in word]
    except ValueError:
        values = []
    if len(values) != count or len(words) != count or not all(map(math.isfinite, values)):
        raise UnreadableError(
            f"“{path.name}” has {_shortened(text)} for its {field}, not {count} "
            f"{'number' if count == 1 else 'numbers'}; write the file again."
        )
    return values


def wholes(path: Path, field: str, text: str, count: int) -> list[int]:
    """Read the whole numbers of a header's field; see `numbers`."""
    values = numbers(path, field, text, count)
    if not all(value.is_integer() and abs(value) < 2**53 for value in values):
        raise UnreadableError(
            f"“{path.name}” has {_shortened(text)} for its {field}, which must be whole; write the "
            "file again."
        )
    return [int(value) for value in values]


def no_such_format(path: Path, name: str) -> UnreadableError:
    """Return the refusal of a file that does not begin as its format does."""
    return UnreadableError(
        f"“{path.name}” is damaged, or not a {name} file although its name says so; copy or write "
        "it again."
    )


def cut_off(path: Path, needed: int, size: int) -> UnreadableError:
    """Return the refusal of a file that is too short, in bytes."""
    return UnreadableError(
        f"“{path.name}” is cut off: its voxels take {needed} bytes and it has {size}; copy the "
        "file again."
    )


def _shortened(text: str) -> str:
    text = text.strip()
    return f"“{text[:40]}…”" if len(text) > 40 else f"“{text}”"


def _check_size(path: Path, size: tuple[int, ...]) -> None:
    name = f"“{path.name}”"
    if not 2 <= len(size) <= 4:
        raise UnreadableError(f"{name} has {len(size)} dimensions; save one 3D volume alone.")
    if min(size) < 1:
        raise UnreadableError(
            f"{name} declares {' × '.join(map(str, size))} voxels; write it again."
        )
    if len(size) == 4 and size[3] > MAX_TIME_POINTS:
        raise UnreadableError(
            f"{name} holds {size[3]} volumes, more than {MAX_TIME_POINTS}; save some of them alone."
        )
    if max(size) > MAX_SIDE or math.prod(size) > MAX_VOXELS:
        raise UnreadableError(f"{name} declares {' × '.join(map(str, size))} voxels, too many.")


def _check_scale(path: Path, voxels: Voxels) -> None:
    slope, intercept = voxels.slope, voxels.intercept
    # Written so that what is no number fails.
    if not (MIN_SCALE <= abs(slope) <= MAX_SCALE and abs(intercept) <= MAX_SCALE):
        raise UnreadableError(
            f"“{path.name}” declares its values as stored × {slope:g} + {intercept:g}, which "
            "cannot be; write it again."
        )


def _check_axes(path: Path, steps: NDArray[np.float64], origin: NDArray[np.float64]) -> None:
    lengths = np.linalg.norm(steps, axis=0)
    if not ((lengths >= MIN_SPACING_MM) & (lengths <= MAX_SPACING_MM)).all():
        sizes = " × ".join(f"{length:g}" for length in lengths)
        raise UnreadableError(
            f"“{path.name}” declares voxels of {sizes} mm, which cannot be; write it again."
        )
    if not (np.abs(origin) <= MAX_ORIGIN_MM).all():
        place = ", ".join(f"{value:g}" for value in origin)
        raise UnreadableError(
            f"“{path.name}” declares its first voxel to lie at ({place}) mm, which cannot be; "
            "write it again."
        )
    if abs(float(np.linalg.det(steps / lengths))) < _FLATTEST:
        raise UnreadableError(
            f"“{path.name}” declares axes that lie in one plane, which cannot be; write it again."
        )


def _shear(steps: NDArray[np.float64]) -> tuple[Problem, ...]:
    axes = steps / np.linalg.norm(steps, axis=0)
    cosines = np.abs((axes.T @ axes)[np.triu_indices(3, 1)])
    angle = float(np.degrees(np.arcsin(min(1.0, float(cosines.max())))))
    if angle <= TILT_TOLERANCE_DEGREES:
        return ()
    return (
        Problem(
            Code.GANTRY_TILT,
            f"The volume's axes are {angle:.1f}° off a right angle, as with a tilted gantry, and "
            "positions in mm take account of it.",
        ),
    )


def _check_room(stored: Stored) -> None:
    """Compare the file's size with what its header promises, before memory is taken."""
    voxels, count = stored.voxels, math.prod(stored.size)
    needed = count * voxels.dtype.itemsize
    try:
        size = voxels.path.stat().st_size
    except OSError as error:
        raise UnreadableError(
            f"“{voxels.path.name}” is not there any more; open it again."
        ) from error
    there = max(0, size - voxels.offset)
    if voxels.encoding is Encoding.RAW and there < needed:
        raise cut_off(voxels.path, voxels.offset + needed, size)
    if voxels.encoding is Encoding.DEFLATED:
        if there < voxels.compressed:
            raise cut_off(voxels.path, voxels.offset + voxels.compressed, size)
        if needed > there * MAX_DEFLATE_RATIO:
            raise cut_off(voxels.path, needed, size)
    # A digit each, and something between them.
    if voxels.encoding is Encoding.TEXT and there < 2 * count - 1:
        raise cut_off(voxels.path, voxels.offset + 2 * count - 1, size)


def axes_of(spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return the steps of axes that lie along LPS; two numbers are those of a flat picture."""
    return np.diag([*spacing, 1.0][:3])
