"""Which pixels a region holds, and what their stored values are.

The rule: a pixel belongs to a region when its centre lies inside the outline or on it. An outline
that crosses itself encloses what an odd number of its turns enclose. On an oblique plane there are
no pixels: there the rule is that of the samples of its lattice, see `Slant`, which are interpolated
between voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from inference.measurements.model import Kind
from inference.measurements.planes import Vectors, plane_axes

if TYPE_CHECKING:
    from inference.measurements.model import Measurement
    from inference.measurements.planes import Slant
    from inference.studies.model import Volume

__all__ = ["Region", "mask_of", "region_of", "values_of"]

_ON_OUTLINE: Final = 1e-6
"""So many pixels from the outline a centre may lie and still be on it."""


@dataclass(frozen=True, slots=True)
class Region:
    """Statistics of the stored values in a region.

    Parameters
    ----------
    pixels
        Pixels, or samples of an oblique plane, whose values were used.
    left_out
        Those of the region without a value: padding, NaN and infinity; samples that have such a
        voxel beside them, or lie outside the volume. On a slab, those without one in any plane.
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
    return _mask(measurement.kind, points, x, y), int(low[1]), int(low[0])


def _mask(kind: Kind, points: Vectors, x: Vectors, y: Vectors) -> NDArray[np.bool_]:
    """Which of the places in columns `x` and rows `y` a region holds, whose points are (n, 2)."""
    if kind is Kind.RECTANGLE:
        return np.ones((y.size, x.size), bool)
    if kind is Kind.ELLIPSE:
        return _in_ellipse(points, x, y)
    if kind is Kind.FREEHAND:
        return _in_polygon(points, x, y)
    raise ValueError(f"a {kind.value} holds no pixels")


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
    if measurement.slant is not None:
        return _statistics(*_sampled(measurement, measurement.slant, volume))
    slab = measurement.slab
    before, after = (slab.before, slab.after) if slab is not None else (0, 0)
    numbers = range(measurement.plane - before, measurement.plane + after + 1)
    planes = [values_of(volume, measurement.axis, number) for number in numbers]
    mask, top, left = mask_of(measurement, (planes[0].shape[0], planes[0].shape[1]))
    boxes = (plane[top : top + mask.shape[0], left : left + mask.shape[1]] for plane in planes)
    values = np.stack([(box if mask.all() else box[mask]).ravel() for box in boxes])
    known = np.ones(values.shape[1], bool)
    if values.dtype.kind == "f":
        known &= np.isfinite(values).all(axis=0)
    if volume.padding is not None:
        known &= ~volume.is_padding(values).any(axis=0)
    used = values[:, known]
    merged = used[0] if slab is None else slab.merged(used)
    return _statistics(merged, int((~known).sum()))


def _statistics(values: NDArray[np.generic], left_out: int) -> Region:
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


def _sampled(
    measurement: Measurement, slant: Slant, volume: Volume
) -> tuple[NDArray[np.generic], int]:
    """Values of the samples in a region on an oblique plane, and how many have none."""
    if measurement.positions is None:
        raise ValueError("on an oblique plane there is a position for each point")
    corners = slant.flat(measurement.positions)
    low = np.ceil(corners.min(axis=0) - _ON_OUTLINE)
    high = np.floor(corners.max(axis=0) + _ON_OUTLINE)
    x, y = (np.arange(*ends, dtype=np.float64) for ends in zip(low, high + 1.0, strict=True))
    rows, columns = np.nonzero(_mask(measurement.kind, corners, x, y))
    if not rows.size:
        return np.empty(0), 0
    depth = float(slant.depths(measurement.positions).mean())
    flat = np.stack([x[columns], y[rows]], axis=1)
    back = np.linalg.inv(volume.affine)

    def at(depth: float) -> NDArray[np.float64]:
        placed = slant.lifted(flat, depth)
        return _interpolated(volume, placed @ back[:3, :3].T + back[:3, 3])

    slab = measurement.slab
    if slab is None:
        values = at(depth)
    else:
        away = np.arange(-slab.before, slab.after + 1) * slab.step
        # What has no value in one plane has none in the slab: NaN outlasts each way of merging.
        values = slab.merged(np.stack([at(depth + each) for each in away]))
    known = values[np.isfinite(values)]
    return known, values.size - known.size


def _interpolated(volume: Volume, places: Vectors) -> NDArray[np.float64]:
    """Values at (column, row, slice) places, shape (n, 3), linear between voxels; NaN: none."""
    from scipy.ndimage import map_coordinates

    counts = np.array(volume.shape[::-1])
    inside = ((places >= -0.5) & (places <= counts - 0.5)).all(axis=1)
    found = np.full(len(places), np.nan)
    if not inside.any():
        return found
    used = np.clip(places[inside], 0.0, counts - 1.0)
    low = np.floor(used.min(axis=0)).astype(int)
    high = np.ceil(used.max(axis=0)).astype(int) + 1
    box = volume.array[tuple(slice(a, b) for a, b in zip(low[::-1], high[::-1], strict=True))]
    near = (used - low).T[::-1]
    found[inside] = map_coordinates(box.astype(np.float64), near, order=1, mode="nearest")
    if volume.padding is not None:
        padding = volume.is_padding(box).astype(np.float64)
        touched = map_coordinates(padding, near, order=1, mode="nearest") > 0.0
        found[np.flatnonzero(inside)[touched]] = np.nan
    return found
