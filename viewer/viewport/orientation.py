"""Which way a slice is turned on the screen, and the letters at its edges.

Patient axes are DICOM's LPS: x grows to the patient's left, y to the back, z to the head (PS3.3
C.7.6.2.1.1). An axial slice is shown as seen from the feet, so the patient's right is on the left
of the screen; a coronal one with the head up and the right on the left; a sagittal one with the
head up and the front on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Display", "EdgeLetters", "direction_letters", "display_of", "edge_letters"]

Scalar = TypeVar("Scalar", bound=np.generic)

_OBLIQUE = float(np.sin(np.deg2rad(10.0)))
"""A second letter is shown when the axis leans by more than ten degrees."""

_LETTERS = (("R", "L"), ("A", "P"), ("F", "H"))
"""(towards minus, towards plus) of each LPS axis."""

# Wanted directions (to the right, downwards) on the screen by the patient axis of the slice normal.
_SCREEN = {
    0: (np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])),
    1: (np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, -1.0])),
    2: (np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])),
}


@dataclass(frozen=True, slots=True)
class Display:
    """How a stored slice is turned for the screen: transposed first, then flipped."""

    transpose: bool = False
    flip_columns: bool = False
    flip_rows: bool = False

    def turn(self, plane: NDArray[Scalar]) -> NDArray[Scalar]:
        """Turn a stored slice of shape (rows, columns) for the screen; a view, never a copy."""
        turned = plane.T if self.transpose else plane
        return turned[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]

    def stored_pixel(self, column: int, row: int, columns: int, rows: int) -> tuple[int, int]:
        """Find the stored (column, row) of a pixel of the displayed picture.

        Parameters
        ----------
        column, row
            In the displayed picture.
        columns, rows
            Size of the displayed picture.
        """
        if self.flip_columns:
            column = columns - 1 - column
        if self.flip_rows:
            row = rows - 1 - row
        return (row, column) if self.transpose else (column, row)

    def displayed_pixel(self, column: int, row: int, columns: int, rows: int) -> tuple[int, int]:
        """Find the (column, row) in the displayed picture of a stored pixel.

        Parameters
        ----------
        column, row
            As stored.
        columns, rows
            Size of the displayed picture.
        """
        if self.transpose:
            column, row = row, column
        if self.flip_columns:
            column = columns - 1 - column
        return column, rows - 1 - row if self.flip_rows else row


@dataclass(frozen=True, slots=True)
class EdgeLetters:
    """What lies towards each edge of the screen."""

    left: str
    right: str
    top: str
    bottom: str


def _unit_axes(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    axes = affine[:3, :3]
    return np.asarray(axes / np.linalg.norm(axes, axis=0), dtype=np.float64)


def display_of(affine: NDArray[np.float64]) -> Display:
    """Choose how slices of a volume are turned, so that axes on the screen are patient axes.

    Parameters
    ----------
    affine
        Shape (4, 4): (column, row, slice, 1) -> LPS mm.
    """
    axes = _unit_axes(affine)
    column, row = axes[:, 0], axes[:, 1]
    normal = int(np.argmax(np.abs(np.cross(column, row))))
    right, down = _SCREEN[normal]
    transpose = bool(abs(row @ right) > abs(column @ right))
    if transpose:
        column, row = row, column
    return Display(transpose, bool(column @ right < 0), bool(row @ down < 0))


def direction_letters(direction: NDArray[np.float64]) -> str:
    """Name a direction by its dominant patient axis, or its two when it is oblique.

    Parameters
    ----------
    direction
        Shape (3,), LPS, any length above zero.

    Examples
    --------
    >>> direction_letters(np.array([-1.0, 0.0, 0.0]))
    'R'
    >>> direction_letters(np.array([0.6, 0.0, 0.8]))
    'HL'
    """
    unit = direction / np.linalg.norm(direction)
    order = np.argsort(-np.abs(unit), kind="stable")[:2]
    return "".join(
        _LETTERS[axis][int(unit[axis] > 0)]
        for place, axis in enumerate(order)
        if place == 0 or abs(unit[axis]) > _OBLIQUE
    )


def edge_letters(affine: NDArray[np.float64], display: Display) -> EdgeLetters:
    """Name the four edges of the displayed picture.

    Parameters
    ----------
    affine
        Shape (4, 4): (column, row, slice, 1) -> LPS mm.
    display
        How the stored slice is turned.
    """
    axes = _unit_axes(affine)
    right, down = (axes[:, 1], axes[:, 0]) if display.transpose else (axes[:, 0], axes[:, 1])
    right = -right if display.flip_columns else right
    down = -down if display.flip_rows else down
    return EdgeLetters(
        left=direction_letters(-right),
        right=direction_letters(right),
        top=direction_letters(-down),
        bottom=direction_letters(down),
    )
