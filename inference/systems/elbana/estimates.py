"""From logits to probabilities, of slices and of the study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.calibration import to_probabilities
from inference.findings import Calibrated, Estimate, Part
from inference.models import ModelRecord
from inference.partial import SliceValues
from inference.taxonomy import TASKS

__all__ = ["make_estimate", "most_suspicious", "sigmoid", "slice_values"]

RECOGNITION_SHARE = 1.0 / 3.0
MANIFESTATION_SHARE = 0.1
LEAST_SLICES = 3
"""A study's probability is the mean over some of its slices; never fewer than this."""


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of what stands alone; any shape in and out."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def _most_suspicious_slices(values: NDArray[np.floating[Any]], share: float) -> NDArray[np.intp]:
    count = min(len(values), max(LEAST_SLICES, round(share * len(values))))
    return np.argsort(values)[-count:]


def most_suspicious(probabilities: NDArray[np.floating[Any]], share: float) -> float:
    """Mean of the highest `share` of the values, at least of `LEAST_SLICES` (or of all).

    Parameters
    ----------
    probabilities
        Length n, one a slice; n >= 1.
    share
        0 to 1.
    """
    return float(probabilities[_most_suspicious_slices(probabilities, share)].mean())


def slice_values(task: str, logits: NDArray[np.float32], record: ModelRecord) -> SliceValues:
    """What a task says of a few slices; the same numbers as in the estimate of them all.

    Parameters
    ----------
    task
        A key of `inference.taxonomy.TASKS`.
    logits
        Shape (n, classes), of these slices.
    record
        The model that said so, which has the calibration too.
    """
    asked, calibration = TASKS[task], record.calibration(task)
    calibrated = calibration is not None and calibration.temperature is not None
    values = to_probabilities(
        logits, calibration if calibrated else None, exclusive=asked.exclusive
    )
    return SliceValues(
        task, asked.title, asked.classes, asked.exclusive, calibrated, values.astype(np.float32)
    )


def make_estimate(
    task: str,
    logits: NDArray[np.float32],
    indices: NDArray[np.intp],
    slices: int,
    record: ModelRecord,
    alone: Mapping[str, NDArray[np.float32]] | None = None,
    marked: NDArray[np.float32] | None = None,
) -> Estimate:
    """What a task's slices say about the study.

    The mean is taken over those slices that are the most suspicious. The highest of many values
    that err are too high, though: of a healthy chest, they are its errors. So where it is known how
    much is marked in each slice, which errs in other slices, that chooses them.

    Parameters
    ----------
    task
        A key of `inference.taxonomy.TASKS`.
    logits
        Shape (n, classes), of the analysed slices.
    indices
        Length n: which slices these are.
    slices
        Slices of the volume.
    record
        The model that said so, which has the calibration too.
    alone
        Where logits of several models were joined: those of each of them, by its name.
    marked
        Length n: grows with what the lesion streams mark in a slice.
    """
    exclusive = TASKS[task].exclusive
    share = RECOGNITION_SHARE if exclusive else MANIFESTATION_SHARE
    raw = to_probabilities(logits, exclusive=exclusive)
    order = raw if marked is None else np.repeat(marked[:, None], raw.shape[1], 1).astype(float)
    chosen = _chosen(order, share, exclusive=exclusive)
    parts = {name: to_probabilities(z, exclusive=exclusive) for name, z in (alone or {}).items()}
    single = len(raw) == 1
    rule = (
        "one picture"
        if single
        else f"mean of the {share:.0%} most suspicious of {len(raw)} analysed slices"
        if marked is None
        else f"mean of the {share:.0%} of {len(raw)} analysed slices in which most is marked"
    )
    calibration = record.calibration(task)
    calibrated = None
    if calibration is not None and calibration.temperature is not None:
        values = to_probabilities(logits, calibration, exclusive=exclusive)
        study = _mean(values, chosen)
        calibrated = Calibrated(
            study=study,
            bands=calibration.bands(np.array(study)),
            per_slice=_spread(values, indices, slices),
            of_slices=not single,
            shares=calibration.shares,
            n=calibration.n,
            groups=calibration.groups,
        )
    return Estimate(
        task=task,
        title=TASKS[task].title,
        classes=TASKS[task].classes,
        study=_mean(raw, chosen),
        per_slice=_spread(raw, indices, slices),
        exclusive=exclusive,
        model=" + ".join(record.voices),
        rule=rule,
        calibrated=calibrated,
        calibration=record.why_not_calibrated(task) if calibration is None else calibration.basis,
        parts=tuple(
            Part(
                name,
                _mean(
                    values,
                    _chosen(values, share, exclusive=exclusive) if marked is None else chosen,
                ),
            )
            for name, values in parts.items()
        ),
    )


def _chosen(values: NDArray[np.float64], share: float, *, exclusive: bool) -> NDArray[np.intp]:
    """For each class the slices that stand for the study, (k, classes)."""
    # Classes that exclude each other are all ordered by the first, so that they add to one.
    ordered = np.repeat(values[:, :1], values.shape[1], axis=1) if exclusive else values
    return np.stack([_most_suspicious_slices(v, share) for v in ordered.T], axis=1)


def _mean(values: NDArray[np.float64], chosen: NDArray[np.intp]) -> tuple[float, ...]:
    return tuple(np.take_along_axis(values, chosen, axis=0).mean(axis=0).tolist())


def _spread(
    values: NDArray[np.float64], indices: NDArray[np.intp], slices: int
) -> NDArray[np.float32]:
    """Values of the analysed slices among all slices, (slices, classes); NaN elsewhere."""
    result = np.full((slices, values.shape[1]), np.nan, dtype=np.float32)
    result[indices] = values
    return result
