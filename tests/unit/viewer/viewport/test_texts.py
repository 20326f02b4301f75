"""Sentences and numbers around the picture."""

from __future__ import annotations

import numpy as np
import pytest

from inference.findings import Manifestation
from inference.studies.model import Problem, Unit, Window
from tests import factories
from viewer.panes import Content, Pane, Slab, SlabMode
from viewer.planes.section import section_of
from viewer.viewport import texts


def volume(**changes):
    affine = np.array(
        [[0.5, 0, 0, -10], [0, 0.5, 0, -20], [0, 0, 2, -100], [0, 0, 0, 1]], np.float64
    )
    array = np.full((5, 8, 8), -712, np.int16)
    settings = {
        "array": array, "affine": affine, "unit": Unit.HU, "modality": "CT",
        "has_geometry": True, "has_orientation": True, "series_uid": "1.2",
    } | changes  # fmt: skip
    return factories.make_volume(**settings)


def planes(of, pane=Pane()):  # noqa: B008 - frozen
    found = section_of(of, pane)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-712, 0, "−712"), (-0.04, 1, "0.0"), (12.34, 1, "12.3"), (0, 0, "0")],
)
def test_numbers_have_a_minus_sign_and_no_negative_zero(value, digits, text):
    assert texts.number(value, digits) == text


@pytest.mark.parametrize(
    ("pixels_per_mm", "longest", "pixels", "label"),
    [(1.5, 210.0, 150.0, "10 cm"), (3.0, 210.0, 150.0, "5 cm"), (0.5, 210.0, 100.0, "20 cm"),
     (30.0, 210.0, 150.0, "5 mm"), (20.0, 210.0, 200.0, "1 cm")],
)  # fmt: skip
def test_the_scale_bar_is_the_longest_round_length_that_fits(pixels_per_mm, longest, pixels, label):
    assert texts.scale_bar(pixels_per_mm, longest) == texts.ScaleBar(pixels, label)


def test_there_is_no_scale_bar_when_not_even_a_mm_fits():
    assert texts.scale_bar(500.0, 210.0) is None


def test_a_slice_is_numbered_from_one_and_placed_along_the_normal():
    chest = volume()
    assert texts.plane_text(chest, planes(chest), 1) == "Im 2 (2/5)  ·  H −98.0 mm"


def test_a_coronal_plane_is_numbered_in_its_own_way():
    chest = volume()
    coronal = planes(chest, Pane(Content.CORONAL))
    assert texts.plane_text(chest, coronal, 4) == "5/8  ·  P −18.0 mm"


def test_a_slab_says_what_it_is_made_of():
    chest = volume()
    thick = Pane(Content.AXIAL, Slab(SlabMode.MAXIMUM, 6.0))
    assert texts.slab_text(planes(chest, thick), 2, thick) == "MIP of 3 planes, 6.0 mm"
    assert texts.slab_text(planes(chest, thick), 0, thick) == "MIP of 2 planes, 4.0 mm"
    assert texts.slab_text(planes(chest), 2, Pane()) == ""


@pytest.mark.parametrize("unknown", ["has_geometry", "has_orientation"])
def test_a_slice_has_no_place_where_the_geometry_is_unknown(unknown):
    chest = volume(**{unknown: False})
    assert texts.plane_text(chest, planes(chest), 1) == "Im 2 (2/5)"


def test_the_window_is_told_with_its_name():
    assert texts.window_text(Window(-600, 1500, "Lung")) == "W 1500  L −600  ·  Lung"
    assert texts.window_text(Window(0.25, 1.5)) == "W 1.5  L 0.2"


def test_the_value_under_the_cursor_comes_with_segments_and_millimetres():
    assert texts.value_lines(volume(), (4, 6, 2), [Manifestation.GGO]) == (
        "−712 HU  GGO",
        "L −8.0  P −17.0  H −96.0 mm",
    )


def test_a_value_of_a_slab_says_so():
    first, _ = texts.value_lines(volume(), (4, 6, 2), [], (SlabMode.MEAN, -711.6))
    assert first == "mean −711.6 HU"


def test_a_picture_has_grey_values_and_pixel_numbers():
    picture = volume(unit=Unit.GREY, has_orientation=False, array=np.full((1, 8, 8), 9, np.uint8))
    assert texts.value_lines(picture, (4, 6, 0), []) == ("grey 9", "column 5, row 7")


def test_padding_is_not_a_measurement():
    assert texts.value_lines(volume(padding=-712.0), (0, 0, 0), [])[0] == "no data"


def test_not_a_number_is_not_a_measurement():
    empty = volume(array=np.full((1, 2, 2), np.nan, np.float32))
    assert texts.value_lines(empty, (0, 0, 0), [])[0] == "no data"


def test_doubts_are_counted():
    one, two = Problem("a", "First."), Problem("b", "Second.")
    assert texts.doubts_text(()) == ""
    assert texts.doubts_text((one,)) == "⚠ 1 doubt: First."
    assert texts.doubts_text((one, two)) == "⚠ 2 doubts: First."
