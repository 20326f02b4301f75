"""Leave a source out: what a recogniser says of a hospital that it has never seen.

Inside a source, age, scanner and file tell the classes apart as well as the lungs do; only a source
that took no part in training shows what was learned of the disease.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from inference.errors import BadInputError
from inference.models import ModelRecord, ModelStore
from inference.training import experiments
from inference.training.datasets import build
from inference.training.evaluation import recognition
from inference.training.evaluation.figure import (
    LEFT_OUT,
    SPLITS,
    Figure,
    Job,
    Scorer,
    add_two_classes,
)
from inference.training.evaluation.scores import Scores
from inference.training.experiments import Experiment
from inference.training.install import describe, start_of
from inference.training.leaveout_joined import joined_figures
from inference.training.loop import train
from inference.training.manifest import Row, fold_of_groups
from inference.training.recipe import Recipe

__all__ = ["FILE", "LEFT_OUT", "enter", "figures", "leave_out", "section", "without"]

FILE = "leaveout.json"
MIXED = "source left out v held-out groups"
"""The split where one class comes from such a source and the other from unseen groups."""
_TASK = "covid-2"
_KEPT = ("AUC", "accuracy", "sensitivity", "specificity")


def without(recipe: Recipe, source: str) -> Recipe:
    """The recipe that does not learn from a source; name and SHA-256 say so."""
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-without-{source}",
        data=dataclasses.replace(recipe.data, leave_out=(source,)),
        sha256=hashlib.sha256(
            f"{recipe.sha256}/without {source}/steps {recipe.steps}".encode()
        ).hexdigest(),
    )


def leave_out(
    recipe: Recipe,
    rows: Sequence[Row],
    source: str,
    out: Path,
    *,
    device: str = "auto",
    init: str = "random",
    quiet: bool = False,
    joined_with: ModelStore | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[list[Figure], ModelRecord]:
    """Train a recogniser without a source, and score it on that source.

    Where the source has one class only, or hardly any of the other, its pictures stand against the
    other class of the remaining sources, from groups that were held out of training.

    Parameters
    ----------
    recipe
        Of kind ``"recognition"``.
    rows
        Of `manifest.read_manifest`.
    source
        As in the manifest.
    out
        Gets the run and the model; a run that is done is not trained again.
    device, init, quiet
        As `loop.train`.
    joined_with
        Has lesion streams, with which a recogniser of CT is scored together, too
        (`leaveout_joined`); None: alone.
    tell
        Gets a sentence before and after the training.

    Raises
    ------
    BadInputError
        For another kind of recipe, or a source of which the manifest has no picture that such a
        recipe learns from.
    """
    if recipe.kind != "recognition":
        raise BadInputError("Only recognition is trained without a source; name such a recipe.")
    own = [r for r in rows if r.source == source and r.modality in recipe.data.modalities]
    if not any(r.role == "image" and r.task.endswith("_classification") for r in own):
        raise BadInputError(f"The manifest has no pictures of source {source!r} to recognise.")
    one = without(recipe, source)
    folds = fold_of_groups(rows)
    store = ModelStore(out / one.name / "store")
    if not any(r.recipe_sha256 == one.sha256 for r in store.records):
        data = build(rows, one, folds, one.data.train_folds)
        tell(f"{one.name}: training on {len(data)} pictures of {len(set(data.groups))} groups")
        result = train(
            one, data, out / one.name, device=device, resume=True, init=init, quiet=quiet
        )
        store.install(result.weights, describe(one, data, folds, result, init), to_ship=False)
        tell(f"{one.name}: {result.steps} steps, {result.seconds / 60:.1f} min, {result.device}")
    (record,) = store.records
    modalities = {r.modality for r in own}
    job = Job.begin([r for r in rows if r.modality in modalities], store, SPLITS[:2], device, None)
    (scores,) = recognition.score(job).values()
    found = _figures(source, scores)
    if joined_with is not None and modalities == {"CT"}:
        together = joined_figures(rows, source, store, joined_with, device)
        found += [f for f in together if f.metric in _KEPT]
    return found, record


def _figures(source: str, scores: Scores) -> list[Figure]:
    """Figures of the left-out source; `scores` are of pictures of groups not trained on."""
    scorer = Scorer("", _TASK)
    own = np.array([r.source == source for r in scores.rows])
    covid = scores.values["covid"]
    modality = next(r.modality for r in scores.rows if r.source == source)
    # On X-ray the comparison is with normals; no CT source says which patients are healthy.
    healthy = np.array([modality == "CT" or r.label == "normal" for r in scores.rows])
    names = {True: "COVID-19", False: "not COVID-19" if modality == "CT" else "normal"}
    comparisons = {(LEFT_OUT, "own", "own"): own}
    for is_covid in (True, False):
        mine = own & (covid == is_covid)
        theirs = ~own & (covid != is_covid)
        where = ("own", "others") if is_covid else ("others", "own")
        comparisons[(MIXED, *where)] = mine | theirs
    words = {"own": f"of {source}", "others": "of the other sources"}
    for (split, positive, negative), inside in comparisons.items():
        index = np.flatnonzero(inside & (covid | healthy))
        truth = covid[index]
        if not 0 < truth.sum() < len(index):
            continue
        title = f"{names[True]} {words[positive]} v {names[False]} {words[negative]}"
        add_two_classes(
            scorer, title, split, scores.groups[index], truth, scores.values["two"][index],
            ("COVID-19", "not COVID-19"),
        )  # fmt: skip
    return [f for f in scorer.figures if f.metric in _KEPT]


def enter(
    recipe: Recipe,
    source: str,
    record: ModelRecord,
    figures: Iterable[Figure],
    folder: Path,
    *,
    init: str = "random",
) -> None:
    """Enter what a left-out source gave in a model store, for the results page."""
    held_out = {fold for fold in range(5) if fold not in recipe.data.train_folds}
    experiments.enter(
        Experiment(
            title=f"without {source}",
            recipes=recipe.words(),
            start=start_of(init),
            folds=tuple(sorted(held_out)),
            device=record.device,
            seconds=record.seconds,
            figures=tuple(figures),
        ),
        folder / FILE,
    )


def figures(folder: Path) -> list[Figure]:
    """Figures of every left-out source that was entered in a model store."""
    return [f for one in experiments.read(folder / FILE) for f in one.figures]


def section(folder: Path) -> list[str]:
    """Lines of Markdown: every left-out source that was entered in a model store."""
    found = experiments.read(folder / FILE)
    if not found:
        return []
    lines = [
        "## Leave one source out: recognition", "",
        "A network of its own for every line, trained without the named source "
        "(`secondread leaveout … --enter`, which trains anew; `evaluate` shows what was entered). "
        "These are light networks for the comparison, not those that are shipped. Where a source "
        "lacks a class, the other class comes from held-out groups of known sources: then the "
        "source alone can tell the classes apart, in either direction, and an AUC far from 0.5 is "
        "no proof of knowledge. “Joined with the lesion streams” is the whole way in which CT is "
        "read: recogniser, evidence and the weights that join them were all fitted without the "
        "source.", "",
        "| trained | recipe | starts from | comparison | split | AUC | sensitivity | specificity "
        "| n (groups) | took |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in found:
        for key in dict.fromkeys((f.source, f.split) for f in one.figures):
            cells = {f.metric: f for f in one.figures if (f.source, f.split) == key}
            auc = cells["AUC"]
            values = [_words(cells[m]) for m in ("AUC", "sensitivity", "specificity")]
            took = f"{one.seconds / 60:.0f} min, {one.device}"
            row = (
                one.title,
                one.recipes,
                one.start,
                *key,
                *values,
                f"{auc.n} ({auc.groups})",
                took,
            )
            lines.append("| " + " | ".join(row) + " |")
    return [*lines, ""]


def _words(figure: Figure) -> str:
    known = math.isfinite(figure.low) and math.isfinite(figure.high)
    limits = f" ({figure.low:.3f} to {figure.high:.3f})" if known else ""
    return f"{figure.value:.3f}{limits}" if math.isfinite(figure.value) else ""
