"""Lengths, angles and areas of points on a voxel grid, through its affine.

Every function takes points as (column, row, slice), continuous, and the linear part of the affine,
so that anisotropic, tilted and sheared grids come out right. Without spacing the affine is the
identity, and the results are in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.measurements.planes import Point, Vectors, parts

__all__ = ["angle", "box_area", "crosses_itself", "ellipse_area", "length", "line_angle", "outline"]

Points = Sequence[Point]


def _placed(points: Points, affine: Vectors) -> Vectors:
    """Positions up to a common shift, in mm; shape (n, 3)."""
    return np.asarray(points, np.float64) @ affine[:3, :3].T


def length(points: Points, affine: Vectors) -> float:
    """Length of the line through the points, in mm."""
    return float(np.linalg.norm(np.diff(_placed(points, affine), axis=0), axis=1).sum())


def _between(first: Vectors, second: Vectors) -> float:
    """Angle of two directions in degrees, 0 to 180; NaN where one has no length."""
    if not np.any(first) or not np.any(second):
        return float("nan")
    # By the tangent: the cosine loses its digits near 0 and 180 degrees.
    across = float(np.linalg.norm(np.cross(first, second)))
    return float(np.degrees(np.arctan2(across, float(first @ second))))


def angle(points: Points, affine: Vectors) -> float:
    """Angle at the second of three points, in degrees, 0 to 180; NaN where a leg has no length."""
    one, vertex, other = _placed(points, affine)
    return _between(one - vertex, other - vertex)


def line_angle(points: Points, affine: Vectors) -> float:
    """Angle between two lines, each given by two of four points, in degrees, 0 to 90.

    It is the acute one, whichever way the lines were drawn; NaN where a line has no length.
    """
    first, second, third, fourth = _placed(points, affine)
    drawn = _between(second - first, fourth - third)
    return min(drawn, 180.0 - drawn)


def box_area(corners: Points, steps: Vectors, affine: Vectors) -> float:
    """Area of the box with these opposite corners whose sides run along `steps`, in mm²."""
    first, other = np.asarray(corners, np.float64)
    across, down = parts(steps, other - first)
    sides = affine[:3, :3] @ steps * (across, down)
    return float(np.linalg.norm(np.cross(sides[:, 0], sides[:, 1])))


def ellipse_area(corners: Points, steps: Vectors, affine: Vectors) -> float:
    """Area of the ellipse in the box with these opposite corners, in mm²."""
    return np.pi / 4.0 * box_area(corners, steps, affine)


def outline(points: Points, affine: Vectors) -> float:
    """Area of a plane polygon that does not cross itself, in mm²."""
    placed = _placed(points, affine)
    placed = placed - placed[0]
    return 0.5 * float(np.linalg.norm(np.cross(placed, np.roll(placed, -1, axis=0)).sum(axis=0)))


def crosses_itself(points: Vectors) -> bool:
    """Say whether two sides of a closed polygon cross, ends apart; points are (n, 2)."""
    start, end = points, np.roll(points, -1, axis=0)
    half = np.linalg.norm(end - start, axis=1) / 2.0
    middle = (start + end) / 2.0
    # Sides that meet have their middles at most half of both apart; of a drawn line few are.
    gap = np.square(middle[:, None, 0] - middle[:, 0])
    gap += np.square(middle[:, None, 1] - middle[:, 1])
    one, other = np.nonzero(np.triu(gap <= np.square(half[:, None] + half), 1))

    def apart(i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Side j has its ends on either side of the line through side i."""
        way, to_start, to_end = end[i] - start[i], start[j] - start[i], end[j] - start[i]
        left = way[:, 0] * to_start[:, 1] - way[:, 1] * to_start[:, 0]
        right = way[:, 0] * to_end[:, 1] - way[:, 1] * to_end[:, 0]
        return np.asarray(np.sign(left) * np.sign(right) < 0)

    return bool(np.any(apart(one, other) & apart(other, one)))
