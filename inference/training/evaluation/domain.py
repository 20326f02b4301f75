"""How often the check of `inference.domain` flags chests, and how often what is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.domain import examine, judge_probabilities
from inference.errors import BadInputError
from inference.lungs import find_lungs
from inference.models import ModelRecord
from inference.preprocess import prepare, to_picture
from inference.studies.model import Volume
from inference.training.domain import (
    DomainPicture,
    chest_rows,
    odd_pictures,
    projections,
    series_slices,
    volumes,
)
from inference.training.evaluation.figure import (
    SPLITS,
    Figure,
    Job,
    Scorer,
    mean,
    outputs,
    softmax,
    split_of,
)
from inference.training.manifest import Row
from inference.training.pictures import read_grey

__all__ = ["TITLES", "figures"]

TITLES = {
    "domain, chest": "Is it a chest: chest pictures that are flagged (fewer is better)",
    "domain, odd": "Is it a chest: other pictures that are flagged (more is better)",
}
METRIC = "share flagged"
ODD_EACH = 60
"""Pictures of each odd kind."""
PROJECTED_EACH = 10
SEED = 90210
"""Far from those of training, so that no odd picture is scored that was trained on."""
WRONG_HEADER = "nih_dx, X-ray whose header says CT"


def figures(job: Job) -> list[Figure]:
    """Score the detector of the store, and the rules on CT in HU."""
    return [f for record in job.of_kind("domain") for f in _of_model(job, record)]


def _of_model(job: Job, record: ModelRecord) -> list[Figure]:
    known = [r for r in job.rows if split_of(record, r.group) in job.splits]
    chest, odd = Scorer(record.name, "domain, chest"), Scorer(record.name, "domain, odd")
    for which in (s for s in SPLITS if s in job.splits):
        rows = [r for r in known if split_of(record, r.group) == which]
        _add_pictures(job, record, which, rows, chest, odd)
    _add_whole(job, record, known, chest, odd)
    return [f for f in chest.figures + odd.figures if np.isfinite(f.value)]


def _add(
    scorer: Scorer, source: str, split: str, groups: Sequence[str], flagged: Sequence[bool]
) -> None:
    values = np.array(flagged, dtype=np.float64)
    scorer.add(source, split, groups, lambda i: {METRIC: mean(values[i])})


def _flags(
    job: Job, record: ModelRecord, pictures: Sequence[NDArray[np.uint8]]
) -> dict[str, NDArray[np.bool_]]:
    """By modality, which of some pictures are flagged when they are said to be of it."""
    prepared = np.stack([prepare(p, record.size) for p in pictures])
    probability = softmax(outputs(job, record, prepared)["domain"])
    return {
        modality: np.array([
            not judge_probabilities(p, is_ct=modality == "CT", record=record).within
            for p in probability
        ])
        for modality in ("CXR", "CT")
    }  # fmt: skip


def _add_pictures(
    job: Job, record: ModelRecord, split: str, rows: Sequence[Row], chest: Scorer, odd: Scorer
) -> None:
    """What the network says of single pictures."""
    chosen = chest_rows(rows)
    if chosen:
        flags = _flags(job, record, [read_grey(r.path) for r in chosen])
        sources = np.array([f"{r.modality}, {r.source}" for r in chosen])
        groups = np.array([r.group for r in chosen])
        modality = np.array([r.modality for r in chosen])
        for name, other in (("CXR", "CT"), ("CT", "CXR")):
            index = np.flatnonzero(modality == name)
            if not len(index):
                continue
            owners = groups[index].tolist()
            _add(chest, f"{name}, all sources", split, owners, flags[name][index].tolist())
            source = f"{name} said to be {other}"
            _add(odd, source, split, owners, flags[other][index].tolist())
        for source in sorted(set(sources.tolist())):
            index = np.flatnonzero(sources == source)
            flagged = flags[source.split(",")[0]][index].tolist()
            _add(chest, source, split, groups[index].tolist(), flagged)
    items = [*_odd(chosen, split), *_from_series(rows), *_turned_slices(rows)]
    if split == "test":
        items += _photographs()
    if not items:
        return
    flags = _flags(job, record, [item.picture for item in items])
    for kind, source in sorted({(item.kind, item.source) for item in items}):
        places = [i for i, m in enumerate(items) if (m.kind, m.source) == (kind, source)]
        owners = [items[i].group for i in places]
        if kind == "other":
            # Whatever it is said to be: it counts as flagged when no modality lets it pass.
            both = flags["CXR"] & flags["CT"]
            _add(odd, source, split, owners, both[places].tolist())
        else:
            _add(chest, f"{kind}, {source}", split, owners, flags[kind][places].tolist())


def _odd(chest: Sequence[Row], split: str) -> Iterator[DomainPicture]:
    if chest:
        # Those that are made from nothing belong to nobody; they are scored once.
        for item in odd_pictures(chest, SEED + len(chest), ODD_EACH):
            if split == "test" or not item.group.startswith("made, "):
                yield item


def _from_series(rows: Sequence[Row]) -> Iterator[DomainPicture]:
    for volume, source, group in volumes(rows):
        for item in series_slices(volume, f"slices of {source}", group):
            yield item
        for item in projections(volume, source, group, SEED, PROJECTED_EACH):
            yield item


def _turned_slices(rows: Iterable[Row]) -> Iterator[DomainPicture]:
    """Real CT slices of chests that lie on their side."""
    for row in rows:
        if row.task == "ct_unlabelled" and row.role == "image":
            source = f"{row.source}, slices lying on their side"
            yield DomainPicture(read_grey(row.path), "other", source, row.group)


def _photographs() -> list[DomainPicture]:
    """The two photographs that come with scikit-learn."""
    from sklearn.datasets import load_sample_images

    return [
        DomainPicture(
            np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8),
            "other",
            "photographs (scikit-learn)",
            name,
        )
        for image, name in zip(load_sample_images().images, ("temple", "flower"), strict=True)
    ]


def _verdict(job: Job, volume: Volume) -> bool | None:
    """Whether a volume is flagged or refused, as the program does it; None: not judged."""
    lungs = find_lungs(volume) if volume.is_ct else None
    try:
        domain, _ = examine(volume, lungs, job.engine, job.progress, [])
    except BadInputError:
        return True
    return None if domain is None else not domain.within


def _add_whole(
    job: Job, record: ModelRecord, rows: Sequence[Row], chest: Scorer, odd: Scorer
) -> None:
    """What the program says of whole series, and of single DICOM objects."""
    from inference.studies import load, main_series, scan

    results: dict[tuple[str, str, str], list[tuple[str, bool]]] = {}

    def note(kind: str, source: str, group: str, flagged: bool | None) -> None:
        if flagged is not None:
            key = (kind, source, split_of(record, group))
            results.setdefault(key, []).append((group, flagged))

    for volume, source, group in volumes(rows):
        note("chest", f"{source}, whole series (HU)", group, _verdict(job, volume))
    for row in rows:
        if row.task == "ct_volume" and row.role == "volume":
            volume = load(main_series(scan(row.path))[1])
            source = f"{row.source}, cropped series (HU)"
            note("chest", source, row.group, _verdict(job, volume))
        if row.task != "dicom_odd" or row.role != "dicom":
            continue
        try:
            volume = load(main_series(scan(row.path))[1])
        except BadInputError:
            continue  # no image, e.g. a segmentation: refused before anybody looks at it
        flagged = _verdict(job, volume)
        if row.label == "chest_dx" and volume.modality == "CT":
            note("odd", WRONG_HEADER, row.group, flagged)
        elif row.label.startswith("chest"):
            note("chest", f"DICOM, {row.label}", row.group, flagged)
            note("chest", "DICOM, all chest objects", row.group, flagged)
        else:
            note("odd", f"DICOM, {row.label}", row.group, flagged)
            note("odd", "DICOM, all odd objects", row.group, flagged)
            picture = to_picture(volume, volume.shape[0] // 2)
            both = _flags(job, record, [picture])
            note("odd", "DICOM, odd objects as 8-bit CT pictures", row.group, bool(both["CT"][0]))
    for (kind, source, split), found in sorted(results.items()):
        scorer = chest if kind == "chest" else odd
        _add(scorer, source, split, [g for g, _ in found], [f for _, f in found])
