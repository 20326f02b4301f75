"""ML-CNN: which manifestations a CT slice shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation
from inference.models import ModelRecord
from inference.systems.elbana.estimates import sigmoid
from inference.training.datasets import TASKS
from inference.training.evaluation.figure import (
    Figure,
    Job,
    Scorer,
    add_two_classes,
    lesion_rows,
    logits,
    mean,
    split_of,
)
from inference.training.evaluation.scores import Scores
from inference.training.losses import CODES, IGNORE
from inference.training.metrics import classification_metrics
from inference.training.pictures import read_grey

__all__ = ["TITLES", "figures", "score", "summarise"]

TITLES = {"manifestations": "Manifestations (ML-CNN) on CT slices"}

AVERAGED = ("AUC", "accuracy", "precision", "sensitivity", "specificity", "F1")


def figures(job: Job) -> list[Figure]:
    """Score the ML-CNN of the store."""
    return [f for name, scores in score(job).items() for f in summarise(name, scores)]


def score(job: Job) -> dict[str, Scores]:
    """Probabilities by network.

    Returns
    -------
    dict
        Scores with ``probability`` (n, 3) and ``truth`` (n, 3) bool, of the slices on which all
        manifestations are known.
    """
    found = {}
    for record in job.of_kind("manifestations"):
        scores = _of_model(job, record)
        if scores is not None:
            found[record.name] = scores
    return found


def _of_model(job: Job, record: ModelRecord) -> Scores | None:
    pairs = lesion_rows(job.rows, record, job.splits)
    masks = [read_grey(path) for _, path in pairs]
    known = [i for i, mask in enumerate(masks) if not (mask == IGNORE).any()]
    if not known:
        return None
    chosen = tuple(pairs[i][0] for i in known)
    return Scores(
        rows=chosen,
        splits=np.array([split_of(record, r.group) for r in chosen]),
        values={
            "probability": sigmoid(logits(job, record, chosen)[""]).astype(np.float64),
            "truth": np.array([[(masks[i] == c).any() for c in CODES.values()] for i in known]),
        },
    )


def summarise(name: str, scores: Scores) -> list[Figure]:
    """Figures of one network: each manifestation, and their mean as in the paper's "overall"."""
    scorer = Scorer(name, "manifestations")
    for which, part in scores.by_split():
        truth, probability = part.values["truth"], part.values["probability"]
        for column, key in enumerate(TASKS["manifestations"]):
            short = Manifestation(key).short
            add_two_classes(
                scorer, f"{scores.source}, {short}", which, part.groups, truth[:, column],
                probability[:, column], (short, f"no {short}"),
            )  # fmt: skip
        source = f"{scores.source}, mean of the three"
        _add_means(scorer, source, which, part.groups.tolist(), truth, probability)
    return scorer.figures


def _add_means(
    scorer: Scorer,
    source: str,
    split: str,
    groups: Sequence[str],
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
) -> None:
    def means(i: NDArray[np.intp]) -> dict[str, float]:
        each = [
            classification_metrics(truth[i, column], probability[i, column])
            for column in range(truth.shape[1])
        ]
        return {metric: mean(np.array([e[metric] for e in each])) for metric in AVERAGED}

    scorer.add(source, split, groups, means)
