"""Private folders for what came out of archives: this process's own, and gone when it ends.

They lie in the user's cache folder rather than in the system's temporary one, which is shared, and
on many systems is memory. See `inference.homes` for what becomes of them after a crash.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from inference.homes import UNPACKED

__all__ = ["discard", "end", "new_folder", "origin", "remember", "sweep"]

_origins: dict[Path, Path] = {}


def new_folder() -> Path:
    """Make an empty private folder; what dead processes left goes first, since room is needed.

    Raises
    ------
    OSError
        When the cache folder cannot be written.
    """
    UNPACKED.sweep()
    folder = UNPACKED.folder() / uuid.uuid4().hex
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
    UNPACKED.sweep()


def end() -> None:
    """Remove every folder of this process."""
    _origins.clear()
    UNPACKED.end()
