"""Which files are there, and what each is: by content first, then by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from inference.errors import BadInputError, printable
from inference.progress import Progress
from inference.studies.limits import MAX_FILES

__all__ = [
    "Candidate",
    "FileKind",
    "Tree",
    "UnreadableError",
    "candidate",
    "candidates",
    "exists",
    "is_dicomdir",
    "is_hidden",
    "is_zip",
    "walk",
]

VOLUME_SUFFIXES: Final = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
DICOM_SUFFIXES: Final = (".dcm", ".dicom", ".ima")

_DICOMDIR: Final = "DICOMDIR"
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC: Final = b"\xff\xd8\xff"
_ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
"""A first member, or the end of an archive without any."""
_HEAD_BYTES: Final = 352
"""What is read to tell what a file is: the longest is NIfTI's header, up to its magic."""
_NIFTI_MAGIC: Final = (b"ni1\0", b"n+1\0")
_NIFTI_2_MAGIC: Final = (b"ni2\0", b"n+2\0")
_PAIR_HEADER, _PAIR_VOXELS = ".hdr", ".img"
_DICOM_PREFIX: Final = slice(128, 132)
_HEADLESS_DICOM: Final = (b"\x02\x00", b"\x08\x00")
"""First group of a DICOM file written without the preamble, little endian."""


class UnreadableError(Exception):
    """One file cannot be used; the text is a sentence for the reader that names the file."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


class FileKind(Enum):
    """Which reader takes a file."""

    DICOM = "dicom"
    VOLUME = "volume"
    PICTURE = "picture"
    ARCHIVE = "archive"
    """A ZIP archive in a folder, which stays closed."""
    BROKEN = "broken"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, its kind and, for broken and other ones, the sentence that says why."""

    path: Path
    kind: FileKind
    sentence: str = ""


def is_zip(path: Path) -> bool:
    """Say whether a file is a ZIP archive, by its first bytes."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) in _ZIP_MAGIC
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Say whether there is anything at a path."""
    try:
        return path.exists()
    except OSError:
        # A name too long for the file system, or a folder that may not be entered.
        return False


def is_dicomdir(path: Path) -> bool:
    """Say whether a file is the table of contents of a disc (DICOM PS3.10, 8.6), by its name."""
    return path.name.upper() == _DICOMDIR and _is_regular(path)


def _is_regular(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # In a folder that may not be entered.
        return False


@dataclass(frozen=True, slots=True)
class Tree:
    """What is below a folder, in order of name.

    Parameters
    ----------
    files
        Files that may be images.
    dicomdirs
        The DICOMDIR of each folder that has one.
    refused
        Folders that may not be read.
    """

    files: tuple[Path, ...]
    dicomdirs: tuple[Path, ...]
    refused: tuple[Candidate, ...]


def walk(folder: Path) -> Tree:
    """Return all files below a folder.

    Raises
    ------
    BadInputError
        When there are too many.
    """
    refused: list[Candidate] = []

    def refuse(error: OSError) -> None:
        path = Path(error.filename or folder)
        sentence = f"The folder “{path.name}” may not be read; check its permissions."
        refused.append(Candidate(path, FileKind.BROKEN, sentence))

    files: list[Path] = []
    dicomdirs: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(names):
            # Another thing of that name, such as a FIFO, would be waited for.
            if is_dicomdir(Path(root, name)):
                dicomdirs.append(Path(root, name))
            elif not is_hidden(name):
                files.append(Path(root, name))
        if len(files) > MAX_FILES:
            raise BadInputError(
                f"“{folder.name}” holds more than {MAX_FILES} files; open a smaller folder."
            )
    return Tree(tuple(files), tuple(dicomdirs), tuple(refused))


def candidates(
    tree: Tree, progress: Progress, known: Callable[[Path], bool]
) -> tuple[Candidate, ...]:
    """Say what each file is.

    Parameters
    ----------
    tree
        The files.
    progress
        Where to report, and how to be cancelled.
    known
        Says of a file that it is known to be DICOM and need not be looked at.
    """
    found = list(tree.refused)
    for i, file in enumerate(tree.files):
        progress.report("Looking for images", i, len(tree.files))
        found.append(candidate(file, known))
    return tuple(found)


def is_hidden(name: str) -> bool:
    """Say whether a file or folder of that name is never looked at."""
    return name.startswith(".") or name == "__MACOSX"


def candidate(path: Path, known: Callable[[Path], bool]) -> Candidate:
    """Say what one file is; see `candidates`."""
    name = printable(path.name)
    if known(path):
        return Candidate(path, FileKind.DICOM)
    try:
        if not path.is_file():
            return Candidate(path, FileKind.OTHER, f"“{name}” is not a regular file.")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except OSError:
        sentence = f"“{name}” may not be read; check its permissions."
        return Candidate(path, FileKind.BROKEN, sentence)
    kind = _kind(name.lower(), head)
    if kind is FileKind.OTHER and _is_half(path):
        sentence = f"“{name}” holds the voxels of a NIfTI pair; open the “.hdr” beside it."
        return Candidate(path, kind, sentence)
    return Candidate(path, kind, _complaint(name, head, kind))


def _is_half(path: Path) -> bool:
    """Say whether a file is the half of a NIfTI pair without the header."""
    if path.suffix.lower() != _PAIR_VOXELS:
        return False
    for header in (path.with_suffix(_PAIR_HEADER), path.with_suffix(_PAIR_HEADER.upper())):
        try:
            if header.is_file():
                with header.open("rb") as stream:
                    return _is_nifti(stream.read(_HEAD_BYTES))
        except OSError:
            continue
    return False


def _is_nifti(head: bytes) -> bool:
    """Say whether a file begins as NIfTI-1 or NIfTI-2, alone or the header of a pair, does."""
    return head[344:348] in _NIFTI_MAGIC or head[4:8] in _NIFTI_2_MAGIC


def _kind(name: str, head: bytes) -> FileKind:
    """Say what a file is by its lower-case name and its first bytes."""
    promised = name.endswith(VOLUME_SUFFIXES + PICTURE_SUFFIXES + DICOM_SUFFIXES)
    if head[_DICOM_PREFIX] == b"DICM":
        kind = FileKind.DICOM
    elif (head and name.endswith(VOLUME_SUFFIXES)) or (
        name.endswith(_PAIR_HEADER) and _is_nifti(head)
    ):
        kind = FileKind.VOLUME
    elif head.startswith((_PNG_MAGIC, _JPEG_MAGIC)):
        kind = FileKind.PICTURE
    elif head.startswith(_HEADLESS_DICOM):
        kind = FileKind.DICOM
    elif head.startswith(_ZIP_MAGIC):
        kind = FileKind.ARCHIVE
    else:
        kind = FileKind.BROKEN if promised else FileKind.OTHER
    return kind


def _complaint(name: str, head: bytes, kind: FileKind) -> str:
    """Say why a file cannot be used; empty for those that can, as far as is known here."""
    if kind in {FileKind.DICOM, FileKind.VOLUME, FileKind.PICTURE}:
        return ""
    if not head:
        return f"“{name}” is empty; copy it again."
    if head.startswith(_ZIP_MAGIC):
        return f"“{name}” is a ZIP archive in a folder; choose it alone to open it."
    if kind is FileKind.BROKEN:
        what = "a DICOM file" if name.lower().endswith(DICOM_SUFFIXES) else "a PNG or JPEG picture"
        return f"“{name}” is not {what} although its name says so."
    return f"“{name}” is not a DICOM, NIfTI, NRRD, MHA, PNG or JPEG file."
