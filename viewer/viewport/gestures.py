"""From Qt's buttons and modifiers to what the mouse map says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from viewer.mouse import Drag, MouseMap, Turn
from viewer.session import Tool

if TYPE_CHECKING:
    from PySide6.QtGui import QWheelEvent

__all__ = ["notches_of", "tool_of", "turn_of"]

_TOOLS = {Drag.WINDOW: Tool.WINDOW, Drag.PAN: Tool.PAN, Drag.ZOOM: Tool.ZOOM}


def tool_of(mouse: MouseMap, button: Qt.MouseButton, chosen: Tool) -> Tool | None:
    """Say which tool a drag with a button uses; None: nothing is dragged.

    Parameters
    ----------
    mouse
        What the mouse does.
    button
        The one that was pressed.
    chosen
        The session's tool.
    """
    drags = {
        Qt.MouseButton.LeftButton: mouse.left,
        Qt.MouseButton.MiddleButton: mouse.middle,
        Qt.MouseButton.RightButton: mouse.right,
    }
    drag = drags.get(button, Drag.NOTHING)
    return chosen if drag is Drag.TOOL else _TOOLS.get(drag)


def turn_of(mouse: MouseMap, modifiers: Qt.KeyboardModifier) -> Turn:
    """Say what the wheel does while these modifiers are held."""
    return mouse.turn(
        ctrl=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
        shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
    )


def notches_of(event: QWheelEvent) -> float:
    """Notches that the wheel was turned; some systems turn it sideways while a key is held."""
    turned = event.angleDelta()
    held = event.modifiers() & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier)
    return (turned.y() or (turned.x() if held else 0)) / 120.0
