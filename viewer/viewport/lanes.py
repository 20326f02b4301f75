"""What the strip shows of each slice: lanes of marked areas and probabilities, without drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.taxonomy import manifestation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.findings import Findings, Manifestation
    from inference.lesion_data import Lesions
    from inference.partial import SliceValues
    from inference.studies.model import Volume
    from inference.taxonomy import FindingClass
    from viewer.early import Early

__all__ = ["Lane", "bars", "lanes_of", "lanes_of_early", "pixel_area"]


@dataclass(frozen=True, eq=False, slots=True)
class Lane:
    """One row of the strip.

    Parameters
    ----------
    title
        Name for the reader.
    key
        The manifestation, which gives the colour; None for a class without one.
    values
        Length slices, float32 in [0, 1]: the marked area beside the largest of this lane, so that
        a small finding is seen as well; NaN where a slice was not analysed. Without masks: the
        probability.
    readings
        Length slices, what there is in each slice in words.
    line
        Length slices, float32 in [0, 1]: the probability, drawn as a thin line over the areas;
        None where it is not computed, or is what the bars show.
    ticks
        Slices in which a listed lesion lies, ascending; one with several comes once.
    waiting
        Length slices, bool: slices that the running analysis has not come to; None when none runs.
    """

    title: str
    key: Manifestation | None
    values: NDArray[np.float32]
    readings: tuple[str, ...]
    line: NDArray[np.float32] | None = None
    ticks: tuple[int, ...] = ()
    waiting: NDArray[np.bool_] | None = None


def pixel_area(volume: Volume | None) -> float | None:
    """Area of a pixel of a slice in mm²; None where the spacing is not known."""
    if volume is None or not volume.has_geometry:
        return None
    _, between_rows, between_columns = volume.spacing
    return float(between_rows * between_columns)


def lanes_of(
    findings: Findings | None, pixel_mm2: float | None = None, lesions: Lesions | None = None
) -> tuple[Lane, ...]:
    """Choose the lanes: what was marked of each class; without masks the probabilities of a CT.

    Parameters
    ----------
    findings
        Of the open volume, or None.
    pixel_mm2
        Area of a pixel in mm², or None.
    lesions
        The list of lesions, where it is known.

    Returns
    -------
    tuple of Lane
        From top to bottom; empty without findings, and for a single picture, which has no slices
        to go through.
    """
    if findings is None or findings.shape[0] < 2:
        return ()
    said = findings.estimate("manifestations")
    unknown = ~findings.analysed
    if findings.segments:
        return tuple(
            _marked(
                segment.key,
                segment.pixels_per_slice,
                unknown,
                pixel_mm2,
                _line(said.classes, said.shown_per_slice, segment.key) if said else None,
                calibrated=said is not None and said.calibrated is not None,
                lesions=_lesion_slices(lesions, segment.key),
            )
            for segment in findings.segments
        )
    estimate = said or next(iter(findings.estimates), None)
    if estimate is None:
        return ()
    # Of two classes that exclude each other the second says nothing new.
    alone = estimate.exclusive and len(estimate.classes) == 2
    return tuple(
        _probable(each, values, calibrated=estimate.calibrated is not None)
        for each, values in list(zip(estimate.classes, estimate.shown_per_slice.T, strict=True))[
            : 1 if alone else None
        ]
    )


def lanes_of_early(early: Early, pixel_mm2: float | None = None) -> tuple[Lane, ...]:
    """Choose the lanes of a running analysis, by the same rule as for findings.

    Parameters
    ----------
    early
        What has arrived.
    pixel_mm2
        Area of a pixel in mm², or None.
    """
    if len(early.done) < 2:
        return ()
    waiting = early.planned & ~early.done
    said = next((e for e in early.estimates if e.task == "manifestations"), None)
    if early.pixels:
        return tuple(
            _marked(
                key,
                pixels,
                ~early.done,
                pixel_mm2,
                _line(said.classes, said.values, key) if said else None,
                calibrated=said is not None and said.calibrated,
                waiting=waiting,
            )
            for key, pixels in early.pixels.items()
        )
    return _probable_early(said or early.estimates[0], waiting)


def _probable_early(said: SliceValues, waiting: NDArray[np.bool_]) -> tuple[Lane, ...]:
    shown = 1 if said.exclusive and len(said.classes) == 2 else len(said.classes)
    return tuple(
        _probable(said.classes[index], said.values[:, index], said.calibrated, waiting)
        for index in range(shown)
    )


def _line(
    classes: Iterable[FindingClass], values: NDArray[np.float32], key: Manifestation
) -> NDArray[np.float32] | None:
    """The probabilities of one class, by its key."""
    column = next((i for i, each in enumerate(classes) if each.key == key.value), None)
    return None if column is None else values[:, column]


def _lesion_slices(lesions: Lesions | None, key: Manifestation) -> tuple[int, ...]:
    return tuple(each.voxel[2] for each in lesions.lesions if each.key is key) if lesions else ()


def _marked(
    key: Manifestation,
    pixels: NDArray[np.int64],
    unknown: NDArray[np.bool_],
    pixel_mm2: float | None,
    line: NDArray[np.float32] | None,
    *,
    calibrated: bool,
    lesions: tuple[int, ...] = (),
    waiting: NDArray[np.bool_] | None = None,
) -> Lane:
    values = (pixels / max(1, int(pixels.max(initial=0)))).astype(np.float32)
    values[unknown] = np.nan
    listed = np.bincount(np.array(lesions, int), minlength=len(pixels))
    readings = tuple(
        _absence(waiting, index)
        if unknown[index]
        else ", ".join(
            filter(
                None,
                (
                    _area(int(pixels[index]), pixel_mm2),
                    "" if line is None else f"probability {_figure(line[index], calibrated)}",
                    _listed(int(listed[index])),
                ),
            )
        )
        for index in range(len(pixels))
    )
    return Lane(key.short, key, values, readings, line, tuple(sorted(set(lesions))), waiting)


def _probable(
    each: FindingClass,
    values: NDArray[np.float32],
    calibrated: bool,
    waiting: NDArray[np.bool_] | None = None,
) -> Lane:
    readings = tuple(
        _absence(waiting, index) if np.isnan(value) else _figure(value, calibrated)
        for index, value in enumerate(values)
    )
    key = manifestation(each.key)
    return Lane(each.short, key, values, readings, waiting=waiting)


def _absence(waiting: NDArray[np.bool_] | None, index: int) -> str:
    return "not yet analysed" if waiting is not None and waiting[index] else "not analysed"


def _figure(value: float, calibrated: bool) -> str:
    if np.isnan(value):
        return "not computed"
    return f"{value:.2f}{'' if calibrated else ', not calibrated'}"


def _area(pixels: int, pixel_mm2: float | None) -> str:
    """How much is marked: in cm², or in pixels where their size is not known."""
    if pixels == 0:
        return "nothing marked"
    if pixel_mm2 is None:
        return f"{pixels} {'pixel' if pixels == 1 else 'pixels'} marked"
    area = pixels * pixel_mm2 / 100.0
    return f"{area:.1f} cm² marked" if area >= 0.05 else "< 0.1 cm² marked"


def _listed(lesions: int) -> str:
    if lesions == 0:
        return ""
    return "1 listed lesion" if lesions == 1 else f"{lesions} listed lesions"


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
