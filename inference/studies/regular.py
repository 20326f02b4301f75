"""Regular files, opened without ever waiting: a FIFO would never end, a device never stop."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from inference.studies.find import UnreadableError

__all__ = ["beside", "open_regular"]

_FLAGS: Final = (
    os.O_RDONLY
    # Not all systems have all of them.
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
)


def open_regular(path: Path, *, follow: bool = True) -> BinaryIO:
    """Open a regular file to be read; whatever else has that name is refused at once.

    Parameters
    ----------
    path
        The file.
    follow
        Whether a link to a regular file will do. What the reader chose may be one; what a file
        names may not, since it would lead out of the chosen folder.

    Raises
    ------
    UnreadableError
        When it is not there, no regular file, or may not be read.
    """
    name = f"“{path.name}”"
    try:
        if not follow and stat.S_ISLNK(path.lstat().st_mode):
            raise UnreadableError(f"{name} is a link; put the file itself in its place.")
        descriptor = os.open(path, _FLAGS | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    except FileNotFoundError as error:
        raise UnreadableError(f"{name} is not there any more; open it again.") from error
    except OSError as error:
        raise UnreadableError(f"{name} may not be read; check its permissions.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError(f"{name} is not a regular file.")
    return os.fdopen(descriptor, "rb")


def beside(path: Path, named: str) -> Path:
    """Return the file beside a header that holds its voxels.

    Parameters
    ----------
    path
        The header.
    named
        What the header calls it: nothing but the name of a regular file in the same folder. A path,
        a pattern or a list would let a header show any file of the disk as a picture.

    Raises
    ------
    UnreadableError
        When it is anything else, or is missing.
    """
    plain = named.removeprefix("./")
    if plain in {"", ".", "..", "-"} or any(mark in plain for mark in ("/", "\\", "\0", "%")):
        raise UnreadableError(
            f"“{path.name}” keeps its voxels in other places; save it as one file, or with its "
            "voxels in one file beside it."
        )
    data = path.with_name(plain)
    try:
        data.lstat()
    except (OSError, ValueError) as error:
        raise UnreadableError(
            f"“{plain}”, which holds the voxels of “{path.name}”, is missing."
        ) from error
    open_regular(data, follow=False).close()
    return data
