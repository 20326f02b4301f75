"""Prepared pictures with their targets, held in memory: a few thousand of them fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.preprocess import prepare
from inference.training.losses import CODES, LUNGS
from inference.training.lung_atlas import average_lungs, hand_drawn
from inference.training.manifest import Row
from inference.training.pictures import read_grey
from inference.training.recipe import Recipe
from inference.training.slices import (
    LesionSlice,
    annotated,
    drawn,
    healthy,
    prepared,
    present,
    pretext,
    shares,
    taught,
)
from inference.training.worst_groups import GROUPS, members

__all__ = ["TASKS", "Dataset", "balanced", "build", "classified", "recognition_targets"]

TASKS: dict[str, tuple[str, ...]] = {
    "covid-2": ("COVID-19", "not COVID-19"),
    "cxr-4": ("COVID-19", "normal", "viral pneumonia", "bacterial pneumonia"),
    "manifestations": tuple(CODES),
}
"""Classes by task, in the order of the networks' outputs."""

_COVID = {"covid19"}
_NOT_COVID = {
    "noncovid", "cap_bacterial", "normal", "viral", "bacterial", "other_pneumonia",
    "pneumonia_unspecified",
}  # fmt: skip
_FOUR = {"covid19": 0, "normal": 1, "viral": 2, "bacterial": 3}


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """Pictures and what is known of them.

    Parameters
    ----------
    pictures
        Shape (n, size, size), uint8, out of `preprocess.prepare`.
    targets
        By task: (n, classes), float32; NaN where unknown. `worst_groups.GROUPS` is among them
        where a recipe asks for it.
    masks
        Shape (n, size, size), uint8 codes, or None.
    groups, sources
        Length n.
    weights
        Length n, the probability of being drawn; sums to one.
    lungs
        Of `lung_atlas.average_lungs`: where lungs lie in X-rays of the training groups; None where
        nobody asked.
    """

    pictures: NDArray[np.uint8]
    targets: dict[str, NDArray[np.float32]]
    masks: NDArray[np.uint8] | None
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    weights: NDArray[np.float64]
    lungs: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.pictures)


def recognition_targets(row: Row) -> dict[str, NDArray[np.float32]] | None:
    """Targets of a picture for both recognition tasks, or None when its label is of no use."""
    two = np.full(2, np.nan, dtype=np.float32)
    four = np.full(4, np.nan, dtype=np.float32)
    if row.label in _COVID:
        two[:] = (1, 0)
    elif row.label in _NOT_COVID:
        two[:] = (0, 1)
    else:
        return None
    if row.task == "cxr_classification" and row.label in _FOUR:
        four[:] = 0
        four[_FOUR[row.label]] = 1
    return {"covid-2": two, "cxr-4": four}


def classified(rows: Iterable[Row], modalities: Sequence[str]) -> list[Row]:
    """Whole pictures of these modalities whose label is of use for recognition."""
    tasks = {f"{modality.lower()}_classification" for modality in modalities}
    return [
        row for row in rows
        if row.role == "image" and row.task in tasks and recognition_targets(row) is not None
    ]  # fmt: skip


def balanced(classes: Sequence[str], strata: Sequence[str]) -> NDArray[np.float64]:
    """Drawing probabilities: classes alike, and inside a class strata by the root of their size.

    Strata of one or two pictures drawn as often as those of hundreds would be learned by heart;
    drawn by their size, the largest source would be all that is learned.
    """
    sizes = Counter(zip(classes, strata, strict=True))
    weights = np.array([sizes[pair] ** -0.5 for pair in zip(classes, strata, strict=True)])
    for name in set(classes):
        inside = np.array([c == name for c in classes])
        weights[inside] /= weights[inside].sum()
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _prepared(rows: Sequence[Row], size: int) -> NDArray[np.uint8]:
    with ThreadPoolExecutor(4) as pool:
        pictures = list(pool.map(lambda row: prepare(read_grey(row.path), size), rows))
    return np.stack(pictures)


def _undersampled(strata: Sequence[str], seed: int) -> list[int]:
    """Numbers of the entries that are kept so that every stratum has as many, in order."""
    chooser = np.random.default_rng(seed)
    least = min(Counter(strata).values(), default=0)
    kept: list[int] = []
    for name in sorted(set(strata)):
        inside = [i for i, stratum in enumerate(strata) if stratum == name]
        kept += chooser.choice(inside, least, replace=False).tolist()
    return sorted(kept)


def _lungs(rows: Sequence[Row], recipe: Recipe) -> NDArray[np.bool_] | None:
    settings = recipe.augment
    if not (settings.blind > 0 or settings.only_lungs > 0 or recipe.network.get("region")):
        return None
    if recipe.data.modalities != ("CXR",):
        raise BadInputError("Where lungs lie is known of X-rays only; set data.modalities to CXR.")
    masks = [mask for row, mask in hand_drawn(rows) if row.source not in recipe.data.leave_out]
    if not masks:
        raise BadInputError("The manifest has no X-ray with lungs outlined in these folds.")
    return average_lungs(masks)


def _recognition(rows: Sequence[Row], recipe: Recipe) -> Dataset:
    labelled = classified(rows, recipe.data.modalities)
    chosen = [r for r in labelled if r.source not in recipe.data.leave_out]
    if recipe.data.undersample:
        chosen = [chosen[i] for i in _undersampled([r.modality for r in chosen], recipe.seed)]
    targets = [t for row in chosen if (t := recognition_targets(row)) is not None]
    classes = [f"{r.modality}/{r.label in _COVID}" for r in chosen]
    strata = [f"{r.source}/{r.label}" for r in chosen]
    known = {task: np.stack([t[task] for t in targets]) for task in ("covid-2", "cxr-4")}
    if recipe.loss.group_step > 0:
        known[GROUPS] = members([f"{r.source}/{r.label in _COVID}" for r in chosen])
    return Dataset(
        pictures=_prepared(chosen, recipe.size),
        targets=known,
        masks=None,
        groups=tuple(r.group for r in chosen),
        sources=tuple(r.source for r in chosen),
        weights=(
            np.full(len(chosen), 1 / len(chosen))
            if recipe.data.undersample
            else balanced(classes, strata)
        ),
        lungs=_lungs(rows, recipe),
    )


def _slices(kept: Sequence[Row], recipe: Recipe) -> list[LesionSlice]:
    if recipe.data.pretext:
        return pretext(kept, recipe.data.pretext, recipe.seed, recipe.framing)
    slices = annotated(kept, recipe.framing)
    if not slices:
        return []
    inside = {r.group for r in kept}
    slices += healthy(kept, [g for g in recipe.data.dicom_normals if g in inside])
    slices += drawn(slices, recipe.data.effusions, recipe.seed)
    if recipe.data.pseudo:
        slices += taught(kept, Path(recipe.data.pseudo), recipe.framing)
    return slices


def _lesions(kept: Sequence[Row], recipe: Recipe) -> Dataset:
    slices = _slices(kept, recipe)
    if not slices:
        raise ValueError("no slice")
    lungs = LUNGS in recipe.network.get("streams", ())
    pictures, masks = prepared(slices, recipe.size, lungs=lungs)
    return Dataset(
        pictures=pictures,
        targets={"manifestations": present(slices)},
        masks=masks,
        groups=tuple(s.group for s in slices),
        sources=tuple(s.source for s in slices),
        weights=shares(slices, recipe),
    )


def _domain(rows: Sequence[Row], recipe: Recipe) -> Dataset:
    from inference.training.domain import domain_dataset

    return domain_dataset(rows, recipe)


def build(
    rows: Sequence[Row], recipe: Recipe, folds: dict[str, int], wanted: Iterable[int]
) -> Dataset:
    """The dataset of a recipe in some folds.

    Parameters
    ----------
    rows
        The whole manifest.
    recipe
        Its kind decides which rows and targets.
    folds
        `manifest.fold_of_groups`.
    wanted
        Folds to take.

    Raises
    ------
    BadInputError
        When nothing is left.
    """
    inside = set(wanted)
    kept = [r for r in rows if folds.get(r.group) in inside]
    makers: dict[str, Callable[[Sequence[Row], Recipe], Dataset]] = {
        "recognition": _recognition,
        "manifestations": _lesions,
        "streams": _lesions,
        "domain": _domain,
    }
    try:
        return makers[recipe.kind](kept, recipe)
    except ValueError as error:
        raise BadInputError(
            f"The manifest has no rows for recipe {recipe.name} in folds {sorted(inside)}."
        ) from error
