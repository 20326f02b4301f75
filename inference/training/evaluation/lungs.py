"""The lung mask of `inference.lungs` on CT volumes."""

from __future__ import annotations

import numpy as np

from inference.training.evaluation.figure import Figure, Job, Scorer, mean
from inference.training.mask_metrics import dice

__all__ = ["TITLES", "figures"]

TITLES = {"lungs": "Lung mask"}


def figures(job: Job) -> list[Figure]:
    """Dice of the lung mask on every CT volume that has one by hand."""
    from inference.lungs import find_lungs
    from inference.studies import load, main_series, scan

    masks = {r.image: r for r in job.rows if r.role == "mask" and r.task == "ct_lung_segmentation"}
    values, groups, sources = [], [], set()
    for row in job.rows:
        if row.task != "ct_lung_segmentation" or row.role != "volume" or row.path not in masks:
            continue
        volume = load(main_series(scan(row.path))[1])
        truth = load(main_series(scan(masks[row.path].path))[1]).array.astype(bool)
        found = find_lungs(volume).mask
        values.append(dice(float((found & truth).sum()), float(found.sum()), float(truth.sum())))
        groups.append(row.group)
        sources.add(row.source)
    if not values:
        return []
    scorer = Scorer("threshold and components (not trained)", "lungs")
    scores = np.array(values)
    scorer.add(
        " + ".join(sorted(sources)),
        "test",
        groups,
        lambda i: {"Dice, mean over volumes": mean(scores[i])},
    )
    return scorer.figures
