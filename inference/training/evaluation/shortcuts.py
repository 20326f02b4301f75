"""How well the recognisers do without the lungs: what is left is a shortcut, not disease.

The same pictures are scored whole, with the lungs blacked out, with nothing but the lungs, and with
nothing but a border. Hand-drawn lungs exist for few X-rays, and hardly for healthy ones, so the
comparisons with normal X-rays use a region that is the same in every picture: where lungs lie in
the hand-drawn masks of the groups that the recogniser was trained on. On CT pictures, which are
8 bit and not HU, lungs are found by threshold and components (`ct_lungs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.models import ModelRecord
from inference.training.datasets import classified, recognition_targets
from inference.training.evaluation.evidence import heard_pictures, partners
from inference.training.evaluation.figure import (
    Figure,
    Job,
    Scorer,
    Statistic,
    outputs,
    prepared,
    softmax,
    split_of,
)
from inference.training.evaluation.recognition import subsets
from inference.training.evaluation.scores import Scores
from inference.training.lung_atlas import average_lungs, hand_drawn, lungs_at
from inference.training.manifest import Row
from inference.training.metrics import classification_metrics
from inference.training.pictures import read_grey

__all__ = ["TITLES", "VARIANTS", "ct_lungs", "figures", "hide"]

TITLES = {"shortcuts": "Shortcuts: recognition without the lungs"}

VARIANTS = ("whole picture", "lungs blacked out", "lungs only", "border only")
BORDER = 0.1
"""Width of the border that is left, relative to each side."""
GROWN = 0.03
"""What is added around a CT picture's lungs, relative to its longer side."""
SMALLEST_LUNG = 0.01
SMALLEST_LUNGS = 0.04
"""Parts of the picture; a CT picture with less lung than that is left out."""


@dataclass(frozen=True, eq=False, slots=True)
class _Case:
    """A picture file with its lungs."""

    row: Row
    picture: NDArray[np.uint8]
    lungs: NDArray[np.bool_]


def figures(job: Job) -> list[Figure]:
    """Score the X-ray recogniser on X-rays and the CT recogniser on CT, in every variant.

    On CT the evidence is scored too, alone and joined with the recogniser.
    """
    found: list[Figure] = []
    for record in job.of_kind("recognition"):
        if record.reads == "CXR":
            found += _of_xrays(job, record)
        else:
            rows = _known(job, record, "CT")
            found += _compare(job, record, "lungs by threshold", _with_lungs(rows, ct_lungs))
    for record in job.of_kind("evidence"):
        if partners(job, record) is not None:
            rows = _known(job, record, "CT")
            found += _compare(job, record, "lungs by threshold", _with_lungs(rows, ct_lungs))
    return found


def _say(
    job: Job, record: ModelRecord, cases: Sequence[_Case], pictures: list[NDArray[np.uint8]]
) -> dict[str, NDArray[np.float64]]:
    """Probability of COVID-19 (n,) in altered pictures of these cases, by who says so."""
    if record.kind == "evidence":
        heard = heard_pictures(job, record, [c.row for c in cases], pictures)
        if heard is None:
            return {}
        said = {record.name: heard.alone, " + ".join(record.voices): heard.joined}
    else:
        shown = np.stack([prepared(picture, record) for picture in pictures])
        said = {record.name: outputs(job, record, shown)["covid-2"]}
    return {name: softmax(logits)[:, 0] for name, logits in said.items()}


def hide(picture: NDArray[np.uint8], lungs: NDArray[np.bool_], variant: str) -> NDArray[np.uint8]:
    """A copy of a picture with a part of it black.

    Parameters
    ----------
    picture, lungs
        Shape (rows, columns), uint8 and bool.
    variant
        Of `VARIANTS`.
    """
    if variant == "whole picture":
        return picture
    if variant == "border only":
        rows, columns = (max(1, round(BORDER * side)) for side in picture.shape)
        kept = np.ones(picture.shape, dtype=bool)
        kept[rows:-rows, columns:-columns] = False
    else:
        kept = lungs if variant == "lungs only" else ~lungs
    return np.where(kept, picture, 0).astype(np.uint8)


def ct_lungs(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Lungs of an 8-bit CT picture of unknown window, by Otsu's threshold and components.

    The convex hull of all dark regions that do not reach the edge of the picture, grown a little,
    so that lesions at the pleura are inside; the heart is too. Meant for hiding, not for measuring.

    Parameters
    ----------
    picture
        Shape (rows, columns), uint8.

    Returns
    -------
    ndarray
        Shape (rows, columns), bool; all False where nothing of a lung's size was found.
    """
    smooth = cv2.GaussianBlur(picture, (0, 0), max(1.0, min(picture.shape) / 128))
    _, dark = cv2.threshold(smooth, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    kept = [
        label for label in range(1, len(stats))
        if label not in edge and stats[label, cv2.CC_STAT_AREA] >= SMALLEST_LUNG * picture.size
    ]  # fmt: skip
    air = np.isin(labels, kept)
    result = np.zeros(picture.shape, dtype=np.uint8)
    if air.mean() >= SMALLEST_LUNGS:
        hull = cv2.convexHull(cv2.findNonZero(air.astype(np.uint8)))
        cv2.fillConvexPoly(result, hull, 1)
        side = 2 * round(GROWN * max(picture.shape)) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        result = np.asarray(cv2.dilate(result, disc), dtype=np.uint8)
    return result.astype(bool)


def _known(job: Job, record: ModelRecord, modality: str) -> list[Row]:
    """Pictures of a modality with a label of use, in the splits that are scored."""
    rows = classified(job.rows, (modality,))
    return [r for r in rows if split_of(record, r.group) in job.splits]


def _with_lungs(
    rows: Iterable[Row], find: Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
) -> list[_Case]:
    cases = []
    for row in rows:
        picture = read_grey(row.path)
        lungs = find(picture)
        if lungs.any():
            cases.append(_Case(row, picture, lungs))
    return cases


def _of_xrays(job: Job, record: ModelRecord) -> list[Figure]:
    drawn = _hand_drawn(job.rows)
    taught = [c.lungs for c in drawn if split_of(record, c.row.group) == "trained on"]
    own = [
        c for c in drawn
        if split_of(record, c.row.group) in job.splits and recognition_targets(c.row) is not None
    ]  # fmt: skip
    found = _compare(job, record, "lungs by hand", own)
    if taught:
        region = average_lungs(taught)
        rows = _known(job, record, "CXR")
        cases = _with_lungs(rows, lambda picture: lungs_at(region, picture.shape))
        found += _coverage(record, region, own)
        found += _compare(job, record, "average lung region", cases)
    return found


def _hand_drawn(rows: Sequence[Row]) -> list[_Case]:
    """X-rays whose lungs were outlined; a lesion set's label is cut to the diagnosis."""
    cases = []
    for owner, lungs in hand_drawn(rows):
        picture = read_grey(owner.path)
        named = replace(owner, label=owner.label.split(";")[0])
        cases.append(_Case(named, picture, lungs_at(lungs, picture.shape)))
    return cases


def _coverage(
    record: ModelRecord, region: NDArray[np.bool_], cases: Sequence[_Case]
) -> list[Figure]:
    """How much of the hand-drawn lungs the average region covers."""
    scorer = Scorer(record.name, "shortcuts")
    split = np.array([split_of(record, c.row.group) for c in cases])
    share = np.array(
        [c.lungs[lungs_at(region, c.lungs.shape)].sum() / c.lungs.sum() for c in cases]
    )
    for which in sorted(set(split.tolist())):
        index = np.flatnonzero(split == which).tolist()
        owners = [cases[i].row.group for i in index]
        scorer.add("average lung region", which, owners, _mean_of(share[index]))
    return scorer.figures


def _mean_of(shares: NDArray[np.float64]) -> Statistic:
    return lambda i: {"hand-drawn lung inside, as a share": float(shares[i].mean())}


def _metrics_of(scores: Scores) -> Statistic:
    truth, values = scores.values["covid"], scores.values["two"]
    return lambda i: classification_metrics(truth[i], values[i])


def _compare(job: Job, record: ModelRecord, lungs: str, cases: Sequence[_Case]) -> list[Figure]:
    """Metrics of every comparison in which both classes occur, variant by variant."""
    if not cases:
        return []
    rows = tuple(c.row for c in cases)
    splits = np.array([split_of(record, r.group) for r in rows])
    covid = np.array([r.label == "covid19" for r in rows])
    found: dict[str, list[Figure]] = {}
    for variant in VARIANTS:
        pictures = [hide(c.picture, c.lungs, variant) for c in cases]
        for name, two in _say(job, record, cases, pictures).items():
            scores = Scores(rows, splits, {"two": two, "covid": covid})
            found.setdefault(name, []).extend(_of_variant(name, scores, f"({lungs}): {variant}"))
    return [figure for figures in found.values() for figure in figures]


def _of_variant(name: str, scores: Scores, words: str) -> list[Figure]:
    scorer = Scorer(name, "shortcuts")
    for which, part in scores.by_split():
        for subset, inside in subsets(part).items():
            one = part.at(np.flatnonzero(inside))
            ill = int(one.values["covid"].sum())
            if 0 < ill < len(one.rows) and subset != "X-ray and CT":
                scorer.add(f"{subset} {words}", which, one.groups.tolist(), _metrics_of(one))
    return scorer.figures
