"""Recognition: COVID-19 against others, and four classes on X-ray."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelRecord
from inference.training.datasets import recognition_targets
from inference.training.evaluation.figure import (
    SPLITS,
    Figure,
    Job,
    Scorer,
    add_two_classes,
    logits,
    softmax,
    split_of,
)
from inference.training.metrics import multiclass_metrics

__all__ = ["TITLES", "figures"]

TITLES = {
    "covid-2": "Recognition: COVID-19 against others",
    "cxr-4": "Recognition: four classes on X-ray",
}


def figures(job: Job) -> list[Figure]:
    """Score every recogniser of the store."""
    return [f for record in job.of_kind("recognition") for f in _of_model(job, record)]


def _of_model(job: Job, record: ModelRecord) -> list[Figure]:
    four_classes = "cxr-4" in record.network["heads"]
    tasks = {"ct_classification"} | ({"cxr_classification"} if four_classes else set())
    chosen, targets = [], []
    for row in job.rows:
        if row.role == "image" and row.task in tasks:
            target = recognition_targets(row)
            if target is not None and split_of(record, row.group) in job.splits:
                chosen.append(row)
                targets.append(target)
    if not chosen:
        return []
    outputs = logits(job, record, chosen)
    two = softmax(outputs["covid-2"])[:, 0]
    four = softmax(outputs["cxr-4"]) if four_classes else np.empty((len(chosen), 0))
    truth_two = np.array([t["covid-2"][0] > 0.5 for t in targets])
    truth_four = np.array([
        -1 if np.isnan(t["cxr-4"]).any() else int(t["cxr-4"].argmax()) for t in targets
    ])  # fmt: skip
    modality = np.array([r.modality for r in chosen])
    labels = np.array([r.label for r in chosen])
    split = np.array([split_of(record, r.group) for r in chosen])
    source = np.array([r.source for r in chosen])
    groups = np.array([r.group for r in chosen])
    covid = Scorer(record.name, "covid-2")
    kinds = Scorer(record.name, "cxr-4")
    both = np.isin(modality, ("CXR", "CT"))
    subsets = {
        "X-ray, COVID-19 v all others": modality == "CXR",
        "X-ray, COVID-19 v normal": (modality == "CXR") & np.isin(labels, ("covid19", "normal")),
        "X-ray, COVID-19 v adult normal (nih)": (modality == "CXR")
        & ((labels == "covid19") | ((labels == "normal") & (source == "nih"))),
        "CT, all sources": modality == "CT",
        "CT, sarscov2ct": source == "sarscov2ct",
        "CT, ucsd_covidct": source == "ucsd_covidct",
        "X-ray and CT": both if four_classes else np.zeros_like(both),
    }
    for which in sorted(set(split.tolist()), key=SPLITS.index):
        for name, inside in subsets.items():
            index = np.flatnonzero(inside & (split == which))
            if len(index) and 0 < truth_two[index].sum() < len(index):
                add_two_classes(covid, name, which, groups[index], truth_two[index], two[index])
        index = np.flatnonzero((truth_four >= 0) & (split == which))
        if four_classes and len(index):
            _add_four(kinds, which, groups[index], truth_four[index], four[index])
        children = np.flatnonzero((source == "kermany") & (labels == "normal") & (split == which))
        if len(children):
            _add_false_alarms(covid, which, groups[children], two[children])
    return covid.figures + kinds.figures


def _add_four(
    scorer: Scorer,
    split: str,
    groups: NDArray[np.str_],
    truth: NDArray[np.intp],
    probabilities: NDArray[np.float64],
) -> None:
    scorer.add(
        "X-ray, four classes",
        split,
        groups.tolist(),
        lambda i: multiclass_metrics(truth[i], probabilities[i]),
    )


def _add_false_alarms(
    scorer: Scorer, split: str, groups: NDArray[np.str_], probability: NDArray[np.float64]
) -> None:
    scorer.add(
        "X-ray, children's normals (kermany)",
        split,
        groups.tolist(),
        lambda i: {"false alarms": float((probability[i] > 0.5).mean())},
    )
