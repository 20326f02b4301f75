"""The bidirectional measure in the real view: drawn, dragged, nudged, undone, listed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from inference.measurements import Kind
from viewer.session import Tool

SIDE = 25.0
"""Screen pixels of one of the picture's 16 × 16, see `test_measuring`."""
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.MouseButton.NoButton


def place(column, row):
    """View position of a place on the grid."""
    return QPointF((column + 0.5) * SIDE, (row + 0.5) * SIDE)


@pytest.fixture(autouse=True)
def _scan(show):
    """A dark CT, 1 mm a pixel."""
    show(array=np.full((7, 16, 16), -900, np.int16))


@pytest.fixture
def hand(view):
    """A hand on the mouse that knows the grid."""

    class Hand:
        def send(self, kind, at, button, buttons):
            event = QMouseEvent(
                kind, at, view.mapToGlobal(at), button, buttons, Qt.KeyboardModifier.NoModifier
            )
            QApplication.sendEvent(view, event)

        def drag(self, *stops):
            self.send(QEvent.Type.MouseButtonPress, place(*stops[0]), LEFT, LEFT)
            for _, end in pairwise(stops):
                self.send(QEvent.Type.MouseMove, place(*end), NONE, LEFT)
            self.send(QEvent.Type.MouseButtonRelease, place(*stops[-1]), LEFT, NONE)

        def hover(self, *at):
            self.send(QEvent.Type.MouseMove, place(*at), NONE, NONE)

        def click(self, *at):
            self.hover(*at)
            self.send(QEvent.Type.MouseButtonPress, place(*at), LEFT, LEFT)
            self.send(QEvent.Type.MouseButtonRelease, place(*at), LEFT, NONE)

    return Hand()


@pytest.fixture
def drawn(session, view, hand):
    """Long axis from (2, 8) to (12, 8), short one 4 high at column 6."""
    session.set_tool(Tool.BIDIRECTIONAL)
    hand.drag((2, 8), (12, 8))
    hand.hover(6, 5)
    assert session.measurements.measurements == (), "the second axis follows the mouse"
    hand.click(6, 6)
    (made,) = session.measurements.measurements
    session.set_tool(Tool.WINDOW)
    return made


def labels(view):
    """What is written on the screen."""
    view.grab()
    return [line for label in view.measuring.labels for line in label.lines]


def test_it_is_drawn_by_a_drag_and_a_click(session, view, drawn):
    assert drawn.kind is Kind.BIDIRECTIONAL
    shape = np.array(drawn.points)[:, :2]
    assert shape == pytest.approx(np.array([(2, 8), (12, 8), (6, 6), (6, 10)]), abs=0.05)
    assert labels(view) == ["10.0 × 4.0 mm"]


def test_what_is_being_drawn_shows_its_numbers(session, view, hand):
    session.set_tool(Tool.BIDIRECTIONAL)
    hand.drag((2, 8), (12, 8))
    hand.hover(6, 5)
    assert labels(view) == ["10.0 × 6.0 mm"]


def test_its_ends_are_dragged_and_it_stays_a_cross(session, view, hand, drawn):
    notebook = session.measurements
    notebook.select(drawn.id)
    view.grab()
    hand.drag((6, 6), (8, 5))
    (moved,) = notebook.measurements
    assert np.array(moved.points)[:, :2] == pytest.approx(
        np.array([(2, 8), (12, 8), (8, 5), (8, 10)]), abs=0.05
    )
    assert labels(view) == ["10.0 × 5.0 mm"]
    hand.drag((12, 8), (2, 14))
    (turned,) = notebook.measurements
    axis, side = (np.subtract(turned.points[i + 1], turned.points[i]) for i in (0, 2))
    assert axis @ side == pytest.approx(0.0, abs=1e-6)
    assert labels(view) == ["6.0 × 5.0 mm"]
    notebook.undo()
    notebook.undo()
    assert notebook.measurements == (drawn,)


def test_it_is_moved_as_a_whole_and_its_lines_are_seen(session, view, hand, drawn):
    picture = view.picture()

    def is_line(column, row):
        at = place(column, row)
        return picture.pixelColor(round(at.x()), round(at.y())).lightness() > 150

    assert is_line(4, 8)
    assert is_line(6, 7)
    assert is_line(6, 9)
    hand.drag((4, 8), (5, 9))
    (moved,) = session.measurements.measurements
    assert np.subtract(moved.points, drawn.points)[:, :2] == pytest.approx(1.0, abs=0.05)


def test_a_slip_of_the_hand_makes_nothing(session, hand):
    session.set_tool(Tool.BIDIRECTIONAL)
    hand.drag((2, 8), (12, 8))
    hand.click(6, 8)
    assert session.measurements.measurements == ()
