"""From stored values to what a network sees: window, 8 bit, CLAHE, resize.

Training and inference both call `prepare`; there is no other way in (El-bana et al., stage 1:
all scans are resized after contrast-limited adaptive histogram equalisation). What
`inference.ondevice` does on a graphics card is held to it bit by bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.studies.model import Unit, VoiFunction, Volume, Window
from inference.studies.voi import grey_of, spread

if TYPE_CHECKING:
    import torch

__all__ = [
    "LUNG_WINDOW",
    "Box",
    "equalise",
    "fit",
    "prepare",
    "restore",
    "to_picture",
    "to_tensor",
]

LUNG_WINDOW = Window(-600.0, 1500.0, "Lung")
"""The window in which CT is shown to the networks."""

CLAHE_CLIP = 2.0
CLAHE_TILES = (8, 8)
MEAN = 0.5
STD = 0.25


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels, end exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_], margin: float = 0.06) -> Box:
        """Bounding box of a mask with a margin relative to its longer side.

        Parameters
        ----------
        mask
            Shape (..., rows, columns), bool, not empty.
        margin
            Part of the longer side added on each of the four sides.
        """
        flat: NDArray[np.bool_] = np.logical_or.reduce(mask.reshape(-1, *mask.shape[-2:]))
        rows = np.flatnonzero(flat.any(axis=1))
        columns = np.flatnonzero(flat.any(axis=0))
        pad = round(margin * max(rows[-1] - rows[0], columns[-1] - columns[0]))
        return cls(
            max(0, int(rows[0]) - pad),
            min(flat.shape[0], int(rows[-1]) + pad + 1),
            max(0, int(columns[0]) - pad),
            min(flat.shape[1], int(columns[-1]) + pad + 1),
        )

    def cut(self, picture: NDArray[np.generic]) -> NDArray[np.generic]:
        """The part of a (rows, columns) picture inside the box (a view)."""
        return picture[self.top : self.bottom, self.left : self.right]

    def mask(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The pixels inside the box: bool, of that (rows, columns)."""
        inside = np.zeros(shape, dtype=bool)
        inside[self.top : self.bottom, self.left : self.right] = True
        return inside


def _window(values: NDArray[np.generic], window: Window) -> NDArray[np.uint8]:
    low = window.centre - window.width / 2.0
    grey = (values.astype(np.float32) - low) * np.float32(255.0 / window.width)
    return np.asarray(np.clip(np.rint(grey), 0, 255), dtype=np.uint8)


def _by_file(values: NDArray[np.generic], window: Window) -> NDArray[np.uint8]:
    """By the function that the file names; the networks learnt LINEAR as what is exact of it."""
    if window.function is VoiFunction.SIGMOID:
        return grey_of(values, window, inverted=False)
    return _window(values, window)


def to_picture(volume: Volume, index: int) -> NDArray[np.uint8]:
    """One slice as an 8-bit picture: lung window for HU, file VOI or percentiles for X-ray.

    Parameters
    ----------
    volume
        Any volume.
    index
        Slice index.

    Returns
    -------
    ndarray
        Shape (rows, columns), uint8, MONOCHROME1 turned so that air is dark.
    """
    values = volume.array[index]
    if volume.unit is Unit.HU:
        return _window(values, LUNG_WINDOW)
    if values.dtype == np.uint8 and not volume.windows:
        picture = np.asarray(values, dtype=np.uint8)
    elif volume.windows:
        picture = _by_file(values, volume.windows[0])
    else:
        picture = _window(values, spread(values, volume))
    return 255 - picture if volume.inverted else picture


def equalise(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contrast-limited adaptive histogram equalisation of a picture (rows, columns), uint8."""
    equalised = cv2.createCLAHE(CLAHE_CLIP, CLAHE_TILES).apply(np.ascontiguousarray(picture))
    return np.asarray(equalised, dtype=np.uint8)


def fit(equalised: NDArray[np.uint8], size: int, box: Box | None = None) -> NDArray[np.uint8]:
    """Cut and resize a picture that has been equalised; parameters and result as of `prepare`."""
    part = equalised if box is None else box.cut(equalised)
    shrinks = max(part.shape) > size
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=how)
    return np.asarray(resized, dtype=np.uint8)


def prepare(picture: NDArray[np.uint8], size: int, box: Box | None = None) -> NDArray[np.uint8]:
    """Equalise and resize a picture for a network.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8.
    size
        Side of the square result in pixels.
    box
        Cut this part out first (after equalisation, so that tiles are those of the whole picture).

    Returns
    -------
    ndarray
        Shape (size, size), uint8.
    """
    return fit(equalise(picture), size, box)


def restore(
    maps: NDArray[np.float32], shape: tuple[int, int], box: Box | None = None
) -> NDArray[np.float32]:
    """Put network output back on the source grid.

    Parameters
    ----------
    maps
        Shape (channels, size, size), float32.
    shape
        (rows, columns) of the source.
    box
        The box given to `prepare`.

    Returns
    -------
    ndarray
        Shape (channels, rows, columns), float32; 0 outside the box.
    """
    whole = Box(0, shape[0], 0, shape[1]) if box is None else box
    result = np.zeros((maps.shape[0], *shape), dtype=np.float32)
    size = (whole.right - whole.left, whole.bottom - whole.top)
    for channel, values in enumerate(maps):
        whole.cut(result[channel])[...] = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    return result


def to_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Prepared pictures as a network's input.

    Parameters
    ----------
    pictures
        Shape (batch, size, size), uint8.

    Returns
    -------
    torch.Tensor
        Shape (batch, 1, size, size), float32, about zero mean and unit variance.
    """
    import torch

    batch = torch.from_numpy(np.ascontiguousarray(pictures)).unsqueeze(1).float()
    return batch.div_(255.0).sub_(MEAN).div_(STD)
