"""An analysed X-ray in the window's parts: one leading answer, and nothing that is of CT alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QCheckBox, QLabel

from inference.findings import Findings
from inference.studies.model import Series, SourceKind, Study, Unit, Volume
from inference.systems.base import Context
from inference.systems.elbana.system import ElBana
from tests import factories
from tests.gui.handling import words
from viewer.panels import FindingsPanel, LayersPanel, TimingPanel
from viewer.session import HeatmapChoice, ReadingSession
from viewer.viewport import SliceStrip


@pytest.fixture(scope="module")
def system() -> ElBana:
    """With the shipped weights."""
    return ElBana()


@pytest.fixture(scope="module")
def xray() -> Volume:
    """Clouds: an X-ray of nobody, but no noise, which would be refused."""
    noise = np.random.default_rng(3).uniform(0, 4096, (240, 200))
    array = cv2.GaussianBlur(noise, (0, 0), 6.0).astype(np.uint16)[np.newaxis]
    return factories.make_volume(
        array, np.eye(4), unit=Unit.GREY, modality="DX", has_geometry=False,
        has_orientation=False, series_uid="1.2.4",
    )  # fmt: skip


@pytest.fixture(scope="module")
def findings(system: ElBana, xray: Volume) -> Findings:
    """What the shipped engine makes of it."""
    return system.analyse(xray, Context(device="cpu"))


@pytest.fixture
def strip(session: ReadingSession, shown: Any) -> SliceStrip:
    """As in the window, there before anything is opened."""
    made = shown(SliceStrip(session))
    assert isinstance(made, SliceStrip)
    return made


@pytest.fixture
def reading(session: ReadingSession, xray: Volume) -> Iterator[ReadingSession]:
    """The X-ray on the screen."""
    _, rows, columns = xray.shape
    series = Series(
        xray.series_uid, SourceKind.DICOM, "DX", "Thorax pa", xray.slices, rows, columns
    )
    session.set_volume(Study("1.2", "Chest", "", "", "", (series,)), series, xray)
    yield session
    session.close_volume()


def test_the_first_answer_leads_and_the_second_is_conditional(
    reading: ReadingSession, findings: Findings, shown: Any
) -> None:
    panel = shown(FindingsPanel(reading))
    reading.set_findings(findings)
    answers = [
        label.objectName()
        for label in panel.findChildren(QLabel)
        if label.objectName().startswith("answer-")
    ]
    assert answers == ["answer-covid-2", "answer-cxr-4"]
    second = panel.findChild(QLabel, "answer-cxr-4").text()
    assert second.startswith("If the picture shows one of these four: ")
    assert "The answer above leads." in words(panel)


def test_heads_that_contradict_each_other_are_said_to(
    reading: ReadingSession, findings: Findings, shown: Any
) -> None:
    panel = shown(FindingsPanel(reading))
    two, four = findings.estimates
    parted = (
        replace(two, study=(0.2, 0.8), calibrated=None),
        replace(four, study=(0.62, 0.2, 0.1, 0.08), calibrated=None),
    )
    reading.set_findings(replace(findings, estimates=parted))
    line = panel.findChild(QLabel, "recognition-doubt")
    assert line is not None
    assert line.text().startswith("Disagreement: COVID-19 is called improbable (0.20), but comes")
    agreed = (parted[0], replace(four, study=(0.1, 0.7, 0.1, 0.1), calibrated=None))
    reading.set_findings(replace(findings, estimates=agreed))
    assert "Disagreement" not in words(panel)


def test_layers_strip_and_times_of_ct_alone_are_absent(
    strip: SliceStrip, reading: ReadingSession, findings: Findings, shown: Any
) -> None:
    layers = shown(LayersPanel(reading))
    timing = shown(TimingPanel(reading))
    reading.set_findings(findings)
    assert not layers.findChild(QCheckBox, "visible-ggo").isVisible()
    assert strip.isHidden()
    text = words(timing)
    assert "Recognise" in text
    assert "Label manifestations" not in text
    assert "Segment" not in text


def test_they_come_back_with_a_ct(
    strip: SliceStrip, opened: Any, reading: ReadingSession, findings: Findings, shown: Any
) -> None:
    layers = shown(LayersPanel(reading))
    reading.set_findings(findings)
    volume = opened.volume
    _, rows, columns = volume.shape
    series = Series(volume.series_uid, SourceKind.DICOM, "CT", "Thorax", (), rows, columns)
    reading.set_volume(Study("1.3", "Chest", "", "", "", (series,)), series, volume)
    assert layers.findChild(QCheckBox, "visible-ggo").isVisible()
    assert not strip.isHidden()


def test_heat_is_measured_beside_the_lungs_of_the_average_and_said_so(
    reading: ReadingSession, findings: Findings, system: ElBana, xray: Volume, shown: Any
) -> None:
    panel = shown(LayersPanel(reading))
    reading.set_findings(findings)
    keys = findings.estimates[1].keys
    maps = [system.explain(xray, 0, "cxr-4", key, Context(device="cpu")) for key in keys]
    heatmap = next(each for each in maps if not each.empty)
    assert heatmap.lungs is not None
    assert heatmap.lungs.average
    assert 0.1 < heatmap.lungs.even < 0.9, "a part of the picture"
    reading.choose_heatmap(HeatmapChoice("cxr-4", heatmap.explained.key))
    reading.set_heatmap(xray.series_uid, heatmap)
    assert "Heat where lungs lie on average: " in words(panel)
    outside = replace(heatmap, lungs=replace(heatmap.lungs, inside=0.2))
    reading.set_heatmap(xray.series_uid, outside)
    warning = panel.findChild(QLabel, "heatmap-warning").text()
    assert "outside the region in which lungs lie on average (80" in warning
    assert "The lungs of this picture are not known." in warning
