"""The evidence's own logits: logistic regressions, and the choice of their settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from inference.models import ModelRecord
from inference.networks.evidence import AREAS, LESIONS, extents
from inference.training.evaluation.figure import split_of
from inference.training.evidence.described import Described, left_out
from inference.training.evidence.join import Join, fit_join
from inference.training.metrics import area_under_roc

__all__ = [
    "PARTS",
    "STRENGTHS",
    "Choice",
    "Regression",
    "choose",
    "columns",
    "extents_of",
    "fit_extent",
    "fit_regression",
]

STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Inverse strengths of the penalty that are tried, scikit-learn's ``C``."""
PARTS = ("areas", "areas, lesions", "areas, lesions, whole picture")
"""Parts of a description that are tried, in its order."""
EXTENT_PENALTY = 0.1
"""Of `fit_extent`: its numbers say nearly the same, and share the weight."""
_LEAST_SCALE = 1e-6
_STEPS = 5000

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """Logistic regression on standardised numbers.

    Parameters
    ----------
    mean, scale, weights
        Length k.
    bias
        Of the logit.
    """

    mean: Values
    scale: Values
    weights: Values
    bias: float

    def logits(self, numbers: NDArray[np.float32]) -> Values:
        """Logits (n,) for COVID-19 of descriptions (n, k)."""
        return ((numbers - self.mean) / self.scale) @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings of a regression, and how well it does with them.

    Parameters
    ----------
    parts
        Of `PARTS`.
    strength
        Of `STRENGTHS`.
    held_out
        AUC on groups that it was not fitted to.
    elsewhere
        Mean AUC on sources that it was not fitted to; None where no source could be left out.
    """

    parts: str
    strength: float
    held_out: float
    elsewhere: float | None

    @property
    def worth(self) -> float:
        """What is compared; both count alike."""
        return self.held_out if self.elsewhere is None else (self.held_out + self.elsewhere) / 2


def columns(parts: str, length: int) -> NDArray[np.intp]:
    """Which numbers of a description of this length belong to parts of `PARTS`."""
    areas = len(AREAS) * len(LESIONS)
    deep = (length - areas) // 2
    return np.arange(areas + deep * PARTS.index(parts))


def fit_regression(known: Described, parts: str, strength: float) -> Regression:
    """Fit a regression to pictures, both classes weighing alike.

    Parameters
    ----------
    known
        With both classes.
    parts
        Of `PARTS`; the weights of all other numbers are zero.
    strength
        Of `STRENGTHS`.
    """
    used = columns(parts, known.numbers.shape[1])
    numbers = known.numbers.astype(np.float64)
    mean, scale = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(scale > _LEAST_SCALE, scale, 1.0)
    model = LogisticRegression(C=strength, max_iter=_STEPS, class_weight="balanced")
    model.fit(((numbers - mean) / scale)[:, used], known.truth)
    weights = np.zeros(numbers.shape[1])
    weights[used] = model.coef_[0]
    return Regression(mean, scale, weights, float(model.intercept_[0]))


def extents_of(numbers: NDArray[np.float32]) -> Values:
    """`networks.evidence.extents` of descriptions (n, k), as (n, 8)."""
    return np.asarray(extents(torch.from_numpy(numbers)).numpy(), dtype=np.float64)


def fit_extent(known: Described) -> Join:
    """Fit a regression to how much is marked; more of it never speaks against COVID-19.

    Parameters
    ----------
    known
        With both classes.

    Returns
    -------
    Join
        Its weights are of `extents_of` as they are.
    """
    numbers = extents_of(known.numbers)
    mean, scale = numbers.mean(axis=0), np.maximum(numbers.std(axis=0), _LEAST_SCALE)
    found = fit_join((numbers - mean) / scale, known.truth, known.groups, EXTENT_PENALTY)
    weights = np.array(found.weights) / scale
    return Join(tuple(weights.tolist()), found.bias - float(weights @ mean))


def _area(known: Described, asked: Described, parts: str, strength: float) -> float:
    said = fit_regression(known, parts, strength).logits(asked.numbers)
    return area_under_roc(asked.truth, said)


def choose(known: Described, asked: Described, streams: ModelRecord) -> tuple[Choice, ...]:
    """All settings, the best of which is to be taken.

    Parameters
    ----------
    known, asked
        Pictures of training groups and of validation groups.
    streams
        Sources are left out on pictures that these do not know.
    """
    together = known.with_(asked)
    new = [split_of(streams, r.group) != "trained on" for r in together.rows]
    elsewhere = left_out(known, together.at(np.flatnonzero(new)))
    return tuple(
        Choice(
            parts,
            strength,
            _area(known, asked, parts, strength),
            float(np.mean([_area(k, a, parts, strength) for _, k, a in elsewhere]))
            if elsewhere
            else None,
        )
        for parts in PARTS
        for strength in STRENGTHS
    )
