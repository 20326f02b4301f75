"""The layers panel: every control reaches the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QSlider

from inference.findings import (
    Energy,
    Findings,
    Manifestation,
)
from tests.gui.handling import words
from viewer.panels import LayersPanel
from viewer.session import HeatmapChoice, LayerStyle


class TestLayers:
    """The layers panel."""

    def test_each_control_changes_its_layer(
        self, qtbot: Any, opened: SimpleNamespace, shown: Any
    ) -> None:
        panel = shown(LayersPanel(opened.session))
        panel.findChild(QCheckBox, "visible-ggo").click()
        panel.findChild(QSlider, "opacity-consolidation").setValue(80)
        box = panel.findChild(QComboBox, "style-effusion")
        box.setCurrentIndex(box.findText("Outline"))
        layers = {layer.key: layer for layer in opened.session.layers}
        assert layers[Manifestation.GGO].visible is False
        assert layers[Manifestation.CONSOLIDATION].opacity == 0.8
        assert layers[Manifestation.EFFUSION].style is LayerStyle.OUTLINE
        assert layers[Manifestation.CONSOLIDATION].visible is True

    def test_controls_follow_the_session(self, opened: SimpleNamespace, shown: Any) -> None:
        panel = shown(LayersPanel(opened.session))
        layer = opened.session.layer(Manifestation.GGO)
        opened.session.update_layer(
            replace(layer, visible=False, opacity=0.3, style=LayerStyle.OUTLINE)
        )
        assert not panel.findChild(QCheckBox, "visible-ggo").isChecked()
        assert panel.findChild(QSlider, "opacity-ggo").value() == 30
        assert panel.findChild(QComboBox, "style-ggo").currentText() == "Outline"

    def test_heatmaps_are_offered_for_the_classes_that_can_be_explained(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(LayersPanel(opened.session))
        box = panel.findChild(QComboBox, "heatmap-class")
        assert not box.isEnabled()
        opened.session.set_findings(make_findings(opened.volume))
        assert [box.itemText(i) for i in range(box.count())] == [
            "None",
            "COVID-19 recognition: COVID-19",
            "COVID-19 recognition: not COVID-19",
        ]
        box.setCurrentIndex(2)
        assert opened.session.heatmap_choice == HeatmapChoice("covid-2", "not-covid-19")
        panel.findChild(QSlider, "heatmap-threshold").setValue(60)
        assert opened.session.heatmap_threshold == 0.6
        panel.findChild(QSlider, "heatmap-opacity").setValue(25)
        assert opened.session.heatmap_opacity == 0.25
        box.setCurrentIndex(0)
        assert opened.session.heatmap_choice is None

    def test_the_legend_says_that_it_is_no_segmentation(
        self,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
        fake_system: Any,
    ) -> None:
        panel = shown(LayersPanel(opened.session))
        session = opened.session
        session.set_findings(make_findings(opened.volume))
        session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
        legend = panel.findChild(QLabel, "heatmap-legend")
        assert "not a segmentation" not in legend.text()
        heatmap = fake_system.explain(opened.volume, session.position, "covid-2", "covid-19", None)
        session.set_heatmap("1.2.3", heatmap)
        assert "Grad-CAM, Mixed_7c" in legend.text()
        assert "not a segmentation" in legend.text()
        assert "Heatmap (not a segmentation)" in words(panel)

    @pytest.fixture
    def explained(
        self,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
        fake_system: Any,
    ) -> Callable[..., str]:
        """Show a heatmap of the slice on the screen; give what the panel then says."""
        panel = shown(LayersPanel(opened.session))
        session = opened.session
        session.set_findings(make_findings(opened.volume))
        session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))

        def explain(lungs: Energy | None, **changes: Any) -> str:
            made = fake_system.explain(opened.volume, session.position, "covid-2", "covid-19", None)
            session.set_heatmap("1.2.3", replace(made, lungs=lungs, **changes))
            return words(panel)

        explain.panel = panel  # type: ignore[attr-defined]
        return explain

    def test_a_map_of_one_of_several_models_says_so(
        self, explained: Any, opened: SimpleNamespace, make_findings: Callable[..., Findings]
    ) -> None:
        assert "It explains recognition-ct alone" in explained(None)
        assert "joined with evidence" in words(explained.panel)
        findings = make_findings(opened.volume)
        covid = replace(findings.estimates[0], parts=(), model="recognition-ct")
        opened.session.set_findings(replace(findings, estimates=(covid,)))
        opened.session.choose_heatmap(HeatmapChoice("covid-2", "covid-19"))
        assert "alone" not in explained(None)

    def test_heat_in_the_lungs_stands_beside_an_even_maps(self, explained: Any) -> None:
        text = explained(Energy(0.634, 0.41))
        assert "Heat inside the lungs: 63 % (an even map: 41 %)" in text
        assert "Most of the heat" not in text

    def test_heat_outside_the_lungs_is_warned_of_until_it_is_gone(
        self, explained: Any, opened: SimpleNamespace
    ) -> None:
        session, warned = opened.session, "Most of the heat lies outside the lungs (72 %)"
        assert warned in explained(Energy(0.28, 0.41))
        label = explained.panel.findChild(QLabel, "heatmap-warning")
        assert label.property("tone") == "warning"
        for hide, show in (
            (lambda: session.step(1), lambda: session.step(-1)),
            (session.toggle_overlays, session.toggle_overlays),
        ):
            hide()
            assert "the heat" not in words(explained.panel)
            assert "Heat inside" not in words(explained.panel)
            show()
            assert warned in words(explained.panel)
        assert warned not in explained(Energy(0.9, 0.41))
        assert warned in explained(Energy(0.28, 0.41))
        session.choose_heatmap(None)
        assert warned not in words(explained.panel)

    def test_unknown_lungs_and_empty_maps_are_said_and_never_zero(self, explained: Any) -> None:
        text = explained(None)
        assert "Heat inside the lungs: not computed" in text
        assert "Most of the heat" not in text
        assert "even map" not in text
        text = explained(None, values=np.zeros((40, 32), np.float32))
        assert "Nothing in this slice speaks for COVID-19" in text
        assert "Heat inside" not in text
