"""What stands before the window and waits for an answer: dialogs and menus, used and closed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QMenu,
    QMessageBox,
    QWidget,
)

from tests.monkey.hand import Hand, pick, words_of

__all__ = ["FORBIDDEN", "answer_file", "answer_menu", "answer_modal", "in_front"]

FORBIDDEN: Final = frozenset({"quit"})
"""Ids of commands that end the program; the last step gives one."""

_ASKED_KEYS: Final = (
    Qt.Key.Key_Tab, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_A, Qt.Key.Key_7,
    Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Home, Qt.Key.Key_End,
)  # fmt: skip


def in_front() -> QWidget | None:
    """Return the popup or the modal dialog that takes all events, or None."""
    return QApplication.activePopupWidget() or QApplication.activeModalWidget()


def answer_menu(hand: Hand, menu: QWidget, leave: bool) -> str:
    """Go over a menu, or another popup, and choose something, or leave it.

    Parameters
    ----------
    leave
        Close it.
    """
    chance, which = hand.random.random(), hand.random.random()
    if leave or not menu.isVisible():
        hand.press(menu, Qt.Key.Key_Escape)
        # One that was made for this once is gone with it.
        if shiboken6.isValid(menu) and menu.isVisible():
            menu.close()
        return "leave it"
    if not isinstance(menu, QMenu):
        return hand.click(menu) if chance < 0.5 else hand.key(menu, _ASKED_KEYS)
    entries = [
        action
        for action in menu.actions()
        if not action.isSeparator() and action.isVisible() and action.objectName() not in FORBIDDEN
    ]
    if not entries:
        menu.close()
        return f"leave the empty {words_of(menu)}"
    action = pick(entries, which)
    spot = menu.actionGeometry(action).center()
    if not menu.rect().contains(spot):
        menu.close()
        return f"leave {words_of(menu)}, higher than the screen"
    # What is laid out while the mouse moves may make the menu's entries anew.
    text = action.text()
    QTest.mouseMove(menu.windowHandle(), spot)
    if chance < 0.3 or not (shiboken6.isValid(menu) and menu.isVisible()):
        return f"over {text!r}"
    said = f"choose {text!r}"
    QTest.mouseClick(menu.windowHandle(), Qt.MouseButton.LeftButton, _NONE, spot)
    return said


_NONE = Qt.KeyboardModifier.NoModifier


def answer_file(
    hand: Hand, dialog: QFileDialog, exports: Path, files: Sequence[Path], number: int
) -> str:
    """Choose a file or a folder, never by hand: what lies there must not be renamed or deleted.

    Parameters
    ----------
    exports
        Where all that is written goes.
    files
        What may be opened.
    number
        Of the step; names a new file.
    """
    chance, which = hand.random.random(), hand.random.random()
    if chance < 0.25:
        dialog.reject()
        return f"cancel {dialog.windowTitle()!r}"
    if dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave:
        offered = Path(dialog.selectedFiles()[0]) if dialog.selectedFiles() else Path("file")
        # Now and then over what is there, or without its suffix.
        name = offered.name if chance < 0.4 else f"{number}-{offered.name}"
        path = exports / (Path(name).stem if chance > 0.95 else name)
    else:
        wanted = [f for f in files if f.is_dir() == _asks_for_folder(dialog)] or [exports]
        path = pick(wanted, which)
    title = dialog.windowTitle()
    dialog.setDirectory(str(path.parent))
    dialog.selectFile(str(path))
    dialog.accept()
    if shiboken6.isValid(dialog) and dialog.isVisible() and in_front() is dialog:
        dialog.reject()
        return f"{title!r} did not take {path.name}; cancel it"
    return f"answer {title!r} with {path.name}"


def _asks_for_folder(dialog: QFileDialog) -> bool:
    return dialog.fileMode() is QFileDialog.FileMode.Directory


def answer_modal(hand: Hand, dialog: QWidget, leave: bool) -> str:
    """Use a dialog, or leave it.

    Parameters
    ----------
    leave
        Answer it now, with yes or no.
    """
    chance = hand.random.random()
    title = dialog.windowTitle() or words_of(dialog)
    if isinstance(dialog, QMessageBox):
        button = pick(dialog.buttons(), hand.random.random())
        said = f"answer {title!r} with {button.text()!r}"
        hand.press_at(button)
        return said
    if leave:
        if isinstance(dialog, QDialog):
            (dialog.accept if chance < 0.5 else dialog.reject)()
        if shiboken6.isValid(dialog) and dialog.isVisible():
            dialog.close()
        return f"leave {title!r}"
    if chance < 0.5:
        return f"in {title!r}: {hand.click(dialog)}"
    if chance < 0.6:
        return f"in {title!r}: {hand.drag(dialog)}"
    if chance < 0.7:
        return f"in {title!r}: {hand.wheel(dialog)}"
    return f"in {title!r}: {hand.key(dialog, _ASKED_KEYS)}"
