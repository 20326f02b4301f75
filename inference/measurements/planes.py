"""The planes that are measured on: straight ones of the voxel grid, and oblique ones in LPS mm.

Either way a plane has two steps, the ways from one of its pixels to the next across and down, as
voxels (column, row, slice). Of a straight plane they are two axes of the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.studies.model import Volume

__all__ = [
    "Point", "Slant", "Vectors", "parts", "plane_axes", "positions_of", "straight_steps",
]  # fmt: skip

Point: TypeAlias = tuple[float, float, float]
"""(column, row, slice) on the voxel grid, or (x, y, z) in LPS mm."""
Vectors: TypeAlias = NDArray[np.float64]

_ROUNDING: Final = 1e-6
_PARALLEL: Final = 1.0 - 1e-8


@dataclass(frozen=True, slots=True)
class Slant:
    """How an oblique plane lies in the patient, and how densely it is sampled.

    Parameters
    ----------
    right, down
        In LPS, of length 1, at right angles: the sides of boxes run along them.
    step
        Distance of samples in mm. They lie where the distances from the origin of the patient's
        coordinates along `right` and `down` are whole multiples of it, so that a region which is
        moved takes samples of one and the same lattice.
    """

    right: Point
    down: Point
    step: float

    def __post_init__(self) -> None:
        axes = np.array([self.right, self.down])
        if not np.allclose(axes @ axes.T, np.eye(2), rtol=0.0, atol=_ROUNDING):
            raise ValueError("the sides of a plane have length 1 and are at right angles")
        if not (np.isfinite(self.step) and self.step > 0.0):
            raise ValueError("samples are some distance apart")

    @property
    def normal(self) -> Vectors:
        """At right angles to the plane, in LPS; shape (3,), length 1."""
        return np.cross(self.right, self.down)

    def is_parallel(self, other: Slant) -> bool:
        """The planes have the same normal, or opposite ones."""
        return bool(abs(float(self.normal @ other.normal)) > _PARALLEL)

    def flat(self, positions: Sequence[Point] | Vectors) -> Vectors:
        """LPS mm -> (across, down), counted in samples; shape (n, 2)."""
        ways = np.array([self.right, self.down]).T / self.step
        return np.asarray(np.asarray(positions, np.float64) @ ways)

    def lifted(self, flat: Vectors, depth: float) -> Vectors:
        """(across, down) in samples -> LPS mm in the plane at a depth in mm; shape (n, 3)."""
        ways = np.array([self.right, self.down]) * self.step
        return np.asarray(flat @ ways + depth * self.normal)

    def depths(self, positions: Sequence[Point] | Vectors) -> Vectors:
        """Distances in mm from the parallel plane through the origin of LPS; shape (n,)."""
        return np.asarray(np.asarray(positions, np.float64) @ self.normal)

    def steps(self, affine: Vectors) -> Vectors:
        """From one sample to the next across and down, in voxels; shape (3, 2)."""
        ways = np.array([self.right, self.down]).T * self.step
        return np.asarray(np.linalg.solve(affine[:3, :3], ways))


def plane_axes(axis: int) -> tuple[int, int]:
    """Voxel axes that run across and down a plane as stored: (column, row) of a slice."""
    return {0: (1, 2), 1: (0, 2), 2: (0, 1)}[axis]


def straight_steps(axis: int) -> Vectors:
    """From one pixel to the next across and down a plane of the grid; shape (3, 2)."""
    return np.eye(3)[:, list(plane_axes(axis))]


def parts(steps: Vectors, way: Sequence[float] | Vectors) -> tuple[float, float]:
    """How many steps across and down a way in their plane is."""
    # By the normal equations, which of a straight plane are exact.
    across, down = np.linalg.solve(steps.T @ steps, steps.T @ np.asarray(way, np.float64))
    return float(across), float(down)


def positions_of(volume: Volume, points: Sequence[Point]) -> tuple[Point, ...]:
    """Points of the voxel grid in LPS mm."""
    found = (volume.position(*point) for point in points)
    return tuple((float(x), float(y), float(z)) for x, y, z in found)
