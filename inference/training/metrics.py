"""The papers' metrics with their correct formulas, and intervals clustered by group.

El-bana et al. misprint three of their equations (MCC without its root, F1 with precision twice,
cross entropy without its sign and second term); these are the standard definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

__all__ = [
    "Interval",
    "area_under_roc",
    "bootstrap",
    "classification_metrics",
    "confusion",
    "multiclass_metrics",
    "roc_points",
]

RESAMPLES = 1000
SEED = 7


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % interval, whose limits are NaN where it cannot be computed."""

    value: float
    low: float
    high: float


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], dict[str, float]],
    groups: Sequence[str],
    resamples: int = RESAMPLES,
) -> dict[str, Interval]:
    """Percentile bootstrap over whole groups, for several metrics at once.

    Parameters
    ----------
    statistic
        Called with the indices of a resample; gives values by metric, NaN where undefined.
    groups
        Group of each item.
    resamples
        How many.

    Returns
    -------
    dict
        Metrics that are defined on the whole. Limits are NaN where a metric rests on a single
        group, that is, where it is undefined without it: resamples that hold it all agree, and
        their agreement says nothing of other patients.
    """
    names = np.asarray(groups)
    values = statistic(np.arange(len(names)))
    unique = np.unique(names)
    drawn: dict[str, list[float]] = {metric: [] for metric in values}
    if len(unique) > 1:
        members = [np.flatnonzero(names == g) for g in unique]
        lonely = _resting_on_one_group(statistic, values, members)
        chooser = np.random.default_rng(SEED)
        for _ in range(resamples):
            chosen = chooser.integers(len(unique), size=len(unique))
            for metric, value in statistic(np.concatenate([members[i] for i in chosen])).items():
                if np.isfinite(value) and metric not in lonely:
                    drawn[metric].append(value)
    result: dict[str, Interval] = {}
    for metric, value in values.items():
        if np.isfinite(value):
            limits = drawn[metric] or [float("nan")]
            low, high = np.percentile(limits, [2.5, 97.5])
            result[metric] = Interval(value, float(low), float(high))
    return result


def _resting_on_one_group(
    statistic: Callable[[NDArray[np.intp]], dict[str, float]],
    values: dict[str, float],
    members: Sequence[NDArray[np.intp]],
) -> set[str]:
    """Metrics that are undefined when some one group is left out."""
    found: set[str] = set()
    for left_out in range(len(members)):
        rest = np.concatenate([m for k, m in enumerate(members) if k != left_out])
        without = statistic(rest)
        found |= {m for m in values if not np.isfinite(without.get(m, np.nan))}
    return found


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def area_under_roc(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Area under the ROC curve by ranks, ties counting half; NaN when a class is missing.

    The same as scikit-learn's, at a tenth of the time, of which a bootstrap takes thousands.
    """
    positive = int(truth.sum())
    negative = len(truth) - positive
    if not (positive and negative):
        return float("nan")
    ranks = float(rankdata(scores)[truth].sum())
    return (ranks - positive * (positive + 1) / 2) / (positive * negative)


def roc_points(
    truth: NDArray[np.bool_],
    scores: NDArray[np.float64],
    rates: Sequence[float] = (0.05, 0.1, 0.2, 0.3, 0.5),
) -> dict[str, float]:
    """Points of the ROC curve: the best sensitivity whose false-positive rate is no higher.

    Parameters
    ----------
    truth, scores
        Length n.
    rates
        False-positive rates.

    Returns
    -------
    dict
        Sensitivities; NaN when a class is missing.
    """
    outside = np.sort(scores[~truth])[::-1]
    inside = scores[truth]
    points = {}
    for rate in rates:
        allowed = int(np.floor(rate * len(outside) + 1e-9))
        if len(outside) and len(inside):
            limit = outside[allowed] if allowed < len(outside) else -np.inf
            points[f"ROC, sensitivity at FPR {rate:g}"] = float((inside > limit).mean())
        else:
            points[f"ROC, sensitivity at FPR {rate:g}"] = float("nan")
    return points


def confusion(
    truth: NDArray[np.intp], called: NDArray[np.intp], names: Sequence[str]
) -> dict[str, float]:
    """Confusion matrix as counts.

    Parameters
    ----------
    truth, called
        Length n, class numbers.
    names
        Of the classes, in the order of their numbers.
    """
    size = len(names)
    matrix = np.bincount(truth * size + called, minlength=size * size).reshape(size, size)
    return {
        f"confusion, {names[row]} called {names[column]}": float(matrix[row, column])
        for row in range(size)
        for column in range(size)
    }


def classification_metrics(
    truth: NDArray[np.bool_], probability: NDArray[np.float64]
) -> dict[str, float]:
    """Metrics of a two-class decision at one half, and the AUC.

    Parameters
    ----------
    truth
        Length n.
    probability
        Length n, of the positive class.

    Returns
    -------
    dict
        AUC, accuracy, sensitivity, specificity, precision, F1, FPR and MCC; NaN where undefined.
    """
    called = probability > 0.5
    tp = float((truth & called).sum())
    tn = float((~truth & ~called).sum())
    fp = float((~truth & called).sum())
    fn = float((truth & ~called).sum())
    root = float(np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
    return {
        "AUC": area_under_roc(truth, probability),
        "accuracy": _ratio(tp + tn, len(truth)),
        "sensitivity": _ratio(tp, tp + fn),
        "specificity": _ratio(tn, tn + fp),
        "precision": _ratio(tp, tp + fp),
        "F1": _ratio(2 * tp, 2 * tp + fp + fn),
        "FPR": _ratio(fp, fp + tn),
        "MCC": _ratio(tp * tn - fp * fn, root),
    }


def multiclass_metrics(
    truth: NDArray[np.intp], probabilities: NDArray[np.float64]
) -> dict[str, float]:
    """Metrics of a decision for the likeliest of several classes; means are over classes.

    Parameters
    ----------
    truth
        Length n, class numbers.
    probabilities
        Shape (n, classes).

    Returns
    -------
    dict
        Accuracy, MCC (Gorodkin's for several classes), and means of sensitivity, specificity,
        precision, F1, FPR and one-against-rest AUC. A class that was never called has precision 0;
        one that does not occur is left out of the mean.
    """
    called = probabilities.argmax(axis=1)
    size = probabilities.shape[1]
    matrix = np.bincount(truth * size + called, minlength=size * size)
    matrix = matrix.reshape(size, size).astype(np.float64)
    own, calls, n = matrix.sum(axis=1), matrix.sum(axis=0), float(len(truth))
    hits = np.diag(matrix)
    there = own > 0
    precision = hits / np.maximum(calls, 1)
    outside = np.where(own < n, n - own, np.nan)
    fpr = (calls - hits) / outside
    spread = np.sqrt((n**2 - (calls**2).sum()) * (n**2 - (own**2).sum()))
    areas = [area_under_roc(truth == index, probabilities[:, index]) for index in range(size)]
    return {
        "accuracy": float(hits.sum()) / n,
        "mean sensitivity": _mean((hits / np.maximum(own, 1))[there]),
        "mean specificity": _mean(1 - fpr[there]),
        "mean precision": _mean(precision[there]),
        "mean F1": _mean((2 * hits / np.maximum(own + calls, 1))[there]),
        "mean FPR": _mean(fpr[there]),
        "mean AUC": _mean(np.array(areas)),
        "MCC": _ratio(float(hits.sum()) * n - float((own * calls).sum()), float(spread)),
    }


def _mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
