"""Recognition: COVID-19 against others, and four classes on X-ray."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.models import ModelRecord
from inference.training import evidence as fitting
from inference.training.datasets import TASKS, classified, recognition_targets
from inference.training.evaluation.evidence import hear
from inference.training.evaluation.figure import (
    Figure,
    Job,
    Scorer,
    add_two_classes,
    logits,
    softmax,
    split_of,
)
from inference.training.evaluation.scores import Scores
from inference.training.metrics import confusion, multiclass_metrics

__all__ = ["TITLES", "figures", "score", "subsets", "summarise"]

TITLES = {
    "covid-2": "Recognition: COVID-19 against others",
    "cxr-4": "Recognition: four classes on X-ray",
}

CHILDREN = "X-ray, children's normals (kermany)"


def figures(job: Job) -> list[Figure]:
    """Score every recogniser of the store."""
    return [f for name, scores in score(job).items() for f in summarise(name, scores)]


def score(job: Job) -> dict[str, Scores]:
    """Probabilities by recogniser; on CT also by the evidence, alone and joined with it.

    Returns
    -------
    dict
        Scores with ``two`` (n,), the probability of COVID-19, ``covid`` (n,) bool, ``four`` (n, 4)
        probabilities, NaN of a recogniser without that head, and ``kind`` (n,), the class number,
        −1 where unknown.
    """
    found = {}
    for record in job.of_kind("recognition"):
        scores = _of_model(job, record)
        if scores is not None:
            found[record.name] = scores
    for record in job.of_kind("evidence"):
        found |= _of_evidence(job, record)
    return found


def _of_evidence(job: Job, record: ModelRecord) -> dict[str, Scores]:
    """Of the evidence by its name, and joined under the names of both."""
    rows = [r for r in fitting.labelled(job.rows) if split_of(record, r.group) in job.splits]
    heard = hear(job, record, rows)
    if heard is None:
        return {}

    def scores(logits: NDArray[np.float32]) -> Scores:
        return Scores(
            rows=tuple(rows),
            splits=np.array([split_of(record, r.group) for r in rows]),
            values={
                "two": softmax(logits)[:, 0],
                "covid": heard.described.truth,
                "four": np.full((len(rows), 4), np.nan),
                "kind": np.full(len(rows), -1, dtype=np.intp),
            },
        )

    return {record.name: scores(heard.alone), " + ".join(record.voices): scores(heard.joined)}


def _of_model(job: Job, record: ModelRecord) -> Scores | None:
    four_classes = "cxr-4" in record.network["heads"]
    known = classified(job.rows, record.knows)
    chosen = [row for row in known if split_of(record, row.group) in job.splits]
    targets = [t for row in chosen if (t := recognition_targets(row)) is not None]
    if not chosen:
        return None
    outputs = logits(job, record, chosen)
    four = softmax(outputs["cxr-4"]) if four_classes else np.full((len(chosen), 4), np.nan)
    kinds = [
        -1 if np.isnan(t["cxr-4"]).any() else int(t["cxr-4"].argmax()) for t in targets
    ]  # fmt: skip
    return Scores(
        rows=tuple(chosen),
        splits=np.array([split_of(record, r.group) for r in chosen]),
        values={
            "two": softmax(outputs["covid-2"])[:, 0],
            "covid": np.array([t["covid-2"][0] > 0.5 for t in targets]),
            "four": four,
            "kind": np.array(kinds, dtype=np.intp),
        },
    )


def subsets(scores: Scores) -> dict[str, NDArray[np.bool_]]:
    """The comparisons that are made, as masks over the pictures of some scores."""
    modality = np.array([r.modality for r in scores.rows])
    label = np.array([r.label for r in scores.rows])
    source = np.array([r.source for r in scores.rows])
    xray = modality == "CXR"
    found: dict[str, NDArray[np.bool_]] = {
        "X-ray, COVID-19 v all others": xray,
        "X-ray, COVID-19 v normal": xray & np.isin(label, ("covid19", "normal")),
        "X-ray, COVID-19 v adult normal (nih)": xray
        & ((label == "covid19") | ((label == "normal") & (source == "nih"))),
        "CT, all sources": modality == "CT",
    }
    for name in sorted(set(source[modality == "CT"].tolist())):
        found[f"CT, {name}"] = (modality == "CT") & (source == name)
    if xray.any():
        found["X-ray and CT"] = np.isin(modality, ("CXR", "CT"))
    return found


def summarise(name: str, scores: Scores) -> list[Figure]:
    """Figures of one recogniser, of every comparison in which both classes occur."""
    covid = Scorer(name, "covid-2")
    kinds = Scorer(name, "cxr-4")
    for which, part in scores.by_split():
        truth, probability = part.values["covid"], part.values["two"]
        for subset, inside in subsets(part).items():
            index = np.flatnonzero(inside)
            if 0 < truth[index].sum() < len(index):
                add_two_classes(
                    covid, subset, which, part.groups[index], truth[index], probability[index],
                    ("COVID-19", "not COVID-19"),
                )  # fmt: skip
        if np.isfinite(part.values["four"]).all():
            index = np.flatnonzero(part.values["kind"] >= 0)
            if len(index):
                _add_four(kinds, which, part.at(index))
        _add_false_alarms(covid, which, part)
    return covid.figures + kinds.figures


def _add_four(scorer: Scorer, split: str, scores: Scores) -> None:
    truth, probabilities = scores.values["kind"], scores.values["four"]
    called = np.asarray(probabilities.argmax(axis=1), dtype=np.intp)
    scorer.add(
        "X-ray, four classes",
        split,
        scores.groups.tolist(),
        lambda i: {
            **multiclass_metrics(truth[i], probabilities[i]),
            **confusion(truth[i], called[i], TASKS["cxr-4"]),
        },
    )


def _add_false_alarms(scorer: Scorer, split: str, scores: Scores) -> None:
    children = np.flatnonzero([r.source == "kermany" and r.label == "normal" for r in scores.rows])
    if not len(children):
        return
    alarm = scores.values["two"][children] > 0.5
    owners = scores.groups[children].tolist()
    scorer.add(CHILDREN, split, owners, lambda i: {"false alarms": float(alarm[i].mean())})
