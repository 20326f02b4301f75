"""The study tree: patient > study > series, with thumbnails and reading marks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QActionGroup, QGuiApplication, QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from viewer.browser.order import Order, fits, ordered
from viewer.identity import date_text, name_text, named
from viewer.series_states import SeriesState, Standing
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

    A click with Shift chooses several, for an analysis.

    Parameters
    ----------
    session
        Whose studies are listed.
    """

    series_chosen = Signal(object, object)
    """(study, series) that the reader wants to see."""
    beside_chosen = Signal(object, object)
    """(study, series) that the reader wants to see beside the open one."""
    menu_asked = Signal(object, object, object)
    """(study, series or None, where on the screen as `QPoint`): what can be done with these?"""
    choice_changed = Signal()
    """Other series are chosen."""

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._thumbnails: dict[str, QIcon] = {}
        self._read: set[str] = set()
        self._items: list[QTreeWidgetItem] = []
        self._current: QTreeWidgetItem | None = None
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setIconSize(QSize(_THUMBNAIL, _THUMBNAIL))
        self.tree.setIndentation(12)
        self.tree.setWordWrap(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setAccessibleName("Studies")
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._ask_menu)
        self._order = Order.OPENED
        top = self._make_top()
        legend = QLabel(f"{UNREAD} unread   {ANALYSED} analysed")
        legend.setContentsMargins(8, 4, 8, 4)
        tell(legend, "muted")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addLayout(top)
        rows.addWidget(self._none_fits)
        rows.addWidget(self.tree, 1)
        rows.addWidget(legend)
        self.setMinimumWidth(150)
        self.tree.itemActivated.connect(self._choose)
        self.tree.itemClicked.connect(self._choose)
        session.studies_changed.connect(self._fill)
        session.manner.names_changed.connect(self._fill)
        session.manner.looks_changed.connect(self._refresh)
        session.volume_changed.connect(self._mark_read)
        session.states.changed.connect(self._refresh)
        self.tree.itemSelectionChanged.connect(self.choice_changed)
        self._fill()
        self._mark_read()

    @property
    def chosen(self) -> tuple[tuple[Study, Series], ...]:
        """The series that are chosen, from top to bottom."""
        return tuple(
            (item.data(0, _STUDY_ROLE), item.data(0, _SERIES_ROLE))
            for item in self._items
            if item.isSelected() and not item.isHidden()
        )

    def _make_top(self) -> QHBoxLayout:
        self.search = QLineEdit()
        self.search.setObjectName("study-search")
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search the study list")
        self.search.setToolTip("Show only what has these words: name, number, date, description")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.sort_button = self._make_sort_button()
        self._none_fits = QLabel("Nothing in the list has these words.")
        self._none_fits.setObjectName("nothing-fits")
        self._none_fits.setWordWrap(True)
        self._none_fits.setContentsMargins(8, 4, 8, 4)
        tell(self._none_fits, "muted")
        top = QHBoxLayout()
        top.setContentsMargins(4, 4, 4, 4)
        top.setSpacing(4)
        top.addWidget(self.search, 1)
        top.addWidget(self.sort_button)
        return top

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

    def thumbnail(self, series_uid: str) -> QIcon:
        """The small picture of a series; an empty one where it has not been drawn yet."""
        return self._thumbnails.get(series_uid, _empty_icon())

    def _fill(self) -> None:
        # The list fills while the reader goes through it.
        place = self.tree.verticalScrollBar().value()
        self.tree.clear()
        self._items, self._current = [], None
        patients: dict[tuple[str, str], QTreeWidgetItem] = {}
        hidden = self._session.manner.names_hidden
        for study in ordered(self._session.studies, self._order):
            key = (study.patient_name, study.patient_id)
            if key not in patients:
                text = f"Patient {len(patients) + 1}" if hidden else _patient_text(study)
                patients[key] = QTreeWidgetItem(self.tree, [text])
                patients[key].setFlags(Qt.ItemFlag.ItemIsEnabled)
            text = f"Study {patients[key].childCount() + 1}" if hidden else _study_text(study)
            branch = QTreeWidgetItem(patients[key], [text])
            branch.setData(0, _STUDY_ROLE, study)
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
        self._filter()
        self.tree.verticalScrollBar().setValue(place)

    def _refresh(self) -> None:
        """Write texts, marks and thumbnails again; select what is on the screen."""
        shown = self._session.series
        for item in self._items:
            series: Series = item.data(0, _SERIES_ROLE)
            state = self._session.states.of(series.uid)
            mark = ANALYSED if state.standing in {Standing.DONE, Standing.STALE} else ""
            mark = mark or ("" if series.uid in self._read else UNREAD)
            hidden = self._session.manner.names_hidden
            description = "" if hidden else series.description
            item.setText(0, f"{mark} {_series_text(series, description, state)}".strip())
            item.setIcon(0, self.thumbnail(series.uid))
            doubts = self._doubts(series.problems)
            tip = _series_tip(series, "Names are hidden" if hidden else description, doubts)
            said = named(self._session, _state_tip(state, dated=not hidden))
            item.setToolTip(0, "\n".join(filter(None, (tip, said))))
            # Once: it would undo what the reader chooses meanwhile.
            if shown is not None and series.uid == shown.uid and item is not self._current:
                self._current = item
                self.tree.setCurrentItem(item)

    # -- which are listed, and how --------------------------------------------------------------

    def listed(self) -> list[tuple[Study, Series]]:
        """Every series that the list shows, from top to bottom, with its study."""
        root = self.tree.invisibleRootItem()
        leaves = (
            leaf
            for patient in _children(root)
            for study in _children(patient)
            for leaf in _children(study)
        )
        return [
            (leaf.data(0, _STUDY_ROLE), leaf.data(0, _SERIES_ROLE))
            for leaf in leaves
            if not leaf.isHidden()
        ]

    def sort(self, order: Order) -> None:
        """List the studies in another order."""
        self._order = order
        self._fill()

    def _make_sort_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("study-sort")
        button.setText("Sort")
        button.setAccessibleName("Sort the study list")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        group = QActionGroup(menu)
        for order in Order:
            entry = menu.addAction(order.words)
            entry.setObjectName(f"sort-{order.value}")
            entry.setCheckable(True)
            entry.setChecked(order is self._order)
            entry.triggered.connect(partial(self._sort_by, order))
            group.addAction(entry)
        button.setMenu(menu)
        return button

    def _sort_by(self, order: Order, _checked: bool = False) -> None:
        self.sort(order)

    def _filter(self) -> None:
        """Hide what lacks the words; a study with one series that has them stays."""
        typed = self.search.text()
        for patient in _children(self.tree.invisibleRootItem()):
            for study in _children(patient):
                for leaf in _children(study):
                    texts = (patient.text(0), study.text(0), leaf.text(0))
                    leaf.setHidden(not fits(typed, *texts))
                study.setHidden(all(leaf.isHidden() for leaf in _children(study)))
            patient.setHidden(all(study.isHidden() for study in _children(patient)))
        self._none_fits.setVisible(bool(self._items) and not self.listed())

    def _ask_menu(self, at: QPoint) -> None:
        item = self.tree.itemAt(at)
        study = None if item is None else item.data(0, _STUDY_ROLE)
        if item is not None and study is not None:
            series = item.data(0, _SERIES_ROLE)
            self.menu_asked.emit(study, series, self.tree.viewport().mapToGlobal(at))

    def _doubts(self, problems: Iterable[Problem]) -> str:
        return "\n".join(f"⚠ {named(self._session, problem.sentence)}" for problem in problems)

    def _mark_read(self) -> None:
        if self._session.series is not None:
            self._read.add(self._session.series.uid)
        self._refresh()

    def _choose(self, item: QTreeWidgetItem) -> None:
        series = item.data(0, _SERIES_ROLE)
        held = QGuiApplication.keyboardModifiers()
        if series is None or held & Qt.KeyboardModifier.ShiftModifier:
            return
        beside = held & Qt.KeyboardModifier.ControlModifier
        wanted = self.beside_chosen if beside else self.series_chosen
        wanted.emit(item.data(0, _STUDY_ROLE), series)


def _children(item: QTreeWidgetItem) -> list[QTreeWidgetItem]:
    found = (item.child(place) for place in range(item.childCount()))
    return [child for child in found if child is not None]


def _patient_text(study: Study) -> str:
    """Name and id as people write them."""
    name = name_text(study.patient_name) or "No name"
    return f"{name} · {study.patient_id}" if study.patient_id else name


def _study_text(study: Study) -> str:
    return " · ".join(filter(None, (date_text(study.date), study.description))) or "Study"


def _series_text(series: Series, description: str, state: SeriesState) -> str:
    count = len(series.slices)
    kind = "Picture" if series.modality == _UNSAID else series.modality
    lines = f"{kind} {count}" if count > 1 else kind
    said = f"{state.percent} %" if state.standing is Standing.RUNNING else state.standing.value
    if state.standing in {Standing.DONE, Standing.CANCELLED}:
        said = ""
    # In a narrow list the description gives way, never how far the analysis is.
    second = " · ".join(filter(None, (said, description)))
    return f"{lines}\n{second}" if second else lines


def _series_tip(series: Series, description: str, doubts: str) -> str:
    number = f"Series {series.number}\n" if series.number is not None else ""
    size = f"{len(series.slices)} slices of {series.columns} × {series.rows}"
    return "\n".join(filter(None, (f"{number}{description or 'No description'}", size, doubts)))


def _state_tip(state: SeriesState, *, dated: bool) -> str:
    """What there is to say of the analysis beyond the word in the list."""
    when = f" on {state.made}" if state.made and dated else ""
    if state.standing is Standing.STALE:
        return f"Analysed{when} {state.why}; analyse again."
    if state.standing is Standing.FAILED:
        return f"Not analysed: {state.why}"
    return f"Analysed{when}" if state.standing is Standing.DONE and state.made else ""


def _icon(picture: QPixmap) -> QIcon:
    """Make an icon that looks the same when selected: Qt would tint it, and grey is data here."""
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def _empty_icon() -> QIcon:
    picture = QPixmap(_THUMBNAIL, _THUMBNAIL)
    picture.fill(colour("background"))
    return _icon(picture)
