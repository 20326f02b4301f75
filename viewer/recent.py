"""What was opened before, for File > Open recent: paths and nothing else, on this computer only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal

from inference.progress import Progress
from viewer.actions import Choice
from viewer.settings import Settings
from viewer.worker import Job, Worker

__all__ = ["Recent"]

_LONGEST: Final = 60
"""Characters of a folder's name that are shown; its middle is left out."""


class Recent(QObject):
    """The list of what was opened, newest first.

    Parameters
    ----------
    settings
        Where it is kept.
    worker
        Looks whether paths are still there: a drive that does not answer must not hold up the
        window.
    open_path
        Opens one.
    """

    changed = Signal()
    """The list, or what is known to be missing, changed."""

    def __init__(
        self,
        settings: Settings,
        worker: Worker,
        open_path: Callable[[Path], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._worker = worker
        self._open = open_path
        self._missing: frozenset[Path] = frozenset()

    def add(self, chosen: Sequence[Path]) -> None:
        """Remember what was opened; of several files their folder."""
        paths = list(dict.fromkeys(chosen))
        folders = {path.parent for path in paths}
        if len(paths) > 1 and len(folders) == 1 and all(path.is_file() for path in paths):
            paths = [folders.pop()]
        for path in reversed(paths):
            self._settings.add_recent(path)
        self.changed.emit()

    @property
    def paths(self) -> tuple[Path, ...]:
        """What was opened, newest first."""
        return self._settings.recent

    def is_missing(self, path: Path) -> bool:
        """Say whether the last look found nothing there."""
        return path in self._missing

    def open(self, path: Path) -> None:
        """Open one of them."""
        self._open(path)

    def open_last(self) -> None:
        """Open what was opened last."""
        for path in self._settings.recent[:1]:
            self._open(path)

    def choices(self) -> Sequence[Choice]:
        """Return the entries of the menu."""
        paths = self._settings.recent
        entries = [self._entry(number, path) for number, path in enumerate(paths, start=1)]
        if not entries:
            entries = [Choice("Nothing yet", "What you open will be listed here", _nothing, False)]
        kept = self._settings.keeps_recent
        return (
            *entries,
            Choice("Clear list", "Forget what was opened", self._clear, bool(paths),
                   separated=True),
            Choice("Keep this list", "Remember paths of what is opened, on this computer only",
                   partial(self._keep, not kept), checked=kept),
        )  # fmt: skip

    def check(self) -> None:
        """Look, beside the window, which entries are still there."""
        paths = self._settings.recent
        if not paths:
            return

        def work(_progress: Progress) -> frozenset[Path]:
            return frozenset(path for path in paths if not _is_there(path))

        def done(missing: frozenset[Path]) -> None:
            if missing != self._missing:
                self._missing = missing
                self.changed.emit()

        self._worker.submit(Job("Looking for files", work, done, _nothing_of, quiet=True))

    def _entry(self, number: int, path: Path) -> Choice:
        gone = path in self._missing
        where = str(path.parent)
        if len(where) > _LONGEST:
            where = f"{where[: _LONGEST // 2]}…{where[-_LONGEST // 2 :]}"
        # "&" underlines the next letter; "&&" is one that is meant.
        text = f"{path.name or path}   {where}".replace("&", "&&")
        tip = f"{path} is not there any more" if gone else f"Open {path}"
        return Choice(f"&{number % 10} {text}", tip, partial(self._open, path), not gone)

    def _clear(self) -> None:
        self._settings.clear_recent()
        self.changed.emit()

    def _keep(self, kept: bool) -> None:
        self._settings.set_keeps_recent(kept)
        self.changed.emit()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _nothing() -> None:
    """Do nothing: an entry that only says something."""


def _nothing_of(_sentence: str) -> None:
    """Keep what is known: a look that failed says nothing."""
