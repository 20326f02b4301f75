"""The settings dialog, driven as a reader drives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QTextBrowser,
    QWidget,
)

from inference.errors import AnalysisError
from inference.findings import Findings
from inference.models import ModelStore
from inference.systems.base import Context
from viewer import theme
from viewer.cache import CacheKeeper
from viewer.habits import looks_of
from viewer.mouse import Drag, Turn
from viewer.options import Choices, Scheme
from viewer.preferences import SettingsDialog
from viewer.preferences.keys import KeysPage
from viewer.session import AnalysisState, LayerStyle, Tool
from viewer.settings import Settings
from viewer.window import MainWindow
from viewer.worker import Worker

PAGES = ["Analysis", "Looks", "Keys", "Mouse", "Folders and cache"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the tests off the reader's own cache."""
    folder = tmp_path / "cache"
    monkeypatch.setattr("viewer.cache.user_cache_path", lambda *_, **__: folder)
    return folder


@pytest.fixture
def dialog(qtbot: Any, reading: MainWindow) -> Iterator[SettingsDialog]:
    """Open the settings of a window with a CT."""
    qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
    qtbot.keyClick(reading, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    opened = reading.findChild(SettingsDialog)
    qtbot.waitUntil(opened.isVisible)
    yield opened
    opened.close()


def go_to(dialog: SettingsDialog, title: str) -> QWidget:
    """Choose a page."""
    dialog.names.setCurrentRow(PAGES.index(title))
    return dialog.pages[PAGES.index(title)]


def pick(page: QWidget, name: str, value: Any) -> None:
    """Choose in a box what has that value, by keys."""
    box = page.findChild(QComboBox, name)
    assert box is not None
    index = box.findData(value)
    assert index >= 0, value
    box.setCurrentIndex(index)
    box.activated.emit(index)


def kept(settings: Settings) -> Choices:
    """Give what the next start would read."""
    from viewer.options import read_choices

    return read_choices(settings.choices)


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
            '{"scheme": "light", "style": "outline", "opacity": 0.8, "keys": {"invert": ["F9"]}, '
            '"mouse": {"left": "pan"}}'
        )
        settings.sync()
        written = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
        window = make_window(Settings(written))
        assert theme.looks().light
        assert {layer.style for layer in window.session.layers} == {LayerStyle.OUTLINE}
        assert {layer.opacity for layer in window.session.layers} == {0.8}
        assert window.actions_["invert"].shortcut() == QKeySequence("F9")
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
        session.choose_heatmap(HeatmapChoice("covid-2", "COVID-19"))
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


class TestLooks:
    """Themes and colours, at once."""

    def test_the_theme_changes_while_the_program_runs(
        self, qtbot: Any, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        page = go_to(dialog, "Looks")
        black = reading.view.grab().toImage().pixelColor(2, 200)
        pick(page, "choice-scheme", "light")
        assert reading.tree.grab().toImage().pixelColor(3, 300) == theme.colour("panel")
        assert theme.colour("panel").lightness() > 200
        assert reading.view.grab().toImage().pixelColor(2, 200) == black
        pick(page, "choice-scheme", "dark")
        assert reading.tree.grab().toImage().pixelColor(3, 300).lightness() < 60

    def test_images_and_what_is_written_on_them_are_the_same_in_both_themes(
        self, reading: MainWindow, make_findings: Callable[..., Findings]
    ) -> None:
        assert reading.session.volume is not None
        reading.session.set_findings(make_findings(reading.session.volume))
        dark = reading.picture()
        reading.habits.next_theme()
        assert theme.looks().light
        assert reading.picture() == dark

    @pytest.mark.parametrize(
        ("system", "light"),
        [
            (Qt.ColorScheme.Light, True), (Qt.ColorScheme.Dark, False),
            (Qt.ColorScheme.Unknown, False),
        ],
    )  # fmt: skip
    def test_the_systems_theme_is_followed(
        self, monkeypatch: pytest.MonkeyPatch, system: Qt.ColorScheme, light: bool
    ) -> None:
        hints = SimpleNamespace(colorScheme=lambda: system)
        monkeypatch.setattr(QGuiApplication, "styleHints", lambda: hints)
        assert looks_of(Choices(scheme=Scheme.SYSTEM)).light is light
        assert looks_of(Choices(scheme=Scheme.LIGHT)).light
        assert not looks_of(Choices(scheme=Scheme.DARK)).light

    def test_findings_change_their_colours_everywhere(
        self, reading: MainWindow, dialog: SettingsDialog,
        make_findings: Callable[..., Findings],
    ) -> None:  # fmt: skip
        session = reading.session
        assert session.volume is not None
        session.set_findings(make_findings(session.volume))
        session.set_position(4)

        def has(widget: QWidget, tint: str) -> bool:
            image = widget.grab().toImage()
            return any(
                image.pixelColor(x, y).name() == tint
                for x in range(0, image.width(), 2)
                for y in range(0, image.height(), 2)
            )

        parts = (reading.strip, reading.findings_panel, reading.layers_panel)
        assert all(has(part, "#f5d33f") for part in parts)
        picture = reading.picture()
        pick(go_to(dialog, "Looks"), "choice-safe_colours", True)
        assert all(has(part, "#e69f00") for part in parts)
        assert not any(has(part, "#f5d33f") for part in parts)
        assert reading.picture() != picture

    def test_safe_colours_are_one_click_away(
        self, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        action = reading.actions_["safe-colours"]
        box = go_to(dialog, "Looks").findChild(QComboBox, "choice-safe_colours")
        assert not action.isChecked()
        action.trigger()
        assert theme.looks().safe
        assert action.isChecked()
        assert box.currentData() is True
        pick(go_to(dialog, "Looks"), "choice-safe_colours", False)
        assert not action.isChecked()

    def test_masks_follow_opacity_and_style(
        self, reading: MainWindow, dialog: SettingsDialog
    ) -> None:
        page = go_to(dialog, "Looks")
        page.findChild(QSlider, "choice-opacity").setValue(70)
        pick(page, "choice-style", LayerStyle.OUTLINE)
        for layer in reading.session.layers:
            assert (layer.opacity, layer.style) == (0.7, LayerStyle.OUTLINE)


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
        self.press(qtbot, page, "Invert", Qt.Key.Key_F9)
        assert page.table.item(self.row(page, "Invert"), 2).text() == "F9"
        assert dict(kept(settings).keys) == {"invert": ("F9",)}
        assert "(F9)" in reading.actions_["invert"].toolTip()
        page.window().close()
        reading.activateWindow()
        qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
        qtbot.keyClick(reading, Qt.Key.Key_I)
        assert not reading.session.inverted
        qtbot.keyClick(reading, Qt.Key.Key_F9)
        assert reading.session.inverted
        reading.actions_["keys"].trigger()
        browser = next(b for b in reading.findChildren(QTextBrowser) if b.isVisible())
        assert "F9" in browser.toPlainText()
        browser.window().close()

    def test_sentences_speak_of_the_key_in_use(
        self, qtbot: Any, reading: MainWindow, page: KeysPage
    ) -> None:
        self.press(qtbot, page, "Analyse", Qt.Key.Key_F7)
        state = reading.findings_panel.findChild(QLabel, "analysis-state")
        assert state.text() == "Not analysed. Press F7."

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
        self.press(qtbot, page, "Invert", Qt.Key.Key_F9)
        self.press(qtbot, page, "Overlays", Qt.Key.Key_F10)
        page.table.setCurrentCell(self.row(page, "Invert"), 0)
        qtbot.mouseClick(page.findChild(QPushButton, "keys-reset"), Qt.MouseButton.LeftButton)
        assert dict(kept(settings).keys) == {"overlays": ("F10",)}

    def test_a_second_key_and_none_at_all(
        self, qtbot: Any, page: KeysPage, settings: Settings
    ) -> None:
        self.press(qtbot, page, "Invert", Qt.Key.Key_F9, place=1)
        assert kept(settings).keys["invert"] == ("I", "F9")
        qtbot.keyClick(page.findChild(QKeySequenceEdit, "keys-edit-0"), Qt.Key.Key_Shift)
        assert kept(settings).keys["invert"] == ("I", "F9"), "half a key is none"
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


class TestFolders:
    """Where exports go, and the cache."""

    def test_exports_are_offered_where_the_reader_wants_them(
        self, qtbot: Any, reading: MainWindow, dialog: SettingsDialog, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        target = tmp_path / "exports"
        target.mkdir()
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(target))
        page = go_to(dialog, "Folders and cache")
        button = page.findChild(QPushButton, "choose-export-folder")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert page.findChild(QLineEdit, "choice-export_folder").text() == str(target)
        offered: list[str] = []
        monkeypatch.setattr(
            QFileDialog, "getSaveFileName", lambda *given: offered.append(given[2]) or ("", "")
        )
        reading.actions_["export-png"].trigger()
        assert offered == [str(target / "view.png")]
        target.rmdir()
        assert reading.habits.export_folder != target

    def test_the_cache_is_measured_and_cleared(
        self, qtbot: Any, own_cache: Path, dialog: SettingsDialog, reading: MainWindow
    ) -> None:
        for name in ("graphs/a.bin", "sample-3/b.bin", "index/headers.sqlite", "notes/keep.txt"):
            file = own_cache / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(bytes(1_500_000))
        page = go_to(dialog, "Folders and cache")
        said = page.findChild(QLabel, "cache-size")
        reading.habits.cache.measure()
        qtbot.waitUntil(lambda: said.text() == "Size: 4.5 MB")
        qtbot.mouseClick(page.findChild(QPushButton, "cache-clear"), Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: said.text() == "Size: empty")
        assert [p.name for p in own_cache.rglob("*") if p.is_file()] == ["keep.txt"]
        assert not page.findChild(QPushButton, "cache-clear").isEnabled()

    def test_the_cache_is_not_cleared_under_an_analysis(
        self, qtbot: Any, own_cache: Path, dialog: SettingsDialog, reading: MainWindow,
        fake_system: Any,
    ) -> None:  # fmt: skip
        (own_cache / "graphs").mkdir(parents=True)
        (own_cache / "graphs" / "a.bin").write_bytes(bytes(10))
        page = go_to(dialog, "Folders and cache")
        said = page.findChild(QLabel, "cache-size")
        reading.habits.cache.measure()
        qtbot.waitUntil(lambda: said.text() == "Size: less than 1 MB")
        fake_system.go.clear()
        reading.analyst.start()
        qtbot.waitUntil(fake_system.started.is_set)
        qtbot.mouseClick(page.findChild(QPushButton, "cache-clear"), Qt.MouseButton.LeftButton)
        assert "Wait for the work to end" in said.text()
        assert (own_cache / "graphs" / "a.bin").exists()
        fake_system.go.set()
        qtbot.waitUntil(lambda: not reading.busy)

    def test_what_cannot_be_deleted_is_said(
        self, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "graphs").mkdir()
        (tmp_path / "graphs" / "a.bin").write_bytes(bytes(2_000_000))
        monkeypatch.setattr("viewer.cache.shutil.rmtree", lambda *_, **__: None)
        worker = Worker("tidying")
        keeper = CacheKeeper(worker, tmp_path)
        with qtbot.waitSignal(keeper.failed) as failed:
            keeper.clear()
        assert failed.args[0].startswith("2.0 MB of the cache could not be deleted")
        worker.close()


def test_damaged_settings_do_not_keep_the_window_away(
    qtbot: Any, tmp_path: Path, make_window: Callable[..., MainWindow]
) -> None:
    store = QSettings(str(tmp_path / "bad.ini"), QSettings.Format.IniFormat)
    store.setValue("choices", "{{{")
    store.setValue("notice_read", "true")
    window = make_window(Settings(store))
    assert window.habits.chosen.now == Choices()
