"""Ribs, spine, sternum, shoulder girdle: painted over the chest wall of one slice."""

from __future__ import annotations

from typing import Final

import numpy as np

from inference.sample.grid import (
    ANGLES,
    COLUMNS,
    PIXEL_MM,
    ROWS,
    Image,
    along,
    around,
    blend,
    cover,
    ellipse,
    maps,
)

__all__ = ["SPINE_Y", "paint_bones"]

_CORTEX: Final = 700.0
_MARROW: Final = 190.0
_CARTILAGE: Final = 95.0
_VERTEBRA_MM: Final = 23.0

SPINE_Y = along((-164, 46), (-80, 54), (0, 53), (60, 42), (122, 28))
"""y of the centre of the vertebral body."""

_TURN = (np.arange(ANGLES) / ANGLES - 0.5) * 2 * np.pi
_FROM_SPINE = 1 - np.abs(_TURN) / np.pi
"""0 at the spine, 1 at the sternum."""
_SIDE_SHIFT = np.where(_TURN > 0, 2.5, -2.5)
"""Nobody lies quite straight: the left side is a little higher."""

# rib: drop from spine to front in mm, bone's end and cartilage's end as part of half the way round
_RIBS: Final = {
    1: (34, 0.74, 0.92), 2: (52, 0.74, 0.93), 3: (66, 0.74, 0.94), 4: (78, 0.74, 0.94),
    5: (86, 0.73, 0.94), 6: (90, 0.71, 0.94), 7: (92, 0.69, 0.93), 8: (92, 0.66, 0.82),
    9: (90, 0.63, 0.78), 10: (84, 0.60, 0.72), 11: (62, 0.42, 0.42), 12: (40, 0.28, 0.28),
}  # fmt: skip


def paint_bones(hu: Image, z: float, cavity: Image) -> None:
    """Paint every bone of one slice, in place."""
    _ribs(hu, z, cavity)
    _shoulders(hu, z)
    _spine(hu, z)
    _sternum(hu, z)


def _bone(hu: Image, distance: Image, cortex_mm: float, marrow: float = _MARROW) -> None:
    blend(hu, cover(distance), _CORTEX)
    blend(hu, cover(distance + cortex_mm), marrow)


def _ribs(hu: Image, z: float, cavity: Image) -> None:
    bone = np.full(ANGLES, 99.0)
    cartilage = np.full(ANGLES, 99.0)
    for rib, (drop, bone_end, cartilage_end) in _RIBS.items():
        head = (4.5 - rib) * _VERTEBRA_MM + 12
        way = np.clip((_FROM_SPINE - 0.05) / 0.72, 0, 1)
        height = head - drop * np.sin(way * np.pi / 2) ** 1.2 + _SIDE_SHIFT
        rise = (6 + 9 * max(0, rib - 3)) * np.clip((_FROM_SPINE - bone_end) / 0.2, 0, 1)
        off = np.abs(z - height)
        off_cartilage = np.abs(z - height - rise)
        here = (_FROM_SPINE > 0.075) & (bone_end > _FROM_SPINE)
        there = (bone_end <= _FROM_SPINE) & (cartilage_end > _FROM_SPINE)
        bone = np.where(here, np.minimum(bone, off), bone)
        cartilage = np.where(there, np.minimum(cartilage, off_cartilage), cartilage)
    shell = ((cavity - 5.6) / 4.3) ** 2
    if cartilage.min() < 9:
        soft = (np.sqrt(((cavity - 5.5) / 5.5) ** 2 + around(cartilage / 7.5) ** 2) - 1) * 5.0
        blend(hu, cover(soft), _CARTILAGE)
    if bone.min() < 9:
        distance = (np.sqrt(shell + around(bone / 6.3) ** 2) - 1) * 4.3
        _bone(hu, distance.astype(np.float32), 1.5, 260.0)


def _plate(x: Image, y: Image, start: tuple[float, float], end: tuple[float, float],
           half: float) -> Image:  # fmt: skip
    """Distance to a thick line in the slice."""
    ax, ay = end[0] - start[0], end[1] - start[1]
    dx, dy = x - np.float32(start[0]), y - np.float32(start[1])
    at = np.clip((dx * ax + dy * ay) / (ax * ax + ay * ay), 0, 1)
    return (np.hypot(dx - at * ax, dy - at * ay) - half).astype(np.float32)


def _spine(hu: Image, z: float) -> None:
    centre = float(SPINE_Y(z))
    middle = (COLUMNS - 1) // 2
    top = int((centre - 30) / PIXEL_MM + ROWS / 2)
    box = (slice(top, top + 150), slice(middle - 72, middle + 74))
    x, y, _, _ = maps()
    x, y = x[:, box[1]], y[box[0]]
    part = hu[box]
    level = (z / _VERTEBRA_MM) % 1.0  # 0 at the upper end plate's disc
    width = float(along((-164, 20), (0, 16), (122, 12))(z))
    depth = float(along((-164, 15), (0, 14), (122, 10))(z))
    waist = 1 - 0.10 * np.sin(np.pi * level)
    body = ellipse(x, y, (0, centre), (width * waist, depth * waist))
    canal_y = centre + depth + 8.5
    if level < 0.17:
        blend(part, cover(body - 1.0), 88.0)
    else:
        _bone(part, body, 1.6 if level < 0.9 else 5.0, 215.0)
    arch = np.minimum(
        np.abs(ellipse(x, y, (0, canal_y), (11.5, 10.0))) - 2.4,
        _plate(x, y, (0, canal_y + 10), (0, canal_y + 30 + 4 * np.sin(6.28 * level)), 2.8),
    )
    if 0.3 < level < 0.75:  # pedicles and transverse processes
        for side in (-1, 1):
            arch = np.minimum(
                arch, _plate(x, y, (side * 11, centre + depth), (side * 13, canal_y), 4.0)
            )
            arch = np.minimum(
                arch, _plate(x, y, (side * 12, canal_y + 3), (side * 35, canal_y + 15), 4.2)
            )
    else:  # facet joints
        for side in (-1, 1):
            arch = np.minimum(
                arch, _plate(x, y, (side * 9, canal_y + 9), (side * 17, canal_y + 6), 3.6)
            )
    open_side = level < 0.3 or level > 0.8
    gap = cover(np.abs(y - np.float32(canal_y - 2)) - 4) if open_side else np.float32(0)
    hold = part.copy()
    _bone(part, arch.astype(np.float32), 1.7, 240.0)
    blend(part, gap + np.zeros_like(part), hold)
    blend(part, cover(ellipse(x, y, (0, canal_y), (9.6, 8.2))), -20.0)
    blend(part, cover(ellipse(x, y, (0, canal_y), (7.6, 6.6))), 28.0)


def _sternum(hu: Image, z: float) -> None:
    x, y, _, _ = maps()
    if not -88 < z < 76:
        return
    front = float(along((-164, -92), (-110, -97), (-60, -98), (-10, -92), (30, -80), (60, -66))(z))
    width = float(along((-88, 5), (-70, 11), (-40, 17), (20, 15), (42, 22), (72, 27))(z))
    depth = float(along((-88, 3), (-60, 5.5), (20, 5.5), (60, 7.5))(z))
    distance = ellipse(x, y, (1, front - 4.0), (width, depth))
    _bone(hu, distance, 1.4, 140.0)


def _shoulders(hu: Image, z: float) -> None:
    x, y, _, _ = maps()
    for side in (-1, 1):
        shift = 4.0 * side
        zz = z - shift
        if -62 < zz < 100:  # blade of the scapula
            inner = float(along((-62, 104), (-30, 80), (40, 74), (100, 92))(zz))
            outer = float(along((-62, 112), (-30, 122), (40, 142), (100, 160))(zz))
            inner_y = float(along((-62, 92), (-20, 101), (40, 96), (100, 70))(zz))
            outer_y = float(along((-62, 82), (-20, 62), (40, 36), (100, 22))(zz))
            bend = (inner + outer) / 2 + 4, (inner_y + outer_y) / 2 + 7
            blade = np.minimum(
                _plate(x, y, (side * inner, inner_y), (side * bend[0], bend[1]), 2.6),
                _plate(x, y, (side * bend[0], bend[1]), (side * outer, outer_y), 3.4),
            )
            if zz > 45:  # spine of the scapula
                end = (side * (outer + 6), outer_y + 42)
                blade = np.minimum(blade, _plate(x, y, (side * bend[0], bend[1]), end, 3.6))
            _bone(hu, blade.astype(np.float32), 1.5, 300.0)
        if zz > 76:  # head of the humerus
            radius = 25 * np.sqrt(max(0.0, 1 - ((zz - 102) / 26) ** 2))
            if radius > 3:
                _bone(hu, ellipse(x, y, (side * 178, 8), (radius, radius)), 1.6, 150.0)
        if 60 < zz < 106:  # clavicle
            at = (zz - 66) / 40
            centre = (side * (26 + 95 * at), -60 + 44 * at)
            _bone(hu, ellipse(x, y, centre, (19, 6.0), side * 18), 1.8, 260.0)
