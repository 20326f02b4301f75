"""What is written around the picture: pure sentences and numbers, no drawing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inference.studies.model import Unit

if TYPE_CHECKING:
    from inference.findings import Manifestation
    from inference.studies.model import Problem, Volume, Window

__all__ = [
    "ScaleBar",
    "doubts_text",
    "number",
    "scale_bar",
    "slice_text",
    "value_lines",
    "window_text",
    "zoom_text",
]

_AXES = "LPH"
"""Letters of growing x, y and z in LPS."""

_BARS_MM = (200.0, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0)


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A length on the screen and what it measures in the patient."""

    pixels: float
    label: str


def number(value: float, digits: int = 0) -> str:
    """Write a number with a real minus sign and no negative zero."""
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def scale_bar(pixels_per_mm: float, longest: float) -> ScaleBar | None:
    """Choose the longest round bar that fits.

    Parameters
    ----------
    pixels_per_mm
        Logical screen pixels a mm.
    longest
        Room for it in logical screen pixels.

    Examples
    --------
    >>> scale_bar(1.5, 200.0)
    ScaleBar(pixels=150.0, label='10 cm')
    """
    for mm in _BARS_MM:
        if mm * pixels_per_mm <= longest:
            label = f"{mm / 10:.0f} cm" if mm >= 10 else f"{mm:.0f} mm"
            return ScaleBar(mm * pixels_per_mm, label)
    return None


def slice_text(volume: Volume, position: int) -> str:
    """Slice k of n, and where it lies along the patient axis nearest to the slice normal, in mm."""
    text = f"{position + 1}/{volume.shape[0]}"
    if not (volume.has_geometry and volume.has_orientation):
        return text
    normal = np.cross(volume.affine[:3, 0], volume.affine[:3, 1])
    axis = int(np.argmax(np.abs(normal)))
    _, rows, columns = volume.shape
    centre = volume.position((columns - 1) / 2, (rows - 1) / 2, position)
    return f"{text}  ·  {_AXES[axis]} {number(centre[axis], 1)} mm"


def window_text(window: Window) -> str:
    """Width, level and name of the window."""
    digits = 0 if window.width >= 10 else 1
    text = f"W {number(window.width, digits)}  L {number(window.centre, digits)}"
    return f"{text}  ·  {window.name}" if window.name else text


def zoom_text(scale: float) -> str:
    """Logical screen pixels a picture pixel."""
    return f"×{scale:.2f}"


def value_lines(
    volume: Volume, position: int, pixel: tuple[int, int], segments: Iterable[Manifestation]
) -> tuple[str, str]:
    """Say what lies under the cursor: value and segments, then the place.

    Parameters
    ----------
    volume, position
        What is on the screen.
    pixel
        Stored (column, row).
    segments
        Whose masks cover the pixel.
    """
    column, row = pixel
    stored = float(volume.array[position, row, column])
    digits = 0 if volume.array.dtype.kind in "iu" else 1
    if not np.isfinite(stored) or stored == volume.padding:
        value = "no data"
    elif volume.unit is Unit.HU:
        value = f"{number(stored, digits)} HU"
    else:
        value = f"grey {number(stored, digits)}"
    first = "  ".join((value, *(key.short for key in segments)))
    if volume.has_geometry and volume.has_orientation:
        point = volume.position(column, row, position)
        parts = (f"{axis} {number(mm, 1)}" for axis, mm in zip(_AXES, point, strict=True))
        return first, "  ".join(parts) + " mm"
    return first, f"column {column + 1}, row {row + 1}"


def doubts_text(problems: tuple[Problem, ...]) -> str:
    """Count the doubts and begin with the first; empty without any."""
    if not problems:
        return ""
    count = f"{len(problems)} doubt" + ("s" if len(problems) > 1 else "")
    return f"⚠ {count}: {problems[0].sentence}"
