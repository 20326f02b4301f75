"""ML-CNN: which manifestations a CT slice shows."""

from __future__ import annotations

import numpy as np

from inference.findings import Manifestation
from inference.models import ModelRecord
from inference.training.datasets import TASKS
from inference.training.evaluation.figure import (
    SPLITS,
    Figure,
    Job,
    Scorer,
    add_two_classes,
    lesion_rows,
    logits,
    split_of,
)
from inference.training.losses import CODES, IGNORE
from inference.training.pictures import read_grey

__all__ = ["TITLES", "figures"]

TITLES = {"manifestations": "Manifestations (ML-CNN) on CT slices"}


def figures(job: Job) -> list[Figure]:
    """Score the ML-CNN of the store."""
    return [f for record in job.of_kind("manifestations") for f in _of_model(job, record)]


def _of_model(job: Job, record: ModelRecord) -> list[Figure]:
    pairs = lesion_rows(job.rows, record, job.splits)
    masks = [read_grey(path) for _, path in pairs]
    known = [i for i, mask in enumerate(masks) if not (mask == IGNORE).any()]
    if not known:
        return []
    chosen = [pairs[i][0] for i in known]
    truth = np.array([[(masks[i] == c).any() for c in CODES.values()] for i in known])
    values = logits(job, record, chosen)[""].astype(np.float64)
    probability = 1.0 / (1.0 + np.exp(-values))
    split = np.array([split_of(record, r.group) for r in chosen])
    groups = np.array([r.group for r in chosen])
    scorer = Scorer(record.name, "manifestations")
    for which in sorted(set(split.tolist()), key=SPLITS.index):
        index = np.flatnonzero(split == which)
        for column, key in enumerate(TASKS["manifestations"]):
            name = f"medseg100, {Manifestation(key).short}"
            add_two_classes(
                scorer, name, which, groups[index], truth[index, column], probability[index, column]
            )
    return scorer.figures
