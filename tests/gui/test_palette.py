"""Ctrl+K, driven by keys as a reader drives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QListWidgetItem

from viewer.palette import CommandPalette
from viewer.settings import Settings
from viewer.window import MainWindow


def rows(palette: CommandPalette) -> list[QListWidgetItem]:
    """Give what is listed."""
    return [palette.list.item(row) for row in range(palette.list.count())]


def texts(palette: CommandPalette) -> list[str]:
    """Give the names of what is listed."""
    return [row.text() for row in rows(palette)]


@pytest.fixture
def open_palette(qtbot: Any) -> Callable[[MainWindow], CommandPalette]:
    """Press Ctrl+K."""

    def press(window: MainWindow) -> CommandPalette:
        qtbot.waitUntil(window.isActiveWindow, timeout=20_000)
        qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        palette = window.habits.palette
        assert palette is not None
        qtbot.waitUntil(palette.isVisible)
        qtbot.waitUntil(palette.field.hasFocus)
        return palette

    return press


def test_it_lists_every_command_but_itself(window: MainWindow, open_palette: Any) -> None:
    palette = open_palette(window)
    assert texts(palette) == [c.text for c in window.actions_.commands if c.id != "palette"]


def test_typing_and_enter_run_a_command_and_give_the_keys_back(
    qtbot: Any, reading: MainWindow, open_palette: Any
) -> None:
    reading.view.setFocus()
    palette = open_palette(reading)
    qtbot.keyClicks(palette.field, "invert")
    assert texts(palette)[0] == "Invert"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert reading.session.inverted
    assert not palette.isVisible()
    assert reading.view.hasFocus()


def test_who_had_the_keys_may_be_gone_when_it_closes(
    qtbot: Any, reading: MainWindow, open_palette: Any
) -> None:
    note = QLineEdit(reading)
    note.show()
    note.setFocus()
    palette = open_palette(reading)
    shiboken6.delete(note)
    qtbot.keyClicks(palette.field, "invert")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert reading.session.inverted
    assert not palette.isVisible()


def test_letters_typed_are_no_shortcuts(qtbot: Any, reading: MainWindow, open_palette: Any) -> None:
    palette = open_palette(reading)
    before = reading.session.position, reading.session.tool
    for key in (Qt.Key.Key_P, Qt.Key.Key_I, Qt.Key.Key_Up, Qt.Key.Key_Home, Qt.Key.Key_Space):
        qtbot.keyClick(palette.field, key)
    assert palette.field.text().strip() == "pi"
    assert (reading.session.position, reading.session.tool) == before
    assert not reading.session.inverted


def test_arrows_move_and_esc_closes(qtbot: Any, reading: MainWindow, open_palette: Any) -> None:
    palette = open_palette(reading)
    for key, row in (
        (Qt.Key.Key_Down, 1), (Qt.Key.Key_Down, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_Up, 0),
        (Qt.Key.Key_Up, 0), (Qt.Key.Key_PageDown, 9),
    ):  # fmt: skip
        qtbot.keyClick(palette.field, key)
        assert palette.list.currentRow() == row
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_what_cannot_be_done_says_why_and_is_not_done(
    qtbot: Any, window: MainWindow, open_palette: Any
) -> None:
    palette = open_palette(window)
    qtbot.keyClicks(palette.field, "invert")
    item = palette.list.currentItem()
    assert item.text() == "Invert"
    assert "It needs an open series." in item.toolTip()
    assert "It needs an open series." in item.data(Qt.ItemDataRole.AccessibleTextRole)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()
    assert not window.session.inverted


def test_every_command_that_cannot_be_done_says_why(window: MainWindow) -> None:
    silent = [c.id for c in window.actions_.commands if not c.enabled() and not c.why_not]
    assert silent == []


def test_keys_are_shown_and_found(qtbot: Any, window: MainWindow, open_palette: Any) -> None:
    palette = open_palette(window)
    qtbot.keyClicks(palette.field, "f11")
    said = palette.list.currentItem().data(Qt.ItemDataRole.AccessibleTextRole)
    assert said.startswith("Full screen, F11, ")


def test_nothing_found_is_said(qtbot: Any, window: MainWindow, open_palette: Any) -> None:
    palette = open_palette(window)
    qtbot.keyClicks(palette.field, "zzqx")
    assert palette.none.isVisible()
    assert not palette.list.isVisible()
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_what_was_run_last_comes_first_the_next_time(
    qtbot: Any, reading: MainWindow, open_palette: Any, settings: Settings
) -> None:
    for name in ("reset", "overlays"):
        palette = open_palette(reading)
        qtbot.keyClicks(palette.field, name)
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    palette = open_palette(reading)
    assert texts(palette)[:2] == ["Overlays", "Reset view"]
    assert settings.recent_commands == ("overlays", "reset")


def test_a_click_runs_and_a_click_elsewhere_closes(
    qtbot: Any, reading: MainWindow, open_palette: Any
) -> None:
    palette = open_palette(reading)
    qtbot.keyClicks(palette.field, "invert")
    where = palette.list.visualItemRect(palette.list.item(0)).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert reading.session.inverted
    palette = open_palette(reading)
    reading.view.setFocus()
    assert not palette.isVisible()


def test_it_stays_inside_a_small_window(qtbot: Any, reading: MainWindow, open_palette: Any) -> None:
    palette = open_palette(reading)
    reading.resize(900, 500)
    qtbot.waitUntil(lambda: reading.rect().contains(palette.geometry()))
