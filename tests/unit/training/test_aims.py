"""The table of aims: what was reached, by which figure, and never by one of trained groups."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from inference.training import aims, leaveout, levers
from inference.training.evaluation.figure import CROSS_VALIDATION, LEFT_OUT, Figure
from inference.training.experiments import Experiment, enter

NAN = float("nan")


def figure(task: str, model: str, source: str, split: str, metric: str, value: float) -> Figure:
    return Figure(task, model, source, split, metric, value, value - 0.1, value + 0.1, 40, 8)


def experiment(title: str, figures: tuple[Figure, ...], folds: tuple[int, ...]) -> Experiment:
    return Experiment(title, f"recipe {title} (1 steps)", "random", folds, "CPU", 1.0, figures)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """What the table asks of a model store."""
    chosen = {"CT": "recognition-ct", "CXR": "recognition-cxr"}
    return SimpleNamespace(folder=tmp_path, default_recognisers=chosen)


def rows(figures: list[Figure], store: Any) -> dict[str, list[str]]:
    lines = aims.section(figures, store)
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if "| " in line]
    return {row[0]: row[1:] for row in cells[1:]}


def test_a_value_on_the_right_side_is_reached(store: Any) -> None:
    kids = ("covid-2", "recognition-cxr", "X-ray, children's normals (kermany)")
    found = rows([figure(*kids, "test", "false alarms", 0.10)], store)
    assert found["X-ray, healthy children called COVID-19"] == [
        "≤ 0.10", "reached", "0.100", "0.000 to 0.200", "40 (8)", "1",
    ]  # fmt: skip
    found = rows([figure(*kids, "test", "false alarms", 0.11)], store)
    assert found["X-ray, healthy children called COVID-19"][1] == "**not reached**"


def test_only_the_model_that_is_used_and_groups_it_does_not_know_count(store: Any) -> None:
    given = [
        figure("covid-2", "recognition", "CT, all sources", "test", "AUC", 0.99),
        figure("covid-2", "recognition-ct + evidence", "CT, all sources", "trained on", "AUC", 1.0),
        figure("covid-2", "recognition-ct + evidence", "CT, all sources", "validation", "AUC", 0.9),
        figure("covid-2", "recognition-ct + evidence", "CT, all sources", "test", "AUC", 0.87),
    ]
    assert rows(given, store)["CT, COVID-19 v not, unseen groups: AUC"][:3] == [
        "≥ 0.88", "**not reached**", "0.870",
    ]  # fmt: skip


def test_of_whole_cross_validations_the_best_counts_and_their_number_is_said(store: Any) -> None:
    metric = "Dice, mean over slices that have it"
    for title, value, folds in (
        ("one", 0.70, range(5)),
        ("two", 0.83, range(5)),
        ("part", 0.9, [1]),
    ):
        made = figure("segmentation", "m", "medseg100, infection", CROSS_VALIDATION, metric, value)
        enter(experiment(title, (made,), tuple(folds)), store.folder / levers.FILE)
    found = rows([], store)["infection, five folds: Dice"]
    assert (found[1], found[2], found[5]) == ("reached", "0.830", "2")


def test_each_source_left_out_has_a_line_whatever_found_it(store: Any) -> None:
    words = "COVID-19 of ucsd v not COVID-19 of ucsd"
    made = figure("covid-2", "", words, LEFT_OUT, "AUC", 0.66)
    enter(experiment("without ucsd", (made,), (1,)), store.folder / leaveout.FILE)
    given = [
        figure("evidence", "evidence", "CT, ucsd, fitted without it (areas)", LEFT_OUT, "AUC", 0.6),
        figure("evidence", "streams", "CT, sarscov, marked area alone", LEFT_OUT, "AUC", 0.8),
        figure("evidence", "streams", "CT, sarscov, marked area alone", "test", "AUC", 0.9),
    ]
    found = rows(given, store)
    assert found["CT, COVID-19 v not, of a source left out: AUC (ucsd)"][1:3] == [
        "**not reached**", "0.660",
    ]  # fmt: skip
    assert found["CT, COVID-19 v not, of a source left out: AUC (ucsd)"][5] == "2"
    assert found["CT, COVID-19 v not, of a source left out: AUC (sarscov)"][2] == "0.800"


def test_what_was_not_measured_has_no_line(store: Any) -> None:
    assert aims.section([], store) == []
    unknown = figure(
        "domain, odd", "domain", "DICOM, all odd objects", "test", "share flagged", NAN
    )
    assert aims.section([unknown], store) == []
