"""Which series is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.errors import BadInputError
from inference.studies import (
    Code,
    Problem,
    Series,
    SliceSource,
    SourceKind,
    Study,
    main_series,
    require_single,
    select,
)


def series(uid, count=50, modality="CT", number=None, localizer=False, kind=SourceKind.DICOM):
    problems = (Problem(Code.LOCALIZER, "A scout."),) if localizer else ()
    sources = tuple(SliceSource(Path("x"), i) for i in range(count))
    return Series(uid, kind, modality, "Doe", sources, 64, 64, number, problems=problems)


def study(*members, patient="P", uid="1"):
    return Study(uid, "", "", f"Doe {patient}", patient, members)


def test_the_largest_ct_is_opened_first():
    studies = (study(series("1.1", 90, "OT"), series("1.2", 20), series("1.3", 50)),)
    assert main_series(studies)[1].uid == "1.3"


def test_a_scout_is_opened_only_when_there_is_nothing_else():
    scout = series("1.1", 3, localizer=True)
    assert main_series((study(scout, series("1.2", 1, "DX")),))[1].uid == "1.2"
    assert main_series((study(scout),))[1].uid == "1.1"
    assert require_single((study(scout),))[1].uid == "1.1"


def test_nothing_is_refused():
    with pytest.raises(BadInputError, match="no series"):
        main_series(())


def test_scouts_and_small_series_are_no_rivals():
    studies = (study(series("1.1", 50), series("1.2", 60, localizer=True), series("1.3", 1, "OT")),)
    assert select(studies)[1].uid == "1.1"


def test_several_series_are_refused_with_what_to_type():
    studies = (study(series("1.1", 50, number=3), series("1.2", 48, number=4)),)
    with pytest.raises(BadInputError) as caught:
        select(studies)
    assert "mixes 2 series" in str(caught.value)
    assert "3 (CT, 50 slices of 64 × 64), 4 (CT, 48 slices" in str(caught.value)
    assert "Doe" not in str(caught.value)


def test_several_patients_are_refused_even_with_one_small_series():
    studies = (study(series("1.1", 50)), study(series("2.1", 1), patient="Q", uid="2"))
    with pytest.raises(BadInputError, match="holds 2 patients"):
        require_single(studies)


def test_two_studies_of_one_patient_are_two_series_at_most():
    studies = (study(series("1.1", 50)), study(series("2.1", 2), uid="2"))
    assert require_single(studies)[1].uid == "1.1"


def test_a_preview_picture_is_no_second_patient():
    picture = series("2.25.1", 1, "OT", kind=SourceKind.PICTURE)
    studies = (study(series("1.1", 50)), study(picture, patient="", uid="2"))
    assert require_single(studies)[1].uid == "1.1"


def test_many_pictures_are_counted_not_all_listed():
    pictures = [series(f"2.25.{i}", 1, "OT", i, kind=SourceKind.PICTURE) for i in range(1, 13)]
    with pytest.raises(BadInputError, match=r"12 series.* and 4 more"):
        require_single((study(*pictures, patient=""),))


@pytest.mark.parametrize("name", ["1.2.33", "1.2.3", "7", "1.2.33#2"])
def test_a_series_is_named_by_number_uid_or_its_beginning(name):
    parts = (series("1.2.33", number=7), series("1.2.33#2"), series("1.4"))
    expected = {"1.2.33#2": "1.2.33#2"}.get(name, "1.2.33")
    if name == "1.2.3":
        parts = (parts[0], parts[2])
    assert select((study(*parts),), name)[1].uid == expected


def test_a_name_that_fits_none_or_several_is_refused():
    studies = (study(series("1.2", number=1), series("1.3", number=1)),)
    with pytest.raises(BadInputError, match="no series “9”"):
        select(studies, "9")
    with pytest.raises(BadInputError, match=r"“1” fits 2 series; .*1\.2 \(CT.*1\.3 \(CT"):
        select(studies, "1")
    with pytest.raises(BadInputError, match="no series “”"):
        select(studies, "")
