"""Segmentations come back from files onto the open grid, or are refused in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.coding import Code

from inference.errors import BadInputError
from inference.export.labels import label_map
from inference.export.seg import write_seg
from inference.export.seg_reading import is_segmentation, read_segmentation
from inference.findings import Findings, Manifestation
from inference.studies.model import Volume

NODULE = Code("27925004", "SCT", "Nodule")
ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")


@pytest.fixture
def own(findings: Findings, volume: Volume, tmp_path: Path) -> Path:
    """A segmentation that SecondRead has written."""
    path = tmp_path / "own.dcm"
    write_seg(findings, volume, path)
    return path


@pytest.fixture
def others(volume: Volume, tmp_path: Path) -> Callable[..., Path]:
    """Write a segmentation of another maker, on a grid of its own if so wanted."""

    def write(masks: np.ndarray, *, affine: np.ndarray | None = None, **said: Any) -> Path:
        sources = [pydicom.dcmread(s.path) for s in volume.slices]
        description = hd.seg.SegmentDescription(
            segment_number=1,
            segment_label="Nodule 7",
            segmented_property_category=ABNORMAL,
            segmented_property_type=NODULE,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            display_color=hd.color.CIELabColor.from_rgb(0, 200, 255),
        )
        array: Any = masks
        if affine is not None:
            array = hd.Volume(
                masks, affine, coordinate_system="PATIENT",
                frame_of_reference_uid=said.pop("frame", volume.frame_of_reference),
            )  # fmt: skip
        for source in sources:
            source.SliceThickness = 5.0
        made = hd.seg.Segmentation(
            source_images=sources,
            pixel_array=array,
            segmentation_type=said.pop("kind", "BINARY"),
            segment_descriptions=[description],
            series_instance_uid=hd.UID(),
            series_number=7,
            sop_instance_uid=hd.UID(),
            instance_number=1,
            manufacturer="Elsewhere",
            manufacturer_model_name="Contourer",
            software_versions="1",
            device_serial_number="1",
            series_description="Nodules of the morning",
            content_creator_name="Reader^Rita",
            **said,
        )
        made.ContentDate = "20210506"
        path = tmp_path / "others.dcm"
        made.save_as(path)
        return path

    return write


def ours(volume: Volume) -> np.ndarray:
    """(slice, row, column) to patient mm, as highdicom has it."""
    return volume.affine @ np.eye(4)[[2, 1, 0, 3]]


def test_its_own_comes_back_voxel_by_voxel(own: Path, findings: Findings, volume: Volume) -> None:
    read = read_segmentation(own, volume)
    labels = label_map(findings)
    assert [s.label for s in read.segments] == [key.label for key in Manifestation]
    for value, segment in enumerate(read.segments, start=1):
        np.testing.assert_array_equal(segment.mask, labels == value)
    assert read.maker == "SecondRead"
    assert read.notes == ()
    assert {s.how for s in read.segments} == {"automatic"}


def test_its_own_comes_back_on_slices_that_are_not_evenly_spaced(
    findings: Findings, volume: Volume, tmp_path: Path,
    rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
) -> None:  # fmt: skip
    def shift(index: int, ds: pydicom.Dataset) -> None:
        if index > 2:
            ds.ImagePositionPatient[2] += 1.5

    rewrite(volume, shift)
    write_seg(findings, volume, tmp_path / "uneven.dcm")
    read = read_segmentation(tmp_path / "uneven.dcm", volume)
    np.testing.assert_array_equal(read.segments[0].mask, label_map(findings) == 1)


def test_others_on_the_same_slices(others: Callable[..., Path], volume: Volume) -> None:
    masks = np.zeros(volume.shape, np.uint8)
    masks[4, 10:14, 20:30] = 1
    read = read_segmentation(others(masks), volume)
    np.testing.assert_array_equal(read.segments[0].mask, masks > 0)
    segment = read.segments[0]
    assert (segment.label, segment.how) == ("Nodule 7", "manual")
    assert segment.colour == pytest.approx((0, 200, 255), abs=2)
    assert read.whose() == "Contourer, Reader, Rita, 2021-05-06"
    assert read.whose(named=False) == "Contourer"


def test_another_grid_is_resampled_by_place(others: Callable[..., Path], volume: Volume) -> None:
    # Twice as fine in the plane, one slice further up, rows and columns begin elsewhere.
    finer = ours(volume) @ np.diag([1.0, 0.5, 0.5, 1.0])
    finer[:3, 3] = (ours(volume) @ [1.0, 2.0, 4.0, 1.0])[:3]
    masks = np.zeros((3, 40, 40), np.uint8)
    masks[1, 8:16, 12:20] = 1
    read = read_segmentation(others(masks, affine=finer), volume)
    assert len(read.notes) == 1
    assert "resampled from its own grid (0.35 × 0.4 × 5 mm)" in read.notes[0]
    found = np.argwhere(read.segments[0].mask)
    assert found.min(axis=0).tolist() == [2, 6, 10]
    assert found.max(axis=0).tolist() == [2, 9, 13]


def test_a_grid_that_is_turned_is_laid_where_it_lies(
    others: Callable[..., Path], volume: Volume
) -> None:
    # Columns run the other way, as in a file that was drawn on a mirrored display.
    turned = ours(volume) @ np.diag([1.0, 1.0, -1.0, 1.0])
    turned[:3, 3] = (ours(volume) @ [0.0, 0.0, volume.shape[2] - 1.0, 1.0])[:3]
    masks = np.zeros(volume.shape, np.uint8)
    masks[3, 5:9, 0:6] = 1
    read = read_segmentation(others(masks, affine=turned), volume)
    assert read.notes == (), "every voxel lies on one of the images"
    np.testing.assert_array_equal(read.segments[0].mask, masks[:, :, ::-1] > 0)


def test_fractions_are_cut_at_one_half_and_that_is_said(
    others: Callable[..., Path], volume: Volume
) -> None:
    masks = np.zeros(volume.shape, np.float32)
    masks[2, 5:9, 5:9] = 0.4
    masks[2, 6:8, 6:8] = 0.8
    read = read_segmentation(
        others(masks, kind="FRACTIONAL", fractional_type="PROBABILITY"), volume
    )
    assert np.argwhere(read.segments[0].mask).min(axis=0).tolist() == [2, 6, 6]
    assert read.segments[0].mask.sum() == 4
    assert "fractions" in read.notes[0]


def test_that_of_other_images_is_refused(own: Path, volume: Volume) -> None:
    other = replace(
        volume,
        frame_of_reference="1.2.9",
        slices=tuple(
            replace(s, sop_instance_uid=f"1.2.9.{i}") for i, s in enumerate(volume.slices)
        ),
    )
    with pytest.raises(BadInputError, match=r"“own\.dcm” was drawn on other images"):
        read_segmentation(own, other)


def test_that_beside_the_images_is_refused(others: Callable[..., Path], volume: Volume) -> None:
    far = ours(volume).copy()
    far[:3, 3] += 5000.0
    masks = np.ones((3, 8, 8), np.uint8)
    with pytest.raises(BadInputError, match="lies beside the open series"):
        read_segmentation(others(masks, affine=far), volume)


def test_what_is_no_segmentation_is_refused(volume: Volume, tmp_path: Path, own: Path) -> None:
    image = volume.slices[0].path
    assert not is_segmentation(image)
    assert is_segmentation(own)
    (tmp_path / "text.dcm").write_text("text")
    for path in (image, tmp_path / "text.dcm", tmp_path / "missing.dcm"):
        with pytest.raises(BadInputError, match="is no DICOM segmentation"):
            read_segmentation(path, volume)


def test_a_damaged_one_is_refused_in_words(own: Path, volume: Volume) -> None:
    file = pydicom.dcmread(own)
    del file.SegmentSequence
    file.save_as(own)
    with pytest.raises(BadInputError, match="does not keep to DICOM"):
        read_segmentation(own, volume)


def test_too_many_segments_are_refused_before_memory_runs_out(
    own: Path, volume: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.export.seg_reading._MOST_BYTES", 2 * volume.array.size)
    with pytest.raises(BadInputError, match="3 segments"):
        read_segmentation(own, volume)
