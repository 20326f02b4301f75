"""Locks between processes, which the operating system takes away however a process ends.

A lock is an empty SQLite database held exclusively: the one lock of the standard library that is
the same on every system.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["drop", "held", "take"]


def take(path: Path, wait: float = 0.0) -> sqlite3.Connection | None:
    """Take a lock.

    Parameters
    ----------
    path
        The file that is the lock; made when it is not there, readable by the user alone.
    wait
        Seconds for which another process is waited for.

    Returns
    -------
    sqlite3.Connection or None
        Holds the lock until it is closed; None when another process has it, or the folder takes
        no locks.
    """
    connection: sqlite3.Connection | None = None
    try:
        with suppress(FileExistsError):
            path.touch(mode=0o600, exist_ok=False)
        connection = sqlite3.connect(
            path, timeout=wait, isolation_level=None, check_same_thread=False
        )
        # Without a journal beside it.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN EXCLUSIVE")
    except (OSError, sqlite3.Error):
        if connection is not None:
            connection.close()
        return None
    return connection


def drop(lock: sqlite3.Connection, path: Path) -> None:
    """Give a lock back for good, and remove its file."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # Windows removes no file that is open.
        lock.close()
        path.unlink(missing_ok=True)
    lock.close()


@contextmanager
def held(path: Path, wait: float) -> Iterator[None]:
    """Hold a lock for a while; its file stays.

    Raises
    ------
    OSError
        When it could not be taken within `wait` seconds.
    """
    lock = take(path, wait)
    if lock is None:
        raise OSError(f"another window of SecondRead has been writing for {wait:g} s")
    try:
        yield
    finally:
        lock.close()
