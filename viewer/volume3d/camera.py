"""From where the patient is looked at: parallel projection, head up.

Patient axes are DICOM's (LPS, mm). Azimuth 0 looks from the front, so the patient's right is on
the left of the screen; 90 looks from the patient's left, 180 from behind. Elevation 90 looks from
the head, -90 from the feet. A projection that is parallel keeps one scale in mm all over the pane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEWS", "Camera"]

VIEWS = {
    "anterior": (0.0, 0.0),
    "posterior": (180.0, 0.0),
    "left": (90.0, 0.0),
    "right": (-90.0, 0.0),
    "head": (180.0, 90.0),
    "feet": (0.0, -90.0),
}
"""(azimuth, elevation) in degrees. From head and feet the patient's front is at the top."""

_ZOOMS = (0.3, 20.0)
_MARGIN = 1.08
"""Room around the patient at zoom 1."""


@dataclass(frozen=True, slots=True)
class Camera:
    """Directions, magnification and displacement.

    Parameters
    ----------
    azimuth, elevation
        Degrees, see the module.
    zoom
        1 shows the whole patient from every side.
    across, up
        How far the picture is displaced to the right and upwards, in mm.
    """

    azimuth: float = 0.0
    elevation: float = 0.0
    zoom: float = 1.0
    across: float = 0.0
    up: float = 0.0

    def axes(self) -> NDArray[np.float64]:
        """Unit vectors in LPS to the screen's right, upwards and to the viewer; shape (3, 3)."""
        a, e = math.radians(self.azimuth), math.radians(self.elevation)
        right = np.array([math.cos(a), math.sin(a), 0.0])
        level = np.array([math.sin(a), -math.cos(a), 0.0])
        to_viewer = level * math.cos(e) + np.array([0.0, 0.0, math.sin(e)])
        return np.stack([right, np.cross(to_viewer, right), to_viewer])

    def turned(self, across: float, up: float) -> Camera:
        """Turn the patient by so many degrees to the right and upwards."""
        azimuth = (self.azimuth - across + 180.0) % 360.0 - 180.0
        return replace(self, azimuth=azimuth, elevation=min(90.0, max(-90.0, self.elevation - up)))

    def zoomed(self, factor: float) -> Camera:
        """Magnify."""
        return replace(self, zoom=min(_ZOOMS[1], max(_ZOOMS[0], self.zoom * factor)))

    def moved(self, across: float, up: float) -> Camera:
        """Displace the picture by so many mm."""
        return replace(self, across=self.across + across, up=self.up + up)

    def seen_from(self, view: str) -> Camera:
        """Look from a standard side; magnification stays, displacement does not.

        Raises
        ------
        KeyError
            When there is no such side in `VIEWS`.
        """
        azimuth, elevation = VIEWS[view]
        return Camera(azimuth, elevation, self.zoom)

    def half_height(self, bounds: NDArray[np.float64], width: float, height: float) -> float:
        """Half the height of the screen in mm.

        Parameters
        ----------
        bounds
            Lowest and highest LPS mm, shape (2, 3).
        width, height
            Of the screen, in any unit.
        """
        x, y, z = (bounds[1] - bounds[0]) / 2
        # What turns is a trunk in a square of air; its corners may leave the screen.
        across = max(x, y, 1e-3) * _MARGIN
        lying = max(x, y) * abs(math.sin(math.radians(self.elevation)))
        tall = max(z, lying, 1e-3) * _MARGIN
        return float(max(tall, across * height / max(1.0, width)) / self.zoom)

    def project(
        self, points: NDArray[np.float64], bounds: NDArray[np.float64], width: float, height: float
    ) -> NDArray[np.float64]:
        """Find where points are on the screen.

        Parameters
        ----------
        points
            LPS mm, shape (..., 3).
        bounds
            Of the volume; its middle is the middle of the screen unless displaced.
        width, height
            Of the screen, in pixels.

        Returns
        -------
        numpy.ndarray
            Shape (..., 3): pixels from the left, pixels from the top, mm towards the viewer.
        """
        scale = height / 2 / self.half_height(bounds, width, height)
        seen = (points - bounds.mean(axis=0)) @ self.axes().T
        placed: NDArray[np.float64] = np.stack(
            [
                width / 2 + (seen[..., 0] + self.across) * scale,
                height / 2 - (seen[..., 1] + self.up) * scale,
                seen[..., 2],
            ],
            axis=-1,
        )
        return placed

    def focus(self, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """LPS mm of what is in the middle of the screen, shape (3,)."""
        right, up, _ = self.axes()
        point: NDArray[np.float64] = bounds.mean(axis=0) - right * self.across - up * self.up
        return point
