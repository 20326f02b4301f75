"""The streams as a second estimate of which manifestations a slice shows, beside the ML-CNN.

A stream says where; that it draws anything says whether. Several scores can be made of its
probability map, and which is taken is chosen on validation groups, once for all forms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.errors import AnalysisError
from inference.findings import Manifestation
from inference.models import FORMS, ModelRecord
from inference.systems.elbana import mean_of_networks, stream_probabilities
from inference.training.evaluation.figure import Figure, Job, Scorer, logits, mean, split_of_all
from inference.training.evaluation.known import known_slices
from inference.training.evaluation.scores import Scores
from inference.training.metrics import area_under_roc

__all__ = ["LEAST_AREA", "SCORES", "choices", "choose", "chosen", "score"]

LEAST_AREA = 1e-3
"""Share of the picture that must be drawn for a manifestation to be called present by its area."""


def _area(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    drawn = (maps > 0.5).mean(axis=(1, 2), dtype=np.float64)
    # Rises with the area and is one half at the least area, as decisions are made at one half.
    return np.asarray(drawn / (drawn + LEAST_AREA))


def _highest(share: float) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    def score(maps: NDArray[np.float32]) -> NDArray[np.float64]:
        flat = maps.reshape(len(maps), -1)
        count = max(1, round(share * flat.shape[1]))
        highest = np.partition(flat, -count, axis=1)[:, -count:]
        return np.asarray(highest.mean(axis=1, dtype=np.float64))

    return score


SCORES: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float64]]] = {
    "area": _area,
    "highest 0.1 %": _highest(0.001),
    "highest 1 %": _highest(0.01),
    "highest 5 %": _highest(0.05),
}
"""Scores in [0, 1] of probability maps (n, h, w): the area above one half, or the mean of the
highest pixels. At one half a manifestation is called present."""


def score(job: Job) -> dict[str, Scores]:
    """Every score of every form of the streams that has all manifestations.

    Returns
    -------
    dict
        Scores with ``truth`` (n, 3) bool and one array (n, 3) a name of `SCORES`, of the slices on
        which all manifestations are known.
    """
    found = {}
    for form in FORMS:
        try:
            records = job.store.streams(form)
        except AnalysisError:
            continue
        scores = _of_form(job, records)
        if scores is not None:
            found[f"streams ({form})"] = scores
    return found


def _of_form(job: Job, records: Sequence[ModelRecord]) -> Scores | None:
    rows, truth = known_slices(job, records)
    if not rows:
        return None
    parts = [stream_probabilities(logits(job, r, rows), r.silent) for r in records]
    maps = mean_of_networks(parts)
    if set(maps) != set(Manifestation):
        return None
    values = {
        name: np.stack([of(maps[key]) for key in Manifestation], axis=1)
        for name, of in SCORES.items()
    }
    splits = np.array([split_of_all(records, row.group) for row in rows])
    return Scores(rows, splits, {"truth": truth, **values})


def _mean_area(truth: NDArray[np.bool_], values: NDArray[np.float64]) -> float:
    """Mean AUC of the three; NaN where one cannot be computed."""
    return mean(np.array([area_under_roc(t, v) for t, v in zip(truth.T, values.T, strict=True)]))


def choose(found: Mapping[str, Scores]) -> str:
    """The score with the best mean AUC on validation groups, over all forms alike.

    The first of `SCORES` where there is no validation slice, or no AUC.
    """

    def merit(name: str) -> float:
        each = [
            _mean_area(part.values["truth"], part.values[name])
            for scores in found.values()
            for split, part in scores.by_split()
            if split == "validation"
        ]
        return float(np.mean(each)) if each and np.isfinite(each).all() else float("-inf")

    return max(SCORES, key=merit)


def choices(found: Mapping[str, Scores]) -> list[Figure]:
    """What `choose` looks at: every score's mean AUC on validation groups."""
    figures = []
    for form, scores in found.items():
        scorer = Scorer(form, "manifestations")
        for split, part in scores.by_split():
            if split == "validation":
                truth = part.values["truth"]
                scorer.add(
                    f"{scores.source}, mean of the three",
                    split,
                    part.groups.tolist(),
                    lambda i, truth=truth, part=part: {  # type: ignore[misc]
                        f"{name}, mean AUC by score": _mean_area(truth[i], part.values[name][i])
                        for name in SCORES
                    },
                )
        figures += scorer.figures
    return figures


def chosen(found: Mapping[str, Scores]) -> dict[str, Scores]:
    """By form and name of the chosen score: Scores with ``truth`` and ``probability``."""
    name = choose(found)
    return {
        f"{form}, {name}": Scores(
            scores.rows,
            scores.splits,
            {"truth": scores.values["truth"], "probability": scores.values[name]},
        )
        for form, scores in found.items()
    }
