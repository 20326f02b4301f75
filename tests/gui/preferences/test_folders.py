"""Where files go, and what is kept of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
)

from tests.gui.preferences.choosing import go_to
from viewer.cache import CacheKeeper
from viewer.preferences import SettingsDialog
from viewer.window import MainWindow
from viewer.worker import Worker


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
        assert offered == [str(target / "2020-03-12_CT_Chest_view.png")]
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
