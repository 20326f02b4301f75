"""Where in the lungs something lies: patient's side, third of the height, depth under the surface.

One mask holds both lungs, and the airways join them, so the sides are told apart here. Everything
comes from the affine, nothing from the screen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.lesion_data import Side, Zone
from inference.quantify import bounds

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["LungRegions", "depth_in_slice"]

_BIN_MM: Final = 2.0
"""Width of the bins in which lung is counted along a patient axis."""
_STEP: Final = 3
"""Every so many rows and columns are enough to count lung along an axis."""
_SMOOTH_BINS: Final = 5
_VALLEY_SHARE: Final = 0.6
"""Between two lungs there is less lung than so much of the smaller lung's thickest place."""
_SPLIT_SHARE: Final = 0.2
"""A part of a slice with so much on either side of the midline is two lungs that touch."""
_HEIGHT_SHARE: Final = 0.05
"""Levels with less of the lung's widest cross-section are the trachea or the tip of a recess."""
_CUT_SHARE: Final = 0.3
"""A lung whose first or last slice has so much of its widest one goes on outside the scan."""
_BOTH_SHARE: Final = 0.1
"""What lies by so much in the other lung too lies in both."""


_CODES: Final = {Side.RIGHT: 1, Side.LEFT: 2}


@dataclass(frozen=True, slots=True)
class _Heights:
    """Lowest and highest level of a lung, LPS z in mm."""

    low: float
    high: float


class LungRegions:
    """The two lungs of a volume.

    Parameters
    ----------
    lungs
        Lung mask, shape of the volume.
    volume
        With orientation and spacing.

    Raises
    ------
    ValueError
        When the mask is empty, or the volume has no orientation or no spacing.
    """

    def __init__(self, lungs: NDArray[np.bool_], volume: Volume) -> None:
        if not (volume.has_orientation and volume.has_geometry):
            raise ValueError("without patient axes there are no sides")
        self._box = bounds(lungs)
        self._origin = tuple(part.start for part in self._box)
        self._affine = volume.affine
        self._mask = lungs[self._box]
        if not self._mask.size:
            raise ValueError("there is no lung in the mask")
        self._slices = np.flatnonzero(self._mask.any(axis=(1, 2)))
        coarse = self._mask[:, ::_STEP, ::_STEP]
        where = np.nonzero(coarse)
        midline = _midline(self._along(0, where, _STEP))
        self._sides: NDArray[np.uint8] | None = None
        self._heights: dict[Side, _Heights | None] = {}
        if midline is not None:
            self._sides = self._told_apart(midline)
            self._heights = self._measured(self._sides, where, volume)

    @property
    def told_apart(self) -> bool:
        """Right and left lung could be told apart."""
        return self._sides is not None

    def side(
        self, voxels: tuple[NDArray[np.intp], ...], centre: tuple[int, int, int]
    ) -> Side | None:
        """Side of something; None where the lungs could not be told apart.

        Parameters
        ----------
        voxels
            Its (slices, rows, columns) on the volume's grid.
        centre
            Its middle, (slice, row, column): the lung nearest to it decides where it lies in none.
        """
        if self._sides is None:
            return None
        counts = np.bincount(self._looked_up(self._sides, voxels), minlength=3)
        right, left = int(counts[1]), int(counts[2])
        if right + left == 0:
            return self._nearest(self._sides, centre)
        if min(right, left) >= _BOTH_SHARE * (right + left):
            return Side.BOTH
        return Side.RIGHT if right > left else Side.LEFT

    def zone(self, centre: tuple[int, int, int], side: Side | None) -> Zone | None:
        """Third of the height of the lung of that side at a voxel (slice, row, column).

        None where the side is unknown, or the lung reaches beyond the scan. What lies above or
        below the lung belongs to its upper or lower third.
        """
        heights = self._heights.get(side) if side is not None else None
        if heights is None or heights.high <= heights.low:
            return None
        slice_, row, column = centre
        level = float((self._affine @ np.array([column, row, slice_, 1.0]))[2])
        share = (level - heights.low) / (heights.high - heights.low)
        if share < 1 / 3:
            return Zone.LOWER
        return Zone.UPPER if share >= 2 / 3 else Zone.MIDDLE

    # -- telling apart -----------------------------------------------------------------------

    def _along(
        self, axis: int, where: tuple[NDArray[np.intp], ...], step: int
    ) -> NDArray[np.float64]:
        """LPS coordinate of voxels of the box, given every `step` rows and columns."""
        slices, rows, columns = where
        first, top, left = self._origin
        affine = self._affine[axis]
        along: NDArray[np.float64] = (
            affine[0] * (left + step * columns)
            + affine[1] * (top + step * rows)
            + affine[2] * (first + slices)
            + affine[3]
        )
        return along

    def _told_apart(self, midline: float) -> NDArray[np.uint8]:
        """1 right, 2 left, 0 none; slice by slice and part by part."""
        sides = np.zeros(self._mask.shape, np.uint8)
        _, rows, columns = self._mask.shape
        row, column = np.ogrid[:rows, :columns]
        flat = self._affine[0, 0] * column + self._affine[0, 1] * row
        first = self._along(0, (np.zeros(1, np.intp),) * 3, 1)[0]
        for index, slice_ in enumerate(self._mask):
            if not slice_.any():
                continue
            is_left = flat + first + self._affine[0, 2] * index > midline
            count, parts = cv2.connectedComponents(slice_.astype(np.uint8), connectivity=8)
            areas = np.bincount(parts.ravel(), minlength=count)
            lefts = np.bincount(parts[is_left], minlength=count)
            share = lefts / np.maximum(areas, 1)
            two = np.minimum(share, 1.0 - share) >= _SPLIT_SHARE
            chosen = np.where(two[parts], is_left, (share > 0.5)[parts])
            sides[index] = np.where(slice_, np.where(chosen, 2, 1), 0)
        return sides

    def _measured(
        self, sides: NDArray[np.uint8], where: tuple[NDArray[np.intp], ...], volume: Volume
    ) -> dict[Side, _Heights | None]:
        levels = self._along(2, where, _STEP)
        codes = sides[:, ::_STEP, ::_STEP][where]
        right, left = (
            _heights(levels[codes == code]) if self._is_whole(sides == code, volume) else None
            for code in _CODES.values()
        )
        both = None
        if right is not None and left is not None:
            both = _Heights(min(right.low, left.low), max(right.high, left.high))
        return {Side.RIGHT: right, Side.LEFT: left, Side.BOTH: both}

    def _is_whole(self, lung: NDArray[np.bool_], volume: Volume) -> bool:
        """The lung does not reach beyond the first or the last slice."""
        if int(np.argmax(np.abs(volume.affine[:3, 2]))) != 2:
            return True
        areas = np.zeros(volume.shape[0], np.int64)
        areas[self._box[0]] = np.count_nonzero(lung, axis=(1, 2))
        return bool(max(areas[0], areas[-1]) < _CUT_SHARE * max(1, areas.max()))

    # -- looking up --------------------------------------------------------------------------

    def _looked_up(
        self, values: NDArray[np.uint8], voxels: tuple[NDArray[np.intp], ...]
    ) -> NDArray[np.uint8]:
        """Values at voxels of the volume that lie in the box."""
        inside = np.ones(voxels[0].shape, np.bool_)
        for place, part in zip(voxels, self._box, strict=True):
            inside &= (place >= part.start) & (place < part.stop)
        shifted = (p[inside] - s for p, s in zip(voxels, self._origin, strict=True))
        found: NDArray[np.uint8] = values[tuple(shifted)]
        return found

    def _nearest(self, sides: NDArray[np.uint8], centre: tuple[int, int, int]) -> Side | None:
        """Side of the lung voxel nearest to a voxel, in the nearest slice that has lung."""
        away = np.abs(self._slices + self._origin[0] - centre[0])
        index = int(self._slices[away.argmin()])
        rows, columns = np.nonzero(sides[index])
        steps = np.stack(
            [columns + self._origin[2] - centre[2], rows + self._origin[1] - centre[1]]
        )
        nearest = int(np.square(self._affine[:3, :2] @ steps).sum(axis=0).argmin())
        code = int(sides[index, rows[nearest], columns[nearest]])
        return next(side for side, own in _CODES.items() if own == code)


def depth_in_slice(lungs: NDArray[np.bool_], volume: Volume) -> NDArray[np.float32]:
    """How deep each pixel of one slice lies in the lung, in mm.

    A pixel deeper than t is one that stays when the slice is eroded by a disc of radius t.

    Parameters
    ----------
    lungs
        Lung mask of a slice or of a part of it, shape (rows, columns); outside is no lung.
    volume
        Gives the spacing.

    Returns
    -------
    ndarray
        Shape (rows, columns), float32: distance to the nearest pixel that is no lung, between
        centres; 0 outside the lungs.
    """
    _, row_mm, column_mm = volume.spacing
    padded = np.pad(lungs, 1)
    if np.isclose(row_mm, column_mm, rtol=1e-3):
        flat = cv2.distanceTransform(padded.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        depth = np.asarray(flat, np.float32) * np.float32(row_mm)
    else:
        depth = np.asarray(
            ndimage.distance_transform_edt(padded, sampling=(row_mm, column_mm)), np.float32
        )
    return depth[1:-1, 1:-1]


def _midline(across: NDArray[np.float64]) -> float | None:
    """LPS x between two lungs; None where there is no valley between two of them.

    Parameters
    ----------
    across
        LPS x of lung voxels, in mm.
    """
    if not across.size:
        return None
    low, high = float(across.min()), float(across.max())
    bins = int((high - low) / _BIN_MM) + 1
    profile = np.histogram(across, bins=bins, range=(low, low + bins * _BIN_MM))[0]
    smooth = ndimage.uniform_filter1d(profile.astype(np.float64), _SMOOTH_BINS, mode="nearest")
    first, last = bins // 4, bins - bins // 4
    if last - first < _SMOOTH_BINS:
        return None
    middle = smooth[first:last]
    # The middle of the gap where there is nothing between them.
    least = first + int(np.median(np.flatnonzero(middle <= middle.min())))
    peak = min(smooth[: least + 1].max(), smooth[least:].max())
    if smooth[least] >= _VALLEY_SHARE * peak:
        return None
    return low + (least + 0.5) * _BIN_MM


def _heights(levels: NDArray[np.float64]) -> _Heights | None:
    """Lowest and highest level with enough lung to be lung."""
    if not levels.size:
        return None
    # Levels of slices, or bins where slices are not across the long axis.
    rounded = np.rint(levels / _BIN_MM).astype(np.int64)
    base = int(rounded.min())
    profile = np.bincount(rounded - base)
    enough = np.flatnonzero(profile >= _HEIGHT_SHARE * profile.max())
    low, high = base + int(enough[0]), base + int(enough[-1])
    return _Heights((low - 0.5) * _BIN_MM, (high + 0.5) * _BIN_MM)
