"""The streams' masks on CT slices with a radiologist's masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.models import ModelRecord
from inference.preprocess import restore
from inference.systems.elbana import stream_probabilities
from inference.training.evaluation.figure import (
    Figure,
    Job,
    Scorer,
    Statistic,
    lesion_rows,
    logits,
    split_of,
)
from inference.training.evaluation.scores import Scores
from inference.training.losses import CODES, IGNORE
from inference.training.mask_metrics import Overlap, count, surface_dice
from inference.training.pictures import read_grey

__all__ = ["TITLES", "figures", "score", "summarise"]

TITLES = {"segmentation": "Segmentation of CT slices"}

INFECTION = "infection"
THREE = tuple(key.value for key in Manifestation)
TOLERANCE_PX = 2
NSD = f"NSD at {TOLERANCE_PX} px"
SHOWN = "mean over slices that have it"
ALL = "mean over all slices (both empty = 1)"
POOLED = "pooled pixels"


def figures(job: Job) -> list[Figure]:
    """Score every form of the streams that the store holds."""
    return [f for name, scores in score(job).items() for f in summarise(name, scores)]


def score(job: Job) -> dict[str, Scores]:
    """Agreement with the masks by form of the streams.

    Returns
    -------
    dict
        Scores with one array (n, 5) a class: the fields of `Overlap`, and NSD; the classes are the
        manifestations that the form has, and their union when it has all.
    """
    found = {}
    for form in ("shared", "separate", "all"):
        try:
            records = job.store.streams(form)
        except AnalysisError:
            continue
        scores = _of_form(job, records)
        if scores is not None:
            found[f"streams ({form})"] = scores
    return found


def _of_form(job: Job, records: Sequence[ModelRecord]) -> Scores | None:
    pairs = lesion_rows(job.rows, records[0], job.splits)
    if not pairs:
        return None
    rows = tuple(row for row, _ in pairs)
    maps: dict[Manifestation, NDArray[np.float32]] = {}
    for record in records:
        maps.update(stream_probabilities(logits(job, record, rows)))
    keys = [key for key in Manifestation if key in maps]
    names = [key.value for key in keys] + ([INFECTION] if len(keys) == len(THREE) else [])
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for index, (_, path) in enumerate(pairs):
        mask = read_grey(path)
        known = mask != IGNORE
        called = restore(np.stack([maps[k][index] for k in keys]), mask.shape) > 0.5
        truths = [mask == CODES[key.value] for key in keys]
        if INFECTION in found:
            called = np.concatenate([called, called.any(axis=0, keepdims=True)])
            truths.append((mask > 0) & known)
        for name, one, true in zip(names, called, truths, strict=True):
            close = surface_dice(one & known, true, TOLERANCE_PX)
            found[name].append((*astuple(count(one, true, known)), close))
    return Scores(
        rows=rows,
        splits=np.array([split_of(records[0], row.group) for row in rows]),
        values={name: np.array(values) for name, values in found.items()},
    )


def summarise(name: str, scores: Scores) -> list[Figure]:
    """Figures of one form: each class, and the mean of the three as the paper's Table 6 has it."""
    scorer = Scorer(name, "segmentation")
    for which, part in scores.by_split():
        owners = part.groups.tolist()
        statistics = {key: _statistic(values) for key, values in part.values.items()}
        for key, statistic in statistics.items():
            scorer.add(f"{scores.source}, {key}", which, owners, statistic)
        if set(THREE) <= set(statistics):
            average = _average([statistics[key] for key in THREE])
            scorer.add(f"{scores.source}, mean of the three", which, owners, average)
    return scorer.figures


def _statistic(values: NDArray[np.float64]) -> Statistic:
    """What is measured of one class on a resample of slices; `values` as in `score`."""
    counts = values[:, :4]
    present = values[:, 2] > 0
    each = [Overlap(*row).metrics() for row in counts]
    metrics = [*each[0], NSD]
    table = np.column_stack([np.array([list(e.values()) for e in each]), values[:, 4]])
    of_all = [metrics.index(metric) for metric in ("Dice", "IoU", NSD)]

    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        shown = indices[present[indices]]
        found: dict[str, float] = {}
        if len(shown):
            means = table[shown].mean(axis=0)
            found |= {f"{m}, {SHOWN}": float(v) for m, v in zip(metrics, means, strict=True)}
        means = table[indices].mean(axis=0)
        found |= {f"{metrics[k]}, {ALL}": float(means[k]) for k in of_all}
        if len(shown):
            total = Overlap(*counts[indices].sum(axis=0).tolist()).metrics()
            found |= {f"{metric}, {POOLED}": value for metric, value in total.items()}
        return found

    return statistic


def _average(statistics: Sequence[Statistic]) -> Statistic:
    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        found = [one(indices) for one in statistics]
        metrics = dict.fromkeys(m for f in found for m in f)
        return {m: float(np.mean([f.get(m, np.nan) for f in found])) for m in metrics}

    return statistic
