"""Where to cut the streams' probabilities, chosen on slices that are not those scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from inference.cuts import HALF, NEIGHBOURS, Cut
from inference.findings import Manifestation
from inference.training.evaluation.segmentation import Predictions
from inference.training.losses import CODES, IGNORE
from inference.training.mask_metrics import dice

__all__ = ["GROWN", "PLAIN", "Tried", "choose", "try_out"]

_SEEDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_EDGES = (0.05, 0.1, 0.2, 0.3, 0.4)
PLAIN = tuple(Cut.at(value) for value in _SEEDS)
GROWN = (*PLAIN, *(Cut(seed, edge) for edge in _EDGES for seed in _SEEDS if edge < seed))
"""Plain thresholds, and regions that are grown from seeds."""


@dataclass(frozen=True, eq=False, slots=True)
class Tried:
    """What cuts give on some slices.

    Parameters
    ----------
    cuts
        Those that were tried.
    dices
        By manifestation: Dice by slice and cut, (n, cuts); 1 where both masks are empty.
    present
        By manifestation: which slices have it, (n,).
    """

    cuts: tuple[Cut, ...]
    dices: dict[Manifestation, NDArray[np.float64]]
    present: dict[Manifestation, NDArray[np.bool_]]


def try_out(part: Predictions, cuts: Sequence[Cut] = PLAIN) -> Tried:
    """Cut the probabilities of each manifestation in several ways."""
    dices, present = {}, {}
    for place, key in enumerate(part.keys):
        table, shown = [], []
        for index, mask in enumerate(part.truths):
            true = mask == CODES[key.value]
            values = part.on_truth(index)[place]
            table.append(_dices(values, true, mask != IGNORE, cuts))
            shown.append(bool(true.any()))
        dices[key], present[key] = np.array(table), np.array(shown)
    return Tried(tuple(cuts), dices, present)


def _dices(
    values: NDArray[np.float32],
    true: NDArray[np.bool_],
    known: NDArray[np.bool_],
    cuts: Sequence[Cut],
) -> list[float]:
    """Dice of each cut; the regions above an edge are found once for all its seeds."""
    found: dict[Cut, float] = {}
    truth = float((true & known).sum())
    for edge in dict.fromkeys(cut.edge for cut in cuts):
        labels, count = ndimage.label(values > edge, NEIGHBOURS)
        numbers = np.arange(1, count + 1)
        highest = np.atleast_1d(ndimage.maximum(values, labels, numbers)) if count else np.zeros(0)
        sizes = np.bincount(labels[known], minlength=count + 1)[1:]
        hits = np.bincount(labels[true & known], minlength=count + 1)[1:]
        for cut in cuts:
            if cut.edge == edge:
                kept = highest > cut.seed
                both, called = float(hits[kept].sum()), float(sizes[kept].sum())
                found[cut] = dice(both, called, truth)
    return [found[cut] for cut in cuts]


def choose(tried: Sequence[Tried]) -> dict[Manifestation, Cut]:
    """The cut a manifestation that suits some slices best.

    What is maximised is the sum of the mean Dice over slices that have the manifestation and of
    the mean over all slices, where two empty masks count 1: the first alone would be deaf to
    false alarms.

    Parameters
    ----------
    tried
        Of the same cuts; held-out slices of other folds, say.

    Returns
    -------
    dict
        The cut nearest to one half where several are equal, so one half where no slice has the
        manifestation.
    """
    chosen = {}
    cuts = tried[0].cuts
    for key in tried[0].dices:
        dices = np.concatenate([part.dices[key] for part in tried])
        shown = np.concatenate([part.present[key] for part in tried])
        worth = dices.mean(axis=0) + (dices[shown].mean(axis=0) if shown.any() else 0.0)
        order = sorted(range(len(cuts)), key=lambda i: (-round(worth[i], 6), _from_half(cuts[i])))
        chosen[key] = cuts[order[0]] if shown.any() else HALF
    return chosen


def _from_half(cut: Cut) -> float:
    return abs(cut.seed - 0.5) + (cut.seed - cut.edge)
