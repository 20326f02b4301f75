"""Which way a volume is stored, and how it is turned to be read."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["READING", "axial_axis", "letters", "turn"]

READING: Final = "LPS"
"""Columns to the left, rows to the back, slices to the head."""

_OPPOSITE: Final = "RAI"


def letters(steps: NDArray[np.float64]) -> str:
    """Say to which side of the patient columns, rows and slices go, e.g. ``"LPS"``.

    Parameters
    ----------
    steps
        Shape (3, 3): its columns are the steps of columns, rows and slices in LPS mm, not all in
        one plane.

    Returns
    -------
    str
        Three letters of L R, P A and S I, one of each pair. An oblique axis is called by the side
        to which it goes most; where two would be called the same, the straighter one is.
    """
    return "".join((READING if sign > 0 else _OPPOSITE)[side] for side, sign in _sides(steps))


def axial_axis(steps: NDArray[np.float64]) -> int:
    """Return which of columns, rows and slices (0, 1, 2) goes most along the patient."""
    return [side for side, _ in _sides(steps)].index(2)


def turn(
    array: NDArray[np.generic], steps: NDArray[np.float64], origin: NDArray[np.float64]
) -> tuple[NDArray[np.generic], NDArray[np.float64], NDArray[np.float64]]:
    """Swap and reverse axes so that they are read as `READING`; every voxel stays in its place.

    Parameters
    ----------
    array
        Shape (slices, rows, columns) as stored.
    steps, origin
        See `letters`; where the first voxel lies.

    Returns
    -------
    tuple
        A view of the array, its steps and its origin.
    """
    sides = _sides(steps)
    order = [[side for side, _ in sides].index(wanted) for wanted in range(3)]
    turned = steps[:, order].copy()
    # The array's axes are in the opposite order of the steps'.
    seen = array.transpose([2 - axis for axis in reversed(order)])
    place = origin.copy()
    for to, axis in enumerate(order):
        if sides[axis][1] < 0:
            place += turned[:, to] * (seen.shape[2 - to] - 1)
            turned[:, to] *= -1.0
            seen = np.flip(seen, 2 - to)
    return seen, turned, place


def _sides(steps: NDArray[np.float64]) -> list[tuple[int, float]]:
    """For columns, rows and slices: which of left, back and head they go along, and the sign."""
    left = steps / np.linalg.norm(steps, axis=0)
    found: dict[int, tuple[int, float]] = {}
    share = np.abs(left)
    for _ in range(3):
        side, axis = (int(i) for i in np.unravel_index(int(np.argmax(share)), share.shape))
        found[axis] = (side, float(np.sign(left[side, axis])) or 1.0)
        share[side, :] = share[:, axis] = -1.0
    return [found[axis] for axis in range(3)]
