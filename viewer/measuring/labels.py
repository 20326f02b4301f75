"""Where the words of a measurement stand: beside it, inside the view, over nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSizeF
from PySide6.QtGui import QFontMetricsF

from viewer import theme

__all__ = ["PAD", "label_size", "place_label"]

PAD = 4.0
"""Logical pixels between the text and the edge of its label."""

_GAP = 10.0
"""Between a measurement and its label."""

_EDGE = 4.0
"""Between a label and the edge of the view."""


def label_size(lines: Sequence[str]) -> QSizeF:
    """Room that the lines of a label take."""
    metrics = QFontMetricsF(theme.font("small"))
    width = max(metrics.horizontalAdvance(line) for line in lines)
    return QSizeF(width + 2 * PAD, metrics.height() * len(lines) + PAD)


def place_label(
    shape: QRectF,
    size: QSizeF,
    view: QRectF,
    taken: Sequence[QRectF],
    wanted: QPointF | None = None,
) -> QRectF:
    """Choose the place of a label.

    Parameters
    ----------
    shape
        Box around what it belongs to, in logical view pixels.
    size
        Of the label.
    view
        What is on the screen.
    taken
        Where something else is written already.
    wanted
        Where the reader has put its middle; None for the first free side: right, left, below,
        above. Where none is free, the right side, or as near to it as the view allows.
    """
    room = view.marginsRemoved(QMarginsF(_EDGE, _EDGE, _EDGE, _EDGE))
    if wanted is not None:
        return _inside(_around(wanted, size), room)
    across = shape.width() / 2 + _GAP + size.width() / 2
    down = shape.height() / 2 + _GAP + size.height() / 2
    middle = shape.center()
    ways = (QPointF(across, 0.0), QPointF(-across, 0.0), QPointF(0.0, down), QPointF(0.0, -down))
    sides = [_around(middle + way, size) for way in ways]
    for side in sides:
        if room.contains(side) and not any(side.intersects(other) for other in taken):
            return side
    fitting = [side for side in sides if room.contains(side)]
    return fitting[0] if fitting else _inside(sides[0], room)


def _around(middle: QPointF, size: QSizeF) -> QRectF:
    corner = QPointF(middle.x() - size.width() / 2, middle.y() - size.height() / 2)
    return QRectF(corner, size)


def _inside(rect: QRectF, room: QRectF) -> QRectF:
    x = max(room.left(), min(rect.left(), room.right() - rect.width()))
    y = max(room.top(), min(rect.top(), room.bottom() - rect.height()))
    return QRectF(QPointF(x, y), rect.size())
