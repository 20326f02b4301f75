"""A number becomes an answer beside the operating point and its interval."""

from __future__ import annotations

import pytest

from inference.answer import Reading, answer_sentence, answers, read
from inference.taxonomy import TASKS
from tests.unit.estimates import estimate_of

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "band", "reading"),
    [
        (0.53, (0.34, 0.68), Reading.UNDECIDED),
        (0.47, (0.34, 0.68), Reading.UNDECIDED),
        (0.53, (0.5, 0.68), Reading.PROBABLE),
        (0.53, None, Reading.PROBABLE),
        (0.5, None, Reading.PROBABLE),
        (0.49, None, Reading.IMPROBABLE),
        (0.2, (0.1, 0.5), Reading.UNDECIDED),
        (0.2, (0.1, 0.49), Reading.IMPROBABLE),
        (0.96, (0.55, 0.9), Reading.PROBABLE),
        (0.55, (0.1, 0.4), Reading.IMPROBABLE),
        (NAN, None, Reading.NOT_COMPUTED),
    ],
)
def test_an_interval_that_holds_the_point_is_undecided(
    value: float, band: tuple[float, float] | None, reading: Reading
) -> None:
    assert read(value, band) is reading


def test_of_two_classes_the_first_is_spoken_of() -> None:
    said = estimate_of("covid-2", (0.53, 0.47), ((0.34, 0.68), (0.32, 0.66)))
    assert answer_sentence(said) == "COVID-19 is undecided (0.53; 0.34 to 0.68)."
    assert [each.reading for each in answers(said)] == [Reading.UNDECIDED] * 2
    assert answer_sentence(estimate_of("covid-2", (0.2, 0.8))) == "COVID-19 is improbable (0.20)."
    assert answer_sentence(estimate_of("covid-2", (0.9991, 0.0009))) == (
        "COVID-19 is probable (> 0.99)."
    )


def test_of_four_classes_the_leading_one_is_named() -> None:
    assert answer_sentence(estimate_of("cxr-4", (0.1, 0.1, 0.62, 0.18))) == (
        "If the picture shows one of these four: viral pneumonia is the most probable (0.62)."
    )
    assert answer_sentence(estimate_of("cxr-4", (0.1, 0.4, 0.32, 0.18))) == (
        "If the picture shows one of these four: it is undecided; normal comes first (0.40)."
    )


def test_classes_that_stand_alone_are_all_read() -> None:
    assert answer_sentence(estimate_of("manifestations", (0.97, 0.08, 0.2))) == (
        "Probable: ground-glass opacity. Improbable: consolidation, pleural effusion."
    )
    assert len(TASKS["manifestations"].classes) == 3
