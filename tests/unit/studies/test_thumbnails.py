"""Thumbnails: the middle slice, true aspect, window that shows something."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from inference.studies import scan, thumbnail


def test_the_middle_slice_of_a_ct_in_the_lung_window(write_slice, tmp_path):
    for i, value in enumerate((0, 424, 2000)):
        write_slice(
            f"{i}", np.full((40, 40), value, np.uint16), ImagePositionPatient=[0, 0, i],
            SOPInstanceUID=f"1.2.{i}", PixelSpacing=[1, 1],
        )  # fmt: skip
    picture = thumbnail(scan(tmp_path)[0].series[0], 64)
    assert picture.shape == (64, 64)
    assert picture.dtype == np.uint8
    # -600 HU is the centre of the lung window.
    assert picture[32, 32] == pytest.approx(128, abs=1)


def test_true_aspect_leaves_bars(write_slice):
    path = write_slice(pixels=np.full((40, 40), 3000, np.uint16), PixelSpacing=[1.0, 0.5])
    picture = thumbnail(scan(path)[0].series[0], 96)
    columns = np.flatnonzero(picture.any(axis=0))
    assert (columns[0], columns[-1]) == (24, 71)
    assert picture[:, 48].all()


def test_monochrome1_is_shown_inverted(write_slice):
    pixels = np.zeros((40, 40), np.uint16)
    pixels[:, 20:] = 1000
    values = {"Modality": "CR", "WindowCenter": 500 - 1024, "WindowWidth": 1000}
    plain = thumbnail(scan(write_slice(pixels=pixels, **values))[0].series[0])
    path = write_slice(pixels=pixels, PhotometricInterpretation="MONOCHROME1", **values)
    inverse = thumbnail(scan(path)[0].series[0])
    assert (plain[48, 20], plain[48, 80]) == (0, 255)
    assert (inverse[48, 20], inverse[48, 80]) == (255, 0)


def test_a_picture(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (32, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    picture = thumbnail(scan(tmp_path)[0].series[0])
    assert not picture[:20].any()
    assert picture[48, 90] > picture[48, 48] > picture[48, 5]


@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha", "a.nrrd"])
def test_a_volume_of_any_axes(tmp_path, name):
    # Stored as coronal slices: the axial middle is the one of the stored rows.
    array = np.full((36, 41, 44), -3000, np.int16)
    array[:, 20, :] = 2000
    array[0, 20, 0] = -1000
    image = SimpleITK.GetImageFromArray(array)
    image.SetDirection((1, 0, 0, 0, 0, 1, 0, -1, 0))
    SimpleITK.WriteImage(image, str(tmp_path / name))
    picture = thumbnail(scan(tmp_path)[0].series[0], 44)
    assert (picture[4:40] == 255).sum() == 36 * 44 - 1
    assert not picture[:4].any()
