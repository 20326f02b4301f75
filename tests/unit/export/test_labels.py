"""The label map and its NIfTI file lie on the volume's grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from inference.errors import ExportRefusedError
from inference.export.labels import label_map, write_nifti
from inference.export.lesion_table import write_csv
from inference.export.seg import write_seg
from inference.findings import Findings, Manifestation
from inference.studies.model import Volume


def test_each_manifestation_has_its_value(findings: Findings) -> None:
    labels = label_map(findings)
    assert labels.dtype == np.uint8
    for value, key in ((1, Manifestation.GGO), (2, Manifestation.CONSOLIDATION)):
        segment = findings.segment(key)
        assert segment is not None
        np.testing.assert_array_equal(labels == value, segment.mask)


@pytest.mark.parametrize("write", [write_nifti, write_seg])
def test_masks_that_overlap_are_refused_not_settled(
    findings: Findings, volume: Volume, tmp_path: Path, write: Callable[..., object]
) -> None:
    """An analysis settles it by probability (`masks.combine`), which a mask no longer knows."""
    ggo, consolidation, _ = findings.segments
    same = replace(ggo, key=consolidation.key)
    wrong = replace(findings)
    object.__setattr__(wrong, "segments", (ggo, same))  # the class itself refuses them
    with pytest.raises(ExportRefusedError, match="overlap"):
        label_map(wrong)
    with pytest.raises(ExportRefusedError, match="overlap"):
        write(wrong, volume, tmp_path / "labels.nii.gz")
    assert not list(tmp_path.glob("labels*"))


@pytest.mark.parametrize("write", [write_nifti, write_seg, write_csv])
def test_findings_of_the_same_voxels_elsewhere_are_refused(
    findings: Findings, volume: Volume, tmp_path: Path, write: Callable[..., object]
) -> None:
    moved, stretched, rounded = (volume.affine.copy() for _ in range(3))
    moved[0, 3] += 0.5
    stretched[2, 2] *= 1.01
    rounded[:3] += 1e-5
    for affine in (moved, stretched):
        with pytest.raises(ExportRefusedError, match="lay elsewhere or had another spacing"):
            write(replace(findings, affine=affine), volume, tmp_path / "labels.nii.gz")
        assert not list(tmp_path.glob("labels*"))
    write(replace(findings, affine=rounded), volume, tmp_path / "labels.nii.gz")
    assert list(tmp_path.glob("labels*"))


def test_nifti_keeps_grid_and_values(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    path = tmp_path / "labels.nii.gz"
    assert write_nifti(findings, volume, path) == ""
    image = SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(image), label_map(findings))
    np.testing.assert_allclose(image.GetOrigin(), volume.affine[:3, 3], atol=1e-5)
    np.testing.assert_allclose(image.GetSpacing(), np.diag(volume.affine)[:3], rtol=1e-6)


def test_oblique_and_left_handed_grids_are_exact(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    angle = np.radians(17)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0],
                     [0, 0, -1]])  # fmt: skip
    affine = volume.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    oblique = replace(volume, affine=affine)
    path = tmp_path / "labels.nii.gz"
    write_nifti(replace(findings, affine=affine), oblique, path)
    image = SimpleITK.ReadImage(str(path))
    for index in ((0, 0, 0), (31, 0, 0), (0, 23, 0), (5, 7, 5)):
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(index), oblique.position(*index), atol=1e-3
        )


def test_tilt_is_refused_with_the_alternative(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    affine = volume.affine.copy()
    affine[1, 2] = 0.9  # each slice lies a little further back
    with pytest.raises(ExportRefusedError, match=r"tilt.*DICOM segmentation"):
        write_nifti(
            replace(findings, affine=affine), replace(volume, affine=affine),
            tmp_path / "labels.nii.gz",
        )  # fmt: skip
    assert not (tmp_path / "labels.nii.gz").exists()


def test_missing_geometry_is_said(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    flat = replace(volume, affine=np.eye(4), has_geometry=False)
    note = write_nifti(replace(findings, affine=flat.affine), flat, tmp_path / "labels.nii")
    assert "no geometry" in note
    assert SimpleITK.ReadImage(str(tmp_path / "labels.nii")).GetSpacing() == (1.0, 1.0, 1.0)


def test_findings_of_another_series_are_refused(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match="another series"):
        write_nifti(findings, replace(volume, series_uid="1.2"), tmp_path / "labels.nii.gz")


def test_xray_has_no_masks(xray: Findings, volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(ExportRefusedError, match="only computed on axial CT"):
        write_nifti(xray, volume, tmp_path / "labels.nii.gz")


def test_unwritable_place_is_one_sentence(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match="could not be written"):
        write_nifti(findings, volume, tmp_path / "missing" / "labels.nii.gz")
