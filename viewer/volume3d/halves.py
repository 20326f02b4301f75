"""Two groups of controls that stand side by side where there is room for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QWidget

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

__all__ = ["Halves"]

_MARGIN = 4


class Halves(QWidget):
    """Controls in two groups, one above the other where a pane is narrow.

    A pane is then no wider than its neighbours for the sake of its buttons.

    Parameters
    ----------
    first, second
        From left to right.
    parent
        Owner, or None.
    """

    def __init__(
        self, first: Sequence[QWidget], second: Sequence[QWidget], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self._box.setSpacing(_MARGIN)
        self._groups: list[QHBoxLayout] = []
        for widgets in (first, second):
            group = QHBoxLayout()
            group.setSpacing(_MARGIN)
            for widget in widgets:
                group.addWidget(widget)
            group.addStretch(1)
            self._box.addLayout(group)
            self._groups.append(group)
        self._box.setStretch(1, 1)
        self._fold()

    @property
    def folded(self) -> bool:
        """One group stands above the other."""
        return self._box.direction() == QBoxLayout.Direction.TopToBottom

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold where both have no room side by side."""
        self._fold()
        super().resizeEvent(event)

    def _fold(self) -> None:
        widths = [group.minimumSize().width() + 2 * _MARGIN for group in self._groups]
        self.setMinimumWidth(max(widths))
        down, across = QBoxLayout.Direction.TopToBottom, QBoxLayout.Direction.LeftToRight
        self._box.setDirection(across if self.width() >= sum(widths) else down)
