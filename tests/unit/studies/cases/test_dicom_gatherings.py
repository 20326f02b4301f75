"""Which slices of one series are one volume, by what the headers say of their making."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless

from inference.studies import Code, Series, load, scan

SIDE = (34, 46)
FAR = 900
"""Between the values of one volume and the next."""


@pytest.fixture
def write(write_slice: Callable[..., Path]) -> Callable[..., list[Path]]:
    """Return a function that writes slices at places z, each holding its number and volume."""
    made = []

    def do(volume: int, places: Iterable[float], **values: Any) -> list[Path]:
        paths = []
        for k, z in enumerate(places):
            made.append(z)
            uid = f"1.2.3.4.{len(made)}"
            name = hashlib.sha256(uid.encode()).hexdigest()
            pixels = np.full(SIDE, 24 + FAR * volume + k, np.uint16)
            # Air, as a chest has it.
            pixels[0] = 0
            own = {key: x[k] if isinstance(x, list) else x for key, x in values.items()}
            paths.append(
                write_slice(
                    name, pixels, SOPInstanceUID=uid, ImagePositionPatient=[-1, -2, float(z)],
                    **{"InstanceNumber": k + 1} | own,
                )
            )  # fmt: skip
        return paths

    return do


def volumes(folder: Path) -> list[tuple[Series, list[int]]]:
    """Return each series and its values, slice by slice."""
    (study,) = scan(folder)
    return [
        (series, [int(each[-1, -1]) + 1000 for each in load(series).array])
        for series in study.series
    ]


def held(folder: Path) -> list[list[int]]:
    return sorted(values for _, values in volumes(folder))


def codes(folder: Path) -> set[str]:
    return {p.code for study in scan(folder) for series in study.series for p in series.problems}


def run(volume: int, count: int) -> list[int]:
    return [FAR * volume + k for k in range(count)]


KINDS = "ORIGINAL\\PRIMARY\\AXIAL"


@pytest.mark.parametrize(
    "making",
    [
        [{"ConvolutionKernel": "Br40"}, {"ConvolutionKernel": "Bl64"}],
        [{"ImageType": f"{KINDS}\\LOW"}, {"ImageType": f"{KINDS}\\HIGH"}],
        [{"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}],
        [{"TriggerTime": 300}, {"TriggerTime": 700}],
        [{"AcquisitionNumber": 4}, {"AcquisitionNumber": 9}],
        [{"AcquisitionNumber": list(range(1, 7))}, {"AcquisitionNumber": list(range(7, 13))}],
        [{"SliceThickness": 1}, {"SliceThickness": 5}],
        [{"KVP": 80}, {"KVP": 140}],
        [{"AcquisitionTime": "101000"}, {"AcquisitionTime": "101530"}],
        [{"ContentTime": [f"10100{k}" for k in range(6)]},
         {"ContentTime": [f"10150{k}" for k in range(6)]}],
    ],
)  # fmt: skip
def test_at_the_same_places_what_was_made_alike_is_one_volume(write, tmp_path, making):
    places = [2.5 * k for k in range(6)]
    for volume, values in enumerate(making):
        write(volume, places, **values)
    assert held(tmp_path) == [run(0, 6), run(1, 6)]
    assert not any("do not say" in p.sentence for s, _ in volumes(tmp_path) for p in s.problems)


@pytest.mark.parametrize(
    "making",
    [
        [{"ConvolutionKernel": "Br40"}, {"ConvolutionKernel": "Bl64"}],
        [{"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}],
        [{"AcquisitionTime": "101000"}, {"AcquisitionTime": "101530"}],
        [{"SliceThickness": 1}, {"SliceThickness": 5}],
    ],
)
def test_passes_that_overlap_without_a_common_place_are_two_volumes(write, tmp_path, making):
    for volume, (start, values) in enumerate(zip((0.0, 8.6), making, strict=True)):
        write(volume, [start + 3 * k for k in range(7)], **values)
    assert held(tmp_path) == [run(0, 7), run(1, 7)]
    assert codes(tmp_path) == {Code.MIXED_GATHERING}
    for series, _ in volumes(tmp_path):
        assert load(series).spacing[0] == pytest.approx(3.0)


def test_a_kernel_and_two_times_are_four_volumes(write, tmp_path):
    for volume, (kernel, time) in enumerate([("a", 1), ("a", 2), ("b", 1), ("b", 2)]):
        write(
            volume, range(4), ConvolutionKernel=kernel, TemporalPositionIdentifier=time
        )  # fmt: skip
    found = {series.description.split(" · made")[0] for series, _ in volumes(tmp_path)}
    assert held(tmp_path) == [run(k, 4) for k in range(4)]
    assert found == {f"kernel {kernel} · time {time}" for kernel in "ab" for time in (1, 2)}


def test_acquisitions_one_after_the_other_are_one_volume_and_said(write, tmp_path):
    write(0, [0, 2, 4, 6], AcquisitionNumber=1)
    write(1, [8, 10, 12], AcquisitionNumber=2)
    assert held(tmp_path) == [run(0, 4) + run(1, 3)]
    assert codes(tmp_path) == {Code.JOINED_ACQUISITIONS}


def test_a_table_that_steps_acquires_each_slice_by_itself(write, tmp_path):
    write(0, range(9), AcquisitionNumber=list(range(1, 10)))
    assert held(tmp_path) == [run(0, 9)]
    assert not codes(tmp_path)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_in_no_order_tear_no_volume(write, tmp_path, seed):
    numbers = [int(n) for n in np.random.default_rng(seed).permutation(9)]
    write(0, range(9), AcquisitionNumber=numbers)
    assert held(tmp_path) == [run(0, 9)]


@pytest.mark.parametrize("word", ["TriggerTime", "AcquisitionNumber"])
def test_blocks_that_were_filled_in_any_order_are_one_volume(write, tmp_path, word):
    write(0, range(15), **{word: [(4, 9, 2, 11, 7)[k // 3] for k in range(15)]})
    assert held(tmp_path) == [run(0, 15)]


def test_single_slices_of_a_second_pass_between_the_first_are_a_volume(write, tmp_path):
    write(0, [5 * k for k in range(8)], AcquisitionNumber=list(range(1, 9)))
    write(1, [12.4 + 5 * k for k in range(8)], AcquisitionNumber=list(range(9, 17)))
    assert held(tmp_path) == [run(0, 8), run(1, 8)]


def test_a_pass_that_lacks_a_slice_is_a_volume_still(write, tmp_path):
    write(0, [5 * k for k in range(8) if k != 4], AcquisitionNumber=1)
    write(1, [12.4 + 5 * k for k in range(8)], AcquisitionNumber=2)
    assert held(tmp_path) == [run(0, 7), run(1, 8)]


@pytest.mark.parametrize(
    ("lost", "value"), [("ConvolutionKernel", "Br40"), ("AcquisitionNumber", 5)]
)
def test_a_slice_that_lost_its_value_stays(write, tmp_path, lost, value):
    write(0, range(7), **{lost: [None if k == 3 else value for k in range(7)]})
    assert held(tmp_path) == [run(0, 7)]


def test_what_the_headers_do_not_tell_is_said(write, tmp_path):
    write(0, range(5))
    write(1, range(5))
    assert len(held(tmp_path)) == 2
    for series, _ in volumes(tmp_path):
        (problem,) = (p for p in series.problems if p.code == Code.SAME_POSITION)
        assert "do not say which slices belong together" in problem.sentence


def test_equal_pixels_of_other_instances_are_no_copies(write, tmp_path):
    for time in (1, 2, 3):
        write(0, range(5), TemporalPositionIdentifier=time)
    assert held(tmp_path) == [run(0, 5)] * 3
    assert codes(tmp_path) == {Code.SAME_POSITION}


def test_one_instance_in_two_encodings_is_a_copy(write, tmp_path):
    for path in write(0, range(4)):
        ds = dcmread(path)
        ds.compress(JPEG2000Lossless, generate_instance_uid=False)
        ds.save_as(path.with_suffix(".j2k"))
    assert held(tmp_path) == [run(0, 4)]
    assert codes(tmp_path) == {Code.DUPLICATE_SLICES}


def test_one_uid_with_other_values_is_no_copy(write, tmp_path):
    path = write(0, [0])[0]
    other = write(1, [0])[0]
    ds = dcmread(other)
    ds.SOPInstanceUID = dcmread(path).SOPInstanceUID
    ds.save_as(other)
    assert held(tmp_path) == [[0], [FAR]]
    assert Code.DUPLICATE_SLICES not in codes(tmp_path)
