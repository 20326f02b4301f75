"""What is measured in one manifestation's mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.cuts import HALF, MIN_LESION_VOXELS, Cut
from inference.findings import Segment
from inference.studies.model import Unit

if TYPE_CHECKING:
    from inference.findings import Manifestation
    from inference.studies.model import Volume

__all__ = ["MIN_LESION_VOXELS", "Components", "bounds", "label_components", "measure"]

_NEIGHBOURS_26: Final = np.ones((3, 3, 3), dtype=np.bool_)


@dataclass(frozen=True, eq=False, slots=True)
class Components:
    """The 26-connected components of a mask.

    Parameters
    ----------
    box
        Part of the grid that holds all that is set; empty where nothing is.
    labels
        Shape of the box: 0 outside, else 1 + place in `sizes`.
    sizes
        Voxels of each component.
    """

    box: tuple[slice, slice, slice]
    labels: NDArray[np.int32]
    sizes: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Which components are large enough to count as lesions."""
        return self.sizes >= MIN_LESION_VOXELS

    @property
    def lesions(self) -> int:
        """How many there are of these."""
        return int(np.count_nonzero(self.counts))


def label_components(mask: NDArray[np.bool_]) -> Components:
    """Tell the components of a mask apart; what is counted and what is listed come from here.

    Parameters
    ----------
    mask
        Shape (slices, rows, columns).
    """
    # Only the box that holds something is labelled: a lesion's box is a fraction of the volume.
    box = bounds(mask)
    part = mask[box]
    labels, count = ndimage.label(part, structure=_NEIGHBOURS_26)
    # What is set is counted, not the box: most of that is empty.
    sizes = np.bincount(labels[part], minlength=count + 1)[1:]
    return Components(box, np.asarray(labels, np.int32), sizes.astype(np.int64))


def bounds(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """Slices, rows and columns between which something is set; empty ones where nothing is."""
    slices = np.flatnonzero(mask.any(axis=(1, 2)))
    if not slices.size:
        return slice(0, 0), slice(0, 0), slice(0, 0)
    held = mask[int(slices[0]) : int(slices[-1]) + 1]
    flat = np.asarray(held.any(axis=0))
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    return (
        slice(int(slices[0]), int(slices[-1]) + 1),
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def measure(
    key: Manifestation,
    mask: NDArray[np.bool_],
    volume: Volume,
    lungs: NDArray[np.bool_] | None,
    model: str,
    cut: Cut = HALF,
) -> Segment:
    """Measure one mask.

    Parameters
    ----------
    key
        Which manifestation it is.
    mask
        Shape of the volume's array, bool; kept, not copied.
    volume
        The volume that the mask lies on.
    lungs
        Lung mask of the same shape, or None when there is none.
    model
        Name of the model that made the mask.
    cut
        How it was made of the model's probabilities.

    Returns
    -------
    Segment
        Lesions are 26-connected components of at least `MIN_LESION_VOXELS`; millilitres are None
        where the spacing is unknown; the percentage of the lung is the mask's volume over the
        lungs', at most 100, and None without lungs; mean HU leaves padding out and is None where
        there are no HU or no voxels.

    Raises
    ------
    ValueError
        When the mask or the lungs lie on another grid.
    """
    if mask.shape != volume.shape:
        raise ValueError(f"the mask is {mask.shape}, the volume {volume.shape}")
    if lungs is not None and lungs.shape != volume.shape:
        raise ValueError(f"the lung mask is {lungs.shape}, the volume {volume.shape}")
    per_slice = np.count_nonzero(mask, axis=(1, 2)).astype(np.int64)
    voxels = int(per_slice.sum())
    return Segment(
        key=key,
        mask=mask,
        model=model,
        lesions=label_components(mask).lesions if voxels else 0,
        largest_slice=int(per_slice.argmax()) if voxels else None,
        volume_ml=voxels * volume.voxel_ml if volume.has_geometry else None,
        percent_of_lung=_percent(voxels, lungs),
        mean_hu=_mean_hu(mask, volume) if voxels else None,
        pixels_per_slice=per_slice,
        cut=cut,
    )


def _percent(voxels: int, lungs: NDArray[np.bool_] | None) -> float | None:
    whole = 0 if lungs is None else int(np.count_nonzero(lungs))
    return min(100.0, 100.0 * voxels / whole) if whole else None


def _mean_hu(mask: NDArray[np.bool_], volume: Volume) -> float | None:
    if volume.unit is not Unit.HU:
        return None
    values = volume.array[mask]
    if volume.padding is not None:
        values = values[~volume.is_padding(values)]
    return float(values.mean(dtype=np.float64)) if values.size else None
