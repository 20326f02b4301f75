"""Panes in their places: each shows its own planes of one point, and the mouse takes them along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from inference.errors import ExportRefusedError
from inference.findings import Manifestation
from inference.measurements import Kind
from inference.studies.model import Window
from viewer.hanging import load_layouts
from viewer.panes import Content, Layout, Slab, SlabMode, Turn
from viewer.session import Tool
from viewer.viewport import PaneGrid

MPR = next(each.layout for each in load_layouts() if each.id == "mpr")


def greys() -> np.ndarray:
    """A CT of 7 × 16 × 16 whose value tells the slice, row and column: 100 s + 10 r + c - 1000."""
    slices, rows, columns = np.ogrid[:7, :16, :16]
    return (100 * slices + 10 * rows + columns - 1000).astype(np.int16)


@pytest.fixture
def grid(qtbot: Any, session: Any, show: Callable[..., Any]) -> PaneGrid:
    """Three panes of an open CT."""
    widget = PaneGrid(session)
    qtbot.addWidget(widget)
    widget.resize(800, 600)
    session.arrangement.set_layout(MPR)
    show(array=greys())
    with qtbot.waitExposed(widget, timeout=20_000):
        widget.show()
    return widget


def place_of(grid: PaneGrid, number: int) -> tuple[str, ...]:
    return tuple(line.text for line in grid.views[number].annotations().top_left)


def test_each_pane_says_which_planes_it_shows(grid, session):
    assert [place_of(grid, n) for n in range(3)] == [
        ("Axial  Im 4 (4/7)  ·  H 6.0 mm",),
        ("Coronal  9/16  ·  P 8.0 mm",),
        ("Sagittal  9/16  ·  L 8.0 mm",),
    ]
    session.set_cursor((3, 5, 1))
    assert [place_of(grid, n) for n in range(3)] == [
        ("Axial  Im 2 (2/7)  ·  H 2.0 mm",),
        ("Coronal  6/16  ·  P 5.0 mm",),
        ("Sagittal  4/16  ·  L 3.0 mm",),
    ]


def test_letters_are_those_of_the_plane(grid):
    found = [view.annotations().letters for view in grid.views]
    assert [(f.left, f.right, f.top, f.bottom) for f in found] == [
        ("R", "L", "A", "P"),
        ("R", "L", "H", "F"),
        ("A", "P", "H", "F"),
    ]


def test_the_wheel_moves_the_planes_of_the_pane_under_it(grid, session, mouse):
    before = session.cursor
    mouse.wheel(grid.views[1], 2)
    assert session.cursor == (before[0], before[1] + 2, before[2])
    mouse.wheel(grid.views[2], -3)
    assert session.cursor == (before[0] - 3, before[1] + 2, before[2])
    mouse.wheel(grid.views[0], 1)
    assert session.position == before[2] + 1


def test_the_value_under_the_mouse_is_that_voxel(grid, session, mouse):
    session.set_cursor((8, 8, 3))
    for view, of in zip(
        grid.views,
        (lambda c, r: (c, r, 3), lambda c, r: (c, 8, 6 - r), lambda c, r: (8, c, 6 - r)),
        strict=True,
    ):
        framing = view._framing
        mouse.move(view, framing.to_view(5.5, 2.5))
        column, row, slice_ = of(5, 2)
        value, place = (line.text for line in view.annotations().bottom_right[:2])
        assert value == f"{100 * slice_ + 10 * row + column - 1000} HU".replace("-", "−")
        assert place == f"L {column}.0  P {row}.0  H {2 * slice_}.0 mm"


def test_the_pixels_are_those_of_the_plane(grid, session, seen):
    session.set_window(Window(-500.0, 2000.0))
    session.arrangement.toggle_crosshair()
    view = grid.views[1]
    before = seen(view)
    session.set_cursor((8, 15, 3))
    after = seen(view)
    x, y = (round(v) for v in view._framing.to_view(8.5, 3.5))
    assert after[y, x, 0] > before[y, x, 0], "rows further back are brighter in this CT"
    session.set_cursor((8, 15, 6))
    assert np.array_equal(seen(view)[y, x], after[y, x]), "another slice is the same coronal plane"


def test_a_plane_between_pixels_keeps_true_proportions(grid, seen, session):
    """Slices are 2 mm apart, pixels 1 mm: the coronal picture is 16 by 14 mm."""
    framing = grid.views[1]._framing
    assert framing.scale_y == pytest.approx(2 * framing.scale_x)


def test_crosshair_drag_takes_every_plane_to_the_point(grid, session, mouse):
    session.set_tool(Tool.CROSSHAIR)
    view = grid.views[0]
    start, end = view._framing.to_view(2.5, 3.5), view._framing.to_view(11.5, 12.5)
    mouse.drag(view, start, end)
    assert session.cursor == pytest.approx((11, 12, 3), abs=0.05)
    assert place_of(grid, 1)[0].startswith("Coronal  13/16")
    assert place_of(grid, 2)[0].startswith("Sagittal  12/16")


def test_moving_with_shift_takes_every_plane_along(grid, session):
    view = grid.views[2]
    at = QPointF(*view._framing.to_view(4.5, 1.5))
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.ShiftModifier,
    )  # fmt: skip
    QApplication.sendEvent(view, event)
    assert session.cursor == pytest.approx((8, 4, 5), abs=0.05)


def test_the_crosshair_is_seen_where_the_other_planes_lie(grid, session, seen):
    session.set_cursor((3, 5, 1))
    view = grid.views[0]
    x, y = (int(v) for v in view._framing.to_view(3.5, 5.5))
    image = seen(view)
    beside = image[y + 60, x]
    assert beside[2] > beside[0] + 40, "a blue line"
    assert np.ptp(image[y, x]) < 20, "the point itself stays free"
    session.arrangement.toggle_crosshair()
    assert np.ptp(seen(view)[y + 60, x]) < 20


def test_a_click_makes_a_pane_the_active_one_and_a_frame_shows_it(grid, session, mouse, seen):
    assert session.arrangement.active == 0
    view = grid.views[2]
    assert np.ptp(seen(view)[0, 50]) < 20
    mouse.drag(view, (50, 50), (50, 50))
    assert session.arrangement.active == 2
    assert grid.active_view is view
    edge = seen(view)[0, 50]
    assert edge[2] > edge[0] + 40
    assert np.ptp(seen(grid.views[0])[0, 50]) < 20


def test_a_double_click_gives_a_pane_the_whole_room_and_takes_it_away(grid, session, mouse, qtbot):
    width = grid.views[1].width()
    mouse.double_click(grid.views[1], (60, 60))
    assert session.arrangement.maximised
    assert [view.isVisible() for view in grid.views] == [False, True, False]
    qtbot.waitUntil(lambda: grid.views[1].width() > 1.5 * width)
    mouse.double_click(grid.views[1], (60, 60))
    assert all(view.isVisible() for view in grid.views)


def test_a_slab_is_shown_and_said(grid, session, mouse):
    session.arrangement.activate(0)
    session.arrangement.set_slab(Slab(SlabMode.MAXIMUM, 6.0))
    view = grid.views[0]
    assert place_of(grid, 0)[1] == "MIP of 3 planes, 6.0 mm"
    mouse.move(view, view._framing.to_view(5.5, 2.5))
    assert view.annotations().bottom_right[0].text == "MIP −575 HU", "slice 5 of 3, 4 and 5"
    assert place_of(grid, 1)[0].startswith("Coronal"), "the other panes stay thin"
    assert len(place_of(grid, 1)) == 1


def test_masks_are_cut_as_the_picture_is(grid, session, analysed, seen):
    mask = np.zeros(session.volume.shape, bool)
    mask[5, 8, 3] = True
    analysed({Manifestation.GGO: mask})
    session.arrangement.toggle_crosshair()

    def is_coloured(number: int, column: float, row: float) -> bool:
        view = grid.views[number]
        x, y = (round(v) for v in view._framing.to_view(column, row))
        pixel = seen(view)[y, x]
        return bool(np.ptp(pixel) > 20)

    session.set_cursor((3, 8, 5))
    assert is_coloured(0, 3.5, 8.5)
    assert is_coloured(1, 3.5, 1.5)
    assert is_coloured(2, 8.5, 1.5)
    session.set_cursor((4, 9, 4))
    assert not is_coloured(0, 3.5, 8.5)
    assert not is_coloured(1, 3.5, 1.5)
    assert not is_coloured(2, 8.5, 1.5)


def test_a_heatmap_lies_on_the_slice_it_explains_only(grid, session, analysed, heat):
    from viewer.session import HeatmapChoice

    analysed()
    session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
    session.set_heatmap(session.volume.series_uid, heat)
    assert [view.annotations().heatmap for view in grid.views] == ["COVID-19", "", ""]
    session.arrangement.set_slab(Slab(SlabMode.MEAN, 6.0))
    assert grid.views[0].annotations().heatmap == ""


def test_planes_that_are_not_there_are_refused_in_words_on_the_pane(grid, show, session, mouse):
    show(array=np.zeros((1, 16, 16), np.int16))
    assert "One picture alone has no coronal planes" in grid.views[1].accessibleDescription()
    mouse.wheel(grid.views[1], 1)
    mouse.drag(grid.views[1], (50, 50), (80, 80))
    mouse.double_click(grid.views[1], (50, 50))
    session.arrangement.maximise(False)
    assert grid.picture().size() == grid.size() * grid.devicePixelRatioF()


def test_another_layout_keeps_panes_that_stay(grid, session):
    session.arrangement.activate(1)
    session.arrangement.update_active(replace(session.arrangement.active_pane, turn=Turn(1)))
    session.arrangement.set_layout(Layout("x", ((Content.CORONAL,), (Content.STACK,))))
    assert [view.isVisible() for view in grid.views] == [True, True]
    assert session.arrangement.panes[0].turn == Turn(1)
    assert grid.views[0].annotations().letters.top == "R"


def test_another_volume_is_shown_upright(grid, session, show):
    session.arrangement.update_active(replace(session.arrangement.active_pane, turn=Turn(1)))
    session.arrangement.set_slab(Slab(SlabMode.MEAN, 6.0))
    show(series_uid="1.2.3")
    assert session.arrangement.active_pane.turn == Turn()
    assert session.arrangement.active_pane.slab.mode is SlabMode.THIN


def test_the_picture_holds_every_pane_with_its_banner(grid, session, pixels):
    session.set_window(Window(-500.0, 2000.0))
    picture = pixels(grid.picture())
    assert picture.shape[:2] == (600, 800)
    for view in grid.views:
        corner = view.mapTo(grid, view.rect().topLeft())
        part = picture[corner.y() : corner.y() + view.height(), corner.x() :][:, : view.width()]
        own = pixels(view.picture())
        assert np.array_equal(part, own)


def test_nothing_open_is_nothing_to_export(qtbot, session):
    widget = PaneGrid(session)
    qtbot.addWidget(widget)
    with pytest.raises(ExportRefusedError, match="open a study first"):
        widget.picture()


def test_scroll_tool_goes_through_the_planes(grid, session, mouse):
    session.set_tool(Tool.SCROLL)
    mouse.drag(grid.views[1], (60, 60), (60, 36))
    assert session.cursor[1] == 11


def test_the_magnifier_shows_the_point_larger_while_it_is_held(grid, session, seen):
    session.set_tool(Tool.MAGNIFIER)
    session.set_window(Window(-500.0, 2000.0))
    session.arrangement.toggle_crosshair()
    view = grid.views[0]
    before = seen(view)
    at = QPointF(*view._framing.to_view(8.0, 8.0))
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    press, release = (
        QMouseEvent(kind, at, view.mapToGlobal(at), button, button, none)
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease)
    )
    QApplication.sendEvent(view, press)
    held = seen(view)
    changed = np.argwhere((held != before).any(axis=-1))
    middle = (changed.min(axis=0) + changed.max(axis=0)) / 2
    assert middle == pytest.approx((at.y(), at.x()), abs=3)
    assert np.ptp(changed[:, 0]) == pytest.approx(220, abs=4)
    QApplication.sendEvent(view, release)
    assert np.array_equal(seen(view), before)


def test_a_place_that_is_asked_for_is_marked_in_every_plane(grid, session, seen):
    session.arrangement.toggle_crosshair()
    session.go_to_voxel(3, 12, 5)
    assert session.cursor == (3.0, 12.0, 5.0)
    for view, at in zip(grid.views, ((3.5, 12.5), (3.5, 1.5), (12.5, 1.5)), strict=True):
        x, y = (round(v) for v in view._framing.to_view(*at))
        ring = seen(view)[y, x + 22] if x + 22 < view.width() else seen(view)[y, x - 22]
        assert ring[2] > ring[0] + 40, "a blue ring"
    session.set_cursor((3, 12, 4))
    x, y = (round(v) for v in grid.views[0]._framing.to_view(3.5, 12.5))
    assert np.ptp(seen(grid.views[0])[y, x + 22]) < 20, "it lies in another axial plane now"


# -- measuring on other planes ---------------------------------------------------------------------


def test_a_length_on_a_coronal_plane_counts_the_distance_between_slices(grid, session, mouse):
    session.set_tool(Tool.LENGTH)
    view = grid.views[1]
    start, end = view._framing.to_view(2.5, 1.5), view._framing.to_view(2.5, 4.5)
    mouse.drag(view, start, end)
    (made,) = session.measurements.measurements
    assert made.points[0] == pytest.approx((2, 8, 5), abs=0.05)
    assert made.points[1] == pytest.approx((2, 8, 2), abs=0.05)
    view.grab()
    (label,) = view.measuring.labels
    assert label.lines == ("6.0 mm",), "three slices of 2 mm"


def test_a_region_on_a_sagittal_plane_is_of_its_stored_values(grid, session, mouse):
    session.set_tool(Tool.RECTANGLE)
    view = grid.views[2]
    mouse.drag(view, view._framing.to_view(2.0, 1.0), view._framing.to_view(5.0, 3.0))
    (made,) = session.measurements.measurements
    values = session.measurements.values(made)
    expected = session.volume.array[4:6, 2:5, 8]
    assert values.region.pixels == 6
    assert values.region.mean == pytest.approx(expected.mean())


def test_the_list_leads_to_the_plane_of_a_measurement(grid, session, mouse):
    session.set_tool(Tool.RECTANGLE)
    view = grid.views[1]
    mouse.drag(view, view._framing.to_view(2.0, 1.0), view._framing.to_view(5.0, 3.0))
    (made,) = session.measurements.measurements
    session.set_cursor((3, 2, 1))
    assert session.measurements.selected is None
    session.measurements.show(made.id)
    assert session.cursor == (3, 8, 1)
    assert session.measurements.selected == made


def test_a_line_is_seen_on_other_planes_and_moved_on_its_own_alone(grid, session, mouse):
    """Its end taken into another slice, an axial line would lie in no axial plane."""
    made = session.measurements.add(Kind.LENGTH, [(3, 8, 3), (9, 8, 3)], 2)
    session.measurements.select("")
    axial, coronal = grid.views[0], grid.views[1]
    coronal.grab()
    end = coronal._framing.to_view(*coronal._planes().to_picture((9.0, 8.0, 3.0)))
    away = coronal._framing.to_view(*coronal._planes().to_picture((9.0, 8.0, 1.0)))
    mouse.drag(coronal, end, away)
    assert session.measurements.measurements == (made,)
    assert session.measurements.selected == made, "it is seen there, so it can be chosen there"
    end = axial._framing.to_view(*axial._planes().to_picture((9.0, 8.0, 3.0)))
    away = axial._framing.to_view(*axial._planes().to_picture((12.0, 8.0, 3.0)))
    mouse.drag(axial, end, away)
    (moved,) = session.measurements.measurements
    assert moved.points[1] == pytest.approx((12.0, 8.0, 3.0), abs=0.05)


def test_a_probe_is_moved_on_any_plane(grid, session, mouse):
    session.measurements.add(Kind.PROBE, [(9, 8, 3)], 2)
    coronal = grid.views[1]
    coronal.grab()
    start, end = (
        coronal._framing.to_view(*coronal._planes().to_picture(voxel))
        for voxel in ((9.0, 8.0, 3.0), (9.0, 8.0, 1.0))
    )
    mouse.drag(coronal, start, end)
    assert session.measurements.measurements[0].points == ((9.0, 8.0, 1.0),)


class TestOnASlab:
    """What is measured on several planes that are shown as one stays with these."""

    @pytest.fixture
    def slab(self, session):
        """The active pane, axial, shows the highest of three planes around the fourth."""
        session.arrangement.set_slab(Slab(SlabMode.MAXIMUM, 6.0))
        session.set_tool(Tool.RECTANGLE)
        return session.arrangement.active_pane.slab

    def shown(self, grid, number=0):
        """What is written beside the measurements of a pane."""
        grid.views[number].grab()
        return [label.lines for label in grid.views[number].measuring.labels]

    def test_a_region_says_what_the_picture_shows(self, grid, session, mouse, slab):
        mouse.drag(grid.views[0], (100, 200), (150, 250))
        (made,) = session.measurements.measurements
        assert made.slab.words == "MIP of 3 planes, 6.0 mm"
        ((_, mean, extremes),) = self.shown(grid)
        (left, top, _), (right, bottom, _) = made.points
        rows = slice(int(np.ceil(top)), int(bottom) + 1)
        columns = slice(int(np.ceil(left)), int(right) + 1)
        inside = session.volume.array[4, rows, columns]
        assert mean.startswith(f"mean {inside.mean():.1f} HU".replace("-", "−"))
        assert f"max {inside.max()}".replace("-", "−") in extremes

    def test_it_is_seen_on_this_slab_alone(self, grid, session, mouse, slab):
        mouse.drag(grid.views[0], (100, 200), (150, 250))
        assert len(self.shown(grid)) == 1
        session.arrangement.set_slab(Slab(SlabMode.THIN, 6.0))
        assert self.shown(grid) == []
        session.arrangement.set_slab(Slab(SlabMode.MEAN, 6.0))
        assert self.shown(grid) == []
        session.arrangement.set_slab(slab)
        assert len(self.shown(grid)) == 1
        session.set_cursor((8.0, 8.0, 4.0))
        assert self.shown(grid) == []

    def test_the_list_brings_the_slab_back(self, grid, session, mouse, slab):
        mouse.drag(grid.views[0], (100, 200), (150, 250))
        (made,) = session.measurements.measurements
        session.arrangement.set_slab(Slab(SlabMode.THIN, 6.0))
        session.set_cursor((8.0, 8.0, 0.0))
        session.measurements.show(made.id)
        assert session.arrangement.active_pane.slab == slab
        assert session.position == 3
        assert len(self.shown(grid)) == 1
        assert session.measurements.selected == made

    def test_what_was_measured_on_one_plane_is_not_passed_off_as_the_slab(
        self, grid, session, mouse, slab
    ):
        session.arrangement.set_slab(Slab(SlabMode.THIN, 6.0))
        mouse.drag(grid.views[0], (100, 200), (150, 250))
        assert len(self.shown(grid)) == 1
        (made,) = session.measurements.measurements
        session.arrangement.set_slab(slab)
        assert self.shown(grid) == []
        session.measurements.show(made.id)
        assert session.arrangement.active_pane.slab.mode is SlabMode.THIN
        assert len(self.shown(grid)) == 1

    def test_it_is_moved_in_its_own_slab(self, grid, session, mouse, slab):
        session.set_tool(Tool.LENGTH)
        view = grid.views[0]
        mouse.drag(view, (100, 200), (150, 200))
        (made,) = session.measurements.measurements
        mouse.drag(view, (125, 200), (125, 230))
        (moved,) = session.measurements.measurements
        assert moved.points[0][1] > made.points[0][1]
        assert (moved.slab, moved.plane) == (made.slab, made.plane)
        session.set_cursor((8.0, 8.0, 4.0))
        assert len(self.shown(grid)) == 1, "this slab holds its plane, too"
        mouse.drag(view, (125, 230), (125, 200))
        assert session.measurements.measurements == (moved,)

    def test_on_an_oblique_slab(self, grid, session, mouse, slab):
        session.arrangement.show_in_active(Content.OBLIQUE)
        session.set_tool(Tool.LENGTH)
        view = grid.views[0]
        mouse.drag(view, (140, 200), (180, 200))
        (made,) = session.measurements.measurements
        assert made.slant is not None
        assert made.slab.merge.value == "maximum"
        assert len(self.shown(grid)) == 1
        session.arrangement.set_slab(Slab(SlabMode.THIN, 6.0))
        assert self.shown(grid) == []
        session.measurements.show(made.id)
        assert len(self.shown(grid)) == 1
