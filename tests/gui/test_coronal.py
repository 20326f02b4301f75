"""Coronal slices in the window: the lungs, the reason, and nothing that was not computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from inference.findings import Findings
from inference.studies.model import Series, SourceKind, Study, Volume
from inference.systems.base import Context
from inference.systems.elbana.system import ElBana
from tests import factories, phantoms
from tests.gui.handling import words
from viewer.explained import explained_classes
from viewer.panels import FindingsPanel, LayersPanel, TimingPanel
from viewer.session import ReadingSession
from viewer.viewport import SliceStrip


@pytest.fixture(scope="module")
def coronal() -> Volume:
    array = np.ascontiguousarray(phantoms.trunk(40).transpose(1, 0, 2))
    affine = np.array([[3.0, 0, 0, 0], [0, 0, 3.0, 0], [0, 5.0, 0, 0], [0, 0, 0, 1.0]])
    return factories.make_volume(array, affine, series_uid="1.2.6")


@pytest.fixture(scope="module")
def findings(coronal: Volume) -> Findings:
    return ElBana().analyse(coronal, Context(device="cpu"))


@pytest.fixture
def reading(session: ReadingSession, coronal: Volume) -> Iterator[ReadingSession]:
    _, rows, columns = coronal.shape
    series = Series("1.2.6", SourceKind.DICOM, "CT", "Coronal", coronal.slices, rows, columns)
    session.set_volume(Study("1.2", "Chest", "", "", "", (series,)), series, coronal)
    yield session
    session.close_volume()


def test_the_panels_say_what_was_computed_and_why_not_more(
    reading: ReadingSession, findings: Findings, shown: Any
) -> None:
    panel = shown(FindingsPanel(reading))
    for made in (LayersPanel, TimingPanel, SliceStrip):
        shown(made(reading))
    reading.set_findings(findings)
    said = words(panel)
    assert "These are coronal slices, and the models know axial slices only." in said
    assert f"Lung volume: {findings.lung_ml:,.0f}".replace(",", "") in said.replace(",", "")
    assert "Recognition: not computed" in said
    assert "Slices analysed: 0 of 128" in said
    assert explained_classes(findings) == ()
