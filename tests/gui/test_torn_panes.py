"""A pane in a window of its own: it stays a pane of the session, and comes back when closed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from tests.gui.handling import wheel
from viewer.viewport.torn import TornPane
from viewer.window import MainWindow


@pytest.fixture
def torn(qtbot: Any, reading: MainWindow) -> SimpleNamespace:
    """Three panes, the coronal one in a window of its own."""
    reading.actions_["layout-mpr"].trigger()
    reading.session.arrangement.activate(1)
    assert reading.actions_["tear-off"].isEnabled()
    reading.actions_["tear-off"].trigger()
    (window,) = reading.panes.torn
    qtbot.waitExposed(window)
    return SimpleNamespace(main=reading, window=window, view=reading.panes.views[1])


def test_the_pane_is_in_a_window_of_its_own_that_names_planes_and_nobody(
    torn: SimpleNamespace,
) -> None:
    assert torn.window.isWindow()
    assert torn.window.isVisible()
    assert torn.view.window() is torn.window
    assert torn.view.isVisible()
    assert torn.window.windowTitle() == "SecondRead: Coronal"
    others = [torn.main.panes.views[n] for n in (0, 2)]
    assert all(view.isVisible() and view.window() is torn.main for view in others)
    assert torn.main.actions_["tear-off"].isChecked()


def test_it_follows_the_others_and_they_follow_it(torn: SimpleNamespace) -> None:
    session = torn.main.session
    before = session.cursor
    wheel(torn.view, 2)
    assert session.cursor[1] == before[1] + 2
    session.set_cursor((3.0, 4.0, 5.0))
    assert torn.view.annotations().top_left[0].text.startswith("Coronal  5/40")
    session.arrangement.show_in_active(session.arrangement.panes[0].content)
    assert torn.window.windowTitle() == "SecondRead: Axial"


def test_keys_are_those_of_the_program(qtbot: Any, torn: SimpleNamespace) -> None:
    with qtbot.waitActive(torn.window, timeout=20_000):
        torn.window.activateWindow()
    torn.view.setFocus()
    qtbot.keyClick(torn.view, Qt.Key.Key_I)
    assert torn.main.session.inverted


def test_a_closed_window_gives_its_pane_back_to_its_place(torn: SimpleNamespace) -> None:
    torn.window.close()
    assert torn.main.panes.torn == ()
    assert torn.view.window() is torn.main
    assert torn.view.isVisible()
    assert not torn.main.actions_["tear-off"].isChecked()
    order = [view.mapTo(torn.main.panes, view.rect().center()).x() for view in
             torn.main.panes.views]  # fmt: skip
    assert len(order) == 3


def test_another_layout_takes_it_back(torn: SimpleNamespace) -> None:
    torn.main.actions_["layout-two"].trigger()
    assert torn.main.panes.torn == ()
    assert [v.window() is torn.main for v in torn.main.panes.views] == [True, True]


def test_one_pane_stays_in_the_window(torn: SimpleNamespace) -> None:
    arrangement = torn.main.session.arrangement
    arrangement.activate(0)
    torn.main.actions_["tear-off"].trigger()
    assert len(torn.main.panes.torn) == 2
    arrangement.activate(2)
    assert not torn.main.actions_["tear-off"].isEnabled()
    for window in torn.main.panes.torn:
        window.close()
    torn.main.actions_["layout-one"].trigger()
    assert not torn.main.actions_["tear-off"].isEnabled()


def test_the_picture_of_the_view_is_that_of_the_active_pane(torn: SimpleNamespace) -> None:
    alone = torn.main.picture()
    assert alone == torn.view.picture()
    torn.main.session.arrangement.activate(0)
    assert torn.main.picture().size() == (
        torn.main.panes.size() * torn.main.panes.devicePixelRatioF()
    )


def test_it_goes_with_the_window(torn: SimpleNamespace) -> None:
    torn.main.close()
    assert not torn.window.isVisible()


def test_on_two_screens_it_opens_on_the_other(
    qtbot: Any, reading: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = QRect(40, 30, 500, 400)
    other = SimpleNamespace(availableGeometry=lambda: where)
    monkeypatch.setattr(QGuiApplication, "screens", lambda: [reading.screen(), other])
    pane = QWidget()
    torn = TornPane(0, pane, reading)
    assert torn.geometry() == where
    torn.deleteLater()
