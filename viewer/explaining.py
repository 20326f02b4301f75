"""Computes the heatmap of the slice on which the reader stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.findings import Heatmap
    from inference.progress import Progress
    from inference.studies.model import Volume
    from inference.systems.base import Context, System
    from viewer.session import HeatmapChoice, ReadingSession

__all__ = ["Explainer"]

_SETTLE_MS = 200
"""A heatmap is computed when the reader has stayed on a slice for so long."""


class Explainer(QObject):
    """Gives the session the heatmap that it asks for.

    Parameters
    ----------
    session
        Asks for heatmaps, receives them and sentences.
    worker
        Does the computing; the one of the analyses, since they share the networks.
    system
        Gives the system, on the worker's thread.
    asked
        Says what the findings of a volume were asked for.
    running
        Says whether the open volume is being analysed.
    """

    def __init__(
        self,
        session: ReadingSession,
        worker: Worker,
        system: Callable[[], System],
        asked: Callable[[Volume], Context],
        running: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._system = system
        self._asked = asked
        self._running = running
        self._job: Job | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self._explain)
        session.position_changed.connect(self._settle_anew)
        session.heatmap_changed.connect(self._settle_anew)

    def _wanted(self) -> tuple[Volume, int, HeatmapChoice] | None:
        """Return the heatmap that is asked for and not there yet."""
        session = self._session
        if session.volume is None or session.findings is None or self._running():
            return None
        if session.kept is not None and session.kept.stale:
            # The models of today would explain what others have said.
            return None
        if session.heatmap_choice is None or session.heatmap is not None:
            return None
        return session.volume, session.position, session.heatmap_choice

    def _settle_anew(self) -> None:
        self.stop()
        if self._wanted() is not None:
            self._settle.start()

    def stop(self) -> None:
        """Compute no heatmap."""
        self._settle.stop()
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _explain(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            return
        volume, index, choice = wanted
        asked = self._asked(volume)

        def work(progress: Progress) -> Heatmap:
            context = replace(asked, progress=progress)
            return self._system().explain(volume, index, choice.task, choice.key, context)

        def done(heatmap: Heatmap) -> None:
            self._job = None
            self._session.set_heatmap(volume.series_uid, heatmap)

        def failed(sentence: str) -> None:
            self._job = None
            # Otherwise the same failure would come back with every slice.
            self._session.choose_heatmap(None)
            self._session.post("error", sentence)

        self._job = self._worker.submit(Job("Explaining", work, done, failed))
