"""A chest read from files: its lungs are the same however they are stored, padded or cut."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inference.cli import run
from inference.lungs import find_lungs
from inference.studies import load, main_series, scan
from inference.studies.model import Volume
from tests import phantoms

SHARED = Path(os.environ.get("SECONDREAD_SHARED", Path(__file__).parents[5] / "shared"))
P001 = SHARED / "data" / "dicom" / "covid_ct_md" / "P001"

SPACING = np.array([5.0, 3.0, 3.0])
"""Millimetres between slices, rows and columns."""
ORIGIN = np.array([-90.0, -190.0, -170.0])
"""Of the first voxel, (z, y, x)."""

WriteSlice = Callable[..., Path]
Stored = dict[str, tuple[tuple[int, int, int], tuple[bool, bool, bool]]]

STORED: Stored = {
    "axial": ((0, 1, 2), (False, False, False)),
    "rows to the front": ((0, 1, 2), (False, True, False)),
    "prone": ((0, 1, 2), (False, True, True)),
    "coronal": ((1, 0, 2), (False, True, False)),
    "sagittal": ((2, 0, 1), (False, True, False)),
}
"""Which axes of (z, y, x) are slices, rows and columns, and which of them run down."""


def _write(write_slice: WriteSlice, hu: np.ndarray, how: str, folder: str) -> None:
    axes, turned = STORED[how]
    array = hu.transpose(axes)[tuple(slice(None, None, -1 if t else 1) for t in turned)]
    cosines = np.eye(3)[list(axes)][:, ::-1] * np.where(turned, -1.0, 1.0)[:, None]
    last = [SPACING[a] * (hu.shape[a] - 1) if t else 0.0 for a, t in zip(axes, turned, strict=True)]
    first = ORIGIN.copy()
    first[list(axes)] += last
    for index, pixels in enumerate(array):
        place = first[::-1] + cosines[0] * SPACING[axes[0]] * index
        write_slice(
            f"{folder}/{index:03}.dcm",
            np.ascontiguousarray(pixels + 1024).astype(np.int16),
            SOPInstanceUID=f"1.2.3.4.{index + 1}",
            InstanceNumber=index + 1,
            ImagePositionPatient=[float(v) for v in place],
            ImageOrientationPatient=[float(v) for v in (*cosines[2], *cosines[1])],
            PixelSpacing=[SPACING[axes[1]], SPACING[axes[2]]],
            SliceThickness=SPACING[axes[0]],
        )


def _read(folder: Path) -> Volume:
    return load(main_series(scan(folder))[1])


def _centre(mask: np.ndarray, volume: Volume) -> np.ndarray:
    """Mean LPS position of a mask, in mm."""
    slices, rows, columns = (part.mean() for part in np.nonzero(mask))
    return volume.position(float(columns), float(rows), float(slices))


@pytest.fixture(scope="module")
def trunk() -> np.ndarray:
    return phantoms.trunk(40).astype(np.int32)


@pytest.mark.parametrize("how", STORED)
@pytest.mark.parametrize("first", [0, 30], ids=["whole", "cut"])
def test_lungs_lie_at_the_same_place_however_they_are_stored(
    tmp_path: Path, write_slice: WriteSlice, trunk: np.ndarray, how: str, first: int
) -> None:
    _write(write_slice, trunk, "axial", "whole")
    whole = _read(tmp_path / "whole")
    truth = find_lungs(whole).mask[:, :, first:]
    # The first column that is written lies at the origin, whichever of the patient it is.
    place = _centre(truth, whole)
    _write(write_slice, trunk[:, :, first:], how, "stored")
    volume = _read(tmp_path / "stored")
    lungs = find_lungs(volume)
    assert lungs.mask.sum() * volume.voxel_ml == pytest.approx(
        truth.sum() * whole.voxel_ml, rel=0.03
    )
    np.testing.assert_allclose(_centre(lungs.mask, volume), place, atol=1.5)
    assert lungs.cut == (first > 0)


def test_what_was_not_reconstructed_is_no_air(
    tmp_path: Path, write_slice: WriteSlice, trunk: np.ndarray
) -> None:
    """A round field of view that cuts both lungs; -3024 outside, declared and not."""
    rows, columns = np.ogrid[:128, :128]
    outside = (rows - 56) ** 2 + (columns - 60) ** 2 > 40**2
    _write(write_slice, trunk, "axial", "whole")
    truth = find_lungs(_read(tmp_path / "whole")).mask & ~outside
    cut = np.where(outside, -3024, trunk)
    _write(write_slice, cut, "axial", "round")
    lungs = find_lungs(_read(tmp_path / "round"))
    assert lungs.mask.sum() == pytest.approx(truth.sum(), rel=0.03)
    assert lungs.cut


@pytest.mark.parametrize("how", ["coronal", "sagittal"])
def test_of_coronal_and_sagittal_slices_the_command_gives_the_lungs_and_says_why(
    tmp_path: Path,
    write_slice: WriteSlice,
    trunk: np.ndarray,
    how: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _write(write_slice, trunk, "axial", "whole")
    whole = _read(tmp_path / "whole")
    truth = find_lungs(whole).mask.sum() * whole.voxel_ml
    _write(write_slice, trunk, how, how)
    out = tmp_path / "out"
    assert run(["analyse", str(tmp_path / how), "--out", str(out), "--device", "cpu"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"These are {how} slices, and the models know axial slices only." in said
    assert f"Lung volume: {truth:.0f} ml" in said
    assert "Probabilities" not in said
    report = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert report["lungs"]["volume_ml"] == pytest.approx(truth, rel=0.03)
    assert report["recognition"] == []
    assert report["manifestations"] is None
    assert report["segments"] is None
    assert not any(each["analysed"] for each in report["slices"])
    assert report["domain"]["within"] is False


@pytest.mark.skipif(not P001.is_dir(), reason="shared data are not at hand")
@pytest.mark.parametrize(
    "crop",
    [np.s_[130:360, 80:430], np.s_[60:430, 60:], np.s_[200:, :], np.s_[100:380, 20:260]],
    ids=["around", "side", "front", "one lung"],
)
def test_a_lung_reconstruction_of_a_patient_is_counted(crop: tuple[slice, slice]) -> None:
    whole = _read(P001)
    # Every third slice says as much as all of them.
    few = dataclasses.replace(
        whole,
        array=np.ascontiguousarray(whole.array[::3]),
        affine=whole.affine * (1.0, 1.0, 3.0, 1.0),
        slices=whole.slices[::3],
    )
    truth = find_lungs(few)
    assert not truth.cut
    part = truth.mask[:, *crop]
    tight = dataclasses.replace(few, array=np.ascontiguousarray(few.array[:, *crop]))
    lungs = find_lungs(tight)
    assert lungs.mask.sum() == pytest.approx(part.sum(), rel=0.03)
    assert 2 * (lungs.mask & part).sum() > 0.98 * (lungs.mask.sum() + part.sum())
    assert lungs.cut
