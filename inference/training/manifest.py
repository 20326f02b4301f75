"""``manifest.csv``: which pictures there are, what they show and whom they belong to."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from inference.errors import BadInputError

__all__ = ["FOLDS", "Row", "fold_of_groups", "read_manifest"]

FOLDS = 5
FOLD_SEED = 2020

_COLUMNS = {"path", "role", "image_path", "task", "source", "label", "split_group"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the manifest.

    Parameters
    ----------
    path
        The file, absolute.
    role
        ``"image"``, ``"mask"``, ``"dicom"`` or ``"volume"``.
    image
        Of a mask: the picture it belongs to.
    task, source, modality, label
        As in the file.
    group
        Never divided between training and validation.
    notes
        As in the file; "" where it has none.
    """

    path: Path
    role: str
    image: Path | None
    task: str
    source: str
    modality: str
    label: str
    group: str
    notes: str = ""


def read_manifest(folder: Path) -> tuple[Row, ...]:
    """Read ``manifest.csv`` of a data folder.

    Raises
    ------
    BadInputError
        When there is no manifest, or it lacks a column or a row.
    """
    path = folder / "manifest.csv"
    if not path.is_file():
        raise BadInputError(f"{folder} holds no manifest.csv; name the folder that does.")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = _COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise BadInputError(f"{path} lacks the columns {', '.join(sorted(missing))}.")
        rows = tuple(
            Row(
                path=folder / line["path"],
                role=line["role"],
                image=folder / line["image_path"] if line["image_path"] else None,
                task=line["task"],
                source=line["source"],
                modality=line.get("modality") or "",
                label=line["label"],
                group=line["split_group"],
                notes=line.get("notes") or "",
            )
            for line in reader
        )
    if not rows:
        raise BadInputError(f"{path} has no rows.")
    return rows


def fold_of_groups(rows: Iterable[Row], folds: int = FOLDS) -> dict[str, int]:
    """Deal the groups of a data folder into folds, alike in source and label.

    A group has one fold whatever the task, so a patient who appears in several tasks never stands
    on both sides.

    Parameters
    ----------
    rows
        All rows of the manifest (not those of one task).
    folds
        Number of folds.

    Returns
    -------
    dict
        Fold (0 to folds - 1) by group.
    """
    chosen: Sequence[Row] = [r for r in rows if r.role != "mask"]
    groups = np.array([r.group for r in chosen])
    strata = np.unique([f"{r.task}/{r.source}/{r.label}" for r in chosen], return_inverse=True)[1]
    # Strata smaller than the number of folds cannot be spread; they are dealt as one.
    counts = np.bincount(strata)
    strata = np.where(counts[strata] < folds, -1, strata)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=FOLD_SEED)
    result: dict[str, int] = {}
    for fold, (_, held_out) in enumerate(splitter.split(groups, strata, groups)):
        result.update(dict.fromkeys(groups[held_out].tolist(), fold))
    return result
