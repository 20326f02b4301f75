"""Whole steps from parts of a notch."""

from __future__ import annotations

from viewer.viewport.wheel import WheelSteps


def test_a_notch_is_a_step():
    assert [WheelSteps().add(turn) for turn in (1.0, -1.0, 3.0)] == [1, -1, 3]


def test_parts_add_up():
    wheel = WheelSteps()
    assert [wheel.add(0.375) for _ in range(6)] == [0, 0, 1, 0, 0, 1]


def test_turning_back_starts_afresh():
    wheel = WheelSteps()
    wheel.add(0.9)
    assert wheel.add(-0.5) == 0
    assert wheel.add(-0.5) == -1
