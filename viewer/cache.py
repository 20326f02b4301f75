"""What SecondRead keeps to be quicker the next time: how large it is, and clearing it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_cache_path
from PySide6.QtCore import QObject, Signal

from inference.errors import SecondReadError
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.progress import Progress

__all__ = ["CacheKeeper", "size_in_words"]

_KEPT = ("graphs", "sample-*", "index")
"""Folders that are made again when they are missing; nothing else is ever deleted."""


def size_in_words(count: int) -> str:
    """Bytes as people read them.

    Examples
    --------
    >>> size_in_words(0), size_in_words(999), size_in_words(2_340_000), size_in_words(7_100_000_000)
    ('empty', 'less than 1 MB', '2.3 MB', '7.1 GB')
    """
    if count == 0:
        return "empty"
    if count < 1_000_000:
        return "less than 1 MB"
    return f"{count / 1e6:.1f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


class CacheKeeper(QObject):
    """Measures and clears the cache beside the window.

    Parameters
    ----------
    worker
        Does it.
    folder
        None: the user's cache folder of SecondRead.
    """

    measured = Signal(object)
    """Size in bytes (a Python int, which may be larger than Qt's)."""
    failed = Signal(str)
    """What could not be deleted, in a sentence."""

    def __init__(
        self, worker: Worker, folder: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._worker = worker
        self.folder = folder or user_cache_path("secondread", appauthor=False)

    def measure(self) -> None:
        """Ask for the size."""
        self._submit("Measuring the cache", lambda _progress: self._size())

    def clear(self) -> None:
        """Delete what will be made again when it is needed, and measure."""
        self._submit("Clearing the cache", lambda _progress: self._clear())

    def _submit(self, title: str, work: Callable[[Progress], int]) -> None:
        self._worker.submit(Job(title, work, self.measured.emit, self.failed.emit, quiet=True))

    def _kept(self) -> Iterator[Path]:
        for pattern in _KEPT:
            yield from (each for each in self.folder.glob(pattern) if each.is_dir())

    def _size(self) -> int:
        total = 0
        for folder in self._kept():
            for each in folder.rglob("*"):
                try:
                    total += each.stat().st_size if each.is_file() else 0
                except OSError:
                    continue  # gone meanwhile
        return total

    def _clear(self) -> int:
        for folder in self._kept():
            if not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
        left = self._size()
        if left:
            raise SecondReadError(
                f"{size_in_words(left)} of the cache could not be deleted: it is in use. Close "
                "other windows of SecondRead and try again."
            )
        return left
