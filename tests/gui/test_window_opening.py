"""Opening studies in the real window, as a reader does."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import (
    QDragEnterEvent,
    QImage,
)
from PySide6.QtWidgets import (
    QApplication,
)

from inference.studies.model import Unit
from tests.gui.handling import drop, is_whole, sentences
from viewer.settings import Settings
from viewer.window import MainWindow


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
