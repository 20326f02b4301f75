"""The few kinds of text that panels are made of."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from inference.findings import Manifestation
from viewer.painting import PaintedWidget
from viewer.theme import colour, findings_colour, tell

__all__ = ["Chip", "chip", "heading", "muted", "sentence"]

_CHIP_SIDE = 12


def sentence(text: str, name: str = "text") -> QLabel:
    """Return wrapped plain text in a colour of the theme."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    tell(label, name)
    return label


def muted(text: str) -> QLabel:
    """Return wrapped text that stands back."""
    return sentence(text, "muted")


def heading(text: str) -> QLabel:
    """Return the heading of a section."""
    label = sentence(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


class Chip(PaintedWidget):
    """The square that shows which colour a finding has in the picture.

    Parameters
    ----------
    tint
        A finding, whose colour follows the reader's choice; or a colour.
    """

    def __init__(self, tint: Manifestation | QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tint = tint
        self.setFixedSize(_CHIP_SIDE, _CHIP_SIDE)

    part_name = "The colour"

    def paint(self, painter: QPainter) -> None:
        """Draw the square; its edge shows a pale finding on a pale ground."""
        tint = self._tint if isinstance(self._tint, QColor) else findings_colour(self._tint)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour("line"), 1.0))
        painter.setBrush(tint)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 2.0, 2.0)


def chip(tint: Manifestation | QColor, parent: QWidget | None = None) -> Chip:
    """Return the square that shows which colour a finding has in the picture."""
    return Chip(tint, parent)
