"""The patterns panel: what the lesions show together, beside published values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from viewer.panels.labels import sentence
from viewer.panels.lesions import why_no_list
from viewer.panels.scrolled import ScrolledPanel
from viewer.session import ReadingSession

if TYPE_CHECKING:
    from viewer.panels.pattern_plots import PatternPlots

__all__ = ["PatternsPanel"]


class PatternsPanel(ScrolledPanel):
    """Four plots of the lesions of the session's findings, or why there are none.

    Parameters
    ----------
    session
        What is shown.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__("Lesions beside published values", parent)
        self._session = session
        self.plots: PatternPlots | None = None
        self._state = sentence("")
        self._state.setObjectName("patterns-state")
        self.rows.addWidget(self._state)
        self.rows.addStretch(1)
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
            self.rows.insertWidget(1, self.plots)
        return self.plots
