"""The study tree: patient > study > series, with thumbnails and reading marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from viewer.identity import date_text, named
from viewer.session import ReadingSession
from viewer.theme import colour, tell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.studies.model import Problem, Series, Study

__all__ = ["ANALYSED", "UNREAD", "StudyTree"]

UNREAD = "●"
"""Mark of a series that has not been on the screen."""
ANALYSED = "◐"
"""Mark of a series that the machine has analysed."""

_UNSAID = "OT"
"""Modality of a picture that does not say what it is."""
_THUMBNAIL = 44
_STUDY_ROLE = Qt.ItemDataRole.UserRole
_SERIES_ROLE = Qt.ItemDataRole.UserRole + 1


class StudyTree(QWidget):
    """Lists what has been opened; a click on a series asks for it.

    Parameters
    ----------
    session
        Whose studies are listed.
    """

    series_chosen = Signal(object, object)
    """(study, series) that the reader wants to see."""
    beside_chosen = Signal(object, object)
    """(study, series) that the reader wants to see beside the open one."""

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._thumbnails: dict[str, QIcon] = {}
        self._read: set[str] = set()
        self._analysed: set[str] = set()
        self._items: list[QTreeWidgetItem] = []
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIconSize(QSize(_THUMBNAIL, _THUMBNAIL))
        self.tree.setIndentation(12)
        self.tree.setWordWrap(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setAccessibleName("Studies")
        legend = QLabel(f"{UNREAD} unread   {ANALYSED} analysed")
        legend.setContentsMargins(8, 4, 8, 4)
        tell(legend, "muted")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.tree, 1)
        rows.addWidget(legend)
        self.setMinimumWidth(150)
        self.tree.itemActivated.connect(self._choose)
        self.tree.itemClicked.connect(self._choose)
        session.studies_changed.connect(self._fill)
        session.manner.names_changed.connect(self._fill)
        session.manner.looks_changed.connect(self._refresh)
        session.volume_changed.connect(self._mark_read)
        session.findings_changed.connect(self._mark_analysed)
        self._fill()
        self._mark_read()
        self._mark_analysed()

    def set_thumbnail(self, series_uid: str, picture: NDArray[np.uint8]) -> None:
        """Show the small picture of a series.

        Parameters
        ----------
        series_uid
            Which series.
        picture
            Shape (size, size), grey.
        """
        grey = np.ascontiguousarray(picture)
        rows, columns = grey.shape
        image = QImage(grey.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
        self._thumbnails[series_uid] = _icon(QPixmap.fromImage(image))
        self._refresh()

    def _fill(self) -> None:
        # The list fills while the reader goes through it.
        place = self.tree.verticalScrollBar().value()
        self.tree.clear()
        self._items = []
        patients: dict[tuple[str, str], QTreeWidgetItem] = {}
        hidden = self._session.manner.names_hidden
        for study in self._session.studies:
            key = (study.patient_name, study.patient_id)
            if key not in patients:
                text = f"Patient {len(patients) + 1}" if hidden else _patient_text(study)
                patients[key] = QTreeWidgetItem(self.tree, [text])
                patients[key].setFlags(Qt.ItemFlag.ItemIsEnabled)
            text = f"Study {patients[key].childCount() + 1}" if hidden else _study_text(study)
            branch = QTreeWidgetItem(patients[key], [text])
            branch.setFlags(Qt.ItemFlag.ItemIsEnabled)
            branch.setToolTip(0, self._doubts(study.problems))
            for series in study.series:
                leaf = QTreeWidgetItem(branch)
                leaf.setData(0, _STUDY_ROLE, study)
                leaf.setData(0, _SERIES_ROLE, series)
                leaf.setSizeHint(0, QSize(0, _THUMBNAIL + 10))
                self._items.append(leaf)
        self.tree.expandAll()
        self._refresh()
        self.tree.verticalScrollBar().setValue(place)

    def _refresh(self) -> None:
        """Write texts, marks and thumbnails again; select what is on the screen."""
        shown = self._session.series
        for item in self._items:
            series: Series = item.data(0, _SERIES_ROLE)
            mark = ANALYSED if series.uid in self._analysed else ""
            mark = mark or ("" if series.uid in self._read else UNREAD)
            hidden = self._session.manner.names_hidden
            description = "" if hidden else series.description
            item.setText(0, f"{mark} {_series_text(series, description)}".strip())
            item.setIcon(0, self._thumbnails.get(series.uid, _empty_icon()))
            doubts = self._doubts(series.problems)
            item.setToolTip(
                0, _series_tip(series, "Names are hidden" if hidden else description, doubts)
            )
            if shown is not None and series.uid == shown.uid:
                self.tree.setCurrentItem(item)

    def _doubts(self, problems: Iterable[Problem]) -> str:
        return "\n".join(f"⚠ {named(self._session, problem.sentence)}" for problem in problems)

    def _mark_read(self) -> None:
        if self._session.series is not None:
            self._read.add(self._session.series.uid)
        self._refresh()

    def _mark_analysed(self) -> None:
        if self._session.findings is not None:
            self._analysed.add(self._session.findings.series_uid)
        self._refresh()

    def _choose(self, item: QTreeWidgetItem) -> None:
        series = item.data(0, _SERIES_ROLE)
        if series is None:
            return
        beside = QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier
        wanted = self.beside_chosen if beside else self.series_chosen
        wanted.emit(item.data(0, _STUDY_ROLE), series)


def _patient_text(study: Study) -> str:
    """Name and id as people write them; DICOM parts names by carets (PS3.5, 6.2)."""
    name = ", ".join(part for part in study.patient_name.split("^") if part) or "No name"
    return f"{name} · {study.patient_id}" if study.patient_id else name


def _study_text(study: Study) -> str:
    return " · ".join(filter(None, (date_text(study.date), study.description))) or "Study"


def _series_text(series: Series, description: str) -> str:
    count = len(series.slices)
    kind = "Picture" if series.modality == _UNSAID else series.modality
    lines = f"{kind} {count}" if count > 1 else kind
    return f"{lines}\n{description}" if description else lines


def _series_tip(series: Series, description: str, doubts: str) -> str:
    number = f"Series {series.number}\n" if series.number is not None else ""
    size = f"{len(series.slices)} slices of {series.columns} × {series.rows}"
    return "\n".join(filter(None, (f"{number}{description or 'No description'}", size, doubts)))


def _icon(picture: QPixmap) -> QIcon:
    """Make an icon that looks the same when selected: Qt would tint it, and grey is data here."""
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def _empty_icon() -> QIcon:
    picture = QPixmap(_THUMBNAIL, _THUMBNAIL)
    picture.fill(colour("background"))
    return _icon(picture)
