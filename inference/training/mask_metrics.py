"""Overlap of two masks: counts of pixels, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Overlap", "count", "dice", "surface_dice"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Pixels of a class in one picture, or in many together.

    Parameters
    ----------
    both, predicted, true
        Pixels in both masks, in the predicted one, in the true one.
    known
        Pixels whose class is known.
    """

    both: float
    predicted: float
    true: float
    known: float

    def metrics(self) -> dict[str, float]:
        """Dice, IoU, mIoU (mean of class and background, as El-bana et al. give it), sensitivity
        and specificity; NaN where undefined. Two empty masks agree: Dice and IoU are 1.
        """
        union = self.predicted + self.true - self.both
        iou = _ratio(self.both, union, empty=1.0)
        outside = self.known - union
        background = _ratio(outside, self.known - self.both, empty=1.0)
        return {
            "Dice": dice(self.both, self.predicted, self.true),
            "IoU": iou,
            "mIoU": (iou + background) / 2,
            "sensitivity": _ratio(self.both, self.true),
            "specificity": _ratio(outside, self.known - self.true),
        }


def _ratio(part: float, whole: float, empty: float = float("nan")) -> float:
    return part / whole if whole else empty


def count(called: NDArray[np.bool_], true: NDArray[np.bool_], known: NDArray[np.bool_]) -> Overlap:
    """Count the pixels of two masks where the truth is known; arrays (rows, columns)."""
    called, true = called & known, true & known
    return Overlap(
        float((called & true).sum()), float(called.sum()), float(true.sum()), float(known.sum())
    )


def dice(overlap: float, predicted: float, true: float) -> float:
    """Dice similarity of two masks from pixel counts; 1 when both are empty."""
    return 1.0 if predicted + true == 0 else 2.0 * overlap / (predicted + true)


def surface_dice(first: NDArray[np.bool_], second: NDArray[np.bool_], tolerance: int = 2) -> float:
    """Normalised surface distance of two masks (Nikolov et al. 2018, surface Dice).

    The part of both outlines that lies no further than a tolerance from the other outline. An
    outline is the mask's pixels with a neighbour (of four) outside it or outside the picture.

    Parameters
    ----------
    first, second
        Shape (rows, columns), bool.
    tolerance
        Largest distance between pixel centres, in pixels.

    Returns
    -------
    float
        0 to 1; 1 when both are empty, 0 when one is.
    """
    outlines = [_outline(mask) for mask in (first, second)]
    lengths = [int(o.sum()) for o in outlines]
    if min(lengths) == 0:
        return 1.0 if max(lengths) == 0 else 0.0
    # Growing by a disc reaches exactly the pixels within its radius: no distance map is needed.
    reach = np.arange(-tolerance, tolerance + 1)
    disc = (reach[:, None] ** 2 + reach**2 <= tolerance**2).astype(np.uint8)
    near = [np.asarray(cv2.dilate(o, disc), dtype=np.uint8) for o in outlines]
    close = int((outlines[0] & near[1]).sum()) + int((outlines[1] & near[0]).sum())
    return close / sum(lengths)


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    own = mask.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(own, cross, borderType=cv2.BORDER_CONSTANT, borderValue=(0.0,))
    return np.asarray(own - inner, dtype=np.uint8)
