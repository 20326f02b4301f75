"""ML-CNN: three independent probabilities of manifestations (El-bana et al., stage 2)."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["MLCNN"]


class MLCNN(nn.Module):
    """Blocks of 5 x 5 convolution, ELU, 2 x 2 max-pooling and dropout, then dense 128 and 64.

    The number of blocks, kernels and the input size stand only in a figure of the paper, so they
    are settings here.

    Parameters
    ----------
    size
        Side of the input in pixels; a multiple of 2 ** `blocks`.
    outputs
        Number of independent sigmoids.
    blocks, kernels
        Number of convolutions, and channels of each.

    Raises
    ------
    ValueError
        When `size` is not a multiple of 2 ** `blocks`.
    """

    def __init__(
        self, size: int = 256, outputs: int = 3, blocks: int = 4, kernels: int = 32
    ) -> None:
        super().__init__()
        if size % 2**blocks:
            raise ValueError(f"{blocks} poolings need a size that is a multiple of {2**blocks}")
        layers: list[nn.Module] = []
        channels = 1
        for _ in range(blocks):
            layers += [
                nn.Conv2d(channels, kernels, 5, padding=2),
                nn.ELU(),
                nn.MaxPool2d(2),
                nn.Dropout(0.25),
            ]
            channels = kernels
        self.blocks = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(kernels * (size // 2**blocks) ** 2, 128),
            nn.ELU(),
            nn.Dropout(0.5),
            nn.Linear(128, 64),
            nn.ELU(),
            nn.Dropout(0.5),
            nn.Linear(64, outputs),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (batch, outputs) for (batch, 1, size, size)."""
        logits: torch.Tensor = self.dense(self.blocks(x))
        return logits
