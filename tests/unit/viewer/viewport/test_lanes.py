"""Which lanes the strip has, and what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference.findings import Calibrated, Findings, Manifestation
from inference.studies.model import Unit
from inference.taxonomy import FindingClass
from tests import factories
from viewer.viewport.lanes import bars, lanes_of

SIGNS = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
COVID = np.array([0.0, 0.25, 0.5, 0.86], np.float32)
TWO = np.stack([COVID, 1 - COVID], axis=1)
SIGNS[0] = TWO[0] = np.nan


def findings(*tasks, marked=False) -> Findings:
    """Of four slices of 2 × 2, the first not analysed; of these tasks alone, with masks or not.

    In the slices 0, 2, 4 and 0 pixels are marked as ground glass, in the last one as effusion.
    """
    codes = np.zeros((4, 2, 2), np.uint8)
    codes[1, 0] = codes[2] = 1
    codes[3, 0, 0] = 3
    volume = factories.make_volume(np.zeros(codes.shape, np.int16))
    rows = {"covid-2": TWO, "manifestations": SIGNS}
    found = factories.make_findings(volume, codes, lungs=None, rows=rows)
    # As if the weights had no calibration: of two joined models there is always one.
    said = tuple(replace(each, calibrated=None) for each in found.estimates if each.task in tasks)
    return replace(found, estimates=said, segments=found.segments if marked else ())


def xray(slices=1) -> Findings:
    volume = factories.make_volume(
        np.zeros((slices, 2, 2), np.uint16), modality="DX", unit=Unit.GREY
    )
    return factories.make_findings(volume)


def test_bars_are_marked_areas_each_class_on_its_own_scale():
    lanes = lanes_of(findings("covid-2", "manifestations", marked=True), pixel_mm2=50.0)
    assert [lane.key for lane in lanes] == list(Manifestation)
    assert [lane.title for lane in lanes] == ["GGO", "Consolidation", "Effusion"]
    assert lanes[0].values[1:].tolist() == [0.5, 1.0, 0.0]
    assert lanes[1].values[1:].tolist() == [0.0, 0.0, 0.0]
    assert lanes[2].values[1:].tolist() == [0.0, 0.0, 1.0]
    assert lanes[0].readings[1].startswith("1.0 cm² marked, probability 0.27, not calibrated")
    assert lanes[0].readings[3].startswith("nothing marked, probability 0.82")


def test_the_probability_is_the_line():
    found = findings("covid-2", "manifestations", marked=True)
    lanes = lanes_of(found)
    for column, lane in enumerate(lanes):
        assert np.array_equal(lane.line, found.estimates[1].per_slice[:, column], equal_nan=True)
    without = lanes_of(findings("covid-2", marked=True))
    assert [lane.line for lane in without] == [None] * 3
    assert without[0].readings == ("not analysed", "2 pixels marked", "4 pixels marked",
                                   "nothing marked")  # fmt: skip


def test_a_small_finding_is_not_rounded_to_nothing():
    lane = lanes_of(findings(marked=True), pixel_mm2=0.5)[2]
    assert lane.readings[3] == "< 0.1 cm² marked"


def test_nothing_is_looked_up_by_words():
    found = findings("manifestations")
    (signs,) = found.estimates
    translated = tuple(FindingClass(c.key, f"«{c.label}»", f"«{c.short}»") for c in signs.classes)
    lanes = lanes_of(replace(found, estimates=(replace(signs, classes=translated),)))
    assert [lane.key for lane in lanes] == list(Manifestation)
    assert [lane.title for lane in lanes] == ["«GGO»", "«Consolidation»", "«Effusion»"]


def test_without_masks_probabilities_are_shown():
    several = xray(4)
    (four,) = [each for each in several.estimates if each.task == "cxr-4"]
    lanes = lanes_of(replace(several, estimates=(four,)))
    assert [lane.title for lane in lanes] == [each.short for each in four.classes]
    (lane,) = lanes_of(findings("covid-2"))
    assert (lane.title, lane.key) == ("COVID-19", None)


def test_a_single_picture_has_no_lanes():
    assert lanes_of(xray()) == ()


def test_not_analysed_is_not_zero():
    lane = lanes_of(findings("covid-2"))[0]
    assert np.isnan(lane.values[0])
    assert lane.readings[0] == "not analysed"
    assert lane.readings[3] == "0.86, not calibrated"
    marked = lanes_of(findings("manifestations", marked=True))[0]
    assert np.isnan(marked.values[0])
    assert marked.readings[0] == "not analysed"


def test_calibrated_values_are_shown_where_there_are_any():
    found = findings("covid-2")
    (two,) = found.estimates
    half = two.per_slice * np.float32(0.5)
    after = Calibrated((0.5, 0.5), (None, None), half, True, (0.5, 0.5), 40, 30)
    lane = lanes_of(replace(found, estimates=(replace(two, calibrated=after),)))[0]
    assert np.array_equal(lane.values, half[:, 0], equal_nan=True)
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
