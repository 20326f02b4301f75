"""The DICOM report says what the table says, where it was measured, or is refused in words."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from inference.errors import ExportRefusedError
from inference.export.structured_report import write_sr
from inference.measurements import Kind, Measurement, Slant, measure
from inference.measurements.slabs import Merge, SlabPlanes
from inference.studies.codes import Code
from inference.studies.model import Problem, Unit, Volume
from tests import factories
from tests.unit.export.multiframe import as_multiframe

POINTS = {
    Kind.LENGTH: [(2, 3), (12, 3)],
    Kind.ANGLE: [(12, 3), (2, 3), (2, 13)],
    Kind.COBB: [(2, 3), (12, 3), (2, 20), (12, 25)],
    Kind.RECTANGLE: [(9.5, 4.5), (29.5, 14.5)],
    Kind.ELLIPSE: [(10, 5), (20, 35)],
    Kind.FREEHAND: [(10, 10), (30, 10), (10, 30)],
    Kind.PROBE: [(7, 9)],
    Kind.TEXT: [(1, 1)],
    Kind.ARROW: [(1, 1), (5, 5)],
}


@pytest.fixture
def drawn(volume: Volume) -> dict[Kind, Measurement]:
    """One of each kind on the third slice."""
    return {
        kind: Measurement.on(volume, kind, [(x, y, 2) for x, y in points], number=number,
                             text="Größe" if kind is Kind.LENGTH else "")
        for number, (kind, points) in enumerate(POINTS.items(), start=1)
    }  # fmt: skip


def read(path: Path) -> hd.sr.ComprehensiveSR:
    return hd.sr.srread(path)


def test_highdicom_reads_the_numbers_back(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "sr.dcm"
    note = write_sr(tuple(drawn.values()), volume, path)
    assert "2 of the measurements" in note
    report = read(path)
    regions = report.content.get_planar_roi_measurement_groups()
    others = report.content.get_image_measurement_groups()
    assert [str(g.tracking_identifier) for g in regions] == [
        "Rectangle 4",
        "Ellipse 5",
        "Freehand 6",
    ]
    assert [str(g.tracking_identifier) for g in others] == [
        "Length 1: Größe", "Angle 2", "Cobb 3", "Probe 7",
    ]  # fmt: skip
    for group, kind in zip(regions, (Kind.RECTANGLE, Kind.ELLIPSE, Kind.FREEHAND), strict=True):
        values = measure(drawn[kind], volume)
        numbers = [float(m.value) for m in group.get_measurements()]
        region = values.region
        assert region is not None
        expected = [values.area, region.mean, region.sd, region.minimum, region.maximum]
        assert numbers == pytest.approx(expected)
    numbers = [float(group.get_measurements()[0].value) for group in others]
    cobb = math.degrees(math.atan2(5 * 0.8, 10 * 0.7))
    probe = float(volume.array[2, 9, 7])
    assert numbers == pytest.approx([7.0, 90.0, cobb, probe])
    units = [group.get_measurements()[0].unit.value for group in others]
    assert units == ["mm", "deg", "deg", "[hnsf'U]"]


def test_regions_lie_on_their_image_with_pixel_centres_at_halves(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "sr.dcm"
    write_sr((drawn[Kind.RECTANGLE], drawn[Kind.ELLIPSE]), volume, path)
    box, ellipse = read(path).content.get_planar_roi_measurement_groups()
    assert box.roi.value.min(axis=0) == pytest.approx([10, 5])
    assert box.roi.value.max(axis=0) == pytest.approx([30, 15])
    np.testing.assert_allclose(box.roi.value[0], box.roi.value[-1])
    # Ends of the longer axis, then of the shorter.
    expected = [[15.5, 5.5], [15.5, 35.5], [10.5, 20.5], [20.5, 20.5]]
    np.testing.assert_allclose(ellipse.roi.value, expected)
    header = pydicom.dcmread(path)
    (evidence,) = header.CurrentRequestedProcedureEvidenceSequence
    (series,) = evidence.ReferencedSeriesSequence
    uids = [item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence]
    assert uids == [volume.slices[2].sop_instance_uid]


def _items(item: pydicom.Dataset, code: str) -> list[pydicom.Dataset]:
    """All content items with a concept of that code value, at any depth."""
    names = item.get("ConceptNameCodeSequence", ())
    found = [item] if names and names[0].CodeValue == code else []
    for child in item.get("ContentSequence", ()):
        found += _items(child, code)
    return found


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.LENGTH, "410668003"), (Kind.ANGLE, "1483009"), (Kind.COBB, "285285000"),
        (Kind.PROBE, "112031"),
    ],
)  # fmt: skip
def test_each_number_has_its_code(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path, kind: Kind, code: str
) -> None:
    """Of SNOMED CT, the attenuation coefficient of DICOM (PS3.16, CID 4 and annex D)."""
    write_sr((drawn[kind],), volume, tmp_path / "sr.dcm")
    report = pydicom.dcmread(tmp_path / "sr.dcm")
    (number,) = _items(report, code)
    value = measure(drawn[kind], volume)
    expected = next(v for v in (value.length, value.angle, value.value) if v is not None)
    assert float(number.MeasuredValueSequence[0].NumericValue) == pytest.approx(expected)
    scheme = "DCM" if kind is Kind.PROBE else "SCT"
    assert number.ConceptNameCodeSequence[0].CodingSchemeDesignator == scheme


def test_statistics_of_a_region_are_of_attenuation(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    write_sr((drawn[Kind.RECTANGLE],), volume, tmp_path / "sr.dcm")
    numbers = _items(pydicom.dcmread(tmp_path / "sr.dcm"), "112031")
    assert len(numbers) == 4, "mean, deviation, minimum, maximum"
    derived = [n.ContentSequence[0].ConceptCodeSequence[0].CodeValue for n in numbers]
    assert derived == ["373098007", "386136009", "255605001", "56851009"]


@pytest.mark.parametrize(
    ("modality", "code"), [("CT", "77477000"), ("DX", "363680008"), ("CR", "363680008")]
)
def test_the_procedure_is_that_of_the_modality(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path, modality: str, code: str
) -> None:
    write_sr((drawn[Kind.LENGTH],), replace(volume, modality=modality), tmp_path / "sr.dcm")
    (procedure,) = _items(pydicom.dcmread(tmp_path / "sr.dcm"), "121058")
    assert procedure.ConceptCodeSequence[0].CodeValue == code


def test_of_a_multi_frame_image_the_frame_is_named(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    """Frames are counted from one (PS3.3, table 10-3)."""
    several = as_multiframe(volume, tmp_path / "enhanced.dcm", (2, 4, 0, 5, 3, 1))
    write_sr((drawn[Kind.LENGTH],), several, tmp_path / "sr.dcm")
    (line,) = _drawn_on_images(pydicom.dcmread(tmp_path / "sr.dcm"))
    (image,) = line.ContentSequence
    (reference,) = image.ReferencedSOPSequence
    assert reference.ReferencedSOPInstanceUID == several.slices[2].sop_instance_uid
    assert int(reference.ReferencedFrameNumber) == 1, "the third slice is the first frame"


def _drawn_on_images(item: pydicom.Dataset) -> list[pydicom.Dataset]:
    found = [item] if item.get("ValueType") == "SCOORD" else []
    for child in item.get("ContentSequence", ()):
        found += _drawn_on_images(child)
    return found


@pytest.fixture
def across(volume: Volume) -> tuple[Measurement, ...]:
    """A length on a sagittal plane, and a region and a probe on an oblique one."""
    lean = math.radians(30.0)
    slant = Slant((1.0, 0.0, 0.0), (0.0, math.sin(lean), -math.cos(lean)), 0.7)
    back = np.linalg.inv(volume.affine)
    middle = np.array(volume.position(15.0, 20.0, 2.0))

    def at(right: float, down: float) -> tuple[float, float, float]:
        place = middle + right * np.array(slant.right) + down * np.array(slant.down)
        column, row, slice_ = back[:3, :3] @ place + back[:3, 3]
        return float(column), float(row), float(slice_)

    return (
        Measurement.on(volume, Kind.LENGTH, [(5, 5, 0), (5, 20, 3)], 0, number=1),
        Measurement.on(volume, Kind.ELLIPSE, [at(-2, -4), at(2, 4)], 1, number=2, slant=slant),
        Measurement.on(volume, Kind.RECTANGLE, [at(-3, -1), at(3, 1)], 1, number=3, slant=slant),
        Measurement.on(volume, Kind.PROBE, [at(0, 0)], 1, number=4, slant=slant),
    )


def _placed(item: pydicom.Dataset, kind: str) -> list[pydicom.Dataset]:
    """All places in the patient of a graphic type, at any depth."""
    found = [item] if item.get("ValueType") == "SCOORD3D" and item.GraphicType == kind else []
    for child in item.get("ContentSequence", ()):
        found += _placed(child, kind)
    return found


def test_of_a_slab_only_lines_are_written(volume: Volume, tmp_path: Path) -> None:
    path, slab = tmp_path / "sr.dcm", SlabPlanes(Merge.MEAN, 1, 1, 2.0)
    line = Measurement.on(volume, Kind.LENGTH, [(2, 3, 2), (12, 3, 2)], slab=slab)
    box = Measurement.on(volume, Kind.RECTANGLE, [(2, 3, 2), (12, 9, 2)], number=2, slab=slab)
    assert "place for them: 1 of" in write_sr((line, box), volume, path)
    report = pydicom.dcmread(path)
    assert report.SOPClassUID == Comprehensive3DSRStorage
    (item,) = _placed(report, "POLYLINE")
    assert line.positions is not None
    np.testing.assert_allclose(item.GraphicData, np.ravel(line.positions), rtol=0, atol=1e-4)
    (group,) = read(path).content.get_image_measurement_groups()
    assert "slab, mean of 3 planes, 6.0 mm" in group.tracking_identifier
    named = str(report.CurrentRequestedProcedureEvidenceSequence)
    for each in volume.slices[1:4]:
        assert each.sop_instance_uid in named
    with pytest.raises(ExportRefusedError, match="whose place a DICOM report could name"):
        write_sr((box,), volume, path)


def test_what_lies_across_slices_is_placed_in_the_patient(
    across: tuple[Measurement, ...], volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "sr.dcm"
    length, ellipse, box, _ = across
    assert write_sr(across, volume, path) == ""
    assert pydicom.dcmread(path).SOPClassUID == Comprehensive3DSRStorage
    content = read(path).content
    (item,) = _placed(pydicom.dcmread(path), "POLYLINE")
    assert item.ReferencedFrameOfReferenceUID == volume.frame_of_reference
    assert length.positions is not None
    expected = np.ravel(length.positions)
    np.testing.assert_allclose(item.GraphicData, expected, rtol=0, atol=1e-4)
    round_one, square = content.get_planar_roi_measurement_groups()
    assert round_one.roi.graphic_type.value == "ELLIPSE"
    ends = round_one.roi.value
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(8.0, abs=1e-4), "the longer first"
    assert np.linalg.norm(ends[3] - ends[2]) == pytest.approx(4.0, abs=1e-4)
    np.testing.assert_allclose(ends[:2].mean(axis=0), ends[2:].mean(axis=0), atol=1e-4)
    assert square.roi.graphic_type.value == "POLYGON"
    assert box.positions is not None
    np.testing.assert_allclose(square.roi.value[0], box.positions[0], atol=1e-4)
    np.testing.assert_allclose(square.roi.value[2], box.positions[1], atol=1e-4)
    for group, each in ((round_one, ellipse), (square, box)):
        said = measure(each, volume)
        assert said.region is not None
        numbers = [float(number.value) for number in group.get_measurements()]
        assert numbers[:2] == pytest.approx([said.area, said.region.mean])


def test_the_evidence_is_the_slices_that_were_crossed(
    across: tuple[Measurement, ...], volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "sr.dcm"
    write_sr(across[:1], volume, path)
    (evidence,) = pydicom.dcmread(path).CurrentRequestedProcedureEvidenceSequence
    (series,) = evidence.ReferencedSeriesSequence
    uids = {item.ReferencedSOPInstanceUID for item in series.ReferencedSOPSequence}
    assert uids == {source.sop_instance_uid for source in volume.slices[:4]}


def test_without_a_frame_of_reference_it_is_left_out_in_words(
    across: tuple[Measurement, ...], drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    nowhere = replace(volume, frame_of_reference="")
    note = write_sr((drawn[Kind.LENGTH], *across), nowhere, tmp_path / "sr.dcm")
    assert "4 of the measurements" in note
    assert pydicom.dcmread(tmp_path / "sr.dcm").SOPClassUID == ComprehensiveSRStorage
    with pytest.raises(ExportRefusedError, match="whose place"):
        write_sr(across, nowhere, tmp_path / "other.dcm")


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dicom3tools is not installed")
@pytest.mark.parametrize("with_planes", [False, True])
def test_dciodvfy_finds_no_error(
    drawn: dict[Kind, Measurement], across: tuple[Measurement, ...], volume: Volume,
    tmp_path: Path, *, with_planes: bool,
) -> None:  # fmt: skip
    path = tmp_path / "sr.dcm"
    write_sr((*drawn.values(), *(across if with_planes else ())), volume, path)
    result = subprocess.run(
        ["dciodvfy", "-new", str(path)],
        check=False, capture_output=True, text=True, errors="replace",
    )  # fmt: skip
    said = result.stdout + result.stderr
    assert "Error" not in said, said
    assert result.returncode == 0


def test_grey_values_have_no_unit_and_are_left_out(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    path = tmp_path / "sr.dcm"
    grey = replace(volume, unit=Unit.GREY)
    note = write_sr((drawn[Kind.RECTANGLE], drawn[Kind.PROBE]), grey, path)
    assert "area alone" in note
    (group,) = read(path).content.get_planar_roi_measurement_groups()
    assert [m.name.meaning for m in group.get_measurements()] == ["Area"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"has_geometry": False}, "spacing of this series is unknown"),
        ({"problems": (Problem(Code.IMAGER_SPACING, "x"),)}, "on the detector"),
        ({}, "not read from DICOM"),
    ],
)
def test_what_would_not_be_true_is_refused(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path, changes: dict, words: str
) -> None:
    changed = replace(volume, **changes) if changes else factories.without_dicom(volume)
    with pytest.raises(ExportRefusedError, match=words) as refused:
        write_sr((drawn[Kind.LENGTH],), changed, tmp_path / "sr.dcm")
    assert "CSV" in str(refused.value)
    assert not (tmp_path / "sr.dcm").exists()


def test_texts_alone_are_refused(
    drawn: dict[Kind, Measurement], volume: Volume, tmp_path: Path
) -> None:
    with pytest.raises(ExportRefusedError, match="whose place a DICOM report could name"):
        write_sr((drawn[Kind.TEXT], drawn[Kind.ARROW]), volume, tmp_path / "sr.dcm")


def test_files_that_changed_or_went_are_refused(
    drawn: dict[Kind, Measurement],
    volume: Volume,
    tmp_path: Path,
    rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
) -> None:
    def other(index: int, ds: pydicom.Dataset) -> None:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.{index}"

    rewrite(volume, other)
    with pytest.raises(ExportRefusedError, match="have changed"):
        write_sr((drawn[Kind.LENGTH],), volume, tmp_path / "sr.dcm")
    volume.slices[2].path.unlink()
    with pytest.raises(ExportRefusedError, match="no longer be read"):
        write_sr((drawn[Kind.LENGTH],), volume, tmp_path / "sr.dcm")


def test_anonymised_headers_will_do(
    drawn: dict[Kind, Measurement],
    volume: Volume,
    tmp_path: Path,
    rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
) -> None:
    def strip(_index: int, ds: pydicom.Dataset) -> None:
        for keyword in ("PatientName", "PatientID", "StudyDate", "StudyTime", "StudyID"):
            delattr(ds, keyword)

    rewrite(volume, strip)
    write_sr((drawn[Kind.LENGTH],), volume, tmp_path / "sr.dcm")
    assert read(tmp_path / "sr.dcm").PatientName == ""


def test_a_name_in_another_character_set_stays_what_it_is(
    drawn: dict[Kind, Measurement],
    volume: Volume,
    tmp_path: Path,
    rewrite: Callable[[Volume, Callable[[int, pydicom.Dataset], None]], None],
) -> None:
    def name(_index: int, ds: pydicom.Dataset) -> None:
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.PatientName = "Müller^Zoë"

    rewrite(volume, name)
    write_sr((drawn[Kind.LENGTH],), volume, tmp_path / "sr.dcm")
    report = read(tmp_path / "sr.dcm")
    assert report.PatientName == "Müller^Zoë"
    (group,) = report.content.get_image_measurement_groups()
    assert str(group.tracking_identifier) == "Length 1: Größe"


def test_a_bidirectional_measurement_has_both_axes_by_their_codes(
    volume: Volume, tmp_path: Path
) -> None:
    # Drawn short axis first: 8 rows of 0.8 mm, then 20 columns of 0.7 mm.
    points = [(12, 6, 2), (12, 14, 2), (2, 10, 2), (22, 10, 2)]
    made = Measurement.on(volume, Kind.BIDIRECTIONAL, points)
    assert write_sr((made,), volume, tmp_path / "sr.dcm") == ""
    (group,) = read(tmp_path / "sr.dcm").content.get_image_measurement_groups()
    long, short = group.get_measurements()
    for number, code, size, line in (
        (long, ("103339001", "SCT"), 14.0, [(2.5, 10.5), (22.5, 10.5)]),
        (short, ("103340004", "SCT"), 6.4, [(12.5, 6.5), (12.5, 14.5)]),
    ):
        assert (number.name.value, number.name.scheme_designator) == code
        assert float(number.value) == pytest.approx(size)
        assert number.unit.value == "mm"
        (place,) = number.referenced_coordinates
        assert np.reshape(place.GraphicData, (-1, 2)) == pytest.approx(np.array(line))
