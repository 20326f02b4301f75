"""Masks cut out for surfaces, and the surfaces that VTK makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from viewer.volume3d.shells import shell

SHEARED = np.array([[0.7, 0, 0, -30], [0, 0.7, 0.5, -20], [0, 0, 3, 5], [0, 0, 0, 1]], float)


def places(made) -> np.ndarray:
    k, j, i = np.nonzero(made.array)
    return (np.stack([i, j, k, np.ones(i.size)], -1) @ made.affine.T)[:, :3]


@pytest.mark.parametrize("mm", [0.5, 2.0])
def test_a_mask_keeps_its_place(mm):
    mask = np.zeros((12, 40, 50), bool)
    mask[4:8, 10:22, 20:32] = True
    expected = (SHEARED @ [25.5, 15.5, 5.5, 1.0])[:3]
    made = shell("ggo", mask, SHEARED, mm)
    assert made is not None
    assert places(made).mean(0) == pytest.approx(expected, abs=1e-9)
    assert not made.array[0].any()
    assert not made.array[:, :, -1].any()


def test_a_single_voxel_is_not_lost_however_coarse():
    mask = np.zeros((12, 40, 50), bool)
    mask[6, 13, 17] = True
    made = shell("ggo", mask, SHEARED, 3.0)
    assert made is not None
    assert places(made).mean(0) == pytest.approx((SHEARED @ [17, 13, 6, 1.0])[:3], abs=3.0)


def test_an_empty_mask_has_no_surface():
    assert shell("ggo", np.zeros((3, 4, 5), bool), SHEARED, 1.0) is None


@pytest.mark.parametrize("size", [1, 14])
def test_a_surface_lies_around_its_mask_in_the_patient(size):
    from vtkmodules.util.numpy_support import vtk_to_numpy

    from viewer.volume3d.surfacing import surface

    mask = np.zeros((20, 60, 60), bool)
    mask[5 : 5 + max(1, size // 4), 20 : 20 + size, 30 : 30 + size] = True
    made = shell("ggo", mask, SHEARED, 0.5)
    assert made is not None
    points = vtk_to_numpy(surface(made).GetPoints().GetData())
    middle = places(made).mean(0)
    assert points.mean(0) == pytest.approx(middle, abs=0.5)
    reach = np.linalg.norm(points - middle, axis=1).max()
    assert (
        0.2 < reach < 2.0 * np.linalg.norm(SHEARED[:3, :3] @ [size / 2, size / 2, size / 8 + 0.5])
    )
