"""The detector's pictures are what they are said to be, and it learns from them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from inference.models import ModelStore
from inference.training.datasets import build
from inference.training.domain import odd_pictures, with_thresholds
from inference.training.evaluation.run import evaluate
from inference.training.install import describe
from inference.training.loop import train
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.metrics import bootstrap
from inference.training.oddities import DERIVED, MADE, project
from inference.training.recipe import AugmentSettings, DataSettings, Recipe
from tests.unit.training.conftest import HEADER


def _xray(chooser: np.random.Generator) -> np.ndarray:
    """Two dark lungs beside a bright spine, and a bright abdomen."""
    canvas = np.full((96, 96), 190, dtype=np.uint8)
    for column in (28, 68):
        axes = int(chooser.integers(12, 18)), int(chooser.integers(24, 30))
        cv2.ellipse(canvas, (column, 42), axes, 0, 0, 360, 60, cv2.FILLED)
    return _noisy(canvas, chooser)


def _slice(chooser: np.random.Generator) -> np.ndarray:
    """A bright oval on black with two dark lungs."""
    canvas = np.zeros((96, 96), dtype=np.uint8)
    cv2.ellipse(canvas, (48, 48), (44, 32), 0, 0, 360, 220, cv2.FILLED)
    for column in (30, 66):
        axes = int(chooser.integers(10, 14)), int(chooser.integers(18, 22))
        cv2.ellipse(canvas, (column, 46), axes, 0, 0, 360, 40, cv2.FILLED)
    cv2.circle(canvas, (48, 70), 5, 255, cv2.FILLED)
    return _noisy(canvas, chooser)


def _noisy(canvas: np.ndarray, chooser: np.random.Generator) -> np.ndarray:
    return np.clip(canvas + chooser.normal(0, 6, canvas.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def chest_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 X-rays and 40 CT slices of 80 groups."""
    folder = tmp_path_factory.mktemp("chests")
    chooser = np.random.default_rng(8)
    lines = [HEADER]
    for index in range(40):
        cv2.imwrite(str(folder / f"x{index}.png"), _xray(chooser))
        cv2.imwrite(str(folder / f"c{index}.png"), _slice(chooser))
        lines.append(f"x{index}.png,image,,cxr_classification,toy,CXR,normal,x{index}\n")
        lines.append(f"c{index}.png,image,,ct_classification,toy,CT,noncovid,c{index}\n")
    (folder / "manifest.csv").write_text("".join(lines))
    return folder


def _recipe(steps: int) -> Recipe:
    return Recipe(
        name="domain", kind="domain", seed=1, size=32, steps=steps, batch=24, learning_rate=3e-3,
        warmup=5, ema=0.9, network={"size": 32, "channels": [8, 16, 16], "hidden": 16},
        data=DataSettings(train_folds=(0, 1, 2), validation_folds=(3,)), precision="float32",
        augment=AugmentSettings(rotation=4, shear=0, scale=0.05, shift=0.02, gamma=0.1,
                                contrast=0.1, brightness=0.02, noise=0.01, blur=0),
        sha256="test",
    )  # fmt: skip


def test_the_detector_beats_chance_on_unseen_groups(
    chest_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.training.domain.ODD_EACH", 8)
    monkeypatch.setattr("inference.training.evaluation.domain.ODD_EACH", 3)
    monkeypatch.setattr(
        "inference.training.evaluation.figure.bootstrap", partial(bootstrap, resamples=20)
    )
    recipe = _recipe(50)
    rows = read_manifest(chest_folder)
    folds = fold_of_groups(rows)
    data = build(rows, recipe, folds, recipe.data.train_folds)
    drawn = data.weights @ data.targets["domain"]
    assert drawn == pytest.approx([1 / 3] * 3, abs=1e-6), "classes are drawn alike"
    result = train(recipe, data, tmp_path / "run", device="cpu", quiet=True)
    record = describe(recipe, data, folds, result)
    record = with_thresholds(record, result.weights, rows, recipe, folds)
    assert set(record.thresholds) == {"CXR", "CT"}
    store = ModelStore(tmp_path / "store")
    store.install(result.weights, record)
    assert ModelStore(store.folder).find("domain").thresholds == record.thresholds
    figures = evaluate(rows, store, tasks=["domain"], device="cpu")
    values = {(f.task, f.source): f.value for f in figures if f.split == "test"}
    assert values["domain, chest", "CXR, toy"] <= 0.2
    assert values["domain, chest", "CT, toy"] <= 0.2
    assert values["domain, odd", "CXR said to be CT"] >= 0.8
    assert values["domain, odd", "inverted"] >= 0.8
    made = [values["domain, odd", kind] for kind in MADE]
    assert np.mean(made) >= 0.8
    assert {f.groups for f in figures if f.source == "CXR, toy"} == {8}


def test_odd_pictures_repeat_and_belong_to_their_group(chest_folder: Path) -> None:
    rows = read_manifest(chest_folder)
    first, again = (list(odd_pictures(rows, 5, each=2)) for _ in range(2))
    assert len(first) == 2 * (len(DERIVED) + len(MADE))
    assert {p.source for p in first} == {*DERIVED, *MADE}
    assert all(np.array_equal(a.picture, b.picture) for a, b in zip(first, again, strict=True))
    assert {p.kind for p in first} == {"other"}
    own = {r.group for r in rows}
    assert all((p.group in own) == (p.source in DERIVED) for p in first)
    other = list(odd_pictures(rows, 6, each=2))
    assert any(not np.array_equal(a.picture, b.picture) for a, b in zip(first, other, strict=True))


def test_projections_show_the_body_from_the_front_and_from_the_side() -> None:
    rows, columns = np.ogrid[:64, :64]
    array = np.full((20, 64, 64), -1000, dtype=np.int16)
    array[:, ((rows - 32) / 12) ** 2 + ((columns - 32) / 28) ** 2 < 1] = 40
    array[10:, ((rows - 32) / 8) ** 2 + ((columns - 20) / 6) ** 2 < 1] = -850  # one lung, above
    spacing = (10.0, 5.0, 5.0)
    front, side = project(array, spacing, 0.0), project(array, spacing, 90.0)
    assert front.shape[0] == side.shape[0] == 100, "20 slices of 10 mm in pixels of 2 mm"
    assert front.shape[1] > 2 * side.shape[1]
    half = front.shape[1] // 2
    upper, lower = front[:45], front[55:]
    assert upper[:, :half].mean() < upper[:, half:].mean() - 20, "the lung is dark, on its side"
    assert abs(float(lower[:, :half].mean()) - float(lower[:, half:].mean())) < 10, "head up"
