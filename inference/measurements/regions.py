"""Which pixels a region holds, and what their stored values are.

The rule: a pixel belongs to a region when its centre lies inside the outline or on it. An outline
that crosses itself encloses what an odd number of its turns enclose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from inference.measurements.model import Kind

if TYPE_CHECKING:
    from inference.measurements.model import Measurement
    from inference.studies.model import Volume

__all__ = ["Region", "mask_of", "plane_axes", "region_of", "values_of"]

_ON_OUTLINE: Final = 1e-6
"""So many pixels from the outline a centre may lie and still be on it."""


@dataclass(frozen=True, slots=True)
class Region:
    """Statistics of the stored values in a region.

    Parameters
    ----------
    pixels
        Pixels whose values were used.
    left_out
        Pixels of the region without a value: padding, NaN and infinity.
    mean, sd, minimum, maximum
        Of the values, in the volume's unit; None when no pixel has a value. The standard deviation
        is that of the pixels themselves (divided by their number, not by one less).
    """

    pixels: int
    left_out: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None


def plane_axes(axis: int) -> tuple[int, int]:
    """Voxel axes that run across and down a plane as stored: (column, row) of a slice."""
    return {0: (1, 2), 1: (0, 2), 2: (0, 1)}[axis]


def values_of(volume: Volume, axis: int, index: int) -> NDArray[np.generic]:
    """One plane of a volume; `plane_axes` run along its second and its first dimension."""
    plane: NDArray[np.generic] = np.moveaxis(volume.array, 2 - axis, 0)[index]
    return plane


def mask_of(measurement: Measurement, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], int, int]:
    """Find the pixels of a region.

    Parameters
    ----------
    measurement
        A region.
    shape
        (down, across) of its plane.

    Returns
    -------
    mask
        Of the box around the region, as far as it lies in the plane.
    top, left
        Where that box begins.

    Raises
    ------
    ValueError
        When it is no region.
    """
    across, down = plane_axes(measurement.axis)
    points = np.array([(p[across], p[down]) for p in measurement.points], np.float64)
    low = np.maximum(np.ceil(points.min(axis=0) - _ON_OUTLINE), 0).astype(int)
    last = np.array([shape[1] - 1, shape[0] - 1])
    high = np.minimum(np.floor(points.max(axis=0) + _ON_OUTLINE), last).astype(int)
    x = np.arange(low[0], high[0] + 1, dtype=np.float64)
    y = np.arange(low[1], high[1] + 1, dtype=np.float64)
    if measurement.kind is Kind.RECTANGLE:
        mask = np.ones((y.size, x.size), bool)
    elif measurement.kind is Kind.ELLIPSE:
        mask = _in_ellipse(points, x, y)
    elif measurement.kind is Kind.FREEHAND:
        mask = _in_polygon(points, x, y)
    else:
        raise ValueError(f"a {measurement.kind.value} holds no pixels")
    return mask, int(low[1]), int(low[0])


def _in_ellipse(
    corners: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    centre = corners.mean(axis=0)
    half = np.maximum(np.abs(corners[1] - corners[0]) / 2.0, _ON_OUTLINE)
    away = ((x[None, :] - centre[0]) / half[0]) ** 2 + ((y[:, None] - centre[1]) / half[1]) ** 2
    return np.asarray(away <= 1.0 + 2.0 * _ON_OUTLINE / half.min())


def _in_polygon(
    points: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Every crossing of a side with a row turns inside to outside for all pixels beyond it."""
    turns = np.zeros((y.size, x.size + 1), np.uint8)
    if not turns.size or not x.size:
        return turns[:, :-1].astype(bool)
    points = points - (x[0], y[0])
    ends = np.roll(points, -1, axis=0)
    low, high = np.minimum(points, ends), np.maximum(points, ends)
    rise = ends[:, 1] - points[:, 1]
    level = np.abs(rise) <= _ON_OUTLINE
    first = np.maximum(np.ceil(low[:, 1] - _ON_OUTLINE), 0).astype(int)
    last = np.minimum(np.floor(high[:, 1] + _ON_OUTLINE), y.size - 1).astype(int)
    count = np.where(level, 0, np.maximum(last - first + 1, 0))
    side = np.repeat(np.arange(len(points)), count)
    row = first[side] + np.arange(side.size) - np.repeat(np.cumsum(count) - count, count)
    share = (row - points[side, 1]) / rise[side]
    at = points[side, 0] + share * (ends - points)[side, 0]
    # A corner that two sides share counts once: a side has the row of its low end, not the other.
    half_open = (low[side, 1] <= row) & (row < high[side, 1])
    beyond = np.clip(np.floor(at[half_open]) + 1, 0, x.size).astype(int)
    np.bitwise_xor.at(turns, (row[half_open], beyond), 1)
    mask = np.bitwise_xor.accumulate(turns, axis=1)[:, :-1].astype(bool)
    # And what lies on the outline itself.
    at = np.clip(at, low[side, 0], high[side, 0])
    column = np.rint(at).astype(int)
    on = (np.abs(at - column) <= _ON_OUTLINE) & (column >= 0) & (column < x.size)
    mask[row[on], column[on]] = True
    for flat in np.flatnonzero(level & (first <= last)):
        begin = max(int(np.ceil(low[flat, 0] - _ON_OUTLINE)), 0)
        mask[first[flat], begin : max(int(np.floor(high[flat, 0] + _ON_OUTLINE)), -1) + 1] = True
    return mask


def region_of(measurement: Measurement, volume: Volume) -> Region:
    """Measure the stored values in a region."""
    plane = values_of(volume, measurement.axis, measurement.plane)
    mask, top, left = mask_of(measurement, (plane.shape[0], plane.shape[1]))
    box = plane[top : top + mask.shape[0], left : left + mask.shape[1]]
    values = (box if mask.all() else box[mask]).ravel()
    held = values.size
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    if volume.padding is not None:
        values = values[values != volume.padding]
    left_out = held - values.size
    if values.size == 0:
        return Region(0, left_out, None, None, None, None)
    return Region(
        pixels=int(values.size),
        left_out=left_out,
        mean=float(values.mean(dtype=np.float64)),
        sd=float(values.std(dtype=np.float64)),
        minimum=float(values.min()),
        maximum=float(values.max()),
    )
