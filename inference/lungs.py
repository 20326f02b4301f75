"""Lung mask of a CT by threshold and components (the method of CNR-IEMN, section 4).

Air is below −320 HU; what lies inside the outline of the body and forms large 3D components is
lungs and airways; vessels and dense lesions inside are closed slice by slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813 - the library's own convention
from numpy.typing import NDArray

from inference.studies.model import Unit, Volume

__all__ = ["Lungs", "dilate", "find_lungs", "reach_squared"]

AIR_THRESHOLD_HU = -320
MIN_LUNG_ML = 150.0
"""Less than this in a whole volume is not a pair of lungs."""
MIN_COMPONENT_SHARE = 0.05
"""Components smaller than this share of the largest are bowel gas or airways."""
MIN_SLICE_AREA_MM2 = 800.0
"""Slices with less lung are not analysed."""
MIN_SLICE_SHARE = 0.005
"""The same, relative to the picture, for volumes without spacing."""
BODY_SHARE = 0.3
"""Outlines of at least this share of the largest are body (arms, a neck between shoulders)."""
CLOSING_MM = 14.0
MIN_PART_MM2 = 30.0
"""Smaller parts of a slice are specks."""
MAX_HOLE_MM2 = 600.0
"""Larger holes in a slice are no vessel and no nodule."""
WORK_SPACING_MM = 1.4
"""In-plane spacing at which components are sought; the mask returns to the source grid."""


@dataclass(frozen=True, eq=False, slots=True)
class Lungs:
    """Lungs of a volume.

    Parameters
    ----------
    mask
        Shape of the volume, bool.
    slices
        Length slices, bool: slices with enough lung to analyse.
    found
        False when no lungs were found; `mask` is then empty and `slices` all True.
    """

    mask: NDArray[np.bool_]
    slices: NDArray[np.bool_]
    found: bool


def _inside_air(air: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Air inside the outline of the body, slice by slice.

    By slices, since slices that lie far apart would join the lungs to the air above the
    shoulders; by the body's outline, since air in the table is not outside air either.
    """
    inside = np.zeros_like(air)
    for index, slice_ in enumerate(air):
        tissue = (~slice_).astype(np.uint8)
        contours, _ = cv2.findContours(tissue, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            continue
        areas = [cv2.contourArea(c) for c in contours]
        large = [c for c, a in zip(contours, areas, strict=True) if a > BODY_SHARE * max(areas)]
        body = cv2.drawContours(np.zeros_like(tissue), large, -1, 1, cv2.FILLED)
        inside[index] = slice_ & body.astype(bool)
    return inside


def _keep_large(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    # Most of a volume is no air inside a body: only what is labelled is counted and looked up.
    kept: NDArray[np.bool_] = labels > 0
    inside = labels[kept]
    sizes = np.bincount(inside)
    if sizes.size:
        kept[kept] = (sizes >= MIN_COMPONENT_SHARE * sizes.max())[inside]
    return kept


def _close_slices(
    mask: NDArray[np.bool_], radius: int, least_area: int, largest_hole: int
) -> NDArray[np.bool_]:
    """Close gaps (vessels, dense lesions at the wall) and fill small holes.

    Slice by slice and lung by lung, so that what lies between the lungs is not closed over; the
    dome of the liver is a hole too large to fill.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    result = np.zeros(mask.shape, dtype=np.uint8)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        # Closing adds nothing outside the rectangle around what it closes.
        held = (index, *_bounds(mask[index], 0))
        padded = np.pad(mask[held].astype(np.uint8), radius + 1)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=8)
        closed = np.zeros_like(padded)
        for label in range(1, count):
            if stats[label, cv2.CC_STAT_AREA] >= least_area:
                # The same holds for each part, with room for the disc.
                left, top, width, height = stats[label, : cv2.CC_STAT_AREA]
                around = (
                    slice(top - radius - 1, top + height + radius + 1),
                    slice(left - radius - 1, left + width + radius + 1),
                )
                part = (labels[around] == label).astype(np.uint8)
                filled = cv2.morphologyEx(part, cv2.MORPH_CLOSE, disc)
                closed[around] |= np.asarray(filled, dtype=np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] <= largest_hole
        small[labels[0, 0]] = False
        closed[small[labels] & (closed == 0)] = 1
        result[held] = closed[radius + 1 : -radius - 1, radius + 1 : -radius - 1]
    return result.astype(bool)


def find_lungs(volume: Volume) -> Lungs:
    """Find the lungs of a CT volume.

    Parameters
    ----------
    volume
        A CT in HU.

    Returns
    -------
    Lungs
        On the volume's grid.

    Raises
    ------
    ValueError
        When the volume has no HU.
    """
    if volume.unit is not Unit.HU:
        raise ValueError("lungs are found by HU, which this volume does not have")
    n, rows, columns = volume.shape
    row_mm, column_mm = volume.spacing[1:]
    step = max(1, round(WORK_SPACING_MM / max(row_mm, column_mm))) if volume.has_geometry else 1
    if min(rows, columns) // step < 64:
        step = 1
    small = np.ascontiguousarray(volume.array[:, ::step, ::step])
    inside = _inside_air(small < AIR_THRESHOLD_HU)
    components = sitk.ConnectedComponent(sitk.GetImageFromArray(inside.astype(np.uint8)))
    kept = _keep_large(sitk.GetArrayFromImage(components).astype(np.int32))
    pixel_mm = max(row_mm, column_mm) * step
    closed = _close_slices(
        kept,
        radius=max(1, round(CLOSING_MM / pixel_mm)),
        least_area=round(MIN_PART_MM2 / pixel_mm**2),
        largest_hole=round(MAX_HOLE_MM2 / pixel_mm**2),
    )
    mask: NDArray[np.bool_] = closed.repeat(step, axis=1).repeat(step, axis=2)[:, :rows, :columns]
    mask = np.ascontiguousarray(mask)
    area = mask.sum(axis=(1, 2))
    if volume.has_geometry:
        enough = area * row_mm * column_mm >= MIN_SLICE_AREA_MM2
        # A single slice cannot hold the volume of two lungs.
        least_ml = MIN_LUNG_ML if n * volume.spacing[0] > 50.0 else 0.0
        found = bool(enough.any()) and float(area.sum()) * volume.voxel_ml >= least_ml
    else:
        enough = area >= MIN_SLICE_SHARE * rows * columns
        found = bool(enough.any())
    if not found:
        return Lungs(np.zeros(volume.shape, dtype=bool), np.ones(n, dtype=bool), found=False)
    return Lungs(mask, enough, found=True)


def dilate(mask: NDArray[np.bool_], volume: Volume, millimetres: float) -> NDArray[np.bool_]:
    """Grow a mask in-plane by a distance.

    Parameters
    ----------
    mask
        Shape of the volume, bool.
    volume
        Gives the spacing.
    millimetres
        How far.

    Returns
    -------
    ndarray
        Shape of the volume, bool.
    """
    row_mm, column_mm = volume.spacing[1:]
    if row_mm != column_mm:
        across, along = max(1, round(millimetres / column_mm)), max(1, round(millimetres / row_mm))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * across + 1, 2 * along + 1))
        return np.stack([cv2.dilate(s.astype(np.uint8), disc).astype(bool) for s in mask])
    grown = mask.copy()
    reach = int(millimetres / row_mm) + 2
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        # Beyond its reach nothing changes, and distances are the dear part.
        near = (index, *_bounds(mask[index], reach))
        outside = (~mask[near]).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        grown[near] = _within(np.asarray(distance, np.float32), row_mm, millimetres)
    return grown


def _within(
    distance: NDArray[np.float32], pixel_mm: float, millimetres: float
) -> NDArray[np.bool_]:
    return np.asarray(distance * pixel_mm <= millimetres + 1e-3)


def reach_squared(millimetres: float, pixel_mm: float) -> int:
    """The square of the greatest distance, in pixels, that `dilate` grows a mask by.

    Parameters
    ----------
    millimetres
        How far it is to grow.
    pixel_mm
        Side of a pixel, the same both ways.
    """
    squares = np.arange((int(millimetres / pixel_mm) + 2) ** 2)
    # As the distance transform has it, so that a pixel just within reach is so here, too.
    within = _within(np.sqrt(squares.astype(np.float32)), pixel_mm, millimetres)
    return int(np.flatnonzero(within)[-1])


def _bounds(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    """Rows and columns of what is set in a slice, and so many pixels more where there are any."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin + 1),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin + 1),
    )
