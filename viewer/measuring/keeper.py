"""Keeps the measurements of every series that is opened, and brings them back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from inference.errors import ExportRefusedError
from inference.measurements import store

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from inference.studies.model import Volume
    from viewer.session import ReadingSession

__all__ = ["Keeper"]


class Keeper(QObject):
    """Writes after every change, so that nothing is lost when the program stops short.

    A file has a few kilobytes; it is written on the window's thread, and moving something writes
    once, when it is let go.

    Parameters
    ----------
    session
        Its notebook is kept; it is told in a sentence when that fails.
    folder
        Where; the user's data folder by default.
    """

    def __init__(
        self, session: ReadingSession, folder: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._folder = folder if folder is not None else store.default_folder()
        self._volume: Volume | None = None
        self._kept: tuple[Measurement, ...] = ()
        session.volume_changed.connect(self._bring_back)
        session.measurements.changed.connect(self._keep)

    def _bring_back(self) -> None:
        notebook = self._session.measurements
        volume = notebook.volume
        if volume is None or notebook.loaded or self._session.reading.active:
            return
        kept = store.load(volume, self._folder)
        self._volume, self._kept = volume, kept.measurements
        notebook.restore(kept.measurements)
        for note in kept.notes:
            self._session.post("warning", note)

    def _keep(self) -> None:
        notebook = self._session.measurements
        if notebook.volume is None or not notebook.loaded:
            return
        if notebook.volume is not self._volume:
            # A series that was open before: its file holds what the notebook does.
            self._volume, self._kept = notebook.volume, notebook.measurements
        if notebook.measurements == self._kept:
            return
        self._kept = notebook.measurements
        try:
            store.save(notebook.measurements, notebook.volume, self._folder)
        except ExportRefusedError as error:
            self._session.post("error", str(error))
