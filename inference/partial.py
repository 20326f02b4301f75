"""What an analysis has said so far: a group of slices, never the study.

It is shown while the rest is computed, and then forgotten: it cannot be exported, and holds
nothing that is measured over the study (millilitres, lesions, the study's probability).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.invariants import check_partial, check_slice_values
from inference.taxonomy import FindingClass

__all__ = ["Partial", "PartialCallback", "SliceValues"]


@dataclass(frozen=True, eq=False, slots=True)
class SliceValues:
    """Probabilities of one task's classes on a few slices.

    Parameters
    ----------
    task, title, classes, exclusive
        As `inference.findings.Estimate`.
    calibrated
        Whether the values are.
    values
        Shape (n, classes), float32 in [0, 1]: those of `Estimate.shown_per_slice` at the end;
        NaN where a slice is not there yet.
    """

    task: str
    title: str
    classes: tuple[FindingClass, ...]
    exclusive: bool
    calibrated: bool
    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        check_slice_values(self)


@dataclass(frozen=True, eq=False, slots=True)
class Partial:
    """A group of slices that is finished.

    Parameters
    ----------
    series_uid, shape
        Of the volume that is being analysed.
    planned
        Length slices, bool: which slices will be analysed in all.
    indices
        Length n, ascending: which slices these are.
    estimates
        One a task, each with values of these slices.
    codes
        Shape (n, rows, columns), uint8: 0 none, else 1 + place in
        `inference.findings.Manifestation`; the same pixels as in the final masks. None where no
        masks are computed.
    doubts
        Sentences: why the volume may not be what the models know (`findings.Domain.reasons`).
    """

    series_uid: str
    shape: tuple[int, int, int]
    planned: NDArray[np.bool_]
    indices: NDArray[np.intp]
    estimates: tuple[SliceValues, ...]
    codes: NDArray[np.uint8] | None
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_partial(self)


PartialCallback = Callable[[Partial], None]
"""Called on a thread of the analysis, once for each group of slices, in the order they finish."""
