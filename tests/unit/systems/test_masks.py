"""Streams that overlap share no pixel."""

from __future__ import annotations

import numpy as np
import pytest

from inference.findings import Manifestation
from inference.preprocess import Box
from inference.systems.elbana.masks import combine, enter

GGO, CONSOLIDATION, EFFUSION = Manifestation
NONE = 0


@pytest.mark.parametrize(
    ("probabilities", "code"),
    [
        ((0.4, 0.3, 0.2), NONE),
        ((0.9, 0.4, 0.2), 1),
        ((0.9, 0.6, 0.2), 1),
        ((0.3, 0.6, 0.2), 2),
        ((0.6, 0.3, 0.8), 3),
        ((0.6, 0.7, 0.8), 3),
        ((0.6, 0.8, 0.7), 2),
        ((0.9, 0.6, 0.8), 1),
    ],
)
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_a_pixel_has_one_code_whatever_the_order_of_the_streams(
    probabilities: tuple[float, ...], code: int, order: tuple[int, ...]
) -> None:
    keys = [list(Manifestation)[i] for i in order]
    values = np.array([probabilities[i] for i in order], dtype=np.float32).reshape(3, 1, 1)
    assert combine(values, keys)[0, 0] == code


def test_a_stream_alone_is_cut_at_one_half() -> None:
    values = np.array([[[0.49, 0.51]]], dtype=np.float32)
    assert combine(values, [EFFUSION]).tolist() == [[0, 3]]


def test_only_what_the_network_was_shown_is_entered() -> None:
    codes = np.zeros((8, 10), dtype=np.uint8)
    everywhere = np.ones((16, 16), dtype=np.float32)
    enter({CONSOLIDATION: everywhere, GGO: everywhere}, codes, Box(2, 6, 1, 5))
    assert set(np.unique(codes[2:6, 1:5])) == {2}
    assert codes.sum() == 2 * 16
