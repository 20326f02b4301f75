"""A map that explains what was learned changes when that is destroyed."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from inference.explain import evidence
from inference.networks.recognition import InceptionRecogniser, LiteRecogniser, Recogniser
from inference.training.randomisation import HEADS, cascade, layers_of, rank_correlation

LAYERS = (HEADS, "third", "second", "first")


def pictures(n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise with a dark disc; every other picture has a bright one, too, the rest a second dark."""
    chooser = np.random.default_rng(seed)
    rows, columns = np.mgrid[:24, :24]
    made = chooser.normal(0, 0.3, (n, 1, 24, 24)).astype(np.float32)
    for index in range(n):
        for left, level in ((5, -2.0), (18, 2.0 if index % 2 == 0 else -2.0)):
            row, column = chooser.integers(5, 19), left + chooser.integers(-2, 3)
            made[index, 0, (rows - row) ** 2 + (columns - column) ** 2 < 16] += level
    return torch.from_numpy(made), torch.arange(n) % 2


@pytest.fixture(scope="module")
def network(make_small_recogniser: Callable[[], Recogniser]) -> Recogniser:
    """A small network that has learned to see bright discs."""
    torch.manual_seed(0)
    made = make_small_recogniser()
    x, y = pictures(32, 1)
    weights = list(made.parameters())
    for _ in range(80):
        loss = nn.functional.cross_entropy(made(x)["covid-2"], y)
        # By hand, since torch.optim takes seconds to import.
        with torch.no_grad():
            for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight.sub_(0.3 * slope)
    assert float(loss.detach()) < 0.1
    return made.eval()


def test_correlation_falls_when_what_was_learned_is_destroyed(
    network: Recogniser,
) -> None:
    x, _ = pictures(16, 2)
    runs = [list(cascade(network, x[::2], "covid-2", 0, seed=seed)) for seed in range(8)]
    assert all(tuple(step.layer for step in run) == LAYERS for run in runs)
    correlations = np.array([[step.correlation for step in run] for run in runs])
    # The sign of a random head is chance, so that its magnitude is the stricter measure.
    magnitude = np.nanmean(np.abs(correlations), axis=(0, 2))
    assert magnitude[0] < 0.9
    assert magnitude[-1] < min(0.4, magnitude[0])
    assert abs(np.nanmean(correlations[:, -1])) < 0.3


def test_an_untouched_network_correlates_fully(network: Recogniser) -> None:
    x, _ = pictures(1, 3)
    first, second = (evidence(network, x, "covid-2", 0) for _ in range(2))
    assert rank_correlation(first[0], second[0]) == pytest.approx(1.0)


def test_the_network_is_left_as_it_is_and_the_seed_decides(network: Recogniser) -> None:
    x, _ = pictures(4, 3)
    before = copy.deepcopy(network.state_dict())
    runs = [
        [step.correlation for step in cascade(network, x, "covid-2", 0, seed=seed)]
        for seed in (1, 1, 2)
    ]
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0][-1], runs[2][-1])


def test_only_what_is_asked_for_is_reported_and_all_above_is_randomised(
    network: Recogniser,
) -> None:
    x, _ = pictures(4, 3)
    every = list(cascade(network, x, "covid-2", 0))
    (alone,) = cascade(network, x, "covid-2", 0, report=("first",))
    assert alone.layer == "first"
    np.testing.assert_array_equal(alone.correlation, every[-1].correlation)


def test_inceptions_layers_go_from_the_heads_to_the_first_convolution() -> None:
    with torch.device("meta"):
        network = InceptionRecogniser({"covid-2": 2})
    names = [name for name, _ in layers_of(network)]
    assert names[:2] == [HEADS, "Mixed_7c"]
    assert names[-1] == "Conv2d_1a_3x3"
    assert not any("pool" in name for name in names)
    inside = sum(p.numel() for _, module in layers_of(network) for p in module.parameters())
    assert inside == sum(p.numel() for p in network.parameters())


def test_ranks_ignore_scale_and_notice_order() -> None:
    one = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert rank_correlation(one, one**3 * 7 + 1) == pytest.approx(1.0)
    assert rank_correlation(one, -one) == pytest.approx(-1.0)
    assert np.isnan(rank_correlation(one, np.zeros_like(one)))


@pytest.mark.parametrize("kind", [InceptionRecogniser, LiteRecogniser])
def test_the_landmarks_of_a_network_are_layers_of_its_trunk_from_the_top_down(
    kind: type[InceptionRecogniser | LiteRecogniser],
) -> None:
    with torch.device("meta"):
        network = kind({"covid-2": 2})
    names = [name for name, _ in layers_of(network)]
    places = [names.index(name) for name in network.landmarks]
    assert places == sorted(places)
    assert network.landmarks[0] == network.layer
