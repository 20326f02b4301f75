"""Training learns, resumes exactly, and evaluation never scores what was trained on as unseen."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.errors import BadInputError
from inference.model_cards import card
from inference.models import ModelStore
from inference.training import loop
from inference.training.datasets import balanced, build
from inference.training.evaluation.figure import POOLED, Figure
from inference.training.evaluation.run import evaluate
from inference.training.install import describe
from inference.training.loop import train
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.page import markdown
from inference.training.recipe import AugmentSettings, DataSettings, Recipe
from inference.training.report import enter_figures, write_json

MILD = AugmentSettings(rotation=4, shear=0, scale=0.05, shift=0.02, gamma=0.1, contrast=0.1,
                       brightness=0.02, noise=0.01, blur=0)  # fmt: skip
SPLIT = DataSettings(train_folds=(0, 1, 2), validation_folds=(3,))
LIGHT = {"encoder": "resnet18", "depth": 3, "decoder_channels": 32}


def _recipe(kind: str, **changes: object) -> Recipe:
    networks = {
        "recognition": {"heads": {"covid-2": 2, "cxr-4": 4}},
        "manifestations": {"size": 64, "blocks": 3, "kernels": 16},
        "streams": {
            "form": "shared", "streams": {"ggo": 1, "consolidation": 1, "effusion": 1}, **LIGHT,
        },
    }  # fmt: skip
    values: dict[str, object] = {
        "name": kind, "kind": kind, "seed": 1, "size": 64, "steps": 4, "batch": 8,
        "learning_rate": 2e-3, "warmup": 5, "ema": 0.9, "network": networks[kind], "data": SPLIT,
        "augment": MILD, "precision": "float32", "sha256": "test",
    }  # fmt: skip
    return Recipe(**(values | changes))  # type: ignore[arg-type]


def _learn(folder: Path, recipe: Recipe, out: Path) -> tuple[ModelStore, list[Figure]]:
    rows = read_manifest(folder)
    folds = fold_of_groups(rows)
    data = build(rows, recipe, folds, recipe.data.train_folds)
    result = train(recipe, data, out / "run", device="cpu", quiet=True)
    store = ModelStore(out / "store")
    store.install(result.weights, describe(recipe, data, folds, result))
    return store, evaluate(rows, store, tasks=["recognition", "manifestations", "segmentation"],
                           device="cpu")  # fmt: skip


def _value(figures: list[Figure], source: str, metric: str, split: str = "test") -> float:
    return next(
        f.value for f in figures
        if f.source == source and f.metric == metric and f.split == split
    )  # fmt: skip


def test_streams_beat_chance_on_unseen_groups(lesion_folder: Path, tmp_path: Path) -> None:
    _, figures = _learn(lesion_folder, _recipe("streams", steps=60), tmp_path)
    metric = "Dice, mean over slices that have it"
    for name in ("ggo", "consolidation", "effusion"):
        assert _value(figures, f"toy, {name}", metric) > 0.6, name


def test_ml_cnn_beats_chance_on_unseen_groups(lesion_folder: Path, tmp_path: Path) -> None:
    _, figures = _learn(lesion_folder, _recipe("manifestations", steps=250, batch=16), tmp_path)
    areas = [f.value for f in figures if f.metric == "AUC"]
    assert np.mean(areas) > 0.8


def test_recogniser_beats_chance_on_unseen_groups(xray_folder: Path, tmp_path: Path) -> None:
    recipe = _recipe("recognition", size=96, steps=30, batch=12)
    store, figures = _learn(xray_folder, recipe, tmp_path)
    assert _value(figures, "X-ray, COVID-19 v all others", "AUC") > 0.8
    page = markdown(figures, store, "command")
    assert "Inception-v3, heads covid-2, cxr-4" in page
    write_json(figures, tmp_path / "f.json")
    first = json.loads((tmp_path / "f.json").read_text())[0]
    assert {"task", "model", "source", "metric", "value", "low", "high", "n", "groups"} <= set(
        first
    )


def test_trained_groups_are_left_out_or_marked(lesion_folder: Path, tmp_path: Path) -> None:
    store, figures = _learn(lesion_folder, _recipe("streams", steps=1), tmp_path)
    rows = read_manifest(lesion_folder)
    folds = fold_of_groups(rows)
    unseen = {g for g, fold in folds.items() if fold not in SPLIT.train_folds}
    assert {f.split for f in figures} == {"test", "validation", POOLED}
    scored = {f.split: f.groups for f in figures if "all slices" in f.metric}
    assert sum(scored.values()) == len(unseen)
    marked = evaluate(rows, store, tasks=["segmentation"], everything=True, device="cpu")
    trained = [f for f in marked if f.split == "trained on" and "all slices" in f.metric]
    assert {f.groups for f in trained} == {len(folds) - len(unseen)}


def test_figures_are_entered_in_the_manifest(lesion_folder: Path, tmp_path: Path) -> None:
    store, figures = _learn(lesion_folder, _recipe("streams", steps=1), tmp_path)
    enter_figures(figures, store)
    (record,) = ModelStore(store.folder).records
    assert {f["split"] for f in record.figures} == {"test"}
    own = [f for f in figures if f.model == "streams (shared)"]
    assert len(record.figures) == sum(f.split == "test" for f in own)
    masks = {f.model for f in figures if f.task == "segmentation"}
    assert masks == {"streams (shared)", "streams (shared), as shown"}
    assert "| segmentation | toy, ggo | Dice, pooled pixels |" in card(record)
    enter_figures(figures, store)
    assert len(ModelStore(store.folder).records[0].figures) == len(record.figures)


def test_nothing_unseen_is_said(lesion_folder: Path, tmp_path: Path) -> None:
    store, _ = _learn(lesion_folder, _recipe("streams", steps=1), tmp_path)
    rows = read_manifest(lesion_folder)
    trained = store.records[0].split.trained_groups
    with pytest.raises(BadInputError, match="Nothing could be scored"):
        evaluate([r for r in rows if r.group in trained], store, tasks=["segmentation"])


def test_unknown_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="Unknown task poetry"):
        evaluate([], ModelStore(tmp_path), tasks=["poetry"])


def test_resumed_run_equals_an_uninterrupted_one(lesion_folder: Path, tmp_path: Path) -> None:
    recipe = _recipe("manifestations", steps=6, checkpoint_every=3)
    rows = read_manifest(lesion_folder)
    data = build(rows, recipe, fold_of_groups(rows), (0, 1, 2))
    whole = train(recipe, data, tmp_path / "whole", device="cpu", quiet=True)

    class PowerCutError(Exception):
        pass

    real = loop._batch

    def cut(data_: object, recipe_: Recipe, step: int, device: torch.device) -> object:
        if step == 4:
            raise PowerCutError
        return real(data_, recipe_, step, device)  # type: ignore[arg-type]

    with patch.object(loop, "_batch", cut), pytest.raises(PowerCutError):
        train(recipe, data, tmp_path / "cut", device="cpu", quiet=True)
    resumed = train(recipe, data, tmp_path / "cut", device="cpu", resume=True, quiet=True)
    first, second = load_file(whole.weights), load_file(resumed.weights)
    assert all(torch.equal(first[k], second[k]) for k in first)
    log = (tmp_path / "cut" / "log.csv").read_text().splitlines()
    assert log[0].startswith("step,loss")


def test_resuming_another_recipe_is_refused(lesion_folder: Path, tmp_path: Path) -> None:
    recipe = _recipe("manifestations", steps=2, checkpoint_every=1)
    rows = read_manifest(lesion_folder)
    data = build(rows, recipe, fold_of_groups(rows), (0,))
    train(recipe, data, tmp_path, device="cpu", quiet=True)
    other = dataclasses.replace(recipe, sha256="other")
    with pytest.raises(BadInputError, match="run of another recipe"):
        train(other, data, tmp_path, device="cpu", resume=True, quiet=True)


def test_weights_are_taken_over_from_a_file(lesion_folder: Path, tmp_path: Path) -> None:
    recipe = _recipe("manifestations", steps=1, learning_rate=1e-12, ema=0.0)
    rows = read_manifest(lesion_folder)
    data = build(rows, recipe, fold_of_groups(rows), (0,))
    first = train(recipe, data, tmp_path / "a", device="cpu", quiet=True)
    other = dataclasses.replace(recipe, seed=9)
    second = train(other, data, tmp_path / "b", device="cpu", init=str(first.weights), quiet=True)
    a, b = load_file(first.weights), load_file(second.weights)
    assert all(torch.allclose(a[k], b[k], atol=1e-3) for k in a)
    save_file({"nothing": torch.zeros(1)}, tmp_path / "n.safetensors")
    with pytest.raises(BadInputError, match="no tensor in common"):
        train(recipe, data, tmp_path / "c", init=str(tmp_path / "n.safetensors"), quiet=True)
    with pytest.raises(BadInputError, match="safetensors file"):
        train(recipe, data, tmp_path / "d", init="nowhere", quiet=True)


def test_a_fold_without_rows_is_said(xray_folder: Path) -> None:
    rows = read_manifest(xray_folder)
    with pytest.raises(BadInputError, match="has no rows for recipe streams"):
        build(rows, _recipe("streams"), fold_of_groups(rows), (0,))


def test_rare_strata_are_neither_drowned_nor_learned_by_heart() -> None:
    classes = ["a"] * 104 + ["b"] * 25
    strata = ["large"] * 100 + ["small"] * 4 + ["only"] * 25
    weights = balanced(classes, strata)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[:104].sum() == pytest.approx(weights[104:].sum())
    assert weights[:100].sum() / weights[100:104].sum() == pytest.approx(10 / 2)


def test_undersampling_keeps_as_many_of_each_modality(xray_folder: Path, tmp_path: Path) -> None:
    lines = (xray_folder / "manifest.csv").read_text().splitlines()
    few = [line.replace("cxr_classification,toy,CXR", "ct_classification,toy,CT")
           for line in lines[1:31]]  # fmt: skip
    others = lines[31:]
    table = [lines[0], *(f"{xray_folder}/{line}" for line in few + others)]
    (tmp_path / "manifest.csv").write_text("\n".join(table))
    rows = read_manifest(tmp_path)
    recipe = _recipe("recognition", size=32)
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, undersample=True))
    data = build(rows, recipe, fold_of_groups(rows), range(5))
    again = build(rows, recipe, fold_of_groups(rows), range(5))
    assert len(data) == 2 * len(few)
    assert data.groups == again.groups
    np.testing.assert_allclose(data.weights, 1 / len(data))
