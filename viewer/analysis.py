"""Runs a system on a worker: findings and heatmaps out, cancel in.

An analysis belongs to its series: it goes on while another is read, and is shown with its own.
Slices that are finished are shown while the others are computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from inference.systems.base import Context
from viewer.explaining import Explainer
from viewer.finding import the_reader
from viewer.keeping import FindingsKeeper
from viewer.libraries import loading
from viewer.queue import Analysis, AnalysisQueue
from viewer.series_states import SeriesState, Standing, left_to_analyse
from viewer.session import AnalysisState
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.partial import Partial
    from inference.progress import Progress
    from inference.studies.model import Series, Study, Volume
    from inference.systems.base import System
    from viewer.choices import KeptFrom
    from viewer.finding import Reader
    from viewer.keeping import Returned
    from viewer.session import ReadingSession

__all__ = ["Analyst", "default_system", "name_of"]

_REST_MS = 1000
"""Models are loaded when the reader has rested for so long on a series: importing torch takes
seconds of processor time, which would be felt while going through the slices."""


_STATES: Final = {
    Standing.WAITING: AnalysisState.WAITING,
    Standing.READING: AnalysisState.RUNNING,
    Standing.RUNNING: AnalysisState.RUNNING,
    Standing.FAILED: AnalysisState.FAILED,
    Standing.CANCELLED: AnalysisState.CANCELLED,
}


def default_system(name: str) -> Callable[[], System]:
    """Return a factory of a published system; torch is imported when it is called."""

    def make() -> System:
        with loading("torch", "torch", "SimpleITK", "openvino"):
            from inference.systems import get_system

            return get_system(name)

    return make


class Analyst(QObject):
    """Analyses series, the open one or others, and shows what is known of the open one.

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
    keeper
        Keeps findings; None: they are held in memory.
    reader
        Gives the reader of series that are not open, on the worker's thread.
    """

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        system: Callable[[], System],
        context: Context | None = None,
        *,
        ask: Callable[[Volume | None], Context] | None = None,
        keeper: FindingsKeeper | None = None,
        reader: Callable[[], Reader] = the_reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._make_system = system
        self._system: System | None = None
        self._ask = ask or (lambda _volume: context or Context())
        self._keeper = keeper
        self._held = keeper or FindingsKeeper(worker, lambda: (False, 0), parent=self)
        self._reader = reader
        self._made_with: dict[str, Context] = {}
        """What findings were asked for, by series: a heatmap explains the networks that spoke."""
        self.queue = AnalysisQueue(worker, self._analyse, self._load, self._ask, self)
        self._looked_for: set[str] = set()
        self._mine: Analysis | None = None
        """The analysis of exactly the volume that is open."""
        self._ready_job: Job | None = None
        self.explainer = Explainer(
            session, worker, self._the_system, self._made_with_or_asked, lambda: self.running, self
        )
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._get_ready)
        session.volume_changed.connect(self._take_up)
        session.position_changed.connect(self._look_at)
        session.studies_changed.connect(self._look_for_kept)
        self.queue.changed.connect(self._show)
        self.queue.arrived.connect(self._show_early)
        self.queue.ended.connect(self._end)
        self._held.marked.connect(self._mark)

    @property
    def running(self) -> bool:
        """An analysis of the open volume waits or runs."""
        return self._mine is not None

    # -- asking for analyses -----------------------------------------------------------------

    def start(self) -> None:
        """Analyse the open volume; nothing without one, while it is being read, or when running."""
        session = self._session
        volume, study, series = session.volume, session.study, session.series
        if volume is None or study is None or series is None:
            return
        if session.reading.active or self.running:
            return
        self.explainer.stop()
        self._rest.stop()
        analysis = Analysis(study, series, volume, self._ask(volume), session.read_seconds)
        analysis.focus = session.position
        self._mine = analysis
        self.queue.add(analysis)

    def analyse(self, chosen: Sequence[tuple[Study, Series]]) -> int:
        """Analyse several series, one after the other; returns how many were taken.

        Those that are being analysed, or wait, are left alone.
        """
        taken = 0
        for study, series in chosen:
            if self._session.series is series and not self._session.reading.active:
                before = self.running
                self.start()
                taken += self.running and not before
            elif self.queue.find(series.uid) is None:
                self.queue.add(Analysis(study, series, None, None))
                taken += 1
        return taken

    def analyse_all(self) -> None:
        """Analyse all of the study list that has no current findings, and say how many."""
        wanted = left_to_analyse(self._session)
        total = sum(len(study.series) for study in self._session.studies)
        taken = self.analyse(wanted)
        others = (
            " The others are scouts, are analysed already, or do not say what they show."
            if taken < total
            else ""
        )
        self._session.post("info", f"{taken} of {total} series will be analysed.{others}")

    # -- cancelling --------------------------------------------------------------------------

    def cancel(self, series_uids: Collection[str] = ()) -> None:
        """Cancel one analysis, and a heatmap that is being computed.

        Parameters
        ----------
        series_uids
            Whose analyses; none: that of the open series or, where there is none, the one at work.
        """
        self.explainer.stop()
        chosen = [each for each in self.queue.active if each.series.uid in series_uids]
        if not series_uids:
            one = self._mine or self.queue.running
            chosen = [] if one is None else [one]
        for analysis in reversed(chosen):
            self.queue.cancel(analysis)

    def cancel_all(self) -> None:
        """Cancel every analysis, and a heatmap that is being computed."""
        self.explainer.stop()
        self.queue.cancel_all()

    def close(self) -> None:
        """Stop everything; to be called before the worker is closed."""
        self.explainer.stop()
        self.queue.close()
        self._rest.stop()

    # -- on the worker's thread --------------------------------------------------------------

    def _the_system(self) -> System:
        """Return the one system; called on the worker's thread only."""
        if self._system is None:
            self._system = self._make_system()
        return self._system

    def _analyse(self, analysis: Analysis, volume: Volume, context: Context) -> Findings:
        findings = self._the_system().analyse(volume, context)
        self._held.shelve(volume, findings)
        return findings

    def _load(self, series: Series, progress: Progress) -> tuple[Volume, float]:
        started = time.perf_counter()
        volume = self._reader().load(series, progress)
        return volume, time.perf_counter() - started

    # -- what becomes of them ----------------------------------------------------------------

    def _show(self, analysis: Analysis) -> None:
        """Say in the list, and of the open series everywhere, where an analysis stands."""
        session = self._session
        session.states.put(analysis.series.uid, SeriesState(analysis.standing, analysis.percent))
        if analysis is not self._mine:
            self._match_if_read(analysis)
            return
        state = _STATES.get(analysis.standing)
        if state is not None and state is not session.analysis:
            session.set_analysis(state)
        if analysis.standing is Standing.WAITING:
            session.set_stage("Waiting", self.queue.ahead_of(analysis), 0)
        elif analysis.standing.active:
            session.set_stage(*analysis.stage)

    def _match_if_read(self, analysis: Analysis) -> None:
        """The series on the screen has been read for its analysis, too: they may be one."""
        volume = self._session.volume
        if self._mine is not None or volume is None or self._session.reading.active:
            return
        begins = analysis.standing is Standing.RUNNING and analysis.stage == ("", 0, 0)
        if begins and self.queue.find(volume.series_uid, volume.modality) is analysis:
            self._match(volume, analysis)

    def _show_early(self, analysis: Analysis, partial: Partial) -> None:
        if analysis is self._mine:
            self._session.add_partial(partial)

    def _end(self, analysis: Analysis, findings: Findings | None, sentence: str) -> None:
        session = self._session
        mine, self._mine = self._mine, None if analysis is self._mine else self._mine
        uid, volume = analysis.series.uid, analysis.volume
        if findings is not None and volume is not None:
            asked = analysis.asked or self._ask(volume)
            self._made_with[uid] = asked
            if self._keeper is not None:
                self._keeper.keep(volume, findings, asked)
            if analysis is mine:
                session.set_findings(findings)
        elif sentence:
            session.states.put(uid, SeriesState(Standing.FAILED, why=sentence))
            name = "" if analysis is mine else f"{name_of(analysis.series)} was not analysed: "
            session.post("error", f"{name}{sentence}")
        elif self._keeper is not None:
            # Cancelled: what an earlier time had found may still be kept.
            self._keeper.look_for([uid])
        # Those behind it have moved up.
        for each in self.queue.waiting:
            self._show(each)

    # -- another volume is open --------------------------------------------------------------

    def _take_up(self) -> None:
        """Another volume is open: bring back what is known of it, or what is being found out."""
        session = self._session
        self.explainer.stop()
        if self._ready_job is not None:
            self._ready_job.cancel()
        self._rest.stop()
        self._mine = None
        volume = session.volume
        if volume is None or session.reading.active:
            return
        analysis = self.queue.find(volume.series_uid, volume.modality)
        if analysis is None:
            self._bring_back(volume)
            return
        if analysis.volume is None and analysis.standing is Standing.WAITING:
            # It need not be read a second time.
            analysis.volume, analysis.read_seconds = volume, session.read_seconds
        self._match(volume, analysis)

    def _match(self, volume: Volume, analysis: Analysis) -> None:
        """Show the analysis of a series as that of the open volume, if it is of the same values."""
        if analysis.volume is volume:
            self._adopt(volume, analysis)
        elif analysis.volume is not None:
            self._held.compare(volume, analysis.volume, partial(self._adopt, volume, analysis))

    def _adopt(self, volume: Volume, analysis: Analysis) -> None:
        """Show an analysis of the series that has come back to the screen."""
        session = self._session
        if session.volume is not volume or self._mine is not None:
            return
        if not analysis.standing.active:
            # It has ended while the two were compared.
            self._bring_back(volume)
            return
        self._mine = analysis
        self._rest.stop()
        self._show(analysis)
        self.queue.look_at(analysis, session.position)
        for each in analysis.partials:
            session.add_partial(each)

    def _bring_back(self, volume: Volume) -> None:
        self._rest.start()

        def done(found: Returned | None, refused: str) -> None:
            session = self._session
            if session.volume is not volume or session.analysis is not AnalysisState.NONE:
                return
            if refused:
                session.post("warning", refused)
            if found is None:
                return
            self._rest.stop()
            if found.kept is not None:
                self._made_with[volume.series_uid] = replace(
                    self._ask(volume), streams=found.streams, recogniser=found.recogniser
                )
            session.set_findings(found.findings, found.kept)

        self._held.take(volume, done)

    def _look_for_kept(self) -> None:
        """Ask once of each series whether findings of it are kept."""
        uids = {series.uid for study in self._session.studies for series in study.series}
        if self._keeper is not None and (new := uids - self._looked_for):
            self._looked_for |= new
            self._keeper.look_for(new)

    def _mark(self, marks: dict[str, KeptFrom]) -> None:
        """Say in the list of which series findings are kept, unless more is known by now."""
        states = self._session.states
        for uid, kept in marks.items():
            if states.of(uid).standing in {Standing.NONE, Standing.CANCELLED}:
                standing = Standing.STALE if kept.stale else Standing.DONE
                states.put(uid, SeriesState(standing, made=kept.made, why=kept.because))

    def _look_at(self, index: int) -> None:
        """The slices around the one on the screen are analysed next."""
        if self._mine is not None:
            self.queue.look_at(self._mine, index)
        if self._rest.isActive():
            self._rest.start()

    def _made_with_or_asked(self, volume: Volume) -> Context:
        return self._made_with.get(volume.series_uid) or self._ask(volume)

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


def name_of(series: Series) -> str:
    """Name a series without its description, which may tell whose it is."""
    return "One series" if series.number is None else f"Series {series.number}"
