"""The oblique plane: turned by its line in other panes and by keys, and true while it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from inference.measurements import Kind
from inference.studies.model import Window
from viewer.hanging import load_layouts
from viewer.oblique_commands import oblique_commands
from viewer.panes import Content, Layout, Slab, SlabMode, Turn
from viewer.session import Tool
from viewer.tilt import Tilt
from viewer.viewport import PaneGrid
from viewer.viewport.tilting import Trace

OBLIQUE = next(each.layout for each in load_layouts() if each.id == "oblique")
AXIAL, SAGITTAL, CORONAL, LEANING = range(4)


@pytest.fixture
def grid(qtbot: Any, session: Any, show: Callable[..., Any]) -> PaneGrid:
    """Axial, sagittal, coronal and oblique panes of an open CT of 31 slices."""
    widget = PaneGrid(session)
    qtbot.addWidget(widget)
    widget.resize(900, 700)
    session.arrangement.set_layout(OBLIQUE)
    slices, rows, columns = np.ogrid[:31, :40, :40]
    show(array=(10 * slices + 3 * rows + columns - 500).astype(np.int16))
    with qtbot.waitExposed(widget, timeout=20_000):
        widget.show()
    return widget


def trace(grid: PaneGrid, number: int) -> Trace | None:
    view = grid.views[number]
    return view._grips.trace(view._planes(), view._framing)


def place(grid: PaneGrid) -> str:
    return grid.views[LEANING].annotations().top_left[0].text


def turn_by(grid: PaneGrid, mouse: Any, number: int, degrees: float) -> None:
    """Drag the right grip of a pane's line clockwise round the crosshair."""
    line = trace(grid, number)
    assert line is not None
    end = replace(line, angle=line.angle + math.radians(degrees))
    a, b = line.grips[1], end.grips[1]
    mouse.drag(grid.views[number], (a.x(), a.y()), (b.x(), b.y()))


def test_at_first_it_is_a_coronal_plane(grid):
    assert place(grid).endswith("coronal")
    marks = [line.text for line in grid.views[LEANING].annotations().bottom_right]
    assert "interpolated" in marks
    assert not any("interpolated" in line.text for v in grid.views[:3]
                   for line in v.annotations().bottom_right)  # fmt: skip
    letters = grid.views[LEANING].annotations().letters
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "H", "F")
    assert trace(grid, CORONAL) is None, "it is parallel to coronal planes"
    assert math.sin(trace(grid, AXIAL).angle) == pytest.approx(0.0, abs=1e-9), "lies level"
    assert math.cos(trace(grid, SAGITTAL).angle) == pytest.approx(0.0, abs=1e-9), "stands upright"


def test_dragging_a_grip_in_the_axial_pane_turns_the_plane_with_the_line(grid, session, mouse):
    turn_by(grid, mouse, AXIAL, 30.0)
    normal = session.arrangement.panes[LEANING].tilt.normal
    half = math.sqrt(0.75)
    assert normal == pytest.approx((-0.5, half, 0.0), abs=0.02)
    assert math.degrees(trace(grid, AXIAL).angle) % 180.0 == pytest.approx(30.0, abs=1.0)
    assert "30° from coronal" in place(grid)
    assert trace(grid, CORONAL) is not None, "it cuts coronal planes now"


def test_dragging_a_grip_in_the_sagittal_pane_leans_the_plane(grid, session, mouse):
    before = trace(grid, SAGITTAL).angle
    turn_by(grid, mouse, SAGITTAL, 20.0)
    after = trace(grid, SAGITTAL).angle
    assert math.degrees(after - before) % 180.0 == pytest.approx(20.0, abs=1.0)
    assert session.arrangement.panes[LEANING].tilt.normal[0] == pytest.approx(0.0, abs=1e-9)
    letters = grid.views[LEANING].annotations().letters
    assert len(letters.top) == 2, "it leans by more than ten degrees, and says so"


def test_the_plane_goes_through_the_point_that_is_looked_at(grid, session, mouse):
    turn_by(grid, mouse, AXIAL, 40.0)
    session.set_cursor((10, 25, 20))
    view = grid.views[LEANING]
    planes = view._planes()
    column, row = planes.to_picture(session.cursor)
    found = planes.to_voxel(column, row, planes.index_of(session.cursor))
    away = session.volume.affine[:3, :3] @ np.subtract(found, session.cursor)
    assert np.linalg.norm(away) <= planes.plane_mm / 2 + 1e-6


def test_the_wheel_goes_through_oblique_planes(grid, session, mouse):
    turn_by(grid, mouse, AXIAL, 30.0)
    view = grid.views[LEANING]
    before = session.cursor, view._scene.index
    mouse.wheel(view, 3)
    assert view._scene.index == before[1] + 3
    assert session.cursor[0] < before[0][0]
    assert session.cursor[1] > before[0][1], "along the normal, across columns and rows"
    assert session.cursor[2] == pytest.approx(before[0][2])


def test_no_grip_is_taken_beside_it(grid, session, mouse):
    line = trace(grid, AXIAL)
    at = line.grips[1] + QPointF(0.0, 40.0)
    mouse.drag(grid.views[AXIAL], (at.x(), at.y()), (at.x(), at.y() + 30))
    assert session.arrangement.panes[LEANING].tilt == Tilt()


def test_a_hidden_crosshair_has_no_line(grid, session, seen):
    line = trace(grid, AXIAL)
    x, y = round(line.point(60).x()), round(line.point(60).y())
    session.arrangement.toggle_crosshair()
    plain = seen(grid.views[AXIAL])
    session.arrangement.toggle_crosshair()
    marked = seen(grid.views[AXIAL])
    assert not np.array_equal(plain[y - 2 : y + 3, x], marked[y - 2 : y + 3, x])
    session.arrangement.toggle_crosshair()
    view = grid.views[AXIAL]
    assert not view._grips.press(view._planes(), view._framing, line.grips[1])


def test_keys_turn_it_and_straighten_it(grid, session):
    commands = {each.id: each for each in oblique_commands(session)}
    assert not commands["oblique-straight"].enabled()
    for _ in range(3):
        commands["oblique-forward"].do()
    tilt = session.arrangement.panes[LEANING].tilt
    assert tilt.normal[0] == pytest.approx(0.0)
    assert math.degrees(math.acos(tilt.normal[1])) == pytest.approx(15.0)
    assert tilt.down[1] > 0, "its bottom goes away, its top comes nearer"
    commands["oblique-back"].do()
    commands["oblique-left"].do()
    tilt = session.arrangement.panes[LEANING].tilt
    assert tilt.right[1] < 0, "its left side goes away, its right side comes nearer"
    commands["oblique-right"].do()
    commands["oblique-straight"].do()
    assert session.arrangement.panes[LEANING].tilt == Tilt()


def test_they_say_what_they_need(session):
    for command in oblique_commands(session):
        assert not command.enabled()


def test_a_magnified_plane_stays_as_large_and_where_it_is_looked_at(grid, session):
    view = grid.views[LEANING]
    view.zoom_by(3.0)
    scale = view._framing.pixels_per_mm
    next(c for c in oblique_commands(session) if c.id == "oblique-back").do()
    assert view._framing.pixels_per_mm == pytest.approx(scale)
    at = view._framing.to_view(*view._planes().to_picture(session.cursor))
    assert at == pytest.approx((view.width() / 2, view.height() / 2), abs=1.0)


def test_outside_the_volume_it_is_black_and_says_nothing(grid, session, mouse, seen):
    session.set_window(Window(-2000.0, 100.0))  # everything in the volume is white
    turn_by(grid, mouse, AXIAL, 45.0)
    view = grid.views[LEANING]
    session.set_cursor((39, 20, 15))
    planes = view._planes()
    outside = planes.outside(view._scene.index, view._scene.pane)
    assert outside.any()
    assert not outside.all()
    row, column = np.argwhere(outside)[len(np.argwhere(outside)) // 2]
    x, y = (round(v) for v in view._framing.to_view(column + 0.5, row + 0.5))
    for inverted in (False, True):
        if session.inverted != inverted:
            session.toggle_invert()
        grey = view._scene._grey_plane()
        assert (grey[outside] == 0).all()
    mouse.move(view, (x, y))
    assert not any("HU" in line.text for line in view.annotations().bottom_right)


def test_the_value_under_the_mouse_is_that_of_the_nearest_voxel(grid, session, mouse):
    turn_by(grid, mouse, SAGITTAL, 25.0)
    view = grid.views[LEANING]
    column, row = (int(v) for v in view._planes().to_picture(session.cursor))
    mouse.move(view, view._framing.to_view(column + 0.5, row + 0.5))
    voxel = view._planes().to_voxel(column + 0.5, row + 0.5, view._scene.index)
    c, r, s = (round(v) for v in voxel)
    value = view.annotations().bottom_right[0].text
    assert value == f"{session.volume.array[s, r, c]} HU".replace("-", "−")


class TestMeasuring:
    """On the oblique plane, by the same tools as on straight ones."""

    @pytest.fixture
    def view(self, grid, mouse):
        """The oblique pane, leaning by 25 degrees."""
        turn_by(grid, mouse, SAGITTAL, 25.0)
        return grid.views[LEANING]

    def words(self, view):
        view.grab()
        return ["\n".join(label.lines) for label in view.measuring.labels]

    def place(self, view, right, down):
        """View position so many mm right of and below the crosshair."""
        framing = view._framing
        x, y = framing.to_view(*view._planes().to_picture(view._session.cursor))
        return x + right * framing.pixels_per_mm, y + down * framing.pixels_per_mm

    def draw(self, view, mouse, tool, start, end):
        view._session.set_tool(tool)
        mouse.drag(view, self.place(view, *start), self.place(view, *end))
        return view._session.measurements.selected

    def test_a_length_is_that_in_the_patient(self, view, session, mouse):
        made = self.draw(view, mouse, Tool.LENGTH, (-3, -2), (3, 6))
        assert self.words(view) == ["10.0 mm"]
        a, b = (np.array(session.volume.position(*point)) for point in made.points)
        assert np.linalg.norm(b - a) == pytest.approx(10.0, abs=1e-6)
        tilt = session.arrangement.panes[LEANING].tilt
        assert abs((b - a) @ tilt.normal) == pytest.approx(0.0, abs=1e-6)
        assert (made.slant.right, made.slant.down) == (tilt.right, tilt.down)

    def test_a_region_tells_of_samples_and_its_handles_keep_to_its_sides(
        self, view, session, mouse
    ):
        session.arrangement.activate(LEANING)
        session.arrangement.update_active(
            replace(session.arrangement.active_pane, turn=Turn(1, mirrored=True))
        )
        made = self.draw(view, mouse, Tool.RECTANGLE, (-4, -3), (4, 3))
        (text,) = self.words(view)
        assert text.startswith("48.0 mm², ")
        assert "samples" in text
        session.set_tool(Tool.WINDOW)
        mouse.drag(view, self.place(view, 4, 3), self.place(view, 6, 5))
        after = session.measurements.get(made.id)
        sides = np.ptp(after.slant.flat(after.positions), axis=0) * after.slant.step
        assert sorted(sides) == pytest.approx([8.0, 10.0])

    def test_it_is_seen_on_its_own_plane_alone_and_let_go_on_others(self, view, session, mouse):
        made = self.draw(view, mouse, Tool.LENGTH, (-3, -2), (3, 6))
        mouse.wheel(view, 1)
        assert self.words(view) == []
        assert session.measurements.selected is None, "keys would delete what nobody sees"
        mouse.wheel(view, -1)
        assert self.words(view) == ["10.0 mm"]
        session.measurements.select(made.id)
        next(c for c in oblique_commands(session) if c.id == "oblique-back").do()
        assert self.words(view) == []
        assert session.measurements.selected is None

    def test_the_table_goes_back_to_its_plane(self, grid, view, session, mouse):
        made = self.draw(view, mouse, Tool.ELLIPSE, (-3, -2), (3, 6))
        tilt = session.arrangement.panes[LEANING].tilt
        turn_by(grid, mouse, AXIAL, 30.0)
        session.set_cursor((1, 2, 3))
        session.measurements.show(made.id)
        assert session.arrangement.panes[LEANING].tilt == tilt
        assert len(self.words(view)) == 1
        assert session.measurements.selected == made
        session.arrangement.set_layout(Layout("One"))
        session.measurements.show(made.id)
        assert session.arrangement.active_pane.content is Content.OBLIQUE
        assert session.measurements.selected == made
        assert len(self.words(grid.views[0])) == 1

    def test_it_can_be_moved_as_a_whole_and_by_a_pixel(self, view, session, mouse, qtbot):
        made = self.draw(view, mouse, Tool.LENGTH, (-3, -2), (3, 6))
        session.set_tool(Tool.WINDOW)
        mouse.drag(view, self.place(view, 0, 2), self.place(view, 2, 2))
        moved = session.measurements.get(made.id)
        way = (moved.slant.flat(moved.positions) - made.slant.flat(made.positions)) * 1.0
        assert way[:, 0] * made.slant.step == pytest.approx([2.0, 2.0], abs=1e-6)
        assert way[:, 1] == pytest.approx([0.0, 0.0], abs=1e-6)
        mouse.drag(view, self.place(view, -1, -2), self.place(view, -1, -1))
        before = session.measurements.get(made.id)
        view.setFocus()
        qtbot.keyClick(view, Qt.Key.Key_Right)
        after = session.measurements.get(made.id)
        change = after.slant.flat(after.positions) - before.slant.flat(before.positions)
        assert change[0] == pytest.approx([1.0, 0.0], abs=1e-6)
        assert change[1] == pytest.approx([0.0, 0.0], abs=1e-6)

    def test_a_line_of_a_slice_is_not_drawn_out_of_it(self, view, session, mouse):
        """The axial line along the axis of the lean lies in both planes."""
        column, row, slice_ = (float(round(value)) for value in session.cursor)
        session.set_cursor((column, row, slice_))
        ends = [(column - 6.0, row, slice_), (column + 6.0, row, slice_)]
        made = session.measurements.add(Kind.LENGTH, ends, 2)
        assert self.words(view) == ["12.0 mm"]
        at = view._framing.to_view(*view._planes().to_picture(ends[1]))
        mouse.drag(view, at, (at[0], at[1] + 40.0))
        assert session.measurements.measurements == (made,)
        assert session.measurements.selected == made

    def test_nothing_begins_beside_the_volume(self, grid, view, session, mouse):
        turn_by(grid, mouse, AXIAL, 45.0)
        session.set_tool(Tool.LENGTH)
        corner = view._framing.to_view(2.0, 2.0)
        mouse.drag(view, corner, (corner[0] + 60, corner[1] + 60))
        assert session.measurements.measurements == ()

    def test_what_is_half_drawn_is_forgotten_when_the_plane_turns(self, view, session, mouse):
        session.set_tool(Tool.ANGLE)
        mouse.drag(view, self.place(view, -3, -2), self.place(view, 3, 2))
        assert view.measuring._drawing is not None
        next(c for c in oblique_commands(session) if c.id == "oblique-back").do()
        mouse.move(view, self.place(view, 0, 5))
        view.grab()
        assert view.measuring._drawing is None
        assert session.measurements.measurements == ()


def test_a_slab_of_it_says_how_thick_it_is(grid, session):
    session.arrangement.activate(LEANING)
    session.arrangement.set_slab(Slab(SlabMode.MAXIMUM, 20.0))
    text = grid.views[LEANING].annotations().top_left[1].text
    assert text == "MIP of 20 planes, 20.0 mm, sampled every 2.0 mm"


def test_another_volume_begins_with_an_upright_plane(grid, session, mouse, show):
    turn_by(grid, mouse, AXIAL, 30.0)
    show(array=np.zeros((5, 8, 8), np.int16))
    assert session.arrangement.panes[LEANING].tilt == Tilt()


def test_masks_lie_where_they_are(grid, session, mouse):
    """A mask through all slices is cut by the plane exactly where its voxels are."""
    turn_by(grid, mouse, AXIAL, 30.0)
    view = grid.views[LEANING]
    planes, index = view._planes(), view._scene.index
    mask = session.volume.array > -350
    cut = planes.slab(mask, index, view._scene.pane)
    outside = planes.outside(index, view._scene.pane)
    columns, rows, *_ = planes.size()
    for row in range(0, rows, 5):
        for column in range(0, columns, 5):
            if outside[row, column]:
                continue
            at = planes.to_voxel(column + 0.5, row + 0.5, index)
            c, r, s = (min(max(round(v), 0), n - 1) for v, n in zip(at, (40, 40, 31), strict=True))
            assert cut[row, column] == mask[s, r, c]
