"""A pane in a window of its own, for instance on another screen."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

__all__ = ["TornPane"]

_ASIDE = QPoint(48, 48)
"""So far from its place it opens where there is one screen alone."""


class TornPane(QWidget):
    """Holds a pane; closing it asks for the pane to be taken back.

    Parameters
    ----------
    number
        Of the pane.
    pane
        The pane, with the size that it has in the layout.
    owner
        The window that it is from: its commands and keys are this one's, too, and it goes with it.
    """

    closed = Signal(int)
    """The number of the pane."""

    def __init__(self, number: int, pane: QWidget, owner: QWidget) -> None:
        super().__init__(owner, Qt.WindowType.Window)
        self._number = number
        self.setObjectName(f"torn-pane-{number}")
        here, size = pane.mapToGlobal(QPoint(0, 0)), pane.size()
        others = [s for s in QGuiApplication.screens() if s is not owner.screen()]
        self.addActions(owner.actions())
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(pane)
        if others:
            self.setGeometry(others[0].availableGeometry())
        else:
            self.resize(size)
            self.move(here + _ASIDE)

    def name(self, planes: str) -> None:
        """Say which planes it shows; nothing of the patient."""
        self.setWindowTitle(f"SecondRead: {planes}")
        self.setAccessibleName(planes)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Give the pane back."""
        self.closed.emit(self._number)
        super().closeEvent(event)
