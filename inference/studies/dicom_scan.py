"""DICOM headers in, studies and series out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from pydicom.uid import UID

from inference.progress import Progress
from inference.studies.codes import Code
from inference.studies.dicom_groups import Stack, split
from inference.studies.dicom_header import Header, NotAnImageError, read_header, study_uid
from inference.studies.find import UnreadableError
from inference.studies.model import Problem, Series, SliceSource, SourceKind, Study
from inference.studies.uids import derived_uid

__all__ = ["Skipped", "scan_dicom"]


class Skipped:
    """Files that did not become slices, and why."""

    def __init__(self) -> None:
        self.broken: list[tuple[Path, str]] = []
        self.others: Counter[str] = Counter()


def scan_dicom(paths: Sequence[Path], progress: Progress, skipped: Skipped) -> list[Study]:
    """Read headers and group them; what cannot be used is added to `skipped`.

    Raises
    ------
    CancelledError
        When the reader cancelled.
    """
    headers: list[tuple[Path, Header]] = []
    for i, path in enumerate(paths):
        progress.report("Reading headers", i, len(paths))
        try:
            headers.append((path, read_header(path)))
        except NotAnImageError as error:
            skipped.others[str(error)] += 1
        except UnreadableError as error:
            skipped.broken.append((path, str(error)))
    by_study: dict[tuple[str, str], list[tuple[Path, Header]]] = defaultdict(list)
    for path, header in headers:
        by_study[study_uid(path, header), header.patient_id].append((path, header))
    used: Counter[str] = Counter(uid for uid, _ in by_study)
    numbers: Counter[str] = Counter()
    studies = []
    for (uid, _), members in by_study.items():
        numbers[uid] += 1
        studies.append(_study(uid, numbers[uid], used[uid], members))
    return studies


def _series_uid(path: Path, header: Header) -> str:
    return header.series_uid or derived_uid("series", study_uid(path, header), path.parent)


def _study(uid: str, number: int, shared: int, members: list[tuple[Path, Header]]) -> Study:
    by_series: dict[str, list[Header]] = defaultdict(list)
    for path, header in members:
        by_series[_series_uid(path, header)].append(header)
    series = [s for key, headers in by_series.items() for s in _series(key, headers)]
    series.sort(key=lambda s: (s.number is None, s.number or 0, s.uid))
    first = members[0][1]
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
    )


def _series(uid: str, headers: list[Header]) -> list[Series]:
    by_file = {header.frames[0].path: header for header in headers}
    stacks = split(frame for header in headers for frame in header.frames)
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
        description=description,
        slices=tuple(
            SliceSource(f.path, f.index, f.sop_instance_uid, f.sop_class_uid) for f in stack.frames
        ),
        rows=first.rows,
        columns=first.columns,
        number=header.series_number,
        body_part=header.body_part,
        problems=(*stack.problems, *problems),
    )
