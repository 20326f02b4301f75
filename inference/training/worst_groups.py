"""Group DRO: learn most from the source and class that is served worst (Sagawa et al., ICLR 2020).

Sources differ in scanner, window and file as well as in disease. Averaged over all of them, a
network may take what tells the sources apart for what tells the classes apart; where every source
and class counts by how badly it is served, that pays less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["GROUPS", "WorstGroups", "members"]

GROUPS = "groups"
"""Among the targets: which group a picture belongs to, (n, groups), a row of shares."""


def members(names: Sequence[str]) -> NDArray[np.float32]:
    """One row for each name: 1 in the column of its group, which are in alphabetical order."""
    columns = {name: k for k, name in enumerate(sorted(set(names)))}
    found = np.zeros((len(names), len(columns)), dtype=np.float32)
    found[np.arange(len(names)), [columns[name] for name in names]] = 1
    return found


class WorstGroups(nn.Module):
    """Weighs groups by their losses so far (algorithm 1, over the groups of a batch at once).

    Parameters
    ----------
    groups
        How many there are.
    step
        How quickly weight moves to the groups with the greatest loss; the paper's eta, 0.01 there.
    """

    weights: torch.Tensor

    def __init__(self, groups: int, step: float) -> None:
        super().__init__()
        self.step = step
        self.register_buffer("weights", torch.full((groups,), 1 / groups))

    def forward(self, losses: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """Move the weights, and return the weighted mean of the groups' losses.

        Parameters
        ----------
        losses
            Of each picture, (n,).
        shares
            (n, groups); mixed pictures belong to two. Rows of NaN are left out.
        """
        known = shares.isfinite().all(dim=1)
        losses, shares = losses[known], shares[known]
        within = shares.sum(dim=0)
        means = (shares * losses.unsqueeze(1)).sum(dim=0) / within.clamp_min(1e-6)
        with torch.no_grad():
            moved = self.weights * torch.exp(self.step * means)
            self.weights.copy_(moved / moved.sum())
        # A group that the batch lacks has no loss to weigh; the others then stand for all.
        weights = self.weights * (within > 0)
        return (weights * means).sum() / weights.sum().clamp_min(1e-6)
