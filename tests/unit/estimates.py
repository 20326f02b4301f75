"""Estimates as the product makes them, with values of a test's choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.findings import Calibrated, Estimate
from inference.models import ModelStore
from inference.systems.elbana.estimates import make_estimate
from inference.taxonomy import TASKS


def estimate_of(
    task: str, study: tuple[float, ...], bands: tuple[tuple[float, float], ...] | None = None
) -> Estimate:
    """What the product makes of one picture; with bands, as if calibrated to these values."""
    store = ModelStore()
    record = store.find("manifestations" if task == "manifestations" else "recognition-cxr")
    p = np.nan_to_num(np.array([study], np.float32), nan=0.5)
    logits = np.log(p) if TASKS[task].exclusive else np.log(p / (1 - p))
    made = make_estimate(task, logits, np.array([0]), 1, replace(record, calibrations=()))
    known = Calibrated(study, bands, made.per_slice, False, study, 9, 8) if bands else None
    return replace(made, study=study, calibrated=known)
