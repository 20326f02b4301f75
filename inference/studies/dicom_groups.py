"""Split the frames of one DICOM series into stacks that are one volume each, in reading order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from inference.studies.codes import Code
from inference.studies.dicom_decode import values_digest
from inference.studies.dicom_frame import Frame
from inference.studies.dicom_gatherings import Gathering, gatherings, reconstructions
from inference.studies.geometry import distances
from inference.studies.limits import ORIENTATION_TOLERANCE, SAME_PIXEL_MM, SAME_POSITION_MM
from inference.studies.model import Problem

__all__ = ["Stack", "split"]

_PARTITIONS: Final[tuple[tuple[Code, str, Callable[[Frame], object]], ...]] = (
    (Code.MIXED_KIND, "localizers and other pictures", lambda f: f.localizer),
    (Code.MIXED_KIND, "grey and colour pictures", lambda f: (f.colour, f.inverted)),
    (Code.MIXED_SIZE, "several picture sizes", lambda f: (f.rows, f.columns)),
    (
        Code.MIXED_FRAME_OF_REFERENCE,
        "several frames of reference",
        lambda f: f.frame_of_reference,
    ),
    (Code.MIXED_ECHO, "several echoes", lambda f: f.echo),
    (
        Code.NO_POSITION,
        "slices with and without a position",
        lambda f: f.position is not None and f.orientation is not None,
    ),
)
"""What must be equal within one volume, and how to say that it is not."""


_Ordered = tuple[list[Frame], list[Problem], str]
"""Frames in reading order, what is doubtful, and which of several they are."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames of one volume, in reading order.

    Parameters
    ----------
    frames
        At least one.
    problems
        How they came to be one volume.
    label
        Which of several at one place they are, e.g. ``"time 2"``; empty for the only one.
    turn
        Where it stands among these, from 0.
    """

    frames: tuple[Frame, ...]
    problems: tuple[Problem, ...]
    label: str = ""
    turn: int = 0


def split(
    frames: Iterable[Frame], digest: Callable[[Path], str] = values_digest
) -> tuple[Stack, ...]:
    """Split the frames of one series into stacks, the largest first.

    Parameters
    ----------
    frames
        All frames with one Series Instance UID, in any order; at least one.
    digest
        Tells values of files apart.
    """
    kept, shared = _drop_copies(list(frames), digest)
    groups = [kept]
    for code, what, key in _PARTITIONS:
        groups = _part(groups, key, code, what, shared)
    spaced = [part for group in groups for part in _alike(group, _same_spacing)]
    if len(spaced) > len(groups):
        shared.append(_split_problem(Code.MIXED_SIZE, "several pixel spacings"))
    parts = [part for group in spaced for part in _alike(group, _same_orientation)]
    if len(parts) > len(spaced):
        shared.append(_split_problem(Code.MIXED_ORIENTATION, "several orientations"))
    stacks: list[Stack] = []
    for part in parts:
        for turn, (ordered, problems, label) in enumerate(_ordered(part)):
            doubts = (*shared, *problems, *_identity(ordered))
            stacks.append(Stack(tuple(ordered), doubts, label, turn))
    # A stable order, whatever the order of the files.
    stacks.sort(
        key=lambda s: (-len(s.frames), s.frames[0].localizer, s.turn, str(s.frames[0].path))
    )
    return tuple(stacks)


def _split_problem(code: Code, what: str) -> Problem:
    return Problem(code, f"The series held {what}; each was made a series of its own.")


def _part(
    groups: list[list[Frame]],
    key: Callable[[Frame], object],
    code: Code,
    what: str,
    problems: list[Problem],
) -> list[list[Frame]]:
    parts: list[list[Frame]] = []
    for group in groups:
        by_key: dict[object, list[Frame]] = defaultdict(list)
        for frame in group:
            by_key[key(frame)].append(frame)
        parts.extend(by_key.values())
    problem = _split_problem(code, what)
    if len(parts) > len(groups) and problem not in problems:
        problems.append(problem)
    return parts


def _drop_copies(
    frames: list[Frame], digest_of: Callable[[Path], str]
) -> tuple[list[Frame], list[Problem]]:
    """Leave out frames that are one instance, by UID, place and values; names decide nothing."""
    instances: dict[object, list[Frame]] = defaultdict(list)
    for frame in sorted(frames, key=lambda f: (str(f.path), f.index)):
        # Where nothing names an instance all that is said of its making must be the same.
        name: object = frame.sop_instance_uid or (
            frame.instance, frame.acquisition, frame.temporal, frame.kernel, frame.image_type,
            frame.acquired,
        )  # fmt: skip
        size = (frame.index, frame.rows, frame.columns)
        instances[(name, frame.position, frame.orientation, size)].append(frame)
    kept: list[Frame] = []
    copies: list[Frame] = []
    for group in instances.values():
        digests: set[str] = set()
        for frame in group:
            digest = digest_of(frame.path) if len(group) > 1 else ""
            (copies if digest in digests else kept).append(frame)
            digests.add(digest)
    if not copies:
        return kept, []
    what = "copy of a slice was" if len(copies) == 1 else "copies of slices were"
    problem = Problem(
        Code.DUPLICATE_SLICES,
        f"{len(copies)} identical {what} left out.",
        tuple(frame.path for frame in copies),
    )
    return kept, [problem]


def _alike(frames: list[Frame], same: Callable[[Frame, Frame], bool]) -> list[list[Frame]]:
    """Group frames that are the same but for rounding, in an order that files do not decide."""
    groups: list[list[Frame]] = []
    for frame in sorted(frames, key=lambda f: (f.spacing or (), str(f.path), f.index)):
        for group in groups:
            if same(frame, group[0]):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _same_spacing(a: Frame, b: Frame) -> bool:
    """Whether the furthest pixels lie at the same place, whatever the last digits are."""
    if a.spacing is None or b.spacing is None:
        return a.spacing is b.spacing and a.aspect == b.aspect
    sides = (a.rows, a.columns)
    apart = (abs(x - y) * n for x, y, n in zip(a.spacing, b.spacing, sides, strict=True))
    return a.plane == b.plane and max(apart) <= SAME_PIXEL_MM


def _same_orientation(one: Frame, other: Frame) -> bool:
    a, b = one.orientation, other.orientation
    if a is None or b is None:
        return a is b
    return all(abs(x - y) <= ORIENTATION_TOLERANCE for x, y in zip(a, b, strict=True))


def _ordered(frames: list[Frame]) -> list[_Ordered]:
    first = frames[0]
    if first.position is not None and first.orientation is not None:
        return _by_position(frames)
    stacked = first.modality == "CT" and not first.secondary_capture
    if stacked or _is_one_file(frames):
        return [_unplaced(part, label) for label, part in reconstructions(frames)]
    by_file: dict[object, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_file[frame.path].append(frame)
    problem = Problem(
        Code.SEPARATE_IMAGES,
        f"The series held {len(by_file)} separate pictures; each was made a series of its own.",
    )
    return [(sorted(part, key=lambda f: f.index), [problem], "") for part in by_file.values()]


def _by_position(frames: list[Frame]) -> list[_Ordered]:
    parts = gatherings(frames)
    problems = []
    positions = [frame.position for frame in frames if frame.position is not None]
    along = distances(positions, frames[0].orientation or ())
    order = sorted(range(len(frames)), key=lambda i: (along[i], str(frames[i].path)))
    collide = np.diff(along[order]) < SAME_POSITION_MM
    if collide.any():
        doubt = (
            "; its headers do not say which slices belong together, so that one part may hold "
            "slices of several"
            if any(part.guessed for part in parts)
            else ""
        )
        problems.append(
            Problem(
                Code.SAME_POSITION,
                f"Different slices lie at the same position {int(collide.sum())} times; the series "
                f"was split into {len(parts)}{doubt}.",
                tuple(frames[i].path for i, hit in zip(order[1:], collide, strict=True) if hit),
            )
        )
    elif len(parts) > 1:
        what = "several acquisitions or reconstructions of one part of the body"
        problems.append(_split_problem(Code.MIXED_GATHERING, what))
    return [(list(part.frames), [*problems, *_joined(part)], part.label) for part in parts]


def _joined(part: Gathering) -> list[Problem]:
    """Say that acquisitions were put together, unless each slice is one, as with a stepping table.

    They do not overlap, so that every slice is where it belongs.
    """
    if not 1 < part.joined < len(part.frames):
        return []
    return [
        Problem(
            Code.JOINED_ACQUISITIONS,
            f"The slices are of {part.joined} acquisitions that follow one another along the "
            "patient, put together as one volume.",
        )
    ]


def _unplaced(frames: list[Frame], label: str) -> _Ordered:
    """Order slices without a position by what all of them have; what is absent is not 0."""
    locations = {frame.location for frame in frames}
    numbers = {frame.instance for frame in frames}
    if None not in locations and len(locations) == len(frames):
        what = "Slice Locations"
        ordered = sorted(frames, key=lambda f: f.location or 0.0)
    elif None not in numbers and (len(numbers) == len(frames) or _is_one_file(frames)):
        what = "Instance Numbers"
        ordered = sorted(frames, key=lambda f: (_instance(f), f.index))
    else:
        what = "file names"
        ordered = sorted(frames, key=lambda f: (str(f.path), f.index))
    if _is_one_file(frames):
        what = "places in the file"
    problem = Problem(
        Code.NO_POSITION,
        f"The slices do not say where they lie, so their order, that of their {what}, is a guess "
        "and distances across slices are unknown.",
    )
    return ordered, [problem] if len(frames) > 1 else [], label


def _is_one_file(frames: list[Frame]) -> bool:
    return len({frame.path for frame in frames}) == 1


def _instance(frame: Frame) -> int:
    """Order only: a file without a number comes with those before the first."""
    return frame.instance or 0


def _identity(frames: list[Frame]) -> list[Problem]:
    problems: list[Problem] = []
    if frames[0].localizer:
        problems.append(
            Problem(Code.LOCALIZER, "This is a localizer (scout), an overview not to be analysed.")
        )
    files: dict[str, set[str]] = defaultdict(set)
    for frame in frames:
        files[frame.sop_instance_uid].add(str(frame.path))
    missing = len(files.pop("", ()))
    if missing:
        problems.append(
            Problem(
                Code.MISSING_UID,
                f"{missing} of {len(frames)} slices have no SOP Instance UID, so that a DICOM "
                "segmentation cannot refer to them.",
            )
        )
    shared = sum(len(paths) for paths in files.values() if len(paths) > 1)
    if shared:
        problems.append(
            Problem(
                Code.DUPLICATE_UID,
                f"{shared} different slices share SOP Instance UIDs, so that a DICOM segmentation "
                "cannot refer to them.",
            )
        )
    return problems
