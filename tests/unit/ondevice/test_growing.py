"""Masks grow in torch as they do by OpenCV's distances."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inference.lungs import dilate, reach_squared
from inference.ondevice.growing import grown
from tests import factories


def _masks() -> np.ndarray:
    rng = np.random.default_rng(4)
    masks = np.zeros((5, 120, 90), dtype=bool)
    masks[0, rng.integers(0, 120, 12), rng.integers(0, 90, 12)] = True
    masks[1, 40:70, 30:50] = True
    masks[2] = rng.random((120, 90)) < 0.001
    masks[3, 0, 0] = masks[3, -1, -1] = True
    return masks  # the last is empty


@pytest.mark.parametrize("pixel_mm", [0.683, 0.7, 0.78125, 1.0, 3.0])
@pytest.mark.parametrize("millimetres", [2.0, 10.0, 40.0])
def test_the_same_pixels_are_within_reach(
    pixel_mm: float, millimetres: float, device: torch.device
) -> None:
    masks = _masks()
    affine = np.diag([pixel_mm, pixel_mm, 5.0, 1.0])
    volume = factories.make_volume(np.zeros(masks.shape, np.int16), affine)
    expected = dilate(masks, volume, millimetres)
    found = grown(torch.from_numpy(masks).to(device), reach_squared(millimetres, pixel_mm))
    np.testing.assert_array_equal(found.cpu().numpy(), expected)
    if millimetres >= pixel_mm:
        assert expected.sum() > masks.sum()
    assert not expected[4].any()


def test_nothing_grows_where_not_even_a_neighbour_is_near() -> None:
    masks = torch.from_numpy(_masks())
    assert reach_squared(0.5, 1.0) == 0
    assert torch.equal(grown(masks, 0), masks)
    assert reach_squared(1.0, 1.0) == 1
    assert reach_squared(1.5, 1.0) == 2
