"""The patterns panel: what the lesions show together, beside published values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from viewer.panels.labels import sentence
from viewer.panels.lesions import why_no_list
from viewer.session import ReadingSession

if TYPE_CHECKING:
    from viewer.panels.pattern_plots import PatternPlots

__all__ = ["PatternsPanel"]


class PatternsPanel(QScrollArea):
    """Four plots of the lesions of the session's findings, or why there are none.

    Parameters
    ----------
    session
        What is shown.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.plots: PatternPlots | None = None
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Lesions beside published values")
        page = QWidget()
        self._rows = QVBoxLayout(page)
        self._rows.setContentsMargins(12, 8, 12, 12)
        self._state = sentence("")
        self._state.setObjectName("patterns-state")
        self._rows.addWidget(self._state)
        self._rows.addStretch(1)
        self.setWidget(page)
        session.volume_changed.connect(self._show)
        session.findings_changed.connect(self._show)
        session.analysis_changed.connect(self._show)
        session.lesions.changed.connect(self._show)
        self._show()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came while the panel was hidden."""
        super().showEvent(event)
        self._show()

    def _show(self) -> None:
        listed = self._session.lesions.listed
        self._state.setText(why_no_list(self._session))
        self._state.setVisible(listed is None)
        # Plots that nobody looks at are neither imported nor drawn.
        if listed is not None and self.isVisible():
            plots = self._made_plots()
            if plots.patterns is not listed.patterns:
                plots.show_patterns(listed.patterns)
        if self.plots is not None:
            self.plots.setVisible(listed is not None)

    def _made_plots(self) -> PatternPlots:
        if self.plots is None:
            # Here, since importing the plots takes most of a second.
            from viewer.panels.pattern_plots import PatternPlots

            self.plots = PatternPlots()
            self._rows.insertWidget(1, self.plots)
        return self.plots
