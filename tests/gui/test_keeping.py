"""Findings outlive the window: shown again with their date, and never as what they are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QPushButton

from inference.findings import Findings
from inference.models import ModelStore
from inference.studies.model import Volume
from tests.gui.handling import drop, is_whole, sentences, words
from tests.gui.preferences.choosing import go_to
from tests.gui.several import in_list, leaves, open_series, press, show_series, until
from viewer.export import FORMATS
from viewer.options import read_choices
from viewer.preferences import SettingsDialog
from viewer.session import AnalysisState, HeatmapChoice
from viewer.settings import Settings
from viewer.window import MainWindow

MADE = "2026-01-02"


@pytest.fixture(autouse=True)
def installed_models(fake_system: Any, make_findings: Callable[..., Findings]) -> None:
    """Let the system that obeys the test speak with the weights that are installed."""
    installed = {record.name: record.sha256 for record in ModelStore().records}

    def made(volume: Volume) -> Findings:
        findings = make_findings(volume)
        models = (replace(m, sha256=installed.get(m.name, m.sha256)) for m in findings.models)
        return replace(findings, models=tuple(models))

    fake_system.make_findings = made


@pytest.fixture
def first_sitting(
    qtbot: Any, make_window: Callable[..., MainWindow], write_ct: Callable[..., Path],
    findings_folder: Path,
) -> Path:  # fmt: skip
    """Analyse a CT in a window and close that; gives the folder of the CT."""
    window = make_window()
    folder = open_series(qtbot, window, write_ct, "one")[0]
    press(qtbot, window, Qt.Key.Key_F5)
    until(qtbot, lambda: window.session.findings is not None)
    # Closed at once: what is still to be written is written.
    assert window.close()
    assert len(list(findings_folder.iterdir())) == 1
    return folder


@pytest.fixture
def other_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let other models be installed from now on."""

    def install() -> None:
        store = ModelStore()
        content = json.loads((store.folder / "manifest.json").read_text("utf-8"))
        content["default_streams"] = "separate"
        folder = tmp_path / "other-models"
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(content))
        monkeypatch.setattr("inference.export.kept.ModelStore", lambda _: ModelStore(folder))

    return install


def reopen(qtbot: Any, make_window: Callable[..., MainWindow], folder: Path) -> MainWindow:
    """Open a CT in a new window, and wait until its findings are there, or are not."""
    window = make_window()
    assert drop(window, folder)
    until(qtbot, lambda: is_whole(window) and not window.busy)
    until(qtbot, lambda: not window._keeping._jobs)
    return window


class TestReopening:
    """A later sitting."""

    def test_findings_are_shown_again_with_their_date(
        self, qtbot: Any, first_sitting: Path, make_window: Callable[..., MainWindow],
        fake_system: Any,
    ) -> None:  # fmt: skip
        window = reopen(qtbot, make_window, first_sitting)
        assert window.session.analysis is AnalysisState.DONE
        said = words(window.findings_panel)
        assert f"Kept from an earlier analysis. Made on {MADE}" in said
        assert "Not current" not in said
        assert "Ground-glass opacity" in said
        assert len(fake_system.contexts) == 1, "nothing is analysed a second time"
        assert in_list(window, 0) == "◐ CT 12"
        press(qtbot, window, Qt.Key.Key_F8)
        assert MADE not in words(window.findings_panel).partition("Said by")[0]

    def test_the_list_knows_before_a_series_is_opened(
        self, qtbot: Any, first_sitting: Path, make_window: Callable[..., MainWindow],
        write_ct: Callable[..., Path],
    ) -> None:  # fmt: skip
        window = make_window()
        assert drop(window, first_sitting, write_ct("two", seed="two"))
        until(qtbot, lambda: is_whole(window) and not window.busy)
        shown = window.session.series
        other = next(n for n in (0, 1) if _series(window, n) is not shown)
        kept = next(n for n in (0, 1) if _folder(window, n) == first_sitting)
        until(qtbot, lambda: in_list(window, kept).startswith("◐"))
        assert "◐" not in in_list(window, 1 - kept)
        show_series(qtbot, window, other)

    def test_an_analysis_anew_is_of_this_sitting(
        self, qtbot: Any, first_sitting: Path, make_window: Callable[..., MainWindow],
        fake_system: Any,
    ) -> None:  # fmt: skip
        window = reopen(qtbot, make_window, first_sitting)
        press(qtbot, window, Qt.Key.Key_F5)
        until(qtbot, lambda: len(fake_system.contexts) == 2)
        until(qtbot, lambda: window.session.findings is not None)
        assert window.session.kept is None
        assert "Kept from" not in words(window.findings_panel)

    def test_other_pixels_get_none_and_are_told_why(
        self, qtbot: Any, first_sitting: Path, make_window: Callable[..., MainWindow]
    ) -> None:
        path = first_sitting / "005.dcm"
        ds = pydicom.dcmread(path)
        ds.PixelData = bytes(2) + ds.PixelData[2:]
        ds.save_as(path)
        window = reopen(qtbot, make_window, first_sitting)
        assert window.session.findings is None
        assert "other pixels" in "".join(sentences(window))


class TestStale:
    """The models have changed."""

    @pytest.fixture
    def stale(
        self, qtbot: Any, first_sitting: Path, make_window: Callable[..., MainWindow],
        other_models: Callable[[], None],
    ) -> MainWindow:  # fmt: skip
        other_models()
        return reopen(qtbot, make_window, first_sitting)

    def test_it_is_said_above_the_findings_on_the_image_and_in_the_list(
        self, stale: MainWindow
    ) -> None:
        frame = stale.findings_panel.findChild(QFrame, "stale-findings")
        said = " ".join(label.text() for label in frame.findChildren(QLabel))
        assert said.startswith(f"Not current Made on {MADE}")
        assert "with other models than those installed now; press F5 to analyse again." in said
        marks = [line.text for line in stale.view.annotations().bottom_right]
        assert "findings not current" in marks
        assert in_list(stale, 0) == "◐ CT 12 · stale"
        assert "analyse again" in stale.tree.tree.topLevelItem(0).child(0).child(0).toolTip(0)

    def test_a_new_analysis_is_current_again(self, qtbot: Any, stale: MainWindow) -> None:
        assert stale.actions_["analyse-all"].isEnabled(), "stale ones are analysed with all others"
        qtbot.keyClick(stale, Qt.Key.Key_F5)
        until(qtbot, lambda: stale.session.findings is not None)
        assert stale.findings_panel.findChild(QFrame, "stale-findings") is None
        assert in_list(stale, 0) == "◐ CT 12"
        assert "findings not current" not in [
            line.text for line in stale.view.annotations().bottom_right
        ]

    def test_they_are_not_explained_by_the_models_of_today(
        self, qtbot: Any, stale: MainWindow, fake_system: Any
    ) -> None:
        estimate = stale.session.findings.estimates[0]
        stale.session.choose_heatmap(HeatmapChoice(estimate.task, estimate.keys[0]))
        qtbot.wait(300)
        assert fake_system.explained == []
        assert "No heatmaps" in words(stale.layers_panel)

    def test_an_export_says_it(
        self, qtbot: Any, stale: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / FORMATS["json"].suggestion
        monkeypatch.setattr(stale.exporter, "_ask", lambda _format: path)
        stale.actions_["export-json"].trigger()
        until(qtbot, lambda: path.exists() and not stale.busy)
        assert f"Not current: Made on {MADE}" in "".join(sentences(stale))


class TestSettings:
    """On or off, how much, and clearing."""

    @pytest.fixture
    def page(self, qtbot: Any, first_sitting: Path, make_window: Callable[..., MainWindow]) -> Any:
        window = reopen(qtbot, make_window, first_sitting)
        press(qtbot, window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
        dialog = window.findChild(SettingsDialog)
        yield SimpleNamespace(window=window, shown=go_to(dialog, "Folders and cache"))
        dialog.close()

    def test_their_size_is_shown_and_they_are_deleted(
        self, qtbot: Any, page: SimpleNamespace, findings_folder: Path
    ) -> None:
        said = page.shown.findChild(QLabel, "findings-size")
        until(qtbot, lambda: said.text() == "Size: less than 1 MB")
        button = page.shown.findChild(QPushButton, "findings-clear")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        until(qtbot, lambda: said.text() == "Size: empty")
        assert list(findings_folder.iterdir()) == []
        assert not button.isEnabled()

    def test_switched_off_none_are_written_and_closing_asks(
        self, qtbot: Any, page: SimpleNamespace, findings_folder: Path, settings: Settings,
        closing_answer: SimpleNamespace, write_ct: Callable[..., Path],
    ) -> None:  # fmt: skip
        box = page.shown.findChild(QComboBox, "choice-keep_findings")
        box.activated.emit(1)
        assert not read_choices(settings.choices).keep_findings
        before = sorted(findings_folder.iterdir())
        window = page.window
        other = write_ct("two", seed="two")
        assert drop(window, other)
        until(qtbot, lambda: is_whole(window) and window.session.findings is None)
        until(qtbot, lambda: not window.busy)
        window.activateWindow()
        window.actions_["analyse"].trigger()
        until(qtbot, lambda: window.session.findings is not None)
        until(qtbot, lambda: not window._keeping._jobs)
        assert sorted(findings_folder.iterdir()) == before
        # In this sitting they are there nevertheless.
        assert window.findings_keeper.unsaved == 1
        closing_answer.answer = False
        assert not window.close()
        assert "kept nowhere" in closing_answer.asked[0][0]
        closing_answer.answer = True

    def test_how_much_is_kept_can_be_chosen(
        self, qtbot: Any, page: SimpleNamespace, settings: Settings
    ) -> None:
        box = page.shown.findChild(QComboBox, "choice-findings_mb")
        assert box.currentText() == "1.0 GB"
        box.activated.emit(0)
        assert read_choices(settings.choices).findings_mb == 100
        assert page.window.habits.findings_wanted() == (True, 100_000_000)


def _series(window: MainWindow, number: int) -> Any:
    return leaves(window)[number].data(0, Qt.ItemDataRole.UserRole + 1)


def _folder(window: MainWindow, number: int) -> Path:
    return _series(window, number).slices[0].path.parent
