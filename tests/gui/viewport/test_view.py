"""The slice view, driven by the mouse and judged by its pixels.

The view is 400 by 400 and the picture 16 by 16, so a fitted picture pixel is 25 by 25.
"""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication

from inference.errors import ExportRefusedError
from inference.findings import Manifestation
from inference.studies.model import Problem, Unit, Window
from tests.gui.viewport.seeing import SIDE, at, is_coloured, middle_of, one_pixel
from viewer.session import Tool
from viewer.viewport import scene as scene_module
from viewer.viewport.framing import Framing


def test_the_wheel_goes_through_the_slices_and_the_picture_follows(
    view, session, show, mouse, seen
):
    show()
    session.set_window(Window(-700.0, 800.0))
    greys = []
    for _ in range(3):
        greys.append(at(seen(view), 5, 6)[0])
        mouse.wheel(view, 1)
    assert session.position == 6
    assert greys[0] < greys[1] < greys[2]
    mouse.wheel(view, -2)
    assert session.position == 4
    assert at(seen(view), 5, 6)[0] == greys[1]


def test_dragging_changes_width_across_and_level_along(view, session, show, mouse, seen):
    show()
    before = session.window
    grey = at(seen(view), 5, 6)[0]
    mouse.drag(view, (100, 100), (150, 100))
    assert session.window.width == pytest.approx(before.width + 150)
    assert session.window.centre == before.centre
    assert session.window.name == ""
    mouse.drag(view, (100, 100), (100, 180))
    assert session.window.centre == pytest.approx(before.centre + 240)
    assert at(seen(view), 5, 6)[0] < grey


def test_a_click_without_a_drag_leaves_the_window_alone(view, session, show, mouse):
    show()
    before = session.window
    mouse.drag(view, (100, 100), (100, 100))
    assert session.window == before


def test_the_window_text_follows_the_window(view, session, show):
    show()
    assert view.annotations().top_right[0].text == "W 1500  L −600  ·  Lung"
    session.set_window(Window(40.0, 400.0, "Mediastinum"))
    assert view.annotations().top_right[0].text == "W 400  L 40  ·  Mediastinum"
    assert "W 400" in view.accessibleDescription()


def test_monochrome1_is_inverted_once(view, session, show, seen):
    array = np.zeros((1, 16, 16), np.uint16)
    array[:, :, 8:] = 1000
    show(array=array, unit=Unit.GREY, modality="DX", inverted=True, has_orientation=False)
    session.set_window(Window(500.0, 200.0))
    image = seen(view)
    assert at(image, 4, 6).tolist() == [255, 255, 255]
    assert at(image, 12, 6).tolist() == [0, 0, 0]
    session.toggle_invert()
    image = seen(view)
    assert at(image, 4, 6).tolist() == [0, 0, 0]
    assert at(image, 12, 6).tolist() == [255, 255, 255]


@pytest.mark.parametrize(("row_mm", "column_mm"), [(2.0, 1.0), (1.0, 2.0), (0.7, 0.7)])
def test_seen_are_shown_with_the_patients_proportions(view, show, session, seen, row_mm, column_mm):
    affine = np.diag([column_mm, row_mm, 1.0, 1.0])
    array = np.full((1, 16, 16), 1000, np.int16)
    show(affine=affine, array=array, has_orientation=False)
    view.zoom_by(0.5)
    white = (seen(view) == 255).all(axis=-1)
    white[360:] = False  # the banner
    white[:60] = False  # the corner texts
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height / width == pytest.approx(row_mm / column_mm, rel=0.02)
    assert max(height, width) == 200


def test_an_axial_slice_has_its_letters_as_seen_from_the_feet(view, show):
    show()
    letters = view.annotations().letters
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "A", "P")


def test_letters_are_drawn_only_where_the_orientation_is_known(view, show, seen):
    black = np.full((1, 16, 16), -2000, np.int16)
    places = {
        "left": np.s_[190:210, 8:36], "right": np.s_[190:210, 364:392],
        "top": np.s_[8:26, 188:212], "bottom": np.s_[350:368, 188:212],
    }  # fmt: skip
    show(array=black)
    image = seen(view)
    assert all(image[place].max() > 150 for place in places.values())
    show(array=black, has_orientation=False)
    image = seen(view)
    assert view.annotations().letters is None
    assert all(image[place].max() < 30 for place in places.values())


def test_a_slice_stored_the_other_way_round_is_turned_with_its_masks(
    view, session, show, analysed, seen, mouse
):
    affine = np.diag([-1.0, -1.0, 2.0, 1.0])
    array = np.full((7, 16, 16), -1000, np.int16)
    array[3, 6, 4] = 500
    show(affine=affine, array=array)
    assert view.annotations().letters.left == "R"
    assert at(seen(view), 11, 9).min() == 255
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    assert is_coloured(at(seen(view), 11, 9))
    mouse.move(view, middle_of(11, 9))
    value, place = view.annotations().bottom_right[:2]
    assert value.text == "500 HU  GGO"
    assert place.text == "L −4.0  P −6.0  H 6.0 mm"


def test_the_scale_bar_measures_the_patient(view, show):
    show()
    bar = view.annotations().scale
    assert bar.label == "2 mm" if bar.pixels == 50 else bar.label == "5 mm"
    assert bar.pixels / float(bar.label.split()[0]) == pytest.approx(400 / 16)
    view.zoom_by(2.0)
    bar = view.annotations().scale
    assert bar.pixels / float(bar.label.split()[0]) == pytest.approx(800 / 16)


def test_there_is_no_scale_bar_without_geometry(view, show):
    show(has_geometry=False)
    assert view.annotations().scale is None


def marked(show, row=6, column=4):
    array = np.full((1, 16, 16), -2000, np.int16)
    array[0, row, column] = 1000
    show(array=array, has_orientation=False, has_geometry=False)


def white_middle(seen, view):
    white = (seen(view) > 250).all(axis=-1)
    white[:40], white[-40:] = False, False
    rows, columns = np.nonzero(white)
    return columns.mean() + 0.5, rows.mean() + 0.5, len(rows)


def test_the_wheel_with_ctrl_zooms_around_the_cursor(view, session, show, mouse, seen):
    marked(show)
    x, y = middle_of(4, 6)
    mouse.wheel(view, 2, (x, y), Qt.KeyboardModifier.ControlModifier)
    new_x, new_y, count = white_middle(seen, view)
    assert (new_x, new_y) == pytest.approx((x, y), abs=1.0)
    assert count == pytest.approx((SIDE * 1.44) ** 2, rel=0.05)
    assert session.position == 0


@pytest.mark.parametrize(
    ("tool", "button"),
    [(Tool.PAN, Qt.MouseButton.LeftButton), (Tool.WINDOW, Qt.MouseButton.MiddleButton)],
)
def test_panning_takes_the_picture_along(view, session, show, mouse, seen, tool, button):
    marked(show)
    session.set_tool(tool)
    window = session.window
    mouse.drag(view, (150, 200), (190, 170), button)
    x, y = middle_of(4, 6)
    assert white_middle(seen, view)[:2] == pytest.approx((x + 40, y - 30), abs=1.0)
    assert session.window == window


@pytest.mark.parametrize(
    ("tool", "button"),
    [(Tool.ZOOM, Qt.MouseButton.LeftButton), (Tool.WINDOW, Qt.MouseButton.RightButton)],
)
def test_dragging_up_with_the_zoom_magnifies_and_a_double_click_fits(
    view, session, show, mouse, seen, tool, button
):
    marked(show)
    session.set_tool(tool)
    start = white_middle(seen, view)
    mouse.drag(view, middle_of(4, 6), (middle_of(4, 6)[0], 100.0), button)
    assert white_middle(seen, view)[2] > 1.5 * start[2]
    mouse.double_click(view, (200, 200))
    assert white_middle(seen, view) == start


def test_resetting_the_session_fits_the_picture(view, session, show, mouse):
    show()
    view.zoom_by(3.0)
    assert view.annotations().top_right[1].text == "×75.00"
    session.reset_view()
    assert view.annotations().top_right[1].text == "×25.00"


def test_resizing_keeps_the_picture_fitted(view, show, qtbot):
    show()
    view.resize(640, 480)
    assert view.annotations().top_right[1].text == "×30.00"


def test_a_second_button_does_not_disturb_a_drag(view, session, show, mouse):
    show()
    before = session.window
    button, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    kind = QEvent.Type
    mouse.send(view, kind.MouseButtonPress, (100, 100), button, button)
    mouse.drag(view, (100, 100), (160, 100), Qt.MouseButton.RightButton)
    mouse.send(view, kind.MouseMove, (110, 100), none, button)
    mouse.send(view, kind.MouseButtonRelease, (110, 100), button, none)
    mouse.move(view, (300, 300))
    assert session.window.width == pytest.approx(before.width + 30)


def test_the_corners_say_whose_images_and_which(view, show):
    show()
    written = view.annotations()
    assert [line.text for line in written.whose] == ["Doe, Jane", "4711"]
    assert [line.text for line in written.acquired] == ["Chest", "Lung 5 mm"]
    assert written.top_left[0].text == "Im 4 (4/7)  ·  H 6.0 mm"
    assert view.accessibleDescription().startswith("Doe, Jane, 4711, Im 4 (4/7)")


def test_the_value_under_the_cursor_is_told_until_the_mouse_leaves(view, session, show, mouse):
    show()
    mouse.move(view, middle_of(4, 6))
    texts = [line.text for line in view.annotations().bottom_right]
    assert texts == ["−700 HU", "L 4.0  P 6.0  H 6.0 mm"]
    session.step(1)
    assert view.annotations().bottom_right[0].text == "−600 HU"
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert view.annotations().bottom_right == ()


def test_a_hidden_segment_is_not_told_under_the_cursor(view, session, show, analysed, mouse):
    show()
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    mouse.move(view, middle_of(4, 6))
    assert view.annotations().bottom_right[0].text == "−700 HU  GGO"
    session.toggle_overlays()
    assert view.annotations().bottom_right[0].text == "−700 HU"


def test_lossy_seen_and_doubts_are_marked_and_explained(view, show, mouse):
    doubts = (Problem("a", "Slices 3 & 4 are missing."), Problem("b", "Spacing is uneven."))
    show(lossy=True, problems=doubts, study_problems=doubts[:1])
    marks = [line.text for line in view.annotations().bottom_right]
    assert marks == ["lossy", "⚠ 2 doubts: Slices 3 & 4 are missing."]
    view.grab()
    tip = mouse.rest(view, (380, 360))
    assert "Slices 3 &amp; 4 are missing." in tip
    assert "Spacing is uneven." in tip
    assert mouse.rest(view, (200, 200)) == ""


def test_nothing_is_doubtful_about_a_good_volume(view, show):
    show()
    assert view.annotations().bottom_right == ()


def test_an_empty_view_says_what_to_do(view, seen):
    assert "drop a folder or a file here" in view.accessibleDescription()
    assert seen(view)[150:250].max() > 120


@pytest.mark.parametrize("gesture", ["wheel", "drag", "click", "move"])
def test_an_empty_view_bears_every_gesture(view, session, mouse, gesture):
    doings = {
        "wheel": lambda: mouse.wheel(view, 1),
        "drag": lambda: mouse.drag(view, (10, 10), (50, 60)),
        "click": lambda: mouse.double_click(view, (10, 10)),
        "move": lambda: mouse.move(view, (10, 10)),
    }
    doings[gesture]()
    session.reset_view()
    view.zoom_by(2.0)
    view.grab()
    assert session.position == 0


def test_the_exported_picture_is_the_view_with_overlays_and_banner(
    view, session, show, analysed, pixels, mouse
):
    show(array=np.full((7, 16, 16), -2000, np.int16))
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    mouse.move(view, middle_of(14, 6))
    picture = view.picture()
    image = pixels(picture)
    assert (picture.width(), picture.height()) == (
        round(400 * view.devicePixelRatioF()),
        round(400 * view.devicePixelRatioF()),
    )
    assert not picture.hasAlphaChannel()
    assert is_coloured(at(image, 4, 6))
    banner = image[376:394, 100:300]
    assert banner.max() > 180
    # What the mouse happens to lie on is no part of the picture.
    assert image[320:372, 250:].max() < 60


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_scaled_screen_gets_every_device_pixel(session, show, analysed, pixels, ratio):
    show()
    analysed({Manifestation.GGO: one_pixel(session, 6, 4)})
    scene = scene_module.Scene(session)
    scene.forget_volume()
    image = scene.frame(Framing(401.0, 403.0, *scene.section.size()), ratio)
    assert (image.width(), image.height()) == (round(401 * ratio), round(403 * ratio))
    image.setDevicePixelRatio(1.0)
    rows, columns = np.nonzero(is_coloured(pixels(image)))
    side = 401 * ratio / 16
    assert (columns.min(), columns.max() + 1) == pytest.approx((4 * side, 5 * side), abs=0.5)
    top = ratio + 6 * side
    assert (rows.min(), rows.max() + 1) == pytest.approx((top, top + side), abs=0.5)


def test_there_is_no_picture_without_a_study(view):
    with pytest.raises(ExportRefusedError, match="open a study"):
        view.picture()


def test_only_what_changed_is_drawn_anew(view, session, show, mouse, monkeypatch):
    show()
    calls = []
    compose, grey_of = scene_module.compose, scene_module.grey_of
    monkeypatch.setattr(
        scene_module, "compose", lambda *args: calls.append("frame") or compose(*args)
    )
    monkeypatch.setattr(
        scene_module, "grey_of", lambda *args: calls.append("grey") or grey_of(*args)
    )
    view.grab()
    calls.clear()
    mouse.move(view, (120, 130))
    view.grab()
    assert calls == []
    session.toggle_overlays()
    view.grab()
    assert calls == ["frame"]
    session.step(1)
    view.grab()
    assert calls == ["frame", "grey", "frame"]
