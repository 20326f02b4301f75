"""Lungs are inside the body; the table, the bowel and the world are not."""

from __future__ import annotations

import dataclasses
from itertools import permutations

import numpy as np
import pytest

from inference.lungs import dilate, find_lungs
from inference.studies.model import Unit, Volume
from tests import factories, phantoms


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
    return factories.make_volume(array, np.diag([2.0, 2.0, 10.0, 1.0]))


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
    one = dataclasses.replace(chest, array=chest.array[10:11], slices=chest.slices[10:11])
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


# -- the edge of the picture, and how it is stored -------------------------------------------------

MM = (3.0, 3.0, 10.0)
TRUNK = np.diag([*MM, 1.0])


@pytest.fixture(scope="module")
def trunk() -> Volume:
    return factories.make_volume(phantoms.trunk(), TRUNK)


@pytest.fixture(scope="module")
def whole(trunk: Volume) -> np.ndarray:
    lungs = find_lungs(trunk)
    assert not lungs.cut
    assert 2800 < lungs.mask.sum() * trunk.voxel_ml < 3600
    return lungs.mask


def _part(trunk: Volume, array: np.ndarray, affine: np.ndarray | None = None) -> Volume:
    return factories.make_volume(
        np.ascontiguousarray(array), trunk.affine if affine is None else affine
    )


CROPS = {
    "right side": np.s_[:, :, 30:],
    "left side": np.s_[:, :, :88],
    "both sides": np.s_[:, :, 30:96],
    "front": np.s_[:, 44:],
    "back, through the foam": np.s_[:, :76, 24:100],
    "all around": np.s_[:, 40:72, 28:100],
    "one lung": np.s_[:, 20:100, 24:62],
}


@pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
@pytest.mark.parametrize("filler", [None, -3024, -2048, -1024, -1000, 0, 40])
def test_a_lung_that_the_picture_cuts_is_counted(
    trunk: Volume, whole: np.ndarray, crop: tuple[slice, ...], filler: int | None
) -> None:
    array, truth = trunk.array[crop], whole[crop]
    if filler is not None:
        around = ((0, 0), (11, 7), (9, 14))
        array, truth = np.pad(array, around, constant_values=filler), np.pad(truth, around)
    lungs = find_lungs(_part(trunk, array))
    assert lungs.mask.sum() == pytest.approx(truth.sum(), rel=0.03)
    assert 2 * (lungs.mask & truth).sum() > 0.97 * (lungs.mask.sum() + truth.sum())
    assert lungs.cut


@pytest.mark.parametrize("filler", [-3024, -1000, 0])
def test_a_round_field_of_view_cuts_as_well(trunk: Volume, whole: np.ndarray, filler: int) -> None:
    rows, columns = np.ogrid[:128, :128]
    outside = (rows - 56) ** 2 + (columns - 60) ** 2 > 36**2
    array = trunk.array.copy()
    array[:, outside] = filler
    lungs = find_lungs(_part(trunk, array))
    assert lungs.mask.sum() == pytest.approx((whole & ~outside).sum(), rel=0.03)
    assert not lungs.mask[:, outside].any()
    assert lungs.cut


def test_the_padding_that_a_file_declares_is_no_tissue(trunk: Volume, whole: np.ndarray) -> None:
    crop = CROPS["all around"]
    array = np.full(trunk.shape, 300, np.int16)
    array[crop] = trunk.array[crop]
    truth = np.zeros_like(whole)
    truth[crop] = whole[crop]
    array[:, ::2, ::2][array[:, ::2, ::2] == 300] = 310
    padded = dataclasses.replace(trunk, array=array, padding=310.0, padding_limit=295.0)
    lungs = find_lungs(padded)
    assert lungs.mask.sum() == pytest.approx(truth.sum(), rel=0.03)
    assert lungs.cut


def test_air_around_a_whole_chest_changes_nothing(trunk: Volume, whole: np.ndarray) -> None:
    around = ((0, 0), (20, 20), (20, 20))
    for filler in (-3024, -1000):
        lungs = find_lungs(_part(trunk, np.pad(trunk.array, around, constant_values=filler)))
        np.testing.assert_array_equal(lungs.mask, np.pad(whole, around))
        assert not lungs.cut


def test_one_slice_that_is_cut_has_nothing_above_it_to_go_by(
    trunk: Volume, whole: np.ndarray
) -> None:
    lungs = find_lungs(_part(trunk, trunk.array[10:11, :, 30:]))
    assert lungs.mask.sum() == pytest.approx(whole[10:11, :, 30:].sum(), rel=0.03)
    assert lungs.cut


def test_the_room_and_the_table_at_the_edge_are_no_lung(trunk: Volume) -> None:
    """All that is left of the picture below the lungs: skin, room, and foam that is cut."""
    below = _part(trunk, trunk.array[:, 92:113, 10:90])
    lungs = find_lungs(below)
    assert not lungs.found
    assert not lungs.cut


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("turned", [(False,) * 3, (True,) * 3, (True, False, False)])
@pytest.mark.parametrize("crop", [np.s_[:, :, :], CROPS["right side"]], ids=["whole", "cut"])
def test_lungs_lie_where_they_lie_however_they_are_stored(
    trunk: Volume,
    whole: np.ndarray,
    axes: tuple[int, ...],
    turned: tuple[bool, ...],
    crop: tuple[slice, ...],
) -> None:
    back = tuple(slice(None, None, -1 if one else 1) for one in turned)
    affine = np.eye(4)
    for new, (old, reverse) in enumerate(zip(axes, turned, strict=True)):
        affine[:3, 2 - new] = -TRUNK[:3, 2 - old] if reverse else TRUNK[:3, 2 - old]
    array = trunk.array[crop].transpose(axes)[back]
    lungs = find_lungs(_part(trunk, array, affine))
    expected = find_lungs(_part(trunk, trunk.array[crop])).mask
    np.testing.assert_array_equal(lungs.mask, expected.transpose(axes)[back])
    assert lungs.mask.sum() == pytest.approx(whole[crop].sum(), rel=0.03)
    assert lungs.found
    assert lungs.slices.shape == array.shape[:1]
    assert lungs.slices.any()


def test_coronal_slices_far_apart_still_measure_the_lung() -> None:
    """Axial slices of them have pixels seven times as long as wide."""
    chest = np.rint(phantoms.chest(60, 180, 230)).astype(np.int16)
    truth = find_lungs(factories.make_volume(chest, np.diag([1.4, 1.6, 4.0, 1.0])))
    coronal = chest[:, ::6].transpose(1, 0, 2)
    affine = np.array([[1.4, 0, 0, 0], [0, 0, 9.6, 0], [0, 4.0, 0, 0], [0, 0, 0, 1.0]])
    volume = factories.make_volume(np.ascontiguousarray(coronal), affine)
    found = find_lungs(volume).mask.sum() * volume.voxel_ml
    assert found == pytest.approx(truth.mask.sum() * 1.4 * 1.6 * 4.0 / 1000.0, rel=0.03)


def test_a_single_coronal_slice_shows_no_axial_one(trunk: Volume) -> None:
    affine = np.array([[3.0, 0, 0, 0], [0, 0, 3.0, 0], [0, 10.0, 0, 0], [0, 0, 0, 1.0]])
    one = _part(trunk, trunk.array[:, 56:57].transpose(1, 0, 2), affine)
    assert not find_lungs(one).found
