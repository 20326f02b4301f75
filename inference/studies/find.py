"""Which files are there, and what each is: by content first, then by name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies.limits import MAX_FILES

__all__ = ["Candidate", "FileKind", "UnreadableError", "find"]

VOLUME_SUFFIXES: Final = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg")
DICOM_SUFFIXES: Final = (".dcm", ".dicom", ".ima")

_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC: Final = b"\xff\xd8\xff"
_ZIP_MAGIC: Final = b"PK\x03\x04"
_DICOM_PREFIX: Final = slice(128, 132)
_HEADLESS_DICOM: Final = (b"\x02\x00", b"\x08\x00")
"""First group of a DICOM file written without the preamble, little endian."""


class UnreadableError(Exception):
    """One file cannot be used; the text is a sentence for the reader that names the file."""


class FileKind(Enum):
    """Which reader takes a file."""

    DICOM = "dicom"
    VOLUME = "volume"
    PICTURE = "picture"
    BROKEN = "broken"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, its kind and, for broken and other ones, the sentence that says why."""

    path: Path
    kind: FileKind
    sentence: str = ""


def find(path: Path, progress: Progress) -> tuple[Candidate, ...]:
    """Return what may be opened at a path, in order of name.

    Raises
    ------
    BadInputError
        When the path does not exist or holds too many files.
    """
    try:
        exists = path.exists()
    except OSError:
        # A name too long for the file system, or a folder that may not be entered.
        exists = False
    if not exists:
        raise BadInputError(f"There is no file or folder “{path}”; check the path.")
    if path.is_file() and path.name.upper() == "DICOMDIR":
        path = path.resolve().parent
    if path.is_file():
        return (_candidate(path),)
    files, candidates = _walk(path)
    for i, file in enumerate(files):
        progress.report("Looking for images", i, len(files))
        candidates.append(_candidate(file))
    return tuple(candidates)


def _walk(folder: Path) -> tuple[list[Path], list[Candidate]]:
    """Return all files below a folder, and the folders that may not be read."""
    refused: list[Candidate] = []

    def refuse(error: OSError) -> None:
        path = Path(error.filename or folder)
        sentence = f"The folder “{path.name}” may not be read; check its permissions."
        refused.append(Candidate(path, FileKind.BROKEN, sentence))

    files: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not _hidden(name))
        files.extend(
            Path(root, name)
            for name in sorted(names)
            if not _hidden(name) and name.upper() != "DICOMDIR"
        )
        if len(files) > MAX_FILES:
            raise BadInputError(
                f"“{folder.name}” holds more than {MAX_FILES} files; open a smaller folder."
            )
    return files, refused


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _candidate(path: Path) -> Candidate:
    name = path.name
    try:
        if not path.is_file():
            return Candidate(path, FileKind.OTHER, f"“{name}” is not a regular file.")
        with path.open("rb") as stream:
            head = stream.read(132)
    except OSError:
        sentence = f"“{name}” may not be read; check its permissions."
        return Candidate(path, FileKind.BROKEN, sentence)
    kind = _kind(name.lower(), head)
    return Candidate(path, kind, _complaint(name, head, kind))


def _kind(name: str, head: bytes) -> FileKind:
    """Say what a file is by its lower-case name and its first 132 bytes."""
    promised = name.endswith(VOLUME_SUFFIXES + PICTURE_SUFFIXES + DICOM_SUFFIXES)
    if head[_DICOM_PREFIX] == b"DICM":
        kind = FileKind.DICOM
    elif head and name.endswith(VOLUME_SUFFIXES):
        kind = FileKind.VOLUME
    elif head.startswith((_PNG_MAGIC, _JPEG_MAGIC)):
        kind = FileKind.PICTURE
    elif head.startswith(_HEADLESS_DICOM):
        kind = FileKind.DICOM
    else:
        kind = FileKind.BROKEN if promised else FileKind.OTHER
    return kind


def _complaint(name: str, head: bytes, kind: FileKind) -> str:
    """Say why a file cannot be used; empty for those that can, as far as is known here."""
    if kind not in {FileKind.BROKEN, FileKind.OTHER}:
        return ""
    if not head:
        return f"“{name}” is empty; copy it again."
    if head.startswith(_ZIP_MAGIC):
        return f"“{name}” is a ZIP archive; unpack it and open the folder."
    if kind is FileKind.BROKEN:
        what = "a DICOM file" if name.lower().endswith(DICOM_SUFFIXES) else "a PNG or JPEG picture"
        return f"“{name}” is not {what} although its name says so."
    return f"“{name}” is not a DICOM, NIfTI, NRRD, MHA, PNG or JPEG file."
