"""The slab that something was measured on: parallel planes that were shown as one picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Merge", "SlabPlanes"]


class Merge(StrEnum):
    """How the planes of a slab became one picture."""

    MAXIMUM = "maximum"
    MINIMUM = "minimum"
    MEAN = "mean"

    @property
    def label(self) -> str:
        """As radiologists call it."""
        return {Merge.MAXIMUM: "MIP", Merge.MINIMUM: "MinIP"}.get(self, self.value)


@dataclass(frozen=True, slots=True)
class SlabPlanes:
    """The planes around the one that a measurement lies in.

    Parameters
    ----------
    merge
        How they became one picture.
    before, after
        How many there are on either side of its own, towards lower and higher numbers; of oblique
        planes against and along their normal.
    step
        Distance of two planes in mm, or 1 where it is not known.
    """

    merge: Merge
    before: int
    after: int
    step: float

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0 or self.count < 2:
            raise ValueError("a slab has several planes, and one of them is the measurement's")
        if not (np.isfinite(self.step) and self.step > 0.0):
            raise ValueError("the planes of a slab are some distance apart")

    @property
    def count(self) -> int:
        """How many planes there are."""
        return self.before + 1 + self.after

    @property
    def mm(self) -> float:
        """Thickness; the number of planes where their distance is not known."""
        return self.count * self.step

    @property
    def words(self) -> str:
        """For the reader: ``"MIP of 5 planes, 6.3 mm"``."""
        return f"{self.brief}, {self.mm:.1f} mm"

    @property
    def brief(self) -> str:
        """The same without its thickness."""
        return f"{self.merge.label} of {self.count} planes"

    def merged(self, planes: NDArray[Any]) -> NDArray[Any]:
        """Make one picture of planes that lie along the first axis; of a mean it is float64."""
        if self.merge is Merge.MEAN:
            return np.asarray(planes.mean(axis=0, dtype=np.float64))
        merge = np.max if self.merge is Merge.MAXIMUM else np.min
        return np.asarray(merge(planes, axis=0))
