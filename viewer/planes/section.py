"""Planes through a volume, thin or as slabs: those that lie along its array, and a pane's choice.

Axial, coronal and sagittal planes are cut out of the array as it is, so every pixel on the screen
is a voxel as it was read: no plane between voxels is made up, and masks are cut in the very same
way. Oblique ones are in `viewer.planes.oblique`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from viewer.panes import Content, Pane, SlabMode, span_of
from viewer.planes.oblique import ObliqueSection, oblique_of
from viewer.planes.orientation import (
    Display,
    display_of,
    edge_letters,
    in_plane_axes,
    patient_axis,
    screen_axes,
)

if TYPE_CHECKING:
    from inference.studies.model import Volume
    from viewer.planes.orientation import EdgeLetters

__all__ = ["SHEAR_TOLERANCE", "Planes", "Section", "section_of", "why_not"]

SHEAR_TOLERANCE = 0.01
"""Cosine between two axes of the array up to which planes across them count as straight (0.6°)."""

_KEPT = 16
"""Volumes of which it is known whether they are sheared."""
_INSTEAD = "choose “As acquired”."

Scalar = TypeVar("Scalar", bound=np.generic)
Voxel = tuple[float, float, float]
"""(column, row, slice); voxel centres lie at whole numbers."""

_PATIENT_AXIS = {Content.SAGITTAL: 0, Content.CORONAL: 1, Content.AXIAL: 2}
_VOXEL_OF_AXIS = (2, 1, 0)
"""Place in a voxel's (column, row, slice) by axis of the array (slices, rows, columns)."""


@dataclass(frozen=True, slots=True)
class Section:
    """A family of parallel planes of a volume.

    Parameters
    ----------
    axis
        Of the array, that the planes lie across: 0 slices, 1 rows, 2 columns.
    display
        How a stored plane is turned for the screen.
    shape
        Of the array.
    spacing
        Distance in mm between neighbours along each axis of the array.
    """

    axis: int
    display: Display
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]

    @property
    def count(self) -> int:
        """How many planes there are."""
        return self.shape[self.axis]

    @property
    def plane_mm(self) -> float:
        """Distance in mm between planes."""
        return self.spacing[self.axis]

    @property
    def _stored(self) -> tuple[int, int]:
        """Axes of the array that are the rows and the columns of a stored plane."""
        rows, columns = (axis for axis in range(3) if axis != self.axis)
        return rows, columns

    def size(self) -> tuple[int, int, float, float]:
        """Columns, rows, column mm and row mm of the displayed picture."""
        rows, columns = self._stored
        if self.display.transpose:
            rows, columns = columns, rows
        return self.shape[columns], self.shape[rows], self.spacing[columns], self.spacing[rows]

    def stored(self, array: NDArray[Scalar], index: int) -> NDArray[Scalar]:
        """One plane as stored; a view."""
        plane: NDArray[Scalar] = array[(slice(None),) * self.axis + (index,)]
        return plane

    def cut(self, array: NDArray[Scalar], index: int) -> NDArray[Scalar]:
        """One plane, turned for the screen; a view."""
        return self.display.turn(self.stored(array, index))

    def slab(self, array: NDArray[Any], index: int, pane: Pane) -> NDArray[Any]:
        """The planes around one as one picture, turned for the screen.

        Parameters
        ----------
        array
            Shape (slices, rows, columns). Of a bool array it is whether any plane is set.
        index
            The plane in the middle; at the ends of the volume there are fewer planes.
        pane
            How many planes, and how they become one.

        Returns
        -------
        ndarray
            Shape (rows, columns); float32 for a mean, else of the array's type.
        """
        start, stop = self.span(index, pane)
        if stop - start == 1:
            return self.cut(array, start)
        block = array[(slice(None),) * self.axis + (slice(start, stop),)]
        merged: NDArray[Any]
        if array.dtype == np.bool_:
            merged = np.asarray(block.any(axis=self.axis))
        elif pane.slab.mode is SlabMode.MEAN:
            merged = self._mean(array, start, stop)
        else:
            merge = np.max if pane.slab.mode is SlabMode.MAXIMUM else np.min
            merged = merge(block, axis=self.axis)
        return self.display.turn(merged)

    def _mean(self, array: NDArray[Any], start: int, stop: int) -> NDArray[np.float32]:
        # Plane by plane in single precision: many times quicker than a mean over the block, and
        # exact for the sums of 16 bit numbers that occur.
        total = self.stored(array, start).astype(np.float32)
        for index in range(start + 1, stop):
            plane = np.ascontiguousarray(self.stored(array, index))
            cv2.accumulate(plane if plane.dtype != np.int16 else plane.astype(np.float32), total)
        return np.asarray(total / np.float32(stop - start), dtype=np.float32)

    def span(self, index: int, pane: Pane) -> tuple[int, int]:
        """First plane of a slab, and the one after its last."""
        return span_of(index, pane.slab.planes(self.plane_mm), self.count)

    def index_of(self, voxel: Voxel) -> int:
        """The plane that a voxel lies in."""
        index = round(voxel[_VOXEL_OF_AXIS[self.axis]])
        return max(0, min(index, self.count - 1))

    def moved(self, voxel: Voxel, index: int) -> Voxel:
        """The same place in another plane."""
        place = list(voxel)
        place[_VOXEL_OF_AXIS[self.axis]] = float(max(0, min(index, self.count - 1)))
        return place[0], place[1], place[2]

    def to_voxel(self, column: float, row: float, index: int) -> Voxel:
        """Picture coordinates (pixel centres at halves) of a plane -> voxel."""
        columns, rows, _, _ = self.size()
        across, down = self.display.to_stored(column, row, columns, rows)
        place = [0.0, 0.0, 0.0]
        stored_rows, stored_columns = self._stored
        place[_VOXEL_OF_AXIS[self.axis]] = float(index)
        place[_VOXEL_OF_AXIS[stored_columns]] = across - 0.5
        place[_VOXEL_OF_AXIS[stored_rows]] = down - 0.5
        return place[0], place[1], place[2]

    def to_picture(self, voxel: Voxel) -> tuple[float, float]:
        """Voxel -> picture coordinates of the plane through it, or of its foot on any other."""
        columns, rows, _, _ = self.size()
        stored_rows, stored_columns = self._stored
        across = voxel[_VOXEL_OF_AXIS[stored_columns]] + 0.5
        down = voxel[_VOXEL_OF_AXIS[stored_rows]] + 0.5
        return self.display.to_displayed(across, down, columns, rows)

    def letters(self, affine: NDArray[np.float64]) -> EdgeLetters:
        """What lies towards each edge of the screen."""
        return edge_letters(affine, self.display, self.axis)

    def screen_axes(
        self, affine: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Directions in LPS of the picture's right and bottom; shape (3,), length 1."""
        return screen_axes(affine, self.display, self.axis)

    def outside(self, index: int, pane: Pane) -> None:
        """Every pixel is a voxel."""
        return


Planes: TypeAlias = Section | ObliqueSection
"""What a pane may show planes of."""


def _axis_for(volume: Volume, content: Content) -> int:
    if content is Content.STACK:
        return 0
    wanted = _PATIENT_AXIS[content]
    return next((a for a in range(3) if patient_axis(volume.affine, a) == wanted), 0)


def section_of(volume: Volume, pane: Pane) -> Planes | None:
    """The planes that a pane shows of a volume; None where `why_not` says why there are none."""
    if why_not(volume, pane.content):
        return None
    if pane.content is Content.OBLIQUE:
        return oblique_of(volume, pane)
    axis = _axis_for(volume, pane.content)
    display = display_of(volume.affine, axis) if volume.has_orientation else Display()
    display = display.turned(flip_across=pane.turn.mirrored).rotated(pane.turn.quarters)
    return Section(axis, display, volume.shape, volume.spacing)


def why_not(volume: Volume, content: Content) -> str:
    """Why a volume has no planes of a kind, in a sentence; empty where it has."""
    if content is Content.STACK:
        return ""
    reasons = (
        (content is Content.VOLUME, "This pane shows the volume in 3D, and no plane of it."),
        (volume.shape[0] == 1, f"One picture alone has no {content.value} planes; {_INSTEAD}"),
        (
            not volume.has_orientation,
            "The file does not say how it lies in the patient, so where its "
            f"{content.value} planes are is unknown; {_INSTEAD}",
        ),
        (
            not volume.has_geometry,
            f"The distances across slices are unknown, so {content.value} planes cannot be "
            f"shown; {_INSTEAD}",
        ),
    )
    for is_so, sentence in reasons:
        if is_so:
            return sentence
    if content is Content.OBLIQUE:
        return ""
    if _axis_for(volume, content) and _is_sheared(volume):
        return (
            f"The slices are tilted against their axis, so {content.value} planes through them "
            f"would be distorted; {_INSTEAD}"
        )
    return ""


def _is_sheared(volume: Volume) -> bool:
    return _sheared(np.asarray(volume.affine, dtype=np.float64).tobytes())


@lru_cache(maxsize=_KEPT)
def _sheared(affine: bytes) -> bool:
    for axis in range(3):
        column, row = in_plane_axes(np.frombuffer(affine).reshape(4, 4), axis)
        cosine = column @ row / (np.linalg.norm(column) * np.linalg.norm(row))
        if abs(float(cosine)) > SHEAR_TOLERANCE:
            return True
    return False
