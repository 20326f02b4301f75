"""Pictures and probability maps of other sizes, as `cv2.resize` makes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import torch

from inference.ondevice.axes import Pair, Taps, area_taps, nearly_linear_pair, pair

__all__ = ["Maps", "picture_resizer"]

_COEFFICIENT: Final = 2048
"""One, in OpenCV's fixed-point weights of 8-bit pictures (INTER_RESIZE_COEF_BITS = 11)."""

Resizer = Callable[[torch.Tensor], torch.Tensor]


def picture_resizer(shape: tuple[int, int], size: int, device: torch.device) -> Resizer:
    """Make what resizes pictures of one shape to a square, as `preprocess.prepare` does.

    By area where the longer side shrinks, else linearly.

    Parameters
    ----------
    shape
        (rows, columns) of the pictures.
    size
        Side of the result.
    device
        Where the pictures are.

    Returns
    -------
    callable
        Takes (n, rows, columns), uint8, and gives (n, size, size), uint8.
    """
    rows, columns = shape
    if max(shape) <= size:
        return partial(_linearly, pair(rows, size, device), pair(columns, size, device))
    if min(shape) < size:
        return partial(
            _linearly,
            nearly_linear_pair(rows, size, device),
            nearly_linear_pair(columns, size, device),
        )
    if rows % size == 0 and columns % size == 0:
        return partial(_by_blocks, size)
    return partial(_by_area, area_taps(rows, size, device), area_taps(columns, size, device))


def _linearly(down: Pair, across: Pair, pictures: torch.Tensor) -> torch.Tensor:
    x = pictures.int()
    left, right = _fixed(across)
    wide = x[..., across.first] * left + x[..., across.second] * right
    # OpenCV drops four bits before, and sixteen after, each product of the second direction.
    wide = wide >> 4
    upper, lower = (weights.unsqueeze(1) for weights in _fixed(down))
    above = (wide[..., down.first, :] * upper) >> 16
    below = (wide[..., down.second, :] * lower) >> 16
    return ((above + below + 2) >> 2).clamp_(0, 255).to(torch.uint8)


def _fixed(neighbours: Pair) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights of the first and the second neighbour, in parts of `_COEFFICIENT`."""
    parts = (1.0 - neighbours.part, neighbours.part)
    first, second = ((part * _COEFFICIENT).round().int() for part in parts)
    return first, second


def _by_blocks(size: int, pictures: torch.Tensor) -> torch.Tensor:
    """Means of whole blocks."""
    rows, columns = pictures.shape[-2] // size, pictures.shape[-1] // size
    blocks = pictures.reshape(-1, size, rows, size, columns)
    sums = blocks.sum(dim=(2, 4), dtype=torch.int32)
    if rows == columns == 2:
        return ((sums + 2) >> 2).to(torch.uint8)
    share = float(np.float32(1.0) / np.float32(rows * columns))
    return _to_bytes(sums.float() * share)


def _by_area(down: Taps, across: Taps, pictures: torch.Tensor) -> torch.Tensor:
    x = pictures.float()
    wide = x[..., across.places[0]] * across.weights[0]
    for places, weights in zip(across.places[1:], across.weights[1:], strict=True):
        wide = wide + x[..., places] * weights
    weights_down = down.weights.unsqueeze(2)
    result = wide[..., down.places[0], :] * weights_down[0]
    for places, weights in zip(down.places[1:], weights_down[1:], strict=True):
        result = result + wide[..., places, :] * weights
    return _to_bytes(result)


def _to_bytes(values: torch.Tensor) -> torch.Tensor:
    return values.round().clamp_(0, 255).to(torch.uint8)


class Maps:
    """Resizes maps linearly, as `cv2.resize` with INTER_LINEAR, and keeps the tables for that.

    Products are added unrounded, as the library behind OpenCV on x86 does (IPP): equal in every bit
    there, and to within 2e-5 elsewhere.
    """

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int, torch.device], Pair] = {}

    def resized(self, maps: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
        """Maps on another grid.

        Parameters
        ----------
        maps
            Shape (..., h, w), float32.
        shape
            (rows, columns) that is wanted.

        Returns
        -------
        torch.Tensor
            Shape (..., rows, columns), float32, on the same device.
        """
        if tuple(maps.shape[-2:]) == shape:
            return maps
        down = self._pair(maps.shape[-2], shape[0], maps.device)
        across = self._pair(maps.shape[-1], shape[1], maps.device)
        wide = _between(maps[..., across.first], maps[..., across.second], across.part)
        return _between(wide[..., down.first, :], wide[..., down.second, :], down.part.unsqueeze(1))

    def _pair(self, old: int, new: int, device: torch.device) -> Pair:
        key = (old, new, device)
        if key not in self._pairs:
            self._pairs[key] = pair(old, new, device)
        return self._pairs[key]


def _between(first: torch.Tensor, second: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    # In float64 the product is exact, so that it is as if multiplied and added at once.
    return (first.double() + (second - first).double() * part.double()).float()
