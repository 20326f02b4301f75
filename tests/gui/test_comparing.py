"""Two series side by side: linked by their frame of reference, by hand, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt

from inference.studies.model import Unit, Window
from viewer.comparing import Comparison, Link
from viewer.panes import Turn
from viewer.session import ReadingSession, Tool
from viewer.window import MainWindow

Make = Callable[..., Any]


def shifted(z: float, spacing: float = 5.0) -> np.ndarray:
    affine = np.diag([0.8, 0.8, spacing, 1.0])
    affine[2, 3] = z
    return affine


@pytest.fixture
def pair(qapp: Any, make_volume: Make, make_study: Make) -> Callable[..., Comparison]:
    """Open one series and compare another; settings are those of the other volume."""
    kept: list[Any] = []

    def make(mine: dict[str, Any], theirs: dict[str, Any]) -> Comparison:
        session = ReadingSession()
        comparison = Comparison(session)
        kept.extend((session, comparison))
        for where, uid, settings in ((session, "1.2.3", mine), (comparison.other, "1.2.4", theirs)):
            study = make_study(uid, uid=f"{uid}.0")
            where.set_volume(study, study.series[0], make_volume(uid, **settings))
        return comparison

    return make


class TestLinks:
    def test_one_frame_of_reference_is_one_place(self, pair: Callable[..., Comparison]) -> None:
        comparison = pair(
            {"frame_of_reference": "9.9", "affine": shifted(0.0)},
            {"frame_of_reference": "9.9", "affine": shifted(-20.0, 2.5)},
        )
        assert comparison.link is Link.FRAME
        mine, theirs = comparison._session, comparison.other
        mine.set_cursor((5, 6, 1))
        assert theirs.cursor == pytest.approx((5, 6, 10)), "5 mm is 25 mm above −20 mm"
        theirs.set_cursor((7, 8, 8))
        assert mine.cursor == pytest.approx((7, 8, 0))

    def test_other_frames_are_not_linked_until_the_reader_links_them(
        self, pair: Callable[..., Comparison]
    ) -> None:
        comparison = pair({"frame_of_reference": "9.8"}, {"frame_of_reference": "9.9"})
        mine, theirs = comparison._session, comparison.other
        assert comparison.link is Link.NONE
        mine.set_position(2)
        assert theirs.position == 6
        theirs.set_position(4)
        comparison.link_as_they_stand()
        assert comparison.words() == "linked by hand, +10 mm along the body"
        mine.set_position(5)
        assert theirs.position == 7
        theirs.set_position(3)
        assert mine.position == 1
        comparison.unlink()
        mine.set_position(9)
        assert theirs.position == 3

    def test_unknown_geometry_is_linked_by_slices(self, pair: Callable[..., Comparison]) -> None:
        comparison = pair({"has_geometry": False}, {})
        mine, theirs = comparison._session, comparison.other
        mine.set_position(1)
        theirs.set_position(4)
        comparison.link_as_they_stand()
        assert comparison.words() == "linked by hand, +3 slices along the body"
        mine.set_position(2)
        assert theirs.position == 5

    def test_no_frame_at_all_is_no_common_frame(self, pair: Callable[..., Comparison]) -> None:
        assert pair({"frame_of_reference": ""}, {"frame_of_reference": ""}).link is Link.NONE

    def test_one_that_ends_earlier_stops_at_its_end_and_does_not_pull_back(
        self, pair: Callable[..., Comparison]
    ) -> None:
        frame = {"frame_of_reference": "9.9"}
        comparison = pair({**frame, "affine": shifted(0)}, {**frame, "affine": shifted(30)})
        mine, theirs = comparison._session, comparison.other
        mine.set_position(2)
        assert theirs.position == 0
        assert mine.position == 2

    def test_the_same_grey_for_the_same_value(self, pair: Callable[..., Comparison]) -> None:
        comparison = pair({}, {})
        comparison._session.set_window(Window(40.0, 400.0, "Mediastinum"))
        assert comparison.other.window == Window(40.0, 400.0, "Mediastinum")
        comparison.other.toggle_invert()
        comparison.other.set_window(Window(50.0, 300.0))
        assert comparison._session.inverted

    def test_values_of_another_meaning_keep_their_own_grey(
        self, pair: Callable[..., Comparison]
    ) -> None:
        comparison = pair({}, {"unit": Unit.GREY, "modality": "DX"})
        before = comparison.other.window
        comparison._session.set_window(Window(40.0, 400.0))
        assert comparison.other.window == before


class TestWindow:
    @pytest.fixture
    def reading(self, window: MainWindow, make_volume: Make, make_study: Make) -> MainWindow:
        study = make_study("1.2.3", "1.2.4")
        window.session.add_studies((study,))
        window.session.set_volume(study, study.series[0], make_volume())
        return window

    def beside(self, window: MainWindow, make_volume: Make) -> None:
        study = window.session.studies[0]
        other = window.comparison.other
        other.set_volume(study, study.series[1], make_volume("1.2.4"))

    def test_nothing_is_beside_at_first(self, reading: MainWindow) -> None:
        assert not reading.compare_pane.isVisible()
        assert not reading.actions_["compare-close"].isEnabled()
        assert reading.actions_["compare"].isEnabled()

    def test_the_other_series_says_what_it_is(self, reading: MainWindow, make_volume: Make) -> None:
        self.beside(reading, make_volume)
        pane = reading.compare_pane
        assert pane.isVisible()
        assert pane.title.text() == "Doe, Jane  ·  2020-03-12  ·  Thorax 2  ·  not linked"
        pane.link.click()
        assert pane.title.text().endswith("linked by hand, +0 mm along the body")
        assert pane.link.text() == "Unlink"
        reading.session.set_position(2)
        assert pane.view.annotations().top_left[0].text.startswith("Im 3 (3/12)")
        pane.close_button.click()
        assert not pane.isVisible()
        assert reading.comparison.other.volume is None
        assert reading.session.volume is not None

    def test_another_patient_is_said(
        self, reading: MainWindow, make_volume: Make, make_study: Make
    ) -> None:
        self.beside(reading, make_volume)
        assert not reading.compare_pane.warning.isVisible(), "the same study"
        other = reading.comparison.other
        for changes, is_said in (
            ({}, False), ({"patient_id": "ID-78"}, True),
            ({"patient_id": "", "patient_name": ""}, True),
        ):  # fmt: skip
            study = replace(make_study("1.2.4", uid="1.9"), **changes)
            other.set_volume(study, study.series[0], make_volume("1.2.4"))
            assert reading.compare_pane.warning.isVisible() is is_said

    def test_keys_are_those_of_the_image_that_was_clicked_on(
        self, qtbot: Any, reading: MainWindow, make_volume: Make
    ) -> None:
        self.beside(reading, make_volume)
        session, other = reading.session, reading.comparison.other
        assert reading.comparison.link is Link.NONE
        session.set_position(5)
        other.set_position(5)
        qtbot.waitUntil(reading.isActiveWindow, timeout=20_000)
        for view, mine, its in ((reading.compare_pane.view, other, session),
                                (reading.view, session, other)):  # fmt: skip
            qtbot.mouseClick(view, Qt.MouseButton.LeftButton)
            stays = its.position
            qtbot.keyClick(view, Qt.Key.Key_Up)
            assert (mine.position, its.position) == (6, stays)
            qtbot.keyClick(view, Qt.Key.Key_Home)
            assert (mine.position, its.position) == (0, stays)
            for each in (session, other):
                plane = each.arrangement
                plane.update_active(replace(plane.active_pane, turn=Turn(1)))
            qtbot.keyClick(view, Qt.Key.Key_Space)
            assert mine.arrangement.active_pane.turn == Turn()
            assert its.arrangement.active_pane.turn == Turn(1)

    def test_tools_are_the_same_on_both(self, reading: MainWindow, make_volume: Make) -> None:
        self.beside(reading, make_volume)
        reading.actions_["tool-zoom"].trigger()
        assert reading.comparison.other.tool is Tool.ZOOM

    def test_ctrl_and_a_click_in_the_list_shows_it_beside(
        self, qtbot: Any, reading: MainWindow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[Any] = []
        monkeypatch.setattr(reading.compare_opener, "show_series", lambda *pair: asked.append(pair))
        reading.tree.beside_chosen.disconnect()
        reading.tree.beside_chosen.connect(lambda *pair: asked.append(pair))
        tree = reading.tree.tree
        item = tree.topLevelItem(0).child(0).child(1)
        spot = tree.visualItemRect(item).center()
        monkeypatch.setattr(
            "viewer.browser.tree.QGuiApplication.keyboardModifiers",
            lambda: Qt.KeyboardModifier.ControlModifier,
        )
        qtbot.mouseClick(
            tree.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, spot
        )
        assert [series.uid for _, series in asked] == ["1.2.4"]
        assert reading.session.series.uid == "1.2.3", "the open one stays"

    def test_what_is_measured_there_is_kept(self, reading: MainWindow, make_volume: Make) -> None:
        from inference.measurements import Kind

        self.beside(reading, make_volume)
        other = reading.comparison.other
        other.measurements.add(Kind.LENGTH, ((1, 1, 6), (5, 1, 6)), 2)
        study = reading.session.studies[0]
        other.set_volume(study, study.series[1], make_volume("1.2.4"))
        assert len(other.measurements.measurements) == 1
        assert reading.session.measurements.measurements == ()


def test_a_closed_series_leaves_nothing_behind(
    make_volume: Make, make_study: Make, qapp: Any
) -> None:
    session = ReadingSession()
    study = make_study("1.2.3")
    session.set_volume(study, study.series[0], make_volume())
    session.close_volume()
    assert session.measurements.volume is None
    assert (session.volume, session.series, session.study, session.findings) == (None,) * 4
