"""Thresholds are chosen where the slices that they are chosen on are best served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inference.cuts import HALF, Cut
from inference.findings import Manifestation
from inference.preprocess import Box
from inference.training.evaluation.segmentation import Predictions, average, measure
from inference.training.evaluation.thresholds import GROWN, PLAIN, choose, try_out
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


def chosen(*parts: Predictions, cuts: tuple[Cut, ...] = PLAIN) -> dict[Manifestation, Cut]:
    return choose([try_out(part, cuts) for part in parts])


def test_a_timid_network_is_cut_low_and_a_bold_one_high() -> None:
    assert chosen(slices(0.35, 0.15))[GGO].seed in (0.2, 0.3)
    assert chosen(slices(0.95, 0.65))[GGO].seed in (0.7, 0.8)


def test_half_stays_where_nothing_speaks_against_it() -> None:
    found = chosen(slices(0.9, 0.05))
    assert found == {GGO: HALF, EFFUSION: HALF}, "equal Dice at many cuts, and no effusion at all"


def test_false_alarms_on_empty_slices_count() -> None:
    """To find one faint lesion of two is not worth eight false alarms."""
    shown = [slices(0.9, 0.0, (True,)), slices(0.35, 0.0, (True,))]
    assert chosen(*shown, slices(0.15, 0.0, (False,) * 8))[GGO] == Cut.at(0.3)
    assert chosen(*shown, slices(0.33, 0.0, (False,) * 8))[GGO] == HALF


def test_thresholds_change_what_is_measured() -> None:
    found = slices(0.4, 0.0)
    assert measure(found).values["ggo"][:, 1].tolist() == [0.0, 0.0]
    called = measure(found, {GGO: Cut.at(0.3)}).values["ggo"]
    assert called[:, 0].tolist() == called[:, 2].tolist() == [144.0, 144.0]


class TestGrownFromSeeds:
    """One threshold says whether there is a lesion, the other how large it is."""

    def test_what_hangs_together_with_a_seed_is_called(self) -> None:
        values = np.zeros((8, 8), dtype=np.float32)
        values[1:4, 1:4] = 0.3
        values[2, 2] = 0.6
        values[4, 4] = 0.3  # touches at a corner
        values[6:8, 6:8] = 0.4  # has no seed
        called = Cut(0.5, 0.2).call(values)
        expected = np.zeros((8, 8), dtype=bool)
        expected[1:4, 1:4] = expected[4, 4] = True
        np.testing.assert_array_equal(called, expected)
        np.testing.assert_array_equal(Cut.at(0.35).call(values), values > 0.35)
        assert not Cut(0.9, 0.2).call(values).any()

    def test_an_edge_above_its_seed_is_none(self) -> None:
        with pytest.raises(ValueError, match="below its seed"):
            Cut(0.3, 0.5)

    def test_trying_out_agrees_with_calling(self) -> None:
        chooser = np.random.default_rng(2)
        found = slices(0.4, 0.1)
        noisy = tuple(
            tuple((m + chooser.normal(0, 0.15, m.shape)).astype(np.float32) for m in maps)
            for maps in found.maps
        )
        found = replace(found, maps=noisy)
        tried = try_out(found, GROWN)
        for number in range(0, len(GROWN), 5):
            values = measure(found, {GGO: GROWN[number]}).values["ggo"]
            both, called, true = values[:, 0], values[:, 1], values[:, 2]
            expected = 2 * both / (called + true)
            np.testing.assert_allclose(tried.dices[GGO][:, number], expected)

    def test_a_timid_outline_round_a_sure_core_is_grown(self) -> None:
        """With one threshold, faint patches beside the lesion come with its outline."""
        core = np.zeros((SIDE, SIDE), dtype=bool)
        core[12:16, 12:16] = True
        beside = np.zeros((SIDE, SIDE), dtype=bool)
        beside[24:31, 2:30] = True
        found = slices(0.25, 0.0)
        maps = tuple((np.where(core, 0.9, np.where(beside, 0.25, m[0])), m[1]) for m in found.maps)
        found = replace(found, maps=tuple(tuple(np.float32(one) for one in each) for each in maps))
        cut = chosen(found, cuts=GROWN)[GGO]
        assert cut.seed > 0.25 > cut.edge
        assert measure(found, {GGO: cut}).values["ggo"][0, :3].tolist() == [144.0] * 3
        plain = chosen(found)[GGO]
        assert measure(found, {GGO: plain}).values["ggo"][0, 1] != 144.0


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
