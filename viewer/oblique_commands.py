"""Commands that turn the oblique plane, for those who do not drag its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from viewer.declaring import Command, needs
from viewer.tilt import Tilt

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["STEP_DEGREES", "oblique_commands"]

STEP_DEGREES = 5.0
"""How far one command turns the plane."""


def oblique_commands(session: ReadingSession) -> Sequence[Command]:
    """Commands that turn the oblique plane about the axes of its own picture."""
    panes = session.arrangement

    @needs("a pane that shows oblique planes of an open series")
    def is_shown() -> bool:
        return session.volume is not None and panes.oblique is not None

    @needs("an oblique plane that was turned")
    def is_turned() -> bool:
        number = panes.oblique
        return is_shown() and number is not None and panes.panes[number].tilt != Tilt()

    def turn(*, lean: float = 0.0, turn: float = 0.0) -> None:
        number = panes.oblique
        if number is not None:
            pane = panes.panes[number]
            tilt = pane.tilt.rotated(pane.tilt.right, lean)
            panes.update_pane(number, replace(pane, tilt=tilt.rotated(tilt.down, turn)))

    def straighten() -> None:
        number = panes.oblique
        if number is not None:
            panes.update_pane(number, replace(panes.panes[number], tilt=Tilt()))

    step = STEP_DEGREES
    return (
        Command("oblique-back", "Oblique: lean back", "Turn the oblique plane: its top goes away "
                "from you", "Panes", partial(turn, lean=-step), ("Alt+Up",), is_shown,
                separated=True),
        Command("oblique-forward", "Oblique: lean forward", "Turn the oblique plane: its top comes "
                "towards you", "Panes", partial(turn, lean=step), ("Alt+Down",), is_shown),
        Command("oblique-left", "Oblique: turn left", "Turn the oblique plane: its left side goes "
                "away from you", "Panes", partial(turn, turn=step), ("Alt+Left",), is_shown),
        Command("oblique-right", "Oblique: turn right", "Turn the oblique plane: its right side "
                "goes away from you", "Panes", partial(turn, turn=-step), ("Alt+Right",), is_shown),
        Command("oblique-straight", "Oblique: straighten", "Turn the oblique plane back to a "
                "coronal one", "Panes", straighten, (), is_turned),
    )  # fmt: skip
