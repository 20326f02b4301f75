"""The study's patterns beside published values."""

from __future__ import annotations

import json
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QMenu

from inference.findings import Findings
from inference.lesion_data import HU_EDGES, Lesions, Patterns
from tests.gui.handling import words
from tests.gui.lesions.making import (
    WIDE,
    listed,
)
from viewer.panels import PatternsPanel
from viewer.panels.published_lesions import load_published_lesions


class TestPatterns:
    """The four plots."""

    def test_before_there_is_a_list_it_says_why(self, opened: SimpleNamespace, shown: Any) -> None:
        panel = shown(PatternsPanel(opened.session), *WIDE)
        assert "Not analysed." in words(panel)
        assert panel.plots is None

    def test_what_comes_while_it_is_hidden_is_drawn_when_it_is_shown(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(PatternsPanel(opened.session), *WIDE)
        panel.hide()
        found = listed(opened, findings)
        assert panel.plots is None
        panel.show()
        assert panel.plots is not None
        assert panel.plots.patterns is found.patterns

    def test_each_plot_names_the_study_the_published_values_and_their_source(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(PatternsPanel(opened.session), *WIDE)
        found = listed(opened, findings)
        said = words(panel)
        assert (
            f"This study: {found.patterns.count}. Published means: COVID-19 4.4, CAP 1.7." in said
        )
        assert "COVID-19 14.3, CAP 4.4" in said
        assert "COVID-19 62.4 %, CAP 24.5 %, for a thickness that is not named" in said
        assert "−960 to −600" in said
        assert "−70 to 140" in said
        assert "doi:10.1109/TMI.2021.3079709" in said
        assert "Not a diagnosis" in said
        assert panel.plots is not None
        for plot in (panel.plots.count, panel.plots.share, panel.plots.density,
                     panel.plots.periphery):  # fmt: skip
            assert "section III-B" in plot.toolTip()
            assert plot.plot.accessibleDescription()
        assert not any(menu.isVisible() for menu in panel.findChildren(QMenu)), "over the plots"

    def test_what_is_drawn_is_the_study(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(PatternsPanel(opened.session), *WIDE)
        patterns = listed(opened, findings).patterns
        assert panel.plots is not None
        curves = panel.plots.periphery.plot.getPlotItem().listDataItems()
        assert [pytest.approx(100.0 * r) for r in patterns.periphery.ratios] in [
            list(curve.getData()[1]) for curve in curves
        ]
        steps = panel.plots.density.plot.getPlotItem().listDataItems()[0]
        assert steps.getData()[1].sum() == pytest.approx(100.0 * sum(patterns.histogram.shares))

    def test_not_computed_is_said_and_drawn_as_nothing(
        self, opened: SimpleNamespace, findings: Findings, shown: Any
    ) -> None:
        panel = shown(PatternsPanel(opened.session), *WIDE)
        listed(opened, findings)
        nothing = Lesions((), 30, 0, 0.0, False, False, Patterns(0, None, None, None))
        opened.session.lesions.set_listed(findings, nothing)
        said = words(panel)
        assert "This study: not computed. Published means: COVID-19 14.3" in said
        assert "This study: nothing to measure." in said
        assert "This study: not computed, since no lesion lies in a known lung." in said
        assert panel.plots is not None
        assert len(panel.plots.periphery.plot.getPlotItem().listDataItems()) == 0

    def test_the_file_is_what_the_code_reads(self) -> None:
        content = json.loads((files("resources") / "published_lesions.json").read_text("utf-8"))
        published = load_published_lesions()
        assert published.source == content["source"]
        for name, entry in content["patterns"].items():
            assert dict(getattr(published, name).values) == entry["values"]
        assert [group.disease for group in published.hu] == list(content["hu"]["ranges"])
        for group in published.hu:
            assert {end for ends in group.ranges for end in ends} <= set(HU_EDGES)
        # What the paper's text says, section III-B.
        assert dict(published.count.values) == {"COVID-19": 4.4, "CAP": 1.7}
        assert dict(published.percent_of_lung.values) == {"COVID-19": 14.3, "CAP": 4.4}
        assert dict(published.peripheral_percent.values) == {"COVID-19": 62.4, "CAP": 24.5}
        assert [(g.percent, g.ranges) for g in published.hu] == [
            (70, ((-960, -600),)), (75, ((-970, -580), (-70, 140))),
        ]  # fmt: skip
