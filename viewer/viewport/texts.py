"""What is written around the picture: pure sentences and numbers, no drawing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inference.findings import Manifestation
from inference.studies.model import Unit, VoiFunction
from inference.studies.naming import slice_name
from viewer.panes import SlabMode
from viewer.planes.oblique import ObliqueSection
from viewer.planes.orientation import patient_axis
from viewer.planes.section import Section

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.studies.model import Problem, Volume, Window
    from viewer.panes import Pane
    from viewer.planes.section import Planes

__all__ = [
    "ScaleBar",
    "doubts_text",
    "number",
    "plane_text",
    "probability_text",
    "scale_bar",
    "slab_text",
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


def plane_text(volume: Volume, section: Planes, index: int) -> str:
    """Plane k of n, and where it lies along the patient axis nearest to its normal, in mm.

    A slice that was acquired is called by its DICOM number, too. Of an oblique plane: how far it
    leans.
    """
    text = f"{index + 1}/{section.count}"
    if isinstance(section, Section) and section.axis == 0:
        text = slice_name(volume.slices, index, section.count)
    if isinstance(section, ObliqueSection):
        return f"{text}  ·  {section.words}"
    if not (volume.has_geometry and volume.has_orientation):
        return text
    axis = patient_axis(volume.affine, section.axis)
    slices, rows, columns = volume.shape
    middle = ((columns - 1) / 2, (rows - 1) / 2, (slices - 1) / 2)
    centre = volume.position(*section.moved(middle, index))
    return f"{text}  ·  {_AXES[axis]} {number(centre[axis], 1)} mm"


def slab_text(section: Planes, index: int, pane: Pane) -> str:
    """What a slab is made of: how, how thick and of how many planes; empty for one plane."""
    if pane.slab.mode is SlabMode.THIN:
        return ""
    start, stop = section.span(index, pane)
    planes = stop - start
    thick = number(planes * section.plane_mm, 1)
    text = f"{pane.slab.mode} of {planes} {'plane' if planes == 1 else 'planes'}, {thick} mm"
    if isinstance(section, ObliqueSection) and (coarse := section.coarseness(index, pane)) > 1:
        text += f", sampled every {number(coarse * section.pixel_mm, 1)} mm"
    return text


def window_text(window: Window) -> str:
    """Width, level and name of the window, and its curve where that is no plain line."""
    digits = 0 if window.width >= 10 else 1
    text = f"W {number(window.width, digits)}  L {number(window.centre, digits)}"
    curve = "" if window.function is VoiFunction.LINEAR else window.function.words
    return "  ·  ".join(filter(None, (text, window.name, curve)))


def zoom_text(scale: float) -> str:
    """Logical screen pixels a picture pixel."""
    return f"×{scale:.2f}"


def value_lines(
    volume: Volume,
    voxel: tuple[int, int, int],
    segments: Iterable[Manifestation],
    slab: tuple[SlabMode, float] | None = None,
) -> tuple[str, str]:
    """Say what lies under the cursor: value and segments, then the place.

    Parameters
    ----------
    volume
        What is on the screen.
    voxel
        (column, row, slice); of a slab, in its middle plane.
    segments
        Whose masks cover the pixel.
    slab
        Of a slab: how its planes became one, and the value that is shown.
    """
    column, row, position = voxel
    mode, stored = slab or (SlabMode.THIN, float(volume.array[position, row, column]))
    digits = 0 if volume.array.dtype.kind in "iu" and mode is not SlabMode.MEAN else 1
    if not np.isfinite(stored) or volume.is_padding(np.array(stored)):
        value = "no data"
    elif volume.unit is Unit.HU:
        value = f"{number(stored, digits)} HU"
    else:
        value = f"grey {number(stored, digits)}"
    value = value if mode is SlabMode.THIN else f"{mode} {value}"
    first = "  ".join((value, *(key.short for key in segments)))
    if volume.has_geometry and volume.has_orientation:
        point = volume.position(column, row, position)
        parts = (f"{axis} {number(mm, 1)}" for axis, mm in zip(_AXES, point, strict=True))
        return first, "  ".join(parts) + " mm"
    return first, f"column {column + 1}, row {row + 1}"


def probability_text(findings: Findings | None, slice_: int) -> str:
    """What the machine said of a slice's manifestations; empty where it said nothing."""
    estimate = findings.estimate("manifestations") if findings is not None else None
    if estimate is None:
        return ""
    values = estimate.shown_per_slice[slice_]
    if not np.isfinite(values).all():
        return "slice not analysed"
    parts = (
        f"{each.short} {value:.2f}" for each, value in zip(estimate.classes, values, strict=True)
    )
    return "slice: " + "  ".join(parts)


def doubts_text(problems: tuple[Problem, ...]) -> str:
    """Count the doubts and begin with the first; empty without any."""
    if not problems:
        return ""
    count = f"{len(problems)} doubt" + ("s" if len(problems) > 1 else "")
    return f"⚠ {count}: {problems[0].sentence}"
