"""Lung mask of a CT by threshold and components (the method of CNR-IEMN, section 4).

Air is below −320 HU; what lies inside the outline of the body, or is cut by the edge of the picture
(`inference.lung_air`), and forms large 3D components is lungs and airways; vessels and dense
lesions inside are closed slice by slice. Slices are axial ones, however the file stores them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import SimpleITK as sitk  # noqa: N813 - the library's own convention
from numpy.typing import NDArray

from inference.lung_air import find_lung_air, reaches_edge
from inference.studies.model import Unit, Volume
from inference.upright import Upright

__all__ = ["Lungs", "dilate", "find_lungs", "reach_squared"]

# ITK writes warnings on the error stream, where nobody could do anything about them.
sitk.ProcessObject.SetGlobalWarningDisplay(False)

MIN_LUNG_ML = 150.0
"""Less than this in a whole volume is not a pair of lungs."""
MIN_COMPONENT_SHARE = 0.05
"""Components smaller than this share of the largest are bowel gas or airways."""
MIN_SLICE_AREA_MM2 = 800.0
"""Slices with less lung are not analysed."""
MIN_SLICE_SHARE = 0.005
"""The same, relative to the picture, for volumes without spacing."""
MIN_CUT_MM = 10.0
"""Lung along the edge of the field of view in some slice, from which on it is said to be cut."""
MIN_SIDE = 16
"""Axial slices with fewer rows or columns are no pictures: there are so few slices of others."""
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
    cut
        The lungs reach the edge of the field of view, so that they are not all there.
    """

    mask: NDArray[np.bool_]
    slices: NDArray[np.bool_]
    found: bool
    cut: bool = False


def _keep_large(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    # Most of a volume is no air inside a body: only what is labelled is counted and looked up.
    kept: NDArray[np.bool_] = labels > 0
    inside = labels[kept]
    sizes = np.bincount(inside)
    if sizes.size:
        kept[kept] = (sizes >= MIN_COMPONENT_SHARE * sizes.max())[inside]
    return kept


def _close_slices(
    mask: NDArray[np.bool_], radii: tuple[int, int], least_area: int, largest_hole: int
) -> NDArray[np.bool_]:
    """Close gaps (vessels, dense lesions at the wall) and fill small holes.

    Slice by slice and lung by lung, so that what lies between the lungs is not closed over; the
    dome of the liver is a hole too large to fill.
    """
    down, across = radii
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * across + 1, 2 * down + 1))
    result = np.zeros(mask.shape, dtype=np.uint8)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        # Closing adds nothing outside the rectangle around what it closes.
        held = (index, *_bounds(mask[index], 0))
        padded = np.pad(mask[held].astype(np.uint8), ((down + 1,) * 2, (across + 1,) * 2))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=8)
        closed = np.zeros_like(padded)
        for label in range(1, count):
            if stats[label, cv2.CC_STAT_AREA] >= least_area:
                # The same holds for each part, with room for the disc.
                left, top, width, height = stats[label, : cv2.CC_STAT_AREA]
                around = (
                    slice(top - down - 1, top + height + down + 1),
                    slice(left - across - 1, left + width + across + 1),
                )
                part = (labels[around] == label).astype(np.uint8)
                filled = cv2.morphologyEx(part, cv2.MORPH_CLOSE, disc)
                closed[around] |= np.asarray(filled, dtype=np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
        small = stats[:, cv2.CC_STAT_AREA] <= largest_hole
        small[labels[0, 0]] = False
        closed[small[labels] & (closed == 0)] = 1
        result[held] = closed[down + 1 : -down - 1, across + 1 : -across - 1]
    return result.astype(bool)


def find_lungs(volume: Volume) -> Lungs:
    """Find the lungs of a CT volume.

    Parameters
    ----------
    volume
        A CT in HU; its slices may be stored in any orientation.

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
    upright = Upright.of(volume)
    standing, cut = _lung_mask(upright.volume)
    mask = upright.back(standing)
    area = mask.sum(axis=(1, 2))
    between, row_mm, column_mm = volume.spacing
    if volume.has_geometry:
        enough = area * row_mm * column_mm >= MIN_SLICE_AREA_MM2
        # A single slice cannot hold the volume of two lungs.
        least_ml = MIN_LUNG_ML if n * between > 50.0 else 0.0
        found = bool(enough.any()) and float(area.sum()) * volume.voxel_ml >= least_ml
    else:
        enough = area >= MIN_SLICE_SHARE * rows * columns
        found = bool(enough.any())
    if not found:
        return Lungs(np.zeros(volume.shape, dtype=bool), np.ones(n, dtype=bool), found=False)
    return Lungs(mask, enough, found=True, cut=cut)


def _lung_mask(volume: Volume) -> tuple[NDArray[np.bool_], bool]:
    """What may be lung in axial slices, and whether the edge of the field of view cuts it."""
    _, rows, columns = volume.shape
    if min(rows, columns) < MIN_SIDE:
        return np.zeros(volume.shape, dtype=bool), False
    spacing = volume.spacing[1:]
    # Each way by itself: slices that lie far apart make oblong pixels of other slices.
    down, across = (
        max(1, round(WORK_SPACING_MM / mm)) if volume.has_geometry else 1 for mm in spacing
    )
    down, across = (
        1 if size // step < 64 else step for size, step in ((rows, down), (columns, across))
    )
    small = np.ascontiguousarray(volume.array[:, ::down, ::across])
    pixel_mm = (spacing[0] * down, spacing[1] * across)
    padding = None if volume.padding is None else volume.is_padding(small)
    air = find_lung_air(small, pixel_mm, padding)
    components = sitk.ConnectedComponent(sitk.GetImageFromArray(air.mask.astype(np.uint8)))
    kept = _keep_large(sitk.GetArrayFromImage(components).astype(np.int32))
    pixel_mm2 = pixel_mm[0] * pixel_mm[1]
    closed = _close_slices(
        kept,
        radii=(max(1, round(CLOSING_MM / pixel_mm[0])), max(1, round(CLOSING_MM / pixel_mm[1]))),
        least_area=round(MIN_PART_MM2 / pixel_mm2),
        largest_hole=round(MAX_HOLE_MM2 / pixel_mm2),
    )
    closed &= ~air.unseen
    cut = bool((reaches_edge(closed, air.unseen) * max(pixel_mm) >= MIN_CUT_MM).any())
    mask: NDArray[np.bool_] = closed.repeat(down, axis=1).repeat(across, axis=2)
    return np.ascontiguousarray(mask[:, :rows, :columns]), cut


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
