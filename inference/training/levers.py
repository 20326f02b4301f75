"""What each lever gave under cross-validation, kept beside the models that were chosen by it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from inference.training.evaluation.figure import Figure

__all__ = ["FILE", "Lever", "enter", "read", "section"]

FILE = "crossvalidation.json"

_KEPT = ("mean over slices that have it", "mean over all slices (both empty = 1)", "pooled pixels")
_MAIN, _, _POOLED = _KEPT
_CLASSES = {
    "infection": "infection",
    "ggo": "ground glass",
    "consolidation": "consolidation",
    "effusion": "pleural effusion",
}


@dataclass(frozen=True, slots=True)
class Lever:
    """One cross-validation.

    Parameters
    ----------
    title
        What was tried, in words.
    recipes
        Names and steps.
    start
        The weights that training started from.
    folds
        Those held out.
    device, seconds
        Where the trainings ran, and how long all of them took.
    figures
        Of `crossvalidate.cross_validate`.
    """

    title: str
    recipes: str
    start: str
    folds: tuple[int, ...]
    device: str
    seconds: float
    figures: tuple[Figure, ...]


def read(folder: Path) -> tuple[Lever, ...]:
    """The cross-validations entered in a model store, in the order in which they were entered."""
    path = folder / FILE
    if not path.is_file():
        return ()
    levers = json.loads(path.read_text(encoding="utf-8"))
    return tuple(
        Lever(
            **{
                **lever,
                "folds": tuple(lever["folds"]),
                "figures": tuple(_figure(figure) for figure in lever["figures"]),
            }
        )
        for lever in levers
    )


def _figure(values: dict[str, Any]) -> Figure:
    return Figure(**{k: math.nan if v is None else v for k, v in values.items()})


def _plain(figure: Figure) -> dict[str, Any]:
    """For JSON: NaN becomes None, and digits that mean nothing go."""
    return {
        k: (round(v, 5) if math.isfinite(v) else None) if isinstance(v, float) else v
        for k, v in asdict(figure).items()
    }


def enter(lever: Lever, folder: Path) -> None:
    """Add a cross-validation to a model store; one of the same title is replaced where it stands.

    Only figures that `section` can show are kept.
    """
    kept = tuple(f for f in lever.figures if f.metric.partition(", ")[2] in _KEPT)
    one = replace(lever, figures=kept)
    levers = list(read(folder))
    places = [i for i, other in enumerate(levers) if other.title == lever.title]
    if places:
        levers[places[0]] = one
    else:
        levers.append(one)
    content = [{**asdict(x), "figures": [_plain(f) for f in x.figures]} for x in levers]
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8")


def section(levers: Sequence[Lever]) -> list[str]:
    """Lines of Markdown: how each was trained, Dice side by side, and all metrics."""
    if not levers:
        return []
    lines = [
        "## Levers: segmentation under grouped cross-validation", "",
        "Five folds of whole groups; each fold's slices are scored by networks that were trained "
        "on the other four. Made by `secondread crossvalidate` with `--enter`, which trains every "
        "network anew and takes hours, so `evaluate` only shows what that command entered. "
        "“Mirror averaged” is the mean over a slice and its mirror picture; “thresholds of the "
        "other folds” cuts each stream where the held-out slices of the other folds are best "
        "served. Pre-training sees no annotated slice, of any fold.", "",
        "| what | recipe | starts from | folds held out | trained on | took |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for lever in levers:
        folds = ", ".join(map(str, lever.folds))
        took = f"{lever.seconds / 60:.0f} min"
        cells = (lever.title, lever.recipes, lever.start, folds, lever.device, took)
        lines.append("| " + " | ".join(cells) + " |")
    for kind, words in ((_MAIN, f"Dice, {_MAIN}"), (_POOLED, f"Dice, {_POOLED}")):
        lines += ["", f"**{words}**, with 95 % intervals over groups and n (groups).", ""]
        lines += _dice(levers, f"Dice, {kind}")
    lines += ["", "**All metrics**", ""]
    return [*lines, *_all(levers), ""]


def _rows(lever: Lever) -> Iterable[str]:
    return dict.fromkeys(f.model for f in lever.figures)


def _class_of(figure: Figure) -> str:
    return figure.source.rpartition(", ")[2]


def _words(figure: Figure | None, *, count: bool = True) -> str:
    if figure is None or not math.isfinite(figure.value):
        return ""
    known = math.isfinite(figure.low) and math.isfinite(figure.high)
    limits = f" ({figure.low:.3f} to {figure.high:.3f})" if known else ""
    return f"{figure.value:.3f}{limits}" + (f"; {figure.n} ({figure.groups})" if count else "")


def _dice(levers: Sequence[Lever], metric: str) -> list[str]:
    lines = ["| what | read as | " + " | ".join(_CLASSES.values()) + " |", "|---" * 6 + "|"]
    for lever in levers:
        for model in _rows(lever):
            found = {
                _class_of(f): f for f in lever.figures if f.model == model and f.metric == metric
            }
            cells = [_words(found.get(key)) for key in _CLASSES]
            lines.append("| " + " | ".join([lever.title, model, *cells]) + " |")
    return lines


def _all(levers: Sequence[Lever]) -> list[str]:
    figures = [f for lever in levers for f in lever.figures]
    metrics = list(dict.fromkeys(f.metric.partition(", ")[0] for f in figures))
    head = ("what", "read as", "class", "averaged", "n (groups)", *metrics)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for lever in levers:
        rows: dict[tuple[str, ...], dict[str, str]] = {}
        for f in lever.figures:
            if _class_of(f) in _CLASSES:
                metric, _, kind = f.metric.partition(", ")
                key = (f.model, _CLASSES[_class_of(f)], kind, f"{f.n} ({f.groups})")
                rows.setdefault(key, {})[metric] = _words(f, count=False)
        for key, cells in rows.items():
            values = [cells.get(metric, "") for metric in metrics]
            lines.append("| " + " | ".join([lever.title, *key, *values]) + " |")
    return lines
