"""The lesions panel: each lesion in a table; a click goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from viewer.panels.labels import muted, sentence
from viewer.panels.lesion_table import LesionTable
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
        self._notes = muted("")
        self._notes.setObjectName("lesions-notes")
        self.table = LesionTable()
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(4, 8, 4, 8)
        self._rows.setSpacing(8)
        self._rows.addWidget(self._state)
        self._rows.addWidget(self.table, 1)
        self._rows.addWidget(self._notes)
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
        self._session.go_to_voxel(*lesion.voxel)


def why_no_list(session: ReadingSession) -> str:
    """Say why no lesions are listed, or ``""`` where they are."""
    if session.volume is None:
        return "Open a study first."
    if session.findings is None:
        return {
            AnalysisState.RUNNING: "Lesions are listed when the analysis has ended.",
            AnalysisState.FAILED: "No lesions are listed: the analysis failed.",
            AnalysisState.CANCELLED: "Not analysed: the analysis was cancelled. Press F5 to start "
            "again.",
        }.get(session.analysis, "Not analysed. Press F5 to have lesions listed.")
    if not session.findings.segments:
        return "No lesions are listed: masks are only computed on CT."
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
