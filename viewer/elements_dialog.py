"""Every DICOM element of the slice on the screen: searched, copied, read beside the window."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
)
from PySide6.QtGui import QGuiApplication, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from inference.studies.model import SourceKind
from viewer.theme import tell
from viewer.worker import Job, Worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QCloseEvent

    from inference.progress import Progress
    from inference.studies.elements import Element
    from viewer.session import ReadingSession

__all__ = ["ElementsDialog"]

Index = QModelIndex | QPersistentModelIndex
_COLUMNS: Final = ("Tag", "Name", "VR", "Value")
_HIDDEN: Final = "hidden"
_INDENT: Final = "    "
_SETTLE_MS: Final = 150
"""The file is read when the reader has stayed on a slice for so long."""


class _Model(QAbstractTableModel):
    """The elements as rows; what may tell the patient is left out in teaching mode."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._elements: Sequence[Element] = ()
        self._hidden = False

    def show_elements(self, elements: Sequence[Element], *, hidden: bool) -> None:
        self.beginResetModel()
        self._elements, self._hidden = elements, hidden
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._elements)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as above
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return self._cells(self._elements[index.row()])[index.column()]
        return None

    def _cells(self, element: Element) -> tuple[str, str, str, str]:
        value = _HIDDEN if self._hidden and element.telling and element.value else element.value
        indent = _INDENT * element.depth
        # The name of a private element comes from the file, too.
        private = self._hidden and element.telling and _is_private(element.tag)
        name = "Private" if private else element.name
        return f"{indent}{element.tag}", f"{indent}{name}", element.vr, value


class _Found(QSortFilterProxyModel):
    """The rows in which every word stands that was typed, in any column."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: list[str] = []

    def search(self, typed: str) -> None:
        self._words = typed.casefold().split()
        # What is set is not what is asked below; it has Qt ask again.
        self.setFilterFixedString(typed)

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        model = self.sourceModel()
        cells = (str(model.index(row, column).data()) for column in range(len(_COLUMNS)))
        text = "\n".join(cells).casefold()
        return all(word in text for word in self._words)


class ElementsDialog(QDialog):
    """Lists the elements of the file that the slice on the screen is from, and follows the slice.

    Parameters
    ----------
    session
        Says which slice, and whether names are hidden.
    worker
        Reads.
    parent
        Owner.
    """

    def __init__(
        self, session: ReadingSession, worker: Worker, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = worker
        self._job: Job | None = None
        self._elements: Sequence[Element] = ()
        self._read: Path | None = None
        self._said = ""
        self.setWindowTitle("DICOM elements")
        self.search = QLineEdit()
        self.search.setObjectName("element-search")
        self.search.setPlaceholderText("Search tags, names and values")
        self.search.setAccessibleName("Search the elements")
        self.search.setClearButtonEnabled(True)
        self._model = _Model(self)
        self._found = _Found(self)
        self._found.setSourceModel(self._model)
        self.table = _make_table(self._found)
        self.said = QLabel()
        self.said.setObjectName("elements-said")
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        tell(self.said, "muted")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("Copy the selected rows, or all that are shown (Ctrl+C)")
        self.copy_button.setAutoDefault(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        # The style's own icon is black on black.
        buttons.button(QDialogButtonBox.StandardButton.Close).setIcon(QIcon())
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        rows = QVBoxLayout(self)
        rows.addLayout(top)
        rows.addWidget(self.table, 1)
        rows.addWidget(self.said)
        rows.addWidget(buttons)
        self.resize(760, 600)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.read)
        buttons.rejected.connect(self.close)
        self.copy_button.clicked.connect(self.copy)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table, self.copy)
        self.search.textChanged.connect(self._search)
        session.position_changed.connect(self._look_again)
        session.volume_changed.connect(self._look_again)
        session.manner.names_changed.connect(self._show)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop reading."""
        self._stop()
        super().closeEvent(event)

    def open_at_slice(self) -> None:
        """Show the elements of the slice on the screen."""
        self.show()
        self.raise_()
        self.activateWindow()
        self.search.setFocus()
        self.read()

    # -- reading -------------------------------------------------------------------------------

    def _look_again(self, *_: object) -> None:
        if self.isVisible():
            self._settle.start()

    def _stop(self) -> None:
        self._settle.stop()
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def read(self) -> None:
        """Read the file of the slice on the screen, beside the window."""
        self._stop()
        session = self._session
        volume, series = session.volume, session.series
        if volume is None or series is None:
            self._take((), "Open a study first.")
            return
        if series.kind is not SourceKind.DICOM or session.position >= len(volume.slices):
            self._take((), "These images are not from a DICOM file, so there are no elements.")
            return
        path, place = volume.slices[session.position].path, session.position + 1
        if self._read == path:
            self._show()
            return

        def work(progress: Progress) -> tuple[Element, ...]:
            from inference.studies.elements import read_elements

            return read_elements(path, progress)

        def done(elements: tuple[Element, ...]) -> None:
            self._job = None
            self._take(elements, f"Slice {place} of {volume.shape[0]}")
            self._read = path

        def failed(sentence: str) -> None:
            self._job = None
            self._take((), sentence)

        self.said.setText("Reading…")
        self._job = self._worker.submit(Job("Reading elements", work, done, failed, quiet=True))

    def _take(self, elements: Sequence[Element], said: str) -> None:
        self._elements, self._read = elements, None
        self._said = said
        self._show()

    # -- showing -------------------------------------------------------------------------------

    def _show(self) -> None:
        hidden = self._session.manner.names_hidden
        self._model.show_elements(self._elements, hidden=hidden)
        self._count()

    def _search(self, typed: str) -> None:
        self._found.search(typed)
        self._count()

    def _count(self) -> None:
        shown, total = self._found.rowCount(), len(self._elements)
        hidden = self._session.manner.names_hidden
        parts = [self._said if not (hidden and "“" in self._said) else "The file cannot be read."]
        if total:
            parts.append(f"{shown} of {total} elements" if shown != total else f"{total} elements")
            parts += ["what may tell the patient is hidden"] if hidden else []
        self.said.setText(" · ".join(filter(None, parts)))
        self.copy_button.setEnabled(shown > 0)

    def copy(self) -> None:
        """Copy the selected rows as they are shown, or all of them, to be pasted into a table."""
        chosen = sorted({index.row() for index in self.table.selectedIndexes()})
        rows = chosen or range(self._found.rowCount())
        cells = partial(self._found.index)
        lines = [
            "\t".join(str(cells(row, column).data()) for column in range(len(_COLUMNS)))
            for row in rows
        ]
        QGuiApplication.clipboard().setText("\n".join(lines))


def _is_private(tag: str) -> bool:
    return bool(tag) and int(tag[:4], 16) % 2 == 1


def _make_table(model: _Found) -> QTableView:
    table = QTableView()
    table.setObjectName("elements")
    table.setAccessibleName("DICOM elements")
    table.setModel(model)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    table.setTabKeyNavigation(False)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setProperty("dense", True)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 6)
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setStretchLastSection(True)
    for column, width in enumerate((110, 240, 36)):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        table.setColumnWidth(column, width)
    return table
