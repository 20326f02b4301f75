"""The table of measurements: what was measured on the open series, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from inference.measurements.model import MOST_TEXT
from inference.studies.naming import image_name, slice_name
from viewer import theme
from viewer.panels.labels import muted

if TYPE_CHECKING:
    from inference.measurements import Measurement
    from viewer.session import ReadingSession

__all__ = ["MeasurementsPanel"]

_HEADINGS = ("#", "Kind", "Slice", "Value", "Note")
_NUMBER, _VALUE, _NOTE = 0, 3, 4
_PLANES = ("Column", "Row", "")
_SLICE_AXIS = 2
_EMPTY = (
    "Nothing has been measured on this series. Choose a tool under Measure, for instance Length "
    "(D), and drag on the picture."
)
_NOTHING_OPEN = "Open a study to measure in it."


class MeasurementsPanel(QWidget):
    """Every measurement of the open series, by number; a click goes there.

    Notes can be written in the table. Lengths and areas are those of the outline, everything else
    comes from the stored values.

    Parameters
    ----------
    session
        What is shown and asked to change.
    """

    menu_asked = Signal(str, object)
    """(id of the measurement, where on the screen as `QPoint`)."""

    def __init__(self, session: ReadingSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._notebook = session.measurements
        self._ids: list[str] = []
        self.table = _make_table()
        self.hint = muted(_NOTHING_OPEN)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        hint = QWidget()
        room = QVBoxLayout(hint)
        room.setContentsMargins(12, 8, 12, 12)
        room.addWidget(self.hint)
        room.addStretch(1)
        self._pages = QStackedWidget()
        self._pages.addWidget(hint)
        self._pages.addWidget(self.table)
        self.copy_button = QPushButton("Copy table")
        self.copy_button.setToolTip("Copy the table, to be pasted into a report or a spreadsheet")
        self.delete_button = QPushButton("Delete")
        self.delete_button.setToolTip("Delete the selected measurement (Del)")
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(12, 4, 12, 8)
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.delete_button)
        buttons.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._pages, 1)
        rows.addWidget(self._buttons)

        self.copy_button.clicked.connect(self.copy)
        self.delete_button.clicked.connect(self._delete)
        self.table.itemSelectionChanged.connect(self._choose)
        self.table.itemClicked.connect(self._choose)
        self.table.itemChanged.connect(self._write)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._ask_menu)
        self._notebook.changed.connect(self._show)
        self._notebook.selection_changed.connect(self._show_selection)
        session.volume_changed.connect(self._show)
        self._show()

    def _ask_menu(self, at: QPoint) -> None:
        row = self.table.rowAt(at.y())
        if 0 <= row < len(self._ids):
            self.menu_asked.emit(self._ids[row], self.table.viewport().mapToGlobal(at))

    def copy(self) -> None:
        """Put the table on the clipboard, a line a measurement, cells apart by tabs."""
        lines = ["\t".join(_HEADINGS)]
        for measurement_id in self._ids:
            each = self._notebook.get(measurement_id)
            if each is not None:
                lines.append("\t".join("; ".join(cell.splitlines()) for cell in self._cells(each)))
        QGuiApplication.clipboard().setText("\n".join(lines) + "\n")

    def _show(self) -> None:
        measurements = sorted(self._notebook.measurements, key=lambda each: each.number)
        self._ids = [each.id for each in measurements]
        with QSignalBlocker(self.table):
            self.table.setRowCount(len(measurements))
            for row, each in enumerate(measurements):
                self._show_row(row, each)
            self.table.resizeRowsToContents()
        is_open = self._session.volume is not None
        self.hint.setText(_EMPTY if is_open else _NOTHING_OPEN)
        self._pages.setCurrentIndex(1 if measurements else 0)
        self._buttons.setVisible(bool(measurements))
        self._show_selection()

    def _cells(self, each: Measurement) -> tuple[str, ...]:
        """What stands in a row; an arrow and a text have no value, and so an empty cell."""
        lines = "\n".join(self._notebook.values(each).lines)
        place = f"{_PLANES[each.axis]} {each.plane + 1}".strip()
        volume = self._session.volume
        if (
            each.axis == _SLICE_AXIS
            and volume is not None
            and image_name(volume.slices, each.plane)
        ):
            place = slice_name(volume.slices, each.plane, volume.shape[0])
        if each.slant is not None:
            place = "Oblique"
        if each.slab is not None:
            place += f"\n{each.slab.brief}"
        return str(each.number), each.kind.label, place, lines, each.text

    def _show_row(self, row: int, each: Measurement) -> None:
        notes = self._notebook.values(each).notes
        for column, text in enumerate(self._cells(each)):
            item = self.table.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
                self.table.setItem(row, column, item)
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            tip = "\n".join((text, *notes)) if column == _VALUE else text
            if column == _NOTE:
                flags |= Qt.ItemFlag.ItemIsEditable
                tip = text or "Double-click to write a note"
            item.setFlags(flags)
            item.setText(text)
            item.setToolTip(tip)

    def _show_selection(self) -> None:
        selected = self._notebook.selected
        self.delete_button.setEnabled(selected is not None)
        with QSignalBlocker(self.table):
            self.table.clearSelection()
            if selected is not None and selected.id in self._ids:
                row = self._ids.index(selected.id)
                self.table.setCurrentCell(row, _NUMBER)
                self.table.scrollTo(self.table.model().index(row, _NUMBER))

    def _choose(self) -> None:
        rows = {item.row() for item in self.table.selectedItems()}
        if rows:
            self._notebook.show(self._ids[rows.pop()])

    def _delete(self) -> None:
        if self._notebook.selected is not None:
            self._notebook.remove(self._notebook.selected.id)

    def _write(self, item: QTableWidgetItem) -> None:
        if item.column() == _NOTE:
            self._notebook.set_text(
                self._ids[item.row()], " ".join(item.text().split())[:MOST_TEXT]
            )


def _make_table() -> QTableWidget:
    table = QTableWidget(0, len(_HEADINGS))
    table.setAccessibleName("Measurements")
    table.setFont(theme.font("small"))
    table.setHorizontalHeaderLabels(_HEADINGS)
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setWordWrap(True)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(True)
    return table
