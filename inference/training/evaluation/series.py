"""Whole DICOM series of another hospital, as the reader would analyse them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.findings import Findings
from inference.training.evaluation.figure import Figure, Job, split_of
from inference.training.metrics import classification_metrics

__all__ = ["TITLES", "figures"]

TITLES = {"series": "Whole series of another hospital"}


def figures(job: Job) -> list[Figure]:
    """What an analysis says of every DICOM series, beside the label that its source gives it."""
    from inference.studies import load, main_series, scan
    from inference.systems.base import Context
    from inference.systems.elbana import ElBana

    if not all(job.of_kind(kind) for kind in ("recognition", "manifestations", "streams")):
        return []
    folders: dict[str, dict[Path, str]] = {}
    sources: dict[str, str] = {}
    for row in job.rows:
        if row.task == "dicom_ct_series" and row.role == "dicom":
            folders.setdefault(row.group, {})[row.path] = row.label
            sources[row.group] = row.source
    system = ElBana(job.store, precision="float32")
    found: list[Figure] = []
    nan = float("nan")
    for group, labels in sorted(folders.items()):
        folder = next(iter(labels)).parent
        job.progress.report(f"Analysing {folder.name}", 0, 1)
        volume = load(main_series(scan(folder))[1])
        findings = system.analyse(volume, Context(progress=job.progress, device=job.device))
        source = f"{sources[group]}, {folder.name} ({next(iter(labels.values())).split(';')[0]})"
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
        found += [
            Figure("series", model, source, split_of(job.store.find(model), group),
                   metric, value, nan, nan, count, 1)
            for model, metric, value in values
        ]  # fmt: skip
    return found


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
