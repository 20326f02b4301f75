"""One thread beside the window: work goes out, progress and results come back as signals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from queue import SimpleQueue
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from inference.errors import CancelledError, SecondReadError
from inference.faults import record
from inference.progress import Progress

__all__ = ["Job", "Worker"]

_REPORT_INTERVAL = 0.04
"""Seconds between two reports of one stage: more would only keep the window busy."""


def _nothing() -> None:
    """Do nothing; the default answer to a cancellation."""


def _nothing_with(_answer: object) -> None:
    """Do nothing with an answer."""


def _no_work(_progress: Progress) -> None:
    """Do nothing: the work of a job that is over."""


@dataclass(slots=True, eq=False)
class Job:
    """A piece of work and who hears of its end; exactly one of the three answers is called.

    Parameters
    ----------
    title
        What is being done, for the reader, e.g. ``"Opening"``.
    work
        Runs on the worker's thread; reports to the progress that it is given.
    done, failed, cancelled
        Called on the window's thread with the result, with a sentence, or with nothing.
    quiet
        True: not shown as activity (thumbnails).
    """

    title: str
    work: Callable[[Progress], Any]
    done: Callable[[Any], None]
    failed: Callable[[str], None]
    cancelled: Callable[[], None] = _nothing
    quiet: bool = False
    progress: Progress = field(default_factory=Progress)

    def cancel(self) -> None:
        """Ask the work to stop; its result, if it still has one, is thrown away."""
        self.progress.cancelled.set()

    def forget(self) -> None:
        """Let go of everything that was to be called.

        These functions often know their job. A circle through them would be found by Python's
        collector, on any thread, and widgets and timers in it must not end on another than theirs.
        """
        self.work, self.done, self.failed = _no_work, _nothing_with, _nothing_with
        self.cancelled = _nothing
        self.progress.callback = None


class Worker(QObject):
    """Does jobs one after the other on a thread of its own, started with the first job.

    Signals are delivered on the thread that made the worker.
    """

    progressed = Signal(str, int, int)
    """(stage, done, total) of the running job, unless it is quiet."""
    busy_changed = Signal(bool)
    """Jobs that are not quiet began or came to an end."""
    _delivered = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._jobs: list[Job] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._delivered.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """A job that is not quiet is waiting or running."""
        return any(not job.quiet for job in self._jobs)

    @property
    def title(self) -> str:
        """What the first waiting or running job does, or ``""``."""
        return next((job.title for job in self._jobs if not job.quiet), "")

    def submit(self, job: Job) -> Job:
        """Queue a job."""
        if self._closed:
            raise RuntimeError("the worker has been closed")
        was_busy = self.busy
        self._jobs.append(job)
        if not job.quiet:
            job.progress.callback = self._reporter()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._queue.put(job)
        if self.busy and not was_busy:
            self.busy_changed.emit(True)
        return job

    def deliver(self, job: Job, call: Callable[[], None]) -> None:
        """Call something on the window's thread, before the job's answer; from any thread.

        Nothing is called for a job that has been cancelled meanwhile.
        """
        self._delivered.emit(partial(self._call_for, job, call))

    def cancel(self) -> None:
        """Cancel every job that is not quiet."""
        for job in self._jobs:
            if not job.quiet:
                job.cancel()

    def close(self) -> None:
        """Cancel everything and wait for the thread's end; no answer is called any more."""
        for job in self._jobs:
            job.cancel()
        self.finish()

    def finish(self) -> None:
        """Wait until all jobs have been done and the thread has ended; no answer is called."""
        self._closed = True
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
        for job in self._jobs:
            job.forget()
        self._jobs.clear()

    def _reporter(self) -> Callable[[str, int, int], None]:
        """Make a callback that passes on what the reader can take in."""
        last_stage, last_time = "", 0.0

        def report(stage: str, done: int, total: int) -> None:
            nonlocal last_stage, last_time
            now = time.monotonic()
            if stage != last_stage or done >= total or now - last_time >= _REPORT_INTERVAL:
                last_stage, last_time = stage, now
                self._delivered.emit(partial(self._show_progress, stage, done, total))

        return report

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            self._delivered.emit(self._outcome(job))
            # Keeps no volume alive while waiting for the next job.
            del job

    def _outcome(self, job: Job) -> Callable[[], None]:
        """Do a job; say what to call on the window's thread."""
        try:
            if job.progress.cancelled.is_set():
                return partial(self._finish, job, job.cancelled)
            result = job.work(job.progress)
        except CancelledError:
            return partial(self._finish, job, job.cancelled)
        except SecondReadError as error:
            return partial(self._finish, job, partial(job.failed, str(error)))
        except MemoryError:
            sentence = f"{job.title} stopped: there is not enough memory; close other programs."
            return partial(self._finish, job, partial(job.failed, sentence))
        except Exception as error:  # noqa: BLE001 - the last frame of a thread: told, never lost
            sentence = record(error, job.title)
            return partial(self._finish, job, partial(job.failed, sentence))
        return partial(self._finish, job, partial(job.done, result))

    def _call_for(self, job: Job, call: Callable[[], None]) -> None:
        if job in self._jobs and not job.progress.cancelled.is_set():
            call()

    def _show_progress(self, stage: str, done: int, total: int) -> None:
        self.progressed.emit(stage, done, total)

    def _finish(self, job: Job, answer: Callable[[], None]) -> None:
        """Call the answer; a job cancelled after its work had ended counts as cancelled."""
        self._jobs.remove(job)
        if job.progress.cancelled.is_set():
            answer = job.cancelled
        try:
            answer()
        finally:
            job.forget()
            if not job.quiet and not self.busy:
                self.busy_changed.emit(False)

    @Slot(object)
    def _deliver(self, call: Callable[[], None]) -> None:
        if not self._closed:
            call()
