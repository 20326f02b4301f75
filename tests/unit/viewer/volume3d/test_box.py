"""The clipping box."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.volume3d.box import EDGES, ClipBox
from viewer.volume3d.camera import Camera

BOUNDS = np.array([[-100.0, -80.0, -150.0], [100.0, 80.0, 150.0]])
LEFT_FACE, FRONT_FACE, HEAD_FACE = 3, 1, 5


def test_a_new_box_cuts_nothing_off():
    box = ClipBox.around(BOUNDS)
    assert box.pair() == ((-100, -80, -150), (100, 80, 150))
    assert {tuple(corner) for corner in box.corners} >= {(-100, -80, -150), (100, 80, 150)}
    assert len(EDGES) == 12


def test_a_face_follows_the_mouse_in_mm():
    box = ClipBox.around(BOUNDS).dragged(LEFT_FACE, -30.0, 5.0, Camera(), BOUNDS)
    assert box.high[0] == pytest.approx(70.0)
    assert box.dragged(HEAD_FACE, 0.0, -20.0, Camera(), BOUNDS).high[2] == pytest.approx(130.0)


def test_seen_from_behind_the_mouse_goes_the_other_way():
    behind = Camera().seen_from("posterior")
    box = ClipBox.around(BOUNDS).dragged(LEFT_FACE, 30.0, 0.0, behind, BOUNDS)
    assert box.high[0] == pytest.approx(70.0)


def test_faces_neither_leave_the_volume_nor_pass_each_other():
    box = ClipBox.around(BOUNDS)
    assert box.dragged(LEFT_FACE, 500.0, 0.0, Camera(), BOUNDS).high[0] == 100.0
    assert box.dragged(LEFT_FACE, -500.0, 0.0, Camera(), BOUNDS).high[0] == -95.0


def test_a_face_seen_straight_on_is_not_dragged():
    box = ClipBox.around(BOUNDS)
    assert not box.draggable(FRONT_FACE, Camera())
    assert box.draggable(FRONT_FACE, Camera(azimuth=40))
    assert box.dragged(FRONT_FACE, 10.0, 10.0, Camera(), BOUNDS) == box
