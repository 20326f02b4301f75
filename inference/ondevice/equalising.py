"""Contrast-limited adaptive histogram equalisation, as `cv2.createCLAHE` does it (Zuiderveld 1994).

Every tile has a table of grey levels, made of its histogram, of which what exceeds a limit is
dealt out to all levels. A pixel is looked up in the tables of the four nearest tiles, and what they
say is interpolated.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from inference.preprocess import CLAHE_CLIP, CLAHE_TILES, Box

__all__ = ["Equaliser"]

_LEVELS: Final = 256


class Equaliser:
    """Equalises pictures of one shape, and gives a part of them.

    Parameters
    ----------
    shape
        (rows, columns) of the pictures.
    box
        The part that is wanted; tiles are those of the whole picture all the same. None: all.
    device
        Where the pictures are.
    """

    def __init__(self, shape: tuple[int, int], box: Box | None, device: torch.device) -> None:
        rows, columns = shape
        self._box = Box(0, rows, 0, columns) if box is None else box
        across, down = CLAHE_TILES
        # OpenCV adds a whole row of tiles' worth where only the columns need any, and vice versa.
        fits = rows % down == 0 and columns % across == 0
        self._tile = (
            (rows if fits else rows + down - rows % down) // down,
            (columns if fits else columns + across - columns % across) // across,
        )
        self._rows = _mirrored(rows, down * self._tile[0], device)
        self._columns = _mirrored(columns, across * self._tile[1], device)
        area = self._tile[0] * self._tile[1]
        self._limit = max(int(CLAHE_CLIP * area / _LEVELS), 1)
        self._scale = float(np.float32(_LEVELS - 1) / np.float32(area))
        self._levels = torch.arange(_LEVELS, device=device)
        inside = self._box
        upper, lower, below = _tiles_around(
            np.arange(inside.top, inside.bottom), self._tile[0], down
        )
        left, right, beside = _tiles_around(
            np.arange(inside.left, inside.right), self._tile[1], across
        )
        self._corners = [
            torch.from_numpy((y[:, None] * across + x[None, :]) * _LEVELS).to(device)
            for y in (upper, lower)
            for x in (left, right)
        ]
        one = np.float32(1.0)
        self._left, self._right, self._upper, self._lower = (
            torch.from_numpy(weights).to(device)
            for weights in (one - beside, beside, (one - below)[:, None], below[:, None])
        )

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        """Equalise.

        Parameters
        ----------
        pictures
            Shape (n, rows, columns), uint8.

        Returns
        -------
        torch.Tensor
            Shape (n, rows and columns of the box), uint8.
        """
        box = self._box
        tables = self._tables(pictures)
        each = tables.shape[1] * tables.shape[2]
        flat = tables.reshape(-1)
        shown = pictures[:, box.top : box.bottom, box.left : box.right].long()
        shown = shown + torch.arange(len(pictures), device=pictures.device).view(-1, 1, 1) * each
        upper_left, upper_right, lower_left, lower_right = (
            flat[shown + corner] for corner in self._corners
        )
        # One operation at a time, so that none is fused with the next and rounds otherwise.
        above = upper_left * self._left + upper_right * self._right
        below = lower_left * self._left + lower_right * self._right
        grey = above * self._upper + below * self._lower
        return grey.round().clamp_(0, 255).to(torch.uint8)

    def _tables(self, pictures: torch.Tensor) -> torch.Tensor:
        """New grey levels by tile: (n, tiles, 256), float32 without fractions."""
        counts = self._histograms(pictures)
        excess = (counts - self._limit).clamp_(min=0).sum(dim=-1, keepdim=True)
        counts = counts.clamp(max=self._limit) + excess // _LEVELS
        # What does not go to every level goes to some, at even steps from the darkest.
        rest = excess % _LEVELS
        step = (_LEVELS // rest.clamp(min=1)).clamp_(min=1)
        chosen = (self._levels % step == 0) & (self._levels // step < rest)
        summed = (counts + chosen).cumsum(dim=-1)
        return (summed.float() * self._scale).round().clamp_(0, _LEVELS - 1)

    def _histograms(self, pictures: torch.Tensor) -> torch.Tensor:
        """Counts by tile: (n, tiles, 256), int64."""
        across, down = CLAHE_TILES
        whole = pictures[:, self._rows][:, :, self._columns]
        tiles = whole.reshape(len(pictures), down, self._tile[0], across, self._tile[1])
        grey = tiles.transpose(2, 3).reshape(len(pictures), down * across, -1).long()
        counts = torch.zeros((*grey.shape[:2], _LEVELS), dtype=torch.int32, device=pictures.device)
        # Counts are whole numbers, so that it does not matter in which order a GPU adds.
        one = torch.ones((), dtype=torch.int32, device=pictures.device)
        return counts.scatter_add_(2, grey, one.expand(grey.shape)).long()


def _mirrored(length: int, wanted: int, device: torch.device) -> torch.Tensor:
    """Indices of an axis that is continued by its mirror image, without the last pixel."""
    index = np.arange(wanted)
    if length == 1:
        return torch.zeros(wanted, dtype=torch.int64, device=device)
    period = 2 * (length - 1)
    folded = index % period
    return torch.from_numpy(np.minimum(folded, period - folded)).to(device)


def _tiles_around(
    pixels: NDArray[np.intp], side: int, tiles: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """The tiles before and after pixels, and how far those lie from the first to the second."""
    place = pixels.astype(np.float32) * (np.float32(1.0) / np.float32(side)) - np.float32(0.5)
    before = np.floor(place)
    first = before.astype(np.int64)
    return np.maximum(first, 0), np.minimum(first + 1, tiles - 1), place - before
