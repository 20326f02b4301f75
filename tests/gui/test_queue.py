"""Analyses of several series: one after the other, whatever is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QMenu

from inference.errors import AnalysisError
from inference.partial import Partial
from tests.gui.handling import sentences, words
from tests.gui.several import (
    answer_dialog,
    click_series,
    in_list,
    leaves,
    open_series,
    press,
    show_series,
    until,
)
from viewer import closing
from viewer.session import AnalysisState
from viewer.window import MainWindow


@pytest.fixture
def two(qtbot: Any, window: MainWindow, write_ct: Callable[..., Path]) -> MainWindow:
    """Give the real window with two series, the first on the screen."""
    open_series(qtbot, window, write_ct, "one", "two")
    return window


def begin(qtbot: Any, window: MainWindow, fake_system: Any) -> None:
    """Let an analysis of the open series be at work."""
    fake_system.go.clear()
    press(qtbot, window, Qt.Key.Key_F5)
    until(qtbot, lambda: window.session.stage[1] > 0)


def choose_at_pointer(qtbot: Any, window: MainWindow, number: int, text: str) -> None:
    """Choose an entry of the menu of a series in the study list."""
    item = leaves(window)[number]
    window.tree.menu_asked.emit(
        item.data(0, Qt.ItemDataRole.UserRole), item.data(0, Qt.ItemDataRole.UserRole + 1),
        window.mapToGlobal(window.rect().center()),
    )  # fmt: skip
    menu = next(m for m in window.findChildren(QMenu, "context-menu") if m.isVisible())
    next(action for action in menu.actions() if action.text() == text).trigger()
    menu.close()


def is_idle(window: MainWindow) -> bool:
    return not window.analyst.queue.active and not window.busy


class TestAnotherSeries:
    """The reader goes on while the machine works."""

    def test_the_analysis_goes_on_and_is_shown_with_its_series(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        assert two.session.analysis is AnalysisState.NONE
        assert "Not analysed" in words(two.findings_panel)
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))
        assert two.session.findings is None, "they are of the other series"
        assert in_list(two, 0) == "◐ CT 12"
        show_series(qtbot, two, 0)
        until(qtbot, lambda: two.session.findings is not None)
        assert len(fake_system.contexts) == 1
        assert two.session.kept is None, "it was made in this sitting"

    def test_whoever_comes_back_finds_it_at_work_with_its_early_results(
        self, qtbot: Any, two: MainWindow, fake_system: Any, make_partial: Callable[..., Partial]
    ) -> None:
        fake_system.partials = [make_partial(two.session.volume, 5, 6)]
        begin(qtbot, two, fake_system)
        until(qtbot, lambda: two.session.early is not None)
        show_series(qtbot, two, 1)
        assert two.session.early is None
        two.session.set_position(3)
        show_series(qtbot, two, 0)
        until(qtbot, lambda: two.session.analysis is AnalysisState.RUNNING)
        early = two.session.early
        assert early is not None
        assert np.flatnonzero(early.done).tolist() == [5, 6]
        two.session.set_position(9)
        assert fake_system.contexts[0].focus == 9, "the reader's eye leads again"
        fake_system.go.set()
        until(qtbot, lambda: two.session.findings is not None)

    def test_the_eye_on_another_series_does_not_lead(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        begin(qtbot, two, fake_system)
        two.session.set_position(2)
        show_series(qtbot, two, 1)
        two.session.set_position(8)
        assert fake_system.contexts[0].focus == 2
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))

    def test_its_failure_is_said_in_list_and_message(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        fake_system.error = AnalysisError("The weights do not fit; install SecondRead again.")
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))
        assert in_list(two, 0) == "CT 12 · failed"
        assert "The weights do not fit" in leaves(two)[0].toolTip(0)
        assert two.session.analysis is AnalysisState.NONE
        assert any(s.startswith("Series 3 was not analysed: The weights") for s in sentences(two))


class TestQueue:
    """Several are asked for."""

    def test_a_second_series_waits_and_says_so(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        press(qtbot, two, Qt.Key.Key_F5)
        assert two.session.analysis is AnalysisState.WAITING
        assert "Waiting to be analysed: one other series comes first." in words(two.findings_panel)
        assert in_list(two, 1) == "CT 12 · waiting"
        until(qtbot, lambda: in_list(two, 0).endswith(" %"))
        until(qtbot, lambda: "Series 3  ·  1 waiting" in two.status.stage.text())
        assert not two.actions_["analyse"].isEnabled()
        fake_system.go.set()
        until(qtbot, lambda: two.session.findings is not None)
        assert [in_list(two, 0), in_list(two, 1)] == ["◐ CT 12", "◐ CT 12"]
        assert len(fake_system.contexts) == 2

    def test_the_percentage_grows(self, qtbot: Any, two: MainWindow, fake_system: Any) -> None:
        begin(qtbot, two, fake_system)
        until(qtbot, lambda: in_list(two, 0) == "CT 12 · 99 %")
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))

    def test_all_in_the_list_are_analysed_without_being_opened(
        self, qtbot: Any, window: MainWindow, fake_system: Any, write_ct: Callable[..., Path]
    ) -> None:
        open_series(qtbot, window, write_ct, "one", "two", "three")
        shown = window.session.series
        press(qtbot, window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
        assert "3 of 3 series will be analysed." in "".join(sentences(window))
        until(qtbot, lambda: is_idle(window))
        assert window.session.series is shown
        assert [in_list(window, n) for n in range(3)] == ["◐ CT 12"] * 3
        assert all(c.read_seconds > 0 for c in fake_system.contexts)
        assert not window.actions_["analyse-all"].isEnabled(), "none is left"
        show_series(qtbot, window, 2)
        until(qtbot, lambda: window.session.findings is not None)
        assert len(fake_system.contexts) == 3

    def test_those_chosen_with_shift_are_analysed_together(
        self, qtbot: Any, window: MainWindow, fake_system: Any, write_ct: Callable[..., Path]
    ) -> None:
        open_series(qtbot, window, write_ct, "one", "two", "three")
        fake_system.go.clear()
        click_series(qtbot, window, 1, Qt.KeyboardModifier.ShiftModifier)
        assert window.session.series is leaves(window)[0].data(0, Qt.ItemDataRole.UserRole + 1)
        press(qtbot, window, Qt.Key.Key_F5)
        assert [each.standing.value for each in window.analyst.queue.active][1:] == ["waiting"]
        assert in_list(window, 2) == "● CT 12"
        # Escape is for the chosen ones as well.
        press(qtbot, window, Qt.Key.Key_Escape)
        fake_system.go.set()
        until(qtbot, lambda: is_idle(window))
        assert window.session.analysis is AnalysisState.CANCELLED
        assert "◐" not in in_list(window, 0) + in_list(window, 1)

    def test_a_series_that_cannot_be_read_fails_and_the_next_goes_on(
        self, qtbot: Any, window: MainWindow, fake_system: Any, write_ct: Callable[..., Path]
    ) -> None:
        folders = open_series(qtbot, window, write_ct, "one", "two", "three")
        order = [leaf.data(0, Qt.ItemDataRole.UserRole + 1) for leaf in leaves(window)]
        gone = next(f for f in folders if order[1].slices[0].path.parent == f)
        for path in gone.iterdir():
            path.unlink()
        press(qtbot, window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
        until(qtbot, lambda: is_idle(window))
        assert in_list(window, 1) == "● CT 12 · failed"
        assert in_list(window, 2) == "◐ CT 12"


class TestCancelling:
    """One, or all."""

    def test_escape_cancels_that_of_the_open_series_and_the_next_begins(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        press(qtbot, two, Qt.Key.Key_F5)
        show_series(qtbot, two, 0)
        until(qtbot, lambda: two.session.analysis is AnalysisState.RUNNING)
        fake_system.started.clear()
        press(qtbot, two, Qt.Key.Key_Escape)
        until(qtbot, lambda: two.session.analysis is AnalysisState.CANCELLED)
        until(qtbot, fake_system.started.is_set)
        assert two.status.cancel_button.isEnabled(), "the next can be cancelled, too"
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))
        assert in_list(two, 1) == "◐ CT 12"

    def test_one_that_waits_is_cancelled_and_the_other_goes_on(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        press(qtbot, two, Qt.Key.Key_F5)
        press(qtbot, two, Qt.Key.Key_Escape)
        assert two.session.analysis is AnalysisState.CANCELLED
        assert two.status.cancel_button.isEnabled()
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))
        assert [in_list(two, 0), in_list(two, 1)] == ["◐ CT 12", "CT 12"]
        assert len(fake_system.contexts) == 1

    def test_all_are_cancelled(self, qtbot: Any, two: MainWindow, fake_system: Any) -> None:
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        press(qtbot, two, Qt.Key.Key_F5)
        press(qtbot, two, Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier)
        until(qtbot, lambda: is_idle(two))
        assert len(fake_system.contexts) == 1
        assert "◐" not in in_list(two, 0) + in_list(two, 1)
        fake_system.go.set()

    def test_one_of_the_list_is_analysed_and_cancelled_at_the_pointer(
        self, qtbot: Any, two: MainWindow, fake_system: Any
    ) -> None:
        fake_system.go.clear()
        choose_at_pointer(qtbot, two, 1, "Analyse")
        until(qtbot, fake_system.started.is_set)
        assert two.session.analysis is AnalysisState.NONE, "it is not the open one"
        choose_at_pointer(qtbot, two, 1, "Cancel its analysis")
        until(qtbot, lambda: is_idle(two))
        assert in_list(two, 1) == "● CT 12"
        fake_system.go.set()


class TestClosing:
    """Nothing is lost without a question."""

    @pytest.fixture
    def asked(self, closing_answer: SimpleNamespace) -> SimpleNamespace:
        closing_answer.answer = False
        return closing_answer

    def test_an_idle_window_closes_at_once(
        self, qtbot: Any, two: MainWindow, fake_system: Any, closing_answer: SimpleNamespace
    ) -> None:
        press(qtbot, two, Qt.Key.Key_F5)
        until(qtbot, lambda: two.session.findings is not None and is_idle(two))
        until(qtbot, lambda: not two._keeping._jobs)
        assert two.close()
        assert closing_answer.asked == []

    def test_the_dialog_lets_the_reader_stay_or_close(
        self, qtbot: Any, two: MainWindow, fake_system: Any, closing_answer: SimpleNamespace
    ) -> None:
        begin(qtbot, two, fake_system)
        closing_answer.ask = _the_dialog
        seen: list[str] = []

        def click(button: str) -> None:
            said, there = answer_dialog(two, button)
            if there:
                seen.append(said)
            else:
                QTimer.singleShot(20, lambda: click(button))

        QTimer.singleShot(0, lambda: click("Stay"))
        assert not two.close()
        assert two.isVisible()
        assert two.session.analysis is AnalysisState.RUNNING, "it goes on"
        QTimer.singleShot(0, lambda: click("Close"))
        assert two.close()
        assert not two.isVisible()
        assert seen == ["An analysis is at work; it would be stopped and leave no result."] * 2
        fake_system.go.set()

    def test_those_that_wait_are_counted(
        self, qtbot: Any, two: MainWindow, fake_system: Any, asked: SimpleNamespace
    ) -> None:
        begin(qtbot, two, fake_system)
        show_series(qtbot, two, 1)
        press(qtbot, two, Qt.Key.Key_F5)
        assert not two.close()
        assert asked.asked[0][0].startswith("2 analyses run or wait")
        asked.answer = True
        fake_system.go.set()
        until(qtbot, lambda: is_idle(two))

    def test_findings_that_could_not_be_kept_are_not_let_go(
        self, qtbot: Any, two: MainWindow, fake_system: Any, asked: SimpleNamespace,
        findings_folder: Path,
    ) -> None:  # fmt: skip
        findings_folder.write_text("a file where the folder should be")
        press(qtbot, two, Qt.Key.Key_F5)
        until(qtbot, lambda: "could not be kept" in "".join(sentences(two)))
        assert not two.close()
        assert asked.asked == [("The findings of one series are kept nowhere and would be lost.",)]
        asked.answer = True


_the_dialog = closing.ask_to_close
