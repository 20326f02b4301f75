"""Oblique planes, against SciPy's interpolation and against planes that lie straight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from inference.studies.model import Unit
from tests import factories
from viewer.panes import Content, Pane, Slab, SlabMode, Turn
from viewer.planes import ObliqueSection, section_of, why_not
from viewer.tilt import Tilt

SHAPE = (9, 11, 13)
"""(slices, rows, columns)"""
STRAIGHT = np.array([[0.7, 0, 0, -30], [0, 0.8, 0, 12], [0, 0, 1.5, 5], [0, 0, 0, 1.0]])
TILTED = STRAIGHT + np.array([[0, 0, 0, 0], [0, 0, 0.4, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
"""As of a CT whose gantry was tilted: slices are shifted against one another."""
TURNED = np.array([[-0.7, 0, 0, 3], [0, 0, 1.5, 2], [0, -0.8, 0, 1], [0, 0, 0, 1.0]])
"""Acquired as coronal slices, columns from left to right."""
TILTS = {
    "coronal": Tilt(),
    "leaning": Tilt().rotated((1.0, 0.0, 0.0), 35.0),
    "both": Tilt().rotated((0.0, 0.0, 1.0), -20.0).rotated((1.0, 0.0, 0.0), 50.0),
}


def volume(affine=STRAIGHT, **changes):
    noise = np.random.default_rng(4).integers(-1000, 1000, SHAPE).astype(np.int16)
    settings = {
        "array": noise, "affine": affine, "unit": Unit.HU, "modality": "CT",
        "has_geometry": True, "has_orientation": True, "series_uid": "1.2",
    } | changes  # fmt: skip
    return factories.make_volume(**settings)


def oblique(chest, tilt, turn=Turn(), slab=Slab()):  # noqa: B008  # frozen
    pane = Pane(Content.OBLIQUE, slab, turn, tilt)
    section = section_of(chest, pane)
    assert isinstance(section, ObliqueSection)
    return section, pane


def voxels_of(section, index):
    """(slice, row, column) under every pixel; shape (3, rows, columns)."""
    columns, rows, *_ = section.size()
    found = [
        [section.to_voxel(column + 0.5, row + 0.5, index)[::-1] for column in range(columns)]
        for row in range(rows)
    ]
    return np.moveaxis(np.array(found), -1, 0)


def is_inside(places):
    """Where a place lies in a voxel."""
    counts = np.array(SHAPE)[:, None, None]
    return ((places >= -0.5) & (places <= counts - 0.5)).all(axis=0)


def in_doubt(places):
    """Where rounding decides in which voxel a place lies, or whether in any."""
    return (np.abs((places + 0.5) - np.round(places + 0.5)) < 1e-4).any(axis=0)


@pytest.mark.parametrize("affine", [STRAIGHT, TILTED, TURNED], ids=["straight", "tilted", "turned"])
@pytest.mark.parametrize("tilt", TILTS.values(), ids=TILTS)
@pytest.mark.parametrize("turn", [Turn(), Turn(1, mirrored=True), Turn(2)], ids=str)
def test_a_pixel_has_the_value_of_its_place(affine, tilt, turn):
    chest = volume(affine)
    section, pane = oblique(chest, tilt, turn)
    checked = 0
    for index in {0, section.count // 2, section.count - 1}:
        places = voxels_of(section, index)
        picture = section.slab(chest.array, index, pane)
        expected = map_coordinates(chest.array.astype(float), places, order=1, mode="nearest")
        inside, doubt = is_inside(places), in_doubt(places)
        sure = ~doubt
        assert np.array_equal(section.outside(index, pane)[sure], ~inside[sure])
        sure &= inside
        assert picture[sure] == pytest.approx(expected[sure], abs=0.51), "rounded to whole HU"
        checked += int(sure.sum())
    assert checked > 60


@pytest.mark.parametrize("tilt", TILTS.values(), ids=TILTS)
def test_a_mask_is_that_of_the_nearest_voxel(tilt):
    chest = volume(TILTED)
    section, pane = oblique(chest, tilt)
    index = section.count // 2
    places = voxels_of(section, index)
    mask = chest.array > 0
    sure = is_inside(places) & ~in_doubt(places)
    nearest = np.clip(np.round(places).astype(int), 0, np.array(SHAPE)[:, None, None] - 1)
    cut = section.slab(mask, index, pane)
    assert cut.dtype == np.bool_
    assert np.array_equal(cut[sure], mask[tuple(nearest)][sure])


def test_an_upright_plane_is_the_coronal_one():
    cube = np.diag([1.0, 1.0, 1.0, 1.0])
    chest = volume(cube)
    section, pane = oblique(chest, Tilt())
    straight = section_of(chest, Pane(Content.CORONAL))
    assert section.size() == straight.size()
    assert section.count == straight.count
    for index in range(section.count):
        assert np.array_equal(
            section.slab(chest.array, index, pane), straight.cut(chest.array, index)
        )
        assert not section.outside(index, pane).any()
    assert section.words == "coronal"
    assert section.letters(cube) == straight.letters(cube)


@pytest.mark.parametrize(
    ("mode", "merge"),
    [(SlabMode.MAXIMUM, np.max), (SlabMode.MINIMUM, np.min), (SlabMode.MEAN, np.mean)],
)
@pytest.mark.parametrize("mm", [2.1, 2.8], ids=["odd", "even"])
def test_a_slab_is_made_of_the_planes_around(mode, merge, mm):
    chest = volume()
    section, pane = oblique(chest, TILTS["both"], slab=Slab(mode, mm))
    middle = section.count // 2
    first, stop = section.span(middle, pane)
    assert stop - first == round(mm / 0.7)
    thin = replace(pane, slab=Slab())
    planes = np.array([section.slab(chest.array, i, thin) for i in range(first, stop)])
    outside = np.array([section.outside(i, thin) for i in range(first, stop)])
    everywhere = ~outside.any(axis=0)
    assert everywhere.sum() > 20
    found = section.slab(chest.array, middle, pane)
    assert found[everywhere] == pytest.approx(merge(planes, axis=0)[everywhere], abs=0.51)
    assert np.array_equal(section.outside(middle, pane), outside.all(axis=0))


def test_what_lies_outside_does_not_count_in_a_slab():
    chest = volume(array=np.full(SHAPE, 500, np.int16))
    for mode in (SlabMode.MAXIMUM, SlabMode.MINIMUM, SlabMode.MEAN):
        section, pane = oblique(chest, TILTS["both"], slab=Slab(mode, 4.0))
        for index in (0, section.count // 2):
            picture = section.slab(chest.array, index, pane)
            assert (picture[~section.outside(index, pane)] == 500).all()


def test_a_mask_of_a_slab_is_what_any_plane_has():
    chest = volume()
    mask = np.zeros(SHAPE, bool)
    mask[4, 5, 6] = True
    section, pane = oblique(chest, TILTS["leaning"], slab=Slab(SlabMode.MEAN, 4.0))
    thin = replace(pane, slab=Slab())
    middle = section.index_of((6.0, 5.0, 4.0))
    first, stop = section.span(middle, pane)
    expected = np.any([section.slab(mask, i, thin) for i in range(first, stop)], axis=0)
    assert expected.any()
    assert np.array_equal(section.slab(mask, middle, pane), expected)


def test_a_thick_slab_is_sampled_coarsely_and_keeps_its_size():
    chest = volume(np.diag([0.2, 0.2, 0.2, 1.0]))
    section, pane = oblique(chest, TILTS["leaning"], slab=Slab(SlabMode.MAXIMUM, 2.8))
    index = section.count // 2
    assert section.coarseness(index, pane) == 2
    thin = replace(pane, slab=Slab())
    assert section.coarseness(index, thin) == 1
    fine, coarse = section.slab(chest.array, index, thin), section.slab(chest.array, index, pane)
    assert fine.shape == coarse.shape
    assert np.array_equal(coarse[:2, 2:4], np.full((2, 2), coarse[0, 2])), "blocks of two"


@pytest.mark.parametrize("affine", [STRAIGHT, TILTED, TURNED], ids=["straight", "tilted", "turned"])
@pytest.mark.parametrize("tilt", TILTS.values(), ids=TILTS)
def test_every_plane_can_be_reached_and_is_the_one_that_it_says(affine, tilt):
    chest = volume(affine)
    section, _ = oblique(chest, tilt)
    voxel = (6.0, 5.0, 4.0)
    for index in (*range(section.count), 0, section.count + 3, -2):
        wanted = max(0, min(index, section.count - 1))
        voxel = section.moved(voxel, index)
        assert section.index_of(voxel) == wanted
        assert all(0 <= at <= n - 1 for at, n in zip(voxel, SHAPE[::-1], strict=True))
        column, row = section.to_picture(voxel)
        assert section.to_voxel(column, row, wanted) == pytest.approx(voxel, abs=1e-6)


def test_letters_say_both_directions_of_a_plane_that_leans():
    section, _ = oblique(volume(), TILTS["leaning"])
    letters = section.letters(STRAIGHT)
    assert (letters.left, letters.right) == ("R", "L")
    assert (letters.top, letters.bottom) == ("HA", "FP")
    assert section.words == "35° from coronal"


def test_where_planes_cannot_be_placed_it_says_so():
    assert why_not(volume(TILTED), Content.OBLIQUE) == "", "it is cut right"
    assert "distorted" in why_not(volume(TILTED), Content.CORONAL)
    one = volume(array=np.zeros((1, 4, 4), np.int16))
    assert why_not(one, Content.OBLIQUE).startswith("One picture alone has no oblique planes")
    unknown = why_not(volume(has_orientation=False), Content.OBLIQUE)
    assert unknown.startswith("The file does not say how it lies in the patient")
