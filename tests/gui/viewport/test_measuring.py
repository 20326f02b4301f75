"""Measuring with the mouse in the real view: what the label says, and what is stored.

The view is 400 by 400 and the picture 16 by 16 with 1 mm a pixel, so a pixel is 25 by 25 on the
screen and the middle of pixel k lies at 25 k + 12.5.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from inference.measurements import Kind
from inference.studies.model import Window
from viewer.measuring.note import NoteEdit
from viewer.measuring.shapes import handles
from viewer.session import Tool

SIDE = 25.0
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.MouseButton.NoButton
RING = [(7 + 4 * math.cos(turn), 7 + 4 * math.sin(turn)) for turn in np.arange(0.0, 6.2, 0.1)]
SHIFT = Qt.KeyboardModifier.ShiftModifier


def place(column, row):
    """View position of a place on the grid; pixel centres are whole numbers."""
    return QPointF((column + 0.5) * SIDE, (row + 0.5) * SIDE)


@pytest.fixture
def hand(view):
    """A hand on the mouse that knows the grid."""

    class Hand:
        modifiers = Qt.KeyboardModifier.NoModifier

        def send(self, kind, at, button, buttons):
            event = QMouseEvent(kind, at, view.mapToGlobal(at), button, buttons, self.modifiers)
            QApplication.sendEvent(view, event)

        def press(self, *at):
            self.send(QEvent.Type.MouseButtonPress, place(*at), LEFT, LEFT)

        def move(self, *at, held=True):
            self.send(QEvent.Type.MouseMove, place(*at), NONE, LEFT if held else NONE)

        def release(self, *at):
            self.send(QEvent.Type.MouseButtonRelease, place(*at), LEFT, NONE)

        def drag(self, *stops):
            self.press(*stops[0])
            for start, end in pairwise(stops):
                self.move(*((a + b) / 2 for a, b in zip(start, end, strict=True)))
                self.move(*end)
            self.release(*stops[-1])

        def click(self, *at):
            self.move(*at, held=False)
            self.press(*at)
            self.release(*at)

        def double_click(self, *at):
            self.click(*at)
            self.send(QEvent.Type.MouseButtonDblClick, place(*at), LEFT, LEFT)
            self.release(*at)

        def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
            """Press a key; returns whether the view takes it before the window's shortcuts."""
            override = QKeyEvent(QEvent.Type.ShortcutOverride, key, modifiers)
            override.ignore()
            QApplication.sendEvent(view, override)
            if override.isAccepted():
                QApplication.sendEvent(view, QKeyEvent(QEvent.Type.KeyPress, key, modifiers))
            return override.isAccepted()

    return Hand()


@pytest.fixture
def scan(show):
    """A CT whose slice 3 has 50 HU in columns 4 to 7, rows 4 to 5, and a ramp in row 10."""
    array = np.full((7, 16, 16), -900, np.int16)
    array[3, 4:6, 4:8] = 50
    array[3, 10] = np.arange(16)
    return show(array=array)


@pytest.fixture
def words(view):
    """What the labels on the screen say, a string each."""

    def read():
        view.grab()
        return ["\n".join(label.lines) for label in view.measuring.labels]

    return read


def only(session):
    (measurement,) = session.measurements.measurements
    return measurement


class TestDrawing:
    """Every tool."""

    def test_a_length_is_dragged_and_reads_in_mm_while_it_is(self, session, scan, hand, words):
        session.set_tool(Tool.LENGTH)
        hand.press(2, 2)
        hand.move(6, 5)
        assert words() == ["5.0 mm"]
        assert session.measurements.measurements == ()
        hand.move(10, 8)
        hand.release(10, 8)
        assert words() == ["10.0 mm"]
        made = only(session)
        assert (made.kind, made.plane, made.number) == (Kind.LENGTH, 3, 1)
        assert made.points[0] == pytest.approx((2, 2, 3))
        assert made.points[1] == pytest.approx((10, 8, 3))

    def test_a_length_may_be_clicked(self, session, scan, hand, words):
        session.set_tool(Tool.LENGTH)
        hand.click(2, 2)
        hand.move(2, 6, held=False)
        assert words() == ["4.0 mm"]
        hand.click(2, 9)
        assert words() == ["7.0 mm"]
        assert only(session).points[1] == pytest.approx((2, 9, 3))

    def test_shift_keeps_to_steps_of_45_degrees(self, session, scan, hand):
        session.set_tool(Tool.LENGTH)
        hand.modifiers = SHIFT
        hand.drag((2, 2), (10, 3))
        (start, end) = only(session).points
        assert start == pytest.approx((2, 2, 3))
        assert end == pytest.approx((10, 2, 3))

    def test_an_angle_is_a_leg_and_a_click(self, session, scan, hand, words):
        session.set_tool(Tool.ANGLE)
        hand.drag((12, 6), (4, 6))
        hand.move(8, 10, held=False)
        assert words() == ["45.0°"]
        hand.click(4, 12)
        assert words() == ["90.0°"]

    def test_a_cobb_angle_is_two_lines(self, session, scan, hand, words):
        session.set_tool(Tool.COBB)
        hand.drag((3, 5), (10, 5))
        assert session.measurements.measurements == ()
        hand.drag((10, 13), (4, 7))
        assert words() == ["45.0° Cobb"]
        assert only(session).kind is Kind.COBB

    def test_a_rectangle_gives_stored_values_whatever_the_window(self, session, scan, hand, words):
        session.set_tool(Tool.RECTANGLE)
        hand.drag((3.5, 3.5), (7.5, 5.5))
        said = "8.0 mm², 8 pixels\nmean 50.0 HU, SD 0.0\nmin 50, max 50"
        assert words() == [said]
        session.set_window(Window(-900.0, 2.0))
        session.toggle_invert()
        session.measurements.forget_values()
        assert words() == [said]

    def test_shift_makes_a_circle(self, session, scan, hand):
        session.set_tool(Tool.ELLIPSE)
        hand.modifiers = SHIFT
        hand.drag((3, 3), (9, 5))
        assert only(session).points[1] == pytest.approx((9, 9, 3))

    def test_an_ellipse_holds_the_centres_inside_it(self, session, scan, hand, words):
        session.set_tool(Tool.ELLIPSE)
        hand.drag((2, 8), (6, 12))
        # Radius 2 around (4, 10): 13 centres, of which five lie on the ramp (2 to 6).
        assert words()[0].startswith("12.6 mm², 13 pixels")
        region = session.measurements.values(only(session)).region
        assert (region.minimum, region.maximum) == (-900, 6)

    def test_a_freehand_outline_closes_itself(self, session, scan, hand, words):
        session.set_tool(Tool.FREEHAND)
        hand.drag((3.5, 3.5), (7.5, 3.5), (7.5, 5.5), (3.5, 5.5))
        assert words()[0].startswith("8.0 mm², 8 pixels\nmean 50.0 HU")

    def test_a_freehand_outline_is_pulled_by_a_handle_and_its_points_follow(
        self, session, scan, view, hand
    ):
        session.set_tool(Tool.FREEHAND)
        hand.drag(*RING)
        drawn = only(session)
        session.set_tool(Tool.WINDOW)
        steps = view._projection().steps(drawn)
        grips = handles(drawn, steps)
        assert 3 <= len(grips) <= 16
        corner = min(range(len(grips)), key=lambda n: math.dist(grips[n], (11, 7, 3)))
        place = grips[corner][:2]
        hand.drag(place, (place[0] + 2.0, place[1]))
        pulled = only(session)
        assert handles(pulled, steps)[corner] == pytest.approx((place[0] + 2.0, place[1], 3.0))
        moved = np.subtract(pulled.points, drawn.points)
        assert moved[:, 1:] == pytest.approx(0.0)
        assert moved[:, 0].max() == pytest.approx(2.0)
        assert moved[:, 0].min() == pytest.approx(0.0)
        between = (moved[:, 0] > 0.1) & (moved[:, 0] < 1.9)
        assert between.sum() >= 4, "a corner is drawn out, not a spike"
        for number, grip in enumerate(handles(pulled, steps)):
            if number != corner:
                assert grip == pytest.approx(grips[number])
        session.measurements.undo()
        assert only(session) == drawn

    def test_a_freehand_outline_that_is_not_selected_is_moved_by_any_place(
        self, session, scan, view, hand
    ):
        session.set_tool(Tool.FREEHAND)
        hand.drag(*RING)
        drawn = only(session)
        session.measurements.select("")
        session.set_tool(Tool.WINDOW)
        x, y, _ = handles(drawn, view._projection().steps(drawn))[2]
        hand.drag((x, y), (x + 1.0, y + 1.0))
        moved = np.subtract(only(session).points, drawn.points)
        assert moved == pytest.approx(np.tile([1.0, 1.0, 0.0], (len(moved), 1)))

    def test_a_probe_takes_the_middle_of_the_pixel(self, session, scan, hand, words):
        session.set_tool(Tool.PROBE)
        hand.click(9.3, 10.4)
        assert words() == ["9 HU"]
        assert only(session).points == ((9, 10, 3),)

    def test_a_text_is_written_on_the_picture(self, qtbot, session, scan, view, hand, words):
        session.set_tool(Tool.TEXT)
        hand.click(5, 5)
        assert session.measurements.measurements == ()
        edit = view.findChild(NoteEdit)
        qtbot.keyClicks(edit, "old scar")
        qtbot.keyClick(edit, Qt.Key.Key_Return)
        assert words() == ["old scar"]
        assert only(session).kind is Kind.TEXT

    def test_an_arrow_may_go_without_a_note_and_a_text_may_not(
        self, qtbot, session, scan, view, hand, words
    ):
        session.set_tool(Tool.ARROW)
        hand.drag((5, 5), (9, 9))
        qtbot.keyClick(view.findChild(NoteEdit), Qt.Key.Key_Return)
        assert only(session).points[0] == pytest.approx((5, 5, 3))
        assert words() == []
        session.set_tool(Tool.TEXT)
        hand.click(12, 12)
        edits = [each for each in view.findChildren(NoteEdit) if each.isVisible()]
        qtbot.keyClick(edits[0], Qt.Key.Key_Return)
        assert len(session.measurements.measurements) == 1

    def test_esc_throws_a_note_away(self, qtbot, session, scan, view, hand):
        session.set_tool(Tool.ARROW)
        hand.drag((5, 5), (9, 9))
        qtbot.keyClick(view.findChild(NoteEdit), Qt.Key.Key_Escape)
        assert session.measurements.measurements == ()

    @pytest.mark.parametrize("tool", [t for t in Tool if t.measures and t is not Tool.PROBE])
    def test_a_slip_of_the_hand_leaves_nothing(self, session, scan, hand, tool):
        session.set_tool(tool)
        for _ in range(4):
            hand.click(5, 5)
        hand.key(Qt.Key.Key_Escape)
        session.set_tool(Tool.WINDOW)
        assert session.measurements.measurements == ()

    def test_esc_stops_drawing(self, session, scan, hand, words):
        session.set_tool(Tool.LENGTH)
        hand.click(2, 2)
        hand.move(9, 9, held=False)
        assert hand.key(Qt.Key.Key_Escape)
        hand.move(10, 9, held=False)
        assert words() == []
        assert not hand.key(Qt.Key.Key_Escape)

    def test_another_slice_stops_drawing(self, session, scan, hand, words):
        session.set_tool(Tool.LENGTH)
        hand.click(2, 2)
        session.step(1)
        hand.move(9, 9, held=False)
        assert words() == []

    def test_points_stay_on_the_picture(self, session, scan, view, hand):
        session.set_tool(Tool.LENGTH)
        view.zoom_by(0.5)
        middle = QPointF(200, 200)
        hand.send(QEvent.Type.MouseButtonPress, middle, LEFT, LEFT)
        hand.send(QEvent.Type.MouseMove, QPointF(390, 200), NONE, LEFT)
        hand.send(QEvent.Type.MouseButtonRelease, QPointF(390, 200), LEFT, NONE)
        assert only(session).points[1] == pytest.approx((15.5, 7.5, 3))

    def test_the_label_shows_the_same_in_a_flipped_display(self, session, show, hand, words):
        # Rows and columns run against the patient's axes: the display turns the slice.
        affine = np.diag([-1.0, -0.5, 2.0, 1.0])
        array = np.full((7, 16, 16), -900, np.int16)
        array[3, 15, 15] = 77
        show(array=array, affine=affine)
        session.set_tool(Tool.PROBE)
        # Shown half as high as wide: the picture is 400 × 200 in the middle of the view.
        at = QPointF(12.5, 106.0)
        hand.send(QEvent.Type.MouseButtonPress, at, LEFT, LEFT)
        hand.send(QEvent.Type.MouseButtonRelease, at, LEFT, NONE)
        assert only(session).points == ((15, 15, 3),)
        assert words() == ["77 HU"]


class TestChanging:
    """Taking hold of what is there."""

    @pytest.fixture
    def line(self, session, scan):
        return session.measurements.add(Kind.LENGTH, [(2, 2, 3), (10, 2, 3)], 2)

    def test_an_end_is_moved_and_the_value_follows(self, session, line, hand, words):
        session.set_tool(Tool.WINDOW)
        window = session.window
        hand.press(10, 2)
        hand.move(10, 5)
        hand.move(10, 8)
        assert words() == ["10.0 mm"]
        hand.release(10, 8)
        assert only(session).points[1] == pytest.approx((10, 8, 3))
        assert only(session).id == line.id
        assert session.window == window

    def test_a_line_is_moved_whole_and_stays_on_the_picture(self, session, line, hand):
        hand.drag((6, 2), (7, 6))
        assert np.allclose(only(session).points, [(3, 6, 3), (11, 6, 3)])
        hand.drag((7, 6), (15, 6))
        assert np.allclose(only(session).points, [(7.5, 6, 3), (15.5, 6, 3)])

    def test_a_click_selects_and_moves_nothing(self, session, line, hand):
        session.measurements.select("")
        hand.click(6, 2)
        assert session.measurements.selected == line
        assert only(session) == line
        hand.click(13, 13)
        assert session.measurements.selected is None

    def test_corners_and_sides(self, session, scan, hand):
        box = session.measurements.add(Kind.RECTANGLE, [(2, 2, 3), (8, 6, 3)], 2)
        hand.drag((8, 2), (10, 1))
        assert np.allclose(only(session).points, [(2, 1, 3), (10, 6, 3)])
        session.measurements.remove(box.id)
        session.measurements.add(Kind.ELLIPSE, [(2, 2, 3), (8, 6, 3)], 2)
        hand.drag((8, 4), (12, 9))
        assert np.allclose(only(session).points, [(2, 2, 3), (12, 6, 3)])

    def test_the_label_is_moved_and_goes_along_afterwards(self, session, line, view, hand, words):
        words()
        (label,) = view.measuring.labels
        start = label.rect.center()
        for kind, at, buttons in (
            (QEvent.Type.MouseButtonPress, start, LEFT),
            (QEvent.Type.MouseMove, start + QPointF(-50, 100), LEFT),
            (QEvent.Type.MouseMove, start + QPointF(-100, 150), LEFT),
            (QEvent.Type.MouseButtonRelease, start + QPointF(-100, 150), NONE),
        ):
            button = NONE if kind is QEvent.Type.MouseMove else LEFT
            hand.send(kind, at, button, buttons)
        words()
        (label,) = view.measuring.labels
        assert label.rect.center().toPoint() == (start + QPointF(-100, 150)).toPoint()
        hand.drag((6, 2), (6, 4))
        words()
        (label,) = view.measuring.labels
        assert label.rect.center().toPoint() == (start + QPointF(-100, 200)).toPoint()

    def test_arrows_nudge_the_handle_that_was_taken_by_one_pixel(self, session, line, hand):
        assert not hand.key(Qt.Key.Key_Up)  # no handle yet: the key goes through the slices
        hand.click(10, 2)
        assert hand.key(Qt.Key.Key_Right)
        assert hand.key(Qt.Key.Key_Down)
        assert only(session).points == ((2, 2, 3), (11, 3, 3))
        assert hand.key(Qt.Key.Key_Escape)
        assert session.measurements.selected is None
        assert not hand.key(Qt.Key.Key_Right)

    def test_a_double_click_writes_a_note(self, qtbot, session, line, view, hand, words):
        hand.double_click(6, 2)
        edit = view.findChild(NoteEdit)
        qtbot.keyClicks(edit, "nodule")
        qtbot.keyClick(edit, Qt.Key.Key_Return)
        assert words() == ["nodule\n8.0 mm"]

    def test_it_is_drawn_on_its_slice_alone_and_goes_with_the_overlays(
        self, session, line, hand, words
    ):
        session.step(1)
        assert words() == []
        assert session.measurements.selected is None
        session.step(-1)
        assert words() == ["8.0 mm"]
        session.toggle_overlays()
        assert words() == []
        hand.click(6, 2)
        assert session.measurements.selected is None

    def test_the_mouse_tells_what_it_would_do(self, session, line, view, hand):
        session.set_tool(Tool.PAN)
        hand.move(13, 13, held=False)
        assert view.cursor().shape() == Qt.CursorShape.OpenHandCursor
        hand.move(6, 2, held=False)
        assert view.cursor().shape() == Qt.CursorShape.SizeAllCursor
        hand.move(10, 2, held=False)
        assert view.cursor().shape() == Qt.CursorShape.PointingHandCursor


class TestLooks:
    """What is painted."""

    def test_a_line_is_light_with_a_dark_edge_on_white_and_on_black(
        self, session, scan, seen, view
    ):
        session.measurements.add(Kind.LENGTH, [(3, 3, 3), (3, 12, 3)], 2)
        session.measurements.select("")
        for window in (Window(2000.0, 10.0), Window(-3000.0, 10.0)):
            session.set_window(window)
            across = seen(view)[250, 75:101].max(axis=-1)
            assert across.max() > 200
            assert across[8:18].min() < 110

    def test_labels_stay_in_the_view_and_apart(self, session, scan, view, words):
        for row in (1, 2, 3):
            session.measurements.add(Kind.LENGTH, [(8, row, 3), (15.4, row, 3)], 2)
        assert len(words()) == 3
        rects = [label.rect for label in view.measuring.labels]
        assert all(QRectF(view.rect()).contains(rect) for rect in rects)
        assert not any(a.intersects(b) for a in rects for b in rects if a is not b)

    def test_the_picture_has_it_without_handles(self, session, scan, view, pixels):
        session.set_window(Window(-3000.0, 10.0))  # all white
        plain = pixels(view.picture())
        session.measurements.add(Kind.LENGTH, [(3, 8, 3), (12, 8, 3)], 2)
        shown = pixels(view.picture())
        changed = np.abs(shown - plain).max(axis=-1) > 40
        assert changed[210:216, 100:300].any(axis=0).all()
        # A handle would be a square around the end.
        assert not changed[213 - 8 : 213 - 4, 80:96].any()

    def test_what_lies_outside_the_view_has_no_label(self, session, scan, view, words):
        session.measurements.add(Kind.LENGTH, [(0, 0, 3), (1, 1, 3)], 2)
        view.zoom_by(8.0)
        assert words() == []

    def test_words_keep_off_other_measurements_where_there_is_room(
        self, session, scan, view, words
    ):
        session.measurements.add(Kind.PROBE, [(5, 8, 3)], 2)
        session.measurements.add(Kind.RECTANGLE, [(7, 6, 3), (11, 10, 3)], 2)
        words()
        label = view.measuring.labels[0].rect
        assert label.right() < place(5, 8).x()
