"""DICOMDIR: which files a disc says it holds, and which of them are there (DICOM PS3.3, F)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference.studies.codes import Code
from inference.studies.dicom_file import open_dicom
from inference.studies.dicom_values import get, integer, printable, sequence
from inference.studies.find import UnreadableError
from inference.studies.model import Problem

__all__ = ["Listing", "doubts", "read_listing"]

_MAX_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """What a DICOMDIR lists.

    Parameters
    ----------
    path
        The DICOMDIR.
    files
        Listed files that are there.
    missing
        Names of those that are not.
    outside
        Number of entries that point out of the DICOMDIR's folder; they are not followed.
    """

    path: Path
    files: tuple[Path, ...]
    missing: tuple[str, ...]
    outside: int


def read_listing(path: Path, there: Sequence[Path]) -> Listing | None:
    """Read which files a DICOMDIR lists.

    Names are looked up among the files that are there, whatever their case (discs are copied with
    either), and never followed: no entry can reach a file outside the folder.

    Parameters
    ----------
    path
        The DICOMDIR.
    there
        All files below its folder.

    Returns
    -------
    Listing or None
        None when it is damaged or lists nothing.
    """
    root = path.parent
    inside = root.resolve()
    by_name: dict[str, Path] = {}
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for file in there:
        if file.is_relative_to(root):
            within = file.relative_to(root)
            by_name[within.as_posix().casefold()] = file
            by_stem[within.with_suffix("").as_posix().casefold()].append(file)
    found: dict[Path, None] = {}
    missing: dict[str, None] = {}
    outside = 0
    for parts in _file_ids(path):
        if any(part in {"", ".", ".."} or ":" in part for part in parts):
            outside += 1
            continue
        name = "/".join(parts)
        there_as = [by_name[form] for form in _forms(name.casefold()) if form in by_name]
        # File IDs have no suffix (PS3.10, 8.2); whoever copies a disc may give them one.
        alike = by_stem.get(name.casefold(), [])
        if not there_as and len(alike) == 1:
            there_as = alike
        if not there_as:
            missing[name] = None
        elif there_as[0].resolve().is_relative_to(inside):
            found[there_as[0]] = None
        else:
            outside += 1
    if not (found or missing or outside):
        return None
    return Listing(path, tuple(found), tuple(missing), outside)


def doubts(listing: Listing, unlisted: Sequence[Path], opened: bool) -> tuple[Problem, ...]:
    """Say how a listing and its folder differ.

    Parameters
    ----------
    listing
        What is listed.
    unlisted
        DICOM files of the folder that are not.
    opened
        These were opened all the same.
    """
    problems = []
    total = len(listing.files) + len(listing.missing) + listing.outside
    if listing.missing:
        named = ", ".join(f"“{printable(name)}”" for name in listing.missing[:_MAX_NAMED])
        more = len(listing.missing) - _MAX_NAMED
        named += f" and {more} more" if more > 0 else ""
        problems.append(
            Problem(
                Code.DICOMDIR_MISSING,
                f"{len(listing.missing)} of {_files(total)} listed by the DICOMDIR are not there: "
                f"{named}; copy the whole disc again.",
            )
        )
    if listing.outside:
        problems.append(
            Problem(
                Code.DICOMDIR_OUTSIDE,
                f"{listing.outside} of {_files(total)} listed by the DICOMDIR lie outside its "
                "folder and were not opened.",
            )
        )
    if unlisted:
        end = "they were opened, too" if opened else "open the folder to see them, too"
        problems.append(
            Problem(
                Code.DICOMDIR_UNLISTED,
                f"{len(unlisted)} DICOM {'file' if len(unlisted) == 1 else 'files'} beside the "
                f"DICOMDIR are not listed in it; {end}.",
                tuple(unlisted),
            )
        )
    return tuple(problems)


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"


def _forms(name: str) -> tuple[str, ...]:
    """The name as listed, and as ISO 9660 discs are copied: with a version or a final dot."""
    return name, f"{name};1", f"{name}.;1", f"{name}."


def _file_ids(path: Path) -> list[tuple[str, ...]]:
    """Return the components of each Referenced File ID (0004,1500) in use."""
    ids = []
    try:
        with open_dicom(path, ("DirectoryRecordSequence",)) as file:
            for record in sequence(get(file.dataset, "DirectoryRecordSequence")):
                # 0: a record that was removed (PS3.3, F.3.2.2).
                if integer(record, "RecordInUseFlag") == 0:
                    continue
                value = sequence(get(record, "ReferencedFileID"))
                if value:
                    ids.append(tuple("/".join(str(part) for part in value).split("/")))
    except UnreadableError:
        return []
    return ids
