"""Pictures as the streams and the recogniser describe them, before anything is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.errors import AnalysisError, BadInputError
from inference.models import ModelRecord, ModelStore
from inference.networks.evidence import EVIDENCE, LESIONS
from inference.training.datasets import classified, recognition_targets
from inference.training.evaluation.figure import Job, outputs, prepared
from inference.training.manifest import Row
from inference.training.pictures import read_grey

__all__ = [
    "Described",
    "both_classes",
    "describe",
    "gives_evidence",
    "labelled",
    "left_out",
    "models",
]

LEAST_GROUPS = 20
"""A source with fewer groups is not left out: its figure would say nothing."""

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


def gives_evidence(streams: ModelRecord) -> bool:
    """Whether streams describe pictures: one encoder that marks all lesions does."""
    return streams.form == "shared" and not set(LESIONS) - set(streams.streams)


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
    if not gives_evidence(streams[0]):
        raise BadInputError(
            "Evidence is given by streams that share one encoder, and the default form is "
            f"{store.default_streams}; make the shared or the mixed form the default."
        )
    return recogniser, streams[0]


def labelled(rows: Sequence[Row]) -> list[Row]:
    """CT pictures of which it is known whether they are of COVID-19."""
    return classified(rows, ("CT",))


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
        pictures = np.stack([prepared(picture, record) for picture in shown])
        return outputs(job, record, pictures, frozenset({name}))[name]

    targets = [recognition_targets(r) for r in rows]
    return Described(
        tuple(rows),
        said(streams, EVIDENCE),
        said(recogniser, "covid-2"),
        np.array([t is not None and t["covid-2"][0] > 0.5 for t in targets]),
    )


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
