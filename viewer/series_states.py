"""What is known of the analysis of each series of the study list."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from inference.studies.choose import is_localizer

if TYPE_CHECKING:
    from inference.studies.model import Series, Study
    from viewer.session import ReadingSession

__all__ = ["SeriesState", "SeriesStates", "Standing", "left_to_analyse"]

_ANALYSABLE: Final = ("CT", "CR", "DX")
"""Modalities that say which networks are asked."""


class Standing(StrEnum):
    """Where the analysis of a series stands; the value is what the study list says of it."""

    NONE = ""
    WAITING = "waiting"
    READING = "reading"
    RUNNING = "running"
    DONE = "analysed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STALE = "stale"

    @property
    def active(self) -> bool:
        """It waits or is at work."""
        return self in {Standing.WAITING, Standing.READING, Standing.RUNNING}


@dataclass(frozen=True, slots=True)
class SeriesState:
    """How far the analysis of a series is.

    Parameters
    ----------
    standing
        Where it stands.
    percent
        Of the slices, while it runs.
    made
        Of findings of an earlier time: when they were made, in words.
    why
        Why it failed or is stale, in a sentence.
    """

    standing: Standing = Standing.NONE
    percent: int = 0
    made: str = ""
    why: str = ""


class SeriesStates(QObject):
    """The states by series, a part of the session; whoever analyses writes, the list reads."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._states: dict[str, SeriesState] = {}

    def of(self, series_uid: str) -> SeriesState:
        """Return what is known of a series."""
        return self._states.get(series_uid, SeriesState())

    def put(self, series_uid: str, state: SeriesState) -> None:
        """Note what is known of a series."""
        if self.of(series_uid) != state:
            self._states[series_uid] = state
            self.changed.emit()


def left_to_analyse(session: ReadingSession) -> tuple[tuple[Study, Series], ...]:
    """The series of the study list that "Analyse all in list" means.

    No scouts, no pictures that do not say what they are, none that is being analysed or of which
    there are findings by the present models.
    """
    volume = session.volume

    def says_what(series: Series) -> bool:
        taken_for = volume.modality if volume is not None and session.series is series else ""
        return series.modality in _ANALYSABLE or taken_for in _ANALYSABLE

    def is_done(series: Series) -> bool:
        standing = session.states.of(series.uid).standing
        return standing is Standing.DONE or standing.active

    return tuple(
        (study, series)
        for study in session.studies
        for series in study.series
        if says_what(series) and not is_localizer(series) and not is_done(series)
    )
