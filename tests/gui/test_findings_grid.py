"""Findings are shown on the very grid that they were computed on, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from inference.findings import Findings
from inference.grids import GRID_TOLERANCE_MM, same_grid


def test_findings_of_the_same_voxels_elsewhere_are_refused(
    opened: SimpleNamespace, make_findings: Callable[..., Findings]
) -> None:
    """As of a series that was read again with another spacing."""
    findings = make_findings(opened.volume)
    moved, stretched = findings.affine.copy(), findings.affine.copy()
    moved[2, 3] += 1.0
    stretched[0, 0] *= 1.01
    for affine in (moved, stretched):
        with pytest.raises(ValueError, match="another grid"):
            opened.session.set_findings(replace(findings, affine=affine))
        assert opened.session.findings is None
    opened.session.set_findings(findings)
    assert opened.session.findings is findings


def test_how_far_apart_one_grid_may_lie() -> None:
    shape, affine = (40, 512, 512), np.diag([0.7, 0.7, 5.0, 1.0])
    moved, stretched = affine.copy(), affine.copy()
    moved[2, 3] = 0.9 * GRID_TOLERANCE_MM
    assert same_grid(shape, affine, shape, moved)
    moved[2, 3] = 1.1 * GRID_TOLERANCE_MM
    assert not same_grid(shape, affine, shape, moved)
    stretched[0, 0] += 1.1 * GRID_TOLERANCE_MM / 511
    assert not same_grid(shape, affine, shape, stretched), "at the far corner"
    assert not same_grid(shape, affine, (39, 512, 512), affine)
