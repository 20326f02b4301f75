"""Planes through a volume: the right voxels, the right way round, the right letters."""

from __future__ import annotations

import numpy as np
import pytest

from inference.studies.model import Unit
from tests import factories
from viewer.panes import Content, Pane, Slab, SlabMode, Turn
from viewer.planes.section import section_of, why_not

SHAPE = (5, 6, 7)
"""(slices, rows, columns)"""


def number_of(column, row, slice_):
    return 100 * slice_ + 10 * row + column


def volume(affine=None, **changes):
    """Every voxel holds its own number."""
    slices, rows, columns = np.ogrid[:5, :6, :7]
    array = number_of(columns, rows, slices).astype(np.int16)
    settings = {
        "array": array, "affine": np.diag([1.0, 2.0, 3.0, 1.0]) if affine is None else affine,
        "unit": Unit.HU, "modality": "CT", "has_geometry": True, "has_orientation": True,
        "series_uid": "1.2",
    } | changes  # fmt: skip
    return factories.make_volume(**settings)


def turned_about_x():
    """Slices that were acquired as coronal planes: rows run to the feet, slices to the back."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, 0, -2], [0, 3, 0]], float).T
    return affine


@pytest.mark.parametrize(
    ("content", "size", "mm", "letters"),
    [
        (Content.STACK, (7, 6), (1.0, 2.0), "RLAP"),
        (Content.AXIAL, (7, 6), (1.0, 2.0), "RLAP"),
        (Content.CORONAL, (7, 5), (1.0, 3.0), "RLHF"),
        (Content.SAGITTAL, (6, 5), (2.0, 3.0), "APHF"),
    ],
)
def test_planes_are_patient_planes(content, size, mm, letters):
    chest = volume()
    planes = section_of(chest, Pane(content))
    assert planes.size() == (*size, *mm)
    found = planes.letters(chest.affine)
    assert found.left + found.right + found.top + found.bottom == letters
    assert planes.cut(chest.array, 2).shape == size[::-1]


def test_the_head_is_up_and_the_right_is_on_the_left():
    chest = volume()
    coronal = section_of(chest, Pane(Content.CORONAL)).cut(chest.array, 3)
    assert coronal[0, 0] == number_of(0, 3, 4), "top left: the patient's right, nearest the head"
    assert coronal[-1, -1] == number_of(6, 3, 0)
    sagittal = section_of(chest, Pane(Content.SAGITTAL)).cut(chest.array, 3)
    assert sagittal[0, 0] == number_of(3, 0, 4), "top left: the front, nearest the head"


def test_coronal_slices_have_axial_planes_too():
    chest = volume(turned_about_x())
    axial = section_of(chest, Pane(Content.AXIAL))
    assert axial.axis == 1
    found = axial.letters(chest.affine)
    assert (found.left, found.right, found.top, found.bottom) == ("R", "L", "A", "P")
    assert section_of(chest, Pane(Content.CORONAL)).axis == 0


@pytest.mark.parametrize(
    "content", [c for c in Content if c not in {Content.VOLUME, Content.OBLIQUE}]
)
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("affine", [np.diag([-1.0, 2.0, 3.0, 1.0]), turned_about_x()], ids="ab")
def test_a_pixel_is_the_voxel_that_it_says(content, quarters, mirrored, affine):
    chest = volume(affine)
    planes = section_of(chest, Pane(content, turn=Turn(quarters, mirrored)))
    index = 3
    picture = planes.cut(chest.array, index)
    columns, rows, *_ = planes.size()
    assert picture.shape == (rows, columns)
    for row in range(rows):
        for column in range(columns):
            voxel = planes.to_voxel(column + 0.5, row + 0.5, index)
            assert picture[row, column] == number_of(*(round(v) for v in voxel))
            assert planes.to_picture(voxel) == pytest.approx((column + 0.5, row + 0.5))
            assert planes.index_of(voxel) == index


def test_a_turn_is_what_is_seen_to_happen():
    chest = volume()
    upright = section_of(chest, Pane()).cut(chest.array, 0)

    def seen(turn):
        return section_of(chest, Pane(turn=turn)).cut(chest.array, 0)

    def same(turn, picture):
        return np.array_equal(seen(turn), picture)

    assert same(Turn().rotated(1), np.rot90(upright, -1))
    assert same(Turn().rotated(3), np.rot90(upright))
    assert same(Turn().flipped_across(), upright[:, ::-1])
    assert same(Turn().flipped_down(), upright[::-1])
    # One after the other, each is seen to happen to what is on the screen.
    assert same(Turn().rotated(1).flipped_across(), np.rot90(upright, -1)[:, ::-1])
    assert same(Turn().flipped_across().rotated(1), np.rot90(upright[:, ::-1], -1))
    assert same(Turn().rotated(1).flipped_down().rotated(3), np.rot90(np.rot90(upright, -1)[::-1]))


def test_letters_follow_a_turn():
    chest = volume()
    letters = section_of(chest, Pane(turn=Turn().flipped_across())).letters(chest.affine)
    assert (letters.left, letters.right, letters.top) == ("L", "R", "A")
    letters = section_of(chest, Pane(turn=Turn().rotated(1))).letters(chest.affine)
    assert (letters.left, letters.right, letters.top) == ("P", "A", "R")


@pytest.mark.parametrize(
    ("mode", "merge"),
    [(SlabMode.MAXIMUM, np.max), (SlabMode.MINIMUM, np.min), (SlabMode.MEAN, np.mean)],
)
@pytest.mark.parametrize(("content", "axis"), [(Content.AXIAL, 0), (Content.CORONAL, 1)])
def test_a_slab_is_made_of_the_planes_around(mode, merge, content, axis):
    chest = volume(array=np.random.default_rng(3).integers(-900, 900, SHAPE).astype(np.int16))
    thickness = {0: 9.0, 1: 6.0}[axis]  # three planes of either
    pane = Pane(content, Slab(mode, thickness))
    planes = section_of(chest, pane)
    assert planes.span(2, pane) == (1, 4)
    block = np.take(chest.array, range(1, 4), axis=axis)
    expected = planes.display.turn(merge(block, axis=axis))
    assert planes.slab(chest.array, 2, pane) == pytest.approx(expected, abs=1e-4)
    assert planes.span(0, pane) == (0, 2), "there is nothing below the first plane"


def test_a_mask_of_a_slab_is_what_any_plane_has():
    chest = volume()
    mask = np.zeros(SHAPE, bool)
    mask[3, 1, 2] = True
    pane = Pane(Content.AXIAL, Slab(SlabMode.MEAN, 9.0))
    planes = section_of(chest, pane)
    assert planes.slab(mask, 2, pane).sum() == 1
    assert planes.slab(mask, 1, pane).sum() == 0


def test_a_hundred_millimetres_are_as_many_planes():
    pane = Pane(Content.AXIAL, Slab(SlabMode.MAXIMUM, 100.0))
    assert pane.slab.planes(3.0) == 33
    assert pane.slab.planes(1000.0) == 1
    with pytest.raises(ValueError, match="0 to 100 mm"):
        Slab(SlabMode.MAXIMUM, 101.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"array": np.zeros((1, 4, 4), np.int16)}, "One picture alone has no coronal planes"),
        ({"has_orientation": False}, "does not say how it lies in the patient"),
        ({"has_geometry": False}, "distances across slices are unknown"),
        ({"affine": np.array([[1, 0, 0, 0], [0, 1, 0.3, 0], [0, 0, 1, 0], [0, 0, 0, 1]], float)},
         "tilted against their axis"),
    ],
)  # fmt: skip
def test_planes_that_would_not_be_true_are_refused_in_words(changes, words):
    chest = volume(**changes)
    assert words in why_not(chest, Content.CORONAL)
    assert section_of(chest, Pane(Content.CORONAL)) is None
    assert why_not(chest, Content.STACK) == ""
    assert section_of(chest, Pane()) is not None


def test_tilted_slices_are_shown_as_they_are():
    tilted = volume(np.array([[1, 0, 0, 0], [0, 1, 0.3, 0], [0, 0, 1, 0], [0, 0, 0, 1]], float))
    assert why_not(tilted, Content.AXIAL) == ""
