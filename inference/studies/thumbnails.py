"""A small grey picture of a series, for the study tree."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.studies.limits import HU_FLOOR
from inference.studies.model import Series, SourceKind, Unit, Window

__all__ = ["make_thumbnail"]

_LUNG: Final = Window(-600.0, 1500.0, "Lung")
_PERCENTILES: Final = (1.0, 99.0)


def make_thumbnail(series: Series, size: int) -> NDArray[np.uint8]:
    """Return the middle slice, letterboxed; see `reader.thumbnail`."""
    from inference.studies.reader import load

    windows: tuple[Window, ...] = ()
    if series.kind is SourceKind.VOLUME:
        from inference.studies.volumes import middle_slice

        values, aspect = middle_slice(series)
        is_hu, inverted = float(values.min()) <= HU_FLOOR, False
    else:
        middle = series.slices[len(series.slices) // 2]
        volume = load(replace(series, slices=(middle,)))
        values = volume.array[0]
        _, height, width = volume.spacing
        aspect, inverted = height / width, volume.inverted
        is_hu, windows = volume.unit is Unit.HU, volume.windows
    grey = _windowed(values, _LUNG if is_hu else _window(values, windows))
    return _letterbox(255 - grey if inverted else grey, aspect, size)


def _window(values: NDArray[np.generic], windows: tuple[Window, ...]) -> Window:
    if windows:
        return windows[0]
    low, high = np.percentile(values.astype(np.float32), _PERCENTILES)
    return Window(float(low + high) / 2.0, max(1.0, float(high - low)))


def _windowed(values: NDArray[np.generic], window: Window) -> NDArray[np.uint8]:
    low = window.centre - window.width / 2.0
    grey = (values.astype(np.float32) - low) * (255.0 / window.width)
    clipped: NDArray[np.uint8] = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    return clipped


def _letterbox(grey: NDArray[np.uint8], aspect: float, size: int) -> NDArray[np.uint8]:
    rows, columns = grey.shape[0] * aspect, float(grey.shape[1])
    scale = size / max(rows, columns)
    height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    picture = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    picture[top : top + height, left : left + width] = small
    return picture
