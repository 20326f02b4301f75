"""A small network that tells chest X-rays, chest CT slices and everything else apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

__all__ = ["DomainNetwork"]


class DomainNetwork(nn.Module):
    """Blocks of 3 x 3 convolution, batch normalisation, ReLU and 2 x 2 max-pooling, then dense.

    The last map is flattened, not averaged: where a lung lies matters as much as that there is
    one, since turned and shuffled chests are to be told from chests.

    Parameters
    ----------
    size
        Side of the input in pixels; a multiple of 2 ** the number of blocks.
    channels
        Of each block.
    hidden
        Of the dense layer.

    Raises
    ------
    ValueError
        When `size` does not fit the number of blocks.
    """

    CLASSES = ("CXR", "CT", "other")

    def __init__(
        self, size: int = 96, channels: Sequence[int] = (16, 32, 64, 64, 32), hidden: int = 64
    ) -> None:
        super().__init__()
        shrinking = 2 ** len(channels)
        if size % shrinking:
            raise ValueError(f"{len(channels)} poolings need a size that is a multiple of "
                             f"{shrinking}")  # fmt: skip
        layers: list[nn.Module] = []
        before = 1
        for width in channels:
            layers += [
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            before = width
        self.blocks = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(before * (size // shrinking) ** 2, hidden),
            nn.ReLU(),
            nn.Linear(hidden, len(self.CLASSES)),
        )

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits in the order of `CLASSES`.

        Parameters
        ----------
        x
            Shape (batch, 1, size, size).

        Returns
        -------
        dict
            ``{"domain": (batch, 3)}``.
        """
        return {"domain": self.dense(self.blocks(x))}
