"""What a measurement says of a volume: numbers with their unit, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from inference.measurements import geometry
from inference.measurements.model import Kind
from inference.measurements.planes import Vectors, plane_axes
from inference.measurements.regions import Region, region_of
from inference.measurements.slabs import Merge
from inference.studies.codes import Code
from inference.studies.model import Unit

if TYPE_CHECKING:
    from inference.measurements.model import Measurement
    from inference.studies.model import Volume

__all__ = [
    "DETECTOR_NOTE", "FILM_NOTE", "NOT_COMPUTED", "NO_SPACING_NOTE", "OBLIQUE_NOTE",
    "PIXEL_SHAPE_NOTE", "PROJECTED_NOTE", "Values", "measure",
]  # fmt: skip

NOT_COMPUTED: Final = "not computed"
NO_SPACING_NOTE: Final = "in pixels, taken as square: the file does not say how large they are"
PIXEL_SHAPE_NOTE: Final = (
    "in widths of a pixel: the file says how high pixels are for their width, and no more"
)
DETECTOR_NOTE: Final = (
    "on the detector: not corrected for magnification, larger than in the patient"
)
FILM_NOTE: Final = (
    "on the scanned film: not corrected for magnification, larger than in the patient"
)
CROSSING_NOTE: Final = "the outline crosses itself: its area is that of its pixels"
OBLIQUE_NOTE: Final = (
    "on an oblique plane, interpolated between voxels: the SD is smaller than that of voxels"
)

PROJECTED_NOTE: Final = (
    "on a slab: as it is long and wide in the picture, without its way through the slab"
)
"""Of lengths and angles."""

_MANY: Final = 1000
"""Areas from here on are written without a decimal."""


@dataclass(frozen=True, slots=True)
class Values:
    """The numbers of one measurement; None where it has no such number, or none was computed.

    Parameters
    ----------
    kind
        Of the measurement.
    length
        In mm, or in pixels where `in_mm` is False; of a bidirectional measurement the longer axis.
    short
        The shorter axis of a bidirectional measurement, in the same unit.
    angle
        In degrees: 0 to 180 at the vertex of an angle, 0 to 90 between the lines of a Cobb angle.
    area
        Of the outline, in mm² or square pixels.
    region
        What the stored values in the outline are.
    value
        Stored value of the voxel under a probe.
    in_mm
        The pixel spacing is known.
    unit
        Of the stored values.
    whole
        Stored values are whole numbers.
    notes
        What has to be said of the numbers.
    """

    kind: Kind
    length: float | None = None
    short: float | None = None
    angle: float | None = None
    area: float | None = None
    region: Region | None = None
    value: float | None = None
    in_mm: bool = True
    unit: Unit = Unit.HU
    whole: bool = True
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Write the numbers, a line each; empty for a text and an arrow."""
        if self.kind in {Kind.LENGTH, Kind.BIDIRECTIONAL}:
            return (self._length(),)
        if self.kind in {Kind.ANGLE, Kind.COBB}:
            return (self._angle(),)
        if self.kind is Kind.PROBE:
            return ("no data" if self.value is None else self._stored(self.value),)
        return () if self.region is None else self._region(self.region)

    @property
    def summary(self) -> str:
        """The same in one line."""
        return "; ".join(self.lines)

    @property
    def _where(self) -> str:
        """The plane of lengths and areas, where that is not the patient's."""
        if FILM_NOTE in self.notes:
            return " on film"
        return " on detector" if DETECTOR_NOTE in self.notes else ""

    def _length(self) -> str:
        if self.length is None:
            return NOT_COMPUTED
        across = "" if self.short is None else f" × {self.short:.1f}"
        unit = "mm" if self.in_mm else "px"
        detector = self._where if self.in_mm else ""
        return f"{self.length:.1f}{across} {unit}{detector}"

    def _angle(self) -> str:
        if self.angle is None:
            return NOT_COMPUTED
        return f"{self.angle:.1f}°" + (" Cobb" if self.kind is Kind.COBB else "")

    def _region(self, region: Region) -> tuple[str, ...]:
        detector = self._where
        size = NOT_COMPUTED
        if self.area is not None:
            digits = 0 if self.area >= _MANY else 1
            size = f"{self.area:.{digits}f} {'mm²' if self.in_mm else 'px²'}{detector}"
        what = "sample" if OBLIQUE_NOTE in self.notes else "pixel"
        count = f"{region.pixels} {what}" + ("s" if region.pixels != 1 else "")
        first = f"{size}, {count}"
        if region.left_out:
            first += f" ({region.left_out} without data)"
        mean, sd, low, high = region.mean, region.sd, region.minimum, region.maximum
        if mean is None or sd is None or low is None or high is None:
            inside = "no sample inside" if what == "sample" else "no pixel centre inside"
            why = f"no {what} has a value" if region.left_out else inside
            return first, f"mean {NOT_COMPUTED}: {why}"
        return (
            first,
            f"mean {self._stored(mean, 1)}, SD {sd:.1f}",
            f"min {self._number(low)}, max {self._number(high)}",
        )

    def _stored(self, value: float, digits: int | None = None) -> str:
        number = self._number(value, digits)
        return f"{number} HU" if self.unit is Unit.HU else f"grey {number}"

    def _number(self, value: float, digits: int | None = None) -> str:
        places = (0 if self.whole else 1) if digits is None else digits
        # No negative zero, and a real minus sign.
        return f"{round(value, places) + 0.0:.{places}f}".replace("-", "−")


def measure(measurement: Measurement, volume: Volume) -> Values:
    """Compute what a measurement says of the volume it lies on.

    Lengths, angles and areas come from its outline through the affine, everything else from the
    stored values; the window on the screen has no part in it.

    Parameters
    ----------
    measurement
        Its points lie on the grid of `volume`.
    volume
        The open series.
    """
    kind, points, affine = measurement.kind, measurement.points, volume.affine
    region = region_of(measurement, volume) if kind.is_region else None
    notes = _notes(measurement, volume)
    length = short = area = angle = value = None
    if kind is Kind.LENGTH:
        length = geometry.length(points, affine)
    elif kind is Kind.BIDIRECTIONAL:
        # The one drawn first is the longer one as a rule; in a report it always stands first.
        short, length = sorted(
            (geometry.length(points[:2], affine), geometry.length(points[2:], affine))
        )
    elif kind is Kind.ANGLE:
        angle = _known(geometry.angle(points, affine))
    elif kind is Kind.COBB:
        angle = _known(geometry.line_angle(points, affine))
    elif kind is Kind.RECTANGLE:
        area = geometry.box_area(points, measurement.steps(affine), affine)
    elif kind is Kind.ELLIPSE:
        area = geometry.ellipse_area(points, measurement.steps(affine), affine)
    elif kind is Kind.PROBE:
        value = _probe(measurement, volume)
    if kind is Kind.FREEHAND and region is not None:
        if geometry.crosses_itself(_flat(measurement)):
            sides = (affine[:3, :3] @ measurement.steps(affine)).T
            pixel = np.linalg.norm(np.cross(sides[0], sides[1]))
            area = float((region.pixels + region.left_out) * pixel)
            notes = (*notes, CROSSING_NOTE)
        else:
            area = geometry.outline(points, affine)
    return Values(
        kind=kind,
        length=length,
        short=short,
        angle=angle,
        area=area,
        region=region,
        value=value,
        in_mm=volume.has_geometry,
        unit=volume.unit,
        whole=volume.array.dtype.kind in "iu" and not _is_between(measurement),
        notes=notes,
    )


def _is_between(measurement: Measurement) -> bool:
    """Its values are computed from several stored ones, not stored themselves."""
    on_mean = measurement.slab is not None and measurement.slab.merge is Merge.MEAN
    return on_mean or (measurement.slant is not None and measurement.kind.is_region)


def _flat(measurement: Measurement) -> Vectors:
    """Its points in its plane, counted in pixels; shape (n, 2)."""
    if measurement.slant is not None and measurement.positions is not None:
        return measurement.slant.flat(measurement.positions)
    return np.array(measurement.points)[:, list(plane_axes(measurement.axis))]


def _known(number: float) -> float | None:
    return number if np.isfinite(number) else None


def _probe(measurement: Measurement, volume: Volume) -> float | None:
    """Stored value of the voxel in which the point lies; None outside and where there is none.

    On a slab it is what the planes give there: voxels above each other, or of an oblique slab those
    that lie nearest to the places above each other.
    """
    slab, slant = measurement.slab, measurement.slant
    places = np.array([measurement.points[0]])
    if slab is not None:
        away = np.arange(-slab.before, slab.after + 1, dtype=np.float64)
        way = np.eye(3)[measurement.axis]
        if slant is not None:
            way = np.linalg.solve(volume.affine[:3, :3], slant.normal * slab.step)
        places = places + away[:, None] * way
    stored = np.rint(places).astype(int)
    if ((stored < 0) | (stored >= volume.shape[::-1])).any():
        return None
    values = volume.array[tuple(stored.T[::-1])]
    if not np.isfinite(values).all() or volume.is_padding(values).any():
        return None
    return float(values[0] if slab is None else slab.merged(values))


def _notes(measurement: Measurement, volume: Volume) -> tuple[str, ...]:
    """What has to be said of the numbers, whatever they are."""
    kind, slab = measurement.kind, measurement.slab
    notes = []
    if kind not in {Kind.PROBE, Kind.TEXT, Kind.ARROW}:
        if not volume.has_geometry:
            square = volume.spacing[1] == volume.spacing[2]
            notes.append(NO_SPACING_NOTE if square else PIXEL_SHAPE_NOTE)
        elif any(problem.code == Code.IMAGER_SPACING for problem in volume.problems):
            notes.append(DETECTOR_NOTE)
        elif any(problem.code == Code.FILM_SPACING for problem in volume.problems):
            notes.append(FILM_NOTE)
    if slab is not None:
        if kind in {Kind.LENGTH, Kind.BIDIRECTIONAL, Kind.ANGLE, Kind.COBB}:
            notes.append(PROJECTED_NOTE)
        elif kind.reads_values:
            notes.append(f"of the {slab.words}")
    if measurement.slant is not None and kind.is_region:
        notes.append(OBLIQUE_NOTE)
    return tuple(notes)
