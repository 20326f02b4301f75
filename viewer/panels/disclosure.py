"""Details that are folded away until they are asked for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget

from viewer.theme import tell

__all__ = ["Disclosure"]


class Disclosure(QWidget):
    """A line that opens and closes what stands below it.

    Parameters
    ----------
    title
        What is inside, for the reader.
    opened
        Whether it is open at first.
    """

    toggled = Signal(bool)
    """The reader opened or closed it."""

    def __init__(self, title: str, *, opened: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._button = QToolButton()
        self._button.setText(title)
        self._button.setCheckable(True)
        self._button.setChecked(opened)
        self._button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._button.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        # A click leaves the keys with the picture.
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tell(self._button, "muted")
        self._inside = QWidget()
        self.rows = QVBoxLayout(self._inside)
        """Where the details go."""
        self.rows.setContentsMargins(12, 0, 0, 4)
        self.rows.setSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self._inside)
        self._fill: Callable[[QVBoxLayout], None] | None = None
        self._show(opened)
        self._button.toggled.connect(self._show)
        self._button.toggled.connect(self.toggled)

    @property
    def button(self) -> QToolButton:
        """The line that is clicked."""
        return self._button

    def fill(self, fill: Callable[[QVBoxLayout], None]) -> None:
        """Fill it when it is opened first, or now where it is open: most never are."""
        self._fill = fill
        self._show(self._button.isChecked())

    def _show(self, opened: bool) -> None:
        if opened and self._fill is not None:
            fill, self._fill = self._fill, None
            fill(self.rows)
        self._inside.setVisible(opened)
        arrow = Qt.ArrowType.DownArrow if opened else Qt.ArrowType.RightArrow
        self._button.setArrowType(arrow)
        self._button.setAccessibleDescription("open" if opened else "closed")
