"""Fitting the evidence: a logistic regression on what lesion streams see, joined with a recogniser.

The regression is fitted on the groups that the recogniser was trained on. What it may use of a
description, and how strongly it is held back, is chosen by two areas under the ROC curve that count
alike: on validation groups, and on a source that it was not fitted to. The first alone would choose
whatever tells the pictures of one source apart. The two weights that join its logit with the
recogniser's are fitted on validation groups alone, since the recogniser knows the others by heart.
Test groups are not touched. Nothing is random: the same data and weights give the same numbers.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from inference import device as devices
from inference.errors import AnalysisError, BadInputError
from inference.models import ModelRecord, ModelStore, Split
from inference.networks.evidence import AREAS, EVIDENCE, LESIONS
from inference.preprocess import prepare
from inference.training.datasets import recognition_targets
from inference.training.evaluation.figure import Job, outputs, split_of
from inference.training.manifest import Row
from inference.training.metrics import area_under_roc
from inference.training.pictures import read_grey
from inference.training.reliability import group_weights, log_loss

__all__ = [
    "NAME",
    "PARTS",
    "STRENGTHS",
    "Choice",
    "Described",
    "Fitted",
    "Join",
    "Regression",
    "both_classes",
    "choose",
    "describe",
    "fit",
    "fit_join",
    "fit_regression",
    "held_out_joins",
    "install",
    "labelled",
    "left_out",
    "models",
]

NAME = "evidence"
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
"""Inverse strengths of the penalty that are tried, scikit-learn's ``C``."""
PARTS = ("areas", "areas, lesions", "areas, lesions, whole picture")
"""Parts of a description that are tried, in its order."""
LEAST_GROUPS = 20
"""A source with fewer groups is not left out: its figure would say nothing."""
FOLDS = 5
SEED = 7
_LEAST_SCALE = 1e-6
_STEPS = 5000

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Described:
    """What is known of pictures before anything is fitted.

    Parameters
    ----------
    rows
        The pictures, length n.
    numbers
        Shape (n, k), the streams' output `EVIDENCE`, float32.
    recogniser
        Shape (n, 2), the recogniser's logits of ``covid-2``, float32.
    truth
        Length n, bool: COVID-19.
    """

    rows: tuple[Row, ...]
    numbers: NDArray[np.float32]
    recogniser: NDArray[np.float32]
    truth: NDArray[np.bool_]

    @property
    def groups(self) -> NDArray[np.str_]:
        """Group of each picture."""
        return np.array([r.group for r in self.rows])

    @property
    def sources(self) -> NDArray[np.str_]:
        """Source of each picture."""
        return np.array([r.source for r in self.rows])

    @property
    def margin(self) -> Values:
        """The recogniser's logit for COVID-19, length n."""
        return (self.recogniser[:, 0] - self.recogniser[:, 1]).astype(np.float64)

    def with_(self, others: Described) -> Described:
        """These pictures and others."""
        return Described(
            self.rows + others.rows,
            np.concatenate([self.numbers, others.numbers]),
            np.concatenate([self.recogniser, others.recogniser]),
            np.concatenate([self.truth, others.truth]),
        )

    def at(self, index: NDArray[np.intp]) -> Described:
        """The pictures with these numbers."""
        return Described(
            tuple(self.rows[i] for i in index),
            self.numbers[index],
            self.recogniser[index],
            self.truth[index],
        )


@dataclass(frozen=True, eq=False, slots=True)
class Regression:
    """Logistic regression on standardised numbers.

    Parameters
    ----------
    mean, scale, weights
        Length k.
    bias
        Of the logit.
    """

    mean: Values
    scale: Values
    weights: Values
    bias: float

    def logits(self, numbers: NDArray[np.float32]) -> Values:
        """Logits (n,) for COVID-19 of descriptions (n, k)."""
        return ((numbers - self.mean) / self.scale) @ self.weights + self.bias


@dataclass(frozen=True, slots=True)
class Join:
    """Weights of the recogniser's logit and of the evidence's, and what is added; not negative."""

    recogniser: float
    evidence: float
    bias: float

    def logits(self, margin: Values, evidence: Values) -> Values:
        """Joined logits (n,)."""
        return self.recogniser * margin + self.evidence * evidence + self.bias


@dataclass(frozen=True, slots=True)
class Choice:
    """Settings of a regression, and how well it does with them.

    Parameters
    ----------
    parts
        Of `PARTS`.
    strength
        Of `STRENGTHS`.
    held_out
        AUC on groups that it was not fitted to.
    elsewhere
        Mean AUC on sources that it was not fitted to; None where no source could be left out.
    """

    parts: str
    strength: float
    held_out: float
    elsewhere: float | None

    @property
    def worth(self) -> float:
        """What is compared; both count alike."""
        return self.held_out if self.elsewhere is None else (self.held_out + self.elsewhere) / 2


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """The evidence, and what it was chosen by.

    Parameters
    ----------
    regression, join
        What is entered.
    choice
        Which of those tried.
    tried
        All, in order.
    recogniser, streams
        The models that it was fitted to.
    known
        The pictures of the regression.
    n, groups
        Pictures and groups of validation, to which the join was fitted.
    seconds
        Spent.
    """

    regression: Regression
    join: Join
    choice: Choice
    tried: tuple[Choice, ...]
    recogniser: ModelRecord
    streams: ModelRecord
    known: Described
    n: int
    groups: int
    seconds: float


def models(store: ModelStore) -> tuple[ModelRecord, ModelRecord]:
    """The recogniser of CT, and the default streams if these give evidence.

    Raises
    ------
    BadInputError
        When one is missing, or the default form is not one network for all lesions.
    """
    try:
        recogniser, streams = store.recogniser(ct=True), store.streams("default")
    except AnalysisError as error:
        raise BadInputError(f"Evidence needs a recogniser and streams: {error}") from error
    if len(streams) != 1 or set(LESIONS) - set(streams[0].streams):
        raise BadInputError(
            "Evidence is given by streams that share one encoder, and the default form is "
            f"{store.default_streams}; make the shared form the default."
        )
    return recogniser, streams[0]


def labelled(rows: Sequence[Row]) -> list[Row]:
    """CT pictures of which it is known whether they are of COVID-19."""
    return [
        r for r in rows
        if r.role == "image" and r.task == "ct_classification"
        and recognition_targets(r) is not None
    ]  # fmt: skip


def describe(
    job: Job,
    recogniser: ModelRecord,
    streams: ModelRecord,
    rows: Sequence[Row],
    pictures: Sequence[NDArray[np.uint8]] | None = None,
) -> Described:
    """Run both networks over pictures.

    Parameters
    ----------
    job, recogniser, streams
        Whose engine, which networks.
    rows
        Of `labelled`, at least one.
    pictures
        Each (rows, columns), uint8, in the place of the rows' own.
    """
    shown = pictures if pictures is not None else [read_grey(r.path) for r in rows]

    def said(record: ModelRecord, name: str) -> NDArray[np.float32]:
        prepared = np.stack([prepare(picture, record.size) for picture in shown])
        return outputs(job, record, prepared, frozenset({name}))[name]

    targets = [recognition_targets(r) for r in rows]
    return Described(
        tuple(rows),
        said(streams, EVIDENCE),
        said(recogniser, "covid-2"),
        np.array([t is not None and t["covid-2"][0] > 0.5 for t in targets]),
    )


def columns(parts: str, length: int) -> NDArray[np.intp]:
    """Which numbers of a description of this length belong to parts of `PARTS`."""
    areas = len(AREAS) * len(LESIONS)
    deep = (length - areas) // 2
    return np.arange(areas + deep * PARTS.index(parts))


def fit_regression(known: Described, parts: str, strength: float) -> Regression:
    """Fit a regression to pictures, both classes weighing alike.

    Parameters
    ----------
    known
        With both classes.
    parts
        Of `PARTS`; the weights of all other numbers are zero.
    strength
        Of `STRENGTHS`.
    """
    used = columns(parts, known.numbers.shape[1])
    numbers = known.numbers.astype(np.float64)
    mean, scale = numbers.mean(axis=0), numbers.std(axis=0)
    scale = np.where(scale > _LEAST_SCALE, scale, 1.0)
    model = LogisticRegression(C=strength, max_iter=_STEPS, class_weight="balanced")
    model.fit(((numbers - mean) / scale)[:, used], known.truth)
    weights = np.zeros(numbers.shape[1])
    weights[used] = model.coef_[0]
    return Regression(mean, scale, weights, float(model.intercept_[0]))


def _area(known: Described, asked: Described, parts: str, strength: float) -> float:
    said = fit_regression(known, parts, strength).logits(asked.numbers)
    return area_under_roc(asked.truth, said)


def both_classes(*parts: Described) -> bool:
    """Whether all of these have both classes."""
    return all(0 < part.truth.sum() < len(part.truth) for part in parts)


def left_out(known: Described, unseen: Described) -> list[tuple[str, Described, Described]]:
    """For each source that is large enough its name, the pictures of others, and its own.

    Parameters
    ----------
    known
        What may be fitted to, of all sources.
    unseen
        What may be asked about, of all sources.
    """
    others, own = known.sources, unseen.sources
    found = []
    for source in sorted(set(own.tolist())):
        pair = known.at(np.flatnonzero(others != source)), unseen.at(np.flatnonzero(own == source))
        if len(set(pair[1].groups.tolist())) >= LEAST_GROUPS and both_classes(*pair):
            found.append((source, *pair))
    return found


def choose(known: Described, asked: Described, streams: ModelRecord) -> tuple[Choice, ...]:
    """All settings, the best of which is to be taken.

    Parameters
    ----------
    known, asked
        Pictures of training groups and of validation groups.
    streams
        Sources are left out on pictures that these do not know.
    """
    together = known.with_(asked)
    new = [split_of(streams, r.group) != "trained on" for r in together.rows]
    elsewhere = left_out(known, together.at(np.flatnonzero(new)))
    return tuple(
        Choice(
            parts,
            strength,
            _area(known, asked, parts, strength),
            float(np.mean([_area(k, a, parts, strength) for _, k, a in elsewhere]))
            if elsewhere
            else None,
        )
        for parts in PARTS
        for strength in STRENGTHS
    )


def _folds(
    truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    return list(splitter.split(truth, truth, groups))


def fit_join(
    margin: Values, evidence: Values, truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> Join:
    """Weights of two logits with the least log loss, every group counting once.

    What speaks for COVID-19 may weigh nothing, but never against it.

    Parameters
    ----------
    margin, evidence, truth, groups
        Length n, of pictures that neither logit was fitted to.
    """
    weights = group_weights(groups)
    columns = np.stack([margin, evidence, np.ones_like(margin)], axis=1)
    both = np.stack([truth, ~truth], axis=1).astype(np.float64)

    def loss(parameters: Values) -> tuple[float, Values]:
        said = 1.0 / (1.0 + np.exp(-np.clip(columns @ parameters, -700.0, 700.0)))
        slope = columns.T @ (weights * (said - both[:, 0]))
        value = log_loss(np.stack([said, 1.0 - said], axis=1), both, weights, exclusive=True)
        return value, np.asarray(slope)

    bounds = [(0.0, 20.0), (0.0, 20.0), (-20.0, 20.0)]
    found = minimize(loss, np.array([0.5, 0.5, 0.0]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Join(*(float(v) for v in found.x))


def held_out_joins(
    margin: Values, evidence: Values, truth: NDArray[np.bool_], groups: NDArray[np.str_]
) -> Values:
    """Joined logits (n,) of pictures, each by a join fitted to the groups of the other folds.

    With fewer groups than folds, or a single class, they are joined by one fit to them all.
    """
    if len(set(groups.tolist())) < 2 * FOLDS or len(set(truth.tolist())) < 2:
        return fit_join(margin, evidence, truth, groups).logits(margin, evidence)
    said = np.empty(len(margin))
    for own, held_out in _folds(truth, groups):
        join = fit_join(margin[own], evidence[own], truth[own], groups[own])
        said[held_out] = join.logits(margin[held_out], evidence[held_out])
    return said


def fit(job: Job) -> Fitted:
    """Fit regression and join to the models of a store.

    Parameters
    ----------
    job
        Rows and models; its `splits` are not looked at.

    Raises
    ------
    BadInputError
        When the store has no such models, the manifest no such pictures, or the streams know
        pictures of validation.
    """
    start = time.perf_counter()
    recogniser, streams = models(job.store)
    rows = labelled(job.rows)
    splits = np.array([split_of(recogniser, r.group) for r in rows])
    wanted = [r for r, s in zip(rows, splits, strict=True) if s != "test"]
    if not wanted:
        raise BadInputError("The manifest has no CT picture with a label to fit evidence to.")
    pictures = describe(job, recogniser, streams, wanted)
    inside = splits[splits != "test"] == "validation"
    known, asked = (pictures.at(np.flatnonzero(part)) for part in (~inside, inside))
    if {*streams.split.trained_groups} & {*asked.groups.tolist()}:
        raise BadInputError(f"{streams.name} was trained on validation groups of the recogniser.")
    if not both_classes(known, asked):
        raise BadInputError("Evidence needs both classes among training and validation groups.")
    tried = choose(known, asked, streams)
    choice = max(tried, key=lambda one: one.worth)
    regression = fit_regression(known, choice.parts, choice.strength)
    join = fit_join(
        asked.margin, regression.logits(asked.numbers), asked.truth, asked.groups
    )  # fmt: skip
    return Fitted(
        regression,
        join,
        choice,
        tried,
        recogniser,
        streams,
        known,
        len(asked.rows),
        len(set(asked.groups.tolist())),
        time.perf_counter() - start,
    )


def _settings() -> dict[str, object]:
    return {"strengths": STRENGTHS, "areas": AREAS, "streams": LESIONS, "parts": PARTS}


def install(fitted: Fitted, store: ModelStore) -> ModelRecord:
    """Enter the evidence beside the models that it was fitted to, in the place of older evidence.

    Returns
    -------
    ModelRecord
        As entered; it has no calibration until `calibrate` gives it one.
    """
    regression, join = fitted.regression, fitted.join
    tensors = {
        "mean": regression.mean,
        "scale": regression.scale,
        "weights": regression.weights,
        "bias": np.array([regression.bias]),
        "join": np.array([join.recogniser, join.evidence]),
        "join_bias": np.array([join.bias]),
    }
    settings = {"features": len(regression.weights)}
    used = len(columns(fitted.choice.parts, len(regression.weights)))
    behind = (fitted.recogniser, fitted.streams)
    counts = Counter(r.source for r in fitted.known.rows)
    sources = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
    trained = {g for r in behind for g in r.split.trained_groups}
    record = ModelRecord(
        name=NAME,
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        kind="evidence",
        architecture=f"logistic regression on {used} numbers of {fitted.streams.name} "
        f"({fitted.choice.parts}), joined with {fitted.recogniser.name}",
        network=settings,
        size=fitted.streams.size,
        file="",
        sha256="",
        bytes=0,
        recipe="secondread evidence",
        recipe_sha256=hashlib.sha256(repr(_settings()).encode()).hexdigest(),
        data=f"{len(fitted.known.rows)} pictures ({sources}); joined on {fitted.n} pictures of "
        f"{fitted.groups} validation groups",
        device=devices.describe(torch.device("cpu")),
        steps=0,
        seconds=round(fitted.seconds, 1),
        split=Split(
            train_folds=fitted.recogniser.split.train_folds,
            validation_folds=fitted.recogniser.split.validation_folds,
            trained_groups=tuple(sorted(trained | {*fitted.known.groups.tolist()})),
            validation_groups=fitted.recogniser.split.validation_groups,
        ),
        fitted_to={r.name: r.sha256 for r in behind},
    )
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / f"{NAME}.safetensors"
        save_file({k: torch.from_numpy(v).float() for k, v in tensors.items()}, weights)
        return store.install(weights, record)
