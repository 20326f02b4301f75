"""From the voxel grid to the view and back, for an oblique plane on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPolygonF, QTransform

from inference.measurements import Measurement, Point, Slant
from inference.measurements.model import PLANE_TOLERANCE
from inference.measurements.planes import Vectors
from inference.measurements.slabs import SlabPlanes

if TYPE_CHECKING:
    from viewer.planes import ObliqueSection

__all__ = ["ObliqueProjection"]


@dataclass(frozen=True, slots=True)
class ObliqueProjection:
    """How an oblique plane lies in the view; a `viewer.measuring.projection.Projection`.

    Parameters
    ----------
    section
        The planes.
    index
        Which of them.
    slant
        How they lie.
    transform
        Picture coordinates (pixel centres at halves) -> logical view pixels.
    slab
        The planes that are shown with it, if any.
    """

    section: ObliqueSection
    index: int
    slant: Slant
    transform: QTransform
    slab: SlabPlanes | None = None

    @property
    def axis(self) -> int:
        """Voxel axis that is nearest to a right angle to the plane."""
        ways = self.section.affine[:3, :3] / np.linalg.norm(self.section.affine[:3, :3], axis=0)
        return int(np.argmax(np.abs(self.slant.normal @ ways)))

    def view(self, point: Point) -> QPointF:
        """Voxel grid -> view."""
        return self.transform.map(QPointF(*self.section.to_picture(point)))

    def line(self, points: Sequence[Point]) -> QPolygonF:
        """Voxel grid -> view, many at once."""
        section = self.section
        places = np.asarray(points) @ section.affine[:3, :3].T + section.affine[:3, 3]
        flat = places @ np.stack([section.right, section.down], axis=1) - section.start[:2]
        pixels = flat / section.pixel_mm
        return self.transform.map(QPolygonF([QPointF(x, y) for x, y in pixels.tolist()]))

    def point(self, at: QPointF) -> Point:
        """View -> voxel grid; outside the picture: its nearest edge."""
        back, _ = self.transform.inverted()
        found = back.map(at)
        return self._on_picture(found.x(), found.y())

    def _on_picture(self, column: float, row: float) -> Point:
        columns, rows, _, _ = self.section.size()
        inside = min(max(column, 0.0), float(columns)), min(max(row, 0.0), float(rows))
        return self.section.to_voxel(*inside, self.index)

    def probed(self, at: QPointF) -> Point:
        """View -> the very place: a probe tells of the voxel that it lies in."""
        return self.point(at)

    def holds(self, at: QPointF) -> bool:
        """The view position lies in the volume, not beside it."""
        voxel = np.asarray(self.point(at))
        within = (voxel >= -0.5) & (voxel <= np.array(self.section.shape[::-1]) - 0.5)
        away = self.view(self.point(at)) - at
        return bool(within.all()) and away.manhattanLength() < 1e-3

    def shifted(self, points: Sequence[Point], start: Point, end: Point) -> tuple[Point, ...]:
        """Move points together, as far as all of them stay on the picture."""
        given = np.array([self.section.to_picture(point) for point in points])
        way = np.subtract(self.section.to_picture(end), self.section.to_picture(start))
        low = -given.min(axis=0)
        high = np.array(self.section.size()[:2]) - given.max(axis=0)
        way = np.clip(way, np.minimum(low, 0.0), np.maximum(high, 0.0))
        return tuple(
            self.section.to_voxel(float(column), float(row), self.index)
            for column, row in given + way
        )

    def nudged(self, point: Point, x: int, y: int) -> Point:
        """Move a point by one pixel of the plane, in the direction of the screen's x or y."""
        column, row = self.section.to_picture(point)
        # Turns are part of the plane, so the picture is never turned in the view.
        return self._on_picture(column + x, row + y)

    def shows(self, measurement: Measurement) -> bool:
        """The measurement lies in this plane."""
        depth = self.section.depth_mm(self.index)
        return measurement.lies_aslant(self.slant, depth, self.slab)

    def is_own(self, measurement: Measurement) -> bool:
        """It was drawn on a parallel plane, alone or with this very slab."""
        if measurement.slant is None or measurement.positions is None:
            return False
        away = self.slant.depths(measurement.positions) - self.section.depth_mm(self.index)
        here = bool((np.abs(away) <= PLANE_TOLERANCE * self.slant.step).all())
        parallel = measurement.slant.is_parallel(self.slant)
        return parallel and measurement.slab == self.slab and here

    def steps(self, measurement: Measurement | None = None) -> Vectors:
        """From pixel to pixel of a measurement's plane, or of this one, in voxels."""
        if measurement is None:
            return self.slant.steps(self.section.affine)
        return measurement.steps(self.section.affine)
