"""The streams as a second estimate, and slice labels whose direction is not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from inference.findings import Findings, Manifestation
from inference.progress import Progress
from inference.training.evaluation import manifestations, series
from inference.training.evaluation.figure import POOLED, Figure
from inference.training.evaluation.scores import Scores
from inference.training.evaluation.streams_estimate import (
    LEAST_AREA,
    SCORES,
    choices,
    choose,
    chosen,
)
from inference.training.manifest import Row


def _row(index: int) -> Row:
    path = Path(f"{index}.png")
    return Row(path, "image", None, "ct_segmentation", "toy", "CT", "", f"g{index}")


def _scores(splits: list[str], truth: np.ndarray, **values: np.ndarray) -> Scores:
    given = {name.replace("_", " "): value for name, value in values.items()}
    rows = tuple(_row(i) for i in range(len(splits)))
    return Scores(rows, np.array(splits), {"truth": truth, **given})


TRUTH = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]], dtype=bool)
RIGHT = np.where(TRUTH, 0.9, 0.1)


def test_a_map_is_scored_by_its_area_or_by_its_highest_pixels() -> None:
    maps = np.zeros((3, 100, 100), dtype=np.float32)
    maps[1, 0, :10] = 0.9
    maps[2, :50] = 1.0
    area = SCORES["area"](maps)
    assert area[0] == 0
    assert area[1] == pytest.approx(0.5), "10 of 10,000 pixels are the least area"
    assert area[2] == pytest.approx(0.5 / (0.5 + LEAST_AREA))
    assert SCORES["highest 0.1 %"](maps) == pytest.approx([0.0, 0.9, 1.0])
    assert SCORES["highest 1 %"](maps) == pytest.approx([0.0, 0.09, 1.0])


def test_the_score_is_chosen_on_validation_groups_alone() -> None:
    wrong = 1 - RIGHT
    both = {name: np.concatenate([RIGHT, wrong]) for name in SCORES}
    best = "highest 1 %"
    both[best] = np.concatenate([wrong, RIGHT])
    splits = ["test"] * 4 + ["validation"] * 4
    found = {"streams (a)": _scores(splits, np.concatenate([TRUTH, TRUTH]))}
    found["streams (a)"].values.update(both)
    assert choose(found) == best
    (name, scores), *rest = chosen(found).items()
    assert (name, rest) == (f"streams (a), {best}", [])
    assert scores.values["probability"] is both[best]
    told = {f.metric: (f.value, f.split) for f in choices(found)}
    assert told[f"{best}, mean AUC by score"] == (1.0, "validation")
    assert told["area, mean AUC by score"] == (0.0, "validation")


def test_without_validation_the_first_score_is_taken() -> None:
    values = dict.fromkeys(SCORES, RIGHT)
    found = {"streams (a)": _scores(["test"] * 4, TRUTH)}
    found["streams (a)"].values.update(values)
    assert choose(found) == next(iter(SCORES))
    assert choices(found) == []


def test_what_a_class_lacks_is_counted_and_both_splits_are_pooled() -> None:
    truth = np.concatenate([TRUTH, TRUTH])
    truth[:4, 0] = True
    scores = _scores(
        ["test"] * 4 + ["validation"] * 4, truth, probability=np.where(truth, 0.9, 0.1)
    )
    found = {(f.source, f.split, f.metric): f.value for f in manifestations.summarise("m", scores)}
    lacks = "slices without it, pictures that lack the class"
    assert found["toy, GGO", "test", lacks] == 0
    assert found["toy, GGO", POOLED, lacks] == 2
    assert ("toy, GGO", "test", "AUC") not in found
    assert ("toy, mean of the three", "test", "AUC") not in found
    assert found["toy, mean of the three", POOLED, "AUC"] == 1.0


def test_one_split_alone_is_not_pooled() -> None:
    scores = _scores(["test"] * 4, TRUTH, probability=RIGHT)
    assert {f.split for f in manifestations.summarise("m", scores)} == {"test"}


def _findings(effusion: int = 0) -> Findings:
    """Six slices of which the last is not analysed; lesions grow with the slice's number."""
    per_slice = np.full((6, 3), np.nan, np.float32)
    per_slice[:5] = np.linspace(0.1, 0.5, 5)[:, np.newaxis]
    per_slice[:5, 2] = 0.99
    names = tuple(key.value for key in Manifestation)
    area = np.arange(6) * 10
    segments = [
        SimpleNamespace(key=Manifestation.GGO, model="streams", pixels_per_slice=area),
        SimpleNamespace(key=Manifestation.CONSOLIDATION, model="streams", pixels_per_slice=area),
        SimpleNamespace(
            key=Manifestation.EFFUSION, model="streams", pixels_per_slice=effusion * area[::-1]
        ),
    ]
    estimate = SimpleNamespace(model="ml-cnn", keys=names, per_slice=per_slice)
    analysed = np.arange(6) < 5
    found: Any = SimpleNamespace(
        segments=segments, analysed=analysed, estimate=lambda _task: estimate
    )
    return cast(Findings, found)


def _labels(asc: str, desc: str) -> list[str]:
    return [
        f"covid19;slice_label_asc={a};slice_label_desc={d}" for a, d in zip(asc, desc, strict=True)
    ]


@pytest.mark.parametrize("effusion", [0, 9])
def test_each_direction_of_the_labels_and_their_agreement_are_scored(effusion: int) -> None:
    found = series._slice_agreement(_findings(effusion), _labels("110010", "010011"))
    values = {(model, metric.rpartition("(")[2].rstrip(")")): v for model, metric, v in found}
    # Of the five analysed slices asc calls 0, 1 and 4 infected, desc 1 and 4.
    for model in ("ml-cnn", "streams"):
        assert values[model, "asc labels"] == pytest.approx(2 / 6)
        assert values[model, "desc labels"] == pytest.approx(4 / 6)
        assert values[model, "slices labelled alike both ways"] == pytest.approx(2 / 4)


@pytest.mark.parametrize("beside", [False, True], ids=["in full", "from the folder beside"])
def test_slices_find_their_labels_however_the_folder_is_named(
    write_ct: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, *, beside: bool
) -> None:
    folder = write_ct(slices=6)
    monkeypatch.chdir(folder.parent)
    place = Path("..") / folder.parent.name / folder.name if beside else folder
    words = _labels("110010", "010011")
    rows = [
        SimpleNamespace(task="dicom_ct_series", role="dicom", group="g", source="toy", label=label,
                        path=place / f"{number:03}.dcm")
        for number, label in enumerate(words)
    ]  # fmt: skip
    seen: list[Sequence[str]] = []
    found: Any = SimpleNamespace(estimates=(), segments=(), analysed=np.ones(6, bool))
    system = SimpleNamespace(analyse=lambda *_: found)
    monkeypatch.setattr("inference.systems.elbana.ElBana", lambda *_, **__: system)
    monkeypatch.setattr(series, "_slice_agreement", lambda _found, given: seen.append(given) or [])
    job: Any = SimpleNamespace(
        rows=rows, store=None, device="cpu", progress=Progress(), of_kind=lambda _kind: ["one"]
    )
    assert series.figures(job) == []
    assert seen == [words]


def test_a_series_without_slice_labels_is_not_scored() -> None:
    assert series._slice_agreement(_findings(), ["normal"] * 6) == []


def test_the_page_says_which_direction_fits_and_that_it_is_inferred() -> None:
    nan = float("nan")

    def figure(way: str, value: float, split: str = "test") -> Figure:
        metric = f"AUC of lesion area, infected slices v not ({way} labels)"
        return Figure("series", "m", "s", split, metric, value, nan, nan, 5, 1)

    figures = [figure("asc", 0.9), figure("desc", 0.7), figure("asc", 0.5), figure("desc", 0.6),
               figure("asc", 0.1, "trained on"), figure("desc", 0.9, "trained on")]  # fmt: skip
    said = series.remark(figures)
    assert "The **asc** labels fit better: in 1 of 2 comparisons" in said
    assert "mean AUC of 0.700 against 0.650" in said
    assert "inference" in said
    assert series.remark([]) == ""
