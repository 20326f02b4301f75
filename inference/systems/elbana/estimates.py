"""From logits to probabilities, of slices and of the study."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.findings import Estimate, Manifestation

__all__ = ["CLASSES", "make_estimate", "most_suspicious", "sigmoid", "softmax"]

RECOGNITION_SHARE = 1.0 / 3.0
MANIFESTATION_SHARE = 0.1
LEAST_SLICES = 3
"""A study's probability is the mean over its most suspicious slices; never fewer than this."""

_TITLES = {
    "covid-2": "COVID-19 recognition",
    "cxr-4": "Kind of pneumonia (X-ray)",
    "manifestations": "Manifestations",
}
CLASSES = {
    "covid-2": ("COVID-19", "not COVID-19"),
    "cxr-4": ("COVID-19", "normal", "viral pneumonia", "bacterial pneumonia"),
    "manifestations": tuple(m.label for m in Manifestation),
}


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of classes that exclude each other; (n, classes) in and out."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of what stands alone; any shape in and out."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)


def most_suspicious(probabilities: NDArray[np.float32], share: float) -> float:
    """Mean of the highest `share` of the values, at least of `LEAST_SLICES` (or of all).

    Parameters
    ----------
    probabilities
        Length n, one a slice; n >= 1.
    share
        0 to 1.
    """
    count = min(len(probabilities), max(LEAST_SLICES, round(share * len(probabilities))))
    return float(np.sort(probabilities)[-count:].mean())


def make_estimate(
    task: str,
    probabilities: NDArray[np.float32],
    indices: NDArray[np.intp],
    slices: int,
    model: str,
) -> Estimate:
    """What a task's slices say about the study.

    Parameters
    ----------
    task
        A key of `CLASSES`.
    probabilities
        Shape (n, classes), of the analysed slices.
    indices
        Length n: which slices these are.
    slices
        Slices of the volume.
    model
        Name of the model that said so.
    """
    exclusive = task != "manifestations"
    share = RECOGNITION_SHARE if exclusive else MANIFESTATION_SHARE
    per_slice = np.full((slices, probabilities.shape[1]), np.nan, dtype=np.float32)
    per_slice[indices] = probabilities
    if exclusive:
        # Ordered by the first class, so that the classes of the study add to one.
        first = probabilities[:, 0]
        count = min(len(first), max(LEAST_SLICES, round(share * len(first))))
        study = probabilities[np.argsort(first)[-count:]].mean(axis=0)
    else:
        study = np.array([most_suspicious(p, share) for p in probabilities.T])
    single = len(probabilities) == 1
    rule = (
        "one picture"
        if single
        else f"mean of the {share:.0%} most suspicious of {len(probabilities)} analysed slices"
    )
    return Estimate(
        task=task,
        title=_TITLES[task],
        classes=CLASSES[task],
        study=tuple(float(p) for p in study),
        per_slice=per_slice,
        exclusive=exclusive,
        model=model,
        rule=rule,
    )
