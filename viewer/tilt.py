"""How an oblique plane lies in the patient: plain data, and turning it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Direction", "Tilt"]

Direction = tuple[float, float, float]
"""Along LPS, of length 1."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """Which ways the picture of an oblique plane runs; at first it is a coronal one.

    Parameters
    ----------
    right, down
        Towards the right and the bottom of the screen; at right angles.
    """

    right: Direction = (1.0, 0.0, 0.0)
    down: Direction = (0.0, 0.0, -1.0)

    @property
    def normal(self) -> Direction:
        """At right angles to the plane, away from who looks at it."""
        return _direction(np.cross(self.right, self.down))

    def rotated(self, about: Direction, degrees: float) -> Tilt:
        """Turn the plane about an axis, by the rule of the right hand in LPS.

        Parameters
        ----------
        about
            The axis.
        degrees
            How far; any number.
        """
        right = _rotated(np.asarray(self.right), np.asarray(about), np.deg2rad(degrees))
        down = _rotated(np.asarray(self.down), np.asarray(about), np.deg2rad(degrees))
        # However often it is turned, right angles stay right.
        right /= np.linalg.norm(right)
        down -= (down @ right) * right
        return Tilt(_direction(right), _direction(down / np.linalg.norm(down)))


def _rotated(
    vector: NDArray[np.float64], about: NDArray[np.float64], angle: float
) -> NDArray[np.float64]:
    """Rodrigues' formula."""
    turned: NDArray[np.float64] = (
        vector * np.cos(angle)
        + np.cross(about, vector) * np.sin(angle)
        + about * (about @ vector) * (1.0 - np.cos(angle))
    )
    return turned


def _direction(vector: NDArray[np.float64]) -> Direction:
    x, y, z = (float(value) + 0.0 for value in vector)
    return x, y, z
