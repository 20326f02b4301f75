"""Each odd geometry, from files to the sentence that the reader sees on the viewport."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import SimpleITK

from inference.studies import Code, Volume, load, scan

EVEN = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


def volumes(folder) -> list[Volume]:
    return [load(series) for study in scan(folder) for series in study.series]


def said(volume: Volume, code: Code) -> str:
    (sentence,) = [problem.sentence for problem in volume.problems if problem.code == code]
    assert sentence[0].isupper() or sentence[0].isdigit()
    assert sentence.endswith(".")
    return sentence


def test_tilt(write_series, tmp_path):
    a = np.radians(12)
    write_series(EVEN, ImageOrientationPatient=[1, 0, 0, 0, float(np.cos(a)), float(-np.sin(a))])
    (volume,) = volumes(tmp_path)
    assert "tilted by 12.0°" in said(volume, Code.GANTRY_TILT)
    # A point of the last slice, by its own position and cosines.
    np.testing.assert_allclose(
        volume.position(5, 7, 5),
        np.array([-10, -20, 10]) + 5 * 0.6 * np.eye(3)[0]
        + 7 * 0.8 * np.array([0, np.cos(a), -np.sin(a)]),
    )  # fmt: skip


def test_gaps(write_series, tmp_path):
    write_series([0.0, 2.0, 4.0, 10.0, 12.0])
    (volume,) = volumes(tmp_path)
    assert "2 slices seem to be missing" in said(volume, Code.MISSING_SLICES)


def test_duplicates(write_series, tmp_path):
    paths = write_series(EVEN)
    shutil.copy(paths[2], tmp_path / "ct" / "again")
    (volume,) = volumes(tmp_path)
    assert volume.shape[0] == 6
    assert "1 identical copy of a slice was left out" in said(volume, Code.DUPLICATE_SLICES)


def test_uneven_spacing(write_series, tmp_path):
    write_series([0.0, 2.0, 4.0, 7.0, 9.0, 11.0])
    (volume,) = volumes(tmp_path)
    assert "2.00 to 3.00 mm (usually 2.00 mm)" in said(volume, Code.UNEVEN_SPACING)


def test_mixed_orientations(write_series, tmp_path):
    write_series(EVEN)
    write_series(
        [(-10.0, y, 0.0) for y in (1.0, 3.0)], folder="coronal",
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )  # fmt: skip
    axial, coronal = volumes(tmp_path)
    assert (axial.shape[0], coronal.shape[0]) == (6, 2)
    assert "several orientations" in said(axial, Code.MIXED_ORIENTATION)
    assert coronal.affine[1, 2] == pytest.approx(2.0)


def test_a_localizer(write_series, tmp_path):
    write_series(EVEN)
    write_series([50.0], folder="scout", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    series, scout = volumes(tmp_path)
    assert series.shape[0] == 6
    assert "This is a localizer" in said(scout, Code.LOCALIZER)


def test_rescale_of_each_slice(write_series, tmp_path):
    write_series(EVEN[:2], RescaleSlope=1, RescaleIntercept=-1024)
    write_series(EVEN[2:4], folder="more", RescaleSlope=2.5, RescaleIntercept=-1000)
    (volume,) = volumes(tmp_path)
    assert volume.array[:, 0, 0].tolist() == [-1000.0, -999.0, -940.0, -937.5]


@pytest.mark.parametrize("cosines", [None, [1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0]])
def test_missing_or_senseless_orientation(write_series, tmp_path, cosines):
    write_series(EVEN, ImageOrientationPatient=cosines)
    (volume,) = volumes(tmp_path)
    assert not volume.has_orientation
    assert "do not say where they lie" in said(volume, Code.NO_POSITION)


def test_non_square_pixels(write_series, tmp_path):
    write_series(EVEN, PixelSpacing=[1.5, 0.5])
    (volume,) = volumes(tmp_path)
    assert volume.spacing == pytest.approx((2.0, 1.5, 0.5))
    np.testing.assert_allclose(volume.position(2, 1, 0), (-10 + 1.0, -20 + 1.5, 0))
    assert not volume.problems


def test_anisotropic_voxels(write_series, tmp_path):
    write_series([0.0, 10.0, 20.0], SliceThickness=10.0)
    (volume,) = volumes(tmp_path)
    assert volume.spacing == pytest.approx((10.0, 0.8, 0.6))
    assert volume.voxel_ml == pytest.approx(10 * 0.8 * 0.6 / 1000)
    assert not volume.problems


def test_4d_dicom(write_series, tmp_path):
    for time in (1, 2):
        for path in write_series(EVEN, folder=f"t{time}", TemporalPositionIdentifier=time):
            path.write_bytes(path.read_bytes()[:-1] + bytes([time]))
    first, second = volumes(tmp_path)
    assert first.shape == second.shape == (6, 40, 40)
    assert "the series was split into 2" in said(second, Code.SAME_POSITION)


def test_4d_nifti(tmp_path):
    one = SimpleITK.GetImageFromArray(np.full((4, 40, 40), -900, np.int16))
    SimpleITK.WriteImage(SimpleITK.JoinSeries([one, one + 1]), str(tmp_path / "a.nii.gz"))
    first, second = volumes(tmp_path)
    assert (first.array[0, 0, 0], second.array[0, 0, 0]) == (-900, -899)
    assert "holds 2 volumes" in said(second, Code.TIME_POINTS)
