"""Logits of streams to probabilities, their levels and codes: `systems.elbana.masks` in torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from inference.cuts import HALF, LEVELS, Cut
from inference.findings import Manifestation
from inference.ondevice.resizing import Maps

__all__ = ["combined", "mean_of_networks", "sigmoid", "to_levels"]

Probabilities = dict[Manifestation, torch.Tensor]


def sigmoid(logits: torch.Tensor) -> torch.Tensor:
    """Probabilities by the same formula as on the host; any shape in and out, float32."""
    return 1.0 / (1.0 + torch.exp(-logits))


def mean_of_networks(parts: Sequence[Probabilities], maps: Maps) -> Probabilities:
    """What the networks of one form say together, at the size of the finest.

    Parameters
    ----------
    parts
        Of each network its probability maps (n, size, size), float32, all on one device.
    maps
        Resizes the coarser ones.
    """
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: _mean([part[key] for part in parts if key in part], maps) for key in keys}


def _mean(values: Sequence[torch.Tensor], maps: Maps) -> torch.Tensor:
    size = max(one.shape[-1] for one in values)
    total = maps.resized(values[0], (size, size))
    for one in values[1:]:
        total = total + maps.resized(one, (size, size))
    return total / len(values) if len(values) > 1 else total


def to_levels(probabilities: torch.Tensor) -> torch.Tensor:
    """Probabilities in parts of `cuts.LEVELS`, uint8, any shape."""
    return (probabilities * LEVELS).round().to(torch.uint8)


def combined(
    levels: Mapping[Manifestation, torch.Tensor], cuts: Mapping[Manifestation, Cut]
) -> torch.Tensor:
    """One code a pixel from streams that may overlap; the most probable one that calls it has it.

    Parameters
    ----------
    levels
        By manifestation, of one shape, uint8; of equal ones the first has the pixel. At least one.
    cuts
        Where each is cut; at one half where it is not named.

    Returns
    -------
    torch.Tensor
        That shape, uint8: 0 none, else 1 + place in `findings.Manifestation`.

    Raises
    ------
    ValueError
        When a cut is grown from seeds, which takes connected components.
    """
    order = list(Manifestation)
    codes = torch.zeros_like(next(iter(levels.values())))
    most = torch.zeros_like(codes, dtype=torch.int16)
    for key, values in levels.items():
        cut = cuts.get(key, HALF)
        if not cut.is_plain:
            raise ValueError("a mask that is grown from seeds is cut on the host")
        # One more than the level: a pixel that is called must not lose to one that is not.
        score = torch.where(values > int(LEVELS * cut.seed), values.short() + 1, 0)
        codes = torch.where(score > most, 1 + order.index(key), codes)
        most = torch.maximum(most, score)
    return codes
