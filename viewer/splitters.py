"""Splitters and columns of the window, and its shape from one start to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from viewer.start_page import StartPage

if TYPE_CHECKING:
    from viewer.settings import Settings

__all__ = ["Splitters", "column"]


class Splitters:
    """Makes splitters that are as the reader left them.

    Parameters
    ----------
    settings
        Where that is remembered.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, QSplitter] = {}

    def __getitem__(self, name: str) -> QSplitter:
        """Return the splitter of that name."""
        return self._made[name]

    def make(self, name: str, way: Qt.Orientation, *parts: QWidget) -> QSplitter:
        """Put parts beside or above one another; the name is that of the splitter's state."""
        splitter = QSplitter(way)
        splitter.setObjectName(name)
        splitter.setChildrenCollapsible(False)
        for part in parts:
            splitter.addWidget(part)
        self._made[name] = splitter
        return splitter

    def restore(self, window: QWidget) -> None:
        """Give the window and all splitters the shape they had."""
        geometry = self._settings.layout("geometry")
        if geometry is not None:
            window.restoreGeometry(geometry)
        for name, splitter in self._made.items():
            state = self._settings.layout(name)
            if state is not None:
                splitter.restoreState(state)

    def save(self, window: QWidget) -> None:
        """Remember the shape."""
        self._settings.set_layout("geometry", window.saveGeometry())
        for name, splitter in self._made.items():
            self._settings.set_layout(name, splitter.saveState())
        self._settings.sync()


def column(*parts: QWidget) -> QWidget:
    """Stack parts; the view takes the room."""
    stacked = QWidget()
    rows = QVBoxLayout(stacked)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    for part in parts:
        rows.addWidget(part, 1 if isinstance(part, QSplitter | StartPage) else 0)
    return stacked
