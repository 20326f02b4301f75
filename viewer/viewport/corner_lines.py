"""Lines of the upper corners that say whose images they are, and how they were made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from viewer.corners import CornerText, acquired_lines, whose_lines
from viewer.viewport.annotations import Annotations, Line, lines_of

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["acquired_of", "whose_of", "with_corners"]


def whose_of(session: ReadingSession, allowed: Collection[CornerText]) -> tuple[Line, ...]:
    """Say whose images they are, or that it is hidden.

    Parameters
    ----------
    session
        What is shown, and what the reader wants in the corners.
    allowed
        What may stand there at all.
    """
    if session.manner.names_hidden:
        modality = session.volume.modality if session.volume is not None else ""
        return (Line(f"{modality}  ·  names hidden", rank=1),)
    shown = session.manner.corners & frozenset(allowed)
    return tuple(Line(text, rank=rank) for text, rank in whose_lines(session.study, shown))


def acquired_of(session: ReadingSession, allowed: Collection[CornerText]) -> tuple[Line, ...]:
    """Say where, when and how they were made; parameters as of `whose_of`."""
    if session.manner.names_hidden:
        return ()
    shown = session.manner.corners & frozenset(allowed)
    said = acquired_lines(session.study, session.series, shown)
    return tuple(Line(text, rank=rank) for text, rank in said)


def with_corners(
    written: Annotations, session: ReadingSession, allowed: Collection[CornerText]
) -> Annotations:
    """Add both to what is written; parameters as of `whose_of`."""
    return replace(
        written,
        whose=lines_of("Patient", partial(whose_of, session, allowed)),
        acquired=lines_of("Study", partial(acquired_of, session, allowed)),
    )
