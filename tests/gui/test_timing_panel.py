"""The timing panel: what a run took, beside published times."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from PySide6.QtWidgets import QLabel

from inference.findings import (
    Findings,
    Timings,
)
from tests.gui.handling import words
from viewer.panels import TimingPanel
from viewer.panels.published import load_published_times


class TestTiming:
    """The timing panel."""

    def test_published_times_are_those_of_the_papers(self) -> None:
        seconds = {time.name: time.seconds for time in load_published_times()}
        assert seconds == {
            "RT-PCR": 4 * 3600,
            "Radiologist, CT": 21.5 * 60,
            "JCS": 22,
            "El-bana": 5.33,
            "DeepSC-COVID": 2.2,
        }
        assert all(time.source and time.hardware for time in load_published_times())

    def test_this_run_is_there_with_its_parts(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(TimingPanel(opened.session))
        assert panel.bars.rows[0].seconds is None
        assert "This run (this computer): not run" in panel.bars.accessibleDescription()
        timings = Timings(0.51, 0.25, 1.52, 0.75, 6.03, 0.44, 9.63, ready=3.27)
        opened.session.set_findings(make_findings(opened.volume, timings=timings))
        assert panel.bars.rows[0].seconds == 9.63
        assert "This run (test device): 9.63 s" in panel.bars.accessibleDescription()
        text = words(panel)
        for expected in ("0.51 s", "0.25 s", "1.52 s", "0.75 s", "6.03 s", "0.44 s", "9.63 s"):
            assert expected in text

    def test_parts_and_total_are_explained_where_they_stand(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(TimingPanel(opened.session))
        timings = Timings(0.51, 0.25, 1.52, 0.75, 6.03, 0.44, 9.63, ready=3.27)
        opened.session.set_findings(make_findings(opened.volume, timings=timings))
        text = words(panel)
        assert "Get models ready\n3.27 s" in text
        assert "12.77 s together. Parts overlap" in text
        assert "total of 9.63 s is measured by the clock and not added up" in text
        labels = {label.text(): label.toolTip() for label in panel.findChildren(QLabel)}
        assert "The first time on this computer" in labels["Get models ready"]
        assert all(labels[name] for name in ("Prepare", "Segment", "Measure", "Total, measured"))

    def test_the_axis_is_logarithmic(self, opened: SimpleNamespace, shown: Any) -> None:
        panel = shown(TimingPanel(opened.session))
        bars = panel.bars
        steps = np.diff([bars.share(10.0**power) for power in range(4)])
        assert np.allclose(steps, steps[0])
        assert bars.share(1e9) == 1.0
        assert bars.share(0.0) > 0.0

    def test_a_longer_time_has_a_longer_bar(self, opened: SimpleNamespace, shown: Any) -> None:
        panel = shown(TimingPanel(opened.session))
        bars = panel.bars
        image = bars.grab().toImage()
        lit = []
        height = bars._row_height()
        for index, row in enumerate(bars.rows):
            if row.seconds is not None:
                y = index * height + 4 + bars.fontMetrics().height() + 4
                pixels = (image.pixelColor(x, y) for x in range(image.width()))
                lit.append(sum(colour.lightness() > 100 for colour in pixels))
        assert lit == sorted(lit, reverse=True)
        assert lit[0] > 2 * lit[-1] > 0
