"""Opened segmentations on a plane: dashed outlines, and a legend that says whose they are.

They are drawn over the picture on the screen and are no part of it: what is exported lacks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QTransform

from viewer import theme
from viewer.guests import tint_of
from viewer.identity import named
from viewer.painting import saved

if TYPE_CHECKING:
    from inference.opened_segments import OpenedSegment, OpenedSegmentation
    from viewer.panes import Pane
    from viewer.planes.section import Planes
    from viewer.session import ReadingSession
    from viewer.viewport.framing import Framing

__all__ = ["GuestOverlay", "edges"]

_CASING, _LINE = 3.0, 1.6
_DASHES = (4.0, 3.0)
_MARGIN, _PAD = 8.0, 4.0
_BACKING = QColor(0, 0, 0, 190)
_MOST_LINES = 6
_LEGEND_SHARE = 0.6
"""The legend takes at most this part of the view's width."""


def edges(mask: NDArray[np.bool_]) -> list[QLineF]:
    """The outline of a mask along the edges of its pixels.

    Parameters
    ----------
    mask
        Shape (rows, columns).

    Returns
    -------
    list of QLineF
        In picture coordinates, where pixel (0, 0) reaches from 0 to 1; neighbours in one line.
    """
    ringed = np.pad(mask, 1)
    across = ringed[1:] != ringed[:-1]
    down = ringed[:, 1:] != ringed[:, :-1]
    return [
        *(QLineF(x1 - 1, y, x2 - 1, y) for y, x1, x2 in _runs(across)),
        *(QLineF(x, y1 - 1, x, y2 - 1) for x, y1, y2 in _runs(down.T)),
    ]


def _runs(marked: NDArray[np.bool_]) -> Iterable[tuple[int, int, int]]:
    """(row, first, last + 1) of each run of marked entries in each row."""
    steps = np.diff(np.pad(marked, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begun, ended = np.argwhere(steps == 1), np.argwhere(steps == -1)
    for (row, first), (_, last) in zip(begun.tolist(), ended.tolist(), strict=True):
        yield row, first, last


class GuestOverlay:
    """Draws the opened segmentations of the session's volume in one pane.

    Parameters
    ----------
    session
        What is shown.
    """

    def __init__(self, session: ReadingSession) -> None:
        self._session = session
        self._key: tuple[object, ...] = ()
        self._shown: list[tuple[OpenedSegmentation, OpenedSegment, list[QLineF]]] = []

    def paint(
        self,
        painter: QPainter,
        planes: Planes,
        pane: Pane,
        index: int,
        framing: Framing,
        taken: Sequence[QRectF],
    ) -> None:
        """Draw what reaches the plane on the screen.

        Parameters
        ----------
        painter
            On the view.
        planes, pane, index
            Which plane.
        framing
            Where it lies in the view.
        taken
            Where the legend must not be.
        """
        shown = self._on(planes, pane, index)
        if not shown:
            return
        left, top = framing.to_view(0.0, 0.0)
        right, bottom = framing.to_view(1.0, 1.0)
        place = QTransform(right - left, 0.0, 0.0, bottom - top, left, top)
        with saved(painter):
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for _, segment, outline in shown:
                lines = [place.map(line) for line in outline]
                painter.setPen(QPen(QColor(0, 0, 0, 150), _CASING))
                painter.drawLines(lines)
                pen = QPen(QColor(*tint_of(segment)), _LINE)
                pen.setDashPattern(list(_DASHES))
                pen.setCapStyle(Qt.PenCapStyle.FlatCap)
                painter.setPen(pen)
                painter.drawLines(lines)
            self._draw_legend(painter, shown, framing, taken)

    def legend(self, planes: Planes, pane: Pane, index: int) -> list[str]:
        """What the legend says: each segment on the plane, and whose it is."""
        return [self._words(opened, one) for opened, one, _ in self._on(planes, pane, index)]

    def _words(self, opened: OpenedSegmentation, segment: OpenedSegment) -> str:
        session = self._session
        whose = opened.whose(named=not session.manner.names_hidden)
        return f"{named(session, segment.label)}  ·  SEG: {whose}"

    def _on(
        self, planes: Planes, pane: Pane, index: int
    ) -> list[tuple[OpenedSegmentation, OpenedSegment, list[QLineF]]]:
        session = self._session
        if not session.overlays_on:
            return []
        wanted = [
            (opened, segment)
            for opened in session.guests.of(session.volume)
            for segment in opened.segments
            if session.guests.is_shown(opened.uid, segment.number)
        ]
        key = (planes, pane, index, *wanted)
        if key != self._key:
            cut = partial(planes.slab, index=index, pane=pane)
            found = ((opened, one, np.asarray(cut(one.mask), bool)) for opened, one in wanted)
            self._shown = [(o, one, edges(mask)) for o, one, mask in found if mask.any()]
            self._key = key
        return self._shown

    def _draw_legend(
        self,
        painter: QPainter,
        shown: Sequence[tuple[OpenedSegmentation, OpenedSegment, list[QLineF]]],
        framing: Framing,
        taken: Sequence[QRectF],
    ) -> None:
        """On the left, above what else is written there at the bottom, the first one on top."""
        painter.setFont(theme.font("small"))
        metrics = QFontMetricsF(painter.font())
        line = metrics.height() + 2.0
        lower = [r.top() for r in taken if r.top() > framing.height / 2 and r.left() < line]
        top = min(lower, default=framing.height - _MARGIN)
        if len(shown) > _MOST_LINES:
            # The layers panel names all of them.
            top -= line
            more = QRectF(_MARGIN + line, top, framing.width, line)
            painter.setPen(theme.on_image("text"))
            said = f"and {len(shown) - _MOST_LINES} more"
            painter.drawText(more, Qt.AlignmentFlag.AlignVCenter, said)
        for opened, segment, _ in reversed(shown[:_MOST_LINES]):
            top -= line
            room = _LEGEND_SHARE * framing.width
            words = self._words(opened, segment)
            text = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
            rect = QRectF(_MARGIN, top, metrics.horizontalAdvance(text) + line + 2 * _PAD, line)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_BACKING)
            painter.drawRoundedRect(rect, 3.0, 3.0)
            # A dashed stroke, as on the picture: the machine's masks have a filled square.
            pen = QPen(QColor(*tint_of(segment)), 2.0)
            pen.setDashPattern([2.0, 1.5])
            painter.setPen(pen)
            middle = rect.center().y()
            painter.drawLine(QLineF(rect.left() + _PAD, middle, rect.left() + line - 2, middle))
            painter.setPen(theme.on_image("text"))
            inside = rect.adjusted(line, 0, -_PAD, 0)
            painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, text)
