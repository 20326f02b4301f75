"""Calibration: how far the probabilities that are shown agree with what is observed.

Every group counts once. Each head is scored as the network says it ("before") and as the model's
own calibration makes it ("after"); a model without one has no "after". On validation groups, where
it was fitted, "after" is a little kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.calibration import Bin, Calibration, to_probabilities
from inference.models import ModelRecord
from inference.training import evidence as fitting
from inference.training.datasets import TASKS, classified, recognition_targets
from inference.training.evaluation.evidence import hear
from inference.training.evaluation.figure import (
    SPLITS,
    Figure,
    Job,
    Scorer,
    lesion_rows,
    logits,
    split_of,
)
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row
from inference.training.pictures import read_grey
from inference.training.reliability import brier, ece, group_weights, log_loss, reliability_curve

__all__ = ["TITLES", "Curve", "Sample", "curves", "figures", "samples_of"]

TITLES = {"calibration": "Calibration of the probabilities"}

_SOURCES = {
    "CXR": "X-ray",
    "CT": "CT",
    "manifestations": "CT slices, three manifestations together",
}


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """What one head said of pictures whose answer is known.

    Parameters
    ----------
    task
        As `findings.Estimate.task`.
    pictures
        Which kind, for the reader.
    exclusive
        True: softmax. False: a sigmoid each.
    logits, truth
        Shape (n, classes), float64; truth is 0 or 1.
    groups, splits, sources
        Length n; `splits` as in `SPLITS`.
    """

    task: str
    pictures: str
    exclusive: bool
    logits: NDArray[np.float64]
    truth: NDArray[np.float64]
    groups: NDArray[np.str_]
    splits: NDArray[np.str_]
    sources: NDArray[np.str_]

    def at(self, indices: NDArray[np.intp]) -> Sample:
        """Some of the pictures, in that order."""
        return replace(
            self,
            logits=self.logits[indices],
            truth=self.truth[indices],
            groups=self.groups[indices],
            splits=self.splits[indices],
            sources=self.sources[indices],
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """The reliability curve of one class on one split.

    Parameters
    ----------
    model, task, class_name, split
        What was measured; `class_name` is "all" where independent sigmoids were pooled.
    calibrated
        Whether the model's calibration was applied.
    n, groups
        Pictures and groups.
    bins
        The points, values rising.
    """

    model: str
    task: str
    class_name: str
    split: str
    calibrated: bool
    n: int
    groups: int
    bins: tuple[Bin, ...]


def _sample(
    record: ModelRecord,
    task: str,
    kind: str,
    rows: list[Row],
    said: NDArray[np.float32],
    truth: NDArray[Any],
) -> Sample:
    return Sample(
        task=task,
        pictures=_SOURCES[kind],
        exclusive=kind != "manifestations",
        logits=said.astype(np.float64),
        truth=np.asarray(truth, dtype=np.float64),
        groups=np.array([r.group for r in rows]),
        splits=np.array([split_of(record, r.group) for r in rows]),
        sources=np.array([r.source for r in rows]),
    )


def _recognition(job: Job, record: ModelRecord) -> list[Sample]:
    targets = {
        row: target
        for row in classified(job.rows, (record.reads,))
        if split_of(record, row.group) in job.splits
        and (target := recognition_targets(row)) is not None
    }
    if not targets:
        return []
    rows = list(targets)
    said = logits(job, record, rows)
    samples = []
    for task in record.network["heads"]:
        truth = np.stack([targets[row][task] for row in rows])
        known = np.flatnonzero(~np.isnan(truth).any(axis=1))
        if len(known):
            chosen = [rows[i] for i in known]
            samples.append(
                _sample(record, task, record.reads, chosen, said[task][known], truth[known])
            )
    return samples


def _manifestations(job: Job, record: ModelRecord) -> list[Sample]:
    pairs = [(row, read_grey(mask)) for row, mask in lesion_rows(job.rows, (record,), job.splits)]
    known = [(row, mask) for row, mask in pairs if not (mask == IGNORE).any()]
    if not known:
        return []
    rows = [row for row, _ in known]
    truth = np.array([[(mask == code).any() for code in CODES.values()] for _, mask in known])
    said = logits(job, record, rows)[""]
    return [_sample(record, "manifestations", "manifestations", rows, said, truth)]


def _evidence(job: Job, record: ModelRecord) -> list[Sample]:
    """The joined value. On validation pictures it comes from a join to the groups of other folds:
    what is fitted on top of it then knows no more of them than it will of a new patient."""
    rows = [r for r in fitting.labelled(job.rows) if split_of(record, r.group) in job.splits]
    heard = hear(job, record, rows)
    if heard is None:
        return []
    truth = np.stack([heard.described.truth, ~heard.described.truth], axis=1)
    return [_sample(record, "covid-2", "CT", rows, heard.joined, truth)]


def samples_of(job: Job, record: ModelRecord) -> list[Sample]:
    """What each head of a model says of the pictures that it reads, in the splits of the job."""
    makers: dict[str, Callable[[Job, ModelRecord], list[Sample]]] = {
        "recognition": _recognition,
        "manifestations": _manifestations,
        "evidence": _evidence,
    }
    maker = makers.get(record.kind)
    return maker(job, record) if maker is not None else []


def _both(
    record: ModelRecord, sample: Sample
) -> list[tuple[str, Calibration | None, NDArray[np.float64]]]:
    """Probabilities before and, where the model is calibrated, after."""
    raw = to_probabilities(sample.logits, exclusive=sample.exclusive)
    found: list[tuple[str, Calibration | None, NDArray[np.float64]]] = [("before", None, raw)]
    calibration = record.calibration(sample.task)
    if calibration is not None and calibration.temperature is not None:
        after = to_probabilities(sample.logits, calibration, exclusive=sample.exclusive)
        found.append(("after", calibration, after))
    return found


def figures(job: Job) -> list[Figure]:
    """ECE, Brier score and log loss of every head, before and after."""
    found: list[Figure] = []
    for record in job.store.records:
        for whole in samples_of(job, record):
            scorer = Scorer(" + ".join(record.voices), "calibration")
            source = f"{whole.pictures}, {whole.task}" if whole.exclusive else whole.pictures
            for split in (s for s in SPLITS if s in whole.splits):
                part = whole.at(np.flatnonzero(whole.splits == split))
                for when, _, said in _both(record, part):
                    source = (
                        f"{whole.pictures}, {whole.task}" if whole.exclusive else whole.pictures
                    )
                    scorer.add(source, split, part.groups.tolist(), _scores(part, said, when))
            found += scorer.figures
    return found


def _scores(
    sample: Sample, said: NDArray[np.float64], when: str
) -> Callable[[NDArray[np.intp]], dict[str, float]]:
    weights = group_weights(sample.groups)

    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        p, t, w = said[indices], sample.truth[indices], weights[indices]
        if sample.exclusive:
            error = float(np.mean([ece(a, b, w) for a, b in zip(p.T, t.T, strict=True)]))
        else:
            error = ece(p.ravel(), t.ravel(), np.repeat(w, p.shape[1]))
        return {
            f"ECE, {when}": error,
            f"Brier score, {when}": brier(p, t, w),
            f"log loss, {when}": log_loss(p, t, w, exclusive=sample.exclusive),
        }

    return statistic


def curves(job: Job) -> list[Curve]:
    """The points of every reliability diagram, before and after, split by split."""
    found = []
    for record in job.store.records:
        for whole in samples_of(job, record):
            for split in (s for s in SPLITS if s in whole.splits):
                part = whole.at(np.flatnonzero(whole.splits == split))
                for _, calibration, said in _both(record, part):
                    found += [
                        Curve(
                            model=" + ".join(record.voices),
                            task=whole.task,
                            class_name=name,
                            split=split,
                            calibrated=calibration is not None,
                            n=len(part.groups),
                            groups=len(set(part.groups.tolist())),
                            bins=reliability_curve(p, t, g),
                        )
                        for name, p, t, g in _classes(part, said)
                    ]
    return found


def _classes(
    sample: Sample, said: NDArray[np.float64]
) -> list[tuple[str, NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]]:
    if not sample.exclusive:
        groups = np.repeat(sample.groups, said.shape[1])
        return [("all", said.ravel(), sample.truth.ravel(), groups)]
    names = TASKS[sample.task]
    # Of two classes the second says nothing new.
    shown = 1 if len(names) == 2 else len(names)
    return [(names[k], said[:, k], sample.truth[:, k], sample.groups) for k in range(shown)]
