"""Where probabilities are cut into masks: at one value, or grown from seeds to an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HALF", "LEVELS", "MIN_LESION_VOXELS", "NEIGHBOURS", "Cut"]

LEVELS = 255
"""Probabilities that are kept in a byte are rounded to this many parts of one."""
NEIGHBOURS = np.ones((3, 3), dtype=bool)
"""Pixels that touch at a corner belong together."""
MIN_LESION_VOXELS = 30
"""Smaller components are not counted as lesions (they stay in the mask and in its volume).

About a 5 mm sphere at 0.7 × 0.7 × 4.5 mm: below it, noise and vessels seen end-on outnumber
lesions.
"""


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

    Raises
    ------
    ValueError
        When they are not in this order between 0 and 1.
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

    @property
    def is_plain(self) -> bool:
        """There is one threshold only."""
        return self.edge == self.seed

    def in_words(self) -> str:
        """Complete “marked where the probability …”."""
        if self.is_plain:
            return f"is above {self.seed:g}"
        return f"is above {self.edge:g} in one piece with a place where it is above {self.seed:g}"

    def call(self, values: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Cut the probabilities of one slice, (rows, columns)."""
        return self._grow(values > self.edge, values > self.seed)

    def call_levels(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Cut the probabilities of one slice in parts of `LEVELS`, (rows, columns)."""
        return self._grow(levels > int(LEVELS * self.edge), levels > int(LEVELS * self.seed))

    def _grow(self, above: NDArray[np.bool_], seeds: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if self.is_plain or not seeds.any():
            return seeds
        from scipy import ndimage

        labels, count = ndimage.label(above, NEIGHBOURS)
        holds = np.zeros(count + 1, dtype=bool)
        holds[labels[seeds]] = True
        return np.asarray(holds[labels])


HALF = Cut.at(0.5)
"""What is more probable than not."""
