"""The papers' metrics with their correct formulas, and intervals clustered by group.

El-bana et al. misprint three of their equations (MCC without its root, F1 with precision twice,
cross entropy without its sign and second term); these are the standard definitions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as skm

__all__ = ["Interval", "bootstrap", "classification_metrics", "dice", "multiclass_metrics"]

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
        Metrics that are defined on the whole. Limits are NaN when there are fewer than two
        groups, since nothing can then be said.
    """
    names = np.asarray(groups)
    values = statistic(np.arange(len(names)))
    unique = np.unique(names)
    drawn: dict[str, list[float]] = {metric: [] for metric in values}
    if len(unique) > 1:
        members = [np.flatnonzero(names == g) for g in unique]
        chooser = np.random.default_rng(SEED)
        for _ in range(resamples):
            chosen = chooser.integers(len(unique), size=len(unique))
            for metric, value in statistic(np.concatenate([members[i] for i in chosen])).items():
                if np.isfinite(value):
                    drawn[metric].append(value)
    result: dict[str, Interval] = {}
    for metric, value in values.items():
        if np.isfinite(value):
            limits = drawn[metric] or [float("nan")]
            low, high = np.percentile(limits, [2.5, 97.5])
            result[metric] = Interval(value, float(low), float(high))
    return result


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


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
    both = bool(truth.any() and (~truth).any())
    root = float(np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))
    return {
        "AUC": float(skm.roc_auc_score(truth, probability)) if both else float("nan"),
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
    """Accuracy, mean recall, mean precision, mean F1 and mean one-against-rest AUC.

    Parameters
    ----------
    truth
        Length n, class numbers.
    probabilities
        Shape (n, classes).
    """
    called = probabilities.argmax(axis=1)
    classes = np.arange(probabilities.shape[1])
    precision, recall, f1, _ = skm.precision_recall_fscore_support(
        truth, called, labels=classes, average="macro", zero_division=0.0
    )
    areas = []
    for index in classes:
        positive = truth == index
        if positive.any() and not positive.all():
            areas.append(skm.roc_auc_score(positive, probabilities[:, index]))
    return {
        "accuracy": float((called == truth).mean()),
        "mean sensitivity": float(recall),
        "mean precision": float(precision),
        "mean F1": float(f1),
        "mean AUC": float(np.mean(areas)) if areas else float("nan"),
    }


def dice(overlap: float, predicted: float, true: float) -> float:
    """Dice similarity of two masks from pixel counts; 1 when both are empty."""
    return 1.0 if predicted + true == 0 else 2.0 * overlap / (predicted + true)
