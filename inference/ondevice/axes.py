"""Which pixels of an axis a resized one is made of, and with what weight, as OpenCV has it.

Sums are made tap by tap, in OpenCV's order and precision. Two products of matrices would be
shorter, but round differently: at a ratio of 1.6, one pixel in a hundred lies half-way between two
grey levels, and would fall to the other side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["Pair", "Taps", "area_taps", "nearly_linear_pair", "pair"]

_LEAST_COVER = 1e-3
"""OpenCV leaves out a pixel of which less than this is covered (computeResizeAreaTab)."""


@dataclass(frozen=True, eq=False, slots=True)
class Taps:
    """Weighted sums along an axis.

    Parameters
    ----------
    places
        Shape (k, n), int64: the k pixels of which each of n new ones is made.
    weights
        Shape (k, n), float32; zero where fewer than k are used.
    """

    places: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Pair:
    """Two neighbours along an axis, and how far a new pixel lies from the first to the second.

    Parameters
    ----------
    first, second
        Length n, int64.
    part
        Length n, float32 in [0, 1).
    """

    first: torch.Tensor
    second: torch.Tensor
    part: torch.Tensor


def area_taps(old: int, new: int, device: torch.device) -> Taps:
    """Taps of INTER_AREA along an axis that does not grow.

    Parameters
    ----------
    old, new
        Lengths in pixels, new <= old.
    device
        Where the tables are wanted.
    """
    scale = old / new
    taps: list[list[tuple[int, float]]] = []
    for place in range(new):
        start = place * scale
        end = start + scale
        width = min(scale, old - start)
        last = min(math.floor(end), old - 1)
        first = min(math.ceil(start), last)
        here = []
        if first - start > _LEAST_COVER:
            here.append((first - 1, (first - start) / width))
        here += [(whole, 1.0 / width) for whole in range(first, last)]
        if end - last > _LEAST_COVER:
            here.append((last, min(end - last, 1.0, width) / width))
        taps.append(here)
    most = max(map(len, taps))
    places = np.zeros((most, new), dtype=np.int64)
    weights = np.zeros((most, new), dtype=np.float32)
    for place, here in enumerate(taps):
        for tap, (pixel, weight) in enumerate(here):
            places[tap, place] = pixel
            weights[tap, place] = weight
    return Taps(torch.from_numpy(places).to(device), torch.from_numpy(weights).to(device))


def pair(old: int, new: int, device: torch.device) -> Pair:
    """Neighbours of INTER_LINEAR; at the ends both are the outermost pixel.

    Parameters
    ----------
    old, new
        Lengths in pixels.
    device
        Where the tables are wanted.
    """
    centres = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.floor(centres)
    return _clamped(first, centres - first, old, device)


def nearly_linear_pair(old: int, new: int, device: torch.device) -> Pair:
    """Neighbours of INTER_AREA on a picture of which an axis grows; then OpenCV interpolates.

    Between two pixels, but each pixel keeps its own width as far as possible.

    Parameters
    ----------
    old, new
        Lengths in pixels.
    device
        Where the tables are wanted.
    """
    places = np.arange(new)
    first = np.floor(places * (old / new))
    beyond = (places + 1) - (first + 1) * (new / old)
    part = np.where(beyond <= 0, 0.0, beyond - np.floor(beyond))
    return _clamped(first, part, old, device)


def _clamped(
    first: NDArray[np.float64], part: NDArray[np.float64], old: int, device: torch.device
) -> Pair:
    whole = first.astype(np.int64)
    return Pair(
        torch.from_numpy(np.clip(whole, 0, old - 1)).to(device),
        torch.from_numpy(np.clip(whole + 1, 0, old - 1)).to(device),
        torch.from_numpy(part.astype(np.float32)).to(device),
    )
