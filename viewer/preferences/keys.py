"""Settings: a table of all commands and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
)

from viewer.keymap import KeyMap, shown_key, written_key
from viewer.preferences.page import Page
from viewer.theme import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from viewer.actions import Command
    from viewer.options import Choices, Chosen

__all__ = ["KeysPage"]

_ID = Qt.ItemDataRole.UserRole
_COLUMNS = ("Command", "Menu", "Keys", "Default")
_PLACES = ("Key", "Second key")


class KeysPage(Page):
    """The keys of every command, below the table those of the chosen one.

    Parameters
    ----------
    chosen
        What is shown and changed.
    declared
        Every command.
    """

    title = "Keys"
    fields = ("keys",)

    def __init__(self, chosen: Chosen, declared: Sequence[Command]) -> None:
        super().__init__(chosen)
        self._declared = tuple(declared)
        self._wanted: tuple[str, tuple[str, ...]] | None = None
        self._filter = QLineEdit()
        self._filter.setObjectName("keys-filter")
        self._filter.setAccessibleName("Search commands and keys")
        self._filter.setPlaceholderText("Search commands and keys")
        self._filter.textChanged.connect(self._hide_rows)
        self.table = QTableWidget(len(self._declared), len(_COLUMNS))
        self.table.setObjectName("keys-table")
        self.table.setAccessibleName("Commands and keys")
        self.table.setHorizontalHeaderLabels(_COLUMNS)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(_COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.rows.addWidget(self._filter)
        self.rows.addWidget(self.table, 1)
        self._add_editor()
        self._fill()
        self.table.currentCellChanged.connect(lambda *_: self._show_command())
        self.table.setCurrentCell(0, 0)
        self._show_command()

    def _add_editor(self) -> None:
        self._edits: list[QKeySequenceEdit] = []
        row = QHBoxLayout()
        for place in _PLACES:
            edit = QKeySequenceEdit()
            edit.setObjectName(f"keys-edit-{len(self._edits)}")
            edit.setAccessibleName(place)
            edit.setMaximumSequenceLength(1)
            edit.keySequenceChanged.connect(self._change)
            edit.editingFinished.connect(self._show_again)
            label = QLabel(place)
            label.setBuddy(edit)
            row.addWidget(label)
            row.addWidget(edit, 1)
            self._edits.append(edit)
        self._none = QPushButton("No key")
        self._none.setObjectName("keys-none")
        self._none.setToolTip("Take all keys from this command")
        self._none.clicked.connect(lambda: self._use(self._command().id, ()))
        row.addWidget(self._none)
        self._reset = QPushButton("Reset")
        self._reset.setObjectName("keys-reset")
        self._reset.setToolTip("Give this command its own keys again")
        self._reset.clicked.connect(self._reset_one)
        row.addWidget(self._reset)
        self.rows.addLayout(row)
        told = QHBoxLayout()
        self.said = QLabel()
        self.said.setObjectName("keys-said")
        self.said.setWordWrap(True)
        self.said.setMinimumHeight(2 * self.fontMetrics().height())
        self._take = QPushButton("Use it here instead")
        self._take.setObjectName("keys-take")
        self._take.clicked.connect(self._take_key)
        told.addWidget(self.said, 1)
        told.addWidget(self._take)
        self.rows.addLayout(told)

    # -- showing -----------------------------------------------------------------------------

    @property
    def keymap(self) -> KeyMap:
        """The keys in use."""
        return KeyMap(self._declared, self.chosen.now.keys)

    def show_choices(self) -> None:
        """Show what is chosen."""
        self._fill()
        self._show_command()

    def _changed(self, before: Choices, now: Choices) -> None:
        if before.keys != now.keys:
            self.show_choices()

    def _fill(self) -> None:
        keymap = self.keymap
        for row, command in enumerate(self._declared):
            keys = _shown(keymap.keys(command.id))
            cells = (command.text.rstrip("…"), command.menu, keys, _shown(command.keys))
            for column, text in enumerate(cells):
                item = self.table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    item.setData(_ID, command.id)
                    item.setToolTip(command.tip)
                    self.table.setItem(row, column, item)
                item.setText(text)
                face = item.font()
                face.setBold(column == 2 and command.id in keymap.changed)
                item.setFont(face)
        self._hide_rows(self._filter.text())

    def _hide_rows(self, typed: str) -> None:
        words = typed.casefold().split()
        for row in range(self.table.rowCount()):
            cells = (self.table.item(row, column) for column in range(len(_COLUMNS)))
            text = " ".join(cell.text() for cell in cells if cell is not None).casefold()
            self.table.setRowHidden(row, not all(word in text for word in words))

    def _command(self) -> Command:
        return self._declared[max(0, self.table.currentRow())]

    def _show_command(self) -> None:
        """Show the keys of the chosen command in the editor."""
        command = self._command()
        keys = self.keymap.keys(command.id)
        for place, edit in enumerate(self._edits):
            with QSignalBlocker(edit):
                edit.setKeySequence(QKeySequence(keys[place] if place < len(keys) else ""))
        self._none.setEnabled(bool(keys))
        self._reset.setEnabled(command.id in self.keymap.changed)
        self._say(f"{command.text.rstrip('…')}: {command.tip}.", "muted")

    def _say(self, text: str, tone: str) -> None:
        self.said.setText(text)
        tell(self.said, tone)
        self._take.setVisible(tone == "warning")
        if tone != "warning":
            self._wanted = None

    # -- changing ----------------------------------------------------------------------------

    def _change(self, pressed: QKeySequence) -> None:
        # Empty while keys are being pressed; a key is only taken away by its button.
        if pressed.isEmpty():
            return
        command = self._command()
        wanted = tuple(text for edit in self._edits if (text := written_key(edit.keySequence())))
        # Qt tells once more of what is there when the field is left.
        if wanted != self.keymap.keys(command.id):
            self._use(command.id, wanted)

    def _show_again(self) -> None:
        """Put back what a press of Shift alone has emptied."""
        if any(edit.keySequence().isEmpty() for edit in self._edits) and self._wanted is None:
            self._show_command()

    def _use(self, command_id: str, wanted: tuple[str, ...]) -> None:
        try:
            keymap = self.keymap.with_keys(command_id, wanted)
        except ValueError as error:
            self._show_command()
            self._say(f"{error} Nothing was changed.", "warning")
            self._wanted = (command_id, wanted)
            return
        self.choose(keys=keymap.changed)
        self._show_command()

    def _take_key(self) -> None:
        if self._wanted is None:
            return
        command_id, wanted = self._wanted
        keymap = self.keymap
        for key in wanted:
            owner = keymap.owner(key)
            if owner is not None and owner.id != command_id:
                keymap = keymap.without_key(key)
        self.choose(keys=keymap.with_keys(command_id, wanted).changed)
        self._show_command()

    def _reset_one(self) -> None:
        command = self._command()
        self._use(command.id, command.keys)


def _shown(keys: Sequence[str]) -> str:
    return " or ".join(shown_key(key) for key in keys)
