"""The strip: slider and summary in one."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from inference.findings import Manifestation
from inference.lesions import find_lesions
from viewer import theme


def count_of(image, colour):
    return int((image == [colour.red(), colour.green(), colour.blue()]).all(axis=-1).sum())


def x_of(strip, index):
    """View x in the middle of one of the seven slices."""
    shown = np.array([strip.slice_at(x) for x in range(strip.width())])
    second, last = (np.argmax(shown == wanted) for wanted in (1, 6))
    return second + (index - 0.5) * (last - second) / 5


def test_without_a_study_it_is_empty_and_bears_every_gesture(strip, mouse, qtbot, session):
    mouse.drag(strip, (50, 20), (90, 20))
    mouse.wheel(strip, 1, (50, 20))
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.counter() == ""
    assert mouse.rest(strip, (50, 20)) == ""
    assert session.position == 0


def test_a_click_goes_to_the_slice_and_a_drag_follows(strip, session, show, mouse):
    show()
    mouse.drag(strip, (x_of(strip, 1), 20), (x_of(strip, 1), 20))
    assert session.position == 1
    visited = []
    session.position_changed.connect(visited.append)
    mouse.drag(strip, (x_of(strip, 2), 20), (x_of(strip, 6), 20))
    assert visited == [2, 4, 6]


def test_beyond_the_ends_are_the_first_and_the_last_slice(strip, session, show, mouse):
    show()
    mouse.drag(strip, (200, 20), (-30, 20))
    assert session.position == 0
    mouse.drag(strip, (200, 20), (900, 20))
    assert session.position == 6


def test_the_right_button_does_not_move(strip, session, show, mouse):
    show()
    mouse.drag(strip, (10, 20), (390, 20), Qt.MouseButton.RightButton)
    assert session.position == 3


def test_arrow_keys_go_one_slice_back_and_forth(strip, session, show, qtbot):
    show()
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert session.position == 5
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert session.position == 4


def test_the_wheel_works_as_over_the_picture(strip, session, show, mouse):
    show()
    mouse.wheel(strip, 2, (50, 20))
    assert session.position == 5


def test_the_counter_counts_from_one(strip, session, show):
    show()
    session.set_position(0)
    assert strip.counter() == "Im 1 (1/7)"
    session.set_position(6)
    assert strip.counter() == "Im 7 (7/7)"


def test_the_marker_follows_the_position(strip, session, show, seen):
    show()
    text = theme.colour("text")

    def marker():
        image = seen(strip)[: strip.height() // 4]
        return np.nonzero((image == [text.red(), text.green(), text.blue()]).all(-1))[1].mean()

    places = []
    for index in (0, 3, 6):
        session.set_position(index)
        places.append(marker())
        assert places[-1] == pytest.approx(x_of(strip, index), abs=1.5)


def masks(*heights):
    """Of each manifestation so many rows of every slice but the last; the last has none."""
    made = {}
    for key, height in zip(Manifestation, heights, strict=True):
        made[key] = np.zeros((7, 16, 16), bool)
        top = list(Manifestation).index(key) * 4
        for index in range(6):
            made[key][index, top : top + height, : 2 * (index + 1)] = True
    return made


def test_marked_areas_are_drawn_in_the_colours_of_their_findings(strip, show, analysed, seen):
    show()
    assert count_of(seen(strip), theme.findings_colour(Manifestation.GGO)) == 0
    analysed(masks(4, 2, 0), per_slice=np.full((7, 3), 0.1, np.float32))
    image = seen(strip)
    areas = [count_of(image, theme.findings_colour(key)) for key in Manifestation]
    # Each class on its own scale: the larger of two is not drawn larger.
    assert areas[0] == pytest.approx(areas[1], rel=0.05)
    assert areas[0] > 5 * areas[2]
    ggo = theme.findings_colour(Manifestation.GGO)
    heights = [
        count_of(image[:, round(x_of(strip, i)) - 6 : round(x_of(strip, i)) + 6], ggo)
        for i in (1, 2, 4)
    ]
    assert heights[0] < heights[1] < heights[2], "as high as there is much marked"


def test_the_probability_is_a_thin_line_over_the_areas(strip, session, show, analysed, seen):
    show()
    session.set_position(6)
    text = theme.colour("text")

    def line_row(value):
        analysed(masks(0, 0, 0), per_slice=np.full((7, 3), value, np.float32))
        x = round(x_of(strip, 2))
        lane = seen(strip)[: strip.height() // 3, x - 6 : x + 6]
        rows = np.nonzero((lane == [text.red(), text.green(), text.blue()]).all(-1).any(1))[0]
        assert 0 < len(rows) <= 2
        return rows.mean()

    assert line_row(0.9) < line_row(0.5) < line_row(0.1)


def test_ticks_stand_at_listed_lesions(strip, session, show, analysed, seen):
    volume = show()
    findings = analysed(masks(4, 2, 0), per_slice=np.full((7, 3), 0.1, np.float32))
    session.set_position(6)
    before = seen(strip)
    listed = find_lesions(findings, volume)
    session.lesions.set_listed(findings, listed)
    after = seen(strip)
    changed = np.flatnonzero((before != after).any(axis=(0, 2)))
    wanted = {round(x_of(strip, lesion.voxel[2])) for lesion in listed.lesions}
    assert wanted
    assert all(np.abs(changed - x).min() <= 1 for x in wanted)
    assert "1 listed lesion" in strip.describe(listed.lesions[0].voxel[2])


def test_what_was_not_analysed_is_hatched_and_not_zero(strip, session, show, analysed, seen):
    show()
    session.set_position(6)
    per_slice = np.full((7, 3), 0.0, np.float32)
    per_slice[:2] = np.nan
    analysed(per_slice=per_slice)
    image = seen(strip)
    first, other = round(x_of(strip, 0)), round(x_of(strip, 4))
    ggo = theme.findings_colour(Manifestation.GGO)
    assert count_of(image[:, first - 8 : first + 8], ggo) == 0
    assert count_of(image[:, first - 8 : first + 8], theme.colour("disabled")) > 10
    assert count_of(image[:, other - 8 : other + 8], ggo) >= 16
    assert count_of(image[:, other - 8 : other + 8], theme.colour("disabled")) == 0


def test_the_tooltip_tells_slice_and_values(strip, session, show, analysed, mouse):
    show()
    per_slice = np.tile(np.float32([0.91, 0.5, 0.25]), (7, 1))
    per_slice[0] = np.nan
    analysed(per_slice=per_slice)
    assert mouse.rest(strip, (x_of(strip, 2), 20)) == (
        "Im 3, slice 3 of 7<br>GGO: nothing marked, probability 0.91, not calibrated<br>"
        "Consolidation: nothing marked, probability 0.50, not calibrated<br>"
        "Effusion: nothing marked, probability 0.25, not calibrated"
    )
    analysed(masks(4, 2, 0), per_slice=per_slice)
    assert "<br>GGO: 0.2 cm² marked, probability 0.91, not calibrated<br>" in mouse.rest(
        strip, (x_of(strip, 2), 20)
    )


def test_it_has_a_name_and_tells_its_state_to_assistive_technology(strip, session, show):
    assert strip.accessibleName() == "Slices"
    assert strip.accessibleDescription() == "No study is open"
    show()
    assert strip.accessibleDescription() == "Im 4, slice 4 of 7"
    session.step(1)
    assert strip.accessibleDescription() == "Im 5, slice 5 of 7"


def test_findings_are_dropped_with_the_volume(strip, show, analysed, seen):
    show()
    analysed(per_slice=np.full((7, 3), 0.5, np.float32))
    show()
    assert count_of(seen(strip), theme.findings_colour(Manifestation.GGO)) == 0
    assert "GGO" not in strip.accessibleDescription()


def test_the_height_does_not_change_with_findings(strip, show, analysed):
    before = strip.sizeHint()
    show()
    analysed(per_slice=np.full((7, 3), 0.5, np.float32))
    assert strip.sizeHint() == before
