"""Private folders of a process in the user's cache: gone when it ends, known when it was killed.

Each process has a folder (mode 0700) and, beside it, a lock that the operating system takes from it
however it ends; folders whose lock nobody holds were left by a crash.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from inference import locks

__all__ = ["UNPACKED", "Home"]

_LOCK: Final = ".lock"


class Home:
    """This process's folder of one kind, made when it is first needed.

    Parameters
    ----------
    kind
        Name of the folder, in the user's cache, in which each process has its own.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._guard = threading.Lock()
        self._mine: tuple[Path, sqlite3.Connection] | None = None

    def folder(self) -> Path:
        """Return this process's folder.

        Raises
        ------
        OSError
            When the cache folder cannot be written.
        """
        with self._guard:
            if self._mine is None:
                self._mine = self._settle()
                atexit.register(self.end)
            return self._mine[0]

    def sweep(self, first: Callable[[Path], None] | None = None) -> None:
        """Remove what processes left that ended without doing so; what cannot be removed stays.

        Parameters
        ----------
        first
            Called with each such folder before it goes.
        """
        above = self._above()
        try:
            names = {entry.name.removesuffix(_LOCK) for entry in above.iterdir()}
        except OSError:
            return
        for name in names:
            if self._mine is not None and self._mine[0].name == name:
                continue
            lock = locks.take(above / f"{name}{_LOCK}")
            if lock is None:
                continue
            if first is not None:
                first(above / name)
            shutil.rmtree(above / name, ignore_errors=True)
            # While the lock is held: whoever waits for it finds it gone, and takes another name.
            locks.drop(lock, above / f"{name}{_LOCK}")

    def end(self) -> None:
        """Remove this process's folder."""
        with self._guard:
            if self._mine is None:
                return
            folder, lock = self._mine
            self._mine = None
            shutil.rmtree(folder, ignore_errors=True)
            locks.drop(lock, folder.with_name(f"{folder.name}{_LOCK}"))

    def _above(self) -> Path:
        return user_cache_path("secondread", appauthor=False) / self._kind

    def _settle(self) -> tuple[Path, sqlite3.Connection]:
        above = self._above()
        above.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            folder = above / uuid.uuid4().hex
            path = folder.with_name(f"{folder.name}{_LOCK}")
            lock = locks.take(path)
            if lock is None:
                raise OSError("the cache folder takes no locks")
            if path.exists():
                folder.mkdir(mode=0o700)
                return folder, lock
            lock.close()


UNPACKED: Final = Home("unpacked")
"""Holds what came out of archives, see `inference.studies.unpacked`."""
