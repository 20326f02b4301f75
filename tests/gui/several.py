"""Several series in one window: opened from files, found again in the study list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QTreeWidgetItem, QTreeWidgetItemIterator

from tests.gui.handling import drop, is_whole
from viewer.window import MainWindow

__all__ = [
    "answer_dialog",
    "click_series",
    "in_list",
    "leaves",
    "open_series",
    "press",
    "show_series",
    "until",
]


def open_series(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], *seeds: str
) -> list[Path]:
    """Write a CT for each seed and drop all of them; the first one is on the screen."""
    folders = [write_ct(seed, seed=seed) for seed in seeds]
    assert drop(window, *folders)
    until(qtbot, lambda: is_whole(window) and len(leaves(window)) == len(seeds) and not window.busy)
    show_series(qtbot, window, 0)
    return folders


def until(qtbot: Any, condition: Callable[[], object]) -> None:
    """Wait for something, on a busy machine, too."""
    qtbot.waitUntil(lambda: bool(condition()), timeout=20_000)


def press(
    qtbot: Any,
    window: MainWindow,
    key: Qt.Key,
    held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Press a key in the window, when that has the focus."""
    window.activateWindow()
    until(qtbot, window.isActiveWindow)
    qtbot.keyClick(window, key, held)


def leaves(window: MainWindow) -> list[QTreeWidgetItem]:
    """The series of the study list, from top to bottom."""
    walk = QTreeWidgetItemIterator(window.tree.tree)
    found = []
    while (item := walk.value()) is not None:
        if item.childCount() == 0:
            found.append(item)
        walk += 1
    return found


def in_list(window: MainWindow, number: int) -> str:
    """What the study list says of a series, without its description."""
    first, _, second = leaves(window)[number].text(0).partition("\n")
    said, dot, _ = second.partition(" · ")
    return f"{first} · {said}" if dot else first


def click_series(
    qtbot: Any,
    window: MainWindow,
    number: int,
    held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    """Click on a series of the study list."""
    tree = window.tree.tree
    item = leaves(window)[number]
    tree.scrollToItem(item)
    qtbot.mouseClick(
        tree.viewport(), Qt.MouseButton.LeftButton, held, tree.visualItemRect(item).center()
    )


def show_series(qtbot: Any, window: MainWindow, number: int) -> None:
    """Click on a series of the study list and wait until it is on the screen."""
    click_series(qtbot, window, number)
    wanted = leaves(window)[number].data(0, Qt.ItemDataRole.UserRole + 1)
    until(
        qtbot,
        lambda: (
            window.session.series is not None
            and window.session.series.uid == wanted.uid
            and is_whole(window)
        ),
    )


def _is_read(window: MainWindow) -> bool:
    """Nothing is being opened; an analysis may be at work."""
    reading = any(window._workers[name].busy for name in ("opening", "scanning", "segmentation"))
    return is_whole(window) and not reading


def answer_dialog(window: MainWindow, button: str) -> tuple[str, bool]:
    """Press a button of the question before closing; returns what it asked, and whether it was
    there."""
    box = window.findChild(QMessageBox, "ask-to-close")
    if box is None or not box.isVisible():
        return "", False
    said = box.text()
    next(each for each in box.buttons() if each.text() == button).click()
    return said, True
