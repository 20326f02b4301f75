"""Which manifestations a CT slice shows: by the ML-CNN, and by what the streams draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation
from inference.models import ModelRecord
from inference.systems.elbana.estimates import sigmoid
from inference.training.datasets import TASKS
from inference.training.evaluation import streams_estimate
from inference.training.evaluation.figure import (
    POOLED,
    SPLITS,
    Figure,
    Job,
    Scorer,
    add_two_classes,
    logits,
    mean,
    split_of,
)
from inference.training.evaluation.known import known_slices
from inference.training.evaluation.scores import Scores
from inference.training.metrics import classification_metrics

__all__ = ["TITLES", "figures", "score", "summarise"]

TITLES = {"manifestations": "Manifestations on CT slices"}

AVERAGED = ("AUC", "accuracy", "precision", "sensitivity", "specificity", "F1")


def figures(job: Job) -> list[Figure]:
    """Score the ML-CNN of the store, and its streams as a second estimate."""
    drawn = streams_estimate.score(job)
    estimates = score(job) | streams_estimate.chosen(drawn)
    found = [f for name, scores in estimates.items() for f in summarise(name, scores)]
    return found + streams_estimate.choices(drawn)


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
    rows, truth = known_slices(job, (record,))
    if not rows:
        return None
    return Scores(
        rows=rows,
        splits=np.array([split_of(record, r.group) for r in rows]),
        values={
            "probability": sigmoid(logits(job, record, rows)[""]).astype(np.float64),
            "truth": truth,
        },
    )


def summarise(name: str, scores: Scores) -> list[Figure]:
    """Figures of one estimate: each manifestation, and their mean as in the paper's "overall"."""
    scorer = Scorer(name, "manifestations")
    for which, part in (*scores.by_split(), *_both(scores)):
        truth, probability = part.values["truth"], part.values["probability"]
        for column, key in enumerate(TASKS["manifestations"]):
            short = Manifestation(key).short
            source = f"{scores.source}, {short}"
            add_two_classes(
                scorer, source, which, part.groups, truth[:, column],
                probability[:, column], (short, f"no {short}"),
            )  # fmt: skip
            _count_without(scorer, source, which, part.groups, ~truth[:, column])
        source = f"{scores.source}, mean of the three"
        _add_means(scorer, source, which, part.groups.tolist(), truth, probability)
    return scorer.figures


def _both(scores: Scores) -> Iterator[tuple[str, Scores]]:
    """Test and validation as one, where there are both: each alone may lack a class."""
    known = np.isin(scores.splits, SPLITS[:2])
    if len(set(scores.splits[known].tolist())) == 2:
        yield POOLED, scores.at(np.flatnonzero(known))


def _count_without(
    scorer: Scorer, source: str, split: str, groups: NDArray[np.str_], lacks: NDArray[np.bool_]
) -> None:
    """How many pictures lack the class, and their groups: on these an AUC rests as well."""
    nan, all_groups = float("nan"), len(set(groups.tolist()))
    for what, count in (
        ("slices", int(lacks.sum())),
        ("groups", len(set(groups[lacks].tolist()))),
    ):
        metric = f"{what} without it, pictures that lack the class"
        scorer.figures.append(
            Figure(scorer.task, scorer.record_name, source, split, metric, float(count),
                   nan, nan, len(groups), all_groups)
        )  # fmt: skip


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
