"""The results page in Markdown: what counts first, then the paper's tables, then everything."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from inference.models import ModelStore
from inference.training import aims, leaveout, levers
from inference.training.evaluation import series
from inference.training.evaluation.figure import CROSS_VALIDATION, LEFT_OUT, POOLED, Figure
from inference.training.evaluation.run import TITLES
from inference.training.published import published_tables

__all__ = ["by_task", "details", "interval", "markdown", "page_of_folds"]

_OF_SUMMARY = ("test", POOLED, CROSS_VALIDATION, LEFT_OUT)
"""Splits that the summary shows: pictures that no training knew."""
WIDEST = 9
"""Metrics side by side; more are listed one below the other."""

_SHOWN = "mean over slices that have it"
_AVERAGE = "average lung region"
_SUMMARY: tuple[tuple[str, str, str, str], ...] = (
    ("X-ray, COVID-19 v normal: AUC", "covid-2", "X-ray, COVID-19 v normal", "AUC"),
    ("X-ray, COVID-19 v adult normal: AUC", "covid-2", "X-ray, COVID-19 v adult normal (nih)",
     "AUC"),
    ("X-ray, healthy children called COVID-19", "covid-2", "X-ray, children's normals (kermany)",
     "false alarms"),
    ("X-ray, COVID-19 v normal, lungs blacked out: AUC (0.5 is right)", "shortcuts",
     f"X-ray, COVID-19 v normal ({_AVERAGE}): lungs blacked out", "AUC"),
    ("X-ray, COVID-19 v normal, border only: AUC (0.5 is right)", "shortcuts",
     f"X-ray, COVID-19 v normal ({_AVERAGE}): border only", "AUC"),
    ("X-ray, four classes: accuracy (confounded)", "cxr-4", "X-ray, four classes", "accuracy"),
    ("CT, COVID-19 v not: AUC", "covid-2", "CT, all sources", "AUC"),
    ("CT, COVID-19 v not, a source left out: AUC", "evidence", "CT, *, fitted without it*", "AUC"),
    ("CT, COVID-19 v not, marked area alone: AUC", "evidence", "CT, *, marked area alone",
     "AUC"),
    ("CT, COVID-19 v not, lungs blacked out: AUC (0.5 is right)", "shortcuts",
     "CT, all sources (lungs by threshold): lungs blacked out", "AUC"),
    ("CT, manifestations: mean AUC", "manifestations", "*, mean of the three", "AUC"),
    ("CT, infection: Dice", "segmentation", "*, infection", f"Dice, {_SHOWN}"),
    ("CT, ground glass: Dice", "segmentation", "*, ggo", f"Dice, {_SHOWN}"),
    ("CT, consolidation: Dice", "segmentation", "*, consolidation", f"Dice, {_SHOWN}"),
    ("CT, pleural effusion: Dice", "segmentation", "*, effusion", f"Dice, {_SHOWN}"),
    ("CT, lung mask: Dice", "lungs", "*", "Dice, mean over volumes"),
    ("Chest X-rays flagged as no chest", "domain, chest", "CXR, all sources", "share flagged"),
    ("Chest CT pictures flagged as no chest", "domain, chest", "CT, all sources",
     "share flagged"),
    ("DICOM of head, abdomen and phantom flagged", "domain, odd", "DICOM, all odd objects",
     "share flagged"),
)  # fmt: skip
"""The figures that count: words, task, pattern of the source, metric."""

NOTES = {
    "domain, chest": "Thresholds were chosen on the validation groups. `projected` are frontal "
    "X-rays computed from CT. The flagged `chest_ct` object is a piece of 85 mm of a slice.",
    "domain, odd": "Kinds without a source (`inverted`, `head`, `page` …) are made by the code "
    "that made those of training, with other seeds: they say that it learned them, not that it "
    "knows others. Real are the DICOM objects, the photographs and covid20. No real lateral X-ray "
    "was at hand: `lateral projection` is computed from CT. The limits on CT in HU are anatomical "
    "and were set with the odd DICOM objects in sight, so for these the figure is not untouched; "
    "three of the 16 are slices through the bases of the lungs, which pass as 8-bit pictures. An "
    "odd picture counts as flagged when it passes neither as CT nor as X-ray.",
    "covid-2": "Decisions at one half. `evidence` judges CT by what the lesion streams see, and is "
    "never heard alone: a reader is shown it joined with the recogniser. The three weights of the "
    "join were fitted on validation groups, so there each group is joined by a fit to the groups "
    "of other folds. Sources differ in hospital, scanner and age as well as in "
    "disease, so these are upper bounds of what to expect elsewhere.",
    "cxr-4": "**Confounded.** Viral and bacterial pneumonia are nearly all children of one "
    "hospital (kermany), COVID-19 nearly all adults from case reports, normals half and half. Age, "
    "hospital and file tell most of the classes apart; only viral against bacterial is free of "
    "that.",
    "evidence": "The shipped evidence alone and joined with the recogniser stands with the other "
    "recognisers above. Here the same regressions are fitted to every source but one and asked "
    "about that one (“source left out”), with a strength set beforehand and every choice of its "
    "parts, on pictures that the streams do not know. The recogniser has no part in it: it was "
    "trained on every source. “Marked area alone” learns nothing at all: the pixels that the "
    "streams mark, as a share of the picture, are the score. That numbers of the whole picture may "
    "be among the parts, and that how much is marked is joined beside them, was decided with test "
    "figures in sight; which parts are used, and all weights, are chosen without them.",
    "shortcuts": "The same pictures whole and with parts of them black. What a recogniser knows "
    "without the lungs it does not know of the lungs: there an AUC of 0.5 is right. Hand-drawn "
    "lungs exist for few pictures, hardly any of them normal; the average lung region is the same "
    "part of every picture, from masks of groups that were trained on. The lungs of 8-bit CT "
    "pictures are a convex hull by threshold and components; a picture in which none was found is "
    "left out of all variants.",
    "calibration": "Every group counts once. The join of recogniser and evidence is a logistic "
    "regression on two logits and so a calibration by itself; it is calibrated all the same, on "
    "values that each validation group got from a fit to the groups of other folds, as is its "
    "“before” there. ECE: 10 bins of equal mass, mean over the classes; it "
    "is not zero even for perfect probabilities, since shares scatter, and its bootstrap interval "
    "lies high for the same reason. `before` is the network's own probability, `after` that of "
    "`secondread calibrate`, fitted on the validation groups, where it is a little kind. A model "
    "without `after` is shown uncalibrated, and said so.",
    "manifestations": "`streams (…), …` is what the streams draw, taken as a second estimate: "
    "`area` is the part of the picture above one half (called present from a thousandth of it), "
    "`highest … %` the mean of the map's highest pixels. Which of them is scored was chosen by the "
    "mean AUC on validation groups, listed at the end; where they are equal, the first is taken. "
    "`test and validation` is both as one, a little kind since choices were made on validation: "
    "each by itself has hardly a slice without ground glass. An AUC rests as much on the slices "
    "without the class as on those with it; how many these are, and of how many groups, is listed "
    "below, and where they are of one group no interval can be given. Healthy slices of DICOM "
    "series were not added: those that were not trained on come from another source than every "
    "slice with masks, and a network could tell the two by the source.",
    "series": "AUC over the slices with lung: the greater of the ML-CNN's probabilities of ground "
    "glass and consolidation, and the area of both in the masks. The source labels slices as "
    "infected or not, but does not say at which end its labels begin: `asc` reads them with rising "
    "slice location, `desc` with falling. A series' probability of COVID-19 is the mean over the "
    "third of its slices in which most is marked. That rule, in the place of the most suspicious "
    "third, was chosen with these series in sight, so they are no proof of it.",
    "segmentation": "A slice without the class counts only where “all slices” is said, as 1 when "
    "nothing is drawn in it and 0 otherwise. NSD is the part of both outlines within 2 pixels of "
    "the other; mIoU the mean of class and background. Pixels of unknown type do not count.",
}


def by_task(figures: Iterable[Figure]) -> dict[str, list[Figure]]:
    """Figures by task, in the order of `evaluation.run.TITLES`."""
    found: dict[str, list[Figure]] = {task: [] for task in TITLES}
    for figure in figures:
        found[figure.task].append(figure)
    return {task: group for task, group in found.items() if group}


def interval(figure: Figure) -> str:
    """The 95 % interval in words."""
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return "one group: none"
    return f"{figure.low:.3f} to {figure.high:.3f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _summary(figures: Sequence[Figure]) -> list[str]:
    found = [
        (words, f)
        for words, task, source, metric in _SUMMARY
        for f in figures
        if (f.task, f.metric) == (task, metric)
        and fnmatchcase(f.source, source)
        and f.split in _OF_SUMMARY
    ]
    if not found:
        return []
    # Rows that would read alike say what they were measured on.
    alike = Counter((words, f.model, f.split) for words, f in found)
    rows = [
        (
            f"{words} ({f.source})" if alike[words, f.model, f.split] > 1 else words,
            f.model,
            f.split,
            f"**{f.value:.3f}**",
            interval(f),
            f"{f.n} ({f.groups})",
        )
        for words, f in found
    ]
    head = ("what", "model", "split", "value", "95 % interval", "n (groups)")
    return ["## Summary", "", *_table(head, rows)]


def _family(metric: str) -> str:
    """Metrics that are shown side by side: by prefix (ROC, confusion) or by how they average."""
    first, _, rest = metric.partition(", ")
    return first if first in ("ROC", "confusion") else rest


def _confusion(group: Sequence[Figure]) -> list[str]:
    """Matrices as counts with intervals, one for each model, source and split."""
    lines: list[str] = []
    keys = dict.fromkeys((f.source, f.model, f.split) for f in group)
    for key in keys:
        cells = {}
        for figure in (f for f in group if (f.source, f.model, f.split) == key):
            true, called = figure.metric.removeprefix("confusion, ").split(" called ")
            cells[true, called] = f"{figure.value:.0f} ({figure.low:.0f} to {figure.high:.0f})"
        names = list(dict.fromkeys(true for true, _ in cells))
        rows = [[true, *(cells.get((true, name), "") for name in names)] for true in names]
        head = [f"{', '.join(key)}: true class", *(f"called {name}" for name in names)]
        lines += _table(head, rows)
    return lines


def _cell(figure: Figure) -> str:
    """A value with its interval; a count without decimals."""
    if figure.metric.startswith(("slices without it", "groups without it")):
        return f"{figure.value:.0f}"
    known = math.isfinite(figure.low) and math.isfinite(figure.high)
    limits = f" ({figure.low:.3f} to {figure.high:.3f})" if known else ""
    return f"{figure.value:.3f}{limits}"


def _side_by_side(metrics: Sequence[str], group: Sequence[Figure]) -> list[str]:
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for f in group:
        key = (f.source, f.model, f.split, f"{f.n} ({f.groups})")
        rows.setdefault(key, {})[f.metric] = _cell(f)
    # The fullest row names the metrics in their order; others may lack some.
    fullest = max(rows.values(), key=len)
    metrics = [*fullest, *(m for m in metrics if m not in fullest)]
    names = [m.removeprefix("ROC, ").split(", ")[0] for m in metrics]
    body = [[*key, *(cells.get(m, "") for m in metrics)] for key, cells in rows.items()]
    return _table(["source", "model", "split", "n (groups)", *names], body)


def _listed(group: Sequence[Figure]) -> list[str]:
    head = ("source", "model", "split", "n (groups)", "metric", "value", "95 % interval")
    rows = [
        (f.source, f.model, f.split, f"{f.n} ({f.groups})", f.metric, f"{f.value:.3f}", interval(f))
        for f in group
    ]
    return _table(head, rows)


def _family_lines(family: str, group: Sequence[Figure]) -> list[str]:
    title = {"ROC": "ROC points", "confusion": "Confusion matrices"}.get(family, family)
    lines = [f"**{title[0].upper()}{title[1:]}**", ""] if title else []
    if family == "confusion":
        return lines + _confusion(group)
    metrics = list(dict.fromkeys(f.metric for f in group))
    keys = {(f.source, f.model, f.split, f.n, f.groups) for f in group}
    full = 2 * len(group) >= len(metrics) * len(keys)
    fits = len(metrics) <= WIDEST and full
    return lines + (_side_by_side(metrics, group) if fits else _listed(group))


def details(figures: Sequence[Figure]) -> list[str]:
    """Lines of Markdown: every figure, task by task.

    Metrics that all rows of a task have stand side by side, confusion matrices as matrices.
    """
    lines: list[str] = []
    for task, group in by_task(figures).items():
        lines += [f"## {TITLES[task]}", ""]
        if task in NOTES:
            lines += [NOTES[task], ""]
        remark = series.remark(group) if task == "series" else ""
        if remark:
            lines += [remark, ""]
        families: dict[str, list[Figure]] = {}
        for figure in group:
            families.setdefault(_family(figure.metric), []).append(figure)
        if sum(len(f) for f in families.values()) < 2 * len(families):
            lines += _listed(group)
            continue
        for family in sorted(families, key=lambda f: (f == "confusion", f == "ROC")):
            lines += _family_lines(family, families[family])
    return lines


def _models(store: ModelStore) -> list[str]:
    rows = [
        (f"{r.name} {r.version}", r.architecture, r.data,
         f"{r.steps} steps, {r.seconds / 60:.0f} min, {r.device}", f"`{r.sha256[:12]}`")
        for r in store.records
    ]  # fmt: skip
    head = ("model", "architecture", "trained on", "took", "SHA-256")
    reason = f"Default form of the streams: **{store.default_streams}**. {store.default_reason}"
    return [
        "## Models", "", *_table(head, rows), reason, "", store.recognisers_in_words(), "",
        *([store.cuts_reason, ""] if store.cuts_reason else []),
    ]  # fmt: skip


def markdown(figures: Sequence[Figure], store: ModelStore, command: str) -> str:
    """The results page: summary, the paper's tables, the models, and every figure.

    Parameters
    ----------
    figures
        Of `evaluation.run.evaluate`.
    store
        The models scored.
    command
        What reproduces the page.
    """
    lines = [
        "# Results",
        "",
        f"Made by `{command}`; running it again gives the same figures. Arithmetic is float32.",
        "",
        "- **Split.** `test` groups were neither trained on nor used for any choice; on "
        "`validation` groups the form of the streams was chosen, so those figures are a little "
        "kind. Groups are patients, or runs of similar slices where the source does not name "
        "patients; none stands on two sides.",
        "- **Interval.** 95 %, percentile bootstrap over groups (1000 resamples). There is none "
        "where a figure rests on one group, for instance where one patient alone has the class. "
        "A share of 0 or 1 gets an interval without width, which is not certainty: what n groups "
        "did not show may still occur in a share of 3/n (rule of three).",
        "- **n** is pictures; groups stand in brackets.",
        "- **Sources** are small and differ in more than disease; an AUC inside them is an upper "
        "bound of what to expect elsewhere. Children's X-rays (kermany) stand against adult "
        "COVID-19 pictures, cxnet has COVID-19 only: both are shortcuts a network can take.",
        "- **`recognition` on CT** is reported though CT is analysed by `recognition-ct`: it is "
        "the paper's multi-modal form, one network for X-ray and CT, and shows what sharing batch "
        "statistics costs. That CT needs a recogniser of its own was seen on test groups as well "
        "as on validation groups, so for this one choice the test figures are not untouched.",
        "",
        *_summary(figures),
        *aims.section(figures, store),
        *_models(store),
        *levers.section(levers.read(store.folder)),
        *leaveout.section(store.folder),
        *published_tables([*figures, *levers.figures(store.folder)]),
        *details(figures),
    ]
    return "\n".join(lines)


def page_of_folds(figures: Sequence[Figure], words: str) -> str:
    """The page of a cross-validation.

    Parameters
    ----------
    figures
        Of `crossvalidate.cross_validate`.
    words
        What was trained and which folds were held out.
    """
    lines = [
        "# Cross-validation", "", words, "", "Every picture is scored by the model of the fold "
        "that held its group out. Intervals: 95 %, percentile bootstrap over groups (1000 "
        "resamples).", "", *_summary(figures), *published_tables(figures), *details(figures),
    ]  # fmt: skip
    return "\n".join(lines)
