"""Stored values to grey by a VOI window: one arithmetic for the screen, exports and thumbnails."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.studies.model import VoiFunction, Volume, Window

__all__ = ["grey_of", "levels", "spread"]

_WHITE: Final = 255.0
_PERCENTILES: Final = (1.0, 99.0)
_MOST_EXPONENT: Final = 80.0
"""Of e; beyond it a sigmoid is 0 or 1 in every digit, and float32 would overflow."""


def grey_of(plane: NDArray[np.generic], window: Window, inverted: bool) -> NDArray[np.uint8]:
    """Apply a VOI window, then invert if asked.

    LINEAR, LINEAR_EXACT and SIGMOID as in DICOM PS3.3, C.11.2.1.2.1, C.11.2.1.3.2 and
    C.11.2.1.3.1.

    Parameters
    ----------
    plane
        Shape (rows, columns), stored values in the window's unit.
    window
        Centre, width (at least 1 for LINEAR, above 0 for the others) and function.
    inverted
        Whether low values are white (MONOCHROME1, or the reader's wish; not both).

    Returns
    -------
    ndarray
        Shape (rows, columns), uint8, C order. NaN is black before inversion.
    """
    if window.function is not VoiFunction.LINEAR:
        grey = _by_table(plane, window)
    elif window.width > 1:
        gain = _WHITE / (window.width - 1.0)
        offset = _WHITE / 2.0 - (window.centre - 0.5) * gain
        source = np.ascontiguousarray(plane)
        grey = np.asarray(
            cv2.addWeighted(source, gain, source, 0.0, offset, dtype=cv2.CV_8U), np.uint8
        )
    else:  # the standard's limit: a threshold at the centre
        grey = np.where(np.greater(plane, window.centre - 0.5), np.uint8(255), np.uint8(0))
    return np.asarray(cv2.bitwise_not(grey) if inverted else grey, dtype=np.uint8)


def levels(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """Return where values lie between black (0) and white (1), by the window's function."""
    if window.function is VoiFunction.SIGMOID:
        exponent = -4.0 * (values - window.centre) / window.width
        bounded = np.clip(exponent, -_MOST_EXPONENT, _MOST_EXPONENT)
        return np.asarray(1.0 / (1.0 + np.exp(bounded)))
    if window.function is VoiFunction.LINEAR_EXACT:
        return np.clip((values - window.centre) / window.width + 0.5, 0.0, 1.0)
    width = max(window.width - 1.0, np.finfo(np.float64).tiny)
    return np.clip((values - (window.centre - 0.5)) / width + 0.5, 0.0, 1.0)


def spread(values: NDArray[np.generic], volume: Volume, name: str = "") -> Window:
    """Return the window from the 1st to the 99th percentile of what was measured.

    Parameters
    ----------
    values
        Any shape, of the volume; its padding and what is no finite number take no part, unless
        there is nothing else.
    volume
        Whose values they are.
    name
        Of the window.
    """
    numbers = np.asarray(values, np.float32)
    known = np.isfinite(numbers) & ~volume.is_padding(values)
    seen = numbers if known.all() or not known.any() else numbers[known]
    low, high = np.percentile(np.nan_to_num(seen), _PERCENTILES)
    return Window(float(low + high) / 2.0, max(1.0, float(high - low)), name)


def _by_table(plane: NDArray[np.generic], window: Window) -> NDArray[np.uint8]:
    """Look integers up in a table of all that their type can hold; compute the others."""
    if plane.dtype.kind in "iu" and plane.dtype.itemsize <= 2:
        index = np.ascontiguousarray(plane).view(f"u{plane.dtype.itemsize}")
        return np.asarray(np.take(_table(window, plane.dtype.str), index), np.uint8)
    return _bytes(levels(plane.astype(np.float64), window))


@lru_cache(maxsize=8)
def _table(window: Window, dtype: str) -> NDArray[np.uint8]:
    kind = np.dtype(dtype)
    every = np.arange(1 << (8 * kind.itemsize), dtype=f"u{kind.itemsize}").view(kind)
    return _bytes(levels(every.astype(np.float64), window))


def _bytes(shares: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(np.nan_to_num(shares, nan=0.0) * _WHITE).astype(np.uint8)
