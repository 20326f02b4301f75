"""The line along which an oblique plane cuts another one, and the grips that turn it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from viewer import theme
from viewer.panes import Content
from viewer.planes.section import why_not

if TYPE_CHECKING:
    from viewer.planes.section import Planes
    from viewer.session import ReadingSession
    from viewer.tilt import Direction, Tilt
    from viewer.viewport.framing import Framing

__all__ = ["TiltGrips", "Trace"]

_REACH = 0.36
"""Distance of a grip from the line's middle, as a part of the view's shorter side."""
_GRIP = 6.0
_NEAR = 12.0
"""Radius of a grip, and how near the mouse must come, in logical pixels."""
_LEAST_ANGLE = math.sin(math.radians(1.0))
"""Planes that are nearer to parallel than this have no line that means anything."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an oblique plane cuts the plane of a view.

    Parameters
    ----------
    at
        A point of the line, in the view.
    angle
        Its direction, in radians from the screen's right towards its bottom.
    reach
        Distance of the grips from the point, in logical pixels.
    """

    at: QPointF
    angle: float
    reach: float

    def point(self, distance: float) -> QPointF:
        """On the line, so many logical pixels from its point."""
        away = QPointF(distance * math.cos(self.angle), distance * math.sin(self.angle))
        return self.at + away

    @property
    def grips(self) -> tuple[QPointF, QPointF]:
        """What the line is turned by."""
        return self.point(-self.reach), self.point(self.reach)


@dataclass(frozen=True, slots=True)
class _Drag:
    """A grip is held: how things were when it was taken."""

    pane: int
    tilt: Tilt
    axis: Direction
    at: QPointF
    start: float


class TiltGrips:
    """Turns the oblique plane of the layout from another pane.

    Parameters
    ----------
    session
        Whose panes these are.
    number
        Of the pane that the line is drawn in.
    """

    def __init__(self, session: ReadingSession, number: int) -> None:
        self._session = session
        self._number = number
        self._drag: _Drag | None = None

    def trace(self, planes: Planes, framing: Framing) -> Trace | None:
        """Where the oblique plane cuts this one; None where there is none, or no such line."""
        arrangement, volume = self._session.arrangement, self._session.volume
        oblique = arrangement.oblique
        if oblique is None or oblique == self._number or volume is None:
            return None
        if arrangement.maximised or why_not(volume, Content.OBLIQUE):
            return None
        normal = np.asarray(arrangement.panes[oblique].tilt.normal)
        across, down = (float(normal @ axis) for axis in planes.screen_axes(volume.affine))
        if math.hypot(across, down) < _LEAST_ANGLE:
            return None
        at = framing.to_view(*planes.to_picture(self._session.cursor))
        reach = _REACH * min(framing.width, framing.height)
        return Trace(QPointF(*at), math.atan2(across, -down), reach)

    def draw(
        self, painter: QPainter, planes: Planes, framing: Framing, *, with_grips: bool
    ) -> None:
        """Draw the line, and the grips where they can be taken."""
        trace = self.trace(planes, framing)
        if trace is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        far = math.hypot(framing.width, framing.height)
        line = QLineF(trace.point(-far), trace.point(far))
        for colour, wide in ((QColor(0, 0, 0, 110), 3.0), (theme.on_image("warning"), 1.2)):
            painter.setPen(QPen(colour, wide))
            painter.drawLine(line)
            for grip in trace.grips if with_grips else ():
                painter.drawEllipse(grip, _GRIP, _GRIP)

    def holds(self, planes: Planes, framing: Framing, at: QPointF) -> bool:
        """A view position lies on a grip."""
        trace = self.trace(planes, framing)
        crosshair = self._session.arrangement.crosshair_on
        return (
            crosshair
            and trace is not None
            and any(QLineF(grip, at).length() <= _NEAR for grip in trace.grips)
        )

    def press(self, planes: Planes, framing: Framing, at: QPointF) -> bool:
        """Take a grip, if one is there."""
        trace, volume = self.trace(planes, framing), self._session.volume
        oblique = self._session.arrangement.oblique
        if trace is None or volume is None or oblique is None:
            return False
        if not self.holds(planes, framing, at):
            return False
        x, y, z = (float(value) for value in np.cross(*planes.screen_axes(volume.affine)))
        tilt = self._session.arrangement.panes[oblique].tilt
        self._drag = _Drag(oblique, tilt, (x, y, z), trace.at, _angle(trace.at, at))
        return True

    def move(self, at: QPointF) -> bool:
        """Turn the plane by as much as the grip has gone round, if one is held."""
        drag = self._drag
        if drag is None:
            return False
        way = math.degrees(_angle(drag.at, at) - drag.start)
        arrangement = self._session.arrangement
        if drag.pane != arrangement.oblique:
            self._drag = None
            return True
        pane = arrangement.panes[drag.pane]
        tilt = drag.tilt.rotated(drag.axis, way)
        arrangement.update_pane(drag.pane, replace(pane, tilt=tilt))
        return True

    def release(self) -> bool:
        """Let go of the grip, if one is held."""
        held, self._drag = self._drag is not None, None
        return held


def _angle(middle: QPointF, at: QPointF) -> float:
    return math.atan2(at.y() - middle.y(), at.x() - middle.x())
