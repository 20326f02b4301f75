"""What the strip shows of each slice: lanes of values in [0, 1], without any drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation

if TYPE_CHECKING:
    from inference.findings import Estimate, Findings
    from viewer.early import Early

__all__ = ["Lane", "bars", "lanes_of", "lanes_of_early"]


@dataclass(frozen=True, eq=False, slots=True)
class Lane:
    """One row of bars.

    Parameters
    ----------
    title
        Name for the reader.
    key
        The manifestation, which gives the colour; None for a class without one.
    values
        Length slices, float32 in [0, 1]; NaN where a slice was not analysed.
    readings
        Length slices, the value of each slice in words.
    waiting
        Length slices, bool: slices that the running analysis has not come to; None when none runs.
    """

    title: str
    key: Manifestation | None
    values: NDArray[np.float32]
    readings: tuple[str, ...]
    waiting: NDArray[np.bool_] | None = None


def lanes_of(findings: Findings | None) -> tuple[Lane, ...]:
    """Choose the lanes: manifestations, else recognition, else the area of each mask.

    Parameters
    ----------
    findings
        Of the open volume, or None.

    Returns
    -------
    tuple of Lane
        From top to bottom; empty without findings.
    """
    if findings is None:
        return ()
    manifestations = findings.estimate("manifestations")
    if manifestations is not None:
        return _of_estimate(manifestations)
    if findings.estimates:
        return _of_estimate(findings.estimates[0])
    return _of_areas(findings)


def lanes_of_early(early: Early) -> tuple[Lane, ...]:
    """Choose the lanes of a running analysis, by the same rule as for findings.

    Parameters
    ----------
    early
        What has arrived.
    """
    waiting = early.planned & ~early.done
    said = next((e for e in early.estimates if e.task == "manifestations"), early.estimates[0])
    shown = 1 if said.exclusive and len(said.classes) == 2 else len(said.classes)
    lanes = (
        _lane(
            name,
            said.values[:, index],
            tuple(f"{value:.2f}{_doubt(said.calibrated)}" for value in said.values[:, index]),
        )
        for index, name in enumerate(said.classes[:shown])
    )
    return tuple(
        replace(
            lane,
            waiting=waiting,
            readings=tuple(
                "not yet analysed" if late else reading
                for late, reading in zip(waiting, lane.readings, strict=True)
            ),
        )
        for lane in lanes
    )


def _of_estimate(estimate: Estimate) -> tuple[Lane, ...]:
    # Of two classes that exclude each other the second says nothing new.
    said = _doubt(estimate.calibrated is not None)
    values = estimate.shown_per_slice
    shown = 1 if estimate.exclusive and len(estimate.classes) == 2 else len(estimate.classes)
    return tuple(
        _lane(
            estimate.classes[index],
            values[:, index],
            tuple(f"{value:.2f}{said}" for value in values[:, index]),
        )
        for index in range(shown)
    )


def _doubt(calibrated: bool) -> str:
    return "" if calibrated else ", not calibrated"


def _of_areas(findings: Findings) -> tuple[Lane, ...]:
    lanes = []
    for segment in findings.segments:
        pixels = segment.pixels_per_slice
        values = (pixels / max(1, int(pixels.max()))).astype(np.float32)
        values[~findings.analysed] = np.nan
        readings = tuple(f"{count} pixels" for count in pixels)
        lanes.append(_lane(segment.key.short, values, readings))
    return tuple(lanes)


def _lane(name: str, values: NDArray[np.float32], readings: tuple[str, ...]) -> Lane:
    names = {
        text.casefold(): key for key in Manifestation for text in (key.value, key.label, key.short)
    }
    key = names.get(name.casefold())
    said = tuple(
        "not analysed" if np.isnan(value) else reading
        for value, reading in zip(values, readings, strict=True)
    )
    return Lane(key.short if key else name, key, values, said)


def bars(values: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Spread the slices over screen columns; a column takes the highest of its slices.

    Parameters
    ----------
    values
        Length slices; NaN where not analysed.
    columns
        Number of screen columns, > 0.

    Returns
    -------
    ndarray
        Length columns, float32; NaN only where no slice of the column was analysed.
    """
    count = len(values)
    starts = np.arange(columns) * count // columns
    stops = np.maximum(starts + 1, np.arange(1, columns + 1) * count // columns)
    if columns >= count:
        return values[starts]
    known = np.where(np.isnan(values), np.float32(-1.0), values)
    highest = np.array(
        [known[start:stop].max() for start, stop in zip(starts, stops, strict=True)], np.float32
    )
    highest[highest < 0] = np.nan
    return highest
