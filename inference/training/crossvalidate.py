"""Grouped cross-validation: a recipe trained once a fold, every picture scored while held out."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from inference.errors import BadInputError
from inference.models import ModelStore
from inference.training.datasets import build
from inference.training.evaluation import manifestations, recognition, segmentation
from inference.training.evaluation.figure import SPLITS, Figure, Job
from inference.training.evaluation.scores import Scores, pool
from inference.training.install import describe
from inference.training.loop import train
from inference.training.manifest import FOLDS, Row, fold_of_groups
from inference.training.recipe import Recipe

__all__ = ["cross_validate", "of_fold"]

_SCORING: dict[
    str, tuple[Callable[[Job], dict[str, Scores]], Callable[[str, Scores], list[Figure]]]
] = {
    "recognition": (recognition.score, recognition.summarise),
    "manifestations": (manifestations.score, manifestations.summarise),
    "streams": (segmentation.score, segmentation.summarise),
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
    init: str = "random",
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
    device, init, quiet
        As `loop.train`; ``{fold}`` in `init` becomes the fold.
    tell
        Gets a sentence before and after each training.

    Returns
    -------
    list of Figure
        Of the split ``"cross-validation"``, intervals bootstrapped over the groups of all folds.

    Raises
    ------
    BadInputError
        For recipes of several kinds, a fold that does not exist, a run of another recipe in `out`,
        or when there is nothing to score.
    """
    kinds = {recipe.kind for recipe in recipes}
    if len(kinds) != 1 or len({r.name for r in recipes}) != len(recipes):
        raise BadInputError("Cross-validation takes different recipes of one kind; name those.")
    if not folds or set(folds) - set(range(FOLDS)):
        raise BadInputError(f"Folds are numbers from 0 to {FOLDS - 1}.")
    score, summarise = _SCORING[kinds.pop()]
    of_group = fold_of_groups(rows)
    modalities = {m for recipe in recipes for m in recipe.data.modalities}
    parts: dict[str, list[Scores]] = {}
    for fold in sorted(set(folds)):
        store = ModelStore(out / f"fold-{fold}" / "store")
        for recipe in recipes:
            start = init.replace("{fold}", str(fold))
            _learn(of_fold(recipe, fold), rows, of_group, store, device, start, quiet, tell)
        held_out = [r for r in rows if of_group.get(r.group) == fold or r.role == "mask"]
        if recipes[0].kind == "recognition":
            held_out = [r for r in held_out if r.modality in modalities]
        job = Job.begin(held_out, store, SPLITS[:1], device, None)
        for name, scores in score(job).items():
            parts.setdefault(name, []).append(scores)
    if not parts:
        raise BadInputError("The manifest has nothing in these folds that this recipe can score.")
    return [f for name, scored in parts.items() for f in summarise(name, pool(scored))]


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
    store.install(result.weights, describe(recipe, data, of_group, result, init))
    tell(f"{where}: {result.steps} steps, {result.seconds / 60:.1f} min, {result.device}")
