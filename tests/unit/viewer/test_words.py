"""Numbers and sentences as the reader sees them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from inference.findings import ModelProvenance, Segment
from inference.studies.model import Unit
from tests import factories
from viewer.details import details
from viewer.panels import words
from viewer.status import time_left


def segment(pieces: int, **changes: Any) -> Segment:
    """Pieces of ground glass of −611.7 HU, 36 voxels each, in lungs of 12,203 voxels."""
    volume = factories.make_volume(
        np.full((20, 40, 40), -611.7, np.float32), np.diag([7.239, 10.0, 5.0, 1.0]), **changes
    )
    codes = np.zeros(volume.shape, np.uint8)
    for piece in range(pieces):
        row, column = 6 * (piece // 5), 6 * (piece % 5)
        codes[3:7, row : row + 3, column : column + 3] = 1
    lungs = np.zeros(volume.shape, bool)
    lungs.flat[:12203] = True
    found = factories.make_findings(volume, codes, lungs=lungs if volume.is_ct else None)
    return found.segments[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.864, "0.86"), (0.0, "< 0.01"), (0.004, "< 0.01"), (0.9951, "> 0.99"), (1.0, "> 0.99"),
        (0.99, "0.99"), (None, "not computed"), (math.nan, "not computed"),
    ],
)  # fmt: skip
def test_a_probability_is_never_certainty(value: float | None, text: str) -> None:
    assert words.probability(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (182.4, "ml", "182 ml"), (9.04, "ml", "9.0 ml"), (0.02, "%", "< 0.1 %"),
        (0.0, "ml", "0.0 ml"), (-611.7, "HU", "−612 HU"), (-12.0, "HU", "−12.0 HU"),
        (None, "ml", "not computed"), (math.nan, "HU", "not computed"),
    ],
)  # fmt: skip
def test_a_quantity_has_its_unit_or_is_not_computed(
    value: float | None, unit: str, text: str
) -> None:
    assert words.quantity(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"), (0.042, "0.04 s"), (5.33, "5.33 s"), (2.2, "2.2 s"), (22, "22 s"),
        (81.4, "81 s"), (1290, "21.5 min"), (600, "10 min"), (14400, "4 h"),
    ],
)  # fmt: skip
def test_a_duration_is_told_in_the_unit_that_reads_best(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_a_segment_is_told_in_four_facts() -> None:
    assert words.segment_facts(segment(14)) == (
        "182 ml",
        "4.1 % of lung",
        "14 lesions",
        "mean −612 HU",
    )


def test_an_unmeasured_segment_says_so() -> None:
    unmeasured = segment(1, has_geometry=False, unit=Unit.GREY)
    assert words.segment_facts(unmeasured) == (
        "volume not computed",
        "share of lung not computed",
        "1 lesion",
        "mean HU not computed",
    )


def test_an_empty_segment_is_not_an_unmeasured_one() -> None:
    empty = segment(0)
    assert words.segment_facts(empty) == (
        "0.0 ml",
        "0.0 % of lung",
        "0 lesions",
        "mean HU none, nothing was found",
    )


def test_a_model_is_named_with_the_beginning_of_its_hash() -> None:
    model = ModelProvenance(
        "labeller", "manifestations", "ML-CNN", "0.3", "0123456789abcdef", "a set", "CC BY-NC"
    )
    assert words.model_line(model) == "labeller 0.3 · 01234567"
    for part in ("ML-CNN", "0123456789abcdef", "a set", "CC BY-NC"):
        assert part in words.model_tip(model)


@pytest.mark.parametrize(
    ("seconds", "done", "total", "text"),
    [
        (6.0, 20, 50, "about 9 s left"), (60.0, 2, 6, "about 2 min left"),
        (10.0, 10, 43, "about 35 s left"), (9.0, 0, 5, ""), (9.0, 5, 5, ""), (9.0, 0, 0, ""),
        (0.2, 5, 50, ""), (9.0, 1, 50, ""), (9.0, 99, 100, ""),
    ],
)  # fmt: skip
def test_time_left_is_said_when_the_rate_is_known(
    seconds: float, done: int, total: int, text: str
) -> None:
    assert time_left(seconds, done, total) == text


@pytest.mark.parametrize("name", ["Doe^Jane", "DOE^JANE", "doe^jane"])
def test_details_hold_no_private_word_whatever_its_case(name: str) -> None:
    text = details("error", f"The file of {name} is cut off.", ["Doe^Jane", "", "x"])
    assert name not in text
    assert "The file of ‹…› is cut off." in text
    assert "SecondRead" in text
    assert "Python" in text


def test_details_replace_the_longest_word_first() -> None:
    text = details("error", "/data/jane/scan.dcm is cut off.", ["jane", "/data/jane/scan.dcm"])
    assert "error: ‹…› is cut off." in text


def test_details_survive_letters_that_change_length_with_their_case() -> None:
    assert "Straße ‹…›" in details("error", "Straße Doe", ["Doe"])
