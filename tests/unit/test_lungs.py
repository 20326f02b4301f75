"""Lungs are inside the body; the table, the bowel and the world are not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from inference.lungs import dilate, find_lungs
from inference.studies.model import Unit, Volume


@pytest.fixture
def chest() -> Volume:
    """20 slices, 2 mm pixels: body, two lungs with a vessel and a nodule, table, bowel gas."""
    rows, columns = np.ogrid[:160, :160]
    array = np.full((20, 160, 160), -1000, dtype=np.int16)
    body = ((rows - 75) / 60) ** 2 + ((columns - 80) / 74) ** 2 < 1
    array[:, body] = 30
    for centre in (48, 112):
        lung = ((rows - 75) / 40) ** 2 + ((columns - centre) / 24) ** 2 < 1
        array[4:18, lung] = -850
    array[4:18, 70:73, 44:47] = 40
    array[10, 80:86, 108:114] = 20
    array[1:2, 60:75, 70:85] = -900
    array[:, 145:147, 10:150] = 100
    array[:, 155:157, 10:150] = 100
    array[:, 145:157, 10:12] = 100
    array[:, 145:157, 148:150] = 100
    return Volume(
        array=array, affine=np.diag([2.0, 2.0, 10.0, 1.0]), unit=Unit.HU, modality="CT",
        has_geometry=True, has_orientation=True, series_uid="1",
    )  # fmt: skip


def test_both_lungs_and_nothing_else(chest: Volume) -> None:
    lungs = find_lungs(chest)
    assert lungs.found
    expected = np.zeros(20, dtype=bool)
    expected[4:18] = True
    assert np.array_equal(lungs.slices, expected)
    truth = (chest.array == -850) | ((np.arange(20) >= 4) & (np.arange(20) < 18))[:, None, None] & (
        (chest.array == 40) | (chest.array == 20)
    )
    overlap = 2 * (lungs.mask & truth).sum() / (lungs.mask.sum() + truth.sum())
    assert overlap > 0.97
    assert not lungs.mask[:, 140:].any(), "the table is hollow, and no lung"


def test_vessels_and_nodules_inside_belong_to_the_lung(chest: Volume) -> None:
    lungs = find_lungs(chest)
    assert lungs.mask[10, 71, 45]
    assert lungs.mask[10, 83, 111]


def test_what_lies_between_the_lungs_does_not(chest: Volume) -> None:
    assert not find_lungs(chest).mask[:, 75, 80].any()


def test_body_without_lungs(chest: Volume) -> None:
    solid = dataclasses.replace(chest, array=np.maximum(chest.array, 0))
    lungs = find_lungs(solid)
    assert not lungs.found
    assert not lungs.mask.any()
    assert lungs.slices.all(), "then everything is analysed, and it is said"


def test_lungs_need_hu(chest: Volume) -> None:
    with pytest.raises(ValueError, match="no"):
        find_lungs(dataclasses.replace(chest, unit=Unit.GREY))


def test_single_slice(chest: Volume) -> None:
    one = dataclasses.replace(chest, array=chest.array[10:11])
    assert find_lungs(one).found


def test_dilation_is_in_millimetres(chest: Volume) -> None:
    mask = np.zeros(chest.shape, dtype=bool)
    mask[5, 80, 80] = True
    grown = dilate(mask, chest, 6.0)
    assert grown[5, 80, 77:84].all()
    assert not grown[5, 80, 76]
    assert not grown[4].any()


def test_dilation_knows_oblong_pixels(chest: Volume) -> None:
    oblong = dataclasses.replace(chest, affine=np.diag([1.0, 2.0, 10.0, 1.0]))
    mask = np.zeros(chest.shape, dtype=bool)
    mask[5, 80, 80] = True
    grown = dilate(mask, oblong, 6.0)
    assert grown[5, 80].sum() == 13
    assert grown[5, :, 80].sum() == 7
