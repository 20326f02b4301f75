"""Everything that shows or writes results, on what the shipped engine really said."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from rich.console import Console

from inference.commands.summary import show
from inference.errors import ExportRefusedError
from inference.export.labels import write_nifti
from inference.export.lesion_table import write_csv
from inference.export.picture import render
from inference.export.report import validate, write_json
from inference.export.seg import write_seg
from inference.findings import Manifestation
from inference.lesions import find_lesions
from tests.gui.handling import words
from tests.record import KINDS, Recorded, recorded
from viewer.panels import FindingsPanel, LayersPanel, TimingPanel
from viewer.session import ReadingSession
from viewer.viewport import SliceStrip, SliceView


@pytest.fixture(params=KINDS)
def real(request: pytest.FixtureRequest) -> Recorded:
    return recorded(request.param)


@pytest.fixture
def reading(real: Recorded, session: ReadingSession) -> ReadingSession:
    """The study on the screen, with its findings."""
    session.set_volume(real.study, real.series, real.volume)
    session.set_findings(real.findings)
    return session


def point(widget: QWidget, x: float, y: float) -> None:
    """Move the mouse there, over the widget, without a button."""
    at, none = QPointF(x, y), Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, widget.mapToGlobal(at), none, none,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_panels_say_all_of_it(reading: ReadingSession, real: Recorded, shown: Any) -> None:
    said = words(shown(FindingsPanel(reading), height=2000))
    for estimate in real.findings.estimates:
        for each in estimate.classes:
            assert each.label in said
    for segment in real.findings.segments:
        assert segment.key.label in said
    layers = shown(LayersPanel(reading))
    assert ("Grad-CAM" in words(layers)) is False, "no heatmap is asked for"
    assert words(shown(TimingPanel(reading)))


def test_the_mouse_passes_over_every_slice(
    reading: ReadingSession, real: Recorded, qtbot: Any
) -> None:
    """Every paint of an analysed study once failed as soon as the mouse was over it."""
    view = SliceView(reading)
    qtbot.addWidget(view)
    view.resize(300, 300)
    with qtbot.waitExposed(view, timeout=20_000):
        view.show()
    probed = []
    for index in range(real.volume.shape[0]):
        reading.set_position(index)
        for x in (30.0, 150.0, 270.0):
            point(view, x, 150.0)
            view.grab()
            probed.append("\n".join(line.text for line in view.annotations().bottom_right))
    analysed = real.findings.analysed
    signs = real.findings.estimate("manifestations")
    if signs is None:
        assert not any("slice:" in text for text in probed)
        return
    for index, text in enumerate(probed[1::3]):
        value = signs.shown_per_slice[index, 0]
        expected = f"GGO {value:.2f}" if analysed[index] else "slice not analysed"
        assert expected in text


def test_the_strip_has_a_lane_for_what_was_looked_for(
    reading: ReadingSession, real: Recorded, shown: Any
) -> None:
    strip = shown(SliceStrip(reading), width=500, height=120)
    strip.grab()
    for index in range(real.volume.shape[0]):
        said = strip.describe(index)
        if real.findings.segments and not real.findings.analysed[index]:
            assert "not analysed" in said
        assert ("GGO" in said) is bool(real.findings.segments)


def test_the_json_keeps_to_its_schema(real: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "findings.json"
    write_json(real.findings, real.study, real.series, real.volume, path)
    report = json.loads(path.read_text("utf-8"))
    validate(report)
    assert [m["name"] for m in report["models"]] == [m.name for m in real.findings.models]
    assert [s["analysed"] for s in report["slices"]] == real.findings.analysed.tolist()


def test_the_terminal_names_every_class(real: Recorded) -> None:
    console = Console(width=200)
    with console.capture() as captured:
        show(console, real.findings, real.volume)
    for estimate in real.findings.estimates:
        for each in estimate.classes:
            assert each.label in captured.get()


def test_a_picture_shows_the_masks(real: Recorded) -> None:
    marked = [s.largest_slice for s in real.findings.segments if s.largest_slice is not None]
    assert bool(marked) is (real.series.modality == "CT")
    for index in marked:
        plain, drawn = (render(real.volume, f, index) for f in (None, real.findings))
        assert (plain != drawn).any()


def test_masks_come_back_out_of_every_format(real: Recorded, tmp_path: Path) -> None:
    findings, volume = real.findings, real.volume
    nifti, seg, table = (tmp_path / name for name in ("m.nii.gz", "m.dcm", "m.csv"))
    if not findings.segments:
        for write in (write_nifti, write_seg, write_csv):
            with pytest.raises(ExportRefusedError):
                write(findings, volume, nifti)
        return
    write_nifti(findings, volume, nifti)
    labels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(nifti)))
    write_seg(findings, volume, seg)
    ds = pydicom.dcmread(seg)
    frames = ds.pixel_array
    for number, segment in enumerate(findings.segments, start=1):
        assert np.count_nonzero(labels == number) == np.count_nonzero(segment.mask)
        own = [
            k
            for k, group in enumerate(ds.PerFrameFunctionalGroupsSequence)
            if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number
        ]
        assert np.count_nonzero(frames[own]) == np.count_nonzero(segment.mask)
    write_csv(findings, volume, table)
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = find_lesions(findings, volume)
    assert found is not None
    assert len(rows) == len(found.lesions) == sum(s.lesions for s in findings.segments) > 0


def test_the_record_holds_what_the_engine_gives() -> None:
    """Calibrated and joined, rows of slices that were not analysed, lungs, the domain."""
    ct, xray = recorded("ct").findings, recorded("xray").findings
    covid = ct.estimate("covid-2")
    assert covid is not None
    assert covid.calibrated is not None
    assert len(covid.parts) == 2
    assert any(covid.bands)
    assert 0 < np.isnan(covid.per_slice[:, 0]).sum() < len(covid.per_slice)
    assert [s.key for s in ct.segments] == list(Manifestation)
    assert ct.lungs is not None
    assert ct.lung_ml
    assert ct.domain is not None
    assert [e.task for e in xray.estimates] == ["covid-2", "cxr-4"]
    assert xray.segments == ()
    assert xray.domain is not None
    assert xray.domain.method in {model.name for model in xray.models}
