"""Where probabilities are cut into masks: at one value, or grown from seeds to an edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["HALF", "NEIGHBOURS", "Cut"]

NEIGHBOURS = np.ones((3, 3), dtype=bool)
"""Pixels that touch at a corner belong together."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Pixels above an edge, as far as they hang together with one above a seed.

    Two thresholds (hysteresis, Canny 1986) for a network that is sure of the core of a lesion and
    timid about its outline: the upper one decides whether there is one, the lower how large it is.

    Parameters
    ----------
    seed
        A region without any pixel above it is left out.
    edge
        At most `seed`; equal to it for a plain threshold.
    """

    seed: float
    edge: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.edge <= self.seed <= 1.0:
            raise ValueError(f"an edge lies below its seed, not {self.edge} below {self.seed}")

    @classmethod
    def at(cls, value: float) -> Cut:
        """A plain threshold."""
        return cls(value, value)

    def call(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Cut the probabilities of one slice, (rows, columns)."""
        above = np.asarray(values > self.edge)
        if self.edge == self.seed:
            return above
        labels, count = ndimage.label(above, NEIGHBOURS)
        holds = np.zeros(count + 1, dtype=bool)
        holds[labels[values > self.seed]] = True
        return np.asarray(holds[labels])


HALF = Cut.at(0.5)
