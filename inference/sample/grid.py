"""The sample's grid, its curves along the body, and the few shapes everything is drawn with.

Coordinates are patient millimetres (LPS): x to the left, y to the back, z to the head; the carina
is at z = 0. A *signed distance* is negative inside a shape.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

__all__ = [
    "ANGLES",
    "COLUMNS",
    "PIXEL_MM",
    "ROWS",
    "SLICES",
    "SLICE_MM",
    "Image",
    "Volume3",
    "along",
    "around",
    "blend",
    "cover",
    "ellipse",
    "half_ellipse_radius",
    "maps",
    "paint_cone",
    "smooth_noise",
    "z_of",
]

ROWS: Final = 512
COLUMNS: Final = 512
SLICES: Final = 64
PIXEL_MM: Final = 0.7
SLICE_MM: Final = 4.5
Z_FIRST: Final = -164.0
"""z of the most caudal slice: below the costophrenic sinuses."""
ANGLES: Final = 720
"""Entries of a table round the body; entry 0 is at the back, the middle one at the front."""

Image = NDArray[np.float32]
Volume3 = NDArray[np.float32]


def z_of(index: int) -> float:
    """Height in mm of a slice."""
    return Z_FIRST + SLICE_MM * index


def along(*knots: tuple[float, float]) -> PchipInterpolator:
    """A smooth curve through (z, value) knots, constant beyond them."""
    z, values = zip(*knots, strict=True)
    return PchipInterpolator(
        (-1000.0, *z, 1000.0), (values[0], *values, values[-1]), extrapolate=False
    )


@lru_cache(maxsize=1)
def maps() -> tuple[Image, Image, Image, Image]:
    """x (1, columns), y (rows, 1), and radius in mm and table position (both rows, columns)."""
    x = ((np.arange(COLUMNS) - (COLUMNS - 1) / 2) * PIXEL_MM).astype(np.float32)[None, :]
    y = ((np.arange(ROWS) - (ROWS - 1) / 2) * PIXEL_MM).astype(np.float32)[:, None]
    radius = np.hypot(x, y).astype(np.float32)
    angle = np.arctan2(x, -y + np.zeros_like(x))  # 0 in front, positive to the left
    position = ((angle / (2 * np.pi) + 0.5) * ANGLES).astype(np.float32)
    return x, y, radius, position


def half_ellipse_radius(
    half_width: float, front: float, back: float, exponent: float
) -> NDArray[np.float64]:
    """Radius by table angle of a superellipse that is deeper on one side; shape (ANGLES,)."""
    angle = (np.arange(ANGLES) / ANGLES - 0.5) * 2 * np.pi
    sine, cosine = np.abs(np.sin(angle)), np.cos(angle)
    depth = np.where(cosine > 0, front, back)
    result: NDArray[np.float64] = (
        (sine / half_width) ** exponent + (np.abs(cosine) / depth) ** exponent
    ) ** (-1.0 / exponent)
    return result


def cover(distance: NDArray[np.floating], softness: float = 1.0) -> Image:
    """Part of each pixel inside a shape, 0 to 1, from its signed distance in mm."""
    inside: Image = np.clip(0.5 - distance * np.float32(1.0 / softness), 0.0, 1.0).astype(
        np.float32
    )
    return inside


def around(table: NDArray[np.floating]) -> Image:
    """Spread a table round the body over the slice; shape (rows, columns)."""
    low, high, part = _table_index()
    flat = table.astype(np.float32)
    return np.asarray(flat[low] * (1 - part) + flat[high] * part, dtype=np.float32)


@lru_cache(maxsize=1)
def _table_index() -> tuple[NDArray[np.intp], NDArray[np.intp], Image]:
    position = maps()[3]
    floor = np.floor(position)
    low = floor.astype(np.intp) % ANGLES
    return low, (low + 1) % ANGLES, (position - floor).astype(np.float32)


def blend(image: Image, alpha: Image, value: float | Image) -> None:
    """Move an image towards a value where alpha says so, in place."""
    image += alpha * (value - image)


def ellipse(x: Image, y: Image, centre: tuple[float, float], radii: tuple[float, float],
            degrees: float = 0.0) -> Image:  # fmt: skip
    """Signed distance (first order) to an ellipse in the slice."""
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    if degrees:
        c, s = np.float32(np.cos(np.radians(degrees))), np.float32(np.sin(np.radians(degrees)))
        dx, dy = c * dx + s * dy, c * dy - s * dx
    dx, dy = dx / np.float32(radii[0]), dy / np.float32(radii[1])
    norm = np.hypot(dx, dy)
    slope = np.hypot(dx / np.float32(radii[0]), dy / np.float32(radii[1]))
    distance: Image = (norm * (norm - 1) / np.maximum(slope, np.float32(1e-6))).astype(np.float32)
    return distance


def smooth_noise(
    rng: np.random.Generator, cells: tuple[int, int, int], shape: tuple[int, int, int]
) -> Volume3:
    """Noise of unit variance that varies over shape/cells voxels."""
    knots = rng.standard_normal(cells, dtype=np.float32)
    size = (shape[2], shape[1])
    planes = np.stack([cv2.resize(k, size, interpolation=cv2.INTER_CUBIC) for k in knots])
    scale = 1.0 / float(planes.std())
    noise = np.empty(shape, np.float32)
    for index, at in enumerate(np.linspace(0, cells[0] - 1, shape[0])):
        low = min(int(at), cells[0] - 2)
        part = float(at - low)
        # dividing by the blend's own spread keeps slices between two knots as rough as the others
        gain = scale / float(np.hypot(1 - part, part))
        cv2.addWeighted(planes[low], gain * (1 - part), planes[low + 1], gain * part, 0,
                        dst=noise[index])  # fmt: skip
    return noise


def paint_cone(
    alpha: Volume3,
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    radii: tuple[float, float],
    softness: float = 0.9,
) -> None:
    """Paint a round cone of two radii into alpha (maximum), with partial volume in z.

    Parameters
    ----------
    alpha
        Shape (slices, rows, columns), changed in place.
    ends
        (x, y, z) in mm.
    radii
        At each end, in mm.
    softness
        Width of the edge in the slice, in mm.
    """
    start, end = ends
    widest = max(radii) + softness
    low, high = np.minimum(start, end) - widest, np.maximum(start, end) + widest
    c0 = max(0, int(np.floor(low[0] / PIXEL_MM + (COLUMNS - 1) / 2)))
    c1 = min(COLUMNS, int(np.ceil(high[0] / PIXEL_MM + (COLUMNS - 1) / 2)) + 1)
    r0 = max(0, int(np.floor(low[1] / PIXEL_MM + (ROWS - 1) / 2)))
    r1 = min(ROWS, int(np.ceil(high[1] / PIXEL_MM + (ROWS - 1) / 2)) + 1)
    s0 = max(0, int(np.floor((low[2] - Z_FIRST) / SLICE_MM)))
    s1 = min(SLICES, int(np.ceil((high[2] - Z_FIRST) / SLICE_MM)) + 1)
    if c0 >= c1 or r0 >= r1 or s0 >= s1:
        return
    x, y, _, _ = maps()
    step = SLICE_MM / 3
    z = (Z_FIRST - step + step * np.arange(3 * s0, 3 * s1)).astype(np.float32)[:, None, None]
    axis = (end - start).astype(np.float32)
    dx = x[:, c0:c1] - np.float32(start[0])
    dy = y[r0:r1] - np.float32(start[1])
    dz = z - np.float32(start[2])
    squared = np.float32(max(float(axis @ axis), 1e-6))
    at = np.clip((dx * axis[0] + dy * axis[1] + dz * axis[2]) / squared, 0, 1)
    distance = np.sqrt(
        (dx - at * axis[0]) ** 2 + (dy - at * axis[1]) ** 2 + (dz - at * axis[2]) ** 2
    )
    inside = cover(
        distance - (np.float32(radii[0]) + at * np.float32(radii[1] - radii[0])), softness
    )
    part = inside.reshape(s1 - s0, 3, r1 - r0, c1 - c0).mean(axis=1)
    target = alpha[s0:s1, r0:r1, c0:c1]
    np.maximum(target, part, out=target)
