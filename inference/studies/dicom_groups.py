"""Split the frames of one DICOM series into stacks that are one volume each, in reading order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.studies.codes import Code
from inference.studies.dicom_file import pixel_digest
from inference.studies.dicom_header import Frame
from inference.studies.dicom_values import number
from inference.studies.geometry import distances
from inference.studies.limits import ORIENTATION_TOLERANCE, SAME_POSITION_MM
from inference.studies.model import Problem

__all__ = ["Stack", "split"]

_PARTITIONS: Final[tuple[tuple[Code, str, Callable[[Frame], object]], ...]] = (
    (Code.MIXED_KIND, "localizers and other pictures", lambda f: f.localizer),
    (Code.MIXED_KIND, "grey and colour pictures", lambda f: (f.colour, f.inverted)),
    (Code.MIXED_SIZE, "several picture sizes", lambda f: (f.rows, f.columns)),
    (
        Code.MIXED_SIZE,
        "several pixel spacings",
        lambda f: f.spacing and tuple(round(s, 3) for s in f.spacing),
    ),
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
    frames: Iterable[Frame], digest: Callable[[Path], str] = pixel_digest
) -> tuple[Stack, ...]:
    """Split the frames of one series into stacks, the largest first.

    Parameters
    ----------
    frames
        All frames with one Series Instance UID, in any order; at least one.
    digest
        Tells pixels of files apart.
    """
    kept, shared = _drop_copies(list(frames), digest)
    groups = [kept]
    for code, what, key in _PARTITIONS:
        groups = _part(groups, key, code, what, shared)
    parts = [part for group in groups for part in _by_orientation(group)]
    if len(parts) > len(groups):
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
    """Leave out frames that are at one place and have the same pixels; names decide nothing."""
    places: dict[object, list[Frame]] = defaultdict(list)
    for frame in sorted(frames, key=lambda f: (str(f.path), f.index)):
        place = frame.position if frame.position is not None else frame.sop_instance_uid
        places[(place, frame.orientation, frame.index, frame.rows, frame.columns)].append(frame)
    kept: list[Frame] = []
    copies: list[Frame] = []
    for group in places.values():
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


def _by_orientation(frames: list[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if _same_orientation(frame.orientation, group[0].orientation):
                group.append(frame)
                break
        else:
            groups.append([frame])
    return groups


def _same_orientation(a: tuple[float, ...] | None, b: tuple[float, ...] | None) -> bool:
    if a is None or b is None:
        return a is b
    return all(abs(x - y) <= ORIENTATION_TOLERANCE for x, y in zip(a, b, strict=True))


def _ordered(frames: list[Frame]) -> list[_Ordered]:
    first = frames[0]
    if first.position is not None and first.orientation is not None:
        return _by_position(frames)
    stacked = first.modality == "CT" and not first.secondary_capture
    if stacked or len({frame.path for frame in frames}) == 1:
        problems = []
        if len(frames) > 1:
            problems.append(
                Problem(
                    Code.NO_POSITION,
                    "The slices do not say where they lie, so their order is a guess and "
                    "distances across slices are unknown.",
                )
            )
        guess = sorted(frames, key=lambda f: (f.location or 0.0, f.instance, f.index, str(f.path)))
        return [(guess, problems, "")]
    by_file: dict[object, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_file[frame.path].append(frame)
    problem = Problem(
        Code.SEPARATE_IMAGES,
        f"The series held {len(by_file)} separate pictures; each was made a series of its own.",
    )
    return [(sorted(part, key=lambda f: f.index), [problem], "") for part in by_file.values()]


def _by_position(frames: list[Frame]) -> list[_Ordered]:
    positions = [frame.position for frame in frames if frame.position is not None]
    along = distances(positions, frames[0].orientation or ())
    order = sorted(range(len(frames)), key=lambda i: (along[i], str(frames[i].path)))
    ordered, along = [frames[i] for i in order], along[order]
    collide = np.diff(along) < SAME_POSITION_MM
    if not collide.any():
        return [(ordered, [], "")]
    parts = _separate(ordered, along)
    problem = Problem(
        Code.SAME_POSITION,
        f"Different slices lie at the same position {int(collide.sum())} times; the series was "
        f"split into {len(parts)}.",
        tuple(frame.path for frame, hit in zip(ordered[1:], collide, strict=True) if hit),
    )
    return [(part, [problem], label) for label, part in parts]


def _separate(ordered: list[Frame], along: NDArray[np.float64]) -> list[tuple[str, list[Frame]]]:
    """Split slices that share positions: by time or acquisition, else one after the other."""
    place = np.concatenate([[0], np.cumsum(np.diff(along) >= SAME_POSITION_MM)])
    keys: tuple[tuple[str, Callable[[Frame], str]], ...] = (
        ("time", lambda f: f.temporal),
        ("acquisition", lambda f: f.acquisition),
    )
    for word, key in keys:
        seen = {(int(p), key(frame)) for p, frame in zip(place, ordered, strict=True)}
        if len(seen) == len(ordered):
            groups: dict[str, list[Frame]] = defaultdict(list)
            for frame in ordered:
                groups[key(frame)].append(frame)
            named = sorted(groups.items(), key=lambda item: (number(item[0]) or 0.0, item[0]))
            return [(f"{word} {name or 'not given'}", group) for name, group in named]
    parts: list[list[Frame]] = []
    for p in np.unique(place):
        here = [frame for q, frame in zip(place, ordered, strict=True) if q == p]
        for k, frame in enumerate(sorted(here, key=lambda f: (f.instance, str(f.path), f.index))):
            if k == len(parts):
                parts.append([])
            parts[k].append(frame)
    return [(f"part {k}", part) for k, part in enumerate(parts, 1)]


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
