"""Findings leave the program only together with the very volume that they were computed on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from inference.errors import ExportRefusedError
from inference.grids import same_grid

if TYPE_CHECKING:
    from inference.findings import Findings, Segment
    from inference.studies.model import Volume

__all__ = ["content_hash", "require_current", "require_segments"]


def content_hash(volume: Volume) -> str:
    """SHA-256 of a volume's values and place, in hexadecimal."""
    digest = hashlib.sha256()
    digest.update(f"{volume.array.dtype.str} {volume.shape} {volume.unit}".encode())
    digest.update(np.ascontiguousarray(volume.affine, dtype="<f8").tobytes())
    for slice_ in volume.array:
        digest.update(np.ascontiguousarray(slice_).data)
    return digest.hexdigest()


def require_current(findings: Findings, volume: Volume) -> None:
    """Refuse findings of another series or grid: other voxels, or the same in other places.

    Raises
    ------
    ExportRefusedError
        When they do not belong to the volume.
    """
    if findings.series_uid != volume.series_uid or findings.shape != volume.shape:
        raise ExportRefusedError(
            "These findings belong to another series than the one that is open; analyse this one "
            "before exporting."
        )
    if not same_grid(findings.shape, findings.affine, volume.shape, volume.affine):
        raise ExportRefusedError(
            "These findings were made when this series lay elsewhere or had another spacing; "
            "analyse it again before exporting."
        )


def require_segments(findings: Findings) -> tuple[Segment, ...]:
    """The segments, when segmentation was computed.

    Raises
    ------
    ExportRefusedError
        When there are none, as on an X-ray.
    """
    if not findings.segments:
        raise ExportRefusedError(
            "There are no masks to export, because segmentation is only computed on axial CT; "
            "export the findings as JSON or the picture as PNG instead."
        )
    return findings.segments
