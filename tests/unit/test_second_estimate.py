"""The masks beside the probabilities: none, a trace or some, and whether the two disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from inference.findings import Findings, Manifestation
from inference.second_estimate import Drawn, SecondEstimate, recognition_doubt, second_estimates
from inference.studies.model import Unit, Volume
from tests import factories
from tests.unit.estimates import estimate_of

GGO = Manifestation.GGO
VOXEL_ML = 0.1
SHAPE = (20, 60, 60)
NOTHING, LESION, TRACE = 0, 342, 40
"""Voxels in one piece; of the lungs as of `_chest`, `TRACE` is less than 0.1 %."""


def _volume(**changes: Any) -> Volume:
    return factories.make_volume(
        np.full(SHAPE, -700, np.int16), np.diag([5.0, 5.0, 4.0, 1.0]), **changes
    )


def _findings(
    voxels: Sequence[int], says: dict[str, tuple[float, ...]], lungs: int | None = 50_000,
    **changes: Any,
) -> Findings:  # fmt: skip
    """Of a piece of each manifestation so large, and lungs so large."""
    codes = np.zeros(SHAPE, np.uint8)
    for code, count in enumerate(voxels, start=1):
        codes[5 * code].flat[:count] = code
    mask = None if lungs is None else np.zeros(SHAPE, bool)
    if mask is not None:
        mask.flat[:lungs] = True
    return factories.make_findings(_volume(**changes), codes, lungs=mask, says=says)


def _second(
    probability: float, voxels: int, lungs: int | None = 50_000, **changes: Any
) -> SecondEstimate:
    says = {"manifestations": (probability, 0.5, 0.5)}
    return second_estimates(_findings((voxels,), says, lungs, **changes))[0]


def test_they_agree_quietly() -> None:
    both, neither = _second(0.9, LESION, 10_891), _second(0.1, NOTHING)
    assert both == SecondEstimate(GGO, Drawn.PRESENT, False, "Masks show 34 ml, 3.1 % of lungs.")
    assert neither == SecondEstimate(GGO, Drawn.NONE, False, "Masks show none.")


def test_they_disagree_in_words() -> None:
    assert _second(0.501, NOTHING).sentence == "Disagreement: masks show none."
    unexpected = _second(0.49, LESION, 10_891)
    assert unexpected.disagrees
    assert unexpected.sentence == "Disagreement: masks show 34 ml, 3.1 % of lungs."


@pytest.mark.parametrize(("voxels", "lungs"), [(TRACE, 50_000), (2, 500)])
def test_a_trace_is_neither_none_nor_a_finding(voxels: int, lungs: int) -> None:
    """A small share of the lungs, or no piece that is large enough to be a lesion."""
    assert _second(0.2, voxels, lungs).drawn is Drawn.TRACE
    assert _second(0.2, voxels, lungs).disagrees is False
    assert _second(0.8, voxels, lungs).disagrees is True
    assert "only a trace (" in _second(0.8, voxels, lungs).sentence


def test_what_is_not_computed_is_not_disagreed_with() -> None:
    findings = _findings((LESION,), {})
    recognised = replace(findings, estimates=findings.estimates[:1])
    assert [each.disagrees for each in second_estimates(recognised)] == [None] * 3
    bare = _second(0.9, 36, None, has_geometry=False, unit=Unit.GREY)
    assert bare.sentence == "Masks show 36 pixels.", "neither spacing nor lungs"


def test_without_masks_there_is_no_second_estimate() -> None:
    assert second_estimates(replace(_findings((LESION,), {}), segments=())) == ()


def _doubt(covid: float, *voxels: int) -> str:
    """Of ground glass and consolidation as given, and a large effusion."""
    says = {"covid-2": (covid, 1 - covid)}
    return recognition_doubt(_findings((*voxels, LESION), says))


def test_a_pneumonia_of_which_nothing_is_drawn_is_doubted() -> None:
    assert "show no ground glass or consolidation" in _doubt(0.9, NOTHING, NOTHING)
    assert "no more than a trace of ground glass" in _doubt(0.9, TRACE, NOTHING)


def test_it_is_not_doubted_where_there_is_no_disagreement_or_no_answer() -> None:
    assert not _doubt(0.49, NOTHING, NOTHING), "not called probable"
    assert not _doubt(0.6, NOTHING, NOTHING), "its band holds one half: undecided"
    assert not _doubt(0.9, NOTHING, LESION), "something is drawn"
    findings = _findings((), {"covid-2": (0.9, 0.1)})
    assert recognition_doubt(findings)
    assert not recognition_doubt(replace(findings, estimates=())), "it was not computed"
    assert not recognition_doubt(replace(findings, segments=())), "no masks were computed"


def _heads(two: float, four: tuple[float, ...], band: tuple[float, float] | None = None) -> str:
    said = {
        "covid-2": estimate_of("covid-2", (two, 1 - two), band and (band, band)),
        "cxr-4": estimate_of("cxr-4", four),
    }
    findings: Any = SimpleNamespace(segments=(), estimate=said.get)
    return recognition_doubt(findings)


def test_two_heads_that_contradict_each_other_are_said_to() -> None:
    assert _heads(0.2, (0.62, 0.2, 0.1, 0.08)) == (
        "Disagreement: COVID-19 is called improbable (0.20), but comes first among the four kinds "
        "(0.62). One of the two is wrong; look at the picture."
    )
    assert "called probable (0.90), but normal comes first" in _heads(0.9, (0.2, 0.7, 0.05, 0.05))


def test_heads_that_agree_or_say_nothing_are_not_doubted() -> None:
    assert not _heads(0.9, (0.62, 0.2, 0.1, 0.08))
    assert not _heads(0.2, (0.1, 0.8, 0.05, 0.05))
    assert not _heads(0.53, (0.1, 0.8, 0.05, 0.05), (0.34, 0.68)), "undecided contradicts nothing"
    assert not _heads(0.9, (0.3, 0.4, 0.2, 0.1)), "undecided among the four"
