"""CT slices with lesion masks: annotated ones, healthy ones, and ones with drawn effusions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.errors import BadInputError
from inference.framing import WHOLE, aerated_lungs, frame
from inference.preprocess import Box, prepare, to_picture
from inference.training.losses import CODES, IGNORE, LUNG
from inference.training.manifest import Row
from inference.training.pictures import read_grey
from inference.training.recipe import Recipe
from inference.training.synthesis import draw_effusion, draw_lesions

__all__ = [
    "LesionSlice",
    "annotated",
    "drawn",
    "healthy",
    "prepared",
    "present",
    "pretext",
    "shares",
    "taught",
]

NORMAL = "dicom_normal"
DRAWN = "drawn effusion"
PSEUDO = "pseudo-labelled"
DRAWN_LESIONS = "drawn lesions"
UNMARKED = "unmarked"
UNMARKED_SHARE = 0.25
"""Of a batch of `pretext`."""


@dataclass(frozen=True, eq=False, slots=True)
class LesionSlice:
    """A slice and what is marked on it, before any resizing.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8, lung window.
    codes
        Same shape, uint8: `CODES`, 0 for none, `IGNORE` where unknown.
    box
        The part a network is shown; None: the whole.
    group, source
        Of the manifest; drawn slices keep the group of the slice that they are drawn on.
    """

    picture: NDArray[np.uint8]
    codes: NDArray[np.uint8]
    box: Box | None
    group: str
    source: str


def annotated(rows: Sequence[Row], framing: str = WHOLE) -> list[LesionSlice]:
    """The slices of ``ct_segmentation`` that have a mask, to be shown in a framing."""
    masks = {r.image: r.path for r in rows if r.role == "mask" and r.task == "ct_segmentation"}
    chosen = [
        r for r in rows
        if r.role == "image" and r.task == "ct_segmentation" and r.path in masks
    ]  # fmt: skip
    pictures = [read_grey(r.path) for r in chosen]
    return [
        LesionSlice(picture, read_grey(masks[r.path]), frame(picture, framing), r.group, r.source)
        for r, picture in zip(chosen, pictures, strict=True)
    ]


def healthy(rows: Sequence[Row], groups: Sequence[str]) -> list[LesionSlice]:
    """Lung slices of whole DICOM series without manifestations, with the lungs' box.

    Raises
    ------
    BadInputError
        When a series shows no lungs.
    """
    from inference.lungs import find_lungs
    from inference.studies import load, main_series, scan

    found: list[LesionSlice] = []
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
            picture = to_picture(volume, int(index))
            found.append(LesionSlice(picture, np.zeros_like(picture), box, group, NORMAL))
    return found


def drawn(slices: Sequence[LesionSlice], copies: int, seed: int) -> list[LesionSlice]:
    """Copies of slices with effusions drawn behind their lungs.

    Parameters
    ----------
    slices
        To draw on.
    copies
        Drawn from each; a slice in which no lung is found gives none.
    seed
        Decides everything that is random.
    """
    made: list[LesionSlice] = []
    for index, one in enumerate(slices):
        rng = np.random.default_rng([seed, index])
        for _ in range(copies):
            result = draw_effusion(one.picture, one.codes, rng)
            if result is not None:
                made.append(replace(one, picture=result[0], codes=result[1], source=DRAWN))
    return made


def taught(rows: Sequence[Row], folder: Path, framing: str = WHOLE) -> list[LesionSlice]:
    """Unlabelled slices with the masks that a teacher drew (`inference.training.pseudo`).

    Raises
    ------
    BadInputError
        When masks are missing.
    """
    from inference.training.pseudo import mask_path, unlabelled, upright

    chosen = unlabelled(rows)
    missing = [r for r in chosen if not mask_path(folder, r).is_file()]
    if missing:
        raise BadInputError(
            f"{folder} lacks the masks of {len(missing)} of {len(chosen)} unlabelled slices; "
            "make them with: secondread pseudo."
        )
    pictures = [upright(r, read_grey(r.path)) for r in chosen]
    return [
        LesionSlice(
            picture, read_grey(mask_path(folder, r)), frame(picture, framing), r.group, PSEUDO
        )
        for r, picture in zip(chosen, pictures, strict=True)
    ]


def pretext(rows: Sequence[Row], copies: int, seed: int, framing: str = WHOLE) -> list[LesionSlice]:
    """CT pictures to learn from before any annotated slice is seen.

    Pictures that are not of COVID-19 get drawn lesions; in the others, and in those where no lung
    is found, every pixel's class is unknown: they are only there to be restored.

    Parameters
    ----------
    rows
        Of the manifest; annotated slices among them are not used.
    copies
        Of each picture that lesions are drawn into.
    seed
        Decides everything that is random.
    framing
        In which they are shown.
    """
    from inference.training.pseudo import unlabelled, upright

    made: list[LesionSlice] = []
    for row in unlabelled(rows):
        picture = upright(row, read_grey(row.path))
        made.append(_unmarked(picture, row, framing))
    labelled = [r for r in rows if r.role == "image" and r.task == "ct_classification"]
    for index, row in enumerate(labelled):
        picture = read_grey(row.path)
        rng = np.random.default_rng([seed, index])
        found = 0
        for _ in range(0 if row.label == "covid19" else copies):
            result = draw_lesions(picture, np.zeros_like(picture), rng)
            if result is not None:
                box = frame(result[0], framing)
                made.append(LesionSlice(result[0], result[1], box, row.group, DRAWN_LESIONS))
                found += 1
        if not found:
            made.append(_unmarked(picture, row, framing))
    return made


def _unmarked(picture: NDArray[np.uint8], row: Row, framing: str) -> LesionSlice:
    unknown = np.full_like(picture, IGNORE)
    return LesionSlice(picture, unknown, frame(picture, framing), row.group, UNMARKED)


def present(slices: Sequence[LesionSlice]) -> NDArray[np.float32]:
    """Which manifestations a slice shows, (n, 3); NaN where an unknown part leaves it open."""
    result = np.full((len(slices), len(CODES)), np.nan, dtype=np.float32)
    for index, one in enumerate(slices):
        complete = not (one.codes == IGNORE).any()
        for column, code in enumerate(CODES.values()):
            shown = bool((one.codes == code).any())
            if shown or complete:
                result[index, column] = shown
    return result


def _with_lungs(item: LesionSlice) -> NDArray[np.uint8]:
    """The slice's codes, `LUNG` added in its air-filled lungs and in the lesions of the lung."""
    known = item.codes != IGNORE
    lung = np.isin(item.codes, [CODES["ggo"], CODES["consolidation"]])
    for one in aerated_lungs(item.picture):
        lung |= one & known
    return item.codes + np.uint8(LUNG) * lung.astype(np.uint8)


def prepared(
    slices: Sequence[LesionSlice], size: int, *, lungs: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures out of `preprocess.prepare` and their masks, each (n, size, size), uint8.

    Parameters
    ----------
    slices
        To prepare.
    size
        Side in pixels.
    lungs
        Add `LUNG` to the codes where there is lung.
    """

    def one(item: LesionSlice) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        whole = _with_lungs(item) if lungs else item.codes
        codes = whole if item.box is None else item.box.cut(whole)
        mask = cv2.resize(
            np.ascontiguousarray(codes), (size, size), interpolation=cv2.INTER_NEAREST
        )
        return prepare(item.picture, size, item.box), np.asarray(mask, dtype=np.uint8)

    with ThreadPoolExecutor(4) as pool:
        pairs = list(pool.map(one, slices))
    return np.stack([p for p, _ in pairs]), np.stack([m for _, m in pairs])


def shares(slices: Sequence[LesionSlice], recipe: Recipe) -> NDArray[np.float64]:
    """Drawing probabilities: the recipe's shares for healthy and drawn slices, the rest annotated.

    Annotated slices with effusion, a quarter of them, weigh two and a half times the others.
    """
    sources = np.array([s.source for s in slices])
    effusion = np.nan_to_num(present(slices)[:, list(CODES).index("effusion")])
    weights = 1.0 + 1.5 * effusion.astype(np.float64)
    wanted = {
        NORMAL: recipe.data.normals_share,
        DRAWN: recipe.data.effusions_share,
        PSEUDO: recipe.data.pseudo_share,
        UNMARKED: UNMARKED_SHARE,
    }
    rest = 1.0
    for source, share in wanted.items():
        inside = sources == source
        if inside.any():
            weights[inside] = share / inside.sum()
            rest -= share
    own = ~np.isin(sources, list(wanted))
    weights[own] *= rest / weights[own].sum()
    return np.asarray(weights / weights.sum(), dtype=np.float64)
