"""The window of what brings none along."""

from __future__ import annotations

import numpy as np
import pytest

from tests import factories
from viewer.first_window import percentile_window

ALL = np.zeros(0, dtype=bool)


@pytest.mark.parametrize("shape", [(1, 60, 50), (1, 3000, 2500), (40, 256, 256)])
def test_it_spans_all_but_the_ends(shape: tuple[int, int, int]) -> None:
    chooser = np.random.default_rng(5)
    array = chooser.gamma(3.0, 300.0, shape).astype(np.uint16)
    window = percentile_window(factories.make_volume(array), ALL)
    low, high = np.percentile(array, [1.0, 99.0])
    assert window.width == pytest.approx(high - low, rel=0.02)
    assert window.centre == pytest.approx((low + high) / 2, rel=0.02)


def test_what_has_not_been_read_does_not_count() -> None:
    array = np.zeros((4, 20, 20), np.int16)
    array[2] = np.linspace(100, 300, 400).reshape(20, 20)
    read = np.array([False, False, True, False])
    window = percentile_window(factories.make_volume(array), read)
    assert window.centre == pytest.approx(200, abs=1)
    assert window.width == pytest.approx(196, abs=2)
