"""A mask that is not shown says so on the image, and a new analysis shows them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication

from inference.findings import Findings, Manifestation
from inference.partial import Partial
from viewer.session import AnalysisState, ReadingSession
from viewer.viewport import SliceView
from viewer.window import MainWindow


@pytest.fixture
def view(qtbot: Any, opened: Any, make_findings: Callable[..., Findings]) -> SliceView:
    opened.session.set_findings(make_findings(opened.volume))
    opened.session.set_position(4)
    widget = SliceView(opened.session)
    qtbot.addWidget(widget)
    widget.resize(400, 400)
    return widget


def _hide(session: ReadingSession, *keys: Manifestation) -> None:
    for key in keys:
        session.update_layer(replace(session.layer(key), visible=False))


def _said(view: SliceView) -> list[str]:
    return [line.text for line in view.annotations().bottom_right if "hidden" in line.text]


def test_what_is_hidden_is_named_on_the_image(view: SliceView, opened: Any) -> None:
    assert _said(view) == []
    _hide(opened.session, Manifestation.GGO)
    assert _said(view) == ["GGO hidden"]
    # On a slice without any of it, too: the next one may have some.
    opened.session.set_position(11)
    assert _said(view) == ["GGO hidden"]
    _hide(opened.session, Manifestation.CONSOLIDATION)
    assert _said(view) == [f"GGO, {Manifestation.CONSOLIDATION.short} hidden"]


def test_it_is_drawn_and_in_the_exported_picture(view: SliceView, opened: Any) -> None:
    opened.session.set_position(11)
    before = view.picture()
    _hide(opened.session, Manifestation.GGO)
    # Nothing of GGO is on this slice: what differs is the text.
    assert view.picture() != before


def test_a_mask_of_nothing_hides_nothing(view: SliceView, opened: Any) -> None:
    assert not opened.session.findings.segment(Manifestation.EFFUSION).pixels_per_slice.any()
    _hide(opened.session, Manifestation.EFFUSION)
    assert _said(view) == []


def test_all_overlays_off_is_said_once(view: SliceView, opened: Any) -> None:
    _hide(opened.session, Manifestation.GGO)
    opened.session.toggle_overlays()
    assert _said(view) == ["overlays hidden"]


def test_without_findings_nothing_is_hidden(qtbot: Any, opened: Any) -> None:
    view = SliceView(opened.session)
    qtbot.addWidget(view)
    _hide(opened.session, *Manifestation)
    opened.session.toggle_overlays()
    assert _said(view) == []


def test_early_results_are_hidden_aloud_too(
    view: SliceView, opened: Any, make_partial: Callable[..., Partial]
) -> None:
    opened.session.set_analysis(AnalysisState.RUNNING)
    opened.session.add_partial(make_partial(opened.volume, 4))
    _hide(opened.session, Manifestation.GGO)
    assert _said(view) == ["GGO hidden"]


def test_a_new_analysis_shows_all_layers(
    qtbot: Any, reading: MainWindow, fake_system: Any, make_findings: Callable[..., Findings]
) -> None:
    session = reading.session
    session.set_findings(make_findings(session.volume))
    QApplication.processEvents()
    box = reading.layers_panel.findChild(QAbstractButton, "visible-ggo")
    box.click()
    session.toggle_overlays()
    opacity = session.layer(Manifestation.GGO).opacity
    assert not session.layer(Manifestation.GGO).visible
    fake_system.go.clear()
    reading.actions_["analyse"].trigger()
    assert all(layer.visible for layer in session.layers)
    assert session.overlays_on
    assert box.isChecked()
    assert session.layer(Manifestation.GGO).opacity == opacity
    # What is hidden while it runs stays hidden.
    qtbot.waitUntil(lambda: session.analysis is AnalysisState.RUNNING, timeout=20_000)
    box.click()
    fake_system.go.set()
    qtbot.waitUntil(lambda: session.findings is not None, timeout=20_000)
    assert not session.layer(Manifestation.GGO).visible
    session.set_position(4)
    assert _said(reading.view) == ["GGO hidden"]
