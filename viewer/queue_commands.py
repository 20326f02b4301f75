"""Commands for the analyses of several series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from viewer.declaring import Command, Doings, needs
from viewer.series_states import left_to_analyse

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["queue_commands"]


def queue_commands(session: ReadingSession, doings: Doings) -> Sequence[Command]:
    """Declare them; see `viewer.queue`."""

    @needs("a series in the study list that is not analysed yet")
    def some_are_left() -> bool:
        return bool(left_to_analyse(session))

    @needs("an analysis that runs or waits")
    def has_queue() -> bool:
        return doings.has_queue()

    return (
        Command("analyse-all", "Analyse all in list", "Analyse every series of the study list that "
                "has no current findings, one after the other", "Analysis", doings.analyse_all,
                ("Shift+F5",), some_are_left, separated=True),
        Command("cancel-all", "Cancel all analyses", "Stop the analysis at work and forget those "
                "that wait", "Analysis", doings.cancel_all, ("Shift+Esc",), has_queue),
    )  # fmt: skip
