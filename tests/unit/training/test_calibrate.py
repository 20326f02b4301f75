"""Temperatures are those that made the logits; bands hold; groups, not pictures, are counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from inference.calibration import Calibration, to_probabilities
from inference.commands.learning import register
from inference.engine import Engine
from inference.models import ModelRecord, ModelStore, Split
from inference.networks.factory import make_network
from inference.progress import Progress
from inference.training.calibrate import MIN_GROUPS, fit
from inference.training.evaluation.calibration import Sample, curves, figures
from inference.training.evaluation.figure import Job
from inference.training.manifest import read_manifest
from inference.training.reliability import (
    brier,
    ece,
    group_weights,
    log_loss,
    reliability_curve,
    wilson,
)


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval of the temperature is the slow part; 40 resamples are enough to see it."""
    monkeypatch.setattr("inference.training.calibrate.RESAMPLES", 40)


def _sample(
    logits: np.ndarray, truth: np.ndarray, groups: np.ndarray, *, exclusive: bool = True
) -> Sample:
    names = np.array([f"g{g}" for g in groups])
    said = np.array(["validation"] * len(names))
    return Sample("covid-2", "toys", exclusive, logits, truth, names, said, said)


def _drawn(
    seed: int, groups: int, temperature: float, offset: float = 0.0, classes: int = 2
) -> Sample:
    """Groups of one to four pictures; logits are `temperature` times those that are true."""
    chooser = np.random.default_rng(seed)
    owners = np.repeat(np.arange(groups), chooser.integers(1, 5, groups))
    true = chooser.normal(0, 2, (len(owners), classes))
    said = true * temperature
    true[:, 0] += offset
    chances = to_probabilities(true, exclusive=True)
    truth = np.array([chooser.multinomial(1, p / p.sum()) for p in chances], dtype=np.float64)
    return _sample(said, truth, owners)


def _is_best(found: Calibration, sample: Sample) -> bool:
    """Whether the log loss of the sample, a group as much as any, rises on either side.

    By a hundredth of the temperature, and by a hundredth of each offset that was fitted.
    """
    _, owners, sizes = np.unique(sample.groups, return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[owners]

    def loss(temperature: float, offsets: np.ndarray) -> float:
        scaled = sample.logits / temperature + offsets
        if sample.exclusive:
            said = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
            return float(-(weights * (sample.truth * said).sum(axis=1)).sum())
        signed = np.where(sample.truth == 1.0, scaled, -scaled)
        return float((weights * np.log1p(np.exp(-signed)).sum(axis=1)).sum())

    assert found.temperature is not None
    at, offsets = found.temperature, np.array(found.offsets)
    beside = [loss(at * factor, offsets) for factor in (0.99, 1.01)]
    # The last is 0 for all.
    for index in range(len(offsets) - 1 if offsets.any() else 0):
        for step in (-0.01, 0.01):
            moved = offsets.copy()
            moved[index] += step
            beside.append(loss(at, moved))
    return loss(at, offsets) < min(beside)


@pytest.mark.parametrize("temperature", [0.4, 2.5])
def test_a_known_temperature_is_found(temperature: float) -> None:
    sample = _drawn(1, 400, temperature)
    found = fit(sample, "w")
    assert _is_best(found, sample)
    # What 400 groups allow: their draw is off by this much, not the fit.
    assert found.temperature == pytest.approx(temperature, rel=0.03)
    assert found.temperature_low < temperature < found.temperature_high
    assert found.ece_after < found.ece_before


def test_offsets_are_found_where_they_are_needed_and_only_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("inference.training.calibrate.RESAMPLES", 1)
    sample = _drawn(2, 3000, 1.5, offset=-2.0, classes=4)
    shifted = fit(sample, "w")
    assert _is_best(shifted, sample)
    assert shifted.temperature == pytest.approx(1.5, rel=0.01)
    assert shifted.offsets == pytest.approx((-2.0, 0.0, 0.0, 0.0), abs=0.05)
    plain = fit(_drawn(3, 400, 3.0), "w")
    assert np.abs(plain.offsets).max() < 0.15


def test_what_is_right_already_is_left_alone() -> None:
    found = fit(_drawn(4, 300, 1.0), "w")
    assert found.temperature == pytest.approx(1.0, abs=0.15)


def test_too_few_groups_are_not_calibrated_and_it_is_said() -> None:
    found = fit(_drawn(5, MIN_GROUPS - 1, 2.0), "w")
    assert found.temperature is None
    assert found.ece_after is None
    assert found.curves == ()
    assert f"{MIN_GROUPS - 1} validation groups are too few" in found.basis


def test_groups_count_once_however_many_pictures_they_have() -> None:
    sample = _drawn(6, 60, 2.0)
    order = np.flatnonzero(sample.groups == sample.groups[0])
    doubled = sample.at(np.concatenate([np.arange(len(sample.groups)), *[order] * 50]))
    once, often = fit(sample, "w"), fit(doubled, "w")
    assert often.temperature == pytest.approx(once.temperature, rel=0.02)
    assert often.groups == once.groups


def test_two_classes_and_sigmoids_keep_their_order() -> None:
    sample = _drawn(7, 120, 2.0, offset=-1.5)
    found = fit(sample, "w")
    assert found.offsets[0] != 0.0
    raw = to_probabilities(sample.logits, exclusive=True)[:, 0]
    after = to_probabilities(sample.logits, found, exclusive=True)[:, 0]
    assert not np.allclose(raw, after)
    truth = sample.truth[:, 0]
    assert roc_auc_score(truth, after) == roc_auc_score(truth, raw)

    chooser = np.random.default_rng(8)
    logits = chooser.normal(0, 3, (1500, 3))
    chances = to_probabilities(logits / 2, exclusive=False)
    truth = (chooser.random(chances.shape) < chances).astype(float)
    three = _sample(logits, truth, np.arange(1500), exclusive=False)
    shared = fit(three, "w")
    assert _is_best(shared, three)
    assert shared.temperature == pytest.approx(2.0, rel=0.05)
    assert shared.offsets == (0.0, 0.0, 0.0)
    assert len(shared.curves) == 1
    after = to_probabilities(logits, shared, exclusive=False)
    for column in range(3):
        before = roc_auc_score(truth[:, column], logits[:, column])
        assert roc_auc_score(truth[:, column], after[:, column]) == before


def test_the_band_covers_the_truth_at_about_its_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups share their label; P(label | value) is then known in closed form."""
    monkeypatch.setattr("inference.training.calibrate.RESAMPLES", 1)
    covered = []
    for seed in range(16):
        chooser = np.random.default_rng(100 + seed)
        label = chooser.random(80) < 0.5
        owners = np.repeat(np.arange(80), chooser.integers(1, 4, 80))
        # Of each group one height, of each picture a little noise; together variance 1.
        height = chooser.normal(0, np.sqrt(0.8), 80)[owners]
        z = (
            np.where(label[owners], 0.8, -0.8)
            + height
            + chooser.normal(0, np.sqrt(0.2), owners.size)
        )
        logits = np.stack([3.0 * z, np.zeros_like(z)], axis=1)  # too sure by 3 / 1.6
        truth = np.stack([label[owners], ~label[owners]], axis=1).astype(np.float64)
        found = fit(_sample(logits, truth, owners), "w")
        points = np.array([-1.5, -0.75, 0.0, 0.75, 1.5])
        true = 1.0 / (1.0 + np.exp(-1.6 * points))
        said = to_probabilities(np.stack([3.0 * points, 0 * points], axis=1), found, exclusive=True)
        for chance, values in zip(true, said, strict=True):
            low, high = found.bands(values)[0]
            covered.append(low <= chance <= high)
    assert 0.90 <= np.mean(covered) <= 0.995


def test_ece_by_hand() -> None:
    weights = np.full(4, 0.25)
    value = np.array([0.2, 0.2, 0.8, 0.8])
    assert ece(value, np.array([0.0, 0.0, 1.0, 1.0]), weights, bins=2) == pytest.approx(0.2)
    assert ece(value, np.array([1.0, 1.0, 0.0, 0.0]), weights, bins=2) == pytest.approx(0.8)
    # Too high in one bin does not make up for too low in the other.
    assert ece(value, np.array([0.0, 1.0, 0.0, 1.0]), weights, bins=2) == pytest.approx(0.3)
    assert ece(value, np.array([0.0, 1.0, 0.0, 1.0]), weights, bins=1) == pytest.approx(0.0)
    # A picture of half the weight counts half: bins of weight 0.5 are {1/4, 1/4} and {1/2}.
    uneven = np.array([0.25, 0.25, 0.5])
    said, true = np.array([0.1, 0.3, 0.9]), np.array([0.0, 0.0, 0.0])
    assert ece(said, true, uneven, bins=2) == pytest.approx(0.25 * 0.4 + 0.5 * 0.9)


def test_brier_and_log_loss_by_hand() -> None:
    said, truth = np.array([[0.8, 0.2], [0.5, 0.5]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    weights = np.array([0.75, 0.25])
    assert brier(said, truth, weights) == pytest.approx(0.75 * 0.08 + 0.25 * 0.5)
    expected = -(0.75 * np.log(0.8) + 0.25 * np.log(0.5))
    assert log_loss(said, truth, weights, exclusive=True) == pytest.approx(expected)
    alone = -(0.75 * 2 * np.log(0.8) + 0.25 * 2 * np.log(0.5))
    assert log_loss(said, truth, weights, exclusive=False) == pytest.approx(alone)


def test_wilson_has_its_published_values() -> None:
    # Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29.
    for k, n, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605),
                            (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)):  # fmt: skip
        assert wilson(k / n, n) == pytest.approx((low, high), abs=5e-5)


def test_a_curve_counts_groups_and_rises() -> None:
    value = np.array([0.1, 0.1, 0.1, 0.2, 0.9, 0.8])
    truth = np.array([1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    groups = np.array(["a", "a", "a", "b", "c", "d"])
    first, second = reliability_curve(value, truth, groups, bins=2)
    assert (first.n, first.groups, first.observed) == (4, 2, 0.5)
    assert first.value == pytest.approx(0.15)
    assert (second.n, second.groups, second.value) == (2, 2, pytest.approx(0.85))
    assert (first.low, first.high) == wilson(0.5, 2)
    # 47 weights of 1 / 47 add to a little more than one.
    (all_true,) = reliability_curve(np.full(47, 0.5), np.ones(47), np.arange(47).astype(str), 1)
    assert all_true.low < all_true.observed <= all_true.high == 1.0
    assert group_weights(groups) == pytest.approx([1 / 12] * 3 + [1 / 4] * 3)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, lesion_folder: Path) -> ModelStore:
    """A labeller with random weights that has trained on nothing: all groups are validation."""
    folder = tmp_path_factory.mktemp("tiny")
    settings = {"size": 32, "blocks": 2, "kernels": 4}
    torch.manual_seed(1)
    network = make_network("manifestations", settings)
    save_file(network.half().state_dict(), folder / "w.safetensors")
    groups = tuple(sorted({r.group for r in read_manifest(lesion_folder)}))
    store = ModelStore(folder / "store")
    store.install(
        folder / "w.safetensors",
        ModelRecord(
            name="manifestations", version="1", kind="manifestations", architecture="ML-CNN",
            network=settings, size=32, file="", sha256="", bytes=0, recipe="", recipe_sha256="",
            data="nothing", device="cpu", steps=0, seconds=0.0, split=Split((), (), (), groups),
        ),
    )  # fmt: skip
    return store


def test_the_command_enters_what_it_found(
    tiny: ModelStore, lesion_folder: Path, tmp_path: Path
) -> None:
    app = typer.Typer()
    register(app)
    arguments = ["calibrate", str(lesion_folder), "--models", str(tiny.folder), "--device", "cpu"]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    assert ModelStore(tiny.folder).records[0].calibrations == (), "only --enter writes"
    done = CliRunner().invoke(app, [*arguments, "--enter"], catch_exceptions=False)
    assert "entered in" in done.output
    (record,) = ModelStore(tiny.folder).records
    (found,) = record.calibrations
    assert record.calibration("manifestations") == found
    assert (found.n, found.groups, found.data) == (40, 20, "toy 40")
    assert found.temperature is not None
    other = replace(record, sha256="other")
    assert other.calibration("manifestations") is None
    assert "other weights" in other.why_not_calibrated("manifestations")

    engine = Engine(ModelStore(tiny.folder), "cpu", precision="float32")
    job = Job(read_manifest(lesion_folder), engine, frozenset({"validation"}), "cpu", Progress())
    metrics = {f.metric for f in figures(job)}
    assert metrics == {
        f"{name}, {when}"
        for name in ("ECE", "Brier score", "log loss")
        for when in ("before", "after")
    }
    drawn = curves(job)
    assert [c.calibrated for c in drawn] == [False, True]
    assert {c.class_name for c in drawn} == {"all"}
    assert json.loads(json.dumps([b.observed for b in drawn[1].bins]))


def test_new_weights_lose_the_calibration(tiny: ModelStore, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    (record,) = tiny.records
    found = fit(_drawn(9, 30, 2.0), record.sha256)
    kept = replace(record, calibrations=(replace(found, task="manifestations"),))
    store.write([kept])
    assert ModelStore(store.folder).find(record.name).calibration("manifestations") is not None
    torch.manual_seed(2)
    network = make_network("manifestations", record.network)
    save_file(network.half().state_dict(), tmp_path / "new.safetensors")
    store.install(tmp_path / "new.safetensors", kept)
    (changed,) = ModelStore(store.folder).records
    assert changed.calibrations
    assert changed.calibration("manifestations") is None
