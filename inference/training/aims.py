"""What was aimed at, and what was reached: the part of the results page that no one may skip."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from inference.training import leaveout, levers
from inference.training.evaluation.figure import LEFT_OUT, POOLED, Figure
from inference.training.manifest import FOLDS

if TYPE_CHECKING:
    from inference.models import ModelStore

__all__ = ["section"]

_DICE = "Dice, mean over slices that have it"
_LUNGS_OUT = "X-ray, COVID-19 v normal (average lung region): lungs blacked out"


@dataclass(frozen=True, slots=True)
class _Aim:
    """A value that was aimed at.

    Parameters
    ----------
    words
        What of.
    target
        The value.
    task, source, metric, split
        Of the figures that say what was reached; `source` is a pattern, or several.
    model
        Whose they are; empty where whatever was tried counts.
    at_most
        The value is to be so small, not so large.
    """

    words: str
    target: float
    task: str
    source: str | tuple[str, ...]
    metric: str
    split: str = "test"
    model: str = ""
    at_most: bool = False

    def is_meant(self, figure: Figure) -> bool:
        """A figure says how far this was reached."""
        patterns = (self.source,) if isinstance(self.source, str) else self.source
        return (
            figure.task in self.task.split("|")
            and any(fnmatchcase(figure.source, pattern) for pattern in patterns)
            and (figure.metric, figure.split) == (self.metric, self.split)
            and figure.model == (self.model or figure.model)
            and math.isfinite(figure.value)
        )

    def is_reached(self, figure: Figure) -> bool:
        """The value is as good as was aimed at."""
        better = figure.value <= self.target if self.at_most else figure.value >= self.target
        return bool(better)


def _aims(store: ModelStore) -> list[_Aim]:
    xray, ct = (store.default_recognisers.get(each, "") for each in ("CXR", "CT"))
    normal, ct_test = "X-ray, children's normals (kermany)", "CT, all sources"
    return [
        *(
            _Aim(f"{levers.CLASSES[key]}, five folds: Dice", target, "segmentation", f"*, {key}",
                 _DICE, "cross-validation")
            for key, target in levers.TARGETS.items()
        ),
        _Aim("X-ray, COVID-19 v normal of a source left out: AUC", 0.80, "covid-2",
             "COVID-19 of * v normal of *", "AUC", LEFT_OUT),
        _Aim("X-ray, healthy children called COVID-19", 0.10, "covid-2", normal, "false alarms",
             model=xray, at_most=True),
        _Aim("X-ray, COVID-19 v normal, lungs blacked out: AUC", 0.65, "shortcuts", _LUNGS_OUT,
             "AUC", model=xray, at_most=True),
        _Aim("CT, COVID-19 v not, unseen groups: AUC", 0.88, "covid-2", ct_test, "AUC",
             model=f"{ct} + evidence"),
        _Aim("CT, COVID-19 v not, of a source left out: AUC", 0.75, "covid-2|evidence",
             ("COVID-19 of * v not COVID-19 of *", "CT, *"), "AUC", LEFT_OUT),
        _Aim("CT, manifestations: mean AUC", 0.85, "manifestations", "*, mean of the three", "AUC",
             POOLED, "manifestations"),
        _Aim("DICOM of head, abdomen and phantom flagged", 0.95, "domain, odd",
             "DICOM, all odd objects", "share flagged"),
        _Aim("Chest X-rays flagged", 0.05, "domain, chest", "CXR, all sources", "share flagged",
             at_most=True),
        _Aim("Chest CT pictures flagged", 0.05, "domain, chest", "CT, all sources",
             "share flagged", at_most=True),
    ]  # fmt: skip


def _left_out(source: str) -> str:
    """The source that a figure of a source left out is of."""
    found = re.match(r"(?:COVID-19 of|CT,) (\w+)", source)
    return found[1] if found else ""


def _best(aim: _Aim, figures: Iterable[Figure]) -> list[tuple[str, Figure, int]]:
    """For each source left out, or once: what it was, the best figure, and of how many."""
    groups: dict[str, list[Figure]] = {}
    for figure in filter(aim.is_meant, figures):
        source = _left_out(figure.source) if aim.split == LEFT_OUT else ""
        groups.setdefault(source, []).append(figure)
    choose = min if aim.at_most else max
    return [
        (f"{aim.words} ({source})" if source else aim.words,
         choose(group, key=lambda f: f.value), len(group))
        for source, group in groups.items()
    ]  # fmt: skip


def section(figures: Sequence[Figure], store: ModelStore) -> list[str]:
    """Lines of Markdown: each aim, the figure that came nearest, and whether it was reached.

    Parameters
    ----------
    figures
        Of `evaluation.run.evaluate`.
    store
        The models scored, with the comparisons that were entered beside them.
    """
    folded = [
        figure
        for one in levers.read(store.folder)
        if len(one.folds) == FOLDS
        for figure in one.figures
    ]
    known = [*figures, *folded, *leaveout.figures(store.folder)]
    rows = []
    for aim in _aims(store):
        sign = "≤" if aim.at_most else "≥"
        for words, best, count in _best(aim, known):
            limits = f"{best.low:.3f} to {best.high:.3f}" if math.isfinite(best.low) else "none"
            verdict = "reached" if aim.is_reached(best) else "**not reached**"
            cells = (words, f"{sign} {aim.target:.2f}", verdict, f"{best.value:.3f}", limits,
                     f"{best.n} ({best.groups})", str(count))  # fmt: skip
            rows.append("| " + " | ".join(cells) + " |")
    if not rows:
        return []
    return [
        "## What was aimed at", "",
        "Where several ways were tried (last column) the best of them stands here, which is kind; "
        "each by itself stands below. A value whose interval reaches across the aim is not sure to "
        "be on its right side.", "",
        "| what | aim | verdict | value | 95 % interval | n (groups) | ways tried |",
        "|---|---|---|---|---|---|---|", *rows, "",
    ]  # fmt: skip
