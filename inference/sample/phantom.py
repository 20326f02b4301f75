"""The sample patient in Hounsfield units, with the truth about its lesions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.progress import Progress
from inference.sample import lesions
from inference.sample.bones import paint_bones
from inference.sample.chest import AIR, WallPainter
from inference.sample.grid import (
    COLUMNS,
    PIXEL_MM,
    ROWS,
    SLICES,
    Image,
    Volume3,
    blend,
    cover,
    maps,
    paint_cone,
    smooth_noise,
    z_of,
)
from inference.sample.organs import Diaphragm, Mediastinum, paint_abdomen
from inference.sample.tree import Branch, grow

__all__ = ["Phantom", "make"]

_SEED: Final = 20200317
_NOISE_HU: Final = 20.0
_LEAVES: Final = 1100
"""Leaves of each vessel tree; two trees a lung."""


@dataclass(frozen=True, eq=False, slots=True)
class Phantom:
    """The sample's pixels and truth, each of shape (slices, rows, columns), caudal slice first."""

    hu: NDArray[np.int16]
    lungs: NDArray[np.bool_]
    ggo: NDArray[np.bool_]
    consolidation: NDArray[np.bool_]
    effusion: NDArray[np.bool_]


def make(progress: Progress) -> Phantom:
    """Compute the sample; the same numbers every time.

    Raises
    ------
    CancelledError
        When it is no longer wanted.
    """
    rng = np.random.default_rng(_SEED)
    shape = (SLICES, ROWS, COLUMNS)
    hu = np.empty(shape, np.float32)
    lungs = np.empty(shape, np.float32)
    fluid = np.zeros(shape, np.float32)
    coarse = smooth_noise(rng, (30, 34, 34), shape)
    fine = smooth_noise(rng, (56, 110, 110), shape)
    _paint_body(rng, (hu, lungs, fluid), coarse, fine, progress)

    ggo = lesions.patches(lesions.GGO, coarse, fine, 2.2)
    solid = lesions.patches(lesions.CONSOLIDATIONS, coarse, fine, 3.2)
    ggo *= lungs
    solid *= lungs
    for index in range(SLICES):
        blend(hu[index], 0.92 * ggo[index], -500 + 40 * fine[index] + 25 * coarse[index])
    _paint_trees(rng, hu, lungs, solid, progress)
    bronchograms = lesions.air_bronchograms(rng)
    for index in range(SLICES):
        blend(hu[index], solid[index], 12 + 12 * coarse[index])
        blend(hu[index], bronchograms[index] * (solid[index] > 0.3), -880.0)
    progress.report("Making the sample study", SLICES + 40, SLICES + 50)
    _expose(rng, hu)

    solid_mask = solid > 0.5
    return Phantom(
        hu=np.clip(np.rint(hu), -1024, 3071).astype(np.int16),
        lungs=lungs > 0.5,
        ggo=(ggo > 0.5) & ~solid_mask,
        consolidation=solid_mask,
        effusion=fluid > 0.5,
    )


def _paint_body(
    rng: np.random.Generator,
    volumes: tuple[Volume3, Volume3, Volume3],
    coarse: Volume3,
    fine: Volume3,
    progress: Progress,
) -> None:
    hu, lungs, fluid = volumes
    wall_painter = WallPainter(rng, SLICES)
    diaphragm = Diaphragm()
    x, y, _, _ = maps()
    top = 93 - 0.0115 * ((np.abs(x) - 44) ** 2 + (y - 6) ** 2)
    for index in range(SLICES):
        progress.report("Making the sample study", index, SLICES + 50)
        z = z_of(index)
        part = hu[index]
        part[:] = AIR
        _paint_table(part)
        cavity = wall_painter.paint(part, index, z)
        mediastinum = Mediastinum(z)
        edge = np.maximum(cavity + 2.2, -mediastinum.distance()) + 0.5 * coarse[index]
        lung = cover(edge, 1.2)
        lung *= np.clip((top - np.float32(z)) / 4.5 + 0.5, 0, 1)
        lung *= np.clip((np.float32(z) - diaphragm.height) / 4.5 + 0.5, 0, 1)
        # above the lungs' tops the rib cage holds muscle, not fat
        neck = np.clip((np.float32(z) - top) / 9.0, 0, 1) * cover(cavity)
        blend(part, neck, wall_painter.flesh(index))
        paint_abdomen(part, z, cavity, diaphragm)
        mediastinum.paint(part, cover(cavity + 2.0))
        water = lesions.effusion(z, cavity)
        if water is not None:
            fluid[index] = lung * water
            lung *= 1 - water
            blend(part, fluid[index], 9.0)
        lungs[index] = lung
        tissue = -850 + 0.24 * y + 14 * coarse[index] + 12 * fine[index]
        blend(part, lung, tissue.astype(np.float32))
        paint_bones(part, z, cavity)


def _paint_table(part: Image) -> None:
    x, y, _, _ = maps()
    surface = 128 - (x / 20.5) ** 2 * 0.30 - y
    blend(part, cover(np.abs(surface) - 1.4), -420.0)
    under = surface + 15 - 0.0003 * x**2
    blend(part, cover(np.maximum(surface, -under)) * cover(np.abs(x) - 172.0), -905.0)
    blend(part, cover(np.abs(under) - 1.0) * cover(np.abs(x) - 172.0), 40.0)


def _leaves(rng: np.random.Generator, lung: NDArray[np.bool_], count: int) -> NDArray[np.float64]:
    """Points spread evenly over a lung given on every fourth pixel; shape (count, 3), mm."""
    where = np.argwhere(lung)
    chosen = where[rng.choice(len(where), count, replace=False)] + rng.uniform(
        -0.5, 0.5, (count, 3)
    )
    scale = 4 * PIXEL_MM
    return np.stack(
        [
            chosen[:, 2] * scale - (COLUMNS - 1) / 2 * PIXEL_MM,
            chosen[:, 1] * scale - (ROWS - 1) / 2 * PIXEL_MM,
            z_of(0) + (z_of(1) - z_of(0)) * chosen[:, 0],
        ],
        axis=1,
    )


def _paint_trees(
    rng: np.random.Generator, hu: Volume3, lungs: Volume3, solid: Volume3, progress: Progress
) -> None:
    eroded = np.stack([cv2.erode(s, np.ones((9, 9), np.uint8))[::4, ::4] for s in lungs]) > 0.9
    middle = eroded.shape[2] // 2
    vessels = np.zeros_like(hu)
    walls = np.zeros_like(hu)
    lumen = np.zeros_like(hu)
    step = 0
    for side, arteries, veins in (
        (-1, (-38, 2, -12), (-38, 10, -31)),
        (1, (46, 12, -5), (44, 15, -31)),
    ):
        half = eroded.copy()
        half[..., (slice(middle, None) if side < 0 else slice(None, middle))] = False
        for root in (arteries, veins):
            progress.report("Making the sample study", SLICES + 10 * step, SLICES + 50)
            step += 1
            branches = grow(np.array(root, float), _leaves(rng, half, _LEAVES), rng, 0.76)
            for branch in branches:
                paint_cone(vessels, (branch.start, branch.end),
                           (branch.radius_start, branch.radius_end))  # fmt: skip
            if root == arteries:
                _paint_bronchi(branches, walls, lumen)
    for index in range(SLICES):
        aerated = lungs[index] * (1 - solid[index])
        blend(hu[index], vessels[index], 38.0)
        blend(hu[index], walls[index] * aerated, -120.0)
        blend(hu[index], lumen[index] * aerated, -960.0)


def _paint_bronchi(branches: list[Branch], walls: Volume3, lumen: Volume3) -> None:
    """Airways beside the larger arteries."""
    for branch in branches:
        if branch.served < 9:
            continue
        r0, r1 = 0.62 * branch.radius_start, 0.62 * branch.radius_end
        aside = np.array([0.75, 0.75, 0.0]) * (branch.radius_start + r0 + 0.6)
        aside[0] *= -np.sign(branch.start[0])
        ends = (branch.start + aside, branch.end + aside)
        paint_cone(walls, ends, (r0 + 1.0, r1 + 0.8))
        paint_cone(lumen, ends, (r0, r1))


def _expose(rng: np.random.Generator, hu: Volume3) -> None:
    """Blur as a scanner does and add its noise, in place."""
    for index in range(SLICES):
        sharp = hu[index]
        noise = cv2.GaussianBlur(rng.standard_normal(sharp.shape, dtype=np.float32), (0, 0), 0.62)
        noise *= _NOISE_HU / noise.std()
        hu[index] = cv2.GaussianBlur(sharp, (0, 0), 0.6) + noise
