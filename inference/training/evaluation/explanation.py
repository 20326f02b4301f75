"""Whether heatmaps point at lungs and lesions, and whether they depend on what was learned.

The class explained is COVID-19, whatever the picture's label. Maps are made as the window makes
them and compared on the grid of the picture. Beside every share of heat stands that of an even
map, which is the chance level.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.explain import evidence, to_heat
from inference.heat_energy import MOST, energy_inside, points_inside
from inference.models import ModelRecord
from inference.networks.recognition import Recogniser
from inference.preprocess import Box, prepare, restore, to_picture, to_tensor
from inference.training.datasets import TASKS
from inference.training.evaluation.figure import (
    SPLITS,
    Figure,
    Job,
    Scorer,
    lesion_rows,
    mean,
    split_of,
)
from inference.training.losses import IGNORE
from inference.training.manifest import Row
from inference.training.pictures import read_grey
from inference.training.randomisation import HEADS, cascade, rank_correlation

__all__ = ["SAMPLE", "SLICES", "TITLES", "figures"]

TITLES = {
    "heat": "Heatmaps of COVID-19: how much of the heat lies in lungs and lesions",
    "randomisation": "Heatmaps of COVID-19: cascading randomisation of the network",
}

SAMPLE: Final = 16
"""Pictures a model and split that are looked at through a randomised network, evenly spaced in
the order of the manifest."""

SLICES: Final = 8
"""Slices with lung of a CT series, evenly spaced."""

_BATCH: Final = 16
_TASK: Final = "covid-2"
_CLASS: Final = TASKS[_TASK].index("COVID-19")
_LUNGS: Final = (1, 2)
_LESIONS: Final = (1, 2, 3)
"""Codes of masks; in those of X-rays 4 is a pneumothorax, which is no pneumonia."""


@dataclass(frozen=True, eq=False, slots=True)
class _Item:
    """A picture as the network sees it, and where the evidence may lie.

    Parameters
    ----------
    group, split
        Whose it is, and how far the model knows it.
    picture
        Shape (size, size), uint8, out of `preprocess.prepare`.
    region, seen
        Shape (rows, columns) of the source, bool: the lungs or lesions, and where it is known what
        is there and the network saw it.
    box
        Which part of the source the picture is.
    """

    group: str
    split: str
    picture: NDArray[np.uint8]
    region: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    box: Box | None = None


def figures(job: Job) -> list[Figure]:
    """Score the heatmaps of every recogniser, on pictures of its own kind with masks."""
    result: list[Figure] = []
    for record in job.of_kind("recognition"):
        network = job.engine.network(record)
        if not isinstance(network, Recogniser) or _TASK not in record.network["heads"]:
            continue
        heat = Scorer(record.name, "heat")
        randomisation = Scorer(record.name, "randomisation")
        sources = _xrays(job, record) if record.reads == "CXR" else _cts(job, record)
        for number, (source, items) in enumerate(sources):
            for split in SPLITS:
                chosen = [item for item in items if item.split == split]
                if chosen:
                    job.progress.report(f"Explaining {record.name}", number, number + 1)
                    _add_heat(heat, job, network, source, chosen)
                    if number == 0:
                        _add_randomisation(randomisation, job, network, source[0], chosen)
        result += heat.figures + randomisation.figures
    return result


# -- pictures --------------------------------------------------------------------------------


def _item(record: ModelRecord, group: str, image: Path, mask: Path, codes: Sequence[int]) -> _Item:
    values = read_grey(mask)
    return _Item(
        group,
        split_of(record, group),
        prepare(read_grey(image), record.size),
        np.isin(values, codes),
        values != IGNORE,
    )


def _xrays(job: Job, record: ModelRecord) -> Iterator[tuple[tuple[str, str], list[_Item]]]:
    images = {r.path: r for r in job.rows if r.role == "image"}
    masks = [
        (images[r.image], r) for r in job.rows
        if r.role == "mask" and r.image in images and split_of(record, r.group) in job.splits
    ]  # fmt: skip
    for task, is_lungs in (
        ("cxr_lung_segmentation", True),
        ("cxr_lesion_segmentation", True),
        ("cxr_lesion_segmentation", False),
    ):
        pairs = [
            (image, mask) for image, mask in masks
            if mask.task == task and (mask.label == "lungs") == is_lungs
        ]  # fmt: skip
        chosen = [
            _item(record, image.group, image.path, mask.path, _LUNGS if is_lungs else _LESIONS)
            for image, mask in pairs
        ]
        sources = _named(mask for _, mask in pairs)
        yield (f"X-ray ({sources})", "lungs" if is_lungs else "lesions"), chosen


def _named(rows: Iterable[Row]) -> str:
    return " + ".join(sorted({r.source for r in rows}))


def _cts(job: Job, record: ModelRecord) -> Iterator[tuple[tuple[str, str], list[_Item]]]:
    pairs = lesion_rows(job.rows, (record,), job.splits)
    slices = [_item(record, row.group, row.path, mask, _LESIONS) for row, mask in pairs]
    yield (f"CT ({_named(row for row, _ in pairs)})", "lesions"), slices
    series = _named(r for r in job.rows if r.task == "dicom_ct_series")
    yield (f"CT series ({series})", "lungs as found"), list(_series(job, record))


def _series(job: Job, record: ModelRecord) -> Iterator[_Item]:
    """Slices of whole series, cut to the lungs as they are for the reader."""
    from inference.studies import load, main_series, scan
    from inference.systems.elbana.planning import make_plan

    folders = {
        r.group: r.path.parent for r in job.rows
        if r.task == "dicom_ct_series" and r.role == "dicom"
        and split_of(record, r.group) in job.splits
    }  # fmt: skip
    for group, folder in sorted(folders.items()):
        volume = load(main_series(scan(folder))[1])
        plan = make_plan(volume)
        if plan.lungs is None or plan.box is None:
            continue
        for index in plan.indices[_spaced(len(plan.indices), SLICES)]:
            yield _Item(
                group,
                split_of(record, group),
                prepare(to_picture(volume, int(index)), record.size, plan.box),
                plan.lungs.mask[index],
                plan.box.mask(volume.shape[1:]),
                plan.box,
            )


def _spaced(count: int, wanted: int) -> NDArray[np.intp]:
    """Indices of at most that many of `count`, evenly spaced from first to last."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.intp))


# -- scores ----------------------------------------------------------------------------------


def _evidence(job: Job, network: Recogniser, items: Sequence[_Item]) -> NDArray[np.float32]:
    pictures = np.stack([item.picture for item in items])
    parts = [
        evidence(network, to_tensor(pictures[i : i + _BATCH]).to(job.engine.device), _TASK, _CLASS)
        for i in range(0, len(pictures), _BATCH)
    ]
    return np.concatenate(parts)


def _add_heat(
    scorer: Scorer,
    job: Job,
    network: Recogniser,
    source: tuple[str, str],
    items: list[_Item],
) -> None:
    """Add shares of heat, chance level and pointing game, over the pictures with heat and region.

    Where nothing speaks for the class there is no heat to lie anywhere; those are counted apart.
    """
    there = [item for item in items if (item.region & item.seen).any()]
    if not there:
        return
    rows, groups, without = [], [], []
    for item, values in zip(there, _evidence(job, network, there), strict=True):
        heat = restore(to_heat(values)[np.newaxis], item.region.shape, item.box)[0]
        energy = energy_inside(heat, item.region, item.seen)
        without.append(float(energy is None))
        if energy is not None:
            hit = points_inside(heat, item.region, item.seen)
            rows.append((energy.inside, energy.even, float(bool(hit))))
            groups.append(item.group)
    name, split = ", ".join(source), there[0].split
    cold = np.array(without)
    scorer.add(
        name,
        split,
        [item.group for item in there],
        lambda i: {"pictures without any heat": mean(cold[i])},
    )
    if not rows:
        return
    inside, even, hits = np.array(rows).T
    in_lungs = source[1].startswith("lungs")
    outside = (inside < 1.0 - MOST).astype(np.float64)

    def statistic(i: NDArray[np.intp]) -> dict[str, float]:
        # No warning depends on how much lies in the lesions, which take a small part of a picture.
        warned = {"pictures with most of the heat outside": mean(outside[i])} if in_lungs else {}
        return {
            "heat inside": mean(inside[i]),
            "heat inside, even map (chance)": mean(even[i]),
            "heat inside, above chance": mean(inside[i] - even[i]),
            **warned,
            "hottest point inside": mean(hits[i]),
        }

    scorer.add(name, split, groups, statistic)


def _add_randomisation(
    scorer: Scorer, job: Job, network: Recogniser, source: str, items: list[_Item]
) -> None:
    """Add rank correlations with the trained network's maps, on a fixed sample.

    Beside them stand two levels to judge them by: that of maps with their positions shuffled,
    which is chance (not 0, for a map has few positions), and that of another picture's map, which
    is how far the maps of the trained network are one and the same.
    """
    chosen = [items[i] for i in _spaced(len(items), SAMPLE)]
    x = to_tensor(np.stack([item.picture for item in chosen])).to(job.engine.device)
    maps = _evidence(job, network, chosen)
    shuffled = np.random.default_rng(0).permuted(maps.reshape(len(maps), -1), axis=1)
    found = [("nothing, positions shuffled (chance)", _pairwise(maps, shuffled))]
    if len(chosen) > 1:
        others = _pairwise(maps, np.roll(maps, 1, axis=0))
        found.append(("nothing, another picture's map", others))
    for step in cascade(network, x, _TASK, _CLASS, report=(HEADS, *network.landmarks)):
        found.append((f"down to {step.layer}", step.correlation))
    for name, correlation in found:
        known = np.flatnonzero(np.isfinite(correlation))
        if len(known):
            # The sign of a randomised head is chance.
            magnitude = np.abs(correlation[known])
            scorer.add(
                f"{source}, randomised: {name}",
                chosen[0].split,
                [chosen[i].group for i in known],
                partial(_rank_statistic, magnitude),
            )


def _pairwise(maps: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.array([rank_correlation(a, b) for a, b in zip(maps, others, strict=True)])


def _rank_statistic(magnitude: NDArray[np.float64], indices: NDArray[np.intp]) -> dict[str, float]:
    return {"rank correlation, mean magnitude": mean(magnitude[indices])}
