"""Turning an oblique plane."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.tilt import Tilt


def test_at_first_it_is_a_coronal_plane_seen_from_the_front():
    assert Tilt().normal == (0.0, 1.0, 0.0), "away from the reader is towards the back"


@pytest.mark.parametrize(
    ("about", "right", "down"),
    [
        ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
        ((1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
        ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0)),
    ],
)
def test_a_quarter_turn_follows_the_right_hand(about, right, down):
    turned = Tilt().rotated(about, 90.0)
    assert turned.right == pytest.approx(right, abs=1e-12)
    assert turned.down == pytest.approx(down, abs=1e-12)


def test_right_angles_stay_right_however_often_it_is_turned():
    tilt = Tilt()
    for step in range(2000):
        tilt = tilt.rotated(tilt.right if step % 2 else tilt.normal, 17.3)
    frame = np.array([tilt.right, tilt.down, tilt.normal])
    assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12)


def test_a_turn_back_is_where_it_was():
    tilt = Tilt().rotated((0.0, 0.0, 1.0), 25.0).rotated((1.0, 0.0, 0.0), -40.0)
    back = tilt.rotated((1.0, 0.0, 0.0), 40.0).rotated((0.0, 0.0, 1.0), -25.0)
    assert back.right == pytest.approx(Tilt().right, abs=1e-12)
    assert back.down == pytest.approx(Tilt().down, abs=1e-12)
