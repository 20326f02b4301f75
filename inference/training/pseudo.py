"""Masks that a model draws on unlabelled slices, for another model to learn from.

With few annotated slices this is the lever that the literature found worth most (Inf-Net: Fan et
al. 2020, Semi-Inf-Net). Where the teacher is not sure the mask says so, and carries no gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.engine import Engine
from inference.errors import BadInputError
from inference.findings import Manifestation
from inference.framing import frame
from inference.models import ModelRecord, ModelStore
from inference.preprocess import prepare, restore
from inference.progress import Progress
from inference.systems.elbana import mean_of_networks, stream_probabilities
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row
from inference.training.pictures import read_grey

__all__ = ["SURE", "UNSURE", "pseudo_codes", "unlabelled", "write_pseudo_labels"]

SURE = 0.6
"""A class is written where its probability is at least this."""
UNSURE = 0.3
"""Background is written where no class reaches this; between the two is left open."""

_SPINE_LEFT = "spine left"
_SPINE_RIGHT = "radiopaedia"
"""The covid20 slices of this origin lie the other way round, whatever their note says."""


def upright(row: Row, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with the patient on the back, as all others are; the manifest says if it lies."""
    if _SPINE_LEFT not in row.notes:
        return picture
    turns = -1 if _SPINE_RIGHT in row.path.name else 1
    return np.ascontiguousarray(np.rot90(picture, turns))


def unlabelled(rows: Iterable[Row]) -> list[Row]:
    """The CT slices that have no mask."""
    return [r for r in rows if r.role == "image" and r.task == "ct_unlabelled"]


def mask_path(folder: Path, row: Row) -> Path:
    """Where the mask of a slice is kept."""
    return folder / f"{row.path.stem}.png"


def pseudo_codes(probabilities: dict[Manifestation, NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Codes of the sure pixels, `IGNORE` for the others.

    Parameters
    ----------
    probabilities
        By manifestation: shape (rows, columns).

    Returns
    -------
    ndarray
        Shape (rows, columns), uint8; where two are sure the more probable one stands.
    """
    keys = list(Manifestation)
    stacked = np.stack([probabilities[key] for key in keys])
    best = stacked.max(axis=0)
    codes = np.array([CODES[key.value] for key in keys], dtype=np.uint8)[stacked.argmax(axis=0)]
    codes = np.where(best >= SURE, codes, np.where(best < UNSURE, 0, IGNORE))
    return np.asarray(codes, dtype=np.uint8)


def write_pseudo_labels(
    rows: Sequence[Row],
    store: ModelStore,
    folder: Path,
    *,
    form: str = "default",
    device: str = "auto",
    progress: Progress | None = None,
) -> int:
    """Draw masks on the unlabelled slices, averaged over the slice and its mirror picture.

    Parameters
    ----------
    rows
        Of `manifest.read_manifest`.
    store, form
        The teacher: whose streams, in which form.
    folder
        Gets one PNG of codes a slice.
    device
        As `inference.device.choose`.
    progress
        Told as it goes.

    Returns
    -------
    int
        Number of masks written.

    Raises
    ------
    BadInputError
        When the manifest has no unlabelled slice.
    """
    chosen = unlabelled(rows)
    if not chosen:
        raise BadInputError("The manifest has no slices of the task ct_unlabelled to draw on.")
    folder.mkdir(parents=True, exist_ok=True)
    engine = Engine(store, device)
    pictures = [upright(row, read_grey(row.path)) for row in chosen]
    records = store.streams(form)
    boxes = [frame(picture, records[0].framing) for picture in pictures]
    parts = []
    for record in records:
        prepared = np.stack(
            [prepare(p, record.size, box) for p, box in zip(pictures, boxes, strict=True)]
        )
        straight = _maps(engine, record, prepared, progress or Progress())
        mirrored = _maps(engine, record, prepared[..., ::-1].copy(), progress or Progress())
        half = np.float32(0.5)
        parts.append({k: half * (v + mirrored[k][..., ::-1]) for k, v in straight.items()})
    maps = mean_of_networks(parts)
    for index, (row, picture, box) in enumerate(zip(chosen, pictures, boxes, strict=True)):
        whole = {
            key: restore(values[index][np.newaxis], picture.shape, box)[0]
            for key, values in maps.items()
        }
        cv2.imwrite(str(mask_path(folder, row)), pseudo_codes(whole))
    return len(chosen)


def _maps(
    engine: Engine, record: ModelRecord, pictures: NDArray[np.uint8], progress: Progress
) -> dict[Manifestation, NDArray[np.float32]]:
    parts: dict[Manifestation, list[NDArray[np.float32]]] = {}
    for _, output in engine.run(record, pictures, f"Drawing with {record.name}", progress, 16, []):
        for key, values in stream_probabilities(output, record.silent).items():
            parts.setdefault(key, []).append(values)
    return {key: np.concatenate(values) for key, values in parts.items()}
