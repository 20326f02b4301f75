"""The list of DICOM elements beside the window: followed, searched, copied, hidden."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from inference.studies import elements as elements_module
from tests.gui.handling import drop, is_whole
from viewer.elements_dialog import ElementsDialog
from viewer.window import MainWindow


@pytest.fixture
def dialog(
    qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]
) -> tuple[MainWindow, ElementsDialog]:
    """Open a CT, and the list of its middle slice with the key."""
    drop(window, write_ct())
    qtbot.waitUntil(lambda: is_whole(window) and not window.busy)
    qtbot.keyClick(window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    made = window.dialogs.elements
    assert made is not None
    qtbot.waitUntil(lambda: rows(made) != [])
    return window, made


def rows(dialog: ElementsDialog) -> list[list[str]]:
    """What the table shows."""
    model = dialog.table.model()
    return [
        [str(model.index(row, column).data()).strip() for column in range(model.columnCount())]
        for row in range(model.rowCount())
    ]


def value(dialog: ElementsDialog, name: str) -> str:
    """The value of a row."""
    (found,) = [row[3] for row in rows(dialog) if row[1] == name]
    return found


def test_the_elements_of_the_slice_on_the_screen_are_listed_and_follow_it(
    qtbot: Any, dialog: tuple[MainWindow, ElementsDialog]
) -> None:
    window, shown = dialog
    assert value(shown, "Patient's Name") == "Doe^Jane"
    assert value(shown, "Instance Number") == str(window.session.position + 1)
    assert f"Slice {window.session.position + 1} of 12" in shown.said.text()
    window.session.set_position(2)
    qtbot.waitUntil(lambda: value(shown, "Instance Number") == "3")
    window.session.close_volume()
    qtbot.waitUntil(lambda: rows(shown) == [])
    assert not window.actions_["elements"].isEnabled()


def test_searching_leaves_what_has_the_words(
    qtbot: Any, dialog: tuple[MainWindow, ElementsDialog]
) -> None:
    _, shown = dialog
    total = len(rows(shown))
    qtbot.keyClicks(shown.search, "patient doe")
    assert [row[1] for row in rows(shown)] == ["Patient's Name"]
    assert f"1 of {total} elements" in shown.said.text()
    shown.search.setText("0020,0013")
    assert [row[1] for row in rows(shown)] == ["Instance Number"]


def test_rows_are_copied_as_they_are_shown(
    qtbot: Any, dialog: tuple[MainWindow, ElementsDialog]
) -> None:
    window, shown = dialog
    shown.search.setText("modality")
    qtbot.mouseClick(shown.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "0008,0060\tModality\tCS\tCT"
    shown.search.clear()
    shown.table.selectRow(0)
    shown.copy()
    assert len(QGuiApplication.clipboard().text().splitlines()) == 1
    window.session.manner.toggle_names()
    shown.table.clearSelection()
    shown.copy()
    copied = QGuiApplication.clipboard().text()
    assert "Modality" in copied
    assert "Doe" not in copied
    assert "20200312" not in copied


def test_teaching_mode_hides_who_it_is_and_keeps_the_technique(
    dialog: tuple[MainWindow, ElementsDialog],
) -> None:
    window, shown = dialog
    window.session.manner.toggle_names()
    for name in ("Patient's Name", "Patient ID", "Study Date", "Study Instance UID"):
        assert value(shown, name) == "hidden", name
    assert value(shown, "Modality") == "CT"
    assert value(shown, "Rows") == "64"
    text = "\n".join(" ".join(row) for row in rows(shown))
    assert "Doe" not in text
    assert "ID-77" not in text
    shown.search.setText("doe")
    assert rows(shown) == [], "a find would tell the name"
    shown.search.clear()
    window.session.manner.toggle_names()
    assert value(shown, "Patient's Name") == "Doe^Jane"


def test_files_are_read_beside_the_window(
    qtbot: Any, dialog: tuple[MainWindow, ElementsDialog], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, shown = dialog
    threads: list[int] = []
    read = elements_module.read_elements

    def watched(*given: Any) -> Any:
        threads.append(threading.get_ident())
        return read(*given)

    monkeypatch.setattr(elements_module, "read_elements", watched)
    window.session.set_position(1)
    qtbot.waitUntil(lambda: value(shown, "Instance Number") == "2")
    assert threads
    assert threading.get_ident() not in threads


def test_a_file_that_is_gone_is_a_sentence_without_its_name_in_teaching_mode(
    qtbot: Any, dialog: tuple[MainWindow, ElementsDialog]
) -> None:
    window, shown = dialog
    assert window.session.volume is not None
    window.session.volume.slices[3].path.unlink()
    window.session.set_position(3)
    qtbot.waitUntil(lambda: "003.dcm" in shown.said.text())
    window.session.manner.toggle_names()
    assert "003.dcm" not in shown.said.text()
    assert "cannot be read" in shown.said.text()
