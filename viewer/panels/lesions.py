"""The lesions panel: each lesion in a table, and what they show together in four plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from viewer.panels.labels import muted, sentence
from viewer.panels.lesion_table import LesionTable
from viewer.session import AnalysisState, ReadingSession

if TYPE_CHECKING:
    from inference.lesion_data import Lesion, Lesions
    from viewer.panels.pattern_plots import PatternPlots

__all__ = ["LesionsPanel"]


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
        self._notes = muted("")
        self._notes.setObjectName("lesions-notes")
        self.table = LesionTable()
        self.plots: PatternPlots | None = None
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Lesions beside published values")
        top = QWidget()
        rows = QVBoxLayout(top)
        rows.setContentsMargins(12, 8, 12, 4)
        rows.setSpacing(4)
        rows.addWidget(self._state)
        rows.addWidget(self.table, 1)
        rows.addWidget(self._notes)
        self._top_rows = rows
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(top)
        self._split.addWidget(self._scroll)
        self._split.setStretchFactor(0, 1)
        self._split.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._split)
        self.table.chosen.connect(self._go_to)
        session.volume_changed.connect(self._show)
        session.findings_changed.connect(self._show)
        session.analysis_changed.connect(self._show_state)
        session.lesions.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        listed = self._session.lesions.listed
        lesions = listed.lesions if listed is not None else ()
        self.table.show_lesions(lesions)
        self.table.setVisible(bool(lesions))
        self._notes.setText(_notes(listed) if listed is not None else "")
        self._notes.setVisible(bool(self._notes.text()))
        self._scroll.setVisible(listed is not None)
        if listed is not None:
            self._plots().show_patterns(listed.patterns)
        self._show_state()

    def _show_state(self) -> None:
        text = self._in_words()
        self._state.setText(text)
        self._state.setVisible(bool(text))
        # Without a table the words stand at the top, not in the middle.
        self._top_rows.setAlignment(
            Qt.AlignmentFlag(0) if self.table.isVisibleTo(self) else Qt.AlignmentFlag.AlignTop
        )

    def _plots(self) -> PatternPlots:
        if self.plots is None:
            # Here, since importing the plots takes most of a second.
            from viewer.panels.pattern_plots import PatternPlots

            self.plots = PatternPlots()
            self._scroll.setWidget(self.plots)
        return self.plots

    def _in_words(self) -> str:
        """Say why there is no table, or ``""``."""
        session = self._session
        if session.volume is None:
            return "Open a study first."
        if session.findings is None:
            return {
                AnalysisState.RUNNING: "Lesions are listed when the analysis has ended.",
                AnalysisState.FAILED: "No lesions are listed: the analysis failed.",
                AnalysisState.CANCELLED: "Not analysed: the analysis was cancelled. Press F5 to "
                "start again.",
            }.get(session.analysis, "Not analysed. Press F5 to have lesions listed.")
        if not session.findings.segments:
            return "No lesions are listed: masks are only computed on CT."
        listed = session.lesions.listed
        if listed is None:
            return session.lesions.failure or "Listing the lesions…"
        nothing = "The machine marked no lesion here. That does not show that there is none."
        return "" if listed.lesions else nothing

    def _go_to(self, lesion: Lesion) -> None:
        self._session.go_to_voxel(*lesion.voxel)


def _notes(listed: Lesions) -> str:
    """What the table leaves out, and why some of its cells are empty."""
    notes = [listed.left_out] if listed.left_out else []
    if listed.lesions and not listed.lungs_known:
        notes.append("Side, zone and place are not computed: no lung mask is known.")
    elif listed.lesions and not listed.sides_known:
        notes.append("Side and zone are not computed: right and left lung cannot be told apart.")
    return " ".join(notes)
