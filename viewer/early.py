"""What has arrived of an analysis that is still running; no Qt here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation

if TYPE_CHECKING:
    from inference.partial import Partial, SliceValues

__all__ = ["Early"]


class Early:
    """Slices that are finished, put together; it knows nothing of the study as a whole.

    Parameters
    ----------
    first
        The partial result that came first.

    Attributes
    ----------
    doubts
        Sentences: why the volume may not be what the models know.
    planned, done
        Length slices, bool: which slices will be analysed, and which have been.
    estimates
        One a task; values of shape (slices, classes), NaN where there is none yet.
    pixels
        By manifestation, length slices: how many pixels are marked; empty where no masks are made.
    """

    def __init__(self, first: Partial) -> None:
        slices = first.shape[0]
        self.doubts: tuple[str, ...] = first.doubts
        self.planned: NDArray[np.bool_] = first.planned
        self.done: NDArray[np.bool_] = np.zeros(slices, dtype=bool)
        self.estimates: tuple[SliceValues, ...] = tuple(
            replace(said, values=np.full((slices, len(said.classes)), np.nan, dtype=np.float32))
            for said in first.estimates
        )
        self._codes: dict[int, NDArray[np.uint8]] = {}
        self.pixels: dict[Manifestation, NDArray[np.int64]] = (
            {}
            if first.codes is None
            else {key: np.zeros(slices, dtype=np.int64) for key in Manifestation}
        )
        self.add(first)

    def add(self, partial: Partial) -> None:
        """Take in the next group of slices."""
        self.done[partial.indices] = True
        for kept, said in zip(self.estimates, partial.estimates, strict=True):
            kept.values[partial.indices] = said.values
        if partial.codes is not None:
            self._codes.update(zip(partial.indices.tolist(), partial.codes, strict=True))
            for code, pixels in enumerate(self.pixels.values(), start=1):
                pixels[partial.indices] = np.count_nonzero(partial.codes == code, axis=(1, 2))

    @property
    def count(self) -> tuple[int, int]:
        """Number of slices finished, and to be analysed in all."""
        return int(np.count_nonzero(self.done)), int(np.count_nonzero(self.planned))

    def mask(self, key: Manifestation, index: int) -> NDArray[np.bool_] | None:
        """Mask of a manifestation on a slice, (rows, columns); None where there is none yet."""
        codes = self._codes.get(index)
        return None if codes is None else codes == 1 + list(Manifestation).index(key)
