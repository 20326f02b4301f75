"""A phantom of known sizes and values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inference.studies.model import SliceSource, Unit, Volume
from tests import factories


@pytest.fixture
def phantom() -> Callable[..., Volume]:
    """Make a CT of 6 slices of 60 × 80: air, with things in slice 2.

    - a box of 40 HU, columns 10 to 29, rows 5 to 14 (20 × 10 pixels),
    - a ramp of one HU a column, columns 40 to 59, rows 5 to 14,
    - a disk of 100 HU, radius 10 pixels around (30, 40).

    Spacing is 0.5 mm between columns, 0.8 between rows, 2 between slices.
    """

    def make(**changes: Any) -> Volume:
        array = np.full((6, 60, 80), -1000, np.int16)
        array[2, 5:15, 10:30] = 40
        array[2, 5:15, 40:60] = np.arange(40, 60)
        rows, columns = np.mgrid[0:60, 0:80]
        array[2][(columns - 30) ** 2 + (rows - 40) ** 2 <= 100] = 100
        given: dict[str, Any] = {
            "array": array,
            "affine": np.diag([0.5, 0.8, 2.0, 1.0]),
            "unit": Unit.HU,
            "modality": "CT",
            "has_geometry": True,
            "has_orientation": True,
            "series_uid": "1.2.3",
            "slices": tuple(
                SliceSource(Path(f"{k}.dcm"), sop_instance_uid=f"1.2.3.{k}", instance=90 + k)
                for k in range(6)
            ),
        }
        return factories.make_volume(**{**given, **changes})

    return make
