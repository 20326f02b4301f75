"""What a drag and a key do to the camera."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QKeyEvent

    from viewer.volume3d.box import ClipBox
    from viewer.volume3d.camera import Camera

__all__ = ["ZOOM_NOTCH", "Drag", "camera_after", "single_shot"]

ZOOM_NOTCH = 1.2
"""Zoom factor of one notch of the wheel."""
_ZOOM_DRAG = 0.01
"""Natural logarithm of the zoom a pixel of dragging."""
_DRAG_DEGREES = 0.5
"""Of turning, a pixel."""
_KEY_DEGREES = 10.0

_TURNS = {
    Qt.Key.Key_Left: (-_KEY_DEGREES, 0.0),
    Qt.Key.Key_Right: (_KEY_DEGREES, 0.0),
    Qt.Key.Key_Up: (0.0, _KEY_DEGREES),
    Qt.Key.Key_Down: (0.0, -_KEY_DEGREES),
}
_ZOOMS = {
    Qt.Key.Key_Plus: ZOOM_NOTCH,
    Qt.Key.Key_Equal: ZOOM_NOTCH,
    Qt.Key.Key_Minus: 1 / ZOOM_NOTCH,
}


@dataclass(frozen=True, slots=True)
class Drag:
    """What is being dragged, and how things were when it began; `face` is one of the box."""

    button: Qt.MouseButton
    start: QPointF
    camera: Camera
    box: ClipBox | None
    face: int | None

    def camera_at(self, moved: QPointF, mm: float) -> Camera:
        """Turn, move or zoom, by the button; `mm` is the length of a pixel."""
        match self.button:
            case Qt.MouseButton.LeftButton:
                return self.camera.turned(moved.x() * _DRAG_DEGREES, -moved.y() * _DRAG_DEGREES)
            case Qt.MouseButton.MiddleButton:
                return self.camera.moved(moved.x() * mm, -moved.y() * mm)
            case Qt.MouseButton.RightButton:
                return self.camera.zoomed(math.exp(-moved.y() * _ZOOM_DRAG))
        return self.camera


def camera_after(camera: Camera, event: QKeyEvent) -> Camera | None:
    """Turn or zoom by a key; None when it is not one of ours.

    The arrows alone go through the slices, here as everywhere; with Shift they turn.
    """
    key = Qt.Key(event.key())
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if held == Qt.KeyboardModifier.ShiftModifier and key in _TURNS:
        return camera.turned(*_TURNS[key])
    if held & ~Qt.KeyboardModifier.ShiftModifier:
        return None
    return camera.zoomed(_ZOOMS[key]) if key in _ZOOMS else None


def single_shot(owner: QObject, ms: int, call: Callable[[], None]) -> QTimer:
    """Make a timer that calls once, so long after it was started last."""
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(ms)
    timer.timeout.connect(call)
    return timer
