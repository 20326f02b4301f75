"""Order, affine and doubts, in numbers alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.studies.codes import Code
from inference.studies.geometry import distances, flat_affine, reading_normal, stack_affine

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def fit(positions, orientation=AXIAL, thickness=None):
    files = [Path(f"{i}.dcm") for i in range(len(positions))]
    affine, problems = stack_affine(positions, orientation, (0.8, 0.6), thickness, files)
    return affine, {problem.code: problem for problem in problems}


def axial(*along: float) -> list[tuple[float, float, float]]:
    return [(1.0, 2.0, z) for z in along]


@pytest.mark.parametrize(
    ("orientation", "normal"),
    [
        (AXIAL, (0, 0, 1)),
        ((-1, 0, 0, 0, 1, 0), (0, 0, 1)),
        ((1, 0, 0, 0, 0, -1), (0, 1, 0)),
        ((0, 1, 0, 0, 0, -1), (1, 0, 0)),
    ],
)
def test_normal_points_from_feet_to_head_front_to_back_right_to_left(orientation, normal):
    np.testing.assert_allclose(reading_normal(orientation), normal, atol=1e-12)


def test_distances_are_measured_along_an_oblique_normal():
    s = np.sqrt(0.5)
    oblique = (1.0, 0.0, 0.0, 0.0, s, s)
    along = distances([(0, 0, 0), (9, -s, s), (3, 3, 3)], oblique)
    np.testing.assert_allclose(along, [0.0, 1.0, 0.0], atol=1e-12)


def test_affine_maps_column_row_slice_to_millimetres():
    affine, problems = fit(axial(-10, -8, -6))
    assert not problems
    np.testing.assert_allclose(affine @ [3, 5, 2, 1], [1 + 3 * 0.6, 2 + 5 * 0.8, -6, 1])


def test_even_spacing_survives_positions_rounded_to_a_tenth():
    along = np.round(np.arange(60) * 0.625, 1)
    affine, problems = fit(axial(*along))
    assert not problems
    assert np.linalg.norm(affine[:3, 2]) == pytest.approx(0.625, abs=0.002)


def test_missing_slices_are_counted_and_the_neighbours_named():
    _, problems = fit(axial(0, 2, 4, 10, 12))
    problem = problems[Code.MISSING_SLICES]
    assert "2 slices seem to be missing" in problem.sentence
    assert "6.00 mm between “2.dcm” and “3.dcm”" in problem.sentence
    assert [path.name for path in problem.files] == ["2.dcm", "3.dcm"]
    assert Code.UNEVEN_SPACING not in problems


def test_uneven_spacing_gives_the_numbers_and_the_worst_pair():
    affine, problems = fit(axial(0, 2, 4, 7, 9))
    problem = problems[Code.UNEVEN_SPACING]
    assert "2.00 to 3.00 mm (usually 2.00 mm)" in problem.sentence
    assert [path.name for path in problem.files] == ["2.dcm", "3.dcm"]
    np.testing.assert_allclose((affine @ [0, 0, 4, 1])[:3], (1, 2, 9))


def test_gantry_tilt_gives_the_true_shear_and_its_angle():
    angle = np.radians(16.5)
    tilted = (1.0, 0.0, 0.0, 0.0, np.cos(angle), np.sin(angle))
    affine, problems = fit(axial(0, 2.5, 5), tilted)
    assert "16.5°" in problems[Code.GANTRY_TILT].sentence
    np.testing.assert_allclose((affine @ [0, 0, 2, 1])[:3], (1, 2, 5))
    assert affine[:3, 1] @ affine[:3, 2] != pytest.approx(0.0)
    assert Code.SHIFTED_SLICES not in problems


def test_oblique_slices_without_shear_are_not_called_tilted():
    angle = np.radians(20)
    oblique = (1.0, 0.0, 0.0, 0.0, np.cos(angle), np.sin(angle))
    normal = reading_normal(oblique)
    _, problems = fit([tuple(normal * 2.0 * i) for i in range(4)], oblique)
    assert not problems


def test_slices_shifted_sideways_are_reported():
    _, problems = fit([(0, 0, 0), (4, 0, 2), (0, 0, 4)])
    assert "4.0 mm" in problems[Code.SHIFTED_SLICES].sentence
    assert problems[Code.SHIFTED_SLICES].files == (Path("1.dcm"),)


def test_thin_slices_far_apart_leave_a_gap():
    assert Code.SLICE_GAP in fit(axial(0, 12, 24), thickness=2.0)[1]
    assert not fit(axial(0, 2, 4), thickness=2.0)[1]
    assert not fit(axial(0, 1, 2), thickness=2.0)[1]


def test_a_gap_begins_at_one_and_a_half_thicknesses():
    assert not fit(axial(0, 2.9, 5.8), thickness=2.0)[1]
    assert Code.SLICE_GAP in fit(axial(0, 3.1, 6.2), thickness=2.0)[1]


@pytest.mark.parametrize(("thickness", "depth"), [(5.0, 5.0), (None, 1.0)])
def test_one_slice_is_as_deep_as_its_nominal_thickness(thickness, depth):
    affine, problems = fit(axial(7), thickness=thickness)
    np.testing.assert_allclose(affine[:3, 2], (0, 0, depth))
    assert set(problems) == {Code.SINGLE_SLICE}


def test_flat_affine_knows_rows_from_columns():
    np.testing.assert_allclose(np.diag(flat_affine((0.2, 0.1))), (0.1, 0.2, 1, 1))
    np.testing.assert_allclose(flat_affine(None), np.eye(4))
