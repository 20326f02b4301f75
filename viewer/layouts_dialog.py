"""The dialog in which a reader makes a layout, gives it a name, and takes one that has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from viewer.hanging import load_layouts
from viewer.layouts import keep_layout, kept_layouts
from viewer.panes import MOST_PANES, Content, Layout

if TYPE_CHECKING:
    from viewer.session import ReadingSession
    from viewer.settings import Settings

__all__ = ["LayoutsDialog"]

_MOST_COLUMNS = 3
_MOST_ROWS = 2
_LAYOUT_ROLE = Qt.ItemDataRole.UserRole
_KEPT_ROLE = Qt.ItemDataRole.UserRole + 1


class LayoutsDialog(QDialog):
    """Makes the layout of the window, which follows every change at once.

    Parameters
    ----------
    session
        Whose layout is made.
    settings
        Keep layouts by name.
    parent
        The window.
    """

    def __init__(
        self, session: ReadingSession, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._settings = settings
        self.setWindowTitle("Layouts")
        self.names = QListWidget()
        self.names.setAccessibleName("Layouts by name")
        self.names.itemActivated.connect(self._take)
        self.names.itemClicked.connect(self._take)
        self.names.currentItemChanged.connect(self._offer_to_forget)
        self.forget = QPushButton("Forget")
        self.forget.setToolTip("Forget the chosen layout; those of the program stay")
        self.forget.clicked.connect(self._forget)
        self.columns = QSpinBox()
        self.columns.setRange(1, _MOST_COLUMNS)
        self.columns.setAccessibleName("Columns")
        self.columns.valueChanged.connect(self._make)
        self.rows: list[QSpinBox] = []
        self.cells: list[list[QComboBox]] = []
        self.name = QLineEdit()
        self.name.setPlaceholderText("Name of this layout")
        self.name.setAccessibleName("Name of this layout")
        self.name.textChanged.connect(self._offer_to_keep)
        self.keep = QPushButton("Keep")
        self.keep.setToolTip("Keep this layout under the name, in the place of one that has it")
        self.keep.clicked.connect(self._keep)
        self._place()
        self._list_names()
        self._offer_to_keep()
        self._show_present()
        session.arrangement.layout_changed.connect(self._show_present)
        session.arrangement.panes_changed.connect(self._show_present)

    # -- placing -----------------------------------------------------------------------------

    def _place(self) -> None:
        listed = QVBoxLayout()
        listed.addWidget(QLabel("Take a layout"))
        listed.addWidget(self.names, 1)
        listed.addWidget(self.forget)
        made = QGroupBox("Make one")
        grid = QGridLayout(made)
        grid.addWidget(QLabel("Columns"), 0, 0)
        grid.addWidget(self.columns, 0, 1)
        grid.addWidget(QLabel("Panes in each"), 1, 0)
        for column in range(_MOST_COLUMNS):
            rows = QSpinBox()
            rows.setRange(1, _MOST_ROWS)
            rows.setAccessibleName(f"Panes in column {column + 1}")
            rows.valueChanged.connect(self._make)
            grid.addWidget(rows, 1, column + 1)
            self.rows.append(rows)
            cells = []
            for row in range(_MOST_ROWS):
                cell = QComboBox()
                cell.setAccessibleName(f"Content of column {column + 1}, pane {row + 1}")
                for content in Content:
                    cell.addItem(content.words, content)
                cell.currentIndexChanged.connect(self._make)
                grid.addWidget(cell, 2 + row, column + 1)
                cells.append(cell)
            self.cells.append(cells)
        keeping = QHBoxLayout()
        keeping.addWidget(self.name, 1)
        keeping.addWidget(self.keep)
        right = QVBoxLayout()
        right.addWidget(made)
        right.addLayout(keeping)
        right.addStretch(1)
        across = QHBoxLayout()
        across.addLayout(listed)
        across.addLayout(right, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        # The style's own icon is black on black.
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.rejected.connect(self.close)
        whole = QVBoxLayout(self)
        whole.addLayout(across)
        whole.addWidget(buttons)

    # -- the names ---------------------------------------------------------------------------

    def _list_names(self) -> None:
        self.names.clear()
        for is_kept, layouts in (
            (False, [each.layout for each in load_layouts()]),
            (True, kept_layouts(self._settings)),
        ):
            for layout in layouts:
                item = QListWidgetItem(layout.name, self.names)
                item.setData(_LAYOUT_ROLE, layout)
                item.setData(_KEPT_ROLE, is_kept)
        self._offer_to_forget()

    def _take(self, item: QListWidgetItem) -> None:
        self._session.arrangement.set_layout(item.data(_LAYOUT_ROLE))

    def _offer_to_forget(self, *_: object) -> None:
        item = self.names.currentItem()
        self.forget.setEnabled(item is not None and bool(item.data(_KEPT_ROLE)))

    def _forget(self) -> None:
        item = self.names.currentItem()
        if item is not None:
            keep_layout(self._settings, item.text(), None)
            self._list_names()

    def _offer_to_keep(self, *_: object) -> None:
        name = self.name.text().strip()
        own = {each.layout.name for each in load_layouts()}
        self.keep.setEnabled(bool(name) and name not in own)

    def _keep(self) -> None:
        keep_layout(self._settings, self.name.text().strip(), self._session.arrangement.layout)
        self.name.clear()
        self._list_names()

    # -- the grid ----------------------------------------------------------------------------

    def _show_present(self) -> None:
        """Show the layout that the window has; nothing is made by that."""
        layout = self._session.arrangement.layout
        widgets: list[QSpinBox | QComboBox] = [self.columns, *self.rows]
        widgets += [cell for cells in self.cells for cell in cells]
        for widget in widgets:
            widget.blockSignals(True)
        self.columns.setValue(len(layout.columns))
        for number, (rows, cells) in enumerate(zip(self.rows, self.cells, strict=True)):
            column = layout.columns[number] if number < len(layout.columns) else ()
            rows.setEnabled(bool(column))
            rows.setValue(max(1, len(column)))
            for place, cell in enumerate(cells):
                cell.setEnabled(place < len(column))
                if place < len(column):
                    cell.setCurrentIndex(cell.findData(column[place]))
        for widget in widgets:
            widget.blockSignals(False)

    def _make(self, *_: object) -> None:
        columns = []
        for rows, cells in zip(self.rows, self.cells, strict=True):
            # Qt hands a name back as a plain string.
            shown = (Content(cell.currentData()) for cell in cells[: rows.value()])
            columns.append(tuple(shown))
        wanted = tuple(columns[: self.columns.value()])
        if sum(map(len, wanted)) <= MOST_PANES:
            self._session.arrangement.set_layout(Layout("Custom", wanted))
