"""The table of lesions: numbers sort as numbers, and what is not known comes last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QIcon, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from inference.lesion_data import PERIPHERAL_MM
from inference.lesion_review import Decision, Decisions
from inference.studies.model import SliceSource
from inference.studies.naming import image_name
from viewer import theme
from viewer.panels.lesion_columns import COLUMNS, Column, Row
from viewer.panels.lesion_filter import EVERYTHING, LesionFilter
from viewer.panels.words import NOT_COMPUTED, quantity

__all__ = ["COLUMNS", "LesionModel", "LesionTable", "Row"]

Index = QModelIndex | QPersistentModelIndex
_CHIP = QSize(10, 10)
_PADDING = 4
_ROOM = 2 * _PADDING + 3
"""Beside the text of a title: padding, and a little for rounding."""
_ARROWS = {Qt.SortOrder.AscendingOrder: " ▴", Qt.SortOrder.DescendingOrder: " ▾"}
"""In the title of the column that is sorted by: the style's own arrow lies over the text."""


class LesionModel(QAbstractTableModel):
    """The lesions as rows, the largest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self._slices: tuple[SliceSource, ...] = ()

    def show_rows(self, rows: tuple[Row, ...], slices: tuple[SliceSource, ...] = ()) -> None:
        """Show other lesions.

        Parameters
        ----------
        rows
            The largest first.
        slices
            Where the slices of the volume came from, which gives them their names; empty: each is
            called by its place alone.
        """
        self.beginResetModel()
        self.rows, self._slices = rows, slices
        self.endResetModel()

    def show_decisions(self, decisions: Decisions) -> None:
        """Show what the reader decided of the same lesions."""
        before = self.rows
        self.rows = tuple(
            replace(row, decision=decisions.get(row.lesion.number, Decision())) for row in before
        )
        # Whoever hears of a change sorts anew.
        changed = [
            at
            for at, (old, new) in enumerate(zip(before, self.rows, strict=True))
            if old.decision != new.decision
        ]
        if changed:
            first, last = self.index(changed[0], 0), self.index(changed[-1], len(COLUMNS) - 1)
            self.dataChanged.emit(first, last)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """One row a lesion."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as above
        """As `COLUMNS`."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles with units, and what they mean."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{column.tip}. Click to sort."
        return _alignment(column) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, colour, alignment and tooltip."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], COLUMNS[index.column()]
        if role in _IN_WORDS:
            return _in_words(row, self._slices)
        answer = _ANSWERS.get(int(role))
        return None if answer is None else answer(row, column)


def _chip(row: Row, column: Column) -> QIcon | None:
    """The colour that the lesion has in the picture; the same in the row that is chosen."""
    if column.title != "Type":
        return None
    square = QPixmap(_CHIP)
    square.fill(theme.findings_colour(row.lesion.key))
    icon = QIcon(square)
    icon.addPixmap(square, QIcon.Mode.Selected)
    return icon


_ANSWERS: dict[int, Callable[[Row, Column], Any]] = {
    int(Qt.ItemDataRole.DisplayRole): lambda row, column: str(column.text(row)),
    int(Qt.ItemDataRole.TextAlignmentRole): lambda _, column: _alignment(column),
    int(Qt.ItemDataRole.DecorationRole): _chip,
}
"""What the model answers, by the role that is asked for."""
_IN_WORDS = (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole)
"""Roles that are answered by all that is known."""


class _Sorted(QSortFilterProxyModel):
    """Sorts by value; what is not known stays at the end, whichever way it is sorted.

    Shows what passes a filter.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._filter = EVERYTHING

    def set_filter(self, wanted: LesionFilter) -> None:
        """Show what passes another filter."""
        if wanted != self._filter:
            self._filter = wanted
            self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Whether a lesion is shown."""
        model = self.sourceModel()
        assert isinstance(model, LesionModel)  # noqa: S101 - for the type
        return self._filter.shows(model.rows[source_row].lesion)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles, with an arrow where it is sorted."""
        said = super().headerData(section, orientation, role)
        if role == Qt.ItemDataRole.DisplayRole and section == self.sortColumn():
            return f"{said}{_ARROWS[self.sortOrder()]}"
        return said

    def lessThan(self, left: Index, right: Index) -> bool:
        """Compare two cells; equal ones by their number."""
        model = self.sourceModel()
        assert isinstance(model, LesionModel)  # noqa: S101 - for the type
        # This is asked thousands of times for one list: not by way of roles.
        value, rows = COLUMNS[left.column()].value, model.rows
        one, other = value(rows[left.row()]), value(rows[right.row()])
        ascending = self.sortOrder() is Qt.SortOrder.AscendingOrder
        if one is None or other is None:
            return (one is not None) == ascending if one is not other else False
        if one == other:
            return (left.row() < right.row()) == ascending
        return bool(one < other)


class LesionTable(QTableView):
    """The lesions, sortable; a click or Enter asks for one, and so do the arrows.

    A click leaves the keys with the picture; Tab reaches the table.
    """

    chosen = Signal(object)
    """The `Lesion` that the reader wants to see."""
    menu_asked = Signal(object, str, object)
    """(`Lesion`, all that is known of it in words, where on the screen as `QPoint`)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("lesion-table")
        self.setAccessibleName("Lesions")
        self._model = LesionModel(self)
        self._sorted = _Sorted(self)
        self._sorted.setSourceModel(self._model)
        self.setModel(self._sorted)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setIconSize(_CHIP)
        # The columns up to the slice are to fit beside the picture without scrolling.
        self.setProperty("dense", True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        header = self.horizontalHeader()
        header.setStretchLastSection(True)
        header.setHighlightSections(False)
        header.setSortIndicatorClearable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setMinimumSectionSize(20)
        self.setSortingEnabled(True)
        header.setSortIndicatorShown(False)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self._fit_columns()
        header.sortIndicatorChanged.connect(self._fit_columns)
        self.clicked.connect(self._choose)
        self.activated.connect(self._choose)
        self.selectionModel().currentRowChanged.connect(self._step)

    def show_rows(self, rows: tuple[Row, ...], slices: tuple[SliceSource, ...] = ()) -> None:
        """Show other lesions, sorted as the reader last wished; see `LesionModel`."""
        self._model.show_rows(rows, slices)
        if rows:
            self._fit_columns()

    def show_decisions(self, decisions: Decisions) -> None:
        """Show what the reader decided of the same lesions."""
        self._model.show_decisions(decisions)

    def set_filter(self, wanted: LesionFilter) -> None:
        """Show the lesions that pass a filter."""
        self._sorted.set_filter(wanted)

    @property
    def order(self) -> tuple[int, ...]:
        """Numbers of the lesions that are shown, from top to bottom."""
        return tuple(
            self._model.rows[
                self._sorted.mapToSource(self._sorted.index(row, 0)).row()
            ].lesion.number
            for row in range(self._sorted.rowCount())
        )

    def select_lesion(self, number: int) -> None:
        """Select a lesion's row and bring it into sight; none for 0, or where it is filtered."""
        order = self.order if number else ()
        if number not in order:
            self.clearSelection()
            return
        index = self._sorted.index(order.index(number), 0)
        if index.row() != self.currentIndex().row():
            self.selectRow(index.row())
        self.scrollTo(index)

    def _fit_columns(self) -> None:
        """As wide as titles and texts ask for; the last one takes what is left."""
        self.ensurePolished()
        metrics = QFontMetrics(theme.font("small"))
        for place in range(len(COLUMNS)):
            title = self._sorted.headerData(place, Qt.Orientation.Horizontal)
            named = _ROOM + metrics.horizontalAdvance(title)
            self.setColumnWidth(place, max(named, self._widest(place)))

    def _widest(self, place: int) -> int:
        """Width that a column's cells ask for.

        `sizeHintForColumn` asks for all roles of every cell, which holds the window up for 0.1 s
        with 140 lesions; here only the cell with the longest text is asked.
        """
        said, metrics = COLUMNS[place].text, self.fontMetrics()
        # A text of a few kinds or figures comes up again and again.
        rows = {said(row): at for at, row in enumerate(self._model.rows)}
        if not rows:
            return 0
        longest = self._model.index(rows[max(rows, key=metrics.horizontalAdvance)], place)
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        return int(self.itemDelegate().sizeHint(option, longest).width())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask what can be done with the lesion of the row."""
        source = self._sorted.mapToSource(self.indexAt(event.pos()))
        if source.isValid():
            words = str(self._model.data(source, Qt.ItemDataRole.ToolTipRole))
            self.menu_asked.emit(self._model.rows[source.row()].lesion, words, event.globalPos())

    def _choose(self, index: QModelIndex) -> None:
        source = self._sorted.mapToSource(index)
        if source.isValid():
            self.chosen.emit(self._model.rows[source.row()].lesion)

    def _step(self, index: QModelIndex) -> None:
        """Follow the arrows; a click is heard anyway, and a new list is no wish of the reader."""
        if self.hasFocus() and index.isValid():
            self._choose(index)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _in_words(row: Row, slices: tuple[SliceSource, ...]) -> str:
    """All that is known of a lesion, a line each."""
    lesion, decision = row.lesion, row.decision
    said = "not decided" if decision.verdict is None else decision.verdict.value
    deviation = "" if lesion.sd_hu is None else f" ± {lesion.sd_hu:.0f} (standard deviation)"
    share = lesion.peripheral_share
    at = lesion.voxel[2]
    image = image_name(slices, at)
    where = f"{image}, slice {at + 1}" if image else f"slice {at + 1}"
    return "\n".join(
        (
            f"{lesion.number}: {lesion.key.label}, {where}",
            f"Volume: {quantity(lesion.volume_ml, 'ml')} in {lesion.voxels} voxels",
            f"Mean: {quantity(lesion.mean_hu, 'HU')}{deviation}",
            f"Largest diameter in a slice: {quantity(lesion.diameter_mm, 'mm')}",
            f"Side: {lesion.side or NOT_COMPUTED}; zone: {lesion.zone or NOT_COMPUTED}",
            f"Within {PERIPHERAL_MM:g} mm of the lung's surface: "
            f"{NOT_COMPUTED if share is None else quantity(100 * share, '%')}",
            f"Probability in that slice: "
            f"{NOT_COMPUTED if row.probability is None else f'{row.probability:.2f}'}",
            f"Reader: {said}{f'; {decision.comment}' if decision.comment else ''}",
            "No interval is known for these numbers.",
        )
    )
