"""Thresholds are chosen where the slices that they are chosen on are best served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from inference.findings import Manifestation
from inference.preprocess import Box
from inference.training.evaluation.segmentation import Predictions, average, measure
from inference.training.evaluation.thresholds import choose
from inference.training.losses import CODES
from inference.training.manifest import Row

SIDE = 32
GGO = Manifestation.GGO
EFFUSION = Manifestation.EFFUSION


def slices(inside: float, beside: float, shown: tuple[bool, ...] = (True, True)) -> Predictions:
    """Ground glass in a square that gets the one probability, and its surroundings the other."""
    square = np.zeros((SIDE, SIDE), dtype=bool)
    square[8:20, 8:20] = True
    maps = np.zeros((len(shown), 2, SIDE, SIDE), dtype=np.float32)
    maps[:, 0] = np.where(square, inside, beside)
    truths = tuple(np.where(square & s, CODES["ggo"], 0).astype(np.uint8) for s in shown)
    row = Row(Path("x"), "image", None, "ct_segmentation", "toy", "CT", "", "g")
    return Predictions(
        (row,) * len(shown), np.array(["test"] * len(shown)), (GGO, EFFUSION),
        tuple(map(tuple, maps)),
        (None,) * len(shown), truths,
    )  # fmt: skip


def test_a_timid_network_is_cut_low_and_a_bold_one_high() -> None:
    assert choose([slices(0.35, 0.15)])[GGO] in (0.2, 0.3)
    assert choose([slices(0.95, 0.65)])[GGO] in (0.7, 0.8)


def test_half_stays_where_nothing_speaks_against_it() -> None:
    found = choose([slices(0.9, 0.05)])
    assert found == {GGO: 0.5, EFFUSION: 0.5}, "equal Dice at many cuts, and no effusion at all"


def test_false_alarms_on_empty_slices_count() -> None:
    """To find one faint lesion of two is not worth eight false alarms."""
    shown = [slices(0.9, 0.0, (True,)), slices(0.35, 0.0, (True,))]
    assert choose([*shown, slices(0.15, 0.0, (False,) * 8)])[GGO] == 0.3
    assert choose([*shown, slices(0.33, 0.0, (False,) * 8)])[GGO] == 0.5


def test_thresholds_change_what_is_measured() -> None:
    found = slices(0.4, 0.0)
    assert measure(found).values["ggo"][:, 1].tolist() == [0.0, 0.0]
    called = measure(found, {GGO: 0.3}).values["ggo"]
    assert called[:, 0].tolist() == called[:, 2].tolist() == [144.0, 144.0]


def test_forms_of_different_size_are_averaged() -> None:
    large, bold = slices(0.4, 0.0), slices(0.8, 0.0)
    small = replace(
        bold, maps=tuple(tuple(one[::2, ::2].copy() for one in maps) for maps in bold.maps)
    )
    both = average([large, small])
    glass, fluid = both.maps[0]
    assert glass.shape == fluid.shape == (SIDE, SIDE)
    assert glass.dtype == np.float32
    assert glass[14, 14] == np.float32(0.6), "inside the square"
    assert glass[2, 2] == 0
    assert measure(both).values["ggo"][0, 1] > 0 == measure(large).values["ggo"][0, 1]


def test_a_map_of_a_part_of_the_picture_lies_where_the_part_lies() -> None:
    whole = slices(0.8, 0.0)
    part = Box(8, 20, 8, 20)
    inside = tuple(tuple(part.cut(m).copy() for m in maps) for maps in whole.maps)
    one = replace(whole, maps=inside, boxes=(part, part))
    np.testing.assert_array_equal(one.on_truth(0), whole.on_truth(0))
    np.testing.assert_allclose(average([whole, one]).on_truth(1), whole.on_truth(1), atol=1e-6)
