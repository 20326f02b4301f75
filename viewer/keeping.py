"""Keeps the findings of every series that was analysed, and brings them back with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTemporaryDir, Signal

from viewer.choices import KeptFrom
from viewer.shelf import Shelf
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from inference.export.kept import FindingsStore, Mark
    from inference.findings import Findings
    from inference.progress import Progress
    from inference.studies.model import Volume
    from inference.systems.base import Context

__all__ = ["FindingsKeeper", "Returned"]


class Returned:
    """Findings that have come back with their series.

    Parameters
    ----------
    findings
        Of exactly the volume that was asked about.
    kept
        When and with what they were made, where that was not in this sitting.
    streams, recogniser
        What the analysis was asked for, where `kept` is not None.
    """

    def __init__(
        self,
        findings: Findings,
        kept: KeptFrom | None = None,
        streams: str = "default",
        recogniser: str = "default",
    ) -> None:
        self.findings, self.kept = findings, kept
        self.streams, self.recogniser = streams, recogniser


class FindingsKeeper(QObject):
    """Findings in memory and on the disk; files are read and written on the worker's thread.

    Where the reader wants none kept, they live in a folder that goes with the program.

    Parameters
    ----------
    worker
        Reads and writes.
    wanted
        Says whether findings are kept, and how many bytes of them.
    folder
        Where; None: the user's data folder.
    """

    failed = Signal(str)
    """Findings could not be kept, or not be deleted, in a sentence."""
    told = Signal(str)
    """Findings were kept in place of another window's, in a sentence."""
    measured = Signal(object)
    """Bytes of all that is kept (a Python int, which may be larger than Qt's)."""
    marked = Signal(object)
    """What is kept of the series asked about: `KeptFrom` by series uid."""

    def __init__(
        self,
        worker: Worker,
        wanted: Callable[[], tuple[bool, int]],
        folder: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._worker = worker
        self._wanted = wanted
        self._folder = folder
        self._shelf = Shelf()
        self._passing: QTemporaryDir | None = None
        self._lost: set[tuple[str, str]] = set()
        self._stores: dict[bool, FindingsStore] = {}

    @property
    def folder(self) -> Path:
        """Where findings are kept."""
        from inference.export import kept

        return self._folder if self._folder is not None else kept.default_folder()

    @property
    def unsaved(self) -> int:
        """Of how many series the findings would go with the program."""
        return len(self._lost)

    # -- keeping -----------------------------------------------------------------------------

    def shelve(self, volume: Volume, findings: Findings) -> None:
        """Hold findings in memory; on a worker's thread, since every voxel is read."""
        self._shelf.put(volume, findings)

    def keep(self, volume: Volume, findings: Findings, asked: Context) -> None:
        """Write findings, beside the window."""
        keeps, limit = self._wanted()
        key = (volume.series_uid, volume.modality)

        def work(_progress: Progress) -> str:
            return self._store(keeps).save(
                findings, volume, limit, streams=asked.streams, recogniser=asked.recogniser
            )

        def done(elsewhere: str) -> None:
            if keeps:
                self._lost.discard(key)
            else:
                self._lost.add(key)
            if elsewhere:
                self.told.emit(elsewhere)

        def failed(sentence: str) -> None:
            self._lost.add(key)
            self.failed.emit(sentence)

        self._worker.submit(Job("Keeping the findings", work, done, failed, quiet=True))

    def finish(self) -> None:
        """Wait until all that is to be written has been; nothing is kept any more."""
        self._worker.finish()
        if self._passing is not None:
            self._passing.remove()

    # -- bringing back -----------------------------------------------------------------------

    def take(self, volume: Volume, done: Callable[[Returned | None, str], None]) -> None:
        """Look for findings of exactly this volume.

        Parameters
        ----------
        volume
            The open volume.
        done
            Called with them or None, and with a sentence where some could not be shown again.
        """

        def work(_progress: Progress) -> tuple[Returned | None, str]:
            held = self._shelf.take(volume) if self._shelf.knows(volume) else None
            if held is not None:
                return Returned(held), ""
            refused = ""
            for keeps in (False, True):
                if not keeps and self._passing is None:
                    continue
                found, said = self._store(keeps).load(volume)
                refused = refused or said
                if found is not None:
                    mark = found.mark
                    kept = _kept_from(mark) if keeps else None
                    return Returned(found.findings, kept, mark.streams, mark.recogniser), ""
            return None, refused

        def failed(_sentence: str) -> None:
            """Leave the series as not analysed: that is what it says on the screen."""

        self._worker.submit(
            Job("Comparing", work, lambda answer: done(*answer), failed, quiet=True)
        )

    def compare(self, one: Volume, two: Volume, same: Callable[[], None]) -> None:
        """Call something if two volumes hold the same values in the same place."""

        def work(_progress: Progress) -> bool:
            from inference.export.current import content_hash

            return content_hash(one) == content_hash(two)

        def done(are_same: bool) -> None:
            if are_same:
                same()

        def failed(_sentence: str) -> None:
            """They count as different."""

        self._worker.submit(Job("Comparing", work, done, failed, quiet=True))

    def look_for(self, series_uids: Iterable[str]) -> None:
        """Ask of which of these series findings are kept; `marked` answers."""
        uids = tuple(series_uids)

        def work(_progress: Progress) -> dict[str, KeptFrom]:
            return {uid: _kept_from(mark) for uid, mark in self._store(True).marks(uids).items()}

        def failed(_sentence: str) -> None:
            """Say nothing of them: opening one will tell."""

        self._worker.submit(Job("Looking for findings", work, self.marked.emit, failed, quiet=True))

    # -- the settings ------------------------------------------------------------------------

    def measure(self) -> None:
        """Ask how much is kept; `measured` answers."""
        self._submit("Measuring the findings", lambda: None)

    def clear(self) -> None:
        """Forget all that is kept on the disk, and measure."""
        self._submit("Deleting the findings", lambda: self._store(True).clear())

    def trim(self) -> None:
        """Let the oldest go where there is more than the reader wants by now."""
        keeps, limit = self._wanted()
        if keeps:
            self._submit("Measuring the findings", lambda: self._store(True).trim(limit))

    def _submit(self, title: str, first: Callable[[], None]) -> None:
        def work(_progress: Progress) -> int:
            first()
            return self._store(True).size()

        self._worker.submit(Job(title, work, self.measured.emit, self.failed.emit, quiet=True))

    def _store(self, keeps: bool) -> FindingsStore:
        """Return the store on the disk, or the one that goes with the program; on the worker."""
        from inference.export.kept import FindingsStore

        if keeps not in self._stores:
            folder = self.folder
            if not keeps:
                self._passing = QTemporaryDir()
                folder = Path(self._passing.path()) / "findings"
            self._stores[keeps] = FindingsStore(folder)
        return self._stores[keeps]


def _kept_from(mark: Mark) -> KeptFrom:
    from inference.export.kept import made_in_words

    return KeptFrom(made_in_words(mark.made), mark.because)
