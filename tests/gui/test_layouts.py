"""Layouts in the real window: by command, by name, by modality; and what commands do to a pane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from inference.studies.model import Unit
from viewer.layouts import keep_layout, kept_layouts
from viewer.layouts_dialog import LayoutsDialog
from viewer.panes import Content, Layout, SlabMode, Turn
from viewer.session import ReadingSession
from viewer.settings import Settings
from viewer.stepping import Cine
from viewer.window import MainWindow

Make = Callable[..., Any]


@pytest.fixture
def reading(window: MainWindow, make_volume: Make, make_study: Make) -> MainWindow:
    """The window with a CT of 12 slices of 40 × 32."""
    study = make_study("1.2.3")
    window.session.set_volume(study, study.series[0], make_volume())
    return window


def do(window: MainWindow, command: str) -> None:
    action = window.actions_[command]
    assert action.isEnabled(), command
    action.trigger()


class TestCommands:
    def test_layouts_by_key(self, qtbot: Any, reading: MainWindow) -> None:
        for key, panes in (
            (Qt.Key.Key_3, 3),
            (Qt.Key.Key_4, 4),
            (Qt.Key.Key_2, 2),
            (Qt.Key.Key_1, 1),
        ):
            qtbot.keyClick(reading, key, Qt.KeyboardModifier.AltModifier)
            assert len(reading.panes.views) == panes
            assert reading.panes.active_pane.isVisible()
            seen = sum(view.isVisible() for view in reading.panes.views)
            assert seen + (reading.panes.volume_pane is not None) == panes
        assert reading.actions_["layout-one"].isChecked()
        assert not reading.actions_["layout-mpr"].isChecked()

    @pytest.mark.parametrize("name", ["layout-two", "layout-one"])
    def test_another_pane_becomes_active_while_panes_go(
        self, reading: MainWindow, name: str
    ) -> None:
        """As when the focus comes back to one that is put elsewhere, before the others are gone."""
        do(reading, "layout-four")
        arrangement = reading.session.arrangement
        arrangement.activate(1)

        class Focus(QObject):
            def eventFilter(self, watched: QObject, event: QEvent) -> bool:
                if event.type() == QEvent.Type.ParentChange:
                    arrangement.activate(0)
                return False

        focus = Focus()
        place = reading.panes.views[0].parentWidget()
        place.installEventFilter(focus)
        do(reading, name)
        place.removeEventFilter(focus)
        assert arrangement.active == 0
        assert len(reading.panes.views) == len(arrangement.panes) == arrangement.layout.count
        assert reading.panes.views[0].isVisible()

    def test_arrows_go_through_the_planes_of_the_active_pane(
        self, qtbot: Any, reading: MainWindow
    ) -> None:
        do(reading, "layout-mpr")
        reading.session.arrangement.activate(1)
        before = reading.session.cursor
        qtbot.keyClick(reading, Qt.Key.Key_Up)
        assert reading.session.cursor == (before[0], before[1] + 1, before[2])
        qtbot.keyClick(reading, Qt.Key.Key_End)
        assert reading.session.cursor[1] == 39
        qtbot.keyClick(reading, Qt.Key.Key_Home)
        assert reading.session.cursor[1] == 0
        assert reading.session.position == before[2]

    def test_tab_leads_to_the_next_pane(self, qtbot: Any, reading: MainWindow) -> None:
        do(reading, "layout-two")
        reading.panes.views[0].setFocus()
        qtbot.keyClick(reading.panes.views[0], Qt.Key.Key_Tab)
        assert reading.session.arrangement.active == 1

    def test_flips_and_turns_move_the_letters(self, reading: MainWindow) -> None:
        def letters() -> str:
            found = reading.view.annotations().letters
            assert found is not None
            return found.left + found.top

        assert letters() == "RA"
        for command, expected in (
            ("flip-across", "LA"), ("flip-down", "LP"),
            ("rotate-right", "AL"), ("rotate-left", "LP"),
        ):  # fmt: skip
            do(reading, command)
            assert letters() == expected
        do(reading, "reset")
        assert letters() == "RA"
        assert reading.session.arrangement.active_pane.turn == Turn()

    def test_slabs_by_command(self, reading: MainWindow) -> None:
        assert not reading.actions_["slab-thicker"].isEnabled()
        do(reading, "slab-maximum")
        assert reading.view.annotations().top_left[1].text == "MIP of 2 planes, 10.0 mm"
        do(reading, "slab-thicker")
        assert reading.view.annotations().top_left[1].text == "MIP of 3 planes, 15.0 mm"
        for _ in range(12):
            do(reading, "slab-thicker")
        assert reading.session.arrangement.active_pane.slab.mm == 100.0
        do(reading, "slab-thin")
        assert len(reading.view.annotations().top_left) == 1

    def test_other_planes_in_the_pane(self, reading: MainWindow) -> None:
        do(reading, "pane-sagittal")
        assert reading.actions_["pane-sagittal"].isChecked()
        assert reading.view.annotations().top_left[0].text.startswith("Sagittal")
        assert reading.session.arrangement.layout.columns == ((Content.SAGITTAL,),)

    def test_one_pane_alone(self, reading: MainWindow) -> None:
        assert not reading.actions_["maximise"].isEnabled()
        do(reading, "layout-two")
        do(reading, "maximise")
        assert sum(view.isVisible() for view in reading.panes.views) == 1
        do(reading, "maximise")
        assert sum(view.isVisible() for view in reading.panes.views) == 2

    def test_pixel_by_pixel_and_true_size(self, reading: MainWindow) -> None:
        do(reading, "pixels")
        scale = reading.view.devicePixelRatioF()
        framing = reading.view._framing
        assert framing is not None
        assert framing.scale_x * scale == pytest.approx(1.0)
        do(reading, "true-size")
        framing = reading.view._framing
        assert framing is not None
        assert framing.pixels_per_mm == pytest.approx(
            reading.screen().physicalDotsPerInch() / 25.4, rel=1e-6
        )
        do(reading, "fit")
        framing = reading.view._framing
        assert framing is not None
        assert framing.zoom == 1.0

    def test_true_size_needs_a_spacing(
        self, window: MainWindow, make_volume: Make, make_study: Make
    ) -> None:
        study = make_study("1.2.3")
        window.session.set_volume(study, study.series[0], make_volume(has_geometry=False))
        assert not window.actions_["true-size"].isEnabled()
        assert window.actions_["pixels"].isEnabled()

    def test_percentile_window(self, reading: MainWindow) -> None:
        do(reading, "percentile-window")
        used = reading.session.window
        # Of so few slices, all are looked at.
        low, high = np.percentile(reading.session.volume.array, [1, 99])
        assert used.centre == pytest.approx((low + high) / 2, abs=1e-3)
        assert used.width == pytest.approx(high - low, abs=1e-3)

    def test_a_slab_needs_several_slices_and_distances(
        self, window: MainWindow, make_volume: Make, make_study: Make
    ) -> None:
        study = make_study("1.2.3")
        one = np.zeros((1, 40, 32), np.int16)
        window.session.set_volume(study, study.series[0], make_volume(array=one))
        assert not window.actions_["slab-mean"].isEnabled()
        assert not window.actions_["cine"].isEnabled()


class TestThreeD:
    def test_a_3d_pane_is_made_when_a_layout_has_one(
        self, reading: MainWindow, volume_panes: list[Any]
    ) -> None:
        assert volume_panes == []
        assert not reading.actions_["3d-left"].isEnabled()
        do(reading, "layout-four")
        (pane,) = volume_panes
        assert pane.isVisible()
        assert pane.session is reading.session
        do(reading, "3d-left")
        assert pane.asked == ["left"]
        do(reading, "layout-one")
        assert not reading.actions_["3d-left"].isEnabled()
        assert reading.panes.volume_pane is None

    def test_planes_and_3d_take_turns_in_a_pane(
        self, reading: MainWindow, volume_panes: list[Any]
    ) -> None:
        do(reading, "pane-volume")
        assert volume_panes[0].isVisible()
        assert not reading.view.isVisible()
        assert not reading.actions_["slice-up"].isEnabled(), "there are no planes to step through"
        do(reading, "pane-axial")
        assert reading.view.isVisible()
        do(reading, "pane-volume")
        assert len(volume_panes) == 1, "it is kept"

    def test_whoever_touches_it_gives_commands_to_it(
        self, qtbot: Any, reading: MainWindow, volume_panes: list[Any]
    ) -> None:
        do(reading, "layout-four")
        assert reading.session.arrangement.active == 0
        qtbot.mouseClick(volume_panes[0], Qt.MouseButton.LeftButton)
        assert reading.session.arrangement.active == 3
        assert reading.panes.active_pane is volume_panes[0]

    def test_the_exported_picture_has_it(
        self, reading: MainWindow, volume_panes: list[Any]
    ) -> None:
        do(reading, "layout-four")
        assert reading.picture().size() == reading.panes.size() * reading.devicePixelRatioF()


class TestCine:
    def test_planes_run_round_and_stop(self, qtbot: Any, reading: MainWindow) -> None:
        session = reading.session
        session.set_position(10)
        seen: list[int] = []
        session.position_changed.connect(seen.append)
        session.arrangement.change_speed(9)
        assert session.arrangement.cine_speed == 30.0
        qtbot.keyClick(reading, Qt.Key.Key_C)
        qtbot.waitUntil(lambda: len(seen) >= 4)
        assert seen[:4] == [11, 0, 1, 2], "from the last to the first again"
        assert reading.actions_["cine"].isChecked()
        qtbot.keyClick(reading, Qt.Key.Key_C)
        rested = len(seen)
        qtbot.wait(120)
        assert len(seen) == rested

    def test_the_wheel_takes_over(self, reading: MainWindow) -> None:
        do(reading, "cine")
        at = QPointF(50, 50)
        event = QWheelEvent(
            at, reading.view.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(reading.view, event)
        assert not reading.actions_["cine"].isChecked()

    def test_another_volume_stops_it(
        self,
        reading: MainWindow,
        make_volume: Make,
        make_study: Make,
    ) -> None:
        do(reading, "cine")
        study = make_study("1.2.4")
        reading.session.set_volume(study, study.series[0], make_volume("1.2.4"))
        assert not reading.session.arrangement.cine_running

    def test_one_picture_does_not_run(
        self, qtbot: Any, make_volume: Make, make_study: Make
    ) -> None:
        session = ReadingSession()
        cine = Cine(session)
        study = make_study("1.2.3")
        session.set_volume(study, study.series[0], make_volume(array=np.zeros((1, 4, 4), np.int16)))
        session.arrangement.toggle_cine()
        qtbot.waitUntil(lambda: not session.arrangement.cine_running)
        cine.deleteLater()


class TestHanging:
    def test_a_modality_comes_as_the_reader_last_had_it(
        self, reading: MainWindow, settings: Settings, make_volume: Make,
        make_study: Make,
    ) -> None:  # fmt: skip
        do(reading, "layout-mpr")
        xray = make_volume(
            "1.9", array=np.zeros((1, 40, 32), np.uint16), unit=Unit.GREY, modality="DX"
        )
        study = make_study("1.9")
        reading.session.set_volume(study, study.series[0], xray)
        assert reading.session.arrangement.layout.count == 1, "the rule for X-rays"
        ct = make_study("1.2.3")
        reading.session.set_volume(ct, ct.series[0], make_volume())
        assert reading.session.arrangement.layout.count == 3
        assert "sagittal" in settings.layout_for("CT")

    def test_another_series_of_the_modality_leaves_the_layout_alone(
        self,
        reading: MainWindow,
        make_volume: Make,
        make_study: Make,
    ) -> None:
        do(reading, "layout-two")
        study = make_study("1.2.4")
        reading.session.set_volume(study, study.series[0], make_volume("1.2.4"))
        assert reading.session.arrangement.layout.count == 2

    def test_damaged_settings_give_the_rule(
        self, window: MainWindow, settings: Settings, make_volume: Make,
        make_study: Make,
    ) -> None:  # fmt: skip
        settings.set_layout_for("CT", "{rubbish")
        study = make_study("1.2.3")
        window.session.set_volume(study, study.series[0], make_volume())
        assert window.session.arrangement.layout.count == 1


class TestDialog:
    @pytest.fixture
    def dialog(self, qtbot: Any, reading: MainWindow) -> LayoutsDialog:
        do(reading, "layouts")
        found = reading.findChild(LayoutsDialog)
        assert found is not None
        qtbot.waitUntil(found.isVisible)
        return found

    def test_it_shows_the_present_layout(self, reading: MainWindow, dialog: LayoutsDialog) -> None:
        do(reading, "layout-mpr")
        assert dialog.columns.value() == 2
        assert [rows.value() for rows in dialog.rows[:2]] == [1, 2]
        assert dialog.cells[1][1].currentText() == "Sagittal"
        assert not dialog.rows[2].isEnabled()

    def test_a_layout_is_made_kept_taken_and_forgotten(
        self, qtbot: Any, reading: MainWindow, dialog: LayoutsDialog, settings: Settings
    ) -> None:
        dialog.columns.setValue(3)
        dialog.rows[0].setValue(2)
        dialog.cells[0][1].setCurrentText("Coronal")
        assert len(reading.panes.views) == 4
        assert reading.session.arrangement.layout.columns[0][1] is Content.CORONAL
        assert not dialog.keep.isEnabled(), "it has no name yet"
        qtbot.keyClicks(dialog.name, "Mine")
        dialog.keep.click()
        (kept,) = kept_layouts(settings)
        assert kept.name == "Mine"
        assert kept.count == 4
        do(reading, "layout-one")
        (item,) = dialog.names.findItems("Mine", Qt.MatchFlag.MatchExactly)
        dialog.names.setCurrentItem(item)
        dialog.names.itemClicked.emit(item)
        assert reading.session.arrangement.layout == kept
        dialog.forget.click()
        assert kept_layouts(settings) == ()
        assert not dialog.names.findItems("Mine", Qt.MatchFlag.MatchExactly)

    def test_layouts_of_the_program_stay(self, qtbot: Any, dialog: LayoutsDialog) -> None:
        dialog.names.setCurrentRow(0)
        assert not dialog.forget.isEnabled()
        qtbot.keyClicks(dialog.name, "One pane")
        assert not dialog.keep.isEnabled(), "the name is the program's own"


def test_a_kept_layout_replaces_one_of_its_name(settings: Settings) -> None:
    keep_layout(settings, "b", Layout("", ((Content.AXIAL,),)))
    keep_layout(settings, "a", Layout("", ((Content.STACK,),)))
    keep_layout(settings, "b", Layout("", ((Content.CORONAL,),)))
    assert [(each.name, each.contents) for each in kept_layouts(settings)] == [
        ("a", (Content.STACK,)),
        ("b", (Content.CORONAL,)),
    ]


def test_a_thin_slab_is_one_plane() -> None:
    from viewer.panes import Slab

    assert Slab(SlabMode.THIN, 50.0).planes(1.0) == 1
