"""The real window, driven as a reader drives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import (
    QGuiApplication,
)
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QTextBrowser,
    QToolButton,
    QWidget,
)

from inference.errors import AnalysisError
from inference.findings import Findings
from inference.models import ModelStore
from inference.studies.model import Unit, Volume, Window
from tests.gui.handling import drop, is_whole, sentences
from viewer.cards import CardsDialog
from viewer.messages import NOTICE
from viewer.session import Tool
from viewer.settings import Settings
from viewer.window import MainWindow


class TestKeys:
    """Keys do what the help says."""

    def test_slices(self, qtbot: Any, reading: MainWindow) -> None:
        session = reading.session
        for key, expected in (
            (Qt.Key.Key_Home, 0), (Qt.Key.Key_Up, 1), (Qt.Key.Key_Up, 2), (Qt.Key.Key_Down, 1),
            (Qt.Key.Key_End, 11),
        ):  # fmt: skip
            qtbot.keyClick(reading, key)
            assert session.position == expected

    def test_windows(self, qtbot: Any, reading: MainWindow) -> None:
        session = reading.session
        qtbot.keyClick(reading, Qt.Key.Key_2)
        assert (session.window.centre, session.window.width) == (40, 400)
        qtbot.keyClick(reading, Qt.Key.Key_1)
        assert (session.window.centre, session.window.width) == (-600, 1500)
        qtbot.keyClick(reading, Qt.Key.Key_0)
        assert session.window == Window(-500.0, 1400.0, "File 1")
        qtbot.keyClick(reading, Qt.Key.Key_0)
        assert session.window == Window(50.0, 400.0, "File 2")
        qtbot.keyClick(reading, Qt.Key.Key_Space)
        assert session.window.name == "Lung"

    def test_invert_overlays_and_tools(self, qtbot: Any, reading: MainWindow) -> None:
        session = reading.session
        qtbot.keyClick(reading, Qt.Key.Key_I)
        qtbot.keyClick(reading, Qt.Key.Key_G)
        qtbot.keyClick(reading, Qt.Key.Key_P)
        assert session.inverted
        assert not session.overlays_on
        assert session.tool is Tool.PAN
        assert reading.actions_["invert"].isChecked()
        assert not reading.actions_["overlays"].isChecked()

    def test_a_list_with_the_focus_keeps_its_arrows(self, qtbot: Any, reading: MainWindow) -> None:
        tree = reading.tree.tree
        tree.setFocus()
        before = reading.session.position
        first = tree.currentItem()
        qtbot.keyClick(tree, Qt.Key.Key_Down)
        assert reading.session.position == before
        assert tree.currentItem() is not first

    def test_a_button_with_the_focus_keeps_its_space(self, qtbot: Any, reading: MainWindow) -> None:
        session = reading.session
        session.toggle_invert()
        box = reading.layers_panel.findChild(QWidget, "visible-ggo")
        box.setFocus()
        qtbot.keyClick(box, Qt.Key.Key_Space)
        assert not session.layers[0].visible
        assert session.inverted

    def test_a_click_on_a_control_leaves_the_arrows_with_the_picture(
        self, qtbot: Any, reading: MainWindow
    ) -> None:
        before = reading.session.position
        for name in ("opacity-ggo", "visible-ggo", "style-ggo"):
            control = reading.layers_panel.findChild(QWidget, name)
            assert control.focusPolicy() is Qt.FocusPolicy.TabFocus
        slider = reading.layers_panel.findChild(QWidget, "opacity-ggo")
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton)
        qtbot.keyClick(reading.focusWidget(), Qt.Key.Key_Up)
        assert reading.session.position == before + 1

    def test_full_screen_and_back(self, qtbot: Any, reading: MainWindow) -> None:
        qtbot.keyClick(reading, Qt.Key.Key_F11)
        qtbot.waitUntil(reading.isFullScreen)
        qtbot.keyClick(reading, Qt.Key.Key_F11)
        qtbot.waitUntil(lambda: not reading.isFullScreen())

    def test_the_key_help_lists_every_key(self, qtbot: Any, reading: MainWindow) -> None:
        qtbot.keyClick(reading, Qt.Key.Key_F1)
        page = reading.findChild(QTextBrowser)
        qtbot.waitUntil(page.isVisible)
        text = page.toPlainText()
        for command in reading.actions_.commands:
            for key in command.keys:
                assert key in text
        page.window().close()

    def test_model_cards_are_read_in_the_window(self, qtbot: Any, reading: MainWindow) -> None:
        reading.actions_["cards"].trigger()
        dialog = reading.findChild(CardsDialog)
        qtbot.waitUntil(dialog.isVisible)
        page = dialog.findChild(QTextBrowser, "card-text")
        names = dialog.findChild(QComboBox, "card-names")
        store = ModelStore()
        assert [names.itemText(i) for i in range(names.count())] == [r.name for r in store.records]
        assert page.isReadOnly()
        assert page.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
        for record in store.records:
            names.setCurrentText(record.name)
            for part in (record.sha256, record.licence, record.data, "Research use only"):
                assert part in page.toPlainText()
        dialog.close()

    def test_the_card_of_what_spoke_says_when_it_is_of_other_weights(
        self, qtbot: Any, reading: MainWindow, make_findings: Callable[..., Findings]
    ) -> None:
        session = reading.session
        assert session.volume is not None
        findings = make_findings(session.volume)
        first = replace(findings.models[0], sha256="ab" * 32)
        session.set_findings(replace(findings, models=(first, *findings.models[1:])))
        reading.findings_panel.card_asked.emit("recognition-ct")
        dialog = reading.findChild(CardsDialog)
        page = dialog.findChild(QTextBrowser, "card-text")
        assert "made with other weights of this name" in page.toPlainText()
        gone = replace(first, name="a model of yore")
        session.set_findings(replace(findings, models=(*findings.models, gone)))
        reading.findings_panel.card_asked.emit("recognition-ct")
        assert page.toPlainText().startswith("recognition-ct")
        reading.findings_panel.card_asked.emit("a model of yore")
        assert "There is no card of a model of yore" in page.toPlainText()
        dialog.close()

    def test_a_damaged_manifest_is_said_in_a_sentence(
        self, qtbot: Any, reading: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise AnalysisError("The model manifest is damaged; install SecondRead again.")

        monkeypatch.setattr("viewer.dialogs.CardsDialog", fail)
        with qtbot.waitSignal(reading.session.message_posted) as posted:
            reading.actions_["cards"].trigger()
        assert posted.args == ["error", "The model manifest is damaged; install SecondRead again."]

    def test_xrays_have_no_presets_in_hu(
        self, qtbot: Any, reading: MainWindow, make_volume: Callable[..., Volume]
    ) -> None:
        session = reading.session
        assert session.study is not None
        assert session.series is not None
        volume = make_volume(unit=Unit.GREY, modality="DX", windows=())
        session.set_volume(session.study, session.series, volume)
        before = session.window
        qtbot.keyClick(reading, Qt.Key.Key_2)
        assert session.window == before
        assert not reading.actions_["preset-2"].isEnabled()


class TestWords:
    """What the window always says, and what it never says."""

    def test_research_use_only_is_always_visible(
        self, qtbot: Any, reading: MainWindow, fake_system: Any
    ) -> None:
        banner = reading.findChild(QLabel, "research-use-only")
        assert banner.text() == "Research use only. Not for diagnosis."
        fake_system.go.clear()
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: reading.session.stage[1] > 0)
        reading.statusBar().showMessage("something else")
        for width in (1400, 1000):
            reading.resize(width, 650)
            qtbot.wait(10)
            assert banner.isVisible()
            wanted = banner.fontMetrics().horizontalAdvance(banner.text())
            assert banner.visibleRegion().boundingRect().width() >= wanted

    def test_the_title_names_the_study_and_nobody(self, reading: MainWindow) -> None:
        assert reading.windowTitle() == "CT · Chest · 2020-03-12 – SecondRead"

    def test_the_notice_is_shown_until_it_was_read(
        self, qtbot: Any, make_window: Callable[..., MainWindow], tmp_path: Path
    ) -> None:
        from PySide6.QtCore import QSettings

        def fresh() -> Settings:
            return Settings(QSettings(str(tmp_path / "new.ini"), QSettings.Format.IniFormat))

        window = make_window(fresh())
        assert sentences(window) == [NOTICE]
        close = window.messages.findChild(QToolButton, "close-message")
        qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
        assert sentences(window) == []
        window.close()
        again = make_window(fresh())
        assert sentences(again) == []

    def test_a_message_is_dismissed_twice(self, reading: MainWindow) -> None:
        reading.session.post("error", "This went wrong.")
        message = reading.messages.messages[-1]
        for _ in range(2):
            message.closed.emit()
        assert message not in reading.messages.messages

    def test_details_are_copied_without_names(
        self, qtbot: Any, reading: MainWindow, write_ct: Callable[..., Path]
    ) -> None:
        folder = write_ct("Doe Jane 1950")
        drop(reading, folder)
        qtbot.waitUntil(lambda: reading.session.volume.shape[1] == 64)
        reading.session.post("error", f"“{folder}/003.dcm” of Doe^Jane (ID-77) is cut off.")
        copy = reading.messages.findChild(QToolButton, "copy-details")
        qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
        text = QGuiApplication.clipboard().text()
        assert "is cut off." in text
        assert "SecondRead 0." in text
        for name in ("Doe", "Jane", "ID-77", "1950"):
            assert name not in text

    def test_messages_make_room_for_new_ones(self, reading: MainWindow) -> None:
        for number in range(5):
            reading.session.post("warning", f"Number {number}.")
        reading.session.post("warning", "Number 4.")
        assert sentences(reading) == ["Number 2.", "Number 3.", "Number 4."]


class TestCommands:
    """Every command is declared whole."""

    def test_texts_tips_and_keys(self, reading: MainWindow) -> None:
        declared = reading.actions_.commands
        assert len({command.id for command in declared}) == len(declared)
        keys = [key for command in declared for key in command.keys]
        assert len(set(keys)) == len(keys)
        for command in declared:
            action = reading.actions_[command.id]
            assert action.text().replace("&", "") == command.text.replace("&", "")
            assert command.tip in action.toolTip()
            assert [s.toString() for s in action.shortcuts()] == list(command.keys)

    def test_menus_hold_every_command_once(self, reading: MainWindow) -> None:
        ids = [
            action.objectName()
            for menu in reading.menuBar().actions()
            for action in menu.menu().actions()
            if not action.isSeparator()
        ]
        assert sorted(ids) == sorted(command.id for command in reading.actions_.commands)

    def test_nothing_is_open_so_nothing_can_be_done_to_it(self, window: MainWindow) -> None:
        enabled = {c.id for c in window.actions_.commands if window.actions_[c.id].isEnabled()}
        assert enabled == {
            "open-files", "open-folder", "open-sample", "quit", "full-screen", "keys", "cards",
            "layouts", "layout-one", "layout-two", "layout-mpr", "layout-four",
            "layout-oblique",
            *(f"tool-{tool.value}" for tool in Tool),
            "palette",
            "settings", "theme", "hide-names", "safe-colours",
            "open-recent",
            "panels", "panel-studies", "panel-findings", "menus",
        }  # fmt: skip

    def test_dialogs_ask_in_the_last_folder(
        self, qtbot: Any, window: MainWindow, settings: Settings, write_ct: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    ) -> None:  # fmt: skip
        folder = write_ct()
        settings.set_last_folder(tmp_path)
        asked: list[str] = []

        def answer_files(_parent: Any, _title: str, start: str) -> tuple[list[str], str]:
            asked.append(start)
            return [str(folder / "000.dcm"), str(folder / "001.dcm")], ""

        def answer_folder(_parent: Any, _title: str, start: str) -> str:
            asked.append(start)
            return str(folder)

        monkeypatch.setattr("viewer.asking.QFileDialog.getOpenFileNames", answer_files)
        monkeypatch.setattr("viewer.asking.QFileDialog.getExistingDirectory", answer_folder)
        window.actions_["open-files"].trigger()
        qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
        first = window.session.volume
        window.actions_["open-folder"].trigger()
        qtbot.waitUntil(lambda: window.session.volume is not first and not window.busy)
        assert asked == [str(tmp_path), str(folder)]


def test_a_first_window_fits_the_screen(
    qtbot: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewer.window._FIRST_SIZE", QSize(9000, 9000))
    window = MainWindow(lambda: pytest.fail("nothing is analysed"), settings)
    qtbot.addWidget(window)
    available = window.screen().availableSize()
    assert window.width() <= max(available.width(), window.minimumSizeHint().width())
    assert window.height() <= max(available.height(), window.minimumSizeHint().height())
