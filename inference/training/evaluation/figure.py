"""One measured value, and what every task of an evaluation shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from inference.framing import frame
from inference.models import ModelRecord, ModelStore
from inference.preprocess import prepare
from inference.progress import Progress
from inference.training.manifest import Row
from inference.training.metrics import (
    bootstrap,
    classification_metrics,
    confusion,
    roc_points,
)
from inference.training.pictures import read_grey

__all__ = [
    "CROSS_VALIDATION",
    "LEFT_OUT",
    "POOLED",
    "SPLITS",
    "Figure",
    "Job",
    "Scorer",
    "Statistic",
    "add_two_classes",
    "lesion_rows",
    "logits",
    "mean",
    "outputs",
    "prepared",
    "softmax",
    "split_of",
    "split_of_all",
]

SPLITS = ("test", "validation", "trained on")
"""How far a model knows a picture's group, best first."""

POOLED = "test and validation"
"""Both splits that were not trained on as one, where each by itself is too small for a figure;
choices were made on a part of it, so it is a little kind."""

CROSS_VALIDATION = "cross-validation"
"""The split of pictures that were each scored by the model of the fold that held them out."""

LEFT_OUT = "source left out"
"""The split of pictures whose source took no part in training."""


Statistic = Callable[[NDArray[np.intp]], dict[str, float]]
"""Values by metric, of a resample's indices."""


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


@dataclass(frozen=True, slots=True)
class Job:
    """What every task of an evaluation is given.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    engine
        Runs the models of its `store`, in float32 so that figures repeat.
    splits
        Of `SPLITS`, those to score; a task leaves out rows of any other (see `split_of`).
    device
        As `inference.device.choose`.
    progress
        Told as it goes.
    """

    rows: Sequence[Row]
    engine: Engine
    splits: frozenset[str]
    device: str
    progress: Progress

    @classmethod
    def begin(
        cls,
        rows: Sequence[Row],
        store: ModelStore,
        splits: Iterable[str],
        device: str,
        progress: Progress | None,
    ) -> Job:
        """A job whose engine computes in float32; `splits` are of `SPLITS`."""
        engine = Engine(store, device, precision="float32")
        return cls(rows, engine, frozenset(splits), device, progress or Progress())

    @property
    def store(self) -> ModelStore:
        """The models."""
        return self.engine.store

    def of_kind(self, kind: str) -> list[ModelRecord]:
        """The models of a kind: recognition, manifestations or streams."""
        return [r for r in self.store.records if r.kind == kind]


def split_of(record: ModelRecord, group: str) -> str:
    """Of `SPLITS`: how far the model knows the group."""
    if group in record.split.trained_groups:
        return "trained on"
    return "validation" if group in record.split.validation_groups else "test"


def split_of_all(records: Iterable[ModelRecord], group: str) -> str:
    """As `split_of`, of networks that speak together: that of the one which knows it best."""
    return max((split_of(record, group) for record in records), key=SPLITS.index)


class Scorer:
    """Turns per-picture results into `figures`, split by split.

    Parameters
    ----------
    record_name
        `Figure.model`.
    task
        `Figure.task`.
    """

    def __init__(self, record_name: str, task: str) -> None:
        self.record_name = record_name
        self.task = task
        self.figures: list[Figure] = []

    def add(
        self,
        source: str,
        split: str,
        groups: Sequence[str],
        statistic: Statistic,
    ) -> None:
        """Add a figure for every metric that `metrics.bootstrap` gives of a statistic.

        Parameters
        ----------
        source, split
            As in `Figure`.
        groups
            Group of each picture.
        statistic
            Values by metric, of a resample's indices into `groups`.
        """
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


def mean(values: NDArray[np.float64]) -> float:
    """Mean; NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")


def logits(job: Job, record: ModelRecord, rows: Sequence[Row]) -> dict[str, NDArray[np.float32]]:
    """What a network says of the pictures of these rows, prepared as for reading.

    Returns
    -------
    dict
        As `outputs`, in the order of the rows.
    """
    pictures = np.stack([prepared(read_grey(r.path), record) for r in rows])
    return outputs(job, record, pictures)


def prepared(picture: NDArray[np.uint8], record: ModelRecord) -> NDArray[np.uint8]:
    """A picture file's content (rows, columns) as a network is shown it when reading."""
    return prepare(picture, record.size, frame(picture, record.framing))


def outputs(
    job: Job,
    record: ModelRecord,
    pictures: NDArray[np.uint8],
    wanted: frozenset[str] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """What a network says of prepared pictures.

    Parameters
    ----------
    job, record
        Whose engine, which network.
    pictures
        Shape (n, size, size), out of `preprocess.prepare`.
    wanted
        Outputs to keep, where the others would only take memory; None: all.

    Returns
    -------
    dict
        Arrays (n, ...) of logits by output name; a network with one output calls it "".
    """
    parts: dict[str, list[NDArray[np.float32]]] = {}
    for _, output in job.engine.run(
        record, pictures, f"Scoring {record.name}", job.progress, 16, []
    ):
        for name, values in output.items():
            if wanted is None or name in wanted:
                parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities, shape (n, classes)."""
    values = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)


def add_two_classes(
    scorer: Scorer,
    source: str,
    split: str,
    groups: NDArray[np.str_],
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
    names: tuple[str, str],
) -> None:
    """Add metrics, ROC points and confusion matrix of a two-class decision at one half.

    Parameters
    ----------
    scorer, source, split
        Where they go.
    groups, truth, probability
        Length n.
    names
        Of the positive and the negative class.
    """
    called = np.asarray(probability <= 0.5, dtype=np.intp)
    code = np.asarray(~truth, dtype=np.intp)
    scorer.add(
        source,
        split,
        groups.tolist(),
        lambda i: {
            **classification_metrics(truth[i], probability[i]),
            **roc_points(truth[i], probability[i]),
            **confusion(code[i], called[i], names),
        },
    )


def lesion_rows(
    rows: Sequence[Row], records: Sequence[ModelRecord], splits: frozenset[str]
) -> list[tuple[Row, Path]]:
    """CT slices with lesion masks, and the masks' files, of these splits of models together."""
    masks = {r.image: r.path for r in rows if r.role == "mask" and r.task == "ct_segmentation"}
    return [
        (r, masks[r.path])
        for r in rows
        if r.role == "image" and r.task == "ct_segmentation" and r.path in masks
        and split_of_all(records, r.group) in splits
    ]  # fmt: skip
