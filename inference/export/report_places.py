"""Where a measurement of a DICOM report lies: on an image, or in the patient.

On a slice it is given by pixels of its image. On coronal, sagittal and oblique planes there is no
image, so it is given in mm of the frame of reference that the images share (DICOM PS3.3, C.18.6
and C.18.9).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inference.measurements import Kind
from inference.measurements.planes import Vectors, parts

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from inference.studies.model import Volume

__all__ = ["can_be_placed", "is_on_image", "places", "region", "slices_of"]

_Line = tuple[str, NDArray[np.float64]]
"""Graphic type, and (column, row, slice) points."""


def is_on_image(each: Measurement) -> bool:
    """It lies on a slice as it was acquired."""
    return each.axis == 2 and each.slant is None and each.slab is None


def can_be_placed(each: Measurement, volume: Volume) -> bool:
    """There is an image, or a frame of reference, to give its place in.

    Values of a slab have none: an outline in the patient would pass them off as those of a plane.
    """
    if each.slab is not None and each.kind.reads_values:
        return False
    named = bool(volume.frame_of_reference) and each.positions is not None
    return is_on_image(each) or named


def slices_of(each: Measurement, volume: Volume) -> range:
    """Numbers of the slices that it lies on or crosses."""
    if is_on_image(each):
        return range(each.plane, each.plane + 1)
    if each.slab is not None and each.slant is None and each.axis == 2:
        return range(each.plane - each.slab.before, each.plane + each.slab.after + 1)
    along = np.array(each.points)[:, 2]
    last = volume.shape[0] - 1
    first, end = np.clip([np.floor(along.min()), np.ceil(along.max())], 0, last)
    return range(int(first), int(end) + 1)


def places(each: Measurement, volume: Volume) -> list[Any]:
    """The lines of a measurement without an area, as coordinates of its numbers."""
    import highdicom as hd

    if is_on_image(each):
        image = _image(each, volume)
        return [
            hd.sr.CoordinatesForMeasurement(kind, _on_image(line), image)
            for kind, line in _lines(each, volume)
        ]
    return [
        hd.sr.CoordinatesForMeasurement3D(
            kind, _in_patient(line, volume), volume.frame_of_reference
        )
        for kind, line in _lines(each, volume)
    ]


def region(each: Measurement, volume: Volume) -> Any:
    """The outline of a region."""
    import highdicom as hd

    ((kind, line),) = _lines(each, volume)
    if is_on_image(each):
        return hd.sr.ImageRegion(kind, _on_image(line), _image(each, volume))
    # In the patient a closed line is a kind of its own.
    kind = "POLYGON" if kind == "POLYLINE" else kind
    return hd.sr.ImageRegion3D(kind, _in_patient(line, volume), volume.frame_of_reference)


def _image(each: Measurement, volume: Volume) -> Any:
    import highdicom as hd

    source = volume.slices[each.plane]
    several = sum(other.path == source.path for other in volume.slices) > 1
    frames = [source.frame + 1] if several or source.frame else None
    return hd.sr.SourceImageForRegion(source.sop_class_uid, source.sop_instance_uid, frames)


def _on_image(line: Vectors) -> NDArray[np.float32]:
    """Voxel grid -> image coordinates, whose origin is the corner of the first pixel (C.18.6)."""
    return np.asarray(line[:, :2], np.float32) + np.float32(0.5)


def _in_patient(line: Vectors, volume: Volume) -> Vectors:
    """Voxel grid -> LPS mm."""
    return np.asarray(line @ volume.affine[:3, :3].T + volume.affine[:3, 3])


def _lines(each: Measurement, volume: Volume) -> list[_Line]:
    points = np.array(each.points, np.float64)
    if each.kind is Kind.PROBE:
        return [("POINT", points)]
    if each.kind in {Kind.COBB, Kind.BIDIRECTIONAL}:
        return [("POLYLINE", points[:2]), ("POLYLINE", points[2:])]
    if each.kind is Kind.FREEHAND:
        return [("POLYLINE", _closed(points))]
    if each.kind in {Kind.LENGTH, Kind.ANGLE}:
        return [("POLYLINE", points)]
    steps = each.steps(volume.affine)
    first, opposite = points
    across, down = (steps * parts(steps, opposite - first)).T
    if each.kind is Kind.RECTANGLE:
        box = [first, first + across, opposite, first + down]
        return [("POLYLINE", _closed(box))]
    middle = (first + opposite) / 2.0
    ends = [middle - across / 2.0, middle + across / 2.0]
    others = [middle - down / 2.0, middle + down / 2.0]
    # The ends of the longer axis come first.
    sizes = [np.linalg.norm(_length(way, each, volume)) for way in (across, down)]
    return [("ELLIPSE", np.array([*others, *ends] if sizes[1] > sizes[0] else [*ends, *others]))]


def _length(way: Vectors, each: Measurement, volume: Volume) -> Vectors:
    """A way as it is long on the image, or in the patient."""
    return way if is_on_image(each) else np.asarray(volume.affine[:3, :3] @ way)


def _closed(points: Sequence[Vectors] | Vectors) -> Vectors:
    return np.array([*points, points[0]])
