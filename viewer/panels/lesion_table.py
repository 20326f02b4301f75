"""The table of lesions: numbers sort as numbers, and what is not known comes last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from PySide6.QtGui import QFontMetrics, QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from inference.findings import Manifestation
from inference.lesion_data import PERIPHERAL_MM, Lesion
from viewer import theme
from viewer.panels.words import NOT_COMPUTED, quantity

__all__ = ["COLUMNS", "LesionModel", "LesionTable"]

Index = QModelIndex | QPersistentModelIndex
_SORT_ROLE = int(Qt.ItemDataRole.UserRole)
_UNKNOWN = "–"
_TYPES = {
    Manifestation.GGO: "GGO",
    Manifestation.CONSOLIDATION: "Cons.",
    Manifestation.EFFUSION: "Eff.",
}
_SIDES = {"right": "R", "left": "L", "both": "R+L"}
_ORDER = {name: place for place, name in enumerate(
    ("right", "both", "left", "upper", "middle", "lower", "peripheral", "central")
)}  # fmt: skip
_SHORT = {"peripheral": "periph."}
_CHIP = QSize(10, 10)
_PADDING = 4
_ROOM = 2 * _PADDING + 3
"""Beside the text of a title: padding, and a little for rounding."""
_ARROWS = {Qt.SortOrder.AscendingOrder: " ▴", Qt.SortOrder.DescendingOrder: " ▾"}
"""In the title of the column that is sorted by: the style's own arrow lies over the text."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table.

    Parameters
    ----------
    title, tip
        Header, with the unit, and what it means.
    text
        What a cell says.
    value
        What it is sorted by; None where it is not known.
    number
        Figures stand under each other on the right.
    """

    title: str
    tip: str
    text: Callable[[Lesion], str]
    value: Callable[[Lesion], float | None]
    number: bool = False


def _millilitres(lesion: Lesion) -> str:
    return _UNKNOWN if lesion.volume_ml is None else f"{lesion.volume_ml:.2f}"


def _density(lesion: Lesion) -> str:
    return _UNKNOWN if lesion.mean_hu is None else str(round(lesion.mean_hu)).replace("-", "−")


def _rank(word: str | None) -> float | None:
    return None if word is None else float(_ORDER[word])


COLUMNS = (
    _Column("#", "Number, the largest lesion first",
            lambda lesion: str(lesion.number), lambda lesion: float(lesion.number), number=True),
    _Column("Type", "Which manifestation",
            lambda lesion: _TYPES[lesion.key],
            lambda lesion: float(list(Manifestation).index(lesion.key))),
    _Column("ml", "Volume in millilitres", _millilitres, lambda lesion: lesion.volume_ml,
            number=True),
    _Column("HU", "Mean density in Hounsfield units", _density, lambda lesion: lesion.mean_hu,
            number=True),
    _Column("Side", "The patient's right (R) or left (L) lung; R+L: it reaches into both",
            lambda lesion: _UNKNOWN if lesion.side is None else _SIDES[lesion.side],
            lambda lesion: _rank(lesion.side)),
    _Column("Zone", "Third of that lung's height, not a lobe",
            lambda lesion: lesion.zone or _UNKNOWN, lambda lesion: _rank(lesion.zone)),
    _Column("Place", f"Peripheral: at least half of it lies within {PERIPHERAL_MM:g} mm of the "
            "lung's surface, in the slice",
            lambda lesion: _UNKNOWN if lesion.place is None
            else _SHORT.get(lesion.place, lesion.place), lambda lesion: _rank(lesion.place)),
)  # fmt: skip


class LesionModel(QAbstractTableModel):
    """The lesions as rows, the largest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lesions: tuple[Lesion, ...] = ()

    def show_lesions(self, lesions: tuple[Lesion, ...]) -> None:
        """Show other lesions."""
        self.beginResetModel()
        self.lesions = lesions
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """One row a lesion."""
        return 0 if parent.isValid() else len(self.lesions)

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
        """Text, colour, alignment, tooltip, and the value to sort by."""
        if not index.isValid():
            return None
        lesion, column = self.lesions[index.row()], COLUMNS[index.column()]
        answer = _ANSWERS.get(int(role))
        return None if answer is None else answer(lesion, column)


def _chip(lesion: Lesion, column: _Column) -> QIcon | None:
    """The colour that the lesion has in the picture; the same in the row that is chosen."""
    if column.title != "Type":
        return None
    square = QPixmap(_CHIP)
    square.fill(theme.findings_colour(lesion.key))
    icon = QIcon(square)
    icon.addPixmap(square, QIcon.Mode.Selected)
    return icon


_ANSWERS: dict[int, Callable[[Lesion, _Column], Any]] = {
    int(Qt.ItemDataRole.DisplayRole): lambda lesion, column: str(column.text(lesion)),
    _SORT_ROLE: lambda lesion, column: column.value(lesion),
    int(Qt.ItemDataRole.TextAlignmentRole): lambda _, column: _alignment(column),
    int(Qt.ItemDataRole.DecorationRole): _chip,
    int(Qt.ItemDataRole.ToolTipRole): lambda lesion, _: _in_words(lesion),
    int(Qt.ItemDataRole.AccessibleDescriptionRole): lambda lesion, _: _in_words(lesion),
}
"""What the model answers, by the role that is asked for."""


class _Sorted(QSortFilterProxyModel):
    """Sorts by value; what is not known stays at the end, whichever way it is sorted."""

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
        one, other = (self.sourceModel().data(index, _SORT_ROLE) for index in (left, right))
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
        # Seven columns are to fit beside the picture without scrolling.
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

    def show_lesions(self, lesions: tuple[Lesion, ...]) -> None:
        """Show other lesions, sorted as the reader last wished."""
        self._model.show_lesions(lesions)
        self._fit_columns()

    def _fit_columns(self) -> None:
        """As wide as titles and texts ask for; the last one takes what is left."""
        metrics = QFontMetrics(theme.font("small"))
        for place in range(len(COLUMNS)):
            title = self._sorted.headerData(place, Qt.Orientation.Horizontal)
            named = _ROOM + metrics.horizontalAdvance(title)
            self.setColumnWidth(place, max(named, self.sizeHintForColumn(place)))

    def _choose(self, index: QModelIndex) -> None:
        source = self._sorted.mapToSource(index)
        if source.isValid():
            self.chosen.emit(self._model.lesions[source.row()])

    def _step(self, index: QModelIndex) -> None:
        """Follow the arrows; a click is heard anyway, and a new list is no wish of the reader."""
        if self.hasFocus() and index.isValid():
            self._choose(index)


def _alignment(column: _Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.number else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _in_words(lesion: Lesion) -> str:
    """All that is known of a lesion, a line each."""
    deviation = "" if lesion.sd_hu is None else f" ± {lesion.sd_hu:.0f} (standard deviation)"
    share = lesion.peripheral_share
    return "\n".join(
        (
            f"{lesion.number}: {lesion.key.label}, slice {lesion.voxel[2] + 1}",
            f"Volume: {quantity(lesion.volume_ml, 'ml')} in {lesion.voxels} voxels",
            f"Mean: {quantity(lesion.mean_hu, 'HU')}{deviation}",
            f"Largest diameter in a slice: {quantity(lesion.diameter_mm, 'mm')}",
            f"Side: {lesion.side or NOT_COMPUTED}; zone: {lesion.zone or NOT_COMPUTED}",
            f"Within {PERIPHERAL_MM:g} mm of the lung's surface: "
            f"{NOT_COMPUTED if share is None else quantity(100 * share, '%')}",
            "No interval is known for these numbers.",
        )
    )
