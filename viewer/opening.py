"""Opens files: scans and reads on a worker, and gives the session what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from inference.progress import Progress
from inference.studies.choose import is_localizer
from viewer.finding import Reader, scan_all, the_reader
from viewer.pixels import PixelReader
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.studies.model import Series, Study, Volume
    from viewer.session import ReadingSession

__all__ = ["Opener", "Reader"]

_PAUSE_SECONDS: Final = 0.01
"""How often a scan that gives way asks whether it may go on."""


@dataclass(slots=True, eq=False)
class _Request:
    """What the reader asked to open, and how far that is.

    Parameters
    ----------
    chosen, then, otherwise, remember
        See `Opener.open_paths`.
    started
        `time.perf_counter` when the scan began.
    found
        Studies known so far; set on the scanner's thread.
    reading
        A series has been chosen to be shown.
    """

    chosen: tuple[Path, ...]
    then: Callable[[], None] | None
    otherwise: Callable[[str], None] | None
    remember: bool = True
    started: float = 0.0
    found: tuple[Study, ...] = ()
    reading: bool = False


class Opener(QObject):
    """Opens studies into a session.

    Parameters
    ----------
    session
        Receives studies, volumes and sentences.
    worker
        Reads pixels.
    reader
        Gives the reader, on the workers' threads; `inference.studies` by default.
    scanner
        Looks for studies while pixels are read; None: `worker`, one after the other.
    """

    thumbnail_ready = Signal(str, object)
    """(series uid, uint8 array of shape (size, size))."""
    folder_opened = Signal(object)
    """Folder (`pathlib.Path`) of what was last opened."""
    paths_opened = Signal(object)
    """What was chosen and could be opened, a tuple of `pathlib.Path`."""

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        reader: Callable[[], Reader] = the_reader,
        parent: QObject | None = None,
        scanner: Worker | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._scanner = scanner or worker
        self._request: _Request | None = None
        self._reader = reader
        self._pixels = PixelReader(session, worker)
        self._wanted_thumbnails: list[Series] = []
        self._seen_thumbnails: set[str] = set()
        self._thumbnail_job: Job | None = None
        self._private: set[str] = set()
        self._listed: Callable[[], Sequence[tuple[Study, Series]]] | None = None

    @property
    def private_words(self) -> frozenset[str]:
        """Names and paths of what was opened, to be kept out of what is copied or logged."""
        return frozenset(self._private)

    def open_paths(
        self,
        paths: Sequence[Path],
        then: Callable[[], None] | None = None,
        otherwise: Callable[[str], None] | None = None,
        *,
        remember: bool = True,
    ) -> None:
        """Open files and folders; show their main series as soon as one is known whole.

        The study list fills while the rest is read, and the series on the screen stays there.

        Parameters
        ----------
        paths
            What was chosen or dropped; several files of one folder open the series they belong to.
        then
            Called when the series is on the screen.
        otherwise
            Called with the sentence when nothing could be opened, after it was posted.
        remember
            They are the reader's own: listed as opened, and their names private.
        """
        chosen = tuple(path.absolute() for path in paths)
        if not chosen:
            return
        for path in chosen if remember else ():
            self._private.update({str(path), path.name, str(path.parent), path.parent.name})
        self._scanner.cancel()
        self._pixels.make_way()
        request = self._request = _Request(chosen, then, otherwise, remember)

        def tell(studies: tuple[Study, ...]) -> None:
            request.found = studies
            self._scanner.deliver(job, partial(self._found, request, studies))

        def work(progress: Progress) -> tuple[tuple[Study, ...], str]:
            request.started = time.perf_counter()
            return scan_all(self._reader(), chosen, self._giving_way(progress), tell)

        job = Job(
            "Opening",
            work,
            partial(self._scanned, request),
            partial(self._refused, request),
            partial(self._stopped, request),
        )
        self._scanner.submit(job)

    def _giving_way(self, progress: Progress) -> Progress:
        """Make a scan's progress wait while pixels are read: both would share one interpreter."""
        if self._scanner is self._worker:
            return progress

        def report(stage: str, done: int, total: int) -> None:
            while self._worker.busy and not progress.cancelled.wait(_PAUSE_SECONDS):
                pass
            if progress.callback is not None:
                progress.callback(stage, done, total)

        return Progress(report, progress.cancelled)

    def _found(self, request: _Request, studies: tuple[Study, ...]) -> None:
        """List what is known so far, and show the first series worth it."""
        if request is not self._request or not studies:
            return
        self._add(self._with_known(studies))
        if not request.reading:
            study, series = self._reader().main_series(studies)
            if not is_localizer(series):
                self._read_first(request, study, series)
        self._want_thumbnails()

    def _scanned(self, request: _Request, result: tuple[tuple[Study, ...], str]) -> None:
        studies, doubt = result
        if request is not self._request:
            return
        self._add(studies)
        if not request.reading:
            self._read_first(request, *self._reader().main_series(studies))
        self._want_thumbnails()
        self._say_if_grown()
        left_out = [problem.sentence for each in studies for problem in each.problems]
        for sentence in filter(None, dict.fromkeys([doubt, *left_out])):
            self._session.post("warning", sentence)
        if not request.remember:
            return
        first = request.chosen[0]
        self.folder_opened.emit(first if first.is_dir() else first.parent)
        self.paths_opened.emit(request.chosen)

    def _refused(self, request: _Request, sentence: str) -> None:
        if request is self._request:
            self._pixels.go_back()
        self._session.post("error", sentence)
        if request.otherwise is not None:
            request.otherwise(sentence)

    def _stopped(self, request: _Request) -> None:
        """Keep what had been found when the reader cancelled, unless something else is wanted."""
        if request is not self._request:
            return
        self._pixels.go_back()
        if request.found:
            self._add(self._with_known(request.found))
            self._want_thumbnails()
            self._session.post(
                "info", "Reading was cancelled; what had been found is in the study list."
            )

    def _read_first(self, request: _Request, study: Study, series: Series) -> None:
        request.reading = True
        self._read(study, series, partial(self._refused, request), request.then, request.started)

    def _read(
        self,
        study: Study,
        series: Series,
        failed: Callable[[str], None],
        then: Callable[[], None] | None = None,
        since: float | None = None,
    ) -> None:
        """Read a series' pixels and show them.

        Parameters
        ----------
        study, series
            What to read.
        failed
            Called with the sentence when it cannot be read.
        then
            Called when it is on the screen.
        since
            `time.perf_counter` from which the time of reading counts; None: when reading begins.
        """

        def done() -> None:
            self._want_thumbnails()
            self._say_if_grown()
            if then is not None:
                then()

        self._pixels.read(self._reader, study, series, done, failed, since)

    def _say_if_grown(self) -> None:
        """Say that the open series has more slices than were known when it was read."""
        shown = self._session.series
        if shown is None:
            return
        now = next(
            (s for study in self._session.studies for s in study.series if s.uid == shown.uid),
            shown,
        )
        if len(now.slices) > len(shown.slices):
            self._session.post(
                "warning",
                f"Further slices of the series on the screen were found: {len(now.slices)} instead "
                f"of {len(shown.slices)}. Choose it in the study list to see all of them.",
            )

    def show_opened(
        self,
        studies: tuple[Study, ...],
        study: Study,
        series: Series,
        volume: Volume,
        read_seconds: float,
    ) -> None:
        """Show a series that has been read before the window was there."""
        self._add(studies)
        self._show(study, series, volume, read_seconds)

    def show_series(self, study: Study, series: Series) -> None:
        """Read a series that is already in the tree and show it."""
        wanted = self._pixels.wanted
        is_shown = self._session.series is series
        if is_shown and (wanted is None or wanted is series):
            return
        self._worker.cancel()
        if is_shown and not self._session.reading.active:
            # The reader came back before another one was there.
            self._pixels.make_way()
            return
        self._read(study, series, partial(self._session.post, "error"))

    def tidy(self) -> None:
        """Remove what earlier runs that were killed left unpacked or half written."""

        def work(_progress: Progress) -> None:
            from inference.leftovers import sweep

            sweep()

        def nothing(_result: object) -> None:
            pass

        self._scanner.submit(Job("Tidying", work, nothing, nothing, quiet=True))

    def take_list(self, listed: Callable[[], Sequence[tuple[Study, Series]]]) -> None:
        """Go by the study list as it is shown, sorted and searched, in `step_series`."""
        self._listed = listed

    def step_series(self, delta: int) -> None:
        """Show the next or previous series of the tree; stops at its ends.

        It counts from the series asked for last, which may be still to come: who presses twice
        goes on by two.
        """
        shown = self._pixels.wanted or self._session.series
        if self._listed is not None:
            flat = list(self._listed())
        else:
            flat = [(study, series) for study in self._session.studies for series in study.series]
        here = next((i for i, (_, s) in enumerate(flat) if shown and s.uid == shown.uid), None)
        if here is not None and 0 <= here + delta < len(flat):
            self.show_series(*flat[here + delta])

    def read_as(self, modality: str) -> None:
        """Take the open picture for a CT slice or an X-ray: its file does not say what it is.

        Parameters
        ----------
        modality
            ``"CT"`` or ``"DX"``.
        """
        session = self._session
        if session.volume is None or session.series is None or session.study is None:
            return
        volume = replace(session.volume, modality=modality)
        session.set_volume(session.study, session.series, volume, session.read_seconds)

    def _show(self, study: Study, series: Series, volume: Volume, seconds: float) -> None:
        self._pixels.show(study, series, volume, seconds)
        self._want_thumbnails()

    def _add(self, studies: tuple[Study, ...]) -> None:
        for each in studies:
            self._private.update({each.patient_name, each.patient_id})
        self._session.add_studies(studies)

    def _with_known(self, studies: tuple[Study, ...]) -> tuple[Study, ...]:
        """Add the series that are listed from an earlier time: they may only not be found yet."""
        listed = {study.uid: study.series for study in self._session.studies}
        whole = []
        for study in studies:
            found = {series.uid for series in study.series}
            known = [each for each in listed.get(study.uid, ()) if each.uid not in found]
            series = sorted(
                (*study.series, *known), key=lambda s: (s.number is None, s.number or 0, s.uid)
            )
            whole.append(replace(study, series=tuple(series)))
        return tuple(whole)

    def _want_thumbnails(self) -> None:
        known = {*self._seen_thumbnails, *(s.uid for s in self._wanted_thumbnails)}
        for each in self._session.studies:
            self._wanted_thumbnails += [s for s in each.series if s.uid not in known]
        self._next_thumbnail()

    def _next_thumbnail(self) -> None:
        """Draw one thumbnail at a time, so that opening a series never waits for all of them."""
        if self._thumbnail_job is not None or not self._wanted_thumbnails:
            return
        series = self._wanted_thumbnails.pop(0)
        self._seen_thumbnails.add(series.uid)

        def work(_progress: Progress) -> NDArray[np.uint8]:
            return self._reader().thumbnail(series)

        def done(picture: NDArray[np.uint8]) -> None:
            self.thumbnail_ready.emit(series.uid, picture)
            go_on()

        def go_on(_sentence: str = "") -> None:
            # A series without a thumbnail keeps its empty frame: opening it says what is wrong.
            self._thumbnail_job = None
            self._next_thumbnail()

        self._thumbnail_job = self._worker.submit(
            Job("Thumbnail", work, done, go_on, go_on, quiet=True)
        )
