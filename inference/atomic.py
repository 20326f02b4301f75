"""Files and folders that appear in one step: a crash or a full disk leaves what was there before.

What is written lies beside its place under a name of its own until it is whole, and is moved there
last. Where a process is killed meanwhile, its unfinished files are known, and go at the next start
of any other (`sweep`).
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from inference.homes import Home

__all__ = [
    "OPEN",
    "OWNER",
    "beside",
    "export_mode",
    "part_folder",
    "replace_bytes",
    "replace_text",
    "sweep",
]

OWNER: Final = 0o600
"""Mode of what is for the user alone."""
OPEN: Final = 0o666
"""Mode of what tells of no patient; the umask of the process takes from it, as from any file."""

_NAME: Final = re.compile(r"\.secondread-[0-9a-f]{32}\.part[.a-z]*")
_CHUNK: Final = 1 << 20
_UMASK: Final = "SECONDREAD_UMASK"

_HOME: Final = Home("writing")
"""Holds a small file for each unfinished one of this process: where that one is."""


def export_mode() -> int:
    """Mode of exported files: the user's alone, unless the environment says otherwise.

    ``SECONDREAD_UMASK`` is an umask in octal, such as ``027``. What is no such number is passed
    over, since then nothing is opened to others by mistake.
    """
    try:
        given = int(os.environ.get(_UMASK, ""), 8)
    except ValueError:
        return OWNER
    return (0o666 & ~given) | OWNER


@contextmanager
def beside(path: Path, *, suffix: str = "", mode: int = OWNER) -> Iterator[Path]:
    """Give an empty file beside a place, for the block to write; at its end it is moved there.

    Parameters
    ----------
    path
        The place. A symbolic link is followed.
    suffix
        How the file's name ends, for writers that go by it.
    mode
        Of the file.

    Raises
    ------
    OSError
        When it cannot be written, or something that is no plain file stands in its place. Then, and
        whatever else ends the block, what was there stays.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EEXIST, "something that is no plain file has this name")
    part = target.with_name(_new_name(suffix))
    with _claimed(part):
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
            if mode != OPEN:
                # What a mode allows was chosen; the umask is for files of which nothing was.
                part.chmod(mode)
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def replace_bytes(path: Path, data: bytes, *, mode: int = OWNER) -> None:
    """Write a file in one step, and read it back before it takes its place.

    Raises
    ------
    OSError
        When it cannot be written, or does not read back; what was there stays.
    """
    with beside(path, mode=mode) as part:
        with part.open("wb") as file:
            file.write(data)
        if not _holds(part, data):
            raise OSError(errno.EIO, "what was written does not read back")


def replace_text(path: Path, text: str, *, mode: int = OWNER) -> None:
    """Write a text as UTF-8 with its ends of lines as they are; see `replace_bytes`."""
    replace_bytes(path, text.encode("utf-8"), mode=mode)


@contextmanager
def part_folder(parent: Path) -> Iterator[Path]:
    """Give an empty private folder in another one, of which nothing stays but what is moved away.

    Raises
    ------
    OSError
        When it cannot be made.
    """
    part = parent / _new_name()
    with _claimed(part):
        try:
            part.mkdir(mode=0o700)
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)


def sweep() -> None:
    """Remove what killed processes left unfinished, wherever it is, as far as it can be."""
    _HOME.sweep(_remove_parts)


def _new_name(suffix: str = "") -> str:
    return f".secondread-{uuid.uuid4().hex}.part{suffix}"


@contextmanager
def _claimed(part: Path) -> Iterator[None]:
    """Note an unfinished file, in case the process is killed."""
    note: Path | None = None
    # On a full disk perhaps not; then it is found by whoever looks for it.
    with suppress(OSError):
        made = _HOME.folder() / uuid.uuid4().hex
        made.write_bytes(os.fsencode(part.absolute()))
        note = made
    try:
        yield
    finally:
        if note is not None:
            with suppress(OSError):
                note.unlink()


def _remove_parts(folder: Path) -> None:
    for note in folder.glob("*"):
        with suppress(OSError):
            part = Path(os.fsdecode(note.read_bytes()))
            if not _NAME.fullmatch(part.name):
                continue
            if part.is_dir() and not part.is_symlink():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)


def _holds(path: Path, data: bytes) -> bool:
    """Say whether a file holds exactly these bytes."""
    view = memoryview(data)
    at = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if view[at : at + len(chunk)] != chunk:
                return False
            at += len(chunk)
    return at == len(data)
