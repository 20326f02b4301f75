"""However a file stores a patient, what looks at pixels sees the patient the same way round."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.studies.model import Unit, Volume
from inference.upright import Upright, plane_of
from tests import factories

AFFINE = np.array(
    [[0.7, 0.0, 0.0, -90.0], [0.0, 0.8, 0.0, -70.0], [0.0, 0.0, 5.0, 300.0], [0.0, 0.0, 0.0, 1.0]]
)


def _stored(
    volume: Volume, axes: tuple[int, ...], turned: tuple[bool, ...]
) -> tuple[Volume, NDArray[np.float64]]:
    """The volume with other axes, and where each of its voxels lay: (column, row, slice) before."""
    shape = np.array(volume.shape)[list(axes)]
    array = np.transpose(volume.array, axes)
    array = array[tuple(slice(None, None, -1 if t else 1) for t in turned)]
    back = np.eye(4)
    back[:3, :3] = 0.0
    for new, (old, reverse) in enumerate(zip(axes, turned, strict=True)):
        back[2 - old, 2 - new] = -1.0 if reverse else 1.0
        back[2 - old, 3] = shape[new] - 1 if reverse else 0.0
    return factories.make_volume(np.ascontiguousarray(array), volume.affine @ back), back


@pytest.fixture
def standing() -> Volume:
    array = np.random.default_rng(3).integers(-1000, 400, (4, 5, 6)).astype(np.int16)
    return factories.make_volume(array, AFFINE)


def test_what_stands_already_is_not_copied(standing: Volume) -> None:
    upright = Upright.of(standing)
    assert upright.volume is standing
    assert upright.back(standing.array) is standing.array


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("turned", list(product((False, True), repeat=3)))
def test_every_way_of_storing_is_turned_and_put_back(
    standing: Volume, axes: tuple[int, ...], turned: tuple[bool, ...]
) -> None:
    stored, _ = _stored(standing, axes, turned)
    upright = Upright.of(stored)
    expected, affine = standing.array, standing.affine
    if axes[0] == 0 and turned[0]:  # the order of axial slices stays
        again, _ = _stored(standing, (0, 1, 2), (True, False, False))
        expected, affine = again.array, again.affine
    np.testing.assert_array_equal(upright.volume.array, expected)
    np.testing.assert_allclose(upright.volume.affine, affine, atol=1e-9)
    assert upright.volume.array.flags.c_contiguous
    assert upright.stored_shape == stored.shape
    np.testing.assert_array_equal(upright.back(upright.volume.array), stored.array)
    planes = {0: "axial", 1: "coronal", 2: "sagittal"}
    assert upright.plane == plane_of(stored) == planes[axes[0]]


def test_some_axial_slices_are_put_back_as_well(standing: Volume) -> None:
    stored, _ = _stored(standing, (0, 2, 1), (False, True, False))
    upright = Upright.of(stored)
    some = upright.back(upright.volume.array[[1, 3]])
    np.testing.assert_array_equal(some, stored.array[[1, 3]])


def test_a_tilted_gantry_leaves_slices_axial(standing: Volume) -> None:
    tilted = standing.affine.copy()
    tilted[:3, 1] = (0.0, 0.8 * np.cos(0.4), 0.8 * np.sin(0.4))
    volume = factories.make_volume(standing.array, tilted)
    assert plane_of(volume) == "axial"
    assert Upright.of(volume).volume is volume


def test_what_has_no_axes_and_what_is_no_ct_stay(standing: Volume) -> None:
    stored, _ = _stored(standing, (1, 2, 0), (True, False, True))
    nowhere = factories.make_volume(stored.array, stored.affine, has_orientation=False)
    xray = factories.make_volume(stored.array, stored.affine, modality="DX", unit=Unit.GREY)
    for volume in (nowhere, xray):
        assert Upright.of(volume).volume is volume
        assert plane_of(volume) == "axial"
