"""Ranges for 8-bit graphs from training groups, and what lower precision costs on validation ones.

A precision is allowed where no Dice and no AUC of the model falls by half a point or more against
PyTorch in float32. Test groups are not touched. A model that learned from all other groups has no
validation groups; it is judged by its like of a cross-validation, each on the fold that it never
saw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.backends.cache import Cache
from inference.backends.choice import disagreement, probe_pictures
from inference.backends.graph import GraphRunner, load_graph, supports
from inference.backends.precisions import (
    BFLOAT16,
    FLOAT32,
    INT8,
    GraphNotes,
    read_notes,
    write_notes,
)
from inference.backends.quantise import measure_ranges
from inference.backends.runner import Logits
from inference.engine import Engine
from inference.errors import BadInputError
from inference.findings import Manifestation
from inference.models import ModelRecord, ModelStore
from inference.preprocess import prepare
from inference.progress import Progress
from inference.systems.elbana import stream_probabilities
from inference.training.datasets import classified, recognition_targets
from inference.training.evaluation.figure import softmax
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row, fold_of_groups
from inference.training.mask_metrics import dice
from inference.training.metrics import area_under_roc, bootstrap
from inference.training.pictures import read_grey
from inference.training.slices import annotated, healthy, prepared, present

__all__ = ["KINDS", "MOST_COST", "Cost", "quantise"]

MOST_COST = 0.005
"""Half a point of Dice or AUC."""
BATCH = 8
RESAMPLES = 500

Indices = NDArray[np.intp]
Statistic = Callable[[Indices], dict[str, float]]
Metrics = Callable[[Logits], Statistic]
"""From the logits of all pictures to the metrics of a resample of them."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one precision of a graph costs in one metric, on validation groups.

    Parameters
    ----------
    precision, metric
        Of the graph; Dice is at the network's own size.
    eager, graph
        Values of PyTorch in float32 and of the graph.
    cost, low, high
        Their difference with its 95 % interval over groups; above zero: the graph is worse.
    n, groups
        Pictures and groups.
    """

    precision: str
    metric: str
    eager: float
    graph: float
    cost: float
    low: float
    high: float
    n: int
    groups: int


@dataclass(frozen=True, eq=False, slots=True)
class _Scored:
    """Validation pictures (n, size, size) of a model, their groups, and what counts in them."""

    pictures: NDArray[np.uint8]
    groups: tuple[str, ...]
    metrics: Metrics


def _evenly(count: int, most: int) -> Indices:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def _pictures(rows: Sequence[Row], size: int) -> NDArray[np.uint8]:
    return np.stack([prepare(read_grey(row.path), size) for row in rows])


def _training_pictures(
    rows: Sequence[Row], record: ModelRecord, most: int
) -> tuple[NDArray[np.uint8], str]:
    """Pictures of the model's training groups, and which they are in words."""
    seen = set(record.split.trained_groups)
    own = [row for row in rows if row.group in seen]
    if record.kind == "recognition":
        chosen = classified(own, record.knows)
        kept = [chosen[i] for i in _evenly(len(chosen), most)] if chosen else []
        pictures, groups = [_pictures(kept, record.size)] if kept else [], {r.group for r in kept}
    else:
        slices = annotated(own, record.framing) + healthy(own, sorted(seen))
        few = [slices[i] for i in _evenly(len(slices), most)] if slices else []
        pictures = [prepared(few, record.size)[0]] if few else []
        groups = {s.group for s in few}
    if not pictures:
        raise BadInputError(f"The manifest has no picture that {record.name} was trained on.")
    words = f"{len(pictures[0])} pictures of {len(groups)} training groups"
    return pictures[0], words


def _recognition(rows: Sequence[Row], record: ModelRecord) -> _Scored | None:
    chosen = classified(rows, record.knows)
    if not chosen:
        return None
    targets = [recognition_targets(row) for row in chosen]
    truth = np.array([t is not None and t["covid-2"][0] > 0.5 for t in targets])
    modality = np.array([row.modality for row in chosen])

    def metrics(logits: Logits) -> Statistic:
        covid = softmax(logits["covid-2"])[:, 0]

        def statistic(indices: Indices) -> dict[str, float]:
            found = {}
            for name in sorted(set(modality.tolist())):
                inside = indices[modality[indices] == name]
                value = area_under_roc(truth[inside], covid[inside])
                found[f"AUC, COVID-19 v others, {name}"] = value
            return found

        return statistic

    return _Scored(_pictures(chosen, record.size), tuple(r.group for r in chosen), metrics)


def _manifestations(rows: Sequence[Row], record: ModelRecord) -> _Scored | None:
    slices = annotated(rows, record.framing)
    if not slices:
        return None
    shown = present(slices)

    def metrics(logits: Logits) -> Statistic:
        scores = logits[""].astype(np.float64)

        def statistic(indices: Indices) -> dict[str, float]:
            found = {}
            for column, key in enumerate(Manifestation):
                known = indices[~np.isnan(shown[indices, column])]
                value = area_under_roc(shown[known, column] > 0.5, scores[known, column])
                found[f"AUC, {key.short}"] = value
            return found

        return statistic

    pictures, _ = prepared(slices, record.size)
    return _Scored(pictures, tuple(s.group for s in slices), metrics)


def _streams(rows: Sequence[Row], record: ModelRecord) -> _Scored | None:
    slices = annotated(rows, record.framing)
    if not slices:
        return None
    pictures, masks = prepared(slices, record.size)
    known = masks != IGNORE

    def metrics(logits: Logits) -> Statistic:
        counts = {}
        for key, probability in stream_probabilities(logits).items():
            called, true = (probability > 0.5) & known, (masks == CODES[key.value]) & known
            pixels = (called & true, called, true)
            counts[key] = np.stack([p.sum(axis=(1, 2)) for p in pixels], axis=1).astype(np.float64)

        def statistic(indices: Indices) -> dict[str, float]:
            found = {}
            for key, each in counts.items():
                here = each[indices]
                has = here[here[:, 2] > 0]
                nan = float("nan")
                found[f"Dice, {key.short}, pooled pixels"] = (
                    dice(*here.sum(axis=0)) if len(has) else nan
                )
                found[f"Dice, {key.short}, mean over slices that have it"] = (
                    float(np.mean([dice(*c) for c in has])) if len(has) else nan
                )
            return found

        return statistic

    return _Scored(pictures, tuple(s.group for s in slices), metrics)


_SCORED = {"recognition": _recognition, "manifestations": _manifestations, "streams": _streams}
KINDS = frozenset(_SCORED)
"""Kinds of models that have figures to lose; others are small and stay in float32."""


def _outputs(engine: Engine, record: ModelRecord, scored: _Scored, progress: Progress) -> Logits:
    parts: dict[str, list[NDArray[np.float32]]] = {}
    stage = f"Scoring {record.name}"
    for _, output in engine.run(record, scored.pictures, stage, progress, BATCH, []):
        for name, values in output.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _costs(scored: _Scored, precision: str, eager: Logits, graph: Logits) -> list[Cost]:
    everything = np.arange(len(scored.groups))
    of_eager, of_graph = scored.metrics(eager), scored.metrics(graph)
    before, after = of_eager(everything), of_graph(everything)

    def statistic(indices: Indices) -> dict[str, float]:
        second = of_graph(indices)
        return {name: value - second[name] for name, value in of_eager(indices).items()}

    differences = bootstrap(statistic, scored.groups, resamples=RESAMPLES)
    return [
        Cost(
            precision, name, before[name], after[name], d.value, d.low, d.high,
            len(scored.groups), len(set(scored.groups)),
        )
        for name, d in differences.items()
    ]  # fmt: skip


def _plain(cost: Cost) -> dict[str, Any]:
    """For JSON, which knows no NaN."""
    return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(cost).items()}


def _probe(graph: Any, record: ModelRecord, ranges: GraphNotes) -> dict[str, float]:
    pictures = probe_pictures(record.size)
    expected = GraphRunner(graph).run(pictures)
    found = {}
    for precision in (INT8, BFLOAT16):
        if supports(precision):
            logits = GraphRunner(graph, precision, ranges.ranges).run(pictures)
            found[precision] = disagreement(logits, expected)
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Judge:
    """Networks whose precision is judged for a model, and the pictures on which they are judged.

    The model itself on its validation groups; or, where it learned from all groups but the tests',
    the network of a cross-validation that was trained as it was without the fold of these pictures.
    """

    store: ModelStore
    record: ModelRecord
    rows: tuple[Row, ...]


def _own_judge(rows: Sequence[Row], store: ModelStore, record: ModelRecord) -> _Judge:
    valid = set(record.split.validation_groups)
    return _Judge(store, record, tuple(row for row in rows if row.group in valid))


def _siblings(rows: Sequence[Row], record: ModelRecord, folder: Path) -> list[_Judge]:
    """A network for each fold that the model learned from, trained without that fold.

    Raises
    ------
    BadInputError
        When one is missing, or differs from the model in more than its folds.
    """
    of_group = fold_of_groups(rows)
    judges = []
    for fold in record.split.train_folds:
        store = ModelStore(folder / f"fold-{fold}" / "store")
        own = next((r for r in store.records if r.name == record.name), None)
        if own is None or fold in own.split.train_folds:
            raise BadInputError(
                f"{folder} has no {record.name} that was trained without fold {fold}; "
                "cross-validate its recipe first."
            )
        if (own.network, own.size, own.steps) != (record.network, record.size, record.steps):
            raise BadInputError(f"{record.name} in {store.folder} was trained in another way.")
        held_out = tuple(row for row in rows if of_group.get(row.group) == fold)
        judges.append(_Judge(store, own, held_out))
    return judges


def _note_ranges(
    rows: Sequence[Row], store: ModelStore, record: ModelRecord, most: int, cache: Cache
) -> GraphNotes:
    """Measure a network's ranges, and write them beside its store's manifest."""
    pictures, words = _training_pictures(rows, record, most)
    batches = [pictures[i : i + BATCH] for i in range(0, len(pictures), BATCH)]
    note = GraphNotes(record.name, words, measure_ranges(store.load(record), batches))
    note = replace(note, disagreement=_probe(load_graph(store, record, cache), record, note))
    write_notes(store, {**read_notes(store), record.sha256: note})
    return note


def _together(parts: Sequence[Logits]) -> Logits:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def quantise(
    rows: Sequence[Row],
    store: ModelStore,
    records: Sequence[ModelRecord],
    *,
    most: int = 48,
    siblings: Path | None = None,
    progress: Progress | None = None,
    cache: Cache | None = None,
) -> dict[str, list[Cost]]:
    """Measure ranges and costs, and write them beside the store's manifest.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    store, records
        The models, and those of them to do, of `KINDS`.
    most
        Training pictures for the ranges of one model.
    siblings
        Folder of a finished `crossvalidate.cross_validate` of the models' recipe: of a model
        without validation groups, what its precision costs is measured on the folds that it
        learned from, each by the network that was trained without that fold.
    progress
        Told as it goes.
    cache
        Keeps the graphs; None: the user's.

    Returns
    -------
    dict
        Costs by model, float32 graph first.

    Raises
    ------
    BadInputError
        When there are no pictures of a model's training or validation groups.
    BackendError
        When there is no OpenVINO here.
    """
    line, kept = progress or Progress(), cache or Cache()
    result: dict[str, list[Cost]] = {}
    for record in records:
        line.report(f"Measuring ranges of {record.name}", 0, 1)
        note = _note_ranges(rows, store, record, most, kept)
        if siblings is None or record.split.validation_groups:
            judges = [_own_judge(rows, store, record)]
        else:
            judges = _siblings(rows, record, siblings)
        scored = _SCORED[record.kind]([row for judge in judges for row in judge.rows], record)
        if scored is None:
            raise BadInputError(
                f"The manifest has no validation picture for {record.name}; where it learned from "
                "all folds but the test's, name a cross-validation of its recipe (--siblings)."
            )
        eager: list[Logits] = []
        graphs: dict[str, list[Logits]] = {p: [] for p in (FLOAT32, *note.disagreement)}
        for judge in judges:
            shown = _SCORED[record.kind](judge.rows, judge.record)
            if shown is None:
                continue
            if judge.store is not store:
                _note_ranges(rows, judge.store, judge.record, most, kept)
            engine = Engine(judge.store, "cpu", FLOAT32, "eager")
            eager.append(_outputs(engine, judge.record, shown, line))
            for precision, parts in graphs.items():
                engine = Engine(judge.store, "cpu", precision, "graph", kept)
                parts.append(_outputs(engine, judge.record, shown, line))
        costs = [
            cost
            for precision, parts in graphs.items()
            for cost in _costs(scored, precision, _together(eager), _together(parts))
        ]
        allowed = tuple(
            p for p in note.disagreement
            if all(c.cost < MOST_COST for c in costs if c.precision == p)
        )  # fmt: skip
        told = tuple(_plain(c) for c in costs)
        notes = read_notes(store)
        notes[record.sha256] = replace(note, allowed=allowed, costs=told)
        write_notes(store, notes)
        result[record.name] = costs
    return result
