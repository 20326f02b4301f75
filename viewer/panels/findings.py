"""The findings panel: what the machine says, or why it says nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inference.findings import Manifestation
from inference.second_estimate import TRACE_PERCENT, nothing_marked, second_estimates
from viewer.identity import named
from viewer.panels.bars import ProbabilityBar
from viewer.panels.labels import heading, muted, sentence
from viewer.panels.scrolled import ScrolledPanel
from viewer.panels.segment_card import SegmentCard
from viewer.panels.words import (
    COMPUTING,
    NOT_COMPUTED,
    estimate_line,
    estimate_tip,
    model_line,
    model_tip,
    quantity,
)
from viewer.reading import STILL_READING
from viewer.session import AnalysisState, ReadingSession
from viewer.theme import box, findings_colour, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import Domain, Estimate, Findings
    from inference.second_estimate import SecondEstimate
    from inference.studies.model import Volume
    from viewer.early import Early

__all__ = ["FindingsPanel"]

_MANIFESTATIONS = "manifestations"
_RECOGNITION = "covid-2"
_ANALYSABLE = ("CT", "CR", "DX")


class FindingsPanel(ScrolledPanel):
    """Shows the session's findings.

    Parameters
    ----------
    session
        What is shown; asked to go to a segment.
    """

    card_asked = Signal(str)
    """The reader wants the card of the model of that name."""

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__("Findings", parent)
        self._session = session
        self.setMinimumWidth(220)
        self._state = sentence("")
        self._state.setObjectName("analysis-state")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(6)
        self.rows.addWidget(self._state)
        self.rows.addWidget(self._bar)
        self._content = QWidget()
        self._early_count: QLabel | None = None
        self.rows.addWidget(self._content)
        self.rows.addStretch(1)
        session.findings_changed.connect(self._rebuild)
        session.early_changed.connect(self._show_early)
        session.volume_changed.connect(self._rebuild)
        session.analysis_changed.connect(self._show_state)
        session.manner.looks_changed.connect(self._rebuild)
        session.manner.keys_changed.connect(self._show_state)
        session.manner.names_changed.connect(self._rebuild)
        self._rebuild()

    def _show_state(self) -> None:
        session = self._session
        stage, done, total = session.stage
        f5 = session.manner.press("analyse", "Analyse")
        running = session.analysis is AnalysisState.RUNNING
        self._bar.setVisible(running)
        self._bar.setRange(0, max(0, total))
        self._bar.setValue(done)
        self._state.setVisible(session.findings is None)
        count = f" ({done} of {total})" if total > 0 else ""
        self._state.setText(
            "Open a study first."
            if session.volume is None
            else {
                AnalysisState.NONE: f"Not analysed. {STILL_READING}"
                if session.reading.active
                else _what_to_do(session.volume, f5),
                AnalysisState.RUNNING: f"{stage or 'Starting the analysis'}{count}",
                AnalysisState.FAILED: "The analysis failed and left no result; "
                f"the message above the image says why. {f5[0].upper()}{f5[1:]} to try again.",
                AnalysisState.CANCELLED: "Not analysed: the analysis was cancelled and left no "
                f"result. {f5[0].upper()}{f5[1:]} to start again.",
                AnalysisState.DONE: "",
            }[session.analysis]
        )

    def _rebuild(self) -> None:
        """Make the content anew; the old one leaves with its widgets."""
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(8)
        findings, volume = self._session.findings, self._session.volume
        early = self._session.early
        self._early_count = None
        if early is not None:
            self._early_count = _add_early(rows, early)
        if findings is not None:
            if findings.domain is not None and not findings.domain.within:
                rows.addWidget(_outside(findings.domain.reasons, _judged(findings.domain)))
            self._add_findings(rows, findings)
        if volume is not None:
            _add_doubts(rows, volume, self._session)
        if findings is not None:
            self._add_provenance(rows, findings)
        self.rows.replaceWidget(self._content, content)
        self._content.hide()
        self._content.deleteLater()
        self._content = content
        # Now, not with the next event: otherwise the panel would be empty for a moment.
        content.show()
        self._show_state()

    def _show_early(self) -> None:
        early = self._session.early
        if early is not None and self._early_count is not None:
            self._early_count.setText(_early_text(early))
        elif early is not None or self._early_count is not None:
            self._rebuild()

    def _add_findings(self, rows: QVBoxLayout, findings: Findings) -> None:
        others = [e for e in findings.estimates if e.task != _MANIFESTATIONS]
        for estimate in others:
            _add_estimate(rows, estimate, findings, {})
        if not others:
            rows.addWidget(muted(f"Recognition: {NOT_COMPUTED}"))
        manifestations = findings.estimate(_MANIFESTATIONS)
        if manifestations is None:
            rows.addWidget(heading("Manifestations"))
            rows.addWidget(muted(f"Probabilities: {NOT_COMPUTED} on this kind of image"))
        else:
            tints = {name: findings_colour(key) for key in Manifestation
                     for name in (key.label, key.short, key.value)}  # fmt: skip
            _add_estimate(rows, manifestations, findings, tints)
        rows.addWidget(heading("Lesions"))
        for key in Manifestation:
            segment = findings.segment(key)
            if segment is None:
                rows.addWidget(muted(f"{key.label}: {NOT_COMPUTED}"))
                continue
            card = SegmentCard(segment)
            card.chosen.connect(self._session.go_to_segment)
            rows.addWidget(card)
        rows.addWidget(muted(f"Lung volume: {quantity(findings.lung_ml, 'ml')}"))
        analysed = int(np.count_nonzero(findings.analysed))
        rows.addWidget(muted(f"Slices analysed: {analysed} of {findings.shape[0]}"))
        doubts = findings.domain.reasons if findings.domain is not None else ()
        notes = [note for note in findings.notes if note not in doubts]
        if notes:
            rows.addWidget(heading("Notes"))
            for note in notes:
                rows.addWidget(sentence(named(self._session, note)))

    def _add_provenance(self, rows: QVBoxLayout, findings: Findings) -> None:
        rows.addWidget(heading("Said by"))
        for model in findings.models:
            line = muted(model_line(model))
            line.setToolTip(model_tip(model))
            button = QToolButton()
            button.setText("Card")
            button.setObjectName(f"card-{model.name}")
            button.setAccessibleName(f"Model card of {model.name}")
            button.setToolTip("What it was trained on, how well it does, and its limits")
            tell(button, "accent")
            # A click leaves the keys with the picture.
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(partial(self._ask_for_card, model.name))
            row = QHBoxLayout()
            row.setSpacing(8)
            row.addWidget(line, 1)
            row.addWidget(button)
            rows.addLayout(row)
        rows.addWidget(muted(f"System {findings.system}, on {findings.device}, {findings.created}"))

    def _ask_for_card(self, name: str) -> None:
        self.card_asked.emit(name)


def _early_text(early: Early) -> str:
    done, planned = early.count
    return (
        f"{done} of {planned} slices are shown as they are finished. Figures of the whole study "
        "come at the end."
    )


def _add_early(rows: QVBoxLayout, early: Early) -> QLabel:
    """Say what is there already and what is not; returns the line that counts the slices."""
    if early.doubts:
        rows.addWidget(_outside(early.doubts))
    rows.addWidget(heading("Early result"))
    count = sentence(_early_text(early))
    count.setObjectName("early-count")
    rows.addWidget(count)
    for said in early.estimates:
        rows.addWidget(muted(f"{said.title}: {COMPUTING}"))
    if any(said.task == _MANIFESTATIONS for said in early.estimates):
        rows.addWidget(heading("Lesions"))
        for key in Manifestation:
            rows.addWidget(muted(f"{key.label}: {COMPUTING}"))
        rows.addWidget(muted(f"Lung volume: {COMPUTING}"))
    return count


def _outside(reasons: Sequence[str], tip: str = "") -> QFrame:
    """Above everything else: the results below are of something that the models do not know."""
    frame = QFrame()
    frame.setObjectName("outside-domain")
    box(frame, "warning")
    lines = QVBoxLayout(frame)
    lines.setContentsMargins(10, 8, 8, 8)
    lines.setSpacing(4)
    title = heading("Not what the models know")
    tell(title, "warning")
    lines.addWidget(title)
    for reason in reasons:
        lines.addWidget(sentence(reason))
    for widget in (frame, *frame.findChildren(QLabel)):
        widget.setToolTip(tip)
    return frame


def _judged(domain: Domain) -> str:
    return (
        f"Judged by {domain.method}. Fit {domain.score:.2f}; 1 is a perfect fit. It is not a "
        "probability of being right.\nThe analysis was done all the same, since the judgement "
        "may be wrong."
    )


def _what_to_do(volume: Volume, press: str) -> str:
    if volume.modality in _ANALYSABLE:
        return f"Not analysed. {press[0].upper()}{press[1:]}."
    return (
        "Not analysed. The picture does not say whether it is a CT slice or an X-ray: say which "
        f"in the menu Analysis, then {press}."
    )


def _add_estimate(
    rows: QVBoxLayout, estimate: Estimate, findings: Findings, tints: dict[str, QColor]
) -> None:
    rows.addWidget(heading(estimate.title))
    versions = {m.name: f"{m.name}, version {m.version}" for m in findings.models}
    model = " + ".join(versions.get(name, name) for name in estimate.voices)
    dashed = estimate.calibrated is not None and estimate.calibrated.of_slices
    seconds = second_estimates(findings) if estimate.task == _MANIFESTATIONS else ()
    drawn = {second.key.label: second for second in seconds}
    for index, name in enumerate(estimate.classes):
        value = estimate.shown[index]
        known = value if np.isfinite(value) else None
        band = estimate.bands[index]
        bar = ProbabilityBar(
            name, known, tints.get(name), band=band, dashed=dashed,
            beside=bool(estimate.beside_band(index)),
        )  # fmt: skip
        bar.setToolTip(f"{estimate_tip(estimate, index)}\nSaid by {model}.")
        rows.addWidget(bar)
        if name in drawn:
            rows.addWidget(_second(drawn[name]))
    doubt = nothing_marked(findings) if estimate.task == _RECOGNITION else ""
    if doubt:
        line = sentence(doubt, "warning")
        line.setObjectName("recognition-doubt")
        rows.addWidget(line)
    if estimate.parts:
        rows.addWidget(muted(f"Joined from {' and '.join(estimate.voices)}"))
    rows.addWidget(muted(estimate_line(estimate)))


def _second(second: SecondEstimate) -> QLabel:
    """What the masks say, under what the probability says; loud only where they part."""
    line = sentence(second.sentence, "warning" if second.disagrees else "muted")
    line.setObjectName(f"second-{second.key.value}")
    line.setToolTip(
        "A second estimate: other networks drew the masks. Where the two disagree, one is wrong; "
        f"look at the slices.\nLess than {TRACE_PERCENT:g} % of the lungs, or nothing large enough "
        "to count as a lesion, is called a trace."
    )
    return line


def _add_doubts(rows: QVBoxLayout, volume: Volume, session: ReadingSession) -> None:
    if volume.problems:
        rows.addWidget(heading("Doubts about the images"))
        for problem in volume.problems:
            rows.addWidget(sentence(named(session, problem.sentence), "warning"))
