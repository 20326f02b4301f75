"""Numbers as the reader sees them: with their unit, or with the words for their absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from inference.findings import ModelProvenance, Segment

__all__ = [
    "NOT_COMPUTED",
    "duration",
    "model_line",
    "model_tip",
    "probability",
    "quantity",
    "segment_facts",
]

NOT_COMPUTED = "not computed"
_HASH_DIGITS = 8


def probability(value: float | None) -> str:
    """Two decimals, never rounded up to certainty.

    >>> probability(0.864), probability(0.9996), probability(None)
    ('0.86', '> 0.99', 'not computed')
    """
    if value is None or not np.isfinite(value):
        return NOT_COMPUTED
    if value > 0.995:
        return "> 0.99"
    if value < 0.005:
        return "< 0.01"
    return f"{value:.2f}"


def quantity(value: float | None, unit: str) -> str:
    """Three significant figures or so, with a true minus sign.

    >>> quantity(182.4, "ml"), quantity(0.52, "%"), quantity(-611.7, "HU")
    ('182 ml', '0.5 %', '−612 HU')
    >>> quantity(0.02, "ml"), quantity(None, "ml")
    ('< 0.1 ml', 'not computed')
    """
    if value is None or not np.isfinite(value):
        return NOT_COMPUTED
    if 0 < value < 0.05:
        return f"< 0.1 {unit}"
    digits = 0 if abs(value) >= 100 else 1
    return f"{value:.{digits}f} {unit}".replace("-", "−")


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best.

    >>> duration(0.042), duration(5.33), duration(81), duration(1290), duration(14400)
    ('0.04 s', '5.33 s', '81 s', '21.5 min', '4 h')
    """
    if seconds < 10:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f}".removesuffix(".0") + " min"
    return f"{seconds / 3600:.1f}".removesuffix(".0") + " h"


def segment_facts(segment: Segment) -> tuple[str, str, str, str]:
    """Volume, share of the lung, lesions and mean HU of a segment, each readable by itself."""
    volume, share = segment.volume_ml, segment.percent_of_lung
    found = segment.largest_slice is not None
    mean = quantity(segment.mean_hu, "HU") if found else "none, nothing was found"
    return (
        f"volume {NOT_COMPUTED}" if volume is None else quantity(volume, "ml"),
        f"share of lung {NOT_COMPUTED}" if share is None else f"{quantity(share, '%')} of lung",
        "1 lesion" if segment.lesions == 1 else f"{segment.lesions} lesions",
        f"mean HU {mean}" if segment.mean_hu is None else f"mean {mean}",
    )


def model_line(model: ModelProvenance) -> str:
    """One line: name, version and the first digits of the hash."""
    return f"{model.name} {model.version} · {model.sha256[:_HASH_DIGITS]}"


def model_tip(model: ModelProvenance) -> str:
    """All that is known of a model, a line each."""
    return (
        f"{model.name}, version {model.version}\n{model.architecture}, task {model.task}\n"
        f"Trained on: {model.trained_on}\nLicence: {model.licence}\nSHA-256 {model.sha256}"
    )
