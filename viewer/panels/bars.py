"""A probability drawn as a bar with its number and its interval."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from inference.taxonomy import Manifestation
from viewer.painting import PaintedWidget, part, saved
from viewer.panels.words import interval, probability
from viewer.theme import colour, font

__all__ = ["ProbabilityBar"]

_NAME_SHARE = 0.46
_MOST_NAME_SHARE = 0.56
_BAR_HEIGHT = 8
_WHISKER = 6
"""Height of the whisker's ends, under the bar."""
_GAP = 2


class ProbabilityBar(PaintedWidget):
    """Name, bar and number in one line.

    Parameters
    ----------
    name
        Class name.
    value
        In [0, 1], or None when not computed.
    tint
        Colour of the bar; the muted text colour by default, since colour belongs to lesions.
    band
        Low and high in [0, 1], drawn as a whisker under the bar; None when not computed.
    dashed
        Draw the whisker broken: it speaks of something else than the value, see the tooltip.
    beside
        The value lies outside the band: draw how far, from the whisker's end to the value.
    point
        Operating point in [0, 1], drawn as a notch in the bar; None for none.
    """

    def __init__(
        self,
        name: str,
        value: float | None,
        tint: QColor | None = None,
        parent: QWidget | None = None,
        *,
        band: tuple[float, float] | None = None,
        dashed: bool = False,
        beside: bool = False,
        point: float | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.value = value
        self.text = probability(value)
        self.band = None if value is None else band
        self.dashed = dashed
        self.beside = self.band is not None and beside
        self.figures = "" if self.band is None else interval(self.band).replace(" to ", "–")
        self.point = None if value is None else point
        self._tint = tint
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        said = "" if self.band is None else f", interval {interval(self.band)}"
        said += ", outside its interval" if self.beside else ""
        self.setAccessibleName(f"{name}: {self.text}{said}")

    def sizeHint(self) -> QSize:
        """One line of text, wide enough for the number and some bar."""
        return QSize(220, self._line())

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for a small window."""
        return QSize(150, self._line())

    def _line(self) -> int:
        line = self.fontMetrics().height() + 8
        return line + QFontMetrics(font("small")).height() if self.figures else line

    def paint(self, painter: QPainter) -> None:
        """Draw the line."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = self.fontMetrics()
        width, height = self.width(), self.height()
        small = QFontMetrics(font("small"))
        # As wide with an interval as without, so that bars one above the other can be compared.
        usual = max(metrics.horizontalAdvance("> 0.99"), small.horizontalAdvance("0.00–0.00"))
        number_width = max(
            usual if self.value is not None else metrics.horizontalAdvance(self.text),
            small.horizontalAdvance(self.figures),
        )
        # The longest name of a finding is whole where that leaves room for a bar.
        longest = metrics.horizontalAdvance(Manifestation.GGO.label) + 10
        name_width = int(max(width * _NAME_SHARE, min(width * _MOST_NAME_SHARE, longest)))
        painter.setPen(colour("text"))
        shown = metrics.elidedText(self.name, Qt.TextElideMode.ElideRight, name_width - 6)
        painter.drawText(QRectF(0, 0, name_width, height), Qt.AlignmentFlag.AlignVCenter, shown)
        if self.value is None:
            painter.setPen(colour("muted"))
        painter.drawText(
            QRectF(width - number_width, 0, number_width, height - self._below(small)),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            self.text,
        )
        if self.figures:
            self._draw_figures(painter, width, number_width)
        if self.value is None:
            return
        drawn = _BAR_HEIGHT + (0 if self.band is None else _GAP + _WHISKER)
        bar = QRectF(
            name_width,
            (height - drawn) / 2,
            max(0, width - name_width - number_width - 8),
            _BAR_HEIGHT,
        )
        with part(painter, "The bar", QRectF(bar.left(), 0, bar.width(), height)):
            self._draw_bar(painter, bar, self.value)

    def _draw_bar(self, painter: QPainter, bar: QRectF, value: float) -> None:
        if self.band is not None:
            self._draw_whisker(painter, bar, self.band)
            if self.beside:
                self._draw_gap(painter, bar, self.band, value)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("line"))
        painter.drawRoundedRect(bar, 2, 2)
        whole = QRectF(bar)
        bar.setWidth(bar.width() * min(1.0, max(0.0, value)))
        painter.setBrush(colour("text") if self._tint is None else self._tint)
        painter.drawRoundedRect(bar, 2, 2)
        if self.point is not None:
            self._draw_point(painter, whole, self.point)

    def _below(self, small: QFontMetrics) -> int:
        """Height of the figures under the number."""
        return small.height() if self.figures else 0

    def _draw_figures(self, painter: QPainter, width: int, number_width: int) -> None:
        """Write the interval under the number."""
        with saved(painter):
            painter.setFont(font("small"))
            painter.setPen(colour("muted"))
            painter.drawText(
                QRectF(width - number_width, 0, number_width, self.height() - 2),
                Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight,
                self.figures,
            )

    def _draw_point(self, painter: QPainter, bar: QRectF, point: float) -> None:
        """Draw a notch where a class begins to be called probable."""
        x = bar.left() + point * bar.width()
        notch = QRectF(x - 1.0, bar.top() - 2.0, 2.0, bar.height() + 4.0)
        # The ground on both sides, so that it shows on every colour.
        painter.fillRect(notch.adjusted(-1.0, 0.0, 1.0, 0.0), colour("panel"))
        painter.fillRect(notch, colour("muted"))

    def _draw_whisker(self, painter: QPainter, bar: QRectF, band: tuple[float, float]) -> None:
        """Draw ├──┤ under the bar, on the bar's scale."""
        low, high = (bar.left() + min(1.0, max(0.0, end)) * bar.width() for end in band)
        top = bar.bottom() + _GAP
        middle = top + _WHISKER / 2
        pen = QPen(colour("muted"), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        for x in (low, high):
            painter.drawLine(QPointF(x, top), QPointF(x, top + _WHISKER))
        if self.dashed:
            pen.setDashPattern([2.0, 2.0])
            painter.setPen(pen)
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))

    def _draw_gap(
        self, painter: QPainter, bar: QRectF, band: tuple[float, float], value: float
    ) -> None:
        """Draw dots from the whisker's end to the value, and a mark there."""
        end = min(max(value, band[0]), band[1])
        start, stop = (bar.left() + min(1.0, max(0.0, at)) * bar.width() for at in (end, value))
        middle = bar.bottom() + _GAP + _WHISKER / 2
        pen = QPen(colour("warning"), 1.5)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([1.0, 1.5])
        painter.setPen(pen)
        painter.drawLine(QPointF(start, middle), QPointF(stop, middle))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("warning"))
        painter.drawEllipse(QPointF(stop, middle), _WHISKER / 3, _WHISKER / 3)
