"""From a store of models to evidence that is entered in it."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from inference import device as devices
from inference.errors import BadInputError
from inference.models import DESCRIPTION, ModelRecord, ModelStore, Split
from inference.networks.evidence import AREAS, LESIONS
from inference.training.evaluation.figure import Job, split_of
from inference.training.evidence.described import (
    Described,
    both_classes,
    describe,
    labelled,
    models,
)
from inference.training.evidence.join import Join, fit_join
from inference.training.evidence.regression import (
    PARTS,
    STRENGTHS,
    Choice,
    Regression,
    choose,
    columns,
    extents_of,
    fit_extent,
    fit_regression,
)

__all__ = ["NAME", "Fitted", "fit", "install"]

NAME = "evidence"

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """The evidence, and what it was chosen by.

    Parameters
    ----------
    regression, extent, join
        What is entered; the join has the weights of the recogniser, the regression, the extent.
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
    extent: Join
    join: Join
    choice: Choice
    tried: tuple[Choice, ...]
    recogniser: ModelRecord
    streams: ModelRecord
    known: Described
    n: int
    groups: int
    seconds: float

    def logits(self, asked: Described) -> Values:
        """Joined logits (n,) of pictures."""
        own = self.regression.logits(asked.numbers), self.extent.logits(extents_of(asked.numbers))
        return self.join.logits(np.stack([asked.margin, *own], axis=1))


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
    extent = fit_extent(known)
    own = regression.logits(asked.numbers), extent.logits(extents_of(asked.numbers))
    join = fit_join(np.stack([asked.margin, *own], axis=1), asked.truth, asked.groups)
    return Fitted(
        regression,
        extent,
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
    regression, extent, join = fitted.regression, fitted.extent, fitted.join
    tensors = {
        "mean": regression.mean,
        "scale": regression.scale,
        "weights": regression.weights,
        "bias": np.array([regression.bias]),
        "extent_weights": np.array(extent.weights),
        "extent_bias": np.array([extent.bias]),
        "join": np.array(join.weights),
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
        f"({fitted.choice.parts}) and on how much is marked, joined with {fitted.recogniser.name}",
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
        description=DESCRIPTION,
    )
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / f"{NAME}.safetensors"
        save_file({k: torch.from_numpy(v).float() for k, v in tensors.items()}, weights)
        return store.install(weights, record)
