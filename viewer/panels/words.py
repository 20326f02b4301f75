"""Numbers as the reader sees them: with their unit, or with the words for their absence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from inference.findings import Estimate, ModelProvenance, Segment

__all__ = [
    "COMPUTING",
    "NOT_COMPUTED",
    "duration",
    "estimate_line",
    "estimate_tip",
    "interval",
    "model_line",
    "model_tip",
    "probability",
    "quantity",
    "segment_facts",
]

NOT_COMPUTED = "not computed"
COMPUTING = "computing"
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


def interval(band: tuple[float, float] | None) -> str:
    """Low and high of a band.

    >>> interval((0.431, 0.999)), interval((0.0, 0.2)), interval(None)
    ('0.43 to > 0.99', '< 0.01 to 0.20', 'not computed')
    """
    return NOT_COMPUTED if band is None else f"{probability(band[0])} to {probability(band[1])}"


def estimate_line(estimate: Estimate) -> str:
    """What is to be known of an estimate's numbers at a glance."""
    calibrated = estimate.calibrated
    if calibrated is None:
        return estimate.calibration
    line = f"Calibrated on {calibrated.groups} groups"
    if not any(calibrated.bands):
        return f"{line}; interval {NOT_COMPUTED}."
    if calibrated.of_slices:
        line = f"{line}. Interval of single slices; of the whole study it is {NOT_COMPUTED}."
    else:
        line = f"{line}; 95 % interval."
    beside = [each.label for i, each in enumerate(estimate.classes) if estimate.beside_band(i)]
    if beside:
        line += f" Outside its interval: {', '.join(beside)}. The interval is what was observed."
    return line


def estimate_tip(estimate: Estimate, index: int) -> str:
    """What stands behind one class's number, a line each.

    Parameters
    ----------
    estimate
        Of a study.
    index
        Of the class.
    """
    adds = "The classes add to one." if estimate.exclusive else "Each class is judged alone."
    value = estimate.shown[index]
    lines = [
        f"{estimate.classes[index].label}: {probability(value)}",
        f"{estimate.rule[:1].upper()}{estimate.rule[1:]}. {adds}",
        estimate.calibration,
    ]
    calibrated, band = estimate.calibrated, estimate.bands[index]
    if calibrated is not None:
        raw = probability(estimate.study[index])
        who = "Before calibration it is" if estimate.parts else "The network itself says"
        lines += [
            f"{100 * calibrated.shares[index]:.0f} % of those groups had it: where fewer have it, "
            f"it is less probable than this. {who} {raw}.",
        ]
    lines += [
        f"{part.model} alone, not calibrated: {probability(part.study[index])}."
        for part in estimate.parts
    ]
    if calibrated is None or band is None:
        lines += [f"Interval: {NOT_COMPUTED}."]
    else:
        kind = "single slices" if calibrated.of_slices else "pictures"
        lines += [
            f"Interval {interval(band)} (95 %): that share of the groups with {kind} of about this "
            "value had it."
        ]
        where = {-1: "below", 1: "above"}.get(estimate.beside_band(index))
        if where is not None:
            lines += [
                f"The value lies {where} its interval: the network is surer than what was seen to "
                "come true. Where they differ, trust the interval."
            ]
        if calibrated.of_slices:
            lines += [
                f"For a whole study an interval is {NOT_COMPUTED}: there are too few whole series "
                "with a known answer."
            ]
    return "\n".join(lines)


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
