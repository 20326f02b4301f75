"""Reads the pixels of one series at a time, and shows its slices while they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from inference.progress import Progress
from viewer.reading import Arrivals
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.studies.model import Series, Study, Volume
    from viewer.finding import Reader
    from viewer.session import ReadingSession

__all__ = ["PixelReader"]


class PixelReader:
    """From a series of the study list to a volume in the session.

    Parameters
    ----------
    session
        Shows what is read.
    worker
        Reads.
    """

    def __init__(self, session: ReadingSession, worker: Worker) -> None:
        self._session = session
        self._worker = worker
        self._job: Job | None = None
        self._wanted: Series | None = None
        self._before: tuple[Study, Series, Volume, float] | None = None

    @property
    def wanted(self) -> Series | None:
        """The series that is being read, or waits for it; None when none is."""
        return self._wanted

    def read(
        self,
        reader: Callable[[], Reader],
        study: Study,
        series: Series,
        done: Callable[[], None],
        failed: Callable[[str], None],
        since: float | None = None,
    ) -> None:
        """Read a series' pixels and show them.

        Parameters
        ----------
        reader
            Gives the reader, on the worker's thread.
        study, series
            What to read.
        done
            Called when all of it is on the screen.
        failed
            Called with the sentence when it cannot be read; what was open before is open again.
        since
            `time.perf_counter` from which the time of reading counts; None: when reading begins.
        """

        def begin(volume: Volume) -> None:
            self._worker.deliver(job, lambda: self._begin(study, series, volume, arrivals))

        arrivals = Arrivals(begin)

        def work(progress: Progress) -> tuple[Volume, float]:
            started = time.perf_counter() if since is None else since
            with closing(arrivals):
                volume = reader().load(series, progress, arrivals.watch)
            return volume, time.perf_counter() - started

        def end(result: tuple[Volume, float]) -> None:
            self._over(job)
            self.show(study, series, *result)
            done()

        def fail(sentence: str) -> None:
            self._over(job)
            self.go_back()
            failed(sentence)

        def cancelled() -> None:
            self._over(job)
            # What was cancelled for something else leaves the screen when that comes.
            if job is self._job:
                self.go_back()

        job = self._job = Job("Opening", work, end, fail, cancelled)
        self._wanted = series
        self._worker.submit(job)

    def _over(self, job: Job) -> None:
        if job is self._job:
            self._wanted = None

    def show(self, study: Study, series: Series, volume: Volume, seconds: float) -> None:
        """Show a series that has been read to its end."""
        if self._session.reading.active and self._session.series is series:
            self._session.complete_volume(volume, seconds)
        else:
            self._session.set_volume(study, series, volume, seconds)
        self._before = None

    def _begin(self, study: Study, series: Series, volume: Volume, arrivals: Arrivals) -> None:
        """Show a series of which the first slice is there."""
        session = self._session
        if not session.reading.active:
            self._before = None
            if session.study and session.series and session.volume:
                self._before = (
                    session.study, session.series, session.volume, session.read_seconds
                )  # fmt: skip
        session.set_volume(study, series, volume, arrivals=arrivals)

    def make_way(self) -> None:
        """Cancel; what is on the screen stays there until something else comes, or `go_back`."""
        self._job = self._wanted = None
        self._worker.cancel()

    def go_back(self) -> None:
        """Show again what was open before a series that will never be whole."""
        before, self._before = self._before, None
        if not self._session.reading.active:
            return
        if before is None:
            self._session.close_volume()
        else:
            self._session.set_volume(*before)
