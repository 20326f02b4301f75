"""Analysing and exporting in the real window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QImage,
)
from PySide6.QtWidgets import (
    QToolButton,
)

from inference.errors import AnalysisError
from inference.findings import Findings
from tests import factories
from tests.gui.handling import drop, is_whole, sentences, wheel
from tests.gui.heartbeat import Heartbeat
from viewer.panels.bars import ProbabilityBar
from viewer.session import AnalysisState, HeatmapChoice
from viewer.settings import Settings
from viewer.window import MainWindow


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
        heart = Heartbeat()
        heart.start()
        painted = reading.picture()
        for expected in range(1, 12):
            wheel(reading.view, 1)
            assert session.position == expected
            assert session.analysis is AnalysisState.RUNNING
            qtbot.wait(20)
        heart.stop()
        # The loop went round between any two turns of the wheel, and never stood still.
        assert heart.beats >= 11
        assert heart.longest_ms < 500
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
        qtbot.waitUntil(lambda: status.stage.text().startswith("Analysing slices "))
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
        session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
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
        ("kind", "given", "written", "begins"),
        [
            ("png", "view", "view.png", b"\x89PNG"),
            ("json", "f.json", "f.json", b'{\n  "schema_version"'),
            ("nifti", "labels", "labels.nii.gz", b"\x1f\x8b"),
            ("seg", "seg.dcm", "seg.dcm", bytes(128) + b"DICM"),
        ],
    )
    def test_each_kind_gets_its_ending_and_its_folder_is_remembered(
        self, qtbot: Any, analysed: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        settings: Settings, kind: str, given: str, written: str, begins: bytes,
    ) -> None:  # fmt: skip
        target = tmp_path / "out"
        target.mkdir()
        monkeypatch.setattr(analysed.exporter, "_ask", lambda _chosen: target / given)
        analysed.actions_[f"export-{kind}"].trigger()
        qtbot.waitUntil(lambda: bool(sentences(analysed)))
        assert sentences(analysed)[0].startswith(f"Written: “{target / written}”.")
        # What stands in it is read back in `tests.gui.test_window_files`.
        assert (target / written).read_bytes().startswith(begins)
        assert settings.last_export_folder == target

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
        session = reading.session
        plain = factories.without_dicom(session.volume)
        session.set_volume(session.study, session.series, plain, 0.1)
        session.set_findings(make_findings(plain))
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
