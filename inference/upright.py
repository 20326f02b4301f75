"""The patient always the same way round: what looks at pixels is given axial slices of one kind.

Rows run from the patient's front to the back, and columns from right to left, as radiologists read
axial slices and as the networks were trained. How a file stores them (back to front, prone, columns
first, coronal or sagittal slices) is up to its maker; what is computed must not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from inference.studies.model import SliceSource

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["AXIAL", "Upright", "plane_of"]

AXIAL: Final = "axial"
_PLANES: Final = (AXIAL, "coronal", "sagittal")


@dataclass(frozen=True, eq=False, slots=True)
class Upright:
    """A volume as it stands in the patient, and the way back to how it is stored.

    Parameters
    ----------
    volume
        Slices axial, rows from front to back, columns from right to left, as nearly as whole axes
        can; the very volume that was given where it is stored so. Axial slices keep their indices.
    plane
        What the stored slices are: ``"axial"``, ``"coronal"`` or ``"sagittal"``; ``"axial"`` where
        the patient's axes are not known.
    """

    volume: Volume
    plane: str
    _axes: tuple[int, ...]
    _turned: tuple[bool, ...]

    @classmethod
    def of(cls, volume: Volume) -> Upright:
        """Turn a volume by its affine.

        Only whole axes are exchanged and reversed, so that no value changes. A volume whose axes
        in the patient are not known, and what is no CT, stay as they are.
        """
        axes, turned = _order(volume)
        if axes == (0, 1, 2) and not any(turned):
            return cls(volume, AXIAL, axes, turned)
        steps = volume.affine[:3, 2::-1]
        array = np.ascontiguousarray(np.transpose(volume.array, axes)[_reversal(turned)])
        affine = volume.affine.copy()
        for k, (axis, reverse) in enumerate(zip(axes, turned, strict=True)):
            step = steps[:, axis]
            affine[:3, 2 - k] = -step if reverse else step
            if reverse:
                affine[:3, 3] += step * (volume.shape[axis] - 1)
        slices = volume.slices
        if axes[0] != 0:
            slices = (SliceSource(volume.slices[0].path),) * len(array)
        standing = replace(volume, array=array, affine=affine, slices=slices)
        return cls(standing, _PLANES[axes.index(0)], axes, turned)

    @property
    def stored_shape(self) -> tuple[int, int, int]:
        """(slices, rows, columns) of the stored volume."""
        slices, rows, columns = (self.volume.shape[k] for k in np.argsort(self._axes))
        return slices, rows, columns

    def back(self, array: NDArray[Any]) -> NDArray[Any]:
        """Put an array that lies on `volume` back on the stored grid.

        Parameters
        ----------
        array
            Shape of `volume`; of axial slices some are enough, (n, rows, columns).

        Returns
        -------
        ndarray
            The same values, in the order of the stored volume; the same array where it is that.
        """
        if self._axes == (0, 1, 2) and not any(self._turned):
            return array
        home = np.argsort(self._axes)
        return np.ascontiguousarray(np.transpose(array[_reversal(self._turned)], home))


def plane_of(volume: Volume) -> str:
    """What the stored slices of a volume are; see `Upright.plane`."""
    return _PLANES[_order(volume)[0].index(0)]


def _order(volume: Volume) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Which stored axes are slices, rows and columns of the upright volume, and which run back."""
    if not volume.has_orientation or volume.modality != "CT":
        return (0, 1, 2), (False, False, False)
    # By array axis (slices, rows, columns): its direction in the patient, (z, y, x).
    steps = volume.affine[:3, 2::-1]
    along = (steps / np.linalg.norm(steps, axis=0))[::-1]

    def fit(order: tuple[int, ...]) -> float:
        return round(sum(abs(float(along[k, axis])) for k, axis in enumerate(order)), 6)

    # Of ties the first is taken, which leaves most as it is.
    axes = max(permutations(range(3)), key=fit)
    back = tuple(bool(along[k, axis] < 0.0) for k, axis in enumerate(axes))
    # Axial slices keep their order: each is looked at alone, and their indices stay true.
    return axes, (back[0] and axes[0] != 0, *back[1:])


def _reversal(turned: tuple[bool, ...]) -> tuple[slice, ...]:
    return tuple(slice(None, None, -1 if reverse else 1) for reverse in turned)
