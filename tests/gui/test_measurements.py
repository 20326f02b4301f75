"""Measurements in the real window: the table, the keys, what is kept and what is exported."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QToolButton

from inference.measurements import Kind, Slant
from inference.measurements.slabs import Merge, SlabPlanes
from inference.studies.model import Study, Volume
from tests import factories
from tests.gui.handling import sentences
from viewer.session import Tool
from viewer.settings import Settings
from viewer.window import MainWindow

MANY = 25
LINE = [(2.0, 2.0, 6.0), (12.0, 2.0, 6.0)]  # 7 mm on slice 7


def cells(window: MainWindow) -> list[list[str]]:
    """What the table shows."""
    table = window.measurements_panel.table
    return [
        [table.item(row, column).text() for column in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def open_series(window: MainWindow, study: Study, index: int, volume: Volume) -> None:
    window.session.set_volume(study, study.series[index], volume, 0.1)


class TestTable:
    """The tab beside layers and timing."""

    def test_it_says_in_words_that_there_is_nothing(
        self, window: MainWindow, make_study: Callable[..., Study], make_volume: Any
    ) -> None:
        panel = window.measurements_panel
        window.actions_["tab-measurements"].trigger()
        assert panel.hint.isVisibleTo(panel)
        assert "Open a study" in panel.hint.text()
        open_series(window, make_study("1.2.3"), 0, make_volume())
        assert "Nothing has been measured" in panel.hint.text()
        assert not panel.copy_button.isVisible()

    def test_an_oblique_plane_has_a_name_and_no_number(self, reading: MainWindow) -> None:
        volume = reading.session.volume
        assert volume is not None
        slant = Slant((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), 1.0)
        notebook = reading.session.measurements
        made = notebook.add(Kind.LENGTH, [(2, 4, 1), (7, 4, 1)], 1, slant=slant)
        assert made.slant is slant
        assert cells(reading)[0][:3] == ["1", "Length", "Oblique"]

    def test_a_slab_is_named(self, reading: MainWindow) -> None:
        notebook = reading.session.measurements
        slab = SlabPlanes(Merge.MAXIMUM, 1, 1, 5.0)
        notebook.add(Kind.LENGTH, LINE, 2, slab=slab)
        assert cells(reading)[0][2] == "Im 7 (7/12)\nMIP of 3 planes"
        table = reading.measurements_panel.table
        assert "without its way through the slab" in table.item(0, 3).toolTip()

    def test_a_row_has_kind_value_slice_and_note(self, reading: MainWindow) -> None:
        notebook = reading.session.measurements
        notebook.add(Kind.LENGTH, LINE, 2, "node")
        reading.session.volume.array[6, 10:20, 10:20] = -50
        notebook.add(Kind.RECTANGLE, [(9.5, 9.5, 6.0), (19.5, 19.5, 6.0)], 2)
        assert cells(reading) == [
            ["1", "Length", "Im 7 (7/12)", "7.0 mm", "node"],
            [
                "2",
                "Rectangle",
                "Im 7 (7/12)",
                "56.0 mm², 100 pixels\nmean −50.0 HU, SD 0.0\nmin −50, max −50",
                "",
            ],
        ]

    def test_a_click_goes_to_the_slice_and_selects(self, qtbot: Any, reading: MainWindow) -> None:
        session, panel = reading.session, reading.measurements_panel
        reading.actions_["tab-measurements"].trigger()
        first = session.measurements.add(Kind.LENGTH, LINE, 2)
        session.measurements.add(Kind.PROBE, [(3.0, 3.0, 2.0)], 2)
        session.set_position(0)
        assert session.measurements.selected is None
        assert panel.table.selectedItems() == []
        rect = panel.table.visualItemRect(panel.table.item(0, 1))
        qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
        assert session.position == 6
        assert session.measurements.selected == first
        session.set_position(0)
        qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
        assert session.position == 6

    def test_what_is_selected_on_the_picture_is_selected_in_the_table(
        self, reading: MainWindow
    ) -> None:
        notebook, table = reading.session.measurements, reading.measurements_panel.table
        first = notebook.add(Kind.LENGTH, LINE, 2)
        notebook.add(Kind.PROBE, LINE[:1], 2)
        notebook.select(first.id)
        assert {item.row() for item in table.selectedItems()} == {0}

    def test_a_note_is_written_in_the_table(self, reading: MainWindow) -> None:
        session, table = reading.session, reading.measurements_panel.table
        made = session.measurements.add(Kind.LENGTH, LINE, 2)
        table.item(0, 4).setText("right\nupper lobe")
        assert session.measurements.get(made.id).text == "right upper lobe"
        assert not table.item(0, 3).flags() & Qt.ItemFlag.ItemIsEditable
        session.measurements.undo()
        assert cells(reading)[0][4] == ""

    def test_delete_and_copy(self, qtbot: Any, reading: MainWindow) -> None:
        panel, notebook = reading.measurements_panel, reading.session.measurements
        reading.actions_["tab-measurements"].trigger()
        notebook.add(Kind.LENGTH, LINE, 2)
        notebook.add(Kind.PROBE, LINE[:1], 2, "here")
        qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
        head, length, probe = QApplication.clipboard().text().splitlines()
        assert head == "#\tKind\tSlice\tValue\tNote"
        assert length == "1\tLength\tIm 7 (7/12)\t7.0 mm\t"
        assert probe.endswith("HU\there")
        qtbot.mouseClick(panel.delete_button, Qt.MouseButton.LeftButton)
        assert [row[1] for row in cells(reading)] == ["Length"]
        assert not panel.delete_button.isEnabled()


class TestKeys:
    """What the hands do without looking."""

    def test_tools_have_keys_and_show_in_their_menu(self, qtbot: Any, reading: MainWindow) -> None:
        reading.view.setFocus()
        qtbot.keyClick(reading.view, Qt.Key.Key_D)
        assert reading.session.tool is Tool.LENGTH
        assert reading.actions_["tool-length"].isChecked()
        qtbot.keyClick(reading.view, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
        assert reading.session.tool is Tool.COBB
        assert not reading.actions_["tool-length"].isChecked()
        button = reading.findChild(QToolButton, "toolbar-menu-measure")
        assert button.text() == "Cobb angle"
        assert button.isChecked()
        qtbot.keyClick(reading.view, Qt.Key.Key_W)
        assert button.text() == "Measure"
        assert not button.isChecked()

    def test_no_key_does_two_things(self, reading: MainWindow) -> None:
        keys = [key for command in reading.actions_.commands for key in command.keys]
        assert len(keys) == len(set(keys))

    def test_draw_undo_redo_delete(self, qtbot: Any, reading: MainWindow) -> None:
        view, session = reading.view, reading.session
        qtbot.keyClick(view, Qt.Key.Key_D)
        centre = view.rect().center()
        left = Qt.MouseButton.LeftButton
        qtbot.mousePress(view, left, pos=centre)
        qtbot.mouseMove(view, centre + QPoint(20, 0))
        qtbot.mouseMove(view, centre + QPoint(60, 0))
        qtbot.mouseRelease(view, left, pos=centre + QPoint(60, 0))
        assert len(cells(reading)) == 1
        control = Qt.KeyboardModifier.ControlModifier
        qtbot.keyClick(view, Qt.Key.Key_Z, control)
        assert cells(reading) == []
        assert not reading.actions_["undo"].isEnabled()
        qtbot.keyClick(view, Qt.Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
        assert len(cells(reading)) == 1
        assert session.measurements.selected is not None
        qtbot.keyClick(view, Qt.Key.Key_Delete)
        assert cells(reading) == []
        assert not reading.actions_["measurement-delete"].isEnabled()

    def test_undo_goes_to_the_slice_where_something_came_back(self, reading: MainWindow) -> None:
        session = reading.session
        made = session.measurements.add(Kind.LENGTH, LINE, 2)
        session.measurements.remove(made.id)
        session.set_position(0)
        reading.actions_["undo"].trigger()
        assert session.position == 6
        assert session.measurements.selected == made

    def test_letters_in_a_note_choose_no_tool(self, qtbot: Any, reading: MainWindow) -> None:
        reading.session.set_tool(Tool.TEXT)
        qtbot.mouseClick(reading.view, Qt.MouseButton.LeftButton, pos=reading.view.rect().center())
        edit = reading.view.findChild(QLineEdit, "measurement-note")
        qtbot.waitUntil(edit.hasFocus)
        qtbot.keyClicks(edit, "dA z")
        qtbot.keyClick(edit, Qt.Key.Key_Return)
        assert reading.session.tool is Tool.TEXT
        assert cells(reading)[0][4] == "dA z"
        qtbot.waitUntil(reading.view.hasFocus)

    def test_arrows_go_through_the_slices_until_a_handle_is_taken(
        self, qtbot: Any, reading: MainWindow
    ) -> None:
        session = reading.session
        session.measurements.add(Kind.LENGTH, LINE, 2)
        reading.view.setFocus()
        qtbot.keyClick(reading.view, Qt.Key.Key_Up)
        assert session.position == 7

    def test_esc_lets_go_before_it_cancels(
        self, qtbot: Any, reading: MainWindow, fake_system: Any
    ) -> None:
        fake_system.go.clear()
        session = reading.session
        session.measurements.add(Kind.LENGTH, LINE, 2)
        reading.actions_["analyse"].trigger()
        qtbot.waitUntil(reading.actions_["cancel"].isEnabled)
        reading.view.setFocus()
        qtbot.keyClick(reading.view, Qt.Key.Key_Escape)
        assert session.measurements.selected is None
        assert session.analysis.value == "running"
        qtbot.keyClick(reading.view, Qt.Key.Key_Escape)
        fake_system.go.set()
        qtbot.waitUntil(lambda: session.analysis.value == "cancelled")


class TestKeeping:
    """From one start to the next."""

    def test_a_series_has_its_measurements_again(
        self, make_window: Any, make_study: Callable[..., Study], make_volume: Any, qtbot: Any
    ) -> None:
        study = make_study("1.2.3", "1.2.4")
        first = make_window()
        open_series(first, study, 0, make_volume("1.2.3"))
        first.session.measurements.add(Kind.LENGTH, LINE, 2, "node")
        open_series(first, study, 1, make_volume("1.2.4"))
        assert cells(first) == []
        open_series(first, study, 0, make_volume("1.2.3"))
        assert len(cells(first)) == 1
        assert first.session.measurements.can_undo
        # Not closed: what is on the disk is what a crash would leave.
        second = make_window()
        open_series(second, study, 1, make_volume("1.2.4"))
        assert cells(second) == []
        open_series(second, study, 0, make_volume("1.2.3"))
        assert cells(second) == [["1", "Length", "Im 7 (7/12)", "7.0 mm", "node"]]
        assert not second.session.measurements.can_undo
        assert sentences(second) == []

    def test_two_windows_on_one_series_keep_what_both_measure(
        self, make_window: Any, make_study: Any, make_volume: Any, settings: Settings
    ) -> None:
        """Each takes note of the other when it writes, and undoes nothing but its own."""
        study, volume = make_study("1.2.3", "1.2.4"), make_volume()
        windows = make_window(), make_window()
        for each in windows:
            open_series(each, study, 0, volume)
        one, two = (each.session.measurements for each in windows)
        made = []
        for turn in range(MANY):
            for notebook in (one, two):
                end = (12.0, float(turn), 6.0)
                made.append(notebook.add(Kind.LENGTH, [LINE[0], end], 2).id)
        assert {each.id for each in two.measurements} == set(made)
        assert len({each.number for each in two.measurements}) == 2 * MANY
        assert any("Another window has measured" in said for said in sentences(windows[1]))
        two.undo()
        two.undo()
        gone = {made[-1], made[-3]}
        assert {each.id for each in two.measurements} == set(made) - gone
        two.redo()
        # Coming back to the series is enough to hear of the other window.
        open_series(windows[0], study, 1, make_volume("1.2.4"))
        open_series(windows[0], study, 0, volume)
        assert one.measurements == two.measurements
        assert {each.id for each in one.measurements} == set(made) - {made[-1]}
        one.remove_all()
        open_series(windows[1], study, 1, make_volume("1.2.4"))
        open_series(windows[1], study, 0, volume)
        assert two.measurements == ()
        assert sentences(windows[0]) != []

    def test_a_damaged_file_is_told_and_put_aside(
        self, make_window: Any, make_study: Any, make_volume: Any, tmp_path: Path
    ) -> None:
        study = make_study("1.2.3")
        first = make_window()
        open_series(first, study, 0, make_volume())
        first.session.measurements.add(Kind.LENGTH, LINE, 2)
        (file,) = (tmp_path / "measurements").iterdir()
        file.write_text("{")
        second = make_window()
        open_series(second, study, 0, make_volume())
        assert cells(second) == []
        assert any("set aside" in sentence for sentence in sentences(second))
        second.session.measurements.add(Kind.PROBE, LINE[:1], 2)
        assert len(list((tmp_path / "measurements").iterdir())) == 2

    def test_a_folder_that_cannot_be_written_is_told(
        self, make_window: Any, make_study: Any, make_volume: Any, tmp_path: Path
    ) -> None:
        (tmp_path / "measurements").write_text("a file, not a folder")
        window = make_window()
        open_series(window, make_study("1.2.3"), 0, make_volume())
        window.session.measurements.add(Kind.LENGTH, LINE, 2)
        assert any("could not be kept" in sentence for sentence in sentences(window))
        assert len(cells(window)) == 1

    def test_a_picture_read_as_ct_keeps_its_measurements(
        self, reading: MainWindow, make_volume: Any
    ) -> None:
        reading.session.measurements.add(Kind.LENGTH, LINE, 2)
        reading.opener.read_as("DX")
        assert len(cells(reading)) == 1


class TestExport:
    """As files."""

    @pytest.mark.parametrize("name", ["m.csv", "m.json", "m"])
    def test_the_table_is_written(
        self, qtbot: Any, reading: MainWindow, tmp_path: Path, monkeypatch: Any, name: str
    ) -> None:
        assert not reading.actions_["export-measurements"].isEnabled()
        reading.session.measurements.add(Kind.LENGTH, LINE, 2)
        action = reading.actions_["export-measurements"]
        assert action.isEnabled()
        monkeypatch.setattr(reading.exporter, "_ask", lambda _chosen: tmp_path / name)
        action.trigger()
        written = tmp_path / ("m.csv" if name == "m" else name)
        qtbot.waitUntil(lambda: any("Written" in sentence for sentence in sentences(reading)))
        if written.suffix == ".json":
            assert json.loads(written.read_text("utf-8"))["measurements"][0]["length"] == 7.0
        else:
            with written.open(encoding="utf-8-sig", newline="") as file:
                assert [row["length"] for row in csv.DictReader(file)] == ["7.0"]

    def test_a_dicom_report_is_written(
        self,
        qtbot: Any,
        window: MainWindow,
        write_ct: Callable[..., Path],
        tmp_path: Path,
        monkeypatch: Any,
    ) -> None:
        window.opener.open_paths([write_ct()])
        qtbot.waitUntil(lambda: window.session.volume is not None)
        window.session.measurements.add(Kind.LENGTH, LINE, 2)
        window.session.measurements.add(Kind.TEXT, LINE[:1], 2, "here")
        monkeypatch.setattr(window.exporter, "_ask", lambda _chosen: tmp_path / "sr.dcm")
        window.actions_["export-sr"].trigger()
        qtbot.waitUntil(
            lambda: any("Left out" in sentence for sentence in sentences(window)), timeout=20_000
        )
        report = pydicom.dcmread(tmp_path / "sr.dcm")
        assert report.Modality == "SR"
        assert report.PatientName == "Doe^Jane"

    def test_a_study_without_dicom_is_refused_a_dicom_report(
        self, qtbot: Any, reading: MainWindow, tmp_path: Path, monkeypatch: Any
    ) -> None:
        session = reading.session
        session.set_volume(
            session.study, session.series, factories.without_dicom(session.volume), 0.1
        )
        session.measurements.add(Kind.LENGTH, LINE, 2)
        monkeypatch.setattr(reading.exporter, "_ask", lambda _chosen: tmp_path / "sr.dcm")
        reading.actions_["export-sr"].trigger()
        qtbot.waitUntil(lambda: any("CSV or JSON" in sentence for sentence in sentences(reading)))
        assert not (tmp_path / "sr.dcm").exists()

    def test_it_is_burnt_into_the_picture(self, reading: MainWindow) -> None:
        def grey(window: MainWindow) -> Any:
            image = window.picture()
            flat = np.frombuffer(image.constBits(), np.uint8)
            return flat.reshape(image.height(), -1).astype(int)

        before = grey(reading)
        reading.session.measurements.add(Kind.LENGTH, LINE, 2)
        assert np.abs(grey(reading) - before).max() > 100
        reading.session.toggle_overlays()
        np.testing.assert_array_equal(grey(reading), before)
