"""Group DRO learns most from what is served worst."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
import torch.nn.functional as nnf
from safetensors.torch import load_file

from inference.networks.recognition import Recogniser
from inference.training import loop
from inference.training.datasets import build
from inference.training.loop import train
from inference.training.losses import recognition_loss, recognition_losses
from inference.training.manifest import fold_of_groups, read_manifest
from inference.training.recipe import AugmentSettings, DataSettings, LossSettings, Recipe
from inference.training.worst_groups import GROUPS, WorstGroups, members


def test_members_are_rows_of_groups() -> None:
    assert members(["b", "a", "b"]).tolist() == [[0, 1], [1, 0], [0, 1]]


class TestLossesOfPictures:
    """They add up to the loss of the batch."""

    def test_mean_is_the_loss(self) -> None:
        logits = {"covid-2": torch.randn(6, 2), "cxr-4": torch.randn(6, 4)}
        targets = {
            "covid-2": torch.softmax(torch.randn(6, 2), 1),
            "cxr-4": torch.softmax(torch.randn(6, 4), 1),
        }
        losses = recognition_losses(logits, targets)
        assert losses.shape == (6,)
        torch.testing.assert_close(losses.mean(), recognition_loss(logits, targets))

    def test_unknown_labels_add_nothing(self) -> None:
        logits = {"covid-2": torch.randn(3, 2), "cxr-4": torch.randn(3, 4, requires_grad=True)}
        targets = {
            "covid-2": torch.eye(2)[[0, 1, 0]],
            "cxr-4": torch.full((3, 4), float("nan")),
        }
        alone = recognition_losses({"covid-2": logits["covid-2"]}, targets)
        both = recognition_losses(logits, targets)
        torch.testing.assert_close(both, alone)
        both.sum().backward()
        assert logits["cxr-4"].grad is not None
        assert logits["cxr-4"].grad.abs().sum() == 0


class TestWeights:
    """They move to the groups with the greatest loss."""

    def test_by_the_exponential_of_their_losses(self) -> None:
        worst = WorstGroups(2, 0.5)
        loss = worst(torch.tensor([1.0, 3.0, 5.0]), torch.tensor(members(["a", "b", "b"])))
        q = torch.softmax(torch.tensor([0.5 * 1.0, 0.5 * 4.0]), 0)
        torch.testing.assert_close(worst.weights, q)
        torch.testing.assert_close(loss, q[0] * 1.0 + q[1] * 4.0)

    def test_a_group_that_is_not_there_keeps_its_standing(self) -> None:
        worst = WorstGroups(3, 0.5)
        loss = worst(torch.tensor([2.0, 2.0]), torch.tensor(members(["a", "b", "c"]))[:2])
        assert worst.weights[0] == worst.weights[1] > worst.weights[2] > 0
        torch.testing.assert_close(loss, torch.tensor(2.0))

    def test_mixed_pictures_count_for_both(self) -> None:
        worst = WorstGroups(2, 0.0)
        shares = torch.tensor([[0.75, 0.25], [0.25, 0.75]])
        loss = worst(torch.tensor([4.0, 8.0]), shares)
        torch.testing.assert_close(loss, torch.tensor((5.0 + 7.0) / 2))

    def test_pictures_of_no_known_group_are_left_out(self) -> None:
        worst = WorstGroups(2, 0.1)
        shares = torch.tensor([[1.0, 0.0], [float("nan"), float("nan")]])
        torch.testing.assert_close(worst(torch.tensor([2.0, 99.0]), shares), torch.tensor(2.0))

    def test_no_gradient_goes_through_them(self) -> None:
        worst = WorstGroups(2, 1.0)
        losses = torch.tensor([1.0, 1.0], requires_grad=True)
        worst(losses, torch.eye(2)).backward()
        torch.testing.assert_close(losses.grad, torch.tensor([0.5, 0.5]))


def test_a_shortcut_of_most_pictures_pays_less() -> None:
    """One feature tells the classes apart in nineteen pictures of twenty, a weaker one in all."""
    chooser = np.random.default_rng(5)
    n = 1000
    truth = chooser.integers(2, size=n)
    follows = chooser.random(n) < 0.95
    shortcut = np.where(follows, truth, 1 - truth) * 2 - 1 + chooser.normal(0, 0.1, n)
    disease = truth * 2 - 1 + chooser.normal(0, 1.0, n)
    x = torch.tensor(np.stack([shortcut, disease], 1), dtype=torch.float32)
    y = torch.tensor(truth)
    shares = torch.tensor(members([f"{t}/{f}" for t, f in zip(truth, follows, strict=True)]))

    def worst_accuracy(step: float | None) -> float:
        model = torch.nn.Linear(2, 2)
        torch.nn.init.zeros_(model.weight)
        torch.nn.init.zeros_(model.bias)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
        worst = WorstGroups(shares.shape[1], step or 0.0)
        for _ in range(300):
            losses = nnf.cross_entropy(model(x), y, reduction="none")
            loss = losses.mean() if step is None else worst(losses, shares)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        right = (model(x).argmax(1) == y).float()
        return float(((shares * right.unsqueeze(1)).sum(0) / shares.sum(0)).min())

    assert worst_accuracy(None) < 0.4
    assert worst_accuracy(0.1) > 0.7


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        name="dro", kind="recognition", seed=1, size=48, steps=6, batch=8, learning_rate=1e-3,
        warmup=1, ema=0.0, precision="float32", checkpoint_every=3, sha256="test",
        network={"heads": {"covid-2": 2}}, loss=LossSettings(group_step=0.2),
        augment=AugmentSettings(mixup=0.4),
        data=DataSettings(train_folds=(0, 1, 2), validation_folds=(3,), modalities=("CXR",)),
    )  # fmt: skip


class TestTraining:
    """A recipe turns it on."""

    def test_groups_are_sources_and_classes(self, recipe: Recipe, xray_folder: Path) -> None:
        rows = read_manifest(xray_folder)
        folds = fold_of_groups(rows)
        groups = build(rows, recipe, folds, (0,)).targets[GROUPS]
        assert groups.shape[1] == 2
        assert (groups.sum(axis=1) == 1).all()
        covid = build(rows, recipe, folds, (0,)).targets["covid-2"][:, 0]
        assert (groups[:, 1] == covid).all()
        plain = dataclasses.replace(recipe, loss=LossSettings())
        assert GROUPS not in build(rows, plain, folds, (0,)).targets

    def test_a_resumed_run_knows_their_weights(
        self, recipe: Recipe, xray_folder: Path, tmp_path: Path,
        make_small_recogniser: Callable[[], Recogniser],
    ) -> None:  # fmt: skip
        rows = read_manifest(xray_folder)
        data = build(rows, recipe, fold_of_groups(rows), (0, 1, 2))

        def make(*_: object) -> Recogniser:
            return make_small_recogniser()

        with patch.object(loop, "make_network", make):
            half = dataclasses.replace(recipe, steps=3)
            # Of the same rate at each step: what differs is where it ends.
            with patch.object(loop, "_learning_rate", lambda *_: 1e-3):
                train(half, data, tmp_path / "cut", device="cpu", quiet=True)
                kept = load_file(tmp_path / "cut" / "checkpoint.safetensors")["groups/weights"]
                assert float((kept - 0.5).abs().max()) > 1e-4
                again = train(recipe, data, tmp_path / "cut", device="cpu", resume=True, quiet=True)
                whole = train(recipe, data, tmp_path / "again", device="cpu", quiet=True)
        first, second = load_file(whole.weights), load_file(again.weights)
        assert all(torch.equal(first[k], second[k]) for k in first)
