"""Times that others have published, from one resources file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["PublishedTime", "load_published_times"]


@dataclass(frozen=True, slots=True)
class PublishedTime:
    """How long a case takes, according to a publication.

    Parameters
    ----------
    name
        What takes so long.
    seconds
        How long, > 0.
    hardware
        On what it was measured.
    what
        What is included.
    source
        The publication.
    """

    name: str
    seconds: float
    hardware: str
    what: str
    source: str


@cache
def load_published_times() -> tuple[PublishedTime, ...]:
    """Return the times of ``resources/published_times.json``, slowest first."""
    text = (files("resources") / "published_times.json").read_text(encoding="utf-8")
    times = (PublishedTime(**entry) for entry in json.loads(text)["times"])
    return tuple(sorted(times, key=lambda time: -time.seconds))
