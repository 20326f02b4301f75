"""The few kinds of text that panels are made of."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from viewer.theme import colour

__all__ = ["chip", "heading", "muted", "sentence"]

_CHIP_SIDE = 12


def sentence(text: str, name: str = "text") -> QLabel:
    """Return wrapped plain text in a colour of the theme."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    label.setStyleSheet(f"color: {colour(name).name()};")
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


def chip(tint: QColor, parent: QWidget | None = None) -> QFrame:
    """Return the square that shows which colour a finding has in the picture."""
    square = QFrame(parent)
    square.setFixedSize(_CHIP_SIDE, _CHIP_SIDE)
    square.setStyleSheet(f"background: {tint.name()}; border-radius: 2px; border: none;")
    return square
