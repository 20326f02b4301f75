"""How long an analysis took, part by part."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from inference.findings import Timings

__all__ = ["Clock"]

_PARTS = ("read", "ready", "pre", "recognise", "label", "segment", "post")


class Clock:
    """Wall seconds by part of an analysis; parts may be counted on several threads at once.

    Parameters
    ----------
    read_seconds
        Spent on reading before the clock was made; counted in the total.
    """

    def __init__(self, read_seconds: float = 0.0) -> None:
        self._start = time.perf_counter()
        self._read = read_seconds
        self._parts = dict.fromkeys(_PARTS, 0.0)
        self._parts["read"] = read_seconds
        self._lock = threading.Lock()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time inside the block as that part."""
        if name not in self._parts:
            raise ValueError(f"the clock has no part {name!r}")
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            with self._lock:
                self._parts[name] += spent

    def timings(self) -> Timings:
        """The parts so far, and the total."""
        total = self._read + time.perf_counter() - self._start
        return Timings(**self._parts, total=total)
