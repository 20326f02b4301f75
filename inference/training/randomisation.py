"""Cascading randomisation (Adebayo et al. 2018, "Sanity checks for saliency maps", section 3.1).

A map that explains what a network has learned must change when that is destroyed; one that only
outlines edges of the picture does not.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import nn

from inference.explain import evidence
from inference.networks.recognition import Recogniser

__all__ = ["HEADS", "RandomisedStep", "cascade", "layers_of", "rank_correlation"]

HEADS = "heads"
"""Name of the topmost step."""


@dataclass(frozen=True, eq=False, slots=True)
class RandomisedStep:
    """The maps after randomising everything from the top down to a layer.

    Parameters
    ----------
    layer
        The lowest layer randomised so far.
    correlation
        Length n, one a picture: Spearman's rank correlation with the map of the untouched network,
        in [-1, 1]; NaN where one of them is constant.
    """

    layer: str
    correlation: NDArray[np.float64]


def layers_of(network: Recogniser) -> tuple[tuple[str, nn.Module], ...]:
    """Name the layers that hold weights, from the top (the heads) down."""
    trunk = [
        (name, module)
        for name, module in network.trunk.named_children()
        if any(True for _ in module.parameters())
    ]
    return ((HEADS, network.heads), *reversed(trunk))


def rank_correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Spearman's rank correlation of two maps of one shape; NaN when one is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one.ravel(), other.ravel()).statistic)


@torch.no_grad()
def _randomise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw weights anew at their old scale, permute biases, and start normalisation afresh."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
            continue
        for tensor in part.parameters(recurse=False):
            if tensor.ndim > 1:
                drawn = torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
                tensor.copy_(drawn.to(tensor.device) * tensor.square().mean().sqrt())
            else:
                order = torch.randperm(tensor.numel(), generator=generator)
                tensor.copy_(tensor[order.to(tensor.device)])


@torch.no_grad()
def _settle(network: Recogniser, randomised: list[nn.Module], x: torch.Tensor) -> None:
    """Measure the statistics of the randomised normalisation layers on the pictures themselves.

    Behind statistics of the trained network a random layer's output is nearly constant, and the
    map would be the same for every picture whatever the method of explanation.
    """
    layers = [
        part for module in randomised for part in module.modules()
        if isinstance(part, nn.BatchNorm2d)
    ]  # fmt: skip
    for layer in layers:
        layer.momentum = 1.0
        layer.train()
    if layers:
        network.feature_maps(x)
    for layer in layers:
        layer.eval()


def cascade(
    network: Recogniser,
    x: torch.Tensor,
    task: str,
    index: int,
    *,
    report: Collection[str] | None = None,
    seed: int = 0,
) -> Iterator[RandomisedStep]:
    """Randomise layers from the top down and compare the maps with the original's.

    Compared is the evidence before ReLU at the size of the last maps: it is defined everywhere, and
    what is shown is a rising function of it.

    Parameters
    ----------
    network
        In evaluation mode; it is left as it is.
    x
        Shape (n, 1, h, w).
    task, index
        Which score is explained.
    report
        Steps that are reported, by name; None: every one of `layers_of`.
    seed
        Of what is drawn.

    Yields
    ------
    RandomisedStep
        From the heads down.
    """
    original = evidence(network, x, task, index)
    broken = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(seed)
    randomised: list[nn.Module] = []
    for name, module in layers_of(broken):
        _randomise(module, generator)
        randomised.append(module)
        if report is None or name in report:
            _settle(broken, randomised, x)
            maps = evidence(broken, x, task, index)
            pairs = zip(original, maps, strict=True)
            yield RandomisedStep(name, np.array([rank_correlation(a, b) for a, b in pairs]))
