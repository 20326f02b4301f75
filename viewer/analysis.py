"""Runs a system on a worker: findings and heatmaps out, cancel in; stale results are dropped.

Slices that are finished are shown while the others are computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from inference.progress import Progress
from inference.systems.base import Context
from viewer.libraries import loading
from viewer.session import AnalysisState
from viewer.shelf import Shelf
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.findings import Findings, Heatmap
    from inference.partial import Partial
    from inference.studies.model import Volume
    from inference.systems.base import System
    from viewer.session import HeatmapChoice, ReadingSession

__all__ = ["Analyst", "default_system"]

_SETTLE_MS = 200
"""A heatmap is computed when the reader has stayed on a slice for so long."""

_REST_MS = 1000
"""Models are loaded when the reader has rested for so long on a series: importing torch takes
seconds of processor time, which would be felt while going through the slices."""


def default_system(name: str) -> Callable[[], System]:
    """Return a factory of a published system; torch is imported when it is called."""

    def make() -> System:
        with loading("torch", "torch", "SimpleITK", "openvino"):
            from inference.systems import get_system

            return get_system(name)

    return make


class Analyst(QObject):
    """Analyses the open series.

    Parameters
    ----------
    session
        Gives the volume, receives findings, states and sentences.
    worker
        Does the computing.
    system
        Makes the system, on the worker's thread, at the first analysis; it is kept from then on,
        so that weights are loaded once.
    context
        What every analysis is asked for; its progress and times are replaced.
    ask
        Says instead what an analysis of a volume is asked for that begins now.
    """

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        system: Callable[[], System],
        context: Context | None = None,
        *,
        ask: Callable[[Volume | None], Context] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._make_system = system
        self._system: System | None = None
        self._ask = ask or (lambda _volume: context or Context())
        self._made_with: dict[str, Context] = {}
        """What findings were asked for, by series: a heatmap explains the networks that spoke."""
        self._shelf = Shelf()
        self._job: Job | None = None
        self._running: Context | None = None
        self._heatmap_job: Job | None = None
        self._ready_job: Job | None = None
        self._settle = self._timer(_SETTLE_MS, self._explain)
        self._rest = self._timer(_REST_MS, self._get_ready)
        session.volume_changed.connect(self._take_up)
        session.position_changed.connect(self._look_at)
        session.position_changed.connect(self._settle_anew)
        session.heatmap_changed.connect(self._settle_anew)
        worker.progressed.connect(self._show_stage)

    @property
    def running(self) -> bool:
        """An analysis waits or runs."""
        return self._job is not None

    def start(self) -> None:
        """Analyse the open volume; nothing without one, while it is being read, or when running."""
        volume = self._session.volume
        if volume is None or self._session.reading.active or self.running:
            return
        self._stop_explaining()
        self._rest.stop()
        asked = self._ask(volume)
        context = replace(asked, progress=Progress(), read_seconds=self._session.read_seconds)
        context.focus = self._session.position

        def arrived(partial: Partial) -> None:
            self._worker.deliver(job, lambda: self._session.add_partial(partial))

        def work(_progress: Progress) -> Findings:
            findings = self._the_system().analyse(volume, context)
            self._shelf.put(volume, findings)
            return findings

        def done(findings: Findings) -> None:
            self._end()
            self._made_with[volume.series_uid] = asked
            self._session.set_findings(findings)

        def failed(sentence: str) -> None:
            self._end()
            self._session.set_analysis(AnalysisState.FAILED)
            self._session.post("error", sentence)

        def cancelled() -> None:
            # The job of a volume that has since been replaced says nothing any more.
            if self._job is job:
                self._end()
                self._session.set_analysis(AnalysisState.CANCELLED)

        job = Job("Analysing", work, done, failed, cancelled, progress=context.progress)
        context.partial = arrived
        self._job, self._running = job, context
        self._session.set_analysis(AnalysisState.RUNNING)
        self._worker.submit(job)

    def cancel(self) -> None:
        """Cancel the analysis, and a heatmap that is being computed."""
        if self._job is not None:
            self._job.cancel()
        self._stop_explaining()

    def _end(self) -> None:
        self._job = self._running = None

    def _look_at(self, index: int) -> None:
        """The slices around the one on the screen are analysed next."""
        if self._running is not None:
            self._running.focus = index
        if self._rest.isActive():
            self._rest.start()

    def _timer(self, milliseconds: int, ring: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(ring)
        return timer

    def close(self) -> None:
        """Stop everything; to be called before the worker is closed."""
        self.cancel()
        self._rest.stop()

    def _the_system(self) -> System:
        """Return the one system; called on the worker's thread only."""
        if self._system is None:
            self._system = self._make_system()
        return self._system

    def _show_stage(self, stage: str, done: int, total: int) -> None:
        if self._job is not None and not self._job.progress.cancelled.is_set():
            self._session.set_stage(stage, done, total)

    def _take_up(self) -> None:
        """Another volume is open: drop what is computed of the old one, bring back its own."""
        self.cancel()
        # The cancelled job answers later; it must not keep the new volume from being analysed.
        self._end()
        if self._ready_job is not None:
            self._ready_job.cancel()
        volume = self._session.volume
        self._rest.stop()
        if volume is None or self._session.reading.active:
            return
        if not self._shelf.knows(volume):
            self._rest.start()
            return

        def done(findings: Findings | None) -> None:
            unchanged = self._session.volume is volume
            if findings and unchanged and self._session.analysis is AnalysisState.NONE:
                self._session.set_findings(findings)

        def failed(_sentence: str) -> None:
            """Leave the series as not analysed: that is what it says on the screen."""

        shelf = self._shelf
        self._worker.submit(
            Job("Comparing", lambda _progress: shelf.take(volume), done, failed, quiet=True)
        )

    # -- getting ready -----------------------------------------------------------------------

    def _get_ready(self) -> None:
        """Load what an analysis of the open volume would need, before it is asked for."""
        volume = self._session.volume
        if volume is None or self._session.analysis is not AnalysisState.NONE:
            return

        asked = self._ask(volume)

        def work(progress: Progress) -> None:
            self._the_system().get_ready(volume, replace(asked, progress=progress))

        def end(_answer: object = None) -> None:
            """Say nothing: should it have failed, the analysis will say why."""
            self._ready_job = None

        self._ready_job = self._worker.submit(
            Job("Loading the models", work, end, end, end, quiet=True)
        )

    # -- heatmaps ----------------------------------------------------------------------------

    def _wanted(self) -> tuple[Volume, int, HeatmapChoice] | None:
        """Return the heatmap that is asked for and not there yet."""
        session = self._session
        if session.volume is None or session.findings is None or self.running:
            return None
        if session.heatmap_choice is None or session.heatmap is not None:
            return None
        return session.volume, session.position, session.heatmap_choice

    def _settle_anew(self) -> None:
        self._stop_explaining()
        if self._wanted() is not None:
            self._settle.start()

    def _stop_explaining(self) -> None:
        self._settle.stop()
        if self._heatmap_job is not None:
            self._heatmap_job.cancel()
            self._heatmap_job = None

    def _explain(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            return
        volume, index, choice = wanted
        asked = self._made_with.get(volume.series_uid) or self._ask(volume)

        def work(progress: Progress) -> Heatmap:
            context = replace(asked, progress=progress)
            return self._the_system().explain(
                volume, index, choice.task, choice.class_name, context
            )

        def done(heatmap: Heatmap) -> None:
            self._heatmap_job = None
            self._session.set_heatmap(volume.series_uid, heatmap)

        def failed(sentence: str) -> None:
            self._heatmap_job = None
            # Otherwise the same failure would come back with every slice.
            self._session.choose_heatmap(None)
            self._session.post("error", sentence)

        self._heatmap_job = self._worker.submit(Job("Explaining", work, done, failed))
