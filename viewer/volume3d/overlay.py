"""What is drawn over a picture in 3D: letters, scale, the slice, the clipping box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from viewer import theme
from viewer.planes.orientation import EdgeLetters, direction_letters
from viewer.viewport.texts import ScaleBar, scale_bar
from viewer.volume3d.box import EDGES

if TYPE_CHECKING:
    from inference.studies.model import Volume
    from viewer.volume3d.box import ClipBox
    from viewer.volume3d.camera import Camera

__all__ = ["Overlay"]

_HANDLE, _REACH = 6.0, 9.0
"""Radius of a box's handles as drawn, and as taken hold of, in logical pixels."""


@dataclass(frozen=True, eq=False, slots=True)
class Overlay:
    """A camera on a pane.

    Parameters
    ----------
    camera
        That of the picture that is drawn over.
    bounds
        Of the volume, LPS mm, shape (2, 3).
    width, height
        Of the pane, in logical pixels.
    """

    camera: Camera
    bounds: NDArray[np.float64]
    width: float
    height: float

    def points(self, points: NDArray[np.float64]) -> list[QPointF]:
        """Where points are on the pane; LPS mm, shape (n, 3)."""
        placed = self.camera.project(points, self.bounds, self.width, self.height)
        return [QPointF(float(x), float(y)) for x, y, _ in placed]

    def letters(self) -> EdgeLetters:
        """What lies towards each edge."""
        right, up, _ = self.camera.axes()
        return EdgeLetters(
            left=direction_letters(-right),
            right=direction_letters(right),
            top=direction_letters(up),
            bottom=direction_letters(-up),
        )

    def scale_bar(self) -> ScaleBar | None:
        """A bar of a round length; parallel projection has one scale everywhere."""
        half = self.camera.half_height(self.bounds, self.width, self.height)
        return scale_bar(self.height / 2 / half, self.width / 4)

    def draw_slice(self, painter: QPainter, volume: Volume, position: int) -> None:
        """Draw the outline of a slice."""
        _, rows, columns = volume.shape
        corners = ((0, 0), (columns - 1, 0), (columns - 1, rows - 1), (0, rows - 1))
        placed = np.array([volume.position(column, row, position) for column, row in corners])
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.on_image("accent"), 1.0))
        painter.drawPolygon(QPolygonF(self.points(placed)))

    def draw_box(self, painter: QPainter, box: ClipBox) -> None:
        """Draw the clipping box, and handles on the faces that can be dragged."""
        corners = self.points(box.corners)
        painter.setPen(QPen(theme.on_image("muted"), 1.0))
        for a, b in EDGES:
            painter.drawLine(corners[a], corners[b])
        painter.setBrush(theme.on_image("background"))
        painter.setPen(QPen(theme.on_image("accent"), 2.0))
        for face, at in enumerate(self.points(box.handles())):
            if box.draggable(face, self.camera):
                painter.drawEllipse(at, _HANDLE, _HANDLE)

    def face_at(self, box: ClipBox, at: QPointF) -> int | None:
        """Find the face whose handle is under the mouse."""
        for face, handle in enumerate(self.points(box.handles())):
            away = at - handle
            near = away.x() ** 2 + away.y() ** 2 <= _REACH**2
            if near and box.draggable(face, self.camera):
                return face
        return None
