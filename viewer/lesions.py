"""The list of lesions of the findings on the screen: computed on a worker, never stale."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from viewer.libraries import loading
from viewer.worker import Job

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.lesion_data import Lesions
    from inference.progress import Progress
    from viewer.results import Results
    from viewer.session import ReadingSession
    from viewer.worker import Worker

__all__ = ["LesionList", "LesionLister"]


class LesionList(QObject):
    """What is known of the lesions; part of the session's state.

    It belongs to one findings object: as soon as the session shows another one, or none, there is
    no list, in whatever order anyone hears of it.
    """

    changed = Signal()

    def __init__(self, session: Results) -> None:
        super().__init__(session)
        # The session holds the list; the other way round neither would go before the collector.
        self._holder = weakref.ref(session)
        self._findings: Findings | None = None
        self._listed: Lesions | None = None
        self._failure = ""

    @property
    def listed(self) -> Lesions | None:
        """The lesions of the session's findings; None while they are not known."""
        return self._listed if self._is_current else None

    @property
    def failure(self) -> str:
        """Why there is no list of the session's findings, in a sentence, or ``""``."""
        return self._failure if self._is_current else ""

    @property
    def _is_current(self) -> bool:
        return self._findings is not None and self._findings is self._shown

    @property
    def _shown(self) -> Findings | None:
        session = self._holder()
        return None if session is None else session.findings

    def set_listed(self, findings: Findings, listed: Lesions | None) -> None:
        """Keep the list of findings; that of others than the session's is ignored."""
        self._keep(findings, listed, "")

    def set_failure(self, findings: Findings, sentence: str) -> None:
        """Keep the reason why the findings have no list."""
        self._keep(findings, None, sentence)

    def _keep(self, findings: Findings, listed: Lesions | None, failure: str) -> None:
        if findings is self._shown:
            self._findings, self._listed, self._failure = findings, listed, failure
            self.changed.emit()


class LesionLister(QObject):
    """Lists the lesions of findings as soon as they are shown.

    Parameters
    ----------
    session
        Gives volume and findings, receives the list.
    worker
        Does the measuring, a second or so for a CT.
    """

    def __init__(
        self, session: ReadingSession, worker: Worker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._job: Job | None = None
        session.findings_changed.connect(self._list)

    def _list(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None
        volume, findings = self._session.volume, self._session.findings
        kept = self._session.lesions
        if volume is None or findings is None or not findings.segments:
            return

        def work(_progress: Progress) -> Lesions | None:
            with loading("inference.lesions"):
                from inference.lesions import find_lesions

            return find_lesions(findings, volume)

        def done(listed: Lesions | None) -> None:
            self._job = None
            kept.set_listed(findings, listed)

        def failed(sentence: str) -> None:
            self._job = None
            kept.set_failure(findings, sentence)

        self._job = self._worker.submit(Job("Listing the lesions", work, done, failed, quiet=True))
