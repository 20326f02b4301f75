"""The evidence's logit and the recogniser's, joined."""

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
    """Weights of the recogniser's logit and of the evidence's, and what is added; not negative."""

    recogniser: float
    evidence: float
    bias: float

    def logits(self, margin: Values, evidence: Values) -> Values:
        """Joined logits (n,)."""
        return self.recogniser * margin + self.evidence * evidence + self.bias


def _folds(
    truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    return list(splitter.split(truth, truth, groups))


def fit_join(
    margin: Values, evidence: Values, truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> Join:
    """Weights of two logits with the least log loss, every group counting once.

    What speaks for COVID-19 may weigh nothing, but never against it.

    Parameters
    ----------
    margin, evidence, truth, groups
        Length n, of pictures that neither logit was fitted to.
    """
    weights = group_weights(groups)
    columns = np.stack([margin, evidence, np.ones_like(margin)], axis=1)
    both = np.stack([truth, ~truth], axis=1).astype(np.float64)

    def loss(parameters: Values) -> tuple[float, Values]:
        said = 1.0 / (1.0 + np.exp(-np.clip(columns @ parameters, -700.0, 700.0)))
        slope = columns.T @ (weights * (said - both[:, 0]))
        value = log_loss(np.stack([said, 1.0 - said], axis=1), both, weights, exclusive=True)
        return value, np.asarray(slope)

    bounds = [(0.0, 20.0), (0.0, 20.0), (-20.0, 20.0)]
    found = minimize(loss, np.array([0.5, 0.5, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Join(*(float(v) for v in found.x))


def held_out_joins(
    margin: Values, evidence: Values, truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> Values:
    """Joined logits (n,) of pictures, each by a join fitted to the groups of the other folds.

    With fewer groups than folds, or a single class, they are joined by one fit to them all.
    """
    if len(set(groups.tolist())) < 2 * FOLDS or len(set(truth.tolist())) < 2:
        return fit_join(margin, evidence, truth, groups).logits(margin, evidence)
    said = np.empty(len(margin))
    for own, held_out in _folds(truth, groups):
        join = fit_join(margin[own], evidence[own], truth[own], groups[own])
        said[held_out] = join.logits(margin[held_out], evidence[held_out])
    return said
