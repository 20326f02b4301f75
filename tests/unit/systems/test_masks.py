"""Streams that overlap share no pixel."""

from __future__ import annotations

import numpy as np
import pytest

from inference.cuts import Cut
from inference.findings import Manifestation
from inference.preprocess import Box
from inference.studies.model import Volume
from inference.systems.elbana.masks import combine, enter, keep_to_lungs

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


class TestGrown:
    """A stream with two thresholds: the faint outline comes with the sure core, not without."""

    SURE, FAINT = 0.8, 0.3

    def maps(self) -> np.ndarray:
        values = np.zeros((2, 6, 9), dtype=np.float32)
        values[1, 1:4, 1:4] = self.FAINT
        values[1, 2, 2] = self.SURE
        values[1, 1:4, 6:8] = self.FAINT
        return values

    def test_to_the_edge_in_one_piece_with_a_seed(self) -> None:
        codes = combine(self.maps(), [GGO, EFFUSION], {EFFUSION: Cut(0.5, 0.2)})
        expected = np.zeros((6, 9), dtype=np.uint8)
        expected[1:4, 1:4] = 3
        np.testing.assert_array_equal(codes, expected)
        assert (combine(self.maps(), [GGO, EFFUSION]) > 0).sum() == 1, "at one half the core alone"

    def test_a_faint_pixel_loses_to_a_stream_that_is_surer_of_it(self) -> None:
        values = self.maps()
        values[0, 1, 1], values[0, 3, 3] = 0.6, 0.45
        codes = combine(values, [GGO, EFFUSION], {EFFUSION: Cut(0.5, 0.2)})
        assert codes[1, 1] == 1
        assert codes[3, 3] == 3, "ground glass that is not called takes nothing away"

    def test_it_is_grown_on_the_grid_of_the_picture(self) -> None:
        codes = np.zeros((12, 18), dtype=np.uint8)
        faint, core = self.maps()
        enter({GGO: faint, EFFUSION: core}, codes, None, {EFFUSION: Cut(0.5, 0.2)})
        assert (codes[:, :9] == 3).sum() > 20
        assert not codes[:, 10:].any()


def test_only_what_the_network_was_shown_is_entered() -> None:
    codes = np.zeros((8, 10), dtype=np.uint8)
    everywhere = np.ones((16, 16), dtype=np.float32)
    enter({CONSOLIDATION: everywhere, GGO: everywhere}, codes, Box(2, 6, 1, 5))
    assert set(np.unique(codes[2:6, 1:5])) == {2}
    assert codes.sum() == 2 * 16


@pytest.mark.parametrize(
    ("code", "away_mm", "kept"),
    [
        (1, 6, True), (1, 15, False), (2, 6, True), (2, 15, False),
        (3, 15, True), (3, 36, True), (3, 48, False),
    ],
)  # fmt: skip
def test_how_far_from_the_lungs_each_may_lie(
    chest: Volume, code: int, away_mm: int, kept: bool
) -> None:
    """Effusion lies in the pleural space, the others in the lung: 40 mm and 10 mm."""
    lungs = chest.array == -850
    _, row_mm, column_mm = chest.spacing
    assert row_mm == column_mm == 3.0
    edge = int(np.flatnonzero(lungs[6, 64])[-1])
    codes = np.zeros(chest.shape, np.uint8)
    codes[6, 64, edge + away_mm // 3] = code
    keep_to_lungs(codes, lungs, chest)
    assert codes.any() == kept
