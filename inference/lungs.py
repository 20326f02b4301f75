"""Lung mask of a CT by threshold and components (the method of CNR-IEMN, section 4).

Below −320 HU; what touches the picture's border is the air outside; the large components left are
lungs and airways; vessels and dense lesions inside are closed slice by slice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the library's own convention
from numpy.typing import NDArray

from inference.studies.model import Unit, Volume

__all__ = ["Lungs", "dilate", "find_lungs"]

AIR_THRESHOLD_HU = -320
MIN_LUNG_ML = 150.0
"""Less than this in a whole volume is not a pair of lungs."""
MIN_COMPONENT_SHARE = 0.05
"""Components smaller than this share of the largest are bowel gas or airways."""
MIN_SLICE_AREA_MM2 = 800.0
"""Slices with less lung are not analysed."""
MIN_SLICE_SHARE = 0.005
"""The same, relative to the picture, for volumes without spacing."""
CLOSING_MM = 10.0
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


def _not_outside(air: sitk.Image) -> NDArray[np.int32]:
    """Labels of air components that do not touch the in-plane border, largest first."""
    labels = sitk.RelabelComponent(sitk.ConnectedComponent(air), sortByObjectSize=True)
    values = sitk.GetArrayFromImage(labels).astype(np.int32)
    border = np.unique(
        np.concatenate([values[:, 0], values[:, -1], values[:, :, 0], values[:, :, -1]], axis=None)
    )
    values[np.isin(values, border[border > 0])] = 0
    return values


def _keep_large(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    if not sizes.any():
        return np.zeros(labels.shape, dtype=bool)
    keep = sizes >= MIN_COMPONENT_SHARE * sizes.max()
    keep[0] = False
    kept: NDArray[np.bool_] = keep[labels]
    return kept


def _close_slices(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Close gaps (vessels, dense lesions at the wall) and fill holes, slice by slice."""
    result = np.zeros_like(mask)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        image = sitk.GetImageFromArray(mask[index].astype(np.uint8))
        # Safe border: what touches the edge of the picture is not eaten away.
        image = sitk.BinaryMorphologicalClosing(image, [radius, radius], sitk.sitkBall, 1.0, True)
        image = sitk.BinaryFillhole(image)
        result[index] = sitk.GetArrayViewFromImage(image).astype(bool)
    return result


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
    labels = _not_outside(sitk.GetImageFromArray((small < AIR_THRESHOLD_HU).astype(np.uint8)))
    kept = _keep_large(labels)
    del labels
    radius = max(1, round(CLOSING_MM / (max(row_mm, column_mm) * step)))
    closed = _close_slices(kept, radius)
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
    import cv2

    across = max(1, round(millimetres / volume.spacing[2]))
    along = max(1, round(millimetres / volume.spacing[1]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * across + 1, 2 * along + 1))
    return np.stack([cv2.dilate(s.astype(np.uint8), disc).astype(bool) for s in mask])
