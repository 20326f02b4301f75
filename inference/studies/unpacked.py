"""Private folders for what came out of archives: this process's own, and gone when it ends.

They lie in the user's cache folder rather than in the system's temporary one, which is shared, and
on many systems is memory. Each process has a folder there (mode 0700) and, beside it, a lock that
the operating system takes from it however it ends; folders whose lock nobody holds were left by a
crash. The lock is an empty SQLite database held exclusively: the one lock of the standard library
that is the same on every system.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import threading
import uuid
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

__all__ = ["discard", "end", "new_folder", "origin", "remember", "sweep"]

_LOCK: Final = ".lock"

_guard = threading.Lock()
_mine: tuple[Path, sqlite3.Connection] | None = None
_origins: dict[Path, Path] = {}


def new_folder() -> Path:
    """Make an empty private folder.

    Raises
    ------
    OSError
        When the cache folder cannot be written.
    """
    global _mine  # noqa: PLW0603 - one home a process
    with _guard:
        if _mine is None:
            _mine = _settle()
            atexit.register(end)
        folder = _mine[0] / uuid.uuid4().hex
        folder.mkdir(mode=0o700)
        return folder


def remember(folder: Path, archive: Path) -> None:
    """Note which archive a folder came from."""
    _origins[folder.resolve()] = archive.resolve()


def discard(folder: Path) -> None:
    """Remove a folder before the end of the process."""
    _origins.pop(folder.resolve(), None)
    shutil.rmtree(folder, ignore_errors=True)


def origin(path: Path) -> Path:
    """Return a name for a place that is the same at every start.

    Parameters
    ----------
    path
        A file or folder.

    Returns
    -------
    Path
        The resolved path; for what came out of an archive, the archive's followed by the place
        inside, since the folder that holds it now has another name each time.
    """
    resolved = path.resolve()
    for folder in (resolved, *resolved.parents):
        if folder in _origins:
            return _origins[folder] / resolved.relative_to(folder)
    return resolved


def sweep() -> None:
    """Remove what processes left that ended without doing so; what cannot be removed stays."""
    home = _home()
    try:
        names = {entry.name.removesuffix(_LOCK) for entry in home.iterdir()}
    except OSError:
        return
    for name in names:
        if _mine is not None and _mine[0].name == name:
            continue
        lock = _hold(home / f"{name}{_LOCK}")
        if lock is None:
            continue
        shutil.rmtree(home / name, ignore_errors=True)
        # While the lock is held: whoever waits for it finds it gone, and takes another name.
        _drop(lock, home / f"{name}{_LOCK}")


def end() -> None:
    """Remove every folder of this process."""
    global _mine  # noqa: PLW0603
    with _guard:
        if _mine is None:
            return
        folder, lock = _mine
        _mine = None
        _origins.clear()
        shutil.rmtree(folder, ignore_errors=True)
        _drop(lock, folder.with_name(f"{folder.name}{_LOCK}"))


def _home() -> Path:
    return user_cache_path("secondread", appauthor=False) / "unpacked"


def _settle() -> tuple[Path, sqlite3.Connection]:
    sweep()
    home = _home()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        folder = home / uuid.uuid4().hex
        path = folder.with_name(f"{folder.name}{_LOCK}")
        lock = _hold(path)
        if lock is None:
            raise OSError("the cache folder takes no locks")
        if path.exists():
            folder.mkdir(mode=0o700)
            return folder, lock
        lock.close()


def _hold(path: Path) -> sqlite3.Connection | None:
    """Take a lock without waiting; None when another process has it."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=0.0, isolation_level=None, check_same_thread=False
        )
        # Without a journal beside it.
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error:
        if connection is not None:
            connection.close()
        return None
    return connection


def _drop(lock: sqlite3.Connection, path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # Windows removes no file that is open.
        lock.close()
        path.unlink(missing_ok=True)
    lock.close()
