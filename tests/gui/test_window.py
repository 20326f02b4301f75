"""The real window, driven as a reader drives it."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
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
from viewer.cards import CardsDialog
from viewer.messages import NOTICE
from viewer.panels.bars import ProbabilityBar
from viewer.session import AnalysisState, HeatmapChoice, Tool
from viewer.settings import Settings
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


class TestOpening:
    """Files come in by drop."""

    def test_a_dropped_folder_is_on_the_screen(
        self, qtbot: Any, window: MainWindow, settings: Settings, write_ct: Callable[..., Path]
    ) -> None:
        folder = write_ct()
        assert drop(window, folder)
        qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
        volume = window.session.volume
        assert volume is not None
        assert volume.shape == (12, 64, 64)
        assert volume.unit is Unit.HU
        tree = window.tree.tree
        assert tree.topLevelItem(0).text(0) == "Doe, Jane · ID-77"
        assert settings.last_folder == folder
        picture = window.picture()
        grey = {picture.pixelColor(x, picture.height() // 2).value() for x in range(0, 400, 10)}
        assert len(grey) > 2
        # Its small picture arrives without being asked for.
        leaf = tree.topLevelItem(0).child(0).child(0)
        qtbot.waitUntil(
            lambda: leaf.icon(0).pixmap(44, 44).toImage().pixelColor(22, 8).value() > 100
        )

    def test_a_dropped_archive_is_on_the_screen_and_what_was_left_out_is_said(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], tmp_path: Path
    ) -> None:
        folder = write_ct()
        with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
            for path in folder.iterdir():
                archive.write(path, f"disc/{path.name}")
            archive.writestr("inner.zip", b"PK\x03\x04")
        assert drop(window, tmp_path / "study.zip")
        qtbot.waitUntil(lambda: window.session.volume is not None)
        assert window.session.volume is not None
        assert window.session.volume.shape == (12, 64, 64)
        qtbot.waitUntil(lambda: "“inner.zip” is an archive inside" in "".join(sentences(window)))

    def test_an_archive_that_is_refused_is_a_sentence(
        self, qtbot: Any, window: MainWindow, tmp_path: Path
    ) -> None:
        with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
            archive.writestr("../evil.dcm", b"x")
        assert drop(window, tmp_path / "evil.zip")
        qtbot.waitUntil(lambda: bool(sentences(window)))
        assert "lead out of its folder" in sentences(window)[0]
        assert window.session.volume is None

    def test_files_can_be_dropped_on_any_part(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]
    ) -> None:
        folder = write_ct()
        for number, part in enumerate(
            (window.view, window.strip, window.tree.tree.viewport(), window.findings_panel)
        ):
            with qtbot.waitSignal(window.session.volume_changed):
                assert drop(part, folder / f"00{number}.dcm"), part

    def test_text_that_is_dragged_is_not_taken(self, window: MainWindow) -> None:
        data = QMimeData()
        data.setText("hello")
        event = QDragEnterEvent(
            QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(window, event)
        assert not event.isAccepted()

    @pytest.mark.parametrize("kind", ["empty", "text", "cut", "tiny", "missing"])
    def test_bad_input_is_one_sentence_and_the_window_goes_on(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path], tmp_path: Path,
        kind: str,
    ) -> None:  # fmt: skip
        good = write_ct("good")
        bad = tmp_path / f"{kind}.dcm"
        if kind == "empty":
            bad.mkdir()
        elif kind == "text":
            bad.write_text("This is no image.")
        elif kind == "cut":
            whole = (good / "000.dcm").read_bytes()
            bad.write_bytes(whole[: len(whole) // 2])
        elif kind == "tiny":
            bad = bad.with_suffix(".jpg")
            assert QImage(10, 10, QImage.Format.Format_Grayscale8).save(str(bad))
        drop(window.view, bad)
        qtbot.waitUntil(lambda: bool(window.messages.messages))
        (message,) = window.messages.messages
        assert message.kind == "error"
        assert message.sentence.endswith(".")
        assert "Traceback" not in message.sentence
        assert window.session.volume is None
        drop(window.view, good)
        qtbot.waitUntil(lambda: is_whole(window))
        qtbot.keyClick(window, Qt.Key.Key_Home)
        assert window.session.position == 0

    def test_a_click_in_the_tree_shows_the_other_series(
        self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]
    ) -> None:
        drop(window, write_ct("one"), write_ct("two", slices=5, seed="two"))
        qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
        assert window.session.volume is not None
        assert window.session.volume.shape[0] == 12
        tree = window.tree.tree
        item = tree.topLevelItem(0).child(1).child(0)
        qtbot.mouseClick(
            tree.viewport(), Qt.MouseButton.LeftButton, pos=tree.visualItemRect(item).center()
        )
        qtbot.waitUntil(lambda: window.session.volume.shape[0] == 5)


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
        session.set_findings(findings)
        reading.findings_panel.card_asked.emit("recognition")
        dialog = reading.findChild(CardsDialog)
        page = dialog.findChild(QTextBrowser, "card-text")
        assert "made with other weights of this name" in page.toPlainText()
        current = replace(findings.models[0], sha256=ModelStore().find("recognition").sha256)
        gone = replace(current, name="a model of yore")
        session.set_findings(replace(findings, models=(current, gone)))
        reading.findings_panel.card_asked.emit("recognition")
        assert page.toPlainText().startswith("recognition")
        reading.findings_panel.card_asked.emit("a model of yore")
        assert "There is no card of a model of yore" in page.toPlainText()
        dialog.close()

    def test_a_damaged_manifest_is_said_in_a_sentence(
        self, qtbot: Any, reading: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any) -> None:
            raise AnalysisError("The model manifest is damaged; install SecondRead again.")

        monkeypatch.setattr("viewer.window.CardsDialog", fail)
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


class TestAnalysis:
    """F5, and what can happen then."""

    def test_the_window_lives_while_the_machine_works(
        self, qtbot: Any, reading: MainWindow, fake_system: Any
    ) -> None:
        session = reading.session
        session.set_position(0)
        fake_system.go.clear()
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: session.stage[1] > 0)
        ticks: list[float] = []
        timer = QTimer()
        timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
        timer.start(5)
        painted = reading.picture()
        for expected in range(1, 12):
            wheel(reading.view, 1)
            assert session.position == expected
            assert session.analysis is AnalysisState.RUNNING
            qtbot.wait(20)
        timer.stop()
        # The loop went round between any two turns of the wheel, and never stood still.
        assert len(ticks) >= 11
        assert float(np.diff(ticks).max()) < 0.5
        assert reading.picture() != painted
        assert session.findings is None
        fake_system.go.set()
        qtbot.waitUntil(lambda: session.findings is not None)
        assert session.position == 11

    def test_progress_and_cancel_are_in_the_status_bar(
        self, qtbot: Any, reading: MainWindow, fake_system: Any
    ) -> None:
        status = reading.status
        assert not status.cancel_button.isVisible()
        fake_system.go.clear()
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: status.stage.text().startswith("Segmenting "))
        assert status.bar.maximum() == 100
        assert status.cancel_button.isVisible()
        assert not reading.actions_["analyse"].isEnabled()
        qtbot.mouseClick(status.cancel_button, Qt.MouseButton.LeftButton)
        assert status.stage.text() == "Cancelling…"
        qtbot.waitUntil(lambda: reading.session.analysis is AnalysisState.CANCELLED)
        assert reading.session.findings is None
        assert not status.cancel_button.isVisible()
        assert sentences(reading) == []
        assert reading.actions_["analyse"].isEnabled()

    def test_escape_cancels(self, qtbot: Any, reading: MainWindow, fake_system: Any) -> None:
        fake_system.go.clear()
        reading.actions_["analyse"].trigger()
        qtbot.waitUntil(fake_system.started.is_set)
        qtbot.keyClick(reading, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: reading.session.analysis is AnalysisState.CANCELLED)
        assert reading.session.findings is None

    def test_a_failure_is_a_sentence(
        self, qtbot: Any, reading: MainWindow, fake_system: Any, failing: AnalysisError
    ) -> None:
        fake_system.error = failing
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: reading.session.analysis is AnalysisState.FAILED)
        assert sentences(reading) == [str(failing)]
        fake_system.error = None
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: reading.session.findings is not None)

    def test_findings_and_masks_are_shown(self, qtbot: Any, reading: MainWindow) -> None:
        session = reading.session
        session.set_position(4)
        before = reading.picture()
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: session.findings is not None)
        bars = reading.findings_panel.findChildren(ProbabilityBar)
        assert [bar.text for bar in bars] == ["0.86", "0.14", "0.97", "0.61", "0.08"]
        with_masks = reading.picture()
        assert with_masks != before
        qtbot.keyClick(reading, Qt.Key.Key_G)
        middle = reading.view.rect().center()
        assert reading.picture().pixelColor(middle).saturation() == 0
        button = reading.findings_panel.findChild(QToolButton, "go-to-consolidation")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert session.position == 8

    def test_a_heatmap_appears_where_the_reader_stays(
        self, qtbot: Any, reading: MainWindow
    ) -> None:
        session = reading.session
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: session.findings is not None)
        session.choose_heatmap(HeatmapChoice("covid-2", "COVID-19"))
        qtbot.waitUntil(lambda: session.heatmap is not None)
        wheel(reading.view, 1)
        assert session.heatmap is None
        qtbot.waitUntil(lambda: session.heatmap is not None)

    def test_closing_in_the_middle_ends_the_work(
        self, qtbot: Any, reading: MainWindow, fake_system: Any
    ) -> None:
        fake_system.go.clear()
        qtbot.keyClick(reading, Qt.Key.Key_F5)
        qtbot.waitUntil(fake_system.started.is_set, timeout=20_000)
        reading.close()
        assert reading.session.findings is None


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

    def test_the_title_names_nobody(self, reading: MainWindow) -> None:
        assert reading.windowTitle() == "SecondRead"

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


class TestMemory:
    """What is remembered from one start to the next."""

    def test_size_and_splitters(
        self, qtbot: Any, make_window: Callable[..., MainWindow], settings: Settings
    ) -> None:
        first = make_window(settings)
        first.resize(1234, 777)
        splitter = first._splitters["across"]
        splitter.setSizes([300, 600, 334])
        sizes = splitter.sizes()
        first.close()
        second = make_window(settings)
        second.resize(1234, 777)
        assert second._splitters["across"].sizes() == pytest.approx(sizes, abs=3)

    def test_a_folder_that_is_gone_is_forgotten(self, settings: Settings, tmp_path: Path) -> None:
        settings.set_last_folder(tmp_path / "gone")
        assert settings.last_folder == Path.home()
        settings.set_last_folder(tmp_path)
        assert settings.last_folder == tmp_path


class TestExport:
    """Menu Export."""

    @pytest.fixture
    def analysed(self, qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]) -> MainWindow:
        drop(window, write_ct())
        qtbot.waitUntil(lambda: is_whole(window))
        qtbot.keyClick(window, Qt.Key.Key_F5)
        qtbot.waitUntil(lambda: window.session.findings is not None)
        return window

    @pytest.mark.parametrize(
        ("kind", "given", "written"),
        [
            ("png", "view", "view.png"),
            ("json", "f.json", "f.json"),
            ("nifti", "labels", "labels.nii.gz"),
            ("seg", "seg.dcm", "seg.dcm"),
        ],
    )
    def test_each_kind_is_written(
        self, qtbot: Any, analysed: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        settings: Settings, kind: str, given: str, written: str,
    ) -> None:  # fmt: skip
        target = tmp_path / "out"
        target.mkdir()
        monkeypatch.setattr(analysed.exporter, "_ask", lambda _chosen: target / given)
        analysed.actions_[f"export-{kind}"].trigger()
        qtbot.waitUntil(lambda: bool(sentences(analysed)))
        assert sentences(analysed)[0].startswith(f"Written: “{target / written}”.")
        assert (target / written).stat().st_size > 100
        assert settings.last_folder == target

    def test_the_picture_is_what_is_on_the_screen(
        self, qtbot: Any, analysed: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shown = analysed.picture()
        monkeypatch.setattr(analysed.exporter, "_ask", lambda _chosen: tmp_path / "a.png")
        analysed.actions_["export-png"].trigger()
        qtbot.waitUntil(lambda: bool(sentences(analysed)))
        read = QImage(str(tmp_path / "a.png")).convertToFormat(shown.format())
        assert read.size() == shown.size()
        assert all(
            read.pixel(x, y) == shown.pixel(x, y)
            for x in range(0, read.width(), 7)
            for y in range(0, read.height(), 7)
        )

    def test_a_refusal_is_a_sentence(
        self, qtbot: Any, reading: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        make_findings: Callable[..., Findings],
    ) -> None:  # fmt: skip
        assert reading.session.volume is not None
        reading.session.set_findings(make_findings(reading.session.volume))
        monkeypatch.setattr(reading.exporter, "_ask", lambda _chosen: tmp_path / "seg.dcm")
        reading.actions_["export-seg"].trigger()
        qtbot.waitUntil(lambda: bool(sentences(reading)))
        (message,) = reading.messages.messages
        assert message.kind == "error"
        assert "NIfTI" in message.sentence
        assert not (tmp_path / "seg.dcm").exists()

    def test_a_place_that_cannot_be_written_is_a_sentence(
        self, qtbot: Any, analysed: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(analysed.exporter, "_ask", lambda _c: tmp_path / "no" / "a.png")
        analysed.actions_["export-png"].trigger()
        qtbot.waitUntil(lambda: bool(sentences(analysed)))
        assert "could not be written" in sentences(analysed)[0]

    def test_thinking_better_of_it_writes_nothing(
        self, qtbot: Any, analysed: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(analysed.exporter, "_ask", lambda _chosen: None)
        analysed.actions_["export-json"].trigger()
        assert not analysed.busy
        assert sentences(analysed) == []


class TestCommands:
    """Every command is declared whole."""

    def test_texts_tips_and_keys(self, reading: MainWindow) -> None:
        declared = reading.actions_.commands
        assert len({command.id for command in declared}) == len(declared)
        keys = [key for command in declared for key in command.keys]
        assert len(set(keys)) == len(keys)
        for command in declared:
            action = reading.actions_[command.id]
            assert action.text() == command.text
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
            "open-files", "open-folder", "quit", "full-screen", "keys", "cards",
            "layouts", "layout-one", "layout-two", "layout-mpr", "layout-four",
            "layout-oblique",
            *(f"tool-{tool.value}" for tool in Tool),
            "palette",
            "settings", "theme", "hide-names", "safe-colours",
            "open-recent",
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

        monkeypatch.setattr("viewer.window.QFileDialog.getOpenFileNames", answer_files)
        monkeypatch.setattr("viewer.window.QFileDialog.getExistingDirectory", answer_folder)
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
