"""Which slices of the open series have been read: told by a thread, fetched by the window."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal

from inference.studies.watch import Watch

if TYPE_CHECKING:
    from inference.studies.model import SliceSource, Volume

__all__ = ["STILL_READING", "Arrivals", "Reading", "SliceState", "same_slice"]

STILL_READING = "Slices are still being read; this can be done when all of them are there."
"""Why something cannot be done yet."""

_PATIENCE_SECONDS = 0.05
"""A series that is read in less than this comes whole: nobody would see its slices come one by one,
but everything in the window would be laid out twice."""

_FETCH_MS = 40
"""Between two looks at what has arrived: more would only keep the window busy."""


class SliceState(StrEnum):
    """What is known of a slice's pixels; the value is what is said of it."""

    READ = ""
    WAITING = "reading…"
    BROKEN = "cannot be decoded"


class Arrivals:
    """What a reader says on its thread, kept until the window fetches it.

    Parameters
    ----------
    show
        Called on the reader's thread with the volume when slices of it can be shown; never for a
        series that is read in no time.
    """

    def __init__(self, show: Callable[[Volume], None]) -> None:
        self.watch = Watch(self._begun, self._arrived)
        self._show: Callable[[Volume], None] | None = show
        self._volume: Volume | None = None
        self._begun_at = 0.0
        self._queue: deque[tuple[int, bool]] = deque()

    def fetch(self) -> list[tuple[int, bool]]:
        """Take away what has arrived: (slice, whether it could be decoded)."""
        return [self._queue.popleft() for _ in range(len(self._queue))]

    def close(self) -> None:
        """Hear nothing any more: whoever was told of a series knows this object, too."""
        heard = Watch()
        self.watch.begun, self.watch.arrived = heard.begun, heard.arrived
        self._show = self._volume = None

    def _begun(self, volume: Volume) -> None:
        self._volume = volume
        self._begun_at = time.monotonic()

    def _arrived(self, index: int, readable: bool) -> None:
        self._queue.append((index, readable))
        patient = time.monotonic() - self._begun_at < _PATIENCE_SECONDS
        if readable and self._volume is not None and self._show is not None and not patient:
            volume, self._volume = self._volume, None
            self._show(volume)


class Reading(QObject):
    """How far the reading of the open series has come; a part of the session.

    A slice counts as read from the moment at which `changed` says so, never in between, so that
    whoever draws it and whoever names its values agree.
    """

    changed = Signal()
    """More slices were read, or found to be broken; at most every 40 ms."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._arrivals: Arrivals | None = None
        self._read: NDArray[np.bool_] = np.zeros(0, bool)
        self._broken: NDArray[np.bool_] = np.zeros(0, bool)
        self._timer = QTimer(self)
        self._timer.setInterval(_FETCH_MS)
        self._timer.timeout.connect(self._fetch)

    @property
    def active(self) -> bool:
        """Slices of the open series are still to be read."""
        return self._arrivals is not None

    @property
    def read(self) -> NDArray[np.bool_]:
        """Length slices, which of them can be shown; empty when nothing is being read."""
        return self._read

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Length slices, which of them cannot be decoded; empty when nothing is being read."""
        return self._broken

    def state(self, index: int) -> SliceState:
        """Say what is known of a slice."""
        if not self.active or self._read[index]:
            return SliceState.READ
        return SliceState.BROKEN if self._broken[index] else SliceState.WAITING

    def begin(self, arrivals: Arrivals, count: int) -> None:
        """Begin with a series of so many slices; for the session, before it tells anyone."""
        self._arrivals = arrivals
        self._read, self._broken = np.zeros(count, bool), np.zeros(count, bool)
        self._take(arrivals)
        self._timer.start()

    def end(self) -> None:
        """All slices have been read, or no more will be; for the session."""
        self._arrivals = None
        self._read, self._broken = np.zeros(0, bool), np.zeros(0, bool)
        self._timer.stop()

    def look_at(self, index: int) -> None:
        """Read the slices around this one next."""
        if self._arrivals is not None:
            self._arrivals.watch.focus = index

    def _take(self, arrivals: Arrivals) -> bool:
        arrived = arrivals.fetch()
        for index, readable in arrived:
            (self._read if readable else self._broken)[index] = True
        return bool(arrived)

    def _fetch(self) -> None:
        if self._arrivals is not None and self._take(self._arrivals):
            self.changed.emit()


def same_slice(before: tuple[SliceSource, ...], after: tuple[SliceSource, ...], index: int) -> int:
    """Find a slice again when others have been left out.

    Parameters
    ----------
    before, after
        Slices of the series, all of them and those that were kept, in the same order.
    index
        Among `before`.

    Returns
    -------
    int
        Among `after`: the same slice, or the one nearest above it that was kept, or the last.
    """
    kept = set(after)
    return min(sum(source in kept for source in before[:index]), max(0, len(after) - 1))
