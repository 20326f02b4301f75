"""Where to cut the streams' probabilities, chosen on slices that are not those scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from inference.findings import Manifestation
from inference.training.evaluation.segmentation import Predictions
from inference.training.losses import CODES, IGNORE
from inference.training.mask_metrics import count, dice

__all__ = ["GRID", "choose"]

GRID = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def choose(parts: Sequence[Predictions]) -> dict[Manifestation, float]:
    """The threshold a manifestation that suits some slices best.

    What is maximised is the sum of the mean Dice over slices that have the manifestation and of
    the mean over all slices, where two empty masks count 1: the first alone would be deaf to
    false alarms.

    Parameters
    ----------
    parts
        Of the same manifestations; held-out slices of other folds, say.

    Returns
    -------
    dict
        Of `GRID`; the value nearest to one half where several are equal, so one half where no
        slice has the manifestation.
    """
    chosen = {}
    for place, key in enumerate(parts[0].keys):
        found = [_dices(part, place, CODES[key.value]) for part in parts]
        shown = np.concatenate([present for _, present in found])
        dices = np.concatenate([values for values, _ in found])
        worth = dices.mean(axis=0) + (dices[shown].mean(axis=0) if shown.any() else 0.0)
        order = sorted(range(len(GRID)), key=lambda i: (-round(worth[i], 6), abs(GRID[i] - 0.5)))
        chosen[key] = GRID[order[0]] if shown.any() else 0.5
    return chosen


def _dices(
    part: Predictions, place: int, code: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Dice by slice and threshold, (n, thresholds), and which slices have the class."""
    table, present = [], []
    for index, mask in enumerate(part.truths):
        known, true = mask != IGNORE, mask == code
        values = part.on_truth(index)[place]
        overlaps = [count(values > cut, true, known) for cut in GRID]
        table.append([dice(o.both, o.predicted, o.true) for o in overlaps])
        present.append(bool(true.any()))
    return np.array(table), np.array(present)
