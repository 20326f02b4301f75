"""Pictures that are no chest, made by code: from chest pictures, and from nothing.

The detector of `inference.domain` learns from them what not to let pass. None of them shows
anybody's head or hand, so how it does on real pictures is measured, not inferred
(`inference.training.evaluation.domain`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["DERIVED", "MADE", "WORK_SIDE", "project"]

Picture = NDArray[np.uint8]
Chooser = np.random.Generator

WORK_SIDE = 192
"""Side in pixels of what is made from nothing."""


def _grey(values: NDArray[Any]) -> Picture:
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) * (255.0 / max(high - low, 1e-6)), dtype=np.uint8)


def _clipped(values: NDArray[Any]) -> Picture:
    return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)


# -- from a chest picture ---------------------------------------------------------------------


def _inverted(picture: Picture, chooser: Chooser) -> Picture:
    del chooser
    return 255 - picture


def _turned(picture: Picture, chooser: Chooser) -> Picture:
    """By a quarter, a half or three quarters, or upside down by a mirror."""
    which = int(chooser.integers(4))
    turned = np.flipud(picture) if which == 0 else np.rot90(picture, which)
    return np.ascontiguousarray(turned)


def _part(picture: Picture, chooser: Chooser) -> Picture:
    """A piece of 12 to 33 % of the sides, in which no lung can be made out as one."""
    rows, columns = picture.shape
    share = chooser.uniform(0.12, 0.33)
    height, width = max(8, int(rows * share)), max(8, int(columns * share))
    top = int(chooser.integers(rows - height + 1))
    left = int(chooser.integers(columns - width + 1))
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def _shuffled(picture: Picture, chooser: Chooser) -> Picture:
    """The same picture in n × n tiles in another order."""
    n = int(chooser.integers(2, 6))
    side = picture.shape[0] // n, picture.shape[1] // n
    tiles = [
        picture[r * side[0] : (r + 1) * side[0], c * side[1] : (c + 1) * side[1]]
        for r in range(n)
        for c in range(n)
    ]
    order = chooser.permutation(len(tiles))
    while (order == np.arange(len(tiles))).mean() > 0.25:
        order = chooser.permutation(len(tiles))
    mixed = [tiles[i] for i in order]
    return np.vstack([np.hstack(mixed[r * n : (r + 1) * n]) for r in range(n)])


def _airless(picture: Picture, chooser: Chooser) -> Picture:
    """A CT slice with everything dark inside the body filled: an abdomen with ribs."""
    dark = (picture < 110).astype(np.uint8)
    count, labels = cv2.connectedComponents(dark)
    rim = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = (labels > 0) & ~np.isin(labels, rim)
    if count < 2 or inside.mean() < 0.05:
        # Lungs that touch the rim (tight crops) cannot be told from the outside by connection.
        inside = dark.astype(bool)
    level = np.median(picture[picture > 140]) if (picture > 140).any() else 200.0
    texture = cv2.GaussianBlur(chooser.normal(0, 1, picture.shape), (0, 0), 3.0)
    filled = picture.astype(np.float64)
    filled[inside] = (level + 60 * texture)[inside]
    return np.asarray(cv2.medianBlur(_clipped(filled), 5), dtype=np.uint8)


DERIVED: dict[str, Callable[[Picture, Chooser], Picture]] = {
    "inverted": _inverted,
    "turned": _turned,
    "part": _part,
    "shuffled": _shuffled,
    "airless": _airless,
}
"""By kind; ``airless`` is for CT slices alone."""


# -- from nothing -----------------------------------------------------------------------------


def _noise(chooser: Chooser) -> Picture:
    values = chooser.normal(0, 1, (WORK_SIDE, WORK_SIDE))
    blur = chooser.choice([0.0, 0.8, 2.0])
    return _grey(cv2.GaussianBlur(values, (0, 0), blur) if blur else values)


def _spectrum(chooser: Chooser, exponent: float) -> NDArray[np.float64]:
    """Noise whose amplitude falls with the frequency, as in photographs (Field 1987).

    Of zero mean and unit variance.
    """
    axis = np.fft.fftfreq(WORK_SIDE)
    radius = np.hypot(axis[:, None], axis[None, :])
    radius[0, 0] = 1.0
    phases = np.fft.fft2(chooser.normal(0, 1, (WORK_SIDE, WORK_SIDE)))
    values = np.fft.ifft2(phases / radius**exponent).real
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)


def _texture(chooser: Chooser) -> Picture:
    """1/f noise, stripes, cells or a slope."""
    kind = int(chooser.integers(4))
    rows, columns = np.mgrid[:WORK_SIDE, :WORK_SIDE] / WORK_SIDE
    if kind == 0:
        return _grey(_spectrum(chooser, chooser.uniform(0.8, 2.2)))
    angle, waves = chooser.uniform(0, np.pi), chooser.uniform(1, 14)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    if kind == 1:
        return _grey(np.sin(2 * np.pi * waves * along) + 0.3 * _spectrum(chooser, 1.5))
    if kind == 2:
        points = chooser.uniform(0, 1, (int(chooser.integers(5, 40)), 2))
        away = np.hypot(rows[..., None] - points[:, 0], columns[..., None] - points[:, 1])
        return _grey(chooser.permutation(len(points))[away.argmin(axis=2)].astype(np.float64))
    return _grey(along + chooser.uniform(0, 0.1) * chooser.normal(0, 1, rows.shape))


def _scene(chooser: Chooser) -> Picture:
    """Things of one brightness before a background, some with an edge: photograph-like."""
    canvas = 128 + 30 * _spectrum(chooser, 1.6)
    canvas += chooser.uniform(-100, 100) * (np.mgrid[:WORK_SIDE, :WORK_SIDE][0] / WORK_SIDE - 0.5)
    canvas = canvas.astype(np.float32)
    for _ in range(int(chooser.integers(3, 16))):
        level = float(chooser.uniform(0, 255))
        centre = chooser.integers(0, WORK_SIDE, 2)
        if chooser.random() < 0.5:
            axes = chooser.integers(6, 70, 2).tolist()
            cv2.ellipse(canvas, centre.tolist(), axes, float(chooser.uniform(0, 180)), 0, 360,
                        level, cv2.FILLED)  # fmt: skip
        else:
            corners = centre + chooser.integers(-70, 70, (int(chooser.integers(3, 6)), 2))
            cv2.fillPoly(canvas, [corners.astype(np.int32)], level)
    canvas += chooser.uniform(0, 25) * _spectrum(chooser, 1.0)
    return _clipped(cv2.GaussianBlur(canvas, (0, 0), chooser.uniform(0.4, 2.0)))


def _page(chooser: Chooser) -> Picture:
    """Lines of writing, dark on light or the reverse."""
    ink, paper = (0, 255) if chooser.random() < 0.6 else (255, int(chooser.integers(0, 60)))
    canvas = np.full((WORK_SIDE, WORK_SIDE), paper, dtype=np.uint8)
    scale = chooser.uniform(0.25, 0.9)
    step = max(8, int(30 * scale))
    letters = np.array(list("abcdefghiklmnoprstuvwxyz ABCDE 0123456789  ,."))
    for row in range(step, WORK_SIDE, step):
        if chooser.random() < 0.12:
            continue
        line = "".join(chooser.choice(letters, int(chooser.integers(8, 60))))
        cv2.putText(canvas, line, (int(chooser.integers(2, 20)), row), cv2.FONT_HERSHEY_SIMPLEX,
                    scale, ink, 1, cv2.LINE_AA)  # fmt: skip
    return canvas


def _oval(
    canvas: NDArray[np.float32], centre: tuple[float, float], axes: tuple[float, float],
    value: float, angle: float = 0.0,
) -> None:  # fmt: skip
    """Draw an ellipse, in shares of the side, by (row, column)."""
    where = (round(centre[1] * WORK_SIDE), round(centre[0] * WORK_SIDE))
    radii = (max(1, round(axes[1] * WORK_SIDE)), max(1, round(axes[0] * WORK_SIDE)))
    cv2.ellipse(canvas, where, radii, angle, 0, 360, value, cv2.FILLED)


def _seen(canvas: NDArray[np.float32], chooser: Chooser) -> Picture:
    """HU through a window such as a reader uses, with noise; sometimes on the table."""
    centre, width = [(-600, 1500), (40, 400), (40, 90), (300, 2000)][int(chooser.integers(4))]
    if chooser.random() < 0.5:
        row = round(chooser.uniform(0.9, 0.97) * WORK_SIDE)
        canvas[row : row + 2] = np.maximum(canvas[row : row + 2], 0)
    noisy = canvas + chooser.normal(0, chooser.uniform(5, 30), canvas.shape)
    blurred = cv2.GaussianBlur(noisy, (0, 0), chooser.uniform(0.4, 1.2))
    return _clipped((blurred - centre + width / 2) * (255.0 / width))


def _head(chooser: Chooser) -> Picture:
    """A skull with brain, ventricles, and sometimes sinuses and mastoid cells, in HU."""
    canvas = np.full((WORK_SIDE, WORK_SIDE), -1000, dtype=np.float32)
    tall, wide = chooser.uniform(0.33, 0.45), chooser.uniform(0.26, 0.38)
    middle = (0.5 + chooser.uniform(-0.04, 0.04), 0.5 + chooser.uniform(-0.04, 0.04))
    bone = chooser.uniform(0.02, 0.05)
    _oval(canvas, middle, (tall, wide), 20)
    _oval(canvas, middle, (tall - 0.02, wide - 0.02), chooser.uniform(700, 1500))
    inner = (tall - 0.02 - bone, wide - 0.02 - bone)
    hollow = chooser.random() < 0.15  # a phantom's skull
    _oval(canvas, middle, inner, -950 if hollow else 35)
    if hollow:
        for _ in range(int(chooser.integers(1, 4))):
            at = (middle[0] + chooser.uniform(-0.15, 0.15), middle[1] + chooser.uniform(-0.1, 0.1))
            _oval(canvas, at, (chooser.uniform(0.02, 0.08), chooser.uniform(0.02, 0.12)), 100)
        return _seen(canvas, chooser)
    canvas[canvas == 35] += 12 * _spectrum(chooser, 1.5)[canvas == 35]
    for side in (-1, 1):
        if chooser.random() < 0.6:
            at = (middle[0] - 0.03, middle[1] + side * chooser.uniform(0.03, 0.06))
            _oval(canvas, at, (chooser.uniform(0.04, 0.12), 0.02), 5, side * 12.0)
        if chooser.random() < 0.4:  # mastoid cells
            at = (middle[0] + 0.1, middle[1] + side * (wide - 0.06))
            _oval(canvas, at, (0.05, 0.04), 800)
            for _ in range(8):
                cell = (at[0] + chooser.uniform(-0.04, 0.04), at[1] + chooser.uniform(-0.03, 0.03))
                _oval(canvas, cell, (0.008, 0.008), -900)
    if chooser.random() < 0.5:  # sinuses
        for side in (-1, 1):
            _oval(canvas, (middle[0] - tall + 0.1, middle[1] + side * 0.06), (0.05, 0.045), -950)
    return _seen(canvas, chooser)


def _abdomen(chooser: Chooser) -> Picture:
    """A trunk with fat, organs, spine and gas in the bowel, in HU."""
    canvas = np.full((WORK_SIDE, WORK_SIDE), -1000, dtype=np.float32)
    tall, wide = chooser.uniform(0.22, 0.42), chooser.uniform(0.36, 0.48)
    _oval(canvas, (0.5, 0.5), (tall, wide), 10)
    _oval(canvas, (0.5, 0.5), (tall - 0.015, wide - 0.015), -100)
    _oval(canvas, (0.5, 0.5), (0.85 * tall, 0.88 * wide), 45)
    _oval(canvas, (0.5, 0.5), (0.78 * tall, 0.82 * wide), chooser.uniform(-100, 30))
    for _ in range(int(chooser.integers(3, 10))):
        at = (0.5 + chooser.uniform(-0.5, 0.5) * tall, 0.5 + chooser.uniform(-0.6, 0.6) * wide)
        axes = (chooser.uniform(0.04, 0.5 * tall), chooser.uniform(0.04, 0.4 * wide))
        _oval(canvas, at, axes, chooser.uniform(20, 180), float(chooser.uniform(0, 180)))
    for _ in range(int(chooser.integers(0, 7))):
        at = (0.5 + chooser.uniform(-0.6, 0.3) * tall, 0.5 + chooser.uniform(-0.6, 0.6) * wide)
        _oval(canvas, at, (chooser.uniform(0.01, 0.05), chooser.uniform(0.01, 0.07)), -950)
    _oval(canvas, (0.5 + 0.5 * tall, 0.5), (0.06, 0.07), chooser.uniform(250, 600))
    _oval(canvas, (0.5 + 0.62 * tall, 0.5), (0.02, 0.025), 40)
    return _seen(canvas, chooser)


def _limb(chooser: Chooser) -> Picture:
    """An X-ray of long bones: bright shafts with a brighter rim in grey flesh."""
    canvas = np.full((WORK_SIDE, WORK_SIDE), 15, dtype=np.float32)
    for _ in range(int(chooser.integers(1, 6))):
        start, end = chooser.integers(-20, WORK_SIDE + 20, (2, 2))
        thick = int(chooser.integers(4, 26))
        flesh = canvas.copy()
        cv2.line(flesh, start.tolist(), end.tolist(), 90.0, 3 * thick)
        canvas = np.maximum(canvas, cv2.GaussianBlur(flesh, (0, 0), thick / 3))
        bone = np.zeros_like(canvas)
        cv2.line(bone, start.tolist(), end.tolist(), 110.0, thick)
        cv2.line(bone, start.tolist(), end.tolist(), 70.0, max(1, thick // 2))
        canvas += cv2.GaussianBlur(bone, (0, 0), 1.5)
    canvas += chooser.normal(0, chooser.uniform(1, 6), canvas.shape)
    return _clipped(canvas)


MADE: dict[str, Callable[[Chooser], Picture]] = {
    "noise": _noise,
    "texture": _texture,
    "scene": _scene,
    "page": _page,
    "head": _head,
    "abdomen": _abdomen,
    "limb": _limb,
}
"""By kind."""


# -- from a CT volume -------------------------------------------------------------------------


def project(
    hu: NDArray[np.generic], spacing: tuple[float, float, float], degrees: float
) -> Picture:
    """An X-ray computed from a CT by adding up attenuation along parallel rays.

    Parameters
    ----------
    hu
        Shape (slices, rows, columns), HU, from feet to head, rows from front to back.
    spacing
        (slices, rows, columns) in mm.
    degrees
        Turn of the patient about the long axis: 0 is a frontal view, 90 a lateral one.

    Returns
    -------
    ndarray
        Shape (height, width), uint8, head up, bone bright; pixels of about 2 mm.
    """
    pixel = 2.0
    step = max(1, int(pixel / max(spacing[1:])))
    hu = hu[:, ::step, ::step]
    spacing = (spacing[0], spacing[1] * step, spacing[2] * step)
    side = max(spacing[1] * hu.shape[1], spacing[2] * hu.shape[2]) / pixel
    width = int(np.ceil(side * np.sqrt(2)))
    height = max(8, round(hu.shape[0] * spacing[0] / pixel))
    turn = cv2.getRotationMatrix2D((0.0, 0.0), degrees, 1.0)[:, :2]
    scale = np.diag([spacing[2] / pixel, spacing[1] / pixel])
    matrix = np.zeros((2, 3))
    matrix[:, :2] = turn @ scale
    centre = np.array([hu.shape[2] / 2.0, hu.shape[1] / 2.0])
    matrix[:, 2] = width / 2.0 - matrix[:, :2] @ centre
    rays = np.empty((hu.shape[0], width), dtype=np.float32)
    # An opening of about 4 mm cuts the table off the back; it must not cut through the skin.
    kernel = np.ones((2 * round(2.0 / spacing[1]) + 1,) * 2, np.uint8)
    for index, slice_ in enumerate(hu):
        values = slice_.astype(np.float32)
        # Large outlines are the body; table and clothes would cross the picture.
        tissue = cv2.morphologyEx((values > -320).astype(np.uint8), cv2.MORPH_OPEN, kernel)
        outlines, _ = cv2.findContours(tissue, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        body = np.zeros_like(tissue)
        if outlines:
            largest = max(map(cv2.contourArea, outlines))
            large = [o for o in outlines if cv2.contourArea(o) > 0.3 * largest]
            cv2.drawContours(body, large, -1, 1, cv2.FILLED)
        # Bone attenuates more per HU at X-ray energies than at those of CT.
        density = np.maximum(values + 1000.0, 0.0) + 1.5 * np.maximum(values - 150.0, 0.0)
        seen = cv2.warpAffine(density * body, matrix, (width, width), flags=cv2.INTER_LINEAR)
        rays[index] = seen.sum(axis=0)
    picture = cv2.resize(rays[::-1], (width, height), interpolation=cv2.INTER_LINEAR)
    used = np.flatnonzero(picture.max(axis=0) > 0.05 * picture.max())
    if len(used) > 8:
        picture = picture[:, used[0] : used[-1] + 1]
    low, high = np.percentile(picture, [2.0, 99.0])
    return _clipped((picture - low) * (255.0 / max(float(high - low), 1e-6)))
