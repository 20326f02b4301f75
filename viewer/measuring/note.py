"""The line in which a note is written, on the picture itself."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from inference.measurements.model import MOST_TEXT

__all__ = ["NoteEdit"]

_WIDTH = 220


class NoteEdit(QLineEdit):
    """Asks for a note where it will stand; Enter or a click elsewhere takes it, Esc does not.

    Parameters
    ----------
    parent
        The view.
    at
        Where in it.
    text
        What the note was.
    finish
        Called once, with the note, or with None.
    """

    def __init__(
        self, parent: QWidget, at: QPointF, text: str, finish: Callable[[str | None], None]
    ) -> None:
        super().__init__(text, parent)
        self._finish: Callable[[str | None], None] | None = finish
        self._view = parent
        self.setObjectName("measurement-note")
        self.setAccessibleName("Note")
        self.setPlaceholderText("Note, then Enter")
        self.setMaxLength(MOST_TEXT)
        self.resize(min(_WIDTH, parent.width() - 8), self.sizeHint().height())
        x = min(max(4.0, at.x()), parent.width() - self.width() - 4.0)
        y = min(max(4.0, at.y()), parent.height() - self.height() - 4.0)
        self.move(round(x), round(y))
        self.returnPressed.connect(self.take)
        self.show()
        self.setFocus()

    def take(self) -> None:
        """Close with what is written."""
        self.close_with(self.text().strip())

    def close_with(self, text: str | None) -> None:
        """Close, and say what was written."""
        if self._finish is None:
            return
        finish, self._finish = self._finish, None
        self.hide()
        self.deleteLater()
        self._view.setFocus()
        finish(text)

    def event(self, event: QEvent) -> bool:
        """Keep Esc from the window's shortcuts while writing."""
        is_key = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if event.type() == QEvent.Type.ShortcutOverride and is_key:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc throws the note away."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_with(None)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Going elsewhere takes the note; another window in front does not."""
        super().focusOutEvent(event)
        if event.reason() not in {
            Qt.FocusReason.ActiveWindowFocusReason,
            Qt.FocusReason.PopupFocusReason,
        }:
            self.take()
