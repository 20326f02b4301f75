"""Grouped cross-validation: a recipe trained once a fold, every picture scored while held out."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from inference.errors import BadInputError
from inference.findings import Manifestation
from inference.models import ModelStore
from inference.training.datasets import build
from inference.training.evaluation import manifestations, recognition, segmentation, thresholds
from inference.training.evaluation.figure import SPLITS, Figure, Job
from inference.training.evaluation.scores import Scores, pool
from inference.training.groups import groups_behind
from inference.training.install import describe, keep_streams
from inference.training.loop import train
from inference.training.manifest import FOLDS, Row, fold_of_groups
from inference.training.recipe import Recipe

__all__ = ["cross_validate", "held_out", "of_fold"]

_SCORED = {
    "recognition": {"cxr_classification", "ct_classification"},
    "manifestations": {"ct_segmentation"},
    "streams": {"ct_segmentation"},
}
"""Tasks of the manifest whose rows are scored, by kind of network."""
TRAINED = ("shared", "separate", "all")
"""Forms that are trained; the other, mixed, is made of their parts."""
MIRRORED = ", mirror averaged"
TUNED = ", thresholds of the other folds"
GROWN = ", grown from seeds, both thresholds of the other folds"

_SUMMARISING: dict[str, Callable[[str, Scores], list[Figure]]] = {
    "recognition": recognition.summarise,
    "manifestations": manifestations.summarise,
    "streams": segmentation.summarise,
}


def of_fold(recipe: Recipe, fold: int) -> Recipe:
    """The recipe that holds out one fold and trains on the others.

    Its SHA-256 covers the fold and the steps, so that no run is taken for that of another fold.
    ``{fold}`` in the folder of its pseudo-labels becomes the fold.

    Raises
    ------
    BadInputError
        When all folds would learn from one teacher's masks, who knew the held-out groups.
    """
    if recipe.data.pseudo and "{fold}" not in recipe.data.pseudo:
        raise BadInputError(
            f"Recipe {recipe.name} learns from masks of a teacher that may have seen the held-out "
            "groups; draw them once a fold and write {fold} in the folder's name."
        )
    others = tuple(f for f in range(FOLDS) if f != fold)
    pseudo = recipe.data.pseudo.replace("{fold}", str(fold))
    name = f"{recipe.sha256}/fold {fold}/steps {recipe.steps}"
    return dataclasses.replace(
        recipe,
        data=dataclasses.replace(
            recipe.data, train_folds=others, validation_folds=(), pseudo=pseudo
        ),
        sha256=hashlib.sha256(name.encode()).hexdigest(),
    )


def cross_validate(
    recipes: Sequence[Recipe],
    rows: Sequence[Row],
    out: Path,
    *,
    folds: Sequence[int] = tuple(range(FOLDS)),
    device: str = "auto",
    init: Sequence[str] = ("random",),
    keep: Sequence[str] = (),
    silence: Sequence[str] = (),
    quiet: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Figure]:
    """Train recipes once a fold on the other four, and score the pooled held-out pictures.

    Parameters
    ----------
    recipes
        Of one kind. Separate streams are given together, and scored as one form. Their folds are
        not looked at.
    rows
        Of `manifest.read_manifest`.
    out
        Gets ``fold-K/RECIPE`` (the run) and ``fold-K/store`` (the models). A fold that is done is
        not trained again, one that was broken off goes on from its checkpoint.
    folds
        Those to hold out, of `manifest.fold_of_groups`; figures are of these only.
    device, quiet
        As `loop.train`.
    init
        As `loop.train`, for all recipes or one for each; ``{fold}`` in it becomes the fold.
    keep
        Streams that speak of networks whose streams share a decoder (a U-Net's); all when empty.
        Beside networks of the paper's frame they give the form ``"mixed"``.
    silence
        As ``NAME:STREAM``: a recipe whose network says nothing of a stream in the form ``"mixed"``,
        where others speak of it.
    tell
        Gets a sentence before and after each training.

    Returns
    -------
    list of Figure
        Of the split ``"cross-validation"``, intervals bootstrapped over the groups of all folds.
        Streams are scored five times: as they are, and averaged over each slice and its mirror
        picture; both also with pairs of thresholds (`cuts.Cut`) that each fold takes from the other
        folds' held-out slices, the second with plain ones too. Where several forms are
        trained beside each other, their mean is scored too, and networks of one form speak as
        their mean. Recognition is scored fold by fold as well, as so many runs.

    Raises
    ------
    BadInputError
        For recipes of several kinds, a fold that does not exist, starts that are neither one nor as
        many as recipes, streams to keep that no recipe has, a run of another recipe in `out`,
        weights to start from that know held-out groups, or when there is nothing to score.
    """
    kinds = {recipe.kind for recipe in recipes}
    if len(kinds) != 1 or len({r.name for r in recipes}) != len(recipes):
        raise BadInputError("Cross-validation takes different recipes of one kind; name those.")
    if not folds or set(folds) - set(range(FOLDS)):
        raise BadInputError(f"Folds are numbers from 0 to {FOLDS - 1}.")
    starts = [*init] if len(init) == len(recipes) else [*init] * len(recipes)
    if len(starts) != len(recipes):
        raise BadInputError(
            f"--init is given once, or once for each of the {len(recipes)} recipes, in their order."
        )
    kind = kinds.pop()
    of_group = fold_of_groups(rows)
    modalities = {m for recipe in recipes for m in recipe.data.modalities}
    jobs: list[Job] = []
    for fold in sorted(set(folds)):
        store = ModelStore(out / f"fold-{fold}" / "store")
        for recipe, begin in zip(recipes, starts, strict=True):
            start = begin.replace("{fold}", str(fold))
            _refuse_known(groups_behind(start), rows, of_group, kind, fold)
            _learn(of_fold(recipe, fold), rows, of_group, store, device, start, quiet, tell)
        job = held_out(rows, out, fold, keep, device, silence)
        if kind == "recognition":
            rows_of_it = tuple(r for r in job.rows if r.modality in modalities)
            job = dataclasses.replace(job, rows=rows_of_it)
        jobs.append(job)
    parts = _scores(kind, jobs)
    if not parts:
        raise BadInputError("The manifest has nothing in these folds that this recipe can score.")
    return [f for name, scored in parts.items() for f in _SUMMARISING[kind](name, pool(scored))]


def held_out(
    rows: Sequence[Row],
    out: Path,
    fold: int,
    keep: Sequence[str] = (),
    device: str = "auto",
    silence: Sequence[str] = (),
) -> Job:
    """The pictures of a fold, to be scored with the networks that were trained without it.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`; all of them.
    out, fold, keep, device, silence
        As `cross_validate`.

    Raises
    ------
    BadInputError
        As `cross_validate`, for streams to keep and to silence.
    """
    store = ModelStore(out / f"fold-{fold}" / "store")
    store = _kept(store, keep) if keep else store
    store.silent = {"mixed": _silenced(store, silence)}
    of_group = fold_of_groups(rows)
    those = [r for r in rows if of_group.get(r.group) == fold or r.role == "mask"]
    return Job.begin(those, store, SPLITS[:1], device, None)


def _silenced(store: ModelStore, silence: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in silence:
        name, _, stream = one.partition(":")
        if not any(r.name == name and stream in r.streams for r in store.records):
            raise BadInputError(
                f"--silence takes a recipe and one of its streams, as streams-shared:effusion, not "
                f"{one!r}."
            )
        found[name] = (*found.get(name, ()), stream)
    return found


def _refuse_known(
    known: set[str], rows: Sequence[Row], of_group: dict[str, int], kind: str, fold: int
) -> None:
    scored = {r.group for r in rows if r.task in _SCORED[kind] and of_group.get(r.group) == fold}
    if scored & known:
        raise BadInputError(
            f"The weights to start from know {len(scored & known)} groups of fold {fold}, which it "
            "should be scored on; train such weights once a fold and write {fold} in their path."
        )


def _kept(store: ModelStore, keep: Sequence[str]) -> ModelStore:
    """The models as they are scored: of a network that shares its decoder the kept streams alone.

    Raises
    ------
    BadInputError
        When there is no such network, or it has no such stream.
    """
    sharing = {r.name for r in store.records if r.network.get("decoder") == "unet"}
    if not sharing:
        raise BadInputError("--keep is for a recipe with a U-Net's decoder; name one, or leave it.")
    scored = ModelStore(store.folder.parent / "kept")
    shutil.rmtree(scored.folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        for record in store.records:
            one = store.folder / record.file, record
            if record.name in sharing:
                one = keep_streams(*one, keep, Path(folder))
            scored.install(*one, to_ship=False)
    return scored


def _scores(kind: str, jobs: Sequence[Job]) -> dict[str, list[Scores]]:
    """Scores of the held-out pictures, fold by fold, by model name."""
    if kind == "streams":
        return _of_streams(jobs)
    if kind == "manifestations":
        return _by_name([manifestations.score(job) for job in jobs])
    found = _by_name([recognition.score(job) for job in jobs])
    runs = {
        f"{name}, run {k}": [fold]
        for name, folds in found.items()
        for k, fold in enumerate(folds, 1)
    }
    return found | runs


def _of_streams(jobs: Sequence[Job]) -> dict[str, list[Scores]]:
    parts: dict[str, list[Scores]] = {}
    for suffix in ("", MIRRORED):
        found = _by_name(
            [_with_average(segmentation.predict(job, mirrored=bool(suffix))) for job in jobs]
        )
        for name, folds in found.items():
            parts[name + suffix] = [segmentation.measure(fold) for fold in folds]
            ways = {GROWN: thresholds.GROWN}
            if suffix:
                ways = {TUNED: thresholds.PLAIN, **ways}
            for words, cuts in ways.items() if len(folds) > 1 else ():
                tried = [thresholds.try_out(fold, cuts) for fold in folds]
                parts[name + suffix + words] = [
                    segmentation.measure(fold, thresholds.choose(tried[:k] + tried[k + 1 :]))
                    for k, fold in enumerate(folds)
                ]
    return parts


_T = TypeVar("_T")


def _with_average(
    forms: dict[str, segmentation.Predictions],
) -> dict[str, segmentation.Predictions]:
    """Several forms trained beside each other, and the mean of those that know all lesions."""
    trained = [f"streams ({form})" for form in TRAINED]
    whole = {n: p for n, p in forms.items() if n in trained and set(p.keys) == set(Manifestation)}
    if len(whole) < 2:
        return forms
    return {**forms, " + ".join(whole): segmentation.average(list(whole.values()))}


def _by_name(folds: Sequence[dict[str, _T]]) -> dict[str, list[_T]]:
    names = dict.fromkeys(name for fold in folds for name in fold)
    return {name: [fold[name] for fold in folds if name in fold] for name in names}


def _learn(
    recipe: Recipe,
    rows: Sequence[Row],
    of_group: dict[str, int],
    store: ModelStore,
    device: str,
    init: str,
    quiet: bool,
    tell: Callable[[str], None],
) -> None:
    where = f"{store.folder.parent.name}: {recipe.name}"
    if any(r.name == recipe.name and r.recipe_sha256 == recipe.sha256 for r in store.records):
        tell(f"{where} is trained already")
        return
    data = build(rows, recipe, of_group, recipe.data.train_folds)
    tell(f"{where}: training on {len(data)} pictures of {len(set(data.groups))} groups")
    folder = store.folder.parent / recipe.name
    result = train(recipe, data, folder, device=device, resume=True, init=init, quiet=quiet)
    record = describe(recipe, data, of_group, result, init)
    store.install(result.weights, record, to_ship=False)
    tell(f"{where}: {result.steps} steps, {result.seconds / 60:.1f} min, {result.device}")
