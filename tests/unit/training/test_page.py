"""The results page: summary, the paper's tables with ours beside them, and all the rest."""

from __future__ import annotations

import dataclasses
import json
from importlib import resources
from pathlib import Path

import pytest

from inference.models import ModelStore
from inference.training.evaluation.figure import POOLED, Figure
from inference.training.evaluation.run import TITLES
from inference.training.page import details, markdown, page_of_folds
from inference.training.published import published_tables

NAN = float("nan")


def _figure(task: str, source: str, metric: str, value: float, **changes: object) -> Figure:
    values: dict[str, object] = {
        "task": task, "model": "m", "source": source, "split": "test", "metric": metric,
        "value": value, "low": value - 0.1, "high": value + 0.1, "n": 20, "groups": 10,
    }  # fmt: skip
    return Figure(**(values | changes))  # type: ignore[arg-type]


def _line(lines: list[str], start: str) -> str:
    return next(line for line in lines if line.startswith(start))


def test_ours_stand_beside_the_papers_figures() -> None:
    shown = "mean over slices that have it"
    figures = [
        _figure("segmentation", "medseg100, ggo", f"Dice, {shown}", 0.7, model="streams (shared)"),
        _figure("segmentation", "medseg100, ggo", f"IoU, {shown}", 0.6, model="streams (shared)"),
    ]
    lines = published_tables(figures)
    assert [x for x in lines if x.startswith("### Table")] == [
        "### Table 6: segmentation by the streams and by the all-class network",
        "### Table 7: ground glass and consolidation beside other models",
    ]
    assert "| El-bana et al., stream 2: ground glass | 91.61 | 84.51 |  |  |" in lines
    assert _line(lines, "| **ground glass**") == (
        "| **ground glass**, streams (shared), test "
        "| 70.0 (60.0 to 80.0) |  | 60.0 (50.0 to 70.0) | 20 (10) |"
    )


def test_accuracies_of_other_splits_stand_in_their_columns() -> None:
    four = ("cxr-4", "X-ray, four classes", "accuracy")
    figures = [_figure(*four, 0.6), _figure(*four, 0.7, split="validation")]
    line = _line(published_tables(figures), "| **4 classes, X-ray**")
    assert line.endswith("|  | 70.0 (60.0 to 80.0) | 60.0 (50.0 to 70.0) |  |  | 20 (10) |")


def test_nothing_of_ours_is_no_table() -> None:
    assert published_tables([_figure("lungs", "imlab3d", "Dice", 0.9)]) == []
    trained_on = _figure("cxr-4", "X-ray, four classes", "accuracy", 1.0, split="trained on")
    assert published_tables([trained_on]) == []


def test_every_entry_of_ours_fits_its_columns_and_names_a_task() -> None:
    text = (resources.files("resources") / "published_results.json").read_text(encoding="utf-8")
    for table in json.loads(text)["tables"]:
        sizes = {len(values) for _, values in table["published"]}
        sizes |= {len(entry["metrics"]) for entry in table["ours"]}
        assert sizes == {len(table["columns"])}, table["number"]
        assert {entry["task"] for entry in table["ours"]} <= set(TITLES)


def test_confusion_is_laid_out_as_a_matrix() -> None:
    figures = [
        _figure("covid-2", "CT", f"confusion, {a} called {b}", value, low=1.0, high=9.0)
        for a, b, value in (("ill", "ill", 5), ("ill", "well", 2), ("well", "ill", 3),
                            ("well", "well", 7))
    ]  # fmt: skip
    lines = details(figures)
    assert "| CT, m, test: true class | called ill | called well |" in lines
    assert "| ill | 5 (1 to 9) | 2 (1 to 9) |" in lines
    assert "| well | 3 (1 to 9) | 7 (1 to 9) |" in lines


def test_metrics_that_all_rows_have_stand_side_by_side() -> None:
    figures = [
        _figure("covid-2", source, metric, 0.5)
        for source in ("CT", "X-ray") for metric in ("AUC", "accuracy")
    ]  # fmt: skip
    lines = details(figures)
    assert "| source | model | split | n (groups) | AUC | accuracy |" in lines
    assert _line(lines, "| X-ray") == (
        "| X-ray | m | test | 20 (10) | 0.500 (0.400 to 0.600) | 0.500 (0.400 to 0.600) |"
    )


def test_metrics_of_their_own_are_listed() -> None:
    figures = [_figure("series", f"s{i}", f"metric {i}", 0.5, low=NAN, high=NAN) for i in range(4)]
    lines = details(figures)
    assert "| s2 | m | test | 20 (10) | metric 2 | 0.500 | one group: none |" in lines


@pytest.mark.parametrize("split", ["validation", "trained on"])
def test_summary_is_of_unseen_groups_alone(split: str, tmp_path: Path) -> None:
    key = ("covid-2", "CT, all sources", "AUC")
    figures = [_figure(*key, 0.8), _figure(*key, 0.99, split=split)]
    page = markdown(figures, ModelStore(tmp_path), "command")
    summary = page[page.index("## Summary") : page.index("## Models")]
    assert (
        "| CT, COVID-19 v not: AUC | m | test | **0.800** | 0.700 to 0.900 | 20 (10) |" in summary
    )
    assert "0.990" not in summary


def test_page_of_folds_says_what_was_held_out() -> None:
    figure = _figure("segmentation", "medseg100, ggo", "Dice, mean over slices that have it", 0.7,
                     split="cross-validation")  # fmt: skip
    page = page_of_folds([figure], "tiny; folds held out: 0.")
    assert "tiny; folds held out: 0." in page
    assert "| CT, ground glass: Dice | m | cross-validation | **0.700** |" in page


def test_counts_of_what_lacks_a_class_stand_apart_and_without_decimals() -> None:
    lacks = "pictures that lack the class"
    figures = [
        _figure("manifestations", source, metric, value, low=NAN, high=NAN)
        for source in ("toy, GGO", "toy, Effusion")
        for metric, value in (("AUC", 0.75), (f"slices without it, {lacks}", 8.0),
                              (f"groups without it, {lacks}", 5.0))
    ]  # fmt: skip
    lines = details(figures)
    assert f"**P{lacks[1:]}**" in lines
    assert "| toy, GGO | m | test | 20 (10) | 8 | 5 |" in lines
    assert "| toy, GGO | m | test | 20 (10) | 0.750 |" in lines


def test_the_mean_of_the_manifestations_is_in_the_summary_of_both_splits(tmp_path: Path) -> None:
    key = ("manifestations", "toy, mean of the three", "AUC")
    figures = [_figure(*key, 0.9, split=POOLED), _figure(*key, 0.95, split="validation")]
    page = markdown(figures, ModelStore(tmp_path), "command")
    summary = page[page.index("## Summary") : page.index("## Models")]
    assert "| CT, manifestations: mean AUC | m | test and validation | **0.900** |" in summary
    assert "0.950" not in summary


def test_the_direction_of_the_slice_labels_is_said_of_the_figures() -> None:
    figures = [
        _figure("series", "s", f"AUC of lesion area, infected slices v not ({way} labels)", value)
        for way, value in (("asc", 0.6), ("desc", 0.9))
    ]
    assert any(line.startswith("The **desc** labels fit better") for line in details(figures))
    others = [_figure("series", "s", "probability of COVID-19", 0.6)]
    assert not any("labels fit" in line for line in details(others))


def test_summary_names_what_rows_that_read_alike_were_measured_on() -> None:
    one = Figure("evidence", "evidence", "CT, a, fitted without it (x)", "source left out", "AUC",
                 0.6, 0.5, 0.7, 10, 5)  # fmt: skip
    other = dataclasses.replace(one, source="CT, b, fitted without it (x)")
    both, alone = page_of_folds([one, other], ""), page_of_folds([one], "")
    words = "| CT, COVID-19 v not, a source left out: AUC"
    assert f"{words} (CT, a, fitted without it (x)) | evidence |" in both
    assert f"{words} | evidence |" in alone
