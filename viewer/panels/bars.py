"""A probability drawn as a bar with its number."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from viewer.panels.words import probability
from viewer.theme import colour

__all__ = ["ProbabilityBar"]

_NAME_SHARE = 0.54
_BAR_HEIGHT = 8


class ProbabilityBar(QWidget):
    """Name, bar and number in one line.

    Parameters
    ----------
    name
        Class name.
    value
        In [0, 1], or None when not computed.
    tint
        Colour of the bar; the muted text colour by default, since colour belongs to lesions.
    """

    def __init__(
        self,
        name: str,
        value: float | None,
        tint: QColor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.value = value
        self.text = probability(value)
        self._tint = tint if tint is not None else colour("text")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(f"{name}: {self.text}")

    def sizeHint(self) -> QSize:
        """One line of text, wide enough for the number and some bar."""
        return QSize(220, self.fontMetrics().height() + 8)

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for a small window."""
        return QSize(150, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = self.fontMetrics()
        width, height = self.width(), self.height()
        number_width = metrics.horizontalAdvance(self.text if self.value is None else "> 0.99")
        name_width = int(width * _NAME_SHARE)
        painter.setPen(colour("text"))
        shown = metrics.elidedText(self.name, Qt.TextElideMode.ElideRight, name_width - 6)
        painter.drawText(QRectF(0, 0, name_width, height), Qt.AlignmentFlag.AlignVCenter, shown)
        if self.value is None:
            painter.setPen(colour("muted"))
        painter.drawText(
            QRectF(width - number_width, 0, number_width, height),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            self.text,
        )
        if self.value is None:
            return
        bar = QRectF(
            name_width,
            (height - _BAR_HEIGHT) / 2,
            max(0, width - name_width - number_width - 8),
            _BAR_HEIGHT,
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("line"))
        painter.drawRoundedRect(bar, 2, 2)
        bar.setWidth(bar.width() * min(1.0, max(0.0, self.value)))
        painter.setBrush(self._tint)
        painter.drawRoundedRect(bar, 2, 2)
