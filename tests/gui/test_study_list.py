"""Searching and sorting the study list, and what its context menu asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QTreeWidgetItem

from inference.studies.model import Study
from viewer.browser import StudyTree
from viewer.session import ReadingSession
from viewer.window import MainWindow


@pytest.fixture
def studies(make_study: Callable[..., Study]) -> tuple[Study, ...]:
    """Give three studies of two patients, opened in no order."""
    return (
        replace(make_study("1.1", uid="1"), date="20200312", description="Chest"),
        replace(
            make_study("2.1", "2.2", uid="2"), date="", description="Abdomen",
            patient_name="Abel^Ann", patient_id="7",
        ),
        replace(make_study("3.1", uid="3"), date="20210101", description="Follow-up"),
    )  # fmt: skip


@pytest.fixture
def tree(qtbot: Any, session: ReadingSession, studies: tuple[Study, ...]) -> StudyTree:
    """Give the tree with them."""
    session.add_studies(studies)
    tree = StudyTree(session)
    qtbot.addWidget(tree)
    tree.resize(240, 500)
    with qtbot.waitExposed(tree, timeout=20_000):
        tree.show()
    return tree


def shown(tree: StudyTree) -> list[str]:
    """Texts of what is to be seen, top to bottom, by depth."""
    texts: list[str] = []

    def walk(item: QTreeWidgetItem, depth: int) -> None:
        if not item.isHidden():
            texts.append("  " * depth + item.text(0).splitlines()[-1])
            for place in range(item.childCount()):
                walk(item.child(place), depth + 1)

    for place in range(tree.tree.topLevelItemCount()):
        walk(tree.tree.topLevelItem(place), 0)
    return texts


def choose_order(tree: StudyTree, name: str) -> None:
    """Choose an entry of the sort button's menu."""
    (entry,) = [a for a in tree.sort_button.menu().actions() if a.objectName() == f"sort-{name}"]
    entry.trigger()
    assert entry.isChecked()


def test_search_shows_what_has_the_words_and_what_it_belongs_to(
    qtbot: Any, tree: StudyTree
) -> None:
    qtbot.keyClicks(tree.search, "doe follow")
    assert shown(tree) == ["Doe, Jane · ID-77", "  2021-01-01 · Follow-up", "    Thorax 1"]
    tree.search.clear()
    qtbot.keyClicks(tree.search, "THORAX ann")
    assert shown(tree) == ["Abel, Ann · 7", "  Abdomen", "    Thorax 1", "    Thorax 2"]
    said = tree.findChild(QLabel, "nothing-fits")
    assert not said.isVisible()
    qtbot.keyClicks(tree.search, " nobody")
    assert shown(tree) == []
    assert said.isVisible()
    tree.search.clear()
    assert len(shown(tree)) == 9
    assert not said.isVisible()


def test_hidden_names_cannot_be_searched(
    qtbot: Any, tree: StudyTree, session: ReadingSession
) -> None:
    session.manner.toggle_names()
    qtbot.keyClicks(tree.search, "doe")
    assert shown(tree) == [], "a find would tell which patient this is"
    tree.search.clear()
    qtbot.keyClicks(tree.search, "patient")
    assert [text for text in shown(tree) if text.startswith("Patient")] == [
        "Patient 1", "Patient 2",
    ]  # fmt: skip


def test_studies_are_sorted_as_asked_and_those_without_date_come_last(tree: StudyTree) -> None:
    def order() -> list[str]:
        return [study.uid for study, _ in tree.listed()]

    assert order() == ["1", "3", "2", "2"], "as opened, a patient's studies together"
    for name, expected in (
        ("patient", ["2", "2", "1", "3"]), ("newest", ["3", "1", "2", "2"]),
        ("oldest", ["1", "3", "2", "2"]), ("opened", ["1", "3", "2", "2"]),
    ):  # fmt: skip
        choose_order(tree, name)
        assert order() == expected, name


def test_keys_go_through_the_list_as_it_is_shown(
    qtbot: Any, window: MainWindow, studies: tuple[Study, ...], monkeypatch: pytest.MonkeyPatch,
    make_volume: Callable[..., Any],
) -> None:  # fmt: skip
    asked: list[str] = []
    monkeypatch.setattr(window.opener, "show_series", lambda _study, each: asked.append(each.uid))
    window.session.add_studies(studies)
    window.session.set_volume(studies[2], studies[2].series[0], make_volume("3.1"))
    choose_order(window.tree, "newest")
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert asked == ["1.1"]
    qtbot.keyClicks(window.tree.search, "o")
    window.tree.search.setText("follow")
    window.view.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_PageDown)
    assert asked == ["1.1"], "nothing else is in the list"


def test_a_menu_is_asked_for_what_lies_under_the_pointer(
    qtbot: Any, tree: StudyTree, studies: tuple[Study, ...]
) -> None:
    asked: list[tuple[Study, Any]] = []
    tree.menu_asked.connect(lambda study, series, _at: asked.append((study, series)))
    patient = tree.tree.topLevelItem(0)
    for item in (patient.child(0), patient.child(0).child(0), patient):
        tree.tree.customContextMenuRequested.emit(tree.tree.visualItemRect(item).center())
    tree.tree.customContextMenuRequested.emit(QPoint(5, 490))
    assert asked == [(studies[0], None), (studies[0], studies[0].series[0])]
