"""Logits that each know something of the disease, joined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.model_selection import StratifiedGroupKFold

from inference.training.reliability import group_weights, log_loss

__all__ = ["Join", "fit_join", "held_out_joins"]

FOLDS = 5
SEED = 7

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Join:
    """Weights of k logits, which are not negative, and what is added."""

    weights: tuple[float, ...]
    bias: float

    def logits(self, logits: Values) -> Values:
        """Joined logits (n,) of those that are joined, (n, k)."""
        return np.asarray(logits @ np.array(self.weights) + self.bias)


def _folds(
    truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    return list(splitter.split(truth, truth, groups))


def fit_join(
    logits: Values,
    truth: NDArray[np.bool_],
    groups: NDArray[np.str_],
    penalty: float = 0.0,
) -> Join:
    """Weights of logits with the least log loss, every group counting once.

    What speaks for COVID-19 may weigh nothing, but never against it.

    Parameters
    ----------
    logits
        Shape (n, k), of pictures that none of them was fitted to.
    truth, groups
        Length n.
    penalty
        Times the sum of the squared weights is added to the loss.
    """
    weights = group_weights(groups)
    count = logits.shape[1]
    columns = np.concatenate([logits, np.ones((len(logits), 1))], axis=1)
    held = np.append(np.full(count, penalty), 0.0)
    both = np.stack([truth, ~truth], axis=1).astype(np.float64)

    def loss(parameters: Values) -> tuple[float, Values]:
        said = 1.0 / (1.0 + np.exp(-np.clip(columns @ parameters, -700.0, 700.0)))
        slope = columns.T @ (weights * (said - both[:, 0])) + 2.0 * held * parameters
        value = log_loss(np.stack([said, 1.0 - said], axis=1), both, weights, exclusive=True)
        return value + float(held @ parameters**2), np.asarray(slope)

    bounds = [(0.0, 20.0)] * count + [(-20.0, 20.0)]
    start = np.append(np.full(count, 0.5), 0.0)
    *found, bias = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x.tolist()
    return Join(tuple(found), bias)


def held_out_joins(logits: Values, truth: NDArray[np.bool_], groups: NDArray[np.str_]) -> Values:
    """Joined logits (n,) of pictures, each by a join fitted to the groups of the other folds.

    With fewer groups than folds, or a single class, they are joined by one fit to them all.

    Parameters
    ----------
    logits, truth, groups
        As `fit_join`.
    """
    if len(set(groups.tolist())) < 2 * FOLDS or len(set(truth.tolist())) < 2:
        return fit_join(logits, truth, groups).logits(logits)
    said = np.empty(len(logits))
    for own, held_out in _folds(truth, groups):
        join = fit_join(logits[own], truth[own], groups[own])
        said[held_out] = join.logits(logits[held_out])
    return said
