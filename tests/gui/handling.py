"""What several tests of the window do with it and read from it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QWidget,
)

from viewer.panels.bars import ProbabilityBar
from viewer.window import MainWindow


def drop(target: QWidget, *paths: Path) -> bool:
    """Drop files on a widget as the window system does; return whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    at = target.rect().center()
    enter = QDragEnterEvent(
        at, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    event = QDropEvent(
        QPointF(at), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(target.window(), event)
    return event.isAccepted()


def wheel(target: QWidget, notches: int) -> None:
    """Turn the wheel over the middle of a widget."""
    at = QPointF(target.rect().center())
    QApplication.sendEvent(
        target,
        QWheelEvent(
            at, QPointF(target.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        ),
    )  # fmt: skip


def is_whole(window: MainWindow) -> bool:
    """Say whether a series has been read to its end."""
    return window.session.volume is not None and not window.session.reading.active


def sentences(window: MainWindow) -> list[str]:
    """What the message area shows."""
    return [message.sentence for message in window.messages.messages]


def words(panel: QWidget) -> str:
    """Everything that can be read on a panel."""
    labels = [each.text() for each in panel.findChildren(QLabel) if each.isVisibleTo(panel)]
    bars = [each for each in panel.findChildren(ProbabilityBar) if each.isVisibleTo(panel)]
    text = "\n".join([*labels, *(bar.accessibleName() for bar in bars)])
    return text.replace("\N{NO-BREAK SPACE}", " ")
