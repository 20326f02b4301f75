"""The masks beside the probabilities: none, a trace or some, and whether the two disagree."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.findings import Estimate, Manifestation, Segment
from inference.second_estimate import Drawn, SecondEstimate, nothing_marked, second_estimates

GGO = Manifestation.GGO
NOTHING: dict[str, Any] = {"largest": None, "lesions": 0, "ml": 0.0, "share": 0.0}
LESION: dict[str, Any] = {"largest": 3, "lesions": 2, "ml": 34.2, "share": 3.14}


def _second(
    probability: float | None,
    *,
    largest: int | None = 1,
    lesions: int = 1,
    ml: float | None = None,
    share: float | None = None,
) -> SecondEstimate:
    segment = Segment(
        GGO, np.zeros((1, 1, 1), bool), "m", lesions, largest, ml, share, None, np.array([7, 5])
    )
    per_slice = np.zeros((2, 1), np.float32)
    estimate = None if probability is None else Estimate(
        "manifestations", "", (GGO.label,), (probability,), per_slice, False, "m", ""
    )  # fmt: skip
    findings: Any = SimpleNamespace(segments=(segment,), estimate=lambda _task: estimate)
    (only,) = second_estimates(findings)
    return only


def test_they_agree_quietly() -> None:
    both, neither = _second(0.9, **LESION), _second(0.1, **NOTHING)
    assert both == SecondEstimate(GGO, Drawn.PRESENT, False, "Masks show 34 ml, 3.1 % of lungs.")
    assert neither == SecondEstimate(GGO, Drawn.NONE, False, "Masks show none.")


def test_they_disagree_in_words() -> None:
    assert _second(0.5, **NOTHING).sentence == "Disagreement: masks show none."
    unexpected = _second(0.49, **LESION)
    assert unexpected.disagrees
    assert unexpected.sentence == "Disagreement: masks show 34 ml, 3.1 % of lungs."


@pytest.mark.parametrize(
    "little", [{"ml": 1.4, "share": 0.09}, {"lesions": 0, "ml": 0.02, "share": 0.4}]
)
def test_a_trace_is_neither_none_nor_a_finding(little: dict[str, Any]) -> None:
    assert _second(0.2, **little).drawn is Drawn.TRACE
    assert _second(0.2, **little).disagrees is False
    assert _second(0.8, **little).disagrees is True
    assert "only a trace (" in _second(0.8, **little).sentence


def test_what_is_not_computed_is_not_disagreed_with() -> None:
    assert _second(None, **LESION).disagrees is None
    assert _second(float("nan"), **LESION).disagrees is None
    assert _second(0.9).sentence == "Masks show 12 pixels.", "neither spacing nor lungs"


def test_without_masks_there_is_no_second_estimate() -> None:
    findings: Any = SimpleNamespace(segments=(), estimate=lambda _task: None)
    assert second_estimates(findings) == ()


def _doubt(covid: float | None, *kinds: dict[str, Any]) -> str:
    """Of ground glass and consolidation as given, and a large effusion."""
    segments = tuple(
        Segment(
            key, np.zeros((1, 1, 1), bool), "m", kind["lesions"], kind["largest"], kind["ml"],
            kind["share"], None, np.array([7, 5]),
        )
        for key, kind in zip(Manifestation, (*kinds, LESION), strict=False)
    )  # fmt: skip
    per_slice = np.zeros((2, 2), np.float32)
    estimate = None if covid is None else Estimate(
        "covid-2", "", ("COVID-19", "not COVID-19"), (covid, 1 - covid), per_slice, True, "m", ""
    )  # fmt: skip
    findings: Any = SimpleNamespace(segments=segments, estimate=lambda _task: estimate)
    return nothing_marked(findings)


def test_a_pneumonia_of_which_nothing_is_drawn_is_doubted() -> None:
    trace = {"largest": 3, "lesions": 2, "ml": 1.2, "share": 0.04}
    assert "show no ground glass or consolidation" in _doubt(0.72, NOTHING, NOTHING)
    assert "no more than a trace of ground glass" in _doubt(0.5, trace, NOTHING)


def test_it_is_not_doubted_where_there_is_no_disagreement_or_no_answer() -> None:
    assert not _doubt(0.49, NOTHING, NOTHING), "not called probable"
    assert not _doubt(0.9, NOTHING, LESION), "something is drawn"
    assert not _doubt(None, NOTHING, NOTHING)
    assert not _doubt(float("nan"), NOTHING, NOTHING)
    assert not _doubt(0.9), "no masks were computed"
