"""The crosshair and the magnifier: where a point lies in other planes, and what is around it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from viewer import theme
from viewer.painting import saved
from viewer.viewport.framing import Framing

__all__ = ["LENS_SIDE", "LENS_ZOOM", "draw_crosshair", "draw_lens", "lens_framing"]

LENS_SIDE = 220.0
LENS_ZOOM = 2.5
"""Diameter of the magnifier in logical pixels, and how much larger it shows the picture."""

_GAP = 14.0
"""What the crosshair leaves free on every side of its point, in logical pixels."""


def draw_crosshair(painter: QPainter, at: QPointF, width: float, height: float) -> None:
    """Draw a line across and one down, through a point that stays free itself.

    Parameters
    ----------
    painter
        Of the view.
    at
        The point, in the view.
    width, height
        Size of the view.
    """
    x, y = at.x(), at.y()
    lines = [
        QLineF(0.0, y, x - _GAP, y),
        QLineF(x + _GAP, y, width, y),
        QLineF(x, 0.0, x, y - _GAP),
        QLineF(x, y + _GAP, x, height),
    ]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    for colour, wide in ((QColor(0, 0, 0, 110), 3.0), (theme.on_image("accent"), 1.0)):
        painter.setPen(QPen(colour, wide))
        painter.drawLines(lines)


def lens_framing(framing: Framing, at: QPointF) -> Framing:
    """How a picture lies in the magnifier: the point under the mouse in its middle.

    Parameters
    ----------
    framing
        Of the view.
    at
        The point, in the view.
    """
    column, row = framing.to_picture(at.x(), at.y())
    lens = replace(
        framing,
        width=LENS_SIDE,
        height=LENS_SIDE,
        zoom=1.0,
        centre_x=column / framing.columns,
        centre_y=row / framing.rows,
    )
    return replace(lens, zoom=LENS_ZOOM * framing.pixels_per_mm / lens.pixels_per_mm)


def draw_lens(painter: QPainter, picture: QImage, at: QPointF) -> None:
    """Draw the magnifier's picture, round, over the point that it shows."""
    corner = at - QPointF(LENS_SIDE / 2, LENS_SIDE / 2)
    circle = QRectF(corner, QSizeF(LENS_SIDE, LENS_SIDE))
    with saved(painter):
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPainterPath()
        path.addEllipse(circle)
        painter.setClipPath(path)
        painter.drawImage(corner, picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme.on_image("text"), 1.5))
    painter.drawEllipse(circle)
