"""The window with which a volume opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.studies.model import Unit, Window

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["first_window"]

_LUNG = Window(-600.0, 1500.0, "Lung")
_SAMPLED = 8
"""Slices whose values are looked at."""


def first_window(volume: Volume | None, read: NDArray[np.bool_]) -> Window:
    """Choose lung for CT, else the file's own, else the 1st to 99th percentile.

    Parameters
    ----------
    volume
        What is open, or None.
    read
        Length slices, which of them have been read; empty when all have.
    """
    if volume is None or volume.unit is Unit.HU:
        return _LUNG
    if volume.windows:
        return volume.windows[0]
    there = np.flatnonzero(read) if read.any() else np.arange(volume.shape[0])
    sample = volume.array[there[:: max(1, len(there) // _SAMPLED)]]
    low, high = np.percentile(sample.astype(np.float32), [1.0, 99.0])
    return Window(float(low + high) / 2.0, max(1.0, float(high - low)), "1-99 %")
