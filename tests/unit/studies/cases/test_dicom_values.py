"""What a DICOM value is: Hounsfield unit, bits of its word, padding, and its way to grey."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread, dcmwrite
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from inference.export.picture import default_window
from inference.preprocess import to_picture
from inference.studies import Code, Unit, Volume, load, scan, thumbnail
from inference.studies.dicom_header import read_header
from inference.studies.header_store import decode, encode
from viewer.first_window import percentile_window

ROWS, COLUMNS = 36, 52
WriteSlice = Callable[..., Path]


def hounsfield(slices: int = 5) -> NDArray[np.int32]:
    """Return values of which each tells its place."""
    z, y, x = np.mgrid[:slices, :ROWS, :COLUMNS]
    return (-990 + 40 * z + 9 * y + x).astype(np.int32)


def read(path: Path) -> Volume:
    (study,) = scan(path)
    (series,) = study.series
    return load(series)


def said(volume: Volume, code: Code) -> list[Any]:
    return [problem for problem in volume.problems if problem.code == code]


def stack(write_slice: WriteSlice, pixels: Any, **values: Any) -> list[Path]:
    """Write slices 2 mm apart; a list among the values gives each slice its own."""
    return [
        write_slice(
            f"{k}.dcm", each, SOPInstanceUID=f"1.2.3.4.{k + 1}", InstanceNumber=k + 1,
            ImagePositionPatient=[-10, -20, 2.0 * k],
            **{key: x[k] if isinstance(x, list) else x for key, x in values.items()},
        )
        for k, each in enumerate(pixels)
    ]  # fmt: skip


def test_slices_that_lost_their_rescale_are_no_hounsfield_units(write_slice, tmp_path):
    lost = {1, 2, 4}
    paths = stack(
        write_slice, (hounsfield() + 1024).astype(np.uint16),
        RescaleSlope=[None if k in lost else 1 for k in range(5)],
        RescaleIntercept=[None if k in lost else -1024 for k in range(5)],
    )  # fmt: skip
    volume = read(tmp_path)
    assert volume.unit is Unit.GREY
    (problem,) = said(volume, Code.NO_HU)
    assert "3 of 5 slices" in problem.sentence
    assert set(problem.files) == {paths[k] for k in lost}
    assert not said(volume, Code.HU_ASSUMED)


@pytest.mark.parametrize(("raised", "unit"), [(set(), Unit.HU), ({1}, Unit.GREY)])
def test_units_are_assumed_of_every_slice_or_of_none(write_slice, tmp_path, raised, unit):
    values = hounsfield()
    for k in raised:
        values[k] += 1024
    stack(write_slice, values.astype(np.int16), RescaleSlope=None, RescaleIntercept=None)
    volume = read(tmp_path)
    assert volume.unit is unit
    assert bool(said(volume, Code.HU_ASSUMED)) is (unit is Unit.HU)


def test_a_slope_of_nought_is_none(write_slice):
    assert said(read(write_slice(RescaleSlope=0)), Code.HU_ASSUMED)


def test_another_type_of_value_is_named(write_slice):
    volume = read(write_slice(RescaleType="MGML"))
    assert volume.unit is Unit.GREY
    assert "MGML" in said(volume, Code.NO_HU)[0].sentence


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize(("stored", "high", "shift"), [(12, 15, 4), (12, 13, 2), (11, 10, 0)])
def test_bits_are_taken_from_where_they_lie(make_dataset, tmp_path, syntax, stored, high, shift):
    truth = np.minimum(hounsfield(1)[0], 1000)
    # An unused bit is set, above or below those that are stored.
    words = ((truth + 1024) << shift).astype(np.uint16) | np.uint16(1 << 15 if high < 15 else 1)
    ds = make_dataset(words, BitsStored=stored, HighBit=high)
    ds.PixelData = words.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()
    ds.file_meta.TransferSyntaxUID = syntax
    dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    np.testing.assert_array_equal(read(tmp_path).array[0], truth)


def test_signed_values_end_at_the_high_bit(write_slice):
    truth = hounsfield(1)[0] + 300
    words = (truth << 3).astype(np.int16)
    path = write_slice("a.dcm", words, BitsStored=12, HighBit=14, RescaleIntercept=0)
    np.testing.assert_array_equal(read(path).array[0], truth)


@pytest.mark.parametrize("high", [7, 31, None])
def test_a_high_bit_that_cannot_be_is_none(write_slice, high):
    words = (hounsfield(1)[0] + 1024).astype(np.uint16)
    volume = read(write_slice("a.dcm", words, BitsStored=12, HighBit=high))
    np.testing.assert_array_equal(volume.array[0], hounsfield(1)[0])


def floats(path: Path, values: NDArray[np.floating[Any]]) -> None:
    """Give a file floats instead of integers."""
    ds = dcmread(path)
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.BitsAllocated = values.dtype.itemsize * 8
    keyword = "FloatPixelData" if values.dtype == np.float32 else "DoubleFloatPixelData"
    setattr(ds, keyword, values.tobytes())
    ds.save_as(path)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floating_point_pixels_are_read_as_such(write_slice, kind):
    truth = (hounsfield(1)[0] + 0.375).astype(kind)
    path = write_slice("a.dcm", hounsfield(1)[0].astype(np.int16), RescaleIntercept=0)
    floats(path, truth)
    volume = read(path)
    assert volume.unit is Unit.HU
    np.testing.assert_array_equal(volume.array[0], truth)
    np.testing.assert_array_equal(volume.array[0], dcmread(path).pixel_array)


def test_floats_that_are_no_numbers_are_counted_and_padding_left_out(write_slice):
    truth = hounsfield(1)[0].astype(np.float32)
    truth[0, :7], truth[1, 0], truth[2:4] = np.nan, np.inf, -3024.5
    path = write_slice(
        "a.dcm", hounsfield(1)[0].astype(np.int16), RescaleIntercept=0,
        FloatPixelPaddingValue=-3024.5,
    )  # fmt: skip
    floats(path, truth)
    volume = read(path)
    (problem,) = said(volume, Code.NOT_FINITE)
    assert "8 values" in problem.sentence
    assert (volume.array[0, 0, :7] == -3024.5).all()
    assert volume.array[0, 1, 0] == truth[np.isfinite(truth)].max()
    assert volume.is_padding(volume.array[0]).sum() == 2 * COLUMNS + 7


def test_all_of_a_range_is_padding(write_slice):
    words = (hounsfield(1)[0] + 1024).astype(np.uint16)
    words[:6] = np.arange(COLUMNS) % 13
    path = write_slice("a.dcm", words, PixelPaddingValue=12, PixelPaddingRangeLimit=0)
    volume = read(path)
    assert (volume.padding, volume.padding_limit) == (-1024, -1012)
    out = volume.is_padding(volume.array[0])
    assert out.sum() == 6 * COLUMNS
    assert out[:6].all()
    header = read_header(path)
    assert decode(encode(header), path) == header


def xray(write_slice: WriteSlice, pixels: NDArray[Any], **values: Any) -> Path:
    return write_slice(
        "x.dcm", pixels, Modality="DX", SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1",
        ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=[1, 1],
        RescaleSlope=None, RescaleIntercept=None, BitsStored=14, HighBit=13, **values,
    )  # fmt: skip


def test_every_window_from_values_is_that_of_the_tissue(write_slice):
    y, x = np.mgrid[:90, :70]
    pixels = (1500 + 20 * (x + y)).astype(np.uint16)
    pixels[:, :31] = 16000 + x[:, :31]
    path = xray(write_slice, pixels, PixelPaddingValue=16000, PixelPaddingRangeLimit=16383)
    volume = read(path)
    tissue = pixels[:, 31:]
    low, high = np.percentile(tissue, [1, 99])
    for window in (percentile_window(volume, np.empty(0, bool)), default_window(volume)):
        ends = window.centre - window.width / 2, window.centre + window.width / 2
        assert ends == pytest.approx((low, high), rel=0.01)
    middle = np.unravel_index(np.argmin(abs(pixels - np.median(tissue))), pixels.shape)
    for picture in (to_picture(volume, 0), thumbnail(scan(path)[0].series[0], 90)[:, 10:80]):
        assert picture[middle] == pytest.approx(127, abs=8)


@pytest.mark.parametrize("function", ["SIGMOID", "LINEAR_EXACT"])
def test_the_networks_see_the_curve_of_the_file(write_slice, function):
    pixels = np.arange(60 * 50, dtype=np.uint16).reshape(60, 50)
    path = xray(
        write_slice, pixels, WindowCenter=1400, WindowWidth=800, VOILUTFunction=function
    )  # fmt: skip
    picture = to_picture(read(path), 0)
    for value in (300, 1100, 1400, 1650, 2900):
        by_hand = {
            "SIGMOID": 255 / (1 + math.exp(-4 * (value - 1400) / 800)),
            "LINEAR_EXACT": min(1, max(0, (value - 1400) / 800 + 0.5)) * 255,
        }[function]
        assert picture[divmod(value, 50)] == pytest.approx(by_hand, abs=0.51)
