"""What the detector of `inference.domain` learns from, and how its thresholds are chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from inference.domain import LEAST_LUNG_SHARE, body_pixels
from inference.lungs import find_lungs
from inference.models import ModelRecord
from inference.networks.domain import DomainNetwork
from inference.networks.factory import make_network
from inference.preprocess import prepare, to_picture, to_tensor
from inference.studies.model import Volume
from inference.training.datasets import Dataset, balanced, build
from inference.training.manifest import Row
from inference.training.oddities import DERIVED, MADE, project
from inference.training.pictures import read_grey
from inference.training.recipe import Recipe

__all__ = ["CLASSES", "DomainPicture", "chest_rows", "domain_dataset", "odd_pictures",
           "projections", "series_slices", "thresholds"]  # fmt: skip

CLASSES = DomainNetwork.CLASSES
CHEST_TASKS = ("cxr_classification", "cxr_lesion_segmentation", "ct_classification",
               "ct_segmentation")  # fmt: skip
VOLUME_TASKS = ("dicom_ct_series", "ct_lung_segmentation")
LUNGLESS_SHARE = 0.03
"""Slices of a chest series with less lung than this show shoulders or abdomen."""
ODD_EACH = 150
"""Pictures of each odd kind."""
PROJECTED_EACH = 20
"""Frontal projections, and lateral ones, of each series."""
FLAGGED_CHEST = 0.01
"""Share of the validation chest pictures that the threshold flags. At most 3 % are wanted; the rest
is room for hospitals that are not among the validation groups."""
HIGHEST = 0.9
"""No threshold is higher, however sure the network is of the validation pictures."""
_WORK_LIMIT = 512


@dataclass(frozen=True, eq=False, slots=True)
class DomainPicture:
    """A picture and what it is.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8, not yet prepared.
    kind
        Of `CLASSES`.
    source, group
        Source of the manifest or kind of oddity, and whose picture it comes from.
    """

    picture: NDArray[np.uint8]
    kind: str
    source: str
    group: str


def chest_rows(rows: Sequence[Row]) -> list[Row]:
    """Rows that are one chest picture each."""
    return [r for r in rows if r.role == "image" and r.task in CHEST_TASKS]


def _small(path: Path) -> NDArray[np.uint8]:
    """A picture of at most 512 pixels a side: what is made of it is reduced further anyway."""
    picture = read_grey(path)
    factor = _WORK_LIMIT / max(picture.shape)
    if factor >= 1.0:
        return picture
    small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def volumes(rows: Sequence[Row]) -> Iterator[tuple[Volume, str, str]]:
    """Chest CT series in HU with source and group."""
    from inference.studies import load, main_series, scan

    places = {}
    for row in rows:
        if row.task in VOLUME_TASKS and row.role in {"dicom", "volume"}:
            place = row.path.parent if row.role == "dicom" else row.path
            places[place] = (row.source, row.group)
    for place, (source, group) in sorted(places.items()):
        yield load(main_series(scan(place))[1]), source, group


def series_slices(volume: Volume, source: str, group: str) -> list[DomainPicture]:
    """Slices of a chest series: those with enough lung are CT, those without are something else.

    Slices in between (apices, bases) are neither and left out.
    """
    share = find_lungs(volume).mask.sum(axis=(1, 2)) / body_pixels(volume)
    result = []
    for index, value in enumerate(share):
        if value >= LEAST_LUNG_SHARE:
            result.append(DomainPicture(to_picture(volume, index), "CT", source, group))
        elif value < LUNGLESS_SHARE:
            picture = to_picture(volume, index)
            result.append(DomainPicture(picture, "other", "slice without lung", group))
    return result


def projections(volume: Volume, source: str, group: str, seed: int, each: int
) -> list[DomainPicture]:  # fmt: skip
    """Frontal and lateral X-rays computed from a CT series, as many of either."""
    chooser = np.random.default_rng(seed)
    result = []
    for _ in range(each):
        turn = chooser.uniform(-10, 10)
        front = project(volume.array, volume.spacing, turn)
        result.append(DomainPicture(front, "CXR", f"projected, {source}", group))
        side = float(chooser.choice([-90, 90]))
        lateral = project(volume.array, volume.spacing, side + chooser.uniform(-25, 25))
        result.append(DomainPicture(lateral, "other", "lateral projection", group))
    return result


def odd_pictures(rows: Sequence[Row], seed: int, each: int = ODD_EACH) -> Iterator[DomainPicture]:
    """Pictures that are no chest: from chest pictures of these rows, and from nothing.

    Parameters
    ----------
    rows
        Of `chest_rows`; their groups stand on the new pictures.
    seed
        The same seed gives the same pictures.
    each
        So many of each kind.
    """
    chooser = np.random.default_rng(seed)
    by_modality = [[r for r in rows if r.modality == m] for m in ("CT", "CXR")]
    for kind, make in DERIVED.items():
        for index in range(each):
            source = by_modality[0 if kind == "airless" else index % 2]
            source = source or by_modality[1 if kind != "airless" else 0]
            if not source:
                break
            row = source[int(chooser.integers(len(source)))]
            yield DomainPicture(make(_small(row.path), chooser), "other", kind, row.group)
    for kind, make_from_nothing in MADE.items():
        for index in range(each):
            made = make_from_nothing(chooser)
            yield DomainPicture(made, "other", kind, f"made, {kind} {index}")


def domain_dataset(rows: Sequence[Row], recipe: Recipe) -> Dataset:
    """Chest pictures, chest series and odd pictures of some rows, with their class.

    Raises
    ------
    ValueError
        When the rows hold no chest picture.
    """
    chest = chest_rows(rows)
    pictures: list[NDArray[np.uint8]] = []
    kinds: list[str] = []
    sources: list[str] = []
    groups: list[str] = []

    def add(item: DomainPicture) -> None:
        pictures.append(prepare(item.picture, recipe.size))
        kinds.append(item.kind)
        sources.append(item.source)
        groups.append(item.group)

    for row in chest:
        add(DomainPicture(read_grey(row.path), row.modality, row.source, row.group))
    # Folds differ in the number of rows, so that each gets odd pictures of its own.
    for item in odd_pictures(chest, recipe.seed + len(chest)):
        add(item)
    for volume, source, group in volumes(rows):
        for item in series_slices(volume, source, group):
            add(item)
        for item in projections(volume, source, group, recipe.seed, each=PROJECTED_EACH):
            add(item)
    target = np.eye(len(CLASSES), dtype=np.float32)[[CLASSES.index(k) for k in kinds]]
    return Dataset(
        pictures=np.stack(pictures),
        targets={"domain": target},
        masks=None,
        groups=tuple(groups),
        sources=tuple(sources),
        weights=balanced(kinds, sources),
    )


def thresholds(network: nn.Module, data: Dataset) -> dict[str, float]:
    """Least probability of its own class with which a chest picture is let pass.

    Parameters
    ----------
    network
        The trained detector, in evaluation mode on the CPU.
    data
        `domain_dataset` of the validation folds.

    Returns
    -------
    dict
        By modality (``"CXR"``, ``"CT"``): the value below which lie `FLAGGED_CHEST` of the
        chest pictures, but at most `HIGHEST`.
    """
    probability = probabilities(network, data.pictures)
    truth = data.targets["domain"].argmax(axis=1)
    result = {}
    for column, name in enumerate(CLASSES[:2]):
        own = probability[truth == column, column]
        least = float(np.quantile(own, FLAGGED_CHEST)) if len(own) else HIGHEST
        result[name] = round(min(HIGHEST, least), 4)
    return result


def with_thresholds(
    record: ModelRecord,
    weights: Path,
    rows: Sequence[Row],
    recipe: Recipe,
    folds: dict[str, int],
) -> ModelRecord:
    """The record of a fresh detector with thresholds chosen on the validation folds.

    Pictures made from nothing belong to no group and leave the list of those trained on.

    Parameters
    ----------
    record, weights, recipe
        Of the run.
    rows, folds
        The manifest and its folds.
    """
    network = make_network(recipe.kind, recipe.network)
    network.load_state_dict(load_file(weights))
    data = build(rows, recipe, folds, recipe.data.validation_folds)
    trained = tuple(g for g in record.split.trained_groups if g in folds)
    return replace(
        record,
        thresholds=thresholds(network.float().eval(), data),
        split=replace(record.split, trained_groups=trained),
    )


@torch.inference_mode()
def probabilities(network: nn.Module, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Probabilities (n, classes) of prepared pictures (n, size, size)."""
    parts = [
        network(to_tensor(pictures[i : i + 64]))["domain"] for i in range(0, len(pictures), 64)
    ]
    return np.asarray(torch.cat(parts).double().softmax(dim=1).numpy(), dtype=np.float64)
