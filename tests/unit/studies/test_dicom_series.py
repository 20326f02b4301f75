"""DICOM headers become the right series, in the right order, with the right doubts."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from inference.studies import Code, load, scan

AXIAL_Z = [-30.0, -28.0, -26.0, -24.0, -22.0]


def codes(thing) -> set[str]:
    return {problem.code for problem in thing.problems}


def sentence(thing, code: Code) -> str:
    return next(problem.sentence for problem in thing.problems if problem.code == code)


def test_slices_go_from_feet_to_head_whatever_names_and_numbers_say(write_series, tmp_path):
    paths = write_series(AXIAL_Z)
    (study,) = scan(tmp_path)
    (series,) = study.series
    assert [source.path for source in series.slices] == paths
    volume = load(series)
    assert [int(v) for v in volume.array[:, 0, 0]] == [-1000, -999, -998, -997, -996]
    np.testing.assert_allclose(volume.position(0, 0, 4), (-10, -20, -22))
    assert volume.spacing == pytest.approx((2.0, 0.8, 0.6))
    assert not volume.problems
    assert volume.is_ct
    assert volume.has_geometry
    assert volume.has_orientation


def test_study_and_series_carry_what_the_file_says(write_series, tmp_path):
    write_series(AXIAL_Z, StudyDescription="Thorax", StudyDate="20200102", BodyPartExamined="CHEST")
    (study,) = scan(tmp_path)
    assert (study.uid, study.description, study.date) == ("1.2.3", "Thorax", "20200102")
    assert (study.patient_name, study.patient_id) == ("Nobody^At^All", "P")
    (series,) = study.series
    assert (series.uid, series.number, series.modality) == ("1.2.3.4", 2, "CT")
    assert (series.description, series.body_part) == ("made up", "CHEST")
    assert series.slices[0].sop_instance_uid == "1.2.3.4.1"
    volume = load(series)
    assert (volume.study_uid, volume.series_uid) == ("1.2.3", "1.2.3.4")
    assert volume.frame_of_reference == "1.2.3.5"


def test_spacing_is_the_distance_and_never_the_thickness(write_series, tmp_path):
    write_series([0.0, 3.0, 6.0], SliceThickness=7.0)
    assert load(scan(tmp_path)[0].series[0]).spacing[0] == pytest.approx(3.0)


def test_flipped_columns_still_read_from_the_feet(write_series, tmp_path):
    write_series(AXIAL_Z, ImageOrientationPatient=[1, 0, 0, 0, -1, 0])
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.array[0, 0, 0] == -1000
    np.testing.assert_allclose(volume.position(0, 1, 4), (-10, -20.8, -22))


def test_gantry_tilt_is_sheared_truly_and_said(write_series, tmp_path):
    a = np.radians(10)
    write_series(AXIAL_Z, ImageOrientationPatient=[1, 0, 0, 0, float(np.cos(a)), float(np.sin(a))])
    volume = load(scan(tmp_path)[0].series[0])
    assert codes(volume) == {Code.GANTRY_TILT}
    np.testing.assert_allclose(volume.position(0, 0, 4), (-10, -20, -22))
    assert volume.voxel_ml == pytest.approx(0.8 * 0.6 * 2.0 * np.cos(a) / 1000)


def test_identical_copies_are_dropped_and_counted(write_series, tmp_path):
    paths = write_series(AXIAL_Z)
    shutil.copy(paths[1], tmp_path / "ct" / "copy of it")
    (series,) = scan(tmp_path)[0].series
    assert len(series.slices) == 5
    assert "1 identical copy" in sentence(series, Code.DUPLICATE_SLICES)


@pytest.mark.parametrize("uid", ["", "1.2.3.9"])
def test_empty_or_shared_instance_uids_lose_no_slice(write_series, tmp_path, uid):
    write_series(AXIAL_Z, SOPInstanceUID=uid)
    (series,) = scan(tmp_path)[0].series
    assert len(series.slices) == 5
    assert codes(series) >= {Code.DUPLICATE_UID if uid else Code.MISSING_UID}
    assert load(series).array[4, 0, 0] == -996


def test_same_place_with_other_pixels_splits_by_acquisition(write_series, tmp_path):
    write_series(AXIAL_Z, AcquisitionNumber=1)
    write_series(
        AXIAL_Z[:3], folder="again", AcquisitionNumber=2, RescaleIntercept=0,
        SOPInstanceUID=None, PixelPaddingValue=0, BitsStored=12, HighBit=11,
    )  # fmt: skip
    # Equal pixels at one place would be copies, so the second acquisition has its own.
    for path in (tmp_path / "again").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    first, second = scan(tmp_path)[0].series
    assert (len(first.slices), len(second.slices)) == (5, 3)
    assert first.uid == "1.2.3.4"
    assert second.uid == "1.2.3.4#2"
    assert {s.path.parent.name for s in second.slices} == {"again"}
    assert Code.SAME_POSITION in codes(first) & codes(second)
    assert first.description == "acquisition 1 · made up"
    assert second.description == "acquisition 2 · made up"


def test_same_place_without_any_reason_splits_one_after_the_other(write_series, tmp_path):
    write_series(AXIAL_Z)
    write_series([-26.0], folder="extra", InstanceNumber=99)
    path = next((tmp_path / "extra").iterdir())
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    first, second = scan(tmp_path)[0].series
    assert (len(first.slices), len(second.slices)) == (5, 1)
    assert second.slices[0].path == path
    assert (first.description, second.description) == ("part 1 · made up", "part 2 · made up")


def test_times_of_a_4d_series_are_told_apart_and_come_in_their_order(write_series, tmp_path):
    for time in (10, 2, 1):
        for path in write_series(
            AXIAL_Z, folder=f"t{time}", TemporalPositionIdentifier=time, SOPInstanceUID=None
        ):
            # Other pixels at each time: equal ones would be copies.
            path.write_bytes(path.read_bytes()[:-1] + bytes([time]))
    series = scan(tmp_path)[0].series
    assert [s.description for s in series] == [f"time {t} · made up" for t in (1, 2, 10)]
    assert [{x.path.parent.name for x in s.slices} for s in series] == [{"t1"}, {"t2"}, {"t10"}]
    assert all("split into 3" in sentence(s, Code.SAME_POSITION) for s in series)
    assert load(series[2]).array.shape == (5, 40, 40)


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, Code.MIXED_ORIENTATION),
        ({"FrameOfReferenceUID": "1.2.3.6"}, Code.MIXED_FRAME_OF_REFERENCE),
        ({"EchoNumbers": 2}, Code.MIXED_ECHO),
        ({"PixelSpacing": [0.5, 0.5]}, Code.MIXED_SIZE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, Code.LOCALIZER),
        ({"PhotometricInterpretation": "MONOCHROME1"}, Code.MIXED_KIND),
        ({"ImagePositionPatient": None}, Code.NO_POSITION),
    ],
)
def test_what_is_no_one_volume_is_split(write_series, tmp_path, other, code):
    write_series(AXIAL_Z)
    write_series([(-10, 0, 100), (-10, 9, 130)], folder="other", **other)
    first, second = scan(tmp_path)[0].series
    assert (len(first.slices), len(second.slices)) == (5, 2)
    assert code in codes(second)
    assert load(first).shape[0] == 5
    assert load(second).shape[0] == 2


def test_different_sizes_are_split(write_series, write_slice, tmp_path):
    write_series(AXIAL_Z)
    write_slice("big.dcm", np.zeros((64, 48), np.uint16), SOPInstanceUID="1.9")
    first, second = scan(tmp_path)[0].series
    assert Code.MIXED_SIZE in codes(first)
    assert (second.rows, second.columns) == (64, 48)


def test_rounding_of_cosines_does_not_split(write_series, tmp_path):
    write_series(AXIAL_Z[:3])
    write_series(AXIAL_Z[3:], folder="rest", ImageOrientationPatient=[1, 0, 0, 0, 0.99999, 0.0004])
    (series,) = scan(tmp_path)[0].series
    assert len(series.slices) == 5
    assert Code.MIXED_ORIENTATION not in codes(series)


def test_series_of_two_patients_are_two_studies(write_series, tmp_path):
    write_series(AXIAL_Z)
    write_series(AXIAL_Z, folder="b", uid="1.2.9", StudyInstanceUID="1.2.8", PatientID="Q")
    assert {study.uid for study in scan(tmp_path)} == {"1.2.3", "1.2.8"}


def test_one_study_uid_for_two_patients_is_kept_apart(write_series, tmp_path):
    write_series(AXIAL_Z)
    write_series(AXIAL_Z, folder="b", uid="1.2.9", PatientID="Q")
    first, second = scan(tmp_path)
    assert {first.uid, second.uid} == {"1.2.3", "1.2.3#2"}
    assert Code.PATIENT_MISMATCH in codes(first) & codes(second)


def test_missing_study_and_series_uids_are_made_up_and_stay_the_same(write_series, tmp_path):
    write_series(AXIAL_Z, StudyInstanceUID=None, SeriesInstanceUID=None)
    (study,), (again,) = scan(tmp_path), scan(tmp_path)
    assert study.uid.startswith("2.25.")
    assert (study.uid, study.series[0].uid) == (again.uid, again.series[0].uid)
    assert len(study.series[0].slices) == 5
    assert load(study.series[0]).study_uid == study.uid


def test_uids_against_the_rules_are_reported(write_series, tmp_path):
    for path in write_series(AXIAL_Z):
        path.write_bytes(path.read_bytes().replace(b"1.2.3.4\0", b"1.02.34\0"))
    assert Code.INVALID_UID in codes(scan(tmp_path)[0].series[0])


def test_slices_without_positions_are_ordered_by_a_guess_and_have_no_geometry(
    write_series, tmp_path
):
    write_series(AXIAL_Z, ImagePositionPatient=None)
    (series,) = scan(tmp_path)[0].series
    volume = load(series)
    assert Code.NO_POSITION in codes(volume)
    assert not volume.has_geometry
    assert not volume.has_orientation
    np.testing.assert_allclose(volume.affine, np.eye(4))
    # Instance numbers run against the values here.
    assert list(volume.array[:, 0, 0]) == [-996, -997, -998, -999, -1000]


def xray(**values):
    return {
        "Modality": "DX", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1",
        "ImagePositionPatient": None, "ImageOrientationPatient": None, "RescaleIntercept": None,
        "RescaleSlope": None, "FrameOfReferenceUID": None, "PixelSpacing": None,
    } | values  # fmt: skip


def test_two_views_of_an_xray_are_two_series(write_slice, tmp_path):
    write_slice("pa", **xray(ViewPosition="PA", SOPInstanceUID="1.5.1"))
    write_slice("ll", np.ones((40, 40), np.uint16), **xray(ViewPosition="LL"))
    first, second = scan(tmp_path)[0].series
    assert {first.description, second.description} == {"made up PA", "made up LL"}
    assert Code.SEPARATE_IMAGES in codes(first)
    assert load(first).modality == "DX"


def test_screen_shots_of_a_ct_are_no_stack(write_slice, tmp_path):
    for value in (1, 2):
        write_slice(
            str(value), np.full((40, 40), value, np.uint16), SOPInstanceUID=None,
            SOPClassUID="1.2.840.10008.5.1.4.1.1.7", ImagePositionPatient=None,
            ImageOrientationPatient=None,
        )  # fmt: skip
    assert [len(series.slices) for series in scan(tmp_path)[0].series] == [1, 1]


@pytest.mark.parametrize(
    ("keyword", "code"),
    [("PixelSpacing", None), ("ImagerPixelSpacing", Code.IMAGER_SPACING)],
)
def test_spacing_of_an_xray_says_where_it_is_from(write_slice, keyword, code):
    path = write_slice(**xray(**{"PixelSpacing": None, keyword: [0.2, 0.1]}))
    volume = load(scan(path)[0].series[0])
    assert volume.spacing == pytest.approx((1.0, 0.2, 0.1))
    assert volume.has_geometry
    assert not volume.has_orientation
    assert codes(volume) == ({code} if code else set())


def test_an_xray_without_spacing_measures_nothing(write_slice):
    volume = load(scan(write_slice(**xray(PixelSpacing=[0, 0])))[0].series[0])
    assert not volume.has_geometry
    assert codes(volume) == {Code.NO_SPACING}


def test_modality_comes_from_the_class_when_the_file_does_not_say(write_slice):
    assert scan(write_slice(Modality=None))[0].series[0].modality == "CT"


def test_film_scans_are_read_as_computed_radiography(write_slice):
    assert scan(write_slice(**xray(Modality="RG")))[0].series[0].modality == "CR"


def test_other_objects_beside_images_are_counted(write_series, write_slice, tmp_path):
    write_series(AXIAL_Z)
    write_slice("seg.dcm", Modality="SEG", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    write_slice("mr.dcm", Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    (study,) = scan(tmp_path)
    said = sentence(study, Code.OTHER_OBJECTS)
    assert "1 MR, 1 SEG" in said
    assert said.endswith("To see a segmentation, open its file while its images are shown.")


def test_a_broken_file_beside_good_ones_is_named(write_series, tmp_path):
    paths = write_series(AXIAL_Z)
    paths[2].write_bytes(paths[2].read_bytes()[:-100])
    (tmp_path / "ct" / "notes.dcm").write_text("hello")
    (study,) = scan(tmp_path)
    (problem,) = study.problems
    assert problem.code == Code.UNREADABLE_FILES
    assert set(problem.files) == {paths[2], tmp_path / "ct" / "notes.dcm"}
    assert "2 files were left out" in problem.sentence
    volume = load(study.series[0])
    assert Code.MISSING_SLICES in codes(volume)


def test_files_without_preamble_are_found(write_series, tmp_path):
    for path in write_series(AXIAL_Z):
        data = path.read_bytes()
        meta_length = int.from_bytes(data[140:144], "little")
        path.write_bytes(data[144 + meta_length :])
    volume = load(scan(tmp_path)[0].series[0])
    assert volume.shape == (5, 40, 40)
    assert volume.array[4, 0, 0] == -996
