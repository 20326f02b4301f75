"""Masks as one label map, and the label map as NIfTI."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import ExportRefusedError
from inference.export.current import require_current, require_segments
from inference.findings import Manifestation

if TYPE_CHECKING:
    from inference.findings import Findings
    from inference.studies.model import Volume

__all__ = ["LABELS", "label_map", "write_nifti"]

LABELS: Final = {
    Manifestation.GGO: 1,
    Manifestation.CONSOLIDATION: 2,
    Manifestation.EFFUSION: 3,
}
"""Value of each manifestation; 0 is none. The order is also the precedence: later wins."""

_SHEAR_TOLERANCE: Final = 1e-3
"""Largest cosine between two axes that still counts as a right angle (0.06 degrees)."""


def label_map(findings: Findings) -> NDArray[np.uint8]:
    """All masks in one array.

    Parameters
    ----------
    findings
        With segments.

    Returns
    -------
    ndarray
        Shape (slices, rows, columns), uint8: 0 none, 1 ground glass, 2 consolidation, 3 effusion.
        Where masks overlap, effusion goes before consolidation before ground glass.

    Raises
    ------
    ExportRefusedError
        When segmentation was not computed.
    """
    labels = np.zeros(findings.shape, np.uint8)
    segments = {segment.key: segment for segment in require_segments(findings)}
    for key, value in LABELS.items():
        if key in segments:
            labels[segments[key].mask] = value
    return labels


def write_nifti(findings: Findings, volume: Volume, path: Path) -> str:
    """Write the label map on the volume's grid.

    Parameters
    ----------
    findings
        With segments, of this volume.
    volume
        Gives the grid: the file has the same size, origin, spacing and direction.
    path
        ``.nii`` or ``.nii.gz``.

    Returns
    -------
    str
        A sentence for the reader when something must be known about the file, else ``""``.

    Raises
    ------
    ExportRefusedError
        When segmentation was not computed, the findings are of another series, the grid is
        sheared (gantry tilt), or the file cannot be written.
    """
    import SimpleITK

    require_current(findings, volume)
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    direction = _right_angled(volume.affine[:3, :3] / spacing)
    image = SimpleITK.GetImageFromArray(label_map(findings))
    image.SetOrigin([float(v) for v in volume.affine[:3, 3]])
    image.SetSpacing([float(v) for v in spacing])
    image.SetDirection([float(v) for v in direction.ravel()])
    try:
        SimpleITK.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise ExportRefusedError(
            f"{path.name} could not be written; choose a folder that you may write to and a name "
            "that ends in .nii or .nii.gz."
        ) from error
    if not volume.has_geometry:
        return "The source has no geometry, so the label map has a spacing of 1 and no position."
    return ""


def _right_angled(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest right-angled axes, for what is right-angled but for rounding."""
    cosines = axes.T @ axes - np.eye(3)
    if np.abs(cosines).max() > _SHEAR_TOLERANCE:
        raise ExportRefusedError(
            "The slices of this series are sheared (gantry tilt), which NIfTI label maps here "
            "cannot hold; export a DICOM segmentation instead."
        )
    left, _, right = np.linalg.svd(axes)
    nearest: NDArray[np.float64] = left @ right
    return nearest
