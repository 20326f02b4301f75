"""The empty window: what it offers, and that it makes room for the first study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTabWidget

from tests.gui.handling import drop, is_whole
from viewer.settings import Settings
from viewer.window import MainWindow


def recent_buttons(window: MainWindow) -> list[QPushButton]:
    """Return the buttons of what was opened last, as they stand."""
    found = window.start_page.findChildren(QPushButton, "start-recent-path")
    return [button for button in found if button.isVisible()]


def test_the_empty_window_offers_what_can_be_opened_and_nothing_else(window: MainWindow) -> None:
    page = window.start_page
    assert page.isVisible()
    assert not window.panes.isVisible()
    assert not window.strip.isVisible()
    assert [tabs for tabs in window.findChildren(QTabWidget) if tabs.isVisible()] == []
    assert [b.text() for b in page.buttons.values()] == [
        "Open files…", "Open folder…", "Open sample study",
    ]  # fmt: skip
    assert all(button.isVisible() and button.isEnabled() for button in page.buttons.values())
    said = " ".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())
    assert "Drop images here" in said
    assert "Not analysed" not in said
    assert not page.progress.isVisible()


def test_a_study_takes_the_place_of_the_start_page(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]
) -> None:
    assert drop(window.start_page, write_ct())
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
    assert not window.start_page.isVisible()
    assert window.panes.isVisible()
    assert window.strip.isVisible()
    assert window.findings_panel.isVisible()
    assert window.layers_panel.isVisible()
    assert window.panes.height() > 200, "the picture has the room that the page had"
    window.session.close_volume()
    assert window.start_page.isVisible()
    assert window.start_page.title.text() == "Choose a series in the study list"


@pytest.mark.parametrize("name", ["open-files", "open-folder"])
def test_the_buttons_open(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch, name: str,
) -> None:  # fmt: skip
    folder = write_ct()
    dialog = "viewer.asking.QFileDialog"
    monkeypatch.setattr(
        f"{dialog}.getOpenFileNames", lambda *_: ([str(p) for p in sorted(folder.iterdir())], "")
    )
    monkeypatch.setattr(f"{dialog}.getExistingDirectory", lambda *_: str(folder))
    qtbot.mouseClick(window.start_page.buttons[name], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_whole(window))
    assert window.session.volume is not None
    assert window.session.volume.shape[0] == 12


def test_what_was_opened_last_is_a_click_away(
    qtbot: Any,
    make_window: Callable[..., MainWindow],
    settings: Settings,
    write_ct: Callable[..., Path],
    tmp_path: Path,
) -> None:
    folder = write_ct("last & least")
    settings.add_recent(tmp_path / "gone")
    settings.add_recent(folder)
    window = make_window()
    qtbot.waitUntil(lambda: len(recent_buttons(window)) == 2
                    and not recent_buttons(window)[1].isEnabled())  # fmt: skip
    first, second = recent_buttons(window)
    assert first.text().startswith("last && least")
    assert first.isEnabled()
    assert "not there any more" in second.toolTip()
    window.session.manner.toggle_names()
    assert recent_buttons(window) == [], "files are named after patients"
    window.session.manner.toggle_names()
    qtbot.mouseClick(recent_buttons(window)[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)


def test_the_sample_opens_and_is_not_remembered_as_the_readers_own(
    qtbot: Any, window: MainWindow, settings: Settings, write_ct: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder, before = write_ct(), settings.last_folder
    monkeypatch.setattr("inference.sample.ensure", lambda _progress: folder)
    qtbot.mouseClick(window.start_page.buttons["open-sample"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
    assert settings.recent == ()
    assert settings.last_folder == before
    assert window.session.findings is None
