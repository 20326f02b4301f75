"""Sentences without what tells whose images they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.studies.model import Series, SliceSource, SourceKind, Study
from viewer.details import details
from viewer.identity import private_words, without


@pytest.fixture
def study() -> Study:
    series = Series(
        "1.2.3", SourceKind.DICOM, "CT", "Mrs Doe, thorax", (SliceSource(Path("a.dcm")),), 64, 64
    )
    return Study(
        "1.2", "Follow-up Doe", "20200312", "Doe^Jane Mary=ドウ^ジェーン", "ID-77", (series,)
    )


@pytest.mark.parametrize(
    "told",
    [
        "Doe", "doe, jane", "Jane DOE", "Mary", "ドウ", "ID-77", "id-77", "20200312", "2020-03-12",
        "Follow-up Doe", "Mrs Doe, thorax", "1.2.3",
    ],
)  # fmt: skip
def test_every_writing_is_taken_out(study: Study, told: str) -> None:
    text = without(f"About {told}: two slices are missing.", private_words([study]))
    assert told.casefold() not in text.casefold()
    assert "two slices are missing" in text


def test_what_is_quoted_is_taken_out(study: Study) -> None:
    sentence = "The header of “/data/xyz/a b.dcm” is damaged; copy “it” again."
    assert without(sentence, ()) == "The header of “‹…›” is damaged; copy “‹…›” again."


def test_copied_details_name_no_file() -> None:
    text = details("error", "“Jane Doe.dcm” is cut off.", ())
    assert "Jane" not in text
    assert "is cut off" in text


def test_a_study_without_a_name_takes_nothing_out() -> None:
    empty = Study("", "", "", "", "", ())
    assert without("A sentence of 2020 letters.", private_words([empty])) == (
        "A sentence of 2020 letters."
    )
