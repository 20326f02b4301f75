"""Pixel arithmetic that all readers share: exact types, rescale, grey."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TYPES", "ends_of", "finite", "fits", "narrowest", "rescale_into", "to_grey"]

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


def ends_of(stored: NDArray[np.generic], slope: float, intercept: float) -> tuple[float, float]:
    """Return the lowest and the highest of ``stored * slope + intercept``."""
    ends = [float(end) * slope + intercept for end in (stored.min(), stored.max())]
    return min(ends), max(ends)


def finite(values: NDArray[np.generic]) -> tuple[NDArray[np.generic], int]:
    """Replace what is no finite number, and count it.

    NaN and -∞ become the lowest of the other values, +∞ the highest. Where there are no others all
    are counted, and none is replaced.
    """
    numbers = np.asarray(values, np.float64)
    known = np.isfinite(numbers)
    count = int(numbers.size - np.count_nonzero(known))
    if count in (0, numbers.size):
        return values, count
    low, high = float(numbers[known].min()), float(numbers[known].max())
    return np.nan_to_num(numbers, nan=low, posinf=high, neginf=low), count


def rescale_into(
    out: NDArray[np.generic], stored: NDArray[np.generic], slope: float, intercept: float
) -> None:
    """Write ``stored * slope + intercept`` into `out`, whose type must hold it (`fits`).

    Parameters
    ----------
    out
        Shape (rows, columns), one of `TYPES`; integer only if slope and intercept are whole.
    stored
        Shape (rows, columns), integers, or floats if `out` is; it may be the memory of `out`, seen
        as another integer type of the same size.
    """
    if out.dtype.kind == "f":
        out[...] = stored.astype(np.float64) * slope + intercept
        return
    # Counted modulo 2^n, intermediate values may wrap: the end fits, so it is exact.
    bits = 8 * out.dtype.itemsize
    ring: NDArray[np.unsignedinteger[Any]] = out.view(f"u{out.dtype.itemsize}")
    if not np.may_share_memory(ring, stored):
        np.copyto(ring, stored, casting="unsafe")
    if slope != 1.0:
        np.multiply(ring, ring.dtype.type(int(slope) % (1 << bits)), out=ring)
    if intercept != 0.0:
        np.add(ring, ring.dtype.type(int(intercept) % (1 << bits)), out=ring)


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
