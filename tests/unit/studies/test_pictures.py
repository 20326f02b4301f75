"""A picture is one slice of grey and known as such."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inference.studies import Code, SourceKind, Unit, load, scan


def read(path):
    return load(scan(path)[0].series[0])


@pytest.fixture
def ramp() -> np.ndarray:
    return np.tile(np.arange(0, 240, 5, dtype=np.uint8), (40, 1))


def test_a_png_is_one_slice_of_exact_grey(tmp_path, ramp):
    Image.fromarray(ramp).save(tmp_path / "a.png")
    (series,) = scan(tmp_path / "a.png")[0].series
    assert (series.kind, series.modality) == (SourceKind.PICTURE, "OT")
    assert (series.rows, series.columns) == (40, 48)
    volume = load(series)
    np.testing.assert_array_equal(volume.array[0], ramp)
    assert volume.array.dtype == np.uint8
    assert volume.unit is Unit.GREY
    assert not volume.has_geometry
    assert not volume.has_orientation
    assert not volume.lossy
    assert [problem.code for problem in volume.problems] == [Code.PICTURE_NO_HU]


def test_a_jpeg_is_lossy(tmp_path, ramp):
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=95)
    volume = read(tmp_path / "a.jpg")
    assert volume.lossy
    assert np.abs(volume.array[0].astype(int) - ramp).max() < 8


def test_the_content_counts_and_not_the_name(tmp_path, ramp):
    Image.fromarray(ramp).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert not read(tmp_path / "a.jpg").lossy


def test_sixteen_bits_stay_sixteen(tmp_path):
    deep = np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40
    Image.fromarray(deep).save(tmp_path / "a.png")
    volume = read(tmp_path)
    assert volume.array.dtype == np.uint16
    np.testing.assert_array_equal(volume.array[0], deep)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_colour_becomes_grey_and_is_said(tmp_path, mode):
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new("RGB", (40, 40), (0, 255, 0)).convert(mode).save(tmp_path / f"a.{suffix}")
    volume = read(tmp_path)
    assert volume.array[0, 5, 5] == pytest.approx(150, abs=3)
    assert Code.COLOUR_TO_GREY in {problem.code for problem in volume.problems}


def test_a_transparent_palette_makes_no_noise(tmp_path):
    picture = Image.new("P", (40, 40), 1)
    picture.putpalette([0, 0, 0, 90, 90, 90])
    picture.save(tmp_path / "a.png", transparency=bytes([0, 128]))
    assert read(tmp_path).array[0, 0, 0] == 90


def test_a_turned_photograph_is_turned_back(tmp_path, ramp):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(ramp).save(tmp_path / "a.jpg", exif=exif, quality=95)
    (series,) = scan(tmp_path)[0].series
    assert (series.rows, series.columns) == (48, 40)
    volume = load(series)
    assert volume.shape == (1, 48, 40)
    assert volume.array[0, 0, 20] < volume.array[0, 47, 20]


def test_a_folder_of_pictures_is_a_series_each(tmp_path, ramp):
    for name in ("b.png", "a.png"):
        Image.fromarray(ramp).save(tmp_path / name)
    (study,) = scan(tmp_path)
    assert [(s.number, s.description) for s in study.series] == [(1, "a.png"), (2, "b.png")]
    assert len({s.uid for s in study.series}) == 2
