"""The settings dialog, driven as a reader drives it: as a whole, and its page on analysis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
)

from inference.errors import AnalysisError
from inference.models import ModelStore
from inference.systems.base import Context
from tests.gui.preferences.choosing import PAGES, go_to, kept, pick
from viewer import theme
from viewer.mouse import Drag
from viewer.options import Choices
from viewer.preferences import SettingsDialog
from viewer.session import AnalysisState, LayerStyle
from viewer.settings import Settings
from viewer.window import MainWindow


class TestDialog:
    """What all pages have."""

    def test_each_page_has_a_name_and_is_shown(self, dialog: SettingsDialog) -> None:
        assert [dialog.names.item(i).text() for i in range(dialog.names.count())] == PAGES
        for title in PAGES:
            assert go_to(dialog, title).isVisible()

    def test_defaults_come_back_page_by_page(
        self, qtbot: Any, dialog: SettingsDialog, settings: Settings
    ) -> None:
        page = go_to(dialog, "Analysis")
        assert not dialog.restore.isEnabled()
        pick(page, "choice-device", "cpu")
        pick(go_to(dialog, "Looks"), "choice-safe_colours", True)
        assert (kept(settings).device, kept(settings).safe_colours) == ("cpu", True)
        go_to(dialog, "Analysis")
        assert dialog.restore.isEnabled()
        qtbot.mouseClick(dialog.restore, Qt.MouseButton.LeftButton)
        assert kept(settings) == Choices(safe_colours=True)
        box = page.findChild(QComboBox, "choice-device")
        assert box.currentData() == "auto"
        assert not dialog.restore.isEnabled()

    def test_a_damaged_manifest_is_said_in_a_sentence(
        self, qtbot: Any, window: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise AnalysisError("The model manifest is damaged; install SecondRead again.")

        monkeypatch.setattr("viewer.preferences.SettingsDialog", fail)
        with qtbot.waitSignal(window.session.message_posted) as posted:
            window.actions_["settings"].trigger()
        assert posted.args[0] == "error"

    def test_what_was_chosen_is_in_use_after_a_new_start(
        self, make_window: Callable[..., MainWindow], settings: Settings, tmp_path: Path
    ) -> None:
        settings.set_choices(
            '{"scheme": "light", "style": "outline", "opacity": 0.8, "keys": {"invert": ["F14"]}, '
            '"mouse": {"left": "pan"}}'
        )
        settings.sync()
        written = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        window = make_window(Settings(written))
        assert theme.looks().light
        assert {layer.style for layer in window.session.layers} == {LayerStyle.OUTLINE}
        assert {layer.opacity for layer in window.session.layers} == {0.8}
        assert window.actions_["invert"].shortcut() == QKeySequence("F14")
        assert window.session.manner.mouse.left is Drag.PAN


class TestAnalysis:
    """What the next analysis is asked for."""

    def test_the_stores_models_can_be_chosen(self, dialog: SettingsDialog) -> None:
        page = go_to(dialog, "Analysis")
        store = ModelStore()
        box = page.findChild(QComboBox, "choice-recogniser_ct")
        names = {r.name for r in store.records if r.kind == "recognition" and r.reads == "CT"}
        assert {box.itemData(i) for i in range(box.count())} == {"default", *names}
        streams = page.findChild(QComboBox, "choice-streams")
        for index in range(streams.count()):
            assert store.streams(streams.itemData(index))

    def test_the_next_analysis_is_asked_and_the_results_shown_stay(
        self, qtbot: Any, reading: MainWindow, dialog: SettingsDialog, fake_system: Any,
    ) -> None:  # fmt: skip
        session = reading.session
        reading.analyst.start()
        qtbot.waitUntil(lambda: session.analysis is AnalysisState.DONE)
        shown = session.findings
        assert reading.status.device.text() == "test device"
        page = go_to(dialog, "Analysis")
        pick(page, "choice-device", "cpu")
        pick(page, "choice-streams", "shared")
        pick(page, "choice-batch_size", 2)
        assert session.findings is shown
        assert (
            reading.status.device.text()
            == "test device  ·  next analysis: device: cpu, streams: shared"
        )
        assert fake_system.contexts[-1].device == "auto"
        reading.analyst.start()
        qtbot.waitUntil(lambda: session.findings not in {None, shown})
        asked = fake_system.contexts[-1]
        assert (asked.device, asked.streams, asked.batch_size) == ("cpu", "shared", 2)
        assert reading.status.device.text() == "test device"

    def test_a_heatmap_explains_the_networks_that_spoke(
        self, qtbot: Any, reading: MainWindow, dialog: SettingsDialog, fake_system: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        from viewer.session import HeatmapChoice

        session, asked = reading.session, []
        explain = fake_system.explain

        def watched(*given: Any) -> Any:
            asked.append(given[-1])
            return explain(*given)

        monkeypatch.setattr(fake_system, "explain", watched)
        reading.analyst.start()
        qtbot.waitUntil(lambda: session.findings is not None)
        pick(go_to(dialog, "Analysis"), "choice-recogniser_ct", "recognition-ct")
        session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
        qtbot.waitUntil(lambda: session.heatmap is not None)
        assert [context.recogniser for context in asked] == ["default"]

    def test_the_command_line_goes_first(
        self, qtbot: Any, settings: Settings, fake_system: Any
    ) -> None:
        settings.set_choices('{"device": "cpu"}')
        window = MainWindow(lambda: fake_system, settings, Context(device="cuda"))
        qtbot.addWidget(window)
        assert window.habits.asked(None).device == "cuda"
        assert window.status.device.text() == "device: cuda"

    def test_threads_say_when_they_count(self, dialog: SettingsDialog) -> None:
        page = go_to(dialog, "Analysis")
        assert any("next start" in label.text() for label in page.findChildren(QLabel))


def test_damaged_settings_do_not_keep_the_window_away(
    qtbot: Any, tmp_path: Path, make_window: Callable[..., MainWindow]
) -> None:
    store = QSettings(str(tmp_path / "bad.ini"), QSettings.Format.IniFormat)
    store.setValue("choices", "{{{")
    store.setValue("notice_read", "true")
    window = make_window(Settings(store))
    assert window.habits.chosen.now == Choices()
