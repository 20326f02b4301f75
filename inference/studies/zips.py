"""ZIP archives, unpacked by rules under which none can write elsewhere or without end.

An archive is refused as a whole when it breaks a rule that no honest program breaks: paths that
leave the folder, absolute ones, drive letters, NUL, links, names that differ in case alone. What is
merely useless (a damaged member, an archive inside) is left out and said. Nothing that the archive
declares is trusted: bytes are counted as they are written.
"""

from __future__ import annotations

import errno
import io
import lzma
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies import unpacked
from inference.studies.codes import Code
from inference.studies.find import is_hidden, is_zip
from inference.studies.limits import (
    MAX_ARCHIVE_DEPTH,
    MAX_DIRECTORY_BYTES,
    MAX_FILES,
    MAX_UNPACKED_BYTES,
)
from inference.studies.model import Problem

__all__ = ["Unpacked", "unpack"]

_CHUNK: Final = 1 << 20
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
"""Flags of plain encryption, strong encryption and a masked directory (APPNOTE 4.4.4)."""
_UNIX_MODE: Final = 16
"""Bits by which the external attributes are shifted to give a Unix mode."""
_MAX_NAMED: Final = 3

_NAME_ERRORS: Final = (
    errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EEXIST, errno.ENOENT, errno.ENOTDIR,
    errno.EISDIR,
)  # fmt: skip
_END: Final = b"PK\x05\x06"
_LOCATOR: Final = b"PK\x06\x07"
_END_BYTES: Final = 22 + 0xFFFF
"""The record at an archive's end with the longest comment (APPNOTE 4.3.16)."""
_LARGE_END_BYTES: Final = 76
"""The records of ZIP64 before it (APPNOTE 4.3.14 and 4.3.15)."""

_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    ValueError, OSError,
)  # fmt: skip
"""What `zipfile` raises on damaged members and on compression that it does not know."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Where an archive's files are, and what of it was left out."""

    folder: Path
    problems: tuple[Problem, ...]


_kept: dict[tuple[Path, int, int], Unpacked] = {}
"""What has been unpacked by this process, by path, size and time of the archive."""


def unpack(path: Path, progress: Progress) -> Unpacked:
    """Unpack an archive into a private folder that is removed when the program ends.

    Unpacking the same file again gives the same folder.

    Raises
    ------
    BadInputError
        When the archive breaks a rule, is damaged, or does not fit on the disk.
    CancelledError
        When the reader cancelled; nothing is left behind.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise BadInputError(f"“{path.name}” may not be read; check its permissions.") from error
    key = (path.resolve(), status.st_size, status.st_mtime_ns)
    if key in _kept and _kept[key].folder.is_dir():
        return _kept[key]
    with _opened(path) as archive:
        members = _checked(path, archive)
        with _writing(path):
            folder = unpacked.new_folder()
        try:
            _check_room(path, folder, members)
            problems = _write(path, archive, members, folder, progress)
        except BaseException:
            unpacked.discard(folder)
            raise
    unpacked.remember(folder, path)
    _kept[key] = Unpacked(folder, problems)
    return _kept[key]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        if _directory_bytes(path) > MAX_DIRECTORY_BYTES:
            raise _refused(path, f"it holds more than {MAX_FILES:,} files")
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise BadInputError(
            f"“{path.name}” is a damaged or incomplete ZIP archive; copy it again."
        ) from error
    with archive:
        yield archive


def _directory_bytes(path: Path) -> int:
    """Return how long an archive says that its directory is; `zipfile` reads it in one go."""
    with path.open("rb") as stream:
        length = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, length - _END_BYTES - _LARGE_END_BYTES))
        tail = stream.read()
    longest = 0
    at = tail.find(_END)
    while at >= 0:
        if at + 16 <= len(tail):
            longest = max(longest, *struct.unpack_from("<L", tail, at + 12))
        if at >= _LARGE_END_BYTES and tail[at - 20 : at - 16] == _LOCATOR:
            longest = max(longest, *struct.unpack_from("<Q", tail, at - _LARGE_END_BYTES + 40))
        at = tail.find(_END, at + 1)
    return min(longest, length)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NAME_ERRORS:
            raise _refused(path, "it holds names that this computer does not take") from error
        raise _no_room(path) from error


def _check_room(path: Path, folder: Path, members: list[tuple[zipfile.ZipInfo, Path]]) -> None:
    """Refuse early what cannot fit; that it could is still not believed."""
    with _writing(path):
        room = shutil.disk_usage(folder).free
    if sum(member.file_size for member, _ in members) > room:
        raise _no_room(path)


def _no_room(path: Path) -> BadInputError:
    return BadInputError(
        f"“{path.name}” could not be unpacked, because the disk with the user's cache folder is "
        "full or may not be written; make room there, or unpack it elsewhere and open the folder."
    )


# -- rules -----------------------------------------------------------------------------------


def _checked(path: Path, archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, Path]]:
    """Apply every rule to the directory of the archive; return the files and their places."""
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise _refused(path, f"it holds more than {MAX_FILES:,} files")
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise _too_large(path)
    files: dict[str, Path] = {}
    folders: set[str] = set()
    members = []
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise BadInputError(
                f"“{path.name}” is encrypted; unpack it with its password and open the folder."
            )
        mode = entry.external_attr >> _UNIX_MODE
        if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise _refused(path, "it holds links or devices")
        parts = _parts(path, entry.orig_filename)
        keys = ["/".join(map(_same_file, parts[:n])) for n in range(1, len(parts) + 1)]
        folders.update(keys if entry.is_dir() else keys[:-1])
        if entry.is_dir():
            continue
        if keys[-1] in files:
            raise _refused(path, "it holds several files of one name")
        files[keys[-1]] = Path(*parts)
        if not any(is_hidden(part) for part in parts):
            members.append((entry, files[keys[-1]]))
    if folders & set(files):
        raise _refused(path, "it holds a file and a folder of one name")
    return members


def _parts(path: Path, name: str) -> list[str]:
    """Return the components of a member's name; "\\" parts them, too, as it does on Windows."""
    if "\0" in name:
        raise _refused(path, "it holds names with NUL characters")
    name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or any(":" in part for part in parts):
        raise _refused(path, "it holds absolute paths")
    if ".." in (part.strip(" ") for part in parts):
        raise _refused(path, "it holds paths that lead out of its folder")
    if not parts or len(parts) > MAX_ARCHIVE_DEPTH:
        raise _refused(path, "it holds names that are empty, or folders too deep")
    return parts


def _same_file(part: str) -> str:
    """Return what file systems that ignore case, accents' form or final dots go by."""
    return unicodedata.normalize("NFKC", part).casefold().rstrip(". ")


def _refused(path: Path, why: str) -> BadInputError:
    return BadInputError(
        f"“{path.name}” was not unpacked, because {why}; if you trust it, unpack it yourself and "
        "open the folder."
    )


def _too_large(path: Path) -> BadInputError:
    return _refused(path, f"it would take more than {MAX_UNPACKED_BYTES >> 30} GB")


# -- writing ---------------------------------------------------------------------------------


def _write(
    path: Path,
    archive: zipfile.ZipFile,
    members: list[tuple[zipfile.ZipInfo, Path]],
    folder: Path,
    progress: Progress,
) -> tuple[Problem, ...]:
    room = MAX_UNPACKED_BYTES
    nested: list[str] = []
    damaged: list[str] = []
    for i, (entry, place) in enumerate(members):
        progress.report("Unpacking", i, len(members))
        target = folder / place
        with _writing(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            stream = target.open("xb")
        written = 0
        try:
            with stream:
                for chunk in _chunks(archive, entry):
                    progress.report("Unpacking", i, len(members))
                    written += len(chunk)
                    if written > room:
                        raise _too_large(path)
                    with _writing(path):
                        stream.write(chunk)
        except _DamagedMemberError:
            damaged.append(place.name)
            target.unlink()
            continue
        room -= written
        if is_zip(target):
            nested.append(place.name)
            target.unlink()
    return _left_out(nested, damaged)


class _DamagedMemberError(Exception):
    """A member cannot be read to its end."""


def _chunks(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    source: IO[bytes]
    try:
        source = archive.open(entry)
    except _DAMAGE as error:
        raise _DamagedMemberError from error
    with source:
        while True:
            try:
                chunk = source.read(_CHUNK)
            except _DAMAGE as error:
                raise _DamagedMemberError from error
            if not chunk:
                return
            yield chunk


def _left_out(nested: list[str], damaged: list[str]) -> tuple[Problem, ...]:
    problems = []
    if nested:
        one = "is an archive inside the archive and was left out; unpack it and open it alone."
        more = "are archives inside the archive and were left out; unpack and open them alone."
        sentence = f"{_named(nested)} {one if len(nested) == 1 else more}"
        problems.append(Problem(Code.NESTED_ARCHIVE, sentence))
    if damaged:
        verbs = "is damaged and was" if len(damaged) == 1 else "are damaged and were"
        sentence = f"{_named(damaged)} {verbs} left out; copy the archive again."
        problems.append(Problem(Code.DAMAGED_MEMBERS, sentence))
    return tuple(problems)


def _named(names: list[str]) -> str:
    from inference.studies.dicom_values import printable

    quoted = ", ".join(f"“{printable(name)}”" for name in names[:_MAX_NAMED])
    more = len(names) - _MAX_NAMED
    return quoted + (f" and {more} more" if more > 0 else "")
