"""Which lanes the strip has, and what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from inference.findings import Calibrated, Estimate, Findings, Manifestation, Segment, Timings
from viewer.viewport.lanes import bars, lanes_of


def findings(estimates=(), segments=(), slices=4):
    return Findings(
        "elbana", "1.2", (slices, 2, 2), np.eye(4), estimates, segments, None, None,
        np.array([False] + [True] * (slices - 1)), Timings(*[0.0] * 7), (), "cpu", "",
    )  # fmt: skip


def estimate(task, classes, *, exclusive):
    per_slice = np.linspace(0, 1, 4 * len(classes), dtype=np.float32).reshape(4, -1)
    per_slice[0] = np.nan
    study = (0.5,) * len(classes)
    return Estimate(task, task, classes, study, per_slice, exclusive, "m", "max")


TWO = estimate("covid-2", ("COVID-19", "not COVID-19"), exclusive=True)
FOUR = estimate("cxr-4", ("COVID-19", "normal", "viral", "bacterial"), exclusive=True)


@pytest.mark.parametrize(
    "names",
    [("ggo", "consolidation", "effusion"), tuple(key.label for key in Manifestation),
     tuple(key.short for key in Manifestation)],
)  # fmt: skip
def test_manifestations_come_before_recognition_in_their_own_colours(names):
    lanes = lanes_of(findings((TWO, estimate("manifestations", names, exclusive=False))))
    assert [lane.key for lane in lanes] == list(Manifestation)
    assert [lane.title for lane in lanes] == ["GGO", "Consolidation", "Effusion"]


def test_recognition_is_shown_without_manifestations():
    assert [lane.title for lane in lanes_of(findings((FOUR,)))] == list(FOUR.classes)
    (lane,) = lanes_of(findings((TWO,)))
    assert (lane.title, lane.key) == ("COVID-19", None)


def test_areas_are_shown_without_probabilities():
    mask = np.zeros((4, 2, 2), bool)
    pixels = np.array([0, 2, 4, 0])
    segment = Segment(Manifestation.EFFUSION, mask, "m", 1, 2, None, None, None, pixels)
    (lane,) = lanes_of(findings((), (segment,)))
    assert lane.key is Manifestation.EFFUSION
    assert lane.values[1:].tolist() == [0.5, 1.0, 0.0]
    assert lane.readings == ("not analysed", "2 pixels", "4 pixels", "0 pixels")


def test_not_analysed_is_not_zero():
    lane = lanes_of(findings((TWO,)))[0]
    assert np.isnan(lane.values[0])
    assert lane.readings[0] == "not analysed"
    assert lane.readings[3] == "0.86, not calibrated"


def test_calibrated_values_are_shown_where_there_are_any():
    after = Calibrated(
        (0.5, 0.5), (None, None), TWO.per_slice * np.float32(0.5), True, (0.5, 0.5), 40, 30
    )
    lane = lanes_of(findings((replace(TWO, calibrated=after),)))[0]
    assert np.array_equal(lane.values, TWO.per_slice[:, 0] * np.float32(0.5), equal_nan=True)
    assert lane.readings[3] == "0.43"


def test_nothing_found_has_no_lanes():
    assert lanes_of(None) == ()
    assert lanes_of(findings()) == ()


def test_every_slice_gets_its_columns():
    values = np.array([0.1, np.nan, 0.3], np.float32)
    spread = bars(values, 6)
    assert np.array_equal(spread, values.repeat(2), equal_nan=True)


def test_a_column_of_several_slices_shows_the_highest():
    values = np.array([0.1, 0.9, np.nan, 0.2, np.nan, np.nan], np.float32)
    assert np.array_equal(bars(values, 3), np.float32([0.9, 0.2, np.nan]), equal_nan=True)
