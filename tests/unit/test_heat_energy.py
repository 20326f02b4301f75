"""Heat inside a region, beside what a map without preference would have there."""

from __future__ import annotations

import numpy as np
import pytest

from inference.findings import Energy
from inference.heat_energy import energy_inside, figure_text, points_inside, warning_text
from tests import factories

LEFT = np.zeros((4, 8), dtype=bool)
LEFT[:, :2] = True


def heat(**columns: float) -> np.ndarray:
    """A map with one value a column, named c0 to c7."""
    values = np.zeros(LEFT.shape, dtype=np.float32)
    for name, value in columns.items():
        values[:, int(name[1])] = value
    return values


def test_an_even_map_has_its_share_of_the_area() -> None:
    energy = energy_inside(np.full(LEFT.shape, 0.3, dtype=np.float32), LEFT)
    assert energy is not None
    assert energy.inside == pytest.approx(0.25)
    assert energy.even == 0.25


def test_heat_is_counted_where_it_is() -> None:
    energy = energy_inside(heat(c0=1.0, c7=0.25), LEFT)
    assert energy is not None
    assert energy.inside == pytest.approx(0.8)
    assert energy_inside(heat(c7=1.0), LEFT) == Energy(0.0, 0.25)
    assert energy_inside(heat(c1=0.5), LEFT) == Energy(1.0, 0.25)


def test_what_speaks_against_the_class_is_no_heat() -> None:
    assert energy_inside(heat(c0=1.0, c7=-5.0), LEFT) == Energy(1.0, 0.25)


def test_what_was_not_seen_counts_neither_as_heat_nor_as_area() -> None:
    seen = np.ones(LEFT.shape, dtype=bool)
    seen[:, 4:] = False
    assert energy_inside(heat(c0=1.0, c7=1.0), LEFT, seen) == Energy(1.0, 0.5)


def test_no_heat_lies_nowhere() -> None:
    """None, since a share of nothing is not 0."""
    assert energy_inside(heat(), LEFT) is None
    assert energy_inside(heat(c0=-1.0), LEFT) is None
    assert points_inside(heat(), LEFT) is None


def test_a_slice_without_the_region_has_a_share_of_zero() -> None:
    assert energy_inside(heat(c0=1.0), np.zeros_like(LEFT)) == Energy(0.0, 0.0)


def test_wrong_shapes_and_blind_networks_are_faults() -> None:
    with pytest.raises(ValueError, match="shapes differ"):
        energy_inside(heat(c0=1.0), LEFT[:2])
    with pytest.raises(ValueError, match="nothing of the picture was seen"):
        energy_inside(heat(c0=1.0), LEFT, np.zeros_like(LEFT))
    with pytest.raises(ValueError, match="shares lie between 0 and 1"):
        Energy(1.2, 0.5)


def test_the_pointing_game_asks_for_the_hottest_pixel() -> None:
    assert points_inside(heat(c0=0.9, c7=1.0), LEFT) is False
    assert points_inside(heat(c0=1.0, c7=0.9), LEFT) is True
    seen = np.ones(LEFT.shape, dtype=bool)
    seen[:, 4:] = False
    assert points_inside(heat(c0=0.9, c7=1.0), LEFT, seen) is True


@pytest.mark.parametrize(
    ("inside", "expected"), [(0.0, "100 %"), (0.28, "72 %"), (0.499, "50 %"), (0.5, ""), (1.0, "")]
)
def test_the_reader_is_warned_when_most_of_the_heat_is_elsewhere(
    inside: float, expected: str
) -> None:
    text = warning_text(Energy(inside, 0.4))
    assert bool(text) is bool(expected)
    assert expected in text


def test_words() -> None:
    assert figure_text(Energy(0.284, 0.41)) == ("Heat inside the lungs: 28 % (an even map: 41 %)")
    assert warning_text(None) == ""


def test_a_heatmap_knows_that_it_is_empty() -> None:
    volume = factories.make_volume(np.zeros((1, *heat().shape), np.int16))
    empty = factories.make_heatmap(volume, 0, values=heat())
    assert empty.empty
    assert empty.lungs is None
    assert not factories.make_heatmap(volume, 0, values=heat(c3=0.1)).empty
