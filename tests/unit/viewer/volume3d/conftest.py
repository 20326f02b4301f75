"""Volumes whose content has a known place in the patient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from inference.studies.model import Unit, Volume
from tests import factories


@pytest.fixture
def make_ball() -> Callable[..., Volume]:
    """Make a volume with a ball around an LPS point; air elsewhere."""

    def make(
        affine: np.ndarray,
        shape: tuple[int, int, int],
        at: tuple[float, float, float],
        radius: float = 8.0,
        **settings,
    ) -> Volume:
        k, j, i = np.indices(shape)
        places = np.stack([i, j, k, np.ones(shape)], -1) @ affine.T
        inside = np.linalg.norm(places[..., :3] - at, axis=-1) <= radius
        array = np.where(inside, 700, -1000).astype(np.int16)
        given = {
            "array": array, "affine": affine, "unit": Unit.HU, "modality": "CT",
            "has_geometry": True, "has_orientation": True, "series_uid": "1.2.3",
        } | settings  # fmt: skip
        return factories.make_volume(**given)

    return make
