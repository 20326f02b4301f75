"""What a measurement promises, and where it is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.measurements import Kind, Measurement
from inference.measurements.model import carried, grid_key


def test_it_knows_its_image_its_plane_and_its_place_in_the_patient(phantom):
    volume = phantom()
    line = Measurement.on(volume, Kind.LENGTH, [(0, 0, 3), (40, 10, 3)])
    assert line.plane == 3
    assert line.sop_instance_uid == "1.2.3.3"
    assert line.positions == ((0.0, 0.0, 6.0), (20.0, 8.0, 6.0))
    assert line.created.endswith("+00:00")


def test_moving_it_renews_the_place_and_takes_the_label_along(phantom):
    volume = phantom()
    line = Measurement.on(volume, Kind.LENGTH, [(0, 0, 3), (40, 10, 3)])
    line = replace(line, label=(50.0, 20.0, 3.0))
    moved = line.moved(volume, [(5, 1, 4), (45, 11, 4)])
    assert moved.id == line.id
    assert moved.sop_instance_uid == "1.2.3.4"
    assert moved.positions[0] == pytest.approx((2.5, 0.8, 8.0))
    assert moved.label == (55.0, 21.0, 4.0)


def test_lines_are_drawn_on_every_plane_that_contains_them_regions_on_their_own(phantom):
    volume = phantom()
    line = Measurement.on(volume, Kind.LENGTH, [(0, 7.3, 3), (40, 7.3, 3)])
    assert line.lies_on(2, 3)
    assert not line.lies_on(2, 2)
    assert line.lies_on(1, 7)
    assert not line.lies_on(1, 8)
    assert not line.lies_on(0, 20)
    thin = Measurement.on(volume, Kind.RECTANGLE, [(0, 7, 3), (40, 7.2, 3)])
    assert thin.lies_on(2, 3)
    assert not thin.lies_on(1, 7)


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        (Kind.LENGTH, [(0, 0, 1)]),
        (Kind.ANGLE, [(0, 0, 1), (1, 1, 1)]),
        (Kind.FREEHAND, [(0, 0, 1), (1, 1, 1)]),
        (Kind.LENGTH, [(0, 0, 1), (1, 1, 3)]),
        (Kind.PROBE, [(0, float("nan"), 1)]),
    ],
)
def test_what_makes_no_measurement_is_refused(phantom, kind, points):
    with pytest.raises(ValueError, match=r"points|plane|finite"):
        Measurement.on(phantom(), kind, points)


def test_another_grid_of_a_series_has_another_key_and_no_uid_in_it(phantom):
    volume = phantom()
    other = phantom(array=volume.array[:4], slices=volume.slices[:4])
    assert grid_key(volume) != grid_key(other)
    assert grid_key(volume)[:32] == grid_key(other)[:32]
    assert grid_key(phantom(series_uid="1.2.4"))[:32] != grid_key(volume)[:32]
    assert "1.2.3" not in grid_key(volume)


def test_the_same_shape_elsewhere_is_another_grid(phantom):
    """As of a series whose spacing is corrected, or that is read anew without a slice."""
    volume = phantom()
    moved, stretched = volume.affine.copy(), volume.affine.copy()
    moved[2, 3] += 2.0
    stretched[0, 0] *= 1.01
    keys = {grid_key(volume), *(grid_key(phantom(affine=a)) for a in (moved, stretched))}
    assert len(keys) == 3
    assert grid_key(phantom(affine=volume.affine + 1e-7)) == grid_key(volume), "rounding"


def test_a_measurement_is_carried_to_the_slice_that_lies_where_it_was_made(phantom):
    volume = phantom()
    line = Measurement.on(volume, Kind.LENGTH, [(0, 0, 3), (40, 10, 3)])
    affine = volume.affine.copy()
    affine[2, 3] = 4.0  # two slices fewer at the feet
    later = phantom(array=volume.array[2:], slices=volume.slices[2:], affine=affine)
    there = carried(line, later)
    assert there.plane == 1
    assert there.sop_instance_uid == "1.2.3.3"
    assert there.positions == line.positions
    low = Measurement.on(volume, Kind.LENGTH, [(0, 0, 1), (40, 10, 1)])
    assert carried(low, later) is None
    affine[2, 3] = 4.9  # between slices
    apart = phantom(array=volume.array[2:], slices=volume.slices[2:], affine=affine)
    assert carried(line, apart) is None
    assert carried(line, phantom(has_orientation=False, affine=np.eye(4))) is None
