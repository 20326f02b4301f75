"""The DICOM segmentation says the same as the label map, or is refused in words."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import ExplicitVRLittleEndian

from inference.errors import ExportRefusedError
from inference.export.labels import label_map, write_nifti
from inference.export.seg import write_seg
from inference.findings import Findings, Manifestation
from inference.studies.model import Volume
from tests import factories
from tests.unit.export.multiframe import as_multiframe

Rewrite = Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None]


def _read_back(path: Path, volume: Volume) -> np.ndarray:
    """Labels of the file, each frame put on the slice that it refers to."""
    seg = hd.seg.segread(path)
    uids = [source.sop_instance_uid for source in volume.slices]
    masks = seg.get_pixels_by_source_instance(
        uids, assert_missing_frames_are_empty=True, combine_segments=True
    )
    return np.asarray(masks)


def test_highdicom_reads_the_label_map_back(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "seg.dcm"
    write_seg(findings, volume, path)
    np.testing.assert_array_equal(_read_back(path, volume), label_map(findings))


def test_simpleitk_reads_the_same_as_the_nifti(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    write_seg(findings, volume, tmp_path / "seg.dcm")
    write_nifti(findings, volume, tmp_path / "labels.nii.gz")
    labels = SimpleITK.ReadImage(str(tmp_path / "labels.nii.gz"))
    frames = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / "seg.dcm")))
    header = pydicom.dcmread(tmp_path / "seg.dcm", stop_before_pixels=True)
    seen = np.zeros(volume.shape, np.uint8)
    for frame, groups in zip(frames, header.PerFrameFunctionalGroupsSequence, strict=True):
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        _, _, index = labels.TransformPhysicalPointToIndex([float(v) for v in position])
        number = groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        seen[index][frame > 0] = number
    np.testing.assert_array_equal(seen, SimpleITK.GetArrayFromImage(labels))


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
def test_dciodvfy_finds_no_error(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    path = tmp_path / "seg.dcm"
    write_seg(findings, volume, path)
    result = subprocess.run(
        ["dciodvfy", "-new", str(path)], check=False, capture_output=True, text=True
    )
    said = result.stdout + result.stderr
    assert "Error" not in said, said
    assert result.returncode == 0


def test_segments_say_what_they_are_and_who_made_them(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "seg.dcm"
    write_seg(findings, volume, path)
    ds = pydicom.dcmread(path)
    types = [(s.SegmentedPropertyTypeCodeSequence[0].CodeValue,
              s.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator)
             for s in ds.SegmentSequence]  # fmt: skip
    assert types == [("112120", "DCM"), ("95436008", "SCT"), ("60046008", "SCT")]
    regions = [s.AnatomicRegionSequence[0].CodeValue for s in ds.SegmentSequence]
    assert regions == ["39607008", "39607008", "3120008"], "lung, lung, pleura (SNOMED CT)"
    for segment in ds.SegmentSequence:
        algorithm = segment.SegmentationAlgorithmIdentificationSequence[0]
        names = algorithm.AlgorithmName.split(" + ")
        assert names == (["streams-lite"] if segment.SegmentNumber == 3 else STREAMS)
        said = algorithm.AlgorithmVersion.split(" + ")
        assert said == [model.version for model in findings.models if model.name in names]
        assert segment.TrackingUID
        assert segment.RecommendedDisplayCIELabValue
    assert ds.SegmentationType == "BINARY"
    assert ds.PatientID == "1234567"


def test_each_export_is_an_object_of_its_own(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    write_seg(findings, volume, tmp_path / "a.dcm")
    write_seg(findings, volume, tmp_path / "b.dcm")
    a, b = (pydicom.dcmread(tmp_path / name) for name in ("a.dcm", "b.dcm"))
    assert a.SOPInstanceUID != b.SOPInstanceUID
    assert a.SeriesInstanceUID not in {b.SeriesInstanceUID, volume.series_uid}
    assert a.StudyInstanceUID == volume.study_uid


def test_empty_frames_are_left_out(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    write_seg(findings, volume, tmp_path / "seg.dcm")
    # ground glass in three slices, consolidation in one, no effusion
    assert pydicom.dcmread(tmp_path / "seg.dcm").NumberOfFrames == 4


def test_nothing_found_is_still_a_segmentation(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    empty = factories.make_findings(volume, np.zeros(volume.shape, np.uint8))
    write_seg(empty, volume, tmp_path / "seg.dcm")
    assert not _read_back(tmp_path / "seg.dcm", volume).any()


def test_one_segment_alone_is_numbered_from_one(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    segment = findings.segment(Manifestation.CONSOLIDATION)
    assert segment is not None
    write_seg(replace(findings, segments=(segment,)), volume, tmp_path / "seg.dcm")
    np.testing.assert_array_equal(_read_back(tmp_path / "seg.dcm", volume), segment.mask)


def test_unevenly_spaced_slices_keep_their_places(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    def shift(index: int, ds: pydicom.Dataset) -> None:
        if index == 3:
            ds.ImagePositionPatient[2] += 1.5

    rewrite(volume, shift)
    write_seg(findings, volume, tmp_path / "seg.dcm")
    np.testing.assert_array_equal(_read_back(tmp_path / "seg.dcm", volume), label_map(findings))


@pytest.mark.parametrize("keyword", [
    "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID",
])  # fmt: skip
@pytest.mark.parametrize("value", ["", "1.2.03.4", "1.2." + "3" * 61, "1.2.x", "7.1.2"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI:UserWarning")
@pytest.mark.filterwarnings("ignore:The value length:UserWarning")
def test_sources_without_valid_uids_are_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path, keyword: str, value: str
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, keyword, value))
    with pytest.raises(ExportRefusedError, match=r"no valid .* UID.*NIfTI"):
        write_seg(findings, volume, tmp_path / "seg.dcm")
    assert not (tmp_path / "seg.dcm").exists()


def test_shared_instance_uids_are_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, "SOPInstanceUID", f"1.2.3.{index // 2 + 1}"))
    with pytest.raises(ExportRefusedError, match=r"6 of the 6 source files share.*NIfTI"):
        write_seg(findings, volume, tmp_path / "seg.dcm")


def test_two_frames_of_reference_are_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, "FrameOfReferenceUID", f"1.2.3.{index % 2}"))
    with pytest.raises(ExportRefusedError, match=r"2 different frame of reference UIDs.*NIfTI"):
        write_seg(findings, volume, tmp_path / "seg.dcm")


def test_sources_that_are_no_dicom_are_refused(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match=r"not read from DICOM.*NIfTI"):
        write_seg(findings, factories.without_dicom(volume), tmp_path / "seg.dcm")


def test_vanished_sources_are_refused(findings: Findings, volume: Volume, tmp_path: Path) -> None:
    volume.slices[2].path.unlink()
    with pytest.raises(ExportRefusedError, match=r"no longer be read.*NIfTI"):
        write_seg(findings, volume, tmp_path / "seg.dcm")


def test_exchanged_sources_are_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, "SOPInstanceUID", f"1.2.3.{index}"))
    with pytest.raises(ExportRefusedError, match="have changed"):
        write_seg(findings, volume, tmp_path / "seg.dcm")


def test_masks_beside_the_stored_slices_are_refused(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    affine = volume.affine.copy()
    affine[1, 3] += 3.0
    with pytest.raises(ExportRefusedError, match=r"3\.0 mm beside.*NIfTI"):
        write_seg(
            replace(findings, affine=affine), replace(volume, affine=affine), tmp_path / "seg.dcm"
        )


def test_sources_without_positions_are_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    rewrite(volume, lambda index, ds: ds.pop("ImagePositionPatient"))
    with pytest.raises(ExportRefusedError, match=r"where their slices lie.*NIfTI"):
        write_seg(findings, volume, tmp_path / "seg.dcm")


@pytest.mark.parametrize("how", ["absent", "empty"])
def test_anonymised_sources_need_not_name_anybody(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path, how: str
) -> None:
    keywords = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate",
                "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
                "PositionReferenceIndicator", "SliceThickness")  # fmt: skip

    def strip(index: int, ds: pydicom.Dataset) -> None:
        ds.SpecificCharacterSet = ""
        for keyword in keywords:
            if how == "absent":
                ds.pop(keyword)
            else:
                setattr(ds, keyword, None)

    rewrite(volume, strip)
    write_seg(findings, volume, tmp_path / "seg.dcm")
    np.testing.assert_array_equal(_read_back(tmp_path / "seg.dcm", volume), label_map(findings))
    written = pydicom.dcmread(tmp_path / "seg.dcm")
    assert written.PatientName == ""
    measures = written.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert measures.SliceThickness == 5, "from the distance of the slices"


def test_one_slice_without_thickness_is_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    rewrite(volume, lambda index, ds: ds.pop("SliceThickness"))
    one = replace(volume, array=volume.array[:1], slices=volume.slices[:1])
    with pytest.raises(ExportRefusedError, match=r"how thick.*NIfTI"):
        write_seg(factories.make_findings(one), one, tmp_path / "seg.dcm")


@pytest.mark.filterwarnings("ignore:Unknown encoding:UserWarning")
def test_headers_that_break_dicom_are_refused(
    findings: Findings, volume: Volume, rewrite: Rewrite, tmp_path: Path
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, "SpecificCharacterSet", "MARTIAN"))
    with pytest.raises(ExportRefusedError, match=r"keep to DICOM.*NIfTI"):
        write_seg(findings, volume, tmp_path / "seg.dcm")


def test_a_strange_name_is_not_written_out(
    findings: Findings,
    volume: Volume,
    rewrite: Rewrite,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    rewrite(volume, lambda index, ds: setattr(ds, "PatientName", "HENRIETTA"))
    write_seg(findings, volume, tmp_path / "seg.dcm")
    assert "HENRIETTA" not in caplog.text + "".join(capfd.readouterr())


STREAMS = ["streams-student", "streams-lite"]
ORDERS = {"from head to feet": (5, 4, 3, 2, 1, 0), "turned round": (1, 2, 3, 4, 5, 0)}
"""The second is not its own inverse."""


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_enhanced_sources_are_referred_to_by_frame(
    findings: Findings, volume: Volume, tmp_path: Path, order: tuple[int, ...]
) -> None:
    enhanced = as_multiframe(volume, tmp_path / "enhanced.dcm", order)
    write_seg(findings, enhanced, tmp_path / "seg.dcm")
    seg = hd.seg.segread(tmp_path / "seg.dcm")
    back = seg.get_pixels_by_source_frame(
        enhanced.slices[0].sop_instance_uid,
        [source.frame + 1 for source in enhanced.slices],
        assert_missing_frames_are_empty=True,
        combine_segments=True,
    )
    np.testing.assert_array_equal(back, label_map(findings))
    # And where they lie in the patient, without any reference.
    written = pydicom.dcmread(tmp_path / "seg.dcm")
    for frame, groups in zip(
        written.pixel_array, written.PerFrameFunctionalGroupsSequence, strict=True
    ):
        z = groups.PlanePositionSequence[0].ImagePositionPatient[2]
        index = round((z - volume.affine[2, 3]) / volume.affine[2, 2])
        key = list(Manifestation)[
            groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber - 1
        ]
        np.testing.assert_array_equal(frame > 0, findings.segment(key).mask[index])


def test_part_of_an_enhanced_source_is_refused(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    enhanced = as_multiframe(volume, tmp_path / "enhanced.dcm", ORDERS["from head to feet"])
    part = replace(enhanced, array=volume.array[:4], slices=enhanced.slices[:4])
    with pytest.raises(ExportRefusedError, match=r"Not every frame.*NIfTI"):
        write_seg(factories.make_findings(part), part, tmp_path / "s.dcm")


def test_xray_has_no_masks(xray: Findings, volume: Volume, tmp_path: Path) -> None:
    with pytest.raises(ExportRefusedError, match="only computed on axial CT"):
        write_seg(xray, volume, tmp_path / "seg.dcm")


def test_unwritable_place_is_one_sentence(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match="could not be written"):
        write_seg(findings, volume, tmp_path / "missing" / "seg.dcm")


def test_the_file_is_plain_explicit_little_endian(
    findings: Findings, volume: Volume, tmp_path: Path
) -> None:
    write_seg(findings, volume, tmp_path / "seg.dcm")
    meta = pydicom.dcmread(tmp_path / "seg.dcm").file_meta
    assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
