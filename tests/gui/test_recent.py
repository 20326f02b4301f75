"""File > Open recent: what was opened, greyed where it is gone, and forgotten on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from viewer.settings import MOST_RECENT, Settings
from viewer.window import MainWindow


def entries(window: MainWindow) -> list[QAction]:
    """Open the menu as the reader does, and return its entries."""
    menu = window.actions_["open-recent"].menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    return [action for action in menu.actions() if not action.isSeparator()]


def entry(window: MainWindow, text: str) -> QAction:
    """Return the entry that holds a text."""
    (found,) = [action for action in entries(window) if text in action.text()]
    return found


def test_what_was_opened_can_be_opened_again(
    qtbot: Any, window: MainWindow, settings: Settings, write_ct: Callable[..., Path]
) -> None:
    assert [action.text() for action in entries(window)] == [
        "Nothing yet", "Clear list", "Keep this list",
    ]  # fmt: skip
    first, second = write_ct("one & two"), write_ct("b", seed="two")
    for folder in (first, second, first):
        window.opener.open_paths([folder])
        qtbot.waitUntil(lambda: not window.busy)
    assert settings.recent == (first, second)
    texts = [action.text() for action in entries(window)]
    assert texts[0].startswith("&1 one && two   ")
    assert texts[1].startswith("&2 b   ")
    before = window.session.volume
    entry(window, "&2 b").trigger()
    qtbot.waitUntil(lambda: not window.busy and window.session.volume is not before)
    assert settings.recent == (second, first)
    before = window.session.volume
    window.actions_["open-recent"].trigger()
    qtbot.waitUntil(lambda: not window.busy and window.session.volume is not before)


def test_several_files_are_remembered_as_their_folder(
    qtbot: Any, window: MainWindow, settings: Settings, write_ct: Callable[..., Path]
) -> None:
    folder = write_ct()
    window.opener.open_paths([folder / "000.dcm", folder / "001.dcm"])
    qtbot.waitUntil(lambda: bool(settings.recent))
    assert settings.recent == (folder,)
    qtbot.waitUntil(lambda: not window.busy)
    window.opener.open_paths([folder / "000.dcm"])
    qtbot.waitUntil(lambda: settings.recent[0] == folder / "000.dcm" and not window.busy)


def test_what_cannot_be_opened_is_not_remembered(
    qtbot: Any, window: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    window.opener.open_paths([tmp_path / "empty"])
    qtbot.waitUntil(lambda: bool(window.messages.messages))
    assert settings.recent == ()


def test_what_is_gone_is_greyed_and_says_so(
    qtbot: Any, window: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "gone"):
        settings.add_recent(tmp_path / name)
    with qtbot.waitSignal(window.recent.changed):
        entries(window)
    assert not entry(window, " gone ").isEnabled()
    assert entry(window, " gone ").toolTip() == f"{tmp_path / 'gone'} is not there any more"
    assert entry(window, " there ").isEnabled()
    (tmp_path / "gone").mkdir()
    with qtbot.waitSignal(window.recent.changed):
        entries(window)
    assert entry(window, " gone ").isEnabled()


def test_the_list_can_be_cleared(window: MainWindow, settings: Settings, tmp_path: Path) -> None:
    settings.add_recent(tmp_path)
    entry(window, "Clear list").trigger()
    assert settings.recent == ()
    assert not entry(window, "Clear list").isEnabled()


def test_a_reader_may_want_no_list(
    qtbot: Any, window: MainWindow, settings: Settings, write_ct: Callable[..., Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    settings.add_recent(tmp_path)
    assert entry(window, "Keep this list").isChecked()
    entry(window, "Keep this list").trigger()
    assert settings.recent == ()
    window.opener.open_paths([write_ct()])
    qtbot.waitUntil(lambda: window.session.volume is not None and not window.busy)
    assert settings.recent == ()
    assert not entry(window, "Keep this list").isChecked()
    entry(window, "Keep this list").trigger()
    settings.add_recent(tmp_path)
    assert settings.recent == (tmp_path,)


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[], QSettings]:
    """Give the same file of settings at each call."""
    return lambda: QSettings(str(tmp_path / "recent.ini"), QSettings.Format.IniFormat)


def test_ten_are_kept_from_one_start_to_the_next(
    stored: Callable[[], QSettings], tmp_path: Path
) -> None:
    settings = Settings(stored())
    for number in range(MOST_RECENT + 3):
        settings.add_recent(tmp_path / f"\u00fc, {number}")
    settings.sync()
    again = Settings(stored()).recent
    assert again == tuple(tmp_path / f"\u00fc, {12 - i}" for i in range(MOST_RECENT))


@pytest.mark.parametrize("value", ["", "no list", '{"a": 1}', '[1, "/a"]', "3"])
def test_a_damaged_list_is_no_error(stored: Callable[[], QSettings], value: str) -> None:
    store = stored()
    store.setValue("recent", value)
    assert len(Settings(store).recent) <= 1
