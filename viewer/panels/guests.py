"""The opened segmentations in the layers panel: whose they are, which segments are shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from viewer.guests import tint_of
from viewer.identity import named
from viewer.panels.labels import chip, heading, muted

if TYPE_CHECKING:
    from inference.opened_segments import OpenedSegmentation
    from viewer.session import ReadingSession

__all__ = ["GuestRows"]


class GuestRows(QWidget):
    """A row a segment, and a button that closes a segmentation; hidden while there is none.

    Parameters
    ----------
    session
        What is shown and changed.
    """

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._content = QWidget()
        self._rows.addWidget(self._content)
        session.guests.changed.connect(self._show)
        session.volume_changed.connect(self._show)
        session.manner.names_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        """Make the rows anew."""
        opened = self._session.guests.of(self._session.volume)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        if opened:
            rows.addWidget(heading("Opened segmentations (not the machine's)"))
        for each in opened:
            self._add(rows, each)
        self._rows.replaceWidget(self._content, content)
        self._content.hide()
        self._content.deleteLater()
        self._content = content
        content.show()
        self.setVisible(bool(opened))

    def _add(self, rows: QVBoxLayout, opened: OpenedSegmentation) -> None:
        shown = not self._session.manner.names_hidden
        head = QHBoxLayout()
        said = [opened.whose(named=shown), opened.description if shown else ""]
        head.addWidget(muted("SEG by " + ": ".join(filter(None, said))), 1)
        close = QToolButton()
        close.setText("Close")
        close.setObjectName(f"close-{opened.uid}")
        close.setAccessibleName(f"Close the segmentation by {opened.maker or 'unknown maker'}")
        close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        close.clicked.connect(partial(self._close, opened.uid))
        head.addWidget(close)
        rows.addLayout(head)
        for segment in opened.segments:
            row = QHBoxLayout()
            row.setSpacing(8)
            row.addWidget(chip(QColor(*tint_of(segment))))
            box = QCheckBox(named(self._session, segment.label))
            box.setObjectName(f"guest-{segment.number}")
            box.setToolTip("Show or hide this segment; its outline is dashed")
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            box.setChecked(self._session.guests.is_shown(opened.uid, segment.number))
            box.toggled.connect(partial(self._session.guests.show, opened.uid, segment.number))
            row.addWidget(box, 1)
            if segment.how:
                row.addWidget(QLabel(segment.how))
            rows.addLayout(row)
        for note in opened.notes:
            rows.addWidget(muted(note))

    def _close(self, uid: str, _checked: bool = False) -> None:
        self._session.guests.close(uid)
