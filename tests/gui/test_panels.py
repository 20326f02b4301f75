"""The panels: numbers as they are, absence in words, and every control reaches the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QLabel, QSlider, QToolButton, QWidget

from inference.findings import (
    Calibrated,
    Domain,
    Energy,
    Findings,
    Manifestation,
    Part,
    Timings,
)
from inference.partial import Partial
from viewer.panels import FindingsPanel, LayersPanel, TimingPanel
from viewer.panels.bars import ProbabilityBar
from viewer.panels.published import load_published_times
from viewer.session import AnalysisState, HeatmapChoice, LayerStyle, ReadingSession


def words(panel: QWidget) -> str:
    """Everything that can be read on a panel."""
    labels = [each.text() for each in panel.findChildren(QLabel) if each.isVisibleTo(panel)]
    bars = [each for each in panel.findChildren(ProbabilityBar) if each.isVisibleTo(panel)]
    text = "\n".join([*labels, *(bar.accessibleName() for bar in bars)])
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def shown(qtbot: Any) -> Callable[[QWidget], QWidget]:
    """Show a panel at a narrow size."""

    def show(panel: QWidget) -> QWidget:
        qtbot.addWidget(panel)
        panel.resize(260, 600)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return show


class TestFindings:
    """The findings panel."""

    def test_it_says_what_to_do_before_there_is_anything(
        self, session: ReadingSession, shown: Any
    ) -> None:
        assert "Open a study first." in words(shown(FindingsPanel(session)))

    def test_states_are_said_in_words(self, opened: SimpleNamespace, shown: Any) -> None:
        panel = shown(FindingsPanel(opened.session))
        assert "Not analysed. Press F5." in words(panel)
        opened.session.set_analysis(AnalysisState.RUNNING)
        opened.session.set_stage("Segmenting", 3, 12)
        assert "Segmenting (3 of 12)" in words(panel)
        opened.session.set_analysis(AnalysisState.FAILED)
        assert "failed" in words(panel)
        opened.session.set_analysis(AnalysisState.CANCELLED)
        assert "cancelled" in words(panel)

    def test_what_is_no_chest_is_warned_of_until_the_next_good_study(
        self,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
        make_partial: Callable[..., Partial],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        reason = "This does not look like a chest CT slice. Distrust every result."
        odd = Domain(False, 0.12, (reason,), "domain")
        opened.session.set_findings(
            make_findings(opened.volume, domain=odd, notes=(reason, "Another note."))
        )
        assert words(panel).count(reason) == 1, "above, and not once more among the notes"
        assert "Another note." in words(panel)
        frame = panel.findChild(QFrame, "outside-domain")
        assert frame is not None
        assert frame.isVisibleTo(panel)
        assert frame.property("boxed") == "warning"
        assert "Judged by domain. Fit 0.12" in frame.toolTip()
        bars = [bar for bar in panel.findChildren(ProbabilityBar) if bar.isVisibleTo(panel)]
        top = frame.mapTo(panel, frame.rect().topLeft()).y()
        assert bars
        assert all(top < bar.mapTo(panel, bar.rect().topLeft()).y() for bar in bars)
        early = replace(make_partial(opened.volume, 3), doubts=(reason,))
        opened.session.set_analysis(AnalysisState.RUNNING)
        opened.session.add_partial(early)
        assert reason in words(panel), "no result is shown without the warning"
        good = Domain(True, 0.99, (), "domain")
        opened.session.set_findings(make_findings(opened.volume, domain=good))
        assert reason not in words(panel)
        assert "Not what the models know" not in words(panel)

    def test_a_picture_must_be_told_what_it_is(
        self, opened: SimpleNamespace, shown: Any, make_volume: Callable[..., Any]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        picture = make_volume("1.2.3", modality="OT")
        opened.session.set_volume(opened.study, opened.series, picture)
        assert "say which in the menu Analysis" in words(panel)
        told = make_volume("1.2.3", modality="DX")
        opened.session.set_volume(opened.study, opened.series, told)
        assert "Not analysed. Press F5." in words(panel)

    def test_every_number_is_there(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        text = words(panel)
        for expected in (
            "COVID-19: 0.86",
            "not COVID-19: 0.14",
            "Ground-glass opacity: 0.97",
            "Consolidation: 0.61",
            "Pleural effusion: 0.08",
            "182 ml",
            "4.1 % of lung",
            "2 lesions",
            "mean −612 HU",
            "1 lesion",
            "mean −12.0 HU",
            "Slices analysed: 10 of 12",
            "2 slices without lung were not analysed.",
            "Slices 3 and 4 are 9 mm apart.",
            "recognition 0.3 · abababab",
            "test device",
        ):
            assert expected in text
        assert "Not analysed" not in text

    def test_what_was_not_computed_is_said_and_never_zero(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        opened.session.set_findings(findings)
        assert "Lung volume: not computed" in words(panel)
        assert "share of lung not computed" in words(panel)
        assert "mean HU none, nothing was found" in words(panel)
        without = tuple(replace(s, volume_ml=None, mean_hu=None) for s in findings.segments[:2])
        opened.session.set_findings(replace(findings, segments=without, estimates=(), lung_ml=None))
        text = words(panel)
        assert "Recognition: not computed" in text
        assert "Probabilities: not computed" in text
        assert "Pleural effusion: not computed" in text
        assert "volume not computed" in text
        assert "mean HU not computed" in text
        assert "0.0 ml" not in text

    def test_the_masks_stand_under_the_probabilities(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        labeller = findings.estimates[1]
        said = replace(labeller, study=(0.97, 0.31, 0.62))
        opened.session.set_findings(replace(findings, estimates=(findings.estimates[0], said)))
        lines = {key: panel.findChild(QLabel, f"second-{key.value}") for key in Manifestation}
        assert [line.text() for line in lines.values()] == [
            "Masks show 182 ml, 4.1 % of lungs.",
            "Disagreement: masks show 23 ml.",
            "Disagreement: masks show none.",
        ]
        loud = [line.property("tone") == "warning" for line in lines.values()]
        assert loud == [False, True, True]
        bars = {bar.name: bar for bar in panel.findChildren(ProbabilityBar)}
        for key, line in lines.items():
            below = line.mapTo(panel, line.rect().topLeft()).y()
            assert below > bars[key.label].mapTo(panel, bars[key.label].rect().topLeft()).y()
        opened.session.set_findings(replace(findings, segments=()))
        assert "asks show" not in words(panel)

    def test_the_card_of_a_model_is_asked_for(
        self,
        qtbot: Any,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        button = panel.findChild(QToolButton, "card-recognition")
        with qtbot.waitSignal(panel.card_asked) as asked:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert asked.args == ["recognition"]

    def test_a_click_goes_to_the_largest_slice(
        self,
        qtbot: Any,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        card = panel.findChild(QWidget, "segment-ggo")
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
        assert opened.session.position == 4
        button = panel.findChild(QToolButton, "go-to-consolidation")
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert opened.session.position == 8
        assert button.text() == "Slice 9"

    def test_nothing_found_cannot_be_gone_to(
        self,
        qtbot: Any,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        before = opened.session.position
        qtbot.mouseClick(panel.findChild(QWidget, "segment-effusion"), Qt.MouseButton.LeftButton)
        assert opened.session.position == before
        assert not panel.findChild(QToolButton, "go-to-effusion").isEnabled()

    def test_old_numbers_leave_with_their_series(
        self,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
        make_volume: Callable[..., Any],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        opened.session.set_volume(opened.study, opened.study.series[1], make_volume("1.2.4"))
        text = words(panel)
        assert "Not analysed. Press F5." in text
        assert "182 ml" not in text

    def test_the_interval_is_drawn_and_said(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        covid, manifestations = findings.estimates
        after = Calibrated(
            study=(0.71, 0.29), bands=((0.52, 0.84), (0.16, 0.48)), per_slice=covid.per_slice,
            of_slices=True, shares=(0.42, 0.58), n=172, groups=73,
        )  # fmt: skip
        known = replace(covid, calibrated=after, calibration="Calibrated on 172 pictures.")
        opened.session.set_findings(replace(findings, estimates=(known, manifestations)))
        text = words(panel)
        assert "\nCOVID-19: 0.71, interval 0.52 to 0.84" in text
        assert ": 0.86" not in text, "the network's own value is in the tooltip"
        assert (
            "Calibrated on 73 groups. Interval of single slices; of the whole study it is not "
            "computed." in text
        )
        bars = {bar.name: bar for bar in panel.findChildren(ProbabilityBar)}
        tip = bars["COVID-19"].toolTip()
        for expected in (
            "COVID-19: 0.71",
            "Calibrated on 172 pictures.",
            "42 % of those groups had it",
            "The network itself says 0.86.",
            "Interval 0.52 to 0.84 (95 %)",
            "For a whole study an interval is not computed",
            "Said by recognition, version 0.3.",
        ):
            assert expected in tip
        assert bars["COVID-19"].dashed
        assert bars["Consolidation"].band is None
        assert "Not calibrated." in bars["Consolidation"].toolTip()
        assert "Interval: not computed." in bars["Consolidation"].toolTip()
        assert "\nNot calibrated." in text

    def test_several_models_are_named_with_what_each_says(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        parts = (Part("recognition", (0.91, 0.09)), Part("evidence", (0.33, 0.67)))
        covid = replace(findings.estimates[0], parts=parts, model="recognition + evidence")
        opened.session.set_findings(replace(findings, estimates=(covid,)))
        assert "Joined from recognition and evidence" in words(panel)
        bar = next(b for b in panel.findChildren(ProbabilityBar) if b.name == "COVID-19")
        for expected in (
            "recognition alone, not calibrated: 0.91.",
            "evidence alone, not calibrated: 0.33.",
            "Said by recognition, version 0.3 + evidence.",
        ):
            assert expected in bar.toolTip()

    def test_an_interval_of_the_picture_itself_is_said_so(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        covid = findings.estimates[0]
        after = Calibrated((0.7, 0.3), ((0.5, 0.8), None), covid.per_slice, False, (0.4, 0.6), 9, 8)
        opened.session.set_findings(
            replace(findings, estimates=(replace(covid, calibrated=after),))
        )
        assert "Calibrated on 8 groups; 95 % interval." in words(panel)
        bar = panel.findChildren(ProbabilityBar)[0]
        assert not bar.dashed
        assert "whole study" not in bar.toolTip()

    def test_a_value_outside_its_interval_is_said_and_drawn(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        covid = findings.estimates[0]
        after = Calibrated(
            (0.93, 0.5), ((0.51, 0.85), (0.4, 0.6)), covid.per_slice, False, (0.4, 0.6), 9, 8
        )
        known = replace(covid, calibrated=after)
        opened.session.set_findings(replace(findings, estimates=(known,)))
        assert "95 % interval. Outside its interval: COVID-19. The interval is" in words(panel)
        inside, outside = sorted(panel.findChildren(ProbabilityBar), key=lambda b: b.beside)
        assert outside.accessibleName().endswith("interval 0.51 to 0.85, outside its interval")
        assert "The value lies above its interval" in outside.toolTip()
        assert inside.name == "not COVID-19"
        assert "outside" not in inside.accessibleName()
        assert "lies" not in inside.toolTip()

    @pytest.mark.parametrize("dashed", [False, True])
    @pytest.mark.parametrize(
        ("value", "reaches"), [(0.5, (0.25, 0.75)), (0.95, (0.25, 0.95)), (0.1, (0.1, 0.75))]
    )
    def test_the_whisker_reaches_from_low_to_high_and_to_the_value(
        self, qtbot: Any, dashed: bool, value: float, reaches: tuple[float, float]
    ) -> None:
        def columns(band: tuple[float, float] | None) -> np.ndarray:
            beside = band is not None and not band[0] <= value <= band[1]
            bar = ProbabilityBar("Class", value, band=band, dashed=dashed, beside=beside)
            qtbot.addWidget(bar)
            bar.resize(400, 24)
            image = bar.grab().toImage()
            left, right = 216, image.width() - bar.fontMetrics().horizontalAdvance("> 0.99") - 8
            # Below the bar alone, which is 8 high; bar, gap and whisker stand in the middle.
            rows = range(image.height() // 2 + 2, image.height())
            lit = [
                x
                for x in range(left - 3, right + 3)
                if band and any(image.pixelColor(x, y).lightness() > 90 for y in rows)
            ]
            return (np.array(lit) - left) / (right - left)

        assert columns(None).size == 0
        reached = columns((0.25, 0.75))
        assert reached.min() == pytest.approx(reaches[0], abs=0.03)
        assert reached.max() == pytest.approx(reaches[1], abs=0.03)

    def test_each_bar_is_as_long_as_its_number(self, qtbot: Any) -> None:
        def filled(value: float) -> int:
            bar = ProbabilityBar("Class", value)
            qtbot.addWidget(bar)
            bar.resize(300, 24)
            image = bar.grab().toImage()
            row = [image.pixelColor(x, image.height() // 2) for x in range(165, image.width() - 60)]
            return sum(colour.lightness() > 150 for colour in row)

        assert filled(0.0) == 0
        assert filled(1.0) > 1.8 * filled(0.5) > 20


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
        assert opened.session.heatmap_choice == HeatmapChoice("covid-2", "not COVID-19")
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
        session.choose_heatmap(HeatmapChoice("covid-2", "COVID-19"))
        legend = panel.findChild(QLabel, "heatmap-legend")
        assert "not a segmentation" not in legend.text()
        heatmap = fake_system.explain(opened.volume, session.position, "covid-2", "COVID-19", None)
        session.set_heatmap("1.2.3", heatmap)
        assert "Grad-CAM, fake" in legend.text()
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
        session.choose_heatmap(HeatmapChoice("covid-2", "COVID-19"))

        def explain(lungs: Energy | None, **changes: Any) -> str:
            made = fake_system.explain(opened.volume, session.position, "covid-2", "COVID-19", None)
            session.set_heatmap("1.2.3", replace(made, lungs=lungs, **changes))
            return words(panel)

        explain.panel = panel  # type: ignore[attr-defined]
        return explain

    def test_a_map_of_one_of_several_models_says_so(
        self, explained: Any, opened: SimpleNamespace, make_findings: Callable[..., Findings]
    ) -> None:
        assert "alone" not in explained(None, model="recognition")
        findings = make_findings(opened.volume)
        parts = (Part("recognition", (0.9, 0.1)), Part("evidence", (0.3, 0.7)))
        covid = replace(findings.estimates[0], parts=parts)
        opened.session.set_findings(replace(findings, estimates=(covid,)))
        opened.session.choose_heatmap(HeatmapChoice("covid-2", "COVID-19"))
        assert "It explains recognition alone" in explained(None, model="recognition")
        assert "joined with evidence" in words(explained.panel)

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
        timings = Timings(0.51, 0.25, 1.52, 0.75, 6.03, 0.44, 9.63)
        opened.session.set_findings(make_findings(opened.volume, timings=timings))
        assert panel.bars.rows[0].seconds == 9.63
        assert "This run (test device): 9.63 s" in panel.bars.accessibleDescription()
        text = words(panel)
        for expected in ("0.51 s", "0.25 s", "1.52 s", "0.75 s", "6.03 s", "0.44 s", "9.63 s"):
            assert expected in text

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
