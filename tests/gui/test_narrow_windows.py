"""Small windows and large scalings: images first, panels make way, nothing is cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMenuBar, QToolBar, QWidget

from inference.findings import Findings
from inference.studies.model import Study, Volume
from tests.gui.conftest import FakeVolumePane
from viewer.volume3d.view import VolumeView
from viewer.window import MainWindow

SIZES = {
    "1280 x 760 at 100 %": (1280, 760),
    "1280 x 760 at 125 %": (1024, 608),
    "1920 x 1080 at 200 %": (960, 540),
    "1280 x 760 at 200 %": (640, 480),
}


@pytest.fixture
def full(
    qtbot: Any, reading: MainWindow, make_findings: Callable[..., Findings],
    monkeypatch: pytest.MonkeyPatch,
) -> MainWindow:  # fmt: skip
    """Give the window with findings, whose pane in 3D needs as much room as the true one."""
    true_pane = VolumeView(reading.session)
    least = true_pane.minimumSizeHint()
    true_pane.deleteLater()
    monkeypatch.setattr(FakeVolumePane, "minimumSizeHint", lambda _self: least)
    reading.session.set_findings(make_findings(reading.session.volume))
    return reading


def _resize(qtbot: Any, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    for _ in range(3):
        QApplication.processEvents()
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size, timeout=5_000)
    QApplication.processEvents()


def _areas(window: MainWindow) -> dict[str, int]:
    panes = window.session.arrangement.panes
    places = [place.currentWidget() for place in window.panes._places]
    return {
        pane.content.value: place.width() * place.height()
        for pane, place in zip(panes, places, strict=True)
    }


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("layout", ["mpr", "four", "two"])
def test_the_axial_pane_is_never_the_smallest(
    qtbot: Any, full: MainWindow, layout: str, size: tuple[int, int]
) -> None:
    _resize(qtbot, full, size)
    full.actions_[f"layout-{layout}"].trigger()
    QApplication.processEvents()
    areas = _areas(full)
    assert areas["axial"] >= 0.8 * max(areas.values())
    # A reader who wants the panels all the same has them beside panes of equal width.
    for side in ("panel-studies", "panel-findings"):
        if not full.actions_[side].isChecked():
            full.actions_[side].trigger()
    QApplication.processEvents()
    widths = {place.width() for place in full.panes._places}
    assert max(widths) - min(widths) <= 2


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_images_have_at_least_half_of_the_width(
    qtbot: Any, full: MainWindow, size: tuple[int, int]
) -> None:
    _resize(qtbot, full, size)
    assert full.panes.width() >= 0.5 * full.width()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_nothing_is_cut_off(qtbot: Any, full: MainWindow, size: tuple[int, int]) -> None:
    _resize(qtbot, full, size)
    inside = QRect(QPoint(0, 0), full.size())
    bars = [full.menuBar(), full.findChild(QToolBar, "commands"), full.status]
    controls = [w for bar in bars for w in bar.findChildren(QAbstractButton)]
    seen = 0
    for widget in (*bars, *controls, full.strip, full.panes, full.tree, full.layers_panel):
        if not widget.isVisible():
            continue
        seen += 1
        place = QRect(widget.mapTo(full, QPoint(0, 0)), widget.size())
        assert inside.contains(place), widget
        if not isinstance(widget, QMenuBar):
            assert widget.width() >= widget.minimumSizeHint().width(), widget
    assert seen > 8
    bar = full.menuBar()
    last = bar.actionGeometry(bar.actions()[-1])
    extension = bar.findChild(QWidget, "qt_menubar_ext_button")
    assert inside.contains(last) or (extension is not None and extension.isVisible())


def test_panels_that_made_way_say_so_and_come_back(qtbot: Any, full: MainWindow) -> None:
    assert full.sides is not None
    wide = full._splitters["across"].sizes()
    assert not full.sides.hint.isVisible()
    _resize(qtbot, full, (700, 500))
    assert not full.tree.isVisible()
    assert not full.findings_panel.isVisible()
    assert full.sides.hint.isVisible()
    assert full.sides.hint.text() == "Panels hidden: press F9"
    QTest.mouseClick(full.sides.hint, Qt.MouseButton.LeftButton)
    assert full.tree.isVisible()
    assert full.findings_panel.isVisible()
    assert not full.sides.hint.isVisible()
    _resize(qtbot, full, (1100, 700))
    assert full._splitters["across"].sizes() == pytest.approx(wide, abs=3)


def test_what_the_reader_showed_stays_while_the_window_stays_as_narrow(
    qtbot: Any, full: MainWindow
) -> None:
    _resize(qtbot, full, (900, 600))
    assert not full.tree.isVisible()
    full.actions_["panel-studies"].trigger()
    assert full.tree.isVisible()
    _resize(qtbot, full, (880, 600))
    assert full.tree.isVisible()


def test_what_the_reader_hid_stays_hidden_in_a_window_as_wide(qtbot: Any, full: MainWindow) -> None:
    QTest.keyClick(full.view, Qt.Key.Key_F9)
    _resize(qtbot, full, (1200, 700))
    assert not full.tree.isVisible()
    assert full.actions_["panels"].isChecked() is False


def test_hidden_panels_are_not_lost_for_the_next_start(
    qtbot: Any, make_window: Callable[[], MainWindow], make_study: Callable[..., Study],
    make_volume: Callable[..., Volume],
) -> None:  # fmt: skip
    first = make_window()
    QTest.keyClick(first.view, Qt.Key.Key_F9)
    first.close()
    second = make_window()
    study = make_study("1.2.3")
    second.session.set_volume(study, study.series[0], make_volume("1.2.3"), 0.5)
    QApplication.processEvents()
    assert second.tree.width() > 100
    assert second.findings_panel.width() > 200
