"""How each kind is drawn: small state machines of press, move and release.

They hold points on the voxel grid, so that zooming and panning while drawing does no harm. Points
may be set by dragging or by single clicks.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PySide6.QtCore import QLineF, QPointF

from inference.measurements import Kind, Point
from inference.measurements.axes import across
from viewer.measuring.projection import Pointer, Projection

if TYPE_CHECKING:
    from inference.measurements.planes import Vectors
    from inference.studies.model import Volume

__all__ = ["CLICK", "Drawing", "begin"]

CLICK = 4.0
"""The mouse may stray so many logical pixels in a click."""

_LEAST = 2.0
"""Logical pixels below which a line or a side is a slip of the hand."""

_STROKE_STEP = 3.0
"""Logical pixels between the points of a freehand outline."""

_STEP_DEGREES = 45.0


class Drawing(Protocol):
    """A measurement that is being drawn."""

    kind: Kind
    points: tuple[Point, ...]
    """As they would be if it ended now."""
    done: bool
    """Its last point has been set."""

    def press(self, pointer: Pointer) -> None:
        """The left button went down."""

    def move(self, pointer: Pointer) -> None:
        """The mouse moved."""

    def release(self, pointer: Pointer) -> None:
        """The left button went up."""

    def is_worth_it(self, projection: Projection) -> bool:
        """It is more than a slip of the hand."""


def begin(kind: Kind, volume: Volume | None) -> Drawing:
    """Return the state machine of a kind.

    Parameters
    ----------
    kind
        What is to be drawn.
    volume
        On what: its affine says what lies at right angles.
    """
    if kind is Kind.BIDIRECTIONAL:
        return _Axes(np.eye(4) if volume is None else volume.affine)
    if kind is Kind.FREEHAND:
        return _Stroke()
    if kind in {Kind.PROBE, Kind.TEXT}:
        return _Click(kind)
    return _Points(kind)


class _Points:
    """A known number of points, one after the other."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.points: tuple[Point, ...] = ()
        self.done = False
        self._set: list[Point] = []
        self._pressed: QPointF | None = None

    def press(self, pointer: Pointer) -> None:
        self._pressed = pointer.at
        self._set.append(self._constrained(pointer))
        self.points = tuple(self._set)

    def move(self, pointer: Pointer) -> None:
        if not self._set:
            return
        if self._all_set():
            # The last one follows the mouse until the button is up.
            self._set.pop()
            self._set.append(self._constrained(pointer))
            self.points = tuple(self._set)
        elif self._pressed is None or _apart(self._pressed, pointer.at) > CLICK:
            self.points = (*self._set, self._constrained(pointer))

    def release(self, pointer: Pointer) -> None:
        if self._pressed is None:
            return
        dragged = _apart(self._pressed, pointer.at) > CLICK
        self._pressed = None
        if dragged and not self._all_set():
            self._set.append(self._constrained(pointer))
            self.points = tuple(self._set)
        self.done = self._all_set()

    def is_worth_it(self, projection: Projection) -> bool:
        shown = [projection.view(point) for point in self.points]
        if self.kind.is_region:
            away = shown[1] - shown[0]
            return min(abs(away.x()), abs(away.y())) >= _LEAST
        lines = list(pairwise(shown))
        if self.kind is Kind.COBB:
            lines = lines[::2]
        return all(_apart(one, other) >= _LEAST for one, other in lines)

    def _all_set(self) -> bool:
        return len(self._set) == self.kind.points

    def _constrained(self, pointer: Pointer) -> Point:
        """Keep to steps of 45°, or to a square, from the point before."""
        before = self._set[: self.kind.points - 1]
        lone = self.kind is Kind.COBB and len(before) == 2  # the second line begins anywhere
        if not pointer.shift or not before or lone:
            return pointer.point
        anchor = pointer.projection.view(before[-1])
        way = pointer.at - anchor
        if self.kind.is_region:
            side = max(abs(way.x()), abs(way.y()))
            way = QPointF(math.copysign(side, way.x()), math.copysign(side, way.y()))
        else:
            step = math.radians(_STEP_DEGREES)
            turn = round(math.atan2(way.y(), way.x()) / step) * step
            along = way.x() * math.cos(turn) + way.y() * math.sin(turn)
            way = QPointF(along * math.cos(turn), along * math.sin(turn))
        return pointer.projection.point(anchor + way)


class _Axes:
    """A line, then another across it, whose end follows the mouse until it is clicked."""

    kind = Kind.BIDIRECTIONAL

    def __init__(self, affine: Vectors) -> None:
        self.points: tuple[Point, ...] = ()
        self.done = False
        self._first = _Points(Kind.LENGTH)
        self._affine = affine
        self._pressed = False

    def press(self, pointer: Pointer) -> None:
        if self._first.done:
            self._pressed = True
            self._cross(pointer)
        else:
            self._first.press(pointer)
            self.points = self._first.points

    def move(self, pointer: Pointer) -> None:
        if self._first.done:
            self._cross(pointer)
        else:
            self._first.move(pointer)
            self.points = self._first.points

    def release(self, pointer: Pointer) -> None:
        if not self._first.done:
            self._first.release(pointer)
            self.points = self._first.points
        elif self._pressed:
            self._cross(pointer)
            self.done = True

    def is_worth_it(self, projection: Projection) -> bool:
        shown = [projection.view(point) for point in self.points]
        return all(_apart(shown[i], shown[i + 1]) >= _LEAST for i in (0, 2))

    def _cross(self, pointer: Pointer) -> None:
        self.points = across(self._first.points, pointer.point, self._affine)


class _Stroke:
    """An outline drawn with the button held down; it closes itself."""

    kind = Kind.FREEHAND

    def __init__(self) -> None:
        self.points: tuple[Point, ...] = ()
        self.done = False

    def press(self, pointer: Pointer) -> None:
        self.points = (pointer.point,)

    def move(self, pointer: Pointer) -> None:
        last = pointer.projection.view(self.points[-1])
        if _apart(last, pointer.at) >= _STROKE_STEP:
            self.points = (*self.points, pointer.point)

    def release(self, pointer: Pointer) -> None:
        self.done = True

    def is_worth_it(self, projection: Projection) -> bool:
        shown = [projection.view(point) for point in self.points]
        wide = max(at.x() for at in shown) - min(at.x() for at in shown)
        high = max(at.y() for at in shown) - min(at.y() for at in shown)
        return len(shown) >= self.kind.points and min(wide, high) >= _LEAST


class _Click:
    """One place: a probe takes the middle of the pixel."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.points: tuple[Point, ...] = ()
        self.done = False

    def press(self, pointer: Pointer) -> None:
        self.move(pointer)

    def move(self, pointer: Pointer) -> None:
        probe = self.kind is Kind.PROBE
        self.points = (pointer.projection.probed(pointer.at) if probe else pointer.point,)

    def release(self, pointer: Pointer) -> None:
        self.done = True

    def is_worth_it(self, projection: Projection) -> bool:
        return True


def _apart(one: QPointF, other: QPointF) -> float:
    return QLineF(one, other).length()
