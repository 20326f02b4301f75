"""What a reader of a series tells while it reads, and what it is told: the line to a screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inference.studies.model import Volume

__all__ = ["Watch"]


def _not_told(_volume: Volume) -> None:
    """Hear nothing; the default for whoever waits for the whole volume."""


def _not_counted(_index: int, _readable: bool) -> None:
    """Hear nothing."""


@dataclass(slots=True)
class Watch:
    """A line to whoever shows a series while it is being read.

    Formats that are read in one piece tell nothing: their volume is what `load` returns.

    Parameters
    ----------
    begun
        Called once, with a volume whose geometry, type and windows are known and whose slices are
        filled in from now on; zero where a slice has not been read. It is provisional: what
        depends on all values (some problems, the unit of a CT that does not say it) and the number
        of slices (those that cannot be decoded are left out) are those of the volume that `load`
        returns, whose array may be another one.
    arrived
        Called with the index of a slice of the provisional volume and whether it was decoded,
        after its values are in the array. They do not change any more.
    focus
        Index of the slice that is looked at; those around it are read next. None: the middle one.
        It may be set anew, from any thread, while the series is being read.

    Notes
    -----
    The callbacks run on the thread that called `load`.
    """

    begun: Callable[[Volume], None] = _not_told
    arrived: Callable[[int, bool], None] = _not_counted
    focus: int | None = None
