"""A recogniser of CT without a source, joined with the lesion streams as when reading.

Whatever is fitted is fitted without the source: the recogniser, the evidence, and the weights that
join them. The streams learned from outlines alone and have never seen a picture of any such source.
So this is what the whole way of reading CT knows of a strange hospital.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.errors import AnalysisError
from inference.models import ModelRecord, ModelStore
from inference.training import evidence
from inference.training.evaluation.figure import (
    LEFT_OUT,
    SPLITS,
    Figure,
    Job,
    Scorer,
    add_two_classes,
    split_of,
)
from inference.training.manifest import Row

__all__ = ["JOINED", "joined_figures"]

JOINED = ", joined with the lesion streams"
"""What is added to the name of a comparison."""


def joined_figures(
    rows: Sequence[Row],
    source: str,
    own: ModelStore,
    shipped: ModelStore,
    device: str = "auto",
) -> list[Figure]:
    """Score recogniser and evidence together on the source that both were fitted without.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    source
        The one that was left out.
    own
        Holds the recogniser that was trained without it.
    shipped
        Has the streams.
    device
        As `inference.device.choose`.

    Returns
    -------
    list of Figure
        Empty where the streams give no evidence, or the source has one class alone.
    """
    (recogniser,) = own.records
    try:
        streams = next(r for r in shipped.streams("default") if evidence.gives_evidence(r))
    except (AnalysisError, StopIteration):
        return []
    of_source = [
        row
        for row in evidence.labelled(rows)
        if row.source == source and split_of(recogniser, row.group) != "trained on"
    ]
    if len({row.label == "covid19" for row in of_source}) < 2:
        return []
    with tempfile.TemporaryDirectory() as folder:
        both = _together(Path(folder), (own, recogniser), (shipped, streams))
        others = [row for row in rows if row.source != source]
        fitted = evidence.fit(Job.begin(others, both, SPLITS, device, None))
        job = Job.begin(rows, both, SPLITS, device, None)
        asked = evidence.describe(job, fitted.recogniser, fitted.streams, of_source)
        logits = fitted.logits(asked)
    scorer = Scorer("", "covid-2")
    said = 1.0 / (1.0 + np.exp(-np.clip(logits, -700.0, 700.0)))
    add_two_classes(
        scorer, f"COVID-19 of {source} v not COVID-19 of {source}{JOINED}", LEFT_OUT,
        asked.groups, asked.truth, said, ("COVID-19", "not COVID-19"),
    )  # fmt: skip
    return scorer.figures


def _together(folder: Path, *parts: tuple[ModelStore, ModelRecord]) -> ModelStore:
    """A store of these models, whose default form is that of the streams among them."""
    for store, record in parts:
        shutil.copy(store.folder / record.file, folder / record.file)
    both = ModelStore(folder)
    both.write([record for _, record in parts])
    return ModelStore(folder)
