"""Two diameters at right angles: in mm, whatever the pixels are, and kept so when one is moved."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from inference.measurements import Kind, Measurement, measure
from inference.measurements.axes import across, with_end
from inference.measurements.store import load, save
from inference.measurements.table import write

LINE = ((10.0, 20.0, 2.0), (40.0, 35.0, 2.0))


def mm(points, affine):
    """Both axes as ways in mm, and where they cross as shares of both."""
    start, end, one, other = np.array(points) @ affine[:3, :3].T
    axis, side = end - start, other - one
    shares = np.linalg.lstsq(np.stack([axis, -side], axis=1), one - start, rcond=None)[0]
    return axis, side, shares


def is_cross(points, affine):
    """At right angles, and inside both."""
    axis, side, shares = mm(points, affine)
    right = abs(axis @ side) < 1e-9 * np.linalg.norm(axis) * max(np.linalg.norm(side), 1.0)
    return right and bool(((shares >= -1e-9) & (shares <= 1 + 1e-9)).all())


@pytest.fixture
def affine(phantom):
    """Columns 0.5 mm apart, rows 0.8."""
    return phantom().affine


def test_the_second_axis_lies_across_in_mm_and_as_far_to_either_side(affine):
    points = across(LINE, (28.0, 20.0, 2.0), affine)
    assert np.array(points[:2]) == pytest.approx(np.array(LINE))
    assert is_cross(points, affine)
    _, _, shares = mm(points, affine)
    assert shares[1] == pytest.approx(0.5)
    # Beyond the end of the first axis it stays at that end.
    assert mm(across(LINE, (70.0, 50.0, 2.0), affine), affine)[2][0] == pytest.approx(1.0)


@pytest.mark.parametrize("number", [0, 1])
def test_an_end_of_the_first_axis_turns_the_second_along(affine, number):
    points = across(LINE, (28.0, 20.0, 2.0), affine)
    before = mm(points, affine)
    moved = with_end(points, number, (15.0, 50.0, 2.0), affine)
    assert moved[number] == pytest.approx((15.0, 50.0, 2.0))
    assert moved[1 - number] == pytest.approx(points[1 - number])
    assert is_cross(moved, affine)
    after = mm(moved, affine)
    assert np.linalg.norm(after[1]) == pytest.approx(np.linalg.norm(before[1]))
    assert after[2] == pytest.approx(before[2])


@pytest.mark.parametrize("number", [2, 3])
def test_an_end_of_the_second_axis_moves_across_and_along(affine, number):
    points = across(LINE, (28.0, 20.0, 2.0), affine)
    there = tuple(np.add(points[number], (3.0, 1.0, 0.0)))
    moved = with_end(points, number, there, affine)
    assert np.array(moved[:2]) == pytest.approx(np.array(points[:2]))
    assert moved[number] == pytest.approx(there)
    assert is_cross(moved, affine)
    # It cannot be taken over to the other side.
    over = with_end(points, number, points[5 - number], affine)
    assert is_cross(over, affine)


def test_the_numbers_are_long_by_short_whichever_was_drawn_first(phantom):
    volume = phantom()
    # 30 columns of 0.5 mm, 10 rows of 0.8 mm; then the other way round.
    wide = [(10, 20, 2), (40, 20, 2), (25, 15, 2), (25, 25, 2)]
    for points in (wide, wide[2:] + wide[:2]):
        said = measure(Measurement.on(volume, Kind.BIDIRECTIONAL, points), volume)
        assert (said.length, said.short) == pytest.approx((15.0, 8.0))
        assert said.lines == ("15.0 × 8.0 mm",)
    unknown = phantom(has_geometry=False, affine=np.eye(4), has_orientation=False)
    said = measure(Measurement.on(unknown, Kind.BIDIRECTIONAL, wide), unknown)
    assert said.lines == ("30.0 × 10.0 px",)
    assert said.notes


def test_it_is_kept_and_written(phantom, tmp_path):
    volume = phantom()
    points = [(10, 20, 2), (40, 20, 2), (25, 15, 2), (25, 25, 2)]
    made = Measurement.on(volume, Kind.BIDIRECTIONAL, points, text="node")
    save((made,), volume, tmp_path)
    assert load(volume, tmp_path).measurements == (made,)
    write((made,), volume, tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["kind"], row["length"], row["short_axis"], row["length_unit"]) == (
        "bidirectional", "15.0", "8.0", "mm",
    )  # fmt: skip
    write((made,), volume, tmp_path / "m.json")
    (entry,) = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["measurements"]
    assert (entry["length"], entry["short_axis"]) == (15.0, 8.0)
    assert len(entry["points_voxel"]) == 4
