"""Numbers and sentences as the reader sees them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Manifestation, ModelProvenance, Segment
from viewer.details import details
from viewer.panels import words
from viewer.status import time_left

SEGMENT = Segment(
    Manifestation.GGO, np.zeros((1, 1, 1), bool), "m", 14, 3, 182.4, 4.13, -611.7, np.zeros(1, int)
)


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
    assert words.segment_facts(SEGMENT) == (
        "182 ml",
        "4.1 % of lung",
        "14 lesions",
        "mean −612 HU",
    )


def test_an_unmeasured_segment_says_so() -> None:
    unmeasured = replace(SEGMENT, volume_ml=None, percent_of_lung=None, mean_hu=None, lesions=1)
    assert words.segment_facts(unmeasured) == (
        "volume not computed",
        "share of lung not computed",
        "1 lesion",
        "mean HU not computed",
    )


def test_an_empty_segment_is_not_an_unmeasured_one() -> None:
    empty = replace(
        SEGMENT, largest_slice=None, lesions=0, volume_ml=0.0, percent_of_lung=0.0, mean_hu=None
    )
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
