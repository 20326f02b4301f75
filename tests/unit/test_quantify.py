"""What is measured in a mask, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Manifestation
from inference.quantify import MIN_LESION_VOXELS, measure
from inference.studies.model import Unit, Volume
from tests import factories


@pytest.fixture
def volume() -> Volume:
    array = np.full((4, 20, 20), -800, np.int16)
    return factories.make_volume(array, np.diag([0.5, 0.5, 4.0, 1.0]))


def _mask(*boxes: tuple[slice, slice, slice]) -> np.ndarray:
    mask = np.zeros((4, 20, 20), bool)
    for box in boxes:
        mask[box] = True
    return mask


def test_volume_percentage_and_slices(volume: Volume) -> None:
    mask = _mask(np.s_[1:3, 0:5, 0:10], np.s_[2:3, 10:12, 10:12])
    lungs = np.ones(volume.shape, bool)
    segment = measure(Manifestation.GGO, mask, volume, lungs, "m")
    assert segment.volume_ml == pytest.approx(104 * 0.5 * 0.5 * 4.0 / 1000)
    assert segment.percent_of_lung == pytest.approx(100 * 104 / 1600)
    assert segment.largest_slice == 2
    assert segment.pixels_per_slice.tolist() == [0, 50, 54, 0]
    assert segment.model == "m"


def test_lesions_touching_at_a_corner_are_one(volume: Volume) -> None:
    mask = _mask(np.s_[0:1, 0:5, 0:10], np.s_[1:2, 5:10, 10:20])
    assert measure(Manifestation.GGO, mask, volume, None, "m").lesions == 1


def test_lesions_apart_are_counted_and_specks_are_not(volume: Volume) -> None:
    mask = _mask(np.s_[0:1, 0:5, 0:10], np.s_[0:1, 10:15, 0:10], np.s_[3:4, 0:2, 0:2])
    segment = measure(Manifestation.GGO, mask, volume, None, "m")
    assert segment.lesions == 2
    assert segment.pixels_per_slice[3] == 4


@pytest.mark.parametrize(
    ("voxels", "lesions"), [(MIN_LESION_VOXELS, 1), (MIN_LESION_VOXELS - 1, 0)]
)
def test_smallest_lesion_that_counts(volume: Volume, voxels: int, lesions: int) -> None:
    mask = np.zeros(volume.shape, bool)
    mask.reshape(-1)[:voxels] = True
    assert measure(Manifestation.GGO, mask, volume, None, "m").lesions == lesions


def test_mean_hu_leaves_padding_out(volume: Volume) -> None:
    mask = _mask(np.s_[0:1, 0:2, 0:2])
    volume.array[0, 0, 0] = -2000
    volume.array[0, 0, 1] = -500
    padded = replace(volume, padding=-2000.0)
    expected = (-500 - 800 - 800) / 3
    assert measure(Manifestation.GGO, mask, padded, None, "m").mean_hu == pytest.approx(expected)


def test_mean_hu_of_nothing_but_padding_is_not_known(volume: Volume) -> None:
    padded = replace(volume, padding=-800.0)
    mask = _mask(np.s_[0:1, 0:2, 0:2])
    assert measure(Manifestation.GGO, mask, padded, None, "m").mean_hu is None


def test_an_empty_mask_has_a_volume_of_zero_but_no_mean(volume: Volume) -> None:
    lungs = np.ones(volume.shape, bool)
    segment = measure(Manifestation.GGO, _mask(), volume, lungs, "m")
    assert (segment.volume_ml, segment.percent_of_lung, segment.lesions) == (0.0, 0.0, 0)
    assert segment.largest_slice is None
    assert segment.mean_hu is None


def test_what_cannot_be_computed_is_none(volume: Volume) -> None:
    flat = replace(volume, unit=Unit.GREY, has_geometry=False)
    mask = _mask(np.s_[0:1, 0:5, 0:10])
    segment = measure(Manifestation.GGO, mask, flat, np.zeros(volume.shape, bool), "m")
    assert segment.volume_ml is None
    assert segment.mean_hu is None
    assert segment.percent_of_lung is None


def test_more_than_the_lungs_is_all_of_them(volume: Volume) -> None:
    lungs = _mask(np.s_[0:1, 0:2, 0:2])
    mask = _mask(np.s_[0:1, 0:3, 0:3])
    assert measure(Manifestation.EFFUSION, mask, volume, lungs, "m").percent_of_lung == 100.0


def test_another_grid_is_refused(volume: Volume) -> None:
    with pytest.raises(ValueError, match="mask"):
        measure(Manifestation.GGO, np.zeros((1, 2, 2), bool), volume, None, "m")
    with pytest.raises(ValueError, match="lung"):
        measure(Manifestation.GGO, _mask(), volume, np.zeros((1, 2, 2), bool), "m")
