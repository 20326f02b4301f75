"""A panel whose rows are scrolled up and down when they do not fit."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

__all__ = ["ScrolledPanel"]


class ScrolledPanel(QScrollArea):
    """Rows, one below the other, as wide as the panel.

    Parameters
    ----------
    name
        For screen readers.
    parent
        Owner, or None.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        page = QWidget()
        self.rows = QVBoxLayout(page)
        self.rows.setContentsMargins(12, 8, 12, 12)
        self.rows.setSpacing(8)
        self.setWidget(page)
