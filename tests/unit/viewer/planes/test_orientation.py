"""Letters and turns of the picture, from the affine alone."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.planes.orientation import Display, direction_letters, display_of, edge_letters


def affine(column, row, normal):
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1], matrix[:3, 2] = column, row, normal
    return matrix


AXIAL = affine((1, 0, 0), (0, 1, 0), (0, 0, 1))
CORONAL = affine((1, 0, 0), (0, 0, -1), (0, 1, 0))
SAGITTAL = affine((0, 1, 0), (0, 0, -1), (-1, 0, 0))


def test_an_axial_slice_is_seen_from_the_feet():
    letters = edge_letters(AXIAL, display_of(AXIAL))
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "A", "P")


def test_a_coronal_slice_has_the_head_up_and_the_right_on_the_left():
    letters = edge_letters(CORONAL, display_of(CORONAL))
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("R", "L", "H", "F")


def test_a_sagittal_slice_has_the_head_up_and_the_front_on_the_left():
    letters = edge_letters(SAGITTAL, display_of(SAGITTAL))
    assert (letters.left, letters.right, letters.top, letters.bottom) == ("A", "P", "H", "F")


@pytest.mark.parametrize("plane", [AXIAL, CORONAL, SAGITTAL])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_however_it_is_stored_the_patient_lies_the_same_way_on_the_screen(plane, order, signs):
    stored = plane.copy()
    for place, (axis, sign) in enumerate(zip(order, signs, strict=True)):
        stored[:3, place] = sign * plane[:3, axis]
    assert edge_letters(stored, display_of(stored)) == edge_letters(plane, Display())


def test_anisotropic_spacing_does_not_change_the_letters():
    stretched = AXIAL @ np.diag([0.5, 4.0, 10.0, 1.0])
    assert edge_letters(stretched, display_of(stretched)) == edge_letters(AXIAL, Display())


@pytest.mark.parametrize(
    ("degrees", "letters"), [(0, "L"), (9, "L"), (11, "LP"), (44, "LP"), (46, "PL"), (80.5, "P")]
)
def test_two_letters_name_an_oblique_axis_the_dominant_first(degrees, letters):
    angle = np.deg2rad(degrees)
    assert direction_letters(np.array([np.cos(angle), np.sin(angle), 0.0])) == letters


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("flip_columns", [False, True])
@pytest.mark.parametrize("flip_rows", [False, True])
def test_a_displayed_pixel_is_found_where_it_is_stored(transpose, flip_columns, flip_rows):
    display = Display(transpose, flip_columns, flip_rows)
    plane = np.arange(12).reshape(3, 4)
    shown = display.turn(plane)
    rows, columns = shown.shape
    for row in range(rows):
        for column in range(columns):
            stored_column, stored_row = display.stored_pixel(column, row, columns, rows)
            assert plane[stored_row, stored_column] == shown[row, column]


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("flip_columns", [False, True])
@pytest.mark.parametrize("flip_rows", [False, True])
def test_a_stored_pixel_is_found_again(
    transpose: bool, flip_columns: bool, flip_rows: bool
) -> None:
    display = Display(transpose, flip_columns, flip_rows)
    stored = np.arange(12).reshape(3, 4)
    turned = display.turn(stored)
    rows, columns = turned.shape
    for row, column in np.ndindex(3, 4):
        across, down = display.to_displayed(column + 0.5, row + 0.5, columns, rows)
        assert turned[int(down), int(across)] == stored[row, column]
        assert display.to_stored(across, down, columns, rows) == (column + 0.5, row + 0.5)
