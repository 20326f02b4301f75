"""What the mouse does on a picture: plain data, which the reader may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOUSE", "Drag", "MouseMap", "Turn", "mouse_from", "mouse_rows"]


class Drag(StrEnum):
    """What dragging with a button does."""

    TOOL = "tool"
    WINDOW = "window"
    PAN = "pan"
    ZOOM = "zoom"
    NOTHING = "nothing"

    @property
    def words(self) -> str:
        """For the settings and the help page."""
        return {
            Drag.TOOL: "The chosen tool; window/level at first",
            Drag.WINDOW: "Change the window",
            Drag.PAN: "Move the picture",
            Drag.ZOOM: "Zoom",
            Drag.NOTHING: "Nothing",
        }[self]


class Turn(StrEnum):
    """What turning the wheel does."""

    SLICES = "slices"
    TEN_SLICES = "ten-slices"
    ZOOM = "zoom"
    NOTHING = "nothing"

    @property
    def words(self) -> str:
        """For the settings and the help page."""
        return {
            Turn.SLICES: "Go through the slices",
            Turn.TEN_SLICES: "Go through the slices, ten at a time",
            Turn.ZOOM: "Zoom",
            Turn.NOTHING: "Nothing",
        }[self]


@dataclass(frozen=True, slots=True)
class MouseMap:
    """What each drag and each turn of the wheel does."""

    left: Drag = Drag.TOOL
    middle: Drag = Drag.PAN
    right: Drag = Drag.ZOOM
    wheel: Turn = Turn.SLICES
    ctrl_wheel: Turn = Turn.ZOOM
    shift_wheel: Turn = Turn.TEN_SLICES

    def turn(self, *, ctrl: bool, shift: bool) -> Turn:
        """Say what the wheel does while these keys are held; Ctrl counts before Shift."""
        if ctrl:
            return self.ctrl_wheel
        return self.shift_wheel if shift else self.wheel


MOUSE = {
    "left": "Left drag",
    "middle": "Middle drag",
    "right": "Right drag",
    "wheel": "Wheel",
    "ctrl_wheel": "Ctrl + wheel",
    "shift_wheel": "Shift + wheel",
}
"""The gestures that can be given something else to do, by the fields of `MouseMap`."""

_FIXED = (
    ("Shift + move", "Take the other panes along"),
    ("Right click", "Show what can be done with what lies there"),
    ("Double click", "One pane alone, or all; fit the picture; on a measurement: write a note"),
    ("Drag a measurement", "Move it, one of its handles, or its label"),
    ("Shift while drawing", "Keep to steps of 45°; a square, a circle"),
    ("Arrows, Esc", "Move the handle taken last by a pixel; let go"),
)


def mouse_rows(mouse: MouseMap) -> Iterator[tuple[str, str]]:
    """Give (gesture, what it does) for the help page; what does nothing is left out."""
    for name, gesture in MOUSE.items():
        does: Drag | Turn = getattr(mouse, name)
        if does.value != "nothing":
            yield gesture, does.words
    yield from _FIXED


def mouse_from(values: Mapping[str, Any]) -> MouseMap:
    """Make a map of what was kept; what is not understood is as at first."""
    defaults = MouseMap()
    known: dict[str, Drag | Turn] = {}
    for name in MOUSE:
        kind = type(getattr(defaults, name))
        if values.get(name) in {each.value for each in kind}:
            known[name] = kind(values[name])
    return MouseMap(**known)  # type: ignore[arg-type]  # each name has its own kind
