"""Score models on pictures they have not seen, and say which those are.

A row whose ``split_group`` a model was trained on is never scored as if unseen: it is left out, or
(``everything=True``) scored apart under the split ``"trained on"``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from inference.errors import BadInputError
from inference.findings import Findings, Manifestation
from inference.models import ModelRecord, ModelStore
from inference.preprocess import prepare, restore
from inference.progress import Progress
from inference.systems.elbana import stream_probabilities
from inference.training.datasets import TASKS, recognition_targets
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row
from inference.training.metrics import (
    bootstrap,
    classification_metrics,
    dice,
    multiclass_metrics,
)
from inference.training.pictures import read_grey

__all__ = ["EVALUATION_TASKS", "Figure", "evaluate"]

EVALUATION_TASKS = ("recognition", "manifestations", "segmentation", "lungs", "series")

SPLITS = ("test", "validation", "trained on")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Parameters
    ----------
    task, model, source, metric
        What was measured, of which model, on which source; `split` says how far the model knows
        the pictures.
    value, low, high
        With its 95 % interval, bootstrapped over groups; NaN limits when there is one group.
    n, groups
        Pictures and groups it was measured on.
    """

    task: str
    model: str
    source: str
    split: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    groups: int


def _split_of(record: ModelRecord, group: str) -> str:
    if group in record.split.trained_groups:
        return "trained on"
    return "validation" if group in record.split.validation_groups else "test"


class _Scorer:
    """Turns per-picture results into figures, split by split."""

    def __init__(self, record_name: str, task: str) -> None:
        self.record_name = record_name
        self.task = task
        self.figures: list[Figure] = []

    def add(
        self,
        source: str,
        split: str,
        groups: Sequence[str],
        statistic: Callable[[NDArray[np.intp]], dict[str, float]],
    ) -> None:
        for metric, interval in bootstrap(statistic, groups).items():
            self.figures.append(
                Figure(
                    self.task,
                    self.record_name,
                    source,
                    split,
                    metric,
                    interval.value,
                    interval.low,
                    interval.high,
                    len(groups),
                    len(set(groups)),
                )
            )


def _logits(
    engine: Engine, record: ModelRecord, rows: Sequence[Row], progress: Progress
) -> dict[str, NDArray[np.float32]]:
    pictures = np.stack([prepare(read_grey(r.path), record.size) for r in rows])
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for _, output in engine.run(record, pictures, f"Scoring {record.name}", progress, 16, []):
        for name, values in output.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    values = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)


def _recognition(
    engine: Engine, record: ModelRecord, rows: Sequence[Row], splits: set[str], progress: Progress
) -> list[Figure]:
    four_classes = "cxr-4" in record.network["heads"]
    tasks = {"ct_classification"} | ({"cxr_classification"} if four_classes else set())
    chosen, targets = [], []
    for row in rows:
        if row.role == "image" and row.task in tasks:
            target = recognition_targets(row)
            if target is not None and _split_of(record, row.group) in splits:
                chosen.append(row)
                targets.append(target)
    if not chosen:
        return []
    logits = _logits(engine, record, chosen, progress)
    two = _softmax(logits["covid-2"])[:, 0]
    four = _softmax(logits["cxr-4"]) if four_classes else np.empty((len(chosen), 0))
    truth_two = np.array([t["covid-2"][0] > 0.5 for t in targets])
    truth_four = np.array([
        -1 if np.isnan(t["cxr-4"]).any() else int(t["cxr-4"].argmax()) for t in targets
    ])  # fmt: skip
    modality = np.array([r.modality for r in chosen])
    labels = np.array([r.label for r in chosen])
    split = np.array([_split_of(record, r.group) for r in chosen])
    source = np.array([r.source for r in chosen])
    groups = np.array([r.group for r in chosen])
    covid = _Scorer(record.name, "covid-2")
    kinds = _Scorer(record.name, "cxr-4")
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
                _add_two(covid, name, which, groups[index], truth_two[index], two[index])
        index = np.flatnonzero((truth_four >= 0) & (split == which))
        if four_classes and len(index):
            _add_four(kinds, which, groups[index], truth_four[index], four[index])
        children = np.flatnonzero((source == "kermany") & (labels == "normal") & (split == which))
        if len(children):
            _add_false_alarms(covid, which, groups[children], two[children])
    return covid.figures + kinds.figures


def _add_two(
    scorer: _Scorer,
    source: str,
    split: str,
    groups: NDArray[np.str_],
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
) -> None:
    scorer.add(
        source, split, groups.tolist(), lambda i: classification_metrics(truth[i], probability[i])
    )


def _add_four(
    scorer: _Scorer,
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
    scorer: _Scorer, split: str, groups: NDArray[np.str_], probability: NDArray[np.float64]
) -> None:
    scorer.add(
        "X-ray, children's normals (kermany)",
        split,
        groups.tolist(),
        lambda i: {"false alarms": float((probability[i] > 0.5).mean())},
    )


def _lesion_rows(
    rows: Sequence[Row], record: ModelRecord, splits: set[str]
) -> list[tuple[Row, Path]]:
    masks = {r.image: r.path for r in rows if r.role == "mask" and r.task == "ct_segmentation"}
    return [
        (r, masks[r.path])
        for r in rows
        if r.role == "image" and r.task == "ct_segmentation" and r.path in masks
        and _split_of(record, r.group) in splits
    ]  # fmt: skip


def _manifestations(
    engine: Engine, record: ModelRecord, rows: Sequence[Row], splits: set[str], progress: Progress
) -> list[Figure]:
    pairs = _lesion_rows(rows, record, splits)
    masks = [read_grey(path) for _, path in pairs]
    known = [i for i, mask in enumerate(masks) if not (mask == IGNORE).any()]
    if not known:
        return []
    chosen = [pairs[i][0] for i in known]
    truth = np.array([[(masks[i] == c).any() for c in CODES.values()] for i in known])
    logits = _logits(engine, record, chosen, progress)[""].astype(np.float64)
    probability = 1.0 / (1.0 + np.exp(-logits))
    split = np.array([_split_of(record, r.group) for r in chosen])
    groups = np.array([r.group for r in chosen])
    scorer = _Scorer(record.name, "manifestations")
    for which in sorted(set(split.tolist()), key=SPLITS.index):
        index = np.flatnonzero(split == which)
        for column, key in enumerate(TASKS["manifestations"]):
            name = f"medseg100, {Manifestation(key).short}"
            _add_two(
                scorer, name, which, groups[index], truth[index, column], probability[index, column]
            )
    return scorer.figures


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
            "Dice, mean over slices that have it": _mean(each[shown]),
            "sensitivity, mean over slices that have it": _mean(sensitivity[shown]),
            "Dice, mean over all slices (both empty = 1)": _mean(each[indices]),
            "Dice, pooled pixels": dice(*total) if total[2] > 0 else float("nan"),
            "IoU, pooled pixels": _iou(*total) if total[2] > 0 else float("nan"),
        }

    return statistic


def _iou(overlap: float, predicted: float, true: float) -> float:
    return overlap / (predicted + true - overlap)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _segmentation(
    engine: Engine,
    form: str,
    records: Sequence[ModelRecord],
    rows: Sequence[Row],
    splits: set[str],
    progress: Progress,
) -> list[Figure]:
    first = records[0]
    pairs = _lesion_rows(rows, first, splits)
    if not pairs:
        return []
    names = [key.value for key in Manifestation] + ["infection"]
    counts: dict[str, list[_Counts]] = {name: [] for name in names}
    maps: dict[Manifestation, NDArray[np.float32]] = {}
    seconds = 0.0
    for record in records:
        start = time.perf_counter()
        logits = _logits(engine, record, [row for row, _ in pairs], progress)
        seconds += time.perf_counter() - start
        maps.update(stream_probabilities(logits))
    for index, (_, path) in enumerate(pairs):
        mask = read_grey(path)
        known = mask != IGNORE
        stacked = restore(np.stack([maps[k][index] for k in Manifestation]), mask.shape)
        called = stacked > 0.5
        for channel, key in enumerate(Manifestation):
            counts[key.value].append(_count(called[channel], mask == CODES[key.value], known))
        any_class = np.logical_or.reduce(called)
        counts["infection"].append(_count(any_class, (mask > 0) & known, known))
    split = np.array([_split_of(first, row.group) for row, _ in pairs])
    groups = np.array([row.group for row, _ in pairs])
    scorer = _Scorer(f"streams ({form})", "segmentation")
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


def _lungs(rows: Sequence[Row]) -> list[Figure]:
    from inference.lungs import find_lungs
    from inference.studies import load, main_series, scan

    masks = {r.image: r for r in rows if r.role == "mask" and r.task == "ct_lung_segmentation"}
    values, groups = [], []
    for row in rows:
        if row.task != "ct_lung_segmentation" or row.role != "volume" or row.path not in masks:
            continue
        volume = load(main_series(scan(row.path))[1])
        truth = load(main_series(scan(masks[row.path].path))[1]).array.astype(bool)
        found = find_lungs(volume).mask
        values.append(dice(float((found & truth).sum()), float(found.sum()), float(truth.sum())))
        groups.append(row.group)
    if not values:
        return []
    scorer = _Scorer("threshold and components (not trained)", "lungs")
    scores = np.array(values)
    scorer.add("imlab3d", "test", groups, lambda i: {"Dice, mean over volumes": _mean(scores[i])})
    return scorer.figures


def _series(
    store: ModelStore, rows: Sequence[Row], device: str, progress: Progress
) -> list[Figure]:
    """Whole DICOM series of another hospital, as the reader would analyse them."""
    from inference.studies import load, main_series, scan
    from inference.systems.base import Context
    from inference.systems.elbana import ElBana

    folders: dict[str, dict[Path, str]] = {}
    for row in rows:
        if row.task == "dicom_ct_series" and row.role == "dicom":
            folders.setdefault(row.group, {})[row.path] = row.label
    system = ElBana(store, precision="float32")
    figures: list[Figure] = []
    nan = float("nan")
    for group, labels in sorted(folders.items()):
        folder = next(iter(labels)).parent
        progress.report(f"Analysing {folder.name}", 0, 1)
        volume = load(main_series(scan(folder))[1])
        findings = system.analyse(volume, Context(progress=progress, device=device))
        source = f"covid_ct_md, {folder.name} ({next(iter(labels.values())).split(';')[0]})"
        values = [
            (e.model, f"probability of {c}", float(p))
            for e in findings.estimates for c, p in zip(e.classes, e.study, strict=True)
            if c != "not COVID-19"
        ] + [
            (s.model, f"{s.key.short}, % of lung", s.percent_of_lung)
            for s in findings.segments if s.percent_of_lung is not None
        ]  # fmt: skip
        values += _slice_agreement(findings, [labels[s.path] for s in volume.slices])
        count = int(findings.analysed.sum())
        figures += [
            Figure("series", model, source, _split_of(store.find(model), group),
                   metric, value, nan, nan, count, 1)
            for model, metric, value in values
        ]  # fmt: skip
    return figures


def _slice_agreement(findings: Findings, labels: Sequence[str]) -> list[tuple[str, str, float]]:
    """AUC of ML-CNN and of the streams' area against the source's slice labels.

    Whether these run with or against the slice location is not known; both are scored.
    """
    estimate = findings.estimate("manifestations")
    if estimate is None:
        return []
    area = np.sum([s.pixels_per_slice for s in findings.segments], axis=0).astype(np.float64)
    lesion = np.nanmax(np.nan_to_num(estimate.per_slice[:, :2], nan=-1.0), axis=1)
    streams = findings.segments[0].model
    result = []
    for direction in ("asc", "desc"):
        name = f"slice_label_{direction}="
        if not all(name in label for label in labels):
            continue
        truth = np.array([label.split(name)[1][0] == "1" for label in labels])[findings.analysed]
        for model, scores in ((estimate.model, lesion), (streams, area)):
            value = classification_metrics(truth, scores[findings.analysed])["AUC"]
            if np.isfinite(value):
                what = "probability" if model == estimate.model else "area"
                metric = f"AUC of lesion {what}, infected slices v not ({direction} labels)"
                result.append((model, metric, value))
    return result


def evaluate(
    rows: Sequence[Row],
    store: ModelStore,
    *,
    tasks: Iterable[str] = EVALUATION_TASKS,
    everything: bool = False,
    device: str = "auto",
    progress: Progress | None = None,
) -> list[Figure]:
    """Score the models of a store on a manifest.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    store
        The models.
    tasks
        Of `EVALUATION_TASKS`.
    everything
        Score trained-on rows too, apart.
    device
        As `inference.device.choose`; arithmetic is float32, so that figures repeat.
    progress
        Told as it goes.

    Raises
    ------
    BadInputError
        For an unknown task, or when nothing can be scored.
    """
    wanted = tuple(tasks)
    unknown = set(wanted) - set(EVALUATION_TASKS)
    if unknown:
        raise BadInputError(
            f"Unknown task {', '.join(sorted(unknown))}; tasks are {', '.join(EVALUATION_TASKS)}."
        )
    line = progress or Progress()
    splits = set(SPLITS) if everything else set(SPLITS[:2])
    engine = Engine(store, device, precision="float32")
    figures: list[Figure] = []
    kinds = {r.kind for r in store.records}
    if "recognition" in wanted:
        for record in (r for r in store.records if r.kind == "recognition"):
            figures += _recognition(engine, record, rows, splits, line)
    if "manifestations" in wanted and "manifestations" in kinds:
        figures += _manifestations(engine, store.find("manifestations"), rows, splits, line)
    if "segmentation" in wanted and "streams" in kinds:
        for form in ("shared", "separate", "all"):
            if _has_form(store, form):
                figures += _segmentation(engine, form, store.streams(form), rows, splits, line)
    if "lungs" in wanted:
        figures += _lungs(rows)
    if "series" in wanted and {"recognition", "manifestations", "streams"} <= kinds:
        figures += _series(store, rows, device, line)
    if not figures:
        raise BadInputError(
            "Nothing could be scored: the manifest has no unseen row of these tasks "
            "(--all scores those that the models were trained on, apart)."
        )
    return figures


def _has_form(store: ModelStore, form: str) -> bool:
    from inference.errors import AnalysisError

    try:
        return bool(store.streams(form))
    except AnalysisError:
        return False
