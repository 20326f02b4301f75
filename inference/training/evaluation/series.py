"""Whole DICOM series of another hospital, as the reader would analyse them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inference.findings import Findings, Manifestation
from inference.training.evaluation.figure import SPLITS, Figure, Job, split_of
from inference.training.metrics import area_under_roc

__all__ = ["TITLES", "figures", "remark"]

TITLES = {"series": "Whole series of another hospital"}

_WAYS = ("asc", "desc")
"""Directions in which the slice labels may run: with the slice location, or against it."""


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
            # Whatever way the folder was named, a series gives its files in full.
            folders.setdefault(row.group, {})[row.path.resolve()] = row.label
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
            (name, f"probability of {c.label}", float(p))
            for e in findings.estimates
            for name, study in [(e.model, e.study), *((part.model, part.study) for part in e.parts)]
            for c, p in zip(e.classes, study, strict=True)
            if c.key != "not-covid-19"
        ] + [
            (s.model, f"{s.key.short}, % of lung", s.percent_of_lung)
            for s in findings.segments if s.percent_of_lung is not None
        ]  # fmt: skip
        values += _slice_agreement(findings, [labels[s.path.resolve()] for s in volume.slices])
        count = int(findings.analysed.sum())
        found += [
            Figure("series", model, source, _split_of(job, model, group),
                   metric, value, nan, nan, count, 1)
            for model, metric, value in values
        ]  # fmt: skip
    return found


def _split_of(job: Job, models: str, group: str) -> str:
    """How far the models know a group; of joined ones, that which knows it best."""
    splits = {split_of(job.store.find(name), group) for name in models.split(" + ")}
    return max(splits, key=SPLITS.index)


def _slice_agreement(findings: Findings, labels: Sequence[str]) -> list[tuple[str, str, float]]:
    """AUC of ML-CNN and of the streams' area against the source's slice labels.

    The labels say infected or not, without saying of which end of the series the first one is.
    Both directions are scored, and the slices for which both say the same, where it does not
    matter.
    """
    estimate = findings.estimate("manifestations")
    if estimate is None or not all(f"slice_label_{d}=" in label for d in _WAYS for label in labels):
        return []
    infection = [s for s in findings.segments if s.key is not Manifestation.EFFUSION]
    area = np.sum([s.pixels_per_slice for s in infection], axis=0).astype(np.float64)
    kinds = [estimate.keys.index(s.key.value) for s in infection]
    lesion = estimate.per_slice[:, kinds].max(axis=1).astype(np.float64)
    by_way = {
        way: np.array([label.split(f"slice_label_{way}=")[1][0] == "1" for label in labels])
        for way in _WAYS
    }
    asc, desc = by_way.values()
    result = []
    for words, truth, among in (
        *((f"{way} labels", truth, findings.analysed) for way, truth in by_way.items()),
        ("slices labelled alike both ways", asc, findings.analysed & (asc == desc)),
    ):
        for model, what, scores in (
            (estimate.model, "probability", lesion),
            (infection[0].model, "area", area),
        ):
            value = area_under_roc(truth[among], scores[among])
            if np.isfinite(value):
                metric = f"AUC of lesion {what}, infected slices v not ({words})"
                result.append((model, metric, value))
    return result


def remark(figures: Sequence[Figure]) -> str:
    """Which direction of the slice labels fits, and why that is no more than an inference.

    Parameters
    ----------
    figures
        Of `figures`.

    Returns
    -------
    str
        Sentences for the results page; empty where there is nothing to compare.
    """
    areas: dict[str, list[float]] = {}
    for way in _WAYS:
        areas[way] = [
            f.value for f in figures
            if f.task == "series" and f.metric.endswith(f"({way} labels)")
            and f.split in SPLITS[:2]
        ]  # fmt: skip
    pairs = list(zip(*areas.values(), strict=True))
    if not pairs:
        return ""
    means = {way: float(np.mean(values)) for way, values in areas.items()}
    best = max(_WAYS, key=lambda way: means[way])
    other = next(way for way in _WAYS if way != best)
    better = sum(one > two for one, two in zip(areas[best], areas[other], strict=True))
    return (
        f"The **{best}** labels fit better: in {better} of {len(pairs)} comparisons, with a mean "
        f"AUC of {means[best]:.3f} against {means[other]:.3f}. That is an inference, since it is "
        "drawn from the agreement with the very models that are to be judged: if they "
        f"were wrong in the same way, it would be wrong with them. So the AUC of the {best} labels "
        "is no proof of the models; that of the slices labelled alike both ways does not depend "
        "on it, but leaves out the slices between, which are the hard ones."
    )
