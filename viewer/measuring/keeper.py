"""Keeps the measurements of every series that is opened, and brings them back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject

from inference.errors import ExportRefusedError
from inference.measurements import store
from inference.measurements.model import grid_key

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from inference.studies.model import Volume
    from viewer.session import ReadingSession

__all__ = ["Keeper"]

_ELSEWHERE: Final = (
    "Another window has measured on this series, too; its measurements are shown here as well, and "
    "numbers that both had given are given anew."
)


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
        self._known: dict[str, tuple[Measurement, ...]] = {}
        self._tried: tuple[Measurement, ...] = ()
        self.lost = False
        """The measurements on the screen could not be kept."""
        session.volume_changed.connect(self._bring_back)
        session.measurements.changed.connect(self._keep)

    def _bring_back(self) -> None:
        notebook = self._session.measurements
        volume = notebook.volume
        if volume is None or self._session.reading.active:
            return
        if notebook.loaded:
            # It was open before: another window may have measured on it since.
            self._write(volume)
            return
        kept = store.load(volume, self._folder)
        self._known[grid_key(volume)] = kept.measurements
        notebook.restore(kept.measurements)
        for note in kept.notes:
            self._session.post("warning", note)

    def _keep(self) -> None:
        notebook = self._session.measurements
        if notebook.volume is None or not notebook.loaded:
            return
        known = self._known.get(grid_key(notebook.volume), ())
        if notebook.measurements not in (known, self._tried):
            self._write(notebook.volume)

    def _write(self, volume: Volume) -> None:
        """Keep what is in the notebook, and take note of what another window has kept."""
        notebook, key = self._session.measurements, grid_key(volume)
        mine, known = notebook.measurements, self._known.get(key, ())
        self._tried = mine
        try:
            kept = store.save(mine, volume, self._folder, known)
        except ExportRefusedError as error:
            if mine != known:
                self.lost = True
                self._session.post("error", str(error))
            return
        self.lost = False
        self._known[key] = self._tried = kept.measurements
        for note in kept.notes:
            self._session.post("warning", note)
        if kept.measurements != mine:
            notebook.take(kept.measurements)
            self._session.post("info", _ELSEWHERE)
