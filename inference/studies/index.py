"""What the headers of files said when they were last read, so that none is read twice.

One SQLite file in the user's cache folder. It holds patients' names, and so it is readable by its
owner alone (mode 0600), limited in size, free of what was deleted (`secure_delete`), and can be
cleared. It is a cache and nothing more: damaged, locked or of another version, it is set aside
without a word, and files are read as if it had never been.

The standard library's `sqlite3` rather than SQLAlchemy: two tables and nine fixed statements gain
nothing from a query builder, and the errors that matter here are SQLite's own.

A row is believed while size, time (in nanoseconds) and inode of its file are the same. A file that
was changed a moment ago is not kept: within one tick of the file system's clock it could change
again and look the same.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

import inference
from inference.studies.dicom_decode import values_digest
from inference.studies.dicom_header import Header
from inference.studies.header_store import FIELDS, decode, encode

__all__ = ["Index", "Size", "clear", "index_path", "opened_index", "size"]

_SCHEMA: Final = 4
"""Raised when what is read from headers changes although the fields do not."""

_VERSION: Final = f"{_SCHEMA} {inference.__version__} {FIELDS}"
_MAX_BYTES: Final = 128 * 2**20
"""Most bytes kept: about 200 000 slices; folders not opened for longest go first."""
_BATCH: Final = 500
_RACY_SECONDS: Final = 2.0
"""Coarsest clock of a file system in use (FAT)."""
_LOCK_SECONDS: Final = 0.5
_BROKEN: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS version (text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS folders (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, used REAL NOT NULL);
CREATE TABLE IF NOT EXISTS files (
    folder INTEGER NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    name TEXT NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL, inode INTEGER NOT NULL,
    other TEXT NOT NULL, header BLOB NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (folder, name)) WITHOUT ROWID;
"""

_Stamp = tuple[int, int, int]
"""Size, time in ns and inode (0 where there is none)."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is kept."""

    folders: int
    files: int
    bytes: int


@dataclass(slots=True)
class _Row:
    stamp: _Stamp
    other: str
    header: bytes
    digest: str


class Index:
    """The index of one scan; it belongs to the thread that opened it.

    Parameters
    ----------
    connection
        None: nothing is known and nothing kept.
    """

    def __init__(self, connection: sqlite3.Connection | None = None) -> None:
        self._connection = connection
        self._folder: tuple[str, dict[str, _Row]] = ("", {})
        self._believed: dict[Path, _Row] = {}
        self._waiting: dict[Path, _Row] = {}

    def knows(self, path: Path) -> bool:
        """Say whether a file is a DICOM file that has not changed since it was read."""
        return self._row(path) is not None

    def header(self, path: Path) -> Header | str | None:
        """Return a file's header, or what other object it is; None where that is not known."""
        row = self._row(path)
        if row is None:
            return None
        if row.other:
            return row.other
        try:
            return decode(row.header, path)
        except ValueError:
            return None

    def keep(self, path: Path, stamp: _Stamp | None, said: Header | str) -> None:
        """Keep what a file said.

        Parameters
        ----------
        path
            The file.
        stamp
            `stamp_of` the file *before* it was read.
        said
            Its header, or what other object it is.
        """
        if self._connection is None or stamp is None or stamp != stamp_of(path):
            return
        if abs(time.time() - stamp[1] / 1e9) < _RACY_SECONDS:
            return
        other, header = (said, b"") if isinstance(said, str) else ("", encode(said))
        self._waiting[path] = _Row(stamp, other, header, "")
        if len(self._waiting) >= _BATCH:
            self._write()

    def digest(self, path: Path) -> str:
        """Return `values_digest`, kept."""
        row = self._waiting.get(path) or self._row(path)
        if row is None:
            return values_digest(path)
        if not row.digest:
            row.digest = values_digest(path)
            self._waiting[path] = row
        return row.digest

    def forget_others(self, root: Path, files: Iterable[Path]) -> None:
        """Forget the files below a folder that are no more there.

        Parameters
        ----------
        root
            A folder that has been looked through wholly.
        files
            All that is in it.
        """
        there: dict[str, set[str]] = {}
        for path in files:
            there.setdefault(str(path.parent), set()).add(path.name)

        def work(connection: sqlite3.Connection) -> None:
            # A prefix, without the wildcards of LIKE.
            prefix = os.path.join(str(root), "")  # noqa: PTH118 - keeps the final separator
            folders = connection.execute(
                "SELECT id, path FROM folders WHERE path = ? OR substr(path, 1, ?) = ?",
                (str(root), len(prefix), prefix),
            ).fetchall()
            for number, folder in folders:
                names = there.get(folder, set())
                known = connection.execute("SELECT name FROM files WHERE folder = ?", (number,))
                gone = [(number, name) for (name,) in known.fetchall() if name not in names]
                connection.executemany("DELETE FROM files WHERE folder = ? AND name = ?", gone)
                if not names:
                    connection.execute("DELETE FROM folders WHERE id = ?", (number,))

        self._do(work)

    def touch(self, folders: Iterable[Path]) -> None:
        """Note that folders were opened now."""
        now = time.time()
        rows = [(now, str(folder)) for folder in folders]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("UPDATE folders SET used = ? WHERE path = ?", rows)

        self._do(work)

    def close(self) -> None:
        """Write what waits, make room, and close."""
        self._write()
        self._do(_limit)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _row(self, path: Path) -> _Row | None:
        """Return what is kept of a file; one that was asked for before is not looked at again."""
        if self._connection is None:
            return None
        if path in self._believed:
            return self._believed[path]
        folder = str(path.parent)
        if self._folder[0] != folder:
            rows: dict[str, _Row] = {}

            def work(connection: sqlite3.Connection) -> None:
                for name, size_, mtime, inode, other, header, digest in connection.execute(
                    "SELECT name, size, mtime, inode, other, header, digest FROM files"
                    " JOIN folders ON folders.id = files.folder WHERE folders.path = ?",
                    (folder,),
                ):
                    rows[name] = _Row((size_, mtime, inode), other, header, digest)

            self._do(work)
            self._folder = (folder, rows)
        row = self._folder[1].get(path.name)
        if row is None or row.stamp != stamp_of(path):
            return None
        self._believed[path] = row
        return row

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return

        def work(connection: sqlite3.Connection) -> None:
            for folder in {str(path.parent) for path in waiting}:
                connection.execute(
                    "INSERT INTO folders (path, used) VALUES (?, ?)"
                    " ON CONFLICT (path) DO UPDATE SET used = excluded.used",
                    (folder, time.time()),
                )
            connection.executemany(
                "INSERT OR REPLACE INTO files"
                " SELECT id, ?, ?, ?, ?, ?, ?, ? FROM folders WHERE path = ?",
                [
                    (path.name, *row.stamp, row.other, row.header, row.digest, str(path.parent))
                    for path, row in waiting.items()
                ],
            )

        self._do(work)

    def _do(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do something in one transaction; on any trouble with the file, go on without it."""
        if self._connection is None:
            return
        try:
            with self._connection:
                work(self._connection)
        except (sqlite3.Error, UnicodeError) as error:
            # UnicodeError: names that the file system has and UTF-8 has not.
            if isinstance(error, sqlite3.Error):
                self._connection.close()
                self._connection = None
                _discard_broken(error)


def stamp_of(path: Path) -> _Stamp | None:
    """Return what changes with a file's content, or None when it cannot be asked."""
    try:
        status = path.stat()
    except OSError:
        return None
    # SQLite's integers have 63 bits and a sign; ReFS has inodes of 128.
    return status.st_size, status.st_mtime_ns, status.st_ino & (2**63 - 1)


def index_path() -> Path:
    """Return where the index lies."""
    return user_cache_path("secondread", appauthor=False) / "index" / "headers.sqlite"


@contextmanager
def opened_index() -> Iterator[Index]:
    """Give the index for one scan; what was read is kept even when the scan is cancelled."""
    index = Index(_connect(index_path()))
    try:
        yield index
    finally:
        index.close()


def clear() -> None:
    """Forget everything.

    Raises
    ------
    OSError
        When the file cannot be removed.
    """
    path = index_path()
    for ending in ("", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def size() -> Size:
    """Return how much is kept; zeros where nothing is, or it cannot be asked."""
    path = index_path()
    connection = _connect(path) if path.exists() else None
    if connection is None:
        return Size(0, 0, 0)
    try:
        (folders,) = connection.execute("SELECT count(*) FROM folders").fetchone()
        (files,) = connection.execute("SELECT count(*) FROM files").fetchone()
        return Size(folders, files, path.stat().st_size)
    except (sqlite3.Error, OSError):
        return Size(0, 0, 0)
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection | None:
    """Open the index, made anew where it is of another version or damaged; None in trouble."""
    for _ in range(2):
        connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Made by hand: SQLite would make it readable for others.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = sqlite3.connect(path, timeout=_LOCK_SECONDS)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            # What a power cut destroys is read again.
            connection.execute("PRAGMA synchronous = OFF")
            if _is_current(connection):
                return connection
            connection.close()
            clear()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            if not _discard_broken(error):
                return None
        except OSError:
            return None
    return None


def _is_current(connection: sqlite3.Connection) -> bool:
    """Make the tables of a new file; say whether those of an old one are of this version."""
    with connection:
        made = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,)
        if not made:
            connection.executescript(_TABLES)
            connection.execute("INSERT INTO version VALUES (?)", (_VERSION,))
            return True
        known = connection.execute("SELECT name FROM sqlite_master WHERE name = 'version'")
        if known.fetchone() is None:
            return False
        return bool(connection.execute("SELECT text FROM version").fetchone() == (_VERSION,))


def _discard_broken(error: sqlite3.Error) -> bool:
    """Remove a damaged index, and leave alone one that is only locked; say which it was."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BROKEN:
        return False
    with suppress(OSError):
        clear()
    return True


def _limit(connection: sqlite3.Connection) -> None:
    """Remove the folders not opened for longest until what is left fits."""
    while _used(connection) > _MAX_BYTES:
        oldest = connection.execute("SELECT id FROM folders ORDER BY used LIMIT 1").fetchone()
        if oldest is None:
            return
        connection.execute("DELETE FROM folders WHERE id = ?", oldest)


def _used(connection: sqlite3.Connection) -> int:
    """Return the bytes in use; pages that are free again are written before the file grows."""
    pages, free, page = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page
