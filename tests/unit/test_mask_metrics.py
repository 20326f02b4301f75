"""Overlap and surface agreement of masks, against cases done by hand and by distance maps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from sklearn import metrics as skm

from inference.training.mask_metrics import Overlap, count, dice, surface_dice


def test_dice_counts() -> None:
    assert dice(2, 4, 4) == 0.5
    assert dice(0, 0, 0) == 1.0
    assert dice(0, 3, 0) == 0.0


def test_overlap_metrics_are_sklearns() -> None:
    chooser = np.random.default_rng(0)
    true, called = chooser.random((2, 30, 20)) < 0.3
    known = chooser.random((30, 20)) < 0.9
    found = count(called, true, known).metrics()
    t, c = true[known], called[known]
    assert found["Dice"] == pytest.approx(skm.f1_score(t, c))
    assert found["IoU"] == pytest.approx(skm.jaccard_score(t, c))
    assert found["mIoU"] == pytest.approx((skm.jaccard_score(t, c) + skm.jaccard_score(~t, ~c)) / 2)
    assert found["sensitivity"] == pytest.approx(skm.recall_score(t, c))
    assert found["specificity"] == pytest.approx(skm.recall_score(~t, ~c))


def test_two_empty_masks_agree() -> None:
    found = Overlap(0, 0, 0, 100).metrics()
    assert (found["Dice"], found["IoU"], found["mIoU"], found["specificity"]) == (1, 1, 1, 1)
    assert np.isnan(found["sensitivity"])
    assert surface_dice(np.zeros((5, 5), bool), np.zeros((5, 5), bool)) == 1.0
    assert surface_dice(np.ones((5, 5), bool), np.zeros((5, 5), bool)) == 0.0


def _square(top: int, left: int) -> np.ndarray:
    mask = np.zeros((40, 40), dtype=bool)
    mask[top : top + 12, left : left + 12] = True
    return mask


@pytest.mark.parametrize(("shift", "expected"), [(0, 1.0), (2, 1.0), (3, 52 / 88)])
def test_surface_dice_of_a_shifted_square(shift: int, expected: float) -> None:
    """A square of 12 has 44 outline pixels. Shifted by 3, of each 26 stay near the other outline:
    11 on each side along the shift, and two at both ends of the inner one across it.
    """
    assert surface_dice(_square(10, 10), _square(10, 10 + shift)) == pytest.approx(expected)


def test_surface_dice_is_that_of_distance_maps() -> None:
    chooser = np.random.default_rng(5)
    for _ in range(5):
        first, second = (
            ndimage.gaussian_filter(chooser.normal(size=(48, 64)), 4) > 0.01 for _ in range(2)
        )
        outlines = [m & ~ndimage.binary_erosion(m) for m in (first, second)]
        away = [ndimage.distance_transform_edt(~outline) for outline in outlines]
        close = (away[1][outlines[0]] <= 2).sum() + (away[0][outlines[1]] <= 2).sum()
        expected = close / sum(outline.sum() for outline in outlines)
        assert surface_dice(first, second, 2) == pytest.approx(expected)
