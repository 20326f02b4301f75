"""The lesions panel: each lesion in a table; a click goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from inference.lesion_review import DOUBTFUL_HU, count_in_words, is_doubtful
from viewer.panels.decision_bar import DecisionBar
from viewer.panels.disclosure import Disclosure
from viewer.panels.labels import muted, sentence
from viewer.panels.lesion_columns import Row
from viewer.panels.lesion_filter import FilterBar
from viewer.panels.lesion_table import LesionTable
from viewer.panels.lesion_totals import totals_text
from viewer.session import AnalysisState, ReadingSession

if TYPE_CHECKING:
    from inference.lesion_data import Lesion, Lesions

__all__ = ["LesionsPanel", "why_no_list"]


class LesionsPanel(QWidget):
    """Shows the lesions of the session's findings; a click goes to one.

    Parameters
    ----------
    session
        What is shown; asked to go to a lesion.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setAccessibleName("Lesions")
        self._state = sentence("")
        self._state.setObjectName("lesions-state")
        self._count = sentence("")
        self._count.setObjectName("lesions-count")
        self._totals = sentence("")
        self._totals.setObjectName("lesions-totals")
        self._notes = muted("")
        self._notes.setObjectName("lesions-notes")
        self.table = LesionTable()
        self._filter = Disclosure("Filter")
        self._fields = FilterBar()
        self._filter.rows.addWidget(self._fields)
        self._doubtful = QToolButton()
        self._doubtful.setObjectName("lesions-doubtful")
        self._doubtful.setCheckable(True)
        self._doubtful.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._decide = DecisionBar(session)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(4, 8, 4, 8)
        self._rows.setSpacing(8)
        self._rows.addWidget(self._state)
        self._parts: tuple[QWidget, ...] = (
            self._count, self._filter, self.table, self._doubtful, self._decide,
        )  # fmt: skip
        for part in self._parts:
            self._rows.addWidget(part, 1 if part is self.table else 0)
        self._rows.addWidget(self._totals)
        self._rows.addWidget(self._notes)
        self.table.chosen.connect(self._go_to)
        self.table.horizontalHeader().sortIndicatorChanged.connect(self._tell_order)
        self._fields.changed.connect(self._show_filtered)
        self._doubtful.toggled.connect(self._show_filtered)
        session.review.changed.connect(self._show_decisions)
        session.review.chosen_changed.connect(self._show_chosen)
        session.volume_changed.connect(self._show)
        session.findings_changed.connect(self._show)
        session.analysis_changed.connect(self._show_state)
        session.lesions.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        listed = self._session.lesions.listed
        lesions = listed.lesions if listed is not None else ()
        volume = self._session.volume
        self.table.show_rows(
            tuple(
                Row(each, probability=probability)
                for each, probability in zip(
                    lesions, _probabilities(self._session, lesions), strict=True
                )
            ),
            volume.slices if volume is not None else (),
        )
        self._count.setText("" if listed is None else f"{count_in_words(listed)}.")
        for part in self._parts:
            part.setVisible(bool(lesions))
        self._show_filtered()
        self._show_decisions()
        # Without a table the words stand at the top, not in the middle.
        top = Qt.AlignmentFlag(0) if lesions else Qt.AlignmentFlag.AlignTop
        self._rows.setAlignment(top)
        self._notes.setText(_notes(listed) if listed is not None else "")
        self._notes.setVisible(bool(self._notes.text()))
        self._show_state()

    def _show_state(self) -> None:
        listed = self._session.lesions.listed
        text = why_no_list(self._session)
        if listed is not None and not listed.lesions:
            text = "The machine marked no lesion here. That does not show that there is none."
        self._state.setText(text)
        self._state.setVisible(bool(text))

    def _go_to(self, lesion: Lesion) -> None:
        self._session.review.choose(lesion.number)
        self._session.go_to_voxel(*lesion.voxel)

    # -- what is shown of them -----------------------------------------------------------------

    def _show_filtered(self) -> None:
        listed = self._session.lesions.listed
        lesions = listed.lesions if listed is not None else ()
        unfolded = self._doubtful.isChecked()
        self.table.set_filter(self._fields.filter(doubtful=unfolded))
        doubtful = sum(map(is_doubtful, lesions))
        many = "lesion" if doubtful == 1 else "lesions"
        self._doubtful.setText(f"{'Fold away' if unfolded else 'Show'} {doubtful} doubtful {many}")
        self._doubtful.setToolTip(
            f"Ground glass with a mean above {DOUBTFUL_HU:.0f} HU".replace("-", "−")
            + ": too dense for what it is called. It counts in the machine's totals."
        )
        self._doubtful.setVisible(doubtful > 0)
        self._tell_order()
        hidden = len(lesions) - len(self._session.review.order)
        self._filter.button.setText(f"Filter ({hidden} of {len(lesions)} hidden)" if hidden
                                    else "Filter")  # fmt: skip
        self._show_chosen()

    def _tell_order(self) -> None:
        self._session.review.order = self.table.order

    def _show_decisions(self) -> None:
        self.table.show_decisions(self._session.review.decisions)
        self._totals.setText(totals_text(self._session))
        self._totals.setVisible(bool(self._totals.text()))

    def _show_chosen(self) -> None:
        chosen = self._session.review.chosen
        self.table.select_lesion(0 if chosen is None else chosen.number)


def _probabilities(
    session: ReadingSession, lesions: tuple[Lesion, ...]
) -> tuple[float | None, ...]:
    """Of each lesion's manifestation in its slice, as it is shown; None where not computed."""
    said = session.findings.estimate("manifestations") if session.findings else None
    if said is None:
        return (None,) * len(lesions)
    shown, columns = said.shown_per_slice, {key: at for at, key in enumerate(said.keys)}

    def of(lesion: Lesion) -> float | None:
        column = columns.get(lesion.key.value)
        value = np.nan if column is None else shown[lesion.voxel[2], column]
        return float(value) if np.isfinite(value) else None

    return tuple(map(of, lesions))


def why_no_list(session: ReadingSession) -> str:
    """Say why no lesions are listed, or ``""`` where they are."""
    if session.volume is None:
        return "Open a study first."
    if session.findings is None:
        return {
            AnalysisState.WAITING: "Lesions are listed when the analysis has ended.",
            AnalysisState.RUNNING: "Lesions are listed when the analysis has ended.",
            AnalysisState.FAILED: "No lesions are listed: the analysis failed.",
            AnalysisState.CANCELLED: "Not analysed: the analysis was cancelled. Press F5 to start "
            "again.",
        }.get(session.analysis, "Not analysed. Press F5 to have lesions listed.")
    if not session.findings.segments:
        return "No lesions are listed: masks are only computed on axial CT."
    if session.lesions.listed is not None:
        return ""
    return session.lesions.failure or "Listing the lesions…"


def _notes(listed: Lesions) -> str:
    """What the table leaves out, and why some of its cells are empty."""
    notes = [listed.left_out] if listed.left_out else []
    if listed.lesions and not listed.lungs_known:
        notes.append("Side, zone and place are not computed: no lung mask is known.")
    elif listed.lesions and not listed.sides_known:
        notes.append("Side and zone are not computed: right and left lung cannot be told apart.")
    return " ".join(notes)
