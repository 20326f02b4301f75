"""Sentences to the reader, in the window and never in its way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QEnterEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from viewer import theme
from viewer.viewport.annotations import BANNER

__all__ = ["GOES_AFTER_MS", "NOTICE", "Message", "MessageArea"]

NOTICE = (
    f"{BANNER} SecondRead is not a medical device: what it says about an image may be "
    "wrong, and no decision about a person may rest on it."
)
"""Shown at the first start."""

GOES_AFTER_MS = 5000
"""A message that a file has been written goes by itself after so long; others stay."""

_MOST = 3
"""So many messages at once; older ones make room."""


class Message(QFrame):
    """One sentence, with what can be done about it.

    Parameters
    ----------
    kind
        ``"info"``, ``"warning"`` or ``"error"``.
    sentence
        The text.
    copied
        Gives the text for "Copy details"; None where there is nothing to report.
    folder
        Shows the folder that the sentence is of; None where it is of none. Such a message is good
        news that needs no answer: it goes by itself, not while the pointer is on it.
    """

    closed = Signal()

    def __init__(
        self,
        kind: str,
        sentence: str,
        copied: Callable[[], str] | None,
        parent: QWidget,
        folder: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self.kind = kind
        self.sentence = sentence
        self.setObjectName("message")
        theme.box(self, kind)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        self.text = text = QLabel(sentence)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(text, 1)
        if copied is not None:
            copy = QToolButton()
            copy.setObjectName("copy-details")
            copy.setText("Copy details")
            copy.setToolTip("Copy this message and the versions, without names, ids or files")
            copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(copied()))
            row.addWidget(copy)
        self._going: QTimer | None = None
        if folder is not None:
            show = QToolButton()
            show.setObjectName("show-in-folder")
            show.setText("Show in folder")
            show.clicked.connect(folder)
            row.addWidget(show)
            self._going = QTimer(self)
            self._going.setSingleShot(True)
            self._going.setInterval(GOES_AFTER_MS)
            self._going.timeout.connect(self.closed)
            self._going.start()
        close = QToolButton()
        close.setObjectName("close-message")
        close.setText("Dismiss")
        close.clicked.connect(self.closed)
        row.addWidget(close)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer is here."""
        if self._going is not None:
            self._going.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Go after the full time again."""
        if self._going is not None:
            self._going.start()
        super().leaveEvent(event)


class MessageArea(QWidget):
    """The messages, newest last, above the images.

    Parameters
    ----------
    describe
        Makes the text of "Copy details" from (kind, sentence).
    shown
        Gives a sentence as it may be shown now; None: as it is.
    """

    def __init__(
        self,
        describe: Callable[[str, str], str],
        shown: Callable[[str], str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._describe = describe
        self._shown = shown
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(1)
        self._messages: list[Message] = []
        self.hide()

    @property
    def messages(self) -> tuple[Message, ...]:
        """What is shown, oldest first."""
        return tuple(self._messages)

    def post(self, kind: str, sentence: str) -> None:
        """Show a sentence; one that is already there is not shown twice."""
        self._make_room(kind, sentence)
        copied = None if kind == "info" else (lambda: self._describe(kind, sentence))
        self._add(Message(kind, sentence, copied, self))

    def post_written(self, path: Path) -> None:
        """Say that a file has been written, for a while, and offer its folder."""
        sentence = f"Written: “{path}”."

        def show() -> None:
            if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))):
                self.post(
                    "warning",
                    f"This computer names no program that shows folders; “{path.name}” is in "
                    f"“{path.parent}”.",
                )

        self._make_room("info", sentence)
        self._add(Message("info", sentence, None, self, show))

    def _make_room(self, kind: str, sentence: str) -> None:
        for message in self.messages:
            if (message.kind, message.sentence) == (kind, sentence):
                self._remove(message)
        while len(self._messages) >= _MOST:
            self._remove(self._messages[0])

    def post_fault(self, sentence: str) -> None:
        """Show that something went wrong in the window itself."""
        self.post("error", sentence)

    def show_again(self) -> None:
        """Write every sentence as it may be shown by now."""
        for message in self._messages:
            message.text.setText(
                message.sentence if self._shown is None else self._shown(message.sentence)
            )

    def post_notice(self, read: Callable[[], None]) -> None:
        """Show the notice of the first start; `read` is called when it is dismissed."""
        notice = Message("warning", NOTICE, None, self)
        notice.closed.connect(read)
        self._add(notice)

    def _add(self, message: Message) -> None:
        message.closed.connect(lambda: self._remove(message))
        self._messages.append(message)
        self._rows.addWidget(message)
        self.show_again()
        self.show()

    def _remove(self, message: Message) -> None:
        if message not in self._messages:
            return  # a second click, or its time is over, before it is gone
        self._messages.remove(message)
        self._rows.removeWidget(message)
        message.hide()
        message.deleteLater()
        self.setVisible(bool(self._messages))
