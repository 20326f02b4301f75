"""Heat is scored where masks say the evidence may lie, split by split, beside an even map's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from inference.models import ModelRecord, Split
from inference.networks.recognition import Recogniser
from inference.progress import Progress
from inference.training.evaluation import explanation
from inference.training.evaluation.figure import Figure, Job
from inference.training.manifest import read_manifest

SIDE = 60
LINES = "path,role,image_path,task,source,modality,label,split_group\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six X-rays of three groups with lung masks (a third of the width), and a CT with a lesion."""
    made = tmp_path_factory.mktemp("explained")
    chooser = np.random.default_rng(1)
    lungs = np.zeros((SIDE, SIDE), dtype=np.uint8)
    lungs[:, :20] = 1
    lungs[:, 50:] = 255
    lines = [LINES]
    for index in range(6):
        cv2.imwrite(str(made / f"x{index}.png"), chooser.integers(0, 255, (SIDE, SIDE)))
        cv2.imwrite(str(made / f"l{index}.png"), lungs)
        group = ("seen", "validation", "test")[index % 3]
        lines.append(f"x{index}.png,image,,cxr_classification,toy,CXR,covid19,{group}\n")
        lines.append(
            f"l{index}.png,mask,x{index}.png,cxr_lung_segmentation,toy,CXR,lungs,{group}\n"
        )
    lesion = np.where(lungs == 1, 2, 0).astype(np.uint8)
    cv2.imwrite(str(made / "m.png"), lesion)
    tail = "ct_segmentation,toy,CT,consolidation,test\n"
    lines += [f"x0.png,image,,{tail}", f"m.png,mask,x0.png,{tail}"]
    (made / "manifest.csv").write_text("".join(lines))
    return made


@pytest.fixture
def score(
    folder: Path, make_small_recogniser: Callable[[], Recogniser]
) -> Callable[..., dict[tuple[str, str, str], Figure]]:
    """Score the heatmaps of a small recogniser; figures by (source, split, metric)."""

    def run(heads: tuple[str, ...] = ("covid-2", "cxr-4")) -> dict[tuple[str, str, str], Figure]:
        record = ModelRecord(
            name="m", version="0", kind="recognition", architecture="",
            network={"heads": dict.fromkeys(heads, 2)}, size=24, file="", sha256="", bytes=0,
            recipe="", recipe_sha256="", data="", device="", steps=0, seconds=0.0,
            split=Split((), (), ("seen",), ("validation",)),
        )  # fmt: skip
        torch.manual_seed(0)
        network = make_small_recogniser().eval()
        engine = SimpleNamespace(
            network=lambda _record: network,
            device=torch.device("cpu"),
            store=SimpleNamespace(records=(record,)),
        )
        job = Job(
            read_manifest(folder), engine, frozenset({"test", "validation"}), "cpu", Progress()
        )  # type: ignore[arg-type]
        return {(f.source, f.split, f.metric): f for f in explanation.figures(job)}

    return run


def fake(monkeypatch: pytest.MonkeyPatch, *columns: float) -> None:
    """Let every map have these columns."""

    def evidence(_network: object, x: torch.Tensor, *_: object) -> np.ndarray:
        one = np.tile(np.array(columns, dtype=np.float32), (len(columns), 1))
        return np.repeat(one[None], len(x), axis=0)

    monkeypatch.setattr(explanation, "evidence", evidence)


LUNGS = "X-ray (toy), lungs"


def test_an_even_map_is_at_chance(score: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, 1.0, 1.0, 1.0)
    figures = score()
    for split in ("test", "validation"):
        # 20 of the 50 columns whose content is known are lung.
        assert figures[LUNGS, split, "heat inside"].value == pytest.approx(0.4)
        assert figures[LUNGS, split, "heat inside, even map (chance)"].value == pytest.approx(0.4)
        assert figures[LUNGS, split, "heat inside, above chance"].value == pytest.approx(0.0)
        assert figures[LUNGS, split, "pictures with most of the heat outside"].value == 1.0
        assert figures[LUNGS, split, "heat inside"].n == 2
        assert figures[LUNGS, split, "heat inside"].groups == 1


@pytest.mark.parametrize(("columns", "hit"), [((1.0, 0.0, -1.0), 1.0), ((-1.0, 0.0, 1.0), 0.0)])
def test_heat_is_scored_where_it_lies(
    score: Any, monkeypatch: pytest.MonkeyPatch, columns: tuple[float, ...], hit: float
) -> None:
    fake(monkeypatch, *columns)
    figures = score()
    assert figures[LUNGS, "test", "hottest point inside"].value == hit
    above = figures[LUNGS, "test", "heat inside, above chance"].value
    assert above > 0.3 if hit else above < -0.3
    assert figures[LUNGS, "test", "pictures with most of the heat outside"].value == 1.0 - hit


def test_pictures_without_heat_are_counted_and_not_scored(
    score: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, -1.0, -2.0)
    figures = score()
    assert figures[LUNGS, "test", "pictures without any heat"].value == 1.0
    assert (LUNGS, "test", "heat inside") not in figures


def test_groups_that_were_trained_on_are_left_out(score: Any) -> None:
    figures = score()
    assert {split for _, split, _ in figures} == {"test", "validation"}


def test_a_ct_recogniser_is_scored_on_lesions(score: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, 1.0, 1.0)
    figures = score(("covid-2",))
    source = "CT (toy), lesions"
    assert figures[source, "test", "heat inside"].value == pytest.approx(1 / 3)
    assert not any("X-ray" in name for name, _, _ in figures)
    assert (source, "test", "pictures with most of the heat outside") not in figures


def test_randomisation_is_reported_step_by_step(score: Any) -> None:
    names = {
        source: figure.value
        for (source, split, metric), figure in score().items()
        if split == "test" and metric.startswith("rank correlation")
    }
    assert [name.partition("randomised: ")[2] for name in names] == [
        "nothing, positions shuffled (chance)",
        "nothing, another picture's map",
        "down to heads",
        "down to third",
        "down to second",
        "down to first",
    ]
    assert all(0.0 <= value <= 1.0 for value in names.values())


def test_samples_are_evenly_spaced_and_fixed() -> None:
    assert explanation._spaced(5, 8).tolist() == [0, 1, 2, 3, 4]
    assert explanation._spaced(101, 5).tolist() == [0, 25, 50, 75, 100]
