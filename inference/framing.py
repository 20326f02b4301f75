"""Which part of a CT picture without Hounsfield units a network is shown.

Pictures from papers and web pages show the chest at any size, with table, scales and text around
it. Where HU are known, `inference.lungs` finds the lungs; here grey values have to do.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.preprocess import Box

__all__ = ["CHEST", "WHOLE", "aerated_lungs", "chest_box", "frame"]

WHOLE: Final = "whole"
CHEST: Final = "chest"

LEAST_LUNG = 0.01
"""A lung takes at least this share of the picture."""
MARGIN = 0.1
"""Around the lungs, relative to their longer side; dense lesions and fluid lie there."""
LEAST_OF_BODY = 0.7
"""Lungs with their margin that are narrower or lower than this, relative to the body, are not all
of the lungs: one is white, or the slice is one of the apex. Then the body is shown."""


def frame(picture: NDArray[np.uint8], framing: str) -> Box | None:
    """The part of a CT picture that is shown to a network of such a framing; None: the whole."""
    return chest_box(picture) if framing == CHEST else None


def chest_box(picture: NDArray[np.uint8]) -> Box:
    """The lungs with a margin, or the body where they are not seen well.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8, axial, lung window, air dark.
    """
    body = _body(picture)
    lungs = aerated_lungs(picture)
    if not lungs:
        return body
    box = Box.around(np.logical_or.reduce(lungs), MARGIN)
    wide = (box.right - box.left) >= LEAST_OF_BODY * (body.right - body.left)
    high = (box.bottom - box.top) >= LEAST_OF_BODY * (body.bottom - body.top)
    return box if wide and high else body


def _bright(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """1 where there is tissue, by Otsu's threshold."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.5)
    threshold, _ = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(smooth > threshold, dtype=np.uint8)


def _body(picture: NDArray[np.uint8]) -> Box:
    """Bounding box of the largest bright part; the whole picture where nothing is bright."""
    count, _, statistics, _ = cv2.connectedComponentsWithStats(_bright(picture))
    if count < 2:
        return Box(0, picture.shape[0], 0, picture.shape[1])
    largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
    left, top, width, height = (int(v) for v in statistics[largest, : cv2.CC_STAT_AREA])
    return Box(top, top + height, left, left + width)


def aerated_lungs(picture: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """Each lung of an axial slice, or both in one mask where they touch.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8, lung window, air dark, patient on the back (dorsal is down).

    Returns
    -------
    list of ndarray
        Shape (rows, columns), vessels and small lesions filled; empty when none is found.
    """
    body = _bright(picture)
    contours, _ = cv2.findContours(body, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    inside = np.zeros_like(body)
    cv2.drawContours(inside, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    dark = inside & (1 - body)
    side = max(3, round(0.015 * max(picture.shape)) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    closed = cv2.morphologyEx(dark, cv2.MORPH_CLOSE, kernel)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(closed)
    large = statistics[:, cv2.CC_STAT_AREA] > LEAST_LUNG * picture.size
    return [labels == index for index in range(1, count) if large[index]]
