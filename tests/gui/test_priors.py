"""Compare lists this patient's other series first, and proposes the prior; both say whose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel

from inference.studies.codes import Code
from inference.studies.model import Problem, Series, Study, Volume
from viewer.compare_dialog import CompareDialog
from viewer.priors import candidates
from viewer.window import MainWindow

MakeStudy = Callable[..., Study]


def dated(study: Study, date: str, *descriptions: str, **changes: Any) -> Study:
    """Give a study a date, and its series descriptions."""
    series = tuple(
        replace(each, description=text)
        for each, text in zip(study.series, descriptions, strict=True)
    )
    return replace(study, date=date, series=series, **changes)


@pytest.fixture
def studies(make_study: MakeStudy) -> dict[str, Study]:
    """Today's study, earlier and later ones of the same patient, and one of another."""
    other = {"patient_name": "Roe^Richard", "patient_id": "ID-9"}
    return {
        "now": dated(
            make_study("1.1", "1.2", uid="1"), "20200312", "Thorax lung 1 mm", "Thorax soft 3 mm"
        ),
        "before": dated(
            make_study("2.1", "2.2", uid="2"), "20190301", "Thorax soft 3 mm", "Thorax lung 1 mm"
        ),
        "long-ago": dated(make_study("3.1", uid="3"), "20150101", "Thorax lung 1 mm"),
        "abdomen": dated(make_study("4.1", uid="4"), "20200101", "Abdomen portal venous"),
        "later": dated(make_study("5.1", uid="5"), "20210101", "Thorax lung 1 mm"),
        "other": dated(make_study("6.1", uid="6"), "20200301", "Thorax lung 1 mm", **other),
    }


def proposed(studies: dict[str, Study]) -> list[str]:
    now = studies["now"]
    found = candidates(studies.values(), now, now.series[0])
    return [one.series.uid for one in found if one.prior]


def test_this_patients_series_come_first_the_newest_before(studies: dict[str, Study]) -> None:
    now = studies["now"]
    found = candidates(studies.values(), now, now.series[0])
    assert [one.series.uid for one in found] == ["5.1", "1.2", "4.1", "2.1", "2.2", "3.1", "6.1"]
    assert [one.mine for one in found] == [True] * 6 + [False]


def test_the_prior_is_the_latest_earlier_one_that_is_most_alike(
    studies: dict[str, Study],
) -> None:
    assert proposed(studies) == ["2.2"]
    del studies["before"]
    assert proposed(studies) == ["3.1"], "chest of long ago before the abdomen of this year"


def test_nothing_is_proposed_without_an_earlier_study_of_the_same_kind(
    studies: dict[str, Study],
) -> None:
    def changed(change: Callable[[Series], Series]) -> dict[str, Study]:
        return {
            name: study
            if name == "now"
            else replace(study, series=tuple(map(change, study.series)))
            for name, study in studies.items()
        }

    overview = Problem(Code.LOCALIZER, "An overview.")
    assert proposed(changed(lambda each: replace(each, modality="CR"))) == []
    assert proposed(changed(lambda each: replace(each, problems=(overview,)))) == []
    assert proposed({name: replace(s, date="") for name, s in studies.items()}) == []
    nameless = {name: replace(s, patient_name="", patient_id="") for name, s in studies.items()}
    assert proposed(nameless) == [], "two studies without a name are not of one patient"


@pytest.fixture
def comparing(
    window: MainWindow, studies: dict[str, Study], make_volume: Callable[..., Volume],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[MainWindow, list[str]]:  # fmt: skip
    """Give a window with all of them open, and what is asked to stand beside."""
    asked: list[str] = []
    monkeypatch.setattr(
        window.compare_opener, "show_series", lambda _, series: asked.append(series.uid)
    )
    window.session.add_studies(tuple(studies.values()))
    now = studies["now"]
    window.session.set_volume(now, now.series[0], make_volume("1.1"))
    return window, asked


def in_dialog(window: MainWindow, do: Callable[[CompareDialog], None]) -> None:
    """Ask which to compare, and do something in the dialog while it is open."""
    faults: list[BaseException] = []

    def act() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, CompareDialog)
        try:
            do(dialog)
        except AssertionError as error:
            faults.append(error)
        dialog.reject() if faults or dialog.isVisible() else None

    QTimer.singleShot(0, act)
    window.actions_["compare"].trigger()
    assert not faults, faults


def texts(dialog: CompareDialog) -> list[list[str]]:
    """Each group: its title, then its series."""
    tree = dialog.tree
    groups = [tree.topLevelItem(i) for i in range(tree.topLevelItemCount())]
    return [
        [group.text(0), *(group.child(i).text(0) for i in range(group.childCount()))]
        for group in groups
    ]


def test_the_command_offers_the_prior_and_one_press_takes_it(
    comparing: tuple[MainWindow, list[str]],
) -> None:
    window, asked = comparing
    window.tree.set_thumbnail("2.2", np.full((44, 44), 200, np.uint8))

    def take(dialog: CompareDialog) -> None:
        mine, others = texts(dialog)
        assert mine[0] == "This patient"
        assert mine[5] == (
            "2019-03-01  ·  CT 12  ·  series 2  ·  proposed prior\nChest  ·  Thorax lung 1 mm"
        )
        assert others == [
            "Other patients",
            "Roe, Richard  ·  2020-03-01  ·  CT 12  ·  series 1\nChest  ·  Thorax lung 1 mm",
        ]
        icon = dialog.tree.currentItem().icon(0).pixmap(44, 44).toImage()
        assert icon.pixelColor(22, 22).lightness() == 200
        dialog.compare.click()

    in_dialog(window, take)
    assert asked == ["2.2"]


def test_nothing_is_shown_beside_when_the_reader_thinks_better_of_it(
    comparing: tuple[MainWindow, list[str]],
) -> None:
    window, asked = comparing
    in_dialog(window, lambda dialog: dialog.reject())
    assert asked == []


def test_in_teaching_mode_the_list_tells_nobody(comparing: tuple[MainWindow, list[str]]) -> None:
    window, _ = comparing
    window.session.manner.toggle_names()

    def look(dialog: CompareDialog) -> None:
        told = str(texts(dialog))
        for private in ("Roe", "Doe", "20", "Thorax"):
            assert private not in told
        assert "proposed prior" in told

    in_dialog(window, look)


def test_both_sides_say_whose_they_are_and_of_when(
    qtbot: Any,
    comparing: tuple[MainWindow, list[str]],
    studies: dict[str, Study],
    make_volume: Callable[..., Volume],
) -> None:
    window, _ = comparing
    mine = window.findChild(QLabel, "open-title")
    assert not mine.isVisible()
    other = studies["other"]
    window.comparison.other.set_volume(other, other.series[0], make_volume("6.1"))
    assert mine.isVisible()
    assert mine.text() == "Doe, Jane  ·  2020-03-12  ·  Thorax lung 1 mm"
    qtbot.waitUntil(lambda: window.view.height() == window.compare_pane.view.height())
    theirs = window.compare_pane.title.text()
    assert theirs.startswith("Roe, Richard  ·  2020-03-01  ·  Thorax lung 1 mm")
    left = [line.text for line in window.compare_pane.view.annotations().whose]
    assert left == ["Roe, Richard", "ID-9"]
    window.session.manner.toggle_names()
    assert mine.text() == "CT  ·  names hidden"
    assert "Roe" not in window.compare_pane.title.text()
    window.comparison.close()
    assert not mine.isVisible()
