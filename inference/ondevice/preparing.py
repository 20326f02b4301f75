"""`preprocess.to_picture` and `preprocess.prepare` for a batch of slices in Hounsfield units."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch

from inference.ondevice.equalising import Equaliser
from inference.ondevice.resizing import picture_resizer
from inference.preprocess import LUNG_WINDOW, Box

__all__ = ["Preparer", "windowed"]


def windowed(values: torch.Tensor) -> torch.Tensor:
    """Slices as 8-bit pictures in the lung window.

    Parameters
    ----------
    values
        HU, any shape and any type of number.

    Returns
    -------
    torch.Tensor
        The same shape, uint8.
    """
    low = LUNG_WINDOW.centre - LUNG_WINDOW.width / 2.0
    grey = (values.float() - low) * float(np.float32(255.0 / LUNG_WINDOW.width))
    return grey.round().clamp_(0, 255).to(torch.uint8)


class Preparer:
    """Prepares slices of one shape, all of which are shown to the networks in the same part.

    Parameters
    ----------
    shape
        (rows, columns) of the slices.
    box
        What is shown of each; None: all of it.
    sizes
        Sides of the networks' inputs in pixels.
    device
        Where the slices are.
    """

    def __init__(
        self,
        shape: tuple[int, int],
        box: Box | None,
        sizes: Collection[int],
        device: torch.device,
    ) -> None:
        self._equalise = Equaliser(shape, box, device)
        part = shape if box is None else (box.bottom - box.top, box.right - box.left)
        self._resize = {size: picture_resizer(part, size, device) for size in sizes}

    def __call__(self, values: torch.Tensor) -> dict[int, torch.Tensor]:
        """Window, equalise, cut and resize.

        Parameters
        ----------
        values
            Shape (n, rows, columns), HU.

        Returns
        -------
        dict
            By size (n, size, size), uint8.
        """
        equalised = self._equalise(windowed(values))
        return {size: resize(equalised) for size, resize in self._resize.items()}
