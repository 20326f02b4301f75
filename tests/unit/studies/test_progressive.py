"""A series that is shown while it is being read: order, type, damage, and the very same volume."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, RLELossless

from inference.errors import BadInputError, CancelledError
from inference.progress import Progress
from inference.studies import (
    Code,
    Unit,
    Watch,
    dicom_decode,
    dicom_frame,
    dicom_header,
    dicom_load,
    load,
    scan,
)

SIDE = 40


class Seen:
    """Keeps what a watch was told, and what the array held when it was told."""

    def __init__(self, focus=None) -> None:
        self.volumes = []
        self.order: list[int] = []
        self.broken: list[int] = []
        self.values: dict[int, np.ndarray] = {}
        self.watch = Watch(self.volumes.append, self.arrived, focus)

    def arrived(self, index: int, readable: bool) -> None:
        (volume,) = self.volumes
        if readable:
            self.order.append(index)
            self.values[index] = volume.array[index].copy()
        else:
            self.broken.append(index)


@pytest.fixture
def one_thread(monkeypatch) -> None:
    monkeypatch.setattr(dicom_load, "_MAX_THREADS", 1)


@pytest.fixture
def series_of(write_slice, tmp_path):
    """Write one slice a picture, 2 mm apart, and return the series."""

    def write(pictures, **values):
        for i, pixels in enumerate(pictures):
            write_slice(
                f"{i}.dcm", pixels, ImagePositionPatient=[0, 0, 2.0 * i],
                SOPInstanceUID=f"1.2.3.4.{i + 1}", **values,
            )  # fmt: skip
        return scan(tmp_path)[0].series[0]

    return write


def flat(*values, dtype=np.uint16):
    return [np.full((SIDE, SIDE), value, dtype) for value in values]


def test_the_middle_slice_comes_first_and_then_its_neighbours(series_of, one_thread):
    series = series_of(flat(*range(9)))
    seen = Seen()
    volume = load(series, watch=seen.watch)
    assert seen.order[0] == 4
    assert [abs(i - 4) for i in seen.order] == [0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert seen.volumes[0].array is volume.array
    for i in range(9):
        np.testing.assert_array_equal(seen.values[i], volume.array[i])


def test_reading_follows_the_slice_that_is_looked_at(series_of, one_thread):
    series = series_of(flat(*range(9)))
    seen = Seen()
    arrived = seen.watch.arrived

    def look(index: int, readable: bool) -> None:
        arrived(index, readable)
        seen.watch.focus = 8

    seen.watch.arrived = look
    load(series, watch=seen.watch)
    # One more may have been taken before the eye moved.
    assert seen.order[0] == 4
    assert seen.order[2:6] == sorted(seen.order[2:6], reverse=True)
    assert 8 in seen.order[1:3]


def test_what_is_known_before_all_slices_are_there(series_of):
    series = series_of(flat(0, 24, 1024), WindowCenter=-600, WindowWidth=1500)
    seen = Seen()
    volume = load(series, watch=seen.watch)
    (begun,) = seen.volumes
    assert (begun.shape, begun.windows, begun.unit) == (volume.shape, volume.windows, Unit.HU)
    np.testing.assert_array_equal(begun.affine, volume.affine)
    assert begun.slices == volume.slices


def test_a_doubt_that_another_slice_may_remove_is_not_said_early(series_of):
    series = series_of(flat(0, 3000, 3000))
    seen = Seen()
    load(series, watch=seen.watch)
    assert [p.code for p in seen.volumes[0].problems] == []
    bright = series_of(flat(3000, 3000, 3000))
    codes = [p.code for p in load(bright, watch=Seen().watch).problems]
    assert codes == [Code.HU_DOUBTFUL]


def test_hounsfield_units_that_the_files_do_not_name_wait_for_air(series_of):
    series = series_of(
        flat(-1000, -900, -1000, dtype=np.int16), RescaleSlope=None, RescaleIntercept=None
    )
    seen = Seen()
    volume = load(series, watch=seen.watch)
    assert seen.volumes[0].unit is Unit.GREY
    assert seen.volumes[0].problems == ()
    assert volume.unit is Unit.HU


def test_values_never_change_when_a_wider_type_is_needed_late(series_of):
    series = series_of(flat(65535, 100, 24, 200, 0))
    seen = Seen()
    volume = load(series, watch=seen.watch)
    (begun,) = seen.volumes
    assert begun.array.dtype == np.int16
    assert sorted(seen.order) == [1, 2, 3, 4]
    for i in seen.order:
        np.testing.assert_array_equal(begun.array[i], seen.values[i])
    assert not begun.array[0].any()
    assert volume.array.dtype == np.float32
    assert volume.array[:, 0, 0].tolist() == [64511, -924, -1000, -824, -1024]


@pytest.mark.parametrize(
    ("values", "intercept", "dtype"),
    [
        ((0, 1, 2), -1024, np.int16),
        ((0, 60000, 2), 0, np.uint16),
        ((60000, 0, 2), 0, np.uint16),
        ((0, 60000, 2), -1024, np.float32),
        ((40000, 1, 2), -32768, np.int16),
    ],
)
def test_the_type_is_the_narrowest_that_holds_all(series_of, values, intercept, dtype):
    volume = load(series_of(flat(*values), RescaleIntercept=intercept))
    assert volume.array.dtype == dtype
    assert volume.array[:, 0, 0].tolist() == [value + intercept for value in values]


def test_a_slice_that_cannot_be_decoded_is_named_at_once_and_left_out_at_the_end(
    make_dataset, tmp_path
):
    for i in range(5):
        ds = make_dataset(
            np.full((SIDE, SIDE), 24 + i, np.uint16), ImagePositionPatient=[0, 0, 2.0 * i],
            SOPInstanceUID=f"1.2.3.4.{i + 1}",
        )  # fmt: skip
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.save_as(tmp_path / f"{i}.dcm", enforce_file_format=True)
    # The first to be read, too.
    for broken in (2, 1):
        path = tmp_path / f"{broken}.dcm"
        path.write_bytes(path.read_bytes().replace(b"\x02\0\0\0\x40\0\0\0", b"\xff" * 8))
    seen = Seen()
    volume = load(scan(tmp_path)[0].series[0], watch=seen.watch)
    (begun,) = seen.volumes
    assert sorted(seen.broken) == [1, 2]
    assert sorted(seen.order) == [0, 3, 4]
    assert begun.shape[0] == 5
    # Whoever looks at the provisional array still sees each slice at its own index.
    for i, values in seen.values.items():
        np.testing.assert_array_equal(begun.array[i], values)
    assert volume.array[:, 0, 0].tolist() == [-1000, -997, -996]
    assert [begun.slices[i] for i in (0, 3, 4)] == list(volume.slices)


def test_nothing_begins_where_nothing_can_be_decoded(make_dataset, tmp_path):
    ds = make_dataset(np.full((SIDE, SIDE), 24, np.uint16))
    ds.compress(RLELossless, generate_instance_uid=False)
    path = tmp_path / "a.dcm"
    ds.save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes().replace(b"\x02\0\0\0\x40\0\0\0", b"\xff" * 8))
    seen = Seen()
    with pytest.raises(BadInputError, match="cannot be decoded"):
        load(scan(tmp_path)[0].series[0], watch=seen.watch)
    assert seen.volumes == []


def test_reading_stops_between_slices(series_of, one_thread):
    series = series_of(flat(*range(30)))
    seen, progress = Seen(), Progress()
    arrived = seen.watch.arrived

    def stop(index: int, readable: bool) -> None:
        arrived(index, readable)
        progress.cancelled.set()

    seen.watch.arrived = stop
    with pytest.raises(CancelledError):
        load(series, progress, seen.watch)
    assert len(seen.order) == 1


def test_an_error_in_a_thread_reaches_whoever_asked(series_of, monkeypatch):
    series = series_of(flat(*range(5)))
    calls = []

    def read(frame, out) -> None:
        calls.append(frame)
        if len(calls) == 3:
            raise MemoryError
        out[...] = 0

    monkeypatch.setattr(dicom_load, "plain", read)
    with pytest.raises(BadInputError, match="do not fit into memory"):
        load(series)


@pytest.mark.parametrize(("bits", "signed"), [(12, False), (12, True), (16, True), (16, False)])
@pytest.mark.parametrize(("slope", "intercept"), [(1, -1024), (1, 0), (2, -100), (-1, 50)])
def test_values_read_in_place_are_those_that_pydicom_decodes(
    write_slice, monkeypatch, bits, signed, slope, intercept
):
    rng = np.random.default_rng(bits)
    pixels = rng.integers(-9000 if signed else 0, 9000, (SIDE, SIDE))
    pixels = pixels.astype(np.int16 if signed else np.uint16)
    path = write_slice(
        pixels=pixels, BitsStored=bits, HighBit=bits - 1, RescaleSlope=slope,
        RescaleIntercept=intercept,
    )  # fmt: skip
    (series,) = scan(path)[0].series
    fast = load(series)
    monkeypatch.setattr(dicom_frame, "_offset", lambda *_: None)
    slow = load(series)
    assert fast.array.dtype == slow.array.dtype
    np.testing.assert_array_equal(fast.array, slow.array)


@pytest.mark.parametrize(
    ("bits", "signed", "by_opencv"), [(12, False, True), (16, False, True), (12, True, False)]
)
def test_jpeg_2000_is_decoded_exactly_beside_the_interpreter_where_it_can_be(
    make_dataset, tmp_path, monkeypatch, bits, signed, by_opencv
):
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    pixels = np.random.default_rng(3).integers(low, high, (SIDE, SIDE))
    pixels = pixels.astype(np.int16 if signed else np.uint16)
    ds = make_dataset(pixels, BitsStored=bits, HighBit=bits - 1, RescaleIntercept=0)
    ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    ds.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    asked = []
    by_pydicom = dicom_decode._by_pydicom
    monkeypatch.setattr(
        dicom_decode, "_by_pydicom", lambda *given: asked.append(1) or by_pydicom(*given)
    )
    volume = load(scan(tmp_path)[0].series[0])
    np.testing.assert_array_equal(volume.array[0], pixels)
    assert bool(asked) is not by_opencv


def test_headers_of_files_that_stay_as_they_are_are_read_once(write_slice, monkeypatch):
    path = write_slice()
    (series,) = scan(path)[0].series
    asked = []
    parse = dicom_header._parse
    monkeypatch.setattr(dicom_header, "_parse", lambda *given: asked.append(1) or parse(*given))
    load(series)
    # Just written: it might be written again within the same tick of its time stamp.
    assert len(asked) == 1
    settled = time.time() - 60
    os.utime(path, (settled, settled))
    load(series)
    load(series)
    assert len(asked) == 2
    write_slice(pixels=np.full((SIDE, SIDE), 7, np.uint16), RescaleIntercept=-1000)
    os.utime(path, (settled, settled))
    assert load(series).array[0, 0, 0] == -993
