"""Where slices lie: their order along the normal, the affine, and what is doubtful about it.

Pure arithmetic in LPS millimetres; it knows no files but their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.studies.codes import Code
from inference.studies.limits import (
    SHIFT_TOLERANCE_MM,
    SPACING_RELATIVE_TOLERANCE,
    SPACING_TOLERANCE_MM,
    THICKNESS_GAP_RATIO,
    TILT_TOLERANCE_DEGREES,
)
from inference.studies.model import Problem

__all__ = ["distances", "flat_affine", "reading_normal", "stack_affine"]

_MAX_NAMED = 3
"""Gaps that are described one by one; more are counted."""


def reading_normal(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Return the unit normal of slices, pointing in reading order; shape (3,).

    Axial slices are read from feet to head, coronal ones from front to back, sagittal ones from
    right to left: the largest component of the normal is made positive in LPS, that towards the
    head first where components are equal.

    Parameters
    ----------
    orientation
        Direction cosines of a row, then of a column (DICOM PS3.3, C.7.6.2.1.1).
    """
    cosines = np.asarray(orientation, np.float64)
    normal: NDArray[np.float64] = np.cross(cosines[:3], cosines[3:])
    normal /= np.linalg.norm(normal)
    largest = 2 - int(np.argmax(np.abs(normal[::-1]).round(6)))
    return normal if normal[largest] > 0 else -normal


def distances(
    positions: Sequence[Sequence[float]], orientation: Sequence[float]
) -> NDArray[np.float64]:
    """Return how far each position lies along the reading normal, in mm; shape (n,)."""
    along: NDArray[np.float64] = np.asarray(positions, np.float64) @ reading_normal(orientation)
    return along


def flat_affine(spacing: Sequence[float] | None) -> NDArray[np.float64]:
    """Return the affine of a picture that lies nowhere; spacing is (rows, columns) in mm."""
    row, column = (1.0, 1.0) if spacing is None else (spacing[0], spacing[1])
    return np.diag([column, row, 1.0, 1.0])


def stack_affine(
    positions: Sequence[Sequence[float]],
    orientation: Sequence[float],
    spacing: Sequence[float],
    thickness: float | None,
    files: Sequence[Path],
) -> tuple[NDArray[np.float64], tuple[Problem, ...]]:
    """Fit the affine of slices in reading order.

    The slice axis goes straight from the first to the last position, so that a tilted gantry gives
    the true sheared affine. Thickness is used for one slice alone, where no distance exists.

    Parameters
    ----------
    positions
        Length n, LPS position in mm of each slice's first pixel, in reading order.
    orientation
        Six direction cosines common to all slices.
    spacing
        (between rows, between columns) in mm.
    thickness
        Nominal slice thickness in mm, if known.
    files
        Length n, for the problems.

    Returns
    -------
    affine
        Shape (4, 4), (column, row, slice, 1) -> LPS mm.
    problems
        What is doubtful, with the numbers.
    """
    points = np.asarray(positions, np.float64)
    normal = reading_normal(orientation)
    problems: list[Problem] = []
    if len(points) == 1:
        step = normal * (thickness or 1.0)
        depth = f"{thickness:.2f} mm deep, its nominal thickness" if thickness else "1 mm deep"
        problems.append(
            Problem(Code.SINGLE_SLICE, f"There is one slice alone; it is taken to be {depth}.")
        )
    else:
        step = (points[-1] - points[0]) / (len(points) - 1)
        problems += _spacing_problems(points @ normal, thickness, files)
        problems += _shift_problems(points, step, normal, files)
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(orientation[:3]) * spacing[1]
    affine[:3, 1] = np.asarray(orientation[3:]) * spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = points[0]
    return affine, tuple(problems)


def _spacing_problems(
    along: NDArray[np.float64], thickness: float | None, files: Sequence[Path]
) -> list[Problem]:
    steps = np.diff(along)
    usual = float(np.median(steps))
    tolerance = max(SPACING_TOLERANCE_MM, SPACING_RELATIVE_TOLERANCE * usual)
    problems: list[Problem] = []
    whole = np.rint(steps / usual)
    gaps = np.flatnonzero((whole >= 2) & (np.abs(steps - whole * usual) <= tolerance * whole))
    if gaps.size:
        problems.append(_missing(along, usual, gaps, files))
    others = np.setdiff1d(np.arange(steps.size), gaps)
    rest = steps[others]
    # Rounded positions jitter but stay on a regular grid; compare positions, not only steps.
    grid = np.concatenate([[0.0], np.cumsum(rest)])
    regular = np.linspace(0.0, grid[-1], grid.size)
    if np.max(np.abs(grid - regular)) > tolerance:
        worst = int(others[np.argmax(np.abs(rest - usual))])
        problems.append(
            Problem(
                Code.UNEVEN_SPACING,
                f"Slices are unevenly spaced, {rest.min():.2f} to {rest.max():.2f} mm "
                f"(usually {usual:.2f} mm), so distances across slices are approximate.",
                (files[worst], files[worst + 1]),
            )
        )
    if thickness is not None and usual > THICKNESS_GAP_RATIO * thickness:
        problems.append(
            Problem(
                Code.SLICE_GAP,
                f"Slices are {thickness:.2f} mm thick but {usual:.2f} mm apart, so that what lies "
                "between them is not shown and volumes are estimates.",
            )
        )
    return problems


def _missing(
    along: NDArray[np.float64], usual: float, gaps: NDArray[np.intp], files: Sequence[Path]
) -> Problem:
    steps = np.diff(along)
    count = int(np.rint(steps[gaps] / usual).sum()) - gaps.size
    places = "; ".join(
        f"{steps[i]:.2f} mm between “{files[i].name}” and “{files[i + 1].name}” "
        f"(at {along[i]:.1f} mm)"
        for i in gaps[:_MAX_NAMED]
    )
    more = f" and {gaps.size - _MAX_NAMED} more gaps" if gaps.size > _MAX_NAMED else ""
    seem = "slice seems" if count == 1 else "slices seem"
    return Problem(
        Code.MISSING_SLICES,
        f"{count} {seem} to be missing (the usual distance is {usual:.2f} mm), so distances across "
        f"the gap are approximate: {places}{more}.",
        tuple(files[j] for i in gaps for j in (i, i + 1)),
    )


def _shift_problems(
    points: NDArray[np.float64],
    step: NDArray[np.float64],
    normal: NDArray[np.float64],
    files: Sequence[Path],
) -> list[Problem]:
    problems: list[Problem] = []
    straight = step / np.linalg.norm(step)
    angle = float(np.degrees(np.arccos(np.clip(straight @ normal, -1.0, 1.0))))
    if angle > TILT_TOLERANCE_DEGREES:
        problems.append(
            Problem(
                Code.GANTRY_TILT,
                f"The gantry was tilted by {angle:.1f}°: slices are sheared against their normal, "
                "and positions in mm take account of it.",
            )
        )
    offsets = points - points[0]
    sideways = offsets - np.outer((offsets @ normal) / (straight @ normal), straight)
    away = np.linalg.norm(sideways, axis=1)
    if float(away.max()) > SHIFT_TOLERANCE_MM:
        worst = int(np.argmax(away))
        problems.append(
            Problem(
                Code.SHIFTED_SLICES,
                f"{int(np.sum(away > SHIFT_TOLERANCE_MM))} slices lie up to {away.max():.1f} mm "
                "sideways of the others, so positions in mm are approximate.",
                (files[worst],),
            )
        )
    return problems
