"""The machine's figures beside those of the reader, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.lesion_review import reader_totals
from viewer.panels.words import quantity

if TYPE_CHECKING:
    from inference.findings import Segment
    from inference.lesion_review import ReaderTotal
    from viewer.session import ReadingSession

__all__ = ["totals_text"]


def totals_text(session: ReadingSession) -> str:
    """A line for each manifestation on which the reader decided; ``""`` before that."""
    findings, listed = session.findings, session.lesions.listed
    if findings is None or listed is None or not session.review.decisions:
        return ""
    totals = reader_totals(findings, listed, session.review.decisions)
    lines = [
        _line(segment, total)
        for segment, total in zip(findings.segments, totals, strict=True)
        if total.accepted or total.rejected
    ]
    return "\n".join(lines)


def _line(segment: Segment, total: ReaderTotal) -> str:
    left = segment.lesions - total.accepted - total.rejected
    return (
        f"{segment.key.short}: machine {_figures(segment.volume_ml, segment.percent_of_lung)}, "
        f"reader {_figures(total.volume_ml, total.percent_of_lung)} "
        f"({total.accepted} accepted, {total.rejected} rejected, {left} not decided)"
    )


def _figures(volume_ml: float | None, percent: float | None) -> str:
    share = "" if percent is None else f" ({quantity(percent, '%')} of lung)"
    return f"{quantity(volume_ml, 'ml')}{share}"
