"""Lesions drawn into real slices, where real ones are too few to learn from.

Pleural effusion stands in a quarter of the annotated slices, as a crescent a few pixels thick along
the dorsal pleura of a patient who lies on the back: `draw_effusion` draws such crescents.
`draw_patches` draws ground glass (vessels shine through) and consolidation (they do not), in clouds
that keep to the periphery as those of COVID-19 do. Pictures are 8-bit ones in a lung window, before
`preprocess.prepare`.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.framing import aerated_lungs
from inference.training.losses import CODES

__all__ = ["draw_effusion", "draw_lesions", "draw_patches"]

THICKNESS = (0.006, 0.07)
"""Of an effusion where it is thickest, relative to the picture's side."""
DORSAL = 0.5
"""Fluid lies in the lower part of a lung's height, from a random level below this on."""
DARKER = (0.0, 25.0)
"""Fluid against muscle in a lung window, grey values."""
PATCH_SIZE = (0.012, 0.06)
"""Standard deviation of the blur that makes noise a cloud, relative to the picture's side."""
PATCH_SHARE = (0.02, 0.35)
"""Of the lungs' area, taken by the clouds of one kind."""
GLASS_SHARE = (0.25, 0.6)
"""How far ground glass fills a pixel between air and soft tissue."""
CHANCES = {"ggo": 0.75, "consolidation": 0.5, "effusion": 0.35}
"""That a slice gets lesions of a kind."""


def _crescent(lung: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """The part of a lung that the fluid takes: thickest at its lowest place, none at its level."""
    rows, columns = lung.shape
    lowest = np.where(lung.any(axis=0), rows - 1 - lung[::-1].argmax(axis=0), -1)
    top, bottom = int(np.flatnonzero(lung.any(axis=1))[0]), int(lowest.max())
    level = bottom - rng.uniform(0.1, DORSAL) * (bottom - top)
    depth = np.clip((lowest - level) / max(1.0, bottom - level), 0.0, 1.0)
    thickness = float(np.exp(rng.uniform(*np.log(THICKNESS)))) * max(rows, columns)
    wave = 1.0 + 0.3 * np.sin(
        np.arange(columns) * rng.uniform(0.01, 0.06) + rng.uniform(0.0, 2.0 * np.pi)
    )
    taken = thickness * depth ** rng.uniform(0.4, 1.2) * wave
    return np.asarray(lung & (np.arange(rows)[:, np.newaxis] > lowest - taken), dtype=np.bool_)


def _muscle(
    picture: NDArray[np.uint8], region: NDArray[np.bool_], lungs: NDArray[np.bool_]
) -> float | None:
    """Grey value of the chest wall beside a region, lungs aside; None where there is no wall."""
    ring = cv2.dilate(region.astype(np.uint8), np.ones((15, 15), np.uint8)).astype(bool)
    wall = picture[ring & ~lungs]
    # The upper half: ribs aside, what borders the lung is muscle and fat, and fluid is like muscle.
    return float(np.median(wall[wall >= np.median(wall)])) if wall.size else None


def draw_effusion(
    picture: NDArray[np.uint8], codes: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Draw an effusion behind one lung or both.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8, lung window, axial, patient on the back.
    codes
        Same shape, uint8: the slice's own lesions.
    rng
        Decides everything that is random.

    Returns
    -------
    tuple or None
        Changed copies of picture and codes (fluid replaces what was there); None when the slice
        has no lung to draw behind.
    """
    # A consolidated base is lung too: without it the fluid would lie in front of the consolidation.
    lungs = aerated_lungs(np.where(codes > 0, picture.min(), picture))
    if not lungs:
        return None
    chosen = [lung for lung in lungs if rng.random() < 0.7] or [
        lungs[int(rng.integers(len(lungs)))]
    ]
    fluid = np.logical_or.reduce([_crescent(lung, rng) for lung in chosen])
    if not fluid.any():
        return None
    muscle = _muscle(picture, fluid, np.logical_or.reduce(lungs))
    if muscle is None:
        return None
    grain = cv2.GaussianBlur(rng.normal(0.0, 1.0, picture.shape).astype(np.float32), (0, 0), 0.8)
    grey = muscle - rng.uniform(*DARKER) + grain * rng.uniform(2.0, 10.0)
    share = cv2.GaussianBlur(fluid.astype(np.float32), (0, 0), float(rng.uniform(0.6, 1.6)))
    # Beyond the pleura the wall stays as it is; only the lung's side of the edge is soft.
    share[~np.logical_or.reduce(lungs)] = 0.0
    share[fluid] = np.maximum(share[fluid], 0.75)
    drawn = picture + share * (grey - picture)
    changed = codes.copy()
    changed[fluid] = CODES["effusion"]
    return np.asarray(np.clip(np.rint(drawn), 0, 255), dtype=np.uint8), changed


def draw_patches(
    picture: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    kind: str,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Draw clouds of ground glass or consolidation into the lungs.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8, lung window, axial.
    codes
        Same shape, uint8: the slice's own lesions, which the drawn ones cover.
    kind
        ``"ggo"`` or ``"consolidation"``.
    rng
        Decides everything that is random.

    Returns
    -------
    tuple or None
        Changed copies of picture and codes; None when the slice has no lung to draw in.
    """
    lungs = aerated_lungs(picture)
    if not lungs:
        return None
    inside = np.logical_or.reduce(lungs)
    side = max(picture.shape)
    cloud = _noise(picture.shape, float(rng.uniform(*PATCH_SIZE)) * side, rng)
    cloud += 0.25 * _noise(picture.shape, 0.006 * side, rng)
    depth = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    cloud -= float(rng.uniform(0.0, 2.0)) * depth / max(1.0, float(depth.max()))
    taken = float(np.exp(rng.uniform(*np.log(PATCH_SHARE))))
    drawn = inside & (cloud > np.quantile(cloud[inside], 1.0 - taken))
    drawn = cv2.morphologyEx(drawn.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3))).astype(bool)
    if not drawn.any():
        return None
    tissue = _muscle(picture, inside, inside)
    if tissue is None:
        return None
    softness = float(rng.uniform(0.8, 3.0 if kind == "ggo" else 1.6))
    filled = cv2.GaussianBlur(drawn.astype(np.float32), (0, 0), softness) * inside
    grain = 1.0 + 0.15 * _noise(picture.shape, float(rng.uniform(0.8, 3.0)), rng)
    glass = kind == "ggo"
    if glass:
        filled = filled * grain
    share = filled * float(rng.uniform(*(GLASS_SHARE if glass else (0.85, 1.0))))
    target = np.maximum(picture, tissue) if glass else tissue * (0.5 + 0.5 * grain)
    mixed = picture + np.clip(share, 0.0, 1.0) * (target - picture)
    changed = codes.copy()
    changed[drawn] = CODES[kind]
    return np.asarray(np.clip(np.rint(mixed), 0, 255), dtype=np.uint8), changed


def _noise(shape: tuple[int, ...], blur: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and standard deviation 1, made coarse first where the blur is wide."""
    step = max(1, int(blur / 3))
    coarse = rng.normal(0.0, 1.0, [-(-s // step) for s in shape]).astype(np.float32)
    smooth = cv2.GaussianBlur(coarse, (0, 0), max(blur / step, 0.3))
    field = cv2.resize(smooth, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / max(float(field.std()), 1e-6), dtype=np.float32)


def draw_lesions(
    picture: NDArray[np.uint8], codes: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
    """Draw lesions of one kind or several, with the chances of `CHANCES`.

    Parameters and result are those of `draw_effusion`; a slice may get none, and is then returned
    as it is.
    """
    if not aerated_lungs(picture):
        return None
    for kind, chance in CHANCES.items():
        if rng.random() >= chance:
            continue
        if kind == "effusion":
            result = draw_effusion(picture, codes, rng)
        else:
            result = draw_patches(picture, codes, kind, rng)
        if result is not None:
            picture, codes = result
    return picture, codes
