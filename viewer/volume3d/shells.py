"""Masks of findings, cut out for the process that makes surfaces of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viewer.volume3d.wire import Shell

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.progress import Progress

__all__ = ["LUNGS", "shell", "shells"]

LUNGS = "lungs"
"""Name of the lungs' surface; those of segments have the value of their manifestation."""

_LESION_MM, _LUNG_MM = 1.0, 2.0
"""Blocks of voxels that together are no longer than this are taken for one."""


def shells(findings: Findings, progress: Progress | None = None) -> tuple[Shell, ...]:
    """Cut out every mask that is not empty: the segments', then the lungs'."""
    masks = [(s.key.value, s.mask, _LESION_MM) for s in findings.segments]
    if findings.lungs is not None:
        masks.append((LUNGS, findings.lungs, _LUNG_MM))
    made = []
    for number, (name, mask, mm) in enumerate(masks):
        if progress is not None:
            progress.report("Preparing surfaces", number, len(masks))
        made.append(shell(name, mask, findings.affine, mm))
    return tuple(each for each in made if each is not None)


def shell(
    name: str, mask: NDArray[np.bool_], affine: NDArray[np.float64], mm: float
) -> Shell | None:
    """Cut a mask out of its grid; None when it is empty.

    A block of voxels counts when any of them does, so that no lesion, however small, is lost; a
    surface may be too large by a voxel, and nothing is measured in it.
    """
    sums = [np.asarray(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not sums[0].any():
        return None
    spans = [(int(s.argmax()), len(s) - int(s[::-1].argmax())) for s in sums]
    cut = mask[tuple(slice(*span) for span in spans)]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[::-1]
    factors = np.maximum(1, (mm / spacing + 1e-6).astype(int))
    cut = np.pad(cut, [(0, int(-n % f)) for n, f in zip(cut.shape, factors, strict=True)])
    for axis, factor in enumerate(factors):
        if factor > 1:
            cut = np.logical_or.reduceat(cut, np.arange(0, cut.shape[axis], factor), axis=axis)
    moved = affine.copy()
    start = np.array([span[0] for span in spans], float) + (factors - 1) / 2 - factors
    moved[:3, 3] = (affine @ np.append(start[::-1], 1.0))[:3]
    moved[:3, :3] = affine[:3, :3] * factors[::-1]
    return Shell(name, np.pad(cut, 1).astype(np.uint8) * np.uint8(255), moved)
