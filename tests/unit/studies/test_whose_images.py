"""What a header says of patient, study, series and image reaches the study, the index too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from inference.studies import load, scan
from inference.studies.dicom_header import read_header
from inference.studies.dicom_values import age_between
from inference.studies.header_store import decode, encode
from inference.studies.naming import image_name, slice_name

SAID = {
    "PatientSex": "F",
    "PatientAge": "045Y",
    "StudyDate": "20200312",
    "StudyTime": "101112.5",
    "InstitutionName": "City Hospital",
    "ConvolutionKernel": ["I31f", "3"],
    "SliceThickness": 1.25,
}


@pytest.fixture
def folder(write_series: Callable[..., list[Path]]) -> Path:
    """Five slices whose numbers run against their positions."""
    return write_series([-30.0, -28.0, -26.0, -24.0, -22.0], **SAID)[0].parent


def test_the_study_says_whose_and_when_and_the_series_how(folder: Path):
    (study,) = scan(folder)
    assert (study.patient_sex, study.patient_age) == ("F", "045Y")
    assert (study.date, study.time) == ("20200312", "101112.5")
    (series,) = study.series
    assert (series.institution, series.kernel) == ("City Hospital", "I31f 3")
    assert series.thickness == 1.25


def test_a_file_that_says_nothing_leaves_nothing(write_series: Callable[..., list[Path]]):
    folder = write_series([0.0, 2.0], SliceThickness=None, InstanceNumber=None)[0].parent
    (study,) = scan(folder)
    assert (study.time, study.patient_sex, study.patient_age) == ("", "", "")
    (series,) = study.series
    assert (series.institution, series.kernel, series.thickness) == ("", "", None)
    assert [source.instance for source in series.slices] == [None, None]


def test_slices_that_differ_in_thickness_say_none(
    write_series: Callable[..., list[Path]], write_slice: Callable[..., Path]
):
    folder = write_series([0.0, 2.0], **SAID)[0].parent
    write_slice(
        "ct/other", SOPInstanceUID="1.2.3.4.9", ImagePositionPatient=[-10.0, -20.0, 4.0],
        **(SAID | {"SliceThickness": 5.0}),
    )  # fmt: skip
    (series,) = scan(folder)[0].series
    assert len(series.slices) == 3
    assert (series.thickness, series.kernel) == (None, "I31f 3")


def test_age_is_counted_from_the_birth_date_where_it_is_not_said(
    write_series: Callable[..., list[Path]],
):
    without = SAID | {"PatientAge": None, "PatientBirthDate": "19750313"}
    (study,) = scan(write_series([0.0], **without)[0].parent)
    assert study.patient_age == "044Y"
    assert age_between("20191101", "20200312") == "004M"
    assert age_between("20200313", "20200312") == ""
    assert age_between("197503", "20200312") == ""


def test_every_slice_keeps_its_number(folder: Path):
    (study,) = scan(folder)
    volume = load(study.series[0])
    assert [source.instance for source in volume.slices] == [5, 4, 3, 2, 1]
    assert [s.instance for s in study.series[0].slices] == [5, 4, 3, 2, 1]
    assert slice_name(volume.slices, 1, 5) == "Im 4 (2/5)"
    assert image_name(volume.slices, 7) == ""
    assert slice_name((), 1, 5) == "2/5"


def test_frames_of_one_file_are_told_apart(write_slice: Callable[..., Path]):
    import numpy as np

    path = write_slice(
        pixels=np.zeros((3, 40, 40), np.uint16), NumberOfFrames=3, InstanceNumber=7, Modality="OT"
    )
    (series,) = scan(path)[0].series
    assert [image_name(series.slices, i) for i in range(3)] == [
        "Im 7 frame 1", "Im 7 frame 2", "Im 7 frame 3",
    ]  # fmt: skip


def test_the_index_keeps_all_of_it(folder: Path):
    path = sorted(folder.iterdir())[0]
    header = read_header(path)
    assert header.institution == "City Hospital"
    assert decode(encode(header), path) == header


def test_a_name_in_several_writings_is_read_as_such(write_series: Callable[..., list[Path]]):
    name = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    paths = write_series([0.0], SpecificCharacterSet=["", "ISO 2022 IR 87"], PatientName=name)
    assert scan(paths[0].parent)[0].patient_name == name
