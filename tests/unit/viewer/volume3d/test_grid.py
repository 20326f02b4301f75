"""Resampling for 3D: patient axes, cubic voxels, a budget."""

from __future__ import annotations

import numpy as np
import pytest

from inference.errors import CancelledError
from inference.progress import Progress
from inference.studies.model import Unit
from viewer.volume3d.grid import AIR, prepare, refusal

STRAIGHT = np.array([[1, 0, 0, -30], [0, 1, 0, -20], [0, 0, 2, 5], [0, 0, 0, 1]], float)
FLIPPED = np.array([[-1, 0, 0, 30], [0, -1, 0, 20], [0, 0, -2, 65], [0, 0, 0, 1]], float)
TILTED = np.array([[1, 0, 0, -30], [0, 0.97, 0.3, -20], [0, -0.24, 2, 15], [0, 0, 0, 1]], float)
SAGITTAL = np.array([[0, 0, 2, -30], [1, 0, 0, -20], [0, -1, 0, 60], [0, 0, 0, 1]], float)
SHAPE, AT = (30, 50, 60), (12.0, 10.0, 33.0)


def centre(prepared) -> np.ndarray:
    """LPS mm of the middle of what is bright."""
    z, y, x = np.nonzero(prepared.array > -150)
    return np.array([x.mean(), y.mean(), z.mean()]) * prepared.mm + prepared.origin


@pytest.mark.parametrize("affine", [STRAIGHT, FLIPPED, TILTED, SAGITTAL])
@pytest.mark.parametrize("budget", [10**6, 20_000])
def test_a_place_in_the_patient_stays_where_it_is(make_ball, affine, budget):
    prepared = prepare(make_ball(affine, SHAPE, AT), budget)
    assert prepared.array.size <= budget
    assert centre(prepared) == pytest.approx(AT, abs=0.5 * prepared.mm)


def test_voxels_are_no_finer_than_the_source_and_fit_the_budget(make_ball):
    volume = make_ball(STRAIGHT, SHAPE, AT)
    assert prepare(volume, 10**6).mm == 1.0
    coarse = prepare(volume, 20_000)
    assert coarse.mm == pytest.approx(2.2)
    assert coarse.array.dtype == np.int16


def test_averaging_keeps_the_mean(make_ball):
    volume = make_ball(STRAIGHT, SHAPE, AT)
    rng = np.random.default_rng(3)
    noisy = make_ball(STRAIGHT, SHAPE, AT, array=rng.integers(-200, 200, SHAPE, np.int16))
    coarse = prepare(noisy, 3_000).array
    assert coarse.mean() == pytest.approx(noisy.array.mean(), abs=0.5)
    assert coarse.std() < 0.2 * noisy.array.std(), "of 4 × 4 × 2 voxels, and of neighbours of those"
    air, bright = -1000, 700
    for budget in (20_000, 10**6):
        prepared = prepare(volume, budget)
        # Each voxel for the part of it that is in the ball.
        inside = (prepared.array.astype(float) - air).sum() / (bright - air)
        voxel_mm3 = float(np.prod(volume.spacing))
        held = np.count_nonzero(volume.array == bright) * voxel_mm3
        assert inside * prepared.mm**3 == pytest.approx(held, rel=0.005)


def test_padding_becomes_air(make_ball):
    array = np.full(SHAPE, 100, np.int16)
    array[:, :5] = -2000
    prepared = prepare(make_ball(STRAIGHT, SHAPE, AT, array=array, padding=-2000.0), 10**6)
    assert prepared.array.min() == AIR


def test_values_without_hu_are_spread_by_percentiles(make_ball):
    array = np.linspace(5.0, 105.0, int(np.prod(SHAPE)), dtype=np.float32).reshape(SHAPE)
    volume = make_ball(STRAIGHT, SHAPE, AT, array=array, unit=Unit.GREY, modality="OT")
    prepared = prepare(volume, 10**6)
    low, high = np.percentile(prepared.array, [1, 99])
    assert (low, high) == pytest.approx((0, 1000), abs=25)
    assert prepared.outside is None
    assert prepared.inside() is prepared.array


def test_what_lies_around_the_body_is_not_inside(make_ball):
    """Lung in the body stays, air and a hollow table outside do not."""
    array = np.full((40, 60, 60), -1000, np.int16)
    array[:, 10:40, 8:52] = 40
    array[:, 18:32, 16:28] = -850
    array[:, 48:56, 5:55] = 100
    array[:, 50:54, 8:52] = -900
    prepared = prepare(make_ball(np.eye(4), array.shape, AT, array=array), 10**6)
    inner = prepared.inside()
    assert inner[20, 25, 22] == pytest.approx(-850, abs=5)
    assert inner[20, 2, 30] == 0
    assert inner[20, 52, 30] == 0
    assert prepared.array[20, 52, 30] < -800


def test_a_windpipe_that_leaves_the_scan_stays_inside(make_ball):
    array = np.full((40, 60, 60), 40, np.int16)
    array[:, :4] = array[:, -4:] = array[..., :4] = array[..., -4:] = -1000
    array[10:, 26:34, 26:34] = -1000
    inner = prepare(make_ball(np.eye(4), array.shape, AT, array=array), 10**6).inside()
    assert inner[39, 30, 30] == -1000
    assert inner[39, 1, 30] == 0


def test_it_can_be_cancelled(make_ball):
    progress = Progress()
    progress.cancelled.set()
    with pytest.raises(CancelledError):
        prepare(make_ball(STRAIGHT, SHAPE, AT), 10**6, progress)


def test_what_has_no_shape_is_refused_in_a_sentence(make_ball):
    assert refusal(make_ball(STRAIGHT, SHAPE, AT)) is None
    assert "One slice" in (refusal(make_ball(STRAIGHT, (1, 50, 60), AT)) or "")
    assert "unknown" in (refusal(make_ball(STRAIGHT, SHAPE, AT, has_geometry=False)) or "")
