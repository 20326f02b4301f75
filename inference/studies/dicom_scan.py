"""DICOM headers in, studies and series out, while they are being read."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from pydicom.uid import UID

from inference.errors import CancelledError
from inference.progress import Progress
from inference.studies import elsewhere
from inference.studies.codes import Code
from inference.studies.dicom_groups import Stack, split
from inference.studies.dicom_header import Header, NotAnImageError, study_uid
from inference.studies.dicom_read import read_headers
from inference.studies.find import UnreadableError
from inference.studies.index import Index
from inference.studies.model import Found, Problem, Series, SourceKind, Study
from inference.studies.uids import derived_uid
from inference.studies.unpacked import origin

__all__ = ["Skipped", "scan_dicom"]

_Said = TypeVar("_Said", float | None, str)

_REPORT_SECONDS: Final = 0.5
"""Least time between two reports of what has been found."""

_CANCELLED: Final = Problem(
    Code.SCAN_CANCELLED,
    "Reading was cancelled before all files were known, so that slices of this series may be "
    "missing.",
)


class Skipped:
    """Files that did not become slices, and why."""

    def __init__(self) -> None:
        self.broken: list[tuple[Path, str]] = []
        self.others: Counter[str] = Counter()


@dataclass(slots=True)
class _Members:
    """The files of one series, and what was made of them when they were so many."""

    headers: list[Header] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)
    made: tuple[Series, ...] = ()
    made_of: int = 0


class _Shelf:
    """Sorts headers into studies and series as they come.

    Parameters
    ----------
    digest
        Tells pixels of files apart.
    """

    def __init__(self, digest: Callable[[Path], str]) -> None:
        self._digest = digest
        self._studies: dict[tuple[str, str], dict[str, _Members]] = defaultdict(dict)

    def add(self, path: Path, header: Header) -> None:
        """Take one more file."""
        study = study_uid(path, header)
        uid = header.series_uid or derived_uid("series", study, origin(path).parent)
        members = self._studies[study, header.patient_id].setdefault(uid, _Members())
        members.headers.append(header)
        members.folders.add(path.parent)

    def studies(self, unread: Counter[Path], doubt: Problem | None = None) -> list[Study]:
        """Return the studies as far as they are known.

        Parameters
        ----------
        unread
            How many files of each folder have not been read. A series is known when all folders
            that hold some of it have been read.
        doubt
            Said of the other series; None to leave them out.
        """
        used: Counter[str] = Counter(uid for uid, _ in self._studies)
        numbers: Counter[str] = Counter()
        studies = []
        for (uid, _), by_series in self._studies.items():
            numbers[uid] += 1
            series: list[Series] = []
            for series_uid, members in by_series.items():
                if not any(unread[folder] for folder in members.folders):
                    series += self._series(series_uid, members)
                elif doubt is not None:
                    series += [
                        replace(each, problems=(*each.problems, doubt))
                        for each in self._series(series_uid, members)
                    ]
            if series:
                first = next(iter(by_series.values())).headers[0]
                studies.append(_study(uid, numbers[uid], used[uid], first, series))
        return studies

    def _series(self, uid: str, members: _Members) -> tuple[Series, ...]:
        if members.made_of != len(members.headers):
            members.made = tuple(_split(uid, members.headers, self._digest))
            members.made_of = len(members.headers)
        return members.made


def scan_dicom(
    paths: Sequence[Path],
    progress: Progress,
    skipped: Skipped,
    index: Index,
    found: Callable[[Found], None] | None = None,
) -> list[Study]:
    """Read headers and group them; what cannot be used is added to `skipped`.

    Parameters
    ----------
    paths
        The files, folder by folder.
    progress
        Where to report, and how to be cancelled.
    skipped
        Receives what cannot be used.
    index
        Knows files that were read before.
    found
        Is told what is known whenever a folder has been read; and, when the scan is cancelled, all
        that had been read, with a doubt about series that may lack slices.

    Raises
    ------
    CancelledError
        When the reader cancelled.
    """

    cancelled = False

    def digest(path: Path) -> str:
        if cancelled:
            # Whoever cancels does not wait for pixels: slices at one place then count as different.
            return str(path)
        progress.report("Comparing slices", 0, 0)
        return index.digest(path)

    shelf = _Shelf(digest)
    unread: Counter[Path] = Counter(path.parent for path in paths)
    told = time.monotonic() - _REPORT_SECONDS
    done = 0
    try:
        for path, said in read_headers(paths, index):
            progress.report("Reading headers", done, len(paths))
            done += 1
            unread[path.parent] -= 1
            if isinstance(said, NotAnImageError):
                skipped.others[str(said)] += 1
            elif isinstance(said, UnreadableError):
                skipped.broken.append((path, str(said)))
            else:
                shelf.add(path, said)
                _expect(said)
            now = time.monotonic()
            if found is not None and not unread[path.parent] and now - told >= _REPORT_SECONDS:
                found(Found(tuple(shelf.studies(unread)), done, len(paths)))
                told = time.monotonic()
        return shelf.studies(Counter())
    except CancelledError:
        cancelled = True
        if found is not None:
            found(Found(tuple(shelf.studies(unread, _CANCELLED)), done, len(paths)))
        raise


def _expect(header: Header) -> None:
    """Have a process come for pixels that will have to be decoded, if there is none yet."""
    frame = header.frames[0]
    there = elsewhere.current()
    # Colour and floats are seldom compressed where they are not plain.
    if there is not None and frame.offset is None and not frame.colour and not frame.floating:
        there.expect("inference.studies.dicom_decode")


def _study(uid: str, number: int, shared: int, first: Header, series: list[Series]) -> Study:
    series.sort(key=lambda s: (s.number is None, s.number or 0, s.uid))
    problems: tuple[Problem, ...] = ()
    if shared > 1:
        problems = (
            Problem(
                Code.PATIENT_MISMATCH,
                f"One study UID is used for {shared} different patient IDs; they were kept apart.",
            ),
        )
    return Study(
        uid=uid if number == 1 else f"{uid}#{number}",
        description=first.study_description,
        date=first.study_date,
        patient_name=first.patient_name,
        patient_id=first.patient_id,
        series=tuple(series),
        problems=problems,
        time=first.study_time,
        patient_sex=first.patient_sex,
        patient_age=first.patient_age,
    )


def _split(uid: str, headers: list[Header], digest: Callable[[Path], str]) -> list[Series]:
    by_file = {header.frames[0].path: header for header in headers}
    stacks = split((frame for header in headers for frame in header.frames), digest)
    problems: tuple[Problem, ...] = ()
    if not UID(uid).is_valid or not all(
        UID(frame.sop_instance_uid).is_valid for stack in stacks for frame in stack.frames
    ):
        problems = (
            Problem(
                Code.INVALID_UID,
                "UIDs of this series break the rules of DICOM, so that other software may refuse "
                "what refers to them.",
            ),
        )
    return [
        _one(uid, number, stack, by_file[stack.frames[0].path], problems)
        for number, stack in enumerate(stacks, 1)
    ]


def _one(
    uid: str, number: int, stack: Stack, header: Header, problems: tuple[Problem, ...]
) -> Series:
    first = stack.frames[0]
    description = " ".join(part for part in (header.series_description, header.view) if part)
    return Series(
        # "#" cannot occur in a UID: a part of a split series is never taken for the real one.
        uid=uid if number == 1 else f"{uid}#{number}",
        kind=SourceKind.DICOM,
        modality=first.modality,
        # The label first: in a narrow list the end is cut off.
        description=" · ".join(part for part in (stack.label, description) if part),
        slices=tuple(frame.source for frame in stack.frames),
        rows=first.rows,
        columns=first.columns,
        number=header.series_number,
        body_part=header.body_part,
        problems=(*stack.problems, *problems),
        thickness=_the_one({frame.thickness for frame in stack.frames}),
        kernel=_the_one({frame.kernel for frame in stack.frames}) or "",
        institution=header.institution,
    )


def _the_one(said: set[_Said]) -> _Said | None:
    """What all frames say alike; None where they do not."""
    return next(iter(said)) if len(said) == 1 else None
