"""Lines of a picture's corners that warn: what is early, what is doubtful, where the heat lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inference.heat_energy import figure_text, warning_text
from viewer.identity import named
from viewer.viewport.annotations import Line

if TYPE_CHECKING:
    from inference.findings import Heatmap
    from inference.studies.model import Problem
    from viewer.early import Early
    from viewer.session import ReadingSession

__all__ = ["heat_notes", "marks_of", "problems_of"]


def marks_of(
    session: ReadingSession, index: int, *, as_acquired: bool, oblique: bool
) -> tuple[Line, ...]:
    """What has to be known of a plane before it is believed.

    Parameters
    ----------
    session
        Has an open volume, which the plane shows.
    index
        Of the plane.
    as_acquired
        It is a stored slice, which is what systems analyse.
    oblique
        It lies aslant.
    """
    volume, kept = session.volume, session.kept
    marks = {
        "findings not current": kept is not None and kept.stale,
        "lossy": volume is not None and volume.lossy,
        "spacing unknown": volume is not None and not volume.has_geometry,
        "interpolated": oblique,
    }
    said = tuple(Line(words, "warning") for words, is_so in marks.items() if is_so)
    early = _early_mark(session.early, index, as_acquired=as_acquired)
    return (*_hidden_mark(session), *early, *said)


def _hidden_mark(session: ReadingSession) -> tuple[Line, ...]:
    """Which masks there are that are not shown: an image without them looks like one without."""
    findings, early = session.findings, session.early
    if findings is None and early is None:
        return ()
    if not session.overlays_on:
        return (Line("overlays hidden", "warning"),)
    hidden = []
    for layer in session.layers:
        segment = findings.segment(layer.key) if findings is not None else None
        is_there = early is not None or (segment is not None and segment.pixels_per_slice.any())
        if is_there and not layer.visible:
            hidden.append(layer.key.short)
    return (Line(f"{', '.join(hidden)} hidden", "warning"),) if hidden else ()


def _early_mark(early: Early | None, index: int, *, as_acquired: bool) -> tuple[Line, ...]:
    """While an analysis runs: whether it has come to this slice.

    Parameters
    ----------
    early
        What has arrived; None when none runs.
    index
        Of the plane.
    as_acquired
        The plane is a stored slice, which is what systems analyse.
    """
    if early is None:
        return ()
    if not as_acquired:
        return (Line("analysis running: early results on slices as acquired", "warning"),)
    if early.done[index]:
        text = "early result, analysis running"
    else:
        text = "not yet analysed" if early.planned[index] else "not analysed"
    return (Line(text, "warning"),)


def heat_notes(heatmap: Heatmap | None) -> tuple[Line, ...]:
    """Write how much of the heat lies in the lungs, warning first; nothing where none are known."""
    if heatmap is None or heatmap.lungs is None:
        return ()
    first, colon, second = warning_text(heatmap.lungs).partition(": ")
    warning = (Line(first + colon.strip(), "warning"), Line(second, "warning")) if second else ()
    return (*warning, Line(figure_text(heatmap.lungs)))


def problems_of(session: ReadingSession) -> tuple[Problem, ...]:
    """What is doubtful about the open study, series and volume, each once."""
    found = [
        problem
        for source in (session.volume, session.series, session.study)
        if source is not None
        for problem in source.problems
    ]
    shown = (replace(each, sentence=named(session, each.sentence)) for each in found)
    return tuple({(each.code, each.sentence): each for each in shown}.values())
