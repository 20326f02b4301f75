"""Pixel arithmetic that all readers share: exact types, rescale, grey."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TYPES", "fits", "narrowest", "rescale_into", "to_grey"]

TYPES: Final = ("uint8", "int16", "uint16", "float32")
"""Types of a volume's array, in the order in which they are tried."""

_LUMA: Final = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of red, green and blue."""


def fits(low: float, high: float, dtype: np.dtype[Any]) -> bool:
    """Say whether whole numbers from low to high can be held exactly (float32 takes all)."""
    if dtype.kind == "f":
        return True
    info = np.iinfo(dtype)
    return info.min <= low and high <= info.max


def rescale_into(
    out: NDArray[np.generic], stored: NDArray[np.generic], slope: float, intercept: float
) -> bool:
    """Write ``stored * slope + intercept`` into `out`.

    Parameters
    ----------
    out
        Shape (rows, columns), one of `TYPES`; integer only if slope and intercept are whole.
    stored
        Shape (rows, columns), integers.

    Returns
    -------
    bool
        False, and nothing written, when a value does not fit.
    """
    ends = [float(end) * slope + intercept for end in (stored.min(), stored.max())]
    if not fits(min(ends), max(ends), out.dtype):
        return False
    if out.dtype.kind == "f":
        out[...] = stored.astype(np.float64) * slope + intercept
    else:
        # Wide enough for every intermediate value that ends within 16 bits.
        wide = stored.astype(np.int64 if stored.dtype.itemsize > 2 else np.int32)
        out[...] = wide * int(slope) + int(intercept)
    return True


def to_grey(colour: NDArray[np.generic]) -> NDArray[np.generic]:
    """Turn (rows, columns, 3) RGB into (rows, columns) grey of the same type."""
    grey = np.rint(colour.astype(np.float32) @ np.asarray(_LUMA, np.float32))
    result: NDArray[np.generic] = grey.astype(colour.dtype)
    return result


def narrowest(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the array in the narrowest of int16, uint16 and float32 that is exact.

    uint8 and int16 stay as they are. Works slice by slice, so that temporaries stay small.
    """
    if array.dtype in (np.dtype(np.uint8), np.dtype(np.int16)):
        return array
    low, high = float(array.min()), float(array.max())
    whole = array.dtype.kind in "iu" or all(bool(np.all(s == np.rint(s))) for s in array)
    if whole:
        for name in TYPES[1:]:
            if fits(low, high, np.dtype(name)):
                return array.astype(name, copy=False)
    return array.astype(np.float32, copy=False)
