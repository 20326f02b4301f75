"""What was chosen becomes files: a file alone, a folder, an archive, or what a DICOMDIR lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.errors import BadInputError
from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.find import (
    Candidate,
    FileKind,
    Tree,
    candidate,
    candidates,
    exists,
    is_dicomdir,
    is_zip,
    walk,
)
from inference.studies.model import Problem

__all__ = ["Sources", "gather"]


@dataclass(frozen=True, slots=True)
class Sources:
    """What may be opened at a path.

    Parameters
    ----------
    candidates
        Files in order of name.
    problems
        What is doubtful about the whole.
    folder
        What was looked through wholly, and will be there the next time; else None.
    alone
        One file was chosen, and this is it.
    fleeting
        The files came out of an archive and will be gone when the program ends.
    """

    candidates: tuple[Candidate, ...]
    problems: tuple[Problem, ...] = ()
    folder: Path | None = None
    alone: bool = False
    fleeting: bool = False

    def paths(self, kind: FileKind) -> list[Path]:
        """Return the files of one kind."""
        return [each.path for each in self.candidates if each.kind is kind]


def gather(path: Path, progress: Progress, known: Callable[[Path], bool]) -> Sources:
    """Return what may be opened at a path; archives are unpacked.

    Parameters
    ----------
    path
        A file or folder.
    progress
        Where to report, and how to be cancelled.
    known
        Says of a file that it is known to be DICOM and need not be looked at.

    Raises
    ------
    BadInputError
        When the path does not exist, holds too many files, or is an archive that cannot be
        unpacked.
    CancelledError
        When the reader cancelled.
    """
    if not exists(path):
        raise BadInputError(f"There is no file or folder “{path}”; check the path.")
    if is_dicomdir(path):
        return _listed(path, progress, known)
    if path.is_dir():
        return _folder(path, progress, known)
    if not path.is_file():
        raise BadInputError(f"“{path.name}” is neither a file nor a folder; open one of them.")
    if not is_zip(path):
        return Sources((candidate(path, known),), alone=True)
    from inference.studies.zips import unpack

    unpacked = unpack(path, progress)
    inside = _folder(unpacked.folder, progress, known)
    return Sources(inside.candidates, unpacked.problems + inside.problems, fleeting=True)


def _folder(folder: Path, progress: Progress, known: Callable[[Path], bool]) -> Sources:
    tree = walk(folder)
    found = candidates(tree, progress, known)
    problems: tuple[Problem, ...] = ()
    archives = [each.path for each in found if each.kind is FileKind.ARCHIVE]
    if archives:
        what = "1 ZIP archive" if len(archives) == 1 else f"{len(archives)} ZIP archives"
        problems += (
            Problem(
                Code.NESTED_ARCHIVE,
                f"{what} in the folder, such as “{archives[0].name}”, stayed closed; to open an "
                "archive, choose it alone.",
                tuple(archives),
            ),
        )
    for path in tree.dicomdirs:
        problems += _compared(path, tree, found)
    return Sources(found, problems, folder)


def _compared(path: Path, tree: Tree, found: tuple[Candidate, ...]) -> tuple[Problem, ...]:
    from inference.studies.dicomdir import doubts, read_listing

    listing = read_listing(path, tree.files)
    if listing is None:
        return ()
    listed = set(listing.files)
    beside = [
        each.path
        for each in found
        if each.kind is FileKind.DICOM
        and each.path not in listed
        and each.path.is_relative_to(path.parent)
    ]
    return doubts(listing, beside, opened=True)


def _listed(path: Path, progress: Progress, known: Callable[[Path], bool]) -> Sources:
    """Return what a DICOMDIR lists; all of its folder when it is damaged."""
    from inference.studies.dicomdir import doubts, read_listing

    tree = walk(path.parent)
    listing = read_listing(path, tree.files)
    if listing is None:
        problem = Problem(
            Code.DICOMDIR_DAMAGED,
            "The DICOMDIR is damaged or lists nothing, so every file of its folder was looked at.",
        )
        return Sources(candidates(tree, progress, known), (problem,))
    if not listing.files:
        raise BadInputError(
            "The DICOMDIR lists files, but none of them is in its folder; copy the whole disc, or "
            "open the folder that holds them."
        )
    found = candidates(tree, progress, known)
    listed = set(listing.files)
    beside = [
        each.path for each in found if each.kind is FileKind.DICOM and each.path not in listed
    ]
    kept = tuple(each for each in found if each.path in listed)
    return Sources(kept, doubts(listing, beside, opened=False))
