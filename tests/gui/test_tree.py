"""The study tree: patient > study > series, marks and thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QTreeWidgetItem

from inference.findings import Findings
from inference.studies.model import Study, Volume
from viewer.browser import StudyTree
from viewer.browser.tree import ANALYSED, UNREAD


@pytest.fixture
def tree(qtbot: Any, opened: SimpleNamespace) -> StudyTree:
    """Give the tree of the opened session."""
    tree = StudyTree(opened.session)
    qtbot.addWidget(tree)
    tree.resize(240, 400)
    with qtbot.waitExposed(tree, timeout=20_000):
        tree.show()
    return tree


def series_items(tree: StudyTree) -> list[QTreeWidgetItem]:
    """Leaves, in order."""
    branch = tree.tree.topLevelItem(0).child(0)
    return [branch.child(i) for i in range(branch.childCount())]


def test_patient_study_and_series_are_written_for_people(tree: StudyTree) -> None:
    patient = tree.tree.topLevelItem(0)
    assert patient.text(0) == "Doe, Jane · ID-77"
    assert patient.child(0).text(0) == "2020-03-12 · Chest"
    assert [item.text(0) for item in series_items(tree)] == [
        "CT 12\nThorax 1",
        f"{UNREAD} CT 12\nThorax 2",
    ]


def test_studies_of_one_patient_stand_together(
    opened: SimpleNamespace, tree: StudyTree, make_study: Callable[..., Study]
) -> None:
    opened.session.add_studies((make_study("5.1", uid="5"),))
    assert tree.tree.topLevelItemCount() == 1
    assert tree.tree.topLevelItem(0).childCount() == 2


def test_marks_follow_reading_and_analysis(
    opened: SimpleNamespace,
    tree: StudyTree,
    make_volume: Callable[..., Volume],
    make_findings: Callable[..., Findings],
) -> None:
    session = opened.session
    session.set_findings(make_findings(opened.volume))
    first, second = series_items(tree)
    assert first.text(0).startswith(ANALYSED)
    session.set_volume(opened.study, opened.study.series[1], make_volume("1.2.4"))
    assert second.text(0) == "CT 12\nThorax 2"
    assert first.text(0).startswith(ANALYSED)


def test_what_is_on_the_screen_is_selected(
    opened: SimpleNamespace, tree: StudyTree, make_volume: Callable[..., Volume]
) -> None:
    first, second = series_items(tree)
    assert tree.tree.currentItem() is first
    opened.session.set_volume(opened.study, opened.study.series[1], make_volume("1.2.4"))
    assert tree.tree.currentItem() is second


def test_a_click_asks_for_the_series(qtbot: Any, opened: SimpleNamespace, tree: StudyTree) -> None:
    item = series_items(tree)[1]
    with qtbot.waitSignal(tree.series_chosen) as asked:
        qtbot.mouseClick(
            tree.tree.viewport(),
            Qt.MouseButton.LeftButton,
            pos=tree.tree.visualItemRect(item).center(),
        )
    assert asked.args == [opened.study, opened.study.series[1]]


def test_a_patient_is_no_series(qtbot: Any, tree: StudyTree) -> None:
    with qtbot.assertNotEmitted(tree.series_chosen):
        qtbot.mouseClick(
            tree.tree.viewport(),
            Qt.MouseButton.LeftButton,
            pos=tree.tree.visualItemRect(tree.tree.topLevelItem(0)).center(),
        )


def test_thumbnails_are_drawn_with_their_own_greys(tree: StudyTree) -> None:
    tree.set_thumbnail("1.2.3", np.full((96, 96), 200, np.uint8))
    item = series_items(tree)[0]
    picture = item.icon(0).pixmap(44, 44).toImage()
    # A screen of 16 bits rounds.
    assert abs(picture.pixelColor(22, 22).red() - 200) <= 8
    other = series_items(tree)[1].icon(0).pixmap(44, 44).toImage()
    assert other.pixelColor(22, 22).red() < 60
