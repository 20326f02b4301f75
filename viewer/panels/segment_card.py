"""What was measured of one manifestation, and the way to where most of it is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from inference.findings import Manifestation, Segment
from viewer.panels.labels import chip, heading, sentence
from viewer.panels.words import segment_facts
from viewer.theme import tell

__all__ = ["SegmentCard"]


class SegmentCard(QFrame):
    """Colour, name, volume, share of the lung, lesions and mean HU of a segment.

    Parameters
    ----------
    segment
        What to show.
    where
        What the slice with most of it is called; empty: by its index alone.
    """

    chosen = Signal(Manifestation)
    """The reader wants to see where most of it is."""

    def __init__(self, segment: Segment, where: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._where = where
        self.segment = segment
        self.setObjectName(f"segment-{segment.key.value}")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 4)
        rows.setSpacing(2)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(chip(segment.key))
        top.addWidget(heading(segment.key.label), 1)
        top.addWidget(self._button())
        rows.addLayout(top)
        facts = QGridLayout()
        facts.setHorizontalSpacing(8)
        facts.setVerticalSpacing(2)
        facts.setContentsMargins(20, 0, 0, 0)
        for index, fact in enumerate(segment_facts(segment)):
            shown = sentence(fact)
            shown.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            facts.addWidget(shown, index // 2, index % 2)
        facts.setColumnStretch(0, 1)
        facts.setColumnStretch(1, 1)
        rows.addLayout(facts)
        self.setToolTip(
            f"Measured in the mask by {segment.model}, drawn where the probability "
            f"{segment.cut.in_words()}; no interval is known for these numbers."
        )
        if segment.largest_slice is not None:
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go to the largest slice from anywhere on the card."""
        inside = self.rect().contains(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and inside:
            self._choose()
        super().mouseReleaseEvent(event)

    def _button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"go-to-{self.segment.key.value}")
        largest = self.segment.largest_slice
        if largest is None:
            button.setText("none found")
            button.setEnabled(False)
        else:
            button.setText(self._where or f"Slice {largest + 1}")
            button.setToolTip("Go to the slice with most of it")
            tell(button, "accent")
        button.setAccessibleName(f"{self.segment.key.label}: {button.text()}")
        button.clicked.connect(self._choose)
        return button

    def _choose(self) -> None:
        if self.segment.largest_slice is not None:
            self.chosen.emit(self.segment.key)
