"""A measurement as plain data: its kind, its points on the voxel grid, its words."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.measurements.planes import Point, Slant, Vectors, positions_of, straight_steps
from inference.measurements.slabs import SlabPlanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.studies.model import Volume

__all__ = ["MOST_TEXT", "PLANE_TOLERANCE", "Kind", "Measurement", "carried", "grid_key"]

PLANE_TOLERANCE: Final = 0.5
"""A measurement is drawn on planes that all its points are at most so many voxels away from."""

MOST_TEXT: Final = 500
"""Characters of a note."""

_CARRY_TOLERANCE: Final = 0.05
"""So many voxels a slice of another grid may lie beside one of this grid to be the same."""


class Kind(StrEnum):
    """What is measured or marked."""

    LENGTH = "length"
    BIDIRECTIONAL = "bidirectional"
    ANGLE = "angle"
    COBB = "cobb"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    FREEHAND = "freehand"
    PROBE = "probe"
    TEXT = "text"
    ARROW = "arrow"

    @property
    def label(self) -> str:
        """Name for the reader."""
        return _LABELS[self]

    @property
    def is_region(self) -> bool:
        """It encloses pixels."""
        return self in {Kind.RECTANGLE, Kind.ELLIPSE, Kind.FREEHAND}

    @property
    def reads_values(self) -> bool:
        """It says something of stored values, and so of the planes it was drawn on alone."""
        return self.is_region or self is Kind.PROBE

    @property
    def points(self) -> int:
        """How many points it has; the least number for a freehand region."""
        return _POINTS[self]


_LABELS: Final = {
    Kind.LENGTH: "Length",
    Kind.BIDIRECTIONAL: "Bidirectional",
    Kind.ANGLE: "Angle",
    Kind.COBB: "Cobb",
    Kind.RECTANGLE: "Rectangle",
    Kind.ELLIPSE: "Ellipse",
    Kind.FREEHAND: "Freehand",
    Kind.PROBE: "Probe",
    Kind.TEXT: "Text",
    Kind.ARROW: "Arrow",
}
_POINTS: Final = {
    Kind.LENGTH: 2,
    Kind.BIDIRECTIONAL: 4,
    Kind.ANGLE: 3,
    Kind.COBB: 4,
    Kind.RECTANGLE: 2,
    Kind.ELLIPSE: 2,
    Kind.FREEHAND: 3,
    Kind.PROBE: 1,
    Kind.TEXT: 1,
    Kind.ARROW: 2,
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One thing that a reader has drawn on a series.

    Parameters
    ----------
    id
        Stable name, a UUID in hexadecimal.
    number
        Counts from 1 within the series.
    kind
        What it is. The points of a bidirectional measurement are the ends of one axis, then those
        of the one at right angles to it, see `inference.measurements.axes`; of an angle leg,
        vertex, leg; of a Cobb angle the ends of one line, then those of the other; of a rectangle
        or an ellipse two opposite corners of the box around it, whose sides run along the grid; of
        an arrow its tip, then its tail.
    points
        (column, row, slice) on the voxel grid of the series, continuous; the centres of pixels lie
        at whole numbers.
    axis
        Voxel axis at right angles to the plane it was drawn in: 0 column, 1 row, 2 slice. Of an
        oblique plane the one that is nearest to that.
    positions
        The same points in LPS mm, or None where the series has no patient axes.
    sop_instance_uid
        Image it was drawn on, or empty where there is none.
    text
        The reader's note.
    label
        Where the reader has put its label, as a point like `points`; None for the automatic place.
    created
        Time in UTC, ISO 8601.
    slant
        How the oblique plane lies that it was drawn on; None on a plane of the grid. The sides of
        a box run along its axes.
    slab
        The planes that were shown as one when it was drawn; None where it was one plane. Its points
        lie in the middle one, however deep what they mark lies in the slab.
    """

    id: str
    number: int
    kind: Kind
    points: tuple[Point, ...]
    axis: int
    created: str
    positions: tuple[Point, ...] | None = None
    sop_instance_uid: str = ""
    text: str = ""
    label: Point | None = None
    slant: Slant | None = None
    slab: SlabPlanes | None = None

    def __post_init__(self) -> None:
        if self.axis not in {0, 1, 2}:
            raise ValueError(f"there is no voxel axis {self.axis}")
        if self.number < 1:
            raise ValueError("measurements are counted from 1")
        enough = len(self.points) == self.kind.points
        if self.kind is Kind.FREEHAND:
            enough = len(self.points) >= self.kind.points
        if not enough:
            raise ValueError(f"a {self.kind.value} has not {len(self.points)} points")
        if not np.all(np.isfinite(self.points)):
            raise ValueError("points must be finite")
        if self.positions is not None and len(self.positions) != len(self.points):
            raise ValueError("there is one position a point")
        if self._depth() > 2 * PLANE_TOLERANCE:
            raise ValueError("the points of a measurement lie in one plane")
        if len(self.text) > MOST_TEXT:
            raise ValueError(f"a note has at most {MOST_TEXT} characters")

    def _depth(self) -> float:
        """How far its points lie apart across its plane, in planes."""
        if self.slant is None:
            return float(np.ptp([point[self.axis] for point in self.points]))
        if self.positions is None:
            raise ValueError("on an oblique plane there is a position for each point")
        return float(np.ptp(self.slant.depths(self.positions))) / self.slant.step

    @classmethod
    def on(
        cls,
        volume: Volume,
        kind: Kind,
        points: Sequence[Point],
        axis: int = 2,
        *,
        number: int = 1,
        text: str = "",
        slant: Slant | None = None,
        slab: SlabPlanes | None = None,
    ) -> Measurement:
        """Make a new one on an open volume.

        Parameters
        ----------
        volume
            Gives the positions in mm and the image.
        kind, points, axis, number, text, slant, slab
            See the class.

        Raises
        ------
        ValueError
            When the points do not make such a measurement.
        """
        oriented = volume.has_orientation
        return cls(
            id=uuid.uuid4().hex,
            number=number,
            kind=kind,
            points=tuple(_point(np.asarray(point)) for point in points),
            axis=axis,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            positions=positions_of(volume, points) if oriented else None,
            sop_instance_uid="" if slant or slab else _image(volume, axis, points),
            text=text,
            slant=slant,
            slab=slab,
        )

    def moved(self, volume: Volume, points: Sequence[Point]) -> Measurement:
        """Return the same measurement at other points; its label goes along."""
        label = self.label
        if label is not None:
            way = np.mean(points, axis=0) - np.mean(self.points, axis=0)
            label = _point(np.asarray(label) + way)
        oriented, on_none = volume.has_orientation, self.slant or self.slab
        return replace(
            self,
            points=tuple(_point(np.asarray(point)) for point in points),
            positions=positions_of(volume, points) if oriented else None,
            sop_instance_uid="" if on_none else _image(volume, self.axis, points),
            label=label,
        )

    @property
    def plane(self) -> int:
        """Index, along `axis`, of the plane it lies in; aslant, of that through its first point."""
        return round(self.points[0][self.axis])

    def steps(self, affine: Vectors) -> Vectors:
        """From one pixel of its plane to the next across and down, in voxels; shape (3, 2)."""
        return straight_steps(self.axis) if self.slant is None else self.slant.steps(affine)

    def lies_on(self, axis: int, index: int, slab: SlabPlanes | None = None) -> bool:
        """Say whether it is to be drawn on a plane of the grid, or a slab of such planes.

        What says something of stored values is drawn where these are shown: a region on its own
        plane, a probe on the planes through its voxel, either on the very slab it was drawn on, if
        it was. Lines and notes are drawn on every plane and slab that holds them; those that were
        drawn on a slab, where their depth is not known, only on slabs across the same axis.

        Parameters
        ----------
        axis
            Voxel axis at right angles to the plane.
        index
            Of the plane along that axis.
        slab
            The planes around it that are shown with it.
        """
        own = axis == self.axis and self.slant is None
        if not self._belongs(slab, own=own):
            return False
        before, after = self._reach(slab)
        along = [point[axis] - index for point in self.points]
        return min(along) >= -before and max(along) <= after

    def lies_aslant(self, slant: Slant, depth: float, slab: SlabPlanes | None = None) -> bool:
        """Say whether it is to be drawn on an oblique plane or slab; by the rule of `lies_on`.

        Parameters
        ----------
        slant
            How the plane lies.
        depth
            In mm, as `Slant.depths` counts it.
        slab
            The planes around it that are shown with it.
        """
        own = self.slant is not None and self.slant.is_parallel(slant)
        if self.positions is None or not self._belongs(slab, own=own):
            return False
        before, after = self._reach(slab)
        along = (slant.depths(self.positions) - depth) / slant.step
        return bool(along.min() >= -before and along.max() <= after)

    def _belongs(self, slab: SlabPlanes | None, *, own: bool) -> bool:
        """Say whether such planes may show it at all; `own`: they lie as those it was drawn on."""
        if self.kind.reads_values:
            return self.slab == slab and (own or (self.kind is Kind.PROBE and slab is None))
        return self.slab is None or (own and slab is not None)

    def _reach(self, slab: SlabPlanes | None) -> tuple[float, float]:
        """How far its points may lie before and after the middle plane, in planes."""
        if slab is None or self.kind.reads_values:
            return PLANE_TOLERANCE, PLANE_TOLERANCE
        return slab.before + PLANE_TOLERANCE, slab.after + PLANE_TOLERANCE


def _point(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Point:
    column, row, slice_ = (float(value) for value in values)
    return column, row, slice_


def _image(volume: Volume, axis: int, points: Sequence[Point]) -> str:
    index = round(points[0][2])
    if axis != 2 or not 0 <= index < len(volume.slices):
        return ""
    return volume.slices[index].sop_instance_uid


def carried(measurement: Measurement, volume: Volume) -> Measurement | None:
    """Bring a measurement from another grid of the same series to this one by its mm.

    Parameters
    ----------
    measurement
        Made when the series was read with other slices, or otherwise cut.
    volume
        The series as it is now.

    Returns
    -------
    Measurement or None
        None where its plane, or one of its slab, is not one of the volume's, or positions are not
        known; of an oblique plane, where a point lies outside the volume.
    """
    if measurement.positions is None or not volume.has_orientation:
        return None
    back = np.linalg.inv(volume.affine)
    points = np.array([[*position, 1.0] for position in measurement.positions]) @ back.T[:, :3]
    depths = (volume.shape[2], volume.shape[1], volume.shape[0])
    if measurement.slant is not None:
        inside = (points >= -PLANE_TOLERANCE) & (points <= np.array(depths) - PLANE_TOLERANCE)
        if not inside.all():
            return None
        return replace(measurement, label=None).moved(volume, [_point(each) for each in points])
    along = points[:, measurement.axis]
    plane = float(np.round(along[0]))
    depth = depths[measurement.axis]
    if np.abs(along - plane).max() > _CARRY_TOLERANCE or not 0 <= plane < depth:
        return None
    slab = measurement.slab
    if slab is not None:
        apart = float(np.linalg.norm(volume.affine[:3, measurement.axis]))
        alike = abs(apart / slab.step - 1.0) * slab.count <= _CARRY_TOLERANCE
        if not (alike and plane >= slab.before and plane + slab.after < depth):
            return None
    points[:, measurement.axis] = plane
    return replace(measurement, label=None).moved(volume, [_point(point) for point in points])


def grid_key(volume: Volume) -> str:
    """Name the grid of a series without naming the series or its patient.

    Returns
    -------
    str
        Half a SHA-256 of the series UID, a hyphen, and a part of one of shape and affine. What was
        measured on one grid is never shown on another without being brought there.
    """
    series = hashlib.sha256(volume.series_uid.encode()).hexdigest()[:32]
    grid = hashlib.sha256(repr(volume.shape).encode())
    grid.update(np.round(volume.affine, 4).astype("<f8").tobytes())
    return f"{series}-{grid.hexdigest()[:12]}"
