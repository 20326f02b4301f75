"""Where slices lie, what is absent, and one bad value that costs no more than its file."""

from __future__ import annotations

import gc
import shutil
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom.fileset import FileSet

from inference.studies import Code, Volume, load, scan

TAGS = {"NumberOfFrames": (0x28, 8), "HighBit": (0x28, 0x102), "Rows": (0x28, 0x10),
        "BitsAllocated": (0x28, 0x100), "PixelSpacing": (0x28, 0x30),
        "RescaleIntercept": (0x28, 0x1052), "TransferSyntaxUID": (2, 0x10)}  # fmt: skip


def read(path: Path) -> Volume:
    (study,) = scan(path)
    (series,) = study.series
    return load(series)


def codes(volume: Volume) -> set[str]:
    return {problem.code for problem in volume.problems}


def put(path: Path, keyword: str, value: bytes, vr: bytes = b"") -> None:
    """Write an element's bytes as no library would."""
    data = path.read_bytes()
    at = data.index(struct.pack("<HH", *TAGS[keyword]))
    (length,) = struct.unpack_from("<H", data, at + 6)
    head = data[at : at + 4] + (vr or data[at + 4 : at + 6]) + struct.pack("<H", len(value))
    path.write_bytes(data[:at] + head + value + data[at + 8 + length :])


def test_columns_off_a_right_angle_are_said_and_lie_where_the_file_says(write_series, tmp_path):
    cosines = [1, 0, 0, 0.03, 1, 0]
    write_series([4.0 * k for k in range(6)], SliceThickness=4, ImageOrientationPatient=cosines)
    volume = read(tmp_path)
    assert list(volume.array[:, 0, 0]) == [-1000 + k for k in range(6)]
    assert volume.spacing == pytest.approx((4.0, 0.8, 0.6))
    assert codes(volume) == {Code.SKEWED}
    column = np.array([0.03, 1.0]) / np.hypot(0.03, 1.0)
    wanted = [-10 + 0.6 * 5 + 0.8 * 11 * column[0], -20 + 0.8 * 11 * column[1], 8.0]
    np.testing.assert_allclose(volume.position(5, 11, 2), wanted, atol=1e-9)


def test_cosines_that_span_no_plane_give_no_geometry(write_series, tmp_path):
    write_series([0.0, 2.0], ImageOrientationPatient=[1, 0, 0, 0.99, 0.14, 0])
    assert Code.NO_POSITION in codes(read(tmp_path))


@pytest.mark.parametrize(
    ("numbers", "locations", "what"),
    [
        ([3, 1, 2, 0, 4], [9, None, 7, None, 5], "Instance Numbers"),
        ([3, 1, 2, 0, 4], [5, 5, 5, 5, 5], "Instance Numbers"),
        ([3, None, 2, 0, 4], [13, 11, 12, 10, 14], "Slice Locations"),
        ([4, 4, 4, 4, 4], [13, 11, None, 10, 14], "file names"),
    ],
)
def test_without_a_position_the_order_is_that_of_what_all_have(
    write_slice, tmp_path, numbers, locations, what
):
    for k, (number, location) in enumerate(zip(numbers, locations, strict=True)):
        write_slice(
            f"{'dbcae'[k]}.dcm", np.full((40, 40), 24 + k, np.uint16), ImagePositionPatient=None,
            InstanceNumber=number, SliceLocation=location, SOPInstanceUID=f"1.2.3.4.{k + 1}",
        )  # fmt: skip
    volume = read(tmp_path)
    assert list(volume.array[:, 0, 0]) == [-1000 + k for k in (3, 1, 2, 0, 4)]
    (problem,) = (p for p in volume.problems if p.code == Code.NO_POSITION)
    assert what in problem.sentence


@pytest.mark.parametrize(("other", "parts"), [(0.50002, 1), (0.5009, 1), (0.51, 2)])
def test_spacings_that_differ_in_the_last_digits_are_one(write_series, tmp_path, other, parts):
    write_series([0.0, 4.0, 8.0], PixelSpacing=[0.49998, 0.5])
    write_series([2.0, 6.0], folder="b", PixelSpacing=[other, 0.5], SOPInstanceUID=None)
    (study,) = scan(tmp_path)
    assert len(study.series) == parts
    assert load(study.series[0]).spacing[0] == pytest.approx(2.0 if parts == 1 else 4.0)


@pytest.mark.parametrize(
    ("written", "spacing"),
    [(b"0,9\\0,703 ", (0.9, 0.703)), (b"1,25\\1.5 ", (1.25, 1.5)), (b"1,024\\1,024 ", None)],
)
def test_a_decimal_comma_is_read_where_it_can_mean_nothing_else(write_slice, written, spacing):
    path = write_slice()
    put(path, "PixelSpacing", written)
    volume = read(path)
    assert volume.has_geometry is (spacing is not None)
    assert volume.spacing[1:] == pytest.approx(spacing or (1, 1))


@pytest.mark.parametrize("name", [lambda n: n.lower() + ".dcm", lambda n: n + ".IMA"])
def test_a_disc_whose_files_got_a_suffix_lacks_none(write_series, tmp_path, name):
    disc = FileSet()
    for path in write_series([0.0, 2.0, 4.0], StudyDate="20200101", StudyTime="101010",
                             StudyID="1", AccessionNumber=""):  # fmt: skip
        disc.add(path)
    disc.write(tmp_path / "disc")
    with warnings.catch_warnings():
        # pydicom leaves a temporary folder to the collector, which complains.
        warnings.simplefilter("ignore", ResourceWarning)
        del disc
        gc.collect()
    shutil.rmtree(tmp_path / "ct")
    for path in sorted((tmp_path / "disc").rglob("*")):
        if path.is_file() and path.name != "DICOMDIR":
            path.rename(path.with_name(name(path.name)))
    (study,) = scan(tmp_path / "disc")
    assert len(study.series[0].slices) == 3
    assert not study.problems


@pytest.mark.parametrize(
    ("keyword", "value", "vr"),
    [
        ("NumberOfFrames", b"nan ", b""),
        ("NumberOfFrames", b"1e400 ", b""),
        ("HighBit", b"\x0f\0\0", b""),
        ("Rows", b"\x28\0\0", b""),
        ("Rows", b"\x28\0", b"ZZ"),
        ("BitsAllocated", b"\x10\0\0", b""),
        ("RescaleIntercept", b"twelve", b""),
        ("TransferSyntaxUID", b"1.2.840.10008.1.2.1\0", b"ZZ"),
        ("TransferSyntaxUID", b"what\0\0", b""),
    ],
)
def test_a_bad_value_costs_no_more_than_its_file(write_series, tmp_path, keyword, value, vr):
    paths = write_series([0.0, 2.0, 4.0, 6.0], NumberOfFrames=1)
    put(paths[3], keyword, value, vr)
    (study,) = scan(tmp_path)
    volume = load(study.series[0])
    assert volume.shape[0] in {3, 4}
    assert list(volume.array[:3, 0, 0] - volume.array[0, 0, 0]) == [0, 1, 2]
    told = [*study.problems, *volume.problems]
    if volume.shape[0] == 3:
        assert paths[3] in {path for problem in told for path in problem.files}
