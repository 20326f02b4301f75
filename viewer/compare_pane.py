"""The other series beside the panes: its picture, what it is, and how it is linked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from viewer import theme
from viewer.comparing import Comparison, Link
from viewer.identity import whose_text
from viewer.viewport import SliceView

if TYPE_CHECKING:
    from viewer.session import ReadingSession

__all__ = ["ComparePane", "headed"]


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
        self.title = _title_label("compare-title")
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
        self.head = head = QHBoxLayout()
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
        text = "  ·  ".join(filter(None, (_title(comparison.other), comparison.words())))
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


def headed(panes: QWidget, comparison: Comparison, beside: ComparePane) -> QWidget:
    """Put a line over the panes of the open series that says whose it is, and of when.

    It is there while another series stands beside them: two pictures must never be mixed up,
    whatever the reader has chosen to see in their corners. It is as high as that of the other, so
    that both pictures are.
    """
    session, _ = comparison.sessions
    title = _title_label("open-title")
    title.setContentsMargins(8, 0, 8, 0)

    def show() -> None:
        title.setFixedHeight(beside.head.sizeHint().height())
        title.setVisible(comparison.shown)
        text = _title(session) if comparison.shown else ""
        title.setText(text)
        title.setToolTip(text)

    comparison.changed.connect(show)
    session.manner.names_changed.connect(show)
    show()
    whole = QWidget()
    rows = QVBoxLayout(whole)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    rows.addWidget(title)
    rows.addWidget(panes, 1)
    return whole


def _title_label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def _title(session: ReadingSession) -> str:
    """Whose series it is, of when, and what; in teaching mode what it is alone."""
    study, series = session.study, session.series
    if study is None or series is None:
        return ""
    if session.manner.names_hidden:
        return f"{series.modality}  ·  names hidden"
    return "  ·  ".join(filter(None, (whose_text(study), series.description or series.modality)))
