"""Where the words of a measurement stand: beside it, inside the view, over nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
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

_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (1, 1), (-1, -1), (-1, 1))
_WORDS, _OWN = 8.0, 3.0
"""How much worse it is to cover words, or one's own measurement, than another's box."""


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
    drawn: Sequence[QRectF] = (),
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
    drawn
        Boxes around other measurements.
    wanted
        Where the reader has put its middle; None for the side that covers least: words worst of
        all, then its own measurement, then others. Of equal sides the first of right, left, below,
        above, and the corners.
    """
    room = view.marginsRemoved(QMarginsF(_EDGE, _EDGE, _EDGE, _EDGE))
    if wanted is not None:
        return _inside(_around(wanted, size), room)
    across = shape.width() / 2 + _GAP + size.width() / 2
    down = shape.height() / 2 + _GAP + size.height() / 2
    sides = [
        _inside(_around(shape.center() + QPointF(x * across, y * down), size), room)
        for x, y in _SIDES
    ]

    boxes = _edges(sides)
    covered = _WORDS * _common(boxes, taken) + _OWN * _common(boxes, [shape])
    return sides[int(np.argmin(covered + _common(boxes, drawn)))]


def _edges(rects: Sequence[QRectF]) -> NDArray[np.float64]:
    """Left, top, right, bottom; shape (n, 4)."""
    edges = [(r.left(), r.top(), r.right(), r.bottom()) for r in rects]
    return np.array(edges, np.float64).reshape(-1, 4)


def _common(boxes: NDArray[np.float64], others: Sequence[QRectF]) -> NDArray[np.float64]:
    """Area that each box shares with others; a box without area counts as a line's worth."""
    edges = _edges(others) + np.array([-1.0, -1.0, 1.0, 1.0])
    low = np.maximum(boxes[:, None, :2], edges[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], edges[None, :, 2:])
    area: NDArray[np.float64] = np.clip(high - low, 0.0, None).prod(axis=2).sum(axis=1)
    return area


def _around(middle: QPointF, size: QSizeF) -> QRectF:
    corner = QPointF(middle.x() - size.width() / 2, middle.y() - size.height() / 2)
    return QRectF(corner, size)


def _inside(rect: QRectF, room: QRectF) -> QRectF:
    x = max(room.left(), min(rect.left(), room.right() - rect.width()))
    y = max(room.top(), min(rect.top(), room.bottom() - rect.height()))
    return QRectF(QPointF(x, y), rect.size())
