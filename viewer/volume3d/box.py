"""The clipping box: six faces at right angles to the patient's axes, each dragged by a handle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viewer.volume3d.wire import Box

if TYPE_CHECKING:
    from viewer.volume3d.camera import Camera

__all__ = ["EDGES", "ClipBox"]

EDGES = tuple((a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1)
"""Pairs of `ClipBox.corners` with an edge between them."""

_THINNEST = 5.0
"""mm that stay between two faces."""
_SEEN = 0.15
"""A face whose normal is shorter on the screen than this share is not dragged: it would jump."""


@dataclass(frozen=True, slots=True)
class ClipBox:
    """Lowest and highest LPS mm of what is drawn, inside the volume's own."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]

    @staticmethod
    def around(bounds: NDArray[np.float64]) -> ClipBox:
        """A box that cuts nothing off."""
        low, high = bounds
        return ClipBox(
            (float(low[0]), float(low[1]), float(low[2])),
            (float(high[0]), float(high[1]), float(high[2])),
        )

    @property
    def corners(self) -> NDArray[np.float64]:
        """Shape (8, 3): bit a of the index says whether axis a is high."""
        ends = np.array([self.low, self.high])
        return np.array([[ends[i >> a & 1][a] for a in range(3)] for i in range(8)])

    def pair(self) -> Box:
        """Both corners."""
        return self.low, self.high

    def handles(self) -> NDArray[np.float64]:
        """Middles of the faces, shape (6, 3): low x, y, z, then high x, y, z."""
        middle = (np.array(self.low) + self.high) / 2
        points = np.tile(middle, (6, 1))
        for axis in range(3):
            points[axis, axis] = self.low[axis]
            points[axis + 3, axis] = self.high[axis]
        return points

    def dragged(
        self,
        face: int,
        across: float,
        up: float,
        camera: Camera,
        bounds: NDArray[np.float64],
    ) -> ClipBox:
        """Move a face.

        Parameters
        ----------
        face
            Index of `handles`.
        across, up
            How far the mouse went, in mm of the screen.
        camera
            What the screen shows.
        bounds
            Of the volume, shape (2, 3): the box stays inside.
        """
        axis, is_high = face % 3, face >= 3
        seen = camera.axes()[:2, axis]
        length = float(seen @ seen)
        if length < _SEEN**2:
            return self
        mm = (across * seen[0] + up * seen[1]) / length
        if is_high:
            value = min(max(self.high[axis] + mm, self.low[axis] + _THINNEST), bounds[1, axis])
            return replace(self, high=_with(self.high, axis, value))
        value = max(min(self.low[axis] + mm, self.high[axis] - _THINNEST), bounds[0, axis])
        return replace(self, low=_with(self.low, axis, value))

    def draggable(self, face: int, camera: Camera) -> bool:
        """The face is not seen straight on."""
        return float(np.linalg.norm(camera.axes()[:2, face % 3])) >= _SEEN


def _with(point: tuple[float, float, float], axis: int, value: float) -> tuple[float, float, float]:
    x, y, z = (float(value) if a == axis else point[a] for a in range(3))
    return x, y, z
