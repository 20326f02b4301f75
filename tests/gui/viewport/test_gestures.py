"""From buttons and modifiers to what the mouse map says."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from viewer.mouse import Drag, MouseMap, Turn
from viewer.session import Tool
from viewer.viewport.gestures import notches_of, tool_of, turn_of

NONE = Qt.KeyboardModifier.NoModifier
SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


def turned(x: int, y: int, held: Qt.KeyboardModifier) -> QWheelEvent:
    return QWheelEvent(
        QPointF(1, 1), QPointF(1, 1), QPoint(), QPoint(x, y), Qt.MouseButton.NoButton, held,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("x", "y", "held", "notches"),
    [
        (0, 240, NONE, 2.0), (0, -60, CTRL, -0.5), (120, 0, SHIFT, 1.0), (-120, 0, ALT, -1.0),
        (120, 0, NONE, 0.0), (50, 120, SHIFT, 1.0),
    ],
)  # fmt: skip
def test_a_wheel_that_the_system_turned_sideways_is_understood(x, y, held, notches):
    assert notches_of(turned(x, y, held)) == notches


def test_each_button_uses_its_tool():
    mouse = MouseMap(middle=Drag.NOTHING, right=Drag.WINDOW)
    left, middle, right, back = (
        Qt.MouseButton.LeftButton,
        Qt.MouseButton.MiddleButton,
        Qt.MouseButton.RightButton,
        Qt.MouseButton.BackButton,
    )
    assert tool_of(mouse, left, Tool.ZOOM) is Tool.ZOOM
    assert tool_of(mouse, middle, Tool.ZOOM) is None
    assert tool_of(mouse, right, Tool.ZOOM) is Tool.WINDOW
    assert tool_of(mouse, back, Tool.ZOOM) is None


def test_ctrl_counts_before_shift():
    mouse = MouseMap()
    assert turn_of(mouse, NONE) is Turn.SLICES
    assert turn_of(mouse, SHIFT) is Turn.TEN_SLICES
    assert turn_of(mouse, SHIFT | CTRL) is Turn.ZOOM
