"""The chest wall and the lungs' outlines: one slice at a time, from outside to inside."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.sample.grid import (
    ANGLES,
    Image,
    along,
    around,
    blend,
    cover,
    half_ellipse_radius,
    maps,
    smooth_noise,
)

__all__ = ["AIR", "FAT", "MUSCLE", "WallPainter", "cavity_distance"]

AIR: Final = -1000.0
FAT: Final = -102.0
MUSCLE: Final = 52.0

_CAVITY_WIDTH = along((-164, 128), (-110, 136), (-60, 134), (-20, 128), (20, 116), (50, 100),
                      (75, 80), (95, 62), (122, 50))  # fmt: skip
_CAVITY_FRONT = along((-164, 92), (-110, 97), (-60, 98), (-10, 92), (30, 80), (60, 66), (95, 52))
_CAVITY_BACK = along((-164, 96), (-110, 104), (-60, 106), (0, 102), (40, 92), (75, 76), (100, 62))

_ANGLE = (np.arange(ANGLES) / ANGLES - 0.5) * 2 * np.pi
"""0 in front, positive to the left."""
_TURN = np.abs(_ANGLE)


def _bump(centre: float, width: float) -> NDArray[np.float64]:
    """A smooth bump round the body, in radians from the front, on both sides."""
    result: NDArray[np.float64] = np.exp(-(((_TURN - centre) / width) ** 2))
    return result


def cavity_distance(z: float) -> Image:
    """Distance to the inner surface of the rib cage at a height; negative inside."""
    radius = half_ellipse_radius(
        float(_CAVITY_WIDTH(z)), float(_CAVITY_FRONT(z)), float(_CAVITY_BACK(z)), 2.35
    )
    radius *= 1 + 0.012 * np.sin(_ANGLE + 0.4) + 0.01 * np.sin(3 * _ANGLE + 1.0)
    return np.asarray(maps()[2] - around(radius), dtype=np.float32)


def _muscle_thickness(z: float) -> NDArray[np.float64]:
    pectoral = float(along((-60, 0), (-15, 5), (30, 17), (70, 20), (122, 10))(z))
    flank = float(along((-120, 0), (-60, 5), (0, 12), (45, 36), (62, 72), (80, 100), (122, 130))(z))
    spinal = float(along((-164, 27), (-60, 24), (20, 26), (122, 50))(z))
    front = float(along((-164, 10), (0, 9), (60, 14), (122, 26))(z))
    thickness: NDArray[np.float64] = (
        front
        + pectoral * _bump(0.85, 0.42)
        + flank * _bump(1.85, 0.5)
        + (spinal - front) * np.exp(-(((np.pi - _TURN) / 0.42) ** 2))
        + 5 * _bump(2.5, 0.5)
        - 4 * np.exp(-(((np.pi - _TURN) / 0.07) ** 2))
    )
    return thickness


def _fat_thickness(z: float) -> NDArray[np.float64]:
    front = float(along((-164, 15), (-80, 10), (0, 13), (60, 9), (122, 7))(z))
    side = float(along((-164, 10), (-60, 8), (40, 9), (122, 14))(z))
    thickness: NDArray[np.float64] = (
        side
        + (front - side) * np.exp(-((_TURN / 1.1) ** 2))
        - 3 * np.exp(-(((np.pi - _TURN) / 0.5) ** 2))
        + 6 * _bump(0.7, 0.25) * float(along((-60, 0), (-20, 1), (30, 0.6), (60, 0))(z))
    )
    return thickness


class WallPainter:
    """Skin, fat and muscle; holds the noise that makes layers of the muscle."""

    def __init__(self, rng: np.random.Generator, slices: int) -> None:
        self._streaks = smooth_noise(rng, (max(2, slices // 4), 90, 44), (slices, 260, ANGLES))
        _, _, radius, position = maps()
        self._row = np.clip(radius, 0, 259).astype(np.intp)
        self._column = position.astype(np.intp) % ANGLES

    def flesh(self, index: int) -> Image:
        """HU of muscle with the fat between its layers; shape (rows, columns)."""
        streak = self._streaks[index][self._row, self._column]
        return np.asarray(MUSCLE + 5 * streak - 150 * np.clip(streak - 1.3, 0, 1), np.float32)

    def paint(self, hu: Image, index: int, z: float) -> Image:
        """Paint one slice from the skin to the rib cage, whose inside is left as fat.

        Returns the distance to the inner surface of the rib cage in mm; negative inside.
        """
        cavity = cavity_distance(z)
        muscle = cavity - around(_muscle_thickness(z))
        skin = muscle - around(_fat_thickness(z))
        blend(hu, cover(skin - 2.0), 20.0)
        blend(hu, cover(skin), FAT)
        blend(hu, cover(muscle, 1.5) * cover(-cavity), self.flesh(index))
        blend(hu, cover(np.abs(cavity - 1.0) - 1.5), 30.0)
        return cavity
