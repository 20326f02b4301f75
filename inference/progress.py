"""How long work reports where it is and learns that it is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

from inference.errors import CancelledError

__all__ = ["Progress", "ProgressCallback"]

ProgressCallback = Callable[[str, int, int], None]
"""Called with a stage in words, the number done and the number in all."""


@dataclass(slots=True)
class Progress:
    """A line to whoever watches: progress goes out, cancellation comes in.

    Parameters
    ----------
    callback
        Receives (stage, done, total); called on the working thread.
    cancelled
        Set from any thread to stop the work at its next report.
    """

    callback: ProgressCallback | None = None
    cancelled: Event = field(default_factory=Event)

    def report(self, stage: str, done: int, total: int) -> None:
        """Tell the watcher, or stop.

        Raises
        ------
        CancelledError
            When cancellation has been asked for.
        """
        if self.cancelled.is_set():
            raise CancelledError
        if self.callback is not None:
            self.callback(stage, done, total)
