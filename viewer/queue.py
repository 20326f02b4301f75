"""Analyses that wait for one another: one runs at a time, whatever series is on the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inference.progress import Progress
from viewer.series_states import Standing
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.partial import Partial
    from inference.studies.model import Series, Study, Volume
    from inference.systems.base import Context

__all__ = ["Analysis", "AnalysisQueue"]


@dataclass(eq=False)
class Analysis:
    """One analysis that was asked for.

    Parameters
    ----------
    study, series
        Of what.
    volume
        Its pixels; None: they are read when its turn comes.
    asked
        What it was asked for.
    read_seconds
        How long reading took.
    """

    study: Study
    series: Series
    volume: Volume | None
    asked: Context | None
    read_seconds: float = 0.0
    standing: Standing = Standing.WAITING
    stage: tuple[str, int, int] = ("", 0, 0)
    """(what is being done, in words; done; total)."""
    percent: int = 0
    focus: int | None = None
    partials: list[Partial] = field(default_factory=list)
    """Groups of slices that are finished, for a reader who comes back to the series."""
    job: Job | None = None
    context: Context | None = None

    @property
    def modality(self) -> str:
        """What it is read as: a picture may be taken for a CT slice or for an X-ray."""
        return self.series.modality if self.volume is None else self.volume.modality


class AnalysisQueue(QObject):
    """Does analyses in the order in which they were asked for.

    Parameters
    ----------
    worker
        Does the computing.
    analyse
        Analyses a volume; called on the worker's thread.
    load
        Reads the pixels of a series; called on the worker's thread.
    asked
        Says what an analysis of a volume is asked for that begins now.
    """

    changed = Signal(object)
    """An `Analysis` has another standing, stage or percentage."""
    arrived = Signal(object, object)
    """(`Analysis`, `Partial`): a group of slices is finished."""
    ended = Signal(object, object, str)
    """(`Analysis`, `Findings` or None, sentence): done, failed with a sentence, or cancelled."""

    def __init__(
        self,
        worker: Worker,
        analyse: Callable[[Analysis, Volume, Context], Findings],
        load: Callable[[Series, Progress], tuple[Volume, float]],
        asked: Callable[[Volume], Context],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._worker = worker
        self._analyse = analyse
        self._load = load
        self._asked = asked
        self._waiting: list[Analysis] = []
        self._running: Analysis | None = None
        self._closed = False
        worker.progressed.connect(self._show_stage)

    @property
    def running(self) -> Analysis | None:
        """The analysis that is at work, or None."""
        return self._running

    @property
    def waiting(self) -> tuple[Analysis, ...]:
        """Those whose turn will come, the next one first."""
        return tuple(self._waiting)

    @property
    def active(self) -> tuple[Analysis, ...]:
        """The one at work and those that wait."""
        return (() if self._running is None else (self._running,)) + self.waiting

    def find(self, series_uid: str, modality: str | None = None) -> Analysis | None:
        """Return the analysis of a series that waits or is at work; None where there is none.

        Parameters
        ----------
        series_uid
            Which series.
        modality
            What it is read as; None: whatever it is.
        """
        return next(
            (
                each
                for each in self.active
                if each.series.uid == series_uid and modality in {None, each.modality}
            ),
            None,
        )

    def ahead_of(self, analysis: Analysis) -> int:
        """How many come before it."""
        active = self.active
        return active.index(analysis) if analysis in active else 0

    def add(self, analysis: Analysis) -> None:
        """Ask for an analysis; it begins at once where none is at work."""
        self._waiting.append(analysis)
        self.changed.emit(analysis)
        self._next()

    def cancel(self, analysis: Analysis) -> None:
        """Stop an analysis; it leaves no result."""
        if analysis in self._waiting:
            self._waiting.remove(analysis)
            self._end(analysis, Standing.CANCELLED)
        elif analysis is self._running and analysis.job is not None:
            analysis.job.cancel()

    def cancel_all(self) -> None:
        """Stop all of them; those that wait first, so that none begins."""
        for analysis in reversed(self.active):
            self.cancel(analysis)

    def close(self) -> None:
        """Stop everything and tell nobody."""
        self._closed = True
        self._waiting.clear()
        if self._running is not None and self._running.job is not None:
            self._running.job.cancel()

    # -- one after the other -----------------------------------------------------------------

    def _next(self) -> None:
        if self._running is not None or not self._waiting or self._closed:
            return
        analysis = self._running = self._waiting.pop(0)
        progress = Progress()

        def deliver(call: Callable[[], None]) -> None:
            self._worker.deliver(job, call)

        def arrived(said: Partial) -> None:
            deliver(partial(self._take, analysis, said))

        def work(_progress: Progress) -> Findings:
            volume, seconds = analysis.volume, analysis.read_seconds
            if volume is None:
                deliver(partial(self._stand, analysis, Standing.READING))
                volume, seconds = self._load(analysis.series, progress)
                deliver(partial(self._has_read, analysis, volume, seconds))
            context = replace(
                analysis.asked or self._asked(volume),
                progress=progress,
                read_seconds=seconds,
                focus=analysis.focus,
                partial=arrived,
            )
            analysis.context = context
            return self._analyse(analysis, volume, context)

        job = Job(
            "Analysing",
            work,
            lambda findings: self._end(analysis, Standing.DONE, findings),
            lambda sentence: self._end(analysis, Standing.FAILED, None, sentence),
            lambda: self._end(analysis, Standing.CANCELLED),
            progress=progress,
        )
        analysis.job = job
        self._stand(analysis, Standing.RUNNING)
        self._worker.submit(job)

    def look_at(self, analysis: Analysis, index: int) -> None:
        """Analyse the slices around this one next."""
        analysis.focus = index
        if analysis.context is not None:
            analysis.context.focus = index

    def _stand(self, analysis: Analysis, standing: Standing) -> None:
        analysis.standing = standing
        self.changed.emit(analysis)

    def _has_read(self, analysis: Analysis, volume: Volume, seconds: float) -> None:
        analysis.volume, analysis.read_seconds = volume, seconds
        analysis.stage = ("", 0, 0)
        self._stand(analysis, Standing.RUNNING)

    def _take(self, analysis: Analysis, said: Partial) -> None:
        analysis.partials.append(said)
        self.arrived.emit(analysis, said)

    def _show_stage(self, stage: str, done: int, total: int) -> None:
        analysis = self._running
        if analysis is None or analysis.job is None or analysis.job.progress.cancelled.is_set():
            return
        analysis.stage = (stage, done, total)
        # Stages of one step say nothing of how far the whole is.
        if analysis.standing is Standing.RUNNING and total > 1:
            analysis.percent = max(analysis.percent, 100 * done // total)
        self.changed.emit(analysis)

    def _end(
        self,
        analysis: Analysis,
        standing: Standing,
        findings: Findings | None = None,
        sentence: str = "",
    ) -> None:
        if analysis is self._running:
            self._running = None
        analysis.job = analysis.context = None
        analysis.partials.clear()
        analysis.standing = standing
        if self._closed:
            return
        self.changed.emit(analysis)
        self.ended.emit(analysis, findings, sentence)
        analysis.volume = None
        self._next()
