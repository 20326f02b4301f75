"""What a measurement looks like in the view: lines, handles, and what the mouse is near."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPolygonF

from inference.measurements import Kind, Measurement, Point
from inference.measurements.axes import with_end
from inference.measurements.planes import Vectors, parts

if TYPE_CHECKING:
    from viewer.measuring.projection import Projection

__all__ = ["bounds", "handles", "is_near", "strokes", "with_handle"]

_ELLIPSE_SIDES = 72
_LEAST_APART = 8
"""Points of an outline from one handle to the next, at least."""
_MOST_HELD = 16
"""Handles of an outline."""


def _corners(points: Sequence[Point], steps: Vectors) -> tuple[Point, Point, Point, Point]:
    """The four corners of the box of two opposite ones, in turn."""
    first, second = points[0], points[1]
    across, _ = parts(steps, np.subtract(second, first))
    way = steps[:, 0] * across
    return first, _point(first + way), second, _point(second - way)


def _point(values: Vectors) -> Point:
    column, row, slice_ = (float(value) for value in values)
    return column, row, slice_


def handles(measurement: Measurement, steps: Vectors) -> tuple[Point, ...]:
    """The points that can be taken hold of, one by one.

    Corners of a rectangle, ends of the axes of an ellipse, some of the points of a freehand region.

    Parameters
    ----------
    measurement
        Whose.
    steps
        As `Projection.steps` has them.
    """
    points = measurement.points
    if measurement.kind is Kind.RECTANGLE:
        return _corners(points, steps)
    if measurement.kind is Kind.ELLIPSE:
        corners = _corners(points, steps)
        return tuple(_middle(corners[i], corners[(i + 1) % 4]) for i in range(4))
    if measurement.kind is Kind.FREEHAND:
        return tuple(points[place] for place in _held(len(points)))
    return points


def _held(count: int) -> list[int]:
    """Which of the points of an outline are handles: some way apart, and not too many."""
    apart = max(_LEAST_APART, math.ceil(count / _MOST_HELD))
    many = max(3, count // apart)
    return [round(number * count / many) for number in range(many)]


def _pulled(points: Sequence[Point], handle: int, point: Point) -> tuple[Point, ...]:
    """An outline whose handle was taken elsewhere; its points follow, less towards the next one."""
    held = _held(len(points))
    place, next_one = held[handle], held[(handle + 1) % len(held)]
    before = (place - held[handle - 1]) % len(points)
    after = (next_one - place) % len(points)
    given = np.asarray(points, np.float64)
    away = (np.arange(len(points)) - place) % len(points)
    back = len(points) - away
    share = np.where(away < after, away / after, np.minimum(back / before, 1.0))
    weight = (1.0 + np.cos(np.pi * share)) / 2.0
    way = np.asarray(point) - given[place]
    return tuple(_point(each) for each in given + weight[:, None] * way)


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2, (one[2] + other[2]) / 2


def with_handle(
    measurement: Measurement, handle: int, point: Point, steps: Vectors, affine: Vectors
) -> tuple[Point, ...]:
    """Points of the measurement when one of its handles is elsewhere.

    Parameters
    ----------
    measurement
        As it is.
    handle
        Index into `handles`.
    point
        Where that handle goes.
    steps
        As `Projection.steps` has them.
    affine
        Voxels to mm: what is at right angles there stays so.
    """
    if measurement.kind is Kind.BIDIRECTIONAL:
        return with_end(measurement.points, handle, point, affine)
    if measurement.kind is Kind.FREEHAND:
        return _pulled(measurement.points, handle, point)
    points = [np.asarray(each) for each in measurement.points]

    def follow(corner: int, side: int) -> None:
        """Take a corner along one side of the box as far as the point has gone."""
        way = parts(steps, np.asarray(point) - points[corner])[side]
        points[corner] = points[corner] + steps[:, side] * way

    if measurement.kind is Kind.RECTANGLE:
        follow(int(handle in {1, 2}), 0)
        follow(int(handle in {2, 3}), 1)
    elif measurement.kind is Kind.ELLIPSE:
        # Handle 0 lies on the side of the first corner, and so on around the box.
        follow(int(handle in {1, 2}), int(handle in {0, 2}))
    else:
        points[handle] = np.asarray(point)
    return tuple(_point(each) for each in points)


def strokes(
    kind: Kind, points: Sequence[Point], steps: Vectors, projection: Projection
) -> list[QPolygonF]:
    """Lines in view coordinates; what has too few points yet is drawn as far as it goes."""
    if kind is Kind.RECTANGLE and len(points) == 2:
        return [_closed(projection, _corners(points, steps))]
    if kind is Kind.ELLIPSE and len(points) == 2:
        return [_closed(projection, _ellipse(points, steps))]
    if kind is Kind.FREEHAND:
        return [_closed(projection, points)]
    if kind in {Kind.COBB, Kind.BIDIRECTIONAL}:
        return [projection.line(points[i : i + 2]) for i in range(0, len(points), 2)]
    return [projection.line(points)]


def _lines(measurement: Measurement, projection: Projection) -> list[QPolygonF]:
    steps = projection.steps(measurement)
    return strokes(measurement.kind, measurement.points, steps, projection)


def _closed(projection: Projection, points: Sequence[Point]) -> QPolygonF:
    return projection.line([*points, points[0]])


def _ellipse(points: Sequence[Point], steps: Vectors) -> list[Point]:
    first, second = np.asarray(points)
    half = parts(steps, (second - first) / 2.0)
    line = []
    for step in range(_ELLIPSE_SIDES):
        turn = 2.0 * math.pi * step / _ELLIPSE_SIDES
        away = steps @ (half[0] * math.cos(turn), half[1] * math.sin(turn))
        line.append(_point((first + second) / 2.0 + away))
    return line


def bounds(measurement: Measurement, projection: Projection) -> QRectF:
    """Box around it in the view, its label apart."""
    lines = _lines(measurement, projection)
    box = lines[0].boundingRect()
    for line in lines[1:]:
        box = box.united(line.boundingRect())
    return box


def is_near(measurement: Measurement, at: QPointF, projection: Projection, reach: float) -> bool:
    """Say whether its lines pass a view position at no more than so many logical pixels."""
    lines = _lines(measurement, projection)
    if measurement.kind in {Kind.PROBE, Kind.TEXT}:
        return QLineF(at, lines[0].first()).length() <= reach
    return any(
        _to_segment(at, line.at(i), line.at(i + 1)) <= reach
        for line in lines
        if line.boundingRect().adjusted(-reach, -reach, reach, reach).contains(at)
        for i in range(line.count() - 1)
    )


def _to_segment(at: QPointF, start: QPointF, end: QPointF) -> float:
    way, apart = end - start, at - start
    square = QPointF.dotProduct(way, way)
    share = QPointF.dotProduct(apart, way) / square if square > 0 else 0.0
    foot = start + way * min(1.0, max(0.0, share))
    return QLineF(at, foot).length()
