"""From the voxel grid to the view and back, for one plane on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF, QTransform

from inference.measurements import Measurement, Point, Slant
from inference.measurements.planes import Vectors, plane_axes, straight_steps
from inference.measurements.slabs import SlabPlanes

__all__ = ["GridProjection", "Pointer", "Projection"]


class Projection(Protocol):
    """How a plane lies in the view: turned, flipped, magnified and moved."""

    @property
    def axis(self) -> int:
        """Voxel axis at right angles to the plane; of an oblique one, the nearest to that."""

    @property
    def slant(self) -> Slant | None:
        """How an oblique plane lies; None for one of the grid."""

    @property
    def slab(self) -> SlabPlanes | None:
        """The planes that are shown with it; None where it is shown alone."""

    def view(self, point: Point) -> QPointF:
        """Voxel grid -> view."""

    def line(self, points: Sequence[Point]) -> QPolygonF:
        """Voxel grid -> view, many at once."""

    def point(self, at: QPointF) -> Point:
        """View -> voxel grid; outside the picture: its nearest edge."""

    def probed(self, at: QPointF) -> Point:
        """View -> where a probe goes: the centre of the pixel, where the plane has such."""

    def holds(self, at: QPointF) -> bool:
        """The view position lies on the picture."""

    def shifted(self, points: Sequence[Point], start: Point, end: Point) -> tuple[Point, ...]:
        """Move points together, as far as all of them stay on the picture."""

    def nudged(self, point: Point, x: int, y: int) -> Point:
        """Move a point by one pixel of the plane, in the direction of the screen's x or y."""

    def shows(self, measurement: Measurement) -> bool:
        """The measurement lies in this plane."""

    def is_own(self, measurement: Measurement) -> bool:
        """It was drawn on planes like this one, and not on others that it is seen on as well."""

    def steps(self, measurement: Measurement | None = None) -> Vectors:
        """From pixel to pixel of a measurement's plane, or of this one, in voxels; shape (3, 2)."""


@dataclass(frozen=True, slots=True)
class GridProjection:
    """How a plane of the grid lies in the view.

    Parameters
    ----------
    axis, index
        Voxel axis at right angles to the plane, and where along it the plane is.
    counts
        Columns, rows and slices of the volume.
    transform
        (across, down) on the stored plane, pixel centres at whole numbers -> logical view pixels.
    slab
        The planes that are shown with it, if any.
    """

    axis: int
    index: int
    counts: tuple[int, int, int]
    transform: QTransform
    slab: SlabPlanes | None = None

    @property
    def slant(self) -> None:
        """It is a plane of the grid."""
        return

    def shows(self, measurement: Measurement) -> bool:
        """The measurement lies in this plane."""
        return measurement.lies_on(self.axis, self.index, self.slab)

    def is_own(self, measurement: Measurement) -> bool:
        """It was drawn across the same axis, on one plane or on this very slab."""
        straight = measurement.slant is None and measurement.axis == self.axis
        # Another slab that holds it has another middle plane.
        return straight and measurement.slab == self.slab and measurement.plane == self.index

    def steps(self, measurement: Measurement | None = None) -> Vectors:
        """From pixel to pixel of a measurement's plane, or of this one, in voxels."""
        return straight_steps(self.axis if measurement is None else measurement.axis)

    def view(self, point: Point) -> QPointF:
        """Voxel grid -> view."""
        across, down = plane_axes(self.axis)
        return self.transform.map(QPointF(point[across], point[down]))

    def line(self, points: Sequence[Point]) -> QPolygonF:
        """Voxel grid -> view, many at once."""
        across, down = plane_axes(self.axis)
        return self.transform.map(QPolygonF([QPointF(p[across], p[down]) for p in points]))

    def point(self, at: QPointF) -> Point:
        """View -> voxel grid; outside the picture: its nearest edge."""
        back, _ = self.transform.inverted()
        found = back.map(at)
        across, down = plane_axes(self.axis)
        result = [float(self.index)] * 3
        result[across] = min(max(found.x(), -0.5), self.counts[across] - 0.5)
        result[down] = min(max(found.y(), -0.5), self.counts[down] - 0.5)
        return result[0], result[1], result[2]

    def probed(self, at: QPointF) -> Point:
        """View -> centre of the pixel there."""
        found = self.point(at)
        return _triple(
            min(max(round(value), 0), count - 1)
            for value, count in zip(found, self.counts, strict=True)
        )

    def holds(self, at: QPointF) -> bool:
        """The view position lies on the picture."""
        away = self.view(self.point(at)) - at
        return away.manhattanLength() < 1e-3

    def shifted(self, points: Sequence[Point], start: Point, end: Point) -> tuple[Point, ...]:
        """Move points together, as far as all of them stay on the picture."""
        given = np.asarray(points)
        way = np.subtract(end, start)
        low = -0.5 - given.min(axis=0)
        high = np.asarray(self.counts) - 0.5 - given.max(axis=0)
        # What reaches beyond the picture already is not pulled back.
        way = np.clip(way, np.minimum(low, 0.0), np.maximum(high, 0.0))
        way[self.axis] = 0.0
        return tuple(_triple(each) for each in given + way)

    def nudged(self, point: Point, x: int, y: int) -> Point:
        """Move a point by one pixel of the plane, in the direction of the screen's x or y."""
        back, _ = self.transform.inverted()
        way = back.map(QPointF(float(x), float(y))) - back.map(QPointF(0.0, 0.0))
        across, down = plane_axes(self.axis)
        moved = list(point)
        if abs(way.x()) >= abs(way.y()):
            moved[across] += 1.0 if way.x() > 0 else -1.0
        else:
            moved[down] += 1.0 if way.y() > 0 else -1.0
        return self.point(self.view(_triple(moved)))


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is, and on what.

    Parameters
    ----------
    at
        Logical view pixels.
    projection
        What is under it.
    shift
        The reader holds Shift: constrain.
    """

    at: QPointF
    projection: Projection
    shift: bool = False

    @property
    def point(self) -> Point:
        """Place on the voxel grid."""
        return self.projection.point(self.at)


def _triple(values: Iterable[float]) -> Point:
    column, row, slice_ = (float(value) for value in values)
    return column, row, slice_
