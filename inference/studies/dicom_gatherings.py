"""Which slices at one place belong together, by what the headers say of their making.

A volume is one reconstruction of one gathering of data. Kernel and stack name the reconstruction;
time, acquisition and the like come one after another, and a new volume begins where they come back
over slices that are there already. Names of files and chance order decide nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.studies.dicom_frame import Frame
from inference.studies.dicom_values import number
from inference.studies.geometry import distances
from inference.studies.limits import SAME_POSITION_MM, SPACING_TOLERANCE_MM

__all__ = ["Gathering", "gatherings", "reconstructions"]

_Key = Callable[[Frame], str]
_Frames = Sequence[Frame]


@dataclass(frozen=True, slots=True)
class Gathering:
    """Frames of one volume, in reading order.

    Parameters
    ----------
    frames
        At least one.
    label
        What tells it from the others, e.g. ``"kernel B30f"``; empty for the only one.
    guessed
        The headers do not tell which frames belong together.
    joined
        How many acquisitions follow one another in it.
    """

    frames: tuple[Frame, ...]
    label: str = ""
    guessed: bool = False
    joined: int = 1


def _kind(frame: Frame) -> str:
    """From the third value on; the first two change when a slice is compressed or sent on."""
    return " ".join(frame.image_type.split(" ")[2:])


def _thickness(frame: Frame) -> str:
    return "" if frame.thickness is None else f"{frame.thickness:.2f} mm"


_RECONSTRUCTION: Final[tuple[tuple[str, _Key], ...]] = (
    ("kernel", lambda f: f.kernel),
    ("stack", lambda f: f.stack),
)
"""Each value is a volume of its own (DICOM PS3.3, C.8.2.1, C.7.6.16.2.2)."""

_PASSES: Final[tuple[tuple[str, _Key], ...]] = (
    ("time", lambda f: f.temporal),
    ("phase", lambda f: f.phase),
    ("acquisition", lambda f: f.acquisition),
)
"""Numbers in order; several that follow one another along the patient may be one volume: a table
that stops and goes acquires every slice by itself."""

_HINTS: Final[tuple[tuple[str, _Key, bool], ...]] = (
    ("kind", _kind, False),
    ("thickness", _thickness, False),
    ("kV", lambda f: f.voltage, False),
    ("acquired", lambda f: f.acquired, True),
    ("written", lambda f: f.created, True),
    ("type", lambda f: f.image_type, False),
    ("compression", lambda f: "lossy" if f.lossy else "lossless", False),
)
"""Name, value, and whether it is a time; taken only where they settle what is one volume twice."""

_GAP: Final = 1.5
"""Steps that slices of one pass may lie apart, with none between them."""

_STACK: Final = 3
"""Slices of which it can be said that they are evenly spaced."""


def gatherings(frames: list[Frame]) -> list[Gathering]:
    """Split frames of one orientation, all with a position, into volumes.

    Parameters
    ----------
    frames
        At least one, of any order.
    """
    parts = [Gathering(tuple(_in_order(frames)))]
    for word, key in _RECONSTRUCTION:
        parts = [new for part in parts for new in _by_value(part, word, key)]
    for word, key in _PASSES:
        parts = [new for part in parts for new in _by_pass(part, word, key)]
    for word, key, is_time in _HINTS:
        parts = [new for part in parts for new in _by_hint(part, word, key, is_time)]
    return [new for part in parts for new in _by_instance(part)]


def reconstructions(frames: list[Frame]) -> list[tuple[str, list[Frame]]]:
    """Split frames without positions by what alone tells volumes then; labels and frames."""
    parts: list[tuple[str, list[Frame]]] = [("", frames)]
    for word, key in (*_RECONSTRUCTION, _PASSES[0]):
        new = []
        for label, members in parts:
            groups = _values(members, key)
            # A value of one slice alone is that of the slice.
            if len(groups) == 1 or not all(name and len(group) > 1 for name, group in groups):
                new.append((label, members))
                continue
            new += [(f"{label} · {word} {name}".strip(" ·"), group) for name, group in groups]
        parts = new
    return parts


def _along(frames: _Frames) -> NDArray[np.float64]:
    positions = [frame.position for frame in frames if frame.position is not None]
    return distances(positions, frames[0].orientation or ())


def _in_order(frames: _Frames) -> list[Frame]:
    along = _along(frames)
    order = sorted(range(len(frames)), key=lambda i: (along[i], str(frames[i].path), i))
    return [frames[i] for i in order]


def _depth(frames: _Frames) -> int:
    """Return the most frames at one place."""
    along = np.sort(_along(frames))
    place = np.concatenate([[0], np.cumsum(np.diff(along) >= SAME_POSITION_MM)])
    return int(np.bincount(place).max())


def _collides(frames: _Frames) -> bool:
    return _depth(frames) > 1


def _values(frames: _Frames, key: _Key) -> list[tuple[str, list[Frame]]]:
    """Group by a value, in the order of numbers, then of words; what is not said comes first."""
    groups: dict[str, list[Frame]] = defaultdict(list)
    for frame in frames:
        groups[key(frame)].append(frame)
    return sorted(groups.items(), key=lambda item: (number(item[0]) or 0.0, item[0]))


def _named(part: Gathering, word: str, name: str, frames: _Frames, joined: int = 1) -> Gathering:
    label = f"{word} {name or 'not given'}"
    label = f"{part.label} · {label}" if part.label else label
    return Gathering(tuple(_in_order(frames)), label, part.guessed, joined)


def _by_value(part: Gathering, word: str, key: _Key) -> list[Gathering]:
    """Split by a value; slices that lost it stay with the only others if there is room."""
    groups = _values(part.frames, key)
    if len(groups) == 1:
        return [part]
    if len(groups) == 2 and not groups[0][0] and not _collides(part.frames):
        return [part]
    return [_named(part, word, name, members) for name, members in groups]


def _by_pass(part: Gathering, word: str, key: _Key) -> list[Gathering]:
    """Begin a new volume with the number at which slices come back over those of the one before."""
    groups = _values(part.frames, key)
    if len(groups) == 1 or (len(groups) == 2 and not groups[0][0] and not _collides(part.frames)):
        return [part]
    runs = _runs(groups)
    if len(runs) == 1:
        return [replace(part, joined=max(part.joined, len(groups)))]
    depth = _depth(part.frames)
    stacks = all(
        len(members) >= _STACK and not _collides(members) and _even(members) for _, members in runs
    )
    # More runs than there are slices at a place: numbers in no order along the patient.
    if not stacks and (depth == 1 or len(runs) > depth):
        return [part]
    return [
        _named(part, word, names[0] if len(names) == 1 else f"{names[0]}-{names[-1]}", members,
               len(names))
        for names, members in runs
    ]  # fmt: skip


def _runs(groups: Sequence[tuple[str, _Frames]]) -> list[tuple[list[str], list[Frame]]]:
    everyone = [frame for _, members in groups for frame in members]
    along = iter(_along(everyone).tolist())
    runs: list[tuple[list[str], list[Frame]]] = []
    taken: list[float] = []
    for name, members in groups:
        places = sorted(islice(along, len(members)))
        beyond = bool(runs) and places[0] > taken[-1] + SAME_POSITION_MM
        if runs and (beyond or not (_comes_back(taken, places) or _comes_back(places, taken))):
            runs[-1][0].append(name)
            runs[-1][1].extend(members)
            taken.extend(places)
            if not beyond:
                taken.sort()
        else:
            runs.append(([name], list(members)))
            taken = places
    return runs


def _comes_back(taken: list[float], places: list[float]) -> bool:
    """Say whether a place lies at one that is taken, or where its neighbours leave no gap.

    A gap is wider than the usual step: a table that waits for heart beats fills it later.
    """
    if places[-1] < taken[0] - SAME_POSITION_MM or places[0] > taken[-1] + SAME_POSITION_MM:
        return False
    there, asked = np.asarray(taken), np.asarray(places)
    steps = np.diff(there)
    widest = _GAP * float(np.median(steps)) if steps.size else 0.0
    after = np.searchsorted(there, asked)
    below = there[np.maximum(after - 1, 0)]
    above = there[np.minimum(after, there.size - 1)]
    at = np.minimum(np.abs(asked - below), np.abs(above - asked)) < SAME_POSITION_MM
    between = (after > 0) & (after < there.size) & (above - below <= widest)
    return bool((at | between).any())


def _by_hint(part: Gathering, word: str, key: _Key, is_time: bool) -> list[Gathering]:
    """Split by a value where fewer slices then share a place, or uneven ones become even."""
    depth = _depth(part.frames)
    if depth == 1 and _even(part.frames):
        return [part]
    groups = _values(part.frames, key)
    if is_time:
        groups = [(names[0], members) for names, members in _runs(groups)]
    if len(groups) == 1:
        return [part]
    apart = [members for _, members in groups]
    if depth > 1:
        settles = len(groups) <= depth and all(_depth(members) < depth for members in apart)
    else:
        stacks = all(len(members) >= _STACK for members in apart)
        settles = stacks and not _even(part.frames) and all(map(_even, apart))
    if not settles:
        return [part]
    return [_named(part, word, name, members) for name, members in groups]


def _even(frames: _Frames) -> bool:
    """Whether all lie on one grid; places of it may be empty."""
    steps = np.diff(np.sort(_along(frames)))
    usual = float(np.median(steps)) if steps.size else 0.0
    if usual < SAME_POSITION_MM:
        return steps.size == 0
    return bool((np.abs(steps - np.rint(steps / usual) * usual) <= SPACING_TOLERANCE_MM).all())


def _by_instance(part: Gathering) -> list[Gathering]:
    """Split what still collides: by numbers that run once along each volume, else by chance."""
    if not _collides(part.frames):
        return [part]
    numbers = [frame.instance for frame in part.frames]
    if None not in numbers and len(set(numbers)) == len(numbers):
        runs = _by_pass(part, "instances", lambda f: str(f.instance))
        sizes = {len(run.frames) for run in runs}
        if len(sizes) == 1 and not any(_collides(run.frames) for run in runs):
            return [replace(run, guessed=True) for run in runs]
    along = _along(part.frames)
    place = np.concatenate([[0], np.cumsum(np.diff(along) >= SAME_POSITION_MM)])
    parts: list[list[Frame]] = []
    for p in np.unique(place):
        here = [frame for q, frame in zip(place, part.frames, strict=True) if q == p]
        here.sort(key=lambda f: (f.instance or 0, str(f.path), f.index))
        for k, frame in enumerate(here):
            if k == len(parts):
                parts.append([])
            parts[k].append(frame)
    named = [_named(part, "part", str(k), members) for k, members in enumerate(parts, 1)]
    return [replace(each, guessed=True) for each in named]
