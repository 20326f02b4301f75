"""Opens files: scans and reads on a worker, and gives the session what it found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from inference.errors import BadInputError
from inference.progress import Progress
from viewer.reading import Arrivals
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.studies.model import Series, Study, Volume
    from inference.studies.watch import Watch
    from viewer.session import ReadingSession

__all__ = ["Opener", "Reader"]


class Reader(Protocol):
    """What is needed of `inference.studies`."""

    def scan(self, path: Path, progress: Progress | None = None) -> tuple[Study, ...]:
        """Find studies."""
        ...

    def load(
        self, series: Series, progress: Progress | None = None, watch: Watch | None = None
    ) -> Volume:
        """Read pixels."""
        ...

    def thumbnail(self, series: Series, size: int = 96) -> NDArray[np.uint8]:
        """Draw a small picture; shape (size, size)."""
        ...

    def main_series(self, studies: tuple[Study, ...]) -> tuple[Study, Series]:
        """Choose the series to show first."""
        ...


def _the_reader() -> Reader:
    """Import the readers where they are first used: start-up does not wait for decoders."""
    from inference import studies

    return cast(Reader, studies)


class Opener(QObject):
    """Opens studies into a session.

    Parameters
    ----------
    session
        Receives studies, volumes and sentences.
    worker
        Does the reading.
    reader
        Gives the reader, on the worker's thread; `inference.studies` by default.
    """

    thumbnail_ready = Signal(str, object)
    """(series uid, uint8 array of shape (size, size))."""
    folder_opened = Signal(object)
    """Folder (`pathlib.Path`) of what was last opened."""

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        reader: Callable[[], Reader] = _the_reader,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._reader = reader
        self._wanted_thumbnails: list[Series] = []
        self._seen_thumbnails: set[str] = set()
        self._thumbnail_job: Job | None = None
        self._private: set[str] = set()
        self._opening: Job | None = None
        self._before: tuple[Study, Series, Volume, float] | None = None

    @property
    def private_words(self) -> frozenset[str]:
        """Names and paths of what was opened, to be kept out of what is copied or logged."""
        return frozenset(self._private)

    def open_paths(
        self,
        paths: Sequence[Path],
        then: Callable[[], None] | None = None,
        otherwise: Callable[[str], None] | None = None,
    ) -> None:
        """Open files and folders and show their main series.

        Parameters
        ----------
        paths
            What was chosen or dropped; several files of one folder open the series they belong to.
        then
            Called when the series is on the screen.
        otherwise
            Called with the sentence when nothing could be opened, after it was posted.
        """
        chosen = tuple(path.absolute() for path in paths)
        if not chosen:
            return
        for path in chosen:
            self._private.update({str(path), path.name, str(path.parent), path.parent.name})
        self._worker.cancel()

        def work(progress: Progress) -> tuple[tuple[Study, ...], Study, Series, Volume, float, str]:
            started = time.perf_counter()
            reader = self._reader()
            studies, doubt = _scan_all(reader, chosen, progress)
            study, series = reader.main_series(studies)
            with self._arrivals(job, studies, study, series) as arrivals:
                volume = reader.load(series, progress, arrivals.watch)
            return studies, study, series, volume, time.perf_counter() - started, doubt

        def done(
            result: tuple[tuple[Study, ...], Study, Series, Volume, float, str],
        ) -> None:
            studies, study, series, volume, seconds, doubt = result
            self.show_opened(studies, study, series, volume, seconds)
            left_out = [problem.sentence for each in studies for problem in each.problems]
            for sentence in filter(None, dict.fromkeys([doubt, *left_out])):
                self._session.post("warning", sentence)
            first = chosen[0]
            self.folder_opened.emit(first if first.is_dir() else first.parent)
            if then is not None:
                then()

        def failed(sentence: str) -> None:
            self._failed(sentence)
            if otherwise is not None:
                otherwise(sentence)

        job = self._opening = Job("Opening", work, done, failed, lambda: self._cancelled(job))
        self._worker.submit(job)

    def show_opened(
        self,
        studies: tuple[Study, ...],
        study: Study,
        series: Series,
        volume: Volume,
        read_seconds: float,
    ) -> None:
        """Show a series that has been read."""
        if not self._is_begun(series):
            self._session.add_studies(studies)
        self._show(study, series, volume, read_seconds)

    def show_series(self, study: Study, series: Series) -> None:
        """Read a series that is already in the tree and show it."""
        if self._session.series is series:
            return
        self._worker.cancel()

        def work(progress: Progress) -> tuple[Volume, float]:
            started = time.perf_counter()
            with self._arrivals(job, (), study, series) as arrivals:
                volume = self._reader().load(series, progress, arrivals.watch)
            return volume, time.perf_counter() - started

        def done(result: tuple[Volume, float]) -> None:
            self._show(study, series, *result)

        job = self._opening = Job("Opening", work, done, self._failed, lambda: self._cancelled(job))
        self._worker.submit(job)

    def step_series(self, delta: int) -> None:
        """Show the next or previous series of the tree; stops at its ends."""
        flat = [(study, series) for study in self._session.studies for series in study.series]
        here = next((i for i, (_, s) in enumerate(flat) if s is self._session.series), None)
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

    # -- while a series is being read --------------------------------------------------------

    def _arrivals(
        self, job: Job, studies: tuple[Study, ...], study: Study, series: Series
    ) -> AbstractContextManager[Arrivals]:
        """Make a line from the reader to the session; called on the worker's thread."""

        def show(volume: Volume) -> None:
            begin = partial(self._begin, studies, study, series, volume, arrivals)
            self._worker.deliver(job, begin)

        arrivals = Arrivals(show)
        return closing(arrivals)

    def _begin(
        self,
        studies: tuple[Study, ...],
        study: Study,
        series: Series,
        volume: Volume,
        arrivals: Arrivals,
    ) -> None:
        """Show a series of which the first slice is there."""
        session = self._session
        if not session.reading.active:
            self._before = None
            if session.study and session.series and session.volume:
                self._before = (
                    session.study, session.series, session.volume, session.read_seconds
                )  # fmt: skip
        self._private.update(
            {each for s in (study, *studies) for each in (s.patient_name, s.patient_id)}
        )
        if studies:
            session.add_studies(studies)
        session.set_volume(study, series, volume, arrivals=arrivals)

    def _is_begun(self, series: Series) -> bool:
        return self._session.reading.active and self._session.series is series

    def _failed(self, sentence: str) -> None:
        self._go_back()
        self._session.post("error", sentence)

    def _cancelled(self, job: Job) -> None:
        # What was cancelled for something else leaves the screen when that comes.
        if job is self._opening:
            self._go_back()

    def _go_back(self) -> None:
        """Show again what was open before a series that will never be whole."""
        before, self._before = self._before, None
        if not self._session.reading.active:
            return
        if before is None:
            self._session.close_volume()
        else:
            self._session.set_volume(*before)

    def _show(self, study: Study, series: Series, volume: Volume, seconds: float) -> None:
        if self._is_begun(series):
            self._session.complete_volume(volume, seconds)
        else:
            self._session.set_volume(study, series, volume, seconds)
        self._before = None
        known = {*self._seen_thumbnails, *(s.uid for s in self._wanted_thumbnails)}
        for each in self._session.studies:
            self._private.update({each.patient_name, each.patient_id})
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


def _scan_all(
    reader: Reader, paths: tuple[Path, ...], progress: Progress
) -> tuple[tuple[Study, ...], str]:
    """Scan everything chosen.

    Returns
    -------
    tuple
        The studies, and a sentence about what could not be opened, or ``""``.

    Raises
    ------
    BadInputError
        When nothing could be opened.
    """
    parents = {path.parent for path in paths}
    if len(paths) > 1 and len(parents) == 1 and all(path.is_file() for path in paths):
        studies = _series_of(reader.scan(parents.pop(), progress), frozenset(paths))
        if not studies:
            raise BadInputError("None of the chosen files holds an image; choose others.")
        return studies, ""
    found: list[Study] = []
    refusals: list[BadInputError] = []
    for path in paths:
        try:
            found += reader.scan(path, progress)
        except BadInputError as error:
            refusals.append(error)
    if not found:
        raise refusals[0]
    return tuple(found), " ".join(str(refusal) for refusal in refusals)


def _series_of(studies: tuple[Study, ...], files: frozenset[Path]) -> tuple[Study, ...]:
    """Keep the series that hold one of the files."""
    kept = (
        replace(
            study,
            series=tuple(s for s in study.series if any(each.path in files for each in s.slices)),
        )
        for study in studies
    )
    return tuple(study for study in kept if study.series)
