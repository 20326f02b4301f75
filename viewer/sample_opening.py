"""The sample study in the window: made beside it, opened, and with the findings kept of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from inference.errors import BadInputError, SecondReadError
from inference.progress import Progress
from viewer.session import AnalysisState
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.studies.model import Volume
    from viewer.opening import Opener
    from viewer.session import ReadingSession

__all__ = ["SampleOpener"]


class SampleOpener(QObject):
    """Opens the sample study.

    Parameters
    ----------
    session
        Receives it.
    worker
        Makes it, which takes seconds the first time.
    opener
        Opens its files.
    analyse
        Begins an analysis of what is open.
    """

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        opener: Opener,
        analyse: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._opener = opener
        self._analyse = analyse
        self._kept: tuple[str, Path] | None = None
        """Series whose findings are awaited, and the folder that they go to."""
        session.findings_changed.connect(self._keep)

    def open(self, kept: Callable[[], Path] | None = None) -> None:
        """Make the sample study where there is none yet, and show it.

        Parameters
        ----------
        kept
            Gives, on the worker's thread, the folder of its findings: they are shown where they
            are there and, where they are not, made and kept. None: no findings are asked for.
        """

        def work(progress: Progress) -> Path:
            from inference import sample

            progress.report("Making the sample study", 0, 0)
            return sample.ensure(progress)

        def done(folder: Path) -> None:
            then = None if kept is None else partial(self._find, kept)
            self._opener.open_paths([folder], then, remember=False)

        self._worker.cancel()
        failed = partial(self._session.post, "error")
        self._worker.submit(Job("Making the sample study", work, done, failed))

    def _find(self, kept: Callable[[], Path]) -> None:
        """Show the findings that were kept, or make them."""
        volume = self._session.volume
        if volume is None:
            return

        def work(_progress: Progress) -> tuple[Path, Findings | None]:
            folder = kept()
            return folder, _load(folder, volume)

        def done(result: tuple[Path, Findings | None]) -> None:
            folder, findings = result
            session = self._session
            stale = session.kept is not None and session.kept.stale
            known = session.analysis is not AnalysisState.NONE and not stale
            if session.volume is not volume or known:
                return
            if findings is None:
                self._kept = (volume.series_uid, folder)
                self._analyse()
                return
            session.set_findings(findings)
            found = {s.key: int(s.pixels_per_slice.sum()) for s in findings.segments}
            if any(found.values()):
                session.go_to_segment(max(found, key=lambda key: found[key]))

        failed = partial(self._session.post, "error")
        self._worker.submit(Job("Looking for findings", work, done, failed, quiet=True))

    def _keep(self) -> None:
        """Keep the findings that were awaited."""
        findings, volume = self._session.findings, self._session.volume
        if self._kept is None or findings is None or volume is None:
            return
        uid, folder = self._kept
        if findings.series_uid != uid:
            return
        self._kept = None

        def work(_progress: Progress) -> None:
            from inference.export import archive

            # If they cannot be kept, the next start takes longer; nothing else depends on it.
            with suppress(SecondReadError):
                archive.save(findings, volume, folder)

        self._worker.submit(Job("Keeping findings", work, _nothing, _nothing, quiet=True))


def _load(folder: Path, volume: Volume) -> Findings | None:
    from inference.export import archive

    try:
        return archive.load(folder, volume)
    except BadInputError:
        # None yet, or of other pixels.
        return None


def _nothing(_answer: object) -> None:
    """Do nothing with an answer."""
