"""The findings panel: numbers as they are, and absence in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QToolButton, QWidget

from inference.cuts import Cut
from inference.findings import (
    Calibrated,
    Domain,
    Findings,
    Manifestation,
    Part,
)
from inference.partial import Partial
from tests import factories
from tests.gui.handling import words
from viewer import theme
from viewer.panels import FindingsPanel
from viewer.panels.bars import ProbabilityBar
from viewer.panels.disclosure import Disclosure
from viewer.session import AnalysisState, ReadingSession


def unfold(panel: FindingsPanel) -> None:
    """Open all details, as a reader does."""
    for each in panel.findChildren(Disclosure):
        if not each.button.isChecked():
            each.button.click()
    # Laid out, so that what appeared can be clicked.
    QApplication.processEvents()


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
        opened.session.set_stage("Analysing slices", 3, 12)
        assert "Analysing slices (3 of 12)" in words(panel)
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
        assert "you are asked which it is" in words(panel)
        told = make_volume("1.2.3", modality="DX")
        opened.session.set_volume(opened.study, opened.series, told)
        assert "Not analysed. Press F5." in words(panel)

    def test_every_number_is_there(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        unfold(panel)
        text = words(panel)
        mean = opened.volume.array[factories.draw_codes(opened.volume) == 1].mean()
        model = factories.store().find("recognition-ct")
        for expected in (
            "COVID-19: 0.86",
            "not COVID-19: 0.14",
            "Ground-glass opacity: 0.97",
            "Consolidation: 0.61",
            "Pleural effusion: 0.08",
            "2.2 ml",
            "9.3 % of lung",
            "2 lesions",
            f"mean −{-mean:.0f} HU",
            "1 lesion",
            "0.1 ml",
            "Lung volume: 23",
            "Slices analysed: 10 of 12",
            "2 slices without lung were not analysed.",
            "Slices 3 and 4 are 9 mm apart.",
            f"recognition-ct {model.version} · {model.sha256[:8]}",
            "test device",
        ):
            assert expected in text
        assert "Not analysed" not in text

    def test_what_was_not_computed_is_said_and_never_zero(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume, lungs=None)
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
            "Masks show 2.2 ml, 9.3 % of lungs.",
            "Disagreement: masks show 0.1 ml, 0.4 % of lungs.",
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

    def test_covid_19_without_a_lesion_is_doubted_under_its_probability(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        opened.session.set_findings(findings)
        assert panel.findChild(QLabel, "recognition-doubt") is None
        nothing = np.zeros(opened.volume.shape, np.uint8)
        opened.session.set_findings(make_findings(opened.volume, nothing))
        line = panel.findChild(QLabel, "recognition-doubt")
        assert line.property("tone") == "warning"
        assert "the masks show no ground glass or consolidation" in line.text()

    def test_the_card_of_a_model_is_asked_for(
        self,
        qtbot: Any,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        unfold(panel)
        button = panel.findChild(QToolButton, "card-recognition-ct")
        with qtbot.waitSignal(panel.card_asked) as asked:
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert asked.args == ["recognition-ct"]

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
        assert button.text() == "Im 9 (9/12)"

    def test_a_card_says_how_its_mask_was_drawn(
        self,
        opened: SimpleNamespace,
        shown: Any,
        make_findings: Callable[..., Findings],
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        *others, effusion = findings.segments
        grown = replace(effusion, cut=Cut(0.5, 0.1))
        opened.session.set_findings(replace(findings, segments=(*others, grown)))
        tips = {
            key: panel.findChild(QWidget, f"segment-{key.value}").toolTip() for key in Manifestation
        }
        assert "drawn where the probability is above 0.4;" in tips[Manifestation.GGO]
        assert (
            "drawn where the probability is above 0.1 in one piece with a place where it is above "
            "0.5;" in tips[Manifestation.EFFUSION]
        )

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
        assert "2.2 ml" not in text

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
        unfold(panel)
        text = words(panel)
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
            "recognition-ct alone, not calibrated: 0.90.",
            "Interval 0.52 to 0.84 (95 %)",
            "For a whole study an interval is not computed",
        ):
            assert expected in tip
        assert bars["COVID-19"].dashed
        assert bars["Consolidation"].band is None
        assert "Not calibrated: 6 validation groups" in bars["Consolidation"].toolTip()
        assert "Interval: not computed." in bars["Consolidation"].toolTip()
        assert "\nNot calibrated: 6 validation groups are too few" in text

    def test_an_interval_that_holds_the_operating_point_is_undecided(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        covid = findings.estimates[0]
        after = Calibrated(
            (0.53, 0.47), ((0.34, 0.68), None), covid.per_slice, True, (0.4, 0.6), 9, 8
        )
        known = replace(covid, calibrated=after)
        opened.session.set_findings(replace(findings, estimates=(known,)))
        answer = panel.findChild(QLabel, "answer-covid-2")
        assert answer.text() == "COVID-19 is undecided (0.53; 0.34 to 0.68)."
        bar = next(b for b in panel.findChildren(ProbabilityBar) if b.name == "COVID-19")
        assert (bar.text, bar.figures, bar.point) == ("0.53", "0.34–0.68", 0.5)

    def test_the_operating_point_is_a_notch_in_the_bar(self, qtbot: Any) -> None:
        def drawn(point: float | None) -> QImage:
            bar = ProbabilityBar("Class", 0.9, point=point)
            qtbot.addWidget(bar)
            bar.resize(400, 24)
            return bar.grab().toImage()

        plain, notched = drawn(None), drawn(0.5)
        middle = notched.height() // 2
        differ = [
            x for x in range(400) if plain.pixelColor(x, middle) != notched.pixelColor(x, middle)
        ]
        usual = QFontMetrics(theme.font("small")).horizontalAdvance("0.00–0.00")
        assert np.mean(differ) == pytest.approx(184 + (400 - 184 - usual - 8) / 2, abs=3)

    def test_details_stay_open_with_the_next_findings(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        opened.session.set_findings(make_findings(opened.volume))
        assert "Study value:" not in words(panel)
        unfold(panel)
        assert "Study value:" in words(panel)
        opened.session.set_findings(make_findings(opened.volume))
        assert "Study value:" in words(panel)

    def test_several_models_are_named_with_what_each_says(
        self, opened: SimpleNamespace, shown: Any, make_findings: Callable[..., Findings]
    ) -> None:
        panel = shown(FindingsPanel(opened.session))
        findings = make_findings(opened.volume)
        parts = (Part("recognition-ct", (0.91, 0.09)), Part("evidence", (0.33, 0.67)))
        covid = replace(findings.estimates[0], parts=parts)
        opened.session.set_findings(replace(findings, estimates=(covid,)))
        recogniser, evidence = (factories.store().find(part.model).version for part in parts)
        assert "evidence" not in words(panel), "names of files are no findings"
        unfold(panel)
        joined = f"recognition-ct, version {recogniser} and evidence, version {evidence}."
        assert f"Joined from {joined}" in words(panel)
        bar = next(b for b in panel.findChildren(ProbabilityBar) if b.name == "COVID-19")
        for expected in (
            "recognition-ct alone, not calibrated: 0.91.",
            "evidence alone, not calibrated: 0.33.",
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
        unfold(panel)
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
            (0.93, 0.07), ((0.51, 0.85), (0.05, 0.6)), covid.per_slice, False, (0.4, 0.6), 9, 8
        )
        known = replace(covid, calibrated=after)
        opened.session.set_findings(replace(findings, estimates=(known,)))
        unfold(panel)
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
            usual = QFontMetrics(theme.font("small")).horizontalAdvance("0.00–0.00")
            number = max(usual, bar.fontMetrics().horizontalAdvance("> 0.99"))
            left, right = 184, image.width() - number - 8
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
            right = (
                image.width() - QFontMetrics(theme.font("small")).horizontalAdvance("0.00–0.00") - 8
            )
            row = [image.pixelColor(x, image.height() // 2) for x in range(138, right)]
            return sum(colour.lightness() > 150 for colour in row)

        assert filled(0.0) == 0
        assert filled(1.0) > 1.8 * filled(0.5) > 20
