"""How far probabilities agree with what is observed; every group counts once.

Pictures of one group share a label and look alike, so a group of five pictures is one piece of
evidence and not five: pictures are weighted by one over the size of their group.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from inference.calibration import Bin

__all__ = ["BINS", "brier", "ece", "group_weights", "log_loss", "reliability_curve", "wilson"]

BINS = 10
"""Of the expected calibration error: equal mass, i.e. each holds a tenth of the weight."""
GROUPS_A_BIN = 15
"""Of a reliability curve, at the least about so many: fewer make a band of no use."""
_LEAST = 1e-12

Array = NDArray[np.floating[Any]]


def group_weights(groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights of length n that sum to one, alike for every group."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[inverse] / len(counts))


def wilson(share: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share observed n times; the share need not be a count over n."""
    z = float(norm.ppf(0.5 + level / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _bin_numbers(values: Array, weights: Array, bins: int) -> NDArray[np.intp]:
    """Number of each value's bin; bins have equal weight and equal values share a bin."""
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weights[order]) - weights[order] / 2
    numbers = np.minimum((middle / weights.sum() * bins).astype(np.intp), bins - 1)
    _, first, inverse = np.unique(values[order], return_index=True, return_inverse=True)
    result = np.empty(len(values), dtype=np.intp)
    result[order] = numbers[first][inverse]
    return result


def ece(probability: Array, truth: Array, weights: Array, bins: int = BINS) -> float:
    """Expected calibration error: mean distance of value and observed share over equal-mass bins.

    It is never zero by chance: of a perfectly calibrated model with few groups a bin the shares
    still scatter, so it is to be compared before and after on the same pictures.

    Parameters
    ----------
    probability, truth, weights
        Length n: value, 1 where the class was there, and weight of each picture.
    bins
        Number of bins.
    """
    gap = np.bincount(
        _bin_numbers(probability, weights, bins), weights=weights * (probability - truth)
    )
    return float(np.abs(gap).sum() / weights.sum())


def brier(probabilities: Array, truth: Array, weights: Array) -> float:
    """Brier score: weighted mean over pictures of the squared error, summed over the classes."""
    each = ((probabilities - truth) ** 2).sum(axis=1)
    return float((weights * each).sum() / weights.sum())


def log_loss(probabilities: Array, truth: Array, weights: Array, *, exclusive: bool) -> float:
    """Weighted mean negative logarithm (nat) of what was true, for sigmoids summed over them.

    Parameters
    ----------
    probabilities, truth
        Shape (n, classes); truth is 0 or 1.
    weights
        Length n.
    exclusive
        Softmax: of the true class. Else of each answer.
    """
    said = np.clip(probabilities, _LEAST, 1.0 - _LEAST)
    each = -(truth * np.log(said)).sum(axis=1)
    if not exclusive:
        each -= ((1.0 - truth) * np.log(1.0 - said)).sum(axis=1)
    return float((weights * each).sum() / weights.sum())


def reliability_curve(
    probability: Array, truth: Array, groups: NDArray[np.str_], bins: int | None = None
) -> tuple[Bin, ...]:
    """Observed share against value, with Wilson intervals by groups.

    Inside a bin every group counts once, with the mean of its pictures there.

    Parameters
    ----------
    probability, truth, groups
        Length n.
    bins
        Number of equal-mass bins; None: as many as leave `GROUPS_A_BIN` to each, at most `BINS`.

    Returns
    -------
    tuple of Bin
        Values rising; bins that equal values left empty are not there.
    """
    count = len(set(groups.tolist()))
    wanted = bins or max(1, min(BINS, count // GROUPS_A_BIN))
    numbers = _bin_numbers(probability, group_weights(groups), wanted)
    curve = []
    for number in np.unique(numbers):
        inside = numbers == number
        weights = group_weights(groups[inside])
        # Weights add to one but for rounding; the share may not pass its own interval.
        observed = float(np.clip((weights * truth[inside]).sum(), 0.0, 1.0))
        present = len(set(groups[inside].tolist()))
        low, high = wilson(observed, present)
        curve.append(
            Bin(
                value=float((weights * probability[inside]).sum()),
                observed=observed,
                low=low,
                high=high,
                n=int(inside.sum()),
                groups=present,
            )
        )
    return tuple(sorted(curve, key=lambda b: b.value))
