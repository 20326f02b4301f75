"""Two diameters at right angles: the long axis of a lesion, and the short one across it.

Points are (column, row, slice) on the voxel grid; right angles are those in mm, through the affine.
The four points are the ends of the axis drawn first, then those of the one across it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from inference.measurements.planes import Point, Vectors

__all__ = ["across", "with_end"]

Points = Sequence[Point]


def across(ends: Points, to: Point, affine: Vectors) -> tuple[Point, ...]:
    """Lay a second axis across a first one, as far to either side.

    Parameters
    ----------
    ends
        Both ends of the first axis.
    to
        Where an end of the second one is wanted; it goes to the nearest place that lies across
        the first axis, between its ends.
    affine
        Voxels to mm.

    Returns
    -------
    tuple
        The four points.
    """
    start, end, wanted = _placed((*ends, to), affine)
    foot, side = _foot_and_side(start, end, wanted)
    return _back((start, end, foot + side, foot - side), affine)


def with_end(points: Points, number: int, to: Point, affine: Vectors) -> tuple[Point, ...]:
    """Take one of the four ends elsewhere, so that the axes stay at right angles and cross.

    An end of the first axis turns and stretches it, and the second one turns along, crossing it
    at the same share of its length. An end of the second axis moves to and fro across the first,
    and takes the place of crossing along.

    Parameters
    ----------
    points
        The four points.
    number
        Which of them.
    to
        Where it is wanted, in the same plane.
    affine
        Voxels to mm.
    """
    start, end, one, other = _placed(points, affine)
    (wanted,) = _placed((to,), affine)
    if number < 2:
        return _back(_turned((start, end, one, other), number, wanted), affine)
    foot, side = _foot_and_side(start, end, wanted)
    old_foot, _ = _foot_and_side(start, end, one)
    opposite = (one, other)[3 - number] - old_foot
    if float(side @ opposite) > 0:
        # Beyond the first axis they would no longer cross.
        side = np.zeros(3)
    ends = [one + (foot - old_foot), other + (foot - old_foot)]
    ends[number - 2] = foot + side
    return _back((start, end, *ends), affine)


def _turned(placed: Sequence[Vectors], number: int, wanted: Vectors) -> tuple[Vectors, ...]:
    """The axes with an end of the first one elsewhere."""
    start, end, one, other = placed
    axis, length = end - start, float(np.linalg.norm(end - start))
    foot, _ = _foot_and_side(start, end, one)
    share = float((foot - start) @ axis) / length**2 if length else 0.5
    ends = [start, end]
    ends[number] = wanted
    new = ends[1] - ends[0]
    new_length = float(np.linalg.norm(new))
    way = one - other
    wide = float(np.linalg.norm(way))
    if not (length and new_length and wide):
        return (*ends, one, other)
    along, aside = axis / length, way / wide
    turned = (new @ along) * aside - (new @ aside) * along
    turned = turned / float(np.linalg.norm(turned))
    place = ends[0] + share * new
    reach = [float((each - foot) @ aside) for each in (one, other)]
    return (*ends, place + reach[0] * turned, place + reach[1] * turned)


def _foot_and_side(start: Vectors, end: Vectors, wanted: Vectors) -> tuple[Vectors, Vectors]:
    """Where the line across meets the axis, between its ends, and the way from there."""
    axis = end - start
    square = float(axis @ axis)
    if not square:
        return start, np.zeros(3)
    share = float((wanted - start) @ axis) / square
    side = wanted - (start + share * axis)
    return start + min(1.0, max(0.0, share)) * axis, side


def _placed(points: Points, affine: Vectors) -> list[Vectors]:
    return list(np.asarray(points, np.float64) @ affine[:3, :3].T)


def _back(placed: Sequence[Vectors], affine: Vectors) -> tuple[Point, ...]:
    points = np.linalg.solve(affine[:3, :3], np.transpose(placed)).T
    return tuple((float(x), float(y), float(z)) for x, y, z in points)
