"""The findings panel: what the machine says, or why it says nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, Signal
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
from inference.studies.naming import image_name, slice_name
from viewer.identity import named
from viewer.panels.disclosure import Disclosure
from viewer.panels.estimates import add_estimate
from viewer.panels.kept import add_kept
from viewer.panels.labels import heading, muted, sentence
from viewer.panels.scrolled import ScrolledPanel
from viewer.panels.segment_card import SegmentCard
from viewer.panels.words import (
    COMPUTING,
    NOT_COMPUTED,
    model_line,
    model_tip,
    quantity,
)
from viewer.reading import STILL_READING
from viewer.session import AnalysisState, ReadingSession
from viewer.theme import box, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.findings import Domain, Findings, Segment
    from inference.studies.model import Volume
    from viewer.early import Early

__all__ = ["FindingsPanel"]

_MANIFESTATIONS = "manifestations"
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
        self._opened: dict[str, bool] = {}
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
                AnalysisState.WAITING: _waiting(done),
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
            add_kept(rows, self._session)
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
            add_estimate(rows, estimate, findings, self._details)
        if not others:
            rows.addWidget(muted(f"Recognition: {NOT_COMPUTED}"))
        manifestations = findings.estimate(_MANIFESTATIONS)
        if manifestations is None:
            rows.addWidget(heading("Manifestations"))
            rows.addWidget(muted(f"Probabilities: {NOT_COMPUTED} on this kind of image"))
        else:
            add_estimate(rows, manifestations, findings, self._details)
        rows.addWidget(heading("Lesions"))
        for key in Manifestation:
            segment = findings.segment(key)
            if segment is None:
                rows.addWidget(muted(f"{key.label}: {NOT_COMPUTED}"))
                continue
            card = SegmentCard(segment, self._largest_of(segment))
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

    def _largest_of(self, segment: Segment) -> str:
        """What the slice with most of it is called."""
        volume, largest = self._session.volume, segment.largest_slice
        if volume is None or largest is None or not image_name(volume.slices, largest):
            return ""
        return slice_name(volume.slices, largest, volume.shape[0])

    def _details(self, name: str, title: str) -> Disclosure:
        """Make details that stay as the reader left them, with the next findings too."""
        made = Disclosure(title, opened=self._opened.get(name, False))
        made.setObjectName(f"details-{name}")
        made.button.setAccessibleName(f"{title}: {name}")
        made.toggled.connect(partial(self._opened.__setitem__, name))
        return made

    def _add_provenance(self, above: QVBoxLayout, findings: Findings) -> None:
        details = self._details("models", "Models that spoke")
        above.addWidget(details)
        details.fill(partial(self._fill_provenance, findings))

    def _fill_provenance(self, findings: Findings, rows: QVBoxLayout) -> None:
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


def _waiting(ahead: int) -> str:
    first = "one other series comes" if ahead == 1 else f"{ahead} other series come"
    return f"Waiting to be analysed: {first} first."


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
        "Not analysed. The picture does not say whether it is a CT slice or an X-ray. "
        f"{press[0].upper()}{press[1:]}; you are asked which it is."
    )


def _add_doubts(rows: QVBoxLayout, volume: Volume, session: ReadingSession) -> None:
    if volume.problems:
        rows.addWidget(heading("Doubts about the images"))
        for problem in volume.problems:
            rows.addWidget(sentence(named(session, problem.sentence), "warning"))
