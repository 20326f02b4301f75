"""One slice to one frame of device pixels, in NumPy and OpenCV, without Qt.

Everything is sampled straight onto device pixels, so mask edges are image pixel edges at every
zoom and every scaling of the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["HeatLayer", "MaskLayer", "Placement", "compose", "heat_table"]

_BLOCKS_FROM = 4.0
"""Device pixels a picture pixel from which pixels are shown as the blocks they are."""

_OUTLINE = 1.5
"""Thickness of an outline, in logical pixels."""

_HEAT_FULL = 0.5
"""Heatmap value from which it is drawn with its full opacity; below, it fades into the picture."""

Bytes: TypeAlias = NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies on the device.

    Parameters
    ----------
    width, height
        Size of the frame in device pixels.
    left, top
        Device position of the picture's outer corner; may lie outside the frame.
    scale_x, scale_y
        Device pixels a picture pixel.
    ratio
        Device pixels a logical pixel.
    """

    width: int
    height: int
    left: float
    top: float
    scale_x: float
    scale_y: float
    ratio: float = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class MaskLayer:
    """One mask to draw: shape (rows, columns) bool, as displayed; colour is (red, green, blue).

    With neither `outline` nor `fill` it is filled; with both, the outline is the stronger.
    """

    mask: NDArray[np.bool_]
    colour: tuple[int, int, int]
    opacity: float
    outline: bool
    fill: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class HeatLayer:
    """A heatmap to draw: shape (rows, columns) float32 in [0, 1], as displayed.

    Where it is below `threshold` nothing is drawn.
    """

    values: NDArray[np.float32]
    opacity: float
    threshold: float = 0.0


def heat_table() -> Bytes:
    """Colours of the heatmap, shape (256, 3), red, green, blue: perceptually even ("magma")."""
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    table = cv2.applyColorMap(ramp, cv2.COLORMAP_MAGMA)
    return np.ascontiguousarray(table[:, 0, ::-1])


def _straight(_name: str, do: Callable[[], None]) -> None:
    do()


def compose(
    grey: Bytes,
    placement: Placement,
    masks: Iterable[MaskLayer] = (),
    heat: HeatLayer | None = None,
    attempt: Callable[[str, Callable[[], None]], None] = _straight,
) -> Bytes:
    """Draw the frame: grey, then the heatmap, then the masks in the order given.

    Parameters
    ----------
    grey
        Shape (rows, columns), as displayed.
    placement
        Where the picture lies on the device.
    masks, heat
        What is laid over it, on the same grid.
    attempt
        Does each overlay of the name given; may keep what it raises from the rest of the frame.

    Returns
    -------
    ndarray
        Shape (height, width, 4), uint8, blue, green, red, 255; black outside the picture.
    """
    frame = _plain(placement.height, placement.width, (0, 0, 0))
    rows, columns = grey.shape
    across = _span(0, columns, placement.left, placement.scale_x, placement.width)
    down = _span(0, rows, placement.top, placement.scale_y, placement.height)
    if across.stop <= across.start or down.stop <= down.start:
        return frame
    region = frame[down, across]
    cv2.cvtColor(_sample_grey(grey, placement, across, down), cv2.COLOR_GRAY2BGRA, dst=region)
    if heat is not None:
        attempt("Heatmap", partial(_blend_heat, region, heat, placement, across, down))
    for layer in masks:
        attempt("Masks", partial(_blend_mask, frame, layer, placement))
    return frame


def _plain(height: int, width: int, colour: tuple[int, int, int]) -> Bytes:
    """One colour all over, written a pixel at a time: many times quicker than by channels."""
    red, green, blue = colour
    words = np.full((height, width), 0xFF000000 | red << 16 | green << 8 | blue, np.uint32)
    return words.view(np.uint8).reshape(height, width, 4)


def _whole_span(first: int, last: int, origin: float, scale: float) -> tuple[int, int]:
    """Device pixels whose centres lie in picture pixels first to last (exclusive)."""
    return (
        int(np.ceil(origin + first * scale - 0.5)),
        int(np.ceil(origin + last * scale - 0.5)),
    )


def _inside(start: int, stop: int, size: int) -> slice:
    return slice(min(size, max(0, start)), max(0, min(size, stop)))


def _span(first: int, last: int, origin: float, scale: float, size: int) -> slice:
    """Those of `_whole_span` that are inside the frame."""
    return _inside(*_whole_span(first, last, origin, scale), size)


def _nearest(span: slice, origin: float, scale: float, count: int) -> NDArray[np.intp]:
    """Picture pixel under the centre of each device pixel."""
    index = np.floor((np.arange(span.start, span.stop) + 0.5 - origin) / scale)
    return np.clip(index, 0, count - 1).astype(np.intp)


def _sample_smooth(
    image: NDArray[Scalar], placement: Placement, across: slice, down: slice
) -> NDArray[Scalar]:
    """Linear where the picture is magnified, averaged over area where it is made smaller."""
    rows, columns = image.shape
    small_columns = max(1, round(columns * min(1.0, placement.scale_x)))
    small_rows = max(1, round(rows * min(1.0, placement.scale_y)))
    source: NDArray[Any] = np.ascontiguousarray(image)
    if (small_columns, small_rows) != (columns, rows):
        source = cv2.resize(source, (small_columns, small_rows), interpolation=cv2.INTER_AREA)
    step_x = small_columns / (columns * placement.scale_x)
    step_y = small_rows / (rows * placement.scale_y)
    # Pixel centres lie at halves, OpenCV's at whole numbers.
    back = np.array(
        [
            [step_x, 0.0, (across.start + 0.5 - placement.left) * step_x - 0.5],
            [0.0, step_y, (down.start + 0.5 - placement.top) * step_y - 0.5],
        ]
    )
    size = (across.stop - across.start, down.stop - down.start)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    sampled: NDArray[Any] = cv2.warpAffine(
        source, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    return sampled


def _sample_grey(grey: Bytes, placement: Placement, across: slice, down: slice) -> Bytes:
    if min(placement.scale_x, placement.scale_y) < _BLOCKS_FROM:
        return _sample_smooth(grey, placement, across, down)
    rows, columns = grey.shape
    strips = np.take(grey, _nearest(across, placement.left, placement.scale_x, columns), axis=1)
    return np.take(strips, _nearest(down, placement.top, placement.scale_y, rows), axis=0)


def _blend_heat(
    region: Bytes, heat: HeatLayer, placement: Placement, across: slice, down: slice
) -> None:
    values = _sample_smooth(heat.values, placement, across, down)
    index = cv2.convertScaleAbs(values, alpha=255.0)
    colours = cv2.applyColorMap(index, cv2.COLORMAP_MAGMA)
    share = np.clip(values * np.float32(heat.opacity / _HEAT_FULL), 0.0, heat.opacity)
    share[values < heat.threshold] = 0.0
    under = cv2.cvtColor(region, cv2.COLOR_BGRA2BGR)
    mixed = cv2.blendLinear(under, colours, 1.0 - share, share)
    cv2.cvtColor(mixed, cv2.COLOR_BGR2BGRA, dst=region)


def _owners(count: int, origin: float, scale: float) -> NDArray[np.intp]:
    """Device pixel that shows each picture pixel, where several share one (scale below 1)."""
    inside = _whole_span(0, count, origin, scale)
    centres: NDArray[np.float64] = np.floor(origin + (np.arange(count) + 0.5) * scale)
    return centres.clip(inside[0], max(inside[0], inside[1] - 1)).astype(np.intp)


def _mask_span(first: int, last: int, count: int, lie: tuple[float, float], size: int) -> slice:
    """Device pixels of picture pixels first to last (inclusive), inside the frame."""
    origin, scale = lie
    if scale >= 1.0:
        return _span(first, last + 1, origin, scale, size)
    owners = _owners(count, origin, scale)
    return _inside(int(owners[first]), int(owners[last]) + 1, size)


def _sample_mask(
    mask: NDArray[np.bool_], lie: tuple[float, float], span: slice, axis: int
) -> NDArray[np.bool_]:
    """One axis of a mask on device pixels; made smaller, a pixel is set if any it shows is."""
    origin, scale = lie
    count = mask.shape[axis]
    if scale >= 1.0:
        return np.take(mask, _nearest(span, origin, scale, count), axis=axis)
    edges = np.searchsorted(_owners(count, origin, scale), np.arange(span.start, span.stop + 1))
    used = np.take(mask, np.arange(edges[0], edges[-1]), axis=axis)
    return np.logical_or.reduceat(used, edges[:-1] - edges[0], axis=axis)


def _blend_mask(frame: Bytes, layer: MaskLayer, placement: Placement) -> None:
    rows = np.flatnonzero(layer.mask.any(axis=1))
    if rows.size == 0:
        return
    columns = np.flatnonzero(layer.mask.any(axis=0))
    height, width = layer.mask.shape
    lie_x = (placement.left, placement.scale_x)
    lie_y = (placement.top, placement.scale_y)
    across = _mask_span(int(columns[0]), int(columns[-1]), width, lie_x, placement.width)
    down = _mask_span(int(rows[0]), int(rows[-1]), height, lie_y, placement.height)
    if across.stop <= across.start or down.stop <= down.start:
        return
    # Columns before rows: repeating whole rows is the cheap part.
    strips = _sample_mask(layer.mask, lie_x, across, 1)
    mask = _sample_mask(strips, lie_y, down, 0).view(np.uint8)
    opacity = layer.opacity
    region = frame[down, across]
    paint = _plain(region.shape[0], region.shape[1], layer.colour)
    if layer.fill and layer.outline:
        cv2.copyTo(cv2.addWeighted(region, 1.0 - opacity, paint, opacity, 0.0), mask, region)
    if layer.outline:
        side = 2 * max(1, round(_OUTLINE * placement.ratio)) + 1
        inner = cv2.erode(
            mask, np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        mask = mask & ~np.asarray(inner, np.uint8)
        # A thin line needs more of its colour than a surface to look as strong.
        opacity = 1.0 - (1.0 - opacity) ** 2
    cv2.copyTo(cv2.addWeighted(region, 1.0 - opacity, paint, opacity, 0.0), mask, region)
