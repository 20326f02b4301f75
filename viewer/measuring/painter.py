"""Draws measurements: thin light lines with a dark edge, readable on white and on black."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from inference.measurements import Kind, Measurement
from viewer import theme
from viewer.measuring.labels import PAD
from viewer.measuring.shapes import handles, strokes

if TYPE_CHECKING:
    from viewer.measuring.projection import Projection

__all__ = ["Label", "draw_label", "draw_leader", "draw_shape", "draw_strokes"]

_HANDLE = 8.0
"""Side of a handle in logical pixels."""

_HALO = QColor(0, 0, 0, 200)
_BACKING = QColor(0, 0, 0, 190)
"""As behind every other text on the picture."""

_LINE = 1.4
_EDGE = 3.6
_ARROW_LENGTH = 11.0
_ARROW_HALF = 4.0
_CROSS = (3.0, 9.0)
"""A probe's lines begin and end so far from its pixel: the pixel itself stays to be seen."""

_LEADER_FROM = 24.0
"""A label so far from its measurement is tied to it by a line."""


@dataclass(frozen=True, slots=True)
class Label:
    """The words of one measurement at their place."""

    measurement: Measurement
    rect: QRectF
    lines: tuple[str, ...]


def draw_shape(
    painter: QPainter, measurement: Measurement, projection: Projection, *, selected: bool
) -> None:
    """Draw the lines, and the handles of the selected one."""
    steps = projection.steps(measurement)
    lines = strokes(measurement.kind, measurement.points, steps, projection)
    draw_strokes(painter, measurement.kind, lines, selected=selected)
    if selected:
        painter.setPen(QPen(theme.on_image("accent"), 1.0))
        painter.setBrush(theme.on_image("canvas"))
        for point in handles(measurement, steps):
            at = projection.view(point)
            painter.drawRect(QRectF(at.x() - _HANDLE / 2, at.y() - _HANDLE / 2, _HANDLE, _HANDLE))


def draw_strokes(
    painter: QPainter, kind: Kind, lines: Sequence[QPolygonF], *, selected: bool
) -> None:
    """Draw lines of a kind, finished or not."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = theme.on_image("accent" if selected else "text")
    if kind is Kind.TEXT:
        return
    shown = _cross(lines[0].first()) if kind is Kind.PROBE else list(lines)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(_HALO, _EDGE), QPen(colour, _LINE)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for line in shown:
            painter.drawPolyline(line)
    if kind is Kind.ARROW and lines[0].count() > 1:
        _draw_head(painter, lines[0].at(0), lines[0].at(1), colour)
    if kind is Kind.COBB and len(lines) == 2 and lines[1].count() == 2:
        middles = [(line.at(0) + line.at(1)) / 2 for line in lines]
        painter.setPen(QPen(colour, 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(middles[0], middles[1])


def _cross(at: QPointF) -> list[QPolygonF]:
    near, far = _CROSS
    ways = (QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1))
    return [QPolygonF([at + way * near, at + way * far]) for way in ways]


def _draw_head(painter: QPainter, tip: QPointF, tail: QPointF, colour: QColor) -> None:
    shaft = QLineF(tip, tail)
    if shaft.length() == 0:
        return
    way = QPointF(shaft.dx(), shaft.dy()) / shaft.length()
    side = QPointF(-way.y(), way.x()) * _ARROW_HALF
    foot = tip + way * _ARROW_LENGTH
    painter.setPen(QPen(_HALO, 1.0))
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([tip, foot + side, foot - side]))


def draw_leader(painter: QPainter, label: Label, shape: QRectF, *, selected: bool) -> None:
    """Tie a label to its measurement where it is far from it."""
    start, end = _nearest(label.rect, shape.center()), _nearest(shape, label.rect.center())
    if QLineF(start, end).length() <= _LEADER_FROM:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(_HALO, _EDGE))
    painter.drawLine(start, end)
    painter.setPen(
        QPen(theme.on_image("accent" if selected else "text"), 1.0, Qt.PenStyle.DashLine)
    )
    painter.drawLine(start, end)


def draw_label(painter: QPainter, label: Label, *, selected: bool) -> None:
    """Draw the words; those of the selected measurement have a frame.

    Their colour stays, since that of the frame would be hard to read on a white picture.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.on_image("accent"), 1.0) if selected else Qt.PenStyle.NoPen)
    painter.setBrush(_BACKING)
    painter.drawRoundedRect(label.rect, 3.0, 3.0)
    painter.setPen(theme.on_image("text"))
    painter.setFont(theme.font("small"))
    height = QFontMetricsF(painter.font()).height()
    top = label.rect.top() + PAD / 2
    for number, line in enumerate(label.lines):
        room = QRectF(label.rect.left() + PAD, top + number * height, label.rect.width(), height)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), line)


def _nearest(rect: QRectF, to: QPointF) -> QPointF:
    return QPointF(
        min(max(to.x(), rect.left()), rect.right()), min(max(to.y(), rect.top()), rect.bottom())
    )
