"""The other series beside the panes: its picture, what it is, and how it is linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from viewer import theme
from viewer.comparing import Comparison, Link
from viewer.viewport import SliceView

if TYPE_CHECKING:
    from inference.studies.model import Study
    from viewer.opening import Opener
    from viewer.session import ReadingSession

__all__ = ["ComparePane", "ask_to_compare", "date_text"]


class ComparePane(QWidget):
    """Shown while there is another series.

    Parameters
    ----------
    comparison
        What is compared.
    """

    def __init__(self, comparison: Comparison, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison = comparison
        self.view = SliceView(comparison.other)
        self.title = QLabel()
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.warning = QLabel("another patient")
        theme.tell(self.warning, "warning")
        self.warning.setToolTip("The files do not name the same patient for both studies")
        self.link = QToolButton()
        self.link.setObjectName("compare-link")
        self.link.setAccessibleName("Link the two series")
        self.link.clicked.connect(self._toggle_link)
        self.close_button = QToolButton()
        self.close_button.setText("Close")
        self.close_button.setAccessibleName("Stop comparing")
        self.close_button.setToolTip("Show the open series alone again")
        self.close_button.clicked.connect(comparison.close)
        head = QHBoxLayout()
        head.setContentsMargins(8, 2, 4, 2)
        head.addWidget(self.title, 1)
        head.addWidget(self.warning)
        head.addWidget(self.link)
        head.addWidget(self.close_button)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addLayout(head)
        rows.addWidget(self.view, 1)
        self.setAccessibleName("Series to compare with")
        comparison.changed.connect(self._show_state)
        comparison.other.manner.names_changed.connect(self._show_state)
        self._show_state()

    def _show_state(self) -> None:
        comparison = self._comparison
        self.setVisible(comparison.shown)
        study, series = comparison.other.study, comparison.other.series
        if study is None or series is None or not comparison.shown:
            return
        names = (date_text(study), series.description or series.modality)
        if comparison.other.manner.names_hidden:
            names = (series.modality, "names hidden")
        parts = (*names, comparison.words())
        text = "  ·  ".join(part for part in parts if part)
        self.title.setText(text)
        self.title.setToolTip(text)
        self.warning.setVisible(comparison.another_patient())
        linked = comparison.link is not Link.NONE
        self.link.setText("Unlink" if linked else "Link")
        self.link.setToolTip(
            "Let each series move by itself"
            if linked
            else "Let the two move together from the slices that they show now on"
        )

    def _toggle_link(self) -> None:
        if self._comparison.link is Link.NONE:
            self._comparison.link_as_they_stand()
        else:
            self._comparison.unlink()


def date_text(study: Study) -> str:
    """Date of a study as year-month-day; empty where the file has none."""
    digits = study.date
    if len(digits) == 8 and digits.isdecimal():
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    return digits


def ask_to_compare(window: QWidget, session: ReadingSession, opener: Opener) -> None:
    """Ask for the series that is to stand beside the open one, and open it there."""
    others = [
        (study, series)
        for study in session.studies
        for series in study.series
        if series is not session.series
    ]
    words = []
    for number, (study, series) in enumerate(others, start=1):
        parts = [f"{number}. {series.modality} {len(series.slices)}"]
        if not session.manner.names_hidden:
            parts += [date_text(study), series.description]
        words.append("  ".join(filter(None, parts)))
    chosen, taken = QInputDialog.getItem(
        window, "Compare", "Series to show beside the open one:", words, 0, editable=False
    )
    if taken:
        opener.show_series(*others[words.index(chosen)])
