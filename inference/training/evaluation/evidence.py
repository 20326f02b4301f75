"""Recognition on CT by what the lesion streams see: heard alone and joined, and on other sources.

The networks are not trained here. Two things are measured beside the shipped evidence: the same
regression fitted to all sources but one and asked about that one, and no learning at all, which
takes the marked area for the answer. The recogniser knows every source, so it has no part in
either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from inference.models import ModelRecord
from inference.networks.evidence import LESIONS
from inference.systems.elbana.joining import join
from inference.training import evidence as fitting
from inference.training.evaluation.figure import (
    LEFT_OUT,
    Figure,
    Job,
    Scorer,
    add_two_classes,
    split_of,
)
from inference.training.manifest import Row
from inference.training.metrics import area_under_roc

__all__ = ["EXTENT", "TITLES", "Heard", "figures", "hear", "heard_pictures", "partners"]

TITLES = {"evidence": "CT recognition by the lesion streams: other sources, and no learning"}

STRENGTH = 0.1
"""Of the regressions with a source left out: nothing may be chosen by the source itself."""

EXTENT = "how much is marked"
"""The regression that uses nothing else."""

_AREAS = slice(len(LESIONS), 2 * len(LESIONS))
"""Of a description: the areas above one half."""

_Known = dict[tuple[str, str, Path], tuple[NDArray[np.float32], NDArray[np.float32], bool]]
_known: WeakKeyDictionary[Engine, _Known] = WeakKeyDictionary()
"""What an evaluation's networks said of a picture file, since several tasks ask for the same."""


@dataclass(frozen=True, eq=False, slots=True)
class Heard:
    """What recogniser and evidence say of pictures.

    Parameters
    ----------
    described
        The pictures, their numbers, and the recogniser's logits.
    joined, alone, parts
        As of `joining.Both`.
        Where `hear` made it, validation pictures are joined by a fit to the groups of other folds,
        since the shipped join was fitted to them.
    """

    described: fitting.Described
    joined: NDArray[np.float32]
    alone: NDArray[np.float32]
    parts: NDArray[np.float32]


def partners(job: Job, record: ModelRecord) -> tuple[ModelRecord, ModelRecord] | None:
    """The recogniser and the streams that evidence was fitted to; None where weights differ."""
    names = {r.name for r in job.store.records}
    if not set(record.fitted_to) <= names or len(record.fitted_to) != 2:
        return None
    recogniser, streams = (job.store.find(name) for name in record.fitted_to)
    return (recogniser, streams) if job.store.evidence(recogniser, (streams,)) else None


def hear(job: Job, record: ModelRecord, rows: list[Row]) -> Heard | None:
    """Ask the networks about picture files; None when the evidence belongs to other weights.

    Parameters
    ----------
    job, record
        Whose engine, which evidence.
    rows
        Of `fitting.labelled`.
    """
    both = partners(job, record)
    if both is None or not rows:
        return None
    described = _described(job, *both, rows)
    heard = _heard(job, record, described)
    splits = np.array([split_of(record, r.group) for r in rows])
    index = np.flatnonzero(splits == "validation")
    if len(index):
        part = described.at(index)
        logits = np.column_stack([part.margin, heard.parts[index].astype(np.float64)])
        heard.joined[index, 0] = fitting.held_out_joins(logits, part.truth, part.groups)
    return heard


def heard_pictures(
    job: Job, record: ModelRecord, rows: list[Row], pictures: list[NDArray[np.uint8]]
) -> Heard | None:
    """As `hear`, of altered pictures (rows, columns); all are joined as they are when reading."""
    both = partners(job, record)
    if both is None:
        return None
    return _heard(job, record, fitting.describe(job, *both, rows, pictures))


def _heard(job: Job, record: ModelRecord, described: fitting.Described) -> Heard:
    both = join(job.engine, record, described.recogniser, described.numbers)
    return Heard(described, both.joined, both.alone, both.parts)


def _described(
    job: Job, recogniser: ModelRecord, streams: ModelRecord, rows: list[Row]
) -> fitting.Described:
    known = _known.setdefault(job.engine, {})
    keys = [(recogniser.sha256, streams.sha256, r.path) for r in rows]
    new = [r for r, key in zip(rows, keys, strict=True) if key not in known]
    if new:
        found = fitting.describe(job, recogniser, streams, new)
        for place, row in enumerate(new):
            known[recogniser.sha256, streams.sha256, row.path] = (
                found.numbers[place], found.recogniser[place], bool(found.truth[place])
            )  # fmt: skip
    numbers, logits, truth = zip(*(known[key] for key in keys), strict=True)
    return fitting.Described(tuple(rows), np.stack(numbers), np.stack(logits), np.array(truth))


def figures(job: Job) -> list[Figure]:
    """Score what needs no network to be trained."""
    found: list[Figure] = []
    for record in job.of_kind("evidence"):
        both = partners(job, record)
        rows = fitting.labelled(job.rows)
        if both is None or not rows:
            continue
        described = _described(job, *both, rows)
        found += _left_out(record, described, both[1])
        found += _unlearned(job, record, described, both[1])
    return found


def _left_out(
    record: ModelRecord, described: fitting.Described, streams: ModelRecord
) -> list[Figure]:
    """The regression fitted to the other sources, on pictures that the streams do not know."""
    unseen = [split_of(streams, r.group) != "trained on" for r in described.rows]
    asked_at_all = described.at(np.flatnonzero(unseen))
    learned = Scorer(record.name, "evidence")
    plain = Scorer(streams.name, "evidence")
    for source, known, asked in fitting.left_out(described, asked_at_all):
        ways = {
            parts: fitting.fit_regression(known, parts, STRENGTH).logits(asked.numbers)
            for parts in fitting.PARTS
        }
        ways[EXTENT] = fitting.fit_extent(known).logits(fitting.extents_of(asked.numbers))
        for parts, logits in ways.items():
            said = 1.0 / (1.0 + np.exp(-np.clip(logits, -700.0, 700.0)))
            add_two_classes(
                learned, f"CT, {source}, fitted without it ({parts})", LEFT_OUT, asked.groups,
                asked.truth, said, ("COVID-19", "not COVID-19"),
            )  # fmt: skip
        _add_area(plain, f"CT, {source}, marked area alone", LEFT_OUT, asked)
    return learned.figures + plain.figures


def _unlearned(
    job: Job, record: ModelRecord, described: fitting.Described, streams: ModelRecord
) -> list[Figure]:
    """The area that the streams mark in place of a probability, split by split."""
    scorer = Scorer(streams.name, "evidence")
    sources = np.array([r.source for r in described.rows])
    splits = np.array([split_of(record, r.group) for r in described.rows])
    for split in sorted(job.splits & set(splits.tolist())):
        for source in ("all sources", *sorted(set(sources.tolist()))):
            inside = (splits == split) & ((sources == source) | (source == "all sources"))
            part = described.at(np.flatnonzero(inside))
            if fitting.both_classes(part):
                _add_area(scorer, f"CT, {source}, marked area alone", split, part)
    return scorer.figures


def _add_area(scorer: Scorer, source: str, split: str, part: fitting.Described) -> None:
    scorer.add(source, split, part.groups.tolist(), _area_under_roc(part))


def _area_under_roc(
    part: fitting.Described,
) -> Callable[[NDArray[np.intp]], dict[str, float]]:
    area = part.numbers[:, _AREAS].sum(axis=1).astype(np.float64)
    return lambda i: {"AUC": area_under_roc(part.truth[i], area[i])}
