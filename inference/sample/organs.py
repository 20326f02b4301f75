"""Heart, great vessels, airways' trunk, and what lies under the diaphragm."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from inference.sample.bones import SPINE_Y
from inference.sample.chest import FAT
from inference.sample.grid import COLUMNS, Image, along, blend, cover, ellipse, maps

__all__ = ["Diaphragm", "Mediastinum", "paint_abdomen"]

_BLOOD: Final = 42.0

# HU, radius, then the course in mm
_TUBES: Final[tuple[tuple[float, float, tuple[tuple[float, float, float], ...]], ...]] = (
    (_BLOOD, 15, ((2, -22, -34), (-8, -32, 4), (-7, -28, 28))),  # ascending aorta
    (_BLOOD, 12.5, ((-7, -28, 28), (4, -10, 40), (18, 16, 39), (26, 33, 26))),  # arch
    (_BLOOD, 11.5, ((26, 33, 28), (28, 37, -20), (22, 35, -80), (11, 27, -170))),  # descending
    (_BLOOD, 14, ((18, -42, -30), (24, -28, -4))),  # pulmonary trunk
    (_BLOOD, 10.5, ((24, -28, -4), (34, -2, 4), (46, 12, -4))),
    (_BLOOD, 9.5, ((22, -24, -6), (-2, -10, -8), (-38, 2, -12))),
    (_BLOOD, 9, ((-24, -12, -35), (-26, -18, 42))),  # superior vena cava
    (_BLOOD, 7, ((-24, -22, 42), (0, -42, 50), (34, -36, 74))),
    (_BLOOD, 7, ((-24, -20, 40), (-34, -24, 78), (-40, -20, 122))),
    (_BLOOD, 6, ((-4, -22, 40), (-16, -8, 75), (-28, -4, 125))),
    (_BLOOD, 4.2, ((6, -10, 44), (16, -6, 80), (22, -4, 125))),
    (_BLOOD, 5, ((16, 10, 44), (26, 10, 78), (50, 4, 100), (90, -10, 96))),
    (_BLOOD, 11, ((-24, -2, -78), (-20, 6, -170))),  # inferior vena cava
    (_BLOOD, 7, ((-40, 10, -30), (-8, 10, -34))),  # pulmonary veins
    (_BLOOD, 7, ((46, 15, -30), (12, 10, -34))),
    (_BLOOD, 3.2, ((-7, 32, -150), (-8, 36, 20), (-16, 22, 30), (-24, -8, 30))),  # azygos
    (34.0, 7, ((3, 19, 125), (5, 28, 0), (8, 22, -70), (15, 8, -125))),  # oesophagus
)

# centre, radii, turn in degrees
_HEART: Final = (
    ((40, -28, -62), (44, 34, 44), 38.0),
    ((10, -50, -62), (46, 30, 43), 14.0),
    ((-26, -24, -54), (28, 32, 40), 0.0),
    ((4, 4, -38), (36, 20, 22), 0.0),
)

_AIRWAY: Final = (
    (8.6, 1.6, ((0, 0, 130), (1, 13, 3))),
    (7.0, 1.4, ((1, 13, 3), (-32, 8, -18))),
    (6.0, 1.4, ((1, 13, 3), (40, 14, -25))),
)


def _smooth_union(a: Image, b: Image, k: float) -> Image:
    h = np.maximum(k - np.abs(a - b), 0) / k
    joined: Image = (np.minimum(a, b) - h * h * np.float32(k / 4)).astype(np.float32)
    return joined


def _tube(x: Image, y: Image, z: float, path: tuple[tuple[float, float, float], ...],
          radius: float) -> Image | None:  # fmt: skip
    """Distance to a tube in the slice, or None when it does not come near."""
    best: Image | None = None
    for start, end in pairwise(path):
        if z < min(start[2], end[2]) - radius - 12 or z > max(start[2], end[2]) + radius + 12:
            continue
        axis = np.subtract(end, start).astype(np.float32)
        dx, dy, dz = x - np.float32(start[0]), y - np.float32(start[1]), np.float32(z - start[2])
        at = np.clip((dx * axis[0] + dy * axis[1] + dz * axis[2]) / (axis @ axis), 0, 1)
        distance = np.sqrt(
            (dx - at * axis[0]) ** 2 + (dy - at * axis[1]) ** 2 + (dz - at * axis[2]) ** 2
        ) - np.float32(radius)
        best = distance if best is None else np.minimum(best, distance)
    return best


class Mediastinum:
    """What stands between the lungs in one slice: distances, to carve first and to paint later."""

    _LEFT, _RIGHT = COLUMNS // 2 - 150, COLUMNS // 2 + 165

    def __init__(self, z: float) -> None:
        self._z = z
        x, y, _, _ = maps()
        self._x, self._y = x[:, self._LEFT : self._RIGHT], y
        far = np.full((y.shape[0], self._x.shape[1]), 99.0, np.float32)
        self._tubes = [
            (value, distance)
            for value, radius, path in _TUBES
            if (distance := _tube(self._x, self._y, z, path, radius)) is not None
        ]
        self._airway = [
            (wall, distance)
            for radius, wall, path in _AIRWAY
            if (distance := _tube(self._x, self._y, z, path, radius)) is not None
        ]
        self._heart = far
        for centre, radii, degrees in _HEART:
            rest = 1 - ((z - centre[2]) / radii[2]) ** 2
            if rest > 0.01:
                scale = float(np.sqrt(rest))
                chamber = ellipse(self._x, self._y, centre[:2],
                                  (radii[0] * scale, radii[1] * scale), degrees)  # fmt: skip
                self._heart = _smooth_union(self._heart, chamber, 12.0)

    def distance(self) -> Image:
        """Distance to the mediastinum's surface, over the whole slice."""
        x, y, z = self._x, self._y, self._z
        envelope = self._heart - 4.5
        for _, tube in self._tubes:
            envelope = _smooth_union(envelope, tube - 3.0, 10.0)
        for wall, tube in self._airway:
            envelope = _smooth_union(envelope, tube - wall - 2.0, 8.0)
        # the spine and the muscles beside it, wider towards the back
        spine = float(SPINE_Y(z))
        flare = 19 + 30 * np.clip((y - (spine + 4)) / 48, 0, 1) ** 1.5
        wedge = np.maximum(np.abs(x) - flare, spine - 15 - y) * np.float32(0.9)
        envelope = _smooth_union(envelope, wedge.astype(np.float32), 16.0)
        # the junction line in front, wider at the sternum
        lean = float(along((-110, 16), (-40, 6), (20, -1), (90, 0))(z))
        line = np.abs(x - np.float32(lean)) - (
            1.6 + 0.30 * np.clip(-y - 70, 0, 40) + 0.2 * np.clip(y + 45, 0, 60)
        )
        line = np.maximum(line, y - 35)
        envelope = _smooth_union(envelope, line.astype(np.float32), 14.0)
        whole = np.full((y.shape[0], COLUMNS), 99.0, np.float32)
        whole[:, self._LEFT : self._RIGHT] = envelope
        return whole

    def paint(self, hu: Image, inside: Image) -> None:
        """Paint heart, vessels, gullet and airways; `inside` limits them to the rib cage."""
        part = hu[:, self._LEFT : self._RIGHT]
        limit = inside[:, self._LEFT : self._RIGHT] if self._z < 80 else np.float32(1)
        blend(part, cover(np.abs(self._heart - 3.2) - 0.7, 1.5) * limit, 0.0)
        blend(part, cover(self._heart, 2.5) * limit, _BLOOD)
        for value, tube in self._tubes:
            blend(part, cover(np.abs(tube) - 0.5) * limit, 40.0)
            blend(part, cover(tube, 1.2) * limit, value)
        for wall, tube in self._airway:
            blend(part, cover(tube - wall), 20.0)
        for _, tube in self._airway:
            blend(part, cover(tube), -985.0)


class Diaphragm:
    """Height of the diaphragm over each pixel, and of the bottom of the lungs."""

    def __init__(self) -> None:
        x, y, _, _ = maps()
        right = self._dome((-70, -8), across=(66, 74), deep=(84, 104), peak=-84.0)
        left = self._dome((70, -4), across=(74, 62), deep=(84, 100), peak=-97.0)
        saddle = -95 - 0.02 * x**2 - 0.013 * np.clip(y + 5, 0, None) ** 2  # the central tendon
        self.height: Image = np.maximum(np.where(x < 0, right, left), saddle).astype(np.float32)
        """z in mm of the lungs' underside; shape (rows, columns)."""

    @staticmethod
    def _dome(
        centre: tuple[float, float],
        *,
        across: tuple[float, float],
        deep: tuple[float, float],
        peak: float,
    ) -> Image:
        x, y, _, _ = maps()
        dx, dy = x - centre[0], y - centre[1]
        nx = dx / np.where(dx < 0, across[0], across[1])
        ny = dy / np.where(dy < 0, deep[0], deep[1])
        rho = np.hypot(nx, ny)
        backwards = np.clip(ny / np.maximum(rho, 1e-3), -1, 1)
        drop = 44 + 20 * backwards
        lowest = -125 - 26 * np.clip(backwards, -0.7, 1)
        height = peak - drop * (1 - np.sqrt(np.clip(1 - rho**2.2, 0, 1)))
        height -= np.clip(rho - 1, 0, 1) * 400
        result: Image = np.maximum(height, lowest).astype(np.float32)
        return result


def paint_abdomen(hu: Image, z: float, cavity: Image, diaphragm: Diaphragm) -> None:
    """Paint liver, spleen, stomach and the muscle of the diaphragm inside the rib cage."""
    if z > -80:
        return
    x, y, _, _ = maps()
    under = diaphragm.height - np.float32(z)  # positive under the dome
    inside = cover(cavity + 1.0)
    muscle = np.clip(under / 4.5 + 0.5, 0, 1) * inside
    blend(hu, muscle, 45.0)
    below = np.clip((under - 4.0) / 4.5 + 0.5, 0, 1) * cover(cavity + 3.0)
    blend(hu, below, FAT)
    edge = float(along((-164, 8), (-130, 40), (-95, 55))(z))
    liver = np.maximum(x - np.float32(edge) + 0.45 * (y + 40), ellipse(x, y, (-40, -5), (120, 98)))
    blend(hu, below * cover(liver.astype(np.float32), 2.0), 58.0)
    scale = np.sqrt(max(0.0, 1 - ((z + 138) / 44) ** 2))
    if scale > 0.1:
        spleen = ellipse(x, y, (104, 46), (24 * scale, 40 * scale), 20.0)
        blend(hu, below * cover(spleen), 52.0)
    scale = np.sqrt(max(0.0, 1 - ((z + 140) / 48) ** 2))
    if scale > 0.1:
        stomach = ellipse(x, y, (66, -22), (44 * scale, 46 * scale), 25.0)
        blend(hu, below * cover(stomach), 42.0)
        blend(hu, below * cover(stomach + 4.0), 28.0)
        gas = np.maximum(stomach + 5.0, y + 46.0)
        # a thick wall, or the gas would run into the lung where the dome is steep
        deep = np.clip((under - 14.0) / 4.5 + 0.5, 0, 1) * cover(cavity + 10.0)
        blend(hu, deep * cover(gas.astype(np.float32)), -960.0)
    spine = float(SPINE_Y(z))
    crus = np.minimum(
        ellipse(x, y, (-12, spine - 16), (8, 14), 20.0),
        ellipse(x, y, (22, spine - 14), (6, 16), -20.0),
    )
    blend(hu, below * cover(crus), 48.0)
