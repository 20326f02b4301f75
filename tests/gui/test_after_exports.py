"""Where exports go unless told otherwise, under which name, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QToolButton

from tests.gui.handling import drop, is_whole, sentences
from viewer import messages
from viewer.export_places import own_folder
from viewer.messages import Message
from viewer.settings import Settings
from viewer.window import MainWindow


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Collect what the dialog offers; the reader thinks better of it."""
    asked: list[Path] = []
    monkeypatch.setattr(
        QFileDialog, "getSaveFileName", lambda *given: asked.append(Path(given[2])) or ("", "")
    )
    return asked


@pytest.fixture
def takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the reader take what the dialog offers."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (given[2], ""))


@pytest.fixture
def open_ct(qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]) -> tuple[Any, Path]:
    """Give the window with a CT of files, and their folder."""
    folder = write_ct()
    drop(window, folder)
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
    return window, folder


@pytest.mark.usefixtures("takes_it")
def test_exports_go_to_a_folder_of_their_own_named_by_study_and_date(
    qtbot: Any, open_ct: tuple[MainWindow, Path], settings: Settings
) -> None:
    window, patient = open_ct
    before = sorted(patient.iterdir())
    for name in ("2020-03-12_CT_Chest_view.png", "2020-03-12_CT_Chest_view_2.png"):
        window.actions_["export-png"].trigger()
        qtbot.waitUntil((own_folder() / name).is_file)
        qtbot.waitUntil(lambda: not window.busy)
    assert sorted(patient.iterdir()) == before
    # Neither where images were opened nor, once exported there by hand, among these images.
    assert settings.last_folder == patient
    settings.set_last_export_folder(patient)
    assert window.habits.export_folder == own_folder()
    settings.set_last_export_folder(patient.parent)
    assert window.habits.export_folder == patient.parent


def test_the_name_tells_no_patient(
    open_ct: tuple[MainWindow, Path], offered: list[Path], tmp_path: Path
) -> None:
    window, _ = open_ct
    session = window.session
    assert session.study is not None
    assert session.series is not None
    assert session.volume is not None
    named = replace(session.study, description="Thorax/nativ DOE, jane: ID-77 (Kontrolle)")
    session.set_volume(named, session.series, session.volume)
    window.actions_["export-png"].trigger()
    session.manner.toggle_names()
    window.actions_["export-png"].trigger()
    assert [path.name for path in offered] == [
        "2020-03-12_CT_Thorax-nativ-Kontrolle_view.png", "view.png",
    ]  # fmt: skip


def test_a_folder_that_nothing_came_into_is_not_left(
    open_ct: tuple[MainWindow, Path], offered: list[Path], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    window, _ = open_ct
    monkeypatch.setenv("XDG_DOCUMENTS_DIR", str(tmp_path / "documents"))
    window.actions_["export-png"].trigger()
    assert offered[0].parent == tmp_path / "documents" / "SecondRead"
    assert not offered[0].parent.exists()


@pytest.mark.usefixtures("takes_it")
def test_the_message_of_a_written_file_goes_and_errors_stay(
    qtbot: Any, open_ct: tuple[MainWindow, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, _ = open_ct
    shown: list[QUrl] = []
    opens = [True]
    monkeypatch.setattr(
        "viewer.messages.QDesktopServices.openUrl", lambda url: shown.append(url) or opens[0]
    )
    window.session.post("error", "Something is wrong.")
    window.session.post("warning", "Something is doubtful.")
    window.actions_["export-png"].trigger()
    qtbot.waitUntil(lambda: len(window.messages.messages) == 3)
    written = window.messages.messages[-1]
    assert written.sentence.startswith(f"Written: “{own_folder()}")
    button = written.findChild(QToolButton, "show-in-folder")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [Path(url.toLocalFile()) for url in shown] == [own_folder()]
    assert messages.GOES_AFTER_MS == 5000
    timers = [m.findChildren(QTimer) for m in window.messages.messages]
    assert timers[:2] == [[], []], "an error is there until it is dismissed"
    (timer,) = timers[2]
    assert timer.isActive()
    assert timer.interval() == 5000
    # Who is reading it, or is on the way to its button, keeps it.
    at = QPointF(5, 5)
    QApplication.sendEvent(written, QEnterEvent(at, at, at))
    assert not timer.isActive()
    QApplication.sendEvent(written, QEvent(QEvent.Type.Leave))
    assert timer.isActive()
    timer.setInterval(1)
    timer.start()
    qtbot.waitUntil(lambda: sentences(window) == ["Something is wrong.", "Something is doubtful."])


def test_where_no_program_shows_folders_the_message_says_where_it_is(
    qtbot: Any, window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("viewer.messages.QDesktopServices.openUrl", lambda _url: False)
    window.messages.post_written(tmp_path / "view.png")
    (message,) = window.messages.findChildren(Message)
    qtbot.mouseClick(message.findChild(QToolButton, "show-in-folder"), Qt.MouseButton.LeftButton)
    assert f"“view.png” is in “{tmp_path}”" in sentences(window)[-1]
