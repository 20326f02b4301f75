"""What each lever gave under cross-validation, kept beside the models that were chosen by it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from inference.training import experiments
from inference.training.evaluation.figure import Figure
from inference.training.experiments import Experiment
from inference.training.manifest import FOLDS

__all__ = ["CLASSES", "FILE", "TARGETS", "enter", "figures", "read", "section"]

FILE = "crossvalidation.json"

_KEPT = ("mean over slices that have it", "mean over all slices (both empty = 1)", "pooled pixels")
TARGETS = {"infection": 0.82, "ggo": 0.74, "consolidation": 0.56, "effusion": 0.4}
"""Dice that would be of use, by class."""
MULTIMODAL = "X-ray and CT"
"""Of recognition, the comparison that is entered: that of the paper's five runs."""
_MAIN, _, _POOLED = _KEPT
CLASSES = {
    "infection": "infection",
    "ggo": "ground glass",
    "consolidation": "consolidation",
    "effusion": "pleural effusion",
}


def read(folder: Path) -> tuple[Experiment, ...]:
    """The cross-validations entered in a model store."""
    return experiments.read(folder / FILE)


def figures(folder: Path) -> list[Figure]:
    """Figures of recognition among them, for the paper's tables."""
    return [f for one in read(folder) for f in one.figures if f.task != "segmentation"]


def enter(lever: Experiment, folder: Path) -> None:
    """Add a cross-validation to a model store, as far as the results page shows it."""
    kept = tuple(
        f
        for f in lever.figures
        if f.metric.partition(", ")[2] in _KEPT
        or (f.source == MULTIMODAL and not f.metric.startswith(("ROC", "confusion")))
    )
    experiments.enter(replace(lever, figures=kept), folder / FILE)


def section(levers: Sequence[Experiment]) -> list[str]:
    """Lines of Markdown: how each was trained, Dice side by side, and all metrics."""
    levers = [one for one in levers if any(f.task == "segmentation" for f in one.figures)]
    whole = [one for one in levers if len(one.folds) == FOLDS]
    parts = [one for one in levers if len(one.folds) < FOLDS]
    if not levers:
        return []
    lines = [
        "## Levers: segmentation under grouped cross-validation", "",
        "Whole groups are dealt into five folds; each fold's slices are scored by networks that "
        "were trained on the other four. Made by `secondread crossvalidate` with `--enter`, which "
        "trains every network anew and takes hours, so `evaluate` only shows what that command "
        "entered. “Mirror averaged” is the mean over a slice and its mirror picture; “thresholds "
        "of the other folds” cuts each stream where the held-out slices of the other folds are "
        "best served; “grown from seeds” does so with two of them, of which one decides whether "
        "there is a lesion and the other how large it is. Pre-training sees no annotated slice, of "
        "any fold.", "",
    ]  # fmt: skip
    if whole:
        lines += ["**All five folds**", "", *_trainings(whole)]
        for kind, words in ((_MAIN, f"Dice, {_MAIN}"), (_POOLED, f"Dice, {_POOLED}")):
            lines += ["", f"**{words}**, with 95 % intervals over groups and n (groups).", ""]
            lines += _dice(whole, f"Dice, {kind}")
    if parts:
        lines += [
            "", "**One lever at a time, on fewer folds and at fewer steps**", "",
            "To see which way a lever moves, not how far a network gets; compare a line with the "
            "one it changes, and mind the intervals.", "", *_trainings(parts), "",
            f"**Dice, {_MAIN}**, with 95 % intervals over groups and n (groups).", "",
            *_dice(parts, f"Dice, {_MAIN}"),
        ]  # fmt: skip
    return [*lines, "", "**All metrics**", "", *_all(whole or parts), ""]


def _trainings(levers: Sequence[Experiment]) -> list[str]:
    lines = [
        "| what | recipe | starts from | folds held out | trained on | took |",
        "|---|---|---|---|---|---|",
    ]
    for lever in levers:
        folds = ", ".join(map(str, lever.folds))
        took = f"{lever.seconds / 60:.0f} min"
        cells = (lever.title, lever.recipes, lever.start, folds, lever.device, took)
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _rows(lever: Experiment) -> Iterable[str]:
    """Names of what was read; of forms that were averaged only the mean, which is what is new."""
    names = dict.fromkeys(f.model for f in lever.figures)
    return [n for n in names if " + " in n or n.startswith("streams (mixed)")] or names


def _class_of(figure: Figure) -> str:
    return figure.source.rpartition(", ")[2]


def _words(figure: Figure | None, *, count: bool = True) -> str:
    if figure is None or not math.isfinite(figure.value):
        return ""
    known = math.isfinite(figure.low) and math.isfinite(figure.high)
    limits = f" ({figure.low:.3f} to {figure.high:.3f})" if known else ""
    return f"{figure.value:.3f}{limits}" + (f"; {figure.n} ({figure.groups})" if count else "")


def _dice(levers: Sequence[Experiment], metric: str) -> list[str]:
    lines = ["| what | read as | " + " | ".join(CLASSES.values()) + " |", "|---" * 6 + "|"]
    for lever in levers:
        for model in _rows(lever):
            found = {
                _class_of(f): f for f in lever.figures if f.model == model and f.metric == metric
            }
            cells = [_words(found.get(key)) for key in CLASSES]
            lines.append("| " + " | ".join([lever.title, model, *cells]) + " |")
    return lines


def _all(levers: Sequence[Experiment]) -> list[str]:
    measured = [f for lever in levers for f in lever.figures]
    metrics = list(dict.fromkeys(f.metric.partition(", ")[0] for f in measured))
    head = ("what", "read as", "class", "averaged", "n (groups)", *metrics)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for lever in levers:
        rows: dict[tuple[str, ...], dict[str, str]] = {}
        for f in lever.figures:
            if _class_of(f) in CLASSES:
                metric, _, kind = f.metric.partition(", ")
                row = (f.model, CLASSES[_class_of(f)], kind, f"{f.n} ({f.groups})")
                rows.setdefault(row, {})[metric] = _words(f, count=False)
        shown = set(_rows(lever))
        for key, found in rows.items():
            if key[0] not in shown:
                continue
            values = [found.get(metric, "") for metric in metrics]
            lines.append("| " + " | ".join([lever.title, *key, *values]) + " |")
    return lines
