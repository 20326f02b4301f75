"""Pictures that cannot be read: a network that still knows the class has learned a shortcut.

A part of every batch loses its lungs, and with them its label: the target becomes "every class is
as likely". What burnt-in text, borders, shoulders and age tell of the source is thereby unlearned,
instead of only being measured afterwards (`evaluation.shortcuts`). Another part keeps nothing but
its lungs, and its label.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["blind", "moved"]

_SCALE = 0.15
_SHIFT = 0.06
"""How far the region of the lungs is changed for each picture, relative to the side: it is an
average, and its outline itself is not to be learned."""
_BORDER_ONLY = 0.4
"""Of the pictures without lungs, the share that keeps nothing but a border."""
_WIDEST_BORDER = 0.2

Bytes = NDArray[np.uint8]


def blind(
    pictures: Bytes,
    targets: dict[str, NDArray[np.float32]],
    lungs: NDArray[np.bool_],
    shares: tuple[float, float],
    chooser: np.random.Generator,
) -> tuple[Bytes, dict[str, NDArray[np.float32]]]:
    """Take the lungs out of some pictures of a batch, and all but the lungs out of others.

    Parameters
    ----------
    pictures
        Shape (n, size, size).
    targets
        Probabilities (n, classes) by task; a row of NaN is unknown and stays so.
    lungs
        Shape (size, size): where lungs lie on average.
    shares
        Of pictures that lose their lungs, and of pictures that keep nothing else.
    chooser
        All randomness comes from it.

    Returns
    -------
    tuple
        Changed copies.
    """
    pictures = pictures.copy()
    targets = {task: values.copy() for task, values in targets.items()}
    without, only = shares
    for index, draw in enumerate(chooser.random(len(pictures))):
        if draw >= without + only:
            continue
        region = moved(lungs, chooser)
        grey = int(chooser.integers(256)) if chooser.random() < 0.5 else 0
        if draw >= without:
            pictures[index][~region] = grey
            continue
        if chooser.random() < _BORDER_ONLY:
            region = _all_but_border(lungs.shape, chooser)
        pictures[index][region] = grey
        for values in targets.values():
            if not np.isnan(values[index]).any():
                values[index] = 1.0 / values.shape[1]
    return pictures, targets


def moved(lungs: NDArray[np.bool_], chooser: np.random.Generator) -> NDArray[np.bool_]:
    """A region a little larger or smaller, and elsewhere, at random; same shape."""
    side = lungs.shape[0]
    scale = np.exp(chooser.uniform(-1.0, 1.0, 2) * np.log1p(_SCALE))
    shift = chooser.uniform(-_SHIFT, _SHIFT, 2) * side + (1.0 - scale) * side / 2.0
    matrix = np.array([[scale[0], 0.0, shift[0]], [0.0, scale[1], shift[1]]])
    size = (lungs.shape[1], side)
    warped = cv2.warpAffine(lungs.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST)
    return np.asarray(warped, dtype=bool)


def _all_but_border(shape: tuple[int, ...], chooser: np.random.Generator) -> NDArray[np.bool_]:
    width = max(1, round(float(chooser.uniform(0.05, _WIDEST_BORDER)) * shape[0]))
    inside = np.zeros(shape, dtype=bool)
    inside[width:-width, width:-width] = True
    return inside
