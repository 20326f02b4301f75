"""The streams' masks on CT slices with a radiologist's masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.models import ModelRecord
from inference.preprocess import restore
from inference.systems.elbana import stream_probabilities
from inference.training.evaluation.figure import (
    SPLITS,
    Figure,
    Job,
    Scorer,
    lesion_rows,
    logits,
    mean,
    split_of,
)
from inference.training.losses import CODES, IGNORE
from inference.training.metrics import dice
from inference.training.pictures import read_grey

__all__ = ["TITLES", "figures"]

TITLES = {"segmentation": "Segmentation of CT slices"}


def figures(job: Job) -> list[Figure]:
    """Score every form of the streams that the store holds."""
    found: list[Figure] = []
    for form in ("shared", "separate", "all"):
        try:
            records = job.store.streams(form)
        except AnalysisError:
            continue
        found += _of_form(job, form, records)
    return found


@dataclass(frozen=True, slots=True)
class _Counts:
    """Pixels of one stream on one slice."""

    overlap: float
    predicted: float
    true: float


def _dice_statistic(
    counts: Sequence[_Counts], groups: Sequence[str]
) -> Callable[[NDArray[np.intp]], dict[str, float]]:
    values = np.array([(c.overlap, c.predicted, c.true) for c in counts])
    present = values[:, 2] > 0
    each = np.array([dice(*v) for v in values])
    sensitivity = values[:, 0] / np.maximum(values[:, 2], 1)

    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        shown = indices[present[indices]]
        total = values[indices].sum(axis=0)
        return {
            "Dice, mean over slices that have it": mean(each[shown]),
            "sensitivity, mean over slices that have it": mean(sensitivity[shown]),
            "Dice, mean over all slices (both empty = 1)": mean(each[indices]),
            "Dice, pooled pixels": dice(*total) if total[2] > 0 else float("nan"),
            "IoU, pooled pixels": _iou(*total) if total[2] > 0 else float("nan"),
        }

    return statistic


def _iou(overlap: float, predicted: float, true: float) -> float:
    return overlap / (predicted + true - overlap)


def _of_form(job: Job, form: str, records: Sequence[ModelRecord]) -> list[Figure]:
    first = records[0]
    pairs = lesion_rows(job.rows, first, job.splits)
    if not pairs:
        return []
    names = [key.value for key in Manifestation] + ["infection"]
    counts: dict[str, list[_Counts]] = {name: [] for name in names}
    maps: dict[Manifestation, NDArray[np.float32]] = {}
    for record in records:
        maps.update(stream_probabilities(logits(job, record, [row for row, _ in pairs])))
    for index, (_, path) in enumerate(pairs):
        mask = read_grey(path)
        known = mask != IGNORE
        stacked = restore(np.stack([maps[k][index] for k in Manifestation]), mask.shape)
        called = stacked > 0.5
        for channel, key in enumerate(Manifestation):
            counts[key.value].append(_count(called[channel], mask == CODES[key.value], known))
        any_class = np.logical_or.reduce(called)
        counts["infection"].append(_count(any_class, (mask > 0) & known, known))
    split = np.array([split_of(first, row.group) for row, _ in pairs])
    groups = np.array([row.group for row, _ in pairs])
    scorer = Scorer(f"streams ({form})", "segmentation")
    for which in sorted(set(split.tolist()), key=SPLITS.index):
        index_ = np.flatnonzero(split == which)
        for name in names:
            chosen = [counts[name][i] for i in index_]
            owners = groups[index_].tolist()
            scorer.add(f"medseg100, {name}", which, owners, _dice_statistic(chosen, owners))
    return scorer.figures


def _count(called: NDArray[np.bool_], true: NDArray[np.bool_], known: NDArray[np.bool_]) -> _Counts:
    called, true = called & known, true & known
    return _Counts(float((called & true).sum()), float(called.sum()), float(true.sum()))
