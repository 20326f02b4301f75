"""A small grey picture of a series, for the study tree."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.studies.limits import HU_FLOOR
from inference.studies.model import Series, SourceKind, Unit, Window
from inference.studies.voi import grey_of, spread

__all__ = ["make_thumbnail"]

_LUNG: Final = Window(-600.0, 1500.0, "Lung")
_PERCENTILES: Final = (1.0, 99.0)


def make_thumbnail(series: Series, size: int) -> NDArray[np.uint8]:
    """Return the middle slice, letterboxed; see `reader.thumbnail`."""
    from inference.studies.reader import load

    window = _LUNG
    if series.kind is SourceKind.VOLUME:
        from inference.studies.volumes import middle_slice

        values, aspect = middle_slice(series)
        inverted = False
        if float(values.min()) > HU_FLOOR:
            low, high = np.percentile(values.astype(np.float32), _PERCENTILES)
            window = Window(float(low + high) / 2.0, max(1.0, float(high - low)))
    else:
        middle = series.slices[len(series.slices) // 2]
        volume = load(replace(series, slices=(middle,)))
        values = volume.array[0]
        _, height, width = volume.spacing
        aspect, inverted = height / width, volume.inverted
        if volume.unit is not Unit.HU:
            window = volume.windows[0] if volume.windows else spread(values, volume)
    grey = grey_of(values, window, inverted)
    return _letterbox(grey, aspect, size)


def _letterbox(grey: NDArray[np.uint8], aspect: float, size: int) -> NDArray[np.uint8]:
    rows, columns = grey.shape[0] * aspect, float(grey.shape[1])
    scale = size / max(rows, columns)
    height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
    small = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    picture = np.zeros((size, size), np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    picture[top : top + height, left : left + width] = small
    return picture
