"""Values out of DICOM data sets, tolerant: what is absent, empty or malformed is None."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

__all__ = [
    "FrameLookup",
    "age_between",
    "direction_cosines",
    "floats",
    "get",
    "integer",
    "number",
    "photometric",
    "positive",
    "printable",
    "sequence",
    "text",
]

_IN_MONTHS: Final = 24
_MOST_SKEW: Final = 0.5
"""Cosine of the angle between rows and columns from which on they are taken for nonsense."""
_COMMA: Final = re.compile(r"\s*[+-]?(?:0*,\d+|\d+,(?:\d{1,2}|\d{4,}))\s*")
"""A decimal comma, which DICOM does not know (PS3.5, 6.2: DS). Three digits after other than 0 may
as well be thousands, and are not guessed at."""
_OLDEST_MONTHS: Final = 130 * 12


class FrameLookup:
    """Finds an attribute in the functional groups of a frame, else at the top (PS3.3 C.7.6.16)."""

    def __init__(self, ds: Dataset, index: int) -> None:
        self._levels: list[Dataset] = []
        per_frame = get(ds, "PerFrameFunctionalGroupsSequence")
        shared = get(ds, "SharedFunctionalGroupsSequence")
        if per_frame is not None and index < len(per_frame):
            self._levels.append(per_frame[index])
        if shared:
            self._levels.append(shared[0])
        self._top = ds

    def __call__(self, group: str, keyword: str) -> Any:
        for level in self._levels:
            items = get(level, group)
            if items and not isinstance(items, str | bytes) and keyword in items[0]:
                return get(items[0], keyword)
        return get(self._top, keyword)


def get(ds: Dataset, keyword: str) -> Any:
    """Return a value, or None when it is absent, empty or cannot be parsed."""
    tag = _tag(keyword)
    try:
        return ds[tag].value if tag in ds else None
    except Exception:  # noqa: BLE001 - a malformed value raises nearly anything
        return None


@cache
def _tag(keyword: str) -> BaseTag:
    """Look a keyword up once: headers are read by the thousand."""
    return Tag(keyword)


def text(ds: Dataset, keyword: str) -> str:
    """Return a value as one line of printable text, "" for None."""
    value = get(ds, keyword)
    return "" if value is None else printable(str(value))


def printable(value: str) -> str:
    """Return text without what damaged files put into it: control characters and line ends."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def age_between(birth: str, day: str) -> str:
    """Return the age on a day as DICOM writes it (PS3.5, 6.2: AS): years, months before the third.

    Parameters
    ----------
    birth, day
        DICOM dates, YYYYMMDD; where one is missing or no date the age is not known.

    Examples
    --------
    >>> age_between("19750313", "20200312"), age_between("", "20200312")
    ('044Y', '')
    """
    try:
        born, then = (date(int(d[:4]), int(d[4:6]), int(d[6:8])) for d in (birth, day))
    except ValueError:
        return ""
    months = 12 * (then.year - born.year) + then.month - born.month - (then.day < born.day)
    if not 0 <= months < _OLDEST_MONTHS:
        return ""
    return f"{months:03d}M" if months < _IN_MONTHS else f"{months // 12:03d}Y"


def photometric(ds: Dataset) -> str:
    """Return the photometric interpretation in capitals."""
    return text(ds, "PhotometricInterpretation").upper()


def number(value: Any) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, str) and _COMMA.fullmatch(value):
        value = value.replace(",", ".")
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def positive(value: Any) -> float | None:
    """Return a finite number above zero, or None."""
    result = number(value)
    return result if result is not None and result > 0 else None


def integer(ds: Dataset, keyword: str) -> int | None:
    """Return a value as a whole number, or None."""
    result = number(get(ds, keyword))
    return None if result is None else int(result)


def sequence(value: Any) -> Sequence[Any]:
    """Return a value of any multiplicity as a sequence; empty for None."""
    if value is None or value == "":
        return ()
    return value if not isinstance(value, str | bytes) and hasattr(value, "__len__") else (value,)


def floats(value: Any, length: int) -> tuple[float, ...] | None:
    """Return exactly that many finite numbers, or None."""
    numbers = [number(item) for item in sequence(value)]
    finite = tuple(item for item in numbers if item is not None)
    return finite if len(finite) == len(numbers) == length else None


def direction_cosines(value: Any) -> tuple[float, ...] | None:
    """Return six direction cosines of unit length, or None when they span no plane.

    An angle that is no right one is kept: positions follow from it all the same (PS3.3,
    C.7.6.2.1.1).
    """
    numbers = floats(value, 6)
    if numbers is None:
        return None
    lengths = math.hypot(*numbers[:3]), math.hypot(*numbers[3:])
    if not all(0.9 < length < 1.1 for length in lengths):
        return None
    row = tuple(item / lengths[0] for item in numbers[:3])
    column = tuple(item / lengths[1] for item in numbers[3:])
    dot = sum(a * b for a, b in zip(row, column, strict=True))
    return row + column if abs(dot) < _MOST_SKEW else None
