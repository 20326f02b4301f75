"""Keys, buttons and wheel do what the reader gives them."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTextBrowser,
    QWidget,
)

from tests.gui.preferences.choosing import go_to, kept, pick
from viewer.mouse import Drag, Turn
from viewer.options import Choices
from viewer.preferences import SettingsDialog
from viewer.preferences.keys import KeysPage
from viewer.session import Tool
from viewer.settings import Settings
from viewer.window import MainWindow


class TestKeys:
    """The table of keys."""

    @pytest.fixture
    def page(self, dialog: SettingsDialog) -> KeysPage:
        found = go_to(dialog, "Keys")
        assert isinstance(found, KeysPage)
        return found

    def row(self, page: KeysPage, text: str) -> int:
        names = [page.table.item(row, 0).text() for row in range(page.table.rowCount())]
        return names.index(text)

    def press(self, qtbot: Any, page: KeysPage, text: str, key: Qt.Key, place: int = 0) -> None:
        page.table.setCurrentCell(self.row(page, text), 0)
        edit = page.findChild(QKeySequenceEdit, f"keys-edit-{place}")
        edit.setFocus()
        qtbot.keyClick(edit, key)

    def test_every_command_is_in_it_with_its_keys(
        self, reading: MainWindow, page: KeysPage
    ) -> None:
        assert page.table.rowCount() == len(reading.actions_.commands)
        assert page.table.item(self.row(page, "Invert"), 2).text() == "I"

    def test_another_key_runs_the_command_and_is_told_everywhere(
        self, qtbot: Any, reading: MainWindow, page: KeysPage, settings: Settings
    ) -> None:
        self.press(qtbot, page, "Invert", Qt.Key.Key_F14)
        assert page.table.item(self.row(page, "Invert"), 2).text() == "F14"
        assert dict(kept(settings).keys) == {"invert": ("F14",)}
        assert "(F14)" in reading.actions_["invert"].toolTip()
        page.window().close()
        reading.activateWindow()
        qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
        qtbot.keyClick(reading, Qt.Key.Key_I)
        assert not reading.session.inverted
        qtbot.keyClick(reading, Qt.Key.Key_F14)
        assert reading.session.inverted
        reading.actions_["keys"].trigger()
        browser = next(b for b in reading.findChildren(QTextBrowser) if b.isVisible())
        assert "F14" in browser.toPlainText()
        browser.window().close()

    def test_sentences_speak_of_the_key_in_use(
        self, qtbot: Any, reading: MainWindow, page: KeysPage
    ) -> None:
        self.press(qtbot, page, "Analyse", Qt.Key.Key_F16)
        state = reading.findings_panel.findChild(QLabel, "analysis-state")
        assert state.text() == "Not analysed. Press F16."

    def test_a_key_that_is_taken_is_refused_in_words(
        self, qtbot: Any, reading: MainWindow, page: KeysPage, settings: Settings
    ) -> None:
        self.press(qtbot, page, "Invert", Qt.Key.Key_G)
        assert "G already runs “Overlays” (View). Nothing was changed." in page.said.text()
        assert kept(settings) == Choices()
        edit = page.findChild(QKeySequenceEdit, "keys-edit-0")
        assert edit.keySequence() == QKeySequence("I")
        qtbot.mouseClick(page.findChild(QPushButton, "keys-take"), Qt.MouseButton.LeftButton)
        assert page.table.item(self.row(page, "Invert"), 2).text() == "G"
        assert page.table.item(self.row(page, "Overlays"), 2).text() == ""
        # And it is not given back silently either.
        page.table.setCurrentCell(self.row(page, "Overlays"), 0)
        qtbot.mouseClick(page.findChild(QPushButton, "keys-reset"), Qt.MouseButton.LeftButton)
        assert "already runs “Invert”" in page.said.text()

    def test_one_command_is_reset(self, qtbot: Any, page: KeysPage, settings: Settings) -> None:
        self.press(qtbot, page, "Invert", Qt.Key.Key_F14)
        self.press(qtbot, page, "Overlays", Qt.Key.Key_F15)
        page.table.setCurrentCell(self.row(page, "Invert"), 0)
        qtbot.mouseClick(page.findChild(QPushButton, "keys-reset"), Qt.MouseButton.LeftButton)
        assert dict(kept(settings).keys) == {"overlays": ("F15",)}

    def test_a_second_key_and_none_at_all(
        self, qtbot: Any, page: KeysPage, settings: Settings
    ) -> None:
        self.press(qtbot, page, "Invert", Qt.Key.Key_F14, place=1)
        assert kept(settings).keys["invert"] == ("I", "F14")
        qtbot.keyClick(page.findChild(QKeySequenceEdit, "keys-edit-0"), Qt.Key.Key_Shift)
        assert kept(settings).keys["invert"] == ("I", "F14"), "half a key is none"
        qtbot.mouseClick(page.findChild(QPushButton, "keys-none"), Qt.MouseButton.LeftButton)
        assert kept(settings).keys["invert"] == ()

    def test_the_table_can_be_searched(self, page: KeysPage) -> None:
        page.findChild(QLineEdit, "keys-filter").setText("ctrl+o")
        shown = [
            page.table.item(row, 0).text()
            for row in range(page.table.rowCount())
            if not page.table.isRowHidden(row)
        ]
        assert shown == ["Open files"]


class TestMouse:
    """What the mouse does."""

    def wheel(self, target: QWidget, modifier: Qt.KeyboardModifier) -> None:
        at = QPointF(target.rect().center())
        QApplication.sendEvent(
            target,
            QWheelEvent(
                at, QPointF(target.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, 120),
                Qt.MouseButton.NoButton, modifier, Qt.ScrollPhase.NoScrollPhase, False,
            ),
        )  # fmt: skip

    def test_the_wheel_does_what_it_is_given(
        self, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        session, page = reading.session, go_to(dialog, "Mouse")
        session.set_position(0)
        pick(page, "mouse-wheel", Turn.NOTHING)
        pick(page, "mouse-ctrl_wheel", Turn.SLICES)
        self.wheel(reading.view, Qt.KeyboardModifier.NoModifier)
        assert session.position == 0
        self.wheel(reading.view, Qt.KeyboardModifier.ControlModifier)
        assert session.position == 1
        self.wheel(reading.view, Qt.KeyboardModifier.ShiftModifier)
        assert session.position == 11

    def test_a_button_does_what_it_is_given(
        self, qtbot: Any, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        page = go_to(dialog, "Mouse")
        pick(page, "mouse-left", Drag.NOTHING)
        pick(page, "mouse-right", Drag.WINDOW)
        for button, changes in (
            (Qt.MouseButton.LeftButton, False),
            (Qt.MouseButton.RightButton, True),
        ):
            before = reading.session.window
            qtbot.mousePress(reading.view, button, pos=QPoint(100, 100))
            qtbot.mouseMove(reading.view, QPoint(160, 140))
            qtbot.mouseRelease(reading.view, button, pos=QPoint(160, 140))
            assert (reading.session.window != before) is changes
        pick(page, "mouse-left", Drag.PAN)
        assert reading.view.cursor().shape() is Qt.CursorShape.OpenHandCursor
        assert reading.session.tool is Tool.WINDOW
