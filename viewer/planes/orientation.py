"""Which way a slice is turned on the screen, and the letters at its edges.

Patient axes are DICOM's LPS: x grows to the patient's left, y to the back, z to the head (PS3.3
C.7.6.2.1.1). An axial slice is shown as seen from the feet, so the patient's right is on the left
of the screen; a coronal one with the head up and the right on the left; a sagittal one with the
head up and the front on the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Display",
    "EdgeLetters",
    "direction_letters",
    "display_of",
    "edge_letters",
    "in_plane_axes",
    "letters_of",
    "patient_axis",
    "screen_axes",
]

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

    def turned(self, *, flip_across: bool = False, flip_down: bool = False) -> Display:
        """This turn, and then a mirror across or down the screen."""
        return Display(
            self.transpose, self.flip_columns != flip_across, self.flip_rows != flip_down
        )

    def rotated(self, quarters: int) -> Display:
        """This turn, and then that many quarter turns clockwise on the screen."""
        display = self
        for _ in range(quarters % 4):
            # Clockwise, what was down goes left: transposed, then mirrored across.
            display = Display(not display.transpose, not display.flip_rows, display.flip_columns)
        return display

    def to_stored(self, column: float, row: float, columns: int, rows: int) -> tuple[float, float]:
        """Turn a place in the displayed picture into one in the stored plane.

        Parameters
        ----------
        column, row
            Picture coordinates: from the outer edge of the first pixel, centres at halves.
        columns, rows
            Size of the displayed picture.

        Returns
        -------
        tuple
            (column, row) of the stored plane, counted in the same way.
        """
        if self.flip_columns:
            column = columns - column
        if self.flip_rows:
            row = rows - row
        return (row, column) if self.transpose else (column, row)

    def to_displayed(
        self, column: float, row: float, columns: int, rows: int
    ) -> tuple[float, float]:
        """Turn a place in the stored plane into one in the displayed picture: undo `to_stored`.

        Parameters
        ----------
        column, row
            In the stored plane, from the outer edge of the first pixel.
        columns, rows
            Size of the displayed picture.
        """
        column, row = (row, column) if self.transpose else (column, row)
        if self.flip_columns:
            column = columns - column
        if self.flip_rows:
            row = rows - row
        return column, row

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


@dataclass(frozen=True, slots=True)
class EdgeLetters:
    """What lies towards each edge of the screen."""

    left: str
    right: str
    top: str
    bottom: str


_KEPT = 64
"""Answers that are kept: three axes of each of the volumes that are looked at in turn."""
_IN_PLANE = {0: (0, 1), 1: (0, 2), 2: (1, 2)}
"""By the axis of the array that a plane lies across (slices, rows, columns): the columns of the
affine along which its picture's columns and rows count."""


def in_plane_axes(
    affine: NDArray[np.float64], axis: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps in LPS mm of one stored column and one stored row of a plane, shape (3,) each.

    Parameters
    ----------
    affine
        Shape (4, 4): (column, row, slice, 1) -> LPS mm.
    axis
        Of the array, that the plane lies across: 0 for stored slices, 1 for a plane of one row of
        each slice, 2 for one column of each.
    """
    column, row = _IN_PLANE[axis]
    return affine[:3, column], affine[:3, row]


def patient_axis(affine: NDArray[np.float64], axis: int = 0) -> int:
    """The patient axis (0 x, 1 y, 2 z) that is nearest to the normal of a plane."""
    return _chosen(np.asarray(affine, dtype=np.float64).tobytes(), axis)[0]


def display_of(affine: NDArray[np.float64], axis: int = 0) -> Display:
    """Choose how planes of a volume are turned, so that axes on the screen are patient axes.

    Parameters
    ----------
    affine
        Shape (4, 4): (column, row, slice, 1) -> LPS mm.
    axis
        Of the array, that the planes lie across; 0 for stored slices.
    """
    return _chosen(np.asarray(affine, dtype=np.float64).tobytes(), axis)[1]


def _unit_axes(
    affine: NDArray[np.float64], axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    column, row = in_plane_axes(affine, axis)
    return column / np.linalg.norm(column), row / np.linalg.norm(row)


@lru_cache(maxsize=_KEPT)
def _chosen(affine: bytes, axis: int) -> tuple[int, Display]:
    """Patient axis and display; asked for tens of times a picture."""
    column, row = _unit_axes(np.frombuffer(affine).reshape(4, 4), axis)
    nearest = int(np.argmax(np.abs(np.cross(column, row))))
    right, down = _SCREEN[nearest]
    transpose = bool(abs(row @ right) > abs(column @ right))
    if transpose:
        column, row = row, column
    return nearest, Display(transpose, bool(column @ right < 0), bool(row @ down < 0))


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


def screen_axes(
    affine: NDArray[np.float64], display: Display, axis: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Directions in LPS of the displayed picture's right and bottom; shape (3,), length 1.

    Parameters
    ----------
    affine
        Shape (4, 4): (column, row, slice, 1) -> LPS mm.
    display
        How the stored plane is turned.
    axis
        Of the array, that the plane lies across; 0 for stored slices.
    """
    column, row = _unit_axes(affine, axis)
    right, down = (row, column) if display.transpose else (column, row)
    return -right if display.flip_columns else right, -down if display.flip_rows else down


def edge_letters(affine: NDArray[np.float64], display: Display, axis: int = 0) -> EdgeLetters:
    """Name the four edges of the displayed picture; parameters as of `screen_axes`."""
    return letters_of(*screen_axes(affine, display, axis))


def letters_of(right: NDArray[np.float64], down: NDArray[np.float64]) -> EdgeLetters:
    """Name the four edges of a picture.

    Parameters
    ----------
    right, down
        Shape (3,), LPS: where its right and its bottom lie.
    """
    return EdgeLetters(
        left=direction_letters(-right),
        right=direction_letters(right),
        top=direction_letters(-down),
        bottom=direction_letters(down),
    )
