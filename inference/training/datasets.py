"""Prepared pictures with their targets, held in memory: a few thousand of them fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.preprocess import Box, prepare, to_picture
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row
from inference.training.recipe import Recipe

__all__ = ["TASKS", "Dataset", "build", "read_grey", "recognition_targets"]

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
        By task: (n, classes), float32; NaN where unknown.
    masks
        Shape (n, size, size), uint8 codes, or None.
    groups, sources
        Length n.
    weights
        Length n, the probability of being drawn; sums to one.
    """

    pictures: NDArray[np.uint8]
    targets: dict[str, NDArray[np.float32]]
    masks: NDArray[np.uint8] | None
    groups: tuple[str, ...]
    sources: tuple[str, ...]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.pictures)


def read_grey(path: Path) -> NDArray[np.uint8]:
    """An 8-bit picture file as (rows, columns), uint8.

    Raises
    ------
    BadInputError
        When it cannot be decoded.
    """
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise BadInputError(f"{path.name} cannot be read as a picture.")
    return np.asarray(picture, dtype=np.uint8)


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


def _balanced(classes: Sequence[str], strata: Sequence[str]) -> NDArray[np.float64]:
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


def _recognition(rows: Iterable[Row], recipe: Recipe) -> Dataset:
    chosen: list[Row] = []
    targets: list[dict[str, NDArray[np.float32]]] = []
    for row in rows:
        if row.role != "image" or row.task not in {"cxr_classification", "ct_classification"}:
            continue
        if row.modality not in recipe.data.modalities:
            continue
        target = recognition_targets(row)
        if target is not None:
            chosen.append(row)
            targets.append(target)
    classes = [f"{r.modality}/{r.label in _COVID}" for r in chosen]
    strata = [f"{r.source}/{r.label}" for r in chosen]
    return Dataset(
        pictures=_prepared(chosen, recipe.size),
        targets={task: np.stack([t[task] for t in targets]) for task in ("covid-2", "cxr-4")},
        masks=None,
        groups=tuple(r.group for r in chosen),
        sources=tuple(r.source for r in chosen),
        weights=_balanced(classes, strata),
    )


def _normal_slices(
    rows: Sequence[Row], groups: Sequence[str], size: int
) -> tuple[list[NDArray[np.uint8]], list[str]]:
    """Lung slices of whole DICOM series without manifestations, cut to the lungs' box."""
    from inference.lungs import find_lungs
    from inference.studies import load, main_series, scan

    pictures: list[NDArray[np.uint8]] = []
    owners: list[str] = []
    for group in groups:
        files = [r.path for r in rows if r.group == group and r.role == "dicom"]
        if not files:
            continue
        _, series = main_series(scan(files[0].parent))
        volume = load(series)
        lungs = find_lungs(volume)
        if not lungs.found:
            raise BadInputError(f"No lungs were found in the series of group {group}.")
        box = Box.around(lungs.mask)
        for index in np.flatnonzero(lungs.slices):
            pictures.append(prepare(to_picture(volume, int(index)), size, box))
            owners.append(group)
    return pictures, owners


def _with_normals(
    own: Dataset, rows: Sequence[Row], recipe: Recipe, folds: dict[str, int], wanted: set[int]
) -> Dataset:
    allowed = [g for g in recipe.data.dicom_normals if folds.get(g) in wanted]
    pictures, owners = _normal_slices(rows, allowed, recipe.size)
    if not pictures:
        return own
    extra = len(pictures)
    share = recipe.data.normals_share
    masks = None
    if own.masks is not None:
        masks = np.concatenate([own.masks, np.zeros_like(pictures)])
    return Dataset(
        pictures=np.concatenate([own.pictures, np.stack(pictures)]),
        targets={
            task: np.concatenate([t, np.zeros((extra, t.shape[1]), dtype=np.float32)])
            for task, t in own.targets.items()
        },
        masks=masks,
        groups=own.groups + tuple(owners),
        sources=own.sources + ("dicom_normal",) * extra,
        weights=np.concatenate([own.weights * (1 - share), np.full(extra, share / extra)]),
    )


def _lesions(rows: Sequence[Row], recipe: Recipe) -> Dataset:
    masks_of = {r.image: r.path for r in rows if r.role == "mask" and r.task == "ct_segmentation"}
    chosen = [
        r for r in rows
        if r.role == "image" and r.task == "ct_segmentation" and r.path in masks_of
    ]  # fmt: skip
    codes = [read_grey(masks_of[r.path]) for r in chosen]
    present = np.full((len(chosen), len(CODES)), np.nan, dtype=np.float32)
    for index, mask in enumerate(codes):
        if not (mask == IGNORE).any():
            present[index] = [(mask == code).any() for code in CODES.values()]
    side = (recipe.size, recipe.size)
    resized = [cv2.resize(m, side, interpolation=cv2.INTER_NEAREST) for m in codes]
    # Effusion stands in a quarter of the slices and is thin there.
    effusion = np.nan_to_num(present[:, 2]).astype(np.float64)
    weights = 1.0 + 1.5 * effusion
    return Dataset(
        pictures=_prepared(chosen, recipe.size),
        targets={"manifestations": present},
        masks=np.stack(resized).astype(np.uint8),
        groups=tuple(r.group for r in chosen),
        sources=tuple(r.source for r in chosen),
        weights=weights / weights.sum(),
    )


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
    }
    try:
        own = makers[recipe.kind](kept, recipe)
    except ValueError as error:
        raise BadInputError(
            f"The manifest has no rows for recipe {recipe.name} in folds {sorted(inside)}."
        ) from error
    if recipe.kind == "recognition" or not recipe.data.dicom_normals:
        return own
    return _with_normals(own, kept, recipe, folds, inside)
