"""Where the lungs lie in X-rays: outlined by hand in some, on average in the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.manifest import Row
from inference.training.pictures import read_grey

__all__ = ["average_lungs", "hand_drawn", "lungs_at"]

REACH: Final = 0.1
"""The average region holds what is lung in at least this share of the masks."""
ATLAS_SIDE: Final = 64
_IGNORED: Final = 255
"""Code of hand-drawn lung masks where lung is uncertain."""


def average_lungs(masks: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Where lungs lie in many X-rays: shape (64, 64), relative to the picture's sides.

    Parameters
    ----------
    masks
        Of any shapes; at least one.
    """
    side = (ATLAS_SIDE, ATLAS_SIDE)
    small = [cv2.resize(m.astype(np.float32), side, interpolation=cv2.INTER_AREA) for m in masks]
    return np.asarray(np.mean(small, axis=0) >= REACH)


def lungs_at(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask on another grid of the same picture, shape (rows, columns); nearest neighbour."""
    size = (shape[1], shape[0])
    return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)


def hand_drawn(rows: Iterable[Row]) -> list[tuple[Row, NDArray[np.bool_]]]:
    """X-rays whose lungs were outlined, each with its mask on the mask's own grid."""
    rows = list(rows)
    pictures = {r.path: r for r in rows if r.role == "image"}
    found = []
    for row in rows:
        if row.role != "mask" or row.label != "lungs" or row.image not in pictures:
            continue
        owner = pictures[row.image]
        if owner.modality == "CXR":
            codes = read_grey(row.path)
            found.append((owner, (codes > 0) & (codes != _IGNORED)))
    return found
