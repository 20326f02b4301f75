"""The masks as a second estimate of the manifestations, beside the probabilities.

Two networks looked at the same slices for the same thing: one says how probable it is, the other
draws it. Where they part, one of them is wrong, and the reader should look. COVID-19 itself is not
drawn, but a pneumonia of which no lesion is drawn is doubtful too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from inference.answer import OPERATING_POINT, Reading, read
from inference.findings import Manifestation

if TYPE_CHECKING:
    from inference.findings import Findings, Segment

__all__ = ["TRACE_PERCENT", "Drawn", "SecondEstimate", "recognition_doubt", "second_estimates"]

TRACE_PERCENT = 0.1
"""Less than this share of the lungs is called a trace: a convention, not a measured limit."""


_COVID = "covid-19"
_PNEUMONIA = (Manifestation.GGO, Manifestation.CONSOLIDATION)
"""What COVID-19 shows on CT; an effusion by itself speaks for something else."""


class Drawn(StrEnum):
    """How much of a manifestation the masks show."""

    NONE = "none"
    TRACE = "trace"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class SecondEstimate:
    """What the masks say of one manifestation.

    Parameters
    ----------
    key
        Which.
    drawn
        How much the masks show.
    disagrees
        Whether the probability, taken at one half, says something else; None where it was not
        computed.
    sentence
        For the reader.
    """

    key: Manifestation
    drawn: Drawn
    disagrees: bool | None
    sentence: str


def second_estimates(findings: Findings) -> tuple[SecondEstimate, ...]:
    """What the masks say, one a segment; empty where segmentation was not computed."""
    return tuple(_of_segment(findings, segment) for segment in findings.segments)


def recognition_doubt(findings: Findings) -> str:
    """A sentence where two answers about COVID-19 cannot both be right; empty elsewhere.

    On CT the masks contradict the probability (`_nothing_marked`), on X-rays two heads of one
    network contradict each other (`_heads_part`).
    """
    return _nothing_marked(findings) or _heads_part(findings)


def _heads_part(findings: Findings) -> str:
    """COVID-19 or not, and which of four kinds: the same picture, asked twice."""
    two, four = findings.estimate("covid-2"), findings.estimate("cxr-4")
    if two is None or four is None:
        return ""
    index, place = two.keys.index(_COVID), four.keys.index(_COVID)
    said = read(two.shown[index], two.bands[index])
    first = max(range(len(four.shown)), key=four.shown.__getitem__)
    name, value = four.classes[first].label, four.shown[first]
    if said is Reading.IMPROBABLE and first == place:
        return (
            f"Disagreement: COVID-19 is called improbable ({two.shown[index]:.2f}), but comes "
            f"first among the four kinds ({value:.2f}). One of the two is wrong; look at the "
            "picture."
        )
    if said is Reading.PROBABLE and first != place and value >= OPERATING_POINT:
        return (
            f"Disagreement: COVID-19 is called probable ({two.shown[index]:.2f}), but {name} comes "
            f"first among the four kinds ({value:.2f}). One of the two is wrong; look at the "
            "picture."
        )
    return ""


def _nothing_marked(findings: Findings) -> str:
    """A sentence where COVID-19 is called probable though the masks show hardly any pneumonia.

    Recognisers learned from slices that somebody had picked, so they may call a healthy chest of
    another hospital COVID-19; networks that look for lesions find none there.

    Parameters
    ----------
    findings
        Of any system.

    Returns
    -------
    str
        Empty where there is no such disagreement, or where either was not computed.
    """
    estimate = findings.estimate("covid-2")
    pneumonia = [s for s in findings.segments if s.key in _PNEUMONIA]
    if estimate is None or len(pneumonia) < len(_PNEUMONIA):
        return ""
    index = estimate.keys.index(_COVID)
    if read(estimate.shown[index], estimate.bands[index]) is not Reading.PROBABLE:
        return ""
    drawn = {_drawn(segment) for segment in pneumonia}
    if Drawn.PRESENT in drawn:
        return ""
    little = "no more than a trace of" if Drawn.TRACE in drawn else "no"
    return (
        f"Disagreement: COVID-19 is called probable, but the masks show {little} ground glass or "
        "consolidation. One of the two is wrong; look at the slices."
    )


def _of_segment(findings: Findings, segment: Segment) -> SecondEstimate:
    drawn, probable = _drawn(segment), _probable(findings, segment.key)
    disagrees = None if probable is None else probable != (drawn is Drawn.PRESENT)
    said = {
        Drawn.NONE: "masks show none",
        Drawn.TRACE: f"masks show only a trace ({_amount(segment)})",
        Drawn.PRESENT: f"masks show {_amount(segment)}",
    }[drawn]
    sentence = f"Disagreement: {said}." if disagrees else f"{said[:1].upper()}{said[1:]}."
    return SecondEstimate(segment.key, drawn, disagrees, sentence)


def _drawn(segment: Segment) -> Drawn:
    if segment.largest_slice is None:
        return Drawn.NONE
    share = segment.percent_of_lung
    little = share is not None and share < TRACE_PERCENT
    return Drawn.TRACE if little or segment.lesions == 0 else Drawn.PRESENT


def _probable(findings: Findings, key: Manifestation) -> bool | None:
    """Whether the manifestation is more probable than not; None where that is not computed."""
    estimate = findings.estimate("manifestations")
    if estimate is None:
        return None
    return estimate.shown[estimate.keys.index(key.value)] >= OPERATING_POINT


def _amount(segment: Segment) -> str:
    """Volume and share of the lungs; the pixels where neither is known."""
    parts = []
    if segment.volume_ml is not None:
        parts.append(_figure(segment.volume_ml, "ml"))
    if segment.percent_of_lung is not None:
        parts.append(f"{_figure(segment.percent_of_lung, '%')} of lungs")
    return ", ".join(parts) or f"{int(segment.pixels_per_slice.sum())} pixels"


def _figure(value: float, unit: str) -> str:
    if value < 0.05:
        return f"< 0.1 {unit}"
    return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
