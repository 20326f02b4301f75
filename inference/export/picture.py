"""One slice as a picture: true aspect, masks or heatmap over it, legend, letters and the banner."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import ExportRefusedError
from inference.export import files
from inference.export.current import require_current
from inference.export.palette import RGB, findings_colours
from inference.export.report import BANNER
from inference.findings import Manifestation
from inference.heat_energy import figure_text, warning_text
from inference.studies.model import Unit, Window
from inference.studies.naming import image_name, slice_name
from inference.studies.voi import grey_of, spread

if TYPE_CHECKING:
    from inference.findings import Findings, Heatmap
    from inference.studies.model import Volume

__all__ = ["default_window", "render", "write_png"]

Picture = NDArray[np.uint8]

_SIDE: Final = 768
"""The longer side is enlarged to at least this many pixels, so that text and outlines are fine."""

_MARGIN: Final = 12
_BAR: Final = 34
"""Height of the strip with the banner."""
_TEXT: Final[RGB] = (215, 219, 224)
_WARNING: Final[RGB] = (242, 184, 75)
_OUTLINE_PIXELS: Final = 2


def default_window(volume: Volume) -> Window:
    """Lung for CT, else the file's own window, else the 1st to 99th percentile."""
    if volume.unit is Unit.HU:
        return Window(-600.0, 1500.0, "Lung")
    if volume.windows:
        return volume.windows[0]
    return spread(volume.array[volume.shape[0] // 2], volume, "1-99 %")


def render(
    volume: Volume,
    findings: Findings | None,
    slice_index: int,
    window: Window | None = None,
    *,
    layers: Collection[Manifestation] = tuple(Manifestation),
    style: Literal["fill", "outline"] = "fill",
    opacity: float = 0.45,
    palette: str = "paper",
    heatmap: Heatmap | None = None,
    heatmap_opacity: float = 0.5,
) -> Picture:
    """Draw one slice.

    Parameters
    ----------
    volume
        The study.
    findings
        Of this volume; None draws the slice alone.
    slice_index
        0-based.
    window
        None for `default_window`.
    layers
        Which masks are drawn.
    style, opacity
        Filled areas of that opacity, or outlines.
    palette
        ``"paper"`` or ``"safe"``.
    heatmap, heatmap_opacity
        An explanation of this slice, drawn under the masks.

    Returns
    -------
    ndarray
        Shape (height, width, 3), uint8, RGB; pixels are square in the patient.

    Raises
    ------
    ExportRefusedError
        When the slice does not exist, or findings or heatmap belong to something else.
    """
    count = volume.shape[0]
    if not 0 <= slice_index < count:
        raise ExportRefusedError(
            f"There is no slice {slice_index + 1}; this series has slices 1 to {count}."
        )
    if findings is not None:
        require_current(findings, volume)
    if heatmap is not None and (
        heatmap.slice_index != slice_index or heatmap.values.shape != volume.shape[1:]
    ):
        raise ExportRefusedError("The heatmap belongs to another slice; compute it for this one.")
    window = window or default_window(volume)
    size = _true_size(volume)
    grey = grey_of(volume.array[slice_index], window, volume.inverted)
    picture: Picture = np.repeat(cv2.resize(grey, size)[..., None], 3, axis=2).astype(np.uint8)
    if heatmap is not None:
        _add_heatmap(picture, heatmap, heatmap_opacity)
    legend: list[tuple[str, RGB]] = []
    colours = findings_colours(palette)
    for segment in findings.segments if findings is not None else ():
        if segment.key in layers:
            colour = colours[segment.key]
            _add_mask(picture, segment.mask[slice_index], colour, style, opacity)
            legend.append((segment.key.short, colour))
    _add_letters(picture, volume)
    _add_texts(picture, volume, slice_index, window, legend, heatmap)
    return _with_banner(picture)


def write_png(picture: Picture, path: Path) -> None:
    """Write a picture made by `render`.

    Raises
    ------
    ExportRefusedError
        When the file cannot be written.
    """
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    files.write_bytes(path, data.tobytes())


def _true_size(volume: Volume) -> tuple[int, int]:
    """Width and height at which pixels are square."""
    _, rows, columns = volume.shape
    _, row_mm, column_mm = volume.spacing
    width, height = columns * column_mm, rows * row_mm
    scale = max(_SIDE, rows, columns) / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _add_mask(
    picture: Picture, mask: NDArray[np.bool_], colour: RGB, style: str, opacity: float
) -> None:
    height, width = picture.shape[:2]
    large = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    if style == "outline":
        contours, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, contours, -1, colour, _OUTLINE_PIXELS, cv2.LINE_AA)
        return
    inside = large.astype(bool)
    mixed = picture[inside] * (1 - opacity) + np.array(colour) * opacity
    picture[inside] = np.rint(mixed).astype(np.uint8)


def _add_heatmap(picture: Picture, heatmap: Heatmap, opacity: float) -> None:
    height, width = picture.shape[:2]
    values = cv2.resize(np.clip(heatmap.values, 0, 1), (width, height))
    coloured = cv2.applyColorMap(np.rint(values * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    alpha = (values * opacity)[..., None]
    mixed = picture * (1 - alpha) + cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB) * alpha
    picture[:] = np.rint(mixed).astype(np.uint8)


def _add_letters(picture: Picture, volume: Volume) -> None:
    """Say which side of the patient each edge is; nothing where it is not known."""
    if not volume.has_orientation:
        return
    height, width = picture.shape[:2]
    right, down = _letter(volume.affine[:3, 0]), _letter(volume.affine[:3, 1])
    left, up = _letter(-volume.affine[:3, 0]), _letter(-volume.affine[:3, 1])
    _write(picture, left, (_MARGIN, height // 2))
    _write(picture, right, (width - _MARGIN, height // 2), align=1.0)
    _write(picture, up, (width // 2, _MARGIN + 16), align=0.5)
    _write(picture, down, (width // 2, height - _MARGIN), align=0.5)


def _letter(direction: NDArray[np.float64]) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return ("RL", "AP", "FH")[axis][int(direction[axis] > 0)]


def _add_texts(
    picture: Picture,
    volume: Volume,
    slice_index: int,
    window: Window,
    legend: list[tuple[str, RGB]],
    heatmap: Heatmap | None,
) -> None:
    name = slice_name(volume.slices, slice_index, volume.shape[0])
    lines = [name if image_name(volume.slices, slice_index) else f"Slice {name}"]
    lines.append(f"W {window.width:.0f}  L {window.centre:.0f}")
    if volume.lossy:
        lines.append("lossy")
    cautions = _heat_lines(heatmap) if heatmap is not None else []
    for number, line in enumerate((*lines, *cautions)):
        place = (picture.shape[1] - _MARGIN, _MARGIN + 16 + 22 * number)
        _write(picture, line, place, align=1.0, colour=_TEXT if line in lines else _WARNING)
    for number, (name, colour) in enumerate(legend):
        y = _MARGIN + 22 * number
        cv2.rectangle(picture, (_MARGIN, y + 3), (_MARGIN + 14, y + 17), colour, cv2.FILLED)
        _write(picture, name, (_MARGIN + 22, y + 16))


def _heat_lines(heatmap: Heatmap) -> list[str]:
    """What has to be said of a heatmap wherever it is shown."""
    lines = [f"{heatmap.method}: {heatmap.explained.label}", "not a segmentation"]
    if heatmap.model:
        lines.append(f"explains {heatmap.model} alone")
    if heatmap.lungs is not None:
        lines.append(figure_text(heatmap.lungs))
        lines += warning_text(heatmap.lungs).replace(": ", ":\n").splitlines()
    return lines


def _write(
    picture: Picture, text: str, at: tuple[int, int], align: float = 0.0, colour: RGB = _TEXT
) -> None:
    """Write text with a dark edge, so that it can be read over bone as over air."""
    font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.55
    (width, _), _ = cv2.getTextSize(text, font, size, 1)
    place = (round(at[0] - align * width), at[1])
    # Moved copies, not a thicker pen: that makes some versions' letters wider.
    for dx, dy in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        edge = (place[0] + dx, place[1] + dy)
        cv2.putText(picture, text, edge, font, size, (0, 0, 0), 1, cv2.LINE_AA)
    cv2.putText(picture, text, place, font, size, colour, 1, cv2.LINE_AA)


def _with_banner(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    result = np.zeros((height + _BAR, width, 3), np.uint8)
    result[:height] = picture
    _write(result, BANNER, (width // 2, height + 23), align=0.5, colour=_WARNING)
    return result
