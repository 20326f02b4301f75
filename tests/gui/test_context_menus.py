"""A right click offers what can be done with what lies there, and a right drag does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QInputDialog, QMenu, QWidget

from inference.findings import Findings
from inference.lesion_review import Verdict
from inference.measurements import Kind
from viewer.window import MainWindow

CENTRE_LINE = (15.0, 19.0)


@pytest.fixture(autouse=True)
def _no_menu_left(window: MainWindow) -> Iterator[None]:
    yield
    for menu in window.findChildren(QMenu, "context-menu"):
        menu.close()


def plain(text: str) -> str:
    """Words of an entry, without the mark of the letter that is underlined."""
    return text.replace("&", "")


def menu_of(window: MainWindow) -> QMenu:
    """The menu that is open."""
    (menu,) = [m for m in window.findChildren(QMenu, "context-menu") if m.isVisible()]
    return menu


def entries(window: MainWindow) -> dict[str, bool]:
    """What the open menu offers, and whether it can be done now."""
    return {
        plain(action.text()): action.isEnabled()
        for action in menu_of(window).actions()
        if not action.isSeparator()
    }


def choose(window: MainWindow, text: str) -> None:
    """Choose an entry of the open menu."""
    menu = menu_of(window)
    (action,) = [action for action in menu.actions() if plain(action.text()) == text]
    assert action.isEnabled()
    action.trigger()
    menu.close()


def right_click(qtbot: Any, target: QWidget, at: QPoint) -> None:
    """Press and release without moving."""
    qtbot.mouseClick(target, Qt.MouseButton.RightButton, pos=at)


def measured(window: MainWindow) -> QPoint:
    """Make a line on the slice on the screen; where its middle is seen."""
    view, session = window.view, window.session
    plane = float(session.position)
    points = [(5.0, 19.0, plane), (25.0, 19.0, plane)]
    session.measurements.add(Kind.LENGTH, points, 2, "nodule")
    session.measurements.select("")
    projection = view._projection()
    assert projection is not None
    return projection.view((*CENTRE_LINE, plane)).toPoint()


def test_the_image_has_a_menu_of_commands(qtbot: Any, reading: MainWindow) -> None:
    right_click(qtbot, reading.view, QPoint(60, 60))
    offered = entries(reading)
    for text in ("Reset view", "Invert", "Overlays", "Window level", "Measure", "Copy picture",
                 "Analyse", "DICOM elements…"):  # fmt: skip
        assert offered[text], text
    choose(reading, "Invert")
    assert reading.session.inverted
    right_click(qtbot, reading.view, QPoint(60, 60))
    choose(reading, "Copy picture")
    assert QGuiApplication.clipboard().image().size() == reading.picture().size()


def test_a_right_drag_zooms_and_asks_for_no_menu(qtbot: Any, reading: MainWindow) -> None:
    view = reading.view
    assert view._framing is not None
    before = view._framing.zoom
    qtbot.mousePress(view, Qt.MouseButton.RightButton, pos=QPoint(80, 120))
    qtbot.mouseMove(view, QPoint(80, 60))
    qtbot.mouseRelease(view, Qt.MouseButton.RightButton, pos=QPoint(80, 60))
    assert view._framing.zoom > before
    assert reading.findChildren(QMenu, "context-menu") == []


def test_the_menu_key_asks_too(reading: MainWindow) -> None:
    at = reading.view.rect().center()
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Keyboard, at, reading.view.mapToGlobal(at)
    )  # fmt: skip
    QApplication.sendEvent(reading.view, event)
    assert "Invert" in entries(reading)


def test_a_measurement_on_the_image_has_a_menu_of_its_own(
    qtbot: Any, reading: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = reading.session.measurements
    at = measured(reading)
    right_click(qtbot, reading.view, at)
    assert notebook.selected is not None
    assert list(entries(reading))[:4] == ["Go to it", "Write a note…", "Copy values",
                                          "Delete measurement"]  # fmt: skip
    choose(reading, "Copy values")
    assert reading.session.volume is not None
    length = 20 * reading.session.volume.spacing[2]
    assert QGuiApplication.clipboard().text() == f"{length:.1f} mm\nnodule"
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("  grows   fast ", True))
    right_click(qtbot, reading.view, at)
    choose(reading, "Write a note…")
    assert notebook.measurements[0].text == "grows fast"
    right_click(qtbot, reading.view, at)
    choose(reading, "Delete measurement")
    assert notebook.measurements == ()


def test_a_measurement_of_the_table_has_the_same_menu(qtbot: Any, reading: MainWindow) -> None:
    measured(reading)
    reading.session.set_position(0)
    panel = reading.measurements_panel
    at = panel.table.visualItemRect(panel.table.item(0, 0)).center()
    panel.table.customContextMenuRequested.emit(at)
    choose(reading, "Go to it")
    assert reading.session.position == 6


def test_a_lesion_has_a_menu(
    qtbot: Any, reading: MainWindow, make_findings: Callable[..., Findings]
) -> None:
    session = reading.session
    assert session.volume is not None
    session.set_findings(make_findings(session.volume))
    qtbot.waitUntil(lambda: session.lesions.listed is not None)
    reading.findings_panel.parentWidget().parentWidget().setCurrentWidget(reading.lesions_panel)
    table = reading.lesions_panel.table
    at = table.visualRect(table.model().index(0, 0)).center()
    event = QContextMenuEvent(
        QContextMenuEvent.Reason.Mouse, at, table.viewport().mapToGlobal(at)
    )  # fmt: skip
    session.set_position(0)
    QApplication.sendEvent(table.viewport(), event)
    choose(reading, "Copy values")
    assert QGuiApplication.clipboard().text().startswith("1: ")
    QApplication.sendEvent(table.viewport(), event)
    choose(reading, "Go to it")
    assert session.position > 0
    QApplication.sendEvent(table.viewport(), event)
    assert session.review.chosen is not None
    assert session.review.chosen.number == 1
    choose(reading, "Reject lesion")
    assert session.review.decision(1).verdict is Verdict.REJECTED
    # On the image the lesion under the pointer is the one that is decided on.
    other = session.lesions.listed.lesions[1]
    session.go_to_voxel(*other.voxel)
    framing = reading.view._framing
    assert framing is not None
    at = QPoint(*(round(v) for v in framing.to_view(other.voxel[0], other.voxel[1])))
    right_click(qtbot, reading.view, at)
    choose(reading, "Accept lesion")
    assert session.review.decision(2).verdict is Verdict.ACCEPTED


def test_series_and_studies_of_the_list_have_a_menu(
    qtbot: Any, reading: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(reading.opener, "show_series", lambda _study, each: asked.append(each.uid))
    reading.tree.series_chosen.disconnect()
    reading.tree.series_chosen.connect(lambda study, each: asked.append(each.uid))
    beside: list[str] = []
    reading.tree.beside_chosen.disconnect()
    reading.tree.beside_chosen.connect(lambda _study, each: beside.append(each.uid))
    shown: list[Path] = []
    monkeypatch.setattr(
        "viewer.context_menus.QDesktopServices.openUrl",
        lambda url: shown.append(Path(url.toLocalFile())) or True,
    )
    tree = reading.tree.tree
    study = tree.topLevelItem(0).child(0)

    def ask(item: Any) -> dict[str, bool]:
        tree.customContextMenuRequested.emit(tree.visualItemRect(item).center())
        return entries(reading)

    offered = ask(study.child(0))
    assert not offered["Show"], "it is on the screen"
    assert offered["Analyse"]
    menu_of(reading).close()
    ask(study.child(1))
    choose(reading, "Show")
    ask(study.child(1))
    choose(reading, "Show beside the open one")
    assert (asked, beside) == (["1.2.4"], ["1.2.4"])
    ask(study)
    choose(reading, "Show in folder")
    assert shown == [reading.session.studies[0].series[0].slices[0].path.parent]
    reading.session.manner.toggle_names()
    assert not ask(tree.topLevelItem(0).child(0))["Show in folder"]
