"""Fitting the evidence: a logistic regression on what lesion streams see, joined with a recogniser.

The regression is fitted on the groups that the recogniser was trained on. What it may use of a
description, and how strongly it is held back, is chosen by two areas under the ROC curve that count
alike: on validation groups, and on a source that it was not fitted to. The first alone would choose
whatever tells the pictures of one source apart. A second regression, on how much is marked alone,
is fitted to the same groups. The three weights that join their logits with the recogniser's are
fitted on validation groups alone, since the recogniser knows the others by heart.
Test groups are not touched. Nothing is random: the same data and weights give the same numbers.
"""

from __future__ import annotations

from inference.training.evidence.described import (
    Described,
    both_classes,
    describe,
    gives_evidence,
    labelled,
    left_out,
    models,
)
from inference.training.evidence.fit import NAME, Fitted, fit, install
from inference.training.evidence.join import Join, fit_join, held_out_joins
from inference.training.evidence.regression import (
    PARTS,
    STRENGTHS,
    Choice,
    Regression,
    choose,
    extents_of,
    fit_extent,
    fit_regression,
)

__all__ = [
    "NAME",
    "PARTS",
    "STRENGTHS",
    "Choice",
    "Described",
    "Fitted",
    "Join",
    "Regression",
    "both_classes",
    "choose",
    "describe",
    "extents_of",
    "fit",
    "fit_extent",
    "fit_join",
    "fit_regression",
    "gives_evidence",
    "held_out_joins",
    "install",
    "labelled",
    "left_out",
    "models",
]
