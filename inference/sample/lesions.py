"""The sample's lesions: ground glass, consolidation with air bronchograms, a small effusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from inference.sample.grid import (
    ANGLES,
    COLUMNS,
    PIXEL_MM,
    ROWS,
    SLICE_MM,
    SLICES,
    Z_FIRST,
    Image,
    Volume3,
    along,
    around,
    cover,
    maps,
    paint_cone,
)

__all__ = ["CONSOLIDATIONS", "GGO", "Blob", "air_bronchograms", "effusion", "patches"]


@dataclass(frozen=True, slots=True)
class Blob:
    """An ellipsoid whose edge noise makes ragged; mm."""

    centre: tuple[float, float, float]
    radii: tuple[float, float, float]


GGO: Final = (
    Blob((-86, 66, -72), (38, 27, 28)),
    Blob((-110, 18, -38), (24, 34, 26)),
    Blob((84, 70, -62), (36, 25, 28)),
    Blob((106, 8, -80), (24, 36, 24)),
    Blob((-62, 72, 10), (31, 23, 23)),
    Blob((96, 44, 6), (24, 28, 24)),
    Blob((-72, -40, 20), (22, 18, 18)),
    Blob((62, 72, -24), (24, 18, 18)),
)
CONSOLIDATIONS: Final = (
    Blob((-70, 84, -98), (36, 19, 22)),
    Blob((70, 86, -40), (26, 16, 16)),
    Blob((-106, 58, -8), (18, 22, 16)),
)

_AROUND_LEFT = np.clip((np.arange(ANGLES) / ANGLES - 0.5) * 2 * np.pi, 0, None)
_FLUID_MM = along((-170, 22), (-140, 26), (-112, 22), (-86, 12), (-62, 0))


def patches(blobs: tuple[Blob, ...], coarse: Volume3, fine: Volume3, sharp: float) -> Volume3:
    """Opacity of ragged blobs, 0 to 1; shape (slices, rows, columns).

    Parameters
    ----------
    blobs
        Where they are.
    coarse, fine
        Noise of unit variance on the grid.
    sharp
        How suddenly the edge falls; larger is harder.
    """
    alpha = np.zeros((SLICES, ROWS, COLUMNS), np.float32)
    x, y, _, _ = maps()
    for blob in blobs:
        reach = 1.9
        low = np.subtract(blob.centre, np.multiply(blob.radii, reach))
        high = np.add(blob.centre, np.multiply(blob.radii, reach))
        box = (
            slice(max(0, round((low[2] - Z_FIRST) / SLICE_MM)),
                  min(SLICES, round((high[2] - Z_FIRST) / SLICE_MM) + 1)),
            slice(max(0, round(low[1] / PIXEL_MM + ROWS / 2)),
                  min(ROWS, round(high[1] / PIXEL_MM + ROWS / 2))),
            slice(max(0, round(low[0] / PIXEL_MM + COLUMNS / 2)),
                  min(COLUMNS, round(high[0] / PIXEL_MM + COLUMNS / 2))),
        )  # fmt: skip
        z = (Z_FIRST + SLICE_MM * np.arange(box[0].start, box[0].stop))[:, None, None]
        norm = np.sqrt(
            ((x[:, box[2]] - blob.centre[0]) / blob.radii[0]) ** 2
            + ((y[box[1]] - blob.centre[1]) / blob.radii[1]) ** 2
            + ((z - blob.centre[2]) / blob.radii[2]) ** 2
        ).astype(np.float32)
        field = (1.08 - norm + 0.17 * coarse[box] + 0.06 * fine[box]) * np.float32(sharp)
        np.maximum(alpha[box], np.clip(field, 0, 1), out=alpha[box])
    return alpha


def air_bronchograms(rng: np.random.Generator) -> Volume3:
    """Opacity of air-filled bronchi running from the hilum through each consolidation."""
    alpha = np.zeros((SLICES, ROWS, COLUMNS), np.float32)
    for blob in CONSOLIDATIONS:
        centre, radii = np.array(blob.centre), np.array(blob.radii)
        hilum = np.array([-40.0 if centre[0] < 0 else 44.0, 10.0, centre[2] + 14])
        towards = (hilum - centre) / np.linalg.norm(hilum - centre)
        start = centre + towards * radii.max() * 0.95
        fork = centre + towards * radii.max() * 0.35
        paint_cone(alpha, (start, fork), (2.0, 1.6), 1.0)
        for _ in range(5):
            end = centre + rng.uniform(-0.6, 0.6, 3) * radii - towards * radii.max() * 0.25
            bend = (fork + end) / 2 + rng.normal(0, 1.5, 3)
            paint_cone(alpha, (fork, bend), (1.7, 1.5), 1.0)
            paint_cone(alpha, (bend, end), (1.5, 1.0), 1.0)
    return alpha


def effusion(z: float, cavity: Image) -> Image | None:
    """Part of each pixel taken by fluid behind the left lung, or None where there is none."""
    depth = float(_FLUID_MM(z))
    if depth <= 0:
        return None
    # deepest behind and to the side, fading round the wall: the crescent of a supine patient
    crescent = depth * np.exp(-(((_AROUND_LEFT - 2.5) / 0.48) ** 2))
    crescent[_AROUND_LEFT <= 0] = 0
    return cover(-(cavity + around(crescent)), 1.2)
