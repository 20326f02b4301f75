"""The streams' masks on CT slices with a radiologist's masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inference.cuts import HALF, Cut
from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.framing import frame
from inference.models import FORMS, ModelRecord
from inference.preprocess import Box, restore
from inference.systems.elbana import combine, mean_of_networks, stream_probabilities
from inference.training.evaluation.figure import (
    Figure,
    Job,
    Scorer,
    Statistic,
    lesion_rows,
    outputs,
    prepared,
    split_of_all,
)
from inference.training.evaluation.scores import Scores
from inference.training.losses import CODES, IGNORE
from inference.training.manifest import Row
from inference.training.mask_metrics import Overlap, count, surface_dice
from inference.training.pictures import read_grey

__all__ = [
    "TITLES",
    "Predictions",
    "average",
    "figures",
    "measure",
    "predict",
    "score",
    "summarise",
]

TITLES = {"segmentation": "Segmentation of CT slices"}

INFECTION = "infection"
SHOWN_TOGETHER = ", as shown"
THREE = tuple(key.value for key in Manifestation)
TOLERANCE_PX = 2
NSD = f"NSD at {TOLERANCE_PX} px"
SHOWN = "mean over slices that have it"
ALL = "mean over all slices (both empty = 1)"
POOLED = "pooled pixels"


def figures(job: Job) -> list[Figure]:
    """Score every form of the streams that the store holds."""
    return [f for name, scores in score(job).items() for f in summarise(name, scores)]


@dataclass(frozen=True, eq=False, slots=True)
class Predictions:
    """What a form of the streams says of slices whose truth is known.

    Parameters
    ----------
    rows, splits
        The slices, and of `SPLITS` how far the models know them; length n.
    keys
        The manifestations; length k.
    maps
        Of each slice and manifestation (h, w), float32: probabilities; networks differ in size.
    boxes
        Of each slice the part of the picture that the maps show; None: all.
    truths
        Masks (rows, columns), uint8 codes, as they are kept; length n.
    """

    rows: tuple[Row, ...]
    splits: NDArray[np.str_]
    keys: tuple[Manifestation, ...]
    maps: tuple[tuple[NDArray[np.float32], ...], ...]
    boxes: tuple[Box | None, ...]
    truths: tuple[NDArray[np.uint8], ...]

    def on_truth(self, index: int) -> NDArray[np.float32]:
        """Probabilities of one slice on the grid of its mask, (k, rows, columns)."""
        shape, box = self.truths[index].shape, self.boxes[index]
        return np.concatenate([restore(m[np.newaxis], shape, box) for m in self.maps[index]])


def score(job: Job) -> dict[str, Scores]:
    """Agreement with the masks by form of the streams; as `measure`, at one half.

    Each form stands there twice: every stream alone, as the papers measure it, and the masks as
    the reader sees them, where a pixel has one manifestation.
    """
    found: dict[str, Scores] = {}
    for name, predictions in predict(job).items():
        found[name] = measure(predictions)
        if len(predictions.keys) > 1:
            cuts = job.store.cuts(name.removeprefix("streams (").removesuffix(")"))
            found[name + SHOWN_TOGETHER] = measure(predictions, cuts, together=True)
    return found


def predict(
    job: Job, *, mirrored: bool = False, forms: Sequence[str] = FORMS
) -> dict[str, Predictions]:
    """Probability maps of forms of the streams, as far as the store holds them.

    Parameters
    ----------
    job
        The slices and the models.
    mirrored
        Average over each slice and its mirror picture.
    forms
        Of `inference.models.FORMS`.
    """
    found = {}
    for form in forms:
        try:
            records = job.store.streams(form)
        except AnalysisError:
            continue
        one = _of_form(job, records, mirrored)
        if one is not None:
            found[f"streams ({form})"] = one
    return found


def _of_form(job: Job, records: Sequence[ModelRecord], mirrored: bool) -> Predictions | None:
    pairs = lesion_rows(job.rows, records, job.splits)
    if not pairs:
        return None
    rows = tuple(row for row, _ in pairs)
    greys = [read_grey(r.path) for r in rows]
    parts = []
    for record in records:
        pictures = np.stack([prepared(grey, record) for grey in greys])
        here = stream_probabilities(outputs(job, record, pictures), record.silent)
        if mirrored:
            turned = outputs(job, record, pictures[..., ::-1].copy())
            other = stream_probabilities(turned, record.silent)
            here = {k: np.float32(0.5) * (here[k] + other[k][..., ::-1]) for k in here}
        parts.append(here)
    maps = mean_of_networks(parts)
    # Networks of one form are shown the same part (`ModelStore.streams`).
    boxes = tuple(frame(grey, records[0].framing) for grey in greys)
    keys = tuple(key for key in Manifestation if key in maps)
    return Predictions(
        rows=rows,
        splits=np.array([split_of_all(records, row.group) for row in rows]),
        keys=keys,
        maps=tuple(zip(*(maps[key] for key in keys), strict=True)),
        boxes=boxes,
        truths=tuple(read_grey(path) for _, path in pairs),
    )


def average(parts: Sequence[Predictions]) -> Predictions:
    """The mean of what several forms say of the same slices.

    Parameters
    ----------
    parts
        Of the same slices and manifestations; maps may differ in size and in what they show.

    Returns
    -------
    Predictions
        On the grids of the masks.
    """
    first = parts[0]
    maps = tuple(
        tuple(np.stack([part.on_truth(index) for part in parts]).mean(axis=0))
        for index in range(len(first.rows))
    )
    return replace(first, maps=maps, boxes=(None,) * len(first.rows))


def measure(
    predictions: Predictions,
    cuts: Mapping[Manifestation, Cut] | None = None,
    *,
    together: bool = False,
) -> Scores:
    """Agreement with the masks.

    Parameters
    ----------
    predictions
        Of `predict`.
    cuts
        How probabilities become masks; at one half where there is none.
    together
        Deal every pixel to one manifestation, as `systems.elbana.combine` does for the reader.

    Returns
    -------
    Scores
        One array (n, 5) a class: the fields of `Overlap`, and NSD; the classes are the
        manifestations that the form has, and their union when it has all.
    """
    keys = predictions.keys
    each = [(cuts or {}).get(key, HALF) for key in keys]
    names = [key.value for key in keys] + ([INFECTION] if len(keys) == len(THREE) else [])
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in names}
    for index, mask in enumerate(predictions.truths):
        known = mask != IGNORE
        probabilities = predictions.on_truth(index)
        called = np.stack([c.call(p) for c, p in zip(each, probabilities, strict=True)])
        if together:
            codes = combine(probabilities, keys, cuts)
            called = np.stack([codes == CODES[key.value] for key in keys])
        truths = [mask == CODES[key.value] for key in keys]
        if INFECTION in found:
            called = np.concatenate([called, called.any(axis=0, keepdims=True)])
            truths.append((mask > 0) & known)
        for name, one, true in zip(names, called, truths, strict=True):
            close = surface_dice(one & known, true, TOLERANCE_PX)
            found[name].append((*astuple(count(one, true, known)), close))
    return Scores(
        rows=predictions.rows,
        splits=predictions.splits,
        values={name: np.array(values) for name, values in found.items()},
    )


def summarise(name: str, scores: Scores) -> list[Figure]:
    """Figures of one form: each class, and the mean of the three as the paper's Table 6 has it."""
    scorer = Scorer(name, "segmentation")
    for which, part in scores.by_split():
        owners = part.groups.tolist()
        for key, values in part.values.items():
            shown = np.flatnonzero(values[:, 2] > 0)
            if len(shown):
                groups = [owners[i] for i in shown]
                scorer.add(f"{scores.source}, {key}", which, groups, _of_shown(values[shown]))
            scorer.add(f"{scores.source}, {key}", which, owners, _of_all(values))
        if set(THREE) <= set(part.values):
            three = [_of_both(part.values[key]) for key in THREE]
            scorer.add(f"{scores.source}, mean of the three", which, owners, _average(three))
    return scorer.figures


def _columns(values: NDArray[np.float64]) -> tuple[list[str], NDArray[np.float64]]:
    """Names of the metrics of a slice, and their values (n, metrics); `values` as in `score`."""
    each = [Overlap(*row).metrics() for row in values[:, :4]]
    return [*each[0], NSD], np.column_stack([[list(e.values()) for e in each], values[:, 4]])


def _of_shown(values: NDArray[np.float64]) -> Statistic:
    """Means over slices that all have the class."""
    metrics, table = _columns(values)

    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        means = table[indices].mean(axis=0)
        return {f"{m}, {SHOWN}": float(v) for m, v in zip(metrics, means, strict=True)}

    return statistic


def _of_all(values: NDArray[np.float64]) -> Statistic:
    """Means over all slices, and what their pixels give together where the class occurs."""
    metrics, table = _columns(values)
    of_all = [metrics.index(metric) for metric in ("Dice", "IoU", NSD)]

    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        means = table[indices].mean(axis=0)
        found = {f"{metrics[k]}, {ALL}": float(means[k]) for k in of_all}
        total = Overlap(*values[indices, :4].sum(axis=0).tolist())
        if total.true:
            found |= {f"{metric}, {POOLED}": value for metric, value in total.metrics().items()}
        return found

    return statistic


def _of_both(values: NDArray[np.float64]) -> Statistic:
    """As `_of_shown` and `_of_all`, on resamples of all slices."""
    of_all, of_shown, present = _of_all(values), _of_shown(values), values[:, 2] > 0

    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        shown = indices[present[indices]]
        return (of_shown(shown) if len(shown) else {}) | of_all(indices)

    return statistic


def _average(statistics: Sequence[Statistic]) -> Statistic:
    def statistic(indices: NDArray[np.intp]) -> dict[str, float]:
        found = [one(indices) for one in statistics]
        metrics = dict.fromkeys(m for f in found for m in f)
        return {m: float(np.mean([f.get(m, np.nan) for f in found])) for m in metrics}

    return statistic
