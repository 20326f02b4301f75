"""Whether two grids are one: a mask lies where it was made, or nowhere."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID_TOLERANCE_MM", "same_grid"]

GRID_TOLERANCE_MM: Final = 0.01
"""How far apart corners of one grid may lie: rounding in files, far less than any voxel."""


def same_grid(
    shape: tuple[int, int, int],
    affine: NDArray[np.float64],
    other_shape: tuple[int, int, int],
    other_affine: NDArray[np.float64],
) -> bool:
    """Whether two grids have the same voxels in the same places.

    Parameters
    ----------
    shape, other_shape
        (slices, rows, columns).
    affine, other_affine
        4 × 4, voxel (column, row, slice) to LPS mm.

    Returns
    -------
    bool
        The shapes are equal, and no corner lies more than `GRID_TOLERANCE_MM` from its twin.
    """
    if shape != other_shape:
        return False
    corners = np.array([(*c, 1.0) for c in product(*((0.0, n - 1.0) for n in reversed(shape)))])
    apart = corners @ (affine - other_affine).T[:, :3]
    return bool(np.linalg.norm(apart, axis=1).max() <= GRID_TOLERANCE_MM)
