"""Left is left: LPS points on the screen."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.volume3d.camera import VIEWS, Camera

BOUNDS = np.array([[-100.0, -80.0, -150.0], [100.0, 80.0, 150.0]])
PLACES = {
    "L": np.array([50.0, 0, 0]), "R": np.array([-50.0, 0, 0]), "A": np.array([0, -50.0, 0]),
    "P": np.array([0, 50.0, 0]), "H": np.array([0, 0, 50.0]), "F": np.array([0, 0, -50.0]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("view", "right", "top", "near"),
    [
        ("anterior", "L", "H", "A"),
        ("posterior", "R", "H", "P"),
        ("left", "P", "H", "L"),
        ("right", "A", "H", "R"),
        ("head", "R", "A", "H"),
        ("feet", "L", "A", "F"),
    ],
)
def test_each_side_shows_the_patient_the_right_way_round(view, right, top, near):
    camera = Camera().seen_from(view)
    placed = {letter: camera.project(point, BOUNDS, 400, 300) for letter, point in PLACES.items()}
    assert max(placed, key=lambda letter: placed[letter][0]) == right
    assert min(placed, key=lambda letter: placed[letter][1]) == top
    assert max(placed, key=lambda letter: placed[letter][2]) == near


@pytest.mark.parametrize("azimuth", [-170, -60, 0, 35, 120])
@pytest.mark.parametrize("elevation", [-90, -20, 0, 70, 90])
def test_axes_are_a_right_handed_frame(azimuth, elevation):
    axes = Camera(azimuth, elevation).axes()
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_turning_to_the_right_brings_what_is_near_to_the_right():
    nose = PLACES["A"]
    before = Camera().project(nose, BOUNDS, 400, 400)
    after = Camera().turned(20, 0).project(nose, BOUNDS, 400, 400)
    assert after[0] > before[0] + 5
    assert Camera().turned(0, 20).project(nose, BOUNDS, 400, 400)[1] < before[1] - 5


def test_the_head_never_turns_below_the_feet():
    assert Camera().turned(0, -500).elevation == 90.0
    assert Camera().turned(0, 500).elevation == -90.0
    assert Camera().turned(-270, 0).azimuth == -90.0


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(400, 400), (900, 300), (300, 900)])
def test_the_middle_is_in_the_middle_and_the_patient_fits(view, size):
    camera = Camera().seen_from(view)
    assert camera.project(BOUNDS.mean(0), BOUNDS, *size)[:2] == pytest.approx(
        (size[0] / 2, size[1] / 2)
    )
    corners = np.array([[BOUNDS[i >> a & 1, a] for a in range(3)] for i in range(8)])
    placed = camera.project(corners, BOUNDS, *size)
    assert placed[:, 0].min() >= 0
    assert placed[:, 0].max() <= size[0]
    assert placed[:, 1].min() >= 0
    assert placed[:, 1].max() <= size[1]


def test_moving_is_in_mm_of_the_screen_and_the_focus_follows():
    camera = Camera(30, 20, zoom=2.0).moved(10.0, -4.0)
    placed = camera.project(camera.focus(BOUNDS), BOUNDS, 400, 300)
    assert placed[:2] == pytest.approx((200, 150))
    half = camera.half_height(BOUNDS, 400, 300)
    at = camera.project(BOUNDS.mean(0), BOUNDS, 400, 300)
    assert (at[0] - 200) * half / 150 == pytest.approx(10.0)
    assert (150 - at[1]) * half / 150 == pytest.approx(-4.0)


def test_zoom_has_ends():
    assert Camera().zoomed(1e9).zoom == 20.0
    assert Camera().zoomed(1e-9).zoom == 0.3
