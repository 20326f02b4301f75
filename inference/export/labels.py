"""Masks as one label map, and the label map as NIfTI."""

from __future__ import annotations

import errno
import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from inference.errors import ExportRefusedError
from inference.export import files
from inference.export.current import require_current, require_segments
from inference.findings import Manifestation

if TYPE_CHECKING:
    import SimpleITK

    from inference.findings import Findings
    from inference.studies.model import Volume

__all__ = ["LABELS", "label_map", "write_nifti"]

LABELS: Final = {
    Manifestation.GGO: 1,
    Manifestation.CONSOLIDATION: 2,
    Manifestation.EFFUSION: 3,
}
"""Value of each manifestation; 0 is none."""

_SUFFIXES: Final = (".nii.gz", ".nii")
_VOXELS_AT: Final = 108
"""Where a NIfTI-1 header says where the voxels begin (``vox_offset``)."""
_ROUNDING: Final = 1e-5
"""Of a number that was kept as float32."""

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

    Raises
    ------
    ExportRefusedError
        When segmentation was not computed, or masks overlap: those of one analysis exclude each
        other, and which of two is right is not for a file format to say.
    """
    labels = np.zeros(findings.shape, np.uint8)
    segments = {segment.key: segment for segment in require_segments(findings)}
    for key, value in LABELS.items():
        if key in segments:
            mask = segments[key].mask
            if labels[mask].any():
                raise ExportRefusedError(
                    "Masks of these findings overlap, which those of an analysis never do; analyse "
                    "the series again before exporting."
                )
            labels[mask] = value
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

    # ITK writes warnings on the error stream; what matters is said in sentences.
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    require_current(findings, volume)
    spacing = np.linalg.norm(volume.affine[:3, :3], axis=0)
    direction = _right_angled(volume.affine[:3, :3] / spacing)
    image = SimpleITK.GetImageFromArray(label_map(findings))
    image.SetOrigin([float(v) for v in volume.affine[:3, 3]])
    image.SetSpacing([float(v) for v in spacing])
    image.SetDirection([float(v) for v in direction.ravel()])
    suffix = next((each for each in _SUFFIXES if path.name.lower().endswith(each)), None)
    if suffix is None:
        raise ExportRefusedError(
            f"{path.name} does not say how a label map is to be written; choose a name that ends "
            "in .nii or .nii.gz."
        )
    with files.place_for(path, suffix) as part:
        try:
            SimpleITK.WriteImage(image, str(part), useCompression=True)
        except (RuntimeError, UnicodeError) as error:
            raise OSError(errno.EIO, "the writer of NIfTI failed") from error
        _check(part, image)
    if not volume.has_geometry:
        return "The source has no geometry, so the label map has a spacing of 1 and no position."
    return ""


def _check(path: Path, written: SimpleITK.Image) -> None:
    """Read a file again: its writer says nothing of a disk that was full.

    Raises
    ------
    OSError
        When it does not hold these values on this grid.
    """
    import SimpleITK

    try:
        whole = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        start = int(np.frombuffer(whole, "<f4", 1, offset=_VOXELS_AT)[0])
        voxels = np.frombuffer(whole, np.uint8, offset=start)
        reader = SimpleITK.ImageFileReader()
        reader.SetImageIO("NiftiImageIO")
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
    except (EOFError, ValueError, RuntimeError, zlib.error) as error:
        raise OSError(errno.EIO, "what was written does not read back") from error
    given = SimpleITK.GetArrayViewFromImage(written)
    same = (
        reader.GetSize() == written.GetSize()
        and np.allclose(reader.GetSpacing(), written.GetSpacing(), rtol=_ROUNDING, atol=0)
        and np.allclose(reader.GetOrigin(), written.GetOrigin(), rtol=_ROUNDING, atol=1e-3)
        and np.allclose(reader.GetDirection(), written.GetDirection(), rtol=0, atol=1e-4)
        and voxels.size == given.size
        and bool((voxels.reshape(given.shape) == given).all())
    )
    if not same:
        raise OSError(errno.EIO, "what was written does not read back")


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
