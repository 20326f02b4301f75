"""Makes an input that does harm small: fewer changes, then fewer bytes (delta debugging)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.cases import Case, Name, keep, make
from tests.fuzz.supervisor import Outcome, Reader

__all__ = ["shrunk"]


def shrunk(name: Name, found: Outcome, reader: Reader, place: Path, seconds: float) -> Case:
    """Return a smaller input of which the same comes.

    Parameters
    ----------
    name
        The input.
    found
        What came of it.
    reader
        Reads what is tried.
    place
        An empty folder to keep it in.
    seconds
        When to be content with what there is.
    """
    until = time.monotonic() + seconds

    def same(outcome: Outcome) -> bool:
        return (outcome.kind, outcome.signature) == (found.kind, found.signature)

    kept = list(range(len(found.done)))
    for number in reversed(range(len(found.done))):
        fewer = [each for each in kept if each != number]
        if time.monotonic() < until and same(reader.read_named(name, fewer)):
            kept = fewer
    case = make(name, kept).case

    def still(tried: Case) -> bool:
        keep(tried, place)
        return same(reader.read_kept(place))

    if still(case):
        for file in sorted(case.files, key=lambda each: -len(case.files[each])):
            _cut(case, file, still, until)
    return case


def _cut(case: Case, file: str, still: Callable[[Case], bool], until: float) -> None:
    """Take bytes out of one file, in ever smaller parts; or the file itself."""
    whole = case.files.pop(file)
    if len(case.files) and still(case):
        return
    case.files[file] = whole
    size = len(whole) // 2
    while size >= 1:
        at = 0
        while at < len(case.files[file]):
            if time.monotonic() > until:
                return
            before = case.files[file]
            case.files[file] = before[:at] + before[at + size :]
            if not still(case):
                case.files[file] = before
                at += size
        size //= 2
