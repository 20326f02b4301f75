"""The window with which a volume opens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.studies.model import Unit, Window
from inference.studies.voi import spread
from viewer.hanging import rule_for
from viewer.presets import load_presets

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["first_window", "percentile_window"]

_SAMPLED = 8
"""Slices whose values are looked at."""
_MOST_PIXELS = 300_000
"""Of them so many pixels, evenly spread: sorting the millions of a radiograph would hold the
window up for a tenth of a second, and tell the same."""


def first_window(
    volume: Volume | None, read: NDArray[np.bool_], in_use: Sequence[Window | None]
) -> Window:
    """Choose by the hanging rule of the modality: a preset, else the file's own, else percentiles.

    Parameters
    ----------
    volume
        What is open, or None.
    read
        Length slices, which of them have been read; empty when all have.
    in_use
        The presets, as the reader may have changed them.
    """
    # A rule names a preset as it comes with the program, whatever the reader calls it.
    named = {
        shipped.name: used or shipped for shipped, used in zip(load_presets(), in_use, strict=False)
    }
    if volume is None:
        return next(iter(named.values()))
    preset = named.get(rule_for(volume.modality).window)
    if preset is not None and volume.unit is Unit.HU:
        return preset
    return volume.windows[0] if volume.windows else percentile_window(volume, read)


def percentile_window(volume: Volume, read: NDArray[np.bool_]) -> Window:
    """From the 1st to the 99th percentile of the stored values that have been read."""
    there = np.flatnonzero(read) if read.any() else np.arange(volume.shape[0])
    sample = volume.array[there[:: max(1, len(there) // _SAMPLED)]]
    step = max(1, math.isqrt(sample.size // _MOST_PIXELS))
    return spread(sample[:, ::step, ::step], volume, "1-99 %")
